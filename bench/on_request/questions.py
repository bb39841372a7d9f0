"""What the questions of notebook 07 read: bytes of the columns that they name, in a larger lake on S3.

The bytes go to assets/questions-measurement.json, from which the cost model reads them.
"""

import io
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.figures import Figure
from indutech.costs.inputs.questions import QUESTIONS_FILE
from indutech.lake import reader
from indutech.plant.sensors.contract import PRODUCT
from indutech.report.hybrid import questions, scene, spectrum
from indutech.system.settings import Settings
from indutech.system.state_files import write_json
from indutech.tickets import schema

TICKETS, READINGS, CHANGED, SEED = 100_000, 1_000_000, 600, 7
SAMPLE = 200_000  # readings rewritten with values that cannot be compressed


def run(console: Console) -> list[Figure]:
    """Make the lake of notebook 07, larger; count, print the table, and write the file."""
    with tempfile.TemporaryDirectory(prefix="indutech-bench-") as folder, console.status("Tickets, readings and ERP"):
        settings = Settings(_env_file=None, data_dir=Path(folder), bootstrap_servers=None)
        with scene.played(settings, count=TICKETS, changed=CHANGED, readings=READINGS, seed=SEED) as made:
            if made.readings != READINGS or not made.proof.equal:
                raise AssertionError(made.sentence)
            tables = spectrum.tables(made)
            read = {one.name: spectrum.bytes_read(made, one) for one in questions.ALL}
            incompressible = _incompressible(made.of_readings)
    write_json(
        QUESTIONS_FILE,
        {
            "made_by": "python -m bench questions",
            "measured_on": f"{datetime.now(UTC):%Y-%m-%d}",
            "server": "SeaweedFS, embedded",
            "tables": {name: asdict(size) for name, size in tables.items()},
            "questions": [
                {"name": one.name, "asked": one.asked, "bytes_read": read[one.name]} for one in questions.ALL
            ],
            "readings_incompressible": f"{incompressible:.1f}",
        },
    )
    table = Table(title="Bytes read", title_justify="left", box=SIMPLE_HEAD)
    for name in ("question", *tables):
        table.add_column(name, justify="left" if name == "question" else "right")
    for name, counted in read.items():
        table.add_row(name, *(f"{counted.get(one, 0):,}" for one in tables))
    console.print(table)
    stored = tables["readings"].column_bytes / tables["readings"].rows
    return [Figure("questions", "Parquet bytes of a reading", stored, "B"),
            Figure("questions", "the same, values incompressible", incompressible, "B")]  # fmt: skip


def _incompressible(settings: Settings) -> float:
    """Bytes of a reading if its value were a number without a pattern, written as the lake writes it."""
    with reader.connect(settings) as connection:
        some = connection.sql(f"SELECT * FROM readings LIMIT {SAMPLE}").to_arrow_table()
    noise = np.random.default_rng(SEED).random(some.num_rows) * 100
    place = some.schema.get_field_index("measured_value")
    some = some.set_column(place, "measured_value", pa.array(noise)).drop_columns(schema.FOLDERS.names)
    dictionary = [name for name in some.column_names if name not in schema.of(PRODUCT).varied]
    buffer = io.BytesIO()
    pq.write_table(some, buffer, compression="zstd", compression_level=1, use_dictionary=dictionary)
    return buffer.getbuffer().nbytes / some.num_rows
