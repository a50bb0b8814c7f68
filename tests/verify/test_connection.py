"""Where a connection string leads, and whether anybody is asked there."""

from __future__ import annotations

import pytest

from keyward.errors import HostRefused
from keyward.model.credential import Credential, Target
from keyward.model.kind import Kind
from keyward.model.secret import Secret
from keyward.verify.connection import check_public, target_of


def held(host: str, kind: str = "postgresql/url") -> Credential:
    return Credential(Kind(kind), {"host": Secret(host.encode()), "user": Secret(b"svc"), "secret": Secret(b"x")})


@pytest.mark.parametrize(
    ("provider", "before", "after", "port", "database"),
    [
        ("postgresql", b"postgres://svc:", b"@db.x.example:6000/orders?sslmode=require", 6000, "orders"),
        ("postgresql", b"postgres://svc:", b"@db.x.example/orders", 5432, "orders"),
        ("postgresql", b'url = "postgres://svc:', b'@db.x.example"', 5432, ""),
        ("postgresql", b"host=db.x.example port=6001 user=svc password=", b" dbname=shop", 6001, "shop"),
        ("mysql", b"mysql://svc:", b"@db.x.example:3307/a", 3307, "a"),
        ("redis", b"rediss://svc:", b"@db.x.example:6380", 6380, ""),
        ("pgpass", b"db.x.example:6002:orders:svc:", b"", 6002, "orders"),
        ("pgpass", b"db.x.example:*:*:svc:", b"", 5432, ""),
    ],
)
def test_the_port_is_the_strings_own(provider: str, before: bytes, after: bytes, port: int, database: str) -> None:
    expected = Target(host="db.x.example", port=port, user="svc", database=database)
    assert target_of(held("db.x.example"), provider, before, after) == expected


@pytest.mark.parametrize("host", ["", "*", "a,b", "/run/mysqld.sock", "db x", "a\nb", "-x"])
def test_what_names_no_single_server_is_refused(host: str) -> None:
    with pytest.raises(HostRefused):
        target_of(held(host), "postgresql", b"", b"@" + host.encode())


def test_a_port_that_is_none() -> None:
    with pytest.raises(HostRefused, match="port"):
        target_of(held("db.x.example"), "postgresql", b"", b"@db.x.example:99999/a")


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fe80::1%eth0", "fd00::1",
     "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1", "224.0.0.1"],
)  # fmt: skip
def test_nobody_is_asked_at_a_private_address_that_the_operator_does_not_name(address: str) -> None:
    def resolve(host: str) -> list[str]:
        return ["93.184.216.34", address]

    with pytest.raises(HostRefused, match="not a public address"):
        check_public("db.x.example", (), resolve)
    check_public("DB.x.example", ("db.x.example",), resolve)


def test_a_public_one_and_one_without_address() -> None:
    check_public("db.x.example", (), lambda host: ["93.184.216.34", "2606:2800:220:1::1"])

    def nowhere(host: str) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(HostRefused, match="has no address"):
        check_public("db.x.example", (), nowhere)
