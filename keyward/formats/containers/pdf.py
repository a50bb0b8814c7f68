"""PDF: the text of each page, the document's properties and the files that are attached, by pypdf."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from keyward.errors import MissingExtra
from keyward.formats.opened import Container, Member, Piece, Unread

PAGES = 10_000


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
            yield from _pieces(document)
        except pypdf.errors.DependencyError:
            yield Unread("", "encrypted", opaque=True)
        except (pypdf.errors.PyPdfError, RecursionError) as error:
            raise ValueError(f"damaged PDF document ({str(error)[:100] or type(error).__name__})") from None


def _pieces(document: Any) -> Iterator[Piece]:
    properties = document.metadata
    if properties:
        text = "\n".join(f"{str(key).lstrip('/')}: {value}" for key, value in properties.items())
        yield _member("properties", text)
    for number, page in enumerate(document.pages, 1):
        if number > PAGES:
            yield Unread("", f"more than {PAGES:,} pages; the rest was looked at only as it stands")
            break
        try:
            text = page.extract_text()
        except Exception as error:  # one page that the library cannot read does not hide the others
            yield Unread(f"page {number}", f"its text cannot be read ({type(error).__name__})")
            continue
        if text:
            yield _member(f"page {number}", text)
    for name, contents in document.attachments.items():
        for content in contents:
            yield Member(f"attachment {name}", BytesIO(content).read)


def _member(name: str, text: str) -> Member:
    return Member(name, BytesIO(text.encode("utf-8", "replace")).read)
