"""What the rotation commands print: plans, live progress, results, standings. Everything from outside is made inert first."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from keyward.cli.table import table
from keyward.model.rotation import INCIDENT, Aborted, Attested, Outcome, Proved, ProvedByConsumer, Stopped, WaitingHuman
from keyward.report.escape import log

if TYPE_CHECKING:
    from keyward.flows.rotate import Plan, Result, WayBack
    from keyward.rotate.found import Found
    from keyward.rotate.journal import Line
    from keyward.rotate.ledger import Standing
    from keyward.rotate.replaced import Replaced
    from keyward.rotate.stranded import Stranded


def show_plan(plan: Plan, past: Sequence[Replaced] = ()) -> str:
    """The plan as a person reads it before saying yes. `past`: leaked keys that rotations have replaced since that scan."""
    incident = plan.mode == INCIDENT
    count = len([p for p in plan.rotations if not p.refusal])
    what = f"{'Incident' if incident else 'Planned'} rotation of {count} credential{'s' * (count != 1)}, in this order:"
    if not count:
        what = "No credential would be rotated:" if plan.rotations else "No credential would be rotated."
    lines = [what, *([""] if plan.rotations else [])]
    for number, each in enumerate(plan.rotations, 1):
        lines.append(f"{number:>3}. {log(each.ref)}  ({log(each.kind)})")
        if each.refusal:
            lines.append(f"     will not be touched: {log(each.refusal)}")
            if each.hint:
                lines.append(f"     {log(each.hint)}")
            continue
        if each.resumes:
            lines.append(f"     goes on with {each.resumes}")
        else:
            lines.append(f"     {' ▸ '.join(each.steps)}")
            lines += _calls(each.calls)
        for name in each.consumers:
            lines.append(f"     → {log(name)}")
        lines += [f"     note: {log(note)}" for note in each.notes]
    if plan.unowned:
        lines += ["", "Leaked, and in no lane, so they stay as they are:", unowned(plan.unowned)]
    if past:
        lines += ["", show_past(past).rstrip("\n")]
    if plan.approvals:
        wanted = ", ".join(f"{log(lane)} needs {n}" for lane, n in plan.approvals)
        lines += ["", f"Approvals: {wanted}. Give one with: keyward approve {plan.digest}"]
    lines += ["", f"Plan {plan.digest}"]
    return "\n".join(lines)


def _calls(calls: Iterable[tuple[str, str]]) -> list[str]:
    """One line a step: `ISSUE: iam:CreateAccessKey`."""
    by_step: dict[str, list[str]] = {}
    for step, call in calls:
        by_step.setdefault(step, []).append(log(call))
    return [f"       {step}: {', '.join(names)}" for step, names in by_step.items()]


def unowned(found: Iterable[Found]) -> str:
    """Leaked keys that no lane owns, and what to do."""
    rows = [(f.fingerprint, str(f.kind), f"{f.path}:{f.line}") for f in found]
    return table(rows, indent="  ") + (
        "  Take them in: keyward lanes adopt FINGERPRINT --lane LANE --report REPORT\n"
        "  What was replaced elsewhere since that scan is listed, too: scan again to know what is left."
    )


def show_past(past: Sequence[Replaced]) -> str:
    """What a report names that is older than a rotation, and what became of it."""
    from keyward.flows.replaced import told

    lines = [f"Replaced since that scan: {len(past)}. To know what is left, scan again."]
    return "\n".join([*lines, *(f"  {log(told(each))}" for each in past)]) + "\n"


def show_result(result: Result) -> str:
    """Three lists: done and proved, needs a person, failed."""
    lines: list[str] = []
    if result.done:
        lines.append("Done:")
        lines += [f"  {log(each.ref)}: {_proof(each)}" for each in result.done]
        for each in result.done:
            if isinstance(each, (Proved, ProvedByConsumer, Attested)):
                for held in each.withheld:
                    lines.append(
                        f"  {log(each.ref)}: {log(held.consumer)} was not given it: {log(held.reason)} is compromised; "
                        f"then: keyward distribute {log(each.ref)}"
                    )
    if result.waiting or result.unowned:
        lines.append("Needs you:")
        for number, waiting in enumerate(result.waiting, 1):
            lines += _manual(number, waiting)
        if result.unowned:
            lines += ["  In no lane:", unowned(result.unowned)]
    for ref, why in result.quarantine_failed:
        lines.append(f"Not quarantined: {log(ref)}: {log(why)}")
    taken_back = [each for each in result.failed if isinstance(each, Aborted)]
    if taken_back:
        lines.append("Taken back:")
        lines += [f"  {log(each.ref)}: {log(each.detail)}" for each in taken_back]
    stopped = [each for each in result.failed if isinstance(each, Stopped)]
    if stopped:
        lines.append("Not done:")
        for each in stopped:
            lines += _failure(each)
    return "\n".join(lines)


def _proof(outcome: Outcome) -> str:
    if isinstance(outcome, Proved):
        hosts = sorted({log(each.host) for each in outcome.evidence if each.host})
        return f"proved; the new one is accepted and the old one refused by {', '.join(hosts) or 'the provider'}"
    if isinstance(outcome, ProvedByConsumer):
        return f"proved by its consumers ({log(outcome.detail)})"
    return f"attested, not proved ({log(getattr(outcome, 'detail', ''))})"


def _manual(number: int, waiting: WaitingHuman) -> list[str]:
    lines = [f"  {number}. {log(waiting.ref)}"]
    lines += [f"     {letter}) {log(step)}" for letter, step in zip("abcdefghijkl", waiting.manual.steps)]
    if waiting.manual.url:
        lines.append(f"     {log(waiting.manual.url)}")
    then = "resume" if waiting.step == "REVOKE" else "provide"
    return [*lines, f"     then: keyward {then} {log(waiting.ref)}"]


def _failure(outcome: Outcome) -> list[str]:
    if not isinstance(outcome, Stopped):
        return [f"  {log(outcome.ref)}: taken back; {log(getattr(outcome, 'detail', ''))}"]
    touched = "" if outcome.changed else ". Nothing was changed."
    reason = outcome.reason.rstrip(".") if touched else outcome.reason
    lines = [f"  {log(outcome.ref)}: at {outcome.step}: {log(reason)}{touched}"]
    if outcome.hint:
        lines.append(f"     {log(outcome.hint)}")
    if outcome.rotation and outcome.changed and "resume" not in outcome.hint:
        lines.append(f"     Go on with: keyward resume {outcome.rotation}")
    return lines


def show_stranded(slots: Sequence[Stranded], now: float) -> str:
    """What stands in the slots of one entry, and what is to be done with each; ids, never values."""
    if not slots:
        return "Both slots are empty."
    rows: list[tuple[str, ...]] = [("slot", "rotation", "state", "id", "written", "what to do")]
    for each in slots:
        written = f"{age(now - each.written)} ago" if each.written else "unknown"
        what = f"{each.way.value} ({each.why})"
        rows.append((each.slot.value, each.rotation or "?", each.state or "?", each.id or "-", written, what))
    return table(rows).rstrip("\n")


def show_open(standings: Sequence[Standing]) -> str:
    """What `resume` would go on with."""
    lines = []
    for each in standings:
        waits = "a person must act first: see keyward status" if each.state.name == "WAITING" else f"goes on at {each.step}"
        lines.append(f"{log(each.ref or '?')}: {each.rotation} {waits}")
    return "\n".join(lines)


def show_ways_back(ways: Sequence[WayBack]) -> str:
    """What `abort` would come to."""
    lines = []
    for each in ways:
        if each.refusal:
            lines.append(f"{log(each.ref)}: cannot be taken back: {log(each.refusal)}")
            lines += [f"  {log(each.hint)}"] if each.hint else []
        else:
            lines.append(
                f"{log(each.ref)}: {each.rotation}, at {each.step}, can be taken back: "
                "consumers and store get the old one again, and the new one is revoked"
            )
    return "\n".join(lines)


def show_standings(standings: Sequence[Standing], now: float) -> str:
    """How rotations stand, newest last."""
    if not standings:
        return "No rotation yet."
    rows: list[tuple[str, ...]] = [("rotation", "credential", "state", "at", "last seen")]
    for each in standings:
        state = f"{each.state.value} ({each.proof})" if each.proof else each.state.value
        if each.withheld:
            state += f", {len(each.withheld)} withheld"
        rows.append((each.rotation, each.ref or "?", state, each.step or "-", each.detail or f"{age(now - each.touched)} ago"))
    return table(rows).rstrip("\n")


def show_history(lines: Iterable[Line]) -> str:
    """One rotation's journal."""
    rows = []
    for line in lines:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(line.time))
        facts = ", ".join(f"{key}={_fact(value)}" for key, value in line.ids.items())
        rows.append((when, line.step, line.phase, facts))
    return table(rows).rstrip("\n")


def _fact(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_fact(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_fact(each) for each in value) + "]"
    return str(value)


def age(seconds: float) -> str:
    """A span as a person says it: `3 min`, `2 d`."""
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {name}"
    return f"{max(0, seconds):.0f} s"


class LiveTable:
    """What goes on, in place on a terminal; one line per step elsewhere. Told from several threads."""

    def __init__(self, refs: Sequence[str], *, stream: Any = None, live: bool | None = None) -> None:
        self._stream = stream or sys.stderr
        self._rows = dict.fromkeys(refs, ("waiting", ""))
        self._begun: dict[str, float] = {}
        self._lock = threading.Lock()
        self._live: Any = None
        self._height = 24
        if self._stream.isatty() if live is None else live:
            from rich.console import Console
            from rich.live import Live

            console = Console(file=self._stream)
            self._height = console.size.height
            self._live = Live(self._table(), console=console, refresh_per_second=8, transient=True)

    def __enter__(self) -> LiveTable:
        if self._live is not None:
            self._live.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        if self._live is not None:
            self._live.__exit__(*error)

    def __call__(self, ref: str, step: str, detail: str) -> None:
        with self._lock:
            self._begun.setdefault(ref, time.monotonic())
            self._rows[ref] = (step, detail)
            if self._live is not None:
                self._live.update(self._table())
            else:
                text = f"{ref}: {step}" + (f" ({detail})" if detail else "")
                print(log(text), file=self._stream, flush=True)

    def _table(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        shown = Table(box=None, pad_edge=False)
        for name in ("credential", "step", "", "since"):
            shown.add_column(name, no_wrap=name != "")
        rows = sorted(self._rows.items(), key=lambda item: (item[1][0] == "waiting", item[0]))
        room = max(5, self._height - 4)
        for ref, (step, detail) in rows[:room]:
            since = age(time.monotonic() - self._begun[ref]) if ref in self._begun else ""
            shown.add_row(Text(log(ref)), Text(step), Text(log(detail)[:60]), Text(since))
        if len(rows) > room:
            shown.add_row(Text(f"… and {len(rows) - room} more"), "", "", "")
        return shown
