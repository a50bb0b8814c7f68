"""Passwords of Windows accounts on command lines and in Windows' own files.

What it is: passwords that are handed to `psexec -p`, `net use … /user:`, `net user`, `cmdkey /pass:` and `schtasks /rp`; `cpassword` in group policy
  preferences, which is encrypted with a key that Microsoft has published.
Where it is used: batch files, PowerShell, tickets, shell histories; `Groups.xml`, `Services.xml` and `ScheduledTasks.xml` below SYSVOL.
What an attacker can do: log in as the account, often as a local administrator of every machine that was set up alike.
How to replace it: change the account's password; use LAPS, group managed service accounts, or a credential manager; delete the preference.
References: https://learn.microsoft.com/en-us/sysinternals/downloads/psexec
  https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-gppref/2c15cbf0-f086-4c74-8b70-1f2fa45dd4be
"""

from __future__ import annotations

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import b64, concat, part, text

from ._passwords import PASSWORD, form_rule

ACCOUNT, PREFERENCE = Kind("windows/account-password"), Kind("windows/group-policy-password")

_STEPS = Manual(
    ("Change the account's password.", "Update what uses it.", "Look for machines that were set up with the same one."),
    "https://learn.microsoft.com/en-us/windows-server/identity/laps/laps-overview",
)

KINDS = (
    CredentialKind(ACCOUNT, "Password of a Windows account", "high", public=("user",), manual=_STEPS,
                   references=("https://learn.microsoft.com/en-us/sysinternals/downloads/psexec",)),
    CredentialKind(PREFERENCE, "Password in a group policy preference", "critical", manual=_STEPS,
                   references=("https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-gppref/2c15cbf0-f086-4c74-8b70-1f2fa45dd4be",)),
)  # fmt: skip

_WORD = rb"[\"']?(?!/[a-z]{3,12}:)(?P<secret>[^\s\"'`%$<>{}]{4,128})(?=[\s\"'`]|\Z)"

RULES = (
    form_rule(
        str(ACCOUNT),
        ACCOUNT,
        rb"(?i:(?<![a-z0-9])(?:psexec(?:64)?(?:\.exe)?\s[^\n|;]{0,120}?-p |net(?:\.exe)? use [^\n|;]{1,160}?/user:[^\s\"']{1,64} |net(?:\.exe)? user [\w.-]{1,64} (?=[^\n]{1,100} /add)|"
        rb"cmdkey(?:\.exe)? [^\n|;]{1,120}?/pass(?:word)?:|schtasks(?:\.exe)? [^\n|;]{1,200}?/rp ))" + _WORD,
        70,
        (
            "psexec \\\\web3 -u Administrator -p {} cmd\n",
            "cmdkey /add:web3 /user:svc /pass:{}\n",
            "net use \\\\web3\\c$ /user:svc {}\n",
            "net user svc {} /add\n",
        ),
        (
            "psexec \\\\web3 -u Administrator -s cmd\n",
            "cmdkey /add:web3 /user:svc /pass:%PW%\n",
            "net use x: {} /persistent:no\n",
            "net user svc password /add\n",
        ),
        anchor=rb"(?i:psexec(?:64)?(?:\.exe)?\s[^\n|;]{0,120}-p |net(?:\.exe)? use [^\n|;]{1,160}/user:[^\s\"']{1,64} |net(?:\.exe)? user [\w.-]{1,64} |cmdkey(?:\.exe)? [^\n|;]{1,120}/pass(?:word)?:|schtasks(?:\.exe)? [^\n|;]{1,200}/rp )",
    ),
    Rule(
        str(PREFERENCE),
        PREFERENCE,
        rb"(?<![A-Za-z0-9])cpassword=[\"'](?P<secret>[A-Za-z0-9+/]{22,350}={0,2})[\"']",
        specificity=STRUCTURAL,
        score=85,
        examples=(
            text('<Properties action="U" userName="svc" cpassword="', part("secret", b64(43)), '" changeLogon="0"/>\n'),
            text("<Properties cpassword='", part("secret", b64(64)), "' accountName='svc'/>\n"),
            text('  cpassword="', part("secret", b64(86)), '"\n'),
        ),
        near_misses=(
            text('<Properties cpassword="" userName="svc"/>\n'),
            text('<Properties cpassword="', b64(21), '"/>\n'),
            text('<Properties xcpassword="', b64(43), '"/>\n'),
            concat('cpassword="', PASSWORD, '-x"\n'),
        ),
    ),
)
