"""What betterleaks adds to gitleaks' format is translated as far as it is patterns, and named otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyward.scan.interop.betterleaks import allowlists_of
from keyward.scan.interop.gitleaks import load
from keyward.scan.interop.translated import Test as Check


@pytest.mark.parametrize(
    ("where", "what", "target"),
    [
        ('finding["secret"]', "regexes", "secret"),
        ("finding.secret", "regexes", "secret"),
        ("finding['match']", "regexes", "match"),
        ('finding["line"]', "regexes", "line"),
        ('attributes["path"]', "paths", ""),
        ('attributes[?"path"].orValue("")', "paths", ""),
        ('get(attributes, "path", "")', "paths", ""),
    ],
)
@pytest.mark.parametrize("prefix", ["", "filter."])
def test_every_spelling_of_a_place(where: str, what: str, target: str, prefix: str) -> None:
    made = allowlists_of(f'{prefix}matchesAny({where}, [`^a\\d`, r"""b""", "c\\\\."])', "x")
    assert made.untranslated == []
    assert [each.tests for each in made.allowlists] == [(Check(what, target, (r"^a\d", "b", r"c\.")),)]


def test_entropy_alone_is_a_threshold_and_beside_others_a_test() -> None:
    assert allowlists_of('entropy(finding["secret"]) <= 3.5', "x").entropy == 3.5
    below = allowlists_of("filter.entropy(finding.secret) < 3 || matchesAny(finding.secret, ['a'])", "x")
    assert 2.99 < below.entropy < 3
    assert len(below.allowlists) == 1
    both = allowlists_of("entropy(finding.secret) <= 3 && matchesAny(finding.secret, ['a'])", "x")
    assert both.entropy == 0
    assert [test.what for test in both.allowlists[0].tests] == ["entropy", "regexes"]
    assert both.allowlists[0].every


def test_brackets_comments_words_and_negations() -> None:
    text = """
    ( // a comment
      containsAny(finding["line"], ["a.b"]) && (matchesAny(finding.secret, ['c']) && !matchesAny(finding.secret, ["[0-9]"]))
    ) || (containsAny(attributes["path"], ["d"]))
    """
    made = allowlists_of(text, "x")
    assert made.untranslated == []
    assert [[(test.what, test.values, test.negated) for test in each.tests] for each in made.allowlists] == [
        [("regexes", (r"a\.b",), False), ("regexes", ("c",), False), ("regexes", ("[0-9]",), True)],
        [("paths", ("d",), False)],
    ]


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("failsTokenEfficiency(finding.secret)", "tokenizer"),
        ("filter.tokenRatio(finding.secret) >= 2.5", "tokenizer"),
        ('attributes["git.author_name"].endsWith("[bot]")', "only matchesAny"),
        ('finding["secret"] == "x"', "only matchesAny"),
        ('matchesAny(attributes["git.sha"], ["a"])', "only the secret"),
        ("matchesAny(finding.secret, names)", "computed"),
        ("entropy(finding.line) <= 3", "entropy"),
        ("!(entropy(finding.secret) <= 3)", "entropy"),
        (
            "(matchesAny(finding.secret, ['a']) || matchesAny(finding.line, ['b'])) && matchesAny(finding.match, ['c'])",
            "inside of",
        ),
        ('"unclosed', "cannot be read"),
    ],
)
def test_what_has_no_translation_lets_nothing_pass(part: str, says: str) -> None:
    made = allowlists_of(part, "x")
    assert made.allowlists == []
    assert made.entropy == 0
    assert says in made.untranslated[0]


def test_the_rest_of_an_expression_still_holds() -> None:
    made = allowlists_of(
        "failsTokenEfficiency(finding.secret) || containsAny(finding.secret, ['a']) || entropy(finding.secret) <= 2", "x"
    )
    assert (len(made.allowlists), made.entropy, len(made.untranslated)) == (1, 2.0, 1)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["matchesAny", "(", ")", "[", "]", "'a'", "||", "&&", "!", ",", "finding", ".", "secret", "1", "<="]),
        max_size=14,
    )
)
def test_any_expression_is_read_or_named(words: list[str]) -> None:
    made = allowlists_of(" ".join(words), "x")
    assert all(each.tests for each in made.allowlists)


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text(
        """
prefilter = 'matchesAny(attributes.path, [`\\.svg$`])'
betterleaksMinVersion = "v1.6.0"
[[rules]]
id = "acme"
regex = '''(?P<user>[a-z]{4}):(acme_[a-z0-9]{20})'''
valueGroup = 2
confidence = "low"
severity = "critical"
filter = 'entropy(finding.secret) <= 3.1 || tokenRatio(finding.secret) >= 2.5'
validate = 'http.get("x", {})'
components = [{ id = "other", within = "5L,100C" }]
[[rules]]
id = "other"
regex = '''oth_[a-z0-9]{20}'''
""",
        encoding="utf-8",
    )
    foreign = load(str(tmp_path / "b.toml"))
    rule = foreign.rules[0]
    assert (rule.entropy, rule.score, rule.severity, rule.required) == (3.1, 50, "critical", (("other", 5, 100),))
    assert "(?P<secret>acme_" in rule.pattern
    assert [each.name for each in foreign.allowlists] == ["global prefilter"]
    assert {(each.rule, each.field) for each in foreign.untranslated} == {
        ("acme", "filter"), ("acme", "validate"), ("", "extend.useDefault"),
    }  # fmt: skip
