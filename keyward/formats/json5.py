"""JSON, and JSON5 with comments (JSONC is a part of it): the bytes of each value, by its path.

A small tokenizer of our own, because no parser of the standard library tells where a value stands. A key that stands twice in one object is an
error: readers differ in which one they take.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from keyward.formats.document import Format
from keyward.formats.place import BOM, MOST_DEPTH, FormatError, Leaf, Path, Place, format_path, line_end, text_of

_BLANK = re.compile(rb"[ \t\r\n]*")
_BLANK5 = re.compile(rb"(?:[ \t\r\n\v\f]|\xc2\xa0|\xe2\x80[\xa8\xa9]|\xef\xbb\xbf|//[^\n\r]*|/\*.*?\*/)*", re.DOTALL)
_COMMENT = re.compile(rb"[ \t]*(?://[^\r\n]*|/\*[^\r\n]*?\*/[ \t]*)(?=\r?\n)")
_STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"')
_STRING5 = re.compile(rb"\"(?:[^\"\\\r\n]|\\(?:\r\n|.))*\"|'(?:[^'\\\r\n]|\\(?:\r\n|.))*'", re.DOTALL)
_NAME5 = re.compile(rb"(?:[A-Za-z_$\x80-\xff]|\\u[0-9A-Fa-f]{4})(?:[A-Za-z0-9_$\x80-\xff]|\\u[0-9A-Fa-f]{4})*")
_WORD = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9A-Za-z_.])|true\b|false\b|null\b")
_WORD5 = re.compile(
    rb"[+-]?(?:0[xX][0-9A-Fa-f]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|Infinity|NaN)(?![0-9A-Za-z_.])|(?:true|false|null)\b"
)
_PLAIN_NUMBER = re.compile(rb"0|[1-9][0-9]{0,14}")
_ESCAPES = {
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "0": "\0",
    "\n": "",
    "\r\n": "",
    "\u2028": "",
    "\u2029": "",
}
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|\r\n|.)", re.DOTALL)


class _Object(NamedTuple):
    """Where an object stands, where its last member ends (behind the brace if it has none), and where the first key begins."""

    start: int
    end: int
    last: int
    first: int
    comma: bool


class Json(Format):
    """JSON as RFC 8259 has it, or JSON5."""

    def __init__(self, *, five: bool = False) -> None:
        self.five = five
        self.name = "JSON5" if five else "JSON"

    def leaves(self, data: bytes) -> list[Leaf]:
        return self._parse(data).leaves

    def _parse(self, data: bytes) -> _Parser:
        parser = _Parser(data, self.five)
        parser.document()
        return parser

    def spell(self, data: bytes, leaf: Leaf, value: bytes) -> tuple[bytes, ...]:
        """The same quotes; non-ASCII characters are escaped where the file has none. A number stays one where no
        reader gives it back otherwise: `1e3` would become 1000, and of more than fifteen digits some readers lose the last."""
        text = text_of(value, self.name)
        quoted = json.dumps(text, ensure_ascii=data.isascii()).encode()
        if leaf.place.quoting == "single":
            inner = quoted[1:-1].replace(b'\\"', b'"').replace(b"'", b"\\'")
            return b"'" + inner + b"'", quoted
        if leaf.place.quoting == "number" and _PLAIN_NUMBER.fullmatch(value):
            return value, quoted
        return (quoted,)

    def insert(self, data: bytes, path: Path, value: bytes) -> bytes:
        """Adds a member at the end of an object that is there, indented as its first one."""
        if not data.strip():
            return self._built(data, path, value)
        parser = self._parse(data)
        place = parser.objects.get(path[:-1])
        if place is None:
            raise FormatError(f"{format_path(path)} is not there, nor is what it stands in; add it with an empty value")
        if self.find(data, path) is not None:
            raise FormatError(f"{format_path(path)} is there already")
        key = json.dumps(path[-1], ensure_ascii=data.isascii()).encode()
        member = key + b": " + json.dumps(text_of(value, self.name), ensure_ascii=data.isascii()).encode()
        if place.last == place.start + 1:
            at, added = place.last, member
        else:
            before = data[data.rfind(b"\n", 0, place.first) + 1 : place.first]
            own_line = not before.strip() and b"\n" in data[place.start : place.first]
            comment = _COMMENT.match(data, place.last) if own_line else None
            at = comment.end() if comment else place.last
            added = (line_end(data) + before if own_line else b" ") + member
            if not place.comma:
                data, at = data[: place.last] + b"," + data[place.last :], at + 1
        changed = data[:at] + added + data[at:]
        if [leaf[:2] for leaf in parser.leaves] != [leaf[:2] for leaf in self.leaves(changed) if leaf.path != path]:
            raise FormatError(f"{format_path(path)} cannot be added; add it with an empty value")
        return changed

    def _built(self, data: bytes, path: Path, value: bytes) -> bytes:
        tree: object = text_of(value, self.name)
        for part in reversed(path):
            tree = {part: tree}
        return (json.dumps(tree, indent=2) + "\n").encode()


class _Parser:
    def __init__(self, data: bytes, five: bool) -> None:
        self.data, self.five = data, five
        self.leaves: list[Leaf] = []
        self.objects: dict[Path, _Object] = {}
        self._blank = _BLANK5 if five else _BLANK
        self._string = _STRING5 if five else _STRING
        self._word = _WORD5 if five else _WORD

    def document(self) -> None:
        try:
            self.data.decode()
        except UnicodeDecodeError:
            raise FormatError("the file is not UTF-8") from None
        at = self._skip(len(BOM) if self.data.startswith(BOM) else 0)
        at = self._skip(self._value(at, (), 0))
        if at != len(self.data):
            raise self._error(at)

    def _error(self, at: int) -> FormatError:
        line = self.data.count(b"\n", 0, at) + 1
        return FormatError(f"line {line} is not {'JSON5' if self.five else 'JSON'}")

    def _skip(self, at: int) -> int:
        match = self._blank.match(self.data, at)
        return match.end() if match else at

    def _value(self, at: int, path: Path, depth: int) -> int:
        if depth > MOST_DEPTH:
            raise FormatError(f"the file is nested deeper than {MOST_DEPTH} levels")
        char = self.data[at : at + 1]
        if char == b"{":
            return self._object(at, path, depth)
        if char == b"[":
            return self._array(at, path, depth)
        match = self._string.match(self.data, at)
        if match:
            value = self._text(match.group(), at).encode("utf-8", "surrogatepass")
            self.leaves.append(Leaf(path, value, Place(at, match.end(), "single" if char == b"'" else "double")))
            return match.end()
        match = self._word.match(self.data, at)
        if match is None:
            raise self._error(at)
        word = match.group()
        quoting = "word" if word in (b"true", b"false", b"null") else "number"
        self.leaves.append(Leaf(path, b"" if word == b"null" else word, Place(at, match.end(), quoting)))
        return match.end()

    def _object(self, start: int, path: Path, depth: int) -> int:
        at = self._skip(start + 1)
        first, last, comma, keys = at, start + 1, False, set()
        while self.data[at : at + 1] != b"}":
            key, at = self._key(at)
            if key in keys:
                raise FormatError(f"{format_path((*path, key))} stands there twice")
            keys.add(key)
            at = self._skip(at)
            if self.data[at : at + 1] != b":":
                raise self._error(at)
            last = self._value(self._skip(at + 1), (*path, key), depth + 1)
            at, comma = self._separator(last, b"}")
            last = at if comma else last
            at = self._skip(at)
        self.objects[path] = _Object(start, at, last, first, comma)
        return at + 1

    def _array(self, start: int, path: Path, depth: int) -> int:
        at = self._skip(start + 1)
        number = 0
        while self.data[at : at + 1] != b"]":
            at, _ = self._separator(self._value(at, (*path, str(number)), depth + 1), b"]")
            at = self._skip(at)
            number += 1
        return at + 1

    def _separator(self, at: int, closing: bytes) -> tuple[int, bool]:
        """The place behind the comma, or of the closing bracket."""
        at = self._skip(at)
        if self.data[at : at + 1] == closing:
            return at, False
        if self.data[at : at + 1] != b",":
            raise self._error(at)
        after = self._skip(at + 1)
        if not self.five and self.data[after : after + 1] == closing:
            raise self._error(after)
        return at + 1, True

    def _key(self, at: int) -> tuple[str, int]:
        match = self._string.match(self.data, at)
        if match:
            return self._text(match.group(), at), match.end()
        match = _NAME5.match(self.data, at) if self.five else None
        if match is None:
            raise self._error(at)
        return self._text(b'"' + match.group() + b'"', at), match.end()

    def _text(self, raw: bytes, at: int) -> str:
        """What a string literal says."""
        if not self.five:
            text = json.loads(raw)
            assert isinstance(text, str)
        else:
            text = _ESCAPE.sub(lambda found: _unescape(found[1]), raw[1:-1].decode())
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise self._error(at) from None
        return text


def _unescape(escape: str) -> str:
    if len(escape) > 2 and escape[0] in "ux":
        return chr(int(escape[1:], 16))
    return _ESCAPES.get(escape, escape)


JSON = Json()
JSON5 = Json(five=True)
