"""`python -m keyward.testing.drill SCENARIO`: a drill without the command line."""

from __future__ import annotations

import sys

from keyward.testing.drill.run import run_drill
from keyward.testing.drill.scenarios import SCENARIOS, named


def main(words: list[str]) -> int:
    """The exit code of `run_drill`; 2 for an unknown scenario."""
    chosen = named(words[0]) if words else SCENARIOS[0]
    if chosen is None:
        print(f"One of: {', '.join(each.name for each in SCENARIOS)}", file=sys.stderr)
        return 2
    return run_drill(chosen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
