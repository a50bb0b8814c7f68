"""An incident from its beginning to its report, as a person types it; the provider is a stateful local server."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rotation_home import Home
from rotation_home import home as make_home

from keyward.report.incident import INCIDENT_FORMATS, SUFFIXES
from keyward.testing.fakes.server import Fault


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "home") as made:
        made.adopt()
        (made.folder / ".bash_history").write_text(f"ls\nexport OPENROUTER_API_KEY={made.old}\nmake\n")
        yield made


def case_of(home: Home, name: str = "leak") -> Path:
    return home.folder / "state" / "incidents" / name


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_the_whole_loop(home: Home) -> None:
    said = [home.ok("incident", "prepare")]
    said.append(home.ok("incident", "open", "leak", "--reason", "a key stands in a gist"))
    said.append(home.ok("incident", "contain", "--yes"))
    history = home.folder / ".ssh"
    history.mkdir()
    blob = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + bytes(32)).decode()
    (history / "authorized_keys").write_text(f"ssh-ed25519 {blob} evil\n")
    out = home.ok("incident", "assess", code=10)
    assert "Lanes that burn: bot" in out and "authorized_keys" in out and "evil" in out
    said.append(out)
    said.append(home.ok("incident", "status", code=5))
    assert "bot/openrouter: it leaked" in said[-1] and "eradicate: not begun" in said[-1]

    said.append(home.ok("incident", "eradicate", "--leaked", "--yes"))
    new = home.key_in_env()
    assert home.alive() == {new} and new != home.old
    said.append(home.ok("incident", "note", "the provider was told"))
    said.append(home.ok("incident", "recover", "--yes"))
    assert home.old not in (home.folder / ".bash_history").read_text()
    assert (home.folder / ".bash_history").read_text().startswith("ls\nexport OPENROUTER_API_KEY=")
    assert home.key_in_env() == new, "a recovery leaves the new key where it is used"

    said.append(home.ok("incident", "close"))
    folder = case_of(home)
    report = json.loads((folder / "report.json").read_text())
    assert report and "bot/openrouter" in (folder / "report.md").read_text() + (folder / "report.html").read_text()
    assert {f"report{SUFFIXES[each]}" for each in INCIDENT_FORMATS} <= set(os.listdir(folder))
    home.ok("incident", "status")
    for value in (home.old, new, home.fake.management.value):
        assert value not in "".join(said), "no command prints a value"
        assert value.encode() not in everything_in(folder), "no value lies in the case"
    shown = home.ok("audit", "show")
    for what in ("prepare", "open", "contain", "assess", "eradicate", "recover", "close"):
        assert f"incident: {what}" in shown


def test_dry_runs_change_nothing(home: Home) -> None:
    home.ok("incident", "prepare", "--dry-run")
    home.ok("incident", "open", "leak", "--dry-run")
    assert not case_of(home).exists() and not (home.folder / "state" / "host-record.json").exists()
    home.ok("incident", "open", "leak")
    before = everything_in(case_of(home))
    assert "copy logs and histories" in home.ok("incident", "contain", "--dry-run")
    home.ok("incident", "assess", "--dry-run")
    home.ok("incident", "eradicate", "--dry-run")
    home.ok("incident", "recover", "--dry-run")
    home.ok("incident", "close", "--dry-run", code=5)
    assert everything_in(case_of(home)) == before and home.alive() == {home.old}
    assert home.old in (home.folder / ".bash_history").read_text()


def test_every_command_needs_an_open_incident_and_says_so(home: Home) -> None:
    for words in (("contain", "--yes"), ("assess",), ("eradicate", "--yes"), ("recover", "--yes"), ("close",), ("note", "x")):
        code, _, err = home.run("incident", *words)
        assert code == 2 and "keyward incident open" in err, words
    assert "No incident is open" in home.ok("incident", "status")


def test_what_stands_only_where_it_is_used_is_no_leak_unless_the_thief_was_here(home: Home) -> None:
    (home.folder / ".bash_history").write_text("ls\n")
    home.ok("incident", "open", "leak")
    assert "stand only where they are used: bot/openrouter" in home.ok("incident", "assess", "--offline", code=3)
    assert "Lanes that burn: bot" in home.ok("incident", "assess", "--offline", "--entered", code=1)


def test_what_was_replaced_before_anybody_looked_is_its_lane_s_leak_all_the_same(home: Home) -> None:
    home.ok("incident", "open", "leak")
    home.ok("incident", "eradicate", "--yes")
    out = home.ok("incident", "assess", "--offline", code=1)
    assert re.search(r"bot/openrouter +openrouter/api-key", out) and "Lanes that burn: bot" in out
    out = home.ok("incident", "status", code=5)
    assert re.search(r"bot +tier 1 +replaced", out) and "no lane owns it" not in out


def test_nothing_is_done_where_nobody_can_approve(home: Home) -> None:
    home.ok("incident", "open", "leak")
    code, _, err = home.run("incident", "contain")
    assert code == 2 and "nobody can be asked" in err
    assert not list((case_of(home) / "evidence").iterdir())


def test_nothing_is_cleaned_up_before_the_evidence_is_safe(home: Home) -> None:
    home.ok("incident", "open", "leak")
    home.ok("incident", "assess", "--offline", code=1)
    code, _, err = home.run("incident", "recover", "--yes")
    assert code == 2 and "evidence" in err and "--anyway" in err
    assert home.old in (home.folder / ".bash_history").read_text()
    out = home.ok("incident", "recover", "--yes", "--anyway", "--offline", code=3)
    assert "LEFT: bot/openrouter leaked, and is not replaced" in out
    assert home.old not in (home.folder / ".bash_history").read_text()


def test_a_provider_that_is_down_leaves_the_phase_open_and_can_be_repeated(home: Home) -> None:
    home.ok("incident", "open", "leak")
    home.fake.fail(Fault("500", method="POST", times=50))
    code, _, _ = home.run("incident", "eradicate", "--yes")
    assert code == 4
    assert re.search(r"eradicate +\S+ +- +bot/openrouter", home.ok("incident", "status", code=5))
    home.fake.faults.clear()
    home.ok("incident", "eradicate", "--yes")
    assert home.alive() == {home.key_in_env()} and home.key_in_env() != home.old
    assert "replaced" in home.ok("incident", "status", code=5) or "safe" in home.ok("incident", "status", code=5)


def test_a_case_may_lie_elsewhere(home: Home) -> None:
    folder = home.folder / "stick" / "case"
    home.ok("incident", "open", "leak", "--folder", str(folder))
    home.ok("incident", "contain", "--yes")
    assert list((folder / "evidence").glob("*.age"))
    home.ok("incident", "close", "--yes", code=5)
    home.ok("incident", "report", "--folder", str(folder))
    assert (folder / "report.html").exists()


def test_a_pasted_key_does_not_get_into_the_notes(home: Home) -> None:
    home.ok("incident", "open", "leak", "--reason", f"found {home.old} in a gist")
    home.ok("incident", "note", f"somebody posted {home.old}")
    home.ok("incident", "note", "-", stdin=f"first\nOPENROUTER_API_KEY={home.old}\n")
    assert home.old.encode() not in everything_in(case_of(home))
    home.ok("incident", "close", "--yes", code=5)
    assert "somebody posted" in (case_of(home) / "report.md").read_text().replace("\\", "")
    assert home.old.encode() not in everything_in(home.folder / "state")


def test_changed_notes_are_said(home: Home) -> None:
    home.ok("incident", "open", "leak")
    home.ok("incident", "note", "first")
    home.ok("incident", "note", "second")
    notes = case_of(home) / "notes.jsonl"
    notes.write_text("".join(line for line in notes.read_text().splitlines(True) if "first" not in line))
    assert "CHANGED: the notes" in home.ok("incident", "status", code=4)


def test_the_history_of_a_repository_is_assessed(home: Home) -> None:
    import subprocess

    repository = home.folder / "src"
    repository.mkdir()
    who = {f"GIT_{role}_{what}": "a@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    when = {f"GIT_{role}_DATE": "2026-01-02T03:04:05Z" for role in ("AUTHOR", "COMMITTER")}
    environment = {**home.environment, **who, **when, "GIT_CONFIG_NOSYSTEM": "1"}

    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=repository, env=environment, check=True, capture_output=True)

    git("init", "-q")
    (repository / "run.sh").write_text(f"export OPENROUTER_API_KEY={home.old}\n")
    git("add", "run.sh")
    git("commit", "-qm", "x")
    (repository / "run.sh").write_text("true\n")
    git("commit", "-qam", "y")
    home.ok("incident", "open", "leak")
    out = home.ok("incident", "assess", "--repository", str(repository), "--no-host", "--offline", code=1)
    assert "2026-01-02" in out and "bot/openrouter" in out
