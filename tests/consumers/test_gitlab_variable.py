"""The gitlab-variable consumer against a stateful API."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from keyward.errors import ConfigError, ConsumerChanged, ConsumerError
from keyward.model.secret import Secret
from keyward.plugin.clock import ManualClock
from keyward.plugin.consumer import Holds, Values
from keyward.plugin.ports import Call, Hosts, Ports
from keyward.rotate.consumers import gitlab_variable
from keyward.testing.fakes.gitlab_variables import DEVELOPER, MAINTAINER, OWNER, FakeGitlabVariables
from keyward.testing.fakes.server import Fault

PROJECT, GROUP = ("projects", "shop/api"), ("groups", "shop")
OLD, NEW = secrets.token_hex(16), secrets.token_hex(16)


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
def gitlab() -> Iterator[FakeGitlabVariables]:
    with FakeGitlabVariables() as fake:
        yield fake


def consumer(
    gitlab: FakeGitlabVariables,
    place: tuple[str, str] = PROJECT,
    level: int = OWNER,
    watch: Watch | None = None,
    **options: object,
) -> gitlab_variable.GitlabVariable:
    token = gitlab.add_token(*place, level)
    table: dict[str, object] = {place[0][:-1]: place[1], "name": "API_KEY", "token": "env:T", "url": gitlab.url, **options}
    ports = Ports(gitlab_variable.hosts(table), clock=ManualClock(), fences=(watch,) if watch else ())
    return gitlab_variable.make(table, ports, lambda reference: Secret(token.encode()))


@pytest.mark.parametrize("place", [PROJECT, GROUP])
def test_the_value_is_replaced_and_all_else_stays(gitlab: FakeGitlabVariables, place: tuple[str, str]) -> None:
    more = {"protected": True, "masked": True, "raw": True, "variable_type": "file", "description": "of the shop"}
    ours = gitlab.add(*place, "API_KEY", OLD, environment_scope="prod/*", **more)
    other = dict(gitlab.add(*place, "API_KEY", "another scope's"))
    before = dict(ours)
    watch = Watch()
    one = consumer(gitlab, place, scope="prod/*", watch=watch)
    assert one.holds(values()) is Holds.OLD
    with pytest.raises(ConsumerError):
        one.verify(values())
    assert one.apply(values()) == "replaced"
    assert ours == {**before, "value": NEW}
    assert gitlab.variables[place][1] == other
    assert one.holds(values()) is Holds.NEW
    assert one.verify(values()) == "read back"
    assert one.apply(values()) == "it was there already"
    assert len([call for call in watch.calls if call.changes]) == len(gitlab.changes) == 1
    assert len(watch.calls) == len(gitlab.seen)
    assert NEW not in repr(watch.calls) + repr(gitlab.seen)
    one.rollback(values())
    assert ours == before


def test_a_missing_variable_is_created_masked(gitlab: FakeGitlabVariables) -> None:
    one = consumer(gitlab)
    assert one.holds(values()) is Holds.NOTHING
    assert one.apply(values()) == "created"
    made = gitlab.variables[PROJECT][0]
    assert (made["value"], made["masked"], made["protected"], made["environment_scope"]) == (NEW, True, False, "*")
    consumer(gitlab, name="PLAIN", masked=False, protected=True).apply(values("", "ab cd"))
    assert (gitlab.variables[PROJECT][1]["masked"], gitlab.variables[PROJECT][1]["protected"]) == (False, True)


def test_what_is_neither_is_not_overwritten(gitlab: FakeGitlabVariables) -> None:
    gitlab.add(*PROJECT, "API_KEY", "by hand")
    one = consumer(gitlab)
    assert one.holds(values()) is Holds.OTHER
    for step in (one.apply, one.rollback):
        with pytest.raises(ConsumerChanged):
            step(values())
    assert gitlab.changes == []


def test_a_list_with_the_old_one_behind(gitlab: FakeGitlabVariables) -> None:
    gitlab.add(*PROJECT, "API_KEY", OLD)
    one = consumer(gitlab, fallbacks=" ")
    one.apply(values())
    assert gitlab.variables[PROJECT][0]["value"] == f"{NEW} {OLD}"
    assert one.holds(values()) is Holds.NEW
    one.apply(values("", NEW))
    assert gitlab.variables[PROJECT][0]["value"] == NEW


def test_a_hidden_variable_is_written_without_being_seen(gitlab: FakeGitlabVariables) -> None:
    ours = gitlab.add(*PROJECT, "API_KEY", OLD, masked=True, hidden=True)
    one = consumer(gitlab)
    assert one.holds(values()) is Holds.OLD
    one.apply(values())
    assert one.holds(values()) is Holds.NEW
    assert "cannot be read back" in one.verify(values())
    assert (ours["value"], ours["hidden"]) == (NEW, True)
    ours["value"] = OLD
    consumer(gitlab).verify(values())  # a process that did not write
    assert ours["value"] == NEW
    consumer(gitlab).rollback(values())
    assert ours["value"] == OLD


def test_refusals_say_what_is_missing_and_not_what_gitlab_said(gitlab: FakeGitlabVariables) -> None:
    gitlab.add(*PROJECT, "API_KEY", OLD, masked=True)
    with pytest.raises(ConsumerError, match="403") as caught:
        consumer(gitlab, PROJECT, DEVELOPER).holds(values())
    assert "Maintainer" in caught.value.hint
    with pytest.raises(ConsumerError, match="403"):
        consumer(gitlab, GROUP, MAINTAINER).holds(values())
    gitlab.add_token("projects", "shop/hidden")
    with pytest.raises(ConsumerError, match="404"):
        consumer(gitlab, project="shop/hidden").holds(values())
    short = "odd one"
    with pytest.raises(ConsumerError, match="400") as caught:
        consumer(gitlab).apply(values(OLD, short))
    assert short not in str(caught.value) + caught.value.hint
    table = {"project": "shop/api", "name": "K", "token": "env:T", "url": gitlab.url}
    stranger = gitlab_variable.make(table, Ports(gitlab_variable.hosts(table)), lambda reference: Secret(b"x"))
    with pytest.raises(ConsumerError, match="401"):
        stranger.holds(values())
    assert gitlab.changes == []


@pytest.mark.parametrize("how", ["lost", "reset", "500", "429"])
def test_a_failure_on_the_way_is_put_right_by_doing_it_again(gitlab: FakeGitlabVariables, how: str) -> None:
    ours = gitlab.add(*PROJECT, "API_KEY", OLD)
    gitlab.fail(Fault(how, method="PUT"))
    with pytest.raises(ConsumerError):
        consumer(gitlab).apply(values())
    assert ours["value"] == (NEW if how == "lost" else OLD)
    consumer(gitlab).apply(values())
    assert consumer(gitlab).verify(values()) == "read back"


def test_without_a_url_it_is_gitlab_com_alone() -> None:
    assert gitlab_variable.hosts({"project": "a/b"}) == Hosts(("gitlab.com",))


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"group": "shop"}, "project"),
        ({"name": ""}, "name"),
        ({"token": ""}, "token"),
        ({"masked": "yes"}, "masked"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_options_are_named(gitlab: FakeGitlabVariables, more: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=f"`{key}`"):
        consumer(gitlab, **more)
