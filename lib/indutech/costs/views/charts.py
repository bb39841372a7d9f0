"""The charts of the cost notebook; a title says how much of what it draws stands on rates in doubt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise

import plotly.graph_objects as go

from indutech.costs.alternatives import STREAMING
from indutech.costs.bill import TERMS, Bill, weakest
from indutech.costs.inputs.prices import Confidence
from indutech.costs.model import CostModel
from indutech.costs.projections import Commitment, break_even_gb, project, streaming_against_volume, unit_costs
from indutech.costs.recommendations import Recommendation
from indutech.costs.sensitivity import Swing
from indutech.costs.storage import CLASSES, LEAST_WATCHED_KIB, Layout, archives
from indutech.costs.transfers import Transfer
from indutech.costs.views.tables import TERM_NAMES, component_name
from indutech.show.charts import AMBER, BLUE, COLOURS, GREY, INK, ON_PALE, ON_STRONG, PAPER, RED, TEAL, finished

CONFIDENCE_COLOURS = {Confidence.EXACT: BLUE, Confidence.OTHER: TEAL, Confidence.UNVERIFIED: AMBER}
CONFIDENCE_NAMES = {
    Confidence.EXACT: "rate read for Paris",
    Confidence.OTHER: "rate of another region",
    Confidence.UNVERIFIED: "unverified rate †",
}
DENSE_VOLUMES = tuple(round(10 ** (step / 8)) for step in range(8, 41))  # 10 GB to 100 TB a month
ROOM_FOR_TEXT = 1.35  # of the longest bar: a number stands beside it, also on a phone
LOG = {"type": "log", "dtick": 1}


def _title(text: str, bill: Bill) -> str:
    return f"{text} ({bill.doubt} †)" if bill.doubt else text


Points = Iterable[object]


def _line(
    figure: go.Figure, name: str | None, x: Points, y: Points, colour: str, hover: str, width: float = 2.5
) -> None:
    figure.add_scatter(
        x=list(x), y=list(y), name=name, mode="lines", line={"color": colour, "width": width}, hovertemplate=hover
    )


def _rows_down(figure: go.Figure) -> None:
    """Names on the vertical axis, the first on top."""
    figure.update_yaxes(autorange="reversed", showgrid=False, automargin=True)


def _waterfall(names: Sequence[str], steps: Sequence[Decimal], end: Decimal, sign: str) -> go.Figure:
    """From the first amount over the steps to the end, top down; a phone has no room for names side by side."""
    values = [*steps, Decimal(0)]
    shown = [*steps, end]
    texts = [f"{value:{sign if 0 < i < len(shown) - 1 else ''},.0f}" for i, value in enumerate(shown)]
    return go.Figure(
        go.Waterfall(
            x=[float(value) for value in values],
            y=list(names),
            orientation="h",
            measure=["absolute", *["relative"] * (len(values) - 2), "total"],
            text=texts,
            textposition="outside",
            increasing={"marker": {"color": RED}},
            decreasing={"marker": {"color": TEAL}},
            totals={"marker": {"color": BLUE}},
            connector={"line": {"color": GREY, "width": 1}},
            cliponaxis=False,
        )
    )


def bill_treemap(bill: Bill) -> go.Figure:
    """A month's bill: area is money, one box per component and confidence, the small ones in one box."""
    boxes: dict[tuple[str, Confidence], Decimal] = {}
    for line in bill.monthly:
        key = component_name(line.component), line.confidence
        boxes[key] = boxes.get(key, Decimal(0)) + line.effective_cost.amount
    least = bill.monthly_total.amount / 20  # a smaller box has no room for its name
    small = {key: amount for key, amount in boxes.items() if amount < least}
    shown = {key: amount for key, amount in boxes.items() if amount >= least}
    if small:
        level = weakest(level for (_, level), amount in small.items() if amount)
        shown[f"{len(small)} others", level] = sum(small.values(), Decimal(0))
    names = [f"{name}{' †' if level is not Confidence.EXACT else ''}" for name, level in shown]
    figure = go.Figure(
        go.Treemap(
            labels=names,
            parents=[""] * len(names),
            values=[float(amount) for amount in shown.values()],
            marker={"colors": [CONFIDENCE_COLOURS[level] for _, level in shown], "line": {"color": PAPER, "width": 2}},
            texttemplate="%{label}<br>$%{value:,.0f}",
            hovertemplate="%{label}: $%{value:,.2f} a month<extra></extra>",
            textfont={
                "size": 15,
                "color": [ON_STRONG if level is Confidence.EXACT else ON_PALE for _, level in shown],
            },
        )
    )
    for level in dict.fromkeys(level for _, level in shown):
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name=CONFIDENCE_NAMES[level],
            marker={"color": CONFIDENCE_COLOURS[level], "symbol": "square", "size": 12},
        )  # fmt: skip
    figure.update_layout(showlegend=True, uniformtext={"minsize": 11, "mode": "hide"})
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
    values = [claimed.monthly_total.amount, *large.values(), sum(small.values(), Decimal(0))]
    figure = _waterfall(names, values, reference.monthly_total.amount, sign="+")
    _rows_down(figure)
    figure.update_xaxes(
        range=[0, float(reference.monthly_total.amount) * ROOM_FOR_TEXT], tickprefix="$", tickformat=","
    )
    title = _title("From the claimed month to the reference", reference)
    return finished(figure, title, x="USD a month", height=110 + 32 * len(names))


def unit_cost_curve(model: CostModel) -> go.Figure:
    """What a million events cost against volume, with the break-even where events outweigh the fixed bill."""
    found = [unit_costs(model, volume) for volume in DENSE_VOLUMES]
    figure = go.Figure()
    costs = (float(one.per_million_events.amount) for one in found)
    hover = "%{x:,} GB a month: $%{y:,.2f} a million<extra></extra>"
    _line(figure, None, (float(one.volume_gb) for one in found), costs, BLUE, hover, width=3)
    now = model.usage["sensor_gb_month"].base
    for at, text, side, other, height in (
        (now, "InduTech today:<br>", "left", 1, 1),
        (break_even_gb(model), "events outweigh<br>the fixed bill:<br>", "right", -1, 0.78),  # lower, for a phone
    ):
        if at:
            figure.add_vline(x=float(at), line={"color": RED, "dash": "dot"})
            figure.add_annotation(
                x=float(at.log10()), y=height, yref="paper", text=f"{text}{at:,.0f} GB", showarrow=False, align=side,
                xanchor=side, yanchor="top", xshift=6 * other, font={"color": RED},
            )  # fmt: skip
    figure.update_xaxes(**LOG, tickformat=",")
    figure.update_yaxes(**LOG, tickprefix="$", tickformat=",.2~f", automargin=True)
    title = _title("What a million events cost", model.bill())
    return finished(figure, title, x="events, GB a month", y="USD per million events")


def streaming_lines(model: CostModel) -> go.Figure:
    """The streaming line with each service against volume, both axes logarithmic."""
    rows = streaming_against_volume(model, DENSE_VOLUMES)
    figure = go.Figure()
    for name, colour in zip(STREAMING, COLOURS, strict=False):
        costs = (float(bills[name].monthly_total.amount) for _, bills in rows)
        hover = f"{name}, %{{x:,}} GB: $%{{y:,.0f}} a month<extra></extra>"
        _line(figure, name, (volume for volume, _ in rows), costs, colour, hover)
    figure.update_xaxes(**LOG, tickformat=",")
    figure.update_yaxes(**LOG, tickprefix="$", tickformat=",", automargin=True)
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
    _rows_down(figure)
    figure.update_xaxes(tickprefix="$", tickformat=",")
    title = _title("What moves the month's bill, one input at a time", base)
    return finished(figure, title, x="USD a month", height=460)


def savings_waterfall(before: Bill, found: Sequence[Recommendation]) -> go.Figure:
    """From the reference down, change by change, as far as the design stays."""
    ends = [before.monthly_total.amount, *(change.bill_after.amount for change in found if change.bill_after)]
    kept = [change.title for change in found if change.bill_after]
    steps = [after - previous for previous, after in pairwise(ends)]
    figure = _waterfall(["Reference", *kept, "When all is done"], [ends[0], *steps], ends[-1], sign="")
    _rows_down(figure)
    figure.update_xaxes(tickprefix="$", tickformat=",", range=[0, float(ends[0]) * ROOM_FOR_TEXT])
    title = _title("What can be saved without another design", before)
    return finished(figure, title, x="USD a month", height=440)


def months_ahead(model: CostModel, months: int = 36) -> go.Figure:
    """The month's bill over the years, by commitment; only growth raises it."""
    figure = go.Figure()
    for (term, name), colour in zip(TERM_NAMES.items(), COLOURS, strict=False):
        found = project(model, months, term)
        _line(figure, name, (month.number for month in found), (float(month.monthly.amount) for month in found),
              colour, "month %{x}: $%{y:,.0f}<extra>" + name + "</extra>")  # fmt: skip
    figure.update_yaxes(rangemode="tozero", tickprefix="$", tickformat=",", automargin=True)
    figure.update_xaxes(dtick=6, range=[1, months])
    title = f"The reference's bill, month by month ({model.bill(months=12).doubt} with a commitment †)"
    return finished(figure, title, x="month", y="USD a month", height=400)


def stopping_early(found: Sequence[Commitment]) -> go.Figure:
    """What a commitment loses against on demand if the project stops after some months."""
    figure = go.Figure()
    for term, colour in zip(found, (AMBER, RED), strict=False):
        months = range(term.months + 1)
        name = f"{TERMS[term.months]}, pays from month {term.break_even_month}"
        _line(figure, name, months, (float(term.loss_if_stopped(month).amount) for month in months), colour,
              "stopped after %{x} months: $%{y:,.0f} lost<extra></extra>")  # fmt: skip
    figure.update_yaxes(rangemode="tozero", tickprefix="$", tickformat=",", automargin=True)
    figure.update_xaxes(dtick=3)
    title = "What is lost if the project stops (committed rates unverified †)"
    return finished(figure, title, x="months until the project stops", y="USD lost", height=380)


def days_by_link(moves: Sequence[Transfer], tib: Decimal) -> go.Figure:
    """Days that the history takes by each link."""
    figure = go.Figure(
        go.Bar(
            y=[move.link for move in moves],
            x=[float(move.days) for move in moves],
            orientation="h",
            marker_color=[TEAL if move.port.amount else BLUE for move in moves],
            text=[f"{move.days:,.1f} days" for move in moves],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
    )
    _rows_down(figure)
    figure.update_xaxes(range=[0, float(max(move.days for move in moves)) * ROOM_FOR_TEXT])
    return finished(figure, f"How long {tib:f} TiB take on each link", x="days", height=380)


def layout_bars(layouts: Sequence[Layout]) -> go.Figure:
    """The month's scans at Spectrum's price by layout, with the bracket of the text; no bars on a logarithmic axis."""
    cost = [float(layout.spectrum_month.amount) for layout in layouts]
    per_share = cost[0]
    figure = go.Figure(
        go.Scatter(
            y=[f"{layout.name}: {layout.spectrum_month}" for layout in layouts],
            x=cost,
            mode="markers",
            marker={"color": BLUE, "size": 13},
            error_x={
                "type": "data",
                "array": [float(layout.share_incompressible - layout.share) * per_share for layout in layouts],
                "arrayminus": [float(layout.share - layout.share_pooled) * per_share for layout in layouts],
                "color": AMBER,
                "thickness": 2,
            },
            hovertemplate="%{y} a month<extra></extra>",
        )
    )
    _rows_down(figure)
    figure.update_xaxes(**LOG, tickprefix="$", tickformat=",.2~f")
    title = "The month's scans by layout, generated tickets († rate unverified)"
    return finished(figure, title, x="USD a month<br>whiskers: pooled to incompressible text", height=320)


def archive_payback(model: CostModel) -> go.Figure:
    """Months until moving the cold part has paid for itself, against the size of the objects."""
    sizes = [Decimal(2) ** (Decimal(step) / 2) / 1024 for step in range(6, 37)]  # 8 KiB to 256 MiB
    pays = [{archive.kept_in: archive.pays_after_months for archive in archives(model, size)} for size in sizes]
    figure = go.Figure()
    for kind, colour in zip(CLASSES[1:], COLOURS, strict=False):
        name = kind.name + ("" if kind.spectrum_reads_it else " (Spectrum cannot read it)")
        months = (float(found) if (found := by_class[kind]) else None for by_class in pays)
        _line(
            figure, name, map(float, sizes), months, colour, "objects of %{x:,.2f} MiB: %{y:,.1f} months<extra></extra>"
        )
    least_mib = Decimal(LEAST_WATCHED_KIB) / 1024
    figure.add_vline(x=float(least_mib), line={"color": RED, "dash": "dot"})
    figure.add_annotation(
        x=float(least_mib.log10()), y=1, yref="paper", text="128 KiB: smaller objects<br>are not moved by default",
        showarrow=False, yanchor="top", align="left", xanchor="left", xshift=6, font={"color": RED},
    )  # fmt: skip
    figure.update_xaxes(**LOG, tickformat=",~g")
    figure.update_yaxes(**LOG, tickformat=",~g", automargin=True)
    title = "When archiving has paid for the move"
    return finished(figure, title, x="mean size of an object, MiB", y="months", height=400)
