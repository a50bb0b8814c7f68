"""Ways to plant a canary: in a text, in a table, in an archive, where nobody can read it."""

from __future__ import annotations

import hashlib
import io
import sqlite3
import zipfile
from collections.abc import Callable

from keyward.testing.planted_home import Home


def text_file(home: Home, place: str, path: str, make: Callable[[str], str | bytes], *, where: str = "") -> None:
    """A file that `make` gives from its canary."""
    home.write(path, make(home.canary(place, path, where=where)))


def sqlite_file(home: Home, path: str, table: str, insert: str, rows: list[tuple[object, ...]]) -> None:
    connection = sqlite3.connect(home.path(path))
    connection.execute(table)
    connection.executemany(insert, rows)
    connection.commit()
    connection.close()


def encrypted(value: str) -> bytes:
    """Bytes that nobody can read."""
    return hashlib.shake_256(value.encode()).digest(len(value) + 40)


def zipped(members: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
