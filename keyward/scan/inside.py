"""Looks inside a source: what it holds if it is a container, its other readings if it is a text that has them, and what a person calls the
places of what was found.

Called for the few sources that are one of these, and for those with findings; any other ends after its raw bytes. Nothing is written to
the disk, and what is not looked at is named.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from keyward.errors import MissingExtra
from keyward.formats.opened import SEPARATOR, Container, Limits, Member, Opener, Pack, Unread
from keyward.formats.openers import HEAD, opener_for
from keyward.model.finding import NotScanned, Occurrence, Provenance
from keyward.scan.examine import MOST_OCCURRENCES, Examined, Place
from keyward.scan.other_readings import OVERLAP, WINDOW, Reading, mapped, merged, reading_of, windows
from keyward.scan.reader import CHUNK, MARGIN, Chunk, chunks, has_holes, is_plain, plain_chunk
from keyward.scan.roles import ECHO
from keyward.scan.unpack import Budget, CutOff, Joined, Read, Stop, pieces, take, unpacked_name

if TYPE_CHECKING:
    from keyward.scan.examine import Examiner
    from keyward.scan.holes import ShortenedFile, SparseFile

SMALL = 16 << 20
"""Bytes of a member up to which it is held while it is looked at, so that its findings can be labelled."""

LISTED = 10
"""Things not scanned for one and the same reason that are listed one by one; the rest of them is counted."""

LONG_ENOUGH = 8
"""Bytes from which on a value is told from what stands beside it by its bytes alone."""

_ARROW = " → "


class _Node(NamedTuple):
    """One source on the way: the file itself, or a member. `names`: those of the members that lead to it. `called`: its name for what goes
    by names. `head`: its first bytes. `data`: the whole, if it is held; else `file` if one can move in it, else `read` gives what
    follows the head. `since`, `since_from`, `role`: as in the findings; empty if unknown."""

    names: tuple[str, ...]
    called: str
    head: bytes
    data: bytes | None = None
    file: BinaryIO | None = None
    read: Read = lambda size: b""
    since: float = 0.0
    since_from: str = ""
    role: str = ""
    on_disk: str = ""
    stop: Stop | None = None


def examine_held(
    examiner: Examiner, place: Place, data: bytes, raw: Examined | None = None, *, modified: float = 0.0
) -> Examined:
    """A source that was read in one go. `raw`: what its bytes as they stand were found to hold, if somebody has looked. `modified`: when it
    was last written, if that is known."""
    node = _Node((), place.path, data[:HEAD], data, since=modified, since_from="mtime" if modified else "", role=place.role)
    return _Visit(examiner, place, len(data)).whole(node._replace(on_disk=_on_disk(place)), raw)


def examine_open(examiner: Examiner, place: Place, descriptor: int, raw: Examined | None = None) -> Examined:
    """A regular file that is open; `raw` as above. Raises OSError."""
    status = os.fstat(descriptor)
    with open(descriptor, "rb", closefd=False) as file:
        file.seek(0)
        node = _Node(
            (), place.path, file.read(HEAD), None, file, since=status.st_mtime, since_from="mtime", role=place.role,
            on_disk=_on_disk(place),
        )  # fmt: skip
        file.seek(0)
        return _Visit(examiner, place, status.st_size).whole(node, raw)


def examine_stream(examiner: Examiner, place: Place, read: Read, *, modified: float = 0.0) -> Examined:
    """A source that is read from front to back: an object of git, standard input. What cannot be opened so is held, up to a limit. Raises
    what reading raises."""
    head = take(read, b"", HEAD)
    node = _Node((), place.path, head, read=read, since=modified, since_from="mtime" if modified else "", role=place.role)
    return _Visit(examiner, place, 0).whole(node, None)


def _on_disk(place: Place) -> str:
    return place.path if place.source == "tree" else ""


class _Visit:
    """One file and all that is in it. `size`: its bytes, 0 if unknown."""

    def __init__(self, examiner: Examiner, place: Place, size: int) -> None:
        self._examiner = examiner
        self._place = place
        self._limits = examiner.limits if examiner.limits is not None else Limits()
        self._size = size
        self._budget = Budget(self._limits, size)
        self._occurrences: list[Occurrence] = []
        self._problems: list[NotScanned] = []
        self._reasons: dict[str, int] = {}
        self._read = 0
        self._record_values: list[bytes] = []

    def whole(self, node: _Node, raw: Examined | None) -> Examined:
        """The file itself, and everything in it within the limits."""
        try:
            self._source(node, raw)
        except CutOff as error:
            self._problem(self._at, f"{error}; the rest was not looked at")
        opaque = {problem.reason for problem in self._problems if problem.opaque}
        for reason, count in self._reasons.items():
            if count > LISTED:
                rest = f"{count - LISTED:,} more members: {reason}"
                self._problems.append(NotScanned(self._place.path, rest, reason in opaque))
        if len(self._occurrences) > MOST_OCCURRENCES:
            self._problems.append(
                NotScanned(self._place.path, f"more than {MOST_OCCURRENCES:,} matches; the rest is not listed")
            )
            del self._occurrences[MOST_OCCURRENCES:]
        return Examined(self._occurrences, self._problems, max(self._size, self._read))

    _at: tuple[str, ...] = ()

    def _problem(self, names: tuple[str, ...], reason: str, opaque: bool = False) -> None:
        count = self._reasons[reason] = self._reasons.get(reason, 0) + 1
        if count <= LISTED:
            self._problems.append(NotScanned(shown(self._place.path, names), reason, opaque))

    # one source

    def _source(self, node: _Node, raw: Examined | None = None) -> None:
        self._at = node.names
        if len(self._occurrences) > MOST_OCCURRENCES:
            raise CutOff(f"more than {MOST_OCCURRENCES:,} matches")
        opener = opener_for(node.called, node.head)
        if opener is None:
            self._text(node, raw)
        elif _depth(node.names) >= self._limits.depth:
            self._too_deep(node, opener)
            self._text(node, raw)
        else:
            self._container(node, opener, raw)

    def _too_deep(self, node: _Node, opener: Opener) -> None:
        if not self._limits.depth:  # as the user asked
            self._problem(node.names, f"{opener.name}: what is in it was not looked at", opaque=True)
        else:
            self._problem(node.names, f"{opener.name}: more than {self._limits.depth} containers deep")

    def _text(self, node: _Node, raw: Examined | None) -> None:
        """A source that is no container, or is taken for none: its bytes, its other readings, its labels."""
        make = reading_of(node.called, node.head)
        if node.data is None and node.file is None:
            most = (
                SMALL if make is None else max(SMALL, self._budget.holdable // 2)
            )  # it is held twice while it is read otherwise
            held = take(node.read, node.head, most)
            if len(held) < most:
                node = node._replace(data=held)
            elif make is not None:
                self._problem(node.names, "too large for its other readings; it was looked at only as it stands")
                make = None
            if node.data is None:
                node = node._replace(head=held)
        examined = raw if raw is not None else self._raw(node)
        found = [self._dated(node, occurrence) for occurrence in examined.occurrences]
        if make is not None:
            source = BytesIO(node.data) if node.data is not None else node.file
            assert source is not None
            found = merged(found, [self._dated(node, each) for each in self._other(node, source, make, examined.problems)])
        if found:
            found = self._labelled(node, found)
        self._keep(node, examined, found)

    def _keep(self, node: _Node, examined: Examined, found: list[Occurrence]) -> None:
        self._occurrences.extend(found)
        for problem in examined.problems:
            self._problem(node.names, problem.reason, problem.opaque)
        if not node.names:
            self._read = examined.bytes

    def _place_of(self, node: _Node) -> Place:
        if not node.names:
            return self._place
        return self._place._replace(
            container=node.names, judged_as="/".join((self._place.path, *filter(None, node.names))), role=node.role or ECHO
        )

    def _raw(self, node: _Node) -> Examined:
        place = self._place_of(node)
        if node.data is not None:
            return self._examiner.examine_whole(place, node.data)
        if node.file is not None:
            node.file.seek(0)
            return self._examiner.examine_chunks(place, chunks(_sparse(node.file) or self._unhurried(node.file.read)))
        return self._examiner.examine_chunks(place, chunks(Joined(node.head, node.read).read))

    def _unhurried(self, read: Read) -> Read:
        """Reads no more than the file had when it was opened: a log may grow faster than it is read."""
        left = self._size or 1 << 30

        def limited(size: int) -> bytes:
            nonlocal left
            piece = read(min(size, left))
            left -= len(piece)
            return piece

        return limited

    def _dated(self, node: _Node, occurrence: Occurrence) -> Occurrence:
        if not node.since:
            return occurrence
        return occurrence._replace(provenance=occurrence.provenance._replace(since=node.since, since_from=node.since_from))

    def _other(
        self, node: _Node, source: BinaryIO, make: Callable[[bytes], Reading | None], known: list[NotScanned]
    ) -> Iterator[Occurrence]:
        """What the other reading shows. Says what of it was not looked at, unless that is `known` of the bytes as they stand."""
        said = {problem.reason for problem in known}
        place = self._place_of(node)
        short = _shortened(node)
        for start, lines, data in windows(source if short is None else short.as_file()):
            if short is not None:
                start = short.outside(start)
            if is_plain(data):
                view = make(data)
                if view is not None:
                    examined = self._examiner.examine_whole(place, view.text)
                    for reason in (view.cut_short, *(problem.reason for problem in examined.problems)):
                        if reason and reason not in said:
                            said.add(reason)
                            self._problem(node.names, reason)
                    yield from mapped(examined.occurrences, view, data, start, lines)

    def _labelled(self, node: _Node, found: list[Occurrence]) -> list[Occurrence]:
        from keyward.formats.labels import locate

        file = BytesIO(node.data) if node.data is not None else node.file
        wanted = sorted({occurrence.locator.start for occurrence in found})
        if file is None:
            return found
        short = _shortened(node)
        if short is None:
            file.seek(0)
            found_labels = locate(unpacked_name(node.called), file, wanted)
        else:
            found_labels = locate(unpacked_name(node.called), short.as_file(), [short.inside(each) for each in wanted])
        labels = dict(zip(wanted, found_labels))
        result = []
        for occurrence in found:
            label = labels.get(occurrence.locator.start)
            provenance = occurrence.provenance
            if label is not None and label.where:
                provenance = provenance._replace(where=label.where)
            if label is not None and label.since:
                provenance = provenance._replace(since=label.since, since_from="message")
            result.append(occurrence._replace(provenance=provenance))
        return result

    # one container

    def _container(self, node: _Node, opener: Opener, raw: Examined | None) -> None:
        """Opens it, with its raw bytes looked at before where they may hold more, or after where it turns out to be damaged."""
        node, held = self._movable(node)
        try:
            whole = node.data is not None or node.file is not None
            if not whole and not getattr(opener, "forward", False):
                self._problem(
                    node.names, f"{opener.name}: larger than {self._budget.holdable >> 20} MB inside of something else"
                )
                self._text(node, raw)
                return
            first = len(self._occurrences)
            if not opener.replaces_raw and whole and raw is None:
                raw = self._raw(node)
            try:
                intact = self._pieces(node, opener)
            except CutOff:
                self._merge(node, opener, raw, first, self._at)
                raise
            if opener.replaces_raw:
                raw = (raw or self._raw(node)) if whole and not intact else Examined([], [], raw.bytes if raw else 0)
            self._merge(node, opener, raw, first, node.names)
        finally:
            self._budget.release(held)

    def _movable(self, node: _Node) -> tuple[_Node, int]:
        """The node as something one can move about in, if it can be held; and how many bytes are held for it."""
        if node.data is not None or node.file is not None:
            return node, 0
        limit = self._budget.holdable
        data = take(node.read, node.head, limit + 1)
        if not node.names and not self._size:  # a stream of unknown size: now as much is known as is needed
            self._size = len(data)
            self._budget = Budget(self._limits, len(data))
        if len(data) > limit:
            return node._replace(head=data), 0
        self._budget.hold(len(data))
        return node._replace(data=data, head=data[:HEAD]), len(data)

    def _merge(self, node: _Node, opener: Opener, raw: Examined | None, first: int, at: tuple[str, ...]) -> None:
        """What only the raw bytes hold is reported beside what the members hold."""
        self._at = at
        if raw is None:
            return
        known = {occurrence.fingerprint for occurrence in self._occurrences[first:]}
        role = self._place.role or ECHO
        where = getattr(opener, "leftovers", "deleted or free space" if opener.name.startswith("SQLite") else "")
        found = [
            self._dated(node, occurrence)._replace(role=role)
            for occurrence in raw.occurrences
            if occurrence.fingerprint not in known and not self._is_beside(node, occurrence)
        ]
        if not where:
            found = self._labelled(node, found) if found else found
        self._keep(node, raw, [o._replace(provenance=o.provenance._replace(where=where)) if where else o for o in found])

    def _is_beside(self, node: _Node, occurrence: Occurrence) -> bool:
        """Whether raw bytes that were found are a value that a record holds, with what stands beside it there, or a piece of it."""
        if not self._record_values or occurrence.locator.encoding != "raw":
            return False
        start, length = occurrence.locator.start, occurrence.locator.end - occurrence.locator.start
        if node.data is not None:
            data = node.data[start : start + length]
        elif node.file is not None:
            node.file.seek(start)
            data = node.file.read(min(length, 1 << 20))
        else:
            return False
        return any(value in data or data in value for value in self._record_values)

    def _pieces(self, node: _Node, opener: Opener) -> bool:
        """Looks at everything in a container; whether all of it could be read."""
        file = BytesIO(node.data) if node.data is not None else node.file or Joined(node.head, node.read).as_file()
        if file.seekable():
            file.seek(0)
        intact = True
        self._at = node.names
        try:
            for piece in pieces(opener, Container(node.called, file, node.on_disk), self._budget):
                if isinstance(piece, Member):
                    intact = self._member(node, piece) and intact
                elif isinstance(piece, Pack):
                    self._pack(node, piece)
                else:
                    intact = intact and piece.opaque
                    self._unread(node, piece)
                self._at = node.names
        except CutOff:
            raise
        except MissingExtra as error:
            # listed, as what its owner encrypted is: a scan of a folder with a document in it must not fail for want of a library
            self._problem(node.names, f"{opener.name}: {error}. {error.hint}", opaque=True)
            return False
        except MemoryError:
            self._problem(node.names, f"{opener.name}: out of memory")
            return False
        except (
            Exception
        ) as error:  # whatever a library raises on bytes from anywhere: it is named, and the raw bytes are looked at
            if node.stop is None or node.stop.error is None:  # else it is damaged further out, and that is said
                self._problem(node.names, f"{opener.name}: {_why(error)}")
            return False
        return intact

    def _unread(self, node: _Node, piece: Unread) -> None:
        self._problem((*node.names, piece.name) if piece.name else node.names, piece.reason, piece.opaque)

    def _member(self, node: _Node, member: Member) -> bool:
        """One member; whether it could be read."""
        names = (*node.names, member.name)
        self._at = names
        stop = Stop(member.read)
        try:
            head = take(stop.read, b"", HEAD)
            self._source(
                _Node(
                    names,
                    member.name or unpacked_name(node.called),
                    head,
                    read=stop.read,
                    since=member.since or node.since,
                    since_from="member" if member.since else node.since_from,
                    role=member.role or ECHO,
                    stop=stop,
                )
            )
            self._at = names
            stop.check()
        except CutOff:
            raise
        except Exception as error:
            self._problem(names, _why(error))
            return False
        return True

    def _pack(self, node: _Node, pack: Pack) -> None:
        """Many records at once; what is found is put down to the record that it stands in."""
        place = self._place_of(node)._replace(role=pack.role or node.role or ECHO)
        examined = self._examiner.examine_chunks(place, _plain_chunks(pack.data))
        for problem in examined.problems:
            self._problem(node.names, problem.reason, problem.opaque)
        for occurrence in examined.occurrences:
            start, end = occurrence.locator.start, occurrence.locator.end
            number = pack.at(start)
            if number < 0:
                continue
            begins = pack.starts[number]
            record = pack.record(number)
            if end - start >= LONG_ENOUGH:
                self._record_values.append(pack.data[start:end])
            line_start = pack.data.rfind(b"\n", begins, start) + 1 or begins
            line = 1 + pack.data.count(b"\n", begins, start)
            locator = occurrence.locator._replace(start=start - begins, end=end - begins, container=(*node.names, record.name))
            written = record.since or _written_within(pack, number, start)
            since, since_from = (written, "message") if written else (node.since, node.since_from)
            self._occurrences.append(
                occurrence._replace(
                    locator=locator,
                    line=line,
                    column=1 + len(pack.data[max(line_start, begins) : start].decode("utf-8", "replace")),
                    end_line=line + occurrence.end_line - occurrence.line,
                    provenance=Provenance(since=since, since_from=since_from if since else ""),
                )
            )


def _sparse(file: BinaryIO) -> SparseFile | None:
    """A file of which the holes can be left out; None for most."""
    if not has_holes(os.fstat(file.fileno())):
        return None
    from keyward.scan.holes import sparse_file

    return sparse_file(file.fileno())


def _shortened(node: _Node) -> ShortenedFile | None:
    """A sparse file without most of its holes, None for any other source."""
    if node.file is None or not has_holes(os.fstat(node.file.fileno())):
        return None
    from keyward.scan.holes import shortened

    return shortened(node.file, window=WINDOW, step=WINDOW - OVERLAP)


def _written_within(pack: Pack, number: int, at: int) -> float:
    """When a record that is a JSON document says that it was written, for a table without a column of times (Cursor's `createdAt`); 0 if
    it does not say."""
    begins = pack.starts[number]
    ends = pack.starts[number + 1] - len(SEPARATOR) if number + 1 < len(pack.starts) else len(pack.data)
    record = pack.data[begins:ends]
    if record[:1] not in (b"{", b"["):
        return 0.0
    import json

    from keyward.formats.labelling.documents import since_of
    from keyward.formats.labelling.json_path import Node, ways

    try:
        whole = Node("", json.loads(record))
        return since_of((whole, *ways(record, [at - begins])[0]))
    except Exception:  # bytes from anywhere: a time is a courtesy, the finding stands without
        return 0.0


def _depth(names: tuple[str, ...]) -> int:
    """How many containers deep a place is. Packed by a program that packs one file counts as one with what is around it (`.tar.gz`)."""
    return sum(bool(name) or bool(before == "") for before, name in zip((None, *names), names))


def shown(path: str, names: tuple[str, ...]) -> str:
    """A place as a person reads it: `logs.zip → app.log.3.gz`. What a packed file holds has no name of its own."""
    return _ARROW.join((path, *filter(None, names)))


def _why(error: Exception) -> str:
    text = str(error.strerror if isinstance(error, OSError) and error.strerror else error).partition("\n")[0][:200]
    kind = type(error).__name__
    return text if isinstance(error, (OSError, ValueError)) and text else f"damaged ({kind})"


def _plain_chunks(data: bytes) -> Iterator[Chunk]:
    """The chunks of a buffer that is plain whatever it looks like."""
    if len(data) <= CHUNK:
        yield plain_chunk(data)
        return
    offset = own = 0
    while True:
        data_here = data[offset : offset + CHUNK]
        if offset + CHUNK >= len(data):
            yield Chunk(data_here, offset, own, len(data_here) + 1, "raw", offset)
            return
        yield Chunk(data_here, offset, own, CHUNK - MARGIN, "raw", offset)
        offset += CHUNK - 2 * MARGIN
        own = MARGIN
