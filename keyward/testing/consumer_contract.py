"""What every consumer must keep, as a class for pytest: subclass it, say how the place is made, and all tests run.

The process is killed before and after every call that the fences see and, where `crash_modules` names modules, at every line of
them; afterwards the place must hold the old or the new values, and a second run must bring it to the new ones.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from keyward.errors import ConsumerChanged, ConsumerError
from keyward.model.secret import Secret
from keyward.plugin.clock import ManualClock
from keyward.plugin.consumer import Consumer, Holds, Values
from keyward.plugin.ports import Call, Fence, Hosts, Ports

MOST_CRASHES = 2000


class Recorder:
    """A fence that remembers what it saw."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def before(self, call: Call) -> None:
        self.calls.append(call)

    def after(self, call: Call, outcome: str) -> None:
        """Nothing more is remembered."""


class _Killer:
    """Kills the process at the n-th point, counted from 1."""

    def __init__(self, at: int) -> None:
        self.left = at

    def point(self) -> None:
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, call: Call) -> None:
        self.point()

    def after(self, call: Call, outcome: str) -> None:
        self.point()

    def trace(self, files: frozenset[str]) -> Callable[[FrameType, str, Any], Any]:
        """A trace function that counts the lines of some files."""

        def tracer(frame: FrameType, event: str, argument: Any) -> Any:
            if frame.f_code.co_filename not in files:
                return None
            if event == "line":
                self.point()
            return tracer

        return tracer


class ConsumerContract:
    """Subclasses give `prepare` and `make`, and `values` where the parts have other names.

    `crash_modules`: names of modules at each line of which the process is killed once. `exact_rollback`: whether a rollback brings back every
    byte. `keeps_mode`: whether the files of the place keep permissions and owner. `sees_nothing`: whether the place can be there and
    hold nothing. `tells`: whether it can tell what it holds.
    """

    crash_modules: tuple[str, ...] = ()
    exact_rollback = True
    keeps_mode = True
    sees_nothing = True
    tells = True

    def values(self) -> Values:
        """The old and the new values."""
        old = {"id": Secret(b"id-" + b"old" * 5), "secret": Secret(b"sec-" + b"old" * 7)}
        new = {"id": Secret(b"id-" + b"new" * 5), "secret": Secret(b"sec-" + b"new" * 7)}
        return Values("lane", "entry", "memory:lane/entry", old, new, "r1")

    def prepare(self, folder: Path, held: Holds, values: Values) -> None:
        """Makes a place that holds the old values, the new ones, something else, or nothing."""
        raise NotImplementedError

    def make(self, folder: Path, ports: Ports) -> Consumer:
        """The consumer of that place."""
        raise NotImplementedError

    def snapshot(self, folder: Path) -> dict[str, bytes]:
        """All that the place holds, for comparison: every file of the folder unless overridden."""
        return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}

    def _ports(self, *fences: Fence) -> Ports:
        return Ports(Hosts(), clock=ManualClock(), fences=fences)

    def _consumer(self, folder: Path, held: Holds, *fences: Fence) -> tuple[Consumer, Values]:
        values = self.values()
        folder.mkdir(parents=True, exist_ok=True)
        self.prepare(folder, held, values)
        return self.make(folder, self._ports(*fences)), values

    def _plain(self) -> Iterator[bytes]:
        values = self.values()
        for parts in (values.old, values.new):
            for secret in parts.values():
                yield secret.reveal()

    def _assert_clean(self, *texts: object) -> None:
        for text in texts:
            assert not [value for value in self._plain() if value.decode("latin-1") in f"{text!s}{text!r}"]

    def test_it_tells_what_it_holds(self, tmp_path: Path) -> None:
        if not self.tells:
            return
        for held in Holds:
            if held is not Holds.NOTHING or self.sees_nothing:
                consumer, values = self._consumer(tmp_path / held.value, held)
                assert consumer.holds(values) is held

    def test_old_becomes_new_and_stays_so(self, tmp_path: Path) -> None:
        consumer, values = self._consumer(tmp_path, Holds.OLD)
        self._assert_clean(consumer.apply(values), consumer.verify(values), consumer.name, consumer)
        assert not self.tells or consumer.holds(values) is Holds.NEW
        first = self.snapshot(tmp_path)
        again = self.make(tmp_path, self._ports())
        again.apply(values)
        again.verify(values)
        assert self.snapshot(tmp_path) == first

    def test_nothing_becomes_new(self, tmp_path: Path) -> None:
        if self.sees_nothing and self.tells:
            consumer, values = self._consumer(tmp_path, Holds.NOTHING)
            consumer.apply(values)
            consumer.verify(values)
            assert consumer.holds(values) is Holds.NEW

    def test_a_rollback_brings_the_old_values_back(self, tmp_path: Path) -> None:
        consumer, values = self._consumer(tmp_path, Holds.OLD)
        before = self.snapshot(tmp_path)
        consumer.apply(values)
        self._assert_clean(consumer.rollback(values))
        self._assert_clean(consumer.rollback(values))
        assert not self.tells or consumer.holds(values) is Holds.OLD
        assert not self.exact_rollback or self.snapshot(tmp_path) == before

    def test_what_it_does_not_know_is_left_alone(self, tmp_path: Path) -> None:
        if not self.tells:
            return
        consumer, values = self._consumer(tmp_path, Holds.OTHER)
        before = self.snapshot(tmp_path)
        for action in (consumer.apply, consumer.rollback):
            try:
                action(values)
            except ConsumerChanged as error:
                self._assert_clean(error, error.hint, *error.args)
                assert error.__suppress_context__ or error.__context__ is None
            else:
                raise AssertionError(f"{action.__name__} changed a place that holds something else")
        assert self.snapshot(tmp_path) == before

    def test_verify_fails_where_the_old_value_still_stands(self, tmp_path: Path) -> None:
        if not self.tells:
            return
        consumer, values = self._consumer(tmp_path, Holds.OLD)
        try:
            consumer.verify(values)
        except ConsumerError as error:
            self._assert_clean(error, error.hint)
        else:
            raise AssertionError("verify passed before anything was written")

    def test_fences_see_the_change_and_reading_changes_nothing(self, tmp_path: Path) -> None:
        fence = Recorder()
        consumer, values = self._consumer(tmp_path, Holds.OLD, fence)
        before = self.snapshot(tmp_path)
        consumer.holds(values)
        assert not [call for call in fence.calls if call.changes]
        assert self.snapshot(tmp_path) == before
        consumer.apply(values)
        assert [call for call in fence.calls if call.changes]
        self._assert_clean(*fence.calls)

    def test_mode_and_owner_stay(self, tmp_path: Path) -> None:
        if not self.keeps_mode:
            return
        consumer, values = self._consumer(tmp_path, Holds.OLD)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        for path in files:
            path.chmod(0o640)
            if os.geteuid() == 0:
                os.chown(path, 12345, 23456)
        before = {path: _dress(path) for path in files}
        consumer.apply(values)
        assert {path: _dress(path) for path in files} == before

    def test_only_the_place_holds_values(self, tmp_path: Path) -> None:
        """No copy of a value lies beside it, in a temporary file or a backup."""
        consumer, values = self._consumer(tmp_path, Holds.OLD)
        before = set(self.snapshot(tmp_path))
        consumer.apply(values)
        consumer.verify(values)
        consumer.rollback(values)
        assert set(self.snapshot(tmp_path)) == before

    def test_killed_at_every_call_it_is_old_or_new(self, tmp_path: Path) -> None:
        assert self._crash(tmp_path, lambda killer: None) >= 2

    def test_killed_at_every_line_it_is_old_or_new(self, tmp_path: Path) -> None:
        files = frozenset(str(sys.modules[name].__file__) for name in self.crash_modules if name in sys.modules)
        assert len(files) == len(self.crash_modules), "import the modules before"
        if files:
            assert self._crash(tmp_path, lambda killer: sys.settrace(killer.trace(files)), lines=True) >= 20

    def _crash(self, tmp_path: Path, arm: Callable[[_Killer], None], *, lines: bool = False) -> int:
        """Runs `apply` and `verify` in a child that is killed at point 1, 2, … until one comes through; answers how many died."""
        allowed = []
        for held in (Holds.OLD, Holds.NEW):
            folder = tmp_path / f"allowed-{held.value}"
            consumer, values = self._consumer(folder, Holds.OLD)
            if held is Holds.NEW:
                consumer.apply(values)
                consumer.verify(values)
            allowed.append(self.snapshot(folder))
        for number in range(1, MOST_CRASHES):
            folder = tmp_path / f"crash-{number}"
            killer = _Killer(number)
            consumer, values = self._consumer(folder, Holds.OLD, *(() if lines else (killer,)))
            child = os.fork()
            if not child:
                code = 1
                try:
                    arm(killer)
                    consumer.apply(values)
                    consumer.verify(values)
                    code = 0
                finally:
                    os._exit(code)
            _, status = os.waitpid(child, 0)
            assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, f"it failed at point {number}"
            if os.WIFEXITED(status):
                assert self.snapshot(folder) == allowed[1]
                return number - 1
            assert self._without_leftovers(folder) in allowed, f"killed at point {number} it is neither old nor new"
            after = self.make(folder, self._ports())
            assert not self.tells or after.holds(values) in (Holds.OLD, Holds.NEW)
            after.apply(values)
            after.verify(values)
            assert self._without_leftovers(folder) == allowed[1]
            assert self.snapshot(folder) == self._without_leftovers(folder), "a temporary file was left behind"
        raise AssertionError(f"it was still not done after {MOST_CRASHES} crashes")

    def _without_leftovers(self, folder: Path) -> dict[str, bytes]:
        found = self.snapshot(folder)
        return {name: data for name, data in found.items() if not Path(name).name.startswith(".keyward-")}


def _dress(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid
