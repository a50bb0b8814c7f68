"""OpenClaw with `place = "reference"`: a plain text in `openclaw.json` becomes a reference, and the value stands behind it.

| option | meaning |
|---|---|
| `field` | the path in `openclaw.json` (`models.providers.mistral.apiKey`) |
| `source` | `store` (default: OpenClaw's secret store, where the value is written) or `vault` (its bundled Vault plugin reads the lane's store) |
| `name` | the reference's id: the store's entry (`MISTRAL_API_KEY`), or `<KV path>/<field>` |
| `provider` | the provider's name in OpenClaw: `default` for its store, `vault` for the plugin |

The others are those of `openclaw`. With `vault` nothing is written but the reference: the lane's store is what OpenClaw reads. Whether the
gateway can read it is told by the reload, which must end with `ok` and without a warning; OpenClaw keeps the old value until then.

Taken back, the old value is put behind the reference; with `vault`, where the store still has the new one, it stands in the
configuration again.

References: docs/gateway/secrets/secretref-contract.md, docs/plugins/vault.md, docs/cli/config.md of the npm package openclaw 2026.9.6
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from keyward.errors import ConsumerError
from keyward.plugin.consumer import Holds, Values
from keyward.rotate.consumers.openclaw import TYPE, OpenClaw, Refusal
from keyward.rotate.consumers.openclaw_places import LOCAL, SecretPlace, TeamStore, read_configuration
from keyward.rotate.consumers.remote import Options, refuse_other

STORE, VAULT = "store", "vault"
PLUGIN = {"pluginId": "vault", "integrationId": "vault"}
"""What a provider of the bundled plugin has as its `pluginIntegration`."""

_STORE_ID = re.compile(r"[A-Z][A-Z0-9_]{0,127}")
_EXEC_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#-]{0,255}")


class OpenClawReference(OpenClaw):
    """See the page."""

    def _make_place(self, place: str, state: str, config: str) -> SecretPlace:
        options = self._options
        self._config, self._path = config, options.text("field").split(".")
        self._source, id = options.text("source", STORE), options.text("name")
        if self._source not in (STORE, VAULT):
            raise options.wrong("source", f"must be {STORE} or {VAULT}")
        if not (_STORE_ID if self._source == STORE else _EXEC_ID).fullmatch(id):
            raise options.wrong("name", "is no id that OpenClaw takes: capitals, digits and _ for its store")
        alias = options.text("provider", "default" if self._source == STORE else "vault")
        self._reference = {"source": "exec" if self._source == VAULT else STORE, "provider": alias, "id": id}
        return TeamStore(Options(TYPE, {"name": id}, ("name",)), state, self._ports, self._change)

    def ready(self) -> None:
        """Raises ConsumerError where OpenClaw could not take the reference: asked without changing anything."""
        if self._source == VAULT:
            self._check_provider()
        try:
            self._run(
                "openclaw config patch --dry-run", ("config", "patch", "--stdin", "--dry-run"), self._patch(), {}, changes=False
            )
        except Refusal as refusal:
            # that the entry is not in the store yet is no matter: it is written first
            if "schema" in str(refusal):
                hint = "Take `references` away for it: then the value itself is replaced."
                raise ConsumerError(f"{'.'.join(self._path)} of openclaw.json can hold no reference", hint=hint) from None

    def _check_provider(self) -> None:
        providers = _at(read_configuration(self._config), ["secrets", "providers"])
        known = providers.get(self._reference["provider"]) if isinstance(providers, dict) else None
        if not isinstance(known, dict) or known.get("pluginIntegration") != PLUGIN:
            raise ConsumerError(
                f"OpenClaw has no provider {self._reference['provider']} of its Vault plugin",
                hint='Run `openclaw vault setup`, or say source = "store".',
            )

    def holds(self, values: Values) -> Holds:
        held = self._held()
        if held is None:
            return Holds.NOTHING
        if held != self._reference:
            literal = self._form.judge(held.encode(), values) if isinstance(held, str) else Holds.OTHER
            # a text that is the new one already is to become a reference yet
            return Holds.OTHER if literal is Holds.OTHER or self._behind(values) is Holds.OTHER else Holds.OLD
        return Holds.NEW if self._source == VAULT else self._behind(values)

    def _behind(self, values: Values) -> Holds:
        """What stands behind the reference. The lane's store has the new one by the time that anybody is given it."""
        if self._source == VAULT:
            return Holds.NEW
        return self._form.judge(self._read(), values) or Holds.NEW

    def apply(self, values: Values) -> str:
        refuse_other(self.name, self.holds(values), (Holds.OLD, Holds.NEW, Holds.NOTHING))
        done = []
        if self._source == STORE and self._read() != self._form.wanted(values):
            self._write(self._form.wanted(values))
            done.append("written into OpenClaw's store")
        if self._held() != self._reference:
            self._put(self._reference)
            done.append("the value in openclaw.json replaced by a reference")
        return "; ".join(done) or "it was there already"

    def verify(self, values: Values) -> str:
        if self._held() != self._reference:
            raise ConsumerError(f"{self.name}: openclaw.json was read back and does not hold the reference")
        if self._source == STORE and self._read() != self._form.wanted(values):
            raise ConsumerError(f"{self.name} does not hold the new value")
        self._reload(values.old)
        return "the reference was read back; secrets reload: ok, 0 warnings"

    def rollback(self, values: Values) -> str:
        before = self._form.before(values)
        if self._source == VAULT:
            if self._held() == self._reference:
                self._put(before.decode())
            self._reload(values.new)
            return "the old value stands in openclaw.json again"
        if self._read() != before:
            refuse_other(self.name, self.holds(values), (Holds.NEW, Holds.OLD))
            self._write(before)
        self._reload(values.new)
        return "the old value is back, behind the reference"

    def _held(self) -> Any:
        """What stands at the field: a text, a reference, or None."""
        whole = self._ports.call("openclaw.json read", LOCAL, lambda: read_configuration(self._config), changes=False)
        return _at(whole, self._path)

    def _put(self, value: object) -> None:
        try:
            self._change("openclaw config patch", ("config", "patch", "--stdin"), self._patch(value))
        except Refusal as refusal:
            hint = "Run `openclaw config validate`, and see what the gateway's log says."
            raise ConsumerError(f"OpenClaw did not take the reference of {self.name}: {refusal}", hint=hint) from None

    def _patch(self, value: object = None) -> bytes:
        patch: object = value if value is not None else self._reference
        for key in reversed(self._path):
            patch = {key: patch}
        return json.dumps(patch).encode()


def _at(value: Any, path: list[str]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
