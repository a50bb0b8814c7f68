"""`keyward rules` and `keyward plugins`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from keyward.registry import pack_files

GOOD = """
[[rules]]
id = "acme/token"
title = "Acme token"
severity = "high"
pattern = '''\\bacme_[a-z0-9]{12}\\b'''
examples = ["token = acme_abc123def456"]
near_misses = ["token = acme_abc123def45"]
"""


def test_list(keyward) -> None:
    result = keyward("rules", "list", "github")
    assert result.code == 0
    assert "github/pat-classic" in result.out
    assert keyward("rules", "list", "no-such-thing").out.startswith("\n0 rules")


@pytest.mark.parametrize("name", ["github", "github/pat-classic"])
def test_show_prints_the_page(keyward, name: str) -> None:
    result = keyward("rules", "show", name)
    assert result.code == 0
    for part in ("What an attacker can do", "How to replace it", "github.com/settings", "ghp_"):
        assert part in result.out
    near = keyward("rules", "show", "githup")
    assert near.code == 2
    assert "github" in near.err


def test_export(keyward) -> None:
    as_json = json.loads(keyward("rules", "export").out)
    as_toml = tomllib.loads(keyward("rules", "export", "--format", "toml").out)
    assert as_json == as_toml
    assert as_json["schema"] == "keyward.rules/1"
    assert len({rule["pack"] for rule in as_json["rules"]}) == len(pack_files()) >= 100


def test_check_of_own_rules(keyward, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    result = keyward("rules", "check", "mine.toml")
    assert result.code == 0, result
    assert "1 rules" in result.out
    (tmp_path / "bad.toml").write_text(GOOD.replace("acme_abc123def45\"", "acme_abc123def456\""))
    bad = keyward("rules", "check", "bad.toml")
    assert bad.code == 2
    assert "near miss 1" in bad.out


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("pattern = ", "patern = "), "pattern"),
        (("[a-z0-9]{12}", "[a-z0-9"), "pattern"),
        (("examples", "exmples"), "examples"),
        (('severity = "high"', 'severity = "huge"'), "severity"),
        (("[[rules]]", "[[rules]"), "bad.toml:2"),
    ],
)
def test_a_broken_rule_file_names_file_line_and_fix(keyward, tmp_path: Path, change: tuple[str, str], says: str) -> None:
    (tmp_path / "bad.toml").write_text(GOOD.replace(*change))
    for words in (["rules", "check", "bad.toml"], ["scan", ".", "--rules", "bad.toml"]):
        result = keyward(*words)
        assert result.code == 2, result
        assert "bad.toml" in result.err
        assert says in result.err
        assert "Traceback" not in result.err


def test_own_rules_are_used(keyward, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    (tmp_path / "leak.txt").write_text("x = acme_zyx987wvu654\n")
    assert keyward("scan", "leak.txt").code == 0
    result = keyward("scan", "leak.txt", "mine.toml", "--rules", "mine.toml", "--format", "jsonl")
    assert [(f["rule"], f["path"]) for f in result.findings] == [("acme/token", "leak.txt")]
    for engine in ("hyperscan", "portable"):
        assert keyward("scan", "leak.txt", "--rules", "mine.toml", "--engine", engine).code == 1


def test_a_repositorys_own_evil_pattern_changes_nothing(keyward, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    rule = GOOD.replace("\\bacme_[a-z0-9]{12}\\b", "acme(a+)+$").replace("acme_abc123def456", "acmeaaaa").replace("acme_abc123def45", "b")
    (tmp_path / "p" / "keyward.toml").write_text(rule)
    (tmp_path / "p" / "text").write_bytes(b"acme" + b"a" * 300_000 + b"!")
    import time

    started = time.monotonic()
    result = keyward("scan", cwd=tmp_path / "p")
    assert result.code in (0, 2)  # accepted by RE2 and harmless, or refused with the reason
    assert time.monotonic() - started < 60


def test_plugins(keyward) -> None:
    listed = keyward("plugins", "list")
    assert listed.code == 0
    assert "github" in listed.out
    assert "unavailable" not in listed.out
    named = keyward("plugins", "list", KEYWARD_CONFIG="plugins.toml")
    assert named.code == 2
