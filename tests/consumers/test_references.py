"""A value in a live configuration becomes a reference: Compose and OpenClaw, as consumers and as proposals for what a scan found."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml
from consumers.played_openclaw import CLAW
from tests_support import token

from keyward.errors import ConfigError, ConsumerChanged, ConsumerError
from keyward.formats.dotenv import Dotenv
from keyward.model.kind import Kind
from keyward.model.lane import ConsumerSpec, Entry
from keyward.model.secret import Secret
from keyward.plugin.consumer import Consumer, Holds, Values
from keyward.plugin.ports import Hosts, Ports
from keyward.rotate.consumers import make_consumer
from keyward.rotate.consumers.guess_reference import Kept, guess_reference, is_reference
from keyward.testing.consumer_contract import ConsumerContract

ENTRY = Entry("bot", "mistral", Kind("mistral/api-key"), "main", "lanes/bot/mistral")
OLD, NEW = token(1).decode(), token(2).decode()
CHANGE = Values("bot", "mistral", "main:lanes/bot/mistral", {"secret": Secret(OLD.encode())}, {"secret": Secret(NEW.encode())})
COMPOSE = """\
services:
  web:   # the shop
    image: shop:1
    environment:
      LOG: info
      DATABASE_URL: "postgresql://shop:%s@db/shop"   # read by src/db.py
  worker:
    environment:
      - LOG=info
      - API_KEY=%s
"""


def spec_of(folder: Path, **options: object) -> ConsumerSpec:
    table = {
        "path": str(folder / "compose.yaml"),
        "service": "app",
        "reference": True,
        "set": {"KEY": "{id}", "SECRET": "{secret}"},
    }
    return ConsumerSpec("compose", {**table, **options})


class Referenced(ConsumerContract):
    """The Compose file refers to `.env` from the beginning."""

    text = "services:\n  app:\n    environment: # here\n      KEY: ${KEY}\n      SECRET: $SECRET\n      X: y\n"

    def prepare(self, folder: Path, held: Holds, values: Values) -> None:
        (folder / "compose.yaml").write_text(self.text)
        parts = {Holds.OLD: values.old, Holds.NEW: values.new, Holds.OTHER: {n: Secret(b"theirs") for n in values.old}}.get(
            held
        )
        if parts:
            lines = (f"{name}={parts[part].reveal().decode()}\n" for name, part in (("KEY", "id"), ("SECRET", "secret")))
            (folder / ".env").write_text("A=1\n" + "".join(lines))

    def make(self, folder: Path, ports: Ports) -> Consumer:
        return make_consumer(spec_of(folder), ports)


class TestReferenced(Referenced):
    """In a map."""


class TestReferencedInAList(Referenced):
    text = "services:\n  app:\n    environment:\n    - KEY=${KEY} # here\n    - 'SECRET=${SECRET}'\n    - OTHER\n"


class TestBecomesAReference(ConsumerContract):
    """The value stands in the Compose file; afterwards it does not, whatever was interrupted."""

    sees_nothing = False

    def prepare(self, folder: Path, held: Holds, values: Values) -> None:
        if held is Holds.NEW:
            return Referenced().prepare(folder, held, values)
        parts = values.old if held is Holds.OLD else {n: Secret(b"theirs") for n in values.old}
        id, secret = (parts[part].reveal().decode() for part in ("id", "secret"))
        (folder / "compose.yaml").write_text(
            f'services:\n  app:\n    environment:\n      KEY: {id}\n      SECRET: "{secret}"\n'
        )
        return None

    def make(self, folder: Path, ports: Ports) -> Consumer:
        return make_consumer(spec_of(folder), ports)

    def snapshot(self, folder: Path) -> dict[str, bytes]:
        """What the service gets, whichever file it comes from; and what a killed process left behind."""
        held = (folder / ".env").read_bytes() if (folder / ".env").exists() else b""
        variables = yaml.safe_load((folder / "compose.yaml").read_text())["services"]["app"]["environment"]
        left = {path.name: b"" for path in folder.iterdir() if path.name.startswith(".keyward-")}
        for name, text in variables.items():
            referred = text in (f"${{{name}}}", f"${name}")
            left[name] = (Dotenv("compose").read(held, (name,)) or b"") if referred else str(text).encode()
        return left


def proposed(folder: Path, name: str, text: str, *, vault: bool = False) -> tuple[ConsumerSpec, ...]:
    path = folder / name
    path.write_text(text)
    return guess_reference(str(path), CHANGE.old, text.encode(), Kept(ENTRY, vault))


def made(spec: ConsumerSpec) -> Consumer:
    return make_consumer(spec, Ports(Hosts()))


def test_compose_values_move_into_the_projects_env(tmp_path: Path) -> None:
    specs = proposed(tmp_path, "docker-compose.yml", COMPOSE % (OLD, OLD))
    assert [(spec.options["service"], spec.options["set"]) for spec in specs] == [
        ("web", {"DATABASE_URL": "postgresql://shop:{secret|url}@db/shop"}),
        ("worker", {"API_KEY": "{secret}"}),
    ]
    assert all(is_reference(spec) for spec in specs)
    for spec in specs:
        consumer = made(spec)
        consumer.ready()  # type: ignore[attr-defined]
        assert consumer.holds(CHANGE) is Holds.OLD
        consumer.apply(CHANGE)
        assert consumer.holds(CHANGE) is Holds.NEW and "refers to" in consumer.verify(CHANGE)
    text = (tmp_path / "docker-compose.yml").read_text()
    referring = COMPOSE.replace("postgresql://shop:%s@db/shop", "${DATABASE_URL}").replace("API_KEY=%s", '"API_KEY=${API_KEY}"')
    assert text == referring and yaml.safe_load(text)["services"]["web"]["environment"]["LOG"] == "info"
    held = (tmp_path / ".env").read_bytes()
    assert Dotenv("compose").read(held, ("API_KEY",)) == NEW.encode()
    assert Dotenv("compose").read(held, ("DATABASE_URL",)) == f"postgresql://shop:{NEW}@db/shop".encode()
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    for spec in specs:
        made(spec).rollback(CHANGE)
    assert (tmp_path / "docker-compose.yml").read_text() == referring, "the reference stays, and leads to the old value"
    assert NEW.encode() not in (tmp_path / ".env").read_bytes() and OLD.encode() in (tmp_path / ".env").read_bytes()


def test_a_dollar_in_a_value_survives(tmp_path: Path) -> None:
    old, new = b"pa$$old-" + token(3), b'p$1"\\new-' + token(4)
    change = CHANGE._replace(old={"secret": Secret(old)}, new={"secret": Secret(new)})
    text = f"services:\n  app:\n    environment:\n      SECRET: '{old.decode().replace('$', '$$')}'\n"
    (tmp_path / "compose.yaml").write_text(text)
    consumer = made(spec_of(tmp_path, set={"SECRET": "{secret}"}))
    assert consumer.holds(change) is Holds.OLD
    consumer.apply(change)
    consumer.verify(change)
    assert Dotenv("compose").read((tmp_path / ".env").read_bytes(), ("SECRET",)) == new


@pytest.mark.parametrize(
    ("name", "text", "env"),
    [
        ("compose.yaml", "services:\n  a:\n    environment:\n      K: %s\n  b:\n    environment:\n      K: x-%s\n", ""),
        ("compose.yaml", "services:\n  a:\n    labels:\n      K: %s\n", ""),
        ("compose.yaml", "services:\n  a:\n    environment:\n      K: %s\nx-more:\n  key: %s\n", ""),
        ("compose.yaml", "services:\n  a:\n    environment:\n      K: %s\n", "K=theirs\n"),
        ("settings.yaml", "services:\n  a:\n    environment:\n      K: %s\n", ""),
        ("openclaw.json", "{hooks: {token: '%s'}} // by hand", ""),
        ("openclaw.json", '{"models": {"providers": {"a": {"headers": "Bearer %s"}}}}', ""),
    ],
)
def test_where_a_place_can_be_no_reference_none_is_proposed(tmp_path: Path, name: str, text: str, env: str) -> None:
    if env:
        (tmp_path / ".env").write_text(env)
    assert proposed(tmp_path, name, text.replace("%s", OLD)) == ()


def test_a_variable_that_somebody_else_set_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(f"services:\n  app:\n    environment:\n      SECRET: {OLD}\n")
    (tmp_path / ".env").write_text("SECRET=theirs\n")
    consumer = made(spec_of(tmp_path, set={"SECRET": "{secret}"}))
    assert consumer.holds(CHANGE) is Holds.OTHER
    with pytest.raises(ConsumerChanged):
        consumer.apply(CHANGE)
    assert (tmp_path / ".env").read_text() == "SECRET=theirs\n" and OLD in (tmp_path / "compose.yaml").read_text()


# OpenClaw, whose commands are played by a program of ours here; the real one is in test_openclaw_real


class Claw:
    """A state folder with `openclaw.json`, and the program."""

    def __init__(self, folder: Path, **sections: object) -> None:
        self.folder, self.config = folder, folder / "openclaw.json"
        (folder / "claw.py").write_text(CLAW)
        models = {"providers": {"mistral": {"baseUrl": "http://127.0.0.1:9", "apiKey": OLD}}}
        self.config.write_text(json.dumps({"models": models, **sections}))

    def propose(self, *, vault: bool = False) -> ConsumerSpec:
        (spec,) = proposed(self.folder, "openclaw.json", self.config.read_text(), vault=vault)
        command = [sys.executable, "-S", str(self.folder / "claw.py")]
        return spec._replace(options={**spec.options, "command": command})

    @property
    def key(self) -> object:
        return json.loads(self.config.read_text())["models"]["providers"]["mistral"]["apiKey"]

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


def test_openclaw_gets_a_reference_into_its_store(tmp_path: Path) -> None:
    claw = Claw(tmp_path)
    consumer = made(claw.propose())
    consumer.ready()  # type: ignore[attr-defined]
    assert claw.key == OLD and claw.calls == ["config patch --stdin --dry-run"]
    assert consumer.holds(CHANGE) is Holds.OLD
    assert "reference" in consumer.apply(CHANGE)
    assert claw.key == {"source": "store", "provider": "default", "id": "BOT_MISTRAL"}
    assert consumer.holds(CHANGE) is Holds.NEW and "0 warnings" in consumer.verify(CHANGE)
    assert consumer.apply(CHANGE) == "it was there already"
    assert NEW not in " ".join(claw.calls) and OLD not in claw.config.read_text()
    back = consumer.rollback(CHANGE)
    assert "behind the reference" in back and consumer.holds(CHANGE) is Holds.OLD and claw.key != OLD
    assert consumer.holds(CHANGE._replace(old=CHANGE.new, new={"secret": Secret(token(9))})) is Holds.OTHER


def test_openclaw_reads_the_lanes_vault_by_its_plugin(tmp_path: Path) -> None:
    provider = {"source": "exec", "pluginIntegration": {"pluginId": "vault", "integrationId": "vault"}}
    claw = Claw(tmp_path, secrets={"providers": {"corp": provider}})
    consumer = made(claw.propose(vault=True))
    consumer.ready()  # type: ignore[attr-defined]
    assert consumer.holds(CHANGE) is Holds.OLD
    consumer.apply(CHANGE)
    assert claw.key == {"source": "exec", "provider": "corp", "id": "lanes/bot/mistral/secret"}
    assert consumer.holds(CHANGE) is Holds.NEW and not any("store set" in call for call in claw.calls)
    consumer.verify(CHANGE)
    (tmp_path / "unreadable").touch()
    with pytest.raises(ConsumerError, match="0 is required"):
        consumer.verify(CHANGE)
    (tmp_path / "unreadable").unlink()
    consumer.rollback(CHANGE)
    assert claw.key == OLD, "the store still has the new one, which is revoked next"
    assert Claw(tmp_path).propose(vault=True).options["source"] == "store", "no plugin is configured"


def test_openclaw_is_asked_before_anything_is_made(tmp_path: Path) -> None:
    claw = Claw(tmp_path, gateway={"auth": {"token": OLD}})
    table = {"place": "reference", "field": "gateway.auth.token", "name": "X", "state_dir": str(tmp_path)}
    spec = ConsumerSpec("openclaw", {**table, "command": [sys.executable, "-S", str(tmp_path / "claw.py")]})
    with pytest.raises(ConsumerError, match="can hold no reference"):
        made(spec).ready()  # type: ignore[attr-defined]
    with pytest.raises(ConsumerError, match="no provider"):
        made(spec._replace(options={**spec.options, "source": "vault", "name": "a/b"})).ready()  # type: ignore[attr-defined]
    assert json.loads(claw.config.read_text())["gateway"] == {"auth": {"token": OLD}}


@pytest.mark.parametrize("wrong", [{"source": "file"}, {"name": "lower"}, {"name": ""}, {"source": "vault", "name": "../x"}])
def test_wrong_options_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"`{next(key for key in wrong if key != 'source' or len(wrong) == 1)}`"):
        made(ConsumerSpec("openclaw", {"place": "reference", "field": "a.b", "name": "X", **wrong}))
