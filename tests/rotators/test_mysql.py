"""The MySQL rotator and verifier against a real MariaDB; the statements for MySQL as text, through a connection that records them."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pymysql
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keyward.detectors import mysql as detector
from keyward.rotators._mysql_hashes import CACHING, NATIVE, SHA256, matches, native, sha256_crypt
from keyward.rotators.mysql import ROTATORS, MySQLAccounts
from servers_support import Lane, assert_silent, make_certificate, parts, started

from keyward.errors import HostRefused, Refused, Uncertain, Unreachable
from keyward.model.credential import NO_PARTS, Target
from keyward.model.verdict import Dead, Live, Restricted, Unknown
from keyward.testing.servers.mariadb import MariaDB
from keyward.testing.servers.process import own_folder, unprivileged_ids

ROTATOR = ROTATORS[0]
KIND = "mysql/password"
KEEPER = "keeper-of-accounts-1"


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDB]:
    with started(MariaDB()) as running:
        running.execute(
            "CREATE USER keeper@'127.0.0.1' IDENTIFIED VIA mysql_native_password USING %s", (native(KEEPER.encode()),)
        )
        running.execute("GRANT CREATE USER, PROCESS, CONNECTION ADMIN ON *.* TO keeper@'127.0.0.1'")
        running.execute("GRANT SELECT ON mysql.global_priv TO keeper@'127.0.0.1'")
        yield running


@pytest.fixture
def user(server: MariaDB) -> Iterator[str]:
    """A name for this test's accounts, all of which are dropped at the end."""
    name = "app_" + secrets.token_hex(4)
    yield name
    drop(server, name)


def drop(server: MariaDB, prefix: str) -> None:
    for name, host in server.execute("SELECT User, Host FROM mysql.user WHERE LEFT(User, %s) = %s", (len(prefix), prefix)):
        server.execute("DROP USER %s@%s", (name, host))


def create(server: MariaDB, user: str, host: str, word: str) -> None:
    server.execute("CREATE USER %s@%s IDENTIFIED VIA mysql_native_password USING %s", (user, host, native(word.encode())))


def lane_of(server: MariaDB, **more: Any) -> Lane:
    target = more.pop("target", None) or Target(host=server.host, port=server.port, options={"sslmode": "disable"})
    return Lane(ROTATOR, KIND, target, admin=more.pop("admin", parts(user="keeper", secret=KEEPER)), **more)


def issued(lane: Lane, old: Any = NO_PARTS) -> Any:
    new = ROTATOR.choose(lane.job, old)
    assert ROTATOR.issue(lane.job, new, old).parts == new
    return new


def words_of(server: MariaDB, user: str) -> dict[str, str]:
    return {host: server.execute("SHOW CREATE USER %s@%s", (user, host))[0][0]
            for (host,) in server.execute("SELECT Host FROM mysql.user WHERE User = %s", (user,))}  # fmt: skip


def test_both_passwords_live_until_the_old_one_is_revoked(server: MariaDB, user: str) -> None:
    create(server, user, "%", "the-old-one-7")
    lane, old = lane_of(server), parts(user=user, secret="the-old-one-7", host="db3.corp.io")
    assert ROTATOR.identify(lane.job, old) == user
    new = issued(lane, old)
    assert new["host"] == old["host"] and new["user"] == old["user"]
    assert isinstance(lane.verify(detector, old), Live) and isinstance(lane.verify(detector, new), Live)
    session = server.connect(user, "the-old-one-7")
    ROTATOR.issue(lane.job, new, old)
    for _ in range(2):
        ROTATOR.disable(lane.job, user, old)
        assert isinstance(lane.verify(detector, old), Dead) and isinstance(lane.verify(detector, new), Live)
    for _ in range(2):
        ROTATOR.enable(lane.job, user, old)
        assert isinstance(lane.verify(detector, old), Live)
    for _ in range(2):
        ROTATOR.revoke(lane.job, user, old)
        ROTATOR.end_sessions(lane.job, user, old)
    assert isinstance(lane.verify(detector, old), Dead) and isinstance(lane.verify(detector, new), Live)
    with pytest.raises(pymysql.OperationalError), session.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert words_of(server, user)["%"].count("*") == 1, "nothing of the old one is left"
    held = ROTATOR.inventory(lane_of(server, target=Target(host=server.host, port=server.port, user=user)).job)
    assert held.ids() == {user}


def test_no_clear_text_reaches_the_logs(server: MariaDB, user: str) -> None:
    create(server, user, "%", "the-old-one-8")
    lane, old = lane_of(server), parts(user=user, secret="the-old-one-8")
    new = issued(lane, old)
    ROTATOR.revoke(lane.job, user, old)
    written = server.written
    assert native(new["secret"].reveal()).encode() in written, "the logs must hold the statements to prove anything"
    for value in (new["secret"].reveal(), b"the-old-one-8", KEEPER.encode()):
        assert value not in written


def test_an_incident_disables_first(server: MariaDB, user: str) -> None:
    create(server, user, "%", "the-old-one-9")
    lane, old = lane_of(server), parts(user=user, secret="the-old-one-9")
    ROTATOR.disable(lane.job, user, old)
    assert isinstance(lane.verify(detector, old), Dead)
    new = issued(lane, old)
    assert isinstance(lane.verify(detector, new), Live) and isinstance(lane.verify(detector, old), Dead)
    ROTATOR.revoke(lane.job, user, old)
    assert words_of(server, user)["%"].count("*") == 1
    ROTATOR.revoke(lane.job, "", new)
    assert isinstance(lane.verify(detector, new), Dead)
    assert not server.lets_in(user, ""), "an account without a method would let everybody in"


def test_all_accounts_of_a_name_with_that_password_are_changed_together(server: MariaDB, user: str) -> None:
    for host, word in (("127.0.0.1", "shared-1-x"), ("%", "shared-1-x"), ("10.0.0.%", "other-2-y")):
        create(server, user, host, word)
    lane, old = lane_of(server), parts(user=user, secret="shared-1-x")
    before = words_of(server, user)
    new = issued(lane, old)
    ROTATOR.revoke(lane.job, user, old)
    after = words_of(server, user)
    assert after["10.0.0.%"] == before["10.0.0.%"], "somebody else's password"
    for host in ("127.0.0.1", "%"):
        assert native(new["secret"].reveal()) in after[host] and native(b"shared-1-x") not in after[host]


def test_what_is_ambiguous_is_refused(server: MariaDB, user: str) -> None:
    for host, word in (("127.0.0.1", "shared-1-x"), ("%", "shared-1-x"), ("10.0.0.%", "other-2-y")):
        create(server, user, host, word)
    old = parts(user=user, secret="shared-1-x")
    narrow = lane_of(server, scope={"host": "%"})
    with pytest.raises(Refused, match="same password"):
        ROTATOR.identify(narrow.job, old)
    with pytest.raises(Refused, match="same password"):
        ROTATOR.issue(narrow.job, parts(user=user, secret="n-1"), old)
    with pytest.raises(Refused, match="one of"):
        ROTATOR.issue(lane_of(server).job, parts(user=user, secret="n-1"), NO_PARTS)
    ROTATOR.issue(lane_of(server, scope={"host": "10.0.0.%"}).job, parts(user=user, secret="n-1"), NO_PARTS)
    assert native(b"n-1") in words_of(server, user)["10.0.0.%"]
    with pytest.raises(Refused, match="no account"):
        ROTATOR.identify(lane_of(server).job, parts(user=user, secret="an-earlier-one"))
    with pytest.raises(Refused, match="the value itself"):
        ROTATOR.revoke(lane_of(server).job, user, NO_PARTS)


def test_other_methods_of_an_account_stay(server: MariaDB, user: str) -> None:
    server.execute(
        "CREATE USER %s@'%%' IDENTIFIED VIA mysql_native_password USING %s OR unix_socket", (user, native(b"the-old-one-4"))
    )
    lane, old = lane_of(server), parts(user=user, secret="the-old-one-4")
    new = issued(lane, old)
    ROTATOR.revoke(lane.job, user, old)
    assert words_of(server, user)["%"].endswith(f"'{native(new['secret'].reveal())}' OR unix_socket")


def test_an_account_without_a_password_is_not_locked_by_giving_it_one(server: MariaDB, user: str) -> None:
    server.execute("CREATE USER %s@'%%'", (user,))
    with pytest.raises(Refused, match="needs no password"):
        ROTATOR.issue(lane_of(server).job, parts(user=user, secret="n-1"), NO_PARTS)
    with pytest.raises(Refused, match="there is no account"):
        ROTATOR.issue(lane_of(server).job, parts(user=user + "_none", secret="n-1"), NO_PARTS)


def test_what_is_refused_names_the_right(server: MariaDB, user: str) -> None:
    create(server, user, "%", "the-old-one-7")
    old, new = parts(user=user, secret="the-old-one-7"), parts(user=user, secret="new-one-of-7")
    lane = lane_of(server)
    with pytest.raises(Refused, match="1045") as caught:
        ROTATOR.identify(lane.with_admin(user="keeper", secret="not-it-at-all-5"), old)
    assert_silent(caught.value, ["not-it-at-all-5"])
    create(server, user + "_weak", "%", "no-rights-4")
    weak = lane.with_admin(user=user + "_weak", secret="no-rights-4")
    with pytest.raises(Refused) as caught:
        ROTATOR.issue(weak, new, old)
    assert "SELECT" in caught.value.hint
    server.execute("GRANT SELECT ON mysql.global_priv TO %s", (user + "_weak",))
    with pytest.raises(Refused) as caught:
        ROTATOR.issue(weak, new, old)
    assert "CREATE USER" in caught.value.hint
    assert_silent(caught.value, ["new-one-of-7", "no-rights-4"])
    with pytest.raises(Refused) as caught:
        ROTATOR.end_sessions(weak, user, old)
    assert "PROCESS" in caught.value.hint
    server.execute("GRANT PROCESS ON *.* TO %s", (user + "_weak",))
    with server.connect(user, "the-old-one-7"), pytest.raises(Refused) as caught:
        ROTATOR.end_sessions(weak, user, old)
    assert "CONNECTION ADMIN" in caught.value.hint


def test_the_review_names_what_is_too_much(server: MariaDB, user: str) -> None:
    create(server, user, "%", "the-old-one-7")
    server.execute("GRANT FILE, PROCESS ON *.* TO %s", (user,))
    lane = lane_of(
        server,
        target=Target(host=server.host, port=server.port, user=user),
        admin=parts(user=server.admin, secret=server.password),
    )
    assert [(w.code, "FILE" in w.text) for w in ROTATOR.review(lane.job, ROTATOR.inventory(lane.job))] == [("over-broad", True)]


def test_every_statement_passes_a_fence_of_its_own(server: MariaDB, user: str) -> None:
    create(server, user, "%", "the-old-one-7")
    lane, old = lane_of(server), parts(user=user, secret="the-old-one-7")
    before = server.written.count(b"ALTER USER")
    issued(lane, old)
    with server.connect(user, "the-old-one-7"):
        ROTATOR.revoke(lane.job, user, old)
        ROTATOR.end_sessions(lane.job, user, old)
    assert lane.watch.changes == ["ALTER USER", "ALTER USER", "KILL"]
    assert server.written.count(b"ALTER USER") - before == 4, "twice in the general log and twice in the binary log"


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zs"), max_codepoint=0xFFFF), min_size=1, max_size=12),
    word=st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), min_size=1, max_size=20),
)
def test_names_and_passwords_of_any_characters(server: MariaDB, user: str, name: str, word: str) -> None:
    full = user + name
    create(server, full, "%", word)
    try:
        lane, old = lane_of(server), parts(user=full, secret=word)
        assert isinstance(lane.verify(detector, old), Live)
        assert ROTATOR.identify(lane.job, old) == full
        new = issued(lane, old)
        ROTATOR.revoke(lane.job, full, old)
        assert isinstance(lane.verify(detector, new), Live) and isinstance(lane.verify(detector, old), Dead)
    finally:
        drop(server, full)


def test_a_password_may_be_spelt_as_in_a_url(server: MariaDB, user: str) -> None:
    create(server, user, "%", "a:b@c/d%")
    lane, old = lane_of(server), parts(user=user, secret=quote("a:b@c/d%", safe=""))
    assert isinstance(lane.verify(detector, old), Live)
    assert ROTATOR.identify(lane.job, old) == user
    new = issued(lane, old)
    ROTATOR.revoke(lane.job, user, old)
    assert isinstance(lane.verify(detector, old), Dead) and isinstance(lane.verify(detector, new), Live)


def test_the_verifier_tells_wrong_from_refused_for_another_reason(server: MariaDB, user: str) -> None:
    create(server, user, "%", "the-old-one-7")
    lane, held, wrong = lane_of(server), parts(user=user, secret="the-old-one-7"), parts(user=user, secret="wrong-one-1")
    live = lane.verify(detector, held)
    assert isinstance(live, Live) and live.principal == user and live.evidence.host == f"{server.host}:{server.port}"
    dead = lane.verify(detector, wrong)
    assert isinstance(dead, Dead) and dead.evidence.status == "1045"
    server.execute("ALTER USER %s@'%%' ACCOUNT LOCK", (user,))
    assert isinstance(lane.verify(detector, held), Restricted)
    assert isinstance(lane.verify(detector, wrong), Dead)
    server.execute("ALTER USER %s@'%%' ACCOUNT UNLOCK", (user,))
    elsewhere = lane_of(server, target=Target(host=server.host, port=server.port, database="no_such_database"))
    assert isinstance(elsewhere.verify(detector, held), Restricted)
    nobody = lane.verify(detector, parts(secret="x-1"))
    assert isinstance(nobody, Unknown) and "target.user" in nobody.reason
    strict = lane_of(server, target=Target(host=server.host, port=server.port, options={"sslmode": "require"}))
    assert isinstance(strict.verify(detector, held), Unknown)
    with pytest.raises(Unreachable):
        ROTATOR.identify(strict.job, held)
    with pytest.raises(HostRefused):
        ROTATOR.identify(lane.job._replace(entry=lane.entry._replace(target=Target(host="127.0.0.1", port=1))), held)


def test_a_full_server_a_stopped_one_and_one_killed_in_the_middle(user: str) -> None:
    with started(MariaDB(settings={"max-connections": "10", "extra-max-connections": "1"})) as doomed:
        create(doomed, user, "%", "the-old-one-7")
        lane = lane_of(doomed, admin=parts(user=doomed.admin, secret=doomed.password))
        old = parts(user=user, secret="the-old-one-7")
        sessions = [doomed.connect(user, "the-old-one-7") for _ in range(10)]
        full = lane.verify(detector, old)
        assert isinstance(full, Unknown) and "1040" in full.reason and full.retry_after
        for session in sessions:
            session.close()
        new = ROTATOR.choose(lane.job, old)
        lane.watch.before_call["ALTER USER"] = doomed.kill
        with pytest.raises(Uncertain) as caught:
            ROTATOR.issue(lane.job, new, old)
        assert_silent(caught.value, [new["secret"], old["secret"], doomed.password])
        assert isinstance(lane.verify(detector, old), Unknown)
        with pytest.raises(Unreachable):
            ROTATOR.issue(lane.job, new, old)
        doomed.start()
        ROTATOR.issue(lane.job, new, old)
        assert isinstance(lane.verify(detector, new), Live) and isinstance(lane.verify(detector, old), Live)


def test_with_tls_the_certificate_is_checked(user: str) -> None:
    with own_folder(unprivileged_ids()) as folder:
        certificate = make_certificate(Path(folder))
        if ids := unprivileged_ids():
            for path in certificate:
                os.chown(path, *ids)
        with started(MariaDB(settings={"ssl-cert": certificate.certificate, "ssl-key": certificate.key})) as secure:
            create(secure, user, "%", "the-old-one-7")
            old, admin = parts(user=user, secret="the-old-one-7"), parts(user=secure.admin, secret=secure.password)

            def lane(mode: str, authority: str = "") -> Lane:
                options = {"sslmode": mode, **({"tls_ca": authority} if authority else {})}
                return lane_of(secure, admin=admin, target=Target(host=secure.host, port=secure.port, options=options))

            trusted = lane("verify-full", certificate.certificate)
            assert isinstance(trusted.verify(detector, old), Live)
            assert ROTATOR.identify(trusted.job, old) == user
            assert isinstance(lane("verify-full").verify(detector, old), Unknown)
            with pytest.raises(Unreachable):
                ROTATOR.identify(lane("verify-full").job, old)
            secure.execute("ALTER USER %s@'%%' REQUIRE SSL", (user,))
            assert isinstance(lane("disable").verify(detector, old), Restricted), "refused like a wrong password, and is none"
            assert isinstance(lane("disable").verify(detector, parts(user=user, secret="wrong-one-1")), Dead)


# MySQL, whose server is not at hand


class Recorded:
    """A connection to a MySQL server that is only text: answers as its tables would, and remembers what it is told."""

    def __init__(self, rows: list[tuple[Any, ...]], version: str = "8.4.3") -> None:
        self.rows, self.version = rows, version
        self.changes: list[tuple[str, tuple[object, ...]]] = []
        self._answer: list[tuple[Any, ...]] = []

    def __call__(self, **_: Any) -> Recorded:
        return self

    def cursor(self) -> Recorded:
        return self

    def __enter__(self) -> Recorded:
        return self

    def __exit__(self, *_: object) -> None: ...

    def close(self) -> None: ...

    def execute(self, sql: str, values: tuple[object, ...] | None) -> None:
        if sql == "SELECT VERSION()":
            self._answer = [(self.version,)]
        elif "FROM mysql.user" in sql:
            self._answer = self.rows
        else:
            self._answer = []
            self.changes.append((re.sub(r"\s+", " ", sql), values or ()))

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._answer


def stored(word: bytes, salt: bytes = b"twenty-bytes-of-salt") -> bytes:
    return b"$A$005$" + salt + sha256_crypt(word, salt, 5000)


def on_mysql(
    first: bytes, second: bytes = b"", *, locked: bool = False, version: str = "8.4.3"
) -> tuple[MySQLAccounts, Recorded, Lane]:
    row = (
        "%",
        CACHING,
        stored(first).hex(),
        "Y" if locked else "N",
        stored(second, b"another-20-byte-salt").hex() if second else None,
    )
    recorded = Recorded([row], version)
    rotator = MySQLAccounts(recorded)
    return (
        rotator,
        recorded,
        Lane(rotator, KIND, Target(host="127.0.0.1", port=3306), admin=parts(user="keeper", secret=KEEPER)),
    )


def test_mysql_keeps_the_current_password_and_discards_it_later() -> None:
    old, new = parts(user="app", secret="old-one-1"), parts(user="app", secret="new-one-2")
    rotator, recorded, lane = on_mysql(b"old-one-1")
    assert rotator.identify(lane.job, old) == "app"
    rotator.issue(lane.job, new, old)
    assert recorded.changes == [("ALTER USER %s@%s IDENTIFIED BY %s RETAIN CURRENT PASSWORD", ("app", "%", "new-one-2"))]
    rotator, recorded, lane = on_mysql(b"new-one-2", b"old-one-1")
    rotator.issue(lane.job, new, old)
    assert recorded.changes == [], "a second RETAIN would push the old one out"
    rotator.disable(lane.job, "app", old)
    rotator.revoke(lane.job, "app", old)
    assert recorded.changes == [("ALTER USER %s@%s DISCARD OLD PASSWORD", ("app", "%"))]
    rotator, recorded, lane = on_mysql(b"new-one-2")
    rotator.revoke(lane.job, "app", old)
    assert recorded.changes == []


def test_mysql_in_an_incident_and_what_it_cannot_do() -> None:
    old, new = parts(user="app", secret="old-one-1"), parts(user="app", secret="new-one-2")
    rotator, recorded, lane = on_mysql(b"old-one-1")
    rotator.disable(lane.job, "app", old)
    rotator.revoke(lane.job, "app", old)
    assert [sql for sql, _ in recorded.changes] == [
        "ALTER USER %s@%s ACCOUNT LOCK",
        "ALTER USER %s@%s IDENTIFIED BY %s ACCOUNT LOCK",
    ]
    rotator, recorded, lane = on_mysql(b"old-one-1", locked=True)
    rotator.disable(lane.job, "app", old)
    rotator.enable(lane.job, "app", old)
    rotator.issue(lane.job, new, old)
    assert [sql for sql, _ in recorded.changes] == [
        "ALTER USER %s@%s ACCOUNT UNLOCK",
        "ALTER USER %s@%s IDENTIFIED BY %s ACCOUNT UNLOCK",
    ]
    rotator, recorded, lane = on_mysql(b"new-one-2", b"old-one-1")
    with pytest.raises(Refused, match="newer one of two"):
        rotator.revoke(lane.job, "app", new)
    with pytest.raises(Refused, match="two passwords already"):
        rotator.issue(lane.job, parts(user="app", secret="third-one-3"), old)
    assert recorded.changes == []


@pytest.mark.parametrize("version", ["5.7.44-log", "8.0.13", "10.3.39-MariaDB"])
def test_a_server_that_cannot_keep_two_passwords_is_refused(version: str) -> None:
    rotator, recorded, lane = on_mysql(b"old-one-1", version=version)
    with pytest.raises(Refused, match="two passwords"):
        rotator.issue(lane.job, parts(user="app", secret="n-1"), parts(user="app", secret="old-one-1"))
    assert recorded.changes == []


def test_mysql_is_told_the_clear_password_over_tls_only() -> None:
    rotator, recorded, _ = on_mysql(b"old-one-1")
    target = Target(host="db3.corp.io", port=3306, options={"sslmode": "prefer"})
    lane = Lane(rotator, KIND, target, admin=parts(user="keeper", secret=KEEPER))
    with pytest.raises(Refused, match="TLS"):
        rotator.issue(lane.job, parts(user="app", secret="n-1"), parts(user="app", secret="old-one-1"))
    assert recorded.changes == []


def test_the_hashes_are_those_of_the_specification() -> None:
    """The first test vector of the SHA-crypt specification, and the manual's own example for the native hash."""
    assert sha256_crypt(b"Hello world!", b"saltstring", 5000) == b"5B8vYYiY.CVt1RlTTf8" + b"KbXBH3hsxY/GNooZaBBGWEc" + b"5"
    assert native(b"mypass") == "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4"
    for plugin, text in ((NATIVE, native(b"w-1").encode()), (CACHING, stored(b"w-1")),
                         (SHA256, b"$5$" + b"s" * 20 + b"$" + sha256_crypt(b"w-1", b"s" * 20, 5000))):  # fmt: skip
        assert matches(plugin, text, b"w-1") and not matches(plugin, text, b"w-2")
    assert not matches("ed25519", native(b"w-1").encode(), b"w-1")
