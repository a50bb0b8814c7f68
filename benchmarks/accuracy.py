"""How much keyward finds, and how much it finds that is none, on a corpus that this script makes: no value of it is stored anywhere.

    python benchmarks/accuracy.py --generated [--stride N] [--seeds N] [--json FILE]

The corpus: credentials drawn from the published formats in `accuracy_corpus/formats.txt` (written down apart from the rules and held by a
hash) in the places where people leave them and in encodings; every example of every rule; and classes of texts that look like credentials and
are none. Deterministic: the same seeds give the same corpus. Prints tables; --json writes the whole of it, without any value.
"""

from __future__ import annotations

import argparse
import json
import time

from accuracy_corpus.command_line import disagreements
from accuracy_corpus.measuring import Finder, measure
from accuracy_corpus.printing import as_json, report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--generated", action="store_true", help="measure on the generated corpus (the only part there is)")
    parser.add_argument(
        "--stride", type=int, default=3, help="1: each kind in each place; 3: in every third one, other ones for each kind"
    )
    parser.add_argument("--seeds", type=int, default=1, help="draws of each kind in each place")
    parser.add_argument("--json", default="", help="write the measurements to this file")
    options = parser.parse_args()
    started = time.perf_counter()
    finder = Finder()
    measured = measure(finder, stride=options.stride, seeds=options.seeds)
    for line in report(measured):
        print(line)
    files, differing = disagreements(finder)
    print(
        f"\nThrough the command line: {files} files, {len(differing)} with another answer{': ' if differing else ''}{', '.join(differing)}"
    )
    print(f"{time.perf_counter() - started:.0f} s")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({**as_json(measured), "command_line": {"files": files, "differing": differing}}, file, indent=1)


if __name__ == "__main__":
    main()
