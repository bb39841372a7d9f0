"""Each row of the table: inject, settle, and ask the oracle whether each offset is there once."""

from collections.abc import Callable

import pytest

from tests.faults import on_brokers, on_folders, on_messages, on_programs, on_topics  # noqa: F401 - the table
from tests.faults.laboratory import Laboratory
from tests.faults.table import ALL, Fault

FAULTS = [
    pytest.param(fault, id=fault.id, marks=pytest.mark.faults_short if fault.short else pytest.mark.faults)
    for fault in sorted(ALL, key=lambda fault: fault.family)
]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_lost_and_nothing_twice(
    fault: Fault, laboratory: Laboratory, record_fault: Callable[..., None]
) -> None:
    """What was promised for this fault was seen when it was injected; afterwards the oracle finds nothing."""
    fault.inject(laboratory)
    assert laboratory.injected, "nothing was injected"
    recovery_s = laboratory.settle()

    verdict = laboratory.judge()
    record_fault(
        family=fault.family,
        fault=fault.name,
        injected=laboratory.injected,
        sent=verdict.sent,
        stored=verdict.stored,
        quarantined=verdict.quarantined,
        lost=verdict.lost - fault.expired,
        twice=verdict.twice,
        recovery_s=round(recovery_s, 1),
        expired=fault.expired,
    )
    assert verdict.findings == []
    assert (verdict.lost, verdict.twice) == (fault.expired, 0)


def test_every_family_has_a_row() -> None:
    """21 families of faults."""
    assert {fault.family for fault in ALL} == set(range(1, 22))
