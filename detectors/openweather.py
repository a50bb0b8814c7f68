"""OpenWeather API keys.

What it is: a key of OpenWeather: 32 hex digits, known by its name or by the address that it stands in.
Where it is used: `OPENWEATHER_API_KEY`, `OPENWEATHERMAP_API_KEY`, addresses with `appid=`.
What an attacker can do: use up the account's calls, which a paid plan bills.
How to replace it: generate a new key at home.openweathermap.org, API keys, and delete the old one.
References: https://openweathermap.org/appid
"""

from __future__ import annotations

from keyward.plugin import Kind, Rule
from keyward.plugin.shapes import hexa, part, text, upper_hex

from ._cloud import by_name, credential

KEY = Kind("openweather/api-key")

KINDS = (
    credential(
        KEY, "OpenWeather API key", "low", "https://home.openweathermap.org/api_keys", see="https://openweathermap.org/appid"
    ),
)

RULES = (
    by_name(
        KEY,
        rb"(?:openweather(?:map)?|owm)[a-z0-9_. -]{0,16}(?:key|app_?id|token)",
        rb"[0-9a-f]{32}",
        "OPENWEATHER_API_KEY",
        hexa(32),
        (
            hexa(31),
            hexa(33),
            upper_hex(32),
        ),
        score=66,
    ),
    Rule(
        "openweather/api-key-in-address",
        KEY,
        rb"openweathermap\.org/[^\s\"'`<>]{1,200}?[?&](?i:appid)=(?P<secret>[0-9a-f]{32})(?![A-Za-z0-9])",
        score=72,
        examples=tuple(
            text(before, "https://api.openweathermap.org/data/2.5/weather?q=Bern&appid=", part("secret", hexa(32)), after)
            for before, after in (("curl '", "'\n"), ('{"url": "', '"}\n'), ("url = '", "&units=metric'\n"))
        ),
        near_misses=(
            text("curl https://api.openweathermap.org/data/2.5/weather?appid=", hexa(31), "\n"),
            text("curl https://api.openweathermap.org/data/2.5/weather?id=", hexa(32), "\n"),
            text("curl https://api.corp.io/data/2.5/weather?appid=", hexa(32), "\n"),
        ),
    ),
)
