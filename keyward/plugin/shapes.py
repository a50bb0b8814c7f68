"""Building blocks for sample texts, so that no real-looking credential ever stands in the repository.

    TOKEN = concat("ghp_", an(30)).tail(crc32_base62)        # a value with its checksum computed
    assigned("GITHUB_TOKEN", TOKEN)                          # GITHUB_TOKEN=ghp_…       with the value labelled `secret`
    text("-H 'Authorization: Bearer ", part("secret", TOKEN), "'")

A shape gives the same text for the same seed, on every platform and Python version (SHAKE-256 is the generator).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Union

from keyward.model.rule import Sample

LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
DIGITS = "0123456789"
HEX = DIGITS + "abcdef"
ALNUM = UPPER + LOWER + DIGITS
B64 = ALNUM + "+/"
B64URL = ALNUM + "-_"
B32 = UPPER + "234567"

Piece = Union["Shape", str, bytes]


class Dice:
    """An endless, reproducible stream of small random numbers."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._block = 0
        self._bytes = b""

    def below(self, limit: int) -> int:
        """A number from 0 up to, not including, `limit` (at most 65,536)."""
        import hashlib

        if len(self._bytes) < 4:
            self._bytes = hashlib.shake_256(b"keyward shapes %d %d" % (self._seed, self._block)).digest(1024)
            self._block += 1
        raw, self._bytes = self._bytes[:4], self._bytes[4:]
        return int.from_bytes(raw, "big") % limit


class Shape:
    """Text with labelled parts, drawn from a seed. Shapes are added with `+` or `concat`."""

    def __init__(self, draw: Callable[[Dice], Sample]) -> None:
        self._draw = draw

    def sample(self, seed: int = 0) -> Sample:
        return self._draw(Dice(seed))

    def draw(self, dice: Dice) -> Sample:
        return self._draw(dice)

    def __add__(self, other: Piece) -> Shape:
        return concat(self, other)

    def __radd__(self, other: Piece) -> Shape:
        return concat(other, self)

    def map(self, change: Callable[[bytes], bytes]) -> Shape:
        """The same shape with its text changed (upper-cased, encoded); parts are changed alike."""

        def draw(dice: Dice) -> Sample:
            text, parts = self._draw(dice)
            return Sample(change(text), {name: change(value) for name, value in parts.items()})

        return Shape(draw)

    def tail(self, compute: Callable[[bytes], bytes]) -> Shape:
        """The shape followed by something computed from its text: a checksum."""

        def draw(dice: Dice) -> Sample:
            text, parts = self._draw(dice)
            return Sample(text + compute(text), parts)

        return Shape(draw)


def shape_of(piece: Piece) -> Shape:
    if isinstance(piece, Shape):
        return piece
    fixed = piece.encode() if isinstance(piece, str) else piece
    return Shape(lambda dice: Sample(fixed, {}))


def concat(*pieces: Piece) -> Shape:
    """The pieces one after another. Strings stand for themselves."""

    # what the pieces are is looked at when they are drawn: packs make ten thousand of these when they are imported, and few are ever drawn
    def draw(dice: Dice) -> Sample:
        samples = [shape_of(piece).draw(dice) for piece in pieces]
        parts = {name: value for sample in samples for name, value in sample.parts.items()}
        return Sample(b"".join(sample.text for sample in samples), parts)

    return Shape(draw)


text = concat


def part(name: str, piece: Piece) -> Shape:
    """Labels a piece as the part of the credential that the rule must find, byte for byte."""
    shape = shape_of(piece)

    def draw(dice: Dice) -> Sample:
        value = shape.draw(dice).text
        return Sample(value, {name: value})

    return Shape(draw)


def assigned(name: str, piece: Piece, *, part_name: str = "secret", form: str = "{name}={value}\n") -> Shape:
    """The value assigned to a name, labelled. `form` is the text around it, with `{name}` and `{value}`."""
    before, _, after = form.partition("{value}")
    return concat(before.replace("{name}", name), part(part_name, piece), after.replace("{name}", name))


def json_member(name: str, piece: Piece, *, part_name: str = "secret") -> Shape:
    """The value as a member of a JSON object, labelled."""
    return concat('{"' + name + '": "', part(part_name, piece), '"}\n')


def chars(alphabet: str, count: int) -> Shape:
    """`count` characters drawn evenly from the alphabet. From three characters up, never all of one class if the
    alphabet has letters and digits: a random sample must not look like a placeholder by chance."""

    def draw(dice: Dice) -> Sample:
        while True:
            drawn = "".join(alphabet[dice.below(len(alphabet))] for _ in range(count))
            if count < 8 or _mixed(drawn, alphabet):
                return Sample(drawn.encode(), {})

    return Shape(draw)


def _mixed(drawn: str, alphabet: str) -> bool:
    return all(any(c in drawn for c in group) for group in (DIGITS, "abcdef") if set(group) <= set(alphabet))


def an(count: int) -> Shape:
    """A-Z a-z 0-9."""
    return chars(ALNUM, count)


def hexa(count: int) -> Shape:
    """0-9 a-f."""
    return chars(HEX, count)


def upper_hex(count: int) -> Shape:
    return chars(HEX.upper(), count)


def digits(count: int) -> Shape:
    """Digits that do not begin with 0."""
    return concat(chars("123456789", 1), chars(DIGITS, count - 1))


def upper(count: int) -> Shape:
    """A-Z 0-9."""
    return chars(UPPER + DIGITS, count)


def lower(count: int) -> Shape:
    """a-z 0-9."""
    return chars(LOWER + DIGITS, count)


def b64(count: int) -> Shape:
    """The base64 alphabet, `count` characters, without padding."""
    return chars(B64, count)


def b64url(count: int) -> Shape:
    """A-Z a-z 0-9 - _; begins and ends with a letter or digit, so that word boundaries hold."""
    if count < 3:
        return chars(ALNUM, count)
    return concat(chars(ALNUM, 1), chars(B64URL, count - 2), chars(ALNUM, 1))


def b32(count: int) -> Shape:
    """A-Z 2-7."""
    return chars(B32, count)


def raw(count: int) -> Shape:
    """Bytes of any value; to be encoded by `map`."""
    return Shape(lambda dice: Sample(bytes(dice.below(256) for _ in range(count)), {}))


def one_of(*pieces: Piece) -> Shape:
    """One of the pieces."""
    shapes: Sequence[Shape] = [shape_of(piece) for piece in pieces]
    return Shape(lambda dice: shapes[dice.below(len(shapes))].draw(dice))


def uuid4() -> Shape:
    """A random version 4 UUID in lower case."""
    return concat(hexa(8), "-", hexa(4), "-4", hexa(3), "-", chars("89ab", 1), hexa(3), "-", hexa(12))


def jwt(payload: str, *, algorithm: str = "HS256", signature: int = 43) -> Shape:
    """A JSON Web Token with this payload (JSON text) and a random signature."""
    import base64
    import json

    def encode(data: str) -> str:
        return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")

    header = json.dumps({"alg": algorithm, "typ": "JWT"}, separators=(",", ":"))
    return concat(encode(header), ".", encode(payload), ".", b64url(signature))
