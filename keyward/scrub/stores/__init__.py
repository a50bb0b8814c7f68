"""Kinds of files that have a structure, one module each: what must stay as it is when a value goes, and how that is proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyward.scrub.plan import StoreScrubber

HEAD = 4096
"""First bytes by which a store is told; fewer where the file has fewer."""


def store_for(path: str, head: bytes) -> StoreScrubber | None:
    """Who scrubs a file; None for a plain text, and for anything of which no structure is known. `head`: its first `HEAD` bytes.

    What is only reported comes first: a session's archive is a zstd file as well.
    """
    from keyward.scrub.stores.content import rewriter_for
    from keyward.scrub.stores.reported import REASONS, Reported, container_reason
    from keyward.scrub.stores.sqlite import SqliteScrubber
    from keyward.scrub.stores.text import format_name
    from keyward.scrub.stores.whole_file import WholeFiles

    for reason in REASONS:
        if reason.fits(path, head):
            return Reported(reason)
    database = SqliteScrubber()
    if database.recognises(path, head):
        return database
    rewriter = rewriter_for(path, head)
    if rewriter is not None:
        return WholeFiles(rewriter.name, lambda path, head: rewriter_for(path, head) is not None)
    container = container_reason(path, head)
    if container is not None:
        return Reported(container)
    kind = format_name(path, head)
    return WholeFiles(kind, lambda path, head: bool(format_name(path, head))) if kind else None
