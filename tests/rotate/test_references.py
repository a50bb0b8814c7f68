"""Every form of a reference, what is refused, and that no value or output is ever repeated."""

from __future__ import annotations

import os
import secrets
import stat
import sys
import traceback
from pathlib import Path

import keyring.errors
import pytest
from keyring.backend import KeyringBackend

from keyward.errors import ConfigError, KeywardError, StoreUnavailable
from keyward.model.secret import Secret
from keyward.plugin.ports import Call, Hosts, Ports
from keyward.plugin.store import Slot, Store
from keyward.rotate.references import MOST_BYTES, Resolver
from keyward.stores.memory import MemoryStore


def value() -> str:
    return secrets.token_hex(20)


def failure(resolver: Resolver, reference: str, part: str = "") -> tuple[KeywardError, str]:
    """The error, and all that a traceback would show of it."""
    with pytest.raises(KeywardError) as caught:
        resolver(reference, part)
    return caught.value, "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)


def test_env() -> None:
    secret = value()
    resolver = Resolver(environment={"TOKEN": secret, "EMPTY": "", "LINE": secret + "\n", "BYTES": "\udcff"})
    assert resolver("env:TOKEN") == Secret(secret.encode()) == resolver("env:LINE")
    assert resolver("env:BYTES") == Secret(b"\xff")
    for name in ("MISSING", "EMPTY"):
        error, _ = failure(resolver, f"env:{name}")
        assert isinstance(error, ConfigError) and error.hint


@pytest.mark.parametrize(
    "text", ["{}", "tok:{}", "env:{} x", "env:1{}", "keyring:{}", "file:relative/{}", "vault:{}/", "exec:", "ask"]
)
def test_what_is_no_reference_is_refused_and_never_repeated(text: str) -> None:
    secret = value()
    error, shown = failure(Resolver(environment={}), text.format(secret))
    assert isinstance(error, ConfigError) and "env:NAME" in error.hint
    assert secret not in shown + error.hint


def test_file(tmp_path: Path) -> None:
    file, secret = tmp_path / "token", value()
    file.write_text(f"{secret}\n\n")
    file.chmod(0o600)
    assert Resolver()(f"file:{file}") == Secret(f"{secret}\n".encode())
    (tmp_path / "link").symlink_to(file)
    assert len(Resolver()(f"file:{tmp_path / 'link'}")) == 41
    for mode in (0o640, 0o604, 0o622, 0o660):
        file.chmod(mode)
        error, shown = failure(Resolver(), f"file:{file}")
        assert "others" in str(error) and "chmod 600" in error.hint and secret not in shown


def test_file_that_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    large = tmp_path / "large"
    large.write_bytes(b"x" * (MOST_BYTES + 1))
    large.chmod(0o600)
    (tmp_path / "empty").touch(0o600)
    for name in ("missing", "pipe", "large", "empty", "."):
        error, _ = failure(Resolver(), f"file:{tmp_path / name}")
        assert isinstance(error, ConfigError)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_file_of_somebody_else(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("x")
    os.chown(file, 12345, 12345)
    file.chmod(0o600)
    error, _ = failure(Resolver(), f"file:{file}")
    assert "somebody else" in str(error)


def test_file_below_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "token").write_text("x")
    (tmp_path / "token").chmod(stat.S_IRUSR)
    assert Resolver()("file:~/token") == Secret(b"x")


class Backend(KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def __init__(self, **entries: str) -> None:
        self.entries, self.broken = entries, False

    def get_password(self, service: str, username: str) -> str | None:
        if self.broken:
            raise keyring.errors.KeyringLocked(f"locked: {self.entries}")
        return self.entries.get(f"{service}_{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[f"{service}_{username}"] = password


def test_keyring() -> None:
    secret = value()
    backend = Backend(keyward_admin=secret)
    resolver = Resolver(keyring=backend)
    assert resolver("keyring:keyward/admin") == Secret(secret.encode())
    error, _ = failure(resolver, "keyring:keyward/other")
    assert isinstance(error, ConfigError) and "keyring set keyward other" in error.hint
    backend.broken = True
    error, shown = failure(resolver, "keyring:keyward/admin")
    assert isinstance(error, StoreUnavailable) and secret not in shown


def test_vault() -> None:
    main, other = MemoryStore("main"), MemoryStore("other")
    one, two = Secret(value().encode()), Secret(value().encode())
    main.write("admin/aws", Slot.CURRENT, {"id": one, "secret": two}, {}, expected=0)
    other.write("single", Slot.CURRENT, {"token": one}, {}, expected=0)
    stores: dict[str, Store] = {"main": main, "other": other, "": main}
    resolver = Resolver(open_store=stores.get)
    assert resolver("vault:main/admin/aws#secret") == two
    assert resolver("vault:main/admin/aws", "id") == one
    assert resolver("vault:admin/aws#id") == one
    assert resolver("vault:other/single") == one == resolver("vault:other/single", "password")
    for reference, named in (
        ("vault:main/admin/aws", "id, secret"),
        ("vault:main/admin/aws#nope", "id, secret"),
        ("vault:main/nothing#id", "Check the path"),
    ):
        error, _ = failure(resolver, reference)
        assert isinstance(error, ConfigError) and named in error.hint
    error, _ = failure(Resolver(), "vault:main/admin/aws#id")
    assert "no such store" in str(error)


class Watch:
    def __init__(self) -> None:
        self.calls: list[Call] = []

    def before(self, call: Call) -> None:
        self.calls.append(call)

    def after(self, call: Call, outcome: str) -> None: ...


def script(folder: Path, text: str) -> Path:
    file = folder / "helper"
    file.write_text(f"#!{sys.executable}\n{text}\n")
    file.chmod(0o700)
    return file


def test_exec(tmp_path: Path) -> None:
    watch = Watch()
    resolver = Resolver(ports=Ports(Hosts(), fences=(watch,)))
    program = script(tmp_path, "import sys; print('|'.join(sys.argv[1:]), sys.stdin.read())")
    assert resolver(f"exec:{program} 'a b' $HOME ;ls * `x`") == Secret(b"a b|$HOME|;ls|*|`x` ")
    assert watch.calls == [Call("exec:helper", "local", False)]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("import sys; print(%r); print(%r, file=sys.stderr); sys.exit(3)", "status 3"),
        ("print(%r * 40000 + %r)", "printed more"),
        ("_ = %r, %r", "empty"),
    ],
)
def test_exec_that_fails_tells_nothing_of_its_output(tmp_path: Path, text: str, named: str) -> None:
    secret = value()
    error, shown = failure(Resolver(), f"exec:{script(tmp_path, text % (secret, secret))}")
    assert named in str(error) and secret not in shown


def test_exec_of_nothing(tmp_path: Path) -> None:
    for command in ("/no/such/program --token", "'unclosed", str(tmp_path)):
        error, _ = failure(Resolver(), f"exec:{command}")
        assert isinstance(error, ConfigError)


def test_ask() -> None:
    asked: list[str] = []

    def ask(what: str) -> Secret:
        asked.append(what)
        return Secret(b"typed")

    assert Resolver(ask=ask)("ask:Passphrase of x") == Secret(b"typed")
    assert asked == ["Passphrase of x"]
    error, _ = failure(Resolver(), "ask:Passphrase of x")
    assert "nobody can be asked" in str(error)
