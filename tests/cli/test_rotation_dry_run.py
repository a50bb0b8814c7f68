"""`--dry-run` of every command that changes something: it says what would be done, and nothing is changed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from rotation_home import Home
from rotation_home import home as make_home

from keyward.testing.fakes.server import Fault


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "home") as made:
        yield made


def _files(home: Home) -> dict[str, bytes]:
    """Every file of the home with its bytes."""
    return {str(path.relative_to(home.folder)): path.read_bytes() for path in home.folder.rglob("*") if path.is_file()}


def _halted(home: Home) -> str:
    """A rotation that gave out the new one, and its consumer is not well with it. Answers with its id."""
    home.adopt()
    home.config.write_text(home.config.read_text() + f'check = ["test", "-e", "{home.folder}/well"]\n')
    home.ok("rotate", "--all", "--yes", code=4)
    (home.folder / "well").touch()
    return next(line for line in home.run("status")[1].splitlines() if "bot/openrouter" in line).split()[0]


def test_abort_only_says_whether_there_is_a_way_back(home: Home) -> None:
    rotation = _halted(home)
    alive, journal = home.alive(), home.ok("history", rotation)
    out = home.ok("abort", "bot/openrouter", "--dry-run")
    assert rotation in out and "can be taken back" in out
    assert home.alive() == alive and len(alive) == 2, "the new one was revoked"
    assert home.ok("history", rotation) == journal, "it was taken back"
    assert "Taken back" in home.ok("abort", "bot/openrouter")
    assert home.alive() == {home.old}


def test_abort_says_that_there_is_none(home: Home) -> None:
    home.adopt()
    home.fake.fail(Fault("403", method="DELETE", times=50))
    home.ok("rotate", "--all", "--yes", code=4)
    home.fake.faults.clear()
    out = home.ok("abort", "bot/openrouter", "--dry-run", code=4)
    assert "cannot be taken back" in out and "keyward resume" in out


def test_resume_only_names_what_it_would_go_on_with(home: Home) -> None:
    rotation = _halted(home)
    alive = home.alive()
    assert rotation in home.ok("resume", "--dry-run") and home.alive() == alive
    home.ok("resume")
    assert home.alive() == {home.key_in_env()} != {home.old}
    assert "Nothing to resume" in home.ok("resume", "--dry-run")


def test_distribute_only_says_who_would_be_given_it(home: Home) -> None:
    home.adopt()
    home.config.write_text(home.config.read_text().replace('type = "dotenv"\n', 'type = "dotenv"\nhost = "agent-7"\n'))
    home.ok("rotate", "--all", "--compromised-host", "agent-7", "--yes", code=5)
    before = home.env_file.read_text()
    out = home.ok("distribute", "--dry-run")
    assert "would be given it" in out and str(home.env_file) in out and home.env_file.read_text() == before
    code, _, err = home.run("distribute", "--host", "agent-8")
    assert code == 2 and "agent-8" in err and "They stand on agent-7" in err
    code, _, err = home.run("distribute", "bot/openruter")
    assert code == 2 and "Did you mean `bot/openrouter`" in err


def test_a_consumer_that_the_configuration_lost_is_not_passed_over(home: Home) -> None:
    home.adopt()
    before = home.config.read_text().replace('type = "dotenv"\n', 'type = "dotenv"\nhost = "agent-7"\n')
    home.config.write_text(before)
    home.ok("rotate", "--all", "--compromised-host", "agent-7", "--yes", code=5)
    home.config.write_text(before.replace("/bot/.env", "/bot/.env2"))
    out = home.ok("distribute", code=4)
    assert str(home.env_file) in out and "no such consumer any more" in out
    home.config.write_text(before)
    home.env_file.write_text("OPENROUTER_API_KEY=\n")
    home.ok("distribute")
    assert home.alive() == {home.key_in_env()}


def test_provide_says_what_it_waits_for(home: Home) -> None:
    bare = home.config.read_text().replace("openrouter/api-key", "typeform/token").partition("[[lanes.bot.consumers]]")[0]
    home.config.write_text("\n".join(line for line in bare.splitlines() if not line.startswith(("target", "admin"))))
    home.ok("rotate", "--all", "--yes", code=5)
    assert home.ok("provide", "bot/openrouter", "--dry-run") == "bot/openrouter waits for: secret\n"
    home.ok("status", code=5)


def test_approve_only_says_whether_it_would_count(home: Home) -> None:
    home.config.write_text(home.config.read_text().replace("tier = 1\n", "tier = 1\napprovals = 1\n"))
    home.adopt()
    digest = home.ok("plan", "--all").rsplit("Plan ", 1)[1].split()[0]
    before = _files(home)
    out = home.ok("approve", digest[:12], "--dry-run")
    assert f"would approve {digest}" in out and "bot/openrouter" in out and "somebody else than" in out
    assert home.run("approve", "x", "--dry-run")[0] == 2
    assert _files(home) == before
    home.ok("approve", digest)
    assert _files(home) != before


def test_approve_with_a_key_keeps_nothing(home: Home) -> None:
    key, signers = home.folder / "key", home.folder / "signers"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True)
    approvers = f'\n[lanes.defaults.approvers]\nallowed_signers = "{signers}"\n'
    home.config.write_text(home.config.read_text() + approvers)
    signers.write_text("")
    before = _files(home)
    code, _, err = home.run("approve", "0123456789abcdef", "--key", str(key), "--dry-run")
    assert code == 4 and "does not list this key" in err and _files(home) == before
    signers.write_text(f"alice {key.with_suffix('.pub').read_text()}")
    before = _files(home)
    out = home.ok("approve", "0123456789abcdef", "--key", str(key), "--dry-run")
    assert "alice would approve" in out and _files(home) == before


def test_revoke_only_says_what_it_would_kill(home: Home) -> None:
    report = home.scan()
    home.ok("lanes", "check", "--report", str(report), code=1)  # makes the operator's salt, as any command does
    before = _files(home)
    assert home.fingerprint(report) in home.ok("revoke", "--leaked", str(report), "--dry-run")
    assert _files(home) == before and home.alive() == {home.old}
