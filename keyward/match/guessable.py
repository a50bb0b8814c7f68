"""Whether a person might have chosen a value: a pure function of the value alone, the same for ever.

A fingerprint of such a value must be slow to compute, or whoever reads a report could try a dictionary against it. The
answer picks the hash, so changing it changes fingerprints: `tests/match/test_guessable.py` pins it with a digest over
thousands of values. When it must change, the fingerprint's version (`kw1_`) changes with it.

The rule leans to "guessable", which costs time and nothing else. `is_guessable` states it exactly.
"""

from __future__ import annotations

import binascii

WINDOW = 24
"""Bytes that are looked at together. A shorter value is always guessable."""

LOOKED_AT = 512
"""Only so many bytes of a value are looked at."""

STEP = 4
"""Windows begin at every fourth byte, and one ends at the last byte looked at."""

TEXT_THRESHOLD = 0
HEX_THRESHOLD = 18

# Neighbouring letters that make up 80 % of all pairs in English words, names and common passwords, weighted by use.
_FOLLOWERS = {
    "a": "bcdgilmnrstuy", "b": "aeor", "c": "aehiko", "d": "aeior", "e": "acdelmnrstvy", "f": "eior", "g": "aeo",
    "h": "aeio", "i": "acdeglmnorst", "j": "aeo", "k": "aei", "l": "adeiloy", "m": "aeio", "n": "acdeginost",
    "o": "lmnoprstuw", "p": "aehor", "r": "adeilorsty", "s": "aehiostu", "t": "aehiorty", "u": "lnrst", "v": "ei",
    "w": "aeio",
}  # fmt: skip
_COMMON = frozenset(ord(a) << 8 | ord(b) for a, followers in _FOLLOWERS.items() for b in followers)
_LEET = (bytes.maketrans(b"0134578", b"oieastb"), bytes.maketrans(b"0134578", b"oleastb"))
_ROWS = (b"1234567890-=", b"qwertyuiop[]", b"asdfghjkl;'", b"zxcvbnm,./")
_HEX = (frozenset(b"0123456789abcdef"), frozenset(b"0123456789ABCDEF"))
_DIGITS = frozenset(b"0123456789")
_ALNUM = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyz")
_PRINTABLE = frozenset(range(0x20, 0x7F)) | frozenset(b"\t\r\n")


def _keyboard() -> frozenset[int]:
    """Pairs of keys that touch on a US keyboard: beside each other, or one row below, at the same place or one to the left."""
    pairs: set[int] = set()
    for y, row in enumerate(_ROWS):
        for x, key in enumerate(row):
            for dy, dx in ((0, 1), (1, 0), (1, -1)):
                if y + dy < len(_ROWS) and 0 <= x + dx < len(_ROWS[y + dy]):
                    other = _ROWS[y + dy][x + dx]
                    pairs.update((key << 8 | other, other << 8 | key))
    return frozenset(pairs)


_KEYBOARD = _keyboard()


def is_guessable(value: bytes) -> bool:
    """Whether a person might have chosen the value. The rule, exactly:

    1. A value of fewer than 24 bytes is guessable.
    2. A value that is hex, or base64 in either alphabet, padded or not, of nothing but printable ASCII is guessable.
    3. Of the first 512 bytes, windows of 24 bytes are scored: one at every fourth byte from the first, and the last one. If
       any scores 0 or more, the value is random. The score is the sum over the window's 23 pairs of neighbours, compared
       without regard to case; the first line that fits counts:
         a byte that is neither an ASCII letter nor a digit                                                  -1
         the pair stands earlier in the window                                                               -4
         the two are the same or next to each other in ASCII, or each so to the byte two before it           -2
         two digits                                                                                          -3
         two letters that are common neighbours (`_FOLLOWERS`): same case -3, lower to upper +1, upper to lower  0
         two letters whose keys touch on a US keyboard                                                       -2
         two other letters: same case +1, different case                                                     +5
         a letter and a digit whose keys touch                                                               -2
         a letter and a digit that are common neighbours if read 0=o 1=i or l 3=e 4=a 5=s 7=t 8=b            -1
         another letter and digit                                                                            +4
    4. With all hyphens removed, stretches of lower-case (or of upper-case) hex digits are scored in the same windows. If any
       scores 18 or more, the value is random. A letter beside a digit counts 2; two digits or two letters count 1; a pair
       that stands earlier in the window, is a sequence as above, or is two letters that are common neighbours counts 0.
    5. Any other value is guessable.
    """
    if len(value) < WINDOW or _encodes_text(value):
        return True
    looked_at = value[:LOOKED_AT]
    if any(_text_score(looked_at[at : at + WINDOW]) >= TEXT_THRESHOLD for at in _windows(len(looked_at))):
        return False
    return not any(
        _hex_score(run[at : at + WINDOW]) >= HEX_THRESHOLD
        for run in _hex_runs(looked_at.replace(b"-", b""))
        for at in _windows(len(run))
    )


def _windows(size: int) -> list[int]:
    last = size - WINDOW
    return [*range(0, last, STEP), last]


def _encodes_text(value: bytes) -> bool:
    for decode in (_from_hex, _from_base64):
        try:
            decoded = decode(value)
        except (binascii.Error, ValueError):
            continue
        if decoded and _PRINTABLE.issuperset(decoded):
            return True
    return False


def _from_hex(value: bytes) -> bytes:
    return binascii.unhexlify(value)


def _from_base64(value: bytes) -> bytes:
    body = value.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    return binascii.a2b_base64(body + b"=" * (-len(body) % 4), strict_mode=True)


def _is_sequence(s: bytes, i: int) -> bool:
    if -2 < s[i] - s[i - 1] < 2:
        return True
    return i >= 3 and -2 < s[i] - s[i - 2] < 2 and -2 < s[i - 1] - s[i - 3] < 2


def _text_score(window: bytes) -> int:
    s = window.lower()
    plain = [s.translate(table) for table in _LEET]
    seen: set[int] = set()
    score = 0
    for i in range(1, len(s)):
        a, b = s[i - 1], s[i]
        pair = a << 8 | b
        if a not in _ALNUM or b not in _ALNUM:
            score -= 1
        elif pair in seen:
            score -= 4
        elif _is_sequence(s, i):
            score -= 2
        elif a in _DIGITS and b in _DIGITS:
            score -= 3
        elif a in _DIGITS or b in _DIGITS:
            if pair in _KEYBOARD:
                score -= 2
            elif any(p[i - 1] << 8 | p[i] in _COMMON for p in plain):
                score -= 1
            else:
                score += 4
        else:
            upper_a, upper_b = window[i - 1] != a, window[i] != b
            if pair in _COMMON:
                score += -3 if upper_a == upper_b else 1 if upper_b else 0
            elif pair in _KEYBOARD:
                score -= 2
            else:
                score += 1 if upper_a == upper_b else 5
        seen.add(pair)
    return score


def _hex_runs(value: bytes) -> list[bytes]:
    """The stretches of at least 24 hex digits of one case."""
    runs = []
    for alphabet in _HEX:
        start = 0
        for at, byte in enumerate(value + b"\0"):
            if byte not in alphabet:
                if at - start >= WINDOW:
                    runs.append(value[start:at])
                start = at + 1
    return runs


def _hex_score(window: bytes) -> int:
    s = window.lower()
    seen: set[int] = set()
    score = 0
    for i in range(1, len(s)):
        pair = s[i - 1] << 8 | s[i]
        if pair not in seen and pair not in _COMMON and not _is_sequence(s, i):
            score += 1 if (s[i - 1] in _DIGITS) == (s[i] in _DIGITS) else 2
        seen.add(pair)
    return score
