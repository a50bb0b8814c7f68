"""Exa keys.

What it is: an API key of the Exa search engine: a UUID, so that only its name, its URL parameter or the host beside it tells.
Where it is used: web search by agents and MCP servers; `EXA_API_KEY`, the header `x-api-key`, MCP URLs with `?exaApiKey=`.
What an attacker can do: spend the team's search credits, read and delete its saved Websets.
How to replace it: create a new key at dashboard.exa.ai/api-keys and delete the old one there.
References: https://docs.exa.ai/reference/getting-started
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind
from keyward.plugin.shapes import concat, hexa, part, text, uuid4

from ._model_vendor import beside, named, named_parts, named_rule, replace

API_KEY = Kind("exa/api-key")

KINDS = (
    CredentialKind(API_KEY, "Exa API key", "medium", public=("host",), manual=replace("https://dashboard.exa.ai/api-keys"),
                   references=("https://docs.exa.ai/reference/getting-started",)),
)  # fmt: skip

_UUID = rb"[0-9a-f]{8}-[0-9a-f]{4}-[1-7][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_SHORT = concat(hexa(7), "-", hexa(4), "-4", hexa(3), "-a", hexa(3), "-", hexa(12))
_MISSES = (_SHORT, concat(uuid4(), "a"), hexa(32))

RULES = (
    named_rule(
        API_KEY, named(rb"exa(?:_?ai|_?search)?[_.-]?(?:api)?[_-]?key(?:[_-][a-z0-9]{1,12})?", _UUID, left=rb"(?<![A-Za-z0-9])"), uuid4(), "EXA_API_KEY", _MISSES,
        rule_id=str(API_KEY), score=65, other_name="HEXA_API_KEY",
    ),
    *beside(
        API_KEY, "exa/api-key", ("host", rb"(?:api|mcp)\.exa\.ai", "https?://"), named_parts(rb"x-api-key", _UUID, left=rb"(?<![A-Za-z0-9-])"),
        (
            (
                text("curl https://", part("host", "api.exa.ai"), "/search -H 'x-api-key: ", part("secret", uuid4()), "'\n"),
                text("url = 'https://", part("host", "api.exa.ai"), "/contents'\nheaders = {'x-api-key': '", part("secret", uuid4()), "'}\n"),
                text('{"url": "https://', part("host", "mcp.exa.ai"), '/mcp", "headers": {"x-api-key": "', part("secret", uuid4()), '"}}\n'),
            ),
            (
                text("curl -H 'x-api-key: ", part("secret", uuid4()), "' https://", part("host", "api.exa.ai"), "/search\n"),
                text("x-api-key: ", part("secret", uuid4()), "\nHost: ", part("host", "api.exa.ai"), "\n"),
                text("requests.post(headers=dict([('x-api-key', '", part("secret", uuid4()), "')]), url='https://", part("host", "api.exa.ai"), "/answer')\n"),
            ),
        ),
        (
            text("curl https://api.exa.ai/search -H 'x-api-key: ", _SHORT, "'\n"), text("curl https://api.example.org -H 'x-api-key: ", uuid4(), "'\n"),
            text("curl https://api.exa.ai/search -H 'x-request-id: ", uuid4(), "'\n"), text("curl -H 'x-api-key: ", uuid4(), "' https://api.hexa.ai\n"),
        ),
        score=65,
    ),
)  # fmt: skip
