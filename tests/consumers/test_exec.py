"""`exec`: commands get the reference; the value only on standard input, and only where that is configured."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from keyward.errors import ConfigError, ConsumerChanged, ConsumerError
from keyward.model.lane import ConsumerSpec
from keyward.plugin.consumer import Consumer, Holds, Values
from keyward.plugin.ports import Hosts, Ports
from keyward.rotate.consumers import make_consumer
from keyward.testing.consumer_contract import ConsumerContract

SCRIPT = """
import json, os, sys
place, action = sys.argv[1], sys.argv[2]
if action == "write":
    data = json.load(sys.stdin)
    with open(place + ".tmp", "w") as file:
        file.write(data["secret"])
    os.rename(place + ".tmp", place)
else:
    with open(place) as file:
        held = file.read()
    print("nothing" if not held else "old" if "old" in held else "new" if "new" in held else "other")
"""


class TestContract(ConsumerContract):
    keeps_mode = False

    def prepare(self, folder: Path, held: Holds, values: Values) -> None:
        known = {Holds.OLD: values.old["secret"].reveal(), Holds.NEW: values.new["secret"].reveal()}
        (folder / "place").write_bytes({**known, Holds.OTHER: b"who knows", Holds.NOTHING: b""}[held])

    def make(self, folder: Path, ports: Ports) -> Consumer:
        def command(action: str) -> list[str]:
            return [sys.executable, "-I", "-S", "-c", SCRIPT, str(folder / "place"), action]

        options = {"command": command("write"), "rollback": command("write"), "holds": command("read"), "stdin": True}
        return make_consumer(ConsumerSpec("exec", options), ports)

    def test_what_it_does_not_know_is_left_alone(self, tmp_path: Path) -> None:
        """The rollback is the operator's own command, so only `apply` can refuse."""
        consumer, values = self._consumer(tmp_path, Holds.OTHER)
        with pytest.raises(ConsumerChanged):
            consumer.apply(values)
        assert self.snapshot(tmp_path) == {"place": b"who knows"}


VALUES = TestContract().values()


def make(ports: Ports | None = None, *, check: tuple[str, ...] = (), **options: object) -> Consumer:
    return make_consumer(ConsumerSpec("exec", options, check=check), ports or Ports(Hosts()))


def test_the_command_sees_the_reference_and_no_value(tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = f"import json, os, sys; json.dump([sys.argv, dict(os.environ), sys.stdin.read()], open({str(out)!r}, 'w'))"
    argv = [sys.executable, "-c", script, "{reference}", "{lane}/{name}", "--id={rotation}"]
    assert make(command=argv).apply(VALUES) == "command done"
    seen, environment, stdin = json.loads(out.read_text())
    assert seen[1:] == ["memory:lane/entry", "lane/entry", "--id=r1"]
    assert environment["KEYWARD_REFERENCE"] == "memory:lane/entry"
    assert environment["KEYWARD_LANE"] == "lane"
    assert stdin == ""
    for secret in (*VALUES.old.values(), *VALUES.new.values()):
        assert secret.reveal().decode() not in out.read_text()
    make(command=argv, stdin=True).apply(VALUES)
    assert json.loads(json.loads(out.read_text())[2]) == {name: s.reveal().decode() for name, s in VALUES.new.items()}


def test_without_a_probe_it_is_run_again_and_the_check_tells(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = ["sh", "-c", f"echo run >> {log}"]
    consumer = make(command=command, check=("true",))
    for _ in range(2):
        assert consumer.holds(VALUES) is Holds.OLD
        consumer.apply(VALUES)
    assert log.read_text() == "run\nrun\n"
    assert consumer.verify(VALUES).endswith("its check passed")
    with pytest.raises(ConsumerError, match="no `rollback` command"):
        consumer.rollback(VALUES)


def test_a_command_that_fails_or_hangs_is_an_error_without_its_output() -> None:
    with pytest.raises(ConsumerError, match="exit code 3") as caught:
        make(command=["sh", "-c", "cat; exit 3"], stdin=True).apply(VALUES)
    assert "new" not in str(caught.value)
    with pytest.raises(ConsumerError, match="longer than"):
        make(command=["sleep", "30"], timeout=0.2).apply(VALUES)
    with pytest.raises(ConsumerError, match="did not print"):
        make(command=["true"], holds=["echo", "perhaps"]).holds(VALUES)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "command"),
        ({"command": "rm -rf"}, "list"),
        ({"command": ["x", "{secret}"]}, "secret"),
        ({"command": ["x"], "stdin": "y"}, "stdin"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make(**options)
