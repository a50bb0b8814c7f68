"""`keyward scan`"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from keyward.errors import UsageError

EXAMPLES = """**Examples**

`keyward scan` — this folder, `.env` files and everything else that git ignores included

`keyward scan src config.yaml` — what you name

`git diff | keyward scan -` — standard input

`keyward scan --staged` — what the next commit would hold (read from git's index)

`keyward scan --format sarif -o keyward.sarif` — for a code host

`keyward scan --persona auditor` — everything, however unsure

**Exit codes**: 0 clean · 1 findings · 2 wrong usage or configuration · 3 something could not be scanned · 130 interrupted
"""


def scan(
    paths: Annotated[list[str] | None, typer.Argument(help="Folders and files; `-` is standard input.", show_default=".")] = None,
    staged: Annotated[bool, typer.Option("--staged", help="Scan what is staged for the next commit.")] = False,
    tracked: Annotated[bool, typer.Option("--tracked", help="Only files that git tracks, as they stand in the working tree.")] = False,
    from_ref: Annotated[str, typer.Option("--from-ref", metavar="REV", help="With --to-ref: scan the files that differ between two commits.")] = "",
    to_ref: Annotated[str, typer.Option("--to-ref", metavar="REV", help="The newer commit; its files are read. See --from-ref.")] = "",
    files_from: Annotated[
        str, typer.Option("--files-from", metavar="FILE", help="Read paths from FILE (`-`: standard input), one a line or NUL-separated.")
    ] = "",
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", metavar="GLOB", help="Leave these out (as in .gitignore; listed in the report). Repeatable.")
    ] = None,
    format: Annotated[str, typer.Option("--format", "-f", help="text, json, jsonl, sarif, junit or gitlab.")] = "text",
    output: Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the report to FILE, whole or not at all.")] = None,
    persona: Annotated[
        str | None, typer.Option("--persona", help="How much you want to see: regular, pedantic or auditor.", show_default="regular")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option("--baseline", metavar="FILE", help="Let pass what FILE lists.", show_default=".keyward.baseline if it is there")
    ] = None,
    no_baseline: Annotated[bool, typer.Option("--no-baseline", help="Let nothing pass because a baseline lists it.")] = False,
    rules: Annotated[list[str] | None, typer.Option("--rules", metavar="TOML", help="Add rules of your own. Repeatable.")] = None,
    config: Annotated[str | None, typer.Option("--config", metavar="FILE", help="Your own configuration, instead of $KEYWARD_CONFIG or the one in your configuration folder.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 for known encrypted stores, too.")] = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the values after the report. Only on a terminal.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=0, help="Worker processes.", show_default="one per core")] = 0,
    engine: Annotated[str, typer.Option("--engine", help="hyperscan or portable.", hidden=True)] = "hyperscan",
    color: Annotated[str, typer.Option("--color", help="auto, always or never.")] = "auto",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")] = False,
) -> int:
    """Find credentials in folders, files, standard input or the staged change.

    Nothing is sent anywhere. Secrets are masked in every format.
    """
    from keyward.cli.exits import exit_code
    from keyward.cli.output import use_color, width, write
    from keyward.cli.progress import CompileMessage, ProgressLine
    from keyward.cli.render import check_format, render_outcome
    from keyward.flows.scan import ScanOptions
    from keyward.flows.scan import scan as run

    check_format(format)
    _check(engine, ("hyperscan", "portable"), "--engine")
    _check(color, ("auto", "always", "never"), "--color")
    if baseline is not None and no_baseline:
        raise UsageError("--baseline and --no-baseline exclude each other")
    if reveal and (format != "text" or output is not None or not sys.stdout.isatty()):
        raise UsageError("--reveal shows values on a terminal only", hint="Leave out --format, --output and pipes.")
    named = [*(paths or ()), *_listed(files_from)]
    if (staged or from_ref or to_ref) and named:
        raise UsageError("--staged and --from-ref take no paths", hint="Leave the paths out, or scan them by themselves.")
    options = ScanOptions(
        paths=tuple(named) if named or files_from else (".",),
        staged=staged,
        tracked=tracked,
        from_ref=from_ref,
        to_ref=to_ref,
        exclude=tuple(exclude or ()),
        persona=persona,
        baseline="" if no_baseline else baseline,
        rule_files=tuple(rules or ()),
        operator_config=config,
        jobs=jobs,
        portable=engine == "portable",
    )
    progress, message = ProgressLine(enabled=False if quiet else None), CompileMessage()
    try:
        outcome = run(
            options, stdin=lambda size: os.read(0, size), progress=progress, on_compile=message
        )
    finally:
        message.done()
        progress.clear()
    colored = output is None and use_color(sys.stdout, color)
    text = render_outcome(format, outcome, color=colored, width=width(), strict=strict)
    write(text, output)
    if output is not None and not quiet:
        places = sum(len(finding.occurrences) for finding in outcome.findings)
        print(f"keyward: {len(outcome.findings)} findings in {places} places; the report is in {output}", file=sys.stderr)
    if reveal:
        from keyward.cli.reveal import reveal_values

        reveal_values(outcome)
    return exit_code(outcome, strict)


def _check(value: str, allowed: tuple[str, ...], option: str) -> None:
    if value not in allowed:
        raise UsageError(f"{option} {value!r} is none of {', '.join(allowed)}")


def _listed(source: str) -> list[str]:
    """The paths in a list file: separated by NULs if it has any, else by line ends."""
    if not source:
        return []
    try:
        with open(0 if source == "-" else source, "rb", closefd=source != "-") as file:
            data = file.read()
    except OSError as error:
        raise UsageError(f"cannot read {source!r}: {(error.strerror or '').lower()}") from None
    names = data.split(b"\0") if b"\0" in data else data.splitlines()
    return [os.fsdecode(name) for name in names if name]
