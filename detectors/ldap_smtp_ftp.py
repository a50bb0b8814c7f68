"""Passwords of directory, mail and file servers: LDAP, SMTP and IMAP, FTP, SFTP and SSH, S3 URLs, Samba.

What it is: user and password in a URL of these protocols, or in the variable, option or setting that their clients use.
Where it is used: sssd.conf, nslcd.conf, Django's and Rails' mail settings, postfix's sasl_passwd, lftp scripts, deploy scripts.
What an attacker can do: a bind account reads the whole directory; a mail account sends in the owner's name and past spam
  filters; a file account replaces what a site delivers.
How to replace it: change the account's password at the server or provider, then in the client; mail providers often issue
  separate application passwords that can be revoked one by one.
References: https://datatracker.ietf.org/doc/html/rfc4516  https://datatracker.ietf.org/doc/html/rfc3986#section-3.2.1
"""

from __future__ import annotations

from keyward.plugin import Kind

from ._passwords import WORD, database_kind, form_rule, url_rule, variable_rule

LDAP, SMTP, FTP, SSH, S3 = Kind("ldap/password"), Kind("smtp/password"), Kind("ftp/password"), Kind("ssh/password"), Kind("s3/url-secret")

KINDS = (
    database_kind(LDAP, "LDAP bind password", "ldappasswd, or the directory's console.", "https://www.openldap.org/software/man.cgi?query=ldappasswd", "critical"),
    database_kind(SMTP, "Mail server password", "in the mail provider's settings.", "https://support.google.com/accounts/answer/185833", "high"),
    database_kind(FTP, "FTP password", "in the hosting's settings, or `passwd` for the account.", "https://datatracker.ietf.org/doc/html/rfc4217", "high"),
    database_kind(SSH, "SSH or SFTP password", "`passwd` for the account; better, a key instead.", "https://man.openbsd.org/ssh-keygen", "critical"),
    database_kind(S3, "S3 secret in a URL", "make a new access key and delete this one.", "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html", "critical"),
)  # fmt: skip

_SETTINGS = rb"(?:ldap_default_authtok|bindpw|rootbindpw|olcRootPW|rootpw|ldapbindpassword)"

RULES = (
    url_rule("ldap/url", LDAP, rb"ldaps?", "ldaps", names=("LDAP_URL", "url"), port=":636", tail="/dc=corp,dc=io"),
    url_rule("smtp/url", SMTP, rb"(?:smtps?|submission|imaps?|pop3s?)(?:\+(?:tls|ssl))?", "smtps", names=("EMAIL_URL", "MAILER_DSN"), port=":465", tail=""),
    url_rule("ftp/url", FTP, rb"(?:ftps?|ftpes|webdavs?|davs?)", "ftps", names=("FTP_URL", "target"), port=":990", tail="/web"),
    url_rule("ssh/url", SSH, rb"(?:ssh|sftp|scp|smb|cifs|vnc|rdp|telnet)", "sftp", names=("DEPLOY_TARGET", "target"), port=":2222", tail="/srv"),
    url_rule("s3/url", S3, rb"(?:s3[an]?|minio|gs|oss|cos)", "s3", names=("BACKUP_TARGET", "target"), port="", tail="/bucket"),
    variable_rule("ldap/variable", LDAP, rb"(?i:(?:LDAP|AD)_?(?:[a-z]{2,12}_){0,2}BIND_?(?:DN_)?(?:PASSWORD|PASSWD|PASS|PWD|PW|CREDENTIALS?)|LDAP_(?:ADMIN_|CONFIG_)?(?:PASSWORD|PASS|PWD))", "LDAP_BIND_PASSWORD", "admin",
                  anchor=rb"(?i:BIND_?(?:DN_)?(?:PASSWORD|PASSWD|PASS|PWD|PW|CREDENTIALS?)|LDAP_(?:ADMIN_|CONFIG_)?(?:PASSWORD|PASS|PWD))[\"'\]\s:=]"),
    variable_rule("smtp/variable", SMTP, rb"(?i:(?:SMTP|MAIL|EMAIL|MAILER|IMAP)_?(?:[a-z]{2,12}_){0,2}(?:PASSWORD|PASSWD|PASS|PWD))", "SMTP_PASSWORD", "secret"),
    variable_rule("ftp/variable", FTP, rb"(?i:S?FTP_?(?:[a-z]{2,12}_){0,2}(?:PASSWORD|PASSWD|PASS|PWD))", "FTP_PASSWORD", "anonymous"),
    form_rule("ldap/setting", LDAP, rb"(?:(?<![A-Za-z0-9_/-])" + _SETTINGS + rb"[ \t]{0,4}[:=]|(?<![^\n])[ \t]{0,8}" + _SETTINGS + rb"[ \t])[ \t]{0,6}[\"']?(?!--)" + WORD, 65,
              ("bindpw {}\n", "ldap_default_authtok = {}\n", "rootpw\t{}\n", "bindpw: {}\n"),
              ("bindpw secret\n", "ldap_default_authtok_type = password\n", "bindpw ${LDAP_PW}\n", "stored in olcRootDN/olcRootPW only.\n", "what rootpw means.\n")),
    form_rule("ldap/command-line", LDAP, rb"(?<![A-Za-z0-9_-])ldap(?:search|add|modify|delete|passwd|whoami|modrdn) (?:[^\n|;]{0,200}? )?-w ?[\"']?" + WORD, 70,
              ("ldapsearch -x -D cn=admin,dc=corp,dc=io -w {} -b dc=corp,dc=io\n", "ldapadd -x -w '{}' -f users.ldif\n", "RUN ldapmodify -H ldaps://ldap.corp.io -w {} -f a.ldif\n"),
              ("ldapsearch -x -D cn=admin -W -b dc=corp,dc=io\n", "ldapsearch -x -w $LDAP_PW -b dc=corp\n", "ldapsearch -x -w secret -b dc=corp\n"),
              anchor=rb"ldap(?:search|add|modify|delete|passwd|whoami|modrdn) (?:[^\n|;]{0,200} )?-w"),
    form_rule("smtp/cleartext-scheme", SMTP, rb"(?<![A-Za-z0-9$])\{(?i:PLAIN|CLEAR|CLEARTEXT)\}(?P<secret>[^\s:\"'{}$]{6,128})(?=[\s:\"']|\Z)", 70,
              ("svc@corp.io:{PLAIN}{}:5000:5000::/var/mail::\n", "userPassword: {CLEARTEXT}{}\n"),
              ("svc@corp.io:{PLAIN}password:5000\n", "svc@corp.io:{SHA512-CRYPT}{}\n", "auth mechanisms: {PLAIN} {}\n")),
    form_rule("smtp/sasl", SMTP, rb"(?<![^\n])\[?[A-Za-z0-9.-]{3,120}\]?(?::\d{2,5})?[ \t]{1,8}(?:[^\s:@]{1,64}(?:@[A-Za-z0-9.-]{3,100})?):(?P<secret>[^\s:/]{6,128})(?=[ \t]{0,4}(?:[\r\n]|\Z))", 60,
              ("[smtp.corp.io]:587 svc@corp.io:{}\n", "smtp.corp.io svc:{}\n", "[mail.corp.io]:465\tsvc@corp.io:{}\n"),
              ("[smtp.corp.io]:587 svc@corp.io\n", "[smtp.corp.io]:587 user:password\n", "relayhost = [smtp.corp.io]:587\n"),
              anchor=rb"(?:smtp|mail|relay|email|mx)[A-Za-z0-9.-]{2,100}\]?(?::\d{2,5})?[ \t]{1,8}[^\s:]{1,120}:[^\s:/]{6}"),
)  # fmt: skip
