"""Reads a value again from the place where a scan found it."""

from __future__ import annotations

import os

from keyward.model.finding import Locator
from keyward.model.secret import Secret
from keyward.scan.sources.tree import open_regular

LONGEST = 1 << 20


def reread(locator: Locator) -> Secret | None:
    """The value at a locator, or None if the place is gone or cannot be read again (standard input).

    The caller compares its fingerprint: the file may have changed since the scan.
    """
    length = min(locator.end - locator.start, LONGEST)
    if locator.source == "tree":
        try:
            descriptor = open_regular(locator.path, follow=True)
        except OSError:
            return None
        try:
            os.lseek(descriptor, locator.start, os.SEEK_SET)
            data = os.read(descriptor, length)
        except OSError:
            return None
        finally:
            os.close(descriptor)
    elif locator.source == "index":
        data = _from_blob(locator, length)
    else:
        return None
    if len(data) < length:
        return None
    return Secret(data if locator.encoding == "raw" else data.decode(locator.encoding, "replace").encode("utf-8", "replace"))


def _from_blob(locator: Locator, length: int) -> bytes:
    from keyward.scan.git import Repository

    repository = Repository.discover(".")
    if repository is None:
        return b""
    for blob in repository.read_blobs([locator.blob]):
        data = b"".join(blob.chunks)
        return data[locator.start : locator.start + length]
    return b""
