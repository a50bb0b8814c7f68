"""`keyward rules bench`: the table, and the same as data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from keyward.flows.rules_bench import Bench, Cost
from keyward.report.escape import terminal

COLUMNS = ("rule", "share", "engine", "confirm", "judge", "hits/GB", "found/GB", "mark")
SHOWN = 40
"""Rules in the table unless all are wanted."""


def table(bench: Bench, *, everything: bool) -> Iterator[str]:
    """The lines of the report, dearest rule first. Times in milliseconds."""
    costs = [cost for cost in bench.costs if everything or cost.hits or bench.marks(cost)]
    shown = costs if everything else costs[:SHOWN]
    wide = max([len(terminal(cost.rule)) for cost in shown], default=4)
    yield f"{COLUMNS[0]:<{wide}} {COLUMNS[1]:>7} {COLUMNS[2]:>9} {COLUMNS[3]:>9} {COLUMNS[4]:>9} {COLUMNS[5]:>11} {COLUMNS[6]:>9}  {COLUMNS[7]}"
    for cost in shown:
        yield _row(bench, cost, wide).rstrip()
    left = len(bench.costs) - len(shown)
    if left:
        yield f"({left} more rules: --all)"
    yield ""
    yield (
        f"{bench.files:,} files, {bench.bytes / 1e6:,.1f} MB in {bench.seconds:.2f} s: "
        f"{bench.engine:.2f} s the pass over all bytes, the rest what it hit. Times in ms."
    )
    if bench.estimated:
        yield "`confirm` and `judge` are measured; `engine` is estimated from groups of rules (~: an equal part of a group's)."
    else:
        yield "`confirm` and `judge` are measured; the pass over all bytes is not divided among the rules."
    if bench.interrupted:
        yield "Interrupted: this is what was measured until then."


def _row(bench: Bench, cost: Cost, wide: int) -> str:
    share = 100 * cost.seconds / bench.seconds if bench.seconds else 0.0
    engine = f"{'~' if cost.shared else ''}{cost.engine * 1000:.1f}" if bench.estimated else "-"
    return (
        f"{terminal(cost.rule):<{wide}} {share:>6.1f}% {engine:>9} {cost.confirm * 1000:>9.1f} {cost.judge * 1000:>9.1f} "
        f"{bench.per_gigabyte(cost.hits):>11,} {bench.per_gigabyte(cost.found):>9,}  {', '.join(bench.marks(cost))}"
    )


def places(bench: Bench) -> Iterator[str]:
    """Where the rule that was asked for found something, and why it was (not) believed."""
    for place in bench.places:
        why = ", ".join(f"{name} {weight:+d}" for name, weight in place.signals)
        yield terminal(f"{place.confidence:3d} {place.path}:{place.line} {why}")


def as_json(bench: Bench) -> str:
    """The whole as one object (`keyward.rules-bench/1`), times in seconds."""
    data: dict[str, Any] = {
        "schema": "keyward.rules-bench/1",
        "files": bench.files,
        "bytes": bench.bytes,
        "seconds": round(bench.seconds, 6),
        "engine_seconds": round(bench.engine, 6),
        "engine_estimated": bench.estimated,
        "interrupted": bench.interrupted,
        "rules": [
            {
                "rule": cost.rule,
                "share": round(cost.seconds / bench.seconds, 6) if bench.seconds else 0.0,
                "engine_seconds": round(cost.engine, 6) if bench.estimated else None,
                "engine_shared": cost.shared,
                "confirm_seconds": round(cost.confirm, 6),
                "judge_seconds": round(cost.judge, 6),
                "hits": cost.hits,
                "matches": cost.matches,
                "found": cost.found,
                "hits_per_gb": bench.per_gigabyte(cost.hits),
                "found_per_gb": bench.per_gigabyte(cost.found),
                "marks": list(bench.marks(cost)),
            }
            for cost in bench.costs
        ],
    }
    return json.dumps(data, indent=1)
