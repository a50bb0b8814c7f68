"""Credentials in HashiCorp Vault or OpenBao, KV version 2 or 1.

Where things lie, below the mount (`secret`) and for the path `lanes/prod/aws`:

| slot | path | who may read it |
|---|---|---|
| current | `lanes/prod/aws` | the lane: one field a part, as any consumer of KV reads it |
| pending | `keyward/pending/lanes/prod/aws` | keyward alone |
| previous | `keyward/previous/lanes/prod/aws` | keyward alone |

A field `_keyward` beside the parts holds the labels (see `encoding`). In KV version 2 the labels also stand in the custom
metadata of current as `keyward_lane`, `keyward_rotation` and so on, for people and for searches. That copy is written after the
value; where that fails or is forbidden, the labels in the value still hold, and `health` says which right is missing.

KV version 2 checks the version in the same request that writes. Erasing has no such check at the server: keyward compares
first. KV version 1 has none at all, and no versions: keyward reads, compares, then writes, so two writers in the same
instant can overwrite each other. Use version 2 where more than one host rotates.

Rights that keyward needs: `keyward_policy`. Source: https://openbao.org/api-docs/secret/kv/kv-v2/ and kv-v1/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from keyward.errors import KeywardError, StoreConflict, StoreDenied, StoreError
from keyward.model.credential import SecretParts
from keyward.plugin.store import Health, Slot, Stored
from keyward.stores.encoding import RESERVED, check_path, conflict, next_version, stored, to_fields
from keyward.stores.vault_client import Asked, VaultClient

LONGEST_LABEL = 512
"""Bytes of one value of custom metadata (64 of them at most)."""

MOST_FOLDERS = 100_000
"""Folders listed at most by `paths`, against a server that makes them up."""


def place(path: str, slot: Slot) -> str:
    """Where a slot lies below the mount."""
    return path if slot is Slot.CURRENT else f"{RESERVED}/{slot.value}/{path}"


class VaultStore:
    """`mount`: of the KV engine. `kv_version`: 0 to ask the server. `list_below`: where `paths` looks (everywhere)."""

    type = "vault"

    def __init__(
        self, name: str, client: VaultClient, *, mount: str = "secret", kv_version: int = 0, list_below: str = ""
    ) -> None:
        self.name, self.client, self.mount = name, client, mount.strip("/")
        self._version = kv_version
        self._below = list_below.strip("/")

    def read(self, path: str, slot: Slot) -> Stored | None:
        where = place(check_path(path), slot)
        if self.kv_version == 1:
            asked = Asked(f"{self.mount}/{where}", "read")
            answer = self.client.ask(lambda c: c.secrets.kv.v1.read_secret(where, mount_point=self.mount)["data"], asked)
            return stored(answer) if answer is not None else None
        found = self.client.ask(
            lambda c: _newest_of(
                c.secrets.kv.v2.read_secret_version(where, mount_point=self.mount, raise_on_deleted_version=False)["data"]
            ),
            Asked(f"{self.mount}/data/{where}", "read"),
        )
        return stored(*found) if found is not None else None

    def write(self, path: str, slot: Slot, parts: SecretParts, labels: Mapping[str, str], *, expected: int) -> int:
        where = place(check_path(path), slot)
        if self.kv_version == 1:
            return self._write_v1(path, slot, parts, labels, expected)
        fields = to_fields(parts, labels)
        try:
            version = self._put(where, fields, expected)
        except StoreConflict:
            found, deleted = self._newest(where)
            if expected or not deleted:
                raise conflict(path, slot, expected, found) from None
            # somebody deleted the newest version: the slot is empty, and the server counts on from there
            version = self._put(where, fields, found)
        if slot is Slot.CURRENT:
            self._annotate(where, labels, version)
        return version

    def erase(self, path: str, slot: Slot, *, expected: int) -> None:
        where = place(check_path(path), slot)
        if self.kv_version == 1:
            held = self.read(path, slot)
            if held is None:
                return
            if held.version != expected:
                raise conflict(path, slot, expected, held.version)
            asked = Asked(f"{self.mount}/{where}", "delete", changes=True)
            self.client.ask(lambda c: c.secrets.kv.v1.delete_secret(where, mount_point=self.mount), asked)
            return
        found, deleted = self._newest(where)
        if found and not deleted and found != expected:
            raise conflict(path, slot, expected, found)
        if found or deleted:
            asked = Asked(f"{self.mount}/metadata/{where}", "delete", changes=True)
            self.client.ask(lambda c: c.secrets.kv.v2.delete_metadata_and_all_versions(where, mount_point=self.mount), asked)

    def destroy_old(self, path: str) -> int:
        where = place(check_path(path), Slot.CURRENT)
        if self.kv_version == 1:
            return 0
        metadata = self._metadata(where)
        if metadata is None:
            return 0
        newest = int(metadata["current_version"])
        old = sorted(
            int(number) for number, each in metadata["versions"].items() if int(number) != newest and not each["destroyed"]
        )
        if old:
            asked = Asked(f"{self.mount}/destroy/{where}", "update", changes=True)
            self.client.ask(lambda c: c.secrets.kv.v2.destroy_secret_versions(where, old, mount_point=self.mount), asked)
        return len(old)

    def paths(self) -> Iterator[str]:
        folders, seen = [f"{self._below}/" if self._below else ""], 0
        while folders and seen < MOST_FOLDERS:
            folder, seen = folders.pop(), seen + 1
            for key in sorted(self._list(folder)):
                if folder + key == f"{RESERVED}/":
                    continue
                if key.endswith("/"):
                    folders.append(folder + key)
                elif self.kv_version == 1 or not self._newest(folder + key)[1]:
                    yield folder + key

    def health(self) -> Health:
        """Asks whether the server is there and unsealed, logs in, finds the mount, and asks which rights are missing."""
        try:
            state = self.client.without_login(
                lambda c: c.adapter.get("/v1/sys/health?standbyok=true&sealedcode=200&uninitcode=200"),
                Asked("sys/health", "read"),
            )
            if not isinstance(state, dict) or not state.get("initialized"):
                return Health(False, "The server is not initialised.")
            if state.get("sealed"):
                return Health(False, "The server is sealed; unseal it.")
            missing = self._missing()
        except KeywardError as error:
            return Health(False, f"{error}. {error.hint}".strip())
        if missing:
            return Health(False, f"Its policy lacks {'; '.join(missing)}.")
        return Health(True, "" if self.kv_version == 2 else "KV version 1: no check-and-set by the server.")

    def close(self) -> None:
        self.client.close()

    @property
    def kv_version(self) -> int:
        """1 or 2. Asked where everybody may who has any right below the mount; sys/mounts needs no reading right."""
        if not self._version:
            asked = Asked(f"sys/internal/ui/mounts/{self.mount}", "read")
            try:
                answer = self.client.ask(lambda c: c.adapter.get(f"/v1/sys/internal/ui/mounts/{self.mount}"), asked)
            except StoreDenied as error:
                if "not valid any more" in str(error) or "login" in str(error):
                    raise
                raise StoreDenied(
                    f"there is no mount {self.mount}/ that this login may see",
                    hint="Check the store's mount, namespace and policy.",
                ) from None
            data = answer["data"] if isinstance(answer, dict) else {}
            if data.get("type") not in ("kv", "generic"):
                raise StoreError(
                    f"the mount {self.mount}/ is no key-value engine", hint="Name a KV mount in the store's table."
                )
            self._version = int((data.get("options") or {}).get("version") or 1)
        return self._version

    def _put(self, where: str, fields: Mapping[str, str], expected: int) -> int:
        answer = self.client.ask(
            lambda c: int(
                c.secrets.kv.v2.create_or_update_secret(where, dict(fields), cas=expected, mount_point=self.mount)["data"][
                    "version"
                ]
            ),
            Asked(f"{self.mount}/data/{where}", "update" if expected else "create", changes=True),
        )
        if answer is None:
            raise StoreError(f"nothing is mounted at {self.mount}/", hint="Check the store's mount and namespace.")
        return answer

    def _write_v1(self, path: str, slot: Slot, parts: SecretParts, labels: Mapping[str, str], expected: int) -> int:
        where = place(path, slot)
        held = self.read(path, slot)
        found = held.version if held else 0
        if found != expected:
            raise conflict(path, slot, expected, found)
        version = next_version(expected, self.client.ports.clock.now())
        fields = to_fields(parts, labels, version)
        self.client.ask(
            lambda c: c.secrets.kv.v1.create_or_update_secret(where, fields, method="POST", mount_point=self.mount),
            Asked(f"{self.mount}/{where}", "update" if expected else "create", changes=True),
        )
        return version

    def _metadata(self, where: str) -> dict[str, Any] | None:
        answer = self.client.ask(
            lambda c: c.secrets.kv.v2.read_secret_metadata(where, mount_point=self.mount)["data"],
            Asked(f"{self.mount}/metadata/{where}", "read"),
        )
        return dict(answer) if answer is not None else None

    def _newest(self, where: str) -> tuple[int, bool]:
        """The newest version (0: none), and whether it is deleted."""
        metadata = self._metadata(where)
        if metadata is None:
            return 0, False
        newest = int(metadata["current_version"])
        state = metadata["versions"].get(str(newest))
        return newest, state is None or bool(state["deletion_time"] or state["destroyed"])

    def _list(self, folder: str) -> list[str]:
        kind = "metadata/" if self.kv_version == 2 else ""
        asked = Asked(f"{self.mount}/{kind}{folder}", "list")
        answer = self.client.ask(lambda c: c.adapter.list(_quoted(f"/v1/{self.mount}/{kind}{folder}"))["data"]["keys"], asked)
        return [str(each) for each in answer or ()]

    def _annotate(self, where: str, labels: Mapping[str, str], version: int) -> None:
        """Copies the labels into custom metadata, leaving other people's keys alone. What the store must keep is written
        already, so a failure here is none of the write."""
        chosen = {f"{RESERVED}_{key}": str(value)[:LONGEST_LABEL] for key, value in labels.items()}
        body = {"custom_metadata": {**chosen, f"{RESERVED}_version": str(version)}}
        headers = {"Content-Type": "application/merge-patch+json"}
        try:
            self.client.ask(
                lambda c: c.adapter.request(
                    "patch", _quoted(f"/v1/{self.mount}/metadata/{where}"), headers=dict(headers), json=body
                ),
                Asked(f"{self.mount}/metadata/{where}", "patch", changes=True),
            )
        except StoreError:
            pass

    def _missing(self) -> list[str]:
        """The rights that the policy lacks, each as `capability on path`."""
        needed = _needed(self.mount, self.kv_version, self._below)
        answer = self.client.ask(
            lambda c: c.adapter.post("/v1/sys/capabilities-self", json={"paths": list(needed)})["data"],
            Asked("sys/capabilities-self", "update"),
        )
        missing = []
        for path, capabilities in needed.items():
            granted = set((answer or {}).get(path) or ())
            lacking = [each for each in capabilities if each not in granted and "root" not in granted]
            if lacking:
                missing.append(f"{', '.join(lacking)} on {path}")
        return missing


_ALL = ("create", "read", "update", "delete")


def _needed(mount: str, kv_version: int, below: str) -> dict[str, tuple[str, ...]]:
    """Rights at sample paths: of the lanes (below `below`) and of keyward's own slots."""
    lane = f"{below}/x" if below else "x"
    own = [f"{RESERVED}/{slot.value}/{lane}" for slot in (Slot.PENDING, Slot.PREVIOUS)]
    if kv_version == 1:
        return {f"{mount}/{path}": _ALL for path in (lane, *own)}
    needed: dict[str, tuple[str, ...]] = {}
    for path in (lane, *own):
        needed[f"{mount}/data/{path}"] = ("create", "read", "update")
        needed[f"{mount}/metadata/{path}"] = ("read", "delete", *(("patch",) if path == lane else ()))
    needed[f"{mount}/destroy/{lane}"] = ("update",)
    return needed


def keyward_policy(mount: str = "secret", kv_version: int = 2, *, lanes: bool = True) -> str:
    """The policy that keyward's own login needs, as text. `lanes`: also to provision lanes (policies and AppRoles that are
    called `keyward-lane-…`); whoever may do that can give a lane any right, so leave it out where that is another's task."""
    rules: dict[str, tuple[str, ...]]
    if kv_version == 1:
        rules = {f"{mount}/*": (*_ALL, "list")}
    else:
        rules = {
            f"{mount}/data/*": (*_ALL, "patch"),
            f"{mount}/metadata/*": (*_ALL, "patch", "list"),
            f"{mount}/metadata": ("list",),
            f"{mount}/metadata/": ("list",),
            f"{mount}/destroy/*": ("update",),
        }
    if lanes:
        rules["sys/policies/acl/keyward-lane-*"] = _ALL
        rules["auth/approle/role/keyward-lane-*"] = _ALL
    return policy_text(rules)


def policy_text(rules: Mapping[str, tuple[str, ...]]) -> str:
    """Rules in Vault's policy language, in a fixed order."""
    blocks = []
    for path, capabilities in sorted(rules.items()):
        listed = ", ".join(f'"{each}"' for each in sorted(set(capabilities)))
        blocks.append(f'path "{path}" {{\n  capabilities = [{listed}]\n}}\n')
    return "\n".join(blocks)


def _newest_of(data: Mapping[str, Any]) -> tuple[dict[str, object], int] | None:
    """Fields and version of an answer; None for a version that was deleted."""
    return None if data["data"] is None else (dict(data["data"]), int(data["metadata"]["version"]))


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path)
