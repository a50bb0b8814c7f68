"""OpenRouter keys.

What is possible: a new key with the rotation's mark in its name, a spending limit that may be reset daily, weekly or monthly, and an
  expiry; a key is stopped (disabled, which can be undone) and deleted.
What is manual: management keys, at openrouter.ai/settings/management-keys. They look like any other key and are not listed.

Settings           | read from | meaning
limit              | scope     | US dollars that the key may spend; default none
limit_reset        | scope     | `daily`, `weekly` or `monthly`: when the limit is counted anew
workspace          | scope     | id of the workspace; default the account's default one
expiry             | entry     | how long a new key lives
base_url           | target    | default https://openrouter.ai
secret             | admin     | a management key

Rights: a management key. It cannot be narrowed to a workspace.
Traps: a listing shows a key's hash and its two ends. If the SHA-256 of the value is listed as a hash, that is the key: everybody
  believes that the hash is this, nobody documents it. Else exactly one label must fit, and the key itself must say that it is the
  one (its label, creator and workspace), so it must still be alive.
References: https://openrouter.ai/docs/features/provisioning-api-keys
  https://openrouter.ai/docs/api/api-reference/api-keys/list
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from keyward.errors import Refused
from keyward.model.credential import SecretParts
from keyward.model.kind import Kind
from keyward.model.secret import Secret
from keyward.plugin.rotator import AdminNeed, Capabilities, Held, Inventory, Issued, Job, Rotator, Warning

from ._vendor_api import Api, NotThere, exactly_one, fits, mark_in

API = "https://openrouter.ai"
RESETS = ("daily", "weekly", "monthly")
UNUSED_DAYS = 90

_KEYS = "/api/v1/keys"
_SAME = ("label", "creator_user_id", "workspace_id")
"""What a key says of itself and a listing says of it."""


def _api(job: Job, secret: str = "") -> Api:
    headers = {"authorization": f"Bearer {secret or job.admin_text('secret')}"}
    return Api(job, job.base_url(API).removesuffix("/api/v1"), headers, "OpenRouter", "a management key")


def _rows(api: Api, workspace: str) -> Iterator[dict[str, Any]]:
    """Every key of a workspace, stopped and expired ones too."""
    query = {"include_disabled": "true", "include_expired": "true", **({"workspace_id": workspace} if workspace else {})}
    seen: set[str] = set()
    while True:
        # the offset counts keys; a key that was made meanwhile shifts the rest, so one may come twice
        rows = api.get(_KEYS, {**query, "offset": str(len(seen))}).get("data") or []
        fresh = [row for row in rows if row["hash"] not in seen]
        if not fresh:
            return
        yield from fresh
        seen.update(row["hash"] for row in fresh)


def _seconds(text: object) -> float | None:
    try:
        return datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp() if text else None
    except ValueError:
        return None


def _held(row: Mapping[str, Any], now: float) -> Held:
    expires, name = _seconds(row.get("expires_at")), str(row.get("name") or "")
    active = not row.get("disabled") and (expires is None or now < expires)
    created, used = _seconds(row.get("created_at")), _seconds(row.get("last_used_at"))
    return Held(str(row["hash"]), active, created, used, expires, mark_in(name), name)


def _wanted(job: Job) -> dict[str, object]:
    """What a new key is asked for. Raises Refused for a setting that makes no sense."""
    scope = job.entry.scope
    # the lane stands behind the mark, for whoever looks at the list
    wanted: dict[str, object] = {"name": f"{job.mark} {job.entry.ref}"}
    limit, reset = scope.get("limit"), scope.get("limit_reset")
    if limit is not None:
        if isinstance(limit, bool) or not isinstance(limit, (int, float)) or limit < 0:
            raise Refused(
                f"{job.entry.ref}: scope.limit must be a number of US dollars",
                hint="Correct it in the operator's configuration.",
            )
        wanted["limit"] = limit
    if reset is not None:
        if reset not in RESETS or limit is None:
            raise Refused(f"{job.entry.ref}: scope.limit_reset must be {', '.join(RESETS)}, and needs scope.limit")
        wanted["limit_reset"] = reset
    if job.scope_text("workspace"):
        wanted["workspace_id"] = job.scope_text("workspace")
    if job.entry.expiry:
        end = datetime.datetime.fromtimestamp(job.ports.clock.now() + job.entry.expiry, datetime.UTC)
        wanted["expires_at"] = end.strftime("%Y-%m-%dT%H:%M:%SZ")
    return wanted


class ApiKeys(Rotator):
    """Keys that call models."""

    kinds = (Kind("openrouter/api-key"),)
    scope_names = ("limit", "limit_reset", "workspace")
    gives = ("secret",)
    title = "OpenRouter API key"
    capabilities = Capabilities(scoped=True, expiry=True, reversible_disable=True, marks=True, listing_lag=10.0)
    admin = AdminNeed(("secret",), ("management key",), "A management key: https://openrouter.ai/settings/management-keys")
    public_hosts = ("openrouter.ai",)
    references = ("https://openrouter.ai/docs/features/provisioning-api-keys",)
    calls = MappingProxyType(
        {
            "QUARANTINE": ("GET /api/v1/keys/{hash}", "PATCH /api/v1/keys/{hash}"),
            "RESERVE": ("GET /api/v1/keys",),
            "ISSUE": ("POST /api/v1/keys",),
            "PROVE": ("GET /api/v1/key",),
            "REVOKE": ("GET /api/v1/key", "GET /api/v1/keys/{hash}", "PATCH /api/v1/keys/{hash}", "DELETE /api/v1/keys/{hash}"),
            "CONFIRM": ("GET /api/v1/key",),
        }
    )

    def identify(self, job: Job, parts: SecretParts) -> str:
        secret = parts["secret"].reveal().decode()
        wanted = hashlib.sha256(secret.encode()).hexdigest()
        rows: list[dict[str, Any]] = []
        api = _api(job)
        for workspace in dict.fromkeys((job.scope_text("workspace"), "")):
            rows += _rows(api, workspace)
        if any(row["hash"] == wanted for row in rows):
            return wanted
        close = [row for row in rows if fits(row.get("label"), secret)]
        hint = "It is deleted, of another account or workspace, or a management key (openrouter.ai/settings/management-keys)."
        id = exactly_one((str(row["hash"]) for row in close), "OpenRouter key", hint)
        self._confirm(job, secret, close[0])
        return id

    def _confirm(self, job: Job, secret: str, row: Mapping[str, Any]) -> None:
        """Raises Refused unless the key says of itself what the listing says: six digits of a label could be somebody else's."""
        try:
            own = _api(job, secret).get("/api/v1/key").get("data") or {}
        except Refused:
            raise Refused(
                "one label fits this value, but the key no longer works and cannot confirm it",
                hint="If it is the key that the listing shows, delete it at openrouter.ai/settings/keys.",
            ) from None
        if any(own.get(name) != row.get(name) for name in _SAME):
            raise Refused("one label fits this value, but the key says that it is another", hint="It is of another account.")

    def inventory(self, job: Job) -> Inventory:
        workspace, now = job.scope_text("workspace"), job.ports.clock.now()
        return Inventory(workspace or "default workspace", tuple(_held(row, now) for row in _rows(_api(job), workspace)))

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        answer = _api(job).send("POST", _KEYS, _wanted(job))
        row = answer["data"]
        return Issued(str(row["hash"]), {"secret": Secret(str(answer["key"]).encode())}, _seconds(row.get("expires_at")))

    def _set(self, job: Job, id: str, disabled: bool) -> bool:
        """Whether the key is there."""
        api = _api(job)
        try:
            row = api.get(f"{_KEYS}/{id}").get("data") or {}
            if bool(row.get("disabled")) != disabled:
                api.send("PATCH", f"{_KEYS}/{id}", {"disabled": disabled})
        except NotThere:
            return False
        return True

    def disable(self, job: Job, id: str, parts: SecretParts) -> None:
        self._set(job, id, True)

    def enable(self, job: Job, id: str, parts: SecretParts) -> None:
        if not self._set(job, id, False):
            raise Refused("the OpenRouter key is gone and cannot be enabled", hint="Make a new one: keyward rotate.")

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        try:
            _api(job).send("DELETE", f"{_KEYS}/{id}")
        except NotThere:
            pass

    def review(self, job: Job, inventory: Inventory) -> Iterable[Warning]:
        now, found = job.ports.clock.now(), []
        for row in _rows(_api(job), job.scope_text("workspace")):
            key = _held(row, now)
            if not key.active or not key.name.endswith(f" {job.entry.ref}"):
                continue
            shown = f"The OpenRouter key {row.get('name')}"
            if row.get("limit") is None:
                found.append(Warning("over-broad", f"{shown} has no spending limit."))
            if key.expires is None:
                found.append(Warning("no-expiry", f"{shown} has no expiry."))
            seen = key.last_used or key.created
            if seen is not None and now - seen > UNUSED_DAYS * 86400:
                found.append(Warning("unused", f"{shown} has not been used for {int((now - seen) // 86400)} days."))
        return found


ROTATORS: tuple[Rotator, ...] = (ApiKeys(),)
