"""Shapes that a reading of labelled lines of real packages showed (benchmarks/labelled.py), by principle and with values of our own."""

from __future__ import annotations

import random

import pytest

from keyward.match import catalogue
from keyward.match.matcher import Matcher
from keyward.match.personas import REGULAR
from keyward.registry import Registry

_REGISTRY = Registry()
_MATCHER = Matcher(_REGISTRY, catalogue.load(_REGISTRY))
WORDS = ("tulip", "badger", "walnut", "harbour", "saffron")
BAR = "foo" + "bar"


def found(line: str, path: str) -> set[str]:
    judged = _MATCHER.find(b"x\n" + line.encode() + b"\ny: 1\n", path)
    return {each.context.value.decode() for each in judged if each.confidence >= REGULAR}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(
    ("form", "path"),
    [("password = '{}'", "src/app.py"), ("  password: '{}',", "test/login.test.js"), ("DB_PASSWORD={}", "deploy/.env")],
)
def test_a_word_with_one_digit_is_a_password_that_somebody_chose(word: str, form: str, path: str) -> None:
    value = f"{word}7"
    assert found(form.format(value), path) == {value}


@pytest.mark.parametrize("value", ["user1", "secret2", "field3", "column4", "option1", "test1", "admin1", "client2", "string1"])
@pytest.mark.parametrize(("form", "path"), [("password = '{}'", "src/app.py"), ("  password: '{}',", "test/login.test.js")])
def test_words_of_programs_and_roles_with_a_digit_are_none(value: str, form: str, path: str) -> None:
    assert found(form.format(value), path) == set()


@pytest.mark.parametrize("name", ["password_confirm", "passwordConfirmation", "password_again"])
def test_the_password_that_a_form_asks_for_twice(name: str) -> None:
    value = "".join(random.Random(name).choices("abcdefghjkmnpqrstvwxyz23456789", k=36))
    assert found(f"    {name}: '{value}',", "test/type.js") == {value}
    assert found(f"    {name}: 'confirm-password',", "test/type.js") == set()


def test_a_password_made_of_the_usual_stopgap_with_more_is_one() -> None:
    assert found(f"data['new_password'] = '{BAR}407xyz'", "tests/test_views.py") == {f"{BAR}407xyz"}
    for more in ("", "1", "99", "123", "abc"):
        assert found(f"data['new_password'] = '{BAR}{more}'", "tests/test_views.py") == set()


@pytest.mark.parametrize(
    "line",
    [
        "login['Password'] = self.encryptPassword(password.encode('utf-16le'))",
        "setdefault('id_token_encrypted_response_enc', 'A192CBC-HS384')",
        "url = 'keyfile=a.key&ciphers=HIGH:-aNULL:-eNULL:-PSK:RC4-SHA:RC4-MD5'",
        "'otpauth://totp/x?secret=qrstuvw456&digits=' + str(digits)",
        "packet.writeString('mysql_native_password', 'latin1');",
        "plugins = ('mysql_native_password', 'caching_sha2_password')",
    ],
)
def test_names_of_algorithms_and_plugins_and_lists_of_ciphers_are_none(line: str) -> None:
    assert found(line, "src/protocol.py") == set()


def test_a_setting_without_a_value_does_not_take_the_next_line() -> None:
    assert found("rabbitmq_password:\nrabbitmq_cluster_cookie:", "etc/passwords.yml") == set()
    value = "".join(random.Random(4).choices("abcdefghjkmnpqrstvwxyzABCDEFGHJKLMNP23456789", k=18))
    assert found(f"rabbitmq_password: {value}", "etc/passwords.yml") == {value}
    assert found(f'"RABBITMQ_PASSWORD":\n    "{value}",', "etc/passwords.json") == {value}


def test_a_password_typed_in_a_hurry_in_an_address_is_one() -> None:
    typed = "kkd" + "er4l8" + "adsfasd"
    assert found(f"url: 'mysql://svc_orders:{typed}@db3.corp.io:3306/shop'", "config/connections.js") == {typed}


@pytest.mark.parametrize("name", ["EMAIL_HOST_PASSWORD", "SMTP_PASSWORD"])
def test_a_password_in_four_groups_is_taken_whole(name: str) -> None:
    drawn = random.Random(name)
    value = " ".join("".join(drawn.choices("bcdfghjkmnpqrtvwxz", k=4)) for _ in range(4))
    assert found(f'{name} = "{value}"', "shop/settings.py") == {value}
    plain = "".join(drawn.choices("bcdfghjkmnpqrtvwxz23456789", k=16))
    assert found(f'export {name}={plain} && run "all of it"', "deploy/start.sh") == {plain}


@pytest.mark.parametrize("value", ["tulp" + "box", "gtd" + "box", "svc" + "kolo", "bzr" + "tksi"])
def test_letters_that_make_no_word_under_a_name_for_passwords(value: str) -> None:
    assert found(f"password = '{value}'", "src/app.py") == {value}
    assert found(f"token = '{value}'", "src/app.py") == set()
    for word in ("donkey", "getPassword", "required", "username"):
        assert found(f"password = '{word}'", "src/app.py") == set()


STRONG = "kX9#mmP2qz"[::-1]
TOKEN = "".join(random.Random(11).choices("0123456789abcdef", k=32))


@pytest.mark.parametrize(
    "form",
    [
        "The password is {}.\n",
        "- the db password for staging is `{}`\n",
        "Ensure the password for user 'postgres' is '{}' or change it\n",
        "the new root password was changed to: **{}**\n",
        "Your API key is now {}, keep it\n",
    ],
)
def test_what_people_tell_each_other(form: str) -> None:
    assert found(form.format(STRONG), "notes/access.txt") == {STRONG}
    for word in ("required", "base64-encoded", "32 bytes long", "v1.2.3-rc4", "too short, 8 characters", "${DB_PASSWORD1}"):
        assert found(form.format(word), "notes/access.txt") == set()


@pytest.mark.parametrize(
    ("form", "path"),
    [
        ("    Password:            {},\n", "main.go"),
        ("  password               = {}\n", "main.tf"),
        ("    password        => {},\n", "site.pp"),
        ("passwd               = {}\n", "app.ini"),
        ("password:            {}\n", "values.yaml"),
        ("MYSQL_PASSWORD       = {}\n", "setup.cfg"),
    ],
)
def test_aligned_assignments(form: str, path: str) -> None:
    assert STRONG in found(form.format(f'"{STRONG}"'), path)
    if path.endswith((".ini", ".yaml", ".cfg")):
        assert STRONG in found(form.format(STRONG), path)


@pytest.mark.parametrize(
    "line", ['buildConfigField "String", "API_KEY", "\\"{}\\""\n', "buildConfigField 'String' , 'API_KEY' , '\"{}\"'\n"]
)
def test_a_string_in_a_string_of_gradle(line: str) -> None:
    assert found(line.format(TOKEN), "app/build.gradle") == {TOKEN}


def test_what_people_and_agents_write_down_is_no_documentation() -> None:
    line = f'password = "{STRONG}"\n'

    def sure(path: str) -> int:
        return max(judged.confidence for judged in _MATCHER.find(line.encode(), path))

    documentation = {sure(path) for path in ("docs/notes.txt", "docs/notes.md", "README.txt", "README.md", "guide.md", "keynote.md")}
    notes = ("notes.txt", "notes.md", "MEMORY.md", "memory/2026-03-01.md", "2026-03-01.md", "CLAUDE.md", "notes/home/router.md", ".claude/x.md", "servers-eu.md")
    assert len(documentation) == 1
    assert {sure(path) for path in notes} == {documentation.pop() + 10}


@pytest.mark.parametrize("value", ["jjwt-jackson-0.11.2", "requests==2.32.5", "token-service@1.4.0", "=9.0.3", "%DB_PASSWORD%"])
def test_packages_with_their_version_and_variables_of_windows(value: str) -> None:
    assert found(f'token: "{value}"\n', "app.yaml") == set()
