"""Occurrences of one secret become one finding; the surest and most dangerous come first. What only the whole of a scan shows is said here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keyward.model.finding import Finding, Occurrence, Signal

_DANGER = {"critical": 40, "high": 25, "medium": 10, "low": 0}

MANY = 20
"""Files from which on a value that nobody drew is more likely a default than a secret that many know."""

_WIDESPREAD = -10
_GENERIC = "generic/"
_DRAWN = frozenset(("random", "drawn", "uuid"))


def with_spread(occurrences: Sequence[Occurrence]) -> Sequence[Occurrence]:
    """The occurrences, each value that only its name gives away and that stands in many files a little less sure: a default, a choice of a list.

    What a machine drew is no default, however often it was copied; and what another rule knows by its form is not touched at all. Paths are
    counted: neither the versions of a file nor the places in it count again.
    """
    if len(occurrences) < MANY:
        return occurrences
    files: dict[str, set[str]] = {}
    known: set[str] = set()
    for occurrence in occurrences:
        if not occurrence.rule.startswith(_GENERIC) or any(signal.name in _DRAWN for signal in occurrence.signals):
            known.add(occurrence.fingerprint)
        else:
            files.setdefault(occurrence.fingerprint, set()).add(occurrence.locator.path)
    spread = {value: len(paths) for value, paths in files.items() if len(paths) >= MANY and value not in known}
    if not spread:
        return occurrences
    return [_less_sure(each, spread[each.fingerprint]) if each.fingerprint in spread else each for each in occurrences]


def _less_sure(occurrence: Occurrence, files: int) -> Occurrence:
    signal = Signal("widespread", _WIDESPREAD, f"the same value in {files} files")
    return occurrence._replace(confidence=max(0, occurrence.confidence + _WIDESPREAD), signals=(*occurrence.signals, signal))


def group(occurrences: Iterable[Occurrence]) -> tuple[Finding, ...]:
    """The findings, in the order in which a person should read them. The surest occurrence names the kind."""
    by_secret: dict[str, dict[tuple[str, str, tuple[str, ...], int], Occurrence]] = {}
    for occurrence in occurrences:
        places = by_secret.setdefault(occurrence.fingerprint, {})
        locator = occurrence.locator
        place = (locator.path, locator.blob, locator.container, locator.start)
        known = places.get(place)
        if known is None or known.confidence < occurrence.confidence:
            places[place] = occurrence
    findings = [_finding(fingerprint, list(places.values())) for fingerprint, places in by_secret.items()]
    return tuple(sorted(findings, key=_order))


def _finding(fingerprint: str, occurrences: list[Occurrence]) -> Finding:
    occurrences.sort(key=lambda o: (o.locator.path, o.locator.container, o.locator.start))
    best = max(occurrences, key=lambda o: (o.confidence, bool(o.public_id), -o.line))
    return Finding(
        fingerprint=fingerprint,
        kind=best.kind,
        rule=best.rule,
        severity=best.severity,
        confidence=best.confidence,
        masked=best.masked,
        public_id=best.public_id,
        facts=best.facts,
        signals=best.signals,
        occurrences=tuple(occurrences),
    )


def _order(finding: Finding) -> tuple[int, str, int, str]:
    first = finding.occurrences[0]
    return (-(finding.confidence + _DANGER.get(finding.severity, 0)), first.locator.path, first.line, finding.fingerprint)
