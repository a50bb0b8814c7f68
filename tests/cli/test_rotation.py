"""From a scan to a proved rotation, as a person types it; the provider is a stateful local server."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from rotation_home import Home
from rotation_home import home as make_home

from keyward.registry import Registry
from keyward.testing.fakes.server import Fault


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "home") as made:
        yield made


def test_a_leaked_key_is_adopted_planned_rotated_and_proved_dead(home: Home) -> None:
    report = home.adopt()
    plan = home.ok("plan", "--leaked", str(report))
    assert "bot/openrouter" in plan and "ISSUE ▸ PROVE ▸ PROMOTE ▸ DISTRIBUTE" in plan
    assert home.alive() == {home.old}, "a plan changes nothing"

    out = home.ok("rotate", "--leaked", str(report), "--yes")
    new = home.key_in_env()
    assert home.alive() == {new} and new != home.old
    assert "proved" in out
    text = home.env_file.read_text()
    assert text == f"# the bot\nexport OPENROUTER_API_KEY='{new}'  # do not share\nDEBUG=1\n"
    home.ok("status")
    history = home.ok("history")
    rotation = re.search(r"r\d{8}-\d{6}-[0-9a-f]{6}", history)
    assert rotation is not None
    assert "CONFIRM" in home.ok("history", rotation[0])
    assert "proved" in home.ok("audit", "show")
    home.ok("audit", "verify")
    home.ok("scan", "bot", code=1)  # the new key stands in the .env again, as its consumer wants it


def test_no_value_is_printed_or_written_by_any_command(home: Home) -> None:
    report = home.adopt()
    said = []
    for words in (
        ("plan", "--all"),
        ("rotate", "--leaked", str(report), "--yes"),
        ("status", "--all"),
        ("history",),
        ("audit", "show"),
        ("audit", "export"),
        ("lanes", "list"),
        ("lanes", "show", "bot"),
        ("due",),
        ("lanes", "check"),
        ("config", "check"),
    ):
        code, out, err = home.run(*words)
        assert code in (0, 1), f"{words}: {code}\n{out}\n{err}"
        said.append(out + err)
    new = home.key_in_env()
    for value in (home.old, new, home.fake.management.value):
        assert all(value not in text for text in said)
        for folder, _, names in os.walk(home.folder):
            for name in names:
                path = Path(folder, name)
                if path != home.env_file:
                    assert value.encode() not in path.read_bytes(), f"a value stands in {path}"
    assert home.old not in home.env_file.read_text()


def test_without_a_yes_nothing_is_changed(home: Home) -> None:
    home.adopt()
    code, out, err = home.run("rotate", "--all")
    assert code == 2 and "--yes" in err and "ISSUE" in out
    assert home.alive() == {home.old}
    home.ok("rotate", "--all", "--dry-run")
    assert home.alive() == {home.old}
    code, _, err = home.run("rotate")
    assert code == 2 and "--all" in err


def test_an_unowned_leak_is_named_and_left_alone(home: Home) -> None:
    report = home.scan()
    out = home.ok("rotate", "--leaked", str(report), "--yes", code=5)
    assert "lanes adopt" in out and home.alive() == {home.old}


def test_a_refusing_provider_leaves_everything_as_it_was(home: Home) -> None:
    home.adopt()
    home.fake.fail(Fault("403", method="POST", path="/api/v1/keys"))
    out = home.ok("rotate", "--all", "--yes", code=4)
    assert "Not done" in out and home.alive() == {home.old} and home.key_in_env() == home.old
    assert "unfinished" in home.ok("status", code=4)
    home.ok("resume")
    assert home.alive() == {home.key_in_env()} and home.key_in_env() != home.old


def test_a_halted_rotation_is_taken_back(home: Home) -> None:
    home.adopt()
    home.fake.fail(Fault("403", method="POST", path="/api/v1/keys"))
    home.ok("rotate", "--all", "--yes", code=4)
    out = home.ok("abort", "bot/openrouter")
    assert "as before" in out
    assert home.alive() == {home.old} and home.key_in_env() == home.old
    assert "taken back" not in home.ok("status") or "aborted" in home.ok("status", "--all")
    home.ok("rotate", "--all", "--yes")
    assert home.alive() == {home.key_in_env()}


def test_an_incident_stops_the_old_key_first(home: Home) -> None:
    home.adopt()
    out = home.ok("rotate", "--all", "--incident", "--yes")
    assert "Incident" in out and "QUARANTINE" in out
    assert home.alive() == {home.key_in_env()}
    changes = [f"{seen.method} {seen.path.rsplit('/', 1)[0]}" for seen in home.fake.changes]
    assert changes[0].startswith("PATCH"), changes


def test_a_wrong_admin_credential_is_refused_before_anything_changes(home: Home) -> None:
    home.adopt()
    home.config.write_text(home.config.read_text().replace("env:OPENROUTER_MANAGEMENT", "env:NOT_SET"))
    code, out, err = home.run("rotate", "--all", "--yes")
    assert code == 4 and "NOT_SET" in out + err and home.alive() == {home.old}
    assert "Nothing was changed" in out


def test_a_consumer_that_somebody_changed_is_not_overwritten(home: Home) -> None:
    home.adopt()
    text = home.env_file.read_text().replace(home.old, "sk-or-v1-" + "0" * 64)
    home.env_file.write_text(text)
    out = home.ok("rotate", "--all", "--yes", code=4)
    assert "does not hold" in out and home.env_file.read_text() == text and home.alive() == {home.old}


def test_a_leak_that_nothing_needs_is_revoked_and_proved_dead(home: Home) -> None:
    report = home.scan()
    out = home.ok("revoke", "--leaked", str(report), "--dry-run")
    assert home.fingerprint(report) in out and home.alive() == {home.old}
    code, _, err = home.run("revoke", "--leaked", str(report))
    assert code == 2 and "--yes" in err
    out = home.ok("revoke", "--leaked", str(report), "--yes")
    assert "proved dead" in out and home.alive() == set() and home.old not in out
    assert "dead already" in home.ok("revoke", "--leaked", str(report), "--yes")


def test_what_a_lane_uses_is_not_revoked_by_the_way(home: Home) -> None:
    report = home.adopt()
    out = home.ok("revoke", "--leaked", str(report), "--yes", code=4)
    assert "bot/openrouter uses it now" in out and home.alive() == {home.old}
    assert "proved dead" in home.ok("revoke", "--leaked", str(report), "--yes", "--anyway")


def test_a_value_from_standard_input_is_revoked(home: Home) -> None:
    other = home.fake.make_key("forgotten").value
    out = home.ok("revoke", "-", "--kind", "openrouter/api-key", "--yes", stdin=other + "\n")
    assert "proved dead" in out and other not in out and home.alive() == {home.old}
    code, _, err = home.run("revoke", "-", "--yes", stdin=other)
    assert code == 2 and "--kind" in err
    code, _, err = home.run("revoke", "-", "--kind", "openrouter/typo", "--yes", stdin=other)
    assert code == 2 and "no kind" in err


def test_a_lane_that_wants_approval_waits_for_somebody_else(home: Home) -> None:
    home.config.write_text(home.config.read_text().replace("tier = 1\n", "tier = 1\napprovals = 1\n"))
    home.adopt()
    code, out, err = home.run("rotate", "--all", "--yes")
    assert code == 4 and "keyward approve" in err and home.alive() == {home.old}
    digest = out.rsplit("Plan ", 1)[1].split()[0]
    assert "that somebody else than" in home.ok("approve", digest)
    code, _, err = home.run("rotate", "--all", "--yes")
    assert code == 4 and home.alive() == {home.old}, "who begins it does not count"
    assert "started the plan" in err, "and is not told why"
    home.ok("rotate", "--all", "--yes", "--break-glass", "the key is on a public page")
    assert home.alive() == {home.key_in_env()}
    assert "the key is on a public page" in home.ok("audit", "show")


MANUAL = """
[lanes.hand]

[[lanes.hand.credentials]]
name = "typeform"
kind = "{kind}"

[[lanes.hand.consumers]]
type = "dotenv"
path = "{home}/hand/.env"
set = {{ TYPEFORM_TOKEN = "{{secret}}" }}
"""


def test_a_kind_that_only_a_person_can_reissue_waits_and_goes_on(home: Home) -> None:
    """No provider can be asked here, so the end is attested."""
    rule = next(rule for name, rule in Registry().rules() if rule.id == "typeform/token")
    old, new = (rule.examples[0].sample(seed).parts["secret"].decode() for seed in (1, 2))
    kind = "typeform/token"
    (home.folder / "hand").mkdir()
    env_file = home.folder / "hand" / ".env"
    env_file.write_text(f"TYPEFORM_TOKEN={old}\n")
    home.config.write_text(home.config.read_text() + MANUAL.format(home=home.folder, kind=kind))
    report = home.folder / "hand.jsonl"
    home.ok("scan", "hand", "--format", "jsonl", "-o", str(report), code=1)
    home.ok("lanes", "adopt", home.fingerprint(report), "--lane", "hand", "--report", str(report))
    out = home.ok("rotate", "hand/typeform", "--yes", code=5)
    assert "keyward provide hand/typeform" in out
    assert "waiting for a person" in home.ok("status", code=5)
    code, _, err = home.run("provide", "hand/typeform", new)
    assert code == 2 and "argument" in err
    code, _, err = home.run("provide", "hand/typeform", "-", stdin=old)
    assert code == 4 and "old value" in err
    out = home.ok("provide", "hand/typeform", "-", stdin=new + "\n", code=5)
    assert "keyward resume hand/typeform" in out, "the old one is not dead until the person says so"
    home.ok("resume", code=5)
    out = home.ok("resume", "hand/typeform")
    assert "attested" in out and env_file.read_text() == f"TYPEFORM_TOKEN={new}\n"
    out = home.ok("rotate", "--leaked", str(report), "--yes", code=5)
    assert "nobody could be asked whether it is dead" in out and "proved dead" not in out


def test_a_compromised_host_gets_nothing_until_its_clean_successor_asks(home: Home) -> None:
    home.adopt()
    home.config.write_text(home.config.read_text().replace('type = "dotenv"\n', 'type = "dotenv"\nhost = "agent-7"\n'))
    out = home.ok("rotate", "--all", "--incident", "--compromised-host", "agent-7", "--yes", code=5)
    assert "was not given it" in out and home.key_in_env() == home.old and home.old not in home.alive()
    home.env_file.write_text("# a clean machine\nOPENROUTER_API_KEY=''\n")
    home.ok("distribute", "--host", "agent-7")
    assert home.alive() == {home.key_in_env()}
    assert "Nothing was withheld" in home.ok("distribute")


def test_ctrl_c_stops_at_a_safe_point_and_resume_finishes(home: Home) -> None:
    home.adopt()
    home.fake.latency = 0.2
    process = subprocess.Popen(
        [sys.executable, "-m", "keyward.cli.main", "rotate", "--all", "--yes"],
        cwd=home.folder,
        env=dict(home.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    for line in process.stderr:  # one line a step, since it is no terminal
        if b"PROVE" in line:
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    home.fake.latency = 0.0
    assert "unfinished" in home.ok("status", code=4)
    home.ok("resume")
    assert home.alive() == {home.key_in_env()} and home.key_in_env() != home.old


def test_no_value_is_ever_an_argument_of_a_process(home: Home) -> None:
    home.adopt()
    home.fake.latency = 0.05
    seen: list[bytes] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            for entry in os.scandir("/proc"):
                if entry.name.isdigit():
                    with contextlib.suppress(OSError), open(f"/proc/{entry.name}/cmdline", "rb") as file:
                        seen.append(file.read())
            stop.wait(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        home.ok("rotate", "--all", "--yes")
    finally:
        stop.set()
        watcher.join()
    assert any(b"rotate" in line for line in seen), "the watcher saw nothing"
    for value in (home.old, home.key_in_env(), home.fake.management.value):
        assert not any(value.encode() in line for line in seen)
