"""`keyward rules` and `keyward plugins`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from keyward.plugin.shapes import an
from keyward.registry import pack_files

TOKEN = f"acme_{an(12).sample(1).text.decode().lower()}"
SHORT = TOKEN[:-1]

GOOD = f"""
[[rules]]
id = "acme/token"
title = "Acme token"
severity = "high"
pattern = '''\\bacme_[a-z0-9]{{12}}\\b'''
examples = ["token = {TOKEN}"]
near_misses = ["token = {SHORT}"]
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
    (tmp_path / "bad.toml").write_text(GOOD.replace(f'{SHORT}"', f'{TOKEN}"'))
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
    rule = (
        GOOD.replace("\\bacme_[a-z0-9]{12}\\b", "acme(a+)+$")
        .replace(TOKEN, "acmeaaaa")
        .replace(SHORT, "b")
    )
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


GITLEAKS = """
[extend]
useDefault = true
[[rules]]
id = "Acme"
description = "Acme token"
regex = '''acmetok_([a-z0-9]{24})'''
keywords = ["acmetok_"]
[[rules]]
id = "behind"
regex = '''(?<=x)secret'''
[[allowlists]]
description = "samples"
paths = ['''^samples/''']
"""


def acme(seed: int) -> str:
    return "acmetok_" + an(24).sample(seed).text.decode().lower()


def test_a_file_of_gitleaks_is_checked_and_what_it_loses_is_named(keyward, tmp_path: Path) -> None:
    (tmp_path / ".gitleaks.toml").write_text(GITLEAKS)
    result = keyward("rules", "check", ".gitleaks.toml")
    assert result.code == 0, result
    assert result.out.splitlines() == [
        "not translated: rule behind: regex: a lookahead, lookbehind or group that RE2 does not know (at character 3)",
        ".gitleaks.toml: 1 rules (1 tried on texts made of their patterns), 1 allowlists, 1 things not translated, 0 problems",
    ]
    (tmp_path / "mine.toml").write_text(GOOD)
    both = keyward("rules", "check", ".gitleaks.toml", "mine.toml")
    assert both.code == 0
    assert "1 packs, 1 rules, 2 samples: 0 problems" in both.out
    (tmp_path / ".gitleaks.toml").write_text("[[rules]]\nregex = 'x'\n")
    wrong = keyward("rules", "check", ".gitleaks.toml")
    assert (wrong.code, "has no id" in wrong.err) == (2, True)


def test_a_scan_with_a_file_of_gitleaks(keyward, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "samples").mkdir(parents=True)
    (tree / ".git").mkdir()
    (tree / "a.txt").write_text(f"one {acme(1)}\n")
    (tree / "samples" / "b.txt").write_text(f"two {acme(2)}\n")
    (tree / ".gitleaks.toml").write_text(GITLEAKS)
    assert keyward("scan", ".", cwd=tree).code == 0  # never because it lies in the scanned tree
    result = keyward("scan", ".", "--gitleaks-config", ".gitleaks.toml", "--format", "jsonl", cwd=tree)
    assert result.code == 1
    assert [(f["rule"], f["path"]) for f in result.findings] == [("gitleaks/acme", "a.txt")]
    assert [(a["path"], a["allowance"]) for a in result.summary["allowed"]] == [
        ("samples/b.txt", {"by": ".gitleaks.toml", "reason": "gitleaks: global allowlist 1 (samples): paths"})
    ]
    assert [note for note in result.summary["notes"] if "rule behind: regex" in note]
    config = tmp_path / "config.toml"
    config.write_text('gitleaks_config = "tree/.gitleaks.toml"\n')
    config.chmod(0o600)
    again = keyward("scan", "tree", "--config", str(config), "--format", "jsonl")
    assert [f["path"] for f in again.findings] == ["tree/a.txt"]
    assert keyward("scan", ".", "--gitleaks-config", "none.toml", cwd=tree).code == 2
    (tree / "keyward.toml").write_text('gitleaks_config = ".gitleaks.toml"\n')
    refused = keyward("scan", ".", cwd=tree)
    assert (refused.code, "belongs in the operator's configuration" in refused.err) == (2, True)


def test_commits_that_a_file_of_gitleaks_lets_pass(keyward, new_repo, tmp_path: Path) -> None:
    git = new_repo(tmp_path / "repository")
    first = git.commit("one", **{"a.txt": f"one {acme(1)}\n".encode()})
    git.commit("two", **{"b.txt": f"two {acme(2)}\n".encode()})
    (tmp_path / "gl.toml").write_text(GITLEAKS.replace("paths = ['''^samples/''']", f'commits = ["{first.upper()}"]'))
    words = ("scan", ".", "--history", "--gitleaks-config", str(tmp_path / "gl.toml"), "--format", "jsonl")
    result = keyward(*words, cwd=git.root)
    assert [f["path"] for f in result.findings] == ["b.txt"]
    assert [a["allowance"]["reason"] for a in result.summary["allowed"]] == ["gitleaks: global allowlist 1 (samples): commits"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.txt").write_text(
            f"x = acme_{an(12).sample(number).text.decode().lower()}\n" + "plain text\n" * 200
        )
    return folder


def test_bench_is_a_table_of_costs(keyward, tmp_path: Path, tree: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    result = keyward("rules", "bench", "tree", "--rules", "mine.toml", "--pack", "github", "--show", "acme/token")
    assert result.code == 0, result
    lines = result.out.splitlines()
    assert [line.split()[:2] for line in lines[:4]] == [["75", f"tree/{number}.txt:1"] for number in range(4)]
    assert lines[4].split() == ["rule", "share", "engine", "confirm", "judge", "hits/GB", "found/GB", "mark"]
    size = sum(path.stat().st_size for path in tree.iterdir())
    row = next(line for line in lines if line.startswith("acme/token")).split()
    assert row[5] == row[6] == f"{round(4e9 / size):,}"
    assert row[7:] == ["slow,", "noisy"]
    assert any(line.startswith(f"4 files, {size / 1e6:,.1f} MB in ") for line in lines)
    assert "is estimated" in lines[-1]


def test_bench_as_data(keyward, tmp_path: Path, tree: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    result = keyward("rules", "bench", "tree", "--rules", "mine.toml", "--pack", "github", "--quick", "--format", "json")
    data = json.loads(result.out)
    assert data["schema"] == "keyward.rules-bench/1"
    assert (data["files"], data["engine_estimated"], data["interrupted"]) == (4, False, False)
    rules = {rule["rule"]: rule for rule in data["rules"]}
    assert set(rules["acme/token"]) == {
        "rule", "share", "engine_seconds", "engine_shared", "confirm_seconds", "judge_seconds", "hits", "matches", "found",
        "hits_per_gb", "found_per_gb", "marks",
    }  # fmt: skip
    assert (rules["acme/token"]["hits"], rules["acme/token"]["matches"], rules["acme/token"]["found"]) == (4, 4, 4)
    assert rules["github/pat-classic"]["hits"] == 0
    assert sum(rule["share"] for rule in data["rules"]) <= 1.0001
    assert data["seconds"] == pytest.approx(
        data["engine_seconds"] + sum(rule["confirm_seconds"] + rule["judge_seconds"] for rule in data["rules"]), abs=1e-4
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("none",), "there is no 'none'"),
        (("tree", "--pack", "githup"), "there is no pack"),
        (("tree", "--pack", "github", "--show", "github/pat-clasic"), "github/pat-classic"),
        (("tree", "--format", "xml"), "neither text nor json"),
    ],
)
def test_bench_with_wrong_words(keyward, tree: Path, words: tuple[str, ...], says: str) -> None:
    result = keyward("rules", "bench", *words)
    assert result.code == 2
    assert says in result.err
