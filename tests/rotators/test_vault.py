"""Vault's own credentials against a real OpenBao: the rotators, and the detector that proves them."""

from __future__ import annotations

import itertools
import json
import secrets

import pytest
from keyward.detectors import vault as detector
from keyward.rotators import vault

from keyward.errors import Refused, Uncertain, Unreachable
from keyward.model.credential import Credential, SecretParts, Target
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.model.verdict import Dead, Live, Restricted, Unknown, Verdict
from keyward.plugin.clock import ManualClock
from keyward.plugin.ports import Call, Hosts, Ports
from keyward.plugin.rotator import Issued, Job
from keyward.testing.servers.openbao import OpenBao

TOKEN, SECRET_ID = vault.ROTATORS
_numbers = itertools.count()


class Watch:
    """Sees every call; `lose` makes the answer to the next one that fits disappear after it happened."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.lose = ""

    def before(self, call: Call) -> None:
        self.calls.append(call)

    def after(self, call: Call, outcome: str) -> None:
        if self.lose and call.what.endswith(self.lose):
            self.lose = ""
            raise Uncertain("the answer was lost")


class Bench:
    """One lane at the server, with an admin token that has exactly the documented rights."""

    def __init__(self, bao: OpenBao, kind: str, **scope: object) -> None:
        self.bao, self.lane = bao, f"lane{next(_numbers)}"
        self.rotator = TOKEN if kind == "vault/token" else SECRET_ID
        policy = self.rotator.admin.policy.replace("LANE", self.lane)
        policy += (
            'path "auth/approle/role/*" { capabilities = ["create", "read", "update"] }\n' if kind != "vault/token" else ""
        )
        bao.request("PUT", f"sys/policies/acl/admin-{self.lane}", {"policy": policy})
        bao.request("PUT", f"sys/policies/acl/app-{self.lane}", {"policy": 'path "secret/data/x" { capabilities = ["read"] }'})
        own = [] if self.rotator is SECRET_ID else [f"app-{self.lane}", "default"]
        self.admin = bao.new_token(f"admin-{self.lane}", *own)
        self.entry = Entry(self.lane, "key", Kind(kind), "test", "p", Target(base_url=bao.url), scope, {"token": "env:T"})
        self.watch = Watch()

    def job(self, mark: str = "keyward:r1", admin: str = "", **scope: object) -> Job:
        entry = self.entry._replace(scope={**self.entry.scope, **scope})
        ports = Ports(self.rotator.hosts(entry), clock=ManualClock(), fences=(self.watch,))
        return Job(entry, ports, {"token": Secret((admin or self.admin).encode())}, mark)

    def verify(self, parts: SecretParts) -> Verdict:
        with Ports(Hosts().with_url(self.bao.url), clock=ManualClock(), fences=(self.watch,)) as ports:
            return detector.verify(Credential(self.entry.kind, parts), self.entry.target, ports)

    def issue(self, mark: str = "keyward:r1", **scope: object) -> Issued:
        return self.rotator.issue(self.job(mark, **scope), {}, {})

    def login(self, parts: SecretParts) -> str:
        body = {"role_id": text(parts, "role_id"), "secret_id": text(parts)}
        return str(self.bao.request("POST", "auth/approle/login", body)["auth"]["client_token"])

    def alive(self, token: str) -> bool:
        try:
            self.bao.request("POST", "auth/token/lookup", {"token": token})
        except AssertionError:
            return False
        return True


def text(parts: SecretParts, name: str = "secret") -> str:
    return parts[name].reveal().decode()


def secret(value: str) -> SecretParts:
    return {"secret": Secret(value.encode())}


@pytest.fixture
def tokens(bao: OpenBao) -> Bench:
    bench = Bench(bao, "vault/token")
    return _with(bench, policies=[f"app-{bench.lane}", "default"], ttl="2h")


@pytest.fixture
def approle(bao: OpenBao) -> Bench:
    bench = Bench(bao, "vault/approle-secret-id")
    _with(bench, role=bench.lane)
    bao.request("POST", f"auth/approle/role/{bench.lane}", {"token_policies": "default", "token_ttl": "1h"})
    return bench


def _with(bench: Bench, **scope: object) -> Bench:
    bench.entry = bench.entry._replace(scope=scope)
    return bench


def test_a_token_is_made_found_proved_and_revoked(tokens: Bench) -> None:
    old = tokens.issue("keyward:r0")
    before = TOKEN.inventory(tokens.job())
    new = tokens.issue()
    assert new.expires == ManualClock().now() + 7200
    held = TOKEN.inventory(tokens.job())
    assert held.ids() - before.ids() == {new.id}
    mine = held.get(new.id)
    assert mine is not None and mine.mark == "keyward:r1" and mine.expires and mine.created and mine.active
    live = tokens.verify(new.parts)
    assert isinstance(live, Live) and live.scopes == (f"app-{tokens.lane}", "default")
    assert TOKEN.identify(tokens.job(), old.parts) == old.id
    for _ in range(2):
        TOKEN.revoke(tokens.job(), old.id, old.parts)
    TOKEN.revoke(tokens.job(), "no-such-accessor", {})
    assert isinstance(tokens.verify(old.parts), Dead)
    assert isinstance(tokens.verify(new.parts), Live)
    assert tokens.alive(tokens.admin)
    changing = [call.what for call in tokens.watch.calls if call.changes]
    assert changing == ["POST /v1/auth/token/create-orphan"] * 2 + ["POST /v1/auth/token/revoke-accessor"] * 3
    assert not any(text(each.parts) in repr(tokens.watch.calls) for each in (old, new))


def test_a_new_token_outlives_the_admin_token(tokens: Bench) -> None:
    new = tokens.issue()
    tokens.bao.request("POST", "auth/token/revoke", {"token": tokens.admin})
    assert isinstance(tokens.verify(new.parts), Live)


def test_a_token_role(tokens: Bench) -> None:
    role = {"allowed_policies": f"app-{tokens.lane},default", "orphan": True}
    tokens.bao.request("POST", f"auth/token/roles/{tokens.lane}", role)
    new = tokens.issue(role=tokens.lane)
    assert TOKEN.inventory(tokens.job()).get(new.id)
    with pytest.raises(Refused, match="400"):
        tokens.issue(role="no-such-role")


def test_a_token_without_policies_is_not_made(tokens: Bench) -> None:
    with pytest.raises(Refused, match="neither"):
        tokens.issue(policies=[])
    with pytest.raises(Refused, match="list of texts"):
        tokens.issue(policies="root")
    assert not any(call.changes for call in tokens.watch.calls)


def test_which_token_it_is_or_nothing(tokens: Bench) -> None:
    with pytest.raises(Refused, match="does not know"):
        TOKEN.identify(tokens.job(), secret("s." + secrets.token_hex(12)))
    batch = tokens.bao.request("POST", "auth/token/create", {"type": "batch", "policies": ["default"]})["auth"]["client_token"]
    with pytest.raises(Refused, match="batch"):
        TOKEN.identify(tokens.job(), secret(batch))


def test_only_the_lanes_own_tokens_are_listed(tokens: Bench) -> None:
    other = Bench(tokens.bao, "vault/token", policies=["default"])
    stranger = other.bao.new_token("default", meta={"lane": tokens.lane, "name": "another"})
    mine = tokens.issue()
    assert TOKEN.inventory(tokens.job()).ids() == {mine.id}
    assert tokens.alive(stranger)


@pytest.mark.parametrize("kind", ["tokens", "approle"])
def test_a_lost_answer_leaves_a_marked_orphan(request: pytest.FixtureRequest, kind: str) -> None:
    bench: Bench = request.getfixturevalue(kind)
    before = bench.rotator.inventory(bench.job())
    bench.watch.lose = "create-orphan" if kind == "tokens" else "/secret-id"
    with pytest.raises(Uncertain):
        bench.issue("keyward:lost")
    found = [held for held in bench.rotator.inventory(bench.job()).held if held.id not in before.ids()]
    assert [held.mark for held in found] == ["keyward:lost"]
    bench.rotator.revoke(bench.job(), found[0].id, {})
    assert bench.rotator.inventory(bench.job()).ids() == before.ids()


@pytest.mark.parametrize("kind", ["tokens", "approle"])
def test_a_wrong_admin_credential_and_a_missing_right_are_named(request: pytest.FixtureRequest, kind: str) -> None:
    bench: Bench = request.getfixturevalue(kind)
    poor = bench.bao.new_token("default")
    for admin in (poor, "s." + secrets.token_hex(12)):
        for act in (
            lambda job: bench.rotator.inventory(job),
            lambda job: bench.rotator.issue(job, {}, {}),
            lambda job: (
                bench.rotator.identify(job, secret(str(secrets.token_hex(8))))
                if kind == "approle"
                else bench.rotator.inventory(job)
            ),
        ):
            with pytest.raises(Refused) as caught:
                act(bench.job(admin=admin))
            assert "must grant `" in caught.value.hint and admin not in str(caught.value) + caught.value.hint
    with pytest.raises(Refused, match="no part `token`"):
        bench.rotator.inventory(bench.job()._replace(admin={}))
    lost = bench.entry._replace(target=Target())
    with pytest.raises(Refused, match="base_url"):
        bench.rotator.inventory(Job(lost, Ports(Hosts()), secret("x") | {"token": Secret(b"x")}))


def test_a_secret_id_is_made_found_proved_and_destroyed_with_its_tokens(approle: Bench) -> None:
    old, new = approle.issue("keyward:r0"), approle.issue()
    held = SECRET_ID.inventory(approle.job())
    assert {each.id: each.mark for each in held.held} == {old.id: "keyward:r0", new.id: "keyward:r1"}
    assert all(each.created and each.expires is None for each in held.held)
    assert SECRET_ID.identify(approle.job(), old.parts) == old.id
    sessions = {name: approle.login(each.parts) for name, each in (("old", old), ("new", new))}
    verdict = approle.verify(old.parts)
    assert isinstance(verdict, Live) and verdict.principal == approle.lane
    for _ in range(2):
        SECRET_ID.revoke(approle.job(), old.id, old.parts)
    SECRET_ID.revoke(approle.job(), "no-such-accessor", {})
    assert isinstance(approle.verify(old.parts), Dead)
    assert approle.alive(sessions["old"])  # this is why the sessions have to be ended
    for _ in range(2):
        SECRET_ID.end_sessions(approle.job(), old.id, old.parts)
    assert not approle.alive(sessions["old"])
    assert approle.alive(sessions["new"])
    assert isinstance(approle.verify(new.parts), Live)
    assert not any(value in repr(approle.watch.calls) for value in (text(old.parts), text(new.parts)))


def test_a_check_by_login_leaves_no_token(approle: Bench) -> None:
    new = approle.issue()
    before = len(approle.bao.request("LIST", "auth/token/accessors")["data"]["keys"])
    approle.verify(new.parts)
    assert len(approle.bao.request("LIST", "auth/token/accessors")["data"]["keys"]) == before
    asked = [(call.what, call.changes) for call in approle.watch.calls][-2:]
    assert asked == [("POST /v1/auth/approle/login", True), ("POST /v1/auth/token/revoke-self", True)]


def raw(bench: Bench, **metadata: str) -> SecretParts:
    """A secret_id that somebody made by hand."""
    path = f"auth/approle/role/{bench.lane}"
    made = bench.bao.request("POST", f"{path}/secret-id", {"metadata": json.dumps(metadata)})["data"]
    return {
        **secret(made["secret_id"]),
        "role_id": Secret(bench.bao.request("GET", f"{path}/role-id")["data"]["role_id"].encode()),
    }


def test_sessions_of_an_adopted_secret_id(approle: Bench) -> None:
    """It has no metadata. Alone, its tokens are clear; with another such one, they are not, and nothing is guessed."""
    old, other, named = raw(approle), raw(approle), raw(approle, who="ci")
    session, theirs, ci = approle.login(old), approle.login(other), approle.login(named)
    job = approle.job()
    SECRET_ID.revoke(job, SECRET_ID.identify(job, old), old)
    with pytest.raises(Refused, match="2 tokens") as caught:
        SECRET_ID.end_sessions(job, "", old)
    assert "scope.sessions" in caught.value.hint
    assert approle.alive(session) and approle.alive(theirs)
    SECRET_ID.end_sessions(approle.job(sessions="keep"), "", old)
    assert approle.alive(session)
    SECRET_ID.revoke(job, SECRET_ID.identify(job, other), other)
    SECRET_ID.end_sessions(job, "", old)
    assert [approle.alive(each) for each in (session, theirs, ci)] == [False, False, True]
    SECRET_ID.end_sessions(approle.job(sessions="role"), "", old)
    assert not approle.alive(ci)


def test_tokens_of_another_role_and_other_tokens_stay(approle: Bench) -> None:
    neighbour = Bench(approle.bao, "vault/approle-secret-id")
    _with(neighbour, role=neighbour.lane)
    approle.bao.request("POST", f"auth/approle/role/{neighbour.lane}", {"token_policies": "default"})
    theirs, plain = neighbour.login(raw(neighbour)), approle.bao.new_token("default", meta={"role_name": approle.lane})
    SECRET_ID.end_sessions(approle.job(sessions="role"), "", {})
    assert approle.alive(theirs) and approle.alive(plain)


def test_a_secret_id_of_another_role_is_not_ours(approle: Bench) -> None:
    neighbour = Bench(approle.bao, "vault/approle-secret-id")
    approle.bao.request("POST", f"auth/approle/role/{neighbour.lane}", {})
    with pytest.raises(Refused, match="no such secret_id"):
        SECRET_ID.identify(approle.job(), raw(neighbour))
    with pytest.raises(Refused, match="does not name the AppRole"):
        SECRET_ID.identify(approle.job(role=""), raw(neighbour))


def test_what_scope_asks_for_is_given(approle: Bench) -> None:
    new = approle.issue(ttl="30m", cidrs=["10.0.0.0/8"], token_cidrs=["10.1.0.0/16"])
    path = f"auth/approle/role/{approle.lane}/secret-id-accessor/lookup"
    data = approle.bao.request("POST", path, {"secret_id_accessor": new.id})["data"]
    assert (data["secret_id_ttl"], data["cidr_list"], data["token_bound_cidrs"]) == (1800, ["10.0.0.0/8"], ["10.1.0.0/16"])
    assert data["metadata"] == {"lane": approle.lane, "name": "key", "keyward": "keyward:r1"}
    held = SECRET_ID.inventory(approle.job()).get(new.id)
    assert held is not None and held.expires is not None and held.created is not None
    assert 1790 <= held.expires - held.created <= 1810
    assert isinstance(approle.verify(new.parts), Restricted)  # we are not in that network
    with pytest.raises(Refused, match="no network"):
        approle.issue(cidrs=["not an address"])


def test_a_role_that_counts_uses_is_refused(approle: Bench) -> None:
    approle.bao.request("POST", f"auth/approle/role/{approle.lane}", {"secret_id_num_uses": 3})
    with pytest.raises(Refused, match="counts the uses"):
        approle.issue()
    with pytest.raises(Refused, match="no AppRole"):
        approle.issue(role="missing")
    assert not any(call.changes for call in approle.watch.calls)


def test_provision_makes_a_policy_and_a_role_once(bao: OpenBao) -> None:
    bench = Bench(bao, "vault/approle-secret-id")
    _with(bench, role=bench.lane, reads=[f"secret/data/lanes/{bench.lane}/*"])
    plan = list(SECRET_ID.provision(bench.job(), apply=False))
    assert [change.done for change in plan] == [False, False]
    assert not any(call.changes for call in bench.watch.calls)
    list(SECRET_ID.provision(bench.job(), apply=True))
    assert [change.done for change in SECRET_ID.provision(bench.job(), apply=True)] == [True, True]
    bao.request("POST", f"secret/data/lanes/{bench.lane}/db", {"data": {"a": "b"}})
    bao.request("POST", "secret/data/lanes/elsewhere/db", {"data": {"a": "b"}})
    session = bench.login(SECRET_ID.issue(bench.job(), {}, {}).parts)
    assert bao.request("GET", f"secret/data/lanes/{bench.lane}/db", token=session)["data"]["data"] == {"a": "b"}
    with pytest.raises(AssertionError):
        bao.request("GET", "secret/data/lanes/elsewhere/db", token=session)
    with pytest.raises(Refused, match="no path"):
        list(SECRET_ID.provision(bench.job(reads=['x" { }']), apply=True))


def test_review_warns(tokens: Bench, approle: Bench) -> None:
    root = tokens.bao.request(
        "POST", "auth/token/create-orphan", {"policies": ["root"], "meta": {"lane": tokens.lane, "name": "key"}}
    )
    warned = list(TOKEN.review(tokens.job(), TOKEN.inventory(tokens.job())))
    assert {warning.code for warning in warned} == {"root", "no-expiry"}
    assert root["auth"]["client_token"] not in repr(warned)
    approle.issue()
    assert [warning.code for warning in SECRET_ID.review(approle.job(), SECRET_ID.inventory(approle.job()))] == ["no-expiry"]


def test_verdicts_of_a_token(tokens: Bench) -> None:
    poor = tokens.bao.request("POST", "auth/token/create", {"policies": [f"app-{tokens.lane}"], "no_default_policy": True})
    assert isinstance(tokens.verify(secret(poor["auth"]["client_token"])), Restricted)
    assert isinstance(tokens.verify(secret("s." + secrets.token_hex(12))), Dead)
    nowhere = Credential(TOKEN.kinds[0], secret("x"))
    assert isinstance(detector.verify(nowhere, Target(), Ports(Hosts())), Unknown)
    alone = Credential(SECRET_ID.kinds[0], secret("x"))
    assert isinstance(detector.verify(alone, Target(base_url=tokens.bao.url), Ports(Hosts().with_url(tokens.bao.url))), Unknown)


def test_a_sealed_server_tells_nothing(bao: OpenBao) -> None:
    with OpenBao() as server:
        bench = Bench(server, "vault/token", policies=["default"])
        new = bench.issue()
        server.seal()
        with pytest.raises(Unreachable, match="503"):
            bench.verify(new.parts)
        with pytest.raises(Uncertain, match="503"):
            bench.issue()
