"""Where a new credential is written: one file a kind of consumer, and the factory that makes them from the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from keyward.errors import ConfigError

if TYPE_CHECKING:
    from keyward.model.lane import ConsumerSpec
    from keyward.model.secret import Secret
    from keyward.plugin.consumer import Consumer
    from keyward.plugin.ports import Hosts, Ports
    from keyward.rotate.consumers.commands import Runner
    from keyward.rotate.consumers.remote import Resolve


class _Type(NamedTuple):
    """Where a type is made: module and function, what is passed besides options and ports. `reloads`: whether `reload` of the
    configuration, a command to be run after each write, is for us. `remote`: whether it goes to a service, with a credential that
    must be resolved."""

    module: str
    function: str = "make"
    runs_commands: bool = False
    arguments: Mapping[str, str] = {}
    reloads: bool = False
    remote: bool = False


TYPES: Mapping[str, _Type] = {
    "dotenv": _Type("dotenv", reloads=True),
    **{
        type: _Type("structured", arguments={"type": type}, reloads=True)
        for type in ("json", "json5", "yaml", "toml", "ini", "properties", "file")
    },
    "aws-profile": _Type("aws_profile", reloads=True),
    "docker-env": _Type("docker_env", "make_docker_env", reloads=True),
    "compose": _Type("docker_env", "make_compose", reloads=True),
    "systemd": _Type("systemd", runs_commands=True),
    "exec": _Type("exec_", runs_commands=True),
    "in-place": _Type("in_place", reloads=True),
    "kubernetes": _Type("kubernetes", remote=True),
    "github-actions": _Type("github_actions", remote=True),
    "gitlab-variable": _Type("gitlab_variable", remote=True),
    "openclaw": _Type("openclaw", remote=True),
}
"""Every type of consumer by its name in the configuration. A module is imported when one of its type is made."""


def hosts_of(spec: ConsumerSpec) -> Hosts:
    """Where the consumer of one entry may go; nowhere for those that stay on this machine. Raises ConfigError."""
    from importlib import import_module

    from keyward.plugin.ports import Hosts

    known = _known(spec)
    if not known.remote:
        return Hosts()
    hosts: Hosts = import_module(f"{__name__}.{known.module}").hosts(spec.options)
    return hosts


def make_consumer(
    spec: ConsumerSpec, ports: Ports, *, resolve: Resolve | None = None, runner: Runner | None = None
) -> Consumer:
    """The consumer of one entry of the configuration, with its `check` command and, if it has them, its `reload` and `probe`.

    `ports`: must allow `hosts_of(spec)`. `resolve`: reads the secret behind a reference, for consumers that go to a service.
    `runner`: runs commands, for tests. Raises ConfigError for a type or an option that is wrong, MissingExtra.
    """
    from importlib import import_module

    from keyward.rotate.consumers.commands import Checked, Commands, run_command
    from keyward.rotate.consumers.remote import Options

    known = _known(spec)
    table = dict(spec.options)
    probe = Options(spec.type, {"probe": table.pop("probe", ())}, ("probe",)).texts("probe")
    reload: tuple[str, ...] = ()
    if known.reloads:
        reload = Options(spec.type, {"reload": table.pop("reload", ())}, ("reload",)).texts("reload")
    make = getattr(import_module(f"{__name__}.{known.module}"), known.function)
    more: dict[str, object] = {**known.arguments}
    if known.runs_commands:
        more["runner"] = runner or run_command
    if known.remote:
        more["resolve"] = resolve or _unresolved
    inner: Consumer = make(table, ports, **more)
    if not (reload or spec.check or probe):
        return inner
    commands = Commands(ports, runner or run_command)
    if probe:
        from keyward.rotate.consumers.probe import Probed

        return Probed(inner, commands, reload, spec.check, probe)
    return Checked(inner, commands, reload, spec.check)


def _known(spec: ConsumerSpec) -> _Type:
    known = TYPES.get(spec.type)
    if known is None:
        raise ConfigError(f"there is no consumer of type {spec.type!r}", hint=f"There are: {', '.join(TYPES)}.")
    return known


def _unresolved(reference: str) -> Secret:
    raise ConfigError("this consumer needs a credential of its own, and references cannot be resolved here")
