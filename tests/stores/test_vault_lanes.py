"""What a lane is given: its own path and nothing else, tried with the lane's own login on a real OpenBao."""

from __future__ import annotations

import pytest
from stores.conftest import OpenVault, new_mount
from stores.store_parts import Watch

from keyward.errors import ConfigError, StoreDenied, StoreError
from keyward.model.secret import Secret
from keyward.plugin.store import Slot
from keyward.stores.vault import keyward_policy
from keyward.stores.vault_auth import approle_login
from keyward.stores.vault_lanes import lane_name, lane_policy, provision_lane
from keyward.testing.servers.openbao import OpenBao
from keyward.testing.store_contract import value

MINE, NEIGHBOUR = "lanes/one/aws", "lanes/two/aws"


@pytest.mark.parametrize("version", [1, 2])
def test_a_lane_reads_its_own_path_and_nothing_else(bao: OpenBao, open_vault: OpenVault, version: int) -> None:
    mount, lane = new_mount(bao, version), f"one-v{version}"
    bao.request("PUT", f"sys/policies/acl/{mount}", {"policy": keyward_policy(mount, version)})
    ours = open_vault(bao, mount, token=bao.new_token(mount))
    secret = value()
    for path in (MINE, NEIGHBOUR, f"{MINE}-2", f"{MINE}/below"):
        for slot in Slot:
            ours.write(path, slot, {"secret": secret}, {}, expected=0)

    watch = Watch()
    planned = provision_lane(open_vault(bao, mount, watch), lane, [MINE], apply=False)
    assert [change.action for change in planned] == ["create", "create"]
    assert not [call for call in watch.calls if call.changes]
    assert [change.action for change in provision_lane(ours, lane, [MINE], apply=True)] == ["create", "create"]
    assert [change.action for change in provision_lane(ours, lane, [MINE], apply=True)] == ["keep", "keep"]

    role = f"auth/approle/role/{lane_name(lane)}"
    role_id = bao.request("GET", f"{role}/role-id")["data"]["role_id"]
    secret_id = bao.request("POST", f"{role}/secret-id", {})["data"]["secret_id"]
    login = approle_login(lambda: Secret(role_id.encode()), lambda: Secret(secret_id.encode()))
    theirs = open_vault(bao, mount, login=login)
    held = theirs.read(MINE, Slot.CURRENT)
    assert held is not None and held.parts == {"secret": secret}
    for path, slot in (
        (NEIGHBOUR, Slot.CURRENT), (f"{MINE}-2", Slot.CURRENT), (f"{MINE}/below", Slot.CURRENT),
        (MINE, Slot.PENDING), (MINE, Slot.PREVIOUS), (NEIGHBOUR, Slot.PENDING),
    ):  # fmt: skip
        with pytest.raises(StoreDenied):
            theirs.read(path, slot)
    for act in (
        lambda: theirs.write(MINE, Slot.CURRENT, {"secret": value()}, {}, expected=held.version),
        lambda: theirs.erase(MINE, Slot.CURRENT, expected=held.version),
        lambda: list(theirs.paths()),
        lambda: provision_lane(theirs, "two", [NEIGHBOUR], apply=True),
    ):
        with pytest.raises(StoreDenied):
            act()


def test_a_lane_that_changed_is_brought_up_to_date(bao: OpenBao, open_vault: OpenVault) -> None:
    store = open_vault(bao, new_mount(bao, 2))
    provision_lane(store, "changing", [MINE], apply=True)
    assert [c.action for c in provision_lane(store, "changing", [MINE, "lanes/one/db"], apply=True)] == ["update", "keep"]
    assert [c.action for c in provision_lane(store, "changing", ["lanes/one/db", MINE], apply=False)] == ["keep", "keep"]
    bound = provision_lane(store, "changing", [MINE], apply=True, bound_cidrs=["10.0.0.0/8"])
    assert [c.action for c in bound] == ["update", "update"] and "10.0.0.0/8" in bound[1].detail
    again = provision_lane(store, "changing", [MINE], apply=True, bound_cidrs=["10.0.0.0/8"])
    assert [c.action for c in again] == ["keep", "keep"]
    bao.request("POST", "auth/approle/role/keyward-lane-changing", {"token_policies": ["root"]})
    assert [c.action for c in provision_lane(store, "changing", [MINE], apply=True)] == ["keep", "update"]
    role = bao.request("GET", "auth/approle/role/keyward-lane-changing")["data"]
    assert role["token_policies"] == ["keyward-lane-changing"] and not role["secret_id_bound_cidrs"]


@pytest.mark.parametrize("path", ["lanes/*", "lanes/+/aws", 'a"b', "a{{b}}", "keyward/pending/a", "../a"])
def test_a_path_that_would_mean_more_in_a_policy_is_refused(path: str) -> None:
    with pytest.raises((ConfigError, StoreError)):
        lane_policy("secret", 2, [path])


@pytest.mark.parametrize("lane", ["", "a/b", "a*", "ключ"])
def test_a_lane_name_that_a_policy_cannot_have_is_refused(lane: str) -> None:
    with pytest.raises(ConfigError):
        lane_name(lane)
