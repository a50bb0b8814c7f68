"""Small pieces of HTML. The only place where text becomes HTML: whatever is given as text is made inert here, and shortened."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Sequence

from keyward.report import escape
from keyward.report.incident_facts import Standing, date
from keyward.report.words import moment

LONGEST = 300
"""Characters of one text from outside, at most; its beginning and its end are kept."""

MARKS = 4
"""Accents on one letter that are shown as such; no language has more."""

HARMLESS = 24
"""Characters of ASCII that need no box of their own: they fit everywhere, and have but one direction."""

_END = 90


def shortened(value: str, longest: int = LONGEST) -> str:
    """The beginning and the end of a long text, and how long it is. Not escaped."""
    if len(value) <= longest:
        return value
    return f"{value[: longest - _END]} … {value[-_END:]} ({len(value):,} characters)"


def text(value: str) -> str:
    """For an element or a quoted attribute."""
    inert = escape.terminal(shortened(value))
    return html.escape(inert if inert.isascii() else _few_marks(inert))


def _few_marks(value: str) -> str:
    """Accents above one another: the first ones as they are, the rest by number. Hundreds of them reach far out of their line."""
    out, run = [], 0
    for char in value:
        run = run + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        out.append(char if run <= MARKS else f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}")
    return "".join(out)


def name(value: str) -> str:
    """A text from outside among other text: its direction of writing and its accents stay inside."""
    if value.isascii() and len(value) <= HARMLESS:
        return text(value)
    return f'<bdi class="x">{text(value)}</bdi>'


def code(value: str, tail: str = "") -> str:
    """A path, a command, a digest. `tail`: what follows it, such as `:12`, however long it is."""
    return f'<code class="x" dir="ltr">{text(value)}{text(tail)}</code>' if value else ""


def link(url: str) -> str:
    """A web address that can be followed, if it is a plain one; else its text alone."""
    target = escape.url(url)
    if not target:
        return code(url)
    return f'<a href="{html.escape(target)}" rel="noreferrer noopener">{text(url)}</a>'


def when(seconds: float, missing: str = "unknown") -> str:
    """A time to the second; the column says that it is UTC."""
    stamp = moment(seconds)
    if not stamp:
        return quiet(text(missing))
    return f'<time datetime="{stamp}">{stamp.replace("T", " ").removesuffix("Z")}</time>'


def day(seconds: float, missing: str = "unknown") -> str:
    """A time for running text."""
    stamp = moment(seconds)
    return f'<time datetime="{stamp}">{date(seconds)}</time>' if stamp else text(missing)


def quiet(body: str) -> str:
    """Something of less weight. `body` is HTML."""
    return f'<span class="quiet">{body}</span>'


def below(body: str) -> str:
    """Something of less weight on a line of its own. `body` is HTML."""
    return f"<br>{quiet(body)}"


def icon(tone: str) -> str:
    """The sign of a tone; beside it stands a word that says the same."""
    return f'<svg class="icon {tone}" width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true"><use href="#sign-{tone}"/></svg>'


def badge(standing: Standing) -> str:
    """How something stands: a sign and words."""
    return f'<span class="badge {standing.tone}">{icon(standing.tone)} {text(standing.words)}</span>'


SIGNS = (
    '<svg class="signs" width="0" height="0" aria-hidden="true"><defs>'
    '<g id="sign-good"><circle r="6.5" fill="currentColor"/><path d="M-3 .2-.8 2.6 3.2-2.2" fill="none" stroke="var(--paper)" stroke-width="1.8"/></g>'
    '<g id="sign-warn"><path d="M0-6.3 6.6 5.6H-6.6Z" fill="currentColor"/><path d="M0-2.6V1.6M0 3.1V4.5" stroke="var(--paper)" stroke-width="1.7"/></g>'
    '<g id="sign-bad"><rect x="-6" y="-6" width="12" height="12" fill="currentColor"/>'
    '<path d="M-3-3 3 3M3-3-3 3" stroke="var(--paper)" stroke-width="1.8"/></g>'
    '<g id="sign-calm"><circle r="5.2" fill="none" stroke="currentColor" stroke-width="1.6"/></g>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="var(--warn)"/><rect width="2.4" height="6" fill="var(--paper)"/></pattern>'
    "</defs></svg>\n"
)
"""The signs that `icon` and the pictures refer to; once on a page."""


class Column(str):
    """The head of a column. `wide` gives it room, `number` sets it to the right."""

    __slots__ = ("kind",)
    kind: str

    def __new__(cls, label: str, kind: str = "") -> Column:
        """`kind`: a class of the style sheet (`wide`, `number`, `time`), or nothing."""
        column = super().__new__(cls, label)
        column.kind = kind
        return column


def table(
    caption: str, columns: Sequence[Column], rows: Iterable[Sequence[str]], *, label: str = "", loose: bool = False
) -> str:
    """A table that scrolls in itself and can be scrolled with the keyboard. Cells are HTML, the first one heads its row.

    `caption` is shown; `label` names it for those who do not see, where there is no caption. `loose`: no least width, for few columns.
    """
    classes = [f' class="{column.kind}"' if column.kind else "" for column in columns]
    heads = "".join(f"<th scope='col'{kind}>{text(column)}</th>" for column, kind in zip(columns, classes)).replace("'", '"')
    lines = []
    for row in rows:
        cells = "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(row[1:], classes[1:]))
        first = f'<th scope="row"{classes[0]}>{row[0]}</th>'
        lines.append(f"<tr>{first}{cells}</tr>\n")
    shown = f"<caption>{text(caption)}</caption>" if caption else ""
    kind = "scroll loose" if loose else "scroll"
    return (
        f'<div class="{kind}" role="region" tabindex="0" aria-label="{text(label or caption)} (table)"><table>{shown}'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{''.join(lines)}</tbody></table></div>\n"
    )


SHOWN = 50
"""Rows of a table that are in sight; more of them open on demand, and on paper."""


PRINTED = 500
"""Rows of a table up to which all of them are printed; else the first ones, and the page says so."""


def long_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], label: str, what: str, *, loose: bool = False) -> str:
    """The first rows in sight, the others behind a line that opens them. `what`: what a row is, in the plural."""
    if len(rows) <= SHOWN * 1.2:
        return table("", columns, rows, label=label, loose=loose)
    left = f"{len(rows) - SHOWN:,}"
    first = table(f"The first {SHOWN} of {len(rows):,}", columns, rows[:SHOWN], label=label, loose=loose)
    rest = table("", columns, rows[SHOWN:], label=f"{label}: the other {left}", loose=loose)
    # a browser that lays out thousands of rows for paper takes a minute, and nobody reads a hundred pages
    return first + more(f"{left} more {what}", rest, paper=len(rows) <= PRINTED)


def items(entries: Iterable[str], kind: str = "ul") -> str:
    """A list; its entries are HTML."""
    return f"<{kind}>" + "".join(f"<li>{entry}</li>\n" for entry in entries) + f"</{kind}>\n"


def more(summary: str, body: str, *, opened: bool = False, paper: bool = True) -> str:
    """Something that opens on demand, and on paper unless `paper` is false. `summary` and `body` are HTML."""
    kind = "" if paper else ' class="screen"'
    return f"<details{kind}{' open' if opened else ''}><summary>{summary}</summary>\n{body}</details>\n"
