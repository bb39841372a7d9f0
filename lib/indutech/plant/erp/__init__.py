"""The ERP: a PostgreSQL of our own, the capture of its changes by Debezium, and its clients in the lake, then and now.

`embedded` starts and stops it all. `tables` declares what there is, `seed` fills it, `changes` changes it. `connect`
sends changes to the broker, `change_log` stores them, `history` computes state and history from them, and `comparison`
is the proof: the lake's rows against the source's.
"""

__all__ = ["change_log", "changes", "comparison", "embedded", "history", "job", "postgres", "tables"]
