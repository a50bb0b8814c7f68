"""GitHub's REST API, as far as tokens, their revocation, Apps, installation tokens and deploy keys go.

The base URL is `fake.url`, or `fake.url + "/api/v3"` with `enterprise_server=True`. Make tokens, repositories and Apps with the
`add_…` methods; a new App's private key is returned once, as PEM. Checking an App's JWT needs the library `cryptography`.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import re
import secrets
import string
import zlib
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import unquote

from keyward.plugin.checksums import crc32_base62
from keyward.plugin.clock import Clock
from keyward.testing.fakes.server import FakeProvider, Request, Response

REVOKES_PER_HOUR, MOST_CREDENTIALS = 60, 1000
ANONYMOUS_PER_HOUR, TOKEN_PER_HOUR = 60, 5000
JWT_SECONDS = 600
INSTALLATION_TOKEN_SECONDS = 3600

_ALNUM = string.ascii_letters + string.digits
_LEVELS = {"read": 1, "write": 2, "admin": 3}
_REVOCABLE = ("ghp_", "github_pat_", "gho_", "ghu_", "ghr_")
_DOCS = "https://docs.github.com/rest"


class Token:
    """`scopes`: of classic tokens; None for others. `permissions`: of installation and fine-grained tokens, by name
    (`read`, `write`). `repositories`: full names that it reaches, None for all of its owner. `blocked`: `sso`, `ip`,
    `suspended` or empty. `refused_from`: when it stops to work."""

    def __init__(
        self,
        value: str,
        login: str,
        *,
        scopes: tuple[str, ...] | None = None,
        permissions: Mapping[str, str] | None = None,
        repositories: frozenset[str] | None = None,
        expires: float | None = None,
        blocked: str = "",
        installation: int = 0,
    ) -> None:
        self.value, self.login, self.scopes, self.expires = value, login, scopes, expires
        self.permissions, self.repositories = permissions or {}, repositories
        self.blocked, self.installation = blocked, installation
        self.refused_from: float | None = None


class DeployKey:
    """A public key that may read, or write, one repository."""

    def __init__(self, id: int, title: str, key: str, read_only: bool, created: float, added_by: str) -> None:
        self.id, self.title, self.key, self.read_only = id, title, key, read_only
        self.created, self.added_by = created, added_by
        self.last_used: float | None = None


class Repository:
    def __init__(self, id: int, full_name: str, private: bool) -> None:
        self.id, self.full_name, self.private = id, full_name, private
        self.keys: dict[int, DeployKey] = {}


class App:
    """`public_keys`: PEM, one for each private key that was made."""

    def __init__(self, id: int, slug: str) -> None:
        self.id, self.slug, self.client_id = id, slug, f"Iv23li{secrets.token_hex(7)}"
        self.public_keys: list[bytes] = []


class Installation:
    """An App in an account. `repositories`: full names, None for all."""

    def __init__(
        self, id: int, app: App, account: str, permissions: Mapping[str, str], repositories: frozenset[str] | None
    ) -> None:
        self.id, self.app, self.account, self.permissions, self.repositories = id, app, account, permissions, repositories
        self.suspended = False


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None, **more: object) -> None:
        super().__init__(status)
        self.status, self.message, self.headers, self.more = status, message, headers or {}, more


class FakeGitHub(FakeProvider):
    """`enterprise_server`: as GitHub Enterprise Server does it: paths below /api/v3, and revocation needs a login.
    `quoting`: whether messages of errors quote the credential that was sent, as a careless provider does."""

    RULES: ClassVar[tuple[str, ...]] = (
        "POST /credentials/revoke: anonymous only (else 403), 60 an hour, 1000 at most, 202: https://docs.github.com/en/rest/credentials/revoke",
        "on an Enterprise Server it needs a login: https://docs.github.com/en/enterprise-server@3.19/rest/credentials/revoke",
        "OAuth and App tokens may be revoked too: https://github.blog/changelog/2026-03-26-credential-revocation-api-now-supports-oauth-and-github-app-credentials/",
        "X-OAuth-Scopes: https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps",
        "github-authentication-token-expiration: https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api",
        "401 Bad credentials; 404 where a right is missing: https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api",
        "a User-Agent is demanded: https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api",
        "rate headers, 403 at the limit: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api",
        "App JWT, RS256, exp at most 10 minutes ahead: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app",
        "installation tokens, one hour, rights within the App's: https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app",
        "DELETE /installation/token: https://docs.github.com/en/rest/apps/installations#revoke-an-installation-access-token",
        "deploy keys; a key serves one repository of the whole host: https://docs.github.com/en/rest/deploy-keys/deploy-keys",
    )

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        latency: float = 0.0,
        rate: float = 0.0,
        propagation: float = 0.0,
        enterprise_server: bool = False,
        quoting: bool = False,
    ) -> None:
        super().__init__(clock=clock, latency=latency, rate=rate, propagation=propagation)
        self.enterprise_server, self.quoting = enterprise_server, quoting
        self.tokens: dict[str, Token] = {}
        self.repositories: dict[str, Repository] = {}
        self.organizations: set[str] = set()
        self.apps: dict[int, App] = {}
        self.installations: dict[int, Installation] = {}
        self.notified: list[str] = []
        """Owners that got a mail about a revoked credential."""
        self._next = 1000
        self._used: dict[tuple[str, int], int] = {}

    # What stands there

    def number(self) -> int:
        """A fresh id."""
        self._next += 1
        return self._next

    def add_token(
        self, login: str, *scopes: str, form: str = "ghp_", days: float = 0.0, blocked: str = "", **permissions: str
    ) -> Token:
        """A token of a user: classic (`ghp_`), OAuth (`gho_`), App user (`ghu_`) or fine-grained (`github_pat_`)."""
        if form == "github_pat_":
            body = (
                "11"
                + "".join(secrets.choice(_ALNUM) for _ in range(20))
                + "_"
                + "".join(secrets.choice(_ALNUM) for _ in range(43))
            )
            check = base64.b32encode(hashlib.sha256((form + body).encode()).digest())[:8].decode()
            value = form + body + check + "".join(secrets.choice(_ALNUM) for _ in range(8))
        else:
            value = _with_checksum(form)
        expires = self.clock.now() + days * 86400 if days else None
        known = tuple(scopes) if form in ("ghp_", "gho_") else None
        self.tokens[value] = Token(value, login, scopes=known, permissions=permissions, expires=expires, blocked=blocked)
        return self.tokens[value]

    def add_repository(self, full_name: str, *, private: bool = True) -> Repository:
        """`owner/name`."""
        self.repositories[full_name] = Repository(self.number(), full_name, private)
        return self.repositories[full_name]

    def add_app(self, slug: str = "rotation") -> tuple[App, bytes]:
        """A new App, and its private key (PEM)."""
        app = App(self.number(), slug)
        self.apps[app.id] = app
        return app, self.add_private_key(app)

    def add_private_key(self, app: App) -> bytes:
        """One more private key of an App, as PEM."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        private = rsa.generate_private_key(65537, 2048)
        pem, spki = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        app.public_keys.append(private.public_key().public_bytes(pem, spki))
        return private.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())

    def install(self, app: App, account: str, repositories: tuple[str, ...] | None = None, **permissions: str) -> Installation:
        """Installs an App in an account with these permissions (`contents="read"`)."""
        reach = None if repositories is None else frozenset(repositories)
        installation = Installation(self.number(), app, account, permissions, reach)
        self.installations[installation.id] = installation
        return installation

    # Requests

    def is_change(self, request: Request, response: Response) -> bool:
        return request.method in ("POST", "DELETE", "PUT", "PATCH") and response.status < 300

    def throttled(self) -> Response:
        return self._refuse(Refusal(429, "You have exceeded a secondary rate limit.", {"Retry-After": "1"}), None)

    def handle(self, request: Request) -> Response:
        try:
            path = self._path(request)
            if not request.headers.get("user-agent"):
                raise Refusal(
                    403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header."
                )
            token, app = self._who(request)
            rate = self._count(token, app, path)
            response = self._route(request, path, token, app)
            return response._replace(headers={**rate, **self._about(token), **response.headers})
        except Refusal as refusal:
            return self._refuse(refusal, request)

    def _refuse(self, refusal: Refusal, request: Request | None) -> Response:
        quoted = f" {request.headers.get('authorization')} {request.body!r}" if self.quoting and request else ""
        body = {"message": refusal.message + quoted, "documentation_url": _DOCS, "status": str(refusal.status), **refusal.more}
        return Response(refusal.status, body, refusal.headers)

    def _path(self, request: Request) -> str:
        if not self.enterprise_server:
            return request.path
        if not request.path.startswith("/api/v3/"):
            raise Refusal(404, "Not Found")
        return request.path.removeprefix("/api/v3")

    def _who(self, request: Request) -> tuple[Token | None, App | None]:
        """The token or App that asks; neither for an anonymous request."""
        header = request.headers.get("authorization", "")
        if not header:
            return None, None
        scheme, _, value = header.partition(" ")
        if scheme.lower() not in ("bearer", "token") or not value:
            raise Refusal(401, "Bad credentials")
        if value.startswith("eyJ"):
            return None, self._app(value)
        token = self.tokens.get(value)
        now = self.clock.now()
        dead = token is None or (token.refused_from is not None and now >= token.refused_from)
        if token is None or dead or (token.expires is not None and now >= token.expires):
            raise Refusal(401, "Bad credentials")
        if token.blocked == "suspended":
            raise Refusal(403, "Sorry. Your account was suspended.")
        return token, None

    def _app(self, value: str) -> App:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import padding, rsa

        try:
            head, body, mark = value.split(".")
            header, claims = json.loads(_decode(head)), json.loads(_decode(body))
            signature = _decode(mark)
            issuer = str(claims["iss"])
        except (ValueError, KeyError, TypeError):
            raise Refusal(401, "A JSON web token could not be decoded") from None
        app = next((each for each in self.apps.values() if issuer in (str(each.id), each.client_id)), None)
        if app is None:
            raise Refusal(404, "Integration not found")
        for pem in app.public_keys:
            public = serialization.load_pem_public_key(pem)
            assert isinstance(public, rsa.RSAPublicKey)
            try:
                public.verify(signature, f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
                break
            except InvalidSignature:
                continue
        else:
            raise Refusal(401, "A JSON web token could not be decoded")
        if header.get("alg") != "RS256":
            raise Refusal(401, "A JSON web token could not be decoded")
        now, issued, expires = self.clock.now(), claims.get("iat"), claims.get("exp")
        if not isinstance(expires, int) or expires <= now:
            raise Refusal(
                401,
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
            )
        if expires > now + JWT_SECONDS:
            raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
        if not isinstance(issued, int) or issued > now:
            raise Refusal(
                401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
            )
        return app

    def _count(self, token: Token | None, app: App | None, path: str) -> dict[str, str]:
        """One request more of this hour; the headers that say so."""
        hour = int(self.clock.now() // 3600)
        name, limit = "anonymous", ANONYMOUS_PER_HOUR
        if token is not None:
            name, limit = token.value, TOKEN_PER_HOUR
        elif app is not None:  # an App that asks by its JWT is nobody anonymous
            name, limit = f"app {app.id}", TOKEN_PER_HOUR
        if path == "/credentials/revoke":
            name, limit = f"{name} revoke", REVOKES_PER_HOUR
        used = self._used[(name, hour)] = self._used.get((name, hour), 0) + 1
        reset = (hour + 1) * 3600
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - used)),
            "X-RateLimit-Used": str(min(used, limit)),
            "X-RateLimit-Reset": str(reset),
            "X-RateLimit-Resource": "core",
        }
        if used > limit:
            raise Refusal(403, "API rate limit exceeded.", headers)
        return headers

    def _about(self, token: Token | None) -> dict[str, str]:
        headers = {"X-GitHub-Media-Type": "github.v3; format=json"}
        if token is not None and token.scopes is not None:
            headers |= {"X-OAuth-Scopes": ", ".join(token.scopes), "X-Accepted-OAuth-Scopes": ""}
        if token is not None and token.expires is not None and not token.installation:
            headers["github-authentication-token-expiration"] = _time(token.expires).strftime("%Y-%m-%d %H:%M:%S UTC")
        return headers

    def _route(self, request: Request, path: str, token: Token | None, app: App | None) -> Response:
        step = f"{request.method} {path}"
        if step == "POST /credentials/revoke":
            return self._revoke(request, token, app)
        if path == "/app" or path.startswith("/app/"):
            return self._as_app(request, path, app)
        if app is not None:
            raise Refusal(401, "A JSON web token could not be decoded")
        if step == "GET /rate_limit":
            return Response(200, {"resources": {}})
        if (match := re.fullmatch(r"/repos/([^/]+/[^/]+)(/keys(?:/(\d+))?)?", path)) is not None:
            repository = self._repository(unquote(match[1]), token)
            if match[2] is None and request.method == "GET":
                return Response(200, _repository_row(repository))
            return self._keys(request, repository, token, int(match[3]) if match[3] else None)
        if (match := re.fullmatch(r"/orgs/([^/]+)", path)) is not None and request.method == "GET":
            return self._organization(match[1], token)
        if token is None:
            raise Refusal(401, "Requires authentication")
        if step == "GET /user":
            return self._user(token)
        if step == "GET /installation/repositories":
            return self._reach(token)
        if step == "DELETE /installation/token":
            return self._end_installation_token(token)
        raise Refusal(404, "Not Found")

    def _revoke(self, request: Request, token: Token | None, app: App | None) -> Response:
        if not self.enterprise_server and (token or app):
            raise Refusal(403, "This endpoint does not accept authenticated requests.")
        if self.enterprise_server and token is None:
            raise Refusal(401, "Requires authentication")
        try:
            values = request.json()["credentials"]
        except (ValueError, TypeError, KeyError):
            raise Refusal(422, "Validation Failed") from None
        if (
            not isinstance(values, list)
            or not 1 <= len(values) <= MOST_CREDENTIALS
            or not all(isinstance(v, str) for v in values)
        ):
            raise Refusal(422, "Validation Failed")
        forms = _REVOCABLE[:2] if self.enterprise_server else _REVOCABLE
        for value in values:
            found = self.tokens.get(value)
            if found is not None and value.startswith(forms) and found.refused_from is None:
                found.refused_from = self.clock.now() + self.propagation
                self.notified.append(found.login)
        return Response(202, {})

    def _user(self, token: Token) -> Response:
        if token.installation:
            raise Refusal(403, "Resource not accessible by integration")
        if token.blocked == "ip":
            raise Refusal(
                403,
                "Although you appear to have the correct authorization credentials, the organization has an IP allow list enabled, and your IP address is not permitted to access this resource.",
            )
        return Response(200, {"login": token.login, "id": zlib.crc32(token.login.encode()), "type": "User"})

    def _organization(self, name: str, token: Token | None) -> Response:
        if name not in self.organizations:
            raise Refusal(404, "Not Found")
        if token is not None and token.blocked == "sso":
            raise Refusal(
                403,
                "Resource protected by organization SAML enforcement.",
                {"X-GitHub-SSO": "required; url=https://github.com/orgs/x/sso"},
            )
        return Response(200, {"login": name, "id": zlib.crc32(name.encode())})

    # Apps

    def _as_app(self, request: Request, path: str, app: App | None) -> Response:
        if app is None:
            raise Refusal(401, "A JSON web token could not be decoded")
        own = [each for each in self.installations.values() if each.app is app]
        if request.method == "GET" and path == "/app":
            return Response(200, {"id": app.id, "slug": app.slug, "client_id": app.client_id})
        if request.method == "GET" and path == "/app/installations":
            return Response(200, [_installation_row(each) for each in own])
        match = re.fullmatch(r"/app/installations/(\d+)(/access_tokens)?", path)
        installation = next((each for each in own if match and each.id == int(match[1])), None)
        if match is None or installation is None:
            raise Refusal(404, "Not Found")
        if request.method == "GET" and not match[2]:
            return Response(200, _installation_row(installation))
        if request.method == "POST" and match[2]:
            return self._installation_token(request, installation)
        raise Refusal(404, "Not Found")

    def _installation_token(self, request: Request, installation: Installation) -> Response:
        if installation.suspended:
            raise Refusal(403, "This installation has been suspended")
        wanted = _object(request)
        reach = installation.repositories
        if wanted.get("repositories") is not None or wanted.get("repository_ids") is not None:
            names = {f"{installation.account}/{name}" for name in wanted.get("repositories") or ()}
            names |= {r.full_name for r in self.repositories.values() if r.id in (wanted.get("repository_ids") or ())}
            known = {name for name in self.repositories if name.startswith(f"{installation.account}/")}
            if not names or not names <= (known if reach is None else reach):
                raise Refusal(
                    422, "There is at least one repository that does not exist or is not accessible to the parent installation."
                )
            reach = frozenset(names)
        permissions = wanted.get("permissions") or installation.permissions
        for name, level in permissions.items():
            if _LEVELS.get(level, 9) > _LEVELS.get(installation.permissions.get(name, ""), 0):
                raise Refusal(422, "The permissions requested are not granted to this installation.")
        expires = self.clock.now() + INSTALLATION_TOKEN_SECONDS
        token = Token(
            _with_checksum("ghs_"), installation.account, permissions=dict(permissions), repositories=reach,
            expires=expires, installation=installation.id,
        )  # fmt: skip
        self.tokens[token.value] = token
        body = {"token": token.value, "expires_at": _iso(expires), "permissions": dict(permissions)}
        return Response(201, {**body, "repository_selection": "all" if reach is None else "selected"})

    def _reach(self, token: Token) -> Response:
        if not token.installation:
            raise Refusal(
                403,
                "You must authenticate with an installation access token in order to list repositories for an installation.",
            )
        found = [r for r in self.repositories.values() if self._reaches(token, r)]
        return Response(200, {"total_count": len(found), "repositories": [_repository_row(each) for each in found]})

    def _end_installation_token(self, token: Token) -> Response:
        if not token.installation:
            raise Refusal(
                403, "You must authenticate with an installation access token in order to revoke the installation access token."
            )
        token.refused_from = self.clock.now() + self.propagation
        return Response(204)

    # Repositories and deploy keys

    def _reaches(self, token: Token, repository: Repository) -> bool:
        if token.repositories is not None:
            return repository.full_name in token.repositories
        return repository.full_name.startswith(f"{token.login}/") or bool(token.scopes and "repo" in token.scopes)

    def _repository(self, full_name: str, token: Token | None) -> Repository:
        repository = self.repositories.get(full_name)
        if repository is None or (repository.private and (token is None or not self._reaches(token, repository))):
            raise Refusal(404, "Not Found")
        if token is not None and token.blocked == "sso":
            raise Refusal(
                403,
                "Resource protected by organization SAML enforcement.",
                {"X-GitHub-SSO": "required; url=https://github.com/orgs/x/sso"},
            )
        return repository

    def _may(self, token: Token, level: str) -> None:
        """Raises Refusal unless the token has the right `administration`."""
        if token.scopes is not None:
            if "repo" not in token.scopes:
                raise Refusal(404, "Not Found")
        elif _LEVELS.get(token.permissions.get("administration", ""), 0) < _LEVELS[level]:
            who = "integration" if token.installation else "personal access token"
            accepted = {"X-Accepted-GitHub-Permissions": f"administration={level}"}
            raise Refusal(403, f"Resource not accessible by {who}", accepted)

    def _keys(self, request: Request, repository: Repository, token: Token | None, id: int | None) -> Response:
        if token is None:
            raise Refusal(401, "Requires authentication")
        self._may(token, "read" if request.method == "GET" else "write")
        if request.method == "POST" and id is None:
            return self._add_key(request, repository, token)
        if request.method == "GET" and id is None:
            page, size = int(request.query.get("page", 1)), min(100, int(request.query.get("per_page", 30)))
            rows = [self._key_row(repository, key) for key in repository.keys.values()]
            return Response(200, rows[(page - 1) * size : page * size])
        if id not in repository.keys:
            raise Refusal(404, "Not Found")
        if request.method == "GET":
            return Response(200, self._key_row(repository, repository.keys[id]))
        if request.method == "DELETE":
            del repository.keys[id]
            return Response(204)
        raise Refusal(404, "Not Found")

    def _add_key(self, request: Request, repository: Repository, token: Token) -> Response:
        wanted = _object(request)
        fields = str(wanted.get("key") or "").split()
        error = {"resource": "PublicKey", "code": "custom", "field": "key"}
        if len(fields) < 2 or not re.fullmatch(r"(ssh-|ecdsa-|sk-)[a-z0-9@.-]+", fields[0]) or not _is_blob(fields[1]):
            invalid = {**error, "message": "key is invalid. You must supply a key in OpenSSH public key format"}
            raise Refusal(422, "Validation Failed", errors=[invalid])
        blob = " ".join(fields[:2])
        if any(key.key == blob for each in self.repositories.values() for key in each.keys.values()):
            raise Refusal(422, "Validation Failed", errors=[{**error, "message": "key is already in use"}])
        title, read_only = str(wanted.get("title") or ""), bool(wanted.get("read_only"))
        key = DeployKey(self.number(), title, blob, read_only, self.clock.now(), token.login)
        repository.keys[key.id] = key
        return Response(201, self._key_row(repository, key))

    def _key_row(self, repository: Repository, key: DeployKey) -> dict[str, object]:
        row: dict[str, object] = {"id": key.id, "key": key.key, "title": key.title, "read_only": key.read_only}
        row |= {"created_at": _iso(key.created), "last_used": None if key.last_used is None else _iso(key.last_used)}
        return {
            **row,
            "verified": True,
            "added_by": key.added_by,
            "enabled": True,
            "url": f"{self.url}/repos/{repository.full_name}/keys/{key.id}",
        }


def _with_checksum(prefix: str) -> str:
    body = "".join(secrets.choice(_ALNUM) for _ in range(30))
    return prefix + body + crc32_base62(body.encode()).decode()


def _object(request: Request) -> dict[str, Any]:
    try:
        value = request.json() or {}
    except ValueError:
        raise Refusal(400, "Problems parsing JSON") from None
    if not isinstance(value, dict):
        raise Refusal(422, "Invalid request.")
    return value


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _is_blob(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) > 16
    except ValueError:
        return False


def _time(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def _iso(seconds: float) -> str:
    return _time(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def _repository_row(repository: Repository) -> dict[str, object]:
    owner, name = repository.full_name.split("/", 1)
    return {
        "id": repository.id,
        "name": name,
        "full_name": repository.full_name,
        "private": repository.private,
        "owner": {"login": owner},
    }


def _installation_row(installation: Installation) -> dict[str, object]:
    row: dict[str, object] = {"id": installation.id, "app_id": installation.app.id, "account": {"login": installation.account}}
    selection = "all" if installation.repositories is None else "selected"
    return {**row, "permissions": dict(installation.permissions), "repository_selection": selection}
