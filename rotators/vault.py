"""Vault's and OpenBao's own credentials: tokens, and the secret_ids of AppRoles.

What is possible: a new token or secret_id beside the old one, with the lane and the rotation's mark in its metadata; the old one is
  revoked by its accessor, and so are the tokens that an old secret_id issued, which would outlive it.
What is manual: root tokens (`operator generate-root`), batch tokens (nobody can revoke one: they end with their parent or their time),
  unseal and recovery keys (`operator rekey`).

Settings           | read from | meaning
base_url           | target    | the server (`https://vault.example:8200`); no default
namespace          | target    | options.namespace, where there are namespaces
token              | admin     | a token with the rights below
policies           | scope     | token: its policies; needed unless `role` is given
role               | scope     | token: a token role (`auth/token/roles/…`); secret_id: the AppRole, needed
ttl, max_ttl, period | scope   | token: durations (`720h`); ttl is the entry's expiry unless set
mount              | scope     | secret_id: where AppRole is mounted; `approle`
ttl                | scope     | secret_id: how long it lives; the entry's expiry unless set
cidrs, token_cidrs | scope     | secret_id: addresses that may use it, and its tokens
sessions           | scope     | secret_id: which tokens die with the old one: `own` (default), `role` (all but those of marked secret_ids
                   |           | that live), `keep` (none)
policy, reads      | scope     | secret_id, for `lanes provision`: a policy and the paths it may read; default name `lane-<lane>`

Rights: see `AdminNeed.policy`. `sudo` on auth/token/accessors is what lists tokens: without it neither an orphan nor a session is found.
Traps: a token that is made as a child dies with the admin token, so keyward makes orphans (or uses a token role: set `orphan=true` on
  it). Revoking a token revokes its children and their leases. A listing costs one request a token. Destroying a secret_id does not
  touch its tokens: AppRole writes the secret_id's metadata into them, and by that they are told apart; tokens of two secret_ids without
  any metadata cannot be, and then keyward stops and asks. A secret_id is proved by a login, which takes one of its uses: those that are
  counted (`secret_id_num_uses`) are refused. A token bound to other addresses looks dead from here.
References: https://developer.hashicorp.com/vault/api-docs/auth/token  https://developer.hashicorp.com/vault/api-docs/auth/approle
  https://openbao.org/api-docs/auth/approle/  https://developer.hashicorp.com/vault/docs/concepts/tokens
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from keyward.errors import Refused, Uncertain
from keyward.model.credential import SecretParts
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.plugin.rotator import AdminNeed, Capabilities, Change, Held, Inventory, Issued, Job, Rotator, Warning

from ._vault_api import LANE, MARK, NAME, VaultApi, duration, expiry_of, metadata, networks, safe, texts

_TOKEN_POLICY = """
path "auth/token/create-orphan"    { capabilities = ["create", "update", "sudo"] }
path "auth/token/create/+"         { capabilities = ["create", "update"] }
path "auth/token/lookup"           { capabilities = ["create", "update"] }
path "auth/token/accessors"        { capabilities = ["list", "sudo"] }
path "auth/token/lookup-accessor"  { capabilities = ["create", "update"] }
path "auth/token/revoke-accessor"  { capabilities = ["create", "update"] }
# and every policy that it shall hand out, unless it goes by a token role
"""
_APPROLE_POLICY = """
path "auth/approle/role/LANE"                            { capabilities = ["create", "read", "update"] }
path "auth/approle/role/LANE/role-id"                    { capabilities = ["read"] }
path "auth/approle/role/LANE/secret-id"                  { capabilities = ["create", "update", "list"] }
path "auth/approle/role/LANE/secret-id/lookup"           { capabilities = ["create", "update"] }
path "auth/approle/role/LANE/secret-id-accessor/lookup"  { capabilities = ["create", "update"] }
path "auth/approle/role/LANE/secret-id-accessor/destroy" { capabilities = ["create", "update"] }
path "auth/token/accessors"                              { capabilities = ["list", "sudo"] }
path "auth/token/lookup-accessor"                        { capabilities = ["create", "update"] }
path "auth/token/revoke-accessor"                        { capabilities = ["create", "update"] }
path "sys/policies/acl/lane-LANE"                        { capabilities = ["create", "read", "update"] }
# the last one, and `create` and `update` of the first, are for `lanes provision` alone
"""


def _revoke_token(api: VaultApi, accessor: str) -> None:
    """An accessor that is gone is answered with 400 (or 204 and a warning)."""
    reply = api.change("auth/token/revoke-accessor", {"accessor": accessor})
    if reply.status not in (200, 204, 400, 404):
        raise Refused(f"the vault answered {reply.status} to auth/token/revoke-accessor")


_LISTS_TOKENS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "auth/token/accessors": ("list", "sudo"),
        "auth/token/lookup-accessor": ("update",),
        "auth/token/revoke-accessor": ("update",),
    }
)
"""What finds tokens and ends them: capabilities by path."""


def _held(id: str, data: Mapping[str, Any], meta: Mapping[str, str], created: object, expires: object) -> Held:
    since = float(created) if isinstance(created, (int, float)) else expiry_of(created)
    return Held(id, True, since, None, expiry_of(expires), meta.get(MARK, ""), str(data.get("display_name") or ""))


class VaultToken(Rotator):
    """Service tokens."""

    kinds = (Kind("vault/token"),)
    scope_names = ("policies", "role", "ttl", "max_ttl", "period")
    gives = ("secret",)
    title = "Vault and OpenBao tokens"
    capabilities = Capabilities(scoped=True, expiry=True, marks=True, settle=15.0, propagation=30.0)
    admin = AdminNeed(
        ("token",), ("auth/token/create-orphan", "auth/token/accessors", "auth/token/revoke-accessor"), _TOKEN_POLICY
    )
    references = ("https://developer.hashicorp.com/vault/api-docs/auth/token",)
    calls = MappingProxyType(
        {
            "RESERVE": ("LIST /v1/auth/token/accessors", "POST /v1/auth/token/lookup-accessor"),
            "ISSUE": ("POST /v1/auth/token/create-orphan",),
            "PROVE": ("GET /v1/auth/token/lookup-self",),
            "REVOKE": ("GET /v1/auth/token/lookup-self", "POST /v1/auth/token/revoke-accessor"),
            "CONFIRM": ("GET /v1/auth/token/lookup-self",),
        }
    )

    def calls_for(self, entry: Entry) -> Mapping[str, tuple[str, ...]]:
        return {**self.calls, "ISSUE": ("POST /v1/auth/token/create/{role}",)} if entry.scope.get("role") else self.calls

    def identify(self, job: Job, parts: SecretParts) -> str:
        found = VaultApi(job).look_up("auth/token/lookup", {"token": parts["secret"].reveal().decode()})
        if found is None:
            raise Refused(
                f"{job.entry.ref}: the server does not know this token", hint="It ended, or belongs to another server."
            )
        if found.get("type") != "service" or not found.get("accessor"):
            raise Refused(f"{job.entry.ref}: a batch token cannot be revoked", hint="It ends with its parent, or in its time.")
        return str(found["accessor"])

    def inventory(self, job: Job) -> Inventory:
        held = []
        for token in VaultApi(job).tokens():
            meta = token.get("meta") or {}
            if meta.get(LANE) == job.entry.lane and meta.get(NAME) == job.entry.name:
                held.append(_held(str(token["accessor"]), token, meta, token.get("creation_time"), token.get("expire_time")))
        return Inventory(job.entry.ref, tuple(held))

    def missing_rights(self, job: Job, old: SecretParts) -> Iterable[str]:
        return VaultApi(job).lacking({_made_at(job): ("update",), **_LISTS_TOKENS})

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        role, policies = job.scope_text("role"), texts(job, "policies")
        if not role and not policies:
            raise Refused(
                f"{job.entry.ref}: neither scope.policies nor scope.role says what the token may do",
                hint="Without them it would get all that the admin token may do.",
            )
        body: dict[str, object] = {"meta": metadata(job), "display_name": f"keyward-{job.entry.lane}"}
        body |= {"policies": policies} if policies else {}
        for name, value in (
            ("ttl", duration(job, "ttl")),
            ("explicit_max_ttl", job.scope_text("max_ttl")),
            ("period", job.scope_text("period")),
        ):
            body |= {name: value} if value else {}
        path = _made_at(job)
        reply = VaultApi(job).change(path, body)
        if reply.status != 200:
            raise Refused(f"the vault answered {reply.status} to {path}", hint="Check role, policies and durations in `scope`.")
        made = reply.object().get("auth") or {}
        if not made.get("client_token") or not made.get("accessor"):
            raise Uncertain(f"{job.entry.ref}: the answer to {path} has no token with an accessor")
        lives = float(made.get("lease_duration") or 0)
        parts = {"secret": Secret(str(made["client_token"]).encode())}
        return Issued(str(made["accessor"]), parts, job.ports.clock.now() + lives if lives else None)

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        _revoke_token(VaultApi(job), id)

    def review(self, job: Job, inventory: Inventory) -> Iterable[Warning]:
        api = VaultApi(job)
        for each in inventory.held:
            found = api.look_up("auth/token/lookup-accessor", {"accessor": each.id}) or {}
            if "root" in (found.get("policies") or ()):
                yield Warning("root", f"The token {each.id} may do everything.")
            if each.expires is None:
                yield Warning("no-expiry", f"The token {each.id} never ends.")


class VaultSecretId(Rotator):
    """secret_ids of one AppRole, which `scope.role` names."""

    kinds = (Kind("vault/approle-secret-id"),)
    scope_names = ("role", "mount", "ttl", "cidrs", "token_cidrs", "sessions", "policy", "reads")
    gives = ("role_id", "secret")
    title = "Vault and OpenBao AppRole secret_ids"
    capabilities = Capabilities(scoped=True, expiry=True, marks=True, settle=15.0, propagation=30.0)
    admin = AdminNeed(("token",), ("auth/approle/role/LANE/secret-id", "auth/token/accessors"), _APPROLE_POLICY)
    references = ("https://developer.hashicorp.com/vault/api-docs/auth/approle",)
    calls = MappingProxyType(
        {
            "RESERVE": (
                "LIST /v1/auth/{mount}/role/{role}/secret-id",
                "POST /v1/auth/{mount}/role/{role}/secret-id-accessor/lookup",
            ),
            "ISSUE": (
                "GET /v1/auth/{mount}/role/{role}",
                "GET /v1/auth/{mount}/role/{role}/role-id",
                "POST /v1/auth/{mount}/role/{role}/secret-id",
            ),
            "PROVE": ("POST /v1/auth/{mount}/login", "POST /v1/auth/token/revoke-self"),
            "REVOKE": (
                "POST /v1/auth/{mount}/login",
                "POST /v1/auth/token/revoke-self",
                "POST /v1/auth/{mount}/role/{role}/secret-id-accessor/lookup",
                "POST /v1/auth/{mount}/role/{role}/secret-id-accessor/destroy",
            ),
            "CONFIRM": ("POST /v1/auth/{mount}/login",),
        }
    )

    def calls_for(self, entry: Entry) -> Mapping[str, tuple[str, ...]]:
        if entry.scope.get("sessions") == "keep":
            return self.calls
        tokens = ("LIST /v1/auth/token/accessors", "POST /v1/auth/token/lookup-accessor", "POST /v1/auth/token/revoke-accessor")
        listed = "LIST /v1/auth/{mount}/role/{role}/secret-id"
        return {**self.calls, "REVOKE": (*self.calls["REVOKE"], listed, *tokens)}

    def identify(self, job: Job, parts: SecretParts) -> str:
        api, path = VaultApi(job), _role(job)
        found = api.look_up(f"{path}/secret-id/lookup", {"secret_id": parts["secret"].reveal().decode()})
        if found is None:
            raise Refused(
                f"{job.entry.ref}: the AppRole {job.scope_text('role')} has no such secret_id",
                hint="It was destroyed, or belongs to another role: check scope.role and scope.mount.",
            )
        return str(found["secret_id_accessor"])

    def inventory(self, job: Job) -> Inventory:
        return Inventory(_role(job), tuple(held for held, _ in _secret_ids(VaultApi(job), _role(job))))

    def missing_rights(self, job: Job, old: SecretParts) -> Iterable[str]:
        path = _role(job)
        wanted: dict[str, tuple[str, ...]] = {
            path: ("read",),
            f"{path}/role-id": ("read",),
            f"{path}/secret-id": ("list", "update"),
            f"{path}/secret-id-accessor/lookup": ("update",),
            f"{path}/secret-id-accessor/destroy": ("update",),
        }
        sessions = {} if job.scope_text("sessions", "own") == "keep" else _LISTS_TOKENS
        return VaultApi(job).lacking({**wanted, **sessions})

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        api, path = VaultApi(job), _role(job)
        role, role_id = api.read(path), api.read(f"{path}/role-id")
        if role is None or role_id is None:
            raise Refused(
                f"there is no AppRole at {path}", hint="Make it with: keyward lanes provision, or correct scope.role."
            )
        if role.get("secret_id_num_uses"):
            raise Refused(
                f"{path} counts the uses of its secret_ids", hint="The proof by login takes one: set secret_id_num_uses=0."
            )
        # the server wants the metadata as JSON within the JSON
        body: dict[str, object] = {"metadata": json.dumps(metadata(job))}
        ttl = duration(job, "ttl")
        body |= {"ttl": ttl} if ttl else {}
        for name, setting in (("cidr_list", "cidrs"), ("token_bound_cidrs", "token_cidrs")):
            addresses = networks(job, setting)
            body |= {name: ",".join(addresses)} if addresses else {}
        reply = api.change(f"{path}/secret-id", body)
        if reply.status != 200:
            raise Refused(f"the vault answered {reply.status} to {path}/secret-id", hint="Check ttl and cidrs in `scope`.")
        made = reply.object().get("data") or {}
        if not made.get("secret_id") or not made.get("secret_id_accessor"):
            raise Uncertain(f"{job.entry.ref}: the answer to {path}/secret-id has no secret_id")
        lives = float(made.get("secret_id_ttl") or 0)
        parts = {"secret": Secret(str(made["secret_id"]).encode()), "role_id": Secret(str(role_id["role_id"]).encode())}
        return Issued(str(made["secret_id_accessor"]), parts, job.ports.clock.now() + lives if lives else None)

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        api, path, body = VaultApi(job), _role(job), {"secret_id_accessor": id}
        # destroying what is gone is answered with 500, which could mean anything: so it is looked for first
        if api.look_up(f"{path}/secret-id-accessor/lookup", body) is None:
            return
        reply = api.change(f"{path}/secret-id-accessor/destroy", body)
        if reply.status not in (200, 204, 404):
            raise Refused(f"the vault answered {reply.status} to {path}/secret-id-accessor/destroy")

    def end_sessions(self, job: Job, id: str, parts: SecretParts) -> None:
        """Revokes the tokens of this role that no living secret_id can have issued."""
        which = job.scope_text("sessions", "own")
        if which not in ("own", "role", "keep"):
            raise Refused(f"{job.entry.ref}: scope.sessions must be own, role or keep", hint="Correct it in the configuration.")
        if which == "keep":
            return
        api, path = VaultApi(job), _role(job)
        living = [meta for _, meta in _secret_ids(api, path)]
        unclear = 0
        for token in list(api.tokens()):
            meta = dict(token.get("meta") or {})
            if token.get("path") != f"auth/{_mount(job)}/login" or meta.pop("role_name", "") != job.scope_text("role"):
                continue
            if meta in living and (meta.get(MARK) or (meta and which == "own")):
                continue  # its metadata says that a living secret_id issued it
            if meta in living and which == "own":
                unclear += 1
                continue
            _revoke_token(api, str(token["accessor"]))
        if unclear:
            raise Refused(
                f"{job.entry.ref}: {unclear} tokens of {path} may come from the old secret_id or from another one without metadata",
                hint='Set scope.sessions to "role" (they all end, and log in again) or "keep" (they end in their time), then resume.',
            )

    def review(self, job: Job, inventory: Inventory) -> Iterable[Warning]:
        for each in inventory.held:
            if each.expires is None:
                yield Warning("no-expiry", f"The secret_id {each.id} never ends.")

    def provision(self, job: Job, *, apply: bool) -> Iterable[Change]:
        api, reads = VaultApi(job), texts(job, "reads")
        policy = job.scope_text("policy", f"lane-{job.entry.lane}")
        if any('"' in path or "\\" in path or not path.isprintable() for path in reads):
            raise Refused(
                f"{job.entry.ref}: scope.reads holds something that is no path", hint="Correct it in the configuration."
            )
        rules = "".join(f'path "{path}" {{\n  capabilities = ["read"]\n}}\n' for path in reads)
        if reads:
            there = (api.read(f"sys/policies/acl/{safe(policy)}") or {}).get("policy") == rules
            yield self._make(api, f"policy {policy}", there, apply, f"sys/policies/acl/{safe(policy)}", {"policy": rules})
        role = api.read(_role(job)) or {}
        there = policy in (role.get("token_policies") or ())
        wanted = {"token_policies": sorted({*(role.get("token_policies") or ()), policy}), "secret_id_num_uses": 0}
        yield self._make(api, f"AppRole {job.scope_text('role')} with policy {policy}", there, apply, _role(job), wanted)

    def _make(self, api: VaultApi, what: str, there: bool, apply: bool, path: str, body: Mapping[str, object]) -> Change:
        if apply and not there and api.change(path, body).status not in (200, 204):
            raise Refused(f"the vault refuses to make the {what}")
        return Change(what, there)


def _made_at(job: Job) -> str:
    """The path at which a token is made."""
    role = job.scope_text("role")
    return f"auth/token/create/{safe(role)}" if role else "auth/token/create-orphan"


def _mount(job: Job) -> str:
    return job.scope_text("mount", "approle").strip("/")


def _role(job: Job) -> str:
    """The path of the role. Raises Refused if none is named."""
    role = job.scope_text("role")
    if not role:
        raise Refused(f"{job.entry.ref}: scope.role does not name the AppRole", hint="Add it in the configuration.")
    return f"auth/{_mount(job)}/role/{safe(role)}"


def _secret_ids(api: VaultApi, path: str) -> list[tuple[Held, dict[str, str]]]:
    """Every secret_id of a role, with its metadata."""
    found = []
    for accessor in api.keys(f"{path}/secret-id"):
        data = api.look_up(f"{path}/secret-id-accessor/lookup", {"secret_id_accessor": accessor})
        if data is not None:
            meta = {str(key): str(value) for key, value in (data.get("metadata") or {}).items()}
            found.append((_held(accessor, data, meta, data.get("creation_time"), data.get("expiration_time")), meta))
    return found


ROTATORS: tuple[Rotator, ...] = (VaultToken(), VaultSecretId())
