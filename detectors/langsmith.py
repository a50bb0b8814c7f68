"""LangSmith keys.

What it is: a personal access token (`lsv2_pt_`) or service key (`lsv2_sk_`), 32 and 10 hex digits; before 2024 `ls__` and hex digits.
Where it is used: tracing and evaluation of LangChain and LangGraph programs, deployments; `LANGSMITH_API_KEY`, `LANGCHAIN_API_KEY`.
What an attacker can do: read every traced prompt, tool result and document of the workspace (traces often hold other credentials),
  change prompts that programs pull at run time, start deployments.
How to replace it: create a new key in LangSmith's settings under API keys and delete the old one there; a person's token is theirs.
References: https://docs.langchain.com/langsmith/create-account-api-key
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import Shape, concat, hexa

from ._model_vendor import prefixed, prefixed_rule, replace

PERSONAL = Kind("langsmith/personal-token")
SERVICE = Kind("langsmith/service-key")
OLD = Kind("langsmith/old-key")

_URL = "https://smith.langchain.com/settings/apikeys"
_DOCS = ("https://docs.langchain.com/langsmith/create-account-api-key",)

KINDS = (
    CredentialKind(PERSONAL, "LangSmith personal access token", "critical", manual=replace(_URL), references=_DOCS),
    CredentialKind(SERVICE, "LangSmith service key", "critical", manual=replace(_URL), references=_DOCS),
    CredentialKind(OLD, "LangSmith API key (before 2024)", "high", manual=replace(_URL), references=_DOCS),
)  # fmt: skip


def _rule(kind: Kind, prefix: str) -> Rule:
    def key(left: int = 32, right: int = 10, between: str = "_", start: str = prefix) -> Shape:
        return concat(start, hexa(left), between, hexa(right))

    return prefixed_rule(
        kind, prefixed(prefix.encode() + rb"[0-9a-f]{32}_[0-9a-f]{10}"), key(), "LANGSMITH_API_KEY", "api.smith.langchain.com/api/v1/sessions",
        (key(31), key(33), key(right=9), key(right=11), key(between="-"), key(start=prefix.replace("lsv2_", "lsv2-"))), score=90, header="x-api-key: ",
    )  # fmt: skip


RULES = (
    _rule(PERSONAL, "lsv2_pt_"),
    _rule(SERVICE, "lsv2_sk_"),
    prefixed_rule(
        OLD, prefixed(rb"ls__[0-9a-f]{16,32}", left=rb"(?<![A-Za-z0-9_])"), concat("ls__", hexa(32)), "LANGCHAIN_API_KEY", "api.smith.langchain.com/sessions",
        (concat("ls__", hexa(15)), concat("ls__", hexa(33)), concat("ls_", hexa(32)), concat("ls__", hexa(31), "z")), score=70, header="x-api-key: ",
    ),
)  # fmt: skip
