"""What is known of an incident: the case that `keyward incident` keeps, and what a report of it shows. Values only, never a secret.

Times are seconds since 1970 (UTC); 0 is unknown, or not yet. Texts that came from outside (paths, names, what a provider or a
command said) are as they came: escape them before they are shown.
"""

from __future__ import annotations

from typing import NamedTuple

from keyward.model.kind import Manual

OPEN, CONTAIN, ASSESS, ERADICATE, RECOVER, CLOSE = "open", "contain", "assess", "eradicate", "recover", "close"
PHASES = (OPEN, CONTAIN, ASSESS, ERADICATE, RECOVER, CLOSE)
"""In the order in which they are meant; any of them can be repeated."""

DONE, FAILED, SKIPPED, UNCERTAIN = "done", "failed", "skipped", "uncertain"
"""How an action ended. `uncertain`: it was begun, and nobody saw its end (a crash, a lost reply): look before it is repeated."""

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
"""How something on the host differs from its prepared record."""

LIVE, RESTRICTED, DEAD, UNKNOWN, NOT_ASKED = "live", "restricted", "dead", "unknown", ""
"""What a provider said of a leaked credential."""

SAFE, BURNT, REPLACED, STUCK = "safe", "burnt", "replaced", "stuck"
"""How a lane stands: none of its credentials leaked; some leaked and are not replaced yet; all that leaked are replaced and not
known to live; a replacement halted or waits for a person."""


class Where(NamedTuple):
    """One place where a leaked secret stood. `source`: the named source (`agents/openclaw`), empty for a file that was named.
    `where`: what a person calls the place inside the file. `since_from`: what says since when (`commit`, `message`, `member`,
    `mtime`). `commit`: where history first has it. `gone`: whether the last scan of this place no longer finds it; None if there was
    none since."""

    path: str
    line: int = 0
    source: str = ""
    where: str = ""
    role: str = ""
    since: float = 0.0
    since_from: str = ""
    commit: str = ""
    author: str = ""
    gone: bool | None = None


class Leak(NamedTuple):
    """One credential that leaked. `ref`: `lane/name` whose it is, empty where no lane owns it. `verdict`: what was said when it was
    assessed; `verdict_after`: last. `detail`: of the last verdict (principal, scopes, reason). `places`: the most telling ones, `total`
    of them there are. `before`, `after`: places at the first and at the last scan (None: no scan since)."""

    fingerprint: str
    kind: str
    severity: str
    masked: str
    public_id: str = ""
    ref: str = ""
    tier: int = 0
    since: float = 0.0
    since_from: str = ""
    verdict: str = NOT_ASKED
    verdict_after: str = NOT_ASKED
    detail: str = ""
    places: tuple[Where, ...] = ()
    total: int = 0
    before: int = 0
    after: int | None = None


class CredentialState(NamedTuple):
    """One credential of a lane. `state`: as its last rotation stands since the incident was opened (`proved`, `proved by consumer`,
    `attested`, `waits for a person`, `stopped`, `unfinished`, `taken back`; empty: none). `at`: the step. `leaked`: whether a scan of
    the case found it."""

    ref: str
    kind: str
    leaked: bool = False
    state: str = ""
    at: str = ""
    time: float = 0.0
    detail: str = ""


class LaneState(NamedTuple):
    """One lane: its blast radius is its consumers and their hosts. `state`: one of SAFE, BURNT, REPLACED, STUCK."""

    name: str
    tier: int
    environment: str
    state: str
    credentials: tuple[CredentialState, ...] = ()
    consumers: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


class Proof(NamedTuple):
    """What backs an action: a file in the case folder (`path` relative to it, with its SHA-256 and bytes), an answer of a provider
    (`what` names it, `detail` its id and status), or the other way round."""

    what: str
    path: str = ""
    sha256: str = ""
    size: int = 0
    detail: str = ""


class Action(NamedTuple):
    """One thing that was done, or tried. `actor`: `user@host`. `outcome`: DONE, FAILED, SKIPPED or UNCERTAIN. `ended`: 0 where it took no
    time, or did not end."""

    time: float
    phase: str
    what: str
    actor: str
    outcome: str = DONE
    target: str = ""
    detail: str = ""
    ended: float = 0.0
    proofs: tuple[Proof, ...] = ()


class Note(NamedTuple):
    """What a person wrote down."""

    time: float
    actor: str
    text: str


class Event(NamedTuple):
    """One point of the timeline. `kind`: `leak` (a secret first stood somewhere), `change` (of the host), `action`, `phase`, `note`."""

    time: float
    kind: str
    what: str
    detail: str = ""


class Step(NamedTuple):
    """One phase. `started`: the first time; `ended`: when all of it was done, 0 while it is not. `left`: why it is not."""

    name: str
    started: float = 0.0
    ended: float = 0.0
    left: tuple[str, ...] = ()


class Drift(NamedTuple):
    """One difference of the host from its prepared record. `area`: `authorized_keys`, `cron`, `systemd`, `image`, `env file`, `config`,
    `port`, `user`, `shell file`. `change`: ADDED, REMOVED or CHANGED. `suspicious`: whether it is a usual way to stay on a host."""

    area: str
    change: str
    name: str
    detail: str = ""
    suspicious: bool = False
    time: float = 0.0


class Holder(NamedTuple):
    """Something that may still hold an old key: a backup, a snapshot, a container image, an archive. `action`: what to do with it."""

    what: str
    name: str
    time: float = 0.0
    action: str = ""


class Todo(NamedTuple):
    """What a person must still do; they stand in the order in which they are to be done. `ref`: the credential, or what it is about.
    `command`: what to type afterwards."""

    ref: str
    why: str
    manual: Manual = Manual((), "")
    command: str = ""


class Incident(NamedTuple):
    """The whole case, as its report shows it. `folder`: of the case. `host`: on which it was kept. `prepared`: when the host's good state
    was last recorded before it was opened. `begun`: when the first secret is known to have stood in the open. `contained`, `rotated`,
    `recovered`, `closed`: when the phase was whole. `chain`: whether the case's notes are as they were written (None: not
    checked), `chain_problems` what is not. `not_looked_at`: what no scan could read. `retention`: until when the evidence is kept.
    `left`: why the incident is not over; empty if it is."""

    name: str
    folder: str = ""
    host: str = ""
    actor: str = ""
    opened: float = 0.0
    contained: float = 0.0
    assessed: float = 0.0
    rotated: float = 0.0
    recovered: float = 0.0
    closed: float = 0.0
    prepared: float = 0.0
    begun: float = 0.0
    retention: float = 0.0
    reason: str = ""
    steps: tuple[Step, ...] = ()
    leaks: tuple[Leak, ...] = ()
    lanes: tuple[LaneState, ...] = ()
    actions: tuple[Action, ...] = ()
    notes: tuple[Note, ...] = ()
    events: tuple[Event, ...] = ()
    drift: tuple[Drift, ...] = ()
    holders: tuple[Holder, ...] = ()
    todo: tuple[Todo, ...] = ()
    evidence: tuple[Proof, ...] = ()
    not_looked_at: tuple[tuple[str, str], ...] = ()
    left: tuple[str, ...] = ()
    chain: bool | None = None
    chain_problems: tuple[str, ...] = ()
