"""The age-encrypted file: the contract, its identities, and what a crash or a full disk leaves."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyrage
import pytest
from stores.store_parts import Watch, local_ports

from keyward.errors import ConfigError, StoreDenied, StoreUnavailable
from keyward.model.secret import Secret
from keyward.plugin.clock import ManualClock
from keyward.plugin.ports import Call
from keyward.plugin.store import Slot
from keyward.stores.age_identity import Identity, PassphraseSeal, PlainSeal, Seal, SshSeal, SystemdSeal
from keyward.stores.agefile import AgeFileStore
from keyward.stores.file_lock import FileLock
from keyward.testing.store_contract import Opener, StoreContract, shown, value

PATH = "lanes/a/key"


def plain_store(folder: Path, *fences: Watch, wait: float = 10.0, clock: ManualClock | None = None) -> AgeFileStore:
    ports = local_ports(*fences, clock=clock)
    return AgeFileStore("local", str(folder / "store.age"), Identity(PlainSeal()), ports, lock_wait=wait)


def sealed_by(seal: Seal, folder: Path) -> AgeFileStore:
    return AgeFileStore("local", str(folder / "store.age"), Identity(seal), local_ports())


class TestAgeFile(StoreContract):
    counts_versions = False

    @pytest.fixture
    def opened(self, tmp_path: Path) -> Iterator[Opener]:
        yield lambda: plain_store(tmp_path)


class Passphrase:
    """Somebody who types, and how often they had to."""

    def __init__(self, text: bytes) -> None:
        self.text, self.asked = text, 0

    def __call__(self) -> Secret:
        self.asked += 1
        return Secret(self.text)


def test_a_passphrase_is_asked_once_and_nothing_is_readable_without_it(tmp_path: Path) -> None:
    secret, right, wrong = value(), Passphrase(b"correct horse"), Passphrase(b"battery staple")
    store = sealed_by(PassphraseSeal(right), tmp_path)
    assert store.read(PATH, Slot.CURRENT) is None
    assert right.asked == 0
    version = store.write(PATH, Slot.CURRENT, {"secret": secret}, {}, expected=0)
    store.write(PATH, Slot.CURRENT, {"secret": secret}, {}, expected=version)
    assert right.asked == 1
    again = sealed_by(PassphraseSeal(right), tmp_path)
    assert [again.read(PATH, Slot.CURRENT) is not None for _ in range(3)] == [True] * 3
    assert right.asked == 2
    with pytest.raises(StoreDenied) as caught:
        sealed_by(PassphraseSeal(wrong), tmp_path).read(PATH, Slot.CURRENT)
    assert "battery" not in shown(caught.value)
    for file in tmp_path.iterdir():
        assert secret.reveal() not in file.read_bytes()
        assert PATH.encode() not in file.read_bytes()


def test_an_empty_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreDenied):
        sealed_by(PassphraseSeal(Passphrase(b" ")), tmp_path).write(PATH, Slot.CURRENT, {}, {}, expected=0)
    assert not (tmp_path / "store.age").exists()


def new_ssh_key(file: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", str(file)], check=True)
    return file


def test_an_ssh_key_opens_it_and_another_does_not(tmp_path: Path) -> None:
    key, other = new_ssh_key(tmp_path / "key"), new_ssh_key(tmp_path / "other")
    parts = {"secret": value()}
    sealed_by(SshSeal(str(key)), tmp_path).write(PATH, Slot.CURRENT, parts, {}, expected=0)
    held = sealed_by(SshSeal(str(key)), tmp_path).read(PATH, Slot.CURRENT)
    assert held is not None and held.parts == parts
    with pytest.raises(StoreDenied):
        sealed_by(SshSeal(str(other)), tmp_path).read(PATH, Slot.CURRENT)


@pytest.mark.parametrize(("kind", "passphrase"), [("ed25519", "locked"), ("ecdsa", "")])
def test_an_ssh_key_that_age_cannot_use_makes_no_store(tmp_path: Path, kind: str, passphrase: str) -> None:
    key = new_ssh_key(tmp_path / "key", kind, passphrase)
    with pytest.raises(ConfigError) as caught:
        sealed_by(SshSeal(str(key)), tmp_path).write(PATH, Slot.CURRENT, {}, {}, expected=0)
    assert str(key) in str(caught.value) and caught.value.hint
    assert not (tmp_path / "store.age.identity").exists()


def systemd_creds_work() -> bool:
    try:
        command = ["systemd-creds", "encrypt", "--name=x", "-", "-"]
        return subprocess.run(command, input=b"x", capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def test_systemd_seals_it_to_the_machine(tmp_path: Path) -> None:
    if not systemd_creds_work():
        reason = "systemd-creds cannot encrypt here (needs systemd 250 and root)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    parts = {"secret": value()}
    sealed_by(SystemdSeal("keyward-test"), tmp_path).write(PATH, Slot.CURRENT, parts, {}, expected=0)
    held = sealed_by(SystemdSeal("keyward-test"), tmp_path).read(PATH, Slot.CURRENT)
    assert held is not None and held.parts == parts
    with pytest.raises(StoreDenied):
        sealed_by(SystemdSeal("another-name"), tmp_path).read(PATH, Slot.CURRENT)


def test_a_credential_that_the_service_manager_hands_in(tmp_path: Path) -> None:
    parts, credentials = {"secret": value()}, tmp_path / "credentials"
    credentials.mkdir()
    plain_store(tmp_path).write(PATH, Slot.CURRENT, parts, {}, expected=0)
    (credentials / "store").write_bytes((tmp_path / "store.age.identity").read_bytes())
    seal = SystemdSeal("store", directory=str(credentials), program="no-such-program")
    held = sealed_by(seal, tmp_path).read(PATH, Slot.CURRENT)
    assert held is not None and held.parts == parts


def test_without_systemd_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="not installed") as caught:
        sealed_by(SystemdSeal(program="no-such-program"), tmp_path).write(PATH, Slot.CURRENT, {}, {}, expected=0)
    assert caught.value.certain


def test_files_are_for_this_user_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        store = AgeFileStore("local", str(tmp_path / "new" / "store.age"), Identity(PlainSeal()), local_ports())
        store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    finally:
        os.umask(old)
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "new").iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == ["store.age", "store.age.identity", "store.age.lock"]


def test_an_identity_in_plain_text_must_not_be_readable_by_others(tmp_path: Path) -> None:
    plain_store(tmp_path).write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    (tmp_path / "store.age.identity").chmod(0o644)
    with pytest.raises(StoreUnavailable, match="others"):
        plain_store(tmp_path).read(PATH, Slot.CURRENT)
    assert not plain_store(tmp_path).health().usable


def test_health_warns_of_a_plain_identity(tmp_path: Path) -> None:
    health = plain_store(tmp_path).health()
    assert health.usable and "insecure_identity" in health.detail


@pytest.mark.parametrize("content", [b"", b"not age at all", None])
def test_a_damaged_file_is_never_taken_for_an_empty_one(tmp_path: Path, content: bytes | None) -> None:
    store = plain_store(tmp_path)
    store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    file = tmp_path / "store.age"
    file.write_bytes(file.read_bytes()[:-1] if content is None else content)
    for act in (
        lambda: store.read(PATH, Slot.CURRENT),
        lambda: list(store.paths()),
        lambda: store.write(PATH, Slot.CURRENT, {}, {}, expected=0),
    ):
        with pytest.raises(StoreUnavailable) as caught:
            act()
        assert caught.value.certain


def test_a_file_of_another_identity_or_format_is_refused(tmp_path: Path) -> None:
    store = plain_store(tmp_path)
    store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    mine = pyrage.x25519.Identity.from_str((tmp_path / "store.age.identity").read_text().strip())
    for recipient, content in ((pyrage.x25519.Identity.generate(), b"{}"), (mine, b'{"format": 2}'), (mine, b"[]")):
        (tmp_path / "store.age").write_bytes(pyrage.encrypt(content, [recipient.to_public()]))
        with pytest.raises(StoreUnavailable):
            store.read(PATH, Slot.CURRENT)


def test_without_its_identity_the_store_is_not_made_anew(tmp_path: Path) -> None:
    plain_store(tmp_path).write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    (tmp_path / "store.age.identity").unlink()
    before = (tmp_path / "store.age").read_bytes()
    with pytest.raises(StoreUnavailable, match="identity is missing"):
        plain_store(tmp_path).write(PATH, Slot.CURRENT, {}, {}, expected=0)
    assert (tmp_path / "store.age").read_bytes() == before


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "store.age").symlink_to(tmp_path / "real" / "store.age")
    plain_store(tmp_path).write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    assert (tmp_path / "store.age").is_symlink() and (tmp_path / "real" / "store.age").is_file()


def test_who_cannot_have_the_lock_writes_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    store = plain_store(tmp_path, clock=clock, wait=5.0)
    store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    program = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "store.age.lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert other.stdout is not None and other.stdout.readline()
        began = clock.monotonic()
        with pytest.raises(StoreUnavailable, match="locked") as caught:
            store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=1)
        assert caught.value.certain and clock.monotonic() - began >= 5.0
        assert store.read(PATH, Slot.CURRENT) is not None
    finally:
        other.communicate()
    store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=1)


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    lock = FileLock(str(tmp_path / "lock"), ManualClock())
    with pytest.raises(ZeroDivisionError), lock:
        raise ZeroDivisionError
    with lock:
        pass


def in_child(act: Callable[[], None]) -> int:
    """Runs something in a forked child, and answers how that ended: 0, 1 for an exception, or minus a signal."""
    child = os.fork()
    if child == 0:
        try:
            act()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_full_disk_leaves_the_old_content_and_is_certain(tmp_path: Path) -> None:
    store = plain_store(tmp_path)
    old = value()
    store.write(PATH, Slot.CURRENT, {"secret": old}, {}, expected=0)

    def write_too_much() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        with pytest.raises(StoreUnavailable) as caught:
            store.write(PATH, Slot.CURRENT, {"secret": Secret(b"x" * 65536)}, {}, expected=1)
        assert caught.value.certain

    assert in_child(write_too_much) == 0
    held = store.read(PATH, Slot.CURRENT)
    assert held is not None and (held.parts, held.version) == ({"secret": old}, 1)
    assert not (tmp_path / "store.age.new").exists()


class Killer:
    """A fence that kills its process before or after one call, by number."""

    def __init__(self, number: int, *, after: bool) -> None:
        self.left, self.is_after = number, after

    def before(self, call: Call) -> None:
        if not self.is_after:
            self._count()

    def after(self, call: Call, outcome: str) -> None:
        if self.is_after:
            self._count()

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("first", [True, False], ids=["first write", "later write"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(4))
def test_killed_at_any_call_leaves_old_or_new(tmp_path: Path, number: int, after: bool, first: bool) -> None:
    old, new = value(), value()
    if not first:
        plain_store(tmp_path).write(PATH, Slot.CURRENT, {"secret": old}, {}, expected=0)
    killer = Killer(number, after=after)
    store = AgeFileStore("local", str(tmp_path / "store.age"), Identity(PlainSeal()), local_ports(killer))
    ended = in_child(lambda: store.write(PATH, Slot.CURRENT, {"secret": new}, {}, expected=0 if first else 1) and None)
    assert ended in (0, -signal.SIGKILL)
    held = plain_store(tmp_path).read(PATH, Slot.CURRENT)
    allowed = [{"secret": new}] if ended == 0 else [{"secret": new}, None if first else {"secret": old}]
    assert (held.parts if held else None) in allowed
    plain_store(tmp_path).write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=held.version if held else 0)


def test_killed_at_any_instant_leaves_a_whole_file(tmp_path: Path) -> None:
    """Not only at the fences: a writer that never stops is killed at times that nobody chose."""
    program = """
import sys
from keyward.plugin.ports import Hosts, Ports
from keyward.plugin.store import Slot
from keyward.model.secret import Secret
from keyward.stores.age_identity import Identity, PlainSeal
from keyward.stores.agefile import AgeFileStore
store = AgeFileStore("x", sys.argv[1], Identity(PlainSeal()), Ports(Hosts()))
held = store.read("a", Slot.CURRENT)
version = held.version if held else 0
for _ in range(100_000):
    version = store.write("a", Slot.CURRENT, {"n": Secret(b"%d" % (version + 1)), "ballast": Secret(b"x" * 30_000)}, {}, expected=version)
    print(version, flush=True)
"""
    seen = 0
    for round_ in range(6):
        writer = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "store.age")], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        for _ in range(3 + 5 * round_):
            writer.stdout.readline()
        writer.kill()
        told = [int(line) for line in writer.communicate()[0].split() if line.strip()]
        held = plain_store(tmp_path).read("a", Slot.CURRENT)
        assert held is not None
        assert held.parts["n"].reveal() == b"%d" % held.version
        assert held.version >= max([seen, *told[:-1]])
        seen = held.version


def test_a_draft_that_a_crash_left_is_replaced(tmp_path: Path) -> None:
    store = plain_store(tmp_path)
    store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    (tmp_path / "store.age.new").write_bytes(b"half")
    store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=1)
    assert not (tmp_path / "store.age.new").exists()


def test_every_effect_passes_the_fence(tmp_path: Path) -> None:
    watch = Watch()
    store = plain_store(tmp_path, watch)
    version = store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    store.erase(PATH, Slot.CURRENT, expected=version)
    changes = [call.what for call in watch.calls if call.changes]
    assert changes == ["agefile:write identity", f"agefile:write {PATH} current", f"agefile:erase {PATH} current"]
    assert set(watch.outcomes) == {"ok"}


def test_an_erased_value_is_gone_from_the_file(tmp_path: Path) -> None:
    secret = value()
    store = plain_store(tmp_path)
    version = store.write(PATH, Slot.CURRENT, {"secret": secret}, {}, expected=0)
    store.erase(PATH, Slot.CURRENT, expected=version)
    identity = pyrage.x25519.Identity.from_str((tmp_path / "store.age.identity").read_text().strip())
    plain = pyrage.decrypt((tmp_path / "store.age").read_bytes(), [identity])
    assert secret.reveal() not in plain and PATH.encode() not in plain
