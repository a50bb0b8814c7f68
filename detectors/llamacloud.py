"""LlamaCloud keys.

What it is: a key of LlamaCloud (LlamaIndex): `llx-` and 44 to 52 letters and digits (48 in public code).
Where it is used: `LLAMA_CLOUD_API_KEY`, LlamaParse, header `Authorization: Bearer`.
What an attacker can do: read and change the organisation's indexes and files, parse documents on its bill.
How to replace it: create a new key at cloud.llamaindex.ai, API keys, and delete the old one.
References: https://docs.cloud.llamaindex.ai/api_key
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat

from ._cloud import by_prefix, credential
from ._forms import SLUG

KEY = Kind("llamacloud/api-key")

KINDS = (
    credential(
        KEY, "LlamaCloud API key", "high", "https://cloud.llamaindex.ai/api-key", see="https://docs.cloud.llamaindex.ai/api_key"
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"llx-[A-Za-z0-9]{44,52}",
        "LLAMA_CLOUD_API_KEY",
        concat("llx-", an(48)),
        (
            concat("llx-", an(43)),
            concat("llx-", an(53)),
            concat("llx_", an(48)),
        ),
        edge=SLUG,
        score=85,
    ),
)
