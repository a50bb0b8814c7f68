"""What of a buffer is to go, and what stands there instead."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from keyward.match.matcher import Judged, Matcher
from keyward.match.personas import PERSONAS
from keyward.model.kind import CredentialKind, Kind
from keyward.scrub.known import KnownSecrets
from keyward.scrub.pseudonym import Pseudonyms

SECRET_PARTS = frozenset(("secret", "session_token", "access_token", "cookie"))
"""The parts of a credential that authenticate. Users, hosts and the like stay: an investigator needs them. A key id that stands beside its
secret goes with it where a scan takes such an id alone for a credential: the scan after the scrub would, too."""

MASK = b"*"


class Style(Enum):
    """What stands in a secret's place: `[redacted:KIND:NAME]`; as many bytes as it had; or nothing."""

    TOKEN = "token"
    SAME_LENGTH = "same-length"
    REMOVE = "remove"


class Redaction(NamedTuple):
    """One stretch of bytes that goes. `encoding`: how the value is written there, where it was known beforehand."""

    start: int
    end: int
    kind: Kind
    pseudonym: str
    encoding: str = "raw"


class Redactor:
    """Finds the secrets of a buffer: those that detectors match at the persona's confidence, and those that are known. Not for
    several threads."""

    def __init__(
        self, matcher: Matcher, pseudonyms: Pseudonyms, known: KnownSecrets | None = None, *, persona: str = "regular"
    ) -> None:
        self._matcher = matcher
        self._pseudonyms = pseudonyms
        self._known = known if known is not None else KnownSecrets()
        self._least = PERSONAS[persona]

    def redactions(self, data: bytes, path: str = "") -> list[Redaction]:
        """What has to go, by position, without overlaps. Raises Blinded where a rule gave up: too much looks like a secret and is none."""
        hits = self._matcher.hits(data)
        known = self._known.seen(data)
        if not hits:
            return [Redaction(*each) for each in known] if known else []
        judged, gave_up = self._matcher.judged(data, path, hits)
        if gave_up:
            raise Blinded(gave_up)
        found = [piece for each in judged if each.confidence >= self._least for piece in self._of(each)]
        return _merged(found, [Redaction(*each) for each in known])

    def begun(self, data: bytes, end: int) -> int:
        """Where a known value of several lines begins of which only the lines before `end` have come yet, or -1."""
        return self._known.begun(data, end)

    def _of(self, judged: Judged) -> list[Redaction]:
        candidate = judged.candidate
        kind = candidate.kind
        redactions = []
        has_secret = not SECRET_PARTS.isdisjoint(candidate.parts)
        for part, (start, end) in candidate.parts.items():
            secret = part in SECRET_PARTS or (part == candidate.identity and part not in kind.public)
            if secret or (has_secret and is_taken_for_a_credential(kind, part)):
                value = judged.context.parts.get(part, judged.context.value)
                redactions.append(Redaction(start, end, kind.name, self._pseudonyms.of_value(kind, bytes(value))))
        return redactions


def is_taken_for_a_credential(kind: CredentialKind, part: str) -> bool:
    """Whether a public part is told by its form alone, so that a scan reports it even where its secret is gone."""
    return part in kind.identity and part in kind.public


class Blinded(Exception):
    """A rule gave up on a buffer: it cannot be said to be clean."""

    def __init__(self, rules: Sequence[str]) -> None:
        super().__init__(f"too many places look like {', '.join(rules)} and are not")


def _merged(found: list[Redaction], known: list[Redaction]) -> list[Redaction]:
    """All of both without overlaps. What is known beforehand names the secret; a longer match around it goes as a whole."""
    merged: list[Redaction] = []
    sure = frozenset(known)
    for each in sorted((*known, *found), key=lambda r: (r.start, -r.end)):
        if merged and each.start < merged[-1].end:
            last = merged[-1]
            name = last if last in sure or each not in sure else each
            merged[-1] = name._replace(start=last.start, end=max(last.end, each.end))
        else:
            merged.append(each)
    return merged


def replacement(redaction: Redaction, original: bytes, style: Style) -> bytes:
    """What stands there instead of the original bytes."""
    if style is Style.REMOVE:
        return b""
    if style is Style.TOKEN:
        return f"[redacted:{redaction.kind}:{redaction.pseudonym}]".encode()
    return same_length(redaction, original)


def same_length(redaction: Redaction, original: bytes) -> bytes:
    """As much of the name as fits in the first line, filled up; line ends stay, so that what follows keeps its number of line.

    Never a quote or a backslash, whatever it stands in.
    """
    first, newline, rest = original.partition(b"\n")
    length = len(first)
    masked = MASK * length
    for text in (f"[redacted:{redaction.kind}:{redaction.pseudonym}", f"[redacted:{redaction.pseudonym}"):
        if len(text) < length:
            masked = text.encode() + MASK * (length - len(text) - 1) + b"]"
            break
    return masked + newline + b"\n".join(MASK * len(line) for line in rest.split(b"\n"))


def apply(data: bytes, redactions: Sequence[Redaction], style: Style) -> bytes:
    """The buffer without them."""
    if not redactions:
        return data
    pieces: list[bytes] = []
    at = 0
    for each in redactions:
        pieces += (data[at : each.start], replacement(each, data[each.start : each.end], style))
        at = each.end
    pieces.append(data[at:])
    return b"".join(pieces)
