"""PDF: the text of each page, the document's properties and the files that are attached.

pypdf reads them; the text of a document of many pages, which takes it a hundredth of a second a page, is left to PDFium in a process of its own
(`pdf_text`), where that is installed.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from io import BytesIO
from typing import IO, Any, BinaryIO

from keyward.errors import MissingExtra
from keyward.formats.containers import pdf_text
from keyward.formats.opened import Container, Member, Piece, Unread

PAGES = 10_000

FEW = 8
"""Pages that pypdf reads before another process has started."""


class PdfOpener:
    """The raw bytes are looked at too: a text in them need not be packed."""

    name = "PDF document"
    replaces_raw = False
    hangs = True

    def open(self, container: Container) -> Iterator[Piece]:
        try:
            import pypdf
        except ImportError:
            raise MissingExtra("pypdf, which reads PDF documents,", "documents") from None
        import logging

        logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)  # it speaks of hostile bytes, which are ours to report
        try:
            document = pypdf.PdfReader(container.file)
            if document.is_encrypted and not document.decrypt(""):
                yield Unread("", "encrypted", opaque=True)
                return
            yield from _pieces(document, container.file)
        except pypdf.errors.DependencyError:
            yield Unread("", "encrypted", opaque=True)
        except (pypdf.errors.PyPdfError, RecursionError) as error:
            raise ValueError(f"damaged PDF document ({str(error)[:100] or type(error).__name__})") from None


def _pieces(document: Any, file: BinaryIO) -> Iterator[Piece]:
    properties = document.metadata
    if properties:
        text = "\n".join(f"{str(key).lstrip('/')}: {value}" for key, value in properties.items())
        yield _member("properties", text)
    by_pdfium = len(document.pages) > FEW and find_spec("pypdfium2") is not None
    try:
        yield from _by_pdfium(file) if by_pdfium else _by_pypdf(document)
    except _CannotOpen:
        yield from _by_pypdf(document)
    for name, contents in document.attachments.items():
        for content in contents:
            yield Member(f"attachment {name}", BytesIO(content).read)


def _by_pypdf(document: Any) -> Iterator[Piece]:
    for number, page in enumerate(document.pages, 1):
        if number > PAGES:
            yield _too_many()
            break
        try:
            text = page.extract_text()
        except Exception as error:  # one page that the library cannot read does not hide the others
            yield Unread(f"page {number}", f"its text cannot be read ({type(error).__name__})")
            continue
        if text:
            yield _member(f"page {number}", text)


class _CannotOpen(Exception):
    """PDFium reads nothing of it; pypdf may."""


def _by_pdfium(file: BinaryIO) -> Iterator[Piece]:
    command = [sys.executable, "-I", pdf_text.__file__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_ENVIRONMENT
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        number = 0
        try:
            try:
                file.seek(0)
                shutil.copyfileobj(file, process.stdin)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it has ended: the end of its answer says how
            while (size := _size(process.stdout)) not in (None, pdf_text.END):
                number += 1
                if number > PAGES:
                    yield _too_many()
                    return
                if size == pdf_text.BAD_PAGE:
                    yield Unread(f"page {number}", "its text cannot be read")
                    continue
                text = process.stdout.read(size)
                if len(text) < size:
                    size = None
                    break
                if text:
                    yield Member(f"page {number}", BytesIO(text).read)
            if size is None:
                code = process.wait()
                if not number:
                    raise _CannotOpen
                yield Unread(
                    f"page {number}",
                    f"reading its text ended with code {code}; it and what follows was looked at only as it stands",
                )
        finally:
            process.kill()


_ENVIRONMENT = {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}


def _size(stream: IO[bytes]) -> int | None:
    """The next length, None if there is none."""
    head = stream.read(4)
    return int(struct.unpack(">I", head)[0]) if len(head) == 4 else None


def _too_many() -> Unread:
    return Unread("", f"more than {PAGES:,} pages; the rest was looked at only as it stands")


def _member(name: str, text: str) -> Member:
    return Member(name, BytesIO(text.encode("utf-8", "replace")).read)
