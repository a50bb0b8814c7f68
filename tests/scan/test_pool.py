"""Worker processes: every file is answered for, whatever happens to a worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from keyward.errors import PackError
from keyward.scan.examine import Examined, Place
from keyward.scan.pool import scan_paths
from keyward.scan.reader import Chunk, chunks_of


class NoCache:
    def take(self) -> dict[bytes, bytes]:
        return {}


class ExaminerThatObeys:
    """Does what a file says."""

    def __init__(self, scratch: str) -> None:
        self._scratch = scratch

    def examine_small(self, source: str, path: str, data: bytes) -> tuple[Examined, bool]:
        return self.examine(Place(source, path), chunks_of(data)), False

    def examine(self, place: Place, chunks: Iterable[Chunk]) -> Examined:
        data = b"".join(chunk.data for chunk in chunks)
        if data == b"die":
            os.kill(os.getpid(), signal.SIGKILL)
        if data == b"die once" and not os.path.exists(self._scratch):
            Path(self._scratch).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if data == b"exhaust":
            raise MemoryError
        if data == b"io":
            raise OSError(5, "Input/output error")
        return Examined([], [], len(data))


class Recipe:
    def __init__(self, scratch: Path) -> None:
        self._scratch = str(scratch)

    def examiner(self) -> tuple[Any, Any]:
        return ExaminerThatObeys(self._scratch), NoCache()


def run(recipe: Any, paths: list[str], jobs: int = 2) -> tuple[int, int, dict[str, str]]:
    files = size = 0
    problems = {}
    for answer in scan_paths(recipe, paths, jobs=jobs, follow=frozenset()):
        files += answer.files
        for examined in answer.examined:
            size += examined.bytes
            problems.update({problem.path: problem.reason for problem in examined.problems})
    return files, size, problems


def write(folder: Path, contents: dict[str, bytes]) -> list[str]:
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [str(folder / name) for name in contents]


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_a_file_that_kills_its_worker_is_named_and_nothing_else_is_lost(tmp_path: Path, jobs: int) -> None:
    paths = write(tmp_path, {f"{n:03}": b"die" if n in (0, 77, 150) else b"x" * 10 for n in range(200)})
    files, size, problems = run(Recipe(tmp_path / "scratch"), paths, jobs)
    assert files == 200
    assert size == 197 * 10
    assert sorted(problems) == [paths[0], paths[77], paths[150]]
    assert all("SIGKILL" in reason for reason in problems.values())


def test_a_worker_that_dies_once_loses_nothing(tmp_path: Path) -> None:
    paths = write(tmp_path, {f"{n:03}": b"die once" if n == 30 else b"x" * 10 for n in range(100)})
    files, size, problems = run(Recipe(tmp_path / "scratch"), paths)
    assert (files, size, problems) == (100, 99 * 10 + len(b"die once"), {})


def test_errors_while_reading_are_named(tmp_path: Path) -> None:
    paths = write(tmp_path, {"a": b"exhaust", "b": b"io", "c": b"fine"})
    paths.append(str(tmp_path / "vanished"))
    paths.append(str(tmp_path / "link"))
    (tmp_path / "link").symlink_to("c")
    files, _, problems = run(Recipe(tmp_path / "s"), paths)
    assert files == 5
    names = {os.path.basename(path): reason for path, reason in problems.items()}
    assert names.pop("link")
    assert names == {"a": "out of memory", "b": "input/output error", "vanished": "vanished during the scan"}


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    _, _, problems = run(Recipe(tmp_path / "s"), [str(tmp_path / "pipe")])
    assert list(problems.values()) == ["not a regular file"]


def test_a_broken_pack_is_raised_in_the_parent(tmp_path: Path) -> None:
    class Broken:
        def examiner(self) -> tuple[Any, Any]:
            raise PackError("the pack is broken")

    with pytest.raises(PackError, match="the pack is broken"):
        run(Broken(), write(tmp_path, {"a": b"x"}))


def test_workers_end_when_the_parent_is_killed(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"x")
    program = f"""
import sys, time
sys.path[:0] = {sys.path!r}
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_pool import Recipe
from keyward.scan.pool import scan_paths
def paths():
    yield {str(tmp_path / "one")!r}
    for n in range(40): yield {str(tmp_path / "one")!r}
    print("ready", flush=True)
    time.sleep(60)
for answer in scan_paths(Recipe({tmp_path / "s"!r}), paths(), jobs=3, follow=frozenset()): pass
""".replace("PosixPath", "__import__('pathlib').Path")
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"ready\n"
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    assert children
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(_running(pid) for pid in children):
        time.sleep(0.05)
    assert not [pid for pid in children if _running(pid)]


def _running(pid: str) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
