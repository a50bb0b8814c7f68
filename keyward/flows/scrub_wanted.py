"""Which values a scrub of files looks for: those that the stores hold, those that a scan sees, and those of a report, read again from
their places. A value that is known goes wherever it stands, also where nothing around it says what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from keyward.errors import KeywardError
from keyward.flows.project import Project, open_project
from keyward.flows.scan import Gathered, Progress, ScanOptions
from keyward.flows.scrub_known import Known, known_to_stores
from keyward.match.fingerprint import Fingerprinter
from keyward.match.matcher import Matcher
from keyward.match.personas import PERSONAS
from keyward.model.finding import Locator, Occurrence
from keyward.model.kind import Kind
from keyward.model.secret import Secret
from keyward.plugin.store import Slot
from keyward.registry import Registry
from keyward.rotate import identity
from keyward.rotate.found import Report
from keyward.scan.reread import reread
from keyward.scrub.known import KnownSecret, KnownSecrets
from keyward.scrub.plan import Name
from keyward.scrub.pseudonym import Pseudonyms, load_pseudonyms
from keyward.scrub.redactor import Blinded, Redaction, Redactor, is_taken_for_a_credential

MOST_READ = 4
"""Places of one secret that are read again: its spelling may differ, but not in all of them."""


class Setting(NamedTuple):
    """What holds for one scrub, whatever it looks for. `project`: that of no folder, so that nothing a scanned folder brings along has a
    say."""

    project: Project
    registry: Registry
    pseudonyms: Pseudonyms
    persona: str
    config: str | None


class Wanted(NamedTuple):
    """`redactor`: finds what is to go. `current`: what the lanes' credentials are now. `places`: of the values that were read again. `notes`:
    what a person should know; `complete`: whether every value that is meant is looked for."""

    redactor: Redactor
    current: frozenset[Name] = frozenset()
    places: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    complete: bool = True


def open_setting(
    config: str | None, persona: str | None, on_compile: Callable[[int], None] = lambda rules: None, *, host: bool = False
) -> Setting:
    """Raises ConfigError or UsageError for a configuration that is wrong."""
    options = ScanOptions(paths=("/",), baseline="", operator_config=config, host=host)
    project = open_project(options, on_compile=on_compile)
    wanted = persona or project.settings.persona
    return Setting(project, project.recipe.registry(), load_pseudonyms(), wanted if wanted in PERSONAS else "regular", config)


def seen_by_scan(setting: Setting, options: ScanOptions, progress: Progress) -> tuple[list[Occurrence], Gathered]:
    """What a scan finds at the persona's confidence in the paths or on the host that the options name, and everything else it says."""
    gathered = Gathered()
    if options.host:
        from keyward.flows.scan_host import host as source
    else:
        from keyward.flows.scan_paths import paths as source
    source(options, setting.project, gathered, None, progress)
    least = PERSONAS[setting.persona]
    return [each for each in gathered.occurrences if each.confidence >= least], gathered


def wanted_everywhere(setting: Setting, occurrences: Sequence[Occurrence], *, stores: bool) -> Wanted:
    """Everything that detectors match, that the stores hold, and that a scan saw in a form which only it reads."""
    held, current, notes = _held(setting) if stores else (Known(()), frozenset(), [])
    fingerprinter = Fingerprinter(setting.project.recipe.salt)
    seen = list(_read(setting, ((each.fingerprint, each.kind, each.locator) for each in occurrences), fingerprinter))
    known = KnownSecrets((*held.secrets, *(secret for _, secret in seen)))
    if known.too_short:
        notes.append(f"{known.too_short} values are too short to be looked for by themselves")
    redactor = Redactor(setting.project.recipe.matcher(), setting.pseudonyms, known, persona=setting.persona)
    return Wanted(redactor, current, frozenset(), tuple(notes), not held.missing)


def wanted_by_report(setting: Setting, report: Report) -> Wanted:
    """The credentials of a report and nothing else, in every place where one of their values stands."""
    fingerprinter = Fingerprinter(report.salt)
    places = ((each.fingerprint, each.kind, each.locator) for each in report.found)
    seen = list(_read(setting, places, fingerprinter))
    secrets = [secret for _, secret in seen]
    secrets += ids_of(setting, ((each.kind, each.public_id) for each in report.found))
    missing = set(report.fingerprints()) - {setting_print(setting, secret, fingerprinter) for secret in secrets}
    notes: list[str] = []
    current: frozenset[Name] = frozenset()
    if missing:  # the places may have been rewritten; an earlier version is in its lane's store
        held, current, _ = _held(setting)
        more = [each for each in held.secrets if setting_print(setting, each, fingerprinter) in missing]
        secrets += more
        missing -= {setting_print(setting, each, fingerprinter) for each in more}
    for name in sorted(missing):
        place = report.places(name)[0]
        notes.append(
            f"{place.kind} of {place.path}:{place.line}: it stands at none of its places any more, and no store holds it"
        )
    redactor = OnlyThese(setting.project.recipe.matcher(), setting.pseudonyms, secrets, persona=setting.persona)
    return Wanted(redactor, current, frozenset(locator.path for locator, _ in seen), tuple(notes))


class OnlyThese(Redactor):
    """Finds the secrets that it is given, by their values and by what detectors recognise as them, and no others."""

    def __init__(self, matcher: Matcher, pseudonyms: Pseudonyms, secrets: Sequence[KnownSecret], *, persona: str) -> None:
        self._these = KnownSecrets(secrets)
        super().__init__(matcher, pseudonyms, self._these, persona=persona)
        self._pseudonyms_of_these = frozenset(each.pseudonym for each in secrets)

    def redactions(self, data: bytes, path: str = "") -> list[Redaction]:
        """As of any redactor; it is never blinded, since known values need no rule."""
        try:
            found = super().redactions(data, path)
        except Blinded:
            return [Redaction(*each) for each in self._these.seen(data)]
        return [each for each in found if each.pseudonym in self._pseudonyms_of_these]


def setting_print(setting: Setting, secret: KnownSecret, fingerprinter: Fingerprinter) -> str:
    """The fingerprint of a value as of its kind's identity part; empty for a kind that there is no more."""
    kind = setting.registry.declared(secret.kind)
    return identity.fingerprint(kind, {"identity": secret.secret}, fingerprinter) if kind is not None else ""


def ids_of(setting: Setting, places: Iterable[tuple[Kind, str]]) -> list[KnownSecret]:
    """The key ids of credentials that a scan would report by themselves once their secrets are gone. `places`: kinds and public ids."""
    found = []
    for name, id in dict.fromkeys(places):
        kind = setting.registry.declared(name)
        if id and kind is not None and any(is_taken_for_a_credential(kind, part) for part in kind.public):
            found.append(KnownSecret(kind.name, Secret(id.encode()), setting.pseudonyms.of_value(kind, id.encode())))
    return found


def _read(
    setting: Setting, places: Iterable[tuple[str, Kind, Locator]], fingerprinter: Fingerprinter
) -> Iterator[tuple[Locator, KnownSecret]]:
    """The values at these places, those that are still what was found there, each spelling once."""
    read: dict[str, int] = {}
    spelled: set[tuple[str, bytes]] = set()
    for name, kind_name, locator in places:
        kind = setting.registry.declared(kind_name)
        if kind is None or read.get(name, 0) >= MOST_READ:
            continue
        value = reread(locator, setting.project.recipe.limits)
        if value is None or identity.fingerprint(kind, {"identity": value}, fingerprinter) != name:
            continue
        read[name] = read.get(name, 0) + 1
        if (name, value.reveal()) not in spelled:
            spelled.add((name, value.reveal()))
            yield locator, KnownSecret(kind.name, value, setting.pseudonyms.of_value(kind, value.reveal()))


def _held(setting: Setting) -> tuple[Known, frozenset[Name], list[str]]:
    """What the stores hold, which of it is in use, and what went wrong."""
    from keyward.flows.workplace import open_workplace

    try:
        with open_workplace(setting.config) as workplace:
            known = known_to_stores(workplace, setting.registry, setting.pseudonyms)
            current: set[Name] = set()
            for _, entry in workplace.operator.entries():
                kind = setting.registry.declared(entry.kind)
                try:
                    stored = workplace.store(entry.store).read(entry.path, Slot.CURRENT)
                except KeywardError:
                    continue  # it is among what is missing
                for secret in stored.parts.values() if stored is not None else ():
                    current.add(Name(entry.kind, setting.pseudonyms.of_value(kind, secret.reveal())))
    except KeywardError as error:
        return Known((), (str(error),)), frozenset(), [f"the stores' own values are not looked for: {error}"]
    return known, frozenset(current), [f"its value is not looked for: {each}" for each in known.missing]
