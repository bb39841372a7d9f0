"""Certificates, passwords and settings of the users of a secured broker, made once in a folder of mode 0700."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from indutech.kafka.connection import Security
from indutech.system.settings import Settings

ADMIN = "admin"  # may do everything: it makes the topic, the users and their rights


@dataclass(frozen=True)
class Right:
    """What a user may do with the resources of one name, `*` for all; the words are Kafka's."""

    resource: str  # TOPIC, GROUP or BROKER, which is how Kafka's protocol calls the cluster
    name: str
    operations: tuple[str, ...]


def rights_of(topic: str) -> dict[str, list[Right]]:
    """Return user → rights: producer writes, stream reads, console looks at everything and changes nothing.

    READ and WRITE bring DESCRIBE with them, in Kafka as in Redpanda; DESCRIBE_CONFIGS comes with neither.
    """
    return {
        # An idempotent producer needs no more than to write to some topic that exists (Kafka since 2.8: KIP-679).
        "producer": [Right("TOPIC", topic, ("WRITE", "DESCRIBE_CONFIGS"))],
        # No right on groups: Spark and the proof name their partitions themselves and join none.
        "stream": [Right("TOPIC", topic, ("READ", "DESCRIBE_CONFIGS"))],
        "console": [
            Right("TOPIC", "*", ("READ", "DESCRIBE_CONFIGS")),
            Right("GROUP", "*", ("DESCRIBE",)),
            Right("BROKER", "kafka-cluster", ("DESCRIBE", "DESCRIBE_CONFIGS")),
        ],
    }


USERS = (ADMIN, *rights_of(""))
VALID_DAYS = 365
RENEWED_BEFORE_DAYS = 30
MECHANISM = "SCRAM-SHA-256"


def make(settings: Settings, hosts: tuple[str, ...] = ()) -> Path:
    """Make what is missing of certificates and passwords, and return their folder.

    The certificate is for localhost, 127.0.0.1 and `hosts` (names or IP addresses). It is made anew, with a new
    authority, when it lacks one of them or ends within 30 days; passwords stay. The authority's key is not kept:
    whoever reads the folder can speak as the broker and its users, and cannot make certificates for others.
    """
    folder = settings.secrets_dir
    folder.mkdir(parents=True, exist_ok=True)
    # The folder keeps others out. Its files are readable, because a container that is given one of them, and no other,
    # runs as a user of its own.
    folder.chmod(0o700)
    for user in USERS:
        if not password_file(settings, user).exists():
            _write(password_file(settings, user), secrets.token_urlsafe(24).encode() + b"\n")
    wanted = ("localhost", "127.0.0.1", *hosts)
    if not _is_good(folder / "broker.crt", wanted):
        _make_certificates(folder, wanted)
    return folder


def password_file(settings: Settings, user: str) -> Path:
    """Return where the password of a user is."""
    return settings.secrets_dir / f"{user}.password"


def security_of(settings: Settings, user: str) -> Security:
    """Return the security settings with which a user connects to the secured broker."""
    password = SecretStr(password_file(settings, user).read_text("ascii").strip())
    return Security("SASL_SSL", MECHANISM, user, password, settings.secrets_dir / "ca.pem")


def variables_of(settings: Settings, user: str, bootstrap_servers: str) -> dict[str, str]:
    """Return the settings of a user as environment variables: the password is named by its file."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": MECHANISM,
        "KAFKA_SASL_USERNAME": user,
        "KAFKA_SASL_PASSWORD_FILE": str(password_file(settings, user)),
        "KAFKA_SSL_CA_FILE": str(settings.secrets_dir / "ca.pem"),
    }


def write_variables(settings: Settings, bootstrap_servers: str) -> None:
    """Write `USER.env` for each user, for `set -a; . USER.env`."""
    for user in USERS:
        lines = [f"{name}='{value}'\n" for name, value in variables_of(settings, user, bootstrap_servers).items()]
        variables_file(settings, user).write_text("".join(lines), "utf-8")


def variables_file(settings: Settings, user: str) -> Path:
    """Return the file with the settings of a user."""
    return settings.secrets_dir / f"{user}.env"


def _is_good(certificate: Path, hosts: tuple[str, ...]) -> bool:
    from cryptography import x509  # here, as below, because every command reads this module, and few make certificates

    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    made_for = {str(name.value) for name in names}
    ends = found.not_valid_after_utc - timedelta(days=RENEWED_BEFORE_DAYS)
    return made_for.issuperset(hosts) and datetime.now(UTC) < ends


def _make_certificates(folder: Path, hosts: tuple[str, ...]) -> None:
    import trustme
    from cryptography.hazmat.primitives import serialization

    authority = trustme.CA(organization_name="InduTech, made on this machine")
    until = datetime.now(UTC) + timedelta(days=VALID_DAYS)
    made = authority.issue_cert(*hosts, common_name=hosts[-1], not_after=until)
    # Java reads keys in PKCS #8 only.
    key = serialization.load_pem_private_key(made.private_key_pem.bytes(), None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain = b"".join(pem.bytes() for pem in made.cert_chain_pems)
    _write(folder / "ca.pem", authority.cert_pem.bytes())
    _write(folder / "broker.key", key)
    _write(folder / "broker.pem", key + chain)
    _write(folder / "broker.crt", chain)  # last: it says that the others are there


def _write(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    file.chmod(0o644)  # whatever the umask: the folder keeps others out, see `make`
