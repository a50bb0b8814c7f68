"""`keyward scrub --git-plan`"""

from __future__ import annotations

import sys

from keyward.cli.exits import CLEAN, INCOMPLETE
from keyward.cli.progress import CompileMessage, ProgressLine
from keyward.cli.table import table
from keyward.flows.scrub_git import GitPlan, git_plan
from keyward.report.escape import json_text, log
from keyward.report.words import count

SCHEMA = "keyward.git-plan/1"


def run(
    repository: str,
    *,
    output: str,
    leaked: str,
    anyway: bool,
    persona: str | None,
    config: str | None,
    format: str,
    quiet: bool,
) -> int:
    """Answers with the exit code: 0, or 3 where part of the history could not be read."""
    message, progress = CompileMessage(), ProgressLine(enabled=False if quiet else None)
    try:
        plan = git_plan(
            repository,
            output,
            leaked=leaked,
            anyway=anyway,
            persona=persona,
            config=config,
            progress=progress,
            on_compile=message,
        )
    finally:
        message.done()
        progress.clear()
    if plan is None:
        print(
            "The history holds nothing that would have to go."
            if format == "text"
            else json_text({"schema": SCHEMA, "secrets": []})
        )
        return CLEAN
    for note in plan.notes:
        print(f"keyward: {log(note)}", file=sys.stderr)
    print(_text(plan) if format == "text" else _json(plan), end="")
    return INCOMPLETE if any("not in the plan" in note for note in plan.notes) else CLEAN


def _text(plan: GitPlan) -> str:
    rows = [
        (f"{each.name.kind}:{each.name.pseudonym}", f"{each.places:,}", each.dead or f"NOT KNOWN TO BE DEAD: {each.doubt}")
        for each in plan.secrets
    ]
    out = [table(rows, ("SECRET", "PLACES", "DEAD"))]
    out.append(
        f"\nWARNING: {log(plan.replacements)} holds these secrets as they are. Only you can read it; delete it afterwards.\n"
    )
    if plan.stripped:
        out.append(
            f"{log(plan.blobs)} names {count(plan.stripped, 'blob')} that cannot be edited (binary or packed): these versions of files go "
            "as a whole.\n"
        )
    for title, names in (("refs that are rewritten", plan.refs), ("remotes that must be told", plan.remotes)):
        if names:
            out += (f"\n{title}:\n", *(f"  {log(name)}\n" for name in names))
    out.append("\nwhat to do:\n")
    for number, (why, command) in enumerate(plan.steps, 1):
        out.append(f"  {number}. {log(why)}\n")
        if command:
            out.append(f"     {log(command)}\n")
    return "".join(out)


def _json(plan: GitPlan) -> str:
    record = {
        "schema": SCHEMA,
        "repository": plan.root,
        "secrets": [
            {
                "kind": str(each.name.kind),
                "pseudonym": each.name.pseudonym,
                "places": each.places,
                "dead": each.dead,
                "doubt": log(each.doubt),
            }
            for each in plan.secrets
        ],
        "replacements": plan.replacements,
        "blobs": plan.blobs,
        "stripped": plan.stripped,
        "refs": [log(each) for each in plan.refs],
        "remotes": [log(each) for each in plan.remotes],
        "steps": [{"what": why, "command": command} for why, command in plan.steps],
        "notes": [log(each) for each in plan.notes],
    }
    return json_text(record, indent=2) + "\n"
