"""Texts: transcripts and other JSON, histories of shells and REPLs, logs of containers, notebooks, recordings of terminals.

Only the bytes of a value change. What is JSON must parse as before, everything but that string the same; a text that is signed
(`thinking` blocks) stays as it is and is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from keyward.formats.views import encoding_for, view_for
from keyward.scrub.plan import Counts
from keyward.scrub.redactor import Style
from keyward.scrub.stores.edits import HEAD, Edit, applied, counts_of, text_edits
from keyward.scrub.stores.finding import Finder
from keyward.scrub.stores.json_shape import same_shape, signed_stretches

LONGEST_DOCUMENT = 64 << 20
"""Bytes of a JSON document up to which it is parsed before and after."""

SIGNED = "stands in a `thinking` block that its provider has signed, which is not edited: delete the session"
UNPARSED = "could not be taken out without changing what the JSON around it means"

NAMES = {
    "json": "JSON",
    "zsh-history": "zsh history",
    "fish-history": "fish history",
    "psql-history": "psql history",
    "nushell-history": "nushell history",
    "python-history": "Python history",
    "libedit-history": "libedit history",
    "viminfo": "viminfo",
    "docker-log": "Docker log",
    "cri-log": "container log",
    "ci-log": "CI log",
    "asciinema": "terminal recording",
    "terminal": "terminal recording",
    "percent": "list of URLs",
    "log": "log",
}
"""What the formats with a reading of their own are called."""


class TextPlan(NamedTuple):
    """What goes in a text. `kept`: edits that are not made. `left`: why, one sentence each."""

    edits: list[Edit]
    kept: list[Edit]
    left: tuple[str, ...] = ()

    @property
    def before(self) -> Counts:
        return counts_of(self.edits + self.kept)


def format_name(called: str, head: bytes) -> str:
    """What kind of text it is, empty for one without a reading of its own."""
    encoding = encoding_for(called, head)
    base = called.rpartition("/")[2].lower()
    if encoding == "json":
        return "notebook" if base.endswith(".ipynb") else "JSON lines" if _is_lines(base) else "JSON"
    return NAMES.get(encoding, "")


def _is_lines(base: str) -> bool:
    return base.endswith((".jsonl", ".ndjson")) or ".jsonl." in base


def learn_text(data: bytes, called: str, finder: Finder) -> None:
    """Learns the values of a text."""
    finder.learn(data, called)
    make = view_for(called, data[:HEAD])
    view = make(data) if make is not None else None
    if view is not None:
        finder.learn(view.text, called)


def plan_text(data: bytes, called: str, finder: Finder, style: Style) -> TextPlan:
    """What goes in a text, and what cannot."""
    edits = text_edits(data, called, finder, style)
    if not edits or not looks_like_json(data, called):
        return TextPlan(edits, [])
    done: list[Edit] = []
    kept: list[Edit] = []
    left: dict[str, None] = {}
    for start, end, here in _documents(data, called, edits):
        document = data[start:end]
        signed = signed_stretches(document)
        free = [each for each in here if not any(low < each.end - start and each.start - start < high for low, high in signed)]
        if len(free) < len(here):
            left[SIGNED] = None
        moved = [each._replace(start=each.start - start, end=each.end - start) for each in free]
        if end - start <= LONGEST_DOCUMENT and not same_shape(document, applied(document, moved)):
            left[UNPARSED] = None
            free = []
        done += free
        going = set(free)
        kept += [each for each in here if each not in going]
    return TextPlan(done, kept, tuple(left))


def looks_like_json(data: bytes, called: str) -> bool:
    """Whether what is in it is to be parsed before and after."""
    return encoding_for(called, data[:HEAD]) in ("json", "docker-log", "asciinema") or data[:64].lstrip()[:1] in (b"{", b"[")


def _documents(data: bytes, called: str, edits: list[Edit]) -> Iterator[tuple[int, int, list[Edit]]]:
    """The JSON documents that are edited: their bounds, and the edits in each. Lines end in a newline and in nothing else: U+2028 and its
    like stand within."""
    if not by_lines(data, called):
        yield 0, len(data), edits
        return
    here: list[Edit] = []
    bounds = (0, 0)
    for each in edits:
        if each.start >= bounds[1]:
            if here:
                yield (*bounds, here)
            start = data.rfind(b"\n", 0, each.start) + 1
            end = data.find(b"\n", each.start)
            bounds, here = (start, len(data) if end < 0 else end), []
        if each.end > bounds[1]:  # a value over two lines: they belong together
            end = data.find(b"\n", each.end)
            bounds = (bounds[0], len(data) if end < 0 else end)
        here.append(each)
    if here:
        yield (*bounds, here)


def by_lines(data: bytes, called: str) -> bool:
    """Whether each line is a document."""
    base = called.rpartition("/")[2].lower()
    if _is_lines(base) or base.endswith(".cast") or encoding_for(called, data[:HEAD]) == "docker-log":
        return True
    first, newline, rest = data.partition(b"\n")
    return bool(newline and rest.strip()) and first.lstrip()[:1] == b"{" and first.rstrip()[-1:] == b"}"
