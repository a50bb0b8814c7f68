"""A machine at Tencent Cloud Lighthouse, contained: a snapshot of its disk before anything is cleaned up, and its firewall shut.

Both can be done again: a snapshot of the same name is gone on with, and a firewall that is shut already is left as it is. Of a data
disk Lighthouse takes no instance snapshot: `CreateInstanceSnapshot` is of the system disk alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from keyward.errors import KeywardError, Refused, Throttled, Uncertain
from keyward.incident.firewall import MOST_RULES, Rule, from_answer, same, to_request
from keyward.incident.lighthouse_api import Api, Busy, VersionMismatch
from keyward.plugin.clock import Clock

LONGEST_NAME = 60
POLL = 5.0
"""Seconds between two looks at a snapshot."""
WRITE_ATTEMPTS = 4
PAGE = 100

Tell = Callable[[str], None]
"""Is told how far something is, in a few words."""


class Taken(NamedTuple):
    """A whole snapshot. `seconds`: how long it was waited for. `created`: as the provider says it. `found`: whether it was there already."""

    id: str
    name: str
    created: str
    seconds: float
    found: bool
    operation: str = ""


class Firewall(NamedTuple):
    """The rules of a machine and their version."""

    rules: tuple[Rule, ...]
    version: int


class SnapshotFailed(KeywardError):
    """The provider says that the snapshot came to nothing."""

    exit_code = 4


def snapshot_name(case: str) -> str:
    """What the snapshot of a case is called; by its name it is found again."""
    return f"keyward-{case}"[:LONGEST_NAME]


def find_snapshot(api: Api, instance: str, name: str) -> Mapping[str, Any] | None:
    """The newest snapshot of a machine with this name; None if there is none."""
    fitting = [row for row in snapshots(api, instance) if row.get("SnapshotName") == name]
    good = [row for row in fitting if row.get("LatestOperationState") != "FAILED"]
    return max(good or fitting, key=lambda row: str(row.get("CreatedTime")), default=None)


def snapshots(api: Api, instance: str) -> list[Mapping[str, Any]]:
    """All snapshots of a machine."""
    found: list[Mapping[str, Any]] = []
    filters = [{"Name": "instance-id", "Values": [instance]}]
    while True:
        answer = api("DescribeSnapshots", Filters=filters, Offset=len(found), Limit=PAGE)
        rows = answer.get("SnapshotSet") or []
        found += rows
        if not rows or len(found) >= int(answer.get("TotalCount") or 0):
            return found


def take_snapshot(api: Api, instance: str, name: str, clock: Clock, *, wait: float, tell: Tell = lambda text: None) -> Taken:
    """A whole snapshot of this name: the one that is there, or a new one, waited for. Raises what the two parts of it raise."""
    begun = begin_snapshot(api, instance, name)
    taken = await_snapshot(api, instance, begun.id, clock, wait=wait, tell=tell)
    return taken._replace(found=begun.found)


class Begun(NamedTuple):
    """A snapshot that is there or is being made. `found`: whether it was there before."""

    id: str
    found: bool


def begin_snapshot(api: Api, instance: str, name: str) -> Begun:
    """Begins a snapshot, unless one of this name is there that has not failed. Raises QuotaFull, Busy, ProviderError."""
    row = find_snapshot(api, instance, name)
    if row is not None and row.get("LatestOperationState") != "FAILED":
        return Begun(str(row["SnapshotId"]), True)
    return Begun(_create(api, instance, name), False)


def await_snapshot(api: Api, instance: str, id: str, clock: Clock, *, wait: float, tell: Tell = lambda text: None) -> Taken:
    """Waits until it is NORMAL. Raises SnapshotFailed, ProviderError; Uncertain where it takes longer than `wait` seconds: it goes on by
    itself then."""
    started = clock.monotonic()
    while True:
        rows = api("DescribeSnapshots", SnapshotIds=[id], Limit=1).get("SnapshotSet") or []
        if rows:
            row = rows[0]
            if row.get("LatestOperationState") == "FAILED":
                hint = "Run it again: another one is made. If it fails again, ask Tencent Cloud's support before you clean up."
                raise SnapshotFailed(f"snapshot {id} of {instance} failed", hint=hint)
            if row.get("SnapshotState") == "NORMAL" and row.get("LatestOperationState") in ("SUCCESS", "", None):
                operation = str(row.get("LatestOperationRequestId") or "")
                name, created = str(row.get("SnapshotName") or ""), str(row.get("CreatedTime") or "")
                return Taken(id, name, created, clock.monotonic() - started, True, operation)
            tell(f"{row.get('SnapshotState')} {row.get('Percent') or 0} %")
        if clock.monotonic() - started >= wait:
            hint = "It goes on at Tencent Cloud; run `keyward incident contain` again to wait on."
            raise Uncertain(f"snapshot {id} of {instance} is not whole after {wait:.0f} s", hint=hint)
        clock.sleep(POLL)


def _create(api: Api, instance: str, name: str) -> str:
    """A new snapshot's id. A lost reply is no second try: it is looked for by its name first."""
    try:
        return str(api("CreateInstanceSnapshot", InstanceId=instance, SnapshotName=name)["SnapshotId"])
    except Uncertain:
        made = find_snapshot(api, instance, name)
        if made is None:
            raise
        return str(made["SnapshotId"])


def read_firewall(api: Api, instance: str) -> Firewall:
    """The whole set, page by page, of one version. Raises Refused where it is changed all the time."""
    for _ in range(WRITE_ATTEMPTS):
        rows: list[Mapping[str, Any]] = []
        versions: set[int] = set()
        while True:
            answer = api("DescribeFirewallRules", InstanceId=instance, Offset=len(rows), Limit=PAGE)
            page = answer.get("FirewallRuleSet") or []
            rows += page
            versions.add(int(answer["FirewallVersion"]))
            if not page or len(rows) >= int(answer.get("TotalCount") or 0):
                break
        if len(versions) == 1:
            return Firewall(tuple(from_answer(row) for row in rows), versions.pop())
    raise Refused(f"the firewall of {instance} changes while it is read", hint="Somebody else works on it: find out who.")


def write_firewall(
    api: Api, instance: str, wanted: tuple[Rule, ...], clock: Clock, *, only_over: tuple[Rule, ...] | None = None
) -> Firewall:
    """Makes `wanted` the whole set, by its version, and reads it back. A set that does the same already is left as it is.

    `only_over`: the only set that may be replaced by it; None for any. Raises Refused where another one stands, or where what is
    read back is not what was written.
    """
    if not 0 < len(wanted) <= MOST_RULES:
        raise Refused(f"a firewall has 1 to {MOST_RULES} rules, not {len(wanted)}")
    for attempt in range(1, WRITE_ATTEMPTS + 1):
        before = read_firewall(api, instance)
        if same(before.rules, wanted):
            return before
        if only_over is not None and not same(before.rules, only_over):
            hint = "Look at them in the console. Put the old rules back by hand, or say --anyway."
            raise Refused(f"the firewall of {instance} has other rules than the incident gave it", hint=hint)
        try:
            rules = [to_request(rule) for rule in wanted]
            api("ModifyFirewallRules", InstanceId=instance, FirewallRules=rules, FirewallVersion=before.version)
            break
        except (VersionMismatch, Busy, Throttled) as error:
            if attempt == WRITE_ATTEMPTS:
                raise
            clock.sleep(getattr(error, "retry_after", 1.0))
        except Uncertain:
            break  # reading tells what came of it
    after = read_firewall(api, instance)
    if not same(after.rules, wanted):
        raise Refused(f"the firewall of {instance} is not as it was written", hint="Run it again, or look in the console.")
    return after
