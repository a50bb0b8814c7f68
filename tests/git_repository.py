"""A git repository for a test."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class Git:
    """A repository and plain git, as a user runs it."""

    def __init__(self, root: Path, *init: str) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self("init", "-q", "-b", "main", *init)

    def __call__(self, *arguments: str | bytes, check: bool = True, stdin: bytes = b"", **environment: str) -> str:
        result = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env={**os.environ, **environment},
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        text = result.stdout.decode("utf-8", "surrogateescape")
        assert result.returncode == 0 or not check, text
        return text.strip()

    def write(self, path: str | bytes, content: bytes = b"text\n") -> None:
        full = os.path.join(os.fsencode(self.root), os.fsencode(path))
        os.makedirs(os.path.dirname(full), exist_ok=True)
        Path(os.fsdecode(full)).write_bytes(content)

    def commit(self, message: str = "x", **files: bytes) -> str:
        for path, content in files.items():
            self.write(path, content)
            self("add", "--", path)
        self("commit", "-q", "--allow-empty", "-m", message)
        return self("rev-parse", "HEAD")
