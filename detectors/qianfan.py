"""Baidu Qianfan keys.

What it is: a key of Baidu's model platform: `bce-v3/ALTAK-`, 21 letters and digits (the access key's id), `/` and 40 hex
  digits.
Where it is used: `QIANFAN_API_KEY`, `BAIDU_API_KEY`, header `Authorization: Bearer`, settings of agents.
What an attacker can do: call models on the account's bill.
How to replace it: create a new key at console.bce.baidu.com, Qianfan, API keys, and delete the old one.
References: https://cloud.baidu.com/doc/qianfan-api/s/ym9chdsy5
"""

from __future__ import annotations

from keyward.plugin import Kind
from keyward.plugin.shapes import an, concat, hexa

from ._cloud import by_prefix, credential

KEY = Kind("baidu/qianfan-api-key")

KINDS = (
    credential(
        KEY,
        "Baidu Qianfan API key",
        "high",
        "https://console.bce.baidu.com/iam/#/iam/apikey/list",
        see="https://cloud.baidu.com/doc/qianfan-api/s/ym9chdsy5",
    ),
)

RULES = (
    by_prefix(
        KEY,
        rb"bce-v3/ALTAK-[A-Za-z0-9]{16,24}/[0-9a-f]{40}",
        "QIANFAN_API_KEY",
        concat("bce-v3/ALTAK-", an(21), "/", hexa(40)),
        (
            concat("bce-v3/ALTAK-", an(21), "/", hexa(39)),
            concat("bce-v3/ALTAK-", an(21), "/", hexa(41)),
            concat("bce-v3/ALTAK-", an(14), "/", hexa(40)),
        ),
        score=90,
    ),
)
