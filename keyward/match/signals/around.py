"""What stands around the value on its line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keyward.match.signals.file import is_code, is_written
from keyward.match.signals.name import SENTENCES, WEAK, strength
from keyward.model.finding import Signal
from keyward.plugin.letters import HEX, is_random

if TYPE_CHECKING:
    from keyward.match.judge import Context

_OPERATORS = (b"=", b":", b">", b"|", b"?", b"(", b"[", b"{", b"+", b"\xef\xbc\x9a", b"with", b" or")
_BY_SPACE = re.compile(
    rb"(?:^[ \t]*(?:#[ \t]*define[ \t]+|set(?:x|env)?[ \t]+|ENV[ \t]+|ARG[ \t]+)?-{0,2}[\w.:-]+|[ \t](?:-{1,2}|/)[\w-]+|(?i:\bby|\bwith (?:(?:un)?encrypted )?password|securestring(?: -(?:string|asplaintext|force)){0,3})|\bPASSWORD|\((?:set[qf]?[ \t]+)?[\w.-]+|\bset\([\w.-]+|(?:^|[\s{(,]):[\w-]+|\|>[ \t]*[\w.]+|[;{][ \t]*[\w-]+|\b(?:proxy_set_header|add_header|(?:fastcgi|uwsgi)_param|[Ss]etEnv|[Hh]eader(?: always)? set|set-header)[ \t]+[\w-]+|^[ \t]*set(?:[ \t]+[\w./-]+){1,12}|^[ \t]*option[ \t]+\w+|\buser [\"']?[\w.@-]+[\"']?(?: with)? password|[{(][ \t]{0,4}\"[\w.-]+\"|\{[ \t]{0,4}'[\w.-]+'|writeText \"[\w.-]+\")[ \t]{1,8}[\"'`]\Z"
)
_BY_COMMA = re.compile(rb"[(\[{][ \t]{0,2}[rbufNL@]?[\"'`][^\"'`]{1,80}[\"'`][ \t]{0,2},[ \t]{0,4}[rbufNL@]?[\"'`]\Z")
_RESULT = re.compile(rb"(?:^|[^A-Za-z_.$-])(?:X|UNEX)?PASS(?:ED)?\]?(?::|[ \t])[ \t]*\Z")
_EXAMPLE = re.compile(rb"(?:\be\.g\.|\bfor example\b|\bexample[\"']?\s?[:=]|\bfor instance\b|\bsuch as\b|\bsomething like\b)")
_DESCRIPTION = re.compile(
    rb"(?:[\"']?\b(?:description|placeholder|minlength|maxlength|helptext|help_text|help|verbose_name|msgid|msgstr|aria-label)[\"']?\s?[:=(]|\bgettext\(|\bi18n\b|\btranslate\()"
)
_TESTING = re.compile(rb"(?:\bassert|\bexpect\(|\bshould\b|\.to_?(?:be|equal)|isequalto|thenreturn|\bmock|\bstub|\bfake)")
_JOINED = re.compile(rb"[\"'`][ \t]?(?:\+|\.\.|&|<>|~)|[\"'][ \t]?\.(?=[ \t$])")
_APART = SENTENCES | {"generic/positional", "generic/signing-call", "generic/option", "generic/setting", "generic/typed", "generic/entered", "generic/value-first", "generic/serialized"}
"""Rules that have looked themselves at what stands between name and value."""

_ARN = re.compile(rb"\barn:[a-z-]{2,20}:secretsmanager:(?:[^:\s\"']{0,60}:){0,3}\Z")
_FINGERPRINT = re.compile(rb"(?:0x)?[0-9A-F]{40}\Z|(?:[0-9A-F]{4} ){5} ?(?:[0-9A-F]{4} ){4}[0-9A-F]{4}\Z")
_PGP = re.compile(rb"gpg|pgp|gnupg|key-?(?:id|ring|server)|recv|fingerprint|signed")
_HASH_CONTEXT = re.compile(
    rb"(?i:md5|sha\d|sha_?\d|checksum|digest|fingerprint|etag|integrity|revision|commit|blob|hash)(?!\w*salt)"
)


def hash_or_id(context: Context) -> Signal | None:
    """Hexadecimal digits near a word for a digest."""
    if HEX.match(context.value) and _HASH_CONTEXT.search(context.before):
        return Signal("hash", -40, "a digest")
    if b"aws4_request" in context.value:
        return Signal("hash", -60, "the scope of a signature")
    if context.before.startswith(b'{"keyward-baseline"') and context.before.endswith(b'"salt": "'):
        return Signal("hash", -60, "the salt of a baseline")
    if context.before.endswith(b":") and _ARN.search(context.before):
        return Signal("reference", -60, "the name of a secret in AWS")
    if _FINGERPRINT.match(context.value) and strength(context) == WEAK and _PGP.search(context.before.lower()):
        return Signal("hash", -40, "the fingerprint of a key")
    if re.match(rb"\*[0-9A-F]{40}\Z|(?:sha\d{1,3}|md5)[:-]|\$(?:2[aby]|apr1|argon2|5|6|y)\$|pbkdf2|scrypt[:$]|\{SS?HA", context.value):
        return Signal("hash", -40, "a digest")
    return None


def bare_in_code(context: Context) -> Signal | None:
    """Without quotes, in a program, a value is a name or a call."""
    if context.candidate.rule.id in ("generic/in-reference", "generic/query"):  # a URL is always within quotes, or in a comment
        return None
    if is_code(context.path) and not context.before.endswith((b'"', b"'", b"`")) and not context.after.startswith((b'"', b"'")):
        return Signal("bare", -40, "not quoted, in program code")
    return None


def prose_around(context: Context) -> Signal | None:
    """The line goes on after a bare value, or a sentence stands before it."""
    if context.candidate.rule.id in SENTENCES:
        return None
    quoted = context.before.endswith((b'"', b"'", b"`", b">"))
    given = context.before.endswith(b"=") and not context.before.endswith(b" =")
    if not quoted and not given and re.match(rb"[ \t]+[A-Za-z]{2,}[ ,.]", context.after):
        return Signal("prose", -20, "stands in a sentence")
    return (
        Signal("prose", -15, "stands in a sentence")
        if not is_code(context.path) and re.search(rb"(?:[a-z]{2,} ){4}", context.before)
        else None
    )


def loosely_joined(context: Context) -> Signal | None:
    """Only a space between name and value is how sentences are made (`pass `name` to the caller`), but for some commands and languages; and
    only a comma is how lists are made, but where the two are all there is: `define('DB_PASS', '…')`."""
    before = context.before
    if not before.endswith((b'"', b"'", b"`")) or context.candidate.rule.id in _APART:
        return None
    beside = before[:-1].rstrip(b"rbufNL@").rstrip(b" \t")
    if not beside:  # the value begins its line, so the rule found the name on the one before
        return None
    if beside.endswith(b","):
        if beside[:-1].rstrip(b" \t").endswith((b'"', b"'", b"`")) and not _BY_COMMA.search(before[-120:]):
            return Signal("list", -35, "in a list with the name")
    elif before[-2:-1] in b" \t" and not beside.endswith(_OPERATORS) and not _BY_SPACE.search(before[-120:]):
        return Signal("prose", -40, "beside the name, not given to it")
    return None


def elsewhere_on_line(context: Context) -> Signal | None:
    """What a line speaks of and what stands out in it belong together where people write, not in programs and settings."""
    if context.candidate.rule.id != "generic/spoken-of" or is_written(context.path):
        return None
    return Signal("apart", -30, "stands apart from the name, in no text that people write")


def test_result(context: Context) -> Signal | None:
    """`PASS: name of a test`: what test runners print."""
    return (
        Signal("test result", -70, "the result of a test")
        if b"PASS" in context.before and _RESULT.search(context.before)
        else None
    )


def same_on_line(context: Context) -> Signal | None:
    """The value stands a second time on its line, as user name, host or database mostly."""
    value = context.value
    if len(value) < 4 or (value not in context.before and value not in context.after):
        return None
    return Signal("repeated", -20, "stands on the line twice") if not is_random(value) else None


def example_around(context: Context) -> Signal | None:
    """The line calls it an example."""
    return (
        Signal("example", -15, "called an example")
        if _EXAMPLE.search(context.before.lower()) or _EXAMPLE.search(context.after.lower())
        else None
    )


def schema_around(context: Context) -> Signal | None:
    """The line describes a field: its type, its length, its label, its translation."""
    if is_random(context.value) or context.path.endswith((".ics", ".vcf")):  # in which people write what they call a description
        return None
    found = _DESCRIPTION.search(context.before.lower()) or _DESCRIPTION.search(context.after.lower())
    return Signal("schema", -25, "the line describes a field") if found else None


def test_around(context: Context) -> Signal | None:
    """The line is a test's: it compares, or it sets up a pretence."""
    return Signal("test", -5, "a line of a test") if _TESTING.search(context.before.lower()) else None


def concatenated(context: Context) -> Signal | None:
    """`"Bearer " + token`: the quoted text is a piece of something longer."""
    joined = _JOINED.match(context.after) is not None
    return Signal("piece", -15, "a piece of a longer text") if joined and not is_random(context.value) else None
