"""Which project is being scanned, and what its own and the operator's configuration say of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from keyward.errors import UsageError
from keyward.flows.settings import Settings, read_settings
from keyward.match import catalogue
from keyward.match.fingerprint import load_salt, to_base32
from keyward.match.paths import cache_folder
from keyward.model.finding import Allowance
from keyward.scan.config import PROJECT_FILE
from keyward.scan.recipe import Recipe
from keyward.scan.sources.tree import Exclude, keep_all

if TYPE_CHECKING:
    from keyward.flows.committed import Committed
    from keyward.flows.scan import ScanOptions
    from keyward.scan.baseline import Baseline
    from keyward.scan.interop import DetectSecretsBaseline
    from keyward.scan.interop.translated import ForeignRules

PROJECT_FILES = ("keyward.toml", ".keyward.baseline", ".git")
BASELINE, DETECT_SECRETS, GITLEAKS = ".keyward.baseline", ".secrets.baseline", ".gitleaksignore"


class ByPlace(Protocol):
    """What other tools' files say of an occurrence, by path and line, and by the commit that brought it in."""

    def __call__(self, place: str, line: int, commit: str = "") -> Allowance | None: ...


class Project(NamedTuple):
    """All that holds for one scan. `root`: the top of the project, real path."""

    root: str
    recipe: Recipe
    settings: Settings
    baseline: Baseline | None
    by_place: ByPlace
    salt_text: str
    notes: tuple[str, ...]

    def exclude_below(self, folder: str) -> Exclude:
        """The exclusions for paths that are relative to a folder, which may lie below or outside the project."""
        exclude, typed = self.settings.exclude, _without_own_rules(self.settings.typed, folder)
        if exclude is keep_all:
            return typed
        relative = os.path.relpath(os.path.realpath(folder), self.root).replace(os.sep, "/")
        prefix = "" if relative == "." or relative.startswith("../") else f"{relative}/"
        return lambda path, is_folder: typed(path, is_folder) or exclude(prefix + path, is_folder)

    def exclude_by_size(self, path: str) -> str:
        """The limit of the operator's configuration that leaves a file out, or an empty string."""
        smallest, largest = self.settings.min_file_size, self.settings.max_file_size
        if not (smallest or largest):
            return ""
        try:
            size = os.path.getsize(path)
        except OSError:
            return ""  # whoever opens it will say what is wrong
        if largest and size > largest:
            return f"operator's configuration: larger than max_file_size ({largest} bytes)"
        return f"operator's configuration: smaller than min_file_size ({smallest} bytes)" if size < smallest else ""


def _without_own_rules(exclude: Exclude, folder: str) -> Exclude:
    """As `exclude`, but without keyward's own compiled rules, which hold the beginnings of everything that is looked for. Only this user's
    own cache is meant, and only files of that name at its top: whatever else lies there is read."""
    relative = os.path.relpath(os.path.realpath(cache_folder()), os.path.realpath(folder)).replace(os.sep, "/")
    if relative == ".." or relative.startswith("../") or os.path.isabs(relative):
        return exclude
    prefix = "" if relative == "." else f"{relative}/"

    def without(path: str, is_folder: bool) -> str:
        if not is_folder and path.startswith(prefix) and catalogue.CACHED.fullmatch(path, len(prefix)):
            return "keyward's own compiled rules"
        return exclude(path, is_folder)

    return without


def find_root(path: str) -> str:
    """The top of the project that a path belongs to: the nearest folder upwards with a baseline, a `keyward.toml` or a
    repository; the folder itself if there is none."""
    start = os.path.realpath("." if path == "-" else path)
    if not os.path.isdir(start):
        start = os.path.dirname(start)
    folder = start
    while True:
        if any(os.path.lexists(os.path.join(folder, name)) for name in PROJECT_FILES):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return start
        folder = parent


def open_project(options: ScanOptions, *, on_compile: Callable[[int], None]) -> Project:
    """Reads every configuration that holds for the options; what has no file is not even imported.

    Raises ConfigError for a file that is wrong, UsageError for one that was named and is not there.
    """
    # a sweep of a machine is no project: what lies in the current folder or in the home has no say in it
    root = os.devnull if options.host else find_root(options.paths[0] if options.paths else ".")
    committed = _committed(options)
    if committed is not None:
        root = committed.root
    settings = read_settings(
        root,
        options.operator_config,
        options.rule_files,
        options.exclude,
        (committed.name(PROJECT_FILE), committed.texts.get(PROJECT_FILE)) if committed is not None else None,
    )
    baseline = _baseline(root, options.baseline, committed)
    foreign = _foreign(options.gitleaks_config or settings.gitleaks_config)
    salt = load_salt(baseline.salt if baseline is not None else None)
    recipe = Recipe(
        catalogue=catalogue.Catalogue((), b"", "", False),
        salt=salt.value,
        plugins=settings.plugins,
        rule_files=settings.rule_files,
        disabled=settings.disabled,
        detect_secrets=_detect_secrets(root, options, committed),
        root=root,
        limits=options.limits,
        foreign=foreign,
        detect_secrets_plugins=_plugins((*settings.detect_secrets_plugins, *options.detect_secrets_plugins)),
    )
    compiled = catalogue.load(recipe.registry(), portable=options.portable, on_compile=on_compile)
    return Project(
        root=root,
        recipe=recipe._replace(catalogue=compiled),
        settings=settings,
        baseline=baseline,
        by_place=_with_commits(_by_place(root, options, committed), foreign),
        salt_text=to_base32(salt.value),
        notes=(*((salt.note,) if salt.note else ()), *_not_translated(foreign)),
    )


def _committed(options: ScanOptions) -> Committed | None:
    """The project's files as of a commit, where one was named or there is no working tree; else None."""
    if not options.history:
        return None
    from keyward.flows.committed import read_committed

    return read_committed(options.paths[0] if options.paths else ".", options.config_ref)


def _baseline(root: str, named: str | None, committed: Committed | None) -> Baseline | None:
    """The named baseline, or the default one if it is there; none for an empty name."""
    if named == "":
        return None
    if committed is not None and not named:
        if BASELINE not in committed.texts:
            return None
        from keyward.scan.baseline import loads

        return loads(committed.texts[BASELINE], committed.name(BASELINE))
    path = named or os.path.join(root, BASELINE)
    if not os.path.lexists(path):
        if named:
            raise UsageError(f"there is no baseline {named!r}", hint="Write one: keyward baseline create")
        return None
    from keyward.scan.baseline import load

    return load(path)


def _detect_secrets(root: str, options: ScanOptions, committed: Committed | None) -> DetectSecretsBaseline | None:
    path = os.path.join(root, DETECT_SECRETS)
    if options.baseline == "" or not (os.path.isfile(path) if committed is None else DETECT_SECRETS in committed.texts):
        return None
    from keyward.scan.interop import DetectSecretsBaseline

    if committed is not None:
        return DetectSecretsBaseline.loads(committed.texts[DETECT_SECRETS], committed.name(DETECT_SECRETS))
    return DetectSecretsBaseline.load(path)


def _by_place(root: str, options: ScanOptions, committed: Committed | None) -> ByPlace:
    path = os.path.join(root, GITLEAKS)
    if options.baseline == "" or not (os.path.isfile(path) if committed is None else GITLEAKS in committed.texts):
        return _nothing
    from keyward.scan.interop import GitleaksIgnore

    ignore = GitleaksIgnore.load(path) if committed is None else GitleaksIgnore.loads(committed.texts[GITLEAKS])
    if ignore is None:
        return _nothing

    def allows(place: str, line: int, commit: str = "") -> Allowance | None:
        return ignore.allows(os.path.relpath(os.path.realpath(place), root), line, commit)

    return allows


def _foreign(path: str) -> ForeignRules | None:
    """The rules of another scanner's file that the operator named."""
    if not path:
        return None
    from keyward.scan.interop.gitleaks import load

    return load(path)


def _plugins(names: tuple[str, ...]) -> tuple[str, ...]:
    """The named plugins of detect-secrets, loaded once here, so that what is wrong is said before anything is scanned."""
    if names:
        from keyward.scan.interop.detect_secrets import load

        names = tuple(dict.fromkeys(os.path.abspath(name) if name.endswith(".py") else name for name in names))
        load(names)
    return names


MOST_NOTES = 10
"""Things without a translation that a report names; `keyward rules check` names all."""


def _not_translated(foreign: ForeignRules | None) -> tuple[str, ...]:
    if foreign is None or not foreign.untranslated:
        return ()
    from keyward.scan.interop.translated import FINDS_THE_SAME, described

    lines = [
        f"{foreign.path}: {line}"
        for line in described([each for each in foreign.untranslated if each.field not in FINDS_THE_SAME])
    ]
    more = len(lines) - MOST_NOTES
    return (
        *lines[:MOST_NOTES],
        *((f"{foreign.path}: {more} more things have no translation: keyward rules check",) if more > 0 else ()),
    )


def _with_commits(by_place: ByPlace, foreign: ForeignRules | None) -> ByPlace:
    """As `by_place`, with the commits whose findings a rule file lets pass."""
    if foreign is None or not foreign.commits:
        return by_place
    commits, name = foreign.commits, os.path.basename(foreign.path)

    def allows(place: str, line: int, commit: str = "") -> Allowance | None:
        listed = commits.get(commit.lower())
        return Allowance(name, f"gitleaks: {listed}: commits") if listed else by_place(place, line, commit)

    return allows


def _nothing(place: str, line: int, commit: str = "") -> Allowance | None:
    return None
