"""`keyward scrub` knows what the operator's stores hold and held; and what it cannot look at, it withholds."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import rules_cache as compiled
from rotation_home import Home
from rotation_home import home as make_home
from tests_support import token

Keyward = Callable[..., Any]

ONE = token(90)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A rotation of its lane's key has stopped, so that the store holds both, the old one and the new."""
    with make_home(tmp_path / "home") as made:
        made.adopt()
        made.config.write_text(made.config.read_text() + 'check = ["false"]\n')
        made.ok("rotate", "--all", "--yes", code=4)
        yield made


def echoes(value: str) -> dict[str, bytes]:
    """Ways to write it that no detector reads in a stream."""
    raw = value.encode()
    return {
        "hex": raw.hex().encode(),
        "utf-16": value.encode("utf-16-le"),
        **{f"base64 behind {n} bytes": base64.b64encode(b"q" * n + raw + b"z") for n in range(3)},
    }


def test_what_the_stores_hold_and_held_goes_however_it_is_written(home: Home) -> None:
    new = home.key_in_env()
    assert new != home.old and {home.old, new} <= home.alive()
    for value in (home.old, new):
        for name, echo in echoes(value).items():
            text = (b"x " + echo + b" y\n").decode("latin-1")
            assert home.ok("scrub", "--no-stores", stdin=text) == text, name  # nobody else knows it
            out = home.ok("scrub", stdin=text)
            assert "[redacted:openrouter/api-key:" in out and out.endswith("y\n"), name
            longest = max(echo.split(b"="), key=len)[4:-4].decode("latin-1")
            assert longest not in out, name


def test_they_go_from_files_too(home: Home) -> None:
    note = home.folder / "note.md"
    texts = [echo for name, echo in echoes(home.old).items() if name.startswith("base64")]
    note.write_bytes(b"\n".join(texts))
    out = home.ok("scrub", str(note), "--in-place", "--yes")
    assert "Nothing remains." in out and note.read_bytes().count(b"[redacted:openrouter/api-key:") == len(texts)


def test_a_store_that_does_not_answer_makes_it_incomplete_and_detectors_go_on(home: Home) -> None:
    (home.folder / "store.age").write_bytes(b"damaged")
    code, out, said = home.run("scrub", stdin=f"x {ONE.decode()} y\n")
    assert code == 3 and "not looked for" in said
    assert out.startswith("x [redacted:github/pat-classic:") and ONE.decode() not in out + said


PACK = """
from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import concat, hexa, part
KIND = Kind("hopeless/token")
KINDS = (CredentialKind(KIND, "A token with too many that look like it"),)
SHAPE = concat("qqx", hexa(8))
RULES = (Rule("hopeless/token", KIND, rb"qqx[0-9a-f]{8}(?![0-9a-f])",
              examples=(part("secret", SHAPE),), near_misses=(concat(SHAPE, "a"),)),)
"""


@pytest.fixture
def hopeless(tmp_path: Path) -> dict[str, str]:
    """A third party's pack whose rule gives up where much looks like its tokens and is none: the variables under which it is used."""
    info = tmp_path / "site" / "hopeless_pack-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hopeless-pack\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[keyward.detectors]\nhopeless = hopeless_pack\n")
    (tmp_path / "site" / "hopeless_pack.py").write_text(PACK)
    config = tmp_path / "hopeless.toml"
    config.write_text('plugins = ["hopeless"]\n')
    config.chmod(0o600)
    cache = compiled.copy(tmp_path / "cache")  # of its own: other rules would push the usual ones out of the one that all share
    return {"PYTHONPATH": str(tmp_path / "site"), "KEYWARD_CONFIG": str(config), "KEYWARD_CACHE": str(cache)}


def test_what_cannot_be_looked_at_is_withheld_and_said(keyward: Keyward, hopeless: dict[str, str]) -> None:
    draw = secrets.SystemRandom()
    lines = [b"qqx%08x0" % draw.randrange(1 << 32) for _ in range(6_000)]
    lines[3_000] = b"in the middle " + ONE
    text = b"first line of many\n" * 5_000 + b"\n".join(lines) + b"\n" + b"last line of many\n" * 5_000
    done = keyward("scrub", stdin=text, **hopeless)
    assert done.code == 3 and "could not be looked at and were withheld" in done.err
    assert done.out.startswith("first line of many\n") and done.out.endswith("last line of many\n")
    assert "bytes withheld" in done.out and ONE.decode() not in done.out + done.err
    assert len(done.out) < len(text) - 10_000, "what was withheld is not there"
    assert keyward("scrub", stdin=b"first qqx0123456789\n" + ONE + b"\n", **hopeless).code == 0
