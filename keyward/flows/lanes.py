"""`keyward lanes`: what there is, what is wrong with it, taking over what a scan found, and making what a lane needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from keyward.errors import ConfigError, KeywardError, Refused, StoreConflict, UsageError
from keyward.flows.workplace import Workplace
from keyward.match.fingerprint import Fingerprinter, is_fingerprint, load_salt
from keyward.model.credential import SecretParts
from keyward.model.kind import CredentialKind, Kind
from keyward.model.lane import Entry, Lane
from keyward.plugin.clock import Clock
from keyward.plugin.rotator import Job, Rotator, Warning
from keyward.plugin.store import Slot, Store, Stored
from keyward.registry import Registry
from keyward.rotate import identity
from keyward.rotate.due import Row, due
from keyward.rotate.found import Report, read_report
from keyward.rotate.init_config import quoted, quoted_key
from keyward.rotate.known_salts import remember_salt
from keyward.rotate.lanes import load_lanes
from keyward.rotate.named import Misnamed, misnamed, refuse_misnamed
from keyward.rotate.operator import Operator
from keyward.rotate.replaced import Replaced, replaced
from keyward.rotate.review import Problem, Sources, review
from keyward.scan.config import load_operator, operator_path

ADOPTED = "adopted"
"""The `state` label of what was taken over. It has no `written` label: nobody knows how old it is, so it is due."""


def read_operator(config: str | None) -> Operator:
    """The lanes of the operator's configuration; see `operator_path`. Raises ConfigError for whatever is wrong in the file."""
    path = operator_path(config)
    load_operator(path)
    return load_lanes(path)


def current(place: Workplace) -> Callable[[Entry], Stored | None]:
    """What the store holds for an entry."""
    return lambda entry: place.store(entry.store).read(entry.path, Slot.CURRENT)


class Checked(NamedTuple):
    """What is wrong, and what the report names although rotations have replaced it since."""

    problems: list[Problem]
    past: tuple[Replaced, ...] = ()


def check(place: Workplace, report: str | None, *, live: bool) -> Checked:
    """Everything that is wrong; offline unless `live`, which asks the providers and changes nothing there."""
    rotator_of = place.registry.rotator
    found = read_report(report) if report else None
    past = replaced(place.state, place.clock) if found else {}
    if found:
        remember_salt(place.state, found.salt)
    sources = Sources(
        current=current(place),
        kind_of=place.registry.known,
        rotator_of=rotator_of,
        now=place.clock.now(),
        salt=load_salt().value,
        report=found,
        live=(lambda lane, entry: _asked(place, rotator_of(entry.kind), entry)) if live else None,
        made=made_at(place) if live else None,
        past=past,
    )
    named = [past[name] for name in found.fingerprints() if name in past] if found else []
    return Checked(review(place.operator, sources), tuple(each for each in named if each.over))


def _asked(place: Workplace, rotator: Rotator | None, entry: Entry) -> Iterable[Warning]:
    if rotator is None or rotator.manual is not None:
        return ()
    job = job_for(place, rotator, entry)
    return tuple(rotator.review(job, rotator.inventory(job)))


def job_for(place: Workplace, rotator: Rotator, entry: Entry) -> Job:
    """What a rotator is given outside a rotation."""
    return Job(entry, place.ports(rotator.hosts(entry), place.gate(entry, rotator)), place.admin(entry))


def made_at(place: Workplace) -> Callable[[Entry], float | None]:
    """When the provider says that the credential of an entry was made; None where it cannot be asked."""

    def made(entry: Entry) -> float | None:
        rotator = place.registry.rotator(entry.kind)
        held = current(place)(entry)
        if rotator is None or rotator.manual is not None or held is None:
            return None
        try:
            job = job_for(place, rotator, entry)
            found = rotator.inventory(job).get(rotator.identify(job, held.parts))
        except KeywardError:
            return None
        return found.created if found else None

    return made


def due_rows(place: Workplace, *, live: bool = False) -> list[Row]:
    """How every credential stands. `live`: asks the provider where the store does not know when it was made."""
    return list(due(place.operator, current(place), place.clock.now(), made_at(place) if live else lambda entry: None))


def wrong_names(config: str | None) -> list[Misnamed]:
    """What stands in `scope` and `admin` of entries and means nothing to their rotators; offline."""
    path = operator_path(config)
    registry = Registry(plugins=load_operator(path).plugins)
    found = [(entry, rotator) for _, entry in load_lanes(path).entries() if (rotator := registry.rotator(entry.kind))]
    return [each for entry, rotator in found for each in misnamed(entry, rotator)]


class Adopted(NamedTuple):
    """What `adopt` did. `new_entry`: whether the configuration got the entry; `stored`: whether the store got the value (it
    may have had it). `places`: where the value still stands in the open, as `path:line`."""

    entry: Entry
    store: str
    new_entry: bool
    stored: bool
    places: tuple[str, ...]


Parts = Callable[[Report, str, CredentialKind], SecretParts]
"""Reads the parts of a reported credential again from its place. Raises Refused."""


def adopt(
    operator: Operator,
    report: Report,
    fingerprint: str,
    lane: str,
    *,
    store_of: Callable[[str], Store],
    kind_of: Callable[[Kind], CredentialKind],
    parts_of: Parts,
    clock: Clock,
    name: str = "",
    dry_run: bool = False,
) -> Adopted:
    """Takes a found credential into a lane: into the configuration, if the lane has no entry for it, and its value into the
    store's current slot. Doing it twice is the same as once. `dry_run`: only says what would be done.

    Raises UsageError for what is not there, Refused where the place has changed or the store holds something else.
    """
    if not is_fingerprint(fingerprint):
        raise UsageError("this is no fingerprint", hint="Copy it whole from a report: kw1_ and 26 characters.")
    places = report.places(fingerprint)
    if not places:
        raise UsageError(
            f"the report {report.path!r} does not name {fingerprint}", hint="Name the report that does: --report FILE"
        )
    kind = kind_of(places[0].kind)
    parts = parts_of(report, fingerprint, kind)
    entry, is_new = _entry_for(
        operator, operator.lane(lane), kind.name, name, lambda e: _holds(store_of, e, fingerprint, kind, report)
    )
    if not is_new:
        store = store_of(entry.store)
        stored = _put(store, entry, parts, places[0].public_id, fingerprint, kind, report.salt, clock, dry_run=dry_run)
        return Adopted(entry, store.name, False, stored, _open_places(report, fingerprint))
    if dry_run:
        return Adopted(entry, entry.store, True, True, _open_places(report, fingerprint))
    entry = _append_entry(operator.path, lane, entry.name, kind.name)
    store = store_of(entry.store)
    stored = _put(store, entry, parts, places[0].public_id, fingerprint, kind, report.salt, clock)
    return Adopted(entry, store.name, True, stored, _open_places(report, fingerprint))


def _open_places(report: Report, fingerprint: str) -> tuple[str, ...]:
    return tuple(f"{found.path}:{found.line}" for found in report.places(fingerprint))


def _holds(
    store_of: Callable[[str], Store], entry: Entry, fingerprint: str, kind: CredentialKind, report: Report
) -> bool | None:
    """Whether an entry's store holds this credential; None if it holds nothing."""
    held = store_of(entry.store).read(entry.path, Slot.CURRENT)
    return None if held is None else identity.fingerprint(kind, held.parts, Fingerprinter(report.salt)) == fingerprint


def _entry_for(
    operator: Operator, lane: Lane, kind: Kind, name: str, holds: Callable[[Entry], bool | None]
) -> tuple[Entry, bool]:
    """The entry that a credential belongs to, and whether it is yet to be written."""
    named = next((entry for entry in lane.entries if entry.name == name), None)
    if named is not None:
        if named.kind != kind:
            raise UsageError(f"{named.ref} is of kind {named.kind}, and this is {kind}", hint="Name another entry: --name NAME")
        return named, False
    if not name:
        fitting = [entry for entry in lane.entries if entry.kind == kind]
        state = {entry.name: holds(entry) for entry in fitting}
        chosen = [e for e in fitting if state[e.name]] or [e for e in fitting if state[e.name] is None]
        if len(chosen) > 1:
            names = ", ".join(entry.name for entry in chosen)
            raise UsageError(f"lane {lane.name} has several empty entries of this kind: {names}", hint="Say which: --name NAME")
        if chosen:
            return chosen[0], False
    if not operator.path:
        raise UsageError("there is no configuration to add the credential to", hint="Write one: keyward init --from REPORT")
    taken = {entry.name for entry in lane.entries}
    stem = name or str(kind).replace("/", "-")
    free = next(each for each in (stem, *(f"{stem}-{n}" for n in range(2, len(taken) + 3))) if each not in taken)
    return Entry(lane.name, free, kind, "", ""), True


def _append_entry(path: str, lane: str, name: str, kind: Kind) -> Entry:
    """Adds an entry at the end of the configuration; the file is as before if it would not be read then."""
    block = f"\n[[lanes.{quoted_key(lane)}.credentials]]\nname = {quoted(name)}\nkind = {quoted(str(kind))}\n"
    real = os.path.realpath(path)
    draft = f"{real}.{os.getpid()}.tmp"
    with open(real, "rb") as file:
        before = file.read()
        mode = os.fstat(file.fileno()).st_mode & 0o777
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(before + (b"" if before.endswith(b"\n") or not before else b"\n") + block.encode())
            file.flush()
            os.fsync(file.fileno())
        entry = load_lanes(draft).entry(f"{lane}/{name}")
        os.replace(draft, real)
    except ConfigError as error:
        os.unlink(draft)
        hint = f"Add it by hand: [[lanes.{lane}.credentials]] name = {quoted(name)}, kind = {quoted(str(kind))}. {error.hint}"
        raise ConfigError("the credential cannot be added at the end of this file", path=path, hint=hint) from None
    except OSError as error:
        if os.path.lexists(draft):
            os.unlink(draft)
        raise ConfigError(f"cannot be written: {(error.strerror or 'error').lower()}", path=path) from None
    return entry


def _put(
    store: Store,
    entry: Entry,
    parts: SecretParts,
    public_id: str,
    fingerprint: str,
    kind: CredentialKind,
    salt: bytes,
    clock: Clock,
    *,
    dry_run: bool = False,
) -> bool:
    """Writes the value where nothing stands; answers whether that was needed. Raises Refused where something else stands."""
    for _ in range(2):
        held = store.read(entry.path, Slot.CURRENT)
        if held is not None:
            if dict(held.parts) == dict(parts):
                return False
            if identity.fingerprint(kind, held.parts, Fingerprinter(salt)) == fingerprint:
                raise Refused(
                    f"{entry.ref}: the store holds it with other parts beside it", hint="Look at it in the store first."
                )
            hint = f"Rotate what is there (keyward rotate {entry.ref}), or adopt this one under another --name."
            raise Refused(f"{entry.ref}: the store {store.name} holds something else at {entry.path}", hint=hint)
        if dry_run:
            return True
        labels = {
            "lane": entry.lane,
            "name": entry.name,
            "kind": str(entry.kind),
            "public_id": public_id,
            "state": ADOPTED,
            "adopted": str(int(clock.now())),
        }
        try:
            store.write(entry.path, Slot.CURRENT, parts, labels, expected=0)
            return True
        except StoreConflict:
            continue
    raise StoreConflict(f"{entry.ref}: somebody else writes the store at the same time", hint="Try again.")


class Step(NamedTuple):
    """One thing that a lane needs. `where`: the store or the credential. `done`: whether it is there (or was just made)."""

    where: str
    what: str
    done: bool


class Provisioned(NamedTuple):
    """`failed`: what could not be looked at or made, with the reason; the rest was."""

    steps: tuple[Step, ...]
    failed: tuple[tuple[str, str, str], ...]


def provision(lane: Lane, store_of: Callable[[str], Store], jobs: Sequence[tuple[Rotator, Job]], *, apply: bool) -> Provisioned:
    """What a lane needs in its stores and at its providers; makes it if `apply`. Idempotent. One failure stops nothing else."""
    steps: list[Step] = []
    failed: list[tuple[str, str, str]] = []
    for name in dict.fromkeys(entry.store for entry in lane.entries):
        try:
            steps += _in_store(store_of(name), lane, apply=apply)
        except KeywardError as error:
            failed.append((f"store {name}", str(error), error.hint))
    for rotator, job in jobs:
        try:
            refuse_misnamed(job.entry, rotator)
            # a rotator says what was there before; what it did not make, it raised for
            steps += [Step(job.entry.ref, change.what, apply or change.done) for change in rotator.provision(job, apply=apply)]
        except KeywardError as error:
            failed.append((job.entry.ref, str(error), error.hint))
    return Provisioned(tuple(steps), tuple(failed))


def _in_store(store: Store, lane: Lane, *, apply: bool) -> list[Step]:
    """A policy and a role, where the store is a Vault; the others have no lanes of their own."""
    if store.type != "vault":
        return []
    from keyward.stores.vault import VaultStore
    from keyward.stores.vault_lanes import KEEP, provision_lane

    if not isinstance(store, VaultStore):
        return []
    paths = [entry.path for entry in lane.entries if entry.store == store.name]
    changes = provision_lane(store, lane.name, paths, apply=apply)
    return [Step(f"store {store.name}", f"{c.what}: {' '.join(c.detail.split())}", apply or c.action == KEEP) for c in changes]


def jobs_for(place: Workplace, lane: Lane) -> list[tuple[Rotator, Job]]:
    """The rotators of a lane's credentials, with what they work with."""
    found = [(entry, rotator) for entry in lane.entries if (rotator := place.registry.rotator(entry.kind))]
    return [(rotator, job_for(place, rotator, entry)) for entry, rotator in found]
