"""What the packs of chat, mail, payment and office services share: a value assigned to a name, and the usual sample texts."""

from __future__ import annotations

from collections.abc import Callable

from keyward.model.rule import Sample
from keyward.plugin import Manual, Parts, Signal
from keyward.plugin.shapes import Dice, Piece, Shape, concat, text

from ._forms import OTHER_FORMS, random_looking, written

UUID = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
ALNUM_EDGE = rb"(?![A-Za-z0-9])"
URLSAFE_EDGE = rb"(?![A-Za-z0-9_-])"
SLASH = rb"\\?/"
"""A slash, as it stands or as JSON may escape it."""

_ASSIGN = (
    rb"(?i:_(?:prod|production|live|dev|staging|test|[0-9]))?[\"'\\\]]{0,3}(?:\s?:\s?(?:str|string|String)\s?(?==))?"
    rb"(?:[ \t]{0,20}\s{0,4}(?:=>|:=|\|\||\?\?|[:=,>])[ \t]{0,20}\s{0,4}|\s{1,32}value[\"']?\s{0,4}[:=]\s{0,4}|"
    + OTHER_FORMS
    + rb"|[ \t]{1,2})[\"'`\\]{0,3}"
)


def named(name: bytes, value: bytes, edge: bytes = ALNUM_EDGE) -> bytes:
    """A pattern for `value` (with its named group) assigned to a name: `N=v`, `"N": "v"`, `N => 'v'`, `--n v`, `N: v`, and
    `name: N` with `value: v` on the next line. The name's case does not matter, the value's does."""
    return rb"(?i:" + written(name) + rb")" + _ASSIGN + value + edge


def group(name: str, body: bytes) -> bytes:
    """A named group."""
    return b"(?P<" + name.encode() + b">" + body + b")"


def secret(body: bytes) -> bytes:
    """The named group `secret`."""
    return group("secret", body)


def token(body: bytes, edge: bytes = ALNUM_EDGE, before: bytes = rb"A-Za-z0-9") -> bytes:
    """A pattern for a value that stands by itself: not after one of `before`, and not before what `edge` forbids."""
    return rb"(?<![" + before + rb"])" + secret(body) + edge


def whole(name: str, *pieces: Piece) -> Shape:
    """Labels the pieces together, and keeps the labels inside them: a key that carries its own id."""
    shape = concat(*pieces)

    def draw(dice: Dice) -> Sample:
        value, parts = shape.draw(dice)
        return Sample(value, {**parts, name: value})

    return Shape(draw)


def camel(name: str) -> str:
    """TWILIO_AUTH_TOKEN → twilioAuthToken."""
    first, *rest = name.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def contexts(name: str, value: Piece, header: str = "Authorization: Bearer ") -> tuple[Shape, ...]:
    """A value with a prefix of its own where people leave it: `.env`, JSON, a request in a shell history, a source file."""
    labelled = whole("secret", value)
    return (
        text(name, "=", labelled, "\n"),
        text('{"', camel(name), '": "', labelled, '"}\n'),
        text('curl -s -H "', header, labelled, '" https://host.test/v1\n'),
        text("client = Client('", labelled, "')\n"),
    )


def named_contexts(name: str, value: Piece) -> tuple[Shape, ...]:
    """A bare value that only its name gives away: `.env`, JSON, a deployment's environment, PHP, TypeScript."""
    labelled = whole("secret", value)
    return (
        text("export ", name, "=", labelled, "\n"),
        text('{\n  "', camel(name), '": "', labelled, '"\n}\n'),
        text("- name: ", name, "\n  value: '", labelled, "'\n"),
        text("'", name.lower(), "' => '", labelled, "',\n"),
        text("const ", camel(name), ": string = `", labelled, "`;\n"),
    )


def misses(name: str, *values: Piece) -> tuple[Shape, ...]:
    """The values assigned to the name, unlabelled."""
    return tuple(text(name, "=", value, "\n") for value in values)


def varied(weight: int = -40, part: str = "secret") -> Callable[[Parts], Signal | None]:
    """A check for random letters and digits: an identifier or a word that happens to have the length lacks a case or a digit."""

    def check(parts: Parts) -> Signal | None:
        return None if part not in parts or random_looking(parts[part]) else Signal("shape", weight, "lacks a case or a digit")

    return check


def replace(what: str, url: str, *more: str) -> Manual:
    """The usual three steps."""
    return Manual((f"Create {what}.", "Update what uses the old one.", *(more or ("Delete the old one.",))), url)
