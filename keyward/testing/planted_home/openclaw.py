"""OpenClaw's state as version 2026.9.6 keeps it, and what older versions and migrations leave behind.

Tables: `openclaw_tables`. Events: checksummed zstd frames of level 1 from 1 KiB on. Files: docs/reference/database-schemas/layout.md,
docs/cli/doctor/state-migrations.md and docs/gateway/logging.md of the npm package.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable

import zstandard

from keyward.testing.planted_home import MOMENT, Home
from keyward.testing.planted_home.openclaw_tables import (
    AGENT,
    AGENT_SCHEMA,
    EVENT_CHECK,
    MEMORY_FTS,
    SESSION_FTS,
    STATE,
    STATE_SCHEMA,
)
from keyward.testing.planted_home.sqlite_file import Database

Canaries = Callable[[str, str], str]
"""From a place and a piece of its name in the report to a fresh value."""

FOLDER = ".openclaw"
AGENT_DATABASE = f"{FOLDER}/agents/main/agent/openclaw-agent.sqlite"
STATE_DATABASE = f"{FOLDER}/state/openclaw.sqlite"
_MS = MOMENT * 1000
_PROSE = "The gateway restarted, the agent read the log again and wrote down what it had seen. " * 24


def plant(home: Home) -> None:
    """All places of OpenClaw."""
    _configuration(home)
    _agent_database(home)
    _state_database(home)
    _sessions(home)
    _workspace(home)
    _other_files(home)


def event(text: str, number: int) -> str:
    """A transcript event as JSON."""
    message = {"role": "user", "content": [{"type": "text", "text": text}], "timestamp": _MS}
    return json.dumps({"type": "message", "id": f"evt-{number}", "timestamp": _MS, "message": message})


def packed(text: str) -> bytes:
    """As OpenClaw stores an event of 1 KiB and more."""
    return zstandard.ZstdCompressor(level=1, write_checksum=True).compress(text.encode())


def _configuration(home: Home) -> None:
    def content(place: str, path: str) -> str:
        value = home.canary(place, path)
        return (
            "// edited by hand\n{\n  gateway: { mode: 'local', port: 18789 },\n  models: { providers: {\n"
            f"    'github-models': {{ apiKey: '{value}', baseUrl: 'https://models.github.ai/inference', }},\n  }} }},\n}}\n"
        )

    for path in (f"{FOLDER}/openclaw.json", f"{FOLDER}/openclaw.json.bak", f"{FOLDER}/openclaw.json.bak.1",
                 ".openclaw-work/openclaw.json", ".clawdbot/clawdbot.json", ".moltbot/moltbot.json"):  # fmt: skip
        home.write(path, content(path.lstrip("."), path))
    path = f"{FOLDER}/.env"
    home.write(path, f"# loaded by the gateway\nMY_CUSTOM_THING={home.canary('openclaw/.env', path)}\n")
    path = f"{FOLDER}/credentials/whatsapp/default/creds.json"
    home.write(
        path, json.dumps({"noiseKey": {"note": home.canary("openclaw/whatsapp creds", path)}, "registered": True}, indent=2)
    )
    path = f"{FOLDER}/credentials/oauth.json"
    home.write(path, json.dumps({"github": {"access": home.canary("openclaw/oauth.json", path), "type": "oauth"}}))
    agent = f"{FOLDER}/agents/main/agent"
    profile = {"version": 1, "profiles": {"github:default": {"type": "token", "provider": "github", "token": ""}}}
    for name in ("auth-profiles.json", "auth.json", f"auth-profiles.json.migrated.{'3f' * 32}.1000"):
        path = f"{agent}/{name}"
        profile["profiles"]["github:default"]["token"] = home.canary(f"openclaw/{name[:30]}", path)  # type: ignore[index]
        home.write(path, json.dumps(profile, indent=2))
    path = f"{agent}/models.json"
    models = {"providers": {"github": {"headers": {"Authorization": f"Bearer {home.canary('openclaw/models.json', path)}"}}}}
    home.write(path, json.dumps(models, indent=2))


def _agent_database(home: Home) -> None:
    def canary(place: str, where: str) -> str:
        return home.canary(f"openclaw/{place}", AGENT_DATABASE, where=where)

    with Database(home.path(AGENT_DATABASE)) as database:
        for table, columns in AGENT.items():
            database.table(table, f"{columns}, {EVENT_CHECK}" if table == "transcript_events" else columns, "STRICT")
        database.run(SESSION_FTS)
        database.run(MEMORY_FTS)
        database.run(f"PRAGMA user_version = {AGENT_SCHEMA}")
        _agent_rows(database, canary)
        gone = home.canary("openclaw/deleted row", AGENT_DATABASE)
        database.insert(
            "trajectory_runtime_events", session_id="gone", seq=1, created_at=_MS, event_json=json.dumps({"text": gone})
        )
        database.checkpoint()
        database.run("DELETE FROM trajectory_runtime_events WHERE session_id = 'gone'")
        database.checkpoint()
        late = canary("transcript_events in the log", "transcript_events s2#1")
        database.insert("transcript_events", session_id="s2", seq=1, event_json=event(late, 1), created_at=_MS)
        packed_late = event(f"{_PROSE} {canary('transcript_events zstd in the log', 'transcript_events s2#2')}", 2)
        _packed_event(database, "s2", 2, packed_late)
        database.leave_log()


def _packed_event(database: Database, session: str, number: int, text: str) -> None:
    database.insert(
        "transcript_events", session_id=session, seq=number, event_zstd=packed(text), event_utf8_bytes=len(text.encode()),
        navigation_json='{"version":1}', created_at=_MS,
    )  # fmt: skip


def _agent_rows(database: Database, canary: Canaries) -> None:
    key = "agent:main:main"
    value = canary("session_nodes", "session_nodes/agent:main:main")
    database.insert("session_nodes", session_key=key, current_session_id="s1", entry_json=json.dumps({"title": f"Deploy with {value}"}),
                    updated_at=_MS)  # fmt: skip
    database.insert("session_windows", session_id="s1", session_key=key, created_at=_MS, updated_at=_MS)
    database.insert("transcript_events", session_id="s1", seq=1, event_json=event("Hello.", 1), created_at=_MS)
    value = canary("transcript_events", "transcript_events s1#2")
    database.insert("transcript_events", session_id="s1", seq=2, event_json=event(f"Use {value} to push.", 2), created_at=_MS)
    _packed_event(
        database, "s1", 3, event(f"{_PROSE} {canary('transcript_events zstd', 'transcript_events s1#3')} {_PROSE}", 3)
    )
    value = canary("session_pending_inputs", "session_pending_inputs 1.message_json")
    database.insert("session_pending_inputs", seq=1, input_id="i1", session_key=key, session_id="s1", state="queued", accepted_at=_MS,
                    message_json=json.dumps({"text": value}))  # fmt: skip
    for table, key_columns, name in (
        ("trajectory_runtime_events", {"session_id": "s1", "seq": 4}, "s1#4"),
        ("acp_parent_stream_events", {"session_id": "s1", "run_id": "r1", "seq": 5}, "s1#r1#5"),
    ):
        database.insert(
            table, event_json=json.dumps({"output": canary(table, f"{table} {name}")}), created_at=_MS, **key_columns
        )
    chunk = {"id": "c1", "path": "MEMORY.md", "source": "memory", "model": "local", "start_line": 1, "end_line": 4}
    database.insert("memory_index_chunks", chunk_rowid=1, hash="0" * 8, text=f"- token: {canary('memory chunk', 'memory_index_chunks 1.text')}",
                    embedding=bytes(64), updated_at=_MS, **chunk)  # fmt: skip
    database.insert(
        "memory_index_chunks_fts", rowid=7, text=canary("memory full-text copy", "memory_index_chunks_fts_content 7"), **chunk
    )
    database.insert("session_transcript_fts", rowid=9, text=f"push with {canary('transcript full-text copy', 'session_transcript_fts_content 9')}",
                    session_id="s1", role="user")  # fmt: skip
    database.insert(
        "cache_entries",
        scope="web",
        key="page",
        value_json=json.dumps({"body": canary("cache value", "cache_entries web#page")}),
    )
    value = canary("cache blob", "cache_entries web#blob")
    database.insert("cache_entries", scope="web", key="blob", blob=b"\0\1\2" + value.encode() + b"\0")
    value = canary("session_transcript_archives", "session_transcript_archives s0#g1")
    database.insert("session_transcript_archives", session_id="s0", generation="g1", session_key=key, reason="reset", encoding="zstd",
                    archive_blob=packed(f"{event(_PROSE, 1)}\n{event(value, 2)}\n"), archive_name="s0.jsonl.zst", created_at=_MS)  # fmt: skip
    value = canary("session_transcript_cold_archives", "session_transcript_cold_archives")
    database.insert("session_transcript_cold_archives", session_id="s00", storage="sqlite", archived_at=_MS, archive_name="s00",
                    archive_blob=packed(f"{event(_PROSE, 1)}\n{event(value, 2)}\n"))  # fmt: skip
    store = {
        "version": 1,
        "profiles": {"github:default": {"type": "token", "token": canary("auth_profile_store", "auth_profile_store/")}},
    }
    database.insert("auth_profile_store", store_key="default", store_json=json.dumps(store), updated_at=_MS)


def _state_database(home: Home) -> None:
    def canary(place: str, where: str) -> str:
        return home.canary(f"openclaw/{place}", STATE_DATABASE, where=where)

    with Database(home.path(STATE_DATABASE)) as database:
        for table, columns in STATE.items():
            database.table(table, columns, "STRICT")
        database.run(f"PRAGMA user_version = {STATE_SCHEMA}")
        for name, deleted in (("GITHUB_TOKEN", None), ("OLD_GITHUB_TOKEN", _MS)):
            value = canary(f"secret_store_entries {name}", "secret_store_entries team#")
            database.insert("secret_store_entries", scope_kind="team", scope_id="", name=name, value=value, kind="secret",
                            created_at_ms=_MS, updated_at_ms=_MS, deleted_at_ms=deleted)  # fmt: skip
        for table, column, key in _STATE_PLACES:
            value = canary(f"{table}.{column}", table)
            text = value if column in ("token", "data_text", "text", "markdown") else json.dumps({"text": f"with {value}"})
            database.insert(table, **{**key, column: text})
        database.insert("capture_blobs", blob_id="b1", content_type="text/plain", encoding="identity", created_at=_MS,
                        data=f"authorization: token {canary('capture_blobs', 'capture_blobs/b1')}".encode())  # fmt: skip


_STATE_PLACES: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("mcp_oauth_stores", "store_json", {"store_key": "github"}),
    ("device_auth_tokens", "token", {"device_id": "d1", "role": "operator"}),
    ("cron_jobs", "job_json", {"store_key": "default", "job_id": "j1", "updated_at": _MS}),
    ("exec_approvals_config", "raw_json", {"config_key": "default"}),
    ("acp_replay_events", "update_json", {"session_id": "s1", "seq": 1, "at": _MS}),
    ("capture_events", "headers_json", {"id": 1, "session_id": "c1", "ts": _MS}),
    ("capture_events", "data_text", {"id": 2, "session_id": "c1", "ts": _MS}),
    ("operator_approvals", "presentation_json", {"approval_id": "a1", "kind": "exec", "status": "pending"}),
    ("delivery_queue_entries", "entry_json", {"queue_name": "outbound", "id": "q1"}),
    ("plugin_state_entries", "value_json", {"plugin_id": "github", "namespace": "ns", "entry_key": "k1"}),
    ("skill_workshop_proposals", "record_json", {"proposal_id": "p1", "kind": "create", "status": "pending"}),
    ("config_machine_state", "value_json", {"state_key": "meta"}),
    ("meeting_transcript_utterances", "text", {"session_id": "m1", "session_started_at": "t", "sequence": 1}),
    ("meeting_transcript_summaries", "markdown", {"session_id": "m1", "session_started_at": "t"}),
)
"""Table, column of the text, key of the row."""


def _sessions(home: Home) -> None:
    folder = f"{FOLDER}/agents/main/sessions"
    session = "5b0ad6f2-58a1-4a5e-9d4d-2b1d1b0c3a11"
    for name in (
        f"{session}.jsonl",
        f"{session}.jsonl.reset.2026-10-01T08-00-00.000Z",
        f"{session}.jsonl.deleted.2026-10-02T08-00-00.000Z",
    ):
        path = f"{folder}/{name}"
        home.write(path, event("Hi.", 1) + "\n" + event(home.canary(f"openclaw/sessions {name[36:50]}", path), 2) + "\n")
    path = f"{folder}/sessions.json"
    home.write(path, json.dumps({"agent:main:main": {"label": home.canary("openclaw/sessions.json", path)}}))
    value = home.canary("openclaw/cold archive", "")
    content = packed("".join(event(f"{_PROSE} {text}", number) + "\n" for number, text in enumerate(("", value))))
    path = f"{folder}/cold/{hashlib.sha256(content).hexdigest()}.jsonl.zst"
    home.canaries[-1] = home.canaries[-1]._replace(path=path)
    home.write(path, content)
    path = f"{FOLDER}/agents/main/agent/codex-home/sessions/2026/10/01/rollout-2026-10-01T08-00-00-{session}.jsonl"
    item = {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": home.canary("openclaw/codex-home", path)}],
    }
    home.write(path, json.dumps({"timestamp": "2026-10-01T08:00:00.000Z", "type": "response_item", "payload": item}) + "\n")


def _workspace(home: Home) -> None:
    folder = f"{FOLDER}/workspace"
    for name in ("AGENTS.md", "USER.md", "memory/2026-10-01.md", "memory/imports/chatgpt.md", "skills/deploy/SKILL.md",
                 ".openclaw/trajectory-exports/s1/events.jsonl"):  # fmt: skip
        path = f"{folder}/{name}"
        home.write(path, f"# Notes\n\n## Deploy\n\nPush with {home.canary(f'openclaw/workspace {name}', path)} please.\n")
    path = f"{folder}/MEMORY.md"
    home.write(path, f"# Memory\n\n- the old token was {home.canary('openclaw/workspace history', path)}\n")
    _git(home, folder, "init", "-q", "-b", "main")
    _git(home, folder, "add", "-A", "MEMORY.md")
    _git(home, folder, "commit", "-q", "-m", "memory")
    home.write(path, f"# Memory\n\n- the token is {home.canary('openclaw/workspace MEMORY.md', path)}\n")


def _git(home: Home, folder: str, *arguments: str) -> None:
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
           for what, value in (("NAME", "Agent"), ("EMAIL", "agent@localhost"), ("DATE", f"{MOMENT} +0000"))}  # fmt: skip
    environment = {"PATH": os.environ.get("PATH", ""), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, **who}
    subprocess.run(["git", "-C", str(home.folder / folder), *arguments], env=environment, check=True, capture_output=True)


def _other_files(home: Home) -> None:
    path = f"{FOLDER}/transcripts/2026-10-01/standup/transcript.jsonl"
    home.write(path, json.dumps({"speaker": "me", "text": home.canary("openclaw/meeting transcript", path)}) + "\n")
    path = f"{FOLDER}/transcripts/2026-10-01/standup/summary.md"
    home.write(path, f"# Standup\n\n{home.canary('openclaw/meeting summary', path)}\n")
    path = f"{FOLDER}/sandboxes/agent-main-0f/notes.txt"
    home.write(path, f"cloned with {home.canary('openclaw/sandbox', path)}\n")
    path = f"{FOLDER}/media/inbound/voice-note.txt"
    home.write(path, f"it said {home.canary('openclaw/media', path)}\n")
    path = f"{FOLDER}/backups/openclaw-backup-2026-10-01.tar.gz"
    home.write(path, _backup(f'{{"token": "{home.canary("openclaw/backup", path, where="payload/openclaw.json")}"}}'.encode()))
    for name in ("gateway.log", "openclaw-2026-10-01.log", "openclaw-2026-10-01.log.1"):
        path = f"{FOLDER}/logs/{name}"
        value = home.canary(f"openclaw/log {name}", path)
        line = {
            "0": '{"subsystem":"gateway"}',
            "1": {"sent": 1},
            "2": f"request failed: {value}",
            "_meta": {"logLevelName": "WARN"},
        }
        home.write(path, json.dumps({**line, "time": "2026-10-01T08:00:00.000Z"}) + "\n")


def _backup(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("openclaw-backup/payload/openclaw.json")
        member.size, member.mtime = len(content), MOMENT
        archive.addfile(member, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=MOMENT)
