"""`keyward drill`, run whole: the loop closes, nothing is shown, nothing stays behind; and each of its own checks finds what it is for."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import re
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import zstandard
from rotation_home import home as make_home

from keyward.testing.drill import integrity, leaks
from keyward.testing.drill.accounts import Account, Accounts
from keyward.testing.drill.echoes import Search, by_place
from keyward.testing.drill.growing_log import GrowingLog
from keyward.testing.drill.machine import Machine
from keyward.testing.drill.rehearsal import rehearse
from keyward.testing.drill.run import INTERRUPTED, MISSING
from keyward.testing.drill.scenarios import SCENARIOS, named
from keyward.testing.drill.services import Services

ROOT = Path(__file__).resolve().parents[2]


def missing(said: str) -> None:
    """A server that is not installed skips, and fails in CI."""
    if os.environ.get("CI"):
        pytest.fail(said)
    pytest.skip(said)


PLAY = """
import io, json, os, sys
from keyward.testing.drill.play import Drill
from keyward.testing.drill.run import drill_folder
from keyward.testing.drill.scenarios import named
from keyward.testing.servers.process import ServerMissing
scenario = named(sys.argv[1])
if sys.argv[2:]:
    scenario = scenario._replace(rotate=tuple(sys.argv[2:]))
out = io.StringIO()
with drill_folder("KEEP" in os.environ) as root, Drill(scenario, root, out=out) as drill:
    try:
        drill.play()
    except ServerMissing as error:
        sys.exit(str(error))
values = [each.secret for each in drill.accounts.all]
values += [value for name, value in drill.accounts.variables.items() if not name.endswith(("_ID", "_USER"))]
phases = [each.title for each in drill.stage.phases]
leaked = [each.ref for each in drill.leaked]
print(json.dumps([root, drill.problems, phases, leaked, values, out.getvalue()]))
"""


class Played(NamedTuple):
    """What came of a drill. `values`: every secret that it made. `shown`: what a person saw."""

    root: str
    problems: list[str]
    phases: list[str]
    leaked: list[str]
    values: list[str]
    shown: str


def played(name: str, *rotate: str, keep: bool = False) -> Played:
    """A drill in a process of its own, as each is. `rotate`: other words behind `keyward rotate` than the scenario's. `keep`: its folder."""
    command = [sys.executable, "-c", PLAY, name, *rotate]
    environment = {**os.environ, "KEEP": "1"} if keep else None
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=500, check=False, env=environment)
    if done.returncode and b"not installed" in done.stderr:
        missing(done.stderr.decode())
    assert done.returncode == 0, done.stderr.decode()
    return Played(*json.loads(done.stdout))


PHASES = [
    "Set up",
    "Leak",
    "Find",
    "Triage",
    "Rotate and distribute",
    "Prove",
    "Scrub",
    "Rescan",
    "Report",
    "Look for what is left",
]


@pytest.mark.parametrize("name", [each.name for each in SCENARIOS])
def test_the_loop_closes(environment: None, name: str) -> None:
    drill = played(name)
    assert drill.problems == [], drill.shown
    assert drill.phases == PHASES and not os.path.exists(drill.root)
    assert re.findall(r"✓ (\S+) +old dead, new alive", drill.shown) == drill.leaked
    assert re.search(r"^in all +\d", drill.shown, re.M)
    assert "127.0.0.1" in drill.shown and not [each for each in drill.values if each in drill.shown], "a value is shown"


def test_a_key_that_is_left_alive_is_named(environment: None) -> None:
    """Of two leaked keys one is replaced: the drill must not be content. Its folder can be kept to look around in; the servers' goes."""
    drill = played("leaked-ci-log", "ci/gitlab", keep=True)
    assert os.listdir(os.path.join(drill.root, "home")) and not os.path.exists(os.path.join(drill.root, "servers"))
    shutil.rmtree(drill.root)
    assert "ci/openai: the old one is alive" in drill.problems and "ci/openai: it was not replaced" in drill.problems
    assert not any(each.startswith("ci/gitlab") for each in drill.problems) and "✗ ci/openai" in drill.shown


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Where a drill keeps its temporary files; open to a server that is not root."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)
        yield Path(folder)


def processes_of(scratch: Path) -> list[str]:
    """Processes that were started with this folder, or one below it, for their temporary files."""
    wanted = f"TMPDIR={scratch}".encode()
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (each / "environ").read_bytes():
                found.append((each / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # ended meanwhile, or somebody else's
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_an_interrupt_leaves_nothing_behind(environment: None, scratch: Path) -> None:
    command = [sys.executable, "-m", "keyward.testing.drill", "leaked-ci-log"]
    child = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "TMPDIR": str(scratch)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith(b"$ keyward verify"):  # all servers run, and a command too
            break
    else:
        _, said = child.communicate(timeout=60)
        assert child.returncode == MISSING, said.decode()
        missing(said.decode())
    assert len(processes_of(scratch)) > 3
    child.send_signal(signal.SIGTERM)
    _, said = child.communicate(timeout=60)
    assert child.returncode == INTERRUPTED, said.decode()
    assert b"Traceback" not in said
    assert list(scratch.iterdir()) == []
    deadline = time.monotonic() + 10
    while processes_of(scratch) and time.monotonic() < deadline:
        time.sleep(0.02)  # the kernel ends what the drill had started
    assert processes_of(scratch) == []


def test_a_rehearsal_asks_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with make_home(tmp_path / "home") as home:
        home.adopt()
        for name, value in home.environment.items():
            monkeypatch.setenv(name, value)
        before = {path: path.read_bytes() for path in (home.env_file, home.config)}
        out = io.StringIO()
        assert rehearse(str(home.config), out=out) == 0, out.getvalue()
        assert home.fake.changes == [] and home.alive() == {home.old}
        assert {path: path.read_bytes() for path in before} == before
        assert "bot/openrouter" in out.getvalue() and "QUARANTINE" in out.getvalue() and home.old not in out.getvalue()
        home.config.write_text(home.config.read_text().replace("env:OPENROUTER_MANAGEMENT", "env:NOT_SET"))
        out = io.StringIO()
        assert rehearse(str(home.config), out=out) == 2 and "NOT_SET" in out.getvalue()


# the drill's own checks


VALUE = ("k7W" + secrets.token_urlsafe(24)).encode()
HIDDEN = {
    "plain": VALUE,
    "within": b"x" * 100 + VALUE + b"y" * 100,
    "lower case": VALUE.lower(),
    "backwards": VALUE[::-1],
    "hexadecimal": VALUE.hex().encode(),
    "UTF-16": VALUE.decode().encode("utf-16-le"),
    "gzip": gzip.compress(b"a line\n" + VALUE + b"\n"),
    "zstd within a page": bytes(40) + zstandard.ZstdCompressor().compress(b"a line\n" + VALUE + b"\n") + bytes(9),
    **{f"base64 at {shift}": base64.b64encode(b"z" * shift + VALUE + b"zz") for shift in range(4)},
    **{f"base64 of addresses at {shift}": base64.urlsafe_b64encode(b"z" * shift + VALUE + b"zz") for shift in range(4)},
}


@pytest.mark.parametrize("how", HIDDEN)
def test_a_value_is_found_however_it_is_written(how: str) -> None:
    search = Search({"it": VALUE})
    assert [each.name for each in search.bytes(HIDDEN[how], "here")][:1] == ["it"]
    assert not list(search.bytes(HIDDEN[how][: len(HIDDEN[how]) // 8], "here"))


def test_a_full_text_index_is_no_place_to_hide(tmp_path: Path) -> None:
    word = secrets.token_hex(24).encode()
    path = tmp_path / "a.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(text)")
    connection.execute("INSERT INTO t VALUES (?)", (f"the key is {word.decode().upper()}",))
    connection.execute("UPDATE t_content SET c0 = 'gone'")
    connection.commit()
    connection.close()
    assert list(Search({"it": word.upper()}).file(str(path)))


def test_git_is_searched_through_git(tmp_path: Path, new_repo: type) -> None:
    repo = new_repo(tmp_path / "repo")
    repo.commit("one", **{"a.txt": VALUE})
    repo.commit("two", **{"a.txt": b"gone"})
    found = by_place(Search({"it": VALUE}).tree(str(tmp_path)))
    assert found == {f"{tmp_path}/repo/.git (its objects)": ["it"]}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A home with leaks, and no servers: nothing here asks them."""
    root = tmp_path / "drill"
    root.mkdir()
    made = Machine(str(root), Services(), Accounts((), {}))
    os.mkdir(made.home)
    return made


def account(seed: str) -> Account:
    return Account(
        "ci/gitlab",
        "gitlab/access-token",
        {"secret": seed + secrets.token_hex(16)},
        lambda parts: "",
        {"TOKEN": "{secret}"},
        "",
    )


PLANTED = [account("a"), account("b")]


@pytest.fixture
def stores(machine: Machine, git_environment: None) -> Machine:
    for planter in leaks.PLACES:
        planter(machine, PLANTED)
    return machine


def test_stores_that_nobody_touched_are_whole(stores: Machine) -> None:
    before = integrity.shapes(stores)
    assert len(before) == len(leaks.PLACES)
    assert integrity.problems(before, stores) == []


def _edit(path: str, old: bytes, new: bytes) -> None:
    data = Path(path).read_bytes()
    assert old in data
    Path(path).write_bytes(data.replace(old, new, 1))


def test_another_value_of_any_length_is_no_damage(stores: Machine) -> None:
    before = integrity.shapes(stores)
    for name in (leaks.TRANSCRIPT, leaks.HISTORY, leaks.EXPORT, leaks.CI_LOG):
        _edit(stores.path(name), PLANTED[0].secret.encode(), b"[redacted:x:y]")
    assert integrity.problems(before, stores) == []


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (leaks.TRANSCRIPT, b'"type":"user"', b'"type":user"'),
        (leaks.TRANSCRIPT, "\u2028".encode(), b"\\n"),
        (leaks.TRANSCRIPT, b'"uuid":"cut o', b""),
        (leaks.HISTORY, b"#17", b"17"),
        (leaks.EXPORT, b"## Access\n", b""),
        (leaks.EXPORT, b"# Hand", b"\xff Hand"),
        (leaks.PACKED_LOG, b"\x1f\x8b", b"\x1f\x8c"),
        (leaks.CI_LOG, b"##[endgroup]", b""),
    ],
)
def test_damage_to_a_file_is_seen(stores: Machine, name: str, old: bytes, new: bytes) -> None:
    before = integrity.shapes(stores)
    _edit(stores.path(name), old, new)
    assert len(integrity.problems(before, stores)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM memory_index_chunks WHERE chunk_rowid = 1",
        "UPDATE transcript_events SET event_json = '{' WHERE session_id = 's1' AND seq = 1",
        "UPDATE transcript_events SET event_zstd = x'28b52ffd00' WHERE session_id = 's3' AND seq = 1",
        "UPDATE transcript_events SET event_utf8_bytes = 7 WHERE session_id = 's3' AND seq = 1",
        "UPDATE memory_index_chunks_fts_content SET c0 = 'other words' WHERE id = 1",
        "PRAGMA user_version = 1",
    ],
)
def test_damage_to_a_database_is_seen(stores: Machine, statement: str) -> None:
    before = integrity.shapes(stores)
    with sqlite3.connect(stores.path(leaks.DATABASE)) as connection:
        connection.execute(statement)
    connection.close()
    assert len(integrity.problems(before, stores)) == 1


def test_damage_to_a_repository_is_seen(stores: Machine) -> None:
    before = integrity.shapes(stores)
    objects = Path(stores.path(f"{leaks.REPOSITORY}/.git/objects"))
    victim = next(path for path in sorted(objects.rglob("*")) if path.is_file())
    victim.chmod(0o600)
    victim.write_bytes(b"broken")
    assert len(integrity.problems(before, stores)) == 1


def test_a_growing_log_tells_what_was_done_to_it(machine: Machine) -> None:
    echoes = [each.spoken() for each in PLANTED]
    with GrowingLog(machine, leaks.LOG, echoes) as log:
        path = Path(log.path)
        assert all(each in path.read_text() for each in echoes)
        assert log.problems() == []
        with open(path, "r+b") as file:  # as a scrub may do it: in place, no byte more or less
            at = path.read_bytes().index(PLANTED[0].secret.encode())
            file.seek(at)
            file.write(b"*" * len(PLANTED[0].secret))
        assert log.problems() == []
        path.rename(path.with_name("aside"))
        path.write_bytes(path.with_name("aside").read_bytes().replace(b"000000001 served\n", b"00000", 1))
        assert any("another file" in each for each in log.problems())
        assert any("missing" in each or "broken" in each for each in log.problems())
    assert "its writer has ended" in log.problems()


def test_every_scenario_can_be_named() -> None:
    assert all(named(each.name) is each for each in SCENARIOS) and named("nobody") is None
    text = json.dumps([each.name for each in SCENARIOS])
    from keyward.cli import drill

    assert all(name in drill.EXAMPLES for name in json.loads(text)) and SCENARIOS[0].name == drill.DEFAULT
