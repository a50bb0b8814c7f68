"""Every act on a file, shown to whoever wants to see it: a test that kills the process at each of them, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from keyward.plugin.ports import Call, Fence


@contextmanager
def act(fences: tuple[Fence, ...], what: str) -> Iterator[None]:
    """Around one system call that changes something. `what`: its name; never a value."""
    if not fences:
        yield
        return
    call = Call(what, "disk", True)
    for fence in fences:
        fence.before(call)
    outcome = "ok"
    try:
        yield
    except BaseException as error:
        outcome = type(error).__name__
        raise
    finally:
        for fence in fences:
            fence.after(call, outcome)
