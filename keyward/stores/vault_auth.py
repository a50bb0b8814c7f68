"""How keyward logs in to Vault or OpenBao: token, AppRole, userpass, Kubernetes, JWT.

The store's table names the method; values are references, resolved at each login and kept nowhere:

| method | keys (default) |
|---|---|
| token | token |
| approle | role_id, secret_id, mount (approle) |
| userpass | username, password, mount (userpass) |
| kubernetes | role, jwt (the pod's own service account token), mount (kubernetes) |
| jwt | role, jwt, mount (jwt) |

Sources: https://openbao.org/api-docs/auth/ (one page a method), https://openbao.org/docs/auth/kubernetes/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from keyward.errors import ConfigError
from keyward.model.secret import Secret

POD_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"
"""Where Kubernetes puts a pod's token. It is readable by the whole container, so no `file:` reference would take it."""

Resolve = Callable[[str], Secret]


class Grant(NamedTuple):
    """A token that a login gave. `ttl`: seconds that it is good for, 0 for ever. `left`: seconds now, where that is less."""

    token: Secret
    ttl: float
    renewable: bool
    left: float = 0.0


class Login(NamedTuple):
    """A way to log in. `act` takes an hvac client and makes one call; `again`: whether it may be done whenever a token ends."""

    method: str
    act: Callable[[Any], Grant]
    again: bool


def _granted(answer: Mapping[str, Any]) -> Grant:
    auth = answer["auth"]
    ttl = float(auth.get("lease_duration") or 0)
    return Grant(Secret(auth["client_token"].encode()), ttl, bool(auth.get("renewable")), ttl)


def token_login(token: Callable[[], Secret]) -> Login:
    """A token that somebody else made. How long it is good for is asked, if its policies allow that."""

    def act(client: Any) -> Grant:
        import hvac.exceptions as hvac_errors  # type: ignore[import-untyped]

        secret = token()
        client.token = _text(secret)
        try:
            data = client.auth.token.lookup_self()["data"]
        except hvac_errors.Forbidden:
            return Grant(secret, 0.0, False)
        left = float(data.get("ttl") or 0)
        whole = float(data.get("period") or data.get("creation_ttl") or left)
        return Grant(secret, whole if left else 0.0, bool(data.get("renewable")), left)

    return Login("token", act, again=False)


def approle_login(role_id: Callable[[], Secret], secret_id: Callable[[], Secret], mount: str = "approle") -> Login:
    """A role id and a secret id."""
    return Login(
        "approle",
        lambda client: _granted(
            client.auth.approle.login(_text(role_id()), _text(secret_id()), use_token=False, mount_point=mount)
        ),
        again=True,
    )


def userpass_login(username: str, password: Callable[[], Secret], mount: str = "userpass") -> Login:
    """A user name and a password."""
    return Login(
        "userpass",
        lambda client: _granted(client.auth.userpass.login(username, _text(password()), use_token=False, mount_point=mount)),
        again=True,
    )


def kubernetes_login(role: str, jwt: Callable[[], Secret], mount: str = "kubernetes") -> Login:
    """A pod's service account token."""
    return Login(
        "kubernetes",
        lambda client: _granted(client.auth.kubernetes.login(role, _text(jwt()), use_token=False, mount_point=mount)),
        again=True,
    )


def jwt_login(role: str, jwt: Callable[[], Secret], mount: str = "jwt") -> Login:
    """A signed token of somebody whom the server trusts (a CI system, an identity provider)."""
    return Login(
        "jwt",
        lambda client: _granted(client.auth.jwt.jwt_login(role, _text(jwt()), use_token=False, path=mount)),
        again=True,
    )


def login_from(table: Mapping[str, object], resolve: Resolve, where: str = "auth") -> Login:
    """The login that a table of the configuration names. Raises ConfigError."""
    rest = dict(table)
    method = rest.pop("method", "token")
    if method not in KEYS:
        raise ConfigError(f"{where}.method is {method!r}", hint=f"Use one of: {', '.join(KEYS)}.")
    needed, optional = KEYS[str(method)]
    for key in needed:
        if not rest.get(key):
            raise ConfigError(f"{where}.{key} is missing", hint=f"Login by {method} needs {', '.join(needed)}.")
    for key, value in rest.items():
        if key not in (*needed, *optional):
            raise ConfigError(f"{where}.{key} is not known", hint=f"Login by {method} knows {', '.join((*needed, *optional))}.")
        if not isinstance(value, str):
            raise ConfigError(f"{where}.{key} must be text")
    given = {key: str(value) for key, value in rest.items()}
    mount = given.get("mount", str(method)).strip("/")

    def referred(key: str) -> Callable[[], Secret]:
        return lambda: resolve(given[key])

    if method == "token":
        return token_login(referred("token"))
    if method == "approle":
        # a role id is no secret by itself, so it may stand in the configuration
        role_id = referred("role_id") if ":" in given["role_id"] else lambda: Secret(given["role_id"].encode())
        return approle_login(role_id, referred("secret_id"), mount)
    if method == "userpass":
        return userpass_login(given["username"], referred("password"), mount)
    if method == "kubernetes":
        return kubernetes_login(given["role"], referred("jwt") if "jwt" in given else _pod_token, mount)
    return jwt_login(given["role"], referred("jwt"), mount)


KEYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "token": (("token",), ()),
    "approle": (("role_id", "secret_id"), ("mount",)),
    "userpass": (("username", "password"), ("mount",)),
    "kubernetes": (("role",), ("jwt", "mount")),
    "jwt": (("role", "jwt"), ("mount",)),
}
"""Which keys a login reads, by its method: those that it needs, and those that it may have."""


def _pod_token() -> Secret:
    try:
        with open(POD_TOKEN, "rb") as file:
            return Secret(file.read(1 << 16).strip())
    except OSError:
        raise ConfigError(
            "this is no Kubernetes pod: it has no service account token", hint="Set auth.jwt to a reference."
        ) from None


def _text(secret: Secret) -> str:
    return secret.reveal().decode("utf-8", "replace").strip()
