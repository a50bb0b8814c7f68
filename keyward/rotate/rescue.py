"""When the old one died as the new one was made, and the store does not take the new one: its only copy is in this process.

Revoking it, as is done wherever the old one still lives, would leave nobody with a working credential. So the store is asked again and
again for `HOLD` seconds with the value in memory; then the consumers are given it, so that those who need it work, and the rotation
waits for a person who reads it there and gives it to the store by `keyward provide`. Only where no consumer takes it is it revoked: the
admin makes another when the rotation is resumed.

What cannot be helped: a process that is killed while it holds the only copy (by SIGKILL, or a power failure) takes it along. The
orphan is found and revoked by the resume, which has another one made.
"""

from __future__ import annotations

from typing import NamedTuple

from keyward.errors import Interrupted, KeywardError, StoreError
from keyward.model.credential import SecretParts
from keyward.model.kind import Manual
from keyward.model.rotation import DISTRIBUTE, ISSUE
from keyward.plugin.consumer import Holds, Values
from keyward.plugin.rotator import Issued
from keyward.rotate.journal import SEEN, Journal
from keyward.rotate.parties import Parties, Tell
from keyward.rotate.redaction import Redaction
from keyward.rotate.slots import Slots

HOLD, RETRY = 900.0, 10.0
"""Seconds that the only copy is held for a store that does not take it, and between two attempts."""

HANDED = "handed over"
"""What ISSUE journals as its `outcome` when consumers have the new value and the store has not."""


class Rescue(NamedTuple):
    """One new value that stands nowhere. `old`: read while the store still answered."""

    parties: Parties
    journal: Journal
    slots: Slots
    inert: Redaction
    tell: Tell
    old: SecretParts
    issued: Issued

    def into_store(self) -> StoreError | None:
        """Tries until the store takes it; answers with why it did not. Who wants to stop (Ctrl-C) ends the waiting, not the rescue."""
        clock, ref = self.parties.clock, self.parties.entry.ref
        deadline = clock.monotonic() + HOLD
        while True:
            try:
                self.slots.pend(self.issued.parts, self.issued.id)
                return None
            except StoreError as error:
                left = deadline - clock.monotonic()
                if left <= 0:
                    return error
                self.tell(
                    ref, ISSUE, f"the old one is dead and the store takes nothing: holding the new one, {left:.0f} s left"
                )
                try:
                    clock.sleep(min(RETRY, left))
                except Interrupted:
                    return error
            except Interrupted as stopped:
                return StoreError(str(stopped))

    def into_consumers(self, withheld: frozenset[str], attempt: int) -> bool:
        """Gives it to every consumer that holds the old one, or nothing; answers with whether one has it now. `withheld`: hosts.

        It is journalled as what came of ISSUE, beforehand: what was begun is ended, also when somebody wants to stop.
        """
        entry = self.parties.entry
        reference = f"{entry.store}:{entry.path}"
        values = Values(entry.lane, entry.name, reference, self.old, self.issued.parts, self.journal.rotation)
        self.journal.seen(ISSUE, attempt, outcome=HANDED, new=self.issued.id)
        for placed in self.parties.consumers:
            if placed.spec.host and placed.spec.host in withheld:
                continue
            name = self.parties.name(placed)
            try:
                if placed.consumer.holds(values) is Holds.OTHER:
                    continue
                done = self.inert(placed.consumer.apply(values))
                self.journal.seen(DISTRIBUTE, consumer=name, done=done, verified=self.inert(placed.consumer.verify(values)))
            except KeywardError as error:  # the next one must still be given it
                self.tell(entry.ref, DISTRIBUTE, f"{name}: {self.inert(str(error))}")
        if not who_has_it(self.journal):
            self.journal.seen(ISSUE, attempt, outcome="lost")
            return False
        return True


def who_has_it(journal: Journal) -> list[str]:
    """The consumers that were given the new value."""
    return [str(line.ids["consumer"]) for line in journal.all(DISTRIBUTE, SEEN) if "done" in line.ids]


def was_handed_over(journal: Journal) -> bool:
    """Whether consumers have the new value, and nobody has given it to the store yet."""
    last = journal.last(ISSUE, SEEN)
    return last is not None and last.ids.get("outcome") == HANDED


def way_out(journal: Journal, store: str) -> Manual:
    """What a person must do once consumers have the new value and the store has not."""
    steps = (
        "The old one died when the new one was made, and the store did not take the new one.",
        f"The new one is in use, and stands only there: {', '.join(who_has_it(journal))}",
        f"Put the store {store} right, read the value at its consumer, and give it to keyward.",
    )
    return Manual(steps, "")
