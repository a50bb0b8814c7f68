"""What is particular to the verifiers of hosting, work, mail, data and agents' services: whom they ask, what they send, and of whom
they believe a refusal. That each recorded answer gives its verdict is the contract's (test_verifiers.py)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

import httpx
import pytest
from keyward.detectors import (
    alibaba,
    cloudflare,
    datadog,
    feishu,
    grafana,
    langfuse,
    mailchimp,
    mapbox,
    qiniu,
    sentry,
    shopify,
    supabase,
    terraform_cloud,
    twilio,
    wecom,
)

from keyward.model.credential import Credential, Target
from keyward.model.kind import Kind
from keyward.model.secret import Secret
from keyward.model.verdict import Dead, Live, Unknown, Verdict
from keyward.plugin.clock import ManualClock
from keyward.plugin.ports import Call, Ports
from keyward.plugin.verifier import Answer, Verifier, ask, hosts_for

PACKS = [
    "airtable",
    "alibaba",
    "asana",
    "assemblyai",
    "brevo",
    "buildkite",
    "circleci",
    "cloudflare",
    "datadog",
    "deepgram",
    "digitalocean",
    "doppler",
    "dropbox",
    "e2b",
    "feishu",
    "figma",
    "firecrawl",
    "gitea",
    "grafana",
    "heroku",
    "hetzner",
    "hubspot",
    "langfuse",
    "launchdarkly",
    "line",
    "linear",
    "linode",
    "mailchimp",
    "mapbox",
    "matrix",
    "neon",
    "netlify",
    "newrelic",
    "notion",
    "okta",
    "pagerduty",
    "pinecone",
    "postman",
    "postmark",
    "pulumi",
    "qiniu",
    "render",
    "resend",
    "scaleway",
    "sentry",
    "shopify",
    "sonarqube",
    "sourcegraph",
    "square",
    "stability",
    "supabase",
    "tavily",
    "terraform_cloud",
    "twilio",
    "vercel",
    "wecom",
]
MODULES = [importlib.import_module(f"keyward.detectors.{name}") for name in PACKS]
KINDS = [(module, kind) for module in MODULES for kind in module.VERIFIES]
OWN = "https://service.example"

SAYING_NOTHING = {
    "a redirect to elsewhere": Answer(302, "", {"location": "https://elsewhere.example/login"}),
    "a redirect that is for ever": Answer(308, "", {"location": "https://elsewhere.example/"}),
    "an empty answer": Answer(200, ""),
    "an empty refusal": Answer(401, ""),
    "an empty ban": Answer(403, ""),
    "a portal": Answer(200, "<html>Sign in to the network</html>"),
    "a portal's refusal": Answer(401, "<html>Sign in</html>"),
    "a gate": Answer(403, "<html>Forbidden</html>"),
    "a proxy": Answer(407, '{"error":"proxy authentication required"}'),
    "an error inside a good answer": Answer(200, '{"error":"something went wrong"}'),
    "a refusal of nobody": Answer(401, '{"error":"denied"}'),
    "a refusal in other words": Answer(403, '{"reason":"quota of the proxy"}'),
    "not there": Answer(404, "Not found"),
    "out of order": Answer(503, '{"message":"maintenance"}'),
    "too many": Answer(429, '{"message":"slow down"}', {"retry-after": "3600"}),
    "cut off": Answer(200, '{"data": [{"id": '),
}


class Seen(NamedTuple):
    """A verdict, the requests that led to it, and what the fences (the audit log) were told."""

    verdict: Verdict
    requests: list[httpx.Request]
    told: list[str]


class Log:
    """A fence that keeps what an audit log would."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def before(self, call: Call) -> None:
        self.told.append(f"{call.what} {call.host} {call.changes}")

    def after(self, call: Call, outcome: str) -> None:
        self.told.append(outcome)


def sample(module: object, kind: Kind) -> dict[str, bytes]:
    """The parts of the kind's fullest sample."""
    samples = [dict(rule.examples[0].sample(0).parts) for rule in module.RULES if rule.kind == kind]  # type: ignore[attr-defined]
    return max(samples, key=len)


def asked(
    module: object,
    kind: Kind,
    answer: Answer | Callable[[httpx.Request], Answer],
    target: Target | None = None,
    parts: Mapping[str, str] | None = None,
) -> Seen:
    """Asks about a sample of a kind, with further parts; the answer may depend on the request."""
    hosts: tuple[str, ...] = module.HOSTS  # type: ignore[attr-defined]
    verifier = Verifier(hosts, module.verify)  # type: ignore[attr-defined]
    held = {**sample(module, kind), **{name: value.encode() for name, value in (parts or {}).items()}}
    credential = Credential(kind, {name: Secret(value) for name, value in held.items()})
    requests: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        given = answer if isinstance(answer, Answer) else answer(request)
        return httpx.Response(given.status, headers=dict(given.headers), content=given.body.encode())

    where, log = target or Target(base_url="" if hosts else OWN), Log()
    # redirects are refused by the transport's own client, as `new_client` makes it
    client = httpx.Client(transport=httpx.MockTransport(reply), follow_redirects=False)
    with Ports(hosts_for(verifier, where), clock=ManualClock(), fences=(log,), client=lambda _: client) as ports:
        return Seen(ask(verifier, credential, where, ports), requests, log.told)


def asked_hosts(seen: Seen) -> list[str]:
    return [request.url.host for request in seen.requests]


@pytest.mark.parametrize("answer", SAYING_NOTHING.values(), ids=SAYING_NOTHING.keys())
def test_an_answer_that_is_not_the_vendors_says_nothing(answer: Answer) -> None:
    wrong = {}
    for module, kind in KINDS:
        seen = asked(module, kind, answer)
        if not isinstance(seen.verdict, Unknown):
            wrong[kind] = seen.verdict
        assert not {host for host in asked_hosts(seen) if host.endswith("elsewhere.example")}, kind
    assert not wrong


def test_every_verifier_sends_only_to_its_own_hosts_and_shows_nobody_the_secret() -> None:
    for module, kind in KINDS:
        parts = {"id": "abcdefghijklmnopqrst"} if kind == supabase.SECRET_KEY else {}
        seen = asked(module, kind, Answer(401, "<html>"), parts=parts)
        held = sample(module, kind)["secret"].decode()
        assert held not in " ".join(seen.told) + repr(seen.verdict), kind
        asks_nobody = kind == cloudflare.ACCOUNT_TOKEN  # without the account's name
        assert bool(seen.requests) != asks_nobody, kind
        for request in seen.requests:
            assert request.method in ("GET", "POST"), kind
            assert request.url.scheme == "https", kind
            in_address = kind in (*mapbox.VERIFIES, *wecom.VERIFIES)
            assert (held in str(request.url)) == in_address, kind
        assert all("True" not in told for told in seen.told), f"{kind}: a verifier changes nothing"


@pytest.mark.parametrize("module", [module for module in MODULES if not module.HOSTS], ids=lambda module: module.__name__)
def test_a_server_of_ones_own_is_asked_only_where_the_operator_says(module: object) -> None:
    for kind in module.VERIFIES:  # type: ignore[attr-defined]
        provider = kind.partition("/")[0]
        seen = asked(module, kind, Answer(200, "{}"), Target())
        assert isinstance(seen.verdict, Unknown) and f"[providers.{provider}]" in seen.verdict.reason
        assert seen.requests == []


def test_the_operators_server_is_asked_below_its_path() -> None:
    seen = asked(
        grafana, grafana.SERVICE_ACCOUNT, Answer(200, '{"id":1,"name":"Main"}'), Target(base_url="https://ops.example/grafana/")
    )
    assert isinstance(seen.verdict, Live) and seen.verdict.principal == "Main"
    assert [str(request.url) for request in seen.requests] == ["https://ops.example/grafana/api/org"]


def test_a_key_is_validated_at_its_own_site_and_else_at_every_site() -> None:
    refused = Answer(403, '{"errors":["Forbidden"]}')
    assert asked_hosts(asked(datadog, datadog.API_KEY, refused, parts={"site": "datadoghq.com"})) == ["api.datadoghq.com"]
    everywhere = asked(datadog, datadog.API_KEY, refused, parts={"site": ""})
    assert isinstance(everywhere.verdict, Dead) and sorted(asked_hosts(everywhere)) == sorted(datadog.HOSTS)
    foreign = asked(datadog, datadog.API_KEY, refused, parts={"site": "attacker.example"})
    assert sorted(asked_hosts(foreign)) == sorted(datadog.HOSTS)


def test_one_site_that_does_not_answer_keeps_a_refusal_of_the_others_from_counting() -> None:
    def answer(request: httpx.Request) -> Answer:
        return Answer(503) if request.url.host == "api.us5.datadoghq.com" else Answer(403, '{"errors":["Forbidden"]}')

    assert isinstance(asked(datadog, datadog.API_KEY, answer, parts={"site": ""}).verdict, Unknown)


def test_the_site_that_knows_a_key_decides() -> None:
    def answer(request: httpx.Request) -> Answer:
        known = request.url.host == "api.sydney.au1.twilio.com"
        return (
            Answer(200, '{"sid":"AC0","friendly_name":"Acme"}')
            if known
            else Answer(401, '{"code":20003,"message":"Authenticate"}')
        )

    seen = asked(twilio, twilio.AUTH, answer)
    assert isinstance(seen.verdict, Live) and seen.verdict.evidence.host == "api.sydney.au1.twilio.com"


@pytest.mark.parametrize(
    ("module", "kind", "refusal", "site"),
    [
        (sentry, sentry.USER, '{"detail":"Invalid token"}', "sentry.io"),
        (terraform_cloud, terraform_cloud.TOKEN, '{"errors":[{"status":"401","title":"unauthorized"}]}', "app.terraform.io"),
        (
            langfuse,
            langfuse.KEY,
            '{"message":"Invalid credentials. Confirm that you\'ve configured the correct host."}',
            "cloud.langfuse.com",
        ),
    ],
    ids=["sentry", "terraform", "langfuse"],
)
def test_the_public_sites_refusal_counts_only_of_its_own(module: object, kind: Kind, refusal: str, site: str) -> None:
    refused = Answer(401, refusal)
    nobodys = asked(module, kind, refused, parts={"host": ""})
    assert isinstance(nobodys.verdict, Unknown) and "base_url" in nobodys.verdict.reason
    assert isinstance(asked(module, kind, refused, parts={"host": site}).verdict, Dead)
    own = asked(module, kind, refused, Target(base_url=OWN), {"host": ""})
    assert isinstance(own.verdict, Dead) and set(asked_hosts(own)) == {"service.example"}


def test_a_host_beside_a_key_never_gets_it() -> None:
    for module, kind in ((sentry, sentry.USER), (langfuse, langfuse.KEY), (terraform_cloud, terraform_cloud.TOKEN)):
        seen = asked(module, kind, Answer(401, "{}"), parts={"host": "attacker.example"})
        assert seen.requests and set(asked_hosts(seen)) <= set(module.HOSTS)


def test_an_organisations_token_of_another_sentry_is_sent_nowhere() -> None:
    import base64

    held = sample(sentry, sentry.ORGANISATION)["secret"].split(b"_")
    held[1] = base64.b64encode(base64.b64decode(held[1]).replace(b"https://sentry.io", b"https://sentry.ops"))
    seen = asked(sentry, sentry.ORGANISATION, Answer(200, "{}"), parts={"secret": b"_".join(held).decode()})
    assert isinstance(seen.verdict, Unknown) and seen.requests == []


def test_a_project_key_is_asked_about_at_the_project_that_it_names() -> None:
    seen = asked(supabase, supabase.SERVICE_ROLE, Answer(200, '{"external":{"email":true}}'))
    assert isinstance(seen.verdict, Live)
    host = seen.requests[0].url.host
    assert host.endswith(".supabase.co") and host != "api.supabase.com"
    nobodys = asked(supabase, supabase.SECRET_KEY, Answer(200, "{}"))
    assert isinstance(nobodys.verdict, Unknown) and nobodys.requests == []
    strange = asked(supabase, supabase.SECRET_KEY, Answer(200, "{}"), parts={"id": "x.attacker.example/a"})
    assert isinstance(strange.verdict, Unknown) and strange.requests == []


def test_a_mail_key_is_asked_about_at_the_data_centre_at_its_end() -> None:
    seen = asked(
        mailchimp,
        mailchimp.API_KEY,
        Answer(200, '{"account_id":"1","account_name":"Acme"}'),
        parts={"secret": "0" * 32 + "-us7"},
    )
    assert isinstance(seen.verdict, Live) and asked_hosts(seen) == ["us7.api.mailchimp.com"]
    assert (
        asked(mailchimp, mailchimp.API_KEY, Answer(200, "{}"), parts={"secret": "0" * 32 + "-us7.attacker.example"}).requests
        == []
    )


def test_a_token_that_may_be_an_accounts_is_not_called_dead_without_the_account() -> None:
    invalid = Answer(401, '{"success":false,"errors":[{"code":1000,"message":"Invalid API Token"}],"result":null}')
    assert isinstance(asked(cloudflare, cloudflare.TOKEN, invalid).verdict, Unknown)
    both = asked(cloudflare, cloudflare.TOKEN, invalid, Target(options={"account_id": "0" * 32}))
    assert isinstance(both.verdict, Dead)
    assert [request.url.path for request in both.requests] == [
        "/client/v4/user/tokens/verify", f"/client/v4/accounts/{'0' * 32}/tokens/verify",
    ]  # fmt: skip
    assert isinstance(asked(cloudflare, cloudflare.USER_TOKEN, invalid).verdict, Dead)


def test_the_site_that_knows_an_app_decides_over_the_one_that_does_not() -> None:
    def answer(request: httpx.Request) -> Answer:
        knows = request.url.host == "open.feishu.cn"
        return Answer(200, '{"code":10014,"msg":"app secret invalid"}' if knows else '{"code":10003,"msg":"invalid param"}')

    assert isinstance(asked(feishu, feishu.APP, answer).verdict, Dead)
    neither = asked(feishu, feishu.APP, Answer(200, '{"code":10003,"msg":"invalid param"}'))
    assert isinstance(neither.verdict, Unknown) and len(neither.requests) == 2


def test_tokens_that_a_vendor_hands_out_for_a_pair_are_not_shown() -> None:
    made = "t-" + "x" * 30
    for module, kind, answer in (
        (feishu, feishu.APP, f'{{"code":0,"tenant_access_token":"{made}"}}'),
        (wecom, wecom.APP, f'{{"errcode":0,"access_token":"{made}"}}'),
    ):
        seen = asked(module, kind, Answer(200, answer))
        assert isinstance(seen.verdict, Live) and made not in repr(seen)


def test_a_plain_address_never_carries_a_credential() -> None:
    for module, kind in ((mapbox, mapbox.SECRET), (wecom, wecom.APP)):
        seen = asked(module, kind, Answer(200, "{}"), Target(base_url="http://127.0.0.1:8080"))
        assert isinstance(seen.verdict, Unknown) and seen.requests == []


def test_a_shops_token_is_asked_about_at_the_operators_shop() -> None:
    scopes = Answer(200, '{"access_scopes":[{"handle":"read_products"}]}')
    seen = asked(shopify, shopify.TOKEN, scopes, Target(base_url="https://acme.myshopify.com"))
    assert isinstance(seen.verdict, Live) and asked_hosts(seen) == ["acme.myshopify.com"]


def test_alibabas_published_example_is_signed_as_published() -> None:
    # https://help.aliyun.com/document_detail/28839.html
    fields = {
        "AccessKeyId": "testid",
        "Action": "DescribeRegions",
        "Format": "XML",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
        "SignatureVersion": "1.0",
        "Timestamp": "2016-02-23T12:46:24Z",
        "Version": "2014-05-26",
    }
    assert alibaba.sign("GET", fields, "testsecret") == "OLeaidS1JvxuMvny" + "HOwuJ+uX5qY="


def test_alibabas_request_is_signed_and_carries_no_secret() -> None:
    from urllib.parse import parse_qsl

    seen = asked(alibaba, alibaba.TEMPORARY, Answer(200, '{"Arn":"acs:sts::1:assumed-role/ci/x"}'))
    assert isinstance(seen.verdict, Live) and seen.verdict.principal == "acs:sts::1:assumed-role/ci/x"
    held, sent = sample(alibaba, alibaba.TEMPORARY), dict(parse_qsl(seen.requests[0].content.decode()))
    assert sent["SecurityToken"] == held["session_token"].decode() and held["secret"] not in seen.requests[0].content
    signature = sent.pop("Signature")
    assert signature == alibaba.sign("POST", sent, held["secret"].decode())
    assert seen.requests[0].url.query == b""


def test_qinius_published_example_is_signed_as_published() -> None:
    # https://developer.qiniu.com/kodo/1201/access-token
    path = "/move/bmV3ZG9jczpmaW5kX21hbi50eHQ=/bmV3ZG9jczpmaW5kLm1hbi50eHQ="
    assert qiniu.sign("MY_ACCESS_KEY", "MY_SECRET_KEY", path) == "QBox MY_ACCESS_KEY:" + "FXsYh0wKHYPE" + "sIAgdPD9OfjkeEM="
