"""The report for a person: the surest and most dangerous secrets first, each with its places and what to do about it.

On the path of the pre-commit hook, so it imports next to nothing. Colours only where the caller asks for them. Every line is built
as plain text, escaped as a whole for a CI log (colours may be forced there, so a terminal gets the same) and only then coloured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyward.model.finding import Finding, NotScanned, Occurrence, Outcome
from keyward.model.kind import SEVERITIES
from keyward.report import ReportOptions
from keyward.report.escape import log
from keyward.report.words import ROLES, count, moment, size, tally, why

if TYPE_CHECKING:  # nobody is asked at a commit
    from keyward.model.verdict import Verdict

GROUPS, PLACES, NAMED = 20, 5, 10
"""How many secrets, places of one secret, and things not scanned are shown; the rest is counted."""

LONGEST = 300
"""Characters of one text from outside, at most: a name of 4,000 characters would fill the screen."""

_HOW_TO_ALLOW = (
    "Not a secret? Write `keyward:allow <reason>` on its line, or accept all that is there now with `keyward baseline create`. "
    "A real one stays leaked until it is replaced: removing the line is not enough."
)

_BOLD, _DIM, _RED, _GREEN, _YELLOW, _CYAN = "1", "2", "31", "32", "33", "36"
_COLORS = {"critical": "1;97;41", "high": "1;31", "medium": "1;33", "low": "1;36"}


def render(outcome: Outcome, options: ReportOptions) -> str:
    """The report; plain text unless `options.color`."""
    page = _Page(options)
    taught: set[str] = set()
    if outcome.findings:
        page.line(_headline(outcome), _BOLD)
        page.blank()
    for finding in outcome.findings[:GROUPS]:
        _group(page, finding, taught)
        page.blank()
    _rest(page, outcome)
    _closing(page, outcome)
    _verdict(page, outcome)
    return page.text()


class _Page:
    """Lines as they are added."""

    def __init__(self, options: ReportOptions) -> None:
        self.options = options
        self.width = max(40, options.width)
        self._lines: list[str] = []

    def line(self, text: str, style: str = "", indent: int = 0) -> None:
        """One line, never wrapped: what may be copied from it (a path, an address) stays in one piece."""
        self._lines.append(" " * indent + self.paint(log(_cut(text)), style))

    def pieces(self, *pieces: tuple[str, str], indent: int = 0) -> None:
        """One line of texts with a style each. Where pieces meet nothing can begin: each is escaped, and spaces stand between."""
        self._lines.append(" " * indent + " ".join(self.paint(log(_cut(text)), style) for text, style in pieces if text))

    def wrapped(self, label: str, text: str, style: str = "", most: int = 3, indent: int = 2) -> None:
        """A text in lines of the page's width beside its label; `most` lines, then it is cut."""
        lead = f"{label} " if label else ""
        inset = indent + len(lead)
        lines = _wrap(log(_cut(text, 3 * LONGEST)), self.width - inset)
        if len(lines) > most:
            lines = lines[:most]
            lines[-1] += " …"
        for number, line in enumerate(lines):
            before = " " * indent + self.paint(lead, _DIM) if number == 0 else " " * inset
            self._lines.append(before + self.paint(line, style))

    def blank(self) -> None:
        self._lines.append("")

    def paint(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if style and self.options.color else text

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


def _headline(outcome: Outcome) -> str:
    places = sum(len(finding.occurrences) for finding in outcome.findings)
    return f"{count(len(outcome.findings), 'secret')} in {count(places, 'place')}: {_by_severity(outcome.findings)}"


def _by_severity(findings: tuple[Finding, ...]) -> str:
    counts = dict(tally(finding.severity for finding in findings))
    order = [*SEVERITIES, *(name for name in counts if name not in SEVERITIES)]
    return ", ".join(f"{counts[name]:,} {name}" for name in order if name in counts)


def _group(page: _Page, finding: Finding, taught: set[str]) -> None:
    kind = page.options.kind_of(finding.kind)
    severity = (finding.severity.upper(), _COLORS.get(finding.severity, _BOLD))
    page.pieces(severity, (kind.title, _BOLD), (finding.masked, _YELLOW))
    if finding.verdict is not None:
        _said(page, finding.verdict)
    most = len(finding.occurrences) if page.options.timeline else PLACES
    for occurrence in _in_order(finding, page.options)[:most]:
        page.pieces(
            *_when(occurrence, page.options), ("at ", _DIM), (place(occurrence), _CYAN), (_beside(occurrence), _DIM), indent=2
        )
    more = len(finding.occurrences) - most
    if more > 0:
        page.line(f"+{count(more, 'more place')}", _DIM, indent=6)
    reasons, doubts = why(finding.signals)
    sure = f"{finding.confidence} % sure: {reasons or 'no reason given'}"
    if page.options.explain:
        _signals(page, finding)
    else:
        page.wrapped("why", f"{sure}. But: {doubts}" if doubts else sure, most=2)
    facts = [f"{name.replace('_', ' ')} {value}" for name, value in finding.facts]
    if finding.public_id:
        facts.insert(0, f"id {finding.public_id}")
    if facts:
        page.wrapped("who", ", ".join(facts), most=2)
    _remedy(page, finding, taught)
    page.line(f"fingerprint {finding.fingerprint}", _DIM, indent=6)


def _signals(page: _Page, finding: Finding) -> None:
    """Every signal with its weight; what speaks most comes first."""
    page.line(f"why {finding.confidence} % sure, the sum of:", indent=2)
    for signal in sorted(finding.signals, key=lambda signal: -abs(signal.weight)):
        page.pieces(
            (f"{signal.weight:+4d}", _DIM), (f"{signal.name}: {signal.detail}" if signal.detail else signal.name, ""), indent=6
        )


def _said(page: _Page, verdict: Verdict) -> None:
    """What the provider said of it."""
    from keyward.report.verdicts import color_of, words_of

    state, detail = words_of(verdict)
    page.pieces((state, color_of(verdict)), (detail, ""), indent=2)


def _in_order(finding: Finding, options: ReportOptions) -> list[Occurrence]:
    if options.timeline:
        from keyward.report.record import places

        return list(places(finding, timeline=True))
    return sorted(finding.occurrences, key=_echo)


def _when(occurrence: Occurrence, options: ReportOptions) -> tuple[tuple[str, str], ...]:
    """Since when, for a timeline. A file's time of change says only that it is not later."""
    if not options.timeline:
        return ()
    seen = occurrence.provenance
    day = moment(seen.since).replace("T", " ").removesuffix("Z")
    by = {"mtime": "by then", "": "unknown when"}.get(seen.since_from, seen.since_from)
    return ((f"{day or '?':<19}", ""), (f"{by:<12}", _DIM))


def _beside(occurrence: Occurrence) -> str:
    """In brackets behind a place: where in its file, who brought it, and whether something reads it from there."""
    seen = occurrence.provenance
    said = [seen.where] if seen.where else []
    if seen.commit:
        said.append(f"commit {seen.commit[:10]} by {seen.author}" if seen.author else f"commit {seen.commit[:10]}")
        if seen.in_head is not None:
            said.append("still in HEAD" if seen.in_head else "no longer in HEAD")
    return f"({', '.join((*said, _role(occurrence)))})"


def _echo(occurrence: Occurrence) -> bool:
    """Live places first: a secret that something still reads from there has to be replaced, an echo only to be removed."""
    return occurrence.role == "echo"


def _remedy(page: _Page, finding: Finding, taught: set[str]) -> None:
    """What a person does next. The steps of a kind are said once a report."""
    kind = page.options.kind_of(finding.kind)
    if finding.kind in taught:
        page.line(f"fix as for the {kind.title} above", _DIM, indent=2)
        return
    taught.add(finding.kind)
    if kind.manual is None:
        page.wrapped("fix", "Replace it where it was issued, then update what uses it.", _GREEN)
        target = kind.references[0] if kind.references else ""
    else:
        steps = kind.manual.steps
        numbered = [f"{number}. {step}" for number, step in enumerate(steps, 1)] if len(steps) > 1 else list(steps)
        page.wrapped("fix", " ".join(numbered), _GREEN, most=2)
        target = kind.manual.url
    if target:
        page.line(target, _GREEN, indent=6)
    if kind.rotates:
        page.line("or  let keyward replace it: keyward rotate --leaked REPORT (of --format jsonl)", _GREEN, indent=2)


def place(occurrence: Occurrence) -> str:
    """`path:line:column`, with the archive members on the way to it. Not escaped."""
    locator = occurrence.locator
    name = _middle(" → ".join((locator.path, *filter(None, locator.container))))
    position = f":{occurrence.line}:{occurrence.column}" if occurrence.line > 0 and occurrence.column > 0 else ""
    return name + position


def _role(occurrence: Occurrence) -> str:
    role = ROLES.get(occurrence.role, occurrence.role)
    encoding = occurrence.locator.encoding
    return role if encoding == "raw" else f"{role}, {encoding}"


def _rest(page: _Page, outcome: Outcome) -> None:
    if not outcome.findings:
        return
    rest = outcome.findings[GROUPS:]
    if rest:
        page.line(f"and {count(len(rest), 'more secret')}: {_by_severity(rest)}. All of them: --format jsonl", _BOLD)
        page.blank()
    page.wrapped("", _HOW_TO_ALLOW, indent=0)
    page.blank()


def _closing(page: _Page, outcome: Outcome) -> None:
    stats = outcome.stats
    page.line(f"Looked at {count(stats.files, 'file')}, {size(stats.bytes)}, in {stats.seconds:.1f} s.")
    if outcome.allowed:
        by = tally(each.allowance.by if each.allowance else "unknown" for each in outcome.allowed)
        page.line(f"Allowed: {count(len(outcome.allowed), 'place')} ({_counts(by)}).")
    failed = tuple(item for item in outcome.not_scanned if not item.opaque)
    opaque = tuple(item for item in outcome.not_scanned if item.opaque)
    _named(page, "NOT scanned", failed, _YELLOW)
    _named(page, "Opaque, encrypted or packed", opaque, _YELLOW if page.options.strict else "")
    if outcome.excluded:
        page.line(f"Excluded: {count(len(outcome.excluded), 'path')} ({_counts(tally(item.by for item in outcome.excluded))}).")
    if outcome.below_persona:
        hint = "" if outcome.persona == "auditor" else "; --persona auditor shows them"
        page.line(f"Less sure: {count(outcome.below_persona, 'secret')} not shown to the persona {outcome.persona}{hint}.")
    if outcome.stale_baseline:
        shown = ", ".join(outcome.stale_baseline[:3]) + (", …" if len(outcome.stale_baseline) > 3 else "")
        page.line(f"Baseline: {count(len(outcome.stale_baseline), 'entry', 'entries')} found nowhere any more ({shown}).")
    for note in outcome.notes:
        page.line(f"Note: {note}")


def _counts(items: list[tuple[str, int]]) -> str:
    shown = [f"{number:,} by {_cut(name, 60)}" for name, number in items[:4]]
    rest = sum(number for _, number in items[4:])
    return ", ".join(shown) + (f", {rest:,} by others" if rest else "")


def _named(page: _Page, title: str, items: tuple[NotScanned, ...], style: str) -> None:
    if not items:
        return
    page.line(f"{title}: {len(items):,}", style)
    for item in items[:NAMED]:
        page.line(f"- {_middle(item.path)}: {_cut(item.reason, 160)}" if item.path else f"- {_cut(item.reason, 160)}", indent=2)
    if len(items) > NAMED:
        page.line(f"+{len(items) - NAMED:,} more", _DIM, indent=2)


def _verdict(page: _Page, outcome: Outcome) -> None:
    """The last line, which is all that some people read: it says clean only about what was looked at."""
    missed = [item for item in outcome.not_scanned if not item.opaque or page.options.strict]
    gap = f"{count(len(missed), 'thing')} could not be looked at" if missed else ""
    page.blank()
    if outcome.findings:
        page.line(f"{count(len(outcome.findings), 'secret')} found{f', and {gap}' if gap else ''}.", "1;31")
    elif gap:
        page.line(f"Not clean: nothing found in what was read, but {gap}.", "1;33")
    elif outcome.stats.files == 0:
        page.line("Nothing to look at: no file was read.", _BOLD)
    else:
        new = "nothing new" if outcome.allowed else "nothing"
        files = "the file" if outcome.stats.files == 1 else f"the {outcome.stats.files:,} files"
        beside = f", {count(len(outcome.not_scanned), 'opaque store')} aside" if outcome.not_scanned else ""
        page.line(f"Clean: {new} found in {files} looked at{beside}.", "1;32")


def _cut(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _middle(path: str, longest: int = 200) -> str:
    """A path cut in its middle: both its folder and its name tell something."""
    return path if len(path) <= longest else f"{path[: longest // 2]}…{path[-longest // 2 :]}"


def _wrap(text: str, width: int) -> list[str]:
    """Lines of whole words; a word longer than the width stands alone. (textwrap would import re.)"""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines
