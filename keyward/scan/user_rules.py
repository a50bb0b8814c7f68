"""Rules that a user writes in TOML: patterns only, without code.

    [[rules]]
    id = "acme-token"                      # becomes the kind `user/acme-token`
    title = "Acme API token"
    pattern = '''\\bacme_[a-z0-9]{32}\\b'''  # RE2; named groups are the parts, else the whole match is the secret
    severity = "high"
    examples = ["acme_…"]                  # texts in which it must be found
    near_misses = ["acme-…"]               # texts in which it must not

They run in RE2, where no text can make a pattern slow; that RE2 can run it, and that compiling it stays cheap, is checked when
the file is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from keyward.errors import RuleError
from keyward.formats.toml_file import TomlFile
from keyward.model.kind import SEVERITIES, CredentialKind, Kind
from keyward.model.rule import DEFAULT_WINDOW, MAX_WINDOW, PROVIDER, STRUCTURAL, Rule, Sample

if TYPE_CHECKING:
    from keyward.testing.detector_contract import Problem

MOST_RULES = 200
LONGEST_PATTERN = 2_000
LARGEST_PATTERN = 5_000
"""Bytes that a pattern stands for once its bounded repeats are written out: what compiling costs."""
LARGEST_TOTAL = 100_000
LARGEST_REPEAT = 1_000
"""RE2's own limit."""

_KEYS = (
    "id", "kind", "title", "description", "pattern", "severity", "examples", "near_misses", "ignore_case", "score", "window",
)  # fmt: skip
_ID = re.compile(r"(?:[a-z0-9][a-z0-9_.-]{0,59}/)?[a-z0-9][a-z0-9_.-]{0,79}")


class Literal(NamedTuple):
    """A sample that stands in the file as it is: the same for every seed."""

    text: bytes

    def sample(self, seed: int) -> Sample:
        return Sample(self.text, {})


class UserRule(NamedTuple):
    """A rule, and the kind that it finds."""

    rule: Rule
    kind: CredentialKind


def read_rules(file: TomlFile, *, project: bool) -> tuple[UserRule, ...]:
    """The `[[rules]]` of a file. A project's own rules rank below the built-in ones, so that none can take their place.

    Raises ConfigError or RuleError, with the line, for anything that is wrong.
    """
    tables = file.tables("rules")
    if len(tables) > MOST_RULES:
        tables[MOST_RULES].wrong(f"more than {MOST_RULES} rules", "Join some with `|`, or leave some out.")
    rules: list[UserRule] = []
    total = 0
    taken: dict[str, int] = {}
    built_in = _built_in_packs() if tables else frozenset()
    for table in tables:
        rule, size = _read(table, built_in, project)
        if rule.rule.id in taken:
            table.wrong(
                f"the id `{rule.rule.id}` is taken by the rule in line {taken[rule.rule.id]}", "Give it another id.", "id"
            )
        taken[rule.rule.id] = table.line("id")
        total += size
        if total > LARGEST_TOTAL:
            table.wrong("all patterns together are too large to compile", "Make the bounded repeats shorter.", "pattern")
        rules.append(rule)
    return tuple(rules)


def _read(table: TomlFile, built_in: frozenset[str], project: bool) -> tuple[UserRule, int]:
    table.only(_KEYS, "a rule")
    name = table.text("id", required='Give the rule a name: id = "acme-token"')
    if not _ID.fullmatch(name):
        hint = "Use lower-case letters, digits, `-`, `_` and `.`, with at most one `/`."
        table.wrong("the id is not of the form name or provider/name", hint, "id")
    identity = name if "/" in name else f"user/{name}"
    if identity.partition("/")[0] in built_in:
        hint = f"Call it user/{identity.partition('/')[2]}, or disable the built-in rule in your own configuration."
        table.wrong(f"ids that begin with `{identity.partition('/')[0]}/` belong to a built-in pack", hint, "id")
    kind = table.text("kind", identity)
    if kind != identity and (not _ID.fullmatch(kind) or "/" not in kind or kind.partition("/")[0] in built_in):
        table.wrong("the kind is not of the form provider/name, or is a built-in one", "Leave `kind` out.", "kind")
    severity = table.text("severity", "high")
    if severity not in SEVERITIES:
        table.wrong("an unknown severity", f"One of: {', '.join(SEVERITIES)}.", "severity")
    pattern = table.text("pattern", required="Write it between three single quotation marks: pattern = '''…'''").encode()
    ignore_case = table.flag("ignore_case")
    size = check_pattern(table, pattern, ignore_case)
    examples = table.texts("examples", required='Add a text that the rule must find: examples = ["…"]')
    near_misses = table.texts(
        "near_misses", required='Add a text that looks alike and that the rule must not find: near_misses = ["…"]'
    )
    try:
        rule = Rule(
            identity,
            Kind(kind),
            pattern,
            examples=[Literal(text.encode()) for text in examples],
            near_misses=[Literal(text.encode()) for text in near_misses],
            ignore_case=ignore_case,
            score=table.number_between("score", 1, 100, 75),
            window=table.number_between("window", 1, MAX_WINDOW, DEFAULT_WINDOW),
            specificity=STRUCTURAL if project else PROVIDER,
            trusted=False,
        )
    except RuleError as error:
        raise RuleError(str(error), path=table.path, line=table.line("id"), hint=error.hint) from None
    title = table.text("title") or table.text("description") or identity
    return UserRule(rule, CredentialKind(Kind(kind), " ".join(title.split())[:200], severity)), size


def _built_in_packs() -> frozenset[str]:
    from keyward.registry import pack_files

    return frozenset(name for name, _ in pack_files()) | {"plugin"}


def check_pattern(table: TomlFile, pattern: bytes, ignore_case: bool) -> int:
    """What the pattern costs to compile. Raises ConfigError for one that is no regular expression, that RE2 cannot run, or
    that is too large; nothing is compiled."""
    from re import _parser  # type: ignore[attr-defined]  # private, and stable since 3.11

    if len(pattern) > LONGEST_PATTERN:
        table.wrong(f"the pattern has more than {LONGEST_PATTERN} bytes", "Split the rule in two.", "pattern")
    try:
        tree = _parser.parse(pattern, re.IGNORECASE if ignore_case else 0)
    except (re.error, RecursionError, OverflowError) as error:
        place = f" (at character {error.pos + 1})" if isinstance(error, re.error) and error.pos is not None else ""
        reason = error.msg if isinstance(error, re.error) else "too complicated"
        table.wrong(f"the pattern is not a regular expression: {reason}{place}", "Check brackets and escapes.", "pattern")
    _check_flags(table, tree.state.flags)
    low, _ = tree.getwidth()
    if low < 3:
        table.wrong("the pattern can match fewer than 3 bytes", "Begin it with a fixed prefix, or with a name.", "pattern")
    size = _size(table, list(tree))
    if size > LARGEST_PATTERN:
        hint = "Make the bounded repeats shorter, or replace {20,5000} by {20,}."
        table.wrong(f"the pattern stands for more than {LARGEST_PATTERN} bytes", hint, "pattern")
    return size


def _check_flags(table: TomlFile, flags: int) -> None:
    if flags & re.VERBOSE:
        table.wrong("the pattern uses (?x), which RE2 does not know", "Write it without spaces and comments.", "pattern")
    if flags & ~(re.IGNORECASE | re.MULTILINE | re.DOTALL):
        table.wrong("the pattern uses a flag that RE2 does not know", "Only (?i), (?m) and (?s) are.", "pattern")


def _size(table: TomlFile, nodes: Sequence[tuple[Any, Any]]) -> int:
    from re import _constants as sre  # type: ignore[attr-defined]  # private, and stable since 3.11

    unknown_to_re2 = {
        sre.ASSERT: "a lookahead or lookbehind",
        sre.ASSERT_NOT: "a lookahead or lookbehind",
        sre.GROUPREF: "a backreference",
        sre.GROUPREF_EXISTS: "a conditional group",
        sre.ATOMIC_GROUP: "an atomic group",
        sre.POSSESSIVE_REPEAT: "a possessive repeat",
    }
    total = 0
    for op, arg in nodes:
        if op in unknown_to_re2 or (op is sre.AT and arg is sre.AT_END_STRING):
            what = unknown_to_re2.get(op, r"\Z")
            hint = r"Use \b for a boundary, or a named group (?P<secret>…) around the value and the context outside it."
            table.wrong(f"the pattern uses {what}, which RE2 does not know", hint, "pattern")
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            low, high, body = arg
            times = low + 1 if high is sre.MAXREPEAT else high
            if times > LARGEST_REPEAT + (high is sre.MAXREPEAT):
                hint = f"Repeat at most {LARGEST_REPEAT} times, or without an upper limit."
                table.wrong(f"the pattern repeats something more than {LARGEST_REPEAT} times", hint, "pattern")
            total += max(1, int(times)) * _size(table, list(body))
        elif op is sre.SUBPATTERN:
            _check_flags(table, arg[1])
            total += _size(table, list(arg[3]))
        elif op is sre.BRANCH:
            total += sum(_size(table, list(branch)) for branch in arg[1])
        else:
            total += 1
        if total > LARGEST_PATTERN:
            break
    return total


def validate_user_rules(rules: Sequence[UserRule | Rule]) -> list[Problem]:
    """What is wrong with rules, by running their examples and near misses through both engines, as for a built-in pack."""
    from keyward.registry import USER, Pack
    from keyward.testing.detector_contract import check_pack

    plain = tuple(each.rule if isinstance(each, UserRule) else each for each in rules)
    kinds = {each.kind.name: each.kind for each in rules if isinstance(each, UserRule)}
    for rule in plain:
        kinds.setdefault(rule.kind, CredentialKind(rule.kind, str(rule.kind)))
    return list(check_pack(Pack("user", USER, tuple(kinds.values()), plain, ""))) if plain else []
