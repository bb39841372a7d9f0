"""Sending tickets, and the audit of what was sent and what the broker acknowledged.

`produce.produce` sends, `quarantine_replay.replay` sends again what was refused, `audit.read_audit` tells what was
acknowledged. The other modules serve these: the two Kafka clients, the pace, the counts, and the audit's writer.
"""

__all__ = ["audit", "produce", "quarantine_replay"]
