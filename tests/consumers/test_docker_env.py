"""`docker-env` and `compose`: no quotes in the one, `$$` and two forms of `environment` in the other."""

from __future__ import annotations

from pathlib import Path

import docker.utils
import pytest
import yaml

from keyward.errors import ConfigError, ConsumerError
from keyward.model.lane import ConsumerSpec
from keyward.model.secret import Secret
from keyward.plugin.consumer import Consumer, Holds, Values
from keyward.plugin.ports import Hosts, Ports
from keyward.rotate.consumers import make_consumer
from keyward.rotate.consumers.docker_env import env_files
from keyward.testing.consumer_contract import ConsumerContract

FILLED = {
    Holds.OTHER: {"id": Secret(b"who"), "secret": Secret(b"knows")},
    Holds.NOTHING: {"id": Secret(b""), "secret": Secret(b"")},
}


def filled(text: str, held: Holds, values: Values) -> str:
    parts = {Holds.OLD: values.old, Holds.NEW: values.new, **FILLED}[held]
    return text.replace("%i", parts["id"].reveal().decode()).replace("%s", parts["secret"].reveal().decode())


def secret(old: bytes, new: bytes) -> Values:
    return Values("l", "n", "r", {"secret": Secret(old)}, {"secret": Secret(new)})


class TestDockerEnv(ConsumerContract):
    def prepare(self, folder: Path, held: Holds, values: Values) -> None:
        (folder / "app.env").write_text(filled("# x\nA='b' # c\nKEY=%i\nSECRET=%s\n", held, values))

    def make(self, folder: Path, ports: Ports) -> Consumer:
        places = {"KEY": "{id}", "SECRET": "{secret}"}
        return make_consumer(ConsumerSpec("docker-env", {"path": str(folder / "app.env"), "set": places}), ports)


class Compose(ConsumerContract):
    text = ""

    def prepare(self, folder: Path, held: Holds, values: Values) -> None:
        (folder / "compose.yaml").write_text(filled(self.text, held, values))

    def make(self, folder: Path, ports: Ports) -> Consumer:
        return compose(folder / "compose.yaml", ports)


class TestComposeMap(Compose):
    text = 'services:\n  app:\n    environment: # here\n      KEY: %i\n      SECRET: "%s"\n  db:\n    environment: {KEY: x}\n'


class TestComposeList(Compose):
    sees_nothing = False
    text = "services:\n  app:\n    environment:\n    - KEY=%i # here\n    - 'SECRET=%s'\n    - OTHER\n  db: {}\n"


def compose(file: Path, ports: Ports, **places: str) -> Consumer:
    options = {"path": str(file), "service": "app", "set": places or {"KEY": "{id}", "SECRET": "{secret}"}}
    return make_consumer(ConsumerSpec("compose", options), ports)


@pytest.fixture
def ports() -> Ports:
    return Ports(Hosts())


@pytest.mark.parametrize("new", [b'it\'s "quoted" #$x', b"a=b", b" lead", b"back\\slash"])
def test_docker_reads_back_what_was_written(new: bytes, tmp_path: Path, ports: Ports) -> None:
    file = tmp_path / "app.env"
    file.write_bytes(b"A=1\nSECRET=old-value\n")
    make_consumer(ConsumerSpec("docker-env", {"path": str(file), "set": {"SECRET": ""}}), ports).apply(
        secret(b"old-value", new)
    )
    assert b"SECRET=" + new + b"\n" in file.read_bytes()
    if new == new.strip():  # docker-py strips lines, docker itself does not
        assert docker.utils.parse_env_file(str(file)) == {"A": "1", "SECRET": new.decode()}


def test_two_lines_do_not_fit_into_an_env_file(tmp_path: Path, ports: Ports) -> None:
    file = tmp_path / "app.env"
    file.write_bytes(b"SECRET=old-value\n")
    consumer = make_consumer(ConsumerSpec("docker-env", {"path": str(file), "set": {"SECRET": ""}}), ports)
    with pytest.raises(ConsumerError, match="SECRET"):
        consumer.apply(secret(b"old-value", b"two\nlines"))


@pytest.mark.parametrize("line", ["      SECRET: {}\n", "    - SECRET={}\n"])
def test_dollar_signs_are_doubled_for_compose(line: str, tmp_path: Path, ports: Ports) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services:\n  app:\n    environment:\n" + line.format("pa$$old"))
    values = secret(b"pa$old", b"n$w: #1")
    consumer = compose(file, ports, SECRET="{secret}")
    assert consumer.holds(values) is Holds.OLD
    consumer.apply(values)
    environment = yaml.safe_load(file.read_text())["services"]["app"]["environment"]
    assert environment in ({"SECRET": "n$$w: #1"}, ["SECRET=n$$w: #1"])
    consumer.rollback(values)
    assert consumer.holds(values) is Holds.OLD


def test_a_variable_from_elsewhere_is_refused_with_a_hint(tmp_path: Path, ports: Ports) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services:\n  app:\n    env_file: [a.env, {path: b.env}]\n    environment:\n      SECRET: ${SECRET}\n")
    with pytest.raises(ConsumerError, match="elsewhere"):
        compose(file, ports, SECRET="{secret}").apply(secret(b"old", b"new"))
    with pytest.raises(ConsumerError, match="does not set OTHER") as caught:
        compose(file, ports, OTHER="{secret}").apply(secret(b"old", b"new"))
    assert "env_file" in caught.value.hint
    folder = str(tmp_path)
    assert env_files(str(file), file.read_bytes(), "app") == (f"{folder}/a.env", f"{folder}/b.env")


def test_a_service_is_needed(ports: Ports) -> None:
    with pytest.raises(ConfigError, match="service"):
        make_consumer(ConsumerSpec("compose", {"path": "x", "set": {"A": ""}}), ports)
