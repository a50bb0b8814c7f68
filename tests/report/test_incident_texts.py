"""The report of an incident as Markdown and as JSON: complete, valid, and inert whatever things are called."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt

sys.path.insert(0, os.path.dirname(__file__))
from incident_cases import HOSTILE, MADE, full, hostile, large, over, title_of

import keyward.report
from keyward.model.incident import Incident
from keyward.report.incident import INCIDENT_FORMATS, SUFFIXES, IncidentOptions, render_incident

OPTIONS = IncidentOptions(MADE, title_of, "1.2.3")
ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)

SCHEMA_PATH = Path(keyward.report.__file__).parent / "schema" / "keyward-incident-1.json"
SCHEMA_DIGEST = "89c1ce2903889b43efc3f4e424e6ad12e009991bbc48553a3c9fa5693380e327"
"""The schema of version 1 is a promise: whoever changes it changes this on purpose, and says so in the changelog."""

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    parsed = json.loads(SCHEMA_PATH.read_bytes())
    Draft202012Validator.check_schema(parsed)
    return Draft202012Validator(parsed)


def as_json(incident: Incident) -> Any:
    return json.loads(render_incident("json", incident, OPTIONS))


def inline(text: str) -> list[Any]:
    """Every inline token that a reader of Markdown sees, and the block tokens."""
    blocks = MARKDOWN.parse(text)
    return [*blocks, *(child for block in blocks for child in block.children or ())]


def assert_inert(text: str) -> None:
    text.encode("utf-8")
    assert text.endswith("\n")
    assert not {c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}


# --- JSON -----------------------------------------------------------------------------------------------------------------------


def test_the_schema_is_the_one_that_was_promised() -> None:
    assert hashlib.sha256(SCHEMA_PATH.read_bytes()).hexdigest() == SCHEMA_DIGEST


@pytest.mark.parametrize(
    "incident", [full(), over(), Incident("nothing yet"), large(20)], ids=["full", "over", "empty", "large"]
)
def test_json_is_as_its_schema_says(incident: Incident, schema: Draft202012Validator) -> None:
    text = render_incident("json", incident, OPTIONS)
    assert text.isascii()
    schema.validate(json.loads(text))


def test_json_leaves_nothing_out() -> None:
    written = as_json(full())
    assert written["times"]["opened"] == "2026-11-22T03:04:10Z"
    assert written["times"]["rotated"] == ""
    assert written["durations"] == {"exposed": None, "contain": 480.0, "rotate": None, "recover": None}
    assert written["status"] == {"tone": "warn", "words": "Contained, credentials not all replaced"}
    counts = {
        name: len(written[name])
        for name in ("leaks", "lanes", "phases", "actions", "events", "notes", "drift", "holders", "todo", "evidence")
    }
    assert counts == {"leaks": 5, "lanes": 4, "phases": 5, "actions": 14, "events": 3, "notes": 1, "drift": 2, "holders": 1, "todo": 2, "evidence": 2}  # fmt: skip
    assert written["leaks"][0]["standing"] == {"tone": "bad", "words": "still live"}
    assert written["chain"] == {"intact": True, "problems": []}
    assert len(as_json(large(300))["leaks"]) == 300


def test_json_keeps_a_path_exactly() -> None:
    written = as_json(hostile(HOSTILE["not_utf8"]))["leaks"][0]["places"][0]
    assert base64.b64decode(written["path_bytes"]) == b"caf\xe9/\xff.env"
    assert as_json(hostile(HOSTILE["bidi"]))["leaks"][0]["places"][0]["path"] == HOSTILE["bidi"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_inert(name: str, schema: Draft202012Validator) -> None:
    incident = hostile(HOSTILE[name])
    for form in INCIDENT_FORMATS:
        assert_inert(render_incident(form, incident, OPTIONS))
    schema.validate(as_json(incident))


# --- Markdown -------------------------------------------------------------------------------------------------------------------


def test_markdown_tells_the_whole_story() -> None:
    text = render_incident("markdown", full(), OPTIONS)
    assert text.startswith("# Incident report: agent\\-7 memory export\n")
    for piece in (
        "- Time to contain: 8 min",
        "<https://t.me/BotFather>",
        "`keyward provide bot/telegram`",
        "still live",
        "a usual way to stay",
    ):
        assert piece in text
    tables = [token for token in inline(text) if token.type == "table_open"]
    assert len(tables) == 9


def test_markdown_of_an_incident_that_is_over() -> None:
    text = render_incident("markdown", over(), OPTIONS)
    assert "Nothing is left for people to do" in text
    assert "## What people must still do\n\nNothing.\n" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_becomes_markup(name: str) -> None:
    plain, odd = (inline(render_incident("markdown", hostile(text), OPTIONS)) for text in ("plain", HOSTILE[name]))
    shape = [token.type for token in plain if token.nesting != 0 or token.type == "inline"]
    assert [token.type for token in odd if token.nesting != 0 or token.type == "inline"] == shape
    assert not [token for token in odd if token.type in ("html_inline", "html_block", "image", "link_open")]


@settings(deadline=None, max_examples=40)
@given(text=ANY)
def test_whatever_a_name_is(text: str) -> None:
    incident = hostile(text)
    for form in INCIDENT_FORMATS:
        assert_inert(render_incident(form, incident, OPTIONS))
    tokens = inline(render_incident("markdown", incident, OPTIONS))
    assert not [token for token in tokens if token.type in ("html_inline", "html_block", "image", "link_open")]


def test_formats_have_names_and_suffixes() -> None:
    assert set(INCIDENT_FORMATS) == set(SUFFIXES) == {"html", "markdown", "json"}
    with pytest.raises(ValueError, match="there are html, markdown, json"):
        render_incident("pdf", over(), OPTIONS)
