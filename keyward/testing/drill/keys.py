"""Asks the providers themselves, by their own clients: is each old credential dead, is each new one alive, has everybody got it?"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from keyward.testing.drill.accounts import Account, Parts, held
from keyward.testing.drill.machine import CONSUMERS, Machine


class Answer(NamedTuple):
    """How one credential fares. `old`, `new`: whom it logs in as, empty where it is refused. `problems`: what is left to worry about."""

    ref: str
    old: str
    new: str
    problems: tuple[str, ...]


def ask_about(machine: Machine, account: Account) -> Answer:
    """One that was to be replaced. Raises OSError where its provider does not answer."""
    now = held(machine.services, account.ref)
    old, new = account.ask(account.old), account.ask(now)
    problems = []
    if old:
        problems.append("the old one is alive")
    if now["secret"] == account.secret:
        problems.append("it was not replaced")
    elif not new:
        problems.append("the new one is dead")
    problems += [f"{path} does not have it" for path in _files(machine, account.ref) if not _has(path, now)]
    return Answer(account.ref, old, new, tuple(problems))


def ask_untouched(machine: Machine, account: Account) -> Answer:
    """One that did not leak: it must be as it was, and alive."""
    now = held(machine.services, account.ref)
    alive = account.ask(account.old)
    problems = [] if alive else ["it was healthy, and is dead now"]
    if dict(now) != dict(account.old):
        problems.append("it did not leak, and was replaced")
    return Answer(account.ref, alive, alive, tuple(problems))


def new_values(machine: Machine, accounts: Iterable[Account]) -> dict[str, bytes]:
    """The secrets that the store holds now, by name of their credential."""
    return {each.ref: held(machine.services, each.ref)["secret"].encode() for each in accounts}


def _files(machine: Machine, ref: str) -> list[str]:
    return [os.path.join(machine.home, each.path) for each in CONSUMERS if each.ref == ref]


def _has(path: str, parts: Parts) -> bool:
    try:
        with open(path, "rb") as file:
            return parts["secret"].encode() in file.read()
    except FileNotFoundError:
        return False
