"""The openclaw consumer without OpenClaw: wrong options, and answers that the real one is not known to give (`test_openclaw_real` has it)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from consumers.openclaw_house import values

from keyward.errors import ConfigError, ConsumerError
from keyward.model.secret import Secret
from keyward.plugin.ports import Hosts, Ports
from keyward.rotate.consumers import openclaw


def stub(folder: Path, stdout: str, code: int = 0, stderr: str = "") -> list[str]:
    program = f"import sys; sys.stdin.buffer.read(); print({stdout!r}); print({stderr!r}, file=sys.stderr); sys.exit({code})"
    path = folder / "stub.py"
    path.write_text(program)
    return [sys.executable, str(path)]


@pytest.mark.parametrize(
    ("stdout", "code", "said"),
    [
        ('{"ok": true, "warningCount": 3}', 0, "warningCount 3"),
        ('{"ok": false}', 0, "not the JSON"),
        ('{"ok": true, "warningCount": false}', 0, "warningCount"),
        ("nothing", 0, "not the JSON"),
        ('{"ok": false, "error": {"message": "Gateway not reachable at ws://127.0.0.1:1"}}', 1, "not reachable"),
        ("your token is QUOTED-VALUE", 3, "exit 3"),
    ],
)
def test_every_other_answer_to_a_reload_is_an_error(tmp_path: Path, stdout: str, code: int, said: str) -> None:
    """What OpenClaw is not known to answer, played by a program of ours; its words are not passed on."""
    (tmp_path / "openclaw.json").write_text('{"a": {"b": "v1"}}')
    table = {"command": stub(tmp_path, stdout, code), "state_dir": str(tmp_path), "name": "X"}
    consumer = openclaw.make(table, Ports(Hosts()), lambda reference: Secret(b""))
    with pytest.raises(ConsumerError, match=said) as caught:
        consumer._reload({})
    assert "QUOTED" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({}, "name"),
        ({"name": "X", "plase": "store"}, "plase"),
        ({"name": "X", "place": "attic"}, "place"),
        ({"place": "config"}, "field"),
        ({"place": "vault", "path": "a", "token": "env:T"}, "url"),
        ({"place": "vault", "path": "a", "url": "http://127.0.0.1:1"}, "token"),
        ({"name": "X", "own_credential": True}, "gateway"),
        ({"name": "X", "timeout": 0}, "timeout"),
        ({"name": "X", "command": "openclaw"}, "command"),
    ],
)
def test_wrong_options_are_named(table: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=f"`{key}`"):
        openclaw.make(table, Ports(Hosts()), lambda reference: Secret(b""))


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    (tmp_path / "openclaw.json").write_text('{"hooks": {"token": "v1"}}')
    table = {"place": "config", "field": "hooks.token", "state_dir": str(tmp_path), "command": [str(tmp_path / "none")]}
    consumer = openclaw.make(table, Ports(Hosts()), lambda reference: Secret(b""))
    with pytest.raises(ConsumerError, match="cannot be called"):
        consumer.apply(values("v1", "v2"))
    (tmp_path / "openclaw.json").write_text("{hooks: {token: 'v1'}} // by hand")
    with pytest.raises(ConsumerError, match="JSON5"):
        consumer.holds(values("v1", "v2"))
