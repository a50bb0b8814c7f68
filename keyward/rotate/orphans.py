"""What a provider may have made although its answer never came.

An id that is there now, was not there when the inventory was journalled, and is not in the store, is a candidate. It is revoked
only if it carries this rotation's mark, or is the sole new key of a principal that exists for this lane alone, made inside the
journalled window; otherwise the rotation stops and names it. Ids that were there before are somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterable

from keyward.errors import Halted
from keyward.model.credential import NO_PARTS
from keyward.model.rotation import ISSUE, RESERVE
from keyward.plugin.rotator import Held, Inventory, Job
from keyward.rotate.journal import INTENT, SEEN, Journal
from keyward.rotate.parties import Parties

ORPHAN, FOREIGN = "ORPHAN", "FOREIGN"
NOTHING_MADE = ("refused", "throttled", "full")
CLOCK_SKEW = 300.0
"""Seconds by which a provider's clock may differ from ours."""

LONGEST_CALL = 900.0
"""Seconds after its journal line within which a call has reached the provider, waiting for its turn included: what was made later
was made by somebody else."""


def take_stock(parties: Parties, job: Job, journal: Journal) -> None:
    """Journals what the principal holds before anything is made; once."""
    if journal.last(RESERVE, SEEN) is not None:
        return
    inventory = parties.rotator.inventory(job)
    journal.seen(
        RESERVE,
        principal=inventory.principal,
        held=sorted(inventory.ids()),
        lane_owned=inventory.lane_owned,
        at=parties.clock.now(),
    )


def clear(parties: Parties, job: Job, journal: Journal) -> None:
    """Revokes what an earlier, unanswered ISSUE of this rotation may have made. Raises Halted where that cannot be told."""
    intent = journal.last(ISSUE, INTENT)
    if intent is None:
        return
    seen = journal.last(ISSUE, SEEN)
    if seen is not None and seen.seq > intent.seq and seen.ids.get("outcome") in NOTHING_MADE:
        return
    for orphan in _wait_for_listing(parties, job, journal, intent.time):
        journal.intent(ORPHAN, id=orphan.id)
        parties.rotator.revoke(job, orphan.id, NO_PARTS)
        journal.seen(ORPHAN, id=orphan.id)


def disown(journal: Journal, ids: Iterable[str]) -> None:
    """Records what a person said of ids: somebody else made them."""
    for id in ids:
        journal.seen(FOREIGN, id=id)


def sweep(parties: Parties, job: Job, journal: Journal, keep: Iterable[str]) -> None:
    """At the end: whatever carries this rotation's mark and is not the new one was listed too late to be seen before."""
    if not parties.capabilities.marks or len(journal.all(ISSUE, INTENT)) < 2:
        return
    kept = set(keep)
    for held in parties.rotator.inventory(job).held:
        if held.mark == job.mark and held.active and held.id not in kept:
            journal.intent(ORPHAN, id=held.id)
            parties.rotator.revoke(job, held.id, NO_PARTS)
            journal.seen(ORPHAN, id=held.id)


def _wait_for_listing(parties: Parties, job: Job, journal: Journal, since: float) -> list[Held]:
    deadline = parties.clock.monotonic() + parties.capabilities.listing_lag
    while True:
        found = _candidates(parties.rotator.inventory(job), job, journal, since)
        if found or parties.clock.monotonic() >= deadline:
            return found
        parties.clock.sleep(1.0)


def _candidates(now: Inventory, job: Job, journal: Journal, since: float) -> list[Held]:
    stock = journal.last(RESERVE, SEEN)
    if stock is None:
        return []
    before = set(stock.ids["held"])
    gone = {line.ids["id"] for step in (ORPHAN, FOREIGN) for line in journal.all(step, SEEN)}
    new = [held for held in now.held if held.active and held.id not in before and held.id not in gone]
    marked = [held for held in new if held.mark == job.mark]
    others = [held for held in new if held.mark != job.mark]
    unmarked = [held for held in others if not held.mark]
    if not unmarked or marked:
        # a key with somebody else's mark is another rotation's; one beside our own marked key is not ours
        return marked
    sole = unmarked[0]
    in_window = sole.created is None or since - CLOCK_SKEW <= sole.created <= since + LONGEST_CALL + CLOCK_SKEW
    if len(unmarked) == 1 and now.lane_owned and in_window:
        return unmarked
    names = ", ".join(sorted(held.id for held in unmarked))
    raise Halted(
        f"{job.entry.ref}: {now.principal} has a key that was not there before: {names}",
        hint="If the interrupted rotation made it, delete it at the provider and resume; if it is yours, resume with --not-ours ID.",
    )
