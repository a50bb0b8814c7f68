"""Packed formats that nothing here reads: they are named, so that nobody takes what is in them for clean."""

from __future__ import annotations

from collections.abc import Iterator

from keyward.formats.opened import Container, Piece, Unread


class UnreadableOpener:
    """`name`: the format's. Known and expected like a store that its owner encrypted, so it is listed and makes no scan fail."""

    replaces_raw = False

    def __init__(self, name: str) -> None:
        self.name = name

    def open(self, container: Container) -> Iterator[Piece]:
        yield Unread("", f"{self.name}: nothing here reads it; unpack it and scan what is in it", opaque=True)
