"""zip archives, and what is one by another name: jar, wheel, apk, docx, odt.

The directory is read entry by entry and the data until its own end. The standard library's reader holds the whole directory (a million
entries take a gigabyte) and believes the sizes in it, behind which a member can hide what it goes on with. Facts: PKWARE's
APPNOTE.TXT 6.3.10, sections 4.3 to 4.5. Where the directory is missing, the members are found by their own headers.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from io import SEEK_END
from struct import Struct
from typing import BinaryIO, NamedTuple

from keyward.formats.containers.compressed import MEMORY, reader
from keyward.formats.containers.names import Others, dos_moment, moment, text
from keyward.formats.opened import Container, Member, Piece, Unread

_END = Struct("<4s4H2LH")
_END64 = Struct("<4sQ2H2L4Q")
_LOCATOR64 = Struct("<4sLQL")
_ENTRY = Struct("<4s6H3L5H2L")
_LOCAL = Struct("<4s5H3L2H")
_END_MARK, _END64_MARK, _LOCATOR64_MARK = b"PK\5\6", b"PK\6\6", b"PK\6\7"
_ENTRY_MARK, _LOCAL_MARK = b"PK\1\2", b"PK\3\4"

LONGEST_TAIL = _END.size + 0xFFFF
DIRECTORY_STEP = 1 << 20
STEP = 1 << 18
ENCRYPTED, SIZES_FOLLOW, UTF_8, STRONG = 1, 8, 1 << 11, 1 << 13
METHODS = {0: "stored", 8: "deflate", 12: "bzip2", 14: "lzma", 93: "zstandard"}
OTHER_METHODS = {1: "shrink", 6: "implode", 9: "deflate64", 95: "xz", 97: "wavpack", 98: "ppmd", 99: "AES"}


class _Entry(NamedTuple):
    """`start`: of the member's own header in the file. `packed`: bytes of its data, -1 if only its own end says."""

    name: str
    flags: int
    method: int
    packed: int
    start: int
    since: float


class ZipOpener:
    """Members in the order of the directory. Raw bytes are looked at too: what the directory does not list, comments, and what stands
    before an archive that is appended to a program."""

    name = "zip archive"
    replaces_raw = False
    leftovers = "between the members"

    def open(self, container: Container) -> Iterator[Piece]:
        file = container.file
        found = _directory(file)
        if found is None:
            file.seek(0)
            if file.read(2) == b"PK":  # else it is a program with nothing appended to it
                yield from _by_headers(file)
            return
        comment, entries = found
        others = Others()
        try:
            for entry in entries:
                if entry.name.endswith("/") and not entry.packed:
                    others.count()
                else:
                    yield from _piece(file, entry)
        except ValueError as error:
            yield Unread("", str(error))
        if comment:
            yield Member("(comment)", _once(comment))


def _directory(file: BinaryIO) -> tuple[bytes, Iterator[_Entry]] | None:
    """The archive's comment and the entries of its directory; None if there is no end record."""
    size = file.seek(0, SEEK_END)
    file.seek(max(0, size - LONGEST_TAIL))
    tail = file.read(LONGEST_TAIL)
    at = tail.rfind(_END_MARK)
    while at >= 0:
        end = tail[at : at + _END.size]
        if len(end) == _END.size:
            _, _, _, _, _, length, start, comment = _END.unpack(end)
            where = size - len(tail) + at
            length, start, top = _end64(file, where, length, start)
            # where something was put before the archive, all its offsets are less than they should be
            shift = top - length - start
            if length <= top and (shift >= 0 or length == 0):
                return tail[at + _END.size : at + _END.size + comment], _entries(file, start + shift, length, shift)
        at = tail.rfind(_END_MARK, 0, at)
    return None


def _end64(file: BinaryIO, where: int, length: int, start: int) -> tuple[int, int, int]:
    """Length and start of the directory, and where it ends: from the 64-bit record, if one stands before."""
    if where >= _LOCATOR64.size:
        file.seek(where - _LOCATOR64.size)
        mark, _, at, _ = _LOCATOR64.unpack(file.read(_LOCATOR64.size))
        if mark == _LOCATOR64_MARK:
            for place in (where - _LOCATOR64.size - _END64.size, at):
                if 0 <= place < where:
                    file.seek(place)
                    record = file.read(_END64.size)
                    if len(record) == _END64.size and record.startswith(_END64_MARK):
                        *_, length, start = _END64.unpack(record)
                        return length, start, place
    return length, start, where


def _entries(file: BinaryIO, at: int, length: int, shift: int) -> Iterator[_Entry]:
    """The entries of a directory, read piece by piece. Raises ValueError where it is damaged."""
    held, done = b"", 0
    end = at + length
    while True:
        if len(held) - done < _ENTRY.size + 3 * 0xFFFF and at < end:
            file.seek(at)
            more = file.read(min(DIRECTORY_STEP, end - at))
            if not more:
                raise ValueError("the directory ends before its end (truncated)")
            at += len(more)
            held, done = held[done:] + more, 0
        if len(held) - done < _ENTRY.size:
            if held[done:].startswith(_ENTRY_MARK):
                raise ValueError("the directory is damaged")
            return
        fields = _ENTRY.unpack_from(held, done)
        if fields[0] != _ENTRY_MARK:
            raise ValueError("the directory is damaged")
        _, _, _, flags, method, time, date, _, packed, whole, names, extras, comments, _, _, _, start = fields
        first = done + _ENTRY.size
        extra = held[first + names : first + names + extras]
        name = _name(held[first : first + names], flags)
        since = dos_moment(date, time)
        for tag, value in _extras(extra):
            if tag == 1:
                packed, start = _wide(value, packed, whole, start)
            elif tag == 0x5455 and len(value) >= 5 and value[0] & 1:
                since = moment(int.from_bytes(value[1:5], "little", signed=True)) or since
        yield _Entry(name, flags, method, packed, start + shift, since)
        done = first + names + extras + comments


def _extras(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(data):
        tag, length = int.from_bytes(data[at : at + 2], "little"), int.from_bytes(data[at + 2 : at + 4], "little")
        yield tag, data[at + 4 : at + 4 + length]
        at += 4 + length


def _wide(value: bytes, packed: int, whole: int, start: int) -> tuple[int, int]:
    """The 64-bit forms of the fields that are all ones, in the order that the format gives them."""
    at = 8 if whole == 0xFFFFFFFF else 0
    if packed == 0xFFFFFFFF:
        packed = int.from_bytes(value[at : at + 8], "little")
        at += 8
    if start == 0xFFFFFFFF:
        start = int.from_bytes(value[at : at + 8], "little")
    return packed, start


def _name(name: bytes, flags: int) -> str:
    """UTF-8 where it says so or is; else the code page of the first PCs."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return text(name) if flags & UTF_8 else name.decode("cp437")


def _piece(file: BinaryIO, entry: _Entry) -> Iterator[Piece]:
    if entry.flags & (ENCRYPTED | STRONG):
        yield Unread(entry.name, "encrypted", opaque=True)
        return
    if entry.method not in METHODS:
        method = OTHER_METHODS.get(entry.method, f"method {entry.method}")
        yield Unread(entry.name, f"packed in a way that nothing here reads ({method})", opaque=True)
        return
    file.seek(max(0, entry.start))
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(_LOCAL_MARK):
        yield Unread(entry.name, "damaged: it is not where the directory says")
        return
    *_, names, extras = _LOCAL.unpack(header)
    data = _Data(file, entry.start + _LOCAL.size + names + extras, entry.packed)
    yield Member(entry.name, _unpacked(data, entry.method), entry.since, packed=entry.packed)


class _Data:
    """The packed bytes of one member. `left`: how many are to come; -1: as many as the file has."""

    def __init__(self, file: BinaryIO, start: int, left: int) -> None:
        self._file = file
        self.at = start
        self._left = left

    def read(self, size: int) -> bytes:
        if self._left >= 0:
            size = min(size, self._left)
        self._file.seek(self.at)
        piece = self._file.read(size)
        self.at += len(piece)
        if self._left >= 0:
            self._left -= len(piece)
            if not piece and self._left:
                raise ValueError("it ends before its end (truncated)")
        return piece


def _unpacked(data: _Data, method: int) -> Callable[[int], bytes]:
    if method == 0:
        return data.read
    if method == 93:
        return reader("zstandard", data)  # type: ignore[arg-type]
    return _Unpacker(data, method).read


class _Unpacker:
    """Reads until the packed data says that it ends, whatever size the directory gives."""

    def __init__(self, data: _Data, method: int) -> None:
        self._data = data
        self._method = method
        self._inflate = zlib.decompressobj(-15)
        self._other: bz2.BZ2Decompressor | lzma.LZMADecompressor | None = bz2.BZ2Decompressor() if method == 12 else None
        self.rest = b""
        self._ended = False

    def read(self, size: int) -> bytes:
        while not self._ended:
            try:
                piece = self._deflated(size) if self._method == 8 else self._step(size)
            except (zlib.error, lzma.LZMAError, EOFError, OSError) as error:
                self._ended = True
                raise ValueError(f"damaged data ({str(error)[:100]})") from None
            if piece:
                return piece
        return b""

    def _more(self) -> bytes:
        data = self._data.read(STEP)
        if not data:
            self._ended = True
            raise ValueError("its data ends before its end (truncated)")
        return data

    def _deflated(self, size: int) -> bytes:
        held = self._inflate.unconsumed_tail
        piece = self._inflate.decompress(held, size) if held else b""
        if not piece and not self._inflate.eof:
            piece = self._inflate.decompress(self._inflate.unconsumed_tail + self._more(), size)
        if self._inflate.eof:
            self._ended = True
            self.rest = self._inflate.unused_data
        return piece

    def _step(self, size: int) -> bytes:
        if self._other is None:  # lzma in a zip: a version, the length of the properties, the properties, raw data
            head = self._data.read(4)
            properties = self._data.read(int.from_bytes(head[2:4], "little"))
            if len(properties) < 5 or properties[0] >= 225:
                raise EOFError("no lzma properties")
            dictionary = int.from_bytes(properties[1:5], "little")
            if dictionary > MEMORY:
                raise EOFError("it wants a dictionary larger than 256 MB")
            which, rest = properties[0] % 9, properties[0] // 9
            if which + rest % 5 > 4:
                raise EOFError("lzma properties out of range")
            self._other = lzma.LZMADecompressor(
                lzma.FORMAT_RAW,
                filters=[
                    {"id": lzma.FILTER_LZMA1, "dict_size": max(dictionary, 4096), "lc": which, "lp": rest % 5, "pb": rest // 5}
                ],
            )
        if self._other.eof:
            self._ended = True
            self.rest = self._other.unused_data
            return b""
        if not self._other.needs_input:
            return self._other.decompress(b"", size)
        data = self._data.read(STEP)
        if not data:  # lzma data need not say that it ends
            self._ended = True
            if self._method == 14:
                return b""
            raise ValueError("its data ends before its end (truncated)")
        return self._other.decompress(data, size)


def _once(data: bytes) -> Callable[[int], bytes]:
    pieces = [data]
    return lambda size: pieces.pop() if pieces else b""


def _by_headers(file: BinaryIO) -> Iterator[Piece]:
    """The members of an archive without a directory, from one header to the next."""
    yield Unread("", "its directory is missing (truncated?); what could be found without it was looked at")
    file.seek(0)
    at = file.read(STEP).find(_LOCAL_MARK)
    while at >= 0:
        file.seek(at)
        header = file.read(_LOCAL.size)
        if len(header) < _LOCAL.size or not header.startswith(_LOCAL_MARK):
            return
        _, _, flags, method, time, date, _, packed, _, names, extras = _LOCAL.unpack(header)
        name = _name(file.read(names), flags)
        start = at + _LOCAL.size + names + extras
        if flags & SIZES_FOLLOW and not flags & ENCRYPTED and method in (8, 12):
            data = _Data(file, start, -1)
            unpacker = _Unpacker(data, method)
            yield Member(name, unpacker.read, dos_moment(date, time))
            while unpacker.read(STEP):  # whoever had enough of it: its end leads to the next one
                pass
            at = _next_header(file, data.at - len(unpacker.rest))
        elif flags & SIZES_FOLLOW:
            return
        else:
            yield from _piece(file, _Entry(name, flags, method, packed, at, dos_moment(date, time)))
            at = start + packed


def _next_header(file: BinaryIO, at: int) -> int:
    """Where the next member's header begins, behind the sizes that follow the data."""
    file.seek(at)
    found = file.read(64).find(_LOCAL_MARK)
    return at + found if found >= 0 else -1
