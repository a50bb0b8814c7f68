"""AWS IAM access keys.

What is possible: a lane is an IAM user of its own below `/keyward/lane/`, with an inline policy, tags and a permissions boundary
  (`lanes provision` makes it). A new key is made beside the old one; the old one is set Inactive, which can be undone, and then
  deleted. A user has two keys at most. Where both places are taken nothing is done, and both keys are named; with
  `allow_delete_first` the old one, if it is one of the two, is deleted before the new one is made.
What is manual: keys of the root user (Console, Security credentials). Temporary keys (`ASIA…`) end by themselves; sessions of a role
  are ended at the role. A secret without its id cannot be mapped to a key.
Sessions: what was opened with GetSessionToken or GetFederationToken outlives its key for up to 36 hours. Once the key is dead the
  user gets the inline policy `keyward-sessions-<rotation>`, which denies everything to sessions opened before that moment; its Sid
  says until when it must stay, and a later rotation removes it. Sessions that were opened with the new key before that moment are
  cut too: consumers must open a new one, or set `end_sessions = false`. Sessions of roles that the key assumed are not reached.
Quarantine: Inactive. With `quarantine = "user"` the user also gets `keyward-quarantine-<rotation>`, which denies everything, as long
  as it has no other active key; it is removed before a new key is made. AWS's own AWSCompromisedKeyQuarantine policies are never
  detached: AWS asks for that itself once the case is closed.

Settings          | read from | meaning
user              | scope     | the IAM user; default `keyward-<lane>-<name>`
policy            | scope     | the inline policy: a table, JSON text, or `file:PATH`
boundary          | scope     | ARN of the permissions boundary
tags              | scope     | a table of further tags
allow_delete_first| scope     | true: see above; default false
quarantine        | scope     | `key` (default) or `user`
end_sessions      | scope     | default true
region            | target.options | any region of the partition: `cn-…` and `us-gov-…` have endpoints of their own
base_url          | target    | one endpoint for IAM and STS (a test server)
tls_ca            | target.options | file with the authority of that endpoint
id, secret, session_token | admin | an access key with the rights below

Rights: see `AdminNeed.policy`, which reaches users below /keyward/lane/ alone; add the ARN of a user elsewhere whose keys shall be
  replaced too. Whoever may write policies of those users can give them any right: tie it down by a condition on
  `iam:PermissionsBoundary`. `iam:SimulatePrincipalPolicy` is what tells in the plan that one of the others is missing; without it
  that shows when it is needed.
Traps: IAM is eventually consistent; a new key is unknown for seconds, a dead one works for some. GetCallerIdentity works under any
  deny policy: it tells that a key is active, not that it is useful.
References: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
  https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html
  https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from keyward.errors import Refused, SlotsFull
from keyward.model.credential import SecretParts
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.plugin.rotator import AdminNeed, Capabilities, Change, Held, Inventory, Issued, Job, Rotator, Warning

from . import _aws_lane as lane
from ._aws_iam import PUBLIC_HOSTS, Iam, NoSuchEntity, principal_of

SLOTS = 2

_RIGHTS = (
    "iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:DeleteAccessKey", "iam:ListAccessKeys", "iam:GetAccessKeyLastUsed",
    "iam:GetUser", "iam:CreateUser", "iam:TagUser", "iam:PutUserPermissionsBoundary", "iam:PutUserPolicy", "iam:GetUserPolicy",
    "iam:ListUserPolicies", "iam:DeleteUserPolicy", "iam:ListAttachedUserPolicies", "iam:ListGroupsForUser",
    "iam:ListAttachedGroupPolicies", "iam:GetAccountSummary", "sts:GetAccessKeyInfo",
    "iam:SimulatePrincipalPolicy",
)  # fmt: skip
_WITHOUT_RESOURCE = (
    "iam:GetAccessKeyLastUsed",
    "iam:GetAccountSummary",
    "iam:ListAttachedGroupPolicies",
    "iam:SimulatePrincipalPolicy",
    "sts:GetAccessKeyInfo",
)

_MAKES = ("iam:ListAccessKeys", "iam:GetAccessKeyLastUsed", "iam:ListUserPolicies", "iam:CreateAccessKey")
_KILLS = ("iam:ListAccessKeys", "iam:UpdateAccessKey", "iam:DeleteAccessKey")
_DENIES = ("iam:PutUserPolicy", "iam:ListUserPolicies", "iam:GetUserPolicy", "iam:DeleteUserPolicy")
"""Asked beforehand. What takes a quarantine back is the same as what ends sessions."""

_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [right for right in _RIGHTS if right not in _WITHOUT_RESOURCE],
                "Resource": f"arn:aws:iam::*:user{lane.PATH}*",
            },
            {"Effect": "Allow", "Action": list(_WITHOUT_RESOURCE), "Resource": "*"},
        ],
    },
    indent=2,
)


class AccessKeys(Rotator):
    """Access keys of IAM users."""

    kinds = (Kind("aws/access-key"),)
    scope_names = ("user", "policy", "boundary", "tags", "allow_delete_first", "quarantine", "end_sessions")
    admin_options = ("session_token",)
    gives = ("id", "secret")
    title = "AWS IAM access key"
    capabilities = Capabilities(slots=SLOTS, reversible_disable=True, settle=60.0, propagation=120.0, listing_lag=15.0)
    admin = AdminNeed(("id", "secret"), _RIGHTS, _POLICY)
    public_hosts = PUBLIC_HOSTS
    references = ("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",)
    calls = MappingProxyType(
        {
            "QUARANTINE": ("iam:ListAccessKeys", "iam:UpdateAccessKey"),
            "RESERVE": ("iam:GetUser", "iam:ListAccessKeys", "iam:GetAccessKeyLastUsed"),
            "ISSUE": ("iam:ListAccessKeys", "iam:ListUserPolicies", "iam:CreateAccessKey"),
            "PROVE": ("POST / (sts:GetCallerIdentity)",),
            "REVOKE": ("POST / (sts:GetCallerIdentity)", "iam:ListAccessKeys", "iam:UpdateAccessKey", "iam:DeleteAccessKey"),
            "CONFIRM": ("POST / (sts:GetCallerIdentity)",),
        }
    )

    def calls_for(self, entry: Entry) -> Mapping[str, tuple[str, ...]]:
        more: dict[str, tuple[str, ...]] = {}
        if entry.scope.get("end_sessions", True) is not False:
            more["REVOKE"] = ("iam:PutUserPolicy", "iam:ListUserPolicies", "iam:GetUserPolicy", "iam:DeleteUserPolicy")
        if entry.scope.get("quarantine") == "user":
            more["QUARANTINE"] = ("iam:ListUserPolicies", "iam:PutUserPolicy")
            more["ISSUE"] = ("iam:DeleteUserPolicy",)
        return {step: (*names, *more.get(step, ())) for step, names in self.calls.items()}

    def identify(self, job: Job, parts: SecretParts) -> str:
        if "id" not in parts:
            raise Refused(
                "a secret access key alone does not tell which key it is",
                hint="Find the access key id that belongs to it (it begins with AKIA), and name both.",
            )
        id = parts["id"].reveal().decode()
        if not id.startswith("AKIA"):
            raise Refused(
                f"{id} is a temporary key: it cannot be deleted and ends by itself",
                hint="End the sessions of its user or role (IAM console, Revoke sessions), and replace the key that opened them.",
            )
        if "id" in job.admin and job.admin_text("id") == id:
            raise Refused(
                f"{id} is the admin credential itself: once it is inactive it could not delete itself",
                hint="Name another key or role in `admin` of this credential.",
            )
        with Iam(job) as iam:
            if _find(iam, job, id) is not None:
                return id
            account = _account_of(iam, id)
            own = iam.call("GetCallerIdentity", changes=False, service="sts")["Account"]
        if account == own:
            raise Refused(
                f"no IAM user of account {own} has the key {id}",
                hint="It is deleted, or it is a key of the root user: check Security credentials of the root user in the console.",
            )
        raise Refused(
            f"{id} belongs to account {account or '(unknown)'}, and the admin credential to {own}",
            hint="Name an admin credential of that account in the operator's configuration.",
        )

    def inventory(self, job: Job) -> Inventory:
        name = lane.user_of(job)
        with Iam(job) as iam:
            user = lane.get_user(iam, name)
            if user is None:
                raise Refused(f"there is no IAM user {name}", hint="`keyward lanes provision` makes it.")
            held = tuple(_held(iam, row) for row in _keys(iam, name))
        return Inventory(user["Arn"], held, lane.is_owned(job, user))

    def missing_rights(self, job: Job, old: SecretParts) -> Iterable[str]:
        """By IAM's own simulator, where the admin credential may ask it."""
        name, id = lane.user_of(job), old["id"].reveal().decode() if "id" in old else ""
        with Iam(job) as iam:
            caller = principal_of(str(iam.call("GetCallerIdentity", changes=False, service="sts")["Arn"]))
            if not caller:
                return ()
            key = _find(iam, job, id) if id else None
            kills = {key.user if key is not None else name: list(_KILLS)}
            if _ends_sessions(job):
                kills.setdefault(name, []).extend(_DENIES)
            kills.setdefault(name, []).extend(_MAKES)
            lacking: list[str] = []
            for user, actions in kills.items():
                arn = (lane.get_user(iam, user) or {}).get("Arn")
                lacking += iam.denied(caller, actions, str(arn)) if arn else []
            return lacking

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        name = lane.user_of(job)
        with Iam(job) as iam:
            self._make_room(job, iam, name, old)
            lane.lift_quarantine(iam, name)
            try:
                key = iam.call("CreateAccessKey", changes=True, UserName=name)["AccessKey"]
            except SlotsFull:
                raise _full(iam, name, _keys(iam, name)) from None
        parts = {"id": Secret(key["AccessKeyId"].encode()), "secret": Secret(key["SecretAccessKey"].encode())}
        return Issued(key["AccessKeyId"], parts)

    def _make_room(self, job: Job, iam: Iam, name: str, old: SecretParts) -> None:
        """Raises SlotsFull where two keys are there, unless the operator allows that the old one goes first."""
        keys = _keys(iam, name)
        if len(keys) < SLOTS:
            return
        id = old["id"].reveal().decode() if "id" in old else ""
        if job.entry.scope.get("allow_delete_first") is not True or id not in [row["AccessKeyId"] for row in keys]:
            raise _full(iam, name, keys)
        _delete(iam, name, id)

    def disable(self, job: Job, id: str, parts: SecretParts) -> None:
        with Iam(job) as iam:
            key = _find(iam, job, id)
            if key is None:
                return
            _set_status(iam, key, "Inactive")
            if job.scope_text("quarantine", "key") == "user" and not _active(iam, key.user):
                lane.put_quarantine(iam, job, key.user)

    def enable(self, job: Job, id: str, parts: SecretParts) -> None:
        with Iam(job) as iam:
            key = _find(iam, job, id)
            if key is None:
                raise Refused(f"the access key {id} is gone and cannot be made active", hint="Make a new one: keyward rotate.")
            lane.lift_quarantine(iam, key.user)
            _set_status(iam, key, "Active")

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        with Iam(job) as iam:
            key = _find(iam, job, id)
            if key is None:
                return
            _set_status(iam, key, "Inactive")
            if key.user != lane.user_of(job) and _ends_sessions(job):
                # once the key is deleted nothing tells whose it was, so the sessions of a foreign user are ended here
                lane.deny_sessions(iam, job, key.user)
            _delete(iam, key.user, id)

    def end_sessions(self, job: Job, id: str, parts: SecretParts) -> None:
        if not _ends_sessions(job):
            return
        with Iam(job) as iam:
            try:
                lane.deny_sessions(iam, job, lane.user_of(job))
            except NoSuchEntity:
                pass  # without a user there are no sessions of it

    def review(self, job: Job, inventory: Inventory) -> Iterable[Warning]:
        with Iam(job) as iam:
            return lane.review(iam, job, inventory)

    def provision(self, job: Job, *, apply: bool) -> Iterable[Change]:
        with Iam(job) as iam:
            return lane.provision(iam, job, apply=apply)


def _ends_sessions(job: Job) -> bool:
    return job.entry.scope.get("end_sessions", True) is not False


def _keys(iam: Iam, user: str) -> list[dict[str, Any]]:
    return iam.listed("ListAccessKeys", "AccessKeyMetadata", UserName=user)


def _active(iam: Iam, user: str) -> list[str]:
    return [row["AccessKeyId"] for row in _keys(iam, user) if row["Status"] == "Active"]


class _Key(NamedTuple):
    """A key as its user's listing shows it."""

    id: str
    user: str
    status: str


def _find(iam: Iam, job: Job, id: str) -> _Key | None:
    """A key and whose it is; None where no user of the account has it. The lane's own user is asked first."""
    key = _of_user(iam, lane.user_of(job), id)
    if key is not None:
        return key
    try:
        owner = str(iam.call("GetAccessKeyLastUsed", changes=False, AccessKeyId=id).get("UserName") or "")
    except NoSuchEntity:
        return None
    # that answer may be stale, so only the listing counts
    return _of_user(iam, owner, id) if owner else None


def _of_user(iam: Iam, user: str, id: str) -> _Key | None:
    try:
        return next((_Key(id, user, row["Status"]) for row in _keys(iam, user) if row["AccessKeyId"] == id), None)
    except NoSuchEntity:
        return None


def _account_of(iam: Iam, id: str) -> str:
    return str(iam.call("GetAccessKeyInfo", changes=False, service="sts", AccessKeyId=id).get("Account") or "")


def _last_used(iam: Iam, id: str) -> float | None:
    try:
        used = iam.call("GetAccessKeyLastUsed", changes=False, AccessKeyId=id).get("AccessKeyLastUsed", {}).get("LastUsedDate")
    except NoSuchEntity:
        return None
    return None if used is None else float(used.timestamp())


def _held(iam: Iam, row: dict[str, Any]) -> Held:
    id = row["AccessKeyId"]
    return Held(id, row["Status"] == "Active", row["CreateDate"].timestamp(), _last_used(iam, id))


def _full(iam: Iam, user: str, keys: list[dict[str, Any]]) -> SlotsFull:
    """Names both keys and when they were last used, so that a person can say which one may go."""

    def shown(row: dict[str, Any]) -> str:
        used = _last_used(iam, row["AccessKeyId"])
        return f"{row['AccessKeyId']} ({row['Status']}, {'never used' if used is None else 'last used ' + lane.day(used)})"

    return SlotsFull(
        f"the IAM user {user} has two access keys, as many as AWS allows: {', '.join(shown(row) for row in keys)}",
        hint="Delete the one that nobody needs. If the key to be replaced is one of them and may stop to work before the new one "
        "is there, set scope.allow_delete_first = true.",
    )


def _set_status(iam: Iam, key: _Key, status: str) -> None:
    if key.status != status:
        iam.call("UpdateAccessKey", changes=True, UserName=key.user, AccessKeyId=key.id, Status=status)


def _delete(iam: Iam, user: str, id: str) -> None:
    try:
        iam.call("DeleteAccessKey", changes=True, UserName=user, AccessKeyId=id)
    except NoSuchEntity:
        pass


ROTATORS: tuple[Rotator, ...] = (AccessKeys(),)
