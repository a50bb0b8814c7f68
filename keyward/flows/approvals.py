"""`keyward approve`: an approval, recorded where rotations look for it, and in the audit log."""

from __future__ import annotations

import json
import os

from keyward.errors import ConfigError, KeywardError, Refused, UsageError
from keyward.flows.audit import open_log
from keyward.flows.workplace import Workplace
from keyward.formats.textfile import read_text
from keyward.rotate.approvals import Approval, Approvals, Decision, Override
from keyward.rotate.who import current


def approvals_of(place: Workplace) -> Approvals:
    """The approvals that hold for this configuration."""
    return Approvals(place.operator.approvers, clock=place.clock)


def approve(
    place: Workplace, digest: str, *, key: str = "", principal: str = "", dry_run: bool = False
) -> tuple[Approval, str]:
    """Approves a plan, as this user or with an SSH key. Answers with the approval, and with why the audit log has no entry of
    it (empty: it has). `dry_run`: the same, but that nothing is recorded anywhere. Raises UsageError, Refused, ConfigError."""
    if principal and not key:
        raise UsageError("--as says whose key it is, and no key is named", hint="Add --key FILE.")
    given = approvals_of(place)
    if key:
        approval = given.approve_signed(digest, os.path.expanduser(key), principal, dry_run=dry_run)
    else:
        approval = given.approve(digest, dry_run=dry_run)
    if dry_run:
        return approval, ""
    evidence = {"person": approval.person, "by": approval.by, "key": approval.key, "expires": approval.expires}
    return approval, _record(place, "approve", digest, "", evidence)


def break_glass(place: Workplace, digest: str, reason: str) -> tuple[Override, str]:
    """Lets a plan pass without approvals, and records that; as `approve` otherwise."""
    override = approvals_of(place).break_glass(digest, reason)
    return override, _record(place, "break-glass", digest, override.reason, {"person": override.person})


def decide(place: Workplace, digest: str, needed: int, starter: str) -> Decision:
    """Whether a plan may be carried out."""
    return approvals_of(place).decide(digest, needed, starter)


def full_digest(place: Workplace, digest: str) -> str:
    """The digest of a saved plan that begins so; the text itself where this user has no such plan (it may be a colleague's).

    Raises UsageError where several begin so.
    """
    folder = os.path.join(place.state, "plans")
    try:
        names = [name.removesuffix(".json") for name in os.listdir(folder) if name.endswith(".json")]
    except OSError:
        return digest
    fitting = [name for name in names if digest and name.startswith(digest)]
    if len(fitting) > 1 and digest not in fitting:
        raise UsageError(f"{len(fitting)} plans begin with {digest}", hint="Type more of it.")
    return fitting[0] if len(fitting) == 1 else digest


def plan_summary(place: Workplace, digest: str) -> list[str]:
    """What a saved plan would do, a line a credential; empty where this user has no such plan."""
    try:
        text = read_text(os.path.join(place.state, "plans", f"{digest}.json"))
        rotations = json.loads(text or "{}").get("rotations", [])
        return [f"{each['ref']} ({each['kind']}): {' > '.join(each['steps']) or each['refusal']}" for each in rotations]
    except (ConfigError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _record(place: Workplace, what: str, digest: str, detail: str, evidence: dict[str, object]) -> str:
    """The approval itself is on disk by now: where the log's key cannot be had (an approver need not have it), that is said."""
    try:
        with open_log(place) as log:
            log.append(what, detail=f"plan {digest} {detail}".strip(), evidence=[evidence])
    except KeywardError as error:
        return str(error)
    return ""


def require(place: Workplace, digest: str, needed: int, reason: str = "") -> None:
    """Raises Refused unless enough people agreed to a plan, or `reason` breaks the glass, which is recorded."""
    if reason:
        _, problem = break_glass(place, digest, reason)
        if problem:
            raise Refused(f"breaking the glass must be recorded, and cannot be: {problem}")
        return
    decision = decide(place, digest, needed, current().user)
    if not decision.allowed:
        people = ", ".join(decision.people) or "nobody"
        raise Refused(
            f"plan {digest} needs {needed} approval{'s' * (needed > 1)}, and has {len(decision.people)} ({people})",
            hint=f"Somebody else runs: keyward approve {digest}. In an emergency: --break-glass REASON",
        )
