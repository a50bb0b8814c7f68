"""`keyward incident`: its commands, in the order of the steps."""

from __future__ import annotations

import typer

from keyward.cli import incident_assess, incident_close, incident_contain, incident_open, incident_recover

app = typer.Typer(
    no_args_is_help=True,
    help="When keys have leaked: contain, assess, eradicate, recover, report. Every step can be repeated.",
)

app.command("prepare")(incident_open.prepare)
app.command("open")(incident_open.open_)
app.command("note")(incident_open.note)
app.command("contain")(incident_contain.contain)
app.command("assess")(incident_assess.assess)
app.command("eradicate")(incident_recover.eradicate)
app.command("recover")(incident_recover.recover)
app.command("close")(incident_close.close)
app.command("report")(incident_close.report)
app.command("status")(incident_close.status)
