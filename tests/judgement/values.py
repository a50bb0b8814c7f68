"""Values as people and machines make them, drawn from seeds: nothing here is anybody's credential."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from keyward.plugin.shapes import ALNUM, B64, DIGITS, HEX, LOWER, UPPER, Dice, an, b64, b64url, chars, hexa, uuid4

_PLACES = [
    "toulouse",
    "polaris",
    "vesuvius",
    "krakow",
    "oslofjord",
    "nairobi",
    "montreal",
    "kyoto",
    "lisboa",
    "dublin",
    "sahara",
    "wanaka",
    "bergamo",
    "tallinn",
    "quito",
    "malmoe",
    "dragon",
    "falcon",
    "panther",
    "kestrel",
    "walrus",
    "otter",
    "badger",
    "marlin",
    "gecko",
    "lynx",
    "heron",
    "tapir",
    "mango",
    "papaya",
    "cumin",
    "basil",
    "saffron",
    "truffle",
    "monika",
    "swain",
    "dierzu",
    "natasha",
    "bruno",
    "giulia",
    "henrik",
    "aylin",
    "takeshi",
    "priya",
    "olek",
    "ximena",
    "yannis",
    "sorin",
    "fatima",
    "ewelina",
    "arsenal",
    "juventus",
    "dortmund",
    "celtics",
    "gandalf",
    "frodo",
    "skywalker",
    "morpheus",
    "trinity",
    "pikachu",
    "zelda",
]
_PHRASES = (
    "access control list", "refresh the page", "invalid or expired", "secret key reservation system", "learn programming yourself",
    "dev internal auth secret", "session store", "fraud detection", "application settings", "customer account", "user profile", "payment gateway",
    "device registration", "email verification", "message queue", "internal service", "remote control", "order history", "start date", "build number",
)  # fmt: skip


class Maker(NamedTuple):
    """`make`: the value for the dice. `name`: what the table calls it."""

    name: str
    make: Callable[[Dice], str]


def pick(dice: Dice, choices: tuple[str, ...] | list[str]) -> str:
    return choices[dice.below(len(choices))]


def _of(alphabet: str, low: int, high: int) -> Callable[[Dice], str]:
    return lambda dice: chars(alphabet, low + dice.below(high - low + 1)).draw(dice).text.decode()


def _mixed(alphabet: str, low: int, high: int) -> Callable[[Dice], str]:
    """As `_of`, with a digit and letters of both cases somewhere."""

    def make(dice: Dice) -> str:
        while True:
            value = _of(alphabet, low, high)(dice)
            if any(c.isdigit() for c in value) and any(c.islower() for c in value) and any(c.isupper() for c in value):
                return value

    return make


def _word(dice: Dice) -> str:
    return pick(dice, _PLACES)


def _year(dice: Dice) -> str:
    return str(1960 + dice.below(67))


def _name_and_number(dice: Dice) -> str:
    word = _word(dice)
    style = dice.below(6)
    if style == 0:
        return f"{word.capitalize()}{_year(dice)}!"
    if style == 1:
        return f"{word}{dice.below(90) + 10}"
    if style == 2:
        return f"{word.capitalize()}@{dice.below(900) + 100}"
    if style == 3:
        return f"{word[:4]}.{_word(dice)}{dice.below(9) + 1}"
    if style == 4:
        return f"{word.upper()[:2]}{_word(dice)}{_year(dice)}#"
    return f"{word.capitalize()}#{_year(dice)[2:]}{pick(dice, list('!?$*'))}"


def _leet(dice: Dice) -> str:
    word = (_word(dice) + _word(dice)).translate(str.maketrans("aeio", "4310"))
    return word[: 9 + dice.below(4)] + pick(dice, ["!", "", "?", "77"])


def _short_mixed(dice: Dice) -> str:
    return (
        chars(LOWER, 2).draw(dice).text.decode()
        + chars(DIGITS, 2).draw(dice).text.decode()
        + _of(LOWER, 2, 3)(dice)
        + chars(DIGITS, 2).draw(dice).text.decode()
    )


_CONSONANTS = "bcdfghjklmnpqrstvwxz"

TOKENS = (
    Maker("letters and digits", lambda d: an(20 + d.below(29)).draw(d).text.decode()),
    Maker("hex", lambda d: hexa((32, 40, 64)[d.below(3)]).draw(d).text.decode()),
    Maker("upper hex", lambda d: hexa((32, 40)[d.below(2)]).draw(d).text.decode().upper()),
    Maker("base64", lambda d: b64((43, 64, 86)[d.below(3)]).draw(d).text.decode() + "="),
    Maker("base64url", lambda d: b64url((24, 32, 43)[d.below(3)]).draw(d).text.decode()),
    Maker("lower and digits", _of(LOWER + DIGITS, 24, 32)),
)
SHORT_TOKENS = (
    Maker("short letters and digits", _mixed(ALNUM, 10, 16)),
    Maker("short hex", _of(HEX, 12, 16)),
)
UUIDS = (Maker("uuid", lambda d: uuid4().draw(d).text.decode()),)
DRAWN_PASSWORDS = (
    Maker("drawn, letters and digits", _mixed(ALNUM, 8, 14)),
    Maker("drawn, with marks", _mixed(ALNUM + "#!%+-_@*", 10, 18)),
    Maker("drawn, lower and digits", _short_mixed),
    Maker("drawn, letters", lambda d: chars(_CONSONANTS, 9 + d.below(5)).draw(d).text.decode()),
    Maker("drawn, letters of both cases", lambda d: chars(LOWER + UPPER, 12 + d.below(5)).draw(d).text.decode()),
)
CHOSEN_PASSWORDS = (Maker("name and number", _name_and_number), Maker("leet", _leet))
SALTS = (
    Maker("salt, base64", lambda d: chars(B64, 22).draw(d).text.decode() + "=="),
    Maker("salt, hex", lambda d: hexa(32).draw(d).text.decode()),
    Maker("salt, letters and digits", lambda d: an(32).draw(d).text.decode()),
)
PASSWORDS = (*DRAWN_PASSWORDS, *CHOSEN_PASSWORDS)


def _joined(style: str) -> Callable[[Dice], str]:
    def make(dice: Dice) -> str:
        words = pick(dice, list(_PHRASES)).split()
        if style == "camel":
            return words[0] + "".join(word.capitalize() for word in words[1:])
        if style == "pascal":
            return "".join(word.capitalize() for word in words)
        return style.join(words)

    return make


def _const(*choices: str) -> Callable[[Dice], str]:
    return lambda dice: pick(dice, list(choices))


PLACEHOLDERS = (
    Maker("placeholder", _const("your_password", "YOUR_API_KEY", "changeme", "change-me-please", "<your-secret>", "xxxxxxxxxxxx", "********", "INSERT_TOKEN_HERE",
                                "REPLACE_ME", "enter-your-key", "your-token-here", "TODO-set-this", "sk_xxxxxxxxxxxx", "_YOUR_MAVEN_PASSWORD_", "example-secret",
                                "placeholder", "not-a-real-key", "dummy-token", "foobar123", "PERSONAL_ACCESS_TOKEN", "yourpassword")),
    Maker("well-known", _const("password", "password123", "secret123", "admin123", "test1234", "passw0rd", "P@ssw0rd", "qwerty123", "letmein1", "test-secret", "secretpassword",
                               "mysecretkey", "testpassword123", "topsecret", "user_password", "default-password", "12345678", "abcd1234", "guest123", "root123")),
)  # fmt: skip
WORDS = (
    Maker("snake", _joined("_")),
    Maker("kebab", _joined("-")),
    Maker("dotted", _joined(".")),
    Maker("camel", _joined("camel")),
    Maker("pascal", _joined("pascal")),
    Maker("slashes", _joined("/")),
    Maker("constant", lambda d: _joined("_")(d).upper()),
)
REFERENCES = (
    Maker("reference", _const("${DB_PASSWORD}", "$PASSWORD", "{{ vault_password }}", "{{password}}", "%(password)s", "$(cat /run/pw)", "<%= password %>", "%DB_PASSWORD%",
                              "#{password}", "@{password}", "{password}", "${env.SECRET}", "vault:secret/db", "op://vault/item/field", "ENC[AES256_GCM,data:abc]",
                              "arn:aws:secretsmanager:eu-west-1:1:secret:x", "env:DB_PASSWORD", "secrets.DB_PASSWORD", "var.db_password", "process.env.DB_PASS")),
)  # fmt: skip
NOT_SECRETS = (
    Maker("url", _const("https://id.corp.io/oauth2/token", "http://localhost:8080/auth", "urn:ietf:params:oauth:token-type:jwt", "ldap://dc1.corp.io")),
    Maker("path", _const("/run/secrets/db", "./certs/server.key", "~/.ssh/id_ed25519", "C:\\keys\\app.pfx", "config/prod/keys.json", "keys/app.pem")),
    Maker("version or date", _const("1.24.0-alpine", "2026-11-22T10:00:00Z", "v2.11.4", "3.1.0-rc2", "2024-03-18", "10.2.0.9:8443")),
    Maker("type", _const("string", "SecureString", "Optional[str]", "required", "undefined", "NoneType", "text/plain", "varchar(255)")),
    Maker("mail", _const("svc.deploy@corp.io", "someone@mail.corp.io")),
    Maker("setting", _const("disabled", "enabled", "required|min:8", "aes-256-cbc", "HS256", "RS512", "SHA-256", "basic_auth", "client_credentials", "authorization_code", "bearer-only")),
)  # fmt: skip
