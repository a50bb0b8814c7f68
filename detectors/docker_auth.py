"""Container registries' passwords in Docker's settings.

What it is: the member `auth` (base64 of `user:password`) of an `auths` object, or a whole `.dockerconfigjson` in base64.
Where it is used: `~/.docker/config.json`, `DOCKER_AUTH_CONFIG` in CI, Kubernetes image pull secrets, Kaniko and Podman (`auth.json`).
What an attacker can do: pull private images, and where the account may push, replace images that others deploy.
How to replace it: revoke the access token or change the password at the registry, log in again, and use a credential helper
  (`credsStore`), which keeps the password out of the file.
References: https://docs.docker.com/reference/cli/docker/login/  https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/
"""

from __future__ import annotations

import base64
import json

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Parts, Rule, Signal, structure
from keyward.plugin.checksums import decode_base64
from keyward.plugin.shapes import Shape, b64, concat, part, text

from ._passwords import WORD, form_rule, where
from .basic_auth import ENCODED, check_pair, pair

AUTH = Kind("docker/registry-auth")


def _canonical(value: bytes) -> bytes:
    decoded = pair(value)
    return decoded[1] if decoded and not value.startswith(b"eyJ") else value


KINDS = (
    CredentialKind(
        AUTH,
        "Container registry password",
        "high",
        public=("host",),
        describe=where,
        canonical=_canonical,
        manual=Manual(
            (
                "Revoke the token or change the password at the registry.",
                "Log in again with `docker login`, best with a credential helper.",
                "Replace image pull secrets and CI variables that hold the old value.",
            ),
            "https://docs.docker.com/reference/cli/docker/login/",
        ),
        references=("https://docs.docker.com/reference/cli/docker/login/",),
    ),
)


def _check_whole(parts: Parts) -> Signal | None:
    decoded = decode_base64(parts["secret"])
    try:
        auths = json.loads(decoded or b"")["auths"]
        holds = any("auth" in entry or "password" in entry for entry in auths.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        return structure(False, "a Docker settings file with passwords")
    return structure(holds, "a Docker settings file with passwords") if holds else Signal("context", -60, "names no password")


def _settings(encoded: bytes) -> bytes:
    return base64.b64encode(b'{"auths":{"registry.corp.io":{"auth":"' + encoded + b'"}}}')


_WHOLE: Shape = ENCODED.map(_settings)
_HOST, _SECRET = part("host", "registry.corp.io"), part("secret", ENCODED)

RULES = (
    Rule(
        "docker/auth",
        AUTH,
        rb"\\?\"(?:https?://)?(?P<host>[A-Za-z0-9_.-]{3,200})(?:[:/][^\"\s\\]{0,60})?\\?\"\s{0,4}:\s{0,4}\{[^{}]{0,300}?\"auth\\?\"\s{0,4}:\s{0,4}\\?\"(?P<secret>[A-Za-z0-9+/]{8,4000}={0,2})\\?\"",
        anchor=rb"\"auth\\?\"\s{0,4}:\s{0,4}\\?\"[A-Za-z0-9+/]{8}",
        specificity=STRUCTURAL,
        score=75,
        window=4600,
        check=check_pair,
        examples=(
            text('{"auths": {"', _HOST, '": {"auth": "', _SECRET, '"}}}\n'),
            text('{\n\t"auths": {\n\t\t"https://', _HOST, '/v1/": {\n\t\t\t"auth": "', _SECRET, '"\n\t\t}\n\t}\n}\n'),
            text("DOCKER_AUTH_CONFIG='{\"auths\":{\"", _HOST, '":{"auth":"', _SECRET, "\"}}}'\n"),
        ),
        near_misses=(
            text('{"auths": {"registry.corp.io": {}}}\n'),
            text('{"auths": {"registry.corp.io": {"auth": "', b64(40), '"}}}\n'),
            text('{"auths": {"registry.corp.io": {"auth": "', concat("user:password").map(base64.b64encode), '"}}}\n'),
        ),
    ),
    Rule(
        "docker/config-base64",
        AUTH,
        rb"(?<![A-Za-z0-9+/])(?P<secret>(?:eyJhdXRocyI6|ewogICJhdXRocyI6|ewoJImF1dGhzIjog|eyAiYXV0aHMiOi)[A-Za-z0-9+/]{40,12000}={0,2})(?![A-Za-z0-9+/=])",
        anchor=rb"(?:eyJhdXRocyI6|ewogICJhdXRocyI6|ewoJImF1dGhzIjog|eyAiYXV0aHMiOi)[A-Za-z0-9+/]{40}",
        specificity=STRUCTURAL,
        score=75,
        window=12500,
        check=_check_whole,
        examples=(
            text("  .dockerconfigjson: ", part("secret", _WHOLE), "\n"),
            text("DOCKER_CONFIG_B64=", part("secret", _WHOLE), "\n"),
            text('{".dockerconfigjson": "', part("secret", _WHOLE), '"}\n'),
        ),
        near_misses=(
            text("  .dockerconfigjson: ", concat('{"auths":{"registry.corp.io":{}},"credsStore":"desktop-keychain"}').map(base64.b64encode), "\n"),
            text("  .dockerconfigjson: e30=\n"),
            text("  other: eyJhdXRocyI6\n"),
        ),
    ),
    form_rule("docker/login", AUTH, rb"(?<![A-Za-z0-9_-])(?:docker|podman|buildah|skopeo|helm registry|nerdctl|oras|crane auth) login (?:[^\n|;]{0,160}? )?(?:-p ?|--password[ =])[\"']?" + WORD, 70,
              ("docker login -u svc -p {} registry.corp.io\n", "docker login --username svc --password '{}' registry.corp.io\n", "RUN podman login -u svc -p {} registry.corp.io\n"),
              ("docker login -u svc registry.corp.io\n", "docker login -u svc -p $TOKEN registry.corp.io\n", "docker login -u svc --password-stdin registry.corp.io\n"),
              anchor=rb"(?:docker|podman|buildah|skopeo|helm registry|nerdctl|oras|crane auth) login (?:[^\n|;]{0,160} )?(?:-p|--password[ =])"),
)  # fmt: skip

