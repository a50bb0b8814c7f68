"""Another scanner's rule file in keyward's terms: plain values that a worker process can be handed, and the rules made of them.

Terms are gitleaks' own: a rule finds a *match*, of which one group is the *secret*; an *allowlist* is a set of tests of which one (or
all) let a finding pass. What has no translation is listed by rule, field and reason, never passed over.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from keyward.match.judge import NEVER
from keyward.model.finding import Signal
from keyward.model.kind import CredentialKind, Kind, Parts
from keyward.model.rule import DEFAULT_WINDOW, STRUCTURAL, Check, Rule, Sample
from keyward.scan.user_rules import UserRule

PREFIX = "gitleaks/"
"""What the ids of translated rules and the names of their kinds begin with."""

SCORE = 70
"""Below keyward's own rules with a distinctive prefix (75), so that of two that find the same the own one, which may know how to replace the
credential, is reported."""

SECRET, MATCH, LINE = "secret", "match", "line"


FINDS_THE_SAME = ("tags", "validate", "analyze", "revoke", "specificity")
"""Fields whose loss changes nothing of what is found; a scan need not mention it."""


class Untranslated(NamedTuple):
    """Something in a rule file that keyward does not do. `rule`: the id in that file, empty for the file as a whole."""

    rule: str
    field: str
    reason: str


def described(untranslated: Sequence[Untranslated]) -> Iterator[str]:
    """One line for each field and reason, with the rules that it concerns, in the order of the file."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for each in untranslated:
        grouped.setdefault((each.field, each.reason), []).append(each.rule)
    for (field, reason), rules in grouped.items():
        named = [rule for rule in rules if rule]
        more = f" and {len(named) - 3} more" if len(named) > 4 else ""
        shown = named if len(named) <= 4 else named[:3]
        place = f"rule {', '.join(shown)}{more}: " if shown else ""
        yield f"{place}{field}: {reason}"


class Test(NamedTuple):
    """One test of an allowlist. `what`: `regexes` (patterns for RE2, looked for in `target`), `stopwords` (parts of `target`, lower case),
    `paths` (patterns), `entropy` (bits per character that the secret has at most). `negated`: it must not fit."""

    what: str
    target: str = SECRET
    values: tuple[str, ...] = ()
    most: float = 0.0
    negated: bool = False


class Allowlist(NamedTuple):
    """`every`: whether all tests must hold, else one is enough. `name`: what the report calls it."""

    name: str
    tests: tuple[Test, ...]
    every: bool = False


class Requirement(NamedTuple):
    """Another rule (its id in the file) that must match nearby. None: anywhere in what is looked at in one go."""

    rule: str
    lines: int | None = None
    columns: int | None = None


class ForeignRule(NamedTuple):
    """`source`: the id in the file. `pattern`: what is looked for, `whole`: the same with what may stand before, both for RE2; the groups
    `secret`, `secret_2`, … are the candidates for the secret, the first that took part is it. `entropy`: the secret must have more bits per
    character. `keywords`: lower case, one of them must stand nearby. `path`: pattern, empty for every file. `silent`: it serves others only.
    `window`: bytes. `score`: confidence of a bare match."""

    source: str
    title: str
    pattern: str
    whole: str
    groups: tuple[str, ...] = (SECRET,)
    entropy: float = 0.0
    keywords: tuple[str, ...] = ()
    path: str = ""
    required: tuple[Requirement, ...] = ()
    silent: bool = False
    window: int = DEFAULT_WINDOW
    allowlists: tuple[Allowlist, ...] = ()
    severity: str = "high"
    score: int = SCORE

    @property
    def id(self) -> str:
        """The id in keyward."""
        return rule_id(self.source)


class ForeignRules(NamedTuple):
    """All that a file says. `files`: that were read. `allowlists`: for every finding. `own`: for findings of keyward's own rules whose id
    begins so. `commits`: whose findings may pass, with the allowlist's name. `disabled`: keyward's own packs and rules that it switches off."""

    path: str
    files: tuple[str, ...] = ()
    rules: tuple[ForeignRule, ...] = ()
    allowlists: tuple[Allowlist, ...] = ()
    own: tuple[tuple[str, Allowlist], ...] = ()
    commits: Mapping[str, str] = {}
    disabled: tuple[str, ...] = ()
    untranslated: tuple[Untranslated, ...] = ()


def rule_id(source: str) -> str:
    """The id in keyward of a rule that is called so in its file."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "_.-") else "-" for c in source.lower())
    return PREFIX + (kept.strip("-.") or "rule")


def user_rules(foreign: ForeignRules) -> tuple[UserRule, ...]:
    """The rules, as those that a user writes in TOML: matched by RE2, and outranked by keyward's own rules for a provider."""
    return tuple(_user_rule(each) for each in foreign.rules)


def _user_rule(each: ForeignRule) -> UserRule:
    kind = CredentialKind(Kind(each.id), each.title, each.severity, identity=each.groups)
    rule = Rule(
        each.id,
        kind.name,
        each.pattern.encode("ascii"),
        examples=[NoText()],
        near_misses=[NoText()],
        score=each.score,
        specificity=STRUCTURAL,
        check=more_entropy(each.entropy, each.groups) if each.entropy > 0 else None,
        window=each.window,
        trusted=False,
    )
    return UserRule(rule, kind)


class NoText(NamedTuple):
    """A rule must have samples, and a file of another tool has none: the empty text. `keyward rules check` makes texts of its own."""

    def sample(self, seed: int) -> Sample:
        return Sample(b"", {})


def more_entropy(threshold: float, groups: tuple[str, ...]) -> Check:
    """Drops a secret that has no more bits per character than a threshold."""

    def check(parts: Parts) -> Signal | None:
        value = next((parts[name] for name in groups if name in parts), b"")
        if entropy(value) <= threshold:
            return Signal("entropy", NEVER, f"{threshold:g} bits per character or fewer")
        return None

    return check


def entropy(value: bytes) -> float:
    """Shannon's entropy in bits per byte of a value, counted over its characters, as gitleaks counts: 0 for an empty one."""
    if not value:
        return 0.0
    counts = Counter(value.decode("utf-8", "replace"))
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in counts.values())


def all_tests(allowlists: Iterable[Allowlist]) -> Iterator[Test]:
    """Every test of some allowlists."""
    for each in allowlists:
        yield from each.tests
