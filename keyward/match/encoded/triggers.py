"""What the one pass over the bytes looks for besides the rules: places where something is encoded, or in pieces, that may be a secret.

A trigger is nearly always a plain literal (the image of a mark in an encoding), of which a thousand cost the pass nothing that can be measured. Expressions
without a literal, or with one of two bytes, do cost: `["']\\s*["']` alone would double the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from keyward.match.encoded.images import by_phase, prefix_tree, wide
from keyward.match.encoded.marks import LONGEST, LONGEST_NAME, NAMES, Marks, marks
from keyward.match.engine.anchor import Anchor
from keyward.model.rule import Rule

PACKED = (b"H4sIA", b"H4sIC", b"QlpoOTFBWSZT", b"/Td6WFoA")
"""How gzip, bzip2 and xz begin, in base64. Behind the last border: one character, one, none, none."""

_PACKED_MAGIC = b"H4sIA"
"""Base64 of gzip that is in base64 once more: Helm keeps its releases so."""

_LETTERS = rb"[4-7][0-9A-Fa-f]"
_VALUE = rb"[A-Za-z0-9_.-]*"
_BEFORE = rb"(?:\A|[^A-Za-z0-9_.-])"
_BOUNDED = rb"[A-Za-z0-9_.-]{0,300}"
"""For `re`, which goes through the rest of a value once for each beginning in it; Hyperscan would count states instead."""
_PERCENT = (
    rb"(?:%" + _LETTERS + rb"){3}",
    rb"%3[Aa]%2[Ff]%2[Ff]",
    rb"%253[Aa]%252[Ff]%252[Ff]",
    rb"%22%3[Aa]",
    rb"(?i:key|token|secret|word|pass|passwd|pwd)%3[ADad]",
)
_ESCAPE = (
    rb"(?:\\u00" + _LETTERS + rb"){2}",
    rb"(?:\\x" + _LETTERS + rb"){3}",
    rb"\\u0022:",
    rb"\\x22:",
    rb"\\u003[aA]\\u002[fF]\\u002[fF]",
)
_HTML = (
    rb"&#[xX]" + _LETTERS + rb";&#[xX]",
    rb"&#[0-9]{2,3};&#[0-9]",
    rb"&quot;:",
    rb"=&quot;",
    rb"&#34;:",
    rb"&#39;:",
    rb"&#x27;:",
)
_JSON = (rb"\\\":\\", rb"\\\": \\")
_QUOTED_PRINTABLE = (rb"=3D",)
_KUBERNETES = (rb"kind: Secret", rb"kind: \"Secret", rb"\"kind\":\"Secret\"", rb"\"kind\": \"Secret\"")
_INVISIBLE = tuple(
    rb"[A-Za-z0-9_.-]" + dressing + rb"[A-Za-z0-9_.-]"
    for dressing in (rb"\x1b\[[0-9;]{0,12}m", rb"\xe2\x80[\x8b-\x8f]", rb"\xe2\x81[\xa0-\xa4]", rb"\xef\xbb\xbf", rb"\xc2\xad")
)
_QUOTED = tuple(
    rb"[A-Za-z0-9_-]{2}" + glue + rb"[A-Za-z0-9_-]{8}"
    for quote in (rb"\"", rb"'")
    for glue in (quote + rb" \+\s+" + quote, quote + rb"\+" + quote, quote + rb"\s+\+ " + quote)
)
"""Literals put together with a plus sign. Written so that each has a literal of three bytes."""
_ADJACENT = tuple(
    rb"[A-Za-z0-9_-]{2}" + quote + gap + rb"[ \t]*" + quote + rb"[A-Za-z0-9_-]{8}"
    for quote in (rb"\"", rb"'")
    for gap in (rb" ", rb"\n ", rb"\n\t", rb"\r\n")
)
"""The same with nothing between them, as Python and C read them. Most text with a quotation at the end of a line has a comma or a space there."""
_CONTINUED = tuple(rb"[A-Za-z0-9_-]{4}" + newline + rb"[ \t]*[A-Za-z0-9_-]{4}" for newline in (rb"\\\n", rb"\\\r\n"))
_BROKEN = rb"(?:[\"'`][\s\\+.&]*[\"'`]|=?\r?\n)[A-Za-z0-9]"
"""What may stand in a value that is in pieces, behind its beginning: a quotation's end and another's beginning, the end of a line."""


TOGETHER = 16
"""Beginnings in one of Hyperscan's expressions: one each takes four times as long to compile, all in one five times as long to look for."""


COMMON = (b"test_", b"key_", b"re_", b"st.")
"""Beginnings that stand in the names of any program; they were two thirds of all places that the pass looked at for a value in pieces. With a
plus sign between the pieces they are found all the same."""


class Trigger(NamedTuple):
    """`name`: the encoding, with what more is known of the place behind a colon. `anchor`: as a rule's."""

    name: str
    anchor: Anchor


def triggers(rules: Iterable[Rule]) -> tuple[Trigger, ...]:
    """The triggers for keyward's rules, or for all."""
    known = marks(rules)
    texts = known.shortened
    names = [name[:LONGEST_NAME] for name in NAMES]
    twice = [image[:LONGEST_NAME] for images in by_phase(names) for image in images if len(image) >= LONGEST]
    images = by_phase({*texts, *map(wide, names), *twice, _PACKED_MAGIC})
    found = []
    for phase, literals in enumerate(images):
        found.append(Trigger(f"base64:{phase}", _literal(literals)))
    found.append(Trigger("packed:1", _literal(PACKED[:2])))
    found.append(Trigger("packed:0", _literal(PACKED[2:])))
    found.append(Trigger("hex", _in_hex(texts)))
    for name, expressions in (
        ("percent", _PERCENT), ("escape", _ESCAPE), ("html", _HTML), ("json-string", _JSON), ("quoted-printable", _QUOTED_PRINTABLE), ("kubernetes", _KUBERNETES), ("invisible", _INVISIBLE),
    ):  # fmt: skip
        found.append(Trigger(name, _expression(expressions)))
    found.append(Trigger("joined", _expression((*_QUOTED, *_ADJACENT, *_CONTINUED))))
    return (*found, *_in_pieces(known))


def further_triggers(rules: Iterable[Rule]) -> tuple[Trigger, ...]:
    """What a few rules need besides the triggers of all others: images of how their own values begin."""
    known = marks(rules)
    texts = [text for text in known.shortened if text not in {name[:LONGEST_NAME] for name in NAMES}]
    found = [Trigger(f"base64:{phase}", _literal(literals)) for phase, literals in enumerate(by_phase(texts)) if literals]
    if any(len(text) >= 4 for text in texts):
        found.append(Trigger("hex", _in_hex(texts)))
    return (*found, *_in_pieces(known))


def _in_hex(texts: Iterable[bytes]) -> Anchor:
    return _literal([mark[:LONGEST].hex().encode() for mark in texts if len(mark) >= 4], ignore_case=True)


def _in_pieces(known: Marks) -> list[Trigger]:
    starts = sorted(re.escape(mark) for mark in known.beginnings if _is_a_beginning(mark))
    return [Trigger("pieces", _started(starts, _BROKEN))] if starts else []


def _is_a_beginning(mark: bytes) -> bool:
    """Whether a mark says by itself that a value begins here: it is no word, and no line of its own."""
    return b" " not in mark and mark not in COMMON and (len(mark) > 4 or not mark.isalnum() or not mark.islower())


def _literal(literals: Iterable[bytes], *, ignore_case: bool = False) -> Anchor:
    """One of many literals. Hyperscan gets each as it is; `re` gets them as a tree."""
    kept = sorted(set(literals))
    branches = tuple(b"".join(b"\\x%02x" % byte for byte in literal) for literal in kept)
    return _anchor(prefix_tree(kept), branches, ignore_case)


def _expression(expressions: Sequence[bytes]) -> Anchor:
    return _anchor(b"|".join(expressions), tuple(expressions), False)


def _started(starts: Sequence[bytes], ending: bytes) -> Anchor:
    """A beginning of a value, more of it, and then something that no value has."""
    portable = _BEFORE + b"(?:" + b"|".join(starts) + b")" + _BOUNDED + ending
    together = (b"|".join(starts[at : at + TOGETHER]) for at in range(0, len(starts), TOGETHER))
    return _anchor(portable, tuple(_BEFORE + b"(?:" + some + b")" + _VALUE + ending for some in together), False)


def _anchor(expression: bytes, branches: tuple[bytes, ...], ignore_case: bool) -> Anchor:
    return Anchor(expression, ignore_case, False, 0, 0, 0, (), False, branches)
