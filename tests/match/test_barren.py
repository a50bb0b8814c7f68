"""Lines that hold no credential are remembered; nothing that is one is ever forgotten for it."""

from __future__ import annotations

import re

import pytest
from tests_support import token

from keyward.match.catalogue import load
from keyward.match.engine.anchor_derivation import derive
from keyward.match.matcher import Matcher
from keyward.model.kind import Kind
from keyward.model.rule import GENERIC, PROVIDER, Companion, Rule
from keyward.plugin.shapes import text
from keyward.registry import Registry

REGISTRY = Registry()
CATALOGUE = load(REGISTRY)
SAMPLES = [
    shape.sample(seed).text
    for _, rule in REGISTRY.rules()
    if rule.specificity == GENERIC
    for shape in (*rule.examples, *rule.near_misses)
    for seed in (1, 2)
]
VALUE = token(7)
BARREN = b'  "output_token": "NextToken",\n'


def found(matcher: Matcher, data: bytes, path: str = "a/data.json") -> list[tuple[str, tuple[int, int], int]]:
    return [(j.candidate.rule.id, j.candidate.span, j.confidence) for j in matcher.find(data, path)]


def test_what_was_seen_before_changes_nothing() -> None:
    """Every sample between others, given to a matcher that has seen them all and to one that has seen nothing."""
    experienced = Matcher(REGISTRY, CATALOGUE)
    for sample in SAMPLES * 2:
        found(experienced, b"\n" + sample + b"\n")
    assert len(SAMPLES) > 50
    for number, sample in enumerate(SAMPLES):
        data = b"\n".join([b"# first", sample, SAMPLES[number - 1], sample, b""])
        assert found(experienced, data) == found(Matcher(REGISTRY, CATALOGUE), data)


def test_a_credential_among_thousands_of_barren_lines_is_found_each_time() -> None:
    matcher = Matcher(REGISTRY, CATALOGUE)
    line = b'  "api_token": "' + VALUE + b'",\n'
    data = BARREN * 2000 + line + BARREN * 2000 + line
    spans = [span for _, span, _ in found(matcher, data)]
    assert [data[start:end] for start, end in spans] == [VALUE, VALUE]
    assert [span for _, span, _ in found(matcher, data)] == spans


def test_a_line_that_is_barren_in_one_kind_of_file_is_judged_anew_in_another() -> None:
    matcher = Matcher(REGISTRY, CATALOGUE)
    data = b"# settings\npassword = Tr9kQvuzz!\n"
    assert not found(matcher, data, "poetry.lock")
    assert found(matcher, data, "app.ini") == found(Matcher(REGISTRY, CATALOGUE), data, "app.ini") != []


def rule(pattern: bytes, *, specificity: int = GENERIC, companions: tuple[Companion, ...] = (), trusted: bool = True) -> Rule:
    sample = (text("x"),)
    return Rule(
        "acme/key",
        Kind("acme/key"),
        pattern,
        examples=sample,
        near_misses=sample,
        specificity=specificity,
        companions=companions,
        trusted=trusted,
    )


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (rb"acme[ \t]*=[ \t]*(?P<secret>[a-z]{8})", True),
        (rb"acme=(?P<secret>[a-z]{8})(?=[\s;]|\Z)", True),
        (rb"acme=(?P<secret>[a-z]{8})(?:[;\r\n]|\Z|[ \t]{1,8}(?:#|\\\n))", True),
        (rb"acme=(?P<secret>[^;]{8})", False),
        (rb"acme\s*=(?P<secret>[a-z]{8})", False),
        (rb"acme=\n?(?P<secret>[a-z]{8})", False),
        (rb"acme=(?P<secret>[a-z]{8})(?:;|\n\n)", False),
        (rb"acme=(?P<secret>[a-z]{8})(?=\nnext)", False),
        (rb"acme=(?s:.)(?P<secret>[a-z]{8})", False),
        (rb"acme=.(?P<secret>[a-z]{8})", True),
        (rb"acme=(?P<secret>[a-z]{8}):(?P<id>[0-9]{3})", False),
    ],
)
def test_which_rules_keep_to_a_line(pattern: bytes, expected: bool) -> None:
    assert re.compile(pattern)
    assert derive(rule(pattern)).keeps_to_line is expected


def test_only_generic_rules_by_themselves_are_decided_by_a_line() -> None:
    pattern = rb"acme=(?P<secret>[a-z]{8})"
    assert derive(rule(pattern)).keeps_to_line
    assert not derive(rule(pattern, specificity=PROVIDER)).keeps_to_line
    assert not derive(rule(pattern, trusted=False)).keeps_to_line
    assert not derive(rule(pattern, companions=(Companion("id", rb"id=[0-9]{3}"),))).keeps_to_line
