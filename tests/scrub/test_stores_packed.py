"""Packed files and archives: what is in them goes, and the rest of them is byte for byte as before."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
import zstandard
from scrub.stores_support import PSEUDONYMS, holds, plan, redactor, scrub, store
from tests_support import token

from keyward.model.kind import Kind
from keyward.scrub.plan import Name, Refusal, Treatment
from keyward.scrub.redactor import Style
from keyward.scrub.stores import store_for
from keyward.testing.planted_home import Home, agents, openclaw

VALUE, OTHER = token(21), token(22)
KIND = Kind("github/pat-classic")
NAME = Name(KIND, PSEUDONYMS.of(VALUE))
TEXT = b"".join(b"2026-01-01 03:04:%02d INFO number %d\n" % (n % 60, n) for n in range(3000)) + b"key " + VALUE + b"\n"


def shown(value: bytes = VALUE) -> bytes:
    return f"[redacted:{KIND}:{PSEUDONYMS.of(value)}]".encode()


CLEAN = TEXT.replace(VALUE, shown())


def test_gzip_keeps_its_header_mode_and_time(tmp_path: Path) -> None:
    path = tmp_path / "app.log.3.gz"
    buffer = io.BytesIO()
    with gzip.GzipFile("app.log", "wb", 9, buffer, mtime=1_700_000_000) as file:
        file.write(TEXT)
    path.write_bytes(buffer.getvalue())
    path.chmod(0o640)
    os.utime(path, (1_700_000_001, 1_700_000_001))
    before = path.read_bytes()
    scrub(path)
    after = path.read_bytes()
    assert gzip.decompress(after) == CLEAN
    header = before.index(b"app.log\0") + 8
    assert after[:header] == before[:header]
    if gunzip := shutil.which("gunzip"):
        result = subprocess.run([gunzip, "-t", str(path)], capture_output=True, check=False)
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("style", Style)
def test_what_gzip_itself_packed(tmp_path: Path, style: Style) -> None:
    program = shutil.which("gzip")
    if program is None:
        pytest.skip("gzip is not installed") if not os.environ.get("CI") else pytest.fail("gzip is not installed")
    path = tmp_path / "app.log"
    path.write_bytes(TEXT)
    subprocess.run([program, "-9", str(path)], check=True)
    packed = tmp_path / "app.log.gz"
    scrub(packed, style=style)
    subprocess.run([program, "-dN", str(packed)], check=True)
    assert VALUE not in path.read_bytes() and path.read_bytes().startswith(TEXT[:1000])


def test_several_streams_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "app.log.gz"
    path.write_bytes(gzip.compress(TEXT[:-20]) + gzip.compress(TEXT[-20:]))  # the value stands over the border
    scrub(path)
    assert gzip.decompress(path.read_bytes()) == CLEAN


@pytest.mark.parametrize("check", [lzma.CHECK_NONE, lzma.CHECK_CRC32, lzma.CHECK_SHA256])
def test_xz_keeps_its_check(tmp_path: Path, check: int) -> None:
    path = tmp_path / "app.log.xz"
    path.write_bytes(lzma.compress(TEXT, check=check))
    scrub(path)
    decompressor = lzma.LZMADecompressor()
    assert decompressor.decompress(path.read_bytes()) == CLEAN and decompressor.check == check


def test_bzip2_keeps_its_block_size(tmp_path: Path) -> None:
    path = tmp_path / "app.log.bz2"
    path.write_bytes(bz2.compress(TEXT, 3))
    scrub(path)
    assert bz2.decompress(path.read_bytes()) == CLEAN and path.read_bytes().startswith(b"BZh3")


@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("sized", [True, False])
def test_zstandard_keeps_checksum_and_size(tmp_path: Path, checksum: bool, sized: bool) -> None:
    path = tmp_path / "rollout.jsonl.zst"
    line = json.dumps({"type": "response_item", "text": f"a\u2028b {VALUE.decode()}"}, ensure_ascii=False).encode() + b"\n"
    path.write_bytes(zstandard.ZstdCompressor(write_checksum=checksum, write_content_size=sized).compress(line * 3))
    scrub(path)
    parameters = zstandard.get_frame_parameters(path.read_bytes())
    assert bool(parameters.has_checksum) == checksum
    assert (parameters.content_size == zstandard.CONTENTSIZE_UNKNOWN) != sized
    assert zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes()) == line.replace(VALUE, shown()) * 3


def test_a_damaged_pack_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "app.log.gz"
    path.write_bytes(gzip.compress(TEXT)[:-40])
    before = path.read_bytes()
    planned = plan(path)
    assert planned.treatment is Treatment.REPORT and "truncated" in planned.reason
    with pytest.raises(Refusal, match="cannot be rewritten"):
        store(path).scrub(str(path), redactor(), Style.TOKEN)
    assert path.read_bytes() == before


MEMBERS = {
    "a/first.txt": b"nothing\n",
    "a/.env": b"GITHUB_TOKEN=" + VALUE + b"\n",
    "a/log.jsonl": b'{"t":"' + VALUE.replace(b"_", b"\\u005f") + b'"}\n',
    "a/last.bin": bytes(range(256)) * 4,
}


def zipped(path: Path, method: int = zipfile.ZIP_DEFLATED, **more: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.comment = b"kept"
        for number, (name, content) in enumerate({**MEMBERS, **more}.items()):
            entry = zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 2 * number))
            entry.external_attr = (0o100640 + number) << 16
            entry.comment = f"comment {number}".encode()
            entry.extra = b"UT\x05\x00\x01\x00\x00\x00\x60"
            archive.writestr(entry, content, method if number % 2 else zipfile.ZIP_STORED)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_of_a_zip_only_the_members_change(tmp_path: Path, method: int) -> None:
    path = tmp_path / "export.zip"
    zipped(path, method)
    with zipfile.ZipFile(path) as archive:
        before = archive.infolist()
    result = scrub(path)
    assert result.before == {NAME: 2}
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None and archive.comment == b"kept"
        for old, new in zip(before, archive.infolist(), strict=True):
            for field in ("filename", "date_time", "external_attr", "comment", "extra", "compress_type", "create_system"):
                assert getattr(old, field) == getattr(new, field), field
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert contents["a/.env"] == b"GITHUB_TOKEN=" + shown() + b"\n" and contents["a/log.jsonl"] == b'{"t":"' + shown() + b'"}\n'
    assert contents["a/first.txt"] == MEMBERS["a/first.txt"] and contents["a/last.bin"] == MEMBERS["a/last.bin"]
    if unzip := shutil.which("unzip"):
        result_ = subprocess.run([unzip, "-t", str(path)], capture_output=True, check=False)
        assert result_.returncode == 0, result_.stdout


def test_a_zip_written_to_a_pipe(tmp_path: Path) -> None:
    """Its headers say that the sizes follow the data."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            piece = bytes(data)  # type: ignore[call-overload]
            self.data += piece
            return len(piece)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for name, content in MEMBERS.items():
            archive.writestr(name, content)
    path = tmp_path / "a.zip"
    path.write_bytes(pipe.data)
    scrub(path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None and archive.read("a/.env") == b"GITHUB_TOKEN=" + shown() + b"\n"


def test_archives_in_archives(tmp_path: Path) -> None:
    path = tmp_path / "backup.tar.gz"
    inner = tmp_path / "inner.zip"
    zipped(inner)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in (("x.zip", inner.read_bytes()), ("y.log.gz", gzip.compress(TEXT, mtime=0))):
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    path.write_bytes(gzip.compress(buffer.getvalue()))
    inner.unlink()
    assert scrub(path).before == {NAME: 3}
    with tarfile.open(path) as archive:
        log = archive.extractfile("y.log.gz")
        box = archive.extractfile("x.zip")
        assert log is not None and box is not None
        assert gzip.decompress(log.read()) == CLEAN
        with zipfile.ZipFile(io.BytesIO(box.read())) as zip_archive:
            assert zip_archive.read("a/.env") == b"GITHUB_TOKEN=" + shown() + b"\n"


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_of_a_tar_only_the_members_change(tmp_path: Path, form: int) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=form) as archive:
        for number, (name, content) in enumerate(MEMBERS.items()):
            header = tarfile.TarInfo(name if number else "d" * 90 + "/" + name)
            header.size, header.mtime, header.mode, header.uname = len(content), 1_700_000_000 + number, 0o640, "ann"
            archive.addfile(header, io.BytesIO(content))
        link = tarfile.TarInfo("a/link")
        link.type, link.linkname = tarfile.SYMTYPE, ".env"
        archive.addfile(link)
    with tarfile.open(path) as archive:
        before = [
            (each.name, each.mtime, each.mode, each.uname, each.type, each.linkname, each.pax_headers) for each in archive
        ]
    scrub(path)
    with tarfile.open(path) as archive:
        after = [(each.name, each.mtime, each.mode, each.uname, each.type, each.linkname, each.pax_headers) for each in archive]
        env, last = archive.extractfile("a/.env"), archive.extractfile("a/last.bin")
        assert env is not None and last is not None
        assert env.read() == b"GITHUB_TOKEN=" + shown() + b"\n" and last.read() == MEMBERS["a/last.bin"]
    assert after == before and path.stat().st_size % 512 == 0
    if program := shutil.which("tar"):
        result = subprocess.run([program, "-tf", str(path)], capture_output=True, text=True, check=False)
        assert result.returncode == 0 and len(result.stdout.splitlines()) == 5, result.stderr


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("a.jar", {"META-INF/MANIFEST.MF": b"x", "META-INF/CERT.SF": b"x", "META-INF/CERT.RSA": b"x"}),
        ("a.whl", {"a-1.dist-info/RECORD": b"a/.env,sha256=x,1\n"}),
        ("a.docx", {"[Content_Types].xml": b"<x/>"}),
    ],
)
def test_what_is_signed_is_named_and_not_edited(tmp_path: Path, name: str, more: dict[str, bytes]) -> None:
    path = tmp_path / name
    zipped(path, **more)
    before = path.read_bytes()
    planned = plan(path)
    assert planned.treatment is Treatment.REPORT and planned.found == {NAME: 2} and planned.reason
    result = store(path).scrub(str(path), redactor(), Style.TOKEN)
    assert result.after == {NAME: 2} and result.left and path.read_bytes() == before


def test_an_archive_that_is_open_elsewhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    zipped(path)
    before = path.read_bytes()
    with open(path, "rb") as file, subprocess.Popen(["sleep", "60"], stdin=file) as owner:
        try:
            assert plan(path).treatment is Treatment.REFUSE and f"process {owner.pid}" in plan(path).reason
            with pytest.raises(Refusal, match=f"process {owner.pid}"):
                store(path).scrub(str(path), redactor(), Style.TOKEN)
        finally:
            owner.kill()
    assert path.read_bytes() == before


def test_what_is_in_a_pdf_in_a_zip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    zipped(path, **{"a.pdf": b"%PDF-1.4\n1 0 obj\n<< /T (" + OTHER + b") >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"})
    result = store(path).scrub(str(path), redactor(), Style.TOKEN)
    assert result.after == {Name(KIND, PSEUDONYMS.of(OTHER)): 1} and "PDF" in result.left[0]
    with zipfile.ZipFile(path) as archive:
        assert holds(b"".join(archive.read(name) for name in archive.namelist()), [VALUE]) == []


def test_a_binary_member_is_named_or_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    zipped(path, **{"core": b"\x7fELF\0" + OTHER + b"\0"})
    result = store(path).scrub(str(path), redactor(), Style.TOKEN)
    assert result.after == {Name(KIND, PSEUDONYMS.of(OTHER)): 1} and "binary" in result.left[0]
    scrub(path, style=Style.SAME_LENGTH)
    with zipfile.ZipFile(path) as archive:
        assert len(archive.read("core")) == len(OTHER) + 6 and OTHER not in archive.read("core")


def reported(path: Path, words: str, command: str = "") -> None:
    before = path.read_bytes()
    planned = plan(path)
    assert planned.treatment is Treatment.REPORT and words in planned.reason and command in planned.command, planned
    result = store(path).scrub(str(path), redactor(), Style.TOKEN)
    assert result.after == result.before == planned.found and path.read_bytes() == before
    assert bool(result.left) == bool(result.after)


def test_what_belongs_to_its_tool_is_named_and_not_edited(tmp_path: Path) -> None:
    (tmp_path / "system.journal").write_bytes(b"LPKSHHRH" + b"\0" * 100 + b"MESSAGE=" + VALUE + b"\0")
    reported(tmp_path / "system.journal", "chained", "journalctl --rotate && journalctl --vacuum-time")
    content = b"stdout " + VALUE + b"\n"
    path = tmp_path / f"{hashlib.sha256(content).hexdigest()}.txt"
    path.write_bytes(content)
    reported(path, "content's hash")
    path = tmp_path / f"{'0' * 64}.txt"
    path.write_bytes(content)
    assert store_for(str(path), content) is None  # a name that only looks like a hash
    path = tmp_path / "main.shada"
    path.write_bytes(b"\x04\xce" + VALUE)
    reported(path, "Neovim")
    path = tmp_path / ".x.swp"
    path.write_bytes(b"b0VIM 9.0\0" + VALUE + b"\0")
    reported(path, "vim")
    path = tmp_path / "x.pdf"
    path.write_bytes(b"%PDF-1.4\n1 0 obj\n<< /T (" + VALUE + b") >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n")
    reported(path, "program that wrote it")


def test_git_objects_are_for_the_plan_of_a_history(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "r")], check=True)
    (tmp_path / "r" / "a").write_bytes(b"key " + VALUE)
    subprocess.run(["git", "-C", str(tmp_path / "r"), "add", "a"], check=True)
    (path,) = (each for each in (tmp_path / "r/.git/objects").glob("??/*"))
    reported(path, "commits", "--git-plan")


def test_agents_archives_that_are_named_by_hashes(tmp_path: Path) -> None:
    home = Home(tmp_path)
    openclaw.plant(home)
    agents.plant(home)
    for place, words in (
        ("openclaw/cold archive", "delete the session"),
        ("agents/content-addressed output", "content's hash"),
    ):
        (each,) = (each for each in home.canaries if each.place == place)
        reported(tmp_path / each.path, words)
    (each,) = (each for each in home.canaries if each.place == "agents/codex zstd session")
    before = zstandard.decompress((tmp_path / each.path).read_bytes())
    scrub(tmp_path / each.path)
    after = zstandard.decompress((tmp_path / each.path).read_bytes())
    assert after == before.replace(each.value.encode(), shown(each.value.encode()))
    (each,) = (each for each in home.canaries if each.place == "openclaw/backup")
    scrub(tmp_path / each.path)
