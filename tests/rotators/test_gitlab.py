"""GitLab: create and delete, rotation in place with its trap, and the verifier."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from keyward.detectors import gitlab as detector
from keyward.rotators.gitlab import ACCESS, ROTATORS

from keyward.errors import ProviderError, Refused, Throttled, Uncertain
from keyward.model.credential import Credential, SecretParts, Target
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.model.verdict import Dead, Live, Restricted, Unknown
from keyward.plugin.clock import ManualClock
from keyward.plugin.ports import Call, Ports
from keyward.plugin.rotator import Inventory, Job, Overlap
from keyward.plugin.verifier import Verifier, ask, hosts_for
from keyward.testing.fakes.gitlab import DEVELOPER, MAINTAINER, OWNER, FakeGitLab, Refusal, Token
from keyward.testing.fakes.server import Fault, Request, Response

ROTATOR = ROTATORS[0]
MARK = "keyward:r-1"
VERIFIER = Verifier(detector.HOSTS, detector.verify)


class Fence:
    def __init__(self) -> None:
        self.changes: list[str] = []

    def before(self, call: Call) -> None:
        if call.changes:
            self.changes.append(call.what)

    def after(self, call: Call, outcome: str) -> None:
        """Only what is sent is of interest."""


class World:
    """An instance with a maintainer of a project, an owner of a group, and an administrator."""

    def __init__(self, fake: FakeGitLab) -> None:
        self.fake, self.fence = fake, Fence()
        self.person, self.root, self.service = (
            fake.add_user("person"),
            fake.add_user("root", admin=True),
            fake.add_user("service"),
        )
        self.project = fake.add_project("acme/app", person=MAINTAINER)
        self.group = fake.add_group("acme", person=OWNER)
        self.admin, self.root_token = fake.add_token(self.person, "api"), fake.add_token(self.root, "api")

    def job(self, admin: Token | None = None, **scope: object) -> Job:
        scope = {"project": "acme/app", "scopes": ["read_repository"]} | scope
        entry = Entry(
            "prod", "gl", ACCESS, "vault", "prod/gl", Target(self.fake.url), {k: v for k, v in scope.items() if v is not None}
        )
        ports = Ports(ROTATOR.hosts(entry), clock=self.fake.clock, fences=(self.fence,))
        return Job(entry, ports, parts(admin or self.admin), MARK)

    def token(self, **more: Any) -> Token:
        return self.fake.add_resource_token("project", self.project, **more)

    def verdict(self, values: SecretParts) -> Any:
        target = Target(self.fake.url)
        with Ports(hosts_for(VERIFIER, target), clock=self.fake.clock) as ports:
            return ask(VERIFIER, Credential(ACCESS, values), target, ports)


def parts(token: Token) -> SecretParts:
    return {"secret": Secret(token.value.encode())}


@pytest.fixture
def world() -> Iterator[World]:
    with FakeGitLab(clock=ManualClock()) as fake:
        yield World(fake)


def test_a_project_token_is_replaced(world: World) -> None:
    old, other = world.token(), world.token()
    job = world.job(access_level="reporter", expires_at="2027-03-01")
    id = ROTATOR.identify(job, parts(old))
    assert id == str(old.id)
    before = ROTATOR.inventory(job)
    assert before.ids() == {id, str(other.id)} and not before.lane_owned
    made = ROTATOR.issue(job, {}, parts(old))
    token = world.fake.tokens[int(made.id)]
    assert (token.scopes, token.level, token.expires.isoformat()) == (("read_repository",), 20, "2027-03-01")
    held = ROTATOR.inventory(job).get(made.id)
    assert held is not None and held.mark == MARK and held.expires == made.expires
    live = world.verdict(made.parts)
    assert isinstance(live, Live) and live.scopes == ("read_repository",) and live.evidence.public_id == made.id
    assert isinstance(world.verdict(parts(old)), Live), "both live"
    ROTATOR.revoke(job, id, parts(old))
    ROTATOR.revoke(job, id, {})
    assert isinstance(world.verdict(parts(old)), Dead) and isinstance(world.verdict(parts(other)), Live)
    assert ROTATOR.inventory(job).ids() == {made.id, str(other.id)}
    base = "/projects/acme%2Fapp/access_tokens"
    assert world.fence.changes == [f"POST {base}", f"DELETE {base}/{id}", f"DELETE {base}/{id}"]
    assert [f"{s.method} {s.path}".replace("/api/v4", "") for s in world.fake.changes] == world.fence.changes


def test_tokens_of_groups_and_users(world: World) -> None:
    group = world.job(project=None, group=world.group)
    made = ROTATOR.issue(group, {}, {})
    assert world.fake.tokens[int(made.id)].level == DEVELOPER
    user = world.job(world.root_token, project=None, user=str(world.service.id), scopes=["read_api"])
    personal = ROTATOR.issue(user, {}, {})
    assert world.fake.tokens[int(personal.id)].user is world.service
    for job, each in ((group, made), (user, personal)):
        assert ROTATOR.identify(job, each.parts) == each.id
        assert [held.mark for held in ROTATOR.inventory(job).held] == [MARK]
        ROTATOR.revoke(job, each.id, each.parts)
        assert isinstance(world.verdict(each.parts), Dead)


class WithServiceAccounts(FakeGitLab):
    """Service accounts of a group: their personal tokens are managed by the group's owners.

    https://docs.gitlab.com/api/service_accounts/
    """

    def _route(self, request: Request, path: str, caller: Token) -> Response:
        match = re.fullmatch(r"/groups/([^/]+)/service_accounts/(\d+)/personal_access_tokens(?:/(\d+))?(/rotate)?", path)
        if match is None:
            return super()._route(request, path, caller)
        resource, user = self._resource(caller, "group", match[1]), self.users[int(match[2])]
        if caller.user.levels.get(resource, 0) < OWNER:
            raise Refusal(403, {"message": "403 Forbidden"})
        if match[3]:
            token = self.tokens[int(match[3])]
            return self._rotate(request, token) if match[4] else self._revoke(token)
        if request.method == "GET":
            return self._page(request, [each for each in self.tokens.values() if each.user is user])
        wanted = request.json()
        token = self._make(user, wanted["name"], tuple(wanted["scopes"]), self._expiry(wanted["expires_at"]))
        return Response(201, {**self._row(token), "token": token.value})


def test_tokens_of_a_groups_service_account() -> None:
    with WithServiceAccounts(clock=ManualClock()) as fake:
        world = World(fake)
        job = world.job(project=None, group="acme", service_account=world.service.id)
        made = ROTATOR.issue(job, {}, {})
        assert ROTATOR.identify(job, made.parts) == made.id
        ROTATOR.revoke(job, made.id, {})
        assert isinstance(world.verdict(made.parts), Dead)


def test_only_the_exact_token_is_found(world: World) -> None:
    elsewhere = world.fake.add_resource_token("group", world.group)
    job = world.job()
    with pytest.raises(Refused, match="none of tokens of project"):
        ROTATOR.identify(job, parts(elsewhere))
    with pytest.raises(Refused, match="dead already"):
        ROTATOR.identify(job, {"secret": Secret(b"glpat-nothing")})
    with pytest.raises(Refused):
        ROTATOR.revoke(job, str(elsewhere.id) + "x", {})
    ROTATOR.revoke(job, str(elsewhere.id), {})
    assert isinstance(world.verdict(parts(elsewhere)), Live), "another place's token is out of reach"


def test_a_lost_reply_leaves_a_marked_orphan(world: World) -> None:
    job = world.job()
    before = ROTATOR.inventory(job).ids()
    world.fake.fail(Fault("lost", "POST"))
    with pytest.raises(Uncertain):
        ROTATOR.issue(job, {}, {})
    (orphan,) = [held for held in ROTATOR.inventory(job).held if held.id not in before]
    assert orphan.mark == MARK
    ROTATOR.revoke(job, orphan.id, {})
    assert ROTATOR.inventory(job).ids() == before
    world.fake.fail(Fault("429", "POST"))
    with pytest.raises(Throttled):
        ROTATOR.issue(job, {}, {})
    assert ROTATOR.inventory(job).ids() == before


def test_more_tokens_than_one_page(world: World) -> None:
    for _ in range(130):
        world.token()
    assert len(ROTATOR.inventory(world.job()).held) == 130


def test_a_new_token_may_do_what_the_old_one_may_unless_told_otherwise(world: World) -> None:
    old = world.fake.add_resource_token("project", world.project, "read_api", "read_registry", level=20)
    made = ROTATOR.issue(world.job(scopes=None), {}, parts(old))
    token = world.fake.tokens[int(made.id)]
    assert (token.scopes, token.level) == (("read_api", "read_registry"), 20)
    narrower = world.fake.tokens[int(ROTATOR.issue(world.job(), {}, parts(old)).id)]
    assert (narrower.scopes, narrower.level) == (("read_repository",), 20)


# In place


def rotating(world: World, **scope: object) -> Job:
    return world.job(mode="rotate", name="deploy", **scope)


def test_rotation_in_place(world: World) -> None:
    old, other = world.token(name="deploy", level=DEVELOPER), world.token(name="other")
    job = rotating(world)
    capabilities = ROTATOR.capabilities_for(job.entry)
    assert (capabilities.overlap, capabilities.marks) == (Overlap.NONE, False)
    assert ROTATOR.capabilities_for(world.job().entry).overlap is Overlap.OWN
    inventory = ROTATOR.inventory(job)
    assert inventory.ids() == {str(old.id)} and inventory.lane_owned
    made = ROTATOR.issue(job, {}, parts(old))
    assert isinstance(world.verdict(parts(old)), Dead) and isinstance(world.verdict(made.parts), Live)
    ROTATOR.revoke(job, str(old.id), parts(old))  # it is dead already: nothing happens to the new one
    assert isinstance(world.verdict(made.parts), Live) and isinstance(world.verdict(parts(other)), Live)
    assert world.fence.changes[0] == f"POST /projects/acme%2Fapp/access_tokens/{old.id}/rotate"


def test_a_rotation_whose_reply_was_lost_never_rotates_the_dead_token_again(world: World) -> None:
    old = world.token(name="deploy")
    job = rotating(world)
    before: Inventory = ROTATOR.inventory(job)
    world.fake.fail(Fault("lost", "POST"))
    with pytest.raises(Uncertain):
        ROTATOR.issue(job, {}, parts(old))
    after = ROTATOR.inventory(job)
    (orphan,) = after.ids() - before.ids()
    assert after.lane_owned and str(old.id) not in after.ids(), "the sole new one is ours"
    ROTATOR.revoke(job, orphan, {})
    made = ROTATOR.issue(job, {}, parts(old))
    assert isinstance(world.verdict(made.parts), Live)
    (held,) = ROTATOR.inventory(job).held
    assert (held.id, held.name, held.mark) == (made.id, "deploy", MARK)
    assert [change.rsplit("/", 1)[-1] for change in world.fence.changes] == ["rotate", orphan, "access_tokens"]
    # asked again with the dead one (a resume that forgot), it makes another and kills nobody
    again = ROTATOR.issue(job, {}, parts(old))
    assert isinstance(world.verdict(made.parts), Live) and isinstance(world.verdict(again.parts), Live)


def test_nothing_is_rotated_that_could_not_be_made_again(world: World) -> None:
    old = world.token(name="deploy")
    for scope in ({"scopes": None}, {"access_level": "king"}, {"expires_at": "soon"}):
        with pytest.raises(Refused):
            ROTATOR.issue(rotating(world, **scope), {}, parts(old))
    assert isinstance(world.verdict(parts(old)), Live) and world.fence.changes == []


def test_a_rotation_that_did_not_happen_is_done_once(world: World) -> None:
    old = world.token(name="deploy")
    job = rotating(world)
    world.fake.fail(Fault("reset", "POST"))
    with pytest.raises(Uncertain):
        ROTATOR.issue(job, {}, parts(old))
    assert ROTATOR.inventory(job).ids() == {str(old.id)}
    made = ROTATOR.issue(job, {}, parts(old))
    assert isinstance(world.verdict(made.parts), Live)


# What is refused


def test_wrong_admin_missing_rights_and_settings(world: World) -> None:
    old = world.token()
    job = world.job()
    dead = job._replace(admin={"secret": Secret(b"glpat-wrong")})
    with pytest.raises(Refused) as caught:
        ROTATOR.inventory(dead)
    assert "dead" in caught.value.hint
    read_only = world.job(world.fake.add_token(world.person, "read_api"))
    assert ROTATOR.identify(read_only, parts(old)) == str(old.id)
    for act in (lambda: ROTATOR.issue(read_only, {}, {}), lambda: ROTATOR.revoke(read_only, str(old.id), {})):
        with pytest.raises(Refused) as caught:
            act()
        assert "scope `api`" in caught.value.hint
    guest = world.fake.add_user("developer")
    guest.levels[("project", world.project)] = DEVELOPER
    with pytest.raises(Refused) as caught:
        ROTATOR.issue(world.job(world.fake.add_token(guest, "api")), {}, {})
    assert "Maintainer" in caught.value.hint
    wrong: tuple[dict[str, object], ...] = (
        {"project": None}, {"project": "nowhere/x"}, {"group": "acme"}, {"project": None, "user": "me"}, {"scopes": None}, {"scopes": "api"},
        {"scopes": ["unheard-of"]}, {"access_level": "king"}, {"access_level": "owner"}, {"expires_at": "soon"}, {"mode": "swap"},
        {"expires_at": "2099-01-01"},
    )  # fmt: skip
    for scope in wrong:
        with pytest.raises(Refused):
            ROTATOR.issue(world.job(**scope), {}, {})
    assert world.fake.changes == [] and isinstance(world.verdict(parts(old)), Live)


def test_without_an_admin_a_token_ends_itself(world: World) -> None:
    old, other = world.token(), world.token()
    job = world.job()._replace(admin={})
    with pytest.raises(Refused, match=f"that of token {other.id}"):
        ROTATOR.revoke(job, str(old.id), parts(other))
    with pytest.raises(Refused, match="neither"):
        ROTATOR.revoke(job, str(old.id), {})
    ROTATOR.revoke(job, str(old.id), parts(old))
    ROTATOR.revoke(job, str(old.id), parts(old))
    assert isinstance(world.verdict(parts(old)), Dead) and isinstance(world.verdict(parts(other)), Live)


def test_messages_that_quote_secrets_are_not_passed_on() -> None:
    with FakeGitLab(clock=ManualClock(), quoting=True) as fake:
        world = World(fake)
        admin = world.job(world.fake.add_token(world.person, "read_api"))
        wrong = admin._replace(admin={"secret": Secret(b"glpat-" + b"x" * 20)})
        for job, act in ((admin, lambda job: ROTATOR.issue(job, {}, {})), (wrong, ROTATOR.inventory)):
            with pytest.raises(ProviderError) as caught:
                act(job)
            value = job.admin["secret"].reveal().decode()
            assert value not in f"{caught.value!r} {caught.value.hint} {caught.value.__context__!r}"


def test_review_looks_at_our_own_tokens(world: World) -> None:
    world.token(level=OWNER)
    job = world.job(scopes=["api"], access_level="maintainer", expires_at="2027-12-31")
    ROTATOR.issue(job, {}, {})
    assert [w.code for w in ROTATOR.review(job, ROTATOR.inventory(job))] == ["over-broad", "over-broad"]
    world.fake.clock.sleep(20 * 86400)
    world.admin.expires = world.admin.expires.replace(year=2028)
    world.fake.clock.sleep(80 * 86400)
    assert [w.code for w in ROTATOR.review(job, ROTATOR.inventory(job))] == ["over-broad", "over-broad", "unused"]


def test_the_vendors_sdk_reads_what_was_made(world: World) -> None:
    try:
        gitlab = importlib.import_module("gitlab")
    except ImportError:
        if os.environ.get("CI"):
            raise
        pytest.skip("python-gitlab is not installed")
    made = ROTATOR.issue(world.job(), {}, {})
    client = gitlab.Gitlab(world.fake.url, private_token=world.admin.value)
    (listed,) = client.projects.get("acme/app").access_tokens.list(get_all=True)
    assert (str(listed.id), listed.name) == (made.id, MARK)
    mine = gitlab.Gitlab(world.fake.url, private_token=made.parts["secret"].reveal().decode())
    assert str(mine.personal_access_tokens.get("self").id) == made.id


# The verifier


def test_verify_tells_expired_blocked_and_restricted_tokens(world: World) -> None:
    token = world.token(days=2)
    live = world.verdict(parts(token))
    assert isinstance(live, Live) and live.principal.endswith(token.expires.isoformat())
    world.fake.clock.sleep(2 * 86400)
    assert isinstance(world.verdict(parts(token)), Dead)
    assert isinstance(world.verdict({"secret": Secret(b"glpat-unknown")}), Dead)
    world.fake.fail(Fault("500", times=3))
    assert isinstance(world.verdict(parts(world.admin)), Unknown)


@pytest.mark.parametrize("case", detector.CASES, ids=lambda case: case.name)
def test_cases(case: Any) -> None:
    answer = case.answers[0]

    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(answer.status, text=answer.body, headers=dict(answer.headers))

    def client(_: object) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(respond))

    with Ports(hosts_for(VERIFIER, Target()), clock=ManualClock(), client=client) as ports:
        verdict = ask(VERIFIER, Credential(case.kind, {"secret": Secret(b"glpat-x")}), Target(), ports)
    assert isinstance(verdict, {"live": Live, "dead": Dead, "restricted": Restricted, "unknown": Unknown}[case.verdict])
