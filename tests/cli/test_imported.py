"""What a command imports is what it uses: most of the time of a short command is the import of what somebody else needs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rotation_home import Home
from rotation_home import home as make_home

PROGRAM = """
import sys
from keyward.cli.main import main
code = main(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write("\\n".join(sorted(sys.modules)))
sys.exit(code)
"""

NEVER = {
    "pydantic": "typer reads words with it: 200 ms",
    "typer._adapters": "the same",
    "httpx._main": "httpx's own command line: 110 ms",
    "keyward.detectors.github": "no key here is GitHub's",
    "keyward.rotators.ssh": "no key here is of SSH",
    "boto3": "no key here is of AWS",
    "hvac": "no store here is a vault",
}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "home") as made:
        made.adopt()
        yield made


def imported(home: Home, *words: str, code: int = 0) -> set[str]:
    listed = home.folder / "modules"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(listed), *words], cwd=home.folder, env=dict(home.environment), capture_output=True
    )
    assert done.returncode == code, done.stdout + done.stderr
    return set(listed.read_text().split("\n"))


def test_commands_import_what_they_use(home: Home) -> None:
    for words, code in (
        (("status",), 0),
        (("lanes", "list"), 0),
        (("lanes", "check", "--report", "report.jsonl"), 1),
        (("config", "check"), 0),
        (("plan", "--all"), 0),
        (("playbook",), 0),
        (("rotate", "bot/openrouter", "--yes"), 0),
        (("due",), 0),
        (("audit", "show"), 0),
    ):
        modules = imported(home, *words, code=code)
        assert "keyward.cli.app" in modules
        assert not NEVER.keys() & modules, (words, NEVER.keys() & modules)
    assert {"httpx", "keyward.rotators.openrouter"} <= imported(home, "rotate", "--all", "--yes")
