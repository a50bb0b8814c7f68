"""What all rotation commands work with: the operator's stores, references, rotators and consumers, opened once for a process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING

from keyward.errors import ConfigError, UsageError
from keyward.match.paths import state_folder
from keyward.model.credential import Credential, SecretParts
from keyward.model.lane import ConsumerSpec, Entry, Lane
from keyward.model.secret import Secret
from keyward.model.verdict import Unknown, Verdict
from keyward.plugin.clock import Clock, SystemClock
from keyward.plugin.consumer import Consumer
from keyward.plugin.ports import Fence, Hosts, Ports
from keyward.plugin.rotator import Job, Rotator
from keyward.plugin.store import Store
from keyward.plugin.verifier import Verifier, ask, hosts_for
from keyward.registry import Registry
from keyward.rotate.audit import AuditLog
from keyward.rotate.begun import Begun
from keyward.rotate.by_hand import ByHand
from keyward.rotate.gates import AccountGate
from keyward.rotate.known_salts import known_salts, names_of
from keyward.rotate.ledger import rotations_folder
from keyward.rotate.operator import Operator
from keyward.rotate.parties import Parties, Placed, Verify
from keyward.rotate.references import Resolver

if TYPE_CHECKING:
    from keyward.verify.remembered import Remembered

Prompt = Callable[[str], Secret]
"""Asks a person for a value, hidden. Raises UsageError where nobody can be asked."""


Warn = Callable[[str], None]
"""Tells a person what went wrong beside the work itself."""


def nobody(question: str) -> Secret:
    """A prompt where there is no terminal."""
    raise UsageError(f"{question}: nobody can be asked here", hint="Run it in a terminal, or configure a reference.")


class Workplace:
    """Use as a context manager, or call `close`. Safe for several threads once `open_stores` was called."""

    def __init__(
        self,
        operator: Operator,
        registry: Registry,
        *,
        state: str | None = None,
        clock: Clock | None = None,
        prompt: Prompt = nobody,
        environment: Mapping[str, str] | None = None,
        fences: tuple[Fence, ...] = (),
        warn: Warn = lambda text: None,
    ) -> None:
        self.operator, self.registry = operator, registry
        self.state = state or state_folder()
        self.clock: Clock = clock or SystemClock()
        self.fences = fences
        self.begun = Begun(self.state, self.clock)
        self._prompt, self._warn = prompt, warn
        self._environment = environment
        self._stores: dict[str, Store] = {}
        self._gates: dict[str, AccountGate] = {}
        self._doors: list[Ports] = []
        self._visit = threading.local()

    def __enter__(self) -> Workplace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drops what the audit log need not keep any longer, mirrors its head, closes stores and connections; warns of what of it could
        not be done."""
        if "audit" in self.__dict__:
            from keyward.flows.audit import retain_by_policy

            if problem := retain_by_policy(self):
                self._warn(problem)
            self.audit.close()
            if self.audit.mirror_problem:
                self._warn(self.audit.mirror_problem)
        if "verdicts" in self.__dict__:
            self.verdicts.save()
        for store in self._stores.values():
            store.close()
        for ports in self._doors:
            ports.close()
        self._stores.clear()
        self._doors.clear()

    @property
    def rotations(self) -> str:
        return rotations_folder(self.state)

    def ports(self, hosts: Hosts, *fences: Fence) -> Ports:
        """A door that is closed when this thread's visit ends; outside of one, with this workplace."""
        door = Ports(hosts, clock=self.clock, fences=(*fences, *self.fences))
        visit: list[Ports] | None = getattr(self._visit, "doors", None)
        (self._doors if visit is None else visit).append(door)
        return door

    def _lasting_ports(self, hosts: Hosts) -> Ports:
        """A store's door: it stays open as long as the store, whoever opened it."""
        door = Ports(hosts, clock=self.clock, fences=self.fences)
        self._doors.append(door)
        return door

    @contextmanager
    def visit(self) -> Iterator[None]:
        """One rotation: the connections that this thread opens in it end with it. Hundreds of rotations would keep more of them
        open than a process may have files."""
        before: list[Ports] | None = getattr(self._visit, "doors", None)
        doors: list[Ports] = []
        self._visit.doors = doors
        try:
            yield
        finally:
            self._visit.doors = before
            for ports in doors:
                ports.close()

    def store(self, name: str) -> Store:
        """An open store of the configuration. Raises ConfigError or StoreError."""
        if name not in self._stores:
            from keyward.stores import open_store

            if name not in self.operator.stores:
                raise ConfigError(f"there is no store {name!r}", path=self.operator.path, hint="Add it below [stores].")
            options = self.operator.stores[name]
            self._stores[name] = open_store(name, options, ports_for=self._lasting_ports, resolve=self.resolve)
        return self._stores[name]

    def open_stores(self) -> None:
        """Opens every store that a lane uses, so that later threads find them open."""
        for _, entry in self.operator.entries():
            self.store(entry.store)

    @cached_property
    def audit(self) -> AuditLog:
        """The audit log, open for writing; its key is in the default store, its mirrored head where the configuration says. Raises StoreError."""
        from keyward.flows.audit import open_log

        return open_log(self)

    @cached_property
    def resolve(self) -> Resolver:
        """The value behind a reference; see `keyward.rotate.references`."""
        return Resolver(environment=self._environment, open_store=self._named_store, ask=self._prompt)

    @cached_property
    def verdicts(self) -> Remembered:
        """What `keyward verify` remembers of providers' answers, to be forgotten where it does not hold any more."""
        from keyward.verify.remembered import Remembered

        return Remembered(self.clock)

    def _named_store(self, name: str) -> Store | None:
        stores = self.operator.stores
        if not name:
            name = next((each for each, options in stores.items() if options.get("type") == "vault"), "")
        return self.store(name) if name in stores else None

    def rotator(self, entry: Entry) -> Rotator:
        """The rotator of an entry's kind; for a kind without one, the person's."""
        found = self.registry.rotator(entry.kind)
        if found is not None:
            return found
        declared = self.registry.declared(entry.kind)
        if declared is None:
            hint = "See the kinds with: keyward rules list"
            raise ConfigError(f"{entry.ref}: there is no kind {entry.kind!r}", path=self.operator.path, hint=hint)
        return ByHand(declared)

    def admin(self, entry: Entry) -> SecretParts:
        """The entry's admin credential, resolved."""
        return {part: self.resolve(reference, part) for part, reference in entry.admin.items()}

    def gate(self, entry: Entry, rotator: Rotator) -> AccountGate:
        """The gate of the entry's account; one for all its entries."""
        gate = AccountGate(self.clock, rotator.capabilities_for(entry).rate)
        # in one step: of two threads that ask at once, both must get the same
        return self._gates.setdefault(rotator.account(entry), gate)

    def parties(
        self, lane: Lane, entry: Entry, *, extra: tuple[ConsumerSpec, ...] = (), fences: tuple[Fence, ...] = ()
    ) -> Parties:
        """All that a rotation of one entry needs. `extra`: consumers that a scan found; `fences`: see the calls to the provider and
        to consumers. Raises ConfigError, StoreError."""
        rotator = self.rotator(entry)
        specs = (*lane.consumers_of(entry.name), *extra)
        return Parties(
            lane=lane,
            entry=entry,
            rotator=rotator,
            store=self.store(entry.store),
            ports=self.ports(rotator.hosts(entry), self.gate(entry, rotator), *fences),
            clock=self.clock,
            verify=self.verify(entry, fences),
            consumers=tuple(Placed(spec, self._consumer(spec, fences)) for spec in specs),
            admin=self.admin(entry),
            found=extra,
            forget=self._forget,
            known_as=partial(self.known_as, entry),
        )

    def verify(self, entry: Entry, fences: tuple[Fence, ...] = ()) -> Verify | None:
        """Who can be asked whether a value of an entry lives: its detector, else its rotator's own probe; None if nobody."""
        verifier = self.registry.verifier(entry.kind)
        if verifier is not None:
            return partial(self._ask, verifier, entry, self.ports(hosts_for(verifier, entry.target), *fences))
        rotator = self.rotator(entry)
        if not rotator.can_probe(entry):
            return None
        return partial(_probe, rotator, Job(entry, self.ports(rotator.hosts(entry), *fences)))

    def _ask(self, verifier: Verifier, entry: Entry, ports: Ports, credential: Credential) -> Verdict:
        verdict = ask(verifier, credential, entry.target, ports)
        self._forget(credential.parts)  # a rotation asks because something changes; its answer is newer than any
        return verdict

    def _forget(self, parts: SecretParts) -> None:
        self.verdicts.forget(parts.values())
        self.verdicts.save_now_and_then()

    def known_as(self, entry: Entry, parts: SecretParts) -> tuple[str, ...]:
        """The fingerprints of a value of an entry, under every salt that a report of it may have."""
        kind = self.registry.known(entry.kind)
        return names_of(kind, parts, known_salts(self.state))

    def _consumer(self, spec: ConsumerSpec, fences: tuple[Fence, ...]) -> Consumer:
        from keyward.rotate.consumers import hosts_of, make_consumer

        return make_consumer(spec, self.ports(hosts_of(spec), *fences), resolve=self.resolve)


def _probe(rotator: Rotator, job: Job, credential: Credential) -> Verdict:
    try:
        return rotator.probe(job, credential.parts)
    except Exception as error:  # a rotator is somebody's code, and its text may quote the value
        return Unknown(f"the probe failed ({type(error).__name__})")


def open_workplace(
    config: str | None, *, prompt: Prompt = nobody, fences: tuple[Fence, ...] = (), warn: Warn = lambda text: None
) -> Workplace:
    """The workplace of the operator's configuration: the named file, else `$KEYWARD_CONFIG`, else the default one."""
    from keyward.rotate.lanes import load_lanes
    from keyward.scan.config import load_operator, operator_path

    path = operator_path(config)
    own = load_operator(path)
    return Workplace(load_lanes(path), Registry(plugins=own.plugins), prompt=prompt, fences=fences, warn=warn)
