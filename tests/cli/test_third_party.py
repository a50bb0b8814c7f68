"""A pack of somebody else is loaded when the operator names it, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

PACK = '''
"""Acme tokens."""
import os, pathlib
pathlib.Path(os.environ["CANARY"]).touch()
from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import an, assigned, concat
KIND = Kind("acme/token")
KINDS = (CredentialKind(KIND, "Acme token"),)
RULES = (Rule("acme/token", KIND, rb"acme_[A-Za-z0-9]{20}(?![A-Za-z0-9])",
              examples=(assigned("T", concat("acme_", an(20))),), near_misses=(assigned("T", concat("acme_", an(19))),)),)
'''


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A distribution with an entry point, as an installer leaves it."""
    site = tmp_path / "site"
    info = site / "acme_pack-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-pack\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[keyward.detectors]\nacme = acme_pack\nbroken = acme_missing\n")
    (site / "acme_pack.py").write_text(PACK)
    return site


def run(keyward, tmp_path: Path, site: Path, *words: str, named: str = ""):
    (tmp_path / "operator.toml").write_text(named)
    (tmp_path / "operator.toml").chmod(0o600)
    return keyward(*words, PYTHONPATH=str(site), CANARY=str(tmp_path / "loaded"), KEYWARD_CONFIG=str(tmp_path / "operator.toml"))


def test_only_when_named(keyward, tmp_path: Path, installed: Path) -> None:
    (tmp_path / "leak").write_text("x acme_" + "a1B2" * 4 + "c3D4\n")
    assert run(keyward, tmp_path, installed, "scan", "leak").code == 0
    assert "acme" in run(keyward, tmp_path, installed, "plugins", "list").out
    assert not (tmp_path / "loaded").exists()
    named = run(keyward, tmp_path, installed, "scan", "leak", "--format", "jsonl", named='plugins = ["acme"]\n')
    assert [f["kind"] for f in named.findings] == ["acme/token"]
    assert (tmp_path / "loaded").exists()
    checked = run(keyward, tmp_path, installed, "plugins", "list", named='plugins = ["acme"]\n')
    assert "third-party" in checked.out


def test_a_scanned_project_cannot_name_one(keyward, tmp_path: Path, installed: Path) -> None:
    (tmp_path / "keyward.toml").write_text('plugins = ["acme"]\n')
    result = run(keyward, tmp_path, installed, "scan", ".")
    assert result.code == 2
    assert "operator" in result.err
    assert not (tmp_path / "loaded").exists()


def test_a_pack_that_does_not_load_is_named_with_the_reason(keyward, tmp_path: Path, installed: Path) -> None:
    listed = run(keyward, tmp_path, installed, "plugins", "list", named='plugins = ["broken", "absent"]\n')
    assert "acme_missing" in listed.out
    assert "no installed package offers" in listed.out
    checked = run(keyward, tmp_path, installed, "plugins", "check", named='plugins = ["broken"]\n')
    assert checked.code == 2
    assert "acme_missing" in checked.out and "1 problem" in checked.out
