"""What was measured: a run's own figures, or the committed reference that says it is one."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indutech.costs import storage
from indutech.costs.charges import monthly_gib
from indutech.costs.inputs import sensors
from indutech.costs.inputs.measure import QUESTIONS, column_bytes, measure
from indutech.costs.inputs.measurement import FILE_NAME, MARK, REFERENCE_FILE, MeasurementError, read_measurement
from indutech.costs.inputs.questions import read_questions
from indutech.costs.inputs.usage import read_usage
from indutech.costs.model import model_for, read_model
from indutech.plant.sensors.measured import Sizes
from indutech.report.hybrid import questions as hybrid
from indutech.report.hybrid import spectrum
from indutech.system.settings import Settings
from indutech.tickets.generator import make_tickets, ticket_messages
from tests import lakes


def written(data_dir: Path, **changes: object) -> Path:
    """A run's measurement: the reference with some fields changed."""
    content = json.loads(REFERENCE_FILE.read_text()) | changes
    file = data_dir / FILE_NAME
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(content))
    return data_dir


def test_without_a_run_the_reference_says_that_it_is_one(tmp_path: Path) -> None:
    """Nobody takes the fallback for a measurement of this machine."""
    found, says = read_measurement(tmp_path)

    assert says.startswith("No run has been measured here, so the committed reference is used")
    assert MARK in says
    assert found.mark == MARK


def test_a_run_takes_the_place_of_the_reference(tmp_path: Path) -> None:
    """The figures of the run enter the assumptions, and its sentence says whose they are."""
    found, says = read_measurement(written(tmp_path, tickets=1000, json_bytes=300_000, files=12, batches=2))
    before = read_usage()
    usage = before.measured(found.figures(before))

    assert says.startswith("Measured by this data folder's run: 1,000 generated tickets")
    assert (usage["files_per_batch"].base, usage["files_per_batch"].origin) == (6, "measured")
    assert usage["event_bytes"] == before["event_bytes"]  # tickets of a run are no sensor data


def test_sensor_data_are_as_large_as_readings_and_pack_like_them() -> None:
    """The size of an event and the compression are those of the measured readings; no compression stays possible."""
    sizes = replace(Sizes.read(), readings=1000, json_bytes=200_000, parquet_bytes=4_000)
    usage = read_usage()
    found = usage.measured(sensors.figures(sizes, usage))

    assert (found["event_bytes"].base, found["sensor_compression"].base) == (200, 50)
    assert (found["sensor_compression"].low, found["sensor_compression"].high) == (1, 50)


def test_what_was_measured_of_sensors_stands_in_the_file() -> None:
    """The assumptions repeat the measurement, which wins, and say what they replaced."""
    usage = read_usage()
    for name, measured in sensors.figures(Sizes.read(), usage).items():
        assert usage[name].base == measured.base
        assert "until 2026-11-30" in usage[name].reason
    model = read_model()
    assert model.usage["sensor_compression"].base == round(
        Decimal(model.readings.json_bytes) / model.readings.parquet_bytes, 1
    )


def test_the_lake_grows_by_what_parquet_makes_of_sensor_data() -> None:
    """Twice the compression, half the events; files of the storage network stay as large."""
    model = read_model()
    files = model.usage["san_gb_month"].base

    plain, halved = (monthly_gib(model.having(sensor_compression=times).usage).value for times in (1, 2))
    assert halved - files == (plain - files) / 2 > 0
    assert model.having(sensor_compression=1).bill().monthly_total > model.bill().monthly_total


# ---- what questions read


def counted(folder: Path, **changes: object) -> Path:
    """A small count of two questions, with some fields changed."""
    content = {
        "made_by": "a test", "measured_on": "2026-11-30", "server": "none",
        "tables": {
            "tickets": {"rows": 1_000, "column_bytes": 40_000},
            "readings": {"rows": 10_000, "column_bytes": 50_000},
            "clients": {"rows": 9, "column_bytes": 900},
        },
        "questions": [
            {"name": "few", "asked": "?", "bytes_read": {"tickets": 1_000}},
            {"name": "many", "asked": "?", "bytes_read": {"tickets": 2_000, "readings": 30_000, "clients": 300}},
        ],
        "readings_incompressible": "11",
    }  # fmt: skip
    file = folder / "questions.json"
    file.write_text(json.dumps(content | changes))
    return file


def test_bytes_of_a_question_grow_with_its_tables(tmp_path: Path) -> None:
    """Tickets and readings grow, each by its own rows; a table of the ERP stays as large as it is."""
    found = read_questions(counted(tmp_path))
    few, many = found.questions
    rows = {"tickets": Decimal(10_000), "readings": Decimal(1_000_000)}

    assert found.bytes_at(few, rows) == 10_000
    assert found.bytes_at(many, rows) == 20_000 + 3_000_000 + 300
    assert found.stored_at(many, rows) == 400_000 + 5_000_000 + 900
    assert found.share_of_columns("readings") == Decimal("0.6")
    assert found.share_of_columns("tickets") == Decimal("0.0375")


@pytest.mark.parametrize(
    ("field", "value"),
    [("questions", []), ("surprise", 1), ("questions", [{"name": "x", "asked": "?", "bytes_read": {"orders": 1}}])],
)
def test_a_broken_count_is_an_error(tmp_path: Path, field: str, value: object) -> None:
    """It says how to count again; a question about a table that was not counted is one too."""
    with pytest.raises(MeasurementError, match=r"questions\.json: .*python -m bench questions"):
        read_questions(counted(tmp_path, **{field: value}))


def test_the_committed_count_is_of_the_questions_that_are_asked() -> None:
    """A question that was added, or reads another table than then, has to be counted: `python -m bench questions`."""
    found = read_questions()

    assert [(one.name, one.asked) for one in found.questions] == [(one.name, one.asked) for one in hybrid.ALL]
    for question, asked in zip(found.questions, hybrid.ALL, strict=True):
        known = {table: ["*"] for table in found.tables}
        assert question.bytes_read.keys() == spectrum.columns_read(asked, known).keys()
    assert found.readings_incompressible > Decimal(found.tables["readings"].column_bytes) / 1_000_000


def test_a_question_costs_what_it_reads_or_what_is_loaded(tmp_path: Path) -> None:
    """A small one the least charge; a large one by its bytes; loaded tables pay once they are asked often enough."""
    model = replace(read_model(), questions=read_questions(counted(tmp_path)))
    few, many = storage.questions(model)
    kept = storage.readings_kept(model)

    assert few.once.amount == storage.spectrum_charge(0, model.prices).amount
    assert many.read_bytes == 2 * storage.TICKETS_KEPT + 3 * kept + 300
    assert many.bytes_each == {"tickets": 2, "readings": 3}
    assert many.loaded_bytes == 40 * storage.TICKETS_KEPT + 5 * kept + 900
    for asked in (few, many):
        loaded, times = asked.loaded_month.amount, asked.pays_from
        assert (times - 1) * asked.once.amount < loaded <= times * asked.once.amount
    year = model.having(days_kept=2 * model.usage["days_kept"].base)
    assert round(storage.readings_kept(year) - 2 * kept) == 0


@pytest.mark.parametrize(("field", "value"), [("tickets", 0), ("parquet_bytes", "many"), ("surprise", 1)])
def test_a_broken_file_is_an_error_that_names_the_field(tmp_path: Path, field: str, value: object) -> None:
    """A measurement that breaks the contract is not half used."""
    with pytest.raises(MeasurementError, match=f"measurement.json: {field}: .* Make it anew: `indutech costs measure`"):
        read_measurement(written(tmp_path, **{field: value}))


def test_the_bracket_holds_what_was_measured() -> None:
    """Pooled text packs better than the tickets', incompressible text worse."""
    found, _ = read_measurement()

    assert found.bracket.pooled <= found.parquet_bytes_per_ticket <= found.bracket.incompressible
    assert [q.question for q in found.questions] == list(QUESTIONS)


def small_lake(settings: Settings, count: int) -> None:
    """A committed micro-batch of generated tickets in one file, as the stream would leave it."""
    tickets = make_tickets(count, seed=7)
    tickets["support_team"] = "Support Technique"
    for offset in ("kafka_partition", "kafka_offset"):
        tickets[offset] = range(count)
    tickets["kafka_timestamp"] = tickets["processed_at"] = tickets["creation_date"]
    folder = settings.tickets_dir / "ingest_date=2026-03-02" / "batch=0"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pandas(tickets, preserve_index=False), folder / "part-0.parquet")
    lakes.commit(settings, 0, {0: count})


def test_a_lake_is_measured_as_it_stands(tmp_path: Path) -> None:
    """Tickets, files and bytes are those of the committed files; the JSON is as long as the producer's messages."""
    settings = Settings(_env_file=None, data_dir=tmp_path)
    small_lake(settings, 500)
    sent = sum(len(value) for batch in ticket_messages(500, seed=7) for _, value in batch)

    found = measure(settings, date(2026, 11, 24))

    [file] = settings.tickets_dir.glob("*/*/*.parquet")
    assert (found.tickets, found.files, found.batches) == (500, 1, 1)
    assert (found.json_bytes, found.parquet_bytes) == (sent, file.stat().st_size)
    assert found.tickets_per_core_second is None
    assert found.bracket.pooled < found.bracket.incompressible
    assert read_measurement(tmp_path)[0] == found


def test_a_small_lake_is_not_taken_for_a_measurement(tmp_path: Path) -> None:
    """A run of a few tickets measures half-empty files: the model keeps the reference and says so."""
    settings = Settings(_env_file=None, data_dir=tmp_path)
    small_lake(settings, 500)

    assert model_for(settings, date(2026, 11, 24)).measured_by.startswith("No run has been measured here")


def test_an_empty_lake_cannot_be_measured(tmp_path: Path) -> None:
    """The message says which two commands fill it."""
    with pytest.raises(MeasurementError, match=r"`indutech produce .*`indutech stream --once`"):
        measure(Settings(_env_file=None, data_dir=tmp_path), date(2026, 11, 24))


def test_bytes_of_columns_are_those_of_the_columns(tmp_path: Path) -> None:
    """A column of noise weighs its bytes, a constant one next to nothing, and both together are their sum."""
    noise = [bytes(f"{(i * 7919) % 10_007:08d}", "ascii") * 4 for i in range(5_000)]
    pq.write_table(pa.table({"noise": noise, "same": [1] * 5_000}), tmp_path / "x.parquet", compression="zstd")
    files = [tmp_path / "x.parquet"]

    each = [column_bytes(files, [name]) for name in ("noise", "same")]
    assert each[0] > 100 * each[1] > 0
    assert column_bytes(files, ["noise", "same"]) == sum(each)
    assert column_bytes(files, ["absent"]) == 0
