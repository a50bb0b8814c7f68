"""A disk that is really full while the journal is written, and two commands that rotate the same credential at the same time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_desk import Desk, Make
from rotation_home import Home
from rotation_home import home as make_home

from keyward.model.rotation import Proved, Stopped
from keyward.rotate.journal import FILE, Journal


@contextlib.contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """The kernel refuses, for this process, what a full disk would: writes beyond that many bytes of a file."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def whole_length(desk: Desk) -> int:
    """Bytes of the journal of one rotation."""
    assert isinstance(desk.run(), Proved)
    return os.path.getsize(os.path.join(desk.journal_folder, FILE))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 0.97])
def test_a_journal_that_finds_no_room_stops_it_and_loses_nothing(desk: Make, share: float) -> None:
    size = whole_length(desk())
    at = desk()
    box = at.box()
    with no_file_longer_than(int(size * share)):
        outcome = at.run()
    assert isinstance(outcome, Stopped) and "cannot write the journal" in outcome.reason
    assert os.strerror(27) in outcome.reason or "No space" in outcome.reason
    assert "Make room" in outcome.hint and "keyward resume" in outcome.hint
    journal = Path(at.journal_folder, FILE)
    assert journal.read_bytes().endswith(b"\n") or not journal.read_bytes(), "half a line was left behind"
    assert len(Journal.open_(at.journal_folder, at.clock).lines) == journal.read_bytes().count(b"\n")
    assert at.world.works(box.held) and at.world.others_untouched()
    assert isinstance(at.run(), Proved)
    assert at.world.works(at.current()) and box.held == dict(at.current())
    assert at.world.working() == 1 and not at.world.works(at.world.old)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "home") as made:
        yield made


def hold_still(process: subprocess.Popen[str], audit_lock: Path) -> None:
    """Stops a process where it does not hold the audit log's lock, for which everybody else would have to wait."""
    while True:
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        with open(audit_lock) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("step", ["ISSUE", "DISTRIBUTE", "REVOKE"])
def test_of_two_commands_at_the_same_time_one_rotates_and_the_other_says_who(home: Home, step: str) -> None:
    """The key is replaced once: the second one neither makes a key nor kills the first one's. The first is held still on its way."""
    home.adopt()
    home.fake.latency = 0.2
    first = subprocess.Popen(
        [sys.executable, "-m", "keyward.cli.main", "rotate", "--all", "--yes"],
        cwd=home.folder,
        env=dict(home.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert first.stderr is not None
    for line in first.stderr:  # one line a step, since it is no terminal
        if step in line:
            break
    hold_still(first, home.folder / "state" / "audit.jsonl.lock")
    try:
        out = home.ok("rotate", "--all", "--yes", code=4)
    finally:
        first.send_signal(signal.SIGCONT)
    said = first.communicate(timeout=120)[0]
    assert first.returncode == 0 and "proved" in said
    assert f"being rotated by process {first.pid}" in out and "Nothing was changed" in out
    made = [seen for seen in home.fake.changes if seen.method == "POST"]
    assert len(made) == 1 and home.alive() == {home.key_in_env()} and home.old not in home.alive()
    home.ok("status")
    home.ok("audit", "verify")
