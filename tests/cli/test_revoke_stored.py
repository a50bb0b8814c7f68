"""`keyward revoke FINGERPRINT` alone: of a value that a lane's store holds, or that a rotation has replaced."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from rotation_home import Home
from rotation_home import home as make_home

from keyward.flows.workplace import open_workplace
from keyward.match.fingerprint import Fingerprinter, from_base32
from keyward.model.secret import Secret
from keyward.plugin.store import Slot


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "home") as made:
        yield made


def _halted(home: Home) -> tuple[str, str]:
    """The store's `previous` has the old one, and the consumer the new one. Answers with the old one's fingerprint and the new one."""
    name = home.fingerprint(home.adopt())
    home.config.write_text(home.config.read_text() + 'check = ["false"]\n')
    home.ok("rotate", "bot/openrouter", "--yes", code=4)
    home.config.write_text(home.config.read_text().replace('check = ["false"]\n', ""))
    assert home.alive() == {home.old, home.key_in_env()}
    return name, home.key_in_env()


def test_what_a_lane_uses_is_to_be_rotated(home: Home) -> None:
    name = home.fingerprint(home.adopt())
    for words in (["--dry-run"], ["--yes"]):
        out = home.ok("revoke", name, *words, code=4)
        assert "bot/openrouter uses it now" in out and "keyward rotate bot/openrouter" in out
        assert home.alive() == {home.old}
    out = home.ok("revoke", name, "--yes", "--anyway")
    assert "proved dead" in out and home.alive() == set() and home.old not in out


def test_what_an_unfinished_rotation_works_with_is_left_to_it(home: Home) -> None:
    name, new = _halted(home)
    for more in ([], ["--anyway"]):
        out = home.ok("revoke", name, "--yes", *more, code=4)
        assert "is not finished" in out and "keyward resume r" in out and "keyward abort r" in out
        out = home.ok("revoke", "-", "--kind", "openrouter/api-key", "--yes", *more, code=4, stdin=home.old)
        assert "is not finished" in out
    assert home.alive() == {home.old, new}
    home.ok("resume")
    assert home.alive() == {new}
    out = home.ok("revoke", name, "--yes")
    assert "bot/openrouter replaced it on 20" in out and "proved dead" in out and home.alive() == {new}


def test_what_a_lost_rotation_left_is_revoked_and_its_slot_freed(home: Home) -> None:
    name, new = _halted(home)
    shutil.rmtree(home.folder / "state" / "rotations")
    store = (home.folder / "store.age").read_bytes()
    out = home.ok("revoke", name, "--dry-run")
    assert "held by bot/openrouter (previous)" in out
    assert home.alive() == {home.old, new} and (home.folder / "store.age").read_bytes() == store
    code, _, err = home.run("revoke", name)
    assert code == 2 and "--yes" in err
    out = home.ok("revoke", name, "--yes")
    assert "proved dead" in out and "the previous slot of bot/openrouter was freed" in out and home.alive() == {new}
    assert "revoke: proved" in home.ok("audit", "show")
    home.ok("rotate", "bot/openrouter", "--yes")
    assert home.alive() == {home.key_in_env()} and new not in home.alive()


def test_what_a_consumer_still_has_is_not_revoked(home: Home) -> None:
    name, new = _halted(home)
    shutil.rmtree(home.folder / "state" / "rotations")
    home.env_file.write_text(home.env_file.read_text().replace(new, home.old))
    out = home.ok("revoke", name, "--yes", code=4)
    assert "may use it" in out and str(home.env_file) in out and "keyward abort --free-slots bot/openrouter" in out
    assert home.alive() == {home.old, new}
    home.ok("revoke", name, "--yes", "--anyway")
    assert home.alive() == {new}


def test_the_only_one_that_works_is_not_revoked(home: Home) -> None:
    name, new = _halted(home)
    shutil.rmtree(home.folder / "state" / "rotations")
    home.ok("revoke", "-", "--kind", "openrouter/api-key", "--yes", "--anyway", stdin=new)
    out = home.ok("revoke", name, "--yes", code=4)
    assert "the only one of bot/openrouter that works" in out and home.alive() == {home.old}


def test_what_stands_in_pending_without_a_rotation_is_revoked(home: Home) -> None:
    home.adopt()
    stray = home.fake.make_key("stray").value
    parts = {"secret": Secret(stray.encode())}
    with open_workplace(str(home.config)) as place:
        entry = place.operator.entry("bot/openrouter")
        place.store("local").write(entry.path, Slot.PENDING, parts, {}, expected=0)
    salt = from_base32((home.folder / "state" / "salt").read_text().strip())
    out = home.ok("revoke", Fingerprinter(salt).of(stray.encode()), "--yes")
    assert "proved dead" in out and "the pending slot of bot/openrouter was freed" in out and stray not in out
    assert home.alive() == {home.old}
    home.ok("rotate", "--all", "--yes")


def test_of_several_that_are_named_none_is_killed_if_one_is_unknown(home: Home) -> None:
    name = home.fingerprint(home.adopt())
    code, out, err = home.run("revoke", name, "kw1_" + "b" * 26, "--yes", "--anyway")
    assert code == 2 and out == "" and f"no lane holds kw1_{'b' * 26}" in err and home.alive() == {home.old}
