"""OpenRouter's keys: made, capped, stopped and deleted by a management key, which looks like any other key."""

from __future__ import annotations

import datetime
import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from keyward.plugin.clock import Clock
from keyward.testing.fakes.server import FakeProvider, Request, Response

PER_PAGE = 100
"""Keys on one page of the listing; the next page is asked for by `offset`."""

_RESETS = (None, "daily", "weekly", "monthly")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")


class Key:
    """One key. `hash`: how it is listed. `management`: whether it makes other keys (and calls no models)."""

    def __init__(self, value: str, hash: str, name: str, created: float, management: bool) -> None:
        self.value, self.hash, self.name, self.created, self.management = value, hash, name, created, management
        self.disabled = False
        self.refused_from: float | None = None
        self.limit: float | None = None
        self.limit_reset: str | None = None
        self.usage = 0.0
        self.expires: float | None = None
        self.last_used: float | None = None
        self.updated: float | None = None
        self.workspace = "ws_default"

    @property
    def label(self) -> str:
        """What is shown of the value."""
        return f"{self.value[:12]}...{self.value[-3:]}"


class Denied(Exception):
    """An answer with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.response = Response(status, {"error": {"code": status, "message": message}})


class FakeOpenRouter(FakeProvider):
    """One account with one management key (`management`, a Key). Its API begins at `url + "/api/v1"`.

    `hash_is_sha256`: whether a key's hash is the SHA-256 of its value, which everybody believes and nobody documents.
    """

    RULES: ClassVar[tuple[str, ...]] = (
        "GET /api/v1/key and its fields: https://openrouter.ai/docs/api/api-reference/api-keys/get-current-api-key",
        "list by offset, disabled ones on demand: https://openrouter.ai/docs/api/api-reference/api-keys/list",
        "expired ones only with include_expired, other workspaces only with workspace_id: openrouter 1.3.84, operations/list.py",
        "create with name, limit, limit_reset, expires_at with seconds; 201, the key once: openrouter 1.3.84, operations/createkeys.py",
        "PATCH name, disabled, limit, limit_reset: openrouter 1.3.84, operations/updatekeys.py",
        "DELETE answers deleted: openrouter 1.3.84, operations/deletekeys.py",
        "only a management key may, and it calls no models: https://openrouter.ai/docs/features/provisioning-api-keys",
        "401 and 402, error with code and message: https://openrouter.ai/docs/api/reference/errors-and-debugging",
        "the hash is the SHA-256 of the key: not documented; an option here",
    )

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        latency: float = 0.0,
        rate: float = 0.0,
        propagation: float = 0.0,
        hash_is_sha256: bool = True,
    ) -> None:
        super().__init__(clock=clock, latency=latency, rate=rate, propagation=propagation)
        self.hash_is_sha256 = hash_is_sha256
        self.keys: dict[str, Key] = {}
        self._gone: list[Key] = []
        self.management = self.make_key("Management", management=True)

    def make_key(self, name: str, *, management: bool = False, value: str = "") -> Key:
        """A new key, as the web page makes it."""
        with self.lock:
            made = value or f"sk-or-v1-{secrets.token_hex(32)}"
            hash = hashlib.sha256(made.encode()).hexdigest() if self.hash_is_sha256 else secrets.token_hex(32)
            key = Key(made, hash, name, self.clock.now(), management)
            self.keys[hash] = key
            return key

    # Requests

    def throttled(self) -> Response:
        return Denied(429, "Rate limit exceeded").response._replace(headers={"Retry-After": "1"})

    def handle(self, request: Request) -> Response:
        try:
            key = self._authenticate(request)
            return self._route(request, key)
        except Denied as denied:
            return denied.response
        except ValueError:
            return Denied(400, "the body is not valid JSON").response

    def _authenticate(self, request: Request) -> Key:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not value:
            raise Denied(401, "Missing Authentication header")
        now = self.clock.now()
        for key in [*self.keys.values(), *self._gone]:
            alive = key.refused_from is None or now < key.refused_from
            if key.value == value and alive and (key.expires is None or now < key.expires):
                return key
        raise Denied(401, "User not found.")

    def _route(self, request: Request, key: Key) -> Response:
        method, path = request.method, request.path
        if (method, path) == ("GET", "/api/v1/key"):
            return Response(200, {"data": self._current(key)})
        if (method, path) == ("POST", "/api/v1/chat/completions"):
            return self._complete(key)
        match = re.fullmatch(r"/api/v1/keys(?:/([^/]+))?", path)
        if match is None:
            raise Denied(404, "Not Found")
        if not key.management:
            raise Denied(401, "Invalid management key")
        arguments = request.json() if method in ("POST", "PATCH") else {}
        if not isinstance(arguments, dict):
            raise Denied(400, "the body is not an object")
        if match[1] is None:
            if method == "GET":
                return Response(200, {"data": self._listed(request)})
            if method == "POST":
                return self._create(arguments)
            raise Denied(404, "Not Found")
        found = self._find(match[1])
        if method == "GET":
            return Response(200, {"data": self._row(found)})
        if method == "PATCH":
            self._change(found, arguments)
            return Response(200, {"data": self._row(found)})
        if method == "DELETE":
            found.refused_from = found.refused_from or self.clock.now() + self.propagation
            self._gone.append(self.keys.pop(found.hash))
            return Response(200, {"deleted": True})
        raise Denied(404, "Not Found")

    def _complete(self, key: Key) -> Response:
        """One model call: it costs a tenth of a dollar."""
        if key.management:
            raise Denied(403, "Management keys cannot be used for completions")
        if key.limit is not None and key.usage >= key.limit:
            raise Denied(403, "Key limit exceeded")
        key.usage += 0.1
        key.last_used = self.clock.now()
        return Response(200, {"id": "gen-1", "object": "chat.completion", "choices": []})

    def _find(self, hash: str) -> Key:
        if hash not in self.keys or self.keys[hash].management:
            raise Denied(404, "API key not found")
        return self.keys[hash]

    def _listed(self, request: Request) -> list[dict[str, object]]:
        query = request.query
        offset = query.get("offset") or "0"
        if not offset.isdigit():
            raise Denied(400, "offset must be a number")
        shown = [
            self._row(key)
            for key in reversed(self.keys.values())  # the newest first
            if not key.management
            and key.workspace == query.get("workspace_id", "ws_default")
            and (not key.disabled or query.get("include_disabled") == "true")
            and (key.expires is None or self.clock.now() < key.expires or query.get("include_expired") == "true")
        ]
        return shown[int(offset) : int(offset) + PER_PAGE]

    def _create(self, arguments: Mapping[str, Any]) -> Response:
        name = arguments.get("name")
        if not isinstance(name, str) or not name:
            raise Denied(400, "name is required")
        limit, reset = _limit(arguments), _reset(arguments)
        expires = self._moment(arguments.get("expires_at"))
        key = self.make_key(name)
        key.limit, key.limit_reset, key.expires = limit, reset, expires
        key.workspace = arguments.get("workspace_id") or key.workspace
        return Response(201, {"data": self._row(key), "key": key.value})

    def _moment(self, text: object) -> float | None:
        if text is None:
            return None
        if not isinstance(text, str) or not _MOMENT.fullmatch(text):
            raise Denied(400, "expires_at must be an ISO 8601 UTC timestamp with seconds")
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
        if moment <= self.clock.now():
            raise Denied(400, "expires_at must be in the future")
        return moment

    def _change(self, key: Key, arguments: Mapping[str, Any]) -> None:
        limit, reset = _limit(arguments), _reset(arguments)
        disabled = arguments.get("disabled")
        if disabled is not None and not isinstance(disabled, bool):
            raise Denied(400, "disabled must be true or false")
        if disabled is not None and disabled != key.disabled:
            key.disabled = disabled
            key.refused_from = self.clock.now() + self.propagation if disabled else None
        key.limit = limit if "limit" in arguments else key.limit
        key.limit_reset = reset if "limit_reset" in arguments else key.limit_reset
        key.name = arguments.get("name") or key.name
        key.updated = self.clock.now()

    # What is shown

    def _money(self, key: Key) -> dict[str, object]:
        left = None if key.limit is None else max(0.0, key.limit - key.usage)
        used = dict.fromkeys(("usage", "usage_daily", "usage_weekly", "usage_monthly"), key.usage)
        own = dict.fromkeys(("byok_usage", "byok_usage_daily", "byok_usage_weekly", "byok_usage_monthly"), 0.0)
        caps = {"limit": key.limit, "limit_remaining": left, "limit_reset": key.limit_reset, "include_byok_in_limit": False}
        return {**used, **own, **caps}

    def _row(self, key: Key) -> dict[str, object]:
        named: dict[str, object] = {"hash": key.hash, "name": key.name, "label": key.label, "disabled": key.disabled}
        times = {"created_at": _when(key.created), "updated_at": _when(key.updated), "expires_at": _when(key.expires)}
        owner = {"creator_user_id": "user_1", "external_user": None, "workspace_id": key.workspace}
        return {**named, **self._money(key), **times, "last_used_at": _when(key.last_used), **owner}

    def _current(self, key: Key) -> dict[str, object]:
        kind = {"is_management_key": key.management, "is_provisioning_key": key.management, "is_free_tier": False}
        owner = {"creator_user_id": "user_1", "organization_id": None, "workspace_id": key.workspace}
        limits: dict[str, object] = {"rate_limit": {"requests": -1, "interval": "10s", "note": "deprecated"}}
        limits |= {"budgets": [], "effective_budget": None, "allowed_data_regions": ["global"]}
        limits |= {
            "free_model_daily_requests": {
                "limit": 1000,
                "used": 0,
                "remaining": 1000,
                "resets_at": _when(self.clock.now() + 3600),
            }
        }
        return {"label": key.label, **kind, **self._money(key), **owner, **limits, "expires_at": _when(key.expires)}


def _limit(arguments: Mapping[str, Any]) -> float | None:
    limit = arguments.get("limit")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | float) or limit < 0):
        raise Denied(400, "limit must be a number")
    return None if limit is None else float(limit)


def _reset(arguments: Mapping[str, Any]) -> str | None:
    reset = arguments.get("limit_reset")
    if reset not in _RESETS:
        raise Denied(400, "limit_reset must be daily, weekly or monthly")
    return reset


def _when(time: float | None) -> str | None:
    return None if time is None else datetime.datetime.fromtimestamp(time, datetime.UTC).isoformat().replace("+00:00", "Z")
