"""How a case ends: what a person did by hand counts, a history that was rewritten is no echo, and half of a leak is no second one."""

from __future__ import annotations

import datetime
import json
import random
import string
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from git_repository import Git
from rotation_home import Home
from rotation_home import home as make_home

from keyward.testing.fakes.anthropic import FakeAnthropic

BY_HAND = """
[lanes.agent]
tier = 2
environment = "production"

[[lanes.agent.credentials]]
name = "anthropic"
kind = "anthropic/api-key"
target = {{ base_url = "{url}" }}
admin = {{ secret = "file:{home}/anthropic-admin" }}
scope = {{ workspace = "wrkspc_default" }}

[[lanes.agent.consumers]]
type = "dotenv"
path = "{home}/agent/.env"
set = {{ ANTHROPIC_API_KEY = "{{secret}}" }}
"""
HOME_ONLY = '\n[incident]\nhome_only = true\nretention = "30d"\n'


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "machine") as made:
        made.config.write_text(made.config.read_text() + HOME_ONLY)
        yield made


def status(home: Home, code: int = 5) -> str:
    return home.ok("incident", "status", code=code)


def test_what_a_person_did_by_hand_closes_the_case(home: Home) -> None:
    with FakeAnthropic() as vendor:
        old = vendor.console_create_key("agent").value
        (home.folder / "agent").mkdir()
        (home.folder / "agent" / ".env").write_text(f"ANTHROPIC_API_KEY={old}\n")
        home.config.write_text(home.config.read_text() + BY_HAND.format(url=vendor.url, home=home.folder))
        (home.folder / "anthropic-admin").write_text(vendor.admin)
        (home.folder / "anthropic-admin").chmod(0o600)
        home.adopt()
        home.ok("scan", "agent", "-f", "jsonl", "-o", "agent.jsonl", code=1)
        leaked = home.fingerprint(home.folder / "agent.jsonl")
        home.ok("lanes", "adopt", leaked, "--lane", "agent", "--report", "agent.jsonl")
        (home.folder / ".bash_history").write_text(f"export ANTHROPIC_API_KEY={old}\n")

        home.ok("incident", "prepare")
        home.ok("incident", "open", "leak")
        home.ok("incident", "contain", "--yes")
        home.ok("incident", "assess", "--offline", code=1)
        home.ok("incident", "eradicate", "--yes", code=5)
        assert "eradicate: agent/anthropic: waits for a person" in status(home)
        new = vendor.console_create_key("agent, the new one").value
        home.run("provide", "agent/anthropic", "-", stdin=new)
        assert "eradicate" not in [line for line in status(home).splitlines() if line.startswith("LEFT")]
        home.ok("incident", "recover", "--yes")
        until = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=30)
        assert f"The evidence is to be kept until {until}" in home.ok("incident", "close")
        case = home.folder / "state" / "incidents" / "leak"
        report = (case / "report.json").read_text()
        assert "after a person did their part" in report and "Closed, nothing is left" in (case / "report.html").read_text()
        assert old not in report and new not in report
        assert [json.loads(line) for line in (case / "notes.jsonl").read_text().splitlines()]


def test_a_history_that_was_rewritten_is_no_echo(home: Home, git_environment: None, tmp_path: Path) -> None:
    home.adopt()
    git = Git(home.folder / "shop")
    git.commit("deploy", **{"deploy.sh": f"export OPENROUTER_API_KEY={home.old}\n".encode()})
    git.commit("better", **{"deploy.sh": b"true\n"})
    where = ("--no-host", "--repository", str(git.root))
    home.ok("incident", "open", "leak")
    home.ok("incident", "contain", "--yes")
    home.ok("incident", "assess", "--offline", *where, code=1)
    home.ok("incident", "eradicate", "--yes")
    before = home.ok("incident", "recover", "--yes", *where, code=3)
    assert f"LEFT: not scrubbed: {git.root}: history is rewritten by git filter-repo" in before
    values = tmp_path / "values.txt"
    plan = json.loads(home.ok("scrub", "--git-plan", str(git.root), "-o", str(values), "-f", "json"))
    for step in plan["steps"]:
        if step["command"].startswith("git "):
            subprocess.run(
                ["sh", "-c", step["command"]], cwd=home.folder, env=_with_path(home), check=True, capture_output=True
            )
    home.ok("scan", "--history", "--all-objects", "--no-cache", f"{git.root}-cleaned.git")
    (git.root / ".git").rename(tmp_path / "before.git")
    Path(f"{git.root}-cleaned.git").rename(git.root / ".git")
    assert "LEFT" not in home.ok("incident", "recover", "--yes", *where)


def _with_path(home: Home) -> dict[str, str]:
    import os
    import sys

    return {**home.environment, "PATH": os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))}


def pair(seed: int) -> tuple[str, str]:
    """An AWS key id and its secret."""
    choose = random.Random(seed)
    id = "AKIA" + "".join(choose.choices(string.ascii_uppercase + "234567", k=16))
    return id, "q7W" + "".join(choose.choices(string.ascii_letters + string.digits, k=37))


def test_a_key_id_goes_with_its_secret_and_is_no_leak_of_its_own(home: Home, git_environment: None, tmp_path: Path) -> None:
    id, secret = pair(1)
    home.env_file.unlink()
    (home.folder / ".bash_history").write_text(f"export AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret}\n")
    (home.folder / ".zsh_history").write_text(f"aws iam get-access-key-last-used --access-key-id {id}\n")
    git = Git(home.folder / "shop")
    git.commit("deploy", **{"deploy.ini": f"aws_access_key_id = {id}\naws_secret_access_key = {secret}\n".encode()})
    home.ok("incident", "open", "leak")
    shown = home.ok("incident", "assess", "--offline", "--repository", str(git.root), code=1)
    assert "1 credential leaked" in shown, shown
    home.ok("scan", "--host", str(home.folder), "-f", "jsonl", "-o", "host.jsonl", code=1)
    home.ok("scrub", "--leaked", "host.jsonl", "--yes")
    for name in (".bash_history", ".zsh_history"):
        assert id not in (home.folder / name).read_text() and "[redacted:aws/access-key:" in (home.folder / name).read_text()
    home.ok("scrub", "--git-plan", str(git.root), "--anyway", "-o", str(tmp_path / "values.txt"))
    assert id in (tmp_path / "values.txt").read_text() and secret in (tmp_path / "values.txt").read_text()


def test_a_plain_scrub_leaves_nothing_that_a_scan_calls_a_key(home: Home) -> None:
    id, secret = pair(2)
    log = home.folder / "a.log"
    log.write_text(f"AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\n")
    assert "Nothing remains." in home.ok("scrub", "a.log", "--in-place", "--yes")
    home.ok("scan", "a.log")
    only_the_id = home.folder / "b.log"
    only_the_id.write_text(f"called by {id}\n")
    assert id in home.ok("scrub", "-q", stdin=only_the_id.read_text()), "an id without its secret stays for who investigates"


def test_home_only_leaves_the_rest_of_the_machine_alone(home: Home) -> None:
    said = home.ok("incident", "prepare")
    assert "env" in said and not [
        line for line in said.splitlines() if line.strip().startswith(("port", "user", "image", "cron"))
    ]
    record = json.loads((home.folder / "state" / "host-record.json").read_text())
    assert str(home.folder) in json.dumps(record) and "/etc/" not in json.dumps(record)
    home.ok("incident", "open", "leak")
    (home.folder / ".bash_history").write_text("ls\n")
    home.ok("incident", "contain", "--yes")
    notes = (home.folder / "state" / "incidents" / "leak" / "notes.jsonl").read_text()
    assert "copy logs and histories" in notes and "1 files" in notes
