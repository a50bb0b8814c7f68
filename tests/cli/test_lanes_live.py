"""`lanes check --live` and `due --live`, of a lane whose credentials are at three providers: each says what it knows, and one that is
down hides nothing of the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner

from keyward.cli import due, lanes
from keyward.flows.workplace import open_workplace
from keyward.model.credential import SecretParts
from keyward.model.secret import Secret
from keyward.plugin.clock import ManualClock, SystemClock
from keyward.plugin.store import Slot
from keyward.testing.fakes.gitlab import MAINTAINER, FakeGitLab
from keyward.testing.fakes.openrouter import FakeOpenRouter
from keyward.testing.fakes.server import FakeProvider, Fault
from keyward.testing.fakes.tencent import ADMINISTRATOR, FakeTencent

DAY = 86_400.0
CONFIG = """
[stores.main]
type = "agefile"
file = "{folder}/store.age"
insecure_identity = true

[lanes.shop]
rotate_every = "90d"

[[lanes.shop.credentials]]
name = "router"
kind = "openrouter/api-key"
target = {{ base_url = "{openrouter}" }}
admin = {{ secret = "env:OPENROUTER_ADMIN" }}

[[lanes.shop.credentials]]
name = "code"
kind = "gitlab/access-token"
target = {{ base_url = "{gitlab}" }}
scope = {{ project = "{project}", mode = "rotate", name = "deploy" }}
admin = {{ secret = "env:GITLAB_ADMIN" }}

[[lanes.shop.credentials]]
name = "cloud"
kind = "tencent/access-key"
target = {{ base_url = "{tencent}" }}
scope = {{ user = "shop" }}
admin = {{ id = "env:TENCENT_ID", secret = "env:TENCENT_SECRET" }}
"""


class Shop:
    """Three providers and a configuration; what the store holds was adopted, so that it does not know how old that is."""

    def __init__(self, folder: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
        now = SystemClock().now()
        self.clock = ManualClock(now - 100 * DAY)
        self.openrouter = stack.enter_context(FakeOpenRouter(clock=self.clock))
        self.gitlab = stack.enter_context(FakeGitLab(clock=self.clock))
        self.tencent = stack.enter_context(FakeTencent(throttle=False, clock=self.clock))
        router = self.openrouter.make_key("keyward shop/router")
        owner = self.gitlab.add_user("owner")
        project = self.gitlab.add_project("acme/shop", owner=MAINTAINER)
        code = self.gitlab.add_resource_token("project", project, "api", name="deploy", days=300)
        user = self.tencent.make_user("shop", ADMINISTRATOR)
        cloud, root = self.tencent.make_key(user), self.tencent.make_key(self.tencent.root)
        self.clock.sleep(100 * DAY)
        self.config = folder / "config.toml"
        urls = {name: getattr(self, name).url for name in ("openrouter", "gitlab", "tencent")}
        self.config.write_text(CONFIG.format(folder=folder, project=project, **urls))
        self.config.chmod(0o600)
        monkeypatch.setenv("OPENROUTER_ADMIN", self.openrouter.management.value)
        monkeypatch.setenv("GITLAB_ADMIN", self.gitlab.add_token(owner).value)
        monkeypatch.setenv("TENCENT_ID", root.id)
        monkeypatch.setenv("TENCENT_SECRET", root.secret)
        self.values: dict[str, SecretParts] = {
            "router": {"secret": Secret(router.value.encode())},
            "code": {"secret": Secret(code.value.encode())},
            "cloud": {"id": Secret(cloud.id.encode()), "secret": Secret(cloud.secret.encode())},
        }
        with open_workplace(str(self.config)) as place:
            for name, parts in self.values.items():
                place.store("main").write(f"lanes/shop/{name}", Slot.CURRENT, parts, {"state": "adopted"}, expected=0)

    @property
    def providers(self) -> tuple[FakeProvider, ...]:
        return self.openrouter, self.gitlab, self.tencent

    def check(self, *words: str) -> str:
        args = ["check", *words, "--config", str(self.config)]
        done = CliRunner().invoke(lanes.app, args, standalone_mode=False, catch_exceptions=False)
        assert done.return_value == 1, done.output
        return done.output

    def due(self, *words: str) -> dict[str, str]:
        import typer

        app = typer.Typer()
        app.command()(due.due)
        args = ["--all", *words, "--config", str(self.config)]
        out = CliRunner().invoke(app, args, standalone_mode=False, catch_exceptions=False).output
        return {line.split()[0]: line for line in out.splitlines() if line.startswith("shop/")}


@pytest.fixture
def shop(environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    with ExitStack() as stack:
        yield Shop(tmp_path, stack, monkeypatch)


def test_each_provider_says_what_it_knows(shop: Shop) -> None:
    quiet = shop.check()
    assert not any(provider.seen for provider in shop.providers), "nobody is asked who was not to be asked"
    assert "over-broad" not in quiet and "unused" not in quiet
    said = shop.check("--live")
    for ref, problem in (("router", "has no spending limit"), ("code", "has the scope api"), ("cloud", "AdministratorAccess")):
        line = next(each for each in said.splitlines() if problem in each)
        assert "over-broad" in line and f"shop/{ref}" in line
    assert all(provider.seen and not provider.changes for provider in shop.providers), "a review only reads"
    assert not any(parts["secret"].reveal().decode() in said for parts in shop.values.values())


def test_a_key_without_an_end_is_named_once(shop: Shop) -> None:
    def named(out: str) -> list[str]:
        return [line for line in out.splitlines() if line.startswith("no-expiry") and "shop/router" in line]

    assert len(named(shop.check())) == 1 and "lives for ever" in named(shop.check())[0]
    live = shop.check("--live")
    assert len(named(live)) == 1 and "has no expiry" in named(live)[0] and 'Add, for instance: expiry = "90d"' in live
    shop.config.write_text(
        shop.config.read_text().replace('kind = "openrouter/api-key"', 'kind = "openrouter/api-key"\nexpiry = "90d"')
    )
    assert named(shop.check()) == []
    live = shop.check("--live")
    assert len(named(live)) == 1 and "The next one will end: keyward rotate shop/router" in live


def test_how_old_they_are_is_known_to_their_providers(shop: Shop) -> None:
    assert all("unknown" in line for line in shop.due().values())
    lines = shop.due("--live")
    made = _day(shop.clock.now() - 100 * DAY)
    assert set(lines) == {"shop/router", "shop/code", "shop/cloud"}
    assert all(made in line and "unknown" not in line for line in lines.values()), lines
    assert not any(provider.changes for provider in shop.providers)


def test_one_that_is_down_hides_nothing_of_the_others(shop: Shop) -> None:
    shop.gitlab.fail(Fault("403", times=99))
    said = shop.check("--live")
    assert "AdministratorAccess" in said and "has no spending limit" in said
    assert any("shop/code" in line and "could not be asked" in line for line in said.splitlines())
    lines = shop.due("--live")
    assert "unknown" in lines["shop/code"] and "unknown" not in lines["shop/cloud"] + lines["shop/router"]


def test_a_review_asks_how_old_they_are_as_well(shop: Shop) -> None:
    """Else `check --live` calls overdue what `due --live` calls fine."""
    assert "nobody knows when it was rotated" in shop.check()
    said = shop.check("--live")
    assert "nobody knows" not in said
    late = {ref for ref, line in shop.due("--live").items() if " fine " not in line}
    assert late and {line.split()[1] for line in said.splitlines() if line.startswith("overdue")} == late


def test_an_admin_credential_that_is_missing_hides_nothing_of_the_others(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITLAB_ADMIN")
    lines = shop.due("--live")
    assert "unknown" in lines["shop/code"] and "unknown" not in lines["shop/cloud"] + lines["shop/router"]


def _day(seconds: float) -> str:
    import time

    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
