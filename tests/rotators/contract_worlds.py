"""Worlds for the rotator contract: each provider with one old credential of a lane, and somebody else's beside it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from keyward.errors import Refused
from keyward.model.credential import NO_PARTS, Credential, SecretParts, Target
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.model.verdict import Dead, Evidence, Live, Verdict
from keyward.plugin.clock import Clock, ManualClock, SystemClock
from keyward.plugin.ports import Ports
from keyward.plugin.rotator import Job, Rotator
from keyward.plugin.verifier import ask, hosts_for
from keyward.registry import Registry
from keyward.testing.fakes.server import FakeProvider, Fault

REGISTRY = Registry()


def parts(**values: str) -> SecretParts:
    return {name: Secret(value.encode()) for name, value in values.items()}


class FakeWorld:
    """A fake provider. `works_`: asked of the fake's own state. `keys`: the values that work, somebody else's included."""

    host = "127.0.0.1"

    def __init__(
        self,
        fake: FakeProvider,
        kind: str,
        old: SecretParts,
        admin: SecretParts,
        alive: Callable[[], set[str]],
        foreign: set[str],
        *,
        scope: Mapping[str, object] | None = None,
        target: Target | None = None,
        part: str = "secret",
        lane: str = "prod",
    ) -> None:
        self.fake, self.old, self.admin = fake, old, admin
        self.clock: Clock = fake.clock
        self._alive, self._foreign, self._part = alive, foreign, part
        references = {name: f"env:ADMIN_{name.upper()}" for name in admin}
        place = target or Target(base_url=fake.url)
        self.entry = Entry(lane, "key", Kind(kind), "test", f"lanes/{lane}/key", place, scope or {}, references)
        self.rotator: Rotator = REGISTRY.rotators()[Kind(kind)]

    def verify(self, credential: Credential, ports: Ports) -> Verdict:
        verifier = REGISTRY.verifier(self.entry.kind)
        assert verifier is not None, f"{self.entry.kind} has no verifier"
        with Ports(hosts_for(verifier, self.entry.target), clock=ports.clock, fences=ports.fences) as own:
            return ask(verifier, credential, self.entry.target, own)

    def works(self, values: SecretParts) -> bool:
        return values[self._part].reveal().decode() in self._alive()

    def working(self) -> int:
        return len(self._alive() - self._foreign)

    def others_untouched(self) -> bool:
        return self._foreign <= self._alive()

    def changes(self) -> list[str]:
        return [seen.label or f"{seen.method} {seen.path}" for seen in self.fake.changes]

    def fail(self, how: str, number: int) -> bool:
        self.fake.fail(Fault(how, skip=number, changing=True))
        return True

    def fail_reading(self, how: str, number: int) -> None:
        self.fake.fail(Fault(how, skip=number, reading=True, times=1_000_000))

    def well(self) -> None:
        self.fake.faults.clear()


@contextmanager
def tencent() -> Iterator[FakeWorld]:
    from keyward.testing.fakes.tencent import FakeTencent

    with FakeTencent(throttle=False, clock=ManualClock(SystemClock().now())) as fake:
        user, stranger = fake.make_user("keyward-prod"), fake.make_user("somebody")
        root, other, old = fake.make_key(fake.root), fake.make_key(stranger), fake.make_key(user)

        def alive() -> set[str]:
            return {k.secret for u in fake.users.values() for k in u.keys.values() if k.status == "Active"}

        yield FakeWorld(
            fake,
            "tencent/access-key",
            parts(id=old.id, secret=old.secret),
            parts(id=root.id, secret=root.secret),
            alive,
            {root.secret, other.secret},
        )


@contextmanager
def openrouter() -> Iterator[FakeWorld]:
    from keyward.testing.fakes.openrouter import FakeOpenRouter

    with FakeOpenRouter(clock=ManualClock(SystemClock().now())) as fake:
        other, old = fake.make_key("somebody's"), fake.make_key("prod")

        def alive() -> set[str]:
            return {key.value for key in fake.keys.values() if not key.disabled and key.refused_from is None}

        yield FakeWorld(
            fake,
            "openrouter/api-key",
            parts(secret=old.value),
            parts(secret=fake.management.value),
            alive,
            {other.value, fake.management.value},
            target=Target(base_url=fake.url),
        )


@contextmanager
def gitlab(mode: str = "create") -> Iterator[FakeWorld]:
    from keyward.testing.fakes.gitlab import MAINTAINER, FakeGitLab

    with FakeGitLab(clock=ManualClock(SystemClock().now())) as fake:
        owner = fake.add_user("owner")
        project = fake.add_project("group/app", owner=MAINTAINER)
        admin = fake.add_token(owner)
        other = fake.add_resource_token("project", project, "read_api", name="somebody's")
        old = fake.add_resource_token("project", project, "read_api", name="prod")

        def alive() -> set[str]:
            return {token.value for token in fake.tokens.values() if fake.is_active(token)}

        scope: dict[str, Any] = {"project": str(project), "scopes": ["read_api"]}
        scope |= {"mode": mode, "name": "prod"} if mode == "rotate" else {}
        yield FakeWorld(
            fake,
            "gitlab/access-token",
            parts(secret=old.value),
            parts(secret=admin.value),
            alive,
            {admin.value, other.value},
            scope=scope,
        )


@functools.cache
def _app_key() -> tuple[bytes, bytes]:
    """(private, public) key of an App, as PEM; made once, because that takes half a second."""
    from keyward.testing.fakes.github import FakeGitHub

    app, private = FakeGitHub().add_app()
    return private, app.public_keys[0]


@contextmanager
def installation() -> Iterator[FakeWorld]:
    """A GitHub App's installation token: GitHub lists none, and each ends after an hour."""
    from keyward.testing.fakes.github import App, FakeGitHub

    with FakeGitHub(clock=ManualClock(SystemClock().now())) as fake:
        fake.add_repository("acme/one")
        app, key = App(fake.number(), "rotation"), _app_key()
        app.public_keys.append(key[1])
        fake.apps[app.id] = app
        installed = fake.install(app, "acme", contents="read")
        other = fake.add_token("somebody")

        def alive() -> set[str]:
            now = fake.clock.now()
            tokens = fake.tokens.values()
            return {t.value for t in tokens if t.refused_from is None and (t.expires is None or t.expires > now)}

        admin = parts(app_id=str(app.id), private_key=key[0].decode())
        world = FakeWorld(
            fake, "github/app-installation-token", {}, admin, alive, {other.value}, scope={"installation": installed.id}
        )
        with Ports(world.rotator.hosts(world.entry), clock=fake.clock) as ports:
            world.old = world.rotator.issue(Job(world.entry, ports, world.admin, "x"), {}, {}).parts
        fake.seen.clear()
        yield world


class DeployKeyWorld(FakeWorld):
    """GitHub has no server here to log in to: a stand-in verifier asks whether the key is listed."""

    def verify(self, credential: Credential, ports: Ports) -> Verdict:
        proof = Evidence("listing", "127.0.0.1", "stand-in", 0.0)
        with Ports(ports.hosts, clock=ports.clock) as own:  # no fence sees it: its calls are not the verifier's
            try:
                self.rotator.identify(Job(self.entry, own, self.admin, "x"), credential.parts)
            except Refused:
                return Dead(proof)
        return Live(proof)

    def works(self, values: SecretParts) -> bool:
        return public_line(values["secret"]) in self._alive()

    def became(self, old: SecretParts) -> None:
        self.old, self._foreign = old, self._alive() - {public_line(old["secret"])}


def public_line(private: Secret) -> str:
    """A key's public half, as a line of authorized_keys begins."""
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_ssh_private_key(private.reveal(), None)
    openssh = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return key.public_key().public_bytes(*openssh).decode()


@contextmanager
def deploy_key() -> Iterator[FakeWorld]:
    from keyward.testing.fakes.github import FakeGitHub

    with FakeGitHub(clock=ManualClock(SystemClock().now())) as fake:
        repository = fake.add_repository("acme/one")
        admin = fake.add_token("acme", "repo")
        world = DeployKeyWorld(
            fake,
            "github/deploy-key",
            {},
            parts(secret=admin.value),
            lambda: {key.key for key in repository.keys.values()},
            set(),
            scope={"repository": "acme/one"},
        )
        with Ports(world.rotator.hosts(world.entry), clock=fake.clock) as ports:
            job = Job(world.entry, ports, world.admin, "x")
            for _ in range(2):  # the first one is somebody else's
                old = world.rotator.choose(job, {})
                world.rotator.issue(job, old, {})
        world.became(old)
        fake.seen.clear()
        yield world


_NUMBERS = itertools.count()


@contextmanager
def aws(moto: Any) -> Iterator[FakeWorld]:
    """In one moto for all worlds, each with users of its own: to reset it takes longer than a rotation."""
    number = next(_NUMBERS)
    user = moto.make_user(f"lane{number}", path="/keyward/lane/")
    moto.act("TagUser", UserName=user, **{"Tags.member.1.Key": "keyward-lane", "Tags.member.1.Value": "prod/key"})
    stranger = moto.make_user(f"somebody{number}")
    other, old = moto.make_key(stranger), moto.make_key(user)

    @functools.lru_cache(maxsize=1)
    def alive_after(changes: object) -> set[str]:
        return {id for name in (user, stranger) for id, status in moto.keys(name).items() if status == "Active"}

    def alive() -> set[str]:
        """Asked anew after whatever may have changed something: each answer costs four requests."""
        return alive_after((moto.changes_of(user), moto.changes_of(stranger)))

    moto.seen.clear()
    moto.faults.clear()
    world = FakeWorld(
        moto,
        "aws/access-key",
        parts(id=old.id, secret=old.secret),
        parts(id=moto.admin.id, secret=moto.admin.secret),
        alive,
        {other.id},
        part="id",
        scope={"user": user},
    )
    world.clock = ManualClock(SystemClock().now())
    yield world


class HandWorld(FakeWorld):
    """Only a person can make the new one: it is there from the beginning, and counts once the old one is dead."""

    by_hand: SecretParts = NO_PARTS

    def working(self) -> int:
        unused = {self.by_hand[self._part].reveal().decode()} if self.works(self.old) else set()
        return len(self._alive() - self._foreign - unused)


@contextmanager
def anthropic() -> Iterator[HandWorld]:
    from keyward.testing.fakes.anthropic import FakeAnthropic, Workspace

    with FakeAnthropic(clock=ManualClock(SystemClock().now())) as fake:
        place = fake.workspaces["wrkspc_lane"] = Workspace("wrkspc_lane", "keyward-prod-key", fake.clock.now())
        old, new = (fake.console_create_key(name, place.id) for name in ("before", "by hand"))
        other = fake.console_create_key("theirs")

        def alive() -> set[str]:
            return {key.value for key in fake.keys.values() if key.status == "active"}

        world = HandWorld(fake, "anthropic/api-key", parts(secret=old.value), parts(secret=fake.admin), alive, {other.value})
        world.by_hand = parts(secret=new.value)
        yield world


@contextmanager
def github_token() -> Iterator[HandWorld]:
    from keyward.testing.fakes.github import FakeGitHub

    with FakeGitHub(clock=ManualClock(SystemClock().now())) as fake:
        old, new, other = (fake.add_token("octocat", "repo") for _ in range(3))

        def alive() -> set[str]:
            return {token.value for token in fake.tokens.values() if token.refused_from is None}

        world = HandWorld(fake, "github/pat-classic", parts(secret=old.value), {}, alive, {other.value})
        world.by_hand = parts(secret=new.value)
        yield world
