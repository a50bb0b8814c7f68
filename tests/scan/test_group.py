"""What only the whole of a scan shows: that a value stands in many files."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyward.flows.scan import ScanOptions, scan
from keyward.model.finding import Locator, Occurrence, Outcome, Signal
from keyward.model.kind import Kind
from keyward.plugin.shapes import an
from keyward.scan.group import MANY, group, with_spread


def occurrence(path: str, *, rule: str = "generic/quoted", fingerprint: str = "kw1_a", signals: tuple[str, ...] = ("chosen",), confidence: int = 60, start: int = 0) -> Occurrence:  # fmt: skip
    reasons = tuple(Signal(name, 5) for name in signals)
    place = Locator("tree", path, start, start + 9)
    return Occurrence(fingerprint, rule, Kind("generic/secret"), "medium", place, 1, 1, 1, "…", confidence, reasons, ("secret",), "", (), "live-config")  # fmt: skip


def places(count: int, **options: object) -> list[Occurrence]:
    return [occurrence(f"f{number}.yaml", **options) for number in range(count)]


def test_a_value_in_many_files_is_a_little_less_sure_and_says_why() -> None:
    before = places(MANY)
    after = with_spread(before)
    assert {each.confidence for each in after} == {50}
    assert {each.signals[-1] for each in after} == {Signal("widespread", -10, f"the same value in {MANY} files")}
    assert [each._replace(confidence=60, signals=each.signals[:-1]) for each in after] == before


@pytest.mark.parametrize(
    "others",
    [
        places(MANY - 1),
        [occurrence("one.yaml", start=10 * number) for number in range(3 * MANY)],
        places(2 * MANY, signals=("random",)),
        places(2 * MANY, signals=("pattern", "drawn")),
        places(2 * MANY, rule="acme/api-key"),
        [*places(2 * MANY), occurrence("x.env", rule="acme/api-key")],
        [occurrence(f"f{number}.yaml", fingerprint=f"kw1_{number}") for number in range(2 * MANY)],
        [],
    ],
    ids=["in too few", "in one", "random", "drawn", "of a provider", "of a provider elsewhere", "each another value", "nothing"],
)  # fmt: skip
def test_what_stays_as_it_is(others: list[Occurrence]) -> None:
    assert list(with_spread(others)) == others


def test_only_the_one_value_is_touched_and_order_does_not_matter() -> None:
    mixed = [*places(MANY), *places(3, fingerprint="kw1_b")]
    after = list(with_spread(mixed))
    assert after[MANY:] == mixed[MANY:]
    assert group(after) == group(with_spread(mixed[::-1]))


def test_nothing_becomes_less_than_nothing() -> None:
    assert {each.confidence for each in with_spread(places(MANY, confidence=4))} == {0}


def scanned(tree: Path, jobs: int) -> Outcome:
    return scan(ScanOptions(paths=(str(tree),), baseline="", jobs=jobs, cache=False))


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_scan_counts_over_all_its_workers(tmp_path: Path, jobs: int) -> None:
    chosen, drawn = "Toulouse" + "1998!", an(24).sample(3).text.decode()
    for number in range(MANY):
        (tmp_path / f"f{number}.yaml").write_text(f"password: {chosen}\ntoken: {drawn}\n")
    before = scanned(tmp_path, jobs)
    (tmp_path / "f0.yaml").unlink()
    after = scanned(tmp_path, jobs)
    assert {finding.fingerprint for finding in before.findings} == {finding.fingerprint for finding in after.findings}
    change = {
        one.confidence - next(other.confidence for other in after.findings if other.fingerprint == one.fingerprint)
        for one in before.findings
    }
    assert change == {-10, 0}
    assert [signal.detail for finding in before.findings for signal in finding.signals if signal.name == "widespread"] == [
        f"the same value in {MANY} files"
    ]
    assert not [signal for finding in after.findings for signal in finding.signals if signal.name == "widespread"]
