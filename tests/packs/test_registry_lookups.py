"""One kind is looked up without importing everybody's packs, and the answer is what everybody's packs together say."""

from __future__ import annotations

import subprocess
import sys

import pytest

from keyward.model.kind import Kind
from keyward.registry import Pack, Registry

EVERYTHING = Registry()
ROTATORS = EVERYTHING.rotators()
NOBODYS = Kind("nobody/nothing")


@pytest.mark.parametrize("kind", ROTATORS)
def test_a_rotator_is_the_same_however_it_is_looked_up(kind: Kind) -> None:
    found = Registry().rotator(kind)
    assert found is not None and found is ROTATORS[kind]


def test_a_kind_that_nobody_rotates_has_no_rotator() -> None:
    registry = Registry()
    assert registry.rotator(NOBODYS) is None and registry.rotators() == ROTATORS and registry.unavailable_rotators == []


def test_a_kind_is_known_as_its_pack_declares_it() -> None:
    declared = {kind.name: kind for pack in EVERYTHING.packs() if isinstance(pack, Pack) for kind in pack.kinds}
    for name in list(declared)[::7]:
        assert Registry().known(name) is declared[name]
    assert Registry().known(NOBODYS).title == NOBODYS


def test_no_more_is_imported_than_is_needed() -> None:
    program = (
        "import sys; from keyward.registry import Registry; r = Registry(); r.known('openrouter/api-key'); r.rotator('openrouter/api-key');"
        "print(*(name for name in sys.modules if name.startswith(('keyward.detectors.', 'keyward.rotators.')) and '._' not in name))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"keyward.detectors.openrouter", "keyward.rotators.openrouter"}
