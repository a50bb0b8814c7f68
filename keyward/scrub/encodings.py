"""Every way in which a known value is written down: as it is, escaped for JSON, HTML, a URL or a shell, in hex, and inside base64.

Programs differ in what they escape. The forms are those of the programs that write most of what a scrub reads; the tests let these
programs write them.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote

SHORTEST = 6
"""Bytes from which on a value is looked for. A shorter one would be found everywhere."""

SHORTEST_BASE64 = 8
"""The same for its forms inside base64, of which up to two characters at either end belong to the neighbours as well."""

_URL_SAFE = (
    "",
    "/",  # Python's quote
    "!'()*",  # JavaScript's encodeURIComponent (ECMA-262 19.2.6)
    ";,/?:@&=+$!'()*#",  # and encodeURI
    "!$&'()*+,;=",  # the user and password of a URL (RFC 3986 3.2.1)
    "$&+,;=",  # as Go writes them (net/url, shouldEscape),
    "$&+=:@",  # and a segment of a path
    "!$%&'()*+,",  # the user and password of a URL as a browser writes them (url.spec.whatwg.org, percent-encoded bytes),
    "!$%&'()*+,/:;=@[]|",  # its path,
    "!$%&'()*+,/:;=@[]|\\^",  # which earlier ones escaped less of,
    "!$%&()*+,/:;=@[]|\\^?`{}",  # its query,
    "!$%&'()*+,/:;=@[]|\\^?`{}",
    "!$%&'()*+,/:;=@[]|\\^?{}#",  # and its fragment
)
"""What stays as it is, besides letters, digits and `-._~`."""

_SHELL = re.compile(rb"[^A-Za-z0-9@%+=:,./_\x80-\xff-]")
"""What a shell needs a backslash before. What bash's `printf %q` leaves and marks differs in three characters."""

_BASH = re.compile(rb"[^A-Za-z0-9@%+=:./_#~\x80-\xff-]|^[#~]|(?<=[:=])~")


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
        for form in _json(text):
            yield "json", form.encode("utf-8", "surrogatepass")
            yield "json-in-json", json.dumps(form, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")
        for form in _html(text):
            yield "html", form.encode()
    for form in _percent(value):
        yield "percent", form.encode()
        yield "percent", _lower_escapes(form).encode()
    for quoted in _shell(value):
        yield "shell", quoted
    yield "hex", value.hex().encode()
    yield "hex", value.hex().upper().encode()
    yield from _base64(value)
    for encoding in ("utf-16-le", "utf-16-be"):
        if text:
            yield encoding, text.encode(encoding, "surrogatepass")


def _json(text: str) -> Iterator[str]:
    escaped = json.dumps(text)[1:-1]
    plain = json.dumps(text, ensure_ascii=False)[1:-1]
    for form in (escaped, plain, re.sub(r"\\u[0-9a-f]{4}", lambda found: "\\u" + found.group()[2:].upper(), escaped)):
        yield form
        yield form.replace("/", "\\/")
        # Go's encoding/json escapes what would matter in HTML
        yield form.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _html(text: str) -> Iterator[str]:
    tags = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    yield tags
    for double in ("&quot;", "&#34;", '"'):
        for single in ("&#x27;", "&#39;", "&apos;", "'"):
            yield tags.replace('"', double).replace("'", single)


def _percent(value: bytes) -> Iterator[str]:
    for safe in _URL_SAFE:
        yield quote(value, safe=safe)
    for safe in (" ", " *"):  # forms of a web page, as Python and as a browser encode them
        form = quote(value, safe=safe).replace(" ", "+")
        yield form
        yield form.replace("~", "%7E")


def _lower_escapes(form: str) -> str:
    pieces = form.split("%")
    return pieces[0] + "".join("%" + piece[:2].lower() + piece[2:] for piece in pieces[1:])


def _shell(value: bytes) -> Iterator[bytes]:
    yield value.replace(b"'", b"'\\''")
    yield value.replace(b"'", b"'\"'\"'")  # Python's shlex.quote
    doubled = value.replace(b"\\", b"\\\\")
    yield doubled.replace(b'"', b'\\"').replace(b"$", b"\\$").replace(b"`", b"\\`")
    # fish, Python's repr and other languages' single quotes; with line ends $'…' as bash writes it
    single = doubled.replace(b"'", b"\\'")
    yield single
    yield single.replace(b"\n", b"\\n").replace(b"\r", b"\\r").replace(b"\t", b"\\t")
    for unsafe in (_SHELL, _BASH):
        yield unsafe.sub(lambda found: b"\\" + found.group(), value)


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
