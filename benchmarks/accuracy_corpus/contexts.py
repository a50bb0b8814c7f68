"""The places where people leave credentials. Each context writes the fields of one credential into a file: (path, text)."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import NamedTuple

from accuracy_corpus.tokens import Token

Write = Callable[[Token], "tuple[str, str]"]


class Context(NamedTuple):
    """`group`: the kind of place. `alone`: the name is not there, so that only a value that tells itself can be asked for."""

    name: str
    group: str
    write: Write
    alone: bool = False


def camel(name: str) -> str:
    """GITHUB_TOKEN → githubToken."""
    first, *rest = name.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def pascal(name: str) -> str:
    """GITHUB_TOKEN → GithubToken."""
    return "".join(word.capitalize() for word in name.lower().split("_"))


def snake(name: str) -> str:
    """GITHUB_TOKEN → github_token."""
    return name.lower()


def dotted(name: str) -> str:
    """GITHUB_TOKEN → github.token."""
    return name.lower().replace("_", ".")


def dashed(name: str) -> str:
    """GITHUB_TOKEN → github-token."""
    return name.lower().replace("_", "-")


def same(name: str) -> str:
    """The name as it is."""
    return name


def lines(path: str, line: str, style: Callable[[str], str] = same, before: str = "", after: str = "") -> Write:
    """A file with a line for every field: `line` has $N for the name in this style and $V for the value."""

    def write(token: Token) -> tuple[str, str]:
        rows = [line.replace("$N", style(each.names[0])).replace("$V", each.value) for each in token.fields]
        return path, before + "\n".join(rows) + "\n" + after

    return write


def secret_only(path: str, text: str) -> Write:
    """A text with $V for the secret, without its name."""
    return lambda token: (path, text.replace("$V", token.fields[-1].value))


def _json(path: str, style: Callable[[str], str], shape: Callable[[dict[str, str]], object], indent: int | None = 2) -> Write:
    def write(token: Token) -> tuple[str, str]:
        members = {style(each.names[0]): each.value for each in token.fields}
        return path, json.dumps(shape(members), indent=indent) + "\n"

    return write


def _env(token: Token) -> str:
    return "".join(f"{each.names[0]}={each.value}\n" for each in token.fields)


def _notebook(token: Token) -> tuple[str, str]:
    source = [f'os.environ["{each.names[0]}"] = "{each.value}"\n' for each in token.fields]
    cell = {"cell_type": "code", "execution_count": 3, "metadata": {}, "outputs": [], "source": ["import os\n", *source]}
    return "analysis.ipynb", json.dumps({"cells": [cell], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}, indent=1)


def _transcript(token: Token) -> tuple[str, str]:
    said = {"type": "user", "message": {"role": "user", "content": f"use this for the deploy:\n{_env(token)}thanks"}}
    return "projects/x/session.jsonl", json.dumps({"type": "summary"}) + "\n" + json.dumps(said) + "\n"


def _tool_result(token: Token) -> tuple[str, str]:
    file = json.dumps({each.names[0]: each.value for each in token.fields}, indent=2)
    content = [{"type": "tool_result", "content": json.dumps({"stdout": file, "exit": 0})}]
    return "projects/x/session.jsonl", json.dumps({"type": "user", "message": {"role": "user", "content": content}}) + "\n"


def _tool_command(token: Token) -> tuple[str, str]:
    command = " ".join(f"{each.names[0]}='{each.value}'" for each in token.fields) + " python deploy.py"
    call = {"type": "tool_use", "name": "Bash", "input": {"command": command}}
    return "projects/x/session.jsonl", json.dumps({"type": "assistant", "message": {"content": [call]}}) + "\n"


_SENTENCES = (
    "The staging deploy works again, remember to clean up afterwards.",
    "Ask Kim before you change anything in the billing service.",
    "Notes from the call on Thursday, not complete yet.",
)


def _notes(token: Token) -> tuple[str, str]:
    dice = random.Random(token.fields[-1].value)
    rows = "\n".join(f"- {each.names[0]}: `{each.value}`" for each in token.fields)
    return "notes/2026-03-02.md", f"# Notes\n\n{_SENTENCES[int(dice.random() * 3)]}\n\n{rows}\n"


def _java(token: Token) -> tuple[str, str]:
    rows = "\n".join(f'    private static final String {each.names[0]} = "{each.value}";' for each in token.fields)
    return "src/main/java/io/acme/Client.java", f"package io.acme;\n\npublic class Client {{\n{rows}\n}}\n"


def _compose(token: Token) -> tuple[str, str]:
    rows = "\n".join(f"      - {each.names[0]}={each.value}" for each in token.fields)
    return (
        "docker-compose.yml",
        f"services:\n  app:\n    image: acme/app:2.1\n    environment:\n{rows}\n    ports:\n      - 8080:80\n",
    )


def _run(token: Token) -> tuple[str, str]:
    options = " ".join(f"-e {each.names[0]}={each.value}" for each in token.fields)
    return ".bash_history", f"cd app\ndocker run --rm {options} acme/app:2.1\nls\n"


def _kubectl(token: Token) -> tuple[str, str]:
    options = " ".join(f"--from-literal={each.names[0]}={each.value}" for each in token.fields)
    return ".zsh_history", f": 1790000000:0;kubectl create secret generic app {options}\n"


def _inline(token: Token) -> tuple[str, str]:
    options = " ".join(f"{each.names[0]}={each.value}" for each in token.fields)
    return ".bash_history", f"{options} ./deploy.sh --env prod\nexit\n"


def _log_env(token: Token) -> tuple[str, str]:
    rows = "".join(
        f"2026-03-02T11:14:0{at}.120Z INFO  [main] config: {each.names[0]}={each.value}\n"
        for at, each in enumerate(token.fields)
    )
    return "logs/app.log", "2026-03-02T11:14:00.001Z INFO  [main] starting\n" + rows


def _log_json(token: Token) -> tuple[str, str]:
    row = {
        "time": "2026-03-02T11:14:02Z",
        "level": "debug",
        "msg": "loaded settings",
        **{snake(each.names[0]): each.value for each in token.fields},
    }
    return "logs/app.jsonl", json.dumps(row) + "\n"


def _ci_log(token: Token) -> tuple[str, str]:
    rows = "".join(f"2026-03-02T11:14:02.0{at}12345Z   {each.names[0]}: {each.value}\n" for at, each in enumerate(token.fields))
    return "build-1.log", "2026-03-02T11:14:02.0012345Z ##[group]Run make deploy\n2026-03-02T11:14:02.0012345Z env:\n" + rows


def _tf_variable(token: Token) -> tuple[str, str]:
    return "variables.tf", "\n".join(
        f'variable "{snake(f.names[0])}" {{\n  type    = string\n  default = "{f.value}"\n}}\n' for f in token.fields
    )


def _k8s_env(token: Token) -> tuple[str, str]:
    rows = "\n".join(f'            - name: {each.names[0]}\n              value: "{each.value}"' for each in token.fields)
    return (
        "deploy.yaml",
        f"kind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n        - name: app\n          env:\n{rows}\n",
    )


def _plain(*rows: tuple[str, str, Write]) -> list[Context]:
    return [Context(name, group, write) for name, group, write in rows]


def _alone(*rows: tuple[str, str, Write]) -> list[Context]:
    return [Context(name, group, write, alone=True) for name, group, write in rows]


CONTEXTS: tuple[Context, ...] = (
    *_plain(
        ("env", ".env", lines(".env", "$N=$V", before="NODE_ENV=production\nPORT=8080\n")),
        ("env export", ".env", lines(".envrc", "export $N=$V")),
        ("env quoted", ".env", lines(".env.local", '$N="$V"')),
        ("env single quoted", ".env", lines(".env.prod", "$N='$V'")),
        ("env spaces", ".env", lines(".env", "$N = $V")),
        ("env comment", ".env", lines(".env", "$N=$V # prod, from Kim")),
        ("env commented out", ".env", lines(".env", "# $N=$V")),
        ("yaml", "YAML", lines("config.yml", "  $N: $V", snake, before="app:\n  debug: false\n")),
        ("yaml quoted", "YAML", lines("config.yaml", '  $N: "$V"', camel, before="app:\n")),
        ("k8s env", "YAML", _k8s_env),
        ("compose list", "YAML", _compose),
        ("compose map", "YAML", lines("compose.yaml", "      $N: '$V'", before="services:\n  app:\n    environment:\n")),
        ("json snake", "JSON", _json("config.json", snake, lambda m: {"debug": False, **m})),
        ("json camel", "JSON", _json("appsettings.json", camel, lambda m: {"Logging": {"Level": "Info"}, "service": m})),
        ("json mcp", "JSON", _json("mcp.json", same, lambda m: {"mcpServers": {"x": {"command": "npx", "args": ["-y", "x-mcp"], "env": m}}})),
        ("json compact", "JSON", _json("state.json", camel, lambda m: m, None)),
        ("toml", "TOML", lines("config.toml", '$N = "$V"', snake, before="[service]\ntimeout = 30\n")),
        ("ini", "INI", lines("app.ini", "$N = $V", snake, before="[service]\ntimeout = 30\n")),
        ("properties", "INI", lines("application.properties", "$N=$V", dotted, before="server.port=8080\n")),
        ("python assignment", "code", lines("settings.py", '$N = "$V"', before="import os\n\nDEBUG = False\n")),
        ("python dict", "code", lines("settings.py", "    '$N': '$V',", snake, before="CONFIG = {\n", after="}\n")),
        ("python environ", "code", lines("run.py", 'os.environ["$N"] = "$V"', before="import os\n")),
        ("python default", "code", lines("run.py", 'value = os.getenv("$N", "$V")', before="import os\n")),
        ("python keyword", "code", lines("run.py", '    $N="$V",', snake, before="client = Client(\n", after=")\n")),
        ("js const", "code", lines("index.js", "const $N = '$V';", camel)),
        ("js object", "code", lines("config.ts", "  $N: '$V',", camel, before="export default {\n", after="};\n")),
        ("js fallback", "code", lines("config.js", 'const value = process.env.$N || "$V";')),
        ("go assignment", "code", lines("main.go", '\t$N := "$V"', camel, before="package main\n\nfunc main() {\n", after="}\n")),
        ("go const", "code", lines("main.go", 'const $N = "$V"', pascal, before="package main\n\n")),
        ("java constant", "code", _java),
        ("java property", "code", lines("Main.java", '        System.setProperty("$N", "$V");', dotted)),
        ("csharp", "code", lines("Client.cs", '        private const string $N = "$V";', pascal)),
        ("php array", "code", lines("config.php", "    '$N' => '$V',", snake, before="<?php\nreturn [\n", after="];\n")),
        ("php define", "code", lines("config.php", "define('$N', '$V');", before="<?php\n")),
        ("ruby", "code", lines("config.rb", '  config.$N = "$V"', snake, before="Acme.configure do |config|\n", after="end\n")),
        ("ruby env", "code", lines("config.rb", "ENV['$N'] ||= '$V'")),
        ("rust", "code", lines("main.rs", 'const $N: &str = "$V";')),
        ("kotlin", "code", lines("Config.kt", '    val $N = "$V"', camel, before="object Config {\n", after="}\n")),
        ("swift", "code", lines("Config.swift", '    static let $N = "$V"', camel, before="enum Config {\n", after="}\n")),
        ("shell variable", "code", lines("deploy.sh", '$N="$V"', before="#!/bin/sh\nset -e\n")),
        ("powershell", "code", lines("deploy.ps1", '$env:$N = "$V"')),
        ("xml element", "XML", lines("settings.xml", "    <$N>$V</$N>", camel, before="<settings>\n", after="</settings>\n")),
        ("xml add", "XML", lines("app.config", '    <add key="$N" value="$V" />', pascal, before="<appSettings>\n", after="</appSettings>\n")),
        ("Dockerfile ENV", "build", lines("Dockerfile", "ENV $N=$V", before="FROM python:3.11\n")),
        ("Dockerfile ENV spaced", "build", lines("Dockerfile", "ENV $N $V", before="FROM python:3.11\n")),
        ("Dockerfile ARG", "build", lines("Dockerfile", "ARG $N=$V", before="FROM python:3.11\n")),
        ("workflow env", "build", lines(".github/workflows/ci.yml", "      $N: $V", before="jobs:\n  build:\n    env:\n")),
        ("Makefile", "build", lines("Makefile", "$N ?= $V")),
        ("tfvars", "Terraform", lines("prod.tfvars", '$N = "$V"', snake)),
        ("tf variable", "Terraform", _tf_variable),
        ("history export", "shell history", lines(".bash_history", "export $N=$V", before="ls\n", after="make\n")),
        ("history inline", "shell history", _inline),
        ("history docker run", "shell history", _run),
        ("history kubectl", "shell history", _kubectl),
        ("history option", "shell history", lines(".zsh_history", "acme deploy --$N $V --prod", dashed)),
        ("history option equals", "shell history", lines(".zsh_history", "acme deploy --$N=$V", dashed)),
        ("notes inline code", "Markdown", _notes),
        ("notes fenced", "Markdown", lines("README.md", "$N=$V", before="Set it up:\n\n```sh\n", after="```\n")),
        ("notes table", "Markdown", lines("README.md", "| $N | $V | prod |", before="| name | value | where |\n|---|---|---|\n")),
        ("notes bold", "Markdown", lines("todo.md", "**$N**: $V", lambda name: name.replace("_", " ").title())),
        ("transcript", "transcript", _transcript),
        ("transcript tool result", "transcript", _tool_result),
        ("transcript command", "transcript", _tool_command),
        ("log setting", "log", _log_env),
        ("log json", "log", _log_json),
        ("ci log", "log", _ci_log),
        ("notebook", "notebook", _notebook),
        ("sql", "database", lines("dump.sql", "INSERT INTO settings (name, value) VALUES ('$N', '$V');", snake)),
        ("csv", "database", lines("export.csv", "$N,$V,2026-03-02", snake, before="name,value,created\n")),
    ),
    *_alone(
        ("bearer header", "header", secret_only("call.sh", "curl -s -H 'Authorization: Bearer $V' https://api.corp.io/v1/me\n")),
        ("bearer log", "header", secret_only("proxy.log", "2026-03-02 11:14:02 DEBUG > Authorization: Bearer $V\n")),
        ("key header", "header", secret_only(".bash_history", 'curl -H "X-API-Key: $V" https://api.corp.io/v1/items\n')),
        ("basic user", "header", secret_only(".bash_history", "curl -u $V: https://api.corp.io/v1/items\n")),
        ("call argument", "code", secret_only("app.py", 'client = Client("$V")\n')),
        ("call options", "code", secret_only("app.ts", "const client = new Client({ apiKey: '$V' });\n")),
        ("prose", "Markdown", secret_only("mail.txt", "Hi Kim, here is the key for the demo: $V, please do not share it.\n")),
        ("chat", "transcript", secret_only("s.jsonl", '{"role":"user","content":"my key is $V can you test it?"}\n')),
        ("query", "header", secret_only("urls.txt", "https://api.corp.io/v1/items?api_key=$V&limit=10\n")),
        ("yaml list", "YAML", secret_only("keys.yml", "keys:\n  - $V\n")),
        ("sole line", ".env", secret_only("token.txt", "$V\n")),
    ),
)  # fmt: skip
