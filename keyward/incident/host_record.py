"""The record of a host's good state, and what differs from it later.

It says what stands where a thief leaves something to come back with: keys that may log in, jobs, units, start files, users, ports,
images, the names and values of env files. It holds no value: contents are keyed hashes under a key that lies in the store, so
that the record is no oracle for guessing a short password, and of a command only its schedule and its program are shown.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from keyward.errors import ConfigError
from keyward.model.incident import ADDED, CHANGED, REMOVED, Drift
from keyward.model.secret import Secret

VERSION = 1
_DOMAIN = b"keyward host record 1\n"
_SEAL = b"keyward host record seal 1\n"

AUTHORIZED_KEYS, CRON, SYSTEMD, IMAGE = "authorized_keys", "cron", "systemd", "image"
ENV_FILE, CONFIG, PORT, USER, SHELL_FILE = "env file", "config", "port", "user", "shell file"
AREAS = (AUTHORIZED_KEYS, CRON, SYSTEMD, SHELL_FILE, USER, PORT, IMAGE, ENV_FILE, CONFIG)

STAYS = (AUTHORIZED_KEYS, CRON, SYSTEMD, SHELL_FILE, USER, PORT)
"""Areas that are usual ways to stay on a host."""

REDIRECTS = ("_BASE_URL", "_API_BASE", "_ENDPOINT", "_PROXY", "_HOST")
LOADS = (
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "NODE_OPTIONS",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "BASH_ENV",
    "ENV",
    "PROMPT_COMMAND",
    "PATH",
)
"""Variables that lead a program's requests elsewhere, or load somebody's code into it: what is injected into an env file."""


class Item(NamedTuple):
    """One thing. `digest`: keyed, of its content. `shown`: what may be said of it. `time`: its file's, in Unix seconds, 0 for none."""

    digest: str
    shown: str = ""
    time: float = 0.0


class HostRecord(NamedTuple):
    """`areas`: the items by area and name. `unreadable`: what could not be looked at, with the reason, by path. `user`: who looked."""

    time: float
    host: str
    user: str
    areas: Mapping[str, Mapping[str, Item]]
    unreadable: tuple[tuple[str, str], ...] = ()

    @property
    def size(self) -> int:
        return sum(len(items) for items in self.areas.values())


class Hasher:
    """Makes the keyed hashes of one record. `key`: 32 bytes or more."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def __call__(self, area: str, name: str, content: bytes) -> str:
        """Of a content, bound to its place: equal contents of two places do not look equal."""
        text = _DOMAIN + json.dumps([area, name]).encode() + b"\n" + content
        return hmac.new(self._key.reveal(), text, hashlib.sha256).hexdigest()[:32]

    def seal(self, body: bytes) -> str:
        """Of a whole record."""
        return hmac.new(self._key.reveal(), _SEAL + body, hashlib.sha256).hexdigest()


def dumps(record: HostRecord, hasher: Hasher) -> bytes:
    """The record as JSON, with a seal that says whether it is as it was written."""
    body = {
        "v": VERSION,
        "time": record.time,
        "host": record.host,
        "user": record.user,
        "areas": {area: {name: list(item) for name, item in sorted(items.items())} for area, items in record.areas.items()},
        "unreadable": [list(each) for each in record.unreadable],
    }
    text = json.dumps(body, indent=1, sort_keys=True).encode()
    return json.dumps({"record": json.loads(text), "seal": hasher.seal(text)}, indent=1).encode() + b"\n"


def loads(data: bytes, hasher: Hasher, path: str) -> HostRecord:
    """The record that `dumps` wrote under this key. Raises ConfigError for one that is none, or that somebody changed."""
    try:
        whole = json.loads(data)
        body = whole["record"]
        text = json.dumps(body, indent=1, sort_keys=True).encode()
        genuine = hmac.compare_digest(hasher.seal(text), str(whole["seal"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ConfigError("is no record of a host", path=path, hint="Make one: keyward incident prepare") from None
    if not genuine:
        hint = "Use the copy that you keep elsewhere (--record FILE), or compare by hand; do not trust this one."
        raise ConfigError("the host's record was changed, or another key sealed it", path=path, hint=hint)
    if body["v"] != VERSION:
        raise ConfigError(f"is a record of version {body['v']}", path=path, hint="Read it with the keyward that wrote it.")
    return _record(body)


def _record(body: Mapping[str, Any]) -> HostRecord:
    areas = {area: {name: Item(*item) for name, item in items.items()} for area, items in body["areas"].items()}
    unreadable = tuple((str(path), str(reason)) for path, reason in body["unreadable"])
    return HostRecord(float(body["time"]), str(body["host"]), str(body["user"]), areas, unreadable)


def drift(before: HostRecord, now: HostRecord) -> tuple[Drift, ...]:
    """What differs, the usual ways to stay first. What could not be read at one of the two times is left out, not called gone."""
    hidden = tuple(path for path, _ in (*before.unreadable, *now.unreadable))
    found = [each for area in AREAS for each in _in_area(area, before.areas.get(area, {}), now.areas.get(area, {}))]
    shown = [each for each in found if not any(_is_of(each.name, path) for path in hidden)]
    return tuple(sorted(shown, key=lambda each: (not each.suspicious, AREAS.index(each.area), each.name)))


def not_compared(before: HostRecord, now: HostRecord) -> tuple[tuple[str, str], ...]:
    """What could not be read at one of the two times."""
    return tuple(sorted(dict((*before.unreadable, *now.unreadable)).items()))


def _is_of(name: str, path: str) -> bool:
    return name == path or name.startswith((path + " ", path + ":", path.rstrip("/") + "/"))


def _in_area(area: str, before: Mapping[str, Item], now: Mapping[str, Item]) -> Iterator[Drift]:
    for name, item in now.items():
        old = before.get(name)
        if old is None:
            yield Drift(area, ADDED, name, item.shown, suspicious=_is_suspicious(area, name, ADDED), time=item.time)
        elif old.digest != item.digest:
            yield Drift(area, CHANGED, name, _both(old, item), suspicious=_is_suspicious(area, name, CHANGED), time=item.time)
    for name, item in before.items():
        if name not in now:
            yield Drift(area, REMOVED, name, item.shown)


def _both(old: Item, new: Item) -> str:
    return new.shown if old.shown == new.shown else f"{old.shown or '?'} → {new.shown or '?'}"


def _is_suspicious(area: str, name: str, change: str) -> bool:
    if area == ENV_FILE:
        variable = name.rpartition(" ")[2].upper()
        return variable in LOADS or variable.endswith(REDIRECTS)
    if area == PORT and name.partition(" ")[2].startswith(("127.", "[::1]")):
        return False  # nobody comes in by it from outside
    return area in STAYS or (area == IMAGE and change == CHANGED)
