"""Reads a value again from the place where a scan found it, through the containers that it stands in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from keyward.model.finding import Locator
from keyward.model.secret import Secret
from keyward.scan.sources.tree import open_regular

if TYPE_CHECKING:
    from keyward.formats.opened import Limits

LONGEST = 1 << 20


def reread(locator: Locator, limits: Limits | None = None) -> Secret | None:
    """The value at a locator, or None if the place is gone or cannot be read again (standard input). `limits`: those of the scan.

    The caller compares its fingerprint: the file may have changed since the scan.
    """
    length = min(locator.end - locator.start, LONGEST)
    if locator.source not in ("tree", "index", "history") or length < 0:
        return None
    try:
        with _opened(locator) as file:
            data = _inside(locator, file, length, limits) if locator.container else _at(file, locator.start, length)
    except OSError:
        return None
    if len(data) < length:
        return None
    return _meant(data, locator.encoding)


def read_source(locator: Locator, most: int, limits: Limits | None = None) -> bytes | None:
    """The first bytes, at most so many, of the file, member or record that a locator's offsets count in; None if it is gone. For whoever
    looks for what stands beside a value."""
    if locator.source not in ("tree", "index", "history"):
        return None
    try:
        with _opened(locator) as file:
            return _inside(locator._replace(start=0), file, most, limits) if locator.container else file.read(most)
    except OSError:
        return None


def _meant(data: bytes, encoding: str) -> Secret | None:
    """The value that the bytes stand for."""
    if encoding == "raw":
        return Secret(data)
    from keyward.scan.other_readings import decoder

    decode = decoder(encoding)
    return Secret(decode(data)) if decode is not None else None


@contextmanager
def _opened(locator: Locator) -> Iterator[BinaryIO]:
    """The file or object that a locator begins at. Raises OSError."""
    if locator.source == "tree":
        descriptor = open_regular(locator.path, follow=True)
        with open(descriptor, "rb") as file:
            yield file
        return
    from io import BytesIO

    yield BytesIO(_blob(locator))


def _at(file: BinaryIO, start: int, length: int) -> bytes:
    file.seek(start)
    return file.read(length)


def _inside(locator: Locator, file: BinaryIO, length: int, limits: Limits | None) -> bytes:
    from keyward.scan.follow import follow

    return follow(locator, file, length, limits)


def _blob(locator: Locator) -> bytes:
    """The content of an object, from the repository of this folder or of the one that the path lies in."""
    from keyward.errors import GitError
    from keyward.scan.git import Repository

    folder = os.path.dirname(locator.path) or "."
    while folder not in (".", "/", "") and not os.path.isdir(folder):
        folder = os.path.dirname(folder) or "."
    for start in dict.fromkeys((".", folder)):
        repository = Repository.discover(start)
        if repository is None:
            continue
        try:
            for blob in repository.read_blobs([locator.blob], any_kind=True):  # a message is an object, too
                if not blob.missing:
                    return blob.everything()
        except GitError:
            continue
    return b""
