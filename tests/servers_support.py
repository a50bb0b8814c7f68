"""What the tests with real servers share: starting one or saying why not, a fence that remembers, and a job."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from keyward.errors import KeywardError
from keyward.model.credential import NO_PARTS, Credential, SecretParts, Target
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.model.verdict import Verdict
from keyward.plugin.clock import Clock
from keyward.plugin.ports import Call, Ports
from keyward.plugin.rotator import Job, Rotator
from keyward.testing.servers.process import ServerMissing

MARK = "keyward:r20261122-031500-abcdef"


@contextmanager
def started(server: Any) -> Iterator[Any]:
    """A running server. A missing one skips the test by name, and fails it in CI."""
    try:
        running = server.__enter__()
    except ServerMissing as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    try:
        yield running
    finally:
        server.__exit__(None, None, None)


class Watch:
    """A fence that remembers every call. `stop`: raised before the first call with this name, once."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.outcomes: list[str] = []
        self.before_call: dict[str, Any] = {}

    def before(self, call: Call) -> None:
        self.calls.append(call)
        action = self.before_call.pop(call.what, None)
        if action is not None:
            action()

    def after(self, call: Call, outcome: str) -> None:
        self.outcomes.append(outcome)

    @property
    def changes(self) -> list[str]:
        return [call.what for call in self.calls if call.changes]


def secret(text: str | bytes) -> Secret:
    return Secret(text.encode() if isinstance(text, str) else text)


def parts(**values: str | bytes) -> SecretParts:
    return {name: secret(value) for name, value in values.items()}


class Lane:
    """One entry of a lane at a server, and what a rotator needs to work on it."""

    def __init__(
        self,
        rotator: Rotator,
        kind: str,
        target: Target,
        *,
        admin: SecretParts = NO_PARTS,
        scope: Mapping[str, object] | None = None,
        lane: str = "prod",
        expiry: float = 0.0,
        clock: Clock | None = None,
    ) -> None:
        self.rotator, self.watch = rotator, Watch()
        self.entry = Entry(lane, "login", Kind(kind), "memory", "lanes/prod", target, scope or {}, expiry=expiry)
        self.ports = Ports(rotator.hosts(self.entry), clock=clock, fences=(self.watch,))
        self.job = Job(self.entry, self.ports, admin, MARK)

    def with_admin(self, **values: str | bytes) -> Job:
        return self.job._replace(admin=parts(**values))

    def verify(self, module: Any, held: SecretParts) -> Verdict:
        """The detector's verdict, on the lane's target."""
        verdict: Verdict = module.verify(Credential(self.entry.kind, held), self.entry.target, self.ports)
        return verdict


def assert_silent(error: BaseException, values: Iterable[Secret | str]) -> None:
    """No value stands in an exception: not in its text, its hint, its arguments, nor in those of the causes that are printed."""
    text = ""
    seen: BaseException | None = error
    while seen is not None:
        text += repr(seen) + str(seen) + repr(seen.args) + (seen.hint if isinstance(seen, KeywardError) else "")
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    for value in values:
        plain = value.reveal().decode() if isinstance(value, Secret) else value
        assert plain not in text


class Certificate(NamedTuple):
    """Paths of a certificate for 127.0.0.1 that is its own authority, and of its key."""

    certificate: str
    key: str


def make_certificate(folder: Path) -> Certificate:
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a server of the tests")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = Certificate(str(folder / "server.crt"), str(folder / "server.key"))
    Path(paths.certificate).write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with open(os.open(paths.key, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(private)
    return paths
