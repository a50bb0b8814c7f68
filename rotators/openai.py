"""OpenAI project keys, service account keys and admin keys.

What is possible: a lane is a service account of its own in a project (`lanes provision` makes both). A new key of it carries the
  rotation's mark as its name, the lane's scopes and an expiry. A key that a user owns can be found and deleted; what replaces
  it is a key of the lane's service account, for no endpoint makes a key that a user owns. Admin keys are made and deleted.
What is manual: keys of before projects (`sk-…` without `proj` or `svcacct`), at platform.openai.com/api-keys.
Quarantine: a service account's key is narrowed to one harmless scope (`quarantine_scopes`); undone by giving back the lane's
  scopes, so only for keys of the lane's own account: nothing tells which scopes another key had. A user's key is only revoked.

Settings           | read from | meaning
project            | scope     | the project's id (`proj_…`) or name; needed
service_account    | scope     | its id (`svc_…`) or name; default `keyward-<lane>-<name>`
scopes             | scope     | list of scopes of a new key; default none, which means all that the account may
quarantine_scopes  | scope     | list of scopes that a stopped key keeps; default `api.model.read`
expiry             | entry     | 1 second to 365 days
base_url           | target    | default https://api.openai.com
secret             | admin     | an admin key (`sk-admin-…`) of the organisation

Rights: an admin key with `api.management.read` and `api.management.write`.
Traps: an empty list of scopes REMOVES all restrictions. Expired keys cannot be changed. A listing shows the two ends of a key:
  exactly one must fit, else nothing is done. Changes reach all servers with the authentication cache, within minutes.
References: https://platform.openai.com/docs/api-reference/project-service-accounts
  https://platform.openai.com/docs/api-reference/project-api-keys
  https://platform.openai.com/docs/api-reference/admin-api-keys
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from keyward.errors import Refused
from keyward.model.credential import SecretParts
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.plugin.rotator import AdminNeed, Capabilities, Change, Held, Inventory, Issued, Job, Rotator, Warning

from ._vendor_api import Api, NotAccepted, NotThere, exactly_one, fits, lane_name, mark_in, text_list

API = "https://api.openai.com"
LONGEST = 31_536_000
"""Seconds that a key may live, where it has an expiry."""
UNUSED_DAYS = 90
USER_OWNED = Kind("openai/project-key")

_ROOT = "/v1/organization"
_PROJECTS, _ADMIN = f"{_ROOT}/projects", f"{_ROOT}/admin_api_keys"
_NEED = AdminNeed(
    ("secret",), ("api.management.read", "api.management.write"), "An admin key: https://platform.openai.com/settings/organization/admin-keys"
)  # fmt: skip


def _api(job: Job) -> Api:
    base = job.base_url(API).removesuffix("/v1")
    return Api(job, base, {"authorization": f"Bearer {job.admin_text('secret')}"}, "OpenAI", "an admin key of the organisation")


def _rows(api: Api, path: str, query: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
    """All pages of a listing."""
    after: dict[str, str] = {}
    while True:
        page = api.get(path, {"limit": "100", **(query or {}), **after})
        rows = page.get("data") or []
        yield from rows
        if not page.get("has_more") or not rows:
            return
        after = {"after": str(page.get("last_id") or rows[-1]["id"])}


def _keys(api: Api, project: str) -> Iterator[dict[str, Any]]:
    # without this filter the listing leaves out keys of people who left the project, and they still work
    return _rows(api, f"{_PROJECTS}/{project}/api_keys", {"owner_project_access": "any"})


def _held(row: Mapping[str, Any], now: float) -> Held:
    expires, name = row.get("expires_at"), str(row.get("name") or "")
    active = expires is None or now < expires
    return Held(str(row["id"]), active, row.get("created_at"), row.get("last_used_at"), expires, mark_in(name), name)


def _lifetime(job: Job) -> dict[str, object]:
    if not job.entry.expiry:
        return {}
    if not 1 <= job.entry.expiry <= LONGEST:
        raise Refused(f"{job.entry.ref}: expiry must be at most 365 days", hint="Correct it in the operator's configuration.")
    return {"expires_in_seconds": int(job.entry.expiry)}


def _issued(row: Mapping[str, Any]) -> Issued:
    return Issued(str(row["id"]), {"secret": Secret(str(row["value"]).encode())}, row.get("expires_at"))


def _project(api: Api, job: Job) -> str:
    """The id of the lane's project. Raises Refused."""
    wanted = _project_name(job)
    if wanted.startswith("proj_"):
        return wanted
    found = _project_named(api, wanted)
    if found is None:
        raise Refused(
            f"OpenAI has no project {wanted}", hint="`keyward lanes provision` makes it, or name its id in scope.project."
        )
    return found


def _project_name(job: Job) -> str:
    name = job.scope_text("project")
    if not name:
        raise Refused(f"{job.entry.ref}: scope.project is missing", hint="Name the project, by its id (proj_…) or its name.")
    return name


def _project_named(api: Api, name: str) -> str | None:
    ids = [str(row["id"]) for row in _rows(api, _PROJECTS) if row.get("name") == name]
    if len(ids) > 1:
        raise Refused(f"OpenAI has {len(ids)} projects {name}", hint="Name one by its id in scope.project.")
    return ids[0] if ids else None


def _account_name(job: Job) -> str:
    return job.scope_text("service_account") or lane_name(job)


def _account(api: Api, job: Job, project: str) -> dict[str, Any]:
    """The lane's service account. Raises Refused."""
    found = _find_account(api, job, project)
    if found is None:
        name = _account_name(job)
        raise Refused(f"there is no service account {name} in the project", hint="`keyward lanes provision` makes it.")
    return found


def _find_account(api: Api, job: Job, project: str) -> dict[str, Any] | None:
    wanted = _account_name(job)
    found = [row for row in _rows(api, f"{_PROJECTS}/{project}/service_accounts") if wanted in (row.get("id"), row.get("name"))]
    if len(found) > 1:
        raise Refused(
            f"the project has {len(found)} service accounts {wanted}", hint="Name one by its id in scope.service_account."
        )
    return found[0] if found else None


def _owner(row: Mapping[str, Any]) -> str:
    """The id of the service account that owns a key; empty for a user's."""
    owner = row.get("owner") or {}
    return str((owner.get("service_account") or {}).get("id") or "") if owner.get("type") == "service_account" else ""


class ProjectKeys(Rotator):
    """Keys of projects: those of service accounts, and those of users, which are replaced by one of a service account."""

    kinds = (Kind("openai/service-account-key"), USER_OWNED)
    scope_names = ("project", "service_account", "scopes", "quarantine_scopes")
    gives = ("secret",)
    title = "OpenAI project key"
    capabilities = Capabilities(
        scoped=True, expiry=True, reversible_disable=True, marks=True, settle=60.0, propagation=300.0, listing_lag=10.0
    )
    admin = _NEED
    public_hosts = ("api.openai.com",)
    references = ("https://platform.openai.com/docs/api-reference/project-service-accounts",)
    calls = MappingProxyType(
        {
            "QUARANTINE": (
                "GET /v1/organization/projects",
                "GET /v1/organization/projects/{project}/api_keys/{id}",
                "POST /v1/organization/projects/{project}/api_keys/{id}",
            ),
            "RESERVE": (
                "GET /v1/organization/projects/{project}/service_accounts",
                "GET /v1/organization/projects/{project}/api_keys",
            ),
            "ISSUE": (
                "GET /v1/organization/projects/{project}/service_accounts",
                "POST /v1/organization/projects/{project}/service_accounts/{account}/api_keys",
            ),
            "PROVE": ("GET /v1/models",),
            "REVOKE": (
                "GET /v1/models",
                "GET /v1/organization/projects",
                "GET /v1/organization/projects/{project}/api_keys/{id}",
                "POST /v1/organization/projects/{project}/api_keys/{id}",
                "DELETE /v1/organization/projects/{project}/api_keys/{id}",
            ),
            "CONFIRM": ("GET /v1/models",),
        }
    )

    def calls_for(self, entry: Entry) -> Mapping[str, tuple[str, ...]]:
        """A project that is named, and not by its id, is looked up first; a user's key is not stopped before it is deleted."""
        by_id = str(entry.scope.get("project", "")).startswith("proj_")
        first = () if by_id else (f"GET {_PROJECTS}",)
        calls = {step: (*first, *names) if step in ("RESERVE", "ISSUE") else names for step, names in self.calls.items()}
        if entry.kind == USER_OWNED:
            calls["REVOKE"] = tuple(name for name in calls["REVOKE"] if not name.startswith("POST"))
        return calls

    def identify(self, job: Job, parts: SecretParts) -> str:
        secret = parts["secret"].reveal().decode()
        api = _api(job)
        lane = _project(api, job)
        others = (str(row["id"]) for row in _rows(api, _PROJECTS, {"include_archived": "true"}))
        found: list[str] = []
        for project in (lane, *(each for each in others if each != lane)):
            found += [str(row["id"]) for row in _keys(api, project) if fits(row.get("redacted_value"), secret)]
        return exactly_one(
            found,
            "OpenAI key",
            "It is deleted, or of another organisation, or of a user from before projects (platform.openai.com/api-keys).",
        )

    def inventory(self, job: Job) -> Inventory:
        api = _api(job)
        project = _project(api, job)
        account, now = _account(api, job, project), job.ports.clock.now()
        held = tuple(_held(row, now) for row in _keys(api, project) if _owner(row) == account["id"])
        return Inventory(f"{project}/{account['id']}", held, account.get("name") == lane_name(job))

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        arguments: dict[str, object] = {"name": job.mark, **_lifetime(job)}
        scopes = text_list(job, "scopes")
        if scopes:
            arguments["scopes"] = scopes
        api = _api(job)
        project = _project(api, job)
        account = _account(api, job, project)["id"]
        return _issued(api.send("POST", f"{_PROJECTS}/{project}/service_accounts/{account}/api_keys", arguments))

    def _find(self, api: Api, job: Job, id: str) -> tuple[str, dict[str, Any]] | None:
        """(project, row) of a key; None if it is gone. The lane's project is asked first."""
        lane = _project(api, job)
        others = (str(row["id"]) for row in _rows(api, _PROJECTS))
        for project in (lane, *(each for each in others if each != lane)):
            try:
                return project, api.get(f"{_PROJECTS}/{project}/api_keys/{id}")
            except NotThere:
                continue
        return None

    def _narrow(self, api: Api, project: str, id: str, scopes: list[str]) -> None:
        api.send("POST", f"{_PROJECTS}/{project}/api_keys/{id}", {"scopes": scopes})

    def capabilities_for(self, entry: Entry) -> Capabilities:
        """A user's key cannot be stopped for a while: nothing shows which scopes it had."""
        return self.capabilities._replace(reversible_disable=entry.kind != USER_OWNED)

    def disable(self, job: Job, id: str, parts: SecretParts) -> None:
        scopes = text_list(job, "quarantine_scopes") or ["api.model.read"]
        api = _api(job)
        found = self._find(api, job, id)
        if found is None or not _held(found[1], job.ports.clock.now()).active:
            return
        project, row = found
        if not _owner(row):
            raise Refused(
                f"the OpenAI key {id} belongs to a user: what it may do is shown nowhere", hint="It can only be revoked."
            )
        self._narrow(api, project, id, scopes)

    def enable(self, job: Job, id: str, parts: SecretParts) -> None:
        api = _api(job)
        found = self._find(api, job, id)
        if found is None:
            raise Refused(
                f"the OpenAI key {id} is gone and cannot be given its scopes back", hint="Make a new one: keyward rotate."
            )
        project, row = found
        account = _find_account(api, job, project)
        if account is None or _owner(row) != account["id"]:
            raise Refused(
                f"the OpenAI key {id} is not of the lane's service account", hint="Set its permissions in the dashboard."
            )
        self._narrow(api, project, id, text_list(job, "scopes"))

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        api = _api(job)
        found = self._find(api, job, id)
        if found is not None:
            try:
                api.send("DELETE", f"{_PROJECTS}/{found[0]}/api_keys/{id}")
            except NotThere:
                pass

    def review(self, job: Job, inventory: Inventory) -> Iterable[Warning]:
        warnings = list(_ages(job, inventory))
        if not text_list(job, "scopes"):
            warnings.append(
                Warning("over-broad", "Keys of this lane have no scopes, so they may do whatever the project allows.")
            )
        return warnings

    def provision(self, job: Job, *, apply: bool) -> Iterable[Change]:
        api, name, account = _api(job), _project_name(job), _account_name(job)
        project = name if name.startswith("proj_") else _project_named(api, name)
        changes = [Change(f"OpenAI project {name}", done=project is not None)]
        if project is None and apply:
            project = str(api.send("POST", _PROJECTS, {"name": name})["id"])
        there = project is not None and _find_account(api, job, project) is not None
        changes.append(Change(f"service account {account}, without a key", done=there))
        if project is not None and not there and apply:
            # a key that came with it would be shown to nobody, and would live on
            only = {"name": account, "create_service_account_only": True}
            api.send("POST", f"{_PROJECTS}/{project}/service_accounts", only)
        return changes


class AdminKeys(Rotator):
    """Admin keys of the organisation. The admin credential may be the key itself."""

    kinds = (Kind("openai/admin-key"),)
    scope_names: tuple[str, ...] = ()
    gives = ("secret",)
    title = "OpenAI admin key"
    capabilities = Capabilities(expiry=True, marks=True, settle=60.0, propagation=300.0, listing_lag=10.0)
    admin = _NEED
    public_hosts = ("api.openai.com",)
    references = ("https://platform.openai.com/docs/api-reference/admin-api-keys",)
    calls = MappingProxyType(
        {
            "RESERVE": ("GET /v1/organization/admin_api_keys",),
            "ISSUE": ("POST /v1/organization/admin_api_keys",),
            "PROVE": ("GET /v1/organization/admin_api_keys",),
            "REVOKE": ("GET /v1/organization/admin_api_keys", "DELETE /v1/organization/admin_api_keys/{id}"),
            "CONFIRM": ("GET /v1/organization/admin_api_keys",),
        }
    )

    def identify(self, job: Job, parts: SecretParts) -> str:
        secret = parts["secret"].reveal().decode()
        found = [str(row["id"]) for row in _rows(_api(job), _ADMIN) if fits(row.get("redacted_value"), secret)]
        return exactly_one(found, "OpenAI admin key", "It is deleted, or of another organisation than the admin credential.")

    def inventory(self, job: Job) -> Inventory:
        now = job.ports.clock.now()
        return Inventory("organization", tuple(_held(row, now) for row in _rows(_api(job), _ADMIN)))

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        return _issued(_api(job).send("POST", _ADMIN, {"name": job.mark, **_lifetime(job)}))

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        try:
            _api(job).send("DELETE", f"{_ADMIN}/{id}")
        except NotThere:
            pass
        except NotAccepted:
            # a key that has deleted itself is asked again after a restart: that it is refused is what was wanted
            if "secret" not in parts or parts["secret"] != job.admin.get("secret"):
                raise

    def review(self, job: Job, inventory: Inventory) -> Iterable[Warning]:
        return list(_ages(job, inventory))


def _ages(job: Job, inventory: Inventory) -> Iterator[Warning]:
    now = job.ports.clock.now()
    for key in inventory.held:
        if not key.active:
            continue
        if key.expires is None:
            yield Warning("no-expiry", f"The OpenAI key {key.id} has no expiry.")
        seen = key.last_used or key.created
        if seen is not None and now - seen > UNUSED_DAYS * 86400:
            yield Warning("unused", f"The OpenAI key {key.id} has not been used for {int((now - seen) // 86400)} days.")


ROTATORS: tuple[Rotator, ...] = (ProjectKeys(), AdminKeys())
