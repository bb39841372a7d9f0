"""Faults of folders and machines: full, read-only, damaged, moved, crowded, alone. Families 15, 16 and 21."""

import ctypes
import fcntl
import json
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pyarrow.parquet as pq

from indutech.kafka import broker as brokers
from indutech.lake.checkpoint import Checkpoint
from tests.faults.laboratory import LONGEST_START_S, Laboratory, ended, java_of, kill_all, wait_until
from tests.faults.on_messages import tickets
from tests.faults.table import fault

MIB = 2**20
DISK_MIB = 64
LEFT_BYTES = 200_000  # less than the Parquet of one micro-batch
LARGEST_FILE = 2 * MIB  # more than the native libraries that Java unpacks, less than a micro-batch of MANY tickets
MANY = 60_000
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SET_FLAGS, UP, RUNNING = 0x8914, 0x1, 0x40  # of a network interface


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Mount a small disk at this folder and say so; without the right to mount, say that there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "laboratory", str(folder)]
    mounted = not os.environ.get("FAULTS_NO_MOUNT") and subprocess.run(mount, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def no_larger_files() -> None:
    """What stands in for a full disk where nobody may mount one: a write beyond the limit fails the same way."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))


def obey_modes() -> None:
    """Take from root what lets it write where it may not; others cannot anyway."""
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE)


def change_modes(folder: Path, *, take: int = 0, give: int = 0) -> None:
    """Take bits from the modes of a folder and all that is in it, or give them."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & ~take | give)


def fill(disk: Path, leave: int) -> Path:
    """Fill a disk but for some bytes; return the file to delete."""
    ballast = disk / "ballast"
    free = shutil.disk_usage(disk).free
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free - leave))
    return ballast


@fault(
    15,
    "disk full mid-stream",
    promised="a clear reason, nothing half visible, resumes when there is room",
    settings={"max_batch_tickets": MANY},
)
def disk_full(laboratory: Laboratory) -> None:
    """Stream and producer say that there is no room; what is committed stays whole; with room they go on."""
    mounted = laboratory.ends.enter_context(small_disk(laboratory.settings.data_dir))
    laboratory.send(tickets(1_000))
    assert laboratory.stream_once().code == 0
    laboratory.send(tickets(MANY, seed=2))
    ballast = fill(laboratory.settings.data_dir, LEFT_BYTES) if mounted else None
    for _ in range(2):
        with laboratory.running("stream", "--once", before=None if mounted else no_larger_files) as process:
            done = ended(process)
        laboratory.hurt()
        assert done.code == 1, done.said
        assert "There is no room for" in done.err
        assert "Traceback" not in done.said
        proof = json.loads(laboratory.indutech("reconcile", "--full", "--json").out)
        assert (proof["stored"], proof["pending"], proof["unreadable"]) == (1_000, MANY, [])
    if ballast:
        fill_up = fill(laboratory.settings.data_dir / "lake", 0)
        refused = laboratory.indutech("produce", "--count", "10")
        laboratory.hurt()
        assert refused.code == 1
        assert "make room" in refused.err.lower()
        fill_up.unlink()
        ballast.unlink()


@fault(15, "a read-only folder", promised="a clear reason, nothing half visible, resumes when it may be written")
def read_only(laboratory: Laboratory) -> None:
    """The whole data folder, then only the lake, in the midst of it."""
    laboratory.send(tickets(500))
    assert laboratory.stream_once().code == 0
    laboratory.send(tickets(500, seed=2))
    for folder in (laboratory.settings.data_dir, laboratory.settings.tickets_dir):
        change_modes(folder, take=0o222)
        try:
            with laboratory.running("stream", "--once", before=obey_modes) as process:
                done = ended(process)
        finally:
            change_modes(folder, give=0o200)
        laboratory.hurt()
        assert done.code == 1, done.said
        assert "No write access to" in done.err, done.err
        assert "Traceback" not in done.said
        proof = json.loads(laboratory.indutech("reconcile", "--full", "--json").out)
        assert (proof["stored"], proof["pending"], proof["unreadable"]) == (500, 500, [])


@fault(16, "checkpoint cut, emptied or deleted; lake deleted; folder moved", promised="refused, with the safe command")
def damaged(laboratory: Laboratory) -> None:
    """Each is done to a copy, is refused before Spark starts, and named by `doctor`; the moved original goes on."""
    laboratory.send(tickets(1_000))
    assert laboratory.stream_once().code == 0
    laboratory.send(tickets(500, seed=2))
    original = laboratory.settings.data_dir

    def newest(settings_dir: Path) -> Path:
        return settings_dir / "checkpoint" / "offsets" / "0"

    hurts: dict[str, tuple[Callable[[Path], object], str]] = {
        "cut": (lambda copy: newest(copy).write_text("v1\n{"), "Restore it"),
        "emptied": (lambda copy: newest(copy).write_text(""), "Restore it"),
        "checkpoint deleted": (lambda copy: shutil.rmtree(copy / "checkpoint"), "Restore the checkpoint"),
        "lake deleted": (lambda copy: shutil.rmtree(copy / "lake"), "indutech reset"),
        "identity deleted": (lambda copy: (copy / "lake" / "identity.json").unlink(), "Restore that file"),
    }
    for name, (hurt, advice) in hurts.items():
        copy = original.with_name(f"{original.name} {name}")
        shutil.copytree(original, copy)
        hurt(copy)
        laboratory.hurt()
        before = sorted(copy.rglob("*.parquet"))
        for command in (("stream", "--once"), ("doctor", "--json")):
            done = laboratory.indutech(*command, INDUTECH_DATA_DIR=str(copy))
            assert done.code == 1, (name, done)
            assert advice in done.said, (name, done)
        assert sorted(copy.rglob("*.parquet")) == before, name
    laboratory.move_to("ailleurs")
    original.rename(laboratory.settings.data_dir)
    laboratory.hurt()


@fault(
    21,
    "a burst of 100 times the rate, then an idle topic",
    promised="bounded memory, no empty files",
    settings={"max_batch_tickets": 20_000, "trigger_s": 0},
)
def burst(laboratory: Laboratory) -> None:
    """From 200 a second to 200,000 at once; then nothing for a while."""
    with laboratory.running("stream") as stream:
        laboratory.produce("--count", "400", "--rate", "200", "--seed", "1")
        laboratory.until_stored(stream, LONGEST_START_S)
        laboratory.produce("--count", "200000", "--load", "--seed", "2")
        laboratory.hurt()
        peak = 0

        def stored() -> bool:
            nonlocal peak
            with suppress(psutil.Error):
                peak = max(peak, sum(one.memory_info().rss for one in java_of(stream)))
            return laboratory.waiting() == 0

        wait_until(stored, 300, "the burst is stored", stream)
        assert peak < 2.5 * 2**30, f"{peak / 2**30:.1f} GiB with a heap of 1 GiB"
        files = sorted(laboratory.settings.lake_dir.rglob("*.parquet"))
        batches = laboratory.committed()
        time.sleep(5)  # not a wait for something: an idle topic
        assert (sorted(laboratory.settings.lake_dir.rglob("*.parquet")), laboratory.committed()) == (files, batches)
        stream.send_signal(signal.SIGTERM)
        assert ended(stream, 60).code == 0
    assert all(pq.read_metadata(file).num_rows for file in files)
    log = Checkpoint(laboratory.settings.checkpoint_dir)
    ends = [sum(log.end_offsets(n, laboratory.settings.topic).values()) for n in range(batches + 1)]
    assert max(after - before for before, after in zip([0, *ends], ends, strict=False)) <= 20_000 + 4


@fault(
    21,
    "10,000 small files, compacted, killed while at it",
    promised="few files, the same rows",
    settings={"max_batch_tickets": 2_500},
)
def small_files(laboratory: Laboratory) -> None:
    """A lake of one row a file becomes one of few files, although two compactions are killed."""
    laboratory.send(tickets(10_000))
    assert laboratory.stream_once().code == 0
    for file in laboratory.settings.tickets_dir.glob("ingest_date=*/batch=*/*.parquet"):
        rows = pq.ParquetFile(file).read()
        for number in range(rows.num_rows):
            pq.write_table(rows.slice(number, 1), file.with_name(f"{file.stem}-{number}.parquet"), compression="zstd")
        file.unlink()
        file.with_name(f".{file.name}.crc").unlink(missing_ok=True)
    assert len(list(laboratory.settings.tickets_dir.rglob("*.parquet"))) == 10_000
    for _ in range(2):
        with laboratory.running("compact", "--open-day-too") as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(laboratory.draws.uniform(0.5, 4))  # not a wait for something: the moment of death
            kill_all(process)
        laboratory.hurt()
    assert laboratory.indutech("compact", "--open-day-too").code == 0
    left = len(list(laboratory.settings.tickets_dir.rglob("*.parquet")))
    assert left <= 2_500 + 10, f"{left} files; the newest micro-batch keeps its own"
    laboratory.send(tickets(500, seed=2))


@fault(21, "no network, and proxies that lead nowhere", promised="works on one machine alone")
def no_network(laboratory: Laboratory) -> None:
    """Everything in a namespace with nothing but 127.0.0.1, if the system lets us make one, and with dead proxies."""
    laboratory.settings = laboratory.settings.model_copy(update={"bootstrap_servers": None})
    nowhere = "http://127.0.0.1:9"
    proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"), nowhere)
    commands = (["produce", "--count", "500", "--seed", "1"], ["stream", "--once"], ["reconcile"])
    script = "; ".join(f"subprocess.run([sys.executable, '-m', 'indutech', *{one}], check=True)" for one in commands)
    done = subprocess.run(
        [sys.executable, "-c", f"import subprocess, sys; {script}"],
        env={**os.environ, **laboratory.environment(), **proxies},
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=only_this_machine,
    )
    laboratory.hurt()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "500 stored, 0 lost, 0 twice" in " ".join(done.stdout.split())
    laboratory.broker = laboratory.ends.enter_context(brokers.connected(laboratory.settings))


def only_this_machine() -> None:
    """Leave every network but 127.0.0.1; where that is not allowed, the dead proxies remain."""
    system, user, group = ctypes.CDLL(None), os.getuid(), os.getgid()
    if system.unshare(CLONE_NEWNET):
        if system.unshare(CLONE_NEWUSER | CLONE_NEWNET):
            return
        for name, line in {"setgroups": "deny", "uid_map": f"{user} {user} 1", "gid_map": f"{group} {group} 1"}.items():
            Path("/proc/self", name).write_text(line)
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh", b"lo", UP | RUNNING))
