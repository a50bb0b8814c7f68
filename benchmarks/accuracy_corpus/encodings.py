"""The ways in which a text with a credential in it is written otherwise. Each takes the bytes of a small file and gives those of another."""

from __future__ import annotations

import base64
import gzip
import json
import quopri
from collections.abc import Callable

Encode = Callable[[bytes], bytes]


def _b64(text: bytes) -> bytes:
    return base64.b64encode(text)


def _in_lines(text: bytes, width: int = 76, indent: bytes = b"") -> bytes:
    return b"\n".join(indent + text[at : at + width] for at in range(0, len(text), width))


def _each(form: bytes) -> Encode:
    return lambda text: b'value = "' + b"".join(form % byte for byte in text) + b'"\n'


def _kubernetes(text: bytes) -> bytes:
    rows = []
    for line in text.strip().splitlines():
        name, _, value = line.partition(b"=")
        rows.append(b"  " + name.lower().replace(b"_", b"-") + b": " + _b64(value))
    return b"apiVersion: v1\nkind: Secret\nmetadata:\n  name: app\ntype: Opaque\ndata:\n" + b"\n".join(rows) + b"\n"


def _printable(text: bytes) -> bytes:
    # the values' own = are written out, and lines are broken after 76 characters
    return b"Content-Transfer-Encoding: quoted-printable\n\n" + quopri.encodestring(text)


def _coloured(text: bytes) -> bytes:
    return b"".join(
        b"\x1b[32m" + line[: len(line) // 2] + b"\x1b[0m\x1b[32m" + line[len(line) // 2 :] + b"\x1b[0m\n"
        for line in text.splitlines()
    )


def _joined(plus: bytes) -> Encode:
    def encode(text: bytes) -> bytes:
        rows = []
        for line in text.strip().splitlines():
            name, _, value = line.partition(b"=")
            half = len(value) // 2
            rows.append(name + b" = (\n    " + b'"' + value[:half] + b'"' + plus + b'\n    "' + value[half:] + b'"\n)\n')
        return b"".join(rows)

    return encode


ENCODINGS: dict[str, Encode] = {
    "as it stands": lambda text: text,
    "base64": lambda text: b"ENV_FILE: " + _b64(text) + b"\n",
    "base64, further in": lambda text: b"ENV_FILE: " + _b64(b"PORT=8080\n" + text) + b"\n",
    "base64 in lines": lambda text: b"content: |\n" + _in_lines(_b64(b"# settings of the service, production\n" * 2 + text), indent=b"  ") + b"\n",
    "base64 for URLs, no padding": lambda text: b"state=" + base64.urlsafe_b64encode(b"a=1\n" + text).rstrip(b"=") + b"\n",
    "hex": lambda text: b"payload: " + text.hex().encode() + b"\n",
    "percent": _each(b"%%%02X"),
    "\\u": _each(b"\\u%04x"),
    "\\x": _each(b"\\x%02x"),
    "HTML": _each(b"&#%d;"),
    "JSON in JSON": lambda text: json.dumps({"body": json.dumps({"env": dict(_pairs(text))})}).encode() + b"\n",
    "JSON in JSON in JSON": lambda text: json.dumps({"log": json.dumps({"body": json.dumps({"env": dict(_pairs(text))})})}).encode() + b"\n",
    "Kubernetes data": _kubernetes,
    "data URL": lambda text: b'<a href="data:text/plain;base64,' + _b64(text) + b'">env</a>\n',
    "gzip in base64": lambda text: b"blob: " + _b64(gzip.compress(text, mtime=0)) + b"\n",
    "base64 in base64": lambda text: b"blob: " + _b64(_b64(text)) + b"\n",
    "quoted-printable": _printable,
    "ANSI colours": _coloured,
    "adjacent literals": _joined(b""),
    "added literals": _joined(b" +"),
}  # fmt: skip


def _pairs(text: bytes) -> list[tuple[str, str]]:
    return [(name.decode(), value.decode()) for name, _, value in (line.partition(b"=") for line in text.strip().splitlines())]
