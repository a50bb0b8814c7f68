"""Ruby on Rails' master key and secret_key_base.

What it is: `RAILS_MASTER_KEY` (32 hex digits; also the whole of config/master.key), which decrypts config/credentials.yml.enc, and
  `secret_key_base` (128 hex digits), which signs and encrypts cookies.
Where it is used: config/master.key, config/secrets.yml, `.env`, compose files, Kamal's `.kamal/secrets`, CI.
What an attacker can do: with the master key read every credential in the encrypted file; with secret_key_base forge sessions,
  which in older Rails means running code.
How to replace it: bin/rails credentials:edit after moving the old key aside, with every credential inside changed; `bin/rails
  secret` for a new secret_key_base, after which everybody logs in again.
References: https://guides.rubyonrails.org/security.html#custom-credentials
"""

from __future__ import annotations

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import assigned, hexa, json_member

MASTER_KEY, KEY_BASE = Kind("rails/master-key"), Kind("rails/secret-key-base")

_GUIDE = "https://guides.rubyonrails.org/security.html#custom-credentials"

KINDS = (
    CredentialKind(MASTER_KEY, "Rails master key", "critical", references=(_GUIDE,),
                   manual=Manual(("Encrypt the credentials file anew with a new key.", "Change every credential inside.", "Deploy the new RAILS_MASTER_KEY."), _GUIDE)),
    CredentialKind(KEY_BASE, "Rails secret_key_base", "critical", references=(_GUIDE,),
                   manual=Manual(("Make a new one: bin/rails secret.", "Deploy it; everybody logs in again."), _GUIDE), rotates=True),
)  # fmt: skip


def _rule(kind: Kind, names: bytes, name: str, length: int) -> Rule:
    return Rule(
        str(kind),
        kind,
        rb"(?<![A-Za-z0-9])" + names + rb"[\"']?\]?\s{0,4}(?::|=>|=|,)\s{0,4}[\"']?(?P<secret>[0-9a-f]{%d})(?![0-9A-Za-z])" % length,
        specificity=STRUCTURAL,
        score=75,
        examples=(
            assigned(name, hexa(length)),
            assigned(name, hexa(length), form="  {name}: {value}\n"),
            json_member(name, hexa(length)),
        ),
        near_misses=(
            assigned(name, hexa(length - 1)),
            assigned(name, hexa(length + 1)),
            assigned(name, '<%= ENV["SECRET_KEY_BASE"] %>', form="  {name}: {value}\n"),
        ),
    )


RULES = (
    _rule(MASTER_KEY, rb"(?i:rails_(?:[a-z]{2,12}_)?(?:master_)?key|rails-master-key)", "RAILS_MASTER_KEY", 32),
    _rule(KEY_BASE, rb"(?i:secret_?key_?base(?:_dummy)?)", "secret_key_base", 128),
)
