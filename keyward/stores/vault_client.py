"""One server, one login: hvac behind keyward's errors.

`VaultClient.ask` is the only place where hvac is called and where its exceptions end: they hold answers and requests, so
neither they nor their texts leave, not even as the context of another error.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from keyward.errors import KeywardError, MissingExtra, StoreConflict, StoreDenied, StoreError, StoreUnavailable
from keyward.plugin.ports import Ports
from keyward.stores.vault_auth import Grant, Login

T = TypeVar("T")

UPGRADE_WAIT, UPGRADE_STEP = 15.0, 0.1
"""Seconds: a KV version 2 engine that was just mounted refuses everything until it is ready; how long that is waited for."""

RENEW_BELOW = 1 / 3
"""A token is renewed when less than this share of its time is left."""


class Asked:
    """What a request is for, for its error. `path`: as a policy would name it. `capability`: what the policy must grant.
    `changes`: whether a lost answer leaves doubt."""

    def __init__(self, path: str, capability: str, *, changes: bool = False) -> None:
        self.path, self.capability, self.changes = path, capability, changes


class VaultClient:
    """Logs in when first needed, renews its token in time, and logs in again when it ended. Several threads may use it.

    `address` must be one that the ports allow. Raises MissingExtra without hvac.
    """

    def __init__(self, address: str, ports: Ports, login: Login, *, namespace: str = "", ca_file: str = "") -> None:
        try:
            import hvac  # type: ignore[import-untyped]
            import hvac.exceptions  # type: ignore[import-untyped]

            from keyward.stores.vault_door import new_session
        except ImportError:
            raise MissingExtra("hvac", "vault") from None
        self.address, self.ports, self.login = address.rstrip("/"), ports, login
        self._errors: Any = hvac.exceptions
        self._session = new_session(ports, self.address, ca_file)
        # an empty token, not None: hvac would look for one in the environment and the home folder
        self._hvac: Any = hvac.Client(
            self.address,
            token="",
            verify=ca_file or True,
            session=self._session,
            allow_redirects=False,
            namespace=namespace or None,
            strict_http=True,
        )
        self._lock = threading.RLock()
        self._grant: Grant | None = None
        self._ends = 0.0

    def close(self) -> None:
        """Closes the connections. The token is left to its time: others may share it."""
        self._session.close()

    def ask(self, act: Callable[[Any], T], asked: Asked) -> T | None:
        """What hvac answers; None for 404. Raises StoreDenied, StoreConflict, StoreUnavailable or StoreError."""
        grant = self._ensure()
        found, problem = self._try(act, asked)
        if isinstance(problem, StoreDenied) and not self._alive():
            if not self.login.again:
                raise StoreDenied(
                    f"the token is not valid any more (or may not even look itself up), so {asked.path} was refused",
                    hint="Give the store a new token, or let it log in by approle, userpass, kubernetes or jwt.",
                )
            # the refused request did nothing, so it may be sent again with a new token
            self._log_in(instead_of=grant)
            found, problem = self._try(act, asked)
        if problem is not None:
            raise problem
        return found

    def without_login(self, act: Callable[[Any], T], asked: Asked) -> T | None:
        """The same for what a server answers to anybody (its health)."""
        found, problem = self._try(act, asked)
        if problem is not None:
            raise problem
        return found

    def _try(self, act: Callable[[Any], T], asked: Asked) -> tuple[T | None, KeywardError | None]:
        clock = self.ports.clock
        deadline = clock.monotonic() + UPGRADE_WAIT
        while True:
            found, problem = self._once(act, asked)
            if not isinstance(problem, _Upgrading) or clock.monotonic() > deadline:
                return found, problem
            clock.sleep(UPGRADE_STEP)

    def _once(self, act: Callable[[Any], T], asked: Asked) -> tuple[T | None, KeywardError | None]:
        problem: KeywardError | None
        try:
            return act(self._hvac), None
        except self._errors.VaultError as error:
            problem = self._problem(error, asked)
        except StoreUnavailable as error:
            problem = StoreUnavailable(str(error), certain=error.certain or not asked.changes, hint=error.hint)
        except (KeyError, TypeError, ValueError, AttributeError):
            text = f"the answer about {asked.path} makes no sense: is {self.address} a Vault server?"
            problem = StoreUnavailable(text, certain=not asked.changes)
        return None, problem

    def _problem(self, error: Any, asked: Asked) -> KeywardError | None:
        """The error for hvac's; None for a 404 that only says that nothing is there."""
        kinds = self._errors
        told = " ".join(str(each) for each in error.errors or ())
        if isinstance(error, kinds.InvalidPath):
            if "no handler for route" in told:
                return StoreError(f"nothing is mounted at {asked.path}", hint="Check the store's mount and namespace.")
            return None
        if isinstance(error, (kinds.Forbidden, kinds.Unauthorized)):
            return StoreDenied(
                f"permission denied for {asked.path}",
                hint=f'Its policy needs: path "{asked.path}" {{ capabilities = ["{asked.capability}"] }}',
            )
        if isinstance(error, kinds.VaultDown) and "sealed" in told:
            return StoreUnavailable("the server is sealed", certain=True, hint="Unseal it; nothing was written.")
        if isinstance(error, kinds.VaultNotInitialized):
            return StoreUnavailable("the server is not initialised", certain=True, hint="Initialise it first.")
        if isinstance(error, kinds.RateLimitExceeded):
            return StoreUnavailable("the server has too many requests (429)", certain=True, hint="Try again later.")
        if isinstance(error, kinds.InvalidRequest):
            if "check-and-set" in told:
                return StoreConflict(f"{asked.path} holds another version than expected")
            if "Upgrading from non-versioned" in told:
                return _Upgrading(f"the engine of {asked.path} is not ready yet", certain=True, hint="Try again in a moment.")
            return StoreError(f"the server refused the request for {asked.path} (400)", hint=_known(told))
        return StoreUnavailable(f"the server failed at {asked.path} ({type(error).__name__})", certain=not asked.changes)

    def _ensure(self) -> Grant:
        """A token that is good for a while yet."""
        with self._lock:
            grant = self._grant
            if grant is None:
                grant = self._log_in()
            if grant.ttl and self._ends - self.ports.clock.monotonic() < grant.ttl * RENEW_BELOW:
                grant = self._renew(grant)
            return grant

    def _log_in(self, instead_of: Grant | None = None) -> Grant:
        with self._lock:
            if instead_of is not None and self._grant is not None and self._grant is not instead_of:
                return self._grant  # another thread was faster
            self._hvac.token = ""
            asked = Asked(f"auth/{self.login.method}", "login")
            grant, problem = self._try(self.login.act, asked)
            if isinstance(problem, StoreDenied) or (type(problem) is StoreError):
                raise StoreDenied(
                    f"the login by {self.login.method} was refused",
                    hint="Check the references in the store's auth table, its mount, and the role.",
                )
            if problem is not None:
                raise problem
            if grant is None:
                raise StoreDenied(f"there is no {self.login.method} login at that mount", hint="Check auth.mount.")
            return self._keep(grant)

    def _renew(self, grant: Grant) -> Grant:
        if grant.renewable:
            answer, _ = self._try(lambda client: client.auth.token.renew_self(), Asked("auth/token/renew-self", "update"))
            if answer is not None:
                auth = answer["auth"]
                left = float(auth["lease_duration"])
                # near its longest life a token gets less than it had: then a login is better, where one is possible
                if left >= grant.ttl * RENEW_BELOW or not self.login.again:
                    return self._keep(grant._replace(left=left, renewable=bool(auth["renewable"])))
        if self.login.again:
            return self._log_in()
        return grant

    def _keep(self, grant: Grant) -> Grant:
        self._grant, self._ends = grant, self.ports.clock.monotonic() + grant.left
        self._hvac.token = grant.token.reveal().decode("utf-8", "replace").strip()
        return grant

    def _alive(self) -> bool:
        found, _ = self._try(lambda client: client.auth.token.lookup_self(), Asked("auth/token/lookup-self", "read"))
        return found is not None


class _Upgrading(StoreUnavailable):
    """The engine was just mounted. Nothing was done."""


def _known(told: str) -> str:
    """What may be passed on of a server's message: it can quote what it was sent."""
    for words in ("path is already in use", "exceeded the maximum", "missing client token", "unsupported operation"):
        if words in told:
            return f"The server says: {words}."
    return ""
