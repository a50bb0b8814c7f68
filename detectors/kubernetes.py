"""Kubernetes and OpenShift credentials.

What it is: service account tokens (JSON Web Tokens of a cluster), the client key or token in a kubeconfig, kubeadm's bootstrap
  tokens, and OpenShift's `sha256~` tokens.
Where it is used: `~/.kube/config`, `KUBECONFIG` in CI, secrets of type service-account-token, scripts, notes of a cluster's set-up.
What an attacker can do: whatever the account's roles allow, up to every secret and every container of the cluster; a bootstrap
  token joins a node to it.
How to replace it: delete the Secret or the service account that a token belongs to; delete a bootstrap token with `kubeadm token
  delete`; a client certificate cannot be revoked singly, so its user's role bindings go, or the cluster's authority is renewed.
References: https://kubernetes.io/docs/reference/access-authn-authz/authentication/
  https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Parts, Rule, Signal, structure
from keyward.plugin.checksums import decode_base64, jwt_claims
from keyward.plugin.letters import is_random
from keyward.plugin.shapes import Shape, an, assigned, b64url, concat, hexa, json_member, jwt, lower, part, text

from . import private_key

SERVICE_ACCOUNT, CLIENT_KEY, USER_TOKEN = Kind("kubernetes/service-account-token"), Kind("kubernetes/client-key"), Kind("kubernetes/user-token")
BOOTSTRAP, OPENSHIFT = Kind("kubernetes/bootstrap-token"), Kind("openshift/token")

_AUTHENTICATION = "https://kubernetes.io/docs/reference/access-authn-authz/authentication/"


def _describe(parts: Parts) -> Mapping[str, str]:
    claims = jwt_claims(parts["secret"])
    if claims is None:
        return {}
    payload = claims[1]
    facts = {"subject": payload.get("sub"), "issuer": payload.get("iss")}
    expires = payload.get("exp")
    if isinstance(expires, (int, float)) and 0 < expires < 32503680000:
        facts["expires"] = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(expires))
    return {name: fact[:120] for name, fact in facts.items() if isinstance(fact, str)}


def _manual(*steps: str, url: str = _AUTHENTICATION) -> Manual:
    return Manual(steps, url)


KINDS = (
    CredentialKind(SERVICE_ACCOUNT, "Kubernetes service account token", "critical", describe=_describe,
                   manual=_manual("Delete the Secret that holds the token, or delete and create the service account.", "Use short-lived tokens (kubectl create token).",
                                  url="https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/"), references=(_AUTHENTICATION,)),
    CredentialKind(CLIENT_KEY, "Kubernetes client key", "critical", canonical=private_key.canonical,
                   manual=_manual("Issue a certificate for another user name and switch to it.", "Take the old user's role bindings away.",
                                  url="https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/"), references=(_AUTHENTICATION,)),
    CredentialKind(USER_TOKEN, "Token in a kubeconfig", "critical",
                   manual=_manual("Revoke the token where it was issued (the cloud provider, Rancher, the static token file).", "Fetch a new kubeconfig."),
                   references=(_AUTHENTICATION,)),
    CredentialKind(BOOTSTRAP, "Kubernetes bootstrap token", "high", public=("id",),
                   manual=_manual("kubeadm token delete ID", "kubeadm token create", url="https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-token/"),
                   references=("https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/",)),
    CredentialKind(OPENSHIFT, "OpenShift token", "critical",
                   manual=_manual("oc delete oauthaccesstoken for the token, or log out with it (oc logout).", "Log in again.",
                                  url="https://docs.redhat.com/en/documentation/openshift_container_platform/4.16/html/authentication_and_authorization/managing-oauth-access-tokens"),
                   references=("https://docs.redhat.com/en/documentation/openshift_container_platform/4.16/html/authentication_and_authorization/managing-oauth-access-tokens",)),
)  # fmt: skip


def _inside_base64(word: bytes) -> bytes:
    """An expression for a word inside base64 text, at any of the three offsets."""
    found = []
    for offset in range(3):
        encoded = base64.urlsafe_b64encode(b"\0" * offset + word + b"\0" * 3)
        first = -(-offset * 8 // 6)
        found.append(encoded[first : (offset + len(word)) * 8 // 6])
    return rb"(?:" + b"|".join(found) + rb")"


def _check_account(parts: Parts) -> Signal | None:
    claims = jwt_claims(parts["secret"])
    if claims is None:
        return structure(False, "a service account's token")
    expires = claims[1].get("exp")
    if isinstance(expires, (int, float)) and expires < time.time():
        return Signal("expired", -40, "its time is over")
    return structure(str(claims[1].get("sub", "")).startswith("system:serviceaccount:"), "a service account's token")


def _check_key(parts: Parts) -> Signal | None:
    decoded = decode_base64(parts["secret"]) or b""
    return structure(b"PRIVATE KEY-----" in decoded, "a private key in base64")


def _check_token(parts: Parts) -> Signal | None:
    return Signal("random", 10, "looks random") if is_random(parts["secret"]) else Signal("random", -40, "does not look random")


_LEGACY = jwt('{"iss":"kubernetes/serviceaccount","kubernetes.io/serviceaccount/namespace":"ops","sub":"system:serviceaccount:ops:deployer"}', algorithm="RS256", signature=342)
_BOUND = jwt('{"aud":["https://kubernetes.default.svc"],"exp":4102444800,"iss":"https://oidc.corp.io/id","kubernetes.io":{"namespace":"ops"},"sub":"system:serviceaccount:ops:deployer"}', algorithm="RS256", signature=342)
_EXPIRED = jwt('{"exp":1600000000,"iss":"https://oidc.corp.io/id","sub":"system:serviceaccount:ops:deployer"}', algorithm="RS256", signature=342)
_KEY: Shape = private_key.pem("EC PRIVATE KEY").map(base64.b64encode)
_CERTIFICATE: Shape = private_key.pem("CERTIFICATE").map(base64.b64encode)

RULES = (
    Rule(
        "kubernetes/service-account-token",
        SERVICE_ACCOUNT,
        rb"(?<![A-Za-z0-9_.-])(?P<secret>eyJ[A-Za-z0-9_-]{8,1000}\.(?=[A-Za-z0-9_-]{0,4000}" + _inside_base64(b"system:serviceaccount:") + rb")eyJ[A-Za-z0-9_-]{20,6000}\.[A-Za-z0-9_-]{20,1400})(?![A-Za-z0-9_-])",
        anchor=rb"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{20}",
        specificity=STRUCTURAL,
        score=75,
        window=9000,
        check=_check_account,
        examples=(
            assigned("token", _LEGACY, form="{name}: {value}\n"),
            assigned("KUBE_TOKEN", _BOUND),
            text("curl -k -H 'Authorization: Bearer ", part("secret", _LEGACY), "' https://10.2.0.1:6443/api\n"),
        ),
        near_misses=(
            assigned("KUBE_TOKEN", jwt('{"iss":"https://id.corp.io","sub":"svc-orders","exp":4102444800}', signature=342)),
            assigned("KUBE_TOKEN", _EXPIRED),
            assigned("KUBE_TOKEN", concat("eyJ", b64url(60), ".", b64url(300))),
        ),
    ),
    Rule(
        "kubernetes/client-key",
        CLIENT_KEY,
        rb"(?<![A-Za-z0-9])client-key-data[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?P<secret>LS0tLS1CRUdJTi[A-Za-z0-9+/]{120,15000}={0,2})(?![A-Za-z0-9+/=])",
        anchor=rb"client-key-data[\"']?\s{0,3}[:=]\s{0,3}[\"']?LS0tLS1CRUdJTi",
        specificity=STRUCTURAL,
        score=85,
        window=16000,
        check=_check_key,
        examples=(
            assigned("client-key-data", _KEY, form="    {name}: {value}\n"),
            json_member("client-key-data", _KEY),
            assigned("client-key-data", _KEY, form="users:\n- name: admin\n  user:\n    {name}: '{value}'\n"),
        ),
        near_misses=(
            assigned("client-certificate-data", _CERTIFICATE, form="    {name}: {value}\n"),
            assigned("client-key-data", concat("LS0t", "LS1CRUdJTi"), form="    {name}: {value}\n"),
            assigned("client-key", "/srv/minikube/client.key", form="    {name}: {value}\n"),
        ),
    ),
    Rule(
        "kubernetes/user-token",
        USER_TOKEN,
        rb"(?<![A-Za-z0-9])user[\"']?:\s{1,12}\{?\s{0,12}(?:[a-z-]{4,30}: [^\n]{1,200}\n\s{1,12}){0,3}[\"']?token[\"']?: [\"']?(?P<secret>[A-Za-z0-9._:~-]{16,2000})(?=[\s\"']|\Z)",
        anchor=rb"user[\"']?:\s{1,12}\{?\s{0,12}(?:[a-z-]{4,30}: [^\n]{1,200}\n\s{1,12}){0,3}[\"']?token[\"']?: [\"']?[A-Za-z0-9._:~-]{16}",
        specificity=STRUCTURAL,
        score=60,
        window=2600,
        check=_check_token,
        examples=(
            text("- name: ci\n  user:\n    token: ", part("secret", an(48)), "\n"),
            text("- name: ci\n  user:\n    as-user-extra: {}\n    token: ", part("secret", concat("kubeconfig-u-", lower(10), ":", lower(54))), "\n"),
            text('{"name": "ci", "user": {"token": "', part("secret", an(40)), '"}}\n'),
        ),
        near_misses=(
            text("- name: ci\n  user:\n    tokenFile: /var/run/token\n"),
            text("- name: ci\n  user:\n    token: ", an(15), "\n"),
            text("- name: ci\n  user:\n    token: service-account-token\n"),
        ),
    ),
    Rule(
        "kubernetes/bootstrap-token",
        BOOTSTRAP,
        rb"(?:kubeadm join[^\n]{0,120}?--token[ =]|--discovery-token[ =]|--tls-bootstrap-token[ =]|(?i:bootstrap_?token)[\"']?\s{0,3}[:=]\s{0,3}[\"']?|-?\s?token: [\"']?)(?P<id>[a-z0-9]{6})\.(?P<secret>[a-z0-9]{16})(?![A-Za-z0-9.])",
        anchor=rb"(?i:token)[\"']?\s{0,3}[ :=]\s{0,3}[\"']?[a-z0-9]{6}\.[a-z0-9]{16}",
        specificity=STRUCTURAL,
        score=70,
        examples=(
            text("kubeadm join 10.2.0.1:6443 --token ", part("id", lower(6)), ".", part("secret", lower(16)), " --discovery-token-ca-cert-hash sha256:", hexa(64), "\n"),
            text("bootstrapTokens:\n- token: ", part("id", lower(6)), ".", part("secret", lower(16)), "\n  ttl: 24h0m0s\n"),
            text('BOOTSTRAP_TOKEN="', part("id", lower(6)), ".", part("secret", lower(16)), '"\n'),
        ),
        near_misses=(
            text("kubeadm join 10.2.0.1:6443 --token ", lower(6), ".", lower(15), "\n"),
            text("kubeadm join 10.2.0.1:6443 --token ", lower(6), "-", lower(16), "\n"),
            text("kubeadm join 10.2.0.1:6443 --token ", lower(6), ".", lower(17), "\n"),
        ),
    ),
    Rule(
        "openshift/token",
        OPENSHIFT,
        rb"(?<![A-Za-z0-9])(?P<secret>sha256~[A-Za-z0-9_-]{43})(?![A-Za-z0-9_-])",
        specificity=STRUCTURAL,
        score=85,
        examples=(
            text("oc login --token=", part("secret", concat("sha256~", b64url(43))), " --server=https://api.ocp.corp.io:6443\n"),
            assigned("OPENSHIFT_TOKEN", concat("sha256~", b64url(43))),
            assigned("token", concat("sha256~", b64url(43)), form="    {name}: {value}\n"),
        ),
        near_misses=(
            assigned("OPENSHIFT_TOKEN", concat("sha256~", b64url(42))),
            assigned("OPENSHIFT_TOKEN", concat("sha256~", b64url(44))),
            assigned("image", concat("sha256:", hexa(64))),
        ),
    ),
)  # fmt: skip
