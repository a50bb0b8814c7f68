"""The middle of a drill: what the operator types from the first report to the last. By hand, command by command, or as an incident."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from keyward.testing.drill import history, leaks
from keyward.testing.drill.accounts import Account
from keyward.testing.drill.machine import CLEAN, STOLEN, Machine
from keyward.testing.drill.scenarios import Scenario
from keyward.testing.drill.stage import DrillFailed, Stage, after, last

FOUND, INCOMPLETE, HALTED, NEEDS_PERSON, LIVE = 1, 3, 4, 5, 10
"""Exit codes of the commands."""

REPORT = "report.jsonl"
"""The first scan's report, in the operator's folder."""


class Setting(NamedTuple):
    """`leaked`: the accounts of which something is to be replaced."""

    stage: Stage
    machine: Machine
    scenario: Scenario
    leaked: Sequence[Account]

    @property
    def with_history(self) -> bool:
        return leaks.plant_repository in self.scenario.planters

    def provide(self) -> None:
        """What a person does in a vendor's console, where no interface makes a new one."""
        for each in self.leaked:
            if each.by_hand is not None:
                self.stage.say(f"  (the person makes {each.ref} in the vendor's console, and types it in)")
                value = each.by_hand()["secret"]
                self.stage.type("provide", each.ref, "-", stdin=value, expect=(0, NEEDS_PERSON), show=after("Done:"))

    def triage(self) -> int:
        """How many of what was found live."""
        ran = self.stage.type("verify", REPORT, "--verify-databases", expect=(LIVE,), show=_verdicts)
        return sum(line.startswith("LIVE") for line in ran.out.splitlines())


class ByHand:
    """`rotate`, `scrub`."""

    def __init__(self, setting: Setting) -> None:
        self.setting, self.stage = setting, setting.stage

    def triage(self) -> str:
        return f"{self.setting.triage()} live"

    def rotate(self) -> None:
        scenario, machine = self.setting.scenario, self.setting.machine
        lift = scenario.outage(machine.services) if scenario.outage else None
        codes = (HALTED,) if lift else (0, NEEDS_PERSON)
        self.stage.type("rotate", *scenario.rotate, "--yes", expect=codes, show=after("Done:"))
        if lift:
            lift()
            self.stage.say("  (the provider is back)")
            self.stage.type("resume", expect=(0, NEEDS_PERSON), show=after("Done:"))
        self.setting.provide()

    def scrub(self) -> str:
        self.stage.type("scrub", "--leaked", REPORT, "--yes", show=after("SECRET"))
        if self.setting.with_history:
            history.rewrite(self.stage, self.setting.machine)
        return "nothing remains"

    def report(self) -> str:
        """What was done, from the audit log, and that nobody changed it."""
        self.stage.type("status", "--all", show=lambda out, err: out.splitlines())
        self.stage.type("audit", "verify", show=last(2))
        return "the audit log is whole"


class Incident:
    """`keyward incident`: open, contain, assess, eradicate, recover, close. Recorded and copied is the drill's home alone."""

    def __init__(self, setting: Setting) -> None:
        self.setting, self.stage = setting, setting.stage
        home = setting.machine.home
        self._where = ("--home", home, "--repository", os.path.join(home, leaks.REPOSITORY))

    def triage(self) -> str:
        live = self.setting.triage()
        self.stage.type("incident", "open", self.setting.scenario.name, "--reason", self.setting.scenario.story, show=_none)
        self.stage.type("incident", "contain", "--yes", show=_none)
        self._deployments(paused=True)
        self.stage.type("incident", "assess", *self._where, expect=(FOUND, LIVE), show=_table)
        return f"{live} live"

    def rotate(self) -> None:
        withheld = ("--compromised-host", STOLEN) if self.setting.scenario.stolen else ()
        self.stage.type("incident", "eradicate", *withheld, "--yes", expect=(0, NEEDS_PERSON), show=after("Done:"))
        self.setting.provide()
        if self.setting.scenario.stolen:
            self.stage.say(f"  ({CLEAN} takes the place of {STOLEN})")
            self.setting.machine.replace_agent()
            self.stage.type("distribute", "--host", CLEAN, show=last(4))

    def scrub(self) -> str:
        history.rewrite(self.stage, self.setting.machine)
        words = ("incident", "recover", "--start-again", *self._where, "--yes")
        ran = self.stage.type(*words, expect=(0, INCOMPLETE), show=lambda out, err: _but_well(out))
        self._deployments(paused=False)
        return "nothing remains" if ran.code == 0 else "keyward names what it left: see above"

    def _deployments(self, *, paused: bool) -> None:
        """What the pause hook and its undo are for. Raises DrillFailed where it was not done."""
        if os.path.exists(self.setting.machine.paused) is not paused:
            raise DrillFailed(f"deployments should be {'paused' if paused else 'running again'}, and are not")
        self.stage.good(f"deployments {'are paused' if paused else 'run again'}")

    def report(self) -> str:
        ran = self.stage.type("incident", "close", "--yes", expect=(0, NEEDS_PERSON), show=lambda out, err: out.splitlines())
        self.made = [line.partition(": ")[2] for line in ran.out.splitlines() if line.startswith("report: ")]
        self.stage.type("audit", "verify", show=last(1))
        return f"{len(self.made)} reports: HTML, Markdown, JSON"


def _none(out: str, err: str) -> Sequence[str]:
    return ()


def _verdicts(out: str, err: str) -> list[str]:
    """State and kind of each line."""
    return ["  ".join(line.split(maxsplit=2)[:2]) for line in out.splitlines()[1:]]


def _table(out: str, err: str) -> list[str]:
    """Up to the line about lanes."""
    lines = out.splitlines()
    end = next((at for at, line in enumerate(lines) if line.startswith("Lanes")), len(lines) - 1)
    return lines[: end + 1]


def _but_well(out: str) -> list[str]:
    """All but the consumers that are well, who are counted."""
    lines = out.splitlines()
    well = sum(line.startswith("well: ") for line in lines)
    return [*(line for line in lines if not line.startswith("well: ")), f"{well} times well: consumers and providers"]
