"""Logs with a time before each line, where the time breaks a value that has several lines: those of CI runners.

GitHub's and GitLab's runners mask a secret where it stands whole; a key of several lines, or a value that a tool wrapped at its width, they
do not know.
"""

from __future__ import annotations

import re
from functools import partial

from keyward.formats.readings.rewriting import Substitution, whole_view
from keyward.formats.readings.terminal import STEPS
from keyward.formats.views import Step

_TIME = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6,9}Z "
_CI = re.compile(rb"(?:\xef\xbb\xbf)?" + _TIME)
_CRI = re.compile(rb"\d{4}-\d\d-\d\dT[0-9:.]{8,18}(?:Z|[+-]\d\d:?\d\d) (?:stdout|stderr) [PF](?::\S*)? ")


def encoding_of_dated(head: bytes) -> str:
    """`cri-log`, `ci-log`, or empty, from the first bytes."""
    if _CRI.match(head):
        return "cri-log"
    return "ci-log" if _CI.match(head) else ""


_CONTINUED = Substitution(rb"\n" + _TIME + rb"[0-9a-f]{2}[OE]\+", b"")
"""GitLab writes `00O ` after the time, and `00O+` where the line goes on."""

_PREFIX = Substitution(rb"\n" + _TIME + rb"(?:[0-9a-f]{2}[OE] )?", b"\n")
"""The first line keeps its time: a pattern that begins with a fixed byte is searched for a hundred times faster."""


class _Wrapped(Substitution):
    """A word that goes on where the line above has just the width of a terminal."""

    def __init__(self) -> None:
        widths = rb"|".join(rb"(?<=\n[^\n]{%d}\n)" % width for width in (79, 80, 100, 120, 132))
        super().__init__(rb"\n(?:" + widths + rb")(?<=[A-Za-z0-9+/=_.-]{6}\n)(?=[A-Za-z0-9+/=_.-]{2})", b"", rb"\n")

    def decode(self, span: bytes) -> bytes:
        return span if span.startswith(b"-----BEGIN") else super().decode(span)


CI: tuple[Step, ...] = (_CONTINUED, _PREFIX, *STEPS, _Wrapped())
ci_view = partial(whole_view, "ci-log", CI)
