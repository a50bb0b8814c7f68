"""`keyward init`"""

from __future__ import annotations

from typing import Annotated

import typer


def init(
    report: Annotated[str, typer.Option("--from", metavar="REPORT", help="A scan's report, in format jsonl or json.")],
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where to; `-` only prints it.", show_default="your own configuration"
        ),
    ] = None,
) -> None:
    """Write a first configuration from what a scan found. The secrets stay where they are; only references are written.

    Run it where the scan ran. For example: keyward scan -f jsonl -o report.jsonl; keyward init --from report.jsonl
    """
    from keyward.flows import init_config as flow
    from keyward.report.escape import log

    written = flow.init(report, output)
    if not written.path:
        print(written.text, end="")
        return
    print(f"{log(written.path)}: {written.credentials} credentials; read it, then: keyward config check")
