"""A plain table: columns as wide as they need to be, the last one open. Nothing in it can command a terminal or a CI."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keyward.report.escape import log


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = (), *, indent: str = "") -> str:
    """The rows, under their heads if there are any, each line with its newline; nothing for no rows."""
    cells = [[log(cell) for cell in row] for row in rows]
    if not cells:
        return ""
    lines = [list(head), *cells] if head else cells
    widths = [max(len(row[column]) for row in lines) for column in range(len(lines[0]))]
    return "".join(indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() + "\n" for row in lines)
