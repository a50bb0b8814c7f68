"""GitHub tokens and deploy keys.

Possible: installation tokens of a GitHub App (made by the App's key, one hour, fewer repositories and rights on demand) and deploy
keys (a fresh ed25519 pair, added to one repository, the old one deleted). By hand: personal access tokens, OAuth and App user
tokens cannot be made by API; once the new one is provided, keyward kills the old one by POST /credentials/revoke, which
needs nothing but the value. Better than any of them for a lane: an installation token.

| setting | for | what |
|---|---|---|
| `admin.app_id`, `admin.private_key` | installation tokens | the App's id (or client id) and its private key (PEM) |
| `admin.secret` | deploy keys; Enterprise Server | a token with `administration: write` on the repository (classic: `repo`) |
| `scope.installation` | installation tokens | the installation's number; not needed where the App has only one |
| `scope.repositories` | installation tokens | names without owner; default all of the installation |
| `scope.permissions` | installation tokens | a table (`contents = "read"`); default all of the App |
| `scope.repository` | deploy keys | `owner/name` |
| `scope.read_only` | deploy keys | default `true` |
| `target.base_url` | Enterprise Server | the API's base, `https://HOST/api/v3` |
| `target.host`, `target.port` | deploy keys, to prove them | `github.com` and `22`; `target.options.host_key`: the server's public key |

Traps: 202 of the revocation endpoint is no proof. It takes 1000 values a request and 60 anonymous requests an hour; the owner gets
a mail; a revoked token never comes back. It takes no installation tokens: those end themselves with DELETE /installation/token.
Neither personal nor installation tokens can be listed: one whose creation was not answered cannot be found again, and ends
after its hour. A deploy key serves one repository of the whole host. GitHub answers 404 where a right is missing.

References: https://docs.github.com/en/rest/credentials/revoke  https://docs.github.com/en/rest/deploy-keys/deploy-keys
  https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app
"""

from __future__ import annotations

import base64
import datetime
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from keyward.errors import MissingExtra, Refused, Uncertain
from keyward.model.credential import SecretParts
from keyward.model.kind import Kind, Manual
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.plugin.ports import Http
from keyward.plugin.rotator import AdminNeed, Capabilities, Held, Inventory, Issued, Job, Origin, Rotator, Warning

from ._github_api import API, accept, app_token, connect, hashed, pages, refusal, revoke_many

__all__ = ["ROTATORS", "revoke_many"]

PAT_CLASSIC, PAT_FINE_GRAINED = Kind("github/pat-classic"), Kind("github/pat-fine-grained")
OAUTH, APP_USER, REFRESH = Kind("github/oauth-token"), Kind("github/app-user-token"), Kind("github/app-refresh-token")
INSTALLATION = Kind("github/app-installation-token")
DEPLOY_KEY = Kind("github/deploy-key")
"""A private key in OpenSSH's form (part `secret`). No rule finds it as such: a scan calls it a private key."""

UNUSED_DAYS = 90
_LEVELS = ("read", "write", "admin")
"""Degrees of an App's permission, each with the one before in it."""

_MARK = re.compile(r"keyward:[\w+=,.@:/-]*", re.ASCII)


def _token(parts: SecretParts, job: Job) -> bytes:
    if "secret" not in parts:
        raise Refused(f"{job.entry.ref}: the token's value is not known", hint="GitHub ends a token by its value only.")
    return parts["secret"].reveal()


class GitHubToken(Rotator):
    """Tokens that only a person can make, and anybody who holds them can kill."""

    kinds = (PAT_CLASSIC, PAT_FINE_GRAINED, OAUTH, APP_USER, REFRESH)
    scope_names: tuple[str, ...] = ()
    admin_options = ("secret",)
    gives = ("secret",)
    title = "GitHub tokens of users"
    capabilities = Capabilities(settle=30.0, propagation=120.0)
    public_hosts = ("api.github.com", "*.ghe.com")
    manual = Manual(
        (
            "Create a new token with the same or fewer rights and an end (fine-grained rather than classic).",
            "Authorise it for the organisation's single sign-on, where there is one.",
            "Hand it over with `keyward provide`; keyward then revokes the old one.",
        ),
        "https://github.com/settings/personal-access-tokens/new",
    )
    references = ("https://docs.github.com/en/rest/credentials/revoke",)
    calls = MappingProxyType(
        {
            "ISSUE": ("GET /user",),
            "PROVE": ("GET /user",),
            "REVOKE": ("GET /user", "POST /credentials/revoke"),
            "CONFIRM": ("GET /user",),
        }
    )

    def identify(self, job: Job, parts: SecretParts) -> str:
        return hashed(_token(parts, job))

    def inventory(self, job: Job) -> Inventory:
        """Nothing: GitHub lists no tokens of this kind."""
        return Inventory("tokens that GitHub does not list", ())

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        token = Secret(_token(parts, job))
        if hashed(token.reveal()) != id:
            raise Refused(f"{job.entry.ref}: the value is not that of {id}")
        admin = job.admin_text("secret") if "secret" in job.admin and job.target.base_url else ""
        if revoke_many(job.ports, [token], base_url=job.base_url(API), token=admin):
            raise Refused(f"{job.entry.ref}: GitHub does not revoke tokens of this form")


class GitHubInstallationToken(Rotator):
    """Installation tokens of a GitHub App."""

    kinds = (INSTALLATION,)
    scope_names = ("installation", "repositories", "permissions")
    gives = ("secret",)
    title = "GitHub App installation tokens"
    origin = Origin.MINTED
    capabilities = Capabilities(scoped=True, expiry=True, settle=30.0, propagation=60.0, lists=False)
    admin = AdminNeed(("app_id", "private_key"), ("a private key of the GitHub App",))
    public_hosts = ("api.github.com", "*.ghe.com")
    references = ("https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app",)
    calls = MappingProxyType(
        {
            "RESERVE": ("GET /app/installations/{installation}",),
            "ISSUE": ("GET /app/installations/{installation}", "POST /app/installations/{installation}/access_tokens"),
            "PROVE": ("GET /installation/repositories",),
            "REVOKE": ("GET /installation/repositories", "DELETE /installation/token"),
            "CONFIRM": ("GET /installation/repositories",),
        }
    )

    def calls_for(self, entry: Entry) -> Mapping[str, tuple[str, ...]]:
        if entry.scope.get("installation") is not None:
            return self.calls
        listed = {"GET /app/installations/{installation}": "GET /app/installations"}
        return {step: tuple(listed.get(name, name) for name in names) for step, names in self.calls.items()}

    def identify(self, job: Job, parts: SecretParts) -> str:
        return hashed(_token(parts, job))

    def inventory(self, job: Job) -> Inventory:
        """Nothing: GitHub lists no installation tokens. The installation itself is looked up, so that a wrong admin
        credential is told before anything is made."""
        number = self._installation(job, self._as_app(job))
        return Inventory(f"installation {number} of App {job.admin_text('app_id')}", ())

    def missing_rights(self, job: Job, old: SecretParts) -> Iterable[str]:
        """Of `scope.permissions`, those that the installation has not, or to a lower degree. A token ends itself: that needs none."""
        wanted = self._wanted(job).get("permissions")
        if not isinstance(wanted, dict):
            return ()
        http = self._as_app(job)
        path = f"/app/installations/{self._installation(job, http)}"
        has = accept(http.request("GET", path), f"GET {path}", job.ports.clock.now()).object().get("permissions")
        if not isinstance(has, Mapping):
            return ()
        return [
            f"{name}: {level}"
            for name, level in wanted.items()
            if level in _LEVELS and _LEVELS.index(level) >= (_LEVELS.index(has[name]) + 1 if has.get(name) in _LEVELS else 0)
        ]

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        http = self._as_app(job)
        path = f"/app/installations/{self._installation(job, http)}/access_tokens"
        reply = http.request("POST", path, json=self._wanted(job))
        if reply.status == 422:
            raise Refused(
                f"{job.entry.ref}: the installation does not have what is asked for",
                hint="Compare scope.repositories and scope.permissions with the installation's settings.",
            )
        made = accept(reply, f"POST {path}", job.ports.clock.now()).object()
        value = str(made.get("token", "")).encode()
        if not value:
            raise Uncertain(f"GitHub's answer to POST {path} holds no token")
        return Issued(hashed(value), {"secret": Secret(value)}, _moment(made.get("expires_at")))

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        token = _token(parts, job)
        if hashed(token) != id:
            raise Refused(f"{job.entry.ref}: the value is not that of {id}")
        reply = connect(job.ports, job.base_url(API), token.decode()).request("DELETE", "/installation/token")
        accept(reply, "DELETE /installation/token", job.ports.clock.now(), 401)  # 401: it has ended already

    def _as_app(self, job: Job) -> Http:
        now = job.ports.clock.now()
        private_key = job.admin_text("private_key").encode()
        return connect(job.ports, job.base_url(API), app_token(job.admin_text("app_id"), private_key, now))

    def _installation(self, job: Job, http: Http) -> int:
        """The installation's number, which must exist; without `scope.installation`, the only one."""
        wanted, now = job.entry.scope.get("installation"), job.ports.clock.now()
        if wanted is not None:
            if not str(wanted).isdigit():
                raise Refused(f"{job.entry.ref}: scope.installation must be a number")
            accept(http.request("GET", f"/app/installations/{wanted}"), f"GET /app/installations/{wanted}", now)
            return int(str(wanted))
        found = [int(row["id"]) for row in pages(http, "/app/installations", now)]
        if len(found) != 1:
            raise Refused(f"{job.entry.ref}: the App has {len(found)} installations", hint="Set scope.installation.")
        return found[0]

    def _wanted(self, job: Job) -> dict[str, object]:
        wanted: dict[str, object] = {}
        repositories, permissions = job.entry.scope.get("repositories"), job.entry.scope.get("permissions")
        if repositories is not None:
            if isinstance(repositories, str) or not isinstance(repositories, Iterable):
                raise Refused(f"{job.entry.ref}: scope.repositories must be a list of names")
            wanted["repositories"] = [str(name).rsplit("/", 1)[-1] for name in repositories]
        if permissions is not None:
            if not isinstance(permissions, Mapping):
                raise Refused(f"{job.entry.ref}: scope.permissions must be a table")
            wanted["permissions"] = dict(permissions)
        return wanted

    def review(self, job: Job, inventory: Inventory) -> Iterable[Warning]:
        if not job.entry.scope.get("repositories") or not job.entry.scope.get("permissions"):
            yield Warning("over-broad", "scope names no repositories or permissions: the token may do whatever the App may")


class GitHubDeployKey(Rotator):
    """Deploy keys of one repository."""

    kinds = (DEPLOY_KEY,)
    scope_names = ("repository", "read_only")
    gives = ("secret",)
    title = "GitHub deploy keys"
    origin = Origin.CHOSEN
    capabilities = Capabilities(scoped=True, marks=True, settle=30.0, propagation=60.0)
    admin = AdminNeed(("secret",), ("administration: write on the repository (classic token: repo)",))
    public_hosts = ("api.github.com", "*.ghe.com")
    references = ("https://docs.github.com/en/rest/deploy-keys/deploy-keys",)
    calls = MappingProxyType(
        {
            "ISSUE": ("GET /repos/{owner}/{name}/keys", "POST /repos/{owner}/{name}/keys"),
            "PROVE": ("SSH login as git",),
            "REVOKE": ("SSH login as git", "DELETE /repos/{owner}/{name}/keys/{id}"),
            "CONFIRM": ("SSH login as git",),
        }
    )

    def identify(self, job: Job, parts: SecretParts) -> str:
        blob = _blob(_token(parts, job))
        row = self._find(job, blob)
        if row is None:
            raise Refused(
                f"{job.entry.ref}: the key is no deploy key of {_repository(job)}",
                hint="Check scope.repository, or whether the key is a user's.",
            )
        return str(row["id"])

    def inventory(self, job: Job) -> Inventory:
        return Inventory(f"deploy keys of {_repository(job)}", tuple(_held(row) for row in self._rows(job)))

    def choose(self, job: Job, old: SecretParts) -> SecretParts:
        try:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
            from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
        except ImportError:
            raise MissingExtra("cryptography", "ssh") from None
        key = Ed25519PrivateKey.generate()
        return {"secret": Secret(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))}

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        blob = _blob(_token(new, job))
        row = self._find(job, blob)
        if row is None:
            path = self._path(job)
            read_only = job.entry.scope.get("read_only", True) is not False
            wanted = {"title": job.mark, "key": f"ssh-ed25519 {blob}", "read_only": read_only}
            reply = self._http(job).request("POST", path, json=wanted)
            if reply.status == 422:
                raise Refused(f"{job.entry.ref}: GitHub does not take the key", hint="It may be in use at another repository.")
            row = accept(reply, f"POST {path}", job.ports.clock.now()).object()
        return Issued(str(row["id"]), new)

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        if not id and "secret" in parts:  # chosen, and perhaps never applied
            row = self._find(job, _blob(_token(parts, job)))
            if row is None:
                return
            id = str(row["id"])
        if not id.isdigit():
            raise Refused(f"{job.entry.ref}: {id} is no id of a deploy key")
        path = f"{self._path(job)}/{id}"
        reply = self._http(job).request("DELETE", path)
        if reply.status == 404 and all(str(row["id"]) != id for row in self._rows(job)):
            return  # gone already: that it may be listed tells that no right is missing
        if reply.status >= 300:
            raise refusal(reply, f"DELETE {path}", job.ports.clock.now())

    def review(self, job: Job, inventory: Inventory) -> Iterable[Warning]:
        now = job.ports.clock.now()
        for row in self._rows(job):
            if not row.get("read_only"):
                yield Warning("over-broad", f"deploy key {row['id']} may write")
            used = _moment(row.get("last_used")) or _moment(row.get("created_at"))
            if used is not None and now - used > UNUSED_DAYS * 86400:
                yield Warning("unused", f"deploy key {row['id']} has been idle for {(now - used) / 86400:.0f} days")

    def _http(self, job: Job) -> Http:
        return connect(job.ports, job.base_url(API), job.admin_text("secret"))

    def _path(self, job: Job) -> str:
        return f"/repos/{quote(_repository(job))}/keys"

    def _rows(self, job: Job) -> list[Mapping[str, Any]]:
        return list(pages(self._http(job), self._path(job), job.ports.clock.now()))

    def _find(self, job: Job, blob: str) -> Mapping[str, Any] | None:
        """The listed key of exactly this blob."""
        return next((row for row in self._rows(job) if str(row.get("key", "")).split()[1:2] == [blob]), None)


def _repository(job: Job) -> str:
    name = job.scope_text("repository")
    if not re.fullmatch(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", name):
        raise Refused(f"{job.entry.ref}: scope.repository must be `owner/name`")
    return name


def _blob(private: bytes) -> str:
    """The public half of a private key, base64 as `authorized_keys` has it. Raises Refused."""
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    except ImportError:
        raise MissingExtra("cryptography", "ssh") from None
    load = serialization.load_ssh_private_key if b"OPENSSH" in private else serialization.load_pem_private_key
    key: Any = None
    try:
        key = load(private.replace(b"\\n", b"\n"), None)
        line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    except (ValueError, TypeError, AttributeError):
        key = None
    if key is None:
        raise Refused("the private key cannot be read", hint="A deploy key must be an OpenSSH or PEM key without passphrase.")
    blob = line.split()[1].decode()
    base64.b64decode(blob, validate=True)
    return str(blob)


def _held(row: Mapping[str, Any]) -> Held:
    title = str(row.get("title") or "")
    mark = _MARK.search(title)
    created, used = _moment(row.get("created_at")), _moment(row.get("last_used"))
    return Held(str(row["id"]), created=created, last_used=used, mark=mark[0] if mark else "", name=title)


def _moment(text: object) -> float | None:
    try:
        return datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


ROTATORS: tuple[Rotator, ...] = (GitHubToken(), GitHubInstallationToken(), GitHubDeployKey())
