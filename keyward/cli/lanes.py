"""`keyward lanes`"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from keyward.flows.lanes import Adopted, Provisioned

app = typer.Typer(no_args_is_help=True, help="What you rotate: lanes, their credentials, and who uses them.")

Config = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Your own configuration, instead of $KEYWARD_CONFIG or the one in your configuration folder.",
    ),
]
NONE_YET = "Write a first configuration: keyward init --from REPORT, or take a found key in: keyward lanes adopt"
Report = Annotated[str | None, typer.Option("--report", metavar="FILE", help="A scan's report, in format jsonl or json.")]


@app.command("list")
def list_lanes(config: Config = None) -> None:
    """List lanes and credentials. For example: keyward lanes list"""
    from keyward.cli.table import table
    from keyward.flows import lanes as flow

    operator = flow.read_operator(config)
    rows = [
        (entry.ref, str(lane.tier), lane.environment, str(entry.kind), entry.store, str(len(lane.consumers_of(entry.name))))
        for lane, entry in operator.entries()
    ]
    print(table(rows, ("CREDENTIAL", "TIER", "ENVIRONMENT", "KIND", "STORE", "CONSUMERS")), end="")
    print(f"{len(operator.lanes)} lanes, {len(rows)} credentials")
    if not rows:
        print(f"  {NONE_YET}")


@app.command("show")
def show(lane: Annotated[str, typer.Argument(help="The lane's name.")], config: Config = None) -> None:
    """Show one lane: its credentials, where they are kept, how often they are rotated and why, and who uses them.

    For example: keyward lanes show shop
    """
    from keyward.flows import lanes as flow
    from keyward.report.escape import log
    from keyward.rotate.due import policy

    operator = flow.read_operator(config)
    found = operator.lane(lane)
    parts = [f"tier {found.tier}", found.environment, "canary" if found.canary else ""]
    parts.append(f"{found.approvals} approvals" if found.approvals else "")
    print(log(f"{found.name}: {', '.join(part for part in parts if part)}"))
    for entry in found.entries:
        print("\n" + log(f"{entry.ref}: {entry.kind}"))
        print(log(f"  kept in {entry.store} at {entry.path}"))
        print(log(f"  rotated by {policy(operator, found, entry).reason}"))
        for part, reference in entry.admin.items():
            print(log(f"  admin {part}: {reference}"))
        for consumer in found.consumers_of(entry.name):
            print(log(f"  used by {consumer.name}{f' on {consumer.host}' if consumer.host else ''}"))


@app.command("check")
def check(
    report: Report = None,
    live: Annotated[bool, typer.Option("--live", help="Ask the providers, too. Nothing is changed.")] = False,
    config: Config = None,
) -> int:
    """Say what is wrong: shared, overdue, unowned, lying about in plain text, without an end. Exit code 1 if anything is.

    For example, in cron: keyward lanes check --report report.jsonl
    """
    from keyward.cli.ask import ask
    from keyward.cli.rotation_view import show_past
    from keyward.cli.table import table
    from keyward.flows import lanes as flow
    from keyward.flows.workplace import open_workplace

    with open_workplace(config, prompt=ask) as place:
        problems, past = flow.check(place, report, live=live)
        entries = sum(1 for _ in place.operator.entries())
    print(table([(each.code, each.ref, each.text) for each in problems], ("PROBLEM", "CREDENTIAL", "WHAT")), end="")
    for hint in dict.fromkeys(each.hint for each in problems if each.hint):
        print(f"  {_inert(hint)}")
    print(f"{entries} credentials, {len(problems)} problems")
    if past:
        print(show_past(past), end="")
    if not entries:
        print(f"  {NONE_YET}")
    return 1 if problems else 0


@app.command("adopt")
def adopt(
    fingerprint: Annotated[str, typer.Argument(help="As a report shows it: kw1_…")],
    lane: Annotated[str, typer.Option("--lane", help="The lane that it belongs to.")],
    report: Annotated[str, typer.Option("--report", metavar="FILE", help="The scan's report that found it (jsonl or json).")],
    name: Annotated[str, typer.Option("--name", help="Its name in the lane.", show_default="by its kind")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what would be done.")] = False,
    config: Config = None,
) -> None:
    """Take a found credential into a lane, and its value into the lane's store. Run it where the scan ran.

    What stands in the open stays there until the credential is rotated. For example:
    keyward lanes adopt kw1_… --lane shop --report report.jsonl
    """
    from keyward.cli.ask import ask
    from keyward.flows import lanes as flow
    from keyward.flows.audit import open_log
    from keyward.flows.leaked_parts import leaked_parts
    from keyward.flows.workplace import open_workplace
    from keyward.rotate.found import read_report
    from keyward.rotate.known_salts import remember_salt

    with open_workplace(config, prompt=ask) as place, ExitStack() as stack:
        found = read_report(report)
        # the log is opened first: nothing is done that could not be recorded
        log = None if dry_run else stack.enter_context(open_log(place))
        done = flow.adopt(
            place.operator,
            found,
            fingerprint,
            lane,
            store_of=lambda wanted: place.store(wanted),
            kind_of=place.registry.known,
            parts_of=lambda read, wanted, kind: leaked_parts(read, wanted, kind, config=config),
            clock=place.clock,
            name=name,
            dry_run=dry_run,
        )
        files = [place.operator.path] if done.new_entry else []
        if log is not None:
            remember_salt(place.state, found.salt)
            log.append("lanes.adopt", ref=done.entry.ref, detail=f"{fingerprint} into {done.store}", files=files)
    if dry_run:
        _print_would_adopt(done, place.operator.path)
        return
    how = "now holds it" if done.stored else "held it already,"
    print(f"{_inert(done.entry.ref)}: the store {_inert(done.store)} {how} at {_inert(done.entry.path)}")
    if done.new_entry:
        print(f"  added to {_inert(place.operator.path)}")
    print(f"  it still stands in {_inert(', '.join(done.places[:3]))}{' and elsewhere' if len(done.places) > 3 else ''}")
    print(f"  replace it: keyward rotate {_inert(done.entry.ref)}")


def _print_would_adopt(done: Adopted, path: str) -> None:
    where = f"be added to {path}, and the value to its store" if done.new_entry else f"be put into the store {done.store}"
    said = f"would {where}" if done.stored else f"is in the store {done.store} already"
    print(f"{_inert(done.entry.ref)}: it {_inert(said)}")
    print(f"  it stands in {_inert(', '.join(done.places[:3]))}{' and elsewhere' if len(done.places) > 3 else ''}")


@app.command("provision")
def provision(
    lane: Annotated[str, typer.Argument(help="The lane's name.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only show the plan.")] = False,
    config: Config = None,
) -> int:
    """Make what a lane needs: a policy and a role in its Vault, a sub-user with its policy at its providers. Shows a plan first.

    Doing it twice changes nothing. For example: keyward lanes provision shop --dry-run
    """
    from keyward.cli.ask import ask
    from keyward.flows import lanes as flow
    from keyward.flows.audit import open_log
    from keyward.flows.workplace import open_workplace
    from keyward.rotate.audit import CallRecorder

    calls = CallRecorder()
    with open_workplace(config, prompt=ask) as place:
        place.fences = (*place.fences, calls)
        found = place.operator.lane(lane)
        jobs = flow.jobs_for(place, found)
        plan = flow.provision(found, lambda name: place.store(name), jobs, apply=False)
        _print_steps(plan)
        _print_failures(plan)
        if not plan.steps and not plan.failed:
            print(f"{_inert(lane)}: neither its stores nor its providers need anything made for it")
        if dry_run or not any(not step.done for step in plan.steps):
            return 4 if plan.failed else 0
        if not yes and not _agreed(lane):
            print("Nothing was changed.")
            return 0
        calls.take()
        with open_log(place) as log:
            made = flow.provision(found, lambda name: place.store(name), jobs, apply=True)
            log.append("lanes.provision", ref=lane, calls=calls.take(), evidence=[step._asdict() for step in made.steps])
    there = {(step.where, step.what) for step in plan.steps if step.done}
    print(f"{sum((step.where, step.what) not in there for step in made.steps)} made")
    _print_failures(made)
    return 4 if made.failed else 0


def _print_steps(plan: Provisioned) -> None:
    for step in plan.steps:
        print(f"{_inert(step.where)}: {_inert(step.what)} ({'is there' if step.done else 'would be made'})")


def _print_failures(plan: Provisioned) -> None:
    for where, message, hint in plan.failed:
        print(f"{_inert(where)}: {_inert(message)}")
        if hint:
            print(f"  {_inert(hint)}")


def _agreed(lane: str) -> bool:
    """Whether the lane's name is typed."""
    sys.stdout.write(f"Type the lane's name to do this ({_inert(lane)}): ")
    sys.stdout.flush()
    return sys.stdin.readline().strip() == lane


def _inert(text: str) -> str:
    from keyward.report.escape import log

    return log(text)
