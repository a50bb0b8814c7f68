"""What the operator's configuration says of incidents. Values only; `keyward.flows.incident_settings` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

RETENTION = 90 * 86_400.0
"""Seconds for which evidence is kept, unless configured."""

HOOK_TIMEOUT = 60.0
"""Seconds that a pause hook may take, unless configured."""

SSH_PORT = 22

DRILL_EVERY = 90 * 86_400.0
"""Seconds between two drills, unless configured."""


class Hook(NamedTuple):
    """A command that pauses something, without a shell. `undo`: what starts it again (empty: a person does). `timeout`: seconds."""

    name: str
    run: tuple[str, ...]
    undo: tuple[str, ...] = ()
    timeout: float = HOOK_TIMEOUT


class Machine(NamedTuple):
    """An instance at Tencent Cloud Lighthouse. `admin`: references by part (`id`, `secret`, `session_token`). `snapshot`, `firewall`:
    what may be done with it. `ssh_port`: what the operator's way in is. `base_url`: of another endpoint, empty for the public one.
    `snapshot_wait`: seconds that a snapshot may take."""

    instance: str
    region: str
    admin: Mapping[str, str] = {}
    snapshot: bool = True
    firewall: bool = True
    ssh_port: int = SSH_PORT
    base_url: str = ""
    snapshot_wait: float = 1800.0


class Contact(NamedTuple):
    """Who is called. `reach`: how (a telephone number, a channel)."""

    name: str
    role: str = ""
    reach: str = ""


class IncidentSettings(NamedTuple):
    """`ssh_from`: networks that keep SSH when a firewall is locked down. `watch`: files whose state `prepare` records, with `*`.
    `copies`: files and folders that are copied as evidence besides logs and shell histories. `recipients`: age recipients of these
    copies (empty: an identity that the store keeps). `repositories`: whose history is assessed. `backups`: folders where backups lie.
    `stop_containers`: names. `home_only`: whether nothing but the operator's home and what is named here is recorded and copied, and not the
    rest of the machine. `retention`, `drill_every`: seconds. `last_drill`: Unix seconds, 0 for never. `triggers`: of the
    playbook, besides its own."""

    ssh_from: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    backups: tuple[str, ...] = ()
    stop_containers: tuple[str, ...] = ()
    home_only: bool = False
    hooks: tuple[Hook, ...] = ()
    machines: tuple[Machine, ...] = ()
    retention: float = RETENTION
    contacts: tuple[Contact, ...] = ()
    triggers: tuple[str, ...] = ()
    drill_every: float = DRILL_EVERY
    last_drill: float = 0.0
