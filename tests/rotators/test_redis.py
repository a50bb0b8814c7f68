"""The Redis rotator and verifier, against every real server that is installed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keyward.detectors import redis as detector
from keyward.rotators.redis import ROTATORS
from servers_support import Certificate, Lane, assert_silent, make_certificate, parts, started

from keyward.errors import HostRefused, Refused, Uncertain, Unreachable
from keyward.model.credential import NO_PARTS, Target
from keyward.model.verdict import Dead, Live, Unknown
from keyward.testing.servers.process import ServerMissing
from keyward.testing.servers.redis import Redis, redis_programs, redis_with_tls

ROTATOR = ROTATORS[0]
KIND = "redis/password"
KEEPER = "keeper-of-users-1"
RIGHTS = ["+acl|getuser", "+acl|setuser", "+acl|save", "+client|kill", "+config|get", "+config|rewrite", "+info"]


@pytest.fixture(scope="module", params=redis_programs() or [""], ids=lambda program: str(Path(program).parent.parent.name))
def server(request: pytest.FixtureRequest) -> Iterator[Redis]:
    with started(Redis(program=request.param)) as running:
        running.execute("ACL", "SETUSER", "keeper", "on", "#" + digest(KEEPER), *RIGHTS)
        yield running


@pytest.fixture
def user(server: Redis) -> str:
    return "app-" + secrets.token_hex(4)


def digest(word: str) -> str:
    return sha256(word.encode()).hexdigest()


def create(server: Redis, user: str, word: str) -> None:
    server.execute("ACL", "SETUSER", user, "on", "#" + digest(word), "~jobs:*", "+ping", "+get")


def lane_of(server: Redis, **more: Any) -> Lane:
    target = more.pop("target", None) or Target(host=server.host, port=server.port)
    return Lane(ROTATOR, KIND, target, admin=more.pop("admin", parts(user="keeper", secret=KEEPER)), **more)


def issued(lane: Lane, old: Any = NO_PARTS) -> Any:
    new = ROTATOR.choose(lane.job, old)
    assert ROTATOR.issue(lane.job, new, old).parts == new
    return new


def rules_of(server: Redis, user: str) -> str:
    return next(line.decode() for line in server.execute("ACL", "LIST") if line.split()[1] == user.encode())


def test_both_passwords_live_until_the_old_one_is_revoked(server: Redis, user: str) -> None:
    create(server, user, "the-old-one-7")
    before = rules_of(server, user)
    lane, old = lane_of(server), parts(user=user, secret="the-old-one-7", host="cache.corp.io")
    assert ROTATOR.identify(lane.job, old) == user, "the name, not the hash of a password that may be weak"
    new = issued(lane, old)
    assert new["host"] == old["host"] and new["user"] == old["user"]
    assert isinstance(lane.verify(detector, old), Live) and isinstance(lane.verify(detector, new), Live)
    session = server.client(user, "the-old-one-7")
    assert session.ping()
    for _ in range(2):
        ROTATOR.issue(lane.job, new, old)
        ROTATOR.disable(lane.job, user, old)
        assert isinstance(lane.verify(detector, old), Dead) and isinstance(lane.verify(detector, new), Live)
        ROTATOR.enable(lane.job, user, old)
        assert isinstance(lane.verify(detector, old), Live)
    for _ in range(2):
        ROTATOR.revoke(lane.job, user, old)
        ROTATOR.end_sessions(lane.job, user, old)
    assert isinstance(lane.verify(detector, old), Dead) and isinstance(lane.verify(detector, new), Live)
    with pytest.raises((redis.ConnectionError, redis.AuthenticationError)):
        session.ping()
    assert rules_of(server, user) == before.replace(digest("the-old-one-7"), digest(new["secret"].reveal().decode()))


@pytest.mark.parametrize("persist", ["config", "aclfile"])
def test_a_restart_changes_nothing(server: Redis, user: str, persist: str) -> None:
    with started(Redis(program=server._program, persist=persist)) as other:
        create(other, user, "the-old-one-7")
        lane, old = (
            lane_of(other, admin=parts(user=other.admin, secret=other.password)),
            parts(user=user, secret="the-old-one-7"),
        )
        new = issued(lane, old)
        ROTATOR.revoke(lane.job, user, old)
        saved = "ACL SAVE" if persist == "aclfile" else "CONFIG REWRITE"
        assert lane.watch.changes == ["ACL SETUSER", saved, "ACL SETUSER", saved]
        other.kill()
        assert isinstance(lane.verify(detector, new), Unknown)
        other.start()
        assert isinstance(lane.verify(detector, new), Live) and isinstance(lane.verify(detector, old), Dead)
        for path in Path(other.folder).iterdir():
            if path.is_file():
                data = path.read_bytes()
                assert new["secret"].reveal() not in data and b"the-old-one-7" not in data, path


def test_what_cannot_be_saved_is_refused_before_anything_changes(server: Redis, user: str) -> None:
    with started(Redis(program=server._program, persist="none")) as other:
        create(other, user, "the-old-one-7")
        admin, old = parts(user=other.admin, secret=other.password), parts(user=user, secret="the-old-one-7")
        lane = lane_of(other, admin=admin)
        with pytest.raises(Refused, match="restart would undo"):
            issued(lane, old)
        assert lane.watch.changes == []
        with pytest.raises(Refused, match=r"scope\.persist"):
            issued(lane_of(other, admin=admin, scope={"persist": "somewhere"}), old)
        kept = lane_of(other, admin=admin, scope={"persist": "none"})
        new = issued(kept, old)
        assert isinstance(kept.verify(detector, new), Live)
        assert kept.watch.changes == ["ACL SETUSER"]


def test_the_password_of_the_server_itself(server: Redis) -> None:
    with started(Redis(program=server._program, lines=(" ".join(("requirepass", "of-before-3")),))) as other:
        lane, old = lane_of(other, admin=parts(user=other.admin, secret=other.password)), parts(secret="of-before-3")
        assert ROTATOR.identify(lane.job, old) == "default"
        assert isinstance(lane.verify(detector, old), Live)
        new = issued(lane, old)
        assert "user" not in new
        ROTATOR.revoke(lane.job, "default", old)
        assert isinstance(lane.verify(detector, new), Live) and isinstance(lane.verify(detector, old), Dead)
        other.kill()
        other.start()
        assert isinstance(lane.verify(detector, new), Live) and isinstance(lane.verify(detector, old), Dead)
        codes = {warning.code for warning in ROTATOR.review(lane.job, ROTATOR.inventory(lane.job))}
        assert codes == {"root", "over-broad"}


def test_an_interrupted_save_is_made_up_for(server: Redis, user: str) -> None:
    with started(Redis(program=server._program)) as other:
        create(other, user, "the-old-one-7")
        lane, old = (
            lane_of(other, admin=parts(user=other.admin, secret=other.password)),
            parts(user=user, secret="the-old-one-7"),
        )
        new = ROTATOR.choose(lane.job, old)
        lane.watch.before_call["CONFIG REWRITE"] = other.kill
        with pytest.raises(Uncertain) as caught:
            ROTATOR.issue(lane.job, new, old)
        assert_silent(caught.value, [new["secret"], old["secret"], other.password])
        with pytest.raises(Unreachable):
            ROTATOR.identify(lane.job, old)
        other.start()
        assert (
            ROTATOR.inventory(
                lane_of(other, admin=lane.job.admin, target=Target(host=other.host, port=other.port, user=user)).job
            ).held
            == ()
        )
        create(other, user, "the-old-one-7")
        other.execute("ACL", "SETUSER", user, "#" + digest(new["secret"].reveal().decode()))
        ROTATOR.issue(lane.job, new, old)
        other.kill()
        other.start()
        assert isinstance(lane.verify(detector, new), Live), "it was there already, and is saved now"


def test_a_file_that_cannot_be_written_is_said_to_be_uncertain(server: Redis, user: str) -> None:
    with started(Redis(program=server._program, persist="aclfile")) as other:
        create(other, user, "the-old-one-7")
        lane = lane_of(other, admin=parts(user=other.admin, secret=other.password), scope={"persist": "config"})
        Path(other.file("redis.conf")).unlink()
        Path(other.file("redis.conf")).mkdir()
        with pytest.raises(Uncertain, match="in force, but not saved"):
            issued(lane, parts(user=user, secret="the-old-one-7"))


def test_what_is_refused_names_the_right_or_the_next_step(server: Redis, user: str) -> None:
    create(server, user, "the-old-one-7")
    old, new = parts(user=user, secret="the-old-one-7"), parts(user=user, secret="new-one-of-7")
    lane = lane_of(server)
    with pytest.raises(Refused, match="does not let the admin user in") as caught:
        ROTATOR.identify(lane.with_admin(user="keeper", secret="not-it-at-all-5"), old)
    assert_silent(caught.value, ["not-it-at-all-5"])
    server.execute("ACL", "SETUSER", "weak", "on", "#" + digest("no-rights-4"), "+info", "+acl|getuser", "+config|get")
    weak = lane.with_admin(user="weak", secret="no-rights-4")
    with pytest.raises(Refused) as caught:
        ROTATOR.issue(weak, new, old)
    assert caught.value.hint == "It lacks +acl|setuser."
    assert_silent(caught.value, ["new-one-of-7", digest("new-one-of-7")])
    with pytest.raises(Refused, match="no user"):
        ROTATOR.issue(lane.job, parts(user=user + "-none", secret="n-1"), NO_PARTS)
    with pytest.raises(Refused, match="does not have this password"):
        ROTATOR.identify(lane.job, parts(user=user, secret="an-earlier-one"))
    with pytest.raises(Refused, match="the value itself"):
        ROTATOR.revoke(lane.job, user, NO_PARTS)
    with pytest.raises(Refused, match="blanks"):
        ROTATOR.identify(lane.job, parts(user="a b", secret="x-1"))
    for state, word in (("off", "switched off"), ("nopass", "every password")):
        server.execute("ACL", "SETUSER", user, "on", state)
        with pytest.raises(Refused, match=word):
            ROTATOR.issue(lane.job, new, old)


def test_provisioning_makes_the_user_once(server: Redis, user: str) -> None:
    target = Target(host=server.host, port=server.port, user=user)
    lane = lane_of(server, target=target, scope={"acl": ["~jobs:*", "+ping"]})
    assert [change.done for change in ROTATOR.provision(lane.job, apply=False)] == [False]
    assert ROTATOR.inventory(lane.job).held == ()
    list(ROTATOR.provision(lane.job, apply=True))
    assert [change.done for change in ROTATOR.provision(lane.job, apply=True)] == [True]
    assert not ROTATOR.inventory(lane.job).held[0].active, "it has no password yet"
    new = issued(lane)
    assert isinstance(lane.verify(detector, new), Live) and new["user"].reveal() == user.encode()
    assert list(ROTATOR.review(lane.job, ROTATOR.inventory(lane.job))) == []
    with pytest.raises(Refused, match="list of rules"):
        list(ROTATOR.provision(lane_of(server, target=target, scope={"acl": ["nopass"]}).job, apply=True))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=12),
    word=st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=20),
)
def test_names_and_passwords_of_any_characters(server: Redis, user: str, name: str, word: str) -> None:
    full = user + name
    create(server, full, word)
    lane, old = lane_of(server), parts(user=full, secret=word)
    assert isinstance(lane.verify(detector, old), Live)
    assert ROTATOR.identify(lane.job, old) == full
    new = issued(lane, old)
    ROTATOR.revoke(lane.job, full, old)
    assert isinstance(lane.verify(detector, new), Live) and isinstance(lane.verify(detector, old), Dead)
    server.execute("ACL", "DELUSER", full)


def test_a_password_may_be_spelt_as_in_a_url(server: Redis, user: str) -> None:
    create(server, user, "a:b@c/d%")
    lane, old = lane_of(server), parts(user=user, secret=quote("a:b@c/d%", safe=""))
    assert isinstance(lane.verify(detector, old), Live)
    assert ROTATOR.identify(lane.job, old) == user
    ROTATOR.revoke(lane.job, user, old)
    assert isinstance(lane.verify(detector, old), Dead)


def test_the_verifier_says_unknown_where_it_cannot_tell(server: Redis, user: str) -> None:
    create(server, user, "the-old-one-7")
    lane, held = lane_of(server), parts(user=user, secret="the-old-one-7")
    live = lane.verify(detector, held)
    assert isinstance(live, Live) and live.principal == user and live.evidence.host == f"{server.host}:{server.port}"
    wrong = lane.verify(detector, parts(user=user, secret="wrong-one-1"))
    assert isinstance(wrong, Dead) and wrong.evidence.status == "WRONGPASS"
    open_to_all = lane.verify(detector, parts(secret="any-1"))
    assert isinstance(open_to_all, Unknown) and "no password is set" in open_to_all.reason
    with pytest.raises(HostRefused):
        ROTATOR.identify(lane.job._replace(entry=lane.entry._replace(target=Target(host="127.0.0.1", port=1))), held)
    blocker = server.client()
    try:
        blocker.execute_command("CONFIG", "SET", "maxclients", "1")  # by the one that is let in already
        full = lane.verify(detector, held)
        assert isinstance(full, Unknown) and "as many clients" in full.reason
        blocker.execute_command("CONFIG", "SET", "maxclients", "1000")
    finally:
        blocker.close()


def test_every_command_passes_a_fence_of_its_own(server: Redis, user: str) -> None:
    create(server, user, "the-old-one-7")
    lane, old = lane_of(server), parts(user=user, secret="the-old-one-7")
    server.execute("CONFIG", "RESETSTAT")
    issued(lane, old)
    ROTATOR.revoke(lane.job, user, old)
    ROTATOR.end_sessions(lane.job, user, old)
    assert lane.watch.changes == ["ACL SETUSER", "CONFIG REWRITE", "ACL SETUSER", "CONFIG REWRITE", "CLIENT KILL"]
    stats = server.execute("INFO", "commandstats")
    counted = {name.partition("_")[2].lower(): each["calls"] for name, each in stats.items()}
    assert counted.get("acl|setuser", counted.get("acl")) in (2, 4), "6.2 counts all of ACL together: two reads, two writes"


def test_a_cluster_and_a_replica_are_refused(server: Redis, user: str) -> None:
    with started(Redis(program=server._program, lines=("cluster-enabled yes",))) as node:
        admin = parts(user=node.admin, secret=node.password)
        with pytest.raises(Refused, match="cluster"):
            ROTATOR.inventory(lane_of(node, admin=admin).job)


@pytest.fixture(scope="module")
def behind_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Redis, Certificate]]:
    """A server that speaks TLS alone, and its certificate."""
    certificate = make_certificate(tmp_path_factory.mktemp("tls"))
    try:
        program = redis_with_tls()
    except ServerMissing as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    with started(Redis(program=program, certificate=tuple(certificate))) as running:
        running.execute("ACL", "SETUSER", "keeper", "on", "#" + digest(KEEPER), *RIGHTS)
        yield running, certificate


def tls_lane(server: Redis, mode: str, authority: str = "", host: str = "127.0.0.1") -> Lane:
    options = {"sslmode": mode, **({"tls_ca": authority} if authority else {})}
    return lane_of(server, target=Target(host=host, port=server.port, options=options))


def test_a_password_is_replaced_over_tls(behind_tls: tuple[Redis, Certificate], user: str) -> None:
    server, certificate = behind_tls
    create(server, user, "the-old-one-7")
    lane, old = tls_lane(server, "verify-full", certificate.certificate), parts(user=user, secret="the-old-one-7")
    assert ROTATOR.identify(lane.job, old) == user
    new = issued(lane, old)
    assert isinstance(lane.verify(detector, old), Live) and isinstance(lane.verify(detector, new), Live)
    ROTATOR.revoke(lane.job, user, old)
    assert isinstance(lane.verify(detector, old), Dead) and isinstance(lane.verify(detector, new), Live)


def test_the_certificate_is_checked_before_anything_is_sent(
    behind_tls: tuple[Redis, Certificate], user: str, tmp_path: Path
) -> None:
    server, certificate = behind_tls
    stranger = make_certificate(tmp_path)
    create(server, user, "the-old-one-7")
    old = parts(user=user, secret="the-old-one-7")
    for trusted in (tls_lane(server, "verify-ca", certificate.certificate), tls_lane(server, "require")):
        assert isinstance(trusted.verify(detector, old), Live)
        assert isinstance(trusted.verify(detector, parts(user=user, secret="wrong-one-1")), Dead)
    for doubtful in (
        tls_lane(server, "verify-full"),
        tls_lane(server, "verify-full", stranger.certificate),
        tls_lane(server, "verify-full", certificate.certificate, "localhost"),
        tls_lane(server, "disable"),
    ):
        assert isinstance(doubtful.verify(detector, old), Unknown)
        with pytest.raises((Unreachable, Uncertain)) as caught:
            ROTATOR.identify(doubtful.job, old)
        assert_silent(caught.value, ["the-old-one-7", KEEPER])
    assert isinstance(tls_lane(server, "require").verify(detector, old), Live), "nothing was changed"
