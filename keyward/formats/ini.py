"""INI files (`[section]`, `key = value`, `key: value`) and Java properties, by section and key.

Readers of INI differ: some cut a value at ` ;` or ` #`, some take off quotes, some expand `%`. The old value tells which part of the
line is meant; a new value that readers would understand differently is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from keyward.formats.document import Format
from keyward.formats.place import BOM, FormatError, Leaf, Path, Place, format_path, line_end, text_of

_SECTION = re.compile(rb"[ \t]*\[(?P<name>[^\]\r\n]+)\]")
_OPTION = re.compile(rb"[ \t]*(?P<key>[^\s=:#;\[][^=\r\n]*?)[ \t]*(?:=|:(?=[ \t\r\n]|\Z)|:(?=[^=\r\n]*$))", re.MULTILINE)


class _Option(NamedTuple):
    path: Path
    start: int
    end: int


class Ini(Format):
    """`percent`: `refuse` a `%` in a new value, `double` it (configparser's basic interpolation), or take it as it is (`plain`)."""

    def __init__(self, *, percent: str = "refuse") -> None:
        if percent not in ("refuse", "double", "plain"):
            raise FormatError("`percent` is refuse, double or plain")
        self.percent = percent
        self.name = "an INI file"

    def same(self, one: Path, other: Path) -> bool:
        """Sections as they are, keys whatever their case, as configparser reads them."""
        return one[:-1] == other[:-1] and [k.lower() for k in one[-1:]] == [k.lower() for k in other[-1:]]

    def _options(self, data: bytes) -> Iterator[_Option]:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data:
            raise FormatError("this is no text in an encoding that keeps ASCII")
        at = len(BOM) if data.startswith(BOM) else 0
        section: Path = ()
        option: _Option | None = None
        depth = 0
        while at < len(data):
            end = data.find(b"\n", at)
            end = len(data) if end < 0 else end
            stop = end - 1 if data[end - 1 : end] == b"\r" and end > at else end
            line = data[at:stop]
            indent = len(line) - len(line.lstrip(b" \t"))
            body = line.strip()
            if body[:1] in (b"#", b";") or not body:
                pass
            elif option is not None and indent > depth:
                option = option._replace(end=at + len(line.rstrip()))
            else:
                if option is not None:
                    yield option
                option, depth = None, indent
                header = _SECTION.match(line)
                if header:
                    section = (header["name"].decode("utf-8", "surrogateescape"),)
                else:
                    option = self._option(data, at, stop, section)
            at = end + 1
        if option is not None:
            yield option

    def _option(self, data: bytes, at: int, stop: int, section: Path) -> _Option | None:
        line = data[at:stop]
        match = _OPTION.match(line)
        if match is None:
            return None
        start = match.end()
        while line[start : start + 1] in (b" ", b"\t"):
            start += 1
        end = len(line.rstrip())
        key = match["key"].decode("utf-8", "surrogateescape")
        return (
            _Option((*section, key), at + start, at + max(start, end))
            if end > start
            else _Option((*section, key), at + match.end(), at + match.end())
        )

    def leaves(self, data: bytes) -> list[Leaf]:
        return [Leaf(o.path, self._plain(data[o.start : o.end]), Place(o.start, o.end, "bare")) for o in self._options(data)]

    def _plain(self, raw: bytes) -> bytes:
        lines = b"\n".join(line.strip() for line in raw.split(b"\n")) if b"\n" in raw else raw
        return lines.replace(b"%%", b"%") if self.percent == "double" else lines

    def _variants(self, data: bytes, leaf: Leaf) -> list[Leaf]:
        """The leaf as each kind of reader sees it: the whole line, without a comment, without quotes."""
        found = [leaf]
        start, end, _ = leaf.place
        raw = data[start:end]
        if b"\n" not in raw:
            comment = re.search(rb"[ \t]+[;#]", raw)
            if comment:
                found.append(
                    Leaf(leaf.path, self._plain(raw[: comment.start()]), Place(start, start + comment.start(), "bare"))
                )
            for each in tuple(found):
                inner = data[each.place.start : each.place.end]
                if len(inner) >= 2 and inner[:1] == inner[-1:] and inner[:1] in (b'"', b"'"):
                    place = Place(each.place.start + 1, each.place.end - 1, "quoted")
                    found.append(Leaf(leaf.path, self._plain(inner[1:-1]), place))
        return found

    def readings(self, data: bytes, path: Path) -> frozenset[bytes]:
        leaf = self.find(data, path)
        return frozenset() if leaf is None else frozenset(each.value for each in self._variants(data, leaf))

    def replace(self, data: bytes, path: Path, value: bytes, old: bytes | None = None) -> bytes:
        leaf = self.find(data, path)
        if leaf is None:
            raise FormatError(f"{format_path(path)} is not there")
        variants = self._variants(data, leaf)
        if any(each.value == value for each in variants):
            return data
        chosen = next((each for each in variants if each.value == old), variants[0])
        raw = self._raw(path, value, chosen.place.quoting)
        changed = data[: chosen.place.start] + raw + data[chosen.place.end :]
        before = [each for each in self.leaves(data) if each.path != leaf.path]
        after = [each for each in self.leaves(changed) if each.path != leaf.path]
        if [each[:2] for each in before] != [each[:2] for each in after] or value not in self.readings(changed, path):
            raise FormatError(f"{format_path(path)} cannot hold this value in any way that {self.name} has")
        return changed

    def replace_leaf(self, data: bytes, leaf: Leaf, value: bytes) -> bytes:
        return self.replace(data, leaf.path, value, leaf.value)

    def _raw(self, path: Path, value: bytes, quoting: str) -> bytes:
        place = format_path(path)
        if re.search(rb"[\r\n\0]", value):
            raise FormatError(f"{place}: a value of several lines cannot stand in {self.name}")
        if b"%" in value and self.percent == "refuse":
            raise FormatError(f"{place}: the new value has a `%`, which some readers expand; say `percent` (double or plain)")
        if quoting == "quoted":
            if value[:1] in (b'"', b"'") or re.search(rb"[\"'\\]", value):
                raise FormatError(
                    f"{place}: the new value has a quote or backslash, which readers of quoted values differ about"
                )
        elif value != value.strip() or re.search(rb"(?:^|[ \t])[;#]", value) or value[:1] in (b'"', b"'"):
            raise FormatError(f"{place}: readers differ about blanks, quotes and comment signs like those of the new value")
        return value.replace(b"%", b"%%") if self.percent == "double" else value

    def insert(self, data: bytes, path: Path, value: bytes) -> bytes:
        """Adds a line below the last option of its section, or the section at the end."""
        if self.find(data, path) is not None:
            raise FormatError(f"{format_path(path)} is there already")
        if len(path) not in (1, 2) or re.search(r"[=:\r\n\[\]#;]", path[-1]) or re.search(r"[\r\n\]]", path[0]):
            raise FormatError(f"{format_path(path)} is no section and key")
        raw = self._raw(path, value, "bare")
        end = line_end(data)
        line = path[-1].encode() + b" = " + raw + end
        at = self._section_end(data, path[:-1])
        if at < 0:
            line = (end if data.strip() else b"") + b"[" + path[0].encode() + b"]" + end + line
            at = len(data)
        if at and data[at - 1 : at] != b"\n" and data != BOM:
            line = end + line.removesuffix(end)
        return data[:at] + line + data[at:]

    def _section_end(self, data: bytes, section: Path) -> int:
        """Where a line can be added to a section, -1 if there is none."""
        at = len(BOM) if data.startswith(BOM) else 0
        found = -1 if section else at
        for match in re.finditer(rb"(?m)^[ \t]*\[([^\]\r\n]+)\][^\n]*\n?", data):
            if (match[1].decode("utf-8", "surrogateescape"),) == section:
                found = match.end()
        for option in self._options(data):
            if option.path[:-1] == section:
                newline = data.find(b"\n", option.end)
                found = max(found, len(data) if newline < 0 else newline + 1)
        return found


class Properties(Format):
    """Java `.properties`: `key=value`, `key: value` or `key value`, with backslash escapes. The path is the key alone, dots and
    all. The last one of a key is in force. New values are written in ASCII, which every version of Java reads."""

    name = "a properties file"

    _LINE = re.compile(rb"(?:[^\\\r\n]|\\(?:\r\n|.))*", re.DOTALL)
    _KEY = re.compile(rb"[ \t\f]*(?P<key>(?:[^\\=:\s]|\\(?:\r\n|.))+)[ \t\f]*(?:[=:][ \t\f]*)?", re.DOTALL)

    def leaves(self, data: bytes) -> list[Leaf]:
        found = []
        at = len(BOM) if data.startswith(BOM) else 0
        while at < len(data):
            if data[at : at + 1] in b" \t\f\r\n":
                at += 1
                continue
            if data[at : at + 1] in b"#!":
                end = data.find(b"\n", at)
                at = len(data) if end < 0 else end + 1
                continue
            line = self._LINE.match(data, at)
            key = self._KEY.match(data, at, line.end() if line else at)
            if line is None or key is None or line.end() == at:
                raise FormatError("this is no properties file")
            value = _unescape(data[key.end() : line.end()]).encode("utf-8", "surrogatepass")
            found.append(Leaf((_unescape(key["key"]),), value, Place(key.end(), line.end(), "bare")))
            at = line.end()
        return found

    def find(self, data: bytes, path: Path) -> Leaf | None:
        path = (".".join(path),)
        found = [leaf for leaf in self.leaves(data) if leaf.path == path]
        return found[-1] if found else None

    def replace(self, data: bytes, path: Path, value: bytes, old: bytes | None = None) -> bytes:
        live = self.find(data, path)
        if live is None:
            raise FormatError(f"{format_path(path)} is not there")
        doomed = [leaf for leaf in self.leaves(data) if leaf == live or (leaf.path == live.path and leaf.value == live.value)]
        for leaf in reversed(doomed):
            data = self.replace_leaf(data, leaf, value)
        return data

    def spell(self, data: bytes, leaf: Leaf, value: bytes) -> tuple[bytes, ...]:
        return (_escape(text_of(value, self.name)),)

    def insert(self, data: bytes, path: Path, value: bytes) -> bytes:
        end = line_end(data)
        pieces = re.split(r"([=: #!])", ".".join(path))
        key = b"".join(b"\\" + part.encode() if part in tuple("=: #!") else _escape(part) for part in pieces)
        head = data if not data or data.endswith(b"\n") or data == BOM else data + end
        tail = end if data.endswith(b"\n") or data in (b"", BOM) else b""
        return head + key + b"=" + _escape(text_of(value, self.name)) + tail


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}


def _unescape(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")  # the encoding of properties before Java 9
    text = re.sub(r"\\(?:\r\n|\n|\r)[ \t\f]*", "", text)
    text = re.sub(
        r"\\(u[0-9A-Fa-f]{4}|.)",
        lambda m: chr(int(m[1][1:], 16)) if len(m[1]) > 1 else _ESCAPES.get(m[1], m[1]),
        text,
        flags=re.DOTALL,
    )
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _escape(text: str) -> bytes:
    out = []
    for number, char in enumerate(text):
        if char == "\\" or (char == " " and not number) or (char in "#!" and not number):
            out.append("\\" + char)
        elif " " <= char <= "~":
            out.append(char)
        else:
            short = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}.get(char)
            units = char.encode("utf-16-be")
            out.append(short or "".join(f"\\u{units[n : n + 2].hex()}" for n in range(0, len(units), 2)))
    return "".join(out).encode()


INI = Ini()
PROPERTIES = Properties()
