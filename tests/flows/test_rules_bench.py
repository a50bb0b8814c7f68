"""What `rules bench` measures adds up, and Ctrl-C leaves what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests_support import token

from keyward.cli.rules_bench import table
from keyward.flows.rules import registry
from keyward.flows.rules_bench import Bench, Cost, bench


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for number in range(6):
        (tmp_path / f"{number}.txt").write_bytes(b"token = " + token(number) + b"\n" + b"filler\n" * 50)
    return tmp_path


def clock(step: float = 0.25) -> Iterator[float]:
    now = 0.0
    while True:
        now += step
        yield now


def test_every_hit_match_and_finding_is_counted_under_its_rule(tree: Path) -> None:
    measured = bench(str(tree), registry(only=["github", "slack"]), estimate=False)
    rules = {cost.rule: cost for cost in measured.costs}
    classic = rules["github/pat-classic"]
    assert (classic.hits, classic.matches, classic.found) == (6, 6, 6)
    assert classic.confirm > 0
    assert classic.judge > 0
    assert sum(cost.hits for cost in measured.costs) == 6
    assert measured.files == 6
    assert measured.bytes == sum(path.stat().st_size for path in tree.iterdir())
    assert measured.costs[0] == classic


def test_shares_of_the_pass_add_up_to_all_of_it(tree: Path) -> None:
    measured = bench(str(tree), registry(only=["github", "slack", "generic"]))
    assert measured.estimated
    assert sum(cost.engine for cost in measured.costs) == pytest.approx(measured.engine)
    assert all(cost.engine >= 0 for cost in measured.costs)


def test_time_is_charged_to_the_rule_that_took_it(tree: Path) -> None:
    ticks = clock()
    measured = bench(str(tree), registry(only=["github"]), estimate=False, clock=lambda: next(ticks))
    classic = next(cost for cost in measured.costs if cost.rule == "github/pat-classic")
    # each look at the clock is a quarter of a second: one step around every exact match, of six files
    assert classic.confirm == 6 * 0.25
    assert measured.engine == 6 * 0.25
    assert measured.seconds == pytest.approx(measured.engine + classic.confirm + classic.judge)


def test_ctrl_c_leaves_what_was_measured(tree: Path) -> None:
    def interrupt(files: int, size: int) -> None:
        if files == 2:
            raise KeyboardInterrupt

    measured = bench(str(tree), registry(only=["github"]), progress=interrupt)
    assert (measured.files, measured.interrupted, measured.estimated) == (2, True, False)
    assert measured.costs[0].found == 2
    assert list(table(measured, everything=False))[-1] == "Interrupted: this is what was measured until then."


COST = Cost("acme/token", 0.0, 0.0, 0.0, 0, 0, 0)


@pytest.mark.parametrize(
    ("cost", "marks"),
    [
        (COST, ()),
        (COST._replace(judge=0.5), ("slow",)),
        (COST._replace(engine=0.01, confirm=0.02), ()),
        (COST._replace(hits=2), ()),
        (COST._replace(hits=1200), ("noisy",)),
        (COST._replace(hits=400, found=3), ("noisy",)),
        (COST._replace(found=2), ()),
    ],
)
def test_marks(cost: Cost, marks: tuple[str, ...]) -> None:
    measured = Bench(1, 1_000_000, 10.0, 1.0, (cost,))
    assert measured.marks(cost) == marks


def test_the_columns(tree: Path) -> None:
    cost = Cost("acme/token", 0.0015, 0.0002, 0.5, 40, 30, 20, shared=True)
    lines = list(table(Bench(3, 2_000_000_000, 1.0, 0.4, (cost, COST._replace(rule="acme/quiet"))), everything=False))
    assert lines == [
        "rule         share    engine   confirm     judge     hits/GB  found/GB  mark",
        "acme/token   50.2%      ~1.5       0.2     500.0          20        10  slow",
        "(1 more rules: --all)",
        "",
        "3 files, 2,000.0 MB in 1.00 s: 0.40 s the pass over all bytes, the rest what it hit. Times in ms.",
        "`confirm` and `judge` are measured; `engine` is estimated from groups of rules (~: an equal part of a group's).",
    ]
