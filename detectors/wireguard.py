"""WireGuard keys.

What it is: a peer's private key, or the key that two peers share besides (`PresharedKey`): 32 bytes in base64, 44 characters.
Where it is used: `/etc/wireguard/wg0.conf`, exported client profiles and their QR codes, NetworkManager, Ansible and Terraform.
What an attacker can do: join the private network as that peer, and read what is sent to it.
How to replace it: make a new pair (`wg genkey | tee private | wg pubkey`), put the new public key in every peer's configuration,
  and remove the old one. A public key has the same shape, so only the name tells them apart.
References: https://www.wireguard.com/quickstart/  https://man7.org/linux/man-pages/man8/wg.8.html
"""

from __future__ import annotations

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Parts, Rule, Signal
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import assigned, b64, chars, concat

PRIVATE, PRESHARED = Kind("wireguard/private-key"), Kind("wireguard/preshared-key")

_STEPS = ("Make a new key: wg genkey (or wg genpsk).", "Give the new public key, or the new shared key, to every peer.", "Remove the old peer entry.")

KINDS = tuple(
    CredentialKind(kind, title, "critical" if kind == PRIVATE else "medium", manual=Manual(_STEPS, "https://www.wireguard.com/quickstart/"),
                   references=("https://man7.org/linux/man-pages/man8/wg.8.html",))
    for kind, title in ((PRIVATE, "WireGuard private key"), (PRESHARED, "WireGuard preshared key"))
)  # fmt: skip


def _clamped(parts: Parts) -> Signal | None:
    """`wg genkey` clears and sets bits as Curve25519 wants them; other tools leave that to the kernel."""
    key = decode_base64(parts["secret"])
    if key is None or len(key) != 32:
        return Signal("structure", -40, "not 32 bytes")
    return Signal("structure", 10, "a clamped Curve25519 key") if key[0] & 7 == 0 and key[31] & 0xC0 == 0x40 else None


_KEY = concat(b64(42), chars("AEIMQUYcgkosw048", 1), "=")


def _rule(kind: Kind, names: bytes, name: str, variable: str) -> Rule:
    return Rule(
        str(kind),
        kind,
        rb"(?<![A-Za-z0-9])" + names + rb"(?:\\?[\"'`]\]?)?(?:\s{0,4}[:=,|]\s{0,4}|[ \t]{1,2})(?:\\?[\"'`])?(?P<secret>[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)(?![A-Za-z0-9+/=])",
        specificity=STRUCTURAL,
        score=75,
        check=_clamped if kind == PRIVATE else None,
        examples=(
            assigned(name, _KEY, form="[Interface]\n{name} = {value}\n"),
            assigned(variable, _KEY),
            assigned(name, _KEY, form='  "{name}": "{value}"\n'),
        ),
        near_misses=(
            assigned("PublicKey", _KEY, form="[Peer]\n{name} = {value}\n"),
            assigned(name, concat(b64(41), "A="), form="{name} = {value}\n"),
            assigned(name, concat(b64(42), "B="), form="{name} = {value}\n"),
            assigned(name, concat(b64(43), "A="), form="{name} = {value}\n"),
        ),
    )


RULES = (
    _rule(PRIVATE, rb"(?i:(?:(?:wg|wireguard)[_.-]?(?:[a-z0-9]{1,12}[_-])?)?private_?-?key)", "PrivateKey", "WG_PRIVATE_KEY"),
    _rule(PRESHARED, rb"(?i:(?:(?:wg|wireguard)[_.-]?(?:[a-z0-9]{1,12}[_-])?)?pre-?_?shared_?-?key)", "PresharedKey", "WG_PRESHARED_KEY"),
)
