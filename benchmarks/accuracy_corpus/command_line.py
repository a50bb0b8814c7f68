"""The same corpus once through the command line: what this process finds in a file, `keyward scan` must list as well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

from accuracy_corpus.contexts import CONTEXTS
from accuracy_corpus.measuring import Finder, asked, covers
from accuracy_corpus.tokens import formats
from keyward.match.personas import REGULAR


def disagreements(finder: Finder) -> tuple[int, list[str]]:
    """Files written, and those in which only one of the two found the credential. Raises OSError, CalledProcessError."""
    wanted: dict[str, bool] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, shape in enumerate(formats()):
            context = CONTEXTS[number % len(CONTEXTS)]
            token = shape.token(77).named(0)
            if not asked(token, context):
                continue
            path, text = context.write(token)
            name = f"{number}/{path}"
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
            data = text.encode()
            found = finder.find(name, data)
            wanted[name] = any(each.confidence >= REGULAR and covers(each, token.secret, data) for each in found)
        listed = _listed(folder)
    return len(wanted), sorted(name for name, here in wanted.items() if here != (name in listed))


def _listed(folder: str) -> set[str]:
    """The files in which the command finds something."""
    environment = {**os.environ, "KEYWARD_STATE": os.path.join(folder, ".state")}
    command = [sys.executable, "-m", "keyward", "scan", ".", "--no-baseline", "--format", "jsonl"]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if run.returncode not in (0, 1, 3):
        raise subprocess.CalledProcessError(run.returncode, command, run.stdout, run.stderr)
    names: set[str] = set()
    for line in run.stdout.splitlines():
        said = json.loads(line)
        if said["type"] == "finding":
            names.add(said["path"].removeprefix("./"))
    return names
