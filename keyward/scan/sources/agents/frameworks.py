"""Caches and local traces of agent frameworks. What LangSmith and others hold is not on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.scan.sources.agents import ANY, JSONL, LINES, TEXT, databases, files
from keyward.scan.sources.host import Host, Spot, Tool


def _langchain(host: Host) -> Iterator[Spot]:
    # the name that its documentation gives the cache of prompts and answers
    yield from databases("", ".langchain.db", "langgraph_checkpoints.sqlite", "langgraph.db")
    yield from files("", "pickle", TEXT, ".langgraph_api/*.pckl")
    yield from files(os.path.join(host.home, ".langchain"), ANY, TEXT, "**")
    yield from files("", JSONL, LINES, "langsmith_traces/*.jsonl")


TOOLS = (Tool("langchain", "agents", "LangChain and LangGraph", _langchain),)
