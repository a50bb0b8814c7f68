"""What is in a file, level by level: packed files, archives, texts. All of it is read and rewritten in memory.

A format that can be rewritten is a `Rewriter`; what keeps something that cannot be (a PDF in a zip) is named, and stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import NamedTuple, Protocol

from keyward.formats.opened import Container, Member, Pack
from keyward.formats.openers import HEAD, opener_for
from keyward.scrub.plan import Name
from keyward.scrub.redactor import Style
from keyward.scrub.stores.edits import applied
from keyward.scrub.stores.finding import Finder
from keyward.scrub.stores.text import learn_text, plan_text

DEEPEST = 6
"""Containers in containers that are opened."""

MOST = 1 << 30
"""Bytes of a file, and of all that is unpacked from it, that are held."""

STEP = 1 << 20

BINARY = "stands in a binary file inside of another one, where a longer text may break it; --style same-length overwrites it all the same"


class TooLarge(ValueError):
    """More than can be held in memory."""


class Part(NamedTuple):
    """A member of a container. `key`: by which the container knows it again. `called`: its name. `data`: its bytes."""

    key: int
    called: str
    data: bytes


class Rewriter(Protocol):
    """One container format that can be rewritten with everything but the changed members as it was."""

    name: str

    def refusal(self, data: bytes) -> str:
        """Why it must not be rewritten (it is signed), as what it is; empty if it may be."""

    def parts(self, data: bytes, called: str) -> Iterator[Part]:
        """Its members with bytes. Raises ValueError where it is damaged or too large."""

    def rewritten(self, data: bytes, changes: Mapping[int, bytes]) -> bytes:
        """The container with other bytes for some members. Raises ValueError where that cannot be done."""


class Content(NamedTuple):
    """`data`: what it becomes. `before`: what stood in it. `left`: why something stays, one sentence each. `members`: how many were rewritten."""

    data: bytes
    before: dict[Name, int]
    left: tuple[str, ...] = ()
    members: int = 0


def rewriter_for(called: str, data: bytes) -> Rewriter | None:
    """The format of a container that can be rewritten."""
    from keyward.scrub.stores.packed import packing_of
    from keyward.scrub.stores.tar_archive import TarRewriter
    from keyward.scrub.stores.zip_archive import ZipRewriter

    head = data[:HEAD]
    packing = packing_of(head)
    if packing is not None:
        return packing
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return ZipRewriter()
    if head[257:262] == b"ustar":
        return TarRewriter()
    return None


class Budget:
    """Bytes that may still be unpacked."""

    def __init__(self, left: int = MOST) -> None:
        self.left = left

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise TooLarge("there is too much in it to be held in memory")


def learn(data: bytes, called: str, finder: Finder, depth: int = 0, budget: Budget | None = None) -> None:
    """Learns the values of everything in it. Raises TooLarge, and ValueError where the container itself is damaged."""
    budget = budget or Budget()
    budget.take(len(data))
    rewriter = rewriter_for(called, data) if depth < DEEPEST else None
    if rewriter is not None:
        for part in rewriter.parts(data, called):
            learn(part.data, part.called, finder, depth + 1, budget)
        return
    if depth < DEEPEST and opener_for(called, data[:HEAD]) is not None:
        for text, name in opened(data, called, budget):
            finder.learn(text, name)
    learn_text(data, called, finder)


def opened(data: bytes, called: str, budget: Budget, on_disk: str = "") -> Iterator[tuple[bytes, str]]:
    """The texts of a container that is only read, one level deep and unpacked where a record is packed: what cannot be read is left out."""
    opener = opener_for(called, data[:HEAD])
    if opener is None:
        return
    try:
        for piece in opener.open(Container(called, BytesIO(data), on_disk)):
            if isinstance(piece, Pack):
                yield piece.data, called
            elif isinstance(piece, Member):
                text = whole(piece, budget)
                rewriter = rewriter_for(piece.name, text)
                yield text, piece.name
                if rewriter is not None:
                    yield from ((part.data, part.called) for part in rewriter.parts(text, piece.name))
    except TooLarge:
        raise
    except Exception:  # whatever a library raises on bytes from anywhere: what cannot be opened is looked at as it stands
        return


def whole(member: Member, budget: Budget) -> bytes:
    """All bytes of a member. Raises TooLarge."""
    pieces: list[bytes] = []
    while piece := member.read(STEP):
        budget.take(len(piece))
        pieces.append(piece)
    return b"".join(pieces)


def scrubbed(data: bytes, called: str, finder: Finder, style: Style, depth: int = 0) -> Content:
    """It without the values that were learnt and those that the redactor finds. Raises ValueError where a container cannot be rewritten."""
    rewriter = rewriter_for(called, data) if depth < DEEPEST else None
    if rewriter is None:
        return _text(data, called, finder, style, depth)
    refusal = rewriter.refusal(data)
    before: dict[Name, int] = {}
    left: dict[str, None] = {}
    changes: dict[int, bytes] = {}
    for part in rewriter.parts(data, called):
        content = scrubbed(part.data, part.called, finder, style, depth + 1)
        add(before, content.before)
        left.update(dict.fromkeys(content.left))
        if content.data is not part.data:
            changes[part.key] = content.data
    if refusal and changes:
        return Content(data, before, (refusal, *left))
    new = rewriter.rewritten(data, changes) if changes else data
    return Content(new, before, tuple(left), len(changes))


def _text(data: bytes, called: str, finder: Finder, style: Style, depth: int) -> Content:
    opener = opener_for(called, data[:HEAD]) if depth < DEEPEST else None
    if opener is not None:
        before = counts_in(data, called, finder)
        left = (f"stands in a {opener.name} inside of another file, which cannot be rewritten there",) if before else ()
        return Content(data, before, left)
    plan = plan_text(data, called, finder, style)
    if depth and style is not Style.SAME_LENGTH and plan.edits and b"\0" in data[:HEAD]:
        return Content(data, dict(plan.before), (BINARY,))
    return Content(applied(data, plan.edits) if plan.edits else data, dict(plan.before), plan.left, int(bool(plan.edits)))


def counts_in(data: bytes, called: str, finder: Finder) -> dict[Name, int]:
    """What stands in a container that is only read, or in its bytes as they are where nothing opens it."""
    counts: dict[Name, int] = {}
    for text, name in opened(data, called, Budget()):
        for each in finder.find(text, name):
            key = Name(each.kind, each.pseudonym)
            counts[key] = counts.get(key, 0) + 1
    for name_, count in _found(data, called, finder).items():
        counts.setdefault(name_, count)
    return counts


def _found(data: bytes, called: str, finder: Finder) -> dict[Name, int]:
    from keyward.scrub.plan import counted

    return counted(finder.find(data, called))


def add(counts: dict[Name, int], more: Mapping[Name, int]) -> None:
    """Adds up counts."""
    for name, count in more.items():
        counts[name] = counts.get(name, 0) + count
