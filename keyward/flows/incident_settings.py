"""Reads what the operator's configuration says of incidents and of the playbook.

    [incident]
    ssh_from = ["203.0.113.7/32"]            # who keeps SSH when a firewall is shut
    watch = ["~/bot/*.json"]                 # files whose state `prepare` records, besides env files and consumers
    copies = ["/var/log/bot"]                # evidence besides logs and shell histories
    recipients = ["age1…"]                   # who can open it; else an identity that the store keeps
    repositories = ["~/bot"]                 # whose history is assessed
    backups = ["/srv/backup"]                # where backups lie
    stop_containers = ["bot"]
    home_only = false                        # whether the rest of this machine is left alone (a container, a shared host)
    retention = "90d"
    triggers = ["the bill of a model provider doubles"]
    drill_every = "90d"
    last_drill = 2026-09-01

    [[incident.pause]]
    name = "agents"
    run = ["systemctl", "--user", "stop", "openclaw"]
    undo = ["systemctl", "--user", "start", "openclaw"]

    [[incident.lighthouse]]
    instance = "lhins-…"
    region = "ap-singapore"
    admin = { id = "env:TENCENT_ID", secret = "env:TENCENT_SECRET" }

    [[incident.contacts]]
    name = "Ana"
    role = "on call"
    reach = "+34 …"

Every error names the file, the line, the key and what to write instead; what stands where a reference should is never repeated.
"""

from __future__ import annotations

import datetime
import os
import re

from keyward.errors import ConfigError, UsageError
from keyward.formats.toml_file import TomlFile
from keyward.incident import firewall
from keyward.incident.copies import recipients_of
from keyward.incident.settings import (
    DRILL_EVERY,
    HOOK_TIMEOUT,
    RETENTION,
    SSH_PORT,
    Contact,
    Hook,
    IncidentSettings,
    Machine,
)
from keyward.plugin.transport import is_loopback
from keyward.rotate import duration, reference_form

KEYS = (
    "ssh_from", "watch", "copies", "recipients", "repositories", "backups", "stop_containers", "home_only", "pause", "lighthouse",
    "retention",     "contacts", "triggers", "drill_every", "last_drill",
)  # fmt: skip
HOOK_KEYS = ("name", "run", "undo", "timeout")
MACHINE_KEYS = ("instance", "region", "admin", "snapshot", "firewall", "ssh_port", "base_url", "snapshot_wait")
CONTACT_KEYS = ("name", "role", "reach")

_CONTAINER = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")


def read_settings(path: str | None) -> IncidentSettings:
    """What the file says; the defaults where it says nothing. Raises ConfigError."""
    file = TomlFile.load(path) if path else None
    if file is None or "incident" not in file.data:
        return IncidentSettings()
    table = file.in_table("incident")
    table.only(KEYS, "`incident`")
    for name in table.texts("stop_containers"):
        if not _CONTAINER.fullmatch(name):
            table.wrong("`stop_containers` holds what is no name of a container", "See: docker ps", "stop_containers")
    _checked_networks(table)
    recipients = table.texts("recipients")
    if recipients:
        try:
            recipients_of(recipients)
        except ConfigError as error:
            table.wrong(str(error), error.hint, "recipients")
    return IncidentSettings(
        ssh_from=table.texts("ssh_from"),
        watch=table.texts("watch"),
        copies=_paths(table, "copies"),
        recipients=recipients,
        repositories=_paths(table, "repositories"),
        backups=_paths(table, "backups"),
        stop_containers=table.texts("stop_containers"),
        home_only=table.flag("home_only") if "home_only" in table.data else False,
        hooks=tuple(_hook(each) for each in table.tables("pause")),
        machines=tuple(_machine(each) for each in table.tables("lighthouse")),
        retention=_seconds(table, "retention", RETENTION),
        contacts=tuple(_contact(each) for each in table.tables("contacts")),
        triggers=table.texts("triggers"),
        drill_every=_seconds(table, "drill_every", DRILL_EVERY),
        last_drill=_day(table, "last_drill"),
    )


def _checked_networks(table: TomlFile) -> None:
    try:
        firewall.networks(table.texts("ssh_from"))
    except UsageError as error:
        table.wrong(f"`ssh_from`: {error}", error.hint, "ssh_from")


def _paths(table: TomlFile, key: str) -> tuple[str, ...]:
    paths = tuple(os.path.expanduser(path) for path in table.texts(key))
    for path in paths:
        if not os.path.isabs(path):
            table.wrong(f"`{key}` holds a path that is not absolute", f'Write it like this: {key} = ["/srv/…", "~/…"]', key)
    return paths


def _seconds(table: TomlFile, key: str, default: float) -> float:
    if key not in table.data:
        return default
    value = table.data[key]
    seconds = duration.parse(value) if isinstance(value, str) else None
    if seconds is None:
        table.wrong(f"`{key}` must be a duration", f'Write it like this: {key} = "90d" (also 12h, 30m)', key)
    return seconds


def _day(table: TomlFile, key: str) -> float:
    value = table.data.get(key)
    if value is None:
        return 0.0
    if isinstance(value, str):
        try:
            value = datetime.date.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
        table.wrong(f"`{key}` must be a date", f"Write it like this: {key} = 2026-09-01", key)
    return datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.UTC).timestamp()


def _hook(table: TomlFile) -> Hook:
    table.only(HOOK_KEYS, "a pause hook")
    run = table.texts("run", required='Write the command and its arguments: run = ["systemctl", "stop", "bot"]')
    name = table.text("name", required='Name it for what it pauses: name = "agents"')
    return Hook(name, run, table.texts("undo"), _seconds(table, "timeout", HOOK_TIMEOUT))


def _machine(table: TomlFile) -> Machine:
    table.only(MACHINE_KEYS, "a Lighthouse instance")
    admin = table.in_table("admin")
    admin.only(("id", "secret", "session_token"), "`admin`")
    hint = 'Write references: admin = { id = "env:TENCENT_ID", secret = "env:TENCENT_SECRET" }'
    for part in ("id", "secret"):
        if part not in admin.data:
            table.wrong(f"`admin` lacks its `{part}`", hint, "admin")
    for part in admin.data:
        problem = reference_form.problem(admin.text(part))
        if problem:
            admin.wrong(f"`{part}` {problem}", f"{hint}. If a secret stood there, replace it: it was in a plain file.", part)
    url = table.text("base_url").rstrip("/")
    if url and not (url.startswith("https://") or (url.startswith("http://") and is_loopback(url[7:].partition(":")[0]))):
        table.wrong(
            "`base_url` is not an https address (http only on loopback)", "Leave it out for the public one.", "base_url"
        )
    return Machine(
        instance=table.text("instance", required='Copy it from the console: instance = "lhins-…"'),
        region=table.text("region", required='Say where it is: region = "ap-singapore"'),
        admin={part: admin.text(part) for part in admin.data},
        snapshot=table.flag("snapshot") if "snapshot" in table.data else True,
        firewall=table.flag("firewall") if "firewall" in table.data else True,
        ssh_port=table.number_between("ssh_port", 1, 65535, SSH_PORT),
        base_url=url,
        snapshot_wait=_seconds(table, "snapshot_wait", 1800.0),
    )


def _contact(table: TomlFile) -> Contact:
    table.only(CONTACT_KEYS, "a contact")
    return Contact(table.text("name", required='name = "…"'), table.text("role"), table.text("reach"))
