"""Private keys in PEM, OpenSSH, PGP and PuTTY form.

What it is: the private half of a key pair: PKCS#1 (RSA), SEC1 (EC), DSA, PKCS#8, OpenSSH's own format, an OpenPGP private
  key block, or a PuTTY .ppk file; in a file, or as one line with `\\n` escapes or in base64 in an environment variable or JSON.
Where it is used: ssh logins and deploy keys, TLS servers, code and package signing, JWT issuers, service accounts.
What an attacker can do: log in, impersonate the server, sign releases or tokens, as whoever the key stands for. A key that
  is encrypted with a passphrase can only be attacked by guessing, so it is a kind of its own and rated lower.
How to replace it: make a new pair, put the new public key beside the old one, switch, then take the old public key out of
  authorized_keys, revoke the certificate or publish the revocation certificate.
References: https://datatracker.ietf.org/doc/html/rfc5958  https://datatracker.ietf.org/doc/html/rfc4880
  https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Parts, Rule, Signal, structure
from keyward.plugin.checksums import crc24, decode_base64
from keyward.plugin.shapes import Shape, assigned, b64, concat, hexa, part, raw, text
from keyward.plugin.verifier import Case, Verdict

from ._ssh_login import verify_login

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

PEM = Kind("private-key/pem")
PEM_ENCRYPTED = Kind("private-key/pem-encrypted")
PGP = Kind("private-key/pgp")
PUTTY = Kind("private-key/putty")
PUTTY_ENCRYPTED = Kind("private-key/putty-encrypted")

_ESCAPES = re.compile(rb"\\+[nrt]|&#(?:10|13|x[0-9aAdD]);|%0[aAdD]|\\u000[ad]")
_LINES = re.compile(rb"-----(?:BEGIN|END)[A-Z0-9 ]{1,40}-----")
_HEADERS = re.compile(
    rb"Proc-Type\s?:\s?4,\s?ENCRYPTED|DEK-Info\s?:\s?[A-Z0-9-]{3,24},[0-9A-Fa-f]{8,64}|(?:Version|Comment|Charset|Hash|MessageID)\s?:[^\r\n]{0,200}"
)
_JOINED = re.compile(rb"[\"'`]\s*[+.]\s*(?=[\"'`]|\Z)")
_BLOCK = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY.{20,}?-----END [A-Z0-9 ]{0,30}PRIVATE KEY", re.DOTALL)
_DATA = re.compile(rb"[^A-Za-z0-9+/=]")
_MAGIC = b"openssh-key-v1\0"


def _plain(value: bytes) -> bytes:
    """The block's own text, if the whole block was encoded in base64 once more."""
    if value.startswith(b"LS0t"):
        text = base64.b64decode(_DATA.sub(b"", value).rstrip(b"=") + b"==")
        block = _BLOCK.search(text)
        return block.group() + b"-----" if block else text
    return value


def body_of(value: bytes) -> bytes:
    """The base64 data of a block: no header lines, no line ends, no escapes, no quotes, no checksum line of armour."""
    data = _ESCAPES.sub(b"\n", _LINES.sub(b"\n", _plain(value)))
    data = _DATA.sub(b"", _JOINED.sub(b"", _HEADERS.sub(b"\n", data)))
    end = data.find(b"=")
    return data if end < 0 else data[: end + len(data[end:]) - len(data[end:].lstrip(b"="))]


def canonical(value: bytes) -> bytes:
    """One form for a key in a file, in JSON, in a variable: its base64 data alone, without padding."""
    return body_of(value).rstrip(b"=")


def _decoded(value: bytes) -> bytes:
    body = canonical(value)
    return decode_base64(body[: len(body) - (len(body) % 4 == 1)]) or b""


def _der_length(data: bytes) -> int | None:
    """The length that a DER SEQUENCE at the start says it has, header included."""
    if len(data) < 4 or data[0] != 0x30:
        return None
    if data[1] < 0x80:
        return data[1] + 2
    count = data[1] & 0x7F
    return int.from_bytes(data[2 : 2 + count], "big") + 2 + count if 1 <= count <= 3 else None


def _openssh_cipher(data: bytes) -> str:
    if not data.startswith(_MAGIC):
        return ""
    length = int.from_bytes(data[15:19], "big")
    return data[19 : 19 + length].decode("ascii", "replace") if 0 < length < 40 else ""


def _check(parts: Parts) -> Signal | None:
    data = _decoded(parts["secret"])
    if data.startswith(_MAGIC):
        cipher = _openssh_cipher(data)
        if cipher != "none":
            return Signal("passphrase", -45, f"encrypted with a passphrase ({cipher})")
        return structure(len(data) > 120, "an OpenSSH key without passphrase")
    plain = _plain(parts["secret"])
    if b"PRIVATE KEY" not in plain:
        return Signal("structure", -60, "no private key inside")
    if b"PGP PRIVATE KEY" in plain:
        return _check_pgp(parts)
    if b"ENCRYPTED" in plain[:400]:
        return Signal("passphrase", -45, "encrypted with a passphrase")
    length = _der_length(data)
    return structure(length is not None and abs(length - len(data)) <= 2, "a DER private key")


def _describe(parts: Parts) -> Mapping[str, str]:
    value = _plain(parts["secret"])
    label = re.search(rb"BEGIN ([A-Z0-9 ]{0,30}?) ?PRIVATE KEY", value)
    data = _decoded(value)
    facts = {"form": label.group(1).decode() if label and label.group(1) else "PKCS#8"}
    if data.startswith(_MAGIC):
        at = data.find(b"ssh-", len(_MAGIC))
        if at > 0:
            facts["algorithm"] = re.split(rb"[^a-z0-9-]", data[at : at + 20])[0].decode("ascii")
    return facts


def _pgp_unlocked(data: bytes) -> bool | None:
    """Whether the first secret-key packet is in clear: its S2K usage byte, after the public part (RFC 4880, 5.5.3)."""
    if len(data) < 20 or not data[0] & 0x80:
        return None
    if data[0] & 0x40:
        at = 2 if data[1] < 192 else 3 if data[1] < 224 else 6
        tag = data[0] & 0x3F
    else:
        at, tag = 1 + (1, 2, 4, 0)[data[0] & 3], (data[0] >> 2) & 15
    if tag not in (5, 7) or data[at] not in (4, 5):
        return None
    version, algorithm = data[at], data[at + 5]
    at += 6 + (4 if version == 5 else 0)
    if algorithm in (18, 19, 22):
        at += 1 + data[at]
        numbers = 1
    else:
        numbers = {1: 2, 2: 2, 3: 2, 16: 3, 17: 4}.get(algorithm, 0)
        if not numbers:
            return None
    for _ in range(numbers):
        at += 2 + (int.from_bytes(data[at : at + 2], "big") + 7) // 8
    if algorithm == 18:
        at += 1 + data[at]
    return data[at] == 0


def _check_pgp(parts: Parts) -> Signal | None:
    unlocked = _pgp_unlocked(_decoded(parts["secret"]))
    if unlocked is None:
        return structure(False, "an OpenPGP secret key")
    return structure(True, "an OpenPGP key without passphrase") if unlocked else Signal("passphrase", -40, "encrypted with a passphrase")


_STEPS = (
    "Create a new key pair; keep the private half out of files that are committed.",
    "Install the new public key or certificate next to the old one, and switch what uses it.",
    "Take the old public key out of authorized_keys and forges, or revoke its certificate at the authority that signed it.",
)
_MANUAL = Manual(_STEPS, "https://docs.github.com/en/authentication/connecting-to-github-with-ssh/reviewing-your-ssh-keys")
_PGP_MANUAL = Manual(
    ("Publish the key's revocation certificate to the key servers.", "Create a new key and sign with it from now on.", "Tell those who trust the old one."),
    "https://www.gnupg.org/gph/en/manual/c235.html",
)
_PEM_REFERENCES = ("https://datatracker.ietf.org/doc/html/rfc5958", "https://datatracker.ietf.org/doc/html/rfc1421")

KINDS = (
    CredentialKind(PEM, "Private key", "critical", describe=_describe, canonical=canonical, manual=_MANUAL, references=_PEM_REFERENCES, rotates=True),
    CredentialKind(PEM_ENCRYPTED, "Private key, encrypted with a passphrase", "low", canonical=canonical, manual=_MANUAL, references=_PEM_REFERENCES, rotates=True),
    CredentialKind(PGP, "PGP private key", "critical", canonical=canonical, manual=_PGP_MANUAL,
                   references=("https://datatracker.ietf.org/doc/html/rfc4880",)),
    CredentialKind(PUTTY, "PuTTY private key", "critical", canonical=canonical, manual=_MANUAL,
                   references=("https://tartarus.org/~simon/putty-snapshots/htmldoc/AppendixC.html",)),
    CredentialKind(PUTTY_ENCRYPTED, "PuTTY private key, encrypted with a passphrase", "low", canonical=canonical, manual=_MANUAL,
                   references=("https://tartarus.org/~simon/putty-snapshots/htmldoc/AppendixC.html",)),
)  # fmt: skip

_CHARS = rb"A-Za-z0-9+/=\s\\\"'`,;#*|>&()%:"
_END = rb"-----END (?:[A-Z0-9]{1,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----"


def _wrapped(body: bytes, width: int = 64) -> bytes:
    return b"\n".join(body[at : at + width] for at in range(0, len(body), width))


def pem(label: str, kind: str = "der", headers: bytes = b"") -> Shape:
    """A well-formed block with random contents: `der` (a SEQUENCE of the right length), or an OpenSSH key with this cipher."""

    def build(content: bytes) -> bytes:
        if kind == "der":
            data = b"\x30\x82" + (len(content) + 3).to_bytes(2, "big") + b"\x02\x01\x00" + content
        else:
            cipher = kind.encode()
            data = _MAGIC + len(cipher).to_bytes(4, "big") + cipher + content
        armoured = _wrapped(base64.b64encode(data))
        return b"-----BEGIN %s-----\n%s%s\n-----END %s-----" % (label.encode(), headers, armoured, label.encode())

    return raw(600).map(build)


def _escaped(block: bytes) -> bytes:
    return block.replace(b"\n", b"\\n") + b"\\n"


def _indented(block: bytes) -> bytes:
    return block.replace(b"\n", b"\n      ")


def _pgp(usage: int) -> Shape:
    def build(content: bytes) -> bytes:
        numbers = (2048).to_bytes(2, "big") + b"\xc5" + content[:255] + (17).to_bytes(2, "big") + b"\x01\x00\x01"
        packet = b"\x04" + content[255:259] + b"\x01" + numbers + bytes([usage]) + content[259:]
        data = b"\x95" + len(packet).to_bytes(2, "big") + packet
        check = base64.b64encode(crc24(data).to_bytes(3, "big"))
        return b"-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n%s\n=%s\n-----END PGP PRIVATE KEY BLOCK-----" % (
            _wrapped(base64.b64encode(data)), check,
        )  # fmt: skip

    return raw(700).map(build)


def _ppk(encryption: str, version: int = 3) -> Shape:
    return concat(
        f"PuTTY-User-Key-File-{version}: ssh-ed25519\nEncryption: {encryption}\nComment: deploy\nPublic-Lines: 2\n",
        b64(64), "\n", b64(40), "\n",
        "Key-Derivation: Argon2id\nArgon2-Memory: 8192\n" if encryption != "none" else "",
        "Private-Lines: 1\n", part("secret", b64(48)), "\nPrivate-MAC: ", hexa(64), "\n",
    )  # fmt: skip


def _base64_starts() -> bytes:
    """How a block begins that is encoded in base64 once more."""
    labels = (b"-----BEGIN PRIVATE KEY", b"-----BEGIN RSA PRIVATE KEY", b"-----BEGIN EC PRIVATE KEY-", b"-----BEGIN OPENSSH PRIVATE K",
              b"-----BEGIN DSA PRIVATE KEY", b"-----BEGIN PGP PRIVATE KEY", b"-----BEGIN EC PARAMETERS")  # fmt: skip
    starts = [base64.b64encode(label[: len(label) // 3 * 3])[len("LS0tLS1CRUdJTi") :] for label in labels]
    return rb"LS0tLS1CRUdJTi(?:" + b"|".join(re.escape(start) for start in starts) + rb")"


_ENCRYPTED_HEADERS = b"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00AA11BB22CC33DD44EE55FF66007788\n\n"
_KEY, _OPENSSH = pem("RSA PRIVATE KEY"), pem("OPENSSH PRIVATE KEY", "none")

RULES = (
    Rule(
        "private-key/pem",
        PEM,
        rb"(?P<secret>-----BEGIN (?:(?:RSA|EC|DSA|OPENSSH|ED25519|SSH2|ANY) )?PRIVATE KEY-----(?:[" + _CHARS + rb"]{1,400}(?:Version|Comment): )?["
        + _CHARS + rb"]{60,11000}" + _END + rb")",
        anchor=rb"BEGIN (?:(?:RSA|EC|DSA|OPENSSH|ED25519|SSH2|ANY) )?PRIVATE KEY-----",
        specificity=STRUCTURAL,
        score=80,
        window=12000,
        check=_check,
        examples=(
            concat(part("secret", _KEY), "\n"),
            concat(part("secret", pem("PRIVATE KEY")), "\n"),
            concat(part("secret", _OPENSSH), "\n"),
            concat('{"private_key": "', part("secret", pem("PRIVATE KEY").map(_escaped).map(lambda t: t[:-2])), '\\n"}\n'),
            concat('SSH_PRIVATE_KEY="', part("secret", _OPENSSH.map(_escaped).map(lambda t: t[:-2])), '"\n'),
            concat("  key: |\n      ", part("secret", pem("EC PRIVATE KEY").map(_indented)), "\n"),
        ),
        near_misses=(
            concat(pem("PUBLIC KEY"), "\n"),
            concat(pem("CERTIFICATE"), "\n"),
            text("-----BEGIN RSA PRIVATE KEY-----\n", b64(64), "\n...\n", b64(64), "\n-----END RSA PRIVATE KEY-----\n"),
            text("-----BEGIN RSA PRIVATE KEY-----\n<your key>\n-----END RSA PRIVATE KEY-----\n"),
            text("if text.startswith('-----BEGIN PRIVATE KEY-----'):\n"),
            concat(pem("OPENSSH PRIVATE KEY", "aes256-ctr"), "\n"),
        ),
    ),
    Rule(
        "private-key/pem-base64",
        PEM,
        rb"(?<![A-Za-z0-9+/])(?P<secret>" + _base64_starts() + rb"[A-Za-z0-9+/]{120,15000}={0,2})(?![A-Za-z0-9+/])",
        anchor=_base64_starts(),
        specificity=STRUCTURAL,
        score=80,
        window=16000,
        check=_check,
        examples=(
            assigned("SSH_KEY_B64", _OPENSSH.map(base64.b64encode)),
            assigned("TLS_KEY", _KEY.map(base64.b64encode), form='{name}: "{value}"\n'),
            assigned("tls.key", pem("PRIVATE KEY").map(base64.b64encode), form="  {name}: {value}\n"),
        ),
        near_misses=(
            assigned("TLS_CERT", pem("CERTIFICATE").map(base64.b64encode)),
            assigned("TLS_PUB", pem("PUBLIC KEY").map(base64.b64encode)),
            assigned("TLS_KEY", text("-----BEGIN PRIVATE KEY-----\nkey\n").map(base64.b64encode)),
        ),
    ),
    Rule(
        "private-key/pem-encrypted",
        PEM_ENCRYPTED,
        rb"(?P<secret>-----BEGIN (?:ENCRYPTED (?:SIGSTORE |COSIGN )?PRIVATE KEY-----|(?:RSA|EC|DSA) PRIVATE KEY-----[\\nr\s\"'+]{1,40}Proc-Type: ?4,ENCRYPTED[\\nr\s\"'+]{1,40}"
        rb"DEK-Info: ?[A-Z0-9-]{4,24},[0-9A-Fa-f]{8,64})[" + _CHARS + rb"]{80,11000}" + _END.replace(rb"{0,2}", rb"{0,3}") + rb")",
        anchor=rb"BEGIN (?:ENCRYPTED (?:SIGSTORE |COSIGN )?PRIVATE KEY-----|(?:RSA|EC|DSA) PRIVATE KEY-----[\\nr\s\"'+]{1,40}Proc-Type)",
        specificity=STRUCTURAL,
        score=40,
        window=12000,
        examples=(
            concat(part("secret", pem("ENCRYPTED PRIVATE KEY")), "\n"),
            concat(part("secret", pem("RSA PRIVATE KEY", headers=_ENCRYPTED_HEADERS)), "\n"),
            concat('KEY="', part("secret", pem("ENCRYPTED PRIVATE KEY").map(lambda t: t.replace(b"\n", b"\\n"))), '"\n'),
        ),
        near_misses=(
            concat(pem("ENCRYPTED PUBLIC KEY"), "\n"),
            text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n...\n-----END ENCRYPTED PRIVATE KEY-----\n"),
            concat(pem("RSA PUBLIC KEY", headers=_ENCRYPTED_HEADERS), "\n"),
        ),
    ),
    Rule(
        "private-key/pgp",
        PGP,
        rb"(?P<secret>-----BEGIN PGP PRIVATE KEY BLOCK-----(?:[\\nr\s]{1,8}(?:Version|Comment|Charset): ?[^\r\n\\-]{1,120}){0,3}["
        + _CHARS + rb"]{100,40000}-----END PGP PRIVATE KEY BLOCK-----)",
        anchor=rb"BEGIN PGP PRIVATE KEY BLOCK-----",
        specificity=STRUCTURAL,
        score=80,
        window=42000,
        check=_check_pgp,
        examples=(
            concat(part("secret", _pgp(0)), "\n"),
            concat('GPG_PRIVATE_KEY="', part("secret", _pgp(0).map(lambda t: t.replace(b"\n", b"\\n"))), '"\n'),
            concat("signingKey: |\n      ", part("secret", _pgp(0).map(_indented)), "\n"),
        ),
        near_misses=(
            concat(_pgp(254), "\n"),
            concat(_pgp(0).map(lambda t: t.replace(b"PRIVATE", b"PUBLIC")), "\n"),
            text("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n", b64(64), "\n...\n-----END PGP PRIVATE KEY BLOCK-----\n"),
        ),
    ),
    *(
        Rule(
            str(kind),
            kind,
            rb"PuTTY-User-Key-File-[23]: [^\r\n]{3,40}\r?\nEncryption: " + cipher + rb"\r?\nComment: [^\r\n]{0,200}\r?\nPublic-Lines: \d{1,3}\r?\n"
            rb"[A-Za-z0-9+/=\r\n]{20,1600}(?:Key-Derivation[^\r\n]{0,60}\r?\n(?:Argon2-[^\r\n]{1,80}\r?\n){0,5})?Private-Lines: \d{1,3}\r?\n"
            rb"(?P<secret>[A-Za-z0-9+/=\r\n]{20,3600}[A-Za-z0-9+/=])\r?\nPrivate-MAC: [0-9a-f]{40,64}",
            anchor=rb"PuTTY-User-Key-File-[23]: [^\r\n]{3,40}\r?\nEncryption: " + cipher,
            specificity=STRUCTURAL,
            score=score,
            window=5600,
            examples=(_ppk(sample), _ppk(sample, 2), concat("# deploy.ppk\n", _ppk(sample))),
            near_misses=(
                _ppk("aes256-cbc" if sample == "none" else "none"),
                text("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: x\nPublic-Lines: 2\n", b64(64), "\n", b64(40), "\n"),
                text("PuTTY-User-Key-File-9: ssh-rsa\nEncryption: ", sample, "\n"),
            ),
        )
        for kind, cipher, sample, score in ((PUTTY, rb"none", "none", 85), (PUTTY_ENCRYPTED, rb"aes256-cbc", "aes256-cbc", 40))
    ),
)  # fmt: skip

HOSTS: tuple[str, ...] = ()
"""None: a host of one's own, which the lane's target names."""

VERIFIES = (PEM, PEM_ENCRYPTED)

CASES: tuple[Case, ...] = ()
"""A login is not HTTP: the verdicts are tested against a real server."""


def block_of(value: bytes) -> bytes:
    """The block as a file has it: without the escapes, quotes and indentation of the text in which it was found."""
    plain = _plain(value)
    label = re.search(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----", plain)
    name = label.group(1) if label else b"PRIVATE KEY"
    lines = _ESCAPES.sub(b"\n", plain)
    kept = [m.group() for m in re.finditer(rb"Proc-Type: ?4, ?ENCRYPTED|DEK-Info: ?[A-Z0-9-]{3,24},[0-9A-Fa-f]{8,64}", lines)]
    headers = b"\n".join([*kept, b"", b""]) if kept else b""
    return b"-----BEGIN %s-----\n%s%s\n-----END %s-----\n" % (name, headers, _wrapped(body_of(value)), name)


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Whether the key lets `target.user` in at an SSH host. What else a key may be good for (TLS, signing) cannot be asked."""
    return verify_login(credential, block_of(credential.parts["secret"].reveal()), target, ports)
