"""The two configurations put together: the scanned project's own, and the operator's, which the former cannot weaken unseen."""

from __future__ import annotations

import os
from typing import NamedTuple

from keyward.errors import UsageError
from keyward.match.paths import config_file
from keyward.model.finding import Allowance
from keyward.scan.sources.tree import Exclude, keep_all

PROJECT_CONFIG = "keyward.toml"


class Settings(NamedTuple):
    """`exclude`: answers with the rule that excludes a path, said so that it tells which configuration it comes from."""

    persona: str = "regular"
    exclude: Exclude = keep_all
    ignored: dict[str, Allowance] = {}  # never changed
    plugins: tuple[str, ...] = ()
    rule_files: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def operator_path(named: str | None) -> str:
    """The operator's configuration: the named file, which must be there, else the usual one, which need not."""
    if named is not None and not os.path.lexists(named):
        raise UsageError(f"there is no configuration {named!r}")
    return named or config_file()


def read_settings(root: str, operator: str | None, rule_files: tuple[str, ...], exclude: tuple[str, ...]) -> Settings:
    """What holds for a project. Nothing is imported for files that do not exist.

    Raises ConfigError for a file that is wrong, UsageError for a named file that is not there.
    """
    for file in rule_files:
        if not os.path.lexists(file):
            raise UsageError(f"there is no rule file {file!r}")
    own = os.path.join(root, PROJECT_CONFIG)
    operators = operator_path(operator)
    if not (exclude or os.path.lexists(own) or os.path.lexists(operators)):
        return Settings(rule_files=rule_files)
    from keyward.flows.settings_merge import merge

    return merge(own, operators, rule_files, exclude)
