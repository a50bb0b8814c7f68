"""A journal is lost: what stands in the store's slots is let go of only where somebody can tell what it is."""

from __future__ import annotations

import pytest
from engine_desk import PATH, Desk, Make, StopAt
from toy_provider import ToyChosen

from keyward.errors import Halted, StoreConflict
from keyward.model.rotation import Proved, Stopped
from keyward.model.secret import Secret
from keyward.plugin.rotator import Rotator
from keyward.plugin.store import Slot
from keyward.rotate.parties import Parties
from keyward.rotate.stranded import Stranded, Way, look, settle
from keyward.testing.fakes.server import Fault


def lost(desk: Make, where: str, rotator: Rotator | None = None) -> tuple[Desk, Parties, dict[Slot, Stranded]]:
    """A rotation that stopped there, whose journal is gone."""
    at = desk(rotator, lane_owned=rotator is not None)
    at.box()
    stop = StopAt(where)
    at.fences = (stop,)
    assert isinstance(at.run(), Stopped)
    stop.armed = False
    at.begin_anew()
    parties = at.rotation().parties
    at.begin_anew()
    return at, parties, {each.slot: each for each in look(parties)}


def ends_well(at: Desk) -> None:
    """Nothing is left in the slots, one credential works, and the entry can be rotated again."""
    assert at.store.read(PATH, Slot.PENDING) is None and at.store.read(PATH, Slot.PREVIOUS) is None
    assert at.world.working() == 1 and at.world.works(at.current()) and at.world.others_untouched()
    assert isinstance(at.run(), Proved)


def test_a_slot_that_was_only_held_free(desk: Make) -> None:
    at, parties, found = lost(desk, "POST")
    assert (found[Slot.PENDING].way, found[Slot.PREVIOUS].way) == (Way.FREE, Way.FREE)
    assert "copy of the current" in found[Slot.PREVIOUS].why and found[Slot.PREVIOUS].id == at.world.id
    for each in found.values():
        settle(parties, each)
    ends_well(at)


def test_a_new_one_that_nobody_was_given_is_revoked(desk: Make) -> None:
    at, parties, found = lost(desk, "journal PROVE seen")
    assert found[Slot.PENDING].way is Way.REVOKE and found[Slot.PENDING].id not in ("", at.world.id)
    assert at.world.working() == 2, "looking changes nothing"
    done = [settle(parties, each) for each in found.values()]
    assert f"{found[Slot.PENDING].id} was revoked" in done[0] and at.world.works(at.world.old)
    ends_well(at)


def test_an_old_one_that_everybody_was_relieved_of_is_revoked(desk: Make) -> None:
    at, parties, found = lost(desk, "journal DRAIN intent")
    assert set(found) == {Slot.PREVIOUS} and (found[Slot.PREVIOUS].way, found[Slot.PREVIOUS].id) == (Way.REVOKE, at.world.id)
    settle(parties, found[Slot.PREVIOUS])
    assert not at.world.works(at.world.old)
    ends_well(at)


def test_one_that_a_consumer_uses_stays(desk: Make) -> None:
    _, _, found = lost(desk, "journal DISTRIBUTE intent")
    assert found[Slot.PREVIOUS].way is Way.KEEP and "box a" in found[Slot.PREVIOUS].why


def test_the_only_one_that_works_becomes_the_current_one(desk: Make) -> None:
    at, parties, found = lost(desk, "journal ISSUE seen", ToyChosen())
    assert not at.world.works(at.current()) and found[Slot.PENDING].way is Way.PROMOTE
    done = settle(parties, found[Slot.PENDING])
    assert "box a has it" in done and at.world.works(at.current())
    settle(parties, {each.slot: each for each in look(parties)}[Slot.PREVIOUS])
    ends_well(at)


def test_what_nobody_can_tell_stays(desk: Make) -> None:
    at, parties, found = lost(desk, "journal PROVE seen")
    at.world.toy.fail(Fault("500", path="/me", times=99))
    assert {each.slot: each.way for each in look(parties)} == {Slot.PENDING: Way.KEEP, Slot.PREVIOUS: Way.FREE}
    at.world.toy.faults.clear()
    assert look(parties._replace(verify=None))[0].way is Way.KEEP
    del at.world.toy.keys[found[Slot.PENDING].id]
    assert look(parties)[0].way is Way.FREE, "the provider refuses it"


def test_what_somebody_wrote_meanwhile_is_not_thrown_away(desk: Make) -> None:
    at, parties, found = lost(desk, "POST")
    each = found[Slot.PENDING]
    at.store.write(PATH, Slot.PENDING, {"secret": Secret(b"another's")}, {}, expected=each.version)
    with pytest.raises((Halted, StoreConflict)):
        settle(parties, each)
    held = at.store.read(PATH, Slot.PENDING)
    assert held is not None and held.parts == {"secret": Secret(b"another's")}
