"""A reader that knows nothing of this project: pyiceberg, the catalogue's file and the name of a table.

Started as `python foreign_reader.py CATALOG.db TABLE STOP_FILE`, it reads the newest snapshot again and again until the
file is there, and every fifth time the first one that it saw. One JSON line for each reading: the micro-batch that the
snapshot names, and per partition the end of its offsets if they run from 0 to it exactly once; else what is wrong.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.table import Table

PIN_EVERY = 5


def read(table: Table, snapshot_id: int) -> dict[str, Any]:
    """Read one snapshot to its end."""
    snapshot = table.snapshot_by_id(snapshot_id)
    summary = snapshot.summary.additional_properties
    scan = table.scan(snapshot_id=snapshot_id, selected_fields=("kafka_partition", "kafka_offset"))
    rows = scan.to_arrow()
    partitions, offsets = (rows[name].to_numpy() for name in rows.column_names)
    ends, wrong = {}, []
    for partition in np.unique(partitions).tolist():
        held = np.sort(offsets[partitions == partition])
        ends[str(partition)] = len(held)
        if not np.array_equal(held, np.arange(len(held))):
            wrong.append(f"partition {partition}: {len(held)} rows, {len(np.unique(held))} offsets, up to {held[-1]}")
    return {"batch": int(summary["indutech.batch"]), "ends": ends, "wrong": wrong}


def main(catalog_file: str, name: str, stop: Path) -> None:
    """Read until told to stop."""
    pinned: tuple[Table, int] | None = None
    number = 0
    while not stop.exists():
        time.sleep(0.02)
        if not Path(catalog_file).exists():
            continue
        catalog = SqlCatalog("indutech", uri=f"sqlite:///{catalog_file}")
        try:
            table = catalog.load_table(name)
        except NoSuchTableError:
            continue
        finally:
            catalog.close()
        if not (current := table.current_snapshot()):
            continue
        number += 1
        pinned = pinned or (table, current.snapshot_id)
        is_pinned = number % PIN_EVERY == 0
        seen = read(*pinned) if is_pinned else read(table, current.snapshot_id)
        print(json.dumps({**seen, "pinned": is_pinned}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
