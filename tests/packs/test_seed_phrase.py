"""Seed phrases in the places where people leave them; the list of words itself; what is no phrase."""

from __future__ import annotations

import hashlib
import time

import pytest
from keyward.detectors._bip39 import WORDS
from keyward.detectors.seed_phrase import PHRASE, entropy_of, phrase_of

from keyward.match.encoded.precedence import canonical
from keyward.match.matcher import Matcher
from keyward.match.personas import REGULAR


def drawn(seed: int, size: int = 16) -> bytes:
    return phrase_of(hashlib.shake_256(b"seed phrase %d" % seed).digest(size))


def shown(matcher: Matcher, text: bytes) -> list[bytes]:
    found = matcher.find(text)
    return [each.context.value for each in found if each.confidence >= REGULAR and each.candidate.rule.kind == PHRASE]


def test_the_list_is_that_of_the_standard() -> None:
    assert len(WORDS) == 2048
    digest = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
    assert hashlib.sha256(b"".join(word + b"\n" for word in WORDS)).hexdigest() == digest


@pytest.mark.parametrize("size", [16, 20, 24, 28, 32])
def test_a_phrase_gives_back_what_it_was_made_from(size: int) -> None:
    entropy = hashlib.shake_256(b"%d" % size).digest(size)
    words = phrase_of(entropy).split()
    assert len(words) == size * 3 // 4
    assert entropy_of(words) == entropy


def test_the_first_vector_of_the_standard() -> None:
    assert phrase_of(bytes(16)) == b" ".join([b"abandon"] * 11 + [b"about"])


WHERE = {
    "strings put together": (b"const words =\n  '", b"' +\n  '", b"';\n"),
    "adjacent strings": (b'MNEMONIC = (\n    "', b' "\n    "', b'"\n)\n'),
    "folded": (b"mnemonic: >-\n  ", b"\n  ", b"\nother: x\n"),
    "wrapped in a note": (b"## Seed phrase\n\n", b"\n", b"\n\nKeep this safe.\n"),
    "of a manifest": (b"- name: MNEMONIC\n  value: ", b" ", b"\n"),
    "of a table": (b"address,mnemonic\n0xabcdef,", b" ", b"\n"),
    "in Chinese": ("助记词：".encode(), b" ", b"\n"),
    "in prose": (b"here is the mnemonic for our main wallet: ", b" ", b"\n"),
    "before prose": (b"mnemonic: ", b" ", b"\nkeep this safe from everyone else\n"),
    "in JSON within JSON": (b'{"body": "{\\"mnemonic\\": \\"', b" ", b'\\"}"}\n'),
    "in a call": (b"new HDWalletProvider('", b" ", b"', url)\n"),
    "in an element": (b"<mnemonic>", b" ", b"</mnemonic>\n"),
    "in a list of YAML": (b"mnemonic:\n  - ", b"\n  - ", b"\nother: x\n"),
}


@pytest.mark.parametrize("where", WHERE)
def test_where_people_leave_them(matcher: Matcher, where: str) -> None:
    before, between, after = WHERE[where]
    words = drawn(len(where)).split()
    each = 1 if "list" in where else 4
    pieces = [b" ".join(words[at : at + each]) for at in range(0, len(words), each)]
    if where == "strings put together":
        pieces[:-1] = [piece + b" " for piece in pieces[:-1]]
    (found,) = shown(matcher, before + between.join(pieces) + after)
    assert found.startswith(words[0]) and found.endswith(words[-1])


def test_however_it_is_written_it_is_one_secret(matcher: Matcher) -> None:
    words = drawn(5, 32).split()
    numbered = b"\n".join(b"%d. %s" % (at, word) for at, word in enumerate(words, 1))
    texts = (
        b"MNEMONIC=" + b" ".join(words) + b"\n",
        b"Recovery phrase\n" + numbered + b"\n",
        b"SEED PHRASE: " + b" ".join(words).upper() + b"\n",
    )
    found = [canonical(each) for text in texts for each in matcher.find(text) if each.candidate.rule.kind == PHRASE]
    assert found == [b" ".join(words)] * len(texts)


@pytest.mark.parametrize(
    "entropy", [bytes(16), b"\x7f" * 16, b"\x80" * 16, b"\xff" * 16, bytes(32), b"\x7f" * 24], ids=lambda value: value.hex()[:4]
)
def test_the_phrases_of_documentation_are_none(matcher: Matcher, entropy: bytes) -> None:
    assert shown(matcher, b"MNEMONIC=" + phrase_of(entropy) + b"\n") == []


def test_a_phrase_whose_checksum_fails_is_for_the_auditor_only(matcher: Matcher) -> None:
    words = drawn(9).split()
    words[-1] = WORDS[WORDS.index(words[-1]) ^ 1]  # its last bits are those of the checksum
    (judged,) = [each for each in matcher.find(b"MNEMONIC=" + b" ".join(words)) if each.candidate.rule.kind == PHRASE]
    assert 0 < judged.confidence < 30


@pytest.mark.parametrize(
    "text",
    [b"mnemonic " * 6000, b"seed phrase:\n" * 6000, b"mnemonic: " + b"abcdefgh " * 6000, b'mnemonic="' + b"abc " * 11 + b"1" * 60000, (b"mnemonic(" * 8) * 700],
    ids=["names", "headings", "words", "eleven", "calls"],
)  # fmt: skip
def test_hostile_text_takes_no_time(matcher: Matcher, text: bytes) -> None:
    started = time.process_time()
    matcher.find(text)
    assert time.process_time() - started < 2
