"""Gives current credentials to consumers that a rotation withheld, because their host was compromised."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from keyward.errors import KeywardError
from keyward.flows.workplace import Workplace
from keyward.model.credential import NO_PARTS
from keyward.model.rotation import DISTRIBUTE
from keyward.plugin.consumer import Holds, Values
from keyward.plugin.store import Slot
from keyward.rotate.audit import CallRecorder
from keyward.rotate.journal import Journal
from keyward.rotate.ledger import Standing, owed, standings
from keyward.rotate.lock import entry_lock
from keyward.rotate.parties import Parties, Placed, found_consumers


class Given(NamedTuple):
    """What came of one consumer."""

    ref: str
    consumer: str
    result: str
    done: bool


def distribute(place: Workplace, names: Sequence[str], host: str = "") -> list[Given]:
    """To every withheld consumer of the named entries (none: of all), or to those on one host."""
    given: list[Given] = []
    for each in list(standings(place.state, place.clock)):
        if not each.withheld or (names and each.ref not in names and each.rotation not in names):
            continue
        try:
            given += _give_all(place, each, host)
        except KeywardError as error:  # the next one must still be given
            given.append(Given(each.ref, ", ".join(each.withheld), error.told, False))
    return given


def _give_all(place: Workplace, each: Standing, host: str) -> list[Given]:
    entry = place.operator.entry(each.ref)
    recorder = CallRecorder()
    with place.visit(), entry_lock(place.state, entry.ref, wait=2.0, clock=place.clock):
        journal = Journal.open_(os.path.join(place.rotations, each.rotation), place.clock, place.fences)
        parties = place.parties(place.operator.lane(entry.lane), entry, extra=found_consumers(journal), fences=(recorder,))
        place.audit.append("distribute: begun", ref=each.ref, rotation=each.rotation, detail=", ".join(each.withheld))
        given = list(_give(parties, journal, owed(journal), host))
        for one in given:
            detail = f"{one.consumer}: {one.result}"
            place.audit.append("distribute", ref=each.ref, rotation=each.rotation, detail=detail, calls=recorder.take())
    return given


def _give(parties: Parties, journal: Journal, due: tuple[str, ...], host: str) -> Iterator[Given]:
    for placed in parties.consumers:
        if parties.name(placed) not in due or (host and placed.spec.host != host):
            continue
        try:
            text = _apply(parties, journal, placed)
            yield Given(parties.entry.ref, parties.name(placed), text, True)
        except KeywardError as error:
            yield Given(parties.entry.ref, parties.name(placed), error.told, False)


def _apply(parties: Parties, journal: Journal, placed: Placed) -> str:
    entry = parties.entry
    held = parties.store.read(entry.path, Slot.CURRENT)
    if held is None:
        raise KeywardError(f"{entry.ref}: the store holds nothing", hint="Rotate it again.")
    # while its rotation is unfinished, the store still has the value that the consumer may hold
    replaced = parties.store.read(entry.path, Slot.PREVIOUS)
    old = replaced.parts if replaced is not None else NO_PARTS
    values = Values(entry.lane, entry.name, f"{entry.store}:{entry.path}", old, held.parts, journal.rotation)
    holds = placed.consumer.holds(values)
    journal.intent(DISTRIBUTE, consumer=parties.name(placed), holds=holds.value)
    done = "has it already" if holds is Holds.NEW else placed.consumer.apply(values)
    proof = placed.consumer.verify(values)
    journal.seen(DISTRIBUTE, consumer=parties.name(placed), done=done, verified=proof)
    return done
