"""Reads lanes, stores and providers from the operator's configuration.

    [stores.main]
    type = "vault"
    address = "https://vault.example:8200"
    token = "env:BAO_TOKEN"                  # a reference, never the value

    [lanes.defaults]                         # what holds for lanes that say nothing else
    path = "lanes/{lane}/{name}"
    rotate_every = { tier1 = "30d", tier2 = "90d" }

    [lanes.shop]
    tier = 1
    environment = "production"

    [[lanes.shop.credentials]]
    name = "aws"
    kind = "aws/access-key"
    rotate_every = "60d"
    admin = { id = "env:ADMIN_ID", secret = "keyring:keyward/aws" }

    [[lanes.shop.consumers]]
    type = "dotenv"
    path = "/srv/shop/.env"
    set = { AWS_SECRET_ACCESS_KEY = "{secret}" }
    credentials = ["aws"]

    [providers.gitlab]
    base_url = "https://gitlab.example"

    [audit]
    mirror = ["store:main", "syslog"]        # where the head of the audit log is kept a second time
    keep = "400d"                            # how long its entries are kept; for ever unless said

Every error names the file, the line, the key and what to write instead. Where a secret would stand, only a reference may, and
what stands there is never repeated.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from urllib.parse import urlsplit

from keyward.errors import ConfigError
from keyward.formats.toml_file import TomlFile, nearest
from keyward.match.paths import is_private, state_folder
from keyward.model.credential import Target
from keyward.model.kind import Kind
from keyward.model.lane import ConsumerSpec, Entry, Lane
from keyward.plugin.transport import is_loopback
from keyward.rotate import duration, reference_form
from keyward.rotate.audit_mirror import STORE, SYSLOG
from keyward.rotate.operator import (
    APPROVAL_VALID,
    DEFAULT_PATH,
    DEFAULT_STORE,
    DEFAULTS,
    Approvers,
    AuditPlaces,
    Operator,
    Provider,
)

STORE_TYPES = ("vault", "keyring", "agefile", "memory")
TIERS = (1, 2, 3)
MOST_APPROVALS = 20
OWN_PATHS = ("keyward", "audit")
"""First steps of paths in a store that no lane may use."""

LANE_KEYS = (
    "tier", "environment", "store", "path", "rotate_every", "approvals", "canary", "credentials", "consumers",
    "references",
)  # fmt: skip
DEFAULTS_KEYS = ("store", "path", "rotate_every", "approvals", "approvers", "references")
ENTRY_KEYS = (
    "name", "kind", "store", "path", "target", "scope", "admin", "rotate_every", "expiry", "drain", "depends_on",
)  # fmt: skip
TARGET_KEYS = ("base_url", "host", "port", "user", "database", "options")
PROVIDER_KEYS = ("base_url", "rotate_every")
AUDIT_KEYS = ("mirror", "socket", "keep")
SHORTEST_KEPT = 86_400.0
"""Seconds: what is dropped by itself is looked for once a day."""

APPROVERS_KEYS = ("users", "allowed_signers", "people", "folder", "starter_counts", "valid")

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_KIND = re.compile(r"[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*")
_PATH = re.compile(r"[A-Za-z0-9_.@-]+(?:/[A-Za-z0-9_.@-]+)*")

CheckConsumer = Callable[[ConsumerSpec], None]
"""Raises ConfigError for a consumer whose options are wrong."""

CheckStore = Callable[[Mapping[str, object]], tuple[str, str, str] | None]
"""What is wrong with a store's table: the key, the problem, what to do; None if nothing is."""


def load_lanes(
    path: str | None,
    *,
    kinds: Collection[str] | None = None,
    check_consumer: CheckConsumer | None = None,
    check_store: CheckStore | None = None,
) -> Operator:
    """What the file says; for None the defaults: no lane, and an `agefile` store in the user's state folder.

    `kinds`: all that are known, to refuse others; None to let any pass. Tables of other commands are let be.
    Raises ConfigError, also for a file that is not there or that others may write.
    """
    if path is None:
        return Operator(stores=_default_stores(), default_store=DEFAULT_STORE)
    file = TomlFile.load(path)
    if file is None:
        raise ConfigError("there is no such file", path=path, hint="Check --config and $KEYWARD_CONFIG.")
    if not is_private(os.stat(path)):
        hint = "Make it yours, with `chmod go-w` on it."
        raise ConfigError("others can change this file, which decides where credentials go", path=path, hint=hint)
    return _Reader(file, kinds, check_consumer, check_store).operator()


def _default_stores() -> dict[str, Mapping[str, object]]:
    return {DEFAULT_STORE: {"type": "agefile", "file": os.path.join(state_folder(), f"{DEFAULT_STORE}.age")}}


class _Reader:
    """Reads one file, top to bottom; what later tables need is kept."""

    def __init__(
        self,
        file: TomlFile,
        kinds: Collection[str] | None,
        check_consumer: CheckConsumer | None,
        check_store: CheckStore | None,
    ) -> None:
        self._file = file
        self._kinds = kinds
        self._check_consumer, self._check_store = check_consumer, check_store
        self._stores: dict[str, Mapping[str, object]] = {}
        self._providers: dict[str, Provider] = {}
        self._defaults = TomlFile(file.path, "", {})
        self._places: dict[tuple[str, str], str] = {}
        self._tables: dict[str, TomlFile] = {}

    def operator(self) -> Operator:
        self._stores = self._read_stores()
        self._providers = {name: self._provider(table) for name, table in self._named("providers")}
        lanes = self._named("lanes")
        self._defaults = dict(lanes).get(DEFAULTS, self._defaults)
        self._defaults.only(DEFAULTS_KEYS, f"`lanes.{DEFAULTS}`")
        tiers = self._defaults.in_table("rotate_every")
        tiers.only([f"tier{tier}" for tier in TIERS], "`rotate_every`")
        read = {name: self._lane(name, table) for name, table in lanes if name != DEFAULTS}
        self._check_dependencies(read)
        return Operator(
            path=self._file.path,
            stores=self._stores,
            default_store=self._defaults.text("store") or next(iter(self._stores)),
            lanes=read,
            providers=self._providers,
            rotate_every={name: _period(table, "rotate_every", never=True) for name, table in lanes if name != DEFAULTS},
            tier_rotate_every={
                tier: _period(tiers, f"tier{tier}", never=True) for tier in TIERS if f"tier{tier}" in tiers.data
            },
            approvers=_approvers(self._defaults.in_table("approvers")),
            references=frozenset(
                name
                for name, table in lanes
                if name != DEFAULTS and (table if "references" in table.data else self._defaults).flag("references")
            ),
            audit=self._audit() if "audit" in self._file.data else None,
            audit_keep=_kept(self._file.in_table("audit")),
        )

    def _named(self, key: str) -> list[tuple[str, TomlFile]]:
        tables = self._file.named_tables(key)
        for name, table in tables:
            if not _NAME.fullmatch(name):
                table.wrong(f"a name below `{key}` is not of the form `my-name`", "Use a-z, 0-9, dot, dash and underscore.")
        return tables

    def _read_stores(self) -> dict[str, Mapping[str, object]]:
        found: dict[str, Mapping[str, object]] = {}
        for name, table in self._named("stores"):
            type_ = table.text("type", required='Say which kind of store it is: type = "vault"')
            if type_ not in STORE_TYPES:
                table.wrong("an unknown type of store", nearest(type_, STORE_TYPES), "type")
            _check_references(table)
            wrong = self._check_store(table.data) if self._check_store is not None else None
            if wrong is not None:
                key, problem, hint = wrong
                table.wrong(f"`{key}` {problem}", hint, key.partition(".")[0])
            found[name] = table.data
        return found or _default_stores()

    def _audit(self) -> AuditPlaces | None:
        table = self._file.in_table("audit")
        table.only(AUDIT_KEYS, "`audit`")
        if "keep" in table.data and not table.data.keys() & {"mirror", "socket"}:
            return None
        given = table.data.get("mirror")
        names = (given,) if isinstance(given, str) else table.texts("mirror")
        stores = []
        for name in names:
            store = name.removeprefix(STORE)
            if name != SYSLOG and not name.startswith(STORE):
                table.wrong("`mirror` is no place for the audit log's head", 'Write "syslog" or "store:NAME".', "mirror")
            if name != SYSLOG and store not in self._stores:
                table.wrong("`mirror` names a store that there is not", nearest(store, self._stores), "mirror")
            if name != SYSLOG:
                stores.append(store)
        if not names:
            table.wrong("`mirror` is missing", 'Write "syslog" or "store:NAME".', "mirror")
        socket = os.path.expanduser(table.text("socket"))
        if socket and not os.path.isabs(socket):
            table.wrong("`socket` is not an absolute path", 'Write it like this: socket = "/dev/log"', "socket")
        return AuditPlaces(tuple(stores), SYSLOG in names, socket)

    def _provider(self, table: TomlFile) -> Provider:
        table.only(PROVIDER_KEYS, "a provider")
        return Provider(_base_url(table), _period(table, "rotate_every", never=True))

    def _lane(self, name: str, table: TomlFile) -> Lane:
        table.only(LANE_KEYS, "a lane")
        tier = table.number_between("tier", 1, 3, 2)
        approvals = self._defaults.number_between("approvals", 0, MOST_APPROVALS, 0)
        entries = tuple(self._entry(name, table, each) for each in table.tables("credentials"))
        names: set[str] = set()
        for entry, each in zip(entries, table.tables("credentials")):
            if entry.name in names:
                each.wrong(f"the lane has two credentials called `{entry.name}`", "Give one of them another name.", "name")
            names.add(entry.name)
        return Lane(
            name=name,
            tier=tier,
            environment=table.text("environment"),
            entries=entries,
            consumers=tuple(self._consumer(each, names) for each in table.tables("consumers")),
            approvals=table.number_between("approvals", 0, MOST_APPROVALS, approvals),
            canary=table.flag("canary"),
        )

    def _entry(self, lane: str, lane_table: TomlFile, table: TomlFile) -> Entry:
        table.only(ENTRY_KEYS, "a credential")
        name = table.text("name", required='Name it for what it does: name = "deploy"')
        if not _NAME.fullmatch(name):
            table.wrong("the name is not of the form `my-name`", "Use a-z, 0-9, dot, dash and underscore.", "name")
        kind = self._kind(table)
        tables = (table, lane_table, self._defaults)
        store = self._store(tables)
        path = self._store_path(tables, lane, name)
        if (store, path) in self._places:
            taken = self._places[store, path]
            hint = "Give one of them another `path`, or use {lane} and {name} in the lane's."
            table.wrong(f"the store already keeps {taken} at this path", hint, "path" if "path" in table.data else "")
        self._places[store, path] = f"{lane}/{name}"
        self._tables[f"{lane}/{name}"] = table
        return Entry(
            lane=lane,
            name=name,
            kind=Kind(kind),
            store=store,
            path=path,
            target=_target(table.in_table("target"), self._providers.get(kind.partition("/")[0], Provider())),
            scope=dict(table.in_table("scope").data),
            admin=_admin(table),
            rotate_every=_period(table, "rotate_every", never=True),
            expiry=_period(table, "expiry"),
            drain=_period(table, "drain"),
            depends_on=tuple(each if "/" in each else f"{lane}/{each}" for each in table.texts("depends_on")),
        )

    def _kind(self, table: TomlFile) -> str:
        kind = table.text("kind", required='Say what it is: kind = "github/pat-classic" (see: keyward rules list)')
        if not _KIND.fullmatch(kind):
            table.wrong("the kind is not of the form provider/what", "See: keyward rules list", "kind")
        if self._kinds is not None and kind not in self._kinds and not kind.startswith("user/"):
            same = [each for each in self._kinds if each.startswith(kind.partition("/")[0] + "/")]
            table.wrong("an unknown kind", nearest(kind, same or self._kinds), "kind")
        return kind

    def _store(self, tables: Iterable[TomlFile]) -> str:
        last = self._file
        for table in tables:
            last = last if last.address else table
            name = table.text("store")
            if name and name not in self._stores:
                table.wrong("there is no such store", nearest(name, self._stores), "store")
            if name:
                return name
        if len(self._stores) > 1:
            names = ", ".join(self._stores)
            last.wrong("no store is named, and there are several", f'Write store = "…" with one of: {names}.', "store")
        return next(iter(self._stores))

    def _store_path(self, tables: Iterable[TomlFile], lane: str, name: str) -> str:
        for table in tables:
            template = table.text("path")
            if template:
                path = template.replace("{lane}", lane).replace("{name}", name)
                steps = path.split("/")
                if steps[0] in OWN_PATHS:
                    table.wrong(f"paths below {steps[0]}/ are keyward's own", "Choose another path for the lane.", "path")
                if not _PATH.fullmatch(path) or any(not step.strip(".") for step in steps):
                    hint = f'Write it like this: path = "{DEFAULT_PATH}"'
                    table.wrong("`path` is not a relative path with {lane} and {name} alone in braces", hint, "path")
                return path
        return DEFAULT_PATH.replace("{lane}", lane).replace("{name}", name)

    def _consumer(self, table: TomlFile, entries: Collection[str]) -> ConsumerSpec:
        type_ = table.text("type", required='Say what it is: type = "dotenv"')
        credentials = table.texts("credentials")
        for name in credentials:
            if name not in entries:
                hint = nearest(name, entries) if entries else "Add a [[…credentials]] table to this lane."
                table.wrong("`credentials` names one that this lane does not have", hint, "credentials")
        own = ("type", "host", "credentials", "check")
        _check_references(table, apart=("secret",))  # a consumer's `secret` is the name of one
        spec = ConsumerSpec(
            type=type_,
            options={key: value for key, value in table.data.items() if key not in own},
            host=table.text("host"),
            credentials=credentials,
            check=table.texts("check"),
        )
        if self._check_consumer is not None:
            try:
                self._check_consumer(spec)
            except ConfigError as error:
                if error.line:
                    raise
                table.wrong(str(error), error.hint)
        return spec

    def _check_dependencies(self, lanes: Mapping[str, Lane]) -> None:
        """Raises ConfigError for a dependency that is not there, and for a circle."""
        entries = {entry.ref: entry for lane in lanes.values() for entry in lane.entries}
        done: set[str] = set()
        for ref, entry in entries.items():
            for other in entry.depends_on:
                if other not in entries:
                    hint = nearest(other, entries)
                    self._tables[ref].wrong("`depends_on` names a credential that no lane has", hint, "depends_on")
        for start in entries:
            stack: list[tuple[str, tuple[str, ...]]] = [(start, (start,))]
            while stack:
                ref, way = stack.pop()
                for other in entries[ref].depends_on:
                    if other == start:
                        circle = " > ".join((*way, start))
                        self._tables[start].wrong(f"`depends_on` leads in a circle: {circle}", "Take one out.", "depends_on")
                    if other not in done:
                        stack.append((other, (*way, other)))
                        done.add(other)
            done.clear()


def _period(table: TomlFile, key: str, *, never: bool = False) -> float:
    """Seconds; 0 where the key is missing."""
    if key not in table.data:
        return 0.0
    value = table.data[key]
    seconds = duration.parse(value, never=never) if isinstance(value, str) else None
    if seconds is None:
        word = ' or "never"' if never else ""
        table.wrong(f"`{key}` must be a duration", f'Write it like this: {key} = "90d" (also 12h, 30m){word}', key)
    return seconds


def _kept(table: TomlFile) -> float:
    """Seconds for which entries of the audit log are kept; 0 for ever."""
    seconds = _period(table, "keep")
    if 0 < seconds < SHORTEST_KEPT:
        table.wrong("`keep` is less than a day", 'Write it like this: keep = "400d"', "keep")
    return seconds


def _base_url(table: TomlFile) -> str:
    url = table.text("base_url")
    if not url:
        return ""
    hint = 'Write it like this: base_url = "https://gitlab.example"'
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        table.wrong("`base_url` is not a web address", hint, "base_url")
    if parts.username or parts.password or parts.query or parts.fragment:
        table.wrong(
            "`base_url` holds a user name or a query", f"Credentials go into `admin`, as references. {hint}", "base_url"
        )
    if not host or parts.scheme not in ("http", "https") or (parts.scheme == "http" and not is_loopback(host)):
        table.wrong("`base_url` is not an https address (http only on loopback)", hint, "base_url")
    return url.rstrip("/")


def _target(table: TomlFile, provider: Provider) -> Target:
    table.only(TARGET_KEYS, "`target`")
    options = table.in_table("options")
    _check_references(options)
    return Target(
        base_url=_base_url(table) or provider.base_url,
        host=table.text("host"),
        port=table.number_between("port", 1, 65535, 1) if "port" in table.data else 0,
        user=table.text("user"),
        database=table.text("database"),
        options={key: options.text(key) for key in options.data},
    )


def _admin(table: TomlFile) -> dict[str, str]:
    if isinstance(table.data.get("admin"), str):
        table.wrong("`admin` must be a table", 'Write one reference a part: admin = { secret = "env:ADMIN_TOKEN" }', "admin")
    admin = table.in_table("admin")
    for part in admin.data:
        _check_reference(admin, part)
    return {part: admin.text(part) for part in admin.data}


def _check_references(table: TomlFile, *, apart: tuple[str, ...] = ()) -> None:
    """Raises ConfigError where a setting that would hold a secret holds anything but a reference."""
    for key, value in table.data.items():
        if isinstance(value, dict):
            _check_references(table.in_table(key), apart=apart)
        elif reference_form.wants_reference(key) and key not in apart:
            _check_reference(table, key)


def _check_reference(table: TomlFile, key: str) -> None:
    problem = reference_form.problem(table.text(key))
    if problem:
        hint = f"Write a reference ({reference_form.FORMS}). If a secret stood there, replace it: it was in a plain file."
        table.wrong(f"`{key}` {problem}", hint, key)


def _approvers(table: TomlFile) -> Approvers:
    table.only(APPROVERS_KEYS, "`approvers`")
    people = table.in_table("people")
    for key in ("allowed_signers", "folder"):
        if table.text(key) and not os.path.isabs(os.path.expanduser(table.text(key))):
            table.wrong(f"`{key}` must be an absolute path", f'Write it like this: {key} = "/etc/keyward/{key}"', key)
    return Approvers(
        users=table.texts("users"),
        allowed_signers=os.path.expanduser(table.text("allowed_signers")),
        people={name: people.texts(name) for name in people.data},
        folder=os.path.expanduser(table.text("folder")),
        starter_counts=table.flag("starter_counts"),
        valid=_period(table, "valid") or APPROVAL_VALID,
    )
