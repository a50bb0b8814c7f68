"""AWS Signature Version 4 for one POST, by the standard library alone.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit


class Signer(NamedTuple):
    """Whose key signs, for which region and service. `token`: the session token of a temporary key."""

    id: str
    secret: str
    region: str
    service: str
    token: str = ""


def signed_headers(signer: Signer, url: str, body: bytes, now: float, content_type: str) -> Mapping[str, str]:
    """The headers that a POST of `body` to `url` (without a query) must carry. `now`: Unix seconds."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    host = parts.hostname or ""
    if parts.port and parts.port != default:
        host = f"{host}:{parts.port}"
    signed = {"content-type": content_type, "host": host, "x-amz-date": stamp}
    if signer.token:
        signed["x-amz-security-token"] = signer.token
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    canonical = f"POST\n{parts.path or '/'}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{stamp[:8]}/{signer.region}/{signer.service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{signer.secret}".encode()
    for step in (*scope.split("/"), text):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    authorization = f"AWS4-HMAC-SHA256 Credential={signer.id}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
    return {**{name: value for name, value in signed.items() if name != "host"}, "authorization": authorization}
