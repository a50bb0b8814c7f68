"""Every phase of an incident can be typed again, and gone on with after it was killed: nothing is done twice, nothing is lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rotation_home import Home
from rotation_home import home as make_home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "home") as made:
        made.config.write_text(made.config.read_text() + "\n[incident]\nhome_only = true\n")
        made.adopt()
        (made.folder / ".bash_history").write_text(f"ls\nexport OPENROUTER_API_KEY={made.old}\nmake\n")
        yield made


def case_of(home: Home) -> Path:
    return home.folder / "state" / "incidents" / "leak"


def notes(home: Home) -> str:
    path = case_of(home) / "notes.jsonl"
    return path.read_text() if path.exists() else ""


def test_every_phase_twice(home: Home) -> None:
    for _ in range(2):
        home.ok("incident", "prepare")
    home.ok("incident", "open", "leak")
    code, _, said = home.run("incident", "open", "leak")
    assert code == 0, said
    home.ok("incident", "contain", "--yes")
    copies = sorted(path.name for path in (case_of(home) / "evidence").iterdir())
    assert "done before" in home.ok("incident", "contain", "--yes")
    assert sorted(path.name for path in (case_of(home) / "evidence").iterdir()) == copies and copies
    first = home.ok("incident", "assess", code=10)
    again = home.ok("incident", "assess", code=10)
    assert [line for line in first.splitlines() if "bot/openrouter" in line] == [
        line for line in again.splitlines() if "bot/openrouter" in line
    ]
    home.ok("incident", "eradicate", "--leaked", "--yes")
    new, asked = home.key_in_env(), len(home.fake.changes)
    home.ok("incident", "eradicate", "--leaked", "--yes")
    assert home.key_in_env() == new and home.alive() == {new}, (
        "what was replaced because of this incident is not replaced again"
    )
    assert len(home.fake.changes) == asked
    for _ in range(2):
        assert "LEFT" not in home.ok("incident", "recover", "--yes")
    history = (home.folder / ".bash_history").read_text()
    assert home.old not in history and history.count("[redacted:") == 1 and history.endswith("\nmake\n")
    home.ok("incident", "close")
    report = json.loads((case_of(home) / "report.json").read_text())
    assert "CHANGED" not in home.ok("incident", "status")
    assert "no incident is open" in home.run("incident", "close")[2], "it is closed once"
    home.ok("incident", "report", "--folder", str(case_of(home)))
    once_more = json.loads((case_of(home) / "report.json").read_text())
    assert once_more.keys() == report.keys() and once_more["leaks"] == report["leaks"] and report["leaks"]


def killed(home: Home, *words: str, at: str) -> None:
    """Starts `keyward incident …`, and kills it as soon as its notes say so."""
    before = notes(home).count(at)
    command = [sys.executable, "-m", "keyward.cli.main", "incident", *words]
    with subprocess.Popen(
        command, cwd=home.folder, env=dict(home.environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        end = time.monotonic() + 60
        while notes(home).count(at) == before and process.poll() is None and time.monotonic() < end:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    assert notes(home).count(at) > before, "it never came so far"


def test_killed_in_any_phase_it_is_gone_on_with(home: Home) -> None:
    home.ok("incident", "prepare")
    home.ok("incident", "open", "leak")
    for words, at, code in (
        (("contain", "--yes"), '"contain: ', 0),
        (("assess",), '"assess: ', 10),
        (("eradicate", "--leaked", "--yes"), '"eradicate: ', 0),
        (("recover", "--yes"), '"recover: ', 0),
        (("close",), '"close: ', 0),
    ):
        killed(home, *words, at=at)
        if words[0] == "close" and not (home.folder / "state" / "incidents" / "current.json").exists():
            continue  # it had ended already
        out = home.ok("incident", *words, code=code)
        assert "LEFT" not in out, (words, out)
    assert home.alive() == {home.key_in_env()} and home.key_in_env() != home.old
    assert home.old not in (home.folder / ".bash_history").read_text()
    assert "CHANGED" not in home.ok("incident", "status")
    home.ok("incident", "report", "--folder", str(case_of(home)))
    assert json.loads((case_of(home) / "report.json").read_text())["leaks"]
