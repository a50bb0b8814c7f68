"""Bombs, lies and damage: a scan ends within the limits, in bounded memory, and names the file."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import resource
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packing import PACKS, zstandard
from tests_support import token

from keyward.formats.opened import Limits
from keyward.match import catalogue
from keyward.match.fingerprint import Fingerprinter
from keyward.match.matcher import Matcher
from keyward.registry import Registry
from keyward.scan.examine import Examined, Examiner, Place
from keyward.scan.pool import examine_file
from keyward.scan.unpack import Budget, CutOff

TOKEN = token(42)
CONTENT = b"GITHUB_TOKEN=" + TOKEN + b"\n"
MEMORY = 600 << 20
"""Bytes by which a scan of any file may grow the process, on top of what it had: the containers that are held, twice."""


def new_examiner(limits: Limits | None = None) -> Examiner:
    registry = Registry()
    matcher = Matcher(registry, catalogue.load(registry, portable=False, on_compile=lambda rules: None))
    return Examiner(matcher, Fingerprinter(bytes(16)), limits=limits)


@pytest.fixture(scope="module")
def examiner() -> Examiner:
    return new_examiner()


def bounded(examiner: Examiner, path: Path, data: bytes, seconds: float = 20.0) -> Examined:
    """What a scan of the bytes gives, after checking what it took."""
    path.write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    examined = examine_file(examiner, str(path), follow=False)
    assert time.process_time() - started < seconds
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MEMORY
    return examined


def reasons(examined: Examined) -> str:
    return "\n".join(f"{problem.path}: {problem.reason}" for problem in examined.problems if not problem.opaque)


def zip_of(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


# bombs


def test_zips_in_zips_that_become_ever_larger(examiner: Examiner, tmp_path: Path) -> None:
    """As 42.zip: sixteen in sixteen, each the same file again."""
    data = zip_of({"zeros": bytes(256 << 20)})
    for level in range(4):
        data = zip_of({f"{level}-{number}.zip": data for number in range(16)})
    examined = bounded(examiner, tmp_path / "42.zip", data)
    assert "unpacks to more than 200 times its size" in reasons(examined)
    assert len(examined.problems) == 1


def test_a_zip_whose_members_overlap(examiner: Examiner, tmp_path: Path) -> None:
    """One compressed kernel that every entry of the directory points at."""
    data = zip_of({"a": bytes(40 << 20)})
    start = data.index(b"PK\1\2")
    entry = data[start : data.index(b"PK\5\6")]
    count = 2000
    directory = b"".join(
        entry[:28] + (5).to_bytes(2, "little") + bytes(2) + entry[32:46] + b"%05d" % number for number in range(count)
    )
    end = (
        b"PK\5\6"
        + bytes(4)
        + count.to_bytes(2, "little") * 2
        + len(directory).to_bytes(4, "little")
        + start.to_bytes(4, "little")
    )
    examined = bounded(examiner, tmp_path / "overlap.zip", data[:start] + directory + end + bytes(2))
    assert "unpacks to more than 200 times its size" in reasons(examined)


def test_ten_gigabytes_of_zeros_in_two_megabytes(examiner: Examiner, tmp_path: Path) -> None:
    one = lzma.compress(bytes(100 << 20), preset=0)
    assert len(one) * 100 < 10 << 20
    examined = bounded(examiner, tmp_path / "zeros.xz", one * 100)
    assert "unpacks to more than 200 times its size" in reasons(examined)
    twice = gzip.compress(gzip.compress(bytes(400 << 20), 1), 9)
    examined = bounded(examiner, tmp_path / "zeros.gz", twice)
    assert "unpacks to more than 200 times its size" in reasons(examined)
    examined = bounded(examiner, tmp_path / "zeros.zst", zstandard(bytes(400 << 20)))
    assert "unpacks to more than 200 times its size" in reasons(examined)


def quine() -> bytes:
    """A gzip that unpacks to itself, after Russ Cox, "Zip Files All The Way Down": here, one that gzips for ever is near enough, so each
    member holds the next to a depth that no limit allows."""
    data = b"end"
    for _ in range(40):
        data = gzip.compress(data, mtime=0)
    return data


def test_gzip_in_gzip_without_end(examiner: Examiner, tmp_path: Path) -> None:
    examined = bounded(examiner, tmp_path / "quine.gz", quine())
    assert "more than 8 containers deep" in reasons(examined)
    assert len(examined.problems) == 1


class ManyEntries(io.RawIOBase):
    """A tar of so many empty files, numbered, made as it is read: a thousand headers at once, whose last three digits stay."""

    def __init__(self, count: int) -> None:
        self._thousands = iter(range(count // 1000))
        self._headers = bytearray(
            b"".join(tarfile.TarInfo(f"{number:09d}").tobuf(tarfile.USTAR_FORMAT) for number in range(1000))
        )
        self._sums = bytes(sum(b"%03d" % number) - sum(b"000") for number in range(1000))
        self._base = int(self._headers[148:154], 8)
        self._buffer = memoryview(b"")

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._buffer:
            thousand = next(self._thousands, None)
            if thousand is None:
                return 0
            self._buffer = memoryview(self._numbered(b"%06d" % thousand))
        size = min(len(buffer), len(self._buffer))
        buffer[:size] = self._buffer[:size]
        self._buffer = self._buffer[size:]
        return size

    def _numbered(self, digits: bytes) -> bytearray:
        """The headers with these first digits of their numbers, column by column, checksums included; the same ones each time."""
        for at, digit in enumerate(digits):
            self._headers[at::512] = bytes([digit]) * 1000
        base = self._base + sum(digits) - sum(b"000000")
        sums = [b"%06o" % (base + more) for more in range(256)]
        for at in range(6):
            self._headers[148 + at :: 512] = self._sums.translate(bytes(each[at] for each in sums))
        return self._headers


def test_entries_made_as_they_are_read_are_a_tar() -> None:
    with tarfile.open(fileobj=ManyEntries(12_000), mode="r|") as archive:  # type: ignore[call-overload]
        assert [each.name for each in archive] == [f"{number:09d}" for number in range(12_000)]


def test_a_tar_with_ten_million_entries(examiner: Examiner) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    examined = examiner.examine_source(Place("stdin", "many.tar"), ManyEntries(10_000_000).read)
    assert "many.tar" in reasons(examined)
    assert "more than 100,000 members" in reasons(examined)
    assert time.process_time() - started < 60
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 2 * MEMORY


def test_a_zip_with_a_million_entries(examiner: Examiner, tmp_path: Path) -> None:
    entry = bytearray(b"PK\1\2" + bytes(42))
    entry[28:30] = (7).to_bytes(2, "little")
    directory = b"".join(bytes(entry) + b"%07d" % number for number in range(1_000_000))
    local = b"PK\3\4" + bytes(22) + (7).to_bytes(2, "little") + bytes(2) + b"0000000"
    record = b"PK\6\6" + (44).to_bytes(8, "little") + bytes(12) + (10**6).to_bytes(8, "little") * 2
    record += len(directory).to_bytes(8, "little") + len(local).to_bytes(8, "little")
    where = len(local) + len(directory)
    locator = b"PK\6\7" + bytes(4) + where.to_bytes(8, "little") + (1).to_bytes(4, "little")
    end = b"PK\5\6" + bytes(4) + b"\xff" * 12 + bytes(2)
    examined = bounded(examiner, tmp_path / "many.zip", local + directory + record + locator + end, seconds=40)
    assert "more than 100,000 members" in reasons(examined)


def test_time_is_a_limit_too(tmp_path: Path) -> None:
    examiner = new_examiner(Limits(seconds=0.0))
    name, data = PACKS["zip, deflated"]("app/.env", CONTENT)
    examined = bounded(examiner, tmp_path / name, data)
    assert "takes longer than 0 seconds" in reasons(examined)


def test_what_was_found_before_a_limit_is_kept(tmp_path: Path) -> None:
    limits = Limits(bytes=1 << 20)
    data = zip_of({"a.env": CONTENT, "b.log": CONTENT + random.Random(1).randbytes(3 << 20), "c.env": CONTENT})
    examined = bounded(new_examiner(limits), tmp_path / "x.zip", data)
    assert "x.zip → b.log: it unpacks to more than 1,024 KB" in reasons(examined)
    assert [o.locator.container for o in examined.occurrences] == [("a.env",), ("b.log",)]


def test_a_budget_counts_everything_together() -> None:
    now = [0.0]
    budget = Budget(Limits(members=2, bytes=100, seconds=10), 50, clock=lambda: now[0])
    budget.member()
    budget.member()
    with pytest.raises(CutOff, match="more than 2 members"):
        budget.member()
    budget.spend(100)
    with pytest.raises(CutOff, match="more than 100 bytes"):
        budget.spend(1)
    now[0] = 11
    with pytest.raises(CutOff, match="longer than 10 seconds"):
        budget.seconds()


# lies and damage


def test_a_member_is_read_to_its_own_end_whatever_size_it_claims(examiner: Examiner, tmp_path: Path) -> None:
    data = bytearray(zip_of({"a.env": b"x" * 1000 + b"\n" + CONTENT}))
    for mark, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        start = data.index(mark) + at
        data[start : start + 4] = (10).to_bytes(4, "little")
    examined = bounded(examiner, tmp_path / "x.zip", bytes(data))
    assert [o.locator.container for o in examined.occurrences] == [("a.env",)]


@pytest.mark.parametrize("claimed", [10**9, 8**11 - 1, -1, -512, -(10**9)])
def test_a_tar_that_lies_about_sizes(examiner: Examiner, tmp_path: Path, claimed: int) -> None:
    first = tarfile.TarInfo("first.env")
    first.size = len(CONTENT)
    info = tarfile.TarInfo("liar")
    info.size = claimed
    data = (
        first.tobuf(tarfile.GNU_FORMAT)
        + CONTENT.ljust(512, b"\0")
        + info.tobuf(tarfile.GNU_FORMAT)
        + CONTENT.ljust(1024, b"\0")
    )
    examined = bounded(examiner, tmp_path / "x.tar", data)
    assert ("first.env",) in [o.locator.container for o in examined.occurrences]
    assert "x.tar" in reasons(examined)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_tar_whose_headers_are_hostile(examiner: Examiner, tmp_path: Path, kind: bytes) -> None:
    for size, content in ((1 << 33, b""), (300_000, b"1" * 300_000), (20, b"0 a=b\n".ljust(20))):
        info = tarfile.TarInfo("x")
        info.type, info.size = kind, size
        padded = content + bytes(-len(content) % 512)
        data = info.tobuf(tarfile.GNU_FORMAT) + padded + tarfile.TarInfo("y").tobuf() + bytes(1024)
        bounded(examiner, tmp_path / "x.tar", data, seconds=5)


@pytest.mark.parametrize("name", [name for name in PACKS if name not in ("mail",)])
def test_what_is_cut_off_is_named_and_the_rest_of_it_looked_at(examiner: Examiner, tmp_path: Path, name: str) -> None:
    outer, data = PACKS[name]("app/.env", CONTENT + random.Random(2).randbytes(200_000))
    examined = bounded(examiner, tmp_path / outer, data[: len(data) // 2])
    assert outer in reasons(examined)
    if not name.startswith(("7z", "zip, bzip2", "bzip2")):  # a block of bzip2 and a 7z archive are nothing without their end
        assert [o.kind for o in examined.occurrences] == ["github/pat-classic"]


def test_names_are_labels_and_lead_nowhere(examiner: Examiner, tmp_path: Path) -> None:
    names = ["../../outside.env", "/etc/absolute.env", "a\x1b[31mred.env", "two\nlines.env", "…/ünï.env", "x" * 3000]
    work = tmp_path / "work"
    work.mkdir()
    with tarfile.open(work / "x.tar", "w") as archive:
        link = tarfile.TarInfo("out.env")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "target")
        archive.addfile(link)
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(CONTENT)
            archive.addfile(info, io.BytesIO(CONTENT))
    (tmp_path / "target").write_bytes(b"GITHUB_TOKEN=" + token(7))
    examined = examine_file(examiner, str(work / "x.tar"), follow=False)
    assert [o.locator.container for o in examined.occurrences] == [(name,) for name in names]
    assert sorted(os.listdir(tmp_path)) == ["target", "work"]
    assert os.listdir(work) == ["x.tar"]
    zipped = zip_of({"../../outside.env": CONTENT, "nul\x00x.env"[:3] + ".env": CONTENT})
    assert len(bounded(examiner, work / "y.zip", zipped).occurrences) == 2


def test_an_encrypted_member_is_named_and_makes_no_scan_fail(examiner: Examiner, tmp_path: Path) -> None:
    (tmp_path / "secret.env").write_bytes(CONTENT * 10)
    if not any(os.access(os.path.join(folder, "zip"), os.X_OK) for folder in os.environ["PATH"].split(os.pathsep)):
        if os.environ.get("CI"):
            pytest.fail("zip is not installed")
        pytest.skip("zip is not installed")
    subprocess.run(["zip", "-q", "-P", "a word", "x.zip", "secret.env"], cwd=tmp_path, check=True)
    examined = examine_file(examiner, str(tmp_path / "x.zip"), follow=False)
    assert examined.occurrences == []
    assert [(p.path.rpartition("/")[2], p.reason, p.opaque) for p in examined.problems] == [
        ("x.zip → secret.env", "encrypted", True)
    ]


def test_many_of_one_reason_are_counted(examiner: Examiner, tmp_path: Path) -> None:
    data = bytearray(zip_of({f"{n}.env": b"x" for n in range(500)}, zipfile.ZIP_STORED))
    at = -1
    while (at := data.find(b"PK\1\2", at + 1)) >= 0:
        data[at + 8] |= 1
    examined = bounded(examiner, tmp_path / "x.zip", bytes(data))
    assert len(examined.problems) == 11
    assert examined.problems[-1].reason == "490 more members: encrypted"


def test_something_behind_the_packed_data_is_named_and_looked_at(examiner: Examiner, tmp_path: Path) -> None:
    for name, compress in (("x.gz", gzip.compress), ("x.bz2", bz2.compress), ("x.xz", lzma.compress), ("x.zst", zstandard)):
        examined = bounded(examiner, tmp_path / name, compress(b"harmless") + b"\n" + CONTENT)
        assert "follows" in reasons(examined), name
        assert [o.locator.container for o in examined.occurrences] == [()], name
        examined = bounded(examiner, tmp_path / name, compress(b"harmless ") + compress(CONTENT) + bytes(512))
        assert examined.problems == [], name
        assert [o.locator.container for o in examined.occurrences] == [("",)], name


# anything at all

SAMPLES = [pack("app/.env", CONTENT) for pack in PACKS.values()]
SAMPLES += [
    PACKS["gzip"](*PACKS["tar, gnu"]("a", CONTENT)),
    ("x.pkl", b"(dp0\nVkey\np1\nVa\\u000ab\np2\ns."),
    ("x.zlib", zlib.compress(CONTENT)),
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=0, max_size=6), st.integers(0, 6)), max_size=6),
)
def test_no_bytes_make_it_raise_or_hang(
    examiner: Examiner, sample: tuple[str, bytes], changes: list[tuple[float, bytes, int]]
) -> None:
    name, data = sample
    for place, new, old in changes:
        at = int(place * len(data))
        data = data[:at] + new + data[at + old :]
    started = time.process_time()
    examined = examiner.examine_bytes(Place("tree", name), data)
    assert time.process_time() - started < 10
    said = [problem.reason for problem in examined.problems]
    if not name.endswith(".7z"):  # whose library raises what it likes
        assert not any("Error)" in reason for reason in said if "struct" not in reason), said


def test_no_scan_leaves_an_alarm_or_writes_a_file(tmp_path: Path) -> None:
    """In a process of its own, which notes every file that is opened to be written."""
    names = []
    for pack in PACKS.values():
        name, data = pack("app/.env", CONTENT)
        (tmp_path / f"{len(names)}-{name}").write_bytes(data)
        names.append(str(tmp_path / f"{len(names)}-{name}"))
    script = """
import os, signal, sys
from keyward.match import catalogue
from keyward.match.fingerprint import Fingerprinter
from keyward.match.matcher import Matcher
from keyward.registry import Registry
from keyward.scan.examine import Examiner
from keyward.scan.pool import examine_file
registry = Registry()
matcher = Matcher(registry, catalogue.load(registry, portable=False, on_compile=lambda rules: None))
examiner = Examiner(matcher, Fingerprinter(bytes(16)))
sys.dont_write_bytecode = True
written = []
def note(event, arguments):
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        written.append(arguments[0])
    if event in ("os.mkdir", "os.rename", "subprocess.Popen", "tempfile.mkstemp"):
        written.append(event)
sys.addaudithook(note)
found = sum(len(examine_file(examiner, path, follow=False).occurrences) for path in sys.argv[1:])
print(found, written, signal.getsignal(signal.SIGALRM) == signal.SIG_DFL, signal.getitimer(signal.ITIMER_REAL))
"""
    run = subprocess.run([sys.executable, "-c", script, *names], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == f"{len(PACKS)} [] True (0.0, 0.0)"
