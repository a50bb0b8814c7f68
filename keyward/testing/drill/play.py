"""Plays a scenario from the first server to the last check."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from typing import Any, TextIO

from keyward.testing.drill import history, integrity, leaks
from keyward.testing.drill.accounts import make_accounts
from keyward.testing.drill.echoes import Echo, Search, by_place
from keyward.testing.drill.growing_log import GrowingLog
from keyward.testing.drill.keys import Answer, ask_about, ask_untouched, new_values
from keyward.testing.drill.loop import FOUND, INCOMPLETE, REPORT, ByHand, Incident, Setting
from keyward.testing.drill.machine import CONSUMERS, Machine, cache_of
from keyward.testing.drill.scenarios import Scenario
from keyward.testing.drill.services import Services
from keyward.testing.drill.stage import Stage, last
from keyward.testing.drill.warm_up import WarmUp


class Drill:
    """One drill in a folder of its own. `problems`: what is left at the end; empty means that the loop is closed. `reports`: paths of what
    the last phase wrote."""

    def __init__(self, scenario: Scenario, root: str, *, out: TextIO, verbose: bool = False) -> None:
        self.scenario, self.root = scenario, root
        self.problems: list[str] = []
        self.reports: list[str] = []
        self.stage = Stage(os.path.join(root, "work"), {}, out=out, verbose=verbose)
        self._stack = ExitStack()

    def __enter__(self) -> Drill:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def play(self) -> None:
        """All of it. Raises DrillFailed, ServerMissing, ServerFailed."""
        stage = self.stage
        self._set_up()
        self._leak()
        self._find()
        loop = (Incident if self.scenario.incident else ByHand)(Setting(stage, self.machine, self.scenario, self.leaked))
        with stage.phase("Triage", "Each provider is asked; a secret goes to its issuer alone."):
            stage.result(loop.triage())
        with stage.phase(
            "Rotate and distribute", "New one made, proved, stored, given to whoever uses it; old one killed, proved dead."
        ):
            loop.rotate()
            stage.result(f"{len(self.leaked)} replaced")
        self._prove()
        with stage.phase("Scrub", "The echoes go, also from a log that is being written and from a database's free pages."):
            stage.result(loop.scrub())
        self._rescan()
        with stage.phase("Report"):
            stage.result(loop.report())
            self.reports = getattr(loop, "made", [])
        self._look_around()
        stage.table()

    # before

    def _set_up(self) -> None:
        stage = self.stage
        with stage.phase(
            "Set up", "Servers of its own on loopback, lanes with live credentials. (*: a stand-in, as documented)"
        ):
            history.check_installed()
            self._warm_up = self._stack.enter_context(WarmUp(self.root, cache_of(self.root)))
            self.services = self._stack.enter_context(Services())
            self.accounts = make_accounts(self.services, admin_leaked=self.scenario.admin)
            self.machine = Machine(self.root, self.services, self.accounts)
            self.machine.build()
            stage.variables.update(self.machine.variables)
            addresses = self.services.addresses()
            for name, address in addresses:
                stage.say(f"  {name:<15} {address}")
            stage.type("lanes", "list")
            if self.scenario.incident:
                stage.type("incident", "prepare", show=last(1))
            self.leaked = [each for each in self.accounts.all if not self.scenario.lanes or each.lane in self.scenario.lanes]
            self.spared = [each for each in self.accounts.all if each not in self.leaked]
            stage.result(f"{len(addresses)} servers, {len(self.accounts.all)} live credentials")

    def _leak(self) -> None:
        stage, scenario = self.stage, self.scenario
        with stage.phase("Leak", scenario.story):
            for planter in scenario.planters:
                planter(self.machine, self.leaked)
                stage.say(f"  {leaks.PLACES[planter]}")
            self.log = self._stack.enter_context(GrowingLog(self.machine, leaks.LOG, [each.spoken() for each in self.leaked]))
            stage.say(f"  a log that grows         ~/{leaks.LOG}, a line every 10 ms, to the end of the drill")
            self.planted = integrity.shapes(self.machine)
            stage.result(f"{len(self.leaked)} credentials in {len(scenario.planters) + 1} kinds of places")

    # in the middle

    def _find(self) -> None:
        stage = self.stage
        with stage.phase("Find"):
            self._warm_up.wait()
            self.before = self._scan(REPORT)
            kinds = {finding["kind"] for finding in self.before}
            missing = [each.ref for each in self.leaked if each.kind not in kinds]
            if missing:
                self._problem(f"the scan did not find {', '.join(missing)}")
            past: list[dict[str, Any]] = []
            if leaks.plant_repository in self.scenario.planters:
                shop = os.path.join(self.machine.home, leaks.REPOSITORY)
                stage.type("scan", shop, "--history", "-f", "jsonl", "-o", "history.jsonl", expect=(FOUND,), show=last(1))
                past = self._findings("history.jsonl")
            places = sum(len(each["places"]) for each in (*self.before, *past))
            stage.result(f"{len(self.leaked) - len(missing)} of {len(self.leaked)} found, in {places} places")

    def _prove(self) -> None:
        stage = self.stage
        with stage.phase("Prove", "The servers are asked by their own clients, and not through keyward."):
            answers = [ask_about(self.machine, each) for each in self.leaked]
            spared = [ask_untouched(self.machine, each) for each in self.spared]
            for each in answers:
                self._tell(each, f"{each.ref:<18} old dead, new alive")
            for each in spared:
                self._tell(each, f"{each.ref:<18} did not leak, untouched")
            if self.scenario.admin:
                self._check_order()
            good = sum(not each.problems for each in answers)
            stage.result(
                f"{good} of {len(answers)}: old one dead, new one alive" + (f"; {len(spared)} untouched" if spared else "")
            )

    def _tell(self, answer: Answer, text: str) -> None:
        for problem in answer.problems:
            self._problem(f"{answer.ref}: {problem}")
        if not answer.problems:
            self.stage.good(text)

    def _check_order(self) -> None:
        """What makes the others must be replaced after them."""
        made = [seen.path for seen in self.services.openai.changes if seen.method == "POST" and seen.path.endswith("_keys")]
        ended = [seen.path for seen in self.services.openai.changes if seen.method == "DELETE"]
        if not made or not ended or "admin" not in made[-1] or "admin" not in ended[-1]:
            self._problem("the admin key was not the last one to be replaced")

    def _rescan(self) -> None:
        with self.stage.phase("Rescan"):
            now = {each["fingerprint"] for each in self._scan("after.jsonl", expect=(0, FOUND, INCOMPLETE))}
            left = [each for each in self.before if each["fingerprint"] in now]
            for each in left:
                self._problem(f"the scan still finds the old {each['kind']}")
            self.stage.result(f"{len(self.before)} leaked before, {len(left)} now")

    # what is left

    def _look_around(self) -> None:
        """The drill's own search, in everything that it and keyward have written."""
        stage = self.stage
        with stage.phase(
            "Look for what is left", "By readers of its own: every file, packed or not, git's objects, keyward's files."
        ):
            echoes = self._echoes()
            broken = integrity.problems(self.planted, self.machine) + [f"~/{leaks.LOG}: {each}" for each in self.log.problems()]
            for where, names in by_place(echoes).items():
                self._problem(f"{', '.join(names)} in {stage.short(where)}")
            for each in broken:
                self._problem(stage.short(each))
            if not echoes:
                stage.good("no echo of an old value, and no new one but where it is used")
            if not broken:
                stage.good(f"{len(self.planted)} stores and the growing log read as before")
            stage.result(f"{len(echoes)} echoes, {len(broken)} broken stores")

    def _echoes(self) -> list[Echo]:
        said = "\n".join(self.stage.said).encode()
        old = Search({f"the old {each.ref}": each.secret.encode() for each in self.leaked})
        new = Search({f"the new {name}": value for name, value in new_values(self.machine, self.leaked).items()})
        users = [os.path.join(self.machine.home, each.path) for each in CONSUMERS]
        found = [*old.tree(self.root), *old.bytes(said, "what keyward said")]
        return [*found, *new.tree(self.root, without=users), *new.bytes(said, "what keyward said")]

    # small things

    def _scan(self, report: str, expect: tuple[int, ...] = (FOUND,)) -> list[dict[str, Any]]:
        where = ["--host", self.machine.home]
        if self.scenario.by_report:
            # what leaked is known; the live files beside it did not
            where = [os.path.join(self.machine.home, name) for name in ("ci-logs", "logs", "Documents")]
        self.stage.type("scan", *where, "-f", "jsonl", "-o", report, expect=expect, show=last(1))
        return self._findings(report)

    def _findings(self, report: str) -> list[dict[str, Any]]:
        """One a fingerprint, with its `places`."""
        findings: dict[str, dict[str, Any]] = {}
        with open(os.path.join(self.machine.work, report), encoding="utf-8") as file:
            for row in map(json.loads, file):
                if row["type"] == "finding":
                    one = findings.setdefault(row["fingerprint"], {**row, "places": []})
                    one["places"].append(row["locator"])
        return list(findings.values())

    def _problem(self, text: str) -> None:
        self.problems.append(text)
        self.stage.bad(text)
