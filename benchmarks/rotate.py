"""How close a big rotation comes to the time that the providers force.

    python benchmarks/rotate.py [--credentials 300] [--latency 0.2] [--store memory] [--repeat 1]

Five local providers (`rotate_providers.py`), each in a process of its own, hold the credentials of as many lanes; each has a
`.env` file. The real flow (`keyward.flows.rotate`) rotates all of them, as planned and as in an incident.

The bound is what no client can undercut that has one changing call in flight for an account: the changing calls that the account
saw, one after the other, each as long as the latency, or its calls at its rate, whatever takes longer; before the first and
after the last of them, the reading calls of one rotation that was run alone. The slowest account decides.

The engine's overhead is measured without latency, one rotation after the other: whatever is not a call to the provider, divided by the
steps; syncing of journal, audit log, store and `.env` included.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import NamedTuple

from rotate_providers import PROVIDERS, Call, World, serve

from keyward.flows.rotate import Chosen, Result, Selection, rotate
from keyward.flows.workplace import Workplace
from keyward.model.rotation import DONE, INCIDENT, PLANNED, QUARANTINE
from keyward.model.secret import Secret
from keyward.plugin.clock import SystemClock
from keyward.plugin.ports import Call as PortsCall
from keyward.plugin.store import Slot
from keyward.registry import Registry
from keyward.rotate.lanes import load_lanes
from keyward.rotate.parties import Options

QUARANTINE_TARGET, WHOLE_TARGET, STEP_TARGET = 1.2, 1.3, 0.010
LONE = 3
"""Rotations of each provider that are run alone, to see their chain and the engine's overhead."""

STORES = {
    "memory": 'type = "memory"',
    "agefile": 'type = "agefile"\nfile = "{home}/store.age"\ninsecure_identity = true',
}


class Away(SystemClock):
    """A fence that adds up the time of calls to providers, and a clock that adds up what is slept (until a rate lets a call through).
    For one rotation after the other."""

    def __init__(self) -> None:
        self.seconds, self._since = 0.0, 0.0

    def sleep(self, seconds: float) -> None:
        begun = time.perf_counter()
        super().sleep(seconds)
        self.seconds += time.perf_counter() - begun

    def before(self, call: PortsCall) -> None:
        self._since = time.perf_counter()

    def after(self, call: PortsCall, outcome: str) -> None:
        if call.host == "127.0.0.1":
            self.seconds += time.perf_counter() - self._since


class Ear:
    """Hears how far the run is. `quarantined`: when the last one was stopped, by the monotonic clock. `files`: most files and
    connections that were open at once."""

    def __init__(self) -> None:
        self.steps, self.quarantined, self.files = 0, 0.0, 0

    def __call__(self, ref: str, step: str, detail: str) -> None:
        if step == QUARANTINE and detail:
            self.quarantined = time.monotonic()
        elif not detail:
            self.steps += 1
        if step in (DONE, QUARANTINE):
            self.files = max(self.files, len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0)


class Chain(NamedTuple):
    """Reading calls of a lone rotation before its first and after its last changing one."""

    before: int
    after: int


class Timing(NamedTuple):
    """One phase of a run. `bounds`: seconds that each account forces."""

    name: str
    measured: float
    bounds: dict[str, float]

    @property
    def bound(self) -> float:
        return max(self.bounds.values(), default=0.0)

    @property
    def ratio(self) -> float:
        return self.measured / self.bound if self.bound else float("nan")


class Bench:
    """The providers' processes and the operator's home. Use it as a context manager."""

    def __init__(self, folder: str, credentials: int, store: str) -> None:
        self.folder, self._store = folder, store
        self.clock = Away()
        self._each = max(1, credentials // len(PROVIDERS))
        self._doors: dict[str, Connection] = {}
        self._worlds: dict[str, World] = {}

    def __enter__(self) -> Bench:
        spawn = multiprocessing.get_context("spawn")
        for name in PROVIDERS:
            here, there = spawn.Pipe()
            spawn.Process(target=serve, args=(name, self._each, there), daemon=True).start()
            there.close()
            self._doors[name] = here
        self._worlds = {name: door.recv() for name, door in self._doors.items()}
        self.place = self._workplace()
        return self

    def __exit__(self, *_: object) -> None:
        self.place.close()
        for door in self._doors.values():
            door.close()

    def _workplace(self) -> Workplace:
        path = os.path.join(self.folder, "config.toml")
        with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(f"[stores.main]\n{STORES[self._store].format(home=self.folder)}\n")
            for name, world in self._worlds.items():
                for number in range(self._each):
                    file.write(self._lane(name, world, number))
        environment = {
            f"{name}_{part}".upper(): value for name, world in self._worlds.items() for part, value in world.admin.items()
        }
        state = os.path.join(self.folder, "state")
        place = Workplace(load_lanes(path), Registry(), state=state, clock=self.clock, environment=environment)
        for lane, entry in place.operator.entries():
            name, _, number = lane.name.partition("-")
            parts = self._worlds[name].credentials[int(number)].parts
            values = {part: Secret(value.encode()) for part, value in parts.items()}
            place.store(entry.store).write(entry.path, Slot.CURRENT, values, {"lane": lane.name}, expected=0)
        return place

    def _lane(self, name: str, world: World, number: int) -> str:
        lane, credential = f"{name}-{number:03}", world.credentials[number]
        folder = os.path.join(self.folder, lane)
        os.makedirs(folder)
        variables = {f"{name}_{part}".upper(): part for part in credential.parts}
        with open(os.path.join(folder, ".env"), "w") as file:
            file.writelines(f"{variable}={credential.parts[part]}\n" for variable, part in variables.items())
        admin = ", ".join(f'{part} = "env:{name.upper()}_{part.upper()}"' for part in world.admin)
        sets = ", ".join(f'{variable} = "{{{part}}}"' for variable, part in variables.items())
        scope = ", ".join(f"{key} = {_toml(value)}" for key, value in credential.scope.items())
        return (
            f"\n[lanes.{lane}]\n[[lanes.{lane}.credentials]]\nname = 'key'\nkind = '{world.kind}'\n"
            f"target = {{ base_url = '{world.url}' }}\nadmin = {{ {admin} }}\nscope = {{ {scope} }}\n"
            f"[[lanes.{lane}.consumers]]\ntype = 'dotenv'\npath = '{folder}/.env'\nset = {{ {sets} }}\n"
        )

    def latency(self, seconds: float) -> None:
        """From now on each answer takes this long. Forgets the calls until now."""
        for door in self._doors.values():
            door.send(("latency", seconds))
            door.recv()

    def calls(self) -> dict[str, list[Call]]:
        """What each provider saw since the last time."""
        for door in self._doors.values():
            door.send(("calls",))
        return {name: door.recv() for name, door in self._doors.items()}

    def chosen(self, provider: str = "") -> tuple[Chosen, ...]:
        return tuple(Chosen(lane, entry) for lane, entry in self.place.operator.entries() if lane.name.startswith(provider))

    def rotate(self, chosen: Sequence[Chosen], mode: str, ear: Ear) -> Result:
        """Raises RuntimeError if not every one of them was replaced and proved."""
        result = rotate(self.place, Selection(tuple(chosen)), Options(mode=mode), tell=ear)
        wrong = [*(str(each) for each in (*result.failed, *result.waiting)), *map(str, result.quarantine_failed)]
        if wrong:
            raise RuntimeError(f"{len(wrong)} of {len(chosen)} went wrong, first: {wrong[0]}")
        return result


def _toml(value: object) -> str:
    return f"[{', '.join(map(_toml, value))}]" if isinstance(value, list) else repr(value)


def forced(calls: Sequence[Call], latency: float, chain: Chain) -> float:
    """Seconds that an account forces: its changing calls in turn, or what its limits let through."""
    reading = (chain.before + chain.after) * latency
    longest = sum(call.changed for call in calls) * latency + reading
    used: dict[str, float] = {}
    for call in calls:
        if call.limit is not None and not call.throttled:
            used[call.limit.name] = used.get(call.limit.name, 0.0) + call.limit.cost
    for limit in {call.limit.name: call.limit for call in calls if call.limit is not None}.values():
        longest = max(longest, (used.get(limit.name, 0.0) - limit.burst) / limit.rate + latency)
    return longest


def chain_of(calls: Sequence[Call]) -> Chain:
    """Of the calls of one rotation that was run alone."""
    changing = [number for number, call in enumerate(calls) if call.changed]
    if not changing:
        return Chain(len(calls), 0)
    return Chain(changing[0], len(calls) - 1 - changing[-1])


def lone(bench: Bench, mode: str) -> tuple[dict[str, Chain], dict[str, Chain], dict[str, str]]:
    """The chains of each provider's whole rotation and of its quarantine alone, and what one rotation calls."""
    whole, stopping, shown = {}, {}, {}
    for name in PROVIDERS:
        bench.calls()
        ear = Ear()
        bench.rotate(bench.chosen(name)[:1], mode, ear)
        calls = bench.calls()[name]
        whole[name] = chain_of(calls)
        stopping[name] = chain_of([call for call in calls if call.time <= ear.quarantined])
        changes = sum(call.changed for call in calls)
        shown[name] = f"{len(calls)} calls, {changes} of them changing"
    return whole, stopping, shown


def overhead(bench: Bench) -> dict[str, float]:
    """Seconds a step that are spent neither in calls to the provider nor in waiting for its rate, by provider."""
    away, place, found = bench.clock, bench.place, {}
    place.fences = (away,)
    for name in PROVIDERS:
        ear, away.seconds, begun = Ear(), 0.0, time.perf_counter()
        for chosen in bench.chosen(name)[:LONE]:
            bench.rotate([chosen], PLANNED, ear)
        found[name] = (time.perf_counter() - begun - away.seconds) / ear.steps
    place.fences = ()
    return found


def timed(bench: Bench, mode: str, latency: float) -> tuple[list[Timing], str]:
    """One run of everything, and a line on what it took."""
    bench.latency(0.0)
    whole, stopping, _ = lone(bench, mode)
    bench.latency(latency)
    ear, begun, used = Ear(), time.monotonic(), time.process_time()
    bench.rotate(bench.chosen(), mode, ear)
    ended, used = time.monotonic(), time.process_time() - used
    seen = bench.calls()
    found = []
    if ear.quarantined:
        first = {name: [call for call in calls if call.time <= ear.quarantined] for name, calls in seen.items()}
        bounds = {name: forced(calls, latency, stopping[name]) for name, calls in first.items() if calls}
        found.append(Timing("quarantine", ear.quarantined - begun, bounds))
    bounds = {name: forced(calls, latency, whole[name]) for name, calls in seen.items()}
    found.append(Timing(f"whole run, {mode}", ended - begun, bounds))
    number = sum(map(len, seen.values()))
    late = sum(call.throttled for calls in seen.values() for call in calls)
    return found, (
        f"  {mode}: {number} calls, {late} of them throttled; own processor time {used:.1f} s"
        f" ({used / (ended - begun):.0%} of a core), at most {ear.files} files open; load {os.getloadavg()[0]:.1f}"
    )


def sync_time(folder: str) -> float:
    """Median seconds that a synced line takes on this disk, now."""
    times = []
    with open(os.path.join(folder, "sync"), "ab", buffering=0) as file:
        for _ in range(50):
            begun = time.perf_counter()
            file.write(b"x" * 300)
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begun)
    return statistics.median(times)


@contextmanager
def bench_of(credentials: int, store: str) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder, Bench(folder, credentials, store) as bench:
        yield bench


def report(credentials: int, latency: float, store: str, repeat: int) -> bool:
    """Prints one store's figures; whether the targets were reached, by the best run of each phase."""
    best: dict[str, float] = {}
    with bench_of(credentials, store) as bench:
        lone(bench, PLANNED)  # imports, first connections
        steps = overhead(bench)
        step = sum(steps.values()) / len(steps)
        shown = {mode: lone(bench, mode)[2] for mode in (PLANNED, INCIDENT)}
        print(f"\nstore {store}: {len(bench.chosen())} credentials, {latency * 1000:.0f} ms an answer")
        for name in PROVIDERS:
            print(f"  {name}: planned {shown[PLANNED][name]}; incident {shown[INCIDENT][name]}")
        each = ", ".join(f"{name} {seconds * 1000:.1f}" for name, seconds in steps.items())
        print(f"  own time a step: {step * 1000:.1f} ms ({each}); a synced line: {sync_time(bench.folder) * 1000:.2f} ms")
        print(f"\n  {'phase':<22} {'bound s':>8} {'measured s':>11} {'ratio':>6}   bound of each account")
        for _ in range(repeat):
            for mode in (PLANNED, INCIDENT):
                timings, note = timed(bench, mode, latency)
                for each in timings:
                    accounts = ", ".join(f"{name} {bound:.1f}" for name, bound in sorted(each.bounds.items()))
                    print(f"  {each.name:<22} {each.bound:8.1f} {each.measured:11.1f} {each.ratio:5.2f}×   {accounts}")
                    best[each.name] = min(best.get(each.name, each.ratio), each.ratio)
                print(note, flush=True)
    good = step < STEP_TARGET
    for phase, ratio in best.items():
        good = good and ratio <= (QUARANTINE_TARGET if phase == "quarantine" else WHOLE_TARGET)
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--credentials", type=int, default=300)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds that each answer takes")
    parser.add_argument("--store", choices=(*STORES, "both"), default="both")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="exit 1 if a target is missed")
    options = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; bounds from what each account saw")
    stores = list(STORES) if options.store == "both" else [options.store]
    good = [report(options.credentials, options.latency, store, options.repeat) for store in stores]
    if options.check and not good[0]:
        sys.exit(1)


if __name__ == "__main__":
    main()
