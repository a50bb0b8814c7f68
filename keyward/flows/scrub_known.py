"""The values that a scrub looks for whatever they look like: what the operator's stores hold, and what a report found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from keyward.errors import KeywardError
from keyward.flows.workplace import Workplace
from keyward.model.kind import CredentialKind
from keyward.plugin.store import Slot
from keyward.registry import Registry
from keyward.scrub.known import KnownSecret
from keyward.scrub.pseudonym import Pseudonyms
from keyward.scrub.redactor import SECRET_PARTS


class Known(NamedTuple):
    """`missing`: what could not be asked for its values, with the reason: without these values nothing is said to be clean."""

    secrets: tuple[KnownSecret, ...]
    missing: tuple[str, ...] = ()


def known_to_stores(workplace: Workplace, registry: Registry, pseudonyms: Pseudonyms) -> Known:
    """Every value in every slot of every lane's credentials: current, pending and previous ones."""
    missing: list[str] = []
    secrets = tuple(_in_stores(workplace, registry, pseudonyms, missing))
    return Known(secrets, tuple(missing))


def _in_stores(workplace: Workplace, registry: Registry, pseudonyms: Pseudonyms, missing: list[str]) -> Iterator[KnownSecret]:
    for _, entry in workplace.operator.entries():
        kind = registry.declared(entry.kind)
        for slot in Slot:
            try:
                stored = workplace.store(entry.store).read(entry.path, slot)
            except KeywardError as error:
                missing.append(f"{entry.ref}: {error}")
                break
            if stored is None:
                continue
            for part, secret in stored.parts.items():
                if _authenticates(part, kind):
                    yield KnownSecret(entry.kind, secret, pseudonyms.of_value(kind, secret.reveal()))


def _authenticates(part: str, kind: CredentialKind | None) -> bool:
    return part in SECRET_PARTS or kind is None or (part in kind.identity and part not in kind.public)
