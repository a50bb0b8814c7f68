"""What a rotation may call proved: where no provider can be asked, only a consumer that was seen to refuse the old value proves it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from engine_desk import Desk, Make

from keyward.model.lane import ConsumerSpec
from keyward.model.rotation import Attested, ProvedByConsumer, Stopped
from keyward.plugin.ports import Hosts, Ports
from keyward.rotate.consumers import make_consumer

SERVICE = """
import json, sys
mood, path = sys.argv[1:]
value = json.load(sys.stdin)["secret"]
held = open(path).read().partition("=")[2].strip()
sys.exit({"honest": int(value != held), "takes all": 0, "takes none": 1, "broken": 3}[mood])
"""
"""A service that reads its one token from a file, and a client of it that tries a token."""


def service(desk: Desk, folder: Path, mood: str) -> Path:
    """A consumer of the desk: a file that the service reads, with the client as its probe."""
    program, held = folder / "service.py", folder / "service.env"
    program.write_text(SERVICE)
    held.write_text(f"TOKEN={desk.world.old['secret'].reveal().decode()}\n")
    probe = [sys.executable, "-S", str(program), mood, str(held)]
    spec = ConsumerSpec("dotenv", {"path": str(held), "set": {"TOKEN": "{secret}"}, "probe": probe})
    desk.boxes.append((spec, make_consumer(spec, Ports(Hosts(), clock=desk.clock))))
    desk.verified = False
    return held


def test_a_value_that_was_read_back_is_no_proof_that_the_old_one_is_dead(desk: Make) -> None:
    at = desk()
    at.box()
    at.verified = False
    outcome = at.run()
    assert isinstance(outcome, Attested) and "read back" in outcome.detail


def test_a_consumer_that_refuses_the_old_one_proves_it(desk: Make, tmp_path: Path) -> None:
    at = desk()
    held = service(at, tmp_path, "honest")
    outcome = at.run()
    assert isinstance(outcome, ProvedByConsumer) and str(held) in outcome.detail, outcome
    assert '"outcome":"by consumer"' in at.journal_text() and at.current()["secret"].reveal() in held.read_bytes()


def test_a_consumer_that_still_takes_the_old_one_is_told(desk: Make, tmp_path: Path) -> None:
    at = desk()
    service(at, tmp_path, "takes all")
    outcome = at.run()
    assert isinstance(outcome, Stopped) and outcome.step == "CONFIRM" and "its consumer still accepts it" in outcome.reason


@pytest.mark.parametrize("mood", ["takes none", "broken"])
def test_a_probe_that_does_not_take_the_new_one_saves_the_old_one(desk: Make, tmp_path: Path, mood: str) -> None:
    at = desk()
    service(at, tmp_path, mood)
    outcome = at.run()
    assert isinstance(outcome, Stopped) and outcome.step == "DISTRIBUTE" and "probe" in outcome.reason
    assert at.world.works(at.world.old)


def test_a_probe_that_breaks_later_proves_nothing(desk: Make, tmp_path: Path) -> None:
    at = desk()
    held = service(at, tmp_path, "honest")
    told: list[str] = []

    def tell(ref: str, step: str, detail: str) -> None:
        told.append(step)
        if step == "CONFIRM":
            held.write_text("TOKEN=somebody's\n")

    outcome = at.rotation(tell=tell).run()
    assert isinstance(outcome, Stopped) and "refuses the new value as well" in outcome.reason and "CONFIRM" in told
