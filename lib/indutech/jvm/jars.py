"""The jars of Kafka, of Spark's connectors and of Kafka Connect: locked by SHA-256, fetched once, then used offline."""

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock

from indutech.jvm import maven
from indutech.jvm.maven import JarsUnavailable
from indutech.system.settings import PROJECT

LOCK_FILE = PROJECT / "assets" / "jars.lock"

KAFKA_SERVER = "kafka-server"
SPARK_KAFKA = "spark-kafka"
SPARK_S3 = "spark-s3"  # fetched only by who has a lake on S3
KAFKA_CONNECT = "kafka-connect"  # fetched only by who starts the ERP

# fmt: off
_AWS_SDK = [
    "annotations", "apache-client", "arns", "auth", "aws-core", "aws-json-protocol",
    "aws-query-protocol", "aws-xml-protocol", "checksums-spi", "checksums", "crt-core", "endpoints-spi",
    "http-auth-aws-eventstream", "http-auth-aws", "http-auth-spi", "http-auth", "http-client-spi",
    "identity-spi", "json-utils", "kms", "metrics-spi", "netty-nio-client", "profiles", "protocol-core",
    "regions", "retries-spi", "retries", "s3-transfer-manager", "s3", "sdk-core", "sts",
    "third-party-jackson-core", "utils-lite", "utils",
]
# fmt: on

WANTED = {
    # Kafka logs through slf4j 1.7, for which its own closure brings no writer.
    KAFKA_SERVER: ["org.apache.kafka:kafka_2.13:4.3.1", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"],
    SPARK_KAFKA: ["org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0"],
    # Named one by one: hadoop-aws asks for all of AWS's SDK in one jar of 676 MB, of which it needs these modules.
    SPARK_S3: [
        "commons-logging:commons-logging:1.2",
        "org.apache.hadoop:hadoop-aws:3.5.0",
        "org.apache.spark:spark-hadoop-cloud_2.13:4.1.1",
        "org.reactivestreams:reactive-streams:1.0.4",
        "org.wildfly.openssl:wildfly-openssl:2.2.5.Final",
        "software.amazon.eventstream:eventstream:1.0.1",
        "software.amazon.s3.analyticsaccelerator:analyticsaccelerator-s3:1.3.1",
        *(f"software.amazon.awssdk:{module}:2.35.5" for module in _AWS_SDK),
    ],
    # In this order: of what two of them need, the first one's version is taken.
    KAFKA_CONNECT: [
        "org.apache.kafka:connect-runtime:4.3.1",
        "io.debezium:debezium-connector-postgres:3.6.3.Final",
        "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",
    ],
}
ON_SETUP = (KAFKA_SERVER, SPARK_KAFKA)


@dataclass(frozen=True, order=True)
class Jar:
    """One locked jar."""

    coordinate: str  # group:artifact:version
    sha256: str

    @property
    def path(self) -> Path:
        """Where it is, or will be, in the user's cache."""
        group, artifact, version = self.coordinate.split(":")
        return cache_dir() / "jars" / group / f"{artifact}-{version}.jar"


def cache_dir() -> Path:
    """Return the folder that every checkout of this user shares."""
    return Path(os.environ.get("INDUTECH_CACHE_DIR") or platformdirs.user_cache_dir("indutech")).absolute()


def kafka_server_jars() -> list[Path]:
    """Return the class path of the embedded broker, fetched if this machine has not seen it yet."""
    return fetch(locked(KAFKA_SERVER))


def spark_kafka_jars() -> list[Path]:
    """Return what Spark needs to read Kafka and PySpark does not bring, fetched if need be."""
    return fetch(locked(SPARK_KAFKA))


def spark_s3_jars() -> list[Path]:
    """Return what Spark needs to read and write S3 and PySpark does not bring, fetched if need be."""
    return fetch(locked(SPARK_S3))


def kafka_connect_jars() -> list[Path]:
    """Return the class path of Kafka Connect with Debezium's connector for PostgreSQL, fetched if need be."""
    return fetch(locked(KAFKA_CONNECT))


def locked(jar_set: str) -> list[Jar]:
    """Return the jars that the lock names for one set."""
    return [Jar(*item) for item in tomllib.loads(LOCK_FILE.read_text("utf-8"))[jar_set].items()]


def fetch(jars: Iterable[Jar]) -> list[Path]:
    """Return the paths of these jars, downloading those that are not in the cache; a full cache makes no request.

    Raises:
        JarsUnavailable: a jar cannot be downloaded, or its hash is not the locked one.
    """
    jars = list(jars)
    if any(not _is_verified(jar) for jar in jars):
        cache_dir().mkdir(parents=True, exist_ok=True)
        with FileLock(cache_dir() / "jars.filelock"):  # a second process waits, then finds them all there
            if missing := [jar for jar in jars if not _is_verified(jar)]:
                _download(missing)
    return [jar.path for jar in jars]


def missing(*, s3: bool = False) -> list[str]:
    """Return the coordinates of the locked jars that are not in the cache, those for S3 if asked; downloads nothing.

    Raises:
        JarsUnavailable: a jar in the cache is not the locked one.
    """
    wanted = [*ON_SETUP, SPARK_S3] if s3 else ON_SETUP
    return [jar.coordinate for jar_set in wanted for jar in locked(jar_set) if not _is_verified(jar)]


def _stamp(jar: Jar) -> Path:
    return jar.path.with_suffix(".verified")


def _is_verified(jar: Jar) -> bool:
    """Tell whether the cached jar is the locked one; hashes it only if it changed since it was last hashed."""
    try:
        found = jar.path.stat()
    except FileNotFoundError:
        return False
    seen = f"{jar.sha256} {found.st_size} {found.st_mtime_ns}"
    stamp = _stamp(jar)
    if not stamp.exists() or stamp.read_text("ascii") != seen:
        _check(jar, jar.path, "delete that file, then run `make setup`")
        with contextlib.suppress(OSError):  # somebody else's cache, as in the image: then it is hashed each time
            _write_atomically(stamp, seen)
    return True


def _check(jar: Jar, file: Path, next_step: str) -> None:
    with file.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    if sha256 != jar.sha256:
        raise JarsUnavailable(
            f"{jar.coordinate} ({file}) has the SHA-256 {sha256}, but {LOCK_FILE.name} says {jar.sha256}: {next_step}."
        )


def _write_atomically(file: Path, text: str) -> None:
    part = file.with_suffix(f".{os.getpid()}.part")
    part.write_text(text, "utf-8")
    part.replace(file)


def _download(jars: list[Jar]) -> None:
    from tqdm import tqdm

    from indutech.system.progress import on_terminal

    for abandoned in cache_dir().glob("partial-*"):  # by a download that was killed; nobody else is downloading now
        shutil.rmtree(abandoned, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory(prefix="partial-", dir=cache_dir()) as partial,
        ThreadPoolExecutor(max_workers=8) as pool,
        # Not in a log, nor in the outputs of a notebook, which would keep each step of it.
        tqdm(total=len(jars), desc="Fetching jars", unit="jar", leave=False, disable=not on_terminal()) as bar,
    ):
        try:
            for done in as_completed([pool.submit(_download_one, jar, Path(partial)) for jar in jars]):
                done.result()
                bar.update()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _download_one(jar: Jar, partial: Path) -> None:
    """Fetch into a folder that is thrown away, check, and only then move the jar to where others look for it."""
    file = maven.download(jar.coordinate, partial)
    _check(jar, file, "it was not kept; do not trust where it came from")
    jar.path.parent.mkdir(parents=True, exist_ok=True)
    file.replace(jar.path)
    _is_verified(jar)


def write_lock() -> None:
    """Resolve every set afresh and write the lock."""
    import pyspark

    pyspark_jars = {file.name for file in (Path(pyspark.__file__).parent / "jars").glob("*.jar")}
    have: dict[str, Callable[[str], bool]] = {SPARK_KAFKA: pyspark_jars.__contains__}
    lines = ["# Written by `make lock-jars`: group:artifact:version and SHA-256 of every jar. Do not edit."]
    with tempfile.TemporaryDirectory() as repository:
        for jar_set, coordinates in WANTED.items():
            lines += ["", f"[{jar_set}]"]
            if jar_set == SPARK_S3:
                jars = maven.hashes(coordinates, Path(repository))
            else:
                jars = maven.resolve(coordinates, Path(repository), have.get(jar_set, lambda name: False))
            lines += [f'"{coordinate}" = "{sha256}"' for coordinate, sha256 in sorted(jars.items())]
    _write_atomically(LOCK_FILE, "\n".join(lines) + "\n")


def main(arguments: list[str]) -> int:
    """Fetch the named sets of jars, else what `make setup` fetches; with `--lock` write the lock instead."""
    try:
        if arguments == ["--lock"]:
            write_lock()
        else:
            fetch(jar for jar_set in arguments or ON_SETUP for jar in locked(jar_set))
    except JarsUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
