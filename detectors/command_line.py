"""Passwords and tokens that are handed to programs on a command line.

What it is: what follows `htpasswd -b`, `keytool -storepass`, `zip -P`, `7z -p`, `smbclient -U user%…`, `lftp -u user,…`, `sqlplus user/…@`, `az login -p`,
  `rabbitmqctl add_user`, `xfreerdp /p:`, `ipmitool -P`, `openssl enc -k`; what is piped into `sudo -S`, `docker login --password-stdin`, `chpasswd`, `passwd`; what
  `expect` sends, what stands in captured sessions of FTP, POP3, IMAP and SMTP; what `vault login`, `snyk auth`, `doctl auth init -t`, `gh secret set -b`, `etcdctl put …/token` and their like are given.
Where it is used: shell histories, scripts, Dockerfiles, CI jobs, runbooks, transcripts of agents that ran it. Every user of the host could read it in `ps`.
What an attacker can do: whatever the account may do at the system that the command speaks to.
How to replace it: change it at that system; then hand it over by standard input, a file that only you can read, or a prompt.
References: https://cwe.mitre.org/data/definitions/214.html
"""

from __future__ import annotations

import re

from keyward.plugin import CredentialKind, Kind, Manual, Parts, Signal
from keyward.plugin.letters import UNREADABLE, fluency, is_random
from keyward.plugin.shapes import an

from ._passwords import form_rule, judge, where

PASSWORD, TOKEN = Kind("command-line/password"), Kind("command-line/token")

_SOURCE = "https://cwe.mitre.org/data/definitions/214.html"

KINDS = (
    CredentialKind(
        PASSWORD,
        "Password on a command line",
        "high",
        public=("user",),
        describe=where,
        manual=Manual(
            ("Change the password at the system that the command speaks to.", "Update what else uses it.", "Hand it over by standard input or a file."),
            _SOURCE,
        ),
        references=(_SOURCE,),
    ),
    CredentialKind(
        TOKEN,
        "Token on a command line",
        "high",
        manual=Manual(
            ("Revoke the token at the service that the command speaks to.", "Make a new one for what else uses it.", "Hand it over by standard input or a file."),
            _SOURCE,
        ),
        references=(_SOURCE,),
    ),
)  # fmt: skip

_BEGIN = rb"(?<![A-Za-z0-9_.-])"
_GAP = rb"[^\n|;]{0,120}?"
_WORD = rb"[\"']?(?P<secret>[^\s\"'`$<>(){}%][^\s\"'`<>\\]{3,127})(?=[\s\"'`\\]|\Z)"
_USER = rb"(?P<user>[\w.@\\-]{1,64})"
_NAME = rb"[\w.-]{1,64}"

_BY_OPTION = (
    rb"(?:az login\b" + _GAP + rb"(?:-p|--password)[ =]|"
    rb"(?:useradd|usermod|adduser)\s" + _GAP + rb"(?:-p|--password)[ =]|"
    rb"(?:mongo|mongosh|mongodump|mongorestore|mongoexport|mongoimport|cqlsh|rdesktop|racadm|crackmapexec|netexec|nxc|evil-winrm|ncftp|kcadm(?:\.sh)?|twine|nuget|knife|oc login|cf (?:login|auth)|vboxmanage|vmrun|govc|ovftool|mysqlsh|cypher-shell|keybase|proxychains|tsh|octo)\s" + _GAP + rb"\s-[pP][ =]?|"
    rb"(?:xfreerdp\d?|wfreerdp)\s" + _GAP + rb"/p:|"
    rb"(?:ipmitool|mosquitto_(?:pub|sub))\s" + _GAP + rb"\s-P |"
    rb"(?:un)?zip\s(?:" + _GAP + rb"\s)?-P ?|"
    rb"(?:7z[ar]?|7zz|rar|unrar) [aexltu]" + _GAP + rb"\s-(?:h?p)|"
    rb"ldappasswd\s" + _GAP + rb"\s-[sa] |"
    rb"grafana-cli\s" + _GAP + rb"reset-admin-password |"
    rb"openssl enc\s" + _GAP + rb"\s-k |"
    rb"snmp(?:walk|get|set|bulkwalk|trap)\s" + _GAP + rb"\s-[AX] |"
    rb"nmcli\s" + _GAP + rb"(?:password|wifi-sec\.psk|802-11-wireless-security\.psk) |"
    rb"rclone\s" + _GAP + rb"\s(?:pass|password)[ =]|"
    rb"(?:keytool|jarsigner|java|javac|apksigner|signtool|openssl|gradlew?)\b" + _GAP + rb"\s-(?:src|dest|new)?(?:store|key)pass(?:word)? )"
)
_BY_PLACE = (
    rb"(?:htpasswd(?: -[A-Za-z]{1,8}){0,4} -[A-Za-z]{0,6}b[A-Za-z]{0,6}(?: -[A-Za-z]{1,8}){0,3}(?: [^\s\"'|;]{1,200})? " + _NAME + rb" |"
    rb"mosquitto_passwd -b \S{1,200} " + _NAME + rb" |"
    rb"pulumi config set (?:-{1,2}\S{1,40} ){0,4}--secret (?:-{1,2}\S{1,40} ){0,4}" + _NAME + rb" |"
    rb"(?:etcdctl|influx|solr|arangosh|nomad|jenkins-cli(?:\.jar)?|cypher-shell)\s" + _GAP + rb"(?:--user|-auth|--auth)[ =]" + _NAME + rb":|"
    rb"stats auth " + _NAME + rb":|cache_peer\s" + _GAP + rb"\slogin=" + _NAME + rb":|MONITOR \S{3,80} \d+ " + _NAME + rb" |"
    rb"rabbitmqctl (?:-\S{1,60} ){0,3}(?:add_user|change_password) " + _NAME + rb" |"
    rb"wpa_passphrase [\"']?[^\s\"']{1,32}[\"']? |"
    rb"mc (?:alias set|config host add) " + _NAME + rb" \S{4,200} \S{3,128} |"
    rb"lftp\s[^\n]{0,160}?-u [\"']?" + _NAME + rb",|"
    rb"(?:smbclient|rpcclient|smbmap|smbget|net (?:ads|rpc))\s" + _GAP + rb"(?:-U|--user=?) ?[\"']?[\w.\\/-]{1,80}%|"
    rb"net(?:\.exe)? use [^\n|;/]{0,40}\\\\[^\s\"']{3,120} (?=\S{4,64} /user:)|"
    rb"\"AUTH\" (?:\"" + _NAME + rb"\" )?|user " + _NAME + rb" insecure-password |(?:NickServ[: ]{1,2})?IDENTIFY (?:" + _NAME + rb" )?(?=\S{8})|"
    rb"createUser " + _NAME + rb" (?:MD5|SHA(?:-?\d{3})?) )"
)
_BEFORE_HOST = (
    rb"(?:(?:sqlplus|expdp|impdp|sqlldr|rman target)\s(?:-[A-Za-z]{1,3} ){0,3}[\"']?" + _NAME + rb"/|"
    rb"impacket-\w{3,20} (?:-\S{1,30} ){0,3}[\"']?(?:[\w.-]{1,60}/)?" + _NAME + rb":)"
)
_READS_IT = (
    rb"(?:sudo (?:-\S{1,12} ){0,4}?-[A-Za-z]{0,4}S|(?:sudo )?(?:(?:docker|podman|buildah|skopeo|crane auth|helm registry|nerdctl|oras|cosign) login|passwd|chpasswd|su(?: -|\s)|kinit|cryptsetup|"
    rb"gpg2? [^\n]{0,60}--passphrase-fd|[a-z][\w.-]{1,30} [^\n|]{0,120}?--(?:pass\w{0,8}|token|secret|api-key|with)-(?:on-|from-)?(?:stdin|token)|openssl [^\n]{0,80}-pass(?:in)? (?:stdin|fd:0)))"
)
_ECHOED = rb"(?:echo|printf)(?: -[neE]{1,3})?(?: [\"']?%s(?:\\n)?[\"']?)? [\"']?"
_ENTERED = rb"(?:[\w.-]{1,32}:)?(?P<secret>[^\s\"'`$<>(){}%:\\|][^\s\"'`<>\\|]{3,127})"
_PIPED = rb"(?:\\n(?P=secret))?(?:\\n)?[\"']? ?\| ?"
_FED = rb"(?:chpasswd|kinit [\w@./-]{1,80}|cryptsetup [^\n<]{1,120}|passwd [^\n<]{0,40}|sudo -S [^\n<]{0,100}|(?:docker|podman) login [^\n<]{0,100}) ?<<< ?[\"']?"

_GIVEN_TOKEN = (
    rb"(?:vault login(?: -\S{1,40}){0,3} (?:token=)?|(?:snyk|railway|netlify|expo|codecov|pulumi) (?:auth|login) (?:--?\w{1,10}[ =])?|doctl auth init (?:-t|--access-token)[ =]|"
    rb"(?:gh|glab) (?:secret|variable) set [\w-]{1,80} (?:[^\n|;]{0,60}? )?(?:-b|--body|-v|--value)[ =]|"
    rb"(?:consul kv put|etcdctl put|redis-cli(?: -\S{1,40}){0,4} [sS][eE][tT]|aws ssm put-parameter [^\n|;]{0,120}?--value) (?:[^\s\"']{0,80}(?:secret|token|key|passw)[^\s\"']{0,40} )?|"
    rb"(?:wrangler|flyctl|fly|supabase) secrets? (?:set|put) [\w-]{1,80}(?:=| ?<<< ?)|(?:npm|yarn|pnpm) config set [\"']?[^\s\"']{1,120}_authToken[\"']?[ =])"
)


_TEMPLATE = re.compile(rb"\{\w{0,12}\}|\{\{|(?:\A|:)\$|\$\{|%[A-Za-z_]+%")


def _password(parts: Parts) -> Signal | None:
    """Manuals and messages of programs go on with a word after the option."""
    secret = parts["secret"]
    if _TEMPLATE.search(secret):
        return Signal("context", -60, "the password is a template")
    if not secret.isascii():
        return Signal("context", -60, "a word of another language")
    if secret.rstrip(b".,;:").isalpha() and fluency(secret.rstrip(b".,;:")) >= UNREADABLE and len(secret) < 20:
        return Signal("context", -30, "a word")
    return judge(parts)


def _token(parts: Parts) -> Signal | None:
    """A token was drawn by a machine; anything else in its place is the name of a profile or a file."""
    return None if is_random(parts["secret"]) else Signal("context", -60, "not drawn at random")


RULES = (
    form_rule(
        "command-line/option",
        PASSWORD,
        _BEGIN + _BY_OPTION + _WORD,
        70,
        (
            "az login --service-principal -u svc -p {} --tenant corp\n",
            "useradd -m -p {} svc\n",
            "mongosh --host db3 -u svc -p {} --authenticationDatabase admin\n",
            "cqlsh -u svc -p {} db3\n",
            "xfreerdp /u:svc /p:{} /v:web3\n",
            "ipmitool -I lanplus -H bmc3 -U svc -P {} power status\n",
            "zip -r -P {} backup.zip data\n",
            "7z x -p{} backup.7z\n",
            "openssl enc -aes-256-cbc -k {} -in data\n",
            "snmpwalk -v3 -l authPriv -u svc -A {} web3\n",
            "nmcli dev wifi connect corp password '{}'\n",
            "keytool -list -keystore app.jks -storepass {}\n",
        ),
        (
            "az login --service-principal -u svc -p $SECRET --tenant corp\n",
            "mongosh --host db3 -u svc -p password\n",
            "zip -r backup.zip {}\n",
            "mkdir -p {}\n",
            "keytool -list -keystore app.jks -storepass changeit\n",
            "ssh -p {} svc@web3\n",
        ),
        anchor=_BY_OPTION.replace(b"}?", b"}"),
        check=_password,
    ),
    form_rule(
        "command-line/positional",
        PASSWORD,
        _BEGIN + _BY_PLACE + _WORD,
        70,
        (
            "htpasswd -bc /etc/nginx/.htpasswd svc {}\n",
            "rabbitmqctl add_user svc {}\n",
            "wpa_passphrase corp '{}'\n",
            "mc alias set minio https://s3.corp.io svc {}\n",
            "lftp -u svc,{} ftp.corp.io\n",
            "smbclient //nas3/share -U svc%{}\n",
            "net use z: \\\\nas3\\share {} /user:svc\n",
            "mosquitto_passwd -b /etc/mosquitto/passwd svc {}\n",
            "    stats auth svc:{}\n",
            "etcdctl --user root:{} get /app\n",
            "createUser svc SHA \"{}\" AES\n",
            '1714640000.1 [0 10.0.0.5:40112] "AUTH" "{}"\n',
            "    user svc insecure-password {}\n",
            "/msg NickServ IDENTIFY {}\n",
        ),
        (
            "htpasswd -c /etc/nginx/.htpasswd {}\n",
            "rabbitmqctl add_user svc $PASSWORD\n",
            "rabbitmqctl set_user_tags svc {}\n",
            "mc alias list {}\n",
            "smbclient //nas3/share -U svc\n",
        ),
        anchor=_BY_PLACE.replace(b"}?", b"}"),
        check=_password,
    ),
    form_rule(
        "command-line/before-host",
        PASSWORD,
        _BEGIN + _BEFORE_HOST + rb"(?P<secret>[^\s\"'`$<>(){}%@][^\s\"'`<>@\\]{3,127})@[\w./:-]{1,120}",
        70,
        ("sqlplus svc/{}@db3/orders\n", "expdp svc/{}@orcl schemas=shop\n", "impacket-psexec corp/svc:{}@10.2.0.9\n"),
        ("sqlplus svc@db3/{}\n", "sqlplus svc/$PASSWORD@db3/orders\n", "sqlplus scott/tiger@orcl\n", "impacket-psexec corp/svc@10.2.0.9 {}\n"),
        anchor=_BEFORE_HOST,
        check=_password,
    ),
    form_rule(
        "command-line/piped",
        PASSWORD,
        _BEGIN + _ECHOED + _ENTERED + _PIPED + _READS_IT,
        70,
        (
            "echo {} | sudo -S apt-get update\n",
            "echo '{}' | docker login -u svc --password-stdin reg.corp.io\n",
            'echo "svc:{}" | chpasswd\n',
            "printf '%s\\n' '{}' | sudo -S true\n",
        ),
        (
            "echo $PASSWORD | sudo -S apt-get update\n",
            "echo {} | sudo tee /etc/motd\n",
            "echo 'svc:password' | chpasswd\n",
            "cat {} | docker login -u svc --password-stdin\n",
        ),
        anchor=rb"\| ?" + _READS_IT,
        check=_password,
    ),
    form_rule(
        "command-line/here-string",
        PASSWORD,
        _BEGIN + _FED + _ENTERED + rb"(?=[\s\"'`]|\Z)",
        70,
        ("kinit svc@CORP.IO <<< {}\n", 'chpasswd <<< "svc:{}"\n', "sudo -S apt-get update <<< '{}'\n"),
        ("kinit svc@CORP.IO <<< $PASSWORD\n", "cat <<< {}\n", "chpasswd < {}\n", "chpasswd <<< svc:password\n"),
        anchor=rb"<<< ?[\"']?[^\s\"'`$<>(){}%\\|][^\s\"'`<>\\|]{3}",
        check=_password,
    ),
    form_rule(
        "command-line/ftp",
        PASSWORD,
        rb"(?<![A-Za-z0-9_])s?ftp [^\n]{0,120}\n(?:[^\n]{0,120}\n){0,3}?[ \t]*(?:quote )?(?:user|USER) " + _NAME + rb"[ \t](?:\n?(?:quote )?PASS )?" + _WORD,
        70,
        ("ftp -inv ftp.corp.io <<EOF\nuser svc {}\nput a.xml\nEOF\n", "ftp -n ftp.corp.io <<END\nverbose\nuser svc {}\nEND\n", "ftp -n <<EOF\nopen ftp.corp.io\nuser svc {}\nbye\nEOF\n"),
        ("ftp -inv ftp.corp.io <<EOF\nuser svc\nput {}\nEOF\n", "ftp -inv ftp.corp.io <<EOF\nuser svc $PASSWORD\nEOF\n", "ftp -inv ftp.corp.io <<EOF\nuser svc password\nEOF\n", "user svc {}\n"),
        anchor=rb"\n[ \t]{0,12}(?:quote )?(?:user|USER) " + _NAME + rb"[ \t](?:PASS )?[\"']?[^\s\"'`$<>(){}%]{4}|\nquote PASS [\"']?[^\s\"'`$<>(){}%]{4}",
        check=_password,
    ),
    form_rule(
        "command-line/cloud-init",
        PASSWORD,
        rb"chpasswd:[ ]{0,4}\r?\n(?:[ \t]{1,12}[^\n]{1,80}\n){0,3}?[ \t]{1,12}list:[ ]{0,2}[|>]?-?[ ]{0,4}\r?\n(?:[ \t]{1,16}[^\n]{1,120}\n){0,6}?[ \t]{1,16}(?:- )?[\"']?" + _NAME + rb":" + _WORD,
        70,
        ("chpasswd:\n  expire: false\n  list: |\n    ubuntu:{}\n", "chpasswd:\n  list:\n    - root:{}\n    - svc:RANDOM\n"),
        ("chpasswd:\n  expire: false\n  list: |\n    ubuntu:password\n", "chpasswd:\n  expire: false\nusers:\n  - name:{}\n", "list: |\n  ubuntu:{}\n", "chpasswd:\n  list: |\n    ubuntu:$6${}\n"),
        anchor=rb"chpasswd:[ ]{0,4}\r?\n",
        check=_password,
    ),
    form_rule(
        "command-line/session",
        PASSWORD,
        rb"(?:\bUSER " + _NAME + rb"[^\n]{0,12}\n(?:[^\n]{0,200}\n){0,3}?[^\n]{0,60}?\bPASS |334 (?:UGFzc3dvcmQ6|Password)[^\n]{0,40}\n(?:[^\n]{0,40}[:>] )?|\b[A-Za-z]{0,3}[0-9]{1,6} LOGIN [\"']?[\w.@-]{1,80}[\"']? |\bAUTH PLAIN )" + _WORD,
        70,
        (
            "USER svc\r\n331 Password required for svc\r\nPASS {}\r\n230 Logged in\r\n",
            "C: USER svc\nS: +OK\nC: PASS {}\n",
            "334 UGFzc3dvcmQ6\n{}\n235 2.7.0 Authentication successful\n",
            "a001 LOGIN svc {}\n",
            "a2 LOGIN \"svc@corp.io\" \"{}\"\n",
        ),
        ("PASS: test_{}\n", "USER svc\n331 Password required\nPASS ****\n", "USER svc\n331 Password required\nPASS password\n", "the LOGIN of {}\n", "USER svc\nACCT {}\n"),
        anchor=rb"(?:\bPASS |334 (?:UGFzc3dvcmQ6|Password)[^\n]{0,40}\n(?:[^\n]{0,40}[:>] )?|[0-9] LOGIN [\"']?[\w.@-]{1,80}[\"']? |\bAUTH PLAIN )[\"']?[^\s\"'`$<>(){}%*]{4}",
        check=_password,
    ),
    form_rule(
        "command-line/expect",
        PASSWORD,
        rb"(?i:assword|assphrase)[^\n]{0,40}?[\"'}]?\s{1,12}(?:\{\s{0,12})?(?:exp_)?send(?:_user|line)?[ (]{1,2}(?:--? )?[\"'](?P<secret>[^\s\"'`$<>(){}%\\][^\s\"'`<>\\]{3,127})\\[rn]",
        70,
        (
            'spawn ssh svc@web3\nexpect "*assword:*"\n  send "{}\\r"\n',
            'expect -re "Password: "\nsend "{}\\r"\n',
            'expect "Enter passphrase for key:"\nsend -- "{}\\r"\n',
        ),
        (
            'expect "*assword:*"\nsend "$password\\r"\n',
            'expect "login:"\nsend "{}\\r"\n',
            'expect "*assword:*"\nsend "password\\r"\n',
        ),
        anchor=rb"send(?:_user|line)?[ (]{1,2}(?:--? )?[\"'][^\s\"'`$<>(){}%\\][^\s\"'`<>\\]{3,127}\\[rn]",
        check=_password,
    ),
    form_rule(
        "command-line/token",
        TOKEN,
        _BEGIN + _GIVEN_TOKEN + rb"[\"']?(?P<secret>[A-Za-z0-9+/_.~=-]{16,1500})(?=[\s\"'`]|\Z)",
        75,
        (
            "vault login {}\n",
            "snyk auth {}\n",
            "doctl auth init -t {}\n",
            "gh secret set API_TOKEN --body '{}'\n",
            "etcdctl put /app/api_token {}\n",
            "npm config set //npm.corp.io/:_authToken {}\n",
            "fly secrets set API_TOKEN={} -a app\n",
        ),
        (
            "vault login -method=userpass username=svc\n",
            "snyk auth $TOKEN\n",
            "gh secret set API_TOKEN --body the-token-of-the-account\n",
            "etcdctl get /app/api_token {}\n",
            "npm config set registry {}\n",
        ),
        anchor=_GIVEN_TOKEN.replace(b"}?", b"}") + rb"[\"']?[A-Za-z0-9+/_.~=-]{16}",
        check=_token,
        value=an(32),
        window=2000,
    ),
)  # fmt: skip
