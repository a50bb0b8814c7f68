"""Jupyter and IPython: notebooks with what they printed, and the history of every session."""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.scan.roles import LIVE
from keyward.scan.sources.agents import ANY, COPY, JSON, LOGIN, SETTINGS, TEXT, databases, files
from keyward.scan.sources.host import Host, Spot, Tool


def _spots(host: Host) -> Iterator[Spot]:
    ipython = host.variable("IPYTHONDIR", ".ipython")
    yield from databases(ipython, "profile_*/history.sqlite", "profile_*/*.sqlite")
    yield from files(ipython, "Python", SETTINGS, "profile_*/startup/*", "profile_*/*.py", role=LIVE)
    yield from files(ipython, ANY, TEXT, "profile_*/log/**", "profile_*/db/**")
    yield from files("", JSON, COPY, ".ipynb_checkpoints/*")
    yield from files("", JSON, "the value alone, in place, in sources and outputs; `nbformat` and indentation stay", "*.ipynb")
    data = host.variable("JUPYTER_DATA_DIR", "Library/Jupyter" if host.mac else os.path.join(host.data, "jupyter"))
    runtime = host.variable("JUPYTER_RUNTIME_DIR", os.path.join(data, "runtime"))
    yield from files(runtime, JSON, LOGIN, "*.json", role=LIVE)
    yield from files(runtime, "HTML", COPY, "*.html")
    yield from databases(data, "*.sqlite", "*.db")
    config = host.variable("JUPYTER_CONFIG_DIR", ".jupyter")
    yield from files(config, JSON, SETTINGS, "*.json", "*.py", role=LIVE)
    yield from files(config, ANY, TEXT, "lab/**")


TOOLS = (Tool("jupyter", "agents", "Jupyter and IPython", _spots),)
