"""Real servers for the rotators' tests, one of each for the session."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from keyward.testing.servers.openbao import OpenBao
from keyward.testing.servers.process import ServerMissing


@pytest.fixture(scope="session")
def bao() -> Iterator[OpenBao]:
    """An OpenBao in dev mode, with AppRole. Tests share it, so each takes names of its own."""
    try:
        server = OpenBao()
        with server:
            server.request("POST", "sys/auth/approle", {"type": "approle"})
            yield server
    except ServerMissing as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
