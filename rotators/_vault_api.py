"""Vault's and OpenBao's HTTP API as the rotators need it: one server, one token, and refusals in our words."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

from keyward.errors import Refused
from keyward.plugin.ports import Reply
from keyward.plugin.rotator import Job

MARK, LANE, NAME = "keyward", "lane", "name"
"""Names in the metadata of what keyward makes."""


class VaultApi:
    """Requests with the admin token. Paths are below `/v1/`."""

    def __init__(self, job: Job) -> None:
        if not job.target.base_url:
            raise Refused(f"{job.entry.ref}: target.base_url is missing", hint="Name the server in the configuration.")
        headers = {"X-Vault-Token": job.admin_text("token")}
        if namespace := job.target.options.get("namespace", ""):
            headers["X-Vault-Namespace"] = namespace
        self._http = job.ports.http(job.base_url(""), headers)

    def read(self, path: str) -> dict[str, Any] | None:
        """The `data` at a path; None if there is none."""
        return self._data(self._http.request("GET", f"/v1/{path}"), path, "read")

    def keys(self, path: str, *, sudo: bool = False) -> list[str]:
        """A listing; empty if there is none. `sudo`: whether the path asks for that right."""
        found = self._data(self._http.request("LIST", f"/v1/{path}"), path, "list, sudo" if sudo else "list")
        return [str(key) for key in (found or {}).get("keys") or ()]

    def look_up(self, path: str, body: Mapping[str, object]) -> dict[str, Any] | None:
        """A question that is asked by POST; None if nothing is known (400, 404 and an empty answer)."""
        reply = self._http.request("POST", f"/v1/{path}", json=dict(body), changes=False)
        if reply.status == 400 or (reply.status == 403 and b"bad token" in reply.body):
            return None
        return self._data(reply, path, "update") or None

    def change(self, path: str, body: Mapping[str, object]) -> Reply:
        """A changing request, sent once. Raises Refused for 403 alone: what the others mean depends on the path."""
        reply = self._http.request("POST", f"/v1/{path}", json=dict(body))
        if reply.status == 403:
            raise self._denied(path, "update")
        return reply

    def lacking(self, wanted: Mapping[str, Iterable[str]]) -> list[str]:
        """Of the capabilities that are wanted on each path, those that the admin token has not, as `update on auth/token/revoke-accessor`.
        Raises Refused where it may not even ask. A listing is granted by a path with or without the slash at its end."""
        paths = [unquote(path) for path in wanted]
        found = self.look_up("sys/capabilities-self", {"paths": [*paths, *(f"{path}/" for path in paths)]}) or {}
        lacking = []
        for path, (_, capabilities) in zip(paths, wanted.items(), strict=True):
            if not isinstance(found.get(path), list):
                continue
            has = {*found[path], *(found.get(f"{path}/") or () if "list" in capabilities else ())}
            lacking += [f"{each} on {path}" for each in capabilities if not has & {each, "root"}]
        return lacking

    def tokens(self) -> Iterator[dict[str, Any]]:
        """Every token that has an accessor, as `lookup-accessor` shows it."""
        for accessor in self.keys("auth/token/accessors", sudo=True):
            found = self.look_up("auth/token/lookup-accessor", {"accessor": accessor})
            if found is not None:  # else it ended meanwhile
                yield found

    def _data(self, reply: Reply, path: str, capability: str) -> dict[str, Any] | None:
        if reply.status in (204, 404):
            return None
        if reply.status == 403:
            raise self._denied(path, capability)
        if reply.status != 200:
            raise Refused(f"the vault answered {reply.status} to {path}", hint="Check the names in `scope`.")
        data = reply.object().get("data")
        return data if isinstance(data, dict) else None

    def _denied(self, path: str, capability: str) -> Refused:
        return Refused(
            f"the vault refuses {path} to the admin token",
            hint=f"It must be alive, and its policy must grant `{capability}` on {path}.",
        )


def expiry_of(text: object) -> float | None:
    """Unix seconds of a time as the server writes it; None for none (null or the year 1)."""
    if not isinstance(text, str) or text.startswith("0001"):
        return None
    whole, _, rest = text.partition(".")
    zone = rest.lstrip("0123456789") or "Z"
    try:  # nine digits of a second are more than Python reads
        return datetime.datetime.fromisoformat((whole.rstrip("Z") + zone).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def metadata(job: Job) -> dict[str, str]:
    """What is written beside what we make."""
    return {LANE: job.entry.lane, NAME: job.entry.name, **({MARK: job.mark} if job.mark else {})}


def safe(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")


def duration(job: Job, name: str) -> str:
    """A `scope` duration (`720h`), else the entry's expiry, else nothing."""
    text = job.scope_text(name)
    return text or (f"{job.entry.expiry:.0f}s" if job.entry.expiry else "")


def texts(job: Job, name: str) -> list[str]:
    """A `scope` list of texts. Raises Refused."""
    value = job.entry.scope.get(name, [])
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) and each for each in value):
        raise Refused(f"{job.entry.ref}: scope.{name} must be a list of texts", hint="Correct it in the configuration.")
    return list(value)


def networks(job: Job, name: str) -> list[str]:
    """A `scope` list of addresses (`10.0.0.0/8`). Raises Refused: the server answers a wrong one with 500, which could mean anything."""
    found = texts(job, name)
    for each in found:
        try:
            ipaddress.ip_network(each)
        except ValueError:
            raise Refused(
                f"{job.entry.ref}: scope.{name} holds something that is no network", hint="Write 10.0.0.0/8."
            ) from None
    return found
