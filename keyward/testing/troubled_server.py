"""A local server in every trouble that a provider, or what stands before it, can be in; and a client that meets it wherever it goes.

It is a real server on a real socket: it resets connections, keeps silent, answers with half a body. Whatever host a verifier asks for,
its connection ends here; the host's name is kept, so that a test sees where the credential would have gone.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import httpx

PATIENCE, SHORT = 2.0, 0.02
"""Seconds that the client waits for an answer of this server, which is near; and for one that it knows will not come."""

HTML = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in to continue.</body></html>"


class Trouble(NamedTuple):
    """One kind of trouble. `status` 0: no answer at all (`silent`: the connection stays open; else it is reset)."""

    name: str
    status: int
    body: str = ""
    headers: Mapping[str, str] = {}
    silent: bool = False
    cut: bool = False


TROUBLES = (
    Trouble("silence", 0, silent=True),
    Trouble("a reset connection", 0),
    Trouble("an answer cut off", 200, '{"data":', cut=True),
    Trouble("HTML with 200", 200, HTML, {"content-type": "text/html"}),
    Trouble("HTML with 404", 404, HTML, {"content-type": "text/html"}),
    Trouble("an empty body", 200),
    Trouble("no content", 204),
    Trouble("an error inside of a 200", 200, '{"error":{"code":"internal_error","message":"internal error"}}'),
    Trouble("an error inside of a 200, as text", 200, '{"error":"internal error","message":"try again"}'),
    Trouble("a null", 200, "null"),
    Trouble("a list of nothing known", 200, '{"items_of_somebody":[1]}'),
    Trouble("too many, with a time", 429, '{"error":"slow down"}', {"retry-after": "3600"}),
    Trouble("too many, without a time", 429, HTML),
    Trouble("a server error", 500, '{"error":"internal error"}'),
    Trouble("a gateway error", 502, HTML),
    Trouble("unavailable", 503, HTML, {"retry-after": "120"}),
    Trouble("a gate's 403", 403, HTML, {"content-type": "text/html"}),
    Trouble("an empty 403", 403),
    Trouble("a gate's 403 in JSON", 403, '{"blocked":"by the web application firewall","ray":"1"}'),
    Trouble("a proxy's 401", 401, HTML, {"www-authenticate": 'Basic realm="proxy"'}),
    Trouble("a proxy's 401 in JSON", 401, '{"proxy":"sign in first"}'),
    Trouble("an empty 401", 401),
    Trouble("a proxy's 407", 407, HTML, {"proxy-authenticate": 'Basic realm="proxy"'}),
    Trouble("a gate's 400", 400, HTML),
    Trouble("a redirect to elsewhere", 302, "", {"location": "https://elsewhere.example/collect"}),
    Trouble("a lasting redirect to elsewhere", 308, "", {"location": "http://elsewhere.example/collect"}),
)


class TroubledServer:
    """Use as a context manager."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._port: int = self._socket.getsockname()[1]
        self._silent: list[socket.socket] = []

    def __enter__(self) -> TroubledServer:
        import httpx

        self._wire = httpx.HTTPTransport(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._wire.close()
        self._socket.close()
        for connection in self._silent:
            connection.close()

    def _serve(self) -> None:
        """One connection after another: a verifier asks one thing at a time."""
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with contextlib.suppress(OSError, ValueError):  # a client that goes away is what this server is for
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        head, _, body = connection.recv(1 << 16).partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        while len(body) < int(fields.get(b"content-length", b"0")):
            body += connection.recv(1 << 16)
        trouble = TROUBLES[int(fields[b"x-trouble"])]
        if trouble.silent:
            self._silent.append(connection)
            return
        if not trouble.status:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.sendall(_written(trouble))
        connection.close()

    def client(self, trouble: Trouble, hosts: list[str]) -> httpx.Client:
        """A client as ports make it, whose every connection ends here. `hosts`: gets the names of whom it meant."""
        import httpx

        inner, port, number = self._wire, self._port, str(TROUBLES.index(trouble))

        class Rerouted(httpx.BaseTransport):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                hosts.append(request.url.host)
                request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=port)
                request.headers["x-trouble"] = number
                return inner.handle_request(request)

        # as ports make theirs: no redirects, no ambient proxies
        return httpx.Client(
            transport=Rerouted(),
            timeout=httpx.Timeout(SHORT if trouble.silent else PATIENCE, connect=PATIENCE),
            follow_redirects=False,
            trust_env=False,
        )


def _written(trouble: Trouble) -> bytes:
    """The answer as it goes over the wire; one that is cut off promises more than comes."""
    body = trouble.body.encode()
    headers = {**trouble.headers, "connection": "close"}
    if trouble.status != 204:
        headers["content-length"] = str(len(body) + (50 if trouble.cut else 0))
    lines = [f"HTTP/1.1 {trouble.status} Trouble", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
