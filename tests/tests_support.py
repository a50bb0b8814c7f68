"""Small things that several tests need."""

from __future__ import annotations

from keyward.plugin.checksums import crc32_base62
from keyward.plugin.shapes import an, concat


def token(seed: int) -> bytes:
    """A GitHub token with a valid checksum; the same for the same seed."""
    return concat("ghp_", an(30)).tail(lambda text: crc32_base62(text[4:])).sample(1000 + seed).text
