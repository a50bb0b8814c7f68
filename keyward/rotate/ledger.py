"""How every rotation stands, read from the journals alone."""

from __future__ import annotations

import enum
import os
from collections.abc import Iterator
from typing import NamedTuple

from keyward.errors import Halted
from keyward.model.rotation import ABORT, CONFIRM, DISTRIBUTE, DONE, ISSUE, REVOKE
from keyward.plugin.clock import Clock
from keyward.rotate.journal import INTENT, SEEN, Journal, journals


class State(enum.Enum):
    """`UNFINISHED`: it was interrupted or halted, and can be resumed. `WAITING`: a person must act."""

    DONE = "done"
    ABORTED = "aborted"
    WAITING = "waiting for a person"
    UNFINISHED = "unfinished"
    NOTHING = "nothing was begun"
    DAMAGED = "damaged"


class Standing(NamedTuple):
    """One rotation. `step`: the newest in the journal. `begun`, `touched`: Unix seconds. `proof`: how it ended (`dead`, `by
    consumer`, `attested`). `withheld`: consumers that were not given the new one."""

    rotation: str
    ref: str
    state: State
    step: str = ""
    mode: str = ""
    begun: float = 0.0
    touched: float = 0.0
    proof: str = ""
    withheld: tuple[str, ...] = ()
    detail: str = ""


def rotations_folder(state: str) -> str:
    return os.path.join(state, "rotations")


def standings(state: str, clock: Clock) -> Iterator[Standing]:
    """Every rotation below the state folder, oldest first; one whose journal cannot be read is DAMAGED with the reason."""
    for folder in journals(rotations_folder(state)):
        try:
            yield standing(Journal.open_(folder, clock))
        except Halted as error:
            yield Standing(os.path.basename(folder), "", State.DAMAGED, detail=str(error))


def standing(journal: Journal) -> Standing:
    """How one rotation stands."""
    if not journal.lines:
        return Standing(journal.rotation, "", State.NOTHING)
    first, last = journal.lines[0], journal.lines[-1]
    confirmed = journal.last(CONFIRM, SEEN)
    return Standing(
        rotation=journal.rotation,
        ref=str(first.ids.get("ref", "")),
        state=_state(journal),
        step=last.step,
        mode=str(first.ids.get("mode", "")),
        begun=first.time,
        touched=last.time,
        proof=str(confirmed.ids.get("outcome", "")) if confirmed else "",
        withheld=owed(journal),
    )


def owed(journal: Journal) -> tuple[str, ...]:
    """Consumers whose newest line says that they were withheld."""
    newest = {str(line.ids["consumer"]): line for line in journal.all(DISTRIBUTE, SEEN)}
    return tuple(name for name, line in newest.items() if "withheld" in line.ids)


def _state(journal: Journal) -> State:
    if journal.last(DONE, SEEN):
        return State.DONE
    if journal.last(ABORT, SEEN):
        return State.ABORTED
    asked, answered = journal.last(ISSUE, INTENT), journal.last(ISSUE, SEEN)
    if asked is not None and "waiting" in asked.ids and answered is None:
        return State.WAITING
    if answered is not None and answered.ids.get("outcome") == "handed over":
        return State.WAITING
    revoked = journal.last(REVOKE, SEEN)
    if revoked is not None and revoked.ids.get("outcome") == "by hand":
        return State.WAITING
    return State.UNFINISHED


def unfinished(state: str, clock: Clock, ref: str = "") -> list[Standing]:
    """Rotations that can be resumed: of one entry, or all."""
    return [
        each
        for each in standings(state, clock)
        if each.state in (State.UNFINISHED, State.WAITING) and each.ref and ref in ("", each.ref)
    ]
