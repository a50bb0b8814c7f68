"""The only door to the outside: every request of a verifier, rotator, store or consumer goes through here.

Each `Ports` is bound to the hosts that one pack declares and those that the operator's configuration names for it. There are no
redirects and no ambient proxies or `.netrc`; TLS is always checked; an answer is cut at `MOST_BYTES`. A `Fence` sees every
call before and after it: rate limits, the audit log and the crash tests are fences.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

from keyward.errors import HostRefused, KeywardError, MissingExtra, ProviderError, Refused, Throttled, Uncertain, Unreachable
from keyward.plugin.clock import Clock, SystemClock
from keyward.plugin.transport import is_loopback

if TYPE_CHECKING:
    import ssl

    import httpx

T = TypeVar("T")

MOST_BYTES = 8 << 20
CONNECT_TIMEOUT, READ_TIMEOUT, WHOLE_TIMEOUT = 10.0, 30.0, 120.0
"""Seconds: to connect, between two pieces of an answer, and for a whole answer."""

PLAIN = ("", "identity", "gzip", "deflate")
"""How an answer may be encoded: what these can grow to between two looks at its size is bounded."""

READING = ("GET", "HEAD", "OPTIONS", "LIST")
READ_ATTEMPTS = 3


class Timeouts(NamedTuple):
    """Seconds that a client waits: `connect`, to connect; `read`, between two pieces of an answer."""

    connect: float = CONNECT_TIMEOUT
    read: float = READ_TIMEOUT


PATIENT = Timeouts()


class Call(NamedTuple):
    """One effect outside this process. `what`: `POST /v1/keys`, `iam:CreateAccessKey`, `ALTER ROLE`; never a value.
    `changes`: whether it may change something there."""

    what: str
    host: str
    changes: bool


class Fence(Protocol):
    """Sees every call. `before` may wait (a rate limit) or raise, and then nothing is sent. `after` gets what came: `ok`, an
    HTTP status, or the name of the exception's class."""

    def before(self, call: Call) -> None: ...

    def after(self, call: Call, outcome: str) -> None: ...


class Reply(NamedTuple):
    """What an HTTP provider answered. `headers`: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body's value. Raises Uncertain for a body that is not JSON: the answer means nothing."""
        try:
            return json.loads(self.body or b"null")
        except (ValueError, RecursionError):
            raise Uncertain(f"the answer (status {self.status}) is not JSON") from None

    def object(self) -> dict[str, Any]:
        """The body, which must be a JSON object. Raises Uncertain."""
        value = self.json()
        if not isinstance(value, dict):
            raise Uncertain(f"the answer (status {self.status}) is not a JSON object")
        return value

    @property
    def digest(self) -> str:
        """SHA-256 of the body, for evidence, in hex, shortened."""
        return hashlib.sha256(self.body).hexdigest()[:16]

    @property
    def retry_after(self) -> float | None:
        """Seconds that the provider asks to wait, if it says so in seconds."""
        try:
            return max(0.0, float(self.headers.get("retry-after", "")))
        except ValueError:
            return None


class Hosts(NamedTuple):
    """Where a pack may go. `public`: host names of its provider, `*.name` for all below it; reached by https on port 443.
    `configured`: (host, port) that the operator's configuration names; only there are plain http on loopback, other ports and
    private addresses allowed."""

    public: tuple[str, ...] = ()
    configured: frozenset[tuple[str, int]] = frozenset()

    def with_url(self, url: str) -> Hosts:
        """Also the host of a URL that the operator configured; the same for an empty one."""
        if not url:
            return self
        parts = urlsplit(url)
        port = parts.port or (80 if parts.scheme == "http" else 443)
        return self.with_address(parts.hostname or "", port)

    def with_address(self, host: str, port: int) -> Hosts:
        """Also an address that the operator configured."""
        return self._replace(configured=self.configured | {(host.lower(), port)})

    def check(self, host: str, port: int, *, tls: bool) -> None:
        """Raises HostRefused for an address that is not allowed."""
        host = host.lower()
        if (host, port) in self.configured:
            if tls or is_loopback(host):
                return
            raise HostRefused(f"{host}:{port} is asked for without TLS", hint="Use https, or a loopback address.")
        known = any(host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in self.public)
        if known and tls and port == 443:
            return
        raise HostRefused(
            f"{host}:{port} is not a host of this provider",
            hint="If it is yours, name it in the operator's configuration (target.base_url or target.host).",
        )


class Ports:
    """The door of one pack. Use it as a context manager, or call `close`.

    `client`: makes the httpx client; passed in where a test or a pool of connections wants its own. `tls`: a context with the
    operator's own authority. `timeouts`: for the HTTP client that is made here, and for those of SDKs, which are built to ask for them.
    """

    def __init__(
        self,
        hosts: Hosts,
        *,
        clock: Clock | None = None,
        fences: tuple[Fence, ...] = (),
        client: Callable[[ssl.SSLContext | None], httpx.Client] | None = None,
        tls: ssl.SSLContext | None = None,
        timeouts: Timeouts = PATIENT,
    ) -> None:
        self.hosts = hosts
        self.timeouts = timeouts
        self.clock: Clock = clock or SystemClock()
        self.fences = fences
        self._make = client or functools.partial(new_client, timeouts=timeouts)
        self._tls = tls
        self._client: httpx.Client | None = None

    def __enter__(self) -> Ports:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def http(self, base_url: str, headers: Mapping[str, str] | None = None) -> Http:
        """Requests below one base URL, each with these headers. Raises HostRefused."""
        parts = urlsplit(base_url)
        odd = parts.query or parts.fragment or "@" in parts.netloc or "\\" in parts.netloc
        if parts.scheme not in ("http", "https") or not parts.hostname or odd:
            raise HostRefused("the base URL is not an http(s) URL without user name, query and fragment")
        tls = parts.scheme == "https"
        self.hosts.check(parts.hostname, parts.port or (443 if tls else 80), tls=tls)
        if self._client is None:
            self._client = self._make(self._tls)
            hush_httpx()
        return Http(self, self._client, base_url.rstrip("/"), parts.hostname, dict(headers or {}))

    def tcp(self, host: str, port: int) -> tuple[str, int]:
        """The address, if a driver may connect to it: only addresses that the operator configured. Raises HostRefused."""
        if (host.lower(), port) not in self.hosts.configured:
            raise HostRefused(
                f"{host}:{port} is not named by the operator's configuration", hint="Set target.host and target.port."
            )
        return host, port

    def sdk(self, url: str, build: Callable[[], T]) -> T:
        """What a factory of an SDK makes, if the SDK's endpoint is allowed. Each of its calls goes through `call`."""
        parts = urlsplit(url)
        tls = parts.scheme != "http"
        self.hosts.check(parts.hostname or "", parts.port or (443 if tls else 80), tls=tls)
        try:
            return build()
        except ImportError as error:
            raise MissingExtra(str(error.name or "a library"), "all") from None

    def call(self, what: str, host: str, action: Callable[[], T], *, changes: bool) -> T:
        """Does one effect under the eyes of the fences. Whatever `action` raises comes through unchanged."""
        seen = Call(what, host, changes)
        outcome = "not sent"
        # every fence that let it in sees it out, even if another one raises then: one may be holding a lock
        with contextlib.ExitStack() as entered:
            try:
                for fence in self.fences:
                    fence.before(seen)
                    entered.callback(lambda fence=fence: fence.after(seen, outcome))  # type: ignore[misc]
                result = action()
                outcome = str(result.status) if isinstance(result, Reply) else "ok"
                return result
            except BaseException as error:
                outcome = type(error).__name__
                raise


def hush_httpx() -> None:
    """httpx logs whole addresses, and some APIs want the secret in theirs: only its warnings stay, whoever made the client."""
    import logging

    logging.getLogger("httpx").setLevel(logging.WARNING)


def new_client(tls: ssl.SSLContext | None, timeouts: Timeouts = PATIENT) -> httpx.Client:
    """An httpx client without redirects, ambient proxies, `.netrc` or cookies of its own."""
    from http.cookiejar import CookieJar, DefaultCookiePolicy

    try:
        with _without_its_command_line("httpx._main"):
            import httpx
    except ImportError:
        raise MissingExtra("httpx", "all") from None
    hush_httpx()
    timeout = httpx.Timeout(timeouts.read, connect=timeouts.connect)
    return httpx.Client(
        verify=tls or _system_tls(),
        trust_env=False,
        follow_redirects=False,
        timeout=timeout,
        headers={"accept-encoding": "identity"},
        # a cookie that came with one credential would vouch for the next, a dead one
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    )


@contextlib.contextmanager
def _without_its_command_line(module: str) -> Iterator[None]:
    """`import httpx` tries its own command `httpx` too, which brings click, rich and pygments: 110 of its 140 ms. It does without."""
    modules: dict[str, Any] = sys.modules  # None: what cannot be imported
    modules.setdefault(module, None)
    try:
        yield
    finally:
        if modules.get(module, module) is None:
            modules.pop(module, None)


@functools.cache
def _system_tls() -> ssl.SSLContext:
    """One context for the process: loading the authorities takes 30 ms."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


class Http:
    """Requests below one base URL."""

    def __init__(self, ports: Ports, client: httpx.Client, base_url: str, host: str, headers: Mapping[str, str]) -> None:
        self._ports, self._client, self._base, self._host, self._headers = ports, client, base_url, host, headers

    @property
    def host(self) -> str:
        """The host's name, for evidence."""
        return self._host

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        json: object = None,
        body: bytes | None = None,
        changes: bool | None = None,
        name: str = "",
    ) -> Reply:
        """One request; `path` begins with a slash. `changes`: whether it may change something (by method, unless said).
        `name`: the path as it may be shown, where the path itself holds something secret (a bot token).

        A reading request is tried again when the connection fails or the provider is busy; a changing one is sent once.
        Raises Unreachable (nothing was sent), Throttled (429), Uncertain (no answer, or a 5xx to a changing request).
        """
        changing = method not in READING if changes is None else changes
        what = f"{method} {name or path}"
        attempts = 1 if changing else READ_ATTEMPTS
        for attempt in range(1, attempts + 1):
            try:
                reply = self._ports.call(
                    what,
                    self._host,
                    lambda: self._send(method, path, headers, query, json, body),
                    changes=changing,
                )
            except ProviderError as error:
                if attempt == attempts or isinstance(error, (HostRefused, Refused)):
                    raise
                self._ports.clock.sleep(0.5 * attempt)
                continue
            if reply.status == 429:
                wait = 1.0 if reply.retry_after is None else reply.retry_after
                if attempt == attempts or wait > READ_TIMEOUT:
                    raise Throttled(f"{self._host} answered 429 to {what}", retry_after=wait)
                self._ports.clock.sleep(wait)
            elif reply.status >= 500:
                if attempt == attempts:
                    kind = Uncertain if changing else Unreachable
                    raise kind(f"{self._host} answered {reply.status} to {what}")
                self._ports.clock.sleep(0.5 * attempt)
            else:
                return reply
        raise AssertionError("unreachable")

    def _send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None,
        query: Mapping[str, str] | None,
        json_value: object,
        body: bytes | None,
    ) -> Reply:
        import httpx

        url = self._base + path
        if (path and path[0] not in "/?") or urlsplit(url).hostname != self._host:
            raise HostRefused("the path would leave the host")
        sent = {**self._headers, **(headers or {})}
        if json_value is not None:
            body = json.dumps(json_value).encode()
            sent.setdefault("content-type", "application/json")
        deadline = self._ports.clock.monotonic() + WHOLE_TIMEOUT
        try:
            with self._client.stream(method, url, headers=sent, params=query, content=body) as response:
                if response.headers.get("content-encoding", "identity").lower() not in PLAIN:
                    raise Uncertain(f"the answer of {self._host} is packed, which it was not asked for")
                data = bytearray()
                for piece in response.iter_bytes():
                    data += piece
                    if len(data) > MOST_BYTES:
                        raise Uncertain(f"the answer of {self._host} is longer than {MOST_BYTES >> 20} MB")
                    if self._ports.clock.monotonic() > deadline:
                        raise Uncertain(f"the answer of {self._host} takes longer than {WHOLE_TIMEOUT:.0f} s")
                got = {key.lower(): value for key, value in response.headers.items()}
                return Reply(response.status_code, got, bytes(data))
        except KeywardError:
            raise
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise Unreachable(f"cannot reach {self._host}: {type(error).__name__}") from None
        except (httpx.InvalidURL, httpx.LocalProtocolError) as error:
            raise Refused(f"the request to {self._host} cannot be sent: {type(error).__name__}") from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            # the text of these errors may quote the request, and so the value: only the class is told
            raise Uncertain(f"no answer from {self._host}: {type(error).__name__}") from None
        except (UnicodeError, ValueError) as error:
            raise Refused(f"the request to {self._host} cannot be sent: {type(error).__name__}") from None
