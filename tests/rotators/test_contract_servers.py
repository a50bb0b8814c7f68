"""The rotators of databases, SSH keys, generated values and OpenClaw keep the contract, against real servers and services.

A server that is not installed skips its own class (and fails in CI). Kills where something is only read are spread out (`stride`): a real
server costs a tenth of a second each time, and the engine's own worlds are killed at every instant.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from server_worlds import (
    CommandWorld,
    FallbackWorld,
    GatewayWorld,
    MariaDBWorld,
    PostgreSQLWorld,
    RedisWorld,
    ServerWorld,
    SSHWorld,
    behind_relay,
    commands,
    fallbacks,
    gateway,
)
from servers_support import started

from keyward.testing.rotator_contract import RotatorContract
from keyward.testing.servers.mariadb import MariaDB
from keyward.testing.servers.postgresql import PostgreSQL
from keyward.testing.servers.redis import Redis
from keyward.testing.servers.sshd import OpenSSH


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    with started(PostgreSQL()) as server:
        yield server


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariaDB]:
    with started(MariaDB()) as server:
        yield server


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with started(Redis()) as server:
        yield server


@pytest.fixture(scope="module")
def sshd() -> Iterator[OpenSSH]:
    with started(OpenSSH()) as server:
        yield server


class TestPostgreSQL(RotatorContract):
    """Two roles that take turns."""

    stride = 11

    @pytest.fixture(autouse=True)
    def _server(self, postgresql: PostgreSQL) -> None:
        self.server = postgresql

    def world(self, folder: str) -> AbstractContextManager[ServerWorld]:
        return behind_relay(self.server, PostgreSQLWorld, alternate=True)


class TestPostgreSQLInPlace(RotatorContract):
    """One role: its old password dies when the new one is set."""

    stride = 11

    @pytest.fixture(autouse=True)
    def _server(self, postgresql: PostgreSQL) -> None:
        self.server = postgresql

    def world(self, folder: str) -> AbstractContextManager[ServerWorld]:
        return behind_relay(self.server, PostgreSQLWorld, alternate=False)


class TestMariaDB(RotatorContract):
    stride = 11

    @pytest.fixture(autouse=True)
    def _server(self, mariadb: MariaDB) -> None:
        self.server = mariadb

    def world(self, folder: str) -> AbstractContextManager[ServerWorld]:
        return behind_relay(self.server, MariaDBWorld)


class TestRedis(RotatorContract):
    stride = 11

    @pytest.fixture(autouse=True)
    def _server(self, redis: Redis) -> None:
        self.server = redis

    def world(self, folder: str) -> AbstractContextManager[ServerWorld]:
        return behind_relay(self.server, RedisWorld)


class TestSSH(RotatorContract):
    stride = 29
    fault_stride = 4  # a write, a change of mode, a rename: one of each

    @pytest.fixture(autouse=True)
    def _server(self, sshd: OpenSSH) -> None:
        self.server = sshd

    def world(self, folder: str) -> AbstractContextManager[ServerWorld]:
        return behind_relay(self.server, SSHWorld)


class TestCommands(RotatorContract):
    """A generated value: one command adds it, one takes the old one away, one checks."""

    stride = 5

    def world(self, folder: str) -> AbstractContextManager[CommandWorld]:
        return commands(folder, both=True)


class TestOneCommand(RotatorContract):
    """A generated value that a command puts in the place of the old one."""

    stride = 5

    def world(self, folder: str) -> AbstractContextManager[CommandWorld]:
        return commands(folder, both=False)


class TestFallbacks(RotatorContract):
    """A generated value that applications take from a list: they are told to drop the old one before it is over."""

    def world(self, folder: str) -> AbstractContextManager[FallbackWorld]:
        return fallbacks(folder)


class TestOpenClaw(RotatorContract):
    """The gateway takes what its consumer wrote."""

    stride = 5

    def world(self, folder: str) -> AbstractContextManager[GatewayWorld]:
        return gateway(folder)


del RotatorContract  # or pytest would collect it
