"""A cost model of a few literal rows, so that tests of the model do not depend on the committed prices."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from indutech.costs.bill import Charge
from indutech.costs.inputs.measurement import read_measurement
from indutech.costs.inputs.money import Money
from indutech.costs.inputs.prices import Confidence, Price, PriceList, Tier
from indutech.costs.inputs.usage import Usage, just, read_usage
from indutech.costs.model import CostModel

EXACT, OTHER, UNVERIFIED = Confidence.EXACT, Confidence.OTHER, Confidence.UNVERIFIED


def usd(amount: str | int) -> Money:
    """Dollars."""
    return Money(Decimal(amount))


def rate(
    price_id: str, unit: str, *prices: str, steps: tuple[int, ...] = (0,), bracket: tuple[str, str] | None = None,
    confidence: Confidence = EXACT, service: str = "Amazon S3", of: str = "", months: int = 0,
) -> Price:  # fmt: skip
    """One rate, with a price for each step of the quantity; a bracket where it is in doubt."""
    tiers = tuple(
        Tier(Decimal(step), Decimal(price), *(Decimal(bound) for bound in bracket or (price, price)))
        for step, price in zip(steps, prices, strict=True)
    )
    return Price(
        price_id=price_id, service=service, item=price_id, region="eu-west-3", unit=unit, currency="USD",
        as_of="2026-01-01", confidence=confidence, source="this test", note="", look_up=f"look up {price_id}",
        commitment_of=of, term_months=months, tiers=tiers,
    )  # fmt: skip


def price_list(*rates: Price) -> PriceList:
    """A price list of some rates."""
    return PriceList({one.price_id: one for one in rates})


def raised(price: Price, factor: str = "1.1") -> Price:
    """The same rate, ten percent higher unless told otherwise."""
    times = Decimal(factor)
    return replace(price, tiers=tuple(
        Tier(t.from_quantity, t.price * times, t.low * times, t.high * times) for t in price.tiers
    ))  # fmt: skip


NODES = rate("nodes", "Hours", "1", service="Amazon Redshift")
NODES_1Y = rate("nodes_1y", "Hours", "0.7", bracket=("0.6", "0.8"), confidence=UNVERIFIED, of="nodes", months=12)
NODES_3Y = rate("nodes_3y", "Hours", "0.4", bracket=("0.3", "0.5"), confidence=UNVERIFIED, of="nodes", months=36)
STORED = rate("stored", "GB-Months", "2", bracket=("1", "4"), confidence=UNVERIFIED)
EVENTS = rate("events", "GB", "1", service="Amazon Kinesis Data Streams")
COPIED = rate("copied", "GB", "5", service="AWS DataSync")
SMALL_LIST = price_list(NODES, NODES_1Y, NODES_3Y, STORED, EVENTS, COPIED)


def small_charges(u: Usage) -> list[Charge]:
    """100 for nodes, 20 for what is stored, 1 for each GB of events, and 35 once."""
    return [
        Charge("redshift", "nodes", just(100), "Hours", "Nodes"),
        Charge("s3_lake", "stored", u("lake_tib") * 1, "GB-Months", "Stored", grows=True),
        Charge("redpanda", "events", u("sensor_gb_month") * 1, "GB", "Events", grows=True),
        Charge("datasync", "copied", just(7), "GB", "Copied", one_off=True),
    ]


def model_of(
    prices: PriceList = SMALL_LIST, charges: Callable[[Usage], list[Charge]] = small_charges, **usage: Decimal | int
) -> CostModel:
    """A model whose reference is made of these charges, at the committed assumptions except for those given."""
    values: dict[str, Decimal | int] = {"sensor_gb_month": 50, "lake_tib": 10} | usage
    return CostModel(prices, read_usage().having(**values), read_measurement()[0], scenarios={"reference": charges})


def with_other_prices(model: CostModel) -> CostModel:
    """A model in which every rate is another one, each by its own factor between two thirds and three halves."""
    for place, price in enumerate(model.prices.values()):
        model = model.with_price(raised(price, str(Decimal("0.67") + Decimal(place * 37 % 83) / 100)))
    return model
