"""A scrub of files from the plan to the proof: what is looked for, where, and what is said of it."""

from __future__ import annotations

import base64
import os
import time
from pathlib import Path

import pytest
from tests_support import cannot, token

from keyward.flows.scan import ScanOptions, scan
from keyward.flows.scrub_diff import diff
from keyward.flows.scrub_files import Outcome, Plan, ScrubOptions, carry_out, make_plan
from keyward.registry import Registry
from keyward.report import ReportOptions
from keyward.report.jsonl import render
from keyward.scrub.plan import Treatment
from keyward.scrub.redactor import Style

ONE, TWO = token(40), token(41)


@pytest.fixture
def folder(environment: None, tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    return made


def plan_of(*paths: Path, **options: object) -> Plan:
    return make_plan(ScrubOptions(paths=tuple(map(str, paths)), jobs=1, **options))  # type: ignore[arg-type]


def scrubbed(*paths: Path, **options: object) -> Outcome:
    return carry_out(plan_of(*paths, **options))


def report_of(path: Path, *scanned: Path) -> str:
    path.write_text(
        render(scan(ScanOptions(paths=tuple(map(str, scanned)), baseline="", jobs=1)), ReportOptions(Registry().kind))
    )
    return str(path)


def test_a_folder_is_planned_scrubbed_and_proved(folder: Path) -> None:
    (folder / "a.log").write_bytes(b"token=" + ONE + b"\n")
    (folder / "b.md").write_bytes(b"nothing\n")
    (folder / "c.txt").write_bytes(b"again " + ONE + b" and " + TWO + b"\n")
    plan = plan_of(folder)
    assert plan.looked == 3 and plan.complete
    assert sorted(os.path.basename(job.place.path) for job in plan.to_do) == ["a.log", "c.txt"]
    assert (folder / "a.log").read_bytes() == b"token=" + ONE + b"\n"
    outcome = carry_out(plan)
    assert outcome.complete and not outcome.still and not outcome.after
    assert sorted(outcome.before.values()) == [1, 2]
    text = b"".join(path.read_bytes() for path in folder.iterdir())
    assert ONE not in text and TWO not in text and text.count(b"[redacted:github/pat-classic:") == 3
    assert not plan_of(folder).jobs


def test_what_a_scan_sees_in_one_file_goes_from_all(folder: Path) -> None:
    """A value that only its neighbourhood gives away in one file stands alone in another."""
    value = b"Xk29-fjw8-Lq02-mmPz-77"
    (folder / "compose.yml").write_bytes(b"services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: " + value + b"\n")
    (folder / "notes.md").write_bytes(b"it was " + value + b" and " + base64.b64encode(value) + b"\n")
    outcome = scrubbed(folder, live=True)
    text = b"".join(path.read_bytes() for path in folder.iterdir())
    assert value not in text and base64.b64encode(value)[:-4] not in text and outcome.complete
    assert sum(outcome.before.values()) == 3 and len(outcome.before) == 1


def test_a_report_names_places_and_values(folder: Path, tmp_path: Path) -> None:
    named, echo, other = folder / "app.log", folder / "echo.md", folder / "other.log"
    named.write_bytes(b"token=" + ONE + b"\nbare " + base64.b64encode(b"x:" + ONE) + b"\n")
    report = report_of(tmp_path / "report.jsonl", named)
    named.write_bytes(named.read_bytes() + b"later " + TWO + b"\n")
    other.write_bytes(b"token=" + ONE + b"\n")
    echo.write_bytes(b"see " + ONE + b"\n")
    outcome = carry_out(make_plan(ScrubOptions(leaked=report, jobs=1)))
    assert outcome.complete and len(outcome.before) == 1
    assert ONE not in named.read_bytes() and TWO in named.read_bytes()  # that one is not in the report
    assert base64.b64encode(b"x:" + ONE)[4:-4] not in named.read_bytes()
    assert ONE in other.read_bytes()  # nor is that place
    other.write_bytes(b"token=" + ONE + b"\n")
    again = make_plan(ScrubOptions(leaked=report, jobs=1))
    assert not again.jobs and "at none of its places" in " ".join(again.notes)


def test_a_report_elsewhere(folder: Path, tmp_path: Path) -> None:
    named, echo = folder / "app.log", folder / "echo.md"
    named.write_bytes(b"token=" + ONE + b"\n")
    echo.write_bytes(b"see " + ONE + b" and " + TWO + b"\n")
    report = report_of(tmp_path / "report.jsonl", named)
    outcome = scrubbed(folder, leaked=report)
    assert outcome.complete
    assert ONE not in named.read_bytes() + echo.read_bytes() and TWO in echo.read_bytes()
    # the file that the value was read from goes last: whoever is interrupted can begin anew
    assert [os.path.basename(each.place.path) for each in outcome.done] == ["echo.md", "app.log"]


def test_a_file_that_a_program_reads_is_left_to_who_rotates(folder: Path, tmp_path: Path) -> None:
    settings = folder / ".env"
    settings.write_bytes(b"GITHUB_TOKEN=" + ONE + b"\n")
    report = report_of(tmp_path / "report.jsonl", settings)
    outcome = carry_out(make_plan(ScrubOptions(leaked=report, jobs=1)))
    assert not outcome.complete and settings.read_bytes() == b"GITHUB_TOKEN=" + ONE + b"\n"
    assert "--live" in outcome.done[0].failure and outcome.done[0].place.treatment is Treatment.REPORT
    everything = scrubbed(folder)
    assert not everything.complete and ONE in settings.read_bytes() and everything.done[0].place.store == "live configuration"
    outcome = carry_out(make_plan(ScrubOptions(leaked=report, live=True, jobs=1)))
    assert outcome.complete and ONE not in settings.read_bytes()
    settings.write_bytes(b"GITHUB_TOKEN=" + ONE + b"\n")
    assert scrubbed(settings).complete and ONE not in settings.read_bytes()  # named by the operator


def test_what_cannot_be_touched_is_named_and_remains(folder: Path) -> None:
    log = folder / "a.log"
    log.write_bytes(b"token=" + ONE + b"\n")
    link = folder / "link.log"
    link.symlink_to(log)
    os.mkfifo(folder / "pipe.log")
    outcome = scrubbed(log, link, folder / "pipe.log")
    assert not outcome.complete and ONE not in log.read_bytes()
    failures = {os.path.basename(each.place.path): each.failure for each in outcome.done if each.failure}
    assert "symbolic link" in failures["link.log"] and "pipe" in failures["pipe.log"]


def test_a_hundred_gigabytes_of_holes_do_not_keep_anybody_waiting(folder: Path) -> None:
    log = folder / "a.log"
    begin = b"an ordinary line\n" * 300  # one that begins with a hole is a binary file
    log.write_bytes(begin + b"token=" + ONE + b"\n")
    encoded = base64.b64encode(b"token=" + TWO)
    try:
        with open(log, "r+b") as file:
            file.seek(60 << 30)
            file.write(b"\ndata: " + encoded + b"\n")
            file.truncate(100 << 30)
    except OSError as error:
        cannot(f"this file system takes no file of that size: {error.strerror}")
    plan = plan_of(log)
    assert not plan.notes and plan.complete
    outcome = carry_out(plan)
    assert not outcome.after and not outcome.still and sum(outcome.before.values()) == 2
    with open(log, "rb") as file:
        line = file.read(len(begin) + 200)[len(begin) :].partition(b"\n")[0]
        assert line.startswith(b"token=[redacted:github/pat-classic:")
        file.seek(60 << 30)
        assert encoded not in file.read(4096)
    assert os.stat(log).st_blocks * 512 < 1 << 20


def test_the_original_is_kept_encrypted_before_anything_changes(folder: Path, tmp_path: Path) -> None:
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    log = folder / "a.log"
    text = b"token=" + ONE + b"\n"
    log.write_bytes(text)
    kept = tmp_path / "kept"
    outcome = scrubbed(log, backup=(str(identity.to_public()),), backup_folder=str(kept))
    (name,) = outcome.done[0].kept
    assert pyrage.decrypt(Path(name).read_bytes(), [identity]) == text and os.stat(name).st_mode & 0o777 == 0o600
    assert [entry for entry in kept.iterdir() if ONE in entry.read_bytes()] == [] and ONE not in log.read_bytes()
    log.write_bytes(text)
    assert scrubbed(log, backup=(str(identity.to_public()),), backup_folder=str(kept)).done[0].kept[0] != name


def test_where_no_backup_can_be_made_nothing_is_changed(folder: Path) -> None:
    from keyward.errors import UsageError

    log = folder / "a.log"
    log.write_bytes(b"token=" + ONE + b"\n")
    with pytest.raises(UsageError, match="recipient"):
        scrubbed(log, backup=("age1nonsense",))
    outcome = scrubbed(log, backup=(_recipient(),), backup_folder=str(log / "below a file"))
    assert not outcome.complete and outcome.done[0].failure and ONE in log.read_bytes()


def _recipient() -> str:
    import pyrage

    return str(pyrage.x25519.Identity.generate().to_public())


def test_the_diff_shows_what_changes_and_no_secret(folder: Path) -> None:
    log = folder / "a.md"
    log.write_bytes(b"first\nlogin token=" + ONE + b" from " + TWO + b" end\nlast\n")
    plan = plan_of(log)
    shown = diff(plan, plan.jobs[0].place)
    assert [change.line for change in shown.changes] == [2, 2] and shown.more == 0
    assert (
        shown.changes[0].before.startswith("login token=********") and "[redacted:github/pat-classic:" in shown.changes[0].after
    )
    assert not [value for value in (ONE, TWO) if value.decode() in repr(shown) or value.decode()[8:20] in repr(shown)]


@pytest.mark.parametrize("style", Style)
def test_styles(folder: Path, style: Style) -> None:
    note = folder / "a.md"
    note.write_bytes(b"a " + ONE + b" b\n")
    assert scrubbed(note, style=style).complete
    text = note.read_bytes()
    assert ONE not in text and (len(text) == len(ONE) + 5) is (style is Style.SAME_LENGTH)


def test_an_archive_that_nobody_rewrites_is_named(folder: Path) -> None:
    """Whatever finds it, something says that it stands there still, or it is gone."""
    import io
    import tarfile

    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        info = tarfile.TarInfo("deep/app.log")
        inner = b"token=" + ONE + b"\n"
        info.size = len(inner)
        archive.addfile(info, io.BytesIO(inner))
    path = folder / "old.tar"
    path.write_bytes(data.getvalue())
    outcome = scrubbed(path)
    assert outcome.before
    assert outcome.complete is (ONE not in path.read_bytes())


def test_a_home_is_swept(environment: None, tmp_path: Path) -> None:
    home = tmp_path / "somebody"
    (home / ".claude" / "projects" / "p").mkdir(parents=True)
    history = home / ".bash_history"
    history.write_bytes(b"export GITHUB_TOKEN=" + ONE + b"\nls\n")
    transcript = home / ".claude" / "projects" / "p" / "s.jsonl"
    transcript.write_bytes(b'{"type":"user","message":{"role":"user","content":"use ' + ONE + b' please"}}\n')
    settings = home / ".netrc"
    settings.write_bytes(b"machine github.com login me password " + ONE + b"\n")
    elsewhere = home / "src" / "main.c"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(b"once " + ONE + b"\n")
    outcome = scrubbed(home, host=True)
    assert ONE not in history.read_bytes() + transcript.read_bytes()
    assert history.read_bytes().endswith(b"\nls\n") and ONE in elsewhere.read_bytes()  # no source knows that place
    assert outcome.complete and sum(outcome.before.values()) == 3
    # it is in use, no report calls it leaked: it is listed, and nothing that remains
    assert ONE in settings.read_bytes() and str(settings) in [each.place.path for each in outcome.done if each.failure]
    outcome = scrubbed(home, host=True, sources=("shell",))
    assert not outcome.done


def test_a_log_of_holes_in_a_home_keeps_nobody_waiting_and_its_holes(environment: None, tmp_path: Path) -> None:
    home = tmp_path / "somebody"
    (home / "logs").mkdir(parents=True)
    log = home / "logs" / "app.log"
    begin = b"an ordinary line\n" * 300
    log.write_bytes(begin + b"token=" + ONE + b"\n")
    try:
        with open(log, "r+b") as file:
            file.seek(30 << 30)
            file.write(b"\ntoken=" + TWO + b"\n")
            file.truncate(40 << 30)
    except OSError as error:
        cannot(f"this file system takes no file of that size: {error.strerror}")
    began = time.process_time()
    outcome = scrubbed(home, host=True)
    assert time.process_time() - began < 40
    assert outcome.complete and sum(outcome.before.values()) == 2 and not outcome.after
    with open(log, "rb") as file:
        line = file.read(len(begin) + 200)[len(begin) :].partition(b"\n")[0]
        assert line.startswith(b"token=[redacted:github/pat-classic:")
        moved = len(line) - len(b"token=" + ONE)
        file.seek((30 << 30) + moved)
        assert file.read(len(line) + 2).startswith(b"\n" + line[:30])
    status = os.stat(log)
    assert status.st_size == (40 << 30) + 2 * moved and status.st_blocks * 512 < 1 << 20


def test_a_database_and_what_lies_beside_it_are_one(folder: Path) -> None:
    import sqlite3

    path = folder / "state.db"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE notes (text TEXT)")
        database.execute("INSERT INTO notes VALUES (?)", (f"use {ONE.decode()} here",))
        database.commit()
        copies = {name: (folder / name).read_bytes() for name in ("state.db", "state.db-wal")}
    database.close()
    for name, data in copies.items():  # as a killed program leaves them
        (folder / name).write_bytes(data)
    assert ONE in (folder / "state.db-wal").read_bytes()
    plan = plan_of(folder, live=True)
    assert [os.path.basename(job.place.path) for job in plan.jobs] == ["state.db"]
    assert carry_out(plan).complete
    assert not [entry.name for entry in folder.iterdir() if ONE in entry.read_bytes()]
