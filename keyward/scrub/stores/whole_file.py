"""Files that are read and rewritten as a whole: transcripts and other JSON, histories, notebooks, packed logs, archives.

One that somebody has open is overwritten where its values stand, length for length, if it is a text; an archive is refused then.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from keyward.scrub.atomic import Changed
from keyward.scrub.files import PlainFiles
from keyward.scrub.holders import Use, who_holds
from keyward.scrub.journal import Journal
from keyward.scrub.open_file import APPEND_ONLY, IMMUTABLE, OpenFile, refusal_of
from keyward.scrub.plan import Name, Place, Refusal, Result, Treatment
from keyward.scrub.pseudonym import Pseudonyms, load_pseudonyms
from keyward.scrub.redactor import Redaction, Redactor, Style
from keyward.scrub.stores.content import MOST, Content, Rewriter, learn, rewriter_for, scrubbed
from keyward.scrub.stores.edits import HEAD
from keyward.scrub.stores.finding import Finder
from keyward.scrub.stores.replacing import replace_content
from keyward.scrub.stores.text import plan_text

LARGE = 256 << 20
"""Bytes from which on a text is scrubbed window by window, each by itself."""

BEGUN = "an earlier scrub of it was interrupted and will be finished"

ATTEMPTS = 5
PAUSE = 0.2
"""Seconds between them."""


class WholeFiles:
    """Scrubs files of a kind. `pseudonyms`: the operator's own unless given; they name the secrets in the journal of a file that is
    overwritten. `journals`: the folder of these journals. `large`: bytes from which on a text is not held as a whole."""

    def __init__(
        self,
        kind: str,
        fits: Callable[[str, bytes], bool],
        *,
        pseudonyms: Pseudonyms | None = None,
        journals: str | None = None,
        large: int = LARGE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = kind
        self._fits = fits
        self._pseudonyms, self._journals, self._large, self._sleep = pseudonyms, journals, large, sleep

    def recognises(self, path: str, head: bytes) -> bool:
        return self._fits(path, head)

    def plan(self, path: str, redactor: Redactor, style: Style) -> Place:
        """What would be done. Raises Refusal, OSError."""
        if self._is_large(path):
            return self._plain().plan(path, _WhereItStands(redactor), style)._replace(store=self.name)
        with OpenFile(path) as file:
            place = Place(path, self.name, {}, Treatment.REPLACE)
            if self._begun(file):
                place = place._replace(treatment=Treatment.OVERWRITE, remarks=(BEGUN,))
            try:
                data = _content_of(file)
                finder = Finder(redactor)
                learn(data, path, finder)
                content = scrubbed(data, path, finder, style)
            except ValueError as error:
                return place._replace(
                    found=_raw(file, redactor), treatment=Treatment.REPORT, reason=f"it cannot be rewritten: {error}"
                )
            place = place._replace(found=content.before, remarks=(*place.remarks, *content.left))
            if not content.before:
                return place
            if content.data is data:
                return place._replace(treatment=Treatment.REPORT, reason="; ".join(content.left), remarks=())
            try:
                return self._treated(file, place, rewriter_for(path, data))
            except Refusal as refusal:
                return place._replace(treatment=Treatment.REFUSE, reason=f"{refusal}. {refusal.hint}")

    def _treated(self, file: OpenFile, place: Place, rewriter: Rewriter | None) -> Place:
        """Raises Refusal."""
        remark = _held(file)
        if not remark:
            return place  # an overwriting that was interrupted stays one
        if rewriter is not None:
            raise Refusal(f"it is a {rewriter.name}, and {remark}", "Let it be closed, and run it again.")
        return place._replace(treatment=Treatment.OVERWRITE, remarks=(*place.remarks, remark))

    def scrub(self, path: str, redactor: Redactor, style: Style) -> Result:
        """Does it. Raises Refusal where the file must not or cannot be changed; it is then as it was."""
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
        if self._is_large(path):
            return self._plain().scrub(path, _WhereItStands(redactor), style)
        finder = Finder(redactor)
        with OpenFile(path) as file:
            begun = self._begun(file)
            data = _content_of(file)
            try:
                learn(data, path, finder)
                content = scrubbed(data, path, finder, style)
            except ValueError as error:
                raise Refusal(f"it cannot be rewritten: {error}", "Take the value out in the program that wrote it.") from None
            if content.data is data and not begun:
                return Result(content.before, content.before, "nothing was changed", content.left)
            first = Treatment.OVERWRITE if begun else Treatment.REPLACE
            treatment = self._treated(file, Place(path, self.name, content.before, first), rewriter_for(path, data)).treatment
            if treatment is Treatment.REPLACE:
                replace_content(file, content.data)
        if treatment is Treatment.OVERWRITE:
            self._plain().scrub(path, _WhereItStands(redactor, finder), Style.SAME_LENGTH)
        return self._proof(path, finder, content, treatment, style)

    def _plain(self) -> PlainFiles:
        return PlainFiles(self._pseudonyms or load_pseudonyms(), journals=self._journals, sleep=self._sleep)

    def _begun(self, file: OpenFile) -> bool:
        return bool(Journal(file.status, folder=self._journals).read())

    def _is_large(self, path: str) -> bool:
        with OpenFile(path) as file:  # closed before anybody asks who else has it open
            return file.status.st_size > self._large and rewriter_for(path, file.read(0, HEAD)) is None

    def _proof(self, path: str, finder: Finder, content: Content, treatment: Treatment, style: Style) -> Result:
        """Reads it again, level by level."""
        with OpenFile(path) as file:
            data = _content_of(file)
        again = scrubbed(data, path, finder, style)
        how = "replaced" if treatment is Treatment.REPLACE else "overwritten where they stood"
        if rewriter_for(path, data) is not None:
            verified = f"{how}; unpacked and searched again, {content.members:,} members changed"
        else:
            verified = f"{how}; read again as {self.name} and searched"
        left = dict.fromkeys(again.left)
        if again.before and not left:
            left["it was written again meanwhile"] = None
        if finder.unseen:
            left[f"{finder.unseen:,} bytes could only be searched for what is known"] = None
        return Result(content.before, again.before, verified, tuple(left))


class _WhereItStands(Redactor):
    """Gives what would be edited as places in the bytes of the file, for a scrub that only overwrites."""

    def __init__(self, redactor: Redactor, finder: Finder | None = None) -> None:
        """`finder`: knows the values of the whole file; without one each piece is looked at by itself."""
        self._inner = redactor
        self._finder = finder

    def redactions(self, data: bytes, path: str = "") -> list[Redaction]:
        """As Redactor's."""
        self._inner.redactions(data, path)  # where it gives up it says so
        finder = self._finder or Finder(self._inner)
        return [
            Redaction(each.start, each.end, each.name.kind, each.name.pseudonym)
            for each in plan_text(data, path, finder, Style.SAME_LENGTH).edits
            # a number among JSON is no place for a mask: it is named as what is left
            if self._finder is None or not each.put.isdigit()
        ]


def _content_of(file: OpenFile) -> bytes:
    if file.status.st_size > MOST:
        raise Refusal(
            "it is too large to be held in memory",
            "Send it through, and put the result in its place: keyward scrub < FILE > CLEAN",
        )
    return file.read(0, os.fstat(file.descriptor).st_size)


def _raw(file: OpenFile, redactor: Redactor) -> dict[Name, int]:
    """What the bytes hold as they stand."""
    from keyward.scrub.spans import find

    return find(file, redactor).counts()


def _held(file: OpenFile) -> str:
    """Why a file cannot be replaced, empty if it can. Raises Refusal where it cannot be overwritten either."""
    flags = file.flags()
    if flags & IMMUTABLE:
        raise Refusal("it is marked immutable", "Take the mark off for the time of the scrub: chattr -i")
    if flags & APPEND_ONLY:
        raise Refusal("it is marked append-only", "Take the mark off for the time of the scrub: chattr -a")
    held = who_holds(file.descriptor)
    names = ", ".join(map(str, held.holders))
    if any(each.use in (Use.LOCKS, Use.MAPS) for each in held.holders):
        raise Refusal(f"it is in use: {names}", "Stop the program and run it again.")
    if held.holders:
        return f"it is open elsewhere: {names}"
    if not held.sure:
        return "whether somebody has it open cannot be told here"
    return f"{file.status.st_nlink} names lead to it, and it stays one file" if file.status.st_nlink > 1 else ""
