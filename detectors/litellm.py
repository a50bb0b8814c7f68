"""LiteLLM proxy keys.

What it is: the proxy's master key (chosen by the operator, begins with `sk-`), its salt key, which encrypts the provider keys in the
  database, and virtual keys (`sk-` and 22 characters by default).
Where it is used: a gateway before many model providers; `LITELLM_MASTER_KEY`, `LITELLM_SALT_KEY`, `general_settings.master_key` in
  `config.yaml`; virtual keys in every client as `OPENAI_API_KEY` with the proxy's base URL, or `LITELLM_API_KEY`.
What an attacker can do: with the master key use all models of all providers behind the proxy, create keys, read spending and logged
  prompts; with a virtual key use its models up to its budget; with the salt key and the database read the provider keys.
How to replace it: set a new master key in the environment and restart; virtual keys by POST /key/generate and /key/delete (or
  /key/{key}/regenerate). The salt key cannot be changed while stored keys depend on it: enter those anew.
References: https://docs.litellm.ai/docs/proxy/virtual_keys
  https://docs.litellm.ai/docs/proxy/prod
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import Shape, an, b64url, concat, part, text

from ._model_vendor import has_digit, key_of, named, named_rule, replace

MASTER = Kind("litellm/master-key")
SALT = Kind("litellm/salt-key")
VIRTUAL = Kind("litellm/virtual-key")

_DOCS = "https://docs.litellm.ai/docs/proxy/virtual_keys"

KINDS = (
    CredentialKind(MASTER, "LiteLLM master key", "critical", references=(_DOCS,), manual=replace(
        _DOCS, "Set a new random `LITELLM_MASTER_KEY` and restart the proxy.", "Update the administrators' tools.", "Look for virtual keys that you did not make.")),
    CredentialKind(SALT, "LiteLLM salt key", "high", references=("https://docs.litellm.ai/docs/proxy/prod",), manual=replace(
        "https://docs.litellm.ai/docs/proxy/prod", "Replace the provider keys that the database holds.",
        "Set a new `LITELLM_SALT_KEY` on an empty credential table.", "Enter the new provider keys.")),
    CredentialKind(VIRTUAL, "LiteLLM virtual key", "high", references=(_DOCS,), manual=replace(
        _DOCS, "POST /key/generate with the same models and budget, or /key/{key}/regenerate.", "Update the client.", "POST /key/delete for the old one.")),
)  # fmt: skip

_CHOSEN = rb"sk-[A-Za-z0-9_.+/=-]{8,200}"
_CHOSEN_EDGE = rb"(?![A-Za-z0-9_.+/=-])"


def _chosen_rule(kind: Kind, word: str, name: str) -> Rule:
    key = concat("sk-", an(32))
    return named_rule(
        kind, named(rb"litellm[a-z0-9_.-]{0,12}" + word.encode() + rb"[_-]?key", _CHOSEN, edge=_CHOSEN_EDGE), key, name,
        (concat("sk-", an(7)), concat("sk_", an(32)), "sk-1234", "${" + name + "_FROM_VAULT}"), score=75, check=has_digit, rule_id=str(kind), other_name="LITELLM_LOG_ID",
    )  # fmt: skip


def _yaml(key: Shape, name: str = "master_key") -> Shape:
    return concat("general_settings:\n  ", name, ": ", key, "\n  database_url: os.environ/DATABASE_URL\n")


RULES = (
    _chosen_rule(MASTER, "master", "LITELLM_MASTER_KEY"),
    _chosen_rule(SALT, "salt", "LITELLM_SALT_KEY"),
    Rule(
        "litellm/master-key-in-config",
        MASTER,
        rb"(?<![A-Za-z0-9_])master_key[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<secret>" + _CHOSEN + rb")" + _CHOSEN_EDGE,
        score=65,
        check=has_digit,
        examples=(
            _yaml(part("secret", concat("sk-", an(32)))),
            text('general_settings: {"master_key": "', part("secret", concat("sk-", b64url(43))), '"}\n'),
            text("    master_key: '", part("secret", concat("sk-", an(16))), "' # the proxy's own\n"),
        ),
        near_misses=(
            _yaml(concat("sk-", an(7))), _yaml(concat("pk-", an(32))), _yaml(concat("os.environ/", "LITELLM_MASTER_KEY")), _yaml(concat("sk-", an(32)), "master_keys"),
        ),
    ),
    named_rule(
        VIRTUAL, named(key_of(rb"litellm(?:_proxy)?"), rb"sk-[A-Za-z0-9_-]{22}"), concat("sk-", b64url(22)), "LITELLM_API_KEY",
        (concat("sk-", b64url(21)), concat("sk-", b64url(23)), concat("sk_", b64url(22))), rule_id=str(VIRTUAL), score=70,
    ),
    Rule(
        "litellm/virtual-key-by-url",
        VIRTUAL,
        rb"/key/(?:info|delete|update|regenerate)[^\n]{0,30}[?&]key=(?P<secret>sk-[A-Za-z0-9_-]{22})(?![A-Za-z0-9_-])",
        score=65,
        examples=(
            text("GET /key/info?key=", part("secret", concat("sk-", b64url(22))), " HTTP/1.1\n"),
            text("curl 'http://0.0.0.0:4000/key/info?key=", part("secret", concat("sk-", b64url(22))), "'\n"),
            text("http://localhost:4000/key/info?x=1&key=", part("secret", concat("sk-", b64url(22))), "\n"),
        ),
        near_misses=(
            text("GET /key/info?key=", concat("sk-", b64url(21)), "\n"), text("GET /key/info?key=", concat("sk-", b64url(23)), "\n"),
            text("GET /kez/info?key=", concat("sk-", b64url(22)), "\n"),
        ),
    ),
)  # fmt: skip
