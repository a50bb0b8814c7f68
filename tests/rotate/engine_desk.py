"""A desk on which the engine works: one entry of the toy provider, its store and consumers, and what stops a run on its way."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from toy_provider import ToyWorld

from keyward.errors import KeywardError
from keyward.model.credential import SecretParts
from keyward.model.lane import ConsumerSpec, Lane
from keyward.model.rotation import Outcome
from keyward.plugin.clock import ManualClock
from keyward.plugin.consumer import Consumer, Holds, Values
from keyward.plugin.ports import Call, Ports
from keyward.plugin.rotator import Rotator
from keyward.plugin.store import Slot
from keyward.rotate.engine import Rotation
from keyward.rotate.journal import FILE, Journal, new_rotation_id
from keyward.rotate.parties import Options, Parties, Placed
from keyward.stores.memory import MemoryStore

PATH = "lanes/lane/key"


class Box:
    """A consumer that keeps what it is given. `says`: what it answers; `fails`: what its `apply` raises."""

    type = "box"

    def __init__(self, name: str, held: SecretParts, *, says: str = "written", fails: Exception | None = None) -> None:
        self.name, self.held, self.says, self.fails = name, dict(held), says, fails

    def holds(self, values: Values) -> Holds:
        if not self.held:
            return Holds.NOTHING
        if self.held == dict(values.new):
            return Holds.NEW
        return Holds.OLD if self.held == dict(values.old) else Holds.OTHER

    def apply(self, values: Values) -> str:
        if self.fails:
            raise self.fails
        self.held = dict(values.new)
        return self.says

    def verify(self, values: Values) -> str:
        return self.says

    def rollback(self, values: Values) -> str:
        self.held = dict(values.old)
        return "written back"


class Desk:
    """One entry of the toy provider with its store and consumers; `rotation` goes on with the one that is there."""

    def __init__(self, world: ToyWorld, folder: str) -> None:
        self.world, self.folder = world, folder
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.store.write(PATH, Slot.CURRENT, world.old, {}, expected=0)
        self.entry = world.entry
        self.rotator: Rotator = world.rotator
        self.boxes: list[tuple[ConsumerSpec, Consumer]] = []
        self.verified = True
        self.fences: tuple[Any, ...] = ()
        self._stack = ExitStack()
        self.journal_folder = ""

    def box(self, place: str = "a", host: str = "", **options: Any) -> Box:
        made = Box(place, self.world.old, **options)
        self.boxes.append((ConsumerSpec("box", {"path": place, "number": len(self.boxes)}, host), made))
        return made

    def rotation(self, options: Options | None = None, tell: Any = None, found: tuple[ConsumerSpec, ...] = ()) -> Rotation:
        ports = self._stack.enter_context(
            Ports(self.world.rotator.hosts(self.world.entry), clock=self.clock, fences=self.fences)
        )
        if self.journal_folder:
            journal = Journal.open_(self.journal_folder, self.clock, self.fences)
        else:
            journal = Journal.create(
                os.path.join(self.folder, "rotations"), new_rotation_id(self.clock), self.clock, self.fences
            )
            self.journal_folder = journal.folder
        parties = Parties(
            Lane(self.entry.lane, entries=(self.entry,)),
            self.entry,
            self.rotator,
            self.store,
            ports,
            self.clock,
            (lambda credential: self.world.verify(credential, ports)) if self.verified else None,
            tuple(Placed(spec, box) for spec, box in self.boxes),
            self.world.admin,
            found,
        )
        return Rotation(parties, journal, options, tell) if tell else Rotation(parties, journal, options)

    def run(self, options: Options | None = None) -> Outcome:
        return self.rotation(options).run()

    def begin_anew(self) -> None:
        self.journal_folder = ""

    def current(self) -> SecretParts:
        held = self.store.read(PATH, Slot.CURRENT)
        return held.parts if held else {}

    def journal_text(self) -> str:
        with open(os.path.join(self.journal_folder, FILE)) as file:
            return file.read()

    def close(self) -> None:
        self._stack.close()


class StopAt:
    """A fence that stops a run before its number-th call whose name begins so."""

    def __init__(self, what: str, error: Exception | None = None) -> None:
        self.what, self.error, self.armed = what, error or KeywardError("stopped here"), True

    def before(self, call: Call) -> None:
        if self.armed and call.what.startswith(self.what):
            raise self.error

    def after(self, call: Call, outcome: str) -> None:
        """Nothing."""


Make = Callable[..., Desk]
