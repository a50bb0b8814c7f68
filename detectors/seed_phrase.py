"""Seed phrases of wallets (BIP-39).

What it is: 12, 15, 18, 21 or 24 words of a list of 2,048; the last bits are a checksum (SHA-256 of the others), which is
  computed. The English list is known; phrases in other languages are not found.
Where it is used: `MNEMONIC`, `SEED_PHRASE` in `.env` beside `hardhat.config.js`, wallets' exports, notes of the words one by one.
What an attacker can do: make every key of the wallet from it, and spend what lies on all its addresses; nobody can undo it.
How to replace it: make a new wallet on another machine, and move the funds of every address there.
References: https://github.com/bitcoin/bips/blob/master/bip-0039.mediawiki
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from keyward.plugin import Kind, Parts, Rule, Signal, checksum
from keyward.plugin.shapes import Piece, Shape, assigned, json_member, part, raw, text

from ._bip39 import WORDS
from ._cloud import credential

PHRASE = Kind("wallet/seed-phrase")

_LETTERS = re.compile(rb"[A-Za-z]+")
_SOURCE = "https://github.com/bitcoin/bips/blob/master/bip-0039.mediawiki"


def _words(value: bytes) -> list[bytes]:
    """The words of a phrase, however they are joined or numbered."""
    return [word.lower() for word in _LETTERS.findall(value)]


def _canonical(value: bytes) -> bytes:
    return b" ".join(_words(value))


KINDS = (
    credential(
        PHRASE,
        "Seed phrase of a wallet",
        "critical",
        "https://ethereum.org/en/security/",
        "Make a new wallet on a machine that never saw the old phrase.",
        "Move the funds of every address there, the most valuable first.",
        "Hand over contracts and roles that belong to the old addresses.",
        see=_SOURCE,
        canonical=_canonical,
    ),
)

_PUBLISHED = frozenset(
    b"341c225b b12ee277 d6da54d1 6d828deb cc95a8a1 30452ba5 b2e71100 b8ae5c99 0f388b04 b1bff22a 867f9f59 "  # the test vectors of BIP-39
    b"b83e9641 9c5d0a66 dcda1ddf 82733d2a eaeed9f4 56f3377c c98600f1 e5d51a6b 510e237c "  # Ganache, 0x, Truffle, tests of wallets
    b"d16d608f 5de3742a".split()  # Substrate's development accounts, the manual of ethers
)
"""The beginnings of the SHA-256 of phrases that everybody knows."""


@lru_cache(maxsize=1)
def _places() -> dict[bytes, int]:
    return {word: place for place, word in enumerate(WORDS)}


def entropy_of(words: list[bytes]) -> bytes | None:
    """What the words stand for; None where the checksum does not hold. Raises KeyError for a word that is not in the list."""
    bits = 0
    for word in words:
        bits = bits << 11 | _places()[word]
    check = len(words) // 3
    entropy = (bits >> check).to_bytes(len(words) * 4 // 3, "big")
    return entropy if hashlib.sha256(entropy).digest()[0] >> (8 - check) == bits & ((1 << check) - 1) else None


def phrase_of(entropy: bytes) -> bytes:
    """The phrase of 16, 20, 24, 28 or 32 bytes."""
    check = len(entropy) // 4
    bits = int.from_bytes(entropy, "big") << check | hashlib.sha256(entropy).digest()[0] >> (8 - check)
    count = check * 3
    return b" ".join(WORDS[bits >> 11 * (count - 1 - at) & 2047] for at in range(count))


def _judge(parts: Parts) -> Signal:
    """English text is ruled out by the list, which knows no forms of words and few of the commonest."""
    words = _words(parts["secret"])
    if any(word not in _places() for word in words):
        return Signal("structure", -100, "a word that is not in the list")
    entropy = entropy_of(words)
    if entropy is None:
        return Signal("checksum", -45, "the checksum of BIP-39 fails")
    digest = hashlib.sha256(b" ".join(words)).hexdigest().encode()
    if len(set(words)) <= 3 or len(set(entropy)) <= 2 or digest[:8] in _PUBLISHED:
        return Signal("published sample", -100, "a phrase of documentation or of a development chain")
    return checksum(True, "BIP-39")


_W = rb"[A-Za-z]{3,8}"
_SPACE = rb"(?: {1,3}|, ?|-)"


def _joined(separator: bytes, end: bytes) -> bytes:
    """12, 15, 18, 21 or 24 words."""
    return _W + rb"(?:" + separator + _W + rb"){11}(?:(?:" + separator + _W + rb"){3}){0,4}" + end


_NUMBER = rb"[0-9]{1,2}[.):]{0,2}[ \t]{1,3}"
_INDENT = rb"(?: {4}|\t){0,6} {0,3}"
_STYLES = b"|".join(
    (
        # on one line; one on each line; a list of strings; 1. … 2. …; wrapped, or put together of strings
        _joined(_SPACE, rb"(?!" + _SPACE + rb"?[A-Za-z])"),
        _joined(
            rb"[,;]?[ \t]{0,3}\r?\n" + _INDENT + rb"(?:[>*-] ?)?(?:" + _NUMBER + rb")?", rb"(?=[,;]?[ \t]{0,3}(?:[\r\n]|\Z))"
        ),
        _joined(rb"\\?[\"'`][ \t]{0,2},(?:\r?\n|[ \t])?" + _INDENT + rb"\\?[\"'`]", rb"(?=\\?[\"'`])"),
        _joined(rb"[,;]? {1,3}[0-9]{1,2}[.):]{1,2} {0,3}", rb"(?![A-Za-z]| [A-Za-z])"),
        _joined(
            rb"(?: {1,3}| ?(?:[\"'`][ \t]{0,2}\+?|\\)?[ \t]{0,2}\r?\n" + _INDENT + rb"(?:\+ ?)?[\"'`]? ?)",
            rb"(?=[\"'`]| ?[^A-Za-z ]| ?\Z)",
        ),
    )
)
_BETWEEN = rb"[\s,;>*0-9.):\"'`\\+-]"
"""What stands between two words in any of the styles. Calls, assignments and markup have other signs as well."""

_NAMES = (
    rb"(?i:mnemonic|seed[ _.-]?(?:phrase|words)|(?:recovery|secret|backup|wallet)[ _.-]?(?:recovery[ _.-]?)?(?:phrase|words|seed)|bip-?39|hdwallet|fromphrase|"
    rb"(?:seed|phrase|words|metamask|ledger|trezor|wallet)[\"'\]]{0,2}(?:: ?&?[a-z]{3,6})? {0,3}[=:]|\xe5\x8a\xa9\xe8\xae\xb0\xe8\xaf\x8d)"
)
"""The last is Chinese for the same."""

_GIVEN = (
    rb"[A-Za-z0-9_]{0,24}(?:[^\n]{0,60}?[=:(\"'`>\[{,|)\x9a]|[\"']?,?\s{1,24}[\"']?(?i:value)[\"']? ?[:=]|[^\n]{0,60}\n(?:[^\n]{0,60}?[,;\t|])??|[ \t])"
    rb"[\s\"'`>\[({\\*#-]{0,24}(?:" + _NUMBER + rb"[\"'`]?)?"
)
"""Between the name and the phrase: a sign of assignment, `value:` on the next line, the end of a heading, the columns before it. (`\x9a` ends a wide colon.)"""


def _phrase(count: int = 12, between: bytes = b" ") -> Shape:
    return raw(count * 4 // 3).map(phrase_of).map(lambda phrase: phrase.replace(b" ", between))


def _numbered(count: int, form: str) -> Shape:
    """The words with their numbers, but for the first one's."""

    def number(phrase: bytes) -> bytes:
        words = phrase.decode().split()
        return "".join([words[0], *(form.format(at) + word for at, word in enumerate(words[1:], 2))]).encode()

    return _phrase(count).map(number)


def _last_word(change: Piece) -> Shape:
    """Eleven words and another one."""
    return _phrase().map(lambda phrase: phrase.rpartition(b" ")[0] + b" ") + change


def _wrong_checksum() -> Shape:
    """The last word is another one whose bits of the checksum are others."""
    return _phrase().map(lambda phrase: phrase.rpartition(b" ")[0] + b" " + WORDS[_places()[phrase.split()[-1]] ^ 1])


RULES = (
    Rule(
        "wallet/seed-phrase",
        PHRASE,
        _NAMES + _GIVEN + rb"(?<![A-Za-z])(?P<secret>" + _STYLES + rb")",
        anchor=_NAMES + rb"[A-Za-z0-9_]{0,24}(?:[^\n]{0,60}[=:(\"'`>\[{,|)\x9a\n]|[\"']?,?\s{1,24}[\"']?(?i:value)[\"']? ?[:=]|[^\n]{0,60}\n[^\n]{0,60}[,;\t|]|[ \t])"
        + rb"[\s\"'`>\[({\\*#.:)0-9-]{0,30}"
        + _W + rb"(?:" + _BETWEEN + rb"{1,30}" + _W + rb"){9}" + _BETWEEN + rb"{1,30}[A-Za-z]{3}",
        score=60,
        check=_judge,
        placeholders=False,  # `sample`, `fake` and `example` are words of the list
        window=900,
        examples=(
            assigned("MNEMONIC", _phrase(12)),
            assigned("SEED_PHRASE", _phrase(24), form='{name}="{value}"\n'),
            json_member("mnemonic", _phrase(15)),
            assigned("mnemonic", _phrase(18), form='const {name}: string = "{value}";\n'),
            assigned("seedPhrase", _phrase(21, b'", "'), form='  "{name}": ["{value}"],\n'),
            assigned("Recovery phrase", _numbered(12, "\n{}. "), form="## {name}\n\n1. {value}\n\nKeep it safe.\n"),
            assigned("Seed words", _numbered(24, " {}. "), form="{name}: 1. {value}\n"),
            assigned("wallet", _phrase(12, b"\n"), form="my {name}:\n{value}\n"),
            assigned("words", _phrase(12, b",\n  "), form="{name}:\n  {value}\n"),
            text('wallet = Wallet.fromMnemonic("', part("secret", _phrase(12)), '");\n'),
            text("ganache --mnemonic ", part("secret", _phrase(12)), " --accounts 10\n"),
        ),
        near_misses=(
            assigned("MNEMONIC", _wrong_checksum()),
            assigned("MNEMONIC", _phrase().map(lambda phrase: phrase.rpartition(b" ")[0])),
            assigned("MNEMONIC", _last_word("keyward")),
            assigned("MNEMONIC", " ".join(["abandon"] * 11 + ["about"])),
            assigned("MNEMONIC", " ".join(["test"] * 11 + ["junk"])),
            assigned("MNEMONIC", raw(1).map(lambda byte: phrase_of(byte * 16))),
            assigned("COLOURS_OF_TEXT", _phrase(12)),
            text("A mnemonic is easy: every word that people learn with another word will stay longer where both rhyme\n"),
        ),
    ),
)  # fmt: skip
