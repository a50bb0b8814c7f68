"""The two configurations put together: the scanned project's own, and the operator's, which the former cannot weaken unseen."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from keyward.errors import UsageError
from keyward.model.finding import Allowance
from keyward.scan.config import PROJECT_FILE, load_operator, load_project, operator_path
from keyward.scan.recipe import RuleFile
from keyward.scan.sources.tree import Exclude, keep_all

if TYPE_CHECKING:
    from keyward.scan.config import ProjectConfig


class Settings(NamedTuple):
    """`exclude`: for paths relative to the project's top; answers with the rule, and which configuration has it. `typed`: the
    exclusions of the command line, for paths relative to what is scanned. `patterns`: what both are made of. Sizes in bytes, 0 for no
    limit. `gitleaks_config` and `detect_secrets_plugins`: of the operator's configuration."""

    persona: str
    exclude: Exclude
    typed: Exclude
    ignored: Mapping[str, Allowance]
    plugins: tuple[str, ...]
    rule_files: tuple[RuleFile, ...]
    disabled: tuple[str, ...]
    min_file_size: int = 0
    max_file_size: int = 0
    patterns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    gitleaks_config: str = ""
    detect_secrets_plugins: tuple[str, ...] = ()


def read_settings(
    root: str,
    operator: str | None,
    rule_files: Iterable[str],
    exclude: tuple[str, ...],
    committed: tuple[str, str | None] | None = None,
) -> Settings:
    """What holds for a project. Nothing more is imported where neither file is there. `committed`: the name and the text of the project's
    file in a commit (None: it has none), which holds instead of the one in the folder.

    Raises ConfigError for a file that is wrong, UsageError for a named one that is not there or an exclusion that is none.
    """
    own = load_project(root) if committed is None else _committed(*committed)
    operators = load_operator(operator_path(operator))
    files = [RuleFile(path) for path in rule_files]
    for file in files:
        if not os.path.lexists(file.path):
            raise UsageError(f"there is no rule file {file.path!r}", hint="Check --rules; the path is relative to this folder.")
    if own.rules:
        files.append(RuleFile(own.path, True, committed[1] if committed is not None else None))
    if operators.rules:
        files.append(RuleFile(operators.path))
    sets = (("operator's configuration", operators.exclude), (PROJECT_FILE, own.exclude))
    return Settings(
        persona=operators.persona or "regular",
        exclude=_joined(sets),
        typed=_joined([("--exclude", exclude)]),
        ignored={**own.ignored, **operators.ignored},
        plugins=operators.plugins,
        rule_files=tuple(files),
        disabled=operators.disabled,
        min_file_size=operators.min_file_size,
        max_file_size=operators.max_file_size,
        patterns=tuple(each for each in (*sets, ("--exclude", exclude)) if each[1]),
        gitleaks_config=operators.gitleaks_config,
        detect_secrets_plugins=operators.detect_secrets_plugins,
    )


def _committed(path: str, text: str | None) -> ProjectConfig:
    from keyward.scan.config import ProjectConfig, project_of

    return ProjectConfig() if text is None else project_of(text, path)


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
