"""`keyward lanes` and `keyward due`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import typer
from tests_support import token
from typer.testing import CliRunner

from keyward.cli import due, lanes
from keyward.errors import Refused, StoreConflict, UsageError
from keyward.flows import lanes as flow
from keyward.flows.leaked_parts import leaked_parts
from keyward.flows.workplace import open_workplace
from keyward.model.credential import NO_PARTS
from keyward.model.secret import Secret
from keyward.plugin.clock import ManualClock
from keyward.plugin.ports import Hosts, Ports
from keyward.plugin.rotator import Change, Job, Rotator
from keyward.plugin.shapes import an
from keyward.plugin.store import Slot
from keyward.registry import Registry
from keyward.rotate.found import read_report
from keyward.rotate.lanes import load_lanes
from keyward.stores.memory import MemoryStore

CONFIG = """
[stores.main]
type = "agefile"
file = "{folder}/store.age"
insecure_identity = true

[lanes.shop]
tier = 1
environment = "production"
rotate_every = "30d"
"""

VALUE = token(21)


class Place:
    """A project with a leaked token, its report, and a configuration with one lane."""

    def __init__(self, folder: Path, keyward) -> None:
        self.folder = folder
        self.config = folder / "config.toml"
        self.config.write_text(CONFIG.format(folder=folder))
        self.config.chmod(0o600)
        self.keyward = keyward
        (folder / "p").mkdir()
        self.leak = folder / "p" / ".env"
        self.leak.write_bytes(b"GH_TOKEN=" + VALUE + b"\n")
        self.report = str(folder / "r.jsonl")
        self.scan()

    def scan(self) -> None:
        assert self.keyward("scan", "-f", "jsonl", "-o", "../r.jsonl", cwd=self.folder / "p").code in (0, 1)

    @property
    def fingerprint(self) -> str:
        return read_report(self.report).found[0].fingerprint

    def run(self, *words: str, command=lanes.app, stdin: str = "") -> tuple[int, str]:
        arguments = [*words, "--config", str(self.config)]
        result = CliRunner().invoke(command, arguments, input=stdin, standalone_mode=False, catch_exceptions=False)
        return result.return_value or 0, result.output

    def due(self, *words: str) -> tuple[int, str]:
        app = typer.Typer()
        app.command()(due.due)
        return self.run(*words, command=app)


@pytest.fixture
def place(environment: None, keyward, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path, keyward)
    monkeypatch.chdir(tmp_path / "p")
    return made


def test_from_a_leak_to_a_lane(place: Place) -> None:
    code, out = place.run("check", "--report", place.report)
    assert code == 1 and "unowned" in out and place.fingerprint in out
    code, out = place.run("adopt", place.fingerprint, "--lane", "shop", "--report", place.report)
    assert code == 0 and "now holds it at lanes/shop/github-pat-classic" in out and "added to" in out
    again = place.run("adopt", place.fingerprint, "--lane", "shop", "--report", place.report)
    assert again[0] == 0 and "held it already" in again[1] and place.config.read_text().count("credentials]]") == 1
    assert VALUE not in b"".join(path.read_bytes() for path in place.folder.rglob("*") if path.is_file() and path != place.leak)
    code, out = place.run("check", "--report", place.report)
    assert code == 1 and "plaintext" in out and "unowned" not in out
    code, out = place.run("list")
    assert "shop/github-pat-classic" in out and "1 lanes, 1 credentials" in out
    code, out = place.run("show", "shop")
    assert "kept in main at lanes/shop/github-pat-classic" in out and "rotate_every of lane shop (30d)" in out
    with pytest.raises(UsageError, match="no lane"):
        place.run("show", "shup")


def test_a_dry_run_takes_nothing_over(place: Place) -> None:
    before = place.config.read_text()
    words = ("adopt", place.fingerprint, "--lane", "shop", "--report", place.report)
    code, out = place.run(*words, "--dry-run")
    assert code == 0 and "would be added to" in out and "shop/github-pat-classic" in out
    assert place.config.read_text() == before and not any(place.config.parent.rglob("*.age"))
    place.run(*words)
    assert "is in the store" in place.run(*words, "--dry-run")[1]


def test_what_was_adopted_is_due_because_nobody_knows_its_age(place: Place) -> None:
    place.run("adopt", place.fingerprint, "--lane", "shop", "--report", place.report)
    code, out = place.due()
    assert code == 1 and "nobody knows" in out and "1 due" in out
    place.config.write_text(place.config.read_text().replace('"30d"', '"never"'))
    assert place.due()[0] == 0 and "shop/" not in place.due()[1] and "shop/" in place.due("--all")[1]


def test_a_place_that_changed_is_refused(place: Place) -> None:
    place.leak.write_bytes(b"GH_TOKEN=" + token(22) + b"\n")
    before = place.config.read_text()
    with pytest.raises(Refused, match="no longer there"):
        place.run("adopt", place.fingerprint, "--lane", "shop", "--report", place.report)
    place.leak.unlink()
    with pytest.raises(Refused, match="no longer there"):
        place.run("adopt", place.fingerprint, "--lane", "shop", "--report", place.report)
    assert place.config.read_text() == before
    with open_workplace(str(place.config)) as opened:
        assert list(opened.store("main").paths()) == ["audit/key"]


def test_a_store_path_that_holds_something_else_is_refused(place: Place) -> None:
    first = place.fingerprint
    place.run("adopt", first, "--lane", "shop", "--report", place.report)
    place.leak.write_bytes(b"GH_TOKEN=" + token(22) + b"\n")
    place.scan()
    with pytest.raises(Refused, match="holds something else"):
        place.run("adopt", place.fingerprint, "--lane", "shop", "--report", place.report, "--name", "github-pat-classic")
    code, out = place.run("adopt", place.fingerprint, "--lane", "shop", "--report", place.report)
    assert code == 0 and "shop/github-pat-classic-2" in out


def test_words_that_lead_nowhere(place: Place) -> None:
    for words in (["kw1_x", "--lane", "shop"], ["kw1_" + "b" * 26, "--lane", "shop"], [place.fingerprint, "--lane", "nope"]):
        with pytest.raises(UsageError):
            place.run("adopt", *words, "--report", place.report)


def adopt(place: Place, store: MemoryStore, **more) -> flow.Adopted:
    registry = Registry()
    return flow.adopt(
        load_lanes(str(place.config)), read_report(place.report), place.fingerprint, "shop",
        store_of=lambda name: store, kind_of=registry.known, parts_of=leaked_parts, clock=ManualClock(), **more,
    )  # fmt: skip


def test_the_entry_of_this_kind_is_taken_if_there_is_one(place: Place) -> None:
    entry = '[[lanes.shop.credentials]]\nname = "{}"\nkind = "{}"\n'
    place.config.write_text(
        place.config.read_text() + entry.format("one", "github/pat-classic") + entry.format("x", "aws/access-key")
    )
    store = MemoryStore("main")
    done = adopt(place, store)
    assert (done.entry.ref, done.new_entry, done.stored) == ("shop/one", False, True)
    held = store.read("lanes/shop/one", Slot.CURRENT)
    assert held is not None and held.parts == {"secret": Secret(VALUE)}
    assert held.labels["state"] == "adopted" and "written" not in held.labels and held.labels["name"] == "one"
    place.config.write_text(place.config.read_text() + entry.format("two", "github/pat-classic"))
    assert adopt(place, store).entry.name == "one"  # it holds it
    with pytest.raises(UsageError, match="several empty"):
        adopt(place, MemoryStore("main"))
    assert adopt(place, MemoryStore("main"), name="two").entry.name == "two"
    with pytest.raises(UsageError, match="is of kind aws/access-key"):
        adopt(place, store, name="x")


class Racing(MemoryStore):
    """Somebody else writes first, each time."""

    def __init__(self, value: bytes) -> None:
        super().__init__("main")
        self.value = value

    def write(self, path, slot, parts, labels, *, expected):
        if self.read(path, slot) is None:
            super().write(path, slot, {"secret": Secret(self.value)}, {}, expected=0)
        raise StoreConflict("somebody else was faster")


def test_somebody_else_who_is_faster(place: Place) -> None:
    assert not adopt(place, Racing(VALUE)).stored  # and wrote the same
    with pytest.raises(Refused, match="holds something else"):
        adopt(place, Racing(token(23)))


def test_an_entry_that_cannot_be_added_leaves_the_file_alone(place: Place) -> None:
    place.config.write_text(CONFIG.format(folder=place.folder) + "credentials = []\n")
    before = place.config.read_text()
    with pytest.raises(Exception, match="cannot be added") as caught:
        adopt(place, MemoryStore("main"))
    assert "Add it by hand" in getattr(caught.value, "hint", "")
    assert place.config.read_text() == before and [p for p in os.listdir(place.folder) if p.endswith(".tmp")] == []


def test_all_parts_are_read_again(place: Place) -> None:
    identifier = "AKIA" + an(16).sample(5).text.decode().upper().translate(str.maketrans("0189", "ABCD"))
    secret = an(40).sample(6).text.decode()
    place.leak.write_text(f"AWS_ACCESS_KEY_ID={identifier}\nAWS_SECRET_ACCESS_KEY={secret}\n")
    place.scan()
    report = read_report(place.report)
    (found,) = [each for each in report.found if each.kind == "aws/access-key"]
    assert found.parts == ("id", "secret")
    parts = leaked_parts(report, found.fingerprint, Registry().known(found.kind))
    assert {name: part.reveal().decode() for name, part in parts.items()} == {"id": identifier, "secret": secret}
    place.leak.write_text(f"AWS_ACCESS_KEY_ID={'x' * 20}\nAWS_SECRET_ACCESS_KEY={secret}\n")
    with pytest.raises(Refused, match="not in full"):
        leaked_parts(report, found.fingerprint, Registry().known(found.kind))


class Making(Rotator):
    """Makes one thing, once."""

    made = False

    def provision(self, job: Job, *, apply: bool):
        if job.entry.name == "bad":
            raise Refused("no right to make users", hint="Grant iam:CreateUser.")
        self.made = self.made or apply
        return [Change("sub-user keyward-shop", self.made)]


def test_provision_shows_a_plan_and_makes_it_once(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(
        "".join(f'[[lanes.shop.credentials]]\nname = "{n}"\nkind = "a/b"\n' for n in ("good", "bad"))
    )
    (tmp_path / "c.toml").chmod(0o600)
    lane = load_lanes(str(tmp_path / "c.toml")).lanes["shop"]
    rotator = Making()
    jobs = [(rotator, Job(entry, Ports(Hosts()), NO_PARTS)) for entry in lane.entries]
    plan = flow.provision(lane, lambda name: MemoryStore(name), jobs, apply=False)
    assert plan.steps == (flow.Step("shop/good", "sub-user keyward-shop", False),) and not rotator.made
    assert plan.failed == (("shop/bad", "no right to make users", "Grant iam:CreateUser."),)
    for _ in range(2):
        made = flow.provision(lane, lambda name: MemoryStore(name), jobs, apply=True)
        assert made.steps == (flow.Step("shop/good", "sub-user keyward-shop", True),)


def test_provision_of_a_lane_that_needs_nothing(place: Place) -> None:
    code, out = place.run("provision", "shop", "--dry-run")
    assert code == 0 and "shop: neither its stores nor its providers need anything" in out
    assert place.run("provision", "shop")[0] == 0
