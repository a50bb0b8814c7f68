"""Freshdesk and Freshservice API keys.

What it is: a key of a user of Freshdesk or Freshservice: 20 letters and digits without a prefix, in
  public code also 19 or 18.
Where it is used: `FRESHDESK_API_KEY`, `FRESHSERVICE_API_KEY`, curl with `-u key:X`.
What an attacker can do: all that the agent may do: read and change tickets and contacts.
How to replace it: reset the key on the profile page of the agent; the old one ends at once.
References: https://developers.freshdesk.com/api/#authentication
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, lower

from ._cloud import by_name, credential, vendor
from ._forms import mixed

KEY = Kind("freshdesk/api-key")

KINDS = (
    credential(
        KEY,
        "Freshdesk API key",
        "high",
        "https://support.freshdesk.com/support/solutions/articles/215517",
        see="https://developers.freshdesk.com/api/#authentication",
    ),
)

RULES = (
    by_name(
        KEY,
        vendor(rb"fresh(?:desk|service|sales)"),
        rb"(?:" + mixed(20) + rb"|" + mixed(19) + rb"|" + mixed(18) + rb")",
        "FRESHDESK_API_KEY",
        an(20),
        (an(17), an(21), lower(20), lower(19), lower(18)),
        score=66,
    ),
)
