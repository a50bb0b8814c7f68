"""Files of settings: the path or the name under which a value stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from keyward.formats.document import Format
from keyward.formats.labels import UNKNOWN, Label, Text
from keyward.formats.place import FormatError, format_path

LARGEST_PARSED = 256 << 10
"""Bytes of a file that is parsed as what it is; beyond, and where it is not quite of its format, lines are looked at."""

_SECTION = re.compile(rb"^[ \t]*\[+([^\]\n]{1,200})\]", re.M)
_KEY = re.compile(rb"[ \t]*(?:-[ \t]+)?[\"']?([^\s:=\"'#\[{][^:=\"'\n{]{0,120}?)[\"']?[ \t]*(?::(?=[\s\"'{\[]|$)|=)")
_ASSIGNED = re.compile(
    rb"[ \t]*((?:export|declare|typeset|local|readonly)[ \t]+(?:-\w+[ \t]+)?|set(?:env)?[ \t]+(?:-\w+[ \t]+)*|\$env:|Environment=[\"']?)?"
    rb"([A-Za-z_][\w.-]{0,120})[ \t]*[=: ]",
    re.I,
)
_MACHINE = re.compile(rb"\b(?:machine[ \t]+(\S{1,200})|default\b)")
_LINES_UP = 200


def by_leaves(form: Format, data: bytes, offsets: Sequence[int]) -> list[Label]:
    """By what the format's own reader says; empty where it cannot read the file."""
    try:
        leaves = sorted(form.leaves(data), key=lambda leaf: leaf.place.start)
    except (FormatError, ValueError, ImportError, RecursionError):
        return []
    starts = [leaf.place.start for leaf in leaves]
    labels = []
    for offset in offsets:
        at = bisect_right(starts, offset) - 1
        fits = at >= 0 and offset < leaves[at].place.end
        labels.append(Label(format_path(leaves[at].path)) if fits else UNKNOWN)
    return labels


def toml_labels(text: Text, offsets: Sequence[int]) -> list[Label]:
    from keyward.formats.toml import Toml

    parsed = by_leaves(Toml(), text.data, offsets) if len(text.data) <= LARGEST_PARSED else []
    return _filled_up(parsed, ini_labels, text, offsets)


def yaml_labels(text: Text, offsets: Sequence[int]) -> list[Label]:
    from keyward.formats.yaml import Yaml

    parsed = by_leaves(Yaml(), text.data, offsets) if len(text.data) <= LARGEST_PARSED // 4 else []
    return _filled_up(parsed, _indented, text, offsets)


def _filled_up(parsed: list[Label], other: object, text: Text, offsets: Sequence[int]) -> list[Label]:
    """What the parser did not name (a comment, a broken file), as the lines say."""
    if parsed and all(label.where for label in parsed):
        return parsed
    assert callable(other)
    looked: list[Label] = other(text, offsets)
    return [one if one.where else two for one, two in zip(parsed, looked)] if parsed else looked


def _indented(text: Text, offsets: Sequence[int]) -> list[Label]:
    """YAML by its indentation: the keys above that stand further left."""
    labels = []
    for offset in offsets:
        line = _line(text.data, offset)
        keys: list[str] = []
        indent = 1 << 30
        for _ in range(_LINES_UP):
            raw = text.data[line : _line_end(text.data, line)]
            stripped = raw.lstrip(b" -\t")
            depth = len(raw) - len(stripped)
            match = _KEY.match(raw)
            if stripped and match and depth < indent:
                keys.insert(0, match[1].decode("utf-8", "replace").strip())
                indent = depth
            if indent == 0 or line == 0:
                break
            line = _line(text.data, line - 1)
        labels.append(Label(format_path(tuple(keys))) if keys else UNKNOWN)
    return labels


def ini_labels(text: Text, offsets: Sequence[int]) -> list[Label]:
    """`section.key`; a value of several lines belongs to the key above."""
    sections = [(match.start(), match[1].decode("utf-8", "replace")) for match in _SECTION.finditer(text.data)]
    starts = [start for start, _ in sections]
    labels = []
    for offset in offsets:
        at = bisect_right(starts, offset) - 1
        key = _key_above(text.data, offset, _KEY)
        path = tuple(part for part in (sections[at][1] if at >= 0 else "", key) if part)
        labels.append(Label(format_path(path)) if path else UNKNOWN)
    return labels


def _key_above(data: bytes, offset: int, pattern: re.Pattern[bytes]) -> str:
    line = _line(data, offset)
    for _ in range(_LINES_UP):
        match = pattern.match(data, line, max(_line_end(data, line), line))
        if match and match.end() <= offset:
            return match[1].decode("utf-8", "replace").strip()
        if line == 0 or not data[line : line + 1].isspace():
            break
        line = _line(data, line - 1)
    return ""


def assigned_labels(text: Text, offsets: Sequence[int]) -> list[Label]:
    """Dotenv files and shell scripts: `TOKEN`, `export TOKEN`; a quoted value of several lines belongs to the name above."""
    return [Label(_name_above(text.data, offset)) for offset in offsets]


def _name_above(data: bytes, offset: int) -> str:
    line = _line(data, offset)
    for _ in range(_LINES_UP):
        match = _ASSIGNED.match(data, line, _line_end(data, line))
        if match and match.end() <= offset and (match[1] or data[match.end() - 1 : match.end()] != b" "):
            word = (match[1] or b"").strip().lower()
            name = match[2].decode("utf-8", "replace")
            return f"export {name}" if word.startswith((b"export", b"set -x", b"set -gx")) else name
        if line == 0:
            break
        line = _line(data, line - 1)
    return ""


def netrc_labels(text: Text, offsets: Sequence[int]) -> list[Label]:
    """`machine HOST`."""
    machines = [(match.start(), match[1]) for match in _MACHINE.finditer(text.data)]
    starts = [start for start, _ in machines]
    labels = []
    for offset in offsets:
        at = bisect_right(starts, offset) - 1
        name = machines[at][1] if at >= 0 else None
        labels.append(Label(f"machine {name.decode('utf-8', 'replace')}" if name else "default" if at >= 0 else ""))
    return labels


def _line(data: bytes, offset: int) -> int:
    """Where the line of an offset begins."""
    return data.rfind(b"\n", 0, max(0, offset)) + 1


def _line_end(data: bytes, start: int) -> int:
    end = data.find(b"\n", start)
    return len(data) if end < 0 else end
