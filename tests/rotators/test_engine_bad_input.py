"""What does not fit is refused by a whole rotation before anything outside changes, with the reason and the next step.

At stateful fakes and the engine's toy; what a person types is tried in tests/cli/test_rotation_mistakes.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from contract_worlds import FakeWorld, parts, tencent
from engine_desk import PATH, Desk
from test_contract_openai import openai
from toy_provider import ToyRotator, toy_world

from keyward.errors import ConfigError
from keyward.model.kind import Kind
from keyward.model.rotation import Proved, Stopped
from keyward.model.secret import Secret
from keyward.plugin.ports import Call
from keyward.plugin.store import Slot
from keyward.rotate.lanes import load_lanes
from keyward.testing.fakes.openai import FakeOpenAI
from keyward.testing.fakes.tencent import FakeTencent
from keyward.testing.rotator_contract import Bench


@contextmanager
def bench(world: Any, folder: Path) -> Iterator[Bench]:
    with world as made:
        at = Bench(made, str(folder), made.clock)
        at.prepare()
        yield at


def refused(at: Bench, *said: str) -> None:
    """It stops before it begins, says all of it, and leaves everything as it was."""
    before = Path(at.store_file).read_bytes()
    outcome = at.run()
    assert isinstance(outcome, Stopped) and outcome.step == "PLAN" and not outcome.changed, outcome
    text = f"{outcome.reason} {outcome.hint}"
    assert outcome.hint and [each for each in said if each not in text] == [], text
    assert at.world.changes() == [] and Path(at.store_file).read_bytes() == before
    at.check_untouched()


def wrong_at_tencent(world: FakeWorld) -> None:
    world.admin = parts(id=world.admin["id"].reveal().decode(), secret="w" * 32)


def wrong_at_openai(world: FakeWorld) -> None:
    world.admin = parts(secret="sk-admin-" + "w" * 40)


@pytest.mark.parametrize(
    ("world", "spoil", "said"),
    [(tencent, wrong_at_tencent, "SignatureFailure"), (openai, wrong_at_openai, "does not accept the admin credential")],
)
def test_a_wrong_admin_credential(
    world: Callable[[], Any], spoil: Callable[[FakeWorld], None], said: str, tmp_path: Path
) -> None:
    with bench(world(), tmp_path) as at:
        spoil(at.world)  # type: ignore[arg-type]
        refused(at, said)


def may_only(world: FakeWorld, *actions: str) -> None:
    """Gives the rotation an admin with these rights alone."""
    fake: FakeTencent = world.fake  # type: ignore[assignment]
    policy = fake.make_policy("weak", *actions)
    key = fake.make_key(fake.make_user("weak", policy.id))
    world.admin = parts(id=key.id, secret=key.secret)
    world._foreign.add(key.secret)
    fake.seen.clear()


def test_a_missing_right_to_look_is_named(tmp_path: Path) -> None:
    with bench(tencent(), tmp_path) as at:
        may_only(at.world, "cam:GetUser")  # type: ignore[arg-type]
        refused(at, "cam:ListAccessKeys")


def test_a_missing_right_to_make_is_named_and_nothing_is_changed(tmp_path: Path) -> None:
    """Nobody can be asked beforehand whether one may; the provider's refusal comes before any change of it."""
    with bench(tencent(), tmp_path) as at:
        may_only(at.world, "cam:GetUser", "cam:ListAccessKeys")  # type: ignore[arg-type]
        outcome = at.run()
        assert isinstance(outcome, Stopped) and "cam:CreateAccessKey" in outcome.hint
        assert at.world.changes() == [] and at.world.works(at.world.old)
        assert at.run(abort=True).rotation
        at.check_untouched()


def test_a_missing_right_to_kill_is_named_and_nobody_goes_without(tmp_path: Path) -> None:
    with bench(tencent(), tmp_path) as at:
        may_only(at.world, "cam:GetUser", "cam:ListAccessKeys", "cam:CreateAccessKey")  # type: ignore[arg-type]
        outcome = at.run()
        assert isinstance(outcome, Stopped) and outcome.step == "REVOKE" and "cam:UpdateAccessKey" in outcome.hint
        assert at.world.works(at.world.old) and at.world.works(at.consumed()) and at.world.others_untouched()


def test_a_leaked_value_that_fits_several_keys(tmp_path: Path) -> None:
    with bench(openai(), tmp_path) as at:
        world: Any = at.world
        fake: FakeOpenAI = world.fake
        old = next(key for key in fake.keys.values() if key.value == world.old["secret"].reveal().decode())
        twin = fake.make_key("service_account", old.project, old.account, value=old.value[:40] + "x" + old.value[41:])
        world._foreign.add(twin.value)
        refused(at, "2 of the OpenAI keys fit", old.id, twin.id)


def test_a_kind_that_the_rotator_does_not_know(tmp_path: Path) -> None:
    with bench(tencent(), tmp_path) as at:
        world: Any = at.world
        world.entry = world.entry._replace(kind=Kind("tencent/acces-key"))
        outcome = at.run()
        assert isinstance(outcome, Stopped) and "does not know tencent/acces-key" in outcome.reason and not outcome.changed
        assert world.changes() == []
        at.check_untouched()


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"lane": "another"}, "belongs to lane another"),
        ({"kind": "aws/access-key"}, "holds a aws/access-key"),
    ],
)
def test_a_path_in_the_store_that_holds_something_else(labels: dict[str, str], said: str, tmp_path: Path) -> None:
    with toy_world(ToyRotator()) as world:
        desk = Desk(world, str(tmp_path))
        theirs = {"secret": Secret(b"theirs" * 4)}
        desk.store.write(PATH, Slot.CURRENT, theirs, labels, expected=1)
        outcome = desk.run()
        assert isinstance(outcome, Stopped) and outcome.step == "PLAN" and not outcome.changed
        assert said in outcome.reason and "path" in outcome.hint
        assert dict(desk.current()) == theirs and world.changes() == [] and world.works(world.old)
        assert desk.store.read(PATH, Slot.PENDING) is None and desk.store.read(PATH, Slot.PREVIOUS) is None
        desk.close()


@pytest.mark.parametrize("slot", [Slot.PENDING, Slot.PREVIOUS])
def test_a_slot_that_another_rotation_holds(slot: Slot, tmp_path: Path) -> None:
    with toy_world(ToyRotator()) as world:
        desk = Desk(world, str(tmp_path))
        desk.store.write(PATH, slot, {"secret": Secret(b"theirs" * 4)}, {"rotation": "r-earlier"}, expected=0)
        outcome = desk.run()
        assert isinstance(outcome, Stopped) and outcome.step == "PLAN" and not outcome.changed
        assert "r-earlier" in outcome.reason and "keyward resume r-earlier" in outcome.hint and world.changes() == []
        desk.close()


class Meddler:
    """A fence: somebody changes the consumer's file when a journal line is about to be written."""

    def __init__(self, at: Bench, what: str) -> None:
        self._at, self._what = at, what

    def before(self, call: Call) -> None:
        if call.what == self._what:
            with open(self._at.held_file, "wb") as file:
                file.write(b"secret=" + b"6d696e65")

    def after(self, call: Call, outcome: str) -> None: ...


def test_a_consumer_that_was_changed_before_the_plan(tmp_path: Path) -> None:
    with bench(tencent(), tmp_path) as at:
        held = Path(at.held_file).read_bytes()
        Path(at.held_file).write_bytes(b"secret=6d696e65")
        outcome = at.run()
        assert isinstance(outcome, Stopped) and "does not hold the value" in outcome.reason and not outcome.changed
        assert Path(at.held_file).read_bytes() == b"secret=6d696e65" and at.world.changes() == []
        Path(at.held_file).write_bytes(held)
        at.check_untouched()


def test_a_consumer_that_is_changed_on_the_way_is_not_overwritten_and_the_old_one_lives(tmp_path: Path) -> None:
    with bench(tencent(), tmp_path) as at:
        held = Path(at.held_file).read_bytes()
        outcome = at.run(Meddler(at, "journal PROMOTE intent"))
        assert isinstance(outcome, Stopped) and outcome.step == "DISTRIBUTE" and "neither the old nor the new" in outcome.reason
        assert "keyward resume" in outcome.hint
        assert Path(at.held_file).read_bytes() == b"secret=6d696e65" and at.world.works(at.world.old)
        Path(at.held_file).write_bytes(held)
        assert isinstance(at.run(), Proved)
        at.check_rotated()


STORES = '[stores.one]\ntype = "memory"\n[stores.two]\ntype = "memory"\n'
ENTRY = '[[lanes.bot.credentials]]\nname = "key"\nkind = "openrouter/api-key"\n'


@pytest.mark.parametrize(
    ("lane", "said", "hint"),
    [("[lanes.bot]\n", "no store is named", "one, two"), ('[lanes.bot]\nstore = "onne"\n', "there is no such store", "`one`")],
)
def test_a_lane_without_a_store(lane: str, said: str, hint: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(STORES + lane + ENTRY)
    os.chmod(path, 0o600)
    with pytest.raises(ConfigError) as caught:
        load_lanes(str(path))
    assert said in str(caught.value) and hint in caught.value.hint
