"""Trains the table of letter pairs of `keyward.plugin.letters` from the words of the programs and texts that this machine has.

    python benchmarks/letters.py [FOLDER …]        prints the table, to be pasted

Every distinct word of three to twenty letters in names, comments and texts counts once, more if it is frequent (by the logarithm).
A cell is four times the logarithm (base 2) of how much more often the second letter follows the first than one in twenty-six, as a
printable character. Without folders: the standard library of this Python. The same input gives the same table.
"""

from __future__ import annotations

import collections
import itertools
import math
import re
import sys
import sysconfig
from pathlib import Path

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORD = re.compile(r"[A-Z]?[a-z]{2,19}(?![a-z])")
ZERO, LOWEST, HIGHEST = "N", -13, 16
LARGEST = 400_000


def words(folders: list[Path]) -> dict[str, int]:
    """How often each word occurs."""
    counted: collections.Counter[str] = collections.Counter()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".txt", ".md", ".rst", ".html") and path.is_file() and path.stat().st_size < LARGEST:
                counted.update(word.lower() for word in WORD.findall(path.read_text("utf-8", "replace")))
    return {word: count for word, count in counted.items() if count > 1}


def table(counted: dict[str, int]) -> str:
    """Row by row: 26 characters for what follows an a, 26 for what follows a b, …"""
    pairs: dict[str, float] = collections.defaultdict(float)
    for word, count in counted.items():
        weight = 1 + math.log2(count)
        for first, second in itertools.pairwise(word):
            pairs[first + second] += weight
    cells = []
    for first in LETTERS:
        total = sum(pairs[first + second] for second in LETTERS)
        floor = total * 0.0006
        for second in LETTERS:
            bits = math.log2((pairs[first + second] + floor) / (total * (1 + 26 * 0.0006)) * 26)
            cells.append(chr(ord(ZERO) + max(LOWEST, min(HIGHEST, round(4 * bits)))))
    return "".join(cells)


def main() -> None:
    folders = [Path(name) for name in sys.argv[1:]] or [Path(sysconfig.get_path("stdlib"))]
    printed = table(words(folders))
    for start in range(0, len(printed), 104):
        print(f'    "{printed[start : start + 104]}"')


if __name__ == "__main__":
    main()
