"""The ways in which people hand a secret to a program, a file or each other: a line each, as `file|kind|text` with `{v}` for the value.

`⏎` is the end of a line. A text that begins with `@` begins its file. `ways.txt` is written from the manuals of the tools and from what stands in shell histories, settings, notes and transcripts; `ways_operations.txt` and
`ways_code_and_talk.txt` by somebody who knew neither the rules nor that list. What a value may be is drawn here.
"""

from __future__ import annotations

import random
import string
from pathlib import Path
from typing import NamedTuple

LISTS = ("ways", "ways_operations", "ways_code_and_talk", "ways_chats_and_agents")

STAND_INS = (
    "$PASSWORD", "${DB_PASSWORD}", "<password>", "password", "changeme", "your-password", "secret", "********", "{{ password }}", "%PASSWORD%", "xxxxxxxx",
    "my-secret-token", "YOUR_API_KEY", "config.password", "getPassword()", "process.env.TOKEN", "example", "test", "Passwort", "required",
)  # fmt: skip
"""What stands there where no secret does."""

WHOLE = (".json", ".jsonl", ".har", ".ipynb", ".xml", ".csv")
"""Files that have nothing before the text or behind it."""

_DRAWN = string.ascii_letters + string.digits
_LENGTHS = {"password": 12, "token": 32, "long": 420}


class Way(NamedTuple):
    """`path`: the file's name; `kind`: `password`, `token` or `long`; `text`: with `{v}` for the value."""

    path: str
    kind: str
    text: str

    def written(self, value: str) -> bytes:
        """The file with that value."""
        text = self.text.replace("⏎", "\n").replace("{v}", value)
        if self.path.lower().endswith(WHOLE):
            return text.encode() + b"\n"
        return (text[1:] if text.startswith("@") else f"first\n{text}").encode() + b"\nlast\n"


def ways(name: str = "ways") -> list[Way]:
    """One list of them."""
    lines = Path(__file__).with_name(f"{name}.txt").read_text("utf-8").splitlines()
    return [Way(*line.split("|", 2)) for line in lines if line]


def drawn(kind: str, seed: int) -> str:
    """A value as a machine draws it, with letters of both cases and digits."""
    dice = random.Random(f"{kind} {seed}")
    while True:
        value = "".join(dice.choice(_DRAWN) for _ in range(_LENGTHS[kind]))
        if any(map(str.isdigit, value)) and any(map(str.islower, value)) and any(map(str.isupper, value)):
            return value
