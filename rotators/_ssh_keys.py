"""Keys and `authorized_keys` lines, as bytes: what is not ours comes out as it went in.

References: https://man.openbsd.org/sshd.8#AUTHORIZED_KEYS_FILE_FORMAT  https://datatracker.ietf.org/doc/html/rfc4253#section-6.6
  https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Any, NamedTuple

from keyward.errors import MissingExtra, Refused

OFF = b"#keyward-off "
"""Stands before a line that is switched off and can be switched on again."""

_TYPE = re.compile(rb"(?:ssh-|ecdsa-sha2-|sk-ssh-|sk-ecdsa-|rsa-sha2-)[a-z0-9@.-]{1,60}\Z")
_OPTIONS = re.compile(rb'(?:[^\s"]|"(?:\\"|[^"])*")+')
_MAGIC = b"openssh-key-v1\0"
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{0,30}PRIVATE KEY)-----(.{20,20000}?)-----END ", re.DOTALL)
_ESCAPES = re.compile(rb"\\+[nrt]")
_HEADERS = re.compile(rb"Proc-Type: ?4, ?ENCRYPTED|DEK-Info: ?[A-Z0-9-]{3,24},[0-9A-Fa-f]{8,64}")


class Line(NamedTuple):
    """One key of a file. `text`: the whole line with its end. `blob`: the public key as SSH sends it. `on`: whether it lets in."""

    text: bytes
    options: bytes
    blob: bytes
    comment: bytes
    on: bool


def lines_of(file: bytes) -> list[bytes | Line]:
    """Every line, with its end; those that hold a key, switched off or not, as Line."""
    return [_parsed(line) or line for line in file.splitlines(keepends=True)]


def joined(lines: list[bytes | Line]) -> bytes:
    return b"".join(line.text if isinstance(line, Line) else line for line in lines)


def _parsed(text: bytes) -> Line | None:
    on = not text.startswith(OFF)
    rest = (text if on else text[len(OFF) :]).strip()
    if not rest or rest.startswith(b"#"):
        return None
    options = b""
    if not _TYPE.match(rest.split(None, 1)[0]):
        found = _OPTIONS.match(rest)
        if found is None:
            return None
        options, rest = found.group(), rest[found.end() :].lstrip()
    fields = rest.split(None, 2)
    if len(fields) < 2 or not _TYPE.match(fields[0]):
        return None
    try:
        blob = base64.b64decode(fields[1], validate=True)
    except (ValueError, binascii.Error):
        return None
    return Line(text, options, blob, fields[2] if len(fields) > 2 else b"", on)


def fingerprint(blob: bytes) -> str:
    """`SHA256:…`, as every SSH program shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def public_line(blob: bytes, options: bytes, comment: bytes) -> bytes:
    """A line for a key, without its end."""
    length = int.from_bytes(blob[:4], "big")
    pieces = (options, blob[4 : 4 + length], base64.b64encode(blob), comment)
    return b" ".join(piece for piece in pieces if piece)


def quoted(name: str, value: str) -> str:
    """An option with a value. Raises Refused for what no line can hold."""
    if not value.isprintable() or (name != "command" and '"' in value):
        raise Refused(f"scope.{name} holds characters that no authorized_keys line can", hint="Correct the configuration.")
    escaped = value.replace('"', r"\"")
    return f'{name}="{escaped}"'


def new_private_key() -> bytes:
    """A fresh ed25519 key, OpenSSH's form, without passphrase: the store protects it."""
    try:
        from cryptography.hazmat.primitives import serialization as form
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        raise MissingExtra("cryptography", "ssh") from None
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())


def block_of(value: bytes) -> bytes:
    """The block as a file has it: without the escapes, indentation or second base64 of the text in which it was found."""
    if value.lstrip().startswith(b"LS0t"):
        packed = re.sub(rb"[^A-Za-z0-9+/]", b"", value)
        value = base64.b64decode(packed + b"=" * (-len(packed) % 4))
    found = _BLOCK.search(_ESCAPES.sub(b"\n", value))
    if found is None:
        return value
    label, body = found.groups()
    headers = _HEADERS.findall(body)
    data = re.sub(rb"[^A-Za-z0-9+/=]", b"", _HEADERS.sub(b"", body))
    wrapped = [data[at : at + 64] for at in range(0, len(data), 64)]
    return b"\n".join(
        (b"-----BEGIN %s-----" % label, *headers, *([b""] if headers else []), *wrapped, b"-----END %s-----" % label, b"")
    )


def private_key(value: bytes, passphrase: str = "") -> Any:
    """The key, for a login. Raises Refused if it cannot be read or its passphrase is not known."""
    try:
        import asyncssh
    except ImportError:
        raise MissingExtra("asyncssh", "ssh") from None
    try:
        return asyncssh.import_private_key(block_of(value), passphrase or None)
    except (asyncssh.KeyEncryptionError, asyncssh.KeyImportError, ValueError) as error:
        if isinstance(error, asyncssh.KeyEncryptionError) or "assphrase" in str(error):
            hint = "Give the passphrase as part `passphrase` of the admin reference."
            raise Refused("the key is encrypted with a passphrase that is not known", hint=hint) from None
        raise Refused("the key cannot be read", hint="It is none that SSH knows, or it is not whole.") from None


def public_blob(value: bytes, passphrase: str = "") -> bytes:
    """The public half as SSH sends it; of OpenSSH's own form without the passphrase, because it stands there in clear."""
    block = _BLOCK.search(block_of(value))
    if block is not None and block.group(1) == b"OPENSSH PRIVATE KEY":
        try:
            found = _openssh_public(base64.b64decode(re.sub(rb"\s", b"", block.group(2))))
        except (ValueError, binascii.Error):
            found = b""
        if found:
            return found
    blob: bytes = private_key(value, passphrase).public_data
    return blob


def _openssh_public(data: bytes) -> bytes:
    """The first public key of an openssh-key-v1 file: after cipher, kdf, kdf's options and the number of keys."""
    if not data.startswith(_MAGIC):
        return b""
    at = len(_MAGIC)
    for _ in range(3):
        at += 4 + int.from_bytes(data[at : at + 4], "big")
    at += 4
    length = int.from_bytes(data[at : at + 4], "big")
    return data[at + 4 : at + 4 + length]
