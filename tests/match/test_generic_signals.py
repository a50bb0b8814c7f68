"""The signals for values that only their name gives away: each alone, and what they add up to."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyward.match import generic
from keyward.match.assemble import Candidate
from keyward.match.generic import GENERIC_SIGNALS
from keyward.match.judge import NEVER, SIGNALS, Context, judge
from keyward.match.personas import REGULAR
from keyward.match.signals import file
from keyward.match.signals.name import strength
from keyward.model.finding import Signal
from keyward.model.kind import CredentialKind, Kind
from keyward.model.rule import GENERIC, Rule
from keyward.plugin.letters import UNREADABLE, fluency, is_random
from keyward.plugin.shapes import ALNUM, an, assigned, b64, b64url, chars, hexa, uuid4

KIND = CredentialKind(Kind("generic/secret"), "A secret")
RULE = Rule(
    "generic/test",
    KIND.name,
    rb"x{8}(?P<secret>.+)",
    score=45,
    specificity=GENERIC,
    examples=(assigned("a", an(20)),),
    near_misses=(assigned("b", an(3)),),
)
STRONG = chars("bcdfghjkmnpqrtvw", 3) + "#" + chars("BCDFGHJKMNPQ", 3) + "7!" + chars("bcdfghjkmnpqrtvw", 3)

VALUES = (
    *(shape.sample(seed).text for shape in (an(20), an(12), an(8), hexa(32), hexa(16), b64(44), uuid4(), STRONG) for seed in range(3)),
    b"getAccessToken", b"RetentionConfigurations", b"settings.DB_PASSWORD", b"Toulouse" + b"1998!", b"/run/secrets/x", b"AES-256", b"string", b"changeme", b"${TOKEN}",
    b"qwertyuiop12", b"a@example.org", b"2024-01-02", b"column2", b"hello world and all", b"<your-key>", b"xxxxxxxx", b"https://example.org/a", b"token", b"xkqzvbnw", b"Name.Builtin",
)  # fmt: skip


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
@pytest.mark.parametrize(
    ("before", "after", "path"),
    [(b"API_TOKEN=", b"", "deploy/.env"), (b'token: "', b'"', "a/compose.yaml"), (b'"secret": "', b'",', "src/a.js")],
)
def test_a_random_token_is_shown_wherever_it_stands(shape: object, seed: int, before: bytes, after: bytes, path: str) -> None:
    value = shape.sample(seed).text  # type: ignore[attr-defined]
    assert confidence(value, before, after, path) >= REGULAR


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("before", "path"), [(b"DB_PASSWORD=", ".env"), (b"  password: ", "compose.yml"), (b"db.password = ", "app.properties")]
)
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


@pytest.mark.parametrize(
    "path", ["yarn.lock", "package-lock.json", "go.sum", "site/RECORD", "locale/de/messages.po", "static/app.min.js"]
)
def test_a_random_value_in_a_lock_file_translation_or_minified_file_is_not_shown(path: str) -> None:
    assert confidence(an(32).sample(1).text, b'token "', b'"', path.lower()) < REGULAR


@pytest.mark.parametrize(
    ("path", "translation"),
    [("_locales/de/messages.json", True), ("app/messages.fr.json", True), ("tasks/17/ui_messages.json", False), ("export/messages.json", False)],
)
def test_messages_that_people_and_agents_send_are_no_translation(path: str, translation: bool) -> None:
    assert (confidence(an(32).sample(1).text, b'"token": "', b'"', path) < REGULAR) is translation


@pytest.mark.parametrize("ending", ["md", "mdx", "mdc", "txt", "rst", "adoc", "org", "eml", "mbox", "msg", "html", "htm", "jsonl", "ndjson", "rtf", "ics", "vcf"])
def test_what_people_write_is_known_by_its_ending_or_its_folder(ending: str) -> None:
    assert file.is_written(f"a/b.{ending}") and not file.is_written("a/b.py")
    assert file.is_written("slack/ops/2024-01-17.json") and file.is_written("chats/with bob") and not file.is_written("data/2024.json")
    of_notes = file.kind_of_file(context(an(12).sample(1).text, path=f"notes/b.{ending}"))
    assert (of_notes is None) or ending not in ("md", "mdx", "org", "html", "htm")


@pytest.mark.parametrize("before", [b"ConvertTo-SecureString -AsPlainText '", b"rootpw --plaintext ", b"Password: <code>", b"<b>Password:</b> <span>"])
def test_what_says_how_a_value_is_written_is_not_its_name(before: bytes) -> None:
    drawn = STRONG.sample(3).text
    assert weight("name_of_something_else", drawn, before) == 0 < weight("kind_of_name", drawn, before)


@pytest.mark.parametrize(
    "value", [b"short1", b"abcdefghijklmnopqrst", b"internationalisation_of_2026", b"1234567890123456789012"]
)
def test_not_random(value: bytes) -> None:
    assert not is_random(value)


def test_a_uuid_counts_under_a_name_for_secrets_only() -> None:
    value = uuid4().sample(3).text
    assert not is_random(value)
    assert weight("uuid", value, b'key = "') < 0 < weight("uuid", value, b'client_secret = "')
    assert confidence(value, b'client_secret = "') >= REGULAR > confidence(value, b'key = "')
    assert weight("uuid", an(36).sample(3).text) == 0


@pytest.mark.parametrize(
    ("signal", "value", "sign"),
    [
        ("random_token", an(32).sample(2).text, 1), ("random_token", b"settings.SECRET_KEY", 0), ("random_token", b"word", 0),
        ("drawn_password", STRONG.sample(2).text, 1), ("drawn_password", b"PasswordField1", 0), ("drawn_password", chars("bcdfghjklmnpqrstvwxz", 10).sample(1).text, 1), ("drawn_password", b"description", 0),
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
        (b'"auth_type": "', True), (b'eos_token = "', True), (b'"access_token": "', False), (b"DB_PASSWORD=", False), (b'const dbPassword: string = "', False), (b'<add key="secret_name" value="', True), (b'<add key="ClientSecret" value="', False), (b"export next_token='", True),
        (b'private static final String passwordRegex = "', True), (b'WebIdentityTokenMd5: "', True),
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
    assert weight("hash_or_id", value, b'{"keyward-baseline": 1, "salt": "') < 0
    assert weight("hash_or_id", value, b'{"version": 1, "salt": "') == 0


def test_what_names_or_stands_for_a_secret_is_none() -> None:
    arn = b'"Resource": "arn:aws:secretsmanager:eu-west-1:*:secret:'
    value = an(12).sample(1).text + b"!*"
    assert weight("hash_or_id", value, arn) < 0
    assert weight("hash_or_id", b"*:*:secret:" + value, b'"arn:aws-cn:secretsmanager:') < 0
    assert weight("hash_or_id", value, b'"arn": "x", "secret:') == 0
    fingerprint = hexa(40).sample(2).text.upper()
    assert weight("hash_or_id", fingerprint, b"gpg --key ") < 0
    assert weight("hash_or_id", fingerprint, b"gpg_secret_key = ") == 0
    assert weight("hash_or_id", fingerprint, b"key = ") == 0
    assert weight("hash_or_id", b"*" + fingerprint, b"IDENTIFIED BY PASSWORD '") < 0


def unread(length: int, seed: int) -> bytes:
    """Letters that no word has beside each other."""
    shape = chars("bcdfghjkmnpqrtvwxz", length)
    draws = (shape.sample(1000 * seed + number).text for number in range(1000))
    return next(value for value in draws if fluency(value) < UNREADABLE and len(set(value)) > 4)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("path", ["src/app.py", "tests/test_app.py"])
def test_letters_that_no_word_has_are_a_credential_wherever_they_stand(seed: int, path: str) -> None:
    assert confidence(unread(12, seed), b'secret = "', path=path) >= REGULAR
    assert confidence(unread(9, seed) + b"42", b'token = "', path=path) >= REGULAR
    assert confidence(unread(5, seed) + b"-" + unread(6, seed), b'password = "', path=path) >= REGULAR
    assert confidence(unread(6, seed), b'password = "', path=path) >= REGULAR
    assert confidence(unread(6, seed), b'token = "', path=path) < REGULAR


@pytest.mark.parametrize(
    ("value", "is_one"),
    [(b"832719", True), (b"67349067818513698", True), (b"123456", False), (b"111111", False), (b"20240131", False), (b"4711", False)],
)  # fmt: skip
def test_digits_that_nobody_counts_to(value: bytes, is_one: bool) -> None:
    for path in ("src/app.py", "tests/test_app.py"):
        assert (confidence(value, b'password = "', path=path) >= REGULAR) == is_one
        assert confidence(value, b'token = "', path=path) < REGULAR


@pytest.mark.parametrize("value", [b"lsdajfh923874", b"sdlfkj452", b"asdkfjhalksdjf"])
def test_what_the_fingers_ran_along_is_made_up(value: bytes) -> None:
    assert confidence(value, b'oauth_token = "') < REGULAR


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


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(VALUES) | st.binary(min_size=4, max_size=40),
    st.sampled_from(
        (
            b'key: "',
            b'password = "',
            b"token = ",
            b'"result_key": "',
            b"api_key: ",
            b'sort_key = "',
            b'("password", "',
            b"PASS: ",
        )
    ),
    st.sampled_from(("a/.env", "src/a.go", "poetry.lock", "docs/a.md", "tests/test_a.py", "service-2.json", "values.yaml")),
)
def test_stopping_early_changes_no_confidence(value: bytes, before: bytes, path: str) -> None:
    """All signals are asked here, in whatever order."""
    of = context(value, before, b'"' if before.endswith(b'"') else b"", path)
    weights = [answer.weight for signal in (*SIGNALS, *GENERIC_SIGNALS) if (answer := signal(of)) is not None]
    whole = 0 if NEVER in weights else max(0, min(100, of.candidate.rule.score + sum(weights)))
    assert judge(of)[0] == whole


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        (b'DB_PASSWORD = "', "password"), (b"wachtwoord: ", "password"), ("contraseña = '".encode(), "password"), ("密码：".encode(), "password"), ("пароль: ".encode(), "password"),
        ("hasło=".encode(), "password"), (b"$pwd = '", "password"), (b'setPassword("', "password"), (b"user IDENTIFIED BY '", "password"),
        (b'api_key: "', "secret"), (b'"clientSecret": "', "secret"), (b"SECRET_KEY_BASE=", "secret"), (b"passwordToken = '", "secret"), (b"AUTH_KEY', '", "secret"),
        (b'key: "', "weak"), (b'SALT = "', "weak"), (b"consumer_key=", "weak"), (b"master_seed: ", "weak"),
        (b"          value: ", "secret"), (b'<add key="DbPassword" value="', "password"), (b'{"name": "sort_key", "value": "', "weak"),
    ],
)  # fmt: skip
def test_how_much_a_name_says(before: bytes, kind: str) -> None:
    assert strength(context(b"x", before)) == kind


def test_what_people_choose_counts_where_a_password_is_asked_for() -> None:
    value = b"Toulouse" + b"1998!"
    assert weight("chosen_password", value, b'password = "') > 0 > weight("chosen_password", value, b'api_key = "')
    assert confidence(value, b'password = "', b'"', "tests/test_login.py") >= REGULAR
    assert confidence(value, b'api_key = "') < REGULAR


@pytest.mark.parametrize(
    "value",
    [
        b"column2",
        b"userAccount2",
        b"hashed_name1",
        b"db-credentials-v2",
        b"auth.backends2",
        b"getToken2Name",
        b"SHA-256",
        b"utf8mb4",
    ],
)
def test_numbered_identifiers_are_not_what_people_choose(value: bytes) -> None:
    assert weight("chosen_password", value, b'password = "') == 0


@pytest.mark.parametrize(
    ("value", "negative"),
    [
        (b"aes-256-cbc", True), (b"HS256", True), (b"SHA-512", True), (b"ECDHE-PSK-AES256-CBC-SHA384", True), (b"PSK_WITH_NULL_SHA_MD5", True), (b"utf-8", True), (b"x509", True),
        (b"p6EhxgEd", False), (b"des" + b"ktop17", False), (an(20).sample(3).text, False), (b"HQ4T-7XKP-W2ZD-93FM", False),
    ],
)  # fmt: skip
def test_algorithms_have_numbers_too(value: bytes, negative: bool) -> None:
    assert (weight("algorithm", value) < 0) == negative


@pytest.mark.parametrize(
    ("value", "negative"),
    [(b"qwer1234", True), (b"1qaz2wsx", True), (b"abcdefg1", True), (b"sw21qa00", False), (STRONG.sample(5).text, False)],
)
def test_a_walk_over_the_keyboard(value: bytes, negative: bool) -> None:
    assert (weight("keyboard_walk", value) < 0) == negative


@pytest.mark.parametrize(
    "value",
    [
        b"password123",
        b"P@ssw0rd",
        b"MySecretKey1",
        b"test-token",
        b"Admin123!",
        b"senha1234",
        b"default_password",
        b"letmein1",
        b"topsecret",
        b"Welcome1",
    ],
)
def test_words_for_credentials_with_or_without_numbers_are_what_everybody_chooses(value: bytes) -> None:
    assert confidence(value, b'password = "') < REGULAR
    assert weight("says_its_name", value, b'password = "') <= -50


@pytest.mark.parametrize("value", [b"Welcome" + b"2024!", b"Admin" + b"@1987", b"Passw0rd" + b"1998!", b"root#" + b"77"])
def test_with_a_number_of_ones_own_and_a_mark_they_are_passwords(value: bytes) -> None:
    assert weight("says_its_name", value, b"DB_PASSWORD=") == -15
    assert confidence(value, b"DB_PASSWORD=", b"", ".env") >= REGULAR


TANGLED = "".join(("4hiYo(", "[Wr2X}", "/QvO"))


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        (TANGLED.encode(), True), (b"/" + b"q7V<w!Xz2", True), (b"pA3:" + b"/k(9Zr]x", True),
        (b"[A-Za-z0-9_]{8}", False), (b"https://id.corp.io/a1B", False), (b"{0}:{1}", False), (b"rgba(0,0,0,.5)", False), (b"items[0].Value(1)", False), (b"(\\d+)-X{2}", False),
        (b"/run/secrets/Db1", False), (b"Foo<Bar1>(x)", False), (b"${HOME}/x1", False),
    ],
)  # fmt: skip
def test_what_no_syntax_makes_is_no_markup_and_no_path(value: bytes, is_one: bool) -> None:
    assert (weight("markup", value) == weight("path_or_url", value) == 0) == is_one
    assert not is_one or confidence(value, b'password: "', b'"', "app.yaml") >= REGULAR


def test_base64_may_begin_like_a_path() -> None:
    value = b"/" + b64(42).sample(4).text + b"="
    assert weight("path_or_url", value) == 0
    assert confidence(value, b'auth_token = "') >= REGULAR


@pytest.mark.parametrize(
    ("before", "negative"),
    [
        (b"raise an error if you pass `", True), (b"The password '", True), (b"  #define WIFI_PASSWORD \"", False), (b'    password "', False), (b"Connect -User svc -Password '", False),
        (b"GRANT ALL IDENTIFIED BY '", False), (b"'first_key', 'second_key', '", True), (b"define('DB_PASS', '", False), (b'props.put("db.password", "', False), (b"only('email', 'password', '", True),
        (b'password = "', False), (b'"password": "', False), (b"os.environ.get('KEY', '", False),
    ],
)  # fmt: skip
def test_a_value_is_given_to_a_name_by_more_than_standing_beside_it(before: bytes, negative: bool) -> None:
    assert (weight("loosely_joined", b"x", before) < 0) == negative


@pytest.mark.parametrize(
    ("before", "negative"),
    [(b"PASS: ", True), (b"XPASS: ", True), (b"[PASS] ", True), (b"DB_PASS: ", False), (b"pass: ", False)],
)
def test_the_result_of_a_test(before: bytes, negative: bool) -> None:
    assert (weight("test_result", b"x", before) < 0) == negative


def test_a_value_that_stands_on_its_line_twice_is_a_name() -> None:
    assert weight("same_on_line", b"printq9", b'login("printq9", "') < 0
    assert weight("same_on_line", b"printq9", b'login("svc", "') == 0
    assert weight("same_on_line", an(24).sample(9).text, b'a = "' + an(24).sample(9).text + b'", password = "') == 0


@pytest.mark.parametrize(
    ("signal", "before", "after", "negative"),
    [
        ("example_around", b'password = "', b'" # for example', True), ("example_around", b'"example": {"password": "', b'"', True), ("example_around", b'password = "', b'"', False),
        ("schema_around", b'{"description": "The password ", "password": "', b'"', True), ("schema_around", b'placeholder="Password: ', b'"', True), ("schema_around", b'password = "', b'"', False),
        ("test_around", b'assert login(password="', b'")', True), ("test_around", b'expect(page.password).toBe("', b'")', True), ("test_around", b'password = "', b'"', False),
        ("concatenated", b'password = "', b'" + suffix', True), ("concatenated", b"token = '", b"' . $rest;", True), ("concatenated", b'password = "', b'";', False), ("concatenated", b"password = '", b"').then()", False),
    ],
)  # fmt: skip
def test_what_stands_around(signal: str, before: bytes, after: bytes, negative: bool) -> None:
    assert (weight(signal, b"abcd", before, after) < 0) == negative


def test_a_salt_may_have_hash_in_its_name() -> None:
    assert weight("hash_or_id", hexa(32).sample(1).text, b'hash_salt = "') == 0


def test_examples_in_documentation_show_made_up_values() -> None:
    value = an(32).sample(7).text
    assert (
        confidence(value, b'api_key = "', b'"', "docs/examples/login.rst")
        < REGULAR
        <= confidence(value, b'api_key = "', b'"', "examples/login.py")
    )
    assert confidence(value, b'api_key = "', b'"', "docs/login.rst") >= REGULAR


def test_the_cost_of_a_candidate() -> None:
    """Some 30 µs each when the same few values come again and again, as they do; several times as much is allowed here, for a busy machine."""
    contexts = [
        context(an(24).sample(seed).text, before)
        for seed in range(40)
        for before in (b'api_key = "', b"DB_PASSWORD=", b'"token": "')
    ]
    for each in contexts:
        judge(each)
    started = time.process_time()
    for each in contexts:
        judge(each)
    assert (time.process_time() - started) / len(contexts) < 200e-6
