"""What the packs of cloud and platform providers share: kinds, rules by prefix and by name, and the places samples stand in."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from keyward.plugin import Companion, CredentialKind, Kind, Parts, Rule, Signal
from keyward.plugin.shapes import Piece, Shape, assigned, json_member, part, text

from ._forms import SLUG, UUID, WORD, manual, mixed, named, random_looking, token

Fields = Mapping[str, str]


def credential(
    name: Kind,
    title: str,
    severity: str,
    url: str,
    *steps: str,
    see: str,
    identity: tuple[str, ...] = ("secret",),
    public: tuple[str, ...] = (),
    describe: Callable[[Parts], Fields] | None = None,
    canonical: Callable[[bytes], bytes] | None = None,
) -> CredentialKind:
    """A kind; `url`: where it is replaced, by these steps or the usual ones; `see`: a source for its format."""
    return CredentialKind(name, title, severity, identity, public, describe, canonical, manual(url, *steps), (see,))


def places(name: str, value: Piece) -> tuple[Shape, ...]:
    """The value under a name in the places where people leave it: .env, JSON, a Kubernetes manifest, code."""
    return (
        assigned(name, value),
        json_member(name.lower(), value),
        assigned(name, value, form='        - name: {name}\n          value: "{value}"\n'),
        assigned(name, value, form='os.environ["{name}"] = "{value}"\n'),
    )


def vendor(name: bytes, last: bytes = rb"(?:key|token|secret|pat)") -> bytes:
    """An expression for names such as VENDOR_API_KEY, vendorApiKey, vendor.api-key, "Vendor Api Key". In lower case, matched in any."""
    return name + rb"[a-z0-9_. -]{0,16}" + last


def header(name: str, value: Piece) -> Shape:
    """The value in a request header on the command line."""
    return text("curl -H '", name, part("secret", value), "' https://api.corp.io/\n")


def wrong(name: str, *values: Piece) -> tuple[Shape, ...]:
    """The same place with values that are none."""
    return tuple(assigned(name, value) for value in values)


def by_prefix(
    kind: Kind,
    body: bytes,
    name: str,
    value: Piece,
    misses: Iterable[Piece],
    *,
    id: str = "",
    edge: bytes = WORD,
    more: Iterable[Shape] = (),
    **options: Any,
) -> Rule:
    """The rule for a value that its own prefix tells apart. `more`: further examples."""
    return Rule(
        id or str(kind),
        kind,
        token(body, edge),
        examples=(*places(name, value), *more),
        near_misses=wrong(name, *misses),
        **options,
    )


def by_name(
    kind: Kind, names: bytes, body: bytes, name: str, value: Piece, misses: Iterable[Piece], *, other: str = "other_value", id: str = "",
    edge: bytes = WORD, more: Iterable[Shape] = (), score: int = 60, **options: Any,
) -> Rule:  # fmt: skip
    """The rule for a value that only its name tells apart. `other`: a name under which the same value is none."""
    return Rule(
        id or str(kind), kind, named(names, body, edge), score=score, examples=(*places(name, value), *more),
        near_misses=(*wrong(name, *misses), assigned(other, value)), **options,
    )  # fmt: skip


def beside(name: str, names: bytes, body: bytes, within: int = 300, optional: bool = True, edge: bytes = WORD) -> Companion:
    """A part given to one of these names nearby."""
    return Companion(name, named(names, body, edge, name.encode()), within=within, optional=optional)


def block(provider: bytes, member: bytes) -> bytes:
    """The name of a member that stands first in a Terraform provider's block."""
    return rb"provider[ \t]{1,3}\"" + provider + rb"\"\s{0,3}\{\s{1,20}" + member


def expiry(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def expired(seconds: float) -> Signal | None:
    return Signal("expired", -35, "its time is over") if seconds < time.time() else None


def encodings(text: bytes) -> bytes:
    """How the text looks inside base64, at each of the three alignments."""
    found = []
    for shift in range(3):
        encoded = base64.urlsafe_b64encode(b"\0" * shift + text).rstrip(b"=")
        found.append(encoded[-(-shift * 8 // 6) : (shift + len(text)) * 8 // 6])
    return b"|".join(found)


__all__ = [
    "SLUG", "UUID", "WORD", "Fields", "beside", "block", "by_name", "by_prefix", "credential", "encodings", "expired", "expiry", "header", "mixed", "named",
    "places", "random_looking", "token", "vendor", "wrong",
]  # fmt: skip
