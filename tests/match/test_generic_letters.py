"""What the characters of a value say."""

from __future__ import annotations

import pytest

from keyward.plugin.letters import (
    classes,
    digits,
    entropy,
    fluency,
    humps,
    is_drawn,
    is_random,
    transitions,
    walk,
    word_share,
)
from keyward.plugin.shapes import ALNUM, HEX, LOWER, UPPER, an, b64, chars, hexa, uuid4


@pytest.mark.parametrize(("value", "bits"), [(b"aaaa", 0.0), (b"abab", 1.0), (b"abcd", 2.0), (b"", 0.0)])
def test_entropy(value: bytes, bits: float) -> None:
    assert entropy(value) == bits


@pytest.mark.parametrize(
    "value",
    [
        b"authentication",
        b"getUserAccount",
        b"SERVICE_NAME",
        b"content-length",
        b"toulouse",
        b"zugangsdaten",
        b"contrasena",
        b"utilisateur",
    ],
)
def test_words_of_many_languages_read_as_words(value: bytes) -> None:
    assert fluency(value) > 0.35
    assert not is_drawn(value)


@pytest.mark.parametrize("seed", range(20))
def test_random_letters_do_not_read_as_words(seed: int) -> None:
    assert fluency(chars(LOWER, 12).sample(seed).text) < 0.3
    assert fluency(chars(LOWER, 60).sample(seed).text) < -0.4


def test_nothing_to_read_is_neither() -> None:
    assert fluency(b"1234") == fluency(b"") == fluency(b"a") == 0


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("alphabet", "length"), [(ALNUM, 20), (ALNUM, 32), (HEX, 32)])
def test_drawn_by_a_machine(alphabet: str, length: int, seed: int) -> None:
    assert is_random(chars(alphabet, length).sample(seed).text)


def test_of_lower_case_and_digits_a_few_read_as_words_by_chance() -> None:
    drawn = [chars(LOWER + "0123456789", 24).sample(seed).text for seed in range(200)]
    assert sum(map(is_random, drawn)) >= 190


@pytest.mark.parametrize(
    "value",
    [
        b"short1",
        b"abcdefghijklmnopqrst",
        b"internationalisation_of_2026",
        b"1234567890123456789012",
        b"getUserAccountById2",
        b"fraud-detection-model-v2",
    ],
)
def test_not_random(value: bytes) -> None:
    assert not is_random(value)


@pytest.mark.parametrize("seed", range(20))
def test_short_values_without_a_word_are_drawn(seed: int) -> None:
    assert is_drawn(b"4" + chars("bcdfghjklmnpqrstvwxzBCDFGHJKLMNPQRSTVWXZ23456789", 9).sample(seed).text)
    assert is_drawn(chars("bcdfghjklmnpqrstvwxz", 11).sample(seed).text)


@pytest.mark.parametrize(
    "value",
    [
        b"monika46",
        b"not-it-at-all-5",
        b"the_old_one_7",
        b"settings",
        b"Password1",
        b"user_id_2",
        b"aaaaaaa1",
        b"12345678",
        b"ab1",
        b"application/json",
    ],
)
def test_short_values_with_a_word_or_without_letters_are_not(value: bytes) -> None:
    assert not is_drawn(value)


def test_a_value_is_drawn_or_random_never_both() -> None:
    for value in (an(20).sample(1).text, hexa(12).sample(1).text, b64(43).sample(1).text, uuid4().sample(1).text):
        assert not (is_drawn(value) and is_random(value))


def test_transitions_count_changes_of_class() -> None:
    assert transitions(b"aaaa") == 0
    assert transitions(b"a1a1a") == 1


def test_classes_and_digits_are_counted() -> None:
    assert [classes(value) for value in (b"a", b"aA", b"aA1", b"aA1!")] == [1, 2, 3, 4]
    assert digits(b"a1b22") == 3


def test_names_have_long_stretches_and_random_text_of_both_cases_short_ones() -> None:
    assert humps(b"getUserAccount") > 4 > 3 > humps(chars(LOWER + UPPER, 40).sample(3).text)


def test_the_share_of_words() -> None:
    assert word_share(b"session_store") > 0.8
    assert word_share(b"store4711x") == pytest.approx(0.5)
    assert word_share(b"") == 0


@pytest.mark.parametrize(("value", "least"), [(b"qwertyui", 1), (b"1qaz2wsx", 1), (b"4321abcd", 0.5), (b"asdfjkl1", 0.3)])
def test_walks(value: bytes, least: float) -> None:
    assert walk(value) >= least


def test_words_are_no_walks() -> None:
    assert walk(b"settlement") == walk(b"ab") == 0
