"""What the other agents keep: one canary for each file, and for each column of a database, that holds text.

Formats are those of the versions that `scan/sources/agents` names. Lines are JSON as `JSON.stringify` writes it, without spaces.
"""

from __future__ import annotations

import hashlib
import json

import zstandard

from keyward.testing.planted_home import MOMENT, Home
from keyward.testing.planted_home.agent_databases import plant_databases

_ISO = "2026-10-01T08:00:00.000Z"
_SESSION = "0f6a4f4e-6a35-4f0f-8a55-8e2f0c1d2b3a"


def plant(home: Home) -> None:
    """All places of all agents but OpenClaw."""
    for path, form in (*_claude(), *_codex(), *_gemini(), *_editors(), *_command_line(), *_notebooks(), *_mcp()):
        value = home.canary(f"agents/{path}", path)
        home.write(path, form.replace(MARK, value))
    _packed_codex_session(home)
    _content_addressed(home)
    _sealed(home)
    plant_databases(home)


MARK = "@TOKEN@"
"""Where the canary goes."""

Files = tuple[tuple[str, str], ...]
"""Paths and contents."""


def line(**members: object) -> str:
    """A line of JSON."""
    return json.dumps(members, separators=(",", ":"), ensure_ascii=False) + "\n"


def whole(value: object, indent: int | None = 2) -> str:
    """A file of JSON."""
    return json.dumps(value, indent=indent, ensure_ascii=False) + "\n"


def _claude() -> Files:
    project = f".claude/projects/-home-ann-app/{_SESSION}"
    text = f"Push with {MARK}.\u2028Then tell me."  # JSON.stringify leaves U+2028 as it is
    user = line(type="user", uuid="u1", parentUuid=None, sessionId=_SESSION, timestamp=_ISO, cwd="/home/ann/app",
                message={"role": "user", "content": [{"type": "text", "text": text}]})  # fmt: skip
    result = line(type="user", uuid="u2", parentUuid="u1", sessionId=_SESSION, timestamp=_ISO,
                  message={"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": f"GH={MARK}"}]},
                  toolUseResult={"stdout": f"GH={MARK}", "stderr": ""})  # fmt: skip
    servers = {"github": {"command": "npx", "args": ["-y", "server"], "env": {"GITHUB_TOKEN": MARK}}}
    return (
        (f"{project}.jsonl", line(type="mode", mode="normal") + user),
        (f"{project}/subagents/agent-a1.jsonl", result),
        (f"{project}/tool-results/toolu_1.txt", f"remote: https://ann:{MARK}@github.com/ann/app\n"),
        (".claude/projects/-home-ann-app/memory/MEMORY.md", f"# Memory\n\n## Deploy\n\nuse {MARK}\n"),
        (
            ".claude/history.jsonl",
            line(display=f"deploy with {MARK}", pastedContents={}, timestamp=MOMENT * 1000, project="/home/ann/app"),
        ),
        (f".claude/file-history/{_SESSION}/9c1f0b7a4d2e6f80@v1", f"const token = '{MARK}'\n"),
        (".claude/paste-cache/6b1d0c2f.txt", f"here it is: {MARK}\n"),
        (f".claude/debug/{_SESSION}.txt", f"{_ISO} [DEBUG] env GITHUB_TOKEN={MARK}\n"),
        (".claude/plans/calm-river.md", f"# Plan\n\n1. log in with {MARK}\n"),
        (f".claude/todos/{_SESSION}-agent-{_SESSION}.json", whole([{"content": f"rotate {MARK}", "status": "pending"}], None)),
        (".claude/shell-snapshots/snapshot-bash-1760000000000-ab12cd.sh", f"# Snapshot file\nexport GITHUB_TOKEN={MARK}\n"),
        (".claude/settings.json", whole({"env": {"GITHUB_TOKEN": MARK}, "hooks": {}})),
        (".claude/.credentials.json", whole({"mcpOAuth": {"github|1": {"serverName": "github", "accessToken": MARK}}}, None)),
        (".claude/CLAUDE.md", f"# Rules\n\nThe deploy token is {MARK}.\n"),
        (".claude.json", whole({"numStartups": 3, "mcpServers": servers, "projects": {"/home/ann/app": {"history": []}}})),
    )


def _codex() -> Files:
    rollout = f".codex/sessions/2026/10/01/rollout-2026-10-01T08-00-00-{_SESSION}.jsonl"
    said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": f"Push with {MARK}."}]}
    thought = {"type": "reasoning", "summary": [], "encrypted_content": "gAAAA" + "x" * 40}
    meta = line(timestamp=_ISO, type="session_meta", payload={"id": _SESSION, "cwd": "/home/ann/app", "cli_version": "0.146.0"})
    content = line(timestamp=_ISO, type="response_item", payload=said)
    content += line(timestamp=_ISO, type="event_msg", payload={"type": "user_message", "message": f"Push with {MARK}."})
    content += line(timestamp=_ISO, type="response_item", payload=thought)
    return (
        (rollout, meta + content),
        (f".codex/archived_sessions/rollout-2026-09-01T08-00-00-{_SESSION}.jsonl", meta + content),
        (".codex/history.jsonl", line(session_id=_SESSION, ts=MOMENT, text=f"push with {MARK}")),
        (".codex/config.toml", f'model = "gpt-5"\n\n[mcp_servers.github.env]\nGITHUB_TOKEN = "{MARK}"\n'),
        (".codex/config.toml.bak", f'[mcp_servers.github.env]\nGITHUB_TOKEN = "{MARK}"\n'),
        (".codex/auth.json", whole({"OPENAI_API_KEY": None, "tokens": {"note": MARK}})),
        (".codex/.env", f"GITHUB_TOKEN={MARK}\n"),
        (".codex/attachments/a1/pasted-text-1.txt", f"log:\n{MARK}\n"),
        (".codex/memories/raw_memories.md", f"# Memories\n\n- token {MARK}\n"),
        (".codex/shell_snapshots/s1.sh", f"export GITHUB_TOKEN={MARK}\n"),
        (".codex/log/codex-tui.log", f"{_ISO}  INFO exec: git push https://ann:{MARK}@github.com/ann/app\n"),
    )


def _gemini() -> Files:
    message = {"id": "m1", "timestamp": _ISO, "type": "user", "content": [{"text": f"Push with {MARK}."}]}
    chat = (
        line(sessionId=_SESSION, projectHash="app", startTime=_ISO) + line(**message) + line(**{"$set": {"lastUpdated": _ISO}})
    )
    servers = {"mcpServers": {"github": {"command": "npx", "env": {"GITHUB_TOKEN": MARK}}}}
    return (
        (f".gemini/tmp/app/chats/session-2026-10-01T08-00-{_SESSION[:8]}.jsonl", chat + line(**message)),
        (".gemini/tmp/app/checkpoint-before.json", whole({"history": [{"role": "user", "parts": [{"text": MARK}]}]})),
        (".gemini/tmp/app/logs.json", whole([{"sessionId": _SESSION, "messageId": 0, "type": "user", "message": MARK, "timestamp": _ISO}])),
        (".gemini/tmp/app/shell_history", f"git push https://ann:{MARK}@github.com/ann/app\n"),
        (".gemini/settings.json", whole(servers)),
        (".gemini/oauth_creds.json", whole({"token_type": "Bearer", "note": MARK})),
        (".gemini/GEMINI.md", f"## Gemini Added Memories\n- the token is {MARK}\n"),
        (".gemini/antigravity-cli/history.jsonl", line(display=MARK, timestamp=MOMENT * 1000, workspace="/home/ann/app")),
        (f".gemini/antigravity-cli/brain/{_SESSION}/.system_generated/logs/transcript_full.jsonl",
         line(step_index=1, type="USER_INPUT", created_at=_ISO, content=f"use {MARK}")),
        (f".gemini/antigravity/brain/{_SESSION}/task.md", f"# Task\n\n- [ ] push with {MARK}\n"),
        (".gemini/antigravity/mcp_config.json", whole(servers)),
    )  # fmt: skip


def _editors() -> Files:
    code, cursor = ".config/Code/User", ".config/Cursor/User"
    request = {
        "requestId": "r1",
        "timestamp": MOMENT * 1000,
        "message": {"text": f"push with {MARK}", "parts": []},
        "response": [],
    }
    snapshot = line(kind=0, v={"version": 3, "creationDate": MOMENT * 1000, "requests": []}) + line(
        kind=2, k=["requests"], v=[request]
    )
    task = f"{code}/globalStorage/saoudrizwan.claude-dev/tasks/1760000000000"
    said = [{"role": "user", "content": [{"type": "text", "text": f"<task>\npush with {MARK}\n</task>"}]}]
    shown = [{"ts": MOMENT * 1000, "type": "say", "say": "text", "text": f"push with {MARK}"}]
    servers = {"servers": {"github": {"command": "npx", "env": {"GITHUB_TOKEN": MARK}}}, "inputs": []}
    mcp = {"mcpServers": {"github": {"command": "npx", "args": ["--token", MARK]}}}
    return (
        (f"{code}/workspaceStorage/5f1c/chatSessions/{_SESSION}.json", whole({"version": 3, "requests": [request]})),
        (f"{code}/workspaceStorage/5f1c/chatSessions/{_SESSION[:-1]}b.jsonl", snapshot),
        (f"{code}/globalStorage/emptyWindowChatSessions/{_SESSION}.jsonl", snapshot),
        (f"{code}/workspaceStorage/5f1c/GitHub.copilot-chat/transcripts/{_SESSION}.jsonl",
         line(type="user.message", data={"content": f"push with {MARK}"}, timestamp=_ISO)),
        (f"{code}/workspaceStorage/5f1c/chatEditingSessions/{_SESSION}/contents/1a2b3c4", f"token = '{MARK}'\n"),
        (f"{code}/mcp.json", whole(servers)),
        (f"{code}/History/6e1f2a/Q3kz.py", f"TOKEN = '{MARK}'\n"),
        (f"{task}/api_conversation_history.json", whole(said, None)),
        (f"{task}/ui_messages.json", whole(shown, None)),
        (f"{code}/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json", whole(mcp)),
        (f"{code}/globalStorage/rooveterinaryinc.roo-cline/tasks/{_SESSION}/api_conversation_history.json", whole(said, None)),
        (f"{code}/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json", whole(mcp)),
        (f"{code}/globalStorage/kilocode.kilo-code/tasks/{_SESSION}/ui_messages.json", whole(shown, None)),
        (f"{cursor}/History/7c2d/aB9x.ts", f"const token = '{MARK}'\n"),
        (f".cursor/projects/home-ann-app/agent-transcripts/{_SESSION}/{_SESSION}.jsonl",
         line(role="user", message={"content": [{"type": "text", "text": f"push with {MARK}"}]})),
        (".cursor/projects/home-ann-app/agent-tools/3f2a.txt", f"stdout: {MARK}\n"),
        (".cursor/projects/home-ann-app/terminals/1.txt", f"---\npid: 1\n---\n$ echo {MARK}\n"),
        (".cursor/prompt_history.json", whole([f"push with {MARK}"])),
        (".cursor/mcp.json", whole(mcp)),
        (".config/Windsurf/User/mcp.json", whole(servers)),
        (".codeium/windsurf/memories/global_rules.md", f"# Rules\n\nthe token is {MARK}\n"),
        (f".codeium/windsurf/brain/{_SESSION}/plan.md", f"# Plan\n\n## Push\n\nwith {MARK}\n"),
        (".codeium/windsurf/mcp_config.json", whole(mcp)),
        (".local/share/zed/conversations/Deploy - 1.zed.json", whole({"id": _SESSION, "zed": "context", "text": f"push with {MARK}"})),
        (".config/zed/settings.json", '// Zed\n{\n  "context_servers": { "github": { "env": { "GITHUB_TOKEN": "' + MARK + '", } } },\n}\n'),
    )  # fmt: skip


def _command_line() -> Files:
    arguments = json.dumps({"command": f"git push https://ann:{MARK}@github.com/ann/app"})
    call = {
        "message": {
            "role": "assistant",
            "content": "",
            "toolCalls": [{"id": "c1", "function": {"name": "run", "arguments": arguments}}],
        }
    }
    said = {"role": "user", "content": [{"type": "text", "text": f"push with {MARK}"}]}
    extensions = "extensions:\n  github:\n    enabled: true\n    envs:\n      GITHUB_TOKEN: "
    return (
        (".copilot/session-state/s1/events.jsonl", line(type="user.message", data={"content": f"push with {MARK}"}, timestamp=_ISO)),
        (".copilot/mcp-config.json", whole({"mcpServers": {"github": {"env": {"GITHUB_TOKEN": MARK}}}})),
        (".copilot/config.json", "// written by copilot\n" + whole({"copilot_tokens": {"https://github.com:ann": MARK}})),
        (".copilot/command-history-state.json", whole({"commandHistory": [f"push with {MARK}"]})),
        (".copilot/logs/process-1760000000000-1.log", f"{_ISO} [ERROR] fetch failed: token {MARK}\n"),
        ("app/.aider.chat.history.md", f"\n# aider chat started at 2026-10-01 08:00:00\n\n#### push with {MARK}\n"),
        ("app/.aider.input.history", f"\n# 2026-10-01 08:00:00.000000\n+push with {MARK}\n+and tell me\n"),
        ("app/.aider.llm.history", f"TO LLM 2026-10-01T08:00:00\n-------\nUSER push with {MARK}\n"),
        ("app/.aider.conf.yml", f"set-env:\n  - GITHUB_TOKEN={MARK}\n"),
        (f".continue/sessions/{_SESSION}.json", whole({"sessionId": _SESSION, "title": "Deploy", "history": [call]})),
        (".continue/sessions/sessions.json", whole([{"sessionId": _SESSION, "title": f"push {MARK}"}])),
        (".continue/config.yaml", f"name: Local\nmodels:\n  - name: github\n    apiKey: {MARK}\n"),
        (".continue/dev_data/0.2.0/chatInteraction.jsonl", line(timestamp=_ISO, prompt=f"push with {MARK}", completion="Done.")),
        (".local/share/opencode/auth.json", whole({"github-copilot": {"type": "oauth", "refresh": MARK, "access": "", "expires": 0}})),
        (".local/share/opencode/storage/part/msg_1/prt_1.json", whole({"id": "prt_1", "type": "text", "text": f"push with {MARK}"})),
        (".local/share/opencode/tool-output/tool_1", f"{MARK}\n"),
        (".local/share/opencode/log/2026-10-01T080000.log", f"INFO  {_ISO} +1ms service=bash command=git push {MARK}\n"),
        (".local/state/opencode/prompt-history.jsonl", line(input=f"push with {MARK}", parts=[])),
        (".config/opencode/opencode.jsonc", '{ // mine\n  "mcp": { "github": { "environment": { "GITHUB_TOKEN": "' + MARK + '" } } },\n}\n'),
        (".local/share/goose/sessions/20260901_1.jsonl",
         line(working_dir="/home/ann", description="x") + line(role="user", created=MOMENT, content=said["content"])),
        (".config/goose/config.yaml", f"{extensions}{MARK}\n"),
        (".config/goose/secrets.yaml", f"GITHUB_TOKEN: {MARK}\n"),
        (".hermes/.env", f"GITHUB_TOKEN={MARK}\n"),
        (".hermes/config.yaml", f"mcp_servers:\n  github:\n    env:\n      GITHUB_TOKEN: {MARK}\n"),
        (".hermes/auth.json", whole({"version": 1, "providers": {"github": {"access_token": MARK}}})),
        (".hermes/memories/MEMORY.md", f"The deploy token is {MARK}\n§\nAnn likes short answers.\n"),
        (".hermes/memories/USER.md", f"Ann gave me {MARK}\n"),
        (".hermes/cron/jobs.json", whole({"jobs": [{"id": "j1", "prompt": f"push with {MARK}"}]})),
        (".hermes/cron/output/j1/2026-10-01_08-00-00.md", f"# Cron Job\n\n## Response\n\n{MARK}\n"),
        (".hermes/sessions/20261001_080000_ab12.jsonl", line(role="user", content=f"push with {MARK}", timestamp=_ISO)),
        (".hermes/mcp-tokens/github.json", whole({"access_token": MARK, "token_type": "Bearer"})),
        (f".local/share/amp/threads/T-{_SESSION}.json", whole({"v": 7, "id": f"T-{_SESSION}", "messages": [said]}, None)),
        (".local/share/amp/secrets.json", whole({"apiKey@https://ampcode.com/": MARK})),
        (".amp/file-changes/T-1/toolu_1.0001", whole({"uri": "file:///home/ann/app/a.py", "before": f"T = '{MARK}'"}, None)),
        (".pi/agent/sessions/--home-ann-app--/2026-10-01_1.jsonl", line(type="message", id="e1", timestamp=_ISO, message=said)),
        (".pi/agent/auth.json", whole({"github-copilot": {"type": "oauth", "access": MARK}})),
        (".pi/agent/mcp.json", whole({"mcpServers": {"github": {"env": {"GITHUB_TOKEN": MARK}}}})),
        (f".grok/sessions/%2Fhome%2Fann%2Fapp/{_SESSION}/chat_history.jsonl", line(type="user", content=f"push with {MARK}")),
        (".grok/sessions/%2Fhome%2Fann%2Fapp/prompt_history.jsonl", line(timestamp=_ISO, session_id=_SESSION, prompt=MARK, is_bash=False)),
        (f".kiro/sessions/cli/{_SESSION}.jsonl", line(version="v1", kind="Prompt", data={"content": [{"kind": "text", "data": MARK}]})),
        (".kiro/settings/mcp.json", whole({"mcpServers": {"github": {"env": {"GITHUB_TOKEN": MARK}}}})),
        (".local/share/gptme/logs/2026-10-01-calm-river/conversation.jsonl", line(role="user", content=f"push with {MARK}", timestamp=_ISO)),
        (".config/gptme/config.toml", f'[env]\nGITHUB_TOKEN = "{MARK}"\n'),
    )  # fmt: skip


def _notebooks() -> Files:
    def notebook(cell: dict[str, object]) -> str:
        return whole({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, 1)

    source = {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {},
        "outputs": [],
        "source": ["import os\n", f"token = '{MARK}'"],
    }
    output = {"output_type": "stream", "name": "stdout", "text": ["GITHUB_TOKEN=\n", f"{MARK}\n"]}
    return (
        ("work/source.ipynb", notebook(source)),
        ("work/output.ipynb", notebook({**source, "source": ["%env"], "outputs": [output]})),
        ("work/.ipynb_checkpoints/source-checkpoint.ipynb", notebook(source)),
        (".local/share/jupyter/runtime/jpserver-1.json", whole({"pid": 1, "port": 8888, "token": MARK})),
        (".ipython/profile_default/startup/00-token.py", f"import os\nos.environ['GITHUB_TOKEN'] = '{MARK}'\n"),
    )


def _mcp() -> Files:
    def servers(**server: object) -> str:
        return whole({"mcpServers": {"github": server}})

    return (
        (".config/Claude/claude_desktop_config.json", servers(command="docker", env={"GITHUB_PERSONAL_ACCESS_TOKEN": MARK})),
        (
            "app/.mcp.json",
            servers(type="http", url="https://api.githubcopilot.com/mcp/", headers={"Authorization": f"Bearer {MARK}"}),
        ),
        ("app/.cursor/mcp.json", servers(command="server", args=["--api-key", MARK])),
        ("app/.vscode/mcp.json", servers(url=f"https://localhost:8080/mcp?token={MARK}")),
        ("app/.claude/settings.local.json", whole({"permissions": {"allow": [f"Bash(GH_TOKEN={MARK} gh pr list)"]}})),
    )


def _packed_codex_session(home: Home) -> None:
    """A session that Codex has compressed, as it does after a week where that is switched on."""
    path = f".codex/sessions/2026/09/01/rollout-2026-09-01T08-00-00-{_SESSION}.jsonl.zst"
    said = {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": home.canary("agents/codex zstd session", path)}],
    }
    content = "".join(line(timestamp=_ISO, type="turn_context", payload={"cwd": "/home/ann/app", "n": n}) for n in range(40))
    home.write(
        path,
        zstandard.ZstdCompressor(level=3).compress(
            (content + line(timestamp=_ISO, type="response_item", payload=said)).encode()
        ),
    )


def _content_addressed(home: Home) -> None:
    """A shadow repository's working copy, and a blob under its own hash: what must not be edited in place."""
    path = ".gemini/tmp/app/tool-outputs/placeholder"
    content = f"stdout\n{home.canary('agents/content-addressed output', path)}\n".encode()
    name = f".gemini/tmp/app/tool-outputs/{hashlib.sha256(content).hexdigest()}.txt"
    home.canaries[-1] = home.canaries[-1]._replace(path=name)
    home.write(name, content)


def _sealed(home: Home) -> None:
    """Stores that their owners encrypt: bytes in which nobody but them sees anything."""
    for path in (f".codeium/windsurf/cascade/{_SESSION}.pb", f".codeium/windsurf/memories/{_SESSION}.pb",
                 f".gemini/antigravity/conversations/{_SESSION}.pb", f".gemini/antigravity-cli/implicit/{_SESSION}.pb"):  # fmt: skip
        value = home.canary(f"agents/{path}", path, opaque=True).encode()
        pad = hashlib.shake_256(path.encode()).digest(4096)
        home.write(path, bytes(a ^ b for a, b in zip(value.ljust(4096, b"\0"), pad, strict=True)))
