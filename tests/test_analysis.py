"""What the tickets say, on tables small enough to check by eye."""

import pandas as pd
import pytest

from indutech.tickets import analysis


@pytest.fixture
def tickets() -> pd.DataFrame:
    """Three tickets of a Monday morning in Paris, one of the Monday after, one of a Saturday."""
    rows = [
        ("2026-03-02T08:10:00Z", 1001, "Connexion", "HAUTE", "Support Réseau"),
        ("2026-03-02T08:40:00Z", 1001, "Connexion", "BASSE", "Support Réseau"),
        ("2026-03-02T23:30:00Z", 1002, "Facturation", "BASSE", "Support Compta"),
        ("2026-03-07T08:00:00Z", 1001, "Connexion", "CRITIQUE", "Support Réseau"),
        ("2026-03-09T08:59:00Z", 1003, "Connexion", "MOYENNE", "Support Réseau"),
    ]
    table = pd.DataFrame(rows, columns=["creation_date", "client_id", "type", "priority", "support_team"])
    return analysis.with_office_time(table.assign(creation_date=pd.to_datetime(table["creation_date"])))


def test_days_and_hours_are_those_of_the_office(tickets: pd.DataFrame) -> None:
    """Half past eleven at night in UTC is the next day in Paris, and outside office hours."""
    late = tickets.iloc[2]

    assert (str(late["day"]), late["weekday"], late["hour"], late["office_hours"]) == (
        "2026-03-03",
        "Tuesday",
        0,
        False,
    )


def test_volumes_are_sorted_and_have_shares(tickets: pd.DataFrame) -> None:
    """The most frequent comes first."""
    assert analysis.volumes(tickets, "type").to_numpy().tolist() == [["Connexion", 4, 80.0], ["Facturation", 1, 20.0]]


def test_urgent_means_high_or_critical(tickets: pd.DataFrame) -> None:
    """Each priority has a column, in the contract's order, even if nobody used it."""
    table = analysis.priorities(tickets, "support_team")

    assert list(table.columns) == ["support_team", "BASSE", "MOYENNE", "HAUTE", "CRITIQUE", "urgent_percent"]
    assert table.to_numpy().tolist() == [["Support Réseau", 1, 1, 1, 1, 50.0], ["Support Compta", 1, 0, 0, 0, 0.0]]


def test_a_day_without_tickets_counts_as_zero(tickets: pd.DataFrame) -> None:
    """Otherwise quiet days would vanish from the chart."""
    assert analysis.per_day(tickets)["tickets"].tolist() == [2, 1, 0, 0, 0, 1, 0, 1]


def test_the_week_is_an_average_over_the_weeks_seen(tickets: pd.DataFrame) -> None:
    """Two Mondays with 2 and 1 tickets at nine o'clock make 1.5 an hour."""
    assert analysis.busiest(analysis.week(tickets)) == ("Monday", 9, 1.5)


def test_an_hour_that_never_came_by_is_zero(tickets: pd.DataFrame) -> None:
    """Two hours of data say nothing about the rest of the week, and do not fail."""
    assert analysis.week(tickets.head(2)).to_numpy().sum() == 2.0


def test_the_noisiest_clients_come_first(tickets: pd.DataFrame) -> None:
    """With their share and their urgent tickets."""
    assert analysis.clients(tickets).iloc[0].to_dict() == {
        "client_id": 1001, "tickets": 3, "share_percent": 60.0, "urgent": 2,
    }  # fmt: skip


def test_concentration_counts_at_least_one_client(tickets: pd.DataFrame) -> None:
    """One percent of three clients is one client."""
    table = analysis.concentration(analysis.clients(tickets), shares=(1, 100))

    assert table.to_numpy().tolist() == [[1, 1, 3, 60.0], [100, 3, 5, 100.0]]


def test_staffing_follows_from_the_time_a_ticket_takes(tickets: pd.DataFrame) -> None:
    """1.5 tickets in the busiest hour at 20 minutes each keep half an agent busy."""
    team = analysis.staffing(tickets, minutes_per_ticket=20).iloc[0]

    assert (team["support_team"], team["busiest_hour"], team["agents_at_peak"]) == ("Support Réseau", 1.5, 0.5)
    assert team["out_of_hours_percent"] == 25.0


def test_a_ticket_waits_from_the_brokers_stamp_to_the_commit_of_its_micro_batch() -> None:
    """Never from the creation date, which may be years away, nor only to the moment at which the batch began."""
    stamps = ["2026-03-02T08:00:00Z", "2026-03-02T08:00:01Z", "2026-03-02T08:00:03Z"]
    rows = pd.DataFrame({"kafka_timestamp": pd.to_datetime(stamps), "batch": [0, 0, 1]})
    batches = pd.DataFrame({
        "batch": [0, 1], "started_at": ["2026-03-02T08:00:02.000Z", "2026-03-02T08:00:04.500Z"], "seconds": [1.0, 0.25]
    })  # fmt: skip

    waited = analysis.visible_after_s(rows, batches)

    assert waited.tolist() == [3.0, 2.0, 1.75]
    assert analysis.quantiles(waited)["p50"] == 2.0


def test_quality_accounts_for_every_message() -> None:
    """Arrived = set aside + stored, stored = distinct + repeated."""
    counts = dict(analysis.quality(stored=103, curated=100, quarantined=2)[["messages", "count"]].to_numpy().tolist())

    assert counts == {
        "arrived": 105, "set aside": 2, "stored": 103, "the same ticket again": 3, "distinct tickets": 100,
    }  # fmt: skip


def test_nothing_arrived_is_no_division_by_zero() -> None:
    """An empty lake has a table too."""
    assert analysis.quality(0, 0, 0)["share_percent"].tolist() == [0.0] * 5
