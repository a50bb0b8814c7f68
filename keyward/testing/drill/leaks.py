"""Where the credentials of a drill have leaked to: a repository's history, a shell's history, an agent's memory, exports, logs."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import zstandard

from keyward.testing.drill.accounts import Account
from keyward.testing.drill.machine import Machine
from keyward.testing.planted_home.openclaw_tables import AGENT, AGENT_SCHEMA, EVENT_CHECK, MEMORY_FTS, SESSION_FTS
from keyward.testing.planted_home.sqlite_file import Database

REPOSITORY = "shop"
HISTORY = ".bash_history"
DATABASE = ".openclaw/agents/main/agent/openclaw-agent.sqlite"
TRANSCRIPT = ".claude/projects/-home-ann-shop/0b6f2c1e-5a57-4c4e-9d0a-6f1d2c3b4a59.jsonl"
EXPORT = "Documents/handover.md"
LOG, PACKED_LOG = "logs/app.log", "logs/app.log.1.gz"
CI_LOG = "ci-logs/build-1412.log"

Planter = Callable[[Machine, Sequence[Account]], None]

_MOMENT = 1_790_000_000
_PROSE = "The gateway restarted, the agent read the log again and wrote down what it had seen. " * 24


def plant_repository(machine: Machine, accounts: Sequence[Account]) -> None:
    """Committed once, taken out in the next commit, and so still in the history."""
    machine.write(f"{REPOSITORY}/.gitignore", ".env\ncompose.yml\n")
    machine.write(f"{REPOSITORY}/src/db.py", '"""Connections."""\n\nimport os\n\nURL = os.environ["DATABASE_URL"]\n')
    machine.git("init", "--quiet", "--initial-branch=main")
    machine.git("add", ".")
    machine.git("commit", "--quiet", "-m", "Begin")
    path = machine.write(
        f"{REPOSITORY}/deploy/settings.ini", "[deploy]\n" + "".join(each.spoken("\n") + "\n" for each in accounts)
    )
    machine.git("add", ".")
    machine.git("commit", "--quiet", "-m", "Deploy from CI")
    os.unlink(path)
    machine.git("commit", "--quiet", "-a", "-m", "Take the keys out again")


def plant_history(machine: Machine, accounts: Sequence[Account]) -> None:
    """bash with HISTTIMEFORMAT: a line with the time before each command."""
    commands = ["cd ~/shop", *(f"export {each.spoken()}" for each in accounts), "make deploy"]
    machine.write(HISTORY, "".join(f"#{_MOMENT + at}\n{command}\n" for at, command in enumerate(commands)))


def plant_database(machine: Machine, accounts: Sequence[Account]) -> None:
    """OpenClaw's memory: rows, packed rows, full-text copies, a deleted row, and rows that stand in the write-ahead log alone."""
    path = Path(machine.path(DATABASE))
    told = [each.spoken() for each in accounts]
    with Database(path) as database:
        for table, columns in AGENT.items():
            database.table(table, f"{columns}, {EVENT_CHECK}" if table == "transcript_events" else columns, "STRICT")
        database.run(SESSION_FTS)
        database.run(MEMORY_FTS)
        database.run(f"PRAGMA user_version = {AGENT_SCHEMA}")
        for number, text in enumerate(told, 1):
            _remember(database, number, text)
        database.insert(
            "trajectory_runtime_events", session_id="gone", seq=1, created_at=_MOMENT, event_json=_event(told[0], 1)
        )
        database.checkpoint()
        database.run("DELETE FROM trajectory_runtime_events WHERE session_id = 'gone'")
        database.insert("transcript_events", session_id="s2", seq=1, event_json=_event(told[-1], 1), created_at=_MOMENT)
        database.leave_log()


def _remember(database: Database, number: int, text: str) -> None:
    database.insert("transcript_events", session_id="s1", seq=number, event_json=_event(text, number), created_at=_MOMENT)
    long = _event(f"{_PROSE} {text} {_PROSE}", number)
    packed = zstandard.ZstdCompressor(level=1, write_checksum=True).compress(long.encode())
    database.insert("transcript_events", session_id="s3", seq=number, event_zstd=packed, event_utf8_bytes=len(long.encode()),
                    navigation_json='{"version":1}', created_at=_MOMENT)  # fmt: skip
    chunk = {
        "id": f"c{number}",
        "path": "MEMORY.md",
        "source": "memory",
        "model": "local",
        "start_line": number,
        "end_line": number,
    }
    database.insert(
        "memory_index_chunks",
        chunk_rowid=number,
        hash="0" * 8,
        text=f"- {text}",
        embedding=bytes(64),
        updated_at=_MOMENT,
        **chunk,
    )
    database.insert("memory_index_chunks_fts", rowid=number, text=f"- {text}", **chunk)
    database.insert("session_transcript_fts", rowid=number, text=f"deploy with {text}", session_id="s1", role="user")


def _event(text: str, number: int) -> str:
    message = {"role": "user", "content": [{"type": "text", "text": text}], "timestamp": _MOMENT}
    return json.dumps({"type": "message", "id": f"evt-{number}", "timestamp": _MOMENT, "message": message})


def plant_transcript(machine: Machine, accounts: Sequence[Account]) -> None:
    """Claude Code's: JSON lines with U+2028 as it is, and a last line that was cut off."""
    lines = []
    for number, each in enumerate(accounts):
        message = {"role": "user", "content": [{"type": "text", "text": f"Deploy with {each.spoken()}\u2028and tell me."}]}
        row = {"type": "user", "uuid": f"u{number}", "timestamp": "2026-10-01T08:00:00Z", "message": message}
        lines.append(json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n")
    machine.write(TRANSCRIPT, "".join(lines) + '{"type":"assistant","uuid":"cut o')


def plant_export(machine: Machine, accounts: Sequence[Account]) -> None:
    """A hand-over note in Markdown."""
    machine.write(
        EXPORT,
        "# Hand-over\n\n## Access\n\n```sh\n"
        + "".join(f"export {each.spoken()}\n" for each in accounts)
        + "```\n\nThat is all.\n",
    )


def plant_packed_log(machine: Machine, accounts: Sequence[Account]) -> None:
    """The log of yesterday, packed. The one that grows is `growing_log`."""
    lines = "".join(f"2026-10-01T08:00:0{at % 10}Z DEBUG env {each.spoken()}\n" for at, each in enumerate(accounts))
    machine.write(PACKED_LOG, gzip.compress(lines.encode(), mtime=0))


def plant_ci_log(machine: Machine, accounts: Sequence[Account]) -> None:
    """A job that was run with `set -x`."""
    lines = ["2026-10-01T08:00:00.0000000Z ##[group]Run make deploy"]
    lines += [f"2026-10-01T08:00:01.0000000Z + export {each.spoken()}" for each in accounts]
    machine.write(CI_LOG, "\n".join((*lines, "2026-10-01T08:00:02.0000000Z ##[endgroup]", "")))


PLACES: Mapping[Planter, str] = {
    plant_repository: f"a repository's history   ~/{REPOSITORY}",
    plant_history: f"a shell's history        ~/{HISTORY}",
    plant_database: f"an agent's memory        ~/{DATABASE}",
    plant_transcript: f"an agent's transcript    ~/{TRANSCRIPT}",
    plant_export: f"a Markdown export        ~/{EXPORT}",
    plant_packed_log: f"a packed log             ~/{PACKED_LOG}",
    plant_ci_log: f"a CI job's log           ~/{CI_LOG}",
}
"""How each place is called."""
