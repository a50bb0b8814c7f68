"""Langfuse keys.

What it is: a pair for one project, a public key (`pk-lf-` and a UUID) and a secret key (`sk-lf-` and a UUID), and the host they
  belong to (EU or US cloud, or self-hosted).
Where it is used: tracing of model calls by SDKs, LiteLLM and OpenTelemetry; `LANGFUSE_PUBLIC_KEY`, `LANGFUSE_SECRET_KEY`,
  `LANGFUSE_HOST`, and both as HTTP Basic credentials.
What an attacker can do: read every traced prompt and answer of the project (traces often hold other credentials), change the
  prompts that programs fetch, write false traces. The public key alone only sends scores.
How to replace it: create a new pair in the project's settings under API keys and delete the old one there.
Whether it lives: GET /api/public/projects with both keys, at the site beside them, else at every site of the cloud. Langfuse
  is also run by people themselves: without the operator's base_url a refusal counts only where `host` names a site of the
  cloud.
References: https://langfuse.com/docs/api-and-data-platform/features/public-api
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyward.plugin import Companion, CredentialKind, Kind, Rule
from keyward.plugin.shapes import assigned, concat, hexa, json_member, part, text, uuid4
from keyward.plugin.verifier import Answer, Case, Unknown, Verdict

from ._model_vendor import EDGE, LEFT, prefixed, replace
from ._token_probe import at, public_or_own, put_where
from ._vendor_answers import Question, Said, basic, cases

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

KEY = Kind("langfuse/secret-key")

KINDS = (
    CredentialKind(
        KEY, "Langfuse secret key", "high", identity=("secret", "id"), public=("id", "host"),
        manual=replace("https://cloud.langfuse.com"),
        references=("https://langfuse.com/docs/api-and-data-platform/features/public-api",),
    ),
)  # fmt: skip

_UUID = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_PUBLIC = LEFT + rb"(?P<id>pk-lf-" + _UUID + rb")" + EDGE
_HOST = rb"(?i:langfuse_?(?:base_?url|host))[\"']?\s{0,3}[:=]\s{0,3}[\"']?https?://(?P<host>[A-Za-z0-9.-]{4,100})"
_SECRET_KEY = concat("sk-lf-", uuid4())
_PUBLIC_KEY = concat("pk-lf-", uuid4())
_SHORT = concat(hexa(7), "-", hexa(4), "-4", hexa(3), "-a", hexa(3), "-", hexa(12))

RULES = (
    Rule(
        str(KEY),
        KEY,
        prefixed(rb"sk-lf-" + _UUID),
        score=85,
        companions=(Companion("id", _PUBLIC, optional=True), Companion("host", _HOST, optional=True)),
        examples=(
            text("LANGFUSE_PUBLIC_KEY=", part("id", _PUBLIC_KEY), "\nLANGFUSE_SECRET_KEY=", part("secret", _SECRET_KEY),
                 "\nLANGFUSE_HOST=https://", part("host", "us.cloud.langfuse.com"), "\n"),
            json_member("langfuse_secret_key", _SECRET_KEY),
            text("curl -u ", part("id", _PUBLIC_KEY), ":", part("secret", _SECRET_KEY), " https://cloud.langfuse.com/api/public/projects\n"),
        ),
        near_misses=(
            assigned("LANGFUSE_SECRET_KEY", concat("sk-lf-", _SHORT)), assigned("LANGFUSE_SECRET_KEY", concat("sk-lf-", uuid4(), "a")),
            assigned("LANGFUSE_SECRET_KEY", concat("sk_lf_", uuid4())), assigned("LANGFUSE_SECRET_KEY", concat("sk-lf-", hexa(32))),
        ),
    ),
    Rule(
        "langfuse/public-key",
        KEY,
        _PUBLIC,
        score=35,
        examples=(
            assigned("LANGFUSE_PUBLIC_KEY", _PUBLIC_KEY, part_name="id"),
            json_member("publicKey", _PUBLIC_KEY, part_name="id"),
            text("new Langfuse({ publicKey: '", part("id", _PUBLIC_KEY), "' })\n"),
        ),
        near_misses=(
            assigned("LANGFUSE_PUBLIC_KEY", concat("pk-lf-", _SHORT)), assigned("LANGFUSE_PUBLIC_KEY", concat("pk-lf-", uuid4(), "a")),
            assigned("LANGFUSE_PUBLIC_KEY", concat("pk_lf_", uuid4())),
        ),
    ),
)  # fmt: skip

HOSTS = ("cloud.langfuse.com", "us.cloud.langfuse.com", "hipaa.cloud.langfuse.com", "jp.cloud.langfuse.com")
VERIFIES = (KEY,)

_ASK = at(HOSTS, Question(
    "", "/api/public/projects", basic(user_part="id"), ("data",), dead=(Said(401, ("invalid credentials. confirm that you",)),), who=("data.0.name",),
))  # fmt: skip


def _there(credential: Credential, target: Target, ports: Ports) -> Verdict:
    if not credential.text("id"):
        return Unknown("the public key, to which the secret key belongs, is not known")
    return put_where(_ASK, credential.text("host").lower(), credential, target, ports)


verify = public_or_own("langfuse", HOSTS, _there)

_INVALID = Answer(
    401, '{"error":"UnauthorizedError","message":"Invalid credentials. Confirm that you\'ve configured the correct host."}'
)
CASES = cases(
    KEY,
    '{"data":[{"id":"clx","name":"support-bot"}]}',
    _INVALID,
    Case("perhaps of another server", KEY, (_INVALID,), "unknown", {"host": "langfuse.example"}),
    Case("no public key", KEY, (_INVALID,), "unknown", {"id": ""}),
    parts={"host": "us.cloud.langfuse.com"},
)
