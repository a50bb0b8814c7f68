"""`keyward baseline`"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from keyward.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="Let pass what is known, without hiding what is new.")

Paths = Annotated[list[str] | None, typer.Argument(help="What to scan.", show_default=".")]
File = Annotated[
    str,
    typer.Option(
        "--baseline", metavar="FILE", help="The baseline file (.keyward.baseline at the top of the project, if you name none)."
    ),
]
Config = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Your own configuration, instead of $KEYWARD_CONFIG or the one in your configuration folder.",
    ),
]


@app.command("create")
def create(
    paths: Paths = None,
    baseline: File = "",
    persona: Annotated[
        str | None, typer.Option("--persona", help="How unsure a finding may be to be listed: regular, pedantic or auditor.")
    ] = None,
    config: Config = None,
) -> None:
    """Write a baseline of everything that a scan finds now. What was audited before keeps its label.

    For example: keyward baseline create && git add .keyward.baseline
    """
    from keyward.cli.progress import ProgressLine
    from keyward.flows import baseline as flow

    progress = ProgressLine()
    try:
        created = flow.create(tuple(paths or (".",)), baseline or None, persona, config, progress=progress)
    finally:
        progress.clear()
    print(f"{created.path}: {created.entries} entries ({created.new} new, {created.kept} kept from before)")
    for problem in created.not_scanned[:10]:
        print(f"  not scanned: {_inert(problem.path)}: {_inert(problem.reason)}")
    if created.new:
        print("Commit it with the project. Label the entries with: keyward baseline audit")


@app.command("prune")
def prune(
    paths: Paths = None,
    baseline: File = "",
    config: Config = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what would go.")] = False,
) -> None:
    """Take out what no longer occurs. Does nothing if something could not be scanned.

    For example: keyward baseline prune --dry-run
    """
    from keyward.flows import baseline as flow

    gone, path = flow.prune(tuple(paths or (".",)), baseline or None, config, dry_run=dry_run)
    for fingerprint in gone:
        print(fingerprint)
    print(f"{path}: {len(gone)} entries {'would go' if dry_run else 'gone'}")


@app.command("audit")
def audit(
    paths: Paths = None,
    baseline: File = "",
    config: Config = None,
    all_entries: Annotated[bool, typer.Option("--all", help="Labelled ones, too.")] = False,
) -> None:
    """Go through the entries one by one, each shown masked in its place, and say what they are.

    Answers are kept when you quit. For example: keyward baseline audit
    """
    from keyward.flows import baseline as flow

    if not sys.stdin.isatty() and not sys.stdin.readable():
        raise UsageError("baseline audit asks questions", hint="Run it in a terminal.")
    session = flow.audit(tuple(paths or (".",)), baseline or None, config, all_entries=all_entries)
    for number, item in enumerate(session.items, 1):
        print(f"\n[{number}/{len(session.items)}] {_inert(item.title)}  {_inert(item.masked)}  {item.fingerprint}")
        for place in item.places[:5]:
            print(f"    {_inert(place)}")
        for line in item.context:
            print(f"    | {_inert(line)}")
        answer = _ask("  (f)alse positive, (a)ccepted, (r)evoked, (s)kip, (q)uit? ")
        if answer == "q":
            break
        status = flow.STATUSES.get(answer)
        if status is not None:
            session.label(item.fingerprint, status, _line("  reason: "))
    saved = session.save()
    print(f"\n{session.path}: {saved} entries labelled, {session.unreviewed} not reviewed")


def _ask(prompt: str) -> str:
    while True:
        answer = _line(prompt).strip().lower()[:1]
        if answer in ("f", "a", "r", "s", "q"):
            return answer


def _line(prompt: str) -> str:
    sys.stdout.write(prompt)
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line:
        return "q"
    return line.rstrip("\n")


def _inert(text: str) -> str:
    from keyward.report.escape import log

    return log(text)
