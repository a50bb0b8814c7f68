"""What several packs of development services share: the forms in which a value is given to a name, and common patterns."""

from __future__ import annotations

import re

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
    rb"[\"'\\\])]{0,3}(?:[ \t]{0,20}\s{0,4}(?::=|=>|[:=,>])[ \t]{0,20}\s{0,4}|[ \t]{1,4})"  # NAME=…  "name": "…"  name => '…'  ENV NAME …
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
    """Exactly so many characters that look drawn: both cases, and a digit or as many letters of either case as chance gives and no name has
    (`random_looking` says the same of bytes)."""
    few = share(length)

    def at_least(count: int, group: bytes) -> bytes:
        others = re.sub(rb"[%s]-[%s]" % (group, group), b"", alphabet)  # with the group among them, what fails would be tried in every way to skip some of it
        return rb"(?=(?:[" + others + rb"]{0,%d}[%s]){%d})" % (length - 1, group, count)

    drawn = at_least(1, b"0-9") + rb"|" + at_least(few, b"A-Z") + at_least(few, b"a-z")
    return at_least(1, b"A-Z") + at_least(1, b"a-z") + rb"(?:" + drawn + rb")[" + alphabet + rb"]{%d}" % length


def share(length: int) -> int:
    """The fewest capitals, and the fewest small letters, of a drawn value without any digit, one in two hundred of thirty characters. A name
    in camel case has fewer capitals."""
    return -(-length * 3 // 10)


def random_looking(value: bytes) -> bool:
    """Both cases, and a digit or as many of either as chance gives: letters and digits drawn at random, no hash and no word."""
    capitals, small = sum(65 <= c <= 90 for c in value), sum(97 <= c <= 122 for c in value)
    return min(capitals, small) >= (1 if any(48 <= c <= 57 for c in value) else share(len(value)))


def manual(url: str, *steps: str) -> Manual:
    """The usual steps, or these, and where to go."""
    return Manual(steps or ROUTINE, url)
