"""The SSH rotator and verifier, against a real OpenSSH server."""

from __future__ import annotations

import base64
import os
import stat
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keyward.detectors import private_key as detector
from keyward.rotators import _ssh_keys as keys
from keyward.rotators.ssh import ROTATORS
from servers_support import MARK, Lane, assert_silent, parts, started

from keyward.errors import HostRefused, Refused, Uncertain, Unreachable
from keyward.model.credential import NO_PARTS, Target
from keyward.model.verdict import Dead, Live, Unknown
from keyward.plugin.clock import ManualClock
from keyward.testing.servers.sshd import KeyPair, OpenSSH, new_key_pair

ROTATOR = ROTATORS[0]
KIND = "private-key/pem"
OPENS = "open sesame"
OTHERS = b"""\
# keys of people; do not sort

command="say \\"hello, # there\\"",no-pty ssh-ed25519 %s somebody@example.org
   \tssh-ed25519 %s  two  blanks \r
not a key at all
"""


@pytest.fixture(scope="module")
def running() -> Iterator[OpenSSH]:
    with started(OpenSSH()) as server:
        yield server


@pytest.fixture
def old() -> KeyPair:
    return new_key_pair()


@pytest.fixture
def admin() -> KeyPair:
    return new_key_pair()


@pytest.fixture
def others() -> bytes:
    return OTHERS % tuple(new_key_pair().public.split()[1].encode() for _ in range(2))


@pytest.fixture
def server(running: OpenSSH, old: KeyPair, admin: KeyPair, others: bytes) -> OpenSSH:
    """The server with the admin's key, other people's lines, and the old key."""
    running.write(admin.public.encode() + b" admin\n" + others + old.public.encode() + b" deploy@ci\n")
    return running


def target_of(server: OpenSSH, **options: str) -> Target:
    pinned = {"host_key": server.host_key.fingerprint, "authorized_keys": server.keys, **options}
    return Target(host=server.host, port=server.port, user=server.user, options=pinned)


def lane_of(server: OpenSSH, admin: KeyPair | None, **more: Any) -> Lane:
    target = more.pop("target", None) or target_of(server)
    return Lane(ROTATOR, more.pop("kind", KIND), target, admin=parts(key=admin.private) if admin else NO_PARTS, **more)


def held(pair: KeyPair) -> Any:
    return parts(secret=pair.private)


def issued(lane: Lane, old: Any = NO_PARTS) -> Any:
    new = ROTATOR.choose(lane.job, old)
    answer = ROTATOR.issue(lane.job, new, old)
    assert answer.parts == new and answer.id == keys.fingerprint(keys.public_blob(new["secret"].reveal()))
    return new


def last_line(server: OpenSSH) -> str:
    return server.read().decode().splitlines()[-1]


def test_the_new_key_stands_beside_the_old_one_until_that_is_revoked(
    server: OpenSSH, old: KeyPair, admin: KeyPair, others: bytes
) -> None:
    lane, before = lane_of(server, admin), server.read()
    assert ROTATOR.identify(lane.job, held(old)) == old.fingerprint
    new = issued(lane, held(old))
    assert server.read().startswith(before), "the line is added, and nothing else is touched"
    assert last_line(server).endswith(f" keyward:prod:{MARK.partition(':')[2]}")
    assert isinstance(lane.verify(detector, held(old)), Live)
    live = lane.verify(detector, new)
    assert isinstance(live, Live) and live.principal == server.user and live.evidence.public_id.startswith("SHA256:")
    added = server.read()
    ROTATOR.issue(lane.job, new, held(old))
    assert server.read() == added
    for _ in range(2):
        ROTATOR.disable(lane.job, old.fingerprint, held(old))
        assert isinstance(lane.verify(detector, held(old)), Dead)
    for _ in range(2):
        ROTATOR.enable(lane.job, old.fingerprint, held(old))
        assert server.read() == added and isinstance(lane.verify(detector, held(old)), Live)
    ROTATOR.disable(lane.job, old.fingerprint, held(old))
    for _ in range(2):
        ROTATOR.revoke(lane.job, old.fingerprint, held(old))
    assert isinstance(lane.verify(detector, held(old)), Dead) and isinstance(lane.verify(detector, new), Live)
    assert others in server.read() and old.public.encode() not in server.read()
    found = {each.name: each for each in ROTATOR.inventory(lane.job).held}
    assert found[f"keyward:prod:{MARK.partition(':')[2]}"].mark == MARK


def test_mode_and_place_of_the_file_stay_and_nothing_is_left_beside_it(server: OpenSSH, old: KeyPair, admin: KeyPair) -> None:
    os.chmod(server.keys, 0o640)
    issued(lane_of(server, admin), held(old))
    assert stat.S_IMODE(os.stat(server.keys).st_mode) == 0o640
    assert os.listdir(os.path.dirname(server.keys)) == ["authorized_keys"]


def test_the_key_itself_may_be_the_login(server: OpenSSH, old: KeyPair) -> None:
    lane = lane_of(server, None)
    assert ROTATOR.identify(lane.job, held(old)) == old.fingerprint
    new = issued(lane, held(old))
    for _ in range(2):
        ROTATOR.revoke(lane.job, old.fingerprint, held(old))
        ROTATOR.end_sessions(lane.job, old.fingerprint, held(old))
    assert isinstance(lane.verify(detector, held(old)), Dead) and isinstance(lane.verify(detector, new), Live)
    ROTATOR.issue(lane.job, new, held(old))
    with pytest.raises(Refused, match="no login"):
        ROTATOR.inventory(lane.job)


def test_restrictions_come_from_scope_else_from_the_old_line(running: OpenSSH, old: KeyPair, admin: KeyPair) -> None:
    options = b'restrict,pty,command="backup --all",expiry-time="20991231"'
    running.write(admin.public.encode() + b"\n" + options + b" " + old.public.encode())  # and no end of line
    issued(lane_of(running, admin), held(old))
    assert last_line(running).startswith('restrict,pty,command="backup --all" ssh-ed25519 ')
    scope = {"from": "127.0.0.0/8,10.0.0.0/8", "command": 'echo "a b"', "permit": ["pty"]}
    lane = lane_of(running, admin, scope=scope, expiry=3600.0)
    new = issued(lane, held(old))
    prefix, _, end = last_line(running).partition(',expiry-time="')
    assert prefix == 'restrict,pty,from="127.0.0.0/8,10.0.0.0/8",command="echo \\"a b\\""'
    assert end.startswith(time.strftime("%Y%m%d", time.gmtime(time.time() + 3600)))
    assert isinstance(lane.verify(detector, new), Live)
    assert {w.code for w in ROTATOR.review(lane.job, ROTATOR.inventory(lane.job))} == {"no-expiry"}


def test_a_new_line_that_does_not_let_in_is_taken_back(server: OpenSSH, old: KeyPair, admin: KeyPair) -> None:
    before = server.read()
    elsewhere = lane_of(server, admin, scope={"from": "192.0.2.1"})
    with pytest.raises(Refused, match="put back") as caught:
        issued(elsewhere, held(old))
    assert "address" in caught.value.hint
    past = lane_of(server, admin, expiry=60.0, clock=ManualClock(1_000_000_000.0))
    with pytest.raises(Refused, match="put back"):
        issued(past, held(old))
    assert server.read() == before and isinstance(elsewhere.verify(detector, held(old)), Live)


def test_what_no_line_can_hold_is_refused(server: OpenSSH, old: KeyPair, admin: KeyPair) -> None:
    before = server.read()
    for scope in ({"command": "a\nb"}, {"from": 'x" y'}, {"permit": ["everything"]}, {"restrict": "yes"}, {"from": 5}):
        with pytest.raises(Refused, match=r"scope\."):
            issued(lane_of(server, admin, scope=scope), held(old))
    assert server.read() == before


def test_lines_are_found_by_the_key_never_by_the_comment(running: OpenSSH, old: KeyPair, admin: KeyPair) -> None:
    decoy = new_key_pair().public.encode() + b" keyward:prod:deploy " + old.fingerprint.encode() + b"\n"
    mine = old.public.encode() + b" first\n" + b"no-pty " + old.public.encode() + b" second\n"
    commented = b"# " + old.public.encode() + b"\n"
    running.write(admin.public.encode() + b"\n" + decoy + mine + commented)
    lane = lane_of(running, admin)
    ROTATOR.revoke(lane.job, old.fingerprint, NO_PARTS)
    assert running.read() == admin.public.encode() + b"\n" + decoy + commented


def test_the_last_key_is_not_removed(running: OpenSSH, old: KeyPair) -> None:
    running.write(b"# mine\n" + old.public.encode() + b"\n")
    before = running.read()
    for action in (ROTATOR.revoke, ROTATOR.disable):
        with pytest.raises(Refused, match="last key"):
            action(lane_of(running, None).job, old.fingerprint, held(old))
    assert running.read() == before


def test_an_admin_that_locks_itself_out_gets_the_old_file_back(server: OpenSSH, old: KeyPair, admin: KeyPair) -> None:
    lane, before = lane_of(server, admin), server.read()

    def somebody_breaks_the_host() -> None:
        with open(server.file("ssh/authorized_keys"), "rb") as file:
            assert old.public.encode() not in file.read(), "the new file must be in place"
        lane.job.admin["key"]  # still the admin's own
        os.rename(server.keys, server.keys + ".away")
        lane.watch.before_call["sftp lstat"] = lambda: os.rename(server.keys + ".away", server.keys)

    lane.watch.before_call["ssh login as " + server.user] = lambda: lane.watch.before_call.update(
        {"ssh login as " + server.user: somebody_breaks_the_host}
    )
    with pytest.raises(Refused, match="put back"):
        ROTATOR.revoke(lane.job, old.fingerprint, held(old))
    assert server.read() == before


def test_an_edit_of_somebody_else_is_not_overwritten(server: OpenSSH, old: KeyPair, admin: KeyPair) -> None:
    lane, extra = lane_of(server, admin), new_key_pair().public.encode() + b" meanwhile\n"
    lane.watch.before_call["sftp setstat"] = lambda: server.write(server.read() + extra)
    new = issued(lane, held(old))
    assert extra in server.read() and isinstance(lane.verify(detector, new), Live)
    busy = lane_of(server, admin)

    def again() -> None:
        server.write(server.read() + b"# edit\n")
        busy.watch.before_call["sftp setstat"] = again

    again()
    before = server.read()
    with pytest.raises(Refused, match="keeps writing"):
        issued(busy, held(old))
    assert server.read() == before + b"# edit\n" * 3
    assert os.listdir(os.path.dirname(server.keys)) == ["authorized_keys"]


def test_a_link_is_not_followed(server: OpenSSH, old: KeyPair, admin: KeyPair) -> None:
    link = server.file("ssh/link")
    os.symlink(server.keys, link)
    try:
        with pytest.raises(Refused, match="not a plain file"):
            issued(lane_of(server, admin, target=target_of(server, authorized_keys=link)), held(old))
    finally:
        os.unlink(link)


def test_the_host_must_be_the_pinned_one(server: OpenSSH, old: KeyPair, admin: KeyPair) -> None:
    whole = lane_of(server, admin, target=target_of(server, host_key=new_key_pair().public + ",\n" + server.host_key.public))
    assert ROTATOR.identify(whole.job, held(old)) == old.fingerprint
    assert isinstance(whole.verify(detector, held(old)), Live)
    wrong = lane_of(server, admin, target=target_of(server, host_key=new_key_pair().fingerprint))
    with pytest.raises(Refused, match="another key than the pinned"):
        ROTATOR.identify(wrong.job, held(old))
    none = lane_of(server, admin, target=target_of(server, host_key=""))
    with pytest.raises(Refused, match="not pinned"):
        ROTATOR.identify(none.job, held(old))
    logins = server.log.count("Accepted publickey") + server.log.count("Failed publickey")
    for lane, word in ((wrong, "pinned"), (none, "host_key")):
        verdict = lane.verify(detector, held(old))
        assert isinstance(verdict, Unknown) and word in verdict.reason
    assert server.log.count("Accepted publickey") + server.log.count("Failed publickey") == logins, (
        "the key was not even offered"
    )


def test_what_is_refused_says_why(server: OpenSSH, old: KeyPair, admin: KeyPair) -> None:
    stranger = new_key_pair()
    with pytest.raises(Refused, match="is not in"):
        ROTATOR.identify(lane_of(server, admin).job, held(stranger))
    with pytest.raises(Refused, match="none of the known keys") as caught:
        ROTATOR.identify(lane_of(server, stranger).job, held(old))
    with pytest.raises(Refused, match="none of the known keys"):
        ROTATOR.revoke(lane_of(server, stranger).job, old.fingerprint, held(old))
    assert_silent(caught.value, [stranger.private.decode().splitlines()[1], old.private.decode().splitlines()[1]])
    with pytest.raises(Refused, match="cannot be read") as caught:
        ROTATOR.identify(lane_of(server, admin).job, parts(secret="no-key-of-any-kind-1"))
    assert_silent(caught.value, ["no-key-of-any-kind-1"])
    server.write(server.read() + b"cert-authority " + stranger.public.encode() + b"\n")
    with pytest.raises(Refused, match="signs certificates"):
        ROTATOR.identify(lane_of(server, admin).job, held(stranger))
    with pytest.raises(HostRefused):
        lane = lane_of(server, admin)
        ROTATOR.identify(lane.job._replace(entry=lane.entry._replace(target=lane.entry.target._replace(port=1))), held(old))


def test_old_keys_with_a_passphrase(running: OpenSSH, admin: KeyPair) -> None:
    locked = new_key_pair(OPENS.encode())
    running.write(admin.public.encode() + b"\n" + locked.public.encode() + b" laptop\n")
    lane = lane_of(running, admin, kind="private-key/pem-encrypted")
    assert ROTATOR.identify(lane.job, held(locked)) == locked.fingerprint, "the public half stands there in clear"
    assert isinstance(lane.verify(detector, held(locked)), Unknown)
    assert isinstance(lane.verify(detector, {**held(locked), **parts(passphrase=OPENS)}), Live)
    new = issued(lane, held(locked))
    ROTATOR.revoke(lane.job, locked.fingerprint, held(locked))
    assert isinstance(lane.verify(detector, new), Live)
    assert locked.public.encode() not in running.read()
    running.write(admin.public.encode() + b"\n" + locked.public.encode() + b" laptop\n")
    alone = lane_of(running, None)
    with pytest.raises(Refused, match="passphrase"):
        ROTATOR.identify(alone.job, held(locked))
    known = alone.job._replace(admin=parts(passphrase=OPENS))
    assert ROTATOR.identify(known, held(locked)) == locked.fingerprint
    with pytest.raises(Refused) as caught:
        ROTATOR.identify(alone.job._replace(admin=parts(passphrase="wrong-word-9")), held(locked))
    assert_silent(caught.value, ["wrong-word-9"])


def test_a_key_as_it_was_found_in_json_yaml_or_base64(server: OpenSSH, old: KeyPair, admin: KeyPair) -> None:
    lane, text = lane_of(server, admin), old.private
    found = (
        text.replace(b"\n", b"\\n"),
        text.replace(b"\n", b"\n      "),
        base64.b64encode(text),
        text.replace(b"\n", b"\r\n"),
    )
    for form in found:
        assert ROTATOR.identify(lane.job, parts(secret=form)) == old.fingerprint
        assert isinstance(lane.verify(detector, parts(secret=form)), Live)


def test_the_sessions_are_ended_by_the_operators_command(server: OpenSSH, old: KeyPair, admin: KeyPair) -> None:
    mark = server.file("ended")
    lane = lane_of(server, admin, scope={"end_sessions": f"touch {mark}"})
    ROTATOR.end_sessions(lane.job, old.fingerprint, held(old))
    assert os.path.exists(mark) and lane.watch.changes == ["ssh exec"]
    with pytest.raises(Refused, match="status 3"):
        ROTATOR.end_sessions(lane_of(server, admin, scope={"end_sessions": "exit 3"}).job, old.fingerprint, held(old))


def test_every_change_passes_a_fence_of_its_own(server: OpenSSH, old: KeyPair, admin: KeyPair) -> None:
    lane = lane_of(server, admin)
    issued(lane, held(old))
    ROTATOR.revoke(lane.job, old.fingerprint, held(old))
    assert lane.watch.changes == ["sftp write", "sftp setstat", "sftp rename"] * 2
    assert [call.what for call in lane.watch.calls].count("ssh login as " + server.user) == 4


def test_a_session_cut_in_the_middle_and_a_host_that_is_gone(server: OpenSSH, old: KeyPair, admin: KeyPair) -> None:
    lane = lane_of(server, admin)
    new = ROTATOR.choose(lane.job, NO_PARTS)
    for call in ("sftp write", "sftp rename"):
        lane.watch.before_call[call] = server.cut
        with pytest.raises(Uncertain) as caught:
            ROTATOR.issue(lane.job, new, held(old))
        assert_silent(caught.value, [new["secret"], admin.private.decode()])
    lane.watch.before_call["sftp read"] = server.cut
    with pytest.raises(Unreachable):
        ROTATOR.issue(lane.job, new, held(old))
    server.kill()
    try:
        assert isinstance(lane.verify(detector, held(old)), Unknown)
        with pytest.raises(Unreachable):
            ROTATOR.issue(lane.job, new, held(old))
    finally:
        server.start()
    ROTATOR.issue(lane.job, new, held(old))
    assert isinstance(lane.verify(detector, new), Live) and isinstance(lane.verify(detector, held(old)), Live)
    assert os.listdir(os.path.dirname(server.keys)) == ["authorized_keys"], "what an interrupted attempt left is gone"


def test_a_host_that_takes_no_keys_tells_nothing(old: KeyPair) -> None:
    with started(OpenSSH(lines=("PubkeyAuthentication no", "PasswordAuthentication yes"))) as strict:
        lane = lane_of(strict, None)
        verdict = lane.verify(detector, held(old))
        assert isinstance(verdict, Unknown) and "takes no keys" in verdict.reason


_BLOB = st.binary(min_size=20, max_size=60).map(lambda body: b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + body)
_OPTION = st.one_of(st.sampled_from(["no-pty", "restrict", "cert-authority"]),
                    st.text(st.characters(codec="ascii", min_codepoint=32), max_size=12).map(
                        lambda t: 'command="' + t.replace("\\", "").replace('"', r"\"") + '"'))  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(
    before=st.binary(max_size=80).map(lambda b: b.replace(b"\n", b"") and b.replace(b"\n", b"") + b"\n"),
    blob=_BLOB,
    options=st.lists(_OPTION, max_size=3),
    comment=st.binary(max_size=20).map(lambda b: bytes(c for c in b if c >= 32)),
    after=st.binary(max_size=80),
)
def test_a_line_is_found_among_any_bytes_and_the_rest_stays(
    before: bytes, blob: bytes, options: list[str], comment: bytes, after: bytes
) -> None:
    line = keys.public_line(blob, ",".join(options).encode(), comment) + b"\n"
    text = before + line + after
    lines = keys.lines_of(text)
    assert keys.joined(lines) == text
    mine = [each for each in lines if isinstance(each, keys.Line) and each.blob == blob]
    assert [each.text for each in mine] == [line]
    assert mine[0].options == ",".join(options).encode()
    off = keys.lines_of(before + keys.OFF + line + after)
    assert [each.on for each in off if isinstance(each, keys.Line) and each.blob == blob] == [False]
