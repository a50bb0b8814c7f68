"""A few rules of one's own are compiled by themselves: what is found is the same as with all rules in one database."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyward.match import catalogue
from keyward.match.matcher import Matcher
from keyward.model.kind import CredentialKind, Kind
from keyward.model.rule import Rule
from keyward.plugin.shapes import an, assigned, concat
from keyward.registry import Registry

KIND = Kind("corp/token")
VALUE = concat("corpt_", an(32))


def own_rule(name: str = "corp/token", prefix: bytes = b"corpt_") -> Rule:
    return Rule(
        name,
        KIND,
        rb"\b(?P<secret>" + prefix + rb"[A-Za-z0-9]{32})\b",
        score=80,
        trusted=False,
        examples=(assigned("CORP_TOKEN", VALUE), assigned("token", VALUE), assigned("x", VALUE)),
        near_misses=(assigned("CORP_TOKEN", concat("corpt_", an(31))),) * 3,
    )


def registry(*rules: Rule, disabled: tuple[str, ...] = ()) -> Registry:
    kinds = [CredentialKind(KIND, "A token of ours", "high")] if rules else []
    return Registry(user_rules=rules, user_kinds=kinds, disabled=disabled)


def found(matcher: Matcher, data: bytes) -> set[tuple[str, bytes, str]]:
    hits = matcher.hits(data)
    judged, gave_up = matcher.judged(data, "notes.txt", hits)
    triggered = matcher.triggered(hits)
    if triggered:
        judged, _ = matcher.with_encoded(data, "notes.txt", triggered, judged)
    assert gave_up == []
    return {(each.candidate.rule.id, each.context.value, each.encoding) for each in judged}


def samples() -> Iterator[bytes]:
    """What ours finds, what others find, both, and ours in encodings and in pieces."""
    text = own_rule().examples[0].sample(1)
    value = text.parts["secret"]
    others = [
        rule.examples[0].sample(3).text for _, rule in Registry().rules() if rule.id.startswith(("github/", "aws/", "generic/"))
    ]
    yield text.text
    yield from others
    yield text.text + b"".join(others)
    yield b"data: " + base64.b64encode(b"a " + value + b"\n") + b"\n"
    yield b"data: " + base64.b64encode(b" " + value + b"\n") + b"\n"
    yield b"data: " + (b"token=" + value).hex().encode() + b"\n"
    yield b'x = "' + value[:12] + b'" + "' + value[12:] + b'"\n'
    yield b'x = "' + value[:12] + b'"\n    "' + value[12:] + b'"\n'
    yield b"nothing at all"
    yield b""


@pytest.fixture(scope="module")
def together() -> Matcher:
    made = registry(own_rule())
    return Matcher(made, catalogue.build(made))


@pytest.mark.parametrize("portable", [False, True], ids=["hyperscan", "portable"])
def test_the_same_is_found_as_in_one_database(together: Matcher, portable: bool) -> None:
    made = registry(own_rule())
    loaded = catalogue.load(made, portable=portable)
    assert loaded.apart is not None and loaded.apart.rules == 1
    apart = Matcher(made, loaded)
    seen = set()
    for data in samples():
        expected = found(together, data)
        assert found(apart, data) == expected, data[:60]
        seen |= {(rule, encoding.partition("[")[0]) for rule, _, encoding in expected}
    assert {encoding for rule, encoding in seen if rule == "corp/token"} >= {"raw", "base64", "hex"}
    assert {rule for rule, _ in seen} >= {"corp/token", "github/pat-classic", "aws/access-key-id"}


def test_keywards_own_are_not_compiled_again() -> None:
    catalogue.load(Registry())
    compiled: list[int] = []
    catalogue.load(registry(own_rule("corp/second", b"corps_")), on_compile=compiled.append)
    assert compiled == []


def test_it_is_cached(tmp_path: Path) -> None:
    first = catalogue.load(registry(own_rule("corp/third", b"corp3_")))
    second = catalogue.load(registry(own_rule("corp/third", b"corp3_")))
    assert second.cached and second.digest == first.digest and second.apart == first.apart
    assert catalogue.load(registry(own_rule("corp/third", b"corp4_"))).digest != first.digest


@pytest.mark.parametrize("portable", [False, True], ids=["hyperscan", "portable"])
def test_a_rule_that_is_left_out_finds_nothing(portable: bool) -> None:
    rule = next(rule for _, rule in Registry().rules() if rule.id == "github/pat-classic")
    data = rule.examples[0].sample(5).text
    for off in ("github/pat-classic", "github"):
        made = registry(own_rule(), disabled=(off,))
        left = found(Matcher(made, catalogue.load(made, portable=portable)), data)
        assert not any(name == "github/pat-classic" for name, _, _ in left)
    assert "github/pat-classic" in {name for name, _, _ in found(Matcher(Registry(), catalogue.load(Registry())), data)}


def test_many_of_them_are_compiled_with_all_others() -> None:
    rules = [own_rule(f"corp/n{number}", b"corp%03d_" % number) for number in range(catalogue.APART + 1)]
    assert catalogue.load(registry(*rules)).apart is None
    assert catalogue.load(registry(*rules[:-1])).apart is not None
