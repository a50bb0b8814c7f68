"""Tables whose columns say what a cell is: rows of an SQL dump, a CSV file with a header, tables in Markdown. The view has `name = "cell"` for each
cell of a column whose name speaks of credentials, and for each row of two cells of which the first does. An answer (`readings.answers`) is such a cell
under what its question names.

A cell with a quotation mark or a backslash is left out: what it means depends on the dialect. Of a CSV file the first window is read, which has the
header.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from keyward.formats.readings.answers import PASSWORDS, answers, may_answer
from keyward.formats.readings.rewriting import RunsUnderWay
from keyward.formats.views import Runs, View

MOST_CELLS = 400_000
"""Cells of one window that are read: 16 MB of rows of forty bytes."""

MOST_COLUMNS = 16
"""Columns named like credentials that are read of one table: each is a pass over its rows. What has more is no list of accounts."""

LONGEST_NAME = 80
"""Bytes of a column's name: the view has it before each of its cells."""

_CREDENTIAL = re.compile(rb"(?i)pass(?:w|phrase|code|$)|pwd|kennwort|contrase|senha|wachtwoord|has(?:l|\xc5\x82)o|mot de passe|\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb|\xe5\xaf\x86\xe7\xa0\x81|\xe3\x83\x91\xe3\x82\xb9|secret|token|(?:api|access|private|auth)[ _-]?key")
_NOT_A_WORD = re.compile(rb"[^A-Za-z0-9\x80-\xff]+")


class Cell(NamedTuple):
    """A cell from `start` to `end`, and the name of its column as the source has it from `name_start` to `name_end`. `called`: what the view calls
    it instead, where the name is a word of a sentence."""

    name_start: int
    name_end: int
    start: int
    end: int
    called: bytes = b""


class _AsItStands:
    """What a cell means is what it says."""

    def apply(self, data: bytes) -> bytes:
        return data

    def decode(self, span: bytes) -> bytes:
        return span

    def runs(self, data: bytes) -> Runs:
        under_way = RunsUnderWay()
        under_way.copy(0, len(data))
        return under_way.runs()


CELLS = _AsItStands()


class TableView(View):
    """The cells of a table, each behind its column's name."""

    def __init__(self, encoding: str, source: bytes, cells: list[Cell], *, cut_short: str = "") -> None:
        self.cut_short = cut_short
        pieces: list[bytes] = []
        runs = RunsUnderWay()
        for cell in cells:
            name = cell.called or _NOT_A_WORD.sub(b"_", source[cell.name_start : cell.name_end]).strip(b"_")
            pieces += (name, b' = "', source[cell.start : cell.end], b'"\n')
            runs.stand(len(name), cell.name_start, cell.name_end)
            runs.stand(4, cell.start, cell.start)
            runs.copy(cell.start, cell.end)
            runs.stand(2, cell.end, cell.end)
        super().__init__(encoding, b"".join(pieces), source, [], (CELLS,))
        self._runs = runs.runs()

    def source_start(self, offset: int) -> int:
        return self._runs.start(min(offset, max(0, len(self.text) - 1)))

    def source_end(self, offset: int) -> int:
        return self._runs.stop(offset) if offset > 0 else self.source_start(0)


def table_view(data: bytes) -> View | None:
    """The cells that columns named like credentials have; None if there are none."""
    tables = (_sql_rows, _copied_rows, _markdown_rows, _separated_rows) if _CREDENTIAL.search(data) else ()
    return _view("table", data, (*tables, _answers))


def answer_view(data: bytes) -> View | None:
    """The answers to questions for credentials; None if there are none."""
    return _view("answer", data, (_answers,))


def _view(name: str, data: bytes, readers: tuple[Callable[[bytes], Iterator[Cell]], ...]) -> View | None:
    cells = list(itertools.islice(itertools.chain.from_iterable(reader(data) for reader in readers), MOST_CELLS + 1))
    if len(cells) > MOST_CELLS:
        why = f"more than {MOST_CELLS:,} cells in a table; the rest is looked at only as it stands"
        return TableView(name, data, cells[:MOST_CELLS], cut_short=why)
    return TableView(name, data, cells) if cells else None


def is_table(ending: str, head: bytes) -> bool:
    """Whether a file with that ending may have such a table: asked of every file of these endings, at the speed of a search."""
    if ending == "sql":
        return b"(" in head and _CREDENTIAL.search(head) is not None
    if ending in ("csv", "tsv"):
        return _CREDENTIAL.search(head[: head.find(b"\n") + 1 or len(head)][:4096]) is not None
    if may_answer(head):
        return True
    return (b"|-" in head or b"| -" in head or b"|:" in head or b"| :" in head) and _CREDENTIAL.search(head) is not None


# --- SQL

_QUOTED = rb"'(?:[^'\\]|\\.|'')*+'"
_SKIPPED = rb"(?>(?:\s*+" + _QUOTED + rb"\s*+|[^,'()]*+(?:\([^()]*+\)[^,'()]*+)?),)"
_INSERT = re.compile(
    rb"(?i)\b(?:INSERT|REPLACE)\s{1,8}(?:(?:LOW_PRIORITY|DELAYED|IGNORE|OR\s{1,8}\w{1,10})\s{1,8}){0,2}INTO\s{1,8}([^\s(;]{1,200})\s{0,8}"
    rb"(?:\(([^()]{1,4000})\)\s{0,8})?VALUES?\s{0,8}(?=\()"
)
_CREATE = re.compile(rb"(?i)\bCREATE\s{1,8}TABLE\s{1,8}(?:IF\s{1,8}NOT\s{1,8}EXISTS\s{1,8})?([^\s(;]{1,200})\s{0,8}\(")
_END = re.compile(rb";[ \t]*(?:\r?\n|\Z)")
_COLUMN = re.compile(rb"\s*[\"'`\[]?([\w$ -]{1,80})[\"'`\]]?\s*")
_DEFINED = re.compile(rb"(?m)^[ \t]*[\"'`\[]?(\w{1,80})[\"'`\]]?[ \t]+\w")
_COPY = re.compile(rb"\bCOPY\s{1,8}[^\s(;]{1,200}\s{0,8}\(([^()]{1,4000})\)\s{1,8}FROM\s{1,8}stdin;\r?\n")
_KEYWORDS = frozenset((b"primary", b"key", b"unique", b"constraint", b"index", b"foreign", b"check", b"fulltext"))

Names = list[tuple[int, int]]
"""From where to where each column's name stands."""


def _listed(data: bytes, start: int, end: int) -> Names:
    names: Names = []
    at = start
    for piece in data[start:end].split(b","):
        found = _COLUMN.match(piece)
        names.append((at + found.start(1), at + found.end(1)) if found else (at, at))
        at += len(piece) + 1
    return names


def _wanted(data: bytes, names: Names) -> list[tuple[int, tuple[int, int]]]:
    named = ((number, name) for number, name in enumerate(names) if _names_a_credential(data, *name))
    return list(itertools.islice(named, MOST_COLUMNS))


def _names_a_credential(data: bytes, start: int, end: int) -> bool:
    return end - start <= LONGEST_NAME and _CREDENTIAL.search(data, start, end) is not None


def _answers(data: bytes) -> Iterator[Cell]:
    for each in answers(data):
        yield Cell(*each, b"password" if PASSWORDS.match(data, each[0], each[1]) else b"token")


def _sql_rows(data: bytes) -> Iterator[Cell]:
    defined: dict[bytes, Names] = {}
    for created, until in _up_to_the_next(_CREATE, data):
        end = _END.search(data, created.end(), until)
        body = _DEFINED.finditer(data, created.end(), end.start() if end else until)
        defined[_bare(created[1])] = [found.span(1) for found in body if found[1].lower() not in _KEYWORDS]
    for statement, until in _up_to_the_next(_INSERT, data):
        names = _listed(data, *statement.span(2)) if statement[2] is not None else defined.get(_bare(statement[1]), [])
        end = _END.search(data, statement.end(), until)
        for number, name in _wanted(data, names):
            row = re.compile(rb"\((?:" + _SKIPPED + rb"){%d}\s*[NEe]?'([^'\\\n\"]{6,200})'(?=\s*[,)])" % number)
            for found in row.finditer(data, statement.end(), end.start() if end else until):
                yield Cell(*name, *found.span(1))


def _up_to_the_next(pattern: re.Pattern[bytes], data: bytes) -> Iterator[tuple[re.Match[bytes], int]]:
    """Each match, and where what belongs to it ends at the latest: so nothing is gone over twice."""
    last: re.Match[bytes] | None = None
    for found in pattern.finditer(data):
        if last is not None:
            yield last, found.start()
        last = found
    if last is not None:
        yield last, len(data)


def _bare(table: bytes) -> bytes:
    return table.rpartition(b".")[2].strip(b"\"'`[]").lower()


def _copied_rows(data: bytes) -> Iterator[Cell]:
    for statement, until in _up_to_the_next(_COPY, data):
        end = data.find(b"\n\\.", statement.end(), until)
        names = _listed(data, *statement.span(1))
        yield from _rows_between(data, statement.end(), end if end >= 0 else until, names, b"\t")


# --- Markdown

_RULE = re.compile(rb"(?m)^[ \t]{0,3}\|?[ \t]*:?-{2,}+:?[ \t]*+(?:\|[ \t]*+:?-{2,}+:?[ \t]*+)*+\|?[ \t]*\r?$")
_DRESS = b" \t\r*`_"


def _markdown_rows(data: bytes) -> Iterator[Cell]:
    at = 0
    for rule in _RULE.finditer(data):
        if b"|" not in rule[0] or rule.start() < at:  # a rule within the table before
            continue
        above = data.rfind(b"\n", 0, max(0, rule.start() - 1)) + 1
        header = _cells_of(data, above, max(above, rule.start() - 1))
        wanted = dict(_wanted(data, header))
        at = rule.end() + 1
        while at < len(data):
            end = data.find(b"\n", at)
            end = len(data) if end < 0 else end
            if b"|" not in data[at:end]:
                break
            cells = _cells_of(data, at, end)
            for number, (start, stop) in enumerate(cells):
                if number in wanted and _worth_it(data, start, stop):
                    yield Cell(*wanted[number], start, stop)
            if len(cells) == 2 and not wanted and _names_a_credential(data, *cells[0]) and _worth_it(data, *cells[1]):
                yield Cell(*cells[0], *cells[1])
            at = end + 1


def _cells_of(data: bytes, start: int, end: int) -> Names:
    """The cells of one line, without what they are dressed in."""
    line = data[start:end]
    at = start
    cells: Names = []
    pieces = line.split(b"|")
    for number, piece in enumerate(pieces):
        outer = number in (0, len(pieces) - 1) and not piece.strip()
        if not outer:
            left = len(piece) - len(piece.lstrip(_DRESS))
            right = len(piece.rstrip(_DRESS))
            cells.append((at + left, at + max(left, right)))
        at += len(piece) + 1
    return cells


def _worth_it(data: bytes, start: int, end: int) -> bool:
    value = data[start:end]
    return 6 <= len(value) <= 200 and not any(mark in value for mark in (b'"', b"'", b"`", b"\\", b" ", b"\n"))


# --- CSV


def _separated_rows(data: bytes) -> Iterator[Cell]:
    """A file whose first line names the columns."""
    end = data.find(b"\n")
    first = data[: end if end >= 0 else 0]
    if not 0 < len(first) <= 4096 or b"(" in first or b"{" in first or not _CREDENTIAL.search(first):
        return
    separator = max((b",", b";", b"\t"), key=first.count)
    if separator in first:
        names = []
        at = 0
        for piece in first.split(separator):
            bare = piece.strip(b" \t\r\"'")
            inside = at + piece.find(bare) if bare else at
            names.append((inside, inside + len(bare)))
            at += len(piece) + 1
        if all(end - start <= LONGEST_NAME for start, end in names):
            yield from _rows_between(data, end + 1, len(data), names, separator)


def _rows_between(data: bytes, start: int, end: int, names: Names, separator: bytes) -> Iterator[Cell]:
    other = re.escape(separator)
    for number, name in _wanted(data, names):
        cell = rb"(?>(?:\"(?:[^\"]|\"\")*+\"|[^\"\r\n" + other + rb"]*+)" + other + rb")"
        row = re.compile(
            rb"(?m)^(?:" + cell + rb"){%d}\"?([^\s\"'\\" % number + other + rb"]{6,200})\"?(?=[\r\n" + other + rb"]|\Z)"
        )
        for found in row.finditer(data, start, end):
            yield Cell(*name, *found.span(1))
