"""What the rotators of database passwords share: new values, the user and the other parts that stay, TLS by the operator's settings."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from keyward.errors import Refused
from keyward.model.credential import SecretParts, Target
from keyward.model.secret import Secret
from keyward.plugin import transport
from keyward.plugin.rotator import Job

TIMEOUT = 10
"""Seconds to connect, and for the answer to one statement."""

LENGTH = 32
"""Letters and digits of a new password: 190 bits. Nothing that a URL, a shell or an `.env` file would have to quote."""

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def new_password() -> Secret:
    return Secret("".join(secrets.choice(_ALPHABET) for _ in range(LENGTH)).encode())


def text_of(parts: SecretParts, part: str, default: str = "") -> str:
    """A part as text. Raises Refused for bytes that are no UTF-8."""
    secret = parts.get(part)
    try:
        return default if secret is None else secret.reveal().decode()
    except UnicodeDecodeError:
        raise Refused(f"the part `{part}` is no UTF-8 text") from None


def renewed(job: Job, old: SecretParts, changes: Mapping[str, Secret]) -> SecretParts:
    """The old parts with these changed: whatever else belongs to the credential (its host) stays."""
    kept = {name: value for name, value in old.items() if name not in changes}
    return {**kept, **changes}


def tls_mode(target: Target) -> str:
    """See `keyward.plugin.transport`. Raises Refused for a word that is none."""
    try:
        return transport.tls_mode(target)
    except ValueError as error:
        raise Refused(str(error), hint="Correct the lane's target.") from None


def flag(job: Job, name: str, default: bool) -> bool:
    """A `scope` setting that is true or false. Raises Refused for anything else."""
    value = job.entry.scope.get(name, default)
    if not isinstance(value, bool):
        raise Refused(
            f"{job.entry.ref}: scope.{name} must be true or false", hint="Correct it in the operator's configuration."
        )
    return value
