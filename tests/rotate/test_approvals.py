"""Approvals: who counts, and who does not; signatures by the real ssh-keygen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from keyward.errors import ConfigError, Refused, UsageError
from keyward.plugin.clock import ManualClock
from keyward.rotate.approvals import Approvals
from keyward.rotate.operator import Approvers
from keyward.rotate.who import current, user_name

PLAN, OTHER = "0123456789abcdef", "fedcba9876543210"
ME = current({}).user


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Three keys, of which `allowed_signers` lists two; alice has one of her own more."""
    if shutil.which("ssh-keygen") is None:
        if os.environ.get("CI"):
            pytest.fail("ssh-keygen is missing")
        pytest.skip("ssh-keygen is not installed")
    folder = tmp_path / "keys"
    folder.mkdir()
    lines = []
    for name in ("alice", "alice-too", "bob", "mallory"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)], check=True)
        if name != "mallory":
            lines.append(f"{name.removesuffix('-too')}@example.org {(folder / f'{name}.pub').read_text()}")
    (folder / "allowed").write_text("".join(lines))
    (folder / "allowed").chmod(0o600)
    return folder


def with_keys(keys: Path, tmp_path: Path, **settings) -> Approvals:
    approvers = Approvers(allowed_signers=str(keys / "allowed"), folder=str(tmp_path / "shared"), **settings)
    (tmp_path / "shared").mkdir(exist_ok=True)
    return Approvals(approvers, clock=ManualClock())


def plain(tmp_path: Path, clock: ManualClock | None = None, **settings) -> Approvals:
    (tmp_path / "shared").mkdir(exist_ok=True)
    return Approvals(Approvers(folder=str(tmp_path / "shared"), **settings), clock=clock or ManualClock())


def test_a_user_counts_once_and_for_one_plan(tmp_path: Path) -> None:
    approvals = plain(tmp_path)
    assert not approvals.decide(PLAN, 1).allowed and approvals.decide(PLAN, 0).allowed
    for _ in range(3):
        assert approvals.approve(PLAN).person == ME
    decision = approvals.decide(PLAN, 1, starter="somebody-else")
    assert decision.allowed and decision.people == (ME,) and decision.override is None
    assert not approvals.decide(PLAN, 2).allowed
    assert approvals.decide(OTHER, 1).people == ()


def test_whoever_started_the_plan_counts_only_if_configured(tmp_path: Path) -> None:
    plain(tmp_path).approve(PLAN)
    decision = plain(tmp_path).decide(PLAN, 1, starter=ME)
    assert not decision.allowed and "started the plan" in decision.passed_over[0]
    assert plain(tmp_path, starter_counts=True).decide(PLAN, 1, starter=ME).allowed
    known_as = {"one": (ME, "me@example.org")}
    assert not plain(tmp_path, people=known_as).decide(PLAN, 1, starter="me@example.org").allowed


def test_an_approval_expires(tmp_path: Path) -> None:
    clock = ManualClock()
    approvals = plain(tmp_path, clock, valid=3600.0)
    approvals.approve(PLAN)
    clock.sleep(3599)
    assert approvals.decide(PLAN, 1).allowed
    clock.sleep(2)
    decision = approvals.decide(PLAN, 1)
    assert not decision.allowed and "expired" in decision.passed_over[0]


def test_only_configured_users(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        plain(tmp_path, users=("somebody",)).approve(PLAN)
    plain(tmp_path).approve(PLAN)
    assert "may not approve" in plain(tmp_path, users=("somebody",)).decide(PLAN, 1).passed_over[0]
    assert plain(tmp_path, users=(ME,)).decide(PLAN, 1).allowed


def forge(folder: Path, **changes) -> Path:
    now = ManualClock().now()
    record = {"v": 1, "digest": PLAN, "person": ME, "by": "user", "time": now, "expires": now + 60, **changes}
    path = folder / "shared" / f"{PLAN}.{len(os.listdir(folder / 'shared'))}.json"
    path.write_text(json.dumps(record))
    path.chmod(0o644)
    return path


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"person": "root-or-so"}, "was written by"),
        ({"digest": OTHER}, "another plan"),
        ({"time": ManualClock().now() + 9_000, "expires": ManualClock().now() + 10_000}, "from the future"),
        ({"time": ManualClock().now() - 90_000, "expires": 1e12}, "expired"),
        ({"by": "ssh"}, "no allowed_signers"),
        ({"by": "telepathy"}, "was written by"),
        ({"time": "soon"}, "is no approval"),
        ({"time": float("nan")}, "from the future"),
        ({"by": "break-glass", "reason": "x", "digest": OTHER}, ""),
    ],
)
def test_what_is_made_up_does_not_count(tmp_path: Path, changes: dict[str, object], why: str) -> None:
    approvals = plain(tmp_path)
    forge(tmp_path, **changes)
    decision = approvals.decide(PLAN, 1)
    assert not decision.allowed and why in " ".join(decision.passed_over)


def test_files_that_others_could_have_written_do_not_count(tmp_path: Path) -> None:
    approvals = plain(tmp_path)
    path = forge(tmp_path)
    assert approvals.decide(PLAN, 1).allowed
    path.chmod(0o666)
    assert not approvals.decide(PLAN, 1).allowed
    path.unlink()
    path.symlink_to(forge(tmp_path).rename(tmp_path / "elsewhere"))
    assert not approvals.decide(PLAN, 1).allowed
    (tmp_path / "shared" / f"{PLAN}.x.json").write_text("[1]")
    os.mkfifo(tmp_path / "shared" / f"{PLAN}.y.json", 0o600)
    assert not approvals.decide(PLAN, 1).allowed


@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root can make another user's file")
def test_the_owner_of_the_file_is_who_approves(tmp_path: Path) -> None:
    approvals = plain(tmp_path)
    uid = 4242
    path = forge(tmp_path, person=user_name(uid))
    assert not approvals.decide(PLAN, 1).allowed
    os.chown(path, uid, uid)
    assert approvals.decide(PLAN, 1).people == (user_name(uid),)
    approvals.approve(PLAN)
    assert approvals.decide(PLAN, 2).allowed
    assert not plain(tmp_path, people={"one": (ME, str(uid))}).decide(PLAN, 2).allowed
    os.chown(forge(tmp_path, by="break-glass", reason="somebody else's reason"), uid, uid)
    assert approvals.decide(PLAN, 3).override is None


def test_a_signature_counts(keys: Path, tmp_path: Path) -> None:
    approvals = with_keys(keys, tmp_path)
    made = approvals.approve_signed(PLAN, str(keys / "alice"))
    assert made.person == "alice@example.org" and made.key.startswith("SHA256:")
    decision = approvals.decide(PLAN, 2, starter=ME)
    assert decision.people == ("alice@example.org",) and not decision.allowed
    approvals.approve_signed(PLAN, str(keys / "alice-too"))  # another key, the same person
    assert not approvals.decide(PLAN, 2).allowed
    approvals.approve_signed(PLAN, str(keys / "bob"), "bob@example.org")
    assert approvals.decide(PLAN, 2).allowed


def test_one_person_under_two_names_counts_once(keys: Path, tmp_path: Path) -> None:
    approvals = with_keys(keys, tmp_path, people={"ada": (ME, "alice@example.org")})
    approvals.approve_signed(PLAN, str(keys / "alice"))
    approvals.approve(PLAN)
    assert len(approvals.decide(PLAN, 1, starter="x").people) == 1
    assert approvals.decide(PLAN, 1, starter=ME).people == ()


def test_one_key_under_two_names_counts_once(keys: Path, tmp_path: Path) -> None:
    line = (keys / "alice.pub").read_text()
    (keys / "allowed").write_text(f"a@example.org,b@example.org {line}")
    approvals = with_keys(keys, tmp_path)
    with pytest.raises(UsageError, match="several names"):
        approvals.approve_signed(PLAN, str(keys / "alice"))
    for name in ("a@example.org", "b@example.org"):
        approvals.approve_signed(PLAN, str(keys / "alice"), name)
    assert len(approvals.decide(PLAN, 2).people) == 1


def test_keys_that_are_not_listed(keys: Path, tmp_path: Path) -> None:
    approvals = with_keys(keys, tmp_path)
    with pytest.raises(Refused):
        approvals.approve_signed(PLAN, str(keys / "mallory"))
    with pytest.raises(Refused):
        approvals.approve_signed(PLAN, str(keys / "mallory"), "alice@example.org")
    with pytest.raises(UsageError, match="cannot sign"):
        approvals.approve_signed(PLAN, str(keys / "nobody"))
    assert os.listdir(tmp_path / "shared") == []


def test_what_was_signed_cannot_be_altered(keys: Path, tmp_path: Path) -> None:
    approvals = with_keys(keys, tmp_path)
    approvals.approve_signed(PLAN, str(keys / "alice"))
    (path,) = (tmp_path / "shared").iterdir()
    record = json.loads(path.read_text())
    for changes in (
        {"person": "bob@example.org"},
        {"expires": record["expires"] + 1},
        {"time": record["time"] + 1},
        {"digest": OTHER},
        {"signature": ""},
        {"signature": record["signature"][:-60]},
        {"person": "-Oprint-pubkey"},
    ):
        target = tmp_path / "shared" / f"{changes.get('digest', PLAN)}.x.json"
        target.write_text(json.dumps({**record, **changes}))
        target.chmod(0o644)
        path.unlink(missing_ok=True)
        decision = approvals.decide(str(changes.get("digest", PLAN)), 1)
        assert not decision.allowed and "not signed by a key of" in decision.passed_over[0]
        target.unlink()


def test_allowed_signers_must_be_the_operators_own(keys: Path, tmp_path: Path) -> None:
    approvals = with_keys(keys, tmp_path)
    (keys / "allowed").chmod(0o666)
    with pytest.raises(ConfigError, match="others can change"):
        approvals.approve_signed(PLAN, str(keys / "alice"))
    (keys / "allowed").unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        approvals.approve_signed(PLAN, str(keys / "alice"))
    with pytest.raises(UsageError, match="no allowed_signers"):
        plain(tmp_path).approve_signed(PLAN, str(keys / "alice"))


def test_breaking_the_glass_is_recorded_and_expires(tmp_path: Path) -> None:
    clock = ManualClock()
    approvals = plain(tmp_path, clock)
    with pytest.raises(UsageError):
        approvals.break_glass(PLAN, "  because ")
    override = approvals.break_glass(PLAN, "keys are abused,\n nobody else is awake")
    decision = approvals.decide(PLAN, 3)
    assert decision.allowed and decision.override == override and decision.people == ()
    assert override.reason == "keys are abused, nobody else is awake"
    assert not approvals.decide(OTHER, 1).allowed
    (path,) = (tmp_path / "shared").iterdir()
    assert json.loads(path.read_text())["by"] == "break-glass"
    clock.sleep(100_000)
    assert not approvals.decide(PLAN, 1).allowed


def test_where_it_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYWARD_STATE", str(tmp_path / "state"))
    own = Approvals(Approvers(), clock=ManualClock())
    own.approve(PLAN)
    assert (tmp_path / "state" / "approvals").stat().st_mode & 0o777 == 0o700
    for digest in ("", "../../etc", "x", "A" * 20):
        with pytest.raises(UsageError, match="no digest"):
            own.approve(digest)
    with pytest.raises(UsageError, match="cannot record") as caught:
        Approvals(Approvers(folder=str(tmp_path / "missing")), clock=ManualClock()).approve(PLAN)
    assert "install -d" in caught.value.hint
