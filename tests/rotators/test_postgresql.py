"""The PostgreSQL rotator and verifier, against a real server."""

from __future__ import annotations

import secrets
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keyward.detectors import _postgresql_login, pgpass
from keyward.detectors import postgresql as detector
from keyward.rotators.postgresql import ROTATORS
from psycopg import sql
from servers_support import MARK, Certificate, Lane, assert_silent, make_certificate, parts, started

from keyward.errors import HostRefused, Refused, SlotsFull, Uncertain, Unreachable
from keyward.model.credential import NO_PARTS, Target
from keyward.model.verdict import Dead, Live, Restricted, Unknown
from keyward.plugin.clock import ManualClock
from keyward.plugin.rotator import Overlap
from keyward.testing.servers.postgresql import PostgreSQL

ROTATOR = ROTATORS[0]
KIND = "postgresql/password"
HBA = """\
host all in_free 127.0.0.1/32 trust
host all locked_out 127.0.0.1/32 reject
host all in_md5 127.0.0.1/32 md5
host all in_clear 127.0.0.1/32 password
hostssl all only_tls 127.0.0.1/32 scram-sha-256
hostnossl all only_tls 127.0.0.1/32 reject
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    with started(PostgreSQL(hba=HBA)) as running:
        running.execute("CREATE ROLE keeper LOGIN CREATEROLE IN ROLE pg_signal_backend PASSWORD 'keeper-of-roles-1'")
        yield running


@pytest.fixture
def base(server: PostgreSQL) -> Iterator[str]:
    """A name for this test's roles, all of which are dropped at the end."""
    name = "app_" + secrets.token_hex(4)
    yield name
    for (role,) in server.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE %s", (name + "%",)):
        server.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def lane_of(server: PostgreSQL, base: str, **more: Any) -> Lane:
    target = more.pop("target", None) or Target(host=server.host, port=server.port)
    admin = more.pop("admin", parts(user="keeper", secret="keeper-of-roles-1"))
    return Lane(ROTATOR, KIND, target, admin=admin, scope={"role": base, **more.pop("scope", {})}, **more)


def provisioned(server: PostgreSQL, base: str, **more: Any) -> Lane:
    lane = lane_of(server, base, **more)
    list(ROTATOR.provision(lane.job, apply=True))
    return lane


def single(server: PostgreSQL, base: str) -> tuple[Lane, Any]:
    """A lane with one role that is changed in place, and its present value."""
    lane = lane_of(server, base, scope={"alternate": False})
    with server.connect("keeper", "keeper-of-roles-1") as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'the-old-one-7'").format(sql.Identifier(base)))
    return lane, parts(user=base, secret="the-old-one-7", host="db3.corp.io")


def issued(lane: Lane, old: Any = NO_PARTS) -> Any:
    new = ROTATOR.choose(lane.job, old)
    assert ROTATOR.issue(lane.job, new, old).parts == new
    return new


def name_of(held: Any) -> str:
    return str(held["user"].reveal().decode())


def word_of(held: Any) -> str:
    return str(held["secret"].reveal().decode())


def test_two_roles_take_turns_and_the_old_one_dies_with_its_sessions(server: PostgreSQL, base: str) -> None:
    lane = provisioned(server, base)
    first = issued(lane)
    assert name_of(first) == base + "_a"
    assert ROTATOR.identify(lane.job, first) == base + "_a"
    second = issued(lane, first)
    assert name_of(second) == base + "_b"
    assert isinstance(lane.verify(detector, first), Live), "both live until the old one is revoked"
    assert isinstance(lane.verify(detector, second), Live)
    session = server.connect(name_of(first), word_of(first))
    assert session.execute("SELECT current_user, session_user").fetchone() == (base, base + "_a")

    ROTATOR.disable(lane.job, base + "_a", first)
    assert isinstance(lane.verify(detector, first), Restricted)
    ROTATOR.enable(lane.job, base + "_a", first)
    assert isinstance(lane.verify(detector, first), Live)
    for _ in range(2):
        ROTATOR.revoke(lane.job, base + "_a", first)
        ROTATOR.end_sessions(lane.job, base + "_a", first)
    assert isinstance(lane.verify(detector, first), Dead)
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")
    assert isinstance(lane.verify(detector, second), Live)
    server.execute(sql.SQL("ALTER ROLE {} LOGIN VALID UNTIL 'infinity'").format(sql.Identifier(base + "_a")))
    assert not server.lets_in(base + "_a", word_of(first)), "the password itself is gone, not only the right to log in"
    ROTATOR.revoke(lane.job, base + "_a", NO_PARTS)
    assert name_of(issued(lane, second)) == base + "_a", "and the turns go on"


def test_no_clear_text_reaches_the_log_or_the_statistics(server: PostgreSQL, base: str) -> None:
    lane = provisioned(server, base)
    first = issued(lane)
    second = issued(lane, first)
    ROTATOR.revoke(lane.job, base + "_a", first)
    log = server.log
    assert f'ALTER ROLE "{base}_b" LOGIN PASSWORD \'SCRAM-SHA-256$' in log, "the log must hold the statements to prove anything"
    assert MARK in log
    for value in (word_of(first), word_of(second), "keeper-of-roles-1"):
        # the fixture's own CREATE ROLE is the one place where the admin's password stands in clear
        lines = [line for line in log.splitlines() if value in line and "CREATE ROLE keeper" not in line]
        assert lines == []


def test_issuing_again_changes_nothing_that_matters(server: PostgreSQL, base: str) -> None:
    lane = provisioned(server, base)
    new = issued(lane)
    again = ROTATOR.issue(lane.job, new, NO_PARTS)
    assert (again.id, again.parts) == (base + "_a", new)
    assert isinstance(lane.verify(detector, new), Live)
    held = {each.id: each for each in ROTATOR.inventory(lane.job).held}
    assert held[base + "_a"].active and held[base + "_a"].mark == MARK
    assert not held[base + "_b"].active


def test_a_role_that_somebody_uses_is_not_taken(server: PostgreSQL, base: str) -> None:
    lane = provisioned(server, base)
    first = issued(lane)
    second = issued(lane, first)
    with pytest.raises(SlotsFull) as caught:
        ROTATOR.choose(lane.job, second)
    assert base + "_a" in str(caught.value)
    with pytest.raises(SlotsFull):
        ROTATOR.choose(lane.job, NO_PARTS)


def test_a_role_of_before_is_replaced_by_the_pair_and_locked(server: PostgreSQL, base: str) -> None:
    lane = provisioned(server, base)
    legacy = base + "_legacy"
    with server.connect("keeper", "keeper-of-roles-1") as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'of-before-3'").format(sql.Identifier(legacy)))
    old = parts(user=legacy, secret="of-before-3", host="db3.corp.io")
    assert ROTATOR.identify(lane.job, old) == legacy
    new = issued(lane, old)
    assert name_of(new) == base + "_a"
    assert new["host"] == old["host"]
    ROTATOR.revoke(lane.job, legacy, old)
    assert isinstance(lane.verify(detector, old), Dead)


def test_in_place_the_old_password_dies_at_once_and_revoking_it_spares_the_new_one(server: PostgreSQL, base: str) -> None:
    lane, old = single(server, base)
    assert ROTATOR.capabilities_for(lane.entry).overlap is Overlap.NONE
    assert ROTATOR.identify(lane.job, old) == base
    new = issued(lane, old)
    assert name_of(new) == base and new["host"] == old["host"]
    assert isinstance(lane.verify(detector, old), Dead)
    lane.watch.calls.clear()
    ROTATOR.disable(lane.job, base, old)
    ROTATOR.revoke(lane.job, base, old)
    ROTATOR.revoke(lane.job, base, NO_PARTS)
    assert lane.watch.changes == []
    assert isinstance(lane.verify(detector, new), Live)
    ROTATOR.revoke(lane.job, "", new)
    assert isinstance(lane.verify(detector, new), Dead)


def test_in_place_after_a_quarantine(server: PostgreSQL, base: str) -> None:
    lane, old = single(server, base)
    ROTATOR.disable(lane.job, base, old)
    assert isinstance(lane.verify(detector, old), Restricted)
    new = issued(lane, old)
    assert isinstance(lane.verify(detector, new), Live)
    assert isinstance(lane.verify(detector, old), Dead)


def test_a_password_that_is_not_the_present_one_is_nobodys(server: PostgreSQL, base: str) -> None:
    lane, _ = single(server, base)
    stale = parts(user=base, secret="an-earlier-one")
    with pytest.raises(Refused) as caught:
        ROTATOR.identify(lane.job, stale)
    assert "present password" in caught.value.hint
    assert_silent(caught.value, [stale["secret"]])
    with pytest.raises(Refused):
        ROTATOR.identify(lane.job, parts(user=base + "_nobody", secret="x-1-y-2"))
    with pytest.raises(Refused, match="without a password"):
        server.execute("CREATE ROLE in_free LOGIN PASSWORD 'any'")
        ROTATOR.identify(lane.job, parts(user="in_free", secret="whatever-1"))


def test_provisioning_twice_makes_everything_once(server: PostgreSQL, base: str) -> None:
    lane = lane_of(server, base)
    planned = list(ROTATOR.provision(lane.job, apply=False))
    assert not any(change.done for change in planned) and len(planned) == 5
    assert server.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (base,)) == []
    list(ROTATOR.provision(lane.job, apply=True))
    lane.watch.calls.clear()
    assert all(change.done for change in ROTATOR.provision(lane.job, apply=True))
    assert lane.watch.changes == []


def test_provisioning_repairs_what_somebody_took_apart(server: PostgreSQL, base: str) -> None:
    lane = provisioned(server, base)
    owner, member = sql.Identifier(base), sql.Identifier(base + "_b")
    with server.connect("keeper", "keeper-of-roles-1") as connection:  # only who granted it can take it back
        connection.execute(sql.SQL("REVOKE {} FROM {}").format(owner, member))
    server.execute(sql.SQL("ALTER ROLE {} RESET role").format(member))
    with pytest.raises(Refused, match="member of"):
        ROTATOR.issue(lane.job, parts(user=base + "_b", secret="y-5-z-6"), NO_PARTS)
    list(ROTATOR.provision(lane.job, apply=True))
    assert all(change.done for change in ROTATOR.provision(lane.job, apply=False))


def test_what_is_refused_names_the_right_or_the_next_step(server: PostgreSQL, base: str) -> None:
    lane = provisioned(server, base)
    with pytest.raises(Refused) as caught:
        ROTATOR.inventory(lane.with_admin(user="keeper", secret="not-it-at-all-5"))
    assert "admin role keeper" in str(caught.value)
    assert_silent(caught.value, ["not-it-at-all-5"])
    server.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'no-rights-4'").format(sql.Identifier(base + "_weak")))
    weak = lane.with_admin(user=base + "_weak", secret="no-rights-4")
    new = ROTATOR.choose(lane.job, NO_PARTS)
    with pytest.raises(Refused) as caught:
        ROTATOR.issue(weak, new, NO_PARTS)
    assert "CREATEROLE" in caught.value.hint and "ADMIN OPTION" in caught.value.hint
    assert_silent(caught.value, [new["secret"]])
    server.execute(sql.SQL("ALTER ROLE {} CREATEROLE").format(sql.Identifier(base + "_weak")))
    with pytest.raises(Refused) as caught:
        ROTATOR.issue(weak, new, NO_PARTS)
    assert "ADMIN OPTION" in caught.value.hint
    with pytest.raises(Refused, match="no part `user`"):
        ROTATOR.inventory(lane.job._replace(admin=NO_PARTS))
    unmade = lane_of(server, base + "_unmade")
    with pytest.raises(Refused) as caught:
        ROTATOR.issue(unmade.job, ROTATOR.choose(unmade.job, NO_PARTS), NO_PARTS)
    assert "provision" in caught.value.hint
    with pytest.raises(Refused, match="bytes"):
        ROTATOR.choose(lane_of(server, "ü" * 31).job, NO_PARTS)
    with pytest.raises(Refused, match="none of the lane's roles"):
        ROTATOR.issue(lane.job, parts(user="keeper", secret="x-7-y-8"), NO_PARTS)


def test_sessions_can_only_be_ended_with_the_right_to_signal(server: PostgreSQL, base: str) -> None:
    lane = provisioned(server, base)
    new = issued(lane)
    server.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD 'no-signal-4'").format(sql.Identifier(base + "_weak")))
    with server.connect(name_of(new), word_of(new)), pytest.raises(Refused) as caught:
        ROTATOR.end_sessions(lane.with_admin(user=base + "_weak", secret="no-signal-4"), name_of(new), new)
    assert "pg_signal_backend" in caught.value.hint


def test_superusers_and_the_admin_itself_are_never_locked(server: PostgreSQL, base: str) -> None:
    admin = parts(user=server.admin, secret=server.password)
    lane = provisioned(server, base, admin=admin)
    server.execute(sql.SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD 'too-much-1'").format(sql.Identifier(base + "_root")))
    for name in (base + "_root", server.admin):
        for action in (ROTATOR.disable, ROTATOR.revoke):
            with pytest.raises(Refused, match="lock everybody out"):
                action(lane.job, name, NO_PARTS)
    with pytest.raises(Refused, match="admin role itself"):
        ROTATOR.revoke(lane_of(server, base).job, "keeper", NO_PARTS)


def test_the_review_names_what_is_too_much(server: PostgreSQL, base: str) -> None:
    lane = provisioned(server, base)
    issued(lane)
    server.execute(sql.SQL("ALTER ROLE {} SUPERUSER").format(sql.Identifier(base + "_b")))
    found = {(warning.code, base + "_b" in warning.text) for warning in ROTATOR.review(lane.job, ROTATOR.inventory(lane.job))}
    assert found == {("over-broad", True), ("no-expiry", False)}


def test_an_expiry_becomes_valid_until(server: PostgreSQL, base: str) -> None:
    lane = provisioned(server, base, expiry=3600.0)
    new = ROTATOR.choose(lane.job, NO_PARTS)
    answer = ROTATOR.issue(lane.job, new, NO_PARTS)
    assert answer.expires is not None and abs(answer.expires - time.time() - 3600) < 60
    assert ROTATOR.inventory(lane.job).get(base + "_a").expires == pytest.approx(answer.expires, abs=1.0)  # type: ignore[union-attr]
    past = lane_of(server, base, expiry=60.0, clock=ManualClock(1_000_000_000.0))
    ROTATOR.issue(past.job, new, NO_PARTS)
    assert isinstance(lane.verify(detector, new), Dead), "an expired password is refused like a wrong one"


def test_every_statement_passes_a_fence_of_its_own(server: PostgreSQL, base: str) -> None:
    lane = provisioned(server, base)
    lane.watch.calls.clear()
    before = server.log.count("statement: ALTER ROLE")
    new = issued(lane)
    ROTATOR.disable(lane.job, base + "_a", new)
    ROTATOR.revoke(lane.job, base + "_a", new)
    ROTATOR.end_sessions(lane.job, base + "_a", new)
    assert lane.watch.changes == ["ALTER ROLE"] * 3 + ["pg_terminate_backend"]
    assert server.log.count("statement: ALTER ROLE") - before == 3
    assert {call.host for call in lane.watch.calls} == {server.host}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=14),
    word=st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), min_size=1, max_size=20),
)
def test_names_and_passwords_of_any_characters(server: PostgreSQL, base: str, name: str, word: str) -> None:
    role = base + name
    lane = lane_of(server, role, scope={"alternate": False})
    with server.connect("keeper", "keeper-of-roles-1") as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(word)))
        try:
            old = parts(user=role, secret=word)
            assert isinstance(lane.verify(detector, old), Live)
            assert ROTATOR.identify(lane.job, old) == role
            new = issued(lane, old)
            assert isinstance(lane.verify(detector, new), Live)
            assert isinstance(lane.verify(detector, old), Dead)
        finally:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_a_password_may_be_spelt_as_in_a_url_or_a_pgpass(server: PostgreSQL, base: str) -> None:
    lane, _ = single(server, base)
    server.execute(sql.SQL("ALTER ROLE {} PASSWORD 'a:b@c\\d%'").format(sql.Identifier(base)))
    assert isinstance(lane.verify(detector, parts(user=base, secret=quote("a:b@c\\d%", safe=""))), Live)
    assert isinstance(lane.verify(pgpass, parts(user=base, secret="a:b@c\\d%".replace("\\", "\\\\").replace(":", "\\:"))), Live)
    assert isinstance(lane.verify(detector, parts(user=base, secret=quote("a:b@c\\d&", safe=""))), Dead)
    assert ROTATOR.identify(lane.job, parts(user=base, secret=quote("a:b@c\\d%", safe=""))) == base


def test_the_verifier_tells_wrong_from_refused_for_another_reason(server: PostgreSQL, base: str) -> None:
    lane, old = single(server, base)
    live = lane.verify(detector, old)
    assert isinstance(live, Live) and live.principal == base and live.scopes == ()
    assert live.evidence.host == f"{server.host}:{server.port}" and live.evidence.status == "00000"
    root = lane.verify(detector, parts(user=server.admin, secret=server.password))
    assert isinstance(root, Live) and root.scopes == ("superuser",)
    wrong = lane.verify(detector, parts(user=base, secret="wrong-one-1"))
    assert isinstance(wrong, Dead) and wrong.evidence.status == "28P01"
    assert isinstance(lane.verify(detector, parts(user=base + "_none", secret="wrong-one-1")), Dead)
    server.execute("CREATE ROLE locked_out LOGIN PASSWORD 'x-1-y'")
    rejected = lane.verify(detector, parts(user="locked_out", secret="x-1-y"))
    assert isinstance(rejected, Unknown) and "pg_hba.conf" in rejected.reason
    nowhere = lane.verify(detector, parts(secret="x-1-y"))
    assert isinstance(nowhere, Unknown) and "target.user" in nowhere.reason
    for database in ("no_such_database", "closed"):
        server.execute("CREATE DATABASE closed") if database == "closed" else None
        server.execute("REVOKE CONNECT ON DATABASE closed FROM PUBLIC") if database == "closed" else None
        elsewhere = lane_of(server, base, target=Target(host=server.host, port=server.port, database=database))
        assert isinstance(elsewhere.verify(detector, old), Restricted)
        assert isinstance(elsewhere.verify(detector, parts(user=base, secret="wrong-one-1")), Dead)


def test_other_ways_to_ask_for_a_password(server: PostgreSQL, base: str) -> None:
    lane = lane_of(server, base)
    server.execute("SET password_encryption = md5; CREATE ROLE in_md5 LOGIN PASSWORD 'md-five-5'")
    server.execute("CREATE ROLE in_clear LOGIN PASSWORD 'clear-text-6'")
    for user, word in (("in_md5", "md-five-5"), ("in_clear", "clear-text-6")):
        assert isinstance(lane.verify(detector, parts(user=user, secret=word)), Live)
        assert isinstance(lane.verify(detector, parts(user=user, secret="wrong-one-2")), Dead)


def test_a_server_that_asks_for_nothing_tells_nothing(base: str) -> None:
    with started(PostgreSQL(hba="host all all 127.0.0.1/32 trust")) as free:
        lane = Lane(ROTATOR, KIND, Target(host=free.host, port=free.port))
        verdict = lane.verify(detector, parts(user=free.admin, secret="any"))
        assert isinstance(verdict, Unknown) and "without a password" in verdict.reason


def test_without_tls_where_tls_is_demanded(server: PostgreSQL, base: str) -> None:
    _, old = single(server, base)
    for mode in ("require", "verify-ca", "verify-full"):
        target = Target(host=server.host, port=server.port, options={"sslmode": mode})
        lane = lane_of(server, base, target=target)
        verdict = lane.verify(detector, old)
        assert isinstance(verdict, Unknown) and verdict.reason == "the server offers no TLS"
        with pytest.raises(Unreachable):
            ROTATOR.inventory(lane.job)
    odd = lane_of(server, base, target=Target(host=server.host, port=server.port, options={"sslmode": "sometimes"}))
    assert isinstance(odd.verify(detector, old), Unknown)
    with pytest.raises(Refused, match="sslmode"):
        ROTATOR.inventory(odd.job)


def test_a_full_server_and_a_stopped_one(base: str) -> None:
    with started(PostgreSQL(settings={"max_connections": "4", "superuser_reserved_connections": "1"})) as small:
        small.execute("CREATE ROLE someone LOGIN PASSWORD 'some-one-1'")
        lane = Lane(ROTATOR, KIND, Target(host=small.host, port=small.port), admin=parts(user="someone", secret="some-one-1"))
        held = parts(user="someone", secret="some-one-1")
        sessions = [small.connect("someone", "some-one-1") for _ in range(3)]
        full = lane.verify(detector, held)
        assert isinstance(full, Unknown) and "53300" in full.reason and full.retry_after
        for session in sessions:
            session.close()
        small.stop()
        assert isinstance(lane.verify(detector, held), Unknown)
        with pytest.raises(Unreachable) as caught:
            ROTATOR.inventory(lane.job)
        assert_silent(caught.value, ["some-one-1"])


def test_a_server_killed_in_the_middle_leaves_it_uncertain(base: str) -> None:
    with started(PostgreSQL()) as doomed:
        admin = parts(user=doomed.admin, secret=doomed.password)
        lane = Lane(ROTATOR, KIND, Target(host=doomed.host, port=doomed.port), admin=admin, scope={"role": base})
        list(ROTATOR.provision(lane.job, apply=True))
        new = ROTATOR.choose(lane.job, NO_PARTS)
        lane.watch.before_call["ALTER ROLE"] = doomed.stop
        with pytest.raises(Uncertain) as caught:
            ROTATOR.issue(lane.job, new, NO_PARTS)
        assert_silent(caught.value, [new["secret"], doomed.password])
        lane.watch.before_call["SELECT"] = doomed.stop
        doomed.start()
        with pytest.raises(Unreachable):
            ROTATOR.inventory(lane.job)
        doomed.start()
        ROTATOR.issue(lane.job, new, NO_PARTS)
        assert isinstance(lane.verify(detector, new), Live)


def test_a_killed_admin_session_is_uncertain_too(server: PostgreSQL, base: str) -> None:
    lane = provisioned(server, base)
    new = ROTATOR.choose(lane.job, NO_PARTS)
    lane.watch.before_call["ALTER ROLE"] = lambda: server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'keeper'"
    )
    with pytest.raises(Uncertain) as caught:
        ROTATOR.issue(lane.job, new, NO_PARTS)
    assert_silent(caught.value, [new["secret"]])


def test_only_the_configured_address_is_connected_to(server: PostgreSQL, base: str) -> None:
    lane, old = single(server, base)
    elsewhere = lane.entry._replace(target=Target(host="127.0.0.1", port=1))
    with pytest.raises(HostRefused):
        ROTATOR.identify(lane.job._replace(entry=elsewhere), old)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("plain", b"plain"),
        ("I\u00adX", b"IX"),
        ("\u00aa", b"a"),
        ("\u2168", b"IX"),
        ("a\u00a0b", b"a b"),
        ("a\u0007\u00aa", "a\u0007\u00aa".encode()),
        ("\u0627\u0031", "\u0627\u0031".encode()),
    ],
)
def test_saslprep_as_its_rfc_shows(given_: str, expected: bytes) -> None:
    """RFC 4013, section 3; what it prohibits is taken as it is."""
    assert _postgresql_login.prepared(given_.encode()) == expected


@contextmanager
def behind_tls(server: PostgreSQL, certificate: Certificate) -> Iterator[int]:
    """The port of something that speaks TLS before the server, as a pooler does: the wheel's PostgreSQL is built without TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)

    def relay(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def serve(plain: socket.socket) -> None:
        with suppress(OSError):
            assert plain.recv(8)[4:] == (80877103).to_bytes(4, "big"), "a client that does not ask for TLS first"
            plain.sendall(b"S")
            with (
                context.wrap_socket(plain, server_side=True) as line,
                socket.create_connection((server.host, server.port)) as real,
            ):
                threading.Thread(target=relay, args=(real, line), daemon=True).start()
                relay(line, real)

    with socket.create_server(("127.0.0.1", 0)) as door:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=(door.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield door.getsockname()[1]
        door.shutdown(socket.SHUT_RDWR)


def test_with_tls_the_certificate_is_checked(server: PostgreSQL, base: str, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    (tmp_path / "other").mkdir()
    stranger = make_certificate(tmp_path / "other")
    _, old = single(server, base)
    with behind_tls(server, certificate) as port:

        def lane(mode: str, authority: str = "", host: str = "127.0.0.1") -> Lane:
            options = {"sslmode": mode, **({"tls_ca": authority} if authority else {})}
            target = Target(host=host, port=port, options=options)
            return lane_of(server, base, target=target, scope={"alternate": False})

        for trusted in (
            lane("verify-full", certificate.certificate),
            lane("verify-ca", certificate.certificate),
            lane("require"),
        ):
            assert isinstance(trusted.verify(detector, old), Live)
            assert isinstance(trusted.verify(detector, parts(user=base, secret="wrong-one-1")), Dead)
            assert ROTATOR.identify(trusted.job, old) == base
        for doubtful in (
            lane("verify-full"),
            lane("verify-full", stranger.certificate),
            lane("verify-full", certificate.certificate, "localhost"),
        ):
            verdict = doubtful.verify(detector, old)
            assert isinstance(verdict, Unknown) and "TLS is not accepted" in verdict.reason
            with pytest.raises(Unreachable):
                ROTATOR.identify(doubtful.job, old)
