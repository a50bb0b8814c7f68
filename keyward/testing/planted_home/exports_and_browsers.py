"""Exports of chats and notes, reports, and sessions of browsers, as their tools write them."""

from __future__ import annotations

import json

from keyward.testing.planted_home import MOMENT, Home
from keyward.testing.planted_home.planting import encrypted, sqlite_file, text_file, zipped

ISO = "2026-01-02T03:04:05.678Z"


def plant(home: Home) -> None:
    """All of them."""
    for group in (_chats, _notes, _browsers):
        group(home)


def chatgpt(key: str) -> str:
    """`conversations.json` of a ChatGPT export."""
    message = {
        "id": "m1",
        "author": {"role": "user"},
        "create_time": MOMENT + 0.5,
        "content": {"content_type": "text", "parts": [f"my key:\n{key}\nbye"]},
    }
    nodes = {
        "m0": {"id": "m0", "message": None, "children": ["m1"]},
        "m1": {"id": "m1", "message": message, "parent": "m0", "children": []},
    }
    return json.dumps([{"title": "Deploying", "create_time": MOMENT, "mapping": nodes}])


def claude(text: str, attached: str) -> str:
    """`conversations.json` of a Claude export."""
    content = [{"type": "text", "text": text}]
    message = {
        "uuid": "u",
        "text": "",
        "content": content,
        "sender": "human",
        "created_at": ISO,
        "attachments": [{"file_name": "env.txt", "extracted_content": attached}],
    }
    return json.dumps([{"uuid": "c", "name": "Keys", "chat_messages": [message]}])


def _chats(home: Home) -> None:
    path = "Downloads/" + "0123456789abcdef" * 4 + "-2026-01-02-03-04-05-abcdef.zip"
    one, two, user = (
        home.canary(f"chatgpt/zip {each}", path, where=each) for each in ("conversations.json", "chat.html", "user.json")
    )
    home.write(path, zipped({"conversations.json": chatgpt(one), "chat.html": f"<html><script>var jsonData = {chatgpt(two)}</script></html>",
                           "user.json": json.dumps({"id": "user-1", "note": user})}))  # fmt: skip
    text_file(home, "chatgpt/unpacked", "Documents/chatgpt/conversations.json", chatgpt, where='"Deploying", message 2 (user)')
    text_file(home, "chatgpt/sharded", "Documents/chatgpt/conversations-000.json", chatgpt, where="message 2 (user)")
    path = "Downloads/data-2026-01-02-03-04-05-batch-0000.zip"
    text, attached, project = (home.canary(f"claude/zip {each}", path) for each in ("text", "attachment", "project"))
    home.write(path, zipped({"conversations.json": claude(text, attached), "users.json": "[]",
                           "projects.json": json.dumps([{"name": "Ops", "docs": [{"filename": "notes.md", "content": f"key: {project}"}]}])}))  # fmt: skip
    text_file(
        home,
        "claude/unpacked",
        "Documents/claude/conversations.json",
        lambda key: claude("see file", key),
        where="attachment env.txt",
    )
    text_file(
        home, "claude/slash export", "projects/shop/2026-01-02-fix-the-build.txt", lambda key: f"> use this key\n  ⎿  {key}\n"
    )
    text_file(
        home,
        "gemini/chat share",
        "projects/shop/gemini-conversation-1767323045.md",
        where="User",
        make=lambda key: f"# Chat\n\n## User\n\n{key}\n",
    )
    text_file(
        home,
        "specstory",
        "projects/shop/.specstory/history/2026-01-02_03-04Z-fix.md",
        where="Fix",
        make=lambda key: f"# Fix (2026-01-02 03:04:05Z)\n\n_**User**_\n\n{key}\n",
    )


def _notes(home: Home) -> None:
    path = "Downloads/Export-12345678-90ab-cdef.zip"
    page, table = home.canary("notion/page", path, where="Setup"), home.canary("notion/table", path, where=".csv")
    inner = zipped(
        {
            "Setup 0123456789abcdef0123456789abcdef.md": f"# Setup\n\n## Keys\n\n{page}\n",
            "Keys 0123456789abcdef0123456789abcdef_all.csv": f"Name,Key\nCI,{table}\n",
        }
    )
    home.write(path, zipped({"ExportBlock-12345678-Part-1.zip": inner}))
    home.write("notes/vault/.obsidian/app.json", "{}")
    text_file(
        home,
        "obsidian/note",
        "notes/vault/Ops.md",
        lambda key: f"---\ntags: [ops]\n---\n# Ops\n## Keys\n```\n# none\n{key}\n```\n",
        where="Ops › Keys",
    )
    text_file(
        home,
        "obsidian/plugin",
        "notes/vault/.obsidian/plugins/copilot/data.json",
        lambda key: json.dumps({"githubToken": key}),
        where="githubToken",
    )
    text_file(home, "obsidian/trash", "notes/vault/.trash/Old.md", lambda key: f"old: {key}\n")
    text_file(
        home,
        "report/markdown",
        "Documents/audit/report.md",
        lambda key: f"Audit\n=====\nFindings\n--------\n- {key}\n",
        where="Audit › Findings",
    )
    text_file(
        home,
        "report/html",
        "projects/shop/reports/security-report.html",
        lambda key: f"<html><body><td>{key}</td></body></html>",
    )


def _browsers(home: Home) -> None:
    state = {"path": "/", "expires": -1, "httpOnly": True, "secure": True, "sameSite": "Lax"}
    text_file(
        home,
        "playwright/cookie",
        "projects/shop/playwright/.auth/user.json",
        where="cookie session of .example.org",
        make=lambda key: json.dumps(
            {"cookies": [{"name": "session", "value": key, "domain": ".example.org", **state}], "origins": []}, indent=2
        ),
    )
    text_file(
        home,
        "playwright/localStorage",
        "projects/shop/storage_state.json",
        where="localStorage auth",
        make=lambda key: json.dumps(
            {"cookies": [], "origins": [{"origin": "https://example.org", "localStorage": [{"name": "auth", "value": key}]}]}
        ),
    )
    text_file(
        home,
        "cookies.txt",
        "Downloads/cookies.txt",
        where="cookie sid of .example.org",
        make=lambda key: f"# Netscape HTTP Cookie File\n\n#HttpOnly_.example.org\tTRUE\t/\tTRUE\t1800000000\tsid\t{key}\n",
    )
    path = "Downloads/example.org.har"
    header, body = (
        home.canary("har/header", path, where="entry 1 request header Authorization"),
        home.canary("har/body", path, where="entry 1 response body"),
    )
    request = {
        "method": "GET",
        "url": "https://example.org/",
        "headers": [{"name": "Authorization", "value": f"token {header}"}],
        "cookies": [],
    }
    response = {"status": 200, "content": {"mimeType": "text/plain", "text": f"the key:\n{body}"}}
    home.write(
        path,
        json.dumps(
            {
                "log": {
                    "version": "1.2",
                    "entries": [{"startedDateTime": ISO, "time": 12.5, "request": request, "response": response}],
                }
            }
        ),
    )
    for place, path in (
        ("chrome/passwords", ".config/google-chrome/Default/Login Data"),
        ("chrome/cookies", ".config/chromium/Default/Cookies"),
    ):
        key = home.canary(place, path, opaque=True)
        sqlite_file(
            home,
            path,
            "CREATE TABLE logins (origin_url text, password_value blob)",
            "INSERT INTO logins VALUES ('https://example.org', ?)",
            [(b"v11" + encrypted(key),)],
        )
    for place, path in (
        ("firefox/logins", ".mozilla/firefox/ab12.default/logins.json"),
        ("firefox/keys", ".mozilla/firefox/ab12.default/key4.db"),
    ):
        home.write(path, b'{"logins":"' + encrypted(home.canary(place, path, opaque=True)).hex().encode() + b'"}')
