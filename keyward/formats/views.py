"""Other readings of a text: where a format writes a value otherwise than it is (`\\040` for a space, a value split over two
records), a view gives the text as it is meant, and leads back to the bytes in the file.

A view is asked for by the file's name or first bytes, costs nothing for any other file, and is looked through in addition to the bytes
as they stand. What both find is reported once, as it stands.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, Union


class Runs(NamedTuple):
    """How the bytes of a rewritten text lead back: run `n` begins at `text[n]`, and stands for the source's bytes from `source[n]`
    to `end[n]`: byte for byte where both are of one length, else as a whole. `size`: of the text."""

    text: Sequence[int]
    source: Sequence[int]
    end: Sequence[int]
    size: int

    def start(self, offset: int) -> int:
        """Where in the source the byte at an offset of the text begins."""
        at = bisect_right(self.text, offset) - 1
        if at < 0:
            return offset
        return self.source[at] + (offset - self.text[at] if self._plain(at) else 0)

    def stop(self, offset: int) -> int:
        """Where in the source the byte before an offset of the text ends."""
        at = bisect_right(self.text, offset - 1) - 1
        if at < 0:
            return offset
        return self.source[at] + offset - self.text[at] if self._plain(at) else self.end[at]

    def _plain(self, at: int) -> bool:
        after = self.text[at + 1] if at + 1 < len(self.text) else self.size
        return after - self.text[at] == self.end[at] - self.source[at]


class Step(Protocol):
    """One rewriting, at the speed of C. What it did where is only worked out once something was found."""

    def apply(self, data: bytes) -> bytes:
        """The text as it is meant."""
        ...

    def decode(self, span: bytes) -> bytes:
        """The same for the bytes of one value, without what stands around them."""
        ...

    def runs(self, data: bytes) -> Runs:
        """How `apply(data)` leads back to `data`."""
        ...


class Window(NamedTuple):
    """A stretch of the source, from `low` to `high`, and where in the view's text it begins."""

    text: int
    low: int
    high: int


class View:
    """A reading of a source, or of those stretches of it that want another reading. `encoding`: the view's name, which `decoder`
    knows. `text`: what is to be looked through. `cut_short`: what of the source is not in it although it should be, as a sentence. The stretches are
    in the order of the source. Holds on to the source."""

    cut_short = ""

    def __init__(self, encoding: str, text: bytes, source: bytes, windows: list[Window], steps: Sequence[Step]) -> None:
        self.encoding = encoding
        self.text = text
        self._source = source
        self._windows = windows
        self._begins = [window.text for window in windows]
        self._steps = steps
        self._known: tuple[int, list[Runs], int] | None = None

    def source_start(self, offset: int) -> int:
        """Where in the source the byte at an offset of `text` begins."""
        window, runs, size = self._window(offset)
        place = min(offset - window.text, size)
        for each in reversed(runs):
            place = each.start(place)
        return min(window.low + place, window.high)

    def source_end(self, offset: int) -> int:
        """Where in the source the byte before an offset of `text` ends: a value is `source_start(a)` to `source_end(b)`."""
        if offset <= 0:
            return self.source_start(0)
        window, runs, size = self._window(offset - 1)
        place = min(offset - window.text, size)
        for each in reversed(runs):
            place = each.stop(place)
        return min(window.low + place, window.high)

    def _window(self, offset: int) -> tuple[Window, list[Runs], int]:
        at = max(0, bisect_right(self._begins, offset) - 1)
        window = self._windows[at]
        if self._known is None or self._known[0] != at:
            data = self._source[window.low : window.high]
            runs = []
            for step in self._steps:
                runs.append(step.runs(data))
                data = step.apply(data)
            self._known = (at, runs, len(data))
        return window, self._known[1], self._known[2]


MakeView = Callable[[bytes], Union[View, None]]
"""From the whole source to its view; None where it has nothing to read otherwise."""

Decode = Callable[[bytes], bytes]
"""From the bytes of a value as they stand in the source to the value."""

HEAD = 4096
"""First bytes of a source that are enough to tell its format."""

_HISTORIES = {
    ".zsh_history": "zsh-history",
    ".zhistory": "zsh-history",
    "zsh_history": "zsh-history",
    ".histfile": "zsh-history",
    "fish_history": "fish-history",
    ".psql_history": "psql-history",
    ".python_history": "python-history",
    ".viminfo": "viminfo",
    "_viminfo": "viminfo",
    ".git-credentials": "percent",
}
_JSON_ENDINGS = (".json", ".jsonl", ".ndjson", ".har", ".ipynb", ".json5", ".webmanifest", ".geojson")
_LOG_ENDINGS = (".log", ".out", ".err", "_log", "typescript")
_LOG_NAMES = ("access", "error", "syslog", "messages", "screenlog", "tmux", "typescript", "npm-debug")
_PLAIN = frozenset((
    ".py", ".js", ".ts", ".tsx", ".jsx", ".mjs", ".cjs", ".go", ".rs", ".java", ".c", ".h", ".cc", ".cpp", ".hpp", ".rb", ".php", ".cs",
    ".css", ".scss", ".svg", ".png", ".jpg", ".gif", ".rst", ".yml", ".yaml", ".toml", ".ini", ".cfg", ".xml", ".lock", ".sh", ".sum",
    ".pyc", ".so", ".o", ".a", ".whl", ".gz", ".zip", ".kt", ".swift", ".vue", ".pem", ".crt", ".map", ".snap", ".po", ".proto",
))  # fmt: skip
"""Endings of the most usual files, none of which has a view: the first look at a name settles it."""

_TABLES = frozenset((".sql", ".csv", ".tsv", ".md", ".mdx", ".markdown"))

_HEADS = (
    (b"_HiStOrY_V2_", "libedit-history"),
    (b"# This viminfo file", "viminfo"),
    (b'{"log":"', "docker-log"),
    (b"Script started on ", "terminal"),
)
_HEAD_STARTS = tuple(start for start, _ in _HEADS)


def view_for(name: str, head: bytes) -> MakeView | None:
    """What makes the view of a source with that name (a path, or a member's) and those first bytes; None for most. Costs a few
    comparisons, whatever the source."""
    encoding = encoding_for(name, head)
    if not encoding:
        return None
    from keyward.formats.readings.catalogue import maker

    return maker(encoding)


def decoder(encoding: str) -> Decode | None:
    """What gives a value back from its bytes in the source; None if no view has that name."""
    from keyward.formats.readings.catalogue import decode

    return decode(encoding)


def encoding_for(name: str, head: bytes) -> str:
    """The name of the view, empty if there is none."""
    dot = name.rfind(".")
    if dot >= 0 and name[dot:] in _PLAIN:
        return ""
    if dot >= 0 and name[dot:] in _TABLES:
        return "table"
    if head.startswith(_HEAD_STARTS):
        return next(encoding for start, encoding in _HEADS if head.startswith(start))
    path = name.replace("\\", "/").lower()
    base = path.rpartition("/")[2]
    if base.endswith(_JSON_ENDINGS) or ".jsonl." in base or base == "chat.html":  # ChatGPT's export, with all of it in a script
        return "json"
    if base.endswith(".cast") and head[:1] == b"{":
        return "asciinema"
    if base in _HISTORIES:
        return _HISTORIES[base]
    # both kinds of dated lines begin with an ISO time, perhaps behind a byte order mark
    if b"T" in head[10:14:3] and (base.endswith((".log", ".txt")) or ".log." in base):
        from keyward.formats.readings.dated import encoding_of_dated

        if dated := encoding_of_dated(head[:256]):
            return dated
    if base.endswith(_LOG_ENDINGS) or ".log." in base or ".log-" in base or base.startswith(_LOG_NAMES):
        return "log"
    if base.endswith("history.txt") and "nushell" in path:
        return "nushell-history"
    if base.startswith((".zsh_history", ".python_history", "fish_history", ".psql_history", ".viminfo")):
        return next(encoding for start, encoding in _HISTORIES.items() if base.startswith(start))
    if "." not in base and head.startswith(b'{"'):  # a journal, a record of a database
        return "json"
    if base == "credentials" and path.endswith("git/credentials"):
        return "percent"
    if base.endswith(".txt"):
        from keyward.formats.readings.answers import may_talk

        return "answer" if may_talk(head) else ""
    return ""
