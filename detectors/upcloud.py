"""UpCloud API tokens.

What it is: an API token of UpCloud: `ucat_` and 26 capital letters and digits (24 to 32 accepted).
Where it is used: `UPCLOUD_TOKEN`, Terraform, the `upctl` command line.
What an attacker can do: all that the account may do: create, read, stop and delete servers, storage and databases, on its
  bill.
How to replace it: create a new token at hub.upcloud.com, Account, API tokens, and delete the old one.
References: https://upcloud.com/docs/guides/getting-started-upcloud-api/
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, upper

from ._cloud import by_prefix, credential

TOKEN = Kind("upcloud/api-token")

KINDS = (
    credential(
        TOKEN,
        "UpCloud API token",
        "critical",
        "https://hub.upcloud.com/account/api-tokens",
        see="https://upcloud.com/docs/guides/getting-started-upcloud-api/",
    ),
)

RULES = (
    by_prefix(
        TOKEN,
        rb"ucat_[A-Z0-9]{24,32}",
        "UPCLOUD_TOKEN",
        concat("ucat_", upper(26)),
        (
            concat("ucat_", upper(23)),
            concat("ucat_", upper(33)),
            concat("ucat-", upper(26)),
        ),
        score=80,
    ),
)
