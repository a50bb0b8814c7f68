"""`keyward scan`: which configuration holds, which sources are read, and what of the findings is to be acted on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from keyward.errors import UsageError
from keyward.flows.project import Project, open_project
from keyward.match.fingerprint import FingerprintCache
from keyward.match.personas import PERSONAS
from keyward.model.finding import Allowance, Excluded, Finding, NotScanned, Occurrence, Outcome, Stats
from keyward.scan.examine import Examined
from keyward.scan.reader import Read

if TYPE_CHECKING:  # only scans that open containers need to know
    from keyward.formats.opened import Limits

Progress = Callable[[int, int, int], None]
"""Called now and then with files, bytes and matches so far."""


class ScanOptions(NamedTuple):
    """`paths`: folders and files; `-` for standard input. `baseline`: None for the default file if it is there, an empty
    string for none. `persona`: None for the configured one. `jobs`: worker processes, 0 for as many as there are cores.

    `history`: every version in a repository instead of the files; `all_objects`, `since`, `branch` and `commits` (`A..B`) choose
    among them, and `config_ref` is the commit whose configuration and baseline hold. `host`: the operator's machine instead, of
    which `sources` names the groups or tools (none: all that need not be asked for). `cache`: whether results may be
    remembered between runs. `limits`: how far containers are opened, None for the default. `gitleaks_config`: a rule file of that tool, empty for the
    operator's own; `detect_secrets_plugins`: files and names of that tool's plugins, besides the operator's own.
    """

    paths: tuple[str, ...] = (".",)
    staged: bool = False
    tracked: bool = False
    from_ref: str = ""
    to_ref: str = ""
    hook_files: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    persona: str | None = None
    baseline: str | None = None
    rule_files: tuple[str, ...] = ()
    operator_config: str | None = None
    jobs: int = 0
    portable: bool = False
    history: bool = False
    all_objects: bool = False
    since: str = ""
    branch: tuple[str, ...] = ()
    commits: str = ""
    config_ref: str = ""
    host: bool = False
    sources: tuple[str, ...] = ()
    cache: bool = True
    limits: Limits | None = None
    gitleaks_config: str = ""
    detect_secrets_plugins: tuple[str, ...] = ()


class Gathered:
    """What the sources brought in."""

    def __init__(self) -> None:
        self.occurrences: list[Occurrence] = []
        self.not_scanned: list[NotScanned] = []
        self.excluded: list[Excluded] = []
        self.learned: dict[bytes, bytes] = {}
        self.notes: list[str] = []
        self.files = 0
        self.bytes = 0
        self.whole_project = False

    def add(self, examined: Examined, files: int = 1) -> None:
        self.occurrences.extend(examined.occurrences)
        self.not_scanned.extend(examined.problems)
        self.bytes += examined.bytes
        self.files += files


def scan(
    options: ScanOptions,
    *,
    stdin: Read | None = None,
    progress: Progress = lambda files, size, found: None,
    on_compile: Callable[[int], None] = lambda rules: None,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Scans what the options name.

    Raises UsageError for paths that are not there or options that exclude each other, ConfigError for a configuration, rule
    or baseline file that is wrong, GitError where git is needed and refuses.
    """
    started = clock()
    persona = options.persona
    if persona is not None and persona not in PERSONAS:
        raise UsageError(f"there is no persona {persona!r}", hint=f"One of: {', '.join(PERSONAS)}.")
    project = open_project(options, on_compile=on_compile)
    gathered = Gathered()
    for source in _sources(options):
        source(options, project, gathered, stdin, progress)
    if gathered.learned:
        cache = FingerprintCache()
        cache.merge(gathered.learned)
        cache.save()
    return _outcome(project, gathered, persona or project.settings.persona, clock() - started)


Source = Callable[[ScanOptions, Project, Gathered, "Read | None", Progress], None]


def _sources(options: ScanOptions) -> Iterator[Source]:
    """The sources that the options ask for; each is imported only if it is used."""
    if options.history and options.host:
        raise UsageError("--history and --host exclude each other", hint="Run one after the other.")
    if options.history:
        from keyward.flows import scan_history

        yield scan_history.history
        return
    if options.host:
        from keyward.flows import scan_host

        yield scan_host.host
        return
    git_wanted = [options.staged, bool(options.from_ref or options.to_ref), options.hook_files is not None]
    if sum(git_wanted) > 1:
        raise UsageError("--staged and --from-ref/--to-ref exclude each other")
    if any(git_wanted):
        from keyward.flows import scan_git

        yield scan_git.staged if options.staged else scan_git.refs if git_wanted[1] else scan_git.hook
        return
    if "-" in options.paths:
        from keyward.flows import scan_paths

        yield scan_paths.standard_input
    if any(path != "-" for path in options.paths):
        from keyward.flows import scan_paths

        yield scan_paths.paths


def _outcome(project: Project, gathered: Gathered, persona: str, seconds: float) -> Outcome:
    least = PERSONAS[persona]
    occurrences = _weighed(gathered.occurrences)
    wanted: list[Occurrence] = []
    allowed: list[Occurrence] = []
    below: set[str] = set()
    on_line: dict[tuple[str, tuple[str, ...], int], set[str]] = {}
    for occurrence in occurrences:
        locator = occurrence.locator
        on_line.setdefault((locator.path, locator.container, occurrence.line), set()).add(occurrence.fingerprint)
    for occurrence in occurrences:
        locator = occurrence.locator
        # a list of places counts the lines of files, not those of what is packed in them
        single = not locator.container and len(on_line[locator.path, (), occurrence.line]) == 1
        allowance = occurrence.allowance or _allowance(project, occurrence, single)
        if occurrence.confidence < least:
            below.add(occurrence.fingerprint)
        elif allowance is not None:
            allowed.append(occurrence._replace(allowance=allowance))
        else:
            wanted.append(occurrence)
    findings: tuple[Finding, ...] = ()
    if wanted:
        from keyward.scan.group import group

        findings = group(wanted)
    seen = {occurrence.fingerprint for occurrence in gathered.occurrences}
    whole = gathered.whole_project and not gathered.not_scanned
    stale = project.baseline.stale(seen) if whole and project.baseline is not None else ()
    return Outcome(
        findings=findings,
        allowed=tuple(sorted(allowed, key=lambda o: (o.locator.path, o.locator.start))),
        not_scanned=tuple(gathered.not_scanned),
        excluded=tuple(gathered.excluded),
        stats=Stats(gathered.files, gathered.bytes, seconds),
        salt=project.salt_text,
        persona=persona,
        below_persona=len(below - {finding.fingerprint for finding in findings}),
        stale_baseline=tuple(stale),
        notes=(*project.notes, *gathered.notes, *_advice(gathered.occurrences)),
    )


def _weighed(occurrences: Sequence[Occurrence]) -> Sequence[Occurrence]:
    """With what only all of them together say."""
    if not occurrences:  # the usual commit, which need not know how findings are made
        return occurrences
    from keyward.scan.group import with_spread

    return with_spread(occurrences)


def _advice(occurrences: list[Occurrence]) -> list[str]:
    """What the user should know of comments that allow nothing, at most ten."""
    said = {
        f"{occurrence.locator.path}:{occurrence.line}: {signal.detail}"
        for occurrence in occurrences
        for signal in occurrence.signals
        if signal.name == "allowance"
    }
    return sorted(said)[:10]


def _allowance(project: Project, occurrence: Occurrence, single: bool) -> Allowance | None:
    """What besides an inline comment lets an occurrence pass: the baseline, a configured fingerprint, another tool's file.
    The last goes by position, so it holds only where it can mean a `single` secret."""
    return (
        (project.baseline.match(occurrence.fingerprint) if project.baseline is not None else None)
        or project.settings.ignored.get(occurrence.fingerprint)
        or (project.by_place(occurrence.locator.path, occurrence.line) if single else None)
    )
