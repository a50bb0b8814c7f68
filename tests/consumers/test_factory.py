"""The factory: every type has its module, and none is imported before it is needed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from keyward.errors import ConfigError
from keyward.model.lane import ConsumerSpec
from keyward.plugin.ports import Hosts, Ports
from keyward.rotate.consumers import TYPES, hosts_of, make_consumer


def test_an_unknown_type_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="docker") as caught:
        make_consumer(ConsumerSpec("docker", {}), Ports(Hosts()))
    assert "docker-env" in caught.value.hint


@pytest.mark.parametrize("type", sorted(TYPES))
def test_every_type_has_its_module_and_refuses_what_it_does_not_know(type: str) -> None:
    if importlib.util.find_spec(f"keyward.rotate.consumers.{TYPES[type].module}") is None:
        pytest.fail(f"{type} has no module")
    with pytest.raises(ConfigError, match="no_such_option"):
        make_consumer(ConsumerSpec(type, {"no_such_option": 1}), Ports(Hosts()))


def test_the_table_costs_no_import() -> None:
    program = (
        "import sys, keyward.rotate.consumers as c; "
        "print([m for m in sys.modules if m.startswith('keyward.rotate.consumers.') or m.startswith(('ruamel', 'httpx', 'subprocess'))])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_check_is_run_for_every_type() -> None:
    spec = ConsumerSpec("dotenv", {"path": "x", "set": {"A": ""}}, check=("true",))
    assert make_consumer(spec, Ports(Hosts())).type == "dotenv"
    with pytest.raises(ConfigError, match="reload"):
        make_consumer(spec._replace(options={**spec.options, "reload": "x"}), Ports(Hosts()))


def test_only_services_may_be_gone_to() -> None:
    assert hosts_of(ConsumerSpec("dotenv", {"path": "x", "set": {"A": ""}})) == Hosts()
    spec = ConsumerSpec("openclaw", {"url": "https://vault.example"})
    assert hosts_of(spec).configured == {("vault.example", 443)}
    with pytest.raises(ConfigError):
        hosts_of(ConsumerSpec("docker", {}))
