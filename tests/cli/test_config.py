"""`keyward config` and `keyward init`."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import typer
from tests_support import token
from typer.testing import CliRunner

from keyward.cli import config, init
from keyward.errors import ConfigError

GOOD = """
[stores.main]
type = "agefile"
file = "{folder}/store.age"
insecure_identity = true

[lanes.shop]
[[lanes.shop.credentials]]
name = "gh"
kind = "github/pat-classic"
admin = {{ secret = "env:KEYWARD_TEST_TOKEN" }}
"""


@pytest.fixture
def file(environment: None, tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(GOOD.format(folder=tmp_path))
    path.chmod(0o600)
    return path


def run(*words: str) -> tuple[int, str]:
    """The exit code and output; what the command raises on purpose is raised."""
    result = CliRunner().invoke(config.app, [*words], standalone_mode=False, catch_exceptions=False)
    return result.return_value or 0, result.output


def test_check(file: Path) -> None:
    code, out = run("check", "--config", str(file))
    assert code == 0 and "1 lanes, 1 credentials, 1 stores, 0 problems" in out
    assert run("check")[0] == 0


@pytest.mark.parametrize(
    ("change", "line", "hint"),
    [
        (("github/pat-classic", "github/pat-clasic"), 10, "`github/pat-classic`"),
        (("[lanes.shop]", "[lane.shop]\n[lanes.shop]"), 7, "`lanes`"),
        (('name = "gh"', 'nmae = "gh"'), 9, "`name`"),
        (("insecure_identity", "insecure_identiy"), 5, "`insecure_identity`"),
        (("insecure_identity", "kv_version"), 5, ""),
        (("[[lanes.shop.credentials]]", '[[lanes.shop.consumers]]\ntype = "dotnev"\n[[lanes.shop.credentials]]'), 8, "dotenv"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(file: Path, change: tuple[str, str], line: int, hint: str) -> None:
    file.write_text(file.read_text().replace(*change))
    with pytest.raises(ConfigError) as caught:
        run("check", "--config", str(file))
    assert caught.value.line == line and hint in caught.value.hint


def test_live_resolves_references_and_never_shows_them(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out = run("check", "--config", str(file), "--live")
    assert code == 1 and "shop/gh: admin.secret" in out and "KEYWARD_TEST_TOKEN" in out
    monkeypatch.setenv("KEYWARD_TEST_TOKEN", token(3).decode())
    code, out = run("check", "--config", str(file), "--live")
    assert (code, token(3).decode() in out) == (0, False), out


def test_a_literal_secret_is_refused_without_being_shown(file: Path) -> None:
    file.write_text(file.read_text().replace("env:KEYWARD_TEST_TOKEN", token(4).decode()))
    with pytest.raises(ConfigError) as caught:
        run("check", "--config", str(file))
    assert "no reference" in str(caught.value) and token(4).decode() not in str(caught.value) + caught.value.hint


def test_schema() -> None:
    code, out = run("schema")
    assert code == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(out))


def test_init(keyward, environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / ".env").write_bytes(b"GH_TOKEN=" + token(5) + b"\n")
    assert keyward("scan", "-f", "jsonl", "-o", "../r.jsonl", cwd=tmp_path / "p").code == 1
    monkeypatch.chdir(tmp_path / "p")
    app = typer.Typer()
    app.command()(init.init)
    target = tmp_path / "made.toml"
    result = CliRunner().invoke(app, ["--from", "../r.jsonl", "-o", str(target)], standalone_mode=False, catch_exceptions=False)
    assert "1 credentials" in result.output and token(5).decode() not in target.read_text()
    assert run("check", "--config", str(target))[0] == 0
    shown = CliRunner().invoke(app, ["--from", "../r.jsonl", "-o", "-"], standalone_mode=False, catch_exceptions=False)
    assert shown.output == target.read_text()
