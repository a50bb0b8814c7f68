"""A real moto server for AWS IAM and STS, with signatures and policies enforced, behind a shim for what moto leaves out.

moto (5.2) runs in a process of its own with `INITIAL_NO_AUTH_ACTION_COUNT` and `MOTO_IAM_LOAD_MANAGED_POLICIES=true`: a wrong
signature, an unknown key, a missing right, a third key are refused by moto itself. `Moto` stands in front of it, passes every
request on as it came, keeps the record of calls, arranges faults (see `keyward.testing.fakes.server`), and adds what moto does
not do and AWS does:

- a key whose status is Inactive is refused with InvalidClientTokenId (`propagation` seconds later: the change takes time);
- a new key is refused likewise for its first `settle` seconds;
- GetAccessKeyInfo knows the keys of other accounts that a test names in `foreign` (moto says its own account of all);
- SimulatePrincipalPolicy answers for users, by what moto itself makes of the policies that it holds;
- permissions boundaries of users are kept and shown (moto has them for roles alone), though not applied;
- one request too many is answered as AWS does it, by status 400 and the code Throttling.

Still missing, and not pretended: conditions of policies are ignored (a deny with `aws:TokenIssueTime` denies everything),
permissions boundaries have no effect, keys of the root user do not exist.
Loading the managed policies makes `reset` cost two seconds: tests share one server and make users of their own.
"""

from __future__ import annotations

import html
import os
import re
import sys
from collections import Counter
from collections.abc import Mapping
from typing import ClassVar, NamedTuple
from urllib.parse import parse_qs, unquote, urlencode

from keyward.plugin.clock import Clock
from keyward.testing.fakes.server import FakeProvider, Request, Response
from keyward.testing.servers.process import Daemon, ServerFailed, ServerMissing, answers, free_port, own_folder

ACCOUNT = "123456789012"
"""The account that every request belongs to."""

_VERSIONS = {"iam": "2010-05-08", "sts": "2011-06-15"}
_READING = ("Get", "List", "Simulate", "Generate")
_PROGRAM = "import sys; from moto.server import main; main(sys.argv[1:])"


class AccessKey(NamedTuple):
    """A key of an IAM user, for the tests."""

    id: str
    secret: str
    user: str


class Moto(FakeProvider):
    """Use it as a context manager; `url` is the endpoint. `admin` is a key with AdministratorAccess."""

    RULES: ClassVar[tuple[str, ...]] = (
        "an inactive key is refused: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
        "changes take time: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency",
        "Throttling, status 400: https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html",
        "the simulator: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html",
        "all else is moto: https://docs.getmoto.org/en/latest/docs/iam.html",
    )

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        latency: float = 0.0,
        rate: float = 0.0,
        propagation: float = 0.0,
        settle: float = 0.0,
    ) -> None:
        super().__init__(clock=clock, latency=latency, rate=rate, propagation=propagation)
        self.settle = settle
        self._delays = (latency, propagation, settle)
        self.foreign: dict[str, str] = {}
        self._boundaries: dict[str, str] = {}
        self._unsettled: dict[str, float] = {}
        self._refused_from: dict[str, float] = {}
        self._changes: Counter[str] = Counter()
        self._policies: dict[tuple[str, object], list[str]] = {}

    def __enter__(self) -> Moto:
        try:
            import httpx
            import moto  # noqa: F401
        except ImportError as error:
            raise ServerMissing(f"{error.name} is not installed: pip install 'moto[iam,sts,server]' httpx") from None
        self._place = own_folder()
        folder = self._place.__enter__()
        port = free_port()
        self._backend = f"http://127.0.0.1:{port}"
        self._client = httpx.Client(base_url=self._backend, trust_env=False, timeout=30.0)
        settings = {"INITIAL_NO_AUTH_ACTION_COUNT": "0", "MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "MOTO_PORT": str(port)}
        command = [sys.executable, "-c", _PROGRAM, "-H", "127.0.0.1", "-p", str(port)]
        self._daemon = Daemon(command, os.path.join(folder, "log"), environment=settings)
        try:
            self._daemon.wait_until(lambda: answers(port))
            super().__enter__()
            self.reset()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._client.close()
        self._daemon.stop()
        self._place.__exit__(None, None, None)

    def reset(self) -> None:
        """An empty account with one administrator; no faults, no record, the delays that it was made with."""
        with self.lock:
            self.faults.clear()
            self.seen.clear()
            self._boundaries.clear()
            self._unsettled.clear()
            self._refused_from.clear()
            self._changes[""] += 1
            self.latency, self.propagation, self.settle = self._delays
            self._client.post("/moto-api/reset")
            self.act("CreateUser", UserName="administrator")
            self.act("AttachUserPolicy", UserName="administrator", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
            self.admin = self.make_key("administrator")

    # What stands there, done behind the shim and without a signature

    def act(self, action: str, service: str = "iam", **arguments: str) -> str:
        """One action as AWS itself, whatever the policies say. Returns the XML. Raises ServerFailed if moto refuses."""
        with self.lock:
            self._note({"Action": action, **arguments})
            # moto lets this many requests pass without a look at their signature
            self._client.post("/moto-api/reset-auth", content=b"1")
            scope = f"AKIAEXAMPLE/20200101/us-east-1/{service}/aws4_request"
            reply = self._client.post(
                "/",
                content=urlencode({"Action": action, "Version": _VERSIONS[service], **arguments}),
                headers={
                    "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
                    "Content-Type": "application/x-www-form-urlencoded",
                },
            )
        if reply.status_code != 200:
            raise ServerFailed(f"moto refuses {action}: {reply.text[:500]}")
        return reply.text

    def make_user(self, name: str, *policies: str, path: str = "/") -> str:
        """A user with these AWS managed policies (`ReadOnlyAccess`). Returns the name."""
        self.act("CreateUser", UserName=name, Path=path)
        for policy in policies:
            self.act("AttachUserPolicy", UserName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        return name

    def make_key(self, user: str) -> AccessKey:
        """A key of a user, as the console makes it."""
        text = self.act("CreateAccessKey", UserName=user)
        return AccessKey(element(text, "AccessKeyId"), element(text, "SecretAccessKey"), user)

    def keys(self, user: str) -> dict[str, str]:
        """The user's keys: id to status."""
        text = self.act("ListAccessKeys", UserName=user)
        return {element(each, "AccessKeyId"): element(each, "Status") for each in text.split("<member>")[1:]}

    def inline_policies(self, user: str) -> dict[str, str]:
        """The user's inline policies: name to document."""
        names = re.findall(r"<member>([^<]+)</member>", self.act("ListUserPolicies", UserName=user))
        documents = (self.act("GetUserPolicy", UserName=user, PolicyName=name) for name in names)
        return {name: unquote(element(text, "PolicyDocument")) for name, text in zip(names, documents, strict=True)}

    def attached_policies(self, user: str) -> list[str]:
        """The names of the user's managed policies."""
        return re.findall(r"<PolicyName>([^<]+)<", self.act("ListAttachedUserPolicies", UserName=user))

    def changes_of(self, user: str) -> object:
        """Equal as long as nobody asked for an action that is meant to change a user, or one that names no user. Whoever has looked at the
        user since need not look again: each look costs two requests."""
        with self.lock:
            return self._changes[user], self._changes[""]

    # The shim

    def label(self, request: Request) -> str:
        return self._arguments(request).get("Action", "")

    def is_change(self, request: Request, response: Response) -> bool:
        return response.status < 300 and not self.label(request).startswith(_READING)

    def throttled(self) -> Response:
        return _error(400, "Throttling", "Rate exceeded")

    def handle(self, request: Request) -> Response:
        signed = re.search(r"Credential=([A-Z0-9]+)/", request.headers.get("authorization", ""))
        if signed and self._is_refused(signed[1]):
            return _error(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        arguments = self._arguments(request)
        self._note(arguments)
        if arguments.get("Action") == "GetAccessKeyInfo" and arguments.get("AccessKeyId") in self.foreign:
            account = self.foreign[arguments["AccessKeyId"]]
            return Response(
                200, f"<R><GetAccessKeyInfoResult><Account>{account}</Account></GetAccessKeyInfoResult></R>".encode()
            )
        headers = {k: v for k, v in request.headers.items() if k not in ("content-length", "connection", "accept-encoding")}
        reply = self._client.request(request.method, request.path, params=request.query, headers=headers, content=request.body)
        text, status = reply.text, reply.status_code
        if arguments.get("Action") == "PutUserPermissionsBoundary" and status == 500:
            # moto has let the signature and the right pass, and then finds that it lacks the action
            self._boundaries[arguments.get("UserName", "")] = arguments.get("PermissionsBoundary", "")
            return Response(200, b"<PutUserPermissionsBoundaryResponse/>")
        if arguments.get("Action") == "SimulatePrincipalPolicy" and status == 500:
            return Response(200, self._simulated(arguments).encode(), {"Content-Type": "text/xml"})  # as above
        if status == 200:
            self._observe(arguments, text)
            text = self._with_boundary(arguments, text)
        return Response(status, text.encode(), {"Content-Type": reply.headers.get("content-type", "text/xml")})

    def _simulated(self, arguments: Mapping[str, str]) -> str:
        """What a user's own policies say of each action, as the simulator puts it."""
        from moto.iam.access_control import IAMPolicy, PermissionResult

        words = {
            PermissionResult.PERMITTED: "allowed",
            PermissionResult.DENIED: "explicitDeny",
            PermissionResult.NEUTRAL: "implicitDeny",
        }
        policies = [IAMPolicy(document) for document in self._policies_of(arguments["PolicySourceArn"].rpartition("/")[2])]
        rows, number = "", 1
        while action := arguments.get(f"ActionNames.member.{number}"):
            resource = arguments.get("ResourceArns.member.1", "*")
            said = {policy.is_action_permitted(action, resource) for policy in policies}
            order = (PermissionResult.DENIED, PermissionResult.PERMITTED, PermissionResult.NEUTRAL)
            word = words[next((each for each in order if each in said), PermissionResult.NEUTRAL)]
            rows += f"<member><EvalActionName>{action}</EvalActionName><EvalDecision>{word}</EvalDecision></member>"
            number += 1
        return (
            f"<R><SimulatePrincipalPolicyResult><EvaluationResults>{rows}</EvaluationResults>"
            "<IsTruncated>false</IsTruncated></SimulatePrincipalPolicyResult></R>"
        )

    def _policies_of(self, user: str) -> list[str]:
        """The documents of a user's policies, inline and attached."""
        key = (user, self.changes_of(user))
        if key not in self._policies:
            documents = [*self.inline_policies(user).values()]
            for arn in re.findall(r"<PolicyArn>([^<]+)<", self.act("ListAttachedUserPolicies", UserName=user)):
                version = element(self.act("GetPolicy", PolicyArn=arn), "DefaultVersionId")
                document = element(self.act("GetPolicyVersion", PolicyArn=arn, VersionId=version), "Document")
                documents.append(unquote(document))
            self._policies = {key: documents}
        return self._policies[key]

    def _with_boundary(self, arguments: Mapping[str, str], text: str) -> str:
        boundary = self._boundaries.get(arguments.get("UserName", ""))
        if boundary is None or arguments.get("Action") != "GetUser":
            return text
        kind = "<PermissionsBoundaryType>Policy</PermissionsBoundaryType>"
        arn = f"<PermissionsBoundaryArn>{html.escape(boundary)}</PermissionsBoundaryArn>"
        return text.replace("</User>", f"<PermissionsBoundary>{kind}{arn}</PermissionsBoundary></User>")

    def _is_refused(self, id: str) -> bool:
        now = self.clock.now()
        return now < self._unsettled.get(id, 0.0) or now >= self._refused_from.get(id, float("inf"))

    def _observe(self, arguments: Mapping[str, str], text: str) -> None:
        action, id = arguments.get("Action"), arguments.get("AccessKeyId", "")
        if action == "CreateUser" and "PermissionsBoundary" in arguments:
            self._boundaries[arguments["UserName"]] = arguments["PermissionsBoundary"]
        if action == "CreateAccessKey":
            self._unsettled[element(text, "AccessKeyId")] = self.clock.now() + self.settle
        elif action == "DeleteAccessKey" or (action == "UpdateAccessKey" and arguments.get("Status") == "Active"):
            self._refused_from.pop(id, None)
        elif action == "UpdateAccessKey":
            self._refused_from.setdefault(id, self.clock.now() + self.propagation)

    def _note(self, arguments: Mapping[str, str]) -> None:
        if not arguments.get("Action", "").startswith(_READING):
            self._changes[arguments.get("UserName", "")] += 1

    def _arguments(self, request: Request) -> dict[str, str]:
        try:
            return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        except ValueError:
            return {}


def element(text: str, name: str) -> str:
    """The text of the first element of that name; empty if there is none."""
    found = re.search(f"<{name}>([^<]*)</{name}>", text)
    return html.unescape(found[1]) if found else ""


def _error(status: int, code: str, message: str) -> Response:
    body = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>0</RequestId></ErrorResponse>"
    return Response(status, body.encode(), {"Content-Type": "text/xml"})
