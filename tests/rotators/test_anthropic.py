"""Anthropic: rotator and verifier against the stateful fake. A key is made by a person; here the fake plays it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from keyward.detectors import anthropic as detector
from keyward.rotators.anthropic import ROTATORS
from servers_support import Lane, assert_silent, parts

from keyward.errors import Refused, Throttled, Uncertain
from keyward.model.credential import Target
from keyward.model.verdict import Dead, Live, Restricted, Verdict
from keyward.plugin.clock import ManualClock
from keyward.testing.fakes.anthropic import FakeAnthropic, Key, Workspace
from keyward.testing.fakes.server import Fault

ROTATOR = ROTATORS[0]


class World:
    """A lane's workspace with a key, and somebody else's key in the default one."""

    def __init__(self, fake: FakeAnthropic, clock: ManualClock) -> None:
        self.fake, self.clock = fake, clock
        self.workspace = Workspace("wrkspc_lane", "keyward-prod-login", clock.now())
        fake.workspaces[self.workspace.id] = self.workspace
        self.old = fake.console_create_key("by hand", self.workspace.id)
        self.other = fake.console_create_key("theirs")

    def lane(self, admin: str = "", kind: str = "anthropic/api-key", **scope: object) -> Lane:
        secret = parts(secret=admin or self.fake.admin)
        return Lane(ROTATOR, kind, Target(self.fake.url), admin=secret, scope=scope, clock=self.clock)

    def verdict(self, key: Key | str, kind: str = "anthropic/api-key") -> Verdict:
        return self.lane(kind=kind).verify(detector, parts(secret=key if isinstance(key, str) else key.value))


@pytest.fixture
def world() -> Iterator[World]:
    clock = ManualClock()
    with FakeAnthropic(clock=clock) as fake:
        yield World(fake, clock)


def test_the_old_key_is_stopped_and_archived_once_a_person_made_the_new_one(world: World) -> None:
    assert ROTATOR.manual is not None and len(ROTATOR.manual.steps) == 3
    lane = world.lane()
    old = parts(secret=world.old.value)
    assert ROTATOR.identify(lane.job, old) == world.old.id
    inventory = ROTATOR.inventory(lane.job)
    assert (inventory.principal, inventory.ids(), inventory.lane_owned) == (world.workspace.id, {world.old.id}, True)
    new = world.fake.console_create_key("by hand", world.workspace.id, expires_in=86400)
    assert ROTATOR.identify(lane.job, parts(secret=new.value)) == new.id
    for _ in range(2):
        ROTATOR.disable(lane.job, world.old.id, old)
    assert world.old.status == "inactive" and isinstance(world.verdict(world.old), Dead)
    for _ in range(2):
        ROTATOR.enable(lane.job, world.old.id, old)
    assert isinstance(world.verdict(world.old), Live)
    ROTATOR.disable(lane.job, world.old.id, old)
    for _ in range(2):
        ROTATOR.revoke(lane.job, world.old.id, {})
    ROTATOR.disable(lane.job, world.old.id, {})
    assert world.old.status == "archived" and isinstance(world.verdict(world.old), Dead)
    with pytest.raises(Refused, match="cannot be made active"):
        ROTATOR.enable(lane.job, world.old.id, {})
    assert ROTATOR.identify(lane.job, old) == world.old.id, "an archived key is still known"
    assert isinstance(world.verdict(world.other), Live) and isinstance(world.verdict(new), Live)
    assert len(lane.watch.changes) == len(world.fake.changes) == 4
    ROTATOR.revoke(lane.job, "apikey_none", {})


def test_exactly_one_hint_must_fit(world: World) -> None:
    lane = world.lane()
    old = world.old.value
    world.fake.console_create_key("twin", value=old[:30] + "x" + old[31:])
    with pytest.raises(Refused, match="2 of the Anthropic keys fit") as refused:
        ROTATOR.identify(lane.job, parts(secret=old))
    assert_silent(refused.value, [old, world.fake.admin])
    with pytest.raises(Refused, match="no Anthropic key fits"):
        ROTATOR.identify(lane.job, parts(secret="sk-ant-api03-" + "z" * 93 + "AA"))


def test_provision_makes_the_workspace_once(world: World) -> None:
    lane = world.lane(workspace="another lane")
    assert [c.done for c in ROTATOR.provision(lane.job, apply=False)] == [False] and world.fake.changes == []
    with pytest.raises(Refused, match="no workspace another lane"):
        ROTATOR.inventory(lane.job)
    assert [c.done for c in ROTATOR.provision(lane.job, apply=True)] == [False]
    assert [c.done for c in ROTATOR.provision(lane.job, apply=True)] == [True]
    made = next(each for each in world.fake.workspaces.values() if each.name == "another lane")
    assert made.tags == {"keyward-lane": "prod/login"} and len(world.fake.changes) == 1
    assert ROTATOR.inventory(world.lane(workspace=made.id).job).held == ()
    with pytest.raises(Refused, match="40 characters"):
        ROTATOR.provision(world.lane(workspace="x" * 41).job, apply=True)
    world.fake.workspaces["wrkspc_two"] = Workspace("wrkspc_two", "another lane", world.clock.now())
    with pytest.raises(Refused, match="2 workspaces"):
        ROTATOR.inventory(lane.job)


def test_a_wrong_admin_credential_and_a_missing_right(world: World) -> None:
    wrong = "sk-ant-admin01-" + "w" * 93 + "AA"
    with pytest.raises(Refused, match="does not accept the admin credential") as refused:
        ROTATOR.disable(world.lane(wrong).job, world.old.id, {})
    assert_silent(refused.value, [wrong])
    with pytest.raises(Refused, match="does not allow") as refused:
        ROTATOR.disable(world.lane(world.other.value).job, world.old.id, {})
    assert "admin key" in refused.value.hint
    assert_silent(refused.value, [world.other.value])
    assert world.old.status == "active"


@pytest.mark.parametrize(("how", "error"), [("500", Uncertain), ("lost", Uncertain), ("429", Throttled)])
def test_faults_at_a_changing_call_are_told_and_it_can_be_done_again(world: World, how: str, error: type[Exception]) -> None:
    lane = world.lane()
    world.fake.fail(Fault(how, "POST"))
    with pytest.raises(error):
        ROTATOR.revoke(lane.job, world.old.id, {})
    ROTATOR.revoke(lane.job, world.old.id, {})
    assert world.old.status == "archived"


def test_review_and_pages(world: World) -> None:
    lane = world.lane()
    for number in range(1100):
        world.fake.console_create_key(f"k{number}", world.workspace.id, expires_in=3600)
    inventory = ROTATOR.inventory(lane.job)
    assert len(inventory.held) == 1101
    assert [each.code for each in ROTATOR.review(lane.job, inventory)] == ["no-expiry"]


def test_verify(world: World) -> None:
    live = world.verdict(world.fake.admin, "anthropic/admin-key")
    assert isinstance(live, Live) and live.principal == "Acme"
    assert isinstance(world.verdict("sk-ant-admin01-" + "x" * 93 + "AA", "anthropic/admin-key"), Dead)
    world.fake.blocked.add(world.old.value)
    assert isinstance(world.verdict(world.old), Restricted)
    short = world.fake.console_create_key("short", expires_in=60)
    assert isinstance(world.verdict(short), Live)
    world.clock.sleep(61)
    assert isinstance(world.verdict(short), Dead)
