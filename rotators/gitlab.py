"""GitLab access tokens: of projects, groups, users and service accounts.

Possible: a new token is created beside the old one, which is revoked later (`scope.mode = "create"`, the default); or the token is
rotated in place, and the old one dies at once (`scope.mode = "rotate"`). By hand: personal tokens of people on GitLab.com, for
which nobody but their owner can make new ones; give the lane a project token or a service account.

| setting | what |
|---|---|
| `admin.secret` | a person's token of scope `api`: Maintainer of the project, Owner of the group; an administrator for users' tokens |
| `scope.project` | path or number: a project token |
| `scope.group` | path or number: a group token |
| `scope.group` and `scope.service_account` | the group, and the number of its service account: that account's personal tokens |
| `scope.user` | number of a user or service account: personal tokens, made by an administrator of the instance |
| `scope.scopes` | list of scopes of a new token, as few as will do (`["read_repository"]`); default: those of the old one, but with `rotate` it is needed, to make good a lost answer |
| `scope.access_level` | of project and group tokens: `guest`, `reporter`, `developer`, `maintainer`, `owner`; default: that of the old one, else `developer` |
| `scope.expires_at` | last day (`2027-01-31`); default: the entry's `expiry`, else 90 days from now |
| `scope.mode` | `create` or `rotate` |
| `scope.name` | with `rotate`: the token's name, which no other token there may have |
| `target.base_url` | of a self-managed instance, `https://gitlab.example` |

Traps: rotating is not safe to repeat. A token that was rotated, rotated again, counts as stolen: GitLab then revokes all that
came of it. So a token is rotated once, by the admin, by its id, and only while it is seen active; where the answer is lost, the
new value is lost too: the orphan is revoked, and the admin creates another. A rotated token keeps its name, so it carries no mark.
An end is mandatory, a year away at most. Bots (project and group tokens) cannot manage tokens. GitLab answers 401 or 404 where a
right is missing.

References: https://docs.gitlab.com/api/personal_access_tokens/  https://docs.gitlab.com/api/project_access_tokens/
  https://docs.gitlab.com/api/group_access_tokens/  https://docs.gitlab.com/api/user_tokens/
  https://docs.gitlab.com/api/service_accounts/  https://gitlab.com/gitlab-org/gitlab/-/issues/524639
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

from keyward.errors import ProviderError, Refused, Uncertain
from keyward.model.credential import SecretParts
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.plugin.ports import Http, Reply
from keyward.plugin.rotator import AdminNeed, Capabilities, Held, Inventory, Issued, Job, Origin, Overlap, Rotator, Warning

ACCESS = Kind("gitlab/access-token")

API = "https://gitlab.com"
DEFAULT_DAYS, UNUSED_DAYS = 90, 90
LEVELS = {"guest": 10, "planner": 15, "reporter": 20, "developer": 30, "maintainer": 40, "owner": 50}
BROAD = frozenset({"api", "sudo", "admin_mode", "write_repository"})
_MARK = re.compile(r"keyward:[\w+=,.@:/-]*", re.ASCII)


class Place(NamedTuple):
    """Where tokens of one principal are listed and made. `title`: as people say it. `leveled`: whether they have an access level."""

    title: str
    listed: str
    created: str
    query: Mapping[str, str] = {}
    leveled: bool = True


class GitLabAccessToken(Rotator):
    """Access tokens of projects, groups, users and service accounts."""

    kinds = (ACCESS,)
    scope_names = ("project", "group", "service_account", "user", "scopes", "access_level", "expires_at", "mode", "name")
    gives = ("secret",)
    title = "GitLab access tokens"
    origin = Origin.MINTED
    capabilities = Capabilities(scoped=True, expiry=True, marks=True, settle=30.0, propagation=60.0)
    admin = AdminNeed(("secret",), ("scope api; Maintainer of the project, Owner of the group, or administrator",))
    public_hosts = ("gitlab.com",)
    references = ("https://docs.gitlab.com/api/personal_access_tokens/",)
    calls = MappingProxyType(
        {
            "RESERVE": ("GET /projects/{project}/access_tokens",),
            "ISSUE": (
                "GET /personal_access_tokens/self",
                "GET /projects/{project}/access_tokens",
                "POST /projects/{project}/access_tokens",
            ),
            "PROVE": ("GET /personal_access_tokens/self",),
            "REVOKE": ("GET /personal_access_tokens/self", "DELETE /projects/{project}/access_tokens/{id}"),
            "CONFIRM": ("GET /personal_access_tokens/self",),
        }
    )

    def capabilities_for(self, entry: Entry) -> Capabilities:
        """In place: the old one dies at once, and the new one keeps the name, so it has no mark."""
        return self.capabilities._replace(overlap=Overlap.NONE, marks=False) if _rotates(entry) else self.capabilities

    def calls_for(self, entry: Entry) -> Mapping[str, tuple[str, ...]]:
        """At the lane's own place; what is rotated in place is not listed again before that."""
        place, own = _place_of(entry), "GET /personal_access_tokens/self"
        made = (own, f"GET {place.listed}", f"POST {place.created}")
        return {
            **self.calls,
            "RESERVE": (f"GET {place.listed}",),
            "ISSUE": (own, f"POST {place.listed}/{{id}}/rotate") if _rotates(entry) else made,
            "REVOKE": (own, f"DELETE {place.listed}/{{id}}"),
        }

    def identify(self, job: Job, parts: SecretParts) -> str:
        if "secret" not in parts:
            raise Refused(f"{job.entry.ref}: the token's value is not known")
        place, row = _place(job), _self(job, parts["secret"])
        if row is None:
            raise Refused(
                f"{job.entry.ref}: the token is dead already", hint="Nothing is to be revoked. Make a new one without the old."
            )
        id = str(row["id"])
        if not any(held.id == id for held in self._held(job, place)):
            raise Refused(f"{job.entry.ref}: token {id} is none of {place.title}", hint="Check scope.project, group or user.")
        return id

    def inventory(self, job: Job) -> Inventory:
        """The active tokens. With `scope.name` and `rotate`, those of that name only, which are the lane's alone."""
        place, held = _place(job), tuple(self._held(job, _place(job)))
        name = job.scope_text("name") if _rotates(job.entry) else ""
        if name:
            return Inventory(f"{place.title} named {name}", tuple(each for each in held if each.name == name), True)
        return Inventory(place.title, held)

    def missing_rights(self, job: Job, old: SecretParts) -> Iterable[str]:
        """The admin token's own scopes; which role its owner has, no token may ask."""
        row = _self(job, job.admin["secret"]) if "secret" in job.admin else None
        scopes = row.get("scopes") if row is not None else None
        return ("scope api",) if isinstance(scopes, list) and "api" not in scopes else ()

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        place = _place(job)
        if not _rotates(job.entry):
            return self._create(job, place, self._wanted(job, place, job.mark, self._like(job, place, old)))
        # checked before the old one dies: a lost answer can only be made good by another token
        wanted = self._wanted(job, place, job.scope_text("name") or job.mark, {})
        row = _self(job, old["secret"]) if "secret" in old else None
        if row is None:
            # the old one is dead: rotating it again would count as theft and kill what came of it
            return self._create(job, place, wanted)
        path = f"{place.listed}/{int(row['id'])}/rotate"
        reply = self._admin_http(job).request("POST", path, json={"expires_at": wanted["expires_at"]})
        return _issued(_accept(reply, "rotate", place), "rotate")

    def _create(self, job: Job, place: Place, wanted: Mapping[str, object]) -> Issued:
        reply = self._admin_http(job).request("POST", place.created, json=dict(wanted))
        return _issued(_accept(reply, "create", place), "create")

    def _like(self, job: Job, place: Place, old: SecretParts) -> Mapping[str, Any]:
        """How the old token is listed, where scope does not say what the new one may; empty if that cannot be told."""
        if {"scopes", "access_level"} <= job.entry.scope.keys() or "secret" not in old:
            return {}
        row = _self(job, old["secret"])
        return next((each for each in self._rows(job, place) if row is not None and each.get("id") == row.get("id")), {})

    def _wanted(self, job: Job, place: Place, name: str, like: Mapping[str, Any]) -> Mapping[str, object]:
        """What a new token is asked for with. `like`: the row whose scopes and level are taken where `scope` names none."""
        scopes = job.entry.scope.get("scopes", like.get("scopes"))
        if isinstance(scopes, str) or not isinstance(scopes, Iterable) or not list(scopes):
            raise Refused(
                f"{job.entry.ref}: scope.scopes must be a list", hint='Name the least that will do: ["read_repository"].'
            )
        wanted: dict[str, object] = {"name": name, "scopes": [str(each) for each in scopes], "expires_at": _expires(job)}
        wanted["description"] = f"{job.mark} lane {job.entry.lane}"
        if place.leveled:
            wanted["access_level"] = _level(job, like.get("access_level"))
        return wanted

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        if not id.isdigit():
            raise Refused(f"{job.entry.ref}: {id} is no id of a token")
        if "secret" not in job.admin:
            return self._revoke_self(job, id, parts)
        place = _place(job)
        reply = self._admin_http(job).request("DELETE", f"{place.listed}/{id}")
        if reply.status >= 300:
            # it may be gone already, or a right may be missing: the listing tells
            if all(held.id != id for held in self._held(job, place)):
                return None
            raise _refusal(reply, "revoke", place)
        return None

    def _revoke_self(self, job: Job, id: str, parts: SecretParts) -> None:
        """Without an admin credential a token that is in hand can end itself."""
        row = _self(job, parts["secret"]) if "secret" in parts else None
        if row is None:
            if "secret" in parts:
                return
            raise Refused(f"{job.entry.ref}: neither an admin token nor the token's value is there")
        if str(row["id"]) != id:
            raise Refused(f"{job.entry.ref}: the value is that of token {row['id']}, not of {id}")
        reply = _http(job, parts["secret"]).request("DELETE", "/personal_access_tokens/self")
        if reply.status >= 300 and reply.status != 401:
            raise Refused(f"GitLab answered {reply.status} to the token's own revocation")

    def review(self, job: Job, inventory: Inventory) -> Iterable[Warning]:
        now = job.ports.clock.now()
        for row in self._rows(job, _place(job)):
            held = _row(row)
            if not held.mark and not (inventory.lane_owned and inventory.get(held.id)):
                continue  # somebody else's
            broad = sorted(BROAD & set(row.get("scopes") or ()))
            if broad:
                yield Warning("over-broad", f"token {held.id} has the scope {', '.join(broad)}")
            if int(row.get("access_level") or 0) >= LEVELS["maintainer"]:
                yield Warning("over-broad", f"token {held.id} is {'owner' if row['access_level'] >= 50 else 'maintainer'}")
            if held.expires is None:
                yield Warning("no-expiry", f"token {held.id} has no end")
            used = held.last_used or held.created
            if used is not None and now - used > UNUSED_DAYS * 86400:
                yield Warning("unused", f"token {held.id} has been idle for {(now - used) / 86400:.0f} days")

    def _admin_http(self, job: Job) -> Http:
        job.admin_text("secret")
        return _http(job, job.admin["secret"])

    def _held(self, job: Job, place: Place) -> Iterator[Held]:
        return (_row(row) for row in self._rows(job, place))

    def _rows(self, job: Job, place: Place) -> Iterator[Mapping[str, Any]]:
        """Every active token. Raises ProviderError."""
        http = self._admin_http(job)
        for page in range(1, 1001):
            query = {**place.query, "state": "active", "per_page": "100", "page": str(page)}
            rows = _accept(http.request("GET", place.listed, query=query), "list", place).json()
            if not isinstance(rows, list):
                raise Refused("GitLab's list of tokens is no list")
            # instances that do not know `state` list all
            yield from (row for row in rows if row.get("active", True) and not row.get("revoked"))
            if len(rows) < 100:
                return


def _rotates(entry: Entry) -> bool:
    mode = entry.scope.get("mode", "create")
    if mode not in ("create", "rotate"):
        raise Refused(f"{entry.ref}: scope.mode must be `create` or `rotate`")
    return mode == "rotate"


def _place(job: Job) -> Place:
    return _place_of(job.entry)


def _place_of(entry: Entry) -> Place:
    """Where the tokens of an entry are. Raises Refused where `scope` does not say."""
    scope = entry.scope
    named = {name: str(scope[name]) for name in ("project", "group", "user", "service_account") if scope.get(name) is not None}
    numbers = [named[name] for name in ("user", "service_account") if name in named]
    if all(number.isdigit() for number in numbers):
        match sorted(named):
            case ["project"]:
                path = f"/projects/{quote(named['project'], safe='')}/access_tokens"
                return Place(f"tokens of project {named['project']}", path, path)
            case ["group"]:
                path = f"/groups/{quote(named['group'], safe='')}/access_tokens"
                return Place(f"tokens of group {named['group']}", path, path)
            case ["group", "service_account"]:
                account = named["service_account"]
                path = f"/groups/{quote(named['group'], safe='')}/service_accounts/{account}/personal_access_tokens"
                return Place(f"tokens of service account {account}", path, path, leveled=False)
            case ["user"]:
                user = named["user"]
                path = "/personal_access_tokens"
                return Place(f"tokens of user {user}", path, f"/users/{user}{path}", {"user_id": user}, leveled=False)
    raise Refused(
        f"{entry.ref}: scope does not say whose token it is",
        hint="Set one of scope.project, scope.group, scope.user (a number), or scope.group with scope.service_account (a number).",
    )


def _http(job: Job, token: Secret) -> Http:
    base = job.base_url(API)
    if not base.endswith("/api/v4"):
        base += "/api/v4"
    return job.ports.http(base, {"private-token": token.reveal().decode(), "user-agent": "keyward"})


def _self(job: Job, token: Secret) -> Mapping[str, Any] | None:
    """What GitLab says of a token in hand; None for a dead one. Reading only: this never counts as reuse."""
    reply = _http(job, token).request("GET", "/personal_access_tokens/self")
    if reply.status == 401:
        return None
    if reply.status != 200:
        raise Refused(f"GitLab answered {reply.status} to the token's own description")
    row = reply.object()
    return row if row.get("active", True) and not row.get("revoked") else None


def _accept(reply: Reply, what: str, place: Place) -> Reply:
    if reply.status >= 300:
        raise _refusal(reply, what, place)
    return reply


def _refusal(reply: Reply, what: str, place: Place) -> ProviderError:
    """What a refusal means, without a word of the body."""
    message = f"GitLab answered {reply.status} to {what} of {place.title}"
    role = "an administrator" if place.query else "Maintainer of the project or Owner of the group"
    if reply.status == 401:
        return Refused(message, hint=f"The admin token is dead, or its owner is not {role}.")
    if reply.status == 403:
        return Refused(message, hint=f"The admin token needs the scope `api`, and its owner must be {role}.")
    if reply.status == 404:
        return Refused(
            message, hint="Check the project, group or user in `scope`; GitLab answers so as well where a right is missing."
        )
    if reply.status in (400, 422):
        return Refused(
            message, hint=f"Check scope.scopes, scope.access_level and the end (a year at most); the admin must be {role}."
        )
    return Refused(message)


def _issued(reply: Reply, what: str) -> Issued:
    made = reply.object()
    value, id = str(made.get("token") or ""), str(made.get("id") or "")
    if not value or not id:
        raise Uncertain(f"GitLab's answer to {what} holds no token")
    return Issued(id, {"secret": Secret(value.encode())}, _moment(made.get("expires_at")))


def _row(row: Mapping[str, Any]) -> Held:
    name = str(row.get("name") or "")
    mark = _MARK.match(name) or _MARK.match(str(row.get("description") or ""))
    return Held(
        str(row["id"]),
        created=_moment(row.get("created_at")),
        last_used=_moment(row.get("last_used_at")),
        expires=_moment(row.get("expires_at")),
        mark=mark[0] if mark else "",
        name=name,
    )


def _moment(text: object) -> float | None:
    """Unix seconds of a moment, or of the beginning of a day."""
    try:
        moment = datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()


def _expires(job: Job) -> str:
    """The last day of a new token: the first on which it is refused."""
    wanted = job.entry.scope.get("expires_at")
    if wanted is not None:
        try:
            return datetime.date.fromisoformat(str(wanted)).isoformat()
        except ValueError:
            raise Refused(f"{job.entry.ref}: scope.expires_at must be a day such as 2027-01-31") from None
    days = -(-job.entry.expiry // 86400) if job.entry.expiry else DEFAULT_DAYS
    now = datetime.datetime.fromtimestamp(job.ports.clock.now(), datetime.UTC)
    return (now.date() + datetime.timedelta(days=days)).isoformat()


def _level(job: Job, default: object) -> int:
    wanted = job.entry.scope.get("access_level", default or "developer")
    level = LEVELS.get(wanted) if isinstance(wanted, str) else wanted
    if level not in LEVELS.values():
        raise Refused(f"{job.entry.ref}: scope.access_level must be one of {', '.join(LEVELS)}")
    assert isinstance(level, int)
    return level


ROTATORS: tuple[Rotator, ...] = (GitLabAccessToken(),)
