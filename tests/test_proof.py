"""The proof by offsets, on literal tables."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from indutech.proof import offset_check


def lake_with(*rows: tuple[int, int]) -> duckdb.DuckDBPyConnection:
    """A connection whose view `offsets` holds these rows, `(partition, offset)`."""
    connection = duckdb.connect()
    connection.execute("CREATE TABLE offsets (kafka_partition INTEGER, kafka_offset BIGINT)")
    if rows:
        connection.executemany("INSERT INTO offsets VALUES (?, ?)", rows)
    return connection


def test_each_offset_once_is_proven():
    """Nothing is found where every partition holds first to committed once."""
    findings = offset_check.find(lake_with((0, 5), (0, 6), (1, 0)), first={0: 5}, committed={0: 7, 1: 1})

    assert findings == offset_check.Findings(missing={}, duplicated={}, foreign={})


def test_one_lost_and_one_doubled_do_not_cancel():
    """Counts and sums are those of a complete range, and both faults are still named."""
    findings = offset_check.find(lake_with((0, 1), (0, 1), (0, 4), (0, 4)), first={0: 1}, committed={0: 5})

    assert findings.missing == {0: [(2, 3)]}
    assert findings.duplicated == {0: [(1, 1), (4, 4)]}


def test_offsets_from_the_frontier_on_are_not_checked():
    """What a running or killed micro-batch wrote is neither lost nor twice."""
    findings = offset_check.find(lake_with((0, 0), (0, 1), (0, 1)), first={}, committed={0: 1})

    assert findings == offset_check.Findings(missing={}, duplicated={}, foreign={})


def test_rows_that_nobody_should_have_written_are_foreign():
    """An offset before the lake's first one, and a partition that was never read."""
    findings = offset_check.find(lake_with((0, 3), (0, 10), (7, 0)), first={0: 10}, committed={0: 11})

    assert findings.foreign == {0: [(3, 3)], 7: [(0, 0)]}


def test_a_partition_without_any_row_is_lost_as_a_whole():
    """An empty lake under a committed misses everything."""
    assert offset_check.find(lake_with(), first={}, committed={0: 3}).missing == {0: [(0, 2)]}


@pytest.mark.parametrize("at_once", [1, 2, 3, 100])
def test_pieces_are_joined(monkeypatch: pytest.MonkeyPatch, at_once: int):
    """Ranges come out whole, however many offsets are counted at once."""
    monkeypatch.setattr(offset_check, "_COUNTED_AT_ONCE", at_once)

    findings = offset_check.find(lake_with((0, 0), (0, 5), (0, 5), (0, 6), (0, 6)), first={}, committed={0: 8})

    assert findings.missing == {0: [(1, 4), (7, 7)]}
    assert findings.duplicated == {0: [(5, 6)]}


def test_random_damage_is_found_exactly():
    """What is found is what was broken: sets of offsets, not counts."""
    draws = np.random.default_rng(7)
    times = draws.choice([0, 1, 1, 1, 2, 300], size=2_000)
    rows = duckdb.connect()
    rows.register("offsets", pd.DataFrame({"kafka_partition": 0, "kafka_offset": np.repeat(np.arange(2_000), times)}))

    findings = offset_check.find(rows, first={}, committed={0: 2_000})

    assert findings.missing[0] == offset_check.as_ranges(np.flatnonzero(times == 0))
    assert findings.duplicated[0] == offset_check.as_ranges(np.flatnonzero(times > 1))
