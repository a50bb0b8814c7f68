"""Logs whose records cut a line in pieces: Docker's json-file, the container runtime interface's files, and recordings of terminals."""

from __future__ import annotations

import re
from functools import partial

from keyward.formats.readings.escapes import JSON, JSON_TRIGGERS, PERCENT, PERCENT_TRIGGERS
from keyward.formats.readings.rewriting import Substitution, view_around, whole_view
from keyward.formats.readings.terminal import STEPS, TERMINAL_TRIGGERS
from keyward.formats.views import Step

# A record that does not end in a newline goes on in the next one of its stream; up to 16 of the other one may stand between.
# (moby: daemon/logger/jsonfilelog/jsonlog; lines are cut after 16 KiB.)
_TAIL = rb'"stream":"(stdout|stderr)"[^\n]*\}\r?\n'
_SEAM = rb'",(?:(?<!\\n",)|(?<=\\\\n",))'
_OTHERS = rb'(?:\{"log":"[^\n]*","stream":"(?!\1)[^\n]*\n){0,16}?\{"log":"'
_DOCKER_GLUE = Substitution(
    _SEAM + _TAIL + _OTHERS + rb'(?=[^\n]*","stream":"\1")',
    b"",
    rb'",' + _TAIL + _OTHERS + rb'(?![^\n]*","stream":"(?!\1))',  # the last record of a value is cut off
)
DOCKER: tuple[Step, ...] = (_DOCKER_GLUE, JSON, *STEPS, PERCENT)
_DOCKER_TRIGGERS = (
    re.compile(rb'","stream":"(?:(?<!\\n","stream":")|(?<=\\\\n","stream":"))'),
    re.compile(rb"\\u001b"),
    *PERCENT_TRIGGERS,
    *JSON_TRIGGERS,
)
docker_view = partial(view_around, "docker-log", DOCKER, _DOCKER_TRIGGERS)

# Kubernetes' CRI logs: `TIME STREAM P|F[:TAGS] TEXT`; P: the line goes on in the next record of the stream.
_CRI_HEAD = rb"\n[0-9][0-9T:.+Z-]{18,40} (?:stdout|stderr) [PF](?::\S*)? "
_CRI_PARTIAL = re.compile(rb"[0-9][0-9T:.+Z-]{18,40} (stdout|stderr) P(?::\S*)? ")


class _CriGlue(Substitution):
    """Drops what stands between two pieces of a line."""

    def __init__(self) -> None:
        super().__init__(_CRI_HEAD, _between_pieces)
        self._within_value = re.compile(_CRI_HEAD)

    def decode(self, span: bytes) -> bytes:
        return self._within_value.sub(b"", span)


def _between_pieces(match: re.Match[bytes]) -> bytes:
    data = match.string
    start = data.rfind(b"\n", 0, match.start()) + 1
    before = _CRI_PARTIAL.match(data, start, match.start())
    here: bytes = match[0]
    return b"" if before and b" " + before[1] + b" " in here else here


CRI: tuple[Step, ...] = (_CriGlue(), JSON, *STEPS, PERCENT)
_CRI_TRIGGERS = (re.compile(rb" std(?:out|err) P[ :]"), *TERMINAL_TRIGGERS, *PERCENT_TRIGGERS, *JSON_TRIGGERS)
cri_view = partial(view_around, "cri-log", CRI, _CRI_TRIGGERS)

# asciinema (versions 2 and 3): one event a line, `[SECONDS, "o", "TEXT"]`; what was typed comes back a character an event.
_CAST_GLUE = Substitution(
    rb'"\]\s*?\n(?:(?:#[^\n]*|\[\s*[0-9.eE+-]+,\s*"[^o"]"[^\n]*|)\n)*\[\s*[0-9.eE+-]+,\s*"o",\s*"',
    b"",
)
ASCIINEMA: tuple[Step, ...] = (_CAST_GLUE, JSON, *STEPS)
asciinema_view = partial(whole_view, "asciinema", ASCIINEMA)

LOG: tuple[Step, ...] = (JSON, *STEPS, PERCENT)
_LOG_TRIGGERS = (*TERMINAL_TRIGGERS, re.compile(rb"\\u001b"), *PERCENT_TRIGGERS, *JSON_TRIGGERS)
log_view = partial(view_around, "log", LOG, _LOG_TRIGGERS)
"""Any other log: JSON in its lines, colours, and URLs of requests."""
