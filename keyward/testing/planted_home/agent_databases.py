"""SQLite databases of agents, with the tables that their programs make.

Sources: Goose crates/goose/src/session/session_manager.rs, OpenCode packages/opencode/src/session/session.sql.ts, Hermes hermes_state.py,
Zed crates/agent/src/db.rs, IPython core/history.py, LangChain community cache.py; Cursor's and VS Code's from their own files.
"""

from __future__ import annotations

import hashlib
import json

import zstandard

from keyward.testing.planted_home import MOMENT, Home
from keyward.testing.planted_home.sqlite_file import Database

_MS = MOMENT * 1000
_ISO = "2026-10-01T08:00:00+00:00"
_PROSE = "The agent read the log again and wrote down what it had seen there. " * 30
_BUBBLE = "bubbleId:0f6a4f4e-6a35-4f0f-8a55-8e2f0c1d2b3a:7d0c1b2a-1111-4222-8333-944455566677"


def plant_databases(home: Home) -> None:
    """One database after the other."""
    for database in (_cursor, _cursor_cli, _vscode, _opencode, _goose, _hermes, _hermes_others, _zed, _codex, _antigravity, _kiro, _copilot,
                     _grok, _ipython, _langchain):  # fmt: skip
        database(home)


class _Canaries:
    """Canaries of one database. `(table, where)`: a fresh value in a row whose name in the report holds `where`."""

    def __init__(self, home: Home, path: str) -> None:
        self._home, self._path = home, path

    def __call__(self, what: str, where: str) -> str:
        return self._home.canary(f"agents/{self._path} {what}", self._path, where=where)


def _cursor(home: Home) -> None:
    path = ".config/Cursor/User/globalStorage/state.vscdb"
    canary = _Canaries(home, path)
    with Database(home.path(path)) as database:
        for table in ("ItemTable", "cursorDiskKV"):
            database.table(table, "key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB")
        bubble = {"_v": 3, "type": 1, "text": f"push with {canary('bubble', 'cursorDiskKV/bubbleId:')}", "createdAt": _ISO}
        database.insert("cursorDiskKV", key=_BUBBLE, value=json.dumps(bubble).encode())
        tool = {
            "_v": 3,
            "type": 2,
            "toolFormerData": {"params": "{}", "result": json.dumps({"output": canary("tool result", "cursorDiskKV")})},
        }
        database.insert("cursorDiskKV", key=f"{_BUBBLE}b", value=json.dumps(tool).encode())
        composer = {"composerId": "c1", "text": canary("composer", "cursorDiskKV/composerData:"), "richText": ""}
        database.insert(
            "cursorDiskKV", key="composerData:0f6a4f4e-6a35-4f0f-8a55-8e2f0c1d2b3a", value=json.dumps(composer).encode()
        )
        prompts = json.dumps([{"text": canary("prompts", "ItemTable/aiService.prompts"), "commandType": 4}])
        database.insert("ItemTable", key="aiService.prompts", value=prompts)
        database.insert("ItemTable", key="cursorAuth/openAIKey", value=canary("login", "ItemTable/cursorAuth/openAIKey"))
        database.checkpoint()
        late = {"_v": 3, "type": 1, "text": canary("bubble in the log", "cursorDiskKV/bubbleId:")}
        database.insert("cursorDiskKV", key=f"{_BUBBLE}c", value=json.dumps(late).encode())
        database.leave_log()
    path = ".config/Cursor/User/workspaceStorage/5f1c/state.vscdb"
    canary = _Canaries(home, path)
    with Database(home.path(path), wal=False) as database:
        database.table("ItemTable", "key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB")
        database.insert(
            "ItemTable",
            key="aiService.generations",
            value=json.dumps([{"textDescription": canary("generations", "ItemTable")}]),
        )
    path = ".config/Cursor/User/globalStorage/conversation-search.db"
    canary = _Canaries(home, path)
    with Database(home.path(path)) as database:
        database.run("CREATE VIRTUAL TABLE conversation_fts USING fts5(conversation_id UNINDEXED, title, body)")
        database.insert(
            "conversation_fts", conversation_id="c1", title="Deploy", body=canary("full text", "conversation_fts_content 1.c2")
        )


def _cursor_cli(home: Home) -> None:
    path = f".cursor/chats/{'5d' * 16}/0f6a4f4e-6a35-4f0f-8a55-8e2f0c1d2b3a/store.db"
    canary = _Canaries(home, path)
    with Database(home.path(path)) as database:
        database.table("blobs", "id TEXT PRIMARY KEY, data BLOB")
        database.table("meta", "key TEXT PRIMARY KEY, value TEXT")
        data = json.dumps({"role": "user", "content": [{"type": "text", "text": canary("blob", "blobs/")}]}).encode()
        database.insert("blobs", id=hashlib.sha256(data).hexdigest(), data=data)
        # the small ones are protobuf: field 1, length, text
        value = canary("protobuf blob", "blobs/").encode()
        data = b"\x0a" + bytes([len(value)]) + value
        database.insert("blobs", id=hashlib.sha256(data).hexdigest(), data=data)
        name = json.dumps({"agentId": "a1", "name": canary("meta", "meta/0"), "mode": "default"}).encode().hex()
        database.insert("meta", key="0", value=bytes.fromhex(name).decode())


def _vscode(home: Home) -> None:
    path = ".config/Code/User/globalStorage/state.vscdb"
    canary = _Canaries(home, path)
    with Database(home.path(path), wal=False) as database:
        database.table("ItemTable", "key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB")
        state = json.dumps({"chatHistory": [{"text": f"push with {canary('input history', 'ItemTable')}"}]})
        database.insert("ItemTable", key="memento/interactive-session", value=state)


def _opencode(home: Home) -> None:
    path = ".local/share/opencode/opencode.db"
    canary = _Canaries(home, path)
    times = "time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL"
    with Database(home.path(path)) as database:
        database.table(
            "session", f"id TEXT PRIMARY KEY, project_id TEXT NOT NULL, directory TEXT NOT NULL, title TEXT NOT NULL, {times}"
        )
        database.table("message", f"id TEXT PRIMARY KEY, session_id TEXT NOT NULL, {times}, data TEXT NOT NULL")
        database.table(
            "part", f"id TEXT PRIMARY KEY, message_id TEXT NOT NULL, session_id TEXT NOT NULL, {times}, data TEXT NOT NULL"
        )
        database.table("todo", f"session_id TEXT NOT NULL, content TEXT NOT NULL, position INTEGER NOT NULL, {times},"
                               " PRIMARY KEY (session_id, position)")  # fmt: skip
        when = {"time_created": _MS, "time_updated": _MS}
        database.insert("session", id="ses_1", title=f"push {canary('session.title', 'session/ses_1')}", **when)
        database.insert(
            "message",
            id="msg_1",
            session_id="ses_1",
            data=json.dumps({"system": canary("message.data", "message/msg_1")}),
            **when,
        )
        part = {"type": "text", "text": f"push with {canary('part.data', 'part/prt_1')}"}
        database.insert("part", id="prt_1", message_id="msg_1", session_id="ses_1", data=json.dumps(part), **when)
        database.insert("todo", session_id="ses_1", position=0, content=canary("todo.content", "todo ses_1#0"), **when)
        database.checkpoint()
        late = {"type": "tool", "state": {"output": canary("part.data in the log", "part/prt_2")}}
        database.insert("part", id="prt_2", message_id="msg_1", session_id="ses_1", data=json.dumps(late), **when)
        database.leave_log()


def _goose(home: Home) -> None:
    path = ".local/share/goose/sessions/sessions.db"
    canary = _Canaries(home, path)
    with Database(home.path(path)) as database:
        database.table("sessions", "id TEXT PRIMARY KEY, name TEXT NOT NULL DEFAULT '', description TEXT NOT NULL DEFAULT '', working_dir TEXT NOT NULL,"
                                   " created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, extension_data TEXT DEFAULT '{}', recipe_json TEXT")  # fmt: skip
        database.table("messages", "id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL REFERENCES sessions(id), role TEXT NOT NULL,"
                                   " content_json TEXT NOT NULL, created_timestamp INTEGER NOT NULL,"
                                   " timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP, tokens INTEGER, metadata_json TEXT")  # fmt: skip
        database.insert("sessions", id="20261001_1", name=canary("sessions.name", "sessions/20261001_1.name"),
                        extension_data=json.dumps({"todo": canary("sessions.extension_data", "sessions/20261001_1.extension_data")}),
                        recipe_json=json.dumps({"prompt": canary("sessions.recipe_json", "sessions/20261001_1.recipe_json")}))  # fmt: skip
        content = json.dumps(
            [{"type": "text", "text": f"push with {canary('messages.content_json', 'messages 1.content_json')}"}]
        )
        database.insert("messages", session_id="20261001_1", role="user", content_json=content, created_timestamp=MOMENT)


def _hermes(home: Home) -> None:
    path = ".hermes/state.db"
    canary = _Canaries(home, path)
    with Database(home.path(path)) as database:
        database.table(
            "sessions", "id TEXT PRIMARY KEY, source TEXT NOT NULL, system_prompt TEXT, started_at REAL NOT NULL, title TEXT"
        )
        database.table("messages", "id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL REFERENCES sessions(id), role TEXT NOT NULL,"
                                   " content TEXT, tool_call_id TEXT, tool_calls TEXT, tool_name TEXT, timestamp REAL NOT NULL,"
                                   " reasoning TEXT, reasoning_content TEXT, active INTEGER NOT NULL DEFAULT 1")  # fmt: skip
        database.run("CREATE VIRTUAL TABLE messages_fts USING fts5(content)")
        database.insert(
            "sessions", id="s1", source="cli", system_prompt=canary("sessions.system_prompt", "sessions/s1"), started_at=MOMENT
        )
        row = {"session_id": "s1", "role": "user", "timestamp": float(MOMENT)}
        database.insert("messages", content=f"push with {canary('messages.content', 'messages 1.content')}", **row)
        structured = json.dumps([{"type": "text", "text": canary("structured content", "messages 2.content")}])
        database.insert("messages", content=f"\0json:{structured}", **row)
        calls = json.dumps(
            [
                {
                    "function": {
                        "name": "run",
                        "arguments": json.dumps({"command": f"echo {canary('tool_calls', 'messages 3.tool_calls')}"}),
                    }
                }
            ]
        )
        database.insert(
            "messages", tool_calls=calls, reasoning_content=canary("reasoning", "messages 3.reasoning_content"), **row
        )
        database.insert("messages", content=canary("rewound row", "messages 4.content"), active=0, **row)
        database.run("INSERT INTO messages_fts(rowid, content) VALUES (5, ?)", canary("full text", "messages_fts_content 5.c0"))


def _hermes_others(home: Home) -> None:
    for name, table in (("response_store.db", "responses"), ("memory_store.db", "facts"), ("kanban.db", "tasks")):
        path = f".hermes/{name}"
        canary = _Canaries(home, path)
        with Database(home.path(path)) as database:
            database.table(table, "id INTEGER PRIMARY KEY, data TEXT NOT NULL, created_at REAL")
            database.insert(table, id=1, data=f"push with {canary(table, f'{table} 1.data')}", created_at=float(MOMENT))


def _zed(home: Home) -> None:
    path = ".local/share/zed/threads/threads.db"
    canary = _Canaries(home, path)
    with Database(home.path(path)) as database:
        database.table(
            "threads",
            "id TEXT PRIMARY KEY, summary TEXT NOT NULL, updated_at TEXT NOT NULL, data_type TEXT NOT NULL, data BLOB NOT NULL",
        )

        def thread(text: str) -> bytes:
            message = {"User": {"id": "m1", "content": [{"Text": text}]}}
            return json.dumps({"version": "0.3.0", "title": "Deploy", "messages": [message]}).encode()

        content = thread(f"{_PROSE}{canary('zstd thread', 'threads/t1')} {_PROSE}")
        database.insert(
            "threads",
            id="t1",
            summary="Deploy",
            updated_at=_ISO,
            data_type="zstd",
            data=zstandard.ZstdCompressor(level=3).compress(content),
        )
        database.insert("threads", id="t2", summary=f"Deploy {canary('summary', 'threads/t2.summary')}", updated_at=_ISO, data_type="json",
                        data=thread(canary("JSON thread", "threads/t2")))  # fmt: skip


def _codex(home: Home) -> None:
    path = ".codex/state_5.sqlite"
    canary = _Canaries(home, path)
    with Database(home.path(path)) as database:
        database.table("threads", "id TEXT PRIMARY KEY, rollout_path TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,"
                                  " title TEXT NOT NULL, first_user_message TEXT NOT NULL DEFAULT '', preview TEXT")  # fmt: skip
        database.insert("threads", id="th1", created_at=MOMENT, updated_at=MOMENT, title=canary("threads.title", "threads/th1.title"),
                        first_user_message=canary("threads.first_user_message", "threads/th1.first_user_message"),
                        preview=canary("threads.preview", "threads/th1.preview"))  # fmt: skip
    for name, table, column in (("thread_history_1.sqlite", "thread_items", "item_json"), ("logs_2.sqlite", "logs", "feedback_log_body"),
                                ("memories_1.sqlite", "stage1_outputs", "raw_memory")):  # fmt: skip
        path = f".codex/{name}"
        canary = _Canaries(home, path)
        with Database(home.path(path)) as database:
            database.table(table, f"id INTEGER PRIMARY KEY AUTOINCREMENT, ts INTEGER NOT NULL, {column} TEXT")
            database.insert(table, ts=MOMENT, **{column: json.dumps({"text": canary(table, f"{table} 1.{column}")})})


def _antigravity(home: Home) -> None:
    path = ".gemini/antigravity-cli/conversations/0f6a4f4e-6a35-4f0f-8a55-8e2f0c1d2b3a.db"
    canary = _Canaries(home, path)
    with Database(home.path(path)) as database:
        database.table(
            "steps",
            "idx INTEGER PRIMARY KEY, step_type TEXT, status TEXT, metadata BLOB, step_payload BLOB, step_format INTEGER",
        )
        value = canary("steps.step_payload", "steps 1.step_payload").encode()
        database.insert(
            "steps", idx=1, step_payload=b"\x12\x2a" + b"\x0a" + bytes([len(value)]) + value + b"\x18\x01", step_format=1
        )


def _kiro(home: Home) -> None:
    path = ".local/share/kiro-cli/data.sqlite3"
    canary = _Canaries(home, path)
    with Database(home.path(path)) as database:
        database.table("conversations_v2", "key TEXT NOT NULL, conversation_id TEXT NOT NULL, value TEXT NOT NULL, created_at INTEGER NOT NULL,"
                                           " updated_at INTEGER NOT NULL, PRIMARY KEY (key, conversation_id)")  # fmt: skip
        database.table("auth_kv", "key TEXT PRIMARY KEY, value TEXT")
        said = json.dumps(
            {
                "history": [
                    {"user": {"content": {"Prompt": {"prompt": canary("conversation", "conversations_v2 /home/ann/app#c1")}}}}
                ]
            }
        )
        database.insert(
            "conversations_v2", key="/home/ann/app", conversation_id="c1", value=said, created_at=_MS, updated_at=_MS
        )
        database.insert(
            "auth_kv", key="kirocli:social:token", value=json.dumps({"access_token": canary("login", "auth_kv/kirocli")})
        )


def _copilot(home: Home) -> None:
    path = ".copilot/session-store.db"
    canary = _Canaries(home, path)
    with Database(home.path(path)) as database:
        database.table("turns", "id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, turn_index INTEGER NOT NULL, user_message TEXT,"
                                " assistant_response TEXT, timestamp TEXT")  # fmt: skip
        database.insert(
            "turns", session_id="s1", user_message=f"push with {canary('turns', 'turns 1.user_message')}", timestamp=_ISO
        )


def _grok(home: Home) -> None:
    path = ".grok/sessions/session_search.sqlite"
    canary = _Canaries(home, path)
    with Database(home.path(path)) as database:
        database.table(
            "session_docs",
            "session_id TEXT PRIMARY KEY, cwd TEXT, updated_at INTEGER, title TEXT, content TEXT, content_hash TEXT",
        )
        database.insert(
            "session_docs",
            session_id="s1",
            updated_at=MOMENT,
            title="Deploy",
            content=canary("content", "session_docs/s1.content"),
        )


def _ipython(home: Home) -> None:
    path = ".ipython/profile_default/history.sqlite"
    canary = _Canaries(home, path)
    with Database(home.path(path), wal=False) as database:
        database.table(
            "sessions",
            "session integer primary key autoincrement, start timestamp, end timestamp, num_cmds integer, remark text",
        )
        database.table("history", "session integer, line integer, source text, source_raw text, PRIMARY KEY (session, line)")
        database.table("output_history", "session integer, line integer, output text, PRIMARY KEY (session, line)")
        database.insert("history", session=1, line=1, source=f"get_ipython().run_line_magic('env', '{canary('source', 'history 1#1.source')}')",
                        source_raw=f"%env {canary('source_raw', 'history 1#1.source_raw')}")  # fmt: skip
        database.insert("output_history", session=1, line=1, output=repr(canary("output", "output_history 1#1")))


def _langchain(home: Home) -> None:
    path = "work/.langchain.db"
    canary = _Canaries(home, path)
    with Database(home.path(path), wal=False) as database:
        database.table("full_llm_cache", "prompt VARCHAR NOT NULL, llm VARCHAR NOT NULL, idx INTEGER NOT NULL, response VARCHAR,"
                                         " PRIMARY KEY (prompt, llm, idx)")  # fmt: skip
        database.insert("full_llm_cache", prompt=f"Human: push with {canary('prompt', 'full_llm_cache')} please", llm="[('model', 'x')]", idx=0,
                        response=json.dumps({"kwargs": {"text": f"I used {canary('response', 'full_llm_cache')}"}}))  # fmt: skip
