"""What betrays a secret before it is decoded: the fixed text in the values of a rule, and the names that stand beside values.

A mark is only ever looked for in an encoding, never as it stands, so that a common word costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _constants as sre  # type: ignore[attr-defined]  # private, and stable since 3.11
from typing import Any

from keyward.match.engine.anchor_derivation import parse
from keyward.model.rule import GENERIC, Rule

SHORTEST = 3
"""Bytes of fixed text that are worth looking for."""

MOST_BEGINNINGS = 40
"""Beginnings of one rule; one with more has none that is fixed."""

LETTERS = 6
"""A class of so many bytes or fewer is spelt out."""

NAMES = (
    b"pass", b"Pass", b"PASS", b"secret", b"Secret", b"SECRET", b"token", b"Token", b"TOKEN", b"_KEY=", b"_KEY:", b"_KEY\"", b"_key=", b"_key:",
    b"_key\"", b"apiKey", b"api_key", b"API_KEY", b"ApiKey", b"apikey", b"api-key", b"Api-Key", b"access_key", b"accessKey", b"AccessKey", b"private_key",
    b"privateKey", b"PRIVATE KEY", b"uthorization", b"\"auth\"", b"credential", b"AccountKey=", b"onnectionString", b"_auth", b"PGPASS",
    b"postgres", b"mysql:", b"mongodb", b"redis:", b"rediss:", b"amqp:", b"amqps:", b"mssql", b"sqlserver:", b"_PWD", b"wd=",
)  # fmt: skip
"""Names that rules look for, and the schemes of URLs that hold passwords, in the cases in which they are written."""

Node = tuple[Any, Any]


def marks(rules: Iterable[Rule]) -> tuple[bytes, ...]:
    """The fixed texts in the values of the rules, with the names, each once."""
    found: dict[bytes, None] = {}
    for rule in rules:
        if rule.specificity > GENERIC:
            found.update(dict.fromkeys(beginnings(rule) or inner_text(rule)))
    found.update(dict.fromkeys(NAMES))
    return tuple(found)


def beginnings(rule: Rule) -> tuple[bytes, ...]:
    """How the values of a rule begin; empty where that is not fixed, or too short to say anything."""
    parsed = parse(rule.pattern, rule)
    if rule.ignore_case or parsed.state.flags & re.IGNORECASE:
        return ()
    found: dict[bytes, None] = {}
    groups = parsed.state.groupdict
    for nodes in [_group(list(parsed), number) for number in groups.values()] if groups else [list(parsed)]:
        spelt = [text for text, _ in _spelt(nodes)]
        if 0 < len(spelt) <= MOST_BEGINNINGS and min(map(len, spelt)) >= SHORTEST:
            found.update(dict.fromkeys(spelt))
    return tuple(found)


def inner_text(rule: Rule) -> tuple[bytes, ...]:
    """The longest fixed text that stands elsewhere in each match of the rule, if it is long enough."""
    parsed = parse(rule.pattern, rule)
    if rule.ignore_case or parsed.state.flags & re.IGNORECASE:
        return ()
    longest = max(_literals(list(parsed)), key=len, default=b"")
    return (longest,) if len(longest) > SHORTEST else ()


def _spelt(nodes: list[Node]) -> list[tuple[bytes, bool]]:
    """The fixed beginnings of a sequence, each with whether all of it is fixed."""
    out: list[tuple[bytes, bool]] = [(b"", True)]
    for op, arg in nodes:
        if op in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):
            continue
        if op is sre.LITERAL:
            following = [(bytes((arg,)), True)]
        elif op is sre.IN and (few := _few(arg)):
            following = [(bytes((byte,)), True) for byte in few]
        elif op is sre.SUBPATTERN and not arg[1]:
            following = _spelt(list(arg[3]))
        elif op is sre.BRANCH:
            following = [each for branch in arg[1] for each in _spelt(list(branch))]
        else:
            following = [(b"", False)]
        longer = [(text + more, rest) for text, whole in out if whole for more, rest in following]
        if len(longer) > MOST_BEGINNINGS:
            return [(text, False) for text, _ in out]
        out = list(dict.fromkeys([each for each in out if not each[1]] + longer))
        if not any(whole for _, whole in out):
            break
    return out


def _group(nodes: list[Node], number: int) -> list[Node]:
    """What a named group consists of."""
    for op, arg in nodes:
        bodies: list[Any] = []
        if op is sre.SUBPATTERN:
            if arg[0] == number:
                return list(arg[3])
            bodies = [arg[3]]
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            bodies = [arg[2]]
        elif op is sre.BRANCH:
            bodies = arg[1]
        for body in bodies:
            if inner := _group(list(body), number):
                return inner
    return []


def _few(items: list[Node]) -> list[int]:
    """The members of a small class, none for a large one."""
    members: list[int] = []
    for op, arg in items:
        if op is sre.LITERAL:
            members.append(arg)
        elif op is sre.RANGE and arg[1] - arg[0] < LETTERS:
            members.extend(range(arg[0], arg[1] + 1))
        else:
            return []
    return members if len(members) <= LETTERS else []


def _literals(nodes: list[Node]) -> list[bytes]:
    """The runs of fixed text that every match holds."""
    runs = [b""]
    for op, arg in nodes:
        if op is sre.LITERAL:
            runs[-1] += bytes((arg,))
        elif op in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):
            continue
        elif op is sre.SUBPATTERN and not arg[1]:
            inner = _literals(list(arg[3]))
            runs += [b"", *inner, b""]
        else:
            runs.append(b"")
    return [run for run in runs if run]
