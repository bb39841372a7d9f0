"""The tickets of the lake as external tables: statements for Athena and Redshift Spectrum, shown in docs/lake.md."""

from collections.abc import Callable, Mapping

from indutech.tickets import schema

_PARTITION = "ingest_date"
_FOLDER = "s3://YOUR-BUCKET/lake/tickets/"


def athena() -> str:
    """Return the statement for Athena, which finds the days by partition projection."""
    properties = {
        "projection.enabled": "true",
        f"projection.{_PARTITION}.type": "date",
        f"projection.{_PARTITION}.format": "yyyy-MM-dd",
        f"projection.{_PARTITION}.range": "2025-01-01,NOW",
        "storage.location.template": f"{_FOLDER}{_PARTITION}=${{{_PARTITION}}}/",
    }
    listed = ",\n".join(f"  '{name}' = '{value}'" for name, value in properties.items())
    table = _table("indutech.tickets", schema.columns(schema.LAKE["tickets"], schema.HIVE_TYPES))
    return f"{table}\nTBLPROPERTIES (\n{listed}\n);"


def redshift() -> str:
    """Return the statement for Redshift Spectrum, whose texts have a greatest length."""
    return f"{_table('lake.tickets_by_day', schema.redshift_columns(schema.LAKE['tickets']))};"


def _table(name: str, columns: Mapping[str, str]) -> str:
    listed = ",\n".join(f"  {column} {type_}" for column, type_ in columns.items())
    day = schema.HIVE_TYPES[schema.FOLDERS.field(_PARTITION).type]
    return (
        f"CREATE EXTERNAL TABLE {name} (\n{listed}\n)\n"
        f"PARTITIONED BY ({_PARTITION} {day})\nSTORED AS PARQUET\nLOCATION '{_FOLDER}'"
    )


def _fenced(statement: Callable[[], str]) -> Callable[[], str]:
    return lambda: f"```sql\n{statement()}\n```"


PARTS: Mapping[str, Callable[[], str]] = {"athena": _fenced(athena), "redshift": _fenced(redshift)}
