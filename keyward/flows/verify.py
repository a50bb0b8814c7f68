"""`keyward verify` and `scan --verify`: asks the provider of each secret that was found whether it still lives.

Each secret is asked about once. Its value is read again from its place when it is its turn, checked against the fingerprint, and
not kept. Where somebody may be asked comes from the detector (its provider's own hosts) or from the operator's configuration, never
from the leak; but for connection strings, which are asked about only when the operator says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from keyward.errors import KeywardError, Refused
from keyward.flows.leaked_parts import leaked_parts
from keyward.model.credential import Credential, SecretParts, Target
from keyward.model.finding import Finding, Outcome
from keyward.model.kind import CredentialKind, Kind
from keyward.model.secret import Secret
from keyward.model.verdict import Unknown, Verdict
from keyward.plugin.clock import Clock, SystemClock
from keyward.rotate.found import Found, Report
from keyward.rotate.operator import Operator
from keyward.verify.asking import Asking, Question, late
from keyward.verify.client import polite_client
from keyward.verify.connection import PORTS, Resolve, check_public, resolve, target_of
from keyward.verify.options import agreed, read_options
from keyward.verify.pace import Limits
from keyward.verify.remembered import Remembered

if TYPE_CHECKING:
    from keyward.registry import Registry
    from keyward.verify.asking import MakeClient

Progress = Callable[[int, int], None]
"""Called with how many are answered, and of how many."""

AROUND = 300
"""Bytes on each side of a connection string's secret in which its port is looked for."""


class Means(NamedTuple):
    """What asking needs from outside. `folder`: where answers are remembered, None for the user's cache folder."""

    clock: Clock = SystemClock()
    limits: Limits = Limits()
    client: MakeClient = polite_client
    folder: str | None = None
    resolve: Resolve = resolve


class Setting(NamedTuple):
    """What the operator's configuration says. `hosts`: which may be asked although they are not public. `databases`: whether connection
    strings are tried; `own_databases`: whether those are that lead to a server of one of the lanes. `options`: by provider, what it has to
    be told beside the credential."""

    operator: Operator
    registry: Registry
    hosts: frozenset[str]
    databases: bool
    config: str | None = None
    options: Mapping[str, Mapping[str, str]] = {}
    own_databases: bool = False


def verified(
    outcome: Outcome,
    *,
    config: str | None = None,
    databases: bool = False,
    own_databases: bool = False,
    progress: Progress,
    means: Means | None = None,
) -> Outcome:
    """The outcome with a verdict on each of its findings. `config`: the operator's; `databases`, `own_databases`: as of `Setting`.

    Raises ConfigError for a configuration that is wrong.
    """
    if not outcome.findings:
        return outcome
    means = means or Means()
    from keyward.match.fingerprint import from_base32

    setting = open_setting(config, databases)._replace(own_databases=own_databases)
    report = Report("", from_base32(outcome.salt), tuple(place for each in outcome.findings for place in _places(each)))
    verdicts = ask_all(report, report.fingerprints(), setting, progress, means)
    return outcome._replace(findings=tuple(each._replace(verdict=verdicts[each.fingerprint]) for each in outcome.findings))


def open_setting(config: str | None, databases: bool) -> Setting:
    """The operator's configuration and the packs. Raises ConfigError."""
    from keyward.formats.toml_file import TomlFile
    from keyward.registry import Registry
    from keyward.rotate.lanes import load_lanes
    from keyward.scan.config import load_operator, operator_path

    path = operator_path(config)
    own, operator = load_operator(path), load_lanes(path)
    registry = Registry(plugins=own.plugins)
    hosts: tuple[str, ...] = ()
    options: Mapping[str, Mapping[str, str]] = {}
    file = TomlFile.load(path) if path else None
    if file is not None:
        table = file.in_table("verify")
        table.only(("hosts", "options"), "`verify`")
        hosts = table.texts("hosts")
        if "options" in table.data:
            options = read_options(table, partial(_providers, registry))
    named = {entry.target.host.lower() for _, entry in operator.entries() if entry.target.host}
    return Setting(operator, registry, frozenset({*map(str.lower, hosts), *named}), databases, config, options)


def _providers(registry: Registry) -> list[str]:
    """All that a pack declares a kind of; imports the packs."""
    from keyward.registry import Pack

    packs = (pack for pack in registry.packs() if isinstance(pack, Pack))
    return sorted({kind.name.partition("/")[0] for pack in packs for kind in pack.kinds})


def ask_all(
    report: Report, fingerprints: Sequence[str], setting: Setting, progress: Progress, means: Means
) -> dict[str, Verdict]:
    """A verdict for each fingerprint. What is answered is remembered, also when this is interrupted."""
    remembered = Remembered(means.clock, means.folder)
    verdicts: dict[str, Verdict] = {}
    questions: list[Question] = []
    subjects: dict[str, str] = {}

    def named(question: Question) -> Credential:
        """What is asked about, whose name is noted: a rotation that kills it has to find the answer."""
        credential = question.read()
        declared = setting.registry.declared(credential.kind)
        secret = next(
            (credential.parts[part] for part in (declared.identity if declared else ()) if part in credential.parts), None
        )
        if secret is not None:
            subjects[question.name] = remembered.subject(secret)
        return credential

    for name in fingerprints:
        try:
            question = _question(report, name, setting, means)
        except KeywardError as error:
            verdicts[name] = Unknown(error.told)
            continue
        known = remembered.get(*_names(question))
        if known is None:
            questions.append(question._replace(read=partial(named, question)))
        else:
            verdicts[name] = known

    def answered(question: Question, verdict: Verdict) -> None:
        remembered.add(verdict, *_names(question), about=subjects.get(question.name, ""))
        remembered.save_now_and_then()

    try:
        asking = Asking(questions, clock=means.clock, limits=means.limits, answered=answered, client=means.client)
        verdicts |= asking.run(progress)
    finally:
        remembered.save()
    return {name: verdicts.get(name, late(means.limits)) for name in fingerprints}


def ask_one(kind: Kind, parts: SecretParts, setting: Setting, means: Means | None = None) -> Verdict:
    """The verdict on a value that a person handed in. It is not remembered: it has no fingerprint."""
    means = means or Means()
    verifier = setting.registry.verifier(kind)
    if verifier is None:
        return Unknown(_nobody(kind))
    try:
        target = _target(kind, verifier.hosts, setting)
    except KeywardError as error:
        return Unknown(error.told)
    host = _host_of(target, verifier.hosts, kind)
    question = Question("value", verifier, lambda: Credential(kind, parts), target, host)
    asking = Asking([question], clock=means.clock, limits=means.limits, answered=lambda *_: None, client=means.client)
    return asking.run(lambda done, total: None).get("value", late(means.limits))


def _question(report: Report, name: str, setting: Setting, means: Means) -> Question:
    """Whom to ask about one secret, and how to read it. Raises KeywardError where nobody can be asked."""
    kind = _kind(report.places(name), setting)
    verifier = setting.registry.verifier(kind)
    assert verifier is not None
    read = partial(_read, report, name, kind, setting)
    if kind.partition("/")[0] in PORTS and not verifier.hosts:
        target = _database(report, name, read(), setting, means)
    else:
        target = _target(kind, verifier.hosts, setting)
    return Question(name, verifier, read, target, _host_of(target, verifier.hosts, kind), str(kind))


def _kind(places: Iterable[Found], setting: Setting) -> Kind:
    """The kind to ask as. A secret goes to its issuer alone, so that nobody is asked where two may be it."""
    asked: dict[tuple[str, ...], Kind] = {}
    kinds = list(dict.fromkeys(found.kind for found in places))
    for kind in kinds:
        verifier = setting.registry.verifier(kind)
        if verifier is not None:
            asked.setdefault(verifier.hosts or (kind.partition("/")[0],), kind)
    if not asked:
        raise Refused(_nobody(kinds[0]))
    if len(asked) > 1:
        names = " and ".join(asked.values())
        raise Refused(
            f"it is taken for {names}, and a secret goes to its issuer alone", hint="Say which: keyward verify - --kind KIND"
        )
    return next(iter(asked.values()))


def _nobody(kind: Kind) -> str:
    return f"no provider can be asked about a {kind}"


def _read(report: Report, name: str, kind: Kind, setting: Setting) -> Credential:
    declared = setting.registry.declared(kind)
    if declared is None:
        raise Refused(f"there is no kind {kind!r} any more")
    places = [each for each in report.places(name) if each.kind == kind]
    try:
        parts = leaked_parts(report._replace(found=tuple(places)), name, declared, config=setting.config)
    except Refused:
        alone = next(filter(None, (_alone(place, report, declared) for place in places)), None)
        if alone is None:
            raise
        parts = alone
    return Credential(kind, parts)


def _alone(place: Found, report: Report, kind: CredentialKind) -> SecretParts | None:
    """The identity part from a place that is not matched again (a member of an archive, a version in the history), and beside it what
    the report shows of the credential; None if it is not there."""
    from keyward.match.fingerprint import Fingerprinter
    from keyward.rotate import identity
    from keyward.scan.reread import reread

    value = reread(place.locator)
    if value is None or identity.fingerprint(kind, {"identity": value}, Fingerprinter(report.salt)) != place.fingerprint:
        return None
    parts = {next((name for name in (*kind.identity, *place.parts) if name in place.parts), "secret"): value}
    shown = next((name for name in kind.public if name in place.parts), "")
    if shown and place.public_id:
        parts.setdefault(shown, Secret(place.public_id.encode()))
    return parts


def _target(kind: Kind, hosts: tuple[str, ...], setting: Setting) -> Target:
    """Where a kind is asked about: as its provider or its lanes' entries say, else at the provider's own hosts."""
    name = kind.partition("/")[0]
    provider = setting.operator.providers.get(name)
    entries = [entry.target for _, entry in setting.operator.entries() if entry.kind == kind]
    own = setting.options.get(name, {})
    if provider is not None and provider.base_url:
        same = (target for target in entries if target.base_url == provider.base_url)
        return Target(base_url=provider.base_url, options=agreed(own, same))
    targets = list(dict.fromkeys(_address(target) for target in entries if _address(target) != NO_ADDRESS))
    if len(targets) > 1:
        shown = ", ".join(url or f"{host}:{port}" for url, host, port in targets)
        raise Refused(f"several servers are configured for it: {shown}", hint=f"Say which: base_url below [providers.{name}].")
    if targets:
        there = [target for target in entries if _address(target) == targets[0]]
        return there[0]._replace(options=agreed(own, there))
    if not hosts:
        hint = f'If it is yours: base_url = "https://…" below [providers.{name}] in the operator\'s configuration.'
        raise Refused("it says nothing of where its server is", hint=hint)
    # not what a lane says of its own credential: asked in another account than its own, a good one would be called dead
    return Target(options=own)


NO_ADDRESS = ("", "", 0)
"""Of an entry whose provider is asked at its own hosts."""


def _address(target: Target) -> tuple[str, str, int]:
    return target.base_url, target.host, target.port


def _database(report: Report, name: str, credential: Credential, setting: Setting, means: Means) -> Target:
    only_with_flag = Refused("connection strings are tried only with --verify-databases")
    if not setting.databases and not setting.own_databases:
        raise only_with_flag
    provider = credential.kind.partition("/")[0]
    if "host" not in credential.parts:
        return _target(credential.kind, (), setting)
    place = next(each for each in report.places(name) if each.kind == credential.kind)
    target = target_of(credential, provider, *_around(place))
    own = [entry.target for _, entry in setting.operator.entries() if entry.target.host.lower() == target.host.lower()]
    if not own and not setting.databases:
        raise only_with_flag
    check_public(target.host, setting.hosts, means.resolve)
    # the operator's own entry knows how the server's TLS is checked
    return target._replace(options=own[0].options) if own else target


def _around(place: Found) -> tuple[bytes, bytes]:
    """What stands on the line before a secret and after it."""
    from keyward.scan.reread import reread

    def text(start: int, end: int) -> bytes:
        secret = reread(place.locator._replace(start=start, end=end)) if start < end else None
        return b"" if secret is None else secret.reveal()

    start, end = place.locator.start, place.locator.end
    before = text(max(0, start - AROUND), start)
    # as much as there is: a place beyond the end is None, and a line cut off would name another port
    after, least, most = text(end, end + AROUND), 0, AROUND
    while not after and least + 1 < most:
        middle = (least + most) // 2
        least, most = (middle, most) if text(end, end + middle) else (least, middle)
    after = after or text(end, end + least)
    return before.rpartition(b"\n")[2], after.partition(b"\n")[0]


def _host_of(target: Target, hosts: tuple[str, ...], kind: Kind) -> str:
    """Whose pace holds."""
    from urllib.parse import urlsplit

    return urlsplit(target.base_url).hostname or target.host or (hosts[0] if hosts else str(kind))


def _names(question: Question) -> tuple[str, ...]:
    """What an answer is remembered under: another server, account or region may answer differently."""
    target = question.target
    server = (target.base_url, target.host, str(target.port), target.user, target.database)
    options = (f"{key}={value}" for key, value in sorted(target.options.items()))
    return (question.name, question.kind, *question.verifier.hosts, *server, *options)


def _places(finding: Finding) -> list[Found]:
    return [
        Found(
            fingerprint=place.fingerprint,
            kind=place.kind,
            severity=place.severity,
            path=place.locator.path,
            line=place.line,
            parts=place.parts,
            public_id=place.public_id,
            role=place.role,
            locator=place.locator,
        )
        for place in finding.occurrences
    ]
