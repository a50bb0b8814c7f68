"""What a scrub of files is going to do, and what it did: the words that the kinds of stores and the flows share.

A place is a file. Counts are by secret, named by its kind and its pseudonym, so that a plan and a report hold no value.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple, Protocol

from keyward.model.kind import Kind
from keyward.scrub.redactor import Redaction, Redactor, Style


class Treatment(Enum):
    """What becomes of a file: a scrubbed one takes its place; the bytes of its secrets are overwritten where they stand; it is left to
    the tool that owns it (`reason` and `command` say how); it is not touched because that would do harm now (`reason` says what to do)."""

    REPLACE = "replace"
    OVERWRITE = "overwrite"
    REPORT = "report"
    REFUSE = "refuse"


class Name(NamedTuple):
    """What a secret is called where its value must not stand."""

    kind: Kind
    pseudonym: str


Counts = Mapping[Name, int]
"""How often each secret stands there, in all encodings. Empty: none."""


class Place(NamedTuple):
    """A file of a plan. `path`: as it was named. `store`: what kind of file it is (`SQLite`, `plain text`). `found`: what stands in it.
    `reason`: why it is reported or refused, as a sentence for a person. `command`: what the operator may run instead, where the tool that
    owns the file has one. `remarks`: what the operator should know before (what else is lost, how long it takes)."""

    path: str
    store: str
    found: Counts
    treatment: Treatment
    reason: str = ""
    command: str = ""
    remarks: tuple[str, ...] = ()


class Result(NamedTuple):
    """What became of a file. `before`, `after`: what stood in it, counted in the file as it was and read again as it is. `verified`: how it
    was read again and what proved that it is whole (`integrity_check ok, raw bytes searched`). `left`: why something remains, one sentence
    each; empty where `after` is."""

    before: Counts
    after: Counts
    verified: str
    left: tuple[str, ...] = ()


class StoreScrubber(Protocol):
    """Knows one kind of store. A method gets the path of a regular file; it raises OSError where the file cannot be read or written, and
    Refusal where it must not be touched. Neither holds a value in its text."""

    @property
    def name(self) -> str:
        """What the kind of store is called in a plan."""

    def recognises(self, path: str, head: bytes) -> bool:
        """Whether the file is of this kind, by its name and its first bytes."""

    def plan(self, path: str, redactor: Redactor, style: Style) -> Place:
        """What would be done. Changes nothing, and leaves nothing beside the file."""

    def scrub(self, path: str, redactor: Redactor, style: Style) -> Result:
        """Does it, and proves it: the file is read again by its own parser, checked, and searched."""


class Refusal(Exception):
    """A file that is not touched, with the reason as a sentence; the original is as it was. `hint`: what to do."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


def counted(redactions: list[Redaction]) -> dict[Name, int]:
    """How often each secret is among them."""
    counts: dict[Name, int] = {}
    for each in redactions:
        name = Name(each.kind, each.pseudonym)
        counts[name] = counts.get(name, 0) + 1
    return counts
