"""The fakes of Tencent Cloud, GitHub and GitLab behave as their vendors' pages say; official SDKs can talk to them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from keyward.plugin.clock import ManualClock
from keyward.testing.fakes.github import FakeGitHub
from keyward.testing.fakes.gitlab import MAINTAINER, FakeGitLab
from keyward.testing.fakes.server import Fault
from keyward.testing.fakes.tencent import ADMINISTRATOR, FakeTencent, Key, signature


class Caller:
    """Signs and sends one request to the fake of Tencent Cloud."""

    def __init__(self, fake: FakeTencent, key: Key) -> None:
        self.fake, self.key = fake, key

    def __call__(self, action: str, service: str = "cam", skew: int = 0, **arguments: Any) -> Mapping[str, Any]:
        stamp = int(self.fake.clock.now()) + skew
        body = json.dumps(arguments).encode()
        headers = {"content-type": "application/json", "host": self.fake.endpoint}
        signed = signature(self.key.secret, service, stamp, ["content-type", "host"], headers, body)
        day = time.strftime("%Y-%m-%d", time.gmtime(stamp))
        reply = httpx.post(
            self.fake.url,
            content=body,
            headers={
                **headers,
                "X-TC-Action": action,
                "X-TC-Version": {"cam": "2019-01-16", "sts": "2018-08-13"}[service],
                "X-TC-Timestamp": str(stamp),
                "Authorization": f"TC3-HMAC-SHA256 Credential={self.key.id}/{day}/{service}/tc3_request, "
                f"SignedHeaders=content-type;host, Signature={signed}",
            },
        )
        assert reply.status_code == 200
        answer: Mapping[str, Any] = reply.json()["Response"]
        return answer

    def code(self, action: str, service: str = "cam", skew: int = 0, **arguments: Any) -> str:
        return str(self(action, service, skew, **arguments)["Error"]["Code"])


def test_tencent_speaks_to_the_official_sdk() -> None:
    from tencentcloud.cam.v20190116 import cam_client, models
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.sts.v20180813 import models as sts_models
    from tencentcloud.sts.v20180813 import sts_client

    with FakeTencent() as fake:
        root = fake.make_key(fake.root)
        profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=fake.endpoint))
        cam = cam_client.CamClient(Credential(root.id, root.secret), "", profile)
        request = models.AddUserRequest()
        request.Name, request.UseApi = "lane-bot", 1
        user = cam.AddUser(request)
        assert (user.SecretId[:4], len(user.SecretKey)) == ("AKID", 32)

        sts = sts_client.StsClient(Credential(user.SecretId, user.SecretKey), "ap-guangzhou", profile)
        assert sts.GetCallerIdentity(sts_models.GetCallerIdentityRequest()).UserId == str(user.Uin)
        wrong = sts_client.StsClient(Credential(user.SecretId, user.SecretKey[::-1]), "ap-guangzhou", profile)
        with pytest.raises(TencentCloudSDKException) as caught:
            wrong.GetCallerIdentity(sts_models.GetCallerIdentityRequest())
        assert caught.value.code == "AuthFailure.SignatureFailure"
        assert [each.label for each in fake.changes] == ["AddUser"]


def test_tencent_keys() -> None:
    clock = ManualClock()
    with FakeTencent(clock=clock, propagation=4.0) as fake:
        user = fake.make_user("bot")
        root, old = Caller(fake, fake.make_key(fake.root)), Caller(fake, fake.make_key(user))
        made = root("CreateAccessKey", TargetUin=user.uin, Description="keyward:r1")["AccessKey"]
        listed = root("ListAccessKeys", TargetUin=user.uin)["AccessKeys"]
        assert [(row["AccessKeyId"], row["Description"]) for row in listed] == [
            (old.key.id, None),
            (made["AccessKeyId"], "keyward:r1"),
        ]
        assert "SecretAccessKey" not in listed[1]
        assert root.code("CreateAccessKey", TargetUin=user.uin) == "OperationDenied.AccessKeyOverLimit"
        assert root.code("CreateAccessKey", TargetUin=user.uin, Description="not allowed!") == "InvalidParameter.ParamError"
        assert root.code("DeleteAccessKey", TargetUin=user.uin, AccessKeyId=old.key.id) == "FailedOperation.Accesskey"
        assert root.code("UpdateAccessKey", AccessKeyId=old.key.id, Status="Inactive") == "OperationDenied.UinNotMatch"

        root("UpdateAccessKey", TargetUin=user.uin, AccessKeyId=old.key.id, Status="Inactive")
        assert old("GetCallerIdentity", "sts")["UserId"] == str(user.uin), "it still works while the change spreads"
        clock.sleep(4)
        assert old.code("GetCallerIdentity", "sts") == "AuthFailure.SecretIdNotFound"
        root("DeleteAccessKey", TargetUin=user.uin, AccessKeyId=old.key.id)
        assert root.code("DeleteAccessKey", TargetUin=user.uin, AccessKeyId=old.key.id) == "ResourceNotFound.SecretNotExist"


def test_tencent_rights_clock_and_rate() -> None:
    clock = ManualClock()
    with FakeTencent(clock=clock, prefix="IKID") as fake:
        root = Caller(fake, fake.make_key(fake.root))
        assert root.key.id.startswith("IKID")
        assert root("GetUserAppId") | {"RequestId": ""} == {
            "Uin": str(fake.root.uin), "OwnerUin": str(fake.root.uin), "AppId": fake.app_id, "RequestId": "",
        }  # fmt: skip
        user = fake.make_user("bot")
        weak = Caller(fake, fake.make_key(user))
        assert weak.code("CreateAccessKey", TargetUin=user.uin) == "AuthFailure.UnauthorizedOperation"
        policy = fake.make_policy("keys", "cam:*AccessKey*")
        root("AttachUserPolicy", PolicyId=policy.id, AttachUin=user.uin)
        assert weak.code("ListAccessKeys", TargetUin=fake.root.uin) == "OperationDenied.SubUin"
        root("PutUserPermissionsBoundary", PolicyId=fake.make_policy("none", "cvm:*").id, TargetUin=user.uin)
        assert weak.code("ListAccessKeys") == "AuthFailure.UnauthorizedOperation"

        assert root.code("GetCallerIdentity", "sts", skew=301) == "AuthFailure.SignatureExpire"
        assert root("GetCallerIdentity", "sts", skew=-299)["Type"] == "RootAccount"
        assert root.code("GetCallerIdentity", "cam") == "InvalidAction"
        first = [root("UpdateUser", Name="bot", Remark="x") for _ in range(6)]
        assert [row.get("Error", {}).get("Code") for row in first] == [None] * 5 + ["RequestLimitExceeded"]
        clock.sleep(0.2)
        assert "Error" not in root("UpdateUser", Name="bot", Remark="x")


def test_tencent_last_used_is_a_day_behind() -> None:
    clock = ManualClock()
    with FakeTencent(clock=clock) as fake:
        root = Caller(fake, fake.make_key(fake.root))
        ask = {"SecretIdList": [root.key.id]}
        assert root("GetSecurityLastUsed", **ask)["SecretIdLastUsedRows"][0]["LastUsedDate"] is None
        clock.sleep(86400)
        root.key.last_used = clock.now() - 86400
        other = Caller(fake, fake.make_key(fake.make_user("admin", ADMINISTRATOR)))
        assert other("GetSecurityLastUsed", **ask)["SecretIdLastUsedRows"][0]["LastUsedDate"] is not None


def _jwt(app: int, pem: bytes, now: float, minutes: float = 9, algorithm: str = "RS256") -> dict[str, str]:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    def encode(value: object) -> str:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    claims = {"iss": str(app), "iat": int(now) - 60, "exp": int(now + minutes * 60)}
    text = f"{encode({'alg': algorithm, 'typ': 'JWT'})}.{encode(claims)}"
    private = serialization.load_pem_private_key(pem, None)
    assert isinstance(private, rsa.RSAPrivateKey)
    return {"Authorization": f"Bearer {text}.{encode(private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_github_bulk_revocation() -> None:
    clock = ManualClock()
    with FakeGitHub(clock=clock, propagation=5.0) as fake, httpx.Client(base_url=fake.url) as http:
        token = fake.add_token("octo", "repo", "read:org", days=3)
        seen = http.get("/user", headers=_bearer(token.value))
        assert (seen.json()["login"], seen.headers["x-oauth-scopes"]) == ("octo", "repo, read:org")
        assert seen.headers["github-authentication-token-expiration"].endswith(" UTC")
        wanted = {"credentials": [token.value, "ghp_unknown"]}
        assert http.post("/credentials/revoke", json=wanted, headers=_bearer(token.value)).status_code == 403
        assert http.post("/credentials/revoke", json=wanted).status_code == 202
        assert http.get("/user", headers=_bearer(token.value)).status_code == 200, "202 does not mean dead"
        clock.sleep(5)
        assert http.get("/user", headers=_bearer(token.value)).status_code == 401
        assert fake.notified == ["octo"]
        assert http.post("/credentials/revoke", json={"credentials": ["x"] * 1001}).status_code == 422
        answers = [http.post("/credentials/revoke", json=wanted) for _ in range(59)]
        assert [each.status_code for each in answers] == [202] * 58 + [403]
        assert answers[-1].headers["x-ratelimit-remaining"] == "0"
        clock.sleep(3600)
        assert http.post("/credentials/revoke", json=wanted).status_code == 202


def test_github_enterprise_server_wants_a_login_to_revoke() -> None:
    with FakeGitHub(enterprise_server=True) as fake, httpx.Client(base_url=f"{fake.url}/api/v3") as http:
        token, oauth = fake.add_token("octo"), fake.add_token("octo", form="gho_")
        wanted = {"credentials": [token.value, oauth.value]}
        assert http.post("/credentials/revoke", json=wanted).status_code == 401
        assert http.post("/credentials/revoke", json=wanted, headers=_bearer(oauth.value)).status_code == 202
        assert http.get("/user", headers=_bearer(token.value)).status_code == 401
        assert http.get("/user", headers=_bearer(oauth.value)).status_code == 200, "only personal access tokens are taken"


def test_github_installation_tokens() -> None:
    clock = ManualClock()
    with FakeGitHub(clock=clock) as fake, httpx.Client(base_url=fake.url) as http:
        app, pem = fake.add_app()
        fake.add_repository("acme/site")
        fake.add_repository("acme/other")
        installation = fake.install(app, "acme", contents="read", administration="write")
        path = f"/app/installations/{installation.id}/access_tokens"
        now = clock.now()
        assert http.post(path, headers=_jwt(app.id, pem, now, minutes=11)).status_code == 401
        assert http.post(path, headers=_jwt(app.id, pem, now - 3600)).status_code == 401
        assert http.post(path, headers=_jwt(app.id, pem, now, algorithm="HS256")).status_code == 401
        assert http.post(path, headers=_jwt(app.id, fake.add_app()[1], now)).status_code == 401
        key = _jwt(app.id, pem, now)
        wanted = {"repositories": ["site"], "permissions": {"contents": "read"}}
        made = http.post(path, headers=key, json=wanted)
        assert (made.status_code, made.json()["token"][:4]) == (201, "ghs_")
        assert made.headers["x-ratelimit-limit"] == "5000", "an App is nobody anonymous"
        assert http.post(path, headers=key, json={"permissions": {"contents": "write"}}).status_code == 422
        token = _bearer(made.json()["token"])
        assert [r["name"] for r in http.get("/installation/repositories", headers=token).json()["repositories"]] == ["site"]
        assert http.get("/repos/acme/other", headers=token).status_code == 404
        assert http.get("/repos/acme/site/keys", headers=token).status_code == 403
        assert http.delete("/installation/token", headers=token).status_code == 204
        assert http.get("/installation/repositories", headers=token).status_code == 401
        later = _bearer(http.post(path, headers=key).json()["token"])
        clock.sleep(3600)
        assert http.get("/installation/repositories", headers=later).status_code == 401


def test_github_deploy_keys() -> None:
    with FakeGitHub() as fake, httpx.Client(base_url=fake.url) as http:
        fake.add_repository("acme/site")
        fake.add_repository("acme/other")
        owner, stranger = _bearer(fake.add_token("acme", "repo").value), _bearer(fake.add_token("eve").value)
        blob = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + b"k" * 32).decode()
        key = {"title": "keyward:r1", "key": f"ssh-ed25519 {blob} somebody", "read_only": True}
        assert http.post("/repos/acme/site/keys", json=key, headers=stranger).status_code == 404
        made = http.post("/repos/acme/site/keys", json=key, headers=owner)
        assert (made.status_code, made.json()["key"]) == (201, f"ssh-ed25519 {blob}")
        again = http.post("/repos/acme/other/keys", json=key, headers=owner)
        assert (again.status_code, again.json()["errors"][0]["message"]) == (422, "key is already in use")
        assert [row["title"] for row in http.get("/repos/acme/site/keys", headers=owner).json()] == ["keyward:r1"]
        path = f"/repos/acme/site/keys/{made.json()['id']}"
        assert [http.delete(path, headers=owner).status_code for _ in range(2)] == [204, 404]
        assert http.get("/user").status_code == 401
        assert http.get("/user", headers={"User-Agent": "", **owner}).status_code == 403


def _private(value: str) -> dict[str, str]:
    return {"PRIVATE-TOKEN": value}


def test_gitlab_rotation_and_the_reuse_trap() -> None:
    with FakeGitLab() as fake, httpx.Client(base_url=f"{fake.url}/api/v4") as http:
        old = fake.add_token(fake.add_user("ada"), "self_rotate", "read_api")
        assert http.get("/personal_access_tokens/self", headers=_private(old.value)).json()["id"] == old.id
        new = http.post("/personal_access_tokens/self/rotate", headers=_private(old.value)).json()
        assert http.get("/personal_access_tokens/self", headers=_private(old.value)).status_code == 401
        fresh = _private(new["token"])
        assert http.get("/personal_access_tokens/self", headers=fresh).status_code == 200
        listed = http.get("/personal_access_tokens", headers=fresh).json()
        assert [(row["id"], row["active"], "token" in row) for row in listed] == [
            (old.id, False, False),
            (new["id"], True, False),
        ]
        assert http.post("/personal_access_tokens/self/rotate", headers=_private(old.value)).status_code == 401
        assert http.get("/personal_access_tokens/self", headers=fresh).status_code == 401, "the whole family is revoked"


def test_gitlab_project_tokens() -> None:
    with FakeGitLab() as fake, httpx.Client(base_url=f"{fake.url}/api/v4") as http:
        keeper, guest, stranger = (fake.add_user(name) for name in ("keeper", "guest", "stranger"))
        project = fake.add_project("acme/site", keeper=MAINTAINER, guest=10)
        tokens = [_private(fake.add_token(user).value) for user in (keeper, guest, stranger)]
        path = "/projects/acme%2Fsite/access_tokens"
        assert [http.get(path, headers=each).status_code for each in tokens] == [200, 401, 404]
        wanted: dict[str, object] = {"name": "keyward:r1", "scopes": ["read_repository"], "access_level": 30}
        assert http.post(path, json=wanted, headers=tokens[0]).status_code == 400, "without an expiry"
        soon = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 10 * 86400))
        wanted["expires_at"] = soon
        assert [http.post(path, json=wanted, headers=each).status_code for each in tokens] == [201, 400, 404]
        row = http.get(path, headers=tokens[0]).json()[0]
        assert (row["name"], row["expires_at"], row["access_level"], "token" in row) == ("keyward:r1", soon, 30, False)
        assert http.post(path, json={**wanted, "access_level": 50}, headers=tokens[0]).status_code == 400
        token = next(each for each in fake.tokens.values() if each.resource == ("project", project))
        assert http.get("/personal_access_tokens/self", headers=_private(token.value)).json()["id"] == token.id
        assert http.post(f"{path}/self/rotate", headers=tokens[0]).status_code == 405
        made = http.post(f"{path}/{token.id}/rotate", json={"expires_at": soon}, headers=tokens[0])
        assert made.status_code == 200
        assert http.delete(f"{path}/{made.json()['id']}", headers=tokens[0]).status_code == 204
        assert http.delete(f"{path}/99999", headers=tokens[0]).status_code == 404
        assert http.get("/personal_access_tokens/self", headers=_private(made.json()["token"])).status_code == 401


def test_gitlab_administrator_makes_tokens_for_others_and_anybody_revokes_their_own() -> None:
    with FakeGitLab() as fake, httpx.Client(base_url=f"{fake.url}/api/v4") as http:
        ada, root = fake.add_user("ada"), fake.add_user("root", admin=True)
        mine, admin = _private(fake.add_token(ada).value), _private(fake.add_token(root).value)
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 10 * 86400))
        wanted = {"name": "x", "scopes": ["read_api"], "expires_at": day}
        assert http.post(f"/users/{ada.id}/personal_access_tokens", json=wanted, headers=mine).status_code == 403
        made = http.post(f"/users/{ada.id}/personal_access_tokens", json=wanted, headers=admin)
        assert made.status_code == 201
        assert http.delete("/personal_access_tokens/self", headers=_private(made.json()["token"])).status_code == 204
        assert http.get(f"/personal_access_tokens?user_id={root.id}", headers=mine).status_code == 401


def test_a_lost_answer_leaves_the_token_behind() -> None:
    with FakeGitLab() as fake, httpx.Client(base_url=f"{fake.url}/api/v4") as http:
        root = fake.add_user("root", admin=True)
        admin = _private(fake.add_token(root).value)
        fake.fail(Fault("lost", "POST"))
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 10 * 86400))
        with pytest.raises(httpx.HTTPError):
            http.post(
                f"/users/{root.id}/personal_access_tokens",
                json={"name": "x", "scopes": ["api"], "expires_at": day},
                headers=admin,
            )
        assert [row["name"] for row in http.get("/personal_access_tokens", headers=admin).json()] == ["token", "x"]
