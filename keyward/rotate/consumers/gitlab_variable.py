"""A GitLab CI/CD variable as a consumer: of a project or a group. Its flags and its environment scope stay as they are.

| option | meaning |
|---|---|
| `project` or `group` | its path (`shop/api`) or number |
| `name` | the variable's key |
| `scope` | its environment scope; `*` by default |
| `part`, `fallbacks` | which part of the credential (`secret` by default); text between new and old for a list |
| `token` | reference to a token with the scope `api` and the role Maintainer (group: Owner) |
| `url` | of GitLab, where it is not gitlab.com |
| `masked`, `protected` | of a variable that has to be created: masked by default, not protected |

GitLab shows a variable's value again, unless it is *hidden*. A hidden one is treated like a GitHub secret: `holds` says NEW only if
this process wrote it, and OLD otherwise; a `verify` in a process that did not write, writes first.

References: https://docs.gitlab.com/api/project_level_variables/  https://docs.gitlab.com/api/group_level_variables/
  https://docs.gitlab.com/ci/variables/#mask-a-cicd-variable
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from keyward.errors import ConsumerError, ProviderError
from keyward.plugin.consumer import Holds, Values
from keyward.plugin.ports import Hosts, Http, Ports, Reply
from keyward.rotate.consumers.remote import Form, Options, Resolve, refuse_other, translated

TYPE = "gitlab-variable"
OPTIONS = ("project", "group", "name", "scope", "part", "fallbacks", "token", "url", "masked", "protected")
URL, HOST = "https://gitlab.com", "gitlab.com"
KEPT = ("variable_type", "protected", "masked", "raw", "environment_scope", "description")


def hosts(options: Mapping[str, object]) -> Hosts:
    """Where this consumer goes: gitlab.com, or the configured one."""
    url = options.get("url")
    return Hosts().with_url(url) if isinstance(url, str) and url else Hosts((HOST,))


def make(options: Mapping[str, object], ports: Ports, resolve: Resolve) -> GitlabVariable:
    """The consumer of one table. Raises ConfigError. `ports` must allow `hosts(options)`."""
    return GitlabVariable(Options(TYPE, options, OPTIONS), ports, resolve)


class GitlabVariable:
    """Raises ConsumerError, never with GitLab's own text."""

    type = TYPE

    def __init__(self, options: Options, ports: Ports, resolve: Resolve) -> None:
        self._options, self._ports, self._resolve = options, ports, resolve
        self._form = Form(options.text("part", "secret"), options.text("fallbacks", ""))
        self._key, self._scope = options.text("name"), options.text("scope", "*") or "*"
        self._flags = {
            "masked": options.flag("masked") if "masked" in options else True,
            "protected": options.flag("protected"),
        }
        options.text("token")
        if ("project" in options) == ("group" in options):
            raise options.wrong("project", "or `group` is needed, and not both")
        kind = "project" if "project" in options else "group"
        place = options.text(kind)
        self._base = f"/api/v4/{kind}s/{quote(place, safe='')}/variables"
        self.name = f"gitlab-variable {place} {self._key}{'' if self._scope == '*' else f' ({self._scope})'}"
        self._wrote = False

    def holds(self, values: Values) -> Holds:
        return self._judge(self._find(), values)

    def apply(self, values: Values) -> str:
        found, wanted = self._find(), self._form.wanted(values)
        if found is not None and _value(found) == wanted:
            return "it was there already"
        refuse_other(self.name, self._judge(found, values), (Holds.OLD, Holds.NEW, Holds.NOTHING))
        self._put(found, wanted)
        return "replaced" if found else "created"

    def verify(self, values: Values) -> str:
        found, wanted = self._find(), self._form.wanted(values)
        if found is None:
            raise ConsumerError(f"{self.name} is gone")
        if not _is_hidden(found):
            if _value(found) != wanted:
                raise ConsumerError(f"{self.name} does not hold the new value")
            return "read back"
        if not self._wrote:
            self._put(found, wanted)
        return "accepted; it is hidden and cannot be read back"

    def rollback(self, values: Values) -> str:
        found, before = self._find(), self._form.before(values)
        if found is None or _value(found) != before:
            if found is None or not _is_hidden(found):
                refuse_other(self.name, self._judge(found, values), (Holds.NEW,))
            self._put(found, before)
        self._wrote = False
        return "the old value is back"

    def _judge(self, found: Mapping[str, Any] | None, values: Values) -> Holds:
        if found is None:
            return Holds.NOTHING
        if _is_hidden(found):
            return Holds.NEW if self._wrote else Holds.OLD
        return self._form.judge(_value(found), values) or Holds.NEW

    def _find(self) -> dict[str, Any] | None:
        """The variable of this scope; None if there is none."""
        reply = self._ask("GET", f"{self._base}/{quote(self._key, safe='')}")
        if reply.status == 404:
            return None
        found = reply.object()
        if found.get("environment_scope", "*") != self._scope:
            raise ConsumerError(f"{self.name}: GitLab answered with the variable of another environment scope")
        return found

    def _put(self, found: Mapping[str, Any] | None, value: bytes) -> None:
        try:
            text = value.decode()
        except UnicodeDecodeError:
            raise ConsumerError(f"{self.name}: a variable holds text alone, and the value is not UTF-8") from None
        if found is None:
            body = {"key": self._key, "value": text, "environment_scope": self._scope, **self._flags}
            self._ask("POST", self._base, body)
        else:
            kept = {key: found[key] for key in KEPT if found.get(key) is not None}
            self._ask("PUT", f"{self._base}/{quote(self._key, safe='')}", {**kept, "value": text})
        self._wrote = True

    def _ask(self, method: str, path: str, body: object = None) -> Reply:
        query = None if method == "POST" else {"filter[environment_scope]": self._scope}
        try:
            reply = self._http().request(method, path, json=body, query=query)
        except ProviderError as error:
            raise translated(self.name, error) from None
        if reply.status in (200, 201):
            return reply
        if reply.status == 404 and method == "GET" and b"Variable" in reply.body:
            return reply
        if reply.status == 400:
            raise ConsumerError(
                f"{self.name}: GitLab refused the value (400)",
                hint="A masked variable must be one line of at least 8 characters from a limited set; see the reference.",
            )
        if reply.status == 401:
            raise ConsumerError(f"{self.name}: GitLab does not know the token (401)", hint="Renew the consumer's `token`.")
        if reply.status in (403, 404):
            raise ConsumerError(
                f"{self.name}: not found or not allowed ({reply.status})",
                hint="Check the path; the token needs the scope `api` and the role Maintainer (of a group: Owner).",
            )
        raise ConsumerError(f"{self.name}: GitLab answered {reply.status}")

    def _http(self) -> Http:
        token = self._resolve(self._options.text("token")).reveal().decode()
        return self._ports.http(self._options.text("url", URL) or URL, {"PRIVATE-TOKEN": token})


def _is_hidden(found: Mapping[str, Any]) -> bool:
    return bool(found.get("hidden")) or not isinstance(found.get("value"), str)


def _value(found: Mapping[str, Any]) -> bytes | None:
    return None if _is_hidden(found) else str(found["value"]).encode()
