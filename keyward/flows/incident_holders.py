"""What still holds old keys where no scrub goes: backups, and snapshots of disks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from keyward.errors import KeywardError
from keyward.flows.incident_contain import api_of
from keyward.flows.workplace import Workplace
from keyward.incident import lighthouse
from keyward.incident.settings import IncidentSettings
from keyward.model.incident import Holder
from keyward.rotate.audit import CallRecorder

MOST_HOLDERS = 200
"""Files of backups that are named one by one."""


def holders(place: Workplace, settings: IncidentSettings, gone: list[tuple[str, str]]) -> Iterator[Holder]:
    """What may hold old keys beyond the places that a scan looks at. What could not be asked is added to `gone`."""
    number = 0
    for path, time in sorted(_backups(settings.backups, gone)):
        number += 1
        if number <= MOST_HOLDERS:
            yield Holder("backup", path, time, "make a new one after the clean-up, then delete this one")
    if number > MOST_HOLDERS:
        yield Holder("backup", f"and {number - MOST_HOLDERS} more", 0.0, "see them in their folders")
    for machine in settings.machines:
        try:
            with place.visit():
                rows = lighthouse.snapshots(api_of(place, machine, CallRecorder()), machine.instance)
        except KeywardError as error:
            gone.append((f"snapshots of {machine.instance}", str(error)))
            continue
        for row in rows:
            name = f"{row.get('SnapshotId')} {row.get('SnapshotName') or ''} ({row.get('CreatedTime') or 'no date'})".strip()
            yield Holder("snapshot", name, 0.0, "keep it while it is evidence; then delete it: its disk holds the old keys")


def _backups(folders: Iterable[str], gone: list[tuple[str, str]]) -> Iterator[tuple[str, float]]:
    """Files in the folders of backups."""
    for top in folders:
        if not os.path.isdir(top):
            gone.append((top, "no such folder of backups"))
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                try:
                    yield path, os.lstat(path).st_mtime
                except OSError as error:
                    gone.append((path, (error.strerror or "").lower()))
