"""The text of a document's pages by PDFium, as a program of its own: `python -I pdf_text.py < document`.

PDFium reads a page ten to twenty times as fast as pypdf. It is C++, and what it reads may be hostile: what crashes, hangs or takes all the memory
there ends with this process, whose limits of time and memory are the system's. It imports nothing of keyward.

Each page is written as four bytes of length, most significant first, and its text in UTF-8; `BAD_PAGE` stands for a page that cannot be read, and
`END` behind the last one. The exit code is 3 where PDFium cannot open the document at all.
"""

from __future__ import annotations

import struct
import sys

END, BAD_PAGE = 0xFFFFFFFF, 0xFFFFFFFE
CANNOT_OPEN = 3
CPU_SECONDS = 60
MEMORY = 2 << 30
"""Bytes of address space."""


def main() -> int:
    _limit()
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(sys.stdin.buffer.read())
        pages = len(document)
    except pypdfium2.PdfiumError:
        return CANNOT_OPEN
    out = sys.stdout.buffer
    for number in range(pages):
        try:
            page = document[number]
            text = page.get_textpage()
            # U+0002 is PDFium's word for a hyphen at the end of a line, which joins the two lines
            said = text.get_text_bounded().replace("\r\n", "\n").replace("\x02", "-").encode("utf-8", "replace")
            text.close()
            page.close()
        except pypdfium2.PdfiumError:
            out.write(struct.pack(">I", BAD_PAGE))
        else:
            out.write(struct.pack(">I", len(said)) + said)
    out.write(struct.pack(">I", END))
    out.flush()
    return 0


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    for what, most in ((resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    sys.exit(main())
