"""Where a report goes: `-o FILE` replaces a file as a whole, and never what is no file."""

from __future__ import annotations

import os
import shutil
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from keyward.cli.output import width, write
from keyward.errors import UsageError


def test_a_device_is_written_to_and_stays_one(keyward: Any, tmp_path: Path) -> None:
    device = tmp_path / "null"
    names = ["/dev/stdout", "/proc/self/fd/1"]
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        device.open("wb").close()
        names.append(str(device))
    except OSError:  # not root, or in a container that allows no devices: then the others have to do
        device = Path("/dev/null")
    (tmp_path / "a.txt").write_text("nothing\n")
    for name in names:
        assert keyward("scan", "a.txt", "-o", name).code == 0
    assert stat.S_ISCHR(os.stat(device).st_mode)


def test_a_pipe_gets_the_report(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write("report\n", str(pipe))
    reader.join()
    assert read == ["report\n"]
    assert stat.S_ISFIFO(os.stat(pipe).st_mode)


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "latest").symlink_to("real/report")
    for text in ("one\n", "two\n"):  # there is no such file at first
        write(text, str(tmp_path / "latest"))
        assert (tmp_path / "real" / "report").read_text() == text
    assert (tmp_path / "latest").is_symlink()
    assert [path.name for path in (tmp_path / "real").iterdir()] == ["report"]


@pytest.mark.parametrize(
    ("output", "reason"), [("missing/report", "no such file"), (".", "is a directory"), ("/dev/full", "no space left")]
)
def test_what_cannot_be_written_is_said(output: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=reason):
        write("report\n", output)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("columns", ["", "0", "80", "59", "1000", "-5", "many"])
def test_the_width_is_what_the_standard_library_says(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert width() == max(60, min(120, shutil.get_terminal_size((100, 24)).columns))
