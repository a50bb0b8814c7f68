"""Looks for what the corpus hides, and tells what was found, what was missed, and what was found that is none."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from accuracy_corpus import negatives_words  # noqa: F401  it adds its classes
from accuracy_corpus.contexts import CONTEXTS, Context
from accuracy_corpus.encodings import ENCODINGS
from accuracy_corpus.negatives import NEGATIVES
from accuracy_corpus.tokens import Token, assigned, excerpts, formats
from keyward.match import catalogue
from keyward.match.matcher import Judged, Matcher
from keyward.registry import Registry


class Seen(NamedTuple):
    """A hidden credential and what came of it. `part`: of the corpus; `place`: its context or encoding; `confidence`: of the finding that
    covers it, 0 for none; `named`: that finding's kind."""

    part: str
    kind: str
    place: str
    confidence: int
    named: str


class False_(NamedTuple):
    """A finding that is none. `where`: the class of negatives, or the place beside a hidden credential."""

    where: str
    rule: str
    confidence: int
    path: str
    reason: str


class Measured(NamedTuple):
    """All of it, and how many negative texts there were of each class."""

    seen: list[Seen]
    wrong: list[False_]
    negatives: Counter[str]


class Finder:
    """keyward in this process, as a scan calls it: the engine, the exact matches, the judgement, the encodings."""

    def __init__(self, registry: Registry | None = None) -> None:
        self.registry = registry or Registry()
        self.matcher = Matcher(self.registry, catalogue.load(self.registry))

    def find(self, path: str, data: bytes) -> list[Judged]:
        """What a scan would list of the file, with every confidence."""
        hits = self.matcher.hits(data)
        judged, _ = self.matcher.judged(data, path, hits)
        return self.matcher.with_encoded(data, path, self.matcher.triggered(hits), judged)[0]


def values(judged: Judged) -> Iterator[bytes]:
    """The parts of a finding as they are meant, its whole match too."""
    yield judged.context.value
    yield from judged.context.parts.values()


def covers(judged: Judged, secret: bytes, data: bytes) -> bool:
    """Whether a finding is this secret: the whole of it, or nine tenths (a URL's token, a value without its padding)."""
    start, end = judged.candidate.span
    if judged.encoding != "raw" and end - start >= 16 and (secret in data[start:end] or data[start:end] in secret):
        return True  # a credential that is itself an encoding: docker's `auth`
    for value in values(judged):
        if (
            value == secret
            or (secret in value and len(secret) >= 0.5 * len(value))
            or (value in secret and len(value) >= 0.9 * len(secret))
        ):
            return True
    # a webhook's secret is the end of its address
    return b"://" in secret and any(value in secret and len(value) >= 8 for value in values(judged))


def look(finder: Finder, part: str, kind: str, place: str, path: str, data: bytes, wanted: Iterable[bytes], all_: Iterable[bytes]) -> tuple[Seen, list[False_]]:  # fmt: skip
    """What came of one file. `wanted`: any of these is enough; `all_`: everything in it that is part of a credential."""
    wanted, known = tuple(wanted), tuple(all_)
    best: Judged | None = None
    wrong = []
    for judged in finder.find(path, data):
        if any(covers(judged, secret, data) for secret in wanted):
            if best is None or judged.confidence > best.confidence:
                best = judged
        elif not any(value in whole or whole in value for value in (judged.context.value,) for whole in known):
            reason = ", ".join(f"{signal.name} {signal.weight:+d}" for signal in judged.signals)
            wrong.append(False_(f"beside, {place}", judged.candidate.rule.id, judged.confidence, path, reason))
    seen = Seen(part, kind, place, best.confidence if best else 0, best.candidate.kind.name if best else "")
    return seen, wrong


def asked(token: Token, context: Context) -> bool:
    """Whether the credential can be recognised in that context. The secret of a pair is known by its partner, so it needs its name as well."""
    return not context.alone or (token.alone and len(token.fields) == 1)


def drawn(
    finder: Finder, seeds: Iterable[int], contexts: Iterable[Context] = CONTEXTS, stride: int = 1
) -> Iterator[tuple[Seen, list[False_]]]:
    """The frozen formats in each context; with a stride only in each so-manyth, another one for each kind."""
    places = tuple(contexts)
    for number, shape in enumerate(formats()):
        for at, context in enumerate(places):
            if (at + number) % stride:
                continue
            for seed in seeds:
                token = shape.token(1000 * seed + at).named(at)
                if asked(token, context):
                    path, text = context.write(token)
                    yield look(finder, "formats", token.kind, context.name, path, text.encode(), (token.secret,), fields(token))


def fields(token: Token) -> list[bytes]:
    """Every value of the credential."""
    return [each.value.encode() for each in token.fields]


def encoded(finder: Finder, seed: int, stride: int = 1) -> Iterator[tuple[Seen, list[False_]]]:
    """The frozen formats in each encoding."""
    for number, shape in enumerate(formats()):
        for at, (name, encode) in enumerate(ENCODINGS.items()):
            if (at + number) % stride:
                continue
            token = shape.token(1000 * seed + 500 + at).named(0)
            text = "".join(f"{each.names[0]}={each.value}\n" for each in token.fields)
            yield look(
                finder, "encodings", token.kind, name, "values.txt", encode(text.encode()), (token.secret,), fields(token)
            )


def examples(finder: Finder, seed: int, stride: int = 1) -> Iterator[tuple[Seen, list[False_]]]:
    """The rules' own examples: each as it stands in a file of its own, and those that are a name and a value in a few further contexts."""
    for excerpt in excerpts(finder.registry, seed):
        data = b"# notes\n" + excerpt.text.rstrip(b"\n") + b"\n# end\n"
        yield look(
            finder,
            "examples",
            excerpt.kind,
            "as given",
            "notes.txt",
            data,
            excerpt.parts or (excerpt.text.strip(),),
            excerpt.parts,
        )
    plain = [context for context in CONTEXTS if not context.alone]
    for number, token in enumerate(assigned(finder.registry, seed)):
        for at in range(number % stride, len(plain), stride):
            path, text = plain[at].write(token)
            yield look(finder, "examples", token.kind, plain[at].name, path, text.encode(), (token.secret,), fields(token))


def none_of_these(finder: Finder, count: int, seed: int) -> Iterator[tuple[str, list[False_]]]:
    """The hard negatives, class by class, and what was found in each text."""
    for name, make in NEGATIVES.items():
        for path, text in make(count, seed):
            wrong = []
            for judged in finder.find(path, text.encode()):
                reason = ", ".join(f"{signal.name} {signal.weight:+d}" for signal in judged.signals)
                wrong.append(False_(name, judged.candidate.rule.id, judged.confidence, path, reason))
            yield name, wrong


def measure(finder: Finder, *, seeds: int = 1, stride: int = 1, negatives: int = 40, example_stride: int = 9) -> Measured:
    """Everything. `stride`: 1 puts each kind in each context, n in each n-th. `negatives`: texts of each class."""
    seen: list[Seen] = []
    wrong: list[False_] = []
    counted: Counter[str] = Counter()
    parts = (
        drawn(finder, range(seeds), stride=stride),
        encoded(finder, 1, stride),
        examples(finder, 11, example_stride * stride),
    )
    for part in parts:
        for one, beside in part:
            seen.append(one)
            wrong.extend(beside)
    for name, found in none_of_these(finder, negatives, 3):
        counted[name] += 1
        wrong.extend(found)
    return Measured(seen, wrong, counted)


def recall(seen: Iterable[Seen], threshold: int) -> float:
    """The share that a reader with this threshold is shown; 1 where there is nothing."""
    shown = [one.confidence >= threshold for one in seen]
    return sum(shown) / len(shown) if shown else 1.0


def by(seen: Iterable[Seen], of: str) -> dict[str, list[Seen]]:
    """Grouped by `kind`, `place` or `part`."""
    groups: dict[str, list[Seen]] = defaultdict(list)
    for one in seen:
        groups[getattr(one, of)].append(one)
    return dict(groups)
