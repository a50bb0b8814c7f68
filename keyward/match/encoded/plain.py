"""Whether decoded bytes are text at all."""

from __future__ import annotations

import re

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def is_text(text: bytes) -> bool:
    """Whether bytes are clean text: UTF-8 without control characters, and not empty."""
    if not text or _CONTROL.search(text):
        return False
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def is_text_between(text: bytes, low: int, high: int) -> bool:
    """The same of what stands between two offsets, whatever halves of characters there are at either end."""
    low, high = max(0, low), min(len(text), high)
    while low < high and text[low] & 0xC0 == 0x80:
        low += 1
    end = high
    while low < end and high - end < 3 and text[end - 1] & 0xC0 == 0x80:
        end -= 1
    if low < end and text[end - 1] >= 0xC0 and not is_text(text[end - 1 : high]):  # the head of a character that goes on behind
        high = end - 1
    return is_text(text[low:high])
