"""What every detector's `verify` must keep, offline: each of its cases gives the verdict that it says, an answer that is not the
provider's own word is Unknown (`check_troubles`), and nothing leaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from keyward.model.credential import Credential, Target
from keyward.model.kind import Kind
from keyward.model.rule import Rule
from keyward.model.secret import Secret
from keyward.model.verdict import Dead, Live, Restricted, Unknown
from keyward.plugin.clock import ManualClock
from keyward.plugin.ports import Ports
from keyward.plugin.verifier import Answer, Case, Verifier, ask, hosts_for
from keyward.testing.detector_contract import Problem
from keyward.testing.troubled_server import TROUBLES, Trouble, TroubledServer

NAMES = {Live: "live", Restricted: "restricted", Dead: "dead", Unknown: "unknown"}
WANTED = ("live", "dead", "unknown")
"""Verdicts of which every kind that is asked over HTTP must show a case."""

PUBLIC = ("id", "username", "user", "host", "port", "database", "base_url", "region", "domain", "email", "app")
"""Parts that say where or whose, and that a verdict may show."""

TROUBLE = (Answer(500, "upstream failed"), Answer(429, "", {"retry-after": "3600"}), Answer(200, "<html>maintenance"))
"""Answers that say nothing of the credential, whoever gives them: they may never give Dead."""


def check_verifier(module: Any) -> Iterator[Problem]:
    """Everything that is wrong with a detector module's verifier; nothing for a module that has none."""
    kinds = tuple(getattr(module, "VERIFIES", ()))
    if not kinds:
        return
    name = module.__name__.rpartition(".")[2]
    hosts, cases = tuple(getattr(module, "HOSTS", ())), tuple(getattr(module, "CASES", ()))
    verifier = Verifier(hosts, module.verify)
    never_dead = dict(getattr(module, "NEVER_DEAD", {}))
    declared = {kind.name for kind in module.KINDS}
    for kind in kinds:
        if kind not in declared:
            yield Problem(kind, "is in VERIFIES and not in KINDS")
        shown = {case.verdict for case in cases if case.kind == kind}
        # a kind whose refusal proves nothing says so, and why
        wanted = [verdict for verdict in WANTED if verdict != "dead" or kind not in never_dead]
        missing = [verdict for verdict in wanted if verdict not in shown]
        if shown and missing:  # a kind without any is asked by another protocol, and tested against a real server
            yield Problem(kind, f"has no case for {', '.join(missing)}")
    if hosts and not cases:
        yield Problem(name, "asks over HTTP and has no CASES")
    for case in cases:
        if case.kind not in kinds:
            yield Problem(name, f"case {case.name!r} is of a kind that is not in VERIFIES")
            continue
        yield from _check_case(name, verifier, module.RULES, case)
        for answer in TROUBLE:
            verdict = _ask(verifier, _credential(module.RULES, case), (answer,), hosts)[0]
            if verdict is Dead:
                yield Problem(case.kind, f"says dead of an answer {answer.status} that says nothing")


def check_troubles(module: Any, server: TroubledServer) -> Iterator[Problem]:
    """What a module's verifier makes of a provider in trouble, on a real socket: each must be Unknown, within the hosts that it may
    ask, and without a part of the credential in the verdict. A kind that is asked by another protocol is not met there."""
    hosts, cases = tuple(getattr(module, "HOSTS", ())), tuple(getattr(module, "CASES", ()))
    verifier = Verifier(hosts, module.verify)
    for kind in getattr(module, "VERIFIES", ()):
        case = next((case for case in cases if case.kind == kind and case.verdict == "live"), None)
        if case is None:
            continue
        credential = _credential(module.RULES, case)
        for trouble in TROUBLES:
            met: list[str] = []
            verdict, text = _meet(verifier, credential, server, trouble, met)
            if verdict is not Unknown:
                yield Problem(kind, f"{trouble.name} gives {NAMES.get(verdict)}: {text[:200]}")
            if any(_shows(credential, part, text) for part in credential.parts):
                yield Problem(kind, f"{trouble.name}: the verdict holds a part of the credential")
            if "elsewhere.example" in met:
                yield Problem(kind, f"{trouble.name}: it goes where the answer points")


def _meet(
    verifier: Verifier, credential: Credential, server: TroubledServer, trouble: Trouble, met: list[str]
) -> tuple[type, str]:
    target = Target() if verifier.hosts else Target(base_url="https://service.example")
    client = server.client(trouble, met)
    with Ports(hosts_for(verifier, target), clock=ManualClock(), client=lambda _: client) as ports:
        verdict = ask(verifier, credential, target, ports)
    return type(verdict), repr(verdict)


def _shows(credential: Credential, part: str, text: str) -> bool:
    """Whether a text holds a part that is not public, and long enough to be told from chance."""
    value = credential.parts[part]
    return part not in PUBLIC and len(value) >= 12 and value.reveal().decode(errors="replace") in text


def _check_case(name: str, verifier: Verifier, rules: Iterable[Rule], case: Case) -> Iterator[Problem]:
    credential = _credential(rules, case)
    verdict, text, requests = _ask(verifier, credential, case.answers, verifier.hosts)
    if NAMES.get(verdict) != case.verdict:
        yield Problem(case.kind, f"case {case.name!r} gives {NAMES.get(verdict)}, not {case.verdict}: {text[:200]}")
    for part in credential.parts:
        if _shows(credential, part, text):
            yield Problem(case.kind, f"case {case.name!r}: the verdict holds the part {part}")
    for method, url in requests:
        if method not in ("GET", "HEAD", "POST"):
            yield Problem(case.kind, f"case {case.name!r} sends {method}: a verifier only reads")
        if len(url) > 2000:
            yield Problem(case.kind, f"case {case.name!r} sends an URL of {len(url)} characters")


def _credential(rules: Iterable[Rule], case: Case) -> Credential:
    """One of the kind's own samples, with the case's further parts."""
    parts: dict[str, Secret] = {}
    for rule in rules:
        if rule.kind == case.kind:
            found = dict(rule.examples[0].sample(0).parts)
            if len(found) > len(parts):
                parts = {name: Secret(value) for name, value in found.items()}
    parts.update({name: Secret(value.encode()) for name, value in case.parts.items()})
    return Credential(Kind(case.kind), parts)


def _ask(
    verifier: Verifier, credential: Credential, answers: tuple[Answer, ...], hosts: tuple[str, ...]
) -> tuple[type, str, list[tuple[str, str]]]:
    """(verdict's class, its text, the requests) with a client that answers as told."""
    import httpx

    requests: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append((request.method, str(request.url)))
        given = answers[min(len(requests), len(answers)) - 1]
        return httpx.Response(given.status, headers=dict(given.headers), content=given.body.encode())

    # kinds of self-hosted services are asked only where the operator says, so a target is given where no host is public
    target = Target() if hosts else Target(base_url="https://service.example")
    client = httpx.Client(transport=httpx.MockTransport(answer))
    with Ports(hosts_for(verifier, target), clock=ManualClock(), client=lambda _: client) as ports:
        verdict = ask(verifier, credential, target, ports)
    return type(verdict), repr(verdict), requests
