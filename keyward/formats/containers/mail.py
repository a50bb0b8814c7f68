"""Mail: parts in base64 or quoted-printable, and headers in other words, as they are meant. What is written plainly stands in the raw bytes.

A mailbox (mbox, RFC 4155) is many messages, each after a line that begins with `From `.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import parsedate
from io import BytesIO
from typing import BinaryIO

from keyward.formats.containers.names import moment
from keyward.formats.opened import Container, Member, Piece, Unread

LARGEST = 64 << 20
"""Bytes of one message."""

PARTS = 10_000
_ENCODED = re.compile(
    rb"\n[Cc]ontent-[Tt]ransfer-[Ee]ncoding:\s*[\"']?(?:base64|quoted-printable)|=\?[\w-]+\?[bqBQ]\?", re.IGNORECASE
)
_SEPARATOR = re.compile(rb"^From [^\n]*\d{4}[^\n]*\r?\n(?=[!-9;-~]+:|>?From )", re.MULTILINE)


class MailOpener:
    name = "mail message"
    replaces_raw = False
    hangs = True

    def open(self, container: Container) -> Iterator[Piece]:
        data = container.file.read(LARGEST + 1)
        if len(data) > LARGEST:
            yield Unread("", "larger than 64 MB; it was looked at only as it stands")
            return
        yield from _parts(data, "")


class MailboxOpener:
    name = "mailbox"
    replaces_raw = False
    hangs = True

    def open(self, container: Container) -> Iterator[Piece]:
        for number, data in enumerate(_messages(container.file), 1):
            if data is None:
                yield Unread(f"message {number}", "larger than 64 MB; it was looked at only as it stands")
            else:
                yield from _parts(data, f"message {number}, ")


def _messages(file: BinaryIO) -> Iterator[bytes | None]:
    """The messages of a mailbox; None for one that is too large."""
    held = b""
    begun = too_large = False
    while piece := file.read(1 << 20):
        known = max(0, len(held) - 4096)  # a separator may stand across the border
        held += piece
        last = 0
        for match in _SEPARATOR.finditer(held, known if begun else 0):
            if match.start() <= last and begun:
                continue
            if begun:
                yield None if too_large else held[last : match.start()]
            begun, too_large = True, False
            last = match.start()
        held = held[last:]
        if len(held) > LARGEST:
            too_large, held = True, held[-8192:]
    if held:
        yield None if too_large else held


def _parts(data: bytes, before: str) -> Iterator[Piece]:
    if not _ENCODED.search(data):
        return
    if data.startswith(b"From "):
        data = data.partition(b"\n")[2]
    message = BytesParser(policy=compat32).parse(BytesIO(data))
    since = _since(message)
    headers = _headers(message)
    if headers:
        yield Member(f"{before}headers", BytesIO(headers).read, since)
    for number, part in enumerate(message.walk(), 1):
        if number > PARTS:
            yield Unread(before.rstrip(", "), f"more than {PARTS:,} parts; the rest was looked at only as it stands")
            return
        encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
        if part.is_multipart() or encoding not in ("base64", "quoted-printable"):
            continue
        content = part.get_payload(decode=True)
        if isinstance(content, bytes) and content:
            yield Member(
                before + (_file_name(part) or f"part {number} ({part.get_content_type()})"), BytesIO(content).read, since
            )


def _file_name(part: Message) -> str:
    try:
        return part.get_filename() or ""
    except (LookupError, ValueError, TypeError):  # a name in a character set that does not exist
        return ""


def _headers(message: Message) -> bytes:
    """The headers in encoded words (RFC 2047), decoded, one a line."""
    lines = []
    for name, value in message.items():
        if "=?" not in str(value):
            continue
        try:
            parts = [
                part if isinstance(part, str) else part.decode(charset or "latin-1", "replace")
                for part, charset in decode_header(str(value))
            ]
        except (LookupError, ValueError):
            continue
        lines.append(f"{name}: {''.join(parts)}")
    return "\n".join(lines).encode("utf-8", "replace")


def _since(message: Message) -> float:
    try:
        date = parsedate(str(message.get("date", "")))
        return moment(calendar.timegm((*date[:6], 0, 0, 0))) if date else 0.0
    except (ValueError, OverflowError, TypeError):
        return 0.0
