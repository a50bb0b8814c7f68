"""Codecov upload tokens.

What it is: the upload token of a repository (a UUID) or of an organisation (a UUID as well), told by the name beside it.
Where it is used: `CODECOV_TOKEN` in CI, `codecov.yml` (`codecov: token:`), the uploader's `-t` option.
What an attacker can do: upload false coverage reports for the repository's commits, and so pass or block checks that depend
  on coverage. It reads neither code nor reports.
How to replace it: regenerate it at app.codecov.io, the repository's Configuration page (for an organisation, Global upload
  token), and put the new one into CI; the old one ends at once.
References: https://docs.codecov.com/docs/codecov-tokens
  https://docs.codecov.com/docs/codecov-uploader
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import an, assigned, concat, json_member, part, text, uuid4

from ._forms import SLUG, UUID, manual, named

TOKEN = Kind("codecov/upload-token")

KINDS = (
    CredentialKind(TOKEN, "Codecov upload token", "medium", references=("https://docs.codecov.com/docs/codecov-tokens",),
                   manual=manual("https://docs.codecov.com/docs/codecov-tokens", "Regenerate the token in the repository's configuration.",
                                 "Put the new one into CI.")),
)  # fmt: skip

RULES = (
    Rule(
        str(TOKEN),
        TOKEN,
        named(rb"codecov[_.-]?(?:(?:upload|repo|api|global|org)[_.-]?){0,2}token|codecov:\s{1,12}token", UUID),
        score=65,
        examples=(
            assigned("CODECOV_TOKEN", uuid4()),
            assigned("CODECOV_TOKEN", uuid4(), form="    - {name}: {value}\n"),
            text("codecov:\n  token: ", part("secret", uuid4()), "\n"),
            json_member("codecovToken", uuid4()),
        ),
        near_misses=(
            assigned("CODECOV_TOKEN", concat(uuid4(), "0")),
            assigned("CODECOV_FLAG", uuid4()),
            assigned("CODECOV_TOKEN", an(36)),
        ),
    ),
    Rule(
        "codecov/upload-token-option",
        TOKEN,
        rb"codecov(?:\.io/bash\)|\.sh|cli)?[^\n]{0,40}?\s(?:-t|--token)[ =][\"']?(?P<secret>" + UUID + rb")" + SLUG,
        score=65,
        examples=(
            text("bash <(curl -s https://codecov.io/bash) -t ", part("secret", uuid4()), "\n"),
            text("./codecov -t ", part("secret", uuid4()), " -f coverage.xml\n"),
            text("codecovcli upload-process --token=", part("secret", uuid4()), "\n"),
        ),
        near_misses=(
            text("./codecov -f ", uuid4(), "\n"),
            text("./codecov -t ", uuid4(), "0\n"),
            text("./coverage -t ", uuid4(), "\n"),
        ),
    ),
)
