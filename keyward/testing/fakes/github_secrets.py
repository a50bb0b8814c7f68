"""GitHub's REST API, as far as Actions secrets of repositories, environments and organisations go.

It holds the private key, so that a test can see which value arrived (`value`).
"""

from __future__ import annotations

import base64
import re
import secrets
import time
from typing import Any, ClassVar
from urllib.parse import unquote

from keyward.testing.fakes.server import FakeProvider, Request, Response

MOST_BYTES = 48 << 10
_PATH = re.compile(
    r"(/repos/[^/]+/[^/]+/actions/secrets|/repos/[^/]+/[^/]+/environments/[^/]+/secrets|/orgs/[^/]+/actions/secrets)"
    r"/([^/]+)(/repositories)?"
)


class FakeGithubSecrets(FakeProvider):
    """`places`: paths of secrets (`/repos/acme/shop/actions/secrets`) that exist, made with `add_place`."""

    RULES: ClassVar[tuple[str, ...]] = (
        "Each repository, environment and organisation has a public key (`key_id`, base64 `key`): "
        "https://docs.github.com/en/rest/actions/secrets#get-a-repository-public-key",
        "A value is sealed with it (libsodium sealed box); 201 for a new secret, 204 for a replaced one: "
        "https://docs.github.com/en/rest/actions/secrets#create-or-update-a-repository-secret",
        "A secret is listed with created_at and updated_at in whole seconds, never with its value: "
        "https://docs.github.com/en/rest/actions/secrets#get-a-repository-secret",
        "An organisation's secret needs `visibility`, and with `selected` the ids of the repositories, which replace the former: "
        "https://docs.github.com/en/rest/actions/secrets#create-or-update-an-organization-secret",
        "Names have letters, digits and _, do not begin with a digit or GITHUB_, and hold at most 48 KB: "
        "https://docs.github.com/en/actions/reference/secrets-reference",
        "What a token may not see is 404, what it may not do 403 and what it is not, 401: "
        "https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api",
    )

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        from nacl.public import PrivateKey

        self._private = PrivateKey.generate()
        self.key_id = secrets.token_hex(8)
        self.places: dict[str, dict[str, dict[str, Any]]] = {}
        self._tokens: dict[str, tuple[str, set[str]]] = {}

    def add_place(self, path: str) -> None:
        self.places[path] = {}

    def add_token(self, place: str, *rights: str) -> str:
        """A token for one place with `read`, `write` or both."""
        token = "github_" + secrets.token_urlsafe(30)
        self._tokens[token] = (place, set(rights))
        return token

    def put(self, place: str, name: str, value: bytes, visibility: str = "", selected: tuple[int, ...] = ()) -> None:
        """As if somebody had written it."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock.now()))
        created = self.places[place].get(name, {}).get("created_at", now)
        entry = {"value": value, "created_at": created, "updated_at": now, "visibility": visibility, "selected": selected}
        self.places[place][name] = entry

    def value(self, place: str, name: str) -> bytes:
        """What was sealed."""
        return bytes(self.places[place][name]["value"])

    def handle(self, request: Request) -> Response:
        """See RULES."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self._tokens:
            return Response(401, {"message": "Bad credentials", "status": "401"})
        found = _PATH.fullmatch(request.path)
        place, rights = self._tokens[token]
        if found is None or unquote(found[1]) != place or place not in self.places or "read" not in rights:
            return Response(404, {"message": "Not Found", "status": "404"})
        name, inner = found[2], found[3]
        if request.method == "GET" and name == "public-key":
            key = base64.b64encode(bytes(self._private.public_key)).decode()
            return Response(200, {"key_id": self.key_id, "key": key})
        if request.method == "GET":
            return self._show(place, name.upper(), bool(inner), request)
        if request.method != "PUT" or inner:
            return Response(404, {"message": "Not Found"})
        if "write" not in rights:
            return Response(403, {"message": "Resource not accessible by personal access token"})
        return self._put(request, place, name.upper())

    def _show(self, place: str, name: str, repositories: bool, request: Request) -> Response:
        entry = self.places[place].get(name)
        if entry is None:
            return Response(404, {"message": "Not Found", "status": "404"})
        if repositories:
            page, size = int(request.query.get("page", 1)), int(request.query.get("per_page", 30))
            shown = entry["selected"][(page - 1) * size : page * size]
            return Response(200, {"total_count": len(entry["selected"]), "repositories": [{"id": each} for each in shown]})
        shown = {"name": name, "created_at": entry["created_at"], "updated_at": entry["updated_at"]}
        if place.startswith("/orgs/"):
            shown["visibility"] = entry["visibility"]
        return Response(200, shown)

    def _put(self, request: Request, place: str, name: str) -> Response:
        from nacl.exceptions import CryptoError
        from nacl.public import SealedBox

        if not re.fullmatch(r"(?!GITHUB_)[A-Z_][A-Z0-9_]*", name):
            return Response(422, {"message": "Secret names can only contain alphanumeric characters"})
        try:
            sent = request.json()
            sealed = base64.b64decode(sent["encrypted_value"], validate=True)
            value = SealedBox(self._private).decrypt(sealed)
        except (ValueError, KeyError, TypeError, CryptoError):
            return Response(422, {"message": f"Bad request: {request.body.decode(errors='replace')}"})
        visibility = str(sent.get("visibility", ""))
        if sent.get("key_id") != self.key_id or len(value) > MOST_BYTES:
            return Response(422, {"message": "Bad request"})
        if place.startswith("/orgs/") and visibility not in ("all", "private", "selected"):
            return Response(422, {"message": "visibility is missing"})
        is_new = name not in self.places[place]
        self.put(place, name, value, visibility, tuple(sent.get("selected_repository_ids") or ()))
        return Response(201, {}) if is_new else Response(204)
