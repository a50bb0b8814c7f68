"""`keyward scrub`"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

EXAMPLES = """**Examples**

`tail -f app.log | keyward scrub` — a log without its secrets, line by line

`keyward scrub < build.log > public.log` — a copy that can be shown

`docker logs app 2>&1 | keyward scrub --style same-length` — every byte keeps its place

`keyward scrub app.log notes/ --in-place --dry-run` — what would be changed in these files

`keyward scrub --leaked report.jsonl` — exactly what a scan found, where it found it

`keyward scrub --host --backup age1…` — what agents, shells and tools have written down; the originals are kept, encrypted

`keyward scrub --git-plan --output replacements.txt` — how to take it out of this repository's history

**Exit codes**: 0 everything was looked at, and nothing remains · 2 wrong usage or configuration · 3 something remains, or could not be
looked at and was withheld, or a store was not asked for its values · 130 interrupted
"""

FORMATS = ("text", "json")


def scrub(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE…", help="Files and folders, with --in-place; homes with --host; a repository with --git-plan."
        ),
    ] = None,
    in_place: Annotated[bool, typer.Option("--in-place", "-i", help="Change the named files themselves.")] = False,
    host: Annotated[
        bool, typer.Option("--host", help="Change what agents, shells and tools keep in your home folder, or in those named.")
    ] = False,
    source: Annotated[
        list[str] | None,
        typer.Option("--source", metavar="NAMES", help="With --host: only these groups or tools (`shell,agents/openclaw`)."),
    ] = None,
    leaked: Annotated[
        str,
        typer.Option(
            "--leaked", metavar="REPORT", help="Only what this report of a scan names; where it says, unless told where."
        ),
    ] = "",
    live: Annotated[
        bool,
        typer.Option("--live", help="Also in files that programs read their settings from, although you did not name them."),
    ] = False,
    git_plan: Annotated[
        bool,
        typer.Option("--git-plan", help="Write what git filter-repo needs, and say how to use it. Rewrites nothing itself."),
    ] = False,
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FILE", help="With --git-plan: where the values that are to go are written."),
    ] = "",
    anyway: Annotated[bool, typer.Option("--anyway", help="With --git-plan: although it is not known to be dead.")] = False,
    style: Annotated[
        str, typer.Option("--style", help="What stands in a secret's place: token, same-length or remove.")
    ] = "token",
    persona: Annotated[
        str | None,
        typer.Option(
            "--persona", help="How unsure a match may be and still go: regular, pedantic or auditor.", show_default="regular"
        ),
    ] = None,
    no_stores: Annotated[
        bool, typer.Option("--no-stores", help="Do not ask the configured stores which values they hold.")
    ] = False,
    backup: Annotated[
        list[str] | None,
        typer.Option(
            "--backup", metavar="RECIPIENT", help="Keep each original, encrypted with age to this public key. Repeatable."
        ),
    ] = None,
    backup_folder: Annotated[
        str, typer.Option("--backup-folder", metavar="FOLDER", help="Where to, instead of the state folder.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Show the plan and what would change, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json, of the plan and the report.")] = "text",
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=0, help="Worker processes.", show_default="one per core")] = 0,
    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Your own configuration, instead of $KEYWARD_CONFIG or the one in your configuration folder.",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing on standard error but failures.")] = False,
) -> int:
    """Take secrets out of text: of standard input, of files, or of everything that tools on this machine have written down.

    What goes is what detectors see and every value that your stores hold, however it is written. Without FILE and --host, standard input
    goes to standard output without them, and what cannot be looked at is withheld. Files get a plan first.
    """
    from keyward.errors import UsageError
    from keyward.match.personas import PERSONAS
    from keyward.scrub.redactor import Style

    styles = {each.value: each for each in Style}
    if style not in styles:
        raise UsageError(f"--style {style!r} is none of {', '.join(styles)}")
    if persona is not None and persona not in PERSONAS:
        raise UsageError(f"there is no persona {persona!r}", hint=f"One of: {', '.join(PERSONAS)}.")
    if format not in FORMATS:
        raise UsageError(f"there is no format {format!r}", hint=f"One of: {', '.join(FORMATS)}.")
    if git_plan:
        from keyward.cli.scrub_git import run as run_git_plan

        if in_place or host or live or backup:
            raise UsageError("--git-plan goes with none of --in-place, --host, --live and --backup")
        if len(files or ()) > 1:
            raise UsageError("--git-plan is about one repository at a time")
        repository = files[0] if files else "."
        return run_git_plan(
            repository, output=output, leaked=leaked, anyway=anyway, persona=persona, config=config, format=format, quiet=quiet
        )
    if output or anyway:
        raise UsageError("--output and --anyway go with --git-plan")
    if host or leaked or in_place or dry_run:
        from keyward.cli.scrub_in_place import run as run_in_place
        from keyward.flows.scrub_files import ScrubOptions

        if not (files or host or leaked):
            raise UsageError("nothing is named that could be scrubbed", hint="Name files, or add --host or --leaked REPORT.")
        options = ScrubOptions(
            paths=tuple(files or ()),
            host=host,
            sources=tuple(name for each in source or () for name in each.split(",") if name),
            leaked=leaked,
            live=live,
            style=styles[style],
            persona=persona,
            config=config,
            stores=not no_stores,
            backup=tuple(backup or ()),
            backup_folder=backup_folder,
            jobs=jobs,
        )
        return run_in_place(options, dry_run=dry_run, yes=yes, format=format, quiet=quiet)
    if files:
        raise UsageError(
            "files are changed only if you say so",
            hint=f"Add --in-place (and --dry-run to see it first), or: keyward scrub < {files[0]}",
        )
    return _stream(styles[style], persona, not no_stores, config, quiet)


def _stream(style: object, persona: str | None, stores: bool, config: str | None, quiet: bool) -> int:
    """Standard input to standard output."""
    from keyward.cli.exits import CLEAN, INCOMPLETE
    from keyward.cli.progress import CompileMessage
    from keyward.errors import UsageError
    from keyward.flows.scrub_stream import open_filter, scrub_stream
    from keyward.report.escape import log
    from keyward.scrub.redactor import Style

    assert isinstance(style, Style)
    if sys.stdin.isatty():
        raise UsageError("there is nothing on standard input", hint="Send it something: keyward scrub < app.log")
    message = CompileMessage()
    try:
        opened = open_filter(config=config, persona=persona, stores=stores, on_compile=message)
    finally:
        message.done()
    for note in opened.notes:
        print(f"keyward: {log(note)}", file=sys.stderr, flush=True)
    count = scrub_stream(opened.redactor, 0, 1, style=style)
    if count.withheld:
        print(f"keyward: {count.withheld:,} bytes could not be looked at and were withheld", file=sys.stderr)
    if not quiet:
        print(f"keyward: {count.redacted:,} secrets redacted in {count.read:,} bytes", file=sys.stderr)
    return INCOMPLETE if count.withheld or not opened.complete else CLEAN
