"""A Kubernetes Secret as a consumer: named keys are replaced under an optimistic lock, and workloads restarted if asked.

| option | meaning |
|---|---|
| `namespace`, `name` | the Secret |
| `key`, `part` | the one key to write, and which part of the credential (`secret` by default); or |
| `keys` | several: `["DB_PASSWORD=secret", "DB_USER=username"]` |
| `fallbacks` | text between the new and the old value, for a key that takes a list while the old one still lives |
| `server`, `token`, `ca_file` | the API server, a reference to a bearer token, the authority's file; or |
| `kubeconfig`, `context` | a kubeconfig and its context; `in_cluster = true` for the pod's own service account |
| `restart` | workloads to restart when the value changed: `["deployment/web", "statefulset/db"]` |
| `timeout` | seconds that a restart may take; 300 |

The patch carries the resourceVersion that was read, so that the server answers 409 if somebody else wrote in between; other keys
are untouched. The restart is an annotation of the pod template with the rotation's id: doing it twice restarts nothing twice.
Rights: `get` and `patch` on that Secret, and on the workloads.

References: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
  https://kubernetes.io/docs/concepts/configuration/secret/  https://kubernetes.io/docs/reference/kubectl/generated/kubectl_rollout/
"""

from __future__ import annotations

import base64
import binascii
import inspect
import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from keyward.errors import ConfigError, ConsumerChanged, ConsumerError, MissingExtra, ProviderError
from keyward.plugin.consumer import Holds, Values
from keyward.plugin.ports import Hosts, Ports
from keyward.rotate.consumers.remote import Form, Options, Resolve, refuse_other, together, translated

TYPE = "kubernetes"
OPTIONS = (
    "namespace", "name", "key", "part", "keys", "fallbacks", "server", "token", "ca_file", "kubeconfig", "context", "in_cluster",
    "restart", "timeout",
)  # fmt: skip
WORKLOADS = {"deployment": "deployment", "statefulset": "stateful_set", "daemonset": "daemon_set"}
ANNOTATION = "keyward/rotation"
TIMEOUTS = (10, 30)
MERGE = "application/merge-patch+json"


def hosts(options: Mapping[str, object]) -> Hosts:
    """Where this consumer goes: the API server that its options name. Raises ConfigError, MissingExtra."""
    return Hosts().with_url(_server(Options(TYPE, options, OPTIONS)))


def make(options: Mapping[str, object], ports: Ports, resolve: Resolve) -> KubernetesSecret:
    """The consumer of one table. Raises ConfigError. `ports` must allow `hosts(options)`."""
    return KubernetesSecret(Options(TYPE, options, OPTIONS), ports, resolve)


def _server(options: Options) -> str:
    if "server" in options:
        return options.text("server")
    if options.flag("in_cluster"):
        host, port = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        if not host:
            raise options.wrong("in_cluster", "is true, and this is not a pod")
        return f"https://{f'[{host}]' if ':' in host else host}:{port}"
    return str(_kubeconfig(options)["server"])


def _kubeconfig(options: Options) -> Mapping[str, Any]:
    """The cluster of the chosen context."""
    try:
        import yaml  # type: ignore[import-untyped]  # the kubernetes package brings it
    except ImportError:
        raise MissingExtra("the kubernetes client", "kubernetes") from None
    path = os.path.expanduser(options.text("kubeconfig", "~/.kube/config"))
    try:
        with open(path, encoding="utf-8") as file:
            config = yaml.safe_load(file)
        name = options.text("context", "") or config["current-context"]
        context = next(each["context"] for each in config["contexts"] if each["name"] == name)
        cluster = next(each["cluster"] for each in config["clusters"] if each["name"] == context["cluster"])
        if not isinstance(cluster["server"], str):
            raise TypeError
    except OSError as error:
        raise options.wrong(
            "kubeconfig", f"cannot be read ({type(error).__name__}); set `server` and `token` instead"
        ) from None
    except (yaml.YAMLError, UnicodeError, TypeError, KeyError, AttributeError, StopIteration):
        raise options.wrong("context", "names no context with a cluster and a server in that kubeconfig") from None
    return dict(cluster)


class KubernetesSecret:
    """Raises ConsumerError, never with the server's own text."""

    type = TYPE

    def __init__(self, options: Options, ports: Ports, resolve: Resolve) -> None:
        self._options, self._ports, self._resolve = options, ports, resolve
        self._namespace, self._secret = options.text("namespace"), options.text("name")
        self._forms = _forms(options)
        self._restart = tuple(_workload(options, each) for each in options.texts("restart"))
        self._timeout = options.number("timeout", 300.0)
        self._client: Any = None
        self.name = f"kubernetes {self._namespace}/{self._secret}"

    def holds(self, values: Values) -> Holds:
        return self._judge(self._read()[0], values)

    def apply(self, values: Values) -> str:
        wanted = {key: form.wanted(values) for key, form in self._forms.items()}
        return self._put(values, wanted, (Holds.OLD, Holds.NEW, Holds.NOTHING))

    def verify(self, values: Values) -> str:
        data, _ = self._read()
        if any(data.get(key) != form.wanted(values) for key, form in self._forms.items()):
            raise ConsumerError(f"{self.name} does not hold the new value")
        restarted = self._restart_all(values.rotation)
        return f"read back{f'; restarted {restarted}' if restarted else ''}"

    def rollback(self, values: Values) -> str:
        before = {key: form.before(values) for key, form in self._forms.items()}
        if any(self._read()[0].get(key) != value for key, value in before.items()):
            self._put(values, before, (Holds.NEW, Holds.OLD))
        self._restart_all(f"{values.rotation}-back")
        return "the old value is back"

    def _judge(self, data: Mapping[str, bytes], values: Values) -> Holds:
        return together(form.judge(data.get(key), values) for key, form in self._forms.items())

    def _put(self, values: Values, wanted: Mapping[str, bytes], allowed: tuple[Holds, ...]) -> str:
        data, version = self._read()
        if all(data.get(key) == value for key, value in wanted.items()):
            return "it was there already"
        refuse_other(self.name, self._judge(data, values), allowed)
        encoded = {key: base64.b64encode(value).decode() for key, value in wanted.items()}
        body = {"metadata": {"resourceVersion": version}, "data": encoded}
        self._patch("patch_namespaced_secret", self._secret, body, "secrets")
        return f"patched {', '.join(sorted(wanted))}"

    def _read(self) -> tuple[dict[str, bytes], str]:
        """The Secret's values, and the version that was read."""
        found = self._call("read_namespaced_secret", "secrets", self._secret, changes=False)
        try:
            data = {key: base64.b64decode(value, validate=True) for key, value in (found.data or {}).items()}
        except (binascii.Error, TypeError, ValueError):
            raise ConsumerError(f"{self.name} holds something that is not base64") from None
        return data, str(found.metadata.resource_version)

    def _restart_all(self, stamp: str) -> str:
        """Restarts what does not carry the stamp yet, and waits until all of it runs anew."""
        if not stamp:
            return ""
        for kind, name in self._restart:
            found = self._call(f"read_namespaced_{WORKLOADS[kind]}", f"{kind}s", name, changes=False)
            notes = (found.spec.template.metadata and found.spec.template.metadata.annotations) or {}
            if notes.get(ANNOTATION) != stamp:
                body = {"spec": {"template": {"metadata": {"annotations": {ANNOTATION: stamp}}}}}
                self._patch(f"patch_namespaced_{WORKLOADS[kind]}", name, body, f"{kind}s")
        for kind, name in self._restart:
            self._wait(kind, name)
        return ", ".join(f"{kind}/{name}" for kind, name in self._restart)

    def _wait(self, kind: str, name: str) -> None:
        clock = self._ports.clock
        deadline = clock.monotonic() + self._timeout
        while not _rolled_out(kind, self._call(f"read_namespaced_{WORKLOADS[kind]}", f"{kind}s", name, changes=False)):
            if clock.monotonic() >= deadline:
                raise ConsumerError(
                    f"{kind}/{name} does not run anew after {self._timeout:.0f} s",
                    hint="The new value is in the Secret. See why its pods do not start, then resume.",
                )
            clock.sleep(2.0)

    def _patch(self, method: str, name: str, body: object, resource: str) -> None:
        api = self._api(method)
        kind = {"_content_type": MERGE} if "_content_type" in inspect.signature(getattr(api, method)).parameters else {}
        self._call(method, resource, name, body, changes=True, **kind)

    def _api(self, method: str) -> Any:
        from kubernetes import client

        core = method.endswith("_secret")
        return (client.CoreV1Api if core else client.AppsV1Api)(self._connected())

    def _call(self, method: str, resource: str, name: str, *body: object, changes: bool, **more: str) -> Any:
        """One call of the API. All of the client's exceptions end here."""
        import urllib3

        try:
            api = self._api_of(method)
            host = str(urlsplit(_server(self._options)).hostname)
            return self._ports.call(
                f"{method} {self._namespace}/{name}",
                host,
                lambda: getattr(api, method)(name, self._namespace, *body, _request_timeout=TIMEOUTS, **more),
                changes=changes,
            )
        except ProviderError as error:
            raise translated(self.name, error) from None
        except urllib3.exceptions.HTTPError as error:
            raise ConsumerError(f"the API server does not answer: {type(error).__name__}") from None
        except Exception as error:
            status = getattr(error, "status", None)
            if not type(error).__module__.startswith("kubernetes.") or not isinstance(status, int):
                raise
            raise _refusal(self.name, status, "patch" if changes else "get", resource, self._namespace) from None

    def _api_of(self, method: str) -> Any:
        try:
            return self._api(method)
        except ImportError:
            raise MissingExtra("the kubernetes client", "kubernetes") from None

    def _connected(self) -> Any:
        if self._client is None:
            self._client = self._ports.sdk(_server(self._options), self._connect)
        return self._client

    def _connect(self) -> Any:
        from kubernetes import client, config

        options, settings = self._options, client.Configuration()
        try:
            if "server" in options:
                settings.host = options.text("server").rstrip("/")
                settings.ssl_ca_cert = os.path.expanduser(options.text("ca_file", "")) or None
                settings.api_key["authorization"] = self._resolve(options.text("token")).reveal().decode()
                settings.api_key_prefix["authorization"] = "Bearer"
            elif options.flag("in_cluster"):
                config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
            else:
                config.load_kube_config(  # type: ignore[no-untyped-call]
                    os.path.expanduser(options.text("kubeconfig", "~/.kube/config")),
                    options.text("context", "") or None,
                    settings,
                    persist_config=False,
                )
        except config.ConfigException:
            raise ConfigError(f"consumer {TYPE}: the credentials of the API server cannot be loaded") from None
        settings.retries, settings.proxy, settings.debug = False, None, False
        return client.ApiClient(settings)


def _forms(options: Options) -> dict[str, Form]:
    fallbacks = options.text("fallbacks", "")
    if "keys" not in options:
        return {options.text("key"): Form(options.text("part", "secret"), fallbacks)}
    if "key" in options:
        raise options.wrong("keys", "and `key` exclude each other")
    pairs = [each.partition("=") for each in options.texts("keys")]
    if not pairs or not all(key and part for key, _, part in pairs):
        raise options.wrong("keys", 'must be like ["DB_PASSWORD=secret"]')
    return {key: Form(part, fallbacks) for key, _, part in pairs}


def _workload(options: Options, text: str) -> tuple[str, str]:
    kind, _, name = text.partition("/")
    if kind not in WORKLOADS or not name:
        raise options.wrong("restart", f'must be like ["deployment/web"]; known are {", ".join(WORKLOADS)}')
    return kind, name


def _rolled_out(kind: str, found: Any) -> bool:
    """Whether every pod is of the newest template and available, as `kubectl rollout status` tells it."""
    status = found.status
    if status is None or (status.observed_generation or 0) < (found.metadata.generation or 0):
        return False
    if kind == "daemonset":
        wanted = status.desired_number_scheduled or 0
        return (status.updated_number_scheduled or 0) >= wanted and (status.number_available or 0) >= wanted
    wanted = 1 if found.spec.replicas is None else int(found.spec.replicas)
    updated, available = status.updated_replicas or 0, status.available_replicas or 0
    return updated >= wanted and available >= wanted and (status.replicas or 0) <= updated


def _refusal(name: str, status: int, verb: str, resource: str, namespace: str) -> ConsumerError:
    known: Mapping[int, Callable[[], ConsumerError]] = {
        401: lambda: ConsumerError(
            f"{name}: the API server does not know the token (401)", hint="Renew the consumer's `token`."
        ),
        403: lambda: ConsumerError(
            f"{name}: not allowed (403)",
            hint=f"Grant `{verb}` on `{resource}` in namespace {namespace} to the consumer's account.",
        ),
        404: lambda: ConsumerError(f"{name}: {resource} not found (404)", hint="Create it first, or correct its name."),
        409: lambda: ConsumerChanged(f"{name}: somebody else changed it meanwhile (409)", hint="Look at it, then resume."),
        422: lambda: ConsumerError(
            f"{name}: refused as invalid (422)", hint="A Secret with `immutable: true` must be replaced by hand."
        ),
    }
    return known[status]() if status in known else ConsumerError(f"{name}: the API server answered {status}")
