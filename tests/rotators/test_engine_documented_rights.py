"""The policy that a provider's page shows is enough for a whole rotation, and for an incident: as it stands there, but for names.

AWS and Vault are tried likewise in test_aws.py and test_contract_vault.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from contract_worlds import parts, tencent
from server_worlds import MariaDBWorld, PostgreSQLWorld, RedisWorld, behind_relay, new_word
from servers_support import started

from keyward.model.rotation import Proved
from keyward.plugin.clock import ManualClock
from keyward.testing.rotator_contract import Bench
from keyward.testing.servers.mariadb import MariaDB
from keyward.testing.servers.postgresql import PostgreSQL
from keyward.testing.servers.redis import Redis

ADMIN = "keyward_admin"


def rotated(world: AbstractContextManager[Any], folder: Path, *, incident: bool) -> None:
    with world as made:
        bench = Bench(made, str(folder), getattr(made, "clock", None) or ManualClock())
        bench.prepare()
        outcome = bench.run(incident=incident)
        assert isinstance(outcome, Proved), outcome
        bench.check_rotated()


@contextmanager
def tencent_with_the_policy() -> Iterator[Any]:
    with tencent() as world:
        fake: Any = world.fake
        (statement,) = json.loads(world.rotator.admin.policy)["statement"]
        assert set(world.rotator.admin.rights) <= set(statement["action"])
        key = fake.make_key(fake.make_user("keyward", fake.make_policy("documented", *statement["action"]).id))
        world.admin = parts(id=key.id, secret=key.secret)
        world._foreign.add(key.secret)
        yield world


@contextmanager
def postgresql_with_the_policy(server: PostgreSQL) -> Iterator[Any]:
    with behind_relay(server, PostgreSQLWorld, alternate=True) as world:
        name, word = f"{ADMIN}_{world.base}", new_word()
        policy = world.rotator.admin.policy.replace(ADMIN, name).replace("…", word)
        policy = re.sub(r"\bapp(?=[_,])", world.base, policy)
        for statement in re.sub(r"--.*", "", policy).split(";"):
            if statement.strip():
                server.execute(statement)
        world.admin = parts(user=name, secret=word)
        yield world


@contextmanager
def mariadb_with_the_policy(server: MariaDB) -> Iterator[Any]:
    with behind_relay(server, MariaDBWorld) as world:
        name, word = f"{ADMIN}_{world.user}"[:32], new_word()
        policy = world.rotator.admin.policy.replace(ADMIN, name).replace("…", word)
        policy = policy.replace("10.0.0.5", "127.0.0.1").replace(" REQUIRE SSL", "")  # this server has no certificate
        for statement in re.sub(r"--.*", "", policy).split(";"):
            if statement.strip():
                server.execute(statement.strip())
        world.admin = parts(user=name, secret=word)
        yield world


@contextmanager
def redis_with_the_policy(server: Redis) -> Iterator[Any]:
    with behind_relay(server, RedisWorld) as world:
        word = new_word()
        command = re.search(r"ACL SETUSER .*", world.rotator.admin.policy)
        assert command is not None
        words = command[0].rstrip(".").replace("…", word).split()
        server.execute(*words)
        world.admin = parts(user=words[2], secret=word)
        world._counted = world._counts()
        yield world


@pytest.mark.parametrize("incident", [False, True], ids=["planned", "incident"])
def test_tencent(tmp_path: Path, incident: bool) -> None:
    rotated(tencent_with_the_policy(), tmp_path, incident=incident)


@pytest.mark.parametrize(
    ("server", "world"),
    [(PostgreSQL, postgresql_with_the_policy), (MariaDB, mariadb_with_the_policy), (Redis, redis_with_the_policy)],
    ids=["PostgreSQL", "MariaDB", "Redis"],
)
def test_a_server(server: Any, world: Any, tmp_path: Path) -> None:
    with started(server()) as running:
        for number, incident in enumerate((False, True)):
            rotated(world(running), tmp_path / str(number), incident=incident)
