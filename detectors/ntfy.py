"""ntfy tokens.

What it is: a token of a user of an ntfy server: `tk_` and 29 small letters and digits.
Where it is used: `NTFY_TOKEN`, header `Authorization: Bearer`, scripts that send notices, addresses with `?auth=`.
What an attacker can do: read and send the notices of every topic that the user may reach.
How to replace it: `ntfy token remove USER TOKEN` or the account's page, and make a new one.
References: https://docs.ntfy.sh/publish/#access-tokens
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, lower

from ._cloud import by_prefix, credential
from ._forms import SLUG

TOKEN = Kind("ntfy/access-token")

KINDS = (
    credential(
        TOKEN, "ntfy access token", "medium", "https://ntfy.sh/account", see="https://docs.ntfy.sh/publish/#access-tokens"
    ),
)

RULES = (
    by_prefix(
        TOKEN,
        rb"tk_(?=[a-z]{0,28}[0-9])[a-z0-9]{29}",
        "NTFY_TOKEN",
        concat("tk_", lower(29)),
        (
            concat("tk_", lower(28)),
            concat("tk_", lower(30)),
            concat("tk-", lower(29)),
        ),
        edge=SLUG,
        score=70,
    ),
)
