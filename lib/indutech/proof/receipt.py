"""The receipt of an audit: one page of HTML that needs nothing beside it."""

from html import escape

from indutech.proof.audit_result import MEANING, Audit, Finding, PartitionAudit
from indutech.proof.ranges import size
from indutech.proof.result import in_words

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #59636e; --line: #d1d9e0; --paper: #fff;
  --good: #1a7f37; --bad: #b42318; --wait: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9198a1; --line: #3d444d; --paper: #10151b;
  --good: #4ac26b; --bad: #ff7b72; --wait: #e3b341; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 68rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.verdict { border-left: .4rem solid; padding: .6rem 1rem; margin: 1rem 0; font-size: 1.1rem; }
.verdict b { display: block; } .e0 { border-color: var(--good); } .e0 b { color: var(--good); }
.e1 { border-color: var(--bad); } .e1 b, .bad { color: var(--bad); } .e2 { border-color: var(--wait); }
.e2 b { color: var(--wait); } .dim, dt { color: var(--dim); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; } dd { margin: 0;
  overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem; border-bottom: 1px solid var(--line); }
th.n, td.n { text-align: right; white-space: nowrap; } th { color: var(--dim); font-weight: 600; }
td.where { overflow-wrap: anywhere; font-size: .9rem; min-width: 20rem; }
"""
_WORDS = {
    "proven": "Proven: each offset is there exactly once.",
    "not proven": "Not proven: something is missing, duplicate, foreign or unreadable.",
    "proven as far as it was stored": "Proven as far as it was stored; newer offsets are pending.",
}
_COLUMNS = ("missing", "duplicate", "foreign", "pending", "gaps", "expired", "unverifiable")


def page(audit: Audit) -> str:
    """The whole page."""
    topic_id = f" (id {audit.topic_id})" if audit.topic_id else ""
    facts = {
        "Topic": f"{audit.topic}{topic_id}, told {'by ' if audit.told_by != 'by hand' else ''}{audit.told_by}",
        "Table": f"{audit.table} ({audit.shape}, {audit.version})",
        "Columns": audit.columns,
        "Dead letters": audit.dead_letter or "no table given",
        "Audited at": audit.audited_at,
    }
    said = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    notes = [note for note in (audit.recreated, _unplaced(audit)) if note]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Audit of {escape(audit.topic)}: {escape(audit.verdict)}</title><style>{_STYLE}</style></head><body>"
        "<h1>Audit by offsets</h1>"
        f'<div class="verdict e{audit.exit_code}"><b>{_WORDS[audit.verdict]}</b>{escape(audit.sentence)}</div>'
        + "".join(f'<p class="bad">{escape(note)}</p>' for note in notes)
        + f"<dl>{said}</dl>{_partitions(audit)}{_findings(audit)}{_unreadable(audit)}{_legend()}</body></html>\n"
    )


def _partitions(audit: Audit) -> str:
    shown = [name for name in _COLUMNS if any(getattr(part, name) for part in audit.partitions)]
    heads = [
        "partition",
        "start",
        "checked to",
        "end",
        "rows",
        *(["dead letters"] if audit.dead_letter else []),
        *shown,
    ]

    def row(part: PartitionAudit) -> str:
        counts = [part.partition, part.start, part.reached, part.end, part.rows]
        counts += [part.dead_letters] if audit.dead_letter else []
        cells = [f'<td class="n">{count:,}</td>' for count in counts]
        for name in shown:
            count = size(getattr(part, name))
            bad = ' bad" title="' + escape(in_words(getattr(part, name))) if count and name in MEANING else ""
            cells.append(f'<td class="n{bad}">{count:,}</td>')
        return f"<tr>{''.join(cells)}</tr>"

    head = "".join(f'<th class="n">{name}</th>' for name in heads)
    rows = "".join(map(row, audit.partitions))
    return f'<h2>Partitions</h2><div class="wide"><table><tr>{head}</tr>{rows}</table></div>'


def _findings(audit: Audit) -> str:
    if not audit.findings:
        return ""

    def row(finding: Finding) -> str:
        where = "<br>".join(map(escape, finding.where))
        return (
            f'<tr><td class="bad">{finding.kind}</td><td class="n">{finding.partition}</td>'
            f'<td class="n">{in_words([(finding.first, finding.last)])}</td><td class="where">{where}</td>'
            f"<td>{escape(finding.since) or '<span class=dim>no history</span>'}</td></tr>"
        )

    more = f"<p>{audit.findings_not_named:,} more ranges are not listed.</p>" if audit.findings_not_named else ""
    head = '<th>what</th><th class="n">partition</th><th class="n">offsets</th><th>where</th><th>since</th>'
    rows = "".join(map(row, audit.findings))
    return f'<h2>Findings</h2><div class="wide"><table><tr>{head}</tr>{rows}</table></div>{more}'


def _unreadable(audit: Audit) -> str:
    rows = "".join(
        f'<tr><td class="where">{escape(name)}</td><td class="where">{escape(why)}</td></tr>'
        for name, why in audit.unreadable.items()
    )
    return f"<h2>Cannot be read</h2><table><tr><th>file</th><th>why</th></tr>{rows}</table>" if rows else ""


def _unplaced(audit: Audit) -> str:
    count = audit.rows_without_place
    return f"{count:,} rows have no partition or no offset: they prove nothing and cannot be proven." if count else ""


def _legend() -> str:
    meanings: dict[str, str] = {
        **{str(kind): meaning for kind, meaning in MEANING.items()},
        "pending": "newer than the newest row: in the topic, not stored yet",
        "gaps": "no record there: transaction markers and aborted records; the broker was asked",
        "expired": "before the first row, and deleted from the topic since",
        "unverifiable": "between two rows, and deleted from the topic: a marker or a loss, nobody can say any more",
    }
    said = "".join(f"<dt>{name}</dt><dd>{escape(meaning)}</dd>" for name, meaning in meanings.items())
    return f"<h2>The words</h2><dl>{said}</dl>"
