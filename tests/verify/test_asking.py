"""Many credentials at once: each host at its own pace, nothing lost, nothing asked twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import pairwise

import httpx
import pytest

from keyward.errors import KeywardError, Throttled
from keyward.model.credential import Credential, Target
from keyward.model.kind import Kind
from keyward.model.verdict import Dead, Evidence, Unknown, Verdict
from keyward.plugin.clock import ManualClock, SystemClock
from keyward.plugin.ports import Ports
from keyward.plugin.verifier import Verifier
from keyward.verify.asking import Asking, Question, late
from keyward.verify.client import listen, polite_client
from keyward.verify.pace import CallClock, Limits, TooLate

SEEN = Evidence("GET /", "h", "401", 1.0)
Answer = Callable[[Credential, Target, Ports], Verdict]


def questions(verify: Answer, *hosts: str) -> list[Question]:
    return [
        Question(f"kw1_{number}", Verifier((host,), verify), lambda: Credential(Kind("x/y"), {}), Target(), host)
        for number, host in enumerate(hosts)
    ]


def run(asked: list[Question], limits: Limits) -> tuple[dict[str, Verdict], list[str]]:
    told: list[str] = []
    asking = Asking(asked, clock=SystemClock(), limits=limits, answered=lambda question, verdict: told.append(question.name))
    return asking.run(lambda done, total: None), told


def test_no_more_at_one_host_than_allowed_and_hosts_side_by_side() -> None:
    lock, running, most, together = threading.Lock(), dict[str, int](), dict[str, int](), [0]

    def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
        (host,) = ports.hosts.public
        with lock:
            running[host] = running.get(host, 0) + 1
            most[host] = max(most.get(host, 0), running[host])
            together[0] = max(together[0], sum(running.values()))
        time.sleep(0.02)
        with lock:
            running[host] -= 1
        return Dead(SEEN)

    verdicts, told = run(questions(verify, *["a"] * 6, *["b"] * 6), Limits(threads=8, per_host=2, apart=0.0))
    assert len(verdicts) == 12 and sorted(told) == sorted(verdicts)
    assert most == {"a": 2, "b": 2} and together[0] > 2


def test_beginnings_at_one_host_are_apart() -> None:
    begun: list[float] = []

    def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
        begun.append(time.monotonic())
        return Dead(SEEN)

    run(questions(verify, "a", "a", "a"), Limits(apart=0.05))
    assert all(later - sooner >= 0.045 for sooner, later in pairwise(begun))


def test_one_that_hangs_does_not_hold_up_the_others() -> None:
    free = threading.Event()

    def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
        if ports.hosts.public == ("stuck",):
            free.wait(20)
        return Dead(SEEN)

    verdicts, told = run(questions(verify, "stuck", "a", "b"), Limits(apart=0.0, whole=0.5))
    free.set()
    assert set(verdicts) == {"kw1_1", "kw1_2"} and "run it again" in late(Limits()).reason
    assert sorted(told) == ["kw1_1", "kw1_2"]


def test_later_is_asked_again_and_then_told() -> None:
    tries: list[int] = []

    def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
        tries.append(1)
        raise Throttled("not now", retry_after=0.01)

    verdicts, _ = run(questions(verify, "a"), Limits(apart=0.0, tries=3))
    assert len(tries) == 3 and verdicts["kw1_0"] == Unknown("not now", 0.01)


def test_whatever_reading_raises_is_unknown_and_says_no_value() -> None:
    def broken() -> Credential:
        raise ValueError("the value is hunter2")

    def refused() -> Credential:
        raise KeywardError("it is gone", hint="Scan again.")

    asked = [
        question._replace(read=read) for question, read in zip(questions(lambda *_: Dead(SEEN), "a", "b"), (broken, refused))
    ]
    verdicts, _ = run(asked, Limits(apart=0.0))
    assert verdicts["kw1_0"] == Unknown("it could not be asked (ValueError)")
    assert verdicts["kw1_1"] == Unknown("it is gone. Scan again.")


def test_nothing_to_ask() -> None:
    assert run([], Limits()) == ({}, [])


def test_a_calls_clock_ends_the_call() -> None:
    clock, ended = ManualClock(), threading.Event()
    own = CallClock(clock, 5.0, ended)
    own.sleep(1.5)
    with pytest.raises(Throttled):
        own.sleep(60)
    clock.sleep(4)
    with pytest.raises(TooLate, match="within 5 s"):
        own.monotonic()
    other = CallClock(clock, 5.0, ended)
    ended.set()
    with pytest.raises(TooLate, match="ended"):
        other.sleep(0.5)


def test_every_wish_to_wait_is_told() -> None:
    told: list[tuple[str, float]] = []
    request = httpx.Request("GET", "https://api.x.example/me")
    for status, headers in (
        (429, {"retry-after": "7"}),
        (503, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}),
        (429, {}),
        (200, {}),
    ):
        listen(lambda host, seconds: told.append((host, seconds)), httpx.Response(status, headers=headers, request=request))
    assert told == [("api.x.example", 7.0), ("api.x.example", 5.0), ("api.x.example", 1.0)]


def test_the_client_follows_nobody_and_waits_for_nobody_long() -> None:
    with polite_client(None, lambda host, seconds: None) as client:
        assert not client.follow_redirects and not client.trust_env
        assert (client.timeout.connect, client.timeout.read) == (5.0, 10.0) and len(client.event_hooks["response"]) == 1
