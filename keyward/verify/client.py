"""The HTTP client that verification uses: short timeouts, and an ear for hosts that ask to wait."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from keyward.plugin.ports import new_client

if TYPE_CHECKING:
    import ssl

    import httpx

CONNECT, READ = 5.0, 10.0
"""Seconds to connect, and between two pieces of an answer."""

Busy = Callable[[str, float], None]
"""Told of a host that asks to wait, and how many seconds."""


def polite_client(tls: ssl.SSLContext | None, busy: Busy) -> httpx.Client:
    """A client as ports make it, which tells `busy` of every `Retry-After`."""
    client = new_client(tls)
    import httpx  # after that: see `new_client`

    client.timeout = httpx.Timeout(READ, connect=CONNECT)
    client.event_hooks["response"] = [functools.partial(listen, busy)]
    return client


def listen(busy: Busy, response: httpx.Response) -> None:
    """Tells `busy` if an answer asks to wait."""
    if response.status_code == 429 or "retry-after" in response.headers:
        try:
            seconds = max(0.0, float(response.headers.get("retry-after", "1")))
        except ValueError:  # a date: some seconds do until somebody looks again
            seconds = 5.0
        busy(response.url.host, seconds)
