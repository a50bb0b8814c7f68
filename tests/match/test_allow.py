"""Comments that let a secret pass, and never a second one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyward.match.allow import NO_REASON, Inline, allowances, ambiguous, decide, notes
from keyward.plugin.shapes import an

TOKEN = an(40).sample(5).text
A, B, C = "kw1_" + "a" * 26, "kw1_" + "b" * 26, "kw1_" + "c" * 26

OWN_LINE = {
    "keyward:allow": "keyward:allow",
    "pragma: allowlist secret": "pragma: allowlist secret",
    "pragma:allowlist secret": "pragma:allowlist secret",
    "pragma: whitelist secret": "pragma: whitelist secret",
    "pragma: allowlist-secret": "pragma: allowlist-secret",
    "gitleaks:allow": "gitleaks:allow",
    "betterleaks:allow": "betterleaks:allow",
    "trufflehog:ignore": "trufflehog:ignore",
    "kingfisher:ignore": "kingfisher:ignore",
    "leakkill:ignore": "leakkill:ignore",
    "ggignore": "ggignore",
    "nosecret": "nosecret",
    "secretlint-disable-line": "secretlint-disable-line",
}
NEXT_LINE = (
    "keyward:allow-nextline", "pragma: allowlist nextline secret", "pragma: whitelist nextline secret",
    "pragma: allowlist-nextline-secret", "secretlint-disable-next-line",
)  # fmt: skip
COMMENTS = ("# {}", "#{}", "// {}", "//{}", "-- {}", "<!-- {} -->", "/* {} */", "/*{}*/", "; {}", "% {}", "' {}", "{{# {} #}}")


@pytest.mark.parametrize("comment", COMMENTS)
@pytest.mark.parametrize("tag", OWN_LINE)
def test_every_tag_in_every_comment(tag: str, comment: str) -> None:
    line = b'token = "' + TOKEN + b'" ' + comment.format(tag).encode()
    assert allowances(line) == [Inline(OWN_LINE[tag])]


@pytest.mark.parametrize("comment", COMMENTS)
@pytest.mark.parametrize("tag", NEXT_LINE)
def test_every_tag_for_the_next_line(tag: str, comment: str) -> None:
    previous = b"    " + comment.format(tag + " a sample").encode()
    assert allowances(b"token = x", previous) == [Inline(tag, (), "a sample")]
    assert allowances(previous) == []  # it says nothing of its own line
    assert allowances(b"token = x", b'other = "1" ' + previous) == []  # not alone on its line


@pytest.mark.parametrize("tag", OWN_LINE)
def test_a_comment_for_its_own_line_says_nothing_of_the_next(tag: str) -> None:
    assert allowances(b"token = x", f"# {tag}".encode()) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("# keyward:allow used by the tests only", "used by the tests only"),
        ("# keyward:allow: revoked on 2 May", "revoked on 2 May"),
        ("<!-- keyward:allow a sample -->", "a sample"),
        ("/* keyward:allow a sample */ call();", "a sample"),
        ("# keyward:allow  tabs\tand   spaces ", "tabs and spaces"),
        ("# gitleaks:allow an old one", "an old one"),
        ("# gitleaks:allow # keyward:allow both", ""),
        ("# keyward:allow rotes Gerät, 已撤销", "rotes Gerät, 已撤销"),
        ("# keyward:allow \x1b[2Kgone \u202e", "[2Kgone"),
        ("# keyward:allow", ""),
        ("# keyward:allow " + "x" * 900, "x" * 200),
    ],
)
def test_reasons(text: str, reason: str) -> None:
    assert allowances(text.encode())[0].reason == reason


def test_targets() -> None:
    assert allowances(b"# keyward:allow[github/pat-classic] why")[0] == Inline("keyward:allow", ("github/pat-classic",), "why")
    assert allowances(f"# keyward:allow[{A}, aws/x] why".encode())[0].targets == (A, "aws/x")
    assert allowances(b"# keyward:allow[] why")[0].targets == ("",)
    assert allowances(b"token", f"// keyward:allow-nextline[{A}] why".encode())[0] == Inline(
        "keyward:allow-nextline", (A,), "why"
    )


@pytest.mark.parametrize(
    "text",
    [
        "keyward:allow no comment at all",
        "https://example.org/gitleaks:allow",
        "curl https://example.org/?q=gitleaks:allow",
        "password=abc#gitleaks:allow",
        "name = 'gitleaks:allow'",
        "# keyward:allowed",
        "# keyward:allow[x/y a bracket is missing",
        "# keyward:allow-next",
        "# notkeyward:allow",
        "# gitleaks:allowed",
        "# gitleaks:allow-start",
        "# mynosecret",
        "# nosecrets",
        "# secretlint-disable",
        "# pragma: allowlist secrets are great",
    ],
)
def test_what_is_no_allowance(text: str) -> None:
    assert allowances(text.encode()) == []


def test_a_tag_inside_a_value_does_not_count() -> None:
    line = b'password: "hunter # ' + b'gitleaks:allow 2"'
    start = line.index(b"hunter")
    assert allowances(line)
    assert allowances(line, spans=[(start, len(line) - 1)]) == []
    assert allowances(line + b" # keyward:allow why", spans=[(start, len(line) - 1)]) == [Inline("keyward:allow", (), "why")]


def test_several_tags_on_one_line_are_all_read() -> None:
    line = f"x  # gitleaks:allow keyward:allow[{A}] the first, keyward:allow[{B}] the second".encode()
    assert [one.targets for one in allowances(line)] == [(), (A,), (B,)]
    assert [one.reason for one in allowances(line)] == ["", "the first", "the second"]


def test_a_long_line_is_quick_and_bounded() -> None:
    line = b"x = 1 // gitleaks:allow " * 40_000
    assert len(allowances(line)) == 16


def test_one_secret_passes_also_when_found_twice() -> None:
    on_line = [(A, ("github/pat-classic",)), (A, ("generic/password",))]
    assert set(decide([Inline("gitleaks:allow", (), "why")], on_line)) == {0, 1}
    assert notes([Inline("gitleaks:allow")], on_line) == []


def test_a_bare_allowance_hides_none_of_two_secrets_and_says_so() -> None:
    on_line = [(A, ("github/pat-classic",)), (B, ("aws/access-key",))]
    bare = [Inline("keyward:allow", (), "why")]
    assert decide(bare, on_line) == {} and ambiguous(bare, on_line)
    (note,) = notes(bare, on_line)
    assert "2 different secrets" in note and "keyward:allow[github/pat-classic] reason" in note
    (note,) = notes(bare, [(A, ("x/y",)), (B, ("x/y",))])
    assert f"keyward:allow[{A}] reason" in note


def test_a_kind_means_one_secret_too() -> None:
    on_line = [(A, ("x/y",)), (B, ("x/y",)), (C, ("x/z",))]
    named = [Inline("keyward:allow", ("x/y",), "why")]
    assert decide(named, on_line) == {}
    assert f"keyward:allow[{A}] reason" in notes(named, on_line)[0]
    assert set(decide([Inline("keyward:allow", ("x/z",), "why")], on_line)) == {2}
    assert set(decide([Inline("keyward:allow", (A, "x/z"), "why")], on_line)) == {0, 2}


def test_one_that_names_nothing_on_its_line_says_so() -> None:
    named = [Inline("keyward:allow", ("aws/x",), "why"), Inline("keyward:allow", ("",), "why")]
    assert decide(named, [(A, ("x/y",))]) == {} and not ambiguous(named, [(A, ("x/y",))])
    assert len(notes(named, [(A, ("x/y",))])) == 2


def test_a_missing_reason_is_listed_as_missing() -> None:
    assert decide([Inline("keyward:allow")], [(A, ("x/y",))])[0].reason == NO_REASON


def test_the_specific_one_gives_the_reason() -> None:
    both = [Inline("gitleaks:allow", (), "old"), Inline("keyward:allow", (A,), "new")]
    assert decide(both, [(A, ("x/y",))])[0] == ("keyward:allow", "new")


targets = st.lists(st.sampled_from([A, B, C, "x/y", "x/z", ""]), max_size=3).map(tuple)
inlines = st.lists(
    st.builds(Inline, st.sampled_from(["keyward:allow", "gitleaks:allow"]), targets, st.text(max_size=3)), max_size=4
)
candidates = st.lists(
    st.tuples(st.sampled_from([A, B, C]), st.sampled_from([("x/y",), ("x/z",), ("x/z", "x/rule")])), max_size=5
)


@given(inlines, candidates)
def test_never_two_secrets_by_one_name(inline: list[Inline], on_line: list[tuple[str, tuple[str, ...]]]) -> None:
    """What passes was meant: by its own fingerprint, as the only secret of its kind, or as the only one on the line."""
    for index in decide(inline, on_line):
        fingerprint, names = on_line[index]
        alone = {f for f, _ in on_line} == {fingerprint} and any(not one.targets for one in inline)
        named = any(fingerprint in one.targets for one in inline)
        only = [name for name in names if {f for f, others in on_line if name in others} == {fingerprint}]
        assert alone or named or any(name in one.targets for one in inline for name in only)


@given(st.lists(st.builds(Inline, st.just("gitleaks:allow")), min_size=1, max_size=2), candidates.filter(bool))
def test_a_new_secret_on_an_allowed_line_is_never_hidden(
    inline: list[Inline], on_line: list[tuple[str, tuple[str, ...]]]
) -> None:
    newcomer = ("kw1_" + "z" * 26, ("x/new",))
    assert decide(inline, [*on_line, newcomer]) == {}


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes(line: bytes, previous: bytes) -> None:
    for one in allowances(line + b"# keyward:allow", previous):
        assert one.reason.isprintable() or not one.reason
