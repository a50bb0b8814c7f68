"""The patterns of all chosen spots as one automaton: what a file is, and which folders are worth a look, for one lookup a name.

A walk holds a state for each folder: what of the patterns may still fit below it. States are made once each, however many folders share
them, so a file costs a dictionary lookup and, where patterns with stars are in play, one regular expression.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

_GLOB = re.compile(r"[*?\[]")
_SUFFIX = re.compile(r"\*[^*?\[]*(\.[^.*?\[]+)")
_ENDING = re.compile(r".*(\.[^.*?\[\]]+)", re.DOTALL)
_GLOB_OR_SET = re.compile(r"[*?]|\[.[^\]]*\]")
ANY_DEPTH = "**"


class Pattern(NamedTuple):
    """`segments`: names, patterns of names and `**`, from the root of the walk; the last is a file's. `anywhere`: it fits at any depth
    below the root, so no folder is the tool's own."""

    segments: tuple[str, ...]
    anywhere: bool = False


class State:
    """What of the patterns may fit in a folder. `items`: (number of the pattern, place in its segments). `hopeless`: there are none."""

    def __init__(self, automaton: Automaton, items: frozenset[tuple[int, int]]) -> None:
        self.items = items
        self.hopeless = not items
        self._automaton = automaton
        patterns = automaton.patterns
        self._names: dict[str, int] = {}
        suffixes: dict[str, list[tuple[str, int]]] = {}
        globs: dict[str, list[tuple[int, str]]] = {}
        everything = len(patterns)
        for rank, place in sorted(items):
            segments = patterns[rank].segments
            if place < len(segments) - 1:
                continue
            last = segments[-1]
            if last in (ANY_DEPTH, "*"):
                everything = min(everything, rank)
            elif not _GLOB.search(last):
                self._names.setdefault(last, rank)
            elif suffix := _SUFFIX.fullmatch(last):
                suffixes.setdefault(suffix[1], []).append((last[1:], rank))
            else:
                globs.setdefault(_bucket(last), []).append((rank, last))
        self._everything = everything
        self._suffixes = suffixes
        self._globs = {bucket: _Globs(each) for bucket, each in globs.items()}
        self._other = self._globs.pop("", None)
        # nearly every name is dismissed by the longest plain stretch of these few patterns
        self._hints = [max(_GLOB_OR_SET.split(text), key=len) for _, text in globs.get("", ())]
        self._none = len(patterns)
        self._usual: State | None = None
        self._own: State | None = None
        self._folders()

    def _folders(self) -> None:
        patterns = self._automaton.patterns
        self._stay = frozenset((r, p) for r, p in self.items if patterns[r].segments[p] == ANY_DEPTH)
        self._by_name: dict[str, list[tuple[int, int]]] = {}
        self._by_glob: list[tuple[Callable[[str], object], tuple[int, int]]] = []
        for rank, place in self.items:
            segments = patterns[rank].segments
            name = segments[place]
            if name == ANY_DEPTH or place == len(segments) - 1:
                continue
            if _GLOB.search(name):
                self._by_glob.append((re.compile(fnmatch.translate(name)).match, (rank, place + 1)))
            else:
                self._by_name.setdefault(name, []).append((rank, place + 1))

    def file(self, name: str) -> int:
        """The number of the first pattern that a file of this name fits; -1 if none does."""
        best = self._names.get(name, self._none)
        if self._everything < best:
            best = self._everything
        if self._suffixes or self._globs:
            dot = name.rfind(".")
            ending = name[dot:] if dot >= 0 else ""
            for suffix, rank in self._suffixes.get(ending, ()):
                if rank < best and name.endswith(suffix):
                    best = rank
            for bucket in (name[:1], ending):
                if bucket in self._globs:
                    best = self._globs[bucket].first(name, best)
        if self._other is not None:
            for hint in self._hints:
                if hint in name:
                    best = self._other.first(name, best)
                    break
        return best if best < self._none else -1

    def folder(self, name: str) -> State:
        """The state of a folder below this one."""
        by_name = self._by_name.get(name)
        by_glob = [item for match, item in self._by_glob if match(name)]
        if by_name is None and not by_glob:
            if self._usual is None:
                self._usual = self._automaton.state(self._stay)
            return self._usual
        return self._automaton.state({*self._stay, *(by_name or ()), *by_glob})

    def segments(self, rank: int) -> tuple[str, ...]:
        """Those of a pattern."""
        return self._automaton.patterns[rank].segments

    def named(self, name: str) -> State:
        """The same, by patterns that write the name out: for folders that `*` and `**` do not mean."""
        return self._automaton.state(self._by_name.get(name, ()))

    def own(self) -> State:
        """The state without what fits anywhere."""
        if self._own is None:
            patterns = self._automaton.patterns
            self._own = self._automaton.state((r, p) for r, p in self.items if not patterns[r].anywhere or p > 1)
        return self._own


class _Globs:
    """Patterns of names in the order of their ranks, as one expression, compiled for the first name that comes that far: few sweeps need all."""

    def __init__(self, globs: list[tuple[int, str]]) -> None:
        self._globs = globs
        self._ranks = [rank for rank, _ in globs]
        self._match: Callable[[str], re.Match[str] | None] | None = None

    def first(self, name: str, best: int) -> int:
        """The first rank that fits, if it is before the best one so far."""
        if self._ranks[0] >= best:
            return best
        if self._match is None:
            self._match = re.compile("|".join(f"({fnmatch.translate(text)})" for _, text in self._globs)).match
        found = self._match(name)
        return min(best, self._ranks[found.lastindex - 1]) if found is not None and found.lastindex else best


def _bucket(pattern: str) -> str:
    """What a name must begin with (one character), or end with from its last dot on, to fit a pattern; empty if neither is plain."""
    if not _GLOB.match(pattern[0]):
        return pattern[0]
    ending = _ENDING.fullmatch(pattern)
    return ending[1] if ending else ""


class Automaton:
    """`patterns`: in the order in which they rank, the first one that fits wins."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self.patterns = tuple(patterns)
        self._states: dict[frozenset[tuple[int, int]], State] = {}

    def start(self) -> State:
        """The state of the root."""
        return self.state({(rank, 0) for rank in range(len(self.patterns))})

    def state(self, items: Iterable[tuple[int, int]]) -> State:
        """The state of a set of places in patterns; `**` may stand for no folder at all."""
        whole = set(items)
        pending = list(whole)
        while pending:
            rank, place = pending.pop()
            segments = self.patterns[rank].segments
            if segments[place] == ANY_DEPTH and place + 1 < len(segments) and (rank, place + 1) not in whole:
                whole.add((rank, place + 1))
                pending.append((rank, place + 1))
        key = frozenset(whole)
        found = self._states.get(key)
        if found is None:
            found = self._states[key] = State(self, key)
        return found
