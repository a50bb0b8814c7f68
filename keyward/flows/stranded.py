"""`keyward abort --free-slots`: what a lost or damaged journal left in the store."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import NamedTuple

from keyward.errors import Halted
from keyward.flows.workplace import Workplace
from keyward.rotate.audit import CallRecorder
from keyward.rotate.journal import FILE, Journal
from keyward.rotate.lock import entry_lock
from keyward.rotate.parties import Parties
from keyward.rotate.stranded import Stranded, Way, look, settle


class Left(NamedTuple):
    """What stands in the slots of one entry."""

    ref: str
    slots: tuple[Stranded, ...]


def find(place: Workplace, ref: str) -> Left:
    """What stands there; reads only. Raises UsageError for an entry that is not there, Halted for one whose rotation can be gone on
    with: that knows better what belongs to it."""
    open_ones = place.begun.unfinished(place.operator.entry(ref).ref)
    if open_ones:
        known = open_ones[-1].rotation
        raise Halted(
            f"{ref}: rotation {known} can be gone on with", hint=f"Run: keyward resume {known}, or keyward abort {known}"
        )
    with place.visit():
        return Left(ref, tuple(look(_parties(place, ref, CallRecorder()))))


def free(place: Workplace, left: Left) -> list[tuple[Stranded, str]]:
    """Does what was said of each slot, and answers with what was done. Raises what went wrong; what was done is recorded."""
    done = []
    recorder = CallRecorder()
    with place.visit(), entry_lock(place.state, left.ref, wait=2.0, clock=place.clock):
        find(place, left.ref)  # nobody began a rotation meanwhile
        parties = _parties(place, left.ref, recorder)
        for each in left.slots:
            if each.way is Way.KEEP:
                continue
            place.audit.append(
                "slots: begun", ref=left.ref, rotation=each.rotation, detail=f"{each.slot.value}: {each.way.value}"
            )
            text = settle(parties, each)
            never = tuple(parties.admin.values())
            detail = f"{each.slot.value}: {text}"
            place.audit.append(
                "slots: done", ref=left.ref, rotation=each.rotation, detail=detail, calls=recorder.take(), never=never
            )
            done.append((each, text))
        if len(done) == len(left.slots):
            for rotation in {each.rotation for each in left.slots}:
                _put_aside(place, rotation)
    return done


def _parties(place: Workplace, ref: str, recorder: CallRecorder) -> Parties:
    entry = place.operator.entry(ref)
    return place.parties(place.operator.lane(entry.lane), entry, fences=(recorder,))


def _put_aside(place: Workplace, rotation: str) -> None:
    """A damaged journal keeps its content under another name, and is not told of any more."""
    path = os.path.join(place.rotations, rotation, FILE)
    if not rotation or os.sep in rotation or not os.path.isfile(path):
        return
    try:
        Journal.open_(os.path.dirname(path), place.clock)
    except Halted:
        with suppress(OSError):
            os.rename(path, f"{path}.damaged")
