"""What verifiers that log in to a server share: how a found password may be spelt, and how the connection is protected."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from keyward.plugin import transport
from keyward.plugin.verifier import Dead, Evidence, Unknown, Verdict

if TYPE_CHECKING:
    import ssl

    from keyward.model.credential import Target
    from keyward.plugin.ports import Ports

TIMEOUT = 10.0
"""Seconds for one answer of a server."""


class NoTls(Exception):
    """The server offers no TLS, or the wrong certificate, and the mode demands it."""


def spellings(secret: bytes) -> list[bytes]:
    """What the password may be: as it stands, and with its percent escapes undone (it may come out of a URL)."""
    plain = unquote_to_bytes(secret)
    return [secret] if plain == secret else [secret, plain]


def first_alive(candidates: Iterable[bytes], ask: Callable[[bytes], Verdict]) -> Verdict:
    """The first verdict that is not Dead; Dead only if every spelling is."""
    verdict: Verdict = Unknown("there is no password")
    for candidate in candidates:
        verdict = ask(candidate)
        if not isinstance(verdict, Dead):
            return verdict
    return verdict


def tls_mode(target: Target) -> str:
    """See `keyward.plugin.transport`. Raises NoTls for a word that is none."""
    try:
        return transport.tls_mode(target)
    except ValueError as error:
        raise NoTls(str(error)) from None


def tls_context(target: Target, mode: str) -> ssl.SSLContext:
    """For a mode other than `disable`; `target.options.tls_ca` names the file with the authority's certificate."""
    import ssl

    context = ssl.create_default_context(cafile=target.options.get("tls_ca") or None)
    if mode != "verify-full":
        context.check_hostname = False
    if mode in ("prefer", "require"):
        context.verify_mode = ssl.CERT_NONE
    return context


def login_evidence(probe: str, target: Target, ports: Ports, status: str, user: str) -> Evidence:
    """Evidence of one login: the address, the server's code, the user."""
    return Evidence(probe, f"{target.host}:{target.port}", status, ports.clock.now(), user)
