"""Somebody who signs tokens and certificates, for the logins and the TLS of the tests."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID


class Issuer:
    """Signs JSON web tokens with an RSA key of its own (RS256, RFC 7515)."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        encoding = serialization.Encoding.PEM
        self.public_pem = (
            self._key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        )

    def token(self, **claims: object) -> str:
        """A token of five minutes."""
        now = int(time.time())
        parts = ({"alg": "RS256", "typ": "JWT"}, {"iss": "tests", "iat": now, "nbf": now, "exp": now + 300, **claims})
        signed = b".".join(_encoded(json.dumps(part).encode()) for part in parts)
        return (signed + b"." + _encoded(self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256()))).decode()


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def write_certificates(folder: Path) -> tuple[str, str, str]:
    """Files of a certificate for 127.0.0.1, its key, and the authority that signed it."""
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _certificate("tests' authority", authority_key, "tests' authority", authority_key, is_authority=True)
    server = _certificate("127.0.0.1", server_key, "tests' authority", authority_key, is_authority=False)
    files = tuple(str(folder / name) for name in ("server.pem", "server.key", "authority.pem"))
    encoding = serialization.Encoding.PEM
    private = server_key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for file, content in zip(files, (server.public_bytes(encoding), private, authority.public_bytes(encoding))):
        Path(file).write_bytes(content)
    return files[0], files[1], files[2]


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    name, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (subject, issuer))
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if not is_authority:
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        builder = builder.add_extension(address, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
