"""Whether an audit log is whole, and what retention and export do with one that is."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from keyward.errors import Halted
from keyward.match.paths import is_private
from keyward.model.secret import Secret
from keyward.rotate.audit import (
    CHECKPOINT,
    EVENT,
    VERSION,
    AuditLog,
    Record,
    locked,
    read_end,
    seal,
    unseal,
)
from keyward.rotate.audit_mirror import Head
from keyward.rotate.durable import sync_folder

NO_MIRROR = (
    "without a mirrored head, entries cut off at the end, and a log written anew by somebody who has its key, cannot be noticed"
)


class Verified(NamedTuple):
    """`problems`: what somebody changed. `notes`: what cannot be told, and what a crash explains. `head`: of the newest entry."""

    entries: int
    head: Head | None
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.problems


class _Entry(NamedTuple):
    line: int
    record: Record
    mac: str

    @property
    def seq(self) -> int:
        return int(self.record["seq"])


class _Bad(NamedTuple):
    """Lines in a row that are no entries. `before`: how many entries stand before them."""

    line: int
    data: bytes
    before: int


def verify(path: str, key: Secret, *mirrored: Head | None) -> Verified:
    """Looks through the whole log; `mirrored`: heads that other places remember. Raises Halted if it cannot be read."""
    data = read_end(path)[0]
    entries, bad = _parse(data, key)
    problems: list[str] = []
    notes: list[str] = []
    _check_bad(entries, bad, ends_whole=data.endswith(b"\n"), problems=problems, notes=notes)
    _check_chain(entries, problems)
    _check_lost(entries, problems)
    if entries and not data.endswith(b"\n") and not (bad and bad[-1].before == len(entries)):
        notes.append("the last line lacks its end: a write was cut off there, or somebody cut it")
    if data and not is_private(os.stat(path)):
        notes.append("others than its owner may write the file")
    heads = [each for each in dict.fromkeys(mirrored) if each is not None]
    if not heads:
        notes.append(NO_MIRROR)
    for each in heads:
        _check_mirrored(entries, each, problems, notes)
    head = _head(entries[-1]) if entries else None
    return Verified(sum(each.record["type"] == EVENT for each in entries), head, tuple(problems), tuple(notes))


def _parse(data: bytes, key: Secret) -> tuple[list[_Entry], list[_Bad]]:
    entries: list[_Entry] = []
    bad: list[_Bad] = []
    for number, line in enumerate(_lines(data), 1):
        record = unseal(key, line[:-1] if line.endswith(b"\n") else line)
        if record is not None:
            entries.append(_Entry(number, record, str(record["mac"])))
        elif bad and bad[-1].before == len(entries):
            bad[-1] = bad[-1]._replace(data=bad[-1].data + line)
        else:
            bad.append(_Bad(number, line, len(entries)))
    return entries, bad


def _lines(data: bytes) -> list[bytes]:
    """Lines that end in a newline alone."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _check_bad(
    entries: Sequence[_Entry], bad: Sequence[_Bad], *, ends_whole: bool, problems: list[str], notes: list[str]
) -> None:
    for each in bad:
        at_the_end = each.before == len(entries)
        if at_the_end and not ends_whole and b"\n" not in each.data:
            notes.append(f"line {each.line} is torn: a write was cut off there, or somebody cut it")
            continue
        declared = {} if at_the_end else entries[each.before].record.get("torn") or {}
        # the newline was put there by whoever went on writing
        digests = {hashlib.sha256(data).hexdigest() for data in (each.data, each.data.removesuffix(b"\n"))}
        if declared.get("sha256") in digests and not declared.get("whole_lines"):
            notes.append(f"line {each.line} is torn: a write was cut off there, and the next entry says so")
        elif declared.get("sha256") in digests:
            problems.append(f"line {each.line} was damaged before entry {entries[each.before].seq} was written")
        else:
            problems.append(f"line {each.line} was changed, or is no entry of this log")
    explained = {each.before for each in bad}
    for number, entry in enumerate(entries):
        if entry.record.get("torn") and number not in explained:
            problems.append(f"line {entry.line}: the torn line that entry {entry.seq} speaks of was removed")


def _check_chain(entries: Sequence[_Entry], problems: list[str]) -> None:
    if not entries:
        return
    first = entries[0]
    if first.record["type"] == EVENT:
        problems.append(f"the beginning is missing: the first entry is {first.seq}, and neither a start nor a checkpoint")
    seen = {entry.seq for entry in entries}
    missing = sorted(set(range(min(seen), max(seen) + 1)) - seen)
    if missing:
        problems.append(f"entries are missing: {_ranges(missing)}")
    for before, entry in itertools.pairwise(entries):
        if entry.record["type"] != EVENT:
            problems.append(f"line {entry.line}: a {entry.record['type']} stands in the middle of the log")
        elif entry.seq <= before.seq:
            problems.append(f"line {entry.line}: entry {entry.seq} stands after entry {before.seq}: out of order, or twice")
        elif entry.seq == before.seq + 1 and entry.record["prev"] != _head(before).mac:
            problems.append(f"line {entry.line}: entry {entry.seq} does not follow from the one before it")


def _check_lost(entries: Sequence[_Entry], problems: list[str]) -> None:
    """What was cut off or rewritten before somebody wrote on, and so over the head in the mirror."""
    for entry in entries:
        lost = entry.record.get("lost")
        if lost:
            problems.append(
                f"line {entry.line}: when entry {entry.seq} was written, the mirror had seen an entry {lost['seq']} that the log did not have: "
                "it had been cut off, removed or rewritten"
            )


def _check_mirrored(entries: Sequence[_Entry], mirrored: Head, problems: list[str], notes: list[str]) -> None:
    heads = {_head(entry).seq: _head(entry).mac for entry in entries}
    newest = max(heads, default=0)
    if not heads or mirrored.seq > newest:
        problems.append(f"entries are cut off at the end: the mirror has seen entry {mirrored.seq}, the log ends with {newest}")
    elif mirrored.seq < min(heads):
        notes.append(f"the mirrored head ({mirrored.seq}) is older than what retention kept, so it says nothing")
    elif mirrored.seq in heads and heads[mirrored.seq] != mirrored.mac:
        problems.append(f"the log was rewritten: entry {mirrored.seq} is not the one that the mirror has seen")
    elif newest > mirrored.seq:
        notes.append(f"entries {mirrored.seq + 1} to {newest} are newer than the mirrored head")


def _head(entry: _Entry) -> Head:
    return Head(entry.seq, str(entry.record["last"]) if entry.record["type"] == CHECKPOINT else entry.mac)


def _ranges(numbers: Sequence[int]) -> str:
    """`3, 5-9`"""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in spans)


def read(path: str, key: Secret, *, since: float = 0.0, until: float = float("inf")) -> Iterator[Record]:
    """The events of a time span (Unix seconds) that are genuine; what is not is left to `verify`."""
    for entry in _parse(read_end(path)[0], key)[0]:
        if entry.record["type"] == EVENT and since <= entry.record["time"] < until:
            yield entry.record


def export(path: str, key: Secret, *, since: float = 0.0, until: float = float("inf")) -> Iterator[str]:
    """The same as JSON lines, with their `seq`, `prev` and `mac`, so that they can be compared with the log."""
    for record in read(path, key, since=since, until=until):
        yield json.dumps(record, separators=(",", ":"), ensure_ascii=True) + "\n"


def retain(log: AuditLog, *, before: float) -> int:
    """Replaces the entries that are older than `before` (Unix seconds) by a checkpoint, records that, and answers with how many
    they were. The newest entry always stays. Raises Halted for a log that is not whole: what is wrong with it would be lost."""
    with locked(log.path):
        data, old = _older(log.path, log.key, before)
        if not old:
            return 0
        last = old[-1]
        kept = b"".join(_lines(data)[last.line :])
        checkpoint, _ = seal(log.key, _checkpoint(log, old, last))
        _replace(log.path, checkpoint + kept)
        gone = _events(old)
    log.append("audit.retain", detail=f"{gone} entries up to {last.seq} were replaced by a checkpoint")
    return gone


def would_retain(path: str, key: Secret, *, before: float) -> int:
    """How many entries `retain` would replace; reads only. Raises Halted as it does."""
    return _events(_older(path, key, before)[1])


def _older(path: str, key: Secret, before: float) -> tuple[bytes, list[_Entry]]:
    """The whole log, and its entries that are older and have no checkpoint in their place yet, but for the newest."""
    checked = verify(path, key)
    if not checked.ok:
        raise Halted(f"the audit log is not whole: {checked.problems[0]}", hint="Keep a copy of it and look into it first.")
    data = read_end(path)[0]
    entries, _ = _parse(data, key)
    old = 0
    while old < len(entries) - 1 and _age(entries[old]) < before:
        old += 1
    if all(entry.record["type"] == CHECKPOINT for entry in entries[:old]):
        return data, []
    return data, entries[:old]


def _events(entries: Sequence[_Entry]) -> int:
    return sum(entry.record["type"] == EVENT for entry in entries)


def _age(entry: _Entry) -> float:
    """When it happened; for a checkpoint, when the newest of what it stands for did."""
    return float(entry.record["last_time" if entry.record["type"] == CHECKPOINT else "time"])


def _checkpoint(log: AuditLog, dropped: Sequence[_Entry], last: _Entry) -> Record:
    earlier = dropped[0].record if dropped[0].record["type"] == CHECKPOINT else {}
    return {
        "v": VERSION,
        "seq": last.seq,
        "time": round(log.clock.now(), 3),
        "type": CHECKPOINT,
        "dropped": int(earlier.get("dropped", 0)) + sum(entry.record["type"] == EVENT for entry in dropped),
        "first_time": earlier.get("first_time", dropped[0].record["time"]),
        "last_time": _age(last),
        "last": _head(last).mac,
    }


def _replace(path: str, data: bytes) -> None:
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        sync_folder(os.path.dirname(path) or ".")
    except OSError as error:
        raise Halted(f"cannot write the audit log {path!r}: {error.strerror}", hint="Nothing was changed.") from None
