"""A stream is scrubbed the same, however it is cut."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyward.match import catalogue
from keyward.match.matcher import Matcher
from keyward.model.kind import Kind
from keyward.model.secret import Secret
from keyward.registry import Registry
from keyward.scrub import stream
from keyward.scrub.known import KnownSecret, KnownSecrets
from keyward.scrub.pseudonym import Pseudonyms
from keyward.scrub.redactor import Blinded, Redactor, Style
from keyward.scrub.stream import StreamScrubber, scrub_bytes
from keyward.testing.leaky_project import planted

VALUES = planted(7).values
FILES = planted(7).files
TEXT = b"\n".join(
    (
        b"2026-01-01 started",
        FILES[".env"],
        b"2026-01-02 more",
        FILES["docker-compose.yml"],
        b"done, nothing here\r\n\0\xff\xfe",
        b"end",
    )
)


@cache
def matcher() -> Matcher:
    registry = Registry()
    return Matcher(registry, catalogue.load(registry))


def redactor(known: KnownSecrets | None = None) -> Redactor:
    return Redactor(matcher(), Pseudonyms(b"k" * 32), known)


def through(pieces: list[bytes], style: Style = Style.TOKEN, pauses: frozenset[int] = frozenset()) -> bytes:
    scrubber = StreamScrubber(redactor(), style)
    out: list[bytes] = []
    for number, piece in enumerate(pieces):
        out += scrubber.feed(piece)
        if number in pauses:
            out += scrubber.pause()
    out += scrubber.finish()
    assert scrubber.held == 0 and scrubber.count.read == sum(map(len, pieces)) and not scrubber.count.withheld
    return b"".join(out)


def private_key() -> bytes:
    name = next(name for name in FILES if b"PRIVATE KEY" in FILES[name])
    return FILES[name]


def test_every_secret_goes_and_everything_else_stays() -> None:
    clean, redactions = scrub_bytes(redactor(), TEXT)
    planted_here = {name: value for name, value in VALUES.items() if value in TEXT}
    assert len(planted_here) >= 4
    assert [name for name, value in planted_here.items() if value in clean] == []
    rest, at = [], 0
    for each in redactions:
        rest.append(TEXT[at : each.start])
        at = each.end
    rest.append(TEXT[at:])
    for piece in rest:
        assert piece in clean


@pytest.mark.parametrize("style", Style)
def test_a_cut_at_every_offset(style: Style) -> None:
    whole, _ = scrub_bytes(redactor(), TEXT, style)
    for at in range(len(TEXT) + 1):
        assert through([TEXT[:at], TEXT[at:]], style) == whole


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, len(TEXT)), max_size=12))
def test_cut_anywhere(cuts: list[int]) -> None:
    borders = [0, *sorted(cuts), len(TEXT)]
    whole, _ = scrub_bytes(redactor(), TEXT)
    assert through([TEXT[a:b] for a, b in pairwise(borders)]) == whole


FILLER = b"an ordinary line of a log, and one more word\n" * (stream.BATCH // 40)


def across_the_border(value: bytes, inside: int) -> bytes:
    """More than a batch, with a value of which so many bytes stand before the place where the first batch is passed on."""
    border = stream.BATCH - stream.HOLD
    before = FILLER[: border - inside - 7] + b"\ntoken="
    return before + value + b"\n" + FILLER[: stream.BATCH]


@pytest.mark.parametrize("inside", range(-2, 45))
def test_a_border_of_batches_at_every_offset_of_a_value(inside: int) -> None:
    data = across_the_border(VALUES["github"], inside)
    out = through([data[at : at + stream.BATCH] for at in range(0, len(data), stream.BATCH)])
    before, found, after = out.partition(b"[redacted:github/pat-classic:")
    assert found and data.startswith(before) and data.endswith(after[5:])


@pytest.mark.parametrize("inside", range(-10, 1800, 137))
def test_a_border_of_batches_within_a_private_key(inside: int) -> None:
    key = private_key().strip()
    data = across_the_border(key, inside)
    out = through([data[at : at + stream.BATCH] for at in range(0, len(data), stream.BATCH)])
    assert out.count(b"[redacted:private-key/") == 1
    assert not [line for line in key.split(b"\n")[1:-1] if line in out]


def test_many_small_reads_of_a_long_stream() -> None:
    data = across_the_border(VALUES["github"], 20)
    assert through([data[at : at + 65_536] for at in range(0, len(data), 65_536)]) == through([data])


def test_one_line_without_an_end_is_held_in_bounded_memory() -> None:
    scrubber = StreamScrubber(redactor())
    most = 0
    for number in range(400):
        piece = b"x" * 65_000 + (b" " + VALUES["github"] + b" " if number == 200 else b"")
        assert VALUES["github"] not in b"".join(scrubber.feed(piece))
        most = max(most, scrubber.held)
    assert VALUES["github"] not in b"".join(scrubber.finish())
    assert most < 2 * stream.BATCH


def test_lines_are_passed_on_when_the_stream_pauses() -> None:
    scrubber = StreamScrubber(redactor())
    assert b"".join(scrubber.feed(b"first\nsecond " + VALUES["github"][:20])) == b""
    assert b"".join(scrubber.pause()) == b"first\n"
    scrubber.feed(VALUES["github"][20:] + b"\nthird")
    passed = b"".join(scrubber.pause())
    assert passed.startswith(b"second [redacted:github/pat-classic:") and passed.endswith(b"]\n")
    assert b"".join(scrubber.finish()) == b"third"


def test_a_private_key_is_held_until_it_ends_and_goes_as_a_whole() -> None:
    key = private_key()
    lines = [line + b"\n" for line in (b"before\n" + key.strip() + b"\nafter").split(b"\n")]
    scrubber = StreamScrubber(redactor())
    out: list[bytes] = []
    for line in lines:
        out += scrubber.feed(line) + scrubber.pause()
    out += scrubber.finish()
    text = b"".join(out)
    assert text.startswith(b"before\n") and text.rstrip().endswith(b"after") and b"[redacted:private-key/" in text
    body = [line.strip() for line in key.split(b"\n") if b"-----" not in line and len(line.strip()) > 20]
    assert body and not [line for line in body if line in text]


def test_a_private_key_cut_at_every_offset_with_a_pause_there() -> None:
    """What `tail -f` sees of a key that is being written."""
    key = private_key().strip()
    data = b"before\nkey: " + key + b"\nafter\n"
    whole, _ = scrub_bytes(redactor(), data)
    body = [line for line in key.split(b"\n") if b"-----" not in line]
    assert len(body) > 5 and not [line for line in body if line in whole]
    for at in range(len(data) + 1):
        assert through([data[:at], data[at:]], pauses=frozenset((0, 1))) == whole, at


def test_a_known_value_of_several_lines_cut_at_every_offset_with_a_pause_there() -> None:
    value = b"correct horse\n  battery: staple\nof several lines\n"
    known = KnownSecrets([KnownSecret(Kind("lane/config"), Secret(value.strip()), "k3f9")])
    for before, after in ((b"first\nit is ", b"\nlast\n"), (b"", b""), (b"correct horse\n", b"\ncorrect horse\nlast\n")):
        data = before + value.strip() + after
        for at in range(len(data) + 1):
            scrubber = StreamScrubber(redactor(known))
            out = scrubber.feed(data[:at]) + scrubber.pause() + scrubber.feed(data[at:]) + scrubber.pause() + scrubber.finish()
            assert b"".join(out) == before + b"[redacted:lane/config:k3f9]" + after, at


def test_lines_that_only_begin_like_a_known_value_are_passed_on() -> None:
    known = KnownSecrets([KnownSecret(Kind("lane/config"), Secret(b"first line\nsecond line\nthird line"), "k3f9")])
    scrubber = StreamScrubber(redactor(known))
    assert scrubber.feed(b"before\nfirst line\n") + scrubber.pause() == [b"before\n"]
    assert scrubber.feed(b"second") + scrubber.pause() == []
    assert b"".join(scrubber.feed(b" thought\n") + scrubber.pause()) == b"first line\nsecond thought\n"
    assert scrubber.held == 0


def test_a_begun_key_that_never_ends_does_not_stop_the_stream() -> None:
    scrubber = StreamScrubber(redactor())
    begin = private_key().split(b"\n", 1)[0]
    out = scrubber.feed(begin + b"\n") + scrubber.pause()
    assert not out
    for _ in range(30):
        out += scrubber.feed(b"an ordinary line of a log, and one more word\n" * 1000) + scrubber.pause()
    assert b"".join(out).count(b"an ordinary line") > 20_000


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, len(TEXT)), max_size=8), st.sets(st.integers(0, 9)))
def test_pauses_leak_nothing(cuts: list[int], pauses: set[int]) -> None:
    borders = [0, *sorted(cuts), len(TEXT)]
    out = through([TEXT[a:b] for a, b in pairwise(borders)], pauses=frozenset(pauses))
    assert [
        name for name, value in VALUES.items() if name in ("github", "anthropic", "slack", "postgres") and value in out
    ] == []


class Failing(Redactor):
    """Fails wherever a word stands."""

    def __init__(self, error: Exception) -> None:
        super().__init__(matcher(), Pseudonyms(b"k" * 32))
        self._error = error

    def redactions(self, data: bytes, path: str = "") -> list:  # type: ignore[type-arg]
        if b"poison" in data:
            raise self._error
        return super().redactions(data, path)


@pytest.mark.parametrize("error", [RuntimeError("x"), MemoryError(), Blinded(["a/b"])])
def test_what_cannot_be_looked_at_is_withheld(error: Exception) -> None:
    scrubber = StreamScrubber(Failing(error))
    out = scrubber.feed(b"good one\n") + scrubber.pause()
    out += scrubber.feed(b"poison " + VALUES["github"] + b"\n") + scrubber.pause()
    out += scrubber.feed(b"good two\n") + scrubber.pause() + scrubber.finish()
    text = b"".join(out)
    assert text.startswith(b"good one\n") and text.endswith(b"good two\n")
    assert b"withheld" in text and b"poison" not in text and VALUES["github"] not in text
    assert scrubber.count.withheld == len(b"poison " + VALUES["github"] + b"\n")


def test_a_known_value_goes_in_every_encoding() -> None:
    import base64
    import json
    from urllib.parse import quote

    value = "pa ss'wo\"rd/€$!x9"
    known = KnownSecrets([KnownSecret(Kind("lane/password"), Secret(value.encode()), "k3f9")])
    raw = value.encode()
    forms = [
        raw,
        json.dumps(value).encode(),
        json.dumps(json.dumps({"a": value})).encode(),
        quote(value).encode(),
        quote(value, safe="").lower().encode(),
        b"'" + raw.replace(b"'", b"'\\''") + b"'",
        *(base64.b64encode(b"q" * n + raw + b"tail") for n in range(5)),
        *(base64.urlsafe_b64encode(b"q" * n + raw) for n in range(5)),
        value.encode("utf-16-le"),
    ]
    for form in forms:
        out, redactions = scrub_bytes(redactor(known), b"x=" + form + b";y")
        assert [(each.kind, each.pseudonym) for each in redactions] == [("lane/password", "k3f9")], form
        assert b"[redacted:lane/password:k3f9]" in out


def test_thousands_of_known_values_are_all_looked_for() -> None:
    values = [b"value-%06d-secret" % number for number in range(3000)]
    known = KnownSecrets([KnownSecret(Kind("lane/x"), Secret(value), f"p{n}") for n, value in enumerate(values)])
    text = b"\n".join(values)
    out, redactions = scrub_bytes(redactor(known), text)
    assert len(redactions) == 3000 and b"secret" not in out
    assert len(known) == 3000 and "3000" in repr(known) and "value-" not in repr(known)


@pytest.mark.parametrize("style", Style)
def test_styles(style: Style) -> None:
    token = VALUES["github"]
    out, _ = scrub_bytes(redactor(), b"a " + token + b" b\n", style)
    if style is Style.SAME_LENGTH:
        assert len(out) == len(token) + 5 and out.startswith(b"a [redacted:") and out.endswith(b" b\n")
    elif style is Style.REMOVE:
        assert out == b"a  b\n"
    else:
        assert out.startswith(b"a [redacted:github/pat-classic:") and out.endswith(b"] b\n")


def test_the_same_secret_reads_the_same_everywhere_and_another_key_reads_otherwise() -> None:
    one, _ = scrub_bytes(redactor(), b"x " + VALUES["github"])
    two, _ = scrub_bytes(redactor(), b"another file: " + VALUES["github"] + b"\n")
    assert one.split(b":")[-1] == two.strip().split(b":")[-1]
    other, _ = scrub_bytes(Redactor(matcher(), Pseudonyms(b"z" * 32)), b"x " + VALUES["github"])
    assert other != one
