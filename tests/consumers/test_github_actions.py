"""The github-actions consumer against a stateful API that opens what was sealed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from keyward.errors import ConfigError, ConsumerChanged, ConsumerError
from keyward.model.secret import Secret
from keyward.plugin.clock import ManualClock
from keyward.plugin.consumer import Holds, Values
from keyward.plugin.ports import Call, Hosts, Ports
from keyward.rotate.consumers import github_actions
from keyward.testing.fakes.github_secrets import FakeGithubSecrets
from keyward.testing.fakes.server import Fault

REPO, ENV, ORG = (
    "/repos/acme/shop/actions/secrets",
    "/repos/acme/shop/environments/prod eu/secrets",
    "/orgs/acme/actions/secrets",
)
OLD, NEW = secrets.token_hex(16), secrets.token_hex(16)
HERE = {
    REPO: {"repository": "acme/shop"},
    ENV: {"repository": "acme/shop", "environment": "prod eu"},
    ORG: {"organization": "acme"},
}


class Watch:
    def __init__(self) -> None:
        self.calls: list[Call] = []

    def before(self, call: Call) -> None:
        self.calls.append(call)

    def after(self, call: Call, outcome: str) -> None:
        pass


def values(old: str = OLD, new: str = NEW) -> Values:
    parts = [{"secret": Secret(each.encode())} if each else {} for each in (old, new)]
    return Values("shop", "key", "vault:lanes/shop/key", parts[0], parts[1], "r1")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def github(clock: ManualClock) -> Iterator[FakeGithubSecrets]:
    with FakeGithubSecrets(clock=clock) as fake:
        for place in HERE:
            fake.add_place(place)
        yield fake


def consumer(
    github: FakeGithubSecrets, place: str = REPO, *rights: str, watch: Watch | None = None, **options: object
) -> github_actions.ActionsSecret:
    token = github.add_token(place, *(rights or ("read", "write")))
    table: dict[str, object] = {**HERE[place], "name": "API_KEY", "token": "env:T", "url": github.url, **options}
    ports = Ports(github_actions.hosts(table), clock=ManualClock(), fences=(watch,) if watch else ())
    return github_actions.make(table, ports, lambda reference: Secret(token.encode()))


@pytest.mark.parametrize("place", [REPO, ENV, ORG])
def test_the_real_value_arrives_sealed(github: FakeGithubSecrets, clock: ManualClock, place: str) -> None:
    github.put(place, "API_KEY", OLD.encode(), "all")
    clock.sleep(60)
    watch = Watch()
    one = consumer(github, place, watch=watch)
    assert one.holds(values()) is Holds.OLD  # taken to be
    assert one.apply(values()) == "replaced"
    assert github.value(place, "API_KEY") == NEW.encode()
    assert one.holds(values()) is Holds.NEW
    assert "updated_at 20" in one.verify(values())
    assert [call.what for call in watch.calls if call.changes] == [f"PUT {one._base}/API_KEY"]
    assert len(watch.calls) == len(github.seen)
    assert NEW not in repr(watch.calls) + repr(github.seen)
    one.rollback(values())
    assert github.value(place, "API_KEY") == OLD.encode()


def test_a_missing_secret_is_created_and_a_missing_place_is_an_error(github: FakeGithubSecrets) -> None:
    one = consumer(github)
    assert one.holds(values("")) is Holds.NOTHING
    assert one.apply(values("")) == "created"
    assert github.value(REPO, "API_KEY") == NEW.encode()
    github.places.pop(ENV)
    with pytest.raises(ConsumerError, match="not found or not allowed"):
        consumer(github, ENV).holds(values())


def test_another_process_writes_again_before_it_says_that_it_is_there(github: FakeGithubSecrets) -> None:
    github.put(REPO, "API_KEY", OLD.encode())
    consumer(github).verify(values())  # this one did not see the write of the process that died
    assert github.value(REPO, "API_KEY") == NEW.encode()


def test_a_write_of_somebody_else_after_ours_is_seen(github: FakeGithubSecrets, clock: ManualClock) -> None:
    one = consumer(github)
    one.apply(values())
    clock.sleep(5)
    github.put(REPO, "API_KEY", b"theirs")
    assert one.holds(values()) is Holds.OTHER
    for step in (one.apply, one.verify, one.rollback):
        with pytest.raises(ConsumerChanged):
            step(values())
    assert github.value(REPO, "API_KEY") == b"theirs"


def test_an_organisations_secret_stays_visible_to_the_same_repositories(github: FakeGithubSecrets) -> None:
    chosen = tuple(range(1, 151))
    github.put(ORG, "API_KEY", OLD.encode(), "selected", chosen)
    consumer(github, ORG).apply(values())
    assert (github.places[ORG]["API_KEY"]["visibility"], github.places[ORG]["API_KEY"]["selected"]) == ("selected", chosen)
    github.put(ORG, "API_KEY", OLD.encode(), "all")
    consumer(github, ORG).apply(values())
    assert github.places[ORG]["API_KEY"]["visibility"] == "all"
    consumer(github, ORG, name="FRESH").apply(values(""))
    assert github.places[ORG]["FRESH"]["visibility"] == "private"


def test_a_missing_right_and_a_wrong_token_are_named(github: FakeGithubSecrets) -> None:
    with pytest.raises(ConsumerError, match="403") as caught:
        consumer(github, REPO, "read").apply(values())
    assert "`write`" in caught.value.hint
    with pytest.raises(ConsumerError, match="404"):
        consumer(github, REPO, "write").holds(values())
    table = {"repository": "acme/shop", "name": "K", "token": "env:T", "url": github.url}
    stranger = github_actions.make(table, Ports(github_actions.hosts(table)), lambda reference: Secret(b"x"))
    with pytest.raises(ConsumerError, match="401"):
        stranger.apply(values())
    assert github.changes == []


@pytest.mark.parametrize("how", ["lost", "reset", "500", "429"])
def test_a_failure_on_the_way_is_put_right_by_doing_it_again(github: FakeGithubSecrets, how: str) -> None:
    github.put(REPO, "API_KEY", OLD.encode())
    github.fail(Fault(how, method="PUT"))
    with pytest.raises(ConsumerError):
        consumer(github).apply(values())
    assert github.value(REPO, "API_KEY") == (NEW if how == "lost" else OLD).encode()
    again = consumer(github)
    assert again.holds(values()) is Holds.OLD
    again.apply(values())
    again.verify(values())
    assert github.value(REPO, "API_KEY") == NEW.encode()


def test_too_long_a_value_is_refused_before_anything_is_sent(github: FakeGithubSecrets) -> None:
    with pytest.raises(ConsumerError, match="48 KB"):
        consumer(github).apply(values(OLD, "x" * 50_000))
    assert github.changes == []


def test_the_servers_words_are_not_passed_on(github: FakeGithubSecrets) -> None:
    github.key_id = "another"
    one = consumer(github)
    github.fail(Fault("422", method="PUT"))
    with pytest.raises(ConsumerError, match="422") as caught:
        one.apply(values())
    assert "injected" not in str(caught.value)


def test_without_a_url_it_is_github_alone() -> None:
    table = {"repository": "acme/shop", "name": "K", "token": "env:T"}
    assert github_actions.hosts(table) == Hosts(("api.github.com",))


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"repository": "acme"}, "repository"),
        ({"repository": "acme/a/b"}, "repository"),
        ({"organization": "acme"}, "organization"),
        ({"name": "GITHUB_X"}, "name"),
        ({"name": "1X"}, "name"),
        ({"name": ""}, "name"),
        ({"token": ""}, "token"),
        ({"org": "x"}, "org"),
    ],
)
def test_wrong_options_are_named(github: FakeGithubSecrets, more: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=f"`{key}`"):
        consumer(github, **more)
