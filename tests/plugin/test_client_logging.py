"""The http client of all ports says nothing of addresses to an application that logs: some APIs want the secret in theirs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from keyward.plugin.ports import new_client


class Fine(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Fine)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_address_is_not_logged(address: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), new_client(None) as client:
        assert client.get(f"{address}/bot-canary-in-the-path/getMe").status_code == 200
    assert "canary" not in caplog.text
    with caplog.at_level(logging.INFO):
        logging.getLogger("app").info("the application's own lines %s", "stay")
    assert "stay" in caplog.text
