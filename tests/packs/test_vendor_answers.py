"""What a vendor's answer says: only its own words count, and nothing of the credential is shown."""

from __future__ import annotations

import httpx
import pytest
from keyward.detectors import telegram
from keyward.detectors._vendor_answers import (
    Question,
    Said,
    basic,
    bearer,
    in_header,
    joined,
    member,
    nothing,
    put,
    put_everywhere,
    scopes_of,
    secret_first,
    shown,
)

from keyward.model.credential import Credential, Target
from keyward.model.kind import Kind
from keyward.model.secret import Secret
from keyward.model.verdict import Dead, Live, Restricted, Unknown, Verdict
from keyward.plugin.clock import ManualClock
from keyward.plugin.ports import Call, Hosts, Ports, Reply
from keyward.plugin.shapes import an, b64url, concat, digits

VALUE = an(30).sample(1).text.decode()
HELD = Credential(Kind("x/y"), {"secret": Secret(VALUE.encode()), "id": Secret(b"me")})
PLAIN = Question(
    "https://api.x.example", "/v1/me?limit=1", bearer, ("name", "data"), (Said(401, ('"code":"wrong_key"',)),),
    (Said(403, ('"code":"no_scope"',), "too little"),), who=("name", "team.id"), scopes="scopes", until="ends", used="seen",
    puzzling=(Said(400, ("twofold",), "two meanings"),), known=(Said(400, ("invalid_grant",)),),
)  # fmt: skip


class Watch:
    def __init__(self) -> None:
        self.calls: list[Call] = []

    def before(self, call: Call) -> None:
        self.calls.append(call)

    def after(self, call: Call, outcome: str) -> None:
        pass


def asked(
    question: Question | tuple[Question, ...],
    *answers: httpx.Response,
    credential: Credential = HELD,
    target: Target | None = None,
) -> tuple[Verdict, list[httpx.Request], list[Call]]:
    requests: list[httpx.Request] = []
    target = target or Target()

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answers[min(len(requests), len(answers)) - 1]

    watch = Watch()
    hosts = Hosts(("api.x.example", "eu.x.example", "api.telegram.org")).with_url(target.base_url)
    client = httpx.Client(transport=httpx.MockTransport(answer))
    with Ports(hosts, clock=ManualClock(), fences=(watch,), client=lambda _: client) as ports:
        one = isinstance(question, Question)
        verdict = (put if one else put_everywhere)(question, credential, target, ports)
    return verdict, requests, watch.calls


def test_a_good_answer_tells_account_scopes_and_times() -> None:
    body = {"name": "ann", "team": {"id": 7}, "scopes": ["read", "write"], "ends": "2030-01-01", "seen": "2026-02-03"}
    verdict, (request,), _ = asked(PLAIN, httpx.Response(200, json=body))
    assert isinstance(verdict, Live) and verdict.scopes == ("read", "write")
    assert verdict.principal == "ann, 7, until 2030-01-01, last used 2026-02-03"
    assert str(request.url) == "https://api.x.example/v1/me?limit=1" and request.headers["authorization"] == f"Bearer {VALUE}"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(200, json={"data": []}), Live),
        (httpx.Response(200, json={"data": 0}), Live),
        (httpx.Response(200, json={"data": None}), Unknown),
        (httpx.Response(200, json={"data": [], "error": "internal"}), Unknown),
        (httpx.Response(200, json=["data"]), Unknown),
        (httpx.Response(401, json={"error": {"code": "wrong_key"}}), Dead),
        (httpx.Response(401, text='{"error": { "code" : "WRONG_KEY" }}'), Dead),
        (httpx.Response(401, text='the code is "code":"wrong_key"'), Unknown),
        (httpx.Response(400, json={"error": {"code": "wrong_key"}}), Unknown),
        (httpx.Response(403, json={"error": {"code": "no_scope"}}), Restricted),
        (httpx.Response(403, json={"error": {"code": "other"}}), Unknown),
        (httpx.Response(400, json={"error": "twofold"}), Unknown),
        (httpx.Response(400, json={"error": "invalid_grant"}), Live),
    ],
)
def test_only_the_vendors_own_words_count(answer: httpx.Response, kind: type) -> None:
    assert type(asked(PLAIN, answer)[0]) is kind


def test_what_has_two_meanings_is_told() -> None:
    verdict, *_ = asked(PLAIN, httpx.Response(400, json={"error": "twofold"}))
    assert isinstance(verdict, Unknown) and verdict.reason == "two meanings"


def test_a_vendor_that_plays_the_value_back_is_not_repeated() -> None:
    verdict, *_ = asked(PLAIN, httpx.Response(200, json={"name": f"key {VALUE}", "scopes": [VALUE, "read", "\x1b[2K"]}))
    assert isinstance(verdict, Live) and VALUE not in repr(verdict) and verdict.scopes == ("read",)


def test_without_a_part_that_it_needs_nobody_is_asked() -> None:
    verdict, requests, _ = asked(PLAIN._replace(needs=("secret", "account")), httpx.Response(200, json={"name": "x"}))
    assert isinstance(verdict, Unknown) and "account" in verdict.reason and requests == []


def test_sites_that_do_not_know_each_others_keys() -> None:
    sites = (PLAIN, PLAIN._replace(base="https://eu.x.example"))
    dead, live = httpx.Response(401, json={"code": "wrong_key"}), httpx.Response(200, json={"name": "x"})
    assert isinstance(asked(sites, dead)[0], Dead)
    assert isinstance(asked(sites, dead, live)[0], Live)
    assert isinstance(asked(sites, dead, httpx.Response(404))[0], Unknown)
    assert isinstance(asked(sites, httpx.Response(500), httpx.Response(500), httpx.Response(500), live)[0], Live)
    one, requests, _ = asked(sites, dead, target=Target(base_url="https://own.example"))
    assert isinstance(one, Dead) and [request.url.host for request in requests] == ["own.example"]


def test_the_credential_in_the_path_goes_over_tls_only_and_is_not_told() -> None:
    bot = concat(digits(10), ":AA", b64url(33)).sample(2).text
    credential = Credential(telegram.BOT, {"secret": Secret(bot)})
    question = telegram.QUESTIONS[telegram.BOT]
    verdict, (request,), calls = asked(
        question, httpx.Response(401, json={"description": "Unauthorized"}), credential=credential
    )
    assert isinstance(verdict, Dead) and request.url.path == f"/bot{bot.decode()}/getMe"
    assert [call.what for call in calls] == ["GET /bot…/getMe"] and bot.decode() not in repr(verdict)
    plain = Target(base_url="http://127.0.0.1:8081")
    verdict, requests, _ = asked(question, httpx.Response(200), credential=credential, target=plain)
    assert isinstance(verdict, Unknown) and "TLS" in verdict.reason and requests == []


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("https://x.example", "/api/v1/me", "https://x.example/api/v1/me"),
        ("https://x.example/", "/api/v1/me", "https://x.example/api/v1/me"),
        ("https://x.example/api/v1", "/api/v1/me", "https://x.example/api/v1/me"),
        ("https://x.example/api", "/api/v1/me", "https://x.example/api/v1/me"),
        ("https://x.example/gate/api/v1/", "/api/v1/me", "https://x.example/gate/api/v1/me"),
        ("https://x.example/gate", "/api/v1/me", "https://x.example/gate/api/v1/me"),
        ("http://127.0.0.1:80/v1", "/api/v1/me", "http://127.0.0.1:80/v1/api/v1/me"),
    ],
)
def test_an_operator_writes_the_base_with_or_without_the_beginning_of_the_path(base: str, path: str, url: str) -> None:
    assert "".join(joined(base, path)) == url


def test_how_a_credential_is_sent() -> None:
    assert in_header("x-key", "Token ")(HELD) == {"x-key": f"Token {VALUE}"}
    assert basic(user_part="id")(HELD)["authorization"] == httpx.BasicAuth("me", VALUE)._auth_header
    assert basic("api")(HELD)["authorization"] == httpx.BasicAuth("api", VALUE)._auth_header
    assert secret_first(HELD)["authorization"] == httpx.BasicAuth(VALUE, "")._auth_header
    assert nothing(HELD) == {}


def test_reading_an_answer() -> None:
    assert member({"a": [{"b": 1}]}, "a.0.b") == 1 and member({"a": 1}, "a.b") is None and member([1], "3") is None
    assert shown(" Ann (ci) ") == "Ann (ci)" and shown(True) == "" and shown("a\nb") == "" and len(shown("x" * 200)) == 100
    reply = Reply(200, {"x-scopes": "a, b"}, b"")
    assert scopes_of("header:x-scopes", None, reply) == ("a", "b") == scopes_of("s", {"s": "a b"}, reply)
    assert scopes_of("s", {"s": {"a": 1}}, reply) == () == scopes_of("", {}, reply)
