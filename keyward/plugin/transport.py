"""How a connection to an address must be protected. Imported by detectors, so it costs nothing to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyward.model.credential import Target

TLS_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
"""libpq's words, for every server, because operators know them. `prefer` and `require` do not look at the certificate."""


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own. `127.0.0.1.example` is a name like any other, and anybody's."""
    import ipaddress

    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def tls_mode(target: Target) -> str:
    """`target.options.sslmode`; without it `verify-full`, and `prefer` on a loopback address. Raises ValueError for another word."""
    mode = target.options.get("sslmode") or ("prefer" if is_loopback(target.host) else "verify-full")
    if mode not in TLS_MODES:
        raise ValueError("target.options.sslmode is none of " + ", ".join(TLS_MODES))
    return mode
