"""`systemd`: the file keeps the contract, and the unit is restarted by commands that a runner of the test takes down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from keyward.errors import ConfigError, ConsumerError
from keyward.model.lane import ConsumerSpec
from keyward.model.secret import Secret
from keyward.plugin.consumer import Consumer, Holds, Values
from keyward.plugin.ports import Hosts, Ports
from keyward.rotate.consumers import make_consumer
from keyward.rotate.consumers.commands import Ran
from keyward.testing.consumer_contract import ConsumerContract, Recorder


class Systemctl:
    """Stands in for systemd, which a container does not run: takes commands down, answers with exit codes."""

    def __init__(self, **codes: int) -> None:
        self.seen: list[str] = []
        self.codes = codes

    def __call__(self, argv: Sequence[str], *, stdin: bytes, environment: Mapping[str, str], timeout: float) -> Ran:
        assert argv[0] == "systemctl"
        assert not stdin
        self.seen.append(" ".join(argv[1:]))
        verb = next(word for word in argv[1:] if not word.startswith("-"))
        return Ran(self.codes.get(verb.replace("-", "_"), 0))


def make(options: Mapping[str, object], systemctl: Systemctl, ports: Ports | None = None) -> Consumer:
    return make_consumer(ConsumerSpec("systemd", {"unit": "app.service", **options}), ports or Ports(Hosts()), runner=systemctl)


class TestEnvironmentFile(ConsumerContract):
    def prepare(self, folder: Path, held: Holds, values: Values) -> None:
        text = {
            Holds.OLD: values.old["secret"].reveal(),
            Holds.NEW: values.new["secret"].reveal(),
            Holds.OTHER: b"who knows",
            Holds.NOTHING: b"",
        }[held]
        (folder / "app.conf").write_bytes(b'; note\nA=b # part of it\nKEY="' + text + b'"\n')

    def make(self, folder: Path, ports: Ports) -> Consumer:
        return make({"path": str(folder / "app.conf"), "set": {"KEY": "{secret}"}}, Systemctl(), ports)


class TestCredentialFile(ConsumerContract):
    def prepare(self, folder: Path, held: Holds, values: Values) -> None:
        other = {Holds.OTHER: b"who knows", Holds.NOTHING: b""}
        known = {Holds.OLD: values.old["secret"].reveal(), Holds.NEW: values.new["secret"].reveal()}
        (folder / "token").write_bytes({**other, **known}[held])

    def make(self, folder: Path, ports: Ports) -> Consumer:
        return make({"credential": str(folder / "token")}, Systemctl(), ports)


VALUES = Values("l", "n", "r", {"secret": Secret(b"old-value")}, {"secret": Secret(b"new-value")})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_bytes(b"old-value\n")
    return path


def test_the_unit_is_restarted_at_every_verify_and_rollback(file: Path) -> None:
    systemctl, fence = Systemctl(), Recorder()
    consumer = make({"credential": str(file), "daemon_reload": True}, systemctl, Ports(Hosts(), fences=(fence,)))
    consumer.apply(VALUES)
    assert systemctl.seen == []
    round = ["daemon-reload", "restart -- app.service", "is-active --quiet -- app.service"]
    assert consumer.verify(VALUES).endswith("daemon-reload, restart of app.service, active")
    consumer.verify(VALUES)
    consumer.rollback(VALUES)
    assert systemctl.seen == round * 3
    assert [call.what for call in fence.calls].count("run systemctl") == 9


def test_the_users_own_manager_and_another_way_to_restart(file: Path) -> None:
    systemctl = Systemctl()
    consumer = make({"credential": str(file), "user": True, "restart": "try-restart"}, systemctl)
    consumer.apply(VALUES)
    consumer.verify(VALUES)
    assert systemctl.seen[0] == "--user try-restart -- app.service"
    silent = Systemctl()
    make({"credential": str(file), "restart": "none"}, silent).verify(VALUES)
    assert silent.seen == []


@pytest.mark.parametrize(("codes", "said"), [({"restart": 5}, "exit code 5"), ({"is_active": 3}, "not active")])
def test_a_unit_that_does_not_come_up_fails_the_verification(codes: dict[str, int], said: str, file: Path) -> None:
    consumer = make({"credential": str(file)}, Systemctl(**codes))
    consumer.apply(VALUES)
    with pytest.raises(ConsumerError, match=said):
        consumer.verify(VALUES)


def test_a_unit_is_not_restarted_for_a_file_that_holds_the_old_value(file: Path) -> None:
    systemctl = Systemctl()
    with pytest.raises(ConsumerError):
        make({"credential": str(file)}, systemctl).verify(VALUES)
    assert systemctl.seen == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "credential"),
        ({"credential": "a", "path": "b"}, "credential"),
        ({"path": "b"}, "set"),
        ({"credential": "a", "restart": "x"}, "restart"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make(options, Systemctl())
