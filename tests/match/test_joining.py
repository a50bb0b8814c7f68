"""Each id gets its own secret, whatever the file format, the order of the parts, and however many accounts stand together."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from keyward.match.catalogue import build
from keyward.match.matcher import Judged, Matcher
from keyward.match.personas import REGULAR
from keyward.plugin.shapes import Shape, an, b32, b64, concat, hexa
from keyward.registry import Registry, pack_files

NAMES = ("aws", "tencent", "twilio")


class Provider(NamedTuple):
    kind: str
    id_name: str
    secret_name: str
    id_shape: Shape
    secret_shape: Shape


AWS = Provider("aws/access-key", "aws_access_key_id", "aws_secret_access_key", concat("AKIA", b32(16)), concat("q7W", b64(36), "x"))
TENCENT = Provider("tencent/access-key", "tencentcloud_secret_id", "tencentcloud_secret_key", concat("AKID", an(32)), an(32))
TWILIO = Provider("twilio/auth-token", "twilio_account_sid", "twilio_auth_token", concat("AC", hexa(32)), hexa(32))
TWILIO_KEY = Provider("twilio/api-key", "twilio_api_key_sid", "twilio_api_key_secret", concat("SK", hexa(32)), an(32))
PROVIDERS = (AWS, TENCENT, TWILIO, TWILIO_KEY)

Pair = tuple[bytes, bytes]


def pairs(provider: Provider, count: int = 3) -> list[Pair]:
    return [(provider.id_shape.sample(20 + n).text, provider.secret_shape.sample(40 + n).text) for n in range(count)]


def ini(name: bytes, members: list[tuple[str, bytes]]) -> bytes:
    return b"[%s]\n" % name + b"".join(b"%s = %s\n" % (key.encode(), value) for key, value in members) + b"region = x\n\n"


def compact_ini(name: bytes, members: list[tuple[str, bytes]]) -> bytes:
    return b"[%s]\n" % name + b"".join(b"%s=%s\n" % (key.encode(), value) for key, value in members)


def env(name: bytes, members: list[tuple[str, bytes]]) -> bytes:
    return b"".join(b"%s_%s=%s\n" % (name.upper(), key.upper().encode(), value) for key, value in members)


def json_object(name: bytes, members: list[tuple[str, bytes]]) -> bytes:
    return b'  {"name": "%s", ' % name + b", ".join(b'"%s": "%s"' % (key.encode(), value) for key, value in members) + b"},\n"


def json_lines(name: bytes, members: list[tuple[str, bytes]]) -> bytes:
    return b'  "%s": {\n' % name + b",\n".join(b'    "%s": "%s"' % (key.encode(), value) for key, value in members) + b"\n  },\n"


def yaml(name: bytes, members: list[tuple[str, bytes]]) -> bytes:
    return b"%s:\n" % name + b"".join(b"  %s: '%s'\n" % (key.encode(), value) for key, value in members)


def yaml_list(name: bytes, members: list[tuple[str, bytes]]) -> bytes:
    first, *rest = members
    return b"- %s: %s\n" % (first[0].encode(), first[1]) + b"".join(b"  %s: %s\n" % (key.encode(), value) for key, value in rest)


def terraform(name: bytes, members: list[tuple[str, bytes]]) -> bytes:
    return (
        b'provider "cloud" {\n  alias = "%s"\n' % name
        + b"".join(b'  %s = "%s"\n' % (key.encode(), value) for key, value in members)
        + b"}\n\n"
    )


FORMATS = (ini, compact_ini, env, json_object, json_lines, yaml, yaml_list, terraform)


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    registry = Registry(disabled=[name for name, _ in pack_files() if name not in NAMES])
    return Matcher(registry, build(registry))


def joined(found: list[Judged]) -> list[Pair]:
    return [(j.context.parts.get("id", b""), j.context.parts.get("secret", b"")) for j in found if j.confidence >= REGULAR]


@pytest.mark.parametrize("secret_first", [False, True], ids=["id first", "secret first"])
@pytest.mark.parametrize("form", FORMATS, ids=lambda form: str(form.__name__))
@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: str(provider.kind))
def test_each_account_of_several_keeps_its_own_secret(matcher: Matcher, provider: Provider, form: object, secret_first: bool) -> None:
    assert callable(form)
    accounts = pairs(provider)
    text = b""
    for number, (identifier, secret) in enumerate(accounts):
        members = [(provider.id_name, identifier), (provider.secret_name, secret)]
        text += form(b"account%d" % number, members[::-1] if secret_first else members)
    assert joined(matcher.find(text)) == accounts


def members(provider: Provider, pair: Pair) -> list[tuple[str, bytes]]:
    return [(provider.id_name, pair[0]), (provider.secret_name, pair[1])]


@pytest.mark.parametrize("secret_first", [False, True], ids=["id first", "secret first"])
@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: str(provider.kind))
def test_a_long_file_of_accounts_without_any_mark_between_them(matcher: Matcher, provider: Provider, secret_first: bool) -> None:
    accounts = pairs(provider, 60)
    text = b""
    for number, pair in enumerate(accounts):
        ordered = members(provider, pair)
        text += env(b"a%d" % number, ordered[::-1] if secret_first else ordered)
    assert joined(matcher.find(text)) == accounts


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: str(provider.kind))
def test_an_id_without_a_secret_takes_nobody_elses(matcher: Matcher, provider: Provider) -> None:
    first, lone, last = pairs(provider)
    text = ini(b"first", members(provider, first)) + ini(b"lone", [(provider.id_name, lone[0])]) + ini(b"last", members(provider, last))
    assert [pair for pair in joined(matcher.find(text)) if pair[1]] == [first, last]
    swapped = ini(b"lone", [(provider.id_name, lone[0])]) + ini(b"last", members(provider, last)[::-1])
    assert [pair for pair in joined(matcher.find(swapped)) if pair[1]] == [last]


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: str(provider.kind))
def test_a_secret_without_an_id_is_a_finding_by_itself(matcher: Matcher, provider: Provider) -> None:
    first, lone, last = pairs(provider)
    text = ini(b"first", members(provider, first)) + ini(b"lone", [(provider.secret_name, lone[1])]) + ini(b"last", members(provider, last))
    assert joined(matcher.find(text)) == [first, (b"", lone[1]), last]
    alone = ini(b"lone", [(provider.secret_name, lone[1])])
    assert joined(matcher.find(alone)) == [(b"", lone[1])]


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: str(provider.kind))
def test_parts_in_neighbouring_blocks_belong_together_if_nothing_else_does(matcher: Matcher, provider: Provider) -> None:
    identifier, secret = pairs(provider, 1)[0]
    text = b'variable "%s" {\n  default = "%s"\n}\n\nvariable "%s" {\n  default = "%s"\n}\n' % (
        provider.id_name.encode(), identifier, provider.secret_name.encode(), secret,
    )  # fmt: skip
    assert joined(matcher.find(text)) == [(identifier, secret)]


def test_a_session_token_stays_with_its_profile(matcher: Matcher) -> None:
    text, expected = b"", []
    for number in range(3):
        parts = {
            "id": concat("ASIA", b32(16)).sample(number).text,
            "secret": AWS.secret_shape.sample(number).text,
            "session_token": concat("IQoJb3JpZ2lu", b64(300)).sample(number).text,
        }
        if number == 1:
            del parts["session_token"]
        names = {"id": AWS.id_name, "secret": AWS.secret_name, "session_token": "aws_session_token"}
        text += ini(b"p%d" % number, [(names[name], value) for name, value in parts.items()])
        expected.append(parts)
    assert [dict(judged.context.parts) for judged in matcher.find(text)] == expected


def test_thousands_of_ids_without_a_secret_cost_little(matcher: Matcher) -> None:
    import time

    text = b"".join(b"%s\n" % AWS.id_shape.sample(n).text for n in range(2000)) * 8
    started = time.process_time()
    matcher.find(text)
    assert time.process_time() - started < 4
