"""The ways in which a value stands in a text, and its replacement by another value in the same way."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote_from_bytes, quote_plus

from keyward.errors import ConsumerError
from keyward.model.credential import SecretParts

SHORT = 8
"""Bytes: a shorter value (a user name) may stand in many places by chance, so it is only replaced beside a longer one."""

_URL = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'`<>]+")
_WORD = re.compile(rb"[A-Za-z0-9_]")


class Swap(NamedTuple):
    """One part that changes. `part`: its name, for messages."""

    part: str
    old: bytes
    new: bytes


class Hit(NamedTuple):
    """One place where an old value stands, and how it is spelled there."""

    start: int
    end: int
    swap: Swap
    spelling: str


def swaps_of(old: SecretParts, new: SecretParts) -> tuple[Swap, ...]:
    """The parts that differ, longest first. Raises ConsumerError where the new one lacks a part, or none is long enough."""
    found = []
    for part, secret in old.items():
        if part not in new:
            raise ConsumerError(f"the new credential has no part `{part}`")
        if secret != new[part] and secret.reveal():
            found.append(Swap(part, secret.reveal(), new[part].reveal()))
    found.sort(key=lambda swap: (-len(swap.old), swap.part))
    if found and len(found[0].old) < SHORT:
        raise ConsumerError(
            f"the old value has fewer than {SHORT} bytes and could stand anywhere",
            hint="Name its place by a consumer of the file's format.",
        )
    return tuple(found)


def spelled(value: bytes) -> Mapping[str, bytes]:
    """A value in every spelling: as it is, percent-encoded, escaped for JSON, quoted for a shell."""
    percent = quote_from_bytes(value, safe="").encode()
    ways = {
        "raw": value,
        "url": percent,
        "url, lower case": re.sub(rb"%..", lambda match: match.group().lower(), percent),
        "form": quote_plus(value).encode(),
    }
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return ways
    ways["json"] = json.dumps(text, ensure_ascii=False)[1:-1].encode()
    ways["json, ASCII"] = json.dumps(text)[1:-1].encode()
    ways["json, slashes"] = ways["json"].replace(b"/", b"\\/")
    quoted = shlex.quote(text).encode()
    ways["shell"] = quoted[1:-1] if quoted != value else value
    return ways


def hits(data: bytes, swaps: tuple[Swap, ...]) -> list[Hit]:
    """Where old values stand, in order, without overlap; short ones only on a line (or in a URL) that has a long one.

    Raises ConsumerError where a long one stands inside a longer word: nobody can tell whether it is the same credential.
    """
    found: list[Hit] = []
    for swap in swaps:
        short = len(swap.old) < SHORT
        lines = {_line(data, hit.start) for hit in found} if short else set()
        for spelling, needle in {needle: name for name, needle in reversed(list(spelled(swap.old).items()))}.items():
            for start in _positions(data, spelling):
                end = start + len(spelling)
                if any(start < hit.end and hit.start < end for hit in found):
                    continue
                if _inside_word(data, start, end):
                    if short:
                        continue
                    raise ConsumerError(
                        f"part `{swap.part}` stands inside a longer word (byte {start})", hint="Change that place by hand."
                    )
                if not short or _line(data, start) in lines:
                    found.append(Hit(start, end, swap, needle))
    return sorted(found)


def _positions(data: bytes, needle: bytes) -> Iterator[int]:
    at = data.find(needle)
    while at >= 0:
        yield at
        at = data.find(needle, at + len(needle))


def _line(data: bytes, at: int) -> int:
    return data.rfind(b"\n", 0, at) + 1


def _inside_word(data: bytes, start: int, end: int) -> bool:
    before, after = data[max(0, start - 6) : start], data[end : end + 1]
    if (
        _WORD.match(data, start)
        and _WORD.match(before[-1:])
        and not re.search(rb"(?:%[0-9A-Fa-f]{2}|\\[nrtbf]|\\u[0-9A-Fa-f]{4})\Z", before)
    ):
        return True
    return bool(_WORD.match(data, end - 1) and _WORD.match(after))


def replaced(data: bytes, found: list[Hit], *, decoded: bool) -> bytes:
    """The data with each old value replaced by the new one in the same spelling. `decoded`: `data` is a value without quotes
    of its own, so that the raw spelling is right wherever it is not in a URL.

    Raises ConsumerError where the spelling cannot be told and matters.
    """
    urls = [match.span() for match in _URL.finditer(data)]
    for hit in reversed(found):
        ways = spelled(hit.swap.new)
        in_url = any(start <= hit.start and hit.end <= end for start, end in urls)
        if in_url and hit.spelling in ("raw", "url"):
            new = ways["url"]
        elif hit.spelling != "raw" or decoded or len(set(ways.values())) == 1:
            new = ways.get(hit.spelling, hit.swap.new)
        else:
            raise ConsumerError(
                f"part `{hit.swap.part}`: how the new value must be quoted at byte {hit.start} cannot be told",
                hint="Name the place by a consumer of the file's format.",
            )
        data = data[: hit.start] + new + data[hit.end :]
    return data
