"""The real OpenClaw: its npm package and a Node that it accepts, installed once into the user's cache, and a gateway on loopback.

What cannot be installed or started fails the test with the reason: this consumer is worth nothing if it is not tried.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from keyward.testing.servers.process import Daemon, ServerFailed, free_port

VERSION = "2026.9.6"
NODE = "24.21.0"
INSTALL_SECONDS = 900
QUIET = (
    "OPENCLAW_NO_RESPAWN",
    "OPENCLAW_NO_AUTO_UPDATE",
    "OPENCLAW_DISABLE_BONJOUR",
    "OPENCLAW_SKIP_CHANNELS",
    "OPENCLAW_SKIP_CRON",
    "OPENCLAW_SKIP_CANVAS_HOST",
)
"""What a gateway of a test can do without."""
STARTS = 6
"""How many times the usual patience a gateway gets."""


def _platform() -> str:
    system = {"linux": "linux", "darwin": "darwin"}.get(sys.platform, sys.platform)
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower(), "x64")
    return f"{system}-{machine}"


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "keyward-tests"


def installed() -> tuple[str, str]:
    """Paths of node and of `openclaw.mjs`; installs them first if need be. Fails the test if that cannot be done."""
    runtime = f"node-{_platform()}"
    folder = _cache() / f"openclaw-{VERSION}-node-{NODE}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once install it once
        if not folder.exists():
            npm = shutil.which("npm")
            if npm is None:
                pytest.fail("the real OpenClaw is needed and npm is not installed")
            partial = Path(f"{folder}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            # nothing of the packages runs on the way: both are complete without their install scripts
            command = [
                npm,
                "install",
                "--prefix",
                str(partial),
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--loglevel=error",
            ]
            command += [f"openclaw@{VERSION}", f"{runtime}@{NODE}"]
            try:
                result = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
            except subprocess.TimeoutExpired:
                pytest.fail(f"npm did not install openclaw@{VERSION} within {INSTALL_SECONDS} s")
            if result.returncode:
                pytest.fail(f"npm cannot install openclaw@{VERSION} and {runtime}@{NODE}: {result.stderr[-2000:]}")
            partial.rename(folder)
    modules = folder / "node_modules"
    return str(modules / runtime / "bin" / "node"), str(modules / "openclaw" / "openclaw.mjs")


class RealOpenClaw:
    """One state folder, its commands, and its gateway."""

    def __init__(self, root: Path) -> None:
        self.node, self.program = installed()
        self.root, self.state = root, root / "state"
        self.state.mkdir(parents=True)
        (root / "tmp").mkdir()
        self.port = free_port()
        self.url, self.socket = f"http://127.0.0.1:{self.port}", f"ws://127.0.0.1:{self.port}"
        self._gateway: Daemon | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.root),
            "TMPDIR": str(self.root / "tmp"),
            "OPENCLAW_STATE_DIR": str(self.state),
            "NODE_COMPILE_CACHE": str(_cache() / "node-compile-cache"),
            "NO_COLOR": "1",
            **dict.fromkeys(QUIET, "1"),
        }

    @property
    def command(self) -> list[str]:
        """How a consumer calls it: with a home and an environment of its own."""
        pairs = [f"{name}={value}" for name, value in self.environment.items() if name != "OPENCLAW_STATE_DIR"]
        return ["/usr/bin/env", *pairs, self.node, self.program]

    def configure(self, **sections: object) -> None:
        config: dict[str, Any] = {
            "gateway": {
                "mode": "local",
                "port": self.port,
                "bind": "loopback",
                "auth": {"mode": "token", "token": {"source": "store", "provider": "default", "id": "GATEWAY_TOKEN"}},
            },
            "logging": {"file": str(self.root / "gateway.log")},
            # no plugin is looked for outside: a provider's name that OpenClaw knows would make it ask npm for one
            "plugins": {"allow": ["vault"], "entries": {"vault": {"enabled": True}}, "slots": {"memory": "none"}},
            **sections,
        }
        (self.state / "openclaw.json").write_text(json.dumps(config))

    def run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [self.node, self.program, *arguments],
            input=stdin,
            env=self.environment,
            capture_output=True,
            timeout=120,
            check=False,
        )

    def store(self, name: str, value: bytes) -> None:
        result = self.run("secrets", "store", "set", name, "--kind", "secret", stdin=value)
        assert result.returncode == 0, result.stderr[-500:]

    def audit(self) -> dict[str, Any]:
        """What `openclaw secrets audit` reports."""
        report: dict[str, Any] = json.loads(self.run("secrets", "audit", "--json").stdout)
        return report

    def start(self, environment: Mapping[str, str]) -> None:
        """Starts the gateway. Fails the test if it does not come up."""
        self._gateway = Daemon(
            ["/usr/bin/env", "-i", *(f"{k}={v}" for k, v in {**self.environment, **environment}.items()), self.node, self.program,
             "gateway", "run"],
            str(self.root / "gateway.out"),
        )  # fmt: skip
        for patience in range(STARTS, 0, -1):  # the first start of a fresh folder takes half a minute on a busy machine
            try:
                self._gateway.wait_until(self._ready)
                return
            except ServerFailed as error:
                if patience == 1 or "ended" in str(error):
                    self.stop()
                    pytest.fail(f"OpenClaw's gateway did not start: {error}")

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ready", timeout=2, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        if self._gateway is not None:
            self._gateway.stop()
