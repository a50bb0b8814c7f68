"""What a provider says of a credential. Never a bool: "could not ask" is not "dead"."""

from __future__ import annotations

from typing import NamedTuple, Union


class Evidence(NamedTuple):
    """How a verdict was reached: which probe, which host, HTTP or protocol status, when (Unix seconds), the credential's
    public id, and a digest of the reply. Never the secret, never the body."""

    probe: str
    host: str
    status: str
    time: float
    public_id: str = ""
    digest: str = ""


class Live(NamedTuple):
    evidence: Evidence
    principal: str = ""
    scopes: tuple[str, ...] = ()


class Restricted(NamedTuple):
    """It authenticates, and is refused for what was asked (scope, address, plan)."""

    evidence: Evidence
    reason: str = ""


class Dead(NamedTuple):
    evidence: Evidence


class Unknown(NamedTuple):
    """Nobody could tell. `retry_after`: seconds, where the provider named them."""

    reason: str
    retry_after: float | None = None


Verdict = Union[Live, Restricted, Dead, Unknown]
