"""What a person asked for, as entries of lanes; and whose the leaked keys of a report are."""

from __future__ import annotations

import os
from typing import NamedTuple

from keyward.errors import KeywardError, StoreDenied, UsageError
from keyward.flows.workplace import Workplace
from keyward.formats.toml_file import nearest
from keyward.match.fingerprint import Fingerprinter
from keyward.model.credential import SecretParts
from keyward.model.lane import ConsumerSpec, Entry, Lane
from keyward.plugin.store import Slot, Stored
from keyward.rotate.consumers.guess import guess_consumer
from keyward.rotate.consumers.guess_reference import Kept, guess_reference
from keyward.rotate.consumers.openclaw_reference import VAULT
from keyward.rotate.found import LIVE, Found, Report
from keyward.rotate.identity import fingerprint
from keyward.rotate.operator import Operator


class Wanted(NamedTuple):
    """What was asked for. `names`: `lane/name`. `report`: a scan's, for leaked keys. `references`: whether leaked
    values become references wherever they can (else in the lanes that say so)."""

    names: tuple[str, ...] = ()
    lanes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    tiers: tuple[int, ...] = ()
    report: Report | None = None
    everything: bool = False
    references: bool = False


class Chosen(NamedTuple):
    """One entry to be rotated. `leaked`: the fingerprint under which a scan found it; `extra`: consumers that the scan found.
    `notes`: what is to be said of them."""

    lane: Lane
    entry: Entry
    leaked: str = ""
    extra: tuple[ConsumerSpec, ...] = ()
    notes: tuple[str, ...] = ()


class Unread(NamedTuple):
    """An entry whose store could not be read while leaked keys were matched, so that nobody can tell whether it is one of them."""

    entry: Entry
    reason: str
    hint: str = ""


class Selection(NamedTuple):
    """`unowned`: fingerprints of a report that no lane owns, with their first places. `unread`: what may own one all the same."""

    chosen: tuple[Chosen, ...]
    unowned: tuple[Found, ...] = ()
    unread: tuple[Unread, ...] = ()


def select(place: Workplace, wanted: Wanted) -> Selection:
    """The entries that were asked for. Raises UsageError for a name, kind or tier that is not there (the others are not rotated then:
    who is in a hurry must not believe that all was), or when nothing was asked for."""
    operator = place.operator
    everything = list(operator.entries())
    if not any((wanted.names, wanted.lanes, wanted.kinds, wanted.tiers, wanted.report, wanted.everything)):
        raise UsageError("say what to rotate", hint="Name LANE/NAME, or use --lane, --kind, --tier, --leaked REPORT or --all.")
    _refuse_unknown(operator, wanted)
    refs: dict[str, Chosen] = {}

    def add(lane: Lane, entry: Entry) -> None:
        refs.setdefault(entry.ref, Chosen(lane, entry))

    for name in wanted.names:
        entry = operator.entry(name)
        add(operator.lane(entry.lane), entry)
    for name in wanted.lanes:
        for entry in operator.lane(name).entries:
            add(operator.lane(name), entry)
    for lane, entry in everything:
        if wanted.everything or str(entry.kind) in wanted.kinds or lane.tier in wanted.tiers:
            add(lane, entry)
    unowned: tuple[Found, ...] = ()
    unread: tuple[Unread, ...] = ()
    if wanted.report is not None:
        leaked, unowned, unread = _owners(place, wanted.report, references=wanted.references)
        for each in leaked:
            refs[each.entry.ref] = each
        # what was asked for by name is rotated, whether it leaked or not; its rotation says itself what is wrong with its store
        unread = tuple(each for each in unread if each.entry.ref not in refs)
    if not refs and not unowned and not unread:
        raise UsageError("no credential of a lane fits", hint="See what there is with: keyward lanes list")
    return Selection(tuple(refs.values()), unowned, unread)


def _refuse_unknown(operator: Operator, wanted: Wanted) -> None:
    """Raises UsageError for what the configuration does not have."""
    everything = list(operator.entries())
    if not everything and wanted.report is None:
        raise UsageError(
            "your configuration has no credential of a lane" if operator.path else "you have no configuration yet",
            hint="Write a first one: keyward scan --format jsonl -o report.jsonl, then keyward init --from report.jsonl",
        )
    for name in wanted.names:
        if name in operator.lanes:
            raise UsageError(f"{name!r} is a lane, and no credential of one", hint=f"For all of it: --lane {name}")
    known = sorted({str(entry.kind) for _, entry in everything})
    for kind in wanted.kinds:
        if kind not in known:
            raise UsageError(f"no lane has a credential of kind {kind!r}", hint=nearest(kind, known))
    tiers = sorted({lane.tier for lane, _ in everything})
    for tier in wanted.tiers:
        if tier not in tiers:
            there = ", ".join(map(str, tiers))
            raise UsageError(f"no lane with a credential has tier {tier}", hint=f"There are: {there}." if there else "")


def _owners(
    place: Workplace, report: Report, *, references: bool
) -> tuple[list[Chosen], tuple[Found, ...], tuple[Unread, ...]]:
    """Which entries hold the keys that a report names: by the fingerprint of the value in the store, under the report's salt; the
    keys that none holds; and the entries of stores that cannot be read: what the others hold is matched all the same."""
    made = Fingerprinter(report.salt)
    wanted = set(report.fingerprints())
    owned: dict[str, Chosen] = {}
    unread: list[Unread] = []
    reader = CurrentValues(place)
    for lane, entry in place.operator.entries():
        try:
            held = reader.of(entry)
        except KeywardError as error:
            unread.append(Unread(entry, str(error), error.hint))
            continue
        if held is None:
            continue
        name = fingerprint(place.registry.known(entry.kind), held.parts, made)
        if name in wanted:  # of several entries with one value each gets its own new one
            chosen = Chosen(lane, entry, name)
            wanted_here = references or lane.name in place.operator.references
            owned[entry.ref] = _with_consumers(place, report, chosen, held.parts, references=wanted_here)
    ours = {each.leaked for each in owned.values()}
    rest = [report.places(name)[0] for name in report.fingerprints() if name not in ours]
    return list(owned.values()), tuple(rest), tuple(unread)


class CurrentValues:
    """Reads what stores hold for entries, the current value unless told otherwise. A store that does not answer is not waited for again with each of its entries."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._gone: dict[str, KeywardError] = {}

    def of(self, entry: Entry, slot: Slot = Slot.CURRENT) -> Stored | None:
        """What a slot holds; None if nothing. Raises KeywardError where that cannot be told."""
        gone = self._gone.get(entry.store)
        if gone is not None:
            raise gone
        try:
            return self._place.store(entry.store).read(entry.path, slot)
        except StoreDenied:  # of this path alone
            raise
        except KeywardError as error:
            self._gone[entry.store] = error
            raise


def _with_consumers(place: Workplace, report: Report, chosen: Chosen, parts: SecretParts, *, references: bool) -> Chosen:
    """With the live configurations in which the report saw the key, and that no consumer of the lane covers. `references`: whether
    the value becomes a reference there, if whoever reads it can resolve one."""
    lane, entry = chosen.lane, chosen.entry
    covered = {os.path.abspath(os.path.expanduser(str(c.options.get("path", "")))) for c in lane.consumers_of(entry.name)}
    kept = Kept(entry, vault=_is_vault(place, entry))
    specs: list[ConsumerSpec] = []
    notes: list[str] = []
    live = (each.path for each in report.places(chosen.leaked) if each.role == LIVE and each.locator.source == "tree")
    for path in dict.fromkeys(live):
        whole = os.path.abspath(path)
        if whole in covered:
            continue
        try:
            with open(whole, "rb") as file:
                data = file.read(8 << 20)
        except OSError:
            continue
        found = guess_reference(whole, parts, data, kept) if references else ()
        notes += [f"{whole}: the value will be replaced by a reference{_where(spec)}" for spec in found]
        if not found:
            spec = guess_consumer(whole, parts, data)
            found = (spec,) if spec is not None else ()
            if references and found:
                notes.append(f"{whole}: it can hold no reference, so that the new value will stand there")
        specs += found
    return chosen._replace(extra=tuple(specs), notes=tuple(notes))


def _is_vault(place: Workplace, entry: Entry) -> bool:
    """Whether OpenClaw's Vault plugin, which reads one mount, `secret` unless told otherwise, can read the entry's store."""
    options = place.operator.stores[entry.store]
    return options.get("type") == "vault" and options.get("mount", "secret") == "secret" and not options.get("local")


def _where(spec: ConsumerSpec) -> str:
    """Where the value will stand."""
    if spec.type == "compose":
        return ", and stands in .env beside it"
    source = "the lane's store, by its Vault plugin" if spec.options.get("source") == VAULT else "OpenClaw's secret store"
    return f" to {source} ({spec.options['field']})"
