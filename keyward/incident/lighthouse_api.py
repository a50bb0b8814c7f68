"""Calls to Tencent Cloud Lighthouse through its own SDK, each under the eyes of the ports, and its errors in keyward's words.

The SDK takes proxies from the environment, follows redirects and logs answers at debug level: all three are turned off.
"""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from keyward.errors import MissingExtra, ProviderError, Refused, Throttled, Uncertain, Unreachable
from keyward.incident.settings import Machine
from keyward.model.credential import SecretParts
from keyward.plugin.ports import Hosts, Ports

PUBLIC = "https://lighthouse.tencentcloudapi.com"
HOSTS = ("*.tencentcloudapi.com",)
TIMEOUT = 30
"""Seconds to wait for an answer."""
READ_ATTEMPTS = 3

_CODE = re.compile(r"[A-Za-z]{1,60}(?:\.[A-Za-z0-9]{1,80})?")


class VersionMismatch(Refused):
    """Somebody else wrote the firewall meanwhile: nothing was written."""


class Busy(Throttled):
    """The disk or the firewall is busy with something else: nothing was done."""


class QuotaFull(Refused):
    """The account has as many snapshots as it may have."""


def hosts_for(machine: Machine) -> Hosts:
    """Where its endpoint may be."""
    return Hosts(HOSTS).with_url(machine.base_url)


class Api:
    """Lighthouse as one key sees it. Use it for one machine's region."""

    def __init__(self, machine: Machine, admin: SecretParts, ports: Ports) -> None:
        self._machine, self._admin, self._ports = machine, admin, ports
        self._client: Any = None

    def __call__(self, action: str, **arguments: object) -> Mapping[str, Any]:
        """One call; the answer's `Response`. Reading ones are tried again. Raises ProviderError."""
        changes = not action.startswith("Describe")
        attempts = 1 if changes else READ_ATTEMPTS
        for attempt in range(1, attempts + 1):
            answer = self._once(action, arguments, changes)
            if not isinstance(answer, ProviderError):
                return answer
            if attempt == attempts or isinstance(answer, Refused):
                raise answer
            self._ports.clock.sleep(0.5 * attempt)
        raise AssertionError("unreachable")

    def _once(self, action: str, arguments: Mapping[str, object], changes: bool) -> Mapping[str, Any] | ProviderError:
        """The error is returned, not raised, so that it does not carry the SDK's, which may quote a secret, as its context."""
        url = self._machine.base_url or PUBLIC
        if self._client is None:
            self._client = self._ports.sdk(url, lambda: self._build(url))
        failure: type[Exception] = _module("common.exception.tencent_cloud_sdk_exception").TencentCloudSDKException
        sent = {name: value for name, value in arguments.items() if value is not None}
        what, host = f"lighthouse:{action}", urlsplit(url).hostname or ""
        try:
            answer = self._ports.call(what, host, lambda: self._client.call_json(action, sent), changes=changes)
            response = answer["Response"]
            error = response.get("Error")
            return translate(what, str(error.get("Code")), changes) if error else dict(response)
        except failure as error:
            return translate(what, str(getattr(error, "code", "")), changes, error.__context__)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            return (Uncertain if changes else Unreachable)(f"no usable answer to {what}: {type(error).__name__}")

    def _build(self, url: str) -> Any:
        logger = logging.getLogger("tencentcloud_sdk_common")
        logger.setLevel(max(logging.WARNING, logger.level))
        parts = urlsplit(url)
        profile = _module("common.profile.client_profile").ClientProfile(
            httpProfile=_module("common.profile.http_profile").HttpProfile(
                protocol=parts.scheme, endpoint=parts.netloc, reqTimeout=TIMEOUT
            ),
            language="en-US",
            disable_region_breaker=True,
        )
        texts = {part: self._admin[part].reveal().decode() for part in self._admin}
        credential = _module("common.credential").Credential(texts["id"], texts["secret"], texts.get("session_token"))
        client = _module("lighthouse.v20200324.lighthouse_client").LighthouseClient(credential, self._machine.region, profile)
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
        raise MissingExtra("tencentcloud-sdk-python-lighthouse", "tencent") from None


def translate(what: str, code: str, changes: bool, cause: object = None) -> ProviderError:
    """The error for a code of Tencent Cloud or of its SDK. `cause`: what the SDK's network error came from."""
    if not _CODE.fullmatch(code):
        code = "an unknown error"
    if code == "ClientNetworkError":
        never_sent = type(cause).__name__ == "ConnectTimeout" or "NewConnectionError" in repr(type(_reason(cause)))
        kind = Uncertain if changes and not never_sent else Unreachable
        return kind(f"no answer from Tencent Cloud to {what}: {type(cause).__name__}")
    if code in ("ServerNetworkError", "an unknown error") or code.startswith("InternalError"):
        return (Uncertain if changes else Unreachable)(f"Tencent Cloud failed at {what}: {code}")
    if code.startswith("RequestLimitExceeded"):
        return Throttled(f"Tencent Cloud answered {code} to {what}", retry_after=1.0)
    if code == "UnsupportedOperation.FirewallVersionMismatch":
        return VersionMismatch(f"{what}: somebody else changed the firewall meanwhile", hint="Run it again: it is read anew.")
    if code.endswith("Busy"):
        return Busy(f"{what}: {code}", retry_after=5.0, hint="Something else is done with it; try again in a minute.")
    if code.startswith("LimitExceeded.Snapshot"):
        hint = "Delete a snapshot that nobody needs in the console (never the newest of this machine), or raise the quota."
        return QuotaFull(f"{what}: the account has as many snapshots as it may have", hint=hint)
    if "UnauthorizedOperation" in code:
        return Refused(f"the admin credential may not {what} ({code})", hint=f"Allow `{what}` in its CAM policy.")
    if code == "AuthFailure.SignatureExpire":
        return Refused(f"{what}: the clock is more than five minutes off", hint="Set this machine's clock.")
    if code.startswith("AuthFailure"):
        return Refused(
            f"the credential that asks is refused: {code}", hint="Check the admin credential: deleted, disabled, or mistyped?"
        )
    if code.startswith(("ResourceNotFound", "InvalidParameterValue.InstanceId")):
        return Refused(f"{what}: {code}", hint="Check `instance` and `region` below [[incident.lighthouse]].")
    return Refused(f"Tencent Cloud refused {what}: {code}")


def _reason(cause: object) -> object:
    arguments = getattr(cause, "args", ())
    return getattr(arguments[0], "reason", None) if arguments else None
