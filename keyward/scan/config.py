"""The two configurations: the scanned project's own `keyward.toml`, and the operator's. They are never mixed.

A scanned repository may be anybody's, so its file may only exclude paths, let fingerprints pass with a reason, and add
patterns; what it leaves out is listed in every report. Everything else belongs to the person who runs keyward. Where a file is
not there, nothing is imported to read it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from keyward.errors import ConfigError
from keyward.match.fingerprint import is_fingerprint
from keyward.match.paths import config_file, is_private
from keyward.model.finding import Allowance

if TYPE_CHECKING:
    from keyward.formats.toml_file import TomlFile
    from keyward.model.rule import Rule
    from keyward.scan.user_rules import UserRule

PROJECT_FILE = "keyward.toml"
MOST_IGNORED = 10_000

SHARED = ("exclude", "ignore", "rules")
OPERATOR = ("plugins", "persona", "disabled", "limits", "gitleaks_config", "detect_secrets_plugins")
RESERVED = ("lanes", "stores", "providers", "verify", "audit", "incident")
"""Tables of the operator's configuration that other commands read."""
LIMITS = ("min_file_size", "max_file_size")


class ProjectConfig(NamedTuple):
    """`exclude`: patterns (see `keyward.scan.globs`). `ignored`: by fingerprint. `samples`: the texts of the rules' own samples,
    which are no findings where they stand. `path`: empty where there is no file."""

    path: str = ""
    exclude: tuple[str, ...] = ()
    ignored: Mapping[str, Allowance] = {}
    rules: tuple[UserRule, ...] = ()

    def is_own_sample(self, value: bytes) -> bool:
        """Whether a value found in the configuration file itself is one of its rules' samples."""
        return _is_sample(self.rules, value)


class OperatorConfig(NamedTuple):
    """All that a project may say, and: `plugins`, third-party packs to load; `persona`, empty for the default; `disabled`, rule
    ids and pack names; the sizes in bytes between which files are read (0: no limit); `reserved`, tables for other commands;
    `gitleaks_config`, a rule file of that tool, and `detect_secrets_plugins`, files and names of plugins: paths relative to this file's
    folder are made absolute."""

    path: str = ""
    exclude: tuple[str, ...] = ()
    ignored: Mapping[str, Allowance] = {}
    rules: tuple[UserRule, ...] = ()
    plugins: tuple[str, ...] = ()
    persona: str = ""
    disabled: tuple[str, ...] = ()
    min_file_size: int = 0
    max_file_size: int = 0
    reserved: tuple[str, ...] = ()
    gitleaks_config: str = ""
    detect_secrets_plugins: tuple[str, ...] = ()

    def is_own_sample(self, value: bytes) -> bool:
        """Whether a value found in the configuration file itself is one of its rules' samples."""
        return _is_sample(self.rules, value)


def _is_sample(rules: tuple[UserRule, ...], value: bytes) -> bool:
    return any(
        value in shape.sample(0).text for each in rules for shape in (*each.rule.examples, *each.rule.near_misses) if value
    )


def operator_path(named: str | None) -> str | None:
    """The named file, else `$KEYWARD_CONFIG`, else the default one if it is there, else None."""
    if named or os.environ.get("KEYWARD_CONFIG"):
        return named or os.environ["KEYWARD_CONFIG"]
    path = config_file()
    return path if os.path.lexists(path) else None


def load_project(root: str) -> ProjectConfig:
    """What `keyward.toml` at the top of a project says; an empty one where there is none. Raises ConfigError."""
    path = os.path.join(root, PROJECT_FILE)
    if not os.path.lexists(path):
        return ProjectConfig()
    from keyward.formats.toml_file import TomlFile

    file = TomlFile.load(path)
    if file is None:
        raise ConfigError("is a link to nowhere", path=path, hint="Delete it or put it right.")
    return _project(file, path)


def project_of(text: str, path: str) -> ProjectConfig:
    """What a `keyward.toml` with this text says; `path` names it in an error. Raises ConfigError."""
    from keyward.formats.toml_file import TomlFile

    return _project(TomlFile.loads(text, path), path)


def _project(file: TomlFile, path: str) -> ProjectConfig:
    from keyward.scan.user_rules import read_rules

    for key in file.data:
        if key in (*OPERATOR, *RESERVED):
            hint = f"Move it to {config_file()}; a project's file may have: {', '.join(SHARED)}."
            file.wrong(f"`{key}` belongs in the operator's configuration, not in a scanned project's", hint, key)
    file.only(SHARED, "a project's configuration")
    return ProjectConfig(path, _excludes(file), _ignored(file, PROJECT_FILE), read_rules(file, project=True))


def load_operator(path: str | None) -> OperatorConfig:
    """What the operator's configuration says; see `operator_path`. An empty one for None.

    Raises ConfigError, also for a file that is not there or that others may write: it can name code to load.
    """
    if path is None:
        return OperatorConfig()
    from keyward.formats.toml_file import TomlFile
    from keyward.scan.user_rules import read_rules

    file = TomlFile.load(path)
    if file is None:
        raise ConfigError("there is no such file", path=path, hint="Check --config and $KEYWARD_CONFIG.")
    if not is_private(os.stat(path)):
        hint = "Make it yours, with `chmod go-w` on it."
        raise ConfigError("others can change this file, which decides what code keyward loads", path=path, hint=hint)
    file.only((*SHARED, *OPERATOR, *RESERVED), "the operator's configuration")
    persona = file.text("persona")
    if persona:
        from keyward.formats.toml_file import nearest
        from keyward.match.personas import PERSONAS

        if persona not in PERSONAS:
            file.wrong("an unknown persona", nearest(persona, PERSONAS), "persona")
    limits = file.in_table("limits")
    limits.only(LIMITS, "`limits`")
    smallest, largest = _size(limits, "min_file_size"), _size(limits, "max_file_size")
    if largest and largest < smallest:
        limits.wrong("`max_file_size` is below `min_file_size`", "Leave one of them out.", "max_file_size")
    return OperatorConfig(
        path=path,
        exclude=_excludes(file),
        ignored=_ignored(file, "the operator's configuration"),
        rules=read_rules(file, project=False),
        plugins=file.texts("plugins"),
        persona=persona,
        disabled=file.texts("disabled"),
        min_file_size=smallest,
        max_file_size=largest,
        reserved=tuple(key for key in RESERVED if key in file.data),
        gitleaks_config=_beside(path, file.text("gitleaks_config")),
        detect_secrets_plugins=tuple(
            _beside(path, name) if name.endswith(".py") else name for name in file.texts("detect_secrets_plugins")
        ),
    )


def _beside(path: str, name: str) -> str:
    """A file that a configuration names, as an absolute path; empty for none."""
    return os.path.join(os.path.dirname(os.path.abspath(path)), os.path.expanduser(name)) if name else ""


def load_rules(path: str, *, project: bool = False, text: str | None = None) -> tuple[Rule, ...]:
    """The rules of a TOML file: one of rules only, or either configuration. Raises ConfigError or RuleError."""
    return tuple(each.rule for each in load_user_rules(path, project=project, text=text))


def load_user_rules(path: str, *, project: bool = False, text: str | None = None) -> tuple[UserRule, ...]:
    """As `load_rules`, with the kinds that the rules find. `project`: whether the file came with the scanned project. `text`: what is
    in it, None to read it."""
    from keyward.formats.toml_file import TomlFile
    from keyward.scan.user_rules import read_rules

    file = TomlFile.load(path) if text is None else TomlFile.loads(text, path)
    if file is None:
        raise ConfigError("there is no such file", path=path, hint="Check the path of the rule file.")
    file.only((*SHARED, *OPERATOR, *RESERVED), "a rule file")
    return read_rules(file, project=project)


def _excludes(file: TomlFile) -> tuple[str, ...]:
    patterns = file.texts("exclude")
    if patterns:
        from keyward.scan.globs import MOST_PATTERNS, translate

        if len(patterns) > MOST_PATTERNS:
            file.wrong(f"more than {MOST_PATTERNS} patterns", "Exclude folders instead of files.", "exclude")
        for number, pattern in enumerate(patterns, 1):
            try:
                translate(pattern)
            except ValueError as error:
                file.wrong(f"pattern {number} of `exclude`: {error}", "Patterns are as in .gitignore.", "exclude")
    return patterns


def _ignored(file: TomlFile, by: str) -> dict[str, Allowance]:
    tables = file.tables("ignore")
    ignored: dict[str, Allowance] = {}
    for table in tables[:MOST_IGNORED]:
        table.only(("fingerprint", "reason"), "an entry of `ignore`")
        fingerprint = table.text("fingerprint", required='Copy it from a report: fingerprint = "kw1_…"')
        if not is_fingerprint(fingerprint):
            table.wrong("this is no fingerprint", "Copy it whole from a report: kw1_ and 26 characters.", "fingerprint")
        if fingerprint in ignored:
            table.wrong("this fingerprint is listed twice", "Delete one of the two entries.", "fingerprint")
        reason = table.text("reason", required='Say why the secret may pass: reason = "…"')
        ignored[fingerprint] = Allowance(by, " ".join(reason.split())[:200])
    if len(tables) > MOST_IGNORED:
        tables[MOST_IGNORED].wrong(f"more than {MOST_IGNORED} entries", "Use a baseline: keyward baseline create.")
    return ignored


_UNITS = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}


def _size(table: TomlFile, key: str) -> int:
    value = table.data.get(key, 0)
    if type(value) is int and 0 <= value < 1 << 50:
        return value
    if isinstance(value, str):
        number = value.strip().rstrip("bBiIkKmMgG").strip()
        unit = value.strip()[len(number) :].strip().lower()
        if number.isascii() and number.isdigit() and len(number) < 12 and unit in _UNITS:
            return int(number) * _UNITS[unit]
    table.wrong(f"`{key}` must be a size", f'Write bytes or a unit: {key} = "20 MB"', key)
