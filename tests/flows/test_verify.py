"""A scan's findings are asked about: once each, at the issuer alone, and nothing of a value stays behind."""

from __future__ import annotations

import functools
import io
import json
import logging
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import httpx
import pytest
from tests_support import token

from keyward.errors import ConfigError
from keyward.flows.scan import ScanOptions, scan
from keyward.flows.verify import Means, ask_one, open_setting, verified
from keyward.model.finding import Outcome
from keyward.model.kind import Kind
from keyward.model.secret import Secret
from keyward.model.verdict import Dead, Live, Restricted, Unknown, Verdict
from keyward.plugin.clock import ManualClock, SystemClock
from keyward.plugin.shapes import an, b64url, concat, digits, hexa
from keyward.verify.client import Busy, listen
from keyward.verify.pace import Limits

HERE = Path(__file__).resolve().parents[2]
Answers = Callable[[httpx.Request], httpx.Response]
QUICK = Limits(apart=0.0, call=20.0, whole=20.0)


class Provider:
    """Answers in place of the network, and keeps what it was asked."""

    def __init__(self, answer: Answers) -> None:
        self.answer = answer
        self.asked: list[httpx.Request] = []
        self._lock = threading.Lock()

    def client(self, tls: object, busy: Busy) -> httpx.Client:
        """A client that tells who asks to wait, and whose network is this."""
        hooks = {"response": [functools.partial(listen, busy)]}
        return httpx.Client(transport=httpx.MockTransport(self._handle), event_hooks=hooks, follow_redirects=False)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.asked.append(request)
        return self.answer(request)


def github(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"login": "octocat"}, headers={"x-oauth-scopes": "repo"})


@pytest.fixture
def place(environment: None, tmp_path: Path) -> Path:
    """An empty project; keyward's own folders beside it."""
    for name in ("project", "answers"):
        (tmp_path / name).mkdir()
    return tmp_path / "project"


def found(place: Path, **files: bytes) -> Outcome:
    for name, content in files.items():
        (place / name).write_bytes(content)
    return scan(ScanOptions(paths=(str(place),), baseline="", jobs=1))


def ask(outcome: Outcome, provider: Provider, config: Path | None = None, databases: bool = False, **means: object) -> Outcome:
    folder = str(Path(os.environ["KEYWARD_STATE"]).parent / "answers")
    given = Means(clock=ManualClock(), limits=QUICK, client=provider.client, folder=folder)._replace(**means)  # type: ignore[arg-type]
    path = str(config) if config else None
    return verified(outcome, config=path, databases=databases, progress=lambda done, total: None, means=given)


def verdicts(outcome: Outcome) -> list[Verdict | None]:
    return [finding.verdict for finding in outcome.findings]


def operator(place: Path, text: str) -> Path:
    path = place.parent / "operator.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_a_secret_is_asked_about_once_however_often_it_stands(place: Path) -> None:
    value = token(1)
    outcome = found(place, a=b"GITHUB_TOKEN=" + value + b"\n", b=b"token: " + value + b"\n")
    provider = Provider(github)
    after = ask(outcome, provider)
    assert [type(verdict) for verdict in verdicts(after)] == [Live]
    verdict = after.findings[0].verdict
    assert isinstance(verdict, Live) and (verdict.principal, verdict.scopes) == ("octocat", ("repo",))
    assert [(each.method, str(each.url)) for each in provider.asked] == [("GET", "https://api.github.com/user")]
    assert provider.asked[0].headers["authorization"] == f"Bearer {value.decode()}"


def test_a_second_run_within_minutes_asks_nobody_and_a_later_one_does(place: Path) -> None:
    outcome = found(place, a=b"GITHUB_TOKEN=" + token(2) + b"\n")
    provider, clock = Provider(github), ManualClock()
    first = ask(outcome, provider, clock=clock)
    clock.sleep(300)
    assert verdicts(ask(outcome, provider, clock=clock)) == verdicts(first)
    assert len(provider.asked) == 1
    clock.sleep(600)
    ask(outcome, provider, clock=clock)
    assert len(provider.asked) == 2


def test_unknown_is_not_remembered(place: Path) -> None:
    outcome = found(place, a=b"GITHUB_TOKEN=" + token(3) + b"\n")
    answers = iter([httpx.Response(404, json={"message": "Not Found"}), httpx.Response(200, json={"login": "x"})])
    provider = Provider(lambda request: next(answers))
    assert isinstance(verdicts(ask(outcome, provider))[0], Unknown)
    assert isinstance(verdicts(ask(outcome, provider))[0], Live)


def test_an_interrupted_run_goes_on_where_it_was(place: Path) -> None:
    outcome = found(place, a=b"\n".join(b"GITHUB_TOKEN=" + token(10 + number) for number in range(4)))
    stop = threading.Event()
    provider = Provider(github)

    def interrupted(done: int, total: int) -> None:
        if done >= 2:
            stop.set()
            raise KeyboardInterrupt

    slow = Limits(threads=1, apart=0.05, call=20.0, whole=20.0)
    given = Means(limits=slow, client=provider.client, folder=str(place.parent / "answers"))
    with pytest.raises(KeyboardInterrupt):
        verified(outcome, progress=interrupted, means=given)
    before = len(provider.asked)
    assert stop.is_set() and 2 <= before <= 4
    after = verified(outcome, progress=lambda done, total: None, means=given)
    assert all(isinstance(verdict, Live) for verdict in verdicts(after))
    assert len(provider.asked) <= 5, "at most the one that was under way is asked again"


def test_a_host_that_asks_to_wait_is_left_alone_for_that_time(place: Path) -> None:
    outcome = found(place, a=b"\n".join(b"GITHUB_TOKEN=" + token(20 + number) for number in range(3)))
    clock, times = ManualClock(), list[float]()

    def answer(request: httpx.Request) -> httpx.Response:
        times.append(clock.now())
        return httpx.Response(429, headers={"retry-after": "12"}) if len(times) == 1 else github(request)

    provider = Provider(answer)
    after = ask(outcome, provider, clock=clock, limits=Limits(threads=1, apart=0.0, call=50.0, whole=500.0))
    assert [type(verdict) for verdict in verdicts(after)] == [Live, Live, Live]
    assert times[1] - times[0] >= 12


def test_one_deadline_for_all(place: Path) -> None:
    outcome = found(place, a=b"GITHUB_TOKEN=" + token(30) + b"\n")
    provider = Provider(lambda request: httpx.Response(429, headers={"retry-after": "9000"}))
    (verdict,) = verdicts(ask(outcome, provider))
    assert isinstance(verdict, Unknown) and verdict.retry_after == 9000
    assert len(provider.asked) == 1


def test_an_answer_that_drips_in_ends_with_the_calls_time(place: Path) -> None:
    outcome = found(place, a=b"GITHUB_TOKEN=" + token(31) + b"\n")
    clock = ManualClock()

    class Drip(httpx.SyncByteStream):
        def __iter__(self) -> Iterable[bytes]:  # type: ignore[override]
            for _ in range(1000):
                clock.sleep(1.0)
                yield b" "

    provider = Provider(lambda request: httpx.Response(200, stream=Drip()))
    (verdict,) = verdicts(ask(outcome, provider, clock=clock, limits=Limits(call=10.0, whole=5000.0)))
    assert isinstance(verdict, Unknown) and "no answer within 10 s" in verdict.reason


def test_nobody_follows_a_redirect(place: Path) -> None:
    outcome = found(place, a=b"GITHUB_TOKEN=" + token(32) + b"\n")
    provider = Provider(lambda request: httpx.Response(302, headers={"location": "https://evil.example/"}))
    assert isinstance(verdicts(ask(outcome, provider))[0], Unknown)
    assert {each.url.host for each in provider.asked} == {"api.github.com"}


def test_a_value_that_is_gone_is_unknown_and_nobody_is_asked(place: Path) -> None:
    outcome = found(place, a=b"GITHUB_TOKEN=" + token(33) + b"\n")
    (place / "a").write_bytes(b"GITHUB_TOKEN=" + token(34) + b"\n")
    provider = Provider(github)
    (verdict,) = verdicts(ask(outcome, provider))
    assert isinstance(verdict, Unknown) and "no longer there" in verdict.reason and provider.asked == []


def test_a_secret_that_may_be_of_two_issuers_goes_to_neither(place: Path) -> None:
    value = b"sk-" + hexa(32).sample(9).text
    outcome = found(place, a=b"DEEPSEEK_API_KEY=" + value + b"\n", b=b"DASHSCOPE_API_KEY=" + value + b"\n")
    provider = Provider(github)
    (verdict,) = verdicts(ask(outcome, provider))
    assert isinstance(verdict, Unknown) and "deepseek/api-key and dashscope/api-key" in verdict.reason.replace(
        "dashscope/api-key and deepseek/api-key", "deepseek/api-key and dashscope/api-key"
    )
    assert provider.asked == []


def test_credentials_of_several_parts_are_read_again_by_many_threads(place: Path) -> None:
    bots = [concat(digits(10), ":AA", b64url(33)).sample(50 + number).text for number in range(12)]
    outcome = found(place, a=b"\n".join(b"TELEGRAM_BOT_TOKEN=" + bot for bot in bots))
    provider = Provider(lambda request: httpx.Response(200, json={"ok": True, "result": {"id": 1, "username": "x_bot"}}))
    after = ask(outcome, provider, limits=Limits(per_host=8, apart=0.0, call=60.0, whole=60.0), clock=SystemClock())
    assert len(after.findings) == 12 and all(isinstance(verdict, Live) for verdict in verdicts(after))
    assert {request.url.path for request in provider.asked} == {f"/bot{bot.decode()}/getMe" for bot in bots}


def test_a_kind_that_nobody_can_be_asked_about(place: Path) -> None:
    signing = b"SLACK_SIGNING_SECRET=" + hexa(32).sample(1).text + b"\n"
    (verdict,) = verdicts(ask(found(place, a=signing), Provider(github)))
    assert isinstance(verdict, Unknown) and "no provider can be asked about a slack/signing-secret" in verdict.reason


def test_the_operators_own_server_is_asked_instead(place: Path) -> None:
    outcome = found(place, a=b"GITLAB_TOKEN=glpat-" + b64url(20).sample(3).text + b"\n")
    provider = Provider(lambda request: httpx.Response(200, json={"id": 1, "user_id": 2, "active": True, "scopes": ["api"]}))
    config = operator(place, '[providers.gitlab]\nbase_url = "https://gitlab.internal"\n')
    (verdict,) = verdicts(ask(outcome, provider, config))
    assert isinstance(verdict, Live) and {each.url.host for each in provider.asked} == {"gitlab.internal"}


ACCOUNT = "023e105f4ecef8ad9ca31a8372d0c353"
ACTIVE = {"success": True, "errors": [], "result": {"id": "ed17574386854bf78a67040be0a770b0", "status": "active"}}


def cloudflare(request: httpx.Request) -> httpx.Response:
    if request.url.path == f"/client/v4/accounts/{ACCOUNT}/tokens/verify":
        return httpx.Response(200, json=ACTIVE)
    return httpx.Response(
        401, json={"success": False, "errors": [{"code": 1000, "message": "Invalid API Token"}], "result": None}
    )


def test_the_account_that_the_operator_names_is_asked(place: Path) -> None:
    """The provider's options come from the operator's configuration, for a scan's findings and for a value alone."""
    leaked = b"CLOUDFLARE_API_TOKEN=cfat_" + an(40).sample(3).text + hexa(8).sample(3).text + b"\n"
    outcome = found(place, a=leaked)
    provider = Provider(cloudflare)
    (verdict,) = verdicts(ask(outcome, provider))
    assert isinstance(verdict, Unknown) and "account_id" in verdict.reason
    config = operator(place, f'[verify.options.cloudflare]\naccount_id = "{ACCOUNT}"\n')
    (verdict,) = verdicts(ask(outcome, provider, config))
    assert isinstance(verdict, Live) and provider.asked[-1].url.path.endswith(f"/{ACCOUNT}/tokens/verify")
    other = operator(place, f'[verify.options.cloudflare]\naccount_id = "{ACCOUNT[::-1]}"\n')
    (verdict,) = verdicts(ask(outcome, provider, other))
    assert isinstance(verdict, Dead), "an answer for one account is not remembered for another"
    kind = Kind(outcome.findings[0].kind)
    means = Means(clock=ManualClock(), limits=QUICK, client=provider.client)
    value = Secret(leaked.partition(b"=")[2].strip())
    config = operator(place, f'[verify.options.cloudflare]\naccount_id = "{ACCOUNT}"\n')
    assert isinstance(ask_one(kind, {"secret": value}, open_setting(str(config), False), means), Live)


def test_the_project_that_the_operator_names_is_asked(place: Path) -> None:
    leaked = b"SUPABASE_SECRET_KEY=sb_secret_" + b64url(22).sample(3).text + b"_" + an(8).sample(4).text + b"\n"
    outcome = found(place, a=leaked)
    provider = Provider(lambda request: httpx.Response(200, json={"external": {"email": True}}))
    (verdict,) = verdicts(ask(outcome, provider))
    assert isinstance(verdict, Unknown) and "project" in verdict.reason and provider.asked == []
    config = operator(place, '[verify.options.supabase]\nproject = "abcdefghijklmnopqrst"\n')
    (verdict,) = verdicts(ask(outcome, provider, config))
    assert isinstance(verdict, Live) and [each.url.host for each in provider.asked] == ["abcdefghijklmnopqrst.supabase.co"]


VAULT = """
[providers.vault]
base_url = "https://vault.internal:8200"
[verify.options.vault]
namespace = "team"
[stores.own]
type = "memory"
"""


def test_an_address_and_options_go_together(place: Path) -> None:
    leaked = b"VAULT_TOKEN=hvs." + b64url(95).sample(5).text + b"\n"
    provider = Provider(lambda request: httpx.Response(200, json={"data": {"accessor": "x", "policies": ["p"], "ttl": 60}}))
    ask(found(place, a=leaked), provider, operator(place, VAULT))
    (asked,) = provider.asked
    assert (asked.url.host, asked.headers["x-vault-namespace"]) == ("vault.internal", "team")


LANES = """
[stores.own]
type = "memory"
[lanes.one]
credentials = [{ name = "a", kind = "vault/token", target = { base_url = "https://v.internal", options = { namespace = "n1" } } }]
[lanes.two]
credentials = [{ name = "a", kind = "vault/token", target = { base_url = "https://v.internal", options = { namespace = "NS" } } }]
[lanes.three]
credentials = [{ name = "a", kind = "cloudflare/account-api-token", target = { options = { account_id = "0123" } } }]
"""


@pytest.mark.parametrize(("second", "namespace"), [("n1", "n1"), ("n2", None)])
def test_options_of_lanes_hold_where_they_agree(place: Path, second: str, namespace: str | None) -> None:
    """A leaked value does not tell whose it is, so an option that two entries dispute is none."""
    leaked = b"VAULT_TOKEN=hvs." + b64url(95).sample(5).text + b"\n"
    provider = Provider(lambda request: httpx.Response(200, json={"data": {"accessor": "x", "policies": ["p"], "ttl": 60}}))
    ask(found(place, a=leaked), provider, operator(place, LANES.replace("NS", second)))
    assert [each.headers.get("x-vault-namespace") for each in provider.asked] == [namespace]


def test_the_account_of_a_lane_is_not_taken_for_that_of_every_leak(place: Path) -> None:
    """Asked about in another account than its own, a good token would be called dead."""
    leaked = b"CLOUDFLARE_API_TOKEN=cfat_" + an(40).sample(3).text + hexa(8).sample(3).text + b"\n"
    (verdict,) = verdicts(ask(found(place, a=leaked), Provider(cloudflare), operator(place, LANES)))
    assert isinstance(verdict, Unknown)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[verify.options.cloudflare]\naccount = "x"\n', "account_id"),
        ('[verify.options.cloudflair]\naccount_id = "x"\n', "cloudflare"),
        ('[verify.options.cloudflare]\naccount_id = ""\n', "is empty"),
        ("[verify.options.cloudflare]\naccount_id = 7\n", "must be text"),
        ("[verify.options]\ncloudflare = 7\n", "must be a table"),
    ],
)
def test_what_is_wrong_with_options_is_said(place: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        open_setting(str(operator(place, text)), False)
    assert said in f"{raised.value} {raised.value.hint}"


def test_every_option_that_a_verifier_asks_for_can_be_given() -> None:
    """Read from the detectors' own text, so that none is forgotten; the page lists the same."""
    import re

    from keyward.verify.options import OPTIONS

    asked: dict[str, set[str]] = {}
    for path in (HERE / "detectors").glob("[a-z]*.py"):
        names = re.findall(r"options\.get\(\"(\w+)\"", path.read_text())
        if names:
            asked[path.stem] = set(names)
    # a server's own way to be checked is said with that server, in a lane: the CA, the TLS mode, the host key
    pinned = {"tls_ca", "sslmode", "host_key"}
    assert {name: keys - pinned for name, keys in asked.items() if keys - pinned} == {k: set(v) for k, v in OPTIONS.items()}
    page = (HERE / "docs" / "verify.md").read_text()
    for name, keys in OPTIONS.items():
        assert all(f"| `{name}` | `{key}` |" in page for key in keys)


def url(host: str, seed: int = 1) -> bytes:
    return b"DATABASE_URL=postgresql://svc:" + an(24).sample(seed).text + b"@" + host.encode() + b"/orders\n"


def test_connection_strings_need_a_flag_and_a_public_or_named_host(place: Path) -> None:
    outcome = found(place, a=url("10.9.8.7:6000"))
    provider = Provider(github)
    (verdict,) = verdicts(ask(outcome, provider))
    assert isinstance(verdict, Unknown) and "--verify-databases" in verdict.reason
    (verdict,) = verdicts(ask(outcome, provider, databases=True))
    assert (
        isinstance(verdict, Unknown) and "10.9.8.7 is not a public address" in verdict.reason and "[verify]" in verdict.reason
    )


def test_a_named_private_host_is_asked_at_the_strings_own_port(place: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        server.settimeout(10)
        greeted: list[bytes] = []

        def listen() -> None:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(10)
                greeted.append(connection.recv(8))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        outcome = found(place, a=url(f"127.0.0.1:{port}"))
        config = operator(place, '[verify]\nhosts = ["127.0.0.1"]\n')
        (verdict,) = verdicts(ask(outcome, Provider(github), config, databases=True))
        thread.join(10)
    assert isinstance(verdict, Unknown) and f"127.0.0.1:{port}" in verdict.reason
    assert greeted and greeted[0].startswith(b"\0\0\0\x08"), "it asked for TLS first"


def test_nothing_of_a_value_stays_behind(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Every log line at the lowest level, every file that the run wrote, and the report."""
    bot = concat(digits(10), ":AA", b64url(33)).sample(5).text
    outcome = found(place, a=b"TELEGRAM_BOT_TOKEN=" + bot + b"\nGITHUB_TOKEN=" + token(40) + b"\n")

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "api.telegram.org":
            assert request.url.path == f"/bot{bot.decode()}/getMe" and request.url.scheme == "https"
            return httpx.Response(200, json={"ok": True, "result": {"id": 1, "username": bot.decode()}})
        return httpx.Response(401, text=f"token {token(40).decode()} is bad")

    with caplog.at_level(logging.DEBUG):
        after = ask(outcome, Provider(answer))
    assert {type(verdict) for verdict in verdicts(after)} == {Live, Unknown}
    folders = (place.parent, Path(os.environ["KEYWARD_CACHE"]))
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.parent != place]
    written = [path.read_bytes() for path in files]
    assert any(b"api.telegram.org" in content for content in written), "the answer was remembered"
    seen = b"\n".join([*written, caplog.text.encode(), repr(after).encode()])
    for value in (bot, bot.split(b":")[1], token(40)):
        assert value not in seen
    for finding in outcome.findings:
        assert finding.fingerprint.encode() not in b"".join(written)


def test_what_is_remembered_is_for_this_user_alone_and_not_believed_of_others(place: Path) -> None:
    outcome = found(place, a=b"GITHUB_TOKEN=" + token(41) + b"\n")
    provider = Provider(github)
    ask(outcome, provider)
    kept = place.parent / "answers" / "verdicts.json"
    assert os.stat(kept).st_mode & 0o777 == 0o600
    (entry,) = json.loads(kept.read_text()).values()
    assert set(entry) == {"state", "evidence", "principal", "scopes", "about"}
    kept.chmod(0o666)
    ask(outcome, provider)
    assert len(provider.asked) == 2


def test_a_value_on_its_own(place: Path) -> None:
    provider = Provider(lambda request: httpx.Response(401, json={"message": "Bad credentials"}))
    means = Means(clock=ManualClock(), limits=QUICK, client=provider.client)
    verdict = ask_one(Kind("github/pat-classic"), {"secret": Secret(token(42))}, open_setting(None, False), means)
    assert isinstance(verdict, Dead)


def test_a_member_of_an_archive_or_an_unreadable_place_is_unknown(place: Path) -> None:
    reading = io.BytesIO(b"GITHUB_TOKEN=" + token(43) + b"\n")
    outcome = scan(ScanOptions(paths=("-",), baseline="", jobs=1), stdin=reading.read)
    (verdict,) = verdicts(ask(outcome, Provider(github)))
    assert isinstance(verdict, Unknown)


def test_a_restricted_one(place: Path) -> None:
    outcome = found(place, a=b"GITHUB_TOKEN=" + token(44) + b"\n")
    provider = Provider(
        lambda request: httpx.Response(403, json={"message": "Resource protected by organization SAML enforcement."})
    )
    assert isinstance(verdicts(ask(outcome, provider))[0], Restricted)
