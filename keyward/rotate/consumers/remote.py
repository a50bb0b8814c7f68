"""What the consumers that write to a service share: reading their options, and telling which value a place holds.

Options are read here with errors that name the key. A place holds one value: a part of the credential, or, with `fallbacks`, the
new and the old one joined by that text while the old one still lives (`SECRET_KEY` and its fallbacks in one variable).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from keyward.errors import ConfigError, ConsumerChanged, ConsumerError, ProviderError
from keyward.model.credential import SecretParts
from keyward.model.secret import Secret
from keyward.plugin.consumer import Holds, Values

Resolve = Callable[[str], Secret]
"""Reads a secret by its reference (`env:…`, `keyring:…`, `vault:…`, `file:…`, `exec:…`)."""


class Options:
    """One consumer's table. Every reader raises ConfigError with the key and what to write there."""

    def __init__(self, type: str, table: Mapping[str, object], known: Iterable[str]) -> None:
        self.type, self._table = type, table
        unknown = sorted(set(table) - set(known))
        if unknown:
            raise self.wrong(unknown[0], f"is not known; it may have: {', '.join(sorted(known))}")

    def wrong(self, key: str, reason: str) -> ConfigError:
        """The error for one key."""
        return ConfigError(f"consumer {self.type}: `{key}` {reason}")

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def text(self, key: str, default: str | None = None) -> str:
        """A text; required where there is no default."""
        value = self._table.get(key, default)
        if not isinstance(value, str) or (default is None and not value):
            raise self.wrong(key, "is missing" if value in (None, "") else "must be text")
        return value

    def flag(self, key: str) -> bool:
        value = self._table.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false")
        return value

    def number(self, key: str, default: float) -> float:
        value = self._table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
            raise self.wrong(key, "must be a number above 0")
        return float(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty if it is not there."""
        value = self._table.get(key, ())
        if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) and each for each in value):
            raise self.wrong(key, "must be a list of texts")
        return tuple(value)

    def names(self, key: str) -> dict[str, str]:
        """A table of texts; empty if it is not there."""
        value = self._table.get(key, {})
        if not isinstance(value, Mapping) or not all(isinstance(k, str) and isinstance(v, str) for k, v in value.items()):
            raise self.wrong(key, "must be a table of texts")
        return dict(value)


class Form(NamedTuple):
    """How a credential is written into one place. `part`: which part of it. `fallbacks`: the text between the new and the old
    value, where the place takes a list; empty where it takes one value."""

    part: str = "secret"
    fallbacks: str = ""

    def value(self, parts: SecretParts) -> bytes:
        """The part's bytes. Raises ConsumerError if the credential has no such part."""
        if self.part not in parts:
            has = ", ".join(sorted(parts)) or "nothing"
            raise ConsumerError(f"the credential has no part `{self.part}`; it has: {has}")
        return parts[self.part].reveal()

    def wanted(self, values: Values) -> bytes:
        """What shall stand there: the new value, and the old one behind it where the place takes a list."""
        new = self.value(values.new)
        old = values.old.get(self.part)
        return new + self.fallbacks.encode() + old.reveal() if self.fallbacks and old is not None else new

    def before(self, values: Values) -> bytes:
        """What a rollback writes."""
        return self.value(values.old)

    def judge(self, held: bytes | None, values: Values) -> Holds | None:
        """Which of the two a place holds; None where both are the same, so that it tells nothing."""
        if not held:
            return Holds.NOTHING
        held = held.removesuffix(b"\n")
        old, new = values.old.get(self.part), values.new.get(self.part)
        is_new, is_old = self._is(held, new), self._is(held, old)
        if is_new and is_old and old == new:
            return None
        if is_new:
            return Holds.NEW
        return Holds.OLD if is_old else Holds.OTHER

    def _is(self, held: bytes, value: Secret | None) -> bool:
        if value is None:
            return False
        plain = value.reveal()
        return held == plain or bool(self.fallbacks and held.startswith(plain + self.fallbacks.encode()))


def together(states: Iterable[Holds | None]) -> Holds:
    """What a consumer of several places holds: OTHER if one of them does, NEW only if all do."""
    told = [state for state in states if state is not None]
    if Holds.OTHER in told:
        return Holds.OTHER
    kinds = set(told)
    if not kinds:
        return Holds.NEW  # every part is the same in the old and the new one
    return kinds.pop() if len(kinds) == 1 else Holds.OLD


def refuse_other(name: str, state: Holds, allowed: tuple[Holds, ...]) -> None:
    """Raises ConsumerChanged for a place that holds something else than it may."""
    if state not in allowed:
        raise ConsumerChanged(
            f"{name} holds {'neither the old nor the new value' if state is Holds.OTHER else 'nothing'}",
            hint="Find out who changed it; put the old value back, or correct the consumer's place in the configuration.",
        )


def as_json(parts: SecretParts) -> bytes:
    """The parts as a JSON object, for the standard input of a command. Raises ConsumerError for one that is not text."""
    try:
        return json.dumps({name: secret.reveal().decode() for name, secret in parts.items()}).encode()
    except UnicodeDecodeError:
        raise ConsumerError("a part is not text and cannot be given as JSON") from None


def translated(name: str, error: ProviderError) -> ConsumerError:
    """A service's refusal as a consumer's."""
    return ConsumerError(f"{name}: {error}", hint=error.hint)
