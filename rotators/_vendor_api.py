"""The administration APIs of model vendors as their rotators need them: JSON over HTTP, and refusals in keyward's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from keyward.errors import Refused, Uncertain

if TYPE_CHECKING:
    from keyward.plugin.ports import Reply
    from keyward.plugin.rotator import Job

_CODE = re.compile(r"[a-z_]{3,60}")


class NotThere(Refused):
    """What was named is not there (any more)."""


class NotAccepted(Refused):
    """The admin credential is not valid."""


class Api:
    """One vendor's API with the admin credential. `vendor`: its name in messages. `right`: what the admin credential must be."""

    def __init__(self, job: Job, base_url: str, headers: Mapping[str, str], vendor: str, right: str) -> None:
        self._http = job.ports.http(base_url, {"accept": "application/json", **headers})
        self._vendor, self._right = vendor, right

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The answer's object. Raises NotThere, Refused, Throttled, Unreachable, Uncertain."""
        return self._object(self._http.request("GET", path, query=query), f"GET {path}")

    def send(self, method: str, path: str, arguments: Mapping[str, object] | None = None) -> dict[str, Any]:
        """A changing request, sent once. Raises as `get`."""
        reply = self._http.request(method, path, json=None if arguments is None else dict(arguments))
        return self._object(reply, f"{method} {path}")

    def _object(self, reply: Reply, what: str) -> dict[str, Any]:
        if reply.status < 300:
            return reply.object()
        raise self._refusal(reply, what)

    def _refusal(self, reply: Reply, what: str) -> Refused:
        """What an answer of 3xx or 4xx means: its code at most, for a message may quote a key."""
        code = error_code(reply)
        shown = f" ({code})" if code else ""
        if reply.status == 401:
            return NotAccepted(
                f"{self._vendor} does not accept the admin credential{shown}",
                hint=f"Check `admin` of this credential: it must be {self._right}, not revoked and not expired.",
            )
        if reply.status == 403:
            return Refused(f"{self._vendor} does not allow {what}{shown}", hint=f"The admin credential must be {self._right}.")
        if reply.status == 404:
            return NotThere(f"{self._vendor} finds nothing at {what}", hint="Check the names in `scope`.")
        return Refused(f"{self._vendor} answered {reply.status} to {what}{shown}", hint="Check the settings in `scope`.")


def error_code(reply: Reply) -> str:
    """The vendor's own code for an error (`error.code`, else `error.type`), if it looks like one."""
    try:
        error = reply.object().get("error")
    except Uncertain:
        return ""
    if not isinstance(error, Mapping):
        return ""
    for name in ("code", "type"):
        value = error.get(name)
        if isinstance(value, str) and _CODE.fullmatch(value):
            return value
    return ""


def mark_in(name: object) -> str:
    """The mark of a rotation at the beginning of a name; empty if there is none."""
    first = str(name or "").split(" ", 1)[0]
    return first if first.startswith("keyward:") else ""


def fits(shown: object, secret: str) -> bool:
    """Whether a redacted value (`sk-proj-abc...wxyz`) can be that of a secret. Too little of it shown fits nothing."""
    ends = re.split(r"(?:\.{2,}|…|\*{2,})", str(shown or ""))
    if len(ends) < 2:
        return False
    start, end = ends[0], ends[-1]
    return (
        len(end) >= 3
        and len(start) >= 6
        and len(secret) > len(start) + len(end)
        and secret.startswith(start)
        and secret.endswith(end)
    )


def exactly_one(found: Iterable[str], what: str, hint: str) -> str:
    """The only id. Raises Refused for none and for several: a key is never guessed."""
    ids = sorted(set(found))
    if len(ids) == 1:
        return ids[0]
    if not ids:
        raise Refused(f"no {what} fits this value", hint=hint)
    raise Refused(
        f"{len(ids)} of the {what}s fit this value: {', '.join(ids[:5])}", hint="Tell them apart by hand, and revoke it there."
    )


def text_list(job: Job, name: str) -> list[str]:
    """One of the entry's `scope` settings as a list of text; empty if it is not set. Raises Refused."""
    value = job.entry.scope.get(name, [])
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) for each in value):
        raise Refused(
            f"{job.entry.ref}: scope.{name} must be a list of text", hint="Correct it in the operator's configuration."
        )
    return list(value)


def lane_name(job: Job) -> str:
    """What a lane's account or workspace is called unless the operator names it."""
    return f"keyward-{job.entry.lane}-{job.entry.name}"
