"""What the corpus hides: credentials with the names that people give them, drawn from the frozen formats or from the rules' examples."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from typing import NamedTuple

from accuracy_corpus.drawing import draw
from keyward.model.rule import GENERIC, Rule
from keyward.registry import Registry

FORMATS = os.path.join(os.path.dirname(__file__), "formats.txt")
_ASSIGNED = re.compile(rb"(?:export )?([A-Za-z_][A-Za-z0-9_]{2,60})=([^\s\"'`]{6,1200})\n\Z")


class Field(NamedTuple):
    """A name and its value. `names`: all that people give it, the first is used unless another is asked for."""

    names: tuple[str, ...]
    value: str


class Token(NamedTuple):
    """A credential. `kind`: as keyward names it, if it knows it. `fields`: what is left together, the secret last. `alone`: whether its own shape
    tells it, so that it must be found without its name."""

    kind: str
    fields: tuple[Field, ...]
    alone: bool

    @property
    def secret(self) -> bytes:
        """The value that must be found."""
        return self.fields[-1].value.encode()

    def named(self, number: int) -> Token:
        """The same under another of its names."""
        return self._replace(fields=tuple(Field((each.names[number % len(each.names)],), each.value) for each in self.fields))


class Excerpt(NamedTuple):
    """A text with a credential in it, as a rule's example has it. `parts`: what must be found of it."""

    rule: str
    kind: str
    text: bytes
    parts: tuple[bytes, ...]


class Format(NamedTuple):
    """A line of the frozen file, with the lines that belong to it: names and shape of each field."""

    kind: str
    alone: bool
    fields: tuple[tuple[tuple[str, ...], str], ...]

    def token(self, seed: int) -> Token:
        """The credential of this seed."""
        dice = random.Random(f"{self.kind} {self.fields} {seed}")
        return Token(self.kind, tuple(Field(names, draw(shape, dice)) for names, shape in self.fields), self.alone)


def formats(path: str = FORMATS) -> list[Format]:
    """All shapes of the frozen file. Raises ValueError for a line that cannot be read."""
    found: list[Format] = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            cells = [cell.strip() for cell in line.split(" | ")]
            if line.startswith("#") or not line.strip():
                continue
            if line.startswith("+ ") and len(cells) == 2:
                last = found.pop()
                found.append(last._replace(fields=(*last.fields, (_names(cells[0][2:]), cells[1]))))
            elif len(cells) == 4:
                found.append(Format(cells[0], cells[1] == "A", ((_names(cells[2]), cells[3]),)))
            else:
                raise ValueError(f"{path}:{number}: not a shape")
    return found


def _names(cell: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in cell.split(","))


def excerpts(registry: Registry, seed: int) -> Iterator[Excerpt]:
    """Every example of every specific rule that the regular persona is shown."""
    for _, rule in registry.rules():
        if rule.specificity > GENERIC and rule.score >= 50:
            for shape in rule.examples:
                sample = shape.sample(seed)
                yield Excerpt(rule.id, rule.kind, sample.text, tuple(sample.parts.values()))


def assigned(registry: Registry, seed: int) -> Iterator[Token]:
    """The examples that are no more than a name and its value, so that the value can be put elsewhere."""
    for _, rule in registry.rules():
        token = _assigned(rule, seed) if rule.specificity > GENERIC and rule.score >= 50 else None
        if token is not None:
            yield token


def _assigned(rule: Rule, seed: int) -> Token | None:
    for shape in rule.examples:
        sample = shape.sample(seed)
        match = _ASSIGNED.match(sample.text)
        if match and sample.parts.get("secret") == match[2]:
            return Token(rule.kind, (Field((match[1].decode(),), match[2].decode()),), False)
    return None
