"""Containers of every kind around one file, made by the real programs' libraries where there are any."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import mailbox
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

Pack = Callable[[str, bytes], tuple[str, bytes]]
"""From a file's name and content to the container's."""

MOMENT = 1_700_000_000


def zipped(method: int) -> Pack:
    def pack(name: str, data: bytes) -> tuple[str, bytes]:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            archive.writestr("README", "nothing here")
            archive.writestr(zipfile.ZipInfo(name, (2023, 11, 14, 22, 13, 20)), data, method)
        return f"{_base(name)}.zip", buffer.getvalue()

    return pack


def tarred(form: int) -> Pack:
    def pack(name: str, data: bytes) -> tuple[str, bytes]:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
            link = tarfile.TarInfo("a link")
            link.type, link.linkname = tarfile.SYMTYPE, "../../etc/passwd"
            archive.addfile(link)
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), MOMENT
            archive.addfile(info, io.BytesIO(data))
        return f"{_base(name)}.tar", buffer.getvalue()

    return pack


def packed(ending: str, compress: Callable[[bytes], bytes]) -> Pack:
    return lambda name, data: (f"{_base(name)}{ending}", compress(data))


def zstandard(data: bytes) -> bytes:
    import zstandard as library

    return library.ZstdCompressor().compress(data)


def seven_zipped(name: str, data: bytes) -> tuple[str, bytes]:
    import py7zr

    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w", filters=[{"id": py7zr.FILTER_LZMA2, "preset": 0}]) as archive:
        archive.writestr(data, name)
    return f"{_base(name)}.7z", buffer.getvalue()


def ar(members: list[tuple[str, bytes]]) -> bytes:
    """As ar(5) describes it."""
    parts = [b"!<arch>\n"]
    for name, data in members:
        parts.append(f"{name:<16}{MOMENT:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode())
        parts.append(data + b"\n" * (len(data) % 2))
    return b"".join(parts)


def debian(name: str, data: bytes) -> tuple[str, bytes]:
    _, control = tarred(tarfile.GNU_FORMAT)("control", b"Package: x\n")
    _, files = tarred(tarfile.GNU_FORMAT)(name, data)
    members = [("debian-binary", b"2.0\n"), ("control.tar.gz", gzip.compress(control)), ("data.tar.xz", lzma.compress(files))]
    return f"{_base(name)}.deb", ar(members)


def real_debian(folder: Path, name: str, data: bytes) -> bytes:
    """A package as dpkg-deb builds it."""
    (folder / "DEBIAN").mkdir(parents=True)
    (folder / "DEBIAN" / "control").write_text("Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n")
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    subprocess.run(["dpkg-deb", "--build", str(folder), f"{folder}.deb"], check=True, capture_output=True)
    return Path(f"{folder}.deb").read_bytes()


def cpio(name: str, data: bytes) -> tuple[str, bytes]:
    """The new ASCII form, as cpio(5) describes it."""

    def entry(inner: str, content: bytes, mode: int) -> bytes:
        path = inner.encode() + b"\0"
        numbers = (1, mode, 0, 0, 1, MOMENT, len(content), 0, 0, 0, 0, len(path), 0)
        head = b"070701" + b"".join(b"%08x" % number for number in numbers) + path
        return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)

    return f"{_base(name)}.cpio", entry("folder", b"", 0o40755) + entry(name, data, 0o100644) + entry("TRAILER!!!", b"", 0)


def rpm(name: str, data: bytes) -> tuple[str, bytes]:
    """A lead, two headers with one entry each, and the packed cpio."""

    def header(size: int) -> bytes:
        return b"\x8e\xad\xe8\1" + bytes(4) + (1).to_bytes(4, "big") + size.to_bytes(4, "big") + bytes(16) + bytes(size)

    lead = b"\xed\xab\xee\xdb\3\0" + bytes(90)
    return f"{_base(name)}.rpm", lead + header(5) + bytes(3) + header(7) + gzip.compress(cpio(name, data)[1])


def mail(name: str, data: bytes) -> tuple[str, bytes]:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "x", "a@example.org", "b@example.org"
    message["Date"] = "Tue, 14 Nov 2023 22:13:20 +0000"
    message.set_content("see the attachment")
    message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return f"{_base(name)}.eml", message.as_bytes()


def mails(folder: Path, name: str, data: bytes) -> bytes:
    """A mailbox of three messages, the last with the file."""
    box = mailbox.mbox(folder / "mbox")
    for each in (b"nothing", b"From here on\n", data):
        box.add(mail(name, each)[1])
    box.close()
    return (folder / "mbox").read_bytes()


def _base(name: str) -> str:
    return name.rpartition("/")[2].lstrip(".")


PACKS: dict[str, Pack] = {
    "zip, stored": zipped(zipfile.ZIP_STORED),
    "zip, deflated": zipped(zipfile.ZIP_DEFLATED),
    "zip, bzip2": zipped(zipfile.ZIP_BZIP2),
    "zip, lzma": zipped(zipfile.ZIP_LZMA),
    "tar, ustar": tarred(tarfile.USTAR_FORMAT),
    "tar, gnu": tarred(tarfile.GNU_FORMAT),
    "tar, pax": tarred(tarfile.PAX_FORMAT),
    "gzip": packed(".gz", lambda data: gzip.compress(data, mtime=0)),
    "bzip2": packed(".bz2", bz2.compress),
    "xz": packed(".xz", lzma.compress),
    "lzma": packed(".lzma", lambda data: lzma.compress(data, lzma.FORMAT_ALONE)),
    "zstandard": packed(".zst", zstandard),
    "7z": seven_zipped,
    "deb": debian,
    "cpio": cpio,
    "rpm": rpm,
    "mail": mail,
}

SOME = ("zip, deflated", "tar, pax", "gzip", "zstandard", "7z", "mail", "deb")
"""One of each way to be a container, for those tests that take every triple."""
