"""Sending tickets and accounting for them: what was sent, what the broker acknowledged.

`produce.produce` sends, `audit.read_audit` tells what was acknowledged. The rest belongs to these two: the two clients,
the pace, the counts and the file that survives a kill.
"""

__all__ = ["audit", "produce"]
