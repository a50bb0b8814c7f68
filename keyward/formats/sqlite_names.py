"""What a cell of a database is called in a report, and when its row was written.

`transcript_events s1#2` (a key of several columns), `cursorDiskKV/bubbleId:…` (a key of one text column), `messages 17.content` (a
number, and the column). Names hold keys of rows, and a key may be a secret itself or hold one: long runs of characters and
anything that is no identifier are cut down to a few characters and a short digest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC
from typing import Union

Value = Union[bytes, int, float, None]
"""What SQLite answers, with texts as bytes."""

MAIN_COLUMNS = {
    "transcript_events": "event_json",
    "trajectory_runtime_events": "event_json",
    "session_nodes": "entry_json",
    "cache_entries": "value_json",
    "secret_store_entries": "value",
    "part": "data",
    "message": "data",
    "threads": "data",
}
"""By table, the column that a row is for: it need not be named."""

KEY_COLUMNS = {"ItemTable": "key", "cursorDiskKV": "key"}
"""By table without a primary key, the unique column that names a row (`key TEXT UNIQUE ON CONFLICT REPLACE`, VS Code's and Cursor's)."""

LIVE_TABLES = frozenset(
    (
        "secret_store_entries",
        "auth_profile_store",
        "auth_profile_state",
        "mcp_oauth_stores",
        "mcp_oauth_pending_authorizations",
        "device_auth_tokens",
        "device_bootstrap_tokens",
        "gateway_origin_device_tokens",
        "worker_environment_credentials",
        "credentials",
        "access_tokens",
        "account",
        "accounts",
        "control_account",
        "auth",
        "auth_kv",
        "api_keys",
        "oauth_tokens",
        "tokens",
        "secrets",
    )
)
"""Tables that a program takes its credentials from: OpenClaw's, gcloud's (`credentials`, `access_tokens`), OpenCode's (`account`), Kiro's
(`auth_kv`), and what such tables are usually called. What stands in any other is an echo."""

TABLES_WITH_LIVE_KEYS = frozenset(("ItemTable",))
"""Tables of settings in which a few rows, by their key, are credentials in use."""

TIME_COLUMNS = (
    "created_at",
    "created_at_ms",
    "time_created",
    "created_timestamp",
    "createdat",
    "created",
    "timestamp",
    "ts",
    "at",
    "time",
    "date",
    "start_timestamp",
    "started_at",
    "enqueued_at",
    "accepted_at",
    "updated_at",
    "updated_at_ms",
    "time_updated",
    "updatedat",
    "updated",
    "last_modified",
)
"""Columns that say when a row was written, by preference: the first writing before the last."""

RUN = 30
"""Characters in a row up to which a key is shown: ids of agents have up to 30, tokens mostly more."""

_LONG_RUN = re.compile(rf"[A-Za-z0-9_+/=-]{{{RUN + 1},}}")
_UUID = re.compile(r"(?:[A-Za-z]{1,12}[_-])?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_IDENTIFIER = re.compile(r"[\w.:/@+=,~-]{1,160}")


def shown_key(value: Value) -> str:
    """A key of a row as text, with nothing in it that could be a secret. The same key is always shown the same."""
    if value is None:
        return "NULL"
    if not isinstance(value, bytes):
        return str(value)
    text = value.decode("utf-8", "replace")
    if text and not _IDENTIFIER.fullmatch(text):
        return f"({_digest(value)})"
    return _LONG_RUN.sub(lambda run: run[0] if _UUID.fullmatch(run[0]) else f"{run[0][:6]}…{_digest(run[0].encode())}", text)


def _digest(value: bytes) -> str:
    import hashlib

    return hashlib.blake2b(value, digest_size=4, person=b"keyward name").hexdigest()


def row_name(table: str, keys: Sequence[Value]) -> str:
    """The row's name. `keys`: of its primary key, or the row's number."""
    if len(keys) == 1 and isinstance(keys[0], bytes):
        return f"{table}/{shown_key(keys[0])}"
    return f"{table} {'#'.join(map(shown_key, keys))}"


def role(table: str, keys: Sequence[Value] = ()) -> str:
    """`live-config` for rows that a program takes its credentials from, else `echo`."""
    if table.lower() in LIVE_TABLES:
        return "live-config"
    if (
        table in TABLES_WITH_LIVE_KEYS
        and keys
        and isinstance(keys[0], bytes)
        and keys[0].startswith((b"cursorAuth/", b"secret://"))
    ):
        return "live-config"
    return "echo"


def moment(value: Value) -> float:
    """Seconds since 1970 of what stands in a column of times; 0 if it cannot be told. Numbers are taken as seconds, milliseconds,
    microseconds or nanoseconds by their size."""
    if isinstance(value, bytes):
        from datetime import datetime

        text = value.decode("ascii", "replace").strip()
        try:
            number = float(text)
        except ValueError:
            try:
                when = datetime.fromisoformat(text)
                return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
            except (ValueError, OverflowError):
                return 0.0
        value = number
    if value is None or not 1e8 < value < 1e19:  # 1973; beyond, no clock writes
        return 0.0
    for bound, unit in ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6)):
        if value < bound:
            return value / unit
    return value / 1e9
