"""Of several generic rules that see the same value, the one that is surest of it speaks."""

from __future__ import annotations

import pytest

from keyward.match import catalogue
from keyward.match.matcher import Matcher
from keyward.match.personas import REGULAR
from keyward.plugin.shapes import chars
from keyward.registry import Registry

_REGISTRY = Registry()
_MATCHER = Matcher(_REGISTRY, catalogue.load(_REGISTRY))
SECRET = (chars("bcdfghjkmnpq", 4).sample(4).text + b"4" + chars("BCDFGHJKMNPQ", 4).sample(5).text + b"7x").decode()


@pytest.mark.parametrize("before", ["", "first line\n"])
@pytest.mark.parametrize("word", ["password", "wachtwoord", "hasło"])
def test_a_value_beside_its_name_in_a_sentence_is_mentioned_not_assigned(before: str, word: str) -> None:
    """`quoted` takes the space for no assignment; `mentioned` is for sentences."""
    data = f"{before}Staging is behind basic auth: user `equipe`, {word} `{SECRET}`. Ask Lucie.\n".encode()
    found = [judged for judged in _MATCHER.find(data, "README.md") if judged.confidence >= REGULAR]
    assert [(judged.candidate.rule.id, judged.context.value.decode()) for judged in found] == [("generic/mentioned", SECRET)]
