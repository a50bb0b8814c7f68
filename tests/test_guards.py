"""What must hold for the whole repository."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import rules_cache as compiled

import keyward
from keyward.flows.scan import ScanOptions, scan

ROOT = Path(__file__).resolve().parent.parent


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / os.fsdecode(name) for name in names.split(b"\0") if name]


def test_the_public_names_are_these() -> None:
    assert sorted(keyward.__all__) == ["Finding", "Occurrence", "Outcome", "ScanOptions", "Secret", "__version__", "run_scan"]
    for name in keyward.__all__:
        assert getattr(keyward, name) is not None
    with pytest.raises(AttributeError):
        _ = keyward.no_such_name


def test_importing_keyward_loads_nothing_else() -> None:
    import sys

    program = "import sys; before = set(sys.modules); import keyward; print(sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert [name for name in re.findall(r"'([^']+)'", loaded) if name.startswith("keyward.")] == []


def test_no_real_looking_credential_stands_in_the_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KEYWARD_STATE", str(tmp_path))
    monkeypatch.setenv("KEYWARD_CACHE", str(compiled.copy(tmp_path / "cache")))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("KEYWARD_CONFIG", raising=False)
    monkeypatch.chdir(ROOT)
    outcome = scan(ScanOptions(paths=tuple(str(path.relative_to(ROOT)) for path in tracked() if path.is_file()), baseline=""))
    places = [(f.kind, o.locator.path, o.line) for f in outcome.findings for o in f.occurrences]
    assert places == []
    assert outcome.complete
    assert outcome.allowed == ()


def test_no_path_of_a_machine_stands_in_the_repository() -> None:
    """Not the folder that this checkout lies in, nor the home of whoever works on it."""
    wanted = {str(ROOT.parent), str(Path.home())} - {"/", "/root", "/home"}
    for path in tracked():
        if path.is_file():
            text = path.read_bytes()
            assert not [w for w in wanted if re.search(re.escape(w).encode() + rb"/", text)], path


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix == ".py" and path.exists() and not re.match(r'(?:#!.*\n)?r?"""', path.read_text() or '"""')
    ]
    assert silent == []


def test_generic_folder_names_do_not_appear() -> None:
    assert not {"utils", "common", "core", "helpers"} & {part for path in tracked() for part in path.relative_to(ROOT).parts}
    assert not [path for path in tracked() if path.stem in ("utils", "common", "core", "helpers")]
