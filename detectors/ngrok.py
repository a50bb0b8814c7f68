"""ngrok authtokens and API keys.

What it is: a token that opens tunnels for an account, or a key of its API; both begin with 26 to 30 letters and digits
  (the time of making among them), then `_` and about 20 more.
Where it is used: `NGROK_AUTHTOKEN`, `NGROK_API_KEY`, `ngrok.yml`, `ngrok config add-authtoken` in shell histories.
What an attacker can do: open tunnels in the account's name and on its reserved addresses; with an API key also change its
  endpoints, policies and credentials.
How to replace it: reset the authtoken or delete the credential at dashboard.ngrok.com; API keys are deleted on their own
  page.
References: https://ngrok.com/docs/gateway/agent/authtokens
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat

from ._cloud import by_name, credential

TOKEN = Kind("ngrok/authtoken")

KINDS = (
    credential(
        TOKEN,
        "ngrok authtoken or API key",
        "high",
        "https://dashboard.ngrok.com/get-started/your-authtoken",
        see="https://ngrok.com/docs/gateway/agent/authtokens",
    ),
)

RULES = (
    by_name(
        TOKEN,
        rb"ngrok[a-z0-9_. -]{0,16}(?:authtoken|token|key)|add-authtoken",
        rb"[0-9][A-Za-z0-9]{25,29}_[A-Za-z0-9]{18,24}",
        "NGROK_AUTHTOKEN",
        concat("2", an(26), "_", an(20)),
        (
            concat("2", an(24), "_", an(20)),
            concat("2", an(26), "_", an(16)),
            concat("x", an(26), "_", an(20)),
        ),
        score=78,
    ),
    by_name(
        TOKEN,
        rb"(?<![a-z0-9_.-])authtoken",
        rb"[0-9][A-Za-z0-9]{25,29}_[A-Za-z0-9]{18,24}",
        "authtoken",
        concat("2", an(26), "_", an(20)),
        (
            concat("2", an(24), "_", an(20)),
            concat("2", an(26), "_", an(16)),
            concat("x", an(26), "_", an(20)),
        ),
        score=70,
        id="ngrok/authtoken-in-settings",
    ),
)
