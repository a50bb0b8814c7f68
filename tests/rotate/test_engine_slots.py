"""An account that has no place left for a second key: nothing dies, unless the operator said that it may."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_desk import Desk, StopAt
from toy_provider import Toy, ToyRotator, ToyWorld

from keyward.model.rotation import Aborted, Proved, Stopped
from keyward.plugin.store import Slot
from keyward.rotate.abort import abort
from keyward.rotate.parties import Options


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Desk]:
    """The lane's principal has two keys, a colleague's and the old one, and there is room for two."""
    with Toy(slots=2) as toy:
        desk = Desk(ToyWorld(toy, ToyRotator(), lane_owned=False), str(tmp_path))
        yield desk
        desk.close()


def test_a_full_house_stops_it_and_can_be_taken_back(full: Desk) -> None:
    outcome = full.run()
    assert isinstance(outcome, Stopped) and outcome.step == "ISSUE" and "no free slot" in outcome.reason
    assert full.world.changes() == [] and full.world.works(full.world.old) and full.world.others_untouched()
    assert isinstance(full.run(), Stopped) and full.world.changes() == []
    assert isinstance(abort(full.rotation()), Aborted)
    assert [full.store.read(full.entry.path, slot) for slot in (Slot.PENDING, Slot.PREVIOUS)] == [None, None]
    assert dict(full.current()) == dict(full.world.old)


def test_where_the_operator_says_so_the_old_one_makes_room_and_the_colleagues_stays(full: Desk) -> None:
    box = full.box()
    assert isinstance(full.run(Options(delete_first=True)), Proved)
    assert full.world.working() == 1 and full.world.works(full.current()) and box.held == dict(full.current())
    assert not full.world.works(full.world.old) and full.world.others_untouched()


@pytest.mark.parametrize("instant", ["DELETE", "journal REVOKE seen", "journal ISSUE seen", "journal PROVE seen"])
def test_stopped_while_it_makes_room_it_is_resumed(full: Desk, instant: str) -> None:
    """Between the death of the old one and the new one nobody has any: what was agreed to holds for the resume, too."""
    box = full.box()
    stop = StopAt(instant)
    full.fences = (stop,)
    assert isinstance(full.run(Options(delete_first=True)), Stopped)
    stop.armed = False
    assert isinstance(full.run(), Proved)
    assert full.world.working() == 1 and full.world.works(full.current()) and box.held == dict(full.current())
    assert full.world.others_untouched()


def test_room_that_comes_is_used(full: Desk) -> None:
    assert isinstance(full.run(), Stopped)
    full.world.toy.slots = 3
    assert isinstance(full.run(), Proved)
    assert full.world.others_untouched() and full.world.working() == 1
