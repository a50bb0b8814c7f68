"""A TOML file of configuration whose errors name the line and say how to put it right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NoReturn

from keyward.errors import ConfigError
from keyward.formats.textfile import read_text

LARGEST = 1 << 20

_ONE_NAME = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_NAME = re.compile(_ONE_NAME)
_HEAD = re.compile(rf"\s*(\[\[?)\s*({_ONE_NAME}(?:\s*\.\s*{_ONE_NAME})*)\s*\]\]?\s*(?:#.*)?")


Address = tuple[str | int, ...]
"""Which table: the keys that lead to it, and after the key of an array of tables the number of one of them."""


class TomlFile:
    """The parsed file, or one of its tables (`address`)."""

    def __init__(self, path: str, text: str, data: Mapping[str, Any], address: Address = ()) -> None:
        self.path = path
        self.data = data
        self.address = address
        self._text = text

    @classmethod
    def load(cls, path: str) -> TomlFile | None:
        """None if there is no such file. Raises ConfigError for one that is no TOML."""
        text = read_text(path, limit=LARGEST)
        return None if text is None else cls.loads(text, path)

    @classmethod
    def loads(cls, text: str, path: str) -> TomlFile:
        """The file with this text. Raises ConfigError if it is no TOML."""
        import tomllib

        try:
            return cls(path, text, tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            # The message may quote a character of the file, and nothing else; the place is only part of its text.
            message = str(error)
            place = re.search(r" \(at line (\d+), column \d+\)$", message)
            line = int(place[1]) if place else text.count("\n") + 1
            message = message[: place.start()] if place else message.removesuffix(" (at end of document)")
            hint = "See https://toml.io for the format; text stands in quotation marks."
            raise ConfigError(f"is not TOML: {message.lower()}", path=path, line=line, hint=hint) from None
        except RecursionError:
            raise ConfigError("is nested too deeply", path=path) from None

    def wrong(self, message: str, hint: str, key: str = "") -> NoReturn:
        """Raises ConfigError at the line of a key of this table."""
        raise ConfigError(message, path=self.path, line=self.line(key), hint=hint)

    def line(self, key: str = "") -> int:
        """The line of a key of this table, or of the table's head; 0 if it cannot be told."""
        # A key may be quoted, and may head a table of its own.
        wanted = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""") if key else None
        depth, head = len(self.address), 0
        for number, current, is_head, line in _lines(self._text):
            if is_head and current == self.address:
                head = head or number
                continue
            below = current[:depth] == self.address and current[depth] == key if is_head else current == self.address
            if below and wanted is not None and (is_head or wanted.match(line)):
                return number
        return head or (self._outer() if depth else 0)

    def _outer(self) -> int:
        """The line of this table where it has no head: that of its key in the table around it."""
        names = [step for step in self.address if isinstance(step, str)]
        last = len(self.address) - 1 - self.address[::-1].index(names[-1])
        return TomlFile(self.path, self._text, {}, self.address[:last]).line(names[-1])

    def only(self, known: Iterable[str], what: str) -> None:
        """Raises ConfigError for a key that is none of the known ones, naming the nearest."""
        names = tuple(known)
        for key in self.data:
            if key not in names:
                self.wrong(f"{what} has no key {_shown(key)}", nearest(key, names), key)

    def text(self, key: str, default: str = "", *, required: str = "") -> str:
        """A string. `required`: the hint that is given where it is missing or empty."""
        value = self.data.get(key, default)
        if not isinstance(value, str):
            self.wrong(f"`{key}` must be text", f'Write it in quotation marks: {key} = "…"', key)
        if required and not value.strip():
            self.wrong(f"`{key}` is missing" if key not in self.data else f"`{key}` is empty", required, key)
        return value

    def texts(self, key: str, *, required: str = "") -> tuple[str, ...]:
        """A list of strings."""
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.wrong(f"`{key}` must be a list of texts", f'Write it like this: {key} = ["…", "…"]', key)
        if required and not value:
            self.wrong(f"`{key}` is missing" if key not in self.data else f"`{key}` is empty", required, key)
        return tuple(value)

    def flag(self, key: str) -> bool:
        """A boolean, false where it is missing."""
        value = self.data.get(key, False)
        if not isinstance(value, bool):
            self.wrong(f"`{key}` must be true or false", f"Write {key} = true, without quotation marks.", key)
        return value

    def number_between(self, key: str, low: int, high: int, default: int) -> int:
        """A whole number."""
        value = self.data.get(key, default)
        if type(value) is not int or not low <= value <= high:
            self.wrong(f"`{key}` must be a whole number from {low} to {high}", f"Write {key} = {default}.", key)
        return value

    def tables(self, key: str) -> list[TomlFile]:
        """An array of tables: `[[key]]`, as often as needed."""
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.wrong(f"`{key}` must be a list of tables", f"Begin each with a line [[{self._dotted}{key}]].", key)
        return [TomlFile(self.path, self._text, item, (*self.address, key, number)) for number, item in enumerate(value)]

    def in_table(self, key: str) -> TomlFile:
        """One table: `[key]`; empty where it is missing."""
        value = self.data.get(key, {})
        if not isinstance(value, dict):
            self.wrong(f"`{key}` must be a table", f"Begin it with a line [{self._dotted}{key}].", key)
        return TomlFile(self.path, self._text, value, (*self.address, key))

    def named_tables(self, key: str) -> list[tuple[str, TomlFile]]:
        """The tables of a table: `[key.NAME]`, with their names, in the order of the file."""
        outer = self.in_table(key)
        return [(name, outer.in_table(name)) for name in outer.data]

    @property
    def _dotted(self) -> str:
        """The names that lead here, as they stand before a key in a head: empty for the file."""
        return "".join(f"{step}." for step in self.address if isinstance(step, str))


@lru_cache(maxsize=4)
def _lines(text: str) -> tuple[tuple[int, Address, bool, str], ...]:
    """Each line with its number, the table that it belongs to, and whether it is that table's head. Remembered, because each of many
    tables of a file is asked where it stands."""
    current: Address = ()
    last_of: dict[Address, int] = {}
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        opened = _HEAD.fullmatch(line)
        if opened:
            current = ()
            names = [_unquoted(name) for name in _NAME.findall(opened[2])]
            for place, name in enumerate(names):
                current += (name,)
                if opened[1] == "[[" and place == len(names) - 1:
                    last_of[current] = last_of.get(current, -1) + 1
                if current in last_of:
                    current += (last_of[current],)
        found.append((number, current, opened is not None, line))
    return tuple(found)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint with the known word that is most like this one, else with all of them."""
    import difflib

    names = tuple(known)
    near = difflib.get_close_matches(word, names, 1, 0.6)
    return f"Did you mean `{near[0]}`?" if near else f"Known are: {', '.join(names)}."


def _shown(key: str) -> str:
    return f"`{key}`" if key.isprintable() and len(key) <= 60 else "of this name"


def _unquoted(name: str) -> str:
    return name[1:-1] if name[:1] in ("'", '"') else name
