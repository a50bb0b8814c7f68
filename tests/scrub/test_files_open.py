"""Files that somebody has open keep their inode, their size and every byte that is no secret, whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from scrub.files_support import OTHER, PSEUDONYMS, TEXT, TOKEN, held, leaves_nothing_beside, mask, plain, redactor
from tests_support import token

from keyward.plugin.ports import Call
from keyward.scrub.journal import Journal, unfinished
from keyward.scrub.open_file import OpenFile
from keyward.scrub.plan import Refusal, Treatment
from keyward.scrub.redactor import Style
from keyward.testing.crash import Killer, Recorder, in_child

MASKED = TEXT.replace(TOKEN, mask(TOKEN)).replace(OTHER, mask(OTHER))

WRITER = """
import os, sys, time
path, tokens = sys.argv[1], sys.argv[2:]
descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
number = 0
while True:
    line = b"line %d token=%s end\\n" % (number, tokens[number % len(tokens)].encode())
    half = len(line) // 2
    os.write(descriptor, line[:half])  # half a line, so that a reader sees one
    os.write(descriptor, line[half:])
    number += 1
    if number == 50:
        print("ready", flush=True)
    time.sleep(0.005 if number < 400 else 0.05)
    if number >= 150:
        tokens = ["none"]
"""


@contextmanager
def writer(path: Path, tokens: list[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that appends and never stops, secrets for about a second."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, path, *tokens], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.stdout.close()
        process.wait()


def lines_of(data: bytes) -> list[int]:
    return [int(line.split()[1]) for line in data.split(b"\n") if line.startswith(b"line ") and line.endswith(b"end")]


def test_a_writer_that_never_stops_notices_nothing(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    tokens = [token(number) for number in range(10, 20)]
    with writer(log, tokens) as process:
        inode = os.stat(log).st_ino
        # a shipper that has read a part goes on where it was
        with open(log, "rb") as shipper:
            shipped = len(shipper.read())
            place = plain(tmp_path).plan(str(log), redactor(), Style.TOKEN)
            assert place.treatment is Treatment.OVERWRITE and f"process {process.pid}" in " ".join(place.remarks)
            time.sleep(1.2)
            result = plain(tmp_path).scrub(str(log), redactor(), Style.TOKEN)
            rest = shipper.read()
        assert process.poll() is None and os.stat(log).st_ino == inode
        time.sleep(0.3)
    data = log.read_bytes()
    assert sum(result.before.values()) == 150 and not result.after and not result.left
    assert not [value for value in tokens if value in data]
    assert data.count(b"[redacted:github/pat-classic:") == 150
    numbers = lines_of(data)
    assert numbers == list(range(len(numbers))) and len(numbers) > 150  # not a line is lost, torn or twice
    assert data[shipped : shipped + len(rest)].count(b"\n") == rest.count(b"\n")


def test_a_rotation_of_logs_meanwhile(tmp_path: Path) -> None:
    """As logrotate does: the file is renamed while it is scrubbed, and another takes its name."""
    log, rotated = tmp_path / "app.log", tmp_path / "app.log.1"
    log.write_bytes(TEXT)
    more = b"in the new one " + TOKEN + b"\n"

    class Rotate:
        def __init__(self) -> None:
            self.done = False

        def before(self, call: Call) -> None:
            if call.what == "write" and not self.done:
                self.done = True
                os.rename(log, rotated)
                log.write_bytes(more)

        def after(self, call: Call, outcome: str) -> None:
            """Nothing."""

    with held(log, "appends"):
        result = plain(tmp_path, fences=(Rotate(),)).scrub(str(log), redactor(), Style.TOKEN)
    assert rotated.read_bytes() == MASKED
    assert log.read_bytes() == more.replace(TOKEN, mask(TOKEN))
    assert sum(result.before.values()) == 4 and not result.after
    assert leaves_nothing_beside(tmp_path, {"app.log", "app.log.1"}) and not list(unfinished(str(tmp_path / "journals")))


def test_a_file_that_is_cut_off_meanwhile_is_not_written_to(tmp_path: Path) -> None:
    """As logrotate's copytruncate does: what stood at an offset is gone, and another text grows there."""
    log = tmp_path / "app.log"
    log.write_bytes(TEXT)
    new = b"quite another text, longer than what stood here before: " * 5 + b"\n"

    class Cut:
        def __init__(self) -> None:
            self.done = False

        def after(self, call: Call, outcome: str) -> None:
            if call.what == "fsync journal" and not self.done:
                self.done = True
                os.truncate(log, 0)
                with open(log, "ab") as file:
                    file.write(new)

        def before(self, call: Call) -> None:
            """Nothing."""

    with held(log, "appends"):
        result = plain(tmp_path, fences=(Cut(),)).scrub(str(log), redactor(), Style.TOKEN)
    assert log.read_bytes() == new and not result.after
    assert not list(unfinished(str(tmp_path / "journals")))


def test_who_only_reads_keeps_the_file_too(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(TEXT)
    inode = os.stat(log).st_ino
    with held(log, "reads"):
        plain(tmp_path).scrub(str(log), redactor(), Style.TOKEN)
    assert os.stat(log).st_ino == inode and log.read_bytes() == MASKED


def test_a_private_key_over_lines_keeps_its_lines(tmp_path: Path) -> None:
    from keyward.testing.leaky_project import planted

    key = next(text for text in planted(7).files.values() if b"PRIVATE KEY" in text)
    log = tmp_path / "app.log"
    log.write_bytes(b"before\n" + key + b"after\n")
    before = log.read_bytes()
    with held(log, "appends"):
        result = plain(tmp_path).scrub(str(log), redactor(), Style.TOKEN)
    data = log.read_bytes()
    assert [len(line) for line in data.split(b"\n")] == [len(line) for line in before.split(b"\n")]
    assert sum(result.before.values()) == 1 and not result.after
    body = [line for line in key.split(b"\n") if len(line) > 20 and b"-----" not in line]
    assert body and not [line for line in body if line in data]


def test_killed_anywhere_each_occurrence_is_old_or_masked_and_a_second_run_finishes(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(TEXT)
    journals = str(tmp_path / "journals")
    with held(log, "appends"):
        recorder = Recorder()
        plain(tmp_path, fences=(recorder,)).scrub(str(log), redactor(), Style.TOKEN)
        assert {"write journal", "fsync journal", "write", "fsync file", "remove journal"} <= {e.what for e in recorder.events}
        between = 0
        for number in range(len(recorder.events)):
            with open(log, "r+b") as file:
                file.write(TEXT)
            assert not in_child(
                lambda number=number: plain(tmp_path, fences=(Killer(number),)).scrub(str(log), redactor(), Style.TOKEN)  # type: ignore[misc]
            )
            now = log.read_bytes()
            check_old_or_masked(now)
            between += now not in (TEXT, MASKED)
            for _, journal in unfinished(journals):
                written = Path(journal).read_bytes()
                assert TOKEN not in written and OTHER not in written and os.stat(journal).st_mode & 0o077 == 0
            plain(tmp_path).scrub(str(log), redactor(), Style.TOKEN)
            assert log.read_bytes() == MASKED and not list(unfinished(journals))
        assert between >= 2  # it was killed between two occurrences, too


def check_old_or_masked(data: bytes) -> None:
    assert len(data) == len(TEXT)
    at = 0
    for value in (TOKEN, OTHER, TOKEN):
        start = TEXT.index(value, at)
        assert data[at:start] == TEXT[at:start]
        assert data[start : start + len(value)] in (value, mask(value))
        at = start + len(value)
    assert data[at:] == TEXT[at:]


class StopAt:
    """Stops the work at one of its acts, as a kill does, but in this process."""

    def __init__(self, what: str, number: int) -> None:
        self.what, self.left = what, number

    def before(self, call: Call) -> None:
        if call.what == self.what:
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt

    def after(self, call: Call, outcome: str) -> None:
        """Nothing."""


def interrupted(log: Path, tmp_path: Path) -> Journal:
    """A journal of three occurrences, of which one is overwritten."""
    with held(log, "appends"), pytest.raises(KeyboardInterrupt):
        plain(tmp_path, fences=(StopAt("write", 1),)).scrub(str(log), redactor(), Style.TOKEN)
    return Journal(os.stat(log), folder=str(tmp_path / "journals"))


@pytest.mark.parametrize("keep", range(0, 40, 3))
@pytest.mark.parametrize("from_front", [True, False])
def test_what_the_disk_had_got_only_in_part_is_finished(tmp_path: Path, keep: int, from_front: bool) -> None:
    """A power cut may leave any part of a write. The journal says where, for no detector recognises half of a secret."""
    log = tmp_path / "app.log"
    log.write_bytes(TEXT)
    interrupted(log, tmp_path)
    start, new = TEXT.index(OTHER), mask(OTHER)
    torn = new[:keep] + OTHER[keep:] if from_front else OTHER[:keep] + new[keep:]
    with open(log, "r+b") as file:
        file.seek(start)
        file.write(torn)
    plain(tmp_path).scrub(str(log), redactor(), Style.TOKEN)
    left = keep if from_front else len(new) - keep
    if left >= 8 or left == 0:
        assert log.read_bytes() == MASKED
    else:  # too little of the mask to be sure that it is one: then a place is not written to
        assert log.read_bytes() in (MASKED, MASKED.replace(new, torn, 1))
    assert not list(unfinished(str(tmp_path / "journals")))


def test_a_journal_does_not_write_to_a_file_that_is_another_by_now(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(TEXT)
    journal = interrupted(log, tmp_path)
    assert len(journal.read()) == 2
    other = random.Random(1).randbytes(len(TEXT)).hex().encode()
    with open(log, "r+b") as file:  # the same inode, as copytruncate leaves it
        file.truncate(0)
        file.write(other)
    result = plain(tmp_path).scrub(str(log), redactor(), Style.TOKEN)
    assert log.read_bytes() == other and "something else" in " ".join(result.left)
    assert not plain(tmp_path).scrub(str(log), redactor(), Style.TOKEN).left


def test_a_journal_that_is_torn_or_forged(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(TEXT)
    journal = interrupted(log, tmp_path)
    lines = Path(journal.path).read_bytes().split(b"\n")
    forged = {**json.loads(lines[2]), "start": 0, "length": 7, "lines": [7]}
    Path(journal.path).write_bytes(b"\n".join((*lines[:-1], json.dumps(forged).encode(), b"{}", b"nonsense", lines[1][:20])))
    plain(tmp_path).scrub(str(log), redactor(), Style.TOKEN)
    assert log.read_bytes() == MASKED


def test_the_journal_holds_no_value_and_no_text(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(TEXT)
    journal = interrupted(log, tmp_path)
    written = Path(journal.path).read_bytes()
    for word in (TOKEN, OTHER, TOKEN[4:20], b"login", b"again"):
        assert word not in written
    assert set(json.loads(written.split(b"\n")[1])) == {
        "start", "length", "kind", "pseudonym", "encoding", "lines", "check", "before", "before_length",
    }  # fmt: skip
    assert next(iter(unfinished(str(tmp_path / "journals"))))[0] == str(log)


def test_a_writer_of_secrets_is_named_if_it_is_faster(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(TEXT)

    class Again:
        """Writes another one whenever the file has been overwritten."""

        def before(self, call: Call) -> None:
            """Nothing."""

        def after(self, call: Call, outcome: str) -> None:
            if call.what == "fsync file":
                with open(log, "ab") as file:
                    file.write(b"again " + TOKEN + b"\n")

    with held(log, "appends") as process:
        result = plain(tmp_path, fences=(Again(),), sleep=lambda seconds: None).scrub(str(log), redactor(), Style.TOKEN)
    assert result.after and f"process {process}" in " ".join(result.left)


def test_a_file_without_the_right_to_write_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(TEXT)
    if os.geteuid() == 0:
        pytest.skip("root may write to everything")
    os.chmod(log, 0o400)
    with held(log, "reads"), pytest.raises(Refusal, match="permission denied"):
        plain(tmp_path).scrub(str(log), redactor(), Style.TOKEN)
    assert log.read_bytes() == TEXT


def test_who_holds_it_is_told_by_what_they_do(tmp_path: Path) -> None:
    from keyward.scrub.holders import Use, who_holds

    log = tmp_path / "app.log"
    log.write_bytes(TEXT)
    for how, use in (
        ("reads", Use.READS),
        ("appends", Use.APPENDS),
        ("writes", Use.WRITES),
        ("locks", Use.LOCKS),
        ("maps", Use.MAPS),
    ):
        with held(log, how) as process, OpenFile(str(log)) as file:
            uses = {each.use for each in who_holds(file.descriptor).holders if each.process == process}
            assert use in uses
    with OpenFile(str(log)) as file:
        assert who_holds(file.descriptor).free


def test_pseudonyms_are_those_of_the_operator() -> None:
    assert PSEUDONYMS.of(TOKEN).encode() in mask(TOKEN)
