"""What may be shown of a secret: its public prefix, its length, and at most its last two characters."""

from __future__ import annotations

import re

SHORT = 12
"""Of values shorter than this nothing is shown, not even the length."""

DOTS = "…"


def mask(value: bytes, prefix: re.Pattern[bytes] | None, guessable: bool) -> str:
    """`ghp_…x7 (40)`. `prefix` matches the fixed beginning that every such credential shares; nothing random is shown but the
    last two characters, and those only of machine-made values (not `guessable`) whose hidden part stays longer than 16."""
    if len(value) < SHORT:
        return "(short value)"
    if b"-----BEGIN" in value[:200] or b"\n" in value:
        head = value[: value.find(b"-----", 10) + 5] if value.startswith(b"-----BEGIN") else b""
        return f"{_ascii(head)}{DOTS} ({len(value)} bytes)"
    matched = prefix.match(value) if prefix is not None else None
    shown = value[: matched.end()] if matched else b""
    if len(shown) > len(value) // 2:
        shown = b""
    tail = value[-2:] if len(value) - len(shown) >= 18 and not guessable else b""
    return f"{_ascii(shown)}{DOTS}{_ascii(tail)} ({len(value)})"


def _ascii(value: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in value)
