"""How long a client of the ports waits: what is passed in, and what a door that waits for a moment says of a server that keeps silent."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from keyward.errors import Uncertain
from keyward.plugin.ports import CONNECT_TIMEOUT, READ_TIMEOUT, Hosts, Ports, Timeouts, new_client


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"


def test_a_door_waits_as_long_as_it_is_told(silent: str) -> None:
    with Ports(Hosts().with_url(silent), timeouts=Timeouts(0.2, 0.2)) as ports:
        begun = time.monotonic()
        with pytest.raises(Uncertain, match="ReadTimeout"):
            ports.http(silent).request("POST", "/keys")
        assert time.monotonic() - begun < READ_TIMEOUT / 2


def test_unless_told_it_is_patient() -> None:
    with Ports(Hosts()) as ports, new_client(None) as client:
        assert tuple(ports.timeouts) == (CONNECT_TIMEOUT, READ_TIMEOUT)
        assert (client.timeout.connect, client.timeout.read) == (CONNECT_TIMEOUT, READ_TIMEOUT)
