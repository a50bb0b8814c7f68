"""The first act: a scan of a small leaky project, and of this repository."""

from __future__ import annotations

import os

from keyward.testing.demo.stage import Stage
from keyward.testing.leaky_project import plant


def scanning(stage: Stage) -> None:
    """Two scans. Raises DemoFailed if the first finds nothing or the second anything."""
    stage.heading("1. A small leaky project")
    project = os.path.join(stage.folder, "leaky-project")
    plant(project)
    stage.type("scan", code=1, cwd=project)
    stage.say("\n(exit code 1 means findings)")
    stage.heading("2. This repository, which must be clean")
    stage.type("scan", cwd=os.getcwd())
    stage.say("\n(exit code 0 means clean)")
