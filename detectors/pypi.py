"""PyPI upload tokens.

What it is: an API token of the Python Package Index or of its test instance: `pypi-` and a macaroon in base64, which names
  the index and, in its caveats, the projects and the time for which it holds.
Where it is used: `~/.pypirc`, `TWINE_PASSWORD`, `UV_PUBLISH_TOKEN`, `POETRY_PYPI_TOKEN_PYPI`, CI variables.
What an attacker can do: upload new releases of the token's projects, or of all projects of the account, with malicious code.
  It can neither delete releases nor read the account.
How to replace it: remove it on the site of PyPI, Account settings, API tokens, and add a new one for one project only; there is no
  API for that. Trusted publishing from CI needs no token. Check the releases uploaded meanwhile.
References: https://docs.pypi.org/trusted-publishers/
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from keyward.plugin import CredentialKind, Kind, Parts, Rule, Signal, structure
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import Shape, assigned, b64url, concat, json_member, part, raw, text, uuid4

from ._forms import manual, token

UPLOAD = Kind("pypi/upload-token")
TEST = Kind("pypi/test-upload-token")


class Macaroon(NamedTuple):
    """What a macaroon says openly. `caveats`: the identifiers of its caveats, in order."""

    location: bytes
    identifier: bytes
    caveats: tuple[bytes, ...]


_END, _LOCATION, _IDENTIFIER, _VERIFICATION, _SIGNATURE = 0, 1, 2, 4, 6


def macaroon(data: bytes) -> Macaroon | None:
    """Reads a macaroon of the binary version 2 format, or None: version byte, header, caveats, each ended by a zero byte,
    a further zero byte, and the signature. A field is its type, its length (both varint) and its bytes."""
    if data[:1] != b"\x02":
        return None
    at = 1

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def section() -> dict[int, bytes]:
        nonlocal at
        fields: dict[int, bytes] = {}
        while (kind := number()) != _END:
            length = number()
            fields[kind] = data[at : at + length]
            at += length
        return fields

    try:
        header = section()
        caveats = []
        while caveat := section():
            caveats.append(caveat[_IDENTIFIER])
        if number() != _SIGNATURE or number() != 32 or len(data) != at + 32:
            return None
        return Macaroon(header[_LOCATION], header[_IDENTIFIER], tuple(caveats))
    except (IndexError, KeyError):
        return None


def _read(parts: Parts) -> Macaroon | None:
    return macaroon(decode_base64(parts["secret"][5:]) or b"")


def _check(parts: Parts) -> Signal | None:
    found = _read(parts)
    return structure(found is not None and found.location.startswith((b"pypi.", b"test.pypi.")), "macaroon for PyPI")


def _caveat(caveat: Any) -> tuple[str, str] | None:
    """A caveat in words. The index writes lists `[number, …]`; before 2022 it wrote objects."""
    match caveat:
        case [0, int(expiry), *_]:
            return "expires at", str(expiry)
        case [1, [*projects]] | {"permissions": {"projects": [*projects]}}:
            return "projects", ", ".join(map(str, projects))
        case [2, [*ids]]:
            return "projects", f"{len(ids)} by id"
        case [3, _] | {"permissions": "user"}:
            return "projects", "all of the account"
    return None


def _describe(parts: Parts) -> Mapping[str, str]:
    found = _read(parts)
    if found is None:
        return {}
    facts = dict(fact for raw_caveat in found.caveats if (fact := _caveat(json.loads(raw_caveat))))
    return {"index": found.location.decode("ascii"), **facts}


def _kind(name: Kind, title: str, severity: str, url: str) -> CredentialKind:
    steps = (
        "Remove the token in the account settings.",
        "Add a new one for one project, or set up trusted publishing.",
        "Check the releases uploaded meanwhile.",
    )
    return CredentialKind(
        name, title, severity, describe=_describe, manual=manual(url, *steps), references=("https://docs.pypi.org/trusted-publishers/",)
    )


KINDS = (
    _kind(UPLOAD, "PyPI upload token", "critical", "https://packaging.python.org/en/latest/specifications/pypirc/"),
    _kind(TEST, "TestPyPI upload token", "low", "https://packaging.python.org/en/latest/guides/using-testpypi/"),
)


def _token(location: str, caveat: str = '[1, ["acme"]]') -> Shape:
    def field(kind: int, body: str) -> bytes:
        return bytes((kind, len(body))) + body.encode()

    packet = concat(
        b"\x02", field(_LOCATION, location), bytes((_IDENTIFIER, 36)), uuid4(), b"\0",
        field(_IDENTIFIER, caveat), b"\0\0", bytes((_SIGNATURE, 32)), raw(32),
    )  # fmt: skip
    return concat("pypi-", packet.map(lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")))


def _rule(kind: Kind, stem: str, location: str, score: int) -> Rule:
    value = _token(location)
    return Rule(
        str(kind),
        kind,
        token(b"pypi-" + stem.encode() + rb"[A-Za-z0-9_-]{70,1500}"),
        score=score,
        check=_check,
        window=1600,
        examples=(
            text("[pypi]\nusername = __token__\npassword = ", part("secret", value), "\n"),
            assigned("TWINE_PASSWORD", value),
            json_member("pypi-token", _token(location, '{"version": 1, "permissions": "user"}')),
            text("uv publish --token ", part("secret", _token(location, "[0, 1790000000, 1780000000]")), "\n"),
        ),
        near_misses=(
            assigned("TWINE_PASSWORD", concat("pypi-", stem, b64url(60))),
            assigned("TWINE_PASSWORD", concat("pypi_", stem, b64url(120))),
            assigned("TWINE_PASSWORD", concat("pypi-", "B" + stem[1:], b64url(120))),
            assigned("TWINE_PASSWORD", concat("pypi-", b64url(120))),
        ),
    )


RULES = (
    _rule(UPLOAD, "AgEIcHlwaS5vcmc", ".".join(("pypi", "org")), 85),
    _rule(TEST, "AgENdGVzdC5weXBpLm9yZ", ".".join(("test", "pypi", "org")), 60),
)
