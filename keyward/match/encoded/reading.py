"""Looks through what a buffer holds in an encoding: a layer around each trigger's hits, matched like any text, and the layers inside of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from keyward.match.encoded.characters import Groups, Wide, base64_layer, hex_layer, wide_encoding
from keyward.match.encoded.kubernetes import Manifest, document, is_text
from keyward.match.encoded.layer import Layer, Tail, through
from keyward.match.encoded.packed import Packed, packing, packing_before
from keyward.match.encoded.precedence import joined
from keyward.match.encoded.rewritten import PIECES, REWRITINGS, Rewritten, stretches
from keyward.match.encoded.runs import PACKED_FORWARD
from keyward.match.matcher import Judged
from keyward.model.finding import Signal
from keyward.model.rule import GENERIC, PROVIDER

if TYPE_CHECKING:
    from keyward.match.matcher import Matcher

DEPTH = 3
"""Encodings within encodings; what is packed, and UTF-16, count with what is around them."""

LEAST_BYTES = 4 << 20
"""Decoded bytes that are looked through in one buffer at most, or as many as it has itself."""

MOST_RUNS = 5_000
"""Runs, and stretches, that are decoded in one buffer at most."""

MOST_HITS = 2_500
"""Hits of rules inside encodings in one buffer that are looked at: each may cost a judgement. More where the buffer as it stands has more: they are hit again
wherever something around them is rewritten."""

MOST_PACKED = 50
"""Packed texts in one buffer that are unpacked."""

LONGEST_TAIL = 8192
"""Decoded bytes that are looked through again where it is not clear where a text begins."""

AROUND = 48
"""Decoded bytes on either side of a generic value that must be clean text."""

BROKEN = ("joined", "wrapped", "quoted-printable")
NARROWEST_TERMINAL = 60
"""Columns of a line from which on it may have been broken by a terminal."""

Hits = Mapping[str, Sequence[int]]


class Budget:
    """What one buffer may still cost, with so many `known` findings. `gave_up`: why something was left out; empty while nothing was."""

    def __init__(self, size: int, known: int = 0) -> None:
        self.gave_up = ""
        self._bytes = max(LEAST_BYTES, size)
        self._decoded = 4 * self._bytes
        self._runs = MOST_RUNS
        self._hits = MOST_HITS + known * len(REWRITINGS)
        self._packed = MOST_PACKED

    def run(self) -> bool:
        """Whether one more run may be decoded. Where something was given up on, nothing more is: what costs is the decoding."""
        if self.gave_up:
            return False
        self._runs -= 1
        return self._within(self._runs >= 0, f"more than {MOST_RUNS:,} places with something encoded")

    def decoded(self, size: int) -> bool:
        """Whether one may go on after so many more bytes were decoded: what overlaps is decoded again and again."""
        self._decoded -= size
        return self._within(self._decoded >= 0, "too much that is encoded")

    def text(self, size: int) -> bool:
        """Whether so many more decoded bytes may be looked through."""
        self._bytes -= size
        return self._within(self._bytes >= 0, "too much that is encoded")

    def packed(self) -> bool:
        """Whether one more packed text may be unpacked."""
        self._packed -= 1
        return self._within(self._packed >= 0, f"more than {MOST_PACKED} packed texts")

    def hits(self, hits: dict[int, list[int]]) -> dict[int, list[int]]:
        """As many of the hits as may be looked at."""
        allowed: dict[int, list[int]] = {}
        for number, ends in hits.items():
            allowed[number] = ends[: max(0, self._hits)]
            self._hits -= len(ends)
            self._within(self._hits >= 0, f"more than {MOST_HITS:,} places inside encodings that look like a secret")
        return allowed

    def _within(self, granted: bool, reason: str) -> bool:
        if not granted:
            self.gave_up = self.gave_up or f"{reason}; the rest of it was not decoded"
        return granted


def read(
    matcher: Matcher, data: bytes, path: str, hits: Hits, raw: Sequence[Judged], budget: Budget, depth: int = DEPTH
) -> list[Judged]:
    """The findings of a buffer as it stands (`raw`), with those inside its encodings, each credential once. Spans are those of the buffer."""
    found: list[Judged] = []
    covered: list[tuple[int, int]] = []
    for layer in _layers(data, hits, budget):
        if isinstance(layer, Manifest):
            covered.extend(layer.values)
        found.extend(_inside(matcher, data, path, layer, budget, depth))
    return joined(raw, found, covered)


def _layers(data: bytes, hits: Hits, budget: Budget) -> Iterator[Layer]:
    """The layers that the hits lead to."""
    yield from _manifests(data, hits.get("kubernetes", ()), budget)
    groups = [
        (end, name.partition(":")) for name, ends in hits.items() for end in ends if name.startswith(("base64:", "packed:"))
    ]
    yield from _base64(data, sorted((end, int(phase), name == "packed") for end, (name, _, phase) in groups), budget)
    last: Groups | None = None
    for end in hits.get("hex", ()):
        if last is not None and last.holds(end, 0):
            continue
        if not budget.run():
            return
        last = hex_layer(data, end)
        if last is not None:
            yield last
    for name in REWRITINGS:
        ends = [*hits.get(name, ()), *(hits.get("pieces", ()) if name in BROKEN else ())]
        for start, stop in stretches(data, sorted(ends), name):
            if not budget.run():
                return
            layer = Rewritten(data, start, stop, name)
            if len(layer.text) < stop - start:  # whatever is rewritten becomes shorter
                yield layer


def _manifests(data: bytes, ends: Sequence[int], budget: Budget) -> Iterator[Manifest]:
    last: Manifest | None = None
    for end in ends:
        if last is not None and last.start <= end < last.end:
            continue
        if not budget.run():
            return
        last = Manifest(data, *document(data, end))
        if last.values:
            yield last


def _base64(data: bytes, places: list[tuple[int, int, bool]], budget: Budget) -> Iterator[Layer]:
    last: Groups | None = None
    unpacked = -1
    for end, phase, packed in places:
        if packed:
            if end <= unpacked or not budget.packed():
                continue
            layer = base64_layer(data, end, phase, PACKED_FORWARD)
            begins = packing_before(layer.text, layer.text_at(end, phase) + 3) if layer else -1
            if layer and begins >= 0:
                unpacked = layer.end
                yield Tail(layer, begins, len(layer.text))
            continue
        if last is not None and last.holds(end, phase):
            continue
        if not budget.run():
            return
        layer = base64_layer(data, end, phase)
        if layer is None:
            continue
        last = layer
        at = layer.text_at(end, phase)
        yield layer
        if not _is_clean(layer.text, max(0, at - 9), at) and not wide_encoding(layer.text[:4096]):
            # something else of the same alphabet stands before it, a path or a prefix: the text may begin with any of these groups
            for begins in range(max(0, at - 9), at + 1, 3):
                yield Tail(layer, begins, begins + LONGEST_TAIL)


def _inside(matcher: Matcher, data: bytes, path: str, outer: Layer, budget: Budget, depth: int) -> list[Judged]:
    """What a layer holds, with its places in `data`."""
    layers = _unwrapped(outer)
    text = layers[0].text
    if not budget.text(len(text)):
        return []
    hits = matcher.hits(text)
    if not hits:
        return []
    triggered = matcher.triggered(hits) if depth > 1 else {}
    hits = budget.hits(matcher.of_rules(hits))
    judged = [each for each in matcher.judged(text, path, hits)[0] if _is_sound(each, text, outer, data)]
    if isinstance(outer, Rewritten):  # what is rewritten is rewritten at all its levels at once
        triggered = {name: ends for name, ends in triggered.items() if name not in REWRITINGS and name != "pieces"}
    if triggered:
        judged = read(matcher, text, path, triggered, judged, budget, depth - 1)
    return [_placed(each, layers) for each in judged]


def _unwrapped(outer: Layer) -> list[Layer]:
    """The layer, and before it those of what it holds if that is packed or in UTF-16: the innermost first."""
    layers: list[Layer] = [outer]
    if isinstance(outer, Rewritten):
        return layers
    for _ in range(2):
        text = layers[0].text
        name = packing(text)
        wide = "" if name else wide_encoding(text[:4096])
        if not name and not wide:
            break
        layers.insert(0, Packed(text, name) if name else Wide(text, wide))
    return layers


def _is_sound(judged: Judged, text: bytes, layer: Layer, data: bytes) -> bool:
    """Whether a finding inside a layer is more than chance: bytes that only look decoded hold anything."""
    start, end = judged.candidate.span
    rule = judged.candidate.rule
    if isinstance(layer, Rewritten):
        return layer.name not in PIECES or (rule.specificity > GENERIC and _is_in_pieces(judged, layer, data))
    if rule.specificity == PROVIDER:
        return is_text(text[start:end])
    return _is_clean(text, start, end)


def _is_in_pieces(judged: Judged, layer: Rewritten, data: bytes) -> bool:
    """Whether a value was found only because its pieces were put together, where somebody may have taken it apart."""
    start, end, encoding = through((layer,), *judged.candidate.span)
    if encoding == "raw":
        return False
    if layer.name != "wrapped":
        return True
    newline = data.find(b"\n", start, end)
    column = newline - (data.rfind(b"\n", max(0, newline - 400), newline) + 1)
    return column >= NARROWEST_TERMINAL


def _is_clean(text: bytes, start: int, end: int) -> bool:
    """Whether what stands around a value is text."""
    low, high = max(0, start - AROUND), min(len(text), end + AROUND)
    while low < start and text[low] & 0xC0 == 0x80:  # not inside a character
        low += 1
    while high > end and high < len(text) and text[high] & 0xC0 == 0x80:
        high -= 1
    return is_text(text[low:high])


def _placed(judged: Judged, layers: Sequence[Layer]) -> Judged:
    """The finding with spans of the source. Its context stays that of the decoded text."""
    candidate = judged.candidate
    spans: dict[str, Any] = {name: through(layers, *span) for name, span in candidate.parts.items()}
    where = through(layers, *candidate.span)
    encoding = "+".join(name for name in (where.encoding, judged.encoding) if name != "raw") or "raw"
    inside = candidate._replace(span=(where.start, where.end), parts={name: (at.start, at.end) for name, at in spans.items()})
    signals = judged.signals
    if encoding != "raw" and not any(signal.name == "encoded" for signal in signals):
        signals = (*signals, Signal("encoded", 0, "read through its encoding"))
    return judged._replace(candidate=inside, signals=signals, encoding=encoding)
