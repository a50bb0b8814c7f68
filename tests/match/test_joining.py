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
