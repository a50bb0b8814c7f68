"""Changes a file of somebody else's so that it is the old one or the new one at every moment, whatever happens.

The new content goes to a file beside it (`.keyward-….tmp`, O_EXCL, 0600), gets owner, mode, ACL and attributes of the old one, is flushed
to the disk and renamed over it. There is never a copy of the old content: it holds a secret. What a killed process left behind is
removed by the next change in that folder. Two writers are kept apart by a lock on the folder itself, which leaves nothing behind.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple, Protocol, runtime_checkable

from keyward.errors import ConsumerChanged, ConsumerError
from keyward.plugin.ports import Ports

MOST_BYTES = 16 << 20
LOCK_WAIT = 15.0
"""Seconds that a writer waits for another one."""

MOST_LINKS = 20
TEMPORARY = re.compile(r"\.keyward-[0-9a-f]{16}\.tmp\Z")
HOST = "localhost"
"""How calls that stay on this machine are named to the fences."""

_HINTS = {
    errno.EACCES: "Run keyward as the user who owns the file and its folder.",
    errno.EPERM: "The file or its folder may be immutable (lsattr shows it) or belong to somebody else.",
    errno.EROFS: "The file system is read-only.",
    errno.ENOSPC: "The disk is full; the file is as it was.",
    errno.ETXTBSY: "The file is being mounted over another one; change it where it comes from.",
    errno.EBUSY: "The file is a mount point (as in a container); change it where it comes from.",
}

Edit = Callable[[bytes | None], bytes]
"""The new content from the present one (None: there is no file)."""


@runtime_checkable
class Prepared(Protocol):
    """A consumer that can say beforehand whether it could be given anything."""

    def ready(self) -> None:
        """Raises ConsumerError where `apply` could not work; changes nothing."""
        ...


class Seen(NamedTuple):
    """A file as it was read."""

    data: bytes
    status: os.stat_result


class FilePlace:
    """One file. `create`: whether it may be made. `mode`: its permissions, None to keep them (0600 for a new one).
    `break_links`: whether a file with further hard links may be replaced, which leaves the old content under the other names."""

    def __init__(
        self, path: str, ports: Ports, *, create: bool = False, mode: int | None = None, break_links: bool = False
    ) -> None:
        self.path = os.path.abspath(os.path.expanduser(path))
        self.create, self.mode, self.break_links = create, mode, break_links
        self._ports = ports

    def read(self) -> bytes | None:
        """What it holds; None if there is no such file. Raises ConsumerError for anything else than a readable regular file."""
        with self._folder(None) as found:
            if found is None:
                return None
            seen = self._read(*found)
            return None if seen is None else seen.data

    def ready(self) -> None:
        """Raises ConsumerError for what keeps `change` from working, as far as that can be seen beforehand; changes nothing."""
        with self._folder(True) as found:
            if found is None:
                raise self._no_folder()
            folder, name = found
            seen = self._read(folder, name)
            if seen is None and not self.create:
                raise self._no_file()
            with self._explained():
                self._check(folder, name, seen)
            if not os.access(".", os.W_OK | os.X_OK, dir_fd=folder, effective_ids=os.access in os.supports_effective_ids):
                raise ConsumerError(f"the folder of {self.path} cannot be written", hint=_HINTS[errno.EACCES])

    def _no_folder(self) -> ConsumerError:
        return ConsumerError(f"the folder of {self.path} does not exist", hint="Make it, or correct `path`.")

    def _no_file(self) -> ConsumerError:
        return ConsumerError(f"{self.path} does not exist", hint="Correct `path`, or say `create = true`.")

    def change(self, edit: Edit) -> str:
        """Replaces the content by what `edit` makes of it; answers with what was done, `` if nothing had to be.

        Raises ConsumerError where it cannot be done, ConsumerChanged if somebody else wrote it meanwhile.
        """
        with self._folder(True) as found:
            if found is None:
                raise self._no_folder()
            folder, name = found
            with self._locked(folder) as locked:
                if locked:
                    with self._explained():
                        remove_leftovers(folder)
                seen = self._read(folder, name)
                if seen is None and not self.create:
                    raise self._no_file()
                data = edit(None if seen is None else seen.data)
                if seen is not None and data == seen.data:
                    return ""
                with self._explained():
                    links = self._check(folder, name, seen)
                    self._ports.call(f"write {self.path}", HOST, lambda: self._write(folder, name, seen, data), changes=True)
                if self._reread(folder, name) != data:
                    raise ConsumerChanged(f"{self.path} was written, and holds something else now")
        return f"{self.path} written" + links

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            hint = _HINTS.get(error.errno or 0, "")
            raise ConsumerError(f"{self.path} cannot be changed: {error.strerror}", hint=hint) from None

    @contextmanager
    def _folder(self, writing: bool | None) -> Iterator[tuple[int, str] | None]:
        """An open descriptor of the folder that the file really is in, and its name there; None if there is no such folder."""
        if os.name == "nt":
            raise ConsumerError("files cannot be changed safely on Windows yet", hint="Use the exec consumer.")
        with self._explained():
            path = self._resolved()
            folder, name = os.path.split(path)
            try:
                descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except FileNotFoundError:
                descriptor = -1
        if descriptor < 0:
            yield None
            return
        try:
            status = os.fstat(descriptor)
            if writing and status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
                raise ConsumerError(
                    f"anybody may exchange files in the folder of {self.path}", hint="Take the right to write from others."
                )
            yield descriptor, name
        finally:
            os.close(descriptor)

    def _resolved(self) -> str:
        """Where the links lead. Raises ConsumerError for a link that somebody else could turn elsewhere."""
        path, owners = self.path, []
        for _ in range(MOST_LINKS):
            try:
                status = os.lstat(path)
            except (FileNotFoundError, NotADirectoryError):
                break
            if not stat.S_ISLNK(status.st_mode):
                break
            owners.append(status.st_uid)
            path = os.path.join(os.path.dirname(path), os.readlink(path))
        else:
            raise ConsumerError(f"{self.path} is a chain of more than {MOST_LINKS} links")
        path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if owners:
            trusted = {0, os.geteuid()}
            if os.geteuid() == 0 and os.path.exists(path):
                trusted.add(os.stat(path).st_uid)
            if not trusted.issuperset(owners):
                raise ConsumerError(f"{self.path} is a link that belongs to another user", hint="Name the file itself.")
            if not os.path.lexists(path):
                raise ConsumerError(f"{self.path} is a link that leads nowhere", hint="Name the file itself.")
        return path

    def _read(self, folder: int, name: str) -> Seen | None:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with self._explained():
            try:
                descriptor = os.open(name, flags, dir_fd=folder)
            except FileNotFoundError:
                return None
            with os.fdopen(descriptor, "rb") as file:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise ConsumerError(f"{self.path} is no regular file")
                data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ConsumerError(f"{self.path} is larger than {MOST_BYTES >> 20} MB")
        return Seen(data, status)

    def _reread(self, folder: int, name: str) -> bytes | None:
        seen = self._read(folder, name)
        return None if seen is None else seen.data

    def _check(self, folder: int, name: str, seen: Seen | None) -> str:
        """Raises ConsumerError for what a rename would silently change; answers with what should be told."""
        if seen is None:
            return ""
        if os.geteuid() not in (0, seen.status.st_uid):
            raise ConsumerError(
                f"{self.path} belongs to another user, and would change its owner", hint="Run keyward as that user."
            )
        others = seen.status.st_nlink - 1
        if not others:
            return ""
        here = [
            each
            for each in os.listdir(folder)
            if each != name and os.lstat(each, dir_fd=folder)[1:3] == seen.status[1:3]  # inode and device
        ]
        names = f" ({', '.join(sorted(here))} in the same folder)" if here else ""
        text = f"{self.path} has {others} more hard link{'s' if others > 1 else ''}{names}"
        if not self.break_links:
            raise ConsumerError(
                f"{text}, which would keep the old content",
                hint="Make them symbolic links; or say `break_links = true` and name each of them as a consumer.",
            )
        return f"; {text}, which keep the old content"

    @contextmanager
    def _locked(self, folder: int) -> Iterator[bool]:
        """Whether it could be locked: some network file systems lock no folders; then the look just before the rename must do."""
        import fcntl

        clock = self._ports.clock
        deadline = clock.monotonic() + LOCK_WAIT
        while True:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if clock.monotonic() >= deadline:
                    raise ConsumerError(f"somebody else has been writing beside {self.path} for {LOCK_WAIT:.0f} s") from None
                clock.sleep(0.05)
            except OSError:
                yield False
                return
        try:
            yield True
        finally:
            fcntl.flock(folder, fcntl.LOCK_UN)

    def _write(self, folder: int, name: str, seen: Seen | None, data: bytes) -> None:
        temporary = f".keyward-{secrets.token_hex(8)}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, 0o600, dir_fd=folder)
        try:
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view) :]
                self._dress(descriptor, folder, name, seen)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            now = self._read(folder, name)
            if (now is None) != (seen is None) or (now is not None and seen is not None and now.data != seen.data):
                raise ConsumerChanged(f"{self.path} was changed by somebody else meanwhile", hint="Try again.")
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise
        os.fsync(folder)

    def _dress(self, descriptor: int, folder: int, name: str, seen: Seen | None) -> None:
        """Owner, permissions, ACL and extended attributes of the old file."""
        if seen is None:
            os.fchmod(descriptor, 0o600 if self.mode is None else self.mode)
            return
        mine = os.fstat(descriptor)
        old = seen.status
        if (mine.st_uid, mine.st_gid) != (old.st_uid, old.st_gid):
            os.fchown(descriptor, old.st_uid, old.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode) if self.mode is None else self.mode)
        if not hasattr(os, "listxattr"):
            return
        source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            for attribute in os.listxattr(source):
                try:
                    os.setxattr(descriptor, attribute, os.getxattr(source, attribute))
                except OSError:
                    # labels of the security modules are set by the system; an ACL that is lost would lock somebody out
                    if attribute.startswith("system.posix_acl"):
                        raise
        except OSError as error:
            if error.errno not in (errno.ENOTSUP, errno.EOPNOTSUPP):
                raise
        finally:
            os.close(source)


def remove_leftovers(folder: int) -> int:
    """Removes what killed processes left in a folder (an open descriptor; it must be locked); answers with how many."""
    removed = 0
    for name in os.listdir(folder):
        if TEMPORARY.match(name):
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)
                removed += 1
    return removed
