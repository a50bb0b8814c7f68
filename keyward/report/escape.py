"""The one place that makes text from outside inert, once for each thing that reads it.

A file may be called `ESC[2K\\r`, or hold a newline and `::add-mask::`; a provider's message may hold anything. Printed raw, the
first erases the line that reports it and the second is a command to the CI that shows the log. So nothing from outside (paths,
details, facts, titles of rules that a scanned repository brought) reaches a report but through a function of this module.

Escapes are for the eye: a name that really holds the four characters `\\x1b` looks the same. Where a machine needs the exact path,
`exact` gives it.
"""

from __future__ import annotations

import os
from typing import Any

WINDOWS = os.sep == "\\"

_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
"""Characters that count as printable and show nothing: a name made of them looks empty. Variation selectors are let be: they stand
in ordinary emoji."""

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
"""What stands for itself in a URI path. A colon does not: at the beginning it would make a scheme."""

_MARKDOWN = frozenset("\\`*_{}[]()#+-.!|~:@$^='\"")


def terminal(text: str) -> str:
    """For a terminal: one line, without control, bidi, invisible or unassigned characters and without lone surrogates.

    They are shown as `\\xNN` (control characters, and bytes of a path that are not UTF-8), `\\uNNNN` or `\\UNNNNNNNN`.
    """
    if text.isascii() and text.isprintable():
        return text
    if text.isprintable() and _INVISIBLE.isdisjoint(text):
        return text
    return "".join(c if c.isprintable() and c not in _INVISIBLE else _shown(ord(c)) for c in text)


def _shown(code: int) -> str:
    if code < 0x80:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: a byte of a path, shown as the byte it is
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def log(text: str) -> str:
    """For a log that a CI may read for commands: as `terminal`, and nothing in it can begin one.

    GitHub reads `::name::` at the start of a line (after blanks) and `##[name]` anywhere, Azure `##vso[name]` anywhere, TeamCity
    `##teamcity[name]`. A long path may be wrapped anywhere, so that every place may become a line's start.
    """
    return terminal(text).replace("::", ":\\x3a").replace("##", "#\\x23")


def xml(text: str) -> str:
    """For an element or a quoted attribute of XML 1.0, which has no way at all to write most control characters."""
    escaped = log(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace('"', "&quot;").replace("'", "&#39;")


def markdown(text: str) -> str:
    """For running text in Markdown: no markup, no HTML, no link."""
    out = []
    for char in log(text):
        if char in "<>&":
            out.append({"<": "&lt;", ">": "&gt;", "&": "&amp;"}[char])
        else:
            out.append("\\" + char if char in _MARKDOWN else char)
    return "".join(out)


def markdown_code(text: str) -> str:
    """A code span of Markdown, in which a renderer sees neither markup nor mentions."""
    inert = log(text)
    longest = run = 0
    for char in inert:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    fence = "`" * (longest + 1)
    pad = " " if inert.startswith("`") or inert.endswith("`") or not inert.strip() else ""
    return f"{fence}{pad}{inert or ' '}{pad}{fence}"


def message(text: str) -> str:
    """For a SARIF message, where `[text](target)` is a link and braces hold placeholders."""
    return log(text).replace("](", "] (").replace("{", "\\x7b").replace("}", "\\x7d")


def url(text: str) -> str:
    """The text if it is a plain web address, else nothing: a link's target is never mended."""
    if not text.startswith(("https://", "http://")) or text.endswith("//") or not text.isascii() or not text.isprintable():
        return ""
    return "" if any(c in " \"'<>\\^`{|}()[]" for c in text) or "::" in text or "##" in text else text


def uri(path: str) -> str:
    """A path as a URI reference: relative where the path is, `file:` where it is absolute. Every odd byte is percent-encoded."""
    if WINDOWS:
        path = path.replace("\\", "/")
        if len(path) > 2 and path[1:3] == ":/":
            return f"file:///{path[0]}:{_percent(path[2:])}"
    while path.startswith("./") and len(path) > 2:
        path = path[2:].lstrip("/") or "."
    return ("file://" if path.startswith("/") else "") + _percent(path)


def _percent(path: str) -> str:
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in path_bytes(path))


def path_bytes(path: str) -> bytes:
    """The bytes of a path: as the file system has them, or, for a Windows name that is not UTF-16, as WTF-8."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return path.encode("utf-8", "surrogatepass")


def exact(path: str) -> tuple[str, str]:
    """The path for a machine, and, only where it is not valid UTF-8, its bytes in base64 (then the first is for the eye)."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        import base64

        return terminal(path), base64.b64encode(path_bytes(path)).decode("ascii")
    return path, ""


def json_text(value: Any, *, indent: int | None = None) -> str:
    """JSON in ASCII that is inert as text as well: printed to a terminal, a CI log or into HTML, it commands nothing.

    What is replaced stands only inside strings (JSON has no `::`, `##` or `<` elsewhere), so that it parses to the same value.
    """
    import json

    text = json.dumps(value, ensure_ascii=True, indent=indent, separators=(",", ": ") if indent else (",", ":"))
    return text.replace("::", ":\\u003a").replace("##", "#\\u0023").replace("<", "\\u003c").replace("]]>", "]]\\u003e")
