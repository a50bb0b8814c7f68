"""What can be told of a translated pattern without running it: how long its matches are, which group is the secret, and a text that fits."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from re import _constants as sre  # type: ignore[attr-defined]  # private, and stable since 3.11
from re import _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from keyward.errors import ConfigError
from keyward.formats.toml_file import TomlFile
from keyward.scan.user_rules import check_pattern

UNBOUNDED = 1 << 16

_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT)
_LOOSE = re.compile(r"((?:\(\?m\))?(?:\(\?i:)?)\[[^\]]*\](?:\{0,\d*\}|[*?])\??")
_PRINTABLE = frozenset(range(0x20, 0x7F))
_LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


class Shape(NamedTuple):
    """`most`: bytes of the longest match. `candidates`: groups of which the first that takes part is the secret. `refused`: why keyward
    cannot look for the pattern, or empty."""

    most: int
    candidates: list[int]
    refused: str


def described_shape(pattern: str) -> Shape:
    """Facts of a pattern that `translate` made."""
    encoded = pattern.encode("ascii")
    try:
        check_pattern(TomlFile("", "", {}), encoded, False)
    except ConfigError as error:
        return Shape(0, [1], str(error))
    parsed = _parser.parse(encoded)
    return Shape(min(int(parsed.getwidth()[1]), UNBOUNDED), _candidates(parsed), "")


def _candidates(parsed: Any) -> list[int]:
    """The capturing groups up to the first one that takes part in every match, without those that may be empty."""
    found = []
    for number, always, low in sorted(_groups(list(parsed), True)):
        if low:
            found.append(number)
        if low and always:
            break
    return found or [1]


def _groups(nodes: list[tuple[Any, Any]], always: bool) -> Iterator[tuple[int, bool, int]]:
    """Each capturing group: its number, whether every match goes through it, and its fewest bytes."""
    for op, arg in nodes:
        if op is sre.SUBPATTERN:
            if arg[0] is not None:
                yield arg[0], always, int(arg[3].getwidth()[0])
            yield from _groups(list(arg[3]), always)
        elif op is sre.BRANCH:
            for branch in arg[1]:
                yield from _groups(list(branch), False)
        elif op in _REPEATS:
            yield from _groups(list(arg[2]), always and arg[0] > 0)


def without_loose_beginning(pattern: str) -> str:
    """The pattern without a first run of characters that may as well be missing (`[\\w.-]{0,50}?token=…`): it finds the same secrets, and costs
    the engine a search from every byte."""
    found = _LOOSE.match(pattern)
    if found is None:
        return pattern
    head = found[1]
    if head.endswith("(?i:") and not _closes_at_end(pattern, len(head)):
        return pattern
    return head + pattern[found.end() :]


def _closes_at_end(pattern: str, start: int) -> bool:
    """Whether the group whose inside begins at `start` ends with the pattern. Classes hold no plain brackets, as `translate` writes them."""
    depth, at = 1, start
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 1
        elif pattern[at] in "()":
            depth += 1 if pattern[at] == "(" else -1
            if not depth:
                return at == len(pattern) - 1
        at += 1
    return False


def fitting_text(pattern: str, seed: int) -> bytes:
    """A text that the pattern should match, for a test; the same for the same seed. What stands around a value (`\\b`, `^`) is not minded."""
    return bytes(_text(list(_parser.parse(pattern.encode("ascii"))), random.Random(seed)))


def _text(nodes: list[tuple[Any, Any]], chance: random.Random) -> bytearray:
    out = bytearray()
    for op, arg in nodes:
        if op is sre.LITERAL:
            out.append(arg)
        elif op is sre.NOT_LITERAL:
            out.append(0x78 if arg != 0x78 else 0x79)
        elif op is sre.ANY:
            out.append(0x78)
        elif op is sre.IN:
            out.append(_member(arg, chance))
        elif op in _REPEATS:
            low, high, body = arg
            # Mostly few: a value of random letters is what is wanted, not much of what may stand around it.
            times = low + (chance.randint(0, min(8, (low + 8 if high is sre.MAXREPEAT else int(high)) - low)) if low else 0)
            for _ in range(times):
                out += _text(list(body), chance)
        elif op is sre.SUBPATTERN:
            out += _text(list(arg[3]), chance)
        elif op is sre.BRANCH:
            out += _text(list(chance.choice(arg[1])), chance)
    return out


def _member(items: list[tuple[Any, Any]], chance: random.Random) -> int:
    """A member of a class, a letter or digit if there is one."""
    members: set[int] = set()
    negated = False
    for op, arg in items:
        if op is sre.NEGATE:
            negated = True
        elif op is sre.LITERAL:
            members.add(arg)
        elif op is sre.RANGE:
            members.update(range(arg[0], arg[1] + 1))
    if negated:
        members = set(range(256)) - members
    best = sorted(members & _LETTERS) or sorted(members & _PRINTABLE) or sorted(members)
    return chance.choice(best)
