"""The generic judgement is as good as `docs/judgement.md` says, on the lines that its weights were chosen on and on others.

A drop fails here. Where the judgement gets better the page is made anew: `PYTHONPATH=tests python -m judgement.measuring`.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from judgement.corpus import cases
from judgement.measuring import by_category, calibration, outcomes, rates

PAGE = Path(__file__).resolve().parents[2] / "docs" / "judgement.md"

OTHER = 5
"""Another draw of the same kinds, which the weights were not chosen on."""

SLACK = 0.01
"""How much less than the page says is no drop: a handful of lines."""


def test_the_corpus_is_large_and_always_the_same() -> None:
    every = cases()
    assert len(every) >= 2000
    assert sum(case.real for case in every) >= 700
    assert every == cases()
    assert every != cases(OTHER)


def test_each_text_holds_its_value() -> None:
    assert all(case.value in case.text for case in cases() if case.real)


def test_recall_and_precision_are_what_the_page_says() -> None:
    rows = re.findall(r"^\| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", PAGE.read_text("utf-8"), re.M)
    assert len(rows) == 7
    for threshold, recall, precision in rows:
        measured = rates(outcomes(), int(threshold))
        assert measured.recall >= float(recall) - SLACK
        assert measured.precision >= float(precision) - SLACK


@pytest.mark.parametrize("shift", [0, OTHER])
def test_the_regular_persona_sees_most_and_little_else(shift: int) -> None:
    measured = rates(outcomes(shift))
    assert measured.recall >= 0.93
    assert measured.precision >= 0.985


@pytest.mark.parametrize("shift", [0, OTHER])
def test_the_surer_the_more_often_right(shift: int) -> None:
    shares = [share for *_, share in calibration(outcomes(shift))]
    assert all(later > earlier - 0.01 for earlier, later in pairwise(shares))  # the last two bins are nearly all credentials
    assert shares[0] < 0.1
    assert shares[-1] > 0.98


@pytest.mark.parametrize("shift", [0, OTHER])
def test_no_category_is_bought_with_another(shift: int) -> None:
    for (real, name), (count, shown) in by_category(outcomes(shift)).items():
        if real:
            assert shown / count >= 0.8, name
        else:
            assert shown / count <= 0.03, name


def test_what_falls_just_below_is_shown_to_the_pedantic() -> None:
    """The threshold of the regular persona stands where precision ends, not where recall does."""
    assert rates(outcomes(), 30).recall - rates(outcomes()).recall < 0.05
    assert rates(outcomes(), 30).precision < rates(outcomes()).precision - 0.03
