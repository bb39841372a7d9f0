"""The reconciliation of a run in one line."""

from collections.abc import Mapping

COUNTS = ("acknowledged", "stored", "quarantined", "lost", "twice")


def sentence(counts: Mapping[str, int]) -> str:
    """What was sent, and where it is now."""
    said = (
        f"reconciled: {counts['acknowledged']:,} sent, {counts['stored']:,} stored, "
        f"{counts['lost']:,} lost, {counts['twice']:,} twice"
    )
    aside = f", {counts['quarantined']:,} set aside with the reason" if counts["quarantined"] else ""
    pending = f", {counts['pending']:,} not read yet" if counts.get("pending") else ""
    return said + aside + pending
