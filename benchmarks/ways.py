"""In how many of the ways in which people leave a secret it is found: keyward and its rivals.

    python benchmarks/ways.py [--work FOLDER] [--tools keyward,gitleaks] [--draws 3] [--list]

Writes each way of the lists in `accuracy_corpus` to a file of its own, with drawn values and with what stands there where no secret does, and counts the files in
which a tool reports anything. The rivals are those of `benchmarks/scan.py`, installed in --work. --list names the ways that keyward misses.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import oracle
from accuracy_corpus.ways import LISTS, STAND_INS, Way, drawn, ways
from labelled import adapted

DRAWN, STAND_IN = "drawn", "stand-in"


def plant(folder: Path, draws: int, name: str) -> dict[str, tuple[str, Way]]:
    """The files: path to what stands in it."""
    planted: dict[str, tuple[str, Way]] = {}
    for number, way in enumerate(ways(name)):
        values = [(DRAWN, drawn(way.kind, 1000 * number + seed)) for seed in range(draws)]
        values += [(STAND_IN, value) for value in STAND_INS]
        for at, (what, value) in enumerate(values):
            path = folder / f"{what}-{at}" / f"w{number}" / way.path
            path.parent.mkdir(parents=True)
            path.write_bytes(way.written(value))
            planted[str(path)] = (what, way)
    return planted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "keyward-bench")
    parser.add_argument("--tools", default="", help="only these, comma-separated")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    chosen = [
        tool for tool in oracle.tools(options.work, "regular") if not options.tools or tool.name in options.tools.split(",")
    ]
    for name in LISTS:
        tree = options.work / "ways"
        shutil.rmtree(tree, ignore_errors=True)
        planted = plant(tree, options.draws, name)
        whole = Counter(what for what, _ in planted.values())
        print(f"\n{name}: {len(ways(name))} ways, {whole[DRAWN]} files with a drawn value, {whole[STAND_IN]} without any\n")
        print("| tool | drawn values found | files without any left alone |\n|---|---:|---:|")
        for tool in chosen:
            measure(tool, tree, planted, options.draws if options.list else 0)


def measure(tool: oracle.Tool, tree: Path, planted: dict[str, tuple[str, Way]], listed: int) -> None:
    """Prints one tool's row, and for keyward the ways that it missed, where they are wanted."""
    reports = oracle.run(adapted(tool), str(tree))
    if isinstance(reports, str):
        print(f"{tool.name}: {reports}", file=sys.stderr)
        return
    whole = Counter(what for what, _ in planted.values())
    reported = {report.place.path for report in reports} & set(planted)
    count = Counter(planted[path][0] for path in reported)
    print(f"| {tool.name} | {count[DRAWN] / whole[DRAWN]:.3f} | {1 - count[STAND_IN] / whole[STAND_IN]:.3f} |", flush=True)
    if listed and tool.name == oracle.KEYWARD:
        missed = Counter(way for path, (what, way) in planted.items() if what == DRAWN and path not in reported)
        for way, times in sorted(missed.items()):
            print(f"  missed {times} of {listed}: {way.path}: {way.text}", file=sys.stderr)


if __name__ == "__main__":
    main()
