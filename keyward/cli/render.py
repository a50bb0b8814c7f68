"""From an outcome to the text of a report."""

from __future__ import annotations

import time

from keyward.errors import UsageError
from keyward.model.finding import Outcome
from keyward.model.kind import CredentialKind, Kind
from keyward.registry import Registry, pack_files
from keyward.report import FORMATS, ReportOptions, render


def check_format(name: str) -> None:
    """Raises UsageError for a format that does not exist, before any work is done."""
    if name not in FORMATS:
        raise UsageError(f"there is no format {name!r}", hint=f"One of: {', '.join(FORMATS)}.")


def kinds_of(outcome: Outcome) -> dict[Kind, CredentialKind]:
    """The declarations of the kinds in an outcome. Only the packs named like the kinds' providers are imported, and all of
    them if that is not enough."""
    wanted = {finding.kind for finding in outcome.findings} | {occurrence.kind for occurrence in outcome.allowed}
    registry = Registry()
    built_in = {name for name, _ in pack_files()}
    for kind in wanted:
        name = kind.partition("/")[0].replace("-", "_")
        if name in built_in:
            registry.pack(name)
    found = {kind: registry.kind(kind) for kind in wanted}
    if any(str(kind) == declared.title for kind, declared in found.items()):
        registry.packs()
        found = {kind: registry.kind(kind) for kind in wanted}
    return found


def render_outcome(
    name: str, outcome: Outcome, *, color: bool, width: int, strict: bool = False, timeline: bool = False, explain: bool = False
) -> str:
    """The report in a format."""
    kinds = kinds_of(outcome)
    return render(
        name,
        outcome,
        ReportOptions(
            kind_of=lambda kind: kinds.get(kind) or CredentialKind(kind, str(kind)),
            color=color,
            width=width,
            strict=strict,
            finished_at=time.time(),
            timeline=timeline,
            explain=explain,
        ),
    )
