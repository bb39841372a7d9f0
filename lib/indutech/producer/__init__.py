"""Sending tickets, and the audit of what was sent and what the broker acknowledged.

`produce.produce` sends, `audit.read_audit` tells what was acknowledged. The other modules serve these two: the two
Kafka clients, the pace, the counts, and the writer of the audit file.
"""

__all__ = ["audit", "produce"]
