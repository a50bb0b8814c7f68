"""HTTP for hvac through keyward's door: a requests session whose every request passes `Ports.call`.

No redirects, no ambient proxies, no `.netrc`, certificates always checked; answers are bounded. A reading request is tried again
when the connection fails; one that changes something is sent once. What went wrong is said as StoreUnavailable, whose
`certain` tells whether the server can have seen the request.
"""

from __future__ import annotations

import io
import os
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError
from urllib3.exceptions import SSLError as TlsError

from keyward.errors import KeywardError, StoreUnavailable
from keyward.plugin.ports import CONNECT_TIMEOUT, MOST_BYTES, READ_ATTEMPTS, READ_TIMEOUT, READING, Ports, Reply
from keyward.plugin.transport import is_loopback

LONGEST_WAIT = 30.0
"""Seconds that the server may ask to wait (429) before it counts as not answering."""

_ASKING = ("/login", "/token/renew-self", "/sys/capabilities-self")
"""Ends of paths that are posted to without changing what the server keeps for anybody else."""


def new_session(ports: Ports, address: str, ca_file: str = "") -> requests.Session:
    """A session that can reach one address. `ca_file`: the operator's own authority (PEM)."""
    session = requests.Session()
    session.trust_env = False
    session.verify = ca_file or True
    session.max_redirects = 0
    session.adapters.clear()
    session.mount(address.rstrip("/") + "/", _Door(ports))
    return session


class _Door(HTTPAdapter):
    """The adapter of `new_session`; requests for any other address find none."""

    def __init__(self, ports: Ports) -> None:
        super().__init__(max_retries=0)
        self._ports = ports
        self._process = os.getpid()

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        host, tls = parts.hostname or "", parts.scheme == "https"
        self._ports.hosts.check(host, parts.port or (443 if tls else 80), tls=tls)
        method = request.method or ""
        changes = method not in READING and not _asks(parts.path)
        what = f"{method} {unquote(parts.path)}"
        attempts = 1 if changes else READ_ATTEMPTS
        for attempt in range(1, READ_ATTEMPTS + 1):
            reply: Reply | None = None
            problem: StoreUnavailable | None = None
            try:
                reply = self._ports.call(what, host, lambda: self._once(request, options, host, changes), changes=changes)
            except StoreUnavailable as error:
                problem = error
            if problem is not None:
                if attempt >= attempts:
                    raise problem
                self._ports.clock.sleep(0.5 * attempt)
            elif reply is not None:
                wait = 1.0 if reply.retry_after is None else reply.retry_after
                # nothing was done where the server answers 429, so even a change may be sent again
                if reply.status != 429 or attempt == READ_ATTEMPTS or wait > LONGEST_WAIT:
                    return _response(request, reply)
                self._ports.clock.sleep(wait)
        raise AssertionError("unreachable")

    def _once(self, request: requests.PreparedRequest, options: dict[str, Any], host: str, changes: bool) -> Reply:
        if os.getpid() != self._process:
            # a forked child must not speak on its parent's connections
            self._process = os.getpid()
            self.init_poolmanager(10, 10)
        certain = True
        try:
            response = super().send(request, stream=True, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT), verify=options["verify"])
            try:
                body = _bounded(response, host)
            finally:
                response.close()
            return Reply(response.status_code, {k.lower(): v for k, v in response.headers.items()}, body)
        except KeywardError:
            raise
        except (requests.RequestException, HTTPError, OSError) as error:
            # these hold the request, and so the value: only the class leaves, from outside this block
            kind, certain = type(error).__name__, not changes or _nothing_sent(error)
        hint = "Check the address, and that the server runs." if certain else "It may or may not have been written: look again."
        if certain and is_loopback(host):
            hint += " keyward's own local one is started with: keyward vault up"
        raise StoreUnavailable(f"no answer from {host}: {kind}", certain=certain, hint=hint)


def _asks(path: str) -> bool:
    return path.endswith(_ASKING) or "/login/" in path


def _nothing_sent(error: Exception) -> bool:
    """Whether the connection failed before the request went out."""
    if isinstance(error, (requests.ConnectTimeout, requests.exceptions.SSLError)):
        return True
    inner = error.args[0] if error.args else None
    reason = inner.reason if isinstance(inner, MaxRetryError) else inner
    return isinstance(reason, (NewConnectionError, TlsError))


def _bounded(response: requests.Response, host: str) -> bytes:
    body = bytearray()
    for piece in response.iter_content(1 << 16):
        body += piece
        if len(body) > MOST_BYTES:
            raise StoreUnavailable(f"the answer of {host} is longer than {MOST_BYTES >> 20} MB")
    return bytes(body)


def _response(request: requests.PreparedRequest, reply: Reply) -> requests.Response:
    """The reply as hvac wants it. A redirect is an error: its target was not chosen by the operator."""
    if 300 <= reply.status < 400:
        host = urlsplit(request.url or "").hostname
        raise StoreUnavailable(
            f"{host} answered {reply.status}, a redirect",
            certain=True,
            hint="It is not followed. Name the active server in the store's address.",
        )
    response = requests.Response()
    response.status_code = reply.status
    response.headers = CaseInsensitiveDict({k: v for k, v in reply.headers.items() if k != "content-encoding"})
    response.headers.setdefault("Content-Type", "")
    if response.headers["Content-Type"].startswith("application/json"):
        response.headers["Content-Type"] = "application/json"  # hvac compares it whole
    response.raw = io.BytesIO(reply.body)
    response.encoding = "utf-8"
    response.url = request.url or ""
    return response
