"""RapidAPI keys.

What it is: a key of RapidAPI: 50 small letters and digits with `msh` after 10, `p1` after 28 and `jsn` after 35 of them.
Where it is used: `RAPIDAPI_KEY`, header `X-RapidAPI-Key`, code copied from the vendor's pages.
What an attacker can do: call every API that the account subscribed to, on its bill.
How to replace it: create a new app or rotate its key in the developer dashboard, Authorization, and delete the old one.
References: https://docs.rapidapi.com/docs/keys-and-key-rotation
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import concat, lower

from ._cloud import by_prefix, credential

KEY = Kind("rapidapi/key")

KINDS = (
    credential(
        KEY,
        "RapidAPI key",
        "medium",
        "https://rapidapi.com/developer/apps",
        see="https://docs.rapidapi.com/docs/keys-and-key-rotation",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"[a-z0-9]{10}msh[a-z0-9]{15}p1[a-z0-9]{5}jsn[a-z0-9]{12}",
        "RAPIDAPI_KEY",
        concat(lower(10), "msh", lower(15), "p1", lower(5), "jsn", lower(12)),
        (
            concat(lower(10), "msh", lower(15), "p1", lower(5), "jsn", lower(11)),
            concat(lower(10), "msh", lower(15), "p1", lower(5), "jsn", lower(13)),
            concat(lower(10), "mash", lower(14), "p1", lower(5), "jsn", lower(12)),
        ),
        score=88,
        anchor=rb"msh[a-z0-9]{15}p1[a-z0-9]{5}jsn[a-z0-9]{12}",
    ),
)
