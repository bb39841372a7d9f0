"""The speed on the report's front page: one warm drain of a full topic by our stream, alone on its machine.

`python -m bench.speed` writes it to assets/speed-run.json, with the day and the machine.
"""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bench import drain
from indutech.kafka import broker as brokers
from indutech.system.settings import PROJECT, Settings

FILE = PROJECT / "assets" / "speed-run.json"
PARTITIONS = 4


def run() -> dict[str, object]:
    """Fill a topic, drain it once warm, and return what the front page says of it."""
    with tempfile.TemporaryDirectory(prefix="indutech-bench-") as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder), bootstrap_servers=None)
        with brokers.connected(settings) as broker:
            drain.fill(broker, drain.topic_of(PARTITIONS), PARTITIONS, drain.TICKETS)
            drain.fill(broker, f"{drain.topic_of(PARTITIONS)}-warm-up", PARTITIONS, drain.WARM_UP_TICKETS)
            found = drain.timed(drain.OURS, PARTITIONS, broker, Path(folder))
    cores = psutil.cpu_count() or 1
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": cores,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "command": "python -m bench.speed",
        "tickets": drain.TICKETS,
        "partitions": PARTITIONS,
        "seconds": round(found.seconds, 1),
        "tickets_per_s": round(found.tickets_per_s),
        "tickets_per_core_second": round(found.tickets_per_s / cores),
        "peak_mib": round(found.peak_mib),
    }


if __name__ == "__main__":
    made = run()
    FILE.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    print(f"{made['tickets_per_s']:,} tickets a second: {FILE.relative_to(PROJECT)}")
