"""An incident that is open, keys that somebody else makes at the same time, and several lanes of which one fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rotation_home import Home
from rotation_home import home as make_home

from keyward.flows.workplace import open_workplace
from keyward.model.secret import Secret
from keyward.plugin.store import Slot
from keyward.testing.fakes.server import Fault


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "home") as made:
        yield made


def test_while_an_incident_is_open_keys_are_stopped_first(home: Home) -> None:
    home.adopt()
    home.ok("incident", "open", "leak")
    code, out, err = home.run("rotate", "--all", "--yes")
    assert code == 0 and "the incident 'leak' is open" in err and "QUARANTINE" in out and home.fake.changes[0].method == "PATCH"
    assert home.alive() == {home.key_in_env()}


def test_a_key_that_somebody_else_made_meanwhile_is_never_touched(home: Home) -> None:
    home.adopt()
    home.fake.fail(Fault("500", method="POST", path="/api/v1/keys", times=50))
    home.ok("rotate", "--all", "--yes", code=4)
    home.fake.faults.clear()
    other = home.fake.make_key("a colleague's")
    out = home.ok("resume", code=4)
    assert "has a key that was not there before" in out and other.hash in out and "--not-ours" in out
    assert home.alive() == {home.old, other.value}
    home.ok("resume", "--not-ours", other.hash)
    assert home.alive() == {home.key_in_env(), other.value} and home.key_in_env() not in (home.old, other.value)
    assert "not ours" in home.ok("audit", "show")


MORE = """
[lanes.{lane}]
tier = {tier}

[[lanes.{lane}.credentials]]
name = "key"
kind = "openrouter/api-key"
target = {{ base_url = "{url}" }}
admin = {{ secret = "env:{admin}" }}
"""


def test_one_that_fails_stops_nothing_else_and_says_how_to_go_on(home: Home) -> None:
    home.adopt()
    text = home.config.read_text().replace("tier = 1", "tier = 2")
    more = MORE.format(lane="core", tier=1, url=home.fake.url, admin="NOT_SET")
    more += MORE.format(lane="lab", tier=3, url=home.fake.url, admin="OPENROUTER_MANAGEMENT")
    home.config.write_text(text + more)
    with open_workplace(str(home.config)) as place:
        for lane in ("core", "lab"):
            parts = {"secret": Secret(home.fake.make_key(lane).value.encode())}
            place.store("local").write(f"lanes/{lane}/key", Slot.CURRENT, parts, {}, expected=0)
    plan = home.ok("plan", "--all", code=4)
    assert plan.index("bot/openrouter") < plan.index("lab/key")
    out = home.ok("rotate", "--all", "--yes", code=4)
    done, failed = out.rsplit("Done:", 1)[1].split("Not done:")
    assert "bot/openrouter: proved" in done and "lab/key: proved" in done
    assert "core/key: at PLAN" in failed and "NOT_SET" in failed and "Nothing was changed" in failed
    only = home.ok("rotate", "--tier", "3", "--dry-run")
    assert "lab/key" in only and "bot/openrouter" not in only
