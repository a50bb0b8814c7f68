"""Comments that let a secret pass: keyward's own and those of other scanners.

    token = "…"  # keyward:allow used by the tests only
    token = "…"  # keyward:allow[github/pat-classic] revoked on 2 May
    # keyward:allow-nextline a documentation sample
    token = "…"

A comment lets one secret pass, never a second one that comes to stand on its line later: a bare allowance, and one for a
kind, holds only while it can mean exactly one secret. Otherwise it holds for none, and `notes` says how to be specific.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from keyward.model.finding import Allowance

NO_REASON = "(none given)"

LONGEST_REASON = 200
MOST_INLINE = 16
MOST_TARGETS = 16


class Inline(NamedTuple):
    """One allowance as it stands in the text. `by`: its tag. `targets`: the kinds, rules or fingerprints that it names; none
    for a bare one."""

    by: str
    targets: tuple[str, ...] = ()
    reason: str = ""


Candidate = tuple[str, Sequence[str]]
"""The fingerprint of something found on the line, and the names (kind, rule) that it goes by."""

# What opens a comment: at the start of a line, or after a space or something that ends a value. So `//` in a URL and `#` in a
# password open none, and a tag in a string is none.
_OPENER = re.compile(
    rb"""(?:^|(?<=[\s"'`)\]},;>]))(?:\#|//|--|<!--|/\*|\*|;|%|'(?=\s)|\(\*|\{-|\{\#|\{\{!|<%|REM\b|rem\b|\.\.\s|dnl\b)""",
)
_CLOSER = re.compile(rb"\*/|--!?>|--\}\}|\}\}|\#\}|%>|\*\)|-\}")
_TAG = re.compile(
    rb"""(?P<own>keyward:allow(?P<next>-nextline)?)(?:\[(?P<targets>[^\]\n]{0,600})\])?(?![\w\[-]|:\w)
       | (?P<pragma>pragma:[ ]?(?:allow|white)list(?P<pragma_next>[ -]nextline)?[ -]secret)(?![\w-])
       | (?P<lint>secretlint-disable-(?P<lint_next>next-)?line)(?![\w-])
       | (?P<other>(?:gitleaks|betterleaks|kingfisher):allow|(?:trufflehog|kingfisher|leakkill|noseyparker):ignore|ggignore
           |nosecret)(?![\w:-])""",
    re.VERBOSE,
)
_HINTS = (b":allow", b"list", b":ignore", b"ggignore", b"nosecret", b"secretlint-")
_INSIDE_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_=+.")


def allowances(line: bytes, previous_line: bytes = b"", spans: Iterable[tuple[int, int]] = ()) -> list[Inline]:
    """The allowances that hold for a line: those in its own comments, and the `nextline` forms in the comment before it.

    `spans`: where secret values stand in `line`, unless the caller has blanked them; a tag that is part of a value is none. A
    `nextline` comment must be alone on its line, so that it is plain which secret it means. Blocks (`secretlint-disable` to
    `-enable`) are not read.
    """
    if not any(hint in line or hint in previous_line for hint in _HINTS):
        return []
    blanked = bytearray(line)
    for start, end in spans:
        blanked[start:end] = b" " * len(blanked[start:end])
    found: list[Inline] = []
    for each in bytes(blanked).split(b"\n"):
        found += _tags(each, nextline=False)
    if _OPENER.match(previous_line.lstrip()):
        found += _tags(previous_line.strip(), nextline=True)
    return found[:MOST_INLINE]


def decide(inline: Sequence[Inline], on_line: Sequence[Candidate]) -> dict[int, Allowance]:
    """Which of the candidates on a line pass, by index.

    A bare allowance holds if all candidates are one secret; `keyward:allow[kind]` if all candidates of the kind are; one that
    names a fingerprint always. A specific allowance comes before a bare one. An allowance without a reason holds, and is
    listed as having none.
    """
    decided: dict[int, Allowance] = {}
    for each in sorted(inline, key=lambda one: not one.targets):
        for index in _allowed(each, on_line):
            decided.setdefault(index, Allowance(each.by, each.reason or NO_REASON))
    return decided


def ambiguous(inline: Sequence[Inline], on_line: Sequence[Candidate]) -> bool:
    """Whether an allowance holds for nothing only because it could mean several secrets."""
    return any(not _allowed(one, on_line) and len(_meant(one, on_line)) > 1 for one in inline)


def notes(inline: Sequence[Inline], on_line: Sequence[Candidate]) -> list[str]:
    """What to tell of allowances that hold for nothing although there is something on their line."""
    said = []
    for each in inline:
        if not on_line or _allowed(each, on_line):
            continue
        meant = _meant(each, on_line)
        written = f"{each.by}[{', '.join(each.targets)}]" if each.targets else each.by
        if not meant:
            said.append(f"{written} names nothing that was found on its line")
            continue
        of_that_kind = " of that kind" if each.targets else ""
        said.append(
            f"{written} holds for none of the {len(meant)} different secrets{of_that_kind} on its line; "
            f"say which one you mean: keyward:allow[{_one_name(meant, on_line)}] reason"
        )
    return said


def _allowed(one: Inline, on_line: Sequence[Candidate]) -> list[int]:
    if not one.targets:
        return list(range(len(on_line))) if len(_meant(one, on_line)) == 1 else []
    allowed: set[int] = set()
    for target in one.targets:
        called_so = [index for index, (_, names) in enumerate(on_line) if target in names]
        if len({on_line[index][0] for index in called_so}) == 1:
            allowed.update(called_so)
        allowed.update(index for index, (fingerprint, _) in enumerate(on_line) if fingerprint == target)
    return sorted(allowed)


def _meant(one: Inline, on_line: Sequence[Candidate]) -> list[str]:
    """The fingerprints that an allowance could mean."""
    return sorted({f for f, names in on_line if not one.targets or f in one.targets or any(n in one.targets for n in names)})


def _one_name(meant: Sequence[str], on_line: Sequence[Candidate]) -> str:
    """What the first of several secrets can be called without meaning another: a kind that only it has, or its fingerprint."""
    for fingerprint, names in on_line:
        if fingerprint == meant[0]:
            for name in names:
                if all(f == fingerprint for f, others in on_line if name in others):
                    return name
    return meant[0]


def _tags(line: bytes, *, nextline: bool) -> list[Inline]:
    opened = _OPENER.search(line)
    if opened is None:
        return []
    tags = [
        tag
        for tag in _TAG.finditer(line, opened.end())
        if tag.start() == opened.end() or line[tag.start() - 1] not in _INSIDE_WORD
    ]
    found = []
    for number, tag in enumerate(tags[:MOST_INLINE]):
        if bool(tag["next"] or tag["pragma_next"] or tag["lint_next"]) is not nextline:
            continue
        end = tags[number + 1].start() if number + 1 < len(tags) else len(line)
        name = tag["own"] or tag["pragma"] or tag["lint"] or tag["other"]
        found.append(Inline(name.decode("ascii"), _targets(tag["targets"]), _reason(line[tag.end() : end])))
    return found


def _targets(text: bytes | None) -> tuple[str, ...]:
    if text is None:
        return ()
    named = (part.strip().decode("utf-8", "replace") for part in text.split(b",")[:MOST_TARGETS])
    # `keyward:allow[]` names nothing: it must not become a bare allowance.
    return tuple(name for name in named if name.isprintable()) or ("",)


def _reason(text: bytes) -> str:
    closed = _CLOSER.search(text)
    if closed is not None:
        text = text[: closed.start()]
    # What opens another comment behind the reason, for another tag, does not belong to it.
    text = text.rstrip().rstrip(b"#/;%*-<!|,").strip(b" \t:-\"'")
    words = "".join(c if c.isprintable() else " " for c in text[: 4 * LONGEST_REASON].decode("utf-8", "replace")).split()
    return " ".join(words)[:LONGEST_REASON]
