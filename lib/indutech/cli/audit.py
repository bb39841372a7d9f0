"""The command `indutech audit`: the proof by offsets for anybody's table."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from indutech.kafka import broker as brokers
from indutech.system.settings import Settings


def audit(
    table: Annotated[
        str,
        typer.Argument(
            show_default=False,
            help="A folder, a Parquet file or pattern, an Iceberg or Delta folder, or one of the prefixes shown above.",
        ),
    ],
    topic: Annotated[str | None, typer.Option(help="The topic; KAFKA_TOPIC otherwise.")] = None,
    ranges: Annotated[
        str | None,
        typer.Option(metavar="P:START:END,…", help="What the topic holds, said by hand: no broker is asked."),
    ] = None,
    dead_letter: Annotated[
        str | None, typer.Option(metavar="TABLE", help="The table of records set aside; it counts as well.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="Whose columns: indutech, redpanda, aiven, iceberg-sink, iceberg-sink-nested, spark."),
    ] = None,
    partition_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="The column of the partition; a dot goes into a struct.")
    ] = None,
    offset_column: Annotated[str | None, typer.Option(metavar="NAME", help="The column of the offset.")] = None,
    topic_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="If the table holds several topics: the column that says which.")
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="The consumer group that writes the table: what it committed must be there.")
    ] = None,
    complete: Annotated[bool, typer.Option("--complete", help="The writer is done: nothing may be pending.")] = False,
    from_first_row: Annotated[
        bool, typer.Option("--from-first-row", help="The table began in the middle of the topic, on purpose.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Holes that the topic has deleted meanwhile count as missing.")
    ] = False,
    history: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep one JSON line per audit there, and say since when.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a receipt: one page of HTML.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The audit as one JSON object.")] = False,
) -> None:
    """Prove that a table holds every record of a Kafka topic, each exactly once.

    Kafka numbers the records of each partition: 0, 1, 2 and so on. A table that keeps that partition and offset in two
    columns can be checked exactly, whoever wrote it: a number that is not there is missing, one that is there more
    than once is duplicate. The topic is asked of the broker in KAFKA_BOOTSTRAP_SERVERS, or said with --ranges.

    \b
    TABLE is one of
      lake/events                          a folder: Parquet, Iceberg or Delta
      'lake/day=*/*.parquet'               a pattern, in quotes
      'iceberg:sqlite:///c.db#ns.events'   Iceberg, by its catalog's address
      'iceberg:NAME#ns.events'             or by its name for pyiceberg
      'duckdb:w.duckdb#events'             a view or table of DuckDB
      'duckdb:#SELECT * FROM x.csv'        a query: whatever DuckDB reads

    \b
    indutech audit lake/events --topic events
    indutech audit lake/events --dead-letter lake/events_dlq
    indutech audit lake/events --group connect-sink
    indutech audit lake/events --ranges 0:0:1000,1:0:800
    indutech audit lake/events --history h.jsonl --html r.html

    \b
    Exit 0   each offset is there exactly once
    Exit 1   missing, duplicate, foreign or unreadable: it says which
             offsets, in which file, since when; or it could not audit
    Exit 2   only pending: the topic is ahead of the table

    Not missing: transaction markers and aborted records (the broker is asked whether a record exists), and what the
    topic had deleted before the first row. docs/audit.md takes you through it step by step.
    """
    from indutech.proof import audit_text, receipt, run_audit, table_audit
    from indutech.proof.sources import columns

    if bool(partition_column) != bool(offset_column):
        raise typer.BadParameter("--partition-column and --offset-column go together.")
    if preset and preset not in columns.PRESETS:
        raise typer.BadParameter(f"--preset is one of {', '.join(columns.PRESETS)}.")
    if ranges and group:
        raise typer.BadParameter("--group is asked of a broker: with --ranges write P:START:END:COMMITTED.")
    named = columns.PRESETS[preset] if preset else None
    if partition_column and offset_column:
        named = columns.Columns(partition_column, offset_column, topic_column)
    elif topic_column:
        raise typer.BadParameter("--topic-column goes with --partition-column and --offset-column.")
    settings = Settings()
    asked = run_audit.Question(
        table=table,
        topic=topic or settings.topic,
        columns=named,
        dead_letter=dead_letter,
        group=group,
        history=history,
        rules=table_audit.Rules(complete=complete, from_first_row=from_first_row, strict=strict),
    )
    at = datetime.now(UTC)
    if ranges:
        found = run_audit.offline(asked, ranges, at)
    else:
        with brokers.connected(settings) as broker:
            found = run_audit.against(asked, broker, at)
    if html:
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(receipt.page(found), "utf-8")
    if as_json:
        typer.echo(json.dumps(found.as_dict()))
    else:
        audit_text.show(found)
    raise typer.Exit(found.exit_code)
