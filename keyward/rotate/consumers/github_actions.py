"""A GitHub Actions secret as a consumer: of a repository, one of its environments, or an organisation.

| option | meaning |
|---|---|
| `repository` | `owner/name`; with `environment`: a secret of that environment |
| `organization` | instead: a secret of the organisation; who may see it stays as it is |
| `name` | of the secret |
| `part`, `fallbacks` | which part of the credential (`secret` by default); text between new and old for a list |
| `token` | reference to a token |
| `url` | of the API, where it is not github.com's (`https://ghe.example/api/v3`) |

The value is sealed with the public key that GitHub gives out, so that only GitHub can open it.

GitHub never shows a secret again. What `holds` can know is therefore little, and it says no more than that: NOTHING if there is no such
secret; NEW if this process wrote it and its `updated_at` is still the one of that write; OTHER if somebody wrote it since; and OLD
otherwise, which here means "taken to be the old one, because the configuration says so". Nothing is kept beside the secret: a
digest of the value would have to lie where others can read it, and writing once more is harmless. So a `verify` in a process that
did not write (after a crash) writes first, and then looks at `updated_at`.

Rights: a fine-grained token with "Secrets" (for an environment: "Environments") write on the repository, or "Secrets" write on the
organisation.

References: https://docs.github.com/en/rest/actions/secrets  https://docs.github.com/en/rest/guides/encrypting-secrets-for-the-rest-api
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from keyward.errors import ConsumerChanged, ConsumerError, MissingExtra, ProviderError
from keyward.plugin.consumer import Holds, Values
from keyward.plugin.ports import Hosts, Http, Ports, Reply
from keyward.rotate.consumers.remote import Form, Options, Resolve, translated

TYPE = "github-actions"
OPTIONS = ("repository", "environment", "organization", "name", "part", "fallbacks", "token", "url")
API, HOST = "https://api.github.com", "api.github.com"
VERSION = "2022-11-28"
MOST_BYTES = 48 << 10
MOST_PAGES = 20


class Stamp(NamedTuple):
    """What GitHub tells of a secret."""

    updated: str
    visibility: str


def hosts(options: Mapping[str, object]) -> Hosts:
    """Where this consumer goes: GitHub's API, or the configured one."""
    url = options.get("url")
    return Hosts().with_url(url) if isinstance(url, str) and url else Hosts((HOST,))


def make(options: Mapping[str, object], ports: Ports, resolve: Resolve) -> ActionsSecret:
    """The consumer of one table. Raises ConfigError. `ports` must allow `hosts(options)`."""
    return ActionsSecret(Options(TYPE, options, OPTIONS), ports, resolve)


class ActionsSecret:
    """Raises ConsumerError, never with GitHub's own text."""

    type = TYPE

    def __init__(self, options: Options, ports: Ports, resolve: Resolve) -> None:
        self._options, self._ports, self._resolve = options, ports, resolve
        self._form = Form(options.text("part", "secret"), options.text("fallbacks", ""))
        self._secret = options.text("name")
        if not re.fullmatch(r"(?i)(?!GITHUB_)[A-Z_][A-Z0-9_]*", self._secret):
            raise options.wrong("name", "may have letters, digits and _, and does not begin with a digit or GITHUB_")
        options.text("token")
        self._base, place = _place(options)
        self._is_organization = "organization" in options
        self.name = f"github-actions {place} {self._secret}"
        self._written: Stamp | None = None

    def holds(self, values: Values) -> Holds:
        found = self._stamp()
        if found is None:
            return Holds.NOTHING
        if self._written is None:
            return Holds.OLD
        return Holds.NEW if found == self._written else Holds.OTHER

    def apply(self, values: Values) -> str:
        if self.holds(values) is Holds.OTHER:
            raise self._changed()
        return self._put(self._form.wanted(values))

    def verify(self, values: Values) -> str:
        if self._written is None:
            self._put(self._form.wanted(values))
        found = self._stamp()
        if found is None or found != self._written:
            raise self._changed()
        return f"sealed and accepted; updated_at {found.updated}"

    def rollback(self, values: Values) -> str:
        if self._written is not None and self.holds(values) is Holds.OTHER:
            raise self._changed()
        self._put(self._form.before(values))
        self._written = None
        return "the old value is back"

    def _changed(self) -> ConsumerChanged:
        return ConsumerChanged(f"{self.name} was written or deleted by somebody else", hint="Find out by whom, then resume.")

    def _put(self, value: bytes) -> str:
        if len(value) > MOST_BYTES:
            raise ConsumerError(f"{self.name}: GitHub takes at most {MOST_BYTES >> 10} KB")
        before = self._stamp()
        key = self._ask("GET", f"{self._base}/public-key", "read").object()
        body: dict[str, Any] = {"encrypted_value": _sealed(str(key.get("key")), value), "key_id": str(key.get("key_id"))}
        if self._is_organization:
            body["visibility"] = before.visibility if before else "private"
            if body["visibility"] == "selected":
                body["selected_repository_ids"] = self._selected()
        self._ask("PUT", f"{self._base}/{self._secret}", "write", body)
        after = self._stamp()
        if after is None or (before is not None and after.updated < before.updated):
            raise ConsumerError(f"{self.name} is not there after it was written")
        self._written = after
        return "replaced" if before else "created"

    def _stamp(self) -> Stamp | None:
        """None if there is no such secret. GitHub says 404 as well where the token may not look: the key tells which it is."""
        reply = self._ask("GET", f"{self._base}/{self._secret}", "read", missing=True)
        if reply.status == 404:
            self._ask("GET", f"{self._base}/public-key", "read")
            return None
        said = reply.object()
        return Stamp(str(said.get("updated_at")), str(said.get("visibility") or ""))

    def _selected(self) -> list[int]:
        """The repositories that see an organisation's secret. Left out, they would be lost."""
        found: list[int] = []
        for page in range(1, MOST_PAGES + 1):
            query = {"per_page": "100", "page": str(page)}
            reply = self._ask("GET", f"{self._base}/{self._secret}/repositories", "read", query=query).object()
            found += [int(each["id"]) for each in reply.get("repositories") or ()]
            if len(found) >= int(reply.get("total_count") or 0):
                return found
        raise ConsumerError(f"{self.name} is seen by more than {MOST_PAGES * 100} repositories; write it by hand")

    def _ask(
        self,
        method: str,
        path: str,
        right: str,
        body: object = None,
        *,
        query: Mapping[str, str] | None = None,
        missing: bool = False,
    ) -> Reply:
        try:
            reply = self._http().request(method, path, json=body, query=query)
        except ProviderError as error:
            raise translated(self.name, error) from None
        if reply.status in (200, 201, 204) or (missing and reply.status == 404):
            return reply
        if reply.status == 401:
            raise ConsumerError(f"{self.name}: GitHub does not know the token (401)", hint="Renew the consumer's `token`.")
        if reply.status in (403, 404):
            raise ConsumerError(
                f"{self.name}: not found or not allowed ({reply.status})",
                hint=f"Check the names, and give the token the right `{right}` on secrets (see the consumer's page).",
            )
        raise ConsumerError(f"{self.name}: GitHub answered {reply.status}")

    def _http(self) -> Http:
        headers = {
            "Authorization": f"Bearer {self._resolve(self._options.text('token')).reveal().decode()}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": VERSION,
            "User-Agent": "keyward",
        }
        return self._ports.http(self._options.text("url", API) or API, headers)


def _place(options: Options) -> tuple[str, str]:
    """The path of the secrets, and what it is called."""
    if "organization" in options:
        if "repository" in options or "environment" in options:
            raise options.wrong("organization", "excludes `repository` and `environment`")
        organization = options.text("organization")
        return f"/orgs/{quote(organization, safe='')}/actions/secrets", organization
    repository = options.text("repository")
    owner, slash, name = repository.partition("/")
    if not (owner and slash and name) or "/" in name:
        raise options.wrong("repository", "must be owner/name")
    path = f"/repos/{quote(owner, safe='')}/{quote(name, safe='')}"
    environment = options.text("environment", "")
    if environment:
        return f"{path}/environments/{quote(environment, safe='')}/secrets", f"{repository} ({environment})"
    return f"{path}/actions/secrets", repository


def _sealed(key: str, value: bytes) -> str:
    """The value for GitHub's eyes alone (libsodium sealed box), in base64."""
    try:
        from nacl.exceptions import CryptoError
        from nacl.public import PublicKey, SealedBox
    except ImportError:
        raise MissingExtra("PyNaCl", "github") from None
    try:
        return base64.b64encode(SealedBox(PublicKey(base64.b64decode(key, validate=True))).encrypt(value)).decode()
    except (CryptoError, binascii.Error, ValueError, TypeError):
        raise ConsumerError("GitHub's public key is not one") from None
