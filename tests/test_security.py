"""TLS, users and rights, on a real broker that knows nothing else; no password shows anywhere."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
import trustme
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)
from cryptography.hazmat.primitives import serialization

from indutech.jvm import jars
from indutech.kafka import broker as brokers
from indutech.kafka import connection, credentials, topics, users
from indutech.kafka.broker import Broker
from indutech.kafka.connection import SecurityMisconfigured
from indutech.kafka.credentials import rights_of
from indutech.kafka.embedded import properties
from indutech.kafka.readiness import RightMissing, asking
from indutech.producer import produce
from indutech.proof import reconcile
from indutech.stream import job
from indutech.system import ports
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings
from tests import compose_file

INDUTECH = Path(sys.executable).with_name("indutech")
MORE_LISTENERS = {"EXPIRED": "SASL_SSL", "ELSEWHERE": "SASL_SSL", "OPEN": "PLAINTEXT"}


def key_and_certificate(authority: trustme.CA, *hosts: str, **more: Any) -> bytes:
    """Return PEM as Kafka reads it."""
    made = authority.issue_cert(*hosts, **more)
    key = serialization.load_pem_private_key(made.private_key_pem.bytes(), None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return key + made.cert_chain_pems[0].bytes()


@pytest.fixture(scope="module")
def secured(java: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, dict[str, str]]]:
    """A secured broker's settings, and listener → address; it has three more that are wrong, each in its own way."""
    settings = Settings(_env_file=None, bootstrap_servers=None, data_dir=tmp_path_factory.mktemp("sûr, à part"))
    folder = credentials.make(settings)
    authority = trustme.CA()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for name, pem in {
        "EXPIRED": key_and_certificate(
            authority, "127.0.0.1", not_before=yesterday - timedelta(days=9), not_after=yesterday
        ),
        "ELSEWHERE": key_and_certificate(authority, "redpanda.example"),
    }.items():
        (folder / f"{name}.pem").write_bytes(pem)
    (folder / "stranger.pem").write_bytes(authority.cert_pem.bytes())
    numbers = ports.free(len(MORE_LISTENERS))
    places = {name: f"127.0.0.1:{port}" for name, port in zip(MORE_LISTENERS, numbers, strict=True)}
    secured_by, listeners = properties.secured_by, properties._listeners

    def more_listeners(*both: int) -> dict[str, str]:
        more = "".join(f",{name}://{place}" for name, place in places.items())
        told = listeners(*both)
        return told | {key: told[key] + more for key in ("listeners", "advertised.listeners")}

    def more_protocols(*given: Any) -> dict[str, str]:
        told = secured_by(*given)
        protocols = "".join(f",{name}:{protocol}" for name, protocol in MORE_LISTENERS.items())
        stores = {
            f"listener.name.{name.lower()}.ssl.keystore.{key}": value
            for name in ("EXPIRED", "ELSEWHERE")
            for key, value in {"type": "PEM", "location": f"../secrets/{name}.pem"}.items()
        }
        login = "scram-sha-256.sasl.jaas.config"
        logins = {
            f"listener.name.{name}.{login}": told[f"listener.name.broker.{login}"] for name in ("expired", "elsewhere")
        }
        return (
            told
            | stores
            | logins
            | {"listener.security.protocol.map": told["listener.security.protocol.map"] + protocols}
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(properties, "_listeners", more_listeners)
        patch.setattr(properties, "secured_by", more_protocols)
        broker = brokers.start(settings, secure=True)
        topics.ensure_topic(broker, settings)
        users.prepare(broker, settings)
    yield settings, {"BROKER": broker.bootstrap_servers, **places}
    assert brokers.stop(settings)


def variables(settings: Settings, user: str, address: str, **changed: str) -> dict[str, str]:
    """Return the environment that docker-compose.yml gives this user, with our address and our files in it."""
    secure = compose_file.read("secure")
    service = secure["services"][{"admin": "users"}.get(user, f"{user}-secure")]
    ours = {f"/run/secrets/{name}": Path(one["file"]).name for name, one in secure["secrets"].items()}
    given = {
        name: str(settings.secrets_dir / ours[value]) if value in ours else value
        for name, value in service["environment"].items()
    }
    here = {"KAFKA_BOOTSTRAP_SERVERS": address, "INDUTECH_DATA_DIR": str(settings.data_dir)}
    assert given | here == credentials.variables_of(settings, user, address) | here
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "INDUTECH_"))}
    return bare | {"INDUTECH_CACHE_DIR": str(jars.cache_dir())} | given | here | changed


def as_user(settings: Settings, user: str, address: str) -> Settings:
    """Return the settings of that user for a call in this process."""
    named = credentials.variables_of(settings, user, address)
    return Settings(_env_file=None, data_dir=settings.data_dir, broker_timeout_s=10, **named)


def run(environment: dict[str, str], *command: str) -> "subprocess.CompletedProcess[str]":
    """Run our command line as a user would."""
    return subprocess.run(
        [INDUTECH, *command], env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def passwords(settings: Settings) -> list[str]:
    """Return every password there is."""
    found = [credentials.password_file(settings, user).read_text().strip() for user in credentials.USERS]
    assert len(set(found)) == 4
    return found


def test_the_whole_pipeline_with_users_over_tls(secured: tuple[Settings, dict[str, str]]) -> None:
    """Both clients write as the producer, Spark and the proof read as the stream, and no password is left anywhere."""
    settings, places = secured
    as_producer = variables(settings, "producer", places["BROKER"])
    as_stream = variables(settings, "stream", places["BROKER"])
    printed = []
    for environment, command in [
        (as_producer, ["produce", "--count", "3000", "--seed", "1"]),
        (as_producer, ["produce", "--count", "3000", "--seed", "2", "--load"]),
        (as_stream, ["stream", "--once"]),
        (as_stream, ["reconcile"]),
        (as_stream, ["monitor", "--once"]),
        (as_stream, ["broker", "status"]),
        (as_stream, ["health"]),
    ]:
        done = run(environment, *command)
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout + done.stderr)
    assert "6,000 acknowledged, 6,000 stored, 0 lost, 0 twice" in printed[3]

    running = " ".join(" ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"]))
    files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    meant_to = {credentials.password_file(settings, user) for user in credentials.USERS}
    meant_to.add(settings.broker_dir / "server.properties")
    assert (settings.broker_dir / "server.properties").stat().st_mode & 0o077 == 0
    assert settings.secrets_dir.stat().st_mode & 0o077 == 0
    assert any(path.name == "spark.log" for path in files)
    for password in passwords(settings):
        assert password not in "".join(printed) + running
        assert {path for path in files if password.encode() in path.read_bytes()} <= meant_to


def test_a_notebook_keeps_no_password(secured: tuple[Settings, dict[str, str]], tmp_path: Path) -> None:
    """A notebook that was run as the administrator over TLS can be given away."""
    settings, places = secured
    source = tmp_path / "asks.ipynb"
    code = (
        "from indutech.kafka import broker, topics\n"
        "from indutech.system.settings import Settings\nsettings = Settings()\n"
        "with broker.connected(settings) as found:\n    topic = topics.describe_topic(found, settings.topic)\n"
        "print(settings, found, topic)\nfound"
    )
    import nbformat

    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), source)
    environment = variables(settings, "admin", places["BROKER"], JUPYTER_PREFER_ENV_PATH="1")
    papermill = Path(sys.executable).with_name("papermill")
    out = tmp_path / "out.ipynb"
    subprocess.run(
        [papermill, source, out, "-k", "python3"], env=environment, check=True, capture_output=True, timeout=120
    )
    assert "SASL_SSL" in out.read_text()
    assert not [password for password in passwords(settings) if password in out.read_text()]


WRONG = {
    "password": ("BROKER", {"KAFKA_SASL_USERNAME": "stream"}, "refused the user stream"),
    "authority": ("BROKER", {"KAFKA_SSL_CA_FILE": ""}, "this machine trusts did not sign"),
    "other authority": ("BROKER", {"KAFKA_SSL_CA_FILE": "{secrets}/stranger.pem"}, "stranger.pem .* did not sign"),
    "right": (
        "BROKER",
        {"KAFKA_SASL_USERNAME": "stream", "KAFKA_SASL_PASSWORD_FILE": "{secrets}/stream.password"},
        "does not let the user stream do this",
    ),
    "plain on TLS": (
        "BROKER",
        {
            "KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
            "KAFKA_SASL_USERNAME": "",
            "KAFKA_SASL_PASSWORD_FILE": "",
            "KAFKA_SSL_CA_FILE": "",
        },
        "speaks TLS, and KAFKA_SECURITY_PROTOCOL=PLAINTEXT does not",
    ),
    "TLS on plain": ("OPEN", {}, "does not speak TLS"),
    "expired": ("EXPIRED", {"KAFKA_SSL_CA_FILE": "{secrets}/stranger.pem"}, "a certificate that has expired"),
    "other host": ("ELSEWHERE", {"KAFKA_SSL_CA_FILE": "{secrets}/stranger.pem"}, "not for 127.0.0.1"),
    "no user": (
        "BROKER",
        {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SASL_USERNAME": "", "KAFKA_SASL_PASSWORD_FILE": ""},
        "hangs up on clients without a user",
    ),
    "mechanism": ("BROKER", {"KAFKA_SASL_MECHANISM": "PLAIN"}, "does not offer PLAIN"),
    "password file": ("BROKER", {"KAFKA_SASL_PASSWORD_FILE": "{secrets}/none"}, "none, which cannot be read"),
    "protocol": ("BROKER", {"KAFKA_SECURITY_PROTOCOL": "TLS"}, "KAFKA_SECURITY_PROTOCOL cannot be used"),
}


def test_each_wrong_setting_has_its_own_sentence(secured: tuple[Settings, dict[str, str]]) -> None:
    """One sentence each, all different, each within 20 seconds, none with a password."""
    settings, places = secured
    told: dict[str, str] = {}

    def produced(name: str) -> tuple[str, "subprocess.CompletedProcess[str]", float]:
        listener, changed, _ = WRONG[name]
        changed = {key: value.format(secrets=settings.secrets_dir) for key, value in changed.items()}
        began = time.monotonic()
        done = run(variables(settings, "producer", places[listener], **changed), "produce", "--count", "1")
        return name, done, time.monotonic() - began

    with ThreadPoolExecutor(4) as together:  # most of them wait; the one that waits longest goes first
        for name, done, seconds in together.map(produced, sorted(WRONG, key="no user".__ne__)):
            assert seconds < 20, name
            assert (done.returncode, done.stdout) == (1, ""), name
            assert re.fullmatch(rf"indutech: [^\n]*{WRONG[name][2]}[^\n]*\.\n", done.stderr), f"{name}: {done.stderr}"
            assert not [password for password in passwords(settings) if password in done.stderr]
            told[name] = done.stderr
    assert len(set(told.values())) == len(WRONG)


def test_password_from_the_environment(secured: tuple[Settings, dict[str, str]]) -> None:
    """Where files are no option, the variable does, and two passwords are refused."""
    settings, places = secured
    password = credentials.password_file(settings, "stream").read_text().strip()
    both = variables(settings, "stream", places["BROKER"], KAFKA_SASL_PASSWORD=password)
    assert run({**both, "KAFKA_SASL_PASSWORD_FILE": ""}, "health").returncode == 0

    refused = run(both, "health")
    assert "unset one of them" in refused.stderr
    assert password not in refused.stderr


def without(admin: Broker, user: str, operation: str) -> AclBindingFilter:
    """Take one right from a user."""
    taken = AclBindingFilter(
        ResourceType.TOPIC,
        None,
        ResourcePatternType.ANY,
        f"User:{user}",
        None,
        AclOperation[operation],
        AclPermissionType.ANY,
    )
    with asking(admin) as client:
        assert len(client.delete_acls([taken])[taken].result()) == 1
    return taken


@pytest.mark.parametrize(
    ("user", "operation"),
    [(user, one) for user in ("producer", "stream") for right in rights_of("x")[user] for one in right.operations],
)
def test_each_right_is_needed(secured: tuple[Settings, dict[str, str]], user: str, operation: str) -> None:
    """Without it the user is stopped with a sentence, before anything is sent or read."""
    settings, places = secured
    admin = Broker(places["BROKER"], False, credentials.security_of(settings, "admin"))
    mine = as_user(settings, user, places["BROKER"])
    without(admin, user, operation)
    try:
        with pytest.raises(RightMissing, match=f"does not let the user {user} do this"):
            use_topic(mine, user)
    finally:
        users.prepare(admin, settings)
    use_topic(mine, user)


def use_topic(settings: Settings, user: str) -> None:
    """Do what this user is there for, as far as Spark."""
    with brokers.connected(settings) as broker:
        if user == "producer":
            produce.produce(settings, broker, count=1, progress=False)
        else:
            topics.refuse_without("READ", broker, topics.ensure_topic(broker, settings))
            reconcile.prove(settings, broker)


def test_no_right_is_too_much(secured: tuple[Settings, dict[str, str]]) -> None:
    """The stream cannot send, the console cannot send, the producer cannot read, nobody but the admin makes topics."""
    settings, places = secured
    for user in ("stream", "console"):
        mine = as_user(settings, user, places["BROKER"])
        with brokers.connected(mine) as broker, pytest.raises(RightMissing, match="WRITE"):
            produce.produce(mine, broker, count=1, progress=False)
    mine = as_user(settings, "producer", places["BROKER"])
    with brokers.connected(mine) as broker:
        with pytest.raises(RightMissing, match="READ"):
            job.run(mine, broker, once=True)
        with pytest.raises(RightMissing, match="authorization failed"):
            topics.ensure_topic(broker, mine.model_copy(update={"topic": "another"}))
        with pytest.raises(InduTechError, match="does not let"):
            users.prepare(broker, mine)


def test_preparing_again_takes_what_is_too_much(secured: tuple[Settings, dict[str, str]]) -> None:
    """A right that somebody added on our topic goes; one on another topic, perhaps prepared as well, stays."""
    settings, places = secured
    admin = Broker(places["BROKER"], False, credentials.security_of(settings, "admin"))
    added = [
        AclBinding(
            ResourceType.TOPIC,
            topic,
            ResourcePatternType.LITERAL,
            "User:stream",
            "*",
            AclOperation.WRITE,
            AclPermissionType.ALLOW,
        )
        for topic in (settings.topic, "another")
    ]
    with asking(admin) as client:
        for answer in client.create_acls(added, request_timeout=20).values():
            answer.result()
        users.prepare(admin, settings)
        of_stream = AclBindingFilter(
            ResourceType.ANY,
            None,
            ResourcePatternType.ANY,
            "User:stream",
            None,
            AclOperation.WRITE,
            AclPermissionType.ANY,
        )
        assert client.describe_acls(of_stream, request_timeout=20).result() == [added[1]]


def test_console_sees_everything_it_shows(secured: tuple[Settings, dict[str, str]]) -> None:
    """What a web console asks for: topics, their settings, groups, the cluster and its brokers' settings."""
    from confluent_kafka.admin import ConfigResource

    settings, places = secured
    console = Broker(places["BROKER"], False, credentials.security_of(settings, "console"))
    with asking(console) as client:
        assert settings.topic in client.list_topics(timeout=20).topics
        assert client.describe_cluster(request_timeout=20).result().nodes
        assert client.list_consumer_groups(request_timeout=20).result().errors == []
        resources = [ConfigResource(ResourceType.TOPIC, settings.topic), ConfigResource(ResourceType.BROKER, "1")]
        assert all(answer.result() for answer in client.describe_configs(resources, request_timeout=20).values())
    assert sum(topics.end_offsets(console, settings.topic).values()) >= 0


def test_secured_stays_secured(secured: tuple[Settings, dict[str, str]], tmp_path: Path) -> None:
    """Whoever comes without a user is told how; data that knows no users is not given any."""
    settings, _ = secured
    with pytest.raises(InduTechError, match=r"users only: .*producer\.env"), brokers.connected(settings):
        pass
    assert brokers.start(settings).security.username == "admin"
    assert brokers.status(settings).secured

    kept = settings.secrets_dir.rename(settings.data_dir / "kept elsewhere")
    try:
        assert brokers.status(settings).secured
        with pytest.raises(InduTechError, match=r"passwords are gone from .*: put that folder back"):
            brokers.start(settings)
    finally:
        kept.rename(settings.secrets_dir)

    plain = Settings(_env_file=None, bootstrap_servers=None, data_dir=tmp_path)
    with brokers.connected(plain), pytest.raises(InduTechError, match=r"made without users: `indutech reset`"):
        brokers.start(plain, secure=True)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"security_protocol": "SASL_SSL"}, "needs KAFKA_SASL_USERNAME"),
        ({"security_protocol": "SASL_SSL", "sasl_username": "me"}, "needs a password: set KAFKA_SASL_PASSWORD_FILE"),
        ({"security_protocol": "SSL", "sasl_username": "me"}, "sends none"),
        ({"ssl_ca_file": "ca.pem"}, "does not encrypt"),
        ({"security_protocol": "SSL", "ssl_ca_file": "nowhere.pem"}, "nowhere.pem, which cannot be read"),
        ({"security_protocol": "SSL", "ssl_ca_file": __file__}, "holds no certificate"),
    ],
)
def test_contradicting_settings(given: dict[str, str], sentence: str) -> None:
    """What would be ignored or cannot work is refused before anybody is asked."""
    with pytest.raises(SecurityMisconfigured, match=sentence):
        connection.from_settings(Settings(_env_file=None, bootstrap_servers="127.0.0.1:1", **given))


def test_passwords_do_not_show() -> None:
    """Neither settings nor what is made of them print it, and a value in the wrong place is not repeated."""
    settings = Settings(
        _env_file=None,
        bootstrap_servers="x:1",
        security_protocol="SASL_PLAINTEXT",
        sasl_username="me",
        sasl_password="très-secret",  # noqa: S106
    )
    broker = Broker("x:1", False, connection.from_settings(settings))
    assert "très-secret" not in f"{settings!r} {settings} {settings.model_dump_json()} {broker!r} {broker}"
    with pytest.raises(ValueError, match="KAFKA_SASL_MECHANISM") as refused:
        Settings(_env_file=None, KAFKA_SASL_MECHANISM="très-secret")
    assert "très-secret" not in str(refused.value)


def test_certificates_are_renewed_and_passwords_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing changes on the second call; another host or a near end gives a new certificate, never a new password."""
    settings = Settings(_env_file=None, data_dir=tmp_path)
    folder = credentials.make(settings)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert not [name for name, pem in before.items() if b"PRIVATE KEY" in pem and not name.startswith("broker.")]
    credentials.make(settings)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before

    credentials.make(settings, ("redpanda",))
    renewed = (folder / "broker.crt").read_bytes()
    assert renewed != before["broker.crt"]
    monkeypatch.setattr(credentials, "RENEWED_BEFORE_DAYS", credentials.VALID_DAYS + 1)
    credentials.make(settings, ("redpanda",))
    assert (folder / "broker.crt").read_bytes() != renewed
    assert {path.name: path.read_bytes() for path in folder.glob("*.password")}.items() <= before.items()
