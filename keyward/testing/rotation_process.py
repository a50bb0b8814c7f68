"""One rotation of a contract's world in a process of its own, as a person's command would be: nothing is warm, nothing is inherited.

    python -m keyward.testing.rotation_process < DESCRIPTION

`describe` makes the description, which holds values and so goes through a pipe. It prints how the rotation ended.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from functools import reduce
from typing import TYPE_CHECKING, Any

from keyward.model.credential import Credential, SecretParts, Target
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.model.verdict import Verdict
from keyward.plugin.clock import ManualClock
from keyward.plugin.ports import Ports
from keyward.plugin.rotator import Rotator
from keyward.registry import Registry
from keyward.testing.crash import Killer
from keyward.testing.rotator_contract import Bench

if TYPE_CHECKING:
    from keyward.testing.rotator_contract import World

PATIENCE = 120.0
"""Seconds for one run."""


class Described:
    """What a rotation needs of a world. It asks through the world's own `verify`, which may use no more of it than stands here."""

    def __init__(self, told: Any) -> None:
        entry = told["entry"]
        self.entry = Entry(**{**entry, "kind": Kind(entry["kind"]), "target": Target(**entry["target"])})
        self.old, self.admin = _parts(told["old"]), _parts(told["admin"])
        self.by_hand = _parts(told["by_hand"])
        known = Registry().rotators().get(self.entry.kind)
        self.rotator: Rotator = known if known is not None else _named(told["rotator"])()
        self._verify = _named(told["verify"])

    def verify(self, credential: Credential, ports: Ports) -> Verdict:
        verdict: Verdict = self._verify(self, credential, ports)
        return verdict


def describe(bench: Bench, kill_at: int | None) -> bytes:
    """What a process of its own must know of a bench. `kill_at`: number of the event at which it kills itself."""
    world: World = bench.world
    entry = world.entry
    return json.dumps(
        {
            "folder": bench.folder,
            "now": bench.clock.now(),
            "kill_at": kill_at,
            "entry": {**entry._asdict(), "target": {**entry.target._asdict(), "options": dict(entry.target.options)}},
            "old": _texts(world.old),
            "admin": _texts(world.admin),
            "by_hand": _texts(getattr(world, "by_hand", {})),
            "rotator": _name(type(world.rotator)),
            "verify": _name(type(world), ".verify"),
        },
        default=dict,
    ).encode()


def run_apart(bench: Bench, kill_at: int | None = None) -> subprocess.CompletedProcess[bytes]:
    """Runs or resumes the bench's rotation in a new interpreter."""
    path = os.pathsep.join([os.getcwd(), *(each for each in sys.path if each)])
    return subprocess.run(
        [sys.executable, "-m", "keyward.testing.rotation_process"],
        input=describe(bench, kill_at),
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )


def _texts(parts: SecretParts) -> dict[str, str]:
    return {name: value.reveal().hex() for name, value in parts.items()}


def _parts(texts: dict[str, str]) -> SecretParts:
    return {name: Secret(bytes.fromhex(text)) for name, text in texts.items()}


def _name(kind: type, inside: str = "") -> str:
    """How another process finds a class. Raises AssertionError for one that it cannot find."""
    assert "<locals>" not in kind.__qualname__, (
        f"{kind.__qualname__} must stand at the top of its module: another process imports it"
    )
    return f"{kind.__module__}:{kind.__qualname__}{inside}"


def _named(name: str) -> Any:
    module, _, inside = name.partition(":")
    return reduce(getattr, inside.split("."), importlib.import_module(module))


def main() -> None:
    """Reads the description from standard input."""
    told = json.loads(sys.stdin.buffer.read())
    bench = Bench(Described(told), told["folder"], ManualClock(told["now"]))  # type: ignore[arg-type]
    outcome = bench.run(*([Killer(told["kill_at"])] if told["kill_at"] is not None else []))
    print(type(outcome).__name__, getattr(outcome, "reason", ""))


if __name__ == "__main__":
    main()
