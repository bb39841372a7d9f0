"""A Plotly figure in words and as a table, for readers who do not see it; both are computed from its data.

The words are those of the language being written in; the names are the figure's own.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from indutech.show.language import gettext
from indutech.show.language import numbers as in_its_form

Figure = Mapping[str, Any]
Trace = Mapping[str, Any]

MOST_ROWS = 40
MOST_NAMED = 8  # from so many bars on, a sentence has only the highest and the lowest
BINS = 20


def sentence(figure: Figure) -> str:
    """What a figure shows, in a sentence or two: its kind, its series, and their extremes."""
    traces = _drawn(figure)
    kinds = {str(trace.get("type", "scatter")) for trace in traces}
    if not traces:
        return gettext("An empty chart.")
    if kinds == {"bar"} and len(traces) > 1:
        return _several_bars(figure, traces)
    lines = [trace for trace in traces if _is_line(trace)]
    others = [trace for trace in traces if not _is_line(trace)]
    return " ".join(
        ([_lines(figure, lines)] if lines else [])
        + [_KINDS.get(str(trace.get("type", "scatter")), _points)(figure, trace) for trace in others]
    )


def numbers(figure: Figure) -> pd.DataFrame:
    """The figure's data as a table of text, at most 40 rows: of longer series every so many points."""
    traces = _drawn(figure)
    if not traces:
        return pd.DataFrame()
    kind = traces[0].get("type")
    if kind == "heatmap":
        return _grid(traces[0])
    if kind == "histogram":
        return _bins(figure, traces[0])
    return _series(figure, traces)


def sampled(figure: Figure) -> bool:
    """Whether the table of numbers leaves points out."""
    return any(len(_values(trace, "x")) > MOST_ROWS for trace in _drawn(figure) if trace.get("type") != "histogram")


def _is_line(trace: Trace) -> bool:
    return trace.get("type", "scatter") == "scatter" and "lines" in str(trace.get("mode") or "lines")


def _drawn(figure: Figure) -> list[Trace]:
    """The traces that have data; those that only make an entry of the legend have none."""
    return [
        trace
        for trace in figure["data"]
        if any(value is not None for key in ("x", "y", "z", "values") for value in _values(trace, key))
    ]


def _values(trace: Trace, key: str) -> list[Any]:
    """One array of a trace, also where Plotly wrote it as bytes."""
    value = trace.get(key)
    if isinstance(value, Mapping) and "bdata" in value:
        array = np.frombuffer(base64.b64decode(value["bdata"]), dtype=np.dtype(value["dtype"]))
        if "shape" in value:
            array = array.reshape([int(length) for length in str(value["shape"]).split(",")])
        return list(array.tolist())
    if value is None or isinstance(value, str | int | float):
        return []
    return list(value)


def _title(figure: Figure, axis: str) -> str:
    title = (figure["layout"].get(axis) or {}).get("title") or {}
    return str(title if isinstance(title, str) else title.get("text") or "").replace("<br>", ", ")


def _sides(figure: Figure, trace: Trace) -> tuple[list[Any], list[Any], str, str]:
    """Names, values, and the titles of both: a horizontal bar has its values on x."""
    across = trace.get("orientation") == "h" or (trace.get("error_x") is not None)
    names, values = ("y", "x") if across else ("x", "y")
    return (
        _values(trace, names), _values(trace, values), _title(figure, f"{names}axis"), _title(figure, f"{values}axis"),
    )  # fmt: skip


def _said(value: Any) -> str:
    """A value as a sentence has it: three digits that count, whole thousands, days without a time."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return " ".join(value.removesuffix("T00:00:00").replace("<br>", " ").split())
    if abs(value) >= 1000 or float(value).is_integer():
        return in_its_form(f"{value:,.0f}")
    return in_its_form(np.format_float_positional(value, precision=3, fractional=False, trim="-"))


def _unit(title: str) -> str:
    return f" {title}" if title else ""


def _bars(figure: Figure, trace: Trace) -> str:
    names, values, _, unit = _sides(figure, trace)
    if len(names) <= MOST_NAMED:
        listed = gettext("; ").join(_pair(name, value) for name, value in zip(names, values, strict=True))
        return gettext("{count} bars{unit}. {listed}.").format(count=len(names), unit=_of(unit), listed=listed)
    most, least = int(np.argmax(values)), int(np.argmin(values))
    return gettext(
        "{count} bars{unit}: the longest is {longest} with {most}, the shortest {shortest} with {least}."
    ).format(
        count=len(names), unit=_of(unit), longest=_said(names[most]), most=_said(values[most]),
        shortest=_said(names[least]), least=_said(values[least]),
    )  # fmt: skip


def _of(unit: str) -> str:
    return gettext(" in {unit}").format(unit=unit) if unit else ""


def _several_bars(figure: Figure, traces: Sequence[Trace]) -> str:
    names, _, _, unit = _sides(figure, traces[0])
    parts = [_sides(figure, trace)[1] for trace in traces]
    if traces[0].get("base") is not None:
        middle = float(traces[0]["base"])
        ends = [[middle + float(part[row]) for part in parts] for row in range(len(names))]
        spread = [max(end) - min(end) for end in ends]
        widest = sorted(range(len(names)), key=lambda row: -spread[row])[:3]
        listed = gettext("; ").join(
            gettext("{name} from {low} to {high}").format(
                name=_said(names[row]), low=_said(min(ends[row])), high=_said(max(ends[row]))
            )
            for row in widest
        )
        return gettext("{count} bars around {middle}{unit}; the widest are {listed}.").format(
            count=len(names), middle=_said(middle), unit=_unit(unit), listed=listed
        )
    totals = [sum(part[row] for part in parts) for row in range(len(names))]
    most, least = int(np.argmax(totals)), int(np.argmin(totals))
    return gettext(
        "{count} bars{unit}, each in {number} parts ({parts}): the longest is {longest} with {most}, the shortest "
        "{shortest} with {least}."
    ).format(
        count=len(names), unit=_of(unit), number=len(traces), parts=", ".join(str(t.get("name")) for t in traces),
        longest=_said(names[most]), most=_said(totals[most]), shortest=_said(names[least]), least=_said(totals[least]),
    )  # fmt: skip


def _lines(figure: Figure, traces: Sequence[Trace]) -> str:
    _, _, along, unit = _sides(figure, traces[0])
    listed = gettext("; ").join(_line(*_sides(figure, trace)[:2], str(trace.get("name") or "")) for trace in traces)
    measured = unit or gettext("Values")
    over = gettext(" along {axis}").format(axis=along) if along else ""
    return gettext("{measured}{over}: {listed}.").format(
        measured=measured[:1].upper() + measured[1:], over=over, listed=listed
    )


def _line(names: list[Any], values: list[Any], called: str) -> str:
    pairs = [(name, value) for name, value in zip(names, values, strict=True) if value is not None]
    (first, start), (last, end) = pairs[0], pairs[-1]
    said = (
        gettext("{name} from {start} at {first} to {end} at {last}")
        .format(name=called, start=_said(start), first=_said(first), end=_said(end), last=_said(last))
        .strip()
    )
    top, bottom = max(pairs, key=lambda pair: pair[1]), min(pairs, key=lambda pair: pair[1])
    if top[1] > max(start, end):
        said += gettext(", highest at {place} with {value}").format(place=_said(top[0]), value=_said(top[1]))
    if bottom[1] < min(start, end):
        said += gettext(", lowest at {place} with {value}").format(place=_said(bottom[0]), value=_said(bottom[1]))
    return said


def _points(figure: Figure, trace: Trace) -> str:
    names, values, _, unit = _sides(figure, trace)
    called = gettext("{name}: {value}").format(name=trace["name"], value="") if trace.get("name") else ""
    if len(names) == 1:
        return called + gettext("{value}{unit} at {place}.").format(
            value=_said(values[0]), unit=_unit(unit), place=_said(names[0])
        )
    listed = gettext("; ").join(_pair(name, value) for name, value in zip(names, values, strict=True))
    return f"{called}{listed}{f' ({unit})' if unit else ''}."


def _pair(name: Any, value: Any) -> str:
    """A name with its value, unless the name itself ends with one: `Parquet: $66.58`."""
    said = _said(name)
    has_value = re.search(r":\s\S*\d[^:]*$", said)
    return said if has_value else gettext("{name}: {value}").format(name=said, value=_said(value))


def _waterfall(figure: Figure, trace: Trace) -> str:
    names, values, _, unit = _sides(figure, trace)
    steps = [float(value) for value in values[:-1]]
    changes = dict(zip(names[1:-1], steps[1:], strict=True))
    largest = sorted(changes, key=lambda name: -abs(changes[name]))[:3]
    listed = ", ".join(f"{_said(name)} {in_its_form(f'{changes[name]:+,.0f}')}" for name in largest)
    return gettext("From {first}, {start}, to {last}, {end}{unit}, in {steps} steps; the largest are {listed}.").format(
        first=_said(names[0]), start=_said(steps[0]), last=_said(names[-1]), end=_said(sum(steps)), unit=_unit(unit),
        steps=len(changes), listed=listed,
    )  # fmt: skip


def _areas(figure: Figure, trace: Trace) -> str:
    labels, values = _values(trace, "labels"), _values(trace, "values")
    order = sorted(range(len(labels)), key=lambda at: -values[at])
    shares = [in_its_form(f"{value / sum(values):.0%}") for value in values]
    listed = gettext("; ").join(
        gettext("{name}: {value}").format(name=_said(labels[at]), value=f"{_said(values[at])} ({shares[at]})")
        for at in order
    )
    return gettext("{count} areas, {total} in all: {listed}.").format(
        count=len(labels), total=_said(sum(values)), listed=listed
    )


def _cells(figure: Figure, trace: Trace) -> str:
    across, down, grid = _values(trace, "x"), _values(trace, "y"), np.array(_values(trace, "z"), dtype=float)
    places = [np.unravel_index(find(grid), grid.shape) for find in (np.nanargmax, np.nanargmin)]
    most, least = (
        f"{_said(down[row])}, {_said(across[column])} ({_said(float(grid[row, column]))})" for row, column in places
    )
    unit = ((trace.get("colorbar") or {}).get("title") or {}).get("text") or ""
    return gettext("A grid of {rows} rows and {columns} columns{unit}: most at {most}, least at {least}.").format(
        rows=len(down), columns=len(across), unit=_of(unit), most=most, least=least
    )


def _spread(figure: Figure, trace: Trace) -> str:
    values = np.array(_values(trace, "x"), dtype=float)
    half, most = np.quantile(values, [0.5, 0.95])
    return gettext("{count} values{unit}, from {low} to {high}: half lie below {half}, 95 % below {most}.").format(
        count=_said(len(values)), unit=_of(_title(figure, "xaxis")), low=_said(float(values.min())),
        high=_said(float(values.max())), half=_said(float(half)), most=_said(float(most)),
    )  # fmt: skip


_KINDS: dict[str, Callable[[Figure, Trace], str]] = {
    "bar": _bars, "waterfall": _waterfall, "treemap": _areas, "heatmap": _cells, "histogram": _spread,
}  # fmt: skip


def _grid(trace: Trace) -> pd.DataFrame:
    rows = [[_said(value) for value in row] for row in _values(trace, "z")]
    table = pd.DataFrame(rows, columns=[_said(name) for name in _values(trace, "x")])
    table.insert(0, " ", [_said(name) for name in _values(trace, "y")])
    return table


def _bins(figure: Figure, trace: Trace) -> pd.DataFrame:
    drawn = trace.get("xbins") or {}
    bins = round((drawn["end"] - drawn["start"]) / drawn["size"]) if drawn else BINS
    ends = (drawn["start"], drawn["end"]) if drawn else None
    counts, edges = np.histogram(np.array(_values(trace, "x"), dtype=float), bins=bins, range=ends)
    unit = _title(figure, "xaxis") or gettext("value")
    return pd.DataFrame({
        gettext("from ({unit})").format(unit=unit): [_said(float(edge)) for edge in edges[:-1]],
        gettext("to ({unit})").format(unit=unit): [_said(float(edge)) for edge in edges[1:]],
        _title(figure, "yaxis") or gettext("count"): [_said(int(number)) for number in counts],
    })  # fmt: skip


def _series(figure: Figure, traces: Sequence[Trace]) -> pd.DataFrame:
    """A row per name; a column per trace, if all have the same names, otherwise a row per point of each trace."""
    if traces[0].get("type") == "treemap":
        names, values = _values(traces[0], "labels"), _values(traces[0], "values")
        return pd.DataFrame({gettext("name"): map(_said, names), gettext("value"): map(_said, values)})
    sides = [_sides(figure, trace) for trace in traces]
    along, unit = sides[0][2] or gettext("name"), sides[0][3] or gettext("value")
    called = [str(trace.get("name") or unit) for trace in traces]
    if any(side[0] != sides[0][0] for side in sides) or len(set(called)) < len(called):
        rows = [
            (name, _said(at), _said(value))
            for name, trace, side in zip(called, traces, sides, strict=True)
            for at, value in _thinned(list(zip(side[0], _to(trace, side[1]), strict=True)))
        ]
        return pd.DataFrame(rows, columns=[gettext("series"), along, unit])
    columns = [_to(trace, side[1]) for trace, side in zip(traces, sides, strict=True)]
    rows = _thinned(list(zip(sides[0][0], *columns, strict=True)))
    return pd.DataFrame([[_said(cell) for cell in row] for row in rows], columns=[along, *called])


def _to(trace: Trace, values: list[Any]) -> list[Any]:
    """Where a bar ends: its length counts from its base."""
    if trace.get("type") == "waterfall":
        return [*values[:-1], sum(float(value) for value in values[:-1])]
    base = trace.get("base")
    return [value + base for value in values] if isinstance(base, int | float) else values


def _thinned(rows: list[Any]) -> list[Any]:
    """At most 40 rows, the first and the last among them."""
    if len(rows) <= MOST_ROWS:
        return rows
    return [rows[at] for at in sorted({round(step * (len(rows) - 1) / (MOST_ROWS - 1)) for step in range(MOST_ROWS)})]
