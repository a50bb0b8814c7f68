"""The ways in which people leave a secret, each with drawn values and with what stands there where no secret does."""

from __future__ import annotations

from typing import Any

import pytest

from keyward.formats.readings.escapes import json_view
from keyward.formats.readings.tables import answer_view, table_view
from keyward.match.personas import REGULAR

NOT_READ = {
    "expect -c 'send", "export TOKEN=$(echo", "| password | {v} |", "client.login(", "require('twilio')(sid", "new Client(", "PASSWORDS = {", '"-u", "root", "-p{v}"', "bot.run(",
    "Input Password", "${PASSWORD}    {v}", "svc:{v}", "Cookie: sessionid", "ann: try bob/", "ann: use this key", "Use svc / ",
}  # fmt: skip
"""Beginnings of ways that are not read: nothing there says what the value is, or too little."""


def _found(finder: Any, path: str, data: bytes) -> set[bytes]:
    texts = [data]
    reading = (
        table_view
        if path.endswith((".md", ".csv", ".sql"))
        else answer_view
        if path.endswith(".txt")
        else json_view
        if path.endswith((".json", ".jsonl", ".har", ".ipynb"))
        else None
    )
    view = reading(data) if reading else None
    texts += [view.text] if view else []
    return {j.context.value for text in texts for j in finder.find(path, text) if j.confidence >= REGULAR}


def test_secrets_are_found_in_the_ways_in_which_people_leave_them(corpus: Any, finder: Any) -> None:
    from accuracy_corpus.ways import drawn, ways

    missed = []
    every = ways()
    for number, way in enumerate(every):
        for seed in range(3):
            value = drawn(way.kind, 1000 * number + seed)
            if not any(value.encode() in found for found in _found(finder, way.path, way.written(value))):
                missed.append(way)
    assert len(every) >= 326
    unexpected = [way for way in missed if missed.count(way) > 1 and not any(text in way.text for text in NOT_READ)]
    assert unexpected == []
    assert len(missed) <= 0.06 * 3 * len(every)


@pytest.mark.parametrize(("name", "least"), [("ways_operations", 0.96), ("ways_code_and_talk", 0.88), ("ways_chats_and_agents", 0.78)])
def test_the_lists_of_others(corpus: Any, finder: Any, name: str, least: float) -> None:
    """What was found of them when the rules met them first stands in the benchmark's page."""
    from accuracy_corpus.ways import drawn, ways

    found = 0
    for number, way in enumerate(ways(name)):
        for seed in range(2):
            value = drawn(way.kind, 1000 * number + seed)
            found += any(value.encode() in each for each in _found(finder, way.path, way.written(value)))
    assert found >= least * 2 * len(ways(name))


def test_nothing_is_found_where_a_stand_in_stands(corpus: Any, finder: Any) -> None:
    from accuracy_corpus.ways import LISTS, STAND_INS, ways

    assert len(STAND_INS) >= 20
    wrong = [
        (way.text, value, found)
        for name in LISTS
        for way in ways(name)
        for value in STAND_INS
        if (found := _found(finder, way.path, way.written(value)))
    ]
    assert len(wrong) <= 4, wrong
