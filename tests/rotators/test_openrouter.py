"""OpenRouter: rotator and verifier against the stateful fake."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from keyward.detectors import openrouter as detector
from keyward.rotators.openrouter import ROTATORS
from servers_support import MARK, Lane, assert_silent, parts

from keyward.errors import Refused, Throttled, Uncertain
from keyward.model.credential import Target
from keyward.model.verdict import Dead, Live, Verdict
from keyward.plugin.clock import ManualClock
from keyward.testing.fakes.openrouter import FakeOpenRouter, Key
from keyward.testing.fakes.server import Fault

ROTATOR = ROTATORS[0]


class World:
    """An account with the lane's key and somebody else's."""

    def __init__(self, fake: FakeOpenRouter, clock: ManualClock) -> None:
        self.fake, self.clock = fake, clock
        self.old, self.other = fake.make_key("by hand"), fake.make_key("theirs")

    def lane(self, admin: str = "", expiry: float = 0.0, **scope: object) -> Lane:
        secret = parts(secret=admin or self.fake.management.value)
        target = Target(self.fake.url)
        return Lane(ROTATOR, "openrouter/api-key", target, admin=secret, scope=scope, expiry=expiry, clock=self.clock)

    def verdict(self, key: Key | str) -> Verdict:
        return self.lane().verify(detector, parts(secret=key if isinstance(key, str) else key.value))


@pytest.fixture(params=[True, False], ids=["hash-is-sha256", "hash-is-not"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    clock = ManualClock()
    with FakeOpenRouter(clock=clock, hash_is_sha256=request.param) as fake:
        yield World(fake, clock)


def test_a_key_is_replaced(world: World) -> None:
    lane = world.lane(limit=5, limit_reset="monthly", expiry=86400)
    old = parts(secret=world.old.value)
    assert ROTATOR.identify(lane.job, old) == world.old.hash
    before = ROTATOR.inventory(lane.job)
    assert before.ids() == {world.old.hash, world.other.hash} and not before.lane_owned
    new = ROTATOR.issue(lane.job, {}, old)
    made = world.fake.keys[new.id]
    assert (made.name, made.limit, made.limit_reset) == (f"{MARK} prod/login", 5.0, "monthly")
    assert new.expires == made.expires == world.clock.now() + 86400
    shown = ROTATOR.inventory(lane.job).get(new.id)
    assert shown is not None and (shown.mark, shown.expires) == (MARK, new.expires)
    live = lane.verify(detector, new.parts)
    assert isinstance(live, Live) and live.scopes == () and new.parts["secret"].reveal().decode() not in repr(live)
    for _ in range(2):
        ROTATOR.disable(lane.job, world.old.hash, old)
    assert isinstance(world.verdict(world.old), Dead)
    assert ROTATOR.inventory(lane.job).get(world.old.hash)._replace(created=None).active is False  # type: ignore[union-attr]
    ROTATOR.enable(lane.job, world.old.hash, old)
    assert isinstance(world.verdict(world.old), Live)
    for _ in range(2):
        ROTATOR.revoke(lane.job, world.old.hash, {})
    ROTATOR.disable(lane.job, world.old.hash, {})
    assert isinstance(world.verdict(world.old), Dead) and isinstance(world.verdict(world.other), Live)
    with pytest.raises(Refused, match="gone"):
        ROTATOR.enable(lane.job, world.old.hash, {})
    calls = [each for each in world.fake.seen if each.method != "GET"]
    assert [call.split(" ")[0] for call in lane.watch.changes] == [each.method for each in calls]


def test_a_stopped_or_expired_key_is_still_found(world: World) -> None:
    lane = world.lane()
    world.old.disabled, world.old.refused_from = True, 0.0
    if world.fake.hash_is_sha256:
        assert ROTATOR.identify(lane.job, parts(secret=world.old.value)) == world.old.hash
    else:
        with pytest.raises(Refused, match="cannot confirm"):
            ROTATOR.identify(lane.job, parts(secret=world.old.value))


def test_a_management_key_and_a_foreign_one_are_not_identified(world: World) -> None:
    lane = world.lane()
    for value in (world.fake.management.value, "sk-or-v1-" + "0" * 64):
        with pytest.raises(Refused, match="no OpenRouter key fits") as refused:
            ROTATOR.identify(lane.job, parts(secret=value))
        assert_silent(refused.value, [value])
    live = world.verdict(world.fake.management)
    assert isinstance(live, Live) and live.scopes == ("management",)


def test_keys_that_look_alike_are_never_guessed() -> None:
    with FakeOpenRouter(clock=ManualClock(), hash_is_sha256=False) as fake:
        world = World(fake, ManualClock())
        lane = world.lane()
        other = "0" if world.old.value[20] != "0" else "1"
        twin = fake.make_key("twin", value=world.old.value[:20] + other + world.old.value[21:])
        with pytest.raises(Refused, match="2 of the OpenRouter keys fit"):
            ROTATOR.identify(lane.job, parts(secret=world.old.value))
        # the same two ends, in another account: the listing fits, and the key says that it is another
        del fake.keys[twin.hash]
        twin.workspace = "ws_elsewhere"
        fake.keys["elsewhere"] = twin
        with pytest.raises(Refused, match="says that it is another"):
            ROTATOR.identify(lane.job, parts(secret=twin.value))


def test_many_keys_are_listed_page_by_page(world: World) -> None:
    made = [world.fake.make_key(f"k{number}").hash for number in range(230)]
    assert ROTATOR.inventory(world.lane().job).ids() == {world.old.hash, world.other.hash, *made}


def test_a_lost_reply_leaves_a_marked_key(world: World) -> None:
    lane = world.lane()
    world.fake.fail(Fault("lost", "POST"))
    with pytest.raises(Uncertain):
        ROTATOR.issue(lane.job, {}, {})
    (orphan,) = (each for each in ROTATOR.inventory(lane.job).held if each.mark == MARK)
    ROTATOR.revoke(lane.job, orphan.id, {})
    assert ROTATOR.inventory(lane.job).ids() == {world.old.hash, world.other.hash}


@pytest.mark.parametrize(("how", "error"), [("500", Uncertain), ("reset", Uncertain), ("429", Throttled)])
def test_faults_at_a_changing_call(world: World, how: str, error: type[Exception]) -> None:
    lane = world.lane()
    world.fake.fail(Fault(how, "POST"))
    with pytest.raises(error):
        ROTATOR.issue(lane.job, {}, {})
    assert len(ROTATOR.inventory(lane.job).held) == 2


def test_a_wrong_admin_credential(world: World) -> None:
    for value in ("sk-or-v1-" + "f" * 64, world.other.value):
        with pytest.raises(Refused, match="does not accept the admin credential") as refused:
            ROTATOR.issue(world.lane(value).job, {}, {})
        assert "management key" in refused.value.hint
        assert_silent(refused.value, [value])
    assert len(world.fake.keys) == 3


@pytest.mark.parametrize(
    "scope", [{"limit": "5"}, {"limit": True}, {"limit": -1}, {"limit": 5, "limit_reset": "hourly"}, {"limit_reset": "daily"}]
)
def test_bad_settings_are_refused_before_anything_is_made(world: World, scope: dict[str, object]) -> None:
    lane = world.lane(**scope)
    with pytest.raises(Refused, match=r"scope\.limit"):
        ROTATOR.issue(lane.job, {}, {})
    assert lane.watch.calls == []


def test_a_workspace_of_its_own(world: World) -> None:
    lane = world.lane(workspace="ws_lane")
    new = ROTATOR.issue(lane.job, {}, {})
    assert ROTATOR.inventory(lane.job).ids() == {new.id}
    assert ROTATOR.identify(lane.job, new.parts) == new.id
    assert ROTATOR.identify(lane.job, parts(secret=world.other.value)) == world.other.hash, "the default one is looked at too"


def test_review_speaks_of_the_lane_s_keys_alone(world: World) -> None:
    lane = world.lane()
    ROTATOR.issue(lane.job, {}, {})
    ROTATOR.issue(world.lane(limit=1, expiry=200 * 86400).job, {}, {})
    inventory = ROTATOR.inventory(lane.job)
    assert [each.code for each in ROTATOR.review(lane.job, inventory)] == ["over-broad", "no-expiry"]
    world.clock.sleep(91 * 86400)
    assert [each.code for each in ROTATOR.review(lane.job, inventory)].count("unused") == 2


def test_verify(world: World) -> None:
    assert isinstance(world.verdict(world.old), Live)
    assert isinstance(world.verdict("sk-or-v1-" + "0" * 64), Dead)
