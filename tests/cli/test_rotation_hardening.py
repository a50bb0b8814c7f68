"""The rotation commands where a person, a configuration or an emergency comes in between."""

from __future__ import annotations

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


def _rotation(home: Home) -> str:
    line = next(line for line in home.run("status", "--all")[1].splitlines() if "bot/openrouter" in line)
    return line.split()[0]


def _halted_after_distribution(home: Home) -> str:
    """The consumer and the store have the new one, and the old one lives. Answers with the new one."""
    home.fake.fail(Fault("403", method="PATCH", times=50))
    home.fake.fail(Fault("403", method="DELETE", times=50))
    home.ok("rotate", "--all", "--yes", code=4)
    home.fake.faults.clear()
    assert home.alive() == {home.old, home.key_in_env()}
    return home.key_in_env()


def test_an_exempt_lane_is_not_stopped_at_all(home: Home) -> None:
    home.adopt()
    out = home.ok("rotate", "--all", "--incident", "--no-quarantine", "bot", "--yes")
    assert "QUARANTINE" not in out
    first = home.fake.changes[0]
    assert first.method == "POST", "the old one was stopped before there was a new one"


def test_an_incident_does_not_stop_the_new_one_of_an_unfinished_rotation(home: Home) -> None:
    home.adopt()
    new = _halted_after_distribution(home)
    home.ok("rotate", "--all", "--incident", "--yes")
    assert home.alive() == {new} == {home.key_in_env()}


def test_a_quarantine_is_written_down_and_can_be_taken_back(home: Home) -> None:
    home.adopt()
    home.fake.fail(Fault("403", method="POST", path="/api/v1/keys", times=9))
    home.ok("rotate", "--all", "--incident", "--yes", code=4)
    assert home.alive() == set()
    assert "QUARANTINE" in home.ok("history", _rotation(home))
    assert "PATCH" in home.ok("audit", "export"), "what was done is not in the audit log"
    home.fake.faults.clear()
    home.ok("abort", "bot/openrouter")
    assert home.alive() == {home.old}


def test_an_incident_that_cannot_begin_changes_nothing(home: Home) -> None:
    home.adopt()
    home.env_file.write_text(home.env_file.read_text().replace(home.old, "sk-or-v1-" + "0" * 64))
    out = home.ok("rotate", "--all", "--incident", "--yes", code=4)
    assert "does not hold" in out and home.alive() == {home.old}


def test_consumers_that_a_scan_found_get_it_after_an_interruption(home: Home) -> None:
    report = home.adopt()
    text = home.config.read_text()
    home.config.write_text(text[: text.index("[[lanes.bot.consumers]]")])
    home.fake.fail(Fault("403", method="POST", path="/api/v1/keys"))
    home.ok("rotate", "--leaked", str(report), "--yes", code=4)
    home.ok("resume")
    assert home.alive() == {home.key_in_env()}, "the place that the scan found has a dead key"


def test_an_entry_that_was_removed_keeps_nobody_else_from_being_resumed(home: Home) -> None:
    home.adopt()
    home.fake.fail(Fault("403", method="POST", path="/api/v1/keys"))
    home.ok("rotate", "--all", "--yes", code=4)
    whole = home.config.read_text()
    home.config.write_text(whole.replace('name = "openrouter"', 'name = "renamed"'))
    for words in (("resume",), ("abort", "bot/openrouter")):
        out = home.ok(*words, code=4)
        assert "Put it back" in out
    home.config.write_text(whole)
    home.ok("resume")


def test_a_store_that_another_lane_needs_stops_only_that_lane(home: Home) -> None:
    home.adopt()
    more = (
        f'\n[stores.other]\ntype = "agefile"\nfile = "{home.folder}/other.age"\nidentity = "{home.folder}/no-such-key"\n'
        '\n[lanes.other]\ntier = 2\n\n[[lanes.other.credentials]]\nname = "x"\nkind = "openrouter/api-key"\nstore = "other"\n'
        f'target = {{ base_url = "{home.fake.url}" }}\nadmin = {{ secret = "env:OPENROUTER_MANAGEMENT" }}\n'
    )
    text = home.config.read_text().replace('name = "openrouter"', 'name = "openrouter"\nstore = "local"')
    home.config.write_text(text + more)
    home.ok("rotate", "bot/openrouter", "--yes")
    assert home.alive() == {home.key_in_env()} and home.key_in_env() != home.old


def test_what_is_approved_is_what_is_done(home: Home) -> None:
    """A plan's name stands for the options and the configuration too: an approval of the one is none of the other."""
    home.adopt()

    def digest(*words: str) -> str:
        return home.ok("rotate", "--all", "--dry-run", *words).split("\nPlan ")[1].split()[0]

    plain = digest()
    assert digest() == plain
    assert len({plain, digest("--delete-first"), digest("--compromised-host", "bad"), digest("--no-quarantine", "bot")}) == 4
    text = home.config.read_text()
    home.config.write_text(text.replace('name = "openrouter"', 'name = "openrouter"\nscope = { limit = 1000 }'))
    assert digest() != plain


def test_naming_a_rotation_twice_resumes_it_once(home: Home) -> None:
    home.adopt()
    home.fake.fail(Fault("403", method="POST", path="/api/v1/keys"))
    home.ok("rotate", "--all", "--yes", code=4)
    home.ok("resume", _rotation(home), "bot/openrouter")
    assert home.alive() == {home.key_in_env()}


def test_a_distribution_is_in_the_audit_log(home: Home) -> None:
    home.adopt()
    home.config.write_text(home.config.read_text().replace("[[lanes.bot.consumers]]", '[[lanes.bot.consumers]]\nhost = "bad"'))
    home.ok("rotate", "--all", "--yes", "--compromised-host", "bad", code=5)
    home.env_file.write_text("DEBUG=1\n")
    home.ok("distribute", "--host", "bad")
    assert home.alive() == {home.key_in_env()}
    assert '"distribute"' in home.ok("audit", "export")


def test_an_admin_credential_is_treated_after_those_that_need_it(home: Home) -> None:
    home.adopt()
    text = home.config.read_text().replace("env:OPENROUTER_MANAGEMENT", "vault:local/lanes/admin/key#secret")
    more = (
        '\n[lanes.admin]\ntier = 1\ncanary = true\n\n[[lanes.admin.credentials]]\nname = "key"\nkind = "openrouter/api-key"\n'
        f'path = "lanes/admin/key"\ntarget = {{ base_url = "{home.fake.url}" }}\nadmin = {{ secret = "env:OPENROUTER_MANAGEMENT" }}\n'
    )
    home.config.write_text(text + more)
    out = home.run("plan", "--all")[1]
    assert out.index("bot/openrouter") < out.index("admin/key"), out
