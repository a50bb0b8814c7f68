"""How sure keyward is of a match: a list of named signals whose weights add up to a confidence from 0 to 100.

A signal is a small function of the context; it answers a Signal or None. Later knowledge is a further signal, never
another mechanism. A weight of -100 says "this is no credential" (a placeholder, a reference, a published sample).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from keyward.match import placeholders
from keyward.match.assemble import Candidate
from keyward.model.finding import Signal
from keyward.model.rule import GENERIC, PROVIDER

NEVER = -100


class Context(NamedTuple):
    """What a signal may look at. `value`: the identity part. `before`, `after`: the rest of its line, at most 300 bytes
    each. `path`: as reported, lower-cased, with `/`."""

    candidate: Candidate
    parts: Mapping[str, bytes]
    value: bytes
    before: bytes
    after: bytes
    path: str


def judge(context: Context) -> tuple[int, tuple[Signal, ...]]:
    """The confidence and the signals that make it. Where the confidence is 0, they are those that were asked before that was clear."""
    rule = context.candidate.rule
    signals = [Signal("pattern", rule.score, rule.id)]
    if rule.specificity != GENERIC:
        possible = _ask(SIGNALS, context, signals)
    else:
        possible = (
            _ask(CHEAP_SIGNALS, context, signals) and _ask_generic(context, signals) and _ask(COSTLY_SIGNALS, context, signals)
        )
    return max(0, min(100, sum(signal.weight for signal in signals))) if possible else 0, tuple(signals)


def _ask(ask: Iterable[Callable[[Context], Signal | None]], context: Context, signals: list[Signal]) -> bool:
    """Adds the answers; False once one says "never"."""
    for signal in ask:
        answer = signal(context)
        if answer is not None:
            signals.append(answer)
            if answer.weight <= NEVER:
                return False
    return True


def _ask_generic(context: Context, signals: list[Signal]) -> bool:
    """The same of the signals for generic rules; False once those that are left cannot bring the sum back above zero."""
    from keyward.match.generic import GENERIC_SIGNALS, REACH

    total = sum(signal.weight for signal in signals)
    for signal, reach in zip(GENERIC_SIGNALS, REACH):
        answer = signal(context)
        if answer is not None:
            signals.append(answer)
            total += answer.weight
        if total + reach <= 0:
            return False
    return True


def offline_check(context: Context) -> Signal | None:
    """The rule's own check of checksum or structure. A check that fails on its input has nothing to say."""
    check = context.candidate.rule.check
    if check is None:
        return None
    try:
        return check(context.parts)
    except Exception:  # somebody's code on hostile bytes: no answer is not an answer against
        return None


def incomplete(context: Context) -> Signal | None:
    rule = context.candidate.rule
    missing = [c.part for c in rule.companions if not c.optional and c.part not in context.parts]
    return Signal("alone", rule.alone, f"no {missing[0].replace('_', ' ')} nearby") if missing and rule.alone else None


def complete(context: Context) -> Signal | None:
    """A partner found nearby makes both surer."""
    rule = context.candidate.rule
    present = [c.part for c in rule.companions if c.part in context.parts]
    return Signal("partner", 10, f"{present[0].replace('_', ' ')} found nearby") if present else None


def placeholder(context: Context) -> Signal | None:
    rule = context.candidate.rule
    if not rule.placeholders:
        return None
    # in some hundred letters that a machine drew, short words occur by chance
    drawn = len(context.value) >= (24 if rule.specificity != GENERIC else 201)
    reason = placeholders.placeholder(context.value, random_body=drawn)
    return Signal("placeholder", NEVER, reason) if reason else None


def reference(context: Context) -> Signal | None:
    """The value is fetched from somewhere else: a variable, a template, a vault reference, ciphertext."""
    if not context.candidate.rule.placeholders:
        return None
    reason = placeholders.reference(context.value, context.before, context.after)
    return Signal("reference", NEVER, reason) if reason else None


def published_sample(context: Context) -> Signal | None:
    for value in context.parts.values():
        owner = placeholders.published_sample(value)
        if owner:
            return Signal("published sample", NEVER, owner)
    return None


def template_file(context: Context) -> Signal | None:
    return Signal("template file", -15) if _path_facts(context.path)[0] else None


def test_path(context: Context) -> Signal | None:
    return Signal("test path", -10) if _path_facts(context.path)[1] else None


@lru_cache(maxsize=64)
def _path_facts(path: str) -> tuple[bool, bool, bool]:
    """Whether the path is that of a template, of a test, of a compiled program."""
    name = path.rpartition("/")[2]
    template = name.endswith((".example", ".sample", ".template", ".dist", ".tmpl", ".tpl")) or ".example." in name
    test = any(folder in f"/{path}" for folder in _TEST_FOLDERS)
    return template, test or name.startswith("test_") or "_test." in name or ".test." in name, path.endswith(_COMPILED)


def path_facts(path: str) -> tuple[object, ...]:
    """All that the signals make of a path as it is reported, for a generic rule."""
    from keyward.match.signals import file

    plain = _plain(path)
    return (*_path_facts(plain), *file.path_facts(plain))


def _plain(path: str) -> str:
    return path.replace("\\", "/").lower()


def inside_digest(context: Context) -> Signal | None:
    """A digest in base64 may hold any short prefix by chance (`sha256=qaN-fw_…` in a list of installed files)."""
    return Signal("digest", -60, "stands inside a digest") if _DIGEST.search(context.before) else None


def typed_blindly(context: Context) -> Signal | None:
    """Somebody let the fingers run along the middle row of the keyboard: three quarters of the letters stand there, not a third; of fewer
    than ten, all. Half of the letters of hexadecimal digits do, and the `sk-` before them; so many of the letters must be others."""
    letters = [c for c in context.value if 97 <= c <= 122]
    if context.candidate.rule.specificity == PROVIDER or not 6 <= len(letters) <= 40:
        return None
    middle = sum(c in b"asdfghjkl" for c in letters)
    if middle < (0.75 if len(letters) >= 10 else 1) * len(letters) or sum(c in b"ghjkls" for c in letters) < 0.35 * len(letters):
        return None
    from keyward.plugin.letters import fluency

    if context.value.lower() != context.value or fluency(context.value) >= 0.35:
        return None
    # as a token it is made up; as the password of an address, somebody's who was in a hurry
    weight = -15 if context.candidate.rule.specificity > GENERIC else -30
    return Signal("keyboard", weight, "typed along one row of the keyboard")


def compiled_file(context: Context) -> Signal | None:
    """In a compiled program the strings of its source stand side by side, and a name is followed by any other one's value."""
    if context.candidate.rule.specificity < PROVIDER and _path_facts(context.path)[2]:
        return Signal("compiled file", -30)
    return None


_DIGEST = re.compile(rb"(?i:\b(?:sha(?:1|224|256|384|512)|md5))[=:-][A-Za-z0-9+/_-]{0,90}\Z")
_COMPILED = (".pyc", ".pyo", ".so", ".o", ".a", ".dll", ".exe", ".dylib", ".class", ".pyd", ".wasm")
_TEST_FOLDERS = (
    "/test/",
    "/tests/",
    "/testing/",
    "/testdata/",
    "/fixtures/",
    "/__tests__/",
    "/spec/",
    "/mocks/",
    "/cassettes/",
)

CHEAP_SIGNALS: tuple[Callable[[Context], Signal | None], ...] = (
    reference, offline_check, incomplete, complete, template_file, test_path, compiled_file, inside_digest,
)  # fmt: skip
COSTLY_SIGNALS: tuple[Callable[[Context], Signal | None], ...] = (published_sample, placeholder, typed_blindly)
SIGNALS = (*COSTLY_SIGNALS[:2], *CHEAP_SIGNALS, *COSTLY_SIGNALS[2:])
"""What is asked of every candidate; where the generic signals are asked as well, and mostly decide, the costly ones come after them."""


def context_of(candidate: Candidate, data: Any, path: str) -> Context:
    """The context of a candidate in its buffer."""
    parts = {name: bytes(data[start:end]) for name, (start, end) in candidate.parts.items()}
    start, end = candidate.span
    head = bytes(data[max(0, start - 300) : start])
    tail = bytes(data[end : end + 300])
    return Context(
        candidate=candidate,
        parts=parts,
        value=parts[candidate.identity],
        before=head[head.rfind(b"\n") + 1 :],
        after=tail.partition(b"\n")[0],
        path=_plain(path),
    )
