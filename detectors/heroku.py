"""Heroku API keys.

What it is: API keys and OAuth authorisations of Heroku: `HRKU-` and a body of URL-safe base64, or a bare UUID in the older
  form. Bodies of 60 characters are usual; shorter ones and a UUID after `HRKU-` occur (unverified).
Where it is used: `HEROKU_API_KEY`, `.netrc` for api.heroku.com and git.heroku.com, CI that deploys.
What an attacker can do: everything the account may do: read the config vars of all its apps (database addresses and further
  keys), run one-off dynos, deploy code, delete apps and add-ons.
How to replace it: at dashboard.heroku.com, Account, regenerate the API key or, for an authorisation, `heroku
  authorizations:rotate ID`. After a leak rotate the config vars of the apps it reached.
Whether it lives: GET /account, which every authorisation may ask that has the scope identity (403 without).
References: https://devcenter.heroku.com/articles/authentication
  https://devcenter.heroku.com/articles/platform-api-reference#oauth-authorization
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import an, assigned, b64url, concat, json_member, part, text, uuid4
from keyward.plugin.verifier import Answer, Case

from ._forms import SLUG, UUID, manual, named, token
from ._vendor_answers import Question, Said, asks, bearer, cases

KEY = Kind("heroku/api-key")

KINDS = (
    CredentialKind(KEY, "Heroku API key", "critical", references=("https://devcenter.heroku.com/articles/authentication",),
                   manual=manual("https://dashboard.heroku.com/account", "Regenerate the key, or rotate the authorisation.",
                                 "Update what uses it.", "Rotate the config vars of the apps it reached.")),
)  # fmt: skip

_KEY = concat("HRKU-AA", b64url(58))

RULES = (
    Rule(
        str(KEY),
        KEY,
        token(rb"HRKU-(?:AA(?:[A-Za-z0-9_-]{58}|[A-Za-z0-9_-]{42})|" + UUID + rb")"),
        score=80,
        examples=(
            assigned("HEROKU_API_KEY", _KEY),
            text("machine api.heroku.com\n  login dev@acme.org\n  password ", part("secret", _KEY), "\n"),
            json_member("herokuApiKey", _KEY),
            assigned("HEROKU_API_KEY", concat("HRKU-", uuid4())),
        ),
        near_misses=(
            assigned("HEROKU_API_KEY", concat("HRKU-AA", b64url(57))),
            assigned("HEROKU_API_KEY", concat("HRKU-AA", b64url(59))),
            assigned("HEROKU_API_KEY", concat("HRKU_AA", b64url(58))),
            assigned("HEROKU_API_KEY", concat("HRKU-AB", b64url(58))),
        ),
    ),
    Rule(
        "heroku/api-key-uuid",
        KEY,
        named(rb"heroku[_.-]?(?:(?:api|auth|oauth|access)[_.-]?){0,2}(?:key|token)", UUID),
        score=65,
        examples=(
            assigned("HEROKU_API_KEY", uuid4()),
            assigned("heroku_api_key", uuid4(), form='          {name}: "{value}"\n'),
            json_member("herokuAuthToken", uuid4()),
        ),
        near_misses=(
            assigned("HEROKU_API_KEY", concat(uuid4(), "0")),
            assigned("HEROKU_APP_ID", uuid4()),
            assigned("HEROKU_API_KEY", an(36)),
        ),
    ),
    Rule(
        "heroku/api-key-netrc",
        KEY,
        rb"machine\s{1,4}(?:api|git)\.heroku\.com\s{1,8}login\s{1,4}\S{1,80}\s{1,8}password\s{1,4}(?P<secret>"
        + UUID
        + rb")"
        + SLUG,
        examples=(
            text("machine api.heroku.com\n  login dev@acme.org\n  password ", part("secret", uuid4()), "\n"),
            text("machine git.heroku.com login dev@acme.org password ", part("secret", uuid4()), "\n"),
            text("machine api.heroku.com\n\tlogin dev@acme.org\n\tpassword ", part("secret", uuid4()), "\n"),
        ),
        near_misses=(
            text("machine api.acme.com\n  login dev@acme.org\n  password ", uuid4(), "\n"),
            text("machine api.heroku.com\n  login dev@acme.org\n  password ", an(36), "\n"),
            text("machine api.heroku.com\n  login dev@acme.org\n  account ", uuid4(), "\n"),
        ),
    ),
)

HOSTS = ("api.heroku.com",)
VERIFIES = (KEY,)

_ASK = Question(
    "https://api.heroku.com", "/account", bearer, ("id",),
    dead=(Said(401, ("invalid credentials provided",)),), restricted=(Said(403, ('"id":"forbidden"', '"id":"suspended"')),),
    who=("name", "id"), used="last_login", also={"accept": "application/vnd.heroku+json; version=3"},
)  # fmt: skip
verify = asks({KEY: _ASK})

CASES = cases(
    KEY,
    '{"id":"01234567-89ab-cdef-0123-456789abcdef","name":"Ada","last_login":"2026-01-01T12:00:00Z"}',
    Answer(401, '{"id":"unauthorized","message":"Invalid credentials provided."}'),
    Case(
        "none arrived",
        KEY,
        (Answer(401, '{"id":"unauthorized","message":"There were no credentials in your header."}'),),
        "unknown",
    ),
    restricted=Answer(403, '{"id":"forbidden","message":"You do not have access to the requested resource."}'),
)
