"""`keyward plan`, `rotate`, `resume`, `provide`, `abort`, `status`, `history`, `distribute`"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keyward.errors import UsageError

if TYPE_CHECKING:
    from keyward.flows.rotate import Plan, Result
    from keyward.flows.selecting import Wanted
    from keyward.flows.workplace import Workplace
    from keyward.model.secret import Secret

DONE, HALTED, NEEDS_PERSON, INTERRUPTED = 0, 4, 5, 130

Names = Annotated[list[str] | None, typer.Argument(metavar="LANE/NAME", help="Credentials of lanes.")]
LaneOption = Annotated[list[str] | None, typer.Option("--lane", metavar="LANE", help="All of a lane. Repeatable.")]
KindOption = Annotated[
    list[str] | None, typer.Option("--kind", metavar="KIND", help="All of a kind (aws/access-key). Repeatable.")
]
TierOption = Annotated[list[int] | None, typer.Option("--tier", metavar="1|2|3", help="All of a tier. Repeatable.")]
LeakedOption = Annotated[
    str | None, typer.Option("--leaked", metavar="REPORT", help="Those that a scan's report names (--format jsonl).")
]
AllOption = Annotated[bool, typer.Option("--all", help="All of every lane.")]
IncidentOption = Annotated[
    bool,
    typer.Option(
        "--incident", help="Stop at once what can be stopped and undone, then replace. Healthy lanes may stand still."
    ),
]
ConfigOption = Annotated[str | None, typer.Option("--config", metavar="FILE", help="Your own configuration.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what would be done.")]
WithheldOption = Annotated[
    list[str] | None,
    typer.Option("--compromised-host", metavar="HOST", help="Consumers on this host get nothing now. Repeatable."),
]
ExemptOption = Annotated[
    list[str] | None,
    typer.Option("--no-quarantine", metavar="LANE", help="With --incident: this lane is not stopped. Repeatable."),
]
DeleteFirst = Annotated[
    bool,
    typer.Option("--delete-first", help="Where the provider has no free slot: kill the old one before the new one is made."),
]

ReferencesOption = Annotated[
    bool,
    typer.Option(
        "--references", help="With --leaked: put a reference in place of the value where whoever reads it can resolve one."
    ),
]


def plan(
    names: Names = None,
    lane: LaneOption = None,
    kind: KindOption = None,
    tier: TierOption = None,
    leaked: LeakedOption = None,
    all_: AllOption = False,
    incident: IncidentOption = False,
    references: ReferencesOption = False,
    config: ConfigOption = None,
) -> int:
    """Show what a rotation would do, in order. Asks providers and stores; changes nothing.

    For example: keyward plan --leaked report.jsonl
    """
    from keyward.cli.rotation_view import show_plan
    from keyward.flows.replaced import without_replaced
    from keyward.flows.rotate import make_plan
    from keyward.flows.selecting import select

    with open_place(config) as place:
        wanted = _wanted(names, lane, kind, tier, leaked, all_, references)
        incident = incident or _in_an_incident(place)
        selection, past = without_replaced(place, select(place, wanted))
        made = make_plan(place, selection, _options(incident))
    print(show_plan(made, past))
    return HALTED if any(each.refusal for each in made.rotations) else DONE


def rotate(
    names: Names = None,
    lane: LaneOption = None,
    kind: KindOption = None,
    tier: TierOption = None,
    leaked: LeakedOption = None,
    all_: AllOption = False,
    incident: IncidentOption = False,
    exempt: ExemptOption = None,
    withheld: WithheldOption = None,
    delete_first: DeleteFirst = False,
    references: ReferencesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only show the plan.")] = False,
    break_glass: Annotated[
        str, typer.Option("--break-glass", metavar="REASON", help="Without the approvals that lanes demand; recorded.")
    ] = "",
    yes: YesOption = False,
    config: ConfigOption = None,
) -> int:
    """Replace credentials: make the new one, prove it, store it, give it to its consumers, kill the old one, prove it dead.

    Can be interrupted at any time and gone on with: keyward resume.

    For example: keyward rotate shop/aws; keyward rotate --leaked report.jsonl; keyward rotate --all --incident
    """
    from keyward.cli.rotation_view import show_plan
    from keyward.flows import rotate as flow
    from keyward.flows.replaced import without_replaced
    from keyward.flows.selecting import select
    from keyward.rotate.known_salts import remember_salt

    with open_place(config) as place:
        wanted = _wanted(names, lane, kind, tier, leaked, all_, references)
        selection, past = without_replaced(place, select(place, wanted))
        incident = incident or _in_an_incident(place)
        options = _options(incident, withheld, delete_first)
        made = flow.make_plan(place, selection, options, exempt or ())
        print(show_plan(made, past), flush=True)
        if dry_run:
            return HALTED if any(each.refusal for each in made.rotations) else DONE
        _check_approvals(place, made, break_glass)
        if not yes:
            _confirm(made, incident, exempt or ())
        if wanted.report is not None:
            remember_salt(place.state, wanted.report.salt)  # before the old values go: later they can be named no more
        with _running([each.ref for each in made.rotations], place) as (tell, switch):
            result = flow.rotate(place, selection, options, tell=tell, switch=switch, exempt=exempt or (), plan=made)
    code = _report(result, stopped=switch.stopped)
    unproved = any(not each.proved for each in past)  # a person said that it is dead
    return NEEDS_PERSON if code == DONE and unproved else code


def resume(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="ROTATION", help="Their ids or LANE/NAME; none: all of them.")
    ] = None,
    not_ours: Annotated[
        list[str] | None,
        typer.Option("--not-ours", metavar="ID", help="A key at the provider that somebody else made. Repeatable."),
    ] = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
) -> int:
    """Go on with rotations that were interrupted, that halted, or that waited for a person.

    Naming one that waits for you to kill the old one says that you did; where nobody can be asked, that is recorded.

    For example: keyward resume
    """
    from keyward.cli.rotation_view import show_open
    from keyward.flows import rotate as flow
    from keyward.rotate.who import current

    with open_place(config) as place:
        open_ones = flow.find_open(place, names or ())
        if not open_ones:
            print("Nothing to resume.")
            return DONE
        if dry_run:
            print(show_open(open_ones))
            return DONE
        if not_ours:
            flow.disown(place, open_ones, not_ours)
        with _running([each.ref for each in open_ones], place) as (tell, switch):
            # naming one that waits for a person says that this person did it
            by = current().user if names else ""
            result = flow.resume(place, open_ones, tell=tell, switch=switch, attested_by=by)
    return _report(result, stopped=switch.stopped)


def provide(
    ref: Annotated[str, typer.Argument(metavar="LANE/NAME", help="The credential that waits.")],
    source: Annotated[str, typer.Argument(metavar="-", help="`-` reads it from standard input.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say which parts it waits for.")] = False,
    config: ConfigOption = None,
) -> int:
    """Give a waiting rotation the value that you made at the provider. It is asked for, hidden, and verified before it is stored.

    With several parts, standard input has a line `part=value` for each.

    For example: keyward provide shop/anthropic
    """
    from keyward.cli.ask import ask
    from keyward.flows import rotate as flow

    if source not in ("", "-"):
        raise UsageError(
            "a value cannot be an argument: every process of this machine could read it", hint="Use - or the prompt."
        )
    with open_place(config) as place:
        wanted = flow.parts_wanted(place, ref)
        if dry_run:
            print(_inert(f"{ref} waits for: {', '.join(wanted)}"))
            return DONE
        parts = read_parts(wanted) if source == "-" else {part: ask(f"{ref}: {part}") for part in wanted}
        with _running([ref], place) as (tell, switch):
            outcome = flow.provide(place, ref, parts, tell=tell, switch=switch)
    return _report(flow.Result((outcome,)), stopped=switch.stopped)


def abort(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="ROTATION", help="Their ids or LANE/NAME.", show_default=False)
    ] = None,
    free_slots: Annotated[
        str,
        typer.Option(
            "--free-slots",
            metavar="LANE/NAME",
            help="Where a rotation's journal was lost or damaged: look what it left in the store, and free that.",
        ),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Only say whether it can be taken back, or what is in the slots.")
    ] = False,
    yes: YesOption = False,
    config: ConfigOption = None,
) -> int:
    """Take unfinished rotations back: consumers and store get the old one again, the new one is revoked.

    Not possible once the old one may be dead: then the only way is forward. For example: keyward abort shop/aws
    """
    from keyward.cli.rotation_view import show_ways_back
    from keyward.flows import rotate as flow
    from keyward.model.rotation import Aborted

    if bool(names) == bool(free_slots):
        raise UsageError("say what to take back", hint="Name rotations, or use --free-slots LANE/NAME.")
    with open_place(config) as place:
        if free_slots:
            return _free_slots(place, free_slots, dry_run=dry_run, yes=yes)
        open_ones = flow.find_open(place, names or ())
        if dry_run:
            ways = flow.ways_back(place, open_ones)
            print(show_ways_back(ways))
            return HALTED if any(each.refusal for each in ways) else DONE
        result = flow.abort(place, open_ones)
    _report(result)
    return DONE if all(isinstance(each, Aborted) for each in result.outcomes) else HALTED


def _free_slots(place: Workplace, ref: str, *, dry_run: bool, yes: bool) -> int:
    from keyward.cli.rotation_view import show_stranded
    from keyward.flows import stranded as flow
    from keyward.rotate.stranded import Way

    left = flow.find(place, ref)
    print(show_stranded(left.slots, place.clock.now()))
    kept = any(each.way is Way.KEEP for each in left.slots)
    if dry_run or all(each.way is Way.KEEP for each in left.slots):
        return HALTED if kept else DONE
    if not yes:
        _ask_to_type(ref, "this changes the store")
    for each, done in flow.free(place, left):
        print(_inert(f"{each.slot.value}: {done}"))
    return HALTED if kept else DONE


def status(
    all_: Annotated[bool, typer.Option("--all", "-a", help="Those that are done and taken back, too.")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep showing, until none is unfinished.")] = False,
) -> int:
    """How rotations stand. Exit code 4 if one can be resumed, 5 if one waits for a person.

    For example: keyward status --watch
    """
    import time

    from keyward.cli.rotation_view import show_standings
    from keyward.match.paths import state_folder
    from keyward.plugin.clock import SystemClock
    from keyward.rotate.ledger import State, standings

    while True:
        there = list(standings(state_folder(), SystemClock()))
        open_ones = [each for each in there if each.state not in (State.DONE, State.ABORTED, State.NOTHING)]
        if watch and sys.stdout.isatty():
            sys.stdout.write("\x1b[H\x1b[2J")
        print(show_standings(there if all_ else open_ones or there[-5:], time.time()), flush=True)  # a pipe is watched, too
        if not watch or not open_ones:
            break
        time.sleep(1)
    if any(each.state in (State.UNFINISHED, State.DAMAGED) for each in open_ones):
        return HALTED
    return NEEDS_PERSON if open_ones else DONE


def history(
    rotation: Annotated[str, typer.Argument(metavar="ROTATION", help="An id: its journal, step by step.")] = "",
) -> None:
    """Every rotation that there was, or one of them step by step. For example: keyward history"""
    import time

    from keyward.cli.rotation_view import show_history, show_standings
    from keyward.match.paths import state_folder
    from keyward.plugin.clock import SystemClock
    from keyward.rotate.journal import Journal, journals
    from keyward.rotate.ledger import rotations_folder, standings

    if not rotation:
        print(show_standings(list(standings(state_folder(), SystemClock())), time.time()))
        return
    for folder in journals(rotations_folder(state_folder())):
        if os.path.basename(folder) == rotation:
            print(show_history(Journal.open_(folder, SystemClock()).lines))
            return
    raise UsageError(f"there is no rotation {rotation!r}", hint="See them with: keyward history")


def distribute(
    names: Annotated[list[str] | None, typer.Argument(metavar="LANE/NAME", help="None: all that were withheld.")] = None,
    host: Annotated[str, typer.Option("--host", metavar="HOST", help="Only consumers that stand on this host.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say who would be given what.")] = False,
    config: ConfigOption = None,
) -> int:
    """Give the current credentials to consumers that were withheld, on the clean machine that replaces a compromised one.

    For example: keyward distribute --host agent-7b
    """
    from keyward.cli.table import table
    from keyward.flows.distribute import distribute as flow
    from keyward.flows.rotate_withheld import withheld

    with open_place(config) as place:
        waiting = withheld(place, names or (), host)
        if dry_run:
            rows = [(each.ref, each.consumer, "would be given it", True) for each in waiting if not each.lost]
        else:
            rows = [(one.ref, one.consumer, one.result, one.done) for one in flow(place, names or (), host)]
    told = {row[:2] for row in rows}
    rows += [(each.ref, each.consumer, each.lost, False) for each in waiting if each.lost and each[:2] not in told]
    print(table([row[:3] for row in rows]) or "Nothing was withheld.\n", end="")
    return HALTED if any(not done for *_, done in rows) else DONE


# what the commands share


def open_place(config: str | None) -> Workplace:
    """What the commands work with, with a person who can be asked."""
    from keyward.cli.ask import ask
    from keyward.flows.workplace import open_workplace

    return open_workplace(config, prompt=ask, warn=_warn)


def _warn(text: str) -> None:
    print(f"keyward: {_inert(text)}", file=sys.stderr)


def _inert(text: str) -> str:
    from keyward.report.escape import log

    return log(text)


def _wanted(
    names: list[str] | None,
    lanes: list[str] | None,
    kinds: list[str] | None,
    tiers: list[int] | None,
    leaked: str | None,
    everything: bool,
    references: bool,
) -> Wanted:
    from keyward.flows.selecting import Wanted
    from keyward.rotate.found import read_report

    if references and not leaked:
        raise UsageError("--references is for --leaked", hint="In a consumer of your configuration, say reference = true.")
    report = read_report(leaked) if leaked else None
    return Wanted(
        tuple(names or ()), tuple(lanes or ()), tuple(kinds or ()), tuple(tiers or ()), report, everything, references
    )


def _in_an_incident(place: Workplace) -> bool:
    """Whether an incident is open on this host: then keys are stopped before they are replaced, as with --incident."""
    from keyward.flows.incident_case import open_incident

    case = open_incident(place.state)
    if case is not None:
        print(f"keyward: the incident {case.name!r} is open: keys are stopped before they are replaced", file=sys.stderr)
    return case is not None


def _options(incident: bool, withheld: list[str] | None = None, delete_first: bool = False) -> Any:
    from keyward.model.rotation import INCIDENT, PLANNED
    from keyward.rotate.parties import Options

    mode = INCIDENT if incident else PLANNED
    return Options(mode=mode, withheld_hosts=frozenset(withheld or ()), delete_first=delete_first)


def _confirm(made: Plan, incident: bool, exempt: Sequence[str] = ()) -> None:
    """Has the names typed. Raises UsageError where nobody can be asked, or for another answer."""
    refs = [each.ref for each in made.rotations if not each.refusal]
    if not refs:
        return
    wanted = " ".join(refs) if len(refs) <= 3 else f"rotate {len(refs)}"
    if incident and sys.stdin.isatty():
        stopped = sorted({ref.partition("/")[0] for ref in refs} - set(exempt)) or ["none"]
        print(f"\nThese lanes may stand still until their consumers have the new ones: {', '.join(stopped)}")
    _ask_to_type(wanted, "this changes credentials")


def _ask_to_type(wanted: str, what: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(f"{what}, and nobody can be asked", hint="Look at --dry-run, then add --yes.")
    sys.stdout.write(f"\nType {wanted!r} to go on: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip() != wanted:
        raise UsageError("not confirmed; nothing was changed")


def _check_approvals(place: Workplace, made: Plan, break_glass: str) -> None:
    if made.approvals:
        from keyward.flows.approvals import decide, require
        from keyward.rotate.who import current

        needed = max(needed for _, needed in made.approvals)
        if not break_glass:
            decision = decide(place, made.digest, needed, current().user)
            for reason in () if decision.allowed else decision.passed_over:
                _warn(f"an approval does not count: {reason}")
        require(place, made.digest, needed, break_glass)


@contextmanager
def _running(refs: list[str], place: Workplace) -> Iterator[tuple[Any, Any]]:
    """The live table, and Ctrl-C that lets what has begun come to a safe point."""
    from keyward.cli.rotation_view import LiveTable
    from keyward.rotate.gates import StopSwitch

    switch = StopSwitch(place.clock)
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in signals}

    def stop(number: int, frame: object) -> None:
        # written past the streams, which may be in use at this very moment
        if switch.stopped:
            os.write(2, b"\x1b[?25h\nkeyward: ended at once; go on with: keyward resume\n")
            os._exit(INTERRUPTED)
        switch.stop()
        os.write(2, b"\nkeyward: stopping at the next safe point; once more ends it at once\n")

    for number in signals:
        signal.signal(number, stop)
    try:
        with LiveTable(refs) as tell:
            yield tell, switch
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if switch.stopped:
        print("keyward: stopped; go on with: keyward resume", file=sys.stderr)


def _report(result: Result, *, stopped: bool = False) -> int:
    from keyward.cli.rotation_view import show_result

    print(show_result(result))
    if stopped and result.failed:
        return INTERRUPTED
    if result.failed:
        return HALTED
    withheld = any(getattr(each, "withheld", ()) for each in result.done)
    return NEEDS_PERSON if result.waiting or result.unowned or withheld else DONE


def read_parts(wanted: list[str]) -> dict[str, Secret]:
    """A value from standard input: alone, or as lines `part=value` where there are several parts. Raises UsageError."""
    from keyward.model.secret import Secret

    data = sys.stdin.buffer.read(1 << 20).rstrip(b"\r\n")
    if len(wanted) == 1 and not data.startswith(wanted[0].encode() + b"="):
        if not data:
            raise UsageError("standard input was empty")
        return {wanted[0]: Secret(data)}
    parts = {}
    for line in data.split(b"\n"):
        name, found, value = line.rstrip(b"\r").partition(b"=")
        if not found or name.decode("ascii", "replace") not in wanted:
            raise UsageError(f"standard input must have lines part=value, with the parts {', '.join(wanted)}")
        parts[name.decode()] = Secret(value)
    if set(parts) != set(wanted):
        raise UsageError(f"missing: {', '.join(sorted(set(wanted) - set(parts)))}")
    return parts
