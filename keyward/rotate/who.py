"""Who runs this process: for the audit log and for approvals. From the kernel where it knows, never from `$USER` alone."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from typing import NamedTuple

_CI_JOBS = ("GITHUB_RUN_ID", "CI_JOB_URL", "CI_JOB_ID", "BUILD_URL", "CIRCLE_BUILD_URL", "BUILDKITE_BUILD_URL", "CI")
"""Names under which a CI tells its job: GitHub Actions, GitLab (two), Jenkins, CircleCI, Buildkite, any."""


class Who(NamedTuple):
    """`user`: name of the real user id. `via`: who called sudo, if anybody, as sudo says. `tty`, `ci`: empty where there is none."""

    user: str
    uid: int = -1
    via: str = ""
    host: str = ""
    tty: str = ""
    ci: str = ""


def user_name(uid: int) -> str:
    """The name of a user id; the number where it has none."""
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return str(uid)


def current(environment: Mapping[str, str] | None = None) -> Who:
    """Who runs this process, on which host and terminal, in which CI job."""
    env = os.environ if environment is None else environment
    uid = os.getuid() if hasattr(os, "getuid") else -1
    ci = next((f"{name}={env[name][:200]}" for name in _CI_JOBS if env.get(name)), "")
    return Who(
        user=user_name(uid) if uid >= 0 else env.get("USERNAME", "unknown"),
        uid=uid,
        via=env.get("SUDO_USER", ""),
        host=socket.gethostname(),
        tty=_tty(),
        ci=ci,
    )


def _tty() -> str:
    for stream in (sys.__stdin__, sys.__stderr__):
        try:
            if stream is not None:
                return os.ttyname(stream.fileno())
        except (OSError, ValueError, AttributeError):
            continue
    return ""
