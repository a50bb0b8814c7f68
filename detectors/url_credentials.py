"""Passwords in URLs.

What it is: `scheme://user:password@host`, of any scheme that has no pack of its own: https, http proxies, git, svn, rtsp, sip.
Where it is used: git remotes and `.git-credentials`, `pip --extra-index-url`, `http_proxy`, npm and Maven repositories, cameras.
What an attacker can do: whatever the account may do at that host: read and push code, publish packages, use the proxy.
How to replace it: change the password, or revoke the token, at the host that the URL names; then keep it in a credential
  helper, a `.netrc` that is not committed, or a variable.
References: https://datatracker.ietf.org/doc/html/rfc3986#section-3.2.1  https://git-scm.com/docs/git-credential-store
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Parts, Rule, Signal
from keyward.plugin.letters import is_random
from keyward.plugin.shapes import an, assigned, concat, part, text

from ._passwords import HOST, USERINFO, judge, url, where

PASSWORD_IN_URL = Kind("url/password")

KINDS = (
    CredentialKind(
        PASSWORD_IN_URL,
        "Password in a URL",
        "high",
        public=("user", "host"),
        describe=where,
        canonical=unquote_to_bytes,
        manual=Manual(
            (
                "Change the password, or revoke the token, at the host that the URL names.",
                "Give the new one to what uses it through a credential helper or a variable.",
                "Take the password out of the URL.",
            ),
            "https://git-scm.com/docs/gitcredentials",
        ),
        references=("https://datatracker.ietf.org/doc/html/rfc3986#section-3.2.1", "https://git-scm.com/docs/git-credential-store"),
    ),
)

_NOT_SECRET = frozenset((b"x-oauth-basic", b"x", b"oauth", b"x-access-token", b"git", b"@"))


def _check(parts: Parts) -> Signal | None:
    secret = parts["secret"].lower()
    if secret in _NOT_SECRET:
        return Signal("context", -100, "the token stands where the user name does")
    if secret.isdigit() and len(secret) <= 5:
        return Signal("context", -60, "a port, not a password")
    return judge(parts)


def _drawn(parts: Parts) -> Signal | None:
    """A token that stands where the user does was drawn by a machine. What `/4` follows is the address of a project for errors (a DSN), and public."""
    return None if is_random(parts["secret"]) else Signal("context", -60, "the name of a user")


_GOOD = url("https", user="deploy", host="git.corp.io", tail="/team/app.git")

RULES = (
    Rule(
        "url/password",
        PASSWORD_IN_URL,
        rb"(?<=[A-Za-z0-9])://" + USERINFO,
        anchor=rb"[A-Za-z0-9]://[^\s:@/\"'`<>(){}\[\]\\,;|^*]{0,80}:[^\s/\"'`<>(){}\[\]\\|^]{1,200}@",
        specificity=STRUCTURAL,
        score=65,
        window=420,
        check=_check,
        examples=(
            concat("url = ", _GOOD, "\n"),
            concat("https_proxy=", url("http", user="build", host="proxy3.corp.io", tail=":3128"), "\n"),
            concat("--extra-index-url ", url("https", user="ci", host="pypi.corp.io", tail="/simple"), "\n"),
            concat('{"repository": "', _GOOD, '"}\n'),
        ),
        near_misses=(
            text("url = https://deploy@git.corp.io/team/app.git\n"),
            text("url = https://git.corp.io:8443/@scope/package\n"),
            text("url = https://user:password@example.com/\n"),
            text("url = https://deploy:$TOKEN@git.corp.io/team/app.git\n"),
            text("url = https://deploy:{token}@git.corp.io/team/app.git\n"),
        ),
    ),
    Rule(
        "url/token-as-user",
        PASSWORD_IN_URL,
        rb"(?<=https)://(?P<secret>[A-Za-z0-9_-]{20,255}):(?:x-oauth-basic|[xX]|oauth)?@" + HOST,
        anchor=rb"https://[A-Za-z0-9_-]{20,255}:(?:x-oauth-basic|[xX]|oauth)?@",
        specificity=STRUCTURAL,
        score=70,
        examples=(
            text("git clone https://", part("secret", an(40)), ":x-oauth-basic@", part("host", "git.corp.io"), "/team/app.git\n"),
            text("url = https://", part("secret", an(40)), ":@", part("host", "git.corp.io"), "/team/app.git\n"),
            text('{"url": "https://', part("secret", an(32)), ":x@", part("host", "git.corp.io"), '/team/app.git"}\n'),
        ),
        near_misses=(
            text("git clone https://", an(19), ":x-oauth-basic@git.corp.io/team/app.git\n"),
            text("git clone https://$GIT_TOKEN:x-oauth-basic@git.corp.io/team/app.git\n"),
            assigned("url", concat("https://git.corp.io/", an(40))),
        ),
    ),
    Rule(
        "url/token-alone",
        PASSWORD_IN_URL,
        rb"(?<=https)://(?P<secret>[A-Za-z0-9_-]{20,255})@" + HOST + rb"(?![A-Za-z0-9_.-]|/[0-9]{1,20}(?![A-Za-z0-9/_.-]))",
        anchor=rb"https://[A-Za-z0-9_-]{20,255}@",
        specificity=STRUCTURAL,
        score=70,
        check=_drawn,
        examples=(
            text("git clone https://", part("secret", an(40)), "@", part("host", "git.corp.io"), "/team/app.git\n"),
            text("git+https://", part("secret", an(32)), "@", part("host", "git.corp.io"), "/team/app.git@main\n"),
            text('{"url": "https://', part("secret", an(40)), "@", part("host", "git.corp.io"), ':8443/team/app.git"}\n'),
        ),
        near_misses=(
            text("git clone https://", an(19), "@git.corp.io/team/app.git\n"),
            text("git clone https://deployment-of-the-team@git.corp.io/team/app.git\n"),
            text("git clone https://$GIT_TOKEN_OF_THE_TEAM@git.corp.io/team/app.git\n"),
            text("dsn = https://", an(32), "@errors.corp.io/4\n"),
        ),
    ),
)  # fmt: skip

