"""What the path of the file says."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from keyward.model.finding import Signal

if TYPE_CHECKING:
    from keyward.match.judge import Context

_CONFIG = re.compile(
    r"(?:^|/)(?:\.env(?:\.[\w-]+)?|[\w.-]*\.env|\.?(?:npmrc|pypirc|netrc|pgpass|s3cfg|boto|dockercfg|envrc)|credentials|[\w.-]*(?:compose|values|secrets?|credentials?|settings|config)[\w.-]*\.(?:ya?ml|json|toml|ini|properties|tfvars))$|\.(?:ini|cfg|conf|cnf|properties|ya?ml|toml|tfvars|tfstate|config|plist|env)$|_history$"
)
_CODE = re.compile(
    r"\.(?:py|pyi|pyx|js|jsx|ts|tsx|mjs|cjs|go|rs|java|kt|kts|scala|c|h|cc|cpp|hpp|cs|rb|php|swift|m|pl|pm|lua|ex|exs|erl|dart|vue|svelte|r|jl|hs|clj|vb|pas|sol|gradle|groovy|pyc)$"
)
_PROSE = re.compile(
    r"\.(?:md|rst|adoc|html?|tex|org|mdx)$|(?:^|/)(?:docs?|documentation|man|info)/|(?:^|/)(?:readme|changelog|changes|copying|history|licen[cs]e|metadata|news|notice|todo)[\w.-]*$"
)
_NOTES = re.compile(
    r"^(?!(?:.*/)?(?:docs?|documentation)/).*(?:(?<![^/])(?:memory|memories|notes?|journal|diary|daily|scratch(?:pad)?|inbox|runbooks?|tickets?|incidents?|postmortems?|meetings?|minutes|reviews?|support|helpdesk|letters|mail|\.(?:claude|openclaw|codex|gemini|cursor|hermes|aider|goose))/(?:[^/]+/){0,4}[^/]+\.(?:md|mdx|org|html?)$|"
    r"(?<![^/])(?:memory|claude|agents?|gemini|soul|tools|heartbeat|notes?|scratch(?:pad)?|credentials?|creds|passwords?|secrets?|servers?|hosts?|access|accounts?|logins?|keys|tokens|runbook|\d{4}-\d{2}-\d{2})(?:[._-][\w.-]*)?\.(?:md|mdx|org)$)"
)
"""What people and agents write down for themselves, in the same formats as documentation."""

_WRITTEN = re.compile(r"\.(?:md|mdx|mdc|txt|rst|adoc|org|eml|mbox|msg|html?|jsonl|ndjson|rtf|ics|vcf)$|(?:memor(?:y|ies)|slack|teams|telegram|whatsapp|discord|chat|transcript|conversation|session|message|export)[^/]*(?:/[^/]*){0,3}\.(?:json|csv|log)$|(?:^|/)[^/.]*$")

_TRANSLATION = re.compile(
    r"(?:^|/)(?:i18n|l10n|_?locales?|translations?|lang|languages?|(?:[\w-]+\.)?localedata|cldr)/|\.(?:po|pot|mo|resx|strings|arb|xlf|xliff)$|messages[\w.-]*\.properties$|messages[._-][a-z]{2}(?:[_-]\w{2,4})?\.json$"
)
_LOCK = re.compile(
    r"(?:^|/)(?:[\w.-]*lock(?:\.json|\.ya?ml|file)?|[\w.-]*\.lock|package-lock\.json|go\.sum|record|pnpm-lock\.yaml|[\w.-]*\.sum|\.secrets\.baseline|checksums[\w.]*)$"
)
_MINIFIED = re.compile(
    r"\.min\.(?:js|css)$|\.(?:map|bundle\.js|chunk\.js|css|svg|ipynb_checkpoints)$|(?:^|/)(?:dist|vendor|node_modules|bower_components)/"
)
_BINARY = re.compile(r"\.(?:pyc|pyo|so|dll|exe|o|a|class|jar|whl|dylib|pyd|bin|db|parquet|pickle|pkl|wasm)$")
_SCHEMA = re.compile(
    r"(?:service-\d|paginators-\d|waiters-\d|examples-\d|endpoint-rule|swagger|openapi|schema)[\w.-]*\.(?:json|ya?ml)(?:\.gz)?$"
)
_FILES = (
    (_LOCK, -90, "a lock file or a list of checksums"),
    (_BINARY, -40, "a compiled or binary file"),
    (_TRANSLATION, -40, "a translation"),
    (_MINIFIED, -25, "a minified or vendored file"),
    (_SCHEMA, -30, "a description of an interface"),
    (_NOTES, 0, "notes"),
    (_PROSE, -10, "documentation"),
    (_CONFIG, 10, "a file for settings"),
)
_OF_THE_NAME = frozenset((_LOCK, _CONFIG))
"""What only the last part of a path decides: to go over that takes a fifth of the time."""

_ONLY_WITH = {
    _NOTES: (".md", ".mdx", ".org", ".html", ".htm"),
    _WRITTEN: (".md", ".mdx", ".mdc", ".txt", ".rst", ".adoc", ".org", ".eml", ".mbox", ".msg", ".html", ".htm", ".jsonl", ".ndjson", ".rtf", ".ics", ".vcf", ".json", ".csv", ".log"),
}  # fmt: skip
"""The endings without which an expression need not be asked; all of what it can match has one of them."""

_EXAMPLES = re.compile(r"(?:^|/)(?:examples?|samples?|demos?|tutorials?|snippets|quickstarts?)/")


@lru_cache(maxsize=64)
def is_code(path: str) -> bool:
    """Whether a path is that of a program's source, where a value has quotes."""
    return _CODE.search(path) is not None


@lru_cache(maxsize=64)
def is_written(path: str) -> bool:
    """Whether a path is that of a text in which people, or agents and people, write to each other: notes, mails, chats, tickets, transcripts."""
    path = path.lower()
    return ("." not in path[path.rfind("/") + 1 :] or path.endswith(_ONLY_WITH[_WRITTEN])) and _WRITTEN.search(path) is not None


def kind_of_file(context: Context) -> Signal | None:
    """Lock files, translations, documentation, settings."""
    return _file_signal(context.path)


def example_file(context: Context) -> Signal | None:
    """Documentation in a folder of examples shows made-up values; programs there work, some with real ones."""
    return _example_signal(context.path)


def path_facts(path: str) -> tuple[object, ...]:
    """All that these signals make of a path."""
    return is_code(path), is_written(path), _file_signal(path), _example_signal(path)


@lru_cache(maxsize=64)
def _file_signal(path: str) -> Signal | None:
    name = path[path.rfind("/") + 1 :]
    for expression, weight, what in _FILES:
        if expression is _NOTES and not name.endswith(_ONLY_WITH[_NOTES]):
            continue
        if expression.search(name if expression in _OF_THE_NAME else path):
            return Signal("file", weight, what) if weight else None
    return None


@lru_cache(maxsize=64)
def _example_signal(path: str) -> Signal | None:
    if not _EXAMPLES.search(path):
        return None
    return Signal("examples", -12 if _PROSE.search(path) else -5, "a folder of examples")
