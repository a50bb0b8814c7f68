"""What a scan reports. Nothing in this module ever holds a plain secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # the commit hook makes findings of nothing, and need not know the kinds
    from keyward.model.kind import Kind
    from keyward.model.verdict import Verdict


class Signal(NamedTuple):
    """One named reason for or against a match. The weights of all signals add up to the confidence (0 to 100).

    `detail` is shown to the user and must not contain the value.
    """

    name: str
    weight: int
    detail: str = ""


class Locator(NamedTuple):
    """Enough to read the value again from its place.

    `source`: `tree`, `index`, `history`, `stdin`, `process`. `path`: as the user would type it (surrogateescape for bytes that
    are not UTF-8). `start`, `end`: byte range of the fingerprinted part in the source's own bytes; inside a container, in the
    innermost member's. `encoding`: how the bytes there encode the value (`raw`, `utf-16-le`, the name of a view, …). `blob`: git
    object id, for `index` and `history`. `container`: the names of the members on the way to it, outermost first.
    """

    source: str
    path: str
    start: int
    end: int
    encoding: str = "raw"
    blob: str = ""
    container: tuple[str, ...] = ()


class Provenance(NamedTuple):
    """What is known of a place beyond its position. An empty field is unknown.

    `source`: the named source it was met by (`shell/zsh`, `agents/openclaw`). `where`: what a person calls the place inside its
    file (`message 12 (user)`, `under "Deploy"`, `mcpServers.github.env.TOKEN`); from outside, so escape it. `since`: when the
    value first stood there, in seconds since 1970 (UTC), and `since_from` what says so: `commit`, `message`, `member` (of an archive)
    or `mtime`, the weakest. `commit`: where history first has it; `author`: of that commit; `in_head`: whether it is still there.
    """

    source: str = ""
    where: str = ""
    since: float = 0.0
    since_from: str = ""
    commit: str = ""
    author: str = ""
    in_head: bool | None = None


UNKNOWN_PROVENANCE = Provenance()


class Allowance(NamedTuple):
    """Why a finding is not reported as one: an inline comment, a baseline entry, a configured fingerprint."""

    by: str
    reason: str = ""


class Occurrence(NamedTuple):
    """One place where a credential stands. Several occurrences with one fingerprint are one finding."""

    fingerprint: str
    rule: str
    kind: Kind
    severity: str
    locator: Locator
    line: int
    column: int
    end_line: int
    masked: str
    confidence: int
    signals: tuple[Signal, ...]
    parts: tuple[str, ...]
    public_id: str
    facts: tuple[tuple[str, str], ...]
    role: str
    allowance: Allowance | None = None
    provenance: Provenance = UNKNOWN_PROVENANCE


class NotScanned(NamedTuple):
    """Something that was asked for and not, or not wholly, looked at. `opaque`: encrypted by its owner, known and expected."""

    path: str
    reason: str
    opaque: bool = False


class Excluded(NamedTuple):
    """A path that a rule of some configuration excluded, and which one."""

    path: str
    by: str


class Finding(NamedTuple):
    """All places of one credential. `verdict`: what its provider said of it, None if nobody asked."""

    fingerprint: str
    kind: Kind
    rule: str
    severity: str
    confidence: int
    masked: str
    public_id: str
    facts: tuple[tuple[str, str], ...]
    signals: tuple[Signal, ...]
    occurrences: tuple[Occurrence, ...]
    verdict: Verdict | None = None


class Stats(NamedTuple):
    """What was read: files, bytes, and the wall time in seconds."""

    files: int = 0
    bytes: int = 0
    seconds: float = 0.0


class Outcome(NamedTuple):
    """All that a scan learned. `findings`: to act on, surest and most dangerous first. `allowed`: found, and let pass."""

    findings: tuple[Finding, ...]
    allowed: tuple[Occurrence, ...]
    not_scanned: tuple[NotScanned, ...]
    excluded: tuple[Excluded, ...]
    stats: Stats
    salt: str
    persona: str = "regular"
    below_persona: int = 0
    stale_baseline: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything asked for was looked at. Known opaque stores do not count against it."""
        return all(item.opaque for item in self.not_scanned)
