"""The signals for values that only their name gives away: each alone, and what they add up to."""

from __future__ import annotations

import pytest

from keyward.match import generic
from keyward.match.assemble import Candidate
from keyward.match.generic import GENERIC_SIGNALS, entropy, is_random, transitions, wordlike
from keyward.match.judge import Context, judge
from keyward.match.personas import REGULAR
from keyward.model.finding import Signal
from keyward.model.kind import CredentialKind, Kind
from keyward.model.rule import GENERIC, Rule
from keyward.plugin.shapes import ALNUM, LOWER, an, assigned, b64, b64url, chars, hexa, uuid4

KIND = CredentialKind(Kind("generic/secret"), "A secret")
RULE = Rule(
    "generic/test", KIND.name, rb"x{8}(?P<secret>.+)", score=45, specificity=GENERIC, examples=(assigned("a", an(20)),), near_misses=(assigned("b", an(3)),)
)
STRONG = chars("bcdfghjkmnpqrtvw", 3) + "#" + chars("BCDFGHJKMNPQ", 3) + "7!" + chars("bcdfghjkmnpqrtvw", 3)


def context(value: bytes, before: bytes = b'api_key = "', after: bytes = b'"', path: str = "src/app.py") -> Context:
    span = (len(before), len(before) + len(value))
    candidate = Candidate(RULE, KIND, "secret", span, {"secret": span})
    return Context(candidate, {"secret": value}, value, before, after, path)


def weight(name: str, value: bytes, before: bytes = b'api_key = "', after: bytes = b'"', path: str = "src/app.py") -> int:
    signal: Signal | None = getattr(generic, name)(context(value, before, after, path))
    return signal.weight if signal else 0


def confidence(value: bytes, before: bytes = b'api_key = "', after: bytes = b'"', path: str = "src/app.py") -> int:
    return judge(context(value, before, after, path))[0]


@pytest.mark.parametrize("shape", [an(20), an(32), hexa(32), hexa(40), hexa(64), b64(44), b64url(43), chars(ALNUM, 48)])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("before", "after", "path"), [(b"API_TOKEN=", b"", "deploy/.env"), (b'token: "', b'"', "a/compose.yaml"), (b'"secret": "', b'",', "src/a.js")])
def test_a_random_token_is_shown_wherever_it_stands(shape: object, seed: int, before: bytes, after: bytes, path: str) -> None:
    value = shape.sample(seed).text  # type: ignore[attr-defined]
    assert confidence(value, before, after, path) >= REGULAR


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("before", "path"), [(b"DB_PASSWORD=", ".env"), (b"  password: ", "compose.yml"), (b"db.password = ", "app.properties")])
def test_a_strong_password_is_shown_where_settings_are_kept(seed: int, before: bytes, path: str) -> None:
    assert confidence(STRONG.sample(seed).text, before, b"", path) >= REGULAR


@pytest.mark.parametrize(
    ("value", "before"),
    [
        (b"getAccessToken", b"token: "), (b"user_password_field", b'password = "'), (b"settings.DB_PASSWORD", b"password = "), (b"enter-your-own", b"secret: "),
        (b"true", b"token: "), (b"disabled", b"auth_key: "), (b"Optional", b"password: "), (b"/var/run/secrets/token", b"token: "), (b"./certs/server.key", b"private_key: "),
        (b"https://id.corp.io/oauth/token", b"token: "), (b"authentication", b"credentials: "), (b"1.24.0-alpine", b"token: "), (b"2026-11-22T10:00:00Z", b"token: "),
        (b"127.0.0.1:8080", b"auth: "), (b"someone@corp.io", b"credential: "), (b"Benutzerkennwort", b"password: "), (b"password", b"password: "), (b"my-api-key", b"api_key: "),
        (b"%(password)s", b"password: "), (b"#login-password", b'password = "'), (b"correct-horse-battery-staple", b'secret = "'), (b"application/json", b"token: "),
        (b"self._get_token_value", b"token = "), (b"aaaaaaaaaaaa", b"password: "),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["src/app.py", "config/app.yaml"])
def test_words_identifiers_and_paths_are_not_shown(value: bytes, before: bytes, path: str) -> None:
    assert confidence(value, before, b"", path) < REGULAR


@pytest.mark.parametrize("path", ["yarn.lock", "package-lock.json", "go.sum", "site/RECORD", "locale/de/messages.po", "static/app.min.js"])
def test_a_random_value_in_a_lock_file_translation_or_minified_file_is_not_shown(path: str) -> None:
    assert confidence(an(32).sample(1).text, b'token "', b'"', path.lower()) < REGULAR


@pytest.mark.parametrize(("value", "bits"), [(b"aaaa", 0.0), (b"abab", 1.0), (b"abcd", 2.0), (b"", 0.0)])
def test_entropy(value: bytes, bits: float) -> None:
    assert entropy(value) == bits


@pytest.mark.parametrize("value", [b"authentication", b"getUserAccount", b"SERVICE_NAME", b"content-length"])
def test_words_read_as_words(value: bytes) -> None:
    assert wordlike(value) > 0.7


@pytest.mark.parametrize("seed", range(6))
def test_random_letters_do_not_read_as_words(seed: int) -> None:
    assert wordlike(chars(LOWER, 40).sample(seed).text) < 0.55


def test_transitions_count_changes_of_class() -> None:
    assert transitions(b"aaaa") == 0
    assert transitions(b"a1a1a") == 1


@pytest.mark.parametrize("value", [b"short1", b"abcdefghijklmnopqrst", b"internationalisation_of_2026", b"1234567890123456789012"])
def test_not_random(value: bytes) -> None:
    assert not is_random(value)


def test_a_uuid_is_not_called_random_and_is_lowered() -> None:
    value = uuid4().sample(3).text
    assert not is_random(value)
    assert weight("uuid", value) < 0
    assert confidence(value) < REGULAR


@pytest.mark.parametrize(
    ("signal", "value", "sign"),
    [
        ("random_token", an(32).sample(2).text, 1), ("random_token", b"settings.SECRET_KEY", 0), ("random_token", b"word", 0),
        ("strong_password", STRONG.sample(2).text, 1), ("strong_password", b"PasswordField1", 0),
        ("few_classes", b"onlyletters", -1), ("few_classes", STRONG.sample(1).text, 0),
        ("words", b"correct-horse-battery", -1), ("words", an(32).sample(3).text, 0),
        ("low_entropy", b"abababab", -1), ("low_entropy", an(20).sample(1).text, 0),
        ("type_or_constant", b"SecureString", -1), ("type_or_constant", b"None", -1), ("type_or_constant", b"Nobody", 0),
        ("identifier", b"app.config.key", -1), ("identifier", b"obj->token", -1), ("identifier", b"plain", 0),
        ("path_or_url", b"/etc/ssl/key", -1), ("path_or_url", b"C:\\keys\\app", -1), ("path_or_url", b"http://corp.io/x", -1), ("path_or_url", b"text/plain", -1),
        ("path_or_url", b64(44).sample(4).text, 0),
        ("number_or_date", b"v1.2.3", -1), ("number_or_date", b"2026-11-22", -1), ("number_or_date", b"a@corp.io", -1), ("number_or_date", STRONG.sample(4).text, 0),
        ("markup", b"%s:%s", -1), ("markup", b"(?P<a>[a-z]+)", -1), ("markup", b"abc...", -1), ("markup", an(24).sample(5).text, 0),
    ],
)  # fmt: skip
def test_each_signal_alone(signal: str, value: bytes, sign: int) -> None:
    found = weight(signal, value)
    assert (found > 0) - (found < 0) == sign


@pytest.mark.parametrize(
    ("before", "negative"),
    [
        (b'token_url = "', True), (b'passwordField: "', True), (b'"nextToken": "', True), (b'public_key = "', True), (b'"AWS::SecretsManager::Secret": "', True),
        (b'"auth_type": "', True), (b'eos_token = "', True), (b'"access_token": "', False), (b"DB_PASSWORD=", False), (b'const dbPassword: string = "', False),
    ],
)  # fmt: skip
def test_the_name_can_say_that_it_is_something_else(before: bytes, negative: bool) -> None:
    assert (weight("name_of_something_else", an(24).sample(1).text, before) < 0) == negative


@pytest.mark.parametrize(
    ("value", "before", "negative"),
    [(b"password", b"password: ", True), (b"my-secret-token", b"x = ", True), (b"dbPassword", b"db_password = ", True), (an(20).sample(6).text, b"token = ", False)],
)  # fmt: skip
def test_a_value_may_say_its_own_name(value: bytes, before: bytes, negative: bool) -> None:
    assert (weight("says_its_name", value, before) < 0) == negative


def test_hexadecimal_digits_beside_a_word_for_digests_are_a_digest() -> None:
    value = hexa(40).sample(1).text
    assert weight("hash_or_id", value, b'"secret_checksum": "') < 0
    assert weight("hash_or_id", value, b'"secret": "') == 0
    assert weight("hash_or_id", b"sha256-" + value, b'"secret": "') < 0


def test_a_bare_value_in_program_code_is_a_name() -> None:
    assert weight("bare_in_code", b"access_token", b"token = ", b"", "src/a.go") < 0
    assert weight("bare_in_code", b"access_token", b'token = "', b'"', "src/a.go") == 0
    assert weight("bare_in_code", b"access_token", b"token = ", b"", "a/.env") == 0


def test_a_sentence_around_a_bare_value() -> None:
    assert weight("prose_around", b"Authentication", b"token: ", b" failed for the user") < 0
    assert weight("prose_around", an(20).sample(1).text, b"TOKEN=", b"  # rotated") == 0


@pytest.mark.parametrize(
    ("path", "sign"),
    [("a/.env", 1), ("k8s/values.yaml", 1), (".aws/credentials", 1), ("docs/a.md", -1), ("poetry.lock", -1), ("src/main.rs", 0), ("a/b.pyc", -1), ("", 0)],
)  # fmt: skip
def test_the_file_counts(path: str, sign: int) -> None:
    found = weight("kind_of_file", b"x", path=path)
    assert (found > 0) - (found < 0) == sign


def test_every_signal_is_in_the_list_once_and_names_itself() -> None:
    assert len(set(GENERIC_SIGNALS)) == len(GENERIC_SIGNALS)
    for signal in GENERIC_SIGNALS:
        answer = signal(context(b"password"))
        assert answer is None or (answer.name and b"password" not in answer.detail.encode())
