"""`keyward scrub` and the other redactors of streams on the same log, on one core; and the filter for `logging` against another one.

    python benchmarks/scrub.py [--size MB] [--slice MB] [--rounds N] [--work FOLDER] [--installed FOLDER] [--core N]

Every tool is installed from the package index into an environment of its own (kept in --work); keyward as a wheel of this checkout, or
as it stands in the environment whose `bin` is --installed. The log has one secret in 10,000 lines. The other redactors are so slow that they
get a slice of it; figures are bytes per second of the whole process, start included, the median of rounds in alternation. What is left of
the secrets is counted in what each tool wrote.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))

from scan import environment  # noqa: E402  # beside this file

from keyward.plugin.checksums import crc32_base62  # noqa: E402
from keyward.plugin.shapes import an, concat  # noqa: E402

TOKEN = concat("ghp_", an(30)).tail(lambda text: crc32_base62(text[4:]))
EVERY = 10_000
"""Lines from one secret to the next."""

DIFFERENT = 24
"""Different blocks of so many lines that the log is made of: more than a processor's caches hold."""


class Tool(NamedTuple):
    """`slow`: gets the slice only."""

    name: str
    command: list[str]
    slow: bool = False


def line(dice: random.Random) -> str:
    """One line as services write them: plain, JSON, access log, key and value, a piece of a traceback."""
    number, hexa = dice.randrange(100_000), f"{dice.getrandbits(128):032x}"
    return dice.choice(
        (
            f"INFO worker {number % 64} finished job {number} in 0.{number % 1000:03d} s for user u{number} (10.0.{number % 256}.7)",
            f'{{"level":"info","request_id":"{hexa}","path":"/api/v1/items/{number}","status":200,"ms":{number % 900}}}',
            f'10.1.{number % 256}.9 - - "GET /static/app.{hexa[:8]}.js HTTP/1.1" 304 0 "-" "Mozilla/5.0 (X11; Linux x86_64)"',
            f"DEBUG cache key=items:{number} hit=true size={number * 7} node=cache-{number % 9} token bucket at {number % 100} percent",
            f"WARN retrying upload of report-{number}.csv to bucket reports/2026/{number % 12:02d} after 503, attempt {number % 5}",
            f'  File "/srv/app/service/handlers/items_{number % 40}.py", line {number % 900}, in handle_request',
            f"INFO sha256:{hexa}{hexa} layer pulled, {number} bytes, password check skipped for health probe",
        )
    )


def make_log(path: Path, size: int) -> None:
    """At least so many bytes; the same for the same size."""
    dice = random.Random(7)
    blocks = []
    for _ in range(DIFFERENT):
        lines = [f"2026-02-{dice.randrange(1, 29):02d}T12:00:{dice.randrange(60):02d}Z {line(dice)}" for _ in range(EVERY - 1)]
        blocks.append("\n".join(lines).encode() + b"\n")
    written = number = 0
    with open(path, "wb") as file:
        while written < size:
            secret = b"2026-03-01T12:00:00Z ERROR push failed: remote said no to " + TOKEN.sample(number).text + b" of robot\n"
            written += file.write(blocks[number % DIFFERENT] + secret)
            number += 1


_SECRET = re.compile(rb"ghp_[A-Za-z0-9]{36}")


def secrets_in(path: Path) -> int:
    with open(path, "rb") as file:
        return sum(len(_SECRET.findall(part)) for part in file)


def tools(work: Path, installed: Path | None, core: int) -> list[Tool]:
    if installed is None:
        shutil.rmtree(work / "envs" / "keyward", ignore_errors=True)
        installed = environment(work, "keyward", str(HERE))
    pin = ["taskset", "-c", str(core)] if shutil.which("taskset") else []
    return [
        Tool("keyward", [*pin, str(installed / "keyward"), "scrub", "--no-stores", "--quiet"]),
        Tool("(sed, a single pattern)", [*pin, "sed", "-E", "s/ghp_[A-Za-z0-9]{36}/[redacted]/g"]),
        Tool("redactcli", [*pin, str(environment(work, "redactcli", "redactcli") / "redactcli")], slow=True),
        Tool("logveil-cli", [*pin, str(environment(work, "logveil-cli", "logveil-cli") / "logveil")], slow=True),
        Tool("promptcloak", [*pin, str(environment(work, "promptcloak", "promptcloak") / "promptcloak")], slow=True),
    ]


def run(tool: Tool, log: Path, target: str, variables: dict[str, str]) -> tuple[float, float]:
    """Seconds of the whole process, and its peak memory in MB."""
    peak = 0.0
    with open(log, "rb") as source, open(target, "wb") as out, tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(tool.command, stdin=source, stdout=out, stderr=said, env=variables)
        watcher = threading.Event()
        seconds = 0.0

        def wait() -> None:
            nonlocal seconds
            process.wait()
            seconds = time.perf_counter() - started
            watcher.set()

        threading.Thread(target=wait).start()
        while not watcher.wait(0.02):
            peak = max(peak, high_water(process.pid))
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{tool.name} failed with {process.returncode}: {said.read(400).decode(errors='replace')}")
    return seconds, peak


def high_water(pid: int) -> float:
    """What the kernel remembers of a process's memory. What it says when a child has ended includes the parent's at the fork."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def streams(options: argparse.Namespace, variables: dict[str, str]) -> None:
    log, part = options.work / f"log-{options.size}", options.work / f"log-{options.slice}"
    for path, size in ((log, options.size), (part, options.slice)):
        if not path.exists():
            make_log(path, size * 1_000_000)
    every = tools(options.work, options.installed, options.core)
    left, memory = {}, {}
    for tool in every:  # warm: compiled rules, byte code, the page cache; and what each of them leaves
        out = options.work / "out"
        run(tool, part, str(out), variables)
        left[tool.name] = f"{secrets_in(out)} of {secrets_in(part)}"
        out.unlink()
    run(every[0], log, os.devnull, variables)
    speeds: dict[str, list[float]] = {tool.name: [] for tool in every}
    for _ in range(options.rounds):
        for tool in every:
            source = part if tool.slow else log
            seconds, used = run(tool, source, os.devnull, variables)
            speeds[tool.name].append(source.stat().st_size / 1e6 / seconds)
            memory[tool.name] = max(memory.get(tool.name, 0), used)
    own = statistics.median(speeds["keyward"])
    print(
        f"\n### A log of {log.stat().st_size / 1e6:.0f} MB on one core ({part.stat().st_size / 1e6:.0f} MB for the slow ones)\n"
    )
    print(
        "| tool | MB/s | keyward is faster | runs | peak memory MB | secrets left in the slice |\n|---|---:|---:|---:|---:|---:|"
    )
    for name, values in sorted(speeds.items(), key=lambda item: -statistics.median(item[1])):
        median = statistics.median(values)
        print(
            f"| {name} | {median:.{0 if median > 20 else 2}f} | {own / median:.{0 if own > 10 * median else 2}f}× | {len(values)} | {memory[name]:.0f} | {left[name]} |"
        )


FILTERS = r"""
import json, logging, sys, time
which, known = sys.argv[1], int(sys.argv[2])
if which == "keyward":
    from keyward.scrub import LoggingFilter, TextScrubber
    import secrets
    filtering = LoggingFilter(TextScrubber(known=[("app/value", secrets.token_urlsafe(24)) for _ in range(known)]))
else:
    import re
    from loggingredactor import RedactingFilter
    patterns = [r"ghp_[A-Za-z0-9]{36}", r"AKIA[0-9A-Z]{16}", r"(?i)(?<=password=)\S+"]
    filtering = RedactingFilter([re.compile(each) for each in patterns])
def record(message, *args, **added):
    made = logging.LogRecord("app.jobs", 20, "/srv/app/jobs.py", 17, message, args, None)
    made.__dict__.update(added)
    return made
lines = {
    "a message": record("worker 17 finished job 4711 in 0.43 s for user alice (10.0.0.3), 12 items left"),
    "with three arguments": record("worker %d finished job %s in %.2f s", 17, "4711-a1", 0.43),
    "with three values added": record("worker finished", request_id="a1b2c3", user="alice", ms=430),
    "with a dictionary added": record("worker finished", request={"id": "a1", "path": "/api/items", "size": 12, "tags": ["x", "y"]}),
}
answer = {}
for name, one in lines.items():
    best = 1.0
    for _ in range(30):
        started = time.perf_counter()
        for _ in range(1000):
            filtering.filter(one)
        best = min(best, (time.perf_counter() - started) / 1000)
    answer[name] = best * 1e6
print(json.dumps(answer))
"""


def filters(options: argparse.Namespace, variables: dict[str, str]) -> None:
    own = (options.installed or options.work / "envs" / "keyward" / "bin") / "python"
    other = environment(options.work, "loggingredactor", "loggingredactor") / "python"
    runs = {
        "keyward, every rule": (own, "keyward", "0"),
        "keyward, every rule and 100 known values": (own, "keyward", "100"),
        "loggingredactor, three patterns": (other, "loggingredactor", "0"),
    }
    best: dict[str, dict[str, float]] = {name: {} for name in runs}
    for _ in range(options.rounds):
        for name, (python, which, known) in runs.items():
            command = [str(python), "-P", "-c", FILTERS, which, known]  # `-P`: the installed one, not the folder where this runs
            done = subprocess.run(command, env=variables, capture_output=True, check=True)
            for what, microseconds in json.loads(done.stdout).items():
                best[name][what] = min(best[name].get(what, 1e9), microseconds)
    kinds = list(next(iter(best.values())))
    print("\n### One record through the filter, µs (best of all rounds), nothing to redact\n")
    print("| filter | " + " | ".join(kinds) + " |\n|---|" + "---:|" * len(kinds))
    for name, figures in best.items():
        print(f"| {name} | " + " | ".join(f"{figures[kind]:.1f}" for kind in kinds) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1000, metavar="MB")
    parser.add_argument("--slice", type=int, default=8, metavar="MB")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--installed", type=Path, help="the `bin` folder of an environment with keyward")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "keyward-bench")
    parser.add_argument("--only", choices=("streams", "filters"))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    own = options.work / "operator.toml"
    own.touch(0o600)
    variables = {
        **os.environ,
        "LC_ALL": "C.UTF-8",
        "KEYWARD_CONFIG": str(own),
        "KEYWARD_STATE": str(options.work / "state"),
        "KEYWARD_CACHE": str(options.work / "cache"),
    }
    variables.pop("PYTHONPATH", None)
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    print(
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}"
    )
    if options.only != "filters":
        streams(options, variables)
    if options.only != "streams":
        filters(options, variables)


if __name__ == "__main__":
    main()
