"""Values of several words, with escapes, and on the line after their name: what is found of them, and what stays silent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyward.match import catalogue
from keyward.match.assemble import Candidate
from keyward.match.generic import GENERIC_SIGNALS, passphrase
from keyward.match.judge import NEVER, SIGNALS, Context, judge
from keyward.match.matcher import Matcher
from keyward.match.personas import REGULAR
from keyward.match.signals.phrase import is_grouped, is_sentence
from keyward.model.rule import Rule
from keyward.plugin.shapes import an, chars
from keyward.registry import Registry

REGISTRY = Registry()
MATCHER = Matcher(REGISTRY, catalogue.load(REGISTRY))
RULE: Rule = next(rule for _, rule in REGISTRY.rules() if rule.id == "generic/passphrase")
GROUPED = b" ".join(chars("bcdfghjkmnpqrtvwxz", 4).sample(seed).text for seed in range(4))
STRONG = chars("BCDFGHJKM", 2) + "7#" + chars("bcdfghjkm", 4) + "!" + chars("bcdfghjkm", 3)


def shown(line: bytes, path: str = "src/app.py") -> list[bytes]:
    return [each.context.value for each in MATCHER.find(b"# a file\n" + line + b"\n", path) if each.confidence >= REGULAR]


def context(value: bytes, before: bytes = b'password = "', path: str = "src/app.py") -> Context:
    span = (len(before), len(before) + len(value))
    candidate = Candidate(RULE, REGISTRY.kind(RULE.kind), "secret", span, {"secret": span})
    return Context(candidate, {"secret": value}, value, before, b'"', path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"password", b"correct horse " + b"7 battery"), (b"DB_PASS", b"Lyon" + b" 1998 Kay!x"), (b"passphrase", b"staple battery " + b"horse correct"),
        (b"sshPassphrase", b"staple battery " + b"horse correct"), (b"GMAIL_APP_PASSWORD", GROUPED), (b"wachtwoord", b"paard " + b"batterij 73 nietje"),
    ],
)  # fmt: skip
def test_a_phrase_under_a_name_for_passwords(name: bytes, value: bytes) -> None:
    assert shown(name + b' = "' + value + b'"') == [value]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"password", b"correct horse battery staple"), (b"password", b"Must have at least 8 characters"), (b"password", b"Your password has expired 3 times"), (b"password", b"Mindestens 8 Zeichen lang"),
        (b"passphrase", b"the phrase that opens it"), (b"password", b"Invalid password #2"), (b"passwordLabel", b"correct horse 7 battery"), (b"password_hint", b"correct horse 7 battery"),
        (b"password", b"Passwort 2 wiederholen"), (b"token", b"correct horse 7 battery"), (b"password", b"Mot de passe 2"), (b"password", b"login form here today"), (b"password", b"utf-8 bytes"),
    ],
)  # fmt: skip
def test_sentences_labels_and_other_names_are_none(name: bytes, value: bytes) -> None:
    assert shown(name + b' = "' + value + b'"') == []


@pytest.mark.parametrize(
    ("value", "grouped"),
    [(GROUPED, True), (b"test this code here", False), (b"abcd efg hijk lmno", False), (b"some more text here", False), (GROUPED.replace(b" ", b""), False)],
)  # fmt: skip
def test_groups_of_letters(value: bytes, grouped: bool) -> None:
    assert is_grouped(value) is grouped


def test_what_holds_a_sentence_together() -> None:
    assert is_sentence(b"horse and battery 7") and is_sentence(b"Horse battery 7.") and is_sentence(b"Kennwort 7 neu")
    assert not is_sentence(b"horse battery 7")


def test_another_rule_is_not_asked() -> None:
    other = context(b"the sentence")._replace(
        candidate=context(b"x").candidate._replace(rule=next(rule for _, rule in REGISTRY.rules()))
    )
    assert passphrase(other) is None


WORDS = (
    b"correct",
    b"horse",
    b"the",
    b"7",
    b"Lyon!",
    b"1998",
    b"password",
    b"xkcd",
    b"qwer",
    b"zvbn",
    b"aB3#",
    an(20).sample(1).text,
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=8),
    st.sampled_from((b'password = "', b'passphrase: "', b'key = "')),
    st.sampled_from(("a.py", "b/.env", "docs/a.md")),
)
def test_stopping_early_changes_no_confidence_of_a_phrase(words: list[bytes], before: bytes, path: str) -> None:
    of = context(b" ".join(words), before, path)
    weights = [answer.weight for signal in (*SIGNALS, *GENERIC_SIGNALS) if (answer := signal(of)) is not None]
    whole = 0 if NEVER in weights else max(0, min(100, RULE.score + sum(weights)))
    assert judge(of)[0] == whole


@pytest.mark.parametrize("escape", [b"\\\\", b'\\"', b"\\/", b"\\$", b"\\u0026"])
def test_a_value_with_an_escape_is_found_whole(escape: bytes) -> None:
    value = STRONG.sample(1).text + escape + an(4).sample(2).text
    assert shown(b'"dbPassword": "' + value + b'",', "config/app.json") == [value]


@pytest.mark.parametrize(
    "line",
    [rb'password_regex = "^[a-z]\\d{8}#aB3$"', rb'secret = "C:\\keys\\application.key"', rb'password = "first\nsecond line"', rb'token = "\\begin\\end"'],
)  # fmt: skip
def test_other_things_with_escapes_are_none(line: bytes) -> None:
    assert shown(line) == []


def test_a_quotation_in_a_string_ends_at_its_escaped_quote() -> None:
    value = STRONG.sample(3).text
    assert shown(b'echo "password: \\"' + value + b'\\", user: \\"svc\\"" > app.yaml', "run.sh") == [value]


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        (b'"password":\n    "', b'",', "a/config.json"), (b"const dbPassword: string =\n  '", b"';", "src/a.ts"), (b'API_TOKEN = (\n    "', b'"\n)', "src/a.py"),
        (b"db:\n  password:\n    ", b"", "a/app.yaml"), (b"api_token: >-\n  ", b"\nuser: svc", "a/app.yaml"), (b"client_secret: |\r\n  ", b"\r", "a/app.yml"),
    ],
)  # fmt: skip
def test_a_value_on_the_line_after_its_name(before: bytes, after: bytes, path: str) -> None:
    value = an(28).sample(len(before)).text
    assert shown(before + value + after, path) == [value]


def test_the_line_after_counts_for_less_in_tests() -> None:
    value = an(28).sample(1).text
    assert shown(b'"token":\n    "' + value + b'",', "src/a.py") == [value]
    assert shown(b'"token":\n    "' + value + b'",', "tests/test_a.py") == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (b"password:\n  type: string", "a.yaml"), (b"password:\n  description:\n    of it", "a.yaml"), (b"if token:\n    return_value", "a.py"), (b"secrets:\n  - first-of-them", "a.yaml"),
        (b"token:\nnext-block-here", "a.yaml"), (b'"token":\n    "identifier",', "a.json"), (b"Password:\n    Enter-your-own", "a.md"),
    ],
)  # fmt: skip
def test_blocks_below_a_name_are_none(text: bytes, path: str) -> None:
    assert shown(text, path) == []
