"""A regular expression of Go (RE2 syntax, as gitleaks takes it) written so that RE2 and Python's parser read the same in it.

keyward parses a pattern with Python's `re` to find out what to look for, and matches untrusted ones with RE2 on bytes. What the two
spell differently is rewritten: flags in the middle of a pattern become groups, `\\z`, `\\Q…\\E`, POSIX classes and `(?<name>…)` are spelled
out, `\\s` does not take the vertical tab. What works on characters and not on bytes (`\\p{Greek}`, a range of letters beyond
ASCII) has no translation. Source of the syntax: github.com/google/re2/wiki/Syntax and the documentation of Go's `regexp/syntax`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

MOST_NESTED = 100
"""Groups within groups; Go itself takes 1,000."""

_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_DIGITS = frozenset(b"0123456789")
_SPACE = frozenset(b"\t\n\f\r ")
_ALL = frozenset(range(256))
_PERL: Mapping[str, frozenset[int]] = {
    "d": _DIGITS, "D": _ALL - _DIGITS, "w": _WORD, "W": _ALL - _WORD, "s": _SPACE, "S": _ALL - _SPACE,
}  # fmt: skip
_UPPER, _LOWER = frozenset(range(0x41, 0x5B)), frozenset(range(0x61, 0x7B))
_POSIX: Mapping[str, frozenset[int]] = {
    "alnum": _UPPER | _LOWER | _DIGITS, "alpha": _UPPER | _LOWER, "ascii": frozenset(range(128)), "blank": frozenset(b"\t "),
    "cntrl": frozenset((*range(32), 127)), "digit": _DIGITS, "graph": frozenset(range(0x21, 0x7F)), "lower": _LOWER,
    "print": frozenset(range(0x20, 0x7F)), "punct": frozenset(range(0x21, 0x7F)) - _UPPER - _LOWER - _DIGITS,
    "space": frozenset(b"\t\n\v\f\r "), "upper": _UPPER, "word": _WORD, "xdigit": frozenset(b"0123456789abcdefABCDEF"),
}  # fmt: skip
_CONTROLS: Mapping[str, int] = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_ASSERTIONS: Mapping[str, str] = {"A": "\\A", "b": "\\b", "B": "\\B"}
_REPEATS = "*+?{"

Flags = frozenset[str]


class Untranslatable(ValueError):
    """What a pattern uses that has no translation; the text never quotes the pattern."""


class Translated(NamedTuple):
    """`pattern`: ASCII text for RE2 and for `re`. `groups`: how many capturing groups the original had."""

    pattern: str
    groups: int


def translate(pattern: str, name_of: Callable[[int], str] = lambda number: "") -> Translated:
    """The pattern rewritten. A capturing group is kept, by that name, where `name_of` its number answers one; else it only groups.

    Raises Untranslatable.
    """
    reader = _Reader(pattern, name_of)
    text = reader.alternatives(frozenset(), 0)
    if not reader.at_end:
        reader.fail("a closing bracket without an opening one")
    return Translated(("(?m)" if reader.multiline else "") + text, reader.groups)


class _Reader:
    """One pass over a pattern. `multiline`: whether some part of it wants `^` and `$` at line ends."""

    def __init__(self, pattern: str, name_of: Callable[[int], str]) -> None:
        self._text = pattern
        self._at = 0
        self._name_of = name_of
        self.groups = 0
        # The flag is set for all of a pattern or for none, because the anchor is derived so; the rest then says otherwise.
        self.multiline = _wants_lines(pattern)

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._text)

    def fail(self, what: str) -> NoReturn:
        """Raises Untranslatable with the place."""
        raise Untranslatable(f"{what} (at character {self._at + 1})")

    def _looking_at(self, token: str) -> bool:
        return self._text.startswith(token, self._at)

    def _take(self, count: int = 1) -> str:
        if self._at + count > len(self._text):
            self.fail("the pattern ends too early")
        taken = self._text[self._at : self._at + count]
        self._at += count
        return taken

    def alternatives(self, flags: Flags, depth: int) -> str:
        """Up to the end of the group. A flag that is set within it holds to its end, across `|`."""
        if depth > MOST_NESTED:
            self.fail("too many groups within groups")
        base = flags
        done: list[str] = []
        runs: list[tuple[Flags, str]] = []
        while not self.at_end and not self._looking_at(")"):
            if self._looking_at("|"):
                self._take()
                done.append(_joined(runs, base))
                runs = []
                continue
            changed = self._flag_group(flags)
            if changed is not None:
                flags = changed
                continue
            runs.append((flags, self._repeated(flags, depth)))
        return "|".join([*done, _joined(runs, base)])

    def _flag_group(self, flags: Flags) -> Flags | None:
        """The flags after `(?i)` and the like, if that stands here."""
        if not self._looking_at("(?"):
            return None
        end = self._at + 2
        while end < len(self._text) and self._text[end] in "imsU-":
            end += 1
        if end == self._at + 2 or end >= len(self._text) or self._text[end] != ")":
            return None
        changed = self._flags(self._text[self._at + 2 : end], flags)
        self._at = end + 1
        return changed

    def _flags(self, text: str, flags: Flags) -> Flags:
        on, _, off = text.partition("-")
        if "U" in text:
            self.fail("the flag U, which makes repeats lazy")
        return (flags | frozenset(on)) - frozenset(off)

    def _repeated(self, flags: Flags, depth: int) -> str:
        atom = self._atom(flags, depth)
        if self.at_end or self._text[self._at] not in _REPEATS:
            return atom
        times = self._times()
        if not times:
            return atom
        lazy = self._take() if self._looking_at("?") else ""
        if not self.at_end and (self._text[self._at] in "*+?" or (self._looking_at("{") and self._peek_times())):
            self.fail("a repeat of a repeat")
        return atom + times + lazy

    def _times(self) -> str:
        """`*`, `+`, `?` or `{n,m}`; empty where `{` is a letter like any other."""
        if self._text[self._at] != "{":
            return self._take()
        times = self._peek_times()
        self._at += len(times)
        return times

    def _peek_times(self) -> str:
        end = self._text.find("}", self._at)
        inside = self._text[self._at + 1 : end] if end > 0 else ""
        low, _, high = inside.partition(",")
        if not (low.isascii() and low.isdigit()) or (high and not (high.isascii() and high.isdigit())):
            return ""
        return f"{{{inside}}}"

    def _atom(self, flags: Flags, depth: int) -> str:
        character = self._take()
        if character == "(":
            return self._group(flags, depth)
        if character == "[":
            return self._class(flags)
        if character == "\\":
            return self._escape(flags)
        if character == ".":
            return "[\\x00-\\xff]" if "s" in flags else "[^\\n]"
        if character == "^":
            return "(?m:^)" if "m" in flags else "\\A"
        if character == "$":
            return _end(flags, self.multiline)
        if character in "*+?":
            self.fail("a repeat of nothing")
        return _literal(character)

    def _group(self, flags: Flags, depth: int) -> str:
        opening, inner = "(?:", flags
        if self._looking_at("?"):
            self._take()
            if self._looking_at("P<") or (self._looking_at("<") and self._text[self._at + 1 : self._at + 2] not in ("=", "!")):
                end = self._text.find(">", self._at)
                if end < 0:
                    self.fail("a group name without an end")
                self._at = end + 1
                opening = self._capture()
            else:
                inner, opening = self._uncaptured(flags)
        else:
            opening = self._capture()
        body = self.alternatives(inner, depth + 1)
        if self.at_end:
            self.fail("an opening bracket without a closing one")
        self._take()
        return f"{opening}{body})"

    def _capture(self) -> str:
        self.groups += 1
        name = self._name_of(self.groups)
        return f"(?P<{name}>" if name else "(?:"

    def _uncaptured(self, flags: Flags) -> tuple[Flags, str]:
        """`(?:` and `(?i-s:`, after the question mark; the flags inside, and how the group begins."""
        end = self._at
        while end < len(self._text) and self._text[end] in "imsU-":
            end += 1
        if end >= len(self._text) or self._text[end] != ":":
            self.fail("a lookahead, lookbehind or group that RE2 does not know")
        inner = self._flags(self._text[self._at : end], flags)
        self._at = end + 1
        return inner, f"(?{_difference(inner, flags)}:"

    def _escape(self, flags: Flags) -> str:
        character = self._take()
        if character in _PERL:
            return _set(_PERL[character])
        if character in _ASSERTIONS:
            return _ASSERTIONS[character]
        if character == "z":
            return _end(frozenset(), self.multiline)
        if character == "C":
            return "[\\x00-\\xff]"
        if character == "Q":
            end = self._text.find("\\E", self._at)
            quoted = self._text[self._at : end if end >= 0 else len(self._text)]
            self._at = end + 2 if end >= 0 else len(self._text)
            return "(?:" + "".join(map(_literal, quoted)) + ")"
        return _literal(chr(self._code(character)))

    def _code(self, character: str) -> int:
        """The number of an escaped character."""
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character == "x":
            if self._looking_at("{"):
                end = self._text.find("}", self._at)
                digits = self._text[self._at + 1 : max(end, self._at + 1)]
                self._at = end + 1 if end >= 0 else self._at
            else:
                digits = self._take(2)
            if not digits or len(digits) > 6 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
                self.fail("a wrong \\x escape")
            number = int(digits, 16)
            if number > 0x10FFFF or 0xD800 <= number < 0xE000:
                self.fail("a wrong \\x escape")
            return number
        if character in "01234567":
            digits = character
            while len(digits) < 3 and not self.at_end and self._text[self._at] in "01234567":
                digits += self._take()
            if len(digits) == 1 and digits != "0":
                self.fail("a backreference")
            return int(digits, 8)
        if character in "pP":
            self.fail("a class of Unicode letters (\\p), which cannot be told from bytes")
        if character.isascii() and character.isalnum():
            self.fail("an escape that RE2 does not know")
        return ord(character)

    def _class(self, flags: Flags) -> str:
        negated = self._looking_at("^")
        if negated:
            self._take()
        members: set[int] = set()
        wide: set[str] = set()
        first = True
        while first or not self._looking_at("]"):
            first = False
            if self._looking_at("[:"):
                members |= self._posix()
                continue
            if self._looking_at("\\") and self._text[self._at + 1 : self._at + 2] in tuple(_PERL):
                self._take()
                members |= _PERL[self._take()]
                continue
            low = self._member()
            high = low
            if self._looking_at("-") and self._text[self._at + 1 : self._at + 2] != "]":
                self._take()
                high = self._member()
            if high < low:
                self.fail("a range that ends before it begins")
            if high < 128:
                members.update(range(low, high + 1))
            elif low == high:
                wide.add(chr(low))
            else:
                self.fail("a range of characters beyond ASCII, which cannot be told from bytes")
        self._take()
        if negated and wide:
            self.fail("everything but a character beyond ASCII, which cannot be told from bytes")
        if negated and "i" in flags:  # what is excluded is so in either case
            members |= {byte ^ 0x20 for byte in members if chr(byte).isascii() and chr(byte).isalpha()}
        narrow = _ALL - members if negated else members
        if not narrow and not wide:
            self.fail("a class that nothing belongs to")
        each = ([_set(frozenset(narrow))] if narrow else []) + [_literal(character) for character in sorted(wide)]
        return each[0] if len(each) == 1 else f"(?:{'|'.join(each)})"

    def _posix(self) -> frozenset[int]:
        end = self._text.find(":]", self._at)
        name = self._text[self._at + 2 : max(end, self._at + 2)]
        members = _POSIX.get(name.removeprefix("^"))
        if members is None:
            self.fail("a class of letters that RE2 does not know")
        self._at = end + 2
        return _ALL - members if name.startswith("^") else members

    def _member(self) -> int:
        character = self._take()
        return self._code(self._take()) if character == "\\" else ord(character)


def _wants_lines(pattern: str) -> bool:
    """Whether a flag group with `m` may stand in the pattern; too often is harmless."""
    start = pattern.find("(?")
    while start >= 0:
        end = start + 2
        while end < len(pattern) and pattern[end] in "imsU-":
            end += 1
        if "m" in pattern[start + 2 : end].partition("-")[0]:
            return True
        start = pattern.find("(?", start + 2)
    return False


def _joined(runs: list[tuple[Flags, str]], base: Flags) -> str:
    """The parts of one alternative; those under other flags than the group began with get a group of their own."""
    out: list[str] = []
    index = 0
    while index < len(runs):
        flags = runs[index][0]
        texts = []
        while index < len(runs) and runs[index][0] == flags:
            texts.append(runs[index][1])
            index += 1
        difference = _difference(flags, base)
        out.append(f"(?{difference}:{''.join(texts)})" if difference else "".join(texts))
    return "".join(out)


def _difference(flags: Flags, base: Flags) -> str:
    """`i` or `-i`; the others are spelled out where they matter."""
    return "i" if "i" in flags - base else "-i" if "i" in base - flags else ""


def _end(flags: Flags, multiline: bool) -> str:
    """`$`, which without the flag `m` is the end of the text only."""
    if "m" in flags:
        return "(?m:$)"
    return "(?-m:$)" if multiline else "$"


def _literal(character: str) -> str:
    """The bytes of one character; several of them are one thing to repeat."""
    try:
        encoded = character.encode()
    except UnicodeEncodeError:
        raise Untranslatable("half a character") from None
    text = "".join(_byte(byte) for byte in encoded)
    return text if len(encoded) == 1 else f"(?:{text})"


def _byte(value: int) -> str:
    character = chr(value)
    if character.isascii() and (character.isalnum() or character in "_ ,:;<>=@!%&~#\"'`/"):
        return character
    # An opening bracket is never written as itself, so that `(?` in what comes out is always the beginning of a group.
    return f"\\{character}" if 32 < value < 127 and character != "(" else f"\\x{value:02x}"


@lru_cache(maxsize=4096)
def _set(members: frozenset[int]) -> str:
    """A class of bytes, as ranges."""
    ordered = sorted(members)
    ranges: list[tuple[int, int]] = []
    for value in ordered:
        if ranges and ranges[-1][1] == value - 1:
            ranges[-1] = (ranges[-1][0], value)
        else:
            ranges.append((value, value))
    text = "".join(
        _in_set(low) if low == high else _in_set(low) + _in_set(high) if high == low + 1 else f"{_in_set(low)}-{_in_set(high)}"
        for low, high in ranges
    )
    return f"[{text}]"


def _in_set(value: int) -> str:
    character = chr(value)
    return character if character.isascii() and character.isalnum() else f"\\x{value:02x}"


def quiet_options() -> Any:
    """RE2 on bytes, without messages on standard error."""
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = 8 << 20
    return options
