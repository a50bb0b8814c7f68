"""Five local providers for `rotate.py`, each in a process of its own, each counting its calls and keeping its real rate.

| provider | its rate, and where that stands |
|---|---|
| tencent | 5 changing and 20 listing requests a second, an action: https://tencentcloud.com/document/api/598/52594, /598/37088 (kept by the fake itself) |
| github | 900 points a minute, 1 for reading and 5 for changing: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api |
| gitlab | 2,000 requests a minute for a user: https://docs.gitlab.com/user/gitlab_com/rate_limits/ |
| openai | nothing is documented for the administration API |
| openrouter | nothing is documented for its key management: https://openrouter.ai/docs/api_reference/limits (only "DDoS protection") |

A limit for a minute lets a minute's worth through at once, and then as much as comes back (a token bucket).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from keyward.testing.fakes.github import FakeGitHub
from keyward.testing.fakes.gitlab import MAINTAINER, FakeGitLab
from keyward.testing.fakes.openai import FakeOpenAI
from keyward.testing.fakes.openrouter import FakeOpenRouter
from keyward.testing.fakes.server import FakeProvider, Request, Response
from keyward.testing.fakes.tencent import CHANGING_RATE, READING_RATE, FakeTencent

READING = ("GET", "HEAD")


class Limit(NamedTuple):
    """A token bucket: `rate` units come back a second, `burst` at most are there; one call takes `cost`."""

    name: str
    rate: float
    burst: float
    cost: float = 1.0


class Call(NamedTuple):
    """One request as the provider saw it. `time`: by the machine's monotonic clock, when it was answered."""

    time: float
    what: str
    changed: bool
    throttled: bool
    limit: Limit | None


class Credential(NamedTuple):
    """One credential that is there, with what the operator's configuration says of it."""

    parts: Mapping[str, str]
    scope: Mapping[str, object]


class World(NamedTuple):
    """A provider that runs."""

    url: str
    kind: str
    admin: Mapping[str, str]
    credentials: tuple[Credential, ...]


class Metered(FakeProvider):
    """Counts calls, and throttles by `limit`."""

    def __init__(self, **options: Any) -> None:
        self.calls: list[Call] = []
        self._left: dict[str, tuple[float, float]] = {}
        super().__init__(**options)

    def limit(self, request: Request) -> Limit | None:
        """What limits a request; None where nothing is documented."""
        return None

    def handle(self, request: Request) -> Response:
        limit, now = self.limit(request), time.monotonic()
        response = super().handle(request) if limit is None or self.fits(limit, now) else self.throttled()
        what = self.label(request) or f"{request.method} {request.path}"
        self.calls.append(Call(now, what, self.is_change(request, response), self.is_throttled(response), limit))
        return response

    def fits(self, limit: Limit, now: float) -> bool:
        """Takes the cost out of the bucket, if it is there."""
        left, since = self._left.get(limit.name, (limit.burst, now))
        left = min(limit.burst, left + (now - since) * limit.rate)
        enough = left >= limit.cost
        self._left[limit.name] = (left - limit.cost if enough else left, now)
        return enough

    def is_throttled(self, response: Response) -> bool:
        return response.status == 429


class Tencent(Metered, FakeTencent):
    def limit(self, request: Request) -> Limit | None:
        action = self.label(request)
        rate = READING_RATE if action.startswith(("Get", "List", "Query")) else CHANGING_RATE
        return Limit(action, rate, rate)

    def fits(self, limit: Limit, now: float) -> bool:
        return True  # the fake throttles by itself

    def is_throttled(self, response: Response) -> bool:
        return "RequestLimitExceeded" in str(response.body)

    def world(self, count: int) -> World:
        root = self.make_key(self.root)
        credentials = []
        for number in range(count):
            key = self.make_key(self.make_user(f"bench-{number}"))
            credentials.append(Credential({"id": key.id, "secret": key.secret}, {"user": f"bench-{number}"}))
        return World(self.url, "tencent/access-key", {"id": root.id, "secret": root.secret}, tuple(credentials))


class GitHub(Metered, FakeGitHub):
    """Installation tokens of one App."""

    def limit(self, request: Request) -> Limit | None:
        return Limit("points", 900 / 60, 900, 1 if request.method in READING else 5)

    def world(self, count: int) -> World:
        self.add_repository("acme/one")
        app, key = self.add_app()
        installed = self.install(app, "acme", contents="read")
        tokens = [self.add_token("acme", form="ghs_", contents="read") for _ in range(count)]
        for token in tokens:
            token.installation = installed.id
        scope = {"installation": installed.id}
        credentials = tuple(Credential({"secret": token.value}, scope) for token in tokens)
        admin = {"app_id": str(app.id), "private_key": key.decode()}
        return World(self.url, "github/app-installation-token", admin, credentials)


class GitLab(Metered, FakeGitLab):
    """Project tokens, one project each, all under one maintainer."""

    def limit(self, request: Request) -> Limit | None:
        # a project token is a user (a bot) of its own: only what the maintainer asks comes out of one bucket
        return Limit("requests", 2000 / 60, 2000) if self._sent(request) == self.admin else None

    def world(self, count: int) -> World:
        owner = self.add_user("owner")
        self.admin = self.add_token(owner).value
        credentials = []
        for number in range(count):
            project = self.add_project(f"bench/{number}", owner=MAINTAINER)
            token = self.add_resource_token("project", project, "read_api", name=f"bench-{number}")
            credentials.append(Credential({"secret": token.value}, {"project": str(project), "scopes": ["read_api"]}))
        return World(self.url, "gitlab/access-token", {"secret": self.admin}, tuple(credentials))

    admin = ""


class OpenAI(Metered, FakeOpenAI):
    """Keys of service accounts, all in one project."""

    def world(self, count: int) -> World:
        project = self.make_project("bench")
        credentials = []
        for number in range(count):
            account = self.make_account(project, f"bench-{number}")
            key = self.make_key("service_account", project.id, account.id)
            scope = {"project": project.id, "service_account": account.id}
            credentials.append(Credential({"secret": key.value}, scope))
        return World(self.url, "openai/service-account-key", {"secret": self.admin.value}, tuple(credentials))


class OpenRouter(Metered, FakeOpenRouter):
    def world(self, count: int) -> World:
        keys = [self.make_key(f"bench-{number}") for number in range(count)]
        credentials = tuple(Credential({"secret": key.value}, {}) for key in keys)
        return World(self.url, "openrouter/api-key", {"secret": self.management.value}, credentials)


PROVIDERS = {"github": GitHub, "gitlab": GitLab, "openai": OpenAI, "openrouter": OpenRouter, "tencent": Tencent}


def serve(name: str, count: int, door: Connection) -> None:
    """Runs one provider until the door closes. Sends its World; then obeys `("latency", seconds)`, and answers `("calls",)` with
    the calls since the last time."""
    with PROVIDERS[name]() as fake:
        door.send(fake.world(count))
        while True:
            try:
                command, *arguments = door.recv()
            except EOFError:
                return
            with fake.lock:
                if command == "latency":
                    (fake.latency,) = arguments
                calls, fake.calls = fake.calls, []
            door.send(calls)
