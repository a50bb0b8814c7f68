"""What agents keep is found where it is planted, belongs to its tool, and is as it was afterwards."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from consumers.real_openclaw import RealOpenClaw
from tests_support import token

from keyward.formats.opened import Container, Pack, Record, Unread
from keyward.formats.sqlite import SqliteOpener
from keyward.match import catalogue
from keyward.match.fingerprint import FingerprintCache, Fingerprinter
from keyward.match.matcher import Matcher
from keyward.model.finding import Occurrence
from keyward.registry import Registry
from keyward.scan.examine import Examiner
from keyward.scan.pool import examine_file
from keyward.scan.roles import ECHO, LIVE
from keyward.scan.sources import agents
from keyward.scan.sources.host import Host, Spot, Tool
from keyward.scan.sources.sweep import Met, Sweep
from keyward.testing.planted_home import MOMENT, Home, openclaw
from keyward.testing.planted_home import agents as other_agents
from keyward.testing.planted_home.openclaw_tables import AGENT, STATE

HISTORY = "openclaw/workspace history"
"""The one place that stands in a repository's history alone."""

LOGS = ("tmp/openclaw/openclaw-2026-10-01.log", "tmp/openclaw/openclaw-2026-10-01.log.3", "tmp/openclaw-1000/openclaw-work.log")
"""What OpenClaw writes outside the home."""


def tools() -> list[Tool]:
    names = [module.name for module in pkgutil.iter_modules(agents.__path__)]
    return [tool for name in names for tool in importlib.import_module(f"{agents.__name__}.{name}").TOOLS]


class Swept(NamedTuple):
    """The home, what each file is, and what stands in it, by the value's fingerprint."""

    home: Home
    met: dict[str, Met]
    repositories: list[Met]
    found: dict[str, list[Occurrence]]
    problems: list[str]


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = (os.path.join(top, name) for top, _, names in os.walk(folder) for name in names)
    return {path: (os.stat(path).st_mtime_ns, Path(path).read_bytes()) for path in files}


@pytest.fixture(scope="module")
def fingerprinter(tmp_path_factory: pytest.TempPathFactory) -> Fingerprinter:
    return Fingerprinter(bytes(16), FingerprintCache(str(tmp_path_factory.mktemp("cache"))))


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, fingerprinter: Fingerprinter) -> Iterator[Swept]:
    disk = tmp_path_factory.mktemp("disk")
    home = Home(disk / "home" / "ann")
    openclaw.plant(home)
    other_agents.plant(home)
    home.finish()
    before = state(home.folder)
    registry = Registry()
    matcher = Matcher(registry, catalogue.load(registry, portable=False, on_compile=lambda rules: None))
    examiner = Examiner(matcher, fingerprinter)
    for name in LOGS:
        (disk / name).parent.mkdir(parents=True, exist_ok=True)
        (disk / name).write_text("{}\n")
        os.utime(disk / name, (MOMENT, MOMENT))
    sweep = Sweep(Host(str(home.folder), {}, root=str(disk)), tools())
    met = {each.path: each for each in sweep.files()}
    found: dict[str, list[Occurrence]] = {}
    problems: list[str] = []
    for path in met:
        examined = examine_file(examiner, path, follow=False)
        problems += [f"{each.path}: {each.reason}" for each in examined.problems]
        for occurrence in examined.occurrences:
            found.setdefault(occurrence.fingerprint, []).append(occurrence)
    yield Swept(home, met, sweep.repositories, found, problems)
    assert state(home.folder) == before


def test_there_are_places_enough(swept: Swept) -> None:
    places = [canary.place for canary in swept.home.canaries]
    assert len(places) == len(set(places)) >= 200
    assert sum(canary.opaque for canary in swept.home.canaries) >= 4
    assert sum(canary.place.startswith("openclaw/") for canary in swept.home.canaries) >= 60
    assert {os.stat(path).st_mtime for path in swept.met} == {float(MOMENT)}


def test_every_place_is_met_by_a_source_of_agents_and_found(swept: Swept, fingerprinter: Fingerprinter) -> None:
    wrong = []
    for canary in swept.home.canaries:
        path = str(swept.home.folder / canary.path)
        there = [each for each in swept.found.get(fingerprinter.of(canary.value.encode()), ()) if each.locator.path == path]
        told = [" → ".join((*each.locator.container, each.provenance.where)) for each in there]
        if path not in swept.met:
            wrong.append((canary.place, "not met"))
        elif canary.opaque != (not there) and canary.place != HISTORY:
            wrong.append((canary.place, "found" if there else "not found"))
        elif canary.where and not any(canary.where in text for text in told):
            wrong.append((canary.place, f"{canary.where} is not in {told}"))
        elif canary.opaque != bool(swept.met[path].spot.opaque):
            wrong.append((canary.place, f"its spot says: {swept.met[path].spot.opaque!r}"))
    assert not wrong


def test_nothing_else_is_found_and_everything_could_be_read(swept: Swept, fingerprinter: Fingerprinter) -> None:
    assert swept.found.keys() <= {fingerprinter.of(canary.value.encode()) for canary in swept.home.canaries}
    assert not swept.problems


@pytest.mark.parametrize(
    ("path", "source", "role"),
    [
        (".openclaw/openclaw.json", "openclaw", LIVE),
        (".openclaw/openclaw.json.bak", "openclaw", ECHO),
        (".openclaw-work/openclaw.json", "openclaw", LIVE),
        (".clawdbot/clawdbot.json", "openclaw", LIVE),
        (f".openclaw/agents/main/agent/auth-profiles.json.migrated.{'3f' * 32}.1000", "openclaw", ECHO),
        (".openclaw/agents/main/agent/auth-profiles.json", "openclaw", LIVE),
        (".openclaw/agents/main/agent/openclaw-agent.sqlite-wal", "openclaw", ECHO),
        (".openclaw/workspace/MEMORY.md", "openclaw", ECHO),
        (".claude.json", "claude-code", LIVE),
        (".claude/history.jsonl", "claude-code", ECHO),
        (".codex/config.toml.bak", "codex", ECHO),
        (".codex/state_5.sqlite", "codex", ECHO),
        (".gemini/antigravity/mcp_config.json", "antigravity", LIVE),
        (".gemini/settings.json", "gemini", LIVE),
        (".config/Cursor/User/globalStorage/state.vscdb", "cursor", ECHO),
        (".cursor/mcp.json", "cursor-cli", LIVE),
        (".config/Code/User/mcp.json", "vscode-copilot", LIVE),
        (".hermes/state.db", "hermes", ECHO),
        ("app/.aider.chat.history.md", "aider", ECHO),
        ("app/.vscode/mcp.json", "mcp", LIVE),
        ("work/source.ipynb", "jupyter", ECHO),
        (".local/share/zed/threads/threads.db", "zed", ECHO),
    ],
)
def test_a_file_belongs_to_its_tool(swept: Swept, path: str, source: str, role: str) -> None:
    met = swept.met[str(swept.home.folder / path)]
    assert (met.source, met.spot.role) == (f"agents/{source}", role)


def test_logs_outside_the_home_are_met(swept: Swept) -> None:
    disk = swept.home.folder.parent.parent
    assert {swept.met[str(disk / name)].source for name in LOGS} == {"agents/openclaw"}


def test_the_workspace_is_met_as_a_repository(swept: Swept) -> None:
    folders = {each.path: each.source for each in swept.repositories}
    assert folders[str(swept.home.folder / ".openclaw/workspace")] == "agents/openclaw"


def test_content_addressed_stores_say_that_they_are_not_edited(swept: Swept) -> None:
    for name in (".cursor/chats", ".openclaw/agents/main/sessions/cold"):
        (met,) = [each for path, each in swept.met.items() if f"{name}/" in path]
        assert "not edited" in met.spot.scrub


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_every_spot_says_all_of_itself(platform: str) -> None:
    seen = set()
    for tool in tools():
        assert tool.group == "agents"
        assert tool.full_name not in seen
        seen.add(tool.full_name)
        spots = list(tool.spots(Host("/h/ann", {}, platform)))
        assert spots
        for spot in spots:
            assert spot.format
            assert spot.scrub
            assert not spot.folder or os.path.isabs(spot.folder)
            assert spot.pattern
            assert not spot.pattern.startswith("/")
            assert "//" not in spot.pattern
    assert len(seen) >= 25


def spots_of(name: str, environ: dict[str, str], platform: str = "linux") -> list[Spot]:
    (tool,) = [tool for tool in tools() if tool.name == name]
    return list(tool.spots(Host("/h/ann", environ, platform)))


@pytest.mark.parametrize(
    ("name", "variable", "folder", "pattern"),
    [
        ("openclaw", "OPENCLAW_STATE_DIR", "/srv/claw", "state/*.sqlite"),
        ("openclaw", "OPENCLAW_WORKSPACE_DIR", "/srv/claw", "*.md"),
        ("claude-code", "CLAUDE_CONFIG_DIR", "/srv/claw", "history.jsonl"),
        ("codex", "CODEX_HOME", "/srv/claw", "auth.json"),
        ("codex", "CODEX_SQLITE_HOME", "/srv/claw", "*.sqlite"),
        ("gemini", "GEMINI_CLI_HOME", "/srv/claw/.gemini", "settings.json"),
        ("hermes", "HERMES_HOME", "/srv/claw", "*.db"),
        ("grok", "GROK_HOME", "/srv/claw", "config.toml"),
        ("jupyter", "IPYTHONDIR", "/srv/claw", "profile_*/history.sqlite"),
        ("goose", "XDG_DATA_HOME", "/srv/claw/goose", "sessions/*.db"),
    ],
)
def test_a_variable_moves_a_folder(name: str, variable: str, folder: str, pattern: str) -> None:
    assert (folder, pattern) in {(spot.folder, spot.pattern) for spot in spots_of(name, {variable: "/srv/claw"})}
    assert folder not in {spot.folder for spot in spots_of(name, {})}


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("cursor", "/h/ann/Library/Application Support/Cursor/User"),
        ("vscode-copilot", "/h/ann/Library/Application Support/Code/User"),
        ("zed", "/h/ann/Library/Application Support/Zed"),
        ("mcp", "/h/ann/Library/Application Support/Claude"),
        ("jupyter", "/h/ann/Library/Jupyter"),
        ("kiro", "/h/ann/Library/Application Support/kiro-cli"),
    ],
)
def test_macos_has_its_own_folders(name: str, folder: str) -> None:
    assert folder in {spot.folder for spot in spots_of(name, {}, "darwin")}
    assert folder not in {spot.folder for spot in spots_of(name, {})}


class RealState(NamedTuple):
    """What the real OpenClaw has written: a secret that was removed again, and a memory that was indexed."""

    folder: Path
    removed: bytes
    remembered: bytes


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> RealState:
    program = RealOpenClaw(tmp_path_factory.mktemp("real") / "claw")
    program.store("GITHUB_TOKEN", token(91))
    program.run("secrets", "store", "rm", "GITHUB_TOKEN", "--yes")
    workspace = program.state / "workspace"
    workspace.mkdir()
    (workspace / "MEMORY.md").write_bytes(b"# Memory\n\nThe token is " + token(92) + b"\n")
    assert program.run("memory", "index").returncode == 0
    return RealState(program.state, token(91), token(92))


def names_of(path: Path, value: bytes) -> list[Record]:
    """The records of a database that hold a value, while none of its files changes."""
    before = state(path.parent)
    found = []
    with path.open("rb") as file:
        for piece in SqliteOpener().open(Container(str(path), file, str(path))):
            assert not isinstance(piece, Unread), piece
            if isinstance(piece, Pack):
                found += [piece.record(piece.at(match.start())) for match in re.finditer(re.escape(value), piece.data)]
    assert state(path.parent) == before
    return found


def test_a_removed_secret_is_still_found_in_the_real_state(real: RealState) -> None:
    (record,) = names_of(real.folder / "state" / "openclaw.sqlite", real.removed)
    assert record.name == "secret_store_entries team##GITHUB_TOKEN"
    assert record.since > MOMENT


def test_a_memory_is_found_in_the_real_index_and_in_its_full_text_copy(real: RealState) -> None:
    records = names_of(real.folder / "agents" / "main" / "agent" / "openclaw-agent.sqlite", real.remembered)
    assert {record.name for record in records} >= {"memory_index_chunks 1.text", "memory_index_chunks_fts_content 1.c0"}


@pytest.mark.parametrize(
    ("path", "tables"), [("state/openclaw.sqlite", STATE), ("agents/main/agent/openclaw-agent.sqlite", AGENT)]
)
def test_the_planted_tables_are_the_real_ones(real: RealState, path: str, tables: dict[str, str]) -> None:
    planted, theirs = sqlite3.connect(":memory:"), sqlite3.connect(f"file:{real.folder / path}?mode=ro", uri=True)
    with closing(planted), closing(theirs):
        for table, columns in tables.items():
            planted.execute(f"CREATE TABLE {table} ({columns}) STRICT")
            wanted, have = (
                {row[1]: (row[2], row[5]) for row in each.execute(f"PRAGMA table_info({table})")} for each in (theirs, planted)
            )
            assert wanted == have, table
