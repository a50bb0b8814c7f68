"""OpenClaw: the gateway's shared secret, hook and channel tokens, and the model keys in its configuration.

What it is: values without a prefix that only their path tells: `gateway.auth.token` and `.password`, `gateway.remote.token`,
  `hooks.token`, `channels.*.botToken` and the like, `models.providers.*.apiKey`, auth profiles, WhatsApp's device keys.
Where it is used: `~/.openclaw/openclaw.json` (JSON5) and its ring of `.bak` copies, `.env` in the state directory, systemd units,
  dashboard URLs with `#token=`, `openclaw-agent.sqlite`, shell histories with `openclaw config set`; also the former names
  CLAWDBOT and MOLTBOT. References (`${VAR}`, `{source: …}`) are not findings: they hold no value.
What an attacker can do: with the gateway's token act as its operator, which is to run tools and shell commands as the agent's
  user and read every conversation; with a hook token start agent turns; with a channel token speak and read as the bot.
How to replace it: `openclaw config set gateway.auth.token` with a new value, or set the reference's source and run `openclaw
  secrets reload`; values from the environment need a restart. Paired devices stay connected and are removed one by one. Then
  delete `openclaw.json.bak*`, which keep the old value.
References: https://docs.openclaw.ai/gateway/secrets
  https://docs.openclaw.ai/reference/secretref-credential-surface
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Parts, Rule, Signal
from keyward.plugin.shapes import Piece, Shape, an, assigned, b64, b64url, concat, hexa, jwt, lower, part, text
from keyward.plugin.verifier import Answer, Case, Dead, Live, Unknown, Verdict, evidence

from ._model_vendor import named, replace

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports

GATEWAY_TOKEN = Kind("openclaw/gateway-token")
GATEWAY_PASSWORD = Kind("openclaw/gateway-password")
HOOKS = Kind("openclaw/hooks-token")
CHANNEL = Kind("openclaw/channel-token")
PROVIDER_KEY = Kind("openclaw/provider-key")
OAUTH = Kind("openclaw/oauth-profile")
WHATSAPP = Kind("openclaw/whatsapp-credentials")

_DOCS = "https://docs.openclaw.ai/gateway/secrets"
_SURFACE = ("https://docs.openclaw.ai/reference/secretref-credential-surface",)
_COPIES = "Delete `openclaw.json.bak*`: they keep the old value."

KINDS = (
    CredentialKind(GATEWAY_TOKEN, "OpenClaw gateway token", "critical", references=_SURFACE, manual=replace(
        _DOCS, "Set a new value: `openclaw config set gateway.auth.token`, or at the source of its reference; restart if it is in the environment.",
        "Update `gateway.remote.token` on the clients; remove paired devices you do not know.", _COPIES), rotates=True),
    CredentialKind(GATEWAY_PASSWORD, "OpenClaw gateway password", "critical", references=_SURFACE, manual=replace(
        _DOCS, "Set a new password: `openclaw config set gateway.auth.password`, or at the source of its reference.",
        "Update the clients; remove paired devices you do not know.", _COPIES), rotates=True),
    CredentialKind(HOOKS, "OpenClaw hooks token", "high", references=("https://docs.openclaw.ai/automation/webhook",), manual=replace(
        "https://docs.openclaw.ai/automation/webhook", "Set a new `hooks.token`, different from the gateway's.",
        "Update the services that call the hook.", _COPIES), rotates=True),
    CredentialKind(CHANNEL, "Channel token in an OpenClaw configuration", "high", public=("channel",), references=_SURFACE, manual=replace(
        _DOCS, "Make a new token at the channel's own service (BotFather, Discord's or Slack's developer pages).",
        "Store it with `openclaw secrets store set` and refer to it in the configuration.", "Revoke the old one.", _COPIES)),
    CredentialKind(PROVIDER_KEY, "Model provider key in an agent's configuration", "critical", public=("base_url",), references=_SURFACE,
                   manual=replace(_DOCS, "Create a new key at the provider.",
                                  "Store it with `openclaw secrets store set` and refer to it in the configuration.",
                                  "Delete the old key at the provider.", _COPIES)),
    CredentialKind(OAUTH, "OAuth login in an agent's auth profile", "critical", references=_SURFACE, manual=replace(
        "https://docs.openclaw.ai/concepts/oauth", "End the session in the provider's account settings.", "Log in again with the agent.")),
    CredentialKind(WHATSAPP, "WhatsApp device keys (Baileys creds.json)", "critical", references=("https://docs.openclaw.ai/channels/whatsapp",),
                   manual=replace("https://docs.openclaw.ai/channels/whatsapp", "On the phone: Settings, Linked devices, log the device out.",
                                  "Delete creds.json and pair again.")),
)  # fmt: skip


def _chosen(parts: Parts) -> Signal | None:
    """What is only a name (`SLACK_BOT_TOKEN`, `gatewayToken`, `params.config.token`) or tells what to write there is lowered; a
    pass phrase of words a little."""
    value = parts["secret"]
    if re.fullmatch(rb"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+){1,9}", value):
        return Signal("shape", -40, "is the name of a variable")
    if re.fullmatch(rb"[A-Za-z_]+(?:\??\.[A-Za-z_]+){1,9}", value):
        return Signal("shape", -40, "is a path of names")
    if re.fullmatch(rb"[A-Za-z_]+", value):
        return Signal("shape", -30, "is an identifier")
    if re.fullmatch(rb"[a-z]+(?:-[a-z]+){1,8}", value) and re.search(rb"token|secret|password|key|replace|random|here|value", value):
        return Signal("shape", -40, "describes what belongs there")
    return None if any(48 <= c <= 57 for c in value) else Signal("shape", -10, "has no digit")


_PLAIN = rb"(?<![A-Za-z0-9_.-])"
_Q = rb"(?:\\?[\"'])?"
_S = rb"(?:\s|\\n){0,24}"
_COLON = _Q + rb"\s{0,4}:" + _S
_OPEN = _COLON + rb"\{"
_FLAT = rb"\{[^{}]{0,300}\}"
_BLOCK = rb"\{(?:[^{}]{0,300}" + rb"\{(?:[^{}]{0,300}" + _FLAT + rb"){0,4}[^{}]{0,300}\}" + rb"){0,4}[^{}]{0,300}\}"
_INSIDE = rb"(?:[^{}]{0,400}?" + _BLOCK + rb"){0,6}?[^{}]{0,400}?(?<![A-Za-z0-9_])"
"""Whatever stands between the opening brace of a block and one of its own members: never past the block's end."""
_DEEPER = rb"(?:(?:[^{}]{0,400}?" + _BLOCK + rb"){0,4}?[^{}]{0,200}?\{){0,2}?" + _INSIDE
"""The same, also into blocks within (`accounts: { main: {`)."""


_NAME_END = rb"(?:[\"'][ \t:]|:[ \t\r\n{\\]|\\[\"'])"
"""What tells a block's name from the same word in a text: its closing quote and the colon, the beginning of its block."""


def _block(names: tuple[str, ...], inside: bytes, label: str = "") -> bytes:
    """A pattern for what stands `inside` a block of one of these names; `label` is the part that the name becomes.

    The match itself is the name, at a fixed width, and all else is looked ahead at, so that a hit costs one attempt: files
    of nothing but such names would otherwise be searched again and again. The last piece gives the look its room.
    """
    width = max(map(len, names))
    heads = b"|".join((rb"(?s:" + b"." * (width - len(name) - 1) + rb")[^A-Za-z0-9_.-]" if len(name) < width else _PLAIN) + name.encode() for name in names)
    group = rb"(?P<%s>" % label.encode() if label else rb"(?:"
    word = group + b"|".join(name.encode() for name in names) + rb")"
    look = rb"(?=(?s:.){0,%d}?" % (width - min(map(len, names))) + _PLAIN + word + _OPEN + inside + rb")"
    edge = _PLAIN if len(names) == 1 else b""  # at the pattern's very beginning the first pass sees it too
    return edge + look + rb"(?:" + heads + rb")" + _NAME_END + rb"(?s:.){0,4000}?"


def _string(shortest: int, longest: int = 200) -> bytes:
    """A string that is a value: not `$VAR`, `<placeholder>` or the marker of a reference."""
    return rb"\\?[\"'](?P<secret>(?![$<{]|secretref|__)[^\s\"'\\]{%d,%d})\\?[\"']" % (shortest, longest)


_ENV = rb"(?:openclaw|clawdbot|moltbot)_"
_TOKEN = rb"[A-Za-z0-9+/=_~-]{16,200}"
_TOKEN_EDGE = rb"(?![A-Za-z0-9+/=_~.(\[-])"
_PASSWORD = rb"(?![$<{(\[])[^\s\"'`\\$<>{}()\[\],;|&]{8,128}"
_PASSWORD_EDGE = rb"(?![^\s\"'`\\,;|&}])"
_ASSIGN = rb"\\?[\"']?\]?(?:[ \t]{0,4}[:=][ \t]{0,4}|,?\s{1,24}[\"']?value[\"']?\s{0,2}[:=]\s{0,4})\\?[\"']?"
_SECRETREF = '{ source: "env", provider: "default", id: "GATEWAY_SECRET" }'


def _by_name(kind: Kind, env: str, path: str, value: Shape, *, also: bytes = b"", password: bool = False) -> tuple[Rule, Rule]:
    """In the environment or a flat file, and as a path on the command line."""
    body, edge = (_PASSWORD, _PASSWORD_EDGE) if password else (_TOKEN, _TOKEN_EDGE)
    secret = rb"(?P<secret>" + body + rb")" + edge
    short = 7 if password else 15
    paths = re.escape(path.encode()).replace(rb"auth", rb"(?:auth|remote)")
    names = rb"(?:" + _ENV + env.partition("_")[2].lower().encode() + rb"|" + paths.lower() + also + rb")"
    by_name = Rule(
        f"{kind}-by-name",
        kind,
        rb"(?<![A-Za-z0-9.])(?i:" + names + rb")" + _ASSIGN + secret,
        score=75,
        check=_chosen,
        examples=(
            assigned(env, value),
            assigned(env, value, form='Environment="{name}={value}"\n'),
            assigned(env, value, form="      {name}: {value}\n"),
            assigned(env, value, form="  - name: {name}\n    value: {value}\n"),
            text(path, ' = "', part("secret", value), '"\n'),
        ),
        near_misses=(
            assigned(env, an(short)),
            assigned(env, "${GATEWAY_SECRET_FROM_STORE}"),
            assigned(env, "$(openssl rand -hex 32)"),
            assigned(env, "process.env.SOMETHING_SECRET"),
            assigned(env, "resolvedSecretOfGateway", form="{name}: {value},\n"),
            text("set `", env, "` directly. Or prefer `", path, "` / `OPENCLAW_OTHER_SECRET` instead.\n"),
            assigned("OPENCLAW_GATEWAY_PORT_NAME", value),
        ),
    )
    by_command = Rule(
        f"{kind}-by-command",
        kind,
        rb"config[ \t]{1,2}set[ \t]{1,2}(?:--[a-z-]{1,16}[ \t]{1,2})?[\"']?" + paths + rb"[\"']?[ \t=]{1,2}\\?[\"']?" + secret,
        anchor=paths + rb"[\"']?[ \t=]{1,2}\\?[\"']?[^\s\"'$]{4}",
        score=80,
        check=_chosen,
        examples=(
            text("openclaw config set ", path, " ", part("secret", value), "\n"),
            text(": 1790000000:0;openclaw config set ", path, " '", part("secret", value), "'\n"),
            text('{"command": "openclaw config set ', path, ' \\"', part("secret", value), '\\""}\n'),
        ),
        near_misses=(
            text("openclaw config set ", path, " ", an(short), "\n"),
            text("openclaw config set ", path, " $GATEWAY_SECRET_FROM_STORE\n"),
            text("openclaw config get ", path, " ", value, "\n"),
            text("openclaw config set gateway.bind ", value, "\n"),
        ),
    )
    return by_name, by_command


def _gateway(kind: Kind, block: str, member: str, shortest: int, value: Shape) -> Rule:
    """In openclaw.json, as strict JSON or as JSON5."""

    def strict(piece: Piece) -> Shape:
        return concat('{"gateway": {"port": 18789, "controlUi": {"enabled": true}, "', block, '": {"mode": "x", "', member, '": ', piece, "}}}\n")

    return Rule(
        f"{kind}-{block}",
        kind,
        _block(("gateway",), _INSIDE + block.encode() + _OPEN + _INSIDE + member.encode() + _COLON + _string(shortest)),
        window=4000,
        score=75,
        check=_chosen,
        examples=(
            strict(concat('"', part("secret", value), '"')),
            text("{\n  // the gateway\n  gateway: {\n    port: 18789,\n    bind: 'loopback',\n    ", block, ": {\n      mode: '", member, "',\n      ",
                 member, ": '", part("secret", value), "',\n    },\n  },\n}\n"),
            text("{gateway: {", block, ": { other: ", _SECRETREF, ", ", member, ': "', part("secret", value), '", }, } }\n'),
            text('{"text":"{\\n  \\"gateway\\": {\\n    \\"', block, '\\": {\\n      \\"', member, '\\": \\"', part("secret", value), '\\"\\n"}\n'),
        ),
        near_misses=(
            strict(concat('"', an(shortest - 1), '"')),
            strict(_SECRETREF),
            strict('"${GATEWAY_SECRET}"'),
            strict('"$GATEWAY_SECRET"'),
            text('{"gateway": {"', block, '": {"mode": "x"}}, "other": {"', member, '": "', value, '"}}\n'),
            text('{"gate": {"', block, '": {"', member, '": "', value, '"}}}\n'),
        ),
    )  # fmt: skip


def _channel(rule_id: str, members: str, channel: str, member: str, value: Shape) -> Rule:
    def block(name: str, field: str, piece: Piece) -> Shape:
        return concat('{"channels": {"', name, '": {"enabled": true, "', field, '": ', piece, "}}}\n")

    label = part("channel", channel)
    return Rule(
        rule_id,
        CHANNEL,
        _block(_CHANNELS, _DEEPER + rb"(?:" + members.encode() + rb")" + _COLON + _string(16), "channel"),
        window=4000,
        score=65,
        specificity=STRUCTURAL,
        check=_chosen,
        examples=(
            text('{"channels": {"', label, '": {"enabled": true, "', member, '": "', part("secret", value), '"}}}\n'),
            text("channels: {\n  ", label, ": {\n    dmPolicy: 'pairing', // who may write\n    groups: { '*': { requireMention: true } },\n    ",
                 member, ": '", part("secret", value), "',\n  },\n},\n"),
            text("channels: { ", label, ": { accounts: { main: { ", member, ': "', part("secret", value), '", }, }, }, }\n'),
        ),
        near_misses=(
            block(channel, member, concat('"', an(15), '"')),
            block(channel, member, _SECRETREF),
            block(channel, member, '"${BOT_SECRET_OF_CHANNEL}"'),
            block(channel, member, '"CHANNEL_BOT_SECRET_1"'),
            block("pigeon", member, concat('"', value, '"')),
            block(channel, "allowFrom", concat('"', value, '"')),
        ),
    )  # fmt: skip


_CHANNELS = (
    "telegram", "discord", "slack", "feishu", "lark", "googlechat", "mattermost", "msteams", "nextcloud-talk", "nostr", "qqbot",
    "sms", "zalo", "irc", "clickclack",
)  # fmt: skip
_PROVIDERS = rb"(?:models|talk|tts|skills|plugins)\.(?:providers|entries)\.[A-Za-z0-9_.-]{1,40}\.(?:apiKey|authToken)"
_API_KEY = rb"(?<![A-Za-z0-9])apiKey" + _COLON + _string(16)
_API_KEY_ANCHOR = rb"apiKey" + _COLON + rb"\\?[\"'][^\s\"'\\$]{16}"
_BASE_URL = rb"(?i:base_?url)" + _COLON + rb"\\?[\"']https?://(?:[^\s\"'/@]{1,100}@)?(?P<base_url>[A-Za-z0-9.-]{4,100})"


def _with_base_url(key: Piece, name: str = "apiKey") -> Shape:
    return concat("myproxy: { baseUrl: 'https://", part("base_url", "llm.example.org"), "/v1', ", name, ": ", key, ", api: 'openai-completions' },\n")


def _profile(kind: str, member: str, key: Piece) -> Shape:
    return concat('{"profiles": {"acme:default": {"type": "', kind, '", "provider": "acme", "', member, '": "', key, '"}}}\n')


def _oauth(refresh: Piece, kind: str = "oauth") -> Shape:
    access = jwt('{"iss":"https://auth.example.org","exp":1790000000}', algorithm="RS256", signature=342)
    return concat('{"acme:me": {"type": "', kind, '", "provider": "acme", "access": "', access, '", "refresh": "', refresh, '", "expires": 1}}\n')


_PROVIDER_MISSES = (
    _with_base_url(concat("'", an(15), "'")), _with_base_url("'${MY_PROXY_API_KEY}'"), _with_base_url(_SECRETREF), _with_base_url("'MY_PROXY_API_KEY'"),
    _with_base_url(concat("'", an(32), "'"), "apiKeyRef"), text("{ apiKey: '", an(32), "' }\n"),
    text("{ baseUrl: 'https://llm.example.org' }, { apiKey: '", an(32), "' }\n"),
)  # fmt: skip

RULES = (
    *_by_name(GATEWAY_TOKEN, "OPENCLAW_GATEWAY_TOKEN", "gateway.auth.token", hexa(48)),
    _gateway(GATEWAY_TOKEN, "auth", "token", 12, hexa(64)),
    _gateway(GATEWAY_TOKEN, "remote", "token", 12, b64url(43)),
    Rule(
        "openclaw/gateway-token-in-url",
        GATEWAY_TOKEN,
        rb":18789/[^\s\"'#?]{0,40}[#?](?:[a-z_]{1,20}=[^\s&\"']{1,40}&)?token=(?P<secret>[A-Za-z0-9_~%.-]{16,200})(?![A-Za-z0-9_~%.-])",
        check=_chosen,
        examples=(
            text("http://127.0.0.1:18789/#token=", part("secret", hexa(48)), "\n"),
            text("open http://gateway.example.org:18789/chat?session=main&token=", part("secret", b64url(43)), "\n"),
            text('{"url": "http://localhost:18789/?token=', part("secret", hexa(40)), '"}\n'),
        ),
        near_misses=(
            text("http://127.0.0.1:18789/#token=", an(15), "\n"), text("http://127.0.0.1:18788/#token=", hexa(48), "\n"),
            text("http://127.0.0.1:18789/#session=", hexa(48), "\n"), text("http://127.0.0.1:18789/#token=$OPENCLAW_GATEWAY_TOKEN\n"),
        ),
    ),
    Rule(
        "openclaw/gateway-token-on-command-line",
        GATEWAY_TOKEN,
        rb"openclaw[ \t][^\n\"'`]{0,40}--token[= ][\"']?(?P<secret>[A-Za-z0-9+/=_~-]{16,200})" + _TOKEN_EDGE,
        check=_chosen,
        examples=(
            text("openclaw gateway --port 18789 --token ", part("secret", hexa(48)), "\n"),
            text("$ openclaw status --token=", part("secret", b64url(43)), "\n"),
            text("ExecStart=/usr/bin/openclaw gateway run --token ", part("secret", hexa(64)), " --bind lan\n"),
        ),
        near_misses=(
            text("openclaw gateway --token ", an(15), "\n"), text("openclaw gateway --token $OPENCLAW_GATEWAY_TOKEN\n"),
            text("openclaw gateway --tokens ", hexa(48), "\n"), text("lobster gateway --token ", hexa(48), "\n"),
        ),
    ),
    *_by_name(GATEWAY_PASSWORD, "OPENCLAW_GATEWAY_PASSWORD", "gateway.auth.password", concat(lower(6), "!", an(6)), password=True),
    _gateway(GATEWAY_PASSWORD, "auth", "password", 6, concat(an(6), "#7", lower(4))),
    _gateway(GATEWAY_PASSWORD, "remote", "password", 6, concat(an(6), "#7", lower(4))),
    *_by_name(HOOKS, "OPENCLAW_HOOKS_TOKEN", "hooks.token", hexa(48), also=rb"|hooks\.gmail\.pushtoken|x-openclaw-token"),
    Rule(
        str(HOOKS),
        HOOKS,
        _block(("hooks",), _INSIDE + rb"token" + _COLON + _string(12)),
        window=4000,
        score=70,
        check=_chosen,
        examples=(
            text('{"hooks": {"enabled": true, "token": "', part("secret", hexa(48)), '", "path": "/hooks"}}\n'),
            text("hooks: {\n  enabled: true, // from outside\n  token: '", part("secret", b64url(32)), "',\n},\n"),
            text('{hooks: {gmail: {account: "a@example.org"}, token: "', part("secret", an(24)), '",}}\n'),
        ),
        near_misses=(
            text('{"hooks": {"enabled": true, "token": "', an(11), '"}}\n'), text('{"hooks": {"token": ', _SECRETREF, "}}\n"),
            text('{"hooks": {"token": "${OPENCLAW_HOOKS_TOKEN}"}}\n'), text('{"hooks": {"enabled": true}, "x": {"token": "', hexa(48), '"}}\n'),
        ),
    ),
    _channel("openclaw/channel-token", "botToken|token|accessToken|appPassword|clientSecret|botSecret|authToken|authTag|privateKey|channelAccessToken|appSecret",
             "mattermost", "botToken", lower(26)),
    _channel("openclaw/channel-token-app", "appToken|userToken|apiPassword|encryptKey|channelSecret", "slack", "appToken", concat("xapp-1-A", hexa(40))),
    _channel("openclaw/channel-token-signing", "signingSecret|webhookSecret|verificationToken|webhookToken", "slack", "signingSecret", hexa(32)),
    Rule(
        "openclaw/provider-key-after-url",
        PROVIDER_KEY,
        _BASE_URL + rb"[^}]{0,300}?" + _API_KEY,
        anchor=_API_KEY_ANCHOR,
        score=65,
        specificity=STRUCTURAL,
        check=_chosen,
        examples=(
            _with_base_url(concat("'", part("secret", concat("sk-", b64url(22))), "'")),
            text('"providers": {"x": {"baseUrl": "http://', part("base_url", "10.0.0.7"), ':4000", "apiKey": "', part("secret", an(32)), '"}}\n'),
            text('{\\n  \\"baseUrl\\": \\"http://', part("base_url", "10.0.0.7"), ':4000\\",\\n  \\"apiKey\\": \\"', part("secret", an(32)), '\\"}\n'),
        ),
        near_misses=_PROVIDER_MISSES,
    ),
    Rule(
        "openclaw/provider-key-before-url",
        PROVIDER_KEY,
        _API_KEY + rb"[^}]{0,300}?" + _BASE_URL,
        anchor=_API_KEY_ANCHOR,
        score=60,
        specificity=STRUCTURAL,
        check=_chosen,
        examples=(
            text("{\n  apiKey: '", part("secret", hexa(40)), "',\n  baseUrl: 'https://", part("base_url", "api.example.org"), "/v1',\n}\n"),
            text('{"apiKey": "', part("secret", an(32)), '", "baseURL": "https://', part("base_url", "llm.example.org"), '/v1"}\n'),
            text("apiKey: '", part("secret", b64url(43)), "', // the proxy's\nbaseUrl: 'http://", part("base_url", "localhost"), ":4000',\n"),
        ),
        near_misses=_PROVIDER_MISSES,
    ),
    Rule(
        "openclaw/search-key",
        PROVIDER_KEY,
        _block(("webSearch", "webFetch", "remote"), _INSIDE + rb"apiKey" + _COLON + _string(16)),
        window=4000,
        score=65,
        specificity=STRUCTURAL,
        check=_chosen,
        examples=(
            text('{"plugins": {"entries": {"acme": {"config": {"webSearch": {"apiKey": "', part("secret", an(32)), '"}}}}}}\n'),
            text("webFetch: {\n  enabled: true, // often\n  apiKey: '", part("secret", hexa(40)), "',\n},\n"),
            text("memory: { search: { remote: { model: 'embed', apiKey: '", part("secret", b64url(43)), "' } } }\n"),
        ),
        near_misses=(
            text('{"webSearch": {"apiKey": "', an(15), '"}}\n'), text('{"webSearch": {"apiKey": ', _SECRETREF, "}}\n"),
            text('{"webSearch": {"apiKey": "${ACME_SEARCH_API_KEY}"}}\n'), text('{"webSearch": {"provider": "x"}, "y": {"apiKey": "', an(32), '"}}\n'),
        ),
    ),
    Rule(
        "openclaw/provider-key-by-path",
        PROVIDER_KEY,
        named(_PROVIDERS, _TOKEN, left=_PLAIN, edge=_TOKEN_EDGE),
        specificity=STRUCTURAL,
        check=_chosen,
        examples=(
            text("openclaw config set models.providers.acme.apiKey ", part("secret", an(40)), "\n"),
            text("openclaw config set skills.entries.some-skill.apiKey '", part("secret", hexa(32)), "'\n"),
            text("openclaw config set plugins.entries.acme.config.webSearch.apiKey=", part("secret", b64url(43)), "\n"),
        ),
        near_misses=(
            text("openclaw config set models.providers.acme.apiKey ", an(15), "\n"), text("openclaw config set models.providers.acme.baseUrl ", an(40), "\n"),
            text("openclaw config set models.acme.apiKey ", an(40), "\n"), text("openclaw config set models.providers.acme.apiKey $ACME_API_KEY_FROM_VAULT\n"),
        ),
    ),
    Rule(
        "openclaw/provider-key-in-profile",
        PROVIDER_KEY,
        rb"\\?\"type\\?\"\s{0,4}:\s{0,4}\\?\"(?:api_key|token)\\?\"," + _S + rb"\\?\"provider\\?\"\s{0,4}:\s{0,4}\\?\"[a-z0-9_.-]{2,40}\\?\"," + _S
        + rb"\\?\"(?:key|token)\\?\"\s{0,4}:\s{0,4}" + _string(16, 400),
        specificity=STRUCTURAL,
        check=_chosen,
        examples=(
            _profile("api_key", "key", part("secret", an(40))),
            _profile("token", "token", part("secret", b64url(60))),
            text('{"p":{"type":"api_key","provider":"acme","key":"', part("secret", hexa(64)), '"}}\n'),
        ),
        near_misses=(
            _profile("api_key", "key", an(15)), _profile("api_key", "keyRef", an(40)), _profile("api_kez", "key", an(40)), _profile("api_key", "key", "${ACME_API_KEY}"),
        ),
    ),
    Rule(
        str(OAUTH),
        OAUTH,
        rb"(?<=\")oauth(?=\\?\"[^{}]{0,6000}?\"refresh\\?\"\s{0,4}:\s{0,4}" + _string(20, 3000) + rb")[\"\\](?s:.){0,9000}?",
        window=10_000,
        score=80,
        specificity=STRUCTURAL,
        check=_chosen,
        examples=(
            _oauth(part("secret", concat("rt_", b64url(60)))),
            text('{"acme": {"type": "oauth", "refresh": "', part("secret", b64url(80)), '", "access": "x", "expires": 1}}\n'),
            text('{\n  "type": "oauth",\n  "provider": "acme",\n  "refresh": "', part("secret", an(120)), '"\n}\n'),
        ),
        near_misses=(_oauth(an(19)), _oauth(an(60), "oauth3"), _oauth("${ACME_REFRESH_TOKEN_OF_ME}"), text('{"type": "oauth"}, {"refresh": "', an(60), '"}\n')),
    ),
    Rule(
        str(WHATSAPP),
        WHATSAPP,
        rb"advSecretKey\\?\"\s{0,4}:\s{0,4}\\?\"(?P<secret>[A-Za-z0-9+/]{43}=)(?![A-Za-z0-9+/=])",
        score=85,
        examples=(
            text('{"signedPreKey": {}, "advSecretKey": "', part("secret", concat(b64(43), "=")), '", "processedHistoryMessages": []}\n'),
            text('"advSecretKey":"', part("secret", concat(b64(43), "=")), '"\n'),
            text('{"text": "{\\"advSecretKey\\": \\"', part("secret", concat(b64(43), "=")), '\\"}"}\n'),
        ),
        near_misses=(
            text('"advSecretKey": "', b64(42), '="\n'), text('"advSecretKey": "', b64(44), '="\n'), text('"advPublicKey": "', b64(43), '="\n'),
        ),
    ),
)  # fmt: skip

HOSTS: tuple[str, ...] = ()
"""None: a gateway is somebody's own machine, which the operator's configuration names."""

VERIFIES = (GATEWAY_TOKEN, GATEWAY_PASSWORD, HOOKS)

_TOOLS = "/tools/invoke"
_REFUSED = b'{"error":{"message":"Unauthorized","type":"unauthorized"}}'


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Sends an empty request, which names no tool and no text, and so does nothing: 400 after a login, 401 without.

    `target.base_url`: the gateway (`http://127.0.0.1:18789`). `target.options`: `hooks_path`, `/hooks` unless set. A gateway
    locks a remote address out after 10 wrong tokens in a minute (429); only wrong ones count, not missing ones, so that the
    second question (does it ask for a token at all?) is free. Tried with 2026.9.6; docs/gateway/tools-invoke-http-api.md,
    docs/gateway/config-hooks.md and docs/gateway/security/rate-limiting.md of the npm package.
    """
    if not target.base_url:
        return Unknown("target.base_url does not name the gateway")
    http = ports.http(target.base_url)
    headers = {"Authorization": f"Bearer {credential.text('secret')}"}
    is_hook = credential.kind == HOOKS
    path = target.options.get("hooks_path", "/hooks").rstrip("/") + "/wake" if is_hook else _TOOLS
    reply = http.request("POST", path, headers=headers, json={}, changes=False)
    seen = evidence(f"POST {path}", http, reply, ports)
    if reply.status == 401 and reply.body.strip() == (b"Unauthorized" if is_hook else _REFUSED):
        return Dead(seen)
    if reply.status != 400 or b'"ok":false' not in reply.body:
        return Unknown(f"the gateway answered {reply.status}, which tells nothing")
    if not is_hook and http.request("POST", path, json={}, changes=False).status != 401:
        return Unknown("the gateway asks nobody for a token")
    return Live(seen, principal="hooks" if is_hook else "operator")


_NAMELESS = Answer(400, '{"ok":false,"error":{"type":"invalid_request","message":"tools.invoke requires name"}}')

CASES = (
    Case("in force", GATEWAY_TOKEN, (_NAMELESS, Answer(401, _REFUSED.decode())), "live"),
    Case("wrong", GATEWAY_TOKEN, (Answer(401, _REFUSED.decode()),), "dead"),
    Case("in force", GATEWAY_PASSWORD, (_NAMELESS, Answer(401, _REFUSED.decode())), "live"),
    Case("wrong", GATEWAY_PASSWORD, (Answer(401, _REFUSED.decode()),), "dead"),
    Case("open to everybody", GATEWAY_PASSWORD, (_NAMELESS, _NAMELESS), "unknown"),
    Case("open to everybody", GATEWAY_TOKEN, (_NAMELESS, _NAMELESS), "unknown"),
    Case("a proxy before it", GATEWAY_TOKEN, (Answer(401, "<html>Sign in</html>"),), "unknown"),
    Case("proxy not named", GATEWAY_TOKEN, (Answer(403, '{"error":{"type":"proxy_attribution_required"}}'),), "unknown"),
    Case("locked out", GATEWAY_TOKEN, (Answer(429, "", {"Retry-After": "300"}),), "unknown"),
    Case("in force", HOOKS, (Answer(400, '{"ok":false,"error":"text required"}'),), "live"),
    Case("wrong", HOOKS, (Answer(401, "Unauthorized"),), "dead"),
    Case("hooks are off", HOOKS, (Answer(404, "Not Found"),), "unknown"),
)
