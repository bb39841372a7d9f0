"""Sensor readings: how many a second go from a gateway over MQTT to Kafka, and what one takes on its way and stored.

The sizes go to assets/readings-measurement.json.
"""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.figures import Figure
from bench.own_broker import own_broker
from indutech.kafka.broker import Broker
from indutech.lake import reader
from indutech.plant.mqtt import connection, gateway
from indutech.plant.sensors.measured import FILE
from indutech.producer import audit, produce
from indutech.proof import reconcile
from indutech.stream import job
from indutech.system.settings import Settings
from indutech.system.state_files import write_json
from indutech.tickets import product as products

OVER_MQTT = 100_000
STORED = 1_000_000
PERIOD = timedelta(days=1)
SEED = 7
WITHIN_S = 120.0


def run(console: Console) -> list[Figure]:
    """Measure both in a broker of our own, print the tables, return the figures."""
    with own_broker(product="readings") as (settings, broker):
        with console.status(f"{OVER_MQTT:,} readings over MQTT"):
            per_s, program = _over_mqtt(
                settings.model_copy(update={"topic": "over_mqtt", "data_dir": settings.data_dir / "over-mqtt"}), broker
            )
        with console.status(f"{STORED:,} readings into a lake"):
            sizes = _sizes(settings, broker)
    speed = {"over_mqtt_per_s": round(per_s), "mqtt_broker": program}
    write_json(
        FILE, {"measured_on": f"{datetime.now(UTC):%Y-%m-%d}", "made_by": "python -m bench readings", **sizes, **speed}
    )
    table = Table(title=f"A reading, of {STORED:,} of a day", title_justify="left", box=SIMPLE_HEAD)
    for name in ("as JSON", "on the broker", "as Parquet"):
        table.add_column(name, justify="right")
    each = [sizes[name] / STORED for name in ("json_bytes", "broker_bytes", "parquet_bytes")]
    table.add_row(*(f"{size:.1f} B" for size in each))
    console.print(table)
    return [
        Figure("readings", f"over MQTT ({program}) to Kafka", per_s, "readings/s", at_least=5_000),
        Figure("readings", "JSON / Parquet", each[0] / each[2], "x"),
    ]


def _over_mqtt(settings: Settings, broker: Broker) -> tuple[float, str]:
    """Gateway, MQTT broker and bridge each in a process, as fast as they go, once the bridge listens."""
    named = {"INDUTECH_DATA_DIR": str(settings.data_dir), "KAFKA_TOPIC": settings.topic}
    named["KAFKA_BOOTSTRAP_SERVERS"] = broker.bootstrap_servers
    with connection.reached(settings) as address, ExitStack() as ending:
        bridge = subprocess.Popen([sys.executable, "-m", "indutech", "mqtt", "bridge"], env={**os.environ, **named})
        ending.callback(bridge.wait)
        ending.callback(bridge.terminate)
        deadline = time.monotonic() + WITHIN_S
        while not audit.read_audit(settings) and time.monotonic() < deadline:
            time.sleep(0.05)
        gateway.send(settings, address, count=2_000, seed=SEED + 1, gateway="warm-up", wait_s=WITHIN_S)
        sent = gateway.send(settings, address, count=OVER_MQTT, seed=SEED, wait_s=WITHIN_S)
        if sent.confirmed != OVER_MQTT:
            raise AssertionError(sent.sentence)
        return sent.confirmed / sent.seconds, str(connection.status(settings).program)


def _sizes(settings: Settings, broker: Broker) -> dict[str, int]:
    produce.produce(settings, broker, count=STORED, seed=SEED, period=PERIOD, load=True, progress=False)
    job.run(settings, broker, once=True)
    if (proof := reconcile.prove(settings, broker)).stored != STORED or proof.exit_code:
        raise AssertionError(proof.sentence)
    logs = [path for path in settings.broker_dir.rglob("*.log") if path.parent.name.startswith(f"{settings.topic}-")]
    rows = next(found for found in reader.footprints(settings) if found.kind == settings.product)
    sent = sum(len(value) for batch in _messages(settings) for _, value in batch)
    return {
        "readings": STORED,
        "days": PERIOD.days,
        "json_bytes": sent,
        "broker_bytes": sum(path.stat().st_size for path in logs),
        "parquet_bytes": rows.bytes,
        "files": rows.files,
        "cores": os.cpu_count() or 1,
    }


def _messages(settings: Settings) -> "products.Messages":
    return products.of(settings).messages(STORED, SEED, PERIOD, 10_000)
