"""`keyward audit` and `keyward approve`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from keyward.cli import approve, audit
from keyward.errors import Halted, UsageError
from keyward.flows import approvals as approvals_flow
from keyward.flows import audit as flow
from keyward.flows.workplace import Workplace, open_workplace
from keyward.plugin.clock import ManualClock, SystemClock
from keyward.registry import Registry
from keyward.rotate.lanes import load_lanes

CONFIG = """
[stores.main]
type = "agefile"
file = "{folder}/store.age"
insecure_identity = true
"""

PLAN = "0123456789abcdef"


class Place:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config.toml"
        self.config.write_text(CONFIG.format(folder=folder))
        self.config.chmod(0o600)
        self.log = folder / "state" / "audit.jsonl"

    def write(self, *what: str) -> None:
        with open_workplace(str(self.config)) as place, flow.open_log(place) as log:
            for each in what:
                log.append(each, ref="shop/aws", detail="a detail")

    def run(self, *words: str, command=audit.app) -> tuple[int, str]:
        result = CliRunner().invoke(
            command, [*words, "--config", str(self.config)], standalone_mode=False, catch_exceptions=False
        )
        return result.return_value or 0, result.output

    def approve(self, *words: str) -> tuple[int, str]:
        app = typer.Typer()
        app.command()(approve.approve)
        return self.run(*words, command=app)


@pytest.fixture
def place(environment: None, tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_verify_against_the_head_in_the_store(place: Place) -> None:
    place.write("one", "two", "three")
    code, out = place.run("verify")
    assert code == 0 and "3 entries, whole" in out and "note" not in out
    lines = place.log.read_bytes().splitlines(keepends=True)
    place.log.write_bytes(b"".join(lines[:-1]))
    code, out = place.run("verify")
    assert code == 1 and "cut off at the end" in out and "NOT whole" in out
    place.log.write_bytes(b"".join(lines).replace(b"two", b"owt"))
    assert place.run("verify")[0] == 1
    place.log.unlink()
    assert place.run("verify")[0] == 1
    place.log.write_bytes(b"".join(lines))
    place.log.chmod(0o600)
    assert place.run("verify", "--head", f"9:{'a' * 64}")[0] == 1
    with pytest.raises(UsageError):
        place.run("verify", "--head", "9")


def test_an_empty_log_is_whole_and_says_what_cannot_be_known(place: Place) -> None:
    code, out = place.run("verify")
    assert code == 0 and "without a mirrored head" in out and "head none" in out


def test_show_and_export(place: Place) -> None:
    place.write("one", "two", "three")
    code, out = place.run("show", "--last", "2")
    assert code == 0 and "two" in out and "one" not in out and "shop/aws" in out and "2 entries" in out
    assert "0 entries" in place.run("show", "--until", "2020-01-31")[1]
    code, out = place.run("export", "--since", "1h")
    assert [json.loads(line)["what"] for line in out.splitlines()] == ["one", "two", "three"]
    place.run("export", "-o", str(place.folder / "out.jsonl"))
    assert (place.folder / "out.jsonl").read_text() == out
    with pytest.raises(UsageError):
        place.run("export", "--since", "yesterday")


def test_retain(place: Place) -> None:
    place.write("one", "two")
    assert "nothing is that old" in place.run("retain", "--keep", "30d")[1]
    with pytest.raises(UsageError):
        place.run("retain", "--keep", "some")
    assert place.run("verify")[0] == 0


def test_retain_only_says_what_would_go(place: Place) -> None:
    def files() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in place.folder.rglob("*") if path.is_file()}

    before = files()
    assert place.run("retain", "--keep", "30d", "--dry-run") == (0, "nothing is that old\n") and files() == before
    then = ManualClock(SystemClock().now() - 40 * 86_400.0)
    with Workplace(load_lanes(str(place.config)), Registry(), clock=then) as opened, flow.open_log(opened) as log:
        for each in ("one", "two"):
            log.append(each)
    place.write("three")
    before = files()
    code, out = place.run("retain", "--keep", "30d", "--dry-run")
    assert (code, out) == (0, "2 entries would be replaced by a checkpoint\n") and files() == before
    assert "nothing is that old" in place.run("retain", "--keep", "60d", "--dry-run")[1]
    assert "2 entries were replaced" in place.run("retain", "--keep", "30d")[1] and place.run("verify")[0] == 0
    lines = place.log.read_bytes()
    place.log.write_bytes(lines.replace(b"three", b"eerht"))
    before = files()
    with pytest.raises(Halted, match="not whole"):
        place.run("retain", "--keep", "30d", "--dry-run")
    assert files() == before


def test_approve_is_recorded(place: Place) -> None:
    code, out = place.approve(PLAN)
    assert code == 0 and f"approves {PLAN} (by user)" in out and "audit log has no entry" not in out
    with open_workplace(str(place.config)) as opened:
        assert approvals_flow.decide(opened, PLAN, 1, starter="somebody-else").allowed
        override, unrecorded = approvals_flow.break_glass(opened, PLAN, "the pager rang at three")
        assert unrecorded == "" and approvals_flow.decide(opened, PLAN, 5, starter="").override is not None
    what = [(record["what"], record["detail"]) for record in map(json.loads, place.run("export")[1].splitlines())]
    assert what == [("approve", f"plan {PLAN}"), ("break-glass", f"plan {PLAN} the pager rang at three")]
    assert override.reason == "the pager rang at three"
    with pytest.raises(UsageError):
        place.approve("x")
    with pytest.raises(UsageError):
        place.approve(PLAN, "--as", "alice")


def test_a_saved_plan_is_shown_and_may_be_abbreviated(place: Place) -> None:
    plans = place.folder / "state" / "plans"
    plans.mkdir(parents=True)
    rotation = {"ref": "shop/aws", "kind": "aws/access-key", "steps": ["ISSUE", "STORE"], "refusal": ""}
    (plans / f"{PLAN}.json").write_text(json.dumps({"rotations": [rotation]}))
    code, out = place.approve(PLAN[:8])
    assert code == 0 and "shop/aws (aws/access-key): ISSUE > STORE" in out and PLAN in out
    (plans / f"{PLAN[:-1]}0.json").write_text("{broken")
    with pytest.raises(UsageError, match="2 plans"):
        place.approve(PLAN[:8])


def test_an_approval_holds_where_the_log_cannot_be_written(place: Place) -> None:
    place.log.parent.mkdir(exist_ok=True)
    place.log.mkdir()
    code, out = place.approve(PLAN)
    assert code == 0 and "the audit log has no entry of it" in out
