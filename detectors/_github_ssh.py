"""Whether a deploy key opens a session at GitHub's SSH server; no command is run there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyward.plugin.verifier import Dead, Evidence, Live, Unknown, Verdict

if TYPE_CHECKING:
    from keyward.plugin.ports import Ports

GITHUB_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
"""The key of github.com's own server: https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/githubs-ssh-key-fingerprints"""

TIMEOUT = 10.0
"""Seconds to connect, and to log in."""


def verify_key(private: bytes, host: str, port: int, host_key: str, ports: Ports) -> Verdict:
    """Logs in as `git` with one key, to a server that must show `host_key` (`ssh-ed25519 AAAA…`). Neither an agent nor the
    user's SSH configuration takes part."""
    from keyward.errors import MissingExtra, Unreachable

    try:
        import asyncssh
    except ImportError:
        raise MissingExtra("asyncssh", "ssh") from None
    import asyncio

    host, port = ports.tcp(host, port)
    expected = host_key or (GITHUB_KEY if host == "github.com" else "")
    if not expected:
        return Unknown("the server's public key is not known: set target.options.host_key")
    try:
        key = asyncssh.import_private_key(private.replace(b"\\n", b"\n"))
        known = asyncssh.import_known_hosts(f"[{host}]:{port} {expected}\n{host} {expected}\n")
    except (asyncssh.KeyImportError, ValueError):
        return Unknown("the private key or target.options.host_key cannot be read")

    async def log_in() -> None:
        async with asyncssh.connect(
            host, port, username="git", client_keys=[key], known_hosts=known, agent_path=None, config=None,
            preferred_auth="publickey", connect_timeout=TIMEOUT, login_timeout=TIMEOUT,
        ):  # fmt: skip
            return

    def proof(status: str) -> Evidence:
        return Evidence("SSH login as git", host, status, ports.clock.now())

    try:
        ports.call("SSH login as git", host, lambda: asyncio.run(log_in()), changes=False)
    except asyncssh.PermissionDenied:
        return Dead(proof("permission denied"))
    except asyncssh.HostKeyNotVerifiable:
        return Unknown("the server shows another key than target.options.host_key")
    except (OSError, asyncssh.Error, TimeoutError) as error:
        raise Unreachable(f"no SSH login at {host}: {type(error).__name__}") from None
    return Live(proof("logged in"))
