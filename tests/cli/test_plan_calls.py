"""`keyward plan` says what each step will call."""

from __future__ import annotations

from keyward.cli.rotation_view import show_plan
from keyward.flows.rotate import Plan, Planned
from keyward.model.rotation import PLANNED


def plan(*calls: tuple[str, str], refusal: str = "") -> str:
    one = Planned("prod/key", "aws/access-key", "aws", ("ISSUE", "REVOKE"), (), refusal=refusal, calls=calls)
    return show_plan(Plan(PLANNED, (one,), (), (), "0" * 24))


def test_a_line_for_each_step_that_calls_somebody() -> None:
    lines = plan(
        ("ISSUE", "iam:ListAccessKeys"), ("ISSUE", "iam:CreateAccessKey"), ("REVOKE", "iam:DeleteAccessKey")
    ).splitlines()
    at = lines.index("     ISSUE ▸ REVOKE")
    assert lines[at + 1 : at + 3] == [
        "       ISSUE: iam:ListAccessKeys, iam:CreateAccessKey",
        "       REVOKE: iam:DeleteAccessKey",
    ]


def test_what_will_not_be_touched_calls_nobody() -> None:
    assert "iam:" not in plan(("ISSUE", "iam:CreateAccessKey"), refusal="not now")


def test_a_name_cannot_write_to_the_terminal() -> None:
    assert "\x1b" not in plan(("ISSUE", "POST /\x1b[2J"))
