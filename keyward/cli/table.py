"""A plain table: columns as wide as they need to be, the last one open. Nothing in it can command a terminal or a CI."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keyward.report.escape import log


def table(rows: Iterable[Sequence[str]], head: Sequence[str]) -> str:
    """The rows under their heads, each line with its newline; nothing for no rows."""
    cells = [[log(cell) for cell in row] for row in rows]
    if not cells:
        return ""
    widths = [max(len(row[column]) for row in (head, *cells)) for column in range(len(head))]
    lines = [head, *cells]
    return "".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() + "\n" for row in lines)
