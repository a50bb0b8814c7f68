"""Which processes have a file open, mapped or locked, and what for.

On Linux that is read from /proc (`fd`, `fdinfo`, `maps`, `/proc/locks`: proc(5), proc_pid_fdinfo(5), proc_locks(5)), and the kernel is
asked as well: it grants a write lease only on a file that nobody else has open (fcntl(2), F_SETLEASE), whoever that is and in whatever
container. Where there is neither, it cannot be told, and the answer says so.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

PROC = "/proc"


class Use(Enum):
    """What a process does with a file, the least harmless last."""

    READS = "reads it"
    APPENDS = "appends to it"
    WRITES = "writes to it"
    MAPS = "has it mapped for writing"
    LOCKS = "has locked it"


class Holder(NamedTuple):
    """A process (0: not known which). `command`: its name, as it calls itself. `position`: where it writes next, -1 if unknown."""

    process: int
    command: str
    use: Use
    position: int = -1

    def __str__(self) -> str:
        if not self.process:
            return f"a process that cannot be seen from here {self.use.value}"
        return f"{self.command} (process {self.process}) {self.use.value}"


class Held(NamedTuple):
    """`sure`: whether there can be no others."""

    holders: tuple[Holder, ...]
    sure: bool

    @property
    def free(self) -> bool:
        return not self.holders and self.sure


def who_holds(descriptor: int) -> Held:
    """Who else holds the file that the descriptor is of. It must be this process's only one of the file."""
    status = os.fstat(descriptor)
    if not os.path.isdir(os.path.join(PROC, "self", "fd")):
        return Held((), False)
    unseen = 0
    found: dict[tuple[int, Use], Holder] = {}
    own = os.getpid()
    for process in _processes():
        if process == own:
            continue
        try:
            for use, position in (*_open(process, status), *_mapped(process, status)):
                found.setdefault((process, use), Holder(process, _command(process), use, position))
        except PermissionError:
            unseen += 1
        except OSError:
            continue  # it has ended
    for process in _locking(status):
        if process != own:
            found.setdefault((process, Use.LOCKS), Holder(max(process, 0), _command(process), Use.LOCKS))
    leased = _lease(descriptor)
    if leased is False and not found:
        found[0, Use.WRITES] = Holder(0, "", Use.WRITES)
    return Held(tuple(found.values()), leased is not None or not unseen)


def is_open_elsewhere(descriptor: int) -> bool:
    """Whether the kernel says so; quick enough to ask in the last instant."""
    return _lease(descriptor) is False


def _processes() -> Iterator[int]:
    for name in os.listdir(PROC):
        if name.isdecimal():
            yield int(name)


def _command(process: int) -> str:
    try:
        with open(f"{PROC}/{process}/comm", "rb") as file:
            return os.fsdecode(file.read(64).rstrip(b"\n"))
    except OSError:
        return "?"


def _open(process: int, status: os.stat_result) -> Iterator[tuple[Use, int]]:
    folder = f"{PROC}/{process}/fd"
    for number in os.listdir(folder):
        try:
            if not os.readlink(f"{folder}/{number}").startswith("/"):
                continue
            facts = _facts(f"{PROC}/{process}/fdinfo/{number}")
            # the number of the inode first: to ask after a file on a file system that has gone may hang
            if facts.get("ino", str(status.st_ino)) != str(status.st_ino):
                continue
            its = os.stat(f"{folder}/{number}")
        except FileNotFoundError:
            continue
        if (its.st_dev, its.st_ino) == (status.st_dev, status.st_ino):
            flags = int(facts.get("flags", "0"), 8)
            position = int(facts.get("pos", "-1"))
            if flags & os.O_ACCMODE == os.O_RDONLY:
                yield Use.READS, position
            else:
                yield (Use.APPENDS if flags & os.O_APPEND else Use.WRITES), position


def _facts(path: str) -> dict[str, str]:
    with open(path, encoding="ascii", errors="replace") as file:
        return {name: rest.strip() for name, _, rest in (line.partition(":") for line in file)}


def _mapped(process: int, status: os.stat_result) -> Iterator[tuple[Use, int]]:
    inode = str(status.st_ino)
    with open(f"{PROC}/{process}/maps", encoding="utf-8", errors="replace") as file:
        for line in file:
            fields = line.split(None, 5)
            if len(fields) < 6 or fields[4] != inode or not _same_mapping(process, fields[0], status):
                continue
            if fields[1].endswith("s") and "w" in fields[1]:
                yield Use.MAPS, -1
            else:
                yield Use.READS, -1


def _same_mapping(process: int, span: str, status: os.stat_result) -> bool:
    """Whether a mapping is of the file. Some file systems show another device in `maps` than files have."""
    try:
        its = os.stat(f"{PROC}/{process}/map_files/{span}")
    except PermissionError:  # these may be followed by root only
        return True
    except OSError:
        return False
    return (its.st_dev, its.st_ino) == (status.st_dev, status.st_ino)


def _locking(status: os.stat_result) -> Iterator[int]:
    """The processes that hold a lock; -1 for one that belongs to an open file and to no process."""
    try:
        with open(f"{PROC}/locks", encoding="ascii", errors="replace") as file:
            lines = file.readlines()
    except OSError:
        return
    wanted = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    for line in lines:
        fields = line.split()
        # `1: FLOCK ADVISORY WRITE 4711 08:01:1234 0 EOF`; one that waits has `->` in front
        if len(fields) >= 6 and fields[1] in ("POSIX", "FLOCK", "OFDLCK") and fields[5] == wanted:
            yield int(fields[4])


def _lease(descriptor: int) -> bool | None:
    """Whether the kernel says that nobody else has the file open; None where it does not say."""
    try:
        import fcntl

        # whoever opens the file in this instant makes the kernel signal us: with one that is ignored unless asked for, for the
        # usual one would end this process
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except BlockingIOError:
        return False
    except (ImportError, AttributeError, OSError):
        return None
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return True
