"""`keyward scrub` as a user types it: in a pipe, on files, on a report, for a repository."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from git_repository import Git
from tests_support import token

Keyward = Callable[..., Any]

ONE, TWO, THREE = token(80), token(81), token(82)
COMMAND = os.path.join(os.path.dirname(sys.executable), "keyward")


@contextmanager
def piped(*words: str, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [COMMAND, "scrub", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,  # type: ignore[call-overload]
    )
    try:
        yield process
    finally:
        process.kill()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None and not stream.closed:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass
        process.wait()


def line_of(process: subprocess.Popen[bytes], seconds: float = 60.0) -> bytes:
    """The next line that it passes on while its input stays open."""
    assert process.stdout is not None
    data = b""
    end = time.monotonic() + seconds
    while not data.endswith(b"\n"):
        assert select.select([process.stdout], [], [], max(0.0, end - time.monotonic()))[0], f"nothing came but {data!r}"
        piece = os.read(process.stdout.fileno(), 1)
        assert piece, "it ended"
        data += piece
    return data


# --- a stream


def test_a_file_through_a_pipe(keyward: Keyward) -> None:
    keyward("scrub", stdin=b"")  # the first run ever says that it compiles the rules
    done = keyward("scrub", stdin=b"first\nlogin token=" + ONE + b"\nlast")
    assert (
        done.code == 0
        and done.out.startswith("first\nlogin token=[redacted:github/pat-classic:")
        and done.out.endswith("]\nlast")
    )
    assert done.err == f"keyward: 1 secrets redacted in {len(ONE) + 23:,} bytes\n"
    assert keyward("scrub", "-q", stdin=b"x " + ONE).err == ""


def test_a_log_that_is_followed_comes_line_by_line(environment: None) -> None:
    with piped() as process:
        assert process.stdin is not None
        for number in range(3):
            process.stdin.write(b"line %d token=" % number + ONE[:20])
            process.stdin.flush()
            time.sleep(0.1)  # the rest of the line comes later
            process.stdin.write(ONE[20:] + b"\n")
            process.stdin.flush()
            assert line_of(process).startswith(b"line %d token=[redacted:github/pat-classic:" % number)
        assert process.poll() is None
        process.stdin.close()
        process.stdin = None
        assert process.wait(30) == 0


@pytest.mark.parametrize("style", ["token", "same-length", "remove"])
def test_styles(keyward: Keyward, style: str) -> None:
    done = keyward("scrub", "--style", style, stdin=b"a " + ONE + b" b\n")
    assert done.code == 0 and ONE.decode() not in done.out
    assert (len(done.out) == len(ONE) + 5) is (style == "same-length")
    assert ("[redacted:" in done.out) is (style != "remove")


def test_the_same_name_in_every_run(keyward: Keyward) -> None:
    assert keyward("scrub", stdin=b"a " + ONE).out[2:] == keyward("scrub", stdin=b"b " + ONE).out[2:]


def test_bytes_that_are_no_text_pass_as_they_are(keyward: Keyward) -> None:
    odd = bytes(range(256)) * 20 + b"\xff\xfe\0\0\r\n"
    done = keyward("scrub", stdin=odd + b" token=" + ONE + b"\n" + odd)
    out = done.out.encode("utf-8", "surrogateescape")
    assert done.code == 0 and out.startswith(odd) and out.endswith(odd) and ONE not in out


def test_another_scanners_rules_hold_as_they_do_in_a_scan(keyward: Keyward, tmp_path: Path) -> None:
    """A rule of a gitleaks configuration asks for a keyword, and one for a path, besides its pattern."""
    rules, config = tmp_path / "gitleaks.toml", tmp_path / "operator.toml"
    rules.write_text(
        "[[rules]]\nid = 'acme'\nregex = '\\b(zz-[0-9]{14})\\b'\nkeywords = ['acme']\n"
        "[[rules]]\nid = 'in-ini'\nregex = '\\b(yy-[0-9]{14})\\b'\npath = '\\.ini$'\n"
    )
    config.write_text(f'gitleaks_config = "{rules}"\n')
    config.chmod(0o600)
    value, other = "zz-" + "48215093716042", "yy-" + "93716042482150"
    use = ("--config", str(config))
    done = keyward("scrub", *use, stdin=f"acme has {value} and {other}\n".encode())
    assert value not in done.out and "[redacted:" in done.out and other in done.out, "the second rule is for other paths"
    assert value in keyward("scrub", *use, stdin=f"an order number: {value}\n".encode()).out, "without the keyword it is none"
    for name, text in (("a.ini", f"x = {other}\n"), ("b.log", f"acme {value} {other}\n")):
        (tmp_path / name).write_text(text)
    done = keyward("scrub", *use, str(tmp_path / "a.ini"), str(tmp_path / "b.log"), "--in-place", "--yes", "--live")
    assert other not in (tmp_path / "a.ini").read_text(), done.out + done.err
    assert value not in (tmp_path / "b.log").read_text()


def test_what_the_stores_cannot_say_makes_it_incomplete(keyward: Keyward, tmp_path: Path) -> None:
    config = tmp_path / "operator.toml"
    config.write_text(
        '[stores.local]\ntype = "age"\npath = "/nonexistent/vault.age"\n\n[[lanes.main.credentials]]\n'
        'name = "ci"\nkind = "github/pat-classic"\nstore = "local"\npath = "ci"\n'
    )
    done = keyward("scrub", "--config", str(config), stdin=b"x " + ONE + b"\n")
    assert done.code in (2, 3) and ONE.decode() not in done.out + done.err
    again = keyward("scrub", "--no-stores", stdin=b"x " + ONE + b"\n")
    assert again.code == 0


def test_the_reader_goes_away(environment: None) -> None:
    with piped() as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.write(b"line " + ONE + b"\n")
        process.stdin.flush()
        line_of(process)
        process.stdout.close()
        for _ in range(200):
            try:
                process.stdin.write(b"more " + ONE + b"\n" * 50)
                process.stdin.flush()
            except BrokenPipeError:
                break
            if process.poll() is not None:
                break
            time.sleep(0.05)
        assert process.wait(30) == 141
        assert ONE not in process.stderr.read()


def test_control_c(environment: None) -> None:
    with piped(start_new_session=True) as process:
        assert process.stdin is not None and process.stderr is not None
        process.stdin.write(b"line " + ONE + b"\nhalf " + TWO[:20])
        process.stdin.flush()
        assert line_of(process).startswith(b"line [redacted:")
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stdout is not None
        rest, said = process.stdout.read(), process.stderr.read()
        assert TWO[:20] not in rest + said and ONE not in said  # what was held back is lost, not passed on


def test_nothing_of_a_value_on_standard_error(keyward: Keyward) -> None:
    for words in ((), ("--style", "remove"), ("--persona", "auditor")):
        done = keyward("scrub", *words, stdin=b"x=" + ONE + b" " + TWO + b"\n")
        assert not [value for value in (ONE, TWO) if value[4:20].decode() in done.err]


def test_wrong_usage(keyward: Keyward, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"x " + ONE)
    for words, said in (
        (("--style", "loud"), "--style 'loud'"),
        (("--persona", "nobody"), "no persona"),
        (("--format", "xml"), "no format"),
        ((str(log),), "only if you say so"),
        (("--in-place",), "nothing is named"),
        (("--output", "x"), "go with --git-plan"),
        (("--git-plan", "--host"), "--git-plan goes with none"),
        (("--in-place", str(tmp_path / "nothing")), "there is no"),
        (("--leaked", str(tmp_path / "nothing")), "no such report"),
        (("--host", "--source", "nonsense", "--yes"), "nonsense"),
        ((str(log), "--in-place", "--yes", "--backup", "age1x"), "recipient"),
    ):
        done = keyward("scrub", *words)
        assert done.code == 2 and said in done.err, (words, done)
    assert log.read_bytes() == b"x " + ONE


def test_a_terminal_without_input(environment: None) -> None:
    leader, follower = pty.openpty()
    try:
        done = subprocess.run([COMMAND, "scrub"], stdin=follower, capture_output=True, timeout=60, check=False)
    finally:
        os.close(leader)
        os.close(follower)
    assert done.returncode == 2 and b"nothing on standard input" in done.stderr


# --- files


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "work" / "app.md"
    path.parent.mkdir()
    path.write_bytes(b"first\nlogin token=" + ONE + b" and " + TWO + b"\nagain " + ONE + b"\n")
    return path


def test_a_dry_run_shows_a_plan_and_a_diff_and_changes_nothing(keyward: Keyward, log: Path) -> None:
    before = log.read_bytes()
    done = keyward("scrub", str(log), "--dry-run")
    assert done.code == 0 and log.read_bytes() == before
    assert "3 places to scrub in 1 file" in done.out and "replace" in done.out and "line 2" in done.out
    assert "- login token=********" in done.out and "+ login token=[redacted:github/pat-classic:" in done.out
    assert "Nothing was changed." in done.out
    assert not [value for value in (ONE, TWO) if value[4:20].decode() in done.out + done.err]


def test_files_in_place(keyward: Keyward, log: Path) -> None:
    refused = keyward("scrub", str(log), "--in-place")
    assert refused.code == 2 and "--yes" in refused.err and ONE in log.read_bytes()
    done = keyward("scrub", str(log), "--in-place", "--yes")
    assert done.code == 0 and "Nothing remains." in done.out
    assert "BEFORE  AFTER" in done.out and ONE not in log.read_bytes() and TWO not in log.read_bytes()
    again = keyward("scrub", str(log), "--in-place", "--yes")
    assert again.code == 0 and again.out == "Nothing to scrub in 1 file.\n"


def test_it_asks_at_a_terminal(environment: None, log: Path) -> None:
    def answered(word: bytes) -> tuple[int, bytes]:
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [COMMAND, "scrub", log, "--in-place", "-q"], stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        os.close(follower)
        os.write(leader, word + b"\n")
        out, _ = process.communicate(timeout=60)
        os.close(leader)
        return process.returncode, out

    code, out = answered(b"n")
    assert code == 3 and b"nothing was changed" in out and ONE in log.read_bytes()
    code, out = answered(b"y")
    assert code == 0 and ONE not in log.read_bytes()


def test_what_remains_makes_it_three(keyward: Keyward, log: Path) -> None:
    link = log.with_name("link.md")
    link.symlink_to(log)
    done = keyward("scrub", str(log), str(link), "--in-place", "--yes")
    assert done.code == 3 and "remains: " in done.out and "symbolic link" in done.out
    assert ONE not in log.read_bytes()


def test_json(keyward: Keyward, log: Path) -> None:
    plan = json.loads(keyward("scrub", str(log), "--dry-run", "--format", "json").out)
    assert plan["schema"] == "keyward.scrub/1" and plan["changed"] is False and plan["complete"] is True
    (file,) = plan["files"]
    assert file["treatment"] == "replace" and sum(each["places"] for each in file["found"]) == 3
    done = json.loads(keyward("scrub", str(log), "--in-place", "--yes", "--format", "json").out)
    assert done["complete"] is True and done["changed"] is True and done["after"] == []
    assert sorted(each["places"] for each in done["before"]) == [1, 2] and done["files"][0]["verified"]


def test_what_a_report_found(keyward: Keyward, log: Path) -> None:
    report = log.with_name("report.jsonl")
    keyward("scan", "app.md", "--format", "jsonl", "-o", str(report), cwd=log.parent)
    log.write_bytes(log.read_bytes() + b"not in the report: " + THREE + b"\n")
    done = keyward("scrub", "--leaked", str(report), "--yes", cwd=log.parent)
    assert done.code == 0, done
    text = log.read_bytes()
    assert ONE not in text and TWO not in text and THREE in text


def test_this_machine(keyward: Keyward, tmp_path: Path) -> None:
    history = tmp_path / "home" / ".bash_history"
    history.write_bytes(b"export TOKEN=" + ONE + b"\n")
    done = keyward("scrub", "--host", "--source", "shell", "--yes", str(tmp_path / "home"))
    assert done.code == 0, done
    assert ONE not in history.read_bytes() and history.read_bytes().startswith(b"export TOKEN=")


def test_hostile_names_are_inert(keyward: Keyward, tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    path = os.path.join(os.fsencode(folder), b"\x1b[2K\r\n::add-mask::x\xff.md")
    Path(os.fsdecode(path)).write_bytes(b"x " + ONE + b"\n")
    for words in (("--dry-run",), ("--in-place", "--yes"), ("--in-place", "--yes", "--format", "json")):
        done = keyward("scrub", str(folder), *words)
        assert done.code == 0
        assert not [bad for bad in ("\x1b", "\r", "\n::", "::add-mask") if bad in done.out + done.err]
    assert ONE not in Path(os.fsdecode(path)).read_bytes()


# --- history


def test_a_plan_for_a_repository(keyward: Keyward, repo: Git, tmp_path: Path) -> None:
    repo.commit("first", **{"a.txt": b"token=" + ONE + b"\n"})
    repo.commit("second", **{"a.txt": b"token=\n"})
    values = tmp_path / "values.txt"
    done = keyward("scrub", "--git-plan", str(repo.root), "--output", str(values), "--anyway")
    assert done.code == 0, done
    assert "git filter-repo" in done.out.replace("git -C", "git") or "filter-repo" in done.out
    assert f"WARNING: {values} holds these secrets" in done.out and "shred -u" in done.out and "refs/heads/main" in done.out
    assert ONE in values.read_bytes() and ONE.decode() not in done.out + done.err
    nothing = keyward("scrub", "--git-plan", str(repo.root), "--leaked", str(tmp_path / "none"), "--anyway")
    assert nothing.code == 2
    clean = Git(tmp_path / "clean")
    clean.commit("first", **{"a.txt": b"nothing\n"})
    done = keyward("scrub", "--git-plan", str(clean.root))
    assert done.code == 0 and "holds nothing" in done.out


WRITER = """
import os, sys, time
descriptor = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
for number in range(100_000):
    os.write(descriptor, b"line %d token=%s end\\n" % (number, sys.argv[2].encode() if number < 200 else b"none"))
    if number == 100:
        print("ready", flush=True)
    time.sleep(0.005)
"""


def test_a_log_that_is_being_written(keyward: Keyward, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.touch()
    with subprocess.Popen([sys.executable, "-c", WRITER, log, ONE.decode()], stdout=subprocess.PIPE) as writer:
        try:
            assert writer.stdout is not None and writer.stdout.readline() == b"ready\n"
            inode = os.stat(log).st_ino
            time.sleep(2)
            done = keyward("scrub", str(log), "--in-place", "--yes")
            assert done.code == 0, done
            assert f"process {writer.pid}" in done.out and writer.poll() is None and os.stat(log).st_ino == inode
        finally:
            writer.kill()
    lines = log.read_bytes().splitlines()
    assert [int(line.split()[1]) for line in lines] == list(range(len(lines))) and len(lines) > 200
    assert ONE not in log.read_bytes() and log.read_bytes().count(b"[redacted:") == 200
