"""The configuration of each of the three Kafka clients: address and security, made from the settings here only."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from indutech.system.errors import InduTechError
from indutech.system.settings import Settings


class SecurityMisconfigured(InduTechError):
    """A setting of TLS or SASL is missing, contradicts another, or names a file that cannot be used."""


@dataclass(frozen=True)
class Security:
    """The security settings of a connection; the password is a `SecretStr`, which no `repr` or error message shows."""

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
        """Tell whether the client authenticates as a user."""
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
    """Refuse a user or an authority that would be ignored: they would seem to protect the connection."""
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


LOGIN_MODULES = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}


@dataclass(frozen=True)
class Broker:
    """The address of a broker, whether it is the embedded one, and its security settings."""

    bootstrap_servers: str  # host:port, comma separated
    embedded: bool
    security: Security = PLAINTEXT


def kafka_python_config(broker: Broker) -> dict[str, Any]:
    """Return the keyword arguments of kafka-python's producer, consumer and admin client."""
    # It narrates reconnections as warnings and errors on stderr; ours say what matters, once, with the address.
    logger = logging.getLogger("kafka")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)
    security = broker.security
    return {
        "bootstrap_servers": broker.bootstrap_servers.split(","),
        "security_protocol": security.protocol,
        "ssl_cafile": str(security.ca_file) if security.ca_file else None,
        "sasl_mechanism": security.mechanism,
        "sasl_plain_username": security.username,
        "sasl_plain_password": _plain(security),
    }


def confluent_config(broker: Broker) -> dict[str, Any]:
    """Return the configuration of confluent-kafka's producer, consumer and admin client."""
    security = broker.security
    wanted = {
        "bootstrap.servers": broker.bootstrap_servers,
        "security.protocol": security.protocol,
        "ssl.ca.location": str(security.ca_file) if security.ca_file else None,
        "sasl.mechanism": security.mechanism,
        "sasl.username": security.username,
        "sasl.password": _plain(security),
        "log_level": 0,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def spark_options(broker: Broker) -> dict[str, str]:
    """Return the options of Spark's Kafka source."""
    options = {"kafka.bootstrap.servers": broker.bootstrap_servers, "kafka.security.protocol": broker.security.protocol}
    if broker.security.ca_file:
        options |= {
            "kafka.ssl.truststore.type": "PEM",
            "kafka.ssl.truststore.location": str(broker.security.ca_file),
        }
    if broker.security.mechanism:
        options |= {
            "kafka.sasl.mechanism": broker.security.mechanism,
            "kafka.sasl.jaas.config": jaas_config(broker.security),
        }
    return options


def jaas_config(security: Security, *more: str) -> str:
    """Return the user in Java's own form; Java's Kafka clients never log this setting."""
    user = f"username={_quoted(security.username or '')} password={_quoted(_plain(security) or '')}"
    return " ".join([LOGIN_MODULES[security.mechanism or ""], "required", user, *more]) + ";"


def _plain(security: Security) -> str | None:
    return security.password.get_secret_value() if security.password else None


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
