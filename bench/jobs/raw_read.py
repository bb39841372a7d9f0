"""The ceiling: Spark reads the whole topic as our stream does, and does nothing with it."""

import json
import sys
import time
from pathlib import Path

from indutech.kafka import topics
from indutech.kafka.connection import Broker, spark_options
from indutech.stream.job import KAFKA_READS
from indutech.stream.session import session
from indutech.system.settings import Settings

if __name__ == "__main__":
    address, topic, folder = sys.argv[1:]
    broker = Broker(address, embedded=False)

    def read(name: str) -> float:
        began = time.perf_counter()
        rows = (
            spark.read.format("kafka")
            .options(**spark_options(broker), **KAFKA_READS)
            .option("subscribe", name)
            .option("minPartitions", spark.sparkContext.defaultParallelism)
            .load()
        )
        rows.write.format("noop").mode("overwrite").save()
        return time.perf_counter() - began

    spark = session(Settings(_env_file=None, data_dir=Path(folder)))
    read(f"{topic}-warm-up")
    seconds = read(topic)
    print(json.dumps({"seconds": seconds, "stored": sum(topics.end_offsets(broker, topic).values())}))
