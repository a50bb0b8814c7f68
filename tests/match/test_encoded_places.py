"""Where a value stands in its encoding, what is reported of several readings of one place, and what is no secret."""

from __future__ import annotations

import base64
import bz2
import gc
import gzip
import hashlib
import html
import json
import lzma
import random
import string
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests_support import token

from keyward.match import catalogue
from keyward.match.encoded import packed, rewritten
from keyward.match.encoded.characters import base64_layer, decode_base64, decode_hex, hex_layer
from keyward.match.encoded.decoding import decoder
from keyward.match.encoded.layer import Layer, place, sliced, steps
from keyward.match.fingerprint import Fingerprinter
from keyward.match.matcher import Judged, Matcher
from keyward.model.finding import Occurrence
from keyward.registry import Registry
from keyward.scan.examine import Examiner
from keyward.scan.pool import examine_file
from keyward.scan.reread import reread

REGISTRY = Registry()
MATCHER = Matcher(REGISTRY, catalogue.load(REGISTRY))
EXAMINER = Examiner(MATCHER, Fingerprinter(bytes(16)))
TOKEN, OTHER = token(51), token(52)
PASSWORD = b"tR7#" + b"kwPq4!mz9"


def b64(text: bytes) -> bytes:
    return base64.b64encode(text)


def found_in(data: bytes, path: str = "f.txt") -> list[Judged]:
    hits = MATCHER.hits(data)
    judged, _ = MATCHER.judged(data, path, hits)
    return MATCHER.with_encoded(data, path, MATCHER.triggered(hits), judged)[0]


def scanned(path: Path, data: bytes) -> list[Occurrence]:
    path.write_bytes(data)
    examined = examine_file(EXAMINER, str(path), follow=False)
    assert examined.problems == []
    return examined.occurrences


def the_value(occurrence: Occurrence) -> bytes:
    value = reread(occurrence.locator)
    assert value is not None
    return value.reveal()


SECRET_YAML = b"""apiVersion: v1
kind: ConfigMap
data:
  greeting: not-encoded
---
apiVersion: v1
kind: Secret
metadata:
  name: orders
type: Opaque
data:
  username: %s
  password: %s
  deploy-token: "%s"
---
kind: Service
"""


def test_the_data_of_a_kubernetes_secret_has_the_names_of_its_keys(tmp_path: Path) -> None:
    data = SECRET_YAML % (b64(b"svc_orders"), b64(PASSWORD), b64(TOKEN))
    found = scanned(tmp_path / "secret.yaml", data)
    assert [(o.kind, o.locator.encoding, o.line) for o in found] == [
        ("generic/secret", "base64", 13),
        ("github/pat-classic", "base64", 14),
    ]
    assert [the_value(o) for o in found] == [PASSWORD, TOKEN]
    assert data[found[0].locator.start : found[0].locator.end] == b64(PASSWORD)


def test_the_same_in_json_and_within_a_list(tmp_path: Path) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "data": {"password": b64(PASSWORD).decode(), "note": b64(b"hello").decode()}}
    for text in (json.dumps(secret), json.dumps({"kind": "List", "items": [secret]}, indent=2)):
        found = scanned(tmp_path / "secret.json", text.encode())
        assert [the_value(o) for o in found] == [PASSWORD]


def test_the_text_of_an_entry_that_is_no_secret_is_not_reported_in_base64_either(tmp_path: Path) -> None:
    """`token: Y2hhbmdlbWU…` looks random until it is decoded."""
    data = SECRET_YAML % (b64(b"svc_orders"), b64(b"changeme-please-changeme"), b64(b"the-name-of-the-token"))
    assert scanned(tmp_path / "secret.yaml", data) == []


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (b'{"auths": {"ghcr.io": {"auth": "%s"}}}', {"github/pat-classic"}),
        (b'curl -H "Authorization: Basic %s" https://api.corp.io/\n', {"github/pat-classic"}),
    ],
)
def test_a_token_in_a_pair_is_what_it_is(text: bytes, kinds: set[str], tmp_path: Path) -> None:
    found = scanned(tmp_path / "f.json", text % b64(b"svc:" + TOKEN))
    assert {o.kind for o in found} == kinds
    assert [the_value(o) for o in found] == [TOKEN]


def test_a_pair_with_a_password_stays_a_pair(tmp_path: Path) -> None:
    found = scanned(tmp_path / "config.json", b'{"auths": {"ghcr.io": {"auth": "%s"}}}' % b64(b"svc:" + PASSWORD))
    assert [(o.kind, o.locator.encoding) for o in found] == [("docker/registry-auth", "raw")]


def test_the_settings_of_docker_within_a_kubernetes_secret_name_the_pair(tmp_path: Path) -> None:
    settings_ = b64(json.dumps({"auths": {"ghcr.io": {"auth": b64(b"svc:" + PASSWORD).decode()}}}).encode())
    data = b"kind: Secret\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: " + settings_ + b"\n"
    found = scanned(tmp_path / "pull.yaml", data)
    assert [(o.kind, the_value(o)) for o in found] == [("docker/registry-auth", b64(b"svc:" + PASSWORD))]


def test_a_private_key_in_base64_is_reported_once(tmp_path: Path) -> None:
    rule = next(rule for _, rule in REGISTRY.rules() if rule.id == "private-key/pem")
    pem = rule.examples[0].sample(4).parts["secret"]
    found = scanned(tmp_path / "tls.yaml", b"kind: Secret\ndata:\n  tls.key: " + b64(pem + b"\n") + b"\n")
    assert [o.kind for o in found] == ["private-key/pem"]


def test_several_values_in_one_packed_text_are_several_findings(tmp_path: Path) -> None:
    data = b"z: " + b64(gzip.compress(b"one " + TOKEN + b"\ntwo " + OTHER + b"\n")) + b"\n"
    found = scanned(tmp_path / "f.txt", data)
    assert sorted(the_value(o) for o in found) == sorted((TOKEN, OTHER))
    assert {o.locator.encoding.partition("[")[0] for o in found} == {"base64+gzip"}


def test_a_release_of_helm(tmp_path: Path) -> None:
    release = gzip.compress(json.dumps({"name": "orders", "config": {"token": TOKEN.decode()}}).encode(), mtime=0)
    data = b"kind: Secret\ntype: helm.sh/release.v1\ndata:\n  release: " + b64(b64(release)) + b"\n"
    found = scanned(tmp_path / "release.yaml", data)
    assert [(o.kind, the_value(o)) for o in found] == [("github/pat-classic", TOKEN)]


def test_a_command_of_powershell(tmp_path: Path) -> None:
    command = b64(f"$env:GITHUB_TOKEN = '{TOKEN.decode()}'; git push".encode("utf-16-le"))
    found = scanned(tmp_path / "run.cmd", b"powershell -EncodedCommand " + command + b"\r\n")
    assert [(o.kind, the_value(o)) for o in found] == [("github/pat-classic", TOKEN)]
    assert found[0].locator.encoding.endswith("+utf-16-le")


def test_base64_in_a_file_in_utf_16(tmp_path: Path) -> None:
    text = f"# the settings\r\nVALUE={b64(b'token=' + TOKEN).decode()}\r\n".encode("utf-16-le")
    found = scanned(tmp_path / "f.txt", b"\xff\xfe" + text)
    assert [(o.kind, the_value(o)) for o in found] == [("github/pat-classic", TOKEN)]
    assert found[0].locator.encoding.startswith("utf-16-le+base64")


def test_base64_in_a_string_of_json_with_escapes(tmp_path: Path) -> None:
    """Through the view of the file's format, and then through the encoding."""
    inner = json.dumps({"note": "first line\nsecond", "blob": b64(b"token: " + TOKEN).decode()})
    found = scanned(tmp_path / "f.jsonl", json.dumps({"text": inner}).encode() + b"\n")
    assert [(o.kind, the_value(o)) for o in found] == [("github/pat-classic", TOKEN)]


@pytest.mark.parametrize(
    "text",
    [
        b'<div data-props="' + html.escape(json.dumps({"password": PASSWORD.decode()})).encode() + b'">\n',
        b"log(" + json.dumps(json.dumps({"password": PASSWORD.decode()})).encode() + b")\n",
        b"log(" + json.dumps(json.dumps(json.dumps({"password": PASSWORD.decode()}))).encode() + b")\n",
    ],
    ids=["entities", "JSON in a string", "JSON in a string in a string"],
)
def test_where_only_what_stands_around_a_value_is_encoded_its_bytes_are_its_place(text: bytes, tmp_path: Path) -> None:
    found = scanned(tmp_path / "f.txt", text)
    assert [(o.locator.encoding, the_value(o)) for o in found] == [("raw", PASSWORD)]
    assert text[found[0].locator.start : found[0].locator.end] == PASSWORD


def test_a_url_within_a_url(tmp_path: Path) -> None:
    url = b"postgres://svc:" + PASSWORD.replace(b"#", b"%23") + b"@db.corp.io/orders"
    found = scanned(tmp_path / "f.txt", b"next=" + quote(url, safe="").encode() + b"\n")
    assert [o.kind for o in found] == ["postgresql/password"]


PIECES = {
    "of JavaScript": b'const t = "%s" +\n  "%s";\n',
    "of Go": b't := "%s" + "%s"\n',
    "of C": b'char *t = "%s"\n          "%s";\n',
    "of a shell": b'T="%s""%s"\n',
    "of another shell": b"T='%s'\"%s\"\n",
    "with a continued line": b"export T=%s\\\n%s\n",
    "of YAML, folded": b't: "%s\\\n    %s"\n',
    "of PHP": b"$t = '%s' . '%s';\n",
    "with a byte order mark": b"t %s\xef\xbb\xbf%s\n",
    "with a soft hyphen": b"t %s\xc2\xad%s\n",
    "with a change of colour": b"t %s\x1b[0;31m%s\n",
    "quoted-printable": b"t=3D%s=\r\n%s\r\n",
    "broken by a terminal": b"$ " + b"a" * 50 + b" export T=%s\n%s\n$ ls\n",
}


@pytest.mark.parametrize("text", PIECES.values(), ids=PIECES)
@pytest.mark.parametrize("cut", [4, 11, 30])
def test_a_value_in_pieces(text: bytes, cut: int, tmp_path: Path) -> None:
    found = scanned(tmp_path / "f.txt", text % (TOKEN[:cut], TOKEN[cut:]))
    assert [(o.kind, the_value(o)) for o in found] == [("github/pat-classic", TOKEN)]


@pytest.mark.parametrize(
    "text",
    [
        b"T=%s\n" + TOKEN[11:] + b"\n",  # a short line was not broken by a terminal
        b'a = ["%s", "' + TOKEN[11:] + b'"]\n',  # two values
        b'a = "%s" if b else "' + TOKEN[11:] + b'"\n',
        b"%s\n\n" + TOKEN[11:] + b"\n",
    ],
)
def test_what_only_stands_near_is_not_put_together(text: bytes) -> None:
    assert found_in(text % TOKEN[:11]) == []


def test_a_whole_value_is_not_put_together_with_what_follows() -> None:
    for text in (b"a" * 60 + b" T=" + TOKEN + b"\nabc\n", b'"' + TOKEN + b'" + "abcdefghij"\n'):
        assert [(one.context.value, one.encoding) for one in found_in(text)] == [(TOKEN, "raw")]


def random_text(draw: random.Random, words: int) -> bytes:
    alphabet = string.ascii_lowercase + "     \n"
    return "".join(draw.choice(alphabet) for _ in range(words * 6)).encode()


def no_secrets() -> dict[str, bytes]:
    draw = random.Random(8)
    lock = b"".join(b'"integrity": "sha512-%s"\n' % b64(draw.randbytes(64)) for _ in range(3000))
    sums = b"".join(b"%s  file-%d\n" % (hashlib.sha256(draw.randbytes(9)).hexdigest().encode(), at) for at in range(3000))
    certificate = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(draw.randbytes(90_000)) + b"-----END CERTIFICATE-----\n"
    image = b"url(data:image/png;base64," + b64(b"\x89PNG\r\n\x1a\n" + draw.randbytes(200_000)) + b")\n"
    return {
        "a lock file": lock,
        "checksums": sums,
        "a certificate": certificate,
        "an image": image,
        "clean text": b"v: " + b64(random_text(draw, 20_000)) + b"\n",
        "clean text in hex": b"v: " + random_text(draw, 20_000).hex().encode() + b"\n",
        "names without values": b"v: " + b64(b'{"password": null, "token_url": "https://corp.io/token", "secret": ""}' * 50) + b"\n",
        "random behind names": b"v: " + b64(b"".join(b"token" + draw.randbytes(20) for _ in range(2000))) + b"\n",
    }


@pytest.mark.parametrize(("name", "data"), no_secrets().items(), ids=no_secrets())
def test_what_is_no_secret(name: str, data: bytes) -> None:
    assert [(one.candidate.rule.id, one.encoding) for one in found_in(data)] == []


def test_clean_text_costs_no_more_than_looking_at_it() -> None:
    """No trigger, nothing imported for it: the second look is asked for by a hit alone."""
    text = random_text(random.Random(1), 100_000)
    assert MATCHER.triggered(MATCHER.hits(text)) == {}


HOSTILE = {
    "phases": b"Z2hwX0",
    "names": b64(b"password token secret " * 30),
    "packed": b64(gzip.compress(b'password = "' + PASSWORD + b'"\n' * 100_000)),
    "entities": b"&#103;",
    "escapes": b"\\u0067",
    "percent": b"%67",
    "pluses": b'aaaaaaaa" + "',
    "gaps": b' ghp_abcd"' + b" " * 79 + b'"',
    "manifests": b"kind: Secret\ndata:\n  a: YWJj\n",
    "narrow lines": b64(b"password = ")[:16] + b"\n",
    "soft breaks": b"=3D=\n",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_the_cost_grows_with_the_text_and_no_faster(piece: bytes) -> None:
    def seconds(size: int) -> float:
        data = (piece * (size // len(piece) + 1))[:size]
        gc.disable()  # the collector goes over the heap of a whole suite, and workers hardly let it run
        try:
            began = time.process_time()
            found_in(data)
            return time.process_time() - began
        finally:
            gc.enable()

    small = min(seconds(60_000) for _ in range(2))
    large = min(seconds(600_000) for _ in range(2))
    assert large < 0.1 or large < 40 * small
    assert large < 4  # two seconds for a megabyte on a quiet machine


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["base64", "hex", *packed.NAMES, *rewritten.REWRITINGS, "utf-16-le", "utf-16-be"]))
def test_no_decoder_raises(data: bytes, name: str) -> None:
    decode = decoder(f"{name}[3:-2]+{name}")
    assert decode is not None
    decode(data)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([gzip.compress, bz2.compress, lzma.compress]), st.data())
def test_what_is_packed_and_damaged_gives_what_can_be_read(text: bytes, pack: object, draw: st.DataObject) -> None:
    whole: bytes = pack(text)  # type: ignore[operator]  # three functions of one form
    name = packed.packing(whole)
    assert packed.unpack(whole, name) == text
    cut = draw.draw(st.integers(0, len(whole)))
    assert text.startswith(packed.unpack(whole[:cut], name))
    packed.unpack(whole[:cut] + b"\0\xff" + whole[cut:], name)


def test_a_bomb_is_unpacked_up_to_the_limit() -> None:
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        bomb = pack(bytes(50_000_000))
        assert len(packed.unpack(bomb, packed.packing(bomb))) == packed.MOST


def check_places(layer: Layer, data: bytes, start: int, end: int) -> None:
    """A stretch of a layer's text is given back by its place."""
    where = place(layer, start, end)
    source = data[where.start : where.end]
    again = decoder(where.encoding) if where.encoding else bytes
    assert again is not None and again(source) == layer.text[start:end]


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=30, max_size=300), st.integers(20, 76), st.integers(0, 6), st.booleans(), st.data())
def test_places_in_base64_and_hex(text: bytes, width: int, indentation: int, url_safe: bool, draw: st.DataObject) -> None:
    start = draw.draw(st.integers(0, len(text) - 1))
    end = draw.draw(st.integers(start + 1, len(text)))
    encoded = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(text)
    for run, layer_of in ((encoded, lambda data, at: base64_layer(data, at, 0)), (text.hex().encode(), hex_layer)):
        lines = [run[at : at + width] for at in range(0, len(run), width)]
        data = b"v: |\n" + b"".join(b" " * indentation + line + b"\n" for line in lines)
        layer = layer_of(data, data.index(lines[0]))
        assert layer is not None and layer.text == text
        check_places(layer, data, start, end)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=4), st.sampled_from([b"%67", b"\\u0067", b"\\x67", b"&#103;", b"=3D", b"=\n", b'" + "', b"\xc2\xad", b"\\\n"])), max_size=40),
    st.sampled_from(list(rewritten.REWRITINGS)),
    st.data(),
)
def test_places_in_what_is_rewritten(parts: list[bytes], name: str, draw: st.DataObject) -> None:
    data = b"abc " + b"".join(parts) + b" xyz"
    layer = rewritten.Rewritten(data, 0, len(data), name)
    start = draw.draw(st.integers(0, len(layer.text) - 1))
    end = draw.draw(st.integers(start + 1, len(layer.text)))
    first, last = layer.unit(start), layer.unit(end - 1)
    assert first.start <= start < first.end and last.start < end <= last.end
    assert first.source_start <= last.source_start and last.source_end <= len(data)
    if first.start == start and name not in ("joined", "wrapped"):  # those two look at what stands before them
        check_places(layer, data, start, end)


@given(st.integers(0, 99), st.integers(0, 99))
def test_the_name_of_an_encoding_is_read_as_it_is_written(first: int, last: int) -> None:
    written = "base64" + sliced(first, last) + "+utf-16-le"
    assert [tuple(step) for step in steps(written)] == [("base64", first, last), ("utf-16-le", 0, 0)]
    assert not steps("base64[1]") and decoder("rot13") is None and decoder("") is None


@given(st.binary(max_size=200))
def test_decoding_is_the_inverse_of_encoding(text: bytes) -> None:
    assert decode_base64(b64(text)) == decode_base64(base64.urlsafe_b64encode(text).rstrip(b"=")) == text
    assert decode_base64(base64.encodebytes(text)) == text
    assert decode_hex(text.hex().encode()) == decode_hex(text.hex().upper().encode()) == text
