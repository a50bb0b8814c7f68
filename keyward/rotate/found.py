"""Reads a scan's report (JSON or JSON lines) back: what was found where, without any value.

A report may come from another machine and from anybody: whatever has not the form that keyward writes is refused, and nothing
of it is trusted further than a fingerprint that is recomputed from the value itself.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from keyward.errors import ConfigError
from keyward.formats.textfile import read_text
from keyward.match.fingerprint import from_base32, is_fingerprint
from keyward.model.finding import Locator
from keyward.model.kind import Kind

LARGEST = 256 << 20

LIVE = "live-config"
"""The role of a place from which a program reads its settings."""


class Found(NamedTuple):
    """One place of one credential. `path`: as the scan was told it, relative to where it ran."""

    fingerprint: str
    kind: Kind
    severity: str
    path: str
    line: int
    parts: tuple[str, ...]
    public_id: str
    role: str
    locator: Locator


class Report(NamedTuple):
    """`salt`: under which the fingerprints were made. `complete`: whether the scan saw all it was asked for."""

    path: str
    salt: bytes
    found: tuple[Found, ...]
    complete: bool = True

    def places(self, fingerprint: str) -> tuple[Found, ...]:
        """All places of one credential."""
        return tuple(each for each in self.found if each.fingerprint == fingerprint)

    def fingerprints(self) -> tuple[str, ...]:
        """Every credential once, in the order of the report."""
        return tuple(dict.fromkeys(each.fingerprint for each in self.found))


def read_report(path: str) -> Report:
    """The report in a file. Raises ConfigError for one that is not there, cut off, or none."""
    text = read_text(path, limit=LARGEST)
    if text is None:
        raise ConfigError("there is no such report", path=path, hint="Make one: keyward scan --format jsonl -o report.jsonl")
    found: list[Found] = []
    summary: Mapping[str, Any] | None = None
    for line, record in _records(path, text):
        kind = record.get("type")
        if kind == "finding":
            found.append(_found(path, line, record))
        elif kind == "summary":
            summary = record
    if summary is None:
        raise ConfigError("the report has no summary: it was cut off, or is none", path=path, hint="Scan again.")
    try:
        salt = from_base32(str(summary.get("salt", "")))
        if not 16 <= len(salt) <= 64:
            raise ValueError
    except ValueError:
        raise ConfigError("the report names no salt", path=path, hint="Scan again with this version of keyward.") from None
    return Report(path, salt, tuple(found), summary.get("complete") is True)


def _records(path: str, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The records with their lines (0 where the whole is one document)."""
    hint = "Use --format jsonl or json for a report that keyward shall read."
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = None
    if isinstance(whole, dict) and whole.get("type") not in ("finding", "summary") and "findings" in whole:
        records = [*_list(whole, "findings"), {"type": "summary", **_dict(whole, "summary")}]
        for record in records:
            if not isinstance(record, dict):
                raise ConfigError("is not a report of keyward", path=path, hint=hint)
            yield 0, record
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                record = None
            if not isinstance(record, dict) or record.get("type") not in ("finding", "summary"):
                raise ConfigError("this line is not of a report of keyward", path=path, line=number, hint=hint)
            yield number, record


def _list(record: Mapping[str, Any], key: str) -> list[Any]:
    value = record.get(key)
    return value if isinstance(value, list) else []


def _dict(record: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _found(path: str, line: int, record: Mapping[str, Any]) -> Found:
    try:
        locator = record["locator"]
        found = Found(
            fingerprint=_text(record["fingerprint"]),
            kind=Kind(_text(record["kind"])),
            severity=_text(record.get("severity", "")),
            path=_path(locator, "path", "path_bytes"),
            line=_number(record["line"]),
            parts=tuple(_text(part) for part in record["parts"]),
            public_id=_text(record.get("public_id", "")),
            role=_text(record.get("role", "")),
            locator=Locator(
                source=_text(locator["source"]),
                path=_path(locator, "path", "path_bytes"),
                start=_number(locator["start"]),
                end=_number(locator["end"]),
                encoding=_text(locator["encoding"]),
                blob=_text(locator.get("blob", "")),
                container=tuple(_text(member) for member in locator.get("container", ())),
            ),
        )
        if not is_fingerprint(found.fingerprint) or found.locator.end < found.locator.start:
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ConfigError("a finding has not the form that keyward writes", path=path, line=line, hint="Scan again.") from None
    return found


def _path(locator: Mapping[str, Any], key: str, raw: str) -> str:
    if raw in locator:
        return os.fsdecode(base64.b64decode(_text(locator[raw]), validate=True))
    return _text(locator[key])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise ValueError
    return value
