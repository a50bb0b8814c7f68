"""`keyward scrub` as a filter: standard input to standard output."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from typing import NamedTuple

from keyward.errors import KeywardError
from keyward.flows.project import open_project
from keyward.flows.scan import ScanOptions
from keyward.match.personas import PERSONAS
from keyward.scrub.known import KnownSecrets
from keyward.scrub.pseudonym import load_pseudonyms
from keyward.scrub.redactor import Redactor, Style
from keyward.scrub.stream import Count, StreamScrubber

PIECE = 1 << 20
"""Bytes asked for at a time; a pipe gives less."""

PAUSE = 0.05
"""Seconds of silence after which complete lines are passed on: a person who watches does not notice, and a busy writer's lines are
looked at many at a time."""


class Filter(NamedTuple):
    """A redactor, and what a person should know of it: stores that could not be asked for their values."""

    redactor: Redactor
    notes: tuple[str, ...]
    complete: bool


def open_filter(
    *,
    config: str | None = None,
    persona: str | None = None,
    stores: bool = True,
    on_compile: Callable[[int], None] = lambda rules: None,
) -> Filter:
    """The redactor of the operator's configuration: its rules, and the values that its stores hold.

    Raises ConfigError or UsageError for a configuration that is wrong. A store that does not answer is a note: what detectors see goes
    all the same.
    """
    # the folder where it runs has no say: a scanned project's own configuration is for scanning that project
    project = open_project(ScanOptions(paths=(os.sep,), baseline="", operator_config=config), on_compile=on_compile)
    registry = project.recipe.registry()
    pseudonyms = load_pseudonyms()
    secrets, notes, complete = KnownSecrets(), [], True
    if stores:
        from keyward.flows.scrub_known import known_to_stores
        from keyward.flows.workplace import open_workplace

        try:
            with open_workplace(config) as workplace:
                known = known_to_stores(workplace, registry, pseudonyms)
        except KeywardError as error:
            notes.append(f"the stores' own values are not looked for: {error}")
            complete = False
        else:
            secrets = KnownSecrets(known.secrets)
            notes += [f"its value is not looked for: {missing}" for missing in known.missing]
            complete = not known.missing
            if secrets.too_short:
                notes.append(f"{secrets.too_short} values of the stores are too short to be looked for")
    wanted = persona or project.settings.persona
    redactor = Redactor(project.recipe.matcher(), pseudonyms, secrets, persona=wanted if wanted in PERSONAS else "regular")
    return Filter(redactor, tuple(notes), complete)


def scrub_stream(redactor: Redactor, source: int, target: int, *, style: Style = Style.TOKEN, pause: float = PAUSE) -> Count:
    """Copies one descriptor to another, without secrets, until the source ends. Raises OSError; what was held back is then lost, not
    passed on."""
    scrubber = StreamScrubber(redactor, style)
    waits = _pauses(source)
    while True:
        if scrubber.held and waits and not select.select([source], [], [], pause)[0]:
            _write(target, scrubber.pause())
            select.select([source], [], [])
        data = os.read(source, PIECE)
        if not data:
            break
        _write(target, scrubber.feed(data))
    _write(target, scrubber.finish())
    return scrubber.count


def _pauses(source: int) -> bool:
    """Whether the source may keep one waiting, as a pipe does and a file does not."""
    import stat

    return not stat.S_ISREG(os.fstat(source).st_mode)


def _write(target: int, pieces: list[bytes]) -> None:
    for piece in pieces:
        view = memoryview(piece)
        while view:
            view = view[os.write(target, view) :]
