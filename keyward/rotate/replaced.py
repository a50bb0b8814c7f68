"""Which credentials rotations replaced, by the fingerprints that their journals hold: a report may be older than a rotation."""

from __future__ import annotations

from typing import NamedTuple

from keyward.errors import Halted
from keyward.model.rotation import CONFIRM, PLAN
from keyward.plugin.clock import Clock
from keyward.rotate.ending import BY_CONSUMER, DEAD
from keyward.rotate.journal import SEEN, Journal, journals
from keyward.rotate.ledger import State, rotations_folder, standing


class Replaced(NamedTuple):
    """The old one of a rotation. `time`: Unix seconds of the journal's newest line. `proved`: whether it is proved dead, which only a
    rotation that is over can say."""

    name: str
    rotation: str
    ref: str
    time: float
    over: bool
    proved: bool


def replaced(state: str, clock: Clock) -> dict[str, Replaced]:
    """By fingerprint, of all rotations below the state folder but those that were taken back; of several the newest. A damaged
    journal says nothing."""
    found: dict[str, Replaced] = {}
    for folder in journals(rotations_folder(state)):
        try:
            journal = Journal.open_(folder, clock)
        except Halted:
            continue
        planned = journal.last(PLAN, SEEN)
        if planned is None:
            continue
        stands = standing(journal)
        if stands.state in (State.DONE, State.UNFINISHED, State.WAITING):
            over = stands.state is State.DONE
            for name in planned.ids.get("known_as", ()):
                found[name] = Replaced(name, journal.rotation, stands.ref, stands.touched, over, over and _is_proved(journal))
    return found


def _is_proved(journal: Journal) -> bool:
    """A journal of an earlier version says `by consumer` of a mere read-back, and names nobody who refuses the old one."""
    confirmed = journal.last(CONFIRM, SEEN)
    facts = confirmed.ids if confirmed else {}
    return facts.get("outcome") == DEAD or (facts.get("outcome") == BY_CONSUMER and bool(facts.get("refused_by")))
