"""Each opener on what the real programs write, and on what is peculiar to its format."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import marshal
import os
import pickle
import py_compile
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import packing
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests_support import token

from keyward.formats.containers import pdf, pdf_text
from keyward.formats.opened import Container, Member, Pack, Unread
from keyward.formats.openers import opener_for
from keyward.match import catalogue
from keyward.match.fingerprint import Fingerprinter
from keyward.match.matcher import Matcher
from keyward.registry import Registry
from keyward.scan.examine import Examined, Examiner
from keyward.scan.pool import examine_file
from keyward.scan.reread import reread

TOKEN = token(51)


@pytest.fixture(scope="module")
def examiner() -> Examiner:
    registry = Registry()
    matcher = Matcher(registry, catalogue.load(registry, portable=False, on_compile=lambda rules: None))
    return Examiner(matcher, Fingerprinter(bytes(16)))


def scanned(examiner: Examiner, path: Path) -> Examined:
    """A scan, after which every value was read again."""
    examined = examine_file(examiner, str(path), follow=False)
    for occurrence in examined.occurrences:
        secret = reread(occurrence.locator)
        assert secret is not None, occurrence.locator
        assert Fingerprinter(bytes(16)).of(secret.reveal()) == occurrence.fingerprint, occurrence.locator
    return examined


def containers(examined: Examined) -> list[tuple[str, ...]]:
    return [occurrence.locator.container for occurrence in examined.occurrences]


def opened(name: str, data: bytes) -> list[Any]:
    opener = opener_for(name, data[:4096])
    assert opener is not None
    return list(opener.open(Container(name, io.BytesIO(data))))


@pytest.mark.parametrize("name", packing.PACKS)
def test_a_format_is_told_by_its_first_bytes_whatever_it_is_called(name: str) -> None:
    outer, data = packing.PACKS[name]("a.env", b"content")
    known = opener_for(outer, data[:4096])
    assert known is not None
    if name != "lzma":  # which has no mark
        other = opener_for("x.log", data[:4096])
        assert other is not None
        assert other.name == known.name


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.log", b"plain text"),
        ("a.zip", b"no zip at all"),
        ("a.tar", b"x" * 2000),
        ("a.pyc", b"not compiled"),
        ("a.eml", b"no header"),
        ("a.pkl", b"\x80\x04\x95"),
        ("BZh.txt", b"BZhello world"),
        ("a.txt", b"From here to there\n"),
        ("a.txt", b"To: be or not to be\n"),
        ("a.p", b"The Perl of wisdom"),
        ("a.lzma", b""),
    ],
)
def test_what_only_looks_like_it_is_not_opened(name: str, data: bytes) -> None:
    assert opener_for(name, data) is None


def test_a_package_built_by_dpkg(examiner: Examiner, tmp_path: Path) -> None:
    if shutil.which("dpkg-deb") is None:
        if os.environ.get("CI"):
            pytest.fail("dpkg-deb is not installed")
        pytest.skip("dpkg-deb is not installed")
    path = tmp_path / "x.deb"
    path.write_bytes(packing.real_debian(tmp_path / "tree", "opt/app/.env", b"GITHUB_TOKEN=" + TOKEN))
    examined = scanned(examiner, path)
    assert examined.problems == []
    ((archive, tar, member),) = containers(examined)
    assert (archive.startswith("data.tar."), tar, member) == (True, "", "./opt/app/.env")


def test_constants_of_a_compiled_module(examiner: Examiner, tmp_path: Path) -> None:
    source = tmp_path / "settings.py"
    values = [TOKEN.decode(), token(52).decode()]
    source.write_text(
        f"A = [{values[0]!r}, 'a text with spaces']\nclass C:\n    def f(self): return {values[1]!r}, 'x y', 1.5, None\n"
    )
    compiled = tmp_path / "settings.pyc"
    py_compile.compile(str(source), str(compiled), doraise=True)
    assert scanned(examiner, compiled).problems == []
    source.unlink()
    examined = scanned(examiner, compiled)
    assert examined.problems == []
    assert len({occurrence.fingerprint for occurrence in examined.occurrences}) == 2
    assert all(name.startswith("constant at byte ") for (name,) in containers(examined))


@pytest.mark.parametrize("version", [3394, 3413, 3495, 3531])
def test_every_text_of_a_compiled_module_is_given(version: int) -> None:
    """Against marshal itself; the layout of older versions against what it is told."""
    value = (
        "a text of it",
        b"some bytes",
        "ünïcödé text",
        ["in a list", {"a key of it": "and its value"}],
        1 << 80,
        2.5,
        1j,
        None,
    )
    body = marshal.dumps(value)
    head = version.to_bytes(2, "little") + b"\r\n" + bytes(12)
    (pack,) = opened("x.pyc", head + body)
    assert isinstance(pack, Pack)
    texts = {pack.data[start:].partition(b"\n\0\n")[0].decode() for start in pack.starts}
    assert texts == {"a text of it", "some bytes", "ünïcödé text", "in a list", "a key of it", "and its value"}
    if version == 3495:
        code = compile(
            "def f(a, *, b='a default here'):\n    'its docstring'\n    return [a, b, 'an inner text']\n", "file.py", "exec"
        )
        (pack,) = opened("x.pyc", head + marshal.dumps(code))
        assert b"an inner text" in pack.data
        assert b"a default here" in pack.data
    elif version == 3413:
        none, empty = b"N", b")\0"
        code_38 = b"c" + bytes(24) + b"s\1\0\0\0x" + b")\1z\x0ethe 3.8 secret" + empty * 4 + b"z\1f" + b"z\1n" + bytes(4) + none
        (pack,) = opened("x.pyc", head + code_38)
        assert pack.data == b"the 3.8 secret"


def test_a_pickle_that_hides_what_it_holds(examiner: Examiner, tmp_path: Path) -> None:
    hidden = {"key": "one\nGITHUB_TOKEN=" + TOKEN.decode() + "\nthree", "other": "plain"}
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        path = tmp_path / f"{protocol}.pkl"
        path.write_bytes(pickle.dumps(hidden, protocol))
        examined = scanned(examiner, path)
        assert examined.problems == []
        assert len(examined.occurrences) == 1, protocol


def test_a_pickle_is_read_and_never_run(examiner: Examiner, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    path = tmp_path / "x.pkl"
    path.write_bytes(b"cos\nmkdir\n(V" + str(trap).encode() + b"\\u000a\ntR.")
    scanned(examiner, path)
    assert not trap.exists()


def pdf_of(*texts: bytes, compressed: bool = True) -> bytes:
    """A document with a page for each text."""
    import pypdf
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = pypdf.PdfWriter()
    for text in texts:
        page = writer.add_blank_page(600, 400)
        font = DictionaryObject(
            {NameObject("/Type"): NameObject("/Font"), NameObject("/Subtype"): NameObject("/Type1"),
             NameObject("/BaseFont"): NameObject("/Helvetica")}
        )  # fmt: skip
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): writer._add_object(font)})}
        )
        stream = DecodedStreamObject()
        half = len(text) // 2
        stream.set_data(b"BT /F1 12 Tf 20 200 Td [(" + text[:half] + b") -10 (" + text[half:] + b")] TJ ET")
        page[NameObject("/Contents")] = writer._add_object(stream.flate_encode() if compressed else stream)
    writer.add_attachment("notes.txt", b"GITHUB_TOKEN=" + token(53))
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_the_text_of_a_pdf_and_what_is_attached_to_it(examiner: Examiner, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf_of(b"nothing", b"the token is " + TOKEN))
    examined = scanned(examiner, path)
    assert examined.problems == []
    assert sorted(containers(examined)) == [("attachment notes.txt",), ("page 2",)]
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    examine_file(examiner, str(path), follow=False)


def test_a_long_pdf_is_read_by_pdfium_as_a_short_one_is_by_pypdf(examiner: Examiner, tmp_path: Path) -> None:
    texts = [b"nothing here", b"the token is " + TOKEN, b"", b"the end of it"]
    path = tmp_path / "long.pdf"
    path.write_bytes(pdf_of(*texts, *[b"more of it"] * pdf.FEW))
    examined = scanned(examiner, path)
    assert examined.problems == []
    assert sorted(containers(examined)) == [("attachment notes.txt",), ("page 2",)]
    pages = [[(each.name, each.read(1000).strip()) for each in opened("x.pdf", data) if isinstance(each, Member) and "page" in each.name]
             for data in (path.read_bytes(), pdf_of(*texts))]  # fmt: skip
    assert pages[0][:3] == pages[1] and len(pages[0]) == 3 + pdf.FEW
    for broken in (path.read_bytes()[: path.stat().st_size // 2], path.read_bytes().replace(b"endstream", b"endstraem")):
        path.write_bytes(broken)
        examine_file(examiner, str(path), follow=False)


def test_what_pdfium_cannot_open_ends_with_a_code_of_its_own() -> None:
    for data in (b"", b"no document", pdf_of(b"x")[:200]):
        ended = subprocess.run([sys.executable, "-I", pdf_text.__file__], input=data, capture_output=True, check=False)
        assert (ended.returncode, ended.stdout) == (pdf_text.CANNOT_OPEN, b"")


def test_an_encrypted_pdf_is_opaque(tmp_path: Path) -> None:
    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf_of(b"x")))
    writer.encrypt("a word", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    assert opened("x.pdf", buffer.getvalue()) == [Unread("", "encrypted", opaque=True)]


def test_an_encrypted_7z_is_opaque() -> None:
    import py7zr

    for header in (False, True):
        buffer = io.BytesIO()
        with py7zr.SevenZipFile(buffer, "w", password="a word", header_encryption=header) as archive:
            archive.writestr(b"x", "a.env")
        assert opened("x.7z", buffer.getvalue()) == [Unread("", "encrypted", opaque=True)]


def test_7z_members_with_hostile_names(examiner: Examiner, tmp_path: Path) -> None:
    import py7zr

    path = tmp_path / "x.7z"
    with py7zr.SevenZipFile(path, "w") as archive:
        archive.writestr(b"GITHUB_TOKEN=" + TOKEN, "aaaaaaaaaaaaaaaa.env")
        archive.writestr(b"nothing", "b.txt")
    assert containers(scanned(examiner, path)) == [("aaaaaaaaaaaaaaaa.env",)]


@pytest.mark.parametrize("start", [b"Rar!\x1a\x07\x01\0", b"MSCF\0\0\0\0", b"\x04\x22\x4d\x18", b"LZIP\x01", b"hsqs"])
def test_a_packed_format_that_nothing_reads_is_named(examiner: Examiner, tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(start + b"\n" * 100 + TOKEN + b"\n")
    examined = scanned(examiner, path)
    assert [problem.opaque for problem in examined.problems] == [True]
    assert containers(examined) == [()]  # what stands in it as it is, is found


def test_messages_of_a_mailbox(examiner: Examiner, tmp_path: Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(packing.mails(tmp_path, "notes.env", b"GITHUB_TOKEN=" + TOKEN))
    examined = scanned(examiner, path)
    assert containers(examined) == [("message 3, notes.env",)]
    assert examined.occurrences[0].provenance.since == packing.MOMENT


def test_what_a_mail_says_in_other_words(examiner: Examiner, tmp_path: Path) -> None:
    from email.header import Header

    path = tmp_path / "x.eml"
    subject = Header("Schlüssel: " + TOKEN.decode(), "utf-8").encode()
    long_line = b"the key =3D " + token(54)[:20] + b"=\n" + token(54)[20:] + b" and more\n"
    path.write_bytes(
        b"From: a@example.org\nSubject: " + subject.encode() + b"\nMIME-Version: 1.0\nContent-Type: text/plain\n"
        b"Content-Transfer-Encoding: quoted-printable\n\n" + long_line
    )
    assert sorted(containers(scanned(examiner, path))) == [("headers",), ("part 1 (text/plain)",)]


def tar_of(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def docker_save(secret: bytes) -> bytes:
    """As `docker save` writes an image since version 25: an OCI layout with a manifest of its own."""
    layers = [tar_of({"etc/hostname": b"x\n"}), tar_of({"app/.env": b"GITHUB_TOKEN=" + secret})]
    steps = [
        {"created_by": "/bin/sh -c #(nop) ADD file:1 in / "},
        {"created_by": f"ENV GITHUB_TOKEN={token(55).decode()}", "empty_layer": True},
        {"created_by": "COPY . /app # buildkit"},
    ]
    config = json.dumps({"config": {"Env": [f"GITHUB_TOKEN={token(55).decode()}"]}, "history": steps}).encode()
    blobs = {f"blobs/sha256/{hashlib.sha256(data).hexdigest()}": data for data in (*layers, config)}
    first, second, settings = blobs
    manifest = json.dumps([{"Config": settings, "RepoTags": ["app:1"], "Layers": [first, second]}]).encode()
    return tar_of({**blobs, "manifest.json": manifest, "oci-layout": b'{"imageLayoutVersion":"1.0.0"}'})


def oci_archive(secret: bytes) -> bytes:
    """An image as the OCI tools write it: an index, a manifest, packed layers."""
    blobs: dict[str, bytes] = {}

    def add(data: bytes) -> dict[str, object]:
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {"digest": f"sha256:{digest}", "size": len(data)}

    layer = add(gzip.compress(tar_of({"app/.env": b"GITHUB_TOKEN=" + secret})))
    config = add(json.dumps({"history": [{"created_by": "COPY . ."}]}).encode())
    manifest = add(json.dumps({"schemaVersion": 2, "config": config, "layers": [layer]}).encode())
    return tar_of({"oci-layout": b"{}", **blobs, "index.json": json.dumps({"manifests": [manifest]}).encode()})


def test_layers_of_an_image_are_called_by_their_step(examiner: Examiner, tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(docker_save(TOKEN))
    examined = scanned(examiner, path)
    assert examined.problems == []
    found = containers(examined)
    assert ("layer 2 (COPY …)", "app/.env") in found
    assert set(found) == {("layer 2 (COPY …)", "app/.env"), ("config",)}
    assert token(55).decode() not in str(found)
    path.write_bytes(oci_archive(TOKEN))
    assert containers(scanned(examiner, path)) == [("layer 1 (COPY …)", "", "app/.env")]


def test_a_database_and_what_was_deleted_from_it(examiner: Examiner, tmp_path: Path) -> None:
    pytest.importorskip("keyward.formats.sqlite")
    path = tmp_path / "state.db"
    with sqlite3.connect(path) as connection:
        connection.execute("pragma secure_delete = off")
        connection.execute("create table notes(id integer primary key, body text)")
        connection.execute("insert into notes(body) values (?)", ("the token is " + TOKEN.decode(),))
        connection.execute("insert into notes(body) values (?)", ("gone: " + token(56).decode() + " and so on",))
        connection.execute("delete from notes where id = 2")
    connection.close()
    examined = scanned(examiner, path)
    assert examined.problems == []
    places = {occurrence.locator.container: occurrence.provenance.where for occurrence in examined.occurrences}
    assert places[()] == "deleted or free space"
    assert len(places) == 2
    zipped = tmp_path / "backup.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "state.db")
    assert len(scanned(examiner, zipped).occurrences) == 2


def test_a_zip_behind_a_program_and_one_without_its_directory(examiner: Examiner, tmp_path: Path) -> None:
    data = packing.zipped(zipfile.ZIP_DEFLATED)("app/.env", b"GITHUB_TOKEN=" + TOKEN)[1]
    (tmp_path / "tool.pyz").write_bytes(b"#!/usr/bin/env python3\n" + data)
    assert containers(scanned(examiner, tmp_path / "tool.pyz")) == [("app/.env",)]
    (tmp_path / "cut.zip").write_bytes(data[: data.index(b"PK\1\2")])
    examined = scanned(examiner, tmp_path / "cut.zip")
    assert containers(examined) == [("app/.env",)]
    assert ["directory is missing" in problem.reason for problem in examined.problems] == [True]


def test_a_streamed_zip_with_sizes_behind_its_data(examiner: Examiner, tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        archive.writestr("a.txt", b"nothing " * 100)
        archive.writestr("b.env", b"GITHUB_TOKEN=" + TOKEN)
    for data in (pipe.data, pipe.data[: pipe.data.index(b"PK\1\2")]):
        (tmp_path / "x.zip").write_bytes(data)
        assert containers(scanned(examiner, tmp_path / "x.zip")) == [("b.env",)]


def test_a_sparse_file_in_a_tar(examiner: Examiner, tmp_path: Path) -> None:
    tar = shutil.which("tar")
    if tar is None:
        pytest.skip("tar is not installed")
    import subprocess

    with open(tmp_path / "disk.img", "wb") as file:
        file.seek(3 << 20)
        file.write(b"\nGITHUB_TOKEN=" + TOKEN + b"\n")
        file.truncate(8 << 20)
    for form in ("gnu", "pax"):
        subprocess.run([tar, "--sparse", f"--format={form}", "-cf", "x.tar", "disk.img"], cwd=tmp_path, check=True)
        examined = scanned(examiner, tmp_path / "x.tar")
        assert containers(examined) == [("disk.img",)]
        assert examined.occurrences[0].locator.start == (3 << 20) + 14


def test_members_are_given_with_their_times() -> None:
    for name in ("zip, deflated", "tar, gnu", "cpio"):
        outer, data = packing.PACKS[name]("a.env", b"content")
        members = [piece for piece in opened(outer, data) if isinstance(piece, Member) and piece.name == "a.env"]
        assert [member.since for member in members] == [packing.MOMENT], name


@pytest.mark.parametrize(("name", "library", "extra"), [("x.pdf", "pypdf", "documents"), ("x.7z", "py7zr", "documents")])
def test_a_library_that_is_missing_is_named_and_makes_no_scan_fail(tmp_path: Path, name: str, library: str, extra: str) -> None:
    path = tmp_path / name
    path.write_bytes(pdf_of(b"x") if library == "pypdf" else packing.PACKS["7z"]("a.env", b"x")[1])
    script = f"""
import sys
sys.modules[{library!r}] = None
from keyward.match import catalogue
from keyward.match.fingerprint import Fingerprinter
from keyward.match.matcher import Matcher
from keyward.registry import Registry
from keyward.scan.examine import Examiner
from keyward.scan.pool import examine_file
registry = Registry()
matcher = Matcher(registry, catalogue.load(registry, portable=False, on_compile=lambda rules: None))
examined = examine_file(Examiner(matcher, Fingerprinter(bytes(16))), {str(path)!r}, follow=False)
print([(problem.reason, problem.opaque) for problem in examined.problems])
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert f"keyward-secrets[{extra}]" in run.stdout
    assert run.stdout.rstrip().endswith("True)]")


@pytest.mark.parametrize(
    ("name", "part", "xml"),
    [
        (
            "x.xlsx",
            "xl/sharedStrings.xml",
            b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><r><t>key </t></r><r><rPr><b/></rPr>'
            b'<t xml:space="preserve">%s</t></r><r><t>%s</t></r></si><si><t>next</t></si></sst>',
        ),
        (
            "x.pptx",
            "ppt/slides/slide1.xml",
            b'<p:sld xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"><a:p><a:r><a:t>%s</a:t></a:r>'
            b"<a:r><a:t>%s</a:t></a:r></a:p><a:p><a:r><a:t>next</a:t></a:r></a:p></p:sld>",
        ),
        (
            "x.odt",
            "content.xml",
            b'<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"><text:p>key %s'
            b'<text:span text:style-name="T1">%s</text:span></text:p><text:p>next</text:p></office:document-content>',
        ),
    ],
)
def test_a_value_split_over_runs(examiner: Examiner, tmp_path: Path, name: str, part: str, xml: bytes) -> None:
    path = tmp_path / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "x")
        archive.writestr(part, xml % (TOKEN[:11], TOKEN[11:]))
    assert containers(scanned(examiner, path)) == [(part,)]


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from([b"word", b" ", b"<w:r>", b"</w:r>", b"&amp;", b"&#65;", b"&eacute;", b"<", b"</w:p>", b"&"]),
        max_size=30,
    )
)
def test_a_view_of_xml_leads_back_to_what_it_says(pieces: list[bytes]) -> None:
    from keyward.formats.containers.xml_text import decode, make_view

    data = b"".join(pieces)
    view = make_view(data)
    if view is None:
        return
    for start in range(len(view.text)):
        for end in range(start + 1, len(view.text) + 1):
            said = view.text[start:end]
            if (
                b"\n" in said or said[:1] >= b"\x80" or view.text[end : end + 1] >= b"\x80"
            ):  # inside of what an entity stands for
                continue
            assert decode(data[view.source_start(start) : view.source_end(end)]) == said


def test_a_member_name_that_stands_twice_and_one_that_looks_like_it(examiner: Examiner, tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for number, name in enumerate(("a", "a#2", "a", "a", "a#2")):
            content = b"GITHUB_TOKEN=" + token(number)
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    assert containers(scanned(examiner, path)) == [("a",), ("a#2",), ("a#3",), ("a#4",), ("a#2#2",)]
