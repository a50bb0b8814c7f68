"""Tencent Cloud's CAM (2019-01-16) and STS (2018-08-13), as far as access keys, sub-users and policies go.

Every request must carry a valid TC3-HMAC-SHA256 signature, which is computed again here. The status is 200 whatever happens;
an error stands in the body. Point an SDK at it with `HttpProfile(protocol="http", endpoint=fake.endpoint)`.

Of a policy only the actions are judged (`cam:CreateAccessKey`, `cam:*`, `*`), not resources and conditions. Root may do all.
"""

from __future__ import annotations

import datetime
import fnmatch
import hashlib
import hmac
import json
import re
import secrets
import string
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from keyward.plugin.clock import Clock
from keyward.testing.fakes.server import FakeProvider, Request, Response

VERSIONS = {"cam": "2019-01-16", "sts": "2018-08-13"}
CLOCK_SKEW = 300
"""Seconds that a timestamp may be off."""
MOST_KEYS = 2
CHANGING_RATE, READING_RATE = 5.0, 20.0
"""Requests per second and action."""

_AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<date>\d{4}-\d\d-\d\d)/(?P<service>[a-z]+)/tc3_request, ?"
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_DESCRIPTION = re.compile(r"[\w+=,.@:/-]{0,1024}")
_ALNUM = string.ascii_letters + string.digits
_BEIJING = datetime.timezone(datetime.timedelta(hours=8))


class Key:
    """One access key. `refused_from`: when it stops to work, by the clock's `now`; None while it is active."""

    def __init__(self, id: str, secret: str, created: float, description: str) -> None:
        self.id, self.secret, self.created, self.description = id, secret, created, description
        self.status = "Active"
        self.refused_from: float | None = None
        self.last_used: float | None = None


class User:
    """Root (`name` is empty) or a sub-user."""

    def __init__(self, uin: int, name: str = "", remark: str = "") -> None:
        self.uin, self.name, self.remark = uin, name, remark
        self.console = False
        self.keys: dict[str, Key] = {}
        self.policies: list[int] = []
        self.boundary: int | None = None


class Policy(NamedTuple):
    """`type`: 1 made by the user, 2 preset."""

    id: int
    name: str
    document: str
    description: str = ""
    type: int = 1


class Denied(Exception):
    """An answer with an error: `code` as documented, and a message."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code)
        self.code, self.message = code, message or code


ADMINISTRATOR = 1
"""Id of the preset policy AdministratorAccess."""

_ALLOW_ALL = '{"version":"2.0","statement":[{"effect":"allow","action":["*"],"resource":["*"]}]}'


class FakeTencent(FakeProvider):
    """One account: root, its sub-users, their keys.

    `prefix`: of new key ids (`AKID`, or `IKID` as the international site says). `disable_before_delete`: whether an active key
    cannot be deleted (the console's rule). `throttle`: whether the documented rates per action are kept. `quoting`: whether
    messages of errors quote what was sent, the authorization included, as a careless provider does.
    """

    RULES: ClassVar[tuple[str, ...]] = (
        "TC3-HMAC-SHA256 over content-type;host and the body: https://cloud.tencent.com/document/api/598/33159",
        "status 200 with Response.Error: https://www.tencentcloud.com/document/api/1278/73618",
        "SecretIdNotFound (deleted or disabled), SignatureFailure, SignatureExpire (5 minutes): the same page",
        "5 requests a second for changing keys: https://tencentcloud.com/document/api/598/52594 (20 for listing: /598/37088)",
        "two keys for root and for each sub-user, OperationDenied.AccessKeyOverLimit: https://tencentcloud.com/document/api/598/52594",
        "a deleted key cannot be brought back: https://tencentcloud.com/document/api/598/52593",
        "the secret is shown once, at creation: https://cloud.tencent.com/document/product/598/40488",
        "GetSecurityLastUsed takes ten ids and is a day behind: https://cloud.tencent.com/document/api/598/58233",
        "a sub-user may not touch root's keys, OperationDenied.SubUin: tencentcloud-sdk-python-cam, errorcodes.py",
        "a key that is not the target's, OperationDenied.UinNotMatch: the same file",
        "prefix IKID at the international site: https://www.tencentcloud.com/document/product/598/32675",
        "an active key cannot be deleted: third-party pages on the console only; an option here",
    )

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        latency: float = 0.0,
        rate: float = 0.0,
        propagation: float = 0.0,
        prefix: str = "AKID",
        disable_before_delete: bool = True,
        throttle: bool = True,
        quoting: bool = False,
    ) -> None:
        super().__init__(clock=clock, latency=latency, rate=rate, propagation=propagation)
        self.prefix, self.disable_before_delete = prefix, disable_before_delete
        self.throttle, self.quoting = throttle, quoting
        self.app_id, self.root = 1300000001, User(100000000001)
        self.users: dict[int, User] = {self.root.uin: self.root}
        self.policies = {ADMINISTRATOR: Policy(ADMINISTRATOR, "AdministratorAccess", _ALLOW_ALL, type=2)}
        self._gone: list[tuple[User, Key]] = []
        self._buckets: dict[str, tuple[float, float]] = {}
        self._next = 100000000100

    @property
    def endpoint(self) -> str:
        """Host and port, for `HttpProfile(endpoint=…)`."""
        return self.url.removeprefix("http://")

    def make_key(self, user: User, description: str = "") -> Key:
        """A new key as the console makes it: the limit holds here too. Raises Denied."""
        if len(user.keys) >= MOST_KEYS:
            raise Denied("OperationDenied.AccessKeyOverLimit")
        id = self.prefix + "".join(secrets.choice(_ALNUM) for _ in range(32))
        key = Key(id, "".join(secrets.choice(_ALNUM) for _ in range(32)), self.clock.now(), description)
        user.keys[id] = key
        return key

    def make_user(self, name: str, *policies: int, remark: str = "") -> User:
        """A sub-user with these policies attached."""
        self._next += 1
        user = User(self._next, name, remark)
        user.policies.extend(policies)
        self.users[user.uin] = user
        return user

    def make_policy(self, name: str, *actions: str, effect: str = "allow") -> Policy:
        """A policy over some actions."""
        statement = {"effect": effect, "action": list(actions), "resource": ["*"]}
        return self._add_policy(name, json.dumps({"version": "2.0", "statement": [statement]}), "")

    def label(self, request: Request) -> str:
        return request.headers.get("x-tc-action", "")

    def is_change(self, request: Request, response: Response) -> bool:
        body = response.body
        failed = not isinstance(body, Mapping) or "Error" in body.get("Response", {})
        return not failed and not self.label(request).startswith(("Get", "List", "Query", "Describe"))

    def throttled(self) -> Response:
        return self._error("RequestLimitExceeded", "The request frequency exceeds the limit.")

    def handle(self, request: Request) -> Response:
        action = self.label(request)
        try:
            caller, service = self._authenticate(request)
            handler = getattr(self, f"_do_{action}", None)
            if handler is None or request.headers.get("x-tc-version") != VERSIONS[service]:
                raise Denied("InvalidAction", f"no action {action} of that version")
            if (action in ("GetCallerIdentity", "QueryApiKey")) != (service == "sts"):
                raise Denied("InvalidAction", f"no action {action} of {service}")
            if self.throttle and not self._take(action):
                return self.throttled()
            self._authorize(caller, f"{service}:{action}")
            arguments = request.json() or {}
            if not isinstance(arguments, dict):
                raise Denied("InvalidRequest", "the body is not an object")
            answer: Mapping[str, object] = handler(caller, arguments)
        except ValueError:
            return self._error("InvalidRequest", "the body is not JSON")
        except Denied as denied:
            quoted = f" {request.headers.get('authorization')} {request.body.decode()}" if self.quoting else ""
            return self._error(denied.code, denied.message + quoted)
        return Response(200, {"Response": {**answer, "RequestId": _request_id()}})

    def _error(self, code: str, message: str) -> Response:
        return Response(200, {"Response": {"Error": {"Code": code, "Message": message}, "RequestId": _request_id()}})

    # Who asks, and whether they may

    def _authenticate(self, request: Request) -> tuple[User, str]:
        match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        stamp = request.headers.get("x-tc-timestamp", "")
        if match is None or not stamp.isdigit() or match["service"] not in VERSIONS:
            raise Denied("AuthFailure.InvalidAuthorization")
        if request.method != "POST" or request.path != "/":
            raise Denied("InvalidRequest")
        user, key = self._find(match["id"])
        if abs(self.clock.now() - int(stamp)) > CLOCK_SKEW or match["date"] != _day(int(stamp)):
            raise Denied("AuthFailure.SignatureExpire")
        if not {"content-type", "host"} <= set(match["headers"].split(";")):
            raise Denied("AuthFailure.InvalidAuthorization")
        signed = signature(key.secret, match["service"], int(stamp), match["headers"].split(";"), request.headers, request.body)
        if not hmac.compare_digest(signed, match["signature"]):
            raise Denied("AuthFailure.SignatureFailure", "The provided credentials could not be validated.")
        key.last_used = self.clock.now()
        return user, match["service"]

    def _find(self, id: str) -> tuple[User, Key]:
        pairs = [(user, key) for user in self.users.values() for key in user.keys.values()] + self._gone
        for user, key in pairs:
            if key.id == id and (key.refused_from is None or self.clock.now() < key.refused_from):
                return user, key
        raise Denied("AuthFailure.SecretIdNotFound", "The SecretId is not found, please ensure that your SecretId is correct.")

    def _authorize(self, caller: User, action: str) -> None:
        if caller is self.root or action in ("sts:GetCallerIdentity", "cam:GetUserAppId"):
            return
        allowed = self._judge(caller.policies, action)
        if caller.boundary is not None:
            allowed = allowed and self._judge([caller.boundary], action)
        if not allowed:
            raise Denied("AuthFailure.UnauthorizedOperation", f"you are not authorized to perform operation ({action})")

    def _judge(self, policies: list[int], action: str) -> bool:
        effects = set()
        for id in policies:
            for statement in json.loads(self.policies[id].document)["statement"]:
                wanted = statement["action"] if isinstance(statement["action"], list) else [statement["action"]]
                if any(fnmatch.fnmatchcase(action, each.removeprefix("name/")) for each in wanted):
                    effects.add(statement["effect"])
        return "allow" in effects and "deny" not in effects

    def _take(self, action: str) -> bool:
        """Whether one more request of this action fits into its rate."""
        rate = READING_RATE if action.startswith(("Get", "List", "Query")) else CHANGING_RATE
        now = self.clock.monotonic()
        tokens, since = self._buckets.get(action, (rate, now))
        tokens = min(rate, tokens + (now - since) * rate)
        self._buckets[action] = (tokens - 1 if tokens >= 1 else tokens, now)
        return tokens >= 1

    def _target(self, caller: User, arguments: Mapping[str, Any], name: str = "TargetUin") -> User:
        uin = arguments.get(name)
        if uin is None:
            return caller
        if not isinstance(uin, int):
            raise Denied("InvalidParameter.ParamError", f"{name} is not an integer")
        user = self.users.get(uin)
        if user is None:
            raise Denied("InvalidParameter.UserNotExist")
        if user is self.root and caller is not self.root:
            raise Denied("OperationDenied.SubUin")
        return user

    # STS

    def _do_GetCallerIdentity(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        kind = "RootAccount" if caller is self.root else "SubAccount"
        uin = str(caller.uin)
        arn = f"qcs::cam::uin/{self.root.uin}:uin/{uin}"
        return {"Arn": arn, "AccountId": str(self.root.uin), "UserId": uin, "PrincipalId": uin, "Type": kind}

    def _do_QueryApiKey(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        keys = self._target(caller, arguments).keys.values()
        rows = [{"SecretId": k.id, "CreateTime": int(k.created), "Status": 2 if k.status == "Active" else 3} for k in keys]
        return {"IdKeys": rows}

    # Keys

    def _do_GetUserAppId(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        return {"Uin": str(caller.uin), "OwnerUin": str(self.root.uin), "AppId": self.app_id}

    def _do_ListAccessKeys(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        return {"AccessKeys": [self._row(key) for key in self._target(caller, arguments).keys.values()]}

    def _row(self, key: Key) -> dict[str, object]:
        created = datetime.datetime.fromtimestamp(key.created, _BEIJING).strftime("%Y-%m-%d %H:%M:%S")
        return {"AccessKeyId": key.id, "Status": key.status, "CreateTime": created, "Description": key.description or None}

    def _do_CreateAccessKey(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        user = self._target(caller, arguments)
        description = arguments.get("Description") or ""
        if not isinstance(description, str) or not _DESCRIPTION.fullmatch(description):
            raise Denied("InvalidParameter.ParamError", "Description")
        key = self.make_key(user, description)
        return {"AccessKey": {**self._row(key), "SecretAccessKey": key.secret}}

    def _key(self, caller: User, arguments: Mapping[str, Any]) -> tuple[User, Key]:
        user = self._target(caller, arguments)
        id = arguments.get("AccessKeyId")
        if id in user.keys:
            return user, user.keys[id]
        if any(id in other.keys for other in self.users.values()):
            raise Denied("OperationDenied.UinNotMatch")
        raise Denied("ResourceNotFound.SecretNotExist")

    def _do_UpdateAccessKey(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        if arguments.get("Status") not in ("Active", "Inactive"):
            raise Denied("InvalidParameter.ParamError", "Status")
        _, key = self._key(caller, arguments)
        if key.status != arguments["Status"]:
            key.status = arguments["Status"]
            key.refused_from = None if key.status == "Active" else self.clock.now() + self.propagation
        return {}

    def _do_DeleteAccessKey(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        user, key = self._key(caller, arguments)
        if key.status == "Active" and self.disable_before_delete:
            raise Denied("FailedOperation.Accesskey", "the key is active")
        if key.refused_from is None:
            key.refused_from = self.clock.now() + self.propagation
        self._gone.append((user, user.keys.pop(key.id)))
        return {}

    def _do_GetSecurityLastUsed(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        ids = arguments.get("SecretIdList")
        if not isinstance(ids, list) or not 1 <= len(ids) <= 10:
            raise Denied("InvalidParameter.ParamError", "SecretIdList")
        known = {key.id: key for user in self.users.values() for key in user.keys.values()}
        midnight = _day_start(self.clock.now())
        rows = []
        for id in ids:
            used = known[id].last_used if id in known else None
            seen = used if used is not None and used < midnight else None  # a day behind
            stamp = None if seen is None else int(seen)
            rows.append({"SecretId": id, "LastUsedDate": None if seen is None else _day(seen), "LastSecretUsedDate": stamp})
        return {"SecretIdLastUsedRows": rows}

    # Sub-users

    def _do_AddUser(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        name = arguments.get("Name")
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_.@-]{1,64}", name):
            raise Denied("InvalidParameter.UserNameIllegal")
        if any(user.name == name for user in self.users.values()):
            raise Denied("InvalidParameter.SubUserNameInUse")
        user = self.make_user(name, remark=arguments.get("Remark") or "")
        user.console = bool(arguments.get("ConsoleLogin"))
        answer: dict[str, object] = {"Uin": user.uin, "Name": name, "Uid": user.uin % 10**8, "Password": None}
        key = self.make_key(user) if arguments.get("UseApi") else None
        return {**answer, "SecretId": key and key.id, "SecretKey": key and key.secret, "PhoneNumVerifyLink": None}

    def _named(self, arguments: Mapping[str, Any]) -> User:
        for user in self.users.values():
            if user.name and user.name == arguments.get("Name"):
                return user
        raise Denied("ResourceNotFound.UserNotExist")

    def _user_row(self, user: User) -> dict[str, object]:
        row: dict[str, object] = {"Uin": user.uin, "Name": user.name, "Uid": user.uin % 10**8, "Remark": user.remark}
        return {**row, "ConsoleLogin": int(user.console), "PhoneNum": "", "CountryCode": "", "Email": ""}

    def _do_GetUser(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        return self._user_row(self._named(arguments))

    def _do_ListUsers(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        return {"Data": [self._user_row(user) for user in self.users.values() if user is not self.root]}

    def _do_UpdateUser(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        user = self._named(arguments)
        user.remark = arguments.get("Remark") or user.remark
        return {}

    def _do_DeleteUser(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        user = self._named(arguments)
        if user.keys and not arguments.get("Force"):
            raise Denied("OperationDenied.HaveKeys")
        for key in user.keys.values():
            key.refused_from = key.refused_from or self.clock.now() + self.propagation
            self._gone.append((user, key))
        del self.users[user.uin]
        return {}

    # Policies

    def _add_policy(self, name: str, document: str, description: str) -> Policy:
        self._next += 1
        policy = Policy(self._next % 10**8, name, document, description)
        self.policies[policy.id] = policy
        return policy

    def _document(self, arguments: Mapping[str, Any]) -> str:
        text = arguments.get("PolicyDocument")
        try:
            document = json.loads(text or "")
            ok = document["version"] == "2.0" and all({"effect", "action", "resource"} <= set(s) for s in document["statement"])
        except (ValueError, TypeError, KeyError):
            ok = False
        if not ok:
            raise Denied("InvalidParameter.PolicyDocumentError")
        return str(text)

    def _policy(self, arguments: Mapping[str, Any]) -> Policy:
        policy = self.policies.get(arguments.get("PolicyId", 0))
        if policy is None:
            raise Denied("ResourceNotFound.PolicyIdNotFound")
        return policy

    def _do_CreatePolicy(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        name = arguments.get("PolicyName")
        if not isinstance(name, str) or not re.fullmatch(r"[\w+=,.@-]{1,128}", name):
            raise Denied("InvalidParameter.PolicyNameError")
        if any(policy.name == name for policy in self.policies.values()):
            raise Denied("FailedOperation.PolicyNameInUse")
        return {"PolicyId": self._add_policy(name, self._document(arguments), arguments.get("Description") or "").id}

    def _do_UpdatePolicy(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        policy = self._policy(arguments)
        if policy.type != 1:
            raise Denied("FailedOperation.Unmodifiable")
        if arguments.get("PolicyDocument"):
            policy = policy._replace(document=self._document(arguments))
        self.policies[policy.id] = policy._replace(description=arguments.get("Description") or policy.description)
        return {"PolicyId": policy.id}

    def _do_GetPolicy(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        policy = self._policy(arguments)
        named = {"PolicyName": policy.name, "Description": policy.description, "Type": policy.type}
        return {**named, "PolicyDocument": policy.document, "Tags": []}

    def _do_ListPolicies(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        wanted, keyword = arguments.get("Scope") or "All", arguments.get("Keyword") or ""
        types = {"All": (1, 2), "Local": (1,), "QCS": (2,)}[wanted]
        rows = [
            {"PolicyId": p.id, "PolicyName": p.name, "Description": p.description, "Type": p.type}
            for p in self.policies.values()
            if p.type in types and keyword in p.name
        ]
        return {"TotalNum": len(rows), "List": _page(rows, arguments), "ServiceTypeList": []}

    def _do_DeletePolicy(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        for id in arguments.get("PolicyId") or []:
            self.policies.pop(id, None)
            for user in self.users.values():
                user.policies = [each for each in user.policies if each != id]
        return {}

    def _do_AttachUserPolicy(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        policy, user = self._policy(arguments), self._target(caller, arguments, "AttachUin")
        if policy.id not in user.policies:
            user.policies.append(policy.id)
        return {}

    def _do_DetachUserPolicy(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        policy, user = self._policy(arguments), self._target(caller, arguments, "DetachUin")
        user.policies = [each for each in user.policies if each != policy.id]
        return {}

    def _attached(self, user: User) -> list[dict[str, object]]:
        rows = []
        for id in user.policies:
            policy = self.policies[id]
            rows.append({"PolicyId": id, "PolicyName": policy.name, "PolicyType": "User" if policy.type == 1 else "QCS"})
        return [dict(row) for row in rows]

    def _do_ListAttachedUserPolicies(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        rows = self._attached(self._target(caller, arguments))
        return {"TotalNum": len(rows), "List": _page(rows, arguments)}

    def _do_ListAttachedUserAllPolicies(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        rows = self._attached(self._target(caller, arguments))
        renamed = [{**row, "StrategyType": 1 if row.pop("PolicyType") == "User" else 2} for row in rows]
        return {"TotalNum": len(rows), "PolicyList": _page(renamed, arguments)}

    def _do_PutUserPermissionsBoundary(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        self._target(caller, arguments).boundary = self._policy(arguments).id
        return {}

    def _do_DeleteUserPermissionsBoundary(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        self._target(caller, arguments).boundary = None
        return {}

    def _do_GetUserPermissionBoundary(self, caller: User, arguments: Mapping[str, Any]) -> Mapping[str, object]:
        boundary = self._target(caller, arguments).boundary
        if boundary is None:
            return {"PolicyId": None, "PolicyName": None}
        policy = self.policies[boundary]
        return {"PolicyId": policy.id, "PolicyName": policy.name, "PolicyDocument": policy.document}


def signature(secret: str, service: str, timestamp: int, signed: list[str], headers: Mapping[str, str], body: bytes) -> str:
    """The signature that a POST to `/` must carry. `signed`: the names of the signed headers; `headers`: all, lower case."""

    def keyed(key: bytes, text: str) -> bytes:
        return hmac.new(key, text.encode(), hashlib.sha256).digest()

    unsigned = headers.get("x-tc-content-sha256") == "UNSIGNED-PAYLOAD"
    digest = hashlib.sha256(b"UNSIGNED-PAYLOAD" if unsigned else body).hexdigest()
    lines = "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in signed)
    # the value of x-tc-action is signed in lower case, where a client signs it at all
    lines = lines.replace(
        f"x-tc-action:{headers.get('x-tc-action', '')}", f"x-tc-action:{headers.get('x-tc-action', '').lower()}"
    )
    canonical = f"POST\n/\n\n{lines}\n{';'.join(signed)}\n{digest}"
    day = _day(timestamp)
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"TC3-HMAC-SHA256\n{timestamp}\n{day}/{service}/tc3_request\n{hashed}"
    key = keyed(keyed(keyed(f"TC3{secret}".encode(), day), service), "tc3_request")
    return keyed(key, text).hex()


def _page(rows: list[dict[str, object]], arguments: Mapping[str, Any]) -> list[dict[str, object]]:
    page, size = int(arguments.get("Page") or 1), int(arguments.get("Rp") or 20)
    return rows[(page - 1) * size : page * size]


def _day(time: float) -> str:
    return datetime.datetime.fromtimestamp(time, datetime.UTC).strftime("%Y-%m-%d")


def _day_start(time: float) -> float:
    return time - (time + 8 * 3600) % 86400


def _request_id() -> str:
    return f"{secrets.token_hex(4)}-{secrets.token_hex(2)}-4{secrets.token_hex(2)[1:]}-8{secrets.token_hex(2)[1:]}-{secrets.token_hex(6)}"
