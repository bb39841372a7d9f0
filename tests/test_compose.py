"""The compose file keeps its rules, and each rule can fail. Without a Docker engine, nothing of it is started."""

from pathlib import Path

import pytest
import yaml

from indutech.system.settings import PROJECT
from tests import compose_file

TEXT = (PROJECT / "docker-compose.yml").read_text()
LONG_RUNNING = {"redpanda", "console", "producer", "stream", "monitor"}


@pytest.mark.parametrize("stack", compose_file.STACKS)
def test_each_stack_is_accepted_and_keeps_the_rules(stack: str) -> None:
    """By the real docker-compose, and by the project's own rules."""
    assert compose_file.faults(compose_file.read(stack)) == []


def test_each_stack_has_its_parts() -> None:
    """One broker; `ha` has three, `secure` lets in users only, `cluster` has two workers, `s3` an S3 server."""
    stacks = ("default", "ha", "secure", "cluster", "s3")
    default, ha, secure, cluster, s3 = (set(compose_file.read(stack)["services"]) for stack in stacks)
    assert default == {*LONG_RUNNING, "topic", "jupyter"}
    brokers = {f"redpanda-ha-{number}" for number in range(3)}
    assert ha - default == {*brokers, "topic-ha", *(f"{one}-ha" for one in LONG_RUNNING - {"redpanda"})}
    assert secure - default == {"secrets", "users", *(f"{one}-secure" for one in LONG_RUNNING)}
    spark = {"spark-master", "spark-worker-1", "spark-worker-2"}
    of_ours = {"topic", "producer", "stream", "monitor"}
    assert cluster - default == {*spark, *(f"{one}-cluster" for one in of_ours)}
    assert s3 - default == {"s3", *(f"{one}-s3" for one in of_ours)}


@pytest.mark.parametrize(
    ("stack", "and_outside"), [("ha", set()), ("secure", set()), ("cluster", {"redpanda"}), ("s3", {"redpanda"})]
)
def test_monitor_starts_its_stack_and_no_other(stack: str, and_outside: set[str]) -> None:
    """`docker compose up monitor-ha` reaches every service of its stack through depends_on."""
    services = compose_file.read(stack)["services"]
    wanted, reached = [f"monitor-{stack}"], set()
    while wanted:
        reached.add(name := wanted.pop())
        wanted += [other for other in services[name].get("depends_on", {}) if other not in reached]
    of_stack = {name for name, service in services.items() if service.get("profiles") == [stack]}
    assert reached == of_stack - {"secrets"} | and_outside


@pytest.mark.parametrize("stack", ["cluster", "s3"])
def test_nobody_outside_reaches_what_asks_for_no_key(stack: str) -> None:
    """A Spark master, and the inner parts of the S3 server: no port of these stacks is published."""
    services = compose_file.read(stack)["services"]
    assert [name for name, one in services.items() if one.get("profiles") == [stack] and one.get("ports")] == []


def test_each_service_sees_its_own_secrets_only() -> None:
    """The certificate's authority and one password; the folder of all of them is covered."""
    services = compose_file.read("all")["services"]
    given = {name: {one["source"] for one in service.get("secrets", [])} for name, service in services.items()}
    assert {name: secrets for name, secrets in given.items() if secrets} == {
        "redpanda-secure": {"broker_certificate", "broker_key", "admin_password"},
        "users": {"ca", "admin_password"},
        "console-secure": {"ca", "console_password"},
        "producer-secure": {"ca", "producer_password"},
        "stream-secure": {"ca", "stream_password"},
        "monitor-secure": {"ca", "stream_password"},
    }
    for name, service in services.items():
        if compose_file.is_ours(service):
            covered = service.get("tmpfs") == ["/opt/indutech/data_output/secrets"]
            assert covered != (name in ("secrets", "users")), name


def test_no_broker_acknowledges_before_the_disk_has_it() -> None:
    """No developer mode, no write caching, and no topics made by a mistyped name; `ha` keeps three copies."""
    for file in sorted((PROJECT / "assets/compose").glob("redpanda*.yaml")):
        assert yaml.safe_load(file.read_text())["redpanda"]["developer_mode"] is False
    shared = yaml.safe_load((PROJECT / "assets/compose/bootstrap.yaml").read_text())
    assert (shared["write_caching_default"], shared["auto_create_topics_enabled"]) == ("false", False)
    for name in ("ha", "secure"):
        settings = yaml.safe_load((PROJECT / f"assets/compose/bootstrap-{name}.yaml").read_text())
        assert settings.items() >= shared.items()
    ha = yaml.safe_load((PROJECT / "assets/compose/bootstrap-ha.yaml").read_text())
    assert (ha["default_topic_replications"], ha["minimum_topic_replications"]) == (3, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS: redpanda:9092", "KAFKA_BOOTSTRAP_SERVER: redpanda:9092", "is no setting"),
        ("redpandadata/redpanda:v26.2.7", "redpandadata/redpanda:latest", "not in assets/images.toml"),
        ("redpandadata/console:v3.14.0", "redpandadata/console", "not in assets/images.toml"),
        ("test: [CMD, rpk, cluster, health]", "test: rpk cluster health | grep Healthy", "no exit code of its own"),
        ("test: [CMD, rpk, cluster, health]", "test: [CMD-SHELL, rpk cluster health || true]", "no exit code"),
        ("test: [CMD, rpk, cluster, health]", "disable: true", "no health check"),
        ("test: [CMD, indutech, health, stream]", "test: [CMD, indutech, healthy]", "is no command"),
        ('"127.0.0.1:8080:8080"', '"8080:8080"', "open to other machines"),
        ("[indutech, produce, --rate", "[indutech, produce, --speed", "--speed is no option"),
        ("[indutech, cluster, worker, --cores", "[indutech, cluster, worker, --core", "--core is no option"),
        ("cap_drop: [ALL]", "privileged: true", "privileged"),
        ("cap_drop: [ALL]", "cap_add: [SYS_NICE]", "keeps capabilities"),
        ("  build:\n", "  image: indutech:0.1.0\n  build:\n", "a first build fails"),
        ("    context: .\n", "    context: ./docs\n", "not built from the one Dockerfile"),
        ("  restart: unless-stopped\n", "", "no restart policy"),
        ("redpandadata/redpanda:v26.2.7", "redpandadata/redpanda:v26.2.6", "not in assets/images.toml"),
        ("KAFKA_SASL_USERNAME: console", "KAFKA_SASL_PASSWORD: hunter2", "is a secret in the file"),
        ("AWS_SHARED_CREDENTIALS_FILE: data_output", "AWS_ACCESS_KEY_ID: data_output", "is a secret in the file"),
        ("memory: 3500m", "pids: 100", "no limits"),
        ("--smp=1", "--mode=dev-container --smp=1", "bypasses fsync"),
        ("networks: {indutech: {aliases: [brokers-ha]}}", "networks: {default: {}}", "not on the one network"),
    ],
)
def test_a_broken_file_is_caught(before: str, after: str, fault: str, tmp_path: Path) -> None:
    """Each rule can fail."""
    assert before in TEXT
    (tmp_path / "docker-compose.yml").write_text(TEXT.replace(before, after))
    assert fault in "; ".join(compose_file.faults(compose_file.read("all", tmp_path / "docker-compose.yml")))
