"""`keyward incident`"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from keyward.errors import UsageError

if TYPE_CHECKING:
    from keyward.flows.incident_assess import Assessed, Wished
    from keyward.flows.incident_case import Case
    from keyward.flows.incident_contain import ContainStep
    from keyward.flows.workplace import Workplace
    from keyward.incident.settings import IncidentSettings

CLEAN, FOUND, INCOMPLETE, HALTED, NEEDS_PERSON, LIVE = 0, 1, 3, 4, 5, 10

app = typer.Typer(
    no_args_is_help=True,
    help="When keys have leaked: contain, assess, eradicate, recover, report. Every step can be repeated.",
)

ConfigOption = Annotated[str | None, typer.Option("--config", metavar="FILE", help="Your own configuration.")]
FolderOption = Annotated[
    str, typer.Option("--folder", metavar="FOLDER", help="The case, if it is not in keyward's state folder.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Only show what would be done.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Home = Annotated[list[str] | None, typer.Option("--home", metavar="FOLDER", help="A home folder, yours if none. Repeatable.")]
Source = Annotated[
    list[str] | None, typer.Option("--source", metavar="NAMES", help="Only these sources (env, shell, …). Repeatable.")
]
Repository = Annotated[
    list[str] | None, typer.Option("--repository", metavar="FOLDER", help="Its files and history too. Repeatable.")
]
Offline = Annotated[bool, typer.Option("--offline", help="Do not ask providers whether keys live.")]
NoHost = Annotated[bool, typer.Option("--no-host", help="Only the repositories, not this machine.")]
Entered = Annotated[
    bool, typer.Option("--entered", help="The thief was on this machine: what stands only where it is used leaked as well.")
]
RecordFile = Annotated[str, typer.Option("--record", metavar="FILE", help="The host's record, if it was kept elsewhere.")]


@app.command("prepare")
def prepare(
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Write the record there, to keep it elsewhere.")
    ] = "",
    anyway: Annotated[bool, typer.Option("--anyway", help="Although an incident is open.")] = False,
    dry_run: DryRun = False,
    config: ConfigOption = None,
) -> int:
    """Record the host's good state, beforehand: keys that may log in, jobs, units, start files, users, ports, images, env files.

    Values are kept as keyed hashes. For example: keyward incident prepare -o /mnt/stick/host.json
    """
    from keyward.flows.incident_prepare import prepare as flow
    from keyward.report.words import count

    with _place(config) as (place, settings):
        made = flow(place, settings, file=output, anyway=anyway, dry_run=dry_run)
    for area, items in made.record.areas.items():
        print(f"  {area}: {len(items)}")
    for path, reason in made.record.unreadable:
        print(f"  not readable: {_inert(path)}: {_inert(reason)}")
    verb = "would be written" if dry_run else "written"
    print(f"{count(made.record.size, 'item')}; the record {verb}: {_inert(made.path)}")
    return CLEAN


@app.command("open")
def open_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called: bot-leak")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What was seen; no secret.")] = "",
    folder: FolderOption = "",
    dry_run: DryRun = False,
    config: ConfigOption = None,
) -> int:
    """Start a case: a folder with append-only notes and evidence. Until it is closed, it is the incident that the other commands mean.

    For example: keyward incident open bot-leak --reason "a key stands in a public gist"
    """
    from keyward.flows.incident_case import FOLDER, NAME, open_case
    from keyward.flows.rotate import find_open

    reason = _without_secrets(reason)
    with _place(config) as (place, settings):
        where = os.path.abspath(folder) if folder else os.path.join(place.state, FOLDER, name)
        if dry_run:
            if not NAME.fullmatch(name):
                raise UsageError("the name is not of the form `my-name`", hint="Use a-z, 0-9, dot, dash and underscore.")
            print(f"The case would lie in {_inert(where)}")
            return CLEAN
        before = _prepared(place)
        made, new = open_case(place, name, folder=folder, reason=reason, prepared=before, retention=settings.retention)
        with made as case:
            _opened(case, reason, new)
            print(f"{'Opened' if new else 'Goes on with'} {name}: {_inert(case.folder)}")
            if case.info.key != "store":
                print("note: the store does not answer; the key of the notes lies beside them, so that they prove less")
            if not before:
                print("note: nobody recorded the host's good state, so that nothing can be compared with it")
            begun = find_open(place, ())
        if begun:
            print(f"note: {len(begun)} rotations are unfinished; see: keyward status")
    print("Next: keyward incident contain")
    return CLEAN


def _opened(case: Case, reason: str, new: bool) -> None:
    from keyward.flows.incident_case import STARTED, WHOLE
    from keyward.model.incident import OPEN

    case.phase(OPEN, STARTED)
    case.end(OPEN, "open", "open the case" if new else "open the case again", detail=reason)
    case.phase(OPEN, WHOLE)
    _warn(case.told("open", reason))


@app.command("note")
def note(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What happened; no secret. `-` reads it from standard input.")],
    folder: FolderOption = "",
    config: ConfigOption = None,
) -> int:
    """Write a note into the case. Notes cannot be changed. For example: keyward incident note "called the provider" """
    said = sys.stdin.read(1 << 20).strip() if text == "-" else text
    if not said:
        raise UsageError("the note is empty")
    with _case(config, folder) as (_, _, case):
        for line in filter(None, (line.strip() for line in _without_secrets(said).splitlines())):
            case.note(line)
    print("Noted.")
    return CLEAN


def _without_secrets(text: str) -> str:
    """People paste what they see into notes."""
    if not text:
        return ""
    from keyward.scrub import scrub

    clean, _ = scrub(text)
    return clean


@app.command("contain")
def contain(
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="STEP", help="pause, snapshot, firewall, copies, stop, or one of them (stop:bot). Repeatable."
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also what is done already.")] = False,
    folder: FolderOption = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    config: ConfigOption = None,
) -> int:
    """Stop what the configuration allows, and secure evidence: pause hooks, snapshot, firewall, encrypted copies, docker stop.

    Each step is shown and approved; nothing is deleted. Exit code 4 if a step failed, 5 if one was not approved.

    For example: keyward incident contain --dry-run
    """
    from keyward.flows import incident_contain as flow
    from keyward.flows.incident_case import told
    from keyward.model.incident import DONE, SKIPPED

    with _case(config, folder) as (place, settings, case):
        steps = flow.plan(settings, case.info.name, told(case))
        print(_shown(steps), end="", flush=True)
        if dry_run:
            return HALTED if any(step.refusal for step in steps) else CLEAN
        if not yes and not sys.stdin.isatty():
            raise UsageError("nobody can be asked here; nothing was done", hint="Look at the plan, then add --yes.")
        approve = _approve_all if yes else _approve
        wanted = only or ()
        done = flow.contain(place, settings, case, approve=approve, tell=_say, again=again, only=wanted)
        _warn(case.told("contain", ", ".join(f"{step.id} {outcome}" for step, outcome, _ in done.outcomes)))
    for step, outcome, detail in done.outcomes:
        if outcome != DONE:
            print(f"{outcome.upper()}: {_inert(step.what)} {_inert(step.target)}: {_inert(detail)}")
    if done.failed:
        return HALTED
    skipped = any(outcome == SKIPPED for _, outcome, _ in done.outcomes)
    print("Next: keyward incident assess")
    return NEEDS_PERSON if skipped else CLEAN


def _shown(steps: tuple[ContainStep, ...]) -> str:
    lines = []
    for number, step in enumerate(steps, 1):
        state = f"  ({step.state} before)" if step.state else ""
        lines.append(f"  {number}. {_inert(step.what)} {_inert(step.target)}".rstrip() + state)
        lines.append(
            f"     CANNOT: {_inert(step.refusal)}. {_inert(step.hint)}" if step.refusal else f"     {_inert(step.how)}"
        )
    return "\n".join(("Containment, in this order:", "", *lines, "", ""))


def _approve_all(step: ContainStep) -> bool:
    return True


def _approve(step: ContainStep) -> bool:
    answer = input(f"{_inert(step.what)} {_inert(step.target)}? [y/N/q] ").strip().lower()
    if answer == "q":
        raise UsageError("ended before its end", hint="Go on with: keyward incident contain")
    return answer in ("y", "yes")


def _say(id: str, text: str) -> None:
    print(f"{_inert(id)}: {_inert(text)}", flush=True)


@app.command("assess")
def assess(
    home: Home = None,
    source: Source = None,
    repository: Repository = None,
    no_host: NoHost = False,
    offline: Offline = False,
    record: RecordFile = "",
    entered: Entered = False,
    folder: FolderOption = "",
    dry_run: DryRun = False,
    config: ConfigOption = None,
) -> int:
    """Find out what leaked, since when, whether it lives, which lanes burn, what changed on the host, and what still holds old keys.

    Exit code 10 if a leaked key lives, 1 if something leaked, 3 if nothing was found and something could not be looked at.

    For example: keyward incident assess --repository ~/bot
    """
    from keyward.cli.progress import ProgressLine
    from keyward.flows.incident_assess import assess as flow

    wished = _wished(home, source, repository, no_host, offline, record, config, entered)
    with _case(config, folder) as (place, settings, case):
        if dry_run:
            print(_would_look(settings, wished))
            return CLEAN
        line = ProgressLine()
        try:
            found = flow(place, settings, case, wished, progress=line, asked=line.asked)
        finally:
            line.clear()
        _warn(case.told("assess", f"{len(found.leaks)} leaked"))
        print(_assessed(place, case, found), end="")
    if any(leak.verdict in ("live", "restricted") for leak in found.leaks):
        return LIVE
    return FOUND if found.leaks else INCOMPLETE if found.not_looked_at else CLEAN


def _wished(
    home: list[str] | None,
    source: list[str] | None,
    repository: list[str] | None,
    no_host: bool,
    offline: bool,
    record: str,
    config: str | None,
    entered: bool = False,
) -> Wished:
    from keyward.flows.incident_assess import Wished

    names = tuple(name for each in source or () for name in each.split(",") if name)
    return Wished(
        tuple(home or ()),
        names,
        tuple(repository or ()),
        not offline,
        record=record,
        config=config,
        host=not no_host,
        entered=entered,
    )


def _would_look(settings: IncidentSettings, wished: Wished) -> str:
    where = [*(wished.homes or ("your home, and where tools keep files",))] if wished.host else []
    where += [f"files and history of {path}" for path in (*settings.repositories, *wished.repositories)]
    where += [f"backups in {path}" for path in settings.backups]
    where += [f"snapshots of {machine.instance}" for machine in settings.machines]
    where.append("the host's record, compared with what is there now")
    asked = "Providers would be asked about each key that is found." if wished.ask else "No provider would be asked."
    return "\n".join(("Would look at:", *(f"  {_inert(each)}" for each in where), asked))


def _assessed(place: Workplace, case: Case, found: Assessed) -> str:
    from keyward.cli.table import table
    from keyward.report.words import count, moment

    rows = [
        (leak.ref or "(no lane)", leak.kind, leak.masked, leak.verdict or "not asked", moment(leak.since), str(leak.total))
        for leak in sorted(found.leaks, key=lambda leak: (leak.tier or 9, leak.ref))
    ]
    text = f"{count(len(found.leaks), 'credential')} leaked\n"
    text += table(rows, ("CREDENTIAL", "KIND", "VALUE", "STATE", "SINCE", "PLACES"), indent="  ")
    if found.at_home:
        text += f"{len(found.at_home)} more stand only where they are used: {_inert(', '.join(found.at_home))}\n"
        text += "  If the thief was on this machine, they leaked as well: keyward incident assess --entered\n"
    burnt = {ref.partition("/")[0] for leak in found.leaks for ref in leak.ref.split(", ") if ref}
    if burnt:
        text += f"Lanes that burn: {_inert(', '.join(sorted(burnt)))}\n"
    if found.drift is None:
        text += "The host was not compared: there is no record of its good state that can be used\n"
    else:
        text += f"{count(len(found.drift), 'difference')} of the host from its record\n"
        text += table(
            [("!" if d.suspicious else "", d.area, d.change, d.name, d.detail) for d in found.drift],
            indent="  ",
        )
    if found.holders:
        text += "May still hold old keys:\n" + table([(h.what, h.name, h.action) for h in found.holders], indent="  ")
    for ref, reason in found.unasked:
        text += f"Nobody can tell whether {_inert(ref)} leaked: {_inert(reason)}\n"
    if found.not_looked_at:
        text += f"Not looked at: {len(found.not_looked_at)}\n"
        text += table([(path, reason) for path, reason in found.not_looked_at[:20]], indent="  ")
    text += f"The report is in {_inert(os.path.join(case.folder, found.report))}\n"
    return text + "Next: keyward incident eradicate\n"


@app.command("eradicate")
def eradicate(
    leaked: Annotated[bool, typer.Option("--leaked", help="Only what was found to leak; else everything is replaced.")] = False,
    withheld: Annotated[
        list[str] | None,
        typer.Option("--compromised-host", metavar="HOST", help="Consumers on this host get nothing now. Repeatable."),
    ] = None,
    exempt: Annotated[
        list[str] | None, typer.Option("--no-quarantine", metavar="LANE", help="This lane is not stopped. Repeatable.")
    ] = None,
    delete_first: Annotated[bool, typer.Option("--delete-first", help="See: keyward rotate --help")] = False,
    break_glass: Annotated[str, typer.Option("--break-glass", metavar="REASON", help="Without approvals; recorded.")] = "",
    folder: FolderOption = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    config: ConfigOption = None,
) -> int:
    """Replace every credential, those that can be stopped are stopped first: `keyward rotate --all --incident`, noted in the case.

    Exit codes as of `keyward rotate`. For example: keyward incident eradicate --compromised-host agent-7
    """
    from keyward.cli import rotation
    from keyward.flows.incident_assess import newest, remember_held
    from keyward.flows.incident_case import PARTLY, STARTED
    from keyward.flows.incident_report import eradicated
    from keyward.flows.selecting import Wanted, select
    from keyward.model.incident import ERADICATE
    from keyward.rotate.found import read_report

    with _case(config, folder) as (place, _, case):
        report = ""
        if leaked:
            found = newest(case, "assess")
            if found is None:
                raise UsageError("nobody has looked yet at what leaked", hint="Run: keyward incident assess")
            if not found.leaks:
                raise UsageError("the last look found no leak", hint="Leave --leaked out, and everything is replaced.")
            report = os.path.join(case.folder, found.report)
        wanted = Wanted(report=read_report(report)) if report else Wanted(everything=True)
        refs = [chosen.entry.ref for chosen in select(place, wanted).chosen]
        if not dry_run:
            case.phase(ERADICATE, STARTED)
            remember_held(place, case)
            for ref in refs:
                case.begin(ERADICATE, f"rotate:{ref}", "replace", ref)
    try:
        code = rotation.rotate(
            all_=not leaked, leaked=report or None, incident=True, exempt=exempt, withheld=withheld, delete_first=delete_first,
            dry_run=dry_run, break_glass=break_glass, yes=yes, config=config,
        )  # fmt: skip
    except BaseException:
        if not dry_run:
            with _case(config, folder) as (_, _, case):
                case.phase(ERADICATE, PARTLY, ["it was not carried out to its end"])
        raise
    if not dry_run:
        with _case(config, folder) as (place, _, case):
            left = eradicated(place, case, code, refs)
            _warn(case.told("eradicate", f"{len(refs) - len(left)} of {len(refs)} replaced"))
        print(
            "Next: keyward incident recover" if not left else "Next: what is named above, then keyward incident eradicate again"
        )
    return code


@app.command("recover")
def recover(
    home: Home = None,
    source: Source = None,
    repository: Repository = None,
    no_host: NoHost = False,
    offline: Offline = False,
    no_scrub: Annotated[bool, typer.Option("--no-scrub", help="Leave the echoes where they are.")] = False,
    open_firewall: Annotated[bool, typer.Option("--open-firewall", help="Put the rules back that were there before.")] = False,
    start_again: Annotated[bool, typer.Option("--start-again", help="Run the `undo` of the pause hooks.")] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Although evidence is not safe, or the firewall has other rules.")
    ] = False,
    folder: FolderOption = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    config: ConfigOption = None,
) -> int:
    """Take the echoes out of logs, transcripts and databases, look again, and ask every consumer whether it is well.

    Exit code 3 if something is left. For example: keyward incident recover --open-firewall --start-again
    """
    from keyward.cli.progress import ProgressLine
    from keyward.flows import incident_recover as flow

    wished = _wished(home, source, repository, no_host, offline, "", config)
    requested = flow.Requested(scrub=not no_scrub, open_firewall=open_firewall, start_again=start_again, anyway=anyway)
    with _case(config, folder) as (place, settings, case):
        lacking = flow.missing_evidence(settings, case)
        if dry_run or not yes:
            print(_would_recover(case, requested, lacking))
        if dry_run:
            return CLEAN
        if not yes:
            _confirm()
        line = ProgressLine()
        try:
            done = flow.recover(place, settings, case, wished, requested, tell=lambda text: None)
        finally:
            line.clear()
        _warn(case.told("recover", f"{len(done.left)} left"))
    if done.scrubbed:
        print(f"scrubbed: {_inert(done.scrubbed)}")
    if done.again is not None:
        print(f"looked again: {len(done.again.leaks)} credentials found")
    for each in done.health:
        state = {True: "well", False: "NOT WELL", None: "unknown"}[each.well]
        print(f"{state}: {_inert(each.ref)}: {_inert(each.consumer)} {_inert(each.detail)}")
    for text in done.left:
        print(f"LEFT: {_inert(text)}")
    if not done.left:
        print("Next: keyward incident close")
    return INCOMPLETE if done.left else CLEAN


def _would_recover(case: Case, requested: object, lacking: tuple[str, ...]) -> str:
    from keyward.flows.incident_assess import newest

    found = newest(case, "assess")
    lines = ["Would do, in this order:"]
    if getattr(requested, "scrub", False):
        places = sum(leak.total for leak in found.leaks) if found else 0
        lines.append(
            f"  scrub {places} places of {found.report if found else 'no report yet'} (see: keyward scrub --leaked … --dry-run)"
        )
    lines += ["  look again at everything", "  ask every consumer, and the provider of every credential"]
    lines += ["  put the firewall's old rules back"] if getattr(requested, "open_firewall", False) else []
    lines += ["  start what was paused"] if getattr(requested, "start_again", False) else []
    lines += [f"  note: evidence that is not safe yet: {each}" for each in lacking]
    return "\n".join(_inert(line) for line in lines)


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here; nothing was done", hint="Add --yes.")
    if input("Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise UsageError("not confirmed; nothing was done")


@app.command("close")
def close(
    folder: FolderOption = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    config: ConfigOption = None,
) -> int:
    """End the incident and write its report: HTML, Markdown and JSON, in the case. Exit code 5 if something is left to do.

    For example: keyward incident close
    """
    import keyward
    from keyward.flows.incident_report import build
    from keyward.flows.incident_report import close as flow

    with _case(config, folder) as (place, settings, case):
        left = build(place, settings, case).left
        for text in left:
            print(f"LEFT: {_inert(text)}")
        if dry_run:
            return NEEDS_PERSON if left else CLEAN
        if left and not yes:
            _confirm()
        incident, proofs = flow(place, settings, case, keyward.__version__)
        _warn(case.told("close", f"{len(incident.left)} left"))
        for proof in proofs:
            print(f"report: {_inert(os.path.join(case.folder, proof.path))}")
        if incident.retention:
            from keyward.report.words import moment

            print(f"The evidence is to be kept until {moment(incident.retention)[:10]}")
    return NEEDS_PERSON if incident.left else CLEAN


@app.command("report")
def report(folder: FolderOption = "", config: ConfigOption = None) -> int:
    """Write the report of the case as it stands now, without closing it. For example: keyward incident report"""
    import keyward
    from keyward.flows.incident_report import build, write_report

    with _case(config, folder) as (place, settings, case):
        for proof in write_report(place, build(place, settings, case), case, keyward.__version__):
            print(f"report: {_inert(os.path.join(case.folder, proof.path))}")
    return CLEAN


@app.command("status")
def status(
    folder: FolderOption = "",
    config: ConfigOption = None,
) -> int:
    """How the incident stands, and what is next. Exit code 5 if something is left, 4 if its notes were changed.

    For example: keyward incident status
    """
    from keyward.cli.table import table
    from keyward.flows.incident_case import cases, open_incident
    from keyward.flows.incident_report import build
    from keyward.report.words import moment

    with _place(config) as (place, settings):
        if not folder and open_incident(place.state) is None:
            rows = [(info.name, moment(info.opened), moment(info.closed) or "not closed") for info in cases(place.state)]
            print("No incident is open.")
            print(table(rows, ("NAME", "OPENED", "CLOSED")), end="")
            return CLEAN
    with _case(config, folder) as (place, settings, case):
        incident = build(place, settings, case)
        print(f"{incident.name}, opened {moment(incident.opened)} by {_inert(incident.actor)}: {_inert(incident.folder)}")
        phases = [(s.name, moment(s.started) or "-", moment(s.ended) or "-", "; ".join(s.left[:3])) for s in incident.steps]
        print(table(phases, ("PHASE", "BEGUN", "WHOLE", "LEFT")), end="")
        print(table([(lane.name, f"tier {lane.tier}", lane.state) for lane in incident.lanes], ("LANE", "", "STATE")), end="")
        for each in incident.todo:
            print(f"TO DO: {_inert(each.ref)}: {_inert(each.why)}{f'; then: {_inert(each.command)}' if each.command else ''}")
        for text in incident.left:
            print(f"LEFT: {_inert(text)}")
        for problem in incident.chain_problems:
            print(f"CHANGED: the notes: {_inert(problem)}")
        expired = incident.retention and place.clock.now() > incident.retention
        if expired:
            print(f"The evidence was to be kept until {moment(incident.retention)[:10]}: delete it, or keep it on purpose")
    if incident.chain is False:
        return HALTED
    return NEEDS_PERSON if incident.left else CLEAN


# what the commands share


class _place:
    """The workplace and what the configuration says of incidents."""

    def __init__(self, config: str | None) -> None:
        from keyward.cli.rotation import open_place
        from keyward.flows.incident_settings import read_settings
        from keyward.scan.config import operator_path

        self._settings = read_settings(operator_path(config))
        self._place = open_place(config)

    def __enter__(self) -> tuple[Workplace, IncidentSettings]:
        return self._place, self._settings

    def __exit__(self, *_: object) -> None:
        self._place.close()


class _case(_place):
    """The same with the case."""

    def __init__(self, config: str | None, folder: str) -> None:
        super().__init__(config)
        self._folder = os.path.abspath(folder) if folder else ""
        self._case: Case | None = None

    def __enter__(self) -> tuple[Workplace, IncidentSettings, Case]:  # type: ignore[override]
        from keyward.flows.incident_case import load_case

        try:
            self._case = load_case(self._place, folder=self._folder)
        except BaseException:
            self._place.close()
            raise
        return self._place, self._settings, self._case

    def __exit__(self, *_: object) -> None:
        if self._case is not None:
            self._case.__exit__()
        super().__exit__()


def _prepared(place: Workplace) -> float:
    """When the host's record was made; 0 where there is none that can be used."""
    from keyward.errors import KeywardError
    from keyward.flows.incident_prepare import read_record

    try:
        record = read_record(place)
    except KeywardError as error:
        _warn(f"the host's record cannot be used: {error}")
        return 0.0
    return record.time if record is not None else 0.0


def _warn(text: str) -> None:
    if text:
        print(f"keyward: {_inert(text)}", file=sys.stderr)


def _inert(text: str) -> str:
    from keyward.report.escape import log

    return log(text)
