"""The labels of real lines are whole, and the judgement of tools against them counts right. Nothing is fetched here."""

from __future__ import annotations

import io
import re
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def labelled() -> Any:
    """The benchmark's module, which lies beside the package and is no part of it."""
    if str(BENCHMARKS) not in sys.path:
        sys.path.insert(0, str(BENCHMARKS))
    import labelled

    return labelled


def label(labelled: Any, digest: str, mark: str, **other: Any) -> Any:
    plain = {"package": "p", "version": "1", "path": "a", "line": 1, "category": "token" if mark == "T" else "", "doubt": False}
    return labelled.Label(
        **{**plain, "digest": digest, "label": mark, "stratum": 1, "weight": 1.0, "population": 1.0, "split": "seen", **other}
    )


def test_every_label_is_well_formed(labelled: Any) -> None:
    labels = labelled.read_labels()
    assert len(labels) >= 1_200
    for one in labels:
        assert one.label in ("T", "P", "F", "X")
        assert bool(one.category) == (one.label in ("T", "P"))
        assert re.fullmatch(r"[0-9a-f]{16}", one.digest)
        assert one.line >= 1 and not one.path.startswith("/") and ".." not in one.path.split("/")
        assert one.stratum in (1, 2, 3, 4) and one.split in ("seen", "held-out")
        assert 0 < one.weight <= one.population * 1.1


def test_no_line_is_labelled_twice(labelled: Any) -> None:
    labels = labelled.read_labels()
    assert len({one.digest for one in labels}) == len(labels)
    assert len({(one.package, one.version, one.path, one.line) for one in labels}) == len(labels)


def test_a_package_is_in_one_half_only(labelled: Any) -> None:
    halves: dict[str, set[str]] = {}
    for one in labelled.read_labels():
        halves.setdefault(one.package, set()).add(one.split)
    assert {len(of) for of in halves.values()} == {1}
    assert sum(of == {"seen"} for of in halves.values()) >= 30
    assert sum(of == {"held-out"} for of in halves.values()) >= 30


def test_every_label_stands_in_a_pinned_archive(labelled: Any) -> None:
    pinned = labelled.archives()
    assert all(re.fullmatch(r"[0-9a-f]{64}", one.sha256) and one.kind in ("sdist", "npm") for one in pinned)
    assert {f"{one.package}-{one.version}" for one in labelled.read_labels()} <= {one.folder for one in pinned}


def test_figures_of_a_toy_case(labelled: Any) -> None:
    labels = [
        label(labelled, "found", "T", weight=3.0),
        label(labelled, "missed", "T"),
        label(labelled, "unsure", "T", doubt=True),
        label(labelled, "placeholder", "P", weight=2.0),
        label(labelled, "none", "F", population=10.0),
        label(labelled, "left alone", "F"),
        label(labelled, "hash", "X"),
    ]
    flagged = {"found": 80, "placeholder": 40, "none": 60, "hash": 90, "of no label": 99}
    strict = labelled.evaluate(labels, flagged)
    assert strict == (3.0, 3.0, 2.0, 6)
    assert (strict.precision, strict.recall) == (0.5, 0.6)
    assert strict.f1 == pytest.approx(2 * 0.5 * 0.6 / 1.1)
    assert labelled.evaluate(labels, flagged, truth="lenient") == (3.0, 1.0, 2.0, 5)
    assert labelled.evaluate(labels, flagged, truth="firm") == (3.0, 3.0, 1.0, 5)
    assert labelled.evaluate(labels, flagged, weights="population") == (1.0, 11.0, 2.0, 6)
    assert labelled.evaluate(labels, flagged, threshold=70) == (3.0, 0.0, 2.0, 6)
    assert labelled.evaluate(labels, {}) == (0.0, 0.0, 5.0, 6)


def test_nothing_found_and_nothing_there_are_no_division_by_zero(labelled: Any) -> None:
    nothing = labelled.Figures()
    assert (nothing.precision, nothing.recall, nothing.f1) == (0.0, 0.0, 0.0)


def test_the_interval_holds_the_figure(labelled: Any) -> None:
    labels = [label(labelled, str(number), "T", package=str(number)) for number in range(40)]
    flagged = {str(number): 100 for number in range(20)}
    (low, high), (least, most) = labelled.intervals(labels, flagged, truth="strict", weights="levelled")
    assert (low, high) == (1.0, 1.0)
    assert 0.3 < least < 0.5 < most < 0.7


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("top/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tar.addfile(link)
    return path


def test_an_archive_cannot_write_outside_of_its_folder(labelled: Any, tmp_path: Path) -> None:
    files = {
        "top/kept.py": b"a = 1\n",
        "top/../../climbed.py": b"b = 2\n",
        "/absolute.py": b"c = 3\n",
        "top/binary": b"\0\1",
        "top/large.txt": b"x" * (labelled.LARGEST + 1),
        "top/bundle.js.map": b"{}",
    }
    target = tmp_path / "in" / "here"
    labelled.unpack(packed(tmp_path / "a-1.tar.gz", files), target)
    assert [str(path.relative_to(tmp_path)) for path in sorted(tmp_path.rglob("*")) if path.is_file()] == [
        "a-1.tar.gz",
        "in/here/kept.py",
    ]
    assert not list(target.rglob("link"))


def test_an_archive_that_is_another_one_is_refused(labelled: Any, tmp_path: Path) -> None:
    packed(tmp_path / "a-1.tar.gz", {"top/a.py": b"a = 1\n"})
    with pytest.raises(SystemExit, match="not the one that was labelled"):
        labelled.fetch(labelled.Archive("sdist", "a", "1", "a-1.tar.gz", "0" * 64), tmp_path, tmp_path)


def test_a_line_is_known_by_its_text_without_the_space_around_it(labelled: Any) -> None:
    assert labelled.digest_of(b"  a = 1\r") == labelled.digest_of(b"a = 1") != labelled.digest_of(b"a = 2")


def test_another_value_of_the_same_form_is_drawn_in_place_of_a_credential(labelled: Any, tmp_path: Path) -> None:
    lines = [
        b'password = "Tulip-garden12"',
        b"DB_URL=http://svc:guest1@db.corp/x",
        b"-----BEGIN PRIVATE KEY-----",
        b'password = "tulips"',
    ]
    (tmp_path / "part" / "p-1").mkdir(parents=True)
    (tmp_path / "part" / "p-1" / "a").write_bytes(b"\n".join(lines))
    marks = [("T", "password"), ("T", "url"), ("T", "private key"), ("P", "password")]
    labels = [
        label(labelled, labelled.digest_of(line), mark, line=number, category=category)
        for number, (line, (mark, category)) in enumerate(zip(lines, marks), 1)
    ]
    changed = labelled.redrawn.redrawn(labels, tmp_path / "part", tmp_path / "drawn", labelled.digest_of)
    first, second, *others = (tmp_path / "drawn" / "p-1" / "a").read_bytes().split(b"\n")
    assert re.fullmatch(rb'password = "[A-Z][a-z]{4}-[a-z]{6}\d\d"', first) and first != lines[0]
    assert re.fullmatch(rb"DB_URL=http://svc:[a-z]{5}\d@db\.corp/x", second) and second != lines[1]
    assert others == lines[2:]
    assert [each.digest for each in changed] == [labelled.digest_of(line) for line in (first, second, *others)]
    again = labelled.redrawn.redrawn(labels, tmp_path / "part", tmp_path / "again", labelled.digest_of)
    assert again == changed
