"""A sweep of a home against a plain scan of the same folder, in alternation: medians, and their ratio.

    python benchmarks/host.py [--megabytes N] [--files N] [--rounds N] [--work FOLDER] [--keyward COMMAND]

The home is made of what the machine has: files of installed packages as an agent's file history, their text as transcripts in JSON
lines and as events in SQLite databases, each where the agent keeps it, and some env files. All of it belongs to a source, so both
look at the same bytes. Result caches are off, compiled rules are warm. The target is a ratio of at most 1.5.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

FINISHED = (0, 1, 3)
"""Clean, findings, or something that could not be read: a shuffled home may hold any."""


def texts() -> list[Path]:
    """Files of installed packages, always in the same order on the same machine."""
    root = Path(sysconfig.get_path("stdlib"))
    found = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    small = [path for path in found if 200 < path.stat().st_size < 200_000 and path.suffix != ".pyc"]
    random.Random(1).shuffle(small)
    return small


def pieces(sources: list[Path]) -> Iterator[str]:
    """Their text without end, in pieces of the size of a message."""
    for path in itertools.cycle(sources):
        text = path.read_text("utf-8", "replace")
        for at in range(0, len(text), 6_000):
            yield text[at : at + 6_000]


def transcripts(home: Path, text: Iterator[str], size: int, number: int) -> None:
    """JSON lines of Claude Code and of Codex CLI."""
    for one in range(number):
        session = f"{one:08x}-0000-4000-8000-000000000000"
        if one % 2:
            path = home / f".codex/sessions/2026/03/{one % 28 + 1:02}/rollout-2026-03-01T09-00-00-{session}.jsonl"
        else:
            path = home / f".claude/projects/-home-ann-work-{one % 40}/{session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        written = 0
        with open(path, "w", encoding="utf-8") as file:
            while written < size // number:
                message = {"role": "user", "content": [{"type": "text", "text": next(text)}]}
                line = {"type": "user", "timestamp": "2026-03-01T09:00:00.000Z", "sessionId": session, "message": message}
                written += file.write(json.dumps(line) + "\n")


def databases(home: Path, text: Iterator[str], size: int, number: int) -> None:
    """Databases of OpenClaw's agents, with its table of events."""
    for one in range(number):
        path = home / f".openclaw/agents/agent{one}/agent/openclaw-agent.sqlite"
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path)
        connection.execute(
            "CREATE TABLE transcript_events (session_id TEXT, seq INTEGER, event_json TEXT, PRIMARY KEY (session_id, seq))"
        )
        written = sequence = 0
        with connection:
            while written < size // number:
                event = json.dumps({"type": "message", "message": {"role": "assistant", "content": next(text)}})
                connection.execute("INSERT INTO transcript_events VALUES (?, ?, ?)", (f"s{sequence % 9}", sequence, event))
                written, sequence = written + len(event), sequence + 1
        connection.close()


def copies(home: Path, sources: list[Path], size: int, number: int) -> None:
    """An agent's file history: an old version of each file that it edited."""
    written = 0
    for one, path in zip(range(number), itertools.cycle(sources)):
        content = path.read_bytes()
        room = max(500, (size - written) // max(1, number - one) * 3)
        copy = home / f".claude/file-history/{one // 50:08x}/{one:016x}@v1"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(content[:room])
        written += min(len(content), room)


def make_home(home: Path, megabytes: int, files: int) -> None:
    """Builds the home, unless it is there."""
    done = home / ".made"
    if done.exists():
        return
    sources = texts()
    text = pieces(sources)
    size = megabytes * 1_000_000
    sessions, stores, envs = max(2, files // 100), max(1, files // 5_000), max(1, files // 200)
    transcripts(home, text, size // 2, sessions)
    databases(home, text, size // 5, stores)
    for one in range(envs):
        path = home / f"work/project{one}/.env"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"PORT={8000 + one}\nLOG_LEVEL=info\n")
    copies(home, sources, size - size // 2 - size // 5, files - sessions - stores - envs - 1)
    done.touch()


def timed(command: list[str]) -> tuple[float, dict[str, int]]:
    """Seconds of a run, and what it looked at."""
    started = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    seconds = time.perf_counter() - started
    if done.returncode not in FINISHED:
        raise SystemExit(f"{command} failed with {done.returncode}: the figure would mean nothing")
    return seconds, json.loads(done.stdout)["summary"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=2_000)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "keyward-bench")
    parser.add_argument("--keyward", default=os.path.join(os.path.dirname(sys.executable), "keyward"))
    options = parser.parse_args()
    home = options.work / f"host-{options.megabytes}-{options.files}" / "home" / "ann"
    make_home(home, options.megabytes, options.files)
    own = [options.keyward, "scan", "--format", "json", "--no-cache", "-q"]
    runs = {"plain scan": [*own, "--no-baseline", str(home)], "sweep": [*own, "--host", str(home)]}
    figures: dict[str, list[float]] = {name: [] for name in runs}
    looked: dict[str, dict[str, int]] = {}
    for number in range(options.rounds + 1):
        for name, command in runs.items():
            seconds, looked[name] = timed(command)
            if number:
                figures[name].append(seconds)
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    print("\n| run | median s | runs | files | MB |\n|---|---:|---:|---:|---:|")
    for name, values in figures.items():
        print(
            f"| {name} | {statistics.median(values):.2f} | {len(values)} | {looked[name]['files_scanned']:,} | {looked[name]['bytes_scanned'] / 1e6:,.0f} |"
        )
    ratio = statistics.median(figures["sweep"]) / statistics.median(figures["plain scan"])
    print(f"\nsweep against plain scan: {ratio:.2f}× (target: at most 1.5×)")


if __name__ == "__main__":
    main()
