"""What the first pass looks for: hand-written alternatives apart, and names without a beginning of one or two letters."""

from __future__ import annotations

import pytest

from keyward.match.engine.anchor import Anchor
from keyward.match.engine.anchor_derivation import derive
from keyward.match.engine.portable import PortableEngine
from keyward.match.engine.vectorscan import VectorscanEngine, compile_database
from keyward.model.kind import Kind
from keyward.model.rule import Rule
from keyward.plugin.shapes import text


def anchor_of(pattern: bytes, anchor: bytes | None = None) -> Anchor:
    return derive(Rule("x/y", Kind("x/y"), pattern, anchor=anchor, examples=[text("a")], near_misses=[text("b")]))


@pytest.mark.parametrize(
    ("anchor", "branches"),
    [
        (rb"abcd|efgh", (b"abcd", b"efgh")),
        (rb"ab(?:c|d)|ab[|)]x", (rb"ab(?:[cd])", rb"ab[\x7c\x29]x")),
        (rb"a\|b\(cd|[^]|]xyz", (rb"a\x7cb\x28cd", rb"[^\x5d\x7c]xyz")),
        (rb"(?:abc|def)", (rb"(?:abc|def)",)),
    ],
)
def test_alternatives_of_an_anchor_are_entries_of_their_own(anchor: bytes, branches: tuple[bytes, ...]) -> None:
    derived = anchor_of(rb"[a-z]{3}(?P<secret>[0-9]{4,9})", anchor)
    assert len(derived.branches) == len(branches)
    text_ = b"abcd efgh abcx abdx ab|x ab)x a|b(cd qxyz |xyz def "
    single = [VectorscanEngine(compile_database([derived._replace(branches=(each,))], ["x"])).hits(text_) for each in branches]
    assert VectorscanEngine(compile_database([derived], ["x"])).hits(text_) == {
        0: sorted({end for hits in single for end in hits.get(0, [])})
    }
    assert PortableEngine([derived]).hits(text_) == VectorscanEngine(compile_database([derived], ["x"])).hits(text_)


@pytest.mark.parametrize(
    "pattern",
    [
        rb"(?i:(?:cloudflare|(?<![a-z])cf)[\w.-]{0,16}token)=(?P<secret>[0-9a-f]{8,40})",
        rb"(?i:(?:pager_?duty|pd)[\w.-]{0,16}(?:token|api[_-]?key)|provider x token)=(?P<secret>[0-9a-f]{8,40})",
    ],
)
def test_a_short_beginning_of_a_name_is_left_to_the_exact_match(pattern: bytes) -> None:
    derived = anchor_of(pattern)
    assert b"cf" not in derived.expression and b"pd" not in derived.expression
    assert min(map(len, derived.literals)) >= 3
    assert derived.lookback >= len(b"cloudflare") + 16 + len(b"token=") + 8


@pytest.mark.parametrize(
    "pattern",
    [
        rb"(?i:(?:bce|bos)[\w.-]{0,16}secret)=(?P<secret>[0-9a-f]{8,40})",
        rb"(?i:b(?:ce|os)[\w.-]{0,16}secret)=(?P<secret>[0-9a-f]{8,40})",
    ],
)
def test_a_beginning_that_is_long_enough_stays(pattern: bytes) -> None:
    assert b"os" in anchor_of(pattern).expression
