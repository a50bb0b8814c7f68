"""The base of every fake provider: a local HTTP server with state, faults on demand, and a record of every call.

A fake is written from the vendor's documentation and lists, in `RULES`, the page behind each rule that it keeps. It
authenticates like the provider, so that a wrong or dead credential is refused. Real SDKs talk to it over HTTP.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from keyward.plugin.clock import Clock, SystemClock

MOST_BODY = 4 << 20


class Request(NamedTuple):
    """What a client sent. `headers`: names in lower case. `path` without the query, percent-encoding kept."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body's value; raises ValueError."""
        return json.loads(self.body or b"null")


class Response(NamedTuple):
    """What the server answers. `body`: a value to be sent as JSON, or bytes as they are."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = {}


class Seen(NamedTuple):
    """One request that arrived, for the tests. `label`: the action's name where the path does not tell (`CreateAccessKey`);
    never a credential."""

    method: str
    path: str
    label: str
    status: int
    changed: bool


class Fault(NamedTuple):
    """What goes wrong with the next request that fits.

    `how`: `lost` (it is done, the connection is cut before the answer), `reset` (cut before it is done), `hang` (no answer until the
    server stops), or an HTTP status as text (`429`, `500`), answered instead of doing it. `method`, `path`, `label`: which requests fit (empty: any; the
    path by its beginning); `changing`: only
    requests that are meant to change something, `reading`: only others; `skip`: how many fitting requests pass before. `times`: how often.
    """

    how: str
    method: str = ""
    path: str = ""
    label: str = ""
    times: int = 1
    skip: int = 0
    changing: bool = False
    reading: bool = False


class FakeProvider:
    """A provider on a free loopback port. Use it as a context manager; `url` is its base.

    Subclasses set `RULES` and implement `handle`; they hold `self.lock` while it runs, so state needs no locks of its own.
    `latency`: seconds that each answer takes. `rate`: requests per second before 429 is answered (0: no limit).
    `propagation`: seconds before a revoked credential is refused. `clock`: for expiry, rates and propagation.
    """

    RULES: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, *, clock: Clock | None = None, latency: float = 0.0, rate: float = 0.0, propagation: float = 0.0
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.latency, self.rate, self.propagation = latency, rate, propagation
        self.lock = threading.RLock()
        self.seen: list[Seen] = []
        self.faults: list[Fault] = []
        self._allowance, self._refilled = rate, self.clock.monotonic()
        self._stop = threading.Event()
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """The base URL; only while it runs."""
        assert self._server is not None, "the fake is not running"
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Any:
        fake = self

        class Handler(_Handler):
            provider = fake

        self._server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def fail(self, fault: Fault) -> None:
        """Arranges for the next fitting request to go wrong."""
        with self.lock:
            self.faults.append(fault)

    @property
    def changes(self) -> list[Seen]:
        """The requests that changed something, in order."""
        with self.lock:
            return [each for each in self.seen if each.changed]

    def handle(self, request: Request) -> Response:
        """Answers one request. Raises nothing: what a provider refuses is a Response too."""
        raise NotImplementedError

    def label(self, request: Request) -> str:
        """The action's name, where the path does not tell."""
        return ""

    def is_change(self, request: Request, response: Response) -> bool:
        """Whether a request changed something: by default, one that is not GET or HEAD and was answered below 300."""
        return request.method not in ("GET", "HEAD") and response.status < 300

    def may_change(self, request: Request) -> bool:
        """Whether a request is meant to change something, whatever comes of it: by default, by its method."""
        return request.method not in ("GET", "HEAD")

    def throttled(self) -> Response:
        """The answer to one request too many."""
        return Response(429, {"error": "rate limited"}, {"Retry-After": "1"})

    def _answer(self, request: Request) -> tuple[Response, str]:
        """The response, and how it goes wrong (empty: it does not)."""
        label = self.label(request)
        with self.lock:
            fault = self._fault(request, label)
            if fault in ("reset", "hang"):
                return Response(), fault
            if fault.isdigit():
                response = self.throttled() if fault == "429" else Response(int(fault), {"error": "injected"})
            elif not self._within_rate():
                response = self.throttled()
            else:
                response = self.handle(request)
                changed = self.is_change(request, response)
                self.seen.append(Seen(request.method, request.path, label, response.status, changed))
                return response, fault
            self.seen.append(Seen(request.method, request.path, label, response.status, False))
            return response, ""

    def _fault(self, request: Request, label: str) -> str:
        for number, fault in enumerate(self.faults):
            fits = fault.method in ("", request.method) and request.path.startswith(fault.path)
            if (fault.changing and not self.may_change(request)) or (fault.reading and self.may_change(request)):
                continue
            if fits and fault.label in ("", label):
                if fault.skip:
                    self.faults[number] = fault._replace(skip=fault.skip - 1)
                    continue
                self.faults[number : number + 1] = [fault._replace(times=fault.times - 1)] if fault.times > 1 else []
                return fault.how
        return ""

    def _within_rate(self) -> bool:
        if not self.rate:
            return True
        now = self.clock.monotonic()
        self._allowance = min(max(1.0, self.rate), self._allowance + (now - self._refilled) * self.rate)
        self._refilled = now
        if self._allowance < 1.0:
            return False
        self._allowance -= 1.0
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    provider: FakeProvider
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged: paths may hold tokens."""

    def _serve(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), MOST_BODY)
        body = self.rfile.read(length) if length else b""
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), headers, body)
        if self.provider.latency:
            threading.Event().wait(self.provider.latency)
        response, fault = self.provider._answer(request)
        if fault == "hang":
            self.provider._stop.wait()
        if fault in ("lost", "reset", "hang"):
            # linger 0 makes the kernel send a reset: the client sees a broken connection, not an empty answer
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        self._send(response)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_LIST = _serve  # LIST: OpenBao's

    def _send(self, response: Response) -> None:
        raw = response.body
        data = raw if isinstance(raw, bytes) else b"" if raw is None else json.dumps(raw).encode()
        self.send_response(response.status)
        if not isinstance(raw, bytes) and raw is not None:
            self.send_header("Content-Type", "application/json")
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
