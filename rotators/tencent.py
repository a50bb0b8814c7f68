"""Tencent Cloud access keys.

Possible: a second key of the same sub-user is created, the old one disabled, then deleted. One sub-user per lane, with the
lane's policy and boundary, is made by `keyward lanes provision`. Keys of the root account are replaced the same way, by a root
key. By hand: nothing.

| setting | what |
|---|---|
| `admin.id`, `admin.secret` | the key of a sub-user that administers others, or of root; `admin.session_token` for temporary ones |
| `scope.user` | name of the lane's sub-user; default `keyward-<lane>` |
| `scope.root` | `true`: the root account's own keys. The admin credential must be a root key, and not the one that is replaced |
| `scope.policy` | for provision: the policy's document (text, or a table), attached to the sub-user as `keyward-<lane>` |
| `scope.boundary` | for provision: name of a policy that becomes the sub-user's permissions boundary |
| `scope.site` | `international`: keys have no description there, so they carry no mark |
| `target.base_url` | another root domain (`https://intl.tencentcloudapi.com`), or one endpoint for all |
| `target.options.region` | for STS; default `ap-guangzhou` |

Traps: two keys per user and per root account, no more. A secret is shown once. Keys have no scope and no end: what they may do is
the sub-user's policy. Tencent Cloud disables keys that were idle for 90 days. The last use is a day behind. Temporary
credentials that were made with a key outlive it, for 36 hours at most. 5 changing calls a second. A key cannot delete itself
safely: the admin credential must be another one.

References: https://cloud.tencent.com/document/api/598/82370  https://www.tencentcloud.com/document/product/598/32675
  https://www.tencentcloud.com/document/product/598/52593  https://www.tencentcloud.com/document/product/598/34228
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from keyward.errors import Refused
from keyward.model.credential import SecretParts
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.plugin.rotator import AdminNeed, Capabilities, Change, Held, Inventory, Issued, Job, Origin, Rotator, Warning

from ._tencent_cam import Api, NotThere, Unknowing

ACCESS_KEY = Kind("tencent/access-key")

IDLE_DAYS = 90
"""After so many days without use Tencent Cloud disables a key by itself."""
_BEIJING = datetime.timezone(datetime.timedelta(hours=8))
_MARK = re.compile(r"keyward:[\w+=,.@:/-]*", re.ASCII)
_NOT_ALLOWED = re.compile(r"[^\w+=,.@:/-]", re.ASCII)
"""What a description may not hold."""

_KEY_ACTIONS = ("ListAccessKeys", "CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey", "GetUser")
_REVIEW_ACTIONS = ("GetSecurityLastUsed", "ListAttachedUserAllPolicies", "GetUserAppId")
_PROVISION_ACTIONS = (
    "AddUser", "ListPolicies", "GetPolicy", "CreatePolicy", "UpdatePolicy", "AttachUserPolicy",
    "GetUserPermissionBoundary", "PutUserPermissionsBoundary",
)  # fmt: skip


def _policy() -> str:
    actions = [f"cam:{name}" for name in (*_KEY_ACTIONS, *_REVIEW_ACTIONS, *_PROVISION_ACTIONS)]
    document = {"version": "2.0", "statement": [{"effect": "allow", "action": actions, "resource": ["*"]}]}
    return json.dumps(document, indent=2)


class TencentAccessKey(Rotator):
    """Access keys of sub-users and of the root account."""

    kinds = (ACCESS_KEY,)
    scope_names = ("user", "root", "policy", "boundary", "site")
    admin_options = ("session_token",)
    gives = ("id", "secret")
    title = "Tencent Cloud access keys"
    origin = Origin.MINTED
    capabilities = Capabilities(slots=2, reversible_disable=True, marks=True, settle=60.0, propagation=120.0, rate=5.0)
    admin = AdminNeed(
        ("id", "secret"),
        tuple(f"cam:{name}" for name in _KEY_ACTIONS),
        _policy(),
    )
    public_hosts = ("*.tencentcloudapi.com",)
    references = ("https://cloud.tencent.com/document/api/598/82370",)
    calls = MappingProxyType(
        {
            "QUARANTINE": ("cam:GetUser", "cam:UpdateAccessKey"),
            "RESERVE": ("cam:GetUser", "cam:ListAccessKeys"),
            "ISSUE": ("cam:GetUser", "cam:CreateAccessKey"),
            "PROVE": ("POST / sts:GetCallerIdentity",),
            "REVOKE": (
                "POST / sts:GetCallerIdentity",
                "cam:GetUser",
                "cam:UpdateAccessKey",
                "cam:ListAccessKeys",
                "cam:DeleteAccessKey",
            ),
            "CONFIRM": ("POST / sts:GetCallerIdentity",),
        }
    )

    def capabilities_for(self, entry: Entry) -> Capabilities:
        return self.capabilities._replace(marks=entry.scope.get("site") != "international")

    # What is there

    def calls_for(self, entry: Entry) -> Mapping[str, tuple[str, ...]]:
        if entry.scope.get("root") is not True:
            return self.calls
        root = {"cam:GetUser": "cam:GetUserAppId"}
        return {step: tuple(root.get(name, name) for name in names) for step, names in self.calls.items()}

    def identify(self, job: Job, parts: SecretParts) -> str:
        api = Api(job)
        inventory = self._inventory(job, api)
        if "id" in parts:
            id = parts["id"].reveal().decode()
            if inventory.get(id) is None:
                raise Refused(
                    f"{job.entry.ref}: key {id} is none of {inventory.principal}",
                    hint="Check scope.user and the account of the admin credential, or whether the key is deleted already.",
                )
            return id
        if "secret" not in parts:
            raise Refused(f"{job.entry.ref}: neither the SecretId nor the SecretKey is known")
        return self._id_of_secret(job, inventory, parts["secret"])

    def _id_of_secret(self, job: Job, inventory: Inventory, secret: Secret) -> str:
        """The id that a lone SecretKey belongs to: the one whose signature STS accepts."""
        for held in inventory.held:
            if not held.active:
                continue
            try:
                Api(job, held.id, secret.reveal().decode())("GetCallerIdentity", "sts")
            except Refused:
                continue
            return held.id
        raise Refused(
            f"{job.entry.ref}: the SecretKey fits no active key of {inventory.principal}",
            hint="Find its SecretId in the console, and add it to the credential.",
        )

    def inventory(self, job: Job) -> Inventory:
        return self._inventory(job, Api(job))

    def _inventory(self, job: Job, api: Api) -> Inventory:
        uin, name, owned = self._principal(job, api)
        return Inventory(name, self._keys(api, uin), owned)

    def _keys(self, api: Api, uin: int | None) -> tuple[Held, ...]:
        return tuple(_held(row) for row in api("ListAccessKeys", TargetUin=uin).get("AccessKeys") or [])

    def _principal(self, job: Job, api: Api) -> tuple[int | None, str, bool]:
        """`TargetUin` (None for root), how the principal is called, and whether it is the lane's alone."""
        if job.entry.scope.get("root") is True:
            mine = api("GetUserAppId")
            if mine.get("Uin") != mine.get("OwnerUin"):
                raise Refused(
                    f"{job.entry.ref}: the admin credential is no root key", hint="Only a root key can replace root's keys."
                )
            return None, f"root {mine.get('Uin')}", False
        name = _user(job)
        try:
            user = api("GetUser", Name=name)
        except NotThere:
            raise Refused(
                f"{job.entry.ref}: there is no sub-user {name}",
                hint="Set scope.user, or make it with `keyward lanes provision`.",
            ) from None
        return int(user["Uin"]), f"sub-user {name}", user.get("Remark") == _remark(job)

    # The four steps

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        api = Api(job)
        uin, _, _ = self._principal(job, api)
        description = _NOT_ALLOWED.sub("-", job.mark) or None
        if job.entry.scope.get("site") == "international":
            description = None
        try:
            made = api("CreateAccessKey", TargetUin=uin, Description=description)
        except Unknowing:
            # an endpoint without descriptions refuses before it does anything
            made = api("CreateAccessKey", TargetUin=uin)
        key = made["AccessKey"]
        id = str(key["AccessKeyId"])
        return Issued(id, {"id": Secret(id.encode()), "secret": Secret(str(key["SecretAccessKey"]).encode())})

    def disable(self, job: Job, id: str, parts: SecretParts) -> None:
        self._set(job, id, "Inactive")

    def enable(self, job: Job, id: str, parts: SecretParts) -> None:
        self._set(job, id, "Active")

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        api = self._own_api(job, id)
        uin, _, _ = self._principal(job, api)
        held = next((each for each in self._keys(api, uin) if each.id == id), None)
        try:
            # an active key may not be deleted; and of one that is not listed only the provider can tell whether it is gone
            if held is None or held.active:
                api("UpdateAccessKey", AccessKeyId=id, Status="Inactive", TargetUin=uin)
            api("DeleteAccessKey", AccessKeyId=id, TargetUin=uin)
        except NotThere:
            return

    def _set(self, job: Job, id: str, status: str) -> None:
        api = self._own_api(job, id)
        uin, _, _ = self._principal(job, api)
        try:
            api("UpdateAccessKey", AccessKeyId=id, Status=status, TargetUin=uin)
        except NotThere:
            if status == "Active":
                raise

    def _own_api(self, job: Job, id: str) -> Api:
        """The admin's calls. Raises Refused where the key to be changed is the admin's own."""
        api = Api(job)
        if api.id == id:
            raise Refused(
                f"{job.entry.ref}: the key would disable itself",
                hint="Name another key as admin: the new one of the same user, or root's.",
            )
        return api

    # What is wrong, and what must be made

    def review(self, job: Job, inventory: Inventory) -> Iterable[Warning]:
        api = Api(job)
        uin, name, _ = self._principal(job, api)
        if uin is None:
            yield Warning(
                "root", f"a key of the root account may do everything: give the lane a sub-user ({inventory.principal})"
            )
        else:
            attached = api("ListAttachedUserAllPolicies", TargetUin=uin, Rp=200, Page=1, AttachType=0).get("PolicyList") or []
            if any(row.get("PolicyName") == "AdministratorAccess" for row in attached):
                yield Warning("over-broad", f"{name} has the policy AdministratorAccess")
        yield from self._unused(job, api, inventory)

    def _unused(self, job: Job, api: Api, inventory: Inventory) -> Iterable[Warning]:
        now = job.ports.clock.now()
        active = [held for held in inventory.held if held.active]
        rows: list[Mapping[str, Any]] = []
        for start in range(0, len(active), 10):
            ids = [held.id for held in active[start : start + 10]]
            rows += api("GetSecurityLastUsed", SecretIdList=ids).get("SecretIdLastUsedRows") or []
        used = {row.get("SecretId"): _day(row.get("LastUsedDate")) for row in rows}
        for held in active:
            since = used.get(held.id) or held.created
            days = 0.0 if since is None else (now - since) / 86400 - 1  # the listing is a day behind
            if days >= IDLE_DAYS / 2:
                yield Warning(
                    "unused", f"key {held.id} has been idle for {days:.0f} days; Tencent Cloud disables it after {IDLE_DAYS}"
                )

    def provision(self, job: Job, *, apply: bool) -> Iterable[Change]:
        if job.entry.scope.get("root") is True:
            return
        api, name = Api(job), _user(job)
        uin: int | None = None
        try:
            user = api("GetUser", Name=name)
            uin = int(user["Uin"])
            if user.get("Remark") != _remark(job):
                raise Refused(
                    f"{job.entry.ref}: sub-user {name} exists, and is not marked as this lane's",
                    hint=f"Choose another scope.user, or set the sub-user's remark to `{_remark(job)}`.",
                )
        except NotThere:
            if apply:
                uin = int(api("AddUser", Name=name, ConsoleLogin=0, UseApi=0, Remark=_remark(job))["Uin"])
            yield Change(f"sub-user {name} without console login")
        else:
            yield Change(f"sub-user {name}", True)
        document = _document(job)
        if document:
            yield from self._attach(api, uin, f"keyward-{job.entry.lane}", document, apply)
        boundary = job.scope_text("boundary")
        if boundary:
            yield from self._bound(job, api, uin, boundary, apply)

    def _attach(self, api: Api, uin: int | None, name: str, document: str, apply: bool) -> Iterable[Change]:
        id = _policy_id(api, name)
        if id is None:
            if apply:
                id = int(
                    api("CreatePolicy", PolicyName=name, PolicyDocument=document, Description="made by keyward")["PolicyId"]
                )
            yield Change(f"policy {name}")
        else:
            same = _same(api("GetPolicy", PolicyId=id).get("PolicyDocument"), document)
            if apply and not same:
                api("UpdatePolicy", PolicyId=id, PolicyDocument=document)
            yield Change(f"policy {name}", same)
        rows = (
            [] if uin is None else api("ListAttachedUserAllPolicies", TargetUin=uin, Rp=200, Page=1, AttachType=1)["PolicyList"]
        )
        attached = any(row.get("PolicyName") == name for row in rows or [])
        if apply and not attached:
            api("AttachUserPolicy", PolicyId=id, AttachUin=uin)
        yield Change(f"policy {name} attached", attached)

    def _bound(self, job: Job, api: Api, uin: int | None, name: str, apply: bool) -> Iterable[Change]:
        id = _policy_id(api, name)
        if id is None:
            raise Refused(
                f"{job.entry.ref}: there is no policy {name} for the boundary", hint="Make it, or correct scope.boundary."
            )
        present = None if uin is None else api("GetUserPermissionBoundary", TargetUin=uin).get("PolicyId")
        if apply and present != id:
            api("PutUserPermissionsBoundary", TargetUin=uin, PolicyId=id)
        yield Change(f"permissions boundary {name}", present == id)


def _user(job: Job) -> str:
    return job.scope_text("user") or f"keyward-{job.entry.lane}"


def _remark(job: Job) -> str:
    """What stands on a sub-user that is one lane's alone."""
    return f"keyward lane {job.entry.lane}"


def _held(row: Mapping[str, Any]) -> Held:
    text = str(row.get("Description") or "")
    mark = _MARK.search(text)
    active = row.get("Status") == "Active"
    return Held(
        str(row["AccessKeyId"]), active, created=_moment(row.get("CreateTime")), mark=mark[0] if mark else "", name=text
    )


def _moment(text: object) -> float | None:
    """Unix seconds of `2026-11-22 10:00:00`, which is Beijing's time."""
    try:
        return datetime.datetime.strptime(str(text), "%Y-%m-%d %H:%M:%S").replace(tzinfo=_BEIJING).timestamp()
    except ValueError:
        return None


def _day(text: object) -> float | None:
    try:
        return datetime.datetime.strptime(str(text), "%Y-%m-%d").replace(tzinfo=_BEIJING).timestamp()
    except ValueError:
        return None


def _document(job: Job) -> str:
    """The lane's policy as JSON text; empty for none. Raises Refused."""
    policy = job.entry.scope.get("policy")
    if isinstance(policy, Mapping):
        return json.dumps(policy)
    return job.scope_text("policy")


def _same(held: object, wanted: str) -> bool:
    try:
        return bool(json.loads(str(held)) == json.loads(wanted))
    except ValueError:
        return False


def _policy_id(api: Api, name: str) -> int | None:
    """The id of the policy of exactly this name."""
    for page in range(1, 201):
        rows = api("ListPolicies", Keyword=name, Scope="All", Rp=200, Page=page).get("List") or []
        for row in rows:
            if row.get("PolicyName") == name:
                return int(row["PolicyId"])
        if len(rows) < 200:
            break
    return None


ROTATORS: tuple[Rotator, ...] = (TencentAccessKey(),)
