"""Adafruit IO keys.

What it is: the one key of an Adafruit IO account: `aio_` and 28 letters and digits. Older keys are 32 hexadecimal digits, which only their name tells.
Where it is used: sketches of microcontrollers (`#define IO_KEY`, `secrets.py`), header `X-AIO-Key`, the password of its MQTT broker.
What an attacker can do: read and write all feeds of the account, and so what its devices measure and do.
How to replace it: My Key at io.adafruit.com, Regenerate Key. The old one dies at once; every device needs the new one.
References: https://io.adafruit.com/api/docs/
  https://adafruit.github.io/Adafruit_IO_Documentation/http.html
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat

from ._cloud import by_prefix, credential
from ._forms import SLUG

KEY = Kind("adafruit/io-key")

KINDS = (
    credential(
        KEY,
        "Adafruit IO key",
        "medium",
        "https://io.adafruit.com/",
        see="https://io.adafruit.com/api/docs/",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"aio_[A-Za-z0-9]{28}",
        "ADAFRUIT_IO_KEY",
        concat("aio_", an(28)),
        (concat("aio_", an(27)), concat("aio_", an(29)), concat("aio-", an(28)), concat("bio_", an(28))),
        edge=SLUG,
        score=80,
    ),
)
