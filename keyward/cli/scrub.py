"""`keyward scrub`"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

EXAMPLES = """**Examples**

`tail -f app.log | keyward scrub` — a log without its secrets, line by line

`keyward scrub < build.log > public.log` — a copy that can be shown

`docker logs app 2>&1 | keyward scrub --style same-length` — every byte keeps its place

**Exit codes**: 0 everything was looked at · 2 wrong usage or configuration · 3 something could not be looked at and was withheld, or a
store was not asked for its values · 130 interrupted
"""


def scrub(
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
    """Take secrets out of text: standard input without them goes to standard output.

    What goes is what detectors see and every value that your stores hold, however it is written. What cannot be looked at is withheld.
    """
    from keyward.cli.exits import CLEAN, INCOMPLETE
    from keyward.cli.progress import CompileMessage
    from keyward.errors import UsageError
    from keyward.flows.scrub_stream import open_filter, scrub_stream
    from keyward.match.personas import PERSONAS
    from keyward.report.escape import log
    from keyward.scrub.redactor import Style

    styles = {each.value: each for each in Style}
    if style not in styles:
        raise UsageError(f"--style {style!r} is none of {', '.join(styles)}")
    if persona is not None and persona not in PERSONAS:
        raise UsageError(f"there is no persona {persona!r}", hint=f"One of: {', '.join(PERSONAS)}.")
    if sys.stdin.isatty():
        raise UsageError("there is nothing on standard input", hint="Send it something: keyward scrub < app.log")
    message = CompileMessage()
    try:
        opened = open_filter(config=config, persona=persona, stores=not no_stores, on_compile=message)
    finally:
        message.done()
    for note in opened.notes:
        print(f"keyward: {log(note)}", file=sys.stderr, flush=True)
    count = scrub_stream(opened.redactor, 0, 1, style=styles[style])
    if count.withheld:
        print(f"keyward: {count.withheld:,} bytes could not be looked at and were withheld", file=sys.stderr)
    if not quiet:
        print(f"keyward: {count.redacted:,} secrets redacted in {count.read:,} bytes", file=sys.stderr)
    return INCOMPLETE if count.withheld or not opened.complete else CLEAN
