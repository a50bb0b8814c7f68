"""Logs and tables: the time of a line, the column of a row, the cookie of a line."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from keyward.formats.labelling.documents import line_labels
from keyward.formats.labelling.moments import moment_in
from keyward.formats.labels import UNKNOWN, Label, Text

_HEAD = 4096
"""Bytes of a line on either side of a finding that its time is looked for in."""

_LINES_UP = 20
"""Lines above that may hold the time of a record of several lines."""

_DOCKER = re.compile(rb'","stream":"(stdout|stderr)".{0,1000}?"time":"([^"]{10,40})"')
_EPOCH_KEY = re.compile(rb'"(?:time|ts|timestamp)":\s*([0-9]{10,19})')


def log_labels(text: Text, offsets: Sequence[int]) -> list[Label]:
    """Logs of any kind: the time that the line, or one of those above it, begins with. Lines of JSON get the place in them."""
    labels: list[Label] = []
    for offset in offsets:
        start = text.data.rfind(b"\n", 0, offset) + 1
        if text.data[start : start + 8] == b'{"log":"':
            labels.append(_docker(text.data, offset))
        elif text.data[start : start + 1] == b"{":
            labels += line_labels(text._replace(data=_line(text.data, start), lines=0), [offset - start])
            labels[-1] = labels[-1]._replace(where=labels[-1].where.partition(", ")[2])
        else:
            labels.append(Label("", _time_above(text.data, start)))
    return labels


def _docker(data: bytes, offset: int) -> Label:
    """Docker writes stream and time behind the text."""
    match = _DOCKER.search(data, offset, offset + (1 << 16))
    return Label(match[1].decode(), moment_in(match[2].decode("latin-1"))) if match else UNKNOWN


def _line(data: bytes, start: int) -> bytes:
    end = data.find(b"\n", start)
    return data[start : len(data) if end < 0 else end]


def _time_above(data: bytes, start: int) -> float:
    for _ in range(_LINES_UP):
        end = data.find(b"\n", start, start + _HEAD)
        head = data[start : end if end >= 0 else start + _HEAD]
        if found := moment_in(head.decode("latin-1")):
            return found
        if match := _EPOCH_KEY.search(head):
            from keyward.formats.labelling.moments import moment

            return moment(int(match[1]))
        if start == 0:
            break
        start = data.rfind(b"\n", 0, start - 1) + 1
    return 0.0


def table_labels(text: Text, offsets: Sequence[int]) -> list[Label]:
    """CSV and TSV: `row 3, column "token"`. The header is row 1, as in a spreadsheet."""
    delimiter = "\t" if text.name.endswith(".tsv") else ","
    header = next(csv.reader([_line(text.data, 0).decode("utf-8", "replace").lstrip("\ufeff")], delimiter=delimiter), [])
    labels = []
    lines, counted = text.lines, 0
    for offset in offsets:
        start = text.data.rfind(b"\n", 0, offset) + 1
        lines += text.data.count(b"\n", counted, start)
        counted = start
        before = text.data[start:offset].decode("utf-8", "replace").rstrip('"')
        cells = next(csv.reader([before], delimiter=delimiter), [])
        column = max(0, len(cells) - 1)
        named = f', column "{header[column]}"' if lines and column < len(header) else f", column {column + 1}"
        labels.append(Label(f"row {lines + 1}{named}"))
    return labels


def cookie_labels(text: Text, offsets: Sequence[int]) -> list[Label]:
    """cookies.txt (Netscape's format): `cookie NAME of DOMAIN`."""
    labels = []
    for offset in offsets:
        line = _line(text.data, text.data.rfind(b"\n", 0, offset) + 1).decode("utf-8", "replace")
        fields = line.removeprefix("#HttpOnly_").split("\t")
        labels.append(Label(f"cookie {fields[5]} of {fields[0]}") if len(fields) == 7 else UNKNOWN)
    return labels
