"""The generated parts of docs/performance.md: each figure with what is wanted of it, its machine and its day."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from indutech.report.edition.performance import published, runs
from indutech.report.edition.performance.runs import Measured, Month, Section

NOT_MEASURED = "Not measured yet: `{command}`."
LONGEST_BAR = 24


def shown(value: float, unit: str) -> str:
    """A figure as one reads it: ratios and seconds with decimals, everything else in whole units."""
    return f"{_digits(value, unit)} {'×' if unit == 'x' else '%' if unit == 'percent' else unit}"


def _digits(value: float, unit: str) -> str:
    decimals = {"x": 2, "s": 2 if value < 10 else 1 if value < 100 else 0, "percent": 2}.get(unit, 0)
    return f"{value:,.{decimals}f}"


def _section(name: str) -> str:
    """A section's figures, a chart of its rates, and where and when they were measured."""
    if not (found := runs.sections().get(name)):
        return NOT_MEASURED.format(command=f"python -m bench {name} --save")
    return "\n".join([*_chart(found), *_table(found.figures), "", _told(found)])


def _chart(found: Section) -> Iterator[str]:
    """The rates as bars, which GitHub and JupyterLab draw; the table below has every number."""
    rates = [one for one in found.figures if one.unit == "tickets/s" and not one.what.endswith("per core")]
    if len(rates) > 1:
        names = ", ".join(f'"{one.what}"' for one in rates)
        values = ", ".join(f"{one.value:.0f}" for one in rates)
        yield from [
            "```mermaid", "xychart-beta horizontal", f"    x-axis [{names}]", '    y-axis "tickets a second"',
            f"    bar [{values}]", "```", "",
        ]  # fmt: skip


def _table(figures: Sequence[Measured]) -> Iterator[str]:
    yield "| | median | lowest – highest | wanted | |"
    yield "|---|--:|--:|--:|---|"
    for one in figures:
        ends = [_digits(end, one.unit) for end in (one.lowest, one.highest) if end is not None]
        yield f"| {one.what} | {shown(one.value, one.unit)} | {' – '.join(ends)} | {_wanted(one)} | {_verdict(one)} |"


def _wanted(one: Measured) -> str:
    if one.at_least is not None:
        return f"at least {shown(one.at_least, one.unit)}"
    return "" if one.at_most is None else f"at most {shown(one.at_most, one.unit)}"


def _verdict(one: Measured) -> str:
    return {None: "", True: "reached", False: "**missed**"}[one.reached]


def _told(found: Section) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    return (
        f"Measured on {found.date:%Y-%m-%d} at {found.date:%H:%M} UTC by `{found.command}` in {found.seconds:,} s, on "
        f"{found.cores} cores ({found.processor}) and {found.memory_gib:g} GiB, with everything that it needs on them; "
        f"load of the quarter of an hour before: {found.load_before:g}. {versions}."
    )


def _wanted_and_missed() -> str:
    """How many bounds are reached, and those that are not."""
    bound = [(name, one) for name, found in runs.sections().items() for one in found.figures if one.reached is not None]
    if month := runs.month():
        bound += [("month", one) for one in month.bounds]
    missed = [f"| {name} | {one.what} | {shown(one.value, one.unit)} | {_wanted(one)} |"
              for name, one in bound if not one.reached]  # fmt: skip
    lines = [f"Of {len(bound)} bounds {len(bound) - len(missed)} are reached."]
    if missed:
        lines += ["Missed:", "", "| section | what | measured | wanted |", "|---|---|--:|--:|", *missed]
    return "\n".join(lines)


def _ladder() -> str:
    """Which share of a drain each step takes, from the step before it."""
    if not (found := runs.sections().get("ladder")):
        return NOT_MEASURED.format(command="python -m bench ladder --save")
    seconds = [(one.what, 1_000_000 / one.value) for one in found.figures]
    whole = seconds[-1][1]
    lines = ["| step | seconds a million | of the whole | |", "|---|--:|--:|---|"]
    before = 0.0
    for what, took in seconds:
        share = (took - before) / whole
        lines.append(f"| {what} | {took:.2f} | {share:+.0%} | {'█' * round(LONGEST_BAR * max(0, share))} |")
        before = took
    return "\n".join([*lines, "", _told(found)])


def _by_size() -> str:
    """What was measured with more and more stored: a column for each size, then the ratios."""
    if not (found := runs.sections().get("growth")):
        return NOT_MEASURED.format(command="python -m bench growth --save")
    cells: dict[str, dict[str, str]] = {}
    for one in found.figures:
        if one.unit != "x":
            what, _, size = one.what.rpartition(", ")
            cells.setdefault(what, {})[size] = shown(one.value, one.unit)
    sizes = list(next(iter(cells.values())))
    lines = [f"| | {' | '.join(sizes)} |", f"|---|{'--:|' * len(sizes)}"]
    lines += [f"| {what} | {' | '.join(of_sizes.values())} |" for what, of_sizes in cells.items()]
    ratios = [one for one in found.figures if one.unit == "x"]
    return "\n".join([*lines, "", *_table(ratios), "", _told(found)])


def _month() -> str:
    found = runs.month()
    return NOT_MEASURED.format(command="make month SAVE=1") if found is None else "\n".join(_of_month(found))


def _of_month(found: Month) -> Iterator[str]:
    took, size = found.seconds, {name: value / 1e9 for name, value in found.bytes.items()}
    yield (
        f"{found.days:g} days, {found.tickets:,} tickets of {found.bytes_per_ticket:.1f} bytes: "
        f"**{found.stored:,} stored, {found.quarantined:,} quarantined, {found.lost:,} lost, {found.twice:,} twice**; "
        f"the audit says {found.audit}."
    )
    yield from ["", "| | |", "|---|--:|"]
    for name, value in (
        ("in all", f"{took['total']:,.0f} s"),
        ("produced and drained, at the same time", f"{took['produced_and_drained']:,.0f} s"),
        (f"of which the stream's {found.micro_batches:,} micro-batches", f"{took['draining']:,.0f} s"),
        ("of which the producer waited, for room or for a look", f"{took['producer_waited']:,.0f} s"),
        (f"compaction, {found.files['before']:,} files to {found.files['after']:,}", f"{took['compaction']:,.0f} s"),
        (runs.FILES_OF_A_DAY, f"{found.files_of_a_day:,}"),
        ("reconciliation", f"{took['reconciliation']:,.1f} s"),
        ("audit", f"{took['audit']:,.1f} s"),
        ("drained, once produced", _drained(found)),
        ("tickets per core-second, everything counted", f"{found.tickets_per_core_second:,}"),
        ("raw JSON", f"{size['raw']:,.2f} GB"),
        ("in the broker, compressed", f"{size['broker']:,.2f} GB, {size['broker_at_most']:,.2f} GB at once"),
        ("Parquet, compacted", f"{size['parquet_after']:,.2f} GB"),
        (f"read by a question: {found.question.asked}", _read(found)),
        ("memory, stream", f"{found.peak_mib['stream']:,} MiB"),
        ("memory, producer", f"{found.peak_mib['producer']:,} MiB"),
    ):
        yield f"| {name} | {value} |"
    yield from _growth(found)
    yield ""
    yield (
        f"Measured on {found.date:%Y-%m-%d} by `python -m bench.month --days {found.days:g} --save`, on {found.cores} "
        f"cores and {found.memory_gib:g} GiB, in micro-batches of at most {found.max_batch_tickets:,}."
    )


def _drained(found: Month) -> str:
    """The pace while nobody sent, and how long the whole would take with it."""
    if found.drain_s is None:
        return "the stream was never alone"
    alone = found.drained_alone
    return f"{found.drain_s:,.0f} s, at the {alone.tickets_per_s:,}/s of {alone.tickets:,} while nothing was sent"


def _read(found: Month) -> str:
    question = found.question
    return f"{question.bytes_after / 1e6:,.1f} MB of {', '.join(question.columns)} in {question.seconds:.1f} s"


def _growth(found: Month) -> Iterator[str]:
    """What grows with what is stored, each looked at while the producer waited and all was stored."""
    if not found.growth:
        return
    yield from ["", "With more stored, each looked at while nothing arrived:", ""]
    yield "| stored | full micro-batches | `reconcile` | `monitor --json` | open and count | memory, stream |"
    yield "|--:|--:|--:|--:|--:|--:|"
    for one in found.growth:
        pace = "" if one.tickets_per_s is None else f"{one.tickets_per_s:,} tickets/s"
        took = " | ".join(f"{one.seconds[name]:.1f} s" for name in ("reconcile", "monitor", "open_and_count"))
        yield f"| {one.stored:,} | {pace} | {took} | {one.stream_mib:,} MiB |"


def _published() -> str:
    rows = [
        f"| {one.system} | {one.what} | {one.figure:,f} {one.unit} | {one.conditions} | "
        f"[{one.published}]({one.source}), read {one.read} |"
        for one in published.read()
    ]
    head = ["| system | what | published figure | conditions, as stated there | published |", "|---|---|--:|---|---|"]
    return "\n".join([*head, *rows])


PARTS: Mapping[str, Callable[[], str]] = {
    "wanted": _wanted_and_missed,
    "produce": lambda: _section("produce"),
    "stream": lambda: _section("stream"),
    "ladder": _ladder,
    "batch-sizes": lambda: _section("batch-sizes"),
    "scaling": lambda: _section("scaling"),
    "growth": _by_size,
    "engines": lambda: _section("engines"),
    "micro-batches": lambda: _section("micro-batches"),
    "latency": lambda: _section("latency"),
    "real-time": lambda: _section("real-time"),
    "start": lambda: _section("start"),
    "report": lambda: _section("report"),
    "tests": lambda: _section("tests"),
    "audit": lambda: _section("audit"),
    "month": _month,
    "published": _published,
}
