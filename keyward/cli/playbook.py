"""`keyward playbook`"""

from __future__ import annotations

from typing import Annotated

import typer

from keyward.errors import UsageError

FORMATS = ("markdown", "html")


def playbook(
    format: Annotated[
        str,
        typer.Option("--format", "-f", help="markdown or html; what --output ends in if not said.", show_default="markdown"),
    ] = "",
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write to FILE, whole or not at all.")
    ] = None,
    config: Annotated[str | None, typer.Option("--config", metavar="FILE", help="Your own configuration.")] = None,
) -> int:
    """Write the page for the night: what to do when keys have leaked, made from your lanes. Nobody is asked; it holds no value.

    Print it, and keep it where it can be read when nothing works. For example: keyward playbook -o playbook.html
    """
    from keyward.cli.output import write
    from keyward.cli.rotation import open_place
    from keyward.flows.incident_settings import read_settings
    from keyward.flows.playbook import make_playbook
    from keyward.report.playbook import render_playbook
    from keyward.scan.config import operator_path

    wanted = format or ("html" if (output or "").endswith((".html", ".htm")) else "markdown")
    if wanted not in FORMATS:
        raise UsageError(f"there is no format {wanted!r}", hint=f"One of: {', '.join(FORMATS)}.")
    settings = read_settings(operator_path(config))
    with open_place(config) as place:
        text = render_playbook(wanted, make_playbook(place, settings))
    write(text, output)
    return 0
