"""Which exit code an outcome means."""

from __future__ import annotations

import pytest

from keyward.cli.exits import exit_code
from keyward.model.finding import Allowance, Finding, Locator, NotScanned, Occurrence, Outcome, Stats
from keyward.model.kind import Kind

PLACE = Occurrence(
    "kw1_a", "x/y", Kind("x/y"), "high", Locator("tree", "a", 0, 1), 1, 1, 1, "…", 80, (), ("secret",), "", (), "live-config"
)
FOUND = Finding("kw1_a", Kind("x/y"), "x/y", "high", 80, "…", "", (), (), (PLACE,))
MISSED, OPAQUE = NotScanned("b", "permission denied"), NotScanned("c.kdbx", "encrypted", opaque=True)
EMPTY = Outcome((), (), (), (), Stats(1, 1, 0.1), "salt")


@pytest.mark.parametrize(
    ("outcome", "lenient", "strict"),
    [
        (EMPTY, 0, 0),
        (EMPTY._replace(findings=(FOUND,)), 1, 1),
        (EMPTY._replace(findings=(FOUND,), not_scanned=(MISSED,)), 1, 1),
        (EMPTY._replace(not_scanned=(MISSED,)), 3, 3),
        (EMPTY._replace(not_scanned=(OPAQUE,)), 0, 3),
        (EMPTY._replace(not_scanned=(OPAQUE, MISSED)), 3, 3),
        (EMPTY._replace(allowed=(PLACE._replace(allowance=Allowance("baseline")),)), 0, 0),
        (EMPTY._replace(below_persona=5, stale_baseline=("kw1_b",)), 0, 0),
    ],
)
def test_exit_code(outcome: Outcome, lenient: int, strict: int) -> None:
    assert exit_code(outcome, strict=False) == lenient
    assert exit_code(outcome, strict=True) == strict
