"""What keeps a consumer from being given anything is said before anything is made, and nothing is changed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_desk import Desk, Make

from keyward.errors import ConsumerError
from keyward.model.lane import ConsumerSpec
from keyward.model.rotation import Proved, Stopped
from keyward.plugin.ports import Hosts, Ports
from keyward.plugin.store import Slot
from keyward.rotate.consumers import make_consumer
from keyward.rotate.consumers.files import FilePlace
from keyward.rotate.parties import Options

NOBODY = 65534


def place(desk: Desk, path: Path, host: str = "", type: str = "dotenv", **options: Any) -> None:
    spec = ConsumerSpec(type, {"path": str(path), "set": {"TOKEN": "{secret}"}, **options}, host, check=("true",))
    desk.boxes.append((spec, make_consumer(spec, Ports(Hosts(), clock=desk.clock))))


def test_a_missing_folder_is_told_before_anything_is_made(desk: Make, tmp_path: Path) -> None:
    at = desk()
    place(at, tmp_path / "gone" / ".env", create=True)
    outcome = at.run()
    assert isinstance(outcome, Stopped) and outcome.step == "PLAN" and not outcome.changed
    assert "folder" in outcome.reason and str(tmp_path / "gone") in outcome.reason
    assert at.world.working() == 1 and at.store.read(at.entry.path, Slot.PENDING) is None
    (tmp_path / "gone").mkdir()
    assert isinstance(at.run(), Proved)


def test_also_for_the_first_value_of_all(desk: Make, tmp_path: Path) -> None:
    at = desk()
    at.store.erase(at.entry.path, Slot.CURRENT, expected=1)
    place(at, tmp_path / "gone" / ".env", create=True)
    outcome = at.run()
    assert isinstance(outcome, Stopped) and outcome.step == "PLAN" and at.world.working() == 1


@pytest.mark.parametrize("type", ["dotenv", "json", "aws-profile"])
def test_what_a_consumer_has_already_is_not_replaced_by_the_first_value_of_all(desk: Make, tmp_path: Path, type: str) -> None:
    """The store holds nothing yet, so nobody can tell whether it is the one that shall be replaced."""
    held = {"dotenv": "TOKEN=theirs\n", "json": '{"TOKEN": "theirs"}', "aws-profile": "[default]\naws_access_key_id = theirs\n"}
    at = desk()
    at.store.erase(at.entry.path, Slot.CURRENT, expected=1)
    file = tmp_path / "file"
    file.write_text(held[type])
    options = {"path": str(file)} if type == "aws-profile" else {"path": str(file), "set": {"TOKEN": "{secret}"}}
    spec = ConsumerSpec(type, options)
    at.boxes.append((spec, make_consumer(spec, Ports(Hosts(), clock=at.clock))))
    outcome = at.run()
    assert isinstance(outcome, Stopped) and outcome.step == "PLAN" and not outcome.changed
    assert "lanes adopt" in outcome.hint and at.world.working() == 1 and file.read_text() == held[type]
    assert at.store.read(at.entry.path, Slot.PENDING) is None


def test_an_empty_place_is_given_the_first_value_of_all(desk: Make, tmp_path: Path) -> None:
    at = desk()
    at.store.erase(at.entry.path, Slot.CURRENT, expected=1)
    (tmp_path / ".env").write_text("DEBUG=1\nTOKEN=\n")
    place(at, tmp_path / ".env")
    assert not isinstance(at.run(), Stopped)
    current = at.store.read(at.entry.path, Slot.CURRENT)
    assert current is not None
    assert (tmp_path / ".env").read_text() == f"DEBUG=1\nTOKEN={current.parts['secret'].reveal().decode()}\n"


def test_a_missing_file_that_may_not_be_made_is_told(desk: Make, tmp_path: Path) -> None:
    at = desk()
    place(at, tmp_path / ".env")
    outcome = at.run()
    assert isinstance(outcome, Stopped) and outcome.step == "PLAN" and "create = true" in outcome.hint


def test_what_gets_nothing_need_not_be_ready(desk: Make, tmp_path: Path) -> None:
    at = desk()
    place(at, tmp_path / "gone" / ".env", host="bad", create=True)
    assert isinstance(at.run(Options(withheld_hosts=frozenset({"bad"}))), Proved)


def test_every_consumer_of_a_file_says_so(desk: Make, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone" / "x")
    tables: list[tuple[str, dict[str, object]]] = [
        ("json", {"path": gone, "create": True, "set": {"a": ""}}),
        ("aws-profile", {"path": gone, "create": True}),
        ("in-place", {"path": gone}),
        ("systemd", {"unit": "x.service", "credential": gone, "create": True}),
        ("compose", {"path": gone, "service": "web", "set": {"A": ""}}),
    ]
    for type, options in tables:
        consumer = make_consumer(ConsumerSpec(type, options), Ports(Hosts()))
        with pytest.raises(ConsumerError, match="folder"):
            consumer.ready()  # type: ignore[attr-defined]


@pytest.fixture
def others_folder() -> Iterator[Path]:
    """A folder of ours that others may enter, and not write."""
    folder = tempfile.mkdtemp(prefix="keyward-test-")
    os.chmod(folder, 0o755)
    yield Path(folder)
    os.chmod(folder, 0o755)
    shutil.rmtree(folder)


def test_a_folder_that_cannot_be_written_is_told(others_folder: Path) -> None:
    target = FilePlace(str(others_folder / ".env"), Ports(Hosts()), create=True)
    target.ready()
    if os.geteuid():
        others_folder.chmod(0o555)
        with pytest.raises(ConsumerError, match="cannot be written"):
            target.ready()
        return
    child = os.fork()  # root may write anywhere, so that somebody else must ask
    if not child:
        code = 1
        try:
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            target.ready()
        except ConsumerError as error:
            code = 0 if "cannot be written" in str(error) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
