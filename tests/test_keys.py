"""The key for S3 is found where AWS's own tools look for it."""

from pathlib import Path

import pytest

from indutech.lake.store.bucket import of
from indutech.lake.store.key import Key, KeyMissing, key_of, write_profile
from indutech.system.settings import Settings

TWO_PROFILES = """[default]
aws_access_key_id = AKIADEFAULT
aws_secret_access_key = s%cret/=

[lake]
aws_access_key_id=AKIALAKE
aws_secret_access_key=other
aws_session_token=for-an-hour
"""


@pytest.fixture(autouse=True)
def no_key_of_mine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A home without keys, and none in the environment."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


def asked(**fields: object) -> Key:
    """The key of such settings."""
    return key_of(Settings(_env_file=None, **fields))


def test_profiles_of_a_named_file(tmp_path: Path) -> None:
    """The default profile, or the one that is named; a key in the environment comes first."""
    file = tmp_path / "keys"
    file.write_text(TWO_PROFILES)
    assert asked(aws_shared_credentials_file=file) == ("AKIADEFAULT", "s%cret/=", None)
    assert asked(aws_shared_credentials_file=file, aws_profile="lake") == ("AKIALAKE", "other", "for-an-hour")
    own = asked(aws_shared_credentials_file=file, aws_access_key_id="mine", aws_secret_access_key="word")  # noqa: S106
    assert own == ("mine", "word", None)
    lake = {"lake_uri": "s3a://indutech/lake", "s3_endpoint": "https://s3.example"}
    assert of(Settings(_env_file=None, aws_shared_credentials_file=file, **lake)).key == "AKIADEFAULT"


def test_the_file_in_the_home_folder_may_be_missing(tmp_path: Path) -> None:
    """It is used if it is there; without it, or without that profile, the role of the machine is used."""
    assert asked() == (None, None, None)
    write_profile_in_home(tmp_path)
    assert asked() == ("AKIAHOME", "x", None)
    assert asked(aws_profile="sso") == (None, None, None)


def write_profile_in_home(tmp_path: Path) -> None:
    """~/.aws/credentials with a key."""
    (tmp_path / "home" / ".aws").mkdir(parents=True)
    write_profile(tmp_path / "home" / ".aws" / "credentials", Key("AKIAHOME", "x"))


@pytest.mark.parametrize(
    ("content", "profile", "why"),
    [
        (None, "default", "no such file or directory"),
        (TWO_PROFILES, "nobody", "it has no 'nobody'"),
        ("[default]\naws_access_key_id = A\n", "default", "it has no 'aws_secret_access_key'"),
        ("AKIA hunter2\n", "default", "it is no file of credentials"),
    ],
)
def test_a_named_file_that_is_of_no_use(content: str | None, profile: str, why: str, tmp_path: Path) -> None:
    """One sentence names the file and what it lacks, and shows nothing of what is in it."""
    file = tmp_path / "keys"
    if content:
        file.write_text(content)
    with pytest.raises(KeyMissing, match="mend AWS_SHARED_CREDENTIALS_FILE, AWS_PROFILE or the file") as refused:
        asked(aws_shared_credentials_file=file, aws_profile=profile)
    assert f"from {file} ({why})" in str(refused.value)
    assert "hunter2" not in str(refused.value)
