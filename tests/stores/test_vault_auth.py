"""Every way to log in, on a real OpenBao; tokens that are renewed in time, and logins done again."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from stores.conftest import OpenVault, new_mount
from stores.jwt_issuer import Issuer, write_certificates
from stores.store_parts import Watch

from keyward.errors import ConfigError, StoreDenied, StoreUnavailable
from keyward.model.secret import Secret
from keyward.plugin.clock import ManualClock
from keyward.plugin.store import Slot
from keyward.stores.vault import keyward_policy
from keyward.stores.vault_auth import (
    approle_login,
    jwt_login,
    kubernetes_login,
    login_from,
    token_login,
    userpass_login,
)
from keyward.testing.fakes.server import FakeProvider, Request, Response
from keyward.testing.servers.openbao import OpenBao
from keyward.testing.store_contract import shown, value

PATH = "lanes/a/key"


class Handed:
    """A secret that is handed in, and how often."""

    def __init__(self, text: str) -> None:
        self.text, self.times = text, 0

    def __call__(self) -> Secret:
        self.times += 1
        return Secret(self.text.encode())


@pytest.fixture
def mount(bao: OpenBao) -> str:
    mount = new_mount(bao, 2)
    bao.request("PUT", f"sys/policies/acl/{mount}", {"policy": keyward_policy(mount)})
    return mount


def new_role(bao: OpenBao, mount: str, ttl: str = "1h", **more: object) -> tuple[Handed, Handed]:
    bao.request("POST", f"auth/approle/role/{mount}", {"token_policies": [mount], "token_ttl": ttl, **more})
    role_id = bao.request("GET", f"auth/approle/role/{mount}/role-id")["data"]["role_id"]
    secret_id = bao.request("POST", f"auth/approle/role/{mount}/secret-id", {})["data"]["secret_id"]
    return Handed(role_id), Handed(secret_id)


def test_approle(bao: OpenBao, open_vault: OpenVault, mount: str) -> None:
    role_id, secret_id = new_role(bao, mount)
    watch = Watch()
    store = open_vault(bao, mount, watch, login=approle_login(role_id, secret_id))
    store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    assert store.health().usable
    assert secret_id.times == 1
    assert [call.what for call in watch.calls].count("POST /v1/auth/approle/login") == 1
    secret_id.text = secrets.token_hex(16)
    with pytest.raises(StoreDenied, match="login by approle was refused") as caught:
        open_vault(bao, mount, login=approle_login(role_id, secret_id)).read(PATH, Slot.CURRENT)
    assert secret_id.text not in shown(caught.value)
    with pytest.raises(StoreDenied):
        open_vault(bao, mount, login=approle_login(role_id, secret_id, "no-such-mount")).read(PATH, Slot.CURRENT)


def test_userpass(bao: OpenBao, open_vault: OpenVault, mount: str) -> None:
    bao.request("POST", f"sys/auth/up-{mount}", {"type": "userpass"})
    password = Handed(secrets.token_hex(16))
    bao.request("POST", f"auth/up-{mount}/users/ann", {"password": password.text, "token_policies": [mount]})
    store = open_vault(bao, mount, login=userpass_login("ann", password, f"up-{mount}"))
    store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    password.text = secrets.token_hex(16)
    with pytest.raises(StoreDenied) as caught:
        open_vault(bao, mount, login=userpass_login("ann", password, f"up-{mount}")).read(PATH, Slot.CURRENT)
    assert password.text not in shown(caught.value)


def test_jwt(bao: OpenBao, open_vault: OpenVault, mount: str) -> None:
    ours, other = Issuer(), Issuer()
    bao.request("POST", f"sys/auth/jwt-{mount}", {"type": "jwt"})
    bao.request("POST", f"auth/jwt-{mount}/config", {"jwt_validation_pubkeys": [ours.public_pem]})
    role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["keyward"], "token_policies": [mount]}
    bao.request("POST", f"auth/jwt-{mount}/role/ci", role)
    login = jwt_login("ci", Handed(ours.token(sub="job", aud="keyward")), f"jwt-{mount}")
    open_vault(bao, mount, login=login).write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    for token in (other.token(sub="job", aud="keyward"), ours.token(sub="job", aud="somebody")):
        with pytest.raises(StoreDenied, match="login by jwt") as caught:
            open_vault(bao, mount, login=jwt_login("ci", Handed(token), f"jwt-{mount}")).read(PATH, Slot.CURRENT)
        assert token not in shown(caught.value)


class TokenReview(FakeProvider):
    """The part of a Kubernetes API server that says whose token it is."""

    RULES = (
        "https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/: the token in spec, whether"
        " it is good and of which user in status",
    )
    good = ""

    def handle(self, request: Request) -> Response:
        if request.path != "/apis/authentication.k8s.io/v1/tokenreviews":
            return Response(404, {})
        known = request.json()["spec"]["token"] == self.good
        user = {"username": "system:serviceaccount:prod:keyward", "uid": "u-1", "groups": ["system:serviceaccounts"]}
        status = {"authenticated": True, "user": user, "audiences": ["x"]} if known else {"authenticated": False}
        answer = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}
        return Response(201, answer)


def test_kubernetes(bao: OpenBao, open_vault: OpenVault, mount: str, tmp_path: Path) -> None:
    claims = {"namespace": "prod", "serviceaccount": {"name": "keyward", "uid": "u-1"}}
    with TokenReview() as cluster:
        jwt = Issuer().token(**{"sub": "system:serviceaccount:prod:keyward", "kubernetes.io": claims})
        cluster.good = jwt
        bao.request("POST", f"sys/auth/k8s-{mount}", {"type": "kubernetes"})
        authority = Path(write_certificates(tmp_path)[2]).read_text()  # wanted, though this cluster speaks plain http
        config: dict[str, object] = {"kubernetes_host": cluster.url, "token_reviewer_jwt": jwt}
        config |= {"disable_local_ca_jwt": True, "kubernetes_ca_cert": authority}
        bao.request("POST", f"auth/k8s-{mount}/config", config)
        role = {
            "bound_service_account_names": ["keyward"],
            "bound_service_account_namespaces": ["prod"],
            "token_policies": [mount],
        }
        bao.request("POST", f"auth/k8s-{mount}/role/keyward", role)
        store = open_vault(bao, mount, login=kubernetes_login("keyward", Handed(jwt), f"k8s-{mount}"))
        store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
        cluster.good = "another"
        with pytest.raises(StoreDenied, match="login by kubernetes"):
            open_vault(bao, mount, login=kubernetes_login("keyward", Handed(jwt), f"k8s-{mount}")).read(PATH, Slot.CURRENT)


def test_a_token_is_renewed_when_a_third_of_its_time_is_left(bao: OpenBao, open_vault: OpenVault, mount: str) -> None:
    for login in (token_login(Handed(bao.new_token(mount, ttl="3600s"))), approle_login(*new_role(bao, mount, "3600s"))):
        clock, watch = ManualClock(), Watch()
        store = open_vault(bao, mount, watch, login=login, clock=clock)
        store.read(PATH, Slot.CURRENT)
        clock.sleep(2390)
        store.read(PATH, Slot.CURRENT)
        assert not [call for call in watch.calls if "renew" in call.what]
        clock.sleep(20)
        store.read(PATH, Slot.CURRENT)
        store.read(PATH, Slot.CURRENT)
        assert [call.what for call in watch.calls if "renew" in call.what] == ["POST /v1/auth/token/renew-self"]
        clock.sleep(2390)
        store.read(PATH, Slot.CURRENT)
        assert len([call for call in watch.calls if "renew" in call.what]) == 1


def test_a_token_at_the_end_of_its_longest_life_is_replaced_by_a_login(bao: OpenBao, open_vault: OpenVault, mount: str) -> None:
    role_id, secret_id = new_role(bao, mount, "3600s", token_type="batch")
    clock = ManualClock()
    store = open_vault(bao, mount, login=approle_login(role_id, secret_id), clock=clock)
    store.read(PATH, Slot.CURRENT)
    clock.sleep(3000)
    store.read(PATH, Slot.CURRENT)
    assert secret_id.times == 2


def test_a_revoked_token_is_replaced_by_a_login_in_the_middle_of_the_work(
    bao: OpenBao, open_vault: OpenVault, mount: str
) -> None:
    role_id, secret_id = new_role(bao, mount)
    watch = Watch()
    store = open_vault(bao, mount, watch, login=approle_login(role_id, secret_id))
    store.read(PATH, Slot.CURRENT)
    for accessor in bao.request("GET", "auth/token/accessors?list=true")["data"]["keys"]:
        found = bao.request("POST", "auth/token/lookup-accessor", {"accessor": accessor})["data"]
        if mount in found["policies"]:
            bao.request("POST", "auth/token/revoke-accessor", {"accessor": accessor})
    assert store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0) == 1
    assert secret_id.times == 2
    assert [call.what for call in watch.calls if call.what == "POST /v1/auth/approle/login"] != []


def test_a_denial_is_no_reason_to_log_in_again(bao: OpenBao, open_vault: OpenVault, mount: str) -> None:
    role_id, secret_id = new_role(bao, mount)
    other = new_mount(bao, 2)
    store = open_vault(bao, other, login=approle_login(role_id, secret_id), kv_version=2)
    for _ in range(3):
        with pytest.raises(StoreDenied, match="permission denied"):
            store.read(PATH, Slot.CURRENT)
    assert secret_id.times == 1


def test_namespaces_are_apart(bao: OpenBao, open_vault: OpenVault) -> None:
    bao.request("POST", "sys/namespaces/team", {})
    new_mount(bao, 2)
    mount = new_mount(bao, 2, namespace="team")
    store = open_vault(bao, mount, namespace="team")
    store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
    assert list(store.paths()) == [PATH]
    with pytest.raises(StoreDenied, match="no mount"):
        open_vault(bao, mount).read(PATH, Slot.CURRENT)


def test_tls_with_the_operators_own_authority(bao_program: str, open_vault: OpenVault, tmp_path: Path) -> None:
    certificate, key, authority = write_certificates(tmp_path)
    (tmp_path / "bao").mkdir()
    with OpenBao(str(tmp_path / "bao"), tls=(certificate, key), ca=authority) as server:
        store = open_vault(server, "secret", ca_file=authority)
        store.write(PATH, Slot.CURRENT, {"secret": value()}, {}, expected=0)
        with pytest.raises(StoreUnavailable, match="SSLError") as caught:
            open_vault(server, "secret", clock=ManualClock()).read(PATH, Slot.CURRENT)
        assert caught.value.certain


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"method": "magic"}, "auth.method"),
        ({"method": "token"}, "auth.token"),
        ({"method": "approle", "role_id": "r"}, "auth.secret_id"),
        ({"method": "userpass", "password": "env:P"}, "auth.username"),
        ({"method": "kubernetes"}, "auth.role"),
        ({"method": "jwt", "role": "r"}, "auth.jwt"),
        ({"method": "token", "token": "env:T", "tokn": "x"}, "auth.tokn"),
        ({"method": "jwt", "role": 7, "jwt": "env:J"}, "auth.role"),
    ],
)
def test_a_wrong_table_is_named_by_its_key(table: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        login_from(table, lambda reference: Secret(b"x"))
