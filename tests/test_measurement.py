"""What was measured: a run's own figures, or the committed reference that says it is one."""

import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indutech.costs.inputs.measure import QUESTIONS, column_bytes, measure
from indutech.costs.inputs.measurement import FILE_NAME, MARK, REFERENCE_FILE, MeasurementError, read_measurement
from indutech.costs.inputs.usage import read_usage
from indutech.costs.model import model_for
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
    usage = read_usage().measured(found.figures(read_usage()))

    assert says.startswith("Measured by this data folder's run: 1,000 generated tickets")
    assert (usage["event_bytes"].base, usage["files_per_batch"].base) == (300, 6)
    assert usage["event_bytes"].origin == "measured"


@pytest.mark.parametrize(("field", "value"), [("tickets", 0), ("parquet_bytes", "many"), ("surprise", 1)])
def test_a_broken_file_is_an_error_that_names_the_field(tmp_path: Path, field: str, value: object) -> None:
    """A measurement that breaks the contract is not half used."""
    with pytest.raises(MeasurementError, match=f"measurement.json: {field}: .* Measure again"):
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
