"""Markdown: the headings that a place stands under (CommonMark: ATX and setext headings, fenced code, front matter)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from keyward.formats.labelling.moments import moment_in
from keyward.formats.labels import Label, Text

_MARKS = re.compile(
    rb"^ {0,3}(?P<fence>`{3,}|~{3,})(?P<info>[^\n]*)$"
    rb"|^ {0,3}(?P<hashes>#{1,6})[ \t]+(?P<title>[^\n]*)$"
    rb"|^(?![ \t]*(?:[-*+>|#`~]|\d+[.)])[ \t])(?P<above> {0,3}\S[^\n]{0,300})\n {0,3}(?P<under>=+|-{2,})[ \t]*\r?$",
    re.M,
)
_INLINE = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*_`]{1,3}")


def markdown_labels(text: Text, offsets: Sequence[int]) -> list[Label]:
    """`under "Setup › Keys"`; the time of day is that of the nearest heading which has one."""
    labels: list[Label] = []
    path: list[tuple[int, str]] = []
    fence = b""
    at = 0
    for match in _MARKS.finditer(text.data, _after_front_matter(text.data)):
        while at < len(offsets) and offsets[at] < match.start():
            labels.append(_label(path))
            at += 1
        if at == len(offsets):
            break
        if match["fence"]:
            if not fence:
                fence = match["fence"]
            elif match["fence"].startswith(fence) and not match["info"].strip():
                fence = b""
        elif not fence:
            level = len(match["hashes"]) if match["hashes"] else 1 if match["under"].startswith(b"=") else 2
            title = (match["title"].rstrip(b"# \t\r") if match["hashes"] else match["above"]).decode("utf-8", "replace")
            path = [above for above in path if above[0] < level] + [(level, title)]
    labels += [_label(path)] * (len(offsets) - len(labels))
    return labels


def _label(path: list[tuple[int, str]]) -> Label:
    titles = [title for _, raw in path if (title := _INLINE.sub(lambda match: match[1] or "", raw).strip())]
    since = next((found for _, raw in reversed(path) if (found := moment_in(raw))), 0.0)
    return Label(f'under "{" › ".join(titles)}"' if titles else "", since)


def _after_front_matter(data: bytes) -> int:
    if not data.startswith(b"---"):
        return 0
    end = data.find(b"\n---", 3, 1 << 16)
    return end + 4 if end >= 0 else 0
