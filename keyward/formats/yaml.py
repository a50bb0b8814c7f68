"""YAML: the bytes of each scalar, by its path, found by the marks of ruamel.yaml's parser and spliced in place.

Values with an anchor, a tag or behind an alias or a merge key (`<<`) are not changed: others depend on them, or they are something else
than text. Several documents may stand in one file; a path must be in just one of them.
"""

from __future__ import annotations

import re
from typing import Any

from keyward.errors import MissingExtra
from keyward.formats.document import Format
from keyward.formats.place import BOM, MOST_DEPTH, FormatError, Leaf, Path, Place, format_path, line_end, text_of

_PLAIN = re.compile(r"[A-Za-z0-9_/.+](?:[A-Za-z0-9_/.+=@%^~:-]*[A-Za-z0-9_/.+=@%^~-])?\Z")
_NOT_TEXT = re.compile(r"(?i:y|n|yes|no|on|off|true|false|null|[-+]?\.inf|\.nan|[-+.]?[0-9][0-9a-fox_.:+tzTZ-]*)\Z")
_HEADER = re.compile(r"[|>]([-+0-9]*)([ \t]+#[^\r\n]*)?[ \t]*(\r?\n)")


class Yaml(Format):
    """YAML 1.1 and 1.2: what is written means the same in both."""

    name = "YAML"

    def leaves(self, data: bytes) -> list[Leaf]:
        walker = _Walker(data)
        for node in _compose(walker.text):
            walker.walk(node, (), 0)
        return walker.leaves

    def find(self, data: bytes, path: Path) -> Leaf | None:
        leaf = super().find(data, path)
        if leaf is None:
            blocked = [each.path for each in self.leaves(data) if each.place.quoting == "alias"]
            for each in blocked:
                merged = each[-1:] == ("<<",) and path[: len(each) - 1] == each[:-1]
                if merged and len(path) == len(each):
                    return None
                if path[: len(each)] == each:
                    raise FormatError(f"{format_path(path)} comes from an alias; name the place that the alias means")
        return leaf

    def spell(self, data: bytes, leaf: Leaf, value: bytes) -> tuple[bytes, ...]:
        """The same style, else double quotes."""
        place = leaf.place
        if place.quoting in ("alias", "anchor", "tag", "nowhere"):
            reason = {
                "nowhere": "is empty, and where its value would stand cannot be told",
                "alias": "is an alias; name the place that it means",
                "anchor": "has an anchor, and others may use it",
                "tag": "has a tag, so it is something else than text",
            }[place.quoting]
            raise FormatError(f"{format_path(leaf.path)} {reason}")
        text = text_of(value, self.name)
        double = _double(text)
        lead = " " if place.start == place.end and data[place.start - 1 : place.start] in (b":", b"-", b"?") else ""
        ways = []
        if place.quoting in ("plain", "empty") and _PLAIN.match(text) and not _NOT_TEXT.match(text):
            ways.append(text)
        elif place.quoting == "single" and text.isprintable():
            ways.append("'" + text.replace("'", "''") + "'")
        elif place.quoting == "block":
            raw = data[place.start : place.end].decode()
            ways += _block(raw, text, line_end(data).decode())
            comment = _HEADER.match(raw)
            double += (comment[2] or "") if comment else ""
        return tuple((lead + way).encode() for way in (*ways, double))

    def insert(self, data: bytes, path: Path, value: bytes) -> bytes:
        if data.strip():
            return super().insert(data, path, value)
        lines = ["  " * depth + _double(part) + ":" for depth, part in enumerate(path)]
        return ("\n".join(lines) + " " + _double(text_of(value, self.name)) + "\n").encode()


def _compose(text: str) -> list[Any]:
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError
    except ImportError:
        raise MissingExtra("ruamel.yaml", "formats") from None
    try:
        return [node for node in YAML(typ="safe", pure=True).compose_all(text) if node is not None]
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise FormatError(f"line {line} is not YAML") from None  # the error's own text quotes the line
    except (YAMLError, RecursionError, ValueError, IndexError):
        raise FormatError("the file is not YAML") from None


class _Walker:
    def __init__(self, data: bytes) -> None:
        try:
            self.text = data.removeprefix(BOM).decode()
        except UnicodeDecodeError:
            raise FormatError("the file is not UTF-8") from None
        self._base = len(BOM) if data.startswith(BOM) else 0
        self._plain = self.text.isascii()
        self._seen: set[int] = set()
        self._nodes: list[Any] = []  # keeps them alive, so that no id is used twice
        self.leaves: list[Leaf] = []

    def _byte(self, index: int) -> int:
        return self._base + (index if self._plain else len(self.text[:index].encode()))

    def walk(self, node: Any, path: Path, depth: int, key_end: int = -1) -> None:
        if depth > MOST_DEPTH:
            raise FormatError(f"the file is nested deeper than {MOST_DEPTH} levels")
        if id(node) in self._seen:
            self.leaves.append(Leaf(path, b"", Place(0, 0, "alias")))
            return
        self._seen.add(id(node))
        self._nodes.append(node)
        if isinstance(node.value, str):
            self._scalar(node, path, key_end)
        elif node.id == "sequence":
            for number, item in enumerate(node.value):
                self.walk(item, (*path, str(number)), depth + 1)
        else:
            keys: set[str] = set()
            for key, value in node.value:
                name = key.value if isinstance(key.value, str) else f"?{len(keys)}"
                if name in keys and name != "<<":
                    raise FormatError(f"{format_path((*path, name))} stands there twice")
                keys.add(name)
                self._nodes.append(key)
                self.walk(value, (*path, name), depth + 1, key.end_mark.index)

    def _scalar(self, node: Any, path: Path, key_end: int) -> None:
        start, end = node.start_mark.index, node.end_mark.index
        raw = self.text[start:end]
        style = {"'": "single", '"': "double", "|": "block", ">": "block"}.get(node.style or "", "plain")
        if node.anchor:
            style = "anchor"
        elif raw.startswith("!"):
            style = "tag"
        elif style == "block":
            end = start + len(raw.rstrip("\r\n \t")) if "\n" in raw.rstrip() else start + len(raw.rstrip())
        elif style == "plain":
            end = start + len(raw.rstrip())
            if not raw.strip():  # its mark is that of whatever follows
                colon = self.text.find(":", key_end) if key_end >= 0 else -1
                style, start = ("empty" if colon >= 0 else "nowhere"), colon + 1
                end = start
        null = style in ("empty", "nowhere") or (style == "plain" and node.value in ("~", "null", "Null", "NULL"))
        value = b"" if null else str(node.value).encode()
        self.leaves.append(Leaf(path, value, Place(self._byte(start), self._byte(end), style)))


def _double(text: str) -> str:
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char.isprintable() and char != "\ufeff":
            out.append(char)
        elif char in "\n\r\t":
            out.append({"\n": "\\n", "\r": "\\r", "\t": "\\t"}[char])
        else:
            code = ord(char)
            out.append(f"\\x{code:02X}" if code < 256 else f"\\u{code:04X}" if code < 65536 else f"\\U{code:08X}")
    return '"' + "".join(out) + '"'


def _block(raw: str, text: str, eol: str) -> list[str]:
    """A literal block with the old one's indentation; nothing where the value cannot stand in one."""
    header = _HEADER.match(raw)
    lines = text.rstrip("\n").split("\n")
    first = next((line for line in raw.split("\n")[1:] if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip(" "))]
    fits = all(line.isprintable() for line in lines) and lines[0] and not lines[0].startswith(" ")
    if header is None or not indent or not fits:
        return []
    ends = len(text) - len(text.rstrip("\n"))
    chomp = "-" if not ends else "" if ends == 1 else "+"
    digit = "".join(char for char in header[1] if char.isdigit())
    folded = raw[0] == ">" and len(lines) == 1
    head = (">" if folded else "|") + digit + chomp + (header[2] or "") + eol
    return [head + eol.join(indent + line if line else "" for line in lines) + eol * max(0, ends - 1)]


YAML_FORMAT = Yaml()
