"""Jenkins API tokens.

What it is: an API token of a Jenkins user: `11` and 32 hex digits; before Jenkins 2.129 32 hex digits without the `11`.
Where it is used: `curl -u user:token`, remote triggers, `.netrc`, plugins of other tools, `JENKINS_TOKEN`.
What an attacker can do: everything the user may do: start and change jobs, read their logs and artifacts; a user who may
  configure jobs can run code on the agents and so read the stored credentials, and an administrator's token runs scripts on
  the controller.
How to replace it: in the user's page, Security, revoke the token and add a new one; the host stands beside it in the command
  or configuration. After a leak look at the builds since, and rotate the credentials that Jenkins holds.
References: https://www.jenkins.io/doc/book/system-administration/authenticating-scripted-clients/
  https://www.jenkins.io/blog/2018/07/02/new-api-token-system/
"""

from __future__ import annotations

from keyward.plugin import Companion, CredentialKind, Kind, Rule
from keyward.plugin.shapes import assigned, concat, hexa, json_member, part, text

from ._forms import WORD, manual, named

TOKEN = Kind("jenkins/api-token")

KINDS = (
    CredentialKind(TOKEN, "Jenkins API token", "critical", public=("user",),
                   references=("https://www.jenkins.io/doc/book/system-administration/authenticating-scripted-clients/",),
                   manual=manual("https://www.jenkins.io/doc/book/system-administration/authenticating-scripted-clients/",
                                 "Add a new token in the user's security page.", "Update what uses the old one.", "Revoke the old one.",
                                 "Look at the builds started since.")),
)  # fmt: skip

_NAME = rb"jenkins[_.-]?(?:(?:api|user|auth|access|admin)[_.-]?){0,2}(?:token|key|password)"
_TOKEN = concat("11", hexa(32))
_USER = Companion("user", rb"(?<![A-Za-z0-9._-])(?P<user>[A-Za-z0-9][A-Za-z0-9._-]{0,40}):(?=11[0-9a-f]{32})", within=60, optional=True)

RULES = (
    Rule(
        str(TOKEN),
        TOKEN,
        named(_NAME, rb"(?:11)?[0-9a-f]{32}", WORD),
        score=65,
        examples=(
            assigned("JENKINS_API_TOKEN", _TOKEN),
            assigned("jenkins.token", _TOKEN, form="{name} = '{value}'\n"),
            json_member("jenkinsUserToken", hexa(32)),
        ),
        near_misses=(
            assigned("JENKINS_API_TOKEN", hexa(31)),
            assigned("JENKINS_API_TOKEN", concat("22", hexa(32))),
            assigned("JENKINS_BUILD_TAG", _TOKEN),
        ),
    ),
    Rule(
        "jenkins/api-token-beside-user",
        TOKEN,
        rb":(?P<secret>11[0-9a-f]{32})(?:@|(?=[\"'\s]))",
        score=60,
        companions=(_USER,),
        examples=(
            text("curl -X POST -u ", part("user", "deploy"), ":", part("secret", _TOKEN), " https://ci.acme.org/job/app/build\n"),
            text("https://", part("user", "dev.acme"), ":", part("secret", _TOKEN), "@ci.acme.org/job/app/build\n"),
            text("java -jar jenkins-cli.jar -s https://ci.acme.org -auth '", part("user", "admin"), ":", part("secret", _TOKEN), "' who-am-i\n"),
        ),
        near_misses=(
            text("curl -u deploy:11", hexa(31), " https://ci.acme.org\n"),
            text("curl -u deploy:11", hexa(33), " https://ci.acme.org\n"),
            text("curl -u deploy:12", hexa(32), " https://ci.acme.org\n"),
        ),
    ),
)
