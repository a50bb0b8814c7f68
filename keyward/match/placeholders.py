"""Values that stand where a credential will stand: placeholders, references, masks, and samples that vendors publish.

The published samples are recognised by a part of them only, so that no such value stands here in full.
"""

from __future__ import annotations

import re
from functools import lru_cache


def _spelt(text: str) -> tuple[bytes, ...]:
    """The words of a text, each with `~` read as nothing, as `-`, as `_` and as a space."""
    words = [word.replace("~", between) for word in text.split() for between in ("", "-", "_", " ")]
    return tuple(dict.fromkeys(word.encode() for word in words))


# To ask for each word with `in` takes a fifth of the time of one expression for all. The values are asked in lower case.
_WORDS = (
    *_spelt(
        "example placeholder change~me replace~me replace~with replace~this <your redacted removed dummy foobar foo-bar foo_bar xyzzy anoncvs lorem todo fixme "
        "not~a~real not~a~secret nota-real notareal fake sample xxxx **** .... ____ 00000000 11111111 deadbeefdeadbeef deadbeefcafe abcdefgh "
        "aaecawqf aaaqeayeaudaocaj 000102030405 0011223344 12345678 01234567 87654321 qwertyui asdfghjk"
    ),
    b"your-", b"your_", b"your ", b"insert-", b"insert_", b"insert ",
    "\u4f60\u7684".encode(), "\u66ff\u6362".encode(), "\u586b\u5199".encode(), "\u0432\u0430\u0448".encode(),
)  # fmt: skip
_FOOBAR = (b"foobar", b"foo-bar", b"foo_bar")
_LONG_WORDS = (  # safe in a random body: by chance once in ten million values or less
    b"example", b"placeholder", b"changeme", b"change_me", b"replaceme", b"replace-me", b"replace_me", b"redacted",
    *(b"your" + mark + word for mark in (b"-", b"_") for word in (b"api", b"secret", b"key", b"token", b"access", b"own", b"client", b"auth", b"pass")),
    *(b"not" + one + b"a" + two + b"real" for one in (b"", b"-", b"_") for two in (b"", b"-", b"_")),
    b"xxxxx", b"***", b"#####", b"000000000", b"111111111", b"abcdefgh", b"aaecawqfbg", b"aaaqeayeaudaocaj", b"00010203040506", b"001122334455", b"123456789", b"0123456789", b"987654321",
    b"deadbeefdeadbeef", b"qwertyuiop",
)  # fmt: skip
_MASKS = (b"***", b"...", b"\xe2\x80\xa6", b"xxxxxx", b"XXXXXX", b"\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2")
_MASK = re.compile(rb"^.{0,12}(?:\*{3,}|\.{3,}|\xe2\x80\xa6|x{6,}|X{6,}|\xe2\x80\xa2{3,}).{0,12}$", re.DOTALL)
_REFERENCE = re.compile(
    rb"^(?:\$\{|\$\(|\$[A-Za-z_]|\{\{|\{%|<%|%\(|#\{|@\{|%[A-Za-z_]+%$|<[A-Za-z][\w ./:-]*>$|\[[A-Za-z _-]+\]$|\{[A-Za-z_][\w.-]*\}$|"
    rb"os\.(?:environ|getenv)|process\.env|env\(|ENV\[|getenv\(|System\.getenv|secrets?\.|vars?\.|var\.|data\.|local\.|module\.|"
    rb"vault:|op://|awssm:|ssm:|gcpsm:|keyring:|env:|file:|exec:|arn:aws|ref\+|sops:|!Ref|!Sub|!vault|\$ANSIBLE_VAULT|ENC\[|ENC\(|"
    rb"\{cipher\}|AgB[A-Za-z0-9+/]{200}|projects/[\w-]+/secrets/|secretsmanager:|lookup\(|\{\"source\")",
)
_SAMPLES: tuple[tuple[bytes, str], ...] = (
    (b"Eby8vdM02xNOcqF", "Azure storage emulator's fixed key"),
    (b"C2y6yDjf5/R+ob0N", "Cosmos DB emulator's fixed key"),
    (b"4eC39HqLyjW", "Stripe's documentation key"),
    (b"TYooMQauvdEDq54", "Stripe's documentation key"),
    (b"BQokikJOvBiI2HlW", "Stripe's documentation key"),
    (b"SflKxwRJSMeKKF2Q", "the sample token of jwt.io"),
    (b"TJVA95OrM7E2cBab", "the sample token of jwt.io"),
    (b"ac0974bec39a17e3", "Hardhat's and Anvil's first account"),
    (b"16C7e42F292c6912", "GitHub's documentation token"),
    (b"abcdef.0123456789abcdef", "kubeadm's documentation token"),
    (b"110201543:AAHdq", "Telegram's documentation token"),
    (b"MTk4NjIyNDgzNDcxOTI1MjQ4", "Discord's documentation token"),
    (b"T00000000/B00000000", "Slack's documentation webhook"),
    (b"xvz1evFS4wEEPTGEFPHBog", "Twitter's documentation key"),
    (b"6LeIxAcTAAAAA", "reCAPTCHA's test key"),
    (b"AIzaSyDdI0hCZtE6vySjMm-WEfRq3CPzqKqqsHI", "the key that every Google Chat webhook shares"),
    (b"super-secret-jwt-token-with-at-least-32", "Supabase's local default"),
    (b"your-256-bit-secret", "the sample secret of jwt.io"),
    (b"czZCaGRSa3F0Mz", "the sample client of RFC 6749"),
    (b"gX1fBat3b", "the sample client of RFC 6749"),
    (b"2YotnFZFEjr1zC", "the sample token of RFC 6749"),
    (b"tGzv3JOkF0XG5Q", "the sample token of RFC 6749"),
    (b"SlAV32hkK", "the sample token of OpenID Connect"),
    (b"ad180jjd733kl", "the sample token of RFC 5849"),
    (b"eyJzb21lIjoicGF5bG9hZCJ9", "the sample token of PyJWT"),
    (b"ZHVtbXk", "the word dummy in base64"),
)
_OWNERS = dict(_SAMPLES)
_ANY_SAMPLE = re.compile(b"|".join(map(re.escape, _OWNERS)))


@lru_cache(maxsize=512)
def placeholder(value: bytes, *, random_body: bool) -> str:
    """Why the value is a placeholder, or an empty string. `random_body`: most of the value is drawn at random, so that only
    words count that do not occur by chance."""
    lowered = value.lower()
    for word in _LONG_WORDS if random_body else _WORDS:
        if word in lowered and not (word in _FOOBAR and _is_more(lowered.replace(word, b"", 1))):
            return f"says {word.decode()[:12]!r}" if word.isalpha() else "is a pattern"
    if any(mark in value for mark in _MASKS) and _MASK.match(value):
        return "is masked"
    body = value.rstrip(b"=")[-20:] if random_body else value
    if len(body) >= 6 and len(set(body)) <= 2 + len(body) // 16:
        return "repeats few characters"
    if len(value) >= 16 and _periodic(value):
        return "repeats itself"
    return ""


def _is_more(rest: bytes) -> bool:
    """Whether three digits and three letters are left: somebody made a password of it."""
    return sum(48 <= c <= 57 for c in rest) >= 3 and sum(97 <= c <= 122 for c in rest) >= 3


def _periodic(value: bytes) -> bool:
    """Whether the last 16 characters or more repeat with a short period (`abcabcabc…`)."""
    tail = value[-24:]
    return len(set(tail)) <= 6 and any(tail[period:] == tail[:-period] for period in range(1, 7))


def reference(value: bytes, before: bytes, after: bytes) -> str:
    """Why the value is a reference to a value kept elsewhere, or ciphertext; or an empty string."""
    if _REFERENCE.match(value):
        return "refers to a value kept elsewhere"
    if before.endswith((b"${", b"{{", b"{{ ", b"$(")) and (b"}" in after or b")" in after):
        return "stands in a template"
    if b"ENC[" in before[-40:] or b"$ANSIBLE_VAULT" in before[-40:]:
        return "is ciphertext"
    return ""


def published_sample(value: bytes) -> str:
    """Whose published sample the value is, or an empty string."""
    found = _ANY_SAMPLE.search(value)
    return _OWNERS[found.group()] if found else ""
