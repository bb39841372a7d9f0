"""Sending messages, and the audit of what was sent and what the broker acknowledged.

`produce.produce` sends, `quarantine_replay.replay` sends again what was refused, `audit.read_audit` tells what was
acknowledged. Whoever sends in a way of its own, as the bridge from MQTT does, takes the client of `confluent`, the
`counts`, and the audit's writer in `audit_log`; the other modules serve these.
"""

__all__ = ["audit", "audit_log", "confluent", "counts", "produce", "quarantine_replay"]
