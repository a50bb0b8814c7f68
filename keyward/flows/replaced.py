"""Leaked keys of a report that is older than a rotation: what was replaced and is dead is nobody's to take in, and what is being
replaced is gone on with."""

from __future__ import annotations

import time

from keyward.flows.selecting import Chosen, Selection
from keyward.flows.workplace import Workplace
from keyward.rotate.found import Found
from keyward.rotate.replaced import Replaced, replaced


def without_replaced(place: Workplace, selection: Selection) -> tuple[Selection, tuple[Replaced, ...]]:
    """The selection without the leaked keys that rotations have replaced, and those. One whose rotation is not finished is chosen: to
    rotate it is to go on with that."""
    if not selection.unowned:
        return selection, ()
    known = replaced(place.state, place.clock)
    chosen = {each.entry.ref: each for each in selection.chosen}
    entries = {entry.ref: (lane, entry) for lane, entry in place.operator.entries()}
    unowned: list[Found] = []
    past: list[Replaced] = []
    for found in selection.unowned:
        before = known.get(found.fingerprint)
        if before is None or (not before.over and before.ref not in entries):
            unowned.append(found)
        elif before.over:
            past.append(before)
        else:
            lane, entry = entries[before.ref]
            chosen.setdefault(entry.ref, Chosen(lane, entry, found.fingerprint))
    return selection._replace(chosen=tuple(chosen.values()), unowned=tuple(unowned)), tuple(past)


def told(each: Replaced) -> str:
    """Since when, by what, and how sure that is: one line."""
    day = time.strftime("%Y-%m-%d", time.gmtime(each.time))
    sure = "proved dead" if each.proved else "nobody could be asked whether it is dead"
    return f"{each.name}: {each.ref} replaced it on {day} ({each.rotation}); {sure}"
