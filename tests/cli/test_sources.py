"""`keyward sources` and `keyward scan --host`, as commands."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyward.cli.sources import sources
from keyward.errors import UsageError
from keyward.testing.planted_home import Home, env_and_configs

Keyward = Callable[..., Any]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    planted = Home(tmp_path / "disk" / "home" / "ann", 3)
    env_and_configs.plant(planted)
    planted.finish()
    return planted


def said(capsys: pytest.CaptureFixture[str], home: Home, *, code: int = 0, **options: Any) -> str:
    assert sources(**{"homes": [str(home.folder)], "source": None, "everything": False, "format": "text", **options}) == code
    return capsys.readouterr().out


def test_the_table_says_where_how_many_in_which_format_and_what_a_scrub_would_do(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, home)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == str(home.folder)
    assert any(line.startswith("env: ") and " files, " in line for line in lines)
    assert "SOURCE WHERE FILES SIZE FORMAT READABLE SCRUB" in lines
    (netrc,) = (line for line in lines if line.startswith("netrc ~/.netrc +1 2 "))
    assert " bytes netrc yes (" in netrc
    note = netrc.rpartition(" ")[2]
    assert any(line.startswith(f"{note} not scrubbed: it is read from here") for line in lines)
    (keepass,) = (line for line in lines if "*.kdbx" in line)
    assert "no: encrypted by KeePass" in keepass
    assert not [canary.place for canary in home.canaries if canary.value[4:] in text]


def test_groups_and_tools_can_be_chosen(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, home, source=["configs/netrc,configs/aws"])
    assert "\nconfigs: " in text and "\nenv: " not in text
    assert {
        line.split()[0] for line in text.splitlines() if line.startswith("  ") and "SOURCE" not in line and "(" not in line[:4]
    } == {"netrc", "aws"}
    with pytest.raises(UsageError, match="there is no source 'cfg'"):
        sources(homes=[str(home.folder)], source=["cfg"])
    with pytest.raises(UsageError, match="none of text, json"):
        sources(homes=[str(home.folder)], format="xml")


def test_places_where_there_is_nothing_are_shown_on_demand(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing there" not in said(capsys, home)
    assert "~/.authinfo.gpg" in said(capsys, home, everything=True, source=["configs/netrc"])
    empty = Home(home.folder / "nobody")
    empty.folder.mkdir()
    assert "nothing that a source knows" in said(capsys, empty)


def test_the_json(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    (listed,) = json.loads(said(capsys, home, format="json"))["homes"]
    assert listed["home"] == str(home.folder)
    (netrc,) = (row for row in listed["sources"] if row["where"] == "~/.netrc")
    assert netrc == {
        "source": "configs/netrc",
        "title": "netrc",
        "where": "~/.netrc",
        "files": 1,
        "bytes": (home.folder / ".netrc").stat().st_size,
        "format": "netrc",
        "readable": "yes",
        "role": "live-config",
        "scrub": netrc["scrub"],
    }
    assert listed["not_listed"] == [] and listed["left_out"] == []


def test_a_hostile_name_commands_nothing(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b[2K\r::stop-commands::x\n##[error]"
    (home.folder / evil / "node_modules").mkdir(parents=True)
    (home.folder / evil / "node_modules" / ".env").write_text("A=1\n")
    (home.folder / evil / ".env").symlink_to("/etc/hostname")
    text = said(capsys, home, code=3)
    assert "\x1b" not in text and "\r" not in text and "::stop" not in text and "##[" not in text
    assert "left out: " in text and "not listed: " in text and "\\x1b[2K" in text
    assert "\x1b" not in said(capsys, home, code=3, format="json")


def test_the_command(keyward: Keyward, home: Home) -> None:
    done = keyward("sources", str(home.folder), "--source", "env")
    assert done.code == 0, done.err
    assert "env: " in done.out and "configs: " not in done.out
    done = keyward("sources", str(home.folder / "nobody"))
    assert done.code == 2 and "there is no folder" in done.err


def test_a_sweep_as_a_command(keyward: Keyward, home: Home) -> None:
    done = keyward("scan", "--host", str(home.folder), "--source", "configs/netrc,env/direnv", "--format", "jsonl", "-q")
    assert done.code == 1, done.err
    places = {os.path.relpath(finding["path"], home.folder) for finding in done.findings}
    assert places == {".netrc", "_netrc", "projects/shop/.envrc", "projects/shop/.mise.toml"}
    assert not [canary.place for canary in home.canaries if canary.value[4:] in done.out + done.err]
    done = keyward("scan", "--host", str(home.folder), "--source", "nothing")
    assert done.code == 2 and "env, shell, agents" in done.err
