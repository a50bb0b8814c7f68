"""The checksum that ends the tokens of Atlassian and Bitbucket: the CRC32, in upper-case hex, of everything before it."""

from __future__ import annotations

from keyward.plugin.checksums import crc32_hex_upper

CRC_TAIL = rb"(?:=|%3[Dd]|\\=|\\u003[Dd])[0-9A-F]{8}"
"""The equals sign before the checksum, as it stands in files, URLs, properties and JSON, and the checksum."""


def unescape(token: bytes) -> bytes:
    """The token with its equals sign as such."""
    for escaped in (b"%3D", b"%3d", b"\\=", b"\\u003d", b"\\u003D"):
        token = token.replace(escaped, b"=")
    return token


def crc_holds(token: bytes) -> bool:
    plain = unescape(token)
    return crc32_hex_upper(plain[:-8]) == plain[-8:]
