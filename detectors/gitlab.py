"""GitLab tokens.

What it is: every token that GitLab gives a `gl…-` prefix: access tokens (personal, project, group, impersonation), deploy,
  runner, job, trigger, feed, mail, agent, SCIM, feature flag and workspace tokens, OAuth secrets; the older runner
  registration token, access tokens without a prefix beside a telling name, and session cookies.
Where it is used: git remotes, CI variables, `PRIVATE-TOKEN` headers, `glab` and python-gitlab configuration, Helm values,
  `/etc/gitlab-runner/config.toml`. A self-managed instance may put its own prefix before `glpat-`, or use none.
What an attacker can do: with an access token of scope `api` everything its owner can do, source code and CI variables
  included; with a runner token receive jobs and the secrets in them; with a deploy token pull code and images.
How to replace it: rotate an access token with POST /personal_access_tokens/self/rotate or in the user settings; the old
  one dies at once. Never rotate twice with the old token: GitLab takes that for reuse and revokes the new one too.
Whether it lives: GET /personal_access_tokens/self, which every access token may ask, whatever its scopes; it never counts as reuse.
References: https://docs.gitlab.com/security/tokens/
  https://docs.gitlab.com/api/personal_access_tokens/
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING

from keyward.plugin import CredentialKind, Kind, Parts, Rule, Signal, checksum
from keyward.plugin.checksums import BASE36, crc32_base36, decode_base64, to_base
from keyward.plugin.shapes import DIGITS, LOWER, Shape, assigned, b64url, chars, concat, hexa, json_member, jwt, part, raw, text
from keyward.plugin.verifier import Answer, Case, Dead, Live, Restricted, Unknown, Verdict, evidence

from ._forms import WORD, manual, mixed, named, token

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.plugin.ports import Ports, Reply

ACCESS = Kind("gitlab/access-token")
DEPLOY = Kind("gitlab/deploy-token")
RUNNER = Kind("gitlab/runner-token")
REGISTRATION = Kind("gitlab/runner-registration-token")
JOB = Kind("gitlab/ci-job-token")
TRIGGER = Kind("gitlab/trigger-token")
FEED = Kind("gitlab/feed-token")
MAIL = Kind("gitlab/incoming-mail-token")
AGENT = Kind("gitlab/agent-token")
OAUTH = Kind("gitlab/oauth-secret")
SCIM = Kind("gitlab/scim-token")
FLAGS = Kind("gitlab/feature-flags-token")
WORKSPACE = Kind("gitlab/workspace-token")
SESSION = Kind("gitlab/session-cookie")

_DOCS = ("https://docs.gitlab.com/security/tokens/",)

_FIELDS = {"c": "cell", "g": "group", "o": "organisation", "p": "project", "u": "user", "t": "runner type"}


def _routing(parts: Parts) -> Mapping[str, str]:
    """What the payload of a routable token names: organisation, user, project, as numbers."""
    secret = parts["secret"]
    payload, *rest = secret.partition(b"-")[2].split(b".")
    if not rest:
        return {}
    data = decode_base64(payload.partition(b"_")[2] if payload[:1] == b"t" and payload[2:3] == b"_" else payload) or b""
    lines = data[16:-1] if len(rest) == 2 else data[: -1 - data[-1]]
    pairs = [line.partition(b":") for line in lines.split(b"\n")]
    return {_FIELDS[key.decode()]: str(int(value, 36)) for key, _, value in pairs if key.decode() in _FIELDS}


def _kind(name: Kind, title: str, severity: str, url: str, *steps: str) -> CredentialKind:
    return CredentialKind(name, title, severity, describe=_routing, manual=manual(url, *steps), references=_DOCS)


KINDS = (
    _kind(ACCESS, "GitLab access token", "critical", "https://gitlab.com/-/user_settings/personal_access_tokens",
          "Rotate the token once, or create a new one with the same or fewer scopes.", "Update what uses it.",
          "Revoke the old one, if it was not rotated.")._replace(rotates=True),
    _kind(DEPLOY, "GitLab deploy token", "high", "https://docs.gitlab.com/user/project/deploy_tokens/",
          "Create a new deploy token in the project's or group's repository settings.", "Update what pulls with it.",
          "Revoke the old one."),
    _kind(RUNNER, "GitLab runner authentication token", "high", "https://docs.gitlab.com/runner/commands/#gitlab-runner-reset-token",
          "Run `gitlab-runner reset-token` for that runner, or delete it and create a new one.", "Restart the runner."),
    _kind(REGISTRATION, "GitLab runner registration token", "high", "https://docs.gitlab.com/ci/runners/runners_scope/",
          "Reset the registration token in the CI/CD settings.", "Remove runners that nobody knows.",
          "Move to runner authentication tokens."),
    _kind(JOB, "GitLab CI job token", "medium", "https://docs.gitlab.com/ci/jobs/ci_job_token/",
          "Cancel the job, if it still runs: the token ends with it.", "Keep the token out of the job's log."),
    _kind(TRIGGER, "GitLab pipeline trigger token", "medium", "https://docs.gitlab.com/ci/triggers/",
          "Add a new trigger token in the project's CI/CD settings.", "Update what calls it.", "Revoke the old one."),
    _kind(FEED, "GitLab feed token", "medium", "https://gitlab.com/-/user_settings/personal_access_tokens",
          "Reset the feed token in the user settings.", "Subscribe to feeds and calendars again."),
    _kind(MAIL, "GitLab incoming email token", "medium", "https://gitlab.com/-/user_settings/personal_access_tokens",
          "Reset the incoming email token in the user settings.", "Replace the mail addresses that hold it."),
    _kind(AGENT, "GitLab agent for Kubernetes token", "high", "https://docs.gitlab.com/user/clusters/agent/work_with_agent/",
          "Create a second token for the agent.", "Update the cluster's secret.", "Revoke the old token."),
    _kind(OAUTH, "GitLab OAuth application secret", "high", "https://gitlab.com/-/user_settings/applications",
          "Renew the application's secret.", "Update the application at once: the old secret no longer works."),
    _kind(SCIM, "GitLab SCIM token", "high", "https://docs.gitlab.com/user/group/saml_sso/scim_setup/",
          "Reset the SCIM token in the group's SAML settings.", "Update the identity provider."),
    _kind(FLAGS, "GitLab feature flags client token", "low", "https://docs.gitlab.com/operations/feature_flags/",
          "Regenerate the instance id on the project's feature flags page.", "Update the clients."),
    _kind(WORKSPACE, "GitLab workspace token", "medium", "https://docs.gitlab.com/user/workspace/",
          "Stop and delete the workspace.", "Create a new one."),
    _kind(SESSION, "GitLab session cookie", "high", "https://gitlab.com/-/user_settings/active_sessions",
          "Revoke the session under active sessions.", "Sign in again."),
)  # fmt: skip

_ROUTABLE = rb"[A-Za-z0-9_-]{27,300}\.(?:[0-9a-z]{2}\.)?[0-9a-z]{9}"
_TWENTY = rb"[A-Za-z0-9_-]{20}"


def _crc(parts: Parts) -> Signal | None:
    """The last seven characters of a routable token are the CRC32 of all before them; other forms have no check."""
    secret = parts["secret"]
    if secret[-10:-9] != b"." or secret[-9:].count(b"."):
        return None
    return checksum(crc32_base36(secret[:-7]) == secret[-7:], "CRC32")


def _routable(prefix: str, version: bytes = b".01.") -> Shape:
    random, lines = raw(16), b"c:1\no:2s\nu:1z"
    data = concat(random, lines, bytes([len(lines)])) if version == b".01." else concat(lines, b"\n", random, b"\x10")
    payload = data.map(lambda raw_bytes: base64.urlsafe_b64encode(raw_bytes).rstrip(b"="))
    measured = payload.map(lambda encoded: encoded + version + to_base(len(encoded), BASE36, 2))
    return concat(prefix, measured).tail(crc32_base36)


def _anchor(prefix: str) -> bytes:
    """What every form of a token begins with: looking for the forms one by one costs a hundred times the states."""
    return rb"(?<![A-Za-z0-9])" + prefix.encode() + _TWENTY


def _rule(kind: Kind, prefix: str, body: bytes, sample: Shape, name: str, extra: Shape, near: tuple[Shape, ...]) -> Rule:
    """A rule for one prefix: `sample` draws its body, `extra` is an example from where such a token is really left."""
    value = concat(prefix, sample)
    return Rule(
        str(kind),
        kind,
        token(prefix.encode() + rb"(?:" + _ROUTABLE + rb"|" + body + rb")"),
        anchor=_anchor(prefix),
        check=_crc,
        examples=(assigned(name, value), json_member(name.lower(), value), extra, assigned(name, _routable(prefix))),
        near_misses=(
            *(assigned(name, concat(prefix, wrong)) for wrong in near),
            assigned(name, concat(prefix.replace("-", "_"), sample)),
            assigned(name, concat("x" + prefix, sample)),
        ),
    )


_B64U_20 = b64url(20)
_20_NEAR = (b64url(19), b64url(21))
_JOB_JWT = jwt('{"iss":"gitlab.com","c":"1","o":"1","u":"z","p":"2b","exp":1790000000}', algorithm="RS256", signature=342)
_MAIL_BODY = chars(LOWER + DIGITS, 25)

RULES = (
    _rule(ACCESS, "glpat-", _TWENTY, _B64U_20, "GITLAB_TOKEN",
          text("git clone https://oauth2:", part("secret", concat("glpat-", _B64U_20)), "@gitlab.com/acme/app.git\n"), _20_NEAR),
    Rule(
        "gitlab/access-token-first-routable",
        ACCESS,
        token(rb"glpat-[A-Za-z0-9_-]{27,300}\.[0-9a-z]{9}"),
        check=_crc,
        examples=(
            assigned("GL_TOKEN", _routable("glpat-", b".")),
            json_member("private_token", _routable("glpat-", b".")),
            text("curl --header 'PRIVATE-TOKEN: ", part("secret", _routable("glpat-", b".")), "' https://gitlab.com/api/v4/user\n"),
        ),
        near_misses=(
            assigned("GL_TOKEN", concat("glpat-", b64url(26), ".", chars(LOWER + DIGITS, 9))),
            assigned("GL_TOKEN", concat("glpat-", b64url(32), ".", chars(LOWER + DIGITS, 8))),
            assigned("GL_TOKEN", concat("glpat-", b64url(32), "_", chars(LOWER + DIGITS, 9))),
        ),
    ),
    Rule(
        "gitlab/access-token-unprefixed",
        ACCESS,
        named(rb"gitlab[_.-]?(?:api[_.-]?|private[_.-]?|personal[_.-]?)?(?:access[_.-]?)?token|private[_-]token", mixed(20, b"A-Za-z0-9_-")),
        score=60,
        examples=(
            assigned("PRIVATE-TOKEN", concat("a7K", b64url(17)), form='curl --header "{name}: {value}" https://git.acme.org/api/v4/user\n'),
            assigned("GITLAB_TOKEN", concat("a7K", b64url(17))),
            assigned("private_token", concat("a7K", b64url(17)), form="[global]\n{name} = {value}\n"),
        ),
        near_misses=(
            assigned("GITLAB_TOKEN", concat("a7K", b64url(16))),
            assigned("GITLAB_TOKEN", concat("a7K", b64url(18))),
            assigned("GITLAB_TOKEN", concat("aaK", chars(LOWER, 17))),
            assigned("GITLAB_BRANCH", concat("a7K", b64url(17))),
        ),
    ),
    _rule(DEPLOY, "gldt-", _TWENTY, _B64U_20, "CI_DEPLOY_PASSWORD",
          text("docker login -u gitlab+deploy-token-7 -p ", part("secret", concat("gldt-", _B64U_20)), " registry.gitlab.com\n"), _20_NEAR),
    _rule(RUNNER, "glrt-", rb"(?:t[0-9]_)?" + _TWENTY, _B64U_20, "RUNNER_TOKEN",
          text('[[runners]]\n  url = "https://gitlab.com"\n  token = "', part("secret", concat("glrt-t3_", _B64U_20)), '"\n'), _20_NEAR),
    Rule(
        "gitlab/runner-token-registered",
        RUNNER,
        token(rb"glrtr-(?:" + _ROUTABLE + rb"|" + _TWENTY + rb")"),
        anchor=_anchor("glrtr-"),
        check=_crc,
        examples=(
            assigned("token", concat("glrtr-", _B64U_20), form='  {name} = "{value}"\n'),
            text("gitlab-runner register --url https://gitlab.com --token ", part("secret", concat("glrtr-", _B64U_20)), "\n"),
            assigned("RUNNER_TOKEN", _routable("glrtr-")),
        ),
        near_misses=(
            assigned("token", concat("glrtr-", b64url(19))),
            assigned("token", concat("glrtr-", b64url(21))),
            assigned("token", concat("glrtr_", _B64U_20)),
        ),
    ),
    Rule(
        str(REGISTRATION),
        REGISTRATION,
        token(rb"GR1348941" + _TWENTY),
        examples=(
            assigned("REGISTRATION_TOKEN", concat("GR1348941", _B64U_20)),
            assigned("runnerRegistrationToken", concat("GR1348941", _B64U_20), form='{name}: "{value}"\n'),
            text("gitlab-runner register -n --registration-token ", part("secret", concat("GR1348941", _B64U_20)), " --executor docker\n"),
        ),
        near_misses=(
            assigned("REGISTRATION_TOKEN", concat("GR1348941", b64url(19))),
            assigned("REGISTRATION_TOKEN", concat("GR1348941", b64url(21))),
            assigned("REGISTRATION_TOKEN", concat("GR1348942", _B64U_20)),
        ),
    ),
    Rule(
        str(JOB),
        JOB,
        token(rb"glcbt-(?:[0-9a-f]{1,5}_" + _TWENTY + rb"|eyJ[A-Za-z0-9_-]{20,500}\.eyJ[A-Za-z0-9_-]{20,3000}\.[A-Za-z0-9_-]{20,1000})"),
        window=5000,
        examples=(
            assigned("CI_JOB_TOKEN", concat("glcbt-", hexa(2), "_", _B64U_20)),
            text("git clone https://gitlab-ci-token:", part("secret", concat("glcbt-", hexa(2), "_", _B64U_20)), "@gitlab.com/a/b.git\n"),
            assigned("CI_JOB_TOKEN", concat("glcbt-", _JOB_JWT)),
        ),
        near_misses=(
            assigned("CI_JOB_TOKEN", concat("glcbt-", hexa(2), "_", b64url(19))),
            assigned("CI_JOB_TOKEN", concat("glcbt-", hexa(2), "_", b64url(21))),
            assigned("CI_JOB_TOKEN", concat("glcbt-", hexa(2), "-", _B64U_20)),
        ),
    ),
    _rule(TRIGGER, "glptt-", rb"[0-9a-f]{40}", hexa(40), "TRIGGER_TOKEN",
          text("curl -X POST 'https://gitlab.com/api/v4/projects/7/trigger/pipeline?ref=main&token=", part("secret", concat("glptt-", hexa(40))), "'\n"),
          (hexa(39), hexa(41), concat("G", hexa(39)))),
    Rule(
        str(FEED),
        FEED,
        token(rb"glft-(?:[0-9a-f]{64}-[0-9]{1,12}|" + _TWENTY + rb")"),
        examples=(
            text("https://gitlab.com/acme.atom?feed_token=", part("secret", concat("glft-", _B64U_20)), "\n"),
            assigned("FEED_TOKEN", concat("glft-", _B64U_20)),
            text("webcal://gitlab.com/dashboard/issues.ics?feed_token=", part("secret", concat("glft-", hexa(64), "-4711")), "&state=opened\n"),
        ),
        near_misses=(
            assigned("FEED_TOKEN", concat("glft-", b64url(19))),
            assigned("FEED_TOKEN", concat("glft-", b64url(21))),
            assigned("FEED_TOKEN", concat("glft_", _B64U_20)),
        ),
    ),
    Rule(
        str(MAIL),
        MAIL,
        token(rb"glimt-[A-Za-z0-9]{24,25}", rb"(?:-(?:issue|merge-request)@|(?![A-Za-z0-9_-]))"),
        examples=(
            text("incoming+acme-app-7-", part("secret", concat("glimt-", _MAIL_BODY)), "-issue@incoming.gitlab.com\n"),
            assigned("INCOMING_MAIL_TOKEN", concat("glimt-", _MAIL_BODY)),
            json_member("incoming_email_token", concat("glimt-", _MAIL_BODY)),
        ),
        near_misses=(
            assigned("INCOMING_MAIL_TOKEN", concat("glimt-", chars(LOWER + DIGITS, 23))),
            assigned("INCOMING_MAIL_TOKEN", concat("glimt-", chars(LOWER + DIGITS, 26))),
            assigned("INCOMING_MAIL_TOKEN", concat("glimt_", _MAIL_BODY)),
        ),
    ),
    _rule(AGENT, "glagent-", rb"[A-Za-z0-9_-]{50}", b64url(50), "AGENT_TOKEN",
          text("helm upgrade agent gitlab/gitlab-agent --set config.token=", part("secret", concat("glagent-", b64url(50))), "\n"),
          (b64url(49), b64url(51))),
    _rule(OAUTH, "gloas-", rb"[0-9a-f]{64}", hexa(64), "GITLAB_CLIENT_SECRET",
          text("  app_secret: '", part("secret", concat("gloas-", hexa(64))), "',\n"), (hexa(63), hexa(65))),
    _rule(SCIM, "glsoat-", _TWENTY, _B64U_20, "SCIM_TOKEN",
          text("Authorization: Bearer ", part("secret", concat("glsoat-", _B64U_20)), "\n"), _20_NEAR),
    _rule(FLAGS, "glffct-", _TWENTY, _B64U_20, "UNLEASH_INSTANCE_ID",
          text('instanceId: "', part("secret", concat("glffct-", _B64U_20)), '",\n'), _20_NEAR),
    _rule(WORKSPACE, "glwt-", _TWENTY, _B64U_20, "WORKSPACE_TOKEN",
          text("token: ", part("secret", concat("glwt-", _B64U_20)), "\n"), _20_NEAR),
    Rule(
        str(SESSION),
        SESSION,
        rb"_gitlab_session(?:_[0-9a-f]{1,64})?[\"']?[\s\"':=,]{1,20}(?:value[\"']?\s?:\s?[\"'])?(?P<secret>[0-9a-f]{32})" + WORD,
        examples=(
            text("Cookie: _gitlab_session=", part("secret", hexa(32)), "; known_sign_in=1\n"),
            json_member("_gitlab_session", hexa(32)),
            text(".gitlab.com\tTRUE\t/\tTRUE\t0\t_gitlab_session\t", part("secret", hexa(32)), "\n"),
        ),
        near_misses=(
            text("Cookie: _gitlab_session=", hexa(31), "; a=1\n"),
            text("Cookie: _gitlab_session=", hexa(33), "; a=1\n"),
            text("Cookie: _gitlab_sessions=", hexa(32), "; a=1\n"),
        ),
    ),
)  # fmt: skip

HOSTS = ("gitlab.com",)
VERIFIES = (ACCESS,)


def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks a token about itself. `target.base_url`: of a self-managed instance."""
    base = (target.base_url or "https://gitlab.com").rstrip("/")
    base += "" if base.endswith("/api/v4") else "/api/v4"
    http = ports.http(base, {"private-token": credential.text("secret"), "user-agent": "keyward"})
    reply = http.request("GET", "/personal_access_tokens/self")
    proof = evidence("GET /personal_access_tokens/self", http, reply, ports)
    if reply.status == 200 and "id" in reply.object():
        said = reply.object()
        proof = proof._replace(public_id=str(said.get("id", "")))
        if said.get("revoked") or said.get("active") is False:
            return Dead(proof)
        until = f", until {str(said['expires_at'])[:10]}" if said.get("expires_at") else ""
        scopes = said.get("scopes")
        return Live(proof, f"user {said.get('user_id')}{until}", tuple(map(str, scopes)) if isinstance(scopes, list) else ())
    if reply.status == 401 and _is_theirs(reply):
        return Dead(proof)
    if reply.status == 403 and {"error", "message"} & reply.object().keys():
        return Restricted(proof, "it authenticates, but may not ask about itself, or not from this address")
    return Unknown(f"GitLab answered {reply.status}")


def _is_theirs(reply: Reply) -> bool:
    """Whether a 401 is GitLab's own, and not that of a proxy before it."""
    said = reply.object()
    return said.get("message") == "401 Unauthorized" or said.get("error") == "invalid_token"


CASES = (
    Case("an active token", ACCESS, (Answer(200, '{"id": 7, "user_id": 1, "active": true, "revoked": false, "scopes": ["read_api"]}'),), "live"),
    Case("revoked, by the description", ACCESS, (Answer(200, '{"id": 7, "active": false, "revoked": true}'),), "dead"),
    Case("unknown", ACCESS, (Answer(401, '{"message": "401 Unauthorized"}'),), "dead"),
    Case("revoked or expired", ACCESS, (Answer(401, '{"error": "invalid_token", "error_description": "Token was revoked."}'),), "dead"),
    Case("a proxy refuses", ACCESS, (Answer(401, "<html>"),), "unknown"),
    Case("another proxy refuses", ACCESS, (Answer(401, '{"message": "log in"}'),), "unknown"),
    Case("scopes do not do", ACCESS, (Answer(403, '{"error": "insufficient_scope"}'),), "restricted"),
    Case("an instance that cannot tell", ACCESS, (Answer(404, '{"error": "404 Not Found"}'),), "unknown"),
    Case("busy", ACCESS, (Answer(429, "Retry later", {"retry-after": "60"}),), "unknown"),
)  # fmt: skip
