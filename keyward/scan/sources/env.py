"""Files of environment variables, and the files of those who start programs with some: units, agents of launchd, compose, CI.

An env file is one by its name, wherever it lies. Which of them is a copy is told by the name as well: `.env.bak` is read by nobody.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.scan.roles import ECHO, LIVE
from keyward.scan.sources.host import Host, Spot, Tool

_IN_PLACE = "the value alone, in place, quoting kept"
_LIVE = "not scrubbed: it is read from here; rotate it, and the consumer writes the new value"
_DELETE = "a copy: delete it, or the value alone in place"

COPIES = ("bak", "bak.*", "backup", "old", "orig", "save", "swp", "dist", "migrated.*")
"""Endings of copies that editors, scripts and people leave behind."""


def _dotenv(host: Host) -> Iterator[Spot]:
    yield Spot(
        "",
        ".env.vault",
        "dotenv, values encrypted",
        "not scrubbed: encrypted",
        ECHO,
        opaque="encrypted (.env.vault)",
        marks=(b"DOTENV_VAULT",),
    )
    for ending in COPIES:
        yield Spot("", f".env*.{ending}", "dotenv", _DELETE, ECHO)
        yield Spot("", f"*.env.{ending}", "dotenv", _DELETE, ECHO)
    for pattern in (".env*~", "*.env~", ".#.env*", "*copy*.env", "*backup*.env"):
        yield Spot("", pattern, "dotenv", _DELETE, ECHO)
    for pattern in (
        ".env.example",
        ".env.sample",
        ".env.template",
        ".env.dist",
        "*.env.example",
        "*.env.sample",
        "*.env.template",
    ):
        yield Spot("", pattern, "dotenv template", _IN_PLACE, ECHO)
    yield Spot("", ".env*", "dotenv", _LIVE, LIVE)
    yield Spot("", "*.env", "dotenv", _LIVE, LIVE)
    yield Spot("", "*.env.local", "dotenv", _LIVE, LIVE)
    yield Spot("", ".flaskenv", "dotenv", _LIVE, LIVE)
    yield Spot("", ".dev.vars", "dotenv", _LIVE, LIVE)
    yield Spot("", ".dev.vars.*", "dotenv", _LIVE, LIVE)
    # a folder of variables, one a file (s6's envdir, daemontools, `chamber`)
    yield Spot("", "env/*_KEY", "one value", _LIVE, LIVE)
    yield Spot("", "env/*_TOKEN", "one value", _LIVE, LIVE)
    yield Spot("", "env/*_SECRET", "one value", _LIVE, LIVE)


def _direnv(host: Host) -> Iterator[Spot]:
    for ending in COPIES:
        yield Spot("", f".envrc.{ending}", "bash", _DELETE, ECHO)
    yield Spot("", ".envrc", "bash", _LIVE, LIVE)
    yield Spot("", ".envrc.*", "bash", _LIVE, LIVE)
    yield Spot("", ".mise.toml", "TOML", _LIVE, LIVE)
    yield Spot("", ".mise.local.toml", "TOML", _LIVE, LIVE)
    yield Spot("", "mise.local.toml", "TOML", _LIVE, LIVE)


def _startup(host: Host) -> Iterator[Spot]:
    """What a shell or a session reads when it starts; people `export` their keys there."""
    names = (
        ".bashrc", ".bash_profile", ".bash_login", ".bash_aliases", ".profile", ".zshrc", ".zshenv", ".zprofile", ".zlogin", ".kshrc",
        ".xprofile", ".xsessionrc", ".pam_environment", ".cshrc", ".tcshrc", ".inputrc", ".aliases", ".exports", ".extra", ".secrets",
    )  # fmt: skip
    zdotdir = host.variable("ZDOTDIR", "")
    for folder in dict.fromkeys((host.home, zdotdir)):
        for name in names:
            yield Spot(folder, name, "shell script", _LIVE, LIVE)
    for name in names[:15]:
        for ending in COPIES:
            yield Spot(host.home, f"{name}.{ending}", "shell script", _DELETE, ECHO)
    yield Spot(os.path.join(host.home, ".bashrc.d"), "**", "shell script", _LIVE, LIVE)
    yield Spot(os.path.join(host.home, ".zsh"), "**/*.zsh", "shell script", _LIVE, LIVE)
    yield Spot(os.path.join(host.home, ".oh-my-zsh", "custom"), "**/*.zsh", "shell script", _LIVE, LIVE)
    yield Spot(os.path.join(host.config, "fish"), "config.fish", "fish script", _LIVE, LIVE)
    yield Spot(os.path.join(host.config, "fish"), "conf.d/*.fish", "fish script", _LIVE, LIVE)
    yield Spot(os.path.join(host.config, "fish"), "fish_variables", "fish's universal variables", _LIVE, LIVE)
    yield Spot(os.path.join(host.config, "nushell"), "*.nu", "nushell script", _LIVE, LIVE)
    yield Spot(os.path.join(host.config, "powershell"), "*.ps1", "PowerShell script", _LIVE, LIVE)
    yield Spot(os.path.join(host.config, "environment.d"), "*.conf", "environment.d", _LIVE, LIVE)
    yield Spot(os.path.join(host.root, "etc"), "environment", "env file", _LIVE, LIVE)
    yield Spot(os.path.join(host.root, "etc", "profile.d"), "*.sh", "shell script", _LIVE, LIVE)


def _systemd(host: Host) -> Iterator[Spot]:
    units = ("*.service", "*.service.d/*.conf", "*.timer", "*.socket", "*.env", "*.conf")
    scrub = "not scrubbed: it is read from here; rotate it, and the systemd consumer writes the new value"
    user = os.path.join(host.config, "systemd", "user")
    for unit in units:
        yield Spot(user, unit, "systemd unit", scrub, LIVE)
    yield Spot(os.path.join(host.home, ".config", "systemd", "user"), "**/*.service", "systemd unit", scrub, LIVE)
    yield Spot(os.path.join(host.data, "systemd", "user"), "**/*.service", "systemd unit", scrub, LIVE)
    yield Spot(os.path.join(host.config, "containers", "systemd"), "**/*.container", "quadlet unit", scrub, LIVE)
    for ending in COPIES:
        yield Spot(user, f"**/*.{ending}", "systemd unit", _DELETE, ECHO)
    system = os.path.join(host.root, "etc", "systemd", "system")
    for unit in units:
        yield Spot(system, unit, "systemd unit", scrub, LIVE)
    for folder in ("default", "sysconfig", "conf.d"):
        yield Spot(os.path.join(host.root, "etc", folder), "*", "EnvironmentFile of units", scrub, LIVE)
    yield Spot(os.path.join(host.root, "etc"), "*.env", "EnvironmentFile of units", scrub, LIVE)
    yield Spot(os.path.join(host.root, "etc"), "*/*.env", "EnvironmentFile of units", scrub, LIVE)


def _launchd(host: Host) -> Iterator[Spot]:
    scrub = "not scrubbed: it is read from here; rotate it"
    yield Spot(os.path.join(host.home, "Library", "LaunchAgents"), "*.plist", "property list (XML or binary)", scrub, LIVE)
    if host.mac:
        for folder in ("LaunchAgents", "LaunchDaemons"):
            yield Spot(os.path.join(host.root, "Library", folder), "*.plist", "property list (XML or binary)", scrub, LIVE)


def _compose(host: Host) -> Iterator[Spot]:
    for stem in ("docker-compose", "compose", "podman-compose"):
        for ending in ("yml", "yaml"):
            yield Spot("", f"{stem}.{ending}", "compose file", _LIVE, LIVE)
            yield Spot("", f"{stem}.*.{ending}", "compose file", _LIVE, LIVE)
            yield Spot("", f"{stem}*.{ending}.bak", "compose file", _DELETE, ECHO)
    for name in ("Dockerfile", "Dockerfile.*", "*.Dockerfile", "Containerfile"):
        yield Spot("", name, "Dockerfile", "the value alone; images built from it keep it in their history", LIVE)
    yield Spot("", ".devcontainer/devcontainer.json", "JSON with comments", _LIVE, LIVE)
    yield Spot("", "devcontainer.json", "JSON with comments", _LIVE, LIVE)
    yield Spot("", "devcontainer.env", "dotenv", _LIVE, LIVE)
    yield Spot("", "Procfile", "process list", _LIVE, LIVE)
    yield Spot("", "ecosystem.config.*", "pm2 configuration", _LIVE, LIVE)
    yield Spot(
        os.path.join(host.home, ".pm2"),
        "dump.pm2",
        "JSON: pm2's processes with their environment",
        "pm2 writes it: `pm2 save` after the rotation",
        LIVE,
    )
    yield Spot(os.path.join(host.home, ".pm2"), "dump.pm2.bak", "JSON: pm2's processes with their environment", _DELETE, ECHO)


def _ci(host: Host) -> Iterator[Spot]:
    patterns = (
        ".github/workflows/*.yml", ".github/workflows/*.yaml", ".gitlab-ci.yml", ".gitlab-ci.*.yml", ".circleci/config.yml",
        "azure-pipelines*.yml", "bitbucket-pipelines.yml", ".travis.yml", ".drone.yml", ".woodpecker.yml", ".woodpecker/*.yml",
        ".buildkite/*.yml", "appveyor.yml", ".appveyor.yml", "Jenkinsfile", "Jenkinsfile.*", ".cirrus.yml", "cloudbuild.yaml",
        "buildspec.yml", "wercker.yml", ".forgejo/workflows/*.yml", ".gitea/workflows/*.yml", ".secrets", "*.act.secrets",
    )  # fmt: skip
    for pattern in patterns:
        yield Spot("", pattern, "CI configuration", _LIVE, LIVE)
    yield Spot("", "actions-runner/.credentials", "JSON", _LIVE, LIVE)
    yield Spot("", "actions-runner/.credentials_rsaparams", "JSON", _LIVE, LIVE)
    yield Spot("", "actions-runner/.runner", "JSON", _LIVE, LIVE)
    yield Spot(os.path.join(host.home, ".gitlab-runner"), "config.toml", "TOML", _LIVE, LIVE)
    yield Spot(os.path.join(host.root, "etc", "gitlab-runner"), "config.toml", "TOML", _LIVE, LIVE, root=True)


TOOLS = (
    Tool("systemd", "env", "systemd units and their environment files", _systemd),
    Tool("launchd", "env", "agents of launchd", _launchd),
    Tool("startup", "env", "what shells and sessions read when they start", _startup),
    Tool("direnv", "env", "direnv and mise", _direnv),
    Tool("dotenv", "env", "env files, wherever they are", _dotenv),
    Tool("compose", "env", "compose files, Dockerfiles and process managers", _compose),
    Tool("ci", "env", "CI configuration", _ci),
)
