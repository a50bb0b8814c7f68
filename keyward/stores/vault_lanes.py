"""What a lane needs in a Vault: a policy that reads its own paths and nothing else, and an AppRole bound to it.

Both are called `keyward-lane-LANE`. A plan first, then the same plan applied; doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from keyward.errors import ConfigError
from keyward.stores.encoding import check_path
from keyward.stores.vault import VaultStore, policy_text
from keyward.stores.vault_client import Asked

CREATE, UPDATE, KEEP = "create", "update", "keep"

TOKEN_TTL, TOKEN_MAX_TTL = 3600, 86400
"""Seconds that a lane's token is good for, and at most with renewals."""


class Change(NamedTuple):
    """One thing that is made, changed or left. `action`: `create`, `update`, `keep`. `what`: `policy keyward-lane-prod`.
    `detail`: what it says, for a plan; never a secret."""

    action: str
    what: str
    detail: str


def lane_name(lane: str) -> str:
    """How a lane's policy and role are called. Raises ConfigError for a name that a policy path could not hold."""
    if not lane or not all(c.isascii() and (c.isalnum() or c in "-_") for c in lane):
        raise ConfigError(f"the lane {lane!r} cannot name a policy", hint="Use letters, digits, '-' and '_'.")
    return f"keyward-lane-{lane}".lower()


def lane_policy(mount: str, kv_version: int, paths: Sequence[str]) -> str:
    """The policy that reads these paths only: no listing, no other versions, not keyward's own slots. Raises StoreError."""
    rules: dict[str, tuple[str, ...]] = {}
    for path in paths:
        if any(c in path for c in '*+"\\{}'):
            raise ConfigError(f"the path {path!r} cannot stand in a policy", hint="Leave out '*', '+', quotes and braces.")
        rules[f"{mount}/data/{check_path(path)}" if kv_version == 2 else f"{mount}/{check_path(path)}"] = ("read",)
    return policy_text(rules)


def provision_lane(
    store: VaultStore,
    lane: str,
    paths: Sequence[str],
    *,
    apply: bool,
    approle: str = "approle",
    bound_cidrs: Sequence[str] = (),
) -> tuple[Change, ...]:
    """What is to be done for a lane; done as well with `apply`. The AppRole login must be mounted at `approle`.

    `bound_cidrs`: addresses that the lane may log in from (any). Raises StoreError, StoreDenied, ConfigError.
    """
    name = lane_name(lane)
    wanted = lane_policy(store.mount, store.kv_version, paths)
    role = {
        "token_policies": [name],
        "token_ttl": TOKEN_TTL,
        "token_max_ttl": TOKEN_MAX_TTL,
        "secret_id_bound_cidrs": list(bound_cidrs) or None,
        "token_bound_cidrs": list(bound_cidrs),
    }
    return (
        _policy(store, name, wanted, apply),
        _role(store, f"auth/{approle}/role/{name}", name, role, apply),
    )


def _policy(store: VaultStore, name: str, wanted: str, apply: bool) -> Change:
    where = f"sys/policies/acl/{name}"
    found = store.client.ask(lambda c: c.adapter.get(f"/v1/{where}")["data"]["policy"], Asked(where, "read"))
    action = CREATE if found is None else KEEP if found == wanted else UPDATE
    if apply and action != KEEP:
        capability = "create" if action == CREATE else "update"
        store.client.ask(
            lambda c: c.adapter.post(f"/v1/{where}", json={"policy": wanted}), Asked(where, capability, changes=True)
        )
    return Change(action, f"policy {name}", wanted)


def _role(store: VaultStore, where: str, name: str, wanted: Mapping[str, Any], apply: bool) -> Change:
    found = store.client.ask(lambda c: c.adapter.get(f"/v1/{where}")["data"], Asked(where, "read"))
    same = found is not None and all((found.get(key) or None) == (value or None) for key, value in wanted.items())
    action = CREATE if found is None else KEEP if same else UPDATE
    if apply and action != KEEP:
        capability = "create" if action == CREATE else "update"
        body = {key: value if value is not None else [] for key, value in wanted.items()}
        store.client.ask(lambda c: c.adapter.post(f"/v1/{where}", json=body), Asked(where, capability, changes=True))
    cidrs = wanted["token_bound_cidrs"]
    detail = f"tokens of {TOKEN_TTL // 60} minutes with the policy {name}" + (
        f", from {', '.join(cidrs)} only" if cidrs else ""
    )
    return Change(action, f"approle {name}", detail)
