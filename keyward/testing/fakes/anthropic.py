"""Anthropic's keys, as far as its Admin API reaches: listed, renamed, stopped and archived, never created.

`console_create_key` plays the person in the console, the only one who can make a key.
"""

from __future__ import annotations

import datetime
import re
import secrets
import string
from collections.abc import Mapping
from typing import Any, ClassVar

from keyward.plugin.clock import Clock
from keyward.testing.fakes.server import FakeProvider, Request, Response

VERSIONS = ("2023-06-01", "2026-10-21")
MOST_PER_PAGE = 1000

_LETTERS = string.ascii_letters + string.digits + "_-"
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class Key:
    """One key. `status`: `active`, `inactive` or `archived`; `expired` is told by the clock. `refused_from`: when it stops to
    work. `principal`: whom it acts as, as the listing shows it."""

    def __init__(self, id: str, value: str, name: str, workspace: str | None, creator: str, created: float) -> None:
        self.id, self.value, self.name, self.workspace, self.creator = id, value, name, workspace, creator
        self.created, self.status = created, "active"
        self.principal: dict[str, str] | None = None
        self.expires: float | None = None
        self.refused_from: float | None = None


class Workspace:
    def __init__(self, id: str, name: str, created: float) -> None:
        self.id, self.name, self.created = id, name, created
        self.archived: float | None = None
        self.tags: dict[str, str] = {}


class Denied(Exception):
    """An answer with an error. `code`: where the vendor has one for a limit."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        error: dict[str, object] = {"type": _TYPES[status], "message": message}
        if code:
            error |= {"error_code": code, "details": {"error_code": code}}
        self.response = Response(status, {"type": "error", "error": error, "request_id": "req_" + secrets.token_hex(8)})


class FakeAnthropic(FakeProvider):
    """One organisation with a default workspace and one admin key (`admin`, a value).

    `most_active`: how many active keys a workspace may have (0: no limit). `archive_kills`: whether the keys of an archived
    workspace die. `blocked`: values of keys that may not do what they ask.
    """

    RULES: ClassVar[tuple[str, ...]] = (
        "x-api-key and anthropic-version, errors with type and message: https://platform.claude.com/docs/en/api/errors",
        "the key may also come as a bearer, which is how the SDK sends it: anthropic 2.12, _client.py",
        "GET /v1/models tells whether a key works: https://platform.claude.com/docs/en/api/models-list",
        "admin keys, which call no models, and the endpoints they open: https://platform.claude.com/docs/en/manage-claude/admin-api-keys",
        "listing, filters, after_id and before_id, 20 by default and 1000 at most: anthropic 2.12, organization/api_keys.py",
        "status active, inactive, archived; expired is only shown: the same file",
        "no key can be created: the same file, and https://platform.claude.com/docs/en/get-api-key",
        "an archived key is not brought back: https://platform.claude.com/docs/en/manage-claude/admin-api-keys",
        "limits on active keys, workspace_api_key_limit_exceeded: anthropic 2.12, workspace_api_key_limit_exceeded_error.py",
        "workspaces are created, listed, archived: anthropic 2.12, organization/workspaces",
        "archiving a workspace ends its keys: https://platform.claude.com/docs/en/manage-claude/workspaces",
        "service account endpoints refuse an admin key: https://platform.claude.com/docs/en/manage-claude/wif-reference",
    )

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        latency: float = 0.0,
        rate: float = 0.0,
        propagation: float = 0.0,
        most_active: int = 0,
        archive_kills: bool = True,
    ) -> None:
        super().__init__(clock=clock, latency=latency, rate=rate, propagation=propagation)
        self.most_active, self.archive_kills = most_active, archive_kills
        self.organization = {"id": "12345678-0000-4000-8000-123456789012", "type": "organization", "name": "Acme"}
        self.default = Workspace("wrkspc_default", "Default", self.clock.now())
        self.workspaces: dict[str, Workspace] = {self.default.id: self.default}
        self.keys: dict[str, Key] = {}
        self.blocked: set[str] = set()
        self.admin = f"sk-ant-admin01-{_random(93)}AA"
        self._admins: set[str] = {self.admin}

    # What people do in the console

    def console_create_key(
        self,
        name: str,
        workspace: str = "",
        *,
        principal: Mapping[str, str] | None = None,
        expires_in: float | None = None,
        value: str = "",
        creator: str = "user_1",
    ) -> Key:
        """A new key, as a person makes it; its value is shown to nobody else. Raises Denied where there are too many."""
        with self.lock:
            place = workspace or self.default.id
            self._room(place)
            made = value or f"sk-ant-api03-{_random(93)}AA"
            key = Key("apikey_" + secrets.token_hex(12), made, name, place, creator, self.clock.now())
            key.principal = None if principal is None else dict(principal)
            key.expires = None if expires_in is None else self.clock.now() + expires_in
            self.keys[key.id] = key
            return key

    def console_revoke_admin(self, value: str) -> None:
        """Ends an admin key; only the console can."""
        with self.lock:
            self._admins.discard(value)

    def _room(self, workspace: str) -> None:
        active = sum(each.status == "active" and each.workspace == workspace for each in self.keys.values())
        if self.most_active and active >= self.most_active:
            raise Denied(400, "the workspace has reached its limit of active API keys", "workspace_api_key_limit_exceeded")

    # Requests

    def throttled(self) -> Response:
        return Denied(429, "This request would exceed your rate limit.").response._replace(headers={"Retry-After": "1"})

    def handle(self, request: Request) -> Response:
        try:
            value = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
            key, admin = self._authenticate(value), value in self._admins
            if request.headers.get("anthropic-version") not in VERSIONS:
                raise Denied(400, "anthropic-version: header is required")
            return Response(200, self._route(request, key, admin))
        except Denied as denied:
            return denied.response
        except ValueError:
            return Denied(400, "the body is not valid JSON").response

    def _authenticate(self, value: str) -> Key | None:
        """The key; None for an admin key. Raises Denied."""
        if not value:
            raise Denied(401, "x-api-key header is required")
        if value in self._admins:
            return None
        now = self.clock.now()
        for key in self.keys.values():
            if key.value == value and (key.refused_from is None or now < key.refused_from) and not self._expired(key):
                if value in self.blocked:
                    raise Denied(403, "Your API key does not have permission to use the specified resource.")
                return key
        raise Denied(401, "invalid x-api-key")

    def _expired(self, key: Key) -> bool:
        return key.expires is not None and self.clock.now() >= key.expires

    def _route(self, request: Request, key: Key | None, admin: bool) -> object:
        if request.path.startswith("/v1/organizations/"):
            if not admin and request.path != "/v1/organizations/me":
                raise Denied(403, "This endpoint needs an admin API key.")
            return self._administration(request)
        if key is None:
            raise Denied(401, "invalid x-api-key")
        if (request.method, request.path) == ("GET", "/v1/models"):
            model = {
                "type": "model",
                "id": "claude-opus-4-5",
                "display_name": "Opus",
                "created_at": _when(1.0),
                "lifecycle": "active",
            }
            return {"data": [model], "has_more": False, "first_id": model["id"], "last_id": model["id"]}
        if (request.method, request.path) == ("POST", "/v1/messages"):
            return {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "content": [],
                "model": "m",
                "stop_reason": "end_turn",
            }
        raise Denied(404, "Not found")

    def _administration(self, request: Request) -> object:
        path = request.path.removeprefix("/v1/organizations")
        for method, pattern, name in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method == request.method:
                arguments = request.json() if method == "POST" else {}
                if not isinstance(arguments, dict | None):
                    raise Denied(400, "the body is not an object")
                answer: object = getattr(self, name)(request, arguments or {}, *match.groups())
                return answer
        if path.startswith("/service_accounts"):
            raise Denied(403, "This endpoint needs an OAuth token with org:admin.")
        raise Denied(404, "Not found")

    def _me(self, request: Request, _: Mapping[str, Any]) -> object:
        return self.organization

    # Keys

    def hint(self, key: Key) -> str:
        """What a listing shows of the value."""
        return f"{key.value[:16]}...{key.value[-4:]}"

    def _status(self, key: Key) -> str:
        return "expired" if key.status == "active" and self._expired(key) else key.status

    def _row(self, key: Key) -> dict[str, object]:
        scope = {"type": "organization"} if key.workspace is None else {"type": "workspace", "workspace_id": key.workspace}
        row: dict[str, object] = {
            "id": key.id,
            "type": "api_key",
            "name": key.name,
            "status": self._status(key),
            "scope": scope,
        }
        row |= {"workspace_id": None if key.workspace == self.default.id else key.workspace, "principal": key.principal}
        row |= {"created_by": {"id": key.creator, "type": "user"}, "partial_key_hint": self.hint(key)}
        return row | {"created_at": _when(key.created), "expires_at": None if key.expires is None else _when(key.expires)}

    def _keys(self, request: Request, _: Mapping[str, Any]) -> object:
        query = request.query
        if query.get("status") not in (None, "active", "inactive", "archived", "expired"):
            raise Denied(400, "status: not one of active, inactive, archived, expired")
        rows = [
            self._row(key)
            for key in self.keys.values()
            if query.get("status") in (None, self._status(key))
            and query.get("workspace_id") in (None, key.workspace)
            and query.get("created_by_user_id") in (None, key.creator)
        ]
        return _page(request, rows)

    def _key(self, id: str) -> Key:
        if id not in self.keys:
            raise Denied(404, "API key not found")
        return self.keys[id]

    def _get_key(self, request: Request, _: Mapping[str, Any], id: str) -> object:
        return self._row(self._key(id))

    def _update_key(self, request: Request, arguments: Mapping[str, Any], id: str) -> object:
        key, status, name = self._key(id), arguments.get("status"), arguments.get("name")
        if status not in (None, "active", "inactive", "archived"):
            raise Denied(400, "status: not one of active, inactive, archived")
        if key.status == "archived" and status not in (None, "archived"):
            raise Denied(400, "an archived API key cannot be changed")
        if status == "active" and key.status != "active":
            self._room(key.workspace or "")
        if name is not None:
            if not isinstance(name, str) or not 1 <= len(name) <= 500:
                raise Denied(400, "name: must have 1 to 500 characters")
            key.name = name
        if status is not None and status != key.status:
            if status == "active":
                key.refused_from = None
            elif key.status == "active":
                key.refused_from = self.clock.now() + self.propagation
            key.status = status
        return self._row(key)

    # Workspaces

    def _workspaces(self, request: Request, _: Mapping[str, Any]) -> object:
        archived = request.query.get("include_archived") == "true"
        default = request.query.get("include_default") == "true"
        return _page(
            request,
            [
                _workspace_row(each)
                for each in self.workspaces.values()
                if (archived or not each.archived) and (default or each is not self.default)
            ],
        )

    def _workspace(self, id: str) -> Workspace:
        if id not in self.workspaces:
            raise Denied(404, "Workspace not found")
        return self.workspaces[id]

    def _get_workspace(self, request: Request, _: Mapping[str, Any], id: str) -> object:
        return _workspace_row(self._workspace(id))

    def _create_workspace(self, request: Request, arguments: Mapping[str, Any]) -> object:
        name, tags = arguments.get("name"), arguments.get("tags") or {}
        if not isinstance(name, str) or not 1 <= len(name) <= 40:
            raise Denied(400, "name: must have 1 to 40 characters")
        if not isinstance(tags, dict) or any(str(tag).startswith("anthropic") for tag in tags):
            raise Denied(400, "tags: keys may not begin with `anthropic`")
        workspace = Workspace("wrkspc_" + secrets.token_hex(12), name, self.clock.now())
        workspace.tags = {str(tag): str(value) for tag, value in tags.items()}
        self.workspaces[workspace.id] = workspace
        return _workspace_row(workspace)

    def _archive_workspace(self, request: Request, _: Mapping[str, Any], id: str) -> object:
        workspace = self._workspace(id)
        if workspace is self.default:
            raise Denied(400, "the default workspace cannot be archived")
        workspace.archived = workspace.archived or self.clock.now()
        for key in self.keys.values():
            if key.workspace == id and key.status != "archived" and self.archive_kills:
                key.refused_from = key.refused_from or self.clock.now() + self.propagation
                key.status = "archived"
        return _workspace_row(workspace)


_ID = r"([A-Za-z0-9_-]+)"
_ROUTES = (
    ("GET", "/me", "_me"),
    ("GET", "/api_keys", "_keys"),
    ("GET", f"/api_keys/{_ID}", "_get_key"),
    ("POST", f"/api_keys/{_ID}", "_update_key"),
    ("GET", "/workspaces", "_workspaces"),
    ("POST", "/workspaces", "_create_workspace"),
    ("GET", f"/workspaces/{_ID}", "_get_workspace"),
    ("POST", f"/workspaces/{_ID}/archive", "_archive_workspace"),
)
"""Method, path below /v1/organizations, and the method that answers."""


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _when(time: float) -> str:
    return datetime.datetime.fromtimestamp(time, datetime.UTC).isoformat().replace("+00:00", "Z")


def _workspace_row(workspace: Workspace) -> dict[str, object]:
    row: dict[str, object] = {"id": workspace.id, "type": "workspace", "name": workspace.name, "tags": workspace.tags}
    row |= {"display_color": "#6C5BB9", "compartment_id": "cmpt_1", "external_key_id": None}
    row |= {
        "data_residency": {"workspace_geo": "us", "allowed_inference_geos": "unrestricted", "default_inference_geo": "global"}
    }
    archived = None if workspace.archived is None else _when(workspace.archived)
    return row | {"created_at": _when(workspace.created), "archived_at": archived}


def _page(request: Request, rows: list[dict[str, object]]) -> dict[str, object]:
    """One page behind `after_id`, or before `before_id`."""
    limit = request.query.get("limit", "20")
    if not limit.isdigit() or not 1 <= int(limit) <= MOST_PER_PAGE:
        raise Denied(400, f"limit: must be from 1 to {MOST_PER_PAGE}")
    ids, size = [row["id"] for row in rows], int(limit)
    after, before = request.query.get("after_id"), request.query.get("before_id")
    if (after or before or (ids or [""])[0]) not in ids and (after or before):
        raise Denied(400, "the cursor names nothing")
    if before:
        end = ids.index(before)
        page, more = rows[max(0, end - size) : end], end > size
    else:
        start = ids.index(after) + 1 if after else 0
        page, more = rows[start : start + size], start + size < len(rows)
    ends = {"first_id": page[0]["id"] if page else None, "last_id": page[-1]["id"] if page else None}
    return {"data": page, "has_more": more, **ends}
