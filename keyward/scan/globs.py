"""Patterns for paths, as in `.gitignore`.

    vendor/          a folder of this name, wherever it is, with everything below
    *.min.js         a file or folder whose name fits, wherever it is
    /build           `build` at the top of the project only
    docs/*.pdf       a pattern with a slash inside is relative to the top of the project, too
    **/fixtures/**   everything below a folder `fixtures`, wherever it is
    a/**/b           `a/b`, `a/x/b`, `a/x/y/b`

`*` is any run of characters, `?` any one character, `[a-z]` and `[!a-z]` one character in or not in the set; none of them
matches `/`. A backslash takes the next character as it is. What lies below an excluded folder is excluded. Case counts.
Unlike in `.gitignore`, a pattern cannot take an exclusion back (`!`), so their order does not matter; `\\!` and `\\#` at the
start stand for the characters.

Patterns may come from a hostile repository, so no pattern takes more than a small multiple of the path's length: each part
between two stars is looked for at its first place and never again (atomic groups), which finds a match whenever there is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_PATTERNS = 1_000
LONGEST_PATTERN = 500


class Excludes:
    """Compiled patterns. Called with a path relative to the project's top (with `/`) and whether it is a folder, it answers with
    the pattern that excludes it, or an empty string."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = tuple(patterns)
        alternatives = "|".join(f"({translate(pattern)})" for pattern in self.patterns)
        # The path is matched with a slash behind every folder, so that one expression serves both `x/` and what is below.
        self._match = re.compile(alternatives, re.DOTALL).match if alternatives else None

    def __call__(self, path: str, is_folder: bool = False) -> str:
        if self._match is None:
            return ""
        found = self._match(path + "/" if is_folder else path)
        return self.patterns[found.lastindex - 1] if found is not None and found.lastindex else ""


def translate(pattern: str) -> str:
    """The regular expression of a pattern, to be matched at the start of a path. Raises ValueError for a pattern that is wrong."""
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"a pattern has at most {LONGEST_PATTERN} characters")
    if pattern.startswith("!"):
        raise ValueError("a pattern cannot take an exclusion back; make the other patterns narrower")
    body = pattern.rstrip(" ") if not pattern.endswith("\\ ") else pattern
    folder_only = body.endswith("/") and not body.endswith("\\/")
    body = body.rstrip("/") if folder_only else body
    anchored = "/" in body
    segments = [segment for segment in body.split("/") if segment]
    if not segments or all(segment == "." for segment in segments):
        raise ValueError("a pattern must name something")
    if any(segment in (".", "..") for segment in segments):
        raise ValueError("a pattern must not contain `.` or `..`; paths are relative to the top of the project")
    if not anchored and segments[0] != "**":
        segments.insert(0, "**")
    below = False
    while len(segments) > 1 and segments[-1] == "**":
        segments.pop()
        below = True
    if segments == ["**"]:
        return "[^/]+/" if folder_only else ""
    end = "/" if folder_only and not below else "/." if below else r"(?:/|\Z)"
    return _chunks(segments, end)


def _chunks(segments: list[str], end: str) -> str:
    """Stretches of segments between `**`, each taken at its first place."""
    groups: list[list[str]] = [[]]
    for segment in segments:
        if segment == "**":
            if groups[-1] or len(groups) == 1:
                groups.append([])
        else:
            groups[-1].append(segment)
    out = "/".join(map(_segment, groups[0]))
    if len(groups) == 1:
        return out + end
    if out:
        out += "/"
    for number, group in enumerate(groups[1:], 2):
        out += f"(?>(?:[^/]*/)*?{'/'.join(map(_segment, group))}{end if number == len(groups) else '/'})"
    return out


def _segment(segment: str) -> str:
    """One segment: literal stretches between stars, each but the last taken at its first place."""
    stretches = [""]
    at = 0
    while at < len(segment):
        character = segment[at]
        at += 1
        if character == "*":
            if len(stretches) == 1 or stretches[-1]:
                stretches.append("")
        elif character == "?":
            stretches[-1] += "[^/]"
        elif character == "[":
            expression, at = _set(segment, at)
            stretches[-1] += expression
        elif character == "\\":
            if at == len(segment):
                raise ValueError("a pattern must not end with a backslash")
            stretches[-1] += re.escape(segment[at])
            at += 1
        else:
            stretches[-1] += re.escape(character)
    first, *rest = stretches
    if not rest:
        return first
    # The last stretch must end the segment; the lookahead for that stands inside the atomic group.
    middle = "".join(f"(?>[^/]*?{stretch})" for stretch in rest[:-1])
    last = rf"(?>[^/]*?{rest[-1]}(?=/|\Z))" if rest[-1] else "[^/]*+"
    return first + middle + last


def _set(segment: str, at: int) -> tuple[str, int]:
    negate = segment[at : at + 1] in ("!", "^")
    start = at + negate
    close = segment.find("]", start + 1)
    if close < 0:
        raise ValueError("a pattern with `[` needs a `]`; write `\\[` for the character")
    body = segment[start:close]
    out = ""
    index = 0
    while index < len(body):
        low = body[index]
        if body[index + 1 : index + 2] == "-" and index + 2 < len(body):
            high = body[index + 2]
            if low <= high:
                out += f"{re.escape(low)}-{re.escape(high)}"
            index += 3
        else:
            out += re.escape(low)
            index += 1
    if negate:
        return f"[^/{out}]", close + 1
    return f"(?!/)[{out}]" if out else "(?!)", close + 1
