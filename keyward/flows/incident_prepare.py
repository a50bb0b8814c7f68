"""`keyward incident prepare`: the record of the host's good state, and what differs from it."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence
from typing import NamedTuple

from keyward.errors import ConfigError, UsageError
from keyward.flows.incident_case import open_incident
from keyward.flows.incident_tools import below, output
from keyward.flows.workplace import Workplace
from keyward.incident.host_areas import Gathered, Output, Places, expand, gather
from keyward.incident.host_record import Hasher, HostRecord, dumps, loads
from keyward.incident.settings import IncidentSettings
from keyward.match.paths import write_private
from keyward.model.secret import Secret
from keyward.rotate.audit import audit_key
from keyward.rotate.who import current
from keyward.scan.sources.catalogue import chosen
from keyward.scan.sources.host import this_host
from keyward.scan.sources.sweep import Sweep

RECORD, OLDER = "host-record.json", "host-records"
LARGEST = 64 << 20
ENV_TYPES = ("dotenv", "docker-env", "compose")


class Prepared(NamedTuple):
    """`path`: of the record. `before`: when the one before it was made, 0 where there was none."""

    path: str
    record: HostRecord
    before: float = 0.0


def hasher(place: Workplace) -> Hasher:
    """Under a key made from the audit log's, which the default store keeps. Raises StoreError."""
    key = audit_key(place.store(place.operator.default_store)).reveal()
    return Hasher(Secret(hmac.new(key, b"keyward host record key\n", hashlib.sha256).digest()))


def look(place: Workplace, settings: IncidentSettings, *, places: Places | None = None, run: Output = output) -> HostRecord:
    """How the host is now. Raises StoreError where the key of the hashes cannot be had."""
    gathered = Gathered(hasher(place))
    gather(places or places_of(place, settings), gathered, _no_output if settings.home_only else run)
    who = current()
    return HostRecord(place.clock.now(), who.host, who.user, gathered.areas, tuple(sorted(gathered.unreadable.items())))


def places_of(place: Workplace, settings: IncidentSettings) -> Places:
    """This machine: the consumers' files, the env files that a sweep knows, and what the configuration watches."""
    env_files: list[str] = []
    configs: list[str] = []
    for lane in place.operator.lanes.values():
        for spec in lane.consumers:
            path = spec.options.get("path")
            if isinstance(path, str) and not spec.host:
                (env_files if spec.type in ENV_TYPES else configs).append(os.path.abspath(os.path.expanduser(path)))
    host = this_host()
    swept = [met.path for met in Sweep(host, chosen(("env",))).files()]
    env_files += below(host.home, swept) if settings.home_only else swept
    for path in expand(settings.watch):
        name = os.path.basename(path)
        (env_files if name.startswith(".env") or name.endswith(".env") else configs).append(path)
    root = os.path.join(place.state, _NOWHERE) if settings.home_only else "/"
    return Places(host.home, root, env_files=tuple(dict.fromkeys(env_files)), configs=tuple(dict.fromkeys(configs)))


_NOWHERE = "no-machine"
"""A folder that is never there."""


def _no_output(argv: Sequence[str]) -> None:
    """What the system's own tools say is of the machine, not of a home."""


def prepare(
    place: Workplace,
    settings: IncidentSettings,
    *,
    file: str = "",
    anyway: bool = False,
    dry_run: bool = False,
    places: Places | None = None,
    run: Output = output,
) -> Prepared:
    """Writes the record; the one before it is kept. `file`: elsewhere. Raises UsageError while an incident is open: the state is not
    good then."""
    there = open_incident(place.state)
    if there is not None and not anyway and not dry_run:
        hint = "Close it first. If you know that this state is good: --anyway."
        raise UsageError(f"incident {there.name} is open: this would record a state that may be a thief's", hint=hint)
    record = look(place, settings, places=places, run=run)
    path = os.path.abspath(file) if file else os.path.join(place.state, RECORD)
    old = _read(path)
    before = 0.0
    if old is not None:
        try:
            before = loads(old, hasher(place), path).time
        except ConfigError:
            before = os.stat(path).st_mtime
    if dry_run:
        return Prepared(path, record, before)
    if old is not None and not file:
        _write(os.path.join(place.state, OLDER, f"{before:.0f}.json"), old)
    _write(path, dumps(record, hasher(place)))
    place.audit.append("incident: prepare", detail=f"{record.size} items, {len(record.unreadable)} not readable", files=[path])
    return Prepared(path, record, before)


def read_record(place: Workplace, file: str = "") -> HostRecord | None:
    """The record; None if there is none. Raises ConfigError for one that was changed."""
    path = os.path.abspath(file) if file else os.path.join(place.state, RECORD)
    data = _read(path)
    if data is None:
        if file:
            raise ConfigError("there is no such record", path=path, hint="Check --record.")
        return None
    return loads(data, hasher(place), path)


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot be read: {(error.strerror or '').lower()}", path=path) from None


def _write(path: str, data: bytes) -> None:
    if not write_private(path, data):
        raise ConfigError("cannot be written", path=path, hint="Make room, or name another file with --output.")
