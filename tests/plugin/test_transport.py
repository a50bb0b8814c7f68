"""What counts as this machine's own address, and how a connection is protected without a word about it."""

from __future__ import annotations

import pytest

from keyward.errors import HostRefused
from keyward.model.credential import Target
from keyward.plugin.ports import Hosts
from keyward.plugin.transport import is_loopback, tls_mode

OWN = ("localhost", "127.0.0.1", "127.9.8.7", "::1")
NOT_OWN = ("127.evil.example", "127.0.0.1.example", "localhost.example", "10.0.0.1", "0.0.0.0", "", "example.com")


def test_a_name_that_looks_like_loopback_is_anybodys() -> None:
    assert all(is_loopback(host) for host in OWN)
    assert not any(is_loopback(host) for host in NOT_OWN)


@pytest.mark.parametrize("host", NOT_OWN)
def test_elsewhere_the_certificate_is_looked_at_and_nothing_goes_in_the_clear(host: str) -> None:
    assert tls_mode(Target(host=host)) == "verify-full"
    with pytest.raises(HostRefused):
        Hosts().with_address(host, 80).check(host, 80, tls=False)


def test_the_operators_word_holds_if_it_is_one() -> None:
    assert tls_mode(Target(host="127.0.0.1")) == "prefer"
    assert tls_mode(Target(host="db.example", options={"sslmode": "verify-ca"})) == "verify-ca"
    with pytest.raises(ValueError, match="sslmode"):
        tls_mode(Target(host="db.example", options={"sslmode": "verify"}))
