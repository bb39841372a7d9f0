"""What a client must show to be let in: TLS and SASL as the settings say, checked before any client sees them."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from indutech.errors import InduTechError
from indutech.settings import Settings


class SecurityMisconfigured(InduTechError):
    """A setting of TLS or SASL is missing, contradicts another, or names a file that cannot be used."""


@dataclass(frozen=True)
class Security:
    """How to speak to a broker; the password is a `SecretStr`, which no `repr`, log or error message shows."""

    protocol: str = "PLAINTEXT"
    mechanism: str | None = None
    username: str | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None

    @property
    def over_tls(self) -> bool:
        """Tell whether the connection is encrypted."""
        return self.protocol.endswith("SSL")

    @property
    def has_user(self) -> bool:
        """Tell whether the client says who it is."""
        return self.protocol.startswith("SASL")


PLAINTEXT = Security()


def from_settings(settings: Settings) -> Security:
    """Return what the KAFKA_SECURITY_PROTOCOL of the settings needs, the password read from its file if it has one.

    Raises:
        SecurityMisconfigured: one sentence with the name of the setting, never with the password.
    """
    security = Security(settings.security_protocol)
    _refuse_unused(settings, security)
    ca_file = settings.ssl_ca_file if security.over_tls else None
    if ca_file and "-----BEGIN CERTIFICATE-----" not in _read(ca_file, "KAFKA_SSL_CA_FILE"):
        raise SecurityMisconfigured(f"KAFKA_SSL_CA_FILE names {ca_file}, which holds no certificate in PEM form.")
    if not security.has_user:
        return Security(settings.security_protocol, ca_file=ca_file)
    if not settings.sasl_username:
        raise SecurityMisconfigured(f"KAFKA_SECURITY_PROTOCOL={security.protocol} needs KAFKA_SASL_USERNAME as well.")
    return Security(
        settings.security_protocol, settings.sasl_mechanism, settings.sasl_username, _password(settings), ca_file
    )


def _refuse_unused(settings: Settings, security: Security) -> None:
    """Refuse a user or an authority that would be ignored: who set them believes that they protect something."""
    if not security.has_user and (settings.sasl_username or settings.sasl_password or settings.sasl_password_file):
        raise SecurityMisconfigured(
            f"A user or password is set, but KAFKA_SECURITY_PROTOCOL={security.protocol} sends none: "
            "set it to SASL_SSL, or unset the KAFKA_SASL_ settings."
        )
    if not security.over_tls and settings.ssl_ca_file:
        raise SecurityMisconfigured(
            f"KAFKA_SSL_CA_FILE is set, but KAFKA_SECURITY_PROTOCOL={security.protocol} does not encrypt: "
            "set it to SSL or SASL_SSL, or unset KAFKA_SSL_CA_FILE."
        )


def _password(settings: Settings) -> SecretStr:
    if settings.sasl_password and settings.sasl_password_file:
        raise SecurityMisconfigured("KAFKA_SASL_PASSWORD and KAFKA_SASL_PASSWORD_FILE are both set: unset one of them.")
    if settings.sasl_password:
        return settings.sasl_password
    if not settings.sasl_password_file:
        raise SecurityMisconfigured(
            f"KAFKA_SECURITY_PROTOCOL={settings.security_protocol} needs a password: set KAFKA_SASL_PASSWORD_FILE."
        )
    password = _read(settings.sasl_password_file, "KAFKA_SASL_PASSWORD_FILE").rstrip("\r\n")
    if not password:
        raise SecurityMisconfigured(f"KAFKA_SASL_PASSWORD_FILE names {settings.sasl_password_file}, which is empty.")
    return SecretStr(password)


def _read(path: Path, setting: str) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror.lower() if isinstance(error, OSError) and error.strerror else "it is not text"
        raise SecurityMisconfigured(f"{setting} names {path}, which cannot be read ({why}).") from error
