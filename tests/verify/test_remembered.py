"""What was answered is kept for minutes, for this user, and nothing else is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from keyward.model.secret import Secret
from keyward.model.verdict import Dead, Evidence, Live, Restricted, Unknown, Verdict
from keyward.plugin.clock import ManualClock
from keyward.verify.remembered import MINUTES, MOST, Remembered


def seen(clock: ManualClock) -> Evidence:
    return Evidence("GET /me", "api.x.example", "200", clock.now(), "id-1", "abc")


def test_each_verdict_comes_back_as_it_was(tmp_path: Path) -> None:
    clock = ManualClock()
    given: list[Verdict] = [Live(seen(clock), "ann", ("read",)), Restricted(seen(clock), "no scope"), Dead(seen(clock))]
    written = Remembered(clock, str(tmp_path))
    for number, verdict in enumerate(given):
        written.add(verdict, f"kw1_{number}", "api.x.example")
    written.add(Unknown("later"), "kw1_9")
    written.save()
    read = Remembered(clock, str(tmp_path))
    assert [read.get(f"kw1_{number}", "api.x.example") for number in range(3)] == given
    assert read.get("kw1_9") is None and read.get("kw1_0", "other.example") is None


def test_it_holds_for_minutes(tmp_path: Path) -> None:
    clock = ManualClock()
    written = Remembered(clock, str(tmp_path))
    written.add(Dead(seen(clock)), "a")
    written.save()
    clock.sleep(MINUTES - 1)
    assert written.get("a") and Remembered(clock, str(tmp_path)).get("a")
    clock.sleep(2)
    assert written.get("a") is None and Remembered(clock, str(tmp_path)).get("a") is None


def test_a_long_run_writes_at_most_once_a_second(tmp_path: Path) -> None:
    clock = ManualClock()
    kept, path = Remembered(clock, str(tmp_path)), tmp_path / "verdicts.json"
    for number, (wait, written) in enumerate(((0.0, 1), (0.4, 1), (0.4, 1), (0.4, 4))):
        clock.sleep(wait)
        kept.add(Dead(seen(clock)), f"kw1_{number}")
        kept.save_now_and_then()
        assert len(json.loads(path.read_text())) == written


def test_an_answer_from_the_future_is_not_believed(tmp_path: Path) -> None:
    clock = ManualClock()
    written = Remembered(clock, str(tmp_path))
    written.add(Dead(seen(clock)._replace(time=clock.now() + 60)), "a")
    assert written.get("a") is None


def test_two_runs_at_once_keep_both_answers(tmp_path: Path) -> None:
    clock = ManualClock()
    one, other = Remembered(clock, str(tmp_path)), Remembered(clock, str(tmp_path))
    assert one.get("a") is None and other.get("b") is None
    one.add(Dead(seen(clock)), "a")
    other.add(Dead(seen(clock)), "b")
    one.save()
    other.save()
    third = Remembered(clock, str(tmp_path))
    assert third.get("a") and third.get("b")


def test_it_stays_small_and_the_names_say_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    written = Remembered(clock, str(tmp_path))
    for number in range(MOST + 10):
        written.add(Dead(seen(clock)), f"kw1_{number}")
    written.save()
    content = (tmp_path / "verdicts.json").read_text()
    assert len(json.loads(content)) == MOST and "kw1_" not in content


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1}', '{"a": {"state": "live", "evidence": {}}}', "[" * 100_000])
def test_a_damaged_file_is_an_empty_one(tmp_path: Path, content: str) -> None:
    clock = ManualClock()
    Remembered(clock, str(tmp_path)).add(Dead(seen(clock)), "a")
    path = tmp_path / "verdicts.json"
    path.write_text(content)
    path.chmod(0o600)
    again = Remembered(clock, str(tmp_path))
    assert again.get("a") is None
    again.add(Dead(seen(clock)), "a")
    again.save()
    assert Remembered(clock, str(tmp_path)).get("a") == Dead(seen(clock))


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    clock = ManualClock()
    (tmp_path / "file").write_text("")
    kept = Remembered(clock, str(tmp_path / "file" / "below"))
    kept.add(Dead(seen(clock)), "a")
    kept.save()
    assert kept.get("a") == Dead(seen(clock))


def test_what_was_said_of_a_killed_value_is_forgotten(tmp_path: Path) -> None:
    clock = ManualClock()
    kept = Remembered(clock, str(tmp_path))
    for name in ("old", "other"):
        kept.add(Live(seen(clock), "ann"), name, about=kept.subject(Secret(name.encode())))
    kept.save()
    rotation = Remembered(clock, str(tmp_path))
    clock.sleep(1)
    rotation.forget([Secret(b"old"), Secret(b"never asked about")])
    rotation.save()
    for reader in (rotation, Remembered(clock, str(tmp_path))):
        assert reader.get("old") is None and reader.get("other")
    content = (tmp_path / "verdicts.json").read_text()
    assert "ann" in content and not [word for word in ("old", "other", "never") if f'"{word}"' in content]


def test_a_process_that_read_the_answer_before_does_not_bring_it_back(tmp_path: Path) -> None:
    clock = ManualClock()
    asking, rotation = Remembered(clock, str(tmp_path)), Remembered(clock, str(tmp_path))
    asking.add(Live(seen(clock), "ann"), "a", about=asking.subject(Secret(b"value")))
    asking.save()
    assert rotation.get("a")
    clock.sleep(1)
    rotation.forget([Secret(b"value")])
    rotation.save()
    asking.add(Dead(seen(clock)), "b")
    asking.save()
    assert Remembered(clock, str(tmp_path)).get("a") is None
    clock.sleep(1)
    asking.add(Dead(seen(clock)), "a", about=asking.subject(Secret(b"value")))
    asking.save()
    assert isinstance(Remembered(clock, str(tmp_path)).get("a"), Dead), "a newer answer holds"
    clock.sleep(MINUTES + 1)
    asking.add(Dead(seen(clock)), "c")
    asking.save()
    assert len(json.loads((tmp_path / "verdicts.json").read_text())) == 1, "nothing is kept for longer"


def test_what_was_forgotten_last_stays_forgotten_whoever_writes_after(tmp_path: Path) -> None:
    """A process that read the file before does not put an older "forgotten" back, nor the answer that was forgotten since."""
    clock = ManualClock()
    value = Secret(b"value")
    rotation = Remembered(clock, str(tmp_path))
    rotation.forget([value])
    rotation.save()
    clock.sleep(1)
    asking = Remembered(clock, str(tmp_path))
    asking.add(Dead(seen(clock)), "a", about=asking.subject(value))
    asking.save()
    other = Remembered(clock, str(tmp_path))
    assert other.get("a"), "it has read the file"
    clock.sleep(1)
    rotation.forget([value])
    rotation.save()
    other.add(Dead(seen(clock)), "b")
    other.save()
    reader = Remembered(clock, str(tmp_path))
    assert reader.get("a") is None and reader.get("b")


def test_nothing_is_lost_among_many_processes(tmp_path: Path) -> None:
    """Reading and writing are one step: else what is written between them is gone."""
    script = """
import sys
from keyward.model.secret import Secret
from keyward.plugin.clock import SystemClock
from keyward.verify.remembered import Remembered
for number in range(25):
    kept = Remembered(SystemClock(), sys.argv[1])
    kept.forget([Secret(f"{sys.argv[2]}-{number}".encode())])
    kept.save()
"""
    Remembered(ManualClock(), str(tmp_path)).subject(Secret(b"the folder's key is made before"))
    running = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(number)]) for number in range(4)]
    assert [process.wait(120) for process in running] == [0, 0, 0, 0]
    assert len(json.loads((tmp_path / "verdicts.json").read_text())) == 100
