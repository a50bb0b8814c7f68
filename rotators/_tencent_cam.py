"""Calls to CAM and STS through Tencent Cloud's own SDK, each under the eyes of the ports, and their errors in keyward's words.

The SDK takes proxies from the environment, follows redirects and writes answers (new secrets included) to its debug log: all
three are turned off here. Its retries are off, as it does by default.
"""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from keyward.errors import MissingExtra, ProviderError, Refused, SlotsFull, Throttled, Uncertain, Unreachable
from keyward.model.credential import Target
from keyward.plugin.rotator import Job

DOMAIN = "tencentcloudapi.com"
REGION = "ap-guangzhou"
"""STS wants a region; CAM has none."""

READ_ATTEMPTS = 3

_CODE = re.compile(r"[A-Za-z]{1,40}(?:\.[A-Za-z]{1,60})?")
_READING = ("Get", "List", "Query", "Describe")


class NotThere(Refused):
    """The key, user or policy does not exist."""


class Unknowing(Refused):
    """The endpoint does not know a parameter: nothing was done."""


def endpoint(service: str, target: Target) -> str:
    """The URL of a service. `target.base_url` may name another root domain (`https://intl.tencentcloudapi.com`), or an endpoint
    for all services outside of it."""
    if not target.base_url:
        return f"https://{service}.{DOMAIN}"
    host = urlsplit(target.base_url).hostname or ""
    if host == DOMAIN or (host.endswith("." + DOMAIN) and host.split(".")[0] not in ("cam", "sts")):
        return f"https://{service}.{host}"
    if host.endswith("." + DOMAIN):
        return f"https://{service}.{host.split('.', 1)[1]}"
    return target.base_url.rstrip("/")


class Api:
    """The API as one key sees it. `id`, `secret`, `token`: that key, the admin credential of the job unless given."""

    def __init__(self, job: Job, id: str = "", secret: str = "", token: str = "") -> None:
        self._job = job
        self.id = id or job.admin_text("id")
        self._secret = secret or job.admin_text("secret")
        self._token = token if id else (job.admin_text("session_token") if "session_token" in job.admin else "")
        self._clients: dict[str, Any] = {}

    def __call__(self, action: str, service: str = "cam", **arguments: object) -> Mapping[str, Any]:
        """One call; the answer's `Response`. Reading ones are tried again where nothing is known. Raises ProviderError."""
        changes = not action.startswith(_READING)
        attempts = 1 if changes else READ_ATTEMPTS
        for attempt in range(1, attempts + 1):
            answer = self._once(service, action, arguments, changes)
            if not isinstance(answer, ProviderError):
                return answer
            if attempt == attempts or isinstance(answer, Refused):
                raise answer
            self._job.ports.clock.sleep(0.5 * attempt)
        raise AssertionError("unreachable")

    def _once(
        self, service: str, action: str, arguments: Mapping[str, object], changes: bool
    ) -> Mapping[str, Any] | ProviderError:
        """The error is returned, not raised, so that it does not carry the SDK's, which may quote a secret, as its context."""
        client, host = self._client(service)
        failure: type[Exception] = _module("common.exception.tencent_cloud_sdk_exception").TencentCloudSDKException
        sent = {name: value for name, value in arguments.items() if value is not None}
        what = f"{service}:{action}"
        try:
            answer = self._job.ports.call(what, host, lambda: client.call_json(action, sent), changes=changes)
            response = answer["Response"]
            error = response.get("Error")  # the SDK overlooks it where the content type has a charset
            return translate(what, str(error.get("Code")), changes) if error else dict(response)
        except failure as error:
            return translate(what, str(getattr(error, "code", "")), changes, error.__context__)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            # the connection broke while the answer was read, or the answer means nothing
            return (Uncertain if changes else Unreachable)(f"no usable answer to {what}: {type(error).__name__}")

    def _client(self, service: str) -> tuple[Any, str]:
        url = endpoint(service, self._job.target)
        host = urlsplit(url).hostname or ""
        if service not in self._clients:
            self._clients[service] = self._job.ports.sdk(url, lambda: self._build(service, url))
        return self._clients[service], host

    def _build(self, service: str, url: str) -> Any:
        logger = logging.getLogger("tencentcloud_sdk_common")
        logger.setLevel(max(logging.WARNING, logger.level))  # its debug log shows answers whole
        parts = urlsplit(url)
        profile = _module("common.profile.client_profile").ClientProfile(
            httpProfile=_module("common.profile.http_profile").HttpProfile(
                protocol=parts.scheme, endpoint=parts.netloc, reqTimeout=self._job.ports.timeouts.read
            ),
            language="en-US",
            disable_region_breaker=True,
        )
        credential = _module("common.credential").Credential(self.id, self._secret, self._token or None)
        if service == "sts":
            region = self._job.target.options.get("region", REGION)
            client = _module("sts.v20180813.sts_client").StsClient(credential, region, profile)
        else:
            client = _module("cam.v20190116.cam_client").CamClient(credential, "", profile)
        connection = client.request.conn
        connection.proxy = None
        session = connection._session  # no public way: an SDK without it fails here, rather than use a proxy
        session.trust_env = False
        session.max_redirects = 0
        return client


def _module(name: str) -> Any:
    """A module of the SDK, which has no types. Raises MissingExtra."""
    try:
        return importlib.import_module(f"tencentcloud.{name}")
    except ImportError:
        raise MissingExtra("tencentcloud-sdk-python-cam", "tencent") from None


def translate(what: str, code: str, changes: bool, cause: object = None) -> ProviderError:
    """The error for a code of Tencent Cloud or of its SDK. `cause`: what the SDK's network error came from."""
    if not _CODE.fullmatch(code):
        code = "an unknown error"
    if code == "ClientNetworkError":
        return _network(what, changes, cause)
    if code in ("ServerNetworkError", "an unknown error") or code.startswith("InternalError"):
        return (Uncertain if changes else Unreachable)(f"Tencent Cloud failed at {what}: {code}")
    if code.startswith("RequestLimitExceeded"):
        return Throttled(f"Tencent Cloud answered {code} to {what}", retry_after=1.0)
    if code.startswith("LimitExceeded") or code == "OperationDenied.AccessKeyOverLimit":
        return SlotsFull(f"{what}: {code}", hint="Two keys are allowed. Delete the one that nobody uses.")
    if "UnauthorizedOperation" in code:
        return Refused(f"the admin credential may not {what} ({code})", hint=f"Allow `{what}` in its CAM policy.")
    if code == "AuthFailure.SignatureExpire":
        return Refused(f"{what}: the clock is more than five minutes off", hint="Set this machine's clock.")
    if code.startswith("AuthFailure"):
        return Refused(
            f"the credential that asks is refused: {code}", hint="Check the admin credential: deleted, disabled, or mistyped?"
        )
    if code.startswith(("ResourceNotFound", "InvalidParameter.UserNotExist")):
        return NotThere(f"{what}: {code}")
    if code.startswith("UnknownParameter"):
        return Unknowing(f"{what}: {code}")
    return Refused(f"Tencent Cloud refused {what}: {code}", hint=_HINTS.get(code, ""))


_HINTS = {
    "OperationDenied.SubUin": "The root account's keys can be changed with a root key only.",
    "OperationDenied.UinNotMatch": "The key belongs to another user of the account.",
    "FailedOperation.Accesskey": "An active key must be disabled before it is deleted.",
}


def _network(what: str, changes: bool, cause: object) -> ProviderError:
    """Whether anything was sent: only a connection that was never made tells for sure."""
    name = type(cause).__name__
    arguments = getattr(cause, "args", ())
    reason = type(getattr(arguments[0], "reason", None)).__name__ if arguments else ""
    if name == "ConnectTimeout" or reason in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError"):
        return Unreachable(f"cannot reach Tencent Cloud for {what}: {reason or name}")
    if name == "SSLError" and reason == "SSLError":
        return Unreachable(f"cannot reach Tencent Cloud for {what}: the certificate is not accepted")
    return (Uncertain if changes else Unreachable)(f"no answer from Tencent Cloud to {what}: {name}")
