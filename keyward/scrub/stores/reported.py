"""What is left to the tool that owns it: linked by hashes, signed, or of a form that nobody else can write. It is found, counted and named,
with what the operator can do; it is never edited.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from typing import NamedTuple

from keyward.formats.openers import HEAD, opener_for
from keyward.scrub.open_file import OpenFile
from keyward.scrub.plan import Name, Place, Refusal, Result, Treatment
from keyward.scrub.redactor import Redactor, Style
from keyward.scrub.stores.content import MOST, counts_in, learn
from keyward.scrub.stores.finding import Finder

LARGEST_HASHED = 1 << 30
"""Bytes of a file up to which it is seen whether its name is the hash of its content."""

_HASH_NAME = re.compile(r"(?:\A|(?<=[._-]))([0-9a-f]{128}|[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?=[._]|\Z)")
_BY_LENGTH = {128: ("sha512",), 64: ("sha256",), 40: ("sha1",), 32: ("md5",)}
_GIT = re.compile(r"/objects/(?:[0-9a-f]{2}/[0-9a-f]{38,62}|pack/pack-[0-9a-f]{40,64}\.\w+)\Z")


class Reason(NamedTuple):
    """One kind. `fits`: by path and first bytes. `command`: what the operator can run, empty where it is no command."""

    name: str
    fits: Callable[[str, bytes], bool]
    reason: str
    command: str = ""


def _starts(*marks: bytes) -> Callable[[str, bytes], bool]:
    return lambda path, head: head.startswith(marks)


def _ends(*endings: str) -> Callable[[str, bytes], bool]:
    return lambda path, head: path.lower().endswith(endings)


def is_named_by_content(path: str, head: bytes) -> bool:
    """Whether a file's name is the hash of its content."""
    match = _HASH_NAME.search(os.path.basename(path).lower())
    if match is None:
        return False
    try:
        with OpenFile(path) as file:
            if file.status.st_size > LARGEST_HASHED:
                return False
            for algorithm in _BY_LENGTH[len(match[1])]:
                digest = hashlib.new(algorithm, usedforsecurity=False)
                at = 0
                while piece := file.read(at, 1 << 20):
                    digest.update(piece)
                    at += len(piece)
                if digest.hexdigest() == match[1]:
                    return True
    except (OSError, Refusal):
        return False
    return False


REASONS = (
    Reason(
        "systemd journal",
        _starts(b"LPKSHHRH"),
        "its records are chained by hashes, and nothing can change one: older files of the journal can only be deleted as a whole",
        "journalctl --rotate && journalctl --vacuum-time=1s",
    ),
    Reason(
        "git object",
        lambda path, head: _GIT.search(path.replace(os.sep, "/")) is not None,
        "it is named by its content's hash, and commits are built on it",
        "keyward scrub --git-plan",
    ),
    Reason(
        "OpenClaw cold archive",
        lambda path, head: "/sessions/cold/" in path.replace(os.sep, "/") and path.endswith(".jsonl.zst"),
        "it is named by its content's hash, which the session's record holds: delete the session",
        "openclaw sessions delete",
    ),
    Reason("content-addressed file", is_named_by_content, "it is named by its content's hash: delete it, or the session that it belongs to"),
    Reason(
        "sealed conversation",
        lambda path, head: path.endswith(".pb") and b"\0" not in head[:0] and not head.startswith((b"{", b"[")),
        "only its program can read and write it: delete the conversation in the program",
    ),
    Reason("Neovim state", _ends(".shada"), "lengths stand before its texts: delete the entry in Neovim (`:wshada!` writes it anew), or the file"),
    Reason("vim undo file", _starts(b"Vim\x9fUnDo"), "vim drops it when it does not fit its text any more: delete it", ),
    Reason("vim swap file", _starts(b"b0VIM "), "vim recovers a text from it: recover it, or delete it", "vim -r FILE"),
    Reason("core dump", _starts(b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00", b"\x7fELF\x02\x01\x01" + b"\0" * 9 + b"\x04"),
           "it is an image of a program's memory: delete it", "coredumpctl"),
)  # fmt: skip

_CONTAINERS = "cannot be rewritten here: take the value out in the program that wrote it, or delete it"


class Reported:
    """Names what is not edited."""

    def __init__(self, reason: Reason) -> None:
        self._reason = reason
        self.name = reason.name

    def recognises(self, path: str, head: bytes) -> bool:
        return self._reason.fits(path, head)

    def plan(self, path: str, redactor: Redactor, style: Style) -> Place:
        """What stands in it. Raises OSError, Refusal."""
        return Place(path, self.name, _counts(path, redactor), Treatment.REPORT, self._reason.reason, self._reason.command)

    def scrub(self, path: str, redactor: Redactor, style: Style) -> Result:
        """Changes nothing."""
        counts = _counts(path, redactor)
        return Result(counts, counts, "not touched", (self._reason.reason,) if counts else ())


def container_reason(path: str, head: bytes) -> Reason | None:
    """What a container that nothing here can rewrite is reported as."""
    opener = opener_for(path, head[:HEAD])
    return None if opener is None else Reason(opener.name, lambda path, head: True, f"a {opener.name} {_CONTAINERS}")


def _counts(path: str, redactor: Redactor) -> dict[Name, int]:
    with OpenFile(path) as file:
        if file.status.st_size > MOST:
            from keyward.scrub.spans import find

            return find(file, redactor).counts()
        data = file.read(0, file.status.st_size)
    finder = Finder(redactor)
    try:
        learn(data, path, finder)
    except ValueError:
        finder.learn(data, path)
    return counts_in(data, path, finder)
