"""OpenClaw's own databases: written by the real npm package, scrubbed, and read by its own doctor without a complaint.

It takes minutes on a slow machine, most of them in OpenClaw.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import zstandard
from consumers.real_openclaw import RealOpenClaw
from scrub.stores_support import PSEUDONYMS, holds, redactor, store
from tests_support import token

from keyward.model.kind import Kind
from keyward.scrub.plan import Name, Refusal, Treatment
from keyward.scrub.redactor import Style

SESSION = "5b0ad6f2-58a1-4a5e-9d4d-2b1d1b0c3a11"
VALUE = token(31)
LONG = "The gateway restarted, and the agent read the log again. " * 60


def event(number: int, text: str) -> str:
    message = {"role": "user", "content": [{"type": "text", "text": text}], "timestamp": 1_759_305_600_000}
    parent = f"e{number - 1:07d}" if number > 1 else None
    line = {
        "type": "message",
        "id": f"e{number:07d}",
        "parentId": parent,
        "timestamp": "2026-10-01T08:00:00.000Z",
        "message": message,
    }
    return json.dumps(line) + "\n"


def doctor(claw: RealOpenClaw, mode: str) -> dict[str, Any]:
    result = claw.run("doctor", "--session-sqlite", mode, "--session-sqlite-all-agents", "--json")
    assert result.returncode == 0, result.stderr[-1000:]
    answer: dict[str, Any] = json.loads(result.stdout)
    assert answer["totals"]["issues"] == 0 or mode == "import", answer
    return answer


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> tuple[RealOpenClaw, Path]:
    claw = RealOpenClaw(tmp_path_factory.mktemp("openclaw"))
    sessions = claw.state / "agents/main/sessions"
    sessions.mkdir(parents=True)
    header = {"type": "session", "version": 3, "id": SESSION, "timestamp": "2026-10-01T08:00:00.000Z", "cwd": "/"}
    value = VALUE.decode()
    lines = event(1, f"use {value} now") + event(2, f"{LONG}{value} {LONG}")
    (sessions / f"{SESSION}.jsonl").write_text(json.dumps(header) + "\n" + lines)
    entry = {
        "sessionId": SESSION,
        "updatedAt": 1_759_305_600_000,
        "label": f"deploy {value}",
        "sessionFile": str(sessions / f"{SESSION}.jsonl"),
    }
    (sessions / "sessions.json").write_text(json.dumps({"agent:main:main": entry}))
    claw.configure()
    doctor(claw, "import")
    return claw, claw.state / "agents/main/agent/openclaw-agent.sqlite"


def test_its_doctor_reads_a_scrubbed_database(database: tuple[RealOpenClaw, Path]) -> None:
    claw, path = database
    name = Name(Kind("github/pat-classic"), PSEUDONYMS.of(VALUE))
    planned = store(path).plan(str(path), redactor(), Style.TOKEN)
    assert planned.treatment is Treatment.REPLACE and planned.found[name] >= 3
    result = store(path).scrub(str(path), redactor(), Style.TOKEN)
    assert (dict(result.after), result.left) == ({}, ())
    assert holds(path.read_bytes(), [VALUE]) == []
    with closing(sqlite3.connect(path)) as connection:
        frames = connection.execute(
            "SELECT event_zstd, event_utf8_bytes FROM transcript_events WHERE event_zstd IS NOT NULL"
        ).fetchall()
        triggers = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'").fetchone()[0]
        found = connection.execute(
            "SELECT count(*) FROM session_transcript_fts WHERE session_transcript_fts MATCH 'redacted'"
        ).fetchone()[0]
    assert len(frames) == 1 and triggers > 10 and found == 2
    text = zstandard.decompress(frames[0][0])
    assert len(text) == frames[0][1] and b"[redacted:" in text
    inspected = doctor(claw, "inspect")["targets"][0]["dbStats"]
    assert inspected["integrityCheck"] == "ok" and inspected["largestSessions"][0]["events"] == 3
    assert doctor(claw, "compact")["targets"][0]["compact"]["skipped"] is False
    assert holds(path.read_bytes(), [VALUE]) == []


def test_what_the_host_proves_itself_with_stays(database: tuple[RealOpenClaw, Path]) -> None:
    claw, _ = database
    claw.store("HOUSE_API_KEY", VALUE)
    path = claw.state / "state/openclaw.sqlite"
    before = _rows(path)
    try:
        result = store(path).scrub(str(path), redactor(), Style.TOKEN)
    except Refusal as refusal:  # pragma: no cover  # a process of OpenClaw's that has not ended yet
        pytest.fail(f"{refusal}")
    assert _rows(path) == before and before["secret_store_entries"]
    assert any("rotate it" in each for each in result.left)
    assert claw.run("secrets", "store", "list", "--json").returncode == 0


def _rows(path: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: connection.execute(f"SELECT * FROM {table}").fetchall()
            for table in ("secret_store_entries", "device_identities")
        }
