"""`.env` files: `KEY=value` lines, with `export`, comments, quotes and values over several lines.

The last assignment of a key is the one in force. See `dotenv_readers` for who reads them how.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from keyward.formats.document import Format
from keyward.formats.dotenv_readers import READERS, readers_of
from keyward.formats.place import BOM, FormatError, Leaf, Path, Place, format_path, line_end

_KEY = re.compile(rb"[ \t]*(?P<export>export[ \t]+)?(?P<key>[A-Za-z_][A-Za-z0-9_.-]*)(?:[ \t]*=|:(?=[ \t]))")
_STRICT_KEY = re.compile(rb"[ \t]*(?P<export>)(?P<key>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
_CLOSED = re.compile(rb"[ \t]*(?:[ \t]#[^\n]*)?\r?(?:\n|\Z)")
_SHELL_WORD = re.compile(rb"(?:'[^'\n]*'|\"(?:\\.|[^\"\\\n])*\"|\\.|[^\s'\"\\])+")
_ANSI_WORD = re.compile(rb"\$'(?:\\.|[^'\\])*'", re.DOTALL)
_DOUBLE = re.compile(rb'"(?:\\.|[^"\\])*"', re.DOTALL)
_SYSTEMD = re.compile(rb"(?:'[^']*'|\"(?:\\.|[^\"\\])*\"|[ \t])*(?:\\(?:\r\n|.)|[^\\\n])*", re.DOTALL)


class Assignment(NamedTuple):
    """One `KEY=value`. `rest`: from behind the `=` to the end of the logical line, without its newline; `place`: the value."""

    key: str
    exported: bool
    rest: tuple[int, int]
    place: Place


class Dotenv(Format):
    """`.env` files of one dialect (see `dotenv_readers.DIALECTS`)."""

    def __init__(self, dialect: str = "any") -> None:
        self.dialect = dialect
        self.readers = readers_of(dialect)
        self.name = f"a .env file (dialect {dialect})"

    def assignments(self, data: bytes) -> Iterator[Assignment]:
        """Every assignment, in order."""
        if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data:
            raise FormatError("this is no text in an encoding that keeps ASCII")
        pattern = _STRICT_KEY if self.dialect in ("docker", "systemd") else _KEY
        at = len(BOM) if data.startswith(BOM) else 0
        while at < len(data):
            match = pattern.match(data, at)
            if match is None:
                at = self._next_line(data, at)
                continue
            start, end, quoting, rest_end = self._extent(data, match.end())
            key = match["key"].decode()
            yield Assignment(key, bool(match["export"]), (match.end(), rest_end), Place(start, end, quoting))
            at = rest_end + 1

    def _next_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at)
        return len(data) if end < 0 else end + 1

    def _extent(self, data: bytes, at: int) -> tuple[int, int, str, int]:
        """Start, end and quoting of the value behind a `=`, and the end of its logical line."""
        line = data.find(b"\n", at)
        line = len(data) if line < 0 else line
        stop = line - 1 if data[line - 1 : line] == b"\r" and line > at else line
        if self.dialect == "docker":
            return at, stop, "bare", line
        if self.dialect == "systemd":
            return self._systemd_extent(data, at)
        start = at
        while data[start : start + 1] in (b" ", b"\t"):
            start += 1
        found = self._quoted(data, start, stop)
        if found is not None:
            end, quoting = found
            line = data.find(b"\n", end)
            return start, end, quoting, len(data) if line < 0 else line
        bare = data[start:stop]
        if start > at and bare.startswith(b"#"):
            return at, at, "bare", line
        comment = re.search(rb"[ \t]+#", bare)
        end = start + len((bare[: comment.start()] if comment else bare).rstrip(b" \t"))
        return (start, end, "bare", line) if end > start else (at, at, "bare", line)

    def _systemd_extent(self, data: bytes, at: int) -> tuple[int, int, str, int]:
        match = _SYSTEMD.match(data, at)
        assert match is not None
        line = match.end()
        raw = data[at:line].removesuffix(b"\r")
        start = at + len(raw) - len(raw.lstrip(b" \t"))
        end = max(start, at + len(raw.rstrip(b" \t")))
        return start, end, {b"'": "single", b'"': "double"}.get(data[start : start + 1], "bare"), line

    def _quoted(self, data: bytes, start: int, stop: int) -> tuple[int, str] | None:
        """End and quoting of a quoted value, None if it is bare."""
        first = data[start : start + 1]
        if first == b'"':
            match = _DOUBLE.match(data, start)
            if match and _CLOSED.match(data, match.end()):
                return match.end(), "double"
        elif first in (b"'", b"`"):
            end = data.find(first, start + 1)
            while end >= 0 and data[end - 1 : end] == b"\\" and not _CLOSED.match(data, end + 1):
                end = data.find(first, end + 1)
            if end >= 0 and _CLOSED.match(data, end + 1):
                return end + 1, "single" if first == b"'" else "backtick"
        elif first == b"$":
            match = _ANSI_WORD.match(data, start)
            if match and _CLOSED.match(data, match.end()):
                return match.end(), "ansi-c"
        word = _SHELL_WORD.match(data, start, stop) if first in (b"'", b'"', b"$") else None
        return (word.end(), "shell") if word and _CLOSED.match(data, word.end()) else None

    def _read(self, reader: str, data: bytes, each: Assignment) -> bytes | None:
        return READERS[reader](data[each.rest[0] : each.rest[1]])

    def _value(self, data: bytes, each: Assignment) -> bytes:
        """The value as the first reader of the dialect that understands it reads it; else as it is written."""
        backtick = each.place.quoting == "backtick"  # quotes to npm dotenv alone
        for reader in sorted(self.readers, key=lambda name: backtick and name != "npm dotenv"):
            value = self._read(reader, data, each)
            if value is not None:
                return value
        return data[each.place.start : each.place.end]

    def leaves(self, data: bytes) -> list[Leaf]:
        """Every assignment, those that a later one overrides included."""
        return [Leaf((each.key,), self._value(data, each), each.place) for each in self.assignments(data)]

    def _live(self, data: bytes, path: Path) -> Assignment | None:
        if len(path) != 1 or not _NAME.match(path[0]):
            raise FormatError(f"{format_path(path)} is no name of a variable")
        live = None
        for each in self.assignments(data):
            if each.key == path[0]:
                live = each
        return live

    def find(self, data: bytes, path: Path) -> Leaf | None:
        """The last assignment of a key."""
        live = self._live(data, path)
        return None if live is None else Leaf(path, self._value(data, live), live.place)

    def readings(self, data: bytes, path: Path) -> frozenset[bytes]:
        """What each reader of the dialect takes the last assignment for."""
        live = self._live(data, path)
        if live is None:
            return frozenset()
        values = {self._read(reader, data, live) for reader in self.readers}
        return frozenset(value for value in values if value is not None) or frozenset((self._value(data, live),))

    def replace(self, data: bytes, path: Path, value: bytes, old: bytes | None = None) -> bytes:
        """Changes the last assignment, and every earlier one that holds the same old value (`old`, or what is in force)."""
        live = self._live(data, path)
        if live is None:
            raise FormatError(f"{format_path(path)} is not there")
        old = self._value(data, live) if old is None else old
        doomed = [
            each
            for each in self.assignments(data)
            if each == live or (each.key == live.key and old and any(self._read(r, data, each) == old for r in self.readers))
        ]
        for each in reversed(doomed):
            data = self._replace_one(data, each, value, old)
        return data

    def replace_leaf(self, data: bytes, leaf: Leaf, value: bytes) -> bytes:
        for each in self.assignments(data):
            if each.place == leaf.place:
                return self._replace_one(data, each, value, leaf.value)
        raise FormatError(f"{format_path(leaf.path)} is not there")

    def _replace_one(self, data: bytes, each: Assignment, value: bytes, old: bytes) -> bytes:
        """Whoever read the old value must read the new one; where nobody can tell, everybody of the dialect."""
        needed = [reader for reader in self.readers if self._read(reader, data, each) == old] if old else []
        if value in (self._read(reader, data, each) for reader in needed):
            return data
        place = each.place
        if not needed:
            tail = data[place.end : each.rest[1]]  # a comment or a carriage return is part of the value for some
            needed = [r for r in self.readers if READERS[r](b"x" + tail) == b"x"] or list(self.readers)
        there = list(self.assignments(data))
        number = there.index(each)
        before = [(a.key, data[a.place.start : a.place.end]) for a in there]
        docker = "docker --env-file"  # not of any dialect but its own, yet worth keeping where it reads the file now
        for also in ((docker,), ()) if not old or self._read(docker, data, each) == old else ((),):
            for raw in _spellings(value, place.quoting, data[place.start : place.end]):
                changed = data[: place.start] + raw + data[place.end :]
                rest = changed[each.rest[0] : each.rest[1] + len(raw) - (place.end - place.start)]
                if any(READERS[reader](rest) != value for reader in (*needed, *also)):
                    continue
                after = [(a.key, changed[a.place.start : a.place.end]) for a in self.assignments(changed)]
                if after == [(k, raw) if n == number else (k, r) for n, (k, r) in enumerate(before)]:
                    return changed
        raise FormatError(
            f"{each.key}: the new value cannot be written so that {', '.join(needed)} read it alike;"
            " name the one that reads the file as `dialect`"
        )

    def insert(self, data: bytes, path: Path, value: bytes) -> bytes:
        """Adds a line at the end, with `export` where the other lines have it."""
        if self._live(data, path) is not None:
            raise FormatError(f"{format_path(path)} is there already")
        there = list(self.assignments(data))
        exported = bool(there) and all(each.exported for each in there)
        end = line_end(data)
        head = data if not data or data.endswith(b"\n") or data == BOM else data + end
        line = (b"export " if exported else b"") + path[0].encode() + b"="
        tail = end if data.endswith(b"\n") or data in (b"", BOM) else b""
        changed = head + line + tail
        live = self._live(changed, path)
        assert live is not None
        return self._replace_one(changed, live, value, b"") if value else changed


def _spellings(value: bytes, quoting: str, old: bytes) -> Iterator[bytes]:
    """Every way to write a value, those most like the old one first. Whether a reader understands it is for the caller to ask."""
    slashed = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    shell = slashed.replace(b"$", b"\\$").replace(b"`", b"\\`")
    ansi = value.replace(b"\\", b"\\\\").replace(b"'", b"\\'").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    double = [value, slashed, shell, value.replace(b"\n", b"\\n"), slashed.replace(b"\n", b"\\n")]
    if b"\\n" in old and b"\n" not in old:
        double.reverse()
    ways = {
        "bare": [value],
        "single": [b"'" + value + b"'", b"'" + value.replace(b"\\", b"\\\\").replace(b"'", b"\\'") + b"'"],
        "double": [b'"' + each.replace(b"\r", b"\\r") + b'"' for each in double],
        "backtick": [b"`" + value + b"`"],
        "ansi-c": [b"$'" + ansi + b"'"],
        "shell": [b"'" + value.replace(b"'", b"'\\''") + b"'"],
    }
    if not value:
        yield b""
    order = ("bare", "single", "double") if quoting == "bare" else ("double", "single", "bare")
    for name in dict.fromkeys((quoting, *order, *ways)):
        yield from ways[name]
