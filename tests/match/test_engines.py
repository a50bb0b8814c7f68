"""Hyperscan and the portable engine find the same: on every sample, on random text, and on a real tree."""

from __future__ import annotations

import functools
import gc
import os
import re
import sysconfig
import time
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyward.match.catalogue import build, load
from keyward.match.matcher import Matcher
from keyward.model.rule import Rule
from keyward.registry import Registry

REGISTRY = Registry()
Found = list[tuple[str, tuple[int, int], int]]


# Made when a test asks for them: every process of a parallel run imports every file, and these take five seconds.
@functools.cache
def fast() -> Matcher:
    return Matcher(REGISTRY, load(REGISTRY))


@functools.cache
def portable() -> Matcher:
    return Matcher(REGISTRY, build(REGISTRY, portable=True))


@functools.cache
def rules() -> list[Rule]:
    return [rule for _, rule in REGISTRY.rules()]


@functools.cache
def samples() -> list[bytes]:
    return [shape.sample(seed).text for rule in rules() for shape in (*rule.examples, *rule.near_misses) for seed in (11, 12)]


def found(matcher: Matcher, data: bytes) -> Found:
    return [(str(j.candidate.kind.name), j.candidate.span, j.confidence) for j in matcher.find(data, "x.txt")]


def test_they_agree_on_every_sample() -> None:
    assert fast().engine_name != portable().engine_name
    assert len(samples()) > 400
    different = [number for number, text in enumerate(samples()) if found(fast(), text) != found(portable(), text)]
    assert not different


def test_they_agree_on_all_samples_in_one_text() -> None:
    text = b"\n\n# next\n".join(samples()[::7])
    assert found(fast(), text) == found(portable(), text)


def words() -> st.SearchStrategy[bytes]:
    pieces = [b"\n", b" ", b"=", b'"', b": ", b"\0", b"\xff", b"token", b"password="]
    return st.sampled_from([s[:40] for s in samples()[::17]] + samples()[::23] + pieces)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.deferred(words), st.binary(max_size=12)), max_size=12).map(b"".join))
def test_they_agree_on_random_text(text: bytes) -> None:
    assert found(fast(), text) == found(portable(), text)


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
        assert found(fast(), data) == found(portable(), data)


def hostile_texts() -> Iterator[tuple[str, bytes]]:
    """Each rule's example, cut off or spoilt, to be repeated: hits without end that come to nothing."""
    for rule in rules():
        sample = rule.examples[0].sample(3).text.strip()
        for text in (sample[: len(sample) * 2 // 3], sample[:-1] + b"\x01", sample[: max(8, len(sample) // 3)]):
            yield rule.id, text


def seconds_to_match(text: bytes, size: int) -> float:
    """CPU time of the exact matches in so many bytes of a repeated text; the machine may be busy with something else."""
    repeated = (text * (size // len(text) + 1))[:size]
    hits = fast().hits(repeated)
    gc.disable()  # as good as in a worker, and the heap of a whole suite is not what is measured
    try:
        started = time.process_time()
        fast().matches(repeated, hits)
        return time.process_time() - started
    finally:
        gc.enable()


def test_what_leads_nowhere_is_never_superlinear() -> None:
    """All texts at a small size; of those that take longest, and of all that grow faster than they should, a megabyte each."""
    costs = []
    suspects = set()
    for rule_id, text in hostile_texts():
        fast().find(text)  # compiles what this text hits, which is not what grows with it
        small = seconds_to_match(text, 8_000)
        costs.append((small, rule_id, text))
        if small > 0.004 and seconds_to_match(text, 32_000) > 8 * small:
            suspects.add((rule_id, text))
    suspects.update((rule_id, text) for _, rule_id, text in sorted(costs)[-12:])
    slow = [(rule_id, taken) for rule_id, text in suspects if (taken := seconds_to_match(text, 1_000_000)) > 2]
    assert not slow


def test_a_companion_goes_over_text_without_any_at_the_same_speed_whatever_it_is() -> None:
    """A value beside which nothing holds a pattern back is begun anew at each of its bytes: text without a border shows that."""
    drawn = Random(7).choices(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", k=100_000)
    slow = []
    for pattern, where in {c.pattern: f"{rule.id}: {c.part}" for rule in rules() for c in rule.companions}.items():
        regex = re.compile(pattern)
        started = time.process_time()
        sum(1 for _ in regex.finditer(bytes(drawn)))
        if (taken := time.process_time() - started) > 0.04:
            slow.append((where, taken))
    assert not slow


def test_half_a_megabyte_of_findings_costs_in_proportion() -> None:
    """Every finding costs its judgement, whatever the text; the rest of the work must not grow with their square."""
    wanted = ("aws/access-key-id", "jwt/token", "postgresql/url", "bearer/header", "tencent/access-key-id", "generic/quoted")
    for rule in rules():
        if rule.id not in wanted:
            continue
        text = b"".join(rule.examples[0].sample(seed).text for seed in range(60))
        repeated = text * (500_000 // len(text))
        started = time.process_time()
        found = fast().find(repeated, "x")
        assert time.process_time() - started < 1.5 + 0.0005 * len(found), rule.id


@pytest.mark.parametrize("tail", [b"", b"\n", b"x", b"\0" * 10])
def test_a_match_at_the_very_end_or_beginning_is_found(tail: bytes) -> None:
    text = next(s for r, s in ((r, r.examples[0].sample(5)) for r in rules() if r.id == "github/pat-classic")).parts["secret"]
    assert [kind for kind, _, _ in found(fast(), text)] == ["github/pat-classic"]
    assert not found(fast(), text + b"A")
