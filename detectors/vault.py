"""HashiCorp Vault and OpenBao tokens, AppRole secret ids and unseal keys.

What it is: service, batch and recovery tokens (hvs., hvb., hvr.; s., b., r. with 24 characters in OpenBao and in Vault
  before 1.10), the secret_id of an AppRole, and the unseal or recovery keys that `operator init` prints.
Where it is used: `~/.vault-token`, `VAULT_TOKEN`, agents, CI jobs, Terraform; the output of `vault operator init`.
What an attacker can do: read every secret that the token's policies allow, often the passwords of everything else; a root
  token or enough unseal keys open the whole store.
How to replace it: revoke the token (`vault token revoke`, which also takes its children and leases); destroy a secret_id by
  its accessor and revoke the tokens it issued, because they survive it; replace unseal keys with `operator rekey`.
References: https://developer.hashicorp.com/vault/docs/concepts/tokens  https://openbao.org/docs/concepts/tokens/
  https://developer.hashicorp.com/vault/docs/auth/approle  https://developer.hashicorp.com/vault/docs/concepts/seal
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyward.plugin import Companion, Kind, Rule
from keyward.plugin.shapes import Shape, an, assigned, b64, b64url, concat, hexa, json_member, part, text, uuid4
from keyward.plugin.verifier import Answer, Case, Dead, Live, Restricted, Unknown, Verdict, evidence

from ._cloud import SLUG, UUID, by_prefix, credential, header, mixed, named

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Http, Ports

TOKEN = Kind("vault/token")
SECRET_ID = Kind("vault/approle-secret-id")
UNSEAL = Kind("vault/unseal-key")

_TOKENS = "https://developer.hashicorp.com/vault/docs/concepts/tokens"

KINDS = (
    credential(TOKEN, "Vault or OpenBao token", "critical", "https://developer.hashicorp.com/vault/docs/commands/token/revoke",
               "Take a new token from the auth method it came from.", "Update what uses the old one.", "Revoke the old one: vault token revoke.",
               "Read the audit log for what it fetched, and rotate that.", see=_TOKENS)._replace(rotates=True),
    credential(SECRET_ID, "Vault AppRole secret_id", "critical", "https://developer.hashicorp.com/vault/docs/auth/approle", "Issue a new secret_id for the role.",
               "Update what uses the old one.", "Destroy the old one by its accessor, and revoke the tokens it issued.",
               see="https://developer.hashicorp.com/vault/docs/auth/approle", public=("role_id",))._replace(rotates=True),
    credential(UNSEAL, "Vault unseal or recovery key", "critical", "https://developer.hashicorp.com/vault/docs/commands/operator/rekey",
               "Rekey: vault operator rekey, with the holders of enough keys.", "Keep the new keys apart from each other, outside files.",
               "Rotate the barrier key: vault operator rotate.", see="https://developer.hashicorp.com/vault/docs/concepts/seal"),
)  # fmt: skip

_OLD = rb"[sbr]\." + mixed(24) + rb"(?:\.[A-Za-z0-9]{5})?"
_ROLE = Companion("role_id", named(rb"role[_-]?id", UUID, part=b"role_id"), within=300)
_SHARE = rb"(?:[0-9a-f]{66}|[0-9a-f]{64}|[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{44})"
_SHARES = rb"(?:unseal|recovery)[ _-]?keys?(?:_b64|_hex|_base64)?(?:[ _-]?[0-9])?"


def _old(letter: str = "s.") -> Shape:
    return concat(letter, an(24))


RULES = (
    by_prefix(
        TOKEN, rb"hvs\.(?:[A-Za-z0-9_-]{88,160}|[A-Za-z0-9]{24})", "VAULT_TOKEN", concat("hvs.", "CAES", b64url(87)),
        (concat("hvs.", an(23)), concat("hvs.", an(25)), concat("hvs_", an(24)), concat("hvs.", b64url(60))), edge=rb"(?![A-Za-z0-9_-])", score=80,
        more=(
            assigned("VAULT_TOKEN", concat("hvs.", an(24)), form="export {name}={value}\n"),
            header("X-Vault-Token: ", concat("hvs.", an(24))),
            text("vault login ", part("secret", concat("hvs.", "CAES", b64url(91))), "\n"),
        ),
    ),
    by_prefix(
        TOKEN, rb"hv[br]\.[A-Za-z0-9_-]{80,400}", "VAULT_TOKEN", concat("hvb.", "AAAAA", b64url(150)),
        (concat("hvb.", b64url(70)), concat("hvx.", b64url(150)), concat("hvb-", b64url(150))), edge=SLUG, score=80, id="vault/token-batch",
        more=(header("X-Vault-Token: ", concat("hvb.", b64url(180))),),
    ),
    Rule(
        "vault/token-short",
        TOKEN,
        rb"(?i:(?:vault|bao|client|root|dev_root)[_ -]?(?:root[_ -]?)?token(?:_id)?|(?:vault|bao) login|-token)(?:[\"'\])]{0,2}\s{0,4}[:=]{1,2}\s{0,4}|\s{1,3}|[\"']?,?\s{1,20}value:\s{0,3})[\"']?(?P<secret>"
        + _OLD + rb")(?![A-Za-z0-9_-])",
        score=75,
        examples=(
            assigned("VAULT_TOKEN", _old()),
            assigned("BAO_TOKEN", _old(), form="export {name}='{value}'\n"),
            json_member("client_token", _old()),
            text("Initial Root Token: ", part("secret", _old()), "\n"),
            text("curl -H 'X-Vault-Token: ", part("secret", concat("s.", an(24), ".", an(5))), "' $BAO_ADDR/v1/secret/data/app\n"),
            text("bao login ", part("secret", _old()), "\n"),
        ),
        near_misses=(
            assigned("VAULT_TOKEN", concat("s.", an(23))),
            assigned("VAULT_TOKEN", concat("s.", an(25))),
            assigned("VAULT_TOKEN", concat("s-", an(24))),
            assigned("VAULT_TOKEN", concat("s.", hexa(24))),
            assigned("handler", _old()),
        ),
    ),
    Rule(
        "vault/token-short-quoted",
        TOKEN,
        rb"(?i:(?<![A-Za-z0-9])token)[\"']?\s{0,4}[:=]\s{0,4}[\"'](?P<secret>" + _OLD + rb")[\"']",
        score=65,
        examples=(
            text('provider "vault" {\n  address = "https://vault.corp.io"\n  token = "', part("secret", _old()), '"\n}\n'),
            text("client = hvac.Client(url=URL, token='", part("secret", _old()), "')\n"),
            json_member("token", _old()),
        ),
        near_misses=(
            text("token='s.", an(23), "'\n"),
            text("token='s.", an(25), "'\n"),
            text("token = s.", an(24), "\n"),
            text("kind = 's.", an(24), "'\n"),
        ),
    ),
    Rule(
        str(SECRET_ID),
        SECRET_ID,
        named(rb"(?:vault|bao|approle)[\w.-]{0,12}secret[_-]?id", UUID),
        score=75,
        companions=(_ROLE._replace(optional=True),),
        examples=(
            assigned("VAULT_SECRET_ID", uuid4()),
            assigned("APPROLE_SECRET_ID", uuid4(), form='{name}: "{value}"\n'),
            text("vault_role_id = \"", part("role_id", uuid4()), "\"\nvault_secret_id = \"", part("secret", uuid4()), "\"\n"),
        ),
        near_misses=(
            assigned("VAULT_SECRET_ID", hexa(32)),
            assigned("VAULT_ROLE_ID", uuid4()),
            assigned("VAULT_SECRET_ID", concat(hexa(8), "-", hexa(4), "-", hexa(4), "-", hexa(4), "-", hexa(11))),
        ),
    ),
    Rule(
        "vault/approle-secret-id-with-role",
        SECRET_ID,
        named(rb"(?<![A-Za-z0-9])role[_-]?id", UUID, part=b"role_id"),
        score=65,
        alone=-80,
        companions=(Companion("secret", named(rb"(?<![A-Za-z0-9])secret[_-]?id", UUID), within=300),),
        examples=(
            text('{"role_id": "', part("role_id", uuid4()), '", "secret_id": "', part("secret", uuid4()), '"}\n'),
            text("vault write auth/approle/login role_id=", part("role_id", uuid4()), " secret_id=", part("secret", uuid4()), "\n"),
            text("  role_id: ", part("role_id", uuid4()), "\n  secret_id: ", part("secret", uuid4()), "\n"),
        ),
        near_misses=(
            text("secret_id: ", uuid4(), "\n"),
            text("user_id: ", uuid4(), "\nsecret_id: ", uuid4(), "\n"),
            text("role_id: ", uuid4(), "\nsecret_id: ", hexa(32), "\n"),
        ),
    ),
    Rule(
        str(UNSEAL),
        UNSEAL,
        rb"(?i:" + _SHARES + rb")[\"']?(?:\s{0,4}[:=]{1,2}\s{0,4}|[ \t]{1,3})(?:\[\s{0,12})?[\"']?(?P<secret>" + _SHARE + rb")(?![A-Za-z0-9+/=])",
        score=75,
        examples=(
            text("Unseal Key 1: ", part("secret", b64(44)), "\n"),
            text('{"unseal_keys_b64": [\n    "', part("secret", b64(44)), '"\n  ]}\n'),
            assigned("VAULT_UNSEAL_KEY", hexa(66)),
            text("Recovery Key 1: ", part("secret", b64(44)), "\n"),
            assigned("VAULT_UNSEAL_KEY", concat(b64(43), "="), form='{name}: "{value}"\n'),
        ),
        near_misses=(
            text("Unseal Key 1: ", b64(41), "\n"),
            text("Unseal Key 1: ", b64(46), "\n"),
            assigned("VAULT_UNSEAL_KEY", hexa(40)),
            text("Unseal Progress 1: ", b64(44), "\n"),
        ),
    ),
)  # fmt: skip

HOSTS: tuple[str, ...] = ()
"""None: a vault is somebody's own server, which the operator's configuration names."""

VERIFIES = (TOKEN, SECRET_ID)

_SELF, _REVOKE = "/v1/auth/token/lookup-self", "/v1/auth/token/revoke-self"


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """`target.base_url`: the server. `target.options`: `namespace`, `mount` (of AppRole, `approle`), `role_id` (where the
    credential has none). A sealed server answers 503, which tells nothing (Unreachable)."""
    if not target.base_url:
        return Unknown("target.base_url does not name the server")
    namespace = target.options.get("namespace", "")
    http = ports.http(target.base_url, {"X-Vault-Namespace": namespace} if namespace else {})
    ask = _ask_login if credential.kind == SECRET_ID else _ask_token
    return ask(http, credential, target, ports)


def _ask_token(http: Http, credential: Credential, target: Target, ports: Ports) -> Verdict:
    """A token may look itself up unless it lacks the policy `default`. A server that does not know it says "permission denied"
    alone (HashiCorp's may add "invalid token"); one that knows it and refuses puts it in a list of errors (tried with OpenBao
    2.7). A token bound to other addresses than ours cannot be told from a dead one: ask from where it is used."""
    reply = http.request("GET", _SELF, headers={"X-Vault-Token": credential.text("secret")})
    seen = evidence(f"GET {_SELF}", http, reply, ports)
    data = reply.object().get("data") if reply.status == 200 else None
    if isinstance(data, dict) and "policies" in data:
        return Live(seen, str(data.get("display_name") or ""), tuple(map(str, data.get("policies") or ())))
    errors = reply.object().get("errors") if reply.status == 403 else None
    if not isinstance(errors, list) or not errors:  # not the server's own words
        return Unknown(f"the server answered {reply.status}")
    if errors == ["permission denied"] or any("invalid token" in str(error) for error in errors):
        return Dead(seen)
    return Restricted(seen, "it may not look itself up (the policy `default` is missing)")


def _ask_login(http: Http, credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Logs in, and revokes the token that this made: only an administrator could look a secret_id up without using it. It
    takes one use of a secret_id whose uses are counted, so such a one is not asked about unless it is rotated."""
    mount = target.options.get("mount", "approle").strip("/")
    role_id = credential.text("role_id") or target.options.get("role_id", "")
    if not role_id:
        return Unknown("a secret_id can be asked about only with its role_id")
    path = f"/v1/auth/{mount}/login"
    reply = http.request("POST", path, json={"role_id": role_id, "secret_id": credential.text("secret")})
    seen = evidence(f"POST {path}", http, reply, ports)
    made = reply.object().get("auth") if reply.status == 200 else None
    if isinstance(made, dict) and "policies" in made:
        if made.get("client_token"):
            http.request("POST", _REVOKE, headers={"X-Vault-Token": str(made["client_token"])})
        return Live(seen, str((made.get("metadata") or {}).get("role_name") or ""), tuple(map(str, made.get("policies") or ())))
    said = reply.body.lower()
    if reply.status == 400 and b"cidr" in said:
        return Restricted(seen, "it may not be used from this address")
    if reply.status == 400 and any(words in said for words in _NO_SUCH):
        return Dead(seen)
    return Unknown(f"the server answered {reply.status}")


_NO_SUCH = (b"invalid role or secret id", b"invalid secret id", b"invalid role id", b"invalid role_id")
_ROLE_ID = {"role_id": "8e1b51c0-0000-4000-8000-000000000000"}

CASES = (
    Case("in force", TOKEN, (Answer(200, '{"data":{"display_name":"approle","policies":["default","shop"]}}'),), "live"),
    Case("revoked", TOKEN, (Answer(403, '{"errors":["permission denied"]}'),), "dead"),
    Case("revoked, as newer servers say it", TOKEN,
         (Answer(403, '{"errors":["2 errors occurred:\\n\\t* permission denied\\n\\t* invalid token\\n\\n"]}'),), "dead"),
    Case("without the policy default", TOKEN, (Answer(403, '{"errors":["1 error occurred:\\n\\t* permission denied\\n\\n"]}'),), "restricted"),
    Case("sealed", TOKEN, (Answer(503, '{"errors":["Vault is sealed"]}'),), "unknown"),
    Case("in force", SECRET_ID, (Answer(200, '{"auth":{"policies":["shop"],"metadata":{"role_name":"shop"}}}'), Answer(204)), "live", _ROLE_ID),
    Case("destroyed", SECRET_ID, (Answer(400, '{"errors":["invalid role or secret ID"]}'),), "dead", _ROLE_ID),
    Case("from another address", SECRET_ID,
         (Answer(400, '{"errors":["source address \\"192.0.2.7\\" unauthorized through CIDR restrictions on the secret ID"]}'),), "restricted", _ROLE_ID),
    Case("no such mount", SECRET_ID, (Answer(404, '{"errors":["no handler for route"]}'),), "unknown", _ROLE_ID),
)  # fmt: skip
