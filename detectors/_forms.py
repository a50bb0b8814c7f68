"""What several packs of development services share: the forms in which a value is given to a name, and common patterns."""

from __future__ import annotations

from keyward.plugin import Manual

WORD = rb"(?![A-Za-z0-9])"
"""Right boundary of a body of letters and digits."""

SLUG = rb"(?![A-Za-z0-9_-])"
"""Right boundary of a URL-safe base64 body."""

UUID = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

ROUTINE = ("Create a new one with the same or fewer rights.", "Update what uses it.", "Revoke the old one.")

OTHER_FORMS = (
    rb"[ \t]{0,4}(?:\?=|\|\|=)[ \t]{0,4}|"  # NAME ?= …  ENV["NAME"] ||= …
    rb"[`*]{0,2}[ \t]{0,12}\|[ \t]{0,12}`?|"  # | NAME | … |
    rb"(?:[*`]{1,3}:?|:[*`]{1,3})[ \t]{1,2}`?|"  # **Name**: …
    rb"\s?:\s?(?:&(?:'static )?)?[sS]tr(?:ing)?\s?=\s?|"  # NAME: &str = …
    rb"\s?=\s?\(\s{1,12}|"  # NAME = ( …
    rb"\s{0,3}\{\s{1,12}(?:type\s{1,8}=\s?string\s{1,12})?default\s{1,8}=\s{0,3}"  # variable "name" { type = string default = …
)
"""Further forms in which a value is given to a name, without the quotes around either."""

_ASSIGNS = (
    rb"(?:"
    rb"[\"'\\\])]{0,3}(?:\s{0,4}(?::=|=>|[:=,>])\s{0,4}|[ \t]{1,4})"  # NAME=…  "name": "…"  name => '…'  ENV NAME …
    rb"|[\"']?,?\s{1,20}[\"']?value[\"']?\s{0,3}[:=]\s{0,3}"  # - name: NAME ⏎ value: …
    rb"|[\"')\]]{0,2}\s{1,2}(?:\|\||\?\?|or)\s{1,12}"  # process.env.NAME || "…"
    rb"|[\"'\])]{0,2}(?:" + OTHER_FORMS + rb")"
    rb")[\"'`\\]{0,2}"
)

_SEPARATORS = ((rb"[_-]?", rb"[_ -]?"), (rb"[_.-]?", rb"[_. -]?"), (rb"[\w.-]{", rb"[\w. -]{"), (rb"_?-?", rb"[_ -]?"))
_BORDERS = (rb"(?<![A-Za-z0-9])", rb"(?<![a-z0-9])", rb"(?<![A-Za-z])", rb"(?<![a-z0-9_.-])")


def token(body: bytes, edge: bytes = SLUG) -> bytes:
    """The pattern of a value that tells what it is by its own prefix."""
    return rb"(?<![A-Za-z0-9])(?P<secret>" + body + rb")" + edge


def written(name: bytes) -> bytes:
    """The expression of a name, widened to what people write: spaces as separators (`Vendor API key`), and a border behind an escape: in
    `\\nDD_APP_KEY` of a JSON string the letter n belongs to the escape."""
    for narrow, wide in _SEPARATORS:
        name = name.replace(narrow, wide)
    for border in _BORDERS:
        name = name.replace(border, b"(?<!(?<!\\\\)" + border[4:])
    return name


def named(name: bytes, body: bytes, edge: bytes = SLUG, part: bytes = b"secret") -> bytes:
    """The pattern of a value that only its name tells apart, in the forms in which values are given to names."""
    return rb"(?i:" + written(name) + rb")" + _ASSIGNS + rb"(?P<" + part + rb">" + body + rb")" + edge


def mixed(length: int, alphabet: bytes = b"A-Za-z0-9") -> bytes:
    """Exactly so many characters with a capital, a small letter and a digit among them: random, and no word."""
    each = b"".join(rb"(?=[" + alphabet + rb"]{0,%d}[%s])" % (length - 1, group) for group in (b"A-Z", b"a-z", b"0-9"))
    return each + rb"[" + alphabet + rb"]{%d}" % length


def manual(url: str, *steps: str) -> Manual:
    """The usual steps, or these, and where to go."""
    return Manual(steps or ROUTINE, url)
