"""Passwords in netrc files.

What it is: `machine HOST login USER password PASSWORD`, on one line or several, in any order.
Where it is used: `~/.netrc` (`_netrc` on Windows) for curl, git, pip, wget, the Heroku command line; `NETRC` in CI; Dockerfiles.
What an attacker can do: log in to that host as that user; often the password is an access token.
How to replace it: change the password or revoke the token at the host, then the line in the file; keep the file at mode 0600.
References: https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html  https://everything.curl.dev/usingcurl/netrc
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import part, text

from ._passwords import PASSWORD, judge, where

NETRC = Kind("netrc/password")

KINDS = (
    CredentialKind(
        NETRC,
        "Password in a netrc file",
        "high",
        public=("user", "host"),
        describe=where,
        canonical=unquote_to_bytes,
        manual=Manual(
            ("Change the password, or revoke the token, at the host after `machine`.", "Write the new one to the file."),
            "https://everything.curl.dev/usingcurl/netrc",
        ),
        references=("https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html",),
    ),
)

_GAP = rb"(?:[ \t\r\n]|\\n){1,24}"
_WORD = rb"[^\s\"'\\]"
_USER, _SECRET, _HOST = part("user", "svc"), part("secret", PASSWORD), part("host", "git.corp.io")
_START = rb"(?<![A-Za-z0-9_-])machine" + _GAP + rb"(?P<host>[A-Za-z0-9_.-]{3,200})" + _GAP
_ACCOUNT = rb"(?:account" + _GAP + _WORD + rb"{1,100}" + _GAP + rb")?"

RULES = (
    Rule(
        "netrc/login-first",
        NETRC,
        _START + rb"login" + _GAP + rb"(?P<user>" + _WORD + rb"{1,120})" + _GAP + _ACCOUNT + rb"password" + _GAP + rb"(?P<secret>" + _WORD + rb"{2,255})",
        specificity=STRUCTURAL,
        score=75,
        check=judge,
        examples=(
            text("machine ", _HOST, " login ", _USER, " password ", _SECRET, "\n"),
            text("machine ", _HOST, "\n  login ", _USER, "\n  password ", _SECRET, "\n"),
            text('RUN echo "machine ', _HOST, " login ", _USER, " password ", _SECRET, '" > ~/.netrc\n'),
        ),
        near_misses=(
            text("machine git.corp.io login svc\n"),
            text("machine git.corp.io login svc password $TOKEN\n"),
            text("machine example.com login user password secret\n"),
            text("machine git.corp.io login svc password <token>\n"),
        ),
    ),
    Rule(
        "netrc/password-first",
        NETRC,
        _START.replace(rb"{3,200}", rb"{1,100}\.[A-Za-z0-9_.-]{2,100}") + _ACCOUNT + rb"password" + _GAP + rb"(?P<secret>" + _WORD + rb"{2,255})(?:" + _GAP + rb"login" + _GAP + rb"(?P<user>" + _WORD + rb"{1,120}))?",
        specificity=STRUCTURAL,
        score=70,
        check=judge,
        examples=(
            text("machine ", _HOST, " password ", _SECRET, " login ", _USER, "\n"),
            text("machine ", _HOST, "\n  password ", _SECRET, "\n  login ", _USER, "\n"),
            text("machine ", _HOST, " password ", _SECRET, "\n"),
        ),
        near_misses=(
            text("machine git.corp.io account svc\n"),
            text("machine git.corp.io password ${TOKEN} login svc\n"),
            text("machine localhost password password login svc\n"),
        ),
    ),
)  # fmt: skip
