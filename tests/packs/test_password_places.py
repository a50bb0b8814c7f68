"""Passwords in URLs and settings: what was drawn counts wherever it points to, what everybody has does not."""

from __future__ import annotations

import pytest

from keyward.match.matcher import Matcher
from keyward.plugin.shapes import chars


def sure(matcher: Matcher, line: bytes, path: str = "app/settings.py") -> int:
    return max((judged.confidence for judged in matcher.find(line, path)), default=0)


@pytest.mark.parametrize("host", [b"localhost", b"127.0.0.1", b"db", b"db3.corp.io"])
@pytest.mark.parametrize("seed", range(5))
def test_a_drawn_password_counts_at_every_host(matcher: Matcher, host: bytes, seed: int) -> None:
    for length in (5, 8, 12):
        password = chars("bcdfghjkmnpqrtvwxz", length).sample(seed).text
        line = b'DATABASE_URL = "postgresql://svc_orders:%b@%b:5432/orders"\n' % (password, host)
        assert sure(matcher, line) >= 50
        assert length < 6 or sure(matcher, line, "tests/test_settings.py") >= 50


@pytest.mark.parametrize("password", [b"p4ssw0rd", b"pass%20pass", b"my-secret", b"postgres", b"guest"])
def test_what_everybody_has_counts_at_none(matcher: Matcher, password: bytes) -> None:
    assert sure(matcher, b'DATABASE_URL = "postgresql://john:%b@localhost:5432/orders"\n' % password) < 50


def test_a_setting_of_letters_that_make_no_word(matcher: Matcher) -> None:
    password = chars("bcdfghjkmnpqrtvwxz", 7).sample(3).text
    assert sure(matcher, b"MYSQL_ROOT_PASSWORD: %b\n" % password, "compose.yaml") >= 50
    assert sure(matcher, b"MYSQL_ROOT_PASSWORD: example\n", "compose.yaml") < 50
