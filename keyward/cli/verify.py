"""`keyward verify`"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from keyward.errors import UsageError

if TYPE_CHECKING:
    from keyward.flows.verify import Setting
    from keyward.model.kind import Kind
    from keyward.model.secret import Secret
    from keyward.model.verdict import Verdict
    from keyward.rotate.found import Report

SCHEMA = "keyward.verify/1"
FORMATS = ("text", "json")
DEAD, UNKNOWN = 0, 3


def verify(
    what: Annotated[
        list[str], typer.Argument(metavar="REPORT | FINGERPRINT… | -", help="A report, fingerprints of one, or a value.")
    ],
    report: Annotated[
        str | None, typer.Option("--report", metavar="REPORT", help="The report (--format jsonl) that holds the fingerprints.")
    ] = None,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="With -: what it is (github/pat-classic).")] = "",
    databases: Annotated[
        bool, typer.Option("--verify-databases", help="Also try connection strings against the servers that they name.")
    ] = False,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
    config: Annotated[str | None, typer.Option("--config", metavar="FILE", help="Your own configuration.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")] = False,
) -> int:
    """Ask providers whether leaked credentials still live. A secret is sent to its issuer alone, and nothing is changed there.

    Values are read again from the places that the report names. With `-` a value is read from standard input, or typed hidden; several
    parts as lines part=value. Answers are remembered for ten minutes.

    Exit code 10 if any lives, 3 if none does and one is unknown, 0 if all are dead.

    For example: keyward verify report.jsonl; keyward verify - --kind github/pat-classic < token.txt
    """
    from keyward.flows.verify import ask_one, open_setting
    from keyward.model.kind import Kind

    if format not in FORMATS:
        raise UsageError(f"there is no format {format!r}", hint=f"One of: {', '.join(FORMATS)}.")
    if what == ["-"]:
        if not kind or report:
            raise UsageError("a value alone does not say what it is", hint="Add --kind, for example --kind github/pat-classic.")
        setting = open_setting(config, databases)
        verdict = ask_one(Kind(kind), _read_value(setting, Kind(kind)), setting)
        return _show(format, {"(standard input)": verdict}, {"(standard input)": (kind, ())})
    if kind:
        raise UsageError("--kind goes with -")
    found, wanted = _wanted(what, report)
    verdicts = _ask(found, wanted, open_setting(config, databases), quiet)
    places = {name: [f"{each.path}:{each.line}" for each in found.places(name)] for name in wanted}
    return _show(format, verdicts, {name: (str(found.places(name)[0].kind), places[name]) for name in wanted})


def _wanted(what: Sequence[str], report: str | None) -> tuple[Report, tuple[str, ...]]:
    from keyward.match.fingerprint import is_fingerprint
    from keyward.rotate.found import read_report

    if report is None:
        if len(what) != 1 or is_fingerprint(what[0]):
            raise UsageError("a fingerprint is looked up in a report", hint="Add --report report.jsonl.")
        found = read_report(what[0])
        return found, found.fingerprints()
    found = read_report(report)
    for name in what:
        if name not in found.fingerprints():
            raise UsageError(f"the report has no finding {name}", hint="Copy a fingerprint from the report.")
    return found, tuple(dict.fromkeys(what))


def _ask(found: Report, wanted: Sequence[str], setting: Setting, quiet: bool) -> dict[str, Verdict]:
    from keyward.cli.progress import ProgressLine
    from keyward.flows.verify import Means, ask_all

    progress = ProgressLine(enabled=False if quiet else None)
    try:
        return ask_all(found, wanted, setting, progress.asked, Means())
    finally:
        progress.clear()


def _show(format: str, verdicts: Mapping[str, Verdict], known: Mapping[str, tuple[str, Sequence[str]]]) -> int:
    from keyward.model.verdict import Live, Restricted, Unknown

    if format == "json":
        _print_json(verdicts, known)
    else:
        _print_table(verdicts, known)
    if any(isinstance(verdict, (Live, Restricted)) for verdict in verdicts.values()):
        from keyward.cli.exits import LIVE

        return LIVE
    return UNKNOWN if any(isinstance(verdict, Unknown) for verdict in verdicts.values()) else DEAD


def _print_table(verdicts: Mapping[str, Verdict], known: Mapping[str, tuple[str, Sequence[str]]]) -> None:
    from keyward.cli.table import table
    from keyward.report.verdicts import words_of

    rows = []
    order = ("LIVE", "RESTRICTED", "UNKNOWN", "DEAD")
    for name, verdict in sorted(verdicts.items(), key=lambda item: order.index(words_of(item[1])[0])):
        state, detail = words_of(verdict)
        kind, places = known[name]
        more = f" +{len(places) - 1}" if len(places) > 1 else ""
        rows.append((state, kind, name, f"{places[0]}{more}" if places else "-", detail))
    print(table(rows, ("STATE", "KIND", "FINGERPRINT", "PLACE", "WHAT IS KNOWN")) or "The report has no finding.\n", end="")


def _print_json(verdicts: Mapping[str, Verdict], known: Mapping[str, tuple[str, Sequence[str]]]) -> None:
    from keyward.report.escape import json_text, terminal
    from keyward.report.record import verdict_record

    credentials = [
        {
            "fingerprint": terminal(name),
            "kind": terminal(known[name][0]),
            "places": [terminal(place) for place in known[name][1]],
            "verdict": verdict_record(verdict),
        }
        for name, verdict in verdicts.items()
    ]
    print(json_text({"schema": SCHEMA, "credentials": credentials}, indent=2))


_PART = re.compile(rb"([a-z][a-z0-9_]{0,30})=(.*)", re.DOTALL)


def _read_value(setting: Setting, kind: Kind) -> dict[str, Secret]:
    """The value from standard input or a hidden prompt: alone, or as lines part=value."""
    from keyward.model.secret import Secret

    declared = setting.registry.declared(kind)
    if declared is None:
        raise UsageError(f"there is no kind {str(kind)!r}", hint="See them with: keyward rules list")
    if sys.stdin.isatty():
        from keyward.cli.ask import ask

        return {part: ask(f"{declared.title}: {part}") for part in (*declared.public[:1], declared.identity[0])}
    data = sys.stdin.buffer.read(1 << 20).rstrip(b"\r\n")
    if not data:
        raise UsageError("standard input was empty")
    names = {*declared.identity, *declared.public}
    lines = [_PART.fullmatch(line.rstrip(b"\r")) for line in data.split(b"\n")]
    if all(line is not None for line in lines) and any(line and line[1].decode() in names for line in lines):
        return {line[1].decode(): Secret(line[2]) for line in lines if line is not None}
    return {declared.identity[0]: Secret(data)}
