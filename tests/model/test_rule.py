"""A rule's constructor demands what makes a rule trustworthy."""

from __future__ import annotations

from typing import Any

import pytest

from keyward.errors import RuleError
from keyward.match.engine.anchor_derivation import derive, nested_repeat, public_prefix
from keyward.model.kind import Kind
from keyward.model.rule import Rule
from keyward.plugin.shapes import an, assigned, concat

KIND = Kind("acme/token")
GOOD: dict[str, Any] = {
    "examples": (assigned("T", concat("acme_", an(20))),),
    "near_misses": (assigned("T", concat("acme_", an(19))),),
}


def rule(pattern: bytes = rb"acme_[A-Za-z0-9]{20}\b", **changes: Any) -> Rule:
    return Rule("acme/token", KIND, pattern, **{**GOOD, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"examples": ()}, "no examples"),
        ({"near_misses": ()}, "no near misses"),
        ({"score": 0}, "score 0"),
        ({"window": 1 << 20}, "window"),
        ({"pattern": b""}, "non-empty"),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RuleError, match=message):
        rule(**changes)


def test_a_rule_is_frozen() -> None:
    with pytest.raises(AttributeError):
        rule().score = 1


@pytest.mark.parametrize(
    ("pattern", "message"),
    [(rb"acme_(", "not a regular expression"), (rb"(acme)_\1", "cannot look for"), (rb"a*", "nothing at all"), (rb"ab", "too short")],
)
def test_patterns_that_cannot_be_looked_for_are_refused(pattern: bytes, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        derive(rule(pattern))


@pytest.mark.parametrize(
    ("pattern", "anchor"),
    [
        (rb"(?<![A-Z])acme_[a-z]{3,9}(?![a-z])", rb"acme\x5f(?:[a-z]){3}"),
        (rb"acme(?:-(?:test|live))?_?[0-9]{4}", rb"acme(?:\x2d(?:test|live)){0,1}?(?:\x5f){0,1}?(?:[0-9]){4}"),
        (rb"acme=(?P<secret>.{2,})", rb"acme\x3d(?:(?:[^\x0a]){2})"),
        (rb"acme:\s*$", rb"acme\x3a"),
    ],
)
def test_the_anchor_ends_as_early_as_it_can(pattern: bytes, anchor: bytes) -> None:
    assert derive(rule(pattern)).expression == anchor


@pytest.mark.parametrize(("pattern", "bad"), [(rb"acme(a+)+$", True), (rb"acme(?:a{1,20}b?){1,30}", True), (rb"acme[a-z]+(?:-[a-z])?", False)])
def test_nested_repeats_are_recognised(pattern: bytes, bad: bool) -> None:
    assert nested_repeat(rule(pattern)) is bad


@pytest.mark.parametrize(
    ("pattern", "value", "shown"),
    [
        (rb"(?P<secret>ghp_[A-Za-z0-9]{36})", b"ghp_" + b"Ab1" * 12, b"ghp_"),
        (rb"(?P<secret>(?:AKIA|ASIA)[A-Z2-7]{16})", b"ASIA" + b"QRST" * 4, b"ASIA"),
        (rb"(?P<secret>xox[bp]-[0-9]+)", b"xoxb-123", b"xoxb-"),
        (rb"name=(?P<secret>[a-z]{20})", b"abcdefghijklmnopqrst", b""),
        (rb"acme_[a-z]{20}", b"acme_abcdefghijklmnopqrst", b"acme_"),
    ],
)
def test_only_the_fixed_beginning_is_public(pattern: bytes, value: bytes, shown: bytes) -> None:
    matched = public_prefix(rule(pattern), "secret").match(value)
    assert matched is not None
    assert matched.group() == shown
