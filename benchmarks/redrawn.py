"""The files with labelled lines, with another value in place of each credential: of the same length, every letter and digit drawn anew.

Who publishes labelled lines of real repositories cannot publish what leaked there, so the values are changed in this way. It asks another question than
the lines as they stand: not whether `guest` under a name for passwords is one, but whether a value that is no word is found wherever people have put one.
Private keys and what has a form of its own (a JSON Web Token, a basic authorization, a prefix) stay as they are, and so does every line that holds none.
"""

from __future__ import annotations

import random
import re
import shutil
import string
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labelled import Label

_NAME = rb"(?i:pass(?:word|wd|phrase|wort)?|pwd|pw|secret|token|api_?key|key|auth|cred\w*|salt|nonce|seed|psk|login)"
_IN_A_URL = re.compile(rb"://[^/\s:@]*:([^/\s@]{2,})@")
_VALUES = (
    re.compile(_NAME + rb"[\w.-]*[\"'`]?\]?\)?\s*(?:[:=]|=>|,|\()+\s*[rbuf]?[\"'`]([^\"'`\n]{3,})[\"'`]"),
    re.compile(_NAME + rb"[\w.-]*[\"'`]?\s*[:=]+\s*([^\s\"'`,;)&]{3,})"),
    _IN_A_URL,
    re.compile(rb"(?:-p|--?pass\w*|user:?\S*:|-a)\s*([^\s\"']{3,})"),
    re.compile(rb"[\"']([^\"'\s]{4,})[\"'][^\"']*$"),
)
"""Where the value of a labelled line stands, the likeliest first."""

_OF_THEIR_OWN = (b"eyJ", b"sk_", b"ghp_", b"xox", b"AKIA", b"Basic", b"Bearer")
_ALPHABETS = (string.digits, string.ascii_lowercase, string.ascii_uppercase)


def value_in(line: bytes, category: str) -> tuple[int, int] | None:
    """From where to where the value stands; None if it stays as it is."""
    if category == "private key":
        return None
    for pattern in (_IN_A_URL, *_VALUES) if category == "url" else _VALUES:
        found = pattern.search(line)
        if found:
            return None if found[1].startswith(_OF_THEIR_OWN) else found.span(1)
    return None


def draw(value: bytes, seed: str) -> bytes:
    """Another value with letters of the same case, digits and marks at the same places; the same for the same seed."""
    of = {ord(character): alphabet for alphabet in _ALPHABETS for character in alphabet}
    source = random.Random(seed)
    return bytes(ord(source.choice(of[byte])) if byte in of else byte for byte in value)


def redrawn(labels: Iterable[Label], part: Path, target: Path, digest_of: Callable[[bytes], str]) -> list[Label]:
    """The labels of the files that are made below `target` from those below `part`."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(part, target)
    files: dict[Path, list[bytes]] = {}
    changed = []
    for label in labels:
        path = target / f"{label.package}-{label.version}" / label.path
        lines = files.setdefault(path, path.read_bytes().split(b"\n"))
        line = lines[label.line - 1]
        span = value_in(line, label.category) if label.label == "T" else None
        if span is not None:
            start, end = span
            lines[label.line - 1] = line = line[:start] + draw(line[start:end], label.digest) + line[end:]
            label = label._replace(digest=digest_of(line))
        changed.append(label)
    for path, lines in files.items():
        path.write_bytes(b"\n".join(lines))
    return changed
