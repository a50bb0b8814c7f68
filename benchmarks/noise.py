"""What each rule costs and how much noise it makes on a tree, for a choice of packs: `keyward rules bench` without the engine's estimate.

    python benchmarks/noise.py FOLDER [PACK …] [--show RULE]

Prints a line per rule that hit anything, and, with --show, the places (path and line, masked) of that rule's findings.
"""

from __future__ import annotations

import argparse

from keyward.cli.rules_bench import places, table
from keyward.flows.rules import registry
from keyward.flows.rules_bench import bench


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("packs", nargs="*")
    parser.add_argument("--show", default="")
    options = parser.parse_args()
    measured = bench(options.folder, registry(only=options.packs), show=options.show, estimate=False)
    for line in (*places(measured), *table(measured, everything=False)):
        print(line)


if __name__ == "__main__":
    main()
