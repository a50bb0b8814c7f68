"""Names in an entry's `scope` and `admin` that its rotator does not know.

A setting that is mistyped would be passed over, and what it was to narrow would be as wide as the provider allows. So it is
refused before anything is made. A rotator says which names it knows (`scope_names`, `admin_options`); one that says nothing of its settings is
not held to any.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from keyward.errors import Refused
from keyward.formats.toml_file import nearest
from keyward.model.lane import Entry
from keyward.plugin.rotator import Rotator


class Misnamed(NamedTuple):
    """One name that means nothing. `where`: the key of the configuration; `hint`: what it was perhaps meant to be."""

    ref: str
    where: str
    text: str
    hint: str


def misnamed(entry: Entry, rotator: Rotator) -> Iterator[Misnamed]:
    """Each name that the rotator does not know."""
    scope = rotator.scope_names
    if scope is None:
        return
    title = rotator.title or str(entry.kind)
    for name in entry.scope:
        if name not in scope:
            hint = nearest(name, scope) if scope else "Take it out."
            yield Misnamed(entry.ref, f"scope.{name}", f"{title} has no setting of this name", hint)
    admin = (*rotator.admin.parts, *rotator.admin_options)
    for name in entry.admin:
        if admin and name not in admin:
            text = f"the admin credential of {title} has no part of this name"
            yield Misnamed(entry.ref, f"admin.{name}", text, nearest(name, admin))


def refuse_misnamed(entry: Entry, rotator: Rotator) -> None:
    """Raises Refused for the first name that the rotator does not know."""
    for each in misnamed(entry, rotator):
        raise Refused(f"{each.ref}: {each.where}: {each.text}", hint=f"{each.hint} Correct it in the operator's configuration.")
