"""Patterns of Go find the same after they were rewritten for RE2 on bytes and for Python's parser."""

from __future__ import annotations

import re
import warnings

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from keyward.scan.interop.go_regex import Untranslatable, translate
from keyward.scan.interop.shape import described_shape, fitting_text, without_loose_beginning

PATTERNS = [
    r"(?i)[\w.-]{0,9}?(?:acme)(?:[ \t\w.-]{0,5})[\s'\"]{0,3}(?:=|:{1,3}=|\|\||:)[\x60'\"\s=]{0,5}([a-z0-9]{4})(?:['\"\x60]|[\s;]|\\[nr]|$)",
    r"\b(p8e-(?i)[a-z0-9]{3})(?:['\" ]|\z)",
    r"a(?i)b|c(?-i:d)e",
    r"(?i:a(?-i)b)c",
    r"(?m)^a{1,3}b$|\Qx.y\E{2}",
    r"(?s)a.b|(?-s)c.d",
    r"[[:alnum:]_]{2}-[[:^digit:]]|[^[:space:]a]b",
    r"(?P<name>a+)(?<other>b*)c",
    r"[]a-]b|[^]a]c|[\d\-]d|[\S]e|[^\W]f",
    r"a{,3}|b{|c{2|d{2,}e",
    r"\x{61}\x62\143\.\_\-\/\<\@",
    r"^a|b$|\Ac|d\z",
    r"\Bb\b|\bc\B",
    r"(?:|a)b(?:c|)",
    r"(?i)[^a-c]Z",
]


def spans(pattern: str, text: bytes, *, bytewise: bool = False) -> list[tuple[int, int]]:
    options = re2.Options()
    if bytewise:
        options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    return [found.span() for found in re2.compile(pattern.encode(), options=options).finditer(text)]


@pytest.mark.parametrize("pattern", PATTERNS)
@settings(max_examples=60, deadline=None)
@given(text=st.text(alphabet="aAbBcCdDeE8pP-xyZ.= \n\t'\"{,}2", max_size=30))
def test_the_same_matches_as_in_re2_itself(pattern: str, text: str) -> None:
    made = translate(pattern).pattern
    assert spans(made, text.encode(), bytewise=True) == spans(pattern, text.encode())  # as UTF-8, as gitleaks matches


@pytest.mark.parametrize("pattern", PATTERNS)
def test_pythons_parser_reads_what_comes_out_without_a_warning(pattern: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        re.compile(translate(pattern).pattern.encode("ascii"))


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        (r"a(?=b)", "lookahead"),
        (r"(?<!a)b", "lookahead, lookbehind"),
        (r"(a)\1", "backreference"),
        (r"\p{Greek}+", "Unicode"),
        (r"(?U)a+", "flag U"),
        (r"[а-я]", "beyond ASCII"),
        (r"[^é]", "beyond ASCII"),
        (r"a**", "repeat of a repeat"),
        (r"*a", "repeat of nothing"),
        (r"(a", "without a closing one"),
        (r"a)", "without an opening one"),
        (r"[a", "too early"),
        (r"[b-a]", "ends before"),
        (r"[[:foo:]]", "class of letters"),
        ("\\", "too early"),
        (r"\y", "escape"),
        (r"\x{zz}", r"\x escape"),
        ("(" * 200 + ")" * 200, "groups within groups"),
    ],
)
def test_what_has_no_translation_says_why(pattern: str, says: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        translate(pattern)
    assert says in str(caught.value)


def test_characters_beyond_ascii_are_their_bytes() -> None:
    text = "key “abc” é é".encode()
    assert spans(translate("[“”x]a").pattern, text, bytewise=True) == [(4, 8)]
    assert spans(translate("(?:é ?)+").pattern, text, bytewise=True) == [(text.index("é".encode()), len(text))]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab()[]{}|*+?^$.\\-:=!<>PimsUQEzx1, é", max_size=25))
def test_any_text_is_translated_or_refused_and_never_breaks(pattern: str) -> None:
    """What is translated, RE2 takes: no pattern can end a scan."""
    try:
        made = translate(pattern, lambda number: f"g{number}").pattern
    except Untranslatable:
        return
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    re2.compile(made.encode("ascii"), options=options)


def test_groups_are_kept_by_name_or_only_group() -> None:
    made = translate(r"(a)(?P<b>b)\((c)", lambda number: "secret" if number == 2 else "")
    assert made.groups == 3
    assert re.compile(made.pattern).groupindex == {"secret": 2 - 1}


@pytest.mark.parametrize(
    ("pattern", "candidates"),
    [
        ("(a)(b)", [1]),
        ("(?:(a)|(b))", [1, 2]),
        ("(a)?(b)(c)", [1, 2]),
        ("(x*)(b)", [2]),
        ("(?:(a)c){2}", [1]),
        ("(?:(a)c)*(bb)", [1, 2]),
    ],
)
def test_the_secret_is_the_first_group_that_takes_part(pattern: str, candidates: list[int]) -> None:
    made = translate(f"pre{pattern}", lambda number: f"g{number}").pattern
    assert described_shape(made).candidates == candidates


def test_a_loose_beginning_is_left_out_only_where_nothing_depends_on_it() -> None:
    assert without_loose_beginning(r"[\x2da-z]{0,50}?token") == "token"
    assert without_loose_beginning(r"(?i:[a-z]*token)") == "(?i:token)"
    for kept in ("(?i:[a-z]{0,5}b){2}", "[a-z]{1,5}token", "(?P<secret>[a-z]{0,5}b)", "token[a-z]{0,5}"):
        assert without_loose_beginning(kept) == kept


@pytest.mark.parametrize("pattern", [r"tok_[a-f0-9]{32}", r"(?i:key)[\s]{0,3}=(?:x|y)[^\n]{3,}", r"[^a-z]{4}end"])
def test_a_text_that_fits_is_made_of_a_pattern(pattern: str) -> None:
    made = translate(pattern).pattern
    texts = {fitting_text(made, seed) for seed in range(5)}
    assert len(texts) > 1
    assert all(re.compile(made.encode()).search(text) for text in texts)
