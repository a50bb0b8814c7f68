"""A credential in hand: what a scan found or a store holds, ready to be asked about or replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from keyward.model.kind import Kind
from keyward.model.secret import Secret

SecretParts = Mapping[str, Secret]
"""The values of one credential by part name (`id`, `secret`, `username`, …), as its kind's rules name them."""

NO_PARTS: SecretParts = {}


class Credential(NamedTuple):
    """`public_id`: what may be shown of it (a key id, a user name); empty where nothing may."""

    kind: Kind
    parts: SecretParts
    public_id: str = ""

    def text(self, part: str, default: str = "") -> str:
        """A part as text, for a request. Raises UnicodeDecodeError for bytes that are not UTF-8."""
        secret = self.parts.get(part)
        return default if secret is None else secret.reveal().decode()


class Target(NamedTuple):
    """Where a credential is asked for: comes from the lane or the operator's configuration, never from the leak.

    `base_url`: of an HTTP provider, where it is not the public one (`https://gitlab.example`). `host`, `port`, `user`,
    `database`: of a server. `options`: whatever else the kind documents (`region`, `tls_ca`, …).
    """

    base_url: str = ""
    host: str = ""
    port: int = 0
    user: str = ""
    database: str = ""
    options: Mapping[str, str] = {}
