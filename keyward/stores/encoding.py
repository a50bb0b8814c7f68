"""How a credential stands in a store: one text field a part, and one field that is keyward's own.

The fields are what consumers read, so a part stands under its own name as plain text. Bytes that are not UTF-8 are written in
base64, and the marker field `_keyward` names them. The marker is JSON: `format` (1), `labels`, `base64` (names of the parts
that are encoded, left out if there are none) and `version` (where the store itself counts none). It is public, and written
together with the value, so that the labels always belong to the value beside them.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from keyward.errors import StoreConflict, StoreError
from keyward.model.credential import SecretParts
from keyward.model.secret import Secret
from keyward.plugin.store import Slot, Stored

MARKER = "_keyward"
FORMAT = 1

LONGEST_PATH = 400
"""Characters."""

RESERVED = "keyward"
"""First segment of the paths that keyward keeps its own slots under."""

_SEGMENT = re.compile(r"[^/#\x00-\x1f\x7f]+")


class Record(NamedTuple):
    """What the fields of one slot say. `version`: 0 where the marker names none."""

    parts: SecretParts
    labels: Mapping[str, str]
    version: int


def to_fields(parts: SecretParts, labels: Mapping[str, str], version: int = 0) -> dict[str, str]:
    """The fields to write. Raises StoreError for a part that cannot be named."""
    fields: dict[str, str] = {}
    encoded = []
    for name, secret in parts.items():
        if not name or name == MARKER:
            raise StoreError(f"a part cannot be called {name!r}")
        value = secret.reveal()
        try:
            fields[name] = value.decode()
        except UnicodeDecodeError:
            fields[name] = base64.b64encode(value).decode()
            encoded.append(name)
    marker: dict[str, object] = {"format": FORMAT, "labels": dict(labels)}
    if encoded:
        marker["base64"] = sorted(encoded)
    if version:
        marker["version"] = version
    fields[MARKER] = json.dumps(marker, sort_keys=True)
    return fields


def from_fields(fields: Mapping[str, object]) -> Record:
    """What somebody wrote, keyward or not: without a marker, every field is a part (text as it is, anything else as JSON).

    Raises StoreError for a marker that makes no sense; its message holds no value.
    """
    marker = _marker(fields.get(MARKER))
    encoded = marker.get("base64", [])
    parts = {}
    for name, value in fields.items():
        if name == MARKER:
            continue
        text = value if isinstance(value, str) else json.dumps(value)
        parts[name] = Secret(_decoded(name, text) if name in encoded else text.encode("utf-8", "surrogatepass"))
    return Record(parts, {str(key): str(value) for key, value in marker.get("labels", {}).items()}, marker.get("version", 0))


class _Marker(dict):  # type: ignore[type-arg]  # checked member by member
    pass


def _marker(text: object) -> _Marker:
    if text is None:
        return _Marker()
    try:
        value = json.loads(text if isinstance(text, str) else "")
    except (ValueError, RecursionError):
        value = None
    fits = (
        isinstance(value, dict)
        and isinstance(value.get("labels", {}), dict)
        and isinstance(value.get("base64", []), list)
        and isinstance(value.get("version", 0), int)
    )
    if not fits:
        raise StoreError(f"the field {MARKER} is damaged", hint="Somebody else wrote it; remove that field or the whole entry.")
    if value.get("format") != FORMAT:
        raise StoreError(f"the field {MARKER} has format {value.get('format')!r}", hint="Use the keyward that wrote it.")
    return _Marker(value)


def _decoded(name: str, text: str) -> bytes:
    damaged = False
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        damaged = True  # raised outside, so that the error that quotes the text is not its context
    assert damaged
    raise StoreError(f"the part {name!r} is not the base64 that the field {MARKER} says it is")


def check_path(path: str) -> str:
    """The path, if every store can keep it. Raises StoreError.

    Segments between single slashes, none of them `.` or `..`; no control characters and no `#` (references end with it); not
    below `keyward/`.
    """
    segments = path.split("/")
    if len(path) > LONGEST_PATH or not all(_SEGMENT.fullmatch(each) and each.strip(" .") == each for each in segments):
        raise StoreError(
            "this is no path of a store",
            hint="Use names between single slashes, without '#' and control characters: lanes/prod/aws.",
        )
    if segments[0] == RESERVED:
        raise StoreError(f"paths below {RESERVED}/ are keyward's own", hint="Choose another path for the lane.")
    return path


def conflict(path: str, slot: Slot, expected: int, found: int) -> StoreConflict:
    """The error for a slot that is not at the version that a writer expects."""
    there = f"version {found}" if found else "nothing"
    return StoreConflict(
        f"{path} ({slot.value}) holds {there}, where {f'version {expected}' if expected else 'nothing'} was expected",
        hint="Somebody else wrote it meanwhile; look at what is there, then plan again.",
    )


def next_version(expected: int, now: float) -> int:
    """The version of a new value where the store counts none: begins with the time, so that an emptied slot never comes back to
    a version that somebody still remembers."""
    return expected + 1 if expected else max(1, int(now * 1000))


def stored(fields: Mapping[str, object], version: int = 0) -> Stored:
    """What a slot holds, from its fields; `version` where the store counts itself, else the marker's (1 without one)."""
    record = from_fields(fields)
    return Stored(record.parts, version or record.version or 1, record.labels)
