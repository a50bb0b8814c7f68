"""Reads a rule file of gitleaks (`.gitleaks.toml`, format of 8.30) into rules and allowlists of keyward's.

Facts, from gitleaks' own source (config/config.go, config/allowlist.go, detect/detect.go at 8.30) and held against its binary in a test:
keys are written in any case; the secret is the group `secretGroup`, else the first that is not empty, else the whole match;
`entropy` is Shannon's over the secret, and must be exceeded; one of `keywords` must stand in the same text, in any case; `path` is
looked for in the path; allowlists let pass what fits one of their tests (`condition = "AND"`: all), `regexes` being looked for in the secret
(`regexTarget`: in the match or its lines), `stopwords` in the secret in any case; `[extend]` adds the rules of another file, of which
those with the same id are merged, two files deep.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from keyward.errors import ConfigError
from keyward.model.kind import SEVERITIES
from keyward.model.rule import DEFAULT_WINDOW
from keyward.scan.interop.gitleaks_file import Source, as_list, positive, read, tables_of, texts, whole_number
from keyward.scan.interop.go_regex import Untranslatable, quiet_options, translate
from keyward.scan.interop.translated import (
    LINE,
    MATCH,
    SCORE,
    SECRET,
    Allowlist,
    ForeignRule,
    ForeignRules,
    Requirement,
    Test,
    Untranslated,
)

LONGEST_PATTERN = 10_000
"""Characters of one pattern."""
LONGEST_MATCH = 10_000
"""Bytes that a match without an upper bound is looked for over (a private key has 3,000)."""

_RULE = (
    "id", "description", "regex", "secretgroup", "entropy", "keywords", "path", "tags", "allowlist", "allowlists", "required",
    "skipreport", "filter", "components", "tokenefficiency", "valuegroup", "confidence", "severity",
)  # fmt: skip
_SCORES = {"high": SCORE, "medium": 60, "low": 50}
"""What betterleaks' `confidence` comes to; the regular persona is shown all three."""
_LIST = ("description", "condition", "commits", "paths", "regextarget", "regexes", "stopwords", "targetrules")

EQUIVALENTS: Mapping[str, tuple[str, ...]] = {
    "generic-api-key": ("generic",), "jwt": ("jwt",), "private-key": ("private_key",), "github-pat": ("github/pat-classic",),
    "github-fine-grained-pat": ("github/pat-fine-grained",), "github-oauth": ("github/oauth-token",),
    "github-refresh-token": ("github/app-refresh-token",), "aws-access-token": ("aws/access-key-id",),
    "slack-bot-token": ("slack/bot-token",), "slack-user-token": ("slack/user-token",),
}  # fmt: skip
"""What gitleaks' own rules, those most often changed or switched off, are called in keyward: packs and rules."""


_GROUP = re.compile(r"\(\?P<(g\d+)>")
"""A group as `translate` was asked to name it; it writes no other bracket so."""


def load(path: str) -> ForeignRules:
    """What a file says. Raises ConfigError for one that is not there, is no TOML or is not of this format; what it merely cannot translate
    is listed in the answer."""
    notes: list[Untranslated] = []
    source = read(path, notes, 0)
    return _Translator(path, source, notes).run()


class _Translator:
    """Turns the merged tables of a file into rules; keeps account of what has no translation."""

    def __init__(self, path: str, source: Source, notes: list[Untranslated]) -> None:
        self._path, self._source, self._notes = path, source, notes
        self._commits: dict[str, str] = {}

    def run(self) -> ForeignRules:
        """Everything that can be translated."""
        targeted: dict[str, list[Allowlist]] = {}
        allowlists: list[Allowlist] = []
        for number, table in enumerate(self._source.allowlists, 1):
            made = self._allowlist(table, f"global allowlist {number}", "", everywhere=not table.get("targetrules"))
            if made is None:
                continue
            for target in texts(table, "targetrules"):
                targeted.setdefault(target, []).append(made)
            if not table.get("targetrules"):
                allowlists.append(made)
        for field, text in self._source.filters:
            allowlists.extend(self._filtered("", field, text)[0])
        rules: list[ForeignRule] = []
        own: list[tuple[str, Allowlist]] = []
        for name, table in self._source.rules.items():
            rule = self._rule(name, table, targeted.pop(name, []))
            if rule is not None:
                rules.append(rule)
            elif "regex" not in table and "path" not in table:
                own.extend(self._of_own_rule(name, table))
        for name, made_for in targeted.items():
            own.extend((prefix, each) for prefix in self._own_prefixes(name, "targetRules") for each in made_for)
        if not self._source.extends_default:
            self._note(
                "", "extend.useDefault", "it is not set, and keyward's own rules run all the same; `disabled` switches them off"
            )
        kept = self._without_twins(rules)
        return ForeignRules(
            path=self._path,
            files=tuple(self._source.files),
            rules=tuple(self._with_known_requirements(kept)),
            allowlists=tuple(allowlists),
            own=tuple(own),
            commits=dict(self._commits),
            disabled=tuple(self._disabled()),
            untranslated=tuple(dict.fromkeys(self._notes)),
        )

    def _note(self, rule: str, field: str, reason: str) -> None:
        self._notes.append(Untranslated(rule, field, reason))

    def _rule(self, name: str, table: dict[str, Any], further: list[Allowlist]) -> ForeignRule | None:
        for key in table:
            if key in ("validate", "analyze", "revoke"):
                self._note(name, key, "keyward asks providers by its own detectors only")
            elif key == "specificity":
                self._note(name, key, "keyward decides by itself which of two rules for one value is reported")
            elif key not in _RULE:
                self._note(name, key, "keyward does not know this key")
        if table.get("tags"):
            self._note(name, "tags", "keyward's reports have none")
        if table.get("tokenefficiency"):
            self._note(name, "tokenEfficiency", "the tokenizer that it needs is not part of keyward")
        regex = table.get("regex")
        if not isinstance(regex, str) or not regex:
            if table.get("path"):
                self._note(name, "path", "a rule without a regex names files, not values; exclude or list such files otherwise")
            return None
        try:
            pattern, whole, groups, window = self._pattern(
                name, regex, positive(table.get("secretgroup") or table.get("valuegroup"))
            )
            path = _plain(str(table.get("path") or ""))
        except Untranslatable as error:
            self._note(name, "regex", str(error))
            return None
        lists = [*self._rule_allowlists(name, table), *further]
        threshold = float(positive(table.get("entropy")))
        if isinstance(table.get("filter"), str):
            more, floor = self._filtered(name, "filter", table["filter"])
            lists.extend(more)
            threshold = max(threshold, floor)
        title = " ".join(str(table.get("description") or name).split())[:200]
        keywords = tuple(dict.fromkeys(word.lower() for word in texts(table, "keywords") if word))
        required = tuple(self._requirements(name, table))
        severity = str(table.get("severity") or "high").lower()
        return ForeignRule(
            name,
            title,
            pattern,
            whole,
            groups,
            threshold,
            keywords,
            path,
            required,
            silent=table.get("skipreport") is True,
            window=window,
            allowlists=tuple(lists),
            severity=severity if severity in SEVERITIES else "high",
            score=_SCORES.get(str(table.get("confidence") or "high").lower(), SCORE),
        )

    def _pattern(self, name: str, regex: str, group: int | float) -> tuple[str, str, tuple[str, ...], int]:
        """The pattern without and with a beginning that may be missing, the names of the groups, and the bytes that a match may have."""
        from keyward.scan.interop.shape import described_shape, without_loose_beginning

        if len(regex) > LONGEST_PATTERN:
            raise Untranslatable(f"the pattern has more than {LONGEST_PATTERN} characters")
        made = translate(regex, lambda number: f"g{number}")
        if group > made.groups:
            raise Untranslatable(f"secretGroup is {group}, and the pattern has {made.groups} groups")
        shape = described_shape(made.pattern)
        if shape.refused:
            raise Untranslatable(shape.refused)
        wanted = [] if not made.groups else [int(group)] if group else shape.candidates
        names = {f"g{number}": _group_name(place) for place, number in enumerate(wanted)}
        whole = _GROUP.sub(lambda found: f"(?P<{names[found[1]]}>" if found[1] in names else "(?:", made.pattern)
        if not wanted:  # the match is the secret; a flag for all of a pattern stays at its beginning
            head = "(?m)" if whole.startswith("(?m)") else ""
            whole = f"{head}(?P<{SECRET}>{whole.removeprefix(head)})"
        window = min(max(DEFAULT_WINDOW, shape.most), LONGEST_MATCH)
        return without_loose_beginning(whole), whole, tuple(map(_group_name, range(max(1, len(wanted))))), window

    def _rule_allowlists(self, name: str, table: dict[str, Any]) -> Iterator[Allowlist]:
        for number, each in enumerate(tables_of(table, "allowlist", "allowlists", name, self._notes), 1):
            made = self._allowlist(each, f"allowlist {number} of rule {name}", name, everywhere=False)
            if made is not None:
                yield made

    def _allowlist(self, table: dict[str, Any], title: str, rule: str, *, everywhere: bool) -> Allowlist | None:
        """One allowlist. A test that has no translation makes one of AND worthless, and is left out of one of OR: either way fewer
        findings pass than in gitleaks, not more."""
        for key in table:
            if key not in _LIST:
                self._note(rule, f"allowlist.{key}", "keyward does not know this key")
        condition = str(table.get("condition") or "OR").upper()
        if condition not in ("OR", "||", "AND", "&&"):
            raise ConfigError(f"{title}: the condition is neither AND nor OR", path=self._path)
        every = condition in ("AND", "&&")
        target = str(table.get("regextarget") or SECRET)
        if target not in (SECRET, MATCH, LINE):
            raise ConfigError(f"{title}: regexTarget is none of secret, match and line", path=self._path)
        described = " ".join(str(table.get("description") or "").split())[:100]
        shown = f"{title} ({described})" if described else title
        whole = True
        tests: list[Test] = []
        for key, where in (("regexes", target), ("paths", "")):
            patterns, complete = self._patterns(texts(table, key), rule, f"allowlist.{key}")
            whole = whole and complete
            if patterns:
                tests.append(Test(key, where, patterns))
        words = tuple(word.lower() for word in texts(table, "stopwords") if word)
        if words:
            tests.append(Test("stopwords", SECRET, words))
        commits = texts(table, "commits")
        if commits and everywhere and not every:
            self._commits.update((commit.strip().lower(), shown) for commit in commits)
        elif commits:
            whole = False
            self._note(
                rule, "allowlist.commits", "only those of a global allowlist without AND and targetRules hold (with --history)"
            )
        if every and not whole:
            self._note(rule, "allowlist", f"{title} is not used: one of the conditions that must all hold has no translation")
            return None
        return Allowlist(shown, tuple(tests), every) if tests else None

    def _patterns(self, patterns: Iterable[str], rule: str, field: str) -> tuple[tuple[str, ...], bool]:
        """Those that can be translated, and whether all could."""
        made: list[str] = []
        complete = True
        for pattern in patterns:
            try:
                made.append(_plain(pattern))
            except Untranslatable as error:
                self._note(rule, field, str(error))
                complete = False
        return tuple(made), complete

    def _filtered(self, rule: str, field: str, text: str) -> tuple[list[Allowlist], float]:
        """What an expression of betterleaks comes to: allowlists, and the entropy that must be exceeded."""
        from keyward.scan.interop.betterleaks import allowlists_of

        made = allowlists_of(text, f"{field} of rule {rule}" if rule else f"global {field}")
        for reason in made.untranslated:
            self._note(rule, field, reason)
        lists = []
        for each in made.allowlists:
            tests = []
            for test in each.tests:
                patterns, complete = (
                    self._patterns(test.values, rule, field) if test.what in ("regexes", "paths") else (test.values, True)
                )
                if patterns or test.what == "entropy":
                    tests.append(test._replace(values=patterns))
                if not complete and (each.every or test.negated):
                    tests = []
                    break
            if tests:
                lists.append(each._replace(tests=tuple(tests)))
        return lists, made.entropy

    def _requirements(self, name: str, table: dict[str, Any]) -> Iterator[Requirement]:
        for each in (*as_list(table.get("required")), *as_list(table.get("components"))):
            if not isinstance(each, dict) or not isinstance(each.get("id"), str):
                raise ConfigError(f"rule {name}: a required rule has no id", path=self._path)
            if each.get("optional") is True or each.get("required") is False:
                continue
            lines, columns = each.get("withinlines"), each.get("withincolumns")
            within = re.fullmatch(r"(?:(\d{1,6})L)?,?(?:(\d{1,6})C)?", str(each.get("within") or "").replace(" ", ""))
            if within is None:
                self._note(name, "components.within", "the distance is not of the form 5L,100C; any distance counts")
            elif each.get("within"):
                lines = int(within[1]) if within[1] else None
                columns = int(within[2]) if within[2] else None
            yield Requirement(each["id"], whole_number(lines), whole_number(columns))

    def _with_known_requirements(self, rules: list[ForeignRule]) -> Iterator[ForeignRule]:
        known = {rule.source for rule in rules}
        for rule in rules:
            missing = [each.rule for each in rule.required if each.rule not in known]
            if missing:
                self._note(rule.source, "required", f"the rule is not used: it needs {missing[0]}, which is not translated")
            elif not (rule.silent and not any(rule.source == each.rule for other in rules for each in other.required)):
                yield rule

    def _without_twins(self, rules: list[ForeignRule]) -> list[ForeignRule]:
        kept: dict[str, ForeignRule] = {}
        for rule in rules:
            if rule.id in kept:
                self._note(rule.source, "id", f"the same as {kept[rule.id].source} in lower case; give it another")
            else:
                kept[rule.id] = rule
        return list(kept.values())

    def _of_own_rule(self, name: str, table: dict[str, Any]) -> Iterator[tuple[str, Allowlist]]:
        """What a file says of one of gitleaks' own rules, which keyward does not have: its allowlists hold for the rule that does the same."""
        changed = sorted(table.keys() - {"id", "description", "allowlist", "allowlists", "tags"})
        for field in changed:
            self._note(
                name, field, "it changes a rule of gitleaks' own; keyward has rules of its own, which it does not change"
            )
        lists = list(self._rule_allowlists(name, table))
        if lists:
            for prefix in self._own_prefixes(name, "allowlists"):
                yield from ((prefix, each) for each in lists)

    def _own_prefixes(self, name: str, field: str) -> tuple[str, ...]:
        """The beginnings of the ids of keyward's rules that stand for one of gitleaks' own."""
        known = EQUIVALENTS.get(name)
        if known is None:
            self._note(name, field, "keyward has no rule of this name; use the fingerprint, a baseline or an inline comment")
            return ()
        return tuple(each if "/" in each else each.replace("_", "-") + "/" for each in known)

    def _disabled(self) -> Iterator[str]:
        """keyward's own packs and rules that a file switches off."""
        from keyward.registry import pack_files

        packs = {pack for pack, _ in pack_files()}
        for name in self._source.disabled:
            if not self._source.extends_default:
                self._note(name, "extend.disabledRules", "no extended file has a rule of this name")
            elif name in EQUIVALENTS:
                yield from EQUIVALENTS[name]
            elif name in packs or "/" in name:
                yield name
            else:
                reason = "keyward has no rule of this name; see `keyward rules list`, and put it into `disabled`"
                self._note(name, "extend.disabledRules", reason)


def _group_name(place: int) -> str:
    return SECRET if not place else f"{SECRET}_{place + 1}"


def _plain(pattern: str) -> str:
    """A pattern of which only whether it occurs counts. Raises Untranslatable, also for one that RE2 refuses."""
    import re2

    if len(pattern) > LONGEST_PATTERN:
        raise Untranslatable(f"the pattern has more than {LONGEST_PATTERN} characters")
    made = translate(pattern).pattern
    try:
        re2.compile(made.encode("ascii"), options=quiet_options())
    except re2.error:
        raise Untranslatable("RE2 does not accept the pattern") from None
    return made
