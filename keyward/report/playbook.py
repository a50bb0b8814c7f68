"""The playbook: one page that somebody who was woken up can follow. Each renderer is a pure function from its values to text."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from keyward.model.kind import Manual


class Person(NamedTuple):
    """Who is called, in this order. `reach`: how."""

    name: str
    role: str = ""
    reach: str = ""


class Task(NamedTuple):
    """One step of the first hour. `command`: what to type, empty where nothing is. `why`: one sentence."""

    what: str
    command: str = ""
    why: str = ""


class Turn(NamedTuple):
    """One credential, in the order in which it is replaced. `stop`: how it is stopped at once. `replace`: how it is replaced. `last`: whether it
    guards others and comes after them."""

    ref: str
    tier: int
    title: str
    stop: str
    replace: str
    consumers: tuple[str, ...] = ()
    approvals: int = 0
    last: bool = False


class ProviderPage(NamedTuple):
    """What one kind of credential needs. `automatic`: what keyward does; `rights`: those that its admin credential must have; `admin`: where that
    is (references, never values); `manual`: what a person does; `survives`: what may outlive the key. `references`: addresses."""

    title: str
    kind: str
    refs: tuple[str, ...]
    automatic: str
    rights: tuple[str, ...] = ()
    admin: tuple[str, ...] = ()
    manual: Manual = Manual((), "")
    references: tuple[str, ...] = ()


class Playbook(NamedTuple):
    """`made`: Unix seconds. `host`: where it was made. `config`: the configuration that it was made from. `last_drill`, `next_drill`: Unix seconds,
    0 for never. `gaps`: what is missing, so that it would fail on the night."""

    made: float
    host: str
    config: str
    triggers: tuple[str, ...]
    people: tuple[Person, ...]
    tasks: tuple[Task, ...]
    turns: tuple[Turn, ...]
    providers: tuple[ProviderPage, ...]
    last_drill: float = 0.0
    next_drill: float = 0.0
    gaps: tuple[str, ...] = ()

    @property
    def overdue(self) -> bool:
        """Whether a drill is due, or there never was one."""
        return not self.last_drill or self.next_drill <= self.made


def _markdown(playbook: Playbook) -> str:
    from keyward.report.playbook_markdown import render

    return render(playbook)


def _html(playbook: Playbook) -> str:
    from keyward.report.playbook_html import render

    return render(playbook)


PLAYBOOK_FORMATS: dict[str, Callable[[Playbook], str]] = {"markdown": _markdown, "html": _html}
"""Every format by the name that a user types."""


def render_playbook(name: str, playbook: Playbook) -> str:
    """The page, ending with a newline. ValueError if there is no such format."""
    if name not in PLAYBOOK_FORMATS:
        raise ValueError(f"no format of a playbook {name!r}; there are {', '.join(PLAYBOOK_FORMATS)}")
    return PLAYBOOK_FORMATS[name](playbook)


def day(seconds: float) -> str:
    """`2026-01-31`; `never` for 0."""
    from keyward.report.words import moment

    return moment(seconds)[:10] or "never"
