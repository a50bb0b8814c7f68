"""`keyward revoke`"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from keyward.errors import UsageError

if TYPE_CHECKING:
    from keyward.flows.revoke import Doomed, Looked
    from keyward.flows.workplace import Workplace


def revoke(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FINGERPRINT",
            help="Looked up in your lanes' stores, or with --leaked in that report; none: all of the report. "
            "`-` reads one value from standard input.",
        ),
    ] = None,
    leaked: Annotated[
        str | None, typer.Option("--leaked", metavar="REPORT", help="A scan's report (--format jsonl) that names them.")
    ] = None,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="With -: what it is (github/pat-classic).")] = "",
    by: Annotated[
        str,
        typer.Option(
            "--by", metavar="LANE/NAME", help="Whose admin credential is used (its own entry's, or the first of the same kind)."
        ),
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
    from keyward.cli.rotation import DONE, HALTED, open_place
    from keyward.cli.table import table
    from keyward.flows import revoke as flow
    from keyward.flows.replaced import told

    with open_place(config) as place:
        doomed, past = _looked_up(place, names or [], leaked, kind, by)
        wanted = [each for each in doomed if each.refusal(anyway=anyway) is None]
        _print_listing(doomed, anyway=anyway)
        for each in past:
            print(_inert(told(each)))
        code = HALTED if any(not each.proved for each in past) else DONE
        if len(wanted) < len(doomed):
            code = HALTED
        if dry_run or not wanted:
            return code
        if not yes:
            _confirm(len(wanted))
        results = flow.revoke(place, wanted, anyway=anyway)
    print(table([(each.name, each.kind, each.detail) for each in results]), end="")
    return code if all(each.dead for each in results) else HALTED


def _looked_up(place: Workplace, names: list[str], leaked: str | None, kind: str, by: str) -> Looked:
    """What was asked for. Raises UsageError where that does not fit together."""
    from keyward.cli.rotation import read_parts
    from keyward.flows import revoke as flow
    from keyward.model.kind import Kind
    from keyward.rotate.found import read_report

    if names == ["-"]:
        if leaked:
            raise UsageError("a value from standard input is in no report", hint="Leave out either - or --leaked.")
        if not kind:
            raise UsageError("a value alone does not say what it is", hint="Add --kind, for example --kind github/pat-classic.")
        return flow.Looked((flow.from_value(place, Kind(kind), read_parts(flow.parts_of(place, Kind(kind))), by),))
    if leaked:
        return flow.Looked(tuple(flow.from_report(place, read_report(leaked), names, by)))
    if not names:
        raise UsageError(
            "say what to revoke", hint="Name a fingerprint, or use --leaked REPORT, or - with --kind for one value."
        )
    return flow.from_stores(place, names, by)


def _print_listing(doomed: Sequence[Doomed], *, anyway: bool) -> None:
    """What is asked for: which of it is left alone, and why."""
    for each in doomed:
        use = f"  in use by {each.in_use}" if each.in_use else f"  held by {each.where}" if each.where else ""
        print(_inert(f"{each.name}  {each.entry.kind}{use}"))
        refusal = each.refusal(anyway=anyway)
        if refusal is not None:
            print(_inert(f"  will not be revoked: {refusal.told}"))


def _inert(text: str) -> str:
    from keyward.report.escape import log

    return log(text)


def _confirm(count: int) -> None:
    if not sys.stdin.isatty():
        raise UsageError("this cannot be undone, and nobody can be asked", hint="Look at --dry-run, then add --yes.")
    sys.stdout.write(f"\nType 'revoke {count}' to go on: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip() != f"revoke {count}":
        raise UsageError("not confirmed; nothing was changed")
