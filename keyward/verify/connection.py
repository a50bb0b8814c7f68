"""Where a found connection string leads, and whether anybody may be asked there.

The address comes from the leak, so that it could be anybody's: it is used only where the operator asks for it, and a private or
loopback address only where the operator's configuration names the host.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Collection

from keyward.errors import HostRefused
from keyward.model.credential import Credential, Target

PORTS = {"postgresql": 5432, "pgpass": 5432, "mysql": 3306, "redis": 6379}
"""Providers whose credentials are connection strings, and the port that is meant where none is written."""

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_])?|\[?[0-9A-Fa-f:.]{2,45}\]?")
_URL = re.compile(rb"@[^/?\s\"'`,]*?(?::(?P<port>[0-9]{1,5}))?(?:/(?P<database>[A-Za-z0-9_-]{1,63}))?(?=[?\s\"'`&<>)}\]\\]|$)")
_NAMED = re.compile(rb"(?i)\bport[\"']?\s{0,2}[=:]\s{0,2}[\"']?([0-9]{1,5})\b")
_DATABASE = re.compile(rb"(?i)\b(?:dbname|database)[\"']?\s{0,2}[=:]\s{0,2}[\"']?([A-Za-z0-9_-]{1,63})")
_PGPASS = re.compile(rb"(?:^|\n)[^:\n]{1,253}:(?P<port>[0-9]{1,5}|\*):(?P<database>[^:\n]{1,63}):[^:\n]{1,63}:$")

Resolve = Callable[[str], list[str]]


def target_of(credential: Credential, provider: str, before: bytes, after: bytes) -> Target:
    """The server that a connection string names. `before`, `after`: what stands on the secret's line. Raises HostRefused for one that
    names no host, or several."""
    host = credential.text("host").strip("[]")
    if not host or not _HOST.fullmatch(host) or host == "*":
        hint = "Ask about it by hand, or give a lane's entry its target."
        raise HostRefused("the connection string does not name one server", hint=hint)
    url, line = _URL.match(after), _PGPASS.search(before)
    found = url if provider != "pgpass" else line
    port, database = PORTS[provider], ""
    if found is not None:
        port = int(found["port"]) if found["port"] and found["port"].isdigit() else port
        database = (found["database"] or b"").decode().strip("*")
    else:
        near = before + b"\0" + after
        named, base = _NAMED.search(near), _DATABASE.search(near)
        port, database = int(named[1]) if named else port, base[1].decode() if base else ""
    if not 0 < port < 65536:
        raise HostRefused("the connection string names a port that is none")
    return Target(host=host, port=port, user=credential.text("user"), database=database)


def resolve(host: str) -> list[str]:
    """The addresses of a host. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def check_public(host: str, named: Collection[str], resolve: Resolve = resolve) -> None:
    """Raises HostRefused for a host that is not public and that the operator did not name."""
    if host.lower() in named:
        return
    try:
        addresses = resolve(host)
    except (OSError, UnicodeError):
        raise HostRefused(f"{host} has no address") from None
    for address in addresses:
        if not _is_public(address):
            hint = f'If it is yours: hosts = ["{host}"] below [verify] in the operator\'s configuration.'
            raise HostRefused(f"{host} is not a public address, so nobody is asked there", hint=hint)


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _is_public(address: str) -> bool:
    """Whether an address is one of the internet, also where it stands for an IPv4 address inside."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF) if found in _NAT64 else found.ipv4_mapped or found.sixtofour
        if inner is not None:
            found = inner
    return found.is_global and not found.is_multicast
