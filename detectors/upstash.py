"""Upstash tokens.

What it is: the token of the REST API of a Redis or vector database at Upstash: base64 that begins with `A`, newer ones
  with `gQAAAAAA`, about 60 to 70 characters, beside the database's own address; and the token of a queue, base64 of a JSON
  text with `UserID` and `Password`.
Where it is used: `UPSTASH_REDIS_REST_TOKEN` beside `UPSTASH_REDIS_REST_URL`, `KV_REST_API_TOKEN`,
  `UPSTASH_VECTOR_REST_TOKEN`, `QSTASH_TOKEN`.
What an attacker can do: read and change everything in the database; publish to the queue.
How to replace it: reset the password or token of the database in the console; what uses the old one stops at once.
References: https://upstash.com/docs/redis/features/restapi
  https://upstash.com/docs/qstash/howto/reset-token
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, b64url, concat

from ._cloud import by_name, credential, places

TOKEN = Kind("upstash/rest-token")

KINDS = (
    credential(
        TOKEN,
        "Upstash REST token",
        "high",
        "https://console.upstash.com/",
        see="https://upstash.com/docs/redis/features/restapi",
    ),
)

_QUEUE = "eyJVc2VySUQ" + "iOi"
"""`{"UserID":` in base64. The development server's token, which everybody knows, is shorter than a real one."""


RULES = (
    by_name(
        TOKEN,
        rb"(?:upstash[a-z0-9_. -]{0,24}|kv_rest_api_(?:read_only_)?|qstash_)token",
        rb"(?:A|gQAAAAAA(?=[A-Za-z0-9+/_-]{40})|eyJVc2VySUQiOi(?=[A-Za-z0-9+/_-]{90}))[A-Za-z0-9+/_-]{39,120}={0,2}",
        "UPSTASH_REDIS_REST_TOKEN",
        concat("A", an(1), b64url(53), "="),
        (
            concat("A", b64url(30)),
            concat("B", b64url(54), "="),
            concat("A", b64url(130)),
            concat("gQAAAAAA", b64url(30)),
            concat("gQAAAAAB", b64url(63)),
            concat(_QUEUE, b64url(58), "="),
        ),
        more=(
            *places("UPSTASH_REDIS_REST_TOKEN", concat("gQAAAAAA", b64url(63))),
            *places("QSTASH_TOKEN", concat(_QUEUE, b64url(113), "=")),
        ),
        edge=rb"(?![A-Za-z0-9+/=_-])",
        score=75,
    ),
)
