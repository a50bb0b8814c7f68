"""What the characters of a value say: how random they are, how much they read as words. Pure functions of bytes."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from itertools import pairwise

_remembered = lru_cache(maxsize=512)
"""Several signals ask the same of one value, and the same few values stand in thousands of places."""

_PAIRS = (
    "ANROAELANAITQSANAUQVJHFEIATJMJTECARMAWIFRKAPQISAAANBTAKETDATNARPGCXDAOJTNCAAGARIINZICAXAAMEGQEAMPJOEAAFA"
    "PEQUKLHAEAAOMTDLEVUQAIGNDAQCHJTSAAYAAPDGUHARNMPAAAIAOCGEZFMPSAANIQNGASQIOEBABCXACGYBCAUACIIHVAAOJOLAAAGA"
    "MKQMMKMAAAAQOYRKAMRSAKAHAKUBNGXACEOAMGAFWKAHMHXAADEAPEGJ[KLBUAAPANKIAGUJIANAGATBFMXEAAWABSBFTGABNNLCAARA"
    "WMBIYBAATACINCSTAANHMAAADARARSTLVAPAIHCIOFACSVJJAADAGKPQBIJAHAIPQXMPAVOOQKMCAAVAFGVGBHPADSBCTOAVMQMACALA"
    "GABHDCAABAAKAMDFAJNF^AAAAATDLKYGKATAHIMKSHAMRPJFCAKAMAOEWFEPTAGKFENPBERXQBEAKASALGXFAQWAAKGDQHASPMLAEAMA"
    "MPNIOLJANAASQWIQATSTAAAAAAWCHA]FAAVAAAGGNCADJBABAAAAWEIMUHAQVAAKBQSEASQFAAGCAAPKSMUPAHSAALKDHVAIKXDCAJKC"
    "HKMLQJHEQAAMQSMWAKUTEHKCBGSAFG]IAEUAAGFEQFAFIHEACAGH"
)
"""For each pair of letters, row by row, how much oftener it stands in words than chance would have it; `N` is as often. Made by
`benchmarks/letters.py` from the standard library of Python and the manuals of git and cmake."""

_BITS = {(97 + row, 97 + column): (ord(_PAIRS[26 * row + column]) - ord("N")) / 4 for row in range(26) for column in range(26)}

HEX = re.compile(rb"(?:0x)?[0-9a-fA-F]+\Z")
UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
PIECES = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
"""The words of a name or value: `getURLPath2` is get, URL, Path, 2."""

_PHRASE = re.compile(rb"[A-Za-z]?[a-z]*(?:[-_. ][A-Za-z]?[a-z]*)+(?:[-_. ]?[0-9]{1,4})?\Z")
"""Words joined by marks, with a number or without: `not-it-at-all-5`."""

READS = 0.35
"""Bits per pair from which on letters read as a word. Of words of English programs 95 % are above, of eight random letters 2 %."""

UNREADABLE = -0.8
"""Bits per pair below which letters make no word of any language, nor what programs call things by."""

_ROWS = (
    b"12345678901",
    b"qwertyuiop",
    b"asdfghjkl",
    b"zxcvbnm",
    b"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik",
    b"abcdefghijklmnopqrstuvwxyz",
)
_IN_A_ROW = frozenset(each for line in _ROWS for row in (line, line[::-1]) for each in zip(row, row[1:], row[2:]))
_LOWER, _UPPER, _DIGITS = (bytes(range(*ends)) for ends in ((97, 123), (65, 91), (48, 58)))
_CLASS = bytes(97 if c in _LOWER else 65 if c in _UPPER else 48 if c in _DIGITS else 45 for c in range(256))
_RUNS = re.compile(rb"a+|A+|0+|-+")
_BITS_OF = [0.0, *(count * math.log2(count) for count in range(1, 1025))]


@_remembered
def entropy(value: bytes) -> float:
    """Shannon entropy in bits per character of the first 1,024."""
    value = value[:1024]
    return math.log2(len(value)) - sum(map(_BITS_OF.__getitem__, map(value.count, set(value)))) / len(value) if value else 0.0


@_remembered
def fluency(value: bytes) -> float:
    """How much the letters read as words: the mean over all pairs inside a word of the bits by which the pair is commoner there than by
    chance. Words of most languages in Latin letters lie between 0.5 and 2, random letters about -1. Without a pair it is 0."""
    total = count = 0.0
    for word in PIECES.findall(value):
        if not word.isdigit():
            word = word.lower()
            total += sum(map(_BITS.__getitem__, pairwise(word)))
            count += len(word) - 1
    return total / count if count else 0.0


@_remembered
def classes(value: bytes) -> int:
    """How many of lower case, upper case, digits and others occur."""
    return len(set(value.translate(_CLASS)))


@_remembered
def transitions(value: bytes) -> float:
    """How often the class of the character changes from one to the next, per character; random text changes often."""
    return (len(_RUNS.findall(value.translate(_CLASS))) - 1) / max(1, len(value) - 1) if value else 0.0


@_remembered
def digits(value: bytes) -> int:
    """How many digits there are."""
    return len(value) - len(value.translate(None, _DIGITS))


@_remembered
def humps(value: bytes) -> float:
    """How many letters a stretch of letters of one word has on average: random text of both cases has about two, names five."""
    found = [len(word) for word in PIECES.findall(value) if not word.isdigit()]
    return sum(found) / len(found) if found else 0.0


@_remembered
def word_share(value: bytes) -> float:
    """The share of the value that belongs to words of three letters or more."""
    inside = sum(
        len(word) for word in PIECES.findall(value) if len(word) >= 3 and not word.isdigit() and fluency(word) >= READS
    )
    return inside / len(value) if value else 0.0


@_remembered
def is_random(value: bytes) -> bool:
    """Whether 16 characters or more look drawn by a machine: no words, digits among letters, no character too often."""
    if len(value) < 16 or UUID.match(value) or walk(value) >= 0.5:
        return False
    if HEX.match(value):
        return entropy(value) >= 3.0 and 0 < digits(value) < len(value)
    if not digits(value):
        return entropy(value) >= 3.4 and (
            fluency(value) < -0.25 or (fluency(value) < 0.3 and humps(value) < 3 and transitions(value) > 0.25)
        )
    if entropy(value) < 3.3 or word_share(value) >= 0.5:
        return False
    return fluency(value) < -0.2 or transitions(value) > 0.22 or digits(value) >= len(value) // 6


@_remembered
def is_drawn(value: bytes) -> bool:
    """Whether a value of 6 to 40 characters that is too short to be called random looks drawn all the same: it holds no word to speak of."""
    if is_random(value) or not 6 <= len(value) <= 40 or UUID.match(value) or entropy(value) < 2:
        return False
    if _PHRASE.match(value) and fluency(value) > -0.5:
        return False
    count = digits(value)
    if not count:
        if len(value) < 8:
            return value.isalpha() and fluency(value) < UNREADABLE
        if not value.isalpha():
            return word_share(value) < 0.4 and (
                fluency(value) < UNREADABLE or (fluency(value) < 0.2 and humps(value) < 3.5)
            )
        return fluency(value) < -0.25 or (fluency(value) < 0.5 and humps(value) < 2.8 and classes(value) > 1)
    if count == len(value):
        return False
    if len(value) - count >= 5 and fluency(value) < UNREADABLE:
        return True
    return word_share(value) < 0.4 and transitions(value) >= (0.12 if classes(value) > 2 else 0.25)


@_remembered
def walk(value: bytes) -> float:
    """The share of three neighbours that stand in a row on the keyboard, in the alphabet, or among the digits (`qwer1234`, `1qaz2wsx`)."""
    lowered = value.lower()
    count = len(lowered) - 2
    return sum(map(_IN_A_ROW.__contains__, zip(lowered, lowered[1:], lowered[2:]))) / count if count > 0 else 0.0
