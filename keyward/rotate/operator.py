"""What the operator's configuration says of lanes, stores and providers. Values only; `keyward.rotate.lanes` reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from keyward.errors import UsageError
from keyward.model.lane import Entry, Lane

DEFAULT_STORE = "agefile"
DEFAULT_PATH = "lanes/{lane}/{name}"
DEFAULTS = "defaults"
"""The name below `[lanes]` that is no lane."""

APPROVAL_VALID = 86_400.0
"""Seconds for which an approval holds, unless configured."""


class Provider(NamedTuple):
    """`base_url`: empty for the public one. `rotate_every`: seconds, 0 where nothing is said."""

    base_url: str = ""
    rotate_every: float = 0.0


class Approvers(NamedTuple):
    """Who may approve. `users`: system users (empty: any). `allowed_signers`: a file as `ssh-keygen -Y verify` reads it; empty for
    no approval by key. `people`: the names (users, principals) under which one person is known. `folder`: where approvals lie,
    empty for the user's state folder. `starter_counts`: whether who made the plan counts. `valid`: seconds."""

    users: tuple[str, ...] = ()
    allowed_signers: str = ""
    people: Mapping[str, tuple[str, ...]] = {}
    folder: str = ""
    starter_counts: bool = False
    valid: float = APPROVAL_VALID


class AuditPlaces(NamedTuple):
    """Where the audit log's head is mirrored to. `stores`: their names; `syslog`: the system's log, at `socket` (empty: the usual)."""

    stores: tuple[str, ...] = ()
    syslog: bool = False
    socket: str = ""


class Operator(NamedTuple):
    """`stores`: the table of each store by name; there is always at least one. `rotate_every`: of lanes, by name, in seconds;
    `tier_rotate_every`: of tiers. `path`: of the file, empty where there is none. `default_store`: where keyward keeps what belongs
    to no lane (the audit log's key). `audit`: None where the configuration does not say where its head is mirrored.
    `audit_keep`: seconds for which its entries are kept, 0 for ever. `references`: lanes whose leaked values become
    references where they can."""

    path: str = ""
    stores: Mapping[str, Mapping[str, object]] = {}
    lanes: Mapping[str, Lane] = {}
    providers: Mapping[str, Provider] = {}
    rotate_every: Mapping[str, float] = {}
    tier_rotate_every: Mapping[int, float] = {}
    approvers: Approvers = Approvers()
    default_store: str = ""
    audit: AuditPlaces | None = None
    audit_keep: float = 0.0
    references: frozenset[str] = frozenset()

    def entries(self) -> Iterator[tuple[Lane, Entry]]:
        """Every credential with its lane, by tier, canary first, then in the order of the file."""
        for lane in sorted(self.lanes.values(), key=lambda lane: (lane.tier, not lane.canary)):
            yield from ((lane, entry) for entry in lane.entries)

    def lane(self, name: str) -> Lane:
        """Raises UsageError, naming the nearest, for one that is not there."""
        if name not in self.lanes:
            raise UsageError(f"there is no lane {name!r}", hint=_near(name, self.lanes))
        return self.lanes[name]

    def entry(self, ref: str) -> Entry:
        """The entry `lane/name`. Raises UsageError, naming the nearest, for one that is not there."""
        entries = {entry.ref: entry for _, entry in self.entries()}
        if ref not in entries:
            raise UsageError(f"there is no credential {ref!r} in a lane", hint=_near(ref, entries))
        return entries[ref]


def _near(word: str, known: Mapping[str, object]) -> str:
    from keyward.formats.toml_file import nearest

    return nearest(word, known) if known else "No lane is configured yet. Begin with: keyward init --from REPORT"
