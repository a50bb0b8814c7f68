"""Where an open file holds data, and where it is a hole, which reads as NULs and takes no room. Where others stand in the file does not change."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

NextData = Callable[[int], "tuple[int, int] | None"]
"""Where the next data at an offset or behind it begin and end; None if there are none. May call a hole data, never data a hole."""

WHOLE = 1 << 62
"""An end behind every file's."""


def data_in(descriptor: int) -> NextData | None:
    """Where an open file has data, if the system can tell. A file system that cannot has data everywhere."""
    if not hasattr(os, "SEEK_DATA") or not hasattr(os, "pread"):
        return None

    def next_data(offset: int) -> tuple[int, int] | None:
        stands = os.lseek(descriptor, 0, os.SEEK_CUR)
        try:
            first = os.lseek(descriptor, offset, os.SEEK_DATA)
            last = os.lseek(descriptor, first, os.SEEK_HOLE)
        except OSError as error:
            return None if error.errno == errno.ENXIO else (offset, WHOLE)
        finally:
            os.lseek(descriptor, stands, os.SEEK_SET)  # a buffered reader of the same file relies on it
        return (first, last) if offset <= first < last else (offset, WHOLE)

    return next_data


def read_at(descriptor: int, offset: int, size: int) -> bytes:
    """That many bytes from an offset on; fewer only at the end of the file. Raises OSError."""
    pieces = []
    while size > 0:
        piece = os.pread(descriptor, size, offset)
        if not piece:
            break
        pieces.append(piece)
        offset += len(piece)
        size -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
