"""What rotations withheld from consumers on compromised hosts: who `keyward distribute` would give it to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from keyward.errors import KeywardError, UsageError
from keyward.flows.workplace import Workplace
from keyward.rotate.journal import Journal
from keyward.rotate.ledger import Standing, standings
from keyward.rotate.parties import found_consumers


class Withheld(NamedTuple):
    """One consumer that waits for its entry's current value. `lost`: what is wrong, where the configuration does not have it any
    more, so that nothing can be given to it."""

    ref: str
    consumer: str
    host: str
    lost: str = ""


def withheld(place: Workplace, names: Sequence[str] = (), host: str = "") -> list[Withheld]:
    """Who would be given what: of the named entries or rotations (none: of all), on one host (empty: on any). Reads only.

    Raises UsageError for a name that is not there, and where something is withheld, but from nobody on this host: else
    who mistypes one is told that nothing is left to do.
    """
    there = list(standings(place.state, place.clock))
    for name in names:
        if all(name not in (each.ref, each.rotation) for each in there):
            place.operator.entry(name)  # raises, naming the nearest
    waiting = [
        one
        for each in there
        if each.withheld and (not names or each.ref in names or each.rotation in names)
        for one in _of(place, each)
    ]
    found = [each for each in waiting if not host or each.host == host or each.lost]
    if waiting and not found:
        hosts = ", ".join(sorted({each.host for each in waiting if each.host}))
        raise UsageError(
            f"nothing was withheld from a consumer on {host!r}",
            hint=f"They stand on {hosts}. Where a clean machine has another name, give the consumer that `host` first.",
        )
    return found


def _of(place: Workplace, each: Standing) -> list[Withheld]:
    try:
        entry = place.operator.entry(each.ref)
        journal = Journal.open_(os.path.join(place.rotations, each.rotation), place.clock, place.fences)
        parties = place.parties(place.operator.lane(entry.lane), entry, extra=found_consumers(journal))
    except KeywardError as error:  # of the others must still be told
        return [Withheld(each.ref, name, "", str(error)) for name in each.withheld]
    hosts = {parties.name(placed): placed.spec.host for placed in parties.consumers}
    lost = f"the configuration has no such consumer any more: put it back, or run keyward rotate {each.ref}"
    return [Withheld(each.ref, name, hosts.get(name, ""), "" if name in hosts else lost) for name in each.withheld]
