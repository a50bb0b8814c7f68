"""zip archives: the bytes of every member that does not change stay as they are, headers, order, times and comments included.

Facts: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.4. What is signed or lists the hashes of its members is not rewritten.
"""

from __future__ import annotations

import bz2
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from io import BytesIO
from struct import Struct

from keyward.scrub.stores.content import MOST, Part, TooLarge

_LOCAL = Struct("<4s5H3L2H")
_ENTRY = Struct("<4s6H3L5H2L")
_END = Struct("<4s4H2LH")
_SIZES_FOLLOW = 8
_ENCRYPTED = 1
_APK_MARK = b"APK Sig Block 42"
_PACKERS = (0, 8, 12)
"""Methods that can be written: stored, deflate, bzip2."""


class ZipRewriter:
    """Rewrites zip archives."""

    name = "zip archive"

    def refusal(self, data: bytes) -> str:
        """jar and apk: JAR File Specification, "Signed JAR File"; APK Signature Scheme v2. Wheels: PEP 376, RECORD. Documents: ECMA-376 and
        OpenDocument 1.3 part 2 allow signatures and are written by programs that look for them."""
        names = self._archive(data).namelist()
        upper = [name.upper() for name in names]
        if (
            any(name.startswith("META-INF/") and name.endswith((".SF", ".RSA", ".DSA", ".EC")) for name in upper)
            or _APK_MARK in data
        ):
            return "stands in an archive that is signed: build it anew without the value"
        if any(name.endswith(".dist-info/RECORD") for name in names):
            return "stands in a wheel, which lists the hashes of its files: build it anew without the value"
        if "[Content_Types].xml" in names or (names and names[0] == "mimetype"):
            return "stands in a document: take it out in the program that wrote it"
        if not data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return "stands in an archive behind a program: build it anew without the value"
        return ""

    def parts(self, data: bytes, called: str) -> Iterator[Part]:
        archive = self._archive(data)
        left = MOST
        for number, entry in enumerate(archive.infolist()):
            if entry.is_dir() or entry.flag_bits & _ENCRYPTED:
                continue
            left -= entry.file_size
            if left < 0:
                raise TooLarge("there is too much in it to be held in memory")
            try:
                with archive.open(entry) as member:
                    content = member.read(entry.file_size + 1)
            except (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, OSError, RuntimeError) as error:
                raise ValueError(f"damaged, or packed in a way that nothing here reads ({type(error).__name__})") from None
            yield Part(number, entry.filename, content)

    def rewritten(self, data: bytes, changes: Mapping[int, bytes]) -> bytes:
        archive = self._archive(data)
        entries = archive.infolist()
        directory = archive.start_dir
        by_place = sorted(range(len(entries)), key=lambda number: entries[number].header_offset)
        out: list[bytes] = []
        size = 0
        patched: dict[int, tuple[int, int, int, int, int]] = {}
        for index, number in enumerate(by_place):
            entry = entries[number]
            behind = entries[by_place[index + 1]].header_offset if index + 1 < len(by_place) else directory
            piece = data[entry.header_offset : behind]
            flags, crc, packed, whole = entry.flag_bits, entry.CRC, entry.compress_size, entry.file_size
            if number in changes:
                piece, flags, crc, packed, whole = _member(piece, entry, changes[number])
            patched[number] = (size, flags, crc, packed, whole)
            out.append(piece)
            size += len(piece)
        if by_place and entries[by_place[0]].header_offset:
            raise ValueError("something stands before the first member")
        new_directory = _directory(data, directory, [patched[number] for number in range(len(entries))])
        at = data.rfind(b"PK\5\6")
        mark, disk, first, here, total, _, _, comment = _END.unpack_from(data, at)
        end = _END.pack(mark, disk, first, here, total, len(new_directory), size, comment) + data[at + _END.size :]
        return b"".join((*out, new_directory, end))

    @staticmethod
    def _archive(data: bytes) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(BytesIO(data))
        except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError) as error:
            raise ValueError(f"damaged ({type(error).__name__})") from None


def _member(piece: bytes, entry: zipfile.ZipInfo, content: bytes) -> tuple[bytes, int, int, int, int]:
    """A member with its new bytes: header and data; flags, checksum, packed size, size. What followed the data is dropped: the header says it all."""
    if entry.compress_type not in _PACKERS:
        raise ValueError(f"a member packed by method {entry.compress_type}")
    fields = list(_LOCAL.unpack_from(piece))
    names, extras = fields[9], fields[10]
    flags = fields[2] & ~_SIZES_FOLLOW
    packed = content
    if entry.compress_type == 8:
        compressor = zlib.compressobj(-1, zlib.DEFLATED, -15)
        packed = compressor.compress(content) + compressor.flush()
    elif entry.compress_type == 12:
        packed = bz2.compress(content)
    crc = zlib.crc32(content)
    fields[2], fields[6], fields[7], fields[8] = flags, crc, len(packed), len(content)
    head = _LOCAL.pack(*fields) + piece[_LOCAL.size : _LOCAL.size + names + extras]
    return head + packed, flags, crc, len(packed), len(content)


def _directory(data: bytes, at: int, patched: list[tuple[int, int, int, int, int]]) -> bytes:
    """The directory with new places, sizes and checksums. Raises ValueError for 64-bit entries."""
    out: list[bytes] = []
    for start, flags, crc, packed, whole in patched:
        fields = list(_ENTRY.unpack_from(data, at))
        if fields[0] != b"PK\1\2" or 0xFFFFFFFF in (fields[8], fields[9], fields[16]):
            raise ValueError("a directory with 64-bit entries")
        length = fields[10] + fields[11] + fields[12]
        fields[3], fields[7], fields[8], fields[9], fields[16] = flags, crc, packed, whole, start
        out.append(_ENTRY.pack(*fields) + data[at + _ENTRY.size : at + _ENTRY.size + length])
        at += _ENTRY.size + length
    return b"".join(out)
