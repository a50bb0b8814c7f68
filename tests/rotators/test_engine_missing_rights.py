"""A right that will be needed only once the new value is with everybody (to kill, to end sessions) is missed in the plan.

The admin credential of each world gets the documented policy but for one right. Where nobody can tell beforehand, the rotation goes on.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from contract_worlds import aws, gitlab, installation, parts
from server_worlds import MariaDBWorld, PostgreSQLWorld, RedisWorld, behind_relay, new_word
from servers_support import started
from test_contract_vault import Door, SecretIdWorld, TokenWorld, VaultWorld
from test_engine_bad_input import refused
from toy_provider import ToyRotator, toy_world

from keyward.errors import Unreachable
from keyward.model.credential import SecretParts
from keyward.model.rotation import Proved, Stopped
from keyward.plugin.clock import ManualClock
from keyward.plugin.rotator import Job
from keyward.testing.fakes.gitlab import FakeGitLab
from keyward.testing.rotator_contract import Bench
from keyward.testing.servers.mariadb import MariaDB
from keyward.testing.servers.moto import Moto
from keyward.testing.servers.openbao import OpenBao
from keyward.testing.servers.postgresql import PostgreSQL
from keyward.testing.servers.process import ServerMissing
from keyward.testing.servers.redis import Redis

_NUMBERS = itertools.count()


@contextmanager
def bench(world: AbstractContextManager[Any], folder: Path) -> Iterator[Bench]:
    with world as made:
        at = Bench(made, str(folder), getattr(made, "clock", None) or ManualClock())
        at.prepare()
        yield at


def page(name: str) -> str:
    return f"docs/providers/{name}.md"


# Vault


@contextmanager
def vault(bao: OpenBao, world: type[VaultWorld], kind: str) -> Iterator[VaultWorld]:
    with Door(bao) as door:
        yield world(bao, door, kind)


def weaken_vault(bao: OpenBao, world: VaultWorld, without: str) -> None:
    lines = world.rotator.admin.policy.replace("LANE", world.lane).splitlines()
    kept = [line for line in lines if without not in line]
    assert len(kept) == len(lines) - 1
    bao.request("PUT", f"sys/policies/acl/admin-{world.lane}", {"policy": "\n".join(kept)})


@pytest.mark.parametrize(
    ("world", "kind", "without", "said"),
    [
        (TokenWorld, "vault/token", "revoke-accessor", "update on auth/token/revoke-accessor"),
        (TokenWorld, "vault/token", "accessors", "sudo on auth/token/accessors"),
        (SecretIdWorld, "vault/approle-secret-id", "secret-id-accessor/destroy", "secret-id-accessor/destroy"),
        (SecretIdWorld, "vault/approle-secret-id", "revoke-accessor", "update on auth/token/revoke-accessor"),
    ],
)
def test_vault(bao: OpenBao, world: type[VaultWorld], kind: str, without: str, said: str, tmp_path: Path) -> None:
    with bench(vault(bao, world, kind), tmp_path) as at:
        weaken_vault(bao, at.world, without)  # type: ignore[arg-type]
        refused(at, said, page("vault"))


def test_a_vault_that_grants_the_listing_with_a_slash_at_its_end(bao: OpenBao, tmp_path: Path) -> None:
    with bench(vault(bao, TokenWorld, "vault/token"), tmp_path) as at:
        world: Any = at.world
        policy = world.rotator.admin.policy.replace('accessors" ', 'accessors/"')
        assert 'accessors/"' in policy
        bao.request("PUT", f"sys/policies/acl/admin-{world.lane}", {"policy": policy})
        assert isinstance(at.run(), Proved)


def test_a_vault_that_lets_nobody_ask(bao: OpenBao, tmp_path: Path) -> None:
    """sys/capabilities-self is a right of the policy `default`, which a token need not have."""
    with bench(vault(bao, SecretIdWorld, "vault/approle-secret-id"), tmp_path) as at:
        world: Any = at.world
        world.admin = parts(token=bao.request(
            "POST", "auth/token/create", {"policies": [f"admin-{world.lane}"], "no_default_policy": True}
        )["auth"]["client_token"])  # fmt: skip
        assert isinstance(at.run(), Proved)
        assert any(seen.path.endswith("/capabilities-self") and seen.status == 403 for seen in world.door.seen)


# AWS


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    try:
        with Moto() as running:
            yield running
    except ServerMissing as error:
        pytest.fail(str(error))


@contextmanager
def aws_without(moto: Moto, *missing: str, denied: str = "") -> Iterator[Any]:
    with aws(moto) as world:
        policy = json.loads(world.rotator.admin.policy)
        for statement in policy["Statement"]:  # moto judges resources by another form than AWS
            statement |= {"Resource": "*", "Action": [each for each in statement["Action"] if each not in missing]}
        if denied:
            policy["Statement"].append({"Effect": "Deny", "Action": denied, "Resource": "*"})
        name = moto.make_user(f"rotator{next(_NUMBERS)}")
        moto.act("PutUserPolicy", UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        key = moto.make_key(name)
        world.admin = parts(id=key.id, secret=key.secret)
        moto.seen.clear()
        yield world


@pytest.mark.parametrize("right", ["iam:DeleteAccessKey", "iam:UpdateAccessKey", "iam:CreateAccessKey", "iam:PutUserPolicy"])
def test_aws(moto: Moto, right: str, tmp_path: Path) -> None:
    with bench(aws_without(moto, right), tmp_path) as at:
        refused(at, right, page("aws"))


def test_aws_where_a_policy_denies_it(moto: Moto, tmp_path: Path) -> None:
    with bench(aws_without(moto, denied="iam:DeleteAccessKey"), tmp_path) as at:
        refused(at, "iam:DeleteAccessKey")


def test_aws_where_the_simulator_may_not_be_asked(moto: Moto, tmp_path: Path) -> None:
    with bench(aws_without(moto, "iam:SimulatePrincipalPolicy"), tmp_path) as at:
        assert isinstance(at.run(), Proved)
    with bench(aws_without(moto, "iam:SimulatePrincipalPolicy", "iam:DeleteAccessKey"), tmp_path / "2") as at:
        outcome = at.run()  # nothing was known, so that it shows when it is needed; the old one lives
        assert "iam:DeleteAccessKey" in str(outcome) and at.world.works(at.consumed())


# Databases


def statements(server: Any, text: str) -> None:
    for statement in text.split(";"):
        if statement.strip():
            server.execute(statement.strip())


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    with started(PostgreSQL()) as server:
        yield server


@contextmanager
def postgresql_admin(server: PostgreSQL, policy: str, *, alternate: bool) -> Iterator[Any]:
    with behind_relay(server, PostgreSQLWorld, alternate=alternate) as world:
        name, word = f"keyward_{world.base}", new_word()
        statements(server, policy.format(admin=name, word=word, base=world.base))
        world.admin = parts(user=name, secret=word)
        world._logged = len(server.log)
        yield world


MADE = "CREATE ROLE {admin} LOGIN CREATEROLE PASSWORD '{word}';"
OVER_THEM = "GRANT {base}, {base}_a, {base}_b TO {admin} WITH ADMIN OPTION;"


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (MADE + OVER_THEM, "pg_signal_backend"),
        ("CREATE ROLE {admin} LOGIN IN ROLE pg_signal_backend PASSWORD '{word}';" + OVER_THEM, "CREATEROLE"),
    ],
)
def test_postgresql(postgresql: PostgreSQL, policy: str, said: str, tmp_path: Path) -> None:
    if said == "pg_signal_backend":  # a member has the sessions of its role anyway, so not of the role to be ended
        policy = policy.replace("WITH ADMIN OPTION", "WITH ADMIN TRUE, INHERIT FALSE") if newer(postgresql) else MADE
    with bench(postgresql_admin(postgresql, policy, alternate=True), tmp_path) as at:
        refused(at, said, page("postgresql"))


def newer(server: PostgreSQL) -> bool:
    return int(server.execute("SHOW server_version_num")[0][0]) >= 160_000


def test_postgresql_16_asks_for_the_admin_option(postgresql: PostgreSQL, tmp_path: Path) -> None:
    policy = "CREATE ROLE {admin} LOGIN CREATEROLE IN ROLE pg_signal_backend PASSWORD '{word}';"
    for number, alternate in enumerate((True, False)):
        with bench(postgresql_admin(postgresql, policy, alternate=alternate), tmp_path / str(number)) as at:
            if newer(postgresql):
                refused(at, "ADMIN OPTION on app_")
            else:
                assert isinstance(at.run(), Proved)


@contextmanager
def mariadb_admin(server: MariaDB, rights: str, *more: str) -> Iterator[Any]:
    with behind_relay(server, MariaDBWorld) as world:
        name, word = f"kw_{world.user}"[:32], new_word()
        statements(server, f"CREATE USER {name}@'127.0.0.1' IDENTIFIED BY '{word}'")
        statements(server, f"GRANT SELECT ON mysql.global_priv TO {name}@'127.0.0.1'")
        for each in (f"GRANT {rights} ON *.* TO {name}@'127.0.0.1'", *more):
            statements(server, each.replace("ADMIN_NAME", f"{name}@'127.0.0.1'"))
        world.admin = parts(user=name, secret=word)
        world._logged = len(world._log())
        yield world


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariaDB]:
    with started(MariaDB()) as server:
        yield server


@pytest.mark.parametrize(
    ("rights", "said"),
    [
        ("CREATE USER, PROCESS", "CONNECTION ADMIN"),
        ("CREATE USER, CONNECTION ADMIN", "PROCESS"),
        ("PROCESS, CONNECTION ADMIN", "CREATE USER"),
    ],
)
def test_mariadb(mariadb: MariaDB, rights: str, said: str, tmp_path: Path) -> None:
    with bench(mariadb_admin(mariadb, rights), tmp_path) as at:
        refused(at, f"will need: {said}", page("mysql"))


def test_mariadb_where_the_rights_come_by_a_role(mariadb: MariaDB, tmp_path: Path) -> None:
    role = f"rotators{next(_NUMBERS)}"
    given = (
        f"CREATE ROLE {role}",
        f"GRANT CONNECTION ADMIN ON *.* TO {role}",
        f"GRANT {role} TO ADMIN_NAME",
        f"SET DEFAULT ROLE {role} FOR ADMIN_NAME",
    )
    with bench(mariadb_admin(mariadb, "CREATE USER, PROCESS", *given), tmp_path) as at:
        assert isinstance(at.run(), Proved)


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with started(Redis()) as server:
        yield server


@contextmanager
def redis_admin(server: Redis, rules: str) -> Iterator[Any]:
    with behind_relay(server, RedisWorld) as world:
        name, word = f"kw-{world.user}", new_word()
        server.execute("ACL", "SETUSER", name, "on", f">{word}", *rules.split())
        world.admin = parts(user=name, secret=word)
        world._counted = world._counts()
        yield world


READS = "+acl|getuser +config|get +info"


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (f"{READS} +acl|setuser +acl|save +config|rewrite", "+client|kill"),
        (f"{READS} +client|kill +acl|save +config|rewrite", "+acl|setuser"),
        (f"{READS} +acl|setuser +client|kill", "+config|rewrite"),
        ("+@all -client", "+client|kill"),
        (f"+@admin -@dangerous {READS}", "+acl|setuser"),
    ],
)
def test_redis(redis: Redis, rules: str, said: str, tmp_path: Path) -> None:
    with bench(redis_admin(redis, rules), tmp_path) as at:
        refused(at, said, page("redis"))


@pytest.mark.parametrize("rules", ["+@all", "+@admin +info", "allcommands -flushall", "+acl +client +config +info"])
def test_redis_where_the_rights_come_by_groups(redis: Redis, rules: str, tmp_path: Path) -> None:
    with bench(redis_admin(redis, rules), tmp_path) as at:
        assert isinstance(at.run(), Proved)


# Forges


def test_gitlab(tmp_path: Path) -> None:
    with bench(gitlab(), tmp_path) as at:
        world: Any = at.world
        fake: FakeGitLab = world.fake
        owner = next(token.user for token in fake.tokens.values() if token.value == world.admin["secret"].reveal().decode())
        weak = fake.add_token(owner, "read_api")
        world.admin = parts(secret=weak.value)
        world._foreign.add(weak.value)
        refused(at, "scope api", page("gitlab"))


@pytest.mark.parametrize(
    ("permissions", "lacking"), [({"contents": "write"}, "contents: write"), ({"issues": "read"}, "issues: read")]
)
def test_a_github_app(permissions: dict[str, str], lacking: str, tmp_path: Path) -> None:
    with bench(installation(), tmp_path) as at:
        world: Any = at.world
        world.entry = world.entry._replace(scope={**world.entry.scope, "permissions": permissions})
        refused(at, lacking, page("github"))


def test_a_github_app_that_has_them(tmp_path: Path) -> None:
    with bench(installation(), tmp_path) as at:
        world: Any = at.world
        world.entry = world.entry._replace(scope={**world.entry.scope, "permissions": {"contents": "read"}})
        assert isinstance(at.run(), Proved)


# The engine's own half


class Weak(ToyRotator):
    """One that knows what is missing."""

    def missing_rights(self, job: Job, old: SecretParts) -> Iterable[str]:
        assert old
        return ("toy:Kill", "toy:Stop", "toy:Kill")


class Mute(ToyRotator):
    """One whose provider's answer nobody understands."""

    def missing_rights(self, job: Job, old: SecretParts) -> Iterable[str]:
        raise self.problem

    problem: Exception = Unreachable("no answer")


class Muter(Mute):
    problem = KeyError("permissions")


@pytest.mark.parametrize("incident", [False, True], ids=["planned", "incident"])
def test_what_is_missing_is_named_once_and_nothing_is_begun(incident: bool, tmp_path: Path) -> None:
    with bench(toy_world(Weak()), tmp_path) as at:
        outcome = at.run(incident=incident)
        assert isinstance(outcome, Stopped) and outcome.step == "PLAN" and not outcome.changed
        assert "lane/key" in outcome.reason and "toy:Kill, toy:Stop" in outcome.reason and outcome.reason.count("toy:Kill") == 1
        assert "documentation of this rotator" in outcome.hint and at.world.changes() == []
        at.check_untouched()


@pytest.mark.parametrize("rotator", [Mute, Muter])
def test_no_answer_is_no_refusal(rotator: type[ToyRotator], tmp_path: Path) -> None:
    with bench(toy_world(rotator()), tmp_path) as at:
        assert isinstance(at.run(), Proved)
        at.check_rotated()
