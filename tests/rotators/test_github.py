"""GitHub: revocation of users' tokens, installation tokens, deploy keys, and the verifier."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from keyward.detectors import github as detector
from keyward.rotators import _github_api
from keyward.rotators.github import (
    APP_USER,
    DEPLOY_KEY,
    INSTALLATION,
    OAUTH,
    PAT_CLASSIC,
    PAT_FINE_GRAINED,
    REFRESH,
    ROTATORS,
    revoke_many,
)

from keyward.errors import ProviderError, Refused, Throttled, Uncertain
from keyward.model.credential import Credential, SecretParts, Target
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.model.verdict import Dead, Live, Restricted, Unknown
from keyward.plugin.clock import ManualClock
from keyward.plugin.ports import Call, Ports
from keyward.plugin.rotator import Job, Rotator
from keyward.plugin.verifier import Verifier, ask, hosts_for
from keyward.testing.fakes.github import FakeGitHub, Token
from keyward.testing.fakes.server import Fault

TOKENS, INSTALLATIONS, DEPLOY_KEYS = ROTATORS
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
    def __init__(self, fake: FakeGitHub, base: str = "") -> None:
        self.fake, self.fence = fake, Fence()
        self.clock = fake.clock
        self.base = fake.url + base

    def job(self, kind: Kind, admin: SecretParts | None = None, **scope: object) -> Job:
        entry = Entry("prod", "gh", kind, "vault", "prod/gh", Target(self.base), scope)
        rotator = next(each for each in ROTATORS if kind in each.kinds)
        ports = Ports(rotator.hosts(entry), clock=self.clock, fences=(self.fence,))
        return Job(entry, ports, admin or {}, MARK)

    def verdict(self, value: bytes | str, kind: Kind = PAT_CLASSIC, **options: Any) -> Any:
        target = Target(self.base, **options)
        with Ports(hosts_for(VERIFIER, target), clock=self.clock) as ports:
            return ask(VERIFIER, Credential(kind, secret(value)), target, ports)


def secret(value: bytes | str) -> SecretParts:
    return {"secret": Secret(value if isinstance(value, bytes) else value.encode())}


def value(token: Token) -> Secret:
    return Secret(token.value.encode())


@pytest.fixture
def world() -> Iterator[World]:
    with FakeGitHub(clock=ManualClock()) as fake:
        yield World(fake)


# Users' tokens


@pytest.mark.parametrize(
    ("kind", "form"),
    [(PAT_CLASSIC, "ghp_"), (PAT_FINE_GRAINED, "github_pat_"), (OAUTH, "gho_"), (APP_USER, "ghu_"), (REFRESH, "ghr_")],
)
def test_a_leaked_token_is_killed_by_its_value(world: World, kind: Kind, form: str) -> None:
    old, other = world.fake.add_token("octocat", form=form), world.fake.add_token("octocat")
    job = world.job(kind)
    id = TOKENS.identify(job, secret(old.value))
    assert old.value not in id and TOKENS.inventory(job).held == ()
    TOKENS.revoke(job, id, secret(old.value))
    TOKENS.revoke(job, id, secret(old.value))
    assert isinstance(world.verdict(old.value, PAT_CLASSIC), Dead)
    assert isinstance(world.verdict(other.value), Live)
    with pytest.raises(Refused):
        TOKENS.revoke(job, id, secret(other.value))
    with pytest.raises(Refused):
        TOKENS.revoke(job, id, {})
    assert world.fence.changes == ["POST /credentials/revoke"] * 2
    assert TOKENS.manual is not None and len(world.fake.changes) == 2


def test_many_are_killed_at_once_and_installation_tokens_come_back(world: World) -> None:
    tokens = [world.fake.add_token(f"user{number}") for number in range(1001)]
    installation = Secret(b"ghs_" + b"x" * 36)
    with Ports(TOKENS.hosts(world.job(PAT_CLASSIC).entry), clock=world.clock, fences=(world.fence,)) as ports:
        left = revoke_many(ports, [*map(value, tokens), installation, value(tokens[0])], base_url=world.base)
    assert left == (installation,)
    assert len(world.fence.changes) == 2 and all(each.refused_from is not None for each in tokens)


def test_the_endpoints_own_limit_is_told_with_its_end(world: World) -> None:
    token = world.fake.add_token("octocat")
    job = world.job(PAT_CLASSIC)
    for _ in range(60):
        TOKENS.revoke(job, _github_api.hashed(token.value.encode()), secret(token.value))
    with pytest.raises(Throttled) as caught:
        TOKENS.revoke(job, _github_api.hashed(token.value.encode()), secret(token.value))
    assert 0 < caught.value.retry_after <= 3600
    world.clock.sleep(caught.value.retry_after)
    TOKENS.revoke(job, _github_api.hashed(token.value.encode()), secret(token.value))


def test_an_enterprise_server_wants_a_login() -> None:
    with FakeGitHub(clock=ManualClock(), enterprise_server=True) as fake:
        world = World(fake, "/api/v3")
        old, admin = fake.add_token("octocat"), fake.add_token("admin")
        id = TOKENS.identify(world.job(PAT_CLASSIC), secret(old.value))
        with pytest.raises(Refused, match="admin credential"):
            TOKENS.revoke(world.job(PAT_CLASSIC), id, secret(old.value))
        assert isinstance(world.verdict(old.value), Live)
        TOKENS.revoke(world.job(PAT_CLASSIC, {"secret": value(admin)}), id, secret(old.value))
        assert isinstance(world.verdict(old.value), Dead)


def test_revocation_that_takes_time_and_a_lost_answer(world: World) -> None:
    world.fake.propagation = 20
    old = world.fake.add_token("octocat")
    job = world.job(PAT_CLASSIC)
    id = TOKENS.identify(job, secret(old.value))
    world.fake.fail(Fault("lost", "POST", "/credentials/revoke"))
    with pytest.raises(Uncertain):
        TOKENS.revoke(job, id, secret(old.value))
    assert isinstance(world.verdict(old.value), Live)
    TOKENS.revoke(job, id, secret(old.value))
    world.clock.sleep(20)
    assert isinstance(world.verdict(old.value), Dead)


# Installation tokens


class Installed(World):
    """An App, installed at acme with two repositories."""

    def __init__(self, fake: FakeGitHub) -> None:
        super().__init__(fake)
        for name in ("acme/one", "acme/two"):
            fake.add_repository(name)
        self.app, self.private_key = fake.add_app()
        self.installation = fake.install(self.app, "acme", contents="write", metadata="read")
        self.admin = {"app_id": Secret(str(self.app.id).encode()), "private_key": Secret(self.private_key)}

    def mint(self, **scope: object) -> Job:
        return self.job(INSTALLATION, self.admin, **scope)


@pytest.fixture
def installed() -> Iterator[Installed]:
    with FakeGitHub(clock=ManualClock()) as fake:
        yield Installed(fake)


def test_an_installation_token_is_made_with_less_and_ended(installed: Installed) -> None:
    job = installed.mint(repositories=["acme/one"], permissions={"contents": "read"})
    assert INSTALLATIONS.inventory(job).principal == f"installation {installed.installation.id} of App {installed.app.id}"
    made = INSTALLATIONS.issue(job, {}, {})
    token = installed.fake.tokens[made.parts["secret"].reveal().decode()]
    assert (token.permissions, token.repositories) == ({"contents": "read"}, frozenset({"acme/one"}))
    assert made.expires == pytest.approx(installed.clock.now() + 3600, abs=1)
    assert made.id == INSTALLATIONS.identify(job, made.parts)
    live = installed.verdict(token.value, INSTALLATION)
    assert isinstance(live, Live) and "1 repositories" in live.principal
    INSTALLATIONS.revoke(job, made.id, made.parts)
    INSTALLATIONS.revoke(job, made.id, made.parts)
    assert isinstance(installed.verdict(token.value, INSTALLATION), Dead)
    assert installed.fence.changes == [
        f"POST /app/installations/{installed.installation.id}/access_tokens", "DELETE /installation/token", "DELETE /installation/token",
    ]  # fmt: skip
    assert [w.code for w in INSTALLATIONS.review(installed.mint(), INSTALLATIONS.inventory(job))] == ["over-broad"]
    assert list(INSTALLATIONS.review(job, INSTALLATIONS.inventory(job))) == []


def test_installation_tokens_that_cannot_be_made(installed: Installed) -> None:
    for scope in ({"permissions": {"contents": "admin"}}, {"repositories": ["three"]}):
        with pytest.raises(Refused, match="does not have what is asked"):
            INSTALLATIONS.issue(installed.mint(**scope), {}, {})
    for wrong in ({"repositories": "one"}, {"permissions": "read"}, {"installation": "x"}, {"installation": 1}):
        with pytest.raises(Refused):
            INSTALLATIONS.issue(installed.mint(**wrong), {}, {})
    installed.fake.install(installed.app, "other")
    with pytest.raises(Refused, match="2 installations"):
        INSTALLATIONS.inventory(installed.mint())
    INSTALLATIONS.issue(installed.mint(installation=installed.installation.id), {}, {})
    with pytest.raises(Refused, match="no part `private_key`"):
        INSTALLATIONS.inventory(installed.job(INSTALLATION, {"app_id": Secret(b"1")}))
    for key in (b"not a key", Installed(installed.fake).private_key):
        stranger = installed.job(INSTALLATION, {**installed.admin, "private_key": Secret(key)})
        with pytest.raises(Refused) as caught:
            INSTALLATIONS.inventory(stranger)
        assert caught.value.__context__ is None and key[:9].decode() not in str(caught.value)


def test_a_lost_installation_token_is_uncertain_and_ends_by_itself(installed: Installed) -> None:
    job = installed.mint(installation=installed.installation.id)
    installed.fake.fail(Fault("lost", "POST"))
    with pytest.raises(Uncertain):
        INSTALLATIONS.issue(job, {}, {})
    (orphan,) = installed.fake.tokens.values()
    assert INSTALLATIONS.inventory(job).held == () and INSTALLATIONS.capabilities.expiry
    assert isinstance(installed.verdict(orphan.value, INSTALLATION), Live)
    installed.clock.sleep(3600)
    assert isinstance(installed.verdict(orphan.value, INSTALLATION), Dead)


# Deploy keys


class Deploying(World):
    def __init__(self, fake: FakeGitHub) -> None:
        super().__init__(fake)
        self.repository = fake.add_repository("acme/one")
        fake.add_repository("acme/two")
        self.admin = {"secret": value(fake.add_token("acme", "repo"))}

    def deploy(self, **scope: object) -> Job:
        return self.job(DEPLOY_KEY, self.admin, **{"repository": "acme/one", **scope})


@pytest.fixture
def deploying() -> Iterator[Deploying]:
    with FakeGitHub(clock=ManualClock()) as fake:
        yield Deploying(fake)


def issue(rotator: Rotator, job: Job) -> tuple[str, SecretParts]:
    new = rotator.choose(job, {})
    return rotator.issue(job, new, {}).id, new


def test_a_deploy_key_is_added_once_found_by_its_blob_and_deleted(deploying: Deploying) -> None:
    job = deploying.deploy()
    old, old_parts = issue(DEPLOY_KEYS, job)
    new, parts = issue(DEPLOY_KEYS, job)
    assert DEPLOY_KEYS.issue(job, parts, {}).id == new, "applying it again changes nothing"
    assert DEPLOY_KEYS.identify(job, old_parts) == old and DEPLOY_KEYS.identify(job, parts) == new
    held = DEPLOY_KEYS.inventory(job).get(new)
    assert held is not None and (held.mark, held.name) == (MARK, MARK)
    assert all(key.read_only for key in deploying.repository.keys.values())
    DEPLOY_KEYS.revoke(job, old, old_parts)
    DEPLOY_KEYS.revoke(job, old, {})
    assert [str(id) for id in deploying.repository.keys] == [new]
    with pytest.raises(Refused, match="no deploy key"):
        DEPLOY_KEYS.identify(job, old_parts)
    DEPLOY_KEYS.revoke(job, "", old_parts)  # one whose id was never learnt, and which is not there
    assert deploying.fence.changes == [
        "POST /repos/acme/one/keys", "POST /repos/acme/one/keys",
        f"DELETE /repos/acme/one/keys/{old}", f"DELETE /repos/acme/one/keys/{old}",
    ]  # fmt: skip
    assert len(deploying.fake.changes) == 3


def test_a_lost_deploy_key_is_applied_again(deploying: Deploying) -> None:
    job = deploying.deploy(read_only=False)
    new = DEPLOY_KEYS.choose(job, {})
    deploying.fake.fail(Fault("lost", "POST"))
    with pytest.raises(Uncertain):
        DEPLOY_KEYS.issue(job, new, {})
    assert DEPLOY_KEYS.issue(job, new, {}).id == DEPLOY_KEYS.inventory(job).held[0].id
    assert len(deploying.repository.keys) == 1
    assert [w.code for w in DEPLOY_KEYS.review(job, DEPLOY_KEYS.inventory(job))] == ["over-broad"]
    deploying.clock.sleep(91 * 86400)
    assert [w.code for w in DEPLOY_KEYS.review(job, DEPLOY_KEYS.inventory(job))] == ["over-broad", "unused"]


def test_deploy_keys_refused(deploying: Deploying) -> None:
    job = deploying.deploy()
    id, parts = issue(DEPLOY_KEYS, job)
    with pytest.raises(Refused) as caught:
        DEPLOY_KEYS.issue(deploying.deploy(repository="acme/two"), parts, {})
    assert "another repository" in caught.value.hint
    read = deploying.fake.add_token("acme", form="github_pat_", administration="read")
    weak = deploying.deploy()._replace(admin={"secret": value(read)})
    assert DEPLOY_KEYS.identify(weak, parts) == id
    with pytest.raises(Refused) as caught:
        DEPLOY_KEYS.revoke(weak, id, parts)
    assert "administration=write" in caught.value.hint
    with pytest.raises(Refused) as caught:
        DEPLOY_KEYS.issue(weak, DEPLOY_KEYS.choose(weak, {}), {})
    assert "administration=write" in caught.value.hint
    # 404 is no proof that the key is gone: this token may not see the repository
    blind = deploying.deploy()._replace(admin={"secret": value(deploying.fake.add_token("stranger"))})
    with pytest.raises(Refused, match="finds nothing"):
        DEPLOY_KEYS.revoke(blind, id, parts)
    with pytest.raises(Refused, match="admin credential"):
        DEPLOY_KEYS.inventory(deploying.deploy()._replace(admin={"secret": Secret(b"ghp_wrong")}))
    for wrong in ("", "acme", "../x/y"):
        with pytest.raises(Refused, match="owner/name"):
            DEPLOY_KEYS.inventory(deploying.deploy(repository=wrong))
    with pytest.raises(Refused, match="cannot be read") as unreadable:
        DEPLOY_KEYS.identify(job, secret(b"-----BEGIN OPENSSH PRIVATE KEY-----\nzzz\n"))
    assert unreadable.value.__context__ is None
    assert [str(key) for key in deploying.repository.keys] == [id]


def test_messages_that_quote_secrets_are_not_passed_on() -> None:
    with FakeGitHub(clock=ManualClock(), quoting=True) as fake:
        deploying = Deploying(fake)
        wrong = fake.add_token("stranger")
        job = deploying.deploy()._replace(admin={"secret": value(wrong)})
        for act in (DEPLOY_KEYS.inventory, lambda job: DEPLOY_KEYS.revoke(job, "5", {})):
            with pytest.raises(ProviderError) as caught:
                act(job)
            assert wrong.value not in f"{caught.value!r} {caught.value.hint} {caught.value.__context__!r}"


def test_the_vendors_sdk_reads_what_was_made(deploying: Deploying) -> None:
    import importlib
    import os

    try:
        github = importlib.import_module("github")
    except ImportError:
        if os.environ.get("CI"):
            raise
        pytest.skip("PyGithub is not installed")
    issue(DEPLOY_KEYS, deploying.deploy())
    auth = github.Auth.Token(deploying.admin["secret"].reveal().decode())
    client = github.Github(auth=auth, base_url=deploying.fake.url, retry=None)
    keys = list(client.get_repo("acme/one").get_keys())
    assert [key.title for key in keys] == [MARK] and keys[0].read_only


# The verifier


def test_verify_tells_scopes_end_limits_and_refusals(world: World) -> None:
    classic = world.verdict(world.fake.add_token("octocat", "repo", "workflow", days=2).value)
    assert isinstance(classic, Live) and classic.scopes == ("repo", "workflow")
    assert classic.principal.startswith("octocat, until 2027-01-17")
    for blocked in ("suspended", "ip"):
        refused = world.verdict(world.fake.add_token("octocat", blocked=blocked).value)
        assert isinstance(refused, Restricted) and refused.reason
    assert isinstance(world.verdict("ghp_" + "x" * 36), Dead)
    busy = world.fake.add_token("octocat")
    world.fake._used[(busy.value, int(world.clock.now() // 3600))] = 5000
    limited = world.verdict(busy.value)
    assert isinstance(limited, Unknown) and limited.retry_after
    world.fake.fail(Fault("500", times=3))
    assert isinstance(world.verdict(busy.value), Unknown)


@pytest.mark.parametrize("case", detector.CASES, ids=lambda case: f"{case.kind} {case.name}")
def test_cases(case: Any) -> None:
    answer = case.answers[0]

    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(answer.status, text=answer.body, headers=dict(answer.headers))

    def client(_: object) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(respond))

    with Ports(hosts_for(VERIFIER, Target()), clock=ManualClock(), client=client) as ports:
        verdict = ask(VERIFIER, Credential(case.kind, secret("ghp_x")), Target(), ports)
    assert isinstance(verdict, {"live": Live, "dead": Dead, "restricted": Restricted, "unknown": Unknown}[case.verdict])


class SshServer:
    """An SSH server that lets `git` in with one key, in a thread."""

    def __init__(self, allowed: str) -> None:
        self.allowed, self.port, self.host_key = allowed, 0, ""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()

    def __enter__(self) -> SshServer:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        import asyncssh

        async def listen() -> None:
            key = asyncssh.generate_private_key("ssh-ed25519")
            self.host_key = key.export_public_key().decode().strip()
            allowed = asyncssh.import_authorized_keys(self.allowed)
            server = await asyncssh.listen("127.0.0.1", 0, server_host_keys=[key], authorized_client_keys=allowed)
            self.port = server.get_port()
            self._ready.set()

        self._loop.run_until_complete(listen())
        self._loop.run_forever()
        self._loop.close()


def test_a_deploy_key_is_proved_by_a_login(deploying: Deploying) -> None:
    pytest.importorskip("asyncssh")
    _, parts = issue(DEPLOY_KEYS, deploying.deploy())
    stranger = DEPLOY_KEYS.choose(deploying.deploy(), {})
    (listed,) = deploying.repository.keys.values()
    with SshServer(listed.key) as server:

        def login(parts: SecretParts, host_key: str = server.host_key, port: int = server.port) -> Any:
            value, options = parts["secret"].reveal(), {"host_key": host_key}
            return deploying.verdict(value, DEPLOY_KEY, host="127.0.0.1", port=port, options=options)

        assert isinstance(login(parts), Live)
        assert isinstance(login(stranger), Dead)
        assert isinstance(login(parts, host_key=listed.key), Unknown), "another server is told nothing"
        assert isinstance(login(parts, host_key=""), Unknown)
        port = server.port
    assert isinstance(login(parts, port=1), Unknown) and port
    assert isinstance(deploying.verdict(parts["secret"].reveal(), DEPLOY_KEY), Unknown), "no address is configured"
