"""Bitcoin keys.

What it is: a private key in wallet import format: 51 characters of base58 that begin with 5, or 52 that begin with K or
  L; or an extended private key, `xprv` (`yprv`, `zprv`) and 107 characters. Both carry a checksum, which is computed.
Where it is used: `BTC_PRIVATE_KEY`, `WIF`, wallets' exports, scripts.
What an attacker can do: spend what lies on the key's addresses; nobody can undo it.
How to replace it: move the funds to a new key that was made on another machine.
References: https://en.bitcoin.it/wiki/Wallet_import_format
  https://github.com/bitcoin/bips/blob/master/bip-0032.mediawiki
"""

from __future__ import annotations

import hashlib

from keyward.plugin import Kind, Parts, Signal, checksum
from keyward.plugin.checksums import base58_check, to_base
from keyward.plugin.shapes import Shape, chars, concat, raw

from ._cloud import by_name, by_prefix, credential

WIF = Kind("bitcoin/private-key")
EXTENDED = Kind("bitcoin/extended-private-key")

KINDS = (
    credential(
        WIF,
        "Bitcoin private key",
        "critical",
        "https://bitcoin.org/en/secure-your-wallet",
        see="https://en.bitcoin.it/wiki/Wallet_import_format",
    ),
    credential(
        EXTENDED,
        "Extended private key",
        "critical",
        "https://bitcoin.org/en/secure-your-wallet",
        see="https://en.bitcoin.it/wiki/Wallet_import_format",
    ),
)


_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def _sum(parts: Parts) -> Signal | None:
    """The double SHA-256 at the end."""
    return checksum(True, "base58check") if base58_check(parts["secret"]) else Signal("checksum", -40, "base58check fails")


def _encoded(payload: bytes) -> bytes:
    data = payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    return to_base(int.from_bytes(data, "big"), _ALPHABET.encode(), 1)


def _body(count: int) -> Shape:
    return chars(_ALPHABET, count)


RULES = (
    by_name(
        WIF,
        rb"(?:btc|bitcoin|ltc|wallet)[a-z0-9_. -]{0,16}(?:key|wif)|(?<![a-z0-9])(?:wif|priv(?:ate)?_?-?key)",
        rb"(?:5[1-9A-HJ-NP-Za-km-z]{50}|[KL][1-9A-HJ-NP-Za-km-z]{51})",
        "BTC_PRIVATE_KEY",
        raw(32).map(lambda key: _encoded(b"\x80" + key + b"\x01")),
        (concat("K", _body(50)), concat("K", _body(52)), concat("M", _body(51))),
        score=65,
        check=_sum,
    ),
    by_prefix(
        EXTENDED,
        rb"[xyz]prv[1-9A-HJ-NP-Za-km-z]{107}",
        "MASTER_KEY",
        raw(74).map(lambda key: _encoded(b"\x04\x88\xad\xe4" + key)),
        (concat("xprv", _body(106)), concat("xprv", _body(108)), concat("xpub", _body(107))),
        score=70,
        check=_sum,
    ),
)
