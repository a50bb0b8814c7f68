"""Tables of what was measured, for people and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from accuracy_corpus.measuring import Measured, Seen, by, recall
from keyward.match.personas import PEDANTIC, PERSONAS, REGULAR

THRESHOLDS = range(10, 100, 5)
BINS = ((1, 29), (30, 49), (50, 59), (60, 69), (70, 79), (80, 89), (90, 100))


def shares(seen: Iterable[Seen]) -> dict[str, float]:
    """Recall for each persona that is asked about."""
    kept = list(seen)
    return {name: round(recall(kept, PERSONAS[name]), 4) for name in ("regular", "pedantic")}


def named_right(seen: Iterable[Seen]) -> float:
    """Of what the regular persona is shown, the share that bears its own kind's name."""
    shown = [one for one in seen if one.confidence >= REGULAR]
    return sum(one.named == one.kind for one in shown) / len(shown) if shown else 1.0


def curve(measured: Measured) -> list[dict[str, float]]:
    """Precision and recall at each threshold. The precision is that of this corpus: it depends on how much of it is negative."""
    rows = []
    for threshold in THRESHOLDS:
        true = sum(one.confidence >= threshold for one in measured.seen)
        false = sum(one.confidence >= threshold for one in measured.wrong)
        precision = true / (true + false) if true + false else 1.0
        rows.append(
            {
                "threshold": threshold,
                "precision": round(precision, 4),
                "recall": round(recall(measured.seen, threshold), 4),
                "false": false,
            }
        )
    return rows


def calibration(measured: Measured) -> list[dict[str, float]]:
    """Of the findings in each bin of confidence, how many are credentials."""
    rows = []
    for low, high in BINS:
        true = sum(low <= one.confidence <= high for one in measured.seen)
        false = sum(low <= one.confidence <= high for one in measured.wrong)
        precision = round(true / (true + false), 4) if true + false else 1.0
        rows.append({"from": low, "to": high, "findings": true + false, "precision": precision})
    return rows


def false_findings(measured: Measured) -> dict[str, dict[str, int]]:
    """By class of negatives: texts, and false findings for each persona. What was found beside hidden credentials counts as a class."""
    counted = {name: {"texts": count, "regular": 0, "pedantic": 0} for name, count in measured.negatives.items()}
    counted["beside a credential"] = {"texts": len(measured.seen), "regular": 0, "pedantic": 0}
    for one in measured.wrong:
        row = counted.get(one.where, counted["beside a credential"])
        row["regular"] += one.confidence >= REGULAR
        row["pedantic"] += one.confidence >= PEDANTIC
    return counted


def as_json(measured: Measured) -> dict[str, object]:
    """Everything, without any value."""
    parts = by(measured.seen, "part")
    return {
        "credentials": len(measured.seen),
        "recall": {part: {**shares(seen), "named": round(named_right(seen), 4)} for part, seen in parts.items()},
        "recall_by_kind": {
            part: {kind: shares(seen) for kind, seen in sorted(by(of, "kind").items())} for part, of in parts.items()
        },
        "recall_by_place": {
            part: {place: shares(seen) for place, seen in by(of, "place").items()} for part, of in parts.items()
        },
        "false_findings": false_findings(measured),
        "false_findings_by_rule": dict(
            Counter(f"{one.rule} in {one.where}" for one in measured.wrong if one.confidence >= REGULAR)
        ),
        "curve": curve(measured),
        "calibration": calibration(measured),
        "missed": [one._asdict() for one in measured.seen if one.confidence < REGULAR],
    }


def report(measured: Measured) -> Iterator[str]:
    """The tables, line by line."""
    parts = by(measured.seen, "part")
    yield "| part of the corpus | credentials | kinds | regular | pedantic | named right |"
    yield "|---|---:|---:|---:|---:|---:|"
    for part, seen in parts.items():
        share = shares(seen)
        yield f"| {part} | {len(seen)} | {len(by(seen, 'kind'))} | {share['regular']:.2%} | {share['pedantic']:.2%} | {named_right(seen):.2%} |"
    for part, seen in parts.items():
        yield from _places(part, seen)
    for part, seen in parts.items():
        yield from _kinds(part, seen)
    yield from _negatives(measured)
    yield ""
    yield "| confidence from | precision | recall | false findings |"
    yield "|---:|---:|---:|---:|"
    for row in curve(measured):
        yield f"| {row['threshold']} | {row['precision']:.2%} | {row['recall']:.2%} | {row['false']} |"
    yield ""
    yield "| confidence | findings | of them credentials |"
    yield "|---:|---:|---:|"
    for row in calibration(measured):
        yield f"| {row['from']} to {row['to']} | {row['findings']} | {row['precision']:.2%} |"


def _places(part: str, seen: list[Seen]) -> Iterator[str]:
    places = by(seen, "place")
    yield ""
    yield f"| {part}: place | credentials | regular | pedantic |"
    yield "|---|---:|---:|---:|"
    for place, these in sorted(places.items(), key=lambda item: recall(item[1], REGULAR)):
        share = shares(these)
        if share["regular"] < 1 or part == "encodings":
            yield f"| {place} | {len(these)} | {share['regular']:.2%} | {share['pedantic']:.2%} |"
    whole = sum(recall(these, REGULAR) == 1 for these in places.values())
    yield f"| ({whole} of {len(places)} places: all found) | | | |"


def _kinds(part: str, seen: list[Seen]) -> Iterator[str]:
    yield ""
    yield f"| {part}: kind with a miss | regular | missed in (confidence) |"
    yield "|---|---:|---|"
    for kind, these in sorted(by(seen, "kind").items(), key=lambda item: recall(item[1], REGULAR)):
        missed = [f"{one.place} ({one.confidence})" for one in these if one.confidence < REGULAR]
        if missed:
            yield f"| {kind} | {recall(these, REGULAR):.1%} of {len(these)} | {', '.join(missed[:6])}{', …' if len(missed) > 6 else ''} |"


def _negatives(measured: Measured) -> Iterator[str]:
    yield ""
    yield "| negatives | texts | regular | pedantic |"
    yield "|---|---:|---:|---:|"
    for name, row in false_findings(measured).items():
        yield f"| {name} | {row['texts']} | {row['regular']} | {row['pedantic']} |"
    rules = Counter(f"{one.rule} in {one.where}" for one in measured.wrong if one.confidence >= REGULAR)
    for which, count in rules.most_common(12):
        yield f"| — {which} | | {count} | |"
