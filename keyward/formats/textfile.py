"""Reads a text file that somebody else may have written: a configuration, a baseline.

Such a file can be a device, a pipe, a link to something private, or endless; so only regular files of bounded size are read,
and no error message repeats what stands in them.
"""

from __future__ import annotations

import os
import stat

from keyward.errors import ConfigError

LARGEST = 32 << 20


def read_text(path: str, *, limit: int = LARGEST) -> str | None:
    """The file's text without a byte order mark and with `\\n` line ends; None if there is no such file.

    Raises ConfigError for anything else that is not a readable, regular UTF-8 file of at most `limit` bytes.
    """
    try:
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot be read: {(error.strerror or 'error').lower()}", path=path) from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ConfigError("is not a regular file", path=path)
        content = _read(descriptor, limit + 1)
    except OSError as error:
        raise ConfigError(f"cannot be read: {(error.strerror or 'error').lower()}", path=path) from None
    finally:
        os.close(descriptor)
    return text_of(content, path, limit=limit)


def text_of(content: bytes, path: str, *, limit: int = LARGEST) -> str:
    """The same of bytes that were read from somewhere else; `path` names them in an error."""
    if len(content) > limit:
        raise ConfigError(f"is larger than {limit >> 20} MB", path=path, hint="Is this the file that you meant?")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError("is not UTF-8 text", path=path, line=line, hint="Save it as UTF-8.") from None
    return text.replace("\r\n", "\n")


def _read(descriptor: int, limit: int) -> bytes:
    """At most `limit` bytes, or all there are."""
    content = b""
    while len(content) < limit and (piece := os.read(descriptor, limit - len(content))):
        content += piece
    return content
