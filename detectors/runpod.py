"""RunPod keys.

What it is: a key of RunPod: `rpa_`, 40 capital letters and digits, and 6 of both cases.
Where it is used: `RUNPOD_API_KEY`, `~/.runpod/config.toml`, header `Authorization: Bearer`.
What an attacker can do: rent and stop machines on the account's bill, read what runs on them.
How to replace it: create a new key at console.runpod.io, Settings, API keys, and revoke the old one.
References: https://docs.runpod.io/get-started/api-keys
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat, upper

from ._cloud import by_prefix, credential

KEY = Kind("runpod/api-key")

KINDS = (
    credential(
        KEY,
        "RunPod API key",
        "high",
        "https://console.runpod.io/user/settings",
        see="https://docs.runpod.io/get-started/api-keys",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"rpa_[A-Z0-9]{40}[A-Za-z0-9]{6}",
        "RUNPOD_API_KEY",
        concat("rpa_", upper(40), an(6)),
        (
            concat("rpa_", upper(39), "abcdef"),
            concat("rpa_", upper(40), an(7)),
            concat("rpa-", upper(46)),
        ),
        edge=rb"(?![A-Za-z0-9_])",
        score=85,
    ),
)
