"""What an operator does to a repository's history with the plan that `keyward scrub --git-plan` makes."""

from __future__ import annotations

import json
import os
import shutil
from importlib.util import find_spec

from keyward.testing.drill.leaks import REPOSITORY
from keyward.testing.drill.machine import Machine
from keyward.testing.drill.stage import Stage
from keyward.testing.servers.process import ServerMissing


def check_installed() -> None:
    """Raises ServerMissing without git or git filter-repo."""
    if shutil.which("git") is None:
        raise ServerMissing("git is not installed")
    if find_spec("git_filter_repo") is None:
        raise ServerMissing("git filter-repo is not installed: pip install git-filter-repo")


def rewrite(stage: Stage, machine: Machine) -> None:
    """Has the plan made, carries its commands out one by one, and does what it leaves to a person. Raises DrillFailed."""
    root, values = os.path.join(machine.home, REPOSITORY), os.path.join(machine.work, "replacements.txt")
    ran = stage.type("scrub", "--git-plan", root, "-o", values, "-f", "json", show=lambda out, err: ())
    plan = json.loads(ran.out)
    stage.say(f"    {len(plan['secrets'])} secrets in {', '.join(plan['refs'])}; {len(plan['steps'])} steps")
    for step in plan["steps"]:
        words = step["command"].split()
        if words[:1] == ["keyward"]:
            # 1: the public id of a key may still stand there, now that its secret does not
            stage.type(
                *words[1:],
                expect=(0, 1),
                show=lambda out, err: [line for line in out.splitlines() if line.startswith(("CRIT", "  why"))],
            )
        elif words[:1] == ["shred"]:
            _put_in_place(stage, root)
            stage.shell(step["command"])
        elif words:
            stage.shell(step["command"])


def _put_in_place(stage: Stage, root: str) -> None:
    """The rewritten copy becomes the repository; the working tree, with the files that git ignores, stays."""
    stage.say("  (the rewritten copy takes the repository's place)")
    clean, store = f"{root}-cleaned.git", os.path.join(root, ".git")
    shutil.rmtree(store)
    shutil.move(clean, store)
    for words in ("config core.bare false", "config --unset remote.origin.mirror", "reset --quiet"):
        stage.shell(f"git -C {root} {words}", quietly=True, expect=(0, 5))
