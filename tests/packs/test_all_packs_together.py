"""What holds for the rule set as a whole: each pack keeps its own contract elsewhere, here they stand in each other's way."""

from __future__ import annotations

import collections
import os

from keyward.match.engine.anchor_derivation import public_prefix
from keyward.match.matcher import Judged, Matcher
from keyward.match.personas import PEDANTIC, REGULAR
from keyward.model.rule import GENERIC, PROVIDER, Rule, Sample
from keyward.registry import Pack, Registry, pack_files

SEEDS = (0, 1)

REPLACEABLE = (
    "aws", "tencent", "openai", "anthropic", "openrouter", "google", "azure", "github", "gitlab", "slack", "telegram", "discord",
    "stripe", "twilio", "sendgrid", "mailgun", "cloudflare", "digitalocean", "huggingface", "npm", "pypi", "datadog", "pagerduty",
    "linear", "notion", "supabase", "vercel", "netlify", "databricks", "snowflake", "vault", "openclaw", "postgresql", "mysql",
    "redis", "mongodb", "private_key", "webhook_secret", "jwt", "django",
)  # fmt: skip
"""The packs of everything that keyward knows how to replace, or how to tell a person to."""


def packs(registry: Registry) -> list[Pack]:
    loaded = registry.packs()
    missing = [each for each in loaded if not isinstance(each, Pack)]
    assert not missing
    return [each for each in loaded if isinstance(each, Pack)]


def test_values_of_a_generic_rule_have_no_beginning_in_common() -> None:
    """So that none of it is shown, and nobody need take the pattern apart to see that."""
    for _, rule in Registry().rules():
        if rule.specificity == GENERIC:
            assert public_prefix(rule, "secret").pattern == b"", rule.id


def embedded(sample: Sample) -> bytes:
    return b"# notes\n" + sample.text.removesuffix(b"\n") + b"\n# end\n"


def own(found: list[Judged], rule: Rule, parts: dict[str, bytes]) -> bool:
    """Whether the rule's kind is there with exactly these parts. A generic rule may have to give way to one that knows more."""
    for judged in found:
        if rule.specificity == GENERIC and judged.candidate.rule.specificity > GENERIC:
            return True
        if judged.candidate.rule.kind == rule.kind and (not parts or judged.context.parts == parts):
            return True
    return False


def test_every_example_is_one_finding_of_its_own_kind_with_exact_parts(registry: Registry, matcher: Matcher) -> None:
    wrong = []
    for _, rule in registry.rules():
        for number, shape in enumerate(rule.examples, 1):
            for seed in SEEDS:
                sample = shape.sample(seed)
                found = matcher.find(embedded(sample))
                shown = [judged.candidate.rule.id for judged in found if judged.confidence >= REGULAR]
                if not own(found, rule, dict(sample.parts)):
                    wrong.append(f"{rule.id}, example {number}, seed {seed}: found as {[j.candidate.rule.id for j in found]}")
                elif len(shown) > 1 or (rule.score >= REGULAR and not shown):
                    wrong.append(f"{rule.id}, example {number}, seed {seed}: the regular persona sees {shown}")
    assert not wrong, "\n".join(wrong)


def test_no_near_miss_is_a_finding_of_its_kind(registry: Registry, matcher: Matcher) -> None:
    wrong = []
    for _, rule in registry.rules():
        for number, shape in enumerate(rule.near_misses, 1):
            found = matcher.find(embedded(shape.sample(SEEDS[0])))
            if any(judged.candidate.rule.kind == rule.kind and judged.confidence >= REGULAR for judged in found):
                wrong.append(f"{rule.id}, near miss {number}")
    assert not wrong, "\n".join(wrong)


def test_rule_ids_and_kinds_belong_to_one_pack_each(registry: Registry) -> None:
    rules = collections.Counter(rule.id for _, rule in registry.rules())
    kinds = collections.Counter(kind.name for pack in packs(registry) for kind in pack.kinds)
    assert [each for each, count in (rules + kinds).items() if max(rules[each], kinds[each]) > 1] == []
    for pack in packs(registry):
        declared = {kind.name for kind in pack.kinds if kind.found}
        assert {rule.kind for rule in pack.rules} == declared, pack.name


def test_there_is_a_pack_for_everything_that_can_be_replaced(registry: Registry) -> None:
    names = {pack.name for pack in packs(registry)}
    assert set(REPLACEABLE) - names == set()


def test_a_hundred_providers_and_more(registry: Registry) -> None:
    providers = [pack.name for pack in packs(registry) if any(rule.specificity == PROVIDER for rule in pack.rules)]
    assert len(providers) >= 100


def test_no_literal_in_a_pack_is_a_finding(matcher: Matcher) -> None:
    """Samples are drawn from shapes. A default password that a rule itself calls one (its check lowers it by 30) may stand."""
    folders = {os.path.dirname(path) for _, path in pack_files()}
    wrong = []
    for path in sorted(os.path.join(folder, name) for folder in folders for name in os.listdir(folder) if name.endswith(".py")):
        with open(path, "rb") as file:
            data = file.read()
        for judged in matcher.find(data, path):
            known = judged.confidence < REGULAR and any(signal.weight <= -30 for signal in judged.signals)
            if judged.confidence >= PEDANTIC and not known:
                line = data.count(b"\n", 0, judged.candidate.span[0]) + 1
                wrong.append(f"{os.path.basename(path)}:{line}: {judged.candidate.rule.id} {judged.confidence}")
    assert not wrong, "\n".join(wrong)


def test_what_a_kind_says_of_its_rotator_is_so() -> None:
    registry = Registry()
    said = {kind.name for pack in registry.packs() if isinstance(pack, Pack) for kind in pack.kinds if kind.rotates}
    assert said == set(registry.rotators())
