"""`keyward explain`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from keyward.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from keyward.flows.explain import Explanation, Place

SCHEMA = "keyward.explain/1"
FORMATS = ("text", "json")


def explain(
    fingerprint: Annotated[str, typer.Argument(help="Of one finding, or the beginning of it.")],
    paths: Annotated[list[str] | None, typer.Argument(help="Folders and files to scan for it.", show_default=".")] = None,
    report: Annotated[
        str | None,
        typer.Option("--report", metavar="REPORT", help="A report (json or jsonl) that holds it, instead of a scan."),
    ] = None,
    history: Annotated[bool, typer.Option("--history", help="Scan every version of a repository for it.")] = False,
    host: Annotated[
        bool, typer.Option("--host", help="Scan what agents, shells and tools keep on this machine for it.")
    ] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Ask its provider now whether it lives.")] = False,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
    config: Annotated[str | None, typer.Option("--config", metavar="FILE", help="Your own configuration.")] = None,
    color: Annotated[str, typer.Option("--color", help="auto, always or never.")] = "auto",
) -> int:
    """Show all that is known of one secret: every place and since when, why, whether it lives, what it reaches, what to do.

    For example: keyward explain kw1_abc --report report.jsonl; keyward explain kw1_abc src --verify
    """
    from keyward.flows.explain import explain as flow
    from keyward.flows.explain import read_records, records_of

    if format not in FORMATS:
        raise UsageError(f"there is no format {format!r}", hint=f"One of: {', '.join(FORMATS)}.")
    if report and (paths or history or host):
        raise UsageError("--report takes no paths", hint="It is read instead of a scan.")
    if report:
        told = flow(read_records(report), fingerprint)
        if verify:
            told = flow(read_records(report), told.fingerprint, _ask(report, told.fingerprint, config))
    else:
        told = flow(records_of(_scan(paths or (), history, host, verify, config)), fingerprint)
    _print_json(told) if format == "json" else _print_text(told, color)
    return 0


def _ask(report: str, fingerprint: str, config: str | None) -> Any:
    from keyward.flows.verify import Means, ask_all, open_setting
    from keyward.rotate.found import read_report

    return ask_all(read_report(report), (fingerprint,), open_setting(config, False), lambda *_: None, Means())[fingerprint]


def _scan(paths: Sequence[str], history: bool, host: bool, verify: bool, config: str | None) -> Any:
    from keyward.cli.progress import CompileMessage, ProgressLine
    from keyward.flows.scan import ScanOptions, scan

    options = ScanOptions(
        paths=tuple(paths) or (() if host else (".",)), history=history, host=host, persona="auditor", operator_config=config
    )
    progress, message = ProgressLine(), CompileMessage()
    try:
        outcome = scan(options, progress=progress, on_compile=message)
        if verify:
            from keyward.flows.verify import verified

            outcome = verified(outcome, config=config, progress=progress.asked)
        return outcome
    finally:
        message.done()
        progress.clear()


def _print_text(told: Explanation, color: str) -> None:
    import sys

    from keyward.cli.output import use_color
    from keyward.flows.explain import todo
    from keyward.report.escape import log

    paint = (lambda text: f"\x1b[1m{text}\x1b[0m") if use_color(sys.stdout, color) else (lambda text: text)
    print(f"{paint(log(told.kind.title))}  {log(told.masked)}  {log(told.severity)}")
    print(f"fingerprint {log(told.fingerprint)}, kind {log(told.kind.name)}")
    sections: dict[str, list[str]] = {
        "Is it live?": _verdict(told.verdict, told.verifiable),
        "What it reaches": _reach(told),
        "Where it stands, by time": [_line(place) for place in told.places],
        f"Why it is taken for one ({told.confidence} % sure)": [
            f"{reason.weight:+4d}  {reason.name}{': ' + reason.detail if reason.detail else ''}" for reason in told.reasons
        ],
        "What to do": [f"{number}. {step}" for number, step in enumerate(todo(told), 1)],
        "See": list(told.kind.references),
    }
    for title, lines in sections.items():
        if lines:
            print(f"\n{paint(title)}")
            for line in lines:
                print(f"  {log(line)}")


def _line(place: Place) -> str:
    from keyward.report.words import ROLES

    since = f"{place.since} ({place.since_from})" if place.since else "since when is unknown"
    name = f"{place.name}:{place.line}" if place.line > 0 else place.name
    beside = ", ".join(filter(None, (place.where, ROLES.get(place.role, place.role), place.source, place.history)))
    return f"{since}  {name}  ({beside})" if beside else f"{since}  {name}"


def _verdict(verdict: Mapping[str, Any], verifiable: bool) -> list[str]:
    if not verdict:
        return ["nobody asked (--verify)" if verifiable else "no provider can be asked about this kind"]
    lines = [f"{str(verdict.get('state', '')).upper()}  {verdict.get('reason') or ''}".rstrip()]
    seen = verdict.get("evidence")
    if isinstance(seen, dict):
        lines.append(f"{seen.get('host')} answered {seen.get('status')} to {seen.get('probe')} at {seen.get('time')}")
        if seen.get("digest"):
            lines.append(f"digest of the answer: {seen['digest']}")
    return lines


def _reach(told: Explanation) -> list[str]:
    verdict = told.verdict
    lines = [f"account: {verdict['principal']}"] if verdict.get("principal") else []
    scopes = verdict.get("scopes")
    if isinstance(scopes, list) and scopes:
        lines.append(f"may: {', '.join(map(str, scopes))}")
    if told.public_id:
        lines.append(f"id: {told.public_id}")
    return lines + [f"{name.replace('_', ' ')}: {value}" for name, value in told.facts.items()]


def _print_json(told: Explanation) -> None:
    from keyward.flows.explain import todo
    from keyward.report.escape import json_text, terminal

    print(
        json_text(
            {
                "schema": SCHEMA,
                "fingerprint": terminal(told.fingerprint),
                "kind": terminal(told.kind.name),
                "title": terminal(told.kind.title),
                "severity": terminal(told.severity),
                "masked": terminal(told.masked),
                "confidence": told.confidence,
                "public_id": terminal(told.public_id),
                "facts": {terminal(name): terminal(value) for name, value in told.facts.items()},
                "verdict": told.verdict,
                "places": [{**place._asdict(), "name": terminal(place.name)} for place in told.places],
                "signals": [reason._asdict() for reason in told.reasons],
                "what_to_do": [terminal(step) for step in todo(told)],
                "references": list(told.kind.references),
            },
            indent=2,
        )
    )
