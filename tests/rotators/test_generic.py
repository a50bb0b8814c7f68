"""Generated values: the rules, and commands that apply, revoke and check them, as real processes with a small service behind them."""

from __future__ import annotations

import base64
import json
import re
import secrets
import sys
from pathlib import Path

import pytest
from keyward.rotators import generic

from keyward.errors import Refused, Uncertain
from keyward.model.credential import SecretParts
from keyward.model.kind import Kind
from keyward.model.lane import ConsumerSpec, Entry, Lane
from keyward.model.rotation import Proved
from keyward.model.secret import Secret
from keyward.model.verdict import Dead, Live, Unknown
from keyward.plugin.clock import SystemClock
from keyward.plugin.ports import Call, Hosts, Ports
from keyward.plugin.rotator import Job, Overlap
from keyward.plugin.store import Slot
from keyward.rotate.engine import Rotation
from keyward.rotate.journal import Journal, new_rotation_id
from keyward.rotate.parties import Options, Parties, Placed
from keyward.testing.file_store import FileStore
from keyward.testing.rotator_contract import FileConsumer

ROTATOR = generic.GenericSecret()
SERVICE = """
import json, os, sys
path, action = sys.argv[1:3]
value = sys.stdin.read()
held = json.load(open(path)) if os.path.exists(path) else []
held = {"values": held, "seen": []} if isinstance(held, list) else held
held["seen"].append([action, sys.argv[1:], {k: v for k, v in os.environ.items() if k.startswith("KEYWARD") and k != "KEYWARD_CACHE"}])
code = 0
if action == "apply" and value not in held["values"]:
    held["values"].append(value)
elif action == "replace":
    held["values"] = [value]
elif action == "revoke" and value in held["values"]:
    held["values"].remove(value)
elif action == "check":
    code = 0 if value in held["values"] else 1
elif action.startswith("exit"):
    print(value); print(value, file=sys.stderr)
    code = int(action[4:])
elif action == "hang":
    import time; time.sleep(60)
json.dump(held, open(path, "w"))
sys.exit(code)
"""


class Watch:
    def __init__(self) -> None:
        self.calls: list[Call] = []

    def before(self, call: Call) -> None:
        self.calls.append(call)

    def after(self, call: Call, outcome: str) -> None:
        pass


class Service:
    """Holds the values that are in force, in a file that the commands change."""

    def __init__(self, folder: Path) -> None:
        self.path, self.program = folder / "service.json", folder / "service.py"
        self.program.write_text(SERVICE)

    def command(self, action: str) -> list[str]:
        return [sys.executable, "-S", str(self.program), str(self.path), action]

    @property
    def values(self) -> list[str]:
        return list(json.loads(self.path.read_text())["values"])

    @property
    def seen(self) -> list[list[object]]:
        return list(json.loads(self.path.read_text())["seen"])


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


def entry(kind: str = "app/signing-secret", **scope: object) -> Entry:
    return Entry("shop", "jwt", Kind(kind), "test", "lanes/shop/jwt", scope=scope)


def job(kind: str = "app/signing-secret", watch: Watch | None = None, **scope: object) -> Job:
    return Job(entry(kind, **scope), Ports(Hosts(), fences=(watch,) if watch else ()), {}, "keyward:r1")


def secret(value: str) -> SecretParts:
    return {"secret": Secret(value.encode())}


@pytest.mark.parametrize(
    ("kind", "scope", "pattern"),
    [
        ("app/signing-secret", {}, r"[A-Za-z0-9_-]{43}"),
        ("generic/secret", {"alphabet": "hex", "length": 64}, r"[0-9a-f]{64}"),
        ("generic/secret", {"alphabet": "base64", "length": 32, "prefix": "whsec_"}, r"whsec_[A-Za-z0-9+/]{32}"),
        ("generic/secret", {"alphabet": "ascii", "length": 40}, r"[!#-&(-\[\]-_a-~]{40}"),
        ("django/secret-key", {}, r"[A-Za-z0-9_-]{64}"),
        ("rails/secret-key-base", {}, r"[0-9a-f]{128}"),
        ("laravel/app-key", {}, r"base64:[A-Za-z0-9+/]{43}="),
    ],
)
def test_a_value_is_made_by_rule(kind: str, scope: dict[str, object], pattern: str) -> None:
    made = {ROTATOR.choose(job(kind, **scope), {})["secret"].reveal().decode() for _ in range(50)}
    assert len(made) == 50
    for value in made:
        assert re.fullmatch(pattern, value), pattern
    if "base64" in pattern:
        base64.b64decode(value.removeprefix("whsec_").removeprefix("base64:"), validate=True)


def test_other_parts_stay() -> None:
    old = {**secret("old"), "username": Secret(b"app")}
    new = ROTATOR.choose(job(), old)
    assert new["username"] == Secret(b"app") and new["secret"] != old["secret"]


@pytest.mark.parametrize(
    "scope",
    [{"length": 20}, {"length": True}, {"length": "43"}, {"length": 5000}, {"alphabet": "emoji"}, {"alphabet": "hex", "length": 31},
     {"alphabet": "base64", "length": 33}, {"prefix": 1}],
)  # fmt: skip
def test_a_rule_that_is_weak_or_wrong_is_refused(scope: dict[str, object]) -> None:
    with pytest.raises(Refused, match=r"scope\."):
        ROTATOR.choose(job(**scope), {})


def test_what_applies_it_decides_the_shape() -> None:
    for scope, overlap, by_consumers in (
        ({}, Overlap.NONE, True),
        ({"fallbacks": True}, Overlap.OWN, True),
        ({"apply": ["x"]}, Overlap.NONE, False),
        ({"apply": ["x"], "revoke": ["y"]}, Overlap.OWN, False),
    ):
        found = ROTATOR.capabilities_for(entry(**scope))
        assert (found.overlap, found.applied_by_consumers) == (overlap, by_consumers)


def test_the_commands_get_the_value_on_standard_input_alone(service: Service) -> None:
    watch = Watch()
    work = job(watch=watch, apply=service.command("apply"), revoke=service.command("revoke"), check=service.command("check"))
    old, new = secrets.token_hex(16), secrets.token_hex(16)
    for value in (old, new, new):
        assert ROTATOR.issue(work, secret(value), secret(old)).id == "shop/jwt"
    assert service.values == [old, new]
    assert isinstance(ROTATOR.probe(work, secret(old)), Live)
    assert ROTATOR.identify(work, secret(old)) == "shop/jwt"
    for _ in range(2):
        ROTATOR.revoke(work, "shop/jwt", secret(old))
    assert service.values == [new]
    assert isinstance(ROTATOR.probe(work, secret(old)), Dead)
    with pytest.raises(Refused, match="not in force"):
        ROTATOR.identify(work, secret(old))
    shown = repr(service.seen) + repr(watch.calls)
    assert old not in shown and new not in shown
    assert {"KEYWARD_LANE": "shop", "KEYWARD_NAME": "jwt", "KEYWARD_ROTATION": "r1"} in service.seen[0]
    assert next(call.what for call in watch.calls if call.changes).startswith("exec apply python")
    assert len(watch.calls) == len(service.seen)


def test_json_on_standard_input_has_both(service: Service, tmp_path: Path) -> None:
    old, new = secret("o" * 8), {**secret("n" * 8), "username": Secret(b"app")}
    ROTATOR.issue(job(apply=service.command("apply"), stdin="json"), new, old)
    assert json.loads(service.values[0]) == {"new": {"secret": "n" * 8, "username": "app"}, "old": {"secret": "o" * 8}}


def test_how_a_command_ends_tells_whether_anything_happened(service: Service, tmp_path: Path) -> None:
    value = secret("QUOTED-VALUE")
    for action, error in (("exit3", Refused), ("exit75", Uncertain)):
        with pytest.raises(error) as caught:
            ROTATOR.issue(job(apply=service.command(action)), value, {})
        assert "QUOTED" not in str(caught.value)
    with pytest.raises(Uncertain, match="did not end within"):
        ROTATOR.issue(job(apply=service.command("hang"), timeout=0.3), value, {})
    with pytest.raises(Refused, match="cannot be run"):
        ROTATOR.issue(job(apply=[str(tmp_path / "none")]), value, {})
    for scope in ({"apply": "rm -rf"}, {"apply": ["x"], "stdin": "argv"}, {"apply": ["x"], "timeout": 0}):
        with pytest.raises(Refused, match=r"scope\."):
            ROTATOR.issue(job(**scope), value, {})
    assert isinstance(ROTATOR.probe(job(check=service.command("exit2")), value), Unknown)
    assert isinstance(ROTATOR.probe(job(check=service.command("hang"), timeout=0.3), value), Unknown)
    assert isinstance(ROTATOR.probe(job(), value), Unknown)


def test_without_commands_nothing_is_called() -> None:
    watch = Watch()
    work = job(watch=watch)
    issued = ROTATOR.issue(work, secret("n"), secret("o"))
    assert issued.parts == secret("n")
    ROTATOR.revoke(work, issued.id, secret("o"))
    assert ROTATOR.identify(work, secret("o")) == "shop/jwt"
    assert ROTATOR.inventory(work).ids() == {"shop/jwt"}
    assert watch.calls == []


@pytest.mark.parametrize("overlapping", [True, False])
def test_a_whole_rotation_by_commands(service: Service, tmp_path: Path, overlapping: bool) -> None:
    """Through the engine, with `check` as the judge."""
    old = secrets.token_urlsafe(32)
    scope = {"apply": service.command("apply" if overlapping else "replace"), "check": service.command("check")}
    scope |= {"revoke": service.command("revoke")} if overlapping else {}
    place, clock = entry(**scope), SystemClock()
    held = tmp_path / "consumer"
    held.write_text(f"secret={old.encode().hex()}")
    with Ports(Hosts()) as ports:
        ROTATOR.issue(Job(place, ports, {}, ""), secret(old), {})
        store = FileStore(str(tmp_path / "store.json"), ports)
        store.write(place.path, Slot.CURRENT, secret(old), {}, expected=0)
        spec = ConsumerSpec("test-file", {"path": str(held)})
        parties = Parties(
            Lane("shop", entries=(place,), consumers=(spec,)), place, ROTATOR, store, ports, clock,
            verify=lambda credential: ROTATOR.probe(Job(place, ports), credential.parts),
            consumers=(Placed(spec, FileConsumer(str(held), ports)),),
        )  # fmt: skip
        journal = Journal.create(str(tmp_path / "rotations"), new_rotation_id(clock), clock, ())
        outcome = Rotation(parties, journal, Options()).run()
        assert isinstance(outcome, Proved), outcome
        current = store.read(place.path, Slot.CURRENT)
    assert current is not None
    new = current.parts["secret"].reveal().decode()
    assert service.values == [new] and new != old
    assert held.read_text() == f"secret={new.encode().hex()}"
