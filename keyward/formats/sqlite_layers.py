"""A database as its main file and its log show it together, read page by page where both lie: nothing is put together in memory.

SQLite itself would take a lock in the `-shm` file to read a log, and such a lock holds up its owner's checkpoints. So SQLite is given a
file system of its own here (a "VFS", https://www.sqlite.org/vfs.html), in which there is one file that can only be read: its pages come
from the log where the log has newer ones. It is registered with the library that Python's own `sqlite3` uses; where that cannot be
reached (another platform, a library linked into the interpreter), `connect` says None, and the caller does without.
"""

from __future__ import annotations

import os
import sqlite3
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from keyward.formats.sqlite_journals import FRAME_HEADER, Index

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "keyward-layers"

_OK, _IOERR, _READONLY, _NOTFOUND, _CANTOPEN, _SHORT_READ = 0, 10, 8, 12, 14, 522
_OPEN_READONLY, _OPEN_READWRITE = 1, 2
_IMMUTABLE = 0x2000
_SECTOR = 4096
_VERSIONS = slice(18, 20)
"""Where the header says that there is a log: nothing must ask for one."""


class Layers:
    """The two files, as descriptors of its own that `close` closes. `index`: what the log holds. `is_log`: whether it is a write-ahead log,
    whose frames say whose they are. `restless`: whether the owner began the log anew while it was read."""

    def __init__(self, main: int, log: int, index: Index, *, is_log: bool) -> None:
        self._main, self._log = os.dup(main), os.dup(log)
        self._index, self._is_log = index, is_log
        length, beside = os.fstat(main).st_size, os.fstat(log).st_size
        wanted = index.size * index.page_size
        # a log that names a page far beyond the end says nothing true
        self.size = wanted if wanted <= length + beside else length
        self.restless = False

    def read(self, at: int, size: int) -> bytes:
        """Up to so many bytes from there. Raises OSError."""
        pieces = []
        end = min(at + size, self.size)
        while at < end:
            number, skipped = divmod(at, self._index.page_size)
            taken = min(self._index.page_size - skipped, end - at)
            pieces.append(self._page(number + 1)[skipped : skipped + taken])
            at += taken
        return b"".join(pieces)

    def _page(self, number: int) -> bytes:
        size = self._index.page_size
        body = self._index.pages.get(number)
        page = self._from_log(number, body) if body is not None else None
        if page is None:
            page = os.pread(self._main, size, (number - 1) * size).ljust(size, b"\0")
        if number == 1:
            header = bytearray(page)
            header[_VERSIONS] = b"\1\1"
            page = bytes(header)
        return page

    def _from_log(self, number: int, body: int) -> bytes | None:
        """A page of the log, None where another stands there by now: then the owner has put it into the main file before."""
        size = self._index.page_size
        if not self._is_log:
            page = os.pread(self._log, size, body)
            self.restless |= len(page) != size
            return page if len(page) == size else None
        frame = os.pread(self._log, FRAME_HEADER + size, body - FRAME_HEADER)
        expected = number.to_bytes(4, "big"), self._index.salts
        # the head of a frame is written before its page, so a page of before has its own head before and after
        heads = frame[:FRAME_HEADER], os.pread(self._log, FRAME_HEADER, body - FRAME_HEADER)
        if len(frame) == FRAME_HEADER + size and all((head[:4], head[8:16]) == expected for head in heads):
            return frame[FRAME_HEADER:]
        self.restless = True
        return None

    def close(self) -> None:
        os.close(self._main)
        os.close(self._log)


def connect(layers: Layers) -> sqlite3.Connection | None:
    """A connection that reads them, and closes them when it is closed. None where SQLite cannot be given a file system; then they are closed.
    Raises sqlite3.Error."""
    made = _made()
    if made is None:
        layers.close()
        return None
    name = f"{NAME}-{next(made.numbers)}"
    made.waiting[name.encode()] = layers
    try:
        return sqlite3.connect(f"file:{name}?vfs={NAME}&mode=ro&immutable=1", uri=True, isolation_level=None)
    except sqlite3.OperationalError:
        return None  # `sqlite3` uses another copy of the library
    finally:
        left = made.waiting.pop(name.encode(), None)
        if left is not None:  # nobody opened it
            left.close()


class _Made(NamedTuple):
    """What is registered, for as long as the process lives. `waiting`: what is about to be opened, by name. `kept`: what C points to."""

    waiting: dict[bytes, Layers]
    numbers: count[int]
    kept: tuple[object, ...]


@cache
def _made() -> _Made | None:
    if not hasattr(os, "pread"):
        return None
    try:
        import _sqlite3
        import ctypes

        library = ctypes.CDLL(_sqlite3.__file__)
        find, register = library.sqlite3_vfs_find, library.sqlite3_vfs_register
    except (ImportError, OSError, AttributeError):
        return None
    return _register(ctypes, find, register)


def _register(c: Any, find: Any, register: Any) -> _Made | None:
    """Registers the file system. `c`: the module ctypes. A callback that raised would be taken for success, so none does."""

    class File(c.Structure):  # type: ignore[misc]  # ctypes is only imported when it is needed
        _fields_ = (("methods", c.c_void_p), ("number", c.c_longlong))

    of_file = c.POINTER(File)
    plain = c.CFUNCTYPE(c.c_int, of_file)
    reading = c.CFUNCTYPE(c.c_int, of_file, c.c_void_p, c.c_int, c.c_longlong)
    truncating = c.CFUNCTYPE(c.c_int, of_file, c.c_longlong)
    with_number = c.CFUNCTYPE(c.c_int, of_file, c.c_int)
    asking = c.CFUNCTYPE(c.c_int, of_file, c.POINTER(c.c_int))
    sizing = c.CFUNCTYPE(c.c_int, of_file, c.POINTER(c.c_longlong))
    controlling = c.CFUNCTYPE(c.c_int, of_file, c.c_int, c.c_void_p)
    methods_of = (
        ("close", plain), ("read", reading), ("write", reading), ("truncate", truncating), ("sync", with_number), ("size", sizing),
        ("lock", with_number), ("unlock", with_number), ("reserved", asking), ("control", controlling), ("sector", plain),
        ("characteristics", plain),
    )  # fmt: skip

    class Methods(c.Structure):  # type: ignore[misc]  # ctypes is only imported when it is needed
        _fields_ = (("version", c.c_int), *methods_of)

    opening = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_char_p, of_file, c.c_int, c.POINTER(c.c_int))
    deleting = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_char_p, c.c_int)
    accessing = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_char_p, c.c_int, c.POINTER(c.c_int))
    naming = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_char_p, c.c_int, c.c_void_p)
    others = ("dlopen", "dlerror", "dlsym", "dlclose", "randomness", "sleep", "time", "last_error")

    class System(c.Structure):  # type: ignore[misc]  # ctypes is only imported when it is needed
        _fields_ = (
            ("version", c.c_int), ("file_size", c.c_int), ("longest_name", c.c_int), ("next", c.c_void_p), ("name", c.c_char_p),
            ("data", c.c_void_p), ("open", opening), ("delete", deleting), ("access", accessing), ("full_name", naming),
            *((each, c.c_void_p) for each in others),
        )  # fmt: skip

    waiting: dict[bytes, Layers] = {}
    opened: dict[int, Layers] = {}
    numbers = count(1)

    def on_close(file: Any) -> int:
        layers = opened.pop(file.contents.number, None)
        if layers is not None:
            layers.close()
        return _OK

    def on_read(file: Any, buffer: int, size: int, at: int) -> int:
        data = opened[file.contents.number].read(at, size)
        c.memmove(buffer, data, len(data))
        if len(data) < size:
            c.memset(buffer + len(data), 0, size - len(data))
            return _SHORT_READ
        return _OK

    def on_size(file: Any, answer: Any) -> int:
        answer[0] = opened[file.contents.number].size
        return _OK

    def on_open(_system: Any, name: bytes | None, file: Any, flags: int, answer: Any) -> int:
        file.contents.methods = None
        layers = waiting.pop(name, None) if name is not None else None
        if layers is None:  # a temporary file: everything is kept in memory
            return _CANTOPEN
        number = next(numbers)
        opened[number] = layers
        file.contents.number = number
        file.contents.methods = c.cast(c.pointer(methods), c.c_void_p)
        if answer:
            answer[0] = flags & ~_OPEN_READWRITE | _OPEN_READONLY
        return _OK

    def on_full_name(_system: Any, name: bytes, room: int, answer: int) -> int:
        if len(name) >= room:
            return _CANTOPEN
        c.memmove(answer, name + b"\0", len(name) + 1)
        return _OK

    def says_no(*arguments: Any) -> int:
        arguments[-1][0] = 0
        return _OK

    def always(code: int) -> Callable[..., int]:
        return lambda *_arguments: code

    def guarded(act: Callable[..., int]) -> Callable[..., int]:
        def guard(*arguments: Any) -> int:
            try:
                return act(*arguments)
            except Exception:  # whatever it is, SQLite must not take it for success
                return _IOERR

        return guard

    acts = {
        "close": on_close, "read": guarded(on_read), "write": always(_READONLY), "truncate": always(_READONLY), "sync": always(_OK),
        "size": guarded(on_size), "lock": always(_OK), "unlock": always(_OK), "reserved": says_no, "control": always(_NOTFOUND),
        "sector": always(_SECTOR), "characteristics": always(_IMMUTABLE),
    }  # fmt: skip
    methods = Methods(1, *(kind(acts[name]) for name, kind in methods_of))
    find.argtypes, find.restype = (c.c_char_p,), c.POINTER(System)
    register.argtypes, register.restype = (c.POINTER(System), c.c_int), c.c_int
    usual = find(None)
    if not usual:
        return None
    system = System(
        1, c.sizeof(File), 512, None, NAME.encode(), None, opening(guarded(on_open)), deleting(always(_OK)), accessing(says_no),
        naming(guarded(on_full_name)), *(getattr(usual.contents, each) for each in others),
    )  # fmt: skip
    if register(c.byref(system), 0) != _OK:
        return None
    return _Made(waiting, numbers, (system, methods, File, opened))
