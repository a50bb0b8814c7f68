"""The two configurations put together: the scanned project's own, and the operator's, which the former cannot weaken unseen."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from keyward.errors import UsageError
from keyward.model.finding import Allowance
from keyward.scan.config import PROJECT_FILE, load_operator, load_project, operator_path
from keyward.scan.recipe import RuleFile
from keyward.scan.sources.tree import Exclude, keep_all


class Settings(NamedTuple):
    """`exclude`: for paths relative to the project's top; answers with the rule, and which configuration has it. `typed`: the
    exclusions of the command line, for paths relative to what is scanned. Sizes in bytes, 0 for no limit."""

    persona: str
    exclude: Exclude
    typed: Exclude
    ignored: Mapping[str, Allowance]
    plugins: tuple[str, ...]
    rule_files: tuple[RuleFile, ...]
    disabled: tuple[str, ...]
    min_file_size: int = 0
    max_file_size: int = 0


def read_settings(root: str, operator: str | None, rule_files: Iterable[str], exclude: tuple[str, ...]) -> Settings:
    """What holds for a project. Nothing more is imported where neither file is there.

    Raises ConfigError for a file that is wrong, UsageError for a named one that is not there or an exclusion that is none.
    """
    own = load_project(root)
    operators = load_operator(operator_path(operator))
    files = [RuleFile(path) for path in rule_files]
    for file in files:
        if not os.path.lexists(file.path):
            raise UsageError(f"there is no rule file {file.path!r}", hint="Check --rules; the path is relative to this folder.")
    if own.rules:
        files.append(RuleFile(own.path, project=True))
    if operators.rules:
        files.append(RuleFile(operators.path))
    return Settings(
        persona=operators.persona or "regular",
        exclude=_joined([("operator's configuration", operators.exclude), (PROJECT_FILE, own.exclude)]),
        typed=_joined([("--exclude", exclude)]),
        ignored={**own.ignored, **operators.ignored},
        plugins=operators.plugins,
        rule_files=tuple(files),
        disabled=operators.disabled,
        min_file_size=operators.min_file_size,
        max_file_size=operators.max_file_size,
    )


def _joined(sets: Iterable[tuple[str, tuple[str, ...]]]) -> Exclude:
    """One exclusion of several sets of patterns, which says whose pattern it was."""
    wanted = [(by, patterns) for by, patterns in sets if patterns]
    if not wanted:
        return keep_all
    from keyward.scan.globs import Excludes

    try:
        compiled = [(by, Excludes(patterns)) for by, patterns in wanted]
    except ValueError as error:
        raise UsageError(f"{wanted[0][0]}: {error}", hint="Patterns are as in .gitignore.") from None

    def exclude(path: str, is_folder: bool) -> str:
        for by, patterns in compiled:
            rule = patterns(path, is_folder)
            if rule:
                return f"{by}: {rule}"
        return ""

    return exclude
