"""Generic rules for the ways in which settings give a name its value: lines without a sign, elements, pairs of name and value, options, queries."""

from __future__ import annotations

from keyward.plugin.shapes import assigned, hexa, part, text

from ._generic_words import BARE, BARE_REST, RANDOM, STRONG, TAIL, WORDS, rule

_OPTION = rb"(?:password|passwd|pass|passphrase|secret|token|api-?key|access-?key|secret-key|auth-token|pwd|key)(?:[ =][\"']?|[\"'],[ \t]{0,4}[\"']|[\"'] a[0-9]{1,2}=[\"']|[\"']?\r?\n[ \t]{0,40}- [\"']?)"
_ATTRIBUTES = rb"(?:[ \t][A-Za-z:]{1,30}=[\"'][^\"'<>\n]{0,200}[\"']){0,3}"
_DRESS = rb"<(?:code|b|strong|tt|kbd|pre|em|i|nowiki|span|td)(?:[ ][^<>\n]{0,120})?>"
"""`Password: <code>…</code>`, as pages and mails show it."""

_NO_WORD = BARE_REST + rb"{0,60}[0-9!#$%&*+=?@^~|]"
"""Up to a digit or a mark, which the last word of a sentence does not have."""


RULES = (
    rule(
        "setting",
        rb"(?<![^\n])[ \t]{0,32}(?:(?:set|option|define|export) {1,4})?[A-Za-z0-9_.-]{0,24}?" + WORDS + rb"[0-9]{0,2}[ \t]{1,24}(?:--plaintext )?[\"']?(?=" + _NO_WORD + rb")" + BARE + rb"[\"']?(?=[ \t]{0,8}(?:[\r\n]|\Z))",
        (
            assigned("bind_pw", STRONG, form="{name} {value}\n"),
            assigned("password", STRONG, form="account default\n{name}       {value}\n"),
            assigned("auth_token", RANDOM, form="  {name} {value}\n"),
        ),
        (
            assigned("password", "required-by-all", form="{name} {value}\n"),
            assigned("password", "/run/secrets/app1", form="{name} {value}\n"),
            assigned("colour", STRONG, form="{name} {value}\n"),
            assigned("token", "identifier2", form="{name} {value}\n"),
        ),
        anchor=WORDS + rb"[0-9]{0,2}[ \t]{1,24}(?:--plaintext )?[\"']?" + _NO_WORD + BARE_REST + rb"{0,140}[\"']?[ \t]{0,8}(?:[\r\n]|\Z)",
        score=40,
    ),
    rule(
        "environment",
        rb"(?<![A-Za-z])(?:ENV|setx)[ \t]{1,4}[A-Za-z0-9_]{0,40}?" + WORDS + rb"[A-Za-z0-9_]{0,24}[ \t]{1,4}" + BARE + rb"(?=[ \t\r\n\\]|\Z)",
        (
            assigned("API_TOKEN", RANDOM, form="ENV {name} {value}\n"),
            assigned("DB_PASSWORD", STRONG, form="ENV {name} {value}\n"),
            assigned("APP_SECRET", hexa(32), form="setx {name} {value}\n"),
        ),
        (
            assigned("API_TOKEN", "$TOKEN", form="ENV {name} {value}\n"),
            assigned("API_COLOUR", RANDOM, form="ENV {name} {value}\n"),
            assigned("TOKEN_FILE", "/run/secrets/token", form="ENV {name} {value}\n"),
        ),
    ),
    rule(
        "element",
        WORDS + rb"[A-Za-z0-9_.-]{0,24}(?:[\"']?" + _ATTRIBUTES + rb">\s{0,20}(?:<[Vv]alue>\s{0,20})?|</key>\s{0,20}<string>|[ \t]{0,2}:?(?:</[a-z]{1,8}>)?:?[ \t]{0,3}" + _DRESS + rb")" + BARE + rb"\s{0,20}</",
        (
            assigned("password", STRONG, form="<server><id>corp</id><{name}>{value}</{name}></server>\n"),
            assigned("apiKey", RANDOM, form="<{name}>{value}</{name}>\n"),
            assigned("wsse:Password", RANDOM, form="<{name}>{value}</{name}>\n"),
            assigned("api_key", RANDOM, form='<string name="{name}">{value}</string>\n'),
            assigned("wsse:Password", STRONG, form='<{name} Type="#PasswordText">{value}</{name}>\n'),
            assigned("auth_secret", RANDOM, form='<string name="{name}" translatable="false">{value}</string>\n'),
            assigned("password", STRONG, form='<property name="{name}"><value>{value}</value></property>\n'),
            assigned("Password", STRONG, form="<p>User: svc<br>{name}: <code>{value}</code></p>\n"),
            assigned("Password", STRONG, form="<b>{name}:</b> <span style=\"x\">{value}</span>\n"),
            assigned("APIToken", RANDOM, form="<key>{name}</key>\n\t<string>{value}</string>\n"),
        ),
        (
            assigned("password", "${env.REPO_PASSWORD}", form="<{name}>{value}</{name}>\n"),
            assigned("password", "Kennwort-aendern", form="<{name}>{value}</{name}>\n"),
            assigned("colour", RANDOM, form="<{name}>{value}</{name}>\n"),
        ),
        anchor=WORDS + TAIL + rb"(?:[\"']?" + _ATTRIBUTES + rb">\s{0,20}(?:<[Vv]alue>\s{0,20})?|</key>\s{0,20}<string>|[ \t]{0,2}:?(?:</[a-z]{1,8}>)?:?[ \t]{0,3}" + _DRESS + rb")[A-Za-z0-9!#$%&*+./:=?@^_~|-]{6,200}\s{0,20}<",
    ),
    rule(
        "name-and-value",
        rb"(?i:name|key)[\"']?\s{0,2}[:=]\s{0,2}[\"']?[A-Za-z0-9_.:-]{0,30}?" + WORDS + rb"[A-Za-z0-9_-]{0,12}(?:[\"']?,?\s{1,30}[\"']?|[\"'],[\"'])(?i:value|content)[\"']?\s{0,2}[:=]\s{0,2}[\"']?"
        rb"(?P<secret>[A-Za-z0-9!#%&(-\[\]-_|~{][!#-&(-\[\]-_a-~]{5,199})(?:(?=[\"'])|(?<![,;)}\]])(?=\s))",
        (
            assigned("API_TOKEN", RANDOM, form="        - name: {name}\n          value: {value}\n"),
            assigned("DB_PASSWORD", STRONG, form='{"name": "{name}", "value": "{value}"}\n'.replace("{\"name\"", "[\"name\"").replace('"}\n', '"]\n')),
            assigned("ApiKey", RANDOM, form='<add key="{name}" value="{value}"/>\n'),
            assigned("refresh_token", RANDOM, form='[{{"key":"{name}","value":"{value}","type":"secret"}}]\n'.replace("{{", "{").replace("}}", "}")),
            assigned("api-token", RANDOM, form='<meta name="{name}" content="{value}">\n'),
        ),
        (
            assigned("API_TOKEN", "kubernetes-default", form="        - name: {name}\n          value: {value}\n"),
            assigned("API_COLOUR", RANDOM, form="        - name: {name}\n          value: {value}\n"),
            assigned("API_TOKEN", "$(OTHER_TOKEN)", form="        - name: {name}\n          value: {value}\n"),
        ),
        # without what stands before the word, nor `value`: both are in every file
        anchor=WORDS + rb"[A-Za-z0-9_-]{0,12}(?:[\"']?,?\s{1,30}[\"']?|[\"'],[\"'])[A-Za-z]{5,7}[\"']?\s{0,2}[:=]\s{0,2}[\"']?[A-Za-z0-9!#%&(-\[\]-_|~{][!#-&(-\[\]-_a-~]{5}",
    ),
    rule(
        "option",
        rb"(?<![A-Za-z0-9-])(?:--(?:[a-z0-9]{1,20}-){0,3}(?:[a-z]{1,12}(?=pass|token|secret))?" + _OPTION + rb"|-(?:[Pp]assword|[Pp]asswd|[Pp]assphrase|[Ss]ecret|[Tt]oken|[Aa]pi[Kk]ey|[Aa]ccessToken|[Cc]lientSecret)[ =][\"']?)" + BARE + rb"(?=[\s\"'`\\]|\Z)",
        (
            assigned("--password", STRONG, form="tool login --user svc {name} {value} host\n"),
            assigned("--api-key", RANDOM, form="tool {name}={value}\n"),
            assigned("--auth-token", RANDOM, form="RUN tool {name} '{value}' sync\n"),
            assigned("--password", STRONG, form='      args: ["--user", "svc", "{name}", "{value}"]\n'),
            assigned("--token", RANDOM, form='        - "{name}"\n        - "{value}"\n'),
            assigned("-Password", STRONG, form="Connect-Shop -Credential svc {name} {value}\n"),
        ),
        (
            assigned("--password", "$PASSWORD", form="tool {name} {value}\n"),
            assigned("--token", "--verbose", form="tool {name} {value}\n"),
            assigned("--colour", RANDOM, form="tool {name} {value}\n"),
            assigned("--password", "read-from-keyring", form="tool {name} {value}\n"),
        ),
        anchor=rb"-[a-z]{0,12}(?:" + _OPTION + rb"|(?:[Pp]assword|[Pp]asswd|[Pp]assphrase|[Ss]ecret|[Tt]oken|[Aa]pi[Kk]ey|[Aa]ccessToken|[Cc]lientSecret)[ =][\"']?)[A-Za-z0-9!#%&*+./:=?@^_~|-]{8}",
    ),
    rule(
        "query",
        rb"[?&](?i:api_?key|access_?token|auth_?token|token|secret|client_?secret|password|passwd|pwd|app_?key|signature_?key|private_?token|key)=(?P<secret>[A-Za-z0-9._~%+/-]{12,300})(?=[&\s\"'`<>)\]};,#\\]|\Z)",
        (
            text("GET /v1/items?api_key=", part("secret", RANDOM), "&limit=3 HTTP/1.1\n"),
            text("curl 'https://api.corp.io/v1?limit=3&access_token=", part("secret", RANDOM), "'\n"),
            text("url: https://api.corp.io/hook?token=", part("secret", hexa(40)), "\n"),
        ),
        (
            text("GET /v1/items?api_key={api_key}&limit=3\n"),
            text("GET /v1/items?token=next-page-of-items&limit=3\n"),
            text("GET /v1/items?page=", RANDOM, "&limit=3\n"),
        ),
        score=46,
    ),
)  # fmt: skip
