"""Starts Apache Kafka, one node or three: formats their storage, builds the command line, launches the supervisor."""

import base64
import contextlib
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from indutech.jvm import class_data, jars, java
from indutech.kafka.connection import Security
from indutech.kafka.embedded import properties
from indutech.kafka.readiness import BrokerNotReady
from indutech.system import supervisor
from indutech.system.supervisor import node_folders

LARGEST_LOG_BYTES = 5_000_000
STATE = "broker.json"  # which process the broker is


def make_nodes(folder: Path, count: int) -> None:
    """Make the folders of the nodes of a broker that has no storage yet; a single node needs none of its own."""
    for abandoned in folder.glob("node-*"):  # by a start that failed before it had formatted anything
        shutil.rmtree(abandoned)
    for number in range(1, count + 1) if count > 1 else ():
        (folder / f"node-{number}").mkdir()


def prepare(folder: Path, new_ports: bool, admin: Security | None = None) -> None:
    """Write the settings of each node, and format storage that is new; with an `admin` it will know users only."""
    nodes = node_folders(folder)
    secured = {}
    if admin and admin.ca_file:
        secrets = os.path.relpath(admin.ca_file.parent, nodes[0])  # a path with an accent would not survive the file
        secured = properties.secured_by(f"{secrets}/broker.pem", f"{secrets}/ca.pem", admin)
    properties.write(nodes, new_ports, secured)
    log = log_file(folder)
    if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".previous.log"))
    if new := [node for node in nodes if not is_formatted(node)]:
        cluster_id = next(filter(None, map(_cluster_id, nodes)), None) or _new_cluster_id()
        with ThreadPoolExecutor(len(new)) as pool:
            for done in [pool.submit(_format, node, cluster_id, admin, log_file(folder)) for node in new]:
                done.result()


def is_formatted(folder: Path) -> bool:
    """Tell whether a broker has its storage in this folder."""
    return any((node / "data" / "meta.properties").exists() for node in node_folders(folder))


def launch(folder: Path) -> None:
    """Start the supervisor, and through it the broker, in a session of their own; returns at once."""
    command, mark = _java("kafka.Kafka", "server.properties"), "data/meta.properties"
    if not supervisor.launch(folder, command, state=STATE, mark=mark, env=_environment(), log=log_file(folder)):
        raise BrokerNotReady(f"The broker in {folder} is being stopped by somebody else: try again.")


def is_supervised(folder: Path) -> bool:
    """Tell whether a supervisor, and so a broker, runs in this folder."""
    return supervisor.is_supervised(folder)


def has_answered(folder: Path) -> None:
    """Tell the supervisor that this broker has worked: from now on it is restarted if it dies."""
    (folder / "answered").touch()


def log_file(folder: Path) -> Path:
    """Return where the broker and its supervisor write what they do."""
    return folder / "broker.log"


def log_tail(folder: Path, lines: int = 6) -> str:
    """Return the end of the broker's log, without stack traces, in one line."""
    try:
        text = log_file(folder).read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return "it wrote no log"
    told = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("\t")]
    return " | ".join(told[-lines:])


def kill_orphan(folder: Path, pid: int) -> None:
    """Kill a broker whose supervisor was killed, if that process is still the broker of this folder."""
    try:
        if is_broker_of(folder, pid):
            orphan = psutil.Process(pid)
            orphan.terminate()  # then it need not repair its log
            try:
                orphan.wait(timeout=10)
            except psutil.TimeoutExpired:
                orphan.kill()
                orphan.wait(timeout=10)
    except (psutil.Error, OSError):
        return


def is_broker_of(folder: Path, pid: int) -> bool:
    """Tell whether this process is a node of the broker of this folder: the pid may be somebody else's by now."""
    try:
        found = psutil.Process(pid)
        cwd = Path(found.cwd())
        return "kafka.Kafka" in found.cmdline() and any(cwd.samefile(node) for node in node_folders(folder))
    except (psutil.Error, OSError):
        return False


def _java(main_class: str, *arguments: str, options: Sequence[str] = ()) -> list[str]:
    return [
        str(java.find_java()),
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",
        "-Djava.awt.headless=true",
        "-Dfile.encoding=UTF-8",
        "-Dlog4j2.configurationFile=log4j2.properties",
        *class_data.options(class_data.BROKER),
        *options,
        main_class,
        *arguments,
    ]


def _environment() -> dict[str, str]:
    class_path = os.pathsep.join(str(jar) for jar in jars.kafka_server_jars())
    # In an ASCII locale Java cannot open a file whose path has an accent.
    return {**os.environ, "CLASSPATH": class_path, "LC_ALL": "C.UTF-8"}


def _new_cluster_id() -> str:
    return base64.urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")  # never starts with "-"


def _cluster_id(node: Path) -> str | None:
    try:
        written = (node / "data" / "meta.properties").read_text("ascii")
    except FileNotFoundError:
        return None
    found = re.search(r"^cluster\.id=(.+)$", written, re.MULTILINE)
    return found[1] if found else None


def _format(node: Path, cluster_id: str, admin: Security | None, log_file: Path) -> None:
    command = _java(
        *("kafka.tools.StorageTool", "format", "--cluster-id", cluster_id, "--config", "server.properties"),
        *_first_user(admin),
        options=["-XX:TieredStopAtLevel=1"],  # it lives for half a second: the better compiler only costs time
    )
    with _as_argument_file(node / "format.arguments", command[1:]) as arguments:
        formatting = subprocess.run(
            [command[0], arguments],
            cwd=node,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    with log_file.open("ab") as log:
        log.write(formatting.stdout + formatting.stderr)
    if formatting.returncode:
        raise BrokerNotReady(
            f"The embedded broker could not format its storage in {node}: {log_tail(log_file.parent)} "
            f"(the whole log: {log_file})."
        )


def _first_user(admin: Security | None) -> list[str]:
    """Return what makes the storage know its first user, who can then make the others."""
    if not (admin and admin.password):
        return []
    return ["--add-scram", f"{admin.mechanism}=[name={admin.username},password={admin.password.get_secret_value()}]"]


@contextlib.contextmanager
def _as_argument_file(file: Path, arguments: Sequence[str]) -> Iterator[str]:
    """Give `java` its arguments in a file: everyone on the machine can list those of a process."""
    file.touch(mode=0o600)
    try:
        file.write_text("".join(f'"{argument}"\n' for argument in arguments), "utf-8")
        yield f"@{file.name}"
    finally:
        file.unlink()
