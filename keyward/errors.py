"""Every error that keyward raises on purpose.

Each class carries the process exit code that it means and may carry a hint: one sentence that says what to do next.

    KeywardError                70  internal error
    ├── UsageError               2  the command line is wrong
    ├── ConfigError              2  a configuration or rule file is wrong (names file, line and key)
    │   └── RuleError            2  a rule is wrong (names the rule)
    ├── PackError                2  a detector or rotator pack breaks its contract
    ├── GitError                 2  git refused, or this is not a repository
    ├── IncompleteError          3  something asked for could not be looked at
    └── Interrupted            130  the user pressed Ctrl-C; nothing is half done
"""


class KeywardError(Exception):
    """Root of the tree. `str(error)` is one sentence; `error.hint` says what to do next (may be empty)."""

    exit_code = 70

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


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
