"""IAM and STS for the rotator: one botocore client, one `ports.call` for each request, and one place that reads AWS's errors.

Nothing ambient is used: no profile, no environment credentials, no instance metadata, no proxy, no configured endpoint. A
changing call is sent once.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from keyward.errors import ProviderError, Refused, SlotsFull, Throttled, Uncertain, Unreachable
from keyward.plugin.ports import READ_ATTEMPTS

if TYPE_CHECKING:
    from keyward.plugin.ports import Timeouts
    from keyward.plugin.rotator import Job

_BY_PARTITION = {
    "": {"iam": "https://iam.amazonaws.com", "sts": "https://sts.amazonaws.com"},
    "cn-": {"iam": "https://iam.cn-north-1.amazonaws.com.cn", "sts": "https://sts.cn-north-1.amazonaws.com.cn"},
    "us-gov-": {"iam": "https://iam.us-gov.amazonaws.com", "sts": "https://sts.us-gov-west-1.amazonaws.com"},
}
_SIGNED_FOR = {"": "us-east-1", "cn-": "cn-north-1", "us-gov-": "us-gov-west-1"}

PUBLIC_HOSTS = tuple(url.removeprefix("https://") for urls in _BY_PARTITION.values() for url in urls.values())

_INVALID_ADMIN = ("InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "UnrecognizedClientException")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
_BUSY = ("Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "ConcurrentModification",
         "EntityTemporarilyUnmodifiable")  # fmt: skip

_making = threading.Lock()


class NoSuchEntity(Refused):
    """What was named is not there."""


class Iam:
    """A context manager around the two clients of one job. `call` raises the errors of `keyward.errors` alone."""

    def __init__(self, job: Job) -> None:
        self._job = job
        region = job.target.options.get("region", "")
        self._partition = next((p for p in ("cn-", "us-gov-") if region.startswith(p)), "")
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Iam:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        for client in self._clients.values():
            client.close()

    def _url(self, service: str) -> str:
        return self._job.base_url(_BY_PARTITION[self._partition][service])

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            url, region = self._url(service), _SIGNED_FOR[self._partition]
            id, secret = self._job.admin_text("id"), self._job.admin_text("secret")
            token = self._job.admin_text("session_token") if "session_token" in self._job.admin else None
            self._clients[service] = self._job.ports.sdk(
                url,
                lambda: _make(
                    service,
                    url,
                    region,
                    id,
                    secret,
                    token,
                    self._job.target.options.get("tls_ca") or True,
                    self._job.ports.timeouts,
                ),
            )
        return self._clients[service]

    def call(self, action: str, *, changes: bool, service: str = "iam", **arguments: object) -> dict[str, Any]:
        """One action. A reading one is tried again when AWS is busy or cannot be reached.

        Raises NoSuchEntity, SlotsFull, Refused, Throttled, Unreachable, Uncertain.
        """
        client = self._client(service)
        from botocore import xform_name  # type: ignore[import-untyped]  # after the client: it names the extra if boto3 is missing

        method = getattr(client, xform_name(action))
        host = self._url(service).split("//", 1)[1].split(":", 1)[0].split("/", 1)[0]
        name = f"{service}:{action}"
        attempts = 1 if changes else READ_ATTEMPTS
        for attempt in range(1, attempts + 1):
            try:
                answer: dict[str, Any] = self._job.ports.call(
                    name, host, lambda: _run(method, arguments, name, changes), changes=changes
                )
                return answer
            except (Throttled, Unreachable) as error:
                if attempt == attempts:
                    raise
                self._job.ports.clock.sleep(error.retry_after if isinstance(error, Throttled) else 0.5 * attempt)
        raise AssertionError("unreachable")

    def listed(self, action: str, member: str, **arguments: Any) -> list[Any]:
        """All pages of a listing."""
        found: list[Any] = []
        more: dict[str, Any] = {}
        while True:
            answer = self.call(action, changes=False, **arguments, **more)
            found += answer[member]
            if not answer.get("IsTruncated") or not answer.get("Marker"):
                return found
            more = {"Marker": answer["Marker"]}

    def denied(self, principal: str, actions: Iterable[str], resource: str) -> list[str]:
        """Of some actions on a resource, those that a principal's policies do not allow, by IAM's simulator. One that depends on a condition
        whose value the simulator was not told is not among them. Raises as `call`."""
        rows = self.listed(
            "SimulatePrincipalPolicy",
            "EvaluationResults",
            PolicySourceArn=principal,
            ActionNames=list(dict.fromkeys(actions)),
            ResourceArns=[resource],
        )
        return [
            row["EvalActionName"]
            for row in rows
            if row["EvalDecision"] in ("explicitDeny", "implicitDeny") and not row.get("MissingContextValues")
        ]


def principal_of(caller: str) -> str:
    """The user or role behind what GetCallerIdentity says; empty for one that the simulator does not take (root, federated)."""
    _, partition, _, _, account, name = (*caller.split(":", 5), *[""] * 6)[:6]
    if name.startswith("user/"):
        return caller
    if name.startswith("assumed-role/"):
        return f"arn:{partition}:iam::{account}:role/{name.split('/')[1]}"
    return ""


@functools.cache
def _session() -> Any:
    """A session without any of the machine's own configuration. It holds no credential, only AWS's service descriptions."""
    import os

    import botocore.session  # type: ignore[import-untyped]

    nothing = {"profile": None, "config_file": os.devnull, "credentials_file": os.devnull, "ca_bundle": None}
    return botocore.session.Session(session_vars={name: (None, None, value, None) for name, value in nothing.items()})


def _make(
    service: str, url: str, region: str, id: str, secret: str, token: str | None, verify: object, timeouts: Timeouts
) -> Any:
    from botocore.config import Config  # type: ignore[import-untyped]

    config = Config(
        retries={"total_max_attempts": 1},
        connect_timeout=timeouts.connect,
        read_timeout=timeouts.read,
        proxies={},
        ignore_configured_endpoint_urls=True,
        use_fips_endpoint=False,
        use_dualstack_endpoint=False,
    )
    with _making:  # making clients from one session is not safe in threads; using them is
        return _session().create_client(
            service,
            region_name=region,
            endpoint_url=url,
            aws_access_key_id=id,
            aws_secret_access_key=secret,
            aws_session_token=token,
            verify=verify,
            config=config,
        )


def _run(method: Any, arguments: dict[str, object], name: str, changes: bool) -> dict[str, Any]:
    """The call itself, inside the fence: what it raises is translated here, so that fences see our errors too."""
    try:
        answer: dict[str, Any] = method(**arguments)
        return answer
    except Exception as error:
        raise _translated(error, name, changes) from None


def _translated(error: Exception, name: str, changes: bool) -> Exception:
    """What botocore raised, as one of our errors. Only AWS's code is passed on: its message may quote what was sent."""
    from botocore import exceptions as aws

    if isinstance(error, aws.ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return _refusal(str(error.response.get("Error", {}).get("Code", "")), status, name, changes)
    if isinstance(error, (aws.EndpointConnectionError, aws.ConnectTimeoutError, aws.ProxyConnectionError, aws.SSLError)):
        return Unreachable(f"cannot reach AWS for {name}: {type(error).__name__}")
    if isinstance(error, (aws.HTTPClientError, aws.ConnectionError)) or type(error).__name__ == "ResponseParserError":
        kind = Uncertain if changes else Unreachable
        return kind(f"no answer from AWS to {name}: {type(error).__name__}")
    if isinstance(error, aws.BotoCoreError):
        return Refused(f"{name} cannot be sent: {type(error).__name__}", hint="Check the names in `scope` and `target`.")
    return error


def _refusal(code: str, status: int, name: str, changes: bool) -> ProviderError:
    shown = code if code.replace(".", "").isalnum() and len(code) <= 60 else "an unknown code"
    if code == "NoSuchEntity":
        return NoSuchEntity(f"AWS knows no such thing: {name}")
    if code in _DENIED:
        return Refused(f"AWS refused {name} ({shown})", hint=f"Give the admin credential the right {name}.")
    if code in _INVALID_ADMIN:
        return Refused(
            f"AWS does not accept the admin credential ({shown})", hint="Check `admin` of this credential, and the clock."
        )
    if code == "LimitExceeded":
        return SlotsFull(f"AWS refused {name}: a limit is reached")
    if code in _BUSY or status == 429:
        return Throttled(f"AWS asks to wait with {name} ({shown})", retry_after=2.0)
    if status >= 500:
        kind = Uncertain if changes else Unreachable
        return kind(f"AWS answered {status} to {name}")
    return Refused(f"AWS refused {name} ({shown})")
