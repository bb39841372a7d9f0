"""What stands around the AWS bill as tables of text: one-off, people, years, against staying on-premise."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd

from indutech.costs.business import Range, Years, one_off, three_years, total
from indutech.costs.inputs.money import dollars
from indutech.costs.model import CostModel
from indutech.costs.recommendations import by_kind, recommendations
from indutech.costs.views.tables import marked
from indutech.show.tables import from_rows

ASSUMED = "assumed"  # beside every row that stands on nobody's figures yet


def rounded(amount: Decimal) -> str:
    """A figure of the business case: its inputs are known to two digits at best, so it is rounded to the hundred."""
    return dollars(round(amount / 100) * 100, 0) if amount >= 1000 else dollars(amount, 0)


def spread(found: Range) -> str:
    """Low, base and high in one cell."""
    return " – ".join(rounded(end) for end in found.ends)


def one_off_table(model: CostModel) -> pd.DataFrame:
    """What is paid once, low, base and high."""
    parts = one_off(model)
    return from_rows(
        {"Once": name, "Low": rounded(part.low), "Base": rounded(part.base), "High": rounded(part.high)}
        for name, part in [*parts.items(), ("Total", total(parts.values()))]
    )


def years_table(model: CostModel) -> pd.DataFrame:
    """Three years of each way before VAT: AWS with its support plan, people, once, all of it."""
    return from_rows(_years_row(years) for years in three_years(model))


def _years_row(years: Years) -> dict[str, object]:
    on_aws = bool(years.aws.base)
    return {
        "Three years of": years.name,
        "AWS and support": marked(rounded(years.aws.base)) if on_aws else None,
        "People": rounded(years.people.base) if on_aws else "in the total",
        "Once": rounded(years.once.base) if on_aws else None,
        "In all, base": f"{rounded(years.total.base)} {ASSUMED}" if not on_aws else marked(rounded(years.total.base)),
        "Low – high": f"{rounded(years.total.low)} – {rounded(years.total.high)}",
    }


def kind_table(model: CostModel) -> pd.DataFrame:
    """What the recommendations of each kind save together."""
    before = model.bill().monthly_total
    return from_rows(
        {
            "Kind": found.kind.value,
            "Changes": found.changes,
            "Saves together a month": marked(found.saving) if found.saving else "not added: some exclude each other",
            "Bill then": marked(found.bill_after) if found.bill_after else "as each decides",
        }
        for found in by_kind(before, recommendations(model))
    )
