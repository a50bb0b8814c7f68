"""Every way in which a known value is written down: as it is, escaped for JSON, a URL or a shell, and inside base64."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 6
"""Bytes from which on a value is looked for. A shorter one would be found everywhere."""

SHORTEST_BASE64 = 8
"""The same for its forms inside base64, of which up to two characters at either end belong to the neighbours as well."""

_SHELL = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./-_")


def forms(value: bytes) -> Iterator[tuple[str, bytes]]:
    """The name of each encoding and what the value looks like in it; the first is `raw`. Forms that are the same come once."""
    seen: set[bytes] = set()
    for name, form in _all(value):
        if form not in seen and len(form) >= SHORTEST:
            seen.add(form)
            yield name, form


def _all(value: bytes) -> Iterator[tuple[str, bytes]]:
    yield "raw", value
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text:
        escaped = json.dumps(text)[1:-1]
        plain = json.dumps(text, ensure_ascii=False)[1:-1]
        for form in (escaped, plain, escaped.replace("/", "\\/"), plain.replace("/", "\\/")):
            yield "json", form.encode("utf-8", "surrogatepass")
            yield "json-in-json", json.dumps(form, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")
        yield "html", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;").encode()
    for form in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield "percent", form.encode()
        yield "percent", _lower_escapes(form).encode()
    yield "shell", value.replace(b"'", b"'\\''")
    yield "shell", value.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"$", b"\\$").replace(b"`", b"\\`")
    yield "shell", b"".join(bytes([byte]) if byte in _SHELL or byte > 127 else b"\\" + bytes([byte]) for byte in value)
    yield from _base64(value)
    for encoding in ("utf-16-le", "utf-16-be"):
        if text:
            yield encoding, text.encode(encoding, "surrogatepass")


def _lower_escapes(form: str) -> str:
    pieces = form.split("%")
    return pieces[0] + "".join("%" + piece[:2].lower() + piece[2:] for piece in pieces[1:])


def _base64(value: bytes) -> Iterator[tuple[str, bytes]]:
    """What of the value is the same whatever stands before and after it, at each of the three alignments."""
    if len(value) < SHORTEST_BASE64:
        return
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + value)
        start = (shift * 8 + 5) // 6
        end = (shift + len(value)) * 8 // 6
        core = encoded[start:end]
        yield "base64", core
        yield "base64", core.translate(bytes.maketrans(b"+/", b"-_"))
