"""Every error that keyward raises on purpose.

Each class carries the process exit code that it means and may carry a hint: one sentence that says what to do next.

    KeywardError                70  internal error
    ├── UsageError               2  the command line is wrong
    ├── ConfigError              2  a configuration or rule file is wrong (names file, line and key)
    │   └── RuleError            2  a rule is wrong (names the rule)
    ├── PackError                2  a detector or rotator pack breaks its contract
    ├── GitError                 2  git refused, or this is not a repository
    ├── IncompleteError          3  something asked for could not be looked at
    ├── ProviderError            4  a provider refused, or its answer did not come
    │   ├── Refused              4  it said no, and nothing was changed (wrong or missing right, no such key)
    │   ├── Throttled            4  it said not now, and nothing was changed
    │   ├── SlotsFull            4  it holds as many of these credentials as it allows
    │   ├── Unreachable          4  nothing was sent
    │   ├── Uncertain            4  the answer was lost: it may or may not have happened
    │   └── HostRefused          2  the host is not one that this provider may be asked at
    ├── StoreError               4  a store refused, or is not there
    │   ├── StoreConflict        4  somebody else wrote the same path meanwhile
    │   ├── StoreDenied          4  the store's policy does not allow it
    │   └── StoreUnavailable     4  sealed, locked, gone, or not answering
    ├── ConsumerError            4  a consumer could not be given the new credential
    │   └── ConsumerChanged      4  it holds neither the old nor the new one: somebody changed it
    ├── Halted                   4  a rotation stopped; it can be resumed
    ├── MissingExtra             2  an optional dependency is not installed
    └── Interrupted            130  the user pressed Ctrl-C; nothing is half done
"""


class KeywardError(Exception):
    """Root of the tree. `str(error)` is one sentence; `error.hint` says what to do next (may be empty)."""

    exit_code = 70

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    @property
    def told(self) -> str:
        """The error and what to do next, as sentences: for a row of a table, where there is one text for both."""
        message = str(self)
        if not self.hint:
            return message
        return f"{message}{'' if message.endswith(('.', '!', '?')) else '.'} {self.hint}"


class UsageError(KeywardError):
    exit_code = 2


class ConfigError(KeywardError):
    """A file of configuration is wrong. `path` and `line` name the place (line 0: not known)."""

    exit_code = 2

    def __init__(self, message: str, *, path: str = "", line: int = 0, hint: str = "") -> None:
        place = f"{path}:{line}: " if path and line else f"{path}: " if path else ""
        super().__init__(place + message, hint=hint)
        self.path = path
        self.line = line


class RuleError(ConfigError):
    pass


class PackError(KeywardError):
    exit_code = 2


class GitError(KeywardError):
    exit_code = 2


class IncompleteError(KeywardError):
    exit_code = 3


class Interrupted(KeywardError):
    exit_code = 130


class ProviderError(KeywardError):
    """What a provider said, or did not. The message never holds a value, and is escaped before it is shown.

    `certain`: whether it is sure that nothing was changed.
    """

    exit_code = 4
    certain = True


class Refused(ProviderError):
    """It said no, and nothing was changed. `hint` names the missing right or the wrong reference."""


class Throttled(ProviderError):
    """It said not now, and nothing was changed. `retry_after`: seconds."""

    def __init__(self, message: str, *, retry_after: float = 1.0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class SlotsFull(Refused):
    """It holds as many of these credentials as it allows."""


class Unreachable(ProviderError):
    """The connection failed before anything was sent."""


class Uncertain(ProviderError):
    """The request was sent and the answer lost, or the answer means nothing: it may or may not have happened."""

    certain = False


class HostRefused(ProviderError):
    """The host is not on the allow-list of the pack that asked for it."""

    exit_code = 2


class StoreError(KeywardError):
    exit_code = 4


class StoreConflict(StoreError):
    """The path holds another version than the one that was expected."""


class StoreDenied(StoreError):
    pass


class StoreUnavailable(StoreError):
    """Sealed, locked, gone, or not answering. `certain`: whether it is sure that nothing was written."""

    def __init__(self, message: str, *, certain: bool = False, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.certain = certain


class ConsumerError(KeywardError):
    exit_code = 4


class ConsumerChanged(ConsumerError):
    """The place holds neither the old nor the new credential."""


class Halted(KeywardError):
    exit_code = 4


class MissingExtra(KeywardError):
    """An optional dependency is not installed. `extra`: the extra that brings it."""

    exit_code = 2

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} is not installed", hint=f"Install it with: pip install 'keyward-secrets[{extra}]'")
        self.extra = extra
