"""The charts of the notebooks: one look, a title that says what is drawn, units on the axes."""

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

INK, SOFT, LINE = "#1c2733", "#5a6775", "#dde3ea"
BLUE, AMBER, TEAL, RED, VIOLET, GREY = "#0b5c8a", "#d9942b", "#2a9d8f", "#c2452d", "#7b5ea7", "#8a97a6"
COLOURS = (BLUE, AMBER, TEAL, VIOLET, RED, GREY)
PRIORITY_COLOURS = {"BASSE": "#b9c7d3", "MOYENNE": "#7fa3bd", "HAUTE": AMBER, "CRITIQUE": RED}
HEAT = [[0.0, "#f3f7fa"], [0.35, "#a8c8dc"], [0.7, "#3f86b0"], [1.0, "#083d5c"]]
FILL = "rgba(11,92,138,0.12)"
ON_STRONG, ON_PALE = "#ffffff", "#0d1b24"  # letters on an area: on blue, on every other colour
TWO_LINES_BELOW = 80  # pixels for the numbers of an axis and a title of two lines
BINS = 40  # bars of a distribution
ROOM_AFTER = 0.04  # of an axis of time, so that a step at its end is seen
PAPER = "#fff"  # what a chart lies on, as the line between two areas or the ground of a label
# What a page that is read in the dark draws instead; every other colour has enough contrast on both.
DARK = {
    INK: "#e3eaf1", SOFT: "#a3b1c0", LINE: "#33404e", PAPER: "#1b2530", ON_STRONG: "#0b141b",
    BLUE: "#5fb0de", TEAL: "#3fb8a8", VIOLET: "#ab92dc", RED: "#f0806a", GREY: "#93a0af", FILL: "rgba(95,176,222,0.2)",
    "#b9c7d3": "#566777", "#7fa3bd": "#7fa3bd",
    "#f3f7fa": "#182430", "#a8c8dc": "#1f5478", "#3f86b0": "#4f9ccb", "#083d5c": "#d5ecfa",
}  # fmt: skip


def bars(table: pd.DataFrame, *, name: str, value: str, title: str, unit: str) -> go.Figure:
    """Horizontal bars, the first row on top, each with its value beside it."""
    figure = go.Figure(
        go.Bar(
            x=table[value],
            y=table[name].astype(str),
            orientation="h",
            marker_color=BLUE,
            text=table[value],
            texttemplate="%{text:,}",
            textposition="auto",
            insidetextfont={"color": ON_STRONG},  # Plotly's own choice is a grey that is hard to read
            hovertemplate=f"%{{y}}: %{{x:,}} {unit}<extra></extra>",
        )
    )
    figure.update_xaxes(tickformat=",")
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category", automargin=True)
    return finished(figure, title, x=unit, height=110 + 34 * len(table))


def stacked(table: pd.DataFrame, *, name: str, title: str, unit: str, colours: dict[str, str]) -> go.Figure:
    """One horizontal bar per row, split into the columns that `colours` names, in that order."""
    figure = go.Figure()
    for part, colour in colours.items():
        figure.add_bar(
            x=table[part],
            y=table[name].astype(str),
            name=part,
            orientation="h",
            marker_color=colour,
            hovertemplate=f"%{{y}}, {part}: %{{x:,}} {unit}<extra></extra>",
        )
    figure.update_layout(barmode="stack", legend_traceorder="normal", legend_y=-0.3)
    figure.update_xaxes(tickformat=",")
    figure.update_yaxes(autorange="reversed", showgrid=False, automargin=True)
    return finished(figure, title, x=unit, height=170 + 34 * len(table))


def over_time(
    table: pd.DataFrame,
    *,
    time: str,
    values: Sequence[str],
    title: str,
    unit: str,
    time_title: str = "",
    marks: Mapping[str, float] | None = None,
) -> go.Figure:
    """A line per column of `values` along `time`, with named moments on it."""
    figure = go.Figure()
    for column, colour in zip(values, COLOURS, strict=False):
        figure.add_scatter(
            x=table[time],
            y=table[column],
            name=column,
            mode="lines",
            line={"color": colour, "width": 2, "shape": "hv"},
            fill="tozeroy" if len(values) == 1 else None,
            fillcolor=FILL,
            hovertemplate=f"%{{x}}: %{{y:,}} {unit}<extra>{column}</extra>",
        )
    _mark(figure, marks or {})
    if pd.api.types.is_numeric_dtype(table[time]):
        first, last = table[time].min(), table[time].max()
        figure.update_xaxes(range=[first, last + (last - first) * ROOM_AFTER])
    figure.update_layout(showlegend=len(values) > 1)
    figure.update_yaxes(rangemode="tozero", tickformat=",")
    return finished(figure, title, x=time_title, y=unit)


def columns(table: pd.DataFrame, *, name: str, value: str, title: str, unit: str, name_title: str = "") -> go.Figure:
    """Vertical bars in the order of the rows."""
    figure = go.Figure(
        go.Bar(
            x=table[name].astype(str),
            y=table[value],
            marker_color=BLUE,
            hovertemplate=f"%{{x}}: %{{y:,}} {unit}<extra></extra>",
        )
    )
    figure.update_xaxes(type="category")
    figure.update_yaxes(tickformat=",")
    return finished(figure, title, x=name_title, y=unit)


def heat(grid: pd.DataFrame, *, title: str, unit: str, x: str) -> go.Figure:
    """A grid of cells, darker where there is more; rows top down as in the table."""
    figure = go.Figure(
        go.Heatmap(
            z=grid.to_numpy(),
            x=[str(column) for column in grid.columns],
            y=[str(row) for row in grid.index],
            colorscale=HEAT,
            colorbar={"title": {"text": unit, "side": "right"}, "thickness": 12, "outlinewidth": 0},
            hovertemplate=f"%{{y}}, %{{x}} h: %{{z:,.1f}} {unit}<extra></extra>",
            xgap=2,
            ygap=2,
        )
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, automargin=True)
    figure.update_xaxes(showgrid=False, type="category")
    return finished(figure, title, x=x, height=330)


def spread(values: pd.Series, *, title: str, unit: str, marks: dict[str, float]) -> go.Figure:
    """How values are distributed, with named marks such as p50 and p99."""
    first, last = float(values.min()), float(values.max())
    size = ((last - first) or 1) * (1 + 1e-9) / BINS  # the last value belongs into the last bar
    figure = go.Figure(
        go.Histogram(
            x=values,
            xbins={"start": first, "end": first + size * BINS, "size": size},
            marker_color=BLUE,
            hovertemplate=f"%{{x}} {unit}: %{{y:,}} tickets<extra></extra>",
        )
    )
    _mark(figure, marks)
    figure.update_layout(bargap=0.02)
    figure.update_yaxes(tickformat=",")
    return finished(figure, title, x=unit, y="tickets")


def _mark(figure: go.Figure, marks: Mapping[str, float]) -> None:
    for row, (name, at) in enumerate(marks.items()):
        figure.add_vline(
            x=at,
            line={"color": RED, "width": 1.5, "dash": "dot"},
            annotation={"text": name, "xanchor": "right", "yshift": -16 * row},  # close marks do not hide each other
        )


def finished(figure: go.Figure, title: str, x: str = "", y: str = "", height: int = 380) -> go.Figure:
    """Give a figure the look of the project, a title, axes titled with their units, and a height in pixels."""
    figure.update_layout(
        template=_look(), title=title, height=height, xaxis_title=x or None, yaxis_title=y or None,
    )  # fmt: skip
    if "<br>" in x:
        figure.update_layout(margin_b=TWO_LINES_BELOW)
    return figure


def _look() -> go.layout.Template:
    axis = {"gridcolor": LINE, "linecolor": LINE, "zerolinecolor": LINE, "ticks": "", "title": {"standoff": 12}}
    return go.layout.Template(
        layout={
            "font": {
                "family": "system-ui, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif",
                "size": 13,
                "color": INK,
            },
            "title": {"font": {"size": 16}, "x": 0, "xref": "paper", "xanchor": "left"},
            "colorway": list(COLOURS),
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 64, "r": 24, "t": 56, "b": 52},
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top", "title": {"text": ""}},
            "hoverlabel": {"bgcolor": PAPER, "bordercolor": LINE, "font": {"color": INK}},
            "separators": ".,",
        }
    )
