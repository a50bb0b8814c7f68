"""Which opener a file wants: by its first bytes, else by its name where a format has no mark of its own.

A format's module is imported when the first such file is met.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from keyward.formats.opened import Opener

HEAD = 4096
"""First bytes that an opener is chosen by."""


class _Format(NamedTuple):
    """`fits`: whether the name (lower case) and the head are of the format. `make`: its opener."""

    start: bytes
    make: Callable[[], Opener]
    fits: Callable[[str, bytes], bool] = lambda name, head: True


def opener_for(name: str, head: bytes) -> Opener | None:
    """The opener for a file of that name (a path, or a member's name) which begins with `head` (`HEAD` bytes, or all it has)."""
    lowered = name.lower()
    for form in _BY_START:
        if head.startswith(form.start) and form.fits(lowered, head):
            return form.make()
    if head[257:262] == b"ustar":
        return _tar()
    ending = lowered.rpartition("/")[2].rpartition(".")[2]
    by_name = _BY_ENDING.get(ending)
    if by_name is not None and head and by_name.fits(lowered, head):
        return by_name.make()
    if head.startswith(_MAIL_STARTS) and b"\n" in head and _is_mail(lowered, head):
        return _mail()
    return None


def _compressed(what: str) -> Callable[[], Opener]:
    def make() -> Opener:
        from keyward.formats.containers import compressed

        return compressed.opener(what)

    return make


def _tar() -> Opener:
    from keyward.formats.containers.tar import TarOpener

    return TarOpener()


def _zip() -> Opener:
    from keyward.formats.containers.zip import ZipOpener

    return ZipOpener()


def _seven_zip() -> Opener:
    from keyward.formats.containers.seven_zip import SevenZipOpener

    return SevenZipOpener()


def _sqlite() -> Opener:
    from keyward.formats.sqlite import SqliteOpener

    return SqliteOpener()


def _pdf() -> Opener:
    from keyward.formats.containers.pdf import PdfOpener

    return PdfOpener()


def _debian() -> Opener:
    from keyward.formats.containers.ar import ArOpener

    return ArOpener()


def _cpio() -> Opener:
    from keyward.formats.containers.cpio import CpioOpener

    return CpioOpener()


def _rpm() -> Opener:
    from keyward.formats.containers.rpm import RpmOpener

    return RpmOpener()


def _mail() -> Opener:
    from keyward.formats.containers.mail import MailOpener

    return MailOpener()


def _mailbox() -> Opener:
    from keyward.formats.containers.mail import MailboxOpener

    return MailboxOpener()


def _pyc() -> Opener:
    from keyward.formats.containers.pyc import PycOpener

    return PycOpener()


def _pickle() -> Opener:
    from keyward.formats.containers.pickles import PickleOpener

    return PickleOpener()


def _unreadable(what: str) -> Callable[[], Opener]:
    def make() -> Opener:
        from keyward.formats.containers.unreadable import UnreadableOpener

        return UnreadableOpener(what)

    return make


def _bzip_block(name: str, head: bytes) -> bool:
    return head[3:4].isdigit() and (head[4:10] in (b"1AY&SY", b"\x17rE8P\x90") or len(head) < 10)


def _is_old_tar(name: str, head: bytes) -> bool:
    """A tar from before `ustar` has no mark but a checksum: the sum of its first 512 bytes, the sum itself taken for spaces."""
    if len(head) < 512:
        return False
    try:
        noted = int(head[148:156].strip(b" \0") or b"x", 8)
    except ValueError:
        return False
    return noted == sum(head[:148]) + 256 + sum(head[156:512])


def _is_zlib(name: str, head: bytes) -> bool:
    return len(head) > 2 and head[0] == 0x78 and int.from_bytes(head[:2], "big") % 31 == 0


def _is_alone_lzma(name: str, head: bytes) -> bool:
    return head[0] < 225 and head[5:13] != b""


_MAIL_STARTS = (
    b"Return-Path:", b"Received:", b"Delivered-To:", b"MIME-Version:", b"Message-ID:", b"Message-Id:", b"X-Original-To:", b"From: ",
    b"Date: ", b"Subject: ", b"To: ", b"From ", b"X-Mozilla-Status:", b"X-Account-Key:",
)  # fmt: skip


def _is_mail(name: str, head: bytes) -> bool:
    """Whether it is a message without the name of one (Maildir gives none): two lines of the head that only messages have."""
    lowered = head.lower()
    return b"\nmime-version:" in b"\n" + lowered and (b"content-transfer-encoding:" in lowered or b"multipart/" in lowered)


def _is_mailbox(name: str, head: bytes) -> bool:
    first, _, rest = head.partition(b"\n")
    return len(first.split()) >= 6 and b":" in rest.partition(b"\n")[0] and first.rstrip()[-4:].isdigit()


def _is_debian(name: str, head: bytes) -> bool:
    return head[8:21] == b"debian-binary"


def _is_cpio(name: str, head: bytes) -> bool:
    """Whether numbers follow the mark, which is itself what a list of numbers may begin with."""
    old = head.startswith(b"070707")
    fields = head[6 : 76 if old else 110]
    return len(fields) == (70 if old else 104) and not fields.strip(b"01234567" if old else b"0123456789abcdefABCDEF")


def _is_pickle_0(name: str, head: bytes) -> bool:
    return head[0] != 0x80 and head[0] in b"(cIFNSVLKMJGUXT])}]Bi\x8e"


def _zip_behind(name: str, head: bytes) -> bool:
    return head.startswith((b"#!", b"MZ", b"\x7fELF", b"PK"))


_BY_START = (
    _Format(b"\x1f\x8b", _compressed("gzip")),
    _Format(b"PK\x03\x04", _zip),
    _Format(b"PK\x05\x06", _zip),
    _Format(b"PK\x07\x08", _zip),
    _Format(b"PK00PK\x03\x04", _zip),
    _Format(b"BZh", _compressed("bzip2"), _bzip_block),
    _Format(b"\xfd7zXZ\0", _compressed("xz")),
    _Format(b"\x28\xb5\x2f\xfd", _compressed("zstandard")),
    _Format(b"SQLite format 3\0", _sqlite),
    _Format(b"%PDF-", _pdf),
    _Format(b"7z\xbc\xaf\x27\x1c", _seven_zip),
    _Format(b"!<arch>\n", _debian, _is_debian),
    _Format(b"070701", _cpio, _is_cpio),
    _Format(b"070702", _cpio, _is_cpio),
    _Format(b"070707", _cpio, _is_cpio),
    _Format(b"\xed\xab\xee\xdb", _rpm),
    _Format(b"From ", _mailbox, _is_mailbox),
    _Format(b"Rar!\x1a\x07", _unreadable("rar archive")),
    _Format(b"MSCF\0\0\0\0", _unreadable("cabinet archive")),
    _Format(b"\x04\x22\x4d\x18", _unreadable("lz4")),
    _Format(b"LZIP\x01", _unreadable("lzip")),
    _Format(b"\x89LZO\0\r\n\x1a\n", _unreadable("lzop")),
    _Format(b"\x1f\x9d", _unreadable("compress (.Z)"), lambda name, head: name.endswith(".z")),
    _Format(b"hsqs", _unreadable("squashfs image")),
    _Format(b"xar!\0\x1c", _unreadable("xar archive")),
)

_BY_ENDING = {
    **{ending: _Format(b"", _mail, lambda name, head: b":" in head) for ending in ("eml", "mht", "mhtml")},
    **{ending: _Format(b"", _zip, _zip_behind) for ending in ("zip", "jar", "pyz", "pex", "exe", "xpi", "crx", "whl", "shiv")},
    **{ending: _Format(b"", _compressed("zlib"), _is_zlib) for ending in ("zlib", "zz")},
    **{ending: _Format(b"", _pickle, _is_pickle_0) for ending in ("pkl", "pickle", "joblib")},
    "pyc": _Format(b"", _pyc, lambda name, head: head[2:4] == b"\r\n"),
    "tar": _Format(b"", _tar, _is_old_tar),
    "lzma": _Format(b"", _compressed("lzma"), _is_alone_lzma),
}
