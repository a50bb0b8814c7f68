"""Secrets inside encodings and in pieces are found, with the kind that they have, and are read again from their places."""

from __future__ import annotations

import base64
import gzip
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyward.flows.scan import ScanOptions, scan
from keyward.match import catalogue
from keyward.match.matcher import Matcher
from keyward.model.finding import Occurrence, Outcome
from keyward.registry import Registry
from keyward.scan.reread import reread
from keyward.testing.leaky_project import planted

VALUES = planted(21).values
TOKEN, KEY, SLACK = VALUES["github"], VALUES["anthropic"], VALUES["slack"]


def b64(data: bytes) -> bytes:
    return base64.b64encode(data)


CASES = {
    "base64": (b"data: " + b64(b"token=" + TOKEN + b" and more\n") + b"\n", TOKEN),
    "base64 of one byte before": (b"data: " + b64(b"=" + TOKEN + b" x") + b"\n", TOKEN),
    "base64 for URLs, without padding": (b"x=" + base64.urlsafe_b64encode(b'{"a":"' + KEY + b'"}').rstrip(b"=") + b"\n", KEY),
    "base64 over lines": (
        b"--\n" + base64.encodebytes(b"some text before " * 4 + SLACK + b" some text after" * 3) + b"\n",
        SLACK,
    ),
    "hexadecimal": (b"h = " + (b"token " + TOKEN + b" ").hex().encode() + b"\n", TOKEN),
    "percent": (b"u=?q=" + b"".join(b"%%%02X" % byte for byte in TOKEN) + b"\n", TOKEN),
    "gzip in base64": (b"z: " + b64(gzip.compress(b"key " + TOKEN + b"\n" * 30)) + b"\n", TOKEN),
    "HTML entities": (b"<p>" + b"".join(b"&#%d;" % byte for byte in TOKEN) + b"</p>\n", TOKEN),
    "\\u": (b's="' + b"".join(b"\\u%04x" % byte for byte in TOKEN) + b'"\n', TOKEN),
    "\\x": (b's="' + b"".join(b"\\x%02x" % byte for byte in TOKEN) + b'"\n', TOKEN),
    "quoted-printable": (
        b"Content-Transfer-Encoding: quoted-printable\n\nkey=3D" + TOKEN[:20] + b"=\n" + TOKEN[20:] + b"\n",
        TOKEN,
    ),
    "base64 in base64": (b"y: " + b64(b"inner " + b64(b"tok " + TOKEN + b" x")) + b"\n", TOKEN),
    "a data URL": (b'<a href="data:text/plain;base64,' + b64(b"hello " + TOKEN) + b'">\n', TOKEN),
    "a Kubernetes secret": (b"apiVersion: v1\nkind: Secret\ndata:\n  token: " + b64(TOKEN) + b"\n", TOKEN),
    "literals that are added": (b'T = "' + TOKEN[:15] + b'" + "' + TOKEN[15:] + b'"\n', TOKEN),
    "literals side by side": (b"T = ('" + TOKEN[:15] + b"'\n     '" + TOKEN[15:] + b"')\n", TOKEN),
    "a continued line": (b"export T=" + TOKEN[:15] + b"\\\n" + TOKEN[15:] + b"\n", TOKEN),
    "a colour in the middle": (b"tok " + TOKEN[:10] + b"\x1b[0m" + TOKEN[10:] + b"\n", TOKEN),
    "a character without width": (b"tok " + TOKEN[:10] + "\u200b".encode() + TOKEN[10:] + b"\n", TOKEN),
}


def scanned(path: Path, text: bytes) -> Outcome:
    path.write_bytes(text)
    return scan(ScanOptions(paths=(str(path),), baseline="", jobs=1))


def places(outcome: Outcome) -> list[Occurrence]:
    return [place for finding in outcome.findings for place in finding.occurrences]


@pytest.mark.parametrize(("text", "value"), CASES.values(), ids=CASES)
def test_found_once_with_its_kind_and_read_again(text: bytes, value: bytes, tmp_path: Path) -> None:
    found = places(scanned(tmp_path / "f.txt", b"# a file\n" + text))
    kind = {TOKEN: "github/pat-classic", KEY: "anthropic/api-key", SLACK: "slack/bot-token"}[value]
    assert [place.kind for place in found] == [kind]
    assert found[0].locator.encoding != "raw"
    again = reread(found[0].locator)
    assert again is not None and again.reveal() == value


_MATCHER: list[Matcher] = []


def matcher() -> Matcher:
    if not _MATCHER:
        registry = Registry()
        _MATCHER.append(Matcher(registry, catalogue.load(registry)))
    return _MATCHER[0]


def found_in(data: bytes) -> list[bytes]:
    hits = matcher().hits(data)
    judged, _ = matcher().judged(data, "f.txt", hits)
    triggered = matcher().triggered(hits)
    if triggered:
        judged, _ = matcher().with_encoded(data, "f.txt", triggered, judged)
    return [each.context.value for each in judged if each.confidence >= 50]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40), st.binary(max_size=40), st.sampled_from([TOKEN, KEY, SLACK]), st.booleans())
def test_at_every_alignment_and_whatever_stands_beside_it(before: bytes, after: bytes, value: bytes, url_safe: bool) -> None:
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    text = before + b" " + value + b" " + after
    assert value in found_in(b"x = " + encode(text) + b"\n")
    assert value in found_in(b"x = " + text.hex().encode() + b"\n")


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=200, max_size=3000))
def test_what_is_random_holds_nothing(data: bytes) -> None:
    assert found_in(b"x = " + b64(data) + b"\n") == []
    assert found_in(b"x = " + data.hex().encode() + b"\n") == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                b"Z2hwX",
                b"H4sI",
                b"eyJ",
                b"%67hp_",
                b"&#x67;",
                b"\\u0067",
                b"6768705f",
                b"=\n",
                b'" + "',
                b"\0",
                b"kind: Secret",
                b"data:\n a: ",
            ]
        ),
        max_size=300,
    )
)
def test_no_text_makes_it_raise(pieces: list[bytes]) -> None:
    found_in(b"".join(pieces))


@pytest.mark.parametrize(
    "piece", [b"Z2hwX0", b"H4sIAAAA", b"6768705f", b"%67hp", b"cGFzc3dvcmQ6"], ids=lambda piece: piece.decode()
)
def test_what_looks_encoded_everywhere_is_given_up_on_by_name_and_in_time(piece: bytes, tmp_path: Path) -> None:
    began = time.process_time()
    data = piece * (1_000_000 // len(piece))
    hits = matcher().hits(data)
    judged, _ = matcher().judged(data, "f.txt", hits)
    matcher().with_encoded(data, "f.txt", matcher().triggered(hits), judged)
    assert time.process_time() - began < 10  # two seconds on a quiet machine; without the limits it is a minute


def test_what_was_given_up_on_is_named(tmp_path: Path) -> None:
    draw = random.Random(5)
    noise = b"".join(b64(draw.randbytes(30) + b"ghp_" + draw.randbytes(300_000)) + b"\n" for _ in range(30))
    outcome = scanned(tmp_path / "f.txt", b"Z2hwX0" * 200_000 + noise)
    assert any("encoded" in item.reason for item in outcome.not_scanned)
