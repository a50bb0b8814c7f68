"""GitLab's REST API (v4), as far as CI/CD variables of projects and groups go."""

from __future__ import annotations

import re
import secrets
from typing import Any, ClassVar
from urllib.parse import unquote

from keyward.testing.fakes.server import FakeProvider, Request, Response

GUEST, DEVELOPER, MAINTAINER, OWNER = 10, 30, 40, 50
_PATH = re.compile(r"/api/v4/(projects|groups)/([^/]+)/variables(?:/([^/]+))?")
_MASKABLE = re.compile(r"\S{8,}")
_SHOWN = ("variable_type", "key", "value", "protected", "masked", "hidden", "raw", "environment_scope", "description")
_OPTIONAL = ("variable_type", "protected", "masked", "raw", "environment_scope", "description")


class FakeGitlabVariables(FakeProvider):
    """`variables`: of each place (`("projects", "shop/api")`), in the order in which they were made."""

    RULES: ClassVar[tuple[str, ...]] = (
        "GET, PUT and DELETE of a key that has several environment scopes need filter[environment_scope]: "
        "https://docs.gitlab.com/api/project_level_variables/#the-filter-parameter",
        "PUT changes what is sent, and needs `value`: https://docs.gitlab.com/api/project_level_variables/#update-a-variable",
        "A masked value is one line without spaces of at least 8 characters, else 400: "
        "https://docs.gitlab.com/ci/variables/#mask-a-cicd-variable",
        "The value of a hidden variable is never shown again: https://docs.gitlab.com/ci/variables/#hide-a-cicd-variable",
        "Variables need the role Maintainer (projects) or Owner (groups) and the scope `api`; a place that a token cannot see is 404: "
        "https://docs.gitlab.com/user/permissions/",
    )

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.variables: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._tokens: dict[str, tuple[tuple[str, str], int]] = {}

    def add_token(self, kind: str, place: str, level: int = MAINTAINER) -> str:
        """A token for a project or group, which is made with it. `kind`: `projects` or `groups`."""
        token = secrets.token_urlsafe(20)
        self._tokens[token] = ((kind, place), level)
        self.variables.setdefault((kind, place), [])
        return token

    def add(self, kind: str, place: str, key: str, value: str, **more: Any) -> dict[str, Any]:
        entry = {
            "variable_type": "env_var", "key": key, "value": value, "protected": False, "masked": False, "hidden": False,
            "raw": False, "environment_scope": "*", "description": None, **more,
        }  # fmt: skip
        self.variables.setdefault((kind, place), []).append(entry)
        return entry

    def handle(self, request: Request) -> Response:
        """See RULES."""
        token = self._tokens.get(request.headers.get("private-token", ""))
        if token is None:
            return Response(401, {"message": "401 Unauthorized"})
        found = _PATH.fullmatch(request.path)
        if found is None:
            return Response(404, {"error": "404 Not Found"})
        place = (found[1], unquote(found[2]))
        if token[0] != place:
            return Response(404, {"message": f"404 {'Project' if found[1] == 'projects' else 'Group'} Not Found"})
        if token[1] < (MAINTAINER if found[1] == "projects" else OWNER):
            return Response(403, {"message": "403 Forbidden"})
        if found[3] is None:
            return self._create(request, place) if request.method == "POST" else Response(405, {"error": "405 Not Allowed"})
        scope = request.query.get("filter[environment_scope]")
        fitting = [
            e for e in self.variables[place] if e["key"] == unquote(found[3]) and scope in (None, e["environment_scope"])
        ]
        if not fitting:
            return Response(404, {"message": "404 Variable Not Found"})
        if len(fitting) > 1:
            return Response(
                409,
                {"message": "There are multiple variables with provided parameters. Please use 'filter[environment_scope]'"},
            )
        if request.method == "PUT":
            return self._update(request, fitting[0])
        return Response(200, _shown(fitting[0]))

    def _create(self, request: Request, place: tuple[str, str]) -> Response:
        sent = request.json()
        scope = sent.get("environment_scope", "*")
        if any(e["key"] == sent["key"] and e["environment_scope"] == scope for e in self.variables[place]):
            return Response(400, {"message": {"key": ["has already been taken"]}})
        if sent.get("masked") and not _MASKABLE.fullmatch(sent["value"]):
            return Response(400, {"message": {"value": [f"is invalid: {sent['value']}"]}})
        more = {key: sent[key] for key in _OPTIONAL if key in sent}
        return Response(201, _shown(self.add(*place, sent["key"], sent["value"], **more)))

    def _update(self, request: Request, entry: dict[str, Any]) -> Response:
        sent = request.json()
        if "value" not in sent:
            return Response(400, {"error": "value is missing"})
        changed = {**entry, "value": sent["value"], **{key: sent[key] for key in _OPTIONAL if key in sent}}
        if changed["masked"] and not _MASKABLE.fullmatch(changed["value"]):
            return Response(400, {"message": {"value": [f"is invalid: {sent['value']}"]}})
        entry.update(changed)
        return Response(200, _shown(entry))


def _shown(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: None if key == "value" and entry["hidden"] else entry[key] for key in _SHOWN}
