"""What the first pass looks for: hand-written alternatives apart, and names without a beginning of one or two letters."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    "pattern",
    [
        rb"(?i:(?:qiniu|kodo)[\w.-]{0,16}key)=(?P<secret>[0-9a-f]{40})",
        rb"(?i:q(?:iniu|osi)[\w.-]{0,16}key)=(?P<secret>[0-9a-f]{40})",
    ],
)
def test_a_rare_beginning_stays_and_the_common_word_behind_it_goes(pattern: bytes) -> None:
    assert anchor_of(pattern).expression.count(b"iniu") == 1
    assert b"key" not in anchor_of(pattern).expression


@pytest.mark.parametrize(
    "pattern",
    [
        rb"(?i:(?:bce|bos)[\w.-]{0,16}secret)=(?P<secret>[0-9a-f]{40})",
        rb"(?i:b(?:ce|os)[\w.-]{0,16}secret)=(?P<secret>[0-9a-f]{40})",
        rb"(?i:aws[\w.-]{0,16}secret[\w.-]{0,8}key)=(?P<secret>[0-9a-f]{40})",
    ],
)
def test_a_name_is_looked_for_by_its_rarest_word(pattern: bytes) -> None:
    derived = anchor_of(pattern)
    assert derived.expression.startswith(b"(?i:secret")
    assert derived.literals == (b"secret",)


def test_a_name_with_an_optional_sign_in_it_is_looked_for_in_both_spellings() -> None:
    """Of `app_?key` Hyperscan would look for `app`, which is in every third line of some programs."""
    derived = anchor_of(rb"(?i:app_?key)=(?P<secret>[0-9a-f]{40})")
    assert [branch.partition(b"\\x3d")[0] for branch in derived.branches] == [b"(?i:appkey)", b"(?i:app\\x5fkey)"]
    assert derived.literals in ((b"appkey", b"app_key"), (b"app_key", b"appkey"))


WORDS = st.sampled_from([b"app", b"api", b"aws", b"key", b"cf", b"secret", b"token", b"qiniu", b"_", b"line"])
PIECES = st.one_of(
    WORDS.map(lambda word: word),
    WORDS.map(lambda word: b"(?:" + word + b")?"),
    st.lists(WORDS, min_size=2, max_size=4).map(lambda words: b"(?:" + b"|".join(words) + b")"),
    st.sampled_from([b"[_.-]?", rb"[\w.-]{0,9}", rb"\s{0,3}", b"(?:x_?y|z)"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=6), st.lists(PIECES, max_size=4), st.data())
def test_whatever_the_pattern_matches_the_anchor_finds(one: list[bytes], other: list[bytes], data: st.DataObject) -> None:
    name = b"".join(one) + (b"|" + b"".join(other) if other else b"")
    pattern = b"(?i:" + name + b")=(?P<secret>[0-9a-f]" + data.draw(st.sampled_from([b"{8,40}", b"{40}"])) + b")"
    derived = anchor_of(pattern)
    matching = data.draw(st.from_regex(re.compile(pattern, re.DOTALL), fullmatch=True))
    engine = VectorscanEngine(compile_database([derived], ["x"]))
    for text_ in (
        matching,
        b"abc " + matching.upper().replace(b"=" + matching.rpartition(b"=")[2].upper(), b"=" + matching.rpartition(b"=")[2]),
    ):
        if re.search(pattern, text_):
            assert engine.hits(text_)
            assert PortableEngine([derived]).hits(text_)


def test_a_long_run_of_digits_is_no_name_with_a_value_behind_it() -> None:
    """Every fortieth SHA-256 has `cf` in it, and `default = ` is made of hexadecimal digits and other letters."""
    between = rb"(?:[\"']?\s{0,4}[:=]\s{0,4}|[\"']?,\s{1,20}[\"']?value[\"']?\s{0,3}[:=]|\s{0,3}\{\s{1,12}default\s{1,8}=\s{0,3})"
    derived = anchor_of(rb"(?i:(?<![a-z])cf[\w.-]{0,8}key)" + between + rb"[\"']{0,2}(?P<secret>[0-9a-f]{37})(?![0-9a-f])")
    assert b"key" not in derived.expression
    engine = VectorscanEngine(compile_database([derived], ["x"]))
    digits = "cf" + "0123456789abcdef" * 4
    assert not engine.hits(f"layer sha256:{digits} pulled\n".encode())
    for given_ in (f"CF_KEY={digits}", f'cf.key = {{\n  default = "{digits}"', f'"cfKey",\n  "value": {digits}'):
        assert engine.hits(given_.encode()), given_
