"""What all formats have in common: they parse, hold to their schemas, and nothing from outside gets through raw."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft202012Validator

import keyward.report
from keyward.report import FORMATS, ReportOptions, render

ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)

SCHEMA_DIGEST = "c5bf4db3afead87aa47655948fb6232f383ed65f013682d1068a695ab0e0634d"

Validate = Callable[[str, str], Any]


@pytest.fixture(scope="session")
def parsed(own_schema: Any, vendored: Any) -> Validate:
    """Parses what a format rendered, holds it against its schema, and answers with what was parsed."""
    ours = Draft202012Validator(own_schema)
    sarif = Draft4Validator(vendored("sarif-2.1.0-rtm.5.json"))
    gitlab = Draft202012Validator(vendored("gitlab-secret-detection-15.json"))

    def parse(name: str, text: str) -> Any:
        if name == "junit":
            return ElementTree.fromstring(text.encode("utf-8"))
        if name == "text":
            return text.split("\n")
        if name == "jsonl":
            lines = [json.loads(line) for line in text.splitlines()]
            for line in lines:
                ours.validate(line)
            return lines
        document = json.loads(text)
        {"json": ours, "sarif": sarif, "gitlab": gitlab}[name].validate(document)
        return document

    return parse


def assert_inert(text: str) -> None:
    text.encode("utf-8")
    assert text.endswith("\n")
    odd = {c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert not odd
    assert "::" not in text
    assert "##" not in text


@pytest.mark.parametrize("name", FORMATS)
def test_valid(name: str, make: SimpleNamespace, options: ReportOptions, parsed: Validate) -> None:
    for outcome in (make.mixed(), make.outcome()):
        text = render(name, outcome, options)
        assert_inert(text)
        parsed(name, text)


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_names_are_inert(
    name: str, hostile_name: str, make: SimpleNamespace, options: ReportOptions, parsed: Validate
) -> None:
    hostile = make.names[hostile_name]
    text = render(name, make.hostile(hostile), options._replace(kind_of=lambda _: make.hostile_kind(hostile)))
    assert_inert(text)
    assert name == "text" or "<script" not in text
    assert name == "text" or "]]>" not in text
    parsed(name, text)


@given(text=ANY)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_anywhere_is_inert(text: str, make: SimpleNamespace, options: ReportOptions, parsed: Validate) -> None:
    outcome = make.hostile(text)
    for name in FORMATS:
        rendered = render(name, outcome, options._replace(kind_of=lambda _: make.hostile_kind(text)))
        assert_inert(rendered)
        parsed(name, rendered)


@pytest.mark.parametrize("name", FORMATS)
def test_a_thousand_findings_render_fast(name: str, make: SimpleNamespace, options: ReportOptions, parsed: Validate) -> None:
    outcome = make.outcome(*(make.finding(make.occurrence(f"f{n}.env", 1, fingerprint=f"kw1_{n:016}")) for n in range(1000)))
    began = time.process_time()
    text = render(name, outcome, options)
    assert time.process_time() - began < 2.0
    if name == "text":
        assert len(text.splitlines()) < 140
        assert "and 980 more secrets: 980 critical" in text
    else:
        assert len(text) < 3_000_000
    if name == "jsonl":
        assert len(text.splitlines()) == 1001


def test_an_unknown_format_is_named(make: SimpleNamespace, options: ReportOptions) -> None:
    with pytest.raises(ValueError, match="'yaml'; there are text, jsonl, json, sarif, junit, gitlab"):
        render("yaml", make.mixed(), options)


# --- jsonl and json ------------------------------------------------------------------------------------------------------


def test_jsonl_is_one_line_a_place_and_a_summary(make: SimpleNamespace, options: ReportOptions, parsed: Validate) -> None:
    outcome = make.mixed()
    lines = parsed("jsonl", render("jsonl", outcome, options))
    assert [line["type"] for line in lines] == ["finding"] * 13 + ["summary"]
    assert lines[0]["locator"] == {
        "source": "tree", "path": "notes/setup.md", "start": 1200, "end": 1240, "encoding": "raw", "blob": "", "container": [],
    }  # fmt: skip
    assert lines[0]["facts"] == {"account": "123456789012", "lifetime": "long-lived"}
    summary = lines[-1]
    assert (summary["findings"], summary["places"], summary["complete"]) == (4, 13, False)
    assert [each["allowance"] for each in summary["allowed"]] == [
        {"by": "keyward:allow", "reason": "a sample that was revoked"},
        {"by": ".keyward.baseline", "reason": ""},
    ]
    document = parsed("json", render("json", outcome, options))
    assert document == {"schema": "keyward.report/1", "findings": lines[:-1], "summary": summary}


def test_lines_are_made_one_at_a_time(make: SimpleNamespace, options: ReportOptions) -> None:
    from keyward.report import jsonl

    lines = jsonl.lines(make.mixed(), options)
    assert next(lines).endswith("}\n")
    assert "".join(jsonl.lines(make.mixed(), options)) == render("jsonl", make.mixed(), options)


def test_a_path_of_odd_bytes_can_be_opened_again(make: SimpleNamespace, options: ReportOptions) -> None:
    path = b"caf\xe9/\xff.env"
    first = make.occurrence(path.decode("utf-8", "surrogateescape"), container=("in\udcff", "plain"))
    line = json.loads(render("jsonl", make.outcome(make.finding(first)), options).splitlines()[0])
    assert line["path"] == line["locator"]["path"] == r"caf\xe9/\xff.env"
    assert base64.b64decode(line["locator"]["path_bytes"]) == path
    assert [base64.b64decode(each) for each in line["locator"]["container_bytes"]] == [b"in\xff", b"plain"]


def test_a_path_of_odd_characters_is_exact_in_the_locator(make: SimpleNamespace, options: ReportOptions) -> None:
    path = "a\x1b[2K\r\u202e::x"
    line = json.loads(render("jsonl", make.outcome(make.finding(make.occurrence(path))), options).splitlines()[0])
    assert line["locator"]["path"] == path
    assert "path_bytes" not in line["locator"]
    assert line["path"] == r"a\x1b[2K\x0d\u202e::x"


def test_the_schema_does_not_change_silently(own_schema: Any) -> None:
    """A changed schema is a changed promise: members may be added to version 1 in a release that says so, nothing else.
    Update the digest and docs/report-format.md together."""
    Draft202012Validator.check_schema(own_schema)
    canonical = json.dumps(own_schema, sort_keys=True, separators=(",", ":")).encode()
    assert hashlib.sha256(canonical).hexdigest() == SCHEMA_DIGEST


@pytest.mark.parametrize("member", ["value", "secret", "raw"])
def test_the_schema_refuses_other_members(member: str, own_schema: Any, make: SimpleNamespace, options: ReportOptions) -> None:
    validator = Draft202012Validator(own_schema)
    for line in render("jsonl", make.mixed(), options).splitlines():
        assert not validator.is_valid({**json.loads(line), member: "x"})


def test_every_member_is_documented(own_schema: Any) -> None:
    page = (Path(__file__).parents[2] / "docs/report-format.md").read_text("utf-8")
    names = {name for each in own_schema["$defs"].values() for name in each.get("properties", {})}
    assert {name for name in names if f"`{name}`" not in page} == set()


# --- what may be imported ------------------------------------------------------------------------------------------------


def test_text_imports_nothing_heavy() -> None:
    """The pre-commit hook pays for every import. What the interpreter itself has loaded does not count."""
    program = (
        "import sys; import keyward.model.finding, keyward.model.kind; before = set(sys.modules)\n"
        "import keyward.report, keyward.report.text\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    own = ["keyward.report", "keyward.report.escape", "keyward.report.text", "keyward.report.words"]
    assert done.stdout.split() == own


def test_report_knows_only_the_model() -> None:
    for file in Path(keyward.report.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("keyward"):
                assert node.module == "keyward" or str(node.module).startswith(("keyward.model.", "keyward.report")), file


def test_the_places_of_a_secret_in_the_order_of_time(make: SimpleNamespace, options: ReportOptions, parsed: Validate) -> None:
    for name in ("jsonl", "json"):
        document = parsed(name, render(name, make.traced(), options._replace(timeline=True)))
        records = document["findings"] if name == "json" else document[:-1]
        assert [(each["path"], each["provenance"]["since"]) for each in records] == [
            ("old/.env", "2025-06-15T15:06:40Z"),
            ("state.sqlite", "2025-08-12T12:00:00Z"),
            ("app.log", "2025-10-09T08:53:20Z"),
            ("notes.md", ""),
            ("tests/db.yml", ""),
        ]
        assert records[0]["verdict"] == {
            "state": "live",
            "evidence": {
                "probe": "GET /user",
                "host": "api.github.com",
                "status": "200",
                "time": "2025-10-09T08:55:00Z",
                "public_id": "",
                "digest": "d1",
            },
            "principal": "ann",
            "scopes": ["repo", "workflow"],
        }
        assert records[-1]["verdict"] == {"state": "unknown", "reason": "the provider did not answer", "retry_after": 30.0}
    untouched = parsed("json", render("json", make.traced(), options))["findings"]
    assert [each["path"] for each in untouched][:2] == ["app.log", "state.sqlite"]
