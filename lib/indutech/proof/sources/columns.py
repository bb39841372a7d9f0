"""Which columns of a table hold a row's partition and offset: named by the user, or one of the known pairs."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from indutech.proof.sources.unit import Places, TableUnreadable, UnitUnreadable


@dataclass(frozen=True)
class Columns:
    """Names of the columns; a dot goes into a struct. With a topic column, rows of other topics are not counted."""

    partition: str
    offset: str
    topic: str | None = None

    @property
    def described(self) -> str:
        """The names, as a reader sees them."""
        return ", ".join(self.named)

    @property
    def named(self) -> list[str]:
        """The names that are there to be read."""
        return [name for name in (self.partition, self.offset, self.topic) if name]


PRESETS = {
    "indutech": Columns("kafka_partition", "kafka_offset"),
    "redpanda": Columns("redpanda.partition", "redpanda.offset"),
    "aiven": Columns("kafka.partition", "kafka.offset"),
    # KafkaMetadataTransform of the Iceberg sink: its default, and with nested=true (AutoMQ writes the same struct).
    "iceberg-sink": Columns("_kafka_metadata_partition", "_kafka_metadata_offset", "_kafka_metadata_topic"),
    "iceberg-sink-nested": Columns("_kafka_metadata.partition", "_kafka_metadata.offset", "_kafka_metadata.topic"),
    # What Spark's and Flink's Kafka sources call them.
    "spark": Columns("partition", "offset"),
}


def names_in(schema: pa.Schema) -> set[str]:
    """Every column of a schema, with the fields of its structs as `struct.field`."""
    found: set[str] = set()

    def walk(prefix: str, fields: Iterable[pa.Field]) -> None:
        for one in fields:
            found.add(f"{prefix}{one.name}")
            if pa.types.is_struct(one.type):
                walk(f"{prefix}{one.name}.", one.type)

    walk("", schema)
    return found


def choose(wanted: Columns | None, there: set[str], table: str) -> Columns:
    """Return the columns to read: those asked for, or the one preset that this table has.

    Raises:
        TableUnreadable: a column asked for is not there, or none or several presets fit.
    """
    if wanted:
        if missing := [name for name in (wanted.partition, wanted.offset) if name not in there]:
            raise TableUnreadable(f"{table} has no column {' and no '.join(missing)}: it has {_listed(there)}.")
        return _with_topic_if_there(wanted, there)
    fitting = {name: known for name, known in PRESETS.items() if {known.partition, known.offset} <= there}
    if len(fitting) == 1:
        [known] = fitting.values()
        return _with_topic_if_there(known, there)
    found = f"the columns of several writers ({', '.join(fitting)})" if fitting else "no columns that a preset knows"
    raise TableUnreadable(
        f"{table} has {found}: choose with --preset, or name them with --partition-column and "
        f"--offset-column. It has {_listed(there)}."
    )


def places(batch: pa.RecordBatch | pa.Table, columns: Columns, topic: str | None) -> Places:
    """The partitions and offsets of a batch, of this topic only where the batch says which.

    Raises:
        UnitUnreadable: what stands in these columns is no whole number.
    """
    if columns.topic and topic is not None:
        batch = batch.filter(pc.fill_null(pc.equal(pc.cast(_column(batch, columns.topic), pa.string()), topic), False))
    try:
        partitions, offsets = (pc.cast(_column(batch, name), pa.int64()) for name in columns.named[:2])
    except pa.ArrowInvalid as error:
        raise UnitUnreadable(f"{columns.partition} and {columns.offset} must be whole numbers: {error}") from error
    without = 0
    if partitions.null_count or offsets.null_count:
        known = pc.and_(pc.is_valid(partitions), pc.is_valid(offsets))
        partitions, offsets = partitions.filter(known), offsets.filter(known)
        without = batch.num_rows - len(offsets)
    return Places(
        np.asarray(partitions.to_numpy(zero_copy_only=False)),
        np.asarray(offsets.to_numpy(zero_copy_only=False)),
        without,
    )


def _column(batch: pa.RecordBatch | pa.Table, name: str) -> pa.Array:
    if name in batch.schema.names:
        column = batch.column(name)
    else:
        root, *fields = name.split(".")
        if root not in batch.schema.names:
            raise UnitUnreadable(f"it has no column {name}")
        column = batch.column(root)
        for one in fields:
            column = pc.struct_field(column, one)
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _with_topic_if_there(columns: Columns, there: set[str]) -> Columns:
    return columns if columns.topic in there else Columns(columns.partition, columns.offset)


def _listed(there: set[str]) -> str:
    shown = sorted(there)[:40]
    return ", ".join(shown) + (f" and {len(there) - 40} more" if len(there) > 40 else "") if shown else "no columns"
