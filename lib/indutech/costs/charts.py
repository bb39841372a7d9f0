"""The charts of the cost notebook; a title says how much of what it draws stands on rates in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

import plotly.graph_objects as go

from indutech.costs.bill import Bill
from indutech.costs.by_volume import OPTIONS, against_volume, break_even_gb, streaming_against_volume
from indutech.costs.model import CostModel, doubt
from indutech.costs.prices import Confidence
from indutech.costs.recommendations import Recommendation
from indutech.costs.sensitivity import Swing
from indutech.costs.tables import component_name
from indutech.show.charts import AMBER, BLUE, COLOURS, GREY, INK, RED, TEAL, finished

CONFIDENCE_COLOURS = {Confidence.EXACT: BLUE, Confidence.OTHER: TEAL, Confidence.UNVERIFIED: AMBER}
CONFIDENCE_NAMES = {
    Confidence.EXACT: "rate read for Paris",
    Confidence.OTHER: "rate of another region",
    Confidence.UNVERIFIED: "unverified rate †",
}
DENSE_VOLUMES = tuple(round(10 ** (step / 8)) for step in range(8, 41))  # 10 GB to 100 TB a month


def _title(text: str, bill: Bill | None = None) -> str:
    return f"{text} ({doubt(bill)} †)" if bill and doubt(bill) else text


def bill_treemap(bill: Bill) -> go.Figure:
    """A month's bill: area is money, one box per component and confidence, the small ones in one box."""
    boxes: dict[tuple[str, Confidence], Decimal] = {}
    for line in bill.monthly:
        key = component_name(line.component), line.confidence
        boxes[key] = boxes.get(key, Decimal(0)) + line.effective_cost.amount
    least = bill.monthly_total.amount / 40
    small = {key: amount for key, amount in boxes.items() if amount < least}
    shown = {key: amount for key, amount in boxes.items() if amount >= least}
    if small:
        weakest = max((level for (_, level), amount in small.items() if amount), key=lambda level: level.rank)
        shown[f"{len(small)} others", weakest] = sum(small.values(), Decimal(0))
    names = [f"{name}{' †' if level is not Confidence.EXACT else ''}" for name, level in shown]
    figure = go.Figure(
        go.Treemap(
            labels=names,
            parents=[""] * len(names),
            values=[float(amount) for amount in shown.values()],
            marker={"colors": [CONFIDENCE_COLOURS[level] for _, level in shown], "line": {"color": "#fff", "width": 2}},
            texttemplate="%{label}<br>$%{value:,.0f}",
            hovertemplate="%{label}: $%{value:,.2f} a month<extra></extra>",
            textfont={"size": 15, "color": "#ffffff"},
        )
    )
    for level in dict.fromkeys(level for _, level in shown):
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name=CONFIDENCE_NAMES[level],
            marker={"color": CONFIDENCE_COLOURS[level], "symbol": "square", "size": 12},
        )  # fmt: skip
    figure.update_layout(showlegend=True)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure = finished(figure, _title(f"The {bill.scenario} bill, USD a month", bill), height=440)
    return figure.update_layout(margin={"l": 8, "r": 8, "b": 40}, legend={"y": -0.02})


def from_claimed(claimed: Bill, reference: Bill) -> go.Figure:
    """How the claimed month becomes the reference's month, component by component."""
    before, after = (bill.by(lambda line: line.component) for bill in (claimed, reference))
    steps = {
        part: (after[part].amount if part in after else Decimal(0))
        - (before[part].amount if part in before else Decimal(0))
        for part in {**before, **after}
    }
    small = {part: step for part, step in steps.items() if abs(step) < 20}
    large = dict(sorted(((p, s) for p, s in steps.items() if p not in small), key=lambda item: -item[1]))
    names = ["Claimed in 2025", *map(component_name, large), f"{len(small)} small ones", "Reference"]
    values = [claimed.monthly_total.amount, *large.values(), sum(small.values(), Decimal(0)), Decimal(0)]
    shown = [*values[:-1], reference.monthly_total.amount]
    figure = go.Figure(
        go.Waterfall(
            x=names,
            y=[float(value) for value in values],
            measure=["absolute", *["relative"] * (len(values) - 2), "total"],
            text=[
                f"{value:+,.0f}" if 0 < index < len(shown) - 1 else f"{value:,.0f}" for index, value in enumerate(shown)
            ],
            textposition="outside",
            increasing={"marker": {"color": RED}},
            decreasing={"marker": {"color": TEAL}},
            totals={"marker": {"color": BLUE}},
            connector={"line": {"color": GREY, "width": 1}},
            cliponaxis=False,
        )
    )
    figure.update_yaxes(range=[0, float(reference.monthly_total.amount) * 1.15], tickformat=",", automargin=True)
    figure.update_xaxes(automargin=True, tickangle=-35)
    return finished(figure, _title("From the claimed month to the reference", reference), y="USD a month", height=430)


def unit_cost_curve(model: CostModel, scenario: str = "reference") -> go.Figure:
    """What a million events cost against volume, with the break_even where events begin to outweigh the fixed bill."""
    found = against_volume(scenario, model.usage, model.prices, DENSE_VOLUMES)
    figure = go.Figure(
        go.Scatter(
            x=[float(one.volume_gb) for one in found],
            y=[float(one.per_million_events.amount) for one in found],
            mode="lines",
            line={"color": BLUE, "width": 3},
            hovertemplate="%{x:,} GB a month: $%{y:,.2f} a million<extra></extra>",
        )
    )
    break_even, now = break_even_gb(scenario, model.usage, model.prices), model.usage["sensor_gb_month"].base
    for at, text in ((now, "InduTech today"), (break_even, "events outweigh the fixed bill")):
        if at:
            figure.add_vline(x=float(at), line={"color": RED, "dash": "dot"})
            figure.add_annotation(
                x=float(at.log10()), y=1, yref="paper", text=f"{text}: {at:,.0f} GB", showarrow=False,
                xanchor="left" if at == now else "right", xshift=6 if at == now else -6, font={"color": RED},
            )  # fmt: skip
    figure.update_xaxes(type="log", dtick=1, tickformat=",")
    figure.update_yaxes(type="log", dtick=1, tickprefix="$", tickformat=",.2~f", automargin=True)
    title = _title("What a million events cost", model.bill(scenario))
    return finished(figure, title, x="events, GB a month", y="USD per million events")


def streaming_lines(model: CostModel) -> go.Figure:
    """The streaming line with each service against volume, both axes logarithmic."""
    rows = streaming_against_volume(model.usage, model.prices, DENSE_VOLUMES)
    figure = go.Figure()
    for name, colour in zip(OPTIONS, COLOURS, strict=False):
        figure.add_scatter(
            x=[volume for volume, _ in rows],
            y=[float(bills[name].monthly_total.amount) for _, bills in rows],
            name=name,
            mode="lines",
            line={"color": colour, "width": 2.5},
            hovertemplate=f"{name}, %{{x:,}} GB: $%{{y:,.0f}} a month<extra></extra>",
        )
    figure.update_xaxes(type="log", dtick=1, tickformat=",")
    figure.update_yaxes(type="log", dtick=1, tickprefix="$", tickformat=",", automargin=True)
    return finished(figure, "The streaming line alone, by service", x="events, GB a month", y="USD a month", height=420)


def tornado(swings: Sequence[Swing], base: Bill, most: int = 10) -> go.Figure:
    """The inputs that move the bill most: from the bill at their low to the bill at their high."""
    shown, middle = list(swings[:most]), float(base.monthly_total.amount)
    figure = go.Figure()
    for label, colour, pick in (("at its low", TEAL, "total_at_low"), ("at its high", RED, "total_at_high")):
        figure.add_bar(
            y=[swing.name.replace("_", " ") + (" †" if swing.kind == "price" else "") for swing in shown],
            x=[float(getattr(swing, pick).amount) - middle for swing in shown],
            base=middle,
            orientation="h",
            name=label,
            marker_color=colour,
            hovertemplate="%{y}: %{x:$,.0f}<extra>" + label + "</extra>",
        )
    figure.add_vline(x=middle, line={"color": INK, "width": 1.5})
    figure.update_layout(barmode="overlay")
    figure.update_yaxes(autorange="reversed", showgrid=False, automargin=True)
    figure.update_xaxes(tickprefix="$", tickformat=",")
    return finished(
        figure, _title("What moves the month's bill, one input at a time", base), x="USD a month", height=460
    )


def savings_waterfall(before: Bill, found: Sequence[Recommendation]) -> go.Figure:
    """From the reference down, change by change, as far as the design stays."""
    kept = [change for change in found if change.bill_after]
    ends = [before.monthly_total.amount, *(change.bill_after.amount for change in kept if change.bill_after)]
    steps = [after - previous for previous, after in pairwise(ends)]
    figure = go.Figure(
        go.Waterfall(
            orientation="h",
            y=["Reference", *(change.title for change in kept), "When all is done"],
            x=[float(ends[0]), *map(float, steps), 0.0],
            measure=["absolute", *["relative"] * len(steps), "total"],
            text=[f"{value:,.0f}" for value in (ends[0], *steps, ends[-1])],
            textposition="outside",
            decreasing={"marker": {"color": TEAL}},
            increasing={"marker": {"color": RED}},
            totals={"marker": {"color": BLUE}},
            connector={"line": {"color": GREY, "width": 1}},
            cliponaxis=False,
        )
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, automargin=True)
    figure.update_xaxes(tickprefix="$", tickformat=",", range=[0, float(ends[0]) * 1.12])
    title = _title("What can be saved without another design", before)
    return finished(figure, title, x="USD a month", height=440)
