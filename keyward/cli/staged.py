"""`keyward scan --staged`, with no other option: the same as through the command line's full parser, and as fast as the hook."""

from __future__ import annotations

import sys

from keyward.cli.exits import exit_code
from keyward.flows.scan import ScanOptions, scan


def run() -> int:
    """Scans the staged change and prints the report."""
    from keyward.cli.output import use_color, width
    from keyward.cli.progress import CompileMessage
    from keyward.cli.render import render_outcome

    message = CompileMessage()
    try:
        outcome = scan(ScanOptions(staged=True), on_compile=message)
    finally:
        message.done()
    sys.stdout.write(render_outcome("text", outcome, color=use_color(sys.stdout), width=width()))
    return exit_code(outcome, strict=False)
