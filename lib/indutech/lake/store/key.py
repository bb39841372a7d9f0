"""The key for S3, where AWS's own tools look for it: the environment, then a profile in a file of credentials."""

import configparser
import os
from pathlib import Path
from typing import NamedTuple

from indutech.system.errors import InduTechError
from indutech.system.settings import Settings


class KeyMissing(InduTechError):
    """The file of credentials that was named has no such key."""


class Key(NamedTuple):
    """A key; all three are None where the role of the machine is to be used."""

    id: str | None
    secret: str | None
    token: str | None = None


def key_of(settings: Settings) -> Key:
    """Return the key that the settings name, else that of the profile in the file of credentials, else none.

    Raises:
        KeyMissing: the file was named, and cannot be read or has no key of that profile.
    """
    if settings.aws_access_key_id:
        secret, token = settings.aws_secret_access_key, settings.aws_session_token
        return Key(
            settings.aws_access_key_id,
            secret.get_secret_value() if secret else None,
            token.get_secret_value() if token else None,
        )
    named = settings.aws_shared_credentials_file
    file = named or Path(os.path.expanduser("~/.aws/credentials"))  # noqa: PTH111, without a home it stays as it is
    profiles = configparser.ConfigParser(interpolation=None)
    try:
        profiles.read_string(file.read_text("utf-8"), str(file))
        profile = profiles[settings.aws_profile]
        return Key(
            profile["aws_access_key_id"], profile["aws_secret_access_key"], profile.get("aws_session_token") or None
        )
    except (OSError, UnicodeDecodeError, configparser.Error, KeyError) as error:
        if named is None:  # AWS's tools go on to the role, too
            return Key(None, None)
        why = f"it has no {error}" if isinstance(error, KeyError) else "it is no file of credentials"
        why = str(error.strerror).lower() if isinstance(error, OSError) else why  # never its lines: they are secret
        raise KeyMissing(
            f"The key of profile {settings.aws_profile} cannot be read from {file} ({why}): mend "
            "AWS_SHARED_CREDENTIALS_FILE, AWS_PROFILE or the file."
        ) from error


def write_profile(file: Path, key: Key) -> None:
    """Write a file of credentials with this key as its default profile, for this user only."""
    file.touch(mode=0o600)
    file.write_text(f"[default]\naws_access_key_id = {key.id}\naws_secret_access_key = {key.secret}\n", "utf-8")
