"""Reads files of gitleaks' format as they are, those that they extend merged into them; nothing is translated here.

Keys may be written in any case. `[extend]` adds the rules of another file, two files deep; of those with the same id the values of the
extending file replace the others, and lists are joined.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from keyward.errors import ConfigError
from keyward.scan.interop.translated import Untranslated

if TYPE_CHECKING:
    from keyward.formats.toml_file import TomlFile

DEEPEST_EXTEND = 2
MOST_RULES = 2_000

_FILE = (
    "title", "description", "extend", "rules", "allowlist", "allowlists", "minversion", "betterleaksminversion", "prefilter",
    "filter",
)  # fmt: skip


class Source(NamedTuple):
    """A file and those that it extends, merged: rules by id, allowlists, and ids that were switched off. Keys are in lower case."""

    rules: dict[str, dict[str, Any]]
    allowlists: list[dict[str, Any]]
    filters: list[tuple[str, str]]
    files: list[str]
    disabled: list[str]
    extends_default: bool


def looks_like_gitleaks(data: Mapping[str, Any]) -> bool:
    """Whether parsed TOML has gitleaks' rules and not keyward's."""
    rules = _lowered(data).get("rules")
    tables = [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    if any("pattern" in rule for rule in tables):
        return False
    return any("regex" in rule for rule in tables) or bool({"extend", "allowlist", "allowlists"} & _lowered(data).keys())


def read(path: str, notes: list[Untranslated], depth: int) -> Source:
    """A file with those that it extends. Raises ConfigError; what is merely not understood is added to `notes`."""
    from keyward.formats.toml_file import TomlFile

    file = TomlFile.load(path)
    if file is None:
        raise ConfigError("there is no such file", path=path, hint="Check --gitleaks-config and `gitleaks_config`.")
    data = _lowered(file.data)
    tables = data.get("rules", [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        file.wrong("`rules` must be a list of tables", "Begin each with a line [[rules]].", "rules")
    if len(tables) > MOST_RULES:
        file.wrong(f"more than {MOST_RULES} rules", "Split the file.", "rules")
    rules: dict[str, dict[str, Any]] = {}
    for number, table in enumerate(tables):
        if not isinstance(table.get("id"), str) or not table["id"]:
            raise ConfigError(
                f"rule {number + 1} has no id", path=path, line=_line(file, number), hint='Give it one: id = "acme"'
            )
        rules[table["id"]] = table
    notes.extend(Untranslated("", key, "keyward does not know this key") for key in data if key not in _FILE)
    extend = data.get("extend", {})
    if not isinstance(extend, dict):
        file.wrong("`extend` must be a table", "Begin it with a line [extend].", "extend")
    source = Source(
        rules=rules,
        allowlists=tables_of(data, "allowlist", "allowlists", "", notes),
        filters=[(key, data[key]) for key in ("prefilter", "filter") if isinstance(data.get(key), str)],
        files=[path],
        disabled=list(texts(extend, "disabledrules")),
        extends_default=bool(extend.get("usedefault")),
    )
    return _extended(source, extend, path, notes, depth)


def _extended(source: Source, extend: dict[str, Any], path: str, notes: list[Untranslated], depth: int) -> Source:
    base_path = extend.get("path")
    if extend.get("url"):
        notes.append(Untranslated("", "extend.url", "nothing is fetched; save the file and name it in extend.path"))
    if not base_path:
        return source
    if source.extends_default:
        hint = "gitleaks refuses this too: leave one of them out."
        raise ConfigError("`extend` has both path and useDefault", path=path, hint=hint)
    if depth >= DEEPEST_EXTEND:
        notes.append(Untranslated("", "extend.path", f"not followed: more than {DEEPEST_EXTEND} files deep, as in gitleaks"))
        return source
    base = read(_beside(path, str(base_path)), notes, depth + 1)
    merged = {name: rule for name, rule in base.rules.items() if name not in source.disabled}
    for name, rule in source.rules.items():
        merged[name] = _merged(merged[name], rule) if name in merged else rule
    return Source(
        rules=merged,
        allowlists=[*source.allowlists, *base.allowlists],
        filters=[*source.filters, *base.filters],
        files=[*source.files, *base.files],
        disabled=[*(name for name in source.disabled if name not in base.rules), *base.disabled],
        extends_default=base.extends_default,
    )


def _beside(path: str, base: str) -> str:
    """gitleaks takes it relative to where it is started, which may be a scanned tree: keyward only looks there if the file that names it
    lies there as well."""
    beside = os.path.join(os.path.dirname(os.path.abspath(path)), base)
    if os.path.isabs(base) or os.path.lexists(beside):
        return beside
    here = os.path.realpath(".")
    within = os.path.realpath(path).startswith(here.rstrip(os.sep) + os.sep)
    return os.path.join(here, base) if within and os.path.lexists(base) else beside


def _merged(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """A rule of the extended file with what the extending one says of it: values replace, lists are joined."""
    merged = dict(base)
    for key, value in own.items():
        if key == "allowlist":
            merged["allowlists"] = [*as_list(merged.pop("allowlist", None)), *as_list(merged.get("allowlists")), value]
        elif key in ("keywords", "tags", "allowlists"):
            before = [*(as_list(merged.pop("allowlist", None)) if key == "allowlists" else ()), *as_list(merged.get(key))]
            merged[key] = [*before, *as_list(value)]
        elif value not in ("", 0):
            merged[key] = value
    return merged


def _lowered(value: Any) -> Any:
    """Tables with their keys in lower case: gitleaks does not tell case apart."""
    if isinstance(value, dict):
        return {str(key).lower(): _lowered(inner) for key, inner in value.items()}
    return [_lowered(each) for each in value] if isinstance(value, list) else value


def tables_of(data: Mapping[str, Any], old: str, new: str, rule: str, notes: list[Untranslated]) -> list[dict[str, Any]]:
    """The allowlists under either of their two names."""
    found = [*as_list(data.get(old)), *as_list(data.get(new))]
    tables = [each for each in found if isinstance(each, dict)]
    if len(tables) < len(found):
        notes.append(Untranslated(rule, new, "something in it is no table"))
    return tables


def as_list(value: Any) -> list[Any]:
    """A value that may be one or several."""
    return value if isinstance(value, list) else [] if value is None else [value]


def texts(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """The strings of a list."""
    return tuple(each for each in as_list(table.get(key)) if isinstance(each, str))


def positive(value: Any) -> int | float:
    """A number above zero, else 0."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else 0


def whole_number(value: Any) -> int | None:
    """A whole number, None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _line(file: TomlFile, number: int) -> int:
    tables = file.tables("rules") if "rules" in file.data else []
    return tables[number].line() if number < len(tables) else 0
