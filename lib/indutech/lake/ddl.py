"""The rows of a lake as external tables: statements for Athena and Redshift Spectrum, shown in docs/lake.md."""

from collections.abc import Callable, Mapping
from typing import Any

from indutech.system.settings import own_place
from indutech.tickets import schema
from indutech.tickets.contract import PRODUCT as TICKETS
from indutech.tickets.product import Product

_PARTITION = "ingest_date"
_BUCKET = "s3://YOUR-BUCKET"


def athena(product: Product[Any] = TICKETS) -> str:
    """Return the statement for Athena, which finds the days by partition projection."""
    properties = {
        "projection.enabled": "true",
        f"projection.{_PARTITION}.type": "date",
        f"projection.{_PARTITION}.format": "yyyy-MM-dd",
        f"projection.{_PARTITION}.range": "2025-01-01,NOW",
        "storage.location.template": f"{_folder(product)}{_PARTITION}=${{{_PARTITION}}}/",
    }
    listed = ",\n".join(f"  '{name}' = '{value}'" for name, value in properties.items())
    columns = schema.columns(schema.of(product).lake[product.name], schema.HIVE_TYPES)
    return f"{_table(product, f'indutech.{product.name}', columns)}\nTBLPROPERTIES (\n{listed}\n);"


def redshift(product: Product[Any] = TICKETS) -> str:
    """Return the statement for Redshift Spectrum, whose texts have a greatest length."""
    columns = schema.redshift_columns(schema.of(product).lake[product.name], product)
    return f"{_table(product, f'lake.{product.name}_by_day', columns)};"


def _folder(product: Product[Any]) -> str:
    """Where the rows are in a bucket, as the settings place them."""
    return f"{_BUCKET}/{own_place(product.name, 'lake')}/{product.name}/"


def _table(product: Product[Any], name: str, columns: Mapping[str, str]) -> str:
    listed = ",\n".join(f"  {column} {type_}" for column, type_ in columns.items())
    day = schema.HIVE_TYPES[schema.FOLDERS.field(_PARTITION).type]
    return (
        f"CREATE EXTERNAL TABLE {name} (\n{listed}\n)\n"
        f"PARTITIONED BY ({_PARTITION} {day})\nSTORED AS PARQUET\nLOCATION '{_folder(product)}'"
    )


def fenced(statement: Callable[[], str]) -> Callable[[], str]:
    """Return what shows a statement in a document."""
    return lambda: f"```sql\n{statement()}\n```"


PARTS: Mapping[str, Callable[[], str]] = {"athena": fenced(athena), "redshift": fenced(redshift)}
