"""What betrays a secret before it is decoded: the fixed text in the values of a rule, and the names that stand beside values.

A mark is only ever looked for in an encoding, never as it stands, so that a common word costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _constants as sre  # type: ignore[attr-defined]  # private, and stable since 3.11
from typing import Any, NamedTuple

from keyward.match.engine.anchor_derivation import parse
from keyward.model.rule import GENERIC, Rule

SHORTEST = 3
"""Bytes of fixed text that are worth looking for."""

LONGEST, LONGEST_NAME = 5, 8
"""Bytes of a mark that are made an image of. A name is a word, so more of it is needed to tell it from other words."""

MOST_BEGINNINGS = 40
"""Beginnings of one rule; one with more has none that is fixed."""

LETTERS = 6
"""A class of so many bytes or fewer is spelt out."""

NAMES = (
    b"pass", b"Pass", b"PASS", b"_PWD", b"_pwd", b"wd=", b"secret", b"Secret", b"SECRET", b"token", b"Token", b"TOKEN", b"_KEY", b"_key", b"-key",
    b"-Key", b"key=", b"key:", b"key\"", b"Key=", b"Key:", b"Key\"", b"apiKey", b"apikey", b"ApiKey", b"accessKey", b"ivateKey", b"PRIVATE KEY", b"nseal",
    b"nemonic", b"NEMONIC", b"uthorization", b"_auth", b"_AUTH", b"\"auth\"", b"credential", b"onnectionString",
    b"postgres", b"mysql", b"MYSQL", b"mongo", b"MONGO", b"redis", b"REDIS", b"amqp:", b"amqps", b"mqtt", b"stomp", b"mssql", b"sqlserver", b"oracle", b"clickhouse",
    b"cassandra", b"couchdb", b"neo4j", b"NEO4J", b"bolt:", b"influx", b"elastic", b"snowflake", b"ftp:/", b"ftps:", b"ssh:/", b"smtp", b"SMTP", b"ldap", b"s3:/", b"dav:/", b"https://", b"hooks.", b"webhook",
    b"_PAT=", b"nats:", b"api_hash", b"API_HASH", b"docker login",
)  # fmt: skip
"""Names that rules look for, and the schemes of URLs that hold passwords, in the cases in which they are written. Not `http:`, which certificates hold."""

Node = tuple[Any, Any]


class Marks(NamedTuple):
    """`beginnings`: how values begin, for the rules that say so, but for URLs, which every certificate holds; `inner`: fixed text elsewhere in the matches of the
    others."""

    beginnings: tuple[bytes, ...]
    inner: tuple[bytes, ...]

    @property
    def shortened(self) -> tuple[bytes, ...]:
        """As much of each as is worth looking for, with the names, each once."""
        fixed = (mark[:LONGEST] for mark in (*self.beginnings, *self.inner))
        return tuple(dict.fromkeys((*fixed, *(name[:LONGEST_NAME] for name in NAMES))))


def marks(rules: Iterable[Rule]) -> Marks:
    """What betrays the values of the rules, but for the generic ones: those have the names."""
    found: dict[bytes, None] = {}
    inner: dict[bytes, None] = {}
    for rule in rules:
        if rule.specificity == GENERIC or rule.ignore_case:
            continue
        parsed = parse(rule.pattern, rule)
        if parsed.state.flags & re.IGNORECASE:
            continue
        nodes = list(parsed)
        beginnings = _beginnings(nodes, parsed.state.groupdict.values())
        found.update(dict.fromkeys(beginnings))
        longest = b"" if beginnings else max(_literals(nodes), key=len, default=b"")
        if len(longest) >= LONGEST:
            inner[longest] = None
    return Marks(tuple(found), tuple(inner))


def _beginnings(nodes: list[Node], groups: Iterable[int]) -> list[bytes]:
    """How the parts of a pattern begin; nothing of those where that is not fixed, or too short to say anything."""
    found: list[bytes] = []
    for part in [_group(nodes, number) for number in groups] or [nodes]:
        spelt = [text for text, _ in _spelt(part)]
        if 0 < len(spelt) <= MOST_BEGINNINGS and min(map(len, spelt)) >= SHORTEST:
            found.extend(text for text in spelt if not text.startswith(b"http"))
    return found


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
