"""JUnit XML: a place is a failed test, what was not scanned is an error, what was allowed is skipped."""

from __future__ import annotations

from collections.abc import Iterator

from keyward.model.finding import NotScanned, Occurrence, Outcome
from keyward.report import ReportOptions
from keyward.report.escape import url, xml
from keyward.report.identity import timestamp
from keyward.report.text import place as place_of
from keyward.report.words import ROLES, count, why


def render(outcome: Outcome, options: ReportOptions) -> str:
    """The document. Without anything to tell it holds one passed test, because some services fail on a suite with none."""
    places = [occurrence for finding in outcome.findings for occurrence in finding.occurrences]
    errors = [item for item in outcome.not_scanned if options.strict or not item.opaque]
    opaque = [item for item in outcome.not_scanned if not options.strict and item.opaque]
    cases = [_failure(place, options) for place in places]
    cases += [_error(item) for item in errors]
    cases += [_skipped_place(place, options) for place in outcome.allowed]
    cases += [_skipped_opaque(item) for item in opaque]
    if not cases:
        name = f"nothing found in {count(outcome.stats.files, 'file')}"
        cases = [_case("keyward.scan", name, "", 0, "")]
    counts = (
        f'tests="{len(cases)}" failures="{len(places)}" errors="{len(errors)}" '
        f'skipped="{len(outcome.allowed) + len(opaque)}" time="{outcome.stats.seconds:.3f}"'
    )
    time = f' timestamp="{timestamp(options.finished_at)}"' if options.finished_at else ""
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<testsuites name="keyward" {counts}>',
            f'  <testsuite name="keyward" {counts}{time}>',
            *cases,
            "  </testsuite>",
            "</testsuites>\n",
        )
    )


def _case(group: str, name: str, file: str, line: int, body: str) -> str:
    where = f' file="{xml(file)}"' if file else ""
    where += f' line="{line}"' if line > 0 else ""
    head = f'    <testcase classname="{xml(group)}" name="{xml(name)}"{where} time="0"'
    return f"{head}>\n      {body}\n    </testcase>" if body else f"{head}/>"


def _place(place: Occurrence, options: ReportOptions, body: str) -> str:
    name = f"{options.kind_of(place.kind).title} at {place_of(place)}"
    return _case(f"keyward.{place.kind}", name, place.locator.path, 0 if place.locator.container else place.line, body)


def _failure(place: Occurrence, options: ReportOptions) -> str:
    kind = options.kind_of(place.kind)
    short = f"{place.severity}: {kind.title} {place.masked}"
    text = "\n".join(xml(line) for line in _told(place, options))
    return _place(place, options, f'<failure message="{xml(short)}" type="{xml(place.rule)}">{text}</failure>')


def _told(place: Occurrence, options: ReportOptions) -> Iterator[str]:
    kind = options.kind_of(place.kind)
    reasons, doubts = why(place.signals)
    yield f"{kind.title} {place.masked}, {ROLES.get(place.role, place.role)}"
    yield f"{place.confidence} % sure: {reasons}{f'. But: {doubts}' if doubts else ''}"
    if place.public_id:
        yield f"id {place.public_id}"
    for name, value in place.facts:
        yield f"{name}: {value}"
    for number, step in enumerate(kind.manual.steps if kind.manual else (), 1):
        yield f"{number}. {step}"
    if kind.manual and url(kind.manual.url):
        yield kind.manual.url
    yield f"fingerprint {place.fingerprint}"


def _error(item: NotScanned) -> str:
    body = f'<error message="{xml(f"not scanned: {item.reason}")}" type="not-scanned"/>'
    return _case("keyward.not-scanned", item.path or item.reason, item.path, 0, body)


def _skipped_opaque(item: NotScanned) -> str:
    body = f'<skipped message="{xml(f"opaque: {item.reason}")}"/>'
    return _case("keyward.opaque", item.path or item.reason, item.path, 0, body)


def _skipped_place(place: Occurrence, options: ReportOptions) -> str:
    allowance = place.allowance
    reason = f"allowed by {allowance.by}: {allowance.reason}" if allowance else "allowed"
    return _place(place, options, f'<skipped message="{xml(reason.removesuffix(": "))}"/>')
