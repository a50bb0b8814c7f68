"""Files in which tools keep their credentials. Each is a live configuration: what is found there is rotated, and written anew there.

Copies beside them (`.bak` and the like) are echoes. Encrypted ones are named, for nobody can tell what is in them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from keyward.scan.roles import ECHO, LIVE
from keyward.scan.sources.env import COPIES
from keyward.scan.sources.host import Host, Spot, Tool

_LIVE = "not scrubbed: it is read from here; rotate it, and write the new value here"
_TOOL = "not scrubbed: its tool writes it; rotate it, then log in again"
_DELETE = "a copy: delete it, or the value alone in place"
_ENCRYPTED = "not scrubbed: encrypted"


def _live(folder: str, format: str, *patterns: str, scrub: str = _LIVE, copies: bool = True) -> Iterator[Spot]:
    """Spots of live files in a folder, and of the copies that lie beside them."""
    for pattern in patterns:
        if copies and "**" not in pattern:
            for ending in COPIES:
                yield Spot(folder, f"{pattern}.{ending}", format, _DELETE, ECHO)
            yield Spot(folder, f"{pattern}~", format, _DELETE, ECHO)
        yield Spot(folder, pattern, format, scrub, LIVE)


def _aws(host: Host) -> Iterator[Spot]:
    folder = os.path.join(host.home, ".aws")
    for variable in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        yield from _named_by(host, variable, "INI")
    yield from _live(folder, "INI", "credentials", "config")
    yield from _live(folder, "JSON", "sso/cache/*.json", "cli/cache/*.json", "login/cache/*.json", scrub=_TOOL, copies=False)
    yield from _live(host.home, "INI", ".boto", ".s3cfg", ".passwd-s3fs")
    yield from _live(os.path.join(host.home, ".mc"), "JSON", "config.json", scrub=_TOOL)


def _named_by(host: Host, variable: str, format: str, scrub: str = _LIVE) -> Iterator[Spot]:
    """The file that a variable names, if it is set."""
    if host.environ.get(variable):
        folder, name = os.path.split(host.variable(variable, ""))
        yield Spot(folder, name, format, scrub, LIVE)


def _netrc(host: Host) -> Iterator[Spot]:
    yield from _named_by(host, "NETRC", "netrc")
    yield from _live(host.home, "netrc", ".netrc", "_netrc")
    yield Spot(host.home, ".netrc.gpg", "OpenPGP", _ENCRYPTED, LIVE, opaque="encrypted (OpenPGP)")
    yield from _live(host.home, "netrc", ".authinfo")
    yield Spot(host.home, ".authinfo.gpg", "OpenPGP", _ENCRYPTED, LIVE, opaque="encrypted (OpenPGP)")


def _git(host: Host) -> Iterator[Spot]:
    yield from _live(host.home, "URL a line, percent-encoded", ".git-credentials")
    yield from _live(os.path.join(host.config, "git"), "URL a line, percent-encoded", "credentials")
    yield from _live(host.home, "git configuration", ".gitconfig", ".gitconfig.local", ".gitconfig-*")
    yield from _live(os.path.join(host.config, "git"), "git configuration", "config", "config.*")
    scrub = "not scrubbed: git reads it; `git remote set-url` without the value"
    yield Spot("", ".git/config", "git configuration", scrub, LIVE)
    yield Spot("", ".git/modules/*/config", "git configuration", scrub, LIVE)
    yield Spot("", ".git/config.worktree", "git configuration", scrub, LIVE)
    yield Spot("", ".git/FETCH_HEAD", "git's own list", "delete it: the next fetch writes it", ECHO)
    yield Spot("", ".gitmodules", "git configuration", "the value alone, in place", LIVE)


def _forges(host: Host) -> Iterator[Spot]:
    yield from _live(os.path.join(host.config, "gh"), "YAML", "hosts.yml", "config.yml", scrub=_TOOL)
    yield from _live(os.path.join(host.config, "glab-cli"), "YAML", "config.yml", "aliases.yml", scrub=_TOOL)
    if host.mac:
        yield from _live(os.path.join(host.application_support, "glab-cli"), "YAML", "config.yml", scrub=_TOOL)
    yield from _live(host.config, "YAML", "hub", scrub=_TOOL)
    yield from _live(os.path.join(host.config, "tea"), "YAML", "config.yml", scrub=_TOOL)
    yield from _live(os.path.join(host.config, "github-copilot"), "JSON", "hosts.json", "apps.json", scrub=_TOOL)


def _docker(host: Host) -> Iterator[Spot]:
    folder = host.variable("DOCKER_CONFIG", ".docker")
    form = "JSON, `auth` in base64"
    yield from _live(folder, form, "config.json", scrub=_TOOL)
    yield from _live(host.home, form, ".dockercfg", scrub=_TOOL)
    yield from _live(os.path.join(host.config, "containers"), form, "auth.json", scrub=_TOOL)
    yield Spot(folder, "contexts/**", "JSON and PEM", _TOOL, LIVE)


def _kubernetes(host: Host) -> Iterator[Spot]:
    form = "YAML, certificates and keys in base64"
    for path in filter(None, host.environ.get("KUBECONFIG", "").split(os.pathsep)):
        folder, name = os.path.split(os.path.normpath(os.path.join(host.home, path)))
        yield Spot(folder, name, form, _LIVE, LIVE)
    yield from _live(os.path.join(host.home, ".kube"), form, "config", "*.yaml", "*.yml", "*.conf", "configs/*")
    yield Spot(os.path.join(host.home, ".kube", "cache"), "oidc-login/*", "JSON", _TOOL, LIVE)
    yield from _live("", form, "kubeconfig", "kubeconfig.y*ml", "*.kubeconfig", "admin.conf", copies=False)
    yield from _live(
        os.path.join(host.config, "helm"), "YAML and JSON", "repositories.yaml", "registry/config.json", scrub=_TOOL
    )
    for name in ("rancher", "k3s"):
        yield Spot(os.path.join(host.root, "etc", "rancher", name), "*.yaml", form, _LIVE, LIVE, root=True)


def _packages(host: Host) -> Iterator[Spot]:
    home = host.home
    yield from _named_by(host, "NPM_CONFIG_USERCONFIG", "npm's INI")
    yield from _live(home, "npm's INI", ".npmrc")
    yield Spot("", ".npmrc", "npm's INI", _LIVE, LIVE)
    yield from _live(home, "YAML", ".yarnrc.yml", ".yarnrc")
    yield Spot("", ".yarnrc.yml", "YAML", _LIVE, LIVE)
    yield from _live(os.path.join(host.config, "pnpm"), "npm's INI", "rc", "auth.ini")
    yield from _live(home, "TOML", ".bunfig.toml")
    yield from _live(home, "INI", ".pypirc")
    for folder in (os.path.join(host.config, "pip"), os.path.join(home, ".pip")):
        yield from _live(folder, "INI with URLs", "pip.conf")
    yield Spot("", "pip.conf", "INI with URLs", _LIVE, LIVE)
    yield from _live(os.path.join(host.config, "pypoetry"), "TOML", "auth.toml", "config.toml")
    yield from _live(os.path.join(host.application_support, "pypoetry"), "TOML", "auth.toml") if host.mac else ()
    yield from _live(os.path.join(host.config, "uv"), "TOML with URLs", "uv.toml")
    yield from _live(os.path.join(host.data, "uv", "credentials"), "TOML", "credentials.toml", scrub=_TOOL)
    yield from _live(host.variable("CARGO_HOME", ".cargo"), "TOML", "credentials.toml", "credentials", "config.toml")
    yield from _live(os.path.join(home, ".gem"), "YAML", "credentials")
    yield from _live(os.path.join(host.data, "gem"), "YAML", "credentials")
    yield from _live(os.path.join(home, ".bundle"), "YAML", "config")
    yield from _live(os.path.join(home, ".m2"), "XML", "settings.xml", "settings-security.xml")
    yield from _live(host.variable("GRADLE_USER_HOME", ".gradle"), "properties", "gradle.properties", "init.gradle")
    yield from _live(home, "properties", ".sbt/.credentials", ".ivy2/.credentials")
    for folder in (os.path.join(home, ".nuget", "NuGet"), os.path.join(host.config, "NuGet")):
        yield from _live(folder, "XML", "NuGet.Config", "nuget.config")
    yield from _live("", "XML", "nuget.config", "NuGet.Config", copies=False)
    for folder in (host.variable("COMPOSER_HOME", ".composer"), os.path.join(host.config, "composer")):
        yield from _live(folder, "JSON", "auth.json", "config.json")
    yield from _live(home, "YAML", ".condarc")
    yield from _live(os.path.join(home, ".hex"), "Erlang terms", "hex.config")


def _clouds(host: Host) -> Iterator[Spot]:
    home = host.home
    gcloud = host.variable("CLOUDSDK_CONFIG", os.path.join(host.config, "gcloud"))
    yield from _named_by(host, "GOOGLE_APPLICATION_CREDENTIALS", "JSON: service account", _LIVE)
    yield from _live(gcloud, "SQLite", "credentials.db", "access_tokens.db", scrub=_TOOL)
    yield from _live(gcloud, "JSON", "application_default_credentials.json", scrub=_TOOL)
    yield Spot(gcloud, "legacy_credentials/**", "JSON", _TOOL, LIVE)
    yield Spot(gcloud, "configurations/*", "INI", _TOOL, LIVE)
    yield Spot(gcloud, "logs/**", "log", "the value alone, in place", ECHO)
    azure = host.variable("AZURE_CONFIG_DIR", ".azure")
    encrypted = "encrypted by the platform"
    yield Spot(azure, "msal_token_cache.bin", "DPAPI", _ENCRYPTED, LIVE, opaque=encrypted)
    yield from _live(
        azure, "JSON", "msal_token_cache.json", "msal_http_cache.bin", "azureProfile.json", "accessTokens.json",
        "service_principal_entries.json", scrub=_TOOL,
    )  # fmt: skip
    yield Spot(azure, "service_principal_entries.bin", "DPAPI", _ENCRYPTED, LIVE, opaque=encrypted)
    yield from _live(azure, "INI", "config", "clouds.config")
    for doctl in (os.path.join(host.config, "doctl"), os.path.join(host.application_support, "doctl")):
        yield from _live(doctl, "YAML", "config.yaml", scrub=_TOOL)
    yield from _live(os.path.join(home, ".oci"), "INI and PEM", "config", "*.pem", "sessions/*/token")
    yield from _live(os.path.join(home, ".aliyun"), "JSON", "config.json", scrub=_TOOL)
    yield from _live(os.path.join(home, ".tccli"), "JSON", "*.credential", "*.configure", scrub=_TOOL)
    yield from _live(os.path.join(home, ".hcloud"), "JSON", "config.json", scrub=_TOOL)
    yield from _live(os.path.join(home, ".bluemix"), "JSON", "config.json", scrub=_TOOL)
    yield from _live(os.path.join(host.config, "hcloud"), "TOML", "cli.toml", scrub=_TOOL)
    yield from _live(os.path.join(host.config, "linode-cli"), "INI", "*", scrub=_TOOL, copies=False)
    yield from _live(os.path.join(host.config, "scw"), "YAML", "config.yaml", scrub=_TOOL)
    yield from _live(host.config, "YAML", "vultr-cli.yaml", scrub=_TOOL)
    yield from _live(home, "YAML", ".vultr-cli.yaml", scrub=_TOOL)


def _services(host: Host) -> Iterator[Spot]:
    home, config = host.home, host.config
    yield from _live(home, "INI", ".databrickscfg")
    yield Spot(os.path.join(home, ".databricks"), "token-cache.json", "JSON", _TOOL, LIVE)
    yield from _live(os.path.join(home, ".snowflake"), "TOML", "connections.toml", "config.toml", "cache/*")
    yield from _live(os.path.join(home, ".snowsql"), "INI", "config")
    yield from _live(home, "one value", ".vault-token", scrub=_TOOL)
    for folder in (os.path.join(home, ".huggingface"), os.path.join(host.cache, "huggingface")):
        yield from _live(folder, "one value or INI", "token", "stored_tokens", scrub=_TOOL)
    yield from _live(os.path.join(home, ".terraform.d"), "JSON", "credentials.tfrc.json", scrub=_TOOL)
    yield from _live(home, "HCL", ".terraformrc", ".tofurc")
    yield from _live(os.path.join(home, ".pulumi"), "JSON", "credentials.json", scrub=_TOOL)
    yield from _live(os.path.join(config, "rclone"), "INI, passwords obscured", "rclone.conf")
    yield from _live(home, "INI, passwords obscured", ".rclone.conf")
    yield from _live(os.path.join(home, ".kaggle"), "JSON", "kaggle.json")
    yield from _live(os.path.join(config, "kaggle"), "JSON", "kaggle.json")
    yield from _live(os.path.join(config, "stripe"), "TOML", "config.toml", scrub=_TOOL)
    yield from _live(os.path.join(config, "sentry"), "INI", "sentryclirc")
    yield from _live(home, "INI", ".sentryclirc")
    yield Spot("", ".sentryclirc", "INI", _LIVE, LIVE)
    yield from _live(os.path.join(home, ".circleci"), "YAML", "cli.yml", scrub=_TOOL)
    yield from _live(os.path.join(home, ".fly"), "YAML", "config.yml", scrub=_TOOL)
    yield from _live(os.path.join(home, ".railway"), "JSON", "config.json", scrub=_TOOL)
    yield from _live(os.path.join(home, ".netlify"), "JSON", "config.json", scrub=_TOOL)
    yield from _live(os.path.join(config, "netlify"), "JSON", "config.json", scrub=_TOOL)
    for folder in (os.path.join(host.data, "com.vercel.cli"), os.path.join(host.application_support, "com.vercel.cli")):
        yield from _live(folder, "JSON", "auth.json", scrub=_TOOL)
    for folder in (os.path.join(config, ".wrangler"), os.path.join(home, ".wrangler"), os.path.join(home, ".cloudflared")):
        yield Spot(folder, "**", "TOML, JSON and PEM", _TOOL, LIVE)
    yield from _live(os.path.join(config, "configstore"), "JSON", "*.json", scrub=_TOOL, copies=False)
    yield from _live(os.path.join(config, "heroku"), "JSON", "*.json", scrub=_TOOL, copies=False)
    yield from _live(os.path.join(config, "ngrok"), "YAML", "ngrok.yml")
    yield from _live(os.path.join(home, ".ngrok2"), "YAML", "ngrok.yml")
    yield from _live(home, "INI", ".openai", ".anthropic", ".wandb", ".cdsapirc", ".surfer.toml")
    yield from _live(os.path.join(config, "openai"), "any", "*", copies=False)
    yield from _live(os.path.join(config, "llm"), "JSON", "keys.json")
    yield from _live(os.path.join(config, "io.datasette.llm"), "JSON", "keys.json")
    yield from _live(os.path.join(host.application_support, "io.datasette.llm"), "JSON", "keys.json") if host.mac else ()
    yield from _live(os.path.join(home, ".jira.d"), "YAML", "config.yml")
    yield from _live(os.path.join(config, ".jira"), "YAML", ".config.yml")
    yield from _live(os.path.join(home, ".config", "op"), "JSON", "config", scrub=_TOOL)


def _databases(host: Host) -> Iterator[Spot]:
    yield from _named_by(host, "PGPASSFILE", "pgpass")
    yield from _live(host.home, "pgpass", ".pgpass", ".pg_service.conf", ".psqlrc")
    yield Spot(host.home, ".mylogin.cnf", "obscured", _LIVE, LIVE, opaque="obscured by mysql_config_editor")
    yield from _live(host.home, "INI", ".my.cnf", ".mariadb.cnf")
    yield from _live(host.home, "JavaScript", ".mongorc.js", ".mongoshrc.js")
    yield from _live(os.path.join(host.home, ".dbt"), "YAML", "profiles.yml")
    yield Spot("", "profiles.yml", "YAML", _LIVE, LIVE)
    yield Spot(
        host.data,
        "DBeaverData/workspace6/*/.dbeaver/credentials-config.json",
        "AES with a known key",
        _ENCRYPTED,
        LIVE,
        opaque="encrypted by DBeaver",
    )
    yield Spot(host.data, "DBeaverData/workspace6/*/.dbeaver/data-sources*.json", "JSON", _LIVE, LIVE)


def _infrastructure(host: Host) -> Iterator[Spot]:
    state = "not scrubbed: its serial and lineage bind it; rotate, then `terraform apply`"
    for pattern in ("*.tfstate.backup", "*.tfstate.*.backup", "errored.tfstate"):
        yield Spot("", pattern, "JSON: Terraform's state", _DELETE, ECHO)
    yield Spot("", "*.tfstate", "JSON: Terraform's state", state, LIVE)
    for pattern in ("*.tfvars", "*.tfvars.json", "*.auto.tfvars"):
        yield Spot("", pattern, "HCL or JSON", _LIVE, LIVE)
    sealed = "encrypted by Ansible Vault"
    vault = (b"$ANSIBLE_VAULT;",)
    for pattern in ("vault.yml", "vault.yaml", "*.vault.yml", "vault/*.yml", "group_vars/**", "host_vars/**"):
        yield Spot("", pattern, "YAML or Ansible Vault", _LIVE, LIVE, opaque=sealed, marks=vault)
    sops = (b"ENC[AES256_GCM,", b'"sops":', b"\nsops:")
    for pattern in ("secrets.y*ml", "secrets.json", "secrets.toml", "*.sops.*", "*.enc.y*ml", "*.enc.json", "secrets/*.y*ml"):
        yield Spot("", pattern, "YAML, JSON or TOML; sops", _LIVE, LIVE, opaque="values encrypted by sops", marks=sops)
    yield Spot("", "*.age", "age", _ENCRYPTED, LIVE, opaque="encrypted (age)")
    for pattern in ("values.y*ml", "*-secret.y*ml", "*-secrets.y*ml", "secret.y*ml", "*.secret.y*ml"):
        yield Spot("", pattern, "YAML: Kubernetes or Helm; `data` in base64", _LIVE, LIVE)
    for pattern in ("appsettings*.json", "local.settings.json", "web.config", "application*.properties", "application*.y*ml"):
        yield Spot("", pattern, "an application's settings", _LIVE, LIVE)
    for pattern in (
        "wp-config.php",
        "settings_local.py",
        "local_settings.py",
        "credentials.json",
        "service-account*.json",
        "client_secret*.json",
        ".streamlit/secrets.toml",
    ):
        yield Spot("", pattern, "an application's settings", _LIVE, LIVE)
    yield Spot(os.path.join(host.home, ".microsoft", "usersecrets"), "*/secrets.json", "JSON", _LIVE, LIVE)


def _keys(host: Host) -> Iterator[Spot]:
    ssh = os.path.join(host.home, ".ssh")
    scrub = "not scrubbed: make a new key, spread its public part, remove the old one everywhere"
    yield Spot(ssh, "*.pub", "public key", "nothing to scrub", LIVE)
    for name in ("known_hosts*", "authorized_keys*"):
        yield Spot(ssh, name, "lines", "nothing to scrub but comments", LIVE)
    yield from _live(ssh, "ssh configuration", "config", "config.d/*", "environment")
    yield Spot(ssh, "**", "PEM or OpenSSH key", scrub, LIVE)
    yield Spot("", "*.pem", "PEM", scrub, LIVE)
    for pattern in ("*.p12", "*.pfx", "*.jks", "*.keystore"):
        yield Spot("", pattern, "PKCS #12 or Java keystore", _ENCRYPTED, LIVE, opaque="a keystore with a passphrase")
    yield Spot("", "id_rsa", "PEM or OpenSSH key", scrub, LIVE)
    yield Spot("", "id_ed25519", "PEM or OpenSSH key", scrub, LIVE)
    for pattern in ("*.ppk", "*.ovpn"):
        yield Spot("", pattern, "key file", scrub, LIVE)
    gpg = host.variable("GNUPGHOME", ".gnupg")
    yield Spot(gpg, "private-keys-v1.d/*.key", "OpenPGP", _ENCRYPTED, LIVE, opaque="a private key of GnuPG's own form")
    yield Spot(gpg, "secring.gpg", "OpenPGP", _ENCRYPTED, LIVE, opaque="a private key of GnuPG's own form")
    yield from _live(os.path.join(host.config, "sops", "age"), "age identity", "keys.txt")
    yield from _live(os.path.join(host.config, "age"), "age identity", "*.txt", "*.key", copies=False)


def _keyrings(host: Host) -> Iterator[Spot]:
    """Stores that their owner encrypts. They are named, so that nobody takes them for clean."""
    sealed: Iterable[tuple[str, str, str, str]] = (
        (os.path.join(host.data, "keyrings"), "*.keyring", "GNOME keyring", "encrypted by the GNOME keyring"),
        (os.path.join(host.data, "kwalletd"), "*.kwl", "KWallet", "encrypted by KWallet"),
        (os.path.join(host.home, "Library", "Keychains"), "**", "macOS keychain", "encrypted by the macOS keychain"),
        (host.variable("PASSWORD_STORE_DIR", ".password-store"), "**/*.gpg", "OpenPGP", "encrypted by pass"),
        ("", "*.kdbx", "KeePass", "encrypted by KeePass"),
        (os.path.join(host.config, "Bitwarden"), "data.json", "Bitwarden", "encrypted by Bitwarden"),
        (os.path.join(host.config, "1Password"), "**/*.sqlite", "1Password", "encrypted by 1Password"),
        (os.path.join(host.data, "keyward"), "*.age", "age", "encrypted by keyward's own store"),
    )
    for folder, pattern, form, why in sealed:
        yield Spot(folder, pattern, form, _ENCRYPTED, LIVE, opaque=why)


TOOLS = (
    Tool("aws", "configs", "AWS and S3 tools", _aws),
    Tool("netrc", "configs", "netrc", _netrc),
    Tool("docker", "configs", "Docker, Podman and containers", _docker),
    Tool("forges", "configs", "GitHub's, GitLab's and Gitea's command lines", _forges),
    Tool("clouds", "configs", "command lines of cloud providers", _clouds),
    Tool("services", "configs", "command lines of services", _services),
    Tool("databases", "configs", "database clients", _databases),
    Tool("kubernetes", "configs", "kubectl, helm and friends", _kubernetes),
    Tool("git", "configs", "git", _git),
    Tool("packages", "configs", "package managers", _packages),
    Tool("infrastructure", "configs", "Terraform, Ansible, sops, applications' settings", _infrastructure),
    Tool("keys", "configs", "private keys", _keys),
    Tool("keyrings", "configs", "keyrings and password managers", _keyrings),
)
