"""What happens to a message between Kafka and the lake: validated, given to a team, or set aside with the reason."""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from indutech.stream import transforms
from indutech.stream.validation import inspected
from indutech.tickets.contract import FIELDS, TEAM_FOR_TYPE, Priority, TicketType

# Days that a folder of the lake may be named after: a broken clock must not make folders for a thousand years.
FIRST_DAY, LAST_DAY = "2020-01-01", "2099-12-31"

# Most messages are compact JSON with the contract's keys in its order, because that is what our producer writes. Then
# every field but the request has a fixed place, and reading bytes there is several times faster than parsing JSON.
# Whatever does not fit, to the byte, is inspected; so this is a fast path, never a second set of rules.
# Characters are listed, not given as ranges: Java looks a list up in a table, which takes half the time.
_HEX, _DIGIT = "[0123456789abcdef]", "[0123456789]"
_USUAL_HEAD = (
    rf'\A\{{"ticket_id":"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}",'
    rf'"client_id":[123456789]{_DIGIT}{{3}},'
    rf'"creation_date":"(?:19[789]|2{_DIGIT}{{2}}){_DIGIT}-[01]{_DIGIT}-[0123]{_DIGIT}'
    rf'T(?:[01]{_DIGIT}|2[0123]):[012345]{_DIGIT}:[012345]{_DIGIT}Z","request":"\z'
)
_HEAD_BYTES = len('{"ticket_id":"","client_id":,"creation_date":"","request":"') + 36 + 4 + 20
_AT_ID, _AT_CLIENT, _AT_DATE = 15, 65, 87  # first byte of the value, counted from 1
_BEFORE_TYPE = '","type":"'
_USUAL_TAILS = [f'{type_}","priority":"{priority}"}}' for type_ in TicketType for priority in Priority]
_UNUSUAL_IN_REQUEST = "[" + "".join(rf"\x{code:02x}" for code in (*range(32), ord('"'), ord("\\"))) + "]"
_ASCII, _ACCENTED = (b"!", b"~"), b"\xc3"  # first bytes of characters that are not blank: any of ASCII, À to ÿ

KAFKA_COLUMNS = ("key", "value", "topic", "partition", "offset", "timestamp")


def validated(kafka_rows: DataFrame) -> DataFrame:
    """Add `reason` (null: the message is a ticket) and the contract's fields, parsed once and normalised."""
    rows = fast_path(kafka_rows)
    asked = F.when(~F.col("usual"), F.array("value"))
    inspected_rows = rows.withColumn("inspected", F.transform(asked, inspected)[0])
    return inspected_rows.select(
        *KAFKA_COLUMNS,
        F.col("inspected.reason").alias("reason"),
        *(F.when(F.col("usual"), F.col(field)).otherwise(F.col("inspected")[field]).alias(field) for field in FIELDS),
    )


def fast_path(kafka_rows: DataFrame) -> DataFrame:
    """Add `usual` and the contract's fields: a usual message is a ticket, of any other nothing is known yet.

    Its plan is small: Spark plans it in a fraction of the time that the whole validation takes.
    """
    text = F.col("value").cast("string")
    tail_at = F.octet_length("value") - F.octet_length("tail") + 1
    places = kafka_rows.select(*KAFKA_COLUMNS, F.substring_index(text, _BEFORE_TYPE, -1).alias("tail")).select(
        *KAFKA_COLUMNS,
        "tail",
        _bytes(1, _HEAD_BYTES).alias("head"),
        _bytes(_AT_DATE, 20).try_cast("timestamp").alias("moment"),
        _bytes(_HEAD_BYTES + 1, tail_at - len(_BEFORE_TYPE) - _HEAD_BYTES - 1).alias("words"),
    )
    first = F.substring("value", _HEAD_BYTES + 1, 1)
    usual = (
        F.col("tail").isin(_USUAL_TAILS)
        & F.col("head").rlike(_USUAL_HEAD)
        & F.col("moment").isNotNull()
        & (F.col("words") != "")
        & (first.between(*map(F.lit, _ASCII)) | (first == F.lit(_ACCENTED)))
        & ~F.col("words").rlike(_UNUSUAL_IN_REQUEST)
        & F.is_valid_utf8("words")
    )
    fields = {
        "ticket_id": _bytes(_AT_ID, 36),
        "client_id": _bytes(_AT_CLIENT, 4).try_cast("int"),
        "creation_date": F.col("moment"),
        "request": F.col("words"),
        "type": F.substring_index("tail", '"', 1),
        "priority": F.substring_index(F.substring_index("tail", '"', -2), '"', 1),
    }
    return places.select(
        *KAFKA_COLUMNS,
        F.coalesce(usual, F.lit(False)).alias("usual"),
        *(column.alias(field) for field, column in fields.items()),
    )


def as_tickets(validated_rows: DataFrame, processed_at: Column) -> DataFrame:
    """Return the valid rows with the columns that tickets have in the lake."""
    teams = F.create_map(*[F.lit(word) for pair in TEAM_FOR_TYPE.items() for word in pair])
    return validated_rows.where(F.col("reason").isNull()).select(
        *FIELDS,
        teams[F.col("type")].alias("support_team"),
        F.col("partition").alias("kafka_partition"),
        F.col("offset").alias("kafka_offset"),
        F.col("timestamp").alias("kafka_timestamp"),
        processed_at.alias("processed_at"),
        ingest_date().alias("ingest_date"),
    )


def as_quarantine(validated_rows: DataFrame, processed_at: Column) -> DataFrame:
    """Return the other rows as they came in, each with its reason."""
    return validated_rows.where(F.col("reason").isNotNull()).select(
        F.col("value").alias("raw"),
        "reason",
        F.col("key").alias("kafka_key"),
        F.col("topic").alias("kafka_topic"),
        F.col("partition").alias("kafka_partition"),
        F.col("offset").alias("kafka_offset"),
        F.col("timestamp").alias("kafka_timestamp"),
        processed_at.alias("processed_at"),
        ingest_date().alias("ingest_date"),
    )


def _bytes(first: int, length: int | Column) -> Column:
    return F.substring("value", first, length).cast("string")


def ingest_date() -> Column:
    """Return the day of the broker's timestamp, within bounds: the folder a row belongs to, whenever it is written."""
    first, last = (F.lit(limit).cast("date") for limit in (FIRST_DAY, LAST_DAY))
    day = F.coalesce(F.col("timestamp").cast("date"), first)
    return F.greatest(F.least(day, last), first)


KAFKA_SCHEMA = "key binary, value binary, topic string, partition int, offset bigint, timestamp timestamp"


def steps(spark: SparkSession) -> str:
    """A Markdown table: each step of the stream and the columns it leaves."""
    read = spark.createDataFrame([], KAFKA_SCHEMA)
    validated = spark.createDataFrame(
        [], transforms.validated(read).schema
    )  # so that Spark resolves the expression only once
    now = F.lit(None).cast("timestamp")
    done = {
        "read from Kafka": read.columns,
        "validated: a reason, or the ticket's fields": [name for name in validated.columns if name not in read.columns],
        "no reason: to the lake": transforms.as_tickets(validated, now).columns,
        "a reason: to the quarantine": transforms.as_quarantine(validated, now).columns,
    }
    rows = [f"| {step} | {', '.join(f'`{name}`' for name in columns)} |" for step, columns in done.items()]
    return "\n".join(["| step | columns |", "|---|---|", *rows])
