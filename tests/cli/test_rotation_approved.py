"""A lane that demands two approvals: they are signed with two people's SSH keys, and hold for the one plan."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from rotation_home import Home
from rotation_home import home as make_home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "home") as made:
        made.config.write_text(made.config.read_text().replace("tier = 1\n", "tier = 1\napprovals = 2\n"))
        made.adopt()
        signers = made.folder / "signers"
        for name in ("alice", "bob"):
            key = made.folder / name
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True)
            with open(signers, "a") as file:
                file.write(f"{name} {key.with_suffix('.pub').read_text()}")
        made.config.write_text(made.config.read_text() + f'\n[lanes.defaults.approvers]\nallowed_signers = "{signers}"\n')
        yield made


def _digest(home: Home, *words: str) -> str:
    return home.ok("rotate", "--all", "--dry-run", *words).rsplit("Plan ", 1)[1].split()[0]


def test_two_people_must_agree_and_to_this_plan(home: Home) -> None:
    digest = _digest(home)
    for _ in range(2):  # one person twice is one person
        assert f"alice approves {digest} (by ssh)" in home.ok("approve", digest, "--key", str(home.folder / "alice"))
        code, _, err = home.run("rotate", "--all", "--yes")
        assert code == 4 and "needs 2 approvals, and has 1 (alice)" in err and f"keyward approve {digest}" in err
    home.ok("approve", digest, "--key", str(home.folder / "bob"), "--dry-run")
    assert home.run("rotate", "--all", "--yes")[0] == 4, "a dry run approves nothing"
    home.ok("approve", digest, "--key", str(home.folder / "bob"))
    assert _digest(home, "--delete-first") != digest
    code, _, err = home.run("rotate", "--all", "--delete-first", "--yes")
    assert code == 4 and "has 0 (nobody)" in err, "another plan"
    assert home.alive() == {home.old} and home.fake.changes == []
    home.ok("rotate", "--all", "--yes")
    assert home.alive() == {home.key_in_env()} and home.key_in_env() != home.old
    shown = home.ok("audit", "show")
    assert shown.count(f"plan {digest}") == 3


def test_breaking_the_glass_needs_a_reason(home: Home) -> None:
    code, _, err = home.run("rotate", "--all", "--yes", "--break-glass", "x")
    assert code == 2 and "reason" in err and home.fake.changes == []
    home.ok("rotate", "--all", "--yes", "--break-glass", "keys are abused, on call alone")
    assert home.alive() == {home.key_in_env()}
    assert "break-glass" in home.ok("audit", "show") and "on call alone" in home.ok("audit", "show")
