"""`keyward sources`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from keyward.flows.sources import Listing, Row


def sources(
    homes: Annotated[list[str] | None, typer.Argument(metavar="HOME", help="Home folders; your own if none is named.")] = None,
    source: Annotated[
        list[str] | None, typer.Option("--source", metavar="NAMES", help="Only these groups or tools (`env,agents/openclaw`).")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every place, those where there is nothing, too.")] = False,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> int:
    """List what `keyward scan --host` would look through: where, how much, in which format, and what a scrub would do with it.

    `+2` after a place means two more places of the same sort; `--all` and the JSON list them. No file is opened but to see whether it is encrypted. Exit code 3 if a folder could not be listed. For example:
    keyward sources --source agents
    """
    from keyward.errors import UsageError
    from keyward.flows.sources import listing

    if format not in ("text", "json"):
        raise UsageError(f"--format {format!r} is none of text, json")
    names = [name for each in source or () for name in each.split(",") if name]
    found = listing(tuple(homes or ()), names, everything=everything)
    print(_json(found) if format == "json" else _text(found, everything), end="")
    return 3 if any(not item.opaque for each in found for item in each.not_scanned) else 0


def _text(found: list[Listing], everything: bool) -> str:
    from keyward.cli.table import table
    from keyward.report.escape import log
    from keyward.report.words import count, size

    out: list[str] = []
    for each in found:
        out.append(f"{log(each.home)}\n")
        for group in dict.fromkeys(row.source.partition("/")[0] for row in each.rows):
            rows = [row for row in each.rows if row.source.partition("/")[0] == group]
            notes = {scrub: f"({number})" for number, scrub in enumerate(dict.fromkeys(row.scrub for row in rows), 1)}
            cells = [
                (
                    row.source.partition("/")[2],
                    row.where,
                    f"{row.files:,}",
                    size(row.bytes),
                    row.format,
                    row.readable,
                    notes[row.scrub],
                )
                for row in (rows if everything else _merged(rows))
            ]
            out.append(f"\n{group}: {count(sum(row.files for row in rows), 'file')}, {size(sum(row.bytes for row in rows))}\n")
            out.append(table(cells, ("SOURCE", "WHERE", "FILES", "SIZE", "FORMAT", "READABLE", "SCRUB"), indent="  "))
            out += (f"  {note} {log(scrub)}\n" for scrub, note in notes.items())
        if not each.rows:
            out.append("\nnothing that a source knows\n")
        said = [f"not listed: {log(item.path)}: {log(item.reason)}\n" for item in each.not_scanned]
        said += (f"left out: {log(item.path)}: {log(item.by)}\n" for item in each.excluded)
        out += ("\n", *said) if said else ()
    return "".join(out)


def _merged(rows: list[Row]) -> list[Row]:
    """One row for all places of a source that are alike."""
    alike: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        alike.setdefault((row.source, row.format, row.readable, row.scrub), []).append(row)
    return [
        each[0]._replace(
            where=each[0].where + (f" +{len(each) - 1}" if len(each) > 1 else ""),
            files=sum(row.files for row in each),
            bytes=sum(row.bytes for row in each),
        )
        for each in alike.values()
    ]


def _json(found: list[Listing]) -> str:
    from keyward.report.escape import json_text

    homes = [
        {
            "home": each.home,
            "sources": [row._asdict() for row in each.rows],
            "not_listed": [{"path": item.path, "reason": item.reason} for item in each.not_scanned],
            "left_out": [{"path": item.path, "by": item.by} for item in each.excluded],
        }
        for each in found
    ]
    return json_text({"homes": homes}, indent=2) + "\n"
