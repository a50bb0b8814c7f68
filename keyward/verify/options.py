"""What some providers have to be told before they can be asked, beside the credential: the account, the project, the region.

From the operator's configuration alone, never from the leak:

    [verify.options.cloudflare]
    account_id = "…"

Nothing here is a secret. An option that lowers how a server is checked (a connection's TLS mode) is none of these: it belongs to
one server, so it stands with that server's entry in a lane.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from keyward.formats.toml_file import TomlFile, nearest
from keyward.model.credential import Target

OPTIONS: Mapping[str, tuple[str, ...]] = {
    "aws": ("region",),
    "cloudflare": ("account_id",),
    "openclaw": ("hooks_path",),
    "supabase": ("project",),
    "tencent": ("region",),
    "vault": ("namespace", "mount", "role_id"),
}
"""By provider, what its verifier asks `target.options` for. A plugin's provider may have any."""


def read_options(verify: TomlFile, providers: Callable[[], Collection[str]]) -> dict[str, dict[str, str]]:
    """What stands in `[verify.options]`, by provider. `providers`: all that there are, asked only for a name that is not in OPTIONS.
    Raises ConfigError for another provider, and for a key that one of keyward's own does not know."""
    found = {}
    for name, table in verify.named_tables("options"):
        if name in OPTIONS:
            table.only(OPTIONS[name], f"`verify.options.{name}`")
        elif name not in (known := providers()):
            verify.in_table("options").wrong("an unknown provider", nearest(name, known), name)
        found[name] = {key: table.text(key, required=f'Write it like this: {key} = "…"') for key in table.data}
    return found


def agreed(own: Mapping[str, str], targets: Iterable[Target]) -> dict[str, str]:
    """The options to ask a lane's server with: the operator's own, and those on which all entries agree that say something of it. A leaked
    value does not tell which entry it belongs to."""
    said: dict[str, set[str]] = {}
    for target in targets:
        for key, value in target.options.items():
            said.setdefault(key, set()).add(value)
    return {**{key: next(iter(values)) for key, values in said.items() if len(values) == 1}, **own}
