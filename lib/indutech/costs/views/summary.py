"""The parts of docs/00-summary.md: one page for whoever approves the money, every figure computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from indutech.architecture.decisions import winner
from indutech.costs import business
from indutech.costs.business import (
    ON_PREMISE,
    THREE_YEARS,
    YEAR,
    Range,
    in_euro,
    one_off,
    people_year,
    plant_year,
    three_years,
    total,
    with_vat,
)
from indutech.costs.model import CostModel
from indutech.costs.recommendations import Kind, by_kind, recommendations
from indutech.costs.scores import kept_because_given, matrices
from indutech.costs.sensitivity import doubts
from indutech.costs.views.business_tables import rounded, spread
from indutech.costs.views.tables import marked
from indutech.show.tables import as_markdown, from_rows


def decision(model: CostModel) -> str:
    """What is to be decided, and what follows from the given choices."""
    [actions, *_] = by_kind(model.bill().monthly_total, recommendations(model))
    reference, stay = (next(y for y in three_years(model) if y.name == name) for name in ("reference", ON_PREMISE))
    more = reference.total.base - stay.total.base
    compared = f"{rounded(abs(more))} {'more' if more > 0 else 'less'} than staying on-premise is assumed to"
    return (
        f"Approve the platform for three years with a start on demand: {chosen(model)}, and as given {given(model)}. "
        f"{actions.changes} actions, each with its condition and one of them another kind of nodes, "
        f"then bring the month from {marked(model.bill().monthly_total)} to {marked(actions.bill_after)}; "
        f"no other saving is counted on. Three years cost {compared}, with people and "
        "the one-off, and the plant has neither stream nor lake: "
        f"{'what it does has to be worth that' if more > 0 else 'verify the figures of the plant first'}."
    )


def chosen(model: CostModel) -> str:
    """The services that win their comparison and are proposed."""
    kept = {one.matrix.id for one in kept_because_given(model)}
    return ", ".join(winner(matrix).name for name, matrix in matrices(model).items() if name not in kept)


def given(model: CostModel) -> str:
    """The services that are proposed because they were given, each with the winner of its comparison."""
    kept = kept_because_given(model)
    return " and ".join(f"{one.kept.name} (the sums favour {one.winner.name})" for one in kept)


def key_figures(model: CostModel) -> dict[str, str]:
    """The figures of this page that the front page of the report repeats, each by a name."""
    reference, stay = (next(y for y in three_years(model) if y.name == name) for name in ("reference", ON_PREMISE))
    [actions, *_] = by_kind(model.bill().monthly_total, recommendations(model))
    brackets = {"month": business.month(model), "years": reference.total, "stay": stay.total}
    ends = {
        name + suffix: rounded(end)
        for name, bracket in brackets.items()
        for suffix, end in zip(("_low", "", "_high"), bracket.ends, strict=True)
    }
    return ends | {
        "in_doubt": f"{model.bill().doubtful_share * 100:.0f} %",
        "in_doubt_committed": f"{model.bill(months=YEAR).doubtful_share * 100:.0f} %",
        "actions": str(actions.changes),
        "month_exact": marked(model.bill().monthly_total),
        "month_after": marked(actions.bill_after),
    }


def money(model: CostModel) -> str:
    """Low, base and high of a month, a year, three years and once; before VAT, with VAT, and in euro."""
    once = one_off(model)
    staff = once["People of the project"] + once["The plant's warehouse goes on meanwhile"]
    bought = once["The history staged in S3"] + once["DataSync and requests"]
    aws_year, aws_three = (business.aws(model, months) for months in (YEAR, THREE_YEARS))
    people = people_year(model)
    all_once = total(once.values())
    rows = [
        ("AWS, a month on demand", business.month(model), with_vat(model, business.month(model))),
        ("AWS with support, year 1", aws_year, with_vat(model, aws_year)),
        ("AWS with support, 3 years", aws_three, with_vat(model, aws_three)),
        ("Once", all_once, staff + with_vat(model, bought)),
        ("People who run it, a year", people, people),
        ("In all, year 1", aws_year + people + all_once, with_vat(model, aws_year + bought) + people + staff),
        (
            "In all, 3 years",
            aws_three + people * 3 + all_once,
            with_vat(model, aws_three + bought) + people * 3 + staff,
        ),
        ("Staying on-premise, 3 years (assumed)", plant_year(model) * 3, plant_year(model) * 3),
    ]
    return as_markdown(from_rows(_row(model, *row) for row in rows).set_index("Low – base – high"))


def _row(model: CostModel, name: str, before: Range, after: Range) -> dict[str, object]:
    euro = in_euro(model, after.base)
    return {"Low – base – high": name, "Before VAT": spread(before), "With VAT": spread(after),
            "Base with VAT, euro": f"€{round(euro / 100) * 100:,.0f}" if euro >= 1000 else f"€{euro:,.0f}"}  # fmt: skip


def once(model: CostModel) -> str:
    """What the one-off is made of."""
    parts = ", ".join(f"{name} {rounded(part.base)}" for name, part in one_off(model).items())
    return f"Once is, at its base: {parts}."


def doubt(model: CostModel) -> str:
    """How much of it stands on rates that nobody has read for Paris, and which."""
    reference = model.bill()
    worst = ", ".join(found.item.removeprefix("Amazon ") for found in doubts(reference, model.prices)[:3])
    return (
        f"**{reference.doubtful_share * 100:.0f} % of the month** stands on rates that were not read for Paris; "
        f"committed for a year it is {model.bill(months=YEAR).doubtful_share * 100:.0f} %. Most of it: {worst}."
    )


def decisions_to_make(model: CostModel) -> str:
    """The three decisions, with what each is worth, and room for a name and a day."""
    given = {one.matrix.id: one for one in kept_because_given(model)}
    savings = {one.title: one for one in recommendations(model)}
    commit = next(one for title, one in savings.items() if title.startswith("Commit"))
    rows = [
        {"Decision": f"Keep {one.kept.name}, or take {one.winner.name}?",
         "Worth a month": marked(one.costs_more, one.doubtful)}
        for one in given.values()
    ] + [{"Decision": "Commit for a year, after three months of use?",
          "Worth a month": marked(commit.saving, commit.confidence)}]  # fmt: skip
    return as_markdown(from_rows({**row, "Owner": "………", "By": "………"} for row in rows).set_index("Decision"))


def verify_first(model: CostModel) -> str:
    """What has to be looked up or measured before the money is spent."""
    asked = [model.prices["redshift_rg_xlarge"].look_up, *(d.look_up for d in doubts(model.bill(), model.prices)[:3])]
    rates = [f"look up: {one}" for one in asked]
    measure = [
        f"measure: {one.title.lower()} ({one.first})" for one in recommendations(model) if one.kind is Kind.MEASURE
    ]
    plant = "replace by figures of the plant: what its warehouse, its licences and its people cost"
    return "\n".join(f"- {line}." for line in [*rates, *measure[:1], plant])


def rates_used(model: CostModel) -> str:
    """The exchange rate and the VAT that the page is computed with."""
    case = model.case
    return (
        f"† marks amounts to the cent that stand on rates not read for Paris; the rounded ones stand on the same. "
        f"Dollars; 1 euro is {case['usd_per_euro'].base} dollars ({case['usd_per_euro'].reason.split(' (')[0]}); "
        f"VAT {case['vat_percent'].base:f} % on what AWS invoices, none on own staff. "
        f"Low and high: all inputs at once at their favourable or unfavourable end, an outer bound. "
        f"{rounded(plant_year(model).base)} a year is assumed for the plant."
    )


PARTS: Mapping[str, Callable[[CostModel], str]] = {
    "summary:decision": decision,
    "summary:money": money,
    "summary:once": once,
    "summary:doubt": doubt,
    "summary:decisions": decisions_to_make,
    "summary:verify": verify_first,
    "summary:rates": rates_used,
}
