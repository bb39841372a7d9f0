"""Our stream: validation, quarantine with its columns, exactly-once writes, proof columns."""

import json
import sys
import time
from pathlib import Path

from indutech.kafka.connection import Broker
from indutech.stream import job
from indutech.stream.session import session
from indutech.system.settings import Settings

if __name__ == "__main__":
    address, topic, folder = sys.argv[1:]

    def drain(name: str) -> tuple[float, int]:
        settings = Settings(_env_file=None, bootstrap_servers=address, topic=name, data_dir=Path(folder) / name)
        began = time.perf_counter()
        result = job.run(settings, Broker(address, embedded=False), once=True, spark=spark)
        return time.perf_counter() - began, result.stored

    spark = session(Settings(_env_file=None, data_dir=Path(folder)))
    drain(f"{topic}-warm-up")
    seconds, stored = drain(topic)
    print(json.dumps({"seconds": seconds, "stored": stored}))
