"""OpenAI: rotators and verifier against the stateful fake."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from keyward.detectors import openai as detector
from keyward.rotators.openai import ROTATORS
from servers_support import MARK, Lane, assert_silent, parts

from keyward.errors import Refused, Throttled, Uncertain
from keyward.model.credential import Credential, Target
from keyward.model.verdict import Dead, Live, Restricted, Unknown, Verdict
from keyward.plugin.clock import ManualClock
from keyward.testing.fakes.openai import Account, FakeOpenAI, Key, Project
from keyward.testing.fakes.server import Fault

KEYS, ADMINS = ROTATORS
SERVICE, USER = "openai/service-account-key", "openai/project-key"


class World:
    """A project with the lane's service account, another one beside it, and a key of each."""

    def __init__(self, fake: FakeOpenAI, clock: ManualClock) -> None:
        self.fake, self.clock = fake, clock
        self.project: Project = fake.make_project("lanes")
        self.account: Account = fake.make_account(self.project, "keyward-prod-login")
        self.old = fake.make_key("service_account", self.project.id, self.account.id)
        stranger = fake.make_account(self.project, "somebody")
        self.other = fake.make_key("service_account", self.project.id, stranger.id)

    def lane(self, kind: str = SERVICE, expiry: float = 0.0, admin: str = "", **scope: object) -> Lane:
        scope.setdefault("project", "lanes")
        rotator = ADMINS if kind == "openai/admin-key" else KEYS
        secret = admin or self.fake.admin.value
        return Lane(
            rotator, kind, Target(self.fake.url), admin=parts(secret=secret), scope=scope, expiry=expiry, clock=self.clock
        )

    def verdict(self, key: Key | str, kind: str = SERVICE) -> Verdict:
        return self.lane(kind).verify(detector, parts(secret=key if isinstance(key, str) else key.value))


@pytest.fixture
def world() -> Iterator[World]:
    clock = ManualClock()
    with FakeOpenAI(clock=clock) as fake:
        yield World(fake, clock)


def test_a_key_is_replaced(world: World) -> None:
    lane = world.lane(scopes=["model.request", "api.model.read"], expiry=86400)
    old = parts(secret=world.old.value)
    assert KEYS.identify(lane.job, old) == world.old.id
    before = KEYS.inventory(lane.job)
    assert (before.ids(), before.lane_owned) == ({world.old.id}, True)
    new = KEYS.issue(lane.job, {}, old)
    made = world.fake.keys[new.id]
    assert (made.name, made.scopes, made.owner) == (MARK, ("model.request", "api.model.read"), "service_account")
    assert new.expires == int(world.clock.now()) + 86400
    shown = KEYS.inventory(lane.job).get(new.id)
    assert shown is not None and shown.mark == MARK and shown.expires == new.expires
    live = lane.verify(detector, new.parts)
    assert isinstance(live, Live) and new.parts["secret"].reveal().decode() not in repr(live)
    for _ in range(2):
        KEYS.disable(lane.job, world.old.id, old)
    assert world.old.scopes == ("api.model.read",)
    KEYS.enable(lane.job, world.old.id, old)
    assert world.old.scopes == ("model.request", "api.model.read")
    for _ in range(2):
        KEYS.revoke(lane.job, world.old.id, {})
    KEYS.disable(lane.job, world.old.id, {})
    assert isinstance(world.verdict(world.old), Dead)
    assert isinstance(world.verdict(world.other), Live) and world.other.scopes == ()
    with pytest.raises(Refused, match="gone"):
        KEYS.enable(lane.job, world.old.id, {})
    assert [call.split("/")[0].strip() for call in lane.watch.changes] == [
        each.method for each in world.fake.seen if each.method != "GET"
    ]


def test_a_users_key_is_replaced_by_one_of_the_service_account(world: World) -> None:
    theirs = world.fake.make_key("user", world.project.id, "user-outside")
    lane = world.lane(USER)
    assert KEYS.identify(lane.job, parts(secret=theirs.value)) == theirs.id, "also one whose owner left the project"
    assert not KEYS.capabilities_for(lane.entry).reversible_disable
    assert KEYS.capabilities_for(world.lane().entry).reversible_disable
    with pytest.raises(Refused, match="belongs to a user"):
        KEYS.disable(lane.job, theirs.id, {})
    new = KEYS.issue(lane.job, {}, parts(secret=theirs.value))
    assert world.fake.keys[new.id].account == world.account.id
    KEYS.revoke(lane.job, theirs.id, {})
    assert isinstance(world.verdict(theirs, USER), Dead)
    assert isinstance(lane.verify(detector, new.parts), Live)


def test_a_key_in_another_project_is_found_and_revoked(world: World) -> None:
    elsewhere = world.fake.make_project("elsewhere")
    theirs = world.fake.make_key("user", elsewhere.id)
    lane = world.lane()
    assert KEYS.identify(lane.job, parts(secret=theirs.value)) == theirs.id
    KEYS.revoke(lane.job, theirs.id, {})
    assert theirs.id not in world.fake.keys


@pytest.mark.parametrize("mask", ["...", "****************", "…"])
def test_exactly_one_redacted_value_must_fit(mask: str) -> None:
    with FakeOpenAI(clock=ManualClock(), mask=mask) as fake:
        world = World(fake, ManualClock())
        lane = world.lane()
        old = world.old.value
        assert KEYS.identify(lane.job, parts(secret=old)) == world.old.id
        twin = fake.make_key("service_account", world.project.id, world.account.id, value=old[:40] + "x" + old[41:])
        with pytest.raises(Refused, match="2 of the OpenAI keys fit") as refused:
            KEYS.identify(lane.job, parts(secret=old))
        assert twin.id in str(refused.value)
        assert_silent(refused.value, [old, world.fake.admin.value])
        with pytest.raises(Refused, match="no OpenAI key fits"):
            KEYS.identify(lane.job, parts(secret="sk-" + "a" * 20 + "T3BlbkFJ" + "b" * 20))


def test_a_mask_that_hides_too_much_identifies_nothing() -> None:
    with FakeOpenAI(clock=ManualClock()) as fake:
        world = World(fake, ManualClock())
        fake.redact = lambda key: "sk-..." + key.value[-2:]  # type: ignore[method-assign]
        with pytest.raises(Refused, match="no OpenAI key fits"):
            KEYS.identify(world.lane().job, parts(secret=world.old.value))


def test_another_account_s_key_is_narrowed_but_not_given_scopes_that_nobody_knows(world: World) -> None:
    lane = world.lane()
    KEYS.disable(lane.job, world.other.id, {})
    assert world.other.scopes == ("api.model.read",)
    with pytest.raises(Refused, match="not of the lane's service account"):
        KEYS.enable(lane.job, world.other.id, {})
    quarantined = world.lane(quarantine_scopes=["api.files.read"])
    KEYS.disable(quarantined.job, world.old.id, {})
    assert isinstance(world.verdict(world.old), Restricted)


def test_many_keys_are_listed_page_by_page(world: World) -> None:
    lane = world.lane()
    made = [world.fake.make_key("service_account", world.project.id, world.account.id).id for _ in range(230)]
    assert KEYS.inventory(lane.job).ids() == {world.old.id, *made}


def test_a_lost_reply_leaves_a_marked_key(world: World) -> None:
    lane = world.lane()
    before = KEYS.inventory(lane.job).ids()
    world.fake.fail(Fault("lost", "POST"))
    with pytest.raises(Uncertain):
        KEYS.issue(lane.job, {}, {})
    (orphan,) = (each for each in KEYS.inventory(lane.job).held if each.id not in before)
    assert orphan.mark == MARK
    KEYS.revoke(lane.job, orphan.id, {})
    assert KEYS.inventory(lane.job).ids() == before


@pytest.mark.parametrize(("how", "error"), [("500", Uncertain), ("reset", Uncertain), ("429", Throttled)])
def test_faults_at_a_changing_call(world: World, how: str, error: type[Exception]) -> None:
    lane = world.lane()
    world.fake.fail(Fault(how, "POST"))
    with pytest.raises(error):
        KEYS.issue(lane.job, {}, {})
    assert KEYS.inventory(lane.job).ids() == {world.old.id}


def test_a_wrong_admin_credential_and_a_missing_right(world: World) -> None:
    wrong = world.lane(admin="sk-admin-" + "w" * 40)
    with pytest.raises(Refused, match="does not accept the admin credential") as refused:
        KEYS.issue(wrong.job, {}, {})
    assert_silent(refused.value, ["sk-admin-" + "w" * 40, "wwww"])
    reader = world.fake.make_key("admin", scopes=["api.management.read"])
    with pytest.raises(Refused) as refused:
        KEYS.issue(world.lane(admin=reader.value).job, {}, {})
    assert "admin key" in refused.value.hint
    with pytest.raises(Refused):
        KEYS.inventory(world.lane(admin=world.old.value).job)
    assert len(world.fake.keys) == 4


@pytest.mark.parametrize(
    ("scope", "text"),
    [
        ({"project": ""}, "scope.project is missing"),
        ({"project": "none-such"}, "no project none-such"),
        ({"project": "proj_none"}, "finds nothing"),
        ({"service_account": "none-such"}, "no service account"),
        ({"scopes": "all"}, "must be a list of text"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_made(world: World, scope: dict[str, object], text: str) -> None:
    lane = world.lane(**scope)
    with pytest.raises(Refused, match=text):
        KEYS.issue(lane.job, {}, {})
    assert lane.watch.changes == []


def test_provision(world: World) -> None:
    lane = world.lane(project="new project", service_account="bot")
    plan = list(KEYS.provision(lane.job, apply=False))
    assert [change.done for change in plan] == [False, False] and world.fake.changes == []
    list(KEYS.provision(lane.job, apply=True))
    assert len(world.fake.changes) == 2
    assert [change.done for change in KEYS.provision(lane.job, apply=True)] == [True, True]
    assert len(world.fake.changes) == 2
    inventory = KEYS.inventory(lane.job)
    assert (inventory.held, inventory.lane_owned) == ((), False), "no key came with the account; the name is the operator's"
    assert [c.done for c in KEYS.provision(world.lane().job, apply=True)] == [True, True]


def test_review(world: World) -> None:
    lane = world.lane()
    assert [each.code for each in KEYS.review(lane.job, KEYS.inventory(lane.job))] == ["no-expiry", "over-broad"]
    world.clock.sleep(91 * 86400)
    narrow = world.lane(scopes=["model.request"])
    assert [each.code for each in KEYS.review(narrow.job, KEYS.inventory(narrow.job))] == ["no-expiry", "unused"]


def test_admin_keys_replace_themselves(world: World) -> None:
    lane = world.lane("openai/admin-key", expiry=3600)
    old = parts(secret=world.fake.admin.value)
    assert ADMINS.identify(lane.job, old) == world.fake.admin.id
    assert ADMINS.inventory(lane.job).ids() == {world.fake.admin.id}
    new = ADMINS.issue(lane.job, {}, old)
    assert ADMINS.inventory(lane.job).get(new.id)._replace(created=None, last_used=None).mark == MARK  # type: ignore[union-attr]
    assert isinstance(lane.verify(detector, new.parts), Live)
    renewed = world.lane("openai/admin-key", admin=new.parts["secret"].reveal().decode())
    for _ in range(2):
        ADMINS.revoke(renewed.job, world.fake.admin.id, old)
    assert isinstance(world.verdict(world.fake.admin, "openai/admin-key"), Dead)
    assert {each.code for each in ADMINS.review(renewed.job, ADMINS.inventory(renewed.job))} == set()


def test_an_admin_key_that_deleted_itself_is_gone(world: World) -> None:
    lane = world.lane("openai/admin-key")
    old = parts(secret=world.fake.admin.value)
    for _ in range(2):
        ADMINS.revoke(lane.job, world.fake.admin.id, old)
    with pytest.raises(Refused, match="does not accept"):
        ADMINS.revoke(lane.job, "key_other", parts(secret="another"))


def test_verify(world: World) -> None:
    assert isinstance(world.verdict(world.old), Live)
    assert isinstance(world.verdict("sk-svcacct-" + "x" * 80), Dead)
    world.fake.blocked.add(world.old.value)
    assert isinstance(world.verdict(world.old), Restricted)
    assert isinstance(world.verdict(world.fake.admin), Restricted), "an admin key calls no models"
    narrow = world.fake.make_key("service_account", world.project.id, world.account.id, scopes=["api.files.read"])
    for status in (403, 401):
        world.fake.scope_status = status
        assert isinstance(world.verdict(narrow), Restricted)
    world.other.quota = False
    lane = world.lane()
    credential = Credential(lane.entry.kind, parts(secret=world.other.value))
    with pytest.raises(Throttled):
        detector.verify(credential, lane.entry.target, lane.ports)
    gone = Lane(KEYS, SERVICE, Target(world.fake.url + "/elsewhere"), clock=world.clock)
    assert isinstance(gone.verify(detector, parts(secret=narrow.value)), Unknown)
