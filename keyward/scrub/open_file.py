"""A file that is to be scrubbed, opened so that nobody can put another one in its place meanwhile.

The folder is opened first and the file in it by its name alone, without following a link; everything that is done later goes through the
two descriptors. Whatever is no regular file is refused before a byte of it is read.
"""

from __future__ import annotations

import errno
import os
import stat
from types import TracebackType

from keyward.formats.sparse import read_at
from keyward.scrub.plan import Refusal

_FLAGS = 0
for _name in ("O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY", "O_NOFOLLOW"):  # never waits for a pipe, never becomes a terminal's
    _FLAGS |= getattr(os, _name, 0)

IMMUTABLE, APPEND_ONLY = 0x10, 0x20
"""FS_IMMUTABLE_FL and FS_APPEND_FL (linux/fs.h)."""

_GET_FLAGS = 0x80086601
"""FS_IOC_GETFLAGS where a long has 8 bytes (linux/fs.h: `_IOR('f', 1, long)`)."""


class OpenFile:
    """A regular file and its folder. Use it as a context. `status`: as it was when it was opened.

    Raises Refusal for a link, a pipe, a device or anything else that is no regular file, OSError where it cannot be opened.
    """

    def __init__(self, path: str, *, write: bool = False) -> None:
        if os.open not in os.supports_dir_fd:
            raise Refusal("files cannot be scrubbed safely on this system", "Send them through: keyward scrub < FILE > CLEAN")
        head, self.name = os.path.split(path)
        self.path = path
        self.folder = os.open(head or ".", os.O_RDONLY | os.O_DIRECTORY | getattr(os, "O_CLOEXEC", 0))
        try:
            self.descriptor = self._open(write)
        except BaseException:
            os.close(self.folder)
            raise
        self.status = os.fstat(self.descriptor)

    def _open(self, write: bool) -> int:
        _check_regular(os.stat(self.name, dir_fd=self.folder, follow_symlinks=False))  # opening a device may act on it
        try:
            descriptor = os.open(self.name, _FLAGS | (os.O_RDWR if write else os.O_RDONLY), dir_fd=self.folder)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EMLINK):
                raise _link() from None
            raise
        try:
            _check_regular(os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def __enter__(self) -> OpenFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self.descriptor)
        os.close(self.folder)

    def unchanged(self) -> bool:
        """Whether the name still leads to this file, and the file is as it was when it was opened."""
        return self.in_place() and _mark(os.fstat(self.descriptor)) == _mark(self.status)

    def in_place(self) -> bool:
        """Whether the name still leads to this file."""
        try:
            now = os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return (now.st_dev, now.st_ino) == (self.status.st_dev, self.status.st_ino)

    def flags(self) -> int:
        """The attributes that `lsattr` shows, 0 where there are none."""
        try:
            import fcntl

            return int.from_bytes(fcntl.ioctl(self.descriptor, _GET_FLAGS, b"\0" * 8), "little") & 0xFFFFFFFF
        except (ImportError, OSError):
            return 0

    def read(self, start: int, length: int) -> bytes:
        """So many bytes from there; fewer at the end of the file. Raises OSError."""
        return read_at(self.descriptor, start, length)


def _mark(status: os.stat_result) -> tuple[int, ...]:
    # the time of the last change of the inode as well: new rights or a new name must not be lost
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_nlink


def _check_regular(status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise _link()
    for is_kind, what in (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    ):
        if is_kind(status.st_mode):
            raise Refusal(f"it is {what} and no regular file", "Only regular files are scrubbed in place.")


def _link() -> Refusal:
    return Refusal("it is a symbolic link, and links are not followed", "Name the file that it leads to.")


_WHY = {
    errno.EROFS: ("the file system is read-only", "Mount it writable for the time of the scrub: mount -o remount,rw"),
    errno.ENOSPC: ("there is no space left", "Make room for as much as the file takes, and run it again."),
    errno.EDQUOT: ("the quota is used up", "Make room for as much as the file takes, and run it again."),
    errno.EFBIG: ("the limit of the size of files is too low", "Raise it (ulimit -f), and run it again."),
    errno.EACCES: ("permission denied", "Run it as the file's owner or as root."),
    errno.EPERM: ("not permitted", "Run it as the file's owner or as root."),
    errno.ETXTBSY: ("it is being executed", "Stop the program, and run it again."),
    errno.ENOENT: ("it is not there any more", "Scan again."),
    errno.ELOOP: ("it is a symbolic link, and links are not followed", "Name the file that it leads to."),
    errno.EIO: ("the disk does not answer as it should", "Look at the kernel's log before anything else."),
}


def refusal_of(error: OSError) -> Refusal:
    """What an error of the system means to the operator. The original is as it was."""
    reason, hint = _WHY.get(error.errno or 0, ((error.strerror or "it cannot be opened").lower(), ""))
    return Refusal(reason, hint)
