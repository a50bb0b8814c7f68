"""A login to an SSH host, and its files over SFTP; each round trip is one fenced call.

asyncssh is asynchronous and a rotator is not: the session has an event loop of its own, which runs only while a call does.
Nothing of this machine is used: no agent, no configuration, no known_hosts, no default keys. The host key must be pinned.
References: https://asyncssh.readthedocs.io/en/latest/api.html  https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02
"""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from keyward.errors import MissingExtra, ProviderError, Refused, Uncertain, Unreachable

if TYPE_CHECKING:
    from keyward.plugin.rotator import Job

T = TypeVar("T")

TIMEOUT = 15.0
"""Seconds for a login, and for each round trip."""

MOST_BYTES = 4 << 20


class Denied(Refused):
    """The host does not let this key in."""


class File(NamedTuple):
    """A file as it was read. `mode`, `uid`, `gid`: None where there was none."""

    text: bytes
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None


class Session:
    """Use `logged_in` to get one."""

    def __init__(self, job: Job, loop: asyncio.AbstractEventLoop, connection: Any) -> None:
        self._job, self._loop, self._connection = job, loop, connection
        self._sftp: Any = None

    @property
    def server(self) -> str:
        """The server's own name and version: `SSH-2.0-OpenSSH_9.2p1 …`."""
        return str(self._connection.get_extra_info("server_version") or "")

    def open_files(self) -> None:
        async def start() -> Any:
            return await self._connection.start_sftp_client()

        if self._sftp is None:
            self._sftp = self._call("sftp", start, changes=False)

    def read(self, path: str) -> File:
        """A file and its owner; an empty one where there is none. Refuses what is not a plain file."""
        import asyncssh

        async def look() -> Any:
            try:
                return await self._sftp.lstat(path)
            except asyncssh.SFTPNoSuchFile:
                return None

        attributes = self._call("sftp lstat", look, changes=False)
        if attributes is None:
            return File(b"")
        mode = attributes.permissions or 0
        if not stat.S_ISREG(mode):
            raise Refused(f"{path} on {self._job.target.host} is not a plain file", hint="Name the file itself, not a link.")
        if (attributes.size or 0) > MOST_BYTES:
            raise Refused(f"{path} on {self._job.target.host} is longer than {MOST_BYTES >> 20} MB")

        async def fetch() -> bytes:
            async with self._sftp.open(path, "rb") as file:
                return bytes(await file.read())

        return File(self._call("sftp read", fetch, changes=False), stat.S_IMODE(mode), attributes.uid, attributes.gid)

    def write(self, path: str, temporary: str, text: bytes, like: File) -> None:
        """Puts a file beside the path, with the mode and owner of `like`, and on disk; `rename` makes it the real one."""
        import asyncssh

        async def put() -> None:
            try:
                await self._sftp.remove(temporary)  # an interrupted attempt's
            except asyncssh.SFTPNoSuchFile:
                pass
            attributes = asyncssh.SFTPAttrs(permissions=0o600)
            flags = asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | asyncssh.FXF_EXCL
            async with self._sftp.open(temporary, flags, attributes, encoding=None) as file:
                await file.write(text)
                try:
                    await file.fsync()
                except asyncssh.SFTPOpUnsupported:
                    pass

        async def adjust() -> Any:
            if like.mode is not None and like.mode != 0o600:
                await self._sftp.chmod(temporary, like.mode)
            there = await self._sftp.lstat(temporary)
            if like.uid is not None and (there.uid, there.gid) != (like.uid, like.gid):
                await self._sftp.chown(temporary, like.uid, like.gid)
            return await self._sftp.lstat(temporary)

        self._call("sftp write", put, changes=True)
        there = self._call("sftp setstat", adjust, changes=True)
        kept = (like.mode, like.uid, like.gid) if like.mode is not None else (0o600, there.uid, there.gid)
        if (stat.S_IMODE(there.permissions or 0), there.uid, there.gid) != kept or there.size != len(text):
            self.remove(temporary)
            raise Refused(
                f"{path}: mode or owner cannot be kept, and the server would not look into the file then",
                hint="Log in as the file's owner.",
            )

    def rename(self, temporary: str, path: str) -> None:
        """Puts the new file in the place of the old one, at once."""
        import asyncssh

        async def move() -> None:
            try:
                await self._sftp.posix_rename(temporary, path)
            except asyncssh.SFTPOpUnsupported:
                raise Refused(
                    f"the SFTP server of {self._job.target.host} cannot replace a file at once",
                    hint="It lacks posix-rename@openssh.com; nothing was changed.",
                ) from None

        self._call("sftp rename", move, changes=True)

    def remove(self, path: str) -> None:
        async def erase() -> None:
            await self._sftp.remove(path)

        self._call("sftp remove", erase, changes=True)

    def execute(self, command: str) -> int:
        """Runs the operator's own command; answers with its exit status."""

        async def go() -> int:
            result = await self._connection.run(command, check=False)
            return -1 if result.exit_status is None else int(result.exit_status)

        return self._call("ssh exec", go, changes=True)

    def _call(self, what: str, action: Callable[[], Coroutine[Any, Any, T]], *, changes: bool) -> T:
        return _fenced(self._job, self._loop, what, action, changes=changes)


@contextmanager
def logged_in(job: Job, user: str, key: Any) -> Iterator[Session]:
    """A session with this key. Raises Denied, Refused (host key, settings) or Unreachable."""
    try:
        import asyncssh
    except ImportError:
        raise MissingExtra("asyncssh", "ssh") from None
    host, port = job.ports.tcp(job.target.host, job.target.port)
    pins = job.target.options.get("host_key", "").replace(",", "\n").splitlines()
    if not any(pin.strip() for pin in pins):
        raise Refused(
            f"{job.entry.ref}: the host's key is not pinned",
            hint="Set target.options.host_key to what `ssh-keygen -l` shows on the host (SHA256:…), or to the whole public key.",
        )

    class Client(asyncssh.SSHClient):
        def validate_host_public_key(self, host: str, addr: str, port: int, key: Any) -> bool:
            whole = key.export_public_key().decode().split()[:2]
            return any(pin.split()[:2] == whole or pin.strip() == key.get_fingerprint() for pin in pins)

    async def connect() -> Any:
        return await asyncssh.connect(
            host, port, username=user, client_factory=Client, known_hosts=([], [], []), config=None, client_keys=[key],
            agent_path=None, password=None, gss_host=None, preferred_auth="publickey", disable_trivial_auth=True,
            server_host_key_algs=_algorithms(pins), login_timeout=TIMEOUT, connect_timeout=TIMEOUT,
        )  # fmt: skip

    loop = asyncio.new_event_loop()
    connection = None
    try:
        connection = _fenced(job, loop, f"ssh login as {user}", connect, changes=False)
        yield Session(job, loop, connection)
    finally:
        if connection is not None:
            connection.abort()
            loop.run_until_complete(_quietly(connection.wait_closed()))
        loop.close()


async def _quietly(waiting: Coroutine[Any, Any, None]) -> None:
    try:
        await asyncio.wait_for(waiting, 2.0)
    except Exception:  # whatever the end of a connection may raise: it has ended
        pass


def _algorithms(pins: list[str]) -> Any:
    """The types of the pinned keys, where those are named, so that a host with several keys shows the right one."""
    types = [pin.split()[0] for pin in pins if len(pin.split()) >= 2]
    if not types or any(pin.strip().startswith("SHA256:") for pin in pins):
        return "default"
    return [name for each in types for name in (("rsa-sha2-512", "rsa-sha2-256") if each == "ssh-rsa" else (each,))]


def _fenced(
    job: Job, loop: asyncio.AbstractEventLoop, what: str, action: Callable[[], Coroutine[Any, Any, T]], *, changes: bool
) -> T:
    async def limited() -> T:
        return await asyncio.wait_for(action(), TIMEOUT * 2)

    def run() -> T:
        try:
            return loop.run_until_complete(limited())
        except Exception as error:
            raise _translated(error, what, job.target.host, changes) from None

    return job.ports.call(what, job.target.host, run, changes=changes)


def _translated(error: Exception, what: str, host: str, changes: bool) -> Exception:
    """asyncssh's exceptions as ours, in one place: class names and short words of our own only."""
    import asyncssh

    if isinstance(error, ProviderError):
        return error
    if isinstance(error, asyncssh.PermissionDenied):
        return Denied(f"{what}: {host} does not let this key in", hint="It is not authorized there, or not from this address.")
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return Refused(
            f"{what}: {host} shows another key than the pinned one", hint="Check target.options.host_key on the host."
        )
    if isinstance(error, (asyncssh.SFTPPermissionDenied, asyncssh.ChannelOpenError)):
        return Refused(
            f"{what}: {host} does not allow it", hint="The admin login needs SFTP and may write the authorized_keys file."
        )
    if isinstance(error, (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection)):
        return (Uncertain if changes else Unreachable)(f"{what}: the connection to {host} was lost")
    if isinstance(error, asyncssh.SFTPError):
        return Refused(
            f"{what}: {host} refuses it ({type(error).__name__})", hint="Look at the folder of the authorized_keys file."
        )
    if isinstance(error, (OSError, asyncio.TimeoutError, asyncssh.Error)):
        return (Uncertain if changes else Unreachable)(f"{what}: no answer from {host}: {type(error).__name__}")
    return error
