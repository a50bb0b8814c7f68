"""Processes that look at objects side by side, each with a git of its own.

Neighbours in a pack are given to the same process, because git stores one as a difference to the other. A process that dies loses its
batch, which is given out again in halves, until the object that killed it stands alone; that one is named as not scanned.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from keyward.model.finding import NotScanned
from keyward.scan.examine import Examined
from keyward.scan.git import Repository
from keyward.scan.history import Item, Look, Looker
from keyward.scan.recipe import Recipe

BATCH = 512
"""Objects in a batch, at most: enough for git to profit from their neighbourhood, few enough for an even end."""

FEW = 64
"""Objects that are looked at in this process: another one would take longer to start."""

Batch = list[Item]


class Answer(NamedTuple):
    """What became of a batch. `size`: bytes that were read. `learned`: fingerprints worth caching."""

    batch: Batch
    looks: list[Look]
    size: int
    learned: dict[bytes, bytes]


class Job(NamedTuple):
    """What a process needs. `environment`: of a clean room, which must outlive it."""

    recipe: Recipe
    repository: Repository
    environment: dict[str, str]
    prefix: str = ""

    def looker(self) -> tuple[Looker, Any]:
        examiner, cache = self.recipe.examiner()
        return Looker(examiner, self.repository, self.environment, self.prefix), cache


def look_at(job: Job, items: Iterable[Item], *, jobs: int) -> Generator[Answer, None, None]:
    """Looks at all items in `jobs` processes, or here if there are few. Answers come in any order. Close the iterator."""
    rest = iter(items)
    first = [item for _, item in zip(range(FEW), rest)]
    following = next(rest, None)
    if following is None or jobs < 2:
        yield from _here(job, first, following, rest)
        return
    workers: list[_Worker] = []
    try:
        yield from _side_by_side(job, workers, _batches(first, following, rest), jobs)
    finally:
        for worker in workers:
            worker.end()


def _here(job: Job, first: Batch, following: Item | None, rest: Iterator[Item]) -> Iterator[Answer]:
    if not first:
        return
    looker, cache = job.looker()
    for batch in _batches(first, following, rest):
        looks, size = looker.look(batch)
        yield Answer(batch, looks, size, cache.take())


def _batches(first: Batch, following: Item | None, rest: Iterator[Item]) -> Iterator[Batch]:
    yield first
    batch = [following] if following is not None else []
    for item in rest:
        batch.append(item)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


class _Worker:
    def __init__(self, context: Any, job: Job, siblings: list[_Worker]) -> None:
        ours, theirs = context.Pipe()
        self.connection: Connection[Any, Any] = ours
        # a forked child inherits our ends of all pipes; while it holds them, nobody would notice that we are gone
        inherited = [ours, *(w.connection for w in siblings)] if context.get_start_method() == "fork" else []
        self.process = context.Process(target=_work, args=(theirs, job, inherited), daemon=True)
        self.process.start()
        theirs.close()
        self.pending: Batch | None = None

    def give(self, batch: Batch) -> None:
        self.pending = batch
        try:
            self.connection.send(batch)
        except OSError:
            pass  # it is gone, which is noticed when its answer is waited for

    def end(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.join()


def _side_by_side(job: Job, workers: list[_Worker], batches: Iterator[Batch], jobs: int) -> Iterator[Answer]:
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() and os.name != "nt" else "spawn"
    context = multiprocessing.get_context(method)
    again: deque[Batch] = deque()
    prepared = next(batches, None)
    while True:
        # A process has one batch at a time: with a second one under way, both sides could wait for the other to read.
        for slot in range(jobs):
            if slot < len(workers) and workers[slot].pending is not None:
                continue
            batch = again.popleft() if again else prepared
            if batch is None:
                break
            if slot == len(workers):
                _start(context, job, workers, slot)
            workers[slot].give(batch)
            if batch is prepared:
                prepared = next(batches, None)
        busy = [worker for worker in workers if worker.pending is not None]
        if not busy:
            return
        ready = wait([worker.connection for worker in busy])
        for worker in busy:
            if worker.connection in ready:
                yield from _receive(context, job, workers, worker, again)


def _receive(context: Any, job: Job, workers: list[_Worker], worker: _Worker, again: deque[Batch]) -> Iterator[Answer]:
    batch, worker.pending = worker.pending, None
    assert batch is not None
    try:
        answer = worker.connection.recv()
    except (EOFError, OSError):
        worker.process.join()
        code = worker.process.exitcode
        worker.end()
        _start(context, job, workers, workers.index(worker))
        if len(batch) == 1:
            problem = NotScanned(batch[0].paths[0], f"the scanning process ended on this object (code {code})")
            yield Answer(batch, [Look(0, [Examined([], [problem], 0)])], 0, {})
        else:
            middle = len(batch) // 2
            again.extend((batch[:middle], batch[middle:]))
        return
    if isinstance(answer, BaseException):
        raise answer
    looks, size, learned = answer
    yield Answer(batch, looks, size, learned)


def _start(context: Any, job: Job, workers: list[_Worker], slot: int) -> None:
    """Starts a worker in a slot. Ctrl-C waits meanwhile: a process that is in no list yet could not be ended."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if hasattr(signal, "pthread_sigmask") else None
    try:
        workers[slot : slot + 1] = [_Worker(context, job, workers)]
    finally:
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(connection: Connection[Any, Any], job: Job, inherited: list[Connection[Any, Any]]) -> None:
    """The worker's loop. An error of configuration or of a pack is sent to the parent, which raises it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(100_000)  # scanning makes many short-lived values and hardly a cycle
    for ours in inherited:
        ours.close()
    try:
        looker, cache = job.looker()
        while True:
            looks, size = looker.look(connection.recv())
            connection.send((looks, size, cache.take()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except Exception as error:
        try:
            connection.send(error)
        except Exception:  # an error that cannot be pickled: its text still can
            connection.send(RuntimeError(f"{type(error).__name__}: {error}"))
