"""A seeded stream of changes to the ERP's clients: inserts, updates, deletes, changed keys, some rolled back."""

import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from indutech.plant.erp import postgres, seed
from indutech.plant.erp.tables import CLIENTS, MOST_CLIENTS
from indutech.system.errors import InduTechError
from indutech.tickets.contract import CLIENT_IDS

KINDS = ("update", "insert", "delete", "move")
WEIGHTS = (0.70, 0.12, 0.10, 0.08)
MOST_IN_A_TRANSACTION = 4
ROLLED_BACK = 0.1  # of the transactions
_NEW_IDS = CLIENT_IDS.stop  # ids of clients who came later, and write no tickets


class ChangeRefused(InduTechError):
    """The ERP cannot be changed as it was asked."""


@dataclass
class Changes:
    """How many changes were committed, by kind, and how many rolled back."""

    update: int = 0
    insert: int = 0
    delete: int = 0
    move: int = 0
    rolled_back: int = 0

    @property
    def committed(self) -> int:
        """All that were committed."""
        return self.update + self.insert + self.delete + self.move

    @property
    def sentence(self) -> str:
        """The counts in one line."""
        return (
            f"{self.committed:,} changes committed ({self.update:,} updates, {self.insert:,} inserts, {self.delete:,} "
            f"deletes, {self.move:,} changed keys), {self.rolled_back:,} rolled back"
        )

    def as_dict(self) -> dict[str, int]:
        """The counts as plain data."""
        return asdict(self)


def add_column(folder: Path, name: str) -> None:
    """Add a column of text to the clients, as somebody does who does not think of the lake.

    Raises:
        ChangeRefused: the name cannot be a column's, or there is one already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", name):
        raise ChangeRefused(f"{name!r} cannot be a column: take small letters, digits and underscores.")
    with postgres.connection(folder) as connected, connected.cursor() as cursor:
        if name in _columns(cursor):
            raise ChangeRefused(f"The clients of the ERP have a column {name} already: take another name.")
        cursor.execute(f"ALTER TABLE {CLIENTS.name} ADD COLUMN {name} text")


def apply(
    folder: Path, count: int, seed_: int, *, rate: float | None = None, stop: Callable[[], bool] = lambda: False
) -> Changes:
    """Change the clients until `count` changes are committed, or until `stop`; `rate` is changes a second.

    On the same rows, the same seed makes the same changes.

    Raises:
        ErpNotReady: the ERP does not answer.
        ChangeRefused: there are hardly any clients left.
    """
    from faker import Faker

    fake = Faker("fr_FR")
    fake.seed_instance(seed_)
    draws = np.random.default_rng([seed_, 43])
    done = Changes()
    began = time.monotonic()
    with postgres.connection(folder, autocommit=False) as connected, connected.cursor() as cursor:
        ids = _ids(cursor)
        more = [name for name in _columns(cursor) if name not in CLIENTS.columns]
        while done.committed < count and not stop():
            if rate and (early := done.committed / rate - (time.monotonic() - began)) > 0:
                time.sleep(min(early, 0.1))
                continue
            here = list(ids)
            together = min(int(draws.integers(1, MOST_IN_A_TRANSACTION + 1)), count - done.committed)
            kinds = draws.choice(KINDS, together, p=WEIGHTS)
            for kind in kinds.tolist():
                _change(cursor, str(kind), here, more, fake, draws)
            if draws.random() < ROLLED_BACK:
                connected.rollback()
                done.rolled_back += len(kinds)
                continue
            connected.commit()
            ids = here
            for kind in kinds.tolist():
                setattr(done, kind, getattr(done, kind) + 1)
    return done


def _change(cursor: Any, kind: str, ids: list[int], more: list[str], fake: Any, draws: np.random.Generator) -> None:
    if len(ids) < 2:
        raise ChangeRefused("The ERP has hardly any clients left to change: `indutech reset` starts over.")
    at = int(draws.integers(0, len(ids)))
    now = datetime.now(UTC)
    if kind == "insert":
        new = _next_id(ids)
        if draws.random() < 0.5 and (gone := sorted(set(CLIENT_IDS[:MOST_CLIENTS]).difference(ids))):
            new = gone[int(draws.integers(0, len(gone)))]  # a client who comes back, with the number of then
        row = seed.client(new, fake, draws, now)
        cursor.adbc_ingest(CLIENTS.name, pa.Table.from_pylist([row], CLIENTS.arrow), mode="append")
        ids.append(new)
    elif kind == "delete":
        cursor.execute("DELETE FROM clients WHERE client_id = $1", (ids.pop(at),))
    elif kind == "move":
        new = _next_id(ids)
        cursor.execute("UPDATE clients SET client_id = $1, updated_at = $2 WHERE client_id = $3", (new, now, ids[at]))
        ids[at] = new
    else:
        column, value = _new_value(more, fake, draws)
        cursor.execute(
            f"UPDATE clients SET {column} = $1::text::{_type(column)}, updated_at = $2 WHERE client_id = $3",
            (value, now, ids[at]),
        )


def _new_value(more: list[str], fake: Any, draws: np.random.Generator) -> tuple[str, str]:
    town = seed.TOWNS[int(draws.integers(0, len(seed.TOWNS)))]
    changed = {
        "city": town[0],
        "segment": seed.SEGMENTS[int(draws.integers(0, len(seed.SEGMENTS)))],
        "turnover_eur": f"{float(np.exp(draws.normal(11, 1))):.2f}",
        "active": str(draws.random() > 0.1).lower(),
        "name": fake.company(),
        **{name: fake.last_name() for name in more},
    }
    return list(changed.items())[int(draws.integers(0, len(changed)))]


def _type(column: str) -> str:
    return CLIENTS.columns[column].postgres if column in CLIENTS.columns else "text"


def _next_id(ids: list[int]) -> int:
    return max(_NEW_IDS, max(ids) + 1)


def _ids(cursor: Any) -> list[int]:
    cursor.execute(f"SELECT {CLIENTS.key} FROM {CLIENTS.name} ORDER BY 1")
    return [int(key) for (key,) in cursor.fetchall()]


def _columns(cursor: Any) -> list[str]:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position",
        (CLIENTS.name,),
    )
    return [str(name) for (name,) in cursor.fetchall()]
