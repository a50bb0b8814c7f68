"""A closed file gets a scrubbed one in its place: old or new at any instant, and the new one is like the old one in all but its text.

The new file is written beside the old one. It never holds a secret: only what is left after they are gone is written.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from hashlib import blake2b

from keyward.formats.sparse import data_in
from keyward.plugin.ports import Fence
from keyward.scrub.fences import act
from keyward.scrub.holders import is_open_elsewhere
from keyward.scrub.open_file import OpenFile
from keyward.scrub.plan import Refusal
from keyward.scrub.redactor import Style
from keyward.scrub.spans import Span, digest_of
from keyward.scrub.wide_text import written

PIECE = 1 << 20


class Changed(Exception):
    """The file is not any more what it was when it was opened."""


def temporary_name(name: str) -> str:
    """The same for the same file, so that what a crash left behind is found."""
    digest = blake2b(os.fsencode(name), digest_size=6).hexdigest()
    return f".keyward-scrub-{digest}.tmp"


def replace(file: OpenFile, spans: Sequence[Span], style: Style, fences: tuple[Fence, ...] = ()) -> None:
    """Puts the file without the spans in its place, with its owner, mode, times and extended attributes (access lists among them).

    Raises Changed where the file changed meanwhile, Refusal where the new one could not be made like the old one, OSError. The original
    is then as it was, and nothing is left beside it.
    """
    temporary = temporary_name(file.name)
    target = create_beside(file, temporary, fences)
    try:
        try:
            _write(file, target, spans, style, fences)
            _compare(file, target, spans, style)
            make_alike(file, target)
            with act(fences, "fsync file"):
                os.fsync(target)
            if not file.unchanged() or is_open_elsewhere(file.descriptor):  # whoever has it open would go on with the old one
                raise Changed
            with act(fences, "rename"):
                os.rename(temporary, file.name, src_dir_fd=file.folder, dst_dir_fd=file.folder)
        finally:
            os.close(target)
    except BaseException:
        remove_beside(file, temporary)
        raise
    with act(fences, "fsync folder"):
        os.fsync(file.folder)


def create_beside(file: OpenFile, temporary: str, fences: tuple[Fence, ...]) -> int:
    """The new file, private and locked, so that another scrub of the same file sees that it is at work."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    for attempt in (1, 2):
        try:
            with act(fences, "create"):
                descriptor = os.open(temporary, flags, 0o600, dir_fd=file.folder)
        except FileExistsError:
            if attempt == 2 or not _is_abandoned(file, temporary):
                raise Refusal("another scrub of it is at work", "Wait until it has ended.") from None
            remove_beside(file, temporary)
            continue
        _lock(descriptor)
        return descriptor
    raise AssertionError("it was returned or raised")


def _is_abandoned(file: OpenFile, temporary: str) -> bool:
    """Whether what lies there is left from a scrub that was killed. What is no regular file was put there by somebody else."""
    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=file.folder)
    except OSError as error:
        return error.errno == errno.ELOOP
    try:
        return _lock(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        pass
    return True


def remove_beside(file: OpenFile, temporary: str) -> None:
    """Takes the new file away, if it is there."""
    try:
        os.unlink(temporary, dir_fd=file.folder)
    except FileNotFoundError:
        pass


def _write(file: OpenFile, target: int, spans: Sequence[Span], style: Style, fences: tuple[Fence, ...]) -> None:
    at = 0
    for each in spans:
        _copy(file, target, at, each.start, fences)
        original = file.read(each.start, each.end - each.start)
        if digest_of(original) != each.digest:
            raise Changed
        with act(fences, "write"):
            write_all(target, written(each.redaction, original, style))
        at = each.end
    _copy(file, target, at, file.status.st_size, fences)
    os.ftruncate(target, os.lseek(target, 0, os.SEEK_CUR))  # a hole at the end


def _copy(file: OpenFile, target: int, start: int, end: int, fences: tuple[Fence, ...]) -> None:
    """What stands between two secrets, holes as holes."""
    while start < end:
        data_from, data_to = _next_data(file.descriptor, start, end)
        if data_from > start:
            os.lseek(target, data_from - start, os.SEEK_CUR)
            start = data_from
            continue
        data = file.read(start, min(PIECE, data_to - start))
        if not data:
            raise Changed
        with act(fences, "write"):
            write_all(target, data)
        start += len(data)


def _next_data(descriptor: int, start: int, end: int) -> tuple[int, int]:
    """Where the next data between the two begin, and where they end; both `end` where there is only a hole."""
    next_data = data_in(descriptor)
    if next_data is None:
        return start, end
    first, last = next_data(start) or (end, end)
    return min(first, end), min(last, end)


def write_all(target: int, data: bytes) -> None:
    """Writes all of it. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(target, view) :]


def _compare(file: OpenFile, target: int, spans: Sequence[Span], style: Style) -> None:
    """Reads the new file, and sees that nothing but the secrets differs. Raises OSError where it does: the disk cannot be relied on."""
    at = new = 0
    for each in spans:
        _same(file, target, at, new, each.start - at)
        new += each.start - at
        expected = written(each.redaction, file.read(each.start, each.end - each.start), style)
        if os.pread(target, len(expected), new) != expected:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        at, new = each.end, new + len(expected)
    size = file.status.st_size
    _same(file, target, at, new, size - at)
    if os.fstat(target).st_size != new + size - at:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def _same(file: OpenFile, target: int, old: int, new: int, length: int) -> None:
    end = old + length
    while old < end:
        skipped = _next_data(file.descriptor, old, end)[0] - old
        old, new = old + skipped, new + skipped
        step = min(PIECE, end - old)
        if step and file.read(old, step) != os.pread(target, step, new):
            if not file.unchanged():
                raise Changed
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        old, new = old + step, new + step


def make_alike(file: OpenFile, target: int) -> None:
    """Gives the new file owner, mode, extended attributes and times of the old one. Raises Refusal where that cannot be, OSError."""
    status = file.status
    own = os.fstat(target)
    if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
        try:
            os.fchown(target, status.st_uid, status.st_gid)
        except PermissionError:
            raise Refusal("its owner cannot be kept", "Run it as the file's owner or as root.") from None
    os.fchmod(target, status.st_mode & 0o7777)
    _copy_attributes(file.descriptor, target)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _copy_attributes(source: int, target: int) -> None:
    if not hasattr(os, "listxattr"):
        return
    try:
        names = os.listxattr(source)
    except OSError:  # a file system without them
        return
    for name in set(os.listxattr(target)) - set(names):
        os.removexattr(target, name)
    for name in names:
        value = os.getxattr(source, name)
        try:
            if os.getxattr(target, name) == value:
                continue
        except OSError:
            pass
        try:
            os.setxattr(target, name, value)
        except OSError:
            raise Refusal(
                f"its extended attribute {name} cannot be kept", "Run it as root, or take the attribute away."
            ) from None
