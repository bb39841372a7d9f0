"""The charts of notebook 01: days to copy the history over a link, and scores of options by weight."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from indutech.architecture.decisions import Matrix, default_weights, scores_by_weight
from indutech.architecture.model import Platform
from indutech.architecture.quantities import VPN_TUNNEL_MBPS
from indutech.architecture.tables import days_for_history
from indutech.show.charts import AMBER, BLUE, COLOURS, GREY, RED, SOFT, finished

NAMED_DAYS = {"a day": 1, "a week": 7, "a month": 30}


def transfer_curve(platform: Platform, *, mbps: float, share: float) -> go.Figure:
    """Days to copy the history by bandwidth, with the limit of one VPN tunnel and the link chosen."""
    speeds = np.geomspace(50, 10_000, 60)
    figure = go.Figure()
    for part, colour, dash in ((1.0, GREY, "dot"), (share, BLUE, "solid")):
        days = [days_for_history(platform, float(speed), part) for speed in speeds]
        figure.add_scatter(
            x=speeds,
            y=days,
            name=f"{part:.0%} of the link",
            line={"color": colour, "dash": dash, "width": 2.5},
            hovertemplate="%{x:,.0f} Mbit/s: %{y:,.1f} days<extra></extra>",
        )
    chosen = days_for_history(platform, mbps, share)
    figure.add_scatter(
        x=[mbps], y=[chosen], name="the link chosen", mode="markers+text", text=[f"{chosen:,.1f} days"],
        textposition="top right", marker={"color": AMBER, "size": 12},
        hovertemplate="%{x:,.0f} Mbit/s: %{y:,.1f} days<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=VPN_TUNNEL_MBPS, line={"color": RED, "width": 1.5, "dash": "dash"})
    figure.add_annotation(
        x=np.log10(VPN_TUNNEL_MBPS), y=1, yref="paper", text="one standard<br>VPN tunnel<br>ends here", showarrow=False,
        xanchor="left", yanchor="top", align="left", xshift=6, font={"color": RED},
    )  # fmt: skip
    figure.update_xaxes(type="log", tickvals=[50, 100, 200, 500, 1000, 2000, 5000, 10_000], tickformat=",")
    figure.update_yaxes(
        type="log", tickvals=[0.5, *NAMED_DAYS.values(), 90], ticktext=["½", "1", "7", "30", "90"], title="days"
    )
    title = f"How long {platform.volumes['history_tb']:g} TB take"
    return finished(figure, title, x="bandwidth of the link (Mbit/s)", y="days", height=420)


def weight_chart(matrix: Matrix, criterion: str, weights: Mapping[str, float] | None = None) -> go.Figure:
    """The score of each option by the weight of one criterion; where lines cross, another option wins."""
    weights = dict(default_weights(matrix) if weights is None else weights)
    table = scores_by_weight(matrix, criterion, weights)
    figure = go.Figure()
    for option, colour in zip(matrix.option, COLOURS, strict=False):
        figure.add_scatter(
            x=table["share"],
            y=table[option.name],
            name=option.name,
            line={"color": colour, "width": 3 if option.id == matrix.chosen else 1.8},
            hovertemplate=f"{option.name}: %{{y:.2f}} at %{{x:.0f}} %<extra></extra>",
        )
    now = 100 * weights[criterion] / sum(weights.values())
    figure.add_vline(x=now, line={"color": GREY, "dash": "dot"})
    figure.add_annotation(
        x=now, y=1.02, yref="paper", text="weight now", showarrow=False, xanchor="left", xshift=5, font={"color": SOFT}
    )
    name = next(entry.name for entry in matrix.criterion if entry.id == criterion)
    figure.update_yaxes(range=[0.9, 5.1])
    return finished(figure, matrix.question, x=f"share of “{name}” (%)", y="score", height=400)
