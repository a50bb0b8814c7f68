"""One login to an SSH server with a private key, and nothing after it: no session is opened, so no forced command runs.

The host must be pinned (`target.options.host_key`): a key is offered to no host that only claims to be the right one.
References: https://datatracker.ietf.org/doc/html/rfc4252  https://asyncssh.readthedocs.io/en/latest/api.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from keyward.errors import MissingExtra
from keyward.plugin.verifier import Dead, Evidence, Live, Unknown, Verdict

from ._logins import TIMEOUT

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports


class _Answer(NamedTuple):
    """`let_in`: whether the server opened the connection. `offers`: how often it asked for a key. `failure`: why nobody can tell."""

    let_in: bool
    offers: int = 0
    failure: str = ""


def verify_login(credential: Credential, block: bytes, target: Target, ports: Ports) -> Verdict:
    """`block`: the key in a form that can be parsed. Dead means that the server takes keys, and not this one, for this user and address."""
    try:
        import asyncssh
    except ImportError:
        raise MissingExtra("asyncssh", "ssh") from None
    user = credential.text("user") or target.user
    host, port = ports.tcp(target.host, target.port)
    pins = target.options.get("host_key", "").replace(",", "\n").splitlines()
    if not user:
        return Unknown("set target.user: a key does not say whom it lets in")
    if not any(pin.strip() for pin in pins):
        return Unknown("set target.options.host_key: the key is offered to no host that is not pinned")
    try:
        passphrase = credential.text("passphrase") or None
        key = asyncssh.import_private_key(block, passphrase)
    except (asyncssh.KeyEncryptionError, asyncssh.KeyImportError, ValueError) as error:
        if isinstance(error, asyncssh.KeyEncryptionError) or "assphrase" in str(error):
            return Unknown("the key is encrypted with a passphrase that is not known")
        return Unknown("the key cannot be read")
    fingerprint = key.get_fingerprint()

    def action() -> _Answer:
        import asyncio

        return asyncio.run(_login(target, user, key, pins))

    answer = ports.call("ssh login", host, action, changes=False)
    status = "accepted" if answer.let_in else "publickey refused"
    proof = Evidence("login", f"{host}:{port}", status, ports.clock.now(), fingerprint)
    if answer.failure:
        return Unknown(f"{host}:{port}: {answer.failure}")
    if not answer.offers:
        word = "lets everybody in" if answer.let_in else "takes no keys"
        return Unknown(f"{host}:{port} {word}, so that it does not say whether this key is authorized")
    return Live(proof, user) if answer.let_in else Dead(proof)


async def _login(target: Target, user: str, key: Any, pins: list[str]) -> _Answer:
    import asyncio

    import asyncssh

    offers = 0

    class Client(asyncssh.SSHClient):
        def public_key_auth_requested(self) -> Any:
            nonlocal offers
            offers += 1
            return key if offers == 1 else None

        def validate_host_public_key(self, host: str, addr: str, port: int, shown: Any) -> bool:
            return pinned(shown, pins)

    try:
        connection = await asyncio.wait_for(
            asyncssh.connect(
                target.host, target.port, username=user, client_factory=Client, known_hosts=([], [], []), config=None,
                client_keys=None, agent_path=None, password=None, gss_host=None, preferred_auth="publickey",
                server_host_key_algs=algorithms(pins), login_timeout=TIMEOUT, connect_timeout=TIMEOUT,
            ),
            TIMEOUT * 2,
        )  # fmt: skip
    except asyncssh.PermissionDenied:
        return _Answer(False, offers)
    except asyncssh.HostKeyNotVerifiable:
        return _Answer(False, failure="it shows another host key than the pinned one")
    except (TimeoutError, OSError, asyncssh.Error) as error:
        return _Answer(False, failure=f"no login: {type(error).__name__}")
    connection.abort()
    return _Answer(True, offers)


def pinned(shown: Any, pins: list[str]) -> bool:
    """Whether a host key is one of those that the operator named, by fingerprint (`SHA256:…`) or whole."""
    whole = shown.export_public_key().decode().split()[:2]
    return any(pin.split()[:2] == whole or pin.strip() == shown.get_fingerprint() for pin in pins)


def algorithms(pins: list[str]) -> Any:
    """What is asked of the host: the types of the pinned keys, if those are named, so that it shows the right one of several."""
    types = [pin.split()[0] for pin in pins if len(pin.split()) >= 2]
    if not types or any(pin.strip().startswith("SHA256:") for pin in pins):
        return "default"
    return [name for each in types for name in (("rsa-sha2-512", "rsa-sha2-256") if each == "ssh-rsa" else (each,))]
