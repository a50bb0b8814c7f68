"""The catalogue of rules as data: a change of any pattern shows in a review as what it is."""

from __future__ import annotations

import json
from pathlib import Path

from keyward.flows.rules import export, registry

SNAPSHOT = Path(__file__).resolve().parent.parent / "snapshots" / "rules.json"


def test_the_catalogue_is_as_recorded() -> None:
    """After a change that is meant: `keyward rules export > tests/snapshots/rules.json`."""
    recorded = {rule["id"]: rule for rule in json.loads(SNAPSHOT.read_text())["rules"]}
    now = {rule["id"]: rule for rule in export(registry())["rules"]}
    assert sorted(recorded) == sorted(now)
    assert [id for id in now if now[id] != recorded[id]] == []
