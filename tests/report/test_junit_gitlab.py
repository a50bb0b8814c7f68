"""JUnit XML and GitLab's report."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

from inline_snapshot import snapshot

from keyward import __version__
from keyward.model.finding import NotScanned
from keyward.report import ReportOptions, render


def suite_of(outcome: Any, options: ReportOptions) -> ElementTree.Element:
    return ElementTree.fromstring(render("junit", outcome, options).encode("utf-8"))[0]


def kinds(suite: ElementTree.Element) -> list[str]:
    return [case[0].tag if len(case) else "passed" for case in suite]


def test_junit_cases(make: SimpleNamespace, options: ReportOptions) -> None:
    suite = suite_of(make.mixed(), options)
    assert kinds(suite) == ["failure"] * 13 + ["error"] + ["skipped"] * 3
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "17",
        "failures": "13",
        "errors": "1",
        "skipped": "3",
    }
    assert ElementTree.tostring(suite[1], encoding="unicode") == snapshot("""\
<testcase classname="keyward.aws/access-key" name="AWS access key at deploy/prod.env:2:7" file="deploy/prod.env" line="2" time="0">
      <failure message="critical: AWS access key …Zk (40)" type="aws/access-key-id">AWS access key …Zk (40), live configuration
90 % sure: it has the form of aws/access-key-id; secret found nearby
id AKIA-EXAMPLE
account: 123456789012
lifetime: long-lived
1. Create a second access key for the same IAM user.
2. Update what uses the old one.
3. Set the old key to Inactive, watch, then delete it.
https://console.aws.amazon.com/iam/home#/security_credentials
fingerprint kw1_bbbbbbbbbbbbbbbb</failure>
    </testcase>
    \
""")


def test_junit_of_a_clean_scan_has_one_test_that_passed(make: SimpleNamespace, options: ReportOptions) -> None:
    suite = suite_of(make.outcome(), options)
    assert kinds(suite) == ["passed"]
    assert suite[0].get("name") == "nothing found in 120 files"


def test_junit_opaque_stores_fail_only_with_strict(make: SimpleNamespace, options: ReportOptions) -> None:
    outcome = make.outcome(not_scanned=(NotScanned("x.kdbx", "encrypted", opaque=True),))
    assert kinds(suite_of(outcome, options)) == ["skipped"]
    assert kinds(suite_of(outcome, options._replace(strict=True))) == ["error"]


def test_gitlab(make: SimpleNamespace, options: ReportOptions) -> None:
    document = json.loads(render("gitlab", make.mixed(), options._replace(commit="4b825dc642cb")))
    tool = {"id": "keyward", "name": "keyward", "version": __version__, "vendor": {"name": "keyward"}}
    assert document["scan"].pop("analyzer") == document["scan"].pop("scanner") == tool
    assert document["scan"] == snapshot(
        {
            "type": "secret_detection",
            "start_time": "2025-12-31T23:59:59",
            "end_time": "2026-01-01T00:00:00",
            "status": "failure",
            "messages": [
                {"level": "warn", "value": "not scanned: dump/huge.sql: larger than 2 GB"},
                {"level": "info", "value": "opaque, encrypted by its owner: home/.mozilla/logins.json: encrypted by Firefox"},
                {"level": "info", "value": "2 places allowed, not listed here"},
                {"level": "info", "value": "2 paths excluded by configuration"},
            ],
        }
    )
    assert len(document["vulnerabilities"]) == 13
    assert document["vulnerabilities"][0] == snapshot(
        {
            "id": "17b417a2-54f6-52ee-84fe-9b130a992168",
            "name": "AWS access key",
            "description": "AWS access key `…Zk (40)`, an echo. 90 % sure: it has the form of aws/access\\-key\\-id; secret found nearby.",
            "severity": "Critical",
            "solution": """\
1. Create a second access key for the same IAM user.
2. Update what uses the old one.
3. Set the old key to Inactive, watch, then delete it.
https://console.aws.amazon.com/iam/home#/security_credentials\
""",
            "identifiers": [
                {"type": "keyward_rule_id", "name": "keyward rule aws/access-key-id", "value": "aws/access-key-id"},
                {"type": "cwe", "name": "CWE-798", "value": "798", "url": "https://cwe.mitre.org/data/definitions/798.html"},
            ],
            "location": {"file": "notes/setup.md", "commit": {"sha": "4b825dc642cb"}, "start_line": 12, "end_line": 12},
            "details": {
                "fingerprint": {"name": "Fingerprint", "type": "text", "value": "kw1_bbbbbbbbbbbbbbbb"},
                "role": {"name": "Role", "type": "text", "value": "an echo"},
                "public_id": {"name": "Id", "type": "text", "value": "AKIA-EXAMPLE"},
                "fact_1": {"name": "account", "type": "text", "value": "123456789012"},
                "fact_2": {"name": "lifetime", "type": "text", "value": "long-lived"},
            },
            "links": [{"url": "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"}],
        }
    )
    assert len({each["id"] for each in document["vulnerabilities"]}) == 13
    assert "raw_source_code_extract" not in json.dumps(document)


def test_gitlab_requires_a_commit(make: SimpleNamespace, options: ReportOptions) -> None:
    document = json.loads(render("gitlab", make.mixed(), options))
    assert document["vulnerabilities"][0]["location"]["commit"] == {"sha": "0000000"}


def test_gitlab_titles_that_are_too_long_are_cut(make: SimpleNamespace, options: ReportOptions, vendored: Any) -> None:
    long = options._replace(kind_of=lambda _: make.hostile_kind("x" * 9000))
    vulnerability = json.loads(render("gitlab", make.mixed(), long))["vulnerabilities"][0]
    assert len(vulnerability["name"]) == 255
    assert len(vulnerability["solution"]) == 7000
