"""What tells drawn letters and digits from words must not lose what chance draws without a digit."""

from __future__ import annotations

import random
import re

import pytest
from keyward.detectors._forms import mixed, random_looking

from keyward.match.catalogue import load
from keyward.match.matcher import Matcher
from keyward.plugin.letters import is_random
from keyward.plugin.shapes import ALNUM, DIGITS, HEX, LOWER
from keyward.registry import Registry

DRAWS = 4000


def draws(alphabet: str, length: int, count: int) -> list[bytes]:
    """Drawn as a vendor does, with nothing put right: the shapes of samples always have a digit."""
    dice = random.Random(length)
    return ["".join(dice.choices(alphabet, k=length)).encode() for _ in range(count)]


NAMES = (
    b"getServiceAccountTokenFromSecret", b"TencentCloudSecretKeyProvider000"[:-3], b"myVeryLongConfigurationVariableName", b"defaultCredentialsProviderChain",
    b"com-example-billing-service-token", b"THIS_IS_THE_NAME_OF_A_VARIABLE_X", b"3f786850e387550fdab836ed7e6dc881de23001b",
)  # fmt: skip


@pytest.mark.parametrize(("length", "most"), [(16, 40), (20, 12), (24, 4), (30, 1), (32, 1), (40, 1)])
def test_next_to_no_draw_is_lost(length: int, most: int) -> None:
    drawn = draws(ALNUM, length, DRAWS)
    lost = [value for value in drawn if not random_looking(value)]
    assert len(lost) <= most
    assert any(not any(48 <= c <= 57 for c in value) for value in set(drawn) - set(lost)), "one without a digit is among them"
    expression = re.compile(mixed(length))
    assert all(bool(expression.fullmatch(value)) is random_looking(value) for value in drawn)


def test_names_and_hashes_are_not_random() -> None:
    assert [name for name in NAMES if random_looking(name)] == []
    assert [value for value in draws(HEX, 32, 500) if random_looking(value)] == []


def test_letters_without_case_are_random_as_well() -> None:
    lost = [value for value in draws(LOWER + DIGITS, 54, 1000) if not is_random(value)]
    assert len(lost) <= 2
    assert not is_random(b"my-service-account-token-2")


def test_no_key_in_hexadecimal_digits_was_typed_blindly() -> None:
    registry = Registry()
    matcher = Matcher(registry, load(registry))
    lines = [b"OPENAI_API_KEY=sk-" + value + b"\n" for value in draws(HEX, 32, 300)]
    assert [line for line in lines if not any(judged.confidence >= 50 for judged in matcher.find(line))] == []


def test_a_salt_may_begin_like_a_variable() -> None:
    registry = Registry()
    matcher = Matcher(registry, load(registry))
    value = b"$W" + draws(ALNUM + "~/&+*{;=:.%^", 62, 1)[0]
    assert [judged.candidate.rule.id for judged in matcher.find(b"define('AUTH_KEY', '" + value + b"');\n")] == [
        "wordpress/salt"
    ]


@pytest.mark.parametrize("form", [b"%b=%b\n", b"  %b: %b\n", b'%b = "%b"\n', b"app.config['%b'] = b'%b'\n"])
@pytest.mark.parametrize("first", [b"b", b"r"])
def test_a_letter_that_may_stand_before_a_quote_belongs_to_the_value(first: bytes, form: bytes) -> None:
    registry = Registry()
    matcher = Matcher(registry, load(registry))
    for name, kind in ((b"WEBHOOK_SECRET", "app/signing-secret"), (b"SECRET_KEY", "")):
        value = first + draws(HEX, 39, 1)[0]
        found = [judged for judged in matcher.find(form % (name, value)) if judged.confidence >= 50]
        assert [judged.context.value for judged in found] == [value]
        assert not kind or found[0].candidate.kind.name == kind
