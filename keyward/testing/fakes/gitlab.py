"""GitLab's REST API (v4), as far as personal, project and group access tokens go.

The base URL is `fake.url` (`/api/v4` follows it). Make users, projects, groups and first tokens with the `add_…` methods.
"""

from __future__ import annotations

import datetime
import re
import secrets
import string
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import unquote

from keyward.plugin.clock import Clock
from keyward.testing.fakes.server import FakeProvider, Request, Response

GUEST, DEVELOPER, MAINTAINER, OWNER = 10, 30, 40, 50
LEVELS = (5, 10, 15, 20, 30, 40, 50)
LONGEST_DAYS, ROTATED_DAYS = 365, 7

SCOPES = (
    "api", "read_api", "create_runner", "manage_runner", "k8s_proxy", "self_rotate", "ai_features",
    "read_repository", "write_repository", "read_registry", "write_registry",
)  # fmt: skip
PERSONAL_SCOPES = (*SCOPES, "read_user", "read_service_ping", "sudo", "admin_mode")

_ALPHABET = string.ascii_letters + string.digits + "_-"


class User:
    """`levels`: access levels by resource (`("project", 7)`). `bot`: the user behind a project or group token."""

    def __init__(self, id: int, name: str, admin: bool = False, bot: bool = False) -> None:
        self.id, self.name, self.admin, self.bot = id, name, admin, bot
        self.blocked = False
        self.levels: dict[tuple[str, int], int] = {}


class Token:
    """`resource`: of a project or group token. `family`: id of the first token of the chain that rotation made."""

    def __init__(
        self, id: int, value: str, user: User, name: str, scopes: tuple[str, ...], expires: datetime.date, created: float,
        *, description: str = "", resource: tuple[str, int] | None = None, level: int = 0, family: int = 0,
    ) -> None:  # fmt: skip
        self.id, self.value, self.user, self.name, self.scopes = id, value, user, name, scopes
        self.expires, self.created, self.description = expires, created, description
        self.resource, self.level, self.family = resource, level, family or id
        self.revoked = False
        self.refused_from: float | None = None
        self.last_used: float | None = None


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, body: Mapping[str, object]) -> None:
        super().__init__(status)
        self.status, self.body = status, body


def _unauthorized() -> Refusal:
    return Refusal(401, {"message": "401 Unauthorized"})


def _not_found(what: str = "") -> Refusal:
    return Refusal(404, {"message": f"404 {what} Not Found".replace("  ", " ")})


class FakeGitLab(FakeProvider):
    """`prefix`: of new tokens; an administrator of a self-managed instance may choose another. `quoting`: whether messages of
    errors quote the token that was sent, as a careless provider does."""

    RULES: ClassVar[tuple[str, ...]] = (
        "self, list, rotate, revoke, and their status codes: https://docs.gitlab.com/api/personal_access_tokens/",
        "project tokens: https://docs.gitlab.com/api/project_access_tokens/",
        "group tokens: https://docs.gitlab.com/api/group_access_tokens/",
        "401 for whoever may not list, 400 for whoever may not create: lib/api/resource_access_tokens.rb of gitlab-org/gitlab",
        "404 for whoever is no member of a private project: https://docs.gitlab.com/api/rest/troubleshooting/",
        "any scope may ask about and revoke itself: lib/api/personal_access_tokens/self_information.rb of gitlab-org/gitlab",
        "the old token dies when it is rotated; rotating it again revokes the family: https://docs.gitlab.com/api/personal_access_tokens/#automatic-reuse-detection",
        "the same by self-rotation: https://gitlab.com/gitlab-org/gitlab/-/issues/524639",
        "an expiry is mandatory, 365 days at most: https://docs.gitlab.com/user/profile/personal_access_tokens/#access-token-expiration",
        "tokens for another user are made by an administrator: https://docs.gitlab.com/api/user_tokens/",
        "PRIVATE-TOKEN or Bearer: https://docs.gitlab.com/api/rest/authentication/",
        "429 with Retry-After: https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/",
    )

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        latency: float = 0.0,
        rate: float = 0.0,
        propagation: float = 0.0,
        prefix: str = "glpat-",
        quoting: bool = False,
    ) -> None:
        super().__init__(clock=clock, latency=latency, rate=rate, propagation=propagation)
        self.prefix, self.quoting = prefix, quoting
        self.users: dict[int, User] = {}
        self.resources: dict[tuple[str, int], str] = {}
        self.tokens: dict[int, Token] = {}
        self._next = 100

    # What stands there

    def number(self) -> int:
        """A fresh id."""
        self._next += 1
        return self._next

    def add_user(self, name: str, *, admin: bool = False) -> User:
        user = User(self.number(), name, admin)
        self.users[user.id] = user
        return user

    def add_project(self, path: str, **levels: int) -> int:
        """A private project (`group/name`), and its members' access levels by user name. Returns its id."""
        return self._add_resource("project", path, levels)

    def add_group(self, path: str, **levels: int) -> int:
        """A private group, and its members' access levels by user name. Returns its id."""
        return self._add_resource("group", path, levels)

    def _add_resource(self, kind: str, path: str, levels: Mapping[str, int]) -> int:
        id = self.number()
        self.resources[(kind, id)] = path
        for user in self.users.values():
            if user.name in levels:
                user.levels[(kind, id)] = levels[user.name]
        return id

    def add_token(self, user: User, *scopes: str, name: str = "token", days: int = 30) -> Token:
        """A personal access token, as its owner makes it in the settings."""
        return self._make(user, name, scopes or ("api",), self._today() + datetime.timedelta(days=days))

    def add_resource_token(
        self, kind: str, id: int, *scopes: str, name: str = "token", level: int = MAINTAINER, days: int = 30
    ) -> Token:
        """A token of a project or group (`kind`), with the bot user behind it."""
        expires = self._today() + datetime.timedelta(days=days)
        return self._make_bot((kind, id), name, scopes or ("api",), level, expires, "")

    def _make(self, user: User, name: str, scopes: tuple[str, ...], expires: datetime.date, **more: Any) -> Token:
        value = self.prefix + "".join(secrets.choice(_ALPHABET) for _ in range(20))
        token = Token(self.number(), value, user, name, scopes, expires, self.clock.now(), **more)
        self.tokens[token.id] = token
        return token

    def _make_bot(
        self, resource: tuple[str, int], name: str, scopes: tuple[str, ...], level: int, expires: datetime.date, text: str
    ) -> Token:
        bot = User(self.number(), f"{resource[0]}_{resource[1]}_bot_{secrets.token_hex(16)}", bot=True)
        bot.levels[resource] = level
        self.users[bot.id] = bot
        return self._make(bot, name, scopes, expires, resource=resource, level=level, description=text)

    def _today(self) -> datetime.date:
        return datetime.datetime.fromtimestamp(self.clock.now(), datetime.UTC).date()

    def is_active(self, token: Token) -> bool:
        """Whether it is neither revoked nor expired, by the books (it may still be let in while a revocation spreads)."""
        return not token.revoked and self._today() < token.expires and not token.user.blocked

    # Requests

    def is_change(self, request: Request, response: Response) -> bool:
        return request.method not in ("GET", "HEAD") and response.status < 300

    def throttled(self) -> Response:
        return Response(429, b"Retry later\n", {"Retry-After": "1", "RateLimit-Remaining": "0"})

    def handle(self, request: Request) -> Response:
        try:
            if not request.path.startswith("/api/v4/"):
                raise Refusal(404, {"error": "404 Not Found"})
            path = request.path.removeprefix("/api/v4")
            return self._route(request, path, self._who(request, path))
        except Refusal as refusal:
            quoted = {"request": f"{self._sent(request)} {request.body!r}"} if self.quoting else {}
            return Response(refusal.status, {**refusal.body, **quoted})

    def _sent(self, request: Request) -> str:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        return request.headers.get("private-token") or (bearer if scheme.lower() == "bearer" else "")

    def _who(self, request: Request, path: str) -> Token:
        value = self._sent(request)
        token = next((each for each in self.tokens.values() if each.value == value), None)
        if token is None or token.user.blocked:
            raise _unauthorized()
        if self._today() >= token.expires:
            raise Refusal(
                401,
                {
                    "error": "invalid_token",
                    "error_description": "Token is expired. You can either do re-authorization or token refresh.",
                },
            )
        if token.revoked:
            if request.method == "POST" and path.endswith("/rotate"):
                self._end_family(token)
            if token.refused_from is None or self.clock.now() >= token.refused_from:
                raise Refusal(
                    401,
                    {
                        "error": "invalid_token",
                        "error_description": "Token was revoked. You have to re-authorize from the user.",
                    },
                )
        token.last_used = self.clock.now()
        return token

    def _route(self, request: Request, path: str, caller: Token) -> Response:
        step = f"{request.method} {path}"
        if step == "GET /personal_access_tokens/self":
            return Response(200, self._row(caller))
        if step == "DELETE /personal_access_tokens/self":
            return self._revoke(caller)
        if step == "POST /personal_access_tokens/self/rotate":
            self._demand(caller, "api", "self_rotate")
            return self._rotate(request, caller)
        if (match := re.fullmatch(r"/(project|group)s/([^/]+)/access_tokens(?:/(self|\d+)(/rotate)?)?", path)) is not None:
            return self._of_resource(request, caller, match)
        self._demand(caller, "api", *(("read_api",) if request.method == "GET" else ()))
        if step == "GET /personal_access_tokens":
            return self._list(request, caller)
        if (match := re.fullmatch(r"/personal_access_tokens/(\d+)(/rotate)?", path)) is not None:
            return self._of_id(request, caller, int(match[1]), bool(match[2]))
        if (match := re.fullmatch(r"/users/(\d+)/personal_access_tokens", path)) is not None and request.method == "POST":
            return self._create_personal(request, caller, int(match[1]))
        if step == "GET /user":
            user = caller.user
            return Response(200, {"id": user.id, "username": user.name, "bot": user.bot, "is_admin": user.admin})
        if (match := re.fullmatch(r"/(project|group)s/([^/]+)", path)) is not None and request.method == "GET":
            resource = self._resource(caller, match[1], match[2])
            return Response(200, {"id": resource[1], "path_with_namespace": self.resources[resource]})
        raise Refusal(404, {"error": "404 Not Found"})

    def _demand(self, token: Token, *scopes: str) -> None:
        if not set(scopes) & set(token.scopes):
            text = "The request requires higher privileges than provided by the access token."
            raise Refusal(403, {"error": "insufficient_scope", "error_description": text, "scope": " ".join(scopes)})

    def _row(self, token: Token) -> dict[str, object]:
        """A token as it is listed: without its value."""
        row: dict[str, object] = {"id": token.id, "name": token.name, "revoked": token.revoked, "scopes": list(token.scopes)}
        row |= {"created_at": _iso(token.created), "description": token.description or None, "user_id": token.user.id}
        row |= {"last_used_at": None if token.last_used is None else _iso(token.last_used), "active": self.is_active(token)}
        row["expires_at"] = token.expires.isoformat()
        return {**row, "access_level": token.level} if token.resource else row

    # What is done with a token

    def _revoke(self, token: Token) -> Response:
        if not token.revoked:
            token.revoked = True
            token.refused_from = self.clock.now() + self.propagation
        return Response(204)

    def _end_family(self, token: Token) -> None:
        """A revoked token was rotated again: somebody uses a stolen one, so whatever came of it is revoked."""
        for each in self.tokens.values():
            if each.family == token.family and not each.revoked:
                each.revoked, each.refused_from = True, None

    def _rotate(self, request: Request, token: Token) -> Response:
        if token.revoked:
            self._end_family(token)
            raise Refusal(400, {"message": "400 Bad request - token already revoked"})
        expires = self._expiry(_object(request).get("expires_at"), default=ROTATED_DAYS)
        token.revoked, token.refused_from = True, None
        more = {"description": token.description, "resource": token.resource, "level": token.level, "family": token.family}
        new = self._make(token.user, token.name, token.scopes, expires, **more)
        return Response(200, {**self._row(new), "token": new.value})

    def _expiry(self, text: object, default: int = 0) -> datetime.date:
        if text is None and default:
            return self._today() + datetime.timedelta(days=default)
        if text is None:
            raise Refusal(400, {"error": "expires_at is missing"})
        try:
            expires = datetime.date.fromisoformat(str(text))
        except ValueError:
            raise Refusal(400, {"error": "expires_at is invalid"}) from None
        if not self._today() < expires <= self._today() + datetime.timedelta(days=LONGEST_DAYS):
            raise Refusal(
                400, {"message": "400 Bad request - Expiration date must be in the future and within the allowed lifetime"}
            )
        return expires

    def _list(self, request: Request, caller: Token) -> Response:
        user = caller.user
        owner = request.query.get("user_id")
        if owner is not None and not user.admin and owner != str(user.id):
            raise _unauthorized()
        found = [each for each in self.tokens.values() if each.resource is None and (user.admin or each.user is user)]
        found = [each for each in found if owner is None or str(each.user.id) == owner]
        return self._page(request, found)

    def _page(self, request: Request, tokens: list[Token]) -> Response:
        query = request.query
        if "revoked" in query:
            tokens = [each for each in tokens if each.revoked == (query["revoked"] == "true")]
        if "state" in query:
            tokens = [each for each in tokens if self.is_active(each) == (query["state"] == "active")]
        tokens = [each for each in tokens if query.get("search", "") in each.name]
        page, size = int(query.get("page", 1)), min(100, int(query.get("per_page", 20)))
        part = tokens[(page - 1) * size : page * size]
        more = str(page + 1) if page * size < len(tokens) else ""
        headers = {"X-Page": str(page), "X-Per-Page": str(size), "X-Next-Page": more, "X-Total": str(len(tokens))}
        return Response(200, [self._row(each) for each in part], headers)

    def _of_id(self, request: Request, caller: Token, id: int, rotate: bool) -> Response:
        token = self.tokens.get(id)
        user = caller.user
        if token is None or (token.user is not user and not user.admin):
            # only an administrator learns that it is not there
            raise _not_found() if user.admin or request.method == "DELETE" else _unauthorized()
        if rotate and request.method == "POST":
            return self._rotate(request, token)
        if request.method == "DELETE" and not rotate:
            return self._revoke(token)
        if request.method == "GET" and not rotate:
            return Response(200, self._row(token))
        raise Refusal(405, {"error": "405 Not Allowed"})

    def _create_personal(self, request: Request, caller: Token, owner: int) -> Response:
        if not caller.user.admin:
            raise Refusal(403, {"message": "403 Forbidden"})
        if owner not in self.users:
            raise _not_found("User")
        wanted = self._wanted(request, PERSONAL_SCOPES)
        text = str(wanted.get("description") or "")
        expires = self._expiry(wanted.get("expires_at"))
        token = self._make(self.users[owner], wanted["name"], tuple(wanted["scopes"]), expires, description=text)
        return Response(201, {**self._row(token), "token": token.value})

    def _wanted(self, request: Request, scopes: tuple[str, ...]) -> dict[str, Any]:
        wanted = _object(request)
        missing = [name for name in ("name", "scopes") if not wanted.get(name)]
        if missing:
            raise Refusal(400, {"error": ", ".join(f"{name} is missing" for name in missing)})
        if not isinstance(wanted["scopes"], list) or not set(wanted["scopes"]) <= set(scopes):
            raise Refusal(400, {"error": "scopes does not have a valid value"})
        return wanted

    # Projects and groups

    def _resource(self, caller: Token, kind: str, name: str) -> tuple[str, int]:
        wanted = unquote(name)
        for resource, path in self.resources.items():
            if resource[0] == kind and wanted in (path, str(resource[1])):
                if caller.user.admin or caller.user.levels.get(resource, 0) >= GUEST:
                    return resource
                break
        raise _not_found(kind.capitalize())

    def _of_resource(self, request: Request, caller: Token, match: re.Match[str]) -> Response:
        kind, name, id, rotate = match[1], match[2], match[3], match[4]
        if id == "self":
            return self._rotate_self(request, caller, kind, name, bool(rotate))
        self._demand(caller, "api", *(("read_api",) if request.method == "GET" else ()))
        resource = self._resource(caller, kind, name)
        user = caller.user
        level = OWNER if user.admin else user.levels.get(resource, 0)
        manages = level >= (MAINTAINER if kind == "project" else OWNER)
        token = self.tokens.get(int(id)) if id else None
        token = token if token is not None and token.resource == resource else None
        if request.method == "POST" and rotate:
            if token is None or not manages or user.bot:
                raise _not_found() if user.admin else _unauthorized()
            return self._rotate(request, token)
        if request.method == "POST" and id is None:
            if not manages or user.bot:
                raise Refusal(
                    400, {"message": f"400 Bad request - User does not have permission to create {kind} access token"}
                )
            return self._create(request, resource, level)
        if request.method == "GET" and not manages:
            raise _unauthorized()
        if request.method == "GET" and id is None:
            return self._page(request, [each for each in self.tokens.values() if each.resource == resource])
        if token is None:
            raise _not_found(f"{kind} Access Token")
        if request.method == "GET":
            return Response(200, self._row(token))
        if request.method == "DELETE" and manages:
            return self._revoke(token)
        if request.method == "DELETE":
            raise Refusal(400, {"message": f"400 Bad request - {user.name} cannot delete {token.user.name}"})
        raise Refusal(405, {"error": "405 Not Allowed"})

    def _rotate_self(self, request: Request, caller: Token, kind: str, name: str, rotate: bool) -> Response:
        if request.method != "POST" or not rotate:
            raise Refusal(404, {"error": "404 Not Found"})
        self._demand(caller, "api", "self_rotate")
        if caller.resource is None or caller.resource[0] != kind:
            raise Refusal(405, {"message": "405 Method Not Allowed"})
        self._resource(caller, kind, name)
        return self._rotate(request, caller)

    def _create(self, request: Request, resource: tuple[str, int], most: int) -> Response:
        wanted = self._wanted(request, SCOPES)
        level = wanted.get("access_level", MAINTAINER)
        if level not in LEVELS:
            raise Refusal(400, {"error": "access_level does not have a valid value"})
        if level > most:
            raise Refusal(400, {"message": "400 Bad request - Access level of the token can't be greater than yours"})
        expires, text = self._expiry(wanted.get("expires_at")), str(wanted.get("description") or "")
        token = self._make_bot(resource, wanted["name"], tuple(wanted["scopes"]), level, expires, text)
        return Response(201, {**self._row(token), "token": token.value})


def _object(request: Request) -> dict[str, Any]:
    try:
        value = request.json() or {}
    except ValueError:
        raise Refusal(400, {"error": "The request body is not JSON"}) from None
    if not isinstance(value, dict):
        raise Refusal(400, {"error": "The request body is not an object"})
    return value


def _iso(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
