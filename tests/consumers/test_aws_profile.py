"""`aws-profile`: key id, secret and token of one profile change together; boto reads them."""

from __future__ import annotations

from pathlib import Path

import botocore.session
import pytest

from keyward.errors import ConsumerError
from keyward.model.lane import ConsumerSpec
from keyward.model.secret import Secret
from keyward.plugin.consumer import Consumer, Holds, Values
from keyward.plugin.ports import Hosts, Ports
from keyward.rotate.consumers import make_consumer
from keyward.testing.consumer_contract import ConsumerContract

TEXT = "# mine\n[default]\naws_access_key_id = x\naws_secret_access_key = y\n\n[prod]\nregion=eu-west-1\n"


def parts(word: str, *, token: bool = False) -> dict[str, Secret]:
    found = {"id": Secret(f"id-{word * 5}".encode()), "secret": Secret(f"{word}/+{word * 5}".encode())}
    return {**found, "session_token": Secret(f"token-{word}==".encode())} if token else found


class TestContract(ConsumerContract):
    def values(self) -> Values:
        return Values("lane", "entry", "memory:x", parts("old", token=True), parts("new", token=True), "r1")

    def prepare(self, folder: Path, held: Holds, values: Values) -> None:
        shown = {Holds.OLD: values.old, Holds.NEW: values.new, Holds.OTHER: parts("else", token=True)}.get(held, {})
        text = TEXT
        for key, part in (("access_key_id", "id"), ("secret_access_key", "secret"), ("session_token", "session_token")):
            text += f"aws_{key}={shown[part].reveal().decode()}\n" if shown else ""
        (folder / "credentials").write_text(text)

    def make(self, folder: Path, ports: Ports) -> Consumer:
        return make_consumer(ConsumerSpec("aws-profile", {"path": str(folder / "credentials"), "profile": "prod"}), ports)


def make(file: Path, **more: object) -> Consumer:
    options = {"AWS_SHARED_CREDENTIALS_FILE": str(file), "profile": "prod", **more}
    return make_consumer(ConsumerSpec("aws-profile", options), Ports(Hosts()))


def test_botocore_reads_what_was_written_and_other_profiles_stay(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text(TEXT)
    values = Values("l", "n", "r", {}, parts("new"))
    make(file).apply(values)
    assert file.read_text().startswith(TEXT)
    session = botocore.session.Session(profile="prod")
    session.set_config_variable("credentials_file", str(file))
    found = session.get_credentials()
    assert found is not None
    assert (found.access_key, found.secret_key, found.token) == ("id-newnewnewnewnew", "new/+newnewnewnewnew", None)


def test_a_token_of_another_session_stops_it(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    old = parts("old")
    file.write_text(
        f"[prod]\naws_access_key_id={old['id'].reveal().decode()}\n"
        f"aws_secret_access_key={old['secret'].reveal().decode()}\naws_session_token=stale\n"
    )
    before = file.read_bytes()
    with pytest.raises(ConsumerError, match="aws_session_token"):
        make(file).apply(Values("l", "n", "r", old, parts("new")))
    assert file.read_bytes() == before


def test_a_missing_file_is_made_where_wanted(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    values = Values("l", "n", "r", {}, parts("new"))
    make(file, create=True).apply(values)
    assert make(file).holds(values) is Holds.NEW
    assert file.stat().st_mode & 0o777 == 0o600
