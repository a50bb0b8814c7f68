"""AWS: the rotator through botocore and the verifier with its own signature, against a real moto server with its shim."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from keyward.detectors import aws as detector
from keyward.detectors._aws_signature import Signer, signed_headers
from keyward.rotators import _aws_iam
from keyward.rotators.aws import ROTATORS
from servers_support import Lane, assert_silent, parts, secret, started

from keyward.errors import HostRefused, Refused, SlotsFull, Throttled, Uncertain, Unreachable
from keyward.model.credential import SecretParts, Target
from keyward.model.verdict import Dead, Live, Unknown
from keyward.plugin.clock import ManualClock, SystemClock
from keyward.testing.fakes.server import Fault
from keyward.testing.servers.moto import ACCOUNT, AccessKey, Moto, element

ROTATOR = ROTATORS[0]
READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
NAMES = (f"user{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def server() -> Iterator[Moto]:
    with started(Moto()) as running:
        yield running


@pytest.fixture
def moto(server: Moto) -> Iterator[Moto]:
    server.seen.clear()
    yield server
    server.faults.clear()
    server.propagation = server.settle = 0.0


def key_parts(key: AccessKey) -> SecretParts:
    return parts(id=key.id, secret=key.secret)


def lane_at(moto: Moto, admin: AccessKey | None = None, clock: Any = None, url: str = "", **scope: object) -> Lane:
    scope.setdefault("user", next(NAMES))
    target = Target(url or moto.url)
    return Lane(
        ROTATOR, "aws/access-key", target, admin=key_parts(admin or moto.admin), scope=scope, clock=clock or SystemClock()
    )


def user_of(lane: Lane) -> str:
    return str(lane.entry.scope["user"])


def lane_admin(lane: Lane) -> AccessKey:
    return AccessKey(lane.job.admin_text("id"), lane.job.admin_text("secret"), "")


def provisioned(moto: Moto, **scope: object) -> Lane:
    lane = lane_at(moto, **scope)
    list(ROTATOR.provision(lane.job, apply=True))
    return lane


def test_the_signature_is_botocores() -> None:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    body, kind = b"Action=GetCallerIdentity&Version=2011-06-15", "application/x-www-form-urlencoded; charset=utf-8"
    for url in (
        "https://sts.amazonaws.com/",
        "http://127.0.0.1:4566/",
        "https://sts.cn-north-1.amazonaws.com.cn:443/",
        "https://x/y/",
    ):
        for token in ("", "t" * 40 + "=="):
            signer = Signer("AKIA" + "A" * 16, "s/+" * 13 + "x", "eu-west-1", "sts", token)
            ours = signed_headers(signer, url, body, 1_790_000_000.0, kind)
            request = AWSRequest("POST", url, data=body, headers={"Content-Type": kind})
            request.context["timestamp"] = "20260921T141320Z"
            auth = SigV4Auth(Credentials(signer.id, signer.secret, token or None), "sts", "eu-west-1")
            request.headers["X-Amz-Date"] = ours["x-amz-date"]
            if token:
                request.headers["X-Amz-Security-Token"] = token
            request.headers["Host"] = urlsplit(url).netloc.removesuffix(":443")
            assert request.context["timestamp"] == ours["x-amz-date"]
            text = auth.string_to_sign(request, auth.canonical_request(request))
            assert auth.signature(text, request) == ours["authorization"].rpartition("=")[2]


def test_a_key_is_replaced(moto: Moto) -> None:
    lane = provisioned(moto, policy=READ)
    old = moto.make_key(user_of(lane))
    assert ROTATOR.identify(lane.job, key_parts(old)) == old.id
    before = ROTATOR.inventory(lane.job)
    assert (before.ids(), before.lane_owned) == ({old.id}, True)
    assert before.principal == f"arn:aws:iam::{ACCOUNT}:user/keyward/lane/{user_of(lane)}"
    moto.seen.clear()
    lane.watch.calls.clear()
    new = ROTATOR.issue(lane.job, {}, key_parts(old))
    assert set(new.parts) == {"id", "secret"} and new.parts["id"] == secret(new.id)
    assert ROTATOR.inventory(lane.job).ids() == {old.id, new.id}
    live = lane.verify(detector, new.parts)
    assert isinstance(live, Live) and live.principal == before.principal and live.evidence.public_id == new.id
    for _ in range(2):
        ROTATOR.disable(lane.job, old.id, key_parts(old))
    assert moto.keys(user_of(lane)) == {old.id: "Inactive", new.id: "Active"}
    assert isinstance(lane.verify(detector, key_parts(old)), Dead)
    ROTATOR.enable(lane.job, old.id, key_parts(old))
    assert isinstance(lane.verify(detector, key_parts(old)), Live)
    for _ in range(2):
        ROTATOR.revoke(lane.job, old.id, {})
        ROTATOR.end_sessions(lane.job, old.id, {})
    ROTATOR.disable(lane.job, old.id, {})
    assert moto.keys(user_of(lane)) == {new.id: "Active"}
    assert isinstance(lane.verify(detector, key_parts(old)), Dead)
    assert isinstance(lane.verify(detector, new.parts), Live)
    with pytest.raises(Refused, match="gone"):
        ROTATOR.enable(lane.job, old.id, {})
    seen = [f"iam:{each.label}" for each in moto.changes]
    assert seen == lane.watch.changes, "every change passed a fence, and each fence saw one"
    assert seen.count("iam:CreateAccessKey") == 1


def test_verify(moto: Moto) -> None:
    lane = lane_at(moto)
    key = moto.make_key(moto.make_user(user_of(lane)))
    mixed = lane.verify(detector, parts(id=key.id, secret="x" * 40))
    assert isinstance(mixed, Unknown) and "does not fit" in mixed.reason
    assert isinstance(lane.verify(detector, parts(id="AKIA" + "Q" * 16, secret=key.secret)), Dead)
    assert isinstance(lane.verify(detector, parts(secret=key.secret)), Unknown)
    assert isinstance(lane.verify(detector, parts(id="ASIA" + "Q" * 16, secret=key.secret)), Unknown)
    assert key.secret not in repr(lane.verify(detector, key_parts(key)))
    moto.fail(Fault("429", times=9))
    busy = lane.verify(detector, key_parts(key))
    assert busy == Unknown("AWS asks to wait", 1.0)


def test_a_denied_user_still_has_a_live_key_and_a_temporary_key_needs_its_token(moto: Moto) -> None:
    lane = lane_at(moto)
    key = moto.make_key(moto.make_user(user_of(lane), "AWSDenyAll"))
    assert isinstance(lane.verify(detector, key_parts(key)), Live)
    moto.act(
        "CreateRole", RoleName=user_of(lane), AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []})
    )
    text = moto.act("AssumeRole", "sts", RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{user_of(lane)}", RoleSessionName="x")
    temporary = parts(
        id=element(text, "AccessKeyId"), secret=element(text, "SecretAccessKey"), session_token=element(text, "SessionToken")
    )
    live = lane.verify(detector, temporary)
    assert isinstance(live, Live) and "assumed-role" in live.principal
    with pytest.raises(Refused, match="temporary"):
        ROTATOR.identify(lane.job, temporary)
    with pytest.raises(Refused, match="AccessDenied"):  # accepted, though without rights: the token was sent along
        ROTATOR.inventory(lane.job._replace(admin=temporary))


def test_a_key_is_dead_only_when_every_partition_says_so() -> None:
    import httpx

    from keyward.model.credential import Credential
    from keyward.plugin.ports import Hosts, Ports

    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if "cn-north-1" in request.url.host:
            return httpx.Response(200, text="<Arn>arn:aws-cn:iam::123456789012:user/x</Arn>")
        return httpx.Response(403, text="<Code>InvalidClientTokenId</Code>")

    def ask(**options: str) -> Any:
        client = httpx.Client(transport=httpx.MockTransport(answer))
        with Ports(Hosts(detector.HOSTS), client=lambda _: client) as ports:
            held = Credential(detector.ACCESS_KEY, parts(id="AKIA" + "Q" * 16, secret="x" * 40))
            return detector.verify(held, Target(options=options), ports)

    assert isinstance(ask(), Live)
    assert asked == ["sts.amazonaws.com", "sts.cn-north-1.amazonaws.com.cn"]
    assert isinstance(ask(region="eu-west-1"), Dead)
    assert isinstance(ask(region="us-gov-east-1"), Dead)
    assert isinstance(ask(region="cn-northwest-1"), Live)
    assert asked[2:] == ["sts.amazonaws.com", "sts.us-gov-west-1.amazonaws.com", "sts.cn-north-1.amazonaws.com.cn"]


def test_changes_take_their_time(moto: Moto) -> None:
    clock = ManualClock(SystemClock().now())
    moto.clock, before = clock, moto.clock
    try:
        lane = provisioned(moto)
        moto.settle, moto.propagation = 5.0, 4.0
        new = ROTATOR.issue(lane.job, {}, {})
        assert isinstance(lane.verify(detector, new.parts), Dead), "a new key is not known everywhere at once"
        clock.sleep(5)
        assert isinstance(lane.verify(detector, new.parts), Live)
        ROTATOR.disable(lane.job, new.id, new.parts)
        assert isinstance(lane.verify(detector, new.parts), Live)
        clock.sleep(4)
        assert isinstance(lane.verify(detector, new.parts), Dead)
    finally:
        moto.clock = before


def test_a_full_house_is_refused_by_name_and_nothing_is_deleted(moto: Moto) -> None:
    lane = provisioned(moto)
    name = user_of(lane)
    old, other = moto.make_key(name), moto.make_key(name)
    assert isinstance(lane.verify(detector, key_parts(old)), Live)
    moto.seen.clear()
    with pytest.raises(SlotsFull) as full:
        ROTATOR.issue(lane.job, {}, key_parts(old))
    assert all(id in str(full.value) for id in (old.id, other.id)) and "never used" in str(full.value)
    assert "allow_delete_first" in full.value.hint and moto.changes == []
    stranger = moto.make_key(moto.make_user(next(NAMES)))
    allowed = lane_at(moto, user=name, allow_delete_first=True)
    with pytest.raises(SlotsFull):
        ROTATOR.issue(allowed.job, {}, key_parts(stranger))
    assert set(moto.keys(name)) == {old.id, other.id}
    new = ROTATOR.issue(allowed.job, {}, key_parts(old))
    assert set(moto.keys(name)) == {other.id, new.id}


def test_a_lost_reply_leaves_a_key_that_the_inventory_shows(moto: Moto) -> None:
    lane = provisioned(moto)
    before = ROTATOR.inventory(lane.job).ids()
    moto.fail(Fault("lost", label="CreateAccessKey"))
    with pytest.raises(Uncertain):
        ROTATOR.issue(lane.job, {}, {})
    assert [each.label for each in moto.changes].count("CreateAccessKey") == 1, "it was sent once"
    after = ROTATOR.inventory(lane.job)
    (orphan,) = after.ids() - before
    assert after.lane_owned
    ROTATOR.revoke(lane.job, orphan, {})
    assert ROTATOR.inventory(lane.job).ids() == before


@pytest.mark.parametrize(("how", "error"), [("500", Uncertain), ("reset", Uncertain), ("429", Throttled)])
def test_faults_at_a_changing_call(moto: Moto, how: str, error: type[Exception]) -> None:
    lane = provisioned(moto)
    moto.fail(Fault(how, label="CreateAccessKey"))
    with pytest.raises(error):
        ROTATOR.issue(lane.job, {}, {})
    assert moto.keys(user_of(lane)) == {}


def test_a_reading_call_is_tried_again(moto: Moto) -> None:
    lane = provisioned(moto)
    lane.job.ports.clock = ManualClock()
    for how in ("500", "429", "reset"):
        moto.fail(Fault(how, label="ListAccessKeys"))
        assert ROTATOR.inventory(lane.job).held == ()
    moto.fail(Fault("500", label="GetUser", times=3))
    with pytest.raises(Unreachable):
        ROTATOR.inventory(lane.job)


def test_a_wrong_admin_credential_and_a_missing_right(moto: Moto) -> None:
    lane = provisioned(moto)
    name = user_of(lane)
    wrong = lane.with_admin(id=moto.admin.id, secret="w" * 40)
    with pytest.raises(Refused, match="does not accept the admin credential") as refused:
        ROTATOR.issue(wrong, {}, {})
    assert_silent(refused.value, ["w" * 40])
    reader = moto.make_key(moto.make_user(next(NAMES), "IAMReadOnlyAccess"))
    weak = lane_at(moto, reader, user=name)
    with pytest.raises(Refused) as refused:
        ROTATOR.issue(weak.job, {}, {})
    assert "iam:CreateAccessKey" in refused.value.hint
    assert_silent(refused.value, [reader.secret])
    with pytest.raises(Refused, match="no part `secret`"):
        ROTATOR.inventory(lane.with_admin(id=moto.admin.id))
    with pytest.raises(Refused, match="there is no IAM user"):
        ROTATOR.inventory(lane_at(moto).job)
    assert moto.keys(name) == {}


def test_the_documented_policy_suffices(moto: Moto) -> None:
    # moto judges resources by another form than AWS, so the actions alone are tried here
    policy = json.loads(ROTATOR.admin.policy)
    assert policy["Statement"][0]["Resource"] == "arn:aws:iam::*:user/keyward/lane/*"
    for statement in policy["Statement"]:
        statement["Resource"] = "*"
    assert sorted(action for each in policy["Statement"] for action in each["Action"]) == sorted(ROTATOR.admin.rights)
    name = moto.make_user(next(NAMES))
    moto.act("PutUserPolicy", UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    lane = lane_at(moto, moto.make_key(name), policy=READ, boundary=f"arn:aws:iam::{ACCOUNT}:policy/x", quarantine="user")
    list(ROTATOR.provision(lane.job, apply=True))
    list(
        ROTATOR.provision(
            lane_at(
                moto, lane_admin(lane), user=user_of(lane), tags={"a": "b"}, boundary="arn:aws:iam::aws:policy/PowerUserAccess"
            ).job,
            apply=True,
        )
    )
    old = moto.make_key(user_of(lane))
    assert ROTATOR.identify(lane.job, key_parts(old)) == old.id
    with pytest.raises(Refused, match="no IAM user of account"):
        ROTATOR.identify(lane.job, parts(id="AKIA" + "Q" * 16, secret="x" * 40))
    ROTATOR.disable(lane.job, old.id, {})
    ROTATOR.enable(lane.job, old.id, {})
    ROTATOR.disable(lane.job, old.id, {})
    ROTATOR.issue(lane.job, {}, key_parts(old))
    ROTATOR.revoke(lane.job, old.id, {})
    ROTATOR.end_sessions(lane.job, old.id, {})
    moto.act("CreateGroup", GroupName=name)
    moto.act("AddUserToGroup", GroupName=name, UserName=user_of(lane))
    moto.act("AttachGroupPolicy", GroupName=name, PolicyArn="arn:aws:iam::aws:policy/PowerUserAccess")
    warned = [each.text for each in ROTATOR.review(lane.job, ROTATOR.inventory(lane.job))]
    assert any("PowerUserAccess" in text for text in warned)


def test_only_an_exact_identity_is_taken(moto: Moto) -> None:
    lane = provisioned(moto)
    elsewhere = moto.make_key(moto.make_user(next(NAMES)))
    assert ROTATOR.identify(lane.job, key_parts(elsewhere)) == elsewhere.id, (
        "a key of another user of the account is known by its id"
    )
    with pytest.raises(Refused, match="the admin credential itself"):
        ROTATOR.identify(lane.job, key_parts(moto.admin))
    with pytest.raises(Refused, match="alone"):
        ROTATOR.identify(lane.job, parts(secret=elsewhere.secret))
    with pytest.raises(Refused, match=f"no IAM user of account {ACCOUNT}") as refused:
        ROTATOR.identify(lane.job, parts(id="AKIA" + "Q" * 16, secret="x" * 40))
    assert "root user" in refused.value.hint
    moto.foreign["AKIA" + "F" * 16] = "210987654321"
    with pytest.raises(Refused, match="belongs to account 210987654321"):
        ROTATOR.identify(lane.job, parts(id="AKIA" + "F" * 16, secret="x" * 40))
    ROTATOR.revoke(lane.job, elsewhere.id, {})
    assert moto.keys(elsewhere.user) == {}
    assert [name[:17] for name in moto.inline_policies(elsewhere.user)] == ["keyward-sessions-"]


def test_sessions_are_denied_until_they_have_ended(moto: Moto) -> None:
    clock = ManualClock(1_790_000_000.0)
    lane = lane_at(moto, clock=clock)
    name = user_of(lane)
    list(ROTATOR.provision(lane.job, apply=True))
    ROTATOR.end_sessions(lane.job, "AKIA" + "Q" * 16, {})
    ((policy, document),) = moto.inline_policies(name).items()
    statement = json.loads(document)["Statement"][0]
    assert policy == "keyward-sessions-r20261122-031500-abcdef"
    assert statement["Sid"] == "KeywardEndsSessionsUntil20260923T021320Z"
    assert statement["Condition"] == {"DateLessThan": {"aws:TokenIssueTime": "2026-09-21T14:13:20Z"}}
    inventory = ROTATOR.inventory(lane.job)
    assert "sessions" not in [each.code for each in ROTATOR.review(lane.job, inventory)]
    clock.sleep(36 * 3600 + 1)
    assert "sessions" in [each.code for each in ROTATOR.review(lane.job, inventory)]
    later = lane.job._replace(mark="keyward:later")
    ROTATOR.end_sessions(later, "AKIA" + "Q" * 16, {})
    assert list(moto.inline_policies(name)) == ["keyward-sessions-later"], "the earlier one had done its work"
    off = lane_at(moto, user=name, end_sessions=False)
    ROTATOR.end_sessions(off.job._replace(mark="keyward:off"), "AKIA" + "Q" * 16, {})
    assert list(moto.inline_policies(name)) == ["keyward-sessions-later"]


def test_a_user_is_quarantined_only_while_nobody_else_needs_it(moto: Moto) -> None:
    lane = provisioned(moto, quarantine="user", policy=READ)
    name = user_of(lane)
    old = moto.make_key(name)
    ROTATOR.disable(lane.job, old.id, {})
    assert list(moto.inline_policies(name)) == ["keyward-lane", "keyward-quarantine-r20261122-031500-abcdef"]
    warned = [each.code for each in ROTATOR.review(lane.job, ROTATOR.inventory(lane.job))]
    assert warned.count("quarantined") == 1
    ROTATOR.enable(lane.job, old.id, {})
    assert list(moto.inline_policies(name)) == ["keyward-lane"]
    ROTATOR.disable(lane.job, old.id, {})
    ROTATOR.issue(lane.job, {}, key_parts(old))
    assert list(moto.inline_policies(name)) == ["keyward-lane"], "the new key is not stopped"
    ROTATOR.disable(lane.job, old.id, {})
    assert list(moto.inline_policies(name)) == ["keyward-lane"], "there is another active key"


def test_the_quarantine_of_aws_is_never_detached(moto: Moto) -> None:
    lane = lane_at(moto, quarantine="user")
    name = moto.make_user(user_of(lane), "AWSCompromisedKeyQuarantineV2", path="/keyward/lane/")
    old = moto.make_key(name)
    ROTATOR.disable(lane.job, old.id, {})
    new = ROTATOR.issue(lane.job, {}, key_parts(old))
    ROTATOR.revoke(lane.job, old.id, {})
    ROTATOR.end_sessions(lane.job, old.id, {})
    ROTATOR.enable(lane.job, new.id, {})
    assert moto.attached_policies(name) == ["AWSCompromisedKeyQuarantineV2"]
    warned = [each.text for each in ROTATOR.review(lane.job, ROTATOR.inventory(lane.job)) if each.code == "quarantined"]
    assert any("AWSCompromisedKeyQuarantineV2" in text for text in warned)


def test_review(moto: Moto) -> None:
    name = moto.make_user(next(NAMES), "AdministratorAccess")
    document = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": ["*"]}})
    moto.act("PutUserPolicy", UserName=name, PolicyName="all", PolicyDocument=document)
    moto.make_key(name)
    lane = lane_at(moto, user=name, boundary=f"arn:aws:iam::{ACCOUNT}:policy/none", clock=ManualClock(SystemClock().now()))
    inventory = ROTATOR.inventory(lane.job)
    assert not inventory.lane_owned
    assert [each.code for each in ROTATOR.review(lane.job, inventory)] == ["over-broad"] * 3
    lane.ports.clock.sleep(91 * 86400)
    assert [each.code for each in ROTATOR.review(lane.job, inventory)] == ["over-broad"] * 3 + ["unused"]
    lane.ports.clock.sleep(300 * 86400)
    assert [each.code for each in ROTATOR.review(lane.job, inventory)][3:] == ["unused", "old"]


def test_provision_shows_a_plan_and_does_it_once(moto: Moto) -> None:
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/lanes"
    lane = lane_at(moto, policy=json.dumps(READ), boundary=boundary, tags={"team": "a"})
    moto.seen.clear()
    plan = list(ROTATOR.provision(lane.job, apply=False))
    assert [change.done for change in plan] == [False] * 4 and moto.changes == []
    list(ROTATOR.provision(lane.job, apply=True))
    assert [each.label for each in moto.changes] == ["CreateUser", "PutUserPolicy"]
    assert [change.done for change in ROTATOR.provision(lane.job, apply=True)] == [True] * 4
    assert len(moto.changes) == 2
    wider = lane_at(moto, user=user_of(lane), policy={**READ, "Id": "wider"}, boundary=boundary, tags={"team": "b"})
    assert [change.done for change in ROTATOR.provision(wider.job, apply=True)] == [True, False, True, False]
    assert json.loads(moto.inline_policies(user_of(lane))["keyward-lane"])["Id"] == "wider"
    tighter = lane_at(moto, user=user_of(lane), boundary=f"{boundary}2")
    assert [change.done for change in ROTATOR.provision(tighter.job, apply=True)] == [True, True, False]
    assert [change.done for change in ROTATOR.provision(tighter.job, apply=True)] == [True, True, True]


def test_provision_leaves_other_peoples_users_alone(moto: Moto) -> None:
    name = moto.make_user(next(NAMES))
    with pytest.raises(Refused, match="not one of keyward's"):
        list(ROTATOR.provision(lane_at(moto, user=name, policy=READ).job, apply=True))
    assert [c.done for c in ROTATOR.provision(lane_at(moto, user=name).job, apply=True)] == [True]
    taken = provisioned(moto)
    other = taken.job._replace(entry=taken.entry._replace(name="another"))
    with pytest.raises(Refused, match="belongs to the lane entry prod/login"):
        list(ROTATOR.provision(other, apply=True))
    assert moto.inline_policies(name) == {}


@pytest.mark.parametrize("policy", ["no json", "[1]", "file:missing.json", 7])
def test_a_bad_policy_is_refused_before_anything_is_made(moto: Moto, policy: object) -> None:
    lane = lane_at(moto, policy=policy)
    moto.seen.clear()
    with pytest.raises(Refused, match="policy"):
        list(ROTATOR.provision(lane.job, apply=True))
    assert moto.changes == []


def test_nothing_ambient_is_used(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_PROFILE": "none-such",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_IAM": "http://127.0.0.1:1",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "AKIA" + "Z" * 16,
        "AWS_SECRET_ACCESS_KEY": "z" * 40,
        "AWS_SESSION_TOKEN": "z" * 40,
        "AWS_REGION": "cn-north-1",
        "AWS_USE_FIPS_ENDPOINT": "true",
    }.items():
        monkeypatch.setenv(name, value)
    _aws_iam._session.cache_clear()
    lane = provisioned(moto)
    assert ROTATOR.inventory(lane.job).lane_owned


def test_only_its_own_hosts(moto: Moto) -> None:
    lane = lane_at(moto, url="https://evil.example")
    elsewhere = lane.job._replace(entry=lane.entry._replace(target=Target("https://other.example")))
    with pytest.raises(HostRefused):
        ROTATOR.inventory(elsewhere)
    nobody = lane_at(moto, url="http://127.0.0.1:1", clock=ManualClock())
    with pytest.raises(Unreachable):
        ROTATOR.inventory(nobody.job)
    with pytest.raises(Refused, match="is no name of an IAM user"):
        ROTATOR.inventory(lane_at(moto, user="a b").job)
