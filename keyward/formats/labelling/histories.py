"""Histories of shells: which entry, and when it was typed, where the shell wrote that down."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from keyward.formats.labelling.moments import moment
from keyward.formats.labels import UNKNOWN, Label, Text

_BASH = re.compile(rb"^#([0-9]{9,11})\r?$", re.M)
_ZSH = re.compile(rb"^: ([0-9]{9,11}):[0-9]+;", re.M)
_FISH = re.compile(rb"^- cmd: ", re.M)
_FISH_WHEN = re.compile(rb"^  when: ([0-9]{9,11})", re.M)
_PROMPT_TOOLKIT = re.compile(rb"^# (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)[.\d]*$", re.M)


def bash_labels(text: Text, offsets: Sequence[int]) -> list[Label]:
    """`#EPOCH` stands before an entry, if HISTTIMEFORMAT was set."""
    return _dated(_BASH, text, offsets)


def zsh_labels(text: Text, offsets: Sequence[int]) -> list[Label]:
    """`: EPOCH:SECONDS;` (EXTENDED_HISTORY)."""
    return _dated(_ZSH, text, offsets)


def prompt_labels(text: Text, offsets: Sequence[int]) -> list[Label]:
    """prompt_toolkit's FileHistory: `# TIME`, then `+LINE`."""
    from keyward.formats.labelling.moments import moment_in

    return [
        label._replace(since=moment_in(when)) if label is not UNKNOWN else UNKNOWN
        for label, when in _entries(_PROMPT_TOOLKIT, text, offsets)
    ]


def fish_labels(text: Text, offsets: Sequence[int]) -> list[Label]:
    """fish writes the time behind the command."""
    labels = []
    for offset, (label, _) in zip(offsets, _entries(_FISH, text, offsets)):
        when = _FISH_WHEN.search(text.data, offset)
        another = _FISH.search(text.data, offset, when.start()) if when else None
        labels.append(label._replace(since=moment(int(when[1]))) if when and not another else label)
    return labels


def _dated(pattern: re.Pattern[bytes], text: Text, offsets: Sequence[int]) -> list[Label]:
    return [label._replace(since=moment(int(when))) if when else label for label, when in _entries(pattern, text, offsets)]


def _entries(pattern: re.Pattern[bytes], text: Text, offsets: Sequence[int]) -> list[tuple[Label, str]]:
    """The entry each offset lies in, and the first group of what begins it."""
    starts: list[int] = []
    groups: list[bytes] = []
    for match in pattern.finditer(text.data, 0, offsets[-1] + 1 if offsets else 0):
        starts.append(match.start())
        groups.append(match[1] if pattern.groups else b"")
    found = []
    for offset in offsets:
        at = bisect_right(starts, offset) - 1
        found.append((Label(f"entry {at + 1}"), groups[at].decode()) if at >= 0 else (UNKNOWN, ""))
    return found
