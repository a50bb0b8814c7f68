"""Which values go through the slow hash. The answer is part of the fingerprint, so it may never change."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyward.match.guessable import is_guessable
from keyward.plugin.shapes import (
    ALNUM,
    B32,
    B64,
    B64URL,
    DIGITS,
    HEX,
    LOWER,
    Dice,
    Shape,
    an,
    b64url,
    chars,
    concat,
    hexa,
    uuid4,
)

WORDS = (
    "correct", "horse", "battery", "staple", "summer", "winter", "monkey", "dragon", "shadow", "master", "football",
    "welcome", "sunshine", "princess", "admin", "secret", "password", "company", "access", "token", "database",
    "server", "production", "river", "mountain", "purple", "elephant", "coffee", "thunder", "falcon",
)  # fmt: skip
LEET = str.maketrans("oieast", "013457")


def passphrase(dice: Dice) -> bytes:
    """Three to six words with one separator, capitals, a year, some of them in leet."""
    words = [WORDS[dice.below(len(WORDS))] for _ in range(3 + dice.below(4))]
    words = [(str.lower, str.capitalize, str.upper)[dice.below(3)](word) for word in words]
    if dice.below(4) == 0:
        words = [word.translate(LEET) for word in words]
    tail = ("", "2024", "1987!", "!!", "123")[dice.below(5)]
    return (("", "-", " ", "_", ".")[dice.below(5)].join(words) + tail).encode()


def drawn(shape: Shape, count: int) -> list[bytes]:
    return [shape.sample(seed).text for seed in range(count)]


@pytest.mark.parametrize(
    "value",
    [
        "", "hunter2", "Summer2024Winter2025!!", "correct-horse-battery-staple-2024", "correct horse battery staple",
        "CorrectHorseBatteryStapleWombat", "iloveyou143AndYouLoveMe2", "P@ssw0rd!P@ssw0rd1P@ssw0rd2",
        "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "1q2w3e4r5t6y7u8i9o0p1q2w3e4r", "zaq12wsxCDE34rfvBGT56yhn",
        "a1b2c3d4e5f6g7h8i9j0k1l2m3n4", "a1b2c3d4e5f6a1b2c3d4e5f6", "0123456789abcdef0123456789abcdef",
        "deadbeefcafebabe8badf00d", "dead-beef-cafe-babe-dead-beef-cafe-babe", "Abc123Def456Ghi789Jkl012Mno345",
        "AbCdEfGhIjKlMnOpQrStUvWxYz123456", "12345678901234567890123456", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "19840312-19870604-20110911-0815", "我们的密码是一个很长的句子而且很难猜", "S3cr3tK3yW1thM0reTh@n32Ch@racters",
    ],
)  # fmt: skip
def test_what_people_choose_is_guessable(value: str) -> None:
    assert is_guessable(value.encode())


@pytest.mark.parametrize("encode", [lambda v: v.hex().encode(), lambda v: __import__("base64").b64encode(v)])
def test_an_encoded_password_is_guessable(encode) -> None:  # type: ignore[no-untyped-def]  # a parametrised lambda
    assert is_guessable(encode(b"admin:correct horse battery staple 2024"))


def test_words_are_guessable() -> None:
    dice = Dice(11)
    chosen = [passphrase(dice) for _ in range(2000)]
    assert sum(map(is_guessable, chosen)) >= 0.997 * len(chosen)


@pytest.mark.parametrize("alphabet", [ALNUM, HEX, HEX.upper(), B64URL])
def test_random_tokens_are_random(alphabet: str) -> None:
    """For speed only: at least 97 % over the usual lengths, and nearly all from 40 up."""
    lengths = (24, 27, 32, 36, 40, 43, 48, 64)
    random = {length: sum(not is_guessable(v) for v in drawn(chars(alphabet, length), 250)) for length in lengths}
    assert sum(random.values()) >= 0.97 * 250 * len(lengths)
    assert min(random[length] for length in lengths if length >= 40) >= 0.98 * 250


def test_tokens_with_a_prefix_are_random() -> None:
    shapes = (
        concat("ghp_", an(36)), concat("github_pat_", an(22), "_", an(59)), concat("key-", hexa(32)), uuid4(),
        concat("dop_v1_", hexa(64)), concat("xoxb-", chars(DIGITS, 12), "-", chars(DIGITS, 13), "-", an(24)),
        concat("sk-ant-api03-", b64url(93)), concat("-----BEGIN PRIVATE KEY-----", chars(B64, 1600)),
    )  # fmt: skip
    for shape in shapes:
        assert sum(not is_guessable(v) for v in drawn(shape, 100)) >= 96


def test_the_answers_never_change() -> None:
    """A change here changes fingerprints in every baseline: it needs another fingerprint version, not another digest."""
    values = []
    for number in range(1000):
        stream = hashlib.shake_256(b"pinned words %d" % number).digest(16)
        words = [
            (WORDS[b % len(WORDS)].capitalize() if b & 128 else WORDS[b % len(WORDS)]) for b in stream[: 3 + stream[15] % 4]
        ]
        values.append(("", "-", " ", "_")[stream[14] % 4].join(words).encode() + b"%d" % stream[13])
    for alphabet in (ALNUM, HEX, HEX.upper(), B64URL, B64, B32, LOWER, LOWER + DIGITS, DIGITS, ALNUM + "!@#$%^&*() .,;:"):
        for length in (8, 20, 23, 24, 25, 31, 40, 64, 600):
            for number in range(30):
                stream = hashlib.shake_256(f"pinned {alphabet} {length} {number}".encode()).digest(length)
                values.append("".join(alphabet[b % len(alphabet)] for b in stream).encode())
    answers = "".join("gr"[not is_guessable(value)] for value in values)
    assert (answers.count("g"), answers.count("r")) == (2212, 1488)
    assert hashlib.sha256(answers.encode()).hexdigest()[:16] == "9a0e891c795e8d10"


@given(st.binary(max_size=700))
def test_it_answers_for_any_bytes(value: bytes) -> None:
    assert is_guessable(value) is is_guessable(bytes(bytearray(value)))


@given(st.binary(max_size=23))
def test_short_values_are_guessable(value: bytes) -> None:
    assert is_guessable(value)
