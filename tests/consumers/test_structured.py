"""Consumers of JSON, JSON5, YAML, TOML, INI, properties and whole files keep the contract, and change nothing but the values."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyward.errors import ConfigError, ConsumerError
from keyward.model.lane import ConsumerSpec
from keyward.model.secret import Secret
from keyward.plugin.consumer import Consumer, Holds, Values
from keyward.plugin.ports import Hosts, Ports
from keyward.rotate.consumers import make_consumer
from keyward.testing.consumer_contract import ConsumerContract


class Structured(ConsumerContract):
    """`text` has %i and %s where the two parts stand."""

    type = ""
    text = ""
    places = ("aws.id", "aws.keys.0")
    more: dict[str, object] = {}  # noqa: RUF012 - read only

    def prepare(self, folder: Path, held: Holds, values: Values) -> None:
        parts = {
            Holds.OLD: values.old,
            Holds.NEW: values.new,
            Holds.OTHER: {"id": Secret(b"who"), "secret": Secret(b"knows")},
            Holds.NOTHING: {"id": Secret(b""), "secret": Secret(b"")},
        }[held]
        text = self.text.replace("%i", parts["id"].reveal().decode()).replace("%s", parts["secret"].reveal().decode())
        (folder / "config").write_bytes(text.encode())

    def make(self, folder: Path, ports: Ports) -> Consumer:
        places = dict(zip(self.places, ("{id}", "{secret}")))
        return make_consumer(ConsumerSpec(self.type, {"path": str(folder / "config"), "set": places, **self.more}), ports)


class TestJson(Structured):
    type = "json"
    text = '{\n  "aws": {"id":"%i", "keys": [ "%s" ]},\r\n "x": "\\u00e9"}'


class TestJson5(Structured):
    type = "json5"
    text = "{ // keys\n  aws: {id: '%i', keys: [ '%s', ]}, /* x */ }\n"


class TestYaml(Structured):
    type = "yaml"
    text = "aws:   # keys\n    id: '%i'\n    keys:\n    - \"%s\" # one\nx: y"


class TestToml(Structured):
    type = "toml"
    text = "[aws] # keys\nid = '%i'\nkeys = [ \"%s\", ] # one\n"


class TestIni(Structured):
    type = "ini"
    text = "; keys\n[aws]\nID=%i\nkey : %s\n[b]\nkey = x"
    places = ("aws.id", "aws.key")


class TestProperties(Structured):
    type = "properties"
    text = "# keys\naws.id: %i\naws.key = %s\nlast"
    places = ("aws.id", "aws.key")


class TestFile(Structured):
    type = "file"
    text = "%s"

    def make(self, folder: Path, ports: Ports) -> Consumer:
        return make_consumer(ConsumerSpec("file", {"path": str(folder / "config")}), ports)


@pytest.fixture
def ports() -> Ports:
    return Ports(Hosts())


def values(old: bytes = b"old-value", new: bytes = b"new-value") -> Values:
    return Values("l", "n", "r", {"secret": Secret(old)} if old else {}, {"secret": Secret(new)})


@pytest.mark.parametrize("type", ["json", "json5", "yaml", "toml"])
def test_a_missing_file_is_made_where_wanted(type: str, tmp_path: Path, ports: Ports) -> None:
    file = tmp_path / "new"
    spec = ConsumerSpec(type, {"path": str(file), "set": {"a.b": "{secret}"}, "create": True})
    consumer = make_consumer(spec, ports)
    consumer.apply(values(b""))
    assert consumer.holds(values()) is Holds.NEW
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_newline_at_the_end_of_a_whole_file_stays(tmp_path: Path, ports: Ports) -> None:
    file = tmp_path / "credential"
    file.write_bytes(b"old-value\n")
    consumer = make_consumer(ConsumerSpec("file", {"path": str(file)}), ports)
    consumer.apply(values())
    assert file.read_bytes() == b"new-value\n"
    consumer.rollback(values())
    assert file.read_bytes() == b"old-value\n"


def test_a_broken_file_is_refused_without_quoting_it(tmp_path: Path, ports: Ports) -> None:
    for type in ("json", "json5", "yaml", "toml"):
        file = tmp_path / type
        file.write_bytes(b'{"a": "old-value')
        consumer = make_consumer(ConsumerSpec(type, {"path": str(file), "set": {"a": ""}}), ports)
        with pytest.raises(ConsumerError) as caught:
            consumer.apply(values())
        assert "old-value" not in str(caught.value)
        assert str(file) in str(caught.value)


def test_percent_signs_in_ini_need_a_word_of_the_operator(tmp_path: Path, ports: Ports) -> None:
    file = tmp_path / "ini"
    file.write_bytes(b"[s]\nk = old-value\n")
    options = {"path": str(file), "set": {"s.k": ""}}
    with pytest.raises(ConsumerError, match="percent"):
        make_consumer(ConsumerSpec("ini", options), ports).apply(values(new=b"50%"))
    make_consumer(ConsumerSpec("ini", {**options, "percent": "double"}), ports).apply(values(new=b"50%"))
    assert file.read_bytes() == b"[s]\nk = 50%%\n"
    with pytest.raises(ConfigError, match="percent"):
        make_consumer(ConsumerSpec("ini", {**options, "percent": "so"}), ports)


def test_a_wrong_path_is_an_error_of_the_configuration(ports: Ports) -> None:
    with pytest.raises(ConfigError, match="empty part"):
        make_consumer(ConsumerSpec("json", {"path": "x", "set": {"a..b": ""}}), ports)
