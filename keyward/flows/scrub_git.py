"""`keyward scrub --git-plan`: what it takes to have a secret out of a repository's history. It rewrites nothing itself.

git filter-repo does the work. It is given a file of replacements, which must hold the values, and a list of the blobs in which a
replacement of bytes is not enough (it passes over binary ones; archives hide what is in them): those are taken out as a whole. Which
these are is found by doing to every affected object what filter-repo would do, and looking at it again.

Facts: git-filter-repo's own source (`get_replace_text`: one rule a line, `literal:` or `regex:`, the last `==>` parts it from what is put
there; blobs with a NUL among the first 8192 bytes are passed over; `--strip-blobs-with-ids` takes ids divided by white space;
`--sensitive-data-removal` fetches all refs from origin first).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from keyward.errors import Refused, UsageError
from keyward.flows.scan import Progress, ScanOptions, scan
from keyward.flows.scrub_git_dead import Standing, name_of, standings_of
from keyward.flows.scrub_git_steps import refs_of, remotes_of, steps_of
from keyward.flows.scrub_wanted import OnlyThese, Setting, ids_of, open_setting, setting_print
from keyward.match.fingerprint import Fingerprinter, from_base32
from keyward.model.finding import Finding, Outcome
from keyward.rotate import identity
from keyward.rotate.found import Report, read_report
from keyward.scan.git import Repository
from keyward.scan.reread import reread
from keyward.scrub.encodings import forms
from keyward.scrub.known import KnownSecret
from keyward.scrub.plan import Name

BINARY_WITHIN = 8192
"""Bytes at the beginning of a blob in which a NUL makes filter-repo pass it over."""

TAKEN_OUT = b"[redacted:%s:%s]"


class Replacement(NamedTuple):
    """One line of the file. `literal`: bytes as they stand; else `pattern` is a regular expression."""

    name: Name
    literal: bytes
    pattern: bytes = b""

    @property
    def put(self) -> bytes:
        return TAKEN_OUT % (self.name.kind.encode(), self.name.pseudonym.encode())

    def line(self) -> bytes:
        rule = b"regex:" + self.pattern if self.pattern else b"literal:" + self.literal
        return rule + b"==>" + self.put + b"\n"

    def applied(self, data: bytes) -> bytes:
        return re.sub(self.pattern, self.put, data) if self.pattern else data.replace(self.literal, self.put)


class GitPlan(NamedTuple):
    """`root`: the repository. `secrets`: what goes. `files`: what was written. `refs`: branches, tags and other refs that lead to a commit with
    it. `remotes`: names and addresses, without credentials. `steps`: what the operator does, in order, as (why, command or empty)."""

    root: str
    secrets: tuple[Standing, ...]
    replacements: str
    blobs: str
    stripped: int
    refs: tuple[str, ...]
    remotes: tuple[str, ...]
    steps: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def git_plan(
    repository: str,
    output: str,
    *,
    leaked: str = "",
    anyway: bool = False,
    persona: str | None = None,
    config: str | None = None,
    progress: Progress = lambda files, size, found: None,
    on_compile: Callable[[int], None] = lambda rules: None,
) -> GitPlan | None:
    """Writes the files and says what to do with them; None if the history holds nothing. Providers are asked whether a secret lives,
    unless `anyway`.

    Raises UsageError where `output` is there already or cannot be written, Refused where a secret is not known to be dead, GitError.
    """
    setting = open_setting(config, persona, on_compile)
    opened = _opened(repository)
    options = ScanOptions(
        paths=(repository,), history=True, all_objects=True, baseline="", persona=persona, operator_config=config
    )
    outcome = scan(options, progress=progress, on_compile=on_compile)
    outcome = _only(outcome, read_report(leaked), setting) if leaked else outcome
    if not outcome.findings:
        return None
    if not output:
        raise UsageError(
            "the file with the replacements holds the secrets themselves",
            hint="Say where it may be: --output FILE, outside the repository.",
        )
    _check_outside(output, opened)
    values, unread = _values(outcome, setting)
    standing = standings_of(outcome, values, setting, anyway)
    doubtful = [each for each in standing if not each.dead]
    if doubtful and not anyway:
        names = "; ".join(f"{each.name.kind}:{each.name.pseudonym}: {each.doubt}" for each in doubtful)
        raise Refused(
            f"not known to be dead: {names}",
            hint="Rotate it first (keyward rotate): to rewrite history helps only against what nobody can read any more. Or add --anyway.",
        )
    replacements = _replacements(values.values())
    stripped = _to_strip(opened, outcome, replacements, values, setting)
    blobs = output + ".blobs" if stripped else ""
    _write(output, b"".join(each.line() for each in replacements))
    if blobs:
        _write(blobs, "".join(f"{each}\n" for each in stripped).encode())
    refs, remotes = refs_of(opened, outcome), remotes_of(opened)
    notes = (*unread, *(f"{each.path}: {each.reason}" for each in outcome.not_scanned), *outcome.notes)
    root = opened.root or opened.common_dir
    return GitPlan(
        root, tuple(standing), output, blobs, len(stripped), refs, remotes, steps_of(root, output, blobs, bool(remotes)), notes
    )


def _opened(path: str) -> Repository:
    repository = Repository.discover(path)
    if repository is None:
        raise UsageError(f"{path!r} is in no git repository", hint="Name one: keyward scrub --git-plan REPOSITORY")
    return repository


def _check_outside(output: str, repository: Repository) -> None:
    """Raises UsageError for a file that is there, or that would lie in the repository, where the next commit might take it up."""
    if os.path.lexists(output) or os.path.lexists(output + ".blobs"):
        raise UsageError(f"{output!r} is there already", hint="Name a file that is not.")
    folder = os.path.realpath(os.path.dirname(output) or ".")
    for top in filter(None, (repository.root, repository.common_dir)):
        real = os.path.realpath(top)
        if folder == real or folder.startswith(real + os.sep):
            raise UsageError(
                f"{output!r} lies in the repository itself", hint="Name a file outside it: it will hold the secrets."
            )


def _only(outcome: Outcome, report: Report, setting: Setting) -> Outcome:
    """The findings of a history that a report names, whatever salt either was made under."""
    made = Fingerprinter(report.salt)
    wanted = frozenset(report.fingerprints())

    def is_wanted(finding: Finding) -> bool:
        return any(setting_print(setting, secret, made) in wanted for secret in _spellings(finding, outcome, setting))

    return outcome._replace(findings=tuple(filter(is_wanted, outcome.findings)))


def _spellings(finding: Finding, outcome: Outcome, setting: Setting) -> list[KnownSecret]:
    """The values of a finding, read again, each spelling once."""
    made = Fingerprinter(from_base32(outcome.salt))
    found: dict[bytes, KnownSecret] = {}
    for each in finding.occurrences:
        kind = setting.registry.declared(each.kind)
        value = reread(each.locator, setting.project.recipe.limits)
        if kind is None or value is None or identity.fingerprint(kind, {"identity": value}, made) != finding.fingerprint:
            continue
        name = setting.pseudonyms.of_value(kind, value.reveal())
        found.setdefault(value.reveal(), KnownSecret(kind.name, value, name))
    return list(found.values())


def _values(outcome: Outcome, setting: Setting) -> tuple[dict[str, list[KnownSecret]], list[str]]:
    """By fingerprint, the key ids that stand beside them behind the secrets; and what could not be read again."""
    values: dict[str, list[KnownSecret]] = {}
    unread: list[str] = []
    for finding in outcome.findings:
        values[finding.fingerprint] = _spellings(finding, outcome, setting)
        if not values[finding.fingerprint]:
            place = finding.occurrences[0]
            unread.append(f"{place.locator.path}:{place.line}: {finding.kind} could not be read again, and is not in the plan")
        known = {each.secret for each in values[finding.fingerprint]}
        ids = ids_of(setting, ((each.kind, each.public_id) for each in finding.occurrences))
        values[finding.fingerprint] += [each for each in ids if each.secret not in known]
    return values, unread


# --- the files


def _replacements(values: Iterable[Sequence[KnownSecret]]) -> list[Replacement]:
    """A line for each form of each value, longer ones first: a shorter one may be a part of them."""
    made: dict[bytes, Replacement] = {}
    for secrets in values:
        for secret in secrets:
            for _, form in forms(secret.secret.reveal()):
                made.setdefault(form, _replacement(name_of(secret), form))
    return [made[form] for form in sorted(made, key=lambda form: (-len(form), form))]


def _replacement(name: Name, form: bytes) -> Replacement:
    if b"\n" not in form and b"\r" not in form:
        return Replacement(name, form)
    lines = form.replace(b"\r\n", b"\n").split(b"\n")
    return Replacement(name, form, b"\\r?\\n".join(re.escape(line).replace(b"\r", b"r") for line in lines))


_REPLACED = re.compile(r"raw|base64(?:\[[^\]]*\])?")
"""How a value may be written for `replacements` to have a form of it."""


def _to_strip(
    repository: Repository,
    outcome: Outcome,
    replacements: Sequence[Replacement],
    values: dict[str, list[KnownSecret]],
    setting: Setting,
) -> list[str]:
    """The blobs that still hold a secret after what filter-repo does to them."""
    secrets = [secret for each in values.values() for secret in each]
    redactor = OnlyThese(setting.project.recipe.matcher(), setting.pseudonyms, secrets, persona=setting.persona)
    hidden = {
        each.locator.blob
        for finding in outcome.findings
        for each in finding.occurrences
        if each.locator.blob and (each.locator.container or not _REPLACED.fullmatch(each.locator.encoding))
    }
    blobs = sorted({each.locator.blob for finding in outcome.findings for each in finding.occurrences if each.locator.blob})
    strip: list[str] = []
    for blob in repository.read_blobs(blobs, any_kind=True):
        if blob.missing or blob.kind != "blob":
            continue  # the texts of commits and tags are no blobs: --replace-message sees to them
        data = blob.everything()
        if b"\0" not in data[:BINARY_WITHIN]:
            before = data
            for each in replacements:
                data = each.applied(data)
            # what stands in a container, or is written as only a format's reader reads it, is not seen in the bytes
            if data != before and blob.id not in hidden and not redactor.redactions(data):
                continue
        strip.append(blob.id)
    return strip


def _write(path: str, data: bytes) -> None:
    """A new file that only this user can read. Raises UsageError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except OSError as error:
        raise UsageError(f"cannot write {path!r}: {(error.strerror or '').lower()}") from None
