"""The figures of a report: each gets a number, and each chart its data as a table for CSV."""

import base64
import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import nbformat
import numpy as np
import pandas as pd

PLOTLY = "application/vnd.plotly.v1+json"
PICTURES = ("image/svg+xml", "image/png", "image/jpeg")
COLUMNS = ("x", "y", "labels", "parents", "values", "measure", "text")  # of a trace, in this order


@dataclass(frozen=True)
class Chart:
    """A chart of a page: its number, its title, what Plotly draws, and the name of its data file."""

    number: str
    title: str
    spec: Mapping[str, Any]

    @property
    def file(self) -> str:
        """The name of the CSV."""
        return f"figure-{self.number.replace('.', '-')}.csv"

    @property
    def table(self) -> pd.DataFrame:
        """What the chart draws, a row for each point."""
        return data_table(self.spec)


def numbered(notebook: nbformat.NotebookNode, page_number: str) -> list[Chart]:
    """Number all drawings and charts of a notebook in place, as 3.1, 3.2 …; return the charts."""
    charts: list[Chart] = []
    count = 0
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        data = output.get("data", {})
        if not any(kind in data for kind in (PLOTLY, *PICTURES)):
            continue
        count += 1
        number = f"{int(page_number)}.{count}" if page_number.isdigit() else str(count)
        output.setdefault("metadata", {})["figure"] = number
        if PLOTLY in data:
            chart = Chart(number, title(data[PLOTLY].get("layout", {})), data[PLOTLY])
            output["metadata"]["figure_data"] = f"data/{chart.file}"
            charts.append(chart)
    return charts


def title(layout: Mapping[str, Any]) -> str:
    """The title of a chart in plain words."""
    found = layout.get("title") or {}
    words = found if isinstance(found, str) else found.get("text") or ""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", str(words))).split())


def data_table(spec: Mapping[str, Any]) -> pd.DataFrame:
    """The points of all traces of a Plotly figure, one below the other, under the words of its axes."""
    names = {axis: _axis_title(spec.get("layout", {}), axis) for axis in ("x", "y")}
    parts = [part for part in (_trace_table(trace, names) for trace in spec["data"]) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _trace_table(trace: Mapping[str, Any], names: Mapping[str, str]) -> pd.DataFrame:
    if trace.get("z") is not None:
        return _grid_table(trace, names)
    columns = {key: _values(trace[key]) for key in COLUMNS if _is_list(trace.get(key))}
    longest = max(map(len, columns.values()), default=0)
    table = pd.DataFrame({names.get(key) or key: column for key, column in columns.items() if len(column) == longest})
    if trace.get("name"):
        table.insert(0, "series", trace["name"])
    return table


def _grid_table(trace: Mapping[str, Any], names: Mapping[str, str]) -> pd.DataFrame:
    grid = pd.DataFrame(np.asarray(_values(trace["z"])), index=_values(trace["y"]), columns=_values(trace["x"]))
    long = grid.rename_axis(names["y"] or "y").reset_index().melt(id_vars=names["y"] or "y", value_name="value")
    return long.rename(columns={"variable": names["x"] or "x"})


def _is_list(value: object) -> bool:
    return isinstance(value, list) or (isinstance(value, Mapping) and "bdata" in value)


def _values(value: Any) -> Any:
    """A list of a figure; Plotly writes arrays of numbers as base64 with type and shape."""
    if not isinstance(value, Mapping):
        return value
    flat = np.frombuffer(base64.b64decode(value["bdata"]), dtype=np.dtype(value["dtype"]))
    shape = [int(length) for length in str(value.get("shape", len(flat))).split(",")]
    return flat.reshape(shape).tolist()


def _axis_title(layout: Mapping[str, Any], axis: str) -> str:
    found: Iterable[str] | Mapping[str, str] = layout.get(f"{axis}axis", {}).get("title") or {}
    return found if isinstance(found, str) else str(found.get("text") or "") if isinstance(found, Mapping) else ""
