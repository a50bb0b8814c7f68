"""Patterns for paths mean what they mean in `.gitignore`, and none is slow."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyward.scan.globs import Excludes, translate

CASES = [
    # pattern, paths that it excludes, paths that it does not
    ("vendor/", ["vendor/a.py", "x/vendor/a.py", "vendor/b/c"], ["vendor", "vendors/a", "x.vendor/a"]),
    ("*.min.js", ["a.min.js", "x/y/a.min.js", "a.min.js/inside"], ["a.js", "a.min.json"]),
    ("/build", ["build", "build/x"], ["x/build", "builds"]),
    ("docs/*.pdf", ["docs/a.pdf"], ["docs/x/a.pdf", "x/docs/a.pdf", "docs/.txt"]),
    ("**/fixtures/**", ["fixtures/a", "x/fixtures/y/z"], ["fixtures", "x/fixtures", "xfixtures/a"]),
    ("a/**/b", ["a/b", "a/x/b", "a/x/y/b", "a/x/b/c"], ["b", "a/xb", "x/a/b"]),
    ("x/**", ["x/a", "x/a/b"], ["x", "y/x/a"]),
    ("**", ["a", "a/b"], []),
    ("?.py", ["a.py", "x/b.py"], ["ab.py", ".py", "/.py"]),
    ("[a-c]x", ["ax", "y/cx"], ["dx", "x", "-x"]),
    ("[!a-c]x", ["dx"], ["ax", "x", "a/x"]),
    ("[]a]x", ["]x", "ax"], ["bx"]),
    (r"\*.py", ["*.py"], ["a.py"]),
    (r"\!keep", ["!keep"], ["keep"]),
    ("a b", ["a b"], ["a", "b"]),
    ("trailing  ", ["trailing"], ["trailing  "]),
    ("Ünï*", ["Ünïcode/x"], ["ünïcode"]),
    ("a**b", ["ab", "axxb"], ["a/b"]),
]


@pytest.mark.parametrize(("pattern", "inside", "outside"), CASES)
def test_meaning(pattern: str, inside: list[str], outside: list[str]) -> None:
    excludes = Excludes([pattern])
    assert [path for path in inside if excludes(path) != pattern] == []
    assert [path for path in outside if excludes(path)] == []


def test_folders() -> None:
    assert Excludes(["vendor/"])("x/vendor", True) == "vendor/"
    assert Excludes(["vendor/"])("x/vendor", False) == ""
    assert Excludes(["x/**"])("x", True) == ""


def test_which_pattern_it_was() -> None:
    excludes = Excludes(["a/", "*.b", "c(d"])
    assert [excludes(path) for path in ("a/x", "q.b", "c(d", "e")] == ["a/", "*.b", "c(d", ""]
    assert Excludes([])("anything") == ""


@pytest.mark.parametrize("pattern", ["", " ", "/", "!x", "[a", "a\\", "../x", "./x", "a/../b", "x" * 501])
def test_what_is_wrong(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        translate(pattern)


segments = st.sampled_from(["a", "b", "ab", "*", "a*", "*b", "?", "**", "*a*b", "[ab]", "[!a]", "a?b", "a**b", ".x"])
patterns = st.builds(
    lambda start, middle, end: start + "/".join(middle) + end, st.sampled_from(["", "/"]), st.lists(segments, min_size=1, max_size=4), st.sampled_from(["", "/"])
)  # fmt: skip
paths = st.lists(st.sampled_from(["a", "b", "ab", "aab", "abb", "axb", ".x", "c", "ba"]), min_size=1, max_size=5).map("/".join)


@settings(max_examples=500)
@given(patterns, paths)
def test_as_an_independent_reader_of_gitignore_sees_it(pattern: str, path: str) -> None:
    pathspec = pytest.importorskip("pathspec")
    assert bool(Excludes([pattern])(path)) == pathspec.GitIgnoreSpec.from_lines([pattern]).match_file(path)


@given(st.text(alphabet="ab*?[]!/\\.-^{}()|$ \n", max_size=20), st.text(max_size=20))
def test_any_text(pattern: str, path: str) -> None:
    try:
        translate(pattern)
    except ValueError:
        return
    Excludes([pattern])(path)


@pytest.mark.parametrize("pattern", ["*a" * 40 + "b", "**/a/" * 20 + "b", "*a*a*a*/" * 8 + "b", "**/*a*a*/**/*a*a*/**/*b"])
def test_no_pattern_is_slow(pattern: str) -> None:
    excludes = Excludes([pattern])
    start = time.process_time()
    excludes("/".join(["a" * 250] * 16))
    excludes("/".join(["a"] * 2000))
    assert time.process_time() - start < 0.5
