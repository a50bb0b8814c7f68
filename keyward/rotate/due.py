"""Which credentials are due to be rotated, and by which rule.

The first of these that says something holds:

1. `rotate_every` of the credential
2. `rotate_every` of its lane
3. `rotate_every.tierN` of `[lanes.defaults]`
4. `rotate_every` of the provider (`[providers.NAME]`)
5. the default of the kind, below

| kind | every | why |
|---|---|---|
| `aws/*`, `tencent/*`, `alibaba/*` | 90d | AWS Security Hub's control IAM.3 asks for it; the other clouds' keys are of the same kind |
| `postgresql/*`, `mysql/*`, `mssql/*`, `mongodb/*`, `redis/*` | 90d | PCI DSS 8.3.9: a password that is the only factor |
| `github/*`, `gitlab/*` | 90d | they open the source code, and what is built from it |
| `private-key/*` | 365d | bound to a machine and to an account |
| any other | 180d | ours; no source |

`never` switches it off. A credential whose `expiry` is set is due, whatever the rule, once nine tenths of its life are over.
The last rotation is when the store's current value was written, else when the provider says that it was made. Where neither
is known, it is due: nobody can say that it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from keyward.errors import StoreError
from keyward.model.lane import Entry, Lane
from keyward.plugin.store import Stored
from keyward.rotate import duration
from keyward.rotate.operator import Operator

DAY = 86_400.0
KIND_DEFAULTS = {
    **dict.fromkeys(("aws", "tencent", "alibaba"), 90 * DAY),
    **dict.fromkeys(("postgresql", "mysql", "mssql", "mongodb", "redis"), 90 * DAY),
    **dict.fromkeys(("github", "gitlab"), 90 * DAY),
    "private-key": 365 * DAY,
}
"""Seconds, by provider."""
OTHER_DEFAULT = 180 * DAY

LIFE_USED = 0.9
"""The share of its life after which a credential that expires is due."""

OVERDUE, DUE_UNKNOWN, NOT_STORED, FINE, UNREADABLE = "overdue", "unknown", "not stored", "fine", "unreadable"


class Policy(NamedTuple):
    """How often, in seconds, and who says so."""

    every: float
    reason: str


class Row(NamedTuple):
    """How one credential stands. `last`, `next`: Unix seconds, None where nobody knows, `next` infinite for never. `state`: `overdue`, `unknown`
    (when it was rotated), `not stored`, `unreadable` (its store), `fine`."""

    entry: Entry
    lane: Lane
    policy: Policy
    state: str
    last: float | None
    next: float | None
    reason: str

    @property
    def due(self) -> bool:
        return self.state in (OVERDUE, DUE_UNKNOWN, NOT_STORED)


Current = Callable[[Entry], "Stored | None"]
"""What the store holds now. Raises StoreError."""

Made = Callable[[Entry], "float | None"]
"""When the provider says that the current one was made, in Unix seconds; None where it does not, or was not asked."""


def policy(operator: Operator, lane: Lane, entry: Entry) -> Policy:
    """The rule that holds for one credential."""
    provider = str(entry.kind).partition("/")[0]
    configured = operator.providers.get(provider)
    chain = (
        (entry.rotate_every, "the credential's rotate_every"),
        (operator.rotate_every.get(lane.name, 0.0), f"rotate_every of lane {lane.name}"),
        (operator.tier_rotate_every.get(lane.tier, 0.0), f"the default of tier {lane.tier}"),
        (configured.rotate_every if configured else 0.0, f"rotate_every of provider {provider}"),
        (KIND_DEFAULTS.get(provider, 0.0), f"keyward's default for {provider}"),
    )
    for every, reason in chain:
        if every:
            return Policy(every, f"{reason} ({duration.show(every)})")
    return Policy(OTHER_DEFAULT, f"keyward's default ({duration.show(OTHER_DEFAULT)})")


def due(operator: Operator, current: Current, now: float, made: Made = lambda entry: None) -> Iterator[Row]:
    """Every credential of every lane; the caller picks those that are `due`."""
    for lane, entry in operator.entries():
        yield _row(lane, entry, policy(operator, lane, entry), current, now, made)


def _row(lane: Lane, entry: Entry, rule: Policy, current: Current, now: float, made: Made) -> Row:
    try:
        stored = current(entry)
    except StoreError as error:
        return Row(entry, lane, rule, UNREADABLE, None, None, f"store {entry.store}: {error}")
    if stored is None:
        return Row(entry, lane, rule, NOT_STORED, None, None, "the store does not hold it yet")
    last = _written(stored)
    last = made(entry) if last is None else last
    if last is None:
        state = FINE if rule.every == duration.NEVER and not entry.expiry else DUE_UNKNOWN
        return Row(entry, lane, rule, state, None, None, f"nobody knows when it was rotated; {rule.reason}")
    by_rule, by_expiry = last + rule.every, last + entry.expiry * LIFE_USED if entry.expiry else duration.NEVER
    reason = rule.reason
    if by_expiry < by_rule:
        reason = f"its life of {duration.show(entry.expiry)} comes to its end"
    following = min(by_rule, by_expiry)
    return Row(entry, lane, rule, OVERDUE if following <= now else FINE, last, following, reason)


def _written(stored: Stored) -> float | None:
    """When the value was written, as the store's labels say; None for a label that is missing or makes no sense."""
    try:
        written = float(stored.labels.get("written", ""))
    except ValueError:
        return None
    return written if 0 < written < duration.NEVER else None
