"""The cost model: prices, usage with what was measured, and the bill of every scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from indutech.architecture.platform import platform
from indutech.architecture.templates.stacks import counts
from indutech.costs.bill import ON_DEMAND, Bill, Charge, priced
from indutech.costs.estimate_2025 import AUDIT_FILE, CLAIMS_FILE, Finding, audit, claimed_bill, missing, read_rows
from indutech.costs.estimate_2025 import NAME as CLAIMED
from indutech.costs.inputs import sensors
from indutech.costs.inputs.measurement import Measurement, read_measurement
from indutech.costs.inputs.prices import PRICES_FILE, Price, PriceList, read_prices
from indutech.costs.inputs.questions import Questions, read_questions
from indutech.costs.inputs.s3_requests import read_s3_requests
from indutech.costs.inputs.usage import USAGE_FILE, Usage, read_usage
from indutech.costs.scenarios import SCENARIOS, Components, UnknownScenario
from indutech.plant.sensors.measured import Sizes
from indutech.system.settings import PROJECT, Settings

CASE_FILE = PROJECT / "assets" / "business_case.csv"
NAMES = (CLAIMED, *SCENARIOS)


@dataclass(frozen=True)
class CostModel:
    """Everything that a figure is computed from; a changed copy answers "what if"."""

    prices: PriceList
    usage: Usage
    measurement: Measurement
    measured_by: str = ""
    claims: Sequence[Mapping[str, str]] = ()
    audit_parts: Sequence[Mapping[str, str]] = ()
    scenarios: Mapping[str, Components] = field(default_factory=lambda: SCENARIOS)
    readings: Sizes = field(default_factory=Sizes.read)
    questions: Questions = field(default_factory=read_questions)
    case: Usage = field(default_factory=lambda: read_usage(CASE_FILE))  # people, taxes, the plant: what is not AWS's

    def charges(self, scenario: str = "reference") -> list[Charge]:
        """What a scenario asks for. Raises UnknownScenario with the names there are."""
        if scenario not in self.scenarios:
            names = ", ".join([CLAIMED, *self.scenarios])
            raise UnknownScenario(f"No scenario '{scenario}'. Choose one of: {names}.")
        return self.scenarios[scenario](self.usage)

    def bill(self, scenario: str = "reference", months: int = ON_DEMAND) -> Bill:
        """The bill of a scenario, on demand or with a commitment of 12 or 36 months."""
        if scenario == CLAIMED:
            return claimed_bill(self.claims)
        return priced(scenario, self.charges(scenario), self.prices, months)

    def having(self, **values: Decimal | int) -> CostModel:
        """A copy with other base values of some assumptions."""
        return replace(self, usage=self.usage.having(**values))

    def with_price(self, price: Price) -> CostModel:
        """A copy with another rate."""
        return replace(self, prices=self.prices.with_price(price))

    @cached_property
    def findings(self) -> list[Finding]:
        """The audit of the 2025 estimate: its lines first, then what it has no line for."""
        lines = audit(self.claims, self.audit_parts, self.prices)
        return lines + missing(self.claims, self.bill(), self.prices)


def read_model(
    data_dir: Path | None = None, prices_file: Path = PRICES_FILE, usage_file: Path = USAGE_FILE
) -> CostModel:
    """The model from the committed files, with the measurement of a data folder's run if it has one."""
    measurement, measured_by = read_measurement(data_dir)
    usage = read_usage(usage_file).built(counts(platform()))
    return CostModel(
        prices=read_prices(prices_file),
        usage=usage.measured(
            {
                **measurement.figures(usage),
                **read_s3_requests().figures(usage),
                **sensors.figures(Sizes.read(), usage),
            }
        ),
        measurement=measurement,
        measured_by=measured_by,
        claims=read_rows(CLAIMS_FILE),
        audit_parts=read_rows(AUDIT_FILE),
    )


def model_for(settings: Settings, today: date) -> CostModel:
    """The model with this data folder's own measurement, made now if its lake holds enough to measure."""
    from indutech.costs.inputs import measure  # brings DuckDB and PyArrow, which no command line needs to start

    measure.measure_once(settings, today)
    return read_model(settings.data_dir)
