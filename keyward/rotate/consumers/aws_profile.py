"""`aws-profile`: one profile of the AWS tools' credentials file.

Options: `profile` (`default` unless said), `path` (or `AWS_SHARED_CREDENTIALS_FILE`; `~/.aws/credentials` unless said), `create`, `mode`,
`break_links`, `reload`. Key id, secret and, where the credential has one, session token are written together.
Source: AWS CLI user guide, "Configuration and credential file settings".
"""

from __future__ import annotations

from collections.abc import Mapping

from keyward.errors import ConsumerError
from keyward.formats.ini import Ini
from keyward.model.credential import SecretParts
from keyward.plugin.consumer import Consumer, Values
from keyward.plugin.ports import Ports
from keyward.rotate.consumers.file_consumer import FILE_OPTIONS, FileConsumer, Setting, file_place
from keyward.rotate.consumers.files import FilePlace
from keyward.rotate.consumers.remote import Options
from keyward.rotate.consumers.template import Template

VARIABLE = "AWS_SHARED_CREDENTIALS_FILE"
TOKEN = "aws_session_token"
PARTS = {"aws_access_key_id": "id", "aws_secret_access_key": "secret", TOKEN: "session_token"}


class AwsProfile(FileConsumer):
    """The settings depend on whether the credential has a session token."""

    def __init__(self, place: FilePlace, profile: str) -> None:
        super().__init__("aws-profile", place, Ini(percent="plain"), _settings(profile, ("id", "secret")))
        self.name = f"aws-profile {place.path} [{profile}]"
        self._profile = profile

    def _edited(self, data: bytes | None, values: Values) -> bytes:
        self._refuse_stale_token(data, values.new)
        return super()._edited(data, values)

    def _refuse_stale_token(self, data: bytes | None, new: SecretParts) -> None:
        """A token of another session beside a new key makes AWS refuse both."""
        if data and "session_token" not in new and any(self.format.readings(data, (self._profile, TOKEN))):
            raise ConsumerError(
                f"{self.place.path} has an {TOKEN} in profile {self._profile}, and the new key has none",
                hint="Take that line out, then run keyward resume.",
            )

    def settings_for(self, values: Values) -> tuple[Setting, ...]:
        parts = ("id", "secret", "session_token") if "session_token" in values.new else ("id", "secret")
        return _settings(self._profile, parts)


def _settings(profile: str, parts: tuple[str, ...]) -> tuple[Setting, ...]:
    return tuple(Setting((profile, key), Template(f"{{{part}}}")) for key, part in PARTS.items() if part in parts)


def make(table: Mapping[str, object], ports: Ports) -> Consumer:
    """The consumer of one table of the configuration. Raises ConfigError."""
    options = Options("aws-profile", table, (*FILE_OPTIONS, "profile", VARIABLE))
    place = file_place(options, ports, default=options.text(VARIABLE, "~/.aws/credentials"))
    return AwsProfile(place, options.text("profile", "default"))
