"""What a rotator pack is: a module in `rotators/` whose `ROTATORS` holds instances of `Rotator`.

A rotator knows how one provider replaces one kind of credential. It never decides when, never stores, and never tests: the
engine asks the detector's `verify` whether the new one lives and the old one is dead.

Four shapes fit (`Overlap`): create a new one and kill the old one later (`own`); the provider lets both live for a while
(`grace`); the old one dies when the new one is made (`none`); and kinds that only a person can reissue (`manual` is set, and
`issue` is never called).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from keyward.errors import Refused
from keyward.model.credential import NO_PARTS, Credential, SecretParts, Target
from keyward.model.kind import Kind, Manual
from keyward.model.lane import Entry
from keyward.model.verdict import Unknown, Verdict
from keyward.plugin.ports import Hosts, Ports


class Origin(enum.Enum):
    """Who makes the value. `MINTED`: the provider, which shows it once. `CHOSEN`: we, so that it is stored before it is applied."""

    MINTED = "minted"
    CHOSEN = "chosen"


class Overlap(enum.Enum):
    """How long the old one lives once the new one is there."""

    OWN = "own"
    GRACE = "grace"
    NONE = "none"


class Capabilities(NamedTuple):
    """What the provider can do.

    `overlap`, and `grace` (seconds) where it is GRACE. `slots`: how many such credentials one principal may have, None for no
    limit worth naming. `scoped`, `expiry`: whether a new one can be given less rights, or an end. `reversible_disable`:
    whether `disable` can be undone by `enable`. `marks`: whether what `issue` makes carries the rotation's mark in a listing.
    `settle`: seconds until a new one works everywhere at the latest (PROVE's deadline). `propagation`: seconds until a killed
    one is refused everywhere at the latest (CONFIRM's deadline). `listing_lag`: seconds until a new one is listed at the
    latest. `rate`: changing calls per second that one account allows, 0 where nothing is documented. `applied_by_consumers`:
    the service reads the value from its own configuration, so that the new one works only after DISTRIBUTE (PROVE comes
    after it), and the old one dies with it. `lists`: whether the provider lists these credentials at all; where it does not, one
    whose answer was lost lives until it ends by itself. `fallbacks`: consumers hold both values for a while, and are told to
    drop the old one before it is revoked.
    """

    overlap: Overlap = Overlap.OWN
    grace: float = 0.0
    slots: int | None = None
    scoped: bool = False
    expiry: bool = False
    reversible_disable: bool = False
    marks: bool = False
    settle: float = 30.0
    propagation: float = 60.0
    listing_lag: float = 0.0
    rate: float = 0.0
    applied_by_consumers: bool = False
    lists: bool = True
    fallbacks: bool = False


class AdminNeed(NamedTuple):
    """The credential that may replace others. `parts`: the names of its parts (empty: none is needed, the credential replaces
    itself). `rights`: the actions it needs, in the provider's words. `policy`: a ready policy, for the documentation."""

    parts: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()
    policy: str = ""


class Held(NamedTuple):
    """One credential that the provider lists. `mark`: the `keyward:…` mark found on it, if any. Times: Unix seconds."""

    id: str
    active: bool = True
    created: float | None = None
    last_used: float | None = None
    expires: float | None = None
    mark: str = ""
    name: str = ""


class Inventory(NamedTuple):
    """What a principal holds now. `principal`: as the provider names it. `lane_owned`: whether the principal exists for this
    lane alone, so that a key nobody else made there can be ours."""

    principal: str
    held: tuple[Held, ...]
    lane_owned: bool = False

    def ids(self) -> frozenset[str]:
        return frozenset(each.id for each in self.held)

    def get(self, id: str) -> Held | None:
        return next((each for each in self.held if each.id == id), None)


class Issued(NamedTuple):
    """A new credential. `id`: how the provider lists it. `parts`: its values, named as the detector's kind names them."""

    id: str
    parts: SecretParts
    expires: float | None = None


class Warning(NamedTuple):
    """Something wrong with a credential's reach. `code`: `over-broad`, `no-expiry`, `unused`, `root`; `text`: one sentence."""

    code: str
    text: str


class Change(NamedTuple):
    """One thing that `provision` makes or would make. `done`: whether it is there already."""

    what: str
    done: bool = False


class Job(NamedTuple):
    """What a rotator works with. `admin`: the resolved admin credential, by part name. `mark`: `keyward:<rotation id>`, put
    into a name, description or comment wherever the provider has one."""

    entry: Entry
    ports: Ports
    admin: SecretParts = NO_PARTS
    mark: str = ""

    @property
    def target(self) -> Target:
        return self.entry.target

    def base_url(self, default: str) -> str:
        """The operator's base URL for this provider, else the public one."""
        return (self.entry.target.base_url or default).rstrip("/")

    def admin_text(self, part: str) -> str:
        """A part of the admin credential as text. Raises Refused if it is missing."""
        if part not in self.admin:
            raise Refused(
                f"{self.entry.ref}: the admin credential has no part `{part}`",
                hint=f"Add `{part}` to `admin` of this credential in the operator's configuration.",
            )
        return self.admin[part].reveal().decode()

    def scope_text(self, name: str, default: str = "") -> str:
        """One of the entry's `scope` settings as text. Raises Refused if it is no text."""
        value = self.entry.scope.get(name, default)
        if not isinstance(value, str):
            raise Refused(f"{self.entry.ref}: scope.{name} must be text", hint="Correct it in the operator's configuration.")
        return value

    def credential(self, parts: SecretParts) -> Credential:
        return Credential(self.entry.kind, parts)


class Rotator:
    """Base of all rotators. Instances hold no state: everything comes with the job.

    Whatever can be refused without changing anything is refused with `Refused`, `SlotsFull` or `Throttled`; a lost answer is
    `Uncertain`, and the engine takes stock by `inventory` before it does anything else.
    """

    kinds: tuple[Kind, ...] = ()
    title: str = ""
    origin: Origin = Origin.MINTED
    capabilities: Capabilities = Capabilities()
    admin: AdminNeed = AdminNeed()
    admin_options: tuple[str, ...] = ()
    """Parts of `admin` that it takes besides those that it needs."""
    scope_names: tuple[str, ...] | None = None
    """The settings of an entry's `scope` that it reads. Any other one is refused before anything is made, for a mistyped limit would be none.
    None: it is not held to any."""
    gives: tuple[str, ...] = ()
    """The parts of a credential that it makes where there is none yet."""
    public_hosts: tuple[str, ...] = ()
    manual: Manual | None = None
    revokes: bool = True
    """Whether `revoke` asks the provider; false where only a person can kill it."""
    references: tuple[str, ...] = ()
    calls: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """What each step asks of the provider, by the step's name (QUARANTINE, RESERVE, ISSUE, PROVE, REVOKE, CONFIRM): the names of
    the calls as fences see them, reads included; shown by `plan`, and held against what the fences saw by the contract. A word
    in braces stands for what differs from case to case, and fits any text without a slash: `DELETE /keys/{id}`. `verify`'s
    calls are under PROVE and CONFIRM, and under REVOKE, which looks at the new one before the old one dies. What only happens
    after something went wrong (an orphan's end) is not named."""

    def hosts(self, entry: Entry) -> Hosts:
        """Where it may go for one entry: the provider's own hosts, and what the operator configured in `target`."""
        hosts = Hosts(self.public_hosts).with_url(entry.target.base_url)
        if entry.target.host and entry.target.port:
            hosts = hosts.with_address(entry.target.host, entry.target.port)
        return hosts

    def capabilities_for(self, entry: Entry) -> Capabilities:
        """What can be done for one entry, where its `scope` decides (rotate in place, or create and delete)."""
        return self.capabilities

    def calls_for(self, entry: Entry) -> Mapping[str, tuple[str, ...]]:
        """`calls` for one entry, where its kind or `scope` decides."""
        return self.calls

    def account(self, entry: Entry) -> str:
        """Whose rate limit and lock its changing calls share; computed offline. By default: the provider and the admin
        reference."""
        provider = str(entry.kind).split("/", 1)[0]
        place = entry.target.base_url or entry.target.host
        return "|".join((provider, place, *sorted(entry.admin.values())))

    def identify(self, job: Job, parts: SecretParts) -> str:
        """The id under which the provider lists exactly this credential. Raises Refused where that cannot be told for sure."""
        raise NotImplementedError

    def inventory(self, job: Job) -> Inventory:
        """What the principal holds now; reads only."""
        raise NotImplementedError

    def missing_rights(self, job: Job, old: SecretParts) -> Iterable[str]:
        """Which actions this rotation will need, up to the end of the old one, and the admin credential is known not to have: in the
        provider's words (`iam:DeleteAccessKey`). Asked before anything is changed, with reading calls only. What cannot be told is not
        named, and an error says as much as an empty answer: nothing is known. `old`: the parts of the one to be replaced, may be empty."""
        return ()

    def choose(self, job: Job, old: SecretParts) -> SecretParts:
        """A new value for a CHOSEN kind; offline but for reads. `old`: the parts of the one to be replaced, may be empty."""
        raise NotImplementedError

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        """MINTED: makes a new credential (`new` is empty). CHOSEN: applies `new`; doing it twice is the same as once."""
        raise NotImplementedError

    def can_probe(self, entry: Entry) -> bool:
        """Whether `probe` can tell, for kinds that no detector can ask about."""
        return False

    def probe(self, job: Job, parts: SecretParts) -> Verdict:
        """Whether a value is in force; asked only where `can_probe` says so."""
        return Unknown("nobody can be asked")

    def disable(self, job: Job, id: str, parts: SecretParts) -> None:
        """Stops a credential so that `enable` can undo it. Doing it twice is the same as once."""
        raise NotImplementedError

    def enable(self, job: Job, id: str, parts: SecretParts) -> None:
        """Undoes `disable`."""
        raise NotImplementedError

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        """Kills a credential for good. One that is gone already is no error. `parts` may be empty (an orphan's)."""
        raise NotImplementedError

    def end_sessions(self, job: Job, id: str, parts: SecretParts) -> None:
        """Ends what was opened with a credential and would outlive it. Nothing by default."""

    def review(self, job: Job, inventory: Inventory) -> Iterable[Warning]:
        """What `lanes check --live` says of this principal; reads only."""
        return ()

    def provision(self, job: Job, *, apply: bool) -> Iterable[Change]:
        """What the lane needs at the provider (a sub-user, a policy, a role); makes it if `apply`. Idempotent."""
        return ()
