"""OpenClaw as a consumer: writes a credential where OpenClaw keeps it, and has the running gateway take it.

| option | meaning |
|---|---|
| `place` | `store` (default: its secret store), `config` (a plain text in `openclaw.json`), `vault` (a KV path its Vault plugin reads), `reference` (see `openclaw_reference`) |
| `name` | store: the entry (`MISTRAL_API_KEY`) |
| `field` | config: the path (`hooks.token`); vault: the field, `apiKey` by default |
| `url`, `token`, `namespace`, `mount`, `path`, `kv_version` | vault: address, reference to a token, and where the field is |
| `part` | which part of the credential is written; `secret` by default |
| `command` | how OpenClaw is called; `["openclaw"]` by default |
| `state_dir`, `config` | its folder and configuration, where they are not the usual ones |
| `own_credential`, `gateway` | true, with the gateway's address (`ws://127.0.0.1:18789`), where the entry is the gateway's own token |
| `timeout` | seconds that one command may take; 60 |

A reload counts only if it says `ok` and `warningCount` 0: with a provider that fails OpenClaw still answers `ok`, exits with 0 and
keeps the old value. Values go to OpenClaw on standard input, never in its arguments. One exception stands in the environment of one
command: when the gateway's *own* token was changed in its store, `secrets reload` would log in with the new token, which the gateway
does not know yet; it is then called with OPENCLAW_GATEWAY_TOKEN set to the *old* one, which dies by that call.

OpenClaw keeps the former configuration in `openclaw.json.bak*`: dead values after a rotation, but a scan finds them.

References: docs/cli/secrets.md, docs/cli/config.md, docs/plugins/vault.md and docs/gateway/secrets of the npm package openclaw 2026.9.6
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping

from keyward.errors import ConsumerError, ProviderError
from keyward.model.credential import SecretParts
from keyward.plugin.consumer import Holds, Values
from keyward.plugin.ports import Hosts, Http, Ports
from keyward.rotate.consumers.openclaw_places import LOCAL, ConfigField, SecretPlace, TeamStore, VaultField
from keyward.rotate.consumers.remote import Form, Options, Resolve, refuse_other, translated

TYPE = "openclaw"
PLACES = ("store", "config", "vault", "reference")
OPTIONS = (
    "place", "name", "field", "url", "token", "namespace", "mount", "path", "kv_version", "part", "command", "state_dir",
    "config", "own_credential", "gateway", "timeout", "source", "provider",
)  # fmt: skip


def hosts(options: Mapping[str, object]) -> Hosts:
    """Where this consumer goes: the configured vault alone."""
    return Hosts().with_url(str(options.get("url") or ""))


def make(options: Mapping[str, object], ports: Ports, resolve: Resolve) -> OpenClaw:
    """The consumer of one table. Raises ConfigError. `ports` must allow `hosts(options)`."""
    if options.get("place") == "reference":
        from keyward.rotate.consumers.openclaw_reference import OpenClawReference

        return OpenClawReference(Options(TYPE, options, OPTIONS), ports, resolve)
    return OpenClaw(Options(TYPE, options, OPTIONS), ports, resolve)


class Refusal(Exception):
    """What OpenClaw said to a command that failed: one word of ours, never its own text."""


class OpenClaw:
    """Raises ConsumerError with what to do next; never with OpenClaw's own words, which may quote a value."""

    type = TYPE

    def __init__(self, options: Options, ports: Ports, resolve: Resolve) -> None:
        self._ports, self._resolve, self._options = ports, resolve, options
        self._form = Form(options.text("part", "secret"))
        self._command = options.texts("command") or ("openclaw",)
        self._timeout = options.number("timeout", 60.0)
        self._own, self._gateway = options.flag("own_credential"), options.text("gateway", "")
        if self._own and not self._gateway:
            raise options.wrong("gateway", "is needed with `own_credential`: the gateway's address, ws://…")
        given = options.text("state_dir", "")
        state = os.path.expanduser(given or os.environ.get("OPENCLAW_STATE_DIR") or "~/.openclaw")
        config = os.path.expanduser(options.text("config", "") or os.path.join(state, "openclaw.json"))
        self._environment = {"OPENCLAW_STATE_DIR": state} if given else {}
        if "config" in options:
            self._environment["OPENCLAW_CONFIG_PATH"] = config
        self._place = self._make_place(options.text("place", "store"), state, config)
        detail = options.text("name", "") or options.text("path", "") or options.text("field", "")
        self.name = f"openclaw {detail}"

    def _make_place(self, place: str, state: str, config: str) -> SecretPlace:
        if place == "store":
            return TeamStore(self._options, state, self._ports, self._change)
        if place == "config":
            return ConfigField(self._options, config, self._ports, self._change)
        if place == "vault":
            self._options.text("url")
            self._options.text("token")
            return VaultField(self._options, self._connect)
        raise self._options.wrong("place", f"must be one of {', '.join(PLACES)}")

    def _connect(self) -> Http:
        headers = {"X-Vault-Token": self._resolve(self._options.text("token")).reveal().decode()}
        if namespace := self._options.text("namespace", ""):
            headers["X-Vault-Namespace"] = namespace
        return self._ports.http(self._options.text("url"), headers)

    def holds(self, values: Values) -> Holds:
        return self._form.judge(self._read(), values) or Holds.NEW

    def apply(self, values: Values) -> str:
        wanted = self._form.wanted(values)
        if self._read() == wanted:
            return "it was there already"
        refuse_other(self.name, self.holds(values), (Holds.OLD, Holds.NEW, Holds.NOTHING))
        self._write(wanted)
        return "written"

    def verify(self, values: Values) -> str:
        if self._read() != self._form.wanted(values):
            raise ConsumerError(f"{self.name} does not hold the new value")
        if not self._place.reloads:
            return "read back; the gateway watches its configuration"
        self._reload(values.old)
        return "read back; secrets reload: ok, 0 warnings"

    def rollback(self, values: Values) -> str:
        before = self._form.before(values)
        if self._read() != before:
            refuse_other(self.name, self.holds(values), (Holds.NEW,))
            self._write(before)
        if self._place.reloads:
            self._reload(values.new)
        return "the old value is back"

    def _read(self) -> bytes | None:
        try:
            return self._place.read()
        except ProviderError as error:
            raise translated(self.name, error) from None

    def _write(self, value: bytes) -> None:
        try:
            self._place.write(value)
        except ProviderError as error:
            raise translated(self.name, error) from None
        except Refusal as refusal:
            raise ConsumerError(
                f"OpenClaw did not take the new value of {self.name}: {refusal}",
                hint="Run `openclaw config validate`, and see what the gateway's log says.",
            ) from None

    def _reload(self, former: SecretParts) -> None:
        """Has the gateway read its secrets again. `former`: what it may still know, where the entry is its own token."""
        try:
            self._try_reload({})
        except Refusal as refusal:
            if str(refusal) == "unauthorized" and self._own and self._form.part in former:
                known = former[self._form.part].reveal().decode()
                try:
                    self._try_reload({"OPENCLAW_GATEWAY_URL": self._gateway, "OPENCLAW_GATEWAY_TOKEN": known})
                    return
                except Refusal as second:
                    refusal = second
            raise ConsumerError(
                f"the gateway did not take its secrets again: {refusal}",
                hint="The value is written. Start the gateway or see its log, then resume.",
            ) from None

    def _try_reload(self, environment: Mapping[str, str]) -> None:
        output = self._run("openclaw secrets reload", ("secrets", "reload", "--json"), b"", environment)
        try:
            said = json.loads(output)
            ok, warnings = said["ok"], said["warningCount"]
        except (ValueError, TypeError, KeyError):
            raise Refusal("its answer is not the JSON that OpenClaw 2026.9 gives") from None
        if ok is not True or type(warnings) is not int or warnings != 0:
            raise Refusal(f"ok is {json.dumps(ok)[:10]} and warningCount {json.dumps(warnings)[:10]}; 0 is required")

    def _change(self, what: str, arguments: tuple[str, ...], value: bytes) -> bytes:
        return self._run(what, arguments, value, {})

    def _run(
        self, what: str, arguments: tuple[str, ...], value: bytes, environment: Mapping[str, str], *, changes: bool = True
    ) -> bytes:
        """One command's standard output. Raises Refusal if it fails, ConsumerError if it cannot be run."""
        surroundings = {**os.environ, **self._environment, **environment, "NO_COLOR": "1"}

        def start() -> subprocess.CompletedProcess[bytes]:
            return subprocess.run(
                [*self._command, *arguments],
                input=value,
                capture_output=True,
                env=surroundings,
                timeout=self._timeout,
                check=False,
            )

        try:
            result = self._ports.call(what, LOCAL, start, changes=changes)
        except subprocess.TimeoutExpired:
            raise Refusal(f"no answer within {self._timeout:.0f} s") from None
        except OSError as error:
            raise ConsumerError(
                f"OpenClaw cannot be called: {type(error).__name__}",
                hint='Name it in the consumer\'s options: command = ["/path/to/openclaw"].',
            ) from None
        if result.returncode:
            said = (result.stdout + result.stderr).lower()
            words = (
                ("unauthorized", b"unauthorized"),
                ("the gateway is not reachable", b"not reachable"),
                ("its schema does not allow it", b"schema validation failed"),
                ("exit", b""),
            )
            word = next(word for word, sign in words if sign in said)
            raise Refusal(f"exit {result.returncode}" if word == "exit" else word)
        return result.stdout
