"""Reads every store of a drill as its own program would, and compares it with how it was planted: nothing but the values may differ."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Mapping

import zstandard

from keyward.testing.drill import leaks
from keyward.testing.drill.machine import Machine

Shape = object
"""What of a store does not depend on the values in it. Compared as a whole."""


class Broken(Exception):
    """A store that its own reader does not accept. The text says why, and holds no value."""


def shapes(machine: Machine) -> Mapping[str, Shape]:
    """The shape of every store that is there, by path. Raises Broken."""
    readers: Mapping[str, Callable[[str], Shape]] = {
        leaks.DATABASE: _database,
        leaks.TRANSCRIPT: _transcript,
        leaks.HISTORY: _history,
        leaks.EXPORT: _markdown,
        leaks.PACKED_LOG: _packed,
        leaks.CI_LOG: _lines,
        f"{leaks.REPOSITORY}/.git": _repository,
    }
    paths = {name: os.path.join(machine.home, name) for name in readers}
    return {name: readers[name](path) for name, path in paths.items() if os.path.exists(path)}


def problems(before: Mapping[str, Shape], machine: Machine) -> list[str]:
    """What is not as it was, by store."""
    try:
        after = shapes(machine)
    except Broken as error:
        return [str(error)]
    return [f"~/{name} is not as it was planted" for name, shape in before.items() if after.get(name) != shape]


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except UnicodeDecodeError:
        raise Broken(f"{path} is not UTF-8 any more") from None


def _transcript(path: str) -> Shape:
    """Of each line the members but the texts; the last line was cut off, and must still be so."""
    lines = _text(path).split("\n")
    rows = []
    for number, line in enumerate(lines[:-1], 1):
        try:
            row = json.loads(line)
        except ValueError:
            raise Broken(f"line {number} of {path} is no JSON") from None
        (piece,) = row["message"]["content"]
        rows.append((*row, row["uuid"], row["timestamp"], piece["type"], piece["text"].count("\u2028")))
    return rows, lines[-1]


def _history(path: str) -> Shape:
    lines = _text(path).split("\n")
    if any(not re.fullmatch(r"#\d+", line) for line in lines[:-1:2]):
        raise Broken(f"{path} has lost the time of a command")
    return lines[::2], [line.split("=")[0] for line in lines[1::2]]


def _markdown(path: str) -> Shape:
    return [line.split("=")[0] for line in _text(path).split("\n")]


def _lines(path: str) -> Shape:
    return [line.split("=")[0] for line in _text(path).split("\n")]


def _packed(path: str) -> Shape:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return [line.split("=")[0] for line in file]
    except (OSError, EOFError, UnicodeDecodeError):
        raise Broken(f"{path} cannot be unpacked") from None


def _repository(path: str) -> Shape:
    """That it is whole; its commits are the operator's to rewrite, their number and subjects stay."""
    for words in (("fsck", "--full", "--strict"), ("log", "--all", "--format=%s")):
        done = subprocess.run(["git", "--git-dir", path, *words], capture_output=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Broken(f"git {words[0]} refuses {path}")
    return done.stdout


_INDEXES = ("session_transcript_fts", "memory_index_chunks_fts")


def _database(path: str) -> Shape:
    """Rows by table, packed events unpacked and read, indexes held against what they index. Done on a copy: looking must not change it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "copy.sqlite")
        for ending in ("", "-wal"):
            if os.path.exists(path + ending):
                shutil.copyfile(path + ending, copy + ending)
        connection = sqlite3.connect(copy)
        try:
            return _rows(connection, path)
        except sqlite3.Error as error:
            raise Broken(f"{path}: {error}") from None
        finally:
            connection.close()


def _rows(connection: sqlite3.Connection, path: str) -> Shape:
    if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
        raise Broken(f"{path} does not pass its integrity check")
    for index in _INDEXES:
        connection.execute(f"INSERT INTO {index}({index}, rank) VALUES ('integrity-check', 1)")
    found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
    names = [name for (name,) in found if not any(name.startswith(f"{index}_") for index in _INDEXES)]
    events = connection.execute(
        "SELECT session_id, seq, event_json, event_zstd, event_utf8_bytes FROM transcript_events ORDER BY 1, 2"
    )
    read = [(session, number, _event(path, text, packed, size)) for session, number, text, packed, size in events]
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return [(name, *connection.execute(f"SELECT count(*) FROM {name}").fetchone()) for name in names], read, version


def _event(path: str, text: str | None, packed: bytes | None, size: int | None) -> Shape:
    """The members of an event, and whether it is packed."""
    try:
        raw = text.encode() if text is not None else zstandard.ZstdDecompressor().decompress(packed or b"")
        event = json.loads(raw)
    except (ValueError, zstandard.ZstdError):
        raise Broken(f"{path}: an event cannot be read") from None
    if packed is not None and size != len(raw):
        raise Broken(f"{path}: an event's length is not the one that stands beside it")
    return tuple(event), event["id"], packed is None
