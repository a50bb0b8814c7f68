"""Keeps values out of texts that somebody else's code wrote: a consumer's answer, an error of a rotator or a store."""

from __future__ import annotations

from keyward.model.credential import SecretParts
from keyward.plugin.rotator import Issued

SHORTEST = 6
"""Characters from which on a value is looked for; shorter ones are part of ordinary words."""

PUBLIC = frozenset({"id", "username", "user", "host", "port", "database", "role_id", "public_key"})
"""Names of parts that may be shown, and that a message is worth little without."""


class Redaction:
    """Learns the values of one rotation as they come, and takes them out of texts."""

    def __init__(self, *known: SecretParts) -> None:
        self._values: set[str] = set()
        for parts in known:
            self.learn(parts)

    def learn(self, parts: SecretParts) -> SecretParts:
        """The same parts, whose values no text will show from now on."""
        texts = (secret.reveal().decode("utf-8", "replace") for name, secret in parts.items() if name not in PUBLIC)
        self._values.update(text for text in texts if len(text) >= SHORTEST)
        return parts

    def issued(self, issued: Issued) -> Issued:
        """The same, learnt."""
        self.learn(issued.parts)
        return issued

    def __call__(self, text: str) -> str:
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, "(withheld)")
        return text
