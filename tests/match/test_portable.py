"""The portable engine tries an expression only where a word of its matches stands, and misses none by that."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyward.match.engine.anchor import Anchor
from keyward.match.engine.beginnings import Word, beginnings
from keyward.match.engine.portable import PortableEngine


def anchor(
    expression: bytes, *, ignore_case: bool = False, multiline: bool = False, literals: tuple[bytes, ...] = ()
) -> Anchor:
    return Anchor(expression, ignore_case, multiline, 0, 0, 0, literals)


def ends(expression: bytes, flags: int, text: bytes) -> list[int]:
    """The ends of the matches at every place, by trying them all."""
    regex = re.compile(expression, flags)
    return sorted({found.end() for at in range(len(text) + 1) if (found := regex.match(text, at)) is not None})


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (rb"ghp_[A-Za-z0-9]{36}", {Word(b"ghp_", 0, 0)}),
        (rb"(?:\A|[^A-Za-z0-9])(?:AC(?:[0-9a-f]){32})", {Word(b"ac", 0, 1)}),
        (rb"(?i:app_?key|Token)=[a-z]{3}", {Word(b"app_key=", 0, 0), Word(b"appkey=", 0, 0), Word(b"token=", 0, 0)}),
        (rb"[0-9a-f]{32}-us[a-z]{2}", {Word(b"-us", 32, 32)}),
        (rb"[a-z]{2}-[a-z]{4,10}:secretly", {Word(b":secretl", 7, 13)}),
        (rb"[a-z]{3,}\.infura\.io", set()),
        (rb"[A-Za-z0-9]{40}", set()),
    ],
)
def test_the_words_that_every_match_has(expression: bytes, words: set[Word]) -> None:
    assert set(beginnings(expression, 0)) == words


PIECES = st.sampled_from(
    [
        rb"key", rb"(?:key|token|to)", rb"(?i:SeCret)", rb"_?", rb"[_.-]", rb"(?:ab){0,1}?", rb"(?:ab){2}", rb"(?:a|bc){1,}?", rb"[0-3]{2}", rb"[0-9a-f]{4}",
        rb"[^ab]", rb"(?:\A|[^a-z])", rb"^", rb"$", rb"\b", rb"\s{0,4}", rb"(?:x(?:y|z){0,2}?|zz)", rb"\x2d", rb"=", rb"[\x00-\xff]{2}", rb"(?:[\w.-]){0,}?",
    ]
)  # fmt: skip
NOISE = st.sampled_from(
    [
        b"key",
        b"to",
        b"token",
        b"SECRET",
        b"_",
        b"-",
        b"ab",
        b"abab",
        b"01",
        b"beef",
        b"\n",
        b" ",
        b"=",
        b"xyz",
        b"zz",
        b"\xff",
        b"KEY",
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(PIECES, min_size=1, max_size=6).map(lambda pieces: b"".join(pieces) + b"[a-z=_-]"),
    st.lists(NOISE, max_size=14).map(b"".join),
    st.booleans(),
    st.data(),
)
def test_the_same_ends_as_by_trying_every_place(
    expression: bytes, noise: bytes, ignore_case: bool, data: st.DataObject
) -> None:
    flags = re.MULTILINE | (re.IGNORECASE if ignore_case else 0)
    matching = data.draw(st.one_of(st.just(b""), st.from_regex(re.compile(expression, flags))))
    text = noise + matching + noise.upper()
    engine = PortableEngine([anchor(expression, ignore_case=ignore_case, multiline=True)])
    for _ in range(2):  # the second time it knows the words
        found = engine.hits(text)
        assert found.get(0, []) == ends(expression, flags, text)


@pytest.mark.parametrize("size", range(12))
def test_words_of_every_length_at_every_place(size: int) -> None:
    for length in range(1, 7):
        word = b"secret"[:length]
        engine = PortableEngine([anchor(word, literals=(word,)), anchor(b"[xy]zzzz")])
        text = b"." * size + word.upper() + b"." * (size % 3)
        assert engine.hits(text) == {}
        assert engine.hits(text.lower()) == {0: [size + length]}
        assert engine.hits(text.lower() + b"yzzzz") == {0: [size + length], 1: [len(text) + 5]}


def test_a_view_and_an_empty_text_are_texts_too() -> None:
    engine = PortableEngine([anchor(b"abc"), anchor(b"(?:abc|[0-9]{3})", literals=())])
    assert engine.hits(memoryview(b"xabc1")) == {0: [4], 1: [4]}
    assert engine.hits(b"") == {}
    assert engine.hits(bytearray(b"123")) == {1: [3]}
