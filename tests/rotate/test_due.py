"""Which credentials are due, and by which rule."""

from __future__ import annotations

import math

import pytest

from keyward.errors import StoreUnavailable
from keyward.model.kind import Kind
from keyward.model.lane import Entry, Lane
from keyward.model.secret import Secret
from keyward.plugin.store import Stored
from keyward.rotate.due import DAY, due, policy
from keyward.rotate.operator import Operator, Provider

NOW = 1_800_000_000.0


def operator(entry: Entry, *, tier: int = 2, **more) -> Operator:
    return Operator(lanes={"x": Lane("x", tier=tier, entries=(entry,))}, **more)


def entry(kind: str = "acme/key", **more) -> Entry:
    return Entry("x", "a", Kind(kind), "main", "lanes/x/a", **more)


def written(age: float | str) -> Stored:
    label = age if isinstance(age, str) else str(int(NOW - age))
    return Stored({"secret": Secret(b"v")}, 1, {"written": label})


def one(op: Operator, stored: Stored | None, made=lambda entry: None):
    (row,) = due(op, lambda entry: stored, NOW, made)
    return row


def test_the_first_rule_that_says_something_holds() -> None:
    everything = {
        "rotate_every": {"x": 40 * DAY},
        "tier_rotate_every": {1: 50 * DAY},
        "providers": {"aws": Provider(rotate_every=60 * DAY)},
    }
    chain = [
        (
            operator(entry("aws/access-key", rotate_every=30 * DAY), tier=1, **everything),
            30,
            "the credential's rotate_every (30d)",
        ),
        (operator(entry("aws/access-key"), tier=1, **everything), 40, "rotate_every of lane x (40d)"),
        (operator(entry("aws/access-key"), tier=1, **{**everything, "rotate_every": {}}), 50, "the default of tier 1 (50d)"),
        (
            operator(entry("aws/access-key"), tier=2, **{**everything, "rotate_every": {}}),
            60,
            "rotate_every of provider aws (60d)",
        ),
        (operator(entry("aws/access-key")), 90, "keyward's default for aws (90d)"),
        (operator(entry()), 180, "keyward's default (180d)"),
    ]
    for op, days, reason in chain:
        rule = policy(op, op.lanes["x"], op.lanes["x"].entries[0])
        assert (rule.every, rule.reason) == (days * DAY, reason)


@pytest.mark.parametrize(
    ("age", "state"), [(29 * DAY, "fine"), (30 * DAY, "overdue"), (300 * DAY, "overdue"), (-5 * DAY, "fine")]
)
def test_due_by_age(age: float, state: str) -> None:
    row = one(operator(entry(rotate_every=30 * DAY)), written(age))
    assert (row.state, row.due) == (state, state == "overdue")
    assert row.last == NOW - age and row.next == row.last + 30 * DAY


def test_what_comes_to_its_end_is_due_before() -> None:
    lasting = operator(entry(rotate_every=math.inf, expiry=10 * DAY))
    assert not one(lasting, written(8 * DAY)).due
    row = one(lasting, written(9.1 * DAY))
    assert row.due and "life of 10d" in row.reason
    assert not one(operator(entry(rotate_every=2 * DAY, expiry=10 * DAY)), written(1 * DAY)).due


def test_never_is_never() -> None:
    row = one(operator(entry(rotate_every=math.inf)), written(9999 * DAY))
    assert not row.due and row.next == math.inf
    assert not one(operator(entry(rotate_every=math.inf)), Stored({}, 1)).due


@pytest.mark.parametrize("label", ["", "soon", "nan", "inf", "-5"])
def test_where_nobody_knows_the_age_it_is_due_unless_the_provider_does(label: str) -> None:
    op = operator(entry(rotate_every=30 * DAY))
    row = one(op, written(label))
    assert (row.state, row.due, row.last) == ("unknown", True, None)
    assert not one(op, written(label), lambda entry: NOW - DAY).due
    assert one(op, written(label), lambda entry: NOW - 31 * DAY).state == "overdue"


def test_what_is_not_stored_and_what_cannot_be_read() -> None:
    assert one(operator(entry()), None).state == "not stored" and one(operator(entry()), None).due

    def sealed(entry: Entry) -> Stored:
        raise StoreUnavailable("sealed")

    (row,) = due(operator(entry()), sealed, NOW)
    assert (row.state, row.due) == ("unreadable", False) and "sealed" in row.reason
