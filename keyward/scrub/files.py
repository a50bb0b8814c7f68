"""Files without a structure that matters, plain text above all: how each is treated, and the treatment.

A file that nobody has open is replaced (`atomic`). One that somebody reads or appends to is overwritten where its secrets stand
(`overwrite`), and so is one with several names, which a replacement would part. One that somebody writes to at random, has mapped or
has locked is refused, and so is one that the system protects. Binary files are reported: what is in them may have lengths and checksums.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from keyward.plugin.ports import Fence
from keyward.scrub.atomic import Changed, replace
from keyward.scrub.holders import Held, Holder, Use, who_holds
from keyward.scrub.journal import Journal
from keyward.scrub.open_file import APPEND_ONLY, IMMUTABLE, OpenFile, refusal_of
from keyward.scrub.overwrite import finish, overwrite
from keyward.scrub.plan import Name, Place, Refusal, Result, Treatment
from keyward.scrub.pseudonym import Pseudonyms
from keyward.scrub.redactor import Redactor, Style
from keyward.scrub.spans import HEAD, Spans, find
from keyward.scrub.stream import HOLD
from keyward.scrub.wide_text import wide_encoding

ATTEMPTS = 4
"""Times that a file which changes meanwhile is begun anew."""

PASSES = 8
"""Looks at a file that grows, each at what has come since."""

PAUSE = 0.1
"""Seconds between two of them."""

BINARY = "binary file"
PLAIN = "plain text"


class PlainFiles:
    """Scrubs them. `journals`: folder of the journals, None for the one in the state folder. `forced`: overwrite in binary files, too."""

    name = PLAIN

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        *,
        journals: str | None = None,
        forced: bool = False,
        fences: tuple[Fence, ...] = (),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pseudonyms, self._journals, self._forced = pseudonyms, journals, forced
        self._fences, self._sleep = fences, sleep

    def recognises(self, path: str, head: bytes) -> bool:
        """Whatever nobody else knows."""
        return True

    def is_begun(self, path: str) -> bool:
        """Whether an earlier scrub of it was killed while it overwrote. Raises Refusal, OSError."""
        with OpenFile(path) as file:
            return Journal(file.status, folder=self._journals).is_begun

    def resume(self, path: str) -> None:
        """Finishes what an earlier scrub began, whatever kind of file it is. Raises Refusal, OSError."""
        if self.is_begun(path):
            with OpenFile(path, write=True) as file:
                finish(file, self._pseudonyms, journals=self._journals, fences=self._fences)

    def plan(self, path: str, redactor: Redactor, style: Style) -> Place:
        """What would be done. Raises Refusal, OSError."""
        with OpenFile(path) as file:
            found = find(file, redactor)
            begun = Journal(file.status, folder=self._journals).is_begun
            place = Place(path, PLAIN, found.counts(), Treatment.REPLACE)
            if begun:
                place = place._replace(remarks=("an earlier scrub of it was interrupted and will be finished",))
            if found.unseen:
                place = place._replace(remarks=(*place.remarks, _unseen(found.unseen)))
            if not found.spans and not begun:
                return place
            return self._treated(file, place, found, style, begun)

    def _treated(self, file: OpenFile, place: Place, found: Spans, style: Style, begun: bool) -> Place:
        if _is_binary(file.read(0, HEAD)):
            place = place._replace(store=BINARY)
            if not self._forced:
                return place._replace(
                    treatment=Treatment.REPORT,
                    reason="it is a binary file, and another text in it may break it; --style same-length overwrites it all the same",
                )
        try:
            treatment, remark = _how(file, who_holds(file.descriptor), found, begun)
        except Refusal as refusal:
            return place._replace(treatment=Treatment.REFUSE, reason=sentence(refusal))
        if place.store == BINARY:
            treatment, remark = Treatment.OVERWRITE, remark
        remarks = [*place.remarks, remark] if remark else [*place.remarks]
        if treatment is Treatment.OVERWRITE and style is not Style.SAME_LENGTH:
            remarks.append("each secret is overwritten with as many characters as it has")
        return place._replace(treatment=treatment, remarks=tuple(remarks))

    def scrub(self, path: str, redactor: Redactor, style: Style) -> Result:
        """Does it. Raises Refusal where the file must not or cannot be changed; it is then as it was, but for occurrences that are overwritten
        in a file that somebody has open."""
        try:
            for _ in range(ATTEMPTS):
                try:
                    return self._scrub(path, redactor, style)
                except Changed:
                    self._sleep(PAUSE)
        except OSError as error:
            raise refusal_of(error) from None
        raise Refusal("it keeps changing while it is scrubbed", "Stop the program that writes it, and run it again.")

    def _scrub(self, path: str, redactor: Redactor, style: Style) -> Result:
        with OpenFile(path) as file:
            begun = Journal(file.status, folder=self._journals).is_begun
            found = find(file, redactor)
            if not found.spans and not begun:
                return _result(found, found, "nothing was there to scrub", "")
            binary = _is_binary(file.read(0, HEAD))
            if binary and not self._forced:
                raise Refusal("it is a binary file", "Add --style same-length to overwrite it all the same.")
            treatment, _ = _how(file, who_holds(file.descriptor), found, begun)
            if treatment is Treatment.REPLACE and not binary:
                replace(file, found.spans, style, self._fences)
                with OpenFile(path) as new:
                    after = find(new, redactor)
                    again = "what is left of it looks like a secret by itself"
                    return _result(found, after, "replaced; all other bytes compared, and searched again", again)
        return self._overwritten(path, redactor)

    # a file that stays open elsewhere

    def _overwritten(self, path: str, redactor: Redactor) -> Result:
        before: dict[Name, int] = {}
        left: list[str] = []
        for _ in range(ATTEMPTS):
            with OpenFile(path, write=True) as file:
                free = who_holds(file.descriptor).free
                done = finish(file, self._pseudonyms, journals=self._journals, fences=self._fences)
                if done.lost:
                    left.append(f"{done.lost:,} places of an interrupted scrub hold something else by now")
                self._passes(file, redactor, before)
                if free:
                    os.utime(file.descriptor, ns=(file.status.st_atime_ns, file.status.st_mtime_ns))
                for name in done.written:
                    before[name] = before.get(name, 0) + 1
                if not file.in_place():  # it was renamed, and the name leads to another file: that one as well
                    continue
                after = find(file, redactor)
                result = _result(after, after, "overwritten where they stood; searched again", _again(file))
                return result._replace(before=before, left=(*result.left, *left))
        raise Changed

    def _passes(self, file: OpenFile, redactor: Redactor, before: dict[Name, int]) -> None:
        """Until nothing has come that was not looked at. A line that is just being written is left for the next pass, for half of a secret
        looks like none."""
        seen = 0
        for number in range(PASSES):
            size = os.fstat(file.descriptor).st_size
            if size < seen:  # it was cut off
                seen = 0
            end = size if number == PASSES - 1 else _last_line_end(file, seen, size)
            found = find(file, redactor, start=max(0, seen - HOLD), end=end)
            try:
                overwrite(file, found.spans, self._pseudonyms, journals=self._journals, fences=self._fences)
            except Changed:
                seen = 0
                continue
            for name, count in found.counts().items():
                before[name] = before.get(name, 0) + count
            seen = end
            if end == os.fstat(file.descriptor).st_size:
                return
            self._sleep(PAUSE)


def _result(before: Spans, after: Spans, verified: str, again: str) -> Result:
    """`again`: why something stands there after all."""
    left = []
    if after.unseen:
        left.append(_unseen(after.unseen))
    if after.spans:
        left.append(again)
    return Result(before.counts(), after.counts(), f"{verified} ({after.end:,} bytes)", tuple(left))


def _again(file: OpenFile) -> str:
    writers = [each for each in who_holds(file.descriptor).holders if each.use is not Use.READS]
    return f"it is written again as fast as it is scrubbed: {_names(writers)}" if writers else "it was written again meanwhile"


def _last_line_end(file: OpenFile, seen: int, size: int) -> int:
    start = max(seen, size - HOLD)
    end = file.read(start, size - start).rfind(b"\n")
    return start + end + 1 if end >= 0 else (size if size - seen > HOLD else seen)


def _how(file: OpenFile, held: Held, found: Spans, begun: bool) -> tuple[Treatment, str]:
    """The treatment of a file that can be scrubbed, and what the operator should know. Raises Refusal."""
    flags = file.flags()
    if flags & IMMUTABLE:
        raise Refusal("it is marked immutable", "Take the mark off for the time of the scrub: chattr -i")
    if flags & APPEND_ONLY:
        raise Refusal("it is marked append-only", "Take the mark off for the time of the scrub: chattr -a")
    for use, what in ((Use.LOCKS, "it is locked"), (Use.MAPS, "it is mapped into memory for writing")):
        if _by(held, use):
            raise Refusal(f"{what}: {_names(_by(held, use))}", "Stop it, or let it close the file, and run it again.")
    last = found.spans[-1].end if found.spans else 0
    writers = [each for each in _by(held, Use.WRITES) if each.process and each.position < last]
    if writers:
        raise Refusal(f"it is being written in the middle: {_names(writers)}", "Stop it, and run it again.")
    if held.holders:
        return Treatment.OVERWRITE, f"open elsewhere: {_names(held.holders)}"
    if not held.sure:
        return Treatment.OVERWRITE, "whether somebody has it open cannot be told here"
    if file.status.st_nlink > 1:
        return Treatment.OVERWRITE, f"{file.status.st_nlink} names lead to it, and it stays one file"
    return (Treatment.OVERWRITE, "") if begun else (Treatment.REPLACE, "")


def _by(held: Held, use: Use) -> list[Holder]:
    return [each for each in held.holders if each.use is use]


def _names(holders: list[Holder] | tuple[Holder, ...]) -> str:
    return ", ".join(map(str, holders))


def _is_binary(head: bytes) -> bool:
    return b"\0" in head and not wide_encoding(head)


def _unseen(count: int) -> str:
    return f"{count:,} bytes could not be looked at"


def sentence(refusal: Refusal) -> str:
    return f"{refusal}. {refusal.hint}" if refusal.hint else str(refusal)
