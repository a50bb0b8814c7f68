"""NATS keys.

What it is: the seed of an NKey: `S`, a letter for what it is (user, account, operator, server, cluster, curve), and 56
  characters of base32, the last with a CRC16. It stands in `.creds` files below a token. The public key begins with that
  letter and is no secret.
Where it is used: `NATS_NKEY_SEED`, `*.creds`, `*.nk`, Kubernetes secrets.
What an attacker can do: connect as that user; with an account's or operator's seed make users.
How to replace it: make a new user or signing key with `nsc`, deliver its creds, and revoke the old one in the account's
  token.
References: https://github.com/nats-io/nkeys (form and checksum)
"""

from __future__ import annotations

import base64

from keyward.plugin import Kind, Parts, Rule, Signal, checksum
from keyward.plugin.checksums import crc16_xmodem
from keyward.plugin.shapes import b32, concat, part, raw, text

from ._cloud import by_name, credential

SEED = Kind("nats/seed")

KINDS = (
    credential(
        SEED,
        "NATS seed",
        "critical",
        "https://docs.nats.io/using-nats/developer/connecting/creds",
        see="https://github.com/nats-io/nkeys (form and checksum)",
    ),
)


def _crc(parts: Parts) -> Signal | None:
    """Without its checksum it is one of many texts in capitals."""
    data = base64.b32decode(parts["secret"] + b"======")
    return (
        checksum(True, "CRC16")
        if crc16_xmodem(data[:-2]) == int.from_bytes(data[-2:], "little")
        else Signal("checksum", -40, "CRC16 fails")
    )


def _seed(key: bytes) -> bytes:
    """A user's seed from the 32 bytes of its key."""
    seed, user = 18 << 3, 20 << 3
    body = bytes((seed | user >> 5, (user & 31) << 3)) + key
    return base64.b32encode(body + crc16_xmodem(body).to_bytes(2, "little")).rstrip(b"=")


RULES = (
    by_name(
        SEED,
        rb"(?:nats|nkey)[a-z0-9_. -]{0,20}(?:seed|key|nk)|(?<![a-z0-9])seed",
        rb"S[UAOCNX][A-Z2-7]{56}",
        "NATS_NKEY_SEED",
        raw(32).map(_seed),
        (
            concat("SU", b32(55)),
            concat("SU", b32(57)),
            concat("SZ", b32(56)),
        ),
        score=70,
        check=_crc,
    ),
    Rule(
        "nats/creds",
        SEED,
        rb"NKEY SEED-----(?:\\n|\s){1,4}(?P<secret>S[UAOCNX][A-Z2-7]{56})(?![A-Z0-9])",
        score=75,
        check=_crc,
        examples=tuple(
            text(
                before,
                "-----BEGIN USER NKEY SEED-----",
                line,
                part("secret", raw(32).map(_seed)),
                line,
                "------END USER NKEY SEED------\n",
            )
            for before, line in (("", "\n"), ("key: ", "\\n"), ("  ", "\n  "))
        ),
        near_misses=(
            text("-----BEGIN USER NKEY SEED-----\n", concat("SU", b32(55)), "\n"),
            text("-----BEGIN USER NKEY SEED-----\n", concat("SU", b32(57)), "\n"),
            text("-----BEGIN USER NKEY HEAD-----\n", raw(32).map(_seed), "\n"),
        ),
    ),
)
