"""A relay in front of a server on a loopback port, which loses a request or an answer when it is told to."""

from __future__ import annotations

import enum
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType

from keyward.plugin.ports import Call


class Fate(enum.Enum):
    """What becomes of a piece that a client sent. DROP: the server never sees it. LOSE: the server gets it, and the first thing
    that it answers is lost. Either ends with a reset of the client's connection."""

    PASS = "pass"
    DROP = "drop"
    LOSE = "lose"


Judge = Callable[[bytes], Fate]


def let_pass(piece: bytes) -> Fate:
    return Fate.PASS


class Relay:
    """Use it as a context manager. `judge` is asked about each piece as it comes from a client; it may be exchanged at any time."""

    def __init__(self, host: str, port: int, judge: Judge = let_pass) -> None:
        self._server, self.judge = (host, port), judge
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = "127.0.0.1", int(self._listener.getsockname()[1])

    def __enter__(self) -> Relay:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        except OSError:
            pass  # macOS knows no such state of a listener
        self._listener.close()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def fail_next(self, fate: Fate) -> None:
        """The next piece of any client meets this fate, and those after it pass."""

        def once(piece: bytes) -> Fate:
            self.judge = let_pass
            return fate

        self.judge = once

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._server)
            except OSError:
                client.close()
                continue
            threading.Thread(target=_Connection(self, client, server).carry, daemon=True).start()


class _Connection:
    """One client and the server's side of it."""

    def __init__(self, relay: Relay, client: socket.socket, server: socket.socket) -> None:
        self._relay, self._client, self._server = relay, client, server
        self._losing = threading.Event()
        for side in (client, server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def carry(self) -> None:
        """Both ways, until both sides have ended."""
        back = threading.Thread(target=self._to_client, daemon=True)
        back.start()
        self._to_server()
        back.join()
        self._client.close()
        self._server.close()

    def _to_server(self) -> None:
        try:
            while piece := self._client.recv(65536):
                fate = self._relay.judge(piece)
                if fate is Fate.DROP:
                    self._cut()
                    return
                if fate is Fate.LOSE:
                    self._losing.set()
                self._server.sendall(piece)
            self._server.shutdown(socket.SHUT_WR)
        except OSError:
            self._cut()

    def _to_client(self) -> None:
        try:
            while piece := self._server.recv(65536):
                if self._losing.is_set():
                    self._cut()
                    return
                self._client.sendall(piece)
            self._client.shutdown(socket.SHUT_WR)
        except OSError:
            self._cut()

    def _cut(self) -> None:
        """Wakes the other thread, which would keep the connection open, and leaves a reset to `close`."""
        for side, way in ((self._client, socket.SHUT_RD), (self._server, socket.SHUT_RDWR)):
            try:
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                side.shutdown(way)
            except OSError:
                pass  # it has ended already


class CallCutter:
    """A fence that arms a relay when changing call number `at` (from 0) to a host begins; the reset is what that call meets."""

    def __init__(self, relay: Relay, host: str, at: int, fate: Fate) -> None:
        self._relay, self._host, self._left, self._fate = relay, host, at, fate

    def before(self, call: Call) -> None:
        if call.changes and call.host == self._host:
            if self._left == 0:
                self._relay.fail_next(self._fate)
            self._left -= 1

    def after(self, call: Call, outcome: str) -> None:
        """Nothing: whatever was armed has happened."""
