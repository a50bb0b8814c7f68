"""Which settings each type of store reads, so that a misspelt one is told before the store is opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from keyward.formats.toml_file import nearest
from keyward.stores.vault_auth import KEYS as LOGIN_KEYS

SETTINGS: Mapping[str, tuple[str, ...]] = {
    "memory": ("type",),
    "agefile": ("type", "file", "passphrase", "ssh_key", "systemd_credential", "insecure_identity"),
    "keyring": ("type", "service"),
    "vault": (
        "type", "address", "url", "auth", "token", "mount", "namespace", "ca_file", "kv_version", "list_below", "local",
    ),
}  # fmt: skip
LOCAL_VAULT = ("type", "local", "folder", "keeper")
"""Of `type = "vault"` with `local = true`: the server that `keyward vault up` started."""


class Wrong(NamedTuple):
    """A setting that is not known. `key`: with the tables that it stands in (`auth.role_id`). `problem`: what is to be said of it, and
    `hint`: what to do; neither repeats a value."""

    key: str
    problem: str
    hint: str


def unknown_setting(options: Mapping[str, object]) -> Wrong | None:
    """The first setting of a store's table that its type does not read; None where all are known, or the type is not."""
    type_ = options.get("type")
    known = SETTINGS.get(type_) if isinstance(type_, str) else None
    if known is None:
        return None
    if type_ == "vault" and options.get("local") is True:
        known = LOCAL_VAULT
    for key in options:
        if key not in known:
            return Wrong(key, f"is not known to a store of type {type_}", nearest(key, known))
    auth, keeper = options.get("auth"), options.get("keeper")
    if isinstance(auth, Mapping):
        return _unknown_of_login(auth)
    if isinstance(keeper, Mapping):
        wrong = unknown_setting({"type": "agefile", **keeper})
        return wrong and wrong._replace(key=f"keeper.{wrong.key}")
    return None


def _unknown_of_login(auth: Mapping[str, object]) -> Wrong | None:
    method = auth.get("method", "token")
    if not isinstance(method, str) or method not in LOGIN_KEYS:
        return Wrong("auth.method", "is no way to log in", f"Use one of: {', '.join(LOGIN_KEYS)}.")
    needed, optional = LOGIN_KEYS[method]
    known = ("method", *needed, *optional)
    for key in auth:
        if key not in known:
            return Wrong(f"auth.{key}", f"is not known to a login by {method}", nearest(key, known))
    return None
