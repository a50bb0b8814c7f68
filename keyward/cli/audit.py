"""`keyward audit`"""

from __future__ import annotations

import time
from typing import Annotated

import typer

from keyward.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="Who did what, and proof that nobody changed the record.")

Config = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Your own configuration, instead of $KEYWARD_CONFIG or the one in your configuration folder.",
    ),
]
Since = Annotated[str, typer.Option("--since", metavar="WHEN", help="From then on: 30d (ago), or 2026-01-31.")]
Until = Annotated[str, typer.Option("--until", metavar="WHEN", help="Before then: 30d (ago), or 2026-01-31.")]


@app.command("verify")
def verify(
    head: Annotated[
        str,
        typer.Option("--head", metavar="SEQ:MAC", help="The newest head that the system's log has, besides the store's."),
    ] = "",
    config: Config = None,
) -> int:
    """Say whether an entry was edited, deleted, moved, cut off or written anew. Exit code 1 if so.

    For example: keyward audit verify
    """
    from keyward.cli.ask import ask
    from keyward.flows import audit as flow
    from keyward.flows.workplace import open_workplace

    with open_workplace(config, prompt=ask) as place:
        result = flow.verify(place, head)
        path = flow.log_path(place)
    for problem in result.problems:
        print(f"CHANGED: {problem}")
    for note in result.notes:
        print(f"note: {_inert(note)}")
    print(f"{_inert(path)}: {result.entries} entries, {'whole' if result.ok else 'NOT whole'}; head {result.head or 'none'}")
    return 0 if result.ok else 1


@app.command("show")
def show(
    since: Since = "",
    until: Until = "",
    last: Annotated[int, typer.Option("--last", "-l", min=0, help="Only that many of the newest.")] = 50,
    config: Config = None,
) -> None:
    """Show entries, oldest first. For example: keyward audit show --since 7d"""
    from keyward.cli.ask import ask
    from keyward.cli.table import table
    from keyward.flows import audit as flow
    from keyward.flows.workplace import open_workplace

    with open_workplace(config, prompt=ask) as place:
        now = place.clock.now()
        found = flow.records(place, since=_when(since, now, 0.0), until=_when(until, now, float("inf")), last=last)
    rows = [
        (
            time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(each["time"])),
            f"{each['who']['user']}@{each['who']['host']}",
            each["what"],
            each["ref"],
            f"{each['detail']} {_count(len(each['calls']))}".strip(),
        )
        for each in found
    ]
    print(table(rows, ("WHEN", "WHO", "WHAT", "CREDENTIAL", "DETAIL")), end="")
    print(f"{len(rows)} entries")


@app.command("export")
def export(
    since: Since = "",
    until: Until = "",
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write to FILE, whole or not at all.")
    ] = None,
    config: Config = None,
) -> None:
    """Print entries as JSON lines, with the members that chain them. For example: keyward audit export --since 365d -o audit.jsonl"""
    from keyward.cli.ask import ask
    from keyward.cli.output import write
    from keyward.flows import audit as flow
    from keyward.flows.workplace import open_workplace

    with open_workplace(config, prompt=ask) as place:
        now = place.clock.now()
        text = "".join(flow.export(place, since=_when(since, now, 0.0), until=_when(until, now, float("inf"))))
    write(text, output)


@app.command("retain")
def retain(
    keep: Annotated[str, typer.Option("--keep", metavar="DURATION", help="How long entries are kept: 365d.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say how many entries would go.")] = False,
    config: Config = None,
) -> None:
    """Drop older entries without breaking the chain: a checkpoint takes their place. For example: keyward audit retain --keep 365d"""
    from keyward.cli.ask import ask
    from keyward.flows import audit as flow
    from keyward.flows.workplace import open_workplace
    from keyward.rotate.duration import parse

    seconds = parse(keep)
    if seconds is None:
        raise UsageError(f"--keep {keep!r} is no duration", hint="Write it like this: --keep 365d")
    with open_workplace(config, prompt=ask) as place:
        gone = flow.retain(place, keep=seconds, dry_run=dry_run)
    done = "would be" if dry_run else "were"
    print(f"{gone} entries {done} replaced by a checkpoint" if gone else "nothing is that old")


def _when(text: str, now: float, default: float) -> float:
    """Unix seconds of `30d` (ago) or a date (UTC). Raises UsageError."""
    from datetime import UTC, datetime

    from keyward.rotate.duration import parse

    if not text:
        return default
    ago = parse(text)
    if ago is not None:
        return now - ago
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise UsageError(f"{text!r} is neither a duration nor a date", hint="Write 30d, or 2026-01-31.") from None


def _count(calls: int) -> str:
    return f"({calls} call{'s' * (calls != 1)})" if calls else ""


def _inert(text: str) -> str:
    from keyward.report.escape import log

    return log(text)
