"""What is in a container is found, however deep, said where, and read again from there."""

from __future__ import annotations

import gzip
import io
import itertools
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import packing
import pytest
from packing import PACKS, SOME
from tests_support import token

from keyward.formats.opened import Limits
from keyward.match import catalogue
from keyward.match.fingerprint import Fingerprinter
from keyward.match.matcher import Matcher
from keyward.model.finding import Locator
from keyward.registry import Registry
from keyward.scan.examine import Examined, Examiner, Place
from keyward.scan.pool import examine_file
from keyward.scan.reread import reread

TOKEN = token(41)
CONTENT = b"# settings\nA=1\nGITHUB_TOKEN=" + TOKEN + b"\n"


def new_examiner(limits: Limits | None = None) -> Examiner:
    registry = Registry()
    matcher = Matcher(registry, catalogue.load(registry, portable=False, on_compile=lambda rules: None))
    return Examiner(matcher, Fingerprinter(bytes(16)), limits=limits)


@pytest.fixture(scope="module")
def examiner() -> Examiner:
    return new_examiner()


def scanned(examiner: Examiner, path: Path) -> Examined:
    return examine_file(examiner, str(path), follow=False)


def the_one(examined: Examined, value: bytes = TOKEN) -> Locator:
    """The only finding's place, after the value was read from there again."""
    assert examined.problems == []
    assert [o.kind for o in examined.occurrences] == ["github/pat-classic"], [o.locator for o in examined.occurrences]
    locator = examined.occurrences[0].locator
    secret = reread(locator)
    assert secret is not None
    assert secret.reveal() == value
    return locator


@pytest.mark.parametrize("outer", PACKS)
@pytest.mark.parametrize("inner", PACKS)
def test_every_container_in_every_other(examiner: Examiner, tmp_path: Path, inner: str, outer: str) -> None:
    name, data = PACKS[outer](*PACKS[inner]("app/.env", CONTENT))
    (tmp_path / name).write_bytes(data)
    examined = scanned(examiner, tmp_path / name)
    the_one(examined)
    occurrence = examined.occurrences[0]
    assert (occurrence.line, occurrence.column, occurrence.role) == (3, 14, "echo")
    assert examined.bytes == len(data)


@pytest.mark.parametrize("names", list(itertools.product(SOME, repeat=3)), ids=" in ".join)
def test_three_deep(examiner: Examiner, tmp_path: Path, names: tuple[str, ...]) -> None:
    name, data = "app/.env", CONTENT
    for each in names:
        name, data = PACKS[each](name, data)
    (tmp_path / name).write_bytes(data)
    the_one(scanned(examiner, tmp_path / name))


def test_the_chain_reads_well_and_the_times_are_those_of_the_members(examiner: Examiner, tmp_path: Path) -> None:
    path = tmp_path / "logs.zip"
    path.write_bytes(packing.zipped(zipfile.ZIP_DEFLATED)("app.log.3.gz", gzip.compress(b"\n" * 119 + TOKEN + b"\n"))[1])
    examined = scanned(examiner, path)
    assert the_one(examined).container == ("app.log.3.gz", "")
    found = examined.occurrences[0]
    assert found.line == 120
    assert (found.provenance.since, found.provenance.since_from) == (packing.MOMENT, "member")


def test_a_plain_file_with_a_finding_has_its_time_and_label(examiner: Examiner, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(b'{"servers": {"github": {"token": "' + TOKEN + b'"}}}')
    os.utime(path, (5_000_000, 5_000_000))
    found = scanned(examiner, path).occurrences[0]
    assert (found.provenance.since, found.provenance.since_from) == (5_000_000, "mtime")


def test_what_is_in_an_object_of_git_or_a_pipe_is_found(examiner: Examiner) -> None:
    name, data = PACKS["tar, pax"](*PACKS["zip, deflated"]("app/.env", CONTENT))
    padded = data + bytes(300_000)  # larger than what is read in one go
    for content in (data, padded):
        examined = examiner.examine_source(Place("index", name, "abc"), io.BytesIO(content).read)
        assert examined.problems == []
        assert [o.locator.blob for o in examined.occurrences] == ["abc"]
        assert examined.occurrences[0].locator.container == (".env.zip".lstrip("."), "app/.env")
        assert examined.occurrences[0].provenance.since_from == "member"
    assert examiner.examine_source(Place("stdin", "-"), io.BytesIO(CONTENT * 20_000).read).occurrences


def test_names_that_stand_twice_are_told_apart(examiner: Examiner, tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for number in (1, 2):
            info = tarfile.TarInfo("a.env")
            content = b"GITHUB_TOKEN=" + token(number)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    examined = scanned(examiner, path)
    assert [o.locator.container for o in examined.occurrences] == [("a.env",), ("a.env#2",)]
    values = [reread(o.locator) for o in examined.occurrences]
    assert [value.reveal() for value in values if value] == [token(1), token(2)]


def test_a_token_split_over_the_runs_of_a_document(examiner: Examiner, tmp_path: Path) -> None:
    xml = b"".join(
        (
            b'<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>',
            b"<w:p><w:r><w:t>before &amp; after</w:t></w:r></w:p><w:p><w:r><w:t>the token is ",
            TOKEN[:9],
            b'</w:t></w:r><w:proofErr w:type="spellStart"/><w:r w:rsidR="00A"><w:rPr><w:b/></w:rPr><w:t>',
            TOKEN[9:],
            b"</w:t></w:r></w:p><w:p><w:r><w:t>next</w:t></w:r></w:p></w:body></w:document>",
        )
    )
    path = tmp_path / "letter.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", xml)
    locator = the_one(scanned(examiner, path))
    assert (locator.container, locator.encoding) == (("word/document.xml",), "xml-text")
    assert xml[locator.start : locator.end].startswith(TOKEN[:9] + b"</w:t>")


def test_what_the_raw_bytes_alone_hold_is_found_too(examiner: Examiner, tmp_path: Path) -> None:
    """A member that was taken out of the directory of a zip, and its comment."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("kept.txt", b"GITHUB_TOKEN=" + token(1))
    data = buffer.getvalue()
    start = data.index(b"PK\1\2")
    hidden = b"\nGITHUB_TOKEN=" + token(2) + b"\n"
    data = data[:start] + hidden + data[start:-6] + (start + len(hidden)).to_bytes(4, "little") + data[-2:]
    (tmp_path / "x.zip").write_bytes(data)
    examined = scanned(examiner, tmp_path / "x.zip")
    assert sorted((o.locator.container, o.provenance.where) for o in examined.occurrences) == [
        ((), "between the members"),
        (("kept.txt",), ""),
    ]


def test_a_depth_of_zero_opens_nothing(tmp_path: Path) -> None:
    name, data = PACKS["zip, deflated"]("app/.env", CONTENT)
    (tmp_path / name).write_bytes(data)
    examined = scanned(new_examiner(Limits(depth=0)), tmp_path / name)
    assert examined.occurrences == []
    assert [(problem.opaque, problem.reason) for problem in examined.problems] == [
        (True, "zip archive: what is in it was not looked at")
    ]


def test_a_value_is_gone_when_its_container_changed(examiner: Examiner, tmp_path: Path) -> None:
    name, data = PACKS["gzip"](*PACKS["tar, pax"]("app/.env", CONTENT))
    path = tmp_path / name
    path.write_bytes(data)
    locator = the_one(scanned(examiner, path))
    for other in (b"", b"\x1f\x8b", data[:60], b"text", PACKS["zip, stored"]("x", b"y")[1]):
        path.write_bytes(other)
        assert reread(locator) is None
    path.unlink()
    assert reread(locator) is None


def test_what_is_special_is_noticed_before_anything_is_imported(tmp_path: Path) -> None:
    """Each opener's files, and no others, lead to the modules that open them."""
    from keyward.scan.examine import special

    for name, pack in PACKS.items():
        outer, data = pack("app/.env", CONTENT)
        assert special(outer, data), name
    for plain in ("a.py", "a.md", "src/main.c", "package.json", "Makefile", ".env", "a.yaml", "notes.txt"):
        assert not special(plain, CONTENT), plain
    (tmp_path / "a.py").write_bytes(b"x = 1\n")
    script = (
        "import sys; from keyward.scan.pool import examine_file; from keyward.scan.examine import Examined, special\n"
        "class E:\n"
        "    def examine_small(self, source, path, data): return Examined([], [], 1), special(path, data)\n"
        f"examine_file(E(), {str(tmp_path / 'a.py')!r}, follow=False)\n"
        "print(*sorted(m for m in sys.modules if m.startswith('keyward.formats') or m == 'keyward.scan.inside'))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


@pytest.mark.parametrize(
    "name",
    [
        ".zsh_history", ".histfile", "fish_history", ".psql_history", ".python_history", ".viminfo", ".git-credentials", "nginx/access.log.1",
        "app.log", "syslog", "messages", "build.out", "typescript", "npm-debug.log", "demo.cast", "nushell/history.txt", "git/credentials",
    ],
)  # fmt: skip
def test_whatever_has_another_reading_is_special(name: str) -> None:
    from keyward.formats.views import encoding_for
    from keyward.scan.examine import special

    head = b'{"version": 2}\n' if name.endswith(".cast") else b"2024-01-01T00:00:00Z x\n"
    assert encoding_for(name, head)
    assert special(name, head)


def test_a_value_that_only_another_reading_shows_is_found_in_a_container(examiner: Examiner, tmp_path: Path) -> None:
    line = b'{"message": "first\\n' + TOKEN + b'\\nlast"}\n'
    for name, data in (("talk.jsonl", line), ("talk.jsonl.gz", gzip.compress(line)), PACKS["tar, gnu"]("talk.jsonl", line)):
        (tmp_path / name).write_bytes(data)
        the_one(scanned(examiner, tmp_path / name))


def test_what_stands_beside_a_value_can_be_read_too(examiner: Examiner, tmp_path: Path) -> None:
    from keyward.scan.reread import read_source

    name, data = PACKS["zip, deflated"](*PACKS["tar, pax"]("app/.env", CONTENT))
    (tmp_path / name).write_bytes(data)
    locator = the_one(scanned(examiner, tmp_path / name))
    assert read_source(locator, 1 << 20) == CONTENT
