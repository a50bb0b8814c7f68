"""The rotation commands at a terminal, where a person is asked: names are typed, values are not shown."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rotation_home import Home
from rotation_home import home as make_home

from keyward.registry import Registry
from keyward.testing.fakes.server import Fault


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "home") as made:
        yield made


def at_terminal(home: Home, *words: str, until: str, typed: str) -> tuple[int, str]:
    """Runs a command on a terminal of its own, types once `until` is shown; answers with the exit code and all that was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(home.folder)
        os.execve(
            sys.executable,
            [sys.executable, "-m", "keyward.cli.main", *words],
            {**home.environment, "TERM": "xterm", "COLUMNS": "200", "LINES": "40"},
        )
    shown, answered, deadline = b"", False, time.monotonic() + 120
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1.0)[0]:
            continue
        try:
            data = os.read(terminal, 1 << 16)
        except OSError:  # its end, on Linux
            break
        if not data:
            break
        shown += data
        if not answered and until.encode() in shown:
            answered = True
            os.write(terminal, typed.encode() + b"\n")
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert answered, f"never asked: {shown.decode()}"
    return os.waitstatus_to_exitcode(status), shown.decode()


def test_the_names_must_be_typed(home: Home) -> None:
    home.adopt()
    code, out = at_terminal(home, "rotate", "--all", until="to go on: ", typed="yes")
    assert code == 2 and "Type 'bot/openrouter' to go on" in out and "not confirmed; nothing was changed" in out
    assert home.alive() == {home.old} and home.fake.changes == []
    code, out = at_terminal(home, "rotate", "--all", until="to go on: ", typed="bot/openrouter")
    assert code == 0 and "proved" in out and "may stand still" not in out
    assert home.alive() == {home.key_in_env()} and home.key_in_env() != home.old
    assert home.old not in out and home.key_in_env() not in out


def test_an_incident_says_which_lanes_stand_still(home: Home) -> None:
    home.adopt()
    code, out = at_terminal(home, "rotate", "--all", "--incident", until="to go on: ", typed="no")
    assert code == 2 and "These lanes may stand still until their consumers have the new ones: bot" in out
    code, out = at_terminal(home, "rotate", "--all", "--incident", "--no-quarantine", "bot", until="to go on: ", typed="no")
    assert code == 2 and "have the new ones: none" in out
    assert home.alive() == {home.old} and home.fake.changes == []


def test_a_revocation_must_be_typed(home: Home) -> None:
    report = home.scan()
    code, out = at_terminal(home, "revoke", "--leaked", str(report), until="to go on: ", typed="y")
    assert code == 2 and "not confirmed" in out and home.alive() == {home.old}
    code, out = at_terminal(home, "revoke", "--leaked", str(report), until="to go on: ", typed="revoke 1")
    assert code == 0 and "proved dead" in out and home.alive() == set()


def test_a_provided_value_is_not_shown(home: Home) -> None:
    rule = next(rule for _, rule in Registry().rules() if rule.id == "typeform/token")
    new = rule.examples[0].sample(2).parts["secret"].decode()
    bare = home.config.read_text().replace("openrouter/api-key", "typeform/token").partition("[[lanes.bot.consumers]]")[0]
    home.config.write_text("\n".join(line for line in bare.splitlines() if not line.startswith(("target", "admin"))))
    home.ok("rotate", "--all", "--yes", code=5)
    code, out = at_terminal(home, "provide", "bot/openrouter", until="bot/openrouter: secret: ", typed=new)
    assert code == 0 and "bot/openrouter" in out and new not in out
    home.ok("status")


def test_status_is_watched_until_nothing_is_unfinished(home: Home) -> None:
    home.adopt()
    home.fake.fail(Fault("403", method="POST", path="/api/v1/keys"))
    home.ok("rotate", "--all", "--yes", code=4)
    watching = subprocess.Popen(
        [sys.executable, "-m", "keyward.cli.main", "status", "--watch"],
        cwd=home.folder,
        env=dict(home.environment),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watching.stdout is not None
    assert select.select([watching.stdout], [], [], 30)[0], "whoever reads a pipe is shown it at once, too"
    assert "rotation" in watching.stdout.readline()
    assert "unfinished" in watching.stdout.readline()
    home.ok("resume")
    rest, _ = watching.communicate(timeout=60)
    assert watching.returncode == 0 and "done (dead)" in rest
