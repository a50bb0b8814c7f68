"""OpenAI's administration of projects, service accounts and keys, and what tells whether a key works.

An answer with a value (`value`) is given once, at creation; every listing shows `redacted_value`. Nothing creates a key that a
user owns: `make_key` plays the person in the dashboard.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from keyward.plugin.clock import Clock
from keyward.testing.fakes.server import FakeProvider, Request, Response

LONGEST = 31_536_000
"""Seconds that a key may live, where an expiry is asked for."""
MOST_PROJECTS = 2000
READ_ALL = "api.all.read"
MODELS_READ, MODEL_REQUEST = "api.model.read", "model.request"
MANAGE_READ, MANAGE_WRITE = "api.management.read", "api.management.write"

_PREFIX = {"user": "sk-proj-", "service_account": "sk-svcacct-", "admin": "sk-admin-", "legacy": "sk-"}
_LETTERS = string.ascii_letters + string.digits + "_-"


class Key:
    """One key. `owner`: `user`, `service_account`, `admin` or `legacy` (a user's, from before projects). `scopes`: empty for all.
    `refused_from`: when it stops to work, by the clock's `now`; `loose_until`: until when the scopes before the last change hold."""

    def __init__(self, id: str, value: str, name: str, owner: str, project: str, account: str, created: float) -> None:
        self.id, self.value, self.name, self.owner = id, value, name, owner
        self.project, self.account, self.created = project, account, created
        self.scopes: tuple[str, ...] = ()
        self.scopes_before: tuple[str, ...] = ()
        self.loose_until = 0.0
        self.expires: float | None = None
        self.last_used: float | None = None
        self.refused_from: float | None = None
        self.quota = True


class Account:
    """A service account of a project."""

    def __init__(self, id: str, name: str, created: float, role: str) -> None:
        self.id, self.name, self.created, self.role = id, name, created, role


class Project:
    def __init__(self, id: str, name: str, created: float) -> None:
        self.id, self.name, self.created = id, name, created
        self.archived: float | None = None
        self.accounts: dict[str, Account] = {}


class Denied(Exception):
    """An answer with an error."""

    def __init__(self, status: int, message: str, code: str | None = None, type: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.response = Response(status, {"error": {"message": message, "type": type, "param": None, "code": code}})


class FakeOpenAI(FakeProvider):
    """One organisation with one admin key (`admin`).

    `most_projects`: how many there may be. `scope_status`: what is answered to a key that lacks a scope (403 by the error
    guide; 401 has been reported for model calls). `mask`: what stands in the middle of a redacted value. `blocked`: values of
    keys whose address is not allowed.
    """

    RULES: ClassVar[tuple[str, ...]] = (
        "401 invalid_api_key, 403, 429 insufficient_quota: https://platform.openai.com/docs/guides/error-codes",
        "a refusal for scopes names them; 401 in https://community.openai.com/t/1374480: `scope_status`",
        "keys of service accounts, value once, 1 to 31536000 seconds: https://platform.openai.com/docs/api-reference/project-service-accounts",
        "listing, redacted_value, after/has_more, 20 by default and 100 at most: https://platform.openai.com/docs/api-reference/project-api-keys",
        "update replaces the scopes, an empty list removes them, expired keys are not updated: openai 3.54, projects/api_keys.py",
        "scope changes follow the authentication cache (`propagation`): the same file",
        "deleting a key leaves its service account: the same file",
        "owner_project_access filters, and leaves out what an outsider owns: the same file",
        "no endpoint makes a key that a user owns: https://platform.openai.com/docs/api-reference/administration",
        "projects are archived, not deleted, and an archived one has no service accounts: openai 3.54, projects/projects.py",
        "2,000 projects by default: https://help.openai.com/en/articles/9186755",
        "admin keys cannot call models: https://platform.openai.com/docs/api-reference/admin-api-keys",
    )

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        latency: float = 0.0,
        rate: float = 0.0,
        propagation: float = 0.0,
        most_projects: int = MOST_PROJECTS,
        scope_status: int = 403,
        mask: str = "...",
    ) -> None:
        super().__init__(clock=clock, latency=latency, rate=rate, propagation=propagation)
        self.most_projects, self.scope_status, self.mask = most_projects, scope_status, mask
        self.projects: dict[str, Project] = {}
        self.keys: dict[str, Key] = {}
        self.blocked: set[str] = set()
        self._gone: list[Key] = []
        self.admin = self.make_key("admin", name="Administration")

    # What people do in the dashboard

    def make_project(self, name: str) -> Project:
        """A new project. Raises Denied where the organisation has too many."""
        if sum(not each.archived for each in self.projects.values()) >= self.most_projects:
            raise Denied(400, "the organization has reached its limit of projects", "project_limit_reached")
        project = Project(_id("proj_"), name, self.clock.now())
        self.projects[project.id] = project
        return project

    def make_account(self, project: Project, name: str, role: str = "member") -> Account:
        """A new service account without a key."""
        account = Account(_id("svc_"), name, self.clock.now(), role)
        project.accounts[account.id] = account
        return account

    def make_key(
        self,
        owner: str,
        project: str = "",
        account: str = "",
        name: str = "Key",
        scopes: Iterable[str] = (),
        value: str = "",
        expires_in: float | None = None,
    ) -> Key:
        """A new key of any kind. `value`: what it is, where a test needs two that look alike when redacted."""
        side = 20 if owner == "legacy" else 74
        letters = string.ascii_letters + string.digits if owner == "legacy" else _LETTERS
        left, right = ("".join(secrets.choice(letters) for _ in range(side)) for _ in "lr")
        key = Key(
            _id("key_"), value or f"{_PREFIX[owner]}{left}T3BlbkFJ{right}", name, owner, project, account, self.clock.now()
        )
        key.scopes = tuple(scopes)
        key.expires = None if expires_in is None else self.clock.now() + expires_in
        self.keys[key.id] = key
        return key

    def redact(self, key: Key) -> str:
        """How a listing shows a key: the prefix with three characters, and the last four."""
        kept = len(_PREFIX[key.owner]) + 3
        return key.value[:kept] + self.mask + key.value[-4:]

    # Requests

    def throttled(self) -> Response:
        return Denied(429, "Rate limit reached", "rate_limit_exceeded", "requests").response._replace(
            headers={"Retry-After": "1"}
        )

    def handle(self, request: Request) -> Response:
        try:
            key = self._authenticate(request)
            return Response(200, self._route(request, key))
        except Denied as denied:
            return denied.response
        except ValueError:
            return Denied(400, "We could not parse the JSON body of your request.").response

    def _authenticate(self, request: Request) -> Key:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not value:
            raise Denied(401, "You didn't provide an API key.")
        now = self.clock.now()
        for key in [*self.keys.values(), *self._gone]:
            if key.value != value or (key.refused_from is not None and now >= key.refused_from):
                continue
            if key.expires is not None and now >= key.expires:
                continue
            if value in self.blocked:
                raise Denied(403, "Your IP is not authorized to use this key.", "ip_not_authorized")
            key.last_used = now
            return key
        # the vendor's message shows the key's two ends as well
        raise Denied(401, f"Incorrect API key provided: {value[:8]}***{value[-4:]}.", "invalid_api_key")

    def _needs(self, key: Key, *scopes: str) -> None:
        """Raises Denied where none of these scopes is there."""
        held = key.scopes_before if self.clock.now() < key.loose_until else key.scopes
        if held and not set(held) & {*scopes, "api.all"}:
            missing = f"Missing scopes: {scopes[0]}."
            raise Denied(self.scope_status, f"You have insufficient permissions for this operation. {missing}")

    def _route(self, request: Request, key: Key) -> object:
        method, path = request.method, request.path
        if path.startswith("/v1/organization/"):
            return self._administration(request, key, path.removeprefix("/v1/organization"))
        if key.owner == "admin":
            raise Denied(self.scope_status, "You have insufficient permissions for this operation. Missing scopes: model.read.")
        if (method, path) == ("GET", "/v1/models"):
            self._needs(key, MODELS_READ, READ_ALL)
            if not key.quota:
                raise Denied(429, "You exceeded your current quota.", "insufficient_quota", "insufficient_quota")
            return {"object": "list", "data": [{"id": "gpt-5", "object": "model", "created": 1, "owned_by": "openai"}]}
        if (method, path) == ("POST", "/v1/embeddings"):
            self._needs(key, MODEL_REQUEST)
            return {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.0]}], "model": "m"}
        raise Denied(404, f"Invalid URL ({method} {path})")

    def _administration(self, request: Request, key: Key, path: str) -> object:
        if key.owner != "admin":
            missing = MANAGE_READ if request.method == "GET" else MANAGE_WRITE
            raise Denied(403, f"You have insufficient permissions for this operation. Missing scopes: {missing}.")
        self._needs(key, *((MANAGE_READ, MANAGE_WRITE) if request.method == "GET" else (MANAGE_WRITE,)))
        for method, pattern, name in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method == request.method:
                arguments = {} if method in ("GET", "DELETE") else request.json()
                if not isinstance(arguments, dict | None):
                    raise Denied(400, "the body is not an object")
                answer: object = getattr(self, name)(request, arguments or {}, *match.groups())
                return answer
        raise Denied(404, f"Invalid URL ({request.method} {request.path})")

    # Projects and service accounts

    def _project(self, id: str, *, changing: bool = False) -> Project:
        project = self.projects.get(id)
        if project is None:
            raise Denied(404, "No project found with that id.", "not_found")
        if project.archived and changing:
            raise Denied(400, "The project is archived.", "project_archived")
        return project

    def _account(self, project: Project, id: str) -> Account:
        if id not in project.accounts:
            raise Denied(404, "No service account found with that id.", "not_found")
        return project.accounts[id]

    def _projects(self, request: Request, _: Mapping[str, Any]) -> object:
        archived = request.query.get("include_archived") == "true"
        return _page(request, [_project_row(each) for each in self.projects.values() if archived or not each.archived])

    def _get_project(self, request: Request, _: Mapping[str, Any], project: str) -> object:
        return _project_row(self._project(project))

    def _create_project(self, request: Request, arguments: Mapping[str, Any]) -> object:
        return _project_row(self.make_project(_text(arguments, "name")))

    def _archive_project(self, request: Request, _: Mapping[str, Any], id: str) -> object:
        project = self._project(id)
        project.archived = project.archived or self.clock.now()
        project.accounts.clear()
        for key in [each for each in self.keys.values() if each.project == id]:
            self._remove(key)
        return _project_row(project)

    def _accounts(self, request: Request, _: Mapping[str, Any], project: str) -> object:
        return _page(request, [_account_row(each) for each in self._project(project).accounts.values()])

    def _get_account(self, request: Request, _: Mapping[str, Any], project: str, id: str) -> object:
        return _account_row(self._account(self._project(project), id))

    def _create_account(self, request: Request, arguments: Mapping[str, Any], id: str) -> object:
        project, bare = self._project(id, changing=True), bool(arguments.get("create_service_account_only"))
        lifetime = _lifetime(arguments)
        if bare and lifetime is not None:
            raise Denied(400, "expires_in_seconds cannot be used with create_service_account_only")
        account = self.make_account(project, _text(arguments, "name"), "none" if bare else "member")
        key = None if bare else self.make_key("service_account", id, account.id, "Secret Key", expires_in=lifetime)
        return {**_account_row(account), "api_key": None if key is None else _created_row(key)}

    def _delete_account(self, request: Request, _: Mapping[str, Any], id: str, account: str) -> object:
        project = self._project(id, changing=True)
        del project.accounts[self._account(project, account).id]
        for key in [each for each in self.keys.values() if each.account == account]:
            self._remove(key)
        return {"object": "organization.project.service_account.deleted", "id": account, "deleted": True}

    # Keys

    def _remove(self, key: Key) -> None:
        key.refused_from = self.clock.now() + self.propagation
        self._gone.append(self.keys.pop(key.id))

    def _row(self, key: Key) -> dict[str, object]:
        project = self.projects[key.project]
        row: dict[str, object] = {"object": "organization.project.api_key", "id": key.id, "name": key.name}
        row |= {"created_at": int(key.created), "last_used_at": _whole(key.last_used), "expires_at": _whole(key.expires)}
        if key.owner == "service_account":
            account = project.accounts[key.account]
            who = {"id": account.id, "created_at": int(account.created), "name": account.name, "role": account.role}
        else:
            who = {
                "id": key.account or "user_1",
                "created_at": 1,
                "name": "Somebody",
                "role": "member",
                "email": "a@example.org",
            }
        kind = "service_account" if key.owner == "service_account" else "user"
        access = "inactive" if key.account.endswith("-outside") else "active"
        return row | {"owner": {"type": kind, kind: who}, "owner_project_access": access, "redacted_value": self.redact(key)}

    def _keys(self, request: Request, _: Mapping[str, Any], project: str) -> object:
        self._project(project)
        wanted = request.query.get("owner_project_access")
        if wanted not in (None, "active", "inactive", "any"):
            raise Denied(400, "owner_project_access is not one of active, inactive, any")
        rows = [self._row(key) for key in self.keys.values() if key.project == project]
        shown = [r for r in rows if wanted == "any" or r["owner_project_access"] == (wanted or "active")]
        return _page(request, shown)

    def _key(self, project: str, id: str) -> Key:
        self._project(project)
        key = self.keys.get(id)
        if key is None or key.project != project:
            raise Denied(404, "No API key found with that id.", "not_found")
        return key

    def _get_key(self, request: Request, _: Mapping[str, Any], project: str, id: str) -> object:
        return self._row(self._key(project, id))

    def _create_key(self, request: Request, arguments: Mapping[str, Any], project: str, account: str) -> object:
        found = self._account(self._project(project, changing=True), account)
        scopes, lifetime = _scopes(arguments) or (), _lifetime(arguments)
        name = arguments.get("name") or "Secret Key"
        return _created_row(self.make_key("service_account", project, found.id, str(name), scopes, expires_in=lifetime))

    def _update_key(self, request: Request, arguments: Mapping[str, Any], project: str, id: str) -> object:
        key, scopes, lifetime = self._key(project, id), _scopes(arguments), _lifetime(arguments, null=False)
        if scopes is None and lifetime is None:
            raise Denied(400, "Provide at least one of scopes or expires_in_seconds.")
        if key.expires is not None and self.clock.now() >= key.expires:
            raise Denied(400, "Expired keys cannot be updated.", "api_key_expired")
        if scopes is not None:
            key.scopes_before, key.loose_until = key.scopes, self.clock.now() + self.propagation
            key.scopes = tuple(scopes)
        if lifetime is not None:
            key.expires = self.clock.now() + lifetime
        return self._row(key)

    def _delete_key(self, request: Request, _: Mapping[str, Any], project: str, id: str) -> object:
        self._remove(self._key(project, id))
        return {"object": "organization.project.api_key.deleted", "id": id, "deleted": True}

    # Admin keys

    def _admin_row(self, key: Key) -> dict[str, object]:
        owner = {
            "object": "organization.user",
            "type": "user",
            "id": "user_1",
            "name": "Somebody",
            "created_at": 1,
            "role": "owner",
        }
        times = {"created_at": int(key.created), "last_used_at": _whole(key.last_used), "expires_at": _whole(key.expires)}
        named = {"object": "organization.admin_api_key", "id": key.id, "name": key.name}
        return {**named, "redacted_value": self.redact(key), "owner": owner, **times}

    def _admin_key(self, id: str) -> Key:
        key = self.keys.get(id)
        if key is None or key.owner != "admin":
            raise Denied(404, "No admin API key found with that id.", "not_found")
        return key

    def _admin_keys(self, request: Request, _: Mapping[str, Any]) -> object:
        return _page(request, [self._admin_row(key) for key in self.keys.values() if key.owner == "admin"])

    def _get_admin_key(self, request: Request, _: Mapping[str, Any], id: str) -> object:
        return self._admin_row(self._admin_key(id))

    def _create_admin_key(self, request: Request, arguments: Mapping[str, Any]) -> object:
        key = self.make_key("admin", name=_text(arguments, "name"), expires_in=_lifetime(arguments))
        return {**self._admin_row(key), "value": key.value}

    def _delete_admin_key(self, request: Request, _: Mapping[str, Any], id: str) -> object:
        self._remove(self._admin_key(id))
        return {"object": "organization.admin_api_key.deleted", "id": id, "deleted": True}


_ID = r"([A-Za-z0-9_-]+)"
_PROJECTS, _ADMIN = "/projects", "/admin_api_keys"
_ACCOUNTS, _KEYS = f"{_PROJECTS}/{_ID}/service_accounts", f"{_PROJECTS}/{_ID}/api_keys"
_ROUTES = (
    ("GET", _PROJECTS, "_projects"),
    ("POST", _PROJECTS, "_create_project"),
    ("GET", f"{_PROJECTS}/{_ID}", "_get_project"),
    ("POST", f"{_PROJECTS}/{_ID}/archive", "_archive_project"),
    ("GET", _ACCOUNTS, "_accounts"),
    ("POST", _ACCOUNTS, "_create_account"),
    ("GET", f"{_ACCOUNTS}/{_ID}", "_get_account"),
    ("DELETE", f"{_ACCOUNTS}/{_ID}", "_delete_account"),
    ("POST", f"{_ACCOUNTS}/{_ID}/api_keys", "_create_key"),
    ("GET", _KEYS, "_keys"),
    ("GET", f"{_KEYS}/{_ID}", "_get_key"),
    ("POST", f"{_KEYS}/{_ID}", "_update_key"),
    ("DELETE", f"{_KEYS}/{_ID}", "_delete_key"),
    ("GET", _ADMIN, "_admin_keys"),
    ("POST", _ADMIN, "_create_admin_key"),
    ("GET", f"{_ADMIN}/{_ID}", "_get_admin_key"),
    ("DELETE", f"{_ADMIN}/{_ID}", "_delete_admin_key"),
)
"""Method, path below /v1/organization, and the method that answers."""


def _id(prefix: str) -> str:
    return prefix + secrets.token_hex(12)


def _whole(time: float | None) -> int | None:
    return None if time is None else int(time)


def _text(arguments: Mapping[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not value:
        raise Denied(400, f"Missing required parameter: '{name}'.", "missing_required_parameter")
    return value


def _lifetime(arguments: Mapping[str, Any], *, null: bool = True) -> int | None:
    """`expires_in_seconds`. Raises Denied for one out of range."""
    value = arguments.get("expires_in_seconds")
    if value is None and (null or "expires_in_seconds" not in arguments):
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LONGEST:
        raise Denied(400, f"expires_in_seconds must be from 1 to {LONGEST}", "invalid_value")
    return value


def _scopes(arguments: Mapping[str, Any]) -> Sequence[str] | None:
    if "scopes" not in arguments:
        return None
    scopes = arguments["scopes"]
    if not isinstance(scopes, list) or not all(isinstance(each, str) and each for each in scopes):
        raise Denied(400, "scopes must be a list of text", "invalid_type")
    return scopes


def _project_row(project: Project) -> dict[str, object]:
    status = "archived" if project.archived else "active"
    times = {"created_at": int(project.created), "archived_at": _whole(project.archived)}
    return {"object": "organization.project", "id": project.id, "name": project.name, "status": status, **times}


def _account_row(account: Account) -> dict[str, object]:
    row: dict[str, object] = {"object": "organization.project.service_account", "id": account.id, "name": account.name}
    return {**row, "role": account.role, "created_at": int(account.created)}


def _created_row(key: Key) -> dict[str, object]:
    row: dict[str, object] = {"object": "organization.project.service_account.api_key", "id": key.id, "name": key.name}
    return {**row, "value": key.value, "created_at": int(key.created), "expires_at": _whole(key.expires)}


def _page(request: Request, rows: list[dict[str, object]]) -> dict[str, object]:
    """One page: `limit` rows behind the one that `after` names."""
    limit = request.query.get("limit", "20")
    if not limit.isdigit() or not 1 <= int(limit) <= 100:
        raise Denied(400, "limit must be from 1 to 100")
    ids = [row["id"] for row in rows]
    after = request.query.get("after")
    if after and after not in ids:
        raise Denied(400, "after names nothing")
    start = ids.index(after) + 1 if after else 0
    page = rows[start : start + int(limit)]
    ends = {"first_id": page[0]["id"] if page else None, "last_id": page[-1]["id"] if page else None}
    return {"object": "list", "data": page, **ends, "has_more": start + int(limit) < len(rows)}
