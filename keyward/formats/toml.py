"""TOML: the bytes of each value, by its path. `tomllib` says whether the file is TOML and what a value means; where it stands,
a small scanner finds."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from keyward.formats.document import Format
from keyward.formats.place import BOM, MOST_DEPTH, FormatError, Leaf, Path, Place, format_path, line_end, text_of

_BLANK = re.compile(rb"[ \t]*")
_LINES = re.compile(rb"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(rb"[A-Za-z0-9_-]+|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")
_STRING = re.compile(
    rb"\"\"\"(?:[^\\]|\\.)*?\"\"\"(?:\"{0,2}(?!\"))|'''.*?'''(?:'{0,2}(?!'))|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'", re.DOTALL
)
_BARE = re.compile(rb"[^,\]}#\r\n]+")
_PLAIN = re.compile(r"[A-Za-z0-9_-]+\Z")


class Toml(Format):
    """TOML 1.0."""

    name = "TOML"

    def leaves(self, data: bytes) -> list[Leaf]:
        _loads(data)
        scanner = _Scanner(data)
        scanner.document()
        return scanner.leaves

    def spell(self, data: bytes, leaf: Leaf, value: bytes) -> tuple[bytes, ...]:
        """The same kind of string where it can hold the value, else a basic one."""
        text = text_of(value, self.name)
        basic = _basic(text).encode()
        quoting = leaf.place.quoting
        if quoting == "literal":
            return b"'" + value + b"'", basic
        if quoting in ("multi-line", "multi-line literal"):
            raw = data[leaf.place.start : leaf.place.end]
            head = re.match(rb"(?:\"\"\"|''')(?:\r?\n)?", raw)
            assert head is not None
            inner = value if quoting.endswith("literal") else _basic(text, keep_lines=True)[1:-1].encode()
            return head.group() + inner + raw[:3], basic
        return (basic,)

    def insert(self, data: bytes, path: Path, value: bytes) -> bytes:
        """Adds a line below the table that the value belongs to, or before the first table."""
        document = _loads(data)
        if self.find(data, path) is not None:
            raise FormatError(f"{format_path(path)} is there already")
        key = path[-1] if _PLAIN.match(path[-1]) else _basic(path[-1])
        end = line_end(data)
        line = key.encode() + b" = " + _basic(text_of(value, self.name)).encode() + end
        scanner = _Scanner(data)
        scanner.document()
        at = scanner.tables.get(path[:-1])
        if at is None and _at(document, path[:-1]) is not None:
            raise FormatError(f"{format_path(path)} cannot be added in place; add it with an empty value")
        if at is None:
            name = ".".join(part if _PLAIN.match(part) else _basic(part) for part in path[:-1])
            line = (end if data else b"") + b"[" + name.encode() + b"]" + end + line
            at = len(data)
        if at and data[at - 1 : at] != b"\n" and data != BOM:
            line = end + line.removesuffix(end)
        changed = data[:at] + line + data[at:]
        if [leaf[:2] for leaf in self.leaves(data)] != [leaf[:2] for leaf in self.leaves(changed) if leaf.path != path]:
            raise FormatError(f"{format_path(path)} cannot be added; add it with an empty value")
        return changed


def _loads(data: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(data.removeprefix(BOM).decode())
    except UnicodeDecodeError:
        raise FormatError("the file is not UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError):
        # the text of the error may quote the line
        raise FormatError("the file is not TOML") from None


def _at(document: object, path: Path) -> object | None:
    for part in path:
        if isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        elif isinstance(document, dict) and part in document:
            document = document[part]
        else:
            return None
    return document


def _basic(text: str, *, keep_lines: bool = False) -> str:
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char == "\n" and keep_lines:
            out.append(char)
        elif (char < " " and char != "\t") or char == "\x7f":
            out.append({"\n": "\\n", "\r": "\\r"}.get(char) or f"\\u{ord(char):04X}")
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


class _Scanner:
    """Walks a document that is known to be TOML. `tables`: where a new line of a table can stand."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.leaves: list[Leaf] = []
        self.tables: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}

    def document(self) -> None:
        at = len(BOM) if self.data.startswith(BOM) else 0
        table: Path = ()
        self.tables[()] = at
        while (at := self._lines(at)) < len(self.data):
            if self.data[at : at + 1] == b"[":
                many = self.data.startswith(b"[[", at)
                keys, at = self._keys(at + 1 + many)
                at = self._blank(at) + 1 + many
                table = self._resolve(keys, many)
            else:
                at = self._pair(at, table, 0)
            self.tables[table] = self._line_end(at)

    def _line_end(self, at: int) -> int:
        end = self.data.find(b"\n", at)
        return len(self.data) if end < 0 else end + 1

    def _resolve(self, keys: Path, many: bool) -> Path:
        path: Path = ()
        for number, key in enumerate(keys):
            path = (*path, key)
            last = number == len(keys) - 1
            if last and many:
                self._counts[path] = self._counts.get(path, 0) + 1
            if path in self._counts:
                path = (*path, str(self._counts[path] - 1))
        return path

    def _lines(self, at: int) -> int:
        match = _LINES.match(self.data, at)
        return match.end() if match else at

    def _blank(self, at: int) -> int:
        match = _BLANK.match(self.data, at)
        return match.end() if match else at

    def _keys(self, at: int) -> tuple[Path, int]:
        keys = []
        while True:
            match = _KEY.match(self.data, self._blank(at))
            if match is None:
                raise FormatError("the file is not TOML as this scanner knows it")
            raw = match.group().decode()
            keys.append(str(tomllib.loads(f"v = {raw}")["v"]) if raw[0] in "\"'" else raw)
            at = self._blank(match.end())
            if self.data[at : at + 1] != b".":
                return tuple(keys), at
            at += 1

    def _pair(self, at: int, table: Path, depth: int) -> int:
        keys, at = self._keys(at)
        return self._value(self._blank(at + 1), (*table, *keys), depth)

    def _value(self, at: int, path: Path, depth: int) -> int:
        if depth > MOST_DEPTH:
            raise FormatError(f"the file is nested deeper than {MOST_DEPTH} levels")
        char = self.data[at : at + 1]
        if char in (b"[", b"{"):
            return self._items(at + 1, path, depth, b"]" if char == b"[" else b"}")
        match = _STRING.match(self.data, at)
        if match:
            raw = match.group()
            multi = raw[:3] in (b'"""', b"'''") and len(raw) >= 6
            quoting = ("multi-line" if multi else "basic") if char == b'"' else ("multi-line literal" if multi else "literal")
            value = str(tomllib.loads("v = " + raw.decode())["v"]).encode()
            self.leaves.append(Leaf(path, value, Place(at, match.end(), quoting)))
            return match.end()
        match = _BARE.match(self.data, at)
        if match is None:
            raise FormatError("the file is not TOML as this scanner knows it")
        raw = match.group().rstrip()
        self.leaves.append(Leaf(path, raw, Place(at, at + len(raw), "bare")))
        return at + len(raw)

    def _items(self, at: int, path: Path, depth: int, closing: bytes) -> int:
        number = 0
        while self.data[(at := self._lines(at)) : at + 1] != closing:
            if closing == b"}":
                at = self._pair(at, path, depth + 1)
            else:
                at = self._value(at, (*path, str(number)), depth + 1)
            at = self._lines(at)
            at += self.data[at : at + 1] == b","
            number += 1
        return at + 1


TOML = Toml()
