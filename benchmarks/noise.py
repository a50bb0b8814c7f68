"""What each rule costs and how much noise it makes on a tree: hits of the coarse pass, exact matches, findings.

    python benchmarks/noise.py FOLDER [PACK …] [--show RULE]

Prints a line per rule that hit anything, and, with --show, the places (path and line, masked) of that rule's findings.
"""

from __future__ import annotations

import argparse
import collections
import os
import time

from keyward.match.catalogue import build
from keyward.match.matcher import Matcher
from keyward.match.personas import REGULAR
from keyward.registry import Registry, pack_files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("packs", nargs="*")
    parser.add_argument("--show", default="")
    options = parser.parse_args()
    others = [name for name, _ in pack_files() if options.packs and name not in options.packs]
    registry = Registry(disabled=others)
    catalogue = build(registry)
    matcher = Matcher(registry, catalogue)
    hits: collections.Counter[str] = collections.Counter()
    found: collections.Counter[str] = collections.Counter()
    shown: collections.Counter[str] = collections.Counter()
    seconds: collections.Counter[str] = collections.Counter()
    size = 0
    for base, folders, names in os.walk(options.folder):
        folders[:] = [f for f in folders if f != ".git"]
        for name in names:
            path = os.path.join(base, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                data = file.read()
            size += len(data)
            hit = matcher.hits(data)
            for number, ends in hit.items():
                started = time.perf_counter()
                matcher.matches(data, {number: ends})
                seconds[catalogue.entries[number].rule] += time.perf_counter() - started
                hits[catalogue.entries[number].rule] += len(ends)
            for judged in matcher.judged(data, path, hit)[0]:
                rule = judged.candidate.rule.id
                found[rule] += 1
                if judged.confidence >= REGULAR:
                    shown[rule] += 1
                if rule == options.show and judged.confidence > 0:
                    line = data.count(b"\n", 0, judged.candidate.span[0]) + 1
                    why = ", ".join(f"{s.name} {s.weight:+d}" for s in judged.signals)
                    print(f"{judged.confidence:3d} {path}:{line} {why}")
    print(f"\n{size / 1e6:.0f} MB; rules with hits, most hits first")
    print(f"{'rule':44s} {'hits':>8s} {'matches':>8s} {'regular':>8s} {'ms':>8s}")
    for rule, count in hits.most_common():
        print(f"{rule:44s} {count:8d} {found[rule]:8d} {shown[rule]:8d} {seconds[rule] * 1000:8.0f}")


if __name__ == "__main__":
    main()
