"""A home with an operator's configuration, a local provider, and a leaky project; `keyward` is run in it as a person would."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import rules_cache

from keyward.testing.fakes.openrouter import FakeOpenRouter

CONFIG = """\
[stores.local]
type = "agefile"
file = "{home}/store.age"
insecure_identity = true

[lanes.bot]
tier = 1
environment = "production"

[[lanes.bot.credentials]]
name = "openrouter"
kind = "openrouter/api-key"
target = {{ base_url = "{url}" }}
admin = {{ secret = "env:OPENROUTER_MANAGEMENT" }}

[[lanes.bot.consumers]]
type = "dotenv"
path = "{home}/bot/.env"
set = {{ OPENROUTER_API_KEY = "{{secret}}" }}
"""


class Home:
    """`run` answers with exit code, stdout and stderr."""

    def __init__(self, folder: Path, fake: FakeOpenRouter) -> None:
        self.folder, self.fake = folder, fake
        (folder / "bot").mkdir(parents=True)
        self.env_file = folder / "bot" / ".env"
        self.old = fake.make_key("bot").value
        self.env_file.write_text(f"# the bot\nexport OPENROUTER_API_KEY='{self.old}'  # do not share\nDEBUG=1\n")
        self.config = folder / "config.toml"
        self.config.write_text(CONFIG.format(home=folder, url=fake.url))
        self.config.chmod(0o600)

    @property
    def environment(self) -> Mapping[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {
            **kept,
            "KEYWARD_CACHE": str(rules_cache.folder()),
            "HOME": str(self.folder),
            "KEYWARD_STATE": str(self.folder / "state"),
            "KEYWARD_CONFIG": str(self.config),
            "OPENROUTER_MANAGEMENT": self.fake.management.value,
        }

    def run(self, *words: str, stdin: str = "") -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "keyward.cli.main", *words],
            cwd=self.folder,
            env=dict(self.environment),
            input=stdin.encode(),
            capture_output=True,
            timeout=120,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def ok(self, *words: str, code: int = 0, stdin: str = "") -> str:
        """Standard output of a command that must end with `code`."""
        got, out, err = self.run(*words, stdin=stdin)
        assert got == code, f"keyward {' '.join(words)}: {got}\n{out}\n{err}"
        return out

    def scan(self) -> Path:
        """Scans the project into a report."""
        report = self.folder / "report.jsonl"
        self.ok("scan", "bot", "--format", "jsonl", "-o", str(report), code=1)
        return report

    def fingerprint(self, report: Path) -> str:
        import json

        return str(json.loads(report.read_text().splitlines()[0])["fingerprint"])

    def adopt(self) -> Path:
        report = self.scan()
        self.ok("lanes", "adopt", self.fingerprint(report), "--lane", "bot", "--report", str(report))
        return report

    def key_in_env(self) -> str:
        line = next(line for line in self.env_file.read_text().splitlines() if "OPENROUTER_API_KEY" in line)
        return line.split("=", 1)[1].partition("  #")[0].strip("'")

    def alive(self) -> set[str]:
        keys = self.fake.keys.values()
        return {key.value for key in keys if not key.management and not key.disabled and key.refused_from is None}


@contextmanager
def home(folder: Path) -> Iterator[Home]:
    with FakeOpenRouter() as fake:
        yield Home(folder, fake)
