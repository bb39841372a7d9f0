"""A further data product takes three edits: the recipe of CONTRIBUTING, done in a copy."""

import json
from pathlib import Path

from indutech.plant.sensors.contract import PRODUCT as READINGS
from tests.test_another_field import Edit, copy, run

MODULE = '''"""Energy that is drawn from the grid, a meter a quarter of an hour."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

import orjson
from pydantic import BaseModel, ConfigDict, Field

from indutech.tickets.contract import YEARS
from indutech.tickets.fields import Code, Moment, Real
from indutech.tickets.product import Product

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)


class Energy(BaseModel):
    """What a meter counted."""

    model_config = ConfigDict(frozen=True, extra="ignore", title="Energy", hide_input_in_errors=True)

    meter: Annotated[str, Code("EN-", 3)] = Field(description="The meter.", examples=["EN-001"])
    ends_at: Annotated[datetime, Moment(YEARS)] = Field(description="End.", examples=["2026-03-02T08:15:00Z"])
    kwh: Annotated[float, Real(0, 10_000)] = Field(description="Drawn.", examples=[12.5])


PRODUCT = Product(
    name="energy", model=Energy, key="meter", unique=("meter", "ends_at"), generator="indutech.plant.energy:messages"
)


def messages(
    count: int | None, seed: int, period: timedelta | None = None, batch: int = 1_000
) -> Iterator[list[tuple[bytes, bytes]]]:
    """Yield a quarter of an hour of one meter after the other."""
    rows = []
    for number in range(count or 10**9):
        ends_at = f"{BEGIN + (number + 1) * timedelta(minutes=15):%Y-%m-%dT%H:%M:%SZ}"
        rows.append((b"EN-001", orjson.dumps({"meter": "EN-001", "ends_at": ends_at, "kwh": (number + seed) % 40 / 4})))
        if len(rows) == batch:
            yield rows
            rows = []
    yield rows
'''

RECIPE: list[Edit] = [
    ("lib/indutech/plant/__init__.py", '"mqtt"', '"energy", '),
    (
        "lib/indutech/system/settings.py",
        "}\n_FIRST_PRODUCT",
        '    "energy": DataProduct("indutech.plant.energy", "energy_drawn"),\n',
    ),
]

LOOK = """
import json
from indutech.lake import ddl
from indutech.system.settings import Settings
from indutech.tickets import compact_json, schema
from indutech.tickets import product as products
settings = Settings(_env_file=None, product="energy")
energy = products.of(settings)
rows = [value for batch in energy.messages(250, 7, None, 100) for _, value in batch]
print(json.dumps({
    "topic": settings.topic,
    "lake": schema.of(energy).lake["energy"].names,
    "tail": compact_json.of(energy).tail,
    "right": sum(not hasattr(energy.validate(row), "reason") for row in rows),
    "refused": energy.validate(b'{"meter":"EN-001","ends_at":"2026-03-02T08:15:00Z","kwh":-1}').reason,
    "key": energy.key_of(energy.validate(rows[0])).decode(),
    "ddl": [ddl.athena(energy), ddl.redshift(energy)],
}))
"""


def test_the_recipe_makes_a_product(tmp_path: Path) -> None:
    """Topic, columns, layout, validation and DDL are there; the module is the third edit."""
    copy(tmp_path / "copy", RECIPE)
    (tmp_path / "copy" / "lib" / "indutech" / "plant" / "energy.py").write_text(MODULE, "utf-8")

    ran = run(tmp_path / "copy", "-c", LOOK)

    assert ran.returncode == 0, ran.stderr[-2_000:]
    found = json.loads(ran.stdout)
    statements = found.pop("ddl")
    assert found.pop("lake")[:4] == ["meter", "ends_at", "kwh", "kafka_partition"]
    assert found == {
        **{"topic": "energy_drawn", "tail": ["kwh"], "right": 250, "refused": "kwh out of range", "key": "EN-001"},
    }
    assert all("s3://YOUR-BUCKET/lake-energy/energy/" in one for one in statements)
    assert "kwh double precision" in statements[1]


def test_a_product_that_is_not_declared_is_named(tmp_path: Path) -> None:
    """A line in the list whose module declares something else is refused when it is used."""
    edit = (
        RECIPE[1][0],
        RECIPE[1][1],
        '    "energy": DataProduct("indutech.plant.sensors.contract", "energy_drawn"),\n',
    )
    copy(tmp_path / "copy", [edit])

    ran = run(tmp_path / "copy", "-c", "from indutech.tickets import product; product.named('energy')")

    assert "indutech.plant.sensors.contract declares no product energy as PRODUCT" in ran.stderr
    assert READINGS.name == "readings"
