"""SonarQube and SonarCloud tokens.

What it is: user (`squ_`), project analysis (`sqp_`) and global analysis (`sqa_`) tokens of SonarQube, each with 40 hex digits;
  tokens of SonarCloud and of SonarQube before 9.5 are the 40 digits alone.
Where it is used: `SONAR_TOKEN`, `sonar.token` and `sonar.login` in `sonar-project.properties`, Maven and Gradle settings and
  on command lines (`-Dsonar.token=`).
What an attacker can do: with a user token read the analysed source code and its open security findings, as the user; with an
  analysis token write analyses, and so hide or invent findings.
How to replace it: revoke it under My account, Security (SonarCloud: sonarcloud.io/account/security) or with POST
  /api/user_tokens/revoke, and generate a new one there.
Whether it lives: GET /api/authentication/validate at the operator's own server (or https://sonarcloud.io as base_url). The
  status is always 200; `valid` decides.
References: https://docs.sonarsource.com/sonarqube-server/latest/user-guide/managing-tokens/
  https://docs.sonarsource.com/sonarqube-cloud/managing-your-account/managing-tokens/
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Rule
from keyward.plugin.shapes import assigned, concat, hexa, json_member, part, text
from keyward.plugin.verifier import Answer

from ._forms import WORD, manual, named, token
from ._token_probe import for_all, own_server
from ._vendor_answers import Question, Said, asks, cases, secret_first

USER = Kind("sonarqube/user-token")
ANALYSIS = Kind("sonarqube/analysis-token")

_DOCS = "https://docs.sonarsource.com/sonarqube-server/latest/user-guide/managing-tokens/"

KINDS = (
    CredentialKind(
        USER, "SonarQube user token", "high", manual=manual("https://sonarcloud.io/account/security"), references=(_DOCS,)
    ),
    CredentialKind(ANALYSIS, "SonarQube analysis token", "medium", manual=manual(_DOCS), references=(_DOCS,)),
)


def _rule(kind: Kind, prefix: str) -> Rule:
    value = concat(prefix, hexa(40))
    return Rule(
        f"sonarqube/{prefix[:-1]}",
        kind,
        token(prefix.encode() + rb"[0-9a-f]{40}", rb"(?![A-Za-z0-9_])"),
        score=80,
        examples=(
            assigned("SONAR_TOKEN", value),
            text("mvn sonar:sonar -Dsonar.host.url=https://sonar.acme.org -Dsonar.token=", part("secret", value), "\n"),
            text("sonar.projectKey=app\nsonar.login=", part("secret", value), "\n"),
            json_member("sonarToken", value),
        ),
        near_misses=(
            assigned("SONAR_TOKEN", concat(prefix, hexa(39))),
            assigned("SONAR_TOKEN", concat(prefix, hexa(41))),
            assigned("SONAR_TOKEN", concat(prefix[:-1], "-", "g", hexa(39))),
        ),
    )


RULES = (
    _rule(USER, "squ_"),
    _rule(ANALYSIS, "sqp_"),
    _rule(ANALYSIS, "sqa_"),
    Rule(
        "sonarqube/user-token-older",
        USER,
        named(rb"sonar(?:qube|cloud)?[_.-]?(?:auth[_.-]?|api[_.-]?|access[_.-]?)?(?:token|login|key)", rb"[0-9a-f]{40}", WORD),
        score=65,
        examples=(
            assigned("SONAR_TOKEN", hexa(40)),
            text("sonar-scanner -Dsonar.login=", part("secret", hexa(40)), "\n"),
            text('      property "sonar.login", "', part("secret", hexa(40)), '"\n'),
        ),
        near_misses=(
            assigned("SONAR_TOKEN", hexa(39)),
            assigned("SONAR_TOKEN", hexa(41)),
            assigned("sonar.projectVersion", hexa(40)),
        ),
    ),
)

HOSTS: tuple[str, ...] = ()
"""None: a SonarQube is somebody's own server, which the operator's configuration names."""

VERIFIES = (USER, ANALYSIS)

_ASK = Question("", "/api/authentication/validate", secret_first, ("valid",), dead=(Said(200, ('{"valid":false}',)),))
verify = own_server("sonarqube", asks(dict.fromkeys(VERIFIES, _ASK)))

CASES = for_all(VERIFIES, cases(USER, '{"valid":true}', Answer(200, '{"valid":false}')))
