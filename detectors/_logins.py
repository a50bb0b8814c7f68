"""What verifiers that log in to a server share: how a found password may be spelt, and how the connection is protected."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from keyward.plugin.verifier import Dead, Evidence, Unknown, Verdict

if TYPE_CHECKING:
    import ssl

    from keyward.model.credential import Target
    from keyward.plugin.ports import Ports

TLS_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
"""libpq's words, because operators know them. `prefer` and `require` do not look at the certificate."""

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


def is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def tls_mode(target: Target) -> str:
    """`target.options.sslmode`; without it `verify-full`, and `prefer` on a loopback address. Raises NoTls for another word."""
    mode = target.options.get("sslmode") or ("prefer" if is_loopback(target.host) else "verify-full")
    if mode not in TLS_MODES:
        raise NoTls("target.options.sslmode is none of " + ", ".join(TLS_MODES))
    return mode


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
