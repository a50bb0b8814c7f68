"""Which project is being scanned, and what its own and the operator's configuration say of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from keyward.errors import UsageError
from keyward.flows.settings import Settings, read_settings
from keyward.match import catalogue
from keyward.match.fingerprint import load_salt, to_base32
from keyward.model.finding import Allowance
from keyward.scan.recipe import Recipe
from keyward.scan.sources.tree import Exclude, keep_all

if TYPE_CHECKING:
    from keyward.flows.scan import ScanOptions
    from keyward.scan.baseline import Baseline
    from keyward.scan.interop import DetectSecretsBaseline

PROJECT_FILES = ("keyward.toml", ".keyward.baseline", ".git")
BASELINE = ".keyward.baseline"


class Project(NamedTuple):
    """All that holds for one scan. `root`: the top of the project, real path. `by_place`: what other tools' files say of an
    occurrence, by path and line."""

    root: str
    recipe: Recipe
    settings: Settings
    baseline: Baseline | None
    by_place: Callable[[str, int], Allowance | None]
    salt_text: str
    notes: tuple[str, ...]

    def exclude_below(self, folder: str) -> Exclude:
        """The exclusions for paths that are relative to a folder, which may lie below or outside the project."""
        exclude, typed = self.settings.exclude, self.settings.typed
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
    root = find_root(options.paths[0] if options.paths else ".")
    settings = read_settings(root, options.operator_config, options.rule_files, options.exclude)
    baseline = _baseline(root, options.baseline)
    salt = load_salt(baseline.salt if baseline is not None else None)
    recipe = Recipe(
        catalogue=catalogue.Catalogue((), b"", "", False),
        salt=salt.value,
        plugins=settings.plugins,
        rule_files=settings.rule_files,
        disabled=settings.disabled,
        detect_secrets=_detect_secrets(root, options),
        root=root,
    )
    compiled = catalogue.load(recipe.registry(), portable=options.portable, on_compile=on_compile)
    return Project(
        root=root,
        recipe=recipe._replace(catalogue=compiled),
        settings=settings,
        baseline=baseline,
        by_place=_by_place(root, options),
        salt_text=to_base32(salt.value),
        notes=(salt.note,) if salt.note else (),
    )


def _baseline(root: str, named: str | None) -> Baseline | None:
    """The named baseline, or the default one if it is there; none for an empty name."""
    if named == "":
        return None
    path = named or os.path.join(root, BASELINE)
    if not os.path.lexists(path):
        if named:
            raise UsageError(f"there is no baseline {named!r}", hint="Write one: keyward baseline create")
        return None
    from keyward.scan.baseline import load

    return load(path)


def _detect_secrets(root: str, options: ScanOptions) -> DetectSecretsBaseline | None:
    path = os.path.join(root, ".secrets.baseline")
    if options.baseline == "" or not os.path.isfile(path):
        return None
    from keyward.scan.interop import DetectSecretsBaseline

    return DetectSecretsBaseline.load(path)


def _by_place(root: str, options: ScanOptions) -> Callable[[str, int], Allowance | None]:
    path = os.path.join(root, ".gitleaksignore")
    if options.baseline == "" or not os.path.isfile(path):
        return lambda place, line: None
    from keyward.scan.interop import GitleaksIgnore

    ignore = GitleaksIgnore.load(path)
    if ignore is None:
        return lambda place, line: None
    return lambda place, line: ignore.allows(os.path.relpath(os.path.realpath(place), root), line)
