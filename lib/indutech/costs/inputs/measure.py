"""Measures a lake for the cost model: bytes per ticket, files, bytes each question reads, and the text bracket."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from indutech.costs.inputs.measurement import FILE_NAME, Bracket, Measurement, MeasurementError, Question
from indutech.lake import layout, reader
from indutech.lake.store import files as lake_files
from indutech.lake.store.files import LakePath
from indutech.system.settings import Settings
from indutech.system.state_files import write_json
from indutech.tickets import schema
from indutech.tickets.contract import KINDS
from indutech.tickets.fields import Moment

# The questions of notebook 04, and one that reads the text, which is most of the bytes.
QUESTIONS: dict[str, list[str]] = {
    "Can the data be trusted?": ["ticket_id"],
    "What is it about?": ["type"],
    "How urgent is it?": ["support_team", "priority"],
    "When do they come?": ["creation_date"],
    "Who writes?": ["client_id"],
    "What do they write?": ["client_id", "creation_date", "request"],
}
_SAMPLE = 100_000  # tickets rewritten with other text for the bracket
_POOL = 20  # sentences of the pooled text
ENOUGH = 200_000  # tickets; a smaller lake measures half-empty files and the start of Spark
_WARM_ROWS = 50_000  # a smaller micro-batch says more about starting than about speed


def measure(settings: Settings, today: date) -> Measurement:
    """Measure the committed files of a data folder's lake and write the result beside the stream's metrics.

    Raises:
        MeasurementError: there is no ticket in the lake.
    """
    files = [file.path for file in layout.committed_files(settings, "tickets")]
    footprint = next(found for found in reader.footprints(settings) if found.kind == "tickets")
    if not files:
        raise MeasurementError(
            f"No ticket in {layout.root(settings, 'tickets')}. "
            "Run `indutech produce --load --count 2000000`, then `indutech stream --once`."
        )
    wire = reader.query(settings, f"SELECT count(*) AS tickets, sum({_JSON_BYTES}) AS bytes FROM tickets")
    found = Measurement(
        made_by="indutech costs measure",
        measured_on=today.isoformat(),
        tickets=int(wire["tickets"][0]),
        json_bytes=int(wire["bytes"][0]),
        parquet_bytes=footprint.bytes,
        files=footprint.files,
        batches=footprint.batches,
        tickets_per_core_second=_per_core_second(settings),
        questions=[
            Question(question=question, columns=columns, bytes_scanned=column_bytes(files, columns))
            for question, columns in QUESTIONS.items()
        ],
        bracket=_bracket(_sample(settings)),
    )
    write_json(settings.data_dir / FILE_NAME, found.model_dump(mode="json"))
    return found


def measure_once(settings: Settings, today: date) -> None:
    """Measure a data folder that holds enough tickets and has no measurement yet."""
    if not (settings.data_dir / FILE_NAME).exists():
        stored = reader.query(settings, "SELECT count(*) AS tickets FROM tickets")["tickets"][0]
        if stored >= ENOUGH:
            measure(settings, today)


# The message as the producer writes it: compact JSON of the contract's fields in UTF-8.
_AS_WRITTEN = [
    f"{name}: strftime(\"{name}\", '%Y-%m-%dT%H:%M:%SZ')" if isinstance(kind, Moment) else f'{name}: "{name}"'
    for name, kind in KINDS.items()
]
_JSON_BYTES = f"octet_length(encode(to_json({{{', '.join(_AS_WRITTEN)}}})))"


def column_bytes(files: Sequence[LakePath], columns: Sequence[str]) -> int:
    """Compressed bytes of some columns, which is what Spectrum and Athena bill for Parquet."""
    return sum(
        group.column(index).total_compressed_size
        for file in files
        for metadata in [lake_files.metadata(file)]
        for group in map(metadata.row_group, range(metadata.num_row_groups))
        for index in range(group.num_columns)
        if group.column(index).path_in_schema in columns
    )


def _per_core_second(settings: Settings) -> int | None:
    from indutech.stream import metrics  # brings PySpark with it, which nothing else here needs

    speeds = [
        batch["rows_per_s"]
        for batch in metrics.read(settings.metrics_file)
        if batch["rows"] >= _WARM_ROWS and batch["rows_per_s"]
    ]
    return round(max(speeds) / (os.cpu_count() or 1)) if speeds else None


def _sample(settings: Settings) -> pa.Table:
    """Some tickets of the lake, in whose place other text is put; never all of them, which may not fit in memory."""
    with reader.connect(settings) as connection:
        return connection.sql(f"SELECT * FROM tickets LIMIT {_SAMPLE}").to_arrow_table()


def _bracket(tickets: pa.Table) -> Bracket:
    texts = tickets.column("request").to_pylist()
    draws = np.random.default_rng(0)
    noise = [bytes(draws.integers(33, 127, len(text.encode()), dtype=np.uint8)).decode() for text in texts]
    pool = texts[:_POOL]
    pooled = [pool[i] for i in draws.integers(0, len(pool), len(texts))]
    return Bracket(incompressible=_bytes_with(tickets, noise), pooled=_bytes_with(tickets, pooled))


def _bytes_with(tickets: pa.Table, texts: Sequence[str]) -> Decimal:
    """Parquet bytes per ticket with another text, written as the lake writes it."""
    place = tickets.schema.get_field_index("request")
    column = pa.array(texts, tickets.schema.field(place).type)
    buffer = BytesIO()
    table = tickets.set_column(place, "request", column).drop_columns(schema.FOLDERS.names)
    dictionary = [name for name in table.column_names if name not in schema.VARIED_COLUMNS]
    pq.write_table(table, buffer, compression="zstd", compression_level=1, use_dictionary=dictionary)
    return round(Decimal(buffer.getbuffer().nbytes) / max(len(texts), 1), 1)
