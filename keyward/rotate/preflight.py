"""What must be so before anything outside is changed. Reads only; refuses with the reason and the next step."""

from __future__ import annotations

from secrets import token_urlsafe
from typing import NamedTuple

from keyward.errors import ConsumerChanged, Halted, Refused, StoreUnavailable
from keyward.model.credential import NO_PARTS, SecretParts
from keyward.model.secret import Secret
from keyward.model.verdict import Dead
from keyward.plugin.consumer import Holds, Values
from keyward.plugin.store import Slot
from keyward.rotate.consumers.files import Prepared
from keyward.rotate.named import refuse_misnamed
from keyward.rotate.parties import Options, Parties


class Preflight(NamedTuple):
    """`old`: the value to be replaced (empty: there is none yet), `old_id`: its id at the provider (empty: it has none, or nobody can tell
    and a person must kill it), `version`: of the store's current slot, 0 for an empty one. `dead`: the provider does not know the
    old one any more (it was revoked because it leaked, or expired), so that nothing is left to kill."""

    old: SecretParts
    old_id: str
    version: int
    notes: tuple[str, ...] = ()
    dead: bool = False


def preflight(parties: Parties, options: Options, rotation: str) -> Preflight:
    """Checks store, admin credential, identity and consumers. Raises what is wrong; nothing was changed then."""
    entry, store = parties.entry, parties.store
    if entry.kind not in parties.rotator.kinds:
        raise Refused(f"{entry.ref}: the rotator does not know {entry.kind}")
    refuse_misnamed(entry, parties.rotator)
    health = store.health()
    if not health.usable:
        raise StoreUnavailable(f"the store {entry.store} cannot be used: {health.detail}", certain=True)
    pending = store.read(entry.path, Slot.PENDING)
    previous = store.read(entry.path, Slot.PREVIOUS)
    for held in (pending, previous):
        if held is not None and held.labels.get("rotation") != rotation:
            other = held.labels.get("rotation", "")
            hint = f"Finish it first: keyward resume {other}, or keyward abort {other}" if other else "Look at the store first."
            raise Halted(f"{entry.ref}: an earlier rotation ({other or 'of something else'}) is not finished", hint=hint)
    current = store.read(entry.path, Slot.CURRENT)
    if current is not None and (owner := current.labels.get("lane", "")) and owner != entry.lane:
        raise Refused(f"{entry.ref}: the store path {entry.path} belongs to lane {owner}", hint="Correct the path template.")
    if current is not None and (kind := current.labels.get("kind", "")) and kind != str(entry.kind):
        raise Refused(f"{entry.ref}: the store path {entry.path} holds a {kind}", hint="Correct the path template or the kind.")
    kept = previous.parts if previous else NO_PARTS  # this rotation's own, from before it was interrupted
    old = options.leaked or kept or (current.parts if current else NO_PARTS)
    if options.leaked and current and not _same_identity(parties, options.leaked, current.parts):
        raise Refused(
            f"{entry.ref}: the leaked value is not the one in the store",
            hint="It may be an older one: revoke it with keyward revoke, or adopt it into a lane of its own.",
        )
    for part in parties.rotator.admin.parts:
        parties.job(rotation).admin_text(part)
    notes: list[str] = []
    old_id, dead = _identify(parties, rotation, old, notes) if old else ("", False)
    _refuse_missing_rights(parties, rotation, old)
    _ask_consumers(parties, options, old, rotation)
    return Preflight(old, old_id, current.version if current else 0, tuple(notes), dead)


def _same_identity(parties: Parties, leaked: SecretParts, current: SecretParts) -> bool:
    """Whether both are the same credential: every part that both have is equal, and they share one."""
    shared = set(leaked) & set(current)
    return bool(shared) and all(leaked[part] == current[part] for part in shared)


def _identify(parties: Parties, rotation: str, old: SecretParts, notes: list[str]) -> tuple[str, bool]:
    """Its id, and whether it is dead already."""
    try:
        return parties.rotator.identify(parties.job(rotation), old), False
    except Refused as error:
        if parties.rotator.manual is not None:
            notes.append(str(error))
            return "", False
        if parties.verify is None or not isinstance(parties.verify(parties.credential(old)), Dead):
            raise
    notes.append("the provider refuses the old one already, and does not list it: there is nothing to revoke")
    return "", True


def _refuse_missing_rights(parties: Parties, rotation: str, old: SecretParts) -> None:
    """Raises Refused for actions that the admin credential is known not to have: else a right to kill would be missed when all
    consumers have the new value already."""
    try:
        missing = list(dict.fromkeys(parties.rotator.missing_rights(parties.job(rotation), old)))
    except Exception:  # nobody could answer, or not in a form that was understood: no refusal, the call itself will tell
        return
    if missing:
        pack = type(parties.rotator).__module__
        ours = pack.startswith("keyward.rotators.")
        page = f"docs/providers/{pack.rpartition('.')[2]}.md" if ours else "the documentation of this rotator"
        raise Refused(
            f"{parties.entry.ref}: the admin credential lacks what this rotation will need: {', '.join(missing)}",
            hint=f"Give it these rights, as {page} has them, then run this again. Nothing was changed.",
        )


def _ask_consumers(parties: Parties, options: Options, old: SecretParts, rotation: str) -> None:
    given = [each for each in parties.consumers if not (each.spec.host and each.spec.host in options.withheld_hosts)]
    for placed in given:
        if isinstance(placed.consumer, Prepared):
            placed.consumer.ready()
    reference = f"{parties.entry.store}:{parties.entry.path}"
    # there is no new value yet: the old one in its place makes `holds` tell whether the consumer has it
    values = Values(parties.entry.lane, parties.entry.name, reference, old, old or _unlike(parties), rotation)
    for placed in given:
        if placed.consumer.holds(values) is not Holds.OTHER:
            continue
        if not old:
            raise ConsumerChanged(
                f"{placed.spec.name} holds a value already, and the store {parties.entry.store} holds none, so that nobody could "
                "tell whether it may be replaced",
                hint="Take it in first: keyward scan it into a report, then "
                f"keyward lanes adopt FINGERPRINT --lane {parties.entry.lane} --report REPORT. If nobody needs it, take it out.",
            )
        raise ConsumerChanged(
            f"{placed.spec.name} does not hold the value that is to be replaced",
            hint="Correct the consumer's place in the operator's configuration, or put the current value there.",
        )


def _unlike(parties: Parties) -> SecretParts:
    """Stands for a first value that is not made yet: its parts as far as the rotator tells them, else parts of every name."""
    return {name: _Unlike()[name] for name in parties.rotator.gives} or _Unlike()


class _Unlike(dict[str, Secret]):
    """Parts of every name, like nobody's."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Secret:
        self[name] = made = Secret(token_urlsafe(24).encode())
        return made

    def get(self, name: str, default: object = None) -> Secret:  # there is always one
        return self[name]
