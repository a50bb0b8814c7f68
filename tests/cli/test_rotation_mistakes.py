"""What a tired person types: whatever does not fit is refused whole, with the next step, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rotation_home import Home
from rotation_home import home as make_home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "home") as made:
        yield made


@pytest.mark.parametrize(
    ("words", "said", "next_step"),
    [
        (["bot"], "'bot' is a lane", "--lane bot"),
        (["bot/opnrouter"], "no credential 'bot/opnrouter'", "Did you mean `bot/openrouter`"),
        (["--lane", "bt"], "no lane 'bt'", "Did you mean `bot`"),
        # with something that fits beside it: else the one that was mistyped would be left as it is, and nobody would know
        (["--lane", "bot", "--kind", "openrouter/api-kye"], "'openrouter/api-kye'", "Did you mean `openrouter/api-key`"),
        (["--lane", "bot", "--tier", "2"], "has tier 2", "There are: 1."),
        ([], "say what to rotate", "--leaked REPORT"),
    ],
)
def test_a_word_that_fits_nothing_is_refused(home: Home, words: list[str], said: str, next_step: str) -> None:
    home.adopt()
    for command in (["plan"], ["rotate", "--yes"]):
        code, out, err = home.run(*command, *words)
        assert code == 2 and said in err and next_step in err and out == ""
    assert home.fake.changes == []


def test_without_a_configuration_the_first_step_is_told(home: Home) -> None:
    home.config.write_text("")
    code, _, err = home.run("rotate", "--all", "--yes")
    assert code == 2 and "keyward init --from" in err
    for words in (["lanes", "list"], ["due"], ["lanes", "check"]):
        assert "keyward init --from" in home.ok(*words)


def test_nothing_was_changed_stands_in_a_sentence_of_its_own(home: Home) -> None:
    home.adopt()
    home.config.write_text(home.config.read_text().replace("env:OPENROUTER_MANAGEMENT", "env:NOT_SET"))
    out = home.ok("rotate", "--all", "--yes", code=4)
    assert "variable is not set. Nothing was changed." in out and "No credential would be rotated:" in out


def test_a_setting_that_means_nothing_is_told_and_nothing_is_made(home: Home) -> None:
    """Passed over, it would leave the new key without the limit that it was to have."""
    home.adopt()
    home.config.write_text(home.config.read_text().replace('name = "openrouter"', 'name = "openrouter"\nscope = { limt = 5 }'))
    out = home.ok("config", "check", code=1)
    assert "bot/openrouter: scope.limt" in out and "Did you mean `limit`" in out and "1 problems" in out
    out = home.ok("rotate", "--all", "--yes", code=4)
    assert "scope.limt" in out and "Nothing was changed" in out and home.fake.changes == []


def test_a_part_that_a_new_key_has_not_is_told_before_the_first_one_is_made(home: Home) -> None:
    home.config.write_text(home.config.read_text().replace("{secret}", "{sekret}"))
    home.env_file.write_text("DEBUG=1\n")
    out = home.ok("rotate", "--all", "--yes", code=4)
    assert "no part `sekret`; it has: secret" in out and "Nothing was changed" in out and home.fake.changes == []


def test_a_fingerprint_that_no_lane_holds_is_told_to_bring_its_report(home: Home) -> None:
    fingerprint = home.fingerprint(home.scan())
    code, _, err = home.run("revoke", fingerprint, "--yes")
    assert code == 2 and f"no lane holds {fingerprint}" in err and "local (1 credential)" in err
    assert f"keyward revoke {fingerprint} --leaked report.jsonl" in err and "keyward revoke - --kind KIND" in err
    assert home.alive() == {home.old}
    home.adopt()
    code, out, _ = home.run("revoke", fingerprint, "--leaked", "report.jsonl", "--dry-run")
    assert code == 4 and "in use by bot/openrouter" in out and "keyward rotate bot/openrouter" in out


def test_a_word_that_is_no_fingerprint_is_refused(home: Home) -> None:
    for words in (["kw1_x"], ["bot/openrouter"], [], ["-", "--leaked", "report.jsonl"]):
        code, out, err = home.run("revoke", *words, "--yes")
        assert code == 2 and err and out == ""


def test_a_report_that_is_older_than_the_rotation_says_to_scan_again(home: Home) -> None:
    report = home.adopt()
    home.ok("rotate", "--leaked", str(report), "--yes")
    out = home.ok("rotate", "--leaked", str(report), "--yes")
    assert "No credential would be rotated." in out and "scan again" in out
    assert "bot/openrouter replaced it on 20" in out and "proved dead" in out and "lanes adopt" not in out
