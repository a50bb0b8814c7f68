"""Files that a hostile repository brings along to be run by whatever looks at it. Each leaves a canary when it is."""

from __future__ import annotations

from pathlib import Path

MODULES = (
    "keyward/__init__.py", "keyward/__main__.py", "keyward/cli/main.py", "keyward/detectors/github.py", "keyward/detectors/evil.py",
    "detectors/__init__.py", "detectors/github.py", "rotators/github.py", "sitecustomize.py", "usercustomize.py", "re.py", "os.py",
    "typing.py", "hashlib.py", "enum.py", "hyperscan.py", "hyperscan/__init__.py", "re2.py", "typer.py", "rich/__init__.py", "json.py", "conftest.py",
    "site-packages/evil.py", "multiprocessing/__init__.py", "tomllib.py", "msgspec.py", "setup.py",
)  # fmt: skip
PROGRAMS = ("git", "keyward.sh", "sh", "python", "pager")


def set_traps(folder: Path, canary: Path) -> Path:
    """Fills a folder with modules and programs that create the canary, and with settings that point to them."""
    for name in MODULES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"open({str(canary)!r}, 'a').write({name!r} + chr(10))\n")
    for name in PROGRAMS:
        (folder / name).write_text(f"#!/bin/sh\necho program {name} >> '{canary}'\n")
        (folder / name).chmod(0o755)
    (folder / "evil.pth").write_text(f"import os; open({str(canary)!r}, 'a').write('pth')\n")
    (folder / ".env").write_text("PYTHONPATH=.\nPYTHONSTARTUP=re.py\nPYTHONHOME=.\nKEYWARD_CONFIG=operator.toml\nPATH=.\n")
    (folder / ".envrc").write_text("export PYTHONPATH=. PATH=.:$PATH\n")
    (folder / "operator.toml").write_text('plugins = ["evil"]\n')
    (folder / ".config" / "keyward").mkdir(parents=True)
    (folder / ".config" / "keyward" / "config.toml").write_text('plugins = ["evil"]\n')
    (folder / "evil-1.0.dist-info").mkdir()
    (folder / "evil-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    (folder / "evil-1.0.dist-info" / "entry_points.txt").write_text("[keyward.detectors]\nevil = conftest\n")
    (folder / "pyproject.toml").write_text('[tool.keyward]\nplugins = ["evil"]\n')
    (folder / "setup.cfg").write_text("[keyward]\nplugins = evil\n")
    return canary
