"""`keyward drill --against CONFIG`: the operator's own lanes, dry. Plans, asks what would be asked, and changes nothing."""

from __future__ import annotations

import os
import re
from typing import TextIO

from keyward.testing.drill.stage import DrillFailed, Ran, Stage

REFUSED, PROBLEMS = 4, 1

_ENTRY = re.compile(r"  \d+\. (\S+)  \((\S+)\)")


def rehearse(config: str, *, out: TextIO, verbose: bool = False) -> int:
    """0: everything would begin. 4: something would be refused (listed). 2: the configuration is wrong. Raises nothing of its own."""
    stage = Stage(os.getcwd(), os.environ, out=out, verbose=verbose)
    options = ("--config", config)
    stage.say("A rehearsal on your own lanes. Providers and stores are asked, and nothing is changed.")
    try:
        with stage.phase("Configuration", "Do references and stores work, tonight, from this machine?"):
            stage.type("config", "check", "--live", *options)
            stage.result("references and stores answer")
        with stage.phase("Lanes", "What would hurt: shared, forgotten, overdue and over-broad keys."):
            stage.type("lanes", "list", *options)
            ran = stage.type("lanes", "check", *options, expect=(0, PROBLEMS))
            stage.result(ran.out.strip().splitlines()[-1])
        with stage.phase("Plan of an incident", "In which order, what each provider would be asked, who gets the new ones."):
            ran = stage.type("plan", "--all", "--incident", *options, expect=(0, REFUSED))
            stage.result(f"{len(_ENTRY.findall(ran.out))} credentials")
    except DrillFailed as error:
        stage.say(f"\nkeyward drill: {error}")
        return 2
    _sum_up(stage, ran)
    return ran.code


def _sum_up(stage: Stage, plan: Ran) -> None:
    """What a person has to know before it is real."""
    heads: dict[str, list[str]] = {}
    now = ""
    for line in plan.out.splitlines():
        found = _ENTRY.match(line)
        if found:
            now = found[1]
        elif now and line.strip().startswith(("refused", "note:")):
            heads.setdefault(now, []).append(line.strip())
    stage.table()
    if heads:
        stage.say("\nKnow before it is real:")
        for ref, lines in heads.items():
            stage.say(f"  {ref}")
            for line in lines:
                stage.say(f"    {line}")
    wholly = "Every one would begin." if plan.code == 0 else "Some would be refused: see above."
    stage.say(f"\n{wholly} Nothing was changed. When it is real: keyward rotate --all --incident")
