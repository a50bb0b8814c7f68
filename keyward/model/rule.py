"""A rule: one pattern, what it finds, and samples that show where it fires and where it must not.

A rule is written once and matched twice. The engine derives a coarse *anchor* from `pattern` (lookarounds dropped, repeats
at the end cut to their minimum) and finds all anchors of all rules in one pass; then `pattern` itself, in Python's `re`
on bytes, is matched in a bounded window around each hit. So a pattern may use lookarounds, but must begin with something
selective: a literal prefix, or a name. No backreferences, no nested unbounded repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, NoReturn, Protocol

from keyward.errors import RuleError
from keyward.model.finding import Signal
from keyward.model.kind import Kind, Parts

GENERIC, STRUCTURAL, PROVIDER = 0, 1, 2
"""How specific a rule is. Where two rules match overlapping values, the more specific one is reported."""

DEFAULT_WINDOW = 600
"""Bytes on each side of a hit that the exact match may see, unless the rule says otherwise."""

MAX_WINDOW = 65_536


class Sample(NamedTuple):
    """Text made from a shape, and the parts that stand in it: name → value."""

    text: bytes
    parts: Parts


class SampleShape(Protocol):
    """Makes the same text for the same seed. `keyward.plugin.shapes` has the building blocks."""

    def sample(self, seed: int) -> Sample: ...


Check = Callable[[Parts], Signal | None]
"""Looks at the parts offline (a checksum, a structure) and answers with a signal, or None where it has nothing to say.
A passed checksum raises (`Signal("checksum", +20, …)`), a failed one lowers by 20 to 25 and never hides."""


class Companion(NamedTuple):
    """Another part of the same credential, looked for near the rule's own match (the secret beside an id).

    `pattern`: bytes regex; its group named like `part`, else its whole match, is the value. `within`: bytes on either side.
    `optional`: whether the credential is complete without it. The nearest one after the match wins, then the nearest before.
    """

    part: str
    pattern: bytes
    within: int = 300
    optional: bool = False
    check: Callable[[bytes], bool] | None = None


class Rule:
    """One pattern. Frozen; `examples` and `near_misses` are required, because a rule nobody can test is a rule nobody can trust.

    id            `provider/what`, unique; usually the kind's name (with a suffix where a kind has several rules)
    kind          what a match is
    pattern       bytes regex. Named groups are the parts; without any, the whole match is the part `secret`
    examples      shapes that must be found, with every labelled part exactly; given as text around the value where it needs context
    near_misses   shapes that must not become a finding of the regular persona; best each differs from an example by one property
    anchor        the coarse expression, where the derived one is not selective enough (must end inside or at every match)
    ignore_case   match ASCII letters in any case
    score         confidence of a bare match, 0 to 100 (75 distinctive prefix, 60 name and shape, 50 weak); 50 is shown to
                  the regular persona, 30 to the pedantic, 1 to the auditor
    specificity   GENERIC, STRUCTURAL or PROVIDER
    check         offline check of the parts
    companions    parts to look for nearby
    alone         weight of the signal `alone` when a non-optional companion is missing (0: complete by itself)
    window        bytes beside a hit that the exact match may see
    placeholders  whether values that look like placeholders or references are dropped (off for values of any characters, or of words)

    Raises RuleError for anything that is wrong with these.
    """

    __slots__ = (
        "alone",
        "anchor",
        "check",
        "companions",
        "examples",
        "id",
        "ignore_case",
        "kind",
        "near_misses",
        "pattern",
        "placeholders",
        "score",
        "specificity",
        "trusted",
        "window",
    )  # fmt: skip

    id: str
    kind: Kind
    pattern: bytes
    examples: tuple[SampleShape, ...]
    near_misses: tuple[SampleShape, ...]
    anchor: bytes | None
    ignore_case: bool
    score: int
    specificity: int
    check: Check | None
    companions: tuple[Companion, ...]
    alone: int
    window: int
    placeholders: bool
    trusted: bool

    def __init__(
        self,
        id: str,
        kind: Kind,
        pattern: bytes,
        *,
        examples: Iterable[SampleShape],
        near_misses: Iterable[SampleShape],
        anchor: bytes | None = None,
        ignore_case: bool = False,
        score: int = 75,
        specificity: int = PROVIDER,
        check: Check | None = None,
        companions: Iterable[Companion] = (),
        alone: int = 0,
        window: int = DEFAULT_WINDOW,
        placeholders: bool = True,
        trusted: bool = True,
    ) -> None:
        values = {
            "id": id, "kind": kind, "pattern": pattern, "examples": tuple(examples), "near_misses": tuple(near_misses),
            "anchor": anchor, "ignore_case": ignore_case, "score": score, "specificity": specificity, "check": check,
            "companions": tuple(companions), "alone": alone, "window": window, "placeholders": placeholders,
            "trusted": trusted,
        }  # fmt: skip
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self._validate()

    def _validate(self) -> None:
        if not self.id or "/" not in self.id or self.id != self.id.lower():
            raise RuleError(f"rule id {self.id!r} is not of the form provider/what, in lower case")
        if not isinstance(self.pattern, bytes) or not self.pattern:
            raise RuleError(f"rule {self.id}: the pattern must be non-empty bytes")
        if not self.examples:
            raise RuleError(f"rule {self.id} has no examples", hint="Add at least one shape that the rule must find.")
        if not self.near_misses:
            raise RuleError(
                f"rule {self.id} has no near misses", hint="Add at least one shape that looks alike and must not be found."
            )
        if not 0 < self.score <= 100:
            raise RuleError(f"rule {self.id}: score {self.score} is not within 1 and 100")
        if not 0 < self.window <= MAX_WINDOW:
            raise RuleError(f"rule {self.id}: window {self.window} is not within 1 and {MAX_WINDOW} bytes")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Rule is frozen")

    def __repr__(self) -> str:
        return f"Rule({self.id})"
