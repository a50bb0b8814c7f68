"""How those who read `.env` files understand what stands behind the `=`, one function a reader.

There is no one dialect. Each reader is given the rest of the logical line (without its newline, with a carriage return) and answers with
the value, or None where it would refuse the line, run something, or depend on its environment. A new value is written so that
everybody who read the old one reads the new one too.

Sources: python-dotenv's parser and its documentation of interpolation; the pattern of npm `dotenv`; POSIX shell command language
2.2 (quoting) with bash's `$'..'`; compose-go's `dotenv`; systemd.exec(5), EnvironmentFile=; docker run's `--env-file`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping

from keyward.formats.place import FormatError

Reader = Callable[[bytes], bytes | None]

_PYTHON_QUOTED = {
    "'": re.compile(r"'((?:\\.|[^'\\])*)'", re.DOTALL),
    '"': re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL),
}
_PYTHON_ESCAPES = {"'": re.compile(r"\\[\\']"), '"': re.compile(r"\\[\\'\"abfnrtv]")}
_PYTHON_END = re.compile(r"(?:[^\S\r\n]*#[^\r\n]*)?[^\S\r\n]*\Z")
_NODE = re.compile(
    r"\s*K(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*\"(?:\\\"|[^\"])*\"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?\Z"
)
_NODE_QUOTES = re.compile(r"\A(['\"`])([\s\S]*)\1\Z")


def read_python(rest: bytes) -> bytes | None:
    """python-dotenv: escapes in both quotes, `${NAME}` is looked up even in single quotes."""
    text = _text(rest)
    if text is None:
        return None
    body = re.sub(r"\A[^\S\r\n]+", "", text)
    first = body[:1]
    if first == "#" and len(body) < len(text):
        value = ""
    elif first in ("'", '"'):
        match = _PYTHON_QUOTED[first].match(body)
        if match is None or not _PYTHON_END.match(body, match.end()):
            return None
        value = _PYTHON_ESCAPES[first].sub(lambda found: codecs.decode(found.group(), "unicode-escape"), match.group(1))
    elif "\n" in body or "\r" in body:
        return None
    else:
        value = re.sub(r"\s+#.*", "", body).rstrip()
    return None if re.search(r"\$\{[^}]*\}", value) else value.encode()


def read_node(rest: bytes) -> bytes | None:
    """npm `dotenv`: a `#` ends a bare value, nothing is unescaped but `\\n` and `\\r` in double quotes."""
    text = _text(rest)
    if text is None or "\u2028" in text or "\u2029" in text or text.lstrip(" \t\v\f")[:1] in ("\r", "\n"):
        return None
    match = _NODE.match("K=" + text.replace("\r", "\n"))
    if match is None:
        return None
    value = (match.group(1) or "").strip(" \t\n\r\v\f\xa0\ufeff")
    if "\n" in text and not value.startswith(("'", '"', "`")):
        return None
    double = value.startswith('"')
    value = _NODE_QUOTES.sub(r"\2", value)
    if double:
        value = value.replace("\\n", "\n").replace("\\r", "\r")
    return value.encode()


def read_shell(rest: bytes) -> bytes | None:
    """`source` of a POSIX shell or bash. None for what would be expanded or run."""
    out = bytearray()
    at = 0
    while at < len(rest):
        char = rest[at : at + 1]
        if char in b" \t\n":
            tail = rest[at:].lstrip(b" \t")
            return bytes(out) if not tail or (tail.startswith(b"#") and b"\n" not in tail and at) else None
        if char == b"'":
            end = rest.find(b"'", at + 1)
            if end < 0:
                return None
            out += rest[at + 1 : end]
            at = end + 1
        elif char == b'"':
            end = _shell_double(rest, at + 1, out)
            if end < 0:
                return None
            at = end
        elif rest.startswith(b"$'", at):
            end = _ansi_c(rest, at + 2, out)
            if end < 0:
                return None
            at = end
        elif char == b"\\":
            if at + 1 >= len(rest):
                return None
            if rest[at + 1 : at + 2] != b"\n":
                out += rest[at + 1 : at + 2]
            at += 2
        elif char in b"$`;&|<>()\0" or (char == b"~" and (not at or rest[at - 1 : at] == b":")):
            return None
        else:
            out += char
            at += 1
    return bytes(out)


def _shell_double(rest: bytes, at: int, out: bytearray) -> int:
    """Reads up to the closing quote; answers with the place behind it, -1 where there is none or something is expanded."""
    while at < len(rest):
        char = rest[at : at + 1]
        if char == b'"':
            return at + 1
        if char in b"$`":
            return -1
        if char == b"\\" and rest[at + 1 : at + 2] in (b"$", b"`", b'"', b"\\", b"\n"):
            if rest[at + 1 : at + 2] != b"\n":
                out += rest[at + 1 : at + 2]
            at += 2
        else:
            out += char
            at += 1
    return -1


_ANSI = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"\\": b"\\", b"'": b"'", b'"': b'"'}


def _ansi_c(rest: bytes, at: int, out: bytearray) -> int:
    while at < len(rest):
        char = rest[at : at + 1]
        if char == b"'":
            return at + 1
        if char == b"\\":
            plain = _ANSI.get(rest[at + 1 : at + 2])
            if plain is None:
                return -1
            out += plain
            at += 2
        else:
            out += char
            at += 1
    return -1


def read_compose(rest: bytes) -> bytes | None:
    """Docker Compose's `env_file` and `.env`. Its versions differ in a bare `#` and a `$`, so both are nobody's value."""
    body = rest.removesuffix(b"\r").replace(b"\r\n", b"\n").lstrip(b" \t\v\f")
    quote = body[:1]
    if quote not in (b"'", b'"'):
        bare = body.rstrip()
        if b"\n" in body or b"$" in body or bare.startswith(b"#"):
            return None
        cut = re.search(rb"[ \t]#", bare)
        bare = bare[: cut.start()].rstrip() if cut else bare
        return None if b"#" in bare else bare
    end = 1
    while end < len(body) and (body[end : end + 1] != quote or body[end - 1 : end] == b"\\"):
        end += 1
    tail = body[end + 1 :].strip(b" \t")
    if end >= len(body) or (tail and not tail.startswith(b"#")) or b"\n" in tail:
        return None
    value = body[1:end]
    if value[:1] == quote or (quote == b"'" and b"\\'" in value):
        return None
    if quote == b"'":
        return value
    if b"$" in value or re.search(rb"\\[abfrtv]", value):
        return None
    return re.sub(rb"\\(.)", lambda found: b"\n" if found[1] == b"n" else found[1], value, flags=re.DOTALL)


def read_systemd(rest: bytes) -> bytes | None:
    """systemd's EnvironmentFile=: no inline comments; a backslash at the end of a line joins the next one."""
    out = bytearray()
    state, blank = "before", -1
    body = rest.removesuffix(b"\r")
    at = 0
    while at < len(body):
        char = body[at : at + 1]
        at += 1
        if state == "single":
            state = "before" if char == b"'" else state
            out += b"" if char == b"'" else char
        elif state == "double":
            if char == b'"':
                state = "before"
            elif char == b"\\" and at < len(body):
                after = body[at : at + 1]
                at += 1
                out += after if after in b'"\\`$' else b"" if after == b"\n" else b"\\" + after
            else:
                out += char
        elif char in b"\n\r":
            return None
        elif char == b"\\":
            after = body[at : at + 1]
            at += 1
            state, blank = "bare", -1
            out += b"" if after in b"\n\r" else after
        elif state == "before" and char in b"'\"":
            state = "single" if char == b"'" else "double"
        elif state == "bare" or char not in b" \t":
            if char not in b" \t":
                blank = -1
            elif blank < 0:
                blank = len(out)
            out += char
            state = "bare"
    if state in ("single", "double"):
        return None
    value = bytes(out[:blank] if state == "bare" and blank >= 0 else out)
    return value if _text(value) is not None and b"\0" not in value else None


def read_docker(rest: bytes) -> bytes | None:
    """docker run's `--env-file`: everything behind the `=`, quotes and blanks included."""
    body = rest.removesuffix(b"\r")
    return None if b"\n" in body or b"\0" in body or _text(body) is None else body


READERS: Mapping[str, Reader] = {
    "python-dotenv": read_python,
    "npm dotenv": read_node,
    "shell": read_shell,
    "compose": read_compose,
    "systemd": read_systemd,
    "docker --env-file": read_docker,
}

DIALECTS: Mapping[str, tuple[str, ...]] = {
    "any": ("python-dotenv", "npm dotenv", "shell", "compose", "systemd"),
    "python": ("python-dotenv",),
    "node": ("npm dotenv",),
    "shell": ("shell",),
    "compose": ("compose",),
    "systemd": ("systemd",),
    "docker": ("docker --env-file",),
}
"""Who reads a file, by the name of its dialect, in the order of precedence. `any`: nobody knows."""


def readers_of(dialect: str) -> tuple[str, ...]:
    """The readers of a dialect. Raises FormatError for a name that is not known."""
    if dialect not in DIALECTS:
        raise FormatError(f"there is no dialect {dialect!r} of .env files; there are {', '.join(DIALECTS)}")
    return DIALECTS[dialect]


def _text(data: bytes) -> str | None:
    try:
        return data.removesuffix(b"\r").replace(b"\r\n", b"\n").decode()
    except UnicodeDecodeError:
        return None
