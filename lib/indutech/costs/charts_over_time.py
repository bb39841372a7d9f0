"""Charts of time and storage for the cost notebook: months ahead, stopping early, moving, layouts, archives."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import plotly.graph_objects as go

from indutech.costs.bill import ON_DEMAND
from indutech.costs.model import CostModel, doubt
from indutech.costs.over_time import TERM_NAMES, TERMS, Commitment, project
from indutech.costs.storage import CLASSES, Layout, archives
from indutech.costs.transfers import Move
from indutech.show.charts import AMBER, BLUE, COLOURS, RED, TEAL, finished


def months_ahead(model: CostModel, months: int = 36) -> go.Figure:
    """The month's bill over the years, by commitment; steps up are growth, nothing else."""
    figure = go.Figure()
    for term, colour in zip((ON_DEMAND, *TERMS), COLOURS, strict=False):
        found = project("reference", model.usage, model.prices, months, term)
        figure.add_scatter(
            x=[month.number for month in found],
            y=[float(month.monthly.amount) for month in found],
            name=TERM_NAMES[term],
            mode="lines",
            line={"color": colour, "width": 2.5},
            hovertemplate="month %{x}: $%{y:,.0f}<extra>" + TERM_NAMES[term] + "</extra>",
        )
    figure.update_yaxes(rangemode="tozero", tickprefix="$", tickformat=",", automargin=True)
    figure.update_xaxes(dtick=6, range=[1, months])
    title = f"The reference's bill, month by month ({doubt(model.bill('reference', 12))} with a commitment †)"
    return finished(figure, title, x="month", y="USD a month", height=400)


def stopping_early(found: Sequence[Commitment]) -> go.Figure:
    """What a commitment loses against on demand if the project stops after some months."""
    figure = go.Figure()
    for term, colour in zip(found, (AMBER, RED), strict=False):
        months = range(term.months + 1)
        figure.add_scatter(
            x=list(months),
            y=[float(term.loss_if_stopped(month).amount) for month in months],
            name=f"{TERM_NAMES[term.months]}, pays from month {term.break_even_month}",
            mode="lines",
            line={"color": colour, "width": 2.5},
            hovertemplate="stopped after %{x} months: $%{y:,.0f} lost<extra></extra>",
        )
    figure.update_yaxes(rangemode="tozero", tickprefix="$", tickformat=",", automargin=True)
    figure.update_xaxes(dtick=3)
    title = "What is lost if the project stops (committed rates unverified †)"
    return finished(figure, title, x="months until the project stops", y="USD lost", height=380)


def days_by_link(moves: Sequence[Move], tib: Decimal) -> go.Figure:
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
    figure.update_yaxes(autorange="reversed", showgrid=False, automargin=True)
    figure.update_xaxes(range=[0, float(max(move.days for move in moves)) * 1.15])
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
    figure.update_yaxes(autorange="reversed", showgrid=False, automargin=True)
    figure.update_xaxes(type="log", dtick=1, tickprefix="$", tickformat=",.2~f")
    title = "The month's scans by layout, generated tickets († rate unverified)"
    return finished(figure, title, x="USD a month; whiskers: pooled to incompressible text", height=320)


def archive_payback(model: CostModel) -> go.Figure:
    """Months until moving the cold part has paid for itself, against the size of the objects."""
    sizes = [Decimal(2) ** (Decimal(step) / 2) / 1024 for step in range(6, 37)]  # 8 KiB to 256 MiB
    figure = go.Figure()
    for kind, colour in zip(CLASSES[1:], COLOURS, strict=False):
        points = []
        for size in sizes:
            one = next(a for a in archives(model.usage, model.prices, size) if a.kept_in is kind)
            points.append(float(one.pays_after_months) if one.pays_after_months else None)
        figure.add_scatter(
            x=[float(size) for size in sizes],
            y=points,
            name=kind.name + ("" if kind.spectrum_reads_it else " (Spectrum cannot read it)"),
            mode="lines",
            line={"color": colour, "width": 2.5},
            hovertemplate="objects of %{x:,.2f} MiB: %{y:,.1f} months<extra></extra>",
        )
    figure.add_vline(x=0.125, line={"color": RED, "dash": "dot"})
    figure.add_annotation(
        x=float(Decimal("0.125").log10()), y=1, yref="paper", text="128 KiB: smaller objects are not moved by default",
        showarrow=False, xanchor="left", xshift=6, font={"color": RED},
    )  # fmt: skip
    figure.update_xaxes(type="log", dtick=1, tickformat=",~g")
    figure.update_yaxes(type="log", dtick=1, tickformat=",~g", automargin=True)
    title = "When archiving has paid for the move"
    return finished(figure, title, x="mean size of an object, MiB", y="months", height=400)
