"""Whole rotations with their values in a real OpenBao: what is left of the old one, and a server that goes away on the way."""

from __future__ import annotations

import pytest
from engine_desk import Desk, StopAt
from stores.conftest import OpenVault, new_mount
from toy_provider import ToyRotator, toy_world

from keyward.model.rotation import Proved, Stopped
from keyward.plugin.clock import ManualClock
from keyward.plugin.ports import Call
from keyward.plugin.store import Slot
from keyward.stores.vault import VaultStore
from keyward.testing.servers.openbao import OpenBao


def lay(desk: Desk, store: VaultStore) -> None:
    """The old value as the first version at its path."""
    store.write(desk.entry.path, Slot.CURRENT, desk.world.old, {}, expected=0)
    desk.store = store  # type: ignore[assignment]


def versions(bao: OpenBao, mount: str, path: str) -> dict[str, bool]:
    """Each version by number, and whether it is destroyed."""
    found = bao.request("GET", f"{mount}/metadata/{path}")["data"]["versions"]
    return {number: each["destroyed"] for number, each in found.items()}


def test_the_version_with_the_old_value_is_destroyed_once_that_is_proved_dead(
    bao: OpenBao, open_vault: OpenVault, tmp_path: object
) -> None:
    mount = new_mount(bao, 2)
    with toy_world(ToyRotator()) as world:
        desk = Desk(world, str(tmp_path))
        lay(desk, open_vault(bao, mount))
        path, leaked = desk.entry.path, world.old["secret"].reveal().decode()
        stop = StopAt("journal CONFIRM seen")
        desk.fences = (stop,)
        assert isinstance(desk.run(), Stopped)
        assert versions(bao, mount, path) == {"1": False, "2": False}, "nobody knows yet that it is dead"
        assert bao.request("GET", f"{mount}/data/{path}?version=1")["data"]["data"]["secret"] == leaked
        stop.armed = False
        assert isinstance(desk.run(), Proved)
        assert versions(bao, mount, path) == {"1": True, "2": False}
        bao.request("POST", f"{mount}/undelete/{path}", {"versions": [1]})
        with pytest.raises(AssertionError, match="404"):
            bao.request("GET", f"{mount}/data/{path}?version=1")
        for slot in ("pending", "previous"):
            with pytest.raises(AssertionError, match="404"):
                bao.request("GET", f"{mount}/metadata/keyward/{slot}/{path}")
        labels = bao.request("GET", f"{mount}/metadata/{path}")["data"]["custom_metadata"]
        assert labels["keyward_lane"] == desk.entry.lane and world.works(desk.current())
        desk.close()


class SealAt:
    """A fence that seals the server when a journal line is about to be written."""

    def __init__(self, server: OpenBao, what: str) -> None:
        self.server, self.what, self.sealed = server, what, False

    def before(self, call: Call) -> None:
        if call.what == self.what and not self.sealed:
            self.sealed = True
            self.server.seal()

    def after(self, call: Call, outcome: str) -> None: ...


@pytest.mark.parametrize(
    "what", ["journal ISSUE intent", "journal PROVE seen", "journal PROMOTE intent", "journal PROMOTE seen"]
)
def test_a_store_that_is_sealed_on_the_way(bao_on_disk: OpenBao, open_vault: OpenVault, tmp_path: object, what: str) -> None:
    """Before STORE, between STORE and PROMOTE, and after: nothing dies, and once it is unsealed the rotation goes on."""
    with toy_world(ToyRotator()) as world:
        desk = Desk(world, str(tmp_path))
        lay(desk, open_vault(bao_on_disk, new_mount(bao_on_disk, 2), clock=ManualClock()))
        box = desk.box()
        seal = SealAt(bao_on_disk, what)
        desk.fences = (seal,)
        try:
            outcome = desk.run()
        finally:
            bao_on_disk.unseal()
        assert seal.sealed and isinstance(outcome, Stopped) and "sealed" in outcome.reason
        assert world.works(world.old) and world.works(box.held) and world.others_untouched()
        assert isinstance(desk.run(), Proved)
        assert world.works(desk.current()) and box.held == dict(desk.current())
        assert world.working() == 1 and not world.works(world.old)
        desk.close()
