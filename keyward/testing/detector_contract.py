"""What every detector pack must keep, as one function (`keyward rules check` runs it) and as a class for pytest."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any, NamedTuple

from keyward.errors import KeywardError
from keyward.match.catalogue import Catalogue, Entry
from keyward.match.engine.anchor_derivation import derive, nested_repeat
from keyward.match.engine.vectorscan import compile_database
from keyward.match.matcher import Judged, Matcher
from keyward.match.personas import REGULAR
from keyward.model.kind import SEVERITIES, CredentialKind, Kind
from keyward.model.rule import Rule, Sample
from keyward.registry import BUILT_IN, Pack

SEEDS = range(4)
HEADINGS = ("What it is:", "Where it is used:", "What an attacker can do:", "How to replace it:", "References:")
ALLOWED_IMPORTS = ("keyward.plugin", "keyward.model", "keyward.errors")


class Problem(NamedTuple):
    """One thing that is wrong with a rule or pack. The message never holds a sample's text."""

    where: str
    message: str


def check_pack(pack: Pack) -> Iterator[Problem]:
    """Everything that is wrong with a loaded pack; nothing if it keeps the contract."""
    yield from _check_kinds(pack)
    matchers = []
    try:
        matchers = [_matcher(pack, portable) for portable in (False, True)]
    except KeywardError as error:
        yield Problem(pack.name, str(error))
        return
    for rule in pack.rules:
        if rule.trusted and nested_repeat(rule):
            yield Problem(rule.id, "the pattern repeats something that itself repeats: it can backtrack without end")
        for seed in SEEDS:
            for number, shape in enumerate(rule.examples, 1):
                for matcher in matchers:
                    yield from _check_example(matcher, rule, number, shape.sample(seed))
            for number, shape in enumerate(rule.near_misses, 1):
                for matcher in matchers:
                    if any(j.confidence >= REGULAR for j in _own(matcher.find(_embed(shape.sample(seed))), rule)):
                        yield Problem(rule.id, f"near miss {number} (seed {seed}) is found by the {matcher.engine_name} engine")


def _check_kinds(pack: Pack) -> Iterator[Problem]:
    declared = {kind.name for kind in pack.kinds}
    if pack.origin == BUILT_IN:
        missing = [heading for heading in HEADINGS if heading not in pack.page]
        if missing:
            yield Problem(pack.name, f"the docstring lacks {', '.join(missing)}")
    for kind in pack.kinds:
        if kind.severity not in SEVERITIES:
            yield Problem(kind.name, f"severity {kind.severity!r} is none of {', '.join(SEVERITIES)}")
        if kind.manual is not None and not (kind.manual.steps and kind.manual.url):
            yield Problem(kind.name, "MANUAL needs steps and a URL")
        if pack.origin == BUILT_IN and kind.manual is None:
            yield Problem(kind.name, "says neither how a person replaces it (manual) nor which rotator does")
        if "/" not in kind.name:
            yield Problem(kind.name, "a kind is named provider/what")
        if kind.found and not any(rule.kind == kind.name for rule in pack.rules):
            yield Problem(kind.name, "no rule of the pack finds it")
    for rule in pack.rules:
        if rule.kind not in declared:
            yield Problem(rule.id, f"its kind {rule.kind} is not declared in KINDS")
    ids = [rule.id for rule in pack.rules]
    for twice in {rule_id for rule_id in ids if ids.count(rule_id) > 1}:
        yield Problem(twice, "two rules have this id")


def _check_example(matcher: Matcher, rule: Rule, number: int, sample: Sample) -> Iterator[Problem]:
    text = _embed(sample)
    where = f"example {number}, {matcher.engine_name} engine"
    found = _own(matcher.find(text), rule)
    wanted = dict(sample.parts)
    best = max(found, key=lambda j: j.confidence, default=None)
    if best is None:
        yield Problem(rule.id, f"{where}: not found")
        return
    if wanted and not any(j.context.parts == wanted for j in found):
        seen = ", ".join(sorted(best.context.parts))
        wrong = [n for n in wanted if n in best.context.parts and best.context.parts[n] != wanted[n]]
        yield Problem(rule.id, f"{where}: labelled parts {', '.join(wanted)}; found {seen}; wrong bytes in: {wrong or 'none'}")
    if best.confidence < min(REGULAR, rule.score):
        reasons = ", ".join(f"{s.name} {s.weight:+d}" for s in best.signals)
        yield Problem(rule.id, f"{where}: confidence only {best.confidence} ({reasons})")
    if any(s.name in ("checksum", "structure") and s.weight < 0 for s in best.signals):
        yield Problem(rule.id, f"{where}: its own offline check fails; compute the checksum in the shape")


def _embed(sample: Sample) -> bytes:
    return b"# notes\n" + sample.text + (b"" if sample.text.endswith(b"\n") else b"\n") + b"# end\n"


def _own(found: Sequence[Judged], rule: Rule) -> list[Judged]:
    return [judged for judged in found if judged.candidate.rule.kind == rule.kind]


class _OnePack:
    """A registry of a single pack, for its own tests."""

    key = ()

    def __init__(self, pack: Pack) -> None:
        self._pack = pack

    def rule(self, pack: str, rule_id: str) -> Rule:
        return next(rule for rule in self._pack.rules if rule.id == rule_id)

    def kind(self, name: Kind) -> CredentialKind:
        return next((kind for kind in self._pack.kinds if kind.name == name), CredentialKind(name, str(name)))


def _matcher(pack: Pack, portable: bool) -> Matcher:
    entries = tuple(Entry(pack.name, rule.id, derive(rule)) for rule in pack.rules)
    database = b"" if portable else compile_database([e.anchor for e in entries], [e.rule for e in entries])
    registry: Any = _OnePack(pack)
    return Matcher(registry, Catalogue(entries, database, "", False))


def foreign_imports(source: str) -> list[str]:
    """The modules that a pack's source imports and may not: anything of keyward besides the contract."""
    wrong = []
    for node in ast.walk(ast.parse(source)):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        for name in names:
            if name.split(".")[0] == "keyward" and not name.startswith(ALLOWED_IMPORTS):
                wrong.append(name)
    return wrong


class DetectorContract:
    """Subclass it in a test module and set `pack` to your detector module; pytest does the rest."""

    pack: ModuleType

    def _loaded(self) -> Pack:
        module = self.pack
        name = module.__name__.rpartition(".")[2]
        origin = BUILT_IN if module.__name__.startswith("keyward.detectors.") else "third-party"
        return Pack(name, origin, tuple(module.KINDS), tuple(module.RULES), (module.__doc__ or "").strip())

    def test_every_example_is_found_and_every_near_miss_left_alone_in_both_engines(self) -> None:
        problems = list(check_pack(self._loaded()))
        assert not problems, "\n".join(f"{p.where}: {p.message}" for p in problems)

    def test_it_imports_nothing_but_the_contract(self) -> None:
        assert foreign_imports(inspect.getsource(self.pack)) == []

    def test_its_samples_are_the_same_every_time(self) -> None:
        for rule in self._loaded().rules:
            for shape in (*rule.examples, *rule.near_misses):
                assert shape.sample(7) == shape.sample(7)
