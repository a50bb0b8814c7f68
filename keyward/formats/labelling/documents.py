"""JSON documents: the path of a value, and for those that people know (chats, exports, recordings of a browser, notebooks) what they
call the place."""

from __future__ import annotations

import json
from collections.abc import Sequence

from keyward.formats.labelling.json_path import Node, Way, member, ways, words
from keyward.formats.labelling.moments import moment
from keyward.formats.labels import UNKNOWN, Label, Text
from keyward.formats.place import format_path

ROLES = ("user", "assistant", "human", "gemini", "model", "system", "developer", "tool", "toolResult", "bot", "ai", "info")
_TIMES = (
    "timestamp", "create_time", "created_at", "createdAt", "startedDateTime", "ts", "time", "@timestamp", "date", "updated_at",
    "update_time", "lastUpdated", "__REALTIME_TIMESTAMP", "creationTime",
)  # fmt: skip


def json_labels(text: Text, offsets: Sequence[int]) -> list[Label]:
    """Labels in one JSON document; JSON with comments falls back to its own parser."""
    found = ways(text.data, offsets)
    if not all(found) and len(text.data) <= 4 << 20:
        return _json5(text.data, offsets) or [labelled(way) for way in found]
    return [labelled(way) for way in found]


def labelled(way: Way) -> Label:
    """The label of a way through a document."""
    if not way:
        return UNKNOWN
    where = _known(way) or path_of(way)
    return Label(where, since_of(way))


def path_of(way: Way) -> str:
    """The keys, as `keyward` writes a path."""
    return format_path(tuple(str(node.key) for node in way))


def since_of(way: Way) -> float:
    """The time that the nearest object around the value gives."""
    for node in reversed(way):
        if isinstance(node.value, dict):
            for name in _TIMES:
                if name in node.value and (found := moment(node.value[name])):
                    return found
    return 0.0


def _known(way: Way) -> str:
    keys = tuple(node.key for node in way)
    return _browser(way, keys) or _notebook(keys) or _export(way, keys) or _message(way)


def role_of(value: object) -> str:
    """Who wrote a message, empty if it is none."""
    if not isinstance(value, dict):
        return ""
    for keys in (("role",), ("author", "role"), ("message", "role"), ("payload", "role"), ("sender",), ("type",), ("say",)):
        role = words(value, *keys)
        if role in ROLES:
            return role
    return ""


def act_of(way: Way) -> str:
    """`tool call Bash`, `tool result`, `thinking`, `attachment notes.txt`: what kind of part of a message it is; empty for its text."""
    for node in reversed(way):
        kind = words(node.value, "type")
        name = words(node.value, "name") or words(node.value, "toolName")
        if kind in ("tool_use", "toolCall", "tool_call", "function_call", "custom_tool_call", "mcp_tool_call"):
            return f"tool call {name}".rstrip()
        if (
            kind in ("tool_result", "toolResult", "function_call_output", "custom_tool_call_output")
            or node.key == "toolUseResult"
        ):
            return f"tool result {name}".rstrip()
        if words(node.value, "role") in ("toolResult", "tool") or words(node.value, "message", "role") in (
            "toolResult",
            "tool",
        ):
            return f"tool result {name or words(node.value, 'message', 'toolName')}".rstrip()
        if kind in ("thinking", "reasoning") or node.key in ("thoughts", "reasoning_content"):
            return "thinking"
        if node.key == "toolCalls" or node.key == "tool_calls":
            return "tool call"
        if node.key == "attachments":
            return "attachment"
    return ""


def _message(way: Way) -> str:
    """A message in a list of messages of whatever shape: `message 12 (user)`."""
    for depth in range(len(way) - 1, -1, -1):
        node = way[depth]
        role = role_of(node.value)
        if role and isinstance(node.key, int):
            act = act_of(way[depth:])
            before = path_of(way[:depth])
            named = "" if before in ("", "messages", "history", "chat_messages") else f"{before}, "
            return f"{named}message {node.key + 1} ({role})" + (f", {act}" if act else "")
    return ""


def _export(way: Way, keys: tuple[str | int, ...]) -> str:
    """The data exports of ChatGPT (`mapping`) and Claude (`chat_messages`, projects with `docs`)."""
    top = way[0].value
    if len(way) < 3:
        return ""
    if keys[1] == "mapping":
        title, node = words(top, "title"), way[2].value
        place = list(member(top, "mapping") or ()).index(keys[2]) + 1  # type: ignore[call-overload]
        role = words(node, "message", "author", "role")
        return f'"{title}", message {place}' + (f" ({role})" if role else "")
    if keys[1] == "chat_messages" and isinstance(keys[2], int):
        message = way[2].value
        act = f", attachment {_name(way)}".rstrip() if "attachments" in keys or "files" in keys else ""
        return f'"{words(top, "name")}", message {keys[2] + 1} ({words(message, "sender") or "?"}){act}'
    if keys[1] == "docs":
        return f'project "{words(top, "name")}", document {words(way[2].value, "filename")}'
    return ""


def _name(way: Way) -> str:
    return next((name for node in reversed(way) if (name := words(node.value, "file_name"))), "")


def _browser(way: Way, keys: tuple[str | int, ...]) -> str:
    """Playwright's storage state, a list of cookies, and HAR recordings."""
    holder = way[-2].value if len(way) > 1 else None
    if keys[-1] == "value" and words(holder, "domain") and words(holder, "name"):
        return f"cookie {words(holder, 'name')} of {words(holder, 'domain')}"
    if keys[0] == "origins" and len(way) > 3:
        return f"{words(way[1].value, 'origin')} {keys[2]} {words(way[3].value, 'name')}".rstrip()
    if keys[:2] == ("log", "entries") and len(way) > 4 and isinstance(keys[2], int):
        side = f"entry {keys[2] + 1} {keys[3]}"
        kinds = {"headers": "header", "cookies": "cookie", "queryString": "query", "postData": "body", "content": "body"}
        what = kinds.get(str(keys[4]), str(keys[4]))
        name = words(way[5].value, "name") if len(way) > 5 else ""
        return f"{side} {what} {name}".rstrip()
    return ""


def _notebook(keys: tuple[str | int, ...]) -> str:
    """Jupyter: cells are counted from 1, as nobody sees their number anyway."""
    if keys[0] != "cells" or len(keys) < 3 or not isinstance(keys[1], int):
        return ""
    part = {"outputs": ", output", "metadata": ", metadata", "attachments": ", attachment"}.get(str(keys[2]), "")
    return f"cell {keys[1] + 1}{part}"


def _json5(data: bytes, offsets: Sequence[int]) -> list[Label]:
    """By the places of the leaves; empty where it cannot be read."""
    from keyward.formats.json5 import Json
    from keyward.formats.labelling.settings import by_leaves

    return by_leaves(Json(five=True), data, offsets)


def line_labels(text: Text, offsets: Sequence[int]) -> list[Label]:
    """Lines of JSON each: transcripts of agents, histories, structured logs."""
    labels: list[Label] = []
    data, lines, counted = text.data, text.lines, 0
    at = 0
    while at < len(offsets):
        start = data.rfind(b"\n", 0, offsets[at]) + 1
        end = data.find(b"\n", offsets[at])
        end = len(data) if end < 0 else end
        lines += data.count(b"\n", counted, start)
        counted = start
        last = at
        while last < len(offsets) and offsets[last] < max(end, offsets[at] + 1):
            last += 1
        found = _in_line(data[start:end], [offset - start for offset in offsets[at:last]], lines + 1)
        labels += found
        at = last
    return labels


def _in_line(line: bytes, offsets: Sequence[int], number: int) -> list[Label]:
    try:
        whole = json.loads(line.decode("latin-1"), strict=False)
    except (ValueError, RecursionError):
        return [Label(f"line {number}")] * len(offsets)
    labels = []
    for way in ways(line, offsets):
        root = (Node("", whole), *way)
        labels.append(Label(f"line {number}{_turn(root)}", since_of(root)))
    return labels


def _turn(root: Way) -> str:
    """`, message (user)`, `, tool call Bash (assistant)`, or the path where it is no message."""
    roles = [role for node in root if (role := role_of(node.value))]
    act = act_of(root)
    role = roles[-1] if roles else ""
    if act:
        return f", {act}" + (f" ({role})" if role in ("user", "assistant", "model", "gemini") and "result" not in act else "")
    if role:
        return f", message ({role})"
    return f", {path_of(root[1:])}" if len(root) > 1 else ""
