"""Draws values from the shapes of `formats.txt`. FROZEN together with that file: it must not follow the rules, so it shares nothing with them.

Every checksum is written down here once more, from the same published sources, and on purpose not imported from keyward.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import uuid
import zlib
from collections.abc import Callable

LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
DIGITS = "0123456789"
ALPHABETS = {
    "an": UPPER + LOWER + DIGITS,
    "AN": UPPER + DIGITS,
    "low": LOWER + DIGITS,
    "let": UPPER + LOWER,
    "abc": LOWER,
    "ABC": UPPER,
    "dig": DIGITS,
    "hex": DIGITS + "abcdef",
    "HEX": DIGITS + "ABCDEF",
    "b64u": UPPER + LOWER + DIGITS + "-_",
    "b64x": UPPER + LOWER + DIGITS + "+/",
    "b58x": "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
    "b32x": LOWER + "234567",
    "B32x": UPPER + "234567",
}
_PIECE = re.compile(r"'(?P<text>[^']*)'|\((?P<made>\w+)\)|@(?P<sum>\w+)(?::(?P<start>\d+)(?:\.\.(?P<stop>\d+))?)?|(?P<of>uuid|[A-Za-z]+?|b64u|(?:b64|b58|b32|B32)x)(?P<least>\d+)?(?:\.\.(?P<most>\d+))?(?= |$)")  # fmt: skip


def draw(shape: str, dice: random.Random) -> str:
    """A value of this shape. Raises ValueError for a shape that cannot be read."""
    value, at = "", 0
    shape = shape.strip()
    while at < len(shape):
        piece = _PIECE.match(shape, at)
        if piece is None:
            raise ValueError(f"cannot read the shape {shape!r} at {at}")
        value += _drawn(piece, value, dice)
        at = piece.end() + len(shape[piece.end() :]) - len(shape[piece.end() :].lstrip())
    return value


def _drawn(piece: re.Match[str], before: str, dice: random.Random) -> str:
    if piece["text"] is not None:
        return piece["text"]
    if piece["made"] is not None:
        return MADE[piece["made"]](dice)
    if piece["sum"] is not None:
        stop = int(piece["stop"]) if piece["stop"] else len(before)
        return SUMS[piece["sum"]](before[int(piece["start"] or 0) : stop].encode())
    if piece["of"] == "uuid":
        return some_uuid(dice)
    least = int(piece["least"])
    count = least if not piece["most"] else least + int(dice.random() * (int(piece["most"]) - least + 1))
    drawn = chars(dice, ALPHABETS[piece["of"]], count)
    return "1" + drawn[1:] if piece["of"] == "dig" and drawn[0] == "0" else drawn


def chars(dice: random.Random, alphabet: str, count: int) -> str:
    """So many characters, each drawn evenly: a random value may well begin with a dash, or hold no digit."""
    return "".join(alphabet[int(dice.random() * len(alphabet))] for _ in range(count))


def raw(dice: random.Random, count: int) -> bytes:
    """Random bytes."""
    return bytes(int(dice.random() * 256) for _ in range(count))


def some_uuid(dice: random.Random) -> str:
    """A version 4 UUID."""
    return str(uuid.UUID(bytes=raw(dice, 16), version=4))


# ---- checksums


def _digits(number: int, alphabet: str, width: int) -> str:
    out = ""
    while number:
        number, digit = divmod(number, len(alphabet))
        out = alphabet[digit] + out
    return out.rjust(width, alphabet[0])


SUMS: dict[str, Callable[[bytes], str]] = {
    "crc62": lambda body: _digits(zlib.crc32(body), DIGITS + UPPER + LOWER, 6),
    "crc": lambda body: f"{zlib.crc32(body):08x}",
    "CRC": lambda body: f"{zlib.crc32(body):08X}",
    "crcle": lambda body: zlib.crc32(body).to_bytes(4, "little").hex(),
    "sha256_b32": lambda body: base64.b32encode(hashlib.sha256(body).digest())[:8].decode(),
}


# ---- values with an inner structure


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _an(dice: random.Random, count: int) -> str:
    return chars(dice, ALPHABETS["an"], count)


def _hex(dice: random.Random, count: int) -> str:
    return chars(dice, ALPHABETS["hex"], count)


def _gitlab_routable(dice: random.Random) -> str:
    routing = b"o:1\np:8m\nu:1k" + bytes([12])
    payload = _b64u(raw(dice, 16) + routing)
    head = f"glpat-{payload}.01.{_digits(len(payload), DIGITS + LOWER, 2)}"
    return head + _digits(zlib.crc32(head.encode()), DIGITS + LOWER, 7)


def _pypi(dice: random.Random) -> str:
    said = json.dumps(some_uuid(dice)).encode()
    caveat = b"[3," + said + b"]"
    body = (
        b"\x02\x01\x08pypi.org\x02"
        + bytes([len(said)])
        + said
        + b"\x00\x02"
        + bytes([len(caveat)])
        + caveat
        + b"\x00\x00\x06\x20"
        + raw(dice, 32)
    )
    return "pypi-" + _b64u(body)


def _jfrog_reference(dice: random.Random) -> str:
    return _b64u(f"reftkn:01:{1790000000 + int(dice.random() * 10**7)}:{_an(dice, 27)}".encode())


def _bedrock(dice: random.Random) -> str:
    return "ABSK" + _b64(f"BedrockAPIKey-{_an(dice, 4).lower()}-at-123456789012:".encode() + _b64(raw(dice, 32)).encode())


def _marvin32(data: bytes, seed: bytes) -> bytes:
    mask = 0xFFFFFFFF
    low, high = int.from_bytes(seed[4:], "big"), int.from_bytes(seed[:4], "big")

    def block() -> None:
        nonlocal low, high
        high ^= low
        low = (low << 20 | low >> 12) & mask
        low = (low + high) & mask
        high = (high << 9 | high >> 23) & mask
        high ^= low
        low = (low << 27 | low >> 5) & mask
        low = (low + high) & mask
        high = (high << 19 | high >> 13) & mask

    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        low = (low + int.from_bytes(data[at : at + 4], "little")) & mask
        block()
    low = (low + int.from_bytes((data[whole:] + b"\x80").ljust(4, b"\0"), "little")) & mask
    block()
    block()
    return (low ^ high).to_bytes(4, "little")


def _azure_storage(dice: random.Random) -> str:
    body = base64.b64decode(_b64(raw(dice, 57)) + "+ASt")
    return _b64(body + _marvin32(body, b"Default0"))


def _azure_cosmos(dice: random.Random) -> str:
    body = base64.b64decode(_b64(raw(dice, 57)) + "ACDb")
    return _b64(body + _marvin32(body, b"MastRW00"))


def _azure_openai(dice: random.Random) -> str:
    text = _an(dice, 52) + "JQQJ99" + "BE" + _an(dice, 12) + "AAAB" + "ACOG"
    return text + _b64(_marvin32(base64.b64decode(text), b"Default0"))[:4].replace("+", "P").replace("/", "F")


def _azure_devops(dice: random.Random) -> str:
    data = raw(dice, 28)
    check = (zlib.crc32(data) ^ 0xE0B9692D).to_bytes(4, "big")
    spread = bytearray(32)
    places = [0, 1, 3, 4, 5, 6, *range(9, 22), *range(23, 32)]
    for place, byte in zip(places, data):
        spread[place] = byte
    for place, byte in zip((2, 7, 8, 22), check):
        spread[place] = byte
    return base64.b32encode(bytes(spread)).decode().lower().rstrip("=")


def _confluent(dice: random.Random) -> str:
    body = chars(dice, ALPHABETS["b64x"], 54)
    return "cflt" + body + _b64(zlib.crc32(body.encode()).to_bytes(4, "little"))[:6]


def _elastic_cloud(dice: random.Random) -> str:
    return "essu_" + _b64(
        _b64(f"{chars(dice, ALPHABETS['b64u'], 20)}:{chars(dice, ALPHABETS['b64u'], 22)}".encode()).encode() + raw(dice, 6)
    )


def _intercom(dice: random.Random) -> str:
    return _b64(f"tok:{some_uuid(dice).replace('-', '_')}:1:0".encode())


def _workos(dice: random.Random) -> str:
    return "sk_live_" + _b64u(f"key_01H{chars(dice, ALPHABETS['AN'], 23)},{_an(dice, 25)}".encode())


def _grafana_cloud(dice: random.Random) -> str:
    said = {"o": "123456", "n": "ci-deploy", "k": _an(dice, 24), "m": {"r": "prod-eu-west-2"}}
    return "glc_" + _b64(json.dumps(said, separators=(",", ":")).encode())


def _mapbox(dice: random.Random) -> str:
    said = {"u": "acme", "a": "c" + chars(dice, ALPHABETS["low"], 24)}
    return "sk." + _b64u(json.dumps(said, separators=(",", ":")).encode()) + "." + chars(dice, ALPHABETS["b64u"], 22)


def _onepassword(dice: random.Random) -> str:
    said = {
        "signInAddress": "acme.1password.com", "userAuth": {"method": "SRPg-4096", "alg": "PBES2g-HS256", "iterations": 650000, "salt": _b64u(raw(dice, 16))},
        "email": "ci@acme.1passwordserviceaccounts.com", "srpX": raw(dice, 32).hex(), "muk": {"alg": "A256GCM", "k": _b64u(raw(dice, 32)), "kty": "oct"},
        "secretKey": "A3-" + chars(dice, ALPHABETS["AN"], 32), "throttleSecret": {"seed": raw(dice, 32).hex(), "uuid": chars(dice, ALPHABETS["AN"], 26)},
        "deviceUuid": chars(dice, ALPHABETS["low"], 26),
    }  # fmt: skip
    return "ops_" + _b64u(json.dumps(said, separators=(",", ":")).encode())


def _volcengine_id(dice: random.Random) -> str:
    return "AKLT" + _b64u(_hex(dice, 32).encode())


def _volcengine_secret(dice: random.Random) -> str:
    return _b64(_b64(_hex(dice, 32).encode()).encode())


def _firecrawl(dice: random.Random) -> str:
    return "fc-" + some_uuid(dice).replace("-", "")


def _letta(dice: random.Random) -> str:
    return "sk-let-" + _b64(f"{some_uuid(dice)}:{some_uuid(dice)}".encode())


def _ulid(dice: random.Random) -> str:
    return "01K" + chars(dice, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 23)


def _signed(dice: random.Random, header: dict[str, object], claims: dict[str, object]) -> str:
    parts = [_b64u(json.dumps(each, separators=(",", ":")).encode()) for each in (header, claims)]
    return ".".join([*parts, _b64u(raw(dice, 32))])


def _n8n(dice: random.Random) -> str:
    return _signed(
        dice, {"alg": "HS256", "typ": "JWT"}, {"sub": some_uuid(dice), "iss": "n8n", "aud": "public-api", "iat": 1790000000}
    )


def _jwt(dice: random.Random) -> str:
    said: dict[str, object] = {
        "sub": some_uuid(dice),
        "iss": "https://login.corp.io/",
        "aud": "orders",
        "iat": 1893456000,
        "exp": 4049136000,
    }
    return _signed(dice, {"alg": "HS256", "typ": "JWT"}, said)


def _discord(dice: random.Random) -> str:
    bot = str(10**18 + int(dice.random() * 3 * 10**17))
    return f"{_b64u(bot.encode())}.G{chars(dice, ALPHABETS['b64u'], 5)}.{chars(dice, ALPHABETS['b64u'], 38)}"


def _synapse(dice: random.Random) -> str:
    head = f"syt_{_b64u(b'orders-bot')}_{chars(dice, ALPHABETS['let'], 20)}"
    return f"{head}_{_digits(zlib.crc32(head.encode()), DIGITS + UPPER + LOWER, 6)}"


def _bech32(prefix: str, data: bytes) -> str:
    values, held, bits = [], 0, 0
    for byte in data:
        held, bits = held << 8 | byte, bits + 8
        while bits >= 5:
            bits -= 5
            values.append(held >> bits & 31)
    if bits:
        values.append(held << (5 - bits) & 31)
    check = 1
    for value in [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + values + [0] * 6:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, factor in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= factor if top >> bit & 1 else 0
    check ^= 1
    values += [check >> 5 * (5 - at) & 31 for at in range(6)]
    return prefix + "1" + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[value] for value in values)


def _age(dice: random.Random) -> str:
    return _bech32("age-secret-key-", raw(dice, 32)).upper()


def _wireguard(dice: random.Random) -> str:
    key = bytearray(raw(dice, 32))
    key[0] &= 248
    key[31] = key[31] & 127 | 64
    return _b64(bytes(key))


def _base58check(payload: bytes) -> str:
    data = payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    return _digits(int.from_bytes(data, "big"), ALPHABETS["b58x"], 1)


def _wif(dice: random.Random) -> str:
    return _base58check(b"\x80" + raw(dice, 32) + b"\x01")


def _nkey(dice: random.Random) -> str:
    user = 20 << 3
    body = bytes([18 << 3 | user >> 5, (user & 31) << 3]) + raw(dice, 32)
    crc = 0
    for byte in body:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return base64.b32encode(body + crc.to_bytes(2, "little")).decode().rstrip("=")


MADE: dict[str, Callable[[random.Random], str]] = {
    name[1:]: made for name, made in list(globals().items())
    if name in (
        "_gitlab_routable", "_pypi", "_jfrog_reference", "_bedrock", "_azure_storage", "_azure_cosmos", "_azure_openai", "_azure_devops", "_confluent",
        "_elastic_cloud", "_intercom", "_workos", "_grafana_cloud", "_mapbox", "_onepassword", "_volcengine_id", "_volcengine_secret", "_firecrawl", "_letta",
        "_ulid", "_n8n", "_jwt", "_discord", "_synapse", "_age", "_wireguard", "_wif", "_nkey",
    )
}  # fmt: skip
