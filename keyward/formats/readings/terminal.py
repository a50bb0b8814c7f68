"""What a terminal was sent: control sequences, and characters that were typed and deleted again (ECMA-48; xterm's `ctlseqs`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from keyward.formats.readings.rewriting import RunsUnderWay, Substitution, whole_view
from keyward.formats.views import Runs, Step

SEQUENCES = Substitution(
    rb"\x1b(?:\[(?:(?!K)[0-?]*[ -/]*[@-~]|K(?<!\x08\x1b\[K))"
    rb"|\][^\x07\x1b\n]*(?:\x07|\x1b\\)"
    rb"|[PX^_][^\x1b\n]*\x1b\\"
    rb"|[ -/]+[0-~]|[0-OQ-WYZ\\`-~])",
    b"",
)
"""Colours, cursor movements and titles, which are not shown. `\\b` and what erases to the end of the line stay for `ERASED`."""

SHIFTS = Substitution(rb"\x0f", b"")
"""The end of a character set, which some terminals are sent at the end of each colour."""

MARGINS = Substitution(rb" \r(?=[!-~])(?<=[!-~] \r)", b"")
"""readline writes a space and a return where a line that is typed reaches the right margin; the value goes on."""

TERMINAL_TRIGGERS = tuple(re.compile(trigger) for trigger in (rb"\x1b", rb"\x08", rb" \r(?=[!-~])"))

_ERASE = re.compile(rb"\x08(?:\x1b\[K| \x08)?")


class Erased:
    """Backspaces take back the character before them, as the terminal's line editing shows them."""

    def apply(self, data: bytes) -> bytes:
        if b"\x08" not in data:
            return data
        pieces, at = [], 0
        for start, end in _lines(data):
            pieces.append(data[at:start])
            pieces += [data[start + a : start + b] for a, b in _kept(data[start:end])]
            at = end
        pieces.append(data[at:])
        return b"".join(pieces)

    decode = apply

    def runs(self, data: bytes) -> Runs:
        collected = RunsUnderWay()
        at = 0
        for start, end in _lines(data):
            collected.copy(at, start)
            for a, b in _kept(data[start:end]):
                collected.copy(start + a, start + b)
            at = end
        collected.copy(at, len(data))
        return collected.runs()


def _lines(data: bytes) -> Iterator[tuple[int, int]]:
    """The lines that hold a backspace."""
    found = data.find(b"\x08")
    while found >= 0:
        end = data.find(b"\n", found)
        end = len(data) if end < 0 else end
        yield data.rfind(b"\n", 0, found) + 1, end
        found = data.find(b"\x08", end)


def _kept(line: bytes) -> list[tuple[int, int]]:
    """The stretches of a line that are left once the backspaces in it are obeyed."""
    stack: list[tuple[int, int]] = []
    at = 0
    for match in _ERASE.finditer(line):
        if match.start() > at:
            stack.append((at, match.start()))
        at = match.end()
        if stack:
            start, end = stack.pop()
            end -= 1
            while end > start and line[end] & 0xC0 == 0x80:  # a character of several bytes
                end -= 1
            if end > start:
                stack.append((start, end))
    if at < len(line):
        stack.append((at, len(line)))
    return stack


ERASED = Erased()

STEPS: tuple[Step, ...] = (SEQUENCES, SHIFTS, MARGINS, ERASED)
terminal_view = partial(whole_view, "terminal", STEPS)
"""A recording of a terminal as `script`, `screen` and tmux's `pipe-pane` make it."""
