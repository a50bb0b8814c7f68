"""What the value itself says: of what form it is, and whether that form is ever a credential."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from keyward.match.signals.name import MENTIONING, PASSWORD, SECRET, WEAK, is_own_word, strength
from keyward.model.finding import Signal
from keyward.plugin.letters import (
    PIECES,
    READS,
    UNREADABLE,
    UUID,
    classes,
    digits,
    entropy,
    fluency,
    is_drawn,
    is_random,
    transitions,
    walk,
    word_share,
)

if TYPE_CHECKING:
    from keyward.match.judge import Context

PHRASES = "generic/passphrase"
"""The rule for values of several words, which have signals of their own (`signals.phrase`)."""

_TYPES = frozenset(
    b"string str bytes bytearray int integer number float bool boolean object array list dict none null nil undefined true false "
    b"optional required any void char varchar text json password secret token required! string! optional[str] textfield "
    b"charfield passwordfield securestring secretstr required? string? enabled disabled unknown default inherit inherited".split()
)
_PATH = re.compile(
    rb"(?:[a-zA-Z]:[\\/]|~?/|\.{1,2}/)|.*\.(?:py|js|ts|json|ya?ml|txt|pem|key|crt|cer|p12|jks|html?|xml|conf|cfg|env|md|sh|go|rb|java|php|log|toml|ini|css|svg|png)\Z",
    re.DOTALL,
)
_SLUGS = re.compile(rb"[a-z]+(?:[-_.][a-z]+|[-_.][0-9]{1,4})*(?:/[a-z]+(?:[-_.][a-z]+|[-_.][0-9]{1,4})*)+\Z")
_URL = re.compile(rb"[a-zA-Z][a-zA-Z0-9+.-]{1,20}:(?://|[a-z])")
_NUMBERS = re.compile(rb"0x[0-9a-fA-F]{1,12}\Z|v?\d+\Z|v?\d+(?:[.:/_-]\d+)+(?:[TZz+ .:-][\dA-Za-z.:+-]{0,20})?\Z")
_CHOSEN_DIGITS = re.compile(rb"(?!(?:19|20)[0-9]{2}[01][0-9])[0-9]{6,20}\Z")
_PACKAGE = re.compile(rb"[=~^<>!]{1,2}v?\d+(?:\.\d+)+[\w.*-]{0,12}\Z|[A-Za-z][A-Za-z0-9_.]*(?:-[A-Za-z][A-Za-z0-9_.]*)*[-@:=]{1,2}v?\d+\.\d+(?:\.\d+)?(?:[-.][A-Za-z]{1,12}\d{0,3})?\Z")
_ACCOUNT = re.compile(rb"\d{1,6}:\d{1,6}:[^:]{0,40}:/[\w./-]*(?::|\Z)")
"""User, group and home, as a file of accounts has them behind the password."""

_MAIL = re.compile(rb"[\w.+-]+@[\w-]+(?:\.[\w-]+)+\Z")
_DOTTED = re.compile(rb"\$?[A-Za-z_][A-Za-z0-9_]*(?:(?:\.|::|->|\?\.)[A-Za-z_][A-Za-z0-9_]*)+\Z")
_MARKUP = re.compile(
    rb"%[sdrv(]|\{\}|\{\w*\}|<\w|</|\[\^|\\[dws]|\(\?|&[a-z]+;|^[#.*:\[][\w-]+$|^\(|\$\w+\b.*\$\w|\.\.\.|^[^\w]{3,}$|\w\(|^\w+(?:\|[\w:,]+)+$|^--?[A-Za-z][A-Za-z-]*(?:=|$)|^@[A-Za-z_]+$|\|\||\$[A-Z_]{3,}|^[A-Za-z_]\w*=(?:True|False|None|\d+)$"
)
_CIPHERS = re.compile(rb"[!+@-]?[A-Za-z0-9_+=-]+(?::[!+@-]?[A-Za-z0-9_+=-]+)+\Z")
_CIPHER = re.compile(rb"(?<![A-Za-z0-9])a?e?(?i:NULL|HIGH|MEDIUM|LOW|EXP(?:ORT)?|RC4|MD5|3?DES|AES(?:128|256)?|SHA(?:1|256|384)?|ECDHE|DHE|PSK|STRENGTH)(?![A-Za-z0-9])")
_SYNTAX = re.compile(rb"&[A-Za-z_]{2,20}=|\(\?|\[[a-zA-Z]-[a-zA-Z]|\]\{|\]\+|\$\{|\{\{|^(?:varint|bytes|fixed\d\d|group),\d+,|#\{")
_RANGE = re.compile(rb"://|[A-Za-z0-9]-[A-Za-z0-9]|\\[A-Za-z]")
_PLAIN = bytes(range(48, 58)) + bytes(range(65, 91)) + bytes(range(97, 123)) + b"-_"
_STRONG_MARKS = re.compile(rb"[!@#$%^*~+?]")
_JOINED_WORDS = re.compile(rb"[A-Za-z]{2,}[-_./:\\ ][A-Za-z]{2,}")
_NUMBERED = re.compile(rb"[a-z]+[0-9]\Z|[a-z]+(?:[A-Z][a-z]+)*[0-9][A-Z][a-z]+\Z")
_CONSTANT = re.compile(rb"[A-Z]+(?:_[A-Z]+)*_[0-9]{1,4}\Z")
_CAMEL = re.compile(rb"[a-z]+(?:[A-Z][a-z]+)+\d{0,2}\Z|[A-Z][a-z]+(?:[A-Z][a-z]+){2,}\d{0,2}\Z")
_SUITE = re.compile(rb"[A-Za-z0-9]{1,12}(?:[-_][A-Za-z0-9]{1,12}){1,9}\Z")
_CRYPTOGRAPHY = re.compile(
    rb"(?:\A|[-_])(?i:aes|sha|cbc|gcm|ccm|rsa|dsa|des|tls|ssl|md5|hmac|ecdhe?|psk|rc4|camellia|chacha20|poly1305|aria)[0-9]{0,3}(?=[-_]|\Z)"
)
_ALGORITHM = re.compile(
    rb"(?i:(?:[a-z]{2,12}[-_/])?(?:aes|des|3des|rsa|dsa|ecdsa|ecdh|sha|hs|rs|es|ps|md|blake|ripemd|crc|utf|iso|base|ed|secp|prime|curve|chacha|poly|pkcs|tls|ssl|oauth|saml|http|ipv|"
    rb"latin|argon|hmac|gcm|cbc|p(?=256|384|521)|x(?=509|25519|448)|a(?=(?:128|192|256)(?:cbc|gcm|kw))|(?:bcrypt|scrypt|pbkdf|api|v)(?=[1-9]\Z))[-_]?\d{1,5}(?:[a-z]\d?|[bl]e|mb[34]|bit|ctr|crypt|sum|v\d|cbc|gcm|kw|gcmkw)?(?:[-_/][a-z0-9]{2,10}){0,4})\Z"
)


def random_token(context: Context) -> Signal | None:
    """A value that a machine has drawn. Its length is what tells it from a password."""
    value = context.value
    if not is_random(value) or (_is_path_of_names(value) and not _has_random_piece(value)):
        return None
    return Signal("random", 25 if len(value) >= 20 else 15, f"{entropy(value):.1f} bits per character")


def drawn_password(context: Context) -> Signal | None:
    """A shorter value that was drawn as well: there is no word in it."""
    value = context.value
    if not is_drawn(value) or _is_path_of_names(value):
        return None
    if not digits(value):
        if len(value) < 8:
            return Signal("drawn", 5 if strength(context) == PASSWORD else -20, "a few letters that make no word")
        return Signal("drawn", 15 if fluency(value) < UNREADABLE else 5, "letters that make no word")
    return Signal("drawn", 15 if len(value) >= 8 else 8, f"{classes(value)} classes of characters, no word")


def chosen_password(context: Context) -> Signal | None:
    """A word with a number or a mark: what people choose where a password is asked for, and a name of some sort elsewhere."""
    if not is_chosen(context.value) or context.candidate.rule.id in MENTIONING:
        return None
    kind = strength(context)
    if kind == PASSWORD:
        return Signal("chosen", 5, "a word with a number, as people choose them")
    return Signal("chosen", -15 if kind == SECRET else -35, "a word with a number")


@lru_cache(maxsize=512)
def is_chosen(value: bytes) -> bool:
    """Whether a value is a word or two with a number or a mark, and no identifier: `Name1998!`, not `name_of_1`."""
    if (
        is_random(value)
        or is_drawn(value)
        or not 6 <= len(value) <= 40
        or UUID.match(value)
        or _CAMEL.match(value)
        or _CONSTANT.match(value)
        or _ALGORITHM.match(value)
        or b" " in value  # which `signals.phrase` looks at
    ):
        return False
    marks = _STRONG_MARKS.search(value) is not None
    if not digits(value) and not (marks and classes(value) >= 3 and len(value) >= 8):
        return False
    if not marks and (_JOINED_WORDS.search(value) or (_NUMBERED.match(value) and not is_own_word(value))):
        return False
    words = [word for word in PIECES.findall(value) if len(word) > 1 and not word.isdigit()]
    return 0 < len(words) <= 3


def few_classes(context: Context) -> Signal | None:
    """Letters alone, or digits alone, are rarely a credential."""
    value = context.value
    if is_random(value) or is_drawn(value) or is_chosen(value) or UUID.match(value) or context.candidate.rule.id == PHRASES:
        return None
    if not digits(value):
        if strength(context) == PASSWORD and value.isalpha() and word_share(value) < 0.4:
            return Signal("letters only", -5, "letters that hardly read as words")
        return Signal("letters only", -25 if classes(value) < 3 or fluency(value) >= READS else -10)
    return Signal("few classes", -10) if classes(value) < 3 else None


def words(context: Context) -> Signal | None:
    """The value reads as words: an identifier, a phrase with dashes, a heading."""
    value = context.value
    if is_random(value) or is_drawn(value) or is_chosen(value) or context.candidate.rule.id == PHRASES:
        return None
    share = word_share(value)
    if share >= 0.7:
        return Signal("words", -35, "reads as words")
    return Signal("words", -15, "reads as words in part") if share >= 0.4 else None


def keyboard_walk(context: Context) -> Signal | None:
    """Keys or letters in a row: what one types to fill a field."""
    value = context.value
    if is_random(value) or UUID.match(value) or walk(value) < 0.5:
        return None
    return Signal("keyboard", -30, "keys or letters in a row")


def algorithm(context: Context) -> Signal | None:
    """The name of an algorithm, a protocol or an encoding, or of several joined (`ECDHE-PSK-AES256-CBC-SHA384`, `HIGH:!aNULL:!MD5`)."""
    value = context.value
    if b":" in value and _CIPHERS.match(value) and len(_CIPHER.findall(value)) > 1:
        return Signal("algorithm", -60, "a list of ciphers")
    if (_ALGORITHM.match(value) and not is_random(value)) or (_SUITE.match(value) and len(_CRYPTOGRAPHY.findall(value)) > 1):
        return Signal("algorithm", -60, "the name of an algorithm")
    return None


def uuid(context: Context) -> Signal | None:
    """Most UUIDs are ids; under a name for secrets they are what a server made as one."""
    if not UUID.match(context.value):
        return None
    return (
        Signal("uuid", -25, "a UUID, which is more often an id") if strength(context) == WEAK else Signal("uuid", 5, "a UUID")
    )


def low_entropy(context: Context) -> Signal | None:
    value = context.value
    least = min(2.4, 0.7 * math.log2(max(2, len(value))))
    return Signal("entropy", -25, f"{entropy(value):.1f} bits per character") if entropy(value) < least else None


def type_or_constant(context: Context) -> Signal | None:
    lowered = context.value.lower().rstrip(b",;")
    return Signal("type", -60, "a type or a constant") if lowered in _TYPES else None


def identifier(context: Context) -> Signal | None:
    """A dotted path, a reference in code: `settings.DB_PASSWORD`."""
    value = context.value
    if _is_path_of_names(value) and not _has_random_piece(value):
        return Signal("identifier", -40, "a path of names")
    return None


def _is_path_of_names(value: bytes) -> bool:
    return _DOTTED.match(value) is not None and fluency(value) >= UNREADABLE


def _has_random_piece(value: bytes) -> bool:
    return is_random(max(re.split(rb"\.|::|->", value), key=len))


def path_or_url(context: Context) -> Signal | None:
    value = context.value
    if value.isalnum():
        return None
    if (is_random(value) and value.endswith(b"=")) or is_tangled(value):
        return None
    if _URL.match(value):
        return Signal("url", -60, "a URL")
    if _PATH.match(value) and (value.count(b"/") + value.count(b"\\") >= 2 or not is_random(value)):
        return Signal("path", -45, "a path")
    if _SLUGS.match(value):
        return Signal("path", -45, "words between slashes")
    pieces = value.split(b"/")
    plain = sum(fluency(p) >= READS or len(p) < 4 for p in pieces)
    if len(pieces) > 1 and (plain == len(pieces) or (len(pieces) > 3 and plain >= 0.7 * len(pieces))):
        return Signal("path", -35, "words between slashes")
    return None


def number_or_date(context: Context) -> Signal | None:
    value = context.value
    if _ACCOUNT.match(value):
        return Signal("number", -60, "the fields of an account")
    if _PACKAGE.match(value):
        return Signal("number", -45, "a version, of a package")
    if _NUMBERS.match(value) and not is_random(value):
        if strength(context) == PASSWORD and _CHOSEN_DIGITS.match(value) and walk(value) < 0.5 and entropy(value) >= 1.5:
            return Signal("number", 15, "digits, as people choose them")
        return Signal("number", -45, "a number, version or date")
    return Signal("mail", -45, "a mail address") if _MAIL.match(value) else None


@lru_cache(maxsize=512)
def is_tangled(value: bytes) -> bool:
    """Whether letters of both cases, digits and several marks stand so mixed that no syntax makes them: a generator's password."""
    return (
        (is_random(value) or is_drawn(value))
        and classes(value) == 4
        and len(set(value.translate(None, _PLAIN))) >= 2
        and transitions(value) >= 0.4
        and not _RANGE.search(value)
    )


def markup(context: Context) -> Signal | None:
    """Templates, selectors, regular expressions, calls."""
    if context.value.isalnum() or is_tangled(context.value):
        return None
    if b"..." in context.value or b"\xe2\x80\xa6" in context.value:
        return Signal("markup", -60, "cut short")
    if _SYNTAX.search(context.value):
        return Signal("markup", -60, "an expression or a description of a field")
    found = _MARKUP.search(context.value)
    return Signal("markup", -40, "a template, selector, expression or call") if found and not is_random(context.value) else None
