"""Escapes within a line: those of JSON strings, and percent-encoding.

A credential right after an escape (`\\nghp_…`, `%3Dghp_…`) is hidden from every rule that asks for a word's beginning, because the
escape ends in a letter or a digit; one with an escape inside has other bytes than it has.
"""

from __future__ import annotations

import re
from functools import partial

from keyward.formats.readings.rewriting import Substitution, view_around, whole_view
from keyward.formats.views import Step, View

_CONTROLS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_NAMED = rb"\\+([nrtbf/\"]|u00(?:[2-7][0-9a-fA-F]|0[89a-fA-F]|1[bB]))"


def _json(match: re.Match[bytes]) -> bytes:
    """All backslashes in a row belong to one escape: JSON in a string of JSON doubles them."""
    what: bytes = match[1]
    if len(what) == 5:
        return bytes((int(what[3:], 16),))
    return _CONTROLS.get(what, what)


JSON = Substitution(_NAMED, _json)
"""JSON's escapes of ASCII characters, at whatever depth; other characters stay as they are written."""

JSON_TRIGGERS = (
    re.compile(
        rb"\\(?:[nrtbf](?=[A-Za-z0-9][A-Za-z0-9_+/=.:-]{14})|u00(?:2[0-9a-fA-F]|[3-7][0-9a-fA-F])"
        rb"|/(?:(?=[A-Za-z0-9+/=]{8}|\\+/[^\"@\\\s]{1,200}@)|(?<=[A-Za-z0-9+/]{8}\\/)))"
    ),
)
"""Where an escape may hide a value: before what looks like one, or within."""


def json_view(data: bytes) -> View | None:
    """The stretches of JSON (a document, lines, a pack of records) where an escape may hide a value."""
    return view_around("json", (JSON,), JSON_TRIGGERS, data)


def _percent(match: re.Match[bytes]) -> bytes:
    return bytes((int(match[0][1:], 16),))


PERCENT = Substitution(rb"%(?:[2-7][0-9A-Fa-f]|[0][9aAdD])", _percent)
"""Percent-encoding of ASCII characters (RFC 3986)."""

PERCENT_TRIGGERS = (re.compile(rb"%[2-7][0-9A-Fa-f]"),)

_PERCENT_STEPS: tuple[Step, ...] = (PERCENT,)
percent_view = partial(whole_view, "percent", _PERCENT_STEPS)
"""A file of URLs with a user's name and password in them."""
