"""Which labeller fits a file, by its name, else by its first bytes."""

from __future__ import annotations

import re
from importlib import import_module
from typing import cast

from keyward.formats.labels import Labeller

# a pattern of the name (lower case, below the last slash), the labeller, and whether a block of lines can be labelled by itself
_NAMES = (
    (r".*\.(?:jsonl|ndjson)(?:\..*)?", "documents:line_labels", True),
    (r".*\.(?:json|har|ipynb|json5|jsonc|webmanifest|geojson)(?:\.bak.*|\.migrated.*|~)?", "documents:json_labels", False),
    (r".*\.(?:md|markdown|mdx|mdc|qmd|rmd)", "markdown:markdown_labels", False),
    (r".*\.(?:ya?ml)(?:\.bak.*|~)?", "settings:yaml_labels", False),
    (r".*\.toml(?:\.bak.*|~)?", "settings:toml_labels", False),
    (r"\.env|\.env\..*|.*\.env|\.envrc|environment", "settings:assigned_labels", False),
    (r".*\.(?:sh|bash|zsh|fish|ps1|profile|properties)|\.?(?:bash|zsh)(?:rc|env|_profile|_login)|\.?z?profile", "settings:assigned_labels", False),
    (r"[._]netrc|\.?authinfo", "settings:netrc_labels", False),
    (r".*\.(?:ini|cfg|conf|config|service|desktop|cnf|rc)|credentials|config|\.pypirc|\.npmrc|\.gitconfig|\.s3cfg|\.boto|\.databrickscfg|\.my\.cnf",
     "settings:ini_labels", False),
    (r"\.?bash_history.*|\.?sh_history|\.history", "histories:bash_labels", False),
    (r"\.?zsh_history.*|\.zhistory|\.histfile", "histories:zsh_labels", False),
    (r"fish_history.*|.*_fish_history", "histories:fish_labels", False),
    (r"\.aider\.input\.history|.*\.pt_history", "histories:prompt_labels", False),
    (r".*\.(?:csv|tsv)", "lines:table_labels", True),
    (r"cookies?(?:[-_.].*)?\.txt", "lines:cookie_labels", True),
    (r".*(?:\.(?:log|out|err)|_log)(?:[.-].*)?|(?:syslog|messages|auth|access|error|typescript|screenlog).*", "lines:log_labels", True),
)  # fmt: skip
_CHOICES = re.compile("|".join(f"({pattern})" for pattern, _, _ in _NAMES), re.S)

_HEADS = (
    (re.compile(rb"# (?:Netscape )?HTTP Cookie File"), "lines:cookie_labels", True),
    (re.compile(rb"\s*\{[^\n]{2,}\}\r?\n\{"), "documents:line_labels", True),
    (re.compile(rb"\s*(?:\{\s*[\"}\n/]|\[\s*[\[{\"\n])"), "documents:json_labels", False),
    (re.compile(rb"(?:\xef\xbb\xbf)?\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d "), "lines:log_labels", True),
    (re.compile(rb"- cmd: "), "histories:fish_labels", False),
    (re.compile(rb": \d{9,11}:\d+;"), "histories:zsh_labels", False),
    (re.compile(rb"#\d{9,11}\n"), "histories:bash_labels", False),
)  # fmt: skip


def labeller_for(name: str, head: bytes) -> tuple[Labeller | None, bool]:
    """The labeller, and whether it can label a block of lines by itself; None where a place has no name but its line."""
    base = name.rpartition("/")[2]
    match = _CHOICES.fullmatch(base)
    if match is not None and match.lastindex is not None:
        _, chosen, by_line = _NAMES[match.lastindex - 1]
        if chosen == "documents:json_labels" and _HEADS[1][0].match(head):
            return _load("documents:line_labels"), True
        return _load(chosen), by_line
    for pattern, chosen, by_line in _HEADS:
        if pattern.match(head):
            return _load(chosen), by_line
    return None, False


def _load(chosen: str) -> Labeller:
    module, _, function = chosen.partition(":")
    return cast(Labeller, getattr(import_module(f"keyward.formats.labelling.{module}"), function))
