"""What the demonstration shows: short headings, what is typed, and what the real command answers."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence

from keyward.match.mask import mask

DIGESTS = "KEYWARD_DEMO_DIGESTS"
"""Names a file that gets, for every value of the demonstration, a line `name length SHA-256`: a test looks for them in what was shown."""

_VALUES = re.compile(rb"(?P<before>SECRET_ACCESS_KEY=|://[^:/@\s]*:)(?P<value>[^@\s]+)")


class DemoFailed(Exception):
    """A command ended otherwise than it should. The text says which."""


class Stage:
    """`folder`: where commands are typed. `variables`: what they see besides the environment of this process."""

    def __init__(self, folder: str, variables: Mapping[str, str]) -> None:
        self.folder = folder
        self.variables = dict(variables)
        self._begun = False
        self._command = os.path.join(os.path.dirname(sys.executable), "keyward")
        self._bold = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else ("", "")

    def heading(self, text: str) -> None:
        line = f"── {text} ".ljust(100, "─")
        print(f"\n{self._bold[0]}{line}{self._bold[1]}\n", flush=True)
        self._begun = False

    def say(self, text: str = "") -> None:
        print(text, flush=True)
        self._begun = True

    def type(self, *words: str, code: int = 0, cwd: str = "") -> None:
        """Shows what is typed and runs it. Raises DemoFailed for another exit code."""
        folder = cwd or self.folder
        shown = " ".join(os.path.relpath(word, folder) if word.startswith(self.folder + os.sep) else word for word in words)
        if self._begun:
            print()
        self._begun = True
        print(f"{self._bold[0]}$ keyward {shown}{self._bold[1]}", flush=True)
        colored = ["--color", "always"] if words[0] == "scan" and "-o" not in words and sys.stdout.isatty() else []
        done = subprocess.run([self._command, *words, *colored], cwd=folder, env={**os.environ, **self.variables}, check=False)
        if done.returncode != code:
            raise DemoFailed(f"`keyward {shown}` ended with {done.returncode}, and {code} was expected")


def record(name: str, value: str) -> None:
    """Remembers the digest of a value, where `DIGESTS` asks for it."""
    path = os.environ.get(DIGESTS)
    if path:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
            file.write(f"{name} {len(value)} {hashlib.sha256(value.encode()).hexdigest()}\n")


def masked(line: bytes) -> str:
    """A line of a configuration with whatever stands where a secret would stand masked."""
    return _VALUES.sub(lambda match: match["before"] + mask(match["value"], None).encode(), line).decode()


def changes(before: bytes, after: bytes) -> Sequence[str]:
    """The lines of a file, each with `-` (gone), `+` (new) or a blank before it, masked."""
    from difflib import SequenceMatcher

    old, new = before.splitlines(), after.splitlines()
    shown: list[str] = []
    for tag, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            shown += [f"  {masked(line)}" for line in old[old_from:old_to]]
            continue
        shown += [f"- {masked(line)}" for line in old[old_from:old_to]]
        shown += [f"+ {masked(line)}" for line in new[new_from:new_to]]
    return shown
