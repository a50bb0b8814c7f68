"""Anthropic API keys.

What is possible: the lane's workspace is made (`lanes provision`); a key is found, stopped (inactive, which can be undone) and
  archived for good. A key that a person made is checked and stored by `keyward provide`.
What is manual: making a key. No endpoint does; the steps are below. Admin keys are made and ended in the console alone.
Without keys: Workload Identity Federation gives tokens that live for minutes
  (https://platform.claude.com/docs/en/manage-claude/workload-identity-federation); keyward does not set it up.

Settings           | read from | meaning
workspace          | scope     | its id (`wrkspc_…`) or name, 40 characters at most; default `keyward-<lane>-<name>`
base_url           | target    | default https://api.anthropic.com
secret             | admin     | an admin key (`sk-ant-admin01-…`)

Rights: an admin key. Its reach cannot be narrowed: keep it in a store of its own.
Traps: a listing shows the two ends of a key (`partial_key_hint`): exactly one must fit. Personal and service account keys die when
  their owner leaves, keys of the workspace do not. An archived key cannot be brought back.
References: https://platform.claude.com/docs/en/manage-claude/admin-api-keys
  https://platform.claude.com/docs/en/get-api-key
  https://platform.claude.com/docs/en/manage-claude/workspaces
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from keyward.errors import Refused
from keyward.model.credential import SecretParts
from keyward.model.kind import Kind, Manual
from keyward.plugin.rotator import AdminNeed, Capabilities, Change, Held, Inventory, Job, Rotator, Warning

from ._vendor_api import Api, NotThere, exactly_one, fits, lane_name, mark_in

API = "https://api.anthropic.com"
VERSION = "2023-06-01"

_KEYS, _WORKSPACES = "/v1/organizations/api_keys", "/v1/organizations/workspaces"


def _api(job: Job) -> Api:
    headers = {"x-api-key": job.admin_text("secret"), "anthropic-version": VERSION}
    return Api(job, job.base_url(API).removesuffix("/v1"), headers, "Anthropic", "an admin key of the organisation")


def _rows(api: Api, path: str, query: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
    """All pages of a listing."""
    after: dict[str, str] = {}
    while True:
        page = api.get(path, {"limit": "1000", **(query or {}), **after})
        rows = page.get("data") or []
        yield from rows
        if not page.get("has_more") or not rows:
            return
        after = {"after_id": str(page.get("last_id") or rows[-1]["id"])}


def _seconds(text: object) -> float | None:
    try:
        return datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp() if text else None
    except ValueError:
        return None


def _held(row: Mapping[str, Any]) -> Held:
    name = str(row.get("name") or "")
    active = row.get("status") == "active"
    return Held(
        str(row["id"]), active, _seconds(row.get("created_at")), None, _seconds(row.get("expires_at")), mark_in(name), name
    )


def _workspace_name(job: Job) -> str:
    name = job.scope_text("workspace") or lane_name(job)
    if len(name) > 40:
        raise Refused(f"{job.entry.ref}: a workspace's name has 40 characters at most", hint="Set scope.workspace.")
    return name


def _workspace(api: Api, job: Job) -> str | None:
    """The id of the lane's workspace; None if there is none."""
    name = _workspace_name(job)
    if name.startswith("wrkspc_"):
        return name
    found = [str(row["id"]) for row in _rows(api, _WORKSPACES, {"include_default": "true"}) if row.get("name") == name]
    if len(found) > 1:
        raise Refused(f"Anthropic has {len(found)} workspaces {name}", hint="Name one by its id in scope.workspace.")
    return found[0] if found else None


class ApiKeys(Rotator):
    """Keys of workspaces. A person makes them."""

    kinds = (Kind("anthropic/api-key"),)
    scope_names = ("workspace",)
    gives = ("secret",)
    title = "Anthropic API key"
    capabilities = Capabilities(reversible_disable=True, settle=60.0, propagation=300.0)
    admin = AdminNeed(("secret",), ("admin key",), "An admin key: https://platform.claude.com/settings/admin-keys")
    public_hosts = ("api.anthropic.com",)
    manual = Manual(
        (
            "Open the keys page and choose the lane's workspace (`keyward lanes provision` makes it).",
            "Create a key, linked to a service account if you have one, with an expiry. It is shown once.",
            "Hand it over: keyward provide LANE/NAME (it is checked before it is stored).",
        ),
        "https://platform.claude.com/settings/keys",
    )
    references = ("https://platform.claude.com/docs/en/manage-claude/admin-api-keys",)
    calls = MappingProxyType(
        {
            "QUARANTINE": ("GET /v1/organizations/api_keys/{id}", "POST /v1/organizations/api_keys/{id}"),
            "ISSUE": ("GET /v1/models",),
            "PROVE": ("GET /v1/models",),
            "REVOKE": ("GET /v1/models", "GET /v1/organizations/api_keys/{id}", "POST /v1/organizations/api_keys/{id}"),
            "CONFIRM": ("GET /v1/models",),
        }
    )

    def identify(self, job: Job, parts: SecretParts) -> str:
        secret = parts["secret"].reveal().decode()
        found = [str(row["id"]) for row in _rows(_api(job), _KEYS) if fits(row.get("partial_key_hint"), secret)]
        return exactly_one(found, "Anthropic key", "It is of another organisation than the admin key, or deleted long ago.")

    def inventory(self, job: Job) -> Inventory:
        api = _api(job)
        workspace = _workspace(api, job)
        if workspace is None:
            raise Refused(f"there is no workspace {_workspace_name(job)}", hint="`keyward lanes provision` makes it.")
        held = tuple(_held(row) for row in _rows(api, _KEYS, {"workspace_id": workspace}))
        return Inventory(workspace, held, _workspace_name(job) == lane_name(job))

    def _set(self, job: Job, id: str, status: str) -> bool:
        """Whether the key is there and has that status now; an archived one stays archived."""
        api = _api(job)
        try:
            seen = api.get(f"{_KEYS}/{id}").get("status")
            if seen == "archived" or seen == status:
                return bool(seen == status)
            api.send("POST", f"{_KEYS}/{id}", {"status": status})
        except NotThere:
            return False
        return True

    def disable(self, job: Job, id: str, parts: SecretParts) -> None:
        self._set(job, id, "inactive")

    def enable(self, job: Job, id: str, parts: SecretParts) -> None:
        if not self._set(job, id, "active"):
            raise Refused(f"the Anthropic key {id} is archived and cannot be made active", hint="A person must make a new one.")

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        self._set(job, id, "archived")

    def review(self, job: Job, inventory: Inventory) -> Iterable[Warning]:
        return [
            Warning("no-expiry", f"The Anthropic key {key.id} has no expiry.")
            for key in inventory.held
            if key.active and key.expires is None
        ]

    def provision(self, job: Job, *, apply: bool) -> Iterable[Change]:
        api = _api(job)
        name, found = _workspace_name(job), _workspace(api, job)
        if found is None and apply:
            api.send("POST", _WORKSPACES, {"name": name, "tags": {"keyward-lane": job.entry.ref}})
        return [Change(f"Anthropic workspace {name}", done=found is not None)]


ROTATORS: tuple[Rotator, ...] = (ApiKeys(),)
