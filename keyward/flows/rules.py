"""`keyward rules`: listing, showing, checking and exporting what keyward looks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from keyward.errors import UsageError
from keyward.model.kind import CredentialKind
from keyward.model.rule import Rule
from keyward.registry import Pack, Registry, Unavailable, pack_files
from keyward.scan.recipe import RuleFile, registry_of
from keyward.scan.user_rules import UserRule
from keyward.testing.detector_contract import Problem, check_pack

LEVELS = ("generic", "structural", "provider")


class Checked(NamedTuple):
    """What a check looked at and what is wrong."""

    packs: int
    rules: int
    samples: int
    problems: tuple[Problem, ...]


class CheckedForeign(NamedTuple):
    """What a check of another scanner's file came to. `rules`: that are used; `sampled`: for which a text that fits was made and looked for;
    `allowlists`: of all kinds; `untranslated`: lines that say what keyward does not do."""

    path: str
    rules: int
    sampled: int
    allowlists: int
    problems: tuple[Problem, ...]
    untranslated: tuple[str, ...]


def registry(
    rule_files: Sequence[str] = (), plugins: Sequence[str] = (), *, gitleaks_config: str = "", only: Sequence[str] = ()
) -> Registry:
    """The packs (`only` these, and the user's own), with the rules of TOML files. Raises ConfigError for a file that is wrong, UsageError
    for a pack that is not there."""
    foreign = None
    if gitleaks_config:
        from keyward.scan.interop.gitleaks import load

        foreign = load(gitleaks_config)
    names = [name for name, _ in pack_files()]
    for name in only:
        if name not in names:
            raise UsageError(f"there is no pack {name!r}", hint="See `keyward rules list`.")
    others = [name for name in names if only and name not in only]
    return registry_of([RuleFile(path) for path in rule_files], plugins, others, foreign)


def listing(packs: Registry, words: Sequence[str] = ()) -> list[tuple[Pack, Rule, CredentialKind]]:
    """Every rule with its pack and kind, by pack; only those whose id or title holds one of the words, if there are any."""
    rows = []
    for pack in packs.packs():
        if isinstance(pack, Unavailable):
            continue
        kinds = {kind.name: kind for kind in pack.kinds}
        for rule in pack.rules:
            kind = kinds.get(rule.kind) or packs.kind(rule.kind)
            text = f"{rule.id} {kind.title}".lower()
            if not words or any(word.lower() in text for word in words):
                rows.append((pack, rule, kind))
    return rows


def find_pack(packs: Registry, word: str) -> Pack:
    """The pack called so, or the one that has a rule or kind called so.

    Raises UsageError, naming the nearest ones, if there is none.
    """
    if word in packs.names():
        pack = packs.pack(word)
        if isinstance(pack, Pack):
            return pack
        raise UsageError(f"the pack {word!r} cannot be loaded: {pack.reason}")
    for candidate in packs.packs():
        if isinstance(candidate, Pack) and any(word in (rule.id, rule.kind) for rule in candidate.rules):
            return candidate
    import difflib

    near = difflib.get_close_matches(word, packs.names(), 3, 0.5)
    raise UsageError(
        f"there is no pack, rule or kind {word!r}",
        hint=f"Did you mean {', '.join(near)}?" if near else "See `keyward rules list`.",
    )


def check(packs: Registry, only: str = "") -> Checked:
    """Runs every example and near miss of every pack through both engines."""
    problems: list[Problem] = []
    loaded: list[Pack] = []
    for pack in packs.packs():
        if isinstance(pack, Unavailable):
            problems.append(Problem(pack.name, f"cannot be loaded: {pack.reason}"))
        elif not only or pack.name == only:
            loaded.append(pack)
            problems.extend(check_pack(pack))
    rules = [rule for pack in loaded for rule in pack.rules]
    samples = sum(len(rule.examples) + len(rule.near_misses) for rule in rules)
    return Checked(len(loaded), len(rules), samples, tuple(dict.fromkeys(problems)))


def is_foreign(path: str) -> bool:
    """Whether a file has the rules of gitleaks or betterleaks, and not keyward's. Raises ConfigError for one that is no TOML."""
    from keyward.formats.toml_file import TomlFile
    from keyward.scan.interop.gitleaks_file import looks_like_gitleaks

    file = TomlFile.load(path)
    return file is not None and looks_like_gitleaks(file.data)


SEEDS = range(4)
"""Texts that are made of each pattern."""


def check_foreign(path: str) -> CheckedForeign:
    """Reads a file of gitleaks or betterleaks, makes texts that fit each pattern and looks for them with both engines. Raises ConfigError."""
    from keyward.match.catalogue import build
    from keyward.match.matcher import Matcher
    from keyward.scan.interop.gitleaks import load
    from keyward.scan.interop.translated import described, user_rules

    foreign = load(path)
    made = user_rules(foreign)
    problems: dict[Problem, None] = {}
    sampled: set[str] = set()
    texts = {rule.id: _texts(rule.whole) for rule in foreign.rules}
    for portable in (False, True):
        packs = _only(made)
        matcher = Matcher(packs, build(packs, portable=portable))
        for rule in foreign.rules:
            for text in texts[rule.id]:
                sampled.add(rule.id)
                matches, gave_up = matcher.matches(text, matcher.hits(text))
                if gave_up or not any(match.rule.id == rule.id for match in matches):
                    problems[Problem(rule.source, f"a text that fits is not found by the {matcher.engine_name} engine")] = None
    lists = (
        len(foreign.allowlists) + len(foreign.own) + bool(foreign.commits) + sum(len(rule.allowlists) for rule in foreign.rules)
    )
    return CheckedForeign(
        path, len(foreign.rules), len(sampled), lists, tuple(problems), tuple(described(foreign.untranslated))
    )


def _only(rules: Sequence[UserRule]) -> Registry:
    """A registry of these rules alone."""
    return Registry(
        user_rules=[each.rule for each in rules],
        user_kinds=[each.kind for each in rules],
        disabled=[name for name, _ in pack_files()],
    )


def _texts(pattern: str) -> list[bytes]:
    """Texts in which the pattern does occur, as far as such can be made of it: what stands around a value is guessed."""
    from keyward.scan.interop.matching import occurs
    from keyward.scan.interop.shape import fitting_text

    made = [b"\n" + fitting_text(pattern, seed) + end for seed in SEEDS for end in (b"\n", b"")]
    return [text for text in dict.fromkeys(made) if occurs((pattern,), text)]


def export(packs: Registry) -> dict[str, Any]:
    """The catalogue as plain data: rules with their patterns, kinds with their manual steps. No samples."""
    return {"schema": "keyward.rules/1", "rules": [_exported(*row) for row in listing(packs)]}


def _exported(pack: Pack, rule: Rule, kind: CredentialKind) -> dict[str, Any]:
    return {
        "id": rule.id,
        "pack": pack.name,
        "kind": str(kind.name),
        "title": kind.title,
        "severity": kind.severity,
        "pattern": rule.pattern.decode("latin-1"),
        "ignore_case": rule.ignore_case,
        "score": rule.score,
        "level": LEVELS[rule.specificity],
        "companions": [c.part for c in rule.companions],
        "offline_check": rule.check is not None,
        "references": list(kind.references),
    }


def as_toml(data: dict[str, Any]) -> Iterator[str]:
    """The catalogue as TOML lines."""
    import json

    yield f"schema = {json.dumps(data['schema'])}\n"
    for rule in data["rules"]:
        yield "\n[[rules]]\n"
        for key, value in rule.items():
            if key == "pattern" and "'''" not in value and not value.endswith("'") and value.isprintable():
                yield f"pattern = '''{value}'''\n"
            else:
                yield f"{key} = {json.dumps(value, ensure_ascii=False)}\n"
