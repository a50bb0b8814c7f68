"""The fakes of OpenAI, Anthropic and OpenRouter speak as the vendors' own SDKs expect, and keep the vendors' rules."""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from keyward.plugin.clock import ManualClock
from keyward.testing.fakes.anthropic import Denied, FakeAnthropic
from keyward.testing.fakes.openai import FakeOpenAI
from keyward.testing.fakes.openrouter import FakeOpenRouter
from keyward.testing.fakes.server import Fault


def sdk(name: str) -> Any:
    """A vendor's SDK, which only this test needs."""
    try:
        return importlib.import_module(name)
    except ImportError:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{name} is not installed")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def openai(clock: ManualClock) -> Iterator[FakeOpenAI]:
    with FakeOpenAI(clock=clock) as fake:
        yield fake


def bearer(fake: FakeOpenAI | FakeOpenRouter, value: str) -> httpx.Client:
    return httpx.Client(base_url=fake.url, headers={"Authorization": f"Bearer {value}"}, trust_env=False)


def test_openai_sdk_makes_lists_narrows_and_deletes_a_service_account_key(openai: FakeOpenAI) -> None:
    client = sdk("openai").OpenAI(
        admin_api_key=openai.admin.value, api_key="unused", base_url=f"{openai.url}/v1", max_retries=0
    )
    organization = client.admin.organization
    project = organization.projects.create(name="lanes")
    account = organization.projects.service_accounts.create(
        project_id=project.id, name="lane", create_service_account_only=True
    )
    assert account.api_key is None
    api_keys = organization.projects.api_keys
    made = [
        organization.projects.service_accounts.api_keys.create(
            account.id, project_id=project.id, name=f"keyward:{n}", scopes=["api.all.read"], expires_in_seconds=3600
        )
        for n in range(25)
    ]
    listed = list(api_keys.list(project_id=project.id, limit=10, owner_project_access="any"))
    assert [each.id for each in listed] == [each.id for each in made]
    first = listed[0]
    assert first.owner.service_account.id == account.id
    assert first.expires_at == made[0].expires_at
    kept, end = first.redacted_value.split("...")
    assert made[0].value.startswith(kept) and made[0].value.endswith(end) and made[0].value not in repr(listed)
    assert "value" not in api_keys.retrieve(made[0].id, project_id=project.id).model_dump()
    api_keys.update(made[0].id, project_id=project.id, scopes=["api.files.read"])
    with bearer(openai, made[0].value) as http:
        assert http.get("/v1/models").status_code == 403
        assert api_keys.update(made[0].id, project_id=project.id, scopes=[]).id == made[0].id  # an empty list means all
        assert http.get("/v1/models").status_code == 200
        assert http.post("/v1/embeddings").status_code == 200
        assert api_keys.delete(made[0].id, project_id=project.id).deleted
        assert http.get("/v1/models").json()["error"]["code"] == "invalid_api_key"
    assert organization.projects.service_accounts.retrieve(account.id, project_id=project.id).name == "lane"


def test_openai_keys_end_and_cannot_be_changed_then(openai: FakeOpenAI, clock: ManualClock) -> None:
    project = openai.make_project("p")
    account = openai.make_account(project, "a")
    key = openai.make_key("service_account", project.id, account.id, expires_in=60)
    path = f"/v1/organization/projects/{project.id}/api_keys/{key.id}"
    with bearer(openai, openai.admin.value) as admin, bearer(openai, key.value) as http:
        assert admin.post(path, json={"expires_in_seconds": 120}).status_code == 200
        clock.sleep(100)
        assert http.get("/v1/models").status_code == 200
        clock.sleep(20)
        assert http.get("/v1/models").status_code == 401
        assert admin.post(path, json={"scopes": ["api.all.read"]}).status_code == 400
        for wrong in ({}, {"expires_in_seconds": 0}, {"expires_in_seconds": None}, {"scopes": None}):
            assert admin.post(path, json=wrong).status_code == 400


def test_openai_admin_rights_user_keys_and_project_limit(openai: FakeOpenAI) -> None:
    openai.most_projects = 1
    project = openai.make_project("p")
    reader = openai.make_key("admin", scopes=["api.management.read"])
    key = openai.make_key("user", project.id)
    outside = openai.make_key("user", project.id, "user_2-outside")
    keys = f"/v1/organization/projects/{project.id}/api_keys"
    with bearer(openai, reader.value) as http:
        rows = http.get(keys).json()["data"]
        assert [row["id"] for row in rows] == [key.id] and rows[0]["owner"]["type"] == "user"
        assert len(http.get(keys, params={"owner_project_access": "any"}).json()["data"]) == 2
        assert outside.owner == "user"
        refused = http.delete(f"{keys}/{key.id}")
        assert refused.status_code == 403 and "api.management.write" in refused.json()["error"]["message"]
        assert http.get("/v1/models").status_code == 403  # an admin key calls no models
    with bearer(openai, openai.admin.value) as admin:
        assert admin.post(keys, json={"name": "x"}).status_code == 404  # nobody creates a user's key by API
        assert admin.post("/v1/organization/projects", json={"name": "q"}).status_code == 400
        made = admin.post("/v1/organization/admin_api_keys", json={"name": "next", "expires_in_seconds": 60}).json()
        assert admin.get(f"/v1/organization/admin_api_keys/{made['id']}").json().keys() == made.keys() - {"value"}
        assert admin.post(f"/v1/organization/projects/{project.id}/archive").json()["status"] == "archived"
    with bearer(openai, key.value) as http:
        assert http.get("/v1/models").status_code == 401
        assert http.get(keys).status_code == 401
    with bearer(openai, made["value"]) as admin:
        assert admin.get("/v1/organization/projects").json()["data"] == []


def test_openai_deletion_and_scopes_take_their_time_and_a_lost_reply_leaves_the_key(clock: ManualClock) -> None:
    with FakeOpenAI(clock=clock, propagation=5) as fake:
        project = fake.make_project("p")
        account = fake.make_account(project, "a")
        key = fake.make_key("service_account", project.id, account.id)
        path = f"/v1/organization/projects/{project.id}/api_keys/{key.id}"
        with bearer(fake, fake.admin.value) as admin, bearer(fake, key.value) as http:
            admin.post(path, json={"scopes": ["api.files.read"]})
            assert http.get("/v1/models").status_code == 200
            clock.sleep(5)
            assert http.get("/v1/models").status_code == 403
            admin.post(path, json={"scopes": []})
            clock.sleep(5)
            admin.delete(path)
            assert admin.get(path).status_code == 404
            assert http.get("/v1/models").status_code == 200
            clock.sleep(5)
            assert http.get("/v1/models").status_code == 401
            fake.fail(Fault("lost", "POST"))
            with pytest.raises(httpx.TransportError):
                admin.post(f"/v1/organization/projects/{project.id}/service_accounts/{account.id}/api_keys", json={"name": "m"})
            listed = admin.get(f"/v1/organization/projects/{project.id}/api_keys").json()["data"]
            assert [row["name"] for row in listed] == ["m"]
        assert [seen.method for seen in fake.changes] == ["POST", "POST", "DELETE", "POST"]


def test_anthropic_sdk_lists_stops_and_archives(clock: ManualClock) -> None:
    with FakeAnthropic(clock=clock) as fake:
        client = sdk("anthropic").Anthropic(api_key=fake.admin, base_url=fake.url, max_retries=0)
        organization = client.beta.organization
        assert organization.retrieve().name == "Acme"
        assert not hasattr(organization.api_keys, "create")
        workspace = organization.workspaces.create(name="lane", tags={"lane": "prod"})
        made = [fake.console_create_key(f"k{n}", workspace.id) for n in range(5)]
        fake.console_create_key("other")
        listed = list(organization.api_keys.list(workspace_id=workspace.id, limit=2))
        assert [each.id for each in listed] == [each.id for each in made]
        assert all(each.value not in repr(listed) for each in made)
        start, end = (listed[0].partial_key_hint or "").split("...")
        assert made[0].value.startswith(start) and made[0].value.endswith(end)
        before = organization.api_keys.list(workspace_id=workspace.id, limit=2, before_id=made[3].id)
        assert [each.id for each in before.data] == [made[1].id, made[2].id]
        mine = sdk("anthropic").Anthropic(api_key=made[0].value, base_url=fake.url, max_retries=0)
        assert mine.models.list().data
        organization.api_keys.update(made[0].id, status="inactive", name="stopped")
        with pytest.raises(sdk("anthropic").AuthenticationError):
            mine.models.list()
        organization.api_keys.update(made[0].id, status="active")
        assert mine.models.list().data
        organization.api_keys.update(made[0].id, status="archived")
        with pytest.raises(sdk("anthropic").BadRequestError):
            organization.api_keys.update(made[0].id, status="active")
        assert [each.id for each in organization.api_keys.list(status="archived")] == [made[0].id]
        assert organization.workspaces.archive(workspace.id).archived_at
        assert list(organization.workspaces.list()) == []
        assert organization.api_keys.retrieve(made[1].id).status == "archived"


def test_anthropic_headers_rights_limits_and_expiry(clock: ManualClock) -> None:
    with FakeAnthropic(clock=clock, most_active=1) as fake:
        key = fake.console_create_key("k", expires_in=60)
        with pytest.raises(Denied):
            fake.console_create_key("one too many")
        version = {"anthropic-version": "2023-06-01"}
        with httpx.Client(base_url=fake.url, trust_env=False) as http:

            def get(path: str, value: str) -> httpx.Response:
                return http.get(path, headers={"x-api-key": value, **version})

            assert http.get("/v1/models", headers={"x-api-key": key.value}).status_code == 400
            assert get("/v1/models", "").status_code == 401
            assert get("/v1/organizations/api_keys", key.value).json()["error"]["type"] == "permission_error"
            assert get("/v1/models", fake.admin).status_code == 401
            assert get("/v1/organizations/service_accounts", fake.admin).status_code == 403
            fake.blocked.add(key.value)
            assert get("/v1/models", key.value).status_code == 403
            fake.blocked.clear()
            clock.sleep(60)
            assert get("/v1/models", key.value).status_code == 401
            rows = get("/v1/organizations/api_keys?status=expired", fake.admin).json()["data"]
            assert [row["id"] for row in rows] == [key.id]
            fake.console_revoke_admin(fake.admin)
            assert get("/v1/organizations/me", fake.admin).status_code == 401


def open_router(fake: FakeOpenRouter) -> Any:
    return sdk("openrouter").OpenRouter(api_key=fake.management.value, server_url=f"{fake.url}/api/v1")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDK's own models
def test_openrouter_sdk_makes_caps_stops_and_deletes(clock: ManualClock) -> None:
    with FakeOpenRouter(clock=clock) as fake, open_router(fake) as client:
        assert client.api_keys.get_current_key_metadata().data.is_management_key
        made = client.api_keys.create(name="keyward:1", limit=0.1, limit_reset="daily")
        assert made.data.hash == hashlib.sha256(made.key.encode()).hexdigest()
        listed = client.api_keys.list().data
        assert [each.name for each in listed] == ["keyward:1"]
        start, end = listed[0].label.split("...")
        assert made.key.startswith(start) and made.key.endswith(end) and made.key not in repr(listed)
        with bearer(fake, made.key) as http:
            assert http.get("/api/v1/key").json()["data"]["limit"] == 0.1
            assert http.post("/api/v1/chat/completions").status_code == 200
            assert http.post("/api/v1/chat/completions").status_code == 403  # the cap is reached
            assert http.get("/api/v1/keys").status_code == 401
            client.api_keys.update(hash=made.data.hash, disabled=True)
            assert http.get("/api/v1/key").status_code == 401
            assert client.api_keys.list().data == []
            assert client.api_keys.list(include_disabled=True).data[0].disabled
            client.api_keys.update(hash=made.data.hash, disabled=False, limit=None)
            assert http.get("/api/v1/key").json()["data"]["limit"] is None
            client.api_keys.delete(hash=made.data.hash)
            assert http.get("/api/v1/key").status_code == 401


def test_openrouter_pages_expiry_and_a_hash_of_its_own(clock: ManualClock) -> None:
    with FakeOpenRouter(clock=clock, hash_is_sha256=False) as fake:
        keys = [fake.make_key(f"k{n}") for n in range(120)]
        assert keys[0].hash != hashlib.sha256(keys[0].value.encode()).hexdigest()
        with bearer(fake, fake.management.value) as http:
            first = http.get("/api/v1/keys").json()["data"]
            rest = http.get("/api/v1/keys", params={"offset": len(first)}).json()["data"]
            assert {row["hash"] for row in first + rest} == {key.hash for key in keys} and len(first) == 100
            assert http.post("/api/v1/keys", json={"name": "x", "expires_at": "2027-01-15T08:01"}).status_code == 400
            made = http.post("/api/v1/keys", json={"name": "x", "expires_at": "2027-01-15T08:01:00Z"})
            assert made.status_code == 201
            with bearer(fake, made.json()["key"]) as mine:
                assert mine.get("/api/v1/key").status_code == 200
                clock.sleep(60)
                assert mine.get("/api/v1/key").status_code == 401
            assert http.delete(f"/api/v1/keys/{fake.management.hash}").status_code == 404
