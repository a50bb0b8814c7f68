"""`keyward audit`: the audit log of this user, and the key and mirror that belong to it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.errors import UsageError
from keyward.flows.workplace import Workplace
from keyward.rotate.audit import FILE, AuditLog, Record, audit_key
from keyward.rotate.audit_mirror import Head, Mirror, Mirrors, StoreMirror, SyslogMirror
from keyward.rotate.audit_verify import Verified
from keyward.rotate.audit_verify import export as export_lines
from keyward.rotate.audit_verify import read as read_records
from keyward.rotate.audit_verify import retain as retain_records
from keyward.rotate.audit_verify import verify as verify_log
from keyward.rotate.operator import AuditPlaces

COMPARE = "the system's log has heads as well: compare its newest with `keyward audit verify --head SEQ:MAC`"


def log_path(place: Workplace) -> str:
    """Where the log lies: in the state folder."""
    return os.path.join(place.state, FILE)


def open_log(place: Workplace) -> AuditLog:
    """The log, for writing; its key comes from the default store. Raises StoreError where the key cannot be had."""
    store = place.store(place.operator.default_store)
    return AuditLog(log_path(place), audit_key(store), clock=place.clock, mirror=mirror(place))


def mirror(place: Workplace) -> Mirrors:
    """Where the head is kept a second time: what the configuration says, else the default store."""
    places = place.operator.audit or AuditPlaces((place.operator.default_store,))
    mirrors: list[Mirror] = [StoreMirror(place.store(name)) for name in places.stores]
    if places.syslog:
        mirrors.append(SyslogMirror(places.socket, place.clock))
    return Mirrors(mirrors)


def verify(place: Workplace, head: str = "") -> Verified:
    """Whether the log is whole, against the head in the stores, and the one that is given (`SEQ:MAC`, from the system's log)."""
    try:
        given = Head.parse(head) if head else None
    except ValueError as error:
        raise UsageError(str(error), hint="Copy it from the system's log: keyward audit head SEQ:MAC") from None
    key = audit_key(place.store(place.operator.default_store))
    result = verify_log(log_path(place), key, given, mirror(place).get())
    if place.operator.audit is not None and place.operator.audit.syslog and given is None:
        result = result._replace(notes=(*result.notes, COMPARE))
    return result


def records(place: Workplace, *, since: float, until: float, last: int = 0) -> list[Record]:
    """The genuine entries of a time span; only the `last` of them if that is not 0."""
    found = list(read_records(log_path(place), audit_key(place.store(place.operator.default_store)), since=since, until=until))
    return found[-last:] if last else found


def export(place: Workplace, *, since: float, until: float) -> Iterator[str]:
    """The same as JSON lines."""
    key = audit_key(place.store(place.operator.default_store))
    return export_lines(log_path(place), key, since=since, until=until)


def retain(place: Workplace, *, keep: float) -> int:
    """Replaces entries older than `keep` seconds by a checkpoint; answers with how many."""
    with open_log(place) as log:
        return retain_records(log, before=place.clock.now() - keep)
