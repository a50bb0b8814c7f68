"""A lane at AWS: an IAM user below one path, its tags, its policies, and the policies by which keyward stops it."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from keyward.errors import Refused
from keyward.plugin.rotator import Change, Inventory, Job, Warning

from ._aws_iam import NoSuchEntity

if TYPE_CHECKING:
    from ._aws_iam import Iam

PATH = "/keyward/lane/"
POLICY = "keyward-lane"
QUARANTINE, SESSIONS = "keyward-quarantine-", "keyward-sessions-"
SESSION_HOURS = 36
"""The longest life of a session of an IAM user: GetSessionToken, GetFederationToken."""

UNUSED_DAYS, OLD_DAYS = 90, 365

_TAG = "keyward-lane"
_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_AWS_QUARANTINE = "AWSCompromisedKeyQuarantine"
_BROAD = ("AdministratorAccess", "PowerUserAccess", "IAMFullAccess")
_UNTIL = re.compile(r"Until(\d{8}T\d{6}Z)")


def user_of(job: Job) -> str:
    """The name of the lane's IAM user. Raises Refused for one that IAM does not allow."""
    name = job.scope_text("user") or f"keyward-{job.entry.lane}-{job.entry.name}"
    if not _NAME.fullmatch(name):
        raise Refused(f"{name!r} is no name of an IAM user", hint="Set scope.user: 64 letters, digits and +=,.@_- at most.")
    return name


def get_user(iam: Iam, name: str) -> dict[str, Any] | None:
    """The user, or None."""
    try:
        user: dict[str, Any] = iam.call("GetUser", changes=False, UserName=name)["User"]
    except NoSuchEntity:
        return None
    return user


def _tags(user: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in user.get("Tags") or ()}


def is_owned(job: Job, user: Mapping[str, Any]) -> bool:
    """Whether the user exists for this lane alone."""
    return str(user["Path"]).startswith(PATH) and _tags(user).get(_TAG) == job.entry.ref


def day(time: float) -> str:
    """A moment as a date, UTC."""
    return datetime.datetime.fromtimestamp(time, datetime.UTC).strftime("%Y-%m-%d")


# Policies that stop things


def _named(prefix: str, job: Job) -> str:
    return prefix + re.sub(r"[^\w+=,.@-]", "-", job.mark.removeprefix("keyward:") or "manual", flags=re.ASCII)[:90]


def _put(iam: Iam, user: str, name: str, statement: Mapping[str, object]) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.call("PutUserPolicy", changes=True, UserName=user, PolicyName=name, PolicyDocument=document)


def _inline(iam: Iam, user: str) -> list[str]:
    names: list[str] = iam.listed("ListUserPolicies", "PolicyNames", UserName=user)
    return names


def put_quarantine(iam: Iam, job: Job, user: str) -> None:
    """Denies everything to a user."""
    name = _named(QUARANTINE, job)
    if name not in _inline(iam, user):
        _put(iam, user, name, {"Sid": "KeywardQuarantine", "Effect": "Deny", "Action": "*", "Resource": "*"})


def lift_quarantine(iam: Iam, user: str) -> None:
    """Removes what `put_quarantine` wrote, in whichever rotation. Whatever AWS or another person attached stays."""
    for name in _inline(iam, user):
        if name.startswith(QUARANTINE):
            _drop(iam, user, name)


def _drop(iam: Iam, user: str, name: str) -> None:
    try:
        iam.call("DeleteUserPolicy", changes=True, UserName=user, PolicyName=name)
    except NoSuchEntity:
        pass


def deny_sessions(iam: Iam, job: Job, user: str) -> None:
    """Denies everything to sessions that were opened before now; removes such policies of earlier rotations once they are past."""
    now, own = job.ports.clock.now(), _named(SESSIONS, job)
    before, until = _stamp(now, "%Y-%m-%dT%H:%M:%SZ"), _stamp(now + SESSION_HOURS * 3600, "%Y%m%dT%H%M%SZ")
    _put(
        iam,
        user,
        own,
        {
            "Sid": f"KeywardEndsSessionsUntil{until}",
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            # a long-lived key has no TokenIssueTime, and a condition on what is not there is not met: new keys are not denied
            "Condition": {"DateLessThan": {"aws:TokenIssueTime": before}},
        },
    )
    for name, past in _session_policies(iam, user, now):
        if past and name != own:
            _drop(iam, user, name)


def _session_policies(iam: Iam, user: str, now: float) -> Iterator[tuple[str, bool]]:
    """Our policies that end sessions, and whether they may go."""
    for name in _inline(iam, user):
        if name.startswith(SESSIONS):
            found = _UNTIL.search(json.dumps(_document(iam, user, name)))
            yield name, found is not None and found[1] < _stamp(now, "%Y%m%dT%H%M%SZ")


def _stamp(time: float, form: str) -> str:
    return datetime.datetime.fromtimestamp(time, datetime.UTC).strftime(form)


def _document(iam: Iam, user: str, name: str) -> Mapping[str, Any]:
    try:
        document = iam.call("GetUserPolicy", changes=False, UserName=user, PolicyName=name)["PolicyDocument"]
    except NoSuchEntity:
        return {}
    value = json.loads(document) if isinstance(document, str) else document
    return value if isinstance(value, Mapping) else {}


# What a lane needs


def wanted_policy(job: Job) -> Mapping[str, Any] | None:
    """`scope.policy`: a table, JSON text, or `file:PATH`. Raises Refused for anything else."""
    policy = job.entry.scope.get("policy")
    if policy is None or isinstance(policy, Mapping):
        return policy
    where = f"{job.entry.ref}: scope.policy"
    if not isinstance(policy, str):
        raise Refused(f"{where} must be a table, JSON text or file:PATH")
    try:
        if policy.startswith("file:"):
            with open(policy.removeprefix("file:"), encoding="utf-8") as file:
                policy = file.read()
        value = json.loads(policy)
    except (OSError, ValueError) as error:
        raise Refused(f"{where} cannot be read: {type(error).__name__}", hint="It must be a policy document in JSON.") from None
    if not isinstance(value, dict):
        raise Refused(f"{where} is not a JSON object")
    return value


def provision(iam: Iam, job: Job, *, apply: bool) -> list[Change]:
    """The user, its tags, its boundary, its inline policy, in this order. A user of another path is never changed."""
    name, policy, boundary = user_of(job), wanted_policy(job), job.scope_text("boundary")
    tags = {_TAG: job.entry.ref, **_further_tags(job)}
    user = get_user(iam, name)
    if user is not None and not str(user["Path"]).startswith(PATH):
        if policy is not None or boundary:
            raise Refused(
                f"the IAM user {name} is not one of keyward's (its path is {user['Path']}), so its policies are not changed",
                hint="Leave out scope.policy and scope.boundary to keep its own, or choose another scope.user.",
            )
        return [Change(f"IAM user {name}", done=True)]
    if user is not None and _tags(user).get(_TAG, job.entry.ref) != job.entry.ref:
        raise Refused(f"the IAM user {name} belongs to the lane entry {_tags(user)[_TAG]}", hint="Choose another scope.user.")
    changes = [Change(f"IAM user {PATH}{name}", done=user is not None)]
    if user is None and apply:
        # the boundary comes with the user, so that there is no moment without it
        more = {"PermissionsBoundary": boundary} if boundary else {}
        rows = [{"Key": key, "Value": value} for key, value in tags.items()]
        iam.call("CreateUser", changes=True, UserName=name, Path=PATH, Tags=rows, **more)
        user = get_user(iam, name)
    missing = {key: value for key, value in tags.items() if _tags(user or {}).get(key) != value}
    changes.append(Change(f"tags {', '.join(tags)}", done=not missing))
    if missing and apply:
        rows = [{"Key": key, "Value": value} for key, value in missing.items()]
        iam.call("TagUser", changes=True, UserName=name, Tags=rows)
    if boundary:
        done = ((user or {}).get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn") == boundary
        changes.append(Change(f"permissions boundary {boundary}", done=done))
        if not done and apply:
            iam.call("PutUserPermissionsBoundary", changes=True, UserName=name, PermissionsBoundary=boundary)
    if policy is not None:
        done = user is not None and _document(iam, name, POLICY) == policy
        changes.append(Change(f"inline policy {POLICY}", done=done))
        if not done and apply:
            text = json.dumps(policy)
            iam.call("PutUserPolicy", changes=True, UserName=name, PolicyName=POLICY, PolicyDocument=text)
    return changes


def _further_tags(job: Job) -> dict[str, str]:
    tags = job.entry.scope.get("tags", {})
    if not isinstance(tags, Mapping):
        raise Refused(f"{job.entry.ref}: scope.tags must be a table")
    return {str(key): str(value) for key, value in tags.items()}


# What is wrong with a lane


def review(iam: Iam, job: Job, inventory: Inventory) -> list[Warning]:
    """Root keys, broad policies, keys that are unused or old, and what AWS or keyward left attached."""
    return [*_root(iam), *_policies(iam, job, user_of(job)), *_ages(job, inventory)]


def _root(iam: Iam) -> Iterator[Warning]:
    caller = str(iam.call("GetCallerIdentity", changes=False, service="sts")["Arn"])
    if caller.endswith(":root"):
        yield Warning(
            "root", "The admin credential is a key of the root user: use an IAM user or role with the rights of a rotator."
        )
    if iam.call("GetAccountSummary", changes=False)["SummaryMap"].get("AccountAccessKeysPresent"):
        yield Warning(
            "root", "The root user has an access key: delete it in the console (Security credentials of the root user)."
        )


def _policies(iam: Iam, job: Job, name: str) -> Iterator[Warning]:
    attached = [row["PolicyName"] for row in iam.listed("ListAttachedUserPolicies", "AttachedPolicies", UserName=name)]
    for group in iam.listed("ListGroupsForUser", "Groups", UserName=name):
        rows = iam.listed("ListAttachedGroupPolicies", "AttachedPolicies", GroupName=group["GroupName"])
        attached += [row["PolicyName"] for row in rows]
    for policy in attached:
        if policy in _BROAD:
            yield Warning("over-broad", f"The IAM user {name} has the policy {policy}.")
        if policy.startswith(_AWS_QUARANTINE):
            yield Warning(
                "quarantined", f"AWS has attached {policy} to {name}, because a key of it leaked; keyward leaves it there."
            )
    for policy in _inline(iam, name):
        if policy.startswith(QUARANTINE):
            yield Warning("quarantined", f"The IAM user {name} is stopped by the inline policy {policy}.")
        elif not policy.startswith(SESSIONS) and _allows_all(_document(iam, name, policy)):
            yield Warning("over-broad", f"The inline policy {policy} of {name} allows every action on everything.")
    for policy, past in _session_policies(iam, name, job.ports.clock.now()):
        if past:
            yield Warning("sessions", f"The inline policy {policy} of {name} has done its work and may be removed.")
    boundary = job.scope_text("boundary")
    user = get_user(iam, name) or {}
    if boundary and (user.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn") != boundary:
        yield Warning("over-broad", f"The IAM user {name} lacks its permissions boundary {boundary}.")


def _allows_all(document: Mapping[str, Any]) -> bool:
    statements = document.get("Statement") or []
    for statement in statements if isinstance(statements, list) else [statements]:
        actions, resources = statement.get("Action", []), statement.get("Resource", [])
        if statement.get("Effect") == "Allow" and actions in ("*", ["*"], "*:*", ["*:*"]) and resources in ("*", ["*"]):
            return True
    return False


def _ages(job: Job, inventory: Inventory) -> Iterator[Warning]:
    now, most = job.ports.clock.now(), job.entry.rotate_every or OLD_DAYS * 86400
    for key in inventory.held:
        if not key.active:
            continue
        seen = key.last_used or key.created
        if seen is not None and now - seen > UNUSED_DAYS * 86400:
            used = "never used" if key.last_used is None else f"last used {day(key.last_used)}"
            yield Warning("unused", f"The access key {key.id} is active and {used}.")
        if key.created is not None and now - key.created > most:
            yield Warning("old", f"The access key {key.id} is from {day(key.created)}.")
