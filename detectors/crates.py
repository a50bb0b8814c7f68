"""Cargo registry API tokens.

What it is: an API token of the Rust package registry, `cio` and 32 letters and digits (35 characters); before 2020 without
  the prefix.
Where it is used: `~/.cargo/credentials.toml`, the CI variable `CARGO_REGISTRY_TOKEN`, `cargo publish --token`.
What an attacker can do: publish versions of the owner's crates with malicious code, yank versions, invite owners, as far as
  the token's scopes go; tokens from before scopes can do all of it.
How to replace it: revoke it on the site of the registry, Account settings, API tokens, and make a new one with scopes and an end. Trusted
  publishing from CI needs no token. Check the versions published meanwhile.
References: https://doc.rust-lang.org/cargo/reference/registry-authentication.html
  https://doc.rust-lang.org/cargo/reference/config.html#credentials
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import LOWER, an, assigned, chars, concat, json_member, part, text

from ._forms import manual, mixed, named

TOKEN = Kind("crates/api-token")

KINDS = (
    CredentialKind(TOKEN, "Cargo registry API token", "critical",
                   references=("https://doc.rust-lang.org/cargo/reference/config.html#credentials",),
                   manual=manual("https://doc.rust-lang.org/cargo/reference/publishing.html", "Make a new token with scopes and an end, or set up trusted publishing.",
                                 "Update what uses the old one.", "Revoke the old one.", "Check the versions published meanwhile.")),
)  # fmt: skip

_TOKEN = concat("cioQ7w", an(29))
_OLDER = concat("q7W", an(29))

RULES = (
    Rule(
        str(TOKEN),
        TOKEN,
        rb"(?<![A-Za-z0-9+/_-])(?P<secret>cio" + mixed(32) + rb")(?![A-Za-z0-9+/_=-])",
        examples=(
            assigned("CARGO_REGISTRY_TOKEN", _TOKEN),
            text('[registry]\ntoken = "', part("secret", _TOKEN), '"\n'),
            text("cargo publish --token ", part("secret", _TOKEN), "\n"),
            json_member("cargoToken", _TOKEN),
        ),
        near_misses=(
            assigned("CARGO_REGISTRY_TOKEN", concat("cioQ7w", an(28))),
            assigned("CARGO_REGISTRY_TOKEN", concat("cioQ7w", an(30))),
            assigned("CARGO_REGISTRY_TOKEN", concat("cio", chars(LOWER, 32))),
        ),
    ),
    Rule(
        "crates/api-token-older",
        TOKEN,
        named(rb"cargo_registry_token|cargo_registries_crates_io_token|crates_?io_(?:api_)?token", mixed(32), rb"(?![A-Za-z0-9+/_=-])"),
        score=65,
        examples=(
            assigned("CARGO_REGISTRY_TOKEN", _OLDER),
            assigned("CRATES_IO_TOKEN", _OLDER, form='  {name}: "{value}"\n'),
            json_member("crates_io_token", _OLDER),
        ),
        near_misses=(
            assigned("CARGO_REGISTRY_TOKEN", concat("q7W", an(28))),
            assigned("CARGO_REGISTRY_TOKEN", concat("q7W", an(30))),
            assigned("CARGO_REGISTRY_INDEX", _OLDER),
        ),
    ),
)
