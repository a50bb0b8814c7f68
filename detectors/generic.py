"""Passwords, tokens and keys that only their name gives away.

What it is: a literal value assigned to a name such as `password`, `secret`, `token`, `api_key`, where no other pack knows the
  value's own form. How sure keyward is depends on how random the value is, what else the name says, and which file it is in.
Where it is used: `.env`, ini, YAML, JSON and XML settings, compose files and manifests, program code, shell histories, notes.
What an attacker can do: that depends on what it belongs to; treat it like the password of the system that the name tells.
How to replace it: find out which system takes it, change it there, and read it from the environment or a vault instead.
References: https://cwe.mitre.org/data/definitions/798.html
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Manual

from . import _generic_assigned, _generic_code, _generic_sentences, _generic_settings
from ._generic_words import SECRET

KINDS = (
    CredentialKind(
        SECRET,
        "Password, token or key, by its name",
        "medium",
        manual=Manual(
            (
                "Find out which system takes the value.",
                "Change it there.",
                "Read the new one from the environment or a vault, not from a file that is committed.",
            ),
            "https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html",
        ),
        references=("https://cwe.mitre.org/data/definitions/798.html",),
        rotates=True,
    ),
)


RULES = (*_generic_assigned.RULES, *_generic_settings.RULES, *_generic_code.RULES, *_generic_sentences.RULES)
