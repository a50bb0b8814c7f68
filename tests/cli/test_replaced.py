"""A report that is older than a rotation: what was replaced and proved dead belongs to nobody, and is not called unowned."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rotation_home import Home
from rotation_home import home as make_home

from keyward.match.fingerprint import to_base32


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "home") as made:
        yield made


def _problems(out: str) -> set[str]:
    return {line.split()[0] for line in out.splitlines() if " bot/" in line or " kw1_" in line if not line.startswith(" ")}


def test_what_was_replaced_is_told_with_its_day(home: Home) -> None:
    report = home.adopt()
    assert "unowned" not in home.run("lanes", "check", "--report", str(report))[1]
    home.ok("rotate", "--all", "--yes")
    _, out, _ = home.run("lanes", "check", "--report", str(report))
    name = home.fingerprint(report)
    assert "unowned" not in _problems(out) and "lanes adopt" not in out
    assert "Replaced since that scan: 1" in out and f"{name}: bot/openrouter replaced it on 20" in out and "proved dead" in out
    rotation = re.search(r"r\d{8}-\d{6}-[0-9a-f]{6}", out)
    assert rotation is not None and name in home.ok("history", rotation[0]) and home.old not in out
    plan = home.ok("plan", "--leaked", str(report))
    assert "in no lane" not in plan and "Replaced since that scan: 1" in plan


def test_a_project_with_a_salt_of_its_own(home: Home) -> None:
    """Its reports name keys as the operator's own salt does not: the salt is kept when the key is taken in."""
    (home.folder / "bot" / ".keyward.baseline").write_text(
        f'{{"keyward-baseline": 1, "salt": "{to_base32(bytes(range(32)))}"}}\n'
    )
    report = home.adopt()
    name = home.fingerprint(report)
    assert "bot/openrouter uses it now" in home.ok("revoke", name, "--yes", code=4)
    home.ok("rotate", "--all", "--yes")
    _, out, _ = home.run("lanes", "check", "--report", str(report))
    assert "unowned" not in _problems(out) and f"{name}: bot/openrouter replaced it" in out
    assert "proved dead" in home.ok("revoke", name)


def test_a_rotation_that_is_not_finished_is_gone_on_with(home: Home) -> None:
    report = home.adopt()
    home.config.write_text(home.config.read_text() + 'check = ["false"]\n')
    home.ok("rotate", "--all", "--yes", code=4)
    home.config.write_text(home.config.read_text().replace('check = ["false"]\n', ""))
    new = home.key_in_env()
    out = home.ok("lanes", "check", "--report", str(report), code=1)
    assert "unfinished" in _problems(out) and "unowned" not in _problems(out) and "keyward resume r" in out
    out = home.ok("rotate", "--leaked", str(report), "--yes")
    assert "goes on with r" in out and home.alive() == {new}


def test_what_was_taken_back_is_the_lanes_own_again(home: Home) -> None:
    report = home.adopt()
    home.config.write_text(home.config.read_text() + 'check = ["false"]\n')
    home.ok("rotate", "--all", "--yes", code=4)
    home.config.write_text(home.config.read_text().replace('check = ["false"]\n', ""))
    home.ok("abort", "bot/openrouter")
    _, out, _ = home.run("lanes", "check", "--report", str(report))
    assert "Replaced since" not in out and "unowned" not in out and "unfinished" not in out
    assert "bot/openrouter uses it now" in home.ok("revoke", home.fingerprint(report), "--yes", code=4)


def test_a_leak_of_nobody_is_still_unowned(home: Home) -> None:
    home.adopt()
    home.ok("rotate", "--all", "--yes")
    stray = home.fake.make_key("stray").value
    (home.folder / "bot" / "other.env").write_text(f"OPENROUTER_API_KEY={stray}\n")
    report = home.scan()
    out = home.ok("lanes", "check", "--report", str(report), code=1)
    assert "unowned" in _problems(out) and "Replaced since" not in out
