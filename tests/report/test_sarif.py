"""SARIF as code scanning services read it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from inline_snapshot import snapshot

from keyward.model.finding import NotScanned
from keyward.report import ReportOptions, render


def run_of(outcome: Any, options: ReportOptions) -> Any:
    return json.loads(render("sarif", outcome, options))["runs"][0]


def test_rules_are_unique_and_say_what_to_do(make: SimpleNamespace, options: ReportOptions) -> None:
    rules = run_of(make.mixed(), options)["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["aws/access-key-id", "github/pat-classic", "generic/password"]
    assert rules[0]["properties"]["security-severity"] == "9.5"
    assert rules[0]["helpUri"] == "https://console.aws.amazon.com/iam/home#/security_credentials"
    assert "1. Create a second access key" in rules[0]["help"]["text"]
    assert rules[0]["help"]["markdown"] == snapshot("""\
**AWS access key**

A credential that was committed or shared is known to others: removing the line does not make it secret again.

1. Create a second access key for the same IAM user\\.
2. Update what uses the old one\\.
3. Set the old key to Inactive, watch, then delete it\\.

- <https://console.aws.amazon.com/iam/home#/security_credentials>
- <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html>\
""")
    assert "helpUri" not in rules[2]


def test_one_result_a_place(make: SimpleNamespace, options: ReportOptions) -> None:
    results = run_of(make.mixed(), options)["results"]
    assert len(results) == 13 + 2
    assert results[0] == snapshot(
        {
            "ruleId": "aws/access-key-id",
            "ruleIndex": 0,
            "level": "error",
            "message": {
                "text": "AWS access key …Zk (40), an echo. 90 % sure: it has the form of aws/access-key-id; secret found nearby."
            },
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "notes/setup.md", "uriBaseId": "%SRCROOT%"},
                        "region": {"startLine": 12, "startColumn": 7},
                    }
                }
            ],
            "partialFingerprints": {
                "keyward/v1": "kw1_bbbbbbbbbbbbbbbb",
                "keywardPlace/v1": "17b417a254f6a2ee84fe9b130a992168",
            },
            "rank": 90.0,
            "properties": {
                "keyward/kind": "aws/access-key",
                "keyward/role": "echo",
                "keyward/masked": "…Zk (40)",
                "keyward/source": "tree",
                "security-severity": "9.5",
                "keyward/publicId": "AKIA-EXAMPLE",
                "keyward/facts": {"account": "123456789012", "lifetime": "long-lived"},
            },
        }
    )
    assert len({result["partialFingerprints"]["keywardPlace/v1"] for result in results}) == len(results)
    assert len({result["partialFingerprints"]["keyward/v1"] for result in results}) == 5
    assert all("snippet" not in json.dumps(result) for result in results)
    assert all("baselineState" not in result for result in results)


def test_a_line_that_moved_is_the_same_place(make: SimpleNamespace, options: ReportOptions) -> None:
    before = run_of(make.outcome(make.finding(make.occurrence(line=3), make.occurrence(line=9))), options)["results"]
    after = run_of(make.outcome(make.finding(make.occurrence(line=13), make.occurrence(line=19))), options)["results"]
    assert [r["partialFingerprints"] for r in before] == [r["partialFingerprints"] for r in after]


def test_allowed_results_are_suppressed(make: SimpleNamespace, options: ReportOptions) -> None:
    results = run_of(make.mixed(), options)["results"]
    assert [result.get("suppressions") for result in results[-3:]] == [
        None,
        [
            {
                "kind": "inSource",
                "status": "accepted",
                "justification": "keyward:allow: a sample that was revoked",
            }
        ],
        [{"kind": "external", "status": "accepted", "justification": ".keyward.baseline"}],
    ]


def test_what_was_not_scanned_makes_the_run_unsuccessful(make: SimpleNamespace, options: ReportOptions) -> None:
    invocation = run_of(make.mixed(), options)["invocations"][0]
    assert invocation == snapshot(
        {
            "executionSuccessful": False,
            "startTimeUtc": "2025-12-31T23:59:59Z",
            "endTimeUtc": "2026-01-01T00:00:00Z",
            "toolExecutionNotifications": [
                {
                    "descriptor": {"id": "keyward/not-scanned", "index": 0},
                    "level": "error",
                    "message": {"text": "Not scanned: larger than 2 GB"},
                    "locations": [
                        {"physicalLocation": {"artifactLocation": {"uri": "dump/huge.sql", "uriBaseId": "%SRCROOT%"}}}
                    ],
                },
                {
                    "descriptor": {"id": "keyward/not-scanned", "index": 0},
                    "level": "note",
                    "message": {"text": "Opaque, encrypted or packed: encrypted by Firefox"},
                    "locations": [
                        {
                            "physicalLocation": {
                                "artifactLocation": {"uri": "home/.mozilla/logins.json", "uriBaseId": "%SRCROOT%"}
                            }
                        }
                    ],
                },
            ],
            "properties": {"keyward/files": 120, "keyward/bytes": 3400000},
        }
    )
    opaque = make.outcome(not_scanned=(NotScanned("x.kdbx", "encrypted", opaque=True),))
    assert run_of(opaque, options)["invocations"][0]["executionSuccessful"] is True


def test_lines_of_an_archive_member_are_not_those_of_the_archive(make: SimpleNamespace, options: ReportOptions) -> None:
    result = run_of(make.outcome(make.finding(make.occurrence("a.zip", container=("b.env",)))), options)["results"][0]
    assert "region" not in result["locations"][0]["physicalLocation"]
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "a.zip!b.env"


def test_paths_are_uris(make: SimpleNamespace, options: ReportOptions) -> None:
    places = [make.occurrence(path) for path in ("a b/ü.py", "caf\udce9", "/etc/x", "::x")]
    results = run_of(make.outcome(make.finding(*places)), options)["results"]
    assert [r["locations"][0]["physicalLocation"]["artifactLocation"] for r in results] == [
        {"uri": "a%20b/%C3%BC.py", "uriBaseId": "%SRCROOT%"},
        {"uri": "caf%E9", "uriBaseId": "%SRCROOT%"},
        {"uri": "file:///etc/x"},
        {"uri": "%3A%3Ax", "uriBaseId": "%SRCROOT%"},
    ]
    assert results[1]["properties"]["keyward/pathBytes"] == "Y2Fm6Q=="


def test_links_and_placeholders_in_messages_are_dead(make: SimpleNamespace, options: ReportOptions) -> None:
    text = run_of(make.hostile("{0} [a](https://x)"), options)["results"][0]["message"]["text"]
    assert "](" not in text
    assert "{" not in text
