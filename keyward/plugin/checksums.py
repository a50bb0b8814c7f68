"""Checksums that more than one provider's format uses. Each is checked against published samples in the tests.

Source of the algorithms: the issuers' own announcements and code, named at each function.
"""

from __future__ import annotations

import binascii
import zlib

BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BASE36 = b"0123456789abcdefghijklmnopqrstuvwxyz"


def to_base(number: int, alphabet: bytes, width: int) -> bytes:
    """Big-endian digits of `number`, left-padded with the alphabet's zero to `width`."""
    out = bytearray()
    while number:
        number, digit = divmod(number, len(alphabet))
        out.append(alphabet[digit])
    out.extend(alphabet[:1] * (width - len(out)))
    return bytes(reversed(out))


def crc32_base62(body: bytes) -> bytes:
    """Six base62 digits of the CRC32 of `body` (GitHub since 2021-04-05, npm)."""
    return to_base(zlib.crc32(body), BASE62, 6)


def crc32_base36(body: bytes) -> bytes:
    """Seven base36 digits of the CRC32 of `body` (GitLab routable tokens)."""
    return to_base(zlib.crc32(body), BASE36, 7)


def crc32_hex(body: bytes) -> bytes:
    """Eight lower-case hex digits of the CRC32 of `body`, big-endian (Zuplo, Cloudflare)."""
    return b"%08x" % zlib.crc32(body)


def crc32_hex_upper(body: bytes) -> bytes:
    """Eight upper-case hex digits of the CRC32 of `body`, big-endian (Atlassian)."""
    return b"%08X" % zlib.crc32(body)


def crc32_hex_little(body: bytes) -> bytes:
    """The CRC32's four bytes in little-endian order, as lower-case hex (Grafana)."""
    return binascii.hexlify(zlib.crc32(body).to_bytes(4, "little"))


def crc16_xmodem(data: bytes) -> int:
    """CRC-16/XMODEM (NATS nkeys, Stellar seeds)."""
    return binascii.crc_hqx(data, 0)


def crc24(data: bytes) -> int:
    """CRC-24 of OpenPGP armour (RFC 4880 section 6.1)."""
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x864CFB
    return crc & 0xFFFFFF


def marvin32(data: bytes, seed: bytes) -> int:
    """Marvin32 with an 8-byte seed read as a big-endian number; 64 bits folded to 32 (Microsoft's identifiable keys)."""
    mask = 0xFFFFFFFF
    state = int.from_bytes(seed, "big")
    low, high = state & mask, state >> 32

    def rotate(value: int, by: int) -> int:
        return ((value << by) | (value >> (32 - by))) & mask

    def block(low: int, high: int) -> tuple[int, int]:
        high ^= low
        low = rotate(low, 20)
        low = (low + high) & mask
        high = rotate(high, 9)
        high ^= low
        low = rotate(low, 27)
        low = (low + high) & mask
        high = rotate(high, 19)
        return low, high

    whole = len(data) - len(data) % 4
    for at in range(0, whole, 4):
        low = (low + int.from_bytes(data[at : at + 4], "little")) & mask
        low, high = block(low, high)
    tail = (data[whole:] + b"\x80").ljust(4, b"\0")
    low = (low + int.from_bytes(tail, "little")) & mask
    low, high = block(low, high)
    low, high = block(low, high)
    return low ^ high


def bech32_valid(text: bytes, prefix: bytes) -> bool:
    """Whether `text` is bech32 (BIP-173) with this human-readable prefix; both in lower case."""
    alphabet = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    if not text.startswith(prefix + b"1"):
        return False
    values = [alphabet.find(byte) for byte in text[len(prefix) + 1 :]]
    if min(values, default=-1) < 0:
        return False
    expanded = [byte >> 5 for byte in prefix] + [0] + [byte & 31 for byte in prefix]
    check = 1
    for value in expanded + values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> bit & 1:
                check ^= generator
    return check == 1


def base58_check(text: bytes) -> bytes | None:
    """The payload (version byte included) of a base58check string, or None if its checksum is wrong."""
    import hashlib

    alphabet = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number = 0
    for byte in text:
        digit = alphabet.find(byte)
        if digit < 0:
            return None
        number = number * 58 + digit
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    data = b"\0" * (len(text) - len(text.lstrip(b"1"))) + data
    payload, check = data[:-4], data[-4:]
    return payload if hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4] == check else None


def decode_base64(text: bytes) -> bytes | None:
    """Decodes standard or URL-safe base64, padded or not; None if it is neither."""
    stripped = text.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    try:
        return binascii.a2b_base64(stripped + b"=" * (-len(stripped) % 4), strict_mode=True)
    except (binascii.Error, ValueError):
        return None


def jwt_claims(token: bytes) -> tuple[dict[str, object], dict[str, object]] | None:
    """Header and payload of a JSON Web Token, or None if they are not JSON objects."""
    import json

    pieces = token.split(b".")
    if len(pieces) < 2:
        return None
    decoded = [decode_base64(piece) for piece in pieces[:2]]
    try:
        header, payload = (json.loads(piece) if piece else None for piece in decoded)
    except (ValueError, RecursionError):
        return None
    return (header, payload) if isinstance(header, dict) and isinstance(payload, dict) else None
