"""Which rotation of an entry is unfinished, asked again and again while hundreds of them run."""

from __future__ import annotations

import json
import os

from keyward.errors import Halted
from keyward.plugin.clock import Clock
from keyward.rotate.journal import FILE, Journal
from keyward.rotate.ledger import Standing, State, rotations_folder, standing


class Begun:
    """The journals below a state folder, each read no more often than it must be.

    Whose a journal is stands in its first line for good, and one that is done stays so: both are remembered. Only journals of the
    entry that is asked about are opened whole, so that those that other threads and processes are writing are let be. The caller
    holds the entry's lock. Safe for several threads.
    """

    def __init__(self, state: str, clock: Clock) -> None:
        self._folder, self._clock = rotations_folder(state), clock
        self._refs: dict[str, str] = {}
        self._over: set[str] = set()

    def unfinished(self, ref: str) -> list[Standing]:
        """As `ledger.unfinished` has it: the rotations of this entry that can be resumed, oldest first."""
        try:
            names = sorted(set(os.listdir(self._folder)) - self._over)
        except OSError:
            return []
        found = []
        for name in names:
            if self._ref(name) != ref:
                continue
            try:
                stands = standing(Journal.open_(os.path.join(self._folder, name), self._clock))
            except Halted:
                continue
            if stands.state in (State.UNFINISHED, State.WAITING):
                found.append(stands)
            else:
                self._over.add(name)
        return found

    def _ref(self, name: str) -> str:
        """Whose it is; empty where nothing stands there yet."""
        known = self._refs.get(name, "")
        if not known:
            try:
                with open(os.path.join(self._folder, name, FILE), "rb") as file:
                    first = file.readline()
                known = str(json.loads(first)["ids"]["ref"]) if first.endswith(b"\n") else ""
            except (OSError, ValueError, KeyError, TypeError):
                known = ""
            if known:
                self._refs[name] = known
        return known
