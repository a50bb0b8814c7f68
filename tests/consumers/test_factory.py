"""The factory: every type has its module, and none is imported before it is needed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from keyward.errors import ConfigError, ConsumerError
from keyward.model.lane import ConsumerSpec
from keyward.model.secret import Secret
from keyward.plugin.consumer import Holds, Values
from keyward.plugin.ports import Hosts, Ports
from keyward.rotate.consumers import TYPES, hosts_of, make_consumer
from keyward.rotate.consumers.commands import Checked


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


class Written:
    """Stands for the place, which has the new value."""

    type, name = "written", "a place"

    def holds(self, values: Values) -> Holds:
        return Holds.NEW

    def apply(self, values: Values) -> str:
        return "has it already"

    verify = rollback = apply


PLACES: dict[str, dict[str, object]] = {
    "aws-profile": {"path": "x"},
    "docker-env": {"path": "x", "set": {"A": ""}},
    "compose": {"path": "x", "service": "web", "set": {"A": ""}},
    "systemd": {"unit": "x.service", "credential": "/x"},
    "exec": {"command": ["true"]},
    "in-place": {"path": "x"},
    "file": {"path": "x"},
    "kubernetes": {"namespace": "a", "name": "b", "key": "C", "server": "https://cluster.example", "token": "env:T"},
    "github-actions": {"repository": "a/b", "name": "C", "token": "env:T"},
    "gitlab-variable": {"project": "a/b", "name": "C", "token": "env:T"},
    "openclaw": {"name": "GATEWAY_TOKEN"},
}
"""The least that a type must be told; `path` and `set` for the others."""


@pytest.mark.parametrize("type", sorted(TYPES))
def test_the_health_command_of_every_type_is_run(type: str, tmp_path: Path) -> None:
    """A consumer is well only if its own command says so, whatever kind of place it is."""
    spec = ConsumerSpec(
        type, PLACES.get(type, {"path": "x", "set": {"a": ""}}), check=("sh", "-c", f"echo $0 >>{tmp_path}/asked; exit 1")
    )
    made = make_consumer(spec, Ports(hosts_of(spec)), resolve=lambda reference: Secret(b"token"))
    assert isinstance(made, Checked) and made.type == type
    values = Values("lane", "entry", "main:x", {}, {"secret": Secret(b"new")}, "r1")
    made.inner = Written()
    with pytest.raises(ConsumerError, match="the check command sh ended with exit code 1"):
        made.verify(values)
    assert (tmp_path / "asked").read_text().count("\n") == 1


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
