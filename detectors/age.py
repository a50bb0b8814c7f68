"""age identities.

What it is: the private half of an age key pair, `AGE-SECRET-KEY-1…`: 32 bytes in Bech32, with its own checksum.
Where it is used: `keys.txt`, `SOPS_AGE_KEY`, sops, chezmoi, Flux, passage and agenix.
What an attacker can do: decrypt everything that was ever encrypted to the matching `age1…` recipient, old copies in git included.
How to replace it: make a new identity with age-keygen, encrypt every file anew to the new recipient (`sops updatekeys`), and
  change the secrets inside, because the old ciphertext stays readable with the leaked key.
  The form of post-quantum identities (`AGE-SECRET-KEY-PQ-1…`) is unverified.
References: https://age-encryption.org/v1  https://github.com/FiloSottile/age
"""

from __future__ import annotations

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Parts, Rule, Signal, checksum
from keyward.plugin.checksums import bech32_valid
from keyward.plugin.shapes import Shape, assigned, chars, concat, part, text

IDENTITY = Kind("age/identity")

_ALPHABET = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def _bech32_tail(text: bytes) -> bytes:
    """The six characters of the checksum, in upper case."""
    prefix, _, data = text.lower().rpartition(b"1")
    values = [byte >> 5 for byte in prefix] + [0] + [byte & 31 for byte in prefix] + [_ALPHABET.lower().encode().index(byte) for byte in data] + [0] * 6
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATORS):
            if top >> bit & 1:
                check ^= generator
    check ^= 1
    return "".join(_ALPHABET[check >> 5 * (5 - at) & 31] for at in range(6)).encode()


def _check(parts: Parts) -> Signal | None:
    secret = parts["secret"].lower()  # the data part never holds the digit 1
    prefix = secret.rpartition(b"1")[0]
    return checksum(bech32_valid(secret, prefix), "Bech32 checksum")


KINDS = (
    CredentialKind(
        IDENTITY,
        "age identity",
        "critical",
        manual=Manual(
            (
                "Make a new identity with age-keygen.",
                "Encrypt every file anew to the new recipient (sops: change .sops.yaml, then `sops updatekeys`).",
                "Change the secrets inside the files that the old identity could read.",
            ),
            "https://github.com/FiloSottile/age#readme",
        ),
        references=("https://age-encryption.org/v1",),
    ),
)

_BODY: Shape = concat("AGE-SECRET-KEY-1", chars(_ALPHABET, 52)).tail(_bech32_tail)

RULES = (
    Rule(
        "age/identity",
        IDENTITY,
        rb"(?<![A-Za-z0-9])(?P<secret>AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58})(?![A-Za-z0-9])",
        specificity=STRUCTURAL,
        score=80,
        check=_check,
        examples=(
            text("# created: 2026-01-01T00:00:00Z\n", part("secret", _BODY), "\n"),
            assigned("SOPS_AGE_KEY", _BODY),
            assigned("age.agekey", _BODY, form="  {name}: |\n    {value}\n"),
        ),
        near_misses=(
            assigned("SOPS_AGE_KEY", concat("AGE-SECRET-KEY-1", chars(_ALPHABET, 57))),
            assigned("SOPS_AGE_KEY", concat("AGE-SECRET-KEY-1", chars(_ALPHABET, 59))),
            assigned("recipient", concat("age1", chars(_ALPHABET.lower(), 58))),
        ),
    ),
    Rule(
        "age/identity-post-quantum",
        IDENTITY,
        rb"(?<![A-Za-z0-9])(?P<secret>AGE-SECRET-KEY-PQ-1[02-9AC-HJ-NP-Z]{58,4000})(?![A-Za-z0-9])",
        specificity=STRUCTURAL,
        score=75,
        window=4200,
        check=_check,
        examples=(
            assigned("SOPS_AGE_KEY", concat("AGE-SECRET-KEY-PQ-1", chars(_ALPHABET, 52)).tail(_bech32_tail)),
        ),
        near_misses=(
            assigned("SOPS_AGE_KEY", concat("AGE-SECRET-KEY-PQ-1", chars(_ALPHABET, 40))),
            assigned("recipient", concat("age1pq1", chars(_ALPHABET.lower(), 58))),
            assigned("SOPS_AGE_KEY", concat("AGE-SECRET-KEY-PK-1", chars(_ALPHABET, 58))),
        ),
    ),
)  # fmt: skip
