"""`keyward revoke`"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from keyward.errors import UsageError


def revoke(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="FINGERPRINT", help="Of the report; none: all of it. `-` reads one value from standard input."),
    ] = None,
    leaked: Annotated[
        str | None, typer.Option("--leaked", metavar="REPORT", help="A scan's report (--format jsonl) that names them.")
    ] = None,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="With -: what it is (github/pat-classic).")] = "",
    by: Annotated[
        str, typer.Option("--by", metavar="LANE/NAME", help="Whose admin credential is used (the first of the same kind).")
    ] = "",
    anyway: Annotated[bool, typer.Option("--anyway", help="Also one that a lane uses now.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what would be revoked.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: Annotated[str | None, typer.Option("--config", metavar="FILE", help="Your own configuration.")] = None,
) -> int:
    """Kill leaked credentials that nothing needs, and prove them dead. Nothing new is made; for that there is `rotate`.

    Exit code 0 if all are proved dead, 4 if not.

    For example: keyward revoke --leaked report.jsonl; keyward revoke - --kind github/pat-classic < token.txt
    """
    from keyward.cli.rotation import HALTED, open_place, read_parts
    from keyward.cli.table import table
    from keyward.flows import revoke as flow
    from keyward.model.kind import Kind
    from keyward.rotate.found import read_report

    wanted = names or []
    from_stdin = wanted == ["-"]
    if wanted and not from_stdin and not leaked:
        raise UsageError(
            "a fingerprint does not say where the value is; the report that found it does",
            hint=f"keyward revoke {' '.join(wanted)} --leaked report.jsonl",
        )
    if from_stdin == bool(leaked):
        raise UsageError(
            "say what to revoke", hint="Use --leaked REPORT, with fingerprints of it if you like; or - with --kind."
        )
    if from_stdin and not kind:
        raise UsageError("a value alone does not say what it is", hint="Add --kind, for example --kind github/pat-classic.")
    with open_place(config) as place:
        if from_stdin:
            doomed = [flow.from_value(place, Kind(kind), read_parts(flow.parts_of(place, Kind(kind))), by)]
        else:
            doomed = flow.from_report(place, read_report(str(leaked)), wanted, by)
        for each in doomed:
            note = f"  in use by {each.in_use}" if each.in_use else ""
            print(f"{each.name}  {each.entry.kind}{note}")
        if dry_run:
            return 0
        if not yes:
            _confirm(len(doomed))
        results = flow.revoke(place, doomed, anyway=anyway)
    print(table([(each.name, each.kind, each.detail) for each in results]), end="")
    return 0 if all(each.dead for each in results) else HALTED


def _confirm(count: int) -> None:
    if not sys.stdin.isatty():
        raise UsageError("this cannot be undone, and nobody can be asked", hint="Look at --dry-run, then add --yes.")
    sys.stdout.write(f"\nType 'revoke {count}' to go on: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip() != f"revoke {count}":
        raise UsageError("not confirmed; nothing was changed")
