"""What MySQL and MariaDB keep of a password, computed here: to find the account that a value belongs to, and to send no clear text.

mysql_native_password: `*` and SHA1(SHA1(password)) in capital hex. caching_sha2_password: `$A$005$`, 20 bytes of salt, and the SHA-256
crypt of 5000 rounds in 43 characters. sha256_password: `$5$`, salt, `$`, the same.
References: https://dev.mysql.com/doc/refman/8.4/en/native-pluggable-authentication.html  https://www.akkadia.org/drepper/SHA-crypt.txt
  https://dev.mysql.com/doc/refman/8.4/en/caching-sha2-pluggable-authentication.html
"""

from __future__ import annotations

from hashlib import sha1, sha256
from hmac import compare_digest

NATIVE = "mysql_native_password"
CACHING, SHA256 = "caching_sha2_password", "sha256_password"

_SALT, _DIGEST = 20, 43
_CRYPT64 = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def native(password: bytes) -> str:
    """`*` and 40 capital hex digits."""
    return "*" + sha1(sha1(password, usedforsecurity=False).digest(), usedforsecurity=False).hexdigest().upper()


def matches(plugin: str, stored: bytes, password: bytes) -> bool:
    """Whether a stored string is that of this password. False for plugins that are not known here."""
    if plugin in (NATIVE, "mysql_old_password", ""):
        return bool(stored) and compare_digest(stored.upper(), native(password).encode())
    if plugin == CACHING and stored.startswith(b"$A$") and stored[6:7] == b"$":
        rounds, rest = int(stored[3:6], 16) * 1000, stored[7:]
    elif plugin == SHA256 and stored.startswith(b"$5$"):
        rounds, rest = 5000, stored[3 : 3 + _SALT] + stored[4 + _SALT :]
    else:
        return False
    return compare_digest(sha256_crypt(password, rest[:_SALT], rounds), rest[_SALT : _SALT + _DIGEST])


def sha256_crypt(password: bytes, salt: bytes, rounds: int) -> bytes:
    """The digest of SHA-crypt, without its prefix; the salt may have any length. The steps are numbered as in the specification."""
    length = len(password)
    other = sha256(password + salt + password).digest()  # 4 to 8
    mixed = sha256(password + salt + _stretched(other, length))  # 1 to 3, 9, 10
    bits = length
    while bits:  # 11
        mixed.update(other if bits & 1 else password)
        bits >>= 1
    result = mixed.digest()
    p = _stretched(sha256(password * length).digest(), length)  # 13 to 16
    s = _stretched(sha256(salt * (16 + result[0])).digest(), len(salt))  # 17 to 20
    for number in range(rounds):  # 21
        step = p if number & 1 else result
        step += s if number % 3 else b""
        step += p if number % 7 else b""
        result = sha256(step + (result if number & 1 else p)).digest()
    return _encoded(result)


def _stretched(block: bytes, length: int) -> bytes:
    return (block * (length // len(block) + 1))[:length]


def _encoded(digest: bytes) -> bytes:
    """Base 64 of SHA-crypt: its own alphabet, groups of three bytes taken from three thirds in turn."""
    text = bytearray()
    a, b, c = 0, 10, 20
    for _ in range(10):
        text += _group(digest[a], digest[b], digest[c], 4)
        a, b, c = c + 1, a + 1, b + 1
    return bytes(text + _group(0, digest[31], digest[30], 3))


def _group(high: int, middle: int, low: int, count: int) -> bytes:
    value = high << 16 | middle << 8 | low
    return bytes(_CRYPT64[value >> 6 * place & 63] for place in range(count))
