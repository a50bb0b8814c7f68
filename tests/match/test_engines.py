"""Hyperscan and the portable engine find the same: on every sample, on random text, and on a real tree."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyward.match.catalogue import build
from keyward.match.matcher import Matcher
from keyward.registry import Registry

REGISTRY = Registry()
FAST = Matcher(REGISTRY, build(REGISTRY))
PORTABLE = Matcher(REGISTRY, build(REGISTRY, portable=True))
RULES = [rule for _, rule in REGISTRY.rules()]
SAMPLES = [shape.sample(seed).text for rule in RULES for shape in (*rule.examples, *rule.near_misses) for seed in (11, 12)]

Found = list[tuple[str, tuple[int, int], int]]


def found(matcher: Matcher, data: bytes) -> Found:
    return [(str(j.candidate.kind.name), j.candidate.span, j.confidence) for j in matcher.find(data, "x.txt")]


def test_they_agree_on_every_sample() -> None:
    assert FAST.engine_name != PORTABLE.engine_name
    assert len(SAMPLES) > 400
    different = [number for number, text in enumerate(SAMPLES) if found(FAST, text) != found(PORTABLE, text)]
    assert not different


def test_they_agree_on_all_samples_in_one_text() -> None:
    text = b"\n\n# next\n".join(SAMPLES[::7])
    assert found(FAST, text) == found(PORTABLE, text)


WORDS = st.sampled_from([s[:40] for s in SAMPLES[::17]] + SAMPLES[::23] + [b"\n", b" ", b"=", b'"', b": ", b"\0", b"\xff", b"token", b"password="])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(WORDS, st.binary(max_size=12)), max_size=12).map(b"".join))
def test_they_agree_on_random_text(text: bytes) -> None:
    assert found(FAST, text) == found(PORTABLE, text)


def real_files() -> Iterator[bytes]:
    folder = os.path.join(sysconfig.get_path("purelib"), "pip")
    total = 0
    for base, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            with open(os.path.join(base, name), "rb") as file:
                data = file.read()
            total += len(data)
            if total > 6_000_000:
                return
            yield data


def test_they_agree_on_a_real_tree() -> None:
    files = list(real_files())
    assert sum(map(len, files)) > 1_000_000
    for data in files:
        assert found(FAST, data) == found(PORTABLE, data)


def test_what_leads_nowhere_is_never_superlinear() -> None:
    """Each rule is fed text made to keep it busy; no rule may look at more than a bounded window per hit."""
    import time

    slow = []
    for rule in RULES:
        sample = rule.examples[0].sample(3).text.strip()
        texts = [sample[: len(sample) * 2 // 3], sample[:-1] + b"\x01", sample[: max(8, len(sample) // 3)], sample.replace(b"=", b" = ")]
        for text in texts:
            repeated = (text * (200_000 // len(text) + 1))[:200_000]
            started = time.perf_counter()
            FAST.find(repeated, "x")
            small = time.perf_counter() - started
            started = time.perf_counter()
            FAST.find(repeated * 4, "x")
            large = time.perf_counter() - started
            if large > 1.0 and large > 12 * small:
                slow.append((rule.id, round(small, 2), round(large, 2)))
    assert not slow


@pytest.mark.parametrize("tail", [b"", b"\n", b"x", b"\0" * 10])
def test_a_match_at_the_very_end_or_beginning_is_found(tail: bytes) -> None:
    text = next(s for r, s in ((r, r.examples[0].sample(5)) for r in RULES if r.id == "github/pat-classic")).parts["secret"]
    assert [kind for kind, _, _ in found(FAST, text)] == ["github/pat-classic"]
    assert not found(FAST, text + b"A")
