"""One cell of a database: a text, bytes, or something packed, without the values in it."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from keyward.formats.sqlite_names import Value
from keyward.scrub.plan import Name
from keyward.scrub.redactor import Style
from keyward.scrub.stores.content import add
from keyward.scrub.stores.edits import applied, counts_of
from keyward.scrub.stores.finding import Finder
from keyward.scrub.stores.packed import Packing, packed_like, packing_of, unpacked, zstandard_like
from keyward.scrub.stores.text import plan_text

LONGEST = 256 << 20
"""Bytes that a cell may have unpacked."""

EVENT_LEVEL = 1
"""The zstandard level of OpenClaw's events; others' cells are packed again with the usual one."""


class Cell(NamedTuple):
    """`value`: what it becomes, None if it stays. `length`: of what is in it, unpacked. `before`: what stood in it. `kept`: what of it
    stays. `left`: why."""

    value: bytes | None
    length: int
    before: dict[Name, int]
    kept: dict[Name, int]
    left: tuple[str, ...] = ()


NOTHING = Cell(None, 0, {}, {})


_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def is_binary(value: bytes) -> bool:
    """Whether bytes are no text: lengths may stand before what looks like one (protobuf), so that it must keep its own."""
    if _CONTROLS.search(value):
        return True
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def scrubbed_cell(value: bytes, finder: Finder, style: Style, *, is_text: bool) -> Cell:
    """A cell without the values that were learnt and those that the redactor finds. `is_text`: of SQLite's type of that name."""
    packing = packing_of(value[:16])
    if packing is not None:
        return _packed(value, packing, finder, style)
    prefix = len(b"\0json:") if value.startswith(b"\0json:") else 0  # Hermes: what is structured
    called = "cell.json" if value[prefix : prefix + 64].lstrip()[:1] in (b"{", b"[", b'"') else "cell"
    if not is_text and is_binary(value):
        style = Style.SAME_LENGTH
    plan = plan_text(value[prefix:], called, finder, style)
    before = dict(plan.before)
    if not before:
        return NOTHING
    new = value[:prefix] + applied(value[prefix:], plan.edits) if plan.edits else None
    return Cell(new, len(new or value), before, counts_of(plan.kept), plan.left)


def _packed(value: bytes, packing: Packing, finder: Finder, style: Style) -> Cell:
    try:
        content = unpacked(packing.name, value, LONGEST)
    except ValueError:
        before: dict[Name, int] = {}
        for each in finder.find(value):
            add(before, {Name(each.kind, each.pseudonym): 1})
        return Cell(None, len(value), before, before, ("stands in a packed cell that is damaged",)) if before else NOTHING
    plan = plan_text(content, "cell.json", finder, style)
    if not plan.edits:
        return Cell(None, len(content), dict(plan.before), counts_of(plan.kept), plan.left) if plan.before else NOTHING
    new = applied(content, plan.edits)
    try:
        packed = (
            zstandard_like(value, new, EVENT_LEVEL) if packing.name == "zstandard" else packed_like(packing.name, value, new)
        )
    except ValueError as error:
        return Cell(None, len(content), dict(plan.before), dict(plan.before), (f"stands in a packed cell: {error}",))
    return Cell(packed, len(new), dict(plan.before), counts_of(plan.kept), plan.left)


def is_addressed_by_content(value: bytes, others: list[Value]) -> bool:
    """Whether a column of the same row holds the hash of a cell, as it stands or unpacked."""
    beside = [other.lower() for other in others if isinstance(other, bytes) and 16 <= len(other) <= 160]
    if not beside:
        return False
    texts = [value]
    packing = packing_of(value[:16])
    if packing is not None:
        try:
            texts.append(unpacked(packing.name, value, LONGEST))
        except ValueError:
            pass
    for each in texts:
        for algorithm in ("sha256", "sha1", "md5", "sha512", "blake2b"):
            digest = hashlib.new(algorithm, each, usedforsecurity=False).digest()
            if any(digest == other or digest.hex().encode() in other for other in beside):
                return True
    return False
