"""One login to a PostgreSQL server, down to the SQLSTATE of its refusal.

libpq does not tell the SQLSTATE of a refused login, and its message comes in the server's language; "wrong password" (28P01) and "no entry in
pg_hba.conf" (28000) must not be mixed up. So this module speaks the few messages of a login itself: start-up, TLS, SCRAM-SHA-256, MD5, and a clear
password over TLS or loopback only.

References: https://www.postgresql.org/docs/current/protocol-flow.html  https://www.postgresql.org/docs/current/sasl-authentication.html
  https://datatracker.ietf.org/doc/html/rfc5802  https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, NamedTuple

from keyward.plugin.transport import is_loopback
from keyward.plugin.verifier import Dead, Live, Restricted, Unknown, Verdict

from ._logins import TIMEOUT, NoTls, first_alive, login_evidence, spellings, tls_context, tls_mode

if TYPE_CHECKING:
    import socket

    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

_PROTOCOL, _TLS_REQUEST = 196608, 80877103
_MOST_MESSAGE = 1 << 16
_MOST_ITERATIONS = 1 << 20
_QUERY = b"SELECT r.rolsuper::int FROM pg_catalog.pg_roles r WHERE r.rolname = session_user"
_OK, _CLEAR, _MD5, _SASL, _SASL_CONTINUE, _SASL_FINAL = 0, 3, 5, 10, 11, 12


class _Session(NamedTuple):
    """How a login ended. `code`: SQLSTATE of the refusal (empty: a session was opened); `routine`: where in the server it came from.
    `asked`: whether a password was asked for. `superuser`: of an opened session."""

    code: str
    routine: str = ""
    asked: bool = True
    superuser: bool = False


class _Strange(Exception):
    """The server said something that is not expected."""


def verify_login(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Logs in with user and password; changes nothing. The user is the credential's own, else the target's."""
    user = credential.text("user") or target.user
    host, port = ports.tcp(target.host, target.port)
    if not user:
        return Unknown("the credential names no user: set target.user")

    def ask(password: bytes) -> Verdict:
        try:
            mode = tls_mode(target)
            session = ports.call("postgresql login", host, lambda: _login(target, mode, user, password), changes=False)
        except NoTls as error:
            return Unknown(str(error))
        except _Strange as error:
            return Unknown(f"{host}:{port} does not answer as PostgreSQL does: {error}")
        except OSError as error:
            return Unknown(f"cannot reach {host}:{port}: {type(error).__name__}")
        return _verdict(session, target, ports, user)

    return first_alive(spellings(credential.parts["secret"].reveal()), ask)


def _verdict(session: _Session, target: Target, ports: Ports, user: str) -> Verdict:
    proof = login_evidence("login", target, ports, session.code or "00000", user)
    if session.code in ("53300", "57P03", "57P01", "57P02"):
        return Unknown(f"the server takes no session now ({session.code})", 1.0)
    if not session.asked and session.code:
        return Unknown(f"the server refused before it asked for the password ({session.code}): look at its pg_hba.conf")
    if not session.asked:
        return Unknown("the server lets this address in without a password, so that it does not say whether it is the right one")
    if not session.code:
        return Live(proof, user, ("superuser",) if session.superuser else ())
    if session.code == "28P01":
        return Dead(proof)
    # what follows comes after the password was found right
    if session.code == "28000" and session.routine == "InitializeSessionUserId":
        return Restricted(proof, "the role may not log in (NOLOGIN)")
    if session.code in ("3D000", "42501"):
        return Restricted(proof, "the role may not use this database")
    return Unknown(f"the server refused the session for another reason ({session.code})")


def _login(target: Target, mode: str, user: str, password: bytes) -> _Session:
    import socket

    with socket.create_connection((target.host, target.port), TIMEOUT) as plain:
        plain.settimeout(TIMEOUT)
        line = _protected(plain, target, mode)
        with line:
            names = (b"user", user.encode(), b"database", (target.database or "postgres").encode(), b"application_name", b"keyward")
            _send(line, b"", _PROTOCOL.to_bytes(4, "big") + b"".join(name + b"\0" for name in names) + b"\0")
            private = line is not plain or is_loopback(target.host)
            return _Dialogue(line, user.encode(), password, private).run()


def _protected(plain: socket.socket, target: Target, mode: str) -> socket.socket:
    import ssl

    if mode == "disable":
        return plain
    _send(plain, b"", _TLS_REQUEST.to_bytes(4, "big"))
    answer = _receive(plain, 1)
    if answer == b"S":
        try:
            return tls_context(target, mode).wrap_socket(plain, server_hostname=target.host)
        except ssl.SSLError as error:
            raise NoTls(f"the server's TLS is not accepted: {error.reason or type(error).__name__}") from None
    if answer != b"N":
        raise _Strange("no answer to the request for TLS")
    if mode != "prefer":
        raise NoTls("the server offers no TLS")
    return plain


class _Dialogue:
    """The messages after the start-up message, up to the answer of one harmless query."""

    def __init__(self, line: socket.socket, user: bytes, password: bytes, private: bool) -> None:
        self._line, self._user, self._password, self._private = line, user, password, private
        self._scram: _Scram | None = None

    def run(self) -> _Session:
        asked = self._authenticate()
        if isinstance(asked, _Session):
            return asked
        _send(self._line, b"Q", _QUERY + b"\0")
        superuser = False
        while True:
            kind, body = _message(self._line)
            if kind == b"D":
                superuser = body.endswith(b"1")
            elif kind == b"Z":
                _send(self._line, b"X", b"")
                return _Session("", asked=asked, superuser=superuser)

    def _authenticate(self) -> bool | _Session:
        """Whether a password was asked for, once the server is ready for queries; or how it refused."""
        asked = False
        while True:
            kind, body = _message(self._line)
            if kind == b"E":
                fields = {piece[:1]: piece[1:].decode("utf-8", "replace") for piece in body.split(b"\0") if piece}
                return _Session(fields.get(b"C", "?")[:5], fields.get(b"R", ""), asked)
            if kind == b"R":
                asked = self._answer(int.from_bytes(body[:4], "big"), body[4:]) or asked
            elif kind == b"Z":
                return asked

    def _answer(self, method: int, data: bytes) -> bool:
        """Answers one request for authentication; whether it asked for the password."""
        from hashlib import md5

        if method == _OK:
            if self._scram is not None and not self._scram.proved:
                raise _Strange("it did not prove that it knows the password")
            return False
        if method == _CLEAR:
            if not self._private:
                raise NoTls("the server asks for the clear password without TLS")
            _send(self._line, b"p", self._password + b"\0")
        elif method == _MD5:
            inner = md5(self._password + self._user, usedforsecurity=False).hexdigest().encode()
            _send(self._line, b"p", b"md5" + md5(inner + data[:4], usedforsecurity=False).hexdigest().encode() + b"\0")
        elif method == _SASL and b"SCRAM-SHA-256" in data.split(b"\0"):
            self._scram = _Scram(self._password)
            first = self._scram.first
            _send(self._line, b"p", b"SCRAM-SHA-256\0" + len(first).to_bytes(4, "big") + first)
        elif method == _SASL_CONTINUE and self._scram:
            _send(self._line, b"p", self._scram.final(data))
        elif method == _SASL_FINAL and self._scram:
            self._scram.check(data)
        else:
            raise _Strange(f"it asks for authentication of type {method}")
        return True


class _Scram:
    """The client's side of SCRAM-SHA-256 without channel binding. The password itself is never sent."""

    def __init__(self, password: bytes) -> None:
        import secrets

        self._password = prepared(password)
        self._bare = b"n=,r=" + b64encode(secrets.token_bytes(18))
        self.first = b"n,," + self._bare
        self._signature = b""
        self.proved = False

    def final(self, server_first: bytes) -> bytes:
        from hashlib import pbkdf2_hmac, sha256
        from hmac import digest

        try:
            nonce, salt, count = (piece[2:] for piece in server_first.split(b",")[:3])
            iterations = int(count)
            salted = pbkdf2_hmac("sha256", self._password, b64decode(salt), min(iterations, _MOST_ITERATIONS))
        except ValueError:
            raise _Strange("a SCRAM message that means nothing") from None
        if not nonce.startswith(self._bare[5:]) or not 0 < iterations <= _MOST_ITERATIONS:
            raise _Strange("a SCRAM message that does not fit")
        without_proof = b"c=biws,r=" + nonce
        auth = self._bare + b"," + server_first + b"," + without_proof
        client_key = digest(salted, b"Client Key", "sha256")
        signature = digest(sha256(client_key).digest(), auth, "sha256")
        self._signature = digest(digest(salted, b"Server Key", "sha256"), auth, "sha256")
        return without_proof + b",p=" + b64encode(bytes(a ^ b for a, b in zip(client_key, signature)))

    def check(self, server_final: bytes) -> None:
        from hmac import compare_digest

        if not compare_digest(server_final, b"v=" + b64encode(self._signature)):
            raise _Strange("it does not know the password itself")
        self.proved = True


def prepared(password: bytes) -> bytes:
    """SASLprep as PostgreSQL does it: what cannot be prepared is taken as it is (RFC 4013)."""
    if password.isascii():
        return password
    import stringprep
    import unicodedata

    try:
        text = password.decode()
    except UnicodeDecodeError:
        return password
    mapped = "".join(" " if stringprep.in_table_c12(c) else c for c in text if not stringprep.in_table_b1(c))
    text = unicodedata.normalize("NFKC", mapped)
    tables = (stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4, stringprep.in_table_c5,
              stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8, stringprep.in_table_c9, stringprep.in_table_a1)  # fmt: skip
    if not text or any(table(c) for c in text for table in tables) or not _directions_fit(text):
        return password
    return text.encode()


def _directions_fit(text: str) -> bool:
    """RFC 3454, section 6: text that holds a right-to-left character holds no left-to-right one, and begins and ends with such."""
    import stringprep

    if not any(stringprep.in_table_d1(c) for c in text):
        return True
    return stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1]) and not any(stringprep.in_table_d2(c) for c in text)


def _send(line: socket.socket, kind: bytes, body: bytes) -> None:
    line.sendall(kind + (len(body) + 4).to_bytes(4, "big") + body)


def _message(line: socket.socket) -> tuple[bytes, bytes]:
    head = _receive(line, 5)
    length = int.from_bytes(head[1:], "big") - 4
    if not 0 <= length <= _MOST_MESSAGE:
        raise _Strange("a message of an impossible length")
    return head[:1], _receive(line, length)


def _receive(line: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = line.recv(count - len(data))
        if not piece:
            raise ConnectionResetError
        data += piece
    return data
