"""`keyward scrub` on files: the plan, the question, the work and what came of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from keyward.cli.exits import CLEAN, INCOMPLETE
from keyward.cli.progress import CompileMessage, ProgressLine
from keyward.cli.table import table
from keyward.errors import UsageError
from keyward.flows.scrub_diff import diff
from keyward.flows.scrub_files import DONE, Done, Job, Outcome, Plan, ScrubOptions, carry_out, make_plan
from keyward.report.escape import exact, json_text, log
from keyward.report.words import count
from keyward.scrub.plan import Counts, Name, Place

SCHEMA = "keyward.scrub/1"

NAMED = 3
"""Secrets of one file that are named in the plan; the rest is counted."""


def run(options: ScrubOptions, *, dry_run: bool, yes: bool, format: str, quiet: bool) -> int:
    """Answers with the exit code. Raises UsageError where nobody can be asked whether to go on."""
    plan = _planned(options, quiet)
    text = format == "text"
    if text:
        print(_plan_text(plan), end="")
    if not quiet or not dry_run:
        for note in plan.notes:
            print(f"keyward: {log(note)}", file=sys.stderr)
    if dry_run:
        print(_diff_text(plan) if text else _json(plan, None), end="")
        return CLEAN if plan.complete and not any(_stays(job) for job in plan.jobs) else INCOMPLETE
    if plan.to_do and not yes and not _agreed(plan):
        print("keyward: nothing was changed", file=sys.stderr)
        return INCOMPLETE
    progress = ProgressLine(enabled=False if quiet else None)
    try:
        outcome = carry_out(plan, progress=lambda place: None)
    finally:
        progress.clear()
    print(_outcome_text(plan, outcome) if text else _json(plan, outcome), end="")
    return CLEAN if outcome.complete else INCOMPLETE


def _planned(options: ScrubOptions, quiet: bool) -> Plan:
    message, progress = CompileMessage(), ProgressLine(enabled=False if quiet else None)
    try:
        return make_plan(options, progress=progress, on_compile=message)
    finally:
        message.done()
        progress.clear()


def _agreed(plan: Plan) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here whether to go on", hint="Add --yes, or --dry-run to see what would change.")
    import typer

    return typer.confirm(f"Change {count(len(plan.to_do), 'file')}?", err=True)


def _stays(job: Job) -> bool:
    return job.owed and job.place.treatment not in DONE


# --- for a person


def _plan_text(plan: Plan) -> str:
    if not plan.jobs:
        return f"Nothing to scrub in {count(plan.looked, 'file')}.\n"
    do = [job.place for job in plan.to_do]
    leave = [job.place for job in plan.jobs if job.place.treatment not in DONE]
    out = [f"{count(plan.looked, 'file')} looked at; {_amount(do)} to scrub in {count(len(do), 'file')}\n"]
    for title, places in (("", do), ("\nleft as they are:\n", leave)):
        if not places:
            continue
        rows = [
            (each.treatment.value, each.path, each.store, f"{sum(each.found.values()):,}", _names(each.found))
            for each in places
        ]
        out += (title, table(rows, ("WHAT", "FILE", "KIND", "PLACES", "SECRETS"), indent="  "))
        for each in places:
            said = [*each.remarks, *filter(None, (each.reason, each.command and f"run: {each.command}"))]
            out += (f"  {log(each.path)}: {log(text)}\n" for text in said)
    return "".join(out)


def _amount(places: Iterable[Place]) -> str:
    return count(sum(sum(each.found.values()) for each in places), "place")


def _names(found: Counts) -> str:
    shown = [f"{_called(name)} ×{number}" if number > 1 else _called(name) for name, number in list(found.items())[:NAMED]]
    return ", ".join(shown) + (f", {len(found) - NAMED} more" if len(found) > NAMED else "")


def _called(name: Name) -> str:
    return f"{name.kind}:{name.pseudonym}" if name.pseudonym else str(name.kind)


def _diff_text(plan: Plan) -> str:
    out: list[str] = []
    for job in plan.to_do:
        shown = diff(plan, job.place)
        if not shown.changes:
            continue
        out.append(f"\n{log(job.place.path)}\n")
        for change in shown.changes:
            where = f"line {change.line:,}" if change.line else f"byte {change.offset:,}"
            out += (f"  @ {where}\n", f"  - {log(change.before)}\n", f"  + {log(change.after)}\n")
        if shown.more:
            out.append(f"  and {count(shown.more, 'more place', 'more places')}\n")
    return "".join((*out, "\nNothing was changed.\n"))


def _outcome_text(plan: Plan, outcome: Outcome) -> str:
    out: list[str] = []
    if outcome.before:
        rows = [(_called(name), f"{number:,}", f"{outcome.after.get(name, 0):,}") for name, number in outcome.before.items()]
        rows += [(_called(name), "0", f"{number:,}") for name, number in outcome.after.items() if name not in outcome.before]
        out += ("\n", table(rows, ("SECRET", "BEFORE", "AFTER")))
    done = [each for each in outcome.done if each.result is not None]
    if done:
        out.append("\n")
    for each in done:
        assert each.result is not None
        out.append(f"done: {log(each.place.path)}: {log(each.result.verified)}\n")
        out += (f"  the original, encrypted: {log(path)}\n" for path in each.kept)
    for each, job in zip(outcome.done, plan.jobs):
        if each.remains:
            word = "remains" if job.owed else "left alone"
            why = each.failure or "; ".join(each.result.left if each.result else ()) or "it could not be taken out"
            out.append(f"{word}: {log(each.place.path)}: {log(why)}\n")
            if each.place.command:
                out.append(f"  run: {log(each.place.command)}\n")
    out += (f"a scan still finds: {log(line)}\n" for line in outcome.still)
    if outcome.complete and outcome.done:
        alone = sum(each.remains for each in outcome.done)
        out.append(
            f"\nNothing remains but what programs read: {count(alone, 'file')}, listed above.\n"
            if alone
            else "\nNothing remains.\n"
        )
    return "".join(out)


# --- for a machine


def _json(plan: Plan, outcome: Outcome | None) -> str:
    results: Mapping[int, Done] = dict(enumerate(outcome.done)) if outcome is not None else {}
    files = []
    for number, job in enumerate(plan.jobs):
        place, done = job.place, results.get(number)
        path, raw = exact(place.path)
        record: dict[str, Any] = {
            "path": path,
            **({"path_bytes": raw} if raw else {}),
            "store": place.store,
            "treatment": place.treatment.value,
            "found": _counts(place.found),
            "reason": log(place.reason),
            "command": log(place.command),
            "remarks": [log(each) for each in place.remarks],
            "owed": job.owed,
        }
        if done is not None:
            record |= {
                "done": done.result is not None,
                "failure": log(done.failure),
                "before": _counts(done.result.before if done.result else place.found),
                "after": _counts(done.result.after if done.result else place.found),
                "verified": log(done.result.verified) if done.result else "",
                "left": [log(each) for each in (done.result.left if done.result else ())],
                "originals": list(done.kept),
            }
        files.append(record)
    whole: dict[str, Any] = {
        "schema": SCHEMA,
        "looked_at": plan.looked,
        "files": files,
        "notes": [log(each) for each in plan.notes],
    }
    if outcome is None:
        whole |= {"changed": False, "complete": plan.complete and not any(_stays(job) for job in plan.jobs)}
    else:
        whole |= {
            "changed": any(each.result is not None for each in outcome.done),
            "before": _counts(outcome.before),
            "after": _counts(outcome.after),
            "still_found": [log(each) for each in outcome.still],
            "complete": outcome.complete,
        }
    return json_text(whole, indent=2) + "\n"


def _counts(counts: Counts) -> list[dict[str, Any]]:
    return [{"kind": str(name.kind), "pseudonym": name.pseudonym, "places": number} for name, number in counts.items()]
