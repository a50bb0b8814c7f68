"""Where OpenClaw keeps a credential: its own secret store, its configuration, or a KV path that its bundled Vault plugin reads.

The store never shows a secret again (`openclaw secrets store get` refuses), so it is read from its SQLite file, read-only; it is
written by OpenClaw's own command alone. `hooks.token` and a few others can only stand in the configuration as plain text
(docs/reference/secretref-credential-surface in the npm package); they are written by `openclaw config patch --stdin`.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Protocol
from urllib.parse import quote

from keyward.errors import ConsumerChanged, ConsumerError
from keyward.plugin.ports import Http, Ports
from keyward.rotate.consumers.remote import Options

LOCAL = "localhost"
Run = Callable[[str, tuple[str, ...], bytes], bytes]
"""Runs one OpenClaw command that changes something: what it is called, its arguments, what it gets on standard input."""


class SecretPlace(Protocol):
    """`reloads`: whether the gateway must be told that the value changed."""

    reloads: bool

    def read(self) -> bytes | None: ...

    def write(self, value: bytes) -> None: ...


class TeamStore:
    """`openclaw secrets store`, entry `name`."""

    reloads = True

    def __init__(self, options: Options, state: str, ports: Ports, run: Run) -> None:
        self._name, self._ports, self._run = options.text("name"), ports, run
        self._file = os.path.join(state, "state", "openclaw.sqlite")

    def read(self) -> bytes | None:
        return self._ports.call("openclaw store read", LOCAL, self._read, changes=False)

    def _read(self) -> bytes | None:
        if not os.path.exists(self._file):
            return None
        try:
            with closing(sqlite3.connect(f"file:{quote(self._file)}?mode=ro", uri=True, timeout=10)) as database:
                row = database.execute(
                    "SELECT value FROM secret_store_entries"
                    " WHERE scope_kind = 'team' AND scope_id = '' AND name = ? AND deleted_at_ms IS NULL",
                    (self._name,),
                ).fetchone()
        except sqlite3.Error as error:
            raise ConsumerError(
                f"OpenClaw's secret store cannot be read: {type(error).__name__}",
                hint="Its layout is that of OpenClaw 2026.9; compare your version, and who may read the state folder.",
            ) from None
        return None if row is None else str(row[0]).encode()

    def write(self, value: bytes) -> None:
        self._run("openclaw secrets store set", ("secrets", "store", "set", self._name, "--kind", "secret"), value)


class ConfigField:
    """A plain text in `openclaw.json`, at the path `field` (`hooks.token`). The gateway applies a change by itself."""

    reloads = False

    def __init__(self, options: Options, config: str, ports: Ports, run: Run) -> None:
        self._path, self._ports, self._run, self._file = options.text("field").split("."), ports, run, config

    def read(self) -> bytes | None:
        return self._ports.call("openclaw.json read", LOCAL, self._read, changes=False)

    def _read(self) -> bytes | None:
        value = read_configuration(self._file)
        for key in self._path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is None:
            return None
        if not isinstance(value, str) or value.startswith("$"):
            raise ConsumerError(
                f"{'.'.join(self._path)} is a reference", hint="Write the new value where the reference points."
            )
        return value.encode()

    def write(self, value: bytes) -> None:
        patch: object = value.decode()
        for key in reversed(self._path):
            patch = {key: patch}
        self._run("openclaw config patch", ("config", "patch", "--stdin"), json.dumps(patch).encode())


def read_configuration(path: str) -> Any:
    """The value of `openclaw.json`; None if there is no such file. Raises ConsumerError for one that is not strict JSON."""
    try:
        with open(path, "rb") as file:
            return json.loads(file.read())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConsumerError(f"openclaw.json cannot be read: {type(error).__name__}") from None
    except ValueError:
        raise ConsumerError(
            "openclaw.json has comments or other JSON5",
            hint="Any `openclaw config set` rewrites it as JSON; or use a `json5` consumer for this file.",
        ) from None


class VaultField:
    """One field below a KV path, as the bundled plugin's id `<path>/<field>` names it; other fields are kept."""

    reloads = True

    def __init__(self, options: Options, connect: Callable[[], Http]) -> None:
        self._connect = connect
        self._mount, self._path = options.text("mount", "secret").strip("/"), options.text("path").strip("/")
        self._field, version = options.text("field", "apiKey"), options.text("kv_version", "2")
        if version not in ("1", "2"):
            raise options.wrong("kv_version", 'must be "1" or "2"')
        self._url = f"/v1/{quote(self._mount)}/{'data/' if version == '2' else ''}{quote(self._path)}"
        self._versioned = version == "2"

    def read(self) -> bytes | None:
        value = self._fetch()[0].get(self._field)
        if value is not None and not isinstance(value, str):
            raise ConsumerError(f"{self._path}: the field {self._field} is not text")
        return None if value is None else value.encode()

    def write(self, value: bytes) -> None:
        fields, version = self._fetch()
        data: Mapping[str, Any] = {**fields, self._field: value.decode()}
        body = {"options": {"cas": version}, "data": data} if self._versioned else data
        reply = self._connect().request("POST", self._url, json=body)
        if reply.status == 400 and b"check-and-set" in reply.body:
            raise ConsumerChanged(f"somebody else wrote {self._path} meanwhile", hint="Look at it, then resume.")
        if reply.status not in (200, 204):
            raise _refused(reply.status, self._url, "create and update")

    def _fetch(self) -> tuple[dict[str, Any], int]:
        """The fields and the version (0: there is none)."""
        reply = self._connect().request("GET", self._url)
        if reply.status not in (200, 404):
            raise _refused(reply.status, self._url, "read")
        outer = reply.object().get("data") or {}
        if not self._versioned:
            return (dict(outer) if reply.status == 200 else {}), 0
        metadata = outer.get("metadata") or {}
        return dict(outer.get("data") or {}), int(metadata.get("version") or 0)


def _refused(status: int, url: str, capability: str) -> ConsumerError:
    return ConsumerError(
        f"the vault answered {status} to {url.removeprefix('/v1/')}",
        hint=f"The consumer's token needs the capability `{capability}` on that path.",
    )
