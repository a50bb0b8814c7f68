"""Worker processes that take batches of paths and answer with occurrences.

A worker that dies (killed, out of memory, a crash in a native library) loses its batch; the batch is given out again file
by file, and a file that kills its worker once more is reported as not scanned. Ctrl-C reaches the parent only, which ends
the workers.
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
from keyward.scan.examine import Examined, Examiner, Place, special
from keyward.scan.reader import chunks, file_reader
from keyward.scan.recipe import Recipe
from keyward.scan.sources.tree import check_regular, failure, open_file, open_regular

BATCH = 192
"""Files in a batch."""

SMALL = 1 << 18
"""Bytes below which a file is read in one go and dismissed at once if nothing is in it."""

AHEAD = 2
"""Batches given to a worker before it has answered the first."""


class Batch(NamedTuple):
    """`alone`: a single file of a batch that was lost."""

    paths: tuple[str, ...]
    alone: bool = False


class Answer(NamedTuple):
    """What became of a batch. `learned`: fingerprints worth caching."""

    examined: list[Examined]
    files: int
    learned: dict[bytes, bytes]


def examine_file(examiner: Examiner, path: str, *, follow: bool, listed: bool = False) -> Examined:
    """One file of the tree, or why it was not scanned. `listed`: a walk has just seen that it is a regular file; asking again
    would be one system call in four."""
    try:
        descriptor = (open_file if listed else open_regular)(path, follow=follow)
    except (OSError, ValueError) as error:
        return Examined([], [failure(path, error if isinstance(error, OSError) else OSError(0, str(error)))], 0)
    try:
        data = os.read(descriptor, SMALL)
        if not 0 < len(data) < SMALL:  # something else may have taken its place: a pipe is empty, a device without end
            check_regular(descriptor)
        if len(data) < SMALL:  # a regular file gives less than was asked for only at its end
            examined, open_it = examiner.examine_small("tree", path, data)
            if not open_it:
                return examined
            from keyward.scan.inside import examine_held

            return examine_held(examiner, Place("tree", path), data, examined, modified=os.fstat(descriptor).st_mtime)
        os.lseek(descriptor, 0, os.SEEK_SET)
        raw = None
        if not special(path, data):
            raw = examiner.examine_chunks(Place("tree", path), chunks(file_reader(descriptor)))
            if not raw.occurrences:
                return raw
        from keyward.scan.inside import examine_open

        return examine_open(examiner, Place("tree", path), descriptor, raw)
    except OSError as error:
        return Examined([], [failure(path, error)], 0)
    except MemoryError:
        return Examined([], [NotScanned(path, "out of memory")], 0)
    finally:
        os.close(descriptor)


def scan_paths(recipe: Recipe, paths: Iterable[str], *, jobs: int, follow: frozenset[str]) -> Generator[Answer, None, None]:
    """Scans the files in `jobs` processes and yields an answer per batch, in any order. `follow`: paths that the user named
    themselves and that may be links."""
    pool = _Pool(recipe, jobs, follow)
    try:
        yield from pool.run(_batches(paths))
    finally:
        pool.close()


def _batches(paths: Iterable[str]) -> Iterator[Batch]:
    """Small batches first, so that every process has work at once."""
    batch: list[str] = []
    limit = 8
    for path in paths:
        batch.append(path)
        if len(batch) >= limit:
            yield Batch(tuple(batch))
            batch = []
            limit = min(BATCH, limit * 2)
    if batch:
        yield Batch(tuple(batch))


class _Worker:
    def __init__(self, context: Any, recipe: Recipe, follow: frozenset[str], siblings: list[_Worker]) -> None:
        ours, theirs = context.Pipe()
        self.connection: Connection[Any, Any] = ours
        # a forked child inherits our ends of all pipes; while it holds them, nobody would notice that we are gone
        inherited = [ours, *(w.connection for w in siblings)] if context.get_start_method() == "fork" else []
        self.process = context.Process(target=_work, args=(theirs, recipe, follow, inherited), daemon=True)
        self.process.start()
        theirs.close()
        self.pending: deque[Batch] = deque()

    def give(self, batch: Batch) -> bool:
        """Hands over a batch; answers False if the worker is gone."""
        self.pending.append(batch)
        try:
            self.connection.send(batch.paths)
        except OSError:
            return False
        return True

    def end(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.join()


class _Pool:
    def __init__(self, recipe: Recipe, jobs: int, follow: frozenset[str]) -> None:
        # fork shares the compiled rules; where it does not exist, they are pickled once per worker
        method = "fork" if "fork" in multiprocessing.get_all_start_methods() and os.name != "nt" else "spawn"
        self._context = multiprocessing.get_context(method)
        self._recipe = recipe
        self._jobs = jobs
        self._follow = follow
        self._workers: list[_Worker] = []

    def run(self, batches: Iterator[Batch]) -> Iterator[Answer]:
        again: deque[Batch] = deque()
        exhausted = False
        while True:
            exhausted = self._feed(batches, again, exhausted)
            busy = [worker for worker in self._workers if worker.pending]
            if not busy:
                if exhausted and not again:
                    return
                continue
            ready = wait([worker.connection for worker in busy])
            for worker in busy:
                if worker.connection in ready:
                    yield from self._receive(worker, again)

    def _feed(self, batches: Iterator[Batch], again: deque[Batch], exhausted: bool) -> bool:
        for ahead in range(1, AHEAD + 1):
            for slot in range(self._jobs):
                if slot < len(self._workers) and len(self._workers[slot].pending) >= ahead:
                    continue
                batch = again.popleft() if again else None if exhausted else next(batches, None)
                if batch is None:
                    return True
                if slot == len(self._workers):
                    self._start(slot)
                self._workers[slot].give(batch)  # a worker that is gone is noticed when its answer is waited for
        return exhausted

    def _receive(self, worker: _Worker, again: deque[Batch]) -> Iterator[Answer]:
        try:
            answer = worker.connection.recv()
        except (EOFError, OSError):
            yield from self._lost(worker, again)
            return
        worker.pending.popleft()
        if isinstance(answer, BaseException):
            raise answer
        yield answer

    def _lost(self, worker: _Worker, again: deque[Batch]) -> Iterator[Answer]:
        """A worker died on the first of its pending batches; the others it has not begun."""
        worker.process.join()
        died = _how(worker.process.exitcode)
        first, *rest = worker.pending
        if first.alone:
            path = first.paths[0]
            yield Answer([Examined([], [NotScanned(path, f"the scanning process {died} on this file, twice")], 0)], 1, {})
        else:
            again.extend(Batch((path,), alone=True) for path in first.paths)
        again.extend(rest)
        worker.end()
        self._start(self._workers.index(worker))

    def _start(self, slot: int) -> None:
        """Starts a worker in a slot. Ctrl-C waits meanwhile: a process that is in no list yet could not be ended."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if hasattr(signal, "pthread_sigmask") else None
        try:
            worker = _Worker(self._context, self._recipe, self._follow, self._workers)
            self._workers[slot : slot + 1] = [worker]
        finally:
            if before is not None:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def close(self) -> None:
        for worker in self._workers:
            worker.end()


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return f"was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"was ended by signal {-code}"
    return f"ended with code {code}"


def _work(
    connection: Connection[Any, Any], recipe: Recipe, follow: frozenset[str], inherited: list[Connection[Any, Any]]
) -> None:
    """The worker's loop. An error of configuration or of a pack is sent to the parent, which raises it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(100_000)  # scanning makes many short-lived values and hardly a cycle
    for ours in inherited:
        ours.close()
    try:
        examiner, cache = recipe.examiner()
        while True:
            paths = connection.recv()
            examined = [examine_file(examiner, path, follow=path in follow, listed=path not in follow) for path in paths]
            size = sum(each.bytes for each in examined)
            kept = [each._replace(bytes=0) for each in examined if each.occurrences or each.problems]
            kept.append(Examined([], [], size))
            connection.send(Answer(kept, len(paths), cache.take()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except Exception as error:
        try:
            connection.send(error)
        except Exception:  # an error that cannot be pickled: its text still can
            connection.send(RuntimeError(f"{type(error).__name__}: {error}"))
