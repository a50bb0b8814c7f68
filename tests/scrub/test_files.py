"""Closed files are replaced and stay what they were but for the secrets; what must not be touched is refused and intact."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest
from scrub.files_support import OTHER, TEXT, TOKEN, facts, held, leaves_nothing_beside, mask, named, plain, redactor

from keyward.plugin.ports import Call
from keyward.scrub.atomic import temporary_name
from keyward.scrub.files import BINARY
from keyward.scrub.open_file import OpenFile
from keyward.scrub.plan import Name, Refusal, Treatment
from keyward.scrub.redactor import Style
from keyward.testing.crash import Killer, Recorder, in_child

CLEAN = TEXT.replace(TOKEN, named(TOKEN)).replace(OTHER, named(OTHER))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    path = folder / "app.log"
    path.write_bytes(TEXT)
    return path


def only(log: Path) -> bool:
    return leaves_nothing_beside(log.parent, {log.name})


def test_a_closed_file_is_replaced_and_keeps_everything_else(log: Path, tmp_path: Path) -> None:
    os.chmod(log, 0o640)
    os.utime(log, ns=(10**18 + 5, 10**18 + 7))
    if os.geteuid() == 0:
        os.chown(log, 12345, 23456)
    os.setxattr(log, "user.origin", b"a test")
    before, inode = facts(log), os.stat(log).st_ino
    files = plain(tmp_path)
    place = files.plan(str(log), redactor(), Style.TOKEN)
    assert place.treatment is Treatment.REPLACE and sum(place.found.values()) == 3 and log.read_bytes() == TEXT
    result = files.scrub(str(log), redactor(), Style.TOKEN)
    assert log.read_bytes() == CLEAN
    assert facts(log) == before and os.getxattr(log, "user.origin") == b"a test"
    assert os.stat(log).st_ino != inode and only(log)
    assert dict(result.before) == dict(place.found) and not result.after and not result.left
    assert {name.kind for name in result.before} == {"github/pat-classic"}


def test_an_access_list_stays(log: Path, tmp_path: Path) -> None:
    # version 2; user::rw-, user:65534:r--, group::r--, mask::r--, other::--- (acl(5), linux/posix_acl_xattr.h)
    entries = ((1, 6, 0xFFFFFFFF), (2, 4, 65534), (4, 4, 0xFFFFFFFF), (16, 4, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF))
    access = (2).to_bytes(4, "little") + b"".join(
        tag.to_bytes(2, "little") + rights.to_bytes(2, "little") + who.to_bytes(4, "little") for tag, rights, who in entries
    )
    try:
        os.setxattr(log, "system.posix_acl_access", access)
    except OSError as error:
        pytest.skip(f"this file system knows no access lists: {error.strerror}")
    plain(tmp_path).scrub(str(log), redactor(), Style.TOKEN)
    assert os.getxattr(log, "system.posix_acl_access") == access and log.read_bytes() == CLEAN


@pytest.mark.parametrize("style", Style)
def test_styles(log: Path, tmp_path: Path, style: Style) -> None:
    plain(tmp_path).scrub(str(log), redactor(), style)
    put = {Style.TOKEN: named, Style.SAME_LENGTH: mask, Style.REMOVE: lambda value: b""}[style]
    assert log.read_bytes() == TEXT.replace(TOKEN, put(TOKEN)).replace(OTHER, put(OTHER))


def test_a_second_run_finds_nothing_to_do(log: Path, tmp_path: Path) -> None:
    files = plain(tmp_path)
    files.scrub(str(log), redactor(), Style.TOKEN)
    inode = os.stat(log).st_ino
    assert not files.plan(str(log), redactor(), Style.TOKEN).found
    assert not files.scrub(str(log), redactor(), Style.TOKEN).before and os.stat(log).st_ino == inode


def test_bytes_that_are_no_text_stay(log: Path, tmp_path: Path) -> None:
    odd = bytes(range(1, 256)) + "\u2028 \ud800".encode("utf-8", "surrogatepass") + b"\r\n\r"
    log.write_bytes(odd + b" " + TOKEN + b" " + odd)
    plain(tmp_path).scrub(str(log), redactor(), Style.TOKEN)
    assert log.read_bytes() == odd + b" " + named(TOKEN) + b" " + odd


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("marked", [True, False])
def test_a_text_in_utf_16_stays_one(log: Path, tmp_path: Path, encoding: str, marked: bool) -> None:
    text = ("\ufeff" if marked else "") + "Zeile 😀 eins\r\ntoken=" + TOKEN.decode() + "\r\nend " * 30
    log.write_bytes(text.encode(encoding))
    result = plain(tmp_path).scrub(str(log), redactor(), Style.TOKEN)
    assert log.read_bytes().decode(encoding) == text.replace(TOKEN.decode(), named(TOKEN).decode())
    assert sum(result.before.values()) == 1 and not result.after


def test_a_secret_at_every_place_around_the_border_of_two_windows(log: Path, tmp_path: Path) -> None:
    from keyward.scrub.stream import BATCH

    line = b"an ordinary line of a log, and one more word\n"
    filler = line * (BATCH // len(line) + 2)
    for inside in (-1, 0, 1, 20, 39, 40, 41):
        before = filler[: BATCH - inside - 7] + b"\ntoken="
        log.write_bytes(before + TOKEN + b"\n" + filler[:100_000])
        plain(tmp_path).scrub(str(log), redactor(), Style.SAME_LENGTH)
        assert log.read_bytes() == before + mask(TOKEN) + b"\n" + filler[:100_000]


def test_several_names_stay_one_file(log: Path, tmp_path: Path) -> None:
    other = tmp_path / "second name"
    os.link(log, other)
    os.utime(log, ns=(10**18, 10**18 + 7))
    place = plain(tmp_path).plan(str(log), redactor(), Style.TOKEN)
    assert place.treatment is Treatment.OVERWRITE and "2 names" in " ".join(place.remarks)
    plain(tmp_path).scrub(str(log), redactor(), Style.TOKEN)
    assert os.path.samefile(log, other) and os.stat(log).st_mtime_ns == 10**18 + 7
    assert other.read_bytes() == TEXT.replace(TOKEN, mask(TOKEN)).replace(OTHER, mask(OTHER))


# --- what is not touched


def refused(log: Path, tmp_path: Path) -> str:
    """Why; the plan and the scrub say the same, and nothing has changed."""
    files = plain(tmp_path)
    with pytest.raises(Refusal) as caught:
        files.scrub(str(log), redactor(), Style.TOKEN)
    assert TOKEN.decode() not in str(caught.value) and caught.value.hint
    return f"{caught.value}. {caught.value.hint}"


@pytest.mark.parametrize("how", ["locks", "flocks", "maps", "writes"])
def test_a_file_in_use_is_refused_by_the_name_of_who_uses_it(log: Path, tmp_path: Path, how: str) -> None:
    with held(log, how) as process:
        said = refused(log, tmp_path)
        assert str(process) in said and "python" in said
        place = plain(tmp_path).plan(str(log), redactor(), Style.TOKEN)
        assert place.treatment is Treatment.REFUSE and str(process) in place.reason
    assert log.read_bytes() == TEXT and only(log)


def test_a_link_is_refused_also_one_that_is_put_there_meanwhile(log: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(log)
    assert "symbolic link" in refused(link, tmp_path)
    victim = tmp_path / "victim"
    victim.write_bytes(TEXT)

    class Swapper:
        """Puts a link in the file's place in the last instant."""

        def before(self, call: Call) -> None:
            if call.what == "fsync file":
                os.unlink(log)
                log.symlink_to(victim)

        def after(self, call: Call, outcome: str) -> None:
            """Nothing."""

    with pytest.raises(Refusal, match="link"):
        plain(tmp_path, fences=(Swapper(),), sleep=lambda seconds: None).scrub(str(log), redactor(), Style.TOKEN)
    assert log.is_symlink() and victim.read_bytes() == TEXT and only(log)


def test_pipes_devices_and_folders_are_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, what in ((pipe, "a pipe"), (Path(os.devnull), "a device"), (tmp_path, "a folder")):
        assert what in refused(path, tmp_path)


class Meanwhile:
    """Does something to the file before each rename, so many times."""

    def __init__(self, act: object, times: int) -> None:
        self.act, self.times = act, times

    def before(self, call: Call) -> None:
        if call.what == "fsync file" and self.times:
            self.times -= 1
            self.act()  # type: ignore[operator]

    def after(self, call: Call, outcome: str) -> None:
        """Nothing."""


def test_a_file_that_changes_is_begun_anew_and_at_last_refused(log: Path, tmp_path: Path) -> None:
    def grow() -> None:
        with open(log, "ab") as file:
            file.write(b"more " + TOKEN + b"\n")

    def quick(seconds: float) -> None:
        """No need to wait."""

    plain(tmp_path, fences=(Meanwhile(grow, 2),), sleep=quick).scrub(str(log), redactor(), Style.TOKEN)
    assert log.read_bytes() == CLEAN + (b"more " + named(TOKEN) + b"\n") * 2
    log.write_bytes(TEXT)
    with pytest.raises(Refusal, match="keeps changing"):
        plain(tmp_path, fences=(Meanwhile(grow, 99),), sleep=quick).scrub(str(log), redactor(), Style.TOKEN)
    assert log.read_bytes().startswith(TEXT) and only(log)


def test_rights_that_are_taken_away_meanwhile_are_not_given_back(log: Path, tmp_path: Path) -> None:
    plain(tmp_path, fences=(Meanwhile(lambda: os.chmod(log, 0o400), 1),), sleep=lambda seconds: None).scrub(
        str(log), redactor(), Style.TOKEN
    )
    assert log.read_bytes() == CLEAN and os.stat(log).st_mode & 0o777 == 0o400


def test_no_room(log: Path, tmp_path: Path) -> None:
    big = TEXT * 100
    log.write_bytes(big)

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(TEXT) * 2, len(TEXT) * 2))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        assert "limit of the size" in refused(log, tmp_path)

    assert in_child(work)
    assert log.read_bytes() == big and only(log)


def test_a_full_and_a_read_only_file_system(small_disk: Path, tmp_path: Path) -> None:
    log = small_disk / "app.log"
    big = TEXT * 400
    log.write_bytes(big[: 40 << 10])
    assert "no space" in refused(log, tmp_path)
    assert log.read_bytes() == big[: 40 << 10] and only(log)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert "read-only" in refused(log, tmp_path)
    assert log.read_bytes() == big[: 40 << 10] and only(log)


@pytest.mark.parametrize(("flag", "word"), [("i", "immutable"), ("a", "append-only")])
def test_protected_files(log: Path, tmp_path: Path, flag: str, word: str) -> None:
    if subprocess.run(["chattr", f"+{flag}", log], capture_output=True, check=False).returncode:
        pytest.skip("this user or file system cannot mark files so")
    try:
        assert word in refused(log, tmp_path) and f"chattr -{flag}" in refused(log, tmp_path)
    finally:
        subprocess.run(["chattr", f"-{flag}", log], check=True)
    assert log.read_bytes() == TEXT and only(log)


def test_a_hundred_gigabytes_of_holes_are_quick_and_stay_holes(log: Path, tmp_path: Path) -> None:
    begin = b"an ordinary line\n" * 300
    log.write_bytes(begin + TEXT)
    with open(log, "r+b") as file:
        file.seek(50 << 30)
        file.write(b"far away " + TOKEN + b"\n")
        try:
            file.truncate(100 << 30)
        except OSError as error:
            pytest.skip(f"this file system takes no file of that size: {error.strerror}")
    began = time.process_time()
    result = plain(tmp_path).scrub(str(log), redactor(), Style.TOKEN)
    assert time.process_time() - began < 20
    assert sum(result.before.values()) == 4 and not result.after
    shorter = sum(result.before.values()) * (len(TOKEN) - len(named(TOKEN)))
    status = os.stat(log)
    assert status.st_size == (100 << 30) - shorter and status.st_blocks * 512 < 1 << 20
    with open(log, "rb") as file:
        assert file.read(len(begin + CLEAN)) == begin + CLEAN
        file.seek((50 << 30) - 3 * (len(TOKEN) - len(named(TOKEN))))
        assert file.read(100).startswith(b"far away " + named(TOKEN) + b"\n")


@pytest.mark.parametrize("forced", [False, True])
def test_what_begins_or_ends_at_a_hole_goes_and_nothing_is_joined_across_one(log: Path, tmp_path: Path, forced: bool) -> None:
    block = 1 << 20
    begin = b"an ordinary line\n" * 300
    pieces = {
        0: begin,
        4 * block: TOKEN + b" begins",
        7 * block - len(TOKEN): TOKEN,
        9 * block - 20: TOKEN[:20],
        12 * block: TOKEN[20:],
        14 * block: b"PASSWORD=",
        16 * block: TOKEN,
    }
    with open(log, "wb") as file:
        for at, piece in pieces.items():
            file.seek(at)
            file.write(piece)
        file.truncate(20 * block)
    before = log.read_bytes()
    style = Style.SAME_LENGTH if forced else Style.TOKEN
    place = plain(tmp_path, forced=forced).plan(str(log), redactor(), style)
    dense = log.with_name("dense.log")
    dense.write_bytes(before)
    assert plain(tmp_path, forced=forced).plan(str(dense), redactor(), style).found == place.found
    assert sum(place.found.values()) == 3
    result = plain(tmp_path, forced=forced).scrub(str(log), redactor(), style)
    assert not result.after and not result.left
    assert log.read_bytes() == before.replace(TOKEN, mask(TOKEN) if forced else named(TOKEN))
    assert os.stat(log).st_blocks * 512 < 4 * block


def test_a_binary_file_is_reported_and_only_overwritten_when_forced(log: Path, tmp_path: Path) -> None:
    data = b"\x7fELF\0\1\2 " + TOKEN + b"\0\0 end"
    log.write_bytes(data)
    place = plain(tmp_path).plan(str(log), redactor(), Style.TOKEN)
    assert (place.treatment, place.store) == (Treatment.REPORT, BINARY) and "same-length" in place.reason
    refused(log, tmp_path)
    assert log.read_bytes() == data
    plain(tmp_path, forced=True).scrub(str(log), redactor(), Style.SAME_LENGTH)
    assert log.read_bytes() == data.replace(TOKEN, mask(TOKEN))


def test_another_scrub_at_work_is_not_disturbed_and_an_abandoned_one_is_cleared_away(log: Path, tmp_path: Path) -> None:
    import fcntl

    beside = log.parent / temporary_name(log.name)
    with open(beside, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "another scrub" in refused(log, tmp_path)
        assert beside.exists() and log.read_bytes() == TEXT
    plain(tmp_path).scrub(str(log), redactor(), Style.TOKEN)
    assert log.read_bytes() == CLEAN and only(log)


def test_a_hostile_name(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    path = folder / os.fsdecode(b"\x1b[2K\r::add-mask::\n-rf \xff.log")
    path.write_bytes(TEXT)
    plain(tmp_path).scrub(str(path), redactor(), Style.TOKEN)
    assert path.read_bytes() == CLEAN and only(path)


# --- killed


def test_killed_anywhere_it_is_old_or_new_and_nothing_secret_lies_beside_it(log: Path, tmp_path: Path) -> None:
    recorder = Recorder()
    plain(tmp_path, fences=(recorder,)).scrub(str(log), redactor(), Style.TOKEN)
    acts = {event.what for event in recorder.events}
    assert {"create", "write", "fsync file", "rename", "fsync folder"} <= acts
    seen = set()
    for number in range(len(recorder.events)):
        log.write_bytes(TEXT)
        killed = in_child(
            lambda number=number: plain(tmp_path, fences=(Killer(number),)).scrub(str(log), redactor(), Style.TOKEN)  # type: ignore[misc]
        )
        assert not killed
        now = log.read_bytes()
        assert now in (TEXT, CLEAN)
        seen.add(now)
        for entry in os.scandir(log.parent):
            if entry.name != log.name:
                left = Path(entry.path).read_bytes()
                assert TOKEN not in left and OTHER not in left
                assert not os.stat(entry.path).st_mode & ~os.stat(log).st_mode & 0o777
        plain(tmp_path).scrub(str(log), redactor(), Style.TOKEN)
        assert log.read_bytes() == CLEAN and only(log)
    assert seen == {TEXT, CLEAN}


def test_opened_by_descriptor(log: Path) -> None:
    with OpenFile(str(log)) as file:
        assert file.unchanged() and file.read(0, 7) == b"started"
        os.rename(log, log.with_suffix(".1"))
        assert not file.in_place()
        log.write_bytes(b"another")
        assert not file.in_place() and file.read(0, 7) == b"started"


def test_counts_are_by_secret(log: Path, tmp_path: Path) -> None:
    place = plain(tmp_path).plan(str(log), redactor(), Style.TOKEN)
    assert sorted(place.found.values()) == [1, 2] and all(isinstance(name, Name) for name in place.found)
    assert TOKEN.decode() not in repr(place)
