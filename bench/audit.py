"""Auditing a month of tickets: 202 million offsets in Parquet, each counted; how long it takes and how much memory.

Two tables: files of one partition each, as a sink connector writes them, and files in which all partitions are mixed.
Each has one offset missing and one twice, which the audit must find; it is a process of its own, the real command.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from bench.figures import Figure
from indutech.system.errors import InduTechError

OFFSETS = 202_000_000  # 50 GB a month, in tickets of 247 bytes
PARTITIONS = 4
FILES = 200
MOST_S = 15
MOST_MEMORY_MIB = 1024
MISSING, TWICE = 12_345_678, 23_456_789


def run(console: Console) -> list[Figure]:
    """Write both tables one after the other, audit each, return seconds and memory."""
    figures = []
    for mixed in (False, True):
        holds = "files of all partitions" if mixed else "files of one partition"
        with tempfile.TemporaryDirectory(prefix="indutech-bench-") as folder:
            console.print(f"{OFFSETS:,} offsets in {FILES} {holds} ...")
            _write(Path(folder), mixed)
            seconds, memory_mib = _audit(folder)
        figures += [
            Figure("audit", f"{OFFSETS // 1_000_000} million offsets, {holds}", seconds, "s", at_most=MOST_S),
            Figure("audit", f"memory, {holds}", memory_mib, "MiB", at_most=MOST_MEMORY_MIB),
        ]
    return figures


def _write(folder: Path, mixed: bool) -> None:
    per_file = OFFSETS // FILES
    for number in range(FILES):
        if mixed:
            span = per_file // PARTITIONS
            offsets = np.repeat(np.arange(number * span, (number + 1) * span), PARTITIONS)
            partitions = np.tile(np.arange(PARTITIONS, dtype=np.int32), span)
        else:
            turn, partition = divmod(number, PARTITIONS)
            offsets = np.arange(turn * per_file, (turn + 1) * per_file)
            partitions = np.full(per_file, partition, dtype=np.int32)
        # One offset of partition 0 becomes another of the same partition: counts stay those of a complete table.
        offsets[(partitions == 0) & (offsets == MISSING)] = TWICE
        columns = {"kafka_partition": partitions, "kafka_offset": offsets}
        pq.write_table(pa.table(columns), folder / f"{number:04}.parquet", compression="zstd")


def _audit(folder: str) -> tuple[float, float]:
    each = OFFSETS // PARTITIONS
    ranges = ",".join(f"{partition}:0:{each}" for partition in range(PARTITIONS))
    command = [sys.executable, "-m", "indutech", "audit", folder, "--ranges", ranges, "--json"]
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    told = json.loads(process.stdout.read()) if process.stdout else {}
    _, _, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    found = {(one["kind"], one["first"], one["last"]) for one in told["findings"]}
    if found != {("missing", MISSING, MISSING), ("duplicate", TWICE, TWICE)}:
        raise InduTechError(f"The audit found {sorted(found)}: one missing and one duplicate were planted.")
    return seconds, used.ru_maxrss / 1024
