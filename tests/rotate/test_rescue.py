"""The old one died when the new one was made, and the store is gone: somebody must be left with a credential that works."""

from __future__ import annotations

from typing import Any

import pytest
from engine_desk import PATH, Box, Desk, Make
from toy_provider import ToyRotator

from keyward.errors import Refused, StoreDenied, StoreUnavailable
from keyward.model.credential import SecretParts
from keyward.model.rotation import Outcome, Proved, Stopped, WaitingHuman
from keyward.model.secret import Secret
from keyward.plugin.clock import Clock
from keyward.plugin.ports import Call
from keyward.plugin.rotator import Capabilities, Issued, Job, Overlap
from keyward.plugin.store import Slot
from keyward.rotate.gates import StopSwitch
from keyward.rotate.journal import Journal
from keyward.rotate.ledger import State, standing
from keyward.rotate.parties import Options
from keyward.rotate.rescue import HOLD
from keyward.stores.memory import MemoryStore


class Rolled(ToyRotator):
    """The provider gives a key a new value; a key that is dead is made anew by the admin."""

    capabilities = Capabilities(overlap=Overlap.NONE, settle=5, propagation=5)

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        http, id = self._http(job), old["id"].reveal().decode()
        lives = http.request("GET", "/me", headers={"authorization": f"Bearer {old['secret'].reveal().decode()}"})
        if lives.status != 200:
            return super().issue(job, new, old)
        value = http.request("POST", f"/keys/{id}/roll").object()["value"]
        return Issued(id, {"id": Secret(id.encode()), "secret": Secret(value.encode())})


class Flaky(MemoryStore):
    """Takes no new value until `back`, by the desk's clock."""

    def __init__(self, clock: Clock, back: float, error: Exception | None = None) -> None:
        super().__init__()
        self.clock, self.back, self.error = clock, back, error or StoreUnavailable("gone", certain=True)
        self.refused = 0

    def write(self, path: str, slot: Slot, parts: SecretParts, labels: Any, *, expected: int) -> int:
        if labels.get("state") == "issued" and self.clock.now() < self.back:
            self.refused += 1
            raise self.error
        return super().write(path, slot, parts, labels, expected=expected)


def rolled(desk: Make, seconds: float, error: Exception | None = None) -> tuple[Desk, Flaky]:
    at = desk(Rolled(), lane_owned=True)
    store = Flaky(at.clock, at.clock.now() + seconds, error)
    store.write(PATH, Slot.CURRENT, at.world.old, {}, expected=0)
    at.store = store
    return at, store


@pytest.mark.parametrize("error", [StoreUnavailable("gone"), StoreDenied("the token has no right")])
def test_a_store_that_comes_back_gets_the_value_that_was_held_for_it(desk: Make, error: Exception) -> None:
    at, store = rolled(desk, HOLD / 2, error)
    box = at.box()
    told: list[str] = []
    outcome = at.rotation(tell=lambda ref, step, detail: told.append(detail)).run()
    assert isinstance(outcome, Proved), outcome
    assert store.refused > 3 and at.world.works(at.current()) and box.held == dict(at.current())
    assert any("holding the new one" in text for text in told)


def test_a_store_that_does_not_come_back_leaves_the_consumers_working(desk: Make) -> None:
    at, store = rolled(desk, 10 * HOLD)
    box, other = at.box(), at.box("bad", host="bad")
    begun = at.clock.now()
    outcome = at.run(Options(withheld_hosts=frozenset({"bad"})))
    assert isinstance(outcome, WaitingHuman) and "box a" in " ".join(outcome.manual.steps)
    assert HOLD <= at.clock.now() - begun <= HOLD + 60, "bounded"
    assert at.world.works(box.held) and at.world.working() == 1 and other.held == dict(at.world.old)
    assert standing(Journal.open_(at.journal_folder, at.clock)).state is State.WAITING
    assert isinstance(at.run(), WaitingHuman), "a second one would leave the consumers with a dead one"
    store.back = 0
    _, value = at.world.toy.mint("lane", "another")
    with pytest.raises(Refused):
        at.rotation().provide({"id": Secret(b"k99"), "secret": Secret(value.encode())})
    at.rotation().provide(box.held)
    outcome = at.run()
    assert isinstance(outcome, Proved) and dict(at.current()) == box.held, outcome
    assert [each.reason for each in outcome.withheld] == ["bad"]
    assert box.held["secret"].reveal().decode() not in at.journal_text()


def test_where_nobody_takes_it_it_is_revoked_and_another_is_made(desk: Make) -> None:
    at, store = rolled(desk, 10 * HOLD)
    outcome = at.run()
    assert isinstance(outcome, Stopped) and at.world.working() == 0, "what nobody has must not live"
    store.back = 0
    assert isinstance(at.run(), Proved) and at.world.works(at.current()) and at.world.working() == 1


def test_a_consumer_with_somebody_elses_value_is_not_overwritten(desk: Make) -> None:
    at, _ = rolled(desk, 10 * HOLD)
    other = at.box()
    theirs = {"id": Secret(b"x"), "secret": Secret(b"somebody's own value")}

    def tell(ref: str, step: str, detail: str) -> None:
        if step == "ISSUE":
            other.held = dict(theirs)

    assert isinstance(at.rotation(tell=tell).run(), Stopped)
    assert other.held == theirs


class _StopsLate:
    """Presses Ctrl-C when the new value has been made."""

    def __init__(self, switch: StopSwitch) -> None:
        self.switch = switch

    def before(self, call: Call) -> None:
        """Nothing."""

    def after(self, call: Call, outcome: str) -> None:
        if call.what.endswith("/roll"):
            self.switch.stop()


def test_who_stops_it_ends_the_waiting_and_loses_nothing(desk: Make) -> None:
    at, _ = rolled(desk, 10 * HOLD)
    box: Box = at.box()
    switch = StopSwitch(at.clock)
    at.fences = (switch, _StopsLate(switch))
    begun = at.clock.now()
    rotation = at.rotation()
    rotation.slots = rotation.slots._replace(clock=switch)
    rotation.parties = rotation.parties._replace(clock=switch)
    outcome: Outcome = rotation.run()
    assert isinstance(outcome, WaitingHuman), outcome
    assert at.clock.now() - begun < 60 and at.world.works(box.held)
