"""`python -m keyward.testing.demo`: the drill, with a report to open."""

from __future__ import annotations

import sys

from keyward.testing.drill.run import run_drill
from keyward.testing.drill.scenarios import SCENARIOS


def main() -> int:
    """The exit code of `run_drill`."""
    return run_drill(SCENARIOS[0], report="keyward-drill.html")


if __name__ == "__main__":
    sys.exit(main())
