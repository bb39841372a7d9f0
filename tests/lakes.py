"""Small literal lakes: Parquet files and checkpoint files as Spark leaves them."""

import json
from collections.abc import Iterable
from datetime import datetime
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

from indutech.lake.layout import Kind, root
from indutech.lake.store import files
from indutech.lake.store.files import LakePath
from indutech.system.settings import Settings


def store(settings: Settings, kind: Kind, day: str, batch: int, offsets: Iterable[int], partition: int = 0) -> LakePath:
    """Write one file with these offsets and return it."""
    listed = list(offsets)
    midnight = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    table = pa.table(
        {
            "ticket_id": [f"t{partition}-{offset}" for offset in listed],
            "kafka_partition": pa.array([partition] * len(listed), pa.int32()),
            "kafka_offset": pa.array(listed, pa.int64()),
            "kafka_timestamp": pa.array([midnight] * len(listed), pa.timestamp("us", "UTC")),
        }
    )
    folder = root(settings, kind) / f"ingest_date={day}" / f"batch={batch}"
    files.make_folder(folder)
    path = folder / f"part-{len(list(folder.glob('*')))}.parquet"
    content = BytesIO()
    pq.write_table(table, content)
    path.write_bytes(content.getvalue())
    return path


def plan(settings: Settings, batch: int, ends: dict[int, int], query_id: str = "q1") -> None:
    """Write `offsets/N` of the checkpoint as Spark does before a micro-batch runs."""
    folder = settings.checkpoint_dir / "offsets"
    folder.mkdir(parents=True, exist_ok=True)
    line = json.dumps({settings.topic: {str(p): end for p, end in ends.items()}})
    (folder / str(batch)).write_text(f'v1\n{{"batchWatermarkMs":0}}\n{line}')
    (settings.checkpoint_dir / "metadata").write_text(json.dumps({"id": query_id}))


def commit(settings: Settings, batch: int, ends: dict[int, int]) -> None:
    """Plan a micro-batch and write `commits/N` as well."""
    plan(settings, batch, ends)
    folder = settings.checkpoint_dir / "commits"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / str(batch)).write_text('v1\n{"nextBatchWatermarkMs":0}')


def offsets_seen(settings: Settings, kind: Kind = "tickets") -> list[int]:
    """The offsets that a foreign reader of the glob sees, sorted."""
    found = root(settings, kind).glob("ingest_date=*/batch=*/*.parquet")
    return sorted(o for file in found for o in files.parquet(file).read()["kafka_offset"].to_pylist())
