"""Occurrences of one secret become one finding; the surest and most dangerous come first."""

from __future__ import annotations

from collections.abc import Iterable

from keyward.model.finding import Finding, Occurrence

_DANGER = {"critical": 40, "high": 25, "medium": 10, "low": 0}


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
