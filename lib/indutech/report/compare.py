"""Compares two models of the platform: picture, bill, single points of failure, security groups, outages."""

import base64
import html
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from indutech.architecture import failures
from indutech.architecture.diagrams import render
from indutech.architecture.model import Component, Flow, Platform, View
from indutech.costs.bill import Bill
from indutech.costs.charges import events_per_month
from indutech.costs.model import CostModel, read_model
from indutech.report import generated_templates

HOURS_PER_MONTH = 730
SHOWN = {"name", "service", "copies", "subnets", "security_group", "caption"}  # of a component, in the picture
ARROW = {"source", "target", "via", "protocol", "ports", "encryption"}  # of a flow
OUTAGE = "customer_gateway"  # the link between plant and AWS: the outage whose price is compared


def compared(one: Platform, other: Platform, names: tuple[str, str]) -> dict[str, Any]:
    """Everything that differs, as plain data: the same two models give the same result."""
    model = read_model()
    return {
        "models": list(names),
        "components": _differences(one.component, other.component, SHOWN),
        "flows": _differences(one.flow, other.flow, ARROW),
        "bill": _bills(generated_templates.bill(one, model), generated_templates.bill(other, model)),
        "bought_by_the_plant_usd": [sum(c.bought_usd for c in side.component) for side in (one, other)],
        "single_points": _names(*([c.id for c in failures.single_points(side)] for side in (one, other))),
        "security_groups": _rules(one, other),
        "link_down": [_link_down(side, model) for side in (one, other)],
        "stops": _stops(one, other),
    }


def _differences(
    mine: Iterable[Component | Flow], theirs: Iterable[Component | Flow], fields: set[str]
) -> dict[str, Any]:
    before = {part.id: part.model_dump(mode="json", include=fields) for part in mine}
    after = {part.id: part.model_dump(mode="json", include=fields) for part in theirs}
    changed = {
        name: {key: [before[name][key], after[name][key]] for key in sorted(fields & before[name].keys())
               if before[name][key] != after[name][key]}
        for name in before if name in after and before[name] != after[name]
    }  # fmt: skip
    return _names(list(before), list(after)) | {"changed": changed}


def _names(mine: list[str], theirs: list[str]) -> dict[str, Any]:
    return {"added": [n for n in theirs if n not in mine], "removed": [n for n in mine if n not in theirs]}


def _bills(one: Bill, other: Bill) -> dict[str, Any]:
    lines: dict[tuple[str, str], list[Decimal]] = {}
    for side, bill in enumerate((one, other)):
        for line in bill.monthly:
            key = (line.component, line.charge.price_id)
            lines.setdefault(key, [Decimal(0), Decimal(0)])[side] += line.effective_cost.amount
    differing = [
        {"component": component, "price": price, "usd_month": [str(before), str(after)],
         "difference": str(after - before)}
        for (component, price), (before, after) in sorted(lines.items()) if before != after
    ]  # fmt: skip
    totals = [bill.monthly_total.amount for bill in (one, other)]
    return {"lines": differing, "usd_month": [str(total) for total in totals], "difference": str(totals[1] - totals[0])}


def _rules(one: Platform, other: Platform) -> dict[str, Any]:
    sides = [
        [f"{group.id} ← {opening.origin}: {port}" for group in side.security_group for opening in group.inbound
         for port in opening.ports]
        for side in (one, other)
    ]  # fmt: skip
    return _names(*sides)


def _link_down(platform: Platform, model: CostModel) -> dict[str, Any]:
    """What an hour without the link loses, if the sensors keep nothing: readings that wait in no component."""
    cut = failures.outage(platform, OUTAGE)
    hours = max((c.holds_hours or 0 for c in cut.buffered_in), default=0)
    waits = [component.id for component in cut.buffered_in]
    a_month = events_per_month(model.usage).value
    lost = 0 if hours else int(a_month / HOURS_PER_MONTH)
    return {"data_waits_in": waits, "hours_kept": hours, "readings_lost_in_the_first_hour": lost}


def _stops(one: Platform, other: Platform) -> list[dict[str, Any]]:
    """Components whose failure has another effect in the other model, and those that only one model has."""
    found = []
    for name in dict.fromkeys((*one.ids, *other.ids)):
        sides = [_effect(side, name) for side in (one, other)]
        if sides[0] != sides[1]:
            found.append({"component": name, "effect": sides})
    return found


def _effect(platform: Platform, name: str) -> dict[str, Any] | None:
    if name not in platform:
        return None
    end = failures.outage(platform, name)
    return {"spare": failures.redundancy(platform, platform[name]).value, "stale": list(end.stale),
            "waits_in": [c.id for c in end.buffered_in]}  # fmt: skip


def page(one: Platform, other: Platform, found: dict[str, Any]) -> str:
    """The comparison as one HTML page that needs nothing else."""
    first, second = (html.escape(name) for name in found["models"])
    bill, lost = found["bill"], found["link_down"]
    said = _names_of(one, other)
    rows = [
        ["A month, AWS (USD)", *bill["usd_month"]],
        ["Bought once by the plant (USD, assumed)", *(f"{usd:,.0f}" for usd in found["bought_by_the_plant_usd"])],
        ["Single points of failure", *(str(len(failures.single_points(side))) for side in (one, other))],
        ["Link down: data waits in", *(_listed(side["data_waits_in"], said) for side in lost)],
        ["Link down: hours that are certainly kept", *(f"{side['hours_kept']:g}" for side in lost)],
        ["Readings lost in the first hour without the link, if sensors keep none",
         *(f"{side['readings_lost_in_the_first_hour']:,}" for side in lost)],
    ]  # fmt: skip
    parts = [
        _table(["", first, second], rows),
        "<h2>The picture</h2>",
        _changes("Components", found["components"], said), _changes("Flows", found["flows"], said),
        *(f"<figure><figcaption>{name}</figcaption>{_picture(side)}</figure>"
          for name, side in ((first, one), (second, other))),
        "<h2>The bill, line by line</h2>",
        _table(["component", "price", first, second, "difference"],
               [[said[line["component"]], line["price"], *line["usd_month"], line["difference"]]
                for line in bill["lines"]]
               + [["total", "", *bill["usd_month"], bill["difference"]]]),
        "<h2>Single points of failure</h2>", _changes("", found["single_points"], said),
        "<h2>Security groups</h2>", _changes("", found["security_groups"], {}),
        "<h2>What stops when it stops</h2>",
        _table(["component", first, second],
               [[said[row["component"]], *(_said(side, said) for side in row["effect"])] for row in found["stops"]]),
    ]  # fmt: skip
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{first} against {second}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>\n'
        f"<body><h1>{first} against {second}</h1>\n<p>Rates and usage are those of the cost estimate's reference; "
        f"what the company did not state is assumed. Nothing was deployed.</p>\n{body}\n</body></html>\n"
    )


STYLE = (
    "body{font:16px/1.5 Arial,Helvetica,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#1f2933}"
    "div{overflow-x:auto}table{border-collapse:collapse;margin:1rem 0}"
    "th,td{border:1px solid #829ab1;padding:.3rem .6rem;text-align:left;vertical-align:top}"
    "figure{margin:1rem 0;break-inside:avoid;overflow-x:auto}figcaption{font-weight:bold}"
    "img{max-width:100%;height:auto}@media screen and (max-width:50rem){img{max-width:none;width:68rem}"
    "figcaption::after{content:' – wider than this screen: move it sideways →';font-weight:normal}}"
    "@page{size:A4;margin:12mm}@page drawing{size:A4 landscape;margin:5mm}"
    "@media print{body{margin:0;padding:0;max-width:none}div{overflow:visible}"
    "table{font-size:9pt}td{overflow-wrap:break-word}"
    "figure{page:drawing;margin:0;overflow:visible}figcaption{font-size:9pt;line-height:1}"
    "img{display:block;margin:0 auto;max-height:194mm}}"
)


def _picture(platform: Platform) -> str:
    data = base64.b64encode(render.svg(View.OVERVIEW, platform)).decode()
    return f'<img alt="Overview" src="data:image/svg+xml;base64,{data}">'


def _names_of(one: Platform, other: Platform) -> dict[str, str]:
    """What people call each component, and between which two each flow runs."""
    found: dict[str, str] = {}
    for side in (other, one):
        found |= {component.id: component.name for component in side.component}
        found |= {flow.id: f"{side[flow.source].name} → {side[flow.target].name} ({flow.label})" for flow in side.flow}
    return found


def _changes(title: str, found: dict[str, Any], said: dict[str, str]) -> str:
    items = [f"<li>{what}: {html.escape(_listed(found[what], said))}</li>" for what in ("added", "removed")]
    for name, fields in found.get("changed", {}).items():
        words = "; ".join(f"{key}: {before} → {after}" for key, (before, after) in fields.items())
        items.append(f"<li>changed: {html.escape(said.get(name, name))} ({html.escape(words)})</li>")
    return (f"<h3>{title}</h3>" if title else "") + f"<ul>{''.join(items)}</ul>"


def _listed(names: list[str], said: dict[str, str]) -> str:
    return ", ".join(said.get(name, name) for name in names) or "none"


def _said(effect: dict[str, Any] | None, said: dict[str, str]) -> str:
    if effect is None:
        return "not there"
    stale, waits = _listed(effect["stale"], said), _listed(effect["waits_in"], said)
    return f"after one failure: {effect['spare']}; old data in {stale}; waits in {waits}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    def row(tag: str, cells: list[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return f"<div><table>{row('th', head)}{''.join(row('td', cells) for cells in rows)}</table></div>"
