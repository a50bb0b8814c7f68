"""ntfy tokens.

What it is: a token of a user of an ntfy server: `tk_` and 29 small letters and digits; servers of early versions, and the
  vendor's own examples, use letters of both cases.
Where it is used: `NTFY_TOKEN`, header `Authorization: Bearer`, scripts that send notices, addresses with `?auth=`.
What an attacker can do: read and send the notices of every topic that the user may reach.
How to replace it: `ntfy token remove USER TOKEN` or the account's page, and make a new one.
References: https://docs.ntfy.sh/publish/#access-tokens
  https://github.com/binwiederhier/ntfy (user/manager.go: prefix, length, alphabet)
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat, lower, upper

from ._cloud import by_prefix, credential, places
from ._forms import SLUG, mixed

TOKEN = Kind("ntfy/access-token")

KINDS = (
    credential(
        TOKEN, "ntfy access token", "medium", "https://ntfy.sh/account", see="https://docs.ntfy.sh/publish/#access-tokens"
    ),
)

RULES = (
    by_prefix(
        TOKEN,
        rb"tk_(?:(?=[a-z]{0,28}[0-9])[a-z0-9]{29}|" + mixed(29) + rb")",
        "NTFY_TOKEN",
        concat("tk_", lower(29)),
        (
            concat("tk_", lower(28)),
            concat("tk_", lower(30)),
            concat("tk-", lower(29)),
            concat("tk_", an(30)),
            concat("tk_", upper(29)),
        ),
        more=places("NTFY_TOKEN", concat("tk_", an(29))),
        edge=SLUG,
        score=70,
    ),
)
