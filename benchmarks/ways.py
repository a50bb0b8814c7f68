"""In how many of the ways in which people leave a secret it is found: keyward and its rivals.

    python benchmarks/ways.py [--work FOLDER] [--tools keyward,gitleaks] [--draws 3] [--list]

Writes each way of `accuracy_corpus/ways.txt` to a file of its own, with drawn values and with what stands there where no secret does, and counts the files in
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
from accuracy_corpus.ways import STAND_INS, Way, drawn, ways
from labelled import adapted

DRAWN, STAND_IN = "drawn", "stand-in"


def plant(folder: Path, draws: int) -> dict[str, tuple[str, Way]]:
    """The files: path to what stands in it."""
    planted: dict[str, tuple[str, Way]] = {}
    for number, way in enumerate(ways()):
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
    tree = options.work / "ways"
    shutil.rmtree(tree, ignore_errors=True)
    planted = plant(tree, options.draws)
    whole = Counter(what for what, _ in planted.values())
    print(f"{len(ways())} ways, {whole[DRAWN]} files with a drawn value, {whole[STAND_IN]} without any\n")
    print("| tool | drawn values found | files without any left alone |\n|---|---:|---:|")
    for tool in oracle.tools(options.work, "regular"):
        if options.tools and tool.name not in options.tools.split(","):
            continue
        reports = oracle.run(adapted(tool), str(tree))
        if isinstance(reports, str):
            print(f"{tool.name}: {reports}", file=sys.stderr)
            continue
        reported = {report.place.path for report in reports} & set(planted)
        count = Counter(planted[path][0] for path in reported)
        print(f"| {tool.name} | {count[DRAWN] / whole[DRAWN]:.3f} | {1 - count[STAND_IN] / whole[STAND_IN]:.3f} |")
        if options.list and tool.name == oracle.KEYWARD:
            missed = Counter(way for path, (what, way) in planted.items() if what == DRAWN and path not in reported)
            for way, times in sorted(missed.items()):
                print(f"  missed {times} of {options.draws}: {way.path}: {way.text}", file=sys.stderr)


if __name__ == "__main__":
    main()
