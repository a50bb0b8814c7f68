"""A Kubernetes API server, as far as Secrets and the rollout of workloads go.

Add tokens with their rights (`allow`), Secrets (`add_secret`) and workloads (`add_workload`). A changed pod template rolls out
by itself: with each time that a workload is read, one more replica is new (`rolls`; False: it hangs).
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from keyward.testing.fakes.server import FakeProvider, Request, Response

MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
Key = tuple[str, str, str]
"""Resource, namespace, name."""

_PATH = re.compile(r"/(?:api/v1|apis/apps/v1)/namespaces/([^/]+)/(secrets|deployments|statefulsets|daemonsets)/([^/]+)")


class FakeKubernetes(FakeProvider):
    """`objects`: what is there, as JSON. `beaten`: Secrets that somebody else writes just before the next patch arrives."""

    RULES: ClassVar[tuple[str, ...]] = (
        "A request without a known bearer token is answered 401, one without the right 403, with a Status object: "
        "https://kubernetes.io/docs/reference/access-authn-authz/authentication/ and …/authorization/",
        "A patch or put with a resourceVersion that is not the current one is answered 409: "
        "https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions",
        "A merge patch replaces the named members and removes those that are null (RFC 7386): "
        "https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/",
        "The values of `data` are base64; an immutable Secret's data cannot be changed (422): "
        "https://kubernetes.io/docs/concepts/configuration/secret/",
        "A changed pod template raises `metadata.generation` and rolls out: "
        "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status",
        "A refusal's Status may quote the object that was sent: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/",
    )

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.objects: dict[Key, dict[str, Any]] = {}
        self.beaten: dict[str, Mapping[str, bytes]] = {}
        self.rolls = True
        self._rights: dict[str, set[tuple[str, str]]] = {}
        self._version = 100

    def allow(self, *rights: str) -> str:
        """A token with rights such as `get secrets`."""
        token = secrets.token_urlsafe(30)
        self._rights[token] = {(verb, resource) for verb, _, resource in (right.partition(" ") for right in rights)}
        return token

    def add_secret(self, namespace: str, name: str, *, immutable: bool = False, **data: bytes) -> None:
        encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
        more = {"immutable": True} if immutable else {}
        self._add("secrets", namespace, name, {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": encoded, **more})

    def add_workload(self, kind: str, namespace: str, name: str, replicas: int = 2) -> None:
        """`kind`: deployment, statefulset or daemonset; all of its pods run."""
        labels = {"matchLabels": {"app": name}}
        pod = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "main", "image": "app:1"}]}}
        spec: dict[str, Any] = {"selector": labels, "template": pod}
        if kind == "statefulset":
            spec["serviceName"] = name
        if kind != "daemonset":
            spec["replicas"] = replicas
        spelled = {"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet"}[kind]
        self._add(f"{kind}s", namespace, name, {"apiVersion": "apps/v1", "kind": spelled, "spec": spec})
        self._roll(f"{kind}s", self.objects[(f"{kind}s", namespace, name)], whole=True, replicas=replicas)

    def value(self, namespace: str, name: str, key: str) -> bytes:
        """What a Secret holds."""
        return base64.b64decode(self.objects[("secrets", namespace, name)]["data"][key])

    def annotations(self, kind: str, namespace: str, name: str) -> dict[str, str]:
        """Of the pod template."""
        template = self.objects[(f"{kind}s", namespace, name)]["spec"]["template"]
        return dict(template["metadata"].get("annotations") or {})

    def _add(self, resource: str, namespace: str, name: str, thing: dict[str, Any]) -> None:
        thing["metadata"] = {"name": name, "namespace": namespace, "generation": 1}
        self.objects[(resource, namespace, name)] = thing
        self._touch(thing)

    def _touch(self, thing: dict[str, Any]) -> None:
        self._version += 1
        thing["metadata"]["resourceVersion"] = str(self._version)

    def _roll(self, resource: str, thing: dict[str, Any], *, whole: bool, replicas: int = 0) -> None:
        status = thing.setdefault("status", {})
        wanted = replicas or thing["spec"].get("replicas") or status.get("desiredNumberScheduled", 1)
        if not self.rolls and not whole:
            return
        names = (
            ("updatedNumberScheduled", "numberAvailable")
            if resource == "daemonsets"
            else ("updatedReplicas", "availableReplicas")
        )
        now = wanted if whole else min(wanted, status.get(names[0], 0) + 1)
        status["observedGeneration"] = thing["metadata"]["generation"]
        status.update({names[0]: now, names[1]: wanted})
        if resource == "daemonsets":
            status.update(
                desiredNumberScheduled=wanted, currentNumberScheduled=wanted, numberMisscheduled=0, numberReady=wanted
            )
        else:
            status["replicas"] = wanted

    def handle(self, request: Request) -> Response:
        """See RULES."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        rights = self._rights.get(token) if scheme == "Bearer" else None
        if rights is None:
            return _status(401, "Unauthorized", "Unauthorized")
        found = _PATH.fullmatch(request.path)
        verb = {"GET": "get", "PATCH": "patch", "PUT": "update"}.get(request.method, "")
        if found is None or not verb:
            return _status(404, "NotFound", "the server could not find the requested resource")
        namespace, resource, name = found.groups()
        if (verb, resource) not in rights:
            return _status(403, "Forbidden", f'{resource} "{name}" is forbidden: cannot {verb}: {request.body.decode()}')
        thing = self.objects.get((resource, namespace, name))
        if thing is None:
            return _status(404, "NotFound", f'{resource} "{name}" not found')
        if verb == "get":
            if resource != "secrets":
                self._roll(resource, thing, whole=False)
            return Response(200, thing)
        return self._write(request, resource, thing) if verb == "patch" else _status(405, "MethodNotAllowed", "not here")

    def _write(self, request: Request, resource: str, thing: dict[str, Any]) -> Response:
        if request.headers.get("content-type") not in (MERGE, STRATEGIC):
            return _status(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
        try:
            patch = request.json()
        except ValueError:
            return _status(400, "BadRequest", "not JSON")
        if thing["metadata"]["name"] in self.beaten:
            rival = self.beaten.pop(thing["metadata"]["name"])
            thing["data"].update({key: base64.b64encode(value).decode() for key, value in rival.items()})
            self._touch(thing)
        asked = (patch.get("metadata") or {}).get("resourceVersion")
        if asked is not None and asked != thing["metadata"]["resourceVersion"]:
            return _status(409, "Conflict", "the object has been modified; please apply your changes to the latest version")
        if resource == "secrets" and thing.get("immutable") and "data" in patch:
            return _status(422, "Invalid", f"field is immutable when `immutable` is set: {json.dumps(patch)}")
        for value in (patch.get("data") or {}).values():
            try:
                base64.b64decode(value or "", validate=True)
            except ValueError:
                return _status(400, "BadRequest", f"illegal base64 data: {value}")
        before = json.dumps(thing.get("spec"))
        kept = dict(thing["metadata"])
        _merge(thing, patch)
        thing["metadata"].update({key: kept[key] for key in ("name", "namespace", "generation")})
        if json.dumps(thing.get("spec")) != before:
            thing["metadata"]["generation"] += 1
            for name in ("updatedReplicas", "updatedNumberScheduled"):
                if name in thing["status"]:
                    thing["status"][name] = 0
        self._touch(thing)
        return Response(200, thing)


def _merge(target: dict[str, Any], patch: Mapping[str, Any]) -> None:
    """RFC 7386."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, Mapping):
            inner = target.get(key)
            target[key] = inner = inner if isinstance(inner, dict) else {}
            _merge(inner, value)
        else:
            target[key] = value


def _status(code: int, reason: str, message: str) -> Response:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason, "code": code}
    return Response(code, body)
