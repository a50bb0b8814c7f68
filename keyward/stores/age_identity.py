"""Who can open an age-encrypted store: one X25519 identity, itself sealed by what the operator has.

The identity is made once and lies sealed beside the store (`FILE.identity`); the store is encrypted to its recipient. So the
slow key derivation of a passphrase (about a second) is paid once a process and not at every write, and a passphrase can be
changed by sealing the identity anew. The recipient stands nowhere in the clear, so that nobody else can write a store that
this identity would open.

Facts: https://age-encryption.org/v1 (stanzas, scrypt work factor, SSH keys ed25519 and RSA only);
https://www.freedesktop.org/software/systemd/man/latest/systemd-creds.html (`encrypt --name=NAME - -`, `decrypt --name=NAME - -`).
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from typing import Any, Protocol

from keyward.errors import ConfigError, MissingExtra, StoreDenied, StoreUnavailable
from keyward.model.secret import Secret

CREDENTIAL = "keyward-agefile"
"""Name under which systemd-creds seals the identity."""

SYSTEMD_TIMEOUT = 30.0


def age() -> Any:
    """The library. Raises MissingExtra."""
    try:
        import pyrage  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtra("pyrage", "local") from None
    return pyrage


class Seal(Protocol):
    """What protects an identity. `open` raises StoreDenied where this is not what it was sealed with."""

    kind: str

    def close(self, identity: Secret) -> bytes:
        """The sealed form."""
        ...

    def open(self, sealed: bytes) -> Secret: ...


class Identity:
    """An identity and its recipient, opened at most once for each sealed form that it meets."""

    def __init__(self, seal: Seal) -> None:
        self.seal = seal
        self._lock = threading.Lock()
        self._sealed = b""
        self._opened: Any = None

    def __repr__(self) -> str:
        return f"Identity({self.seal.kind})"

    def make(self) -> bytes:
        """A new identity, sealed; it is the opened one from now on."""
        library = age()
        with self._lock:
            made = library.x25519.Identity.generate()
            self._sealed, self._opened = self.seal.close(Secret(str(made).encode())), made
            return self._sealed

    def decrypt(self, sealed: bytes, data: bytes) -> bytes:
        """What was encrypted to the identity. Raises StoreUnavailable for data that it does not open."""
        library, opened = age(), self._open(sealed)
        try:
            return bytes(library.decrypt(data, [opened]))
        except library.DecryptError:
            pass
        raise StoreUnavailable("the store cannot be decrypted: it is damaged, or its identity is another one", certain=True)

    def encrypt(self, sealed: bytes, data: bytes) -> bytes:
        """The data, encrypted to the identity's recipient."""
        return bytes(age().encrypt(data, [self._open(sealed).to_public()]))

    def _open(self, sealed: bytes) -> Any:
        library = age()
        with self._lock:
            if self._opened is None or self._sealed != sealed:
                text = self.seal.open(sealed).reveal().decode("ascii", "replace").strip()
                self._opened = _parsed(library, text)
                self._sealed = sealed
            return self._opened


def _parsed(library: Any, text: str) -> Any:
    try:
        return library.x25519.Identity.from_str(text)
    except library.IdentityError:
        pass  # its text quotes the identity
    raise StoreUnavailable("the identity file does not hold an age identity", certain=True)


class PassphraseSeal:
    """Sealed by a passphrase. `ask` hands it in: a prompt, or a reference that the caller resolves; called when needed only."""

    kind = "passphrase"

    def __init__(self, ask: Callable[[], Secret]) -> None:
        self._ask = ask

    def close(self, identity: Secret) -> bytes:
        return bytes(age().passphrase.encrypt(identity.reveal(), self._passphrase()))

    def open(self, sealed: bytes) -> Secret:
        library = age()
        passphrase = self._passphrase()
        try:
            return Secret(library.passphrase.decrypt(sealed, passphrase))
        except library.DecryptError:
            pass
        raise StoreDenied("the passphrase does not open this store", hint="Give the one that it was made with.")

    def _passphrase(self) -> str:
        text = self._ask().reveal().decode("utf-8", "surrogateescape")
        if not text.strip():
            raise StoreDenied("the passphrase is empty", hint="Give one: without it the store would be open to anybody.")
        return text


class SshSeal:
    """Sealed to an SSH key (ed25519 or RSA, without a passphrase of its own) whose public half lies beside it as `.pub`."""

    kind = "ssh"

    def __init__(self, key_file: str) -> None:
        self._file = os.path.expanduser(key_file)

    def close(self, identity: Secret) -> bytes:
        library = age()
        text = _read(self._file + ".pub").decode("utf-8", "replace").strip()
        self._private()  # a store that cannot be opened again must not be made
        try:
            recipient = library.ssh.Recipient.from_str(text)
        except library.RecipientError:
            recipient = None
        if recipient is None:
            raise ConfigError("age cannot encrypt to this SSH key", path=self._file + ".pub", hint="Use an ed25519 or RSA key.")
        return bytes(library.encrypt(identity.reveal(), [recipient]))

    def open(self, sealed: bytes) -> Secret:
        library, private = age(), self._private()
        try:
            return Secret(library.decrypt(sealed, [private]))
        except library.DecryptError:
            pass
        raise StoreDenied("the SSH key does not open this store", hint="Name the key that it was made with.")

    def _private(self) -> Any:
        library = age()
        try:
            return library.ssh.Identity.from_buffer(_read(self._file))
        except library.IdentityError:
            pass
        raise ConfigError(
            "age cannot use this SSH key",
            path=self._file,
            hint="It must be an ed25519 or RSA key without a passphrase; else protect the store by a passphrase.",
        )


class SystemdSeal:
    """Sealed by systemd-creds: to this machine (its TPM or host key). A service that has it as `LoadCredential` or
    `LoadCredentialEncrypted` finds it in `$CREDENTIALS_DIRECTORY`, which `directory` names."""

    kind = "systemd-creds"

    def __init__(self, name: str = CREDENTIAL, *, directory: str = "", program: str = "systemd-creds") -> None:
        self._name, self._directory, self._program = name, directory, program

    def close(self, identity: Secret) -> bytes:
        return self._run("encrypt", identity.reveal())

    def open(self, sealed: bytes) -> Secret:
        handed_in = os.path.join(self._directory, self._name) if self._directory else ""
        if handed_in and os.path.isfile(handed_in):
            return Secret(_read(handed_in))
        return Secret(self._run("decrypt", sealed))

    def _run(self, action: str, data: bytes) -> bytes:
        command = [self._program, action, f"--name={self._name}", "-", "-"]
        try:
            done = subprocess.run(
                command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=SYSTEMD_TIMEOUT, check=False
            )
        except FileNotFoundError:
            done = None
        except (OSError, subprocess.TimeoutExpired):
            raise StoreUnavailable(f"{self._program} {action} did not answer", certain=True) from None
        if done is None:
            hint = "Install systemd 250 or later, or protect the store by a passphrase."
            raise StoreUnavailable(f"{self._program} is not installed", certain=True, hint=hint)
        if done.returncode or not done.stdout:
            raise StoreDenied(
                f"{self._program} {action} failed with status {done.returncode}",
                hint="It needs root or a credential handed in by the service manager, on the machine that sealed it.",
            )
        return done.stdout


class PlainSeal:
    """No protection but the file's mode. Only where the operator says so (`insecure_identity = true`)."""

    kind = "insecure"

    def close(self, identity: Secret) -> bytes:
        return identity.reveal() + b"\n"

    def open(self, sealed: bytes) -> Secret:
        return Secret(sealed)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 20)
    except OSError as error:
        raise ConfigError(f"this file cannot be read: {error.strerror}", path=path) from None
