"""Files in UTF-16, as Windows shells write them: looked at as UTF-8, and written to as UTF-16."""

from __future__ import annotations

import codecs

from keyward.scrub.redactor import Redaction, Redactor, Style, replacement, same_length

LITTLE, BIG = "utf-16-le", "utf-16-be"
UNIT = 2


def wide_encoding(head: bytes) -> str:
    """`utf-16-le`, `utf-16-be`, or empty for a file that is scrubbed as it stands. `head`: at least its first kilobyte."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return ""
    if head.startswith(codecs.BOM_UTF16_LE):
        return LITTLE
    if head.startswith(codecs.BOM_UTF16_BE):
        return BIG
    sample = head[:1024]
    half = len(sample) // 2
    if half < 8:
        return ""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd > half * 0.7 and even <= odd * 0.2:
        return LITTLE
    return BIG if even > half * 0.7 and odd <= even * 0.2 else ""


def wide_redactions(redactor: Redactor, data: bytes, path: str, encoding: str) -> list[Redaction]:
    """The redactions of a piece of such a file, in its own bytes. Raises what matching raises."""
    text = data[: len(data) & ~1].decode(encoding, "surrogatepass").encode("utf-8", "surrogatepass")
    found, at, units = [], 0, 0
    for each in redactor.redactions(text, path):
        start = units + _units(text[at : each.start])
        length = _units(text[each.start : each.end])
        found.append(each._replace(start=start * UNIT, end=(start + length) * UNIT, encoding=encoding))
        at, units = each.end, start + length
    return found


def _units(text: bytes) -> int:
    return len(text.decode("utf-8", "surrogatepass").encode(LITTLE, "surrogatepass")) // UNIT


def written(redaction: Redaction, original: bytes, style: Style) -> bytes:
    """What stands there instead of the original bytes, in the encoding of what stands around it."""
    if redaction.encoding not in (LITTLE, BIG) or len(original) % UNIT:
        return replacement(redaction, original, style)
    if style is not Style.SAME_LENGTH:
        return replacement(redaction, b"", style).decode("ascii").encode(redaction.encoding)
    units = [original[at : at + UNIT] for at in range(0, len(original), UNIT)]
    newline = "\n".encode(redaction.encoding)
    outline = b"".join(b"\n" if unit == newline else b"x" for unit in units)
    return same_length(redaction, outline).decode("ascii").encode(redaction.encoding)
