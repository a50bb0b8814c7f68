"""Plays a scenario from the first server to the last check."""

from __future__ import annotations

import json
import os
import time
from contextlib import ExitStack
from typing import TextIO

from keyward.testing.drill import integrity, leaks
from keyward.testing.drill.accounts import Account, make_accounts
from keyward.testing.drill.echoes import Echo, Search, by_place
from keyward.testing.drill.growing_log import GrowingLog
from keyward.testing.drill.keys import Answer, ask_about, ask_untouched, new_values
from keyward.testing.drill.machine import CLEAN, CONSUMERS, Machine
from keyward.testing.drill.scenarios import Scenario
from keyward.testing.drill.services import Services
from keyward.testing.drill.stage import Stage, after, last

FOUND, LIVE, HALTED, NEEDS_PERSON, UNKNOWN = 1, 10, 4, 5, 3
"""Exit codes of the commands."""


class Drill:
    """One drill in a folder of its own. `problems`: what is left at the end; empty means that the loop is closed."""

    def __init__(self, scenario: Scenario, root: str, *, out: TextIO, verbose: bool = False) -> None:
        self.scenario, self.root = scenario, root
        self.problems: list[str] = []
        self.stage = Stage(os.path.join(root, "work"), {}, out=out, verbose=verbose)
        self._stack = ExitStack()

    def __enter__(self) -> Drill:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def play(self) -> None:
        """All of it. Raises DrillFailed, ServerMissing, ServerFailed."""
        self._set_up()
        self._leak()
        self._find()
        self._triage()
        self._rotate()
        if self.scenario.stolen:
            self._recover()
        self._prove()
        self._scrub()
        self._rescan()
        self._look_around()
        self.stage.table()

    # before

    def _set_up(self) -> None:
        stage = self.stage
        with stage.phase(
            "Set up",
            "Servers of its own on loopback, lanes with live credentials. (* a local stand-in that behaves as documented)",
        ):
            self.services = self._stack.enter_context(Services())
            self.accounts = make_accounts(self.services, admin_leaked=self.scenario.admin)
            self.machine = Machine(self.root, self.services, self.accounts)
            self.machine.build()
            stage.variables.update(self.machine.variables)
            addresses = self.services.addresses()
            for name, address in addresses:
                stage.say(f"  {name:<15} {address}")
            stage.type("lanes", "list")
            self.leaked = [each for each in self.accounts.all if not self.scenario.lanes or each.lane in self.scenario.lanes]
            self.spared = [each for each in self.accounts.all if each not in self.leaked]
            stage.result(f"{len(addresses)} servers, {len(self.accounts.all)} live credentials")

    def _leak(self) -> None:
        stage, scenario = self.stage, self.scenario
        with stage.phase("Leak", scenario.story):
            for planter in scenario.planters:
                planter(self.machine, self.leaked)
                stage.say(f"  {leaks.PLACES[planter]}")
            echoes = [each.spoken() for each in self.leaked] if scenario.growing else []
            self.log = self._stack.enter_context(GrowingLog(self.machine, leaks.LOG, echoes))
            stage.say(f"  a log that grows         ~/{leaks.LOG}, a line every 10 ms, to the end of the drill")
            self.planted = integrity.shapes(self.machine)
            stage.result(f"{len(self.leaked)} credentials in {len(scenario.planters) + 1} kinds of places")

    # the loop

    def _find(self) -> None:
        stage = self.stage
        with stage.phase("Find"):
            self.began = time.monotonic()
            self.before = self._scan("report.jsonl")
            wanted = len(self.leaked)
            found = {each["kind"] for each in self.before}
            missing = [each.ref for each in self.leaked if each.kind not in found]
            if missing:
                self._problem(f"the scan did not find {', '.join(missing)}")
            history: list[dict[str, object]] = []
            if leaks.plant_repository in self.scenario.planters:
                stage.type("scan", self._shop, "--history", "-f", "jsonl", "-o", "history.jsonl", expect=(FOUND,), show=last(1))
                history = self._findings("history.jsonl")
            places = sum(len(each["occurrences"]) for each in (*self.before, *history))  # type: ignore[arg-type,misc]
            stage.result(f"{wanted} of {wanted} found, in {places} places" if not missing else "not all were found")

    def _triage(self) -> None:
        with self.stage.phase("Triage", "Each provider is asked; a secret goes to its issuer alone."):
            ran = self.stage.type("verify", "report.jsonl", "--verify-databases", expect=(LIVE,), show=_verdicts)
            live = sum(line.startswith("LIVE") for line in ran.out.splitlines())
            self.stage.result(f"{live} live")

    def _rotate(self) -> None:
        stage, scenario = self.stage, self.scenario
        with stage.phase(
            "Rotate and distribute", "New one made, proved, stored, given to whoever uses it; old one killed and proved dead."
        ):
            lift = scenario.outage(self.services) if scenario.outage else None
            codes = (HALTED,) if lift else (0, NEEDS_PERSON)
            stage.type("rotate", *scenario.rotate, "--yes", expect=codes, show=after("Done:"))
            if lift:
                lift()
                stage.say("  (the provider is back)")
                stage.type("resume", expect=(0, NEEDS_PERSON), show=after("Done:"))
            for each in self.leaked:
                if each.by_hand is not None:
                    self._provide(each)
            stage.result(f"{len(self.leaked)} replaced")

    def _provide(self, account: Account) -> None:
        assert account.by_hand is not None
        self.stage.say(f"  (the person makes {account.ref} in the vendor's console, and types it in)")
        value = account.by_hand()["secret"]
        self.stage.type("provide", account.ref, "-", stdin=value, expect=(0, NEEDS_PERSON), show=after("Done:"))

    def _recover(self) -> None:
        """A clean machine takes the stolen one's place."""
        stage = self.stage
        with stage.phase("Recover", f"{CLEAN} takes the stolen machine's place, and is given what was withheld."):
            self.machine.replace_agent()
            stage.type("distribute", "--host", CLEAN, show=last(4))
            stage.result(f"{CLEAN} has its keys")

    def _prove(self) -> None:
        stage = self.stage
        with stage.phase("Prove", "The servers are asked by their own clients, and not through keyward."):
            answers = [ask_about(self.machine, each) for each in self.leaked]
            spared = [ask_untouched(self.machine, each) for each in self.spared]
            for each in answers:
                self._tell(each, f"{each.ref:<18} old {'ALIVE' if each.old else 'dead'}, new {'alive' if each.new else 'DEAD'}")
            for each in spared:
                self._tell(each, f"{each.ref:<18} did not leak, untouched")
            if self.scenario.admin:
                self._check_order()
            good = sum(not each.problems for each in answers)
            stage.result(
                f"{good} of {len(answers)}: old one dead, new one alive" + (f"; {len(spared)} untouched" if spared else "")
            )

    def _tell(self, answer: Answer, text: str) -> None:
        if answer.problems:
            for problem in answer.problems:
                self._problem(f"{answer.ref}: {problem}")
        else:
            self.stage.good(text)

    def _check_order(self) -> None:
        """What makes the others must be replaced after them."""
        made = [seen.path for seen in self.services.openai.changes if seen.method == "POST" and seen.path.endswith("_keys")]
        ends = [seen.path for seen in self.services.openai.changes if seen.method == "DELETE"]
        if not made or "admin" not in made[-1] or "admin" not in ends[-1]:
            self._problem("the admin key was not the last one to be replaced")

    def _scrub(self) -> None:
        stage = self.stage
        with stage.phase("Scrub", "The echoes go, also from a log that is being written and from a database's free pages."):
            ran = stage.type("scrub", "--leaked", "report.jsonl", "--yes", expect=(0, UNKNOWN), show=after("SECRET"))
            stage.result("nothing remains" if ran.code == 0 else "something remains: see above")

    def _rescan(self) -> None:
        stage = self.stage
        with stage.phase("Rescan"):
            now = self._scan("after.jsonl", expect=(0, FOUND, UNKNOWN))
            old = {each["fingerprint"] for each in self.before} & {each["fingerprint"] for each in now}
            spared = {each.kind for each in self.spared}
            left = [each for each in self.before if each["fingerprint"] in old and each["kind"] not in spared]
            for each in left:
                self._problem(f"the scan still finds the old {each['kind']} in {len(each['occurrences'])} places")  # type: ignore[arg-type]
            stage.result(f"{len(self.before)} leaked before, {len(left)} now")

    # what is left

    def _look_around(self) -> None:
        """The drill's own search, in everything that it and keyward have written."""
        stage = self.stage
        with stage.phase(
            "Look for what is left",
            "By the drill's own readers: every file, packed or not, git's objects, keyward's own files.",
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
        said = "\n".join(stage_said for stage_said in self.stage.said).encode()
        old = Search({f"the old {each.ref}": each.secret.encode() for each in self.leaked})
        new = Search({f"the new {name}": value for name, value in new_values(self.machine, self.leaked).items()})
        users = [os.path.join(self.machine.home, each.path) for each in CONSUMERS]
        found = [*old.tree(self.root), *old.bytes(said, "what keyward said")]
        return [*found, *new.tree(self.root, without=users), *new.bytes(said, "what keyward said")]

    # small things

    @property
    def _shop(self) -> str:
        return os.path.join(self.machine.home, leaks.REPOSITORY)

    def _scan(self, report: str, expect: tuple[int, ...] = (FOUND,)) -> list[dict[str, object]]:
        where = ["--host", self.machine.home]
        if self.scenario.by_report:
            # what leaked is known; the live files beside it did not
            where = [os.path.join(self.machine.home, name) for name in ("ci-logs", "logs", "Documents")]
        self.stage.type("scan", *where, "-f", "jsonl", "-o", report, expect=expect, show=last(1))
        return self._findings(report)

    def _findings(self, report: str) -> list[dict[str, object]]:
        with open(os.path.join(self.machine.work, report), encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        findings: dict[str, dict[str, object]] = {}
        for row in rows:
            if row["type"] == "finding":
                one = findings.setdefault(row["fingerprint"], {**row, "occurrences": []})
                one["occurrences"].append(row["locator"])  # type: ignore[attr-defined]
        return list(findings.values())

    def _problem(self, text: str) -> None:
        self.problems.append(text)
        self.stage.bad(text)


def _verdicts(out: str, err: str) -> list[str]:
    """State and kind of each line."""
    return ["  ".join(line.split(maxsplit=2)[:2]) for line in out.splitlines()]
