"""`keyward audit`: the audit log of this user, and the key and mirror that belong to it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.errors import Halted, KeywardError, UsageError
from keyward.flows.workplace import Workplace
from keyward.match.paths import write_private
from keyward.rotate.audit import FILE, AuditLog, Record, audit_key, kept_key
from keyward.rotate.audit_mirror import Head, Mirror, Mirrors, StoreMirror, SyslogMirror
from keyward.rotate.audit_verify import Verified, would_retain
from keyward.rotate.audit_verify import export as export_lines
from keyward.rotate.audit_verify import read as read_records
from keyward.rotate.audit_verify import retain as retain_records
from keyward.rotate.audit_verify import verify as verify_log
from keyward.rotate.operator import AuditPlaces

RETAINED = "audit.retained"
"""When old entries were last looked for by themselves: a file in the state folder, with Unix seconds."""

DAY = 86_400.0

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


def retain_by_policy(place: Workplace) -> str:
    """What `[audit] keep` asks for, once a day at most, where this process has written the log. Never while an incident is open: what is
    old may be what is looked for. Answers with what went wrong, which stops nothing; empty if nothing did."""
    from keyward.flows.incident_case import open_incident

    keep, now = place.operator.audit_keep, place.clock.now()
    if not keep or not place.audit.written or not _is_due(place.state, now) or open_incident(place.state) is not None:
        return ""
    try:
        if not write_private(os.path.join(place.state, RETAINED), f"{now:.0f}\n".encode()):
            raise Halted(f"cannot write {RETAINED!r} in the state folder")
        retain_records(place.audit, before=now - keep)
    except (KeywardError, OSError) as error:
        hint = getattr(error, "hint", "")
        return f"entries of the audit log that are older than `[audit] keep` stay: {error}. {hint}".rstrip()
    return ""


def _is_due(state: str, now: float) -> bool:
    """Whether a day has gone since the last time; a clock that was put back does not make it longer."""
    try:
        with open(os.path.join(state, RETAINED), encoding="ascii") as file:
            return not 0 <= now - float(file.read()) < DAY
    except (OSError, ValueError):
        return True


def retain(place: Workplace, *, keep: float, dry_run: bool = False) -> int:
    """Replaces entries older than `keep` seconds by a checkpoint; answers with how many. `dry_run`: only counts them."""
    if dry_run:
        # the key is made on first use: not here, where nothing is changed
        if not os.path.lexists(log_path(place)):
            return 0
        key = kept_key(place.store(place.operator.default_store))
        return would_retain(log_path(place), key, before=place.clock.now() - keep)
    with open_log(place) as log:
        return retain_records(log, before=place.clock.now() - keep)
