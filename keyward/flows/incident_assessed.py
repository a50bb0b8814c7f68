"""What an assessment found, and how it goes into the case and comes out again."""

from __future__ import annotations

from typing import Any, NamedTuple

from keyward.flows.incident_case import Case
from keyward.model.incident import Drift, Holder, Leak, Where

ASSESSED, RESCANNED = "assess", "rescan"
"""The stems of the files in the case."""


class Assessed(NamedTuple):
    """What was found. `report`: the name of the scan's report in the case. `unasked`: entries whose store could not be read, so that
    nobody can tell whether they leaked. `drift`: None where there is no record to compare with. `at_home`: entries that were found only
    where their own consumers use them: no leak, unless the thief was on this machine."""

    time: float
    report: str
    leaks: tuple[Leak, ...]
    drift: tuple[Drift, ...] | None
    holders: tuple[Holder, ...]
    not_looked_at: tuple[tuple[str, str], ...]
    unasked: tuple[tuple[str, str], ...] = ()
    prepared: float = 0.0
    at_home: tuple[str, ...] = ()


def plain(found: Assessed) -> dict[str, Any]:
    """What is written into the case."""
    record = found._asdict()
    record["leaks"] = [{**leak._asdict(), "places": [where._asdict() for where in leak.places]} for leak in found.leaks]
    record["drift"] = None if found.drift is None else [each._asdict() for each in found.drift]
    record["holders"] = [each._asdict() for each in found.holders]
    return record


def read_assessed(case: Case, name: str) -> Assessed | None:
    """What a run found; None for one that was damaged."""
    data = case.load(name)
    try:
        leaks = tuple(Leak(**{**leak, "places": tuple(Where(**where) for where in leak["places"])}) for leak in data["leaks"])
        changes = None if data["drift"] is None else tuple(Drift(**each) for each in data["drift"])
        pairs = {key: tuple((str(a), str(b)) for a, b in data[key]) for key in ("not_looked_at", "unasked")}
        holders = tuple(Holder(**each) for each in data["holders"])
        at_home = tuple(str(each) for each in data["at_home"])
        return Assessed(
            data["time"], data["report"], leaks, changes, holders, prepared=data["prepared"], at_home=at_home, **pairs
        )
    except (TypeError, KeyError, ValueError):
        return None


def newest(case: Case, stem: str) -> Assessed | None:
    """The newest run of its kind; None if there is none."""
    names = case.numbered(stem)
    return read_assessed(case, names[-1]) if names else None


def first(case: Case) -> Assessed | None:
    """The first look: what was found before anything was cleaned up."""
    names = case.numbered(ASSESSED)
    return read_assessed(case, names[0]) if names else None
