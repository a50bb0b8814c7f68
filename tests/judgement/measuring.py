"""What the generic judgement is worth on the labelled lines: recall and precision at every threshold, by category, and the calibration.

PYTHONPATH=tests python -m judgement.measuring          prints the tables of docs/judgement.md
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from judgement.corpus import Case, cases

from keyward.flows.rules import registry
from keyward.match.catalogue import load
from keyward.match.matcher import Matcher
from keyward.match.personas import REGULAR

PACKS = ("generic", "bearer", "basic_auth", "url_credentials")
"""Those that judge by names and places. What the packs of products find besides is theirs, and tested there."""

THRESHOLDS = (30, 40, 45, 50, 55, 60, 70)
BINS = ((1, 29), (30, 49), (50, 59), (60, 100))
"""Wide enough that each holds some dozens of lines."""


class Outcome(NamedTuple):
    """A case, and how sure keyward is of its value: 0 for not at all."""

    case: Case
    confidence: int


@cache
def outcomes(shift: int = 0) -> tuple[Outcome, ...]:
    packs = registry(only=PACKS)
    matcher = Matcher(packs, load(packs, portable=True))
    return tuple(Outcome(case, _confidence(matcher, case)) for case in cases(shift))


def _confidence(matcher: Matcher, case: Case) -> int:
    """For a line with a credential only what covers its value counts, or its base64; for another line, anything."""
    data, value = case.text.encode(), case.value.encode()
    best = 0
    for judged in matcher.find(data, case.path):
        start, end = judged.candidate.span
        if not case.real or value in data[start:end]:
            best = max(best, judged.confidence)
    return best


class Rates(NamedTuple):
    recall: float
    precision: float


def rates(found: Sequence[Outcome], threshold: int = REGULAR) -> Rates:
    shown = [each for each in found if each.confidence >= threshold]
    right = sum(each.case.real for each in shown)
    return Rates(right / sum(each.case.real for each in found), right / len(shown))


def calibration(found: Sequence[Outcome]) -> list[tuple[int, int, int, float]]:
    """For each bin of confidence: from, to, how many lines, and the share of credentials among them."""
    rows = []
    for low, high in BINS:
        inside = [each.case.real for each in found if low <= each.confidence <= high]
        rows.append((low, high, len(inside), sum(inside) / len(inside)))
    return rows


def by_category(found: Sequence[Outcome]) -> dict[tuple[bool, str], tuple[int, int]]:
    """Of each category how many lines there are, and how many are shown to the regular persona."""
    counted: dict[tuple[bool, str], tuple[int, int]] = {}
    for case, confidence in found:
        lines, shown = counted.get((case.real, case.category), (0, 0))
        counted[case.real, case.category] = (lines + 1, shown + (confidence >= REGULAR))
    return counted


def tables(found: Sequence[Outcome]) -> str:
    """The tables as Markdown."""
    lines = ["| shown from | recall | precision |", "|---:|---:|---:|"]
    for threshold in THRESHOLDS:
        recall, precision = rates(found, threshold)
        lines.append(f"| {threshold} | {recall:.3f} | {precision:.3f} |")
    lines += ["", "| confidence | lines | credentials among them |", "|---:|---:|---:|"]
    lines += [f"| {low} to {high} | {count} | {share:.0%} |" for low, high, count, share in calibration(found)]
    lines += ["", "| category | lines | found |", "|---|---:|---:|"]
    lines += [
        f"| {name} | {count} | {shown / count:.0%} |" for (real, name), (count, shown) in by_category(found).items() if real
    ]
    lines += ["", "| what looks like one | lines | shown all the same |", "|---|---:|---:|"]
    lines += [
        f"| {name} | {count} | {shown / count:.1%} |" for (real, name), (count, shown) in by_category(found).items() if not real
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(tables(outcomes()))
