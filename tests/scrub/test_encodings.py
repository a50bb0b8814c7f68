"""A known value is found in what real programs write it as: whatever they escape, it is among the forms."""

from __future__ import annotations

import base64
import html
import json
import os
import random
import re
import shlex
import shutil
import string
import subprocess
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from keyward.model.kind import Kind
from keyward.model.secret import Secret
from keyward.scrub.encodings import SHORTEST, forms
from keyward.scrub.known import MOST_COMPILED, KnownSecret, KnownSecrets

MARKS = string.punctuation + " €é"


def _values(count: int, length: int = 19) -> list[str]:
    """Values that hold every mark, wherever it matters: first, last, after `:` and `=`."""
    draw = random.Random(5)
    made = ["".join(draw.choice(string.ascii_letters + string.digits + MARKS) for _ in range(length)) for _ in range(count)]
    return [*made, *(f"{mark}abc=~x:~{mark}y/{mark}" for mark in MARKS)]


VALUES = _values(40)


def known(*values: bytes) -> KnownSecrets:
    return KnownSecrets(KnownSecret(Kind("lane/value"), Secret(value), "k3f9") for value in values)


def found(value: str, written: bytes) -> bool:
    """Whether it is seen there."""
    return bool(known(value.encode()).seen(b"before " + written + b" behind"))


def _go_json(value: str) -> str:
    """As encoding/json writes it: what matters in HTML is escaped (json.Marshal's documentation)."""
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _upper(value: str) -> str:
    return "".join(f"\\u{ord(each):04X}" if ord(each) > 127 else json.dumps(each)[1:-1] for each in value)


WRITERS: dict[str, Callable[[str], str]] = {
    "json": json.dumps,
    "json as it is": lambda value: json.dumps(value, ensure_ascii=False),
    "json in json": lambda value: json.dumps(json.dumps({"a": value})),
    "json of Go": _go_json,
    "json in capitals": _upper,
    "quote": quote,
    "quote all": lambda value: quote(value, safe=""),
    "quote in small letters": lambda value: re.sub("%..", lambda escape: escape.group().lower(), quote(value, safe="")),
    "form": quote_plus,
    "html": html.escape,
    "shlex": shlex.quote,
    "repr": repr,
    "hex": lambda value: value.encode().hex(),
    "hex in capitals": lambda value: value.encode().hex().upper(),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_what_python_writes(writer: str) -> None:
    write = WRITERS[writer]
    assert [value for value in VALUES if not found(value, write(value).encode())] == []


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        assert not os.environ.get("CI"), f"{name} must be installed here"
        pytest.skip(f"{name} is not installed")
    return path


def _lines(*command: str) -> list[bytes]:
    done = subprocess.run(command, capture_output=True, check=True, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
    lines = done.stdout.split(b"\n")[:-1]
    assert len(lines) == len(VALUES)
    return lines


@pytest.mark.parametrize("form", ['printf "%q\\n" "$each"', 'printf "%s\\n" "${each@Q}"'])
def test_what_bash_writes(form: str) -> None:
    lines = _lines(_program("bash"), "-c", f"for each; do {form}; done", "bash", *VALUES)
    assert [value for value, line in zip(VALUES, lines) if not found(value, line)] == []


@pytest.mark.parametrize(
    "form",
    [
        "JSON.stringify(each)",
        "encodeURIComponent(each)",
        "encodeURI(each)",
        "new URLSearchParams({a: each}).toString()",
        "Object.assign(new URL('https://example.org/'), {password: each}).href",
        "Object.assign(new URL('https://example.org/'), {hash: each}).href",
        "Object.assign(new URL('https://example.org/'), {search: each}).href",
        "Object.assign(new URL('https://example.org/'), {pathname: 'a' + each + 'z'}).href",
        "require('util').inspect([each])",
        "Buffer.from(each).toString('base64url')",
        "Buffer.from(each).toString('hex')",
    ],
)
def test_what_javascript_writes(form: str) -> None:
    code = f"for (const each of process.argv.slice(1)) console.log({form})"
    lines = _lines(_program("node"), "-e", code, "--", *VALUES)
    # a path's backslash becomes a slash: that is another value
    read = [(value, line) for value, line in zip(VALUES, lines) if "pathname" not in form or "\\" not in value]
    assert [value for value, line in read if not found(value, line)] == []


@pytest.mark.parametrize("form", ["@json", "@uri", "@html", "@sh", "@base64"])
def test_what_jq_writes(form: str) -> None:
    lines = _lines(_program("jq"), "-nr", f"$ARGS.positional[] | {form}", "--args", "--", *VALUES)
    assert [value for value, line in zip(VALUES, lines) if not found(value, line)] == []


def test_base64_at_every_alignment_in_every_alphabet() -> None:
    for value in VALUES:
        every = known(value.encode())
        for shift in range(6):
            for behind in range(4):
                text = b"q" * shift + value.encode() + b"z" * behind
                for encode in (base64.b64encode, base64.urlsafe_b64encode):
                    assert every.seen(encode(text)) and every.seen(encode(text).rstrip(b"="))


def test_no_form_is_shorter_than_what_would_be_found_everywhere() -> None:
    for value in ("abcdef", "a&b<c>", "12345678"):
        assert all(len(form) >= SHORTEST for _, form in forms(value.encode()))
    assert known(b"short").too_short == 1 and not known(b"short").seen(b"short")


@pytest.mark.parametrize("length", [MOST_COMPILED - 1, MOST_COMPILED, MOST_COMPILED + 1, 3_300, 20_000])
def test_a_value_of_any_length(length: int) -> None:
    """A private key of 4096 bits has 3 kB, twice that in UTF-16: more than a pattern may have."""
    draw = random.Random(length)
    value = "".join(draw.choice(string.ascii_letters) + ("\n" if n % 64 == 63 else "") for n in range(length))[:length]
    every = known(value.encode(), b"another value")
    for _, form in forms(value.encode()):
        (seen,) = every.seen(b"before " + form + b" behind")
        assert (seen.start, seen.end) == (7, 7 + len(form))
        changed = form[:-2] + b"##"
        assert not every.seen(b"before " + changed + b" behind"), "its first bytes alone are not it"
    assert len(every.seen(value.encode() + b" another value " + value.encode())) == 3
