"""Ethereum keys.

What it is: the private key of an account: 64 hex digits, mostly with `0x` before them. A hash looks alike, so that the
  name must tell it.
Where it is used: `PRIVATE_KEY`, `DEPLOYER_PRIVATE_KEY` in `.env` beside `hardhat.config.js` or foundry.toml, scripts.
What an attacker can do: spend what lies on the account, on every chain, and act as the owner of its contracts; nobody can
  undo it.
How to replace it: move the funds, and hand the contracts over, to a new account that was made on another machine.
References: https://ethereum.org/en/developers/docs/accounts/
"""

from __future__ import annotations

from keyward.plugin import Kind, Parts, Signal
from keyward.plugin.shapes import concat, hexa

from ._cloud import by_name, credential

KEY = Kind("ethereum/private-key")

KINDS = (
    credential(
        KEY,
        "Ethereum private key",
        "critical",
        "https://ethereum.org/en/security/",
        see="https://ethereum.org/en/developers/docs/accounts/",
    ),
)


_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def _in_range(parts: Parts) -> Signal | None:
    """A key is a number from 1 up to the order of the curve secp256k1."""
    key = parts["secret"]
    number = int(key[2:] if key[:2] == b"0x" else key, 16)
    return None if 0 < number < _ORDER else Signal("structure", -60, "no number of the curve")


RULES = (
    by_name(
        KEY,
        rb"(?<![a-z0-9_.-])(?:(?:eth(?:ereum)?|evm|web3|deployer|wallet|owner|signer|account|admin|relayer|operator|user|dev|test(?:net)?|main(?:net)?|sepolia|goerli|polygon|bsc|arbitrum)_?)?(?:private_?-?key|priv_?-?key|(?:deployer|wallet|owner|signer)_?-?key|deployer)(?:_?[0-9])?",
        rb"(?:0x)?[0-9a-fA-F]{64}",
        "DEPLOYER_PRIVATE_KEY",
        concat("0x", hexa(64)),
        (concat("0x", hexa(63)), concat("0x", hexa(65)), concat("0y", hexa(64))),
        score=68,
        check=_in_range,
    ),
)
