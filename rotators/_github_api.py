"""GitHub's REST API as the rotators need it: headers, pages, App tokens, and refusals in keyward's words."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from keyward.errors import MissingExtra, ProviderError, Refused, Throttled
from keyward.model.secret import Secret
from keyward.plugin.ports import Http, Ports, Reply

API = "https://api.github.com"
HEADERS = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28", "user-agent": "keyward"}

MOST_AT_ONCE = 1000
"""Credentials that one request of the revocation endpoint takes; 60 requests an hour."""
REVOCABLE = (b"ghp_", b"github_pat_", b"gho_", b"ghu_", b"ghr_")
"""What the revocation endpoint takes; an Enterprise Server the first two only."""

_RIGHTS = re.compile(r"[a-z_]{1,60}=[a-z]{1,10}(?:[,;] ?[a-z_]{1,60}=[a-z]{1,10})*")


def connect(ports: Ports, base_url: str, token: str = "") -> Http:
    """Requests with a bearer; anonymous ones without."""
    return ports.http(base_url, {**HEADERS, **({"authorization": f"Bearer {token}"} if token else {})})


def accept(reply: Reply, what: str, now: float, *fine: int) -> Reply:
    """The reply, if its status is below 300 or one of these. Raises Refused or Throttled; never with a word of the body."""
    if reply.status < 300 or reply.status in fine:
        return reply
    raise refusal(reply, what, now)


def refusal(reply: Reply, what: str, now: float) -> ProviderError:
    """What an answer of 3xx or 4xx means. `now`: Unix seconds."""
    wait = limit_wait(reply, now)
    if wait is not None:
        return Throttled(f"GitHub's limit is reached at {what}", retry_after=wait)
    if reply.status == 401:
        return Refused(f"GitHub refuses the admin credential at {what}", hint="Check it: revoked, expired, or mistyped?")
    if reply.status == 403:
        needed = reply.headers.get("x-accepted-github-permissions", "")
        right = f" It needs the permission {needed}." if _RIGHTS.fullmatch(needed) else ""
        single = " Authorise it for the organisation's single sign-on." if "x-github-sso" in reply.headers else ""
        return Refused(f"GitHub does not allow {what}", hint=f"Check the admin credential's rights.{right}{single}")
    if reply.status == 404:
        return Refused(
            f"GitHub finds nothing at {what}",
            hint="Check the name in `scope`; GitHub answers so as well where a right is missing.",
        )
    return Refused(f"GitHub answered {reply.status} to {what}")


def limit_wait(reply: Reply, now: float) -> float | None:
    """Seconds until the rate limit ends, if that is what the answer says; else None."""
    if reply.status not in (403, 429):
        return None
    if reply.retry_after is not None:
        return reply.retry_after
    if reply.headers.get("x-ratelimit-remaining") == "0":
        reset = reply.headers.get("x-ratelimit-reset", "")
        return max(1.0, float(reset) - now) if reset.isdigit() else 60.0
    return None


def pages(http: Http, path: str, now: float) -> Iterator[Mapping[str, Any]]:
    """Every row of a listing. Raises ProviderError."""
    for page in range(1, 1001):
        reply = accept(http.request("GET", path, query={"per_page": "100", "page": str(page)}), f"GET {path}", now)
        rows = reply.json()
        if not isinstance(rows, list):
            raise Refused(f"GitHub's answer to GET {path} is no list")
        yield from (row for row in rows if isinstance(row, dict))
        if len(rows) < 100:
            return


def hashed(token: bytes) -> str:
    """How GitHub's audit log names a token (`hashed_token`): its SHA-256 in base64. Shown safely: a token cannot be guessed."""
    return base64.b64encode(hashlib.sha256(token).digest()).decode()


def revoke_many(ports: Ports, tokens: Iterable[Secret], *, base_url: str = API, token: str = "") -> tuple[Secret, ...]:
    """Kills tokens whose values are known, a thousand per request, anonymously; answers with those that GitHub does not take
    so (installation tokens). Owners get a mail. Final. A success says only that GitHub will look at them: verify each.

    `token`: an Enterprise Server wants a login. Raises Throttled (60 requests an hour), Refused, Uncertain; what was sent before
    is done, and sending it again does no harm.
    """
    each = list(dict.fromkeys(tokens))
    taken = [secret for secret in each if secret.reveal().startswith(REVOCABLE)]
    http = connect(ports, base_url, token)
    for start in range(0, len(taken), MOST_AT_ONCE):
        values = [secret.reveal().decode() for secret in taken[start : start + MOST_AT_ONCE]]
        reply = http.request("POST", "/credentials/revoke", json={"credentials": values})
        accept(reply, "POST /credentials/revoke", ports.clock.now())
    return tuple(secret for secret in each if not secret.reveal().startswith(REVOCABLE))


def app_token(app_id: str, private_key: bytes, now: float) -> str:
    """An App's JWT, good for nine minutes from a minute ago (GitHub allows ten). Raises Refused for a key that is none."""
    try:
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
    except ImportError:
        raise MissingExtra("cryptography", "ssh") from None
    key: object = None
    try:
        # whether its numbers are primes takes 60 ms to find out, each time; GitHub refuses what a wrong key signs
        key = serialization.load_pem_private_key(private_key.replace(b"\\n", b"\n"), None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError):
        pass  # the error's text might quote the key: nothing of it goes on
    if not isinstance(key, rsa.RSAPrivateKey):
        raise Refused("admin.private_key is no RSA key in PEM", hint="Download a private key at the App's settings page.")
    claims = {"iat": int(now) - 60, "exp": int(now) + 480, "iss": app_id}
    text = b".".join(_packed(part) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    return (text + b"." + _url64(key.sign(text, padding.PKCS1v15(), hashes.SHA256()))).decode()


def _packed(value: Mapping[str, object]) -> bytes:
    return _url64(json.dumps(value, separators=(",", ":")).encode())


def _url64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
