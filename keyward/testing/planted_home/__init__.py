"""A home folder with one canary in each place where a tool keeps text, written by the real tool's library or byte for byte as it writes.

One module a group of tools; each has `plant(home)`. What a sweep of the home must find, and what it must name as not readable, is in
`Home.canaries`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from keyward.plugin.checksums import crc32_base62
from keyward.plugin.shapes import an, concat

MOMENT = 1_760_000_000
"""The modification time of every planted file, in seconds since 1970, so that a sweep that touches one is seen."""


class Canary(NamedTuple):
    """`place`: a name of the planter's for where it stands (`openclaw/transcript_events zstd`). `path`: of the file, relative to the home.
    `value`: a GitHub token in form only. `opaque`: the place is encrypted or in a form that nobody can read: it must be named.
    `where`: a piece of text that the finding's container or label must hold, empty if there is none."""

    place: str
    path: str
    value: str
    opaque: bool = False
    where: str = ""


class Home:
    """The folder under construction."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.folder = folder
        self.canaries: list[Canary] = []
        self.planter = ""
        self._planted_by: dict[str, str] = {}
        self._seed = seed * 100_000

    def canary(self, place: str, path: str, *, opaque: bool = False, where: str = "") -> str:
        """A fresh value for a place."""
        if any(each.place == place for each in self.canaries):
            raise ValueError(f"the place {place!r} is planted twice")
        shape = concat("ghp_", an(30)).tail(lambda token: crc32_base62(token[4:]))
        value = shape.sample(self._seed + len(self.canaries)).text.decode()
        self.canaries.append(Canary(place, path, value, opaque, where))
        return value

    def path(self, relative: str) -> Path:
        """A path in the home, with the folders above it made."""
        path = self.folder / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, relative: str, content: bytes | str) -> Path:
        """Writes a file."""
        if self._planted_by.setdefault(relative, self.planter) != self.planter:
            raise ValueError(f"two planters write {relative!r}: the canary of the first would be lost")
        path = self.path(relative)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def finish(self) -> None:
        """Gives every file the same modification time."""
        for folder, _, files in os.walk(self.folder):
            for name in files:
                path = os.path.join(folder, name)
                if not os.path.islink(path):
                    os.utime(path, (MOMENT, MOMENT))


Planter = Callable[[Home], None]


def planters() -> tuple[Planter, ...]:
    """All of them, in a fixed order."""
    from keyward.testing.planted_home import agents, env_and_configs, openclaw, shell_and_logs

    return (openclaw.plant, agents.plant, env_and_configs.plant, shell_and_logs.plant)


def planted_home(folder: Path, seed: int = 1) -> Home:
    """The whole home."""
    home = Home(folder, seed)
    for plant in planters():
        home.planter = plant.__module__
        plant(home)
    home.finish()
    return home
