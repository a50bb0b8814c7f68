"""The exact match looks at a window around a hit, and the window's end is not the end of the text."""

from __future__ import annotations

import random

import pytest

from keyward.match.confirm import Confirmer
from keyward.match.engine.anchor_derivation import derive
from keyward.match.engine.portable import PortableEngine
from keyward.model.kind import Kind
from keyward.model.rule import Rule
from keyward.plugin.shapes import an, concat, part
from keyward.registry import Registry

SAMPLE = concat("test_key=", part("secret", an(12)), ";")


def found(pattern: bytes, text: bytes) -> list[bytes]:
    """The parts `secret` that a rule finds in a text, by its own anchor and the exact match."""
    rule = Rule("test/key", Kind("test/key"), pattern, examples=[SAMPLE], near_misses=[concat("other=", an(12))])
    anchor = derive(rule)
    ends = PortableEngine([anchor]).hits(text).get(0, [])
    matches, _ = Confirmer(rule, anchor).confirm(text, ends)
    return [text[slice(*match.parts["secret"])] for match in matches]


ENDS = {
    "the end of the text": rb"test_key=(?P<secret>[a-z]{4,40})(?:\Z|;)",
    "nothing like it after": rb"test_key=(?P<secret>[a-z]{4,40})(?![a-z])",
    "a fixed beginning": rb"test_key=(?P<secret>[a-z]{40})(?:\Z|;)",
    "an open beginning": rb"[a-z_]{0,8}=(?P<secret>[a-z]{4,40})(?:\Z|;)",
}
ENDLESS = {
    "the end of the text": rb"test_key=(?P<secret>[a-z]{4,})(?:\Z|;)",
    "nothing like it after": rb"test_key=(?P<secret>[a-z]{4,}+)(?![a-z])",
}


@pytest.mark.parametrize("pattern", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("length", [41, 60, 200, 5000])
def test_a_value_that_is_too_long_is_not_taken_for_one_that_ends(pattern: bytes, length: int) -> None:
    assert found(pattern, b"# a file\ntest_key=" + b"q" * length + b" and more text behind it " * 40) == []


@pytest.mark.parametrize("pattern", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("after", [b"", b"; and more"])
def test_the_longest_value_is_found_at_the_end_and_before_it(pattern: bytes, after: bytes) -> None:
    assert found(pattern, b"# a file\ntest_key=" + b"q" * 40 + after) == [b"q" * 40]


@pytest.mark.parametrize("pattern", ENDLESS.values(), ids=ENDLESS)
def test_a_value_without_an_end_is_not_cut_off(pattern: bytes) -> None:
    assert found(pattern, b"# a file\ntest_key=" + b"q" * 100_000 + b" and more text behind it " * 40) == []


GENERIC = {
    rule.id: (rule, anchor)
    for rule, anchor in ((rule, derive(rule)) for _, rule in Registry().rules(["generic"]))
    if anchor.keeps_to_line
}
FILLERS = ("", "x = 1\n", "\r\n", 'name = "token"\n', "password\n", "\n\n\t", 'a = {"secret": ')


@pytest.mark.parametrize("name", GENERIC)
@pytest.mark.parametrize("seed", range(8))
def test_a_line_is_enough_for_a_rule_that_keeps_to_one(name: str, seed: int) -> None:
    """What is found in the lines of the hits is what is found in all that the rule may look at."""
    rule, anchor = GENERIC[name]
    dice = random.Random(seed)
    texts = [shape.sample(seed * 1000 + number).text for number, shape in enumerate((*rule.examples, *rule.near_misses))]
    pieces = [piece for text in dice.sample(texts, len(texts)) for piece in (text, dice.choice(FILLERS).encode())]
    data = b"".join(pieces)
    ends = PortableEngine([anchor]).hits(data).get(0, [])
    in_lines = Confirmer(rule, anchor)
    in_windows = Confirmer(rule, anchor._replace(keeps_to_line=False))
    assert in_lines.confirm(data, ends) == in_windows.confirm(data, ends)
    assert in_lines.confirm(data, ends)[0], "there is something to be found"
