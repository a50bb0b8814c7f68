"""Looks for values wherever something of the drill lies, without a line of keyward's own readers: raw bytes, what is packed, what git
keeps, what databases hold; in every writing that programs give a text."""

from __future__ import annotations

import base64
import gzip
import os
import re
import subprocess
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote_from_bytes

import zstandard

PLAIN = "as it is"

_FRAME = b"\x28\xb5\x2f\xfd"
"""How a frame of zstd begins."""

_WORD = re.compile(rb"[0-9A-Za-z]{12,}")
"""What a full-text index keeps of a value: its runs of letters and digits, in lower case."""

_SHARED = 3
"""Characters at the beginning of a word that an index may leave out, because the word before it begins with the same."""


class Echo(NamedTuple):
    """`name`: whose value. `where`: the file, and what in it. `writing`: how it is written there."""

    name: str
    where: str
    writing: str


class Search:
    """`values`: what is looked for, by name."""

    def __init__(self, values: Mapping[str, bytes]) -> None:
        forms = {form: (name, writing) for name, value in values.items() for writing, form in writings(value).items()}
        self._names = forms
        self._find = _finder(sorted(forms, key=len, reverse=True))

    def bytes(self, data: bytes, where: str) -> Iterator[Echo]:
        """What stands in some bytes, and in the frames of zstd and the streams of gzip within."""
        for form in self._find(data):
            name, writing = self._names[form]
            yield Echo(name, where, writing)
        for unpacked, how in _unpacked(data):
            yield from self.bytes(unpacked, f"{where} ({how})")

    def file(self, path: str) -> Iterator[Echo]:
        with open(path, "rb") as file:
            yield from self.bytes(file.read(), path)

    def tree(self, folder: str, *, without: Iterable[str] = ()) -> Iterator[Echo]:
        """Every file below a folder. `without`: paths that are left out. git's objects are read through git."""
        left_out = set(without)
        for place, folders, names in os.walk(folder):
            if os.path.basename(place) == ".git":
                yield from self._repository(place)
            folders[:] = [name for name in folders if os.path.join(place, name) not in left_out]
            for name in names:
                path = os.path.join(place, name)
                if path not in left_out and os.path.isfile(path) and not os.path.islink(path):
                    yield from self.file(path)

    def _repository(self, folder: str) -> Iterator[Echo]:
        """Every object, those that nothing reaches included."""
        command = ["git", "--git-dir", folder, "cat-file", "--batch-all-objects", "--batch", "--unordered"]
        done = subprocess.run(command, capture_output=True, check=True, stdin=subprocess.DEVNULL)
        yield from self.bytes(done.stdout, f"{folder} (its objects)")


def _finder(forms: list[bytes]) -> Callable[[bytes], Iterable[bytes]]:
    """From some bytes to the forms that stand in them."""
    try:
        import hyperscan
    except ImportError:
        pattern = re.compile(b"|".join(map(re.escape, forms)))
        return lambda data: dict.fromkeys(pattern.findall(data))
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    expressions = ["".join(f"\\x{byte:02x}" for byte in form).encode() for form in forms]
    once = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_DOTALL
    database.compile(expressions=expressions, ids=list(range(len(forms))), flags=[once] * len(forms))

    def find(data: bytes) -> Iterable[bytes]:
        found: dict[int, None] = {}
        database.scan(data, lambda number, start, end, flags, context: found.__setitem__(number, None))
        return [forms[number] for number in sorted(found)]

    return find


def writings(value: bytes) -> dict[str, bytes]:
    """The ways in which a value may be written down, by name; equal ones once."""
    text = value.decode()
    made = {
        PLAIN: value,
        "in lower case": value.lower(),
        "percent-encoded": quote_from_bytes(value, safe="").encode(),
        "in hexadecimal": value.hex().encode(),
        "in UTF-16": text.encode("utf-16-le"),
        "backwards": value[::-1],
    }
    for shift in range(3):
        # the characters at either end depend on the neighbours, and are left out
        coded = base64.b64encode(bytes(shift) + value + bytes(-(shift + len(value)) % 3))
        sure = coded[(0, 2, 3)[shift] : len(coded) - (0, 3, 2)[(shift + len(value)) % 3]]
        made[f"in base64, {shift} bytes in"] = sure
        made[f"in base64 of addresses, {shift} bytes in"] = sure.translate(bytes.maketrans(b"+/", b"-_"))
    for word in _WORD.findall(value):
        made[f"its word of {len(word)} characters, in lower case"] = word.lower()[_SHARED:]
    unique: dict[bytes, str] = {}
    for writing, form in made.items():
        unique.setdefault(form, writing)
    return {writing: form for form, writing in unique.items()}


def by_place(echoes: Iterable[Echo]) -> dict[str, list[str]]:
    """What stands in each place: the names, and how each is written there where that is not plain."""
    places: dict[str, dict[str, set[str]]] = {}
    for each in echoes:
        places.setdefault(each.where, {}).setdefault(each.name, set()).add(each.writing)
    return {
        where: [name if PLAIN in how else f"{name} ({', '.join(sorted(how))})" for name, how in names.items()]
        for where, names in places.items()
    }


def _unpacked(data: bytes) -> Iterator[tuple[bytes, str]]:
    if data.startswith(b"\x1f\x8b"):
        try:
            yield gzip.decompress(data), "gzip"
        except (OSError, EOFError, zlib.error):
            pass  # whoever must be able to read it says so
    at = data.find(_FRAME)
    while at >= 0:
        try:
            yield zstandard.ZstdDecompressor().decompressobj().decompress(data[at:]), "zstd"
        except zstandard.ZstdError:
            pass  # four bytes that only look like it, or a page's end cuts it
        at = data.find(_FRAME, at + 1)
