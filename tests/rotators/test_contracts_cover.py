"""Every rotator that there is keeps the contract: one that nobody puts to it would pass unseen."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

import test_contract_servers
import test_engine_contract

from keyward.model.rotation import PLAN, QUARANTINE, STORE, Proved
from keyward.plugin.clock import ManualClock
from keyward.registry import Registry
from keyward.rotate.engine import Rotation
from keyward.testing import fakes
from keyward.testing.crash import Recorder
from keyward.testing.fakes.server import FakeProvider
from keyward.testing.rotator_contract import Bench

HERE = Path(__file__).parent

SOURCE = re.compile(r"https://|\.py\b|\.rb\b|\b\w+ \d+\.\d+, |the same|an option here")
"""What a rule ends with: a page of the vendor's, a file or version of its SDK or server, or that of the rule before; what nobody
documents is off unless asked for."""


def test_every_rotator_has_a_world_in_the_contract() -> None:
    """By the kinds that worlds name; those of `ROTATORS` of one pack are apart."""
    files = [HERE / "contract_worlds.py", HERE / "server_worlds.py", *HERE.glob("test_contract_*.py")]
    text = "\n".join(path.read_text("utf-8") for path in files)
    rotators = {type(rotator): rotator for rotator in Registry().rotators().values()}
    assert len(rotators) > 15
    missing = [rotator.title for rotator in rotators.values() if not any(f'"{kind}"' in text for kind in rotator.kinds)]
    assert missing == []


def steps_killed_in(contract: Any, folder: Path, *, incident: bool) -> set[str]:
    """The steps of which a contract kills a journal line, as its own recording tells."""
    recorder = Recorder()
    (folder / "world").mkdir(parents=True)
    with contract.world(str(folder / "world")) as world:
        bench = Bench(world, str(folder), getattr(world, "clock", None) or ManualClock())
        bench.prepare()
        assert isinstance(bench.run(recorder, incident=incident), Proved)
    killed = recorder.instants_of(QUARANTINE) if incident else recorder.instants(contract.stride)
    return {event.what.split()[1] for event in (recorder.events[at] for at in killed) if event.what.startswith("journal ")}


def test_every_step_of_the_engine_is_killed_in_some_world(tmp_path: Path) -> None:
    """In those that need no server. A step that is new to the engine wants a world that takes it."""
    contracts = (
        test_engine_contract.TestMinted(),
        test_engine_contract.TestChosenInPlace(),
        test_contract_servers.TestFallbacks(),
    )
    killed = set()
    for number, contract in enumerate(contracts):
        for incident in (False, True):
            killed |= steps_killed_in(contract, tmp_path / f"{number}{incident}", incident=incident)
    assert {PLAN, STORE, *Rotation._actions} - killed == set()


def test_every_fake_names_a_page_or_a_package_behind_its_rules() -> None:
    modules = [importlib.import_module(f"{fakes.__name__}.{each.name}") for each in pkgutil.iter_modules(fakes.__path__)]
    made = {
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, FakeProvider)
    }
    made.discard(FakeProvider)
    assert len(made) > 8
    for fake in made:
        assert len(fake.RULES) >= 3, fake
        assert [rule for rule in fake.RULES if not SOURCE.search(rule)] == [], fake
